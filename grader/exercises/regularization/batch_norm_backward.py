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
        "Let g be `gradient * gamma` and z the normalized activations. From g take its mean over the batch, and z "
        "times the mean of g * z; then divide by the root of variance plus epsilon.",
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


table = {
    "gradient": np.array([[4.0, -1.0], [0.0, 2.0], [1.0, 1.0]]),
    "activations": np.array([[1.0, 20.0], [3.0, -10.0], [8.0, 5.0]]),
    "gamma": np.array([2.0, 0.5]),
}
square = {
    "gradient": np.array([[4.0, -1.0], [0.5, 2.0]]),
    "activations": np.array([[1.0, 20.0], [4.0, -10.0]]),
    "gamma": np.array([-1.5, 3.0]),
}
# With gamma 0 nothing goes back to the activations, so that the other two gradients count.
exercise.case("gamma and beta", **table | {"gamma": np.zeros(2)}, epsilon=0.0)
exercise.case("gamma and beta", **square | {"gamma": np.zeros(2)}, epsilon=0.0)
exercise.case("activations", **table, epsilon=0.0)
exercise.case(
    "activations",
    gradient=np.array([[1.0], [-2.0], [0.5], [3.0], [1.0]]),
    activations=np.array([[4.0], [-3.0], [0.0], [9.0], [2.0]]),
    gamma=np.array([-3.0]),
    epsilon=0.0,
)
# The same gradient for all examples moves all of them alike, and the normalization takes that away.
exercise.case("activations", **table | {"gradient": np.ones((3, 2))}, epsilon=0.0)
exercise.case("activations", **{name: array[:1] for name, array in table.items()} | {"gamma": table["gamma"]})
exercise.case("epsilon", **table, epsilon=3.0)
exercise.case("epsilon", **square, epsilon=7.0)
# Channels that hardly vary, or not at all.
flat = {"activations": np.array([[1.001, 4.0], [1.002, 4.0], [1.006, 4.0]])}
exercise.case("epsilon", **table | flat)


def one_batch(rng, **settings):
    examples, channels = int(rng.integers(4, 9)), int(rng.integers(1, 5))
    offsets, sizes = rng.uniform(-5, 5, channels), rng.uniform(1, 4, channels)
    return {
        "gradient": numbers(rng, (examples, channels)),
        "activations": offsets + sizes * numbers(rng, (examples, channels)),
        "gamma": numbers(rng, channels),
        "epsilon": 0.0,
        **settings,
    }


@exercise.hidden("gamma and beta", count=3)
def by_gamma_and_beta(rng):
    drawn = one_batch(rng)
    return drawn | {"gamma": np.zeros_like(drawn["gamma"])}


@exercise.hidden("activations", count=5)
def by_all_three(rng):
    return one_batch(rng)


@exercise.hidden("epsilon", count=3)
def with_a_large_epsilon(rng):
    return one_batch(rng, epsilon=float(rng.uniform(1, 5)))


exercise.slip(
    "You treat mean and variance as if they were given. Both move with the activations, so two paths are missing: one "
    "through the mean, one through the variance.",
    name="both_paths_forgotten",
    right="by_normalized - through_mean - through_variance",
    wrong="by_normalized",
)
exercise.slip(
    "The path through the mean is there, the one through the variance is missing: an activation far from the mean "
    "stretches the variance, and that makes all outputs smaller.",
    name="path_through_the_variance_forgotten",
    right="by_normalized - through_mean - through_variance",
    wrong="by_normalized - through_mean",
)
exercise.slip(
    "The path through the variance is there, the one through the mean is missing: an activation that grows pulls the "
    "mean along, and all outputs fall a little.",
    name="path_through_the_mean_forgotten",
    right="by_normalized - through_mean - through_variance",
    wrong="by_normalized - through_variance",
)
exercise.slip(
    "Your path through the variance has the wrong sign. It takes away from the gradient, as that through the mean "
    "does.",
    name="variance_added",
    right="through_mean - through_variance",
    wrong="through_mean + through_variance",
)
exercise.slip(
    "Your two paths are n times too strong: sums over the batch, where means should be. Each example is but one n-th "
    "of the mean and of the variance.",
    name="sums_for_means",
    right="by_normalized.mean(axis=0)\n    through_variance = normalized * (by_normalized * normalized).mean(axis=0)",
    wrong="by_normalized.sum(axis=0)\n    through_variance = normalized * (by_normalized * normalized).sum(axis=0)",
)
exercise.slip(
    "gamma is missing on the way back to the activations. Forward, the normalized ones were multiplied by it.",
    name="gamma_forgotten",
    right="gradient * gamma",
    wrong="gradient",
)
exercise.slip(
    "You do not divide by the standard deviation on the way back. Forward, the distances from the mean were divided by "
    "it.",
    name="division_forgotten",
    right="(by_normalized - through_mean - through_variance) / std",
    wrong="(by_normalized - through_mean - through_variance)",
)
exercise.slip(
    "You divide by the variance on the way back. Forward, it was its root.",
    name="divided_by_the_variance",
    right="(by_normalized - through_mean - through_variance) / std",
    wrong="(by_normalized - through_mean - through_variance) / std**2",
)
exercise.slip(
    "You use the unbiased variance. Forward, the batch was normalized by the one that divides by n.",
    name="unbiased_variance",
    right="activations.var(axis=0)",
    wrong="activations.var(axis=0, ddof=1)",
)
exercise.slip(
    "Your gradient by gamma uses the activations as they came in. gamma was multiplied by the normalized ones.",
    name="gamma_by_raw_activations",
    right="(gradient * normalized).sum(axis=0)",
    wrong="(gradient * activations).sum(axis=0)",
)
exercise.slip(
    "Your gradients by gamma and beta have gamma in them as a factor. It belongs on the way back to the activations "
    "only: gamma and beta themselves meet the gradient of the outputs as it comes.",
    name="gamma_counted_twice",
    right="(gradient * normalized).sum(axis=0), gradient.sum(axis=0)",
    wrong="(by_normalized * normalized).sum(axis=0), by_normalized.sum(axis=0)",
)
exercise.slip(
    "Your gradients by gamma and beta are means over the batch. Each of them had a say in every example: add up. (The "
    "mean of the loss is in `gradient` already.)",
    name="means_for_gamma_and_beta",
    right="(gradient * normalized).sum(axis=0), gradient.sum(axis=0)",
    wrong="(gradient * normalized).mean(axis=0), gradient.mean(axis=0)",
)
exercise.slip(
    "Your gradients by gamma and beta still have one row per example. Each example has its say: add them up over the "
    "batch.",
    name="gamma_and_beta_not_summed",
    right="(gradient * normalized).sum(axis=0), gradient.sum(axis=0)",
    wrong="gradient * normalized, gradient",
)
exercise.slip(
    "Your gradients by gamma and by beta are swapped: after the activations comes gamma, then beta.",
    name="gamma_and_beta_swapped",
    right="(gradient * normalized).sum(axis=0), gradient.sum(axis=0)",
    wrong="gradient.sum(axis=0), (gradient * normalized).sum(axis=0)",
)
exercise.slip(
    "Your epsilon stands outside the root. It is added to the variance first.",
    name="epsilon_outside_the_root",
    right="np.sqrt(activations.var(axis=0) + epsilon)",
    wrong="(np.sqrt(activations.var(axis=0)) + epsilon)",
)
exercise.slip(
    "epsilon is missing: it is added to the variance before the root, as in the forward pass. Without it a channel "
    "that does not vary is divided by 0.",
    name="epsilon_left_out",
    right="np.sqrt(activations.var(axis=0) + epsilon)",
    wrong="np.sqrt(activations.var(axis=0))",
)
exercise.slip(
    "Your gradient by gamma is a mean over the batch. gamma had a say in every example: add up. (The mean of the loss "
    "is in `gradient` already.)",
    name="mean_for_gamma",
    right="(gradient * normalized).sum(axis=0)",
    wrong="(gradient * normalized).mean(axis=0)",
)
exercise.slip(
    "Your gradient by beta is a mean over the batch. beta had a say in every example: add up. (The mean of the loss is "
    "in `gradient` already.)",
    name="mean_for_beta",
    right=", gradient.sum(axis=0)",
    wrong=", gradient.mean(axis=0)",
)
exercise.slip(
    "Your path through the mean is n times too strong: a sum over the batch, where a mean should be. Each example is "
    "but one n-th of the mean.",
    name="sum_on_the_path_through_the_mean",
    right="through_mean = by_normalized.mean(axis=0)",
    wrong="through_mean = by_normalized.sum(axis=0)",
)
exercise.slip(
    "Your path through the variance is n times too strong: a sum over the batch, where a mean should be. Each example "
    "is but one n-th of the variance.",
    name="sum_on_the_path_through_the_variance",
    right="(by_normalized * normalized).mean(axis=0)",
    wrong="(by_normalized * normalized).sum(axis=0)",
)


@exercise.mistake(
    "Your axes are those of layer normalization: you average over the channels of each example. Here it is over the "
    "examples of each channel, axis 0."
)
def over_the_channels(gradient, activations, gamma, epsilon=1e-5):
    if len(activations) < 2:
        raise ValueError("no variance")
    std = np.sqrt(activations.var(axis=1, keepdims=True) + epsilon)
    normalized = (activations - activations.mean(axis=1, keepdims=True)) / std
    by_normalized = gradient * gamma
    through_mean = by_normalized.mean(axis=1, keepdims=True)
    through_variance = normalized * (by_normalized * normalized).mean(axis=1, keepdims=True)
    by_activations = (by_normalized - through_mean - through_variance) / std
    return by_activations, (gradient * normalized).sum(axis=0), gradient.sum(axis=0)


exercise.slip(
    "A batch of one goes through. It has no variance, and forward it was refused: refuse it here too, with a "
    "ValueError.",
    name="batch_of_one_let_through",
    right="if len(activations) < 2:",
    wrong="if len(activations) < 1:",
)


@exercise.mistake(
    "The numbers are right, but `*=` writes into `gradient`, which belongs to whoever calls you. Make a new array."
)
def in_place(gradient, activations, gamma, epsilon=1e-5):
    if len(activations) < 2:
        raise ValueError("no variance")
    std = np.sqrt(activations.var(axis=0) + epsilon)
    normalized = (activations - activations.mean(axis=0)) / std
    by_gamma, by_beta = (gradient * normalized).sum(axis=0), gradient.sum(axis=0)
    gradient *= gamma
    gradient -= gradient.mean(axis=0) + normalized * (gradient * normalized).mean(axis=0)
    return gradient / std, by_gamma, by_beta


@exercise.alternative
def path_by_path(gradient, activations, gamma, epsilon=1e-5):
    count = activations.shape[0]
    if count <= 1:
        raise ValueError("a batch needs two examples")
    distances = activations - activations.sum(axis=0) / count
    variance = (distances**2).sum(axis=0) / count
    by_normalized = gradient * gamma
    by_variance = (by_normalized * distances).sum(axis=0) * -0.5 * (variance + epsilon) ** -1.5
    by_mean = -by_normalized.sum(axis=0) / np.sqrt(variance + epsilon) - 2 * by_variance * distances.mean(axis=0)
    direct = by_normalized / np.sqrt(variance + epsilon)
    by_gamma = np.einsum("nc,nc->c", gradient, distances) / np.sqrt(variance + epsilon)
    return [direct + by_variance * 2 * distances / count + by_mean / count, by_gamma, gradient.sum(axis=0)]


@exercise.alternative
def by_the_matrix_of_all_derivatives(gradient, activations, gamma, epsilon=1e-5):
    count, channels = activations.shape
    if count < 2:
        raise ValueError(count)
    by_activations = np.zeros((count, channels))
    by_gamma, by_beta = np.zeros(channels), np.zeros(channels)
    for channel in range(channels):
        values, slopes = activations[:, channel], gradient[:, channel]
        std = (np.var(values) + epsilon) ** 0.5
        z = (values - np.mean(values)) / std
        jacobian = (np.eye(count) - 1 / count - np.outer(z, z) / count) / std
        by_activations[:, channel] = gamma[channel] * (jacobian @ slopes)
        by_gamma[channel], by_beta[channel] = slopes @ z, sum(slopes)
    return by_activations, by_gamma, by_beta
