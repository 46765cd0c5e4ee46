"""The exercise `freeze_backbone`."""

from copy import deepcopy

from grader.exercises.transfer_learning.common import chapter

exercise = chapter.exercise(
    "freeze_backbone",
    points=2,
    aspects={"the weights": 1, "the statistics": 1, "any head": 1, "a head that is not there": 1},
    hints=("",),
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
