"""The exercise `penalty_gradient`."""

import numpy as np

from grader.exercises.regularization.common import SINGLE_PRECISION, any_shape, chapter, numbers

exercise = chapter.exercise(
    "penalty_gradient",
    points=2,
    aspects={"L2": 1, "L1": 1, "both, any shape": 1, "weights at 0": 1},
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


exercise.case("both, any shape", weights=np.array([2.0, -1.0, 3.0]), l1=0.25, l2=0.5)
