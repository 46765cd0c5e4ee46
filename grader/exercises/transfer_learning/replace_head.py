"""The exercise `replace_head`."""

from copy import deepcopy

import torch
from torch import nn

from grader.exercises.transfer_learning.common import chapter, conv, dense, some_seed

exercise = chapter.exercise(
    "replace_head",
    points=2,
    aspects={"the new head": 2, "the rest as it was": 1, "a head inside another layer": 2, "refusals": 1},
    hints=(
        "A network is a tree of layers, and each layer is an attribute of the one around it. Which one holds the head?",
        "`dict(network.named_modules())` has every layer by its name, and the network itself under the empty name. "
        "The layer around `classifier.1` is `classifier`, the layer around `fc` the network.",
        "`parent, _, name = head.rpartition('.')` parts the name at its last dot, and `setattr(layers[parent], name, "
        "linear)` puts the new layer into the old one's place. `nn.init.zeros_` fills weights with 0. Work on a "
        "`deepcopy`, and take the number of inputs from the old head.",
    ),
)


@exercise.reference
def replace_head(network, head, classes):
    replaced = deepcopy(network)
    layers = dict(replaced.named_modules())
    if not isinstance(layers.get(head), nn.Linear):
        raise ValueError(f"{head!r} is no linear layer; the layers are {', '.join(filter(None, layers))}")
    if classes < 1:
        raise ValueError(f"a head for {classes} classes can answer nothing; give at least 1")
    linear = nn.Linear(layers[head].in_features, classes)
    nn.init.zeros_(linear.weight)
    nn.init.zeros_(linear.bias)
    parent, _, name = head.rpartition(".")
    setattr(layers[parent], name, linear)
    return replaced


# As many classes as before: still other classes.
exercise.case("the new head", network=dense(width=3, classes=2, seed=2), head="fc", classes=2)
# The old head has no bias.
exercise.case("the new head", network=dense(width=2, classes=4, seed=3, head_bias=False), head="fc", classes=1)
# The head need not be the last layer.
exercise.case("the new head", network=dense(features=3, width=2, seed=4), head="fc1", classes=2)
exercise.case("the rest as it was", network=dense(seed=5, frozen="fc1"), head="fc", classes=3)
exercise.case("the rest as it was", network=dense(seed=6, frozen="fc", training=False), head="fc", classes=3)
exercise.case(
    "a head inside another layer", network=conv(channels=1, seed=2, training=False), head="classifier.1", classes=4
)
exercise.case("refusals", network=dense(seed=7), head="fc", classes=3)
exercise.case("refusals", network=dense(seed=7), head="head", classes=3)
exercise.case("refusals", network=dense(seed=7), head="norm", classes=3)
exercise.case("refusals", network=dense(seed=7), head="", classes=3)
exercise.case("refusals", network=dense(seed=7), head="fc", classes=0)
exercise.case("refusals", network=dense(seed=7), head="fc", classes=-1)


@exercise.hidden("the new head", count=1)
def outermost_head(rng):
    width, classes = int(rng.integers(1, 5)), int(rng.integers(1, 5))
    wanted = int(rng.integers(2, 5))
    return {"network": dense(width=width, classes=classes, seed=some_seed(rng)), "head": "fc", "classes": wanted}


@exercise.hidden("the rest as it was", count=1)
def head_of_a_frozen_network(rng):
    network = dense(seed=some_seed(rng), frozen="fc", training=bool(rng.integers(2)))
    return {"network": network, "head": "fc", "classes": int(rng.integers(3, 6))}


@exercise.hidden("a head inside another layer", count=1)
def inner_head(rng):
    network = conv(channels=int(rng.integers(1, 4)), seed=some_seed(rng), training=bool(rng.integers(2)))
    return {"network": network, "head": "classifier.1", "classes": int(rng.integers(2, 6))}


@exercise.hidden("refusals", count=1)
def no_head_for_this(rng):
    network = dense(seed=some_seed(rng))
    head, classes = [("relu", 3), ("classifier", 3), ("fc", 0), ("fc", -2)][rng.integers(4)]
    return {"network": network, "head": head, "classes": classes}


exercise.slip(
    "Your function changes the network that it was given: whoever calls it loses the old head. Work on a copy.",
    name="changes_the_original",
    right="deepcopy(network)",
    wrong="network",
)
exercise.slip(
    "A layer inside another one is no attribute of the network. Under its name with the dot you add a new layer to the "
    "network, and the old head stays where it is. Put the new one into the layer that is around the old one.",
    name="inner_layers_overlooked",
    right="""    parent, _, name = head.rpartition(".")
    setattr(layers[parent], name, linear)
""",
    wrong="    setattr(replaced, head, linear)\n",
)
exercise.slip(
    "Your new head is there, and it is frozen. It knows nothing yet, so of all layers it must be able to learn.",
    name="new_head_frozen",
    right="    nn.init.zeros_(linear.bias)\n",
    wrong="    nn.init.zeros_(linear.bias)\n    linear.requires_grad_(False)\n",
)
exercise.slip(
    "Your new head has inputs and outputs exchanged. `nn.Linear` takes the number of inputs first.",
    name="inputs_and_outputs_exchanged",
    right="nn.Linear(layers[head].in_features, classes)",
    wrong="nn.Linear(classes, layers[head].in_features)",
)
exercise.slip(
    "Your new head takes as many inputs as the old one had outputs. It stands in the old one's place, so it gets what "
    "the old one got.",
    name="inputs_from_the_old_outputs",
    right="layers[head].in_features",
    wrong="layers[head].out_features",
)
exercise.slip(
    "Your new head has no bias.",
    name="no_bias",
    right="""in_features, classes)
    nn.init.zeros_(linear.weight)
    nn.init.zeros_(linear.bias)
""",
    wrong="""in_features, classes, bias=False)
    nn.init.zeros_(linear.weight)
""",
)
exercise.slip(
    "Your new head has a bias only where the old one had one. It is always to have one.",
    name="bias_like_the_old_one",
    right="""in_features, classes)
    nn.init.zeros_(linear.weight)
    nn.init.zeros_(linear.bias)
""",
    wrong="""in_features, classes, bias=layers[head].bias is not None)
    for weights in linear.parameters():
        nn.init.zeros_(weights)
""",
)
exercise.slip(
    "Your new head computes with numbers of another type than the rest of the network, which then fails at its first "
    "forward pass. The default of `nn.Linear` is what the others have.",
    name="head_of_another_type",
    right="nn.Linear(layers[head].in_features, classes)",
    wrong="nn.Linear(layers[head].in_features, classes, dtype=torch.float64)",
)
exercise.slip(
    "A layer that is not linear cannot be replaced like this: look at what it is before you ask for its `in_features`, "
    "and refuse it with a ValueError.",
    name="other_layers_not_refused",
    right="not isinstance(layers.get(head), nn.Linear)",
    wrong="head not in layers",
)
exercise.slip(
    "0 classes and fewer are no head. Refuse them with a ValueError.",
    name="no_classes_accepted",
    right="classes < 1",
    wrong="classes < -100",
)
exercise.slip(
    "A head for a single class is one output, such as a score; only 0 and less are to be refused.",
    name="one_class_refused",
    right="classes < 1",
    wrong="classes < 2",
)


@exercise.mistake(
    "Your new head keeps the old one's weights for the first classes. What was learnt for the letter A says nothing "
    "of the digit 0; begin with zeros."
)
def keeps_old_rows(network, head, classes):
    replaced = deepcopy(network)
    layers = dict(replaced.named_modules())
    if not isinstance(layers.get(head), nn.Linear) or classes < 1:
        raise ValueError("no head to replace")
    old = layers[head]
    linear = nn.Linear(old.in_features, classes)
    nn.init.zeros_(linear.weight)
    nn.init.zeros_(linear.bias)
    kept = min(classes, old.out_features)
    with torch.no_grad():
        linear.weight[:kept] = old.weight[:kept]
        linear.bias[:kept] = old.bias[:kept]
    parent, _, name = head.rpartition(".")
    setattr(layers[parent], name, linear)
    return replaced


@exercise.mistake(
    "You put a new layer behind the old head, which now feeds it: the network answers the old question first, and the "
    "names of all layers have changed. The new head stands in the old one's place."
)
def appended(network, head, classes):
    replaced = deepcopy(network)
    layers = dict(replaced.named_modules())
    if not isinstance(layers.get(head), nn.Linear) or classes < 1:
        raise ValueError("no head to replace")
    linear = nn.Linear(layers[head].out_features, classes)
    nn.init.zeros_(linear.weight)
    nn.init.zeros_(linear.bias)
    return nn.Sequential(replaced, linear)


@exercise.mistake(
    "The old head is still there, with its old weights. (Its `out_features` is a note for readers; whoever changes it "
    "changes no weights.) Put a new `nn.Linear` into its place, in the copy, and return the copy."
)
def number_of_outputs_only(network, head, classes):
    replaced = deepcopy(network)
    layers = dict(replaced.named_modules())
    if not isinstance(layers.get(head), nn.Linear) or classes < 1:
        raise ValueError("no head to replace")
    layers[head].out_features = classes
    return replaced


@exercise.mistake(
    "Your function sets all weights of the network to 0, and with them everything that it has learnt. Only the new "
    "head begins at 0."
)
def forgets_everything(network, head, classes):
    replaced = deepcopy(network)
    layers = dict(replaced.named_modules())
    if not isinstance(layers.get(head), nn.Linear) or classes < 1:
        raise ValueError("no head to replace")
    parent, _, name = head.rpartition(".")
    setattr(layers[parent], name, nn.Linear(layers[head].in_features, classes))
    for weights in replaced.parameters():
        nn.init.zeros_(weights)
    return replaced


@exercise.mistake(
    "Your network has lost what was frozen in it, or its mode: your function makes all weights trainable and switches "
    "to training. Everything but the head stays as it was."
)
def rest_made_trainable(network, head, classes):
    replaced = deepcopy(network)
    layers = dict(replaced.named_modules())
    if not isinstance(layers.get(head), nn.Linear) or classes < 1:
        raise ValueError("no head to replace")
    linear = nn.Linear(layers[head].in_features, classes)
    nn.init.zeros_(linear.weight)
    nn.init.zeros_(linear.bias)
    parent, _, name = head.rpartition(".")
    setattr(layers[parent], name, linear)
    return replaced.requires_grad_(True).train()


@exercise.mistake(
    "Your function also freezes the rest of the network. That is what `freeze_backbone` is for: whoever fine-tunes "
    "needs a new head on a network that can learn."
)
def freezes_the_rest(network, head, classes):
    replaced = deepcopy(network)
    layers = dict(replaced.named_modules())
    if not isinstance(layers.get(head), nn.Linear) or classes < 1:
        raise ValueError("no head to replace")
    replaced.requires_grad_(False)
    linear = nn.Linear(layers[head].in_features, classes)
    nn.init.zeros_(linear.weight)
    nn.init.zeros_(linear.bias)
    parent, _, name = head.rpartition(".")
    setattr(layers[parent], name, linear)
    return replaced


@exercise.alternative
def down_the_tree(network, head, classes):
    replaced = deepcopy(network)
    *path, last = head.split(".")
    around = replaced
    for name in path:
        around = getattr(around, name, None)
    old = getattr(around, last, None) if last else None
    if type(old) is not nn.Linear or classes <= 0:
        raise ValueError("there is no such head")
    new = nn.Linear(in_features=old.weight.shape[1], out_features=classes)
    with torch.no_grad():
        new.weight.zero_()
        new.bias.fill_(0)
    around._modules[last] = new
    return replaced


@exercise.alternative
def new_weights_for_the_old_layer(network, head, classes):
    replaced = deepcopy(network)
    names = [name for name, layer in replaced.named_modules() if isinstance(layer, nn.Linear)]
    if head not in names or classes < 1:
        raise ValueError(f"choose among {names}")
    layer = replaced.get_submodule(head)
    layer.out_features = classes
    layer.weight = nn.Parameter(torch.zeros(classes, layer.in_features))
    layer.bias = nn.Parameter(torch.zeros(classes))
    return replaced
