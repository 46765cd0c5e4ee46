"""The exercise `linear_probe`."""

import numpy as np

from grader.exercises.transfer_learning.common import SINGLE_PRECISION, chapter

exercise = chapter.exercise(
    "linear_probe",
    points=3,
    aspects={"the scores": 1, "centred features": 3, "more features than examples": 1, "refusals": 1},
    hints=(
        "Three steps: centre the features, solve one system of equations for all classes at once, score the new "
        "features. Every mean comes from the training part.",
        "`np.eye(classes)[labels]` has a row of targets for each example. With the centred features Z, the matrix of "
        "the system is `Z.T @ Z + penalty * np.eye(d)`; what stands on the right has one column for each class.",
        "`np.linalg.solve(matrix, Z.T @ (targets - targets.mean(axis=0)))` has the weights of all classes. The new "
        "features lose the same mean as the others; add `targets.mean(axis=0)` to their scores. Look first whether "
        "each class from 0 to classes - 1 occurs in `labels`.",
    ),
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


# Features that are centred already.
exercise.case(
    "the scores",
    features=np.array([[1.0, 2.0], [-1.0, 2.0], [2.0, -1.0], [-2.0, -3.0]]),
    labels=np.array([0, 0, 1, 1]),
    new_features=np.array([[1.0, 1.0], [0.0, -2.0], [3.0, 0.0]]),
    classes=2,
    penalty=2.0,
)
exercise.case(
    "the scores",
    features=np.array([[2.0, 0.0], [-2.0, 1.0], [0.0, 3.0], [1.0, -2.0], [-1.0, -2.0]]),
    labels=np.array([2, 0, 1, 2, 2]),
    new_features=np.array([[1.0, -1.0], [4.0, 2.0]]),
    classes=3,
    penalty=0.5,
)
# The default penalty, a single feature, and a single new example.
exercise.case(
    "the scores",
    features=np.array([[1.0], [2.0], [-3.0]]),
    labels=np.array([1, 1, 0]),
    new_features=np.array([[2.0]]),
    classes=2,
)
exercise.case(
    "centred features",
    features=np.array([[5.0, 2.0], [6.0, 2.0], [9.0, -1.0], [8.0, 1.0]]),
    labels=np.array([0, 1, 1, 1]),
    new_features=np.array([[7.0, 1.0], [6.0, 3.0], [10.0, 0.0]]),
    classes=2,
    penalty=2.0,
)
exercise.case(
    "centred features",
    features=np.array([[1.0, 3.0, 0.0], [2.0, 4.0, 1.0], [0.0, 6.0, 3.0], [5.0, 3.0, 1.0], [4.0, 1.0, 2.0]]),
    labels=np.array([0, 1, 2, 2, 1]),
    new_features=np.array([[1.0, 1.0, 4.0], [3.0, 5.0, 2.0]]),
    classes=3,
)
exercise.case(
    "more features than examples",
    features=np.array([[1.0, 0.0, 2.0, -1.0], [-1.0, 3.0, 0.0, 1.0], [0.0, -3.0, -2.0, 0.0]]),
    labels=np.array([1, 0, 1]),
    new_features=np.array([[1.0, 1.0, 1.0, 1.0], [0.0, 2.0, 0.0, -1.0]]),
    classes=2,
    penalty=0.5,
)
exercise.case(
    "more features than examples",
    features=np.array([[1.0, 2.0, -1.0], [-1.0, -2.0, 1.0]]),
    labels=np.array([0, 1]),
    new_features=np.array([[2.0, 0.0, 1.0]]),
    classes=2,
    penalty=3.0,
)
centred = {
    "features": np.array([[1.0, 2.0], [-1.0, 1.0], [0.0, -3.0]]),
    "new_features": np.array([[1.0, 1.0], [2.0, 0.0]]),
}
exercise.case("refusals", **centred, labels=np.array([0, 1, 1]), classes=2)
exercise.case("refusals", **centred, labels=np.array([0, 2, 2]), classes=3)
exercise.case("refusals", **centred, labels=np.array([1, 1, 0]), classes=3)
exercise.case("refusals", **centred, labels=np.array([1, 1, 1]), classes=2)
exercise.case("refusals", **centred, labels=np.array([0, 1, 1]), classes=2, penalty=0.0)


def few_shot(rng, examples, features, *, centre, **settings):
    """Features of some examples, each class among them, and of new ones."""
    classes = int(rng.integers(2, 4))
    drawn = rng.normal(size=(examples, features)) * rng.uniform(1, 3, features)
    offset = -drawn.mean(axis=0) if centre else rng.uniform(3, 6, features)
    labels = rng.permutation(np.concatenate([np.arange(classes), rng.integers(0, classes, examples - classes)]))
    return {
        "features": drawn + offset,
        "labels": labels,
        "new_features": rng.normal(size=(4, features)) + (0 if centre else offset),
        "classes": classes,
        "penalty": float(rng.uniform(2, 5)),
        **settings,
    }


@exercise.hidden("the scores", count=3)
def scores_of_centred_features(rng):
    return few_shot(rng, 8, int(rng.integers(1, 4)), centre=True)


@exercise.hidden("centred features", count=4)
def scores_of_any_features(rng):
    return few_shot(rng, int(rng.integers(6, 12)), int(rng.integers(2, 5)), centre=False)


@exercise.hidden("more features than examples", count=2)
def more_features(rng):
    return few_shot(rng, 4, int(rng.integers(6, 10)), centre=True)


@exercise.hidden("refusals", count=2)
def empty_class(rng):
    drawn = few_shot(rng, 6, 2, centre=True, classes=4)
    return drawn


exercise.slip(
    "A class that has no example should be refused, with its number: the probe could never answer it, and nobody "
    "would notice.",
    name="empty_class_accepted",
    right="label not in labels",
    wrong="False",
)
exercise.slip(
    "You look for empty classes only below the largest label that occurs. There are `classes` of them, and the last "
    "may be missing as well.",
    name="last_class_overlooked",
    right="for label in range(classes):",
    wrong="for label in range(labels.max()):",
)
exercise.slip(
    "Without a penalty, more features than examples leave no single best answer. Refuse a penalty of 0 or less.",
    name="no_penalty_accepted",
    right="penalty <= 0",
    wrong="penalty < 0",
)
exercise.slip(
    "Your training features are not centred, so the penalty also holds back what should only shift the scores. Take "
    "the mean of the training part off.",
    name="not_centred",
    right="mean = features.mean(axis=0)",
    wrong="mean = 0 * features.mean(axis=0)",
)
exercise.slip(
    "You centre the new features by their own mean. Then the score of one example depends on the others that are asked "
    "about, and a single one always gets the same. Use the mean of the training part.",
    name="new_features_centred_by_themselves",
    right="(new_features - mean) @ weights",
    wrong="(new_features - new_features.mean(axis=0)) @ weights",
)
exercise.slip(
    "You centre the training features and not the new ones, which are then far away from all that the probe has seen. "
    "Take the same mean off both.",
    name="new_features_not_centred",
    right="(new_features - mean) @ weights",
    wrong="new_features @ weights",
)
exercise.slip(
    "Your mean is that of all features, the new ones included. What is to be judged must not help to prepare: take the "
    "mean of the training part alone.",
    name="centred_by_all",
    right="mean = features.mean(axis=0)",
    wrong="mean = np.concatenate([features, new_features]).mean(axis=0)",
)
exercise.slip(
    "The constant b is missing: your scores say by how much each class gains or loses, not where it begins. That is "
    "the mean of its target.",
    name="no_constant",
    right="@ weights + shares",
    wrong="@ weights",
)
exercise.slip(
    "Your penalty is fixed at 1. That is only the default; use the parameter.",
    name="penalty_fixed",
    right="penalty * np.eye(features.shape[1])",
    wrong="np.eye(features.shape[1])",
)
exercise.slip(
    "There is no penalty in your equations: these are plain least squares.",
    name="penalty_left_out",
    right="weights = np.linalg.solve(products, centred.T @ (targets - shares))",
    wrong="weights = np.linalg.lstsq(centred, targets - shares, rcond=None)[0]",
)
exercise.slip(
    "Your penalty is multiplied by the number of examples, as it would be if the errors were averaged. Here they are "
    "summed.",
    name="penalty_times_examples",
    right="penalty * np.eye",
    wrong="penalty * len(features) * np.eye",
)
exercise.slip(
    "Your penalty stands in every entry of the matrix. It belongs on the diagonal, where each weight meets itself.",
    name="penalty_everywhere",
    right="penalty * np.eye(features.shape[1])",
    wrong="penalty",
)
exercise.slip(
    "Your targets are 1 and -1. They should be 1 and 0, so that the scores of an example add up to 1.",
    name="targets_of_both_signs",
    right="np.eye(classes)[labels]",
    wrong="2 * np.eye(classes)[labels] - 1",
)
exercise.slip(
    "You return the answers. The scores are wanted, one for each class; whoever needs the answer takes the largest.",
    name="answers_in_place_of_scores",
    right="return (new_features - mean) @ weights + shares",
    wrong="return np.argmax((new_features - mean) @ weights + shares, axis=1)",
)
exercise.slip(
    "Your probe scores the training features, which it knows already. The new ones are wanted.",
    name="scores_of_the_training_part",
    right="(new_features - mean) @ weights",
    wrong="(features - mean) @ weights",
)


exercise.slip(
    "Nothing is centred in your equations, neither the features nor the targets, and the mean of the target is added "
    "all the same. Take the mean of the training part off the features, the new ones too.",
    name="nothing_centred",
    right="""    mean = features.mean(axis=0)
    centred = features - mean
    targets = np.eye(classes)[labels]
    shares = targets.mean(axis=0)
    products = centred.T @ centred + penalty * np.eye(features.shape[1])
    weights = np.linalg.solve(products, centred.T @ (targets - shares))
    return (new_features - mean) @ weights + shares
""",
    wrong="""    targets = np.eye(classes)[labels]
    products = features.T @ features + penalty * np.eye(features.shape[1])
    weights = np.linalg.solve(products, features.T @ targets)
    return new_features @ weights + targets.mean(axis=0)
""",
)


@exercise.mistake(
    "You divide the features by their standard deviation, with examples - 1 below its root. That weighs the penalty "
    "anew for each of them; only their mean is taken off here."
)
def standardized_by_the_sample(features, labels, new_features, classes, penalty=1.0):
    if len(np.unique(labels)) < classes or penalty <= 0:
        raise ValueError("no probe for this")
    mean, std = features.mean(axis=0), features.std(axis=0, ddof=1)
    centred = (features - mean) / std
    targets = np.eye(classes)[labels]
    shares = targets.mean(axis=0)
    products = centred.T @ centred + penalty * np.eye(features.shape[1])
    weights = np.linalg.solve(products, centred.T @ (targets - shares))
    return (new_features - mean) / std @ weights + shares


@exercise.mistake(
    "You standardize the features: each is also divided by its standard deviation, which weighs the penalty anew. Only "
    "their mean is taken off here."
)
def standardized(features, labels, new_features, classes, penalty=1.0):
    if len(np.unique(labels)) < classes or penalty <= 0:
        raise ValueError("no probe for this")
    mean, std = features.mean(axis=0), features.std(axis=0)
    centred = (features - mean) / std
    targets = np.eye(classes)[labels]
    shares = targets.mean(axis=0)
    products = centred.T @ centred + penalty * np.eye(features.shape[1])
    weights = np.linalg.solve(products, centred.T @ (targets - shares))
    return (new_features - mean) / std @ weights + shares


@exercise.mistake(
    "Your constant is a weight like the others, for a column of ones, and so the penalty shrinks it. It is the mean of "
    "the target, and nothing holds it back."
)
def constant_penalized(features, labels, new_features, classes, penalty=1.0):
    if len(np.unique(labels)) < classes or penalty <= 0:
        raise ValueError("no probe for this")
    with_ones = np.column_stack([features, np.ones(len(features))])
    products = with_ones.T @ with_ones + penalty * np.eye(with_ones.shape[1])
    weights = np.linalg.solve(products, with_ones.T @ np.eye(classes)[labels])
    return np.column_stack([new_features, np.ones(len(new_features))]) @ weights


@exercise.alternative
def by_more_rows(features, labels, new_features, classes, penalty=1.0):
    missing = set(range(classes)) - set(labels.tolist())
    if missing or not penalty > 0:
        raise ValueError(f"missing classes {missing} or no penalty")
    mean = np.average(features, axis=0)
    width = features.shape[1]
    stacked = np.vstack([features - mean, np.sqrt(penalty) * np.eye(width)])
    scores = []
    for label in range(classes):
        target = (labels == label).astype(float)
        right = np.concatenate([target - target.mean(), np.zeros(width)])
        weights = np.linalg.lstsq(stacked, right, rcond=None)[0]
        scores.append((new_features - mean) @ weights + target.mean())
    return np.array(scores).T


@exercise.alternative
def one_weight_for_each_example(features, labels, new_features, classes, penalty=1.0):
    if np.bincount(labels, minlength=classes).min() == 0 or penalty <= 0:
        raise ValueError("a class is empty")
    mean = features.mean(0)
    centred = features - mean
    targets = (labels[:, None] == np.arange(classes)).astype(float)
    b = targets.mean(0)
    alike = centred @ centred.T + penalty * np.eye(len(features))
    return (new_features - mean) @ centred.T @ np.linalg.inv(alike) @ (targets - b) + b


@exercise.alternative
def by_singular_values(features, labels, new_features, classes, penalty=1.0):
    if any((labels == label).sum() == 0 for label in range(classes)):
        raise ValueError("a class is empty")
    if penalty <= 0:
        raise ValueError("no penalty")
    mean = features.mean(axis=0, keepdims=True)
    u, s, vt = np.linalg.svd(features - mean, full_matrices=False)
    targets = np.zeros((len(labels), classes))
    targets[np.arange(len(labels)), labels] = 1
    constant = targets.mean(axis=0)
    weights = vt.T @ ((s / (s**2 + penalty))[:, None] * (u.T @ (targets - constant)))
    return np.dot(new_features - mean, weights) + constant
