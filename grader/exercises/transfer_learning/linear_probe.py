"""The exercise `linear_probe`."""

import numpy as np

from grader.exercises.transfer_learning.common import SINGLE_PRECISION, chapter

exercise = chapter.exercise(
    "linear_probe",
    points=3,
    aspects={"the scores": 2, "centred features": 1, "more features than examples": 1, "refusals": 1},
    hints=("",),
    tolerance=SINGLE_PRECISION,
)


@exercise.reference
def linear_probe(features, labels, new_features, classes, penalty=1.0):
    for label in range(classes):
        if label not in labels:
            raise ValueError(f"class {label} has no example among the {len(labels)}; add some, or leave it out")
    if penalty <= 0:
        raise ValueError(f"with the penalty {penalty} there may be no single best answer; it must be above 0")
    mean = features.mean(axis=0)
    centred = features - mean
    targets = np.eye(classes)[labels]
    shares = targets.mean(axis=0)
    products = centred.T @ centred + penalty * np.eye(features.shape[1])
    weights = np.linalg.solve(products, centred.T @ (targets - shares))
    return (new_features - mean) @ weights + shares
