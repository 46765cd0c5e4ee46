"""The exercise `max_norm`."""

import numpy as np

from grader.exercises.regularization.common import SINGLE_PRECISION, chapter, numbers

exercise = chapter.exercise(
    "max_norm",
    points=2,
    aspects={"long rows": 2, "short rows": 1, "convolutions": 1},
    hints=(
        "One length for each unit: along which axes do you sum the squares? Which units are changed at all?",
        "Sum over every axis but the first, and keep the axes (`keepdims=True`), so that the lengths still stand "
        "beside their rows. A row that is too long is multiplied by `limit` over its length.",
        "`axes = tuple(range(1, weights.ndim))` names the axes for any shape. Dividing by `np.maximum(lengths, limit)` "
        "and multiplying by `limit` treats long rows, short rows and zeros alike.",
    ),
    tolerance=SINGLE_PRECISION,
)


@exercise.reference
def max_norm(weights, limit):
    if not limit > 0:
        raise ValueError(f"limit is {limit}, and no length is less than 0: give a number above 0")
    inputs = tuple(range(1, weights.ndim))
    lengths = np.sqrt(np.sum(weights**2, axis=inputs, keepdims=True))
    return weights * limit / np.maximum(lengths, limit)


exercise.case("long rows", weights=np.array([[3.0, 4.0], [5.0, -12.0], [8.0, 15.0]]), limit=2.0)
