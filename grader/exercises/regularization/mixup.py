"""The exercise `mixup`."""

import numpy as np

from grader.exercises.regularization.common import SINGLE_PRECISION, chapter, derangement, numbers, soft_labels

exercise = chapter.exercise(
    "mixup",
    points=2,
    aspects={"features and labels": 2, "any shape": 1, "shares of 0 and 1": 1},
    hints=(
        "`features[order]` are all partners at once. What does each row of them have to be multiplied by?",
        "A share belongs to a row, and numpy lines up the last axes. Give `share` as many axes of length 1 behind the "
        "first as the array has that it multiplies.",
        "`share.reshape(-1, *[1] * (features.ndim - 1))` stands beside features of any shape, `share[:, None]` beside "
        "the labels. Then both mixtures are the same line.",
    ),
    tolerance=SINGLE_PRECISION,
)


@exercise.reference
def mixup(features, labels, order, share):
    if np.any((share < 0) | (share > 1)):
        raise ValueError(f"the shares go from {share.min()} to {share.max()}: give numbers from 0 to 1")
    own = share.reshape(-1, *[1] * (features.ndim - 1))
    mixed_features = own * features + (1 - own) * features[order]
    mixed_labels = share[:, None] * labels + (1 - share[:, None]) * labels[order]
    return mixed_features, mixed_labels


three = {
    "features": np.array([[8.0, 0.0, 2.0], [0.0, 4.0, -1.0], [1.0, -6.0, 3.0]]),
    "labels": np.array([[1.0, 0.0], [0.0, 1.0], [0.25, 0.75]]),
}
shares = np.array([0.75, 0.5, 0.1])
two_images = {
    "features": np.array([[[1.0, 2.0], [3.0, 4.0]], [[-5.0, 6.0], [7.0, -8.0]]]),
    "labels": np.array([[1.0, 0.0, 0.0], [0.0, 0.0, 1.0]]),
    "order": np.array([1, 0]),
}
# Around in a circle: an order that goes back is another one.
exercise.case("features and labels", **three, order=np.array([1, 2, 0]), share=shares)
exercise.case("features and labels", **three, order=np.array([2, 0, 1]), share=np.array([0.9, 0.2, 0.6]))
exercise.case("features and labels", **three, order=np.array([0, 2, 1]), share=np.array([0.3, 0.8, 0.35]))
exercise.case(
    "features and labels",
    features=np.array([[1.0, 5.0], [4.0, -2.0]]),
    labels=np.array([[1.0, 0.0, 0.0], [0.0, 1.0, 0.0]]),
    order=np.array([1, 0]),
    share=np.array([0.8, 0.4]),
)
exercise.case("any shape", **two_images, share=np.array([0.75, 0.4]))
exercise.case("any shape", **three | {"features": np.array([1.0, 5.0, -3.0])}, order=np.array([1, 2, 0]), share=shares)
exercise.case(
    "any shape",
    features=np.array([[[1.0, 2.0, -3.0]], [[4.0, 0.5, 2.5]]]),
    labels=np.array([[0.5, 0.5], [0.0, 1.0]]),
    order=np.array([1, 0]),
    share=np.array([0.3, 0.9]),
)
exercise.case("shares of 0 and 1", **three, order=np.array([1, 2, 0]), share=np.array([1.0, 0.0, 1.0]))
exercise.case("shares of 0 and 1", **three, order=np.array([1, 2, 0]), share=np.array([0.0, 1.0, 0.0]))
exercise.case("shares of 0 and 1", **three, order=np.array([1, 2, 0]), share=np.array([0.5, 1.5, 0.25]))
exercise.case("shares of 0 and 1", **three, order=np.array([1, 2, 0]), share=np.array([0.5, 1.0, -0.25]))


def one_batch(rng, shape, share):
    count = int(rng.integers(3, 6))
    return {
        "features": numbers(rng, (count, *shape)),
        "labels": soft_labels(rng, count, int(rng.integers(2, 5))),
        "order": derangement(rng, count),
        "share": share(count),
    }


@exercise.hidden("features and labels", count=5)
def rows(rng):
    return one_batch(rng, (6,), lambda count: rng.uniform(0.05, 0.45, count))


@exercise.hidden("any shape", count=4)
def of_any_shape(rng):
    shapes = ((), (7, 8), (2, 1, 6))
    return one_batch(rng, shapes[rng.integers(3)], lambda count: rng.uniform(0.55, 0.95, count))


@exercise.hidden("shares of 0 and 1", count=3)
def whole_examples(rng):
    return one_batch(rng, (6,), lambda count: rng.integers(0, 2, count).astype(float))


exercise.slip(
    "Your images are mixed and their labels are not. An image that is three quarters a 3 and one quarter an 8 is to be "
    "called just that.",
    name="labels_not_mixed",
    right="mixed_labels = share[:, None] * labels + (1 - share[:, None]) * labels[order]",
    wrong="mixed_labels = labels",
)
exercise.slip(
    "Your features are right. In the labels the shares are swapped: the network would be told that an image which is "
    "mostly a 3 is mostly an 8.",
    name="label_shares_swapped",
    right="share[:, None] * labels + (1 - share[:, None]) * labels[order]",
    wrong="(1 - share[:, None]) * labels + share[:, None] * labels[order]",
)
exercise.slip(
    "You give the share to the partner: share[i] belongs to example i, and 1 - share[i] to example order[i].",
    name="share_given_to_the_partner",
    right="    own =",
    wrong="    share = 1 - share\n    own =",
)
exercise.slip(
    "Your labels are mixed half and half, whatever the share. They take the same shares as the features.",
    name="labels_half_and_half",
    right="share[:, None] * labels + (1 - share[:, None]) * labels[order]",
    wrong="(labels + labels[order]) / 2",
)
exercise.slip(
    "Your mixed labels are those of the larger part, whole. That throws away what the smaller part says: keep both, in "
    "their shares.",
    name="larger_part_takes_all",
    right="share[:, None] * labels + (1 - share[:, None]) * labels[order]",
    wrong="np.where(share[:, None] >= 0.5, labels, labels[order])",
)
exercise.slip(
    "Your features take their partners from `order`, your labels take others. Both are to be mixed with one and the "
    "same example.",
    name="labels_with_another_partner",
    right="labels[order]",
    wrong="labels[::-1]",
)
exercise.slip(
    "You go through `order` backwards: the partner of example i is example order[i], not the one whose entry is i.",
    name="order_backwards",
    right="    own =",
    wrong="    order = np.argsort(order)\n    own =",
)
exercise.slip(
    "Your partners do not come from `order`: you take the examples in reverse. Somebody shuffled for you, so use it.",
    name="order_ignored",
    right="    own =",
    wrong="    order = np.arange(len(share))[::-1]\n    own =",
)
exercise.slip(
    "All examples are mixed in the first one's share. Each has its own: share[i].",
    name="one_share_for_all",
    right="    own =",
    wrong="    share = np.full(len(share), share[0])\n    own =",
)
exercise.slip(
    "Your shares run along the last axis: each column has one, where each row should. numpy lines up shapes from the "
    "right; give `share` an axis of length 1 behind the first.",
    name="shares_along_the_last_axis",
    right="own * features + (1 - own) * features[order]",
    wrong="share * features + (1 - share) * features[order]",
)
exercise.slip(
    "numpy lines up shapes from the right, so your shares meet the columns, and where there are more columns than "
    "examples, or fewer, it stops. A share belongs to a row: give `share` axes of length 1 behind the first, once for "
    "the features and once for the labels.",
    name="no_axis_added",
    right="own * features + (1 - own) * features[order]\n"
    "    mixed_labels = share[:, None] * labels + (1 - share[:, None]) * labels[order]",
    wrong="share * features + (1 - share) * features[order]\n"
    "    mixed_labels = share * labels + (1 - share) * labels[order]",
)
exercise.slip(
    "Tables are right. Features with more axes, or with one, are not: `share[:, None]` lines up with a table only. "
    "Count the axes of the features.",
    name="tables_only",
    right="own = share.reshape(-1, *[1] * (features.ndim - 1))",
    wrong="own = share[:, None]",
)
exercise.slip(
    "A share below 0 or above 1 goes through, and makes labels with negative parts. Refuse it with a ValueError.",
    name="shares_not_looked_at",
    right="if np.any((share < 0) | (share > 1)):",
    wrong="if np.any(share != share):",
)
exercise.slip(
    "You mix with the roots of the shares. (They keep the variance, but then the parts add up to more than 1.) Take "
    "the shares themselves.",
    name="roots_of_the_shares",
    right="own * features + (1 - own) * features[order]",
    wrong="np.sqrt(own) * features + np.sqrt(1 - own) * features[order]",
)


@exercise.mistake(
    "You mix one example after the other into the array that the partners are taken from, so some partners are mixed "
    "already, and whoever called you has lost the features. Make new arrays."
)
def mixed_on_the_spot(features, labels, order, share):
    if np.any((share < 0) | (share > 1)):
        raise ValueError("no shares")
    for row, partner in enumerate(order):
        features[row] = share[row] * features[row] + (1 - share[row]) * features[partner]
        labels[row] = share[row] * labels[row] + (1 - share[row]) * labels[partner]
    return features, labels


@exercise.mistake(
    "You mix one example after the other into the array that the partners are taken from, so some partners are mixed "
    "already. Take the partners from the array as it came."
)
def partners_already_mixed(features, labels, order, share):
    if np.any((share < 0) | (share > 1)):
        raise ValueError("no shares")
    features, labels = features.copy(), labels.copy()
    for row, partner in enumerate(order):
        features[row] = share[row] * features[row] + (1 - share[row]) * features[partner]
        labels[row] = share[row] * labels[row] + (1 - share[row]) * labels[partner]
    return features, labels


@exercise.alternative
def example_by_example(features, labels, order, share):
    if share.min() < 0 or share.max() > 1:
        raise ValueError("a share is no share")
    mixed_features, mixed_labels = np.empty_like(features), np.empty_like(labels)
    for row, partner in enumerate(order):
        mixed_features[row] = features[partner] + share[row] * (features[row] - features[partner])
        mixed_labels[row] = labels[partner] + share[row] * (labels[row] - labels[partner])
    return [mixed_features, mixed_labels]


@exercise.alternative
def as_a_matrix(features, labels, order, share):
    if not ((share >= 0) & (share <= 1)).all():
        raise ValueError(share)
    count = len(share)
    mixing = np.diag(share).astype(np.float32)
    np.add.at(mixing, (np.arange(count), order), 1 - share)
    return (mixing @ features.reshape(count, -1)).reshape(features.shape), mixing @ labels
