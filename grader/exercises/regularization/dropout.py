"""The exercise `dropout`."""

import numpy as np

from grader.exercises.regularization.common import SINGLE_PRECISION, any_shape, chapter, numbers

exercise = chapter.exercise(
    "dropout",
    points=2,
    aspects={"training": 2, "evaluation": 1, "rate 0 and rate 1": 1},
    hints=(
        "Compare each draw with the rate: you get True where the activation is kept. What share of the draws is that, "
        "on average?",
        "The share that is kept is 1 - rate, and the activations that are kept are divided by it, in training only. "
        "With rate 1 nothing is kept: think of that before you divide.",
        "`np.where(uniform < rate, 0.0, ...)` chooses entry by entry. Deal with evaluation and with rate 1 in lines of "
        "their own, and refuse other rates before everything else.",
    ),
    tolerance=SINGLE_PRECISION,
)


@exercise.reference
def dropout(activations, uniform, rate, training=True):
    if not 0 <= rate <= 1:
        raise ValueError(f"rate is {rate}, and the share that is dropped lies between 0 and 1")
    if not training:
        return activations
    if rate == 1:
        return np.zeros_like(activations)
    return np.where(uniform < rate, 0.0, activations / (1 - rate))


exercise.case("training", activations=np.array([1.0, 2.0, 3.0]), uniform=np.array([0.9, 0.1, 0.5]), rate=0.2)
