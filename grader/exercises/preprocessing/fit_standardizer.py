"""The exercise `fit_standardizer`."""

import numpy as np

from grader.exercises.preprocessing.common import SINGLE_PRECISION, chapter, correlated_table

exercise = chapter.exercise(
    "fit_standardizer",
    points=2,
    aspects={"every column": 2, "constant columns": 1, "missing values": 1, "no values": 1},
    hints=(
        "A column of the table runs along axis 0. Which two functions of numpy give the mean and the standard "
        "deviation along an axis, and leave out NaN?",
        "`np.nanmean(train, axis=0)` and `np.nanstd(train, axis=0)` do most of it. Before them, look for columns in "
        "which every entry is NaN; after them, for columns whose largest value is their smallest.",
        "`np.isnan(train).all(axis=0)` is True for each column without a value, also where there are no rows. In the "
        "end `np.where(constant, 1.0, std)` puts the 1.0 where it belongs.",
    ),
    tolerance=SINGLE_PRECISION,
)


@exercise.reference
def fit_standardizer(train):
    empty = np.isnan(train).all(axis=0)
    if empty.any():
        raise ValueError(f"column {np.argmax(empty)} has no value in {len(train)} rows: leave it out, or find values")
    mean, std = np.nanmean(train, axis=0), np.nanstd(train, axis=0)
    constant = np.nanmax(train, axis=0) == np.nanmin(train, axis=0)
    return mean, np.where(constant, 1.0, std)


exercise.case(
    "every column", train=np.array([[1.0, 20.0, -3.0], [3.0, 10.0, -3.5], [2.0, 60.0, -2.5], [6.0, 30.0, -3.0]])
)
# As many rows as columns: rows taken for columns have the right shape.
exercise.case("every column", train=np.array([[1.0, 4.0], [3.0, 12.0]]))
exercise.case("constant columns", train=np.array([[1.0, 5.0], [3.0, 5.0]]))
# The mean of three times 0.1 is not 0.1 to the last digit, so the deviations are not 0 to the last digit either.
exercise.case("constant columns", train=np.array([[0.1, 2.0], [0.1, 4.0], [0.1, 9.0]]))
exercise.case("constant columns", train=np.array([[98765.4, 2.0], [98765.4, 4.0], [98765.4, 9.0]]))
# Small is not constant: a length in metres, of something measured in nanometres.
exercise.case("constant columns", train=np.array([[2e-9, 0.0], [4e-9, 0.0], [6e-9, 0.0]]))
exercise.case("missing values", train=np.array([[1.0, np.nan], [np.nan, 2.0], [3.0, 4.0], [5.0, 9.0]]))
exercise.case("missing values", train=np.array([[1.0, 7.0], [3.0, np.nan], [4.0, 7.0]]))
exercise.case("no values", train=np.array([[4.0, -2.0, 0.5]]))
exercise.case("no values", train=np.array([[np.nan, -2.0], [4.0, np.nan]]))
exercise.case("no values", train=np.array([[4.0, np.nan], [8.0, np.nan]]))
exercise.case("no values", train=np.zeros((0, 2)))
exercise.case("constant columns", train=np.array([[2e-11, 1.0], [4e-11, 1.0], [6e-11, 1.0]]))
# A column may lie far from zero and not vary much: seconds since 1970.
exercise.case("every column", train=np.array([[1e9, 3.0], [1e9 + 1, 5.0], [1e9 + 3, 4.0]]))
exercise.case("missing values", train=np.array([[0.5, np.nan], [np.nan, 0.2], [0.75, 0.3]]))


@exercise.hidden("every column", count=5)
def any_table(rng):
    return {"train": correlated_table(rng, int(rng.integers(2, 30)), int(rng.integers(1, 6)))}


@exercise.hidden("constant columns", count=4)
def table_with_constant_columns(rng):
    table = correlated_table(rng, int(rng.integers(3, 20)), 4)
    table[:, rng.permutation(4)[: rng.integers(1, 4)]] = np.round(rng.uniform(-5, 5), 1)
    return {"train": table * 10.0 ** rng.integers(-3, 3)}


@exercise.hidden("missing values", count=5)
def table_with_gaps(rng):
    table = correlated_table(rng, int(rng.integers(6, 30)), 3)
    table[1:-1][rng.random((len(table) - 2, 3)) < 0.3] = np.nan
    return {"train": table}


@exercise.hidden("no values", count=3)
def at_most_one_value(rng):
    table = correlated_table(rng, 1, 3)
    return {"train": np.append(table, np.full((int(rng.integers(0, 4)), 3), np.nan), axis=0)}


@exercise.hidden("no values", count=2)
def table_with_an_empty_column(rng):
    table = correlated_table(rng, int(rng.integers(3, 20)), 3)
    table[:, rng.integers(3)] = np.nan
    return {"train": table}


exercise.slip(
    "Your standard deviations are too large: the sum of squares is divided by n - 1. Here it is divided by n, which is "
    "what numpy does if it is not told otherwise; pandas does the other.",
    name="divides_by_one_less",
    right="np.nanstd(train, axis=0)",
    wrong="np.nanstd(train, axis=0, ddof=1)",
)
exercise.slip(
    "You have one mean and one deviation per row. A feature is a column, and `axis=0` is the axis that goes down the "
    "rows of each column.",
    name="rows_taken_for_columns",
    right="return mean, np.where(constant, 1.0, std)",
    wrong="mean, std = np.nanmean(train, axis=1), np.nanstd(train, axis=1)\n"
    "    constant = np.nanmax(train, axis=1) == np.nanmin(train, axis=1)\n"
    "    return mean, np.where(constant, 1.0, std)",
)


@exercise.mistake(
    "You take one mean and one deviation of the whole table, metres and kilograms together. Each column has its own: "
    "where does the axis come in?"
)
def one_for_all_columns(train):
    if np.isnan(train).all(axis=0).any():
        raise ValueError("a column has no value")
    mean, std = float(np.nanmean(train)), float(np.nanstd(train))
    return mean, std if std > 0 else 1.0


exercise.slip(
    "You return variances. The standard deviation is their square root; it has the unit of the feature, so that "
    "dividing by it takes the unit away.",
    name="variance_returned",
    right="np.nanstd",
    wrong="np.nanvar",
)
exercise.slip(
    "A constant column gets a deviation of 0, or of nearly 0 by rounding or by a small number that is added. Whoever "
    "standardizes with it divides by that, and the first new value that differs explodes. Put 1.0 there.",
    name="constant_column_left_alone",
    right="np.where(constant, 1.0, std)",
    wrong="std",
)
exercise.slip(
    "Your question `std == 0` misses a column: the mean of 0.1, 0.1 and 0.1 is rounded, and so the deviation comes out "
    "as 1e-17. Ask whether the largest value of the column is the smallest.",
    name="deviation_compared_with_zero",
    right="np.nanmax(train, axis=0) == np.nanmin(train, axis=0)",
    wrong="std == 0",
)
exercise.slip(
    "You take a small deviation for none. A column that is measured in metres may have values of nanometres and is not "
    "constant; ask whether all its values are equal.",
    name="small_taken_for_constant",
    right="np.nanmax(train, axis=0) == np.nanmin(train, axis=0)",
    wrong="std < 1e-8",
)
exercise.slip(
    "One NaN makes the statistics of its whole column NaN: `mean` and `std` hand it on. There are functions that leave "
    "missing values out.",
    name="missing_value_spreads",
    right="np.nanmean(train, axis=0), np.nanstd(train, axis=0)",
    wrong="np.mean(train, axis=0), np.std(train, axis=0)",
)
exercise.slip(
    "You count a missing value as a 0, which pulls the mean towards 0 and stretches the deviation. Missing means that "
    "it is left out, also when the values are counted.",
    name="missing_taken_for_zero",
    right="np.nanmean(train, axis=0), np.nanstd(train, axis=0)",
    wrong="np.nan_to_num(train).mean(axis=0), np.nan_to_num(train).std(axis=0)",
)
exercise.slip(
    "You leave out every row that has a gap, and with it the values of its other columns. Only the missing value "
    "itself is to be left out.",
    name="rows_with_gaps_dropped",
    right="    mean, std =",
    wrong="    train = train[~np.isnan(train).any(axis=1)]\n    mean, std =",
)
exercise.slip(
    "For a column without any value you return NaN, and all that is scaled with it becomes NaN as well, much later and "
    "far away. Refuse it here, by name.",
    name="empty_column_let_through",
    right="if empty.any():",
    wrong="if len(train) == 0:",
)


@exercise.mistake("The two are the wrong way round: first the mean, then the standard deviation.")
def deviation_first(train):
    if np.isnan(train).all(axis=0).any():
        raise ValueError("a column has no value")
    constant = np.nanmax(train, axis=0) == np.nanmin(train, axis=0)
    return np.where(constant, 1.0, np.nanstd(train, axis=0)), np.nanmean(train, axis=0)


@exercise.mistake(
    "For a full table of columns that vary this is right. What is missing is care: leave out NaN, put 1.0 in place of "
    "the deviation of a constant column, and refuse a column without a value."
)
def full_table_taken_for_granted(train):
    return train.mean(axis=0), train.std(axis=0)


@exercise.mistake(
    "Gaps are left out, as they should be. Two things are missing still: 1.0 in place of the deviation of a constant "
    "column, and a ValueError for a column that has nothing but gaps."
)
def nothing_but_gaps_seen_to(train):
    return np.nanmean(train, axis=0), np.nanstd(train, axis=0)


@exercise.mistake(
    "Asking for a deviation of 0 misses constant columns that are rounded, such as three times 0.1: compare the "
    "largest value with the smallest. And a column that has nothing but gaps is to be refused."
)
def zero_deviation_and_nothing_refused(train):
    mean, std = np.nanmean(train, axis=0), np.nanstd(train, axis=0)
    std[std == 0] = 1.0
    return mean, std


exercise.slip(
    "Your deviation is never below 1, so a column that varies by a tenth keeps its tenth. Only a column that does not "
    "vary at all gets 1.0.",
    name="never_below_one",
    right="np.where(constant, 1.0, std)",
    wrong="np.maximum(std, 1.0)",
)
exercise.slip(
    "Your variance is the mean square less the square of the mean. For a column around 1000000000 the two agree in all "
    "digits that a float has, and what is left is rounding, or NaN. Take distances from the mean first, as section 2.6 "
    "shows.",
    name="mean_square_less_squared_mean",
    right="np.nanstd(train, axis=0)",
    wrong="np.sqrt(np.nanmean(train**2, axis=0) - np.nanmean(train, axis=0) ** 2)",
)
exercise.slip(
    "You take two values for equal when they are nearly so. Seconds since 1970 agree in eight digits and still differ "
    "by a second; ask for equality with `==`.",
    name="close_taken_for_constant",
    right="np.nanmax(train, axis=0) == np.nanmin(train, axis=0)",
    wrong="np.isclose(np.nanmax(train, axis=0), np.nanmin(train, axis=0))",
)


@exercise.mistake(
    "You have one mean and one deviation per row; a feature is a column, `axis=0`. Then there is care to be taken: NaN "
    "left out, 1.0 for a constant column, and a column without a value refused."
)
def rows_of_a_full_table(train):
    return train.mean(axis=1), train.std(axis=1)


@exercise.mistake(
    "You have one mean and one deviation per row; a feature is a column, `axis=0`. Then there is care to be taken: 1.0 "
    "for a constant column, and a column without a value refused."
)
def rows_with_gaps_left_out(train):
    return np.nanmean(train, axis=1), np.nanstd(train, axis=1)


@exercise.mistake(
    "The mean square less the square of the mean is exact on paper only: for a column around 1000000000, what is left "
    "of it is rounding, or NaN; take distances from the mean first. Besides, NaN is to be left out, a constant column "
    "gets 1.0, and a column without a value is refused."
)
def mean_square_without_care(train):
    mean = train.mean(axis=0)
    return mean, np.sqrt((train**2).mean(axis=0) - mean**2)


@exercise.mistake(
    "The mean square less the square of the mean is exact on paper only: for a column around 1000000000, what is left "
    "of it is rounding, or NaN, and a constant column does not come out as 0 either. Take distances from the mean."
)
def mean_square_and_zero_deviation(train):
    if np.isnan(train).all(axis=0).any():
        raise ValueError("a column has no value")
    mean = np.nanmean(train, axis=0)
    std = np.sqrt(np.nanmean(train**2, axis=0) - mean**2)
    std[std == 0] = 1.0
    return mean, std


@exercise.alternative
def column_by_column(train):
    means, deviations = [], []
    for column in train.T:
        values = column[~np.isnan(column)]
        if len(values) == 0:
            raise ValueError("a column has no value")
        means.append(sum(values) / len(values))
        squares = [(value - means[-1]) ** 2 for value in values]
        deviations.append((sum(squares) / len(values)) ** 0.5 if len(set(values)) > 1 else 1.0)
    return np.array(means), np.array(deviations)


@exercise.alternative
def by_masks(train):
    known = ~np.isnan(train)
    count = known.sum(axis=0)
    if (count == 0).any():
        raise ValueError("some column has no values")
    mean = np.where(known, train, 0).sum(axis=0) / count
    variance = (np.where(known, train - mean, 0) ** 2).sum(axis=0) / count
    first = train[known.argmax(axis=0), np.arange(train.shape[1])]
    variance[(~known | (train == first)).all(axis=0)] = 1
    return mean, np.sqrt(variance)
