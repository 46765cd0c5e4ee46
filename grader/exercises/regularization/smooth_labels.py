"""The exercise `smooth_labels`."""

import numpy as np

from grader.exercises.regularization.common import SINGLE_PRECISION, chapter

exercise = chapter.exercise(
    "smooth_labels",
    points=1,
    aspects={"smoothed": 2, "no smoothing and full smoothing": 1, "labels that are no class": 1},
    hints=(
        "Every entry of a row gets the same small share. How much is it, and what does the label's class get besides?",
        "The small share is `smoothing / classes`. On top of it, the label's class gets 1 - smoothing.",
        "`np.full((n, classes), smoothing / classes)` is the table of small shares, and "
        "`table[np.arange(n), labels] += ...` reaches one entry in each row. A label of -1 would reach the last class: "
        "look at the labels first.",
    ),
    tolerance=SINGLE_PRECISION,
)


@exercise.reference
def smooth_labels(labels, classes, smoothing):
    if not 0 <= smoothing <= 1:
        raise ValueError(f"smoothing is {smoothing}, and it is a share: give a number from 0 to 1")
    if np.any((labels < 0) | (labels >= classes)):
        raise ValueError(f"labels {np.unique(labels)} are not all from 0 to {classes - 1}: look for a missing class")
    smoothed = np.full((len(labels), classes), smoothing / classes)
    smoothed[np.arange(len(labels)), labels] += 1 - smoothing
    return smoothed


exercise.case("smoothed", labels=np.array([2, 0]), classes=4, smoothing=0.5)
