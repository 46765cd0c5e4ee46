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
# As many units as inputs: columns taken for rows have the right shape.
exercise.case("long rows", weights=np.array([[6.0, 8.0], [2.0, -1.0]]), limit=0.5)
exercise.case("long rows", weights=np.array([[2.0, -1.0, 2.0, 4.0]]), limit=4.0)
exercise.case("long rows", weights=np.array([[6.0, 8.0], [2.0, -1.0]]), limit=0.0)
exercise.case("long rows", weights=np.array([[6.0, 8.0], [2.0, -1.0]]), limit=-1.0)
exercise.case("short rows", weights=np.array([[3.0, 4.0], [0.5, 0.0], [0.0, -4.0]]), limit=2.0)
# Exactly as long as allowed, and a unit whose weights are all 0.
exercise.case("short rows", weights=np.array([[3.0, -4.0], [0.0, 0.0], [1.0, 5.0], [0.5, 0.25]]), limit=5.0)
exercise.case("short rows", weights=np.array([[0.25, 0.5], [0.75, -0.5], [30.0, 40.0]]), limit=1.0)
exercise.case(
    "convolutions",
    weights=np.array(
        [[[[1.0, 2.0], [2.0, 0.0]], [[4.0, 0.0], [0.0, 0.0]]], [[[0.5, 0.0], [0.0, 0.5]], [[0, 1], [0, 0]]]]
    ),
    limit=2.5,
)
exercise.case("convolutions", weights=np.array([[[1.0, -2.0, 3.0]], [[0.5, 0.5, 0.0]], [[4.0, 0.0, 0.0]]]), limit=2.0)


@exercise.hidden("long rows", count=4)
def all_long(rng):
    shape = (int(rng.integers(2, 6)), int(rng.integers(2, 6)))
    return {"weights": numbers(rng, shape), "limit": float(rng.uniform(0.2, 0.7))}


@exercise.hidden("short rows", count=4)
def some_short(rng):
    weights = numbers(rng, (5, 3)) * rng.choice([0, 0.1, 0.4, 1, 3], 5)[:, None]
    return {"weights": weights, "limit": float(rng.uniform(0.5, 3))}


@exercise.hidden("convolutions", count=3)
def filters(rng):
    weights = numbers(rng, (3, 2, 2, 3)) * np.array([0.1, 1, 3]).reshape(3, 1, 1, 1)
    return {"weights": rng.permutation(weights), "limit": float(rng.uniform(1, 3))}


exercise.slip(
    "You shorten columns. A column holds what one input sends to all units; the weights that lead into unit i are row "
    "i.",
    name="columns_shortened",
    right="tuple(range(1, weights.ndim))",
    wrong="0",
)
exercise.slip(
    "You take the length of all weights together, so that one unit with long weights shortens all the others. Each "
    "unit has a length of its own.",
    name="one_length_for_all",
    right="tuple(range(1, weights.ndim))",
    wrong="None",
)
exercise.slip(
    "Short rows are stretched to the limit. It is an upper limit: who is below it stays as it is.",
    name="short_rows_stretched",
    right="np.maximum(lengths, limit)",
    wrong="np.where(lengths > 0, lengths, 1)",
)
exercise.slip(
    "You divide every row by its length, and a unit without weights becomes 0 / 0: NaN. Besides, short rows are "
    "stretched: the limit is an upper one.",
    name="short_rows_stretched_and_zeros_overlooked",
    right="np.maximum(lengths, limit)",
    wrong="lengths",
)
exercise.slip(
    "A unit whose weights are all 0 becomes NaN: its length is 0, and you divide by it. Take the larger of length and "
    "limit to divide by, or leave such rows alone.",
    name="row_of_zeros_overlooked",
    right="weights * limit / np.maximum(lengths, limit)",
    wrong="weights / lengths * np.minimum(lengths, limit)",
)
exercise.slip(
    "You cut off single weights at the limit. That turns the unit's weight vector in another direction, and it may "
    "still be too long; scale the whole row.",
    name="single_weights_clipped",
    right="weights * limit / np.maximum(lengths, limit)",
    wrong="np.clip(weights, -limit, limit)",
)
exercise.slip(
    "You forgot the root: a length is the root of the sum of squares.",
    name="root_forgotten",
    right="np.sqrt(np.sum(weights**2, axis=inputs, keepdims=True))",
    wrong="np.sum(weights**2, axis=inputs, keepdims=True)",
)
exercise.slip(
    "Your length is the sum of the sizes. Here it is the root of the sum of squares, as with a ruler.",
    name="sum_of_sizes",
    right="np.sqrt(np.sum(weights**2, axis=inputs, keepdims=True))",
    wrong="np.sum(np.abs(weights), axis=inputs, keepdims=True)",
)
exercise.slip(
    "Your length is that of the largest weight. Max-norm means a maximum for the norm, not the norm that takes the "
    "maximum: take the root of the sum of squares.",
    name="largest_weight",
    right="np.sqrt(np.sum(weights**2, axis=inputs, keepdims=True))",
    wrong="np.max(np.abs(weights), axis=inputs, keepdims=True)",
)
exercise.slip(
    "Rows that are too long come out with length 1, whatever the limit. Scale them to the limit.",
    name="scaled_to_one",
    right="weights * limit / np.maximum(lengths, limit)",
    wrong="np.where(lengths > limit, weights / np.maximum(lengths, limit), weights)",
)
exercise.slip(
    "Dense layers are right. In a convolution you sum along axis 1 only, and a unit has its weights on all axes behind "
    "the first.",
    name="convolution_along_one_axis",
    right="tuple(range(1, weights.ndim))",
    wrong="1",
)
exercise.slip(
    "Dense layers are right. In a convolution you sum along the last axis only, and a unit has its weights on all axes "
    "behind the first.",
    name="convolution_along_the_last_axis",
    right="tuple(range(1, weights.ndim))",
    wrong="-1",
)
exercise.slip(
    "Dense layers are right. In a convolution you sum over the places of each kernel, as if every channel were a unit: "
    "the channels of a unit belong together.",
    name="convolution_channel_by_channel",
    right="tuple(range(1, weights.ndim))",
    wrong="(1,) if weights.ndim == 2 else tuple(range(2, weights.ndim))",
)
exercise.slip(
    "A limit of 0 or below gives zeros, NaN or weights turned around. Refuse it with a ValueError.",
    name="limit_not_looked_at",
    right="if not limit > 0:",
    wrong="if not limit > -1e9:",
)


@exercise.mistake(
    "The numbers are right, but you write into `weights`, which belongs to whoever calls you. Make a new array."
)
def in_place(weights, limit):
    if limit <= 0:
        raise ValueError("no limit")
    for row in weights:
        length = np.linalg.norm(row)
        if length > limit:
            row *= limit / length
    return weights


@exercise.alternative
def unit_by_unit(weights, limit):
    if limit <= 0:
        raise ValueError("the limit must be positive")
    rows = []
    for row in weights:
        length = np.linalg.norm(row.ravel())
        rows.append(row * (limit / length) if length > limit else row)
    return np.stack(rows)


@exercise.alternative
def in_single_precision(weights, limit):
    if not limit > 0:
        raise ValueError(limit)
    rows = weights.reshape(len(weights), -1).astype(np.float32)
    squares = np.einsum("ij,ij->i", rows, rows)
    factors = np.where(squares > limit**2, limit / np.sqrt(np.maximum(squares, 1e-30)), 1)
    return (factors[:, None] * rows).reshape(weights.shape)
