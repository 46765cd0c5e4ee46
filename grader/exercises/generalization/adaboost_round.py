"""The exercise `adaboost_round`."""

import numpy as np
import torch

from grader.exercises.generalization.common import SINGLE_PRECISION, chapter

exercise = chapter.exercise(
    "adaboost_round",
    points=3,
    aspects={"equal weights": 1, "any weights": 1, "special errors and labels": 1},
    hints=(
        "First find out where the classifier is wrong. How much do these examples weigh together?",
        "`error = weights[predictions != labels].sum()`, and alpha follows from the formula with `np.log`. Deal with "
        "the two special cases before the formula, for it divides by the error.",
        "`np.where(wrong, np.exp(alpha), np.exp(-alpha))` is what the weights are multiplied by; then divide by the "
        "sum of the new ones. Labels other than -1 and 1 are found by `np.isin`.",
    ),
    tolerance=SINGLE_PRECISION,
)


@exercise.reference
def adaboost_round(weights, predictions, labels):
    unknown = np.setdiff1d([predictions, labels], [-1, 1])
    if len(unknown) > 0:
        raise ValueError(f"{unknown[0]} is neither -1 nor 1; recode both classes first, for instance 2 * label - 1")
    wrong = predictions != labels
    error = weights[wrong].sum()
    if error >= 0.5:
        return 0.0, weights.copy()
    if error == 0:
        return 1.0, weights.copy()
    alpha = np.log((1 - error) / error) / 2
    new_weights = weights * np.where(wrong, np.exp(alpha), np.exp(-alpha))
    return float(alpha), new_weights / new_weights.sum()


exercise.case(
    "equal weights", weights=np.full(4, 0.25), predictions=np.array([1, 1, -1, 1]), labels=np.array([1, 1, -1, -1])
)
exercise.case(
    "equal weights",
    weights=np.full(10, 0.1),
    predictions=np.array([1, 1, 1, -1, -1, -1, -1, 1, -1, 1]),
    labels=np.array([1, 1, -1, -1, -1, 1, -1, 1, -1, -1]),
)
exercise.case(
    "any weights",
    weights=np.array([0.1, 0.2, 0.3, 0.4]),
    predictions=np.array([-1, 1, 1, -1]),
    labels=np.array([-1, -1, 1, -1]),
)
# Half of the examples are wrong, and more than half; they weigh little.
exercise.case(
    "any weights",
    weights=np.array([0.05, 0.45, 0.1, 0.4]),
    predictions=np.array([-1, 1, 1, -1]),
    labels=np.array([1, 1, -1, -1]),
)
exercise.case(
    "any weights",
    weights=np.array([0.125, 0.0625, 0.6875, 0.125]),
    predictions=np.array([-1, 1, 1, 1]),
    labels=np.array([1, -1, 1, -1]),
)
# A very good classifier.
exercise.case(
    "special errors and labels",
    weights=np.array([0.0001, 0.3, 0.5, 0.1999]),
    predictions=np.array([1, 1, 1, -1]),
    labels=np.array([-1, 1, 1, -1]),
)
# A little below 1/2, just 1/2, above it, and always wrong.
exercise.case(
    "special errors and labels",
    weights=np.array([0.25, 0.24, 0.26, 0.25]),
    predictions=np.array([1, 1, -1, -1]),
    labels=np.array([-1, -1, -1, -1]),
)
exercise.case(
    "special errors and labels",
    weights=np.array([0.25, 0.125, 0.5, 0.125]),
    predictions=np.array([1, -1, -1, 1]),
    labels=np.array([-1, 1, -1, -1]),
)
exercise.case(
    "special errors and labels",
    weights=np.array([0.25, 0.1875, 0.4375, 0.125]),
    predictions=np.array([1, -1, 1, 1]),
    labels=np.array([1, -1, -1, -1]),
)
exercise.case(
    "special errors and labels", weights=np.array([0.75, 0.25]), predictions=np.array([1, -1]), labels=np.array([-1, 1])
)
# Never wrong.
exercise.case(
    "special errors and labels",
    weights=np.array([0.25, 0.625, 0.125]),
    predictions=np.array([1, -1, 1]),
    labels=np.array([1, -1, 1]),
)
exercise.case(
    "special errors and labels",
    weights=np.array([0.25, 0.5, 0.25]),
    predictions=np.array([1, 1, -1]),
    labels=np.array([1, 0, 0]),
)
exercise.case(
    "special errors and labels",
    weights=np.array([0.25, 0.5, 0.25]),
    predictions=np.array([0, 1, 1]),
    labels=np.array([1, 1, 1]),
)
exercise.case(
    "special errors and labels",
    weights=np.array([0.25, 0.5, 0.25]),
    predictions=np.array([1, 2, 1]),
    labels=np.array([1, 2, 2]),
)


def round_with(rng, weights, wrong):
    labels = rng.choice([-1, 1], len(weights))
    return {"weights": weights, "predictions": np.where(wrong, -labels, labels), "labels": labels}


@exercise.hidden("equal weights", count=4)
def first_round(rng):
    n = int(rng.integers(6, 30))
    return round_with(rng, np.full(n, 1 / n), rng.permutation(n) < rng.integers(1, (n + 1) // 2))


@exercise.hidden("any weights", count=5)
def later_round(rng):
    n = int(rng.integers(6, 30))
    weights = rng.dirichlet(np.full(n, 0.5)) + 1e-4
    weights /= weights.sum()
    wrong = rng.permutation(n) < rng.integers(1, n)
    if weights[wrong].sum() > 0.5:
        wrong = ~wrong
    return round_with(rng, weights, wrong)


@exercise.hidden("special errors and labels", count=3)
def worse_than_a_coin(rng):
    n = int(rng.integers(6, 20))
    weights = rng.dirichlet(np.full(n, 2.0))
    wrong = rng.permutation(n) < n // 2
    return round_with(rng, weights, wrong if weights[wrong].sum() > 0.5 else ~wrong)


@exercise.hidden("special errors and labels", count=2)
def never_wrong(rng):
    n = int(rng.integers(3, 12))
    return round_with(rng, rng.dirichlet(np.full(n, 2.0)), np.zeros(n, dtype=bool))


exercise.slip(
    "Your alpha is twice too large: the half is missing. With it, wrong and right examples weigh equally much after "
    "the round; with yours the wrong ones take over.",
    name="half_left_out",
    right="np.log((1 - error) / error) / 2",
    wrong="np.log((1 - error) / error)",
)
exercise.slip(
    "Your weights move the wrong way: examples that are right get heavier. The next classifier should look at the "
    "wrong ones.",
    name="right_ones_heavier",
    right="np.where(wrong, np.exp(alpha), np.exp(-alpha))",
    wrong="np.where(wrong, np.exp(-alpha), np.exp(alpha))",
)
exercise.slip(
    "Your new weights do not add up to 1. Without that the next error is no share, and the formula for alpha means "
    "nothing.",
    name="not_normalized",
    right="new_weights / new_weights.sum()",
    wrong="new_weights",
)
exercise.slip(
    "You divide by the largest weight. Divide by the sum, so that the weights add up to 1.",
    name="divided_by_the_largest",
    right="new_weights / new_weights.sum()",
    wrong="new_weights / new_weights.max()",
)
exercise.slip(
    "Your error counts the wrong examples, all alike. It should add up their weights: that is how the rounds before "
    "have a say.",
    name="examples_counted",
    right="weights[wrong].sum()",
    wrong="wrong.mean()",
)
exercise.slip(
    "Your error is the mean weight of the wrong examples. It is their sum: the weights of all examples add up to 1 "
    "already.",
    name="mean_weight_of_the_wrong",
    right="weights[wrong].sum()",
    wrong="weights[wrong].mean() if wrong.any() else 0",
)
exercise.slip(
    "Your fraction is upside down: a good classifier gets a negative say. The better it is, the larger alpha should "
    "be.",
    name="fraction_upside_down",
    right="(1 - error) / error",
    wrong="error / (1 - error)",
)
exercise.slip(
    "You make the wrong examples heavier and leave the right ones as they are. Each right one is multiplied by "
    "exp(-alpha) too; only then do both kinds weigh equally much.",
    name="right_ones_untouched",
    right="np.exp(-alpha))",
    wrong="1)",
)
exercise.slip(
    "You take the logarithm to the base 10. The formula belongs to `np.exp`, so it takes the natural one, `np.log`.",
    name="logarithm_to_base_10",
    right="np.log(",
    wrong="np.log10(",
)
exercise.slip(
    "You take the logarithm to the base 2. The formula belongs to `np.exp`, so it takes the natural one, `np.log`.",
    name="logarithm_to_base_2",
    right="np.log(",
    wrong="np.log2(",
)
exercise.slip(
    "A classifier that is worse than a coin gets a negative say from you. Here it gets none, 0.0, and the weights "
    "stay.",
    name="worse_than_a_coin_accepted",
    right="error >= 0.5",
    wrong="error > 1",
)
exercise.slip(
    "You leave the weights of a classifier that is no better than a coin, and that is right; but its say is 0.0, not "
    "what the formula gives.",
    name="negative_say_kept",
    right="return 0.0, weights",
    wrong="return float(np.log((1 - error) / error) / 2 if error < 1 else -np.inf), weights",
)
exercise.slip(
    "You give a classifier without errors an infinite say, and it would outvote all others for ever. Its alpha is 1.0.",
    name="infinity_returned",
    right="return 1.0,",
    wrong="return np.inf,",
)
exercise.slip(
    "You look for class 0 only. A class 2 is as unknown here: whatever is neither -1 nor 1 is to be refused.",
    name="only_0_refused",
    right="np.setdiff1d([predictions, labels], [-1, 1])",
    wrong="np.intersect1d([predictions, labels], [0])",
)


@exercise.mistake(
    "At error 0 you divide by 0: alpha is infinite, and it would outvote all others for ever. Give it the alpha 1.0, "
    "and leave the weights."
)
def infinite_say(weights, predictions, labels):
    if not np.isin([predictions, labels], [-1, 1]).all():
        raise ValueError("labels are -1 and 1")
    wrong = predictions != labels
    error = weights[wrong].sum()
    if error >= 0.5:
        return 0.0, weights
    alpha = np.log((1 - error) / error) / 2
    new_weights = weights * np.where(wrong, np.exp(alpha), np.exp(-alpha))
    return float(alpha), new_weights / new_weights.sum()


exercise.slip(
    "You put a small number in the place of an error of 0, and the classifier gets an arbitrary, very large say. Its "
    "alpha is 1.0.",
    name="small_number_for_0",
    right="return 1.0, weights.copy()",
    wrong="error = 1e-10",
)
exercise.slip(
    "A classifier that makes no error has no say in your function. It is the best one of all: its alpha is 1.0.",
    name="perfect_one_silenced",
    right="return 1.0,",
    wrong="return 0.0,",
)
exercise.slip(
    "In the special cases you return equal weights. The weights should stay as they are: what the rounds before have "
    "learned is still true.",
    name="weights_made_equal",
    right="    if error >= 0.5:\n        return 0.0, weights.copy()\n"
    "    if error == 0:\n        return 1.0, weights.copy()",
    wrong="    if error >= 0.5 or error == 0:\n"
    "        return float(error == 0), np.full(len(weights), 1 / len(weights))",
)
exercise.slip(
    "You look for a class 0 among the labels only. A prediction may be 0 as well, and then it is neither right nor "
    "wrong.",
    name="only_labels_asked",
    right="[predictions, labels], [-1, 1]",
    wrong="labels, [-1, 1]",
)


@exercise.mistake(
    "The formula is right. What is still missing are its limits: an error of 0, an error of 1/2 or more, and labels "
    "other than -1 and 1. The docstring says what happens there."
)
def the_formula_alone(weights, predictions, labels):
    wrong = predictions != labels
    error = weights[wrong].sum()
    alpha = np.log((1 - error) / error) / 2
    new_weights = weights * np.where(wrong, np.exp(alpha), np.exp(-alpha))
    return float(alpha), new_weights / new_weights.sum()


@exercise.mistake(
    "All that is computed is right. What is still missing is a look at the classes: refuse a prediction or a label "
    "that is neither -1 nor 1 with `raise ValueError`."
)
def any_class_accepted(weights, predictions, labels):
    wrong = predictions != labels
    error = weights[wrong].sum()
    if error >= 0.5 or error == 0:
        return float(error == 0), weights
    alpha = np.log((1 - error) / error) / 2
    new_weights = weights * np.where(wrong, np.exp(alpha), np.exp(-alpha))
    return float(alpha), new_weights / new_weights.sum()


@exercise.alternative
def by_the_product(weights, predictions, labels):
    for array in (predictions, labels):
        if not (np.abs(array) == 1).all():
            raise ValueError("labels are -1 and 1")
    margins = labels * predictions
    error = np.sum(weights, where=margins < 0)
    if error == 0 or error >= 1 / 2:
        return (1.0 if error == 0 else 0.0), weights
    alpha = 0.5 * (np.log1p(-error) - np.log(error))
    grown = np.exp(np.log(weights) - alpha * margins)
    return alpha, (grown / np.sum(grown)).astype(np.float32)


@exercise.alternative
def halves_example_by_example(weights, predictions, labels):
    if {*predictions.tolist(), *labels.tolist()} - {-1, 1}:
        raise ValueError("labels are -1 and 1")
    error = sum(w for w, guess, label in zip(weights, predictions, labels) if guess != label)
    if error >= 0.5:
        return 0, weights
    if error == 0:
        return 1, weights
    # After the round the wrong examples weigh 1/2 together, and so do the right ones.
    new = [
        w / (2 * error) if guess != label else w / (2 * (1 - error))
        for w, guess, label in zip(weights, predictions, labels)
    ]
    return torch.logit(torch.tensor(1 - error, dtype=torch.float64)).item() / 2, np.array(new)
