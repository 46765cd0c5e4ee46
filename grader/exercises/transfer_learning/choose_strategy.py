"""The exercise `choose_strategy`."""

import numpy as np

from grader.exercises.transfer_learning.common import chapter

exercise = chapter.exercise(
    "choose_strategy",
    points=3,
    aspects={"as good as the best": 2, "the cheapest": 1, "ties": 1, "refusals": 1},
    hints=("",),
)


@exercise.reference
def choose_strategy(accuracies, trainable):
    runs = {len(values) for values in accuracies.values()}
    if len(runs) != 1 or min(runs) < 2:
        raise ValueError(f"the strategies were run {sorted(runs)} times; run each on the same seeds, at least 2")
    ranking = sorted(accuracies, key=lambda name: (-accuracies[name].mean(), trainable[name]))
    good_enough = []
    for name in ranking:
        behind = accuracies[ranking[0]] - accuracies[name]
        if behind.mean() <= behind.std(ddof=1) / np.sqrt(len(behind)):
            good_enough.append(name)
    return min(good_enough, key=lambda name: trainable[name])
