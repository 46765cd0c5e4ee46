"""The exercise `replace_head`."""

from copy import deepcopy

from torch import nn

from grader.exercises.transfer_learning.common import chapter

exercise = chapter.exercise(
    "replace_head",
    points=2,
    aspects={"the new head": 1, "the rest as it was": 1, "a head inside another layer": 1, "refusals": 1},
    hints=("",),
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
