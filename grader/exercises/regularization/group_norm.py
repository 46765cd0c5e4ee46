"""The exercise `group_norm`."""

import numpy as np

from grader.exercises.regularization.common import SINGLE_PRECISION, chapter, numbers

exercise = chapter.exercise(
    "group_norm",
    points=3,
    aspects={"groups": 2, "layer and instance": 1, "images": 2, "groups that do not divide": 0.5},
    hints=(
        "All values that are normalized together should stand in one row. Which shape of the array puts them there?",
        "Reshaped to (n, groups, the rest), each group of each example is one row: mean and variance along the last "
        "axis. Then back to the shape that it had.",
        "`rows = activations.reshape(len(activations), groups, -1)`, statistics with `axis=2, keepdims=True`. gamma and "
        "beta have one entry per channel: reshape them to (channels, 1, ...) with as many 1s as there are axes behind.",
    ),
    tolerance=SINGLE_PRECISION,
)


@exercise.reference
def group_norm(activations, groups, gamma, beta, epsilon=1e-5):
    channels = activations.shape[1]
    if groups < 1 or channels % groups:
        raise ValueError(f"{channels} channels cannot be cut into {groups} groups of one size: give a divisor")
    rows = activations.reshape(len(activations), groups, -1)
    mean, variance = rows.mean(axis=2, keepdims=True), rows.var(axis=2, keepdims=True)
    normalized = ((rows - mean) / np.sqrt(variance + epsilon)).reshape(activations.shape)
    beside = (channels, *[1] * (activations.ndim - 2))
    return gamma.reshape(beside) * normalized + beta.reshape(beside)


exercise.case(
    "groups",
    activations=np.array([[1.0, 3.0, 10.0, 30.0], [2.0, -2.0, 5.0, 6.0]]),
    groups=2,
    gamma=np.array([1.0, 2.0, 0.5, -1.0]),
    beta=np.array([0.0, 1.0, -1.0, 3.0]),
)
