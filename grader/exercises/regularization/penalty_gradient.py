"""The exercise `penalty_gradient`."""

import numpy as np

from grader.exercises.regularization.common import SINGLE_PRECISION, any_shape, chapter, numbers

exercise = chapter.exercise(
    "penalty_gradient",
    points=2,
    aspects={"L2": 1, "L1": 1, "both in any shape": 1, "weights at 0": 1},
    hints=(
        "Two formulas, term by term: what is the derivative of w² / 2, and what is that of |w| where w is positive, "
        "and where it is negative?",
        "The first is w, the second the sign of w, and `np.sign` is 0 at 0. The penalty sums over all entries, the "
        "gradient keeps them apart.",
        "With `np.abs(weights).sum()` and `(weights**2).sum()` the penalty is one line, with `np.sign(weights)` the "
        "gradient is another. Do not forget the half, and refuse negative strengths first.",
    ),
    tolerance=SINGLE_PRECISION,
)


@exercise.reference
def penalty_gradient(weights, l1=0.0, l2=0.0):
    if l1 < 0 or l2 < 0:
        raise ValueError(f"l1 is {l1} and l2 is {l2}: a negative one rewards large weights; give 0 or more")
    penalty = l1 * np.sum(np.abs(weights)) + l2 / 2 * np.sum(weights**2)
    return float(penalty), l1 * np.sign(weights) + l2 * weights


exercise.case("L2", weights=np.array([2.0, -1.0, 3.0]), l2=0.5)
exercise.case("L2", weights=np.array([[1.5, -4.0], [0.25, 2.0]]), l2=3.0)
exercise.case("L1", weights=np.array([2.0, -1.0, 3.0]), l1=0.5)
exercise.case("L1", weights=np.array([[1.5, -4.0], [0.25, 2.0]]), l1=3.0)
exercise.case("both in any shape", weights=np.array([2.0, -1.0, 3.0]), l1=0.25, l2=0.5)
exercise.case("both in any shape", weights=np.array([[1.5, -4.0], [0.25, 2.0]]), l1=0.7, l2=0.3)
exercise.case("both in any shape", weights=np.array(-3.0), l1=2.0, l2=0.5)
exercise.case("both in any shape", weights=np.array([2.0, -1.0]), l1=-0.5, l2=0.5)
exercise.case("both in any shape", weights=np.array([2.0, -1.0]), l1=0.5, l2=-0.5)
exercise.case("weights at 0", weights=np.array([2.0, -1.0, 0.0]), l1=0.25, l2=0.5)
exercise.case("weights at 0", weights=np.array([[0.0, -3.0], [0.0, 0.0]]), l1=2.0)
# Next to 0 is not 0: however small a weight is, the L1 penalty pulls with its whole strength.
exercise.case("weights at 0", weights=np.array([1e-12, -1e-12, 0.0, 2.0]), l1=0.5)
exercise.case("weights at 0", weights=np.array([0.0, 0.0]))


@exercise.hidden("L2", count=3)
def quadratic(rng):
    return {"weights": numbers(rng, (3, 4)), "l2": float(rng.uniform(0.1, 2))}


@exercise.hidden("L1", count=3)
def absolute(rng):
    return {"weights": numbers(rng, (3, 4)), "l1": float(rng.uniform(0.1, 2))}


@exercise.hidden("both in any shape", count=4)
def elastic_net(rng):
    return {
        "weights": numbers(rng, any_shape(rng)),
        "l1": float(rng.uniform(0.1, 2)),
        "l2": float(rng.uniform(0.1, 2)),
    }


@exercise.hidden("weights at 0", count=3)
def sparse(rng):
    weights = numbers(rng, 8)
    weights[rng.permutation(8)[:4]] = 0
    return {"weights": weights, "l1": float(rng.uniform(0.1, 2)), "l2": float(rng.uniform(0.1, 2))}


exercise.slip(
    "Your L2 gradient is twice as large as it should be. The penalty has l2 / 2 in front of the squares, so that the 2 "
    "of the derivative goes away.",
    name="two_not_cancelled",
    right="l2 * weights",
    wrong="2 * l2 * weights",
)
exercise.slip(
    "Your gradient is right. Your L2 penalty is twice as large as it should be: in front of the squares stands l2 / 2.",
    name="half_forgotten_in_the_penalty",
    right="l2 / 2 * np.sum",
    wrong="l2 * np.sum",
)
exercise.slip(
    "You left the half out, in the penalty and in the gradient. In front of the squares stands l2 / 2.",
    name="no_half_anywhere",
    right="l2 / 2 * np.sum(weights**2)\n    return float(penalty), l1 * np.sign(weights) + l2 * weights",
    wrong="l2 * np.sum(weights**2)\n    return float(penalty), l1 * np.sign(weights) + 2 * l2 * weights",
)
exercise.slip(
    "Your L1 gradient is the same for all weights, so negative ones are pushed further away from 0. The slope of |w| "
    "is -1 on the left.",
    name="sign_forgotten",
    right="l1 * np.sign(weights)",
    wrong="l1 * np.ones_like(weights)",
)
exercise.slip(
    "Your L1 gradient grows with the weight. The slope of |w| is the same however large w is: that is why L1 goes on "
    "pulling at small weights, and L2 does not.",
    name="size_for_sign",
    right="l1 * np.sign(weights)",
    wrong="l1 * np.abs(weights)",
)
exercise.slip(
    "At 0 you take the slope of |w| from one side. Half way between -1 and 1 is 0, and a weight that is 0 stays there.",
    name="slope_at_zero",
    right="np.sign(weights)",
    wrong="np.where(weights >= 0, 1.0, -1.0)",
)
exercise.slip(
    "You compute the sign as w / |w|, and at 0 that is 0 / 0: NaN. `np.sign` knows 0.",
    name="zero_over_zero",
    right="np.sign(weights)",
    wrong="(weights / np.abs(weights))",
)
exercise.slip(
    "You add a small number to |w| before you divide by it. So near 0 your slope is not 1, and L1 loses its bite where "
    "it matters most. `np.sign` needs no such help.",
    name="sign_made_smooth",
    right="np.sign(weights)",
    wrong="(weights / (np.abs(weights) + 1e-8))",
)
exercise.slip(
    "Your L1 penalty adds up the weights with their signs, so positive and negative ones cancel. It is the sum of "
    "their sizes.",
    name="signed_sum",
    right="np.sum(np.abs(weights))",
    wrong="np.sum(weights)",
)
exercise.slip(
    "`np.linalg.norm(weights, 1)` is the sum of the sizes for a vector only. For a matrix it is something else, the "
    "largest sum of a column. Sum the sizes yourself.",
    name="norm_of_a_matrix",
    right="np.sum(np.abs(weights))",
    wrong="np.linalg.norm(weights, 1)",
)
exercise.slip(
    "Your L2 penalty is the length of the weights, a root. In the formula there are the squares, without a root.",
    name="root_taken",
    right="np.sum(weights**2)",
    wrong="np.sqrt(np.sum(weights**2))",
)
exercise.slip(
    "Your penalty is a mean over the weights, so a larger network would be punished less per weight. It is a sum.",
    name="mean_for_sum",
    right="l1 * np.sum(np.abs(weights)) + l2 / 2 * np.sum(weights**2)",
    wrong="l1 * np.mean(np.abs(weights)) + l2 / 2 * np.mean(weights**2)",
)


@exercise.mistake("Your two strengths are swapped: l1 belongs to the sizes, l2 to the squares.")
def strengths_swapped(weights, l1=0.0, l2=0.0):
    if l1 < 0 or l2 < 0:
        raise ValueError("negative strength")
    penalty = l2 * np.sum(np.abs(weights)) + l1 / 2 * np.sum(weights**2)
    return float(penalty), l2 * np.sign(weights) + l1 * weights


exercise.slip(
    "Your gradient has the sign that a step has. This is the gradient itself: it points to where the penalty grows.",
    name="gradient_downhill",
    right="l1 * np.sign(weights) + l2 * weights",
    wrong="-l1 * np.sign(weights) - l2 * weights",
)
exercise.slip(
    "Your penalty is one number per weight. What is added to the loss is one number: their sum.",
    name="penalty_not_summed",
    right="float(penalty)",
    wrong="l1 * np.abs(weights) + l2 / 2 * weights**2",
)
exercise.slip(
    "The penalty is missing: return it first, and the gradient beside it.",
    name="gradient_only",
    right="return float(penalty), ",
    wrong="return ",
)
exercise.slip(
    "A negative strength rewards large weights, and they grow without end. Refuse it, l1 and l2 alike, with a "
    "ValueError.",
    name="negative_strength_let_through",
    right="if l1 < 0 or l2 < 0:",
    wrong="if l1 < 0 and l2 < 0:",
)


@exercise.alternative
def weight_by_weight(weights, l1=0.0, l2=0.0):
    if min(l1, l2) < 0:
        raise ValueError("strengths must not be negative")
    penalty, gradient = 0.0, np.zeros(weights.shape)
    for place in np.ndindex(weights.shape):
        weight = weights[place]
        penalty += l1 * abs(weight) + l2 * weight**2 / 2
        gradient[place] = l2 * weight + (l1 if weight > 0 else -l1 if weight < 0 else 0)
    return penalty, gradient


@exercise.alternative
def in_single_precision(weights, l1=0.0, l2=0.0):
    if l1 < 0:
        raise ValueError("l1 < 0")
    if l2 < 0:
        raise ValueError("l2 < 0")
    weights = weights.astype(np.float32)
    gradient = l1 * ((weights > 0).astype(np.float32) - (weights < 0)) + l2 * weights
    return l1 * np.linalg.norm(weights.ravel(), 1) + 0.5 * l2 * np.linalg.norm(weights) ** 2, gradient
