"""The exercise `batch_norm`."""

import numpy as np

from grader.exercises.regularization.common import SINGLE_PRECISION, chapter, numbers

exercise = chapter.exercise(
    "batch_norm",
    points=4,
    aspects={"training": 2, "running statistics": 2, "evaluation": 1, "images": 2, "batch of one": 1},
    hints=(
        "Two cases, training and evaluation, that differ in where mean and variance come from and in what is returned "
        "beside the output. The formula of the output is one and the same.",
        "The axes to average over are all but axis 1. `mean`, `var` and gamma have shape (channels,): give them axes of "
        "length 1, so that they stand beside axis 1 of the activations and not beside the last.",
        "`m = activations.size // channels` values belong to a channel, and the unbiased variance is the other one "
        "times m / (m - 1). The momentum is the weight of what is new. Refuse m < 2 in training only.",
    ),
    tolerance=SINGLE_PRECISION,
)


@exercise.reference
def batch_norm(activations, gamma, beta, running_mean, running_variance, training=True, momentum=0.1, epsilon=1e-5):
    axes = (0, *range(2, activations.ndim))
    beside = (1, -1, *[1] * (activations.ndim - 2))  # the shape in which a row of channels stands beside axis 1
    mean, variance = running_mean, running_variance
    if training:
        count = activations.size // len(gamma)
        if count < 2:
            raise ValueError(f"each channel has {count} values, and a variance needs 2: give a larger batch")
        mean, variance = activations.mean(axis=axes), activations.var(axis=axes)
        running_mean = (1 - momentum) * running_mean + momentum * mean
        running_variance = (1 - momentum) * running_variance + momentum * variance * count / (count - 1)
    normalized = (activations - mean.reshape(beside)) / np.sqrt(variance.reshape(beside) + epsilon)
    return gamma.reshape(beside) * normalized + beta.reshape(beside), running_mean, running_variance


exercise.case(
    "training",
    activations=np.array([[1.0, 2.0], [3.0, 6.0], [5.0, -2.0]]),
    gamma=np.array([2.0, 0.5]),
    beta=np.array([1.0, -3.0]),
    running_mean=np.array([0.5, 2.0]),
    running_variance=np.array([1.0, 4.0]),
)
