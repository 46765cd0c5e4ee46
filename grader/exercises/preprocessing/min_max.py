"""The exercise `min_max`."""

import numpy as np

from grader.exercises.preprocessing.common import SINGLE_PRECISION, chapter, correlated_table

exercise = chapter.exercise(
    "min_max",
    points=2,
    aspects={"limits of the training part": 2, "constant columns": 1, "any number of rows": 1},
    hints=(
        "Two numbers per column are taken from `train`, and `other` is shifted by one of them and divided by their "
        "distance. Which row of `train` must end up as 0, and which as 1?",
        "With `low = train.min(axis=0)` and `high = train.max(axis=0)` the answer is (other - low) / (high - low), "
        "unless high is low. Ask for a table without rows before you ask for its minimum.",
        "`constant = high == low` tells which columns must become 0.0. `np.where(constant, 1.0, high - low)` can be "
        "divided by; `np.where(constant, 0.0, …)` puts the zeros into the result.",
    ),
    tolerance=SINGLE_PRECISION,
)


@exercise.reference
def min_max(train, other):
    if len(train) == 0:
        raise ValueError("train has 0 rows, and a minimum needs 1: fit on a part that is not empty")
    low, high = train.min(axis=0), train.max(axis=0)
    constant = high == low
    scaled = (other - low) / np.where(constant, 1.0, high - low)
    return np.where(constant, 0.0, scaled)


limits = "limits of the training part"
exercise.case(limits, train=np.array([[0.0, 10.0], [4.0, 30.0]]), other=np.array([[2.0, 15.0], [6.0, 10.0]]))
# The largest value of the training part is an outlier, and `other` has none; then the other way round.
exercise.case(
    limits,
    train=np.array([[2.0, -8.0, 1.0], [3.0, 0.0, 101.0], [4.0, 8.0, 3.0]]),
    other=np.array([[3.5, 4.0, 2.0], [2.0, -4.0, 6.0], [2.5, 2.0, 11.0]]),
)
exercise.case(
    limits, train=np.array([[2.0, -1.0], [3.0, -5.0], [6.0, -2.0]]), other=np.array([[50.0, 3.0], [-6.0, -21.0]])
)
exercise.case(
    "constant columns",
    train=np.array([[5.0, 1.0], [5.0, 2.0], [5.0, 5.0]]),
    other=np.array([[5.0, 3.0], [7.0, 4.0]]),
)
# Small is not constant.
exercise.case(
    "constant columns",
    train=np.array([[0.0, 3e-9], [0.0, 1e-9]]),
    other=np.array([[0.0, 2e-9], [-2.0, 4e-9]]),
)
exercise.case("any number of rows", train=np.array([[1.0], [5.0], [2.0]]), other=np.array([[2.0], [3.0], [0.0], [7.0]]))
exercise.case("any number of rows", train=np.array([[1.0, 5.0], [3.0, 4.0]]), other=np.zeros((0, 2)))
exercise.case("any number of rows", train=np.array([[4.0, 2.0]]), other=np.array([[4.0, 9.0], [3.0, 2.0]]))
exercise.case("any number of rows", train=np.zeros((0, 2)), other=np.array([[4.0, 9.0]]))


@exercise.hidden(limits, count=5)
def two_tables(rng):
    columns = int(rng.integers(1, 6))
    return {
        "train": correlated_table(rng, int(rng.integers(3, 20)), columns),
        "other": correlated_table(rng, int(rng.integers(2, 10)), columns),
    }


@exercise.hidden("constant columns", count=4)
def constant_in_the_training_part(rng):
    tables = {"train": correlated_table(rng, 8, 4), "other": correlated_table(rng, 6, 4)}
    tables["train"][:, rng.integers(4)] = np.round(rng.uniform(-5, 5), 1)
    return {name: table * 10.0 ** rng.integers(-3, 3) for name, table in tables.items()}


@exercise.hidden("any number of rows", count=4)
def few_rows(rng):
    return {
        "train": correlated_table(rng, int(rng.integers(0, 3)), 3),
        "other": correlated_table(rng, int(rng.integers(0, 3)), 3),
    }


@exercise.mistake(
    "You scale `other` by its own minimum and maximum. Then the same value means one thing in the training part and "
    "another thing here; use the limits of `train` for both."
)
def limits_of_the_other_part(train, other):
    if len(train) == 0 or len(other) == 0:
        raise ValueError("a part has no rows")
    low, high = other.min(axis=0), other.max(axis=0)
    constant = high == low
    return np.where(constant, 0.0, (other - low) / np.where(constant, 1.0, high - low))


exercise.slip(
    "Your limits come from both parts together, so the training part is scaled by what only the other part can know. "
    "That is a leak: fit on `train` alone.",
    name="limits_of_both_parts",
    right="low, high = train.min(axis=0), train.max(axis=0)",
    wrong="low, high = np.append(train, other, axis=0).min(axis=0), np.append(train, other, axis=0).max(axis=0)",
)
exercise.slip(
    "You cut off what lies outside of 0 to 1. A value beyond the limits of the training part is news, and this scaling "
    "leaves it where it falls.",
    name="clipped",
    right="return np.where(constant, 0.0, scaled)",
    wrong="return np.where(constant, 0.0, np.clip(scaled, 0, 1))",
)
exercise.slip(
    "You take one minimum and one maximum of the whole table, so that the column with the largest numbers decides for "
    "all. Each column has its own limits.",
    name="one_for_all_columns",
    right="train.min(axis=0), train.max(axis=0)",
    wrong="train.min(), train.max()",
)
exercise.slip(
    "You divide by the maximum. What must become 1 is the distance from the minimum to the maximum, so divide by that.",
    name="divided_by_the_maximum",
    right="np.where(constant, 1.0, high - low)",
    wrong="np.where(high == 0, 1.0, high)",
)
exercise.slip(
    "Your smallest value is not 0: you divide by the distance of the limits, and do not subtract the lower one before.",
    name="not_shifted",
    right="(other - low)",
    wrong="other",
)
exercise.slip(
    "A column that is constant in `train` is divided by 0 and comes out as NaN or infinite. It carries nothing that "
    "could be scaled: set it to 0.0.",
    name="divided_by_zero",
    right="scaled = (other - low) / np.where(constant, 1.0, high - low)\n    return np.where(constant, 0.0, scaled)",
    wrong="return (other - low) / (high - low)",
)
exercise.slip(
    "Where a column is constant in `train`, you return the distance from that constant, in the unit of the column, as "
    "scikit-learn's MinMaxScaler does. All other columns run from 0 to 1; asked for is 0.0.",
    name="constant_column_only_shifted",
    right="return np.where(constant, 0.0, scaled)",
    wrong="return scaled",
)
exercise.slip(
    "A small number in the denominator avoids the division by 0 and turns the first value that differs from the "
    "constant into an enormous one. Say 0.0 for such a column.",
    name="small_number_added",
    right="scaled = (other - low) / np.where(constant, 1.0, high - low)\n    return np.where(constant, 0.0, scaled)",
    wrong="return (other - low) / (high - low + 1e-8)",
)
exercise.slip(
    "You return the training part, scaled. `train` only lends its limits; what is to be scaled is `other`.",
    name="training_part_scaled",
    right="(other - low)",
    wrong="(train - low)",
)


@exercise.mistake(
    "Your minimum and maximum are those of each row, an example's largest and smallest feature. A column is one "
    "feature of all examples: `axis=0`."
)
def rows_taken_for_columns(train, other):
    if len(train) == 0:
        raise ValueError("train has no rows")
    low, high = train.min(axis=1, keepdims=True), train.max(axis=1, keepdims=True)
    return (other - low) / (high - low)


@exercise.mistake(
    "Your result is right, and `other` is changed: `-=` and `/=` write into the array that you were given. Make a new "
    "one."
)
def scaled_in_place(train, other):
    if len(train) == 0:
        raise ValueError("train has no rows")
    low, high = train.min(axis=0), train.max(axis=0)
    other -= low
    other /= np.where(high == low, 1.0, high - low)
    other[:, high == low] = 0
    return other


exercise.slip(
    "Your scale is the wrong way round: the largest value of the training part comes out as 0 and the smallest as 1. "
    "Measure from the minimum up.",
    name="turned_round",
    right="(other - low)",
    wrong="(high - other)",
)
exercise.slip(
    "`np.nan_to_num` makes 0 of NaN, but of infinite it makes the largest number there is, 1.8e308. Do not divide by 0 "
    "in the first place; a column that is constant in `train` becomes 0.0.",
    name="nan_to_num",
    right="scaled = (other - low) / np.where(constant, 1.0, high - low)\n    return np.where(constant, 0.0, scaled)",
    wrong="return np.nan_to_num((other - low) / (high - low))",
)


@exercise.mistake(
    "You take a minimum and a maximum for each row, and of different rows they cannot be used on others. A column is "
    "one feature of all examples: `axis=0`. Then see to columns that are constant."
)
def rows_without_care(train, other):
    low, high = train.min(axis=1), train.max(axis=1)
    return (other - low) / (high - low)


@exercise.mistake(
    "Your scale is the wrong way round: the largest value of the training part comes out as 0 and the smallest as 1. "
    "Measure from the minimum up. And a column that is constant is divided by 0; it becomes 0.0."
)
def turned_round_without_care(train, other):
    low, high = train.min(axis=0), train.max(axis=0)
    return (high - other) / (high - low)


@exercise.mistake(
    "scikit-learn's scaler agrees for columns that vary. Two things differ here: a column that is constant in `train` "
    "becomes 0.0, and `other` may have no rows."
)
def scikit_learns_scaler(train, other):
    if len(train) == 0 or len(other) == 0:
        raise ValueError("scikit-learn wants at least one row")
    spread = np.ptp(train, axis=0)
    return (other - train.min(axis=0)) / np.where(spread == 0, 1.0, spread)


@exercise.alternative
def column_by_column(train, other):
    scaled = np.zeros(other.shape)
    for column in range(train.shape[1]):
        low, high = min(train[:, column]), max(train[:, column])
        if high > low:
            scaled[:, column] = [(value - low) / (high - low) for value in other[:, column]]
    return scaled


@exercise.alternative
def by_a_mask(train, other):
    if not train.size:
        raise ValueError(f"nothing to fit on: train has shape {train.shape}")
    low, spread = train.min(axis=0), np.ptp(train, axis=0)
    scaled = np.zeros_like(other)
    varies = spread > 0
    scaled[:, varies] = other[:, varies] / spread[varies] - low[varies] / spread[varies]
    return scaled
