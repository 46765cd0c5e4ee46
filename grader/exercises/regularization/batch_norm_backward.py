"""The exercise `batch_norm_backward`."""

import numpy as np

from grader.exercises.regularization.common import SINGLE_PRECISION, chapter, numbers

exercise = chapter.exercise(
    "batch_norm_backward",
    points=4,
    aspects={"gamma and beta": 1, "activations": 3, "epsilon": 1},
    hints=(
        "Compute the forward pass again first: mean, variance, normalized activations. gamma and beta are easy then: "
        "each adds up what it is multiplied by, over the batch.",
        "Go back along three paths from `by_normalized = gradient * gamma`. What remains of it, divided by the "
        "standard deviation, no longer has a mean, nor a part along the normalized activations.",
        "Let g be `gradient * gamma` and z the normalized activations. From g take its mean over the batch, and z times "
        "the mean of g * z; then divide by the root of variance plus epsilon.",
    ),
    tolerance=SINGLE_PRECISION,
)


@exercise.reference
def batch_norm_backward(gradient, activations, gamma, epsilon=1e-5):
    if len(activations) < 2:
        raise ValueError(f"a batch of {len(activations)} has no variance: give 2 examples or more")
    std = np.sqrt(activations.var(axis=0) + epsilon)
    normalized = (activations - activations.mean(axis=0)) / std
    by_normalized = gradient * gamma
    through_mean = by_normalized.mean(axis=0)
    through_variance = normalized * (by_normalized * normalized).mean(axis=0)
    by_activations = (by_normalized - through_mean - through_variance) / std
    return by_activations, (gradient * normalized).sum(axis=0), gradient.sum(axis=0)


exercise.case(
    "activations",
    gradient=np.array([[4.0, -1.0], [0.0, 2.0], [1.0, 1.0]]),
    activations=np.array([[1.0, 2.0], [3.0, 6.0], [8.0, -2.0]]),
    gamma=np.array([2.0, 0.5]),
)
