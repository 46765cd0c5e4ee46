"""The exercise `batch_norm`."""

import numpy as np

from grader.exercises.regularization.common import SINGLE_PRECISION, chapter, numbers

exercise = chapter.exercise(
    "batch_norm",
    points=4,
    aspects={"training": 2, "running statistics": 2, "evaluation": 1, "images": 2, "epsilon": 1, "batch of one": 1},
    hints=(
        "Two cases, training and evaluation, that differ in where mean and variance come from and in what is returned "
        "beside the output. The formula of the output is one and the same.",
        "The axes to average over are all but axis 1. `mean`, `var` and gamma have shape (channels,): give them axes "
        "of length 1, so that they stand beside axis 1 of the activations and not beside the last.",
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


table = {
    "activations": np.array([[1.0, 20.0], [3.0, -10.0], [8.0, 5.0]]),
    "gamma": np.array([2.0, 0.5]),
    "beta": np.array([1.0, -3.0]),
    "running_mean": np.array([0.5, 2.0]),
    "running_variance": np.array([4.0, 9.0]),
}
# As many channels as examples: axes taken for one another have the right shape.
square = table | {"activations": np.array([[1.0, 20.0], [4.0, -10.0]])}
# As many channels as columns: what stands beside the last axis has the right shape.
images = table | {
    "activations": np.array(
        [
            [[[1.0, 2.0], [3.0, -4.0]], [[10.0, 20.0], [-30.0, 15.0]]],
            [[[5.0, -2.0], [0.5, 8.0]], [[0.0, 25.0], [12.0, -8.0]]],
        ]
    )
}
series = table | {"activations": np.array([[[1.0, 2.0, 7.0], [-4.0, 4.0, 6.0]], [[5.0, -2.0, 9.0], [0.0, 3.0, -5.0]]])}
one_row = table | {"activations": np.array([[1.0, 20.0]])}
one_image = table | {"activations": images["activations"][:1]}

# With momentum 0 the running statistics stay as they are, so that only the output counts.
exercise.case("training", **table, momentum=0.0, epsilon=0.0)
exercise.case("training", **square, training=True, momentum=0.0, epsilon=0.0)
exercise.case("running statistics", **table, momentum=0.25, epsilon=0.0)
exercise.case("running statistics", **series, momentum=0.75, epsilon=0.0)
exercise.case("running statistics", **square, epsilon=0.0)
exercise.case("evaluation", **table, training=False, epsilon=0.0)
exercise.case("evaluation", **one_image, training=False, momentum=0.25, epsilon=0.0)
exercise.case("images", **images, momentum=0.0, epsilon=0.0)
exercise.case("images", **series, momentum=0.0, epsilon=0.0)
exercise.case("epsilon", **table, momentum=0.0, epsilon=3.0)
exercise.case("epsilon", **table, training=False, epsilon=7.0)
# A channel that hardly varies, and one that does not vary at all.
flat = table | {"activations": np.array([[1.001, 4.0], [1.002, 4.0], [1.006, 4.0]])}
exercise.case("epsilon", **flat, momentum=0.0)
exercise.case("batch of one", **one_row)
exercise.case("batch of one", **table | {"activations": np.array([[[1.0], [20.0]]])}, momentum=0.0, epsilon=0.0)
exercise.case("batch of one", **one_row, training=False, epsilon=0.0)
exercise.case("batch of one", **one_image, momentum=0.0, epsilon=0.0)


def one_batch(rng, shape, **settings):
    """Activations that vary by much in every channel, and settings under which epsilon does nothing."""
    channels = shape[1]
    offsets, sizes = rng.uniform(-5, 5, channels), rng.uniform(1, 4, channels)
    beside = (1, -1, *[1] * (len(shape) - 2))
    return {
        "activations": offsets.reshape(beside) + sizes.reshape(beside) * numbers(rng, shape),
        "gamma": numbers(rng, channels),
        "beta": numbers(rng, channels),
        "running_mean": numbers(rng, channels),
        "running_variance": rng.uniform(2, 9, channels),
        "epsilon": 0.0,
        **settings,
    }


def image_shape(rng):
    sizes = rng.integers(2, 5, 4)
    return tuple(int(size) for size in (sizes if rng.uniform() < 0.6 else sizes[:3]))


@exercise.hidden("training", count=3)
def in_training(rng):
    return one_batch(rng, (int(rng.integers(3, 9)), int(rng.integers(1, 5))), momentum=0.0)


@exercise.hidden("running statistics", count=4)
def over_rows_or_images(rng):
    shape = image_shape(rng) if rng.uniform() < 0.5 else (int(rng.integers(3, 9)), 3)
    return one_batch(rng, shape, momentum=float(rng.uniform(0.1, 0.4)))


@exercise.hidden("evaluation", count=3)
def in_evaluation(rng):
    shape = image_shape(rng) if rng.uniform() < 0.5 else (int(rng.integers(3, 9)), 3)
    return one_batch(rng, shape, training=False)


@exercise.hidden("images", count=4)
def of_images(rng):
    return one_batch(rng, image_shape(rng), momentum=0.0)


@exercise.hidden("epsilon", count=3)
def with_a_large_epsilon(rng):
    shape = (int(rng.integers(3, 9)), 3)
    return one_batch(rng, shape, momentum=0.0, epsilon=float(rng.uniform(0.5, 5)), training=bool(rng.integers(2)))


@exercise.hidden("batch of one", count=3)
def one_example(rng):
    shape = (1, 3) if rng.uniform() < 0.7 else (1, 3, 4)
    return one_batch(rng, shape, momentum=0.0, training=bool(rng.integers(2)))


exercise.slip(
    "Your output is right. Your running variance takes in the batch's biased one, which is a little too small, the "
    "more so the smaller the batch. What is kept for evaluation is the unbiased one: divide by m - 1.",
    name="running_variance_biased",
    right="variance * count / (count - 1)",
    wrong="variance",
)
exercise.slip(
    "Your output is a little too small: you normalize by the unbiased variance. That one is for the running "
    "statistics; the batch itself is normalized by its own, which divides by m.",
    name="normalized_by_the_unbiased_variance",
    right="np.sqrt(variance.reshape(beside) + epsilon)",
    wrong="np.sqrt((variance * count / (count - 1) if training else variance).reshape(beside) + epsilon)",
)


@exercise.mistake(
    "Your momentum is the wrong way round: it is the weight of what is *new*. (In the optimizers of Chapter 4 it is "
    "the weight of what was. Both are called so, alas.)"
)
def momentum_the_wrong_way_round(
    activations, gamma, beta, running_mean, running_variance, training=True, momentum=0.1, epsilon=1e-5
):
    axes = (0, *range(2, activations.ndim))
    beside = (1, -1, *[1] * (activations.ndim - 2))
    mean, variance = running_mean, running_variance
    if training:
        count = activations.size // len(gamma)
        if count < 2:
            raise ValueError("too few values")
        mean, variance = activations.mean(axis=axes), activations.var(axis=axes)
        running_mean = momentum * running_mean + (1 - momentum) * mean
        running_variance = momentum * running_variance + (1 - momentum) * variance * count / (count - 1)
    normalized = (activations - mean.reshape(beside)) / np.sqrt(variance.reshape(beside) + epsilon)
    return gamma.reshape(beside) * normalized + beta.reshape(beside), running_mean, running_variance


exercise.slip(
    "Your epsilon stands outside the root. It is added to the variance, and the root is taken of both. The default is "
    "so small that it shows only where a channel hardly varies.",
    name="epsilon_outside_the_root",
    right="np.sqrt(variance.reshape(beside) + epsilon)",
    wrong="(np.sqrt(variance.reshape(beside)) + epsilon)",
)
exercise.slip(
    "epsilon is missing: it is added to the variance, and the root is taken of both. Without it a channel that does "
    "not vary becomes 0 / 0, NaN.",
    name="epsilon_left_out",
    right="np.sqrt(variance.reshape(beside) + epsilon)",
    wrong="np.sqrt(variance.reshape(beside))",
)
exercise.slip(
    "You divide by the variance. Divided by its root, the channel has variance 1 afterwards.",
    name="root_forgotten",
    right="np.sqrt(variance.reshape(beside) + epsilon)",
    wrong="(variance.reshape(beside) + epsilon)",
)


@exercise.mistake(
    "You normalize each example by itself, over its channels. That is layer normalization. Here it is each channel, "
    "over all examples."
)
def each_example_by_itself(
    activations, gamma, beta, running_mean, running_variance, training=True, momentum=0.1, epsilon=1e-5
):
    axes = tuple(range(1, activations.ndim))
    beside = (1, -1, *[1] * (activations.ndim - 2))
    if training:
        count = activations.size // len(gamma)
        if count < 2:
            raise ValueError("too few values")
        mean, variance = activations.mean(axis=axes, keepdims=True), activations.var(axis=axes, keepdims=True)
        running_mean = (1 - momentum) * running_mean + momentum * mean.mean()
        running_variance = (1 - momentum) * running_variance + momentum * variance.mean() * count / (count - 1)
    else:
        mean, variance = running_mean.reshape(beside), running_variance.reshape(beside)
    normalized = (activations - mean) / np.sqrt(variance + epsilon)
    return gamma.reshape(beside) * normalized + beta.reshape(beside), running_mean, running_variance


exercise.slip(
    "Tables are right. In images each place of a channel has statistics of its own: you average over the examples "
    "only. A channel is the same filter everywhere, so its places belong together.",
    name="each_place_by_itself",
    right="(activations - mean.reshape(beside)) / np.sqrt(variance.reshape(beside) + epsilon)",
    wrong="(\n        (activations - activations.mean(axis=0)) / np.sqrt(activations.var(axis=0) + epsilon)\n"
    "        if training\n"
    "        else (activations - mean.reshape(beside)) / np.sqrt(variance.reshape(beside) + epsilon)\n    )",
)
exercise.slip(
    "Tables are right. In images gamma and beta stand beside the last axis, the columns; give them axes of length 1, "
    "so that they stand beside axis 1.",
    name="gamma_beside_the_last_axis",
    right="gamma.reshape(beside) * normalized + beta.reshape(beside)",
    wrong="gamma * normalized + beta",
)
exercise.slip(
    "Your unbiased variance is right for tables. In images a channel has examples times places values: m counts them "
    "all, and you count the examples only.",
    name="examples_counted_for_values",
    right="variance * count / (count - 1)",
    wrong="variance * len(activations) / np.float64(len(activations) - 1)",
)
exercise.slip(
    "In evaluation you normalize by the batch's own statistics, so what is said of one image depends on which others "
    "are looked at with it. Use the running ones.",
    name="batch_statistics_in_evaluation",
    right="np.sqrt(variance.reshape(beside) + epsilon)\n",
    wrong="np.sqrt(variance.reshape(beside) + epsilon)\n"
    "    if not training:\n"
    "        mean, variance = activations.mean(axis=axes, keepdims=True), activations.var(axis=axes, keepdims=True)\n"
    "        normalized = (activations - mean) / np.sqrt(variance + epsilon)\n",
)
exercise.slip(
    "In training you normalize by the running statistics. They are for evaluation, and in training the batch's own "
    "count; otherwise no gradient could go through them.",
    name="running_statistics_in_training",
    right="    normalized =",
    wrong="    mean, variance = running_mean, running_variance\n    normalized =",
)
exercise.slip(
    "Your running statistics never change. In training, each takes in a little of the batch's.",
    name="running_statistics_left_alone",
    right="        running_mean = (1 - momentum) * running_mean + momentum * mean\n"
    "        running_variance = (1 - momentum) * running_variance + momentum * variance * count / (count - 1)\n",
    wrong="",
)
exercise.slip(
    "You bring the running statistics up to date in evaluation too. Then a test would change the network; they stay as "
    "they are.",
    name="evaluation_changes_them",
    right="    normalized =",
    wrong="    if not training and activations.size > len(gamma):\n"
    "        running_mean = (1 - momentum) * mean + momentum * activations.mean(axis=axes)\n"
    "        running_variance = (1 - momentum) * variance + momentum * activations.var(axis=axes, ddof=1)\n"
    "    normalized =",
)
exercise.slip(
    "Your running variance takes in the standard deviation. It is a variance; the root comes later.",
    name="running_standard_deviation",
    right="variance * count / (count - 1)",
    wrong="np.sqrt(variance * count / (count - 1))",
)
exercise.slip(
    "Your output has mean 0 and variance 1 in each channel. gamma and beta are missing: multiply by one and add the "
    "other.",
    name="gamma_and_beta_left_out",
    right="gamma.reshape(beside) * normalized + beta.reshape(beside)",
    wrong="normalized",
)
exercise.slip(
    "gamma is missing: multiply the normalized values by it, channel by channel, before you add beta.",
    name="gamma_left_out",
    right="gamma.reshape(beside) * normalized + beta.reshape(beside)",
    wrong="normalized + beta.reshape(beside)",
)
exercise.slip(
    "beta is missing: add it, channel by channel, after you have multiplied by gamma.",
    name="beta_left_out",
    right="gamma.reshape(beside) * normalized + beta.reshape(beside)",
    wrong="gamma.reshape(beside) * normalized",
)
exercise.slip(
    "gamma and beta are swapped: gamma multiplies, beta is added.",
    name="gamma_and_beta_swapped",
    right="gamma.reshape(beside) * normalized + beta.reshape(beside)",
    wrong="beta.reshape(beside) * normalized + gamma.reshape(beside)",
)
exercise.slip(
    "Your two running statistics come back in the wrong order: the mean first, then the variance.",
    name="running_statistics_swapped",
    right="beta.reshape(beside), running_mean, running_variance",
    wrong="beta.reshape(beside), running_variance, running_mean",
)
exercise.slip(
    "These are the outputs only. The next batch and the evaluation need the running statistics as well: return all "
    "three.",
    name="output_only",
    right="beta.reshape(beside), running_mean, running_variance",
    wrong="beta.reshape(beside)",
)
exercise.slip(
    "A batch of one goes through in training. Its variance is 0, so every output is beta whatever the input was, and "
    "an unbiased variance of one value does not exist. Refuse it with a ValueError.",
    name="batch_of_one_let_through",
    right="        if count < 2:\n"
    '            raise ValueError(f"each channel has {count} values, and a variance needs 2: give a larger batch")\n',
    wrong="        count = max(count, 2)\n",
)
exercise.slip(
    "You refuse a batch of one in evaluation. There the running statistics are used, and one example is enough.",
    name="batch_of_one_refused_in_evaluation",
    right="    if training:\n",
    wrong='    if activations.size == len(gamma):\n        raise ValueError("one value")\n    if training:\n',
)
exercise.slip(
    "You refuse a single image in training. Its channels have as many values as places, and that is enough for a "
    "variance: count values, not examples.",
    name="single_image_refused",
    right="if count < 2:",
    wrong="if len(activations) < 2:",
)


@exercise.mistake(
    "Two things about the running statistics. The momentum is the weight of what is *new*. And the running variance "
    "takes in the batch's unbiased one, divided by m - 1, where yours is divided by m."
)
def the_wrong_way_round_and_biased(
    activations, gamma, beta, running_mean, running_variance, training=True, momentum=0.1, epsilon=1e-5
):
    axes = (0, *range(2, activations.ndim))
    beside = (1, -1, *[1] * (activations.ndim - 2))
    mean, variance = running_mean, running_variance
    if training:
        if activations.size // len(gamma) < 2:
            raise ValueError("too few values")
        mean, variance = activations.mean(axis=axes), activations.var(axis=axes)
        running_mean = momentum * running_mean + (1 - momentum) * mean
        running_variance = momentum * running_variance + (1 - momentum) * variance
    normalized = (activations - mean.reshape(beside)) / np.sqrt(variance.reshape(beside) + epsilon)
    return gamma.reshape(beside) * normalized + beta.reshape(beside), running_mean, running_variance


@exercise.mistake(
    "Your output is right for tables. For images, average over all axes but axis 1, and let everything stand beside "
    "that axis. The running variance takes in the unbiased variance, divided by m - 1. And a batch of one is to be "
    "refused in training."
)
def tables_only_and_biased(
    activations, gamma, beta, running_mean, running_variance, training=True, momentum=0.1, epsilon=1e-5
):
    mean, variance = running_mean, running_variance
    if training:
        mean, variance = activations.mean(axis=0), activations.var(axis=0)
        running_mean = (1 - momentum) * running_mean + momentum * mean
        running_variance = (1 - momentum) * running_variance + momentum * variance
    normalized = (activations - mean) / np.sqrt(variance + epsilon)
    return gamma * normalized + beta, running_mean, running_variance


@exercise.mistake(
    "Your output is right for tables. For images, average over all axes but axis 1, and let everything stand beside "
    "that axis. In the running statistics the momentum is the weight of what is *new*, and the variance the unbiased "
    "one, divided by m - 1. And a batch of one is to be refused in training."
)
def tables_only_the_wrong_way_round_and_biased(
    activations, gamma, beta, running_mean, running_variance, training=True, momentum=0.1, epsilon=1e-5
):
    mean, variance = running_mean, running_variance
    if training:
        mean, variance = activations.mean(axis=0), activations.var(axis=0)
        running_mean = momentum * running_mean + (1 - momentum) * mean
        running_variance = momentum * running_variance + (1 - momentum) * variance
    normalized = (activations - mean) / np.sqrt(variance + epsilon)
    return gamma * normalized + beta, running_mean, running_variance


@exercise.mistake(
    "Tables are right. For images, average over all axes but axis 1, and let mean, variance, gamma and beta stand "
    "beside that axis. And a batch of one is to be refused in training: it has no variance."
)
def tables_only_nothing_refused(
    activations, gamma, beta, running_mean, running_variance, training=True, momentum=0.1, epsilon=1e-5
):
    mean, variance = running_mean, running_variance
    if training:
        mean, variance = activations.mean(axis=0), activations.var(axis=0)
        running_mean = (1 - momentum) * running_mean + momentum * mean
        running_variance = (1 - momentum) * running_variance + momentum * activations.var(axis=0, ddof=1)
    normalized = (activations - mean) / np.sqrt(variance + epsilon)
    return gamma * normalized + beta, running_mean, running_variance


@exercise.mistake(
    "Tables are right. Images have more axes: you average over the examples only, and mean, variance, gamma and beta "
    "stand beside the last axis. A channel is axis 1, with all places of all examples in it."
)
def tables_only(activations, gamma, beta, running_mean, running_variance, training=True, momentum=0.1, epsilon=1e-5):
    mean, variance = running_mean, running_variance
    if training:
        if len(activations) < 2:
            raise ValueError("no variance")
        mean, variance = activations.mean(axis=0), activations.var(axis=0)
        running_mean = (1 - momentum) * running_mean + momentum * mean
        running_variance = (1 - momentum) * running_variance + momentum * activations.var(axis=0, ddof=1)
    normalized = (activations - mean) / np.sqrt(variance + epsilon)
    return gamma * normalized + beta, running_mean, running_variance


@exercise.mistake(
    "The numbers are right, but `*=` and `+=` write into the running statistics, which belong to whoever calls you. "
    "Make new arrays."
)
def in_place(activations, gamma, beta, running_mean, running_variance, training=True, momentum=0.1, epsilon=1e-5):
    axes = (0, *range(2, activations.ndim))
    beside = (1, -1, *[1] * (activations.ndim - 2))
    mean, variance = running_mean, running_variance
    if training:
        count = activations.size // len(gamma)
        if count < 2:
            raise ValueError("too few values")
        mean, variance = activations.mean(axis=axes), activations.var(axis=axes)
        running_mean *= 1 - momentum
        running_mean += momentum * mean
        running_variance *= 1 - momentum
        running_variance += momentum * variance * count / (count - 1)
    normalized = (activations - mean.reshape(beside)) / np.sqrt(variance.reshape(beside) + epsilon)
    return gamma.reshape(beside) * normalized + beta.reshape(beside), running_mean, running_variance


@exercise.alternative
def channel_by_channel(
    activations, gamma, beta, running_mean, running_variance, training=True, momentum=0.1, epsilon=1e-5
):
    output, new_mean, new_variance = np.empty_like(activations), running_mean.copy(), running_variance.copy()
    for channel in range(activations.shape[1]):
        values = activations[:, channel]
        mean, variance = running_mean[channel], running_variance[channel]
        if training:
            if values.size <= 1:
                raise ValueError("no variance")
            mean = values.sum() / values.size
            squares = ((values - mean) ** 2).sum()
            variance = squares / values.size
            new_mean[channel] += momentum * (mean - new_mean[channel])
            new_variance[channel] += momentum * (squares / (values.size - 1) - new_variance[channel])
        output[:, channel] = gamma[channel] / (variance + epsilon) ** 0.5 * (values - mean) + beta[channel]
    return [output, new_mean, new_variance]


@exercise.alternative
def with_the_channels_last(
    activations, gamma, beta, running_mean, running_variance, training=True, momentum=0.1, epsilon=1e-5
):
    last = np.moveaxis(activations, 1, -1).astype(np.float64)
    rows = last.reshape(-1, last.shape[-1])
    if not training:
        normalized = (rows - running_mean) / np.sqrt(running_variance + epsilon)
    elif len(rows) < 2:
        raise ValueError(f"{len(rows)} values")
    else:
        normalized = (rows - rows.mean(axis=0)) / np.sqrt(rows.var(axis=0) + epsilon)
        running_mean = (1 - momentum) * running_mean + momentum * rows.mean(axis=0)
        running_variance = (1 - momentum) * running_variance + momentum * rows.var(axis=0, ddof=1)
    output = (gamma * normalized + beta).astype(np.float32).reshape(last.shape)
    return np.moveaxis(output, -1, 1), running_mean, running_variance
