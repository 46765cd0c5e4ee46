"""The exercise `parameter_groups`."""

from grader.exercises.transfer_learning.common import chapter

exercise = chapter.exercise(
    "parameter_groups",
    points=3,
    aspects={"the rates": 2, "what decays": 1, "frozen weights": 1, "refusals": 1},
    hints=("",),
)


@exercise.reference
def parameter_groups(network, head, learning_rate, factor=0.1, weight_decay=0.0, decay_biases=True):
    if not 0 < factor <= 1:
        raise ValueError(f"factor is {factor}; give one above 0 and up to 1, and freeze what is not to move")
    names = [name for name, weights in network.named_parameters() if weights.requires_grad]
    if not any(name.startswith(f"{head}.") for name in names):
        raise ValueError(f"no trainable weights belong to {head!r}; there are {', '.join(names)}")
    shapes = {name: weights.shape for name, weights in network.named_parameters()}
    groups = []
    for in_head in (False, True):
        for decays in (True, False):
            chosen = [
                name
                for name in names
                if name.startswith(f"{head}.") == in_head and (decay_biases or len(shapes[name]) > 1) == decays
            ]
            if chosen:
                rate = learning_rate if in_head else factor * learning_rate
                groups.append({"names": chosen, "lr": rate, "weight_decay": weight_decay if decays else 0.0})
    return groups
