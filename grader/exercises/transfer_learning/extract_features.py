"""The exercise `extract_features`."""

from copy import deepcopy

import numpy as np
import torch

from grader.exercises.transfer_learning.common import SINGLE_PRECISION, chapter, conv, dense, some_seed

exercise = chapter.exercise(
    "extract_features",
    points=3,
    aspects={"the features": 2, "evaluation mode": 2, "in-place layers": 1, "a layer that is not there": 1},
    hints=(
        "You do not have to take the network apart. A forward hook is a function that a layer calls each time it has "
        "computed something.",
        "`layer.register_forward_hook(function)` calls `function(module, inputs, output)`. Put the output into a list "
        "that lies outside, as a copy; then let the network run. What does it need before, so that it neither learns "
        "nor draws, and keeps no gradients?",
        "On `probed = deepcopy(network).eval()`, register on `dict(probed.named_modules())[layer]` a function that "
        "appends `output.clone()` to a list. Call `probed(images)` under `torch.no_grad()`. `outputs[0].flatten(1)` "
        "has a row for each image, and `.numpy()` makes it an array.",
    ),
    tolerance=SINGLE_PRECISION,
)


@exercise.reference
def extract_features(network, images, layer):
    probed = deepcopy(network).eval()
    layers = dict(probed.named_modules())
    if layer == "" or layer not in layers:
        raise ValueError(f"there is no layer {layer!r}; the layers are {', '.join(filter(None, layers))}")
    outputs = []

    def keep(module, inputs, output):
        outputs.append(output.clone())

    layers[layer].register_forward_hook(keep)
    with torch.no_grad():
        probed(images)
    return outputs[0].flatten(1).numpy()


def pictures(seed, count):
    """Images of 4×4 pixels, in eighths."""
    drawn = np.random.default_rng(seed).integers(0, 9, (count, 1, 4, 4)) / 8
    return torch.tensor(drawn, dtype=torch.float32)


def rows(seed, count, features=3):
    """Examples for a dense network, in quarters."""
    drawn = np.random.default_rng(seed).integers(-8, 9, (count, features)) / 4
    return torch.tensor(drawn, dtype=torch.float32)


# Already in evaluation mode; nothing behind these layers works in place.
exercise.case("the features", network=conv(seed=1, training=False), images=pictures(1, 2), layer="stem")
exercise.case("the features", network=conv(seed=2, training=False), images=pictures(2, 1), layer="stem.2")
exercise.case("the features", network=conv(seed=3, training=False), images=pictures(3, 3), layer="flatten")
exercise.case("the features", network=dense(width=3, seed=4, training=False), images=rows(4, 3), layer="relu")
exercise.case("evaluation mode", network=conv(seed=5), images=pictures(5, 3), layer="stem")
exercise.case("evaluation mode", network=dense(seed=6), images=rows(6, 4), layer="relu")
exercise.case("evaluation mode", network=dense(seed=7), images=rows(7, 1), layer="relu")
exercise.case("in-place layers", network=dense(width=3, seed=8, training=False), images=rows(8, 3), layer="norm")
exercise.case("in-place layers", network=conv(seed=9, training=False), images=pictures(9, 2), layer="stem.1")
exercise.case("a layer that is not there", network=dense(seed=10, training=False), images=rows(10, 2), layer="fc")
exercise.case("a layer that is not there", network=dense(seed=11, training=False), images=rows(11, 2), layer="layer4")
exercise.case("a layer that is not there", network=dense(seed=12, training=False), images=rows(12, 2), layer="")


@exercise.hidden("the features", count=2)
def features_of_any_layer(rng):
    network = conv(channels=int(rng.integers(1, 4)), seed=some_seed(rng), training=False)
    layer = str(rng.choice(["stem", "stem.2", "stem.3", "body", "body.2", "flatten", "classifier", "classifier.1"]))
    return {"network": network, "images": pictures(some_seed(rng), int(rng.integers(1, 5))), "layer": layer}


@exercise.hidden("evaluation mode", count=1)
def features_in_training(rng):
    network = dense(width=3, seed=some_seed(rng))
    return {"network": network, "images": rows(some_seed(rng), int(rng.integers(3, 6))), "layer": "relu"}


@exercise.hidden("in-place layers", count=1)
def features_before_an_in_place_layer(rng):
    network = dense(width=5, seed=some_seed(rng), training=False)
    return {"network": network, "images": rows(some_seed(rng), 6), "layer": "norm"}


@exercise.hidden("a layer that is not there", count=1)
def no_such_layer(rng):
    network = dense(seed=some_seed(rng), training=False)
    return {"network": network, "images": rows(some_seed(rng), 2), "layer": str(rng.choice(["head", "fc2", "avgpool"]))}


exercise.slip(
    "In training mode, batch normalization takes its mean and its variance from these very images. So the features of "
    "one image depend on the others beside it, and of a single image there are none at all. Which mode is this for?",
    name="in_training_mode",
    right="deepcopy(network).eval()",
    wrong="deepcopy(network)",
)
exercise.slip(
    "The features are right, but the network that you were given is in evaluation mode now, with your hook still on "
    "it. Whoever trains on with it does not know. Work on a copy.",
    name="leaves_evaluation_mode_on",
    right="deepcopy(network).eval()",
    wrong="network.eval()",
)
exercise.slip(
    "Where a layer works in place, it writes over what you kept: behind a ReLU with `inplace=True` no feature is "
    "negative any more. Keep a copy.",
    name="overwritten_in_place",
    right="output.clone()",
    wrong="output",
)
exercise.slip(
    "torch keeps track of gradients here, so what leaves the layer cannot become an array. Nobody wants to train "
    "through these features; say so around the call.",
    name="with_gradients",
    right="torch.no_grad()",
    wrong="torch.enable_grad()",
)
exercise.slip(
    "What leaves a convolution has channels, rows and columns. Each image should become one row: flatten all but the "
    "first axis.",
    name="not_flattened",
    right="outputs[0].flatten(1)",
    wrong="outputs[0]",
)
exercise.slip(
    "You flatten everything, the images too. Each image should keep a row of its own.",
    name="all_images_in_one_row",
    right="flatten(1)",
    wrong="flatten()",
)
exercise.slip(
    "That is what enters the layer. The features are what leaves it, `output`.",
    name="input_of_the_layer",
    right="output.clone()",
    wrong="inputs[0].clone()",
)
exercise.slip(
    "Your function looks only among the outermost layers. `named_modules()` also lists the layers inside other "
    "layers, such as `stem.2`.",
    name="outermost_layers_only",
    right="probed.named_modules()",
    wrong="probed.named_children()",
)
exercise.slip(
    "A layer that is not there should be refused by a ValueError that says which layers there are. Look for the name "
    "before you use it; the empty name is the network itself and no layer of it.",
    name="missing_layer_not_refused",
    right='layer == "" or layer not in layers',
    wrong='layer == "no name at all"',
)


@exercise.mistake(
    "You return what leaves the network at its end, whatever layer is asked for. Those are scores of the old classes; "
    "the features lie further in front."
)
def output_of_the_network(network, images, layer):
    probed = deepcopy(network).eval()
    if layer not in dict(probed.named_modules()) or layer == "":
        raise ValueError("there is no such layer")
    with torch.no_grad():
        return probed(images).flatten(1).numpy()


@exercise.mistake(
    "You take the mean over each channel's pixels, so that where a feature was seen is lost. Here every pixel of every "
    "channel is a feature: flatten them."
)
def mean_over_pixels(network, images, layer):
    probed = deepcopy(network).eval()
    layers = dict(probed.named_modules())
    if layer not in layers or layer == "":
        raise ValueError("there is no such layer")
    outputs = []
    layers[layer].register_forward_hook(lambda module, inputs, output: outputs.append(output.clone()))
    with torch.no_grad():
        probed(images)
    output = outputs[0]
    return (output.mean((2, 3)) if output.ndim == 4 else output).numpy()


@exercise.mistake(
    "The features are right, and the network is not what it was: it computed in training mode first, or was switched "
    "and only half switched back. A copy cannot be forgotten."
)
def warms_up_the_original(network, images, layer):
    layers = dict(network.named_modules())
    if layer not in layers or layer == "":
        raise ValueError("there is no such layer")
    outputs = []
    network.eval()
    handle = layers[layer].register_forward_hook(lambda module, inputs, output: outputs.append(output.clone()))
    with torch.no_grad():
        network(images)
    handle.remove()
    network.train()
    return outputs[0].flatten(1).numpy()


@exercise.alternative
def one_image_at_a_time(network, images, layer):
    copied = deepcopy(network).double()
    copied.eval()
    names = [name for name, _ in copied.named_modules() if name]
    if layer not in names:
        raise ValueError(f"choose one of {names}")
    found = []
    handle = copied.get_submodule(layer).register_forward_hook(
        lambda module, inputs, output: found.append(output.detach().numpy().ravel().copy())
    )
    for image in images:
        copied(image[None].double())
    handle.remove()
    return np.stack(found)


@exercise.alternative
def everything_behind_cut_off(network, images, layer):
    copied = deepcopy(network).eval()
    if layer == "" or layer not in dict(copied.named_modules()):
        raise ValueError("no such layer")
    x, place = images.clone(), copied
    with torch.no_grad():
        for name in layer.split("."):
            for other, part in place.named_children():
                if other == name:
                    place = part
                    break
                x = part(x)
        x = place(x)
    return x.reshape(len(images), -1).numpy()


@exercise.alternative
def modes_given_back(network, images, layer):
    layers = dict(network.named_modules())
    if not layer or layers.get(layer) is None:
        raise ValueError("no such layer")
    modes = {name: part.training for name, part in layers.items()}
    network.eval()
    outputs = []
    with (
        torch.no_grad(),
        layers[layer].register_forward_hook(lambda module, inputs, output: outputs.append(torch.clone(output))),
    ):
        network(images)
    for name, part in layers.items():
        part.training = modes[name]
    return torch.flatten(outputs[0], start_dim=1).cpu().numpy()
