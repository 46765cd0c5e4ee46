"""The exercise `group_norm`."""

import numpy as np

from grader.exercises.regularization.common import SINGLE_PRECISION, chapter, numbers

exercise = chapter.exercise(
    "group_norm",
    points=3,
    aspects={"groups": 2, "layer and instance": 1, "images": 2, "epsilon": 1, "groups that do not divide": 1},
    hints=(
        "All values that are normalized together should stand in one row. Which shape of the array puts them there?",
        "Reshaped to (n, groups, the rest), each group of each example is one row: mean and variance along the last "
        "axis. Then back to the shape that it had.",
        "`rows = activations.reshape(len(activations), groups, -1)`, statistics with `axis=2, keepdims=True`. gamma "
        "and beta have one entry per channel: reshape them to (channels, 1, ...) with as many 1s as there are axes "
        "behind.",
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


four = {
    "activations": np.array([[1.0, 3.0, 10.0, 30.0], [20.0, -2.0, 5.0, 6.5]]),
    "gamma": np.array([1.0, 2.0, 0.5, -1.0]),
    "beta": np.array([0.5, 1.0, -1.0, 3.0]),
}
# As many channels as columns: what stands beside the last axis has the right shape.
image = {
    "activations": np.array(
        [
            [
                [[1.0, 2.0, -3.0, 4.0]],
                [[-8.0, 3.0, 1.0, 7.0]],
                [[10.0, 30.0, -5.0, 8.0]],
                [[2.0, -2.0, 15.0, 4.5]],
            ]
        ]
    ),
    "gamma": four["gamma"],
    "beta": four["beta"],
}
series = four | {"activations": np.arange(24.0).reshape(2, 4, 3) ** 1.5 * np.array([1, -1, 0.5])}
exercise.case("groups", **four, groups=2, epsilon=0.0)
exercise.case(
    "groups",
    activations=np.array([[1.0, 4.0, -3.0, 20.0, 10.0, 60.0], [0.0, 2.0, 7.0, -1.0, 5.0, 11.0]]),
    groups=2,
    gamma=np.array([1.0, 2.0, 0.5, -1.0, 1.5, 3.0]),
    beta=np.array([0.0, 1.0, -1.0, 3.0, 2.0, -2.0]),
    epsilon=0.0,
)
exercise.case(
    "groups",
    activations=np.array([[1.0, 4.0, -3.0, 20.0, 10.0, 60.0]]),
    groups=3,
    gamma=np.ones(6),
    beta=np.array([0.0, 1.0, -1.0, 3.0, 2.0, -2.0]),
    epsilon=0.0,
)
exercise.case("layer and instance", **four, groups=1, epsilon=0.0)
exercise.case("layer and instance", **image, groups=1, epsilon=0.0)
exercise.case("layer and instance", **image, groups=4, epsilon=0.0)
exercise.case("images", **image, groups=2, epsilon=0.0)
exercise.case("images", **series, groups=2, epsilon=0.0)
exercise.case("images", **series, groups=4, epsilon=0.0)
exercise.case("epsilon", **four, groups=2, epsilon=7.0)
# A group that hardly varies; and groups of one value, which do not vary at all.
flat = four | {"activations": np.array([[1.001, 1.004, 2.0, 2.0], [3.0, 3.002, 0.5, 0.5]])}
exercise.case("epsilon", **flat, groups=2)
exercise.case("epsilon", **four, groups=4)
exercise.case("groups that do not divide", **four, groups=4, epsilon=2.0)
exercise.case("groups that do not divide", **series, groups=3)
exercise.case("groups that do not divide", **four, groups=3)
exercise.case("groups that do not divide", **four, groups=8)
exercise.case("groups that do not divide", **four, groups=0)
exercise.case("groups that do not divide", **four, groups=-2)


def one_batch(rng, channels, places, groups, **settings):
    shape = (int(rng.integers(1, 4)), channels, *places)
    sizes = rng.uniform(1, 4, channels).reshape(-1, *[1] * len(places))
    return {
        "activations": sizes * numbers(rng, shape) + rng.uniform(-5, 5, sizes.shape),
        "groups": groups,
        "gamma": numbers(rng, channels),
        "beta": numbers(rng, channels),
        "epsilon": 0.0,
        **settings,
    }


@exercise.hidden("groups", count=4)
def groups_of_channels(rng):
    groups = int(rng.integers(2, 4))
    return one_batch(rng, groups * int(rng.integers(3, 5)), (), groups)


@exercise.hidden("layer and instance", count=4)
def one_group_or_all(rng):
    return one_batch(rng, 4, (2, 3), int(rng.choice([1, 4])))


@exercise.hidden("images", count=4)
def groups_of_images(rng):
    groups = int(rng.integers(2, 4))
    places = ((3,), (2, 3), (3, 2), (2, 2, 2))[rng.integers(4)]
    return one_batch(rng, 2 * groups, places, groups)


@exercise.hidden("epsilon", count=3)
def with_a_large_epsilon(rng):
    return one_batch(rng, 6, (), 2, epsilon=float(rng.uniform(1, 5)))


@exercise.hidden("groups that do not divide", count=3)
def left_over(rng):
    return one_batch(rng, 7, (3, 2), int(rng.choice([2, 3, 6, 9])))


exercise.slip(
    "You normalize all channels of an example together, whatever `groups` says. That is layer normalization, with one "
    "group.",
    name="always_one_group",
    right="    rows =",
    wrong="    groups = 1\n    rows =",
)
exercise.slip(
    "You normalize each channel by itself, whatever `groups` says. That is instance normalization, with as many groups "
    "as channels.",
    name="always_all_groups",
    right="    rows =",
    wrong="    groups = channels\n    rows =",
)
exercise.slip(
    "`groups` is the number of groups. You made groups of that many channels.",
    name="number_taken_for_size",
    right="    rows =",
    wrong="    groups = channels // groups\n    rows =",
)
exercise.slip(
    "You take mean and variance over the examples as well, as batch normalization does. Each example is normalized by "
    "itself here.",
    name="over_the_batch_too",
    right="rows.mean(axis=2, keepdims=True), rows.var(axis=2, keepdims=True)",
    wrong="rows.mean(axis=(0, 2), keepdims=True), rows.var(axis=(0, 2), keepdims=True)",
)
exercise.slip(
    "Tables are right. In images gamma and beta stand beside the last axis, the columns; give them axes of length 1, "
    "so that they stand beside the channels.",
    name="gamma_beside_the_last_axis",
    right="gamma.reshape(beside) * normalized + beta.reshape(beside)",
    wrong="gamma * normalized + beta",
)
exercise.slip(
    "Tables are right. In images each place is normalized by itself, over the channels of its group. The places belong "
    "to the group too.",
    name="each_place_by_itself",
    right="activations.reshape(len(activations), groups, -1)",
    wrong="activations.reshape(len(activations), groups, channels // groups, *activations.shape[2:])",
)
exercise.slip(
    "You divide by the unbiased deviation, with one less than the number of values. Here it is the number itself.",
    name="unbiased_variance",
    right="rows.var(axis=2, keepdims=True)",
    wrong="rows.var(axis=2, keepdims=True, ddof=1)",
)
exercise.slip(
    "You divide by the variance. Divided by its root, the group has variance 1 afterwards.",
    name="root_forgotten",
    right="np.sqrt(variance + epsilon)",
    wrong="(variance + epsilon)",
)
exercise.slip(
    "Your epsilon stands outside the root. It is added to the variance, and the root is taken of both.",
    name="epsilon_outside_the_root",
    right="np.sqrt(variance + epsilon)",
    wrong="(np.sqrt(variance) + epsilon)",
)
exercise.slip(
    "epsilon is missing: it is added to the variance, and the root is taken of both. Without it a group that does not "
    "vary becomes 0 / 0, NaN.",
    name="epsilon_left_out",
    right="np.sqrt(variance + epsilon)",
    wrong="np.sqrt(variance)",
)
exercise.slip(
    "gamma and beta are missing: channel by channel, multiply by one and add the other.",
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
    "`reshape` complains only where the *values* do not come out even. Four channels of three places can be cut into "
    "three rows, but these are no groups of channels. Look at the number of channels first.",
    name="left_to_reshape",
    right="if groups < 1 or channels % groups:",
    wrong="if groups < 1:",
)


@exercise.mistake(
    "All groups that divide the channels are right. The others are to be refused, with a ValueError: with a size of "
    "`channels // groups`, four channels make three groups of one, `reshape` finds other numbers to fill them, and no "
    "group at all stops with a ZeroDivisionError."
)
def size_rounded_down(activations, groups, gamma, beta, epsilon=1e-5):
    count, channels = activations.shape[:2]
    parts = activations.reshape(count, groups, channels // groups, -1)
    mean, variance = parts.mean(axis=(2, 3), keepdims=True), parts.var(axis=(2, 3), keepdims=True)
    normalized = ((parts - mean) / np.sqrt(variance + epsilon)).reshape(activations.shape)
    beside = (channels, *[1] * (activations.ndim - 2))
    return gamma.reshape(beside) * normalized + beta.reshape(beside)


@exercise.mistake(
    "The numbers are right, but you write into `activations`, which belong to whoever calls you, perhaps through a "
    "view: `reshape` and slices show the same numbers and make no copy. Make a new array."
)
def in_place(activations, groups, gamma, beta, epsilon=1e-5):
    channels = activations.shape[1]
    if groups < 1 or channels % groups:
        raise ValueError("no such groups")
    rows = activations.reshape(len(activations), groups, -1)
    rows -= rows.mean(axis=2, keepdims=True)
    normalized = (rows / np.sqrt(rows.var(axis=2, keepdims=True) + epsilon)).reshape(activations.shape)
    beside = (channels, *[1] * (activations.ndim - 2))
    return gamma.reshape(beside) * normalized + beta.reshape(beside)


@exercise.mistake(
    "Your groups are made of every other channel, or every third. A group's channels are neighbours: the first group "
    "has the first ones."
)
def groups_dealt_out(activations, groups, gamma, beta, epsilon=1e-5):
    channels = activations.shape[1]
    if groups < 1 or channels % groups:
        raise ValueError("no such groups")
    output = np.empty(activations.shape)
    beside = (-1, *[1] * (activations.ndim - 2))
    for group in range(groups):
        part = activations[:, group::groups]
        axes = tuple(range(1, part.ndim))
        mean, variance = part.mean(axis=axes, keepdims=True), part.var(axis=axes, keepdims=True)
        normalized = (part - mean) / np.sqrt(variance + epsilon)
        output[:, group::groups] = gamma[group::groups].reshape(beside) * normalized + beta[group::groups].reshape(
            beside
        )
    return output


@exercise.alternative
def group_by_group(activations, groups, gamma, beta, epsilon=1e-5):
    channels = activations.shape[1]
    if groups <= 0 or channels // groups * groups != channels:
        raise ValueError(f"{groups} groups of {channels} channels")
    size, output = channels // groups, np.empty(activations.shape)
    for number in range(len(activations)):
        for first in range(0, channels, size):
            part = activations[number, first : first + size]
            std = (((part - part.mean()) ** 2).mean() + epsilon) ** 0.5
            for channel in range(first, first + size):
                normalized = (activations[number, channel] - part.mean()) / std
                output[number, channel] = gamma[channel] * normalized + beta[channel]
    return output


@exercise.alternative
def with_statistics_per_channel(activations, groups, gamma, beta, epsilon=1e-5):
    count, channels = activations.shape[:2]
    if groups < 1 or channels % groups != 0:
        raise ValueError(groups)
    places = activations.reshape(count, channels, -1)
    group = np.arange(channels) * groups // channels
    members = (group[:, None] == group) * groups / channels
    mean = places.mean(axis=2) @ members
    variance = ((places - mean[:, :, None]) ** 2).mean(axis=2) @ members
    scale = gamma / np.sqrt(variance + epsilon)
    output = places * scale[:, :, None] + (beta - mean * scale)[:, :, None]
    return output.reshape(activations.shape)
