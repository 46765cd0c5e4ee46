"""The exercise `soft_threshold`."""

import numpy as np

from grader.exercises.regularization.common import SINGLE_PRECISION, any_shape, chapter, numbers

exercise = chapter.exercise(
    "soft_threshold",
    points=1,
    aspects={"large weights": 1, "small weights": 2, "any shape": 1},
    hints=(
        "Draw it: weights along one axis, results along the other. The line has three pieces. Where do they meet?",
        "Above the threshold subtract it, below its negative add it, between the two put 0. Or: what happens to the "
        "size of a weight, and what to its sign?",
        "The new size is `np.abs(weights) - threshold`, but never less than 0: `np.maximum`. Multiply it by the sign.",
    ),
    tolerance=SINGLE_PRECISION,
)


@exercise.reference
def soft_threshold(weights, threshold):
    if threshold < 0:
        raise ValueError(f"threshold is {threshold}, and the weights would grow: give 0 or more")
    return np.sign(weights) * np.maximum(np.abs(weights) - threshold, 0)


exercise.case("large weights", weights=np.array([3.0, 1.25, -2.0, -5.0]), threshold=0.5)
