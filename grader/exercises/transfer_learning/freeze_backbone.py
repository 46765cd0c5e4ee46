"""The exercise `freeze_backbone`."""

from copy import deepcopy

from torch import nn

from grader.exercises.transfer_learning.common import chapter, conv, dense, some_seed

exercise = chapter.exercise(
    "freeze_backbone",
    points=2,
    aspects={"the weights": 2, "the statistics": 2, "any head": 1, "a head that is not there": 1},
    hints=(
        "Freeze everything first, then make the head able to learn again. Two things have to be switched each time: "
        "one belongs to the weights, the other to the layers.",
        "`requires_grad_(False)` on a module reaches all weights inside it, `eval()` all layers inside it. By its name "
        "the head is `dict(network.named_modules())[head]`.",
        "On `frozen = deepcopy(network)`, call `requires_grad_(False)` and `eval()`. On the head, which is a layer of "
        "`frozen`, call `requires_grad_(True)` and `train()`. A head that is not among the names, that is the empty "
        "name, or that has no `parameters()`, is refused first.",
    ),
)


@exercise.reference
def freeze_backbone(network, head):
    frozen = deepcopy(network)
    layers = dict(frozen.named_modules())
    if head == "" or head not in layers or not list(layers[head].parameters()):
        raise ValueError(f"{head!r} is no layer with weights; the layers are {', '.join(filter(None, layers))}")
    frozen.requires_grad_(False)
    frozen.eval()
    layers[head].requires_grad_(True)
    layers[head].train()
    return frozen


# In evaluation mode, and with a head in which no mode matters: only what is trainable has to change.
exercise.case("the weights", network=conv(seed=1, training=False), head="classifier.1")
exercise.case("the weights", network=conv(channels=1, seed=2, frozen="classifier", training=False), head="classifier.1")
exercise.case("the statistics", network=conv(channels=1, seed=3), head="classifier.1")
# A head whose name begins another layer's, and one in the middle of the network with a mode of its own.
exercise.case("any head", network=dense(seed=1, training=False), head="fc")
exercise.case("any head", network=conv(channels=1, classes=2, seed=4, training=False), head="body")
exercise.case("a head that is not there", network=dense(seed=7, training=False), head="fc")
exercise.case("a head that is not there", network=dense(seed=7, training=False), head="head")
exercise.case("a head that is not there", network=conv(channels=1, seed=7, training=False), head="classifier.0")
exercise.case("a head that is not there", network=dense(seed=7, training=False), head="")
exercise.case("a head that is not there", network=dense(seed=7, training=False), head="fc.weight")


@exercise.hidden("the weights", count=1)
def network_in_evaluation_mode(rng):
    frozen = str(rng.choice(["", "classifier", "stem", "body"]))
    network = conv(channels=int(rng.integers(1, 4)), seed=some_seed(rng), frozen=frozen, training=False)
    return {"network": network, "head": "classifier.1"}


@exercise.hidden("the statistics", count=1)
def network_in_training(rng):
    return {"network": conv(classes=int(rng.integers(2, 5)), seed=some_seed(rng)), "head": "classifier.1"}


@exercise.hidden("any head", count=1)
def head_anywhere(rng):
    head = str(rng.choice(["classifier", "body", "stem"]))
    return {"network": conv(channels=1, seed=some_seed(rng), training=False), "head": head}


@exercise.hidden("a head that is not there", count=1)
def head_of_another_network(rng):
    return {"network": dense(seed=some_seed(rng), training=False), "head": str(rng.choice(["fc2", "head", "layer4"]))}


exercise.slip(
    "Your function freezes the network that it was given. The next one who needs the pretrained network, to fine-tune "
    "it for example, gets a frozen one. Work on a copy.",
    name="freezes_the_original",
    right="deepcopy(network)",
    wrong="network",
)
exercise.slip(
    "The weights of the backbone stand still, but in training mode its batch normalization goes on learning a mean and "
    "a variance, and its dropout goes on drawing. Which mode do these layers need?",
    name="statistics_go_on",
    right="    frozen.eval()\n",
    wrong="",
)
exercise.slip(
    "Nothing is trainable any more, the head neither. Freeze everything, and then let the head learn again.",
    name="freezes_the_head_too",
    right="    layers[head].requires_grad_(True)\n",
    wrong="",
)
exercise.slip(
    "The whole network is in evaluation mode. The head is to be trained, so a dropout or a batch normalization inside "
    "it belongs in training mode.",
    name="head_in_evaluation_mode",
    right="    layers[head].train()\n",
    wrong="",
)
exercise.slip(
    "It is the head that you freeze, and the backbone that can learn.",
    name="the_wrong_way_round",
    right="""frozen.requires_grad_(False)
    frozen.eval()
    layers[head].requires_grad_(True)
    layers[head].train()""",
    wrong="""frozen.requires_grad_(True)
    frozen.train()
    layers[head].requires_grad_(False)
    layers[head].eval()""",
)
exercise.slip(
    "Your function looks only among the outermost layers, and there is no `classifier.1` among them. "
    "`named_modules()` also lists the layers inside other layers.",
    name="outermost_layers_only",
    right="frozen.named_modules()",
    wrong="frozen.named_children()",
)
exercise.slip(
    "Your head is the layer asked for, but a layer without weights passes for one. With it as a head nothing is left "
    "that could learn, and training would run without changing anything.",
    name="head_without_weights",
    right="head not in layers or not list(layers[head].parameters())",
    wrong="head not in layers",
)
exercise.slip(
    "A head that is not there should be refused by a ValueError that says which layers there are. Look for the name "
    "before you use it.",
    name="missing_head_not_refused",
    right="head not in layers or not list(layers[head].parameters())",
    wrong="not list(layers[head].parameters())",
)


@exercise.mistake(
    "Your head takes in every layer whose name begins with the same letters: `fc1` is not a part of `fc`. What lies "
    "inside the head has a dot behind the head's name."
)
def head_by_its_first_letters(network, head):
    frozen = deepcopy(network)
    layers = dict(frozen.named_modules())
    if head == "" or head not in layers or not list(layers[head].parameters()):
        raise ValueError(f"there is no layer {head}")
    for name, weights in frozen.named_parameters():
        weights.requires_grad_(name.startswith(head))
    for name, layer in layers.items():
        layer.training = name.startswith(head)
    return frozen


@exercise.mistake(
    "Where no layer is called `head`, your function freezes everything and says nothing. Training would run, and "
    "nothing would be learnt. Refuse such a name with a ValueError."
)
def no_head_freezes_all(network, head):
    frozen = deepcopy(network)
    for name, weights in frozen.named_parameters():
        weights.requires_grad_(name.startswith(f"{head}."))
    for name, layer in frozen.named_modules():
        layer.training = f"{name}.".startswith(f"{head}.")
    return frozen


@exercise.mistake(
    "Your function freezes the backbone, but a head that was frozen before stays frozen. Whatever the network was, the "
    "head must be trainable afterwards."
)
def head_left_as_it_was(network, head):
    frozen = deepcopy(network)
    layers = dict(frozen.named_modules())
    if head == "" or head not in layers or not list(layers[head].parameters()):
        raise ValueError(f"there is no layer {head}")
    frozen.eval()
    layers[head].train()
    for name, weights in frozen.named_parameters():
        if not name.startswith(f"{head}."):
            weights.requires_grad_(False)
    return frozen


@exercise.mistake(
    "Your function freezes the rest and does not touch the head: a head that was frozen stays frozen, and one that was "
    "in evaluation mode stays in it. Whatever the network was, the head must be ready to learn afterwards."
)
def head_not_touched(network, head):
    frozen = deepcopy(network)
    layers = dict(frozen.named_modules())
    if head == "" or head not in layers or not list(layers[head].parameters()):
        raise ValueError(f"there is no layer {head}")
    for name, layer in layers.items():
        if not f"{name}.".startswith(f"{head}."):
            layer.training = False
    for name, weights in frozen.named_parameters():
        if not name.startswith(f"{head}."):
            weights.requires_grad_(False)
    return frozen


@exercise.mistake(
    "Your batch normalization is in evaluation mode, but the dropout of the backbone still draws in training mode. The "
    "same image would give other features each time."
)
def dropout_goes_on(network, head):
    frozen = deepcopy(network)
    layers = dict(frozen.named_modules())
    if head == "" or head not in layers or not list(layers[head].parameters()):
        raise ValueError(f"there is no layer {head}")
    frozen.requires_grad_(False)
    for layer in frozen.modules():
        if isinstance(layer, (nn.BatchNorm1d, nn.BatchNorm2d)):
            layer.eval()
    layers[head].requires_grad_(True)
    layers[head].train()
    return frozen


@exercise.mistake(
    "Your function freezes the weights of the layers by their name, `weight`, and leaves every `bias` free: those of "
    "batch normalization, too, shift the features. Freeze all parameters."
)
def biases_left_free(network, head):
    frozen = deepcopy(network)
    layers = dict(frozen.named_modules())
    if head == "" or head not in layers or not list(layers[head].parameters()):
        raise ValueError(f"there is no layer {head}")
    frozen.eval()
    for name, weights in frozen.named_parameters():
        weights.requires_grad_(not name.endswith("weight"))
    layers[head].requires_grad_(True)
    layers[head].train()
    return frozen


@exercise.mistake(
    "Your function takes the last layer for the head, whatever name is asked for. Look the head up by its name."
)
def last_layer_for_a_head(network, head):
    frozen = deepcopy(network)
    layers = dict(frozen.named_modules())
    if head == "" or head not in layers or not list(layers[head].parameters()):
        raise ValueError(f"there is no layer {head}")
    frozen.requires_grad_(False)
    frozen.eval()
    last = list(frozen.modules())[-1]
    last.requires_grad_(True)
    last.train()
    return frozen


@exercise.alternative
def by_the_names(network, head):
    if not head or not any(name.startswith(head + ".") for name, _ in network.named_parameters()):
        raise ValueError("no such head")
    frozen = deepcopy(network)
    for name, weights in frozen.named_parameters():
        weights.requires_grad = name.startswith(head + ".")
    for name, layer in frozen.named_modules():
        layer.training = name == head or name.startswith(head + ".")
    return frozen


@exercise.alternative
def only_where_modes_matter(network, head):
    frozen = deepcopy(network)
    try:
        part = frozen.get_submodule(head)
    except AttributeError:
        raise ValueError("no such head") from None
    inside = {id(weights) for weights in part.parameters()}
    if part is frozen or not inside:
        raise ValueError("no head to train")
    for weights in frozen.parameters():
        weights.requires_grad = id(weights) in inside
    for layer in frozen.modules():
        if isinstance(layer, (nn.Dropout, nn.BatchNorm1d, nn.BatchNorm2d)):
            layer.train(any(layer is other for other in part.modules()))
    return frozen
