"""The exercise `find_leak`."""

import numpy as np

from grader.exercises.preprocessing.common import chapter, correlated_table

exercise = chapter.exercise(
    "find_leak",
    points=2,
    aspects={"copied rows": 2, "no leak": 1, "nearly equal rows": 1, "missing values": 1},
    hints=(
        "Take one row of `test` and compare it with the whole of `train` at once. When are two rows the same, and when "
        "has this row leaked?",
        "`np.abs(train - row) <= tolerance` has one True or False for each entry of `train`. A row of `train` is the "
        "same if all of its entries are; the test row has leaked if any row of `train` is. Two NaN need a word of "
        "their own.",
        "`(np.isnan(train) & np.isnan(row))` is True where both are missing; join it with `|`. Then "
        "`.all(axis=1).any()`. `np.array(leaked, dtype=int)` holds whole numbers, also when it is empty.",
    ),
)


@exercise.reference
def find_leak(train, test, tolerance=1e-6):
    leaked = []
    for number, row in enumerate(test):
        same = (np.abs(train - row) <= tolerance) | (np.isnan(train) & np.isnan(row))
        if same.all(axis=1).any():
            leaked.append(number)
    return np.array(leaked, dtype=int)


nearly = "nearly equal rows"
exercise.case(
    "copied rows",
    train=np.array([[1.0, 2.0], [3.0, 4.0]]),
    test=np.array([[3.0, 5.0], [3.0, 4.0], [1.0, 2.0], [2.0, 1.0]]),
)
# Twice in the training part, twice in the test part; and a row made of values that all stand in the training part.
exercise.case(
    "copied rows",
    train=np.array([[5.0, 0.0, 2.0], [7.0, 1.0, 3.0], [5.0, 0.0, 2.0], [7.0, 0.0, 9.0]]),
    test=np.array([[7.0, 0.0, 2.0], [5.0, 0.0, 2.0], [0.0, 0.0, 0.0], [5.0, 0.0, 2.0], [7.0, 1.0, 3.0]]),
)
# In both parts at the same place stand rows that agree in one column only.
exercise.case("no leak", train=np.array([[1.0, 2.0], [3.0, 4.0]]), test=np.array([[1.0, 4.0], [3.0, 2.0]]))
exercise.case("no leak", train=np.array([[1.0], [4.0], [2.0]]), test=np.zeros((0, 1)))
exercise.case("no leak", train=np.zeros((0, 2)), test=np.array([[1.0, 4.0], [3.0, 2.0]]))
exercise.case(
    "no leak",
    train=np.array([[1.0, 6.0], [2.0, 6.0]]),
    test=np.array([[6.0, 1.0], [2.0, 1.0], [1.0, 2.0], [1.0, 6.0]]),
)
exercise.case(
    nearly,
    train=np.array([[0.3, 20.0], [0.1, 5.0], [0.3000001, 20.0]]),
    test=np.array([[0.3000004, 20.0], [0.3, 20.00001], [0.1000004, 5.0], [0.3, 5.0]]),
)
# Each column may differ by the tolerance, so the sum over the columns may be larger.
exercise.case(
    nearly,
    train=np.array([[1000.0, 2.0, 3.0], [2000.0, 0.0, 1.0]]),
    test=np.array([[1000.4, 2.4, 2.6], [2000.0, 0.7, 1.0], [2003.0, 0.0, 1.0], [2000.0, -0.4, 1.0]]),
    tolerance=0.5,
)
exercise.case(nearly, train=np.array([[1000.0, 2.0]]), test=np.array([[1000.005, 2.0], [1000.0, 2.0]]))
exercise.case(
    "missing values",
    train=np.array([[1.0, np.nan], [3.0, 4.0], [1.0, np.nan]]),
    test=np.array([[1.0, 2.0], [1.0, np.nan], [np.nan, 4.0], [np.nan, np.nan], [3.0, 4.0], [1.0, 0.0]]),
)
# No number stands for a missing value, not even the mean of its column.
exercise.case(
    "missing values",
    train=np.array([[1.0, np.nan], [3.0, 4.0]]),
    test=np.array([[1.0, 4.0], [1.0, -1.0], [1.0, -999.0], [1.0, 1e9], [1.0, 0.0], [5.0, 9.0], [1.0, np.nan]]),
)
exercise.case(
    nearly, train=np.array([[0.1, 2.0], [7.0, 1.0]]), test=np.array([[0.1, 2.0], [7.0, 1.000001]]), tolerance=0.0
)


def copied(rng, noise=0.0):
    """A test part of 12 rows, of which some are copies of training rows, changed by up to `noise`."""
    columns = int(rng.integers(2, 6))
    train, test = (correlated_table(rng, int(rows), columns).round(1) for rows in (rng.integers(10, 30), 12))
    for row in rng.permutation(12)[: rng.integers(2, 6)]:
        test[row] = train[rng.integers(len(train))] + rng.uniform(-noise, noise, columns)
    return {"train": train, "test": test}


@exercise.hidden("copied rows", count=5)
def copies(rng):
    return copied(rng)


@exercise.hidden("no leak", count=3)
def shuffled_columns(rng):
    """Each column holds values of the training part only, and no row is whole; but for one."""
    train = np.array([rng.permutation(6) + 10.0 * column for column in range(3)]).T
    test = np.column_stack([train[:, 0], np.roll(train[:, 1], 1), np.roll(train[:, 2], 2)])
    return {"train": train, "test": np.append(test, train[2:3], axis=0)}


@exercise.hidden(nearly, count=4)
def copies_with_rounding(rng):
    tables = copied(rng, noise=0.009)
    return tables | {"tolerance": 0.01}


@exercise.hidden("missing values", count=4)
def copies_with_gaps(rng):
    train, test = correlated_table(rng, 15, 3), correlated_table(rng, 10, 3)
    train[rng.random(train.shape) < 0.4] = np.nan
    leaked = rng.permutation(10)[:4]
    test[leaked] = train[rng.integers(15, size=4)]
    return {"train": train, "test": test}


@exercise.mistake(
    "You compare the first row with the first, the second with the second. A leaked row may stand anywhere in the "
    "training part: compare each row of `test` with all of `train`."
)
def same_place_only(train, test, tolerance=1e-6):
    rows = min(len(train), len(test))
    close = np.isclose(train[:rows], test[:rows], rtol=0, atol=tolerance, equal_nan=True)
    return np.flatnonzero(close.all(axis=1))


exercise.slip(
    "You report rows that share a single value with a training row. Two rows are the same if they agree in all "
    "columns.",
    name="one_column_is_enough",
    right="same.all(axis=1).any()",
    wrong="same.any()",
)
exercise.slip(
    "You ask of each column whether its value stands somewhere in that column of the training part. The values of one "
    "training row must come together: first all columns of a row, then any row.",
    name="columns_from_different_rows",
    right="same.all(axis=1).any()",
    wrong="same.any(axis=0).all()",
)


@exercise.mistake(
    "These are rows of `train`. Asked for are the rows of `test` that must go: what is left of the test part is what "
    "the score is measured on."
)
def rows_of_the_training_part(train, test, tolerance=1e-6):
    close = np.isclose(train[:, None], test[None], rtol=0, atol=tolerance, equal_nan=True)
    return np.flatnonzero(close.all(axis=2).any(axis=1))


@exercise.mistake(
    "A row that stands twice in the training part is reported twice: you note it for each match. Note it once, as soon "
    "as any row matches."
)
def once_for_each_match(train, test, tolerance=1e-6):
    leaked = []
    for number, row in enumerate(test):
        for other in train:
            if np.isclose(other, row, rtol=0, atol=tolerance, equal_nan=True).all():
                leaked.append(number)
    return np.array(leaked, dtype=int)


exercise.slip(
    "You ask for exact equality. Rounding, a file written and read again, and a copy differs in the last digit: 0.1 + "
    "0.2 is not 0.3. Allow for `tolerance`.",
    name="exactly_equal",
    right="np.abs(train - row) <= tolerance",
    wrong="train == row",
)
exercise.slip(
    "Copies with a missing value slip through: NaN is equal to nothing, not even to itself. Ask for two NaN at the "
    "same place with `np.isnan`.",
    name="missing_never_equal",
    right=" | (np.isnan(train) & np.isnan(row))",
    wrong="",
)
exercise.slip(
    "You take a missing value for equal to everything. It is the same as another missing value, and as no number.",
    name="missing_always_equal",
    right="np.isnan(train) & np.isnan(row)",
    wrong="np.isnan(train) | np.isnan(row)",
)
exercise.slip(
    "`np.isclose` adds a tolerance of its own, `rtol`, which grows with the value: near 1000 it lets 0.01 pass. Say "
    "`rtol=0`.",
    name="relative_tolerance_too",
    right="(np.abs(train - row) <= tolerance) | (np.isnan(train) & np.isnan(row))",
    wrong="np.isclose(train, row, atol=tolerance, equal_nan=True)",
)
exercise.slip(
    "Where nothing has leaked you return an array of floats: an empty list tells numpy no type. Say `dtype=int`; row "
    "numbers are to pick rows with.",
    name="empty_array_of_floats",
    right="np.array(leaked, dtype=int)",
    wrong="np.array(leaked)",
)


@exercise.mistake(
    "You add up the differences of all columns before you compare. Each column may differ by `tolerance`, whatever the "
    "others do."
)
def differences_added_up(train, test, tolerance=1e-6):
    leaked = []
    for number, row in enumerate(test):
        gaps = np.isnan(train) & np.isnan(row)
        if (np.where(gaps, 0, np.abs(train - row)).sum(axis=1) <= tolerance).any():
            leaked.append(number)
    return np.array(leaked, dtype=int)


@exercise.mistake(
    "You return True or False for each row. Asked for are the numbers of the leaked rows; `np.flatnonzero` turns one "
    "into the other."
)
def mask_returned(train, test, tolerance=1e-6):
    close = np.isclose(train[:, None], test[None], rtol=0, atol=tolerance, equal_nan=True)
    return close.all(axis=2).any(axis=0)


@exercise.mistake(
    "Exact copies are found. What `==` does not find are copies with rounding, which `tolerance` is for, and copies "
    "with a gap, because NaN == NaN is False. And where nothing leaks, the empty array needs `dtype=int`."
)
def plain_equality(train, test, tolerance=1e-6):
    return np.array([number for number, row in enumerate(test) if (train == row).all(axis=1).any()])


@exercise.mistake(
    "Copies with rounding are found. Two things are missing: two NaN at the same place are the same, which no "
    "difference tells, and where nothing leaks, the empty array needs `dtype=int`."
)
def plain_tolerance(train, test, tolerance=1e-6):
    return np.array([n for n, row in enumerate(test) if (np.abs(train - row) <= tolerance).all(axis=1).any()])


@exercise.mistake(
    "`np.allclose` needs to be told two things: `rtol=0`, or it adds a tolerance of its own that grows with the value, "
    "and `equal_nan=True`. And where nothing leaks, the empty array needs `dtype=int`."
)
def plain_allclose(train, test, tolerance=1e-6):
    return np.array([n for n, row in enumerate(test) if any(np.allclose(row, one, atol=tolerance) for one in train)])


exercise.slip(
    "You count a missing value as 0, so that a row with a gap is the same as a row with a real 0 there. NaN is the "
    "same as NaN, and as no number.",
    name="missing_taken_for_zero",
    right="    leaked = []",
    wrong="    train, test = np.nan_to_num(train), np.nan_to_num(test)\n    leaked = []",
)
exercise.slip(
    "Your difference has a sign: whatever is far below the training row counts as near. Take its absolute value.",
    name="signed_difference",
    right="np.abs(train - row) <= tolerance",
    wrong="train - row <= tolerance",
)
exercise.slip(
    "A difference that is exactly `tolerance` still counts as none: at most, not below. With a tolerance of 0 you find "
    "no copy at all.",
    name="below_the_tolerance",
    right="np.abs(train - row) <= tolerance",
    wrong="np.abs(train - row) < tolerance",
)


@exercise.mistake(
    "You return True or False for each row; `np.flatnonzero` turns that into the numbers of the leaked rows, which are "
    "asked for. And two NaN at the same place are the same, which no difference tells."
)
def mask_without_gaps(train, test, tolerance=1e-6):
    return np.array([(np.abs(train - row) <= tolerance).all(axis=1).any() for row in test])


@exercise.mistake(
    "You count a missing value as 0, so that a row with a gap is the same as a row with a real 0 there. NaN is the "
    "same as NaN, and as no number. And where nothing leaks, the empty array needs `dtype=int`."
)
def zero_for_missing_and_floats(train, test, tolerance=1e-6):
    known, rows = np.nan_to_num(train), np.nan_to_num(test)
    return np.array([n for n, row in enumerate(rows) if (np.abs(known - row) <= tolerance).all(axis=1).any()])


@exercise.mistake(
    "Your difference has a sign: whatever is far below the training row counts as near. Take its absolute value. Two "
    "things more: two NaN at the same place are the same, and an empty array needs `dtype=int`."
)
def signed_and_plain(train, test, tolerance=1e-6):
    return np.array([n for n, row in enumerate(test) if (train - row <= tolerance).all(axis=1).any()])


@exercise.alternative
def all_at_once(train, test, tolerance=1e-6):
    same = np.isclose(test[:, None, :], train[None, :, :], rtol=0, atol=tolerance, equal_nan=True)
    return np.flatnonzero(same.all(axis=2).any(axis=1))


@exercise.alternative
def value_by_value(train, test, tolerance=1e-6):
    def agree(one, other):
        return one != one and other != other or abs(one - other) <= tolerance

    def same(row, known):
        return all(agree(one, other) for one, other in zip(row, known))

    leaked = [number for number, row in enumerate(test.tolist()) if any(same(row, known) for known in train.tolist())]
    return np.array(leaked, dtype=np.int32)
