"""The exercise `extract_features`."""

from copy import deepcopy

import torch

from grader.exercises.transfer_learning.common import SINGLE_PRECISION, chapter

exercise = chapter.exercise(
    "extract_features",
    points=3,
    aspects={"the features": 2, "evaluation mode": 1, "in-place layers": 1, "a layer that is not there": 1},
    hints=("",),
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
