"""The exercise `unfreeze_schedule`."""

from grader.exercises.transfer_learning.common import chapter

exercise = chapter.exercise(
    "unfreeze_schedule",
    points=2,
    aspects={"one layer after the other": 2, "warm-up": 1, "all layers": 1, "refusals": 1},
    hints=("",),
)


@exercise.reference
def unfreeze_schedule(layers, epochs, warm_up=1, every=1):
    if not layers:
        raise ValueError("there are no layers to unfreeze; give their names, from the input to the head")
    if every < 1:
        raise ValueError(f"every is {every}; the next layer can follow after 1 epoch at the earliest")
    schedule = []
    for epoch in range(epochs):
        joined = 1 + (epoch - warm_up) // every if epoch >= warm_up else 0
        trainable = min(1 + joined, len(layers))
        schedule.append(layers[len(layers) - trainable :])
    return schedule
