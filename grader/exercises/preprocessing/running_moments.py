"""The exercise `running_moments`."""

import numpy as np

from grader.exercises.preprocessing.common import SINGLE_PRECISION, chapter, correlated_table

exercise = chapter.exercise(
    "running_moments",
    points=3,
    aspects={"first batch": 1, "later batches": 2, "any batch": 1, "far from zero": 1},
    hints=(
        "The new mean is a weighted mean of the old one and the batch's: by how much does each count? The new "
        "variance has three parts: the spread within the old rows, the spread within the batch, and the distance "
        "between the two means.",
        "Count squares, not means of squares: count * variance is the sum of squared distances of the old rows from "
        "their mean, m times the batch's variance that of the new rows. If the means differ by δ, then δ² · count · m "
        "/ (count + m) is to be added before you divide by the new count.",
        "With `difference = batch.mean(axis=0) - mean`, the new mean is `mean + difference * m / total`. Treat a batch "
        "without rows first: it has no mean.",
    ),
    tolerance=SINGLE_PRECISION,
)


@exercise.reference
def running_moments(count, mean, variance, batch):
    if len(batch) == 0:
        return count, mean, variance
    total = count + len(batch)
    difference = batch.mean(axis=0) - mean
    within = count * variance + len(batch) * batch.var(axis=0)
    between = difference**2 * count * len(batch) / total
    return total, mean + difference * len(batch) / total, (within + between) / total


nothing = {"count": 0, "mean": np.zeros(2), "variance": np.zeros(2)}
exercise.case("first batch", **nothing, batch=np.array([[1.0, 20.0], [3.0, 26.0], [8.0, 20.0]]))
exercise.case("later batches", count=2, mean=np.array([1.0]), variance=np.array([1.0]), batch=np.array([[4.0], [4.0]]))
exercise.case(
    "later batches",
    count=10,
    mean=np.array([2.0, -1.0]),
    variance=np.array([4.0, 0.25]),
    batch=np.array([[5.0, 1.0], [1.0, 0.0], [9.0, -4.0]]),
)
# The same means, so that only the spreads are merged; as many columns as rows.
exercise.case(
    "later batches",
    count=6,
    mean=np.array([2.0, 5.0]),
    variance=np.array([9.0, 0.0]),
    batch=np.array([[1.0, 5.0], [3.0, 5.0]]),
)
exercise.case("any batch", count=4, mean=np.array([2.0, 7.0]), variance=np.array([1.0, 3.0]), batch=np.zeros((0, 2)))
exercise.case(
    "any batch", count=4, mean=np.array([2.0, 7.0]), variance=np.array([1.0, 3.0]), batch=np.array([[7.0, 5.0]])
)
exercise.case("any batch", **nothing, batch=np.zeros((0, 2)))
exercise.case("any batch", count=1, mean=np.array([3.0]), variance=np.array([0.0]), batch=np.array([[5.0]]))
# The square of 100000000 has no room for the digits of a variance of 1.
exercise.case("far from zero", count=0, mean=np.zeros(1), variance=np.zeros(1), batch=np.array([[1e8], [1e8 + 2]]))
exercise.case(
    "far from zero",
    count=2,
    mean=np.array([1e8 + 1, 2e8]),
    variance=np.array([1.0, 4.0]),
    batch=np.array([[1e8 + 3, 2e8 + 1], [1e8 + 5, 2e8 - 1]]),
)


def moments(rows):
    """What is known of rows that have gone by."""
    return {"count": len(rows), "mean": rows.mean(axis=0), "variance": rows.var(axis=0)}


@exercise.hidden("first batch", count=2)
def a_first_batch(rng):
    columns = int(rng.integers(1, 5))
    batch = correlated_table(rng, int(rng.integers(2, 20)), columns)
    return {"count": 0, "mean": np.zeros(columns), "variance": np.zeros(columns), "batch": batch}


@exercise.hidden("later batches", count=5)
def a_later_batch(rng):
    columns = int(rng.integers(1, 5))
    rows = correlated_table(rng, int(rng.integers(2, 30)), columns)
    return moments(rows) | {"batch": correlated_table(rng, int(rng.integers(2, 30)), columns)}


@exercise.hidden("any batch", count=4)
def a_small_batch(rng):
    rows = correlated_table(rng, int(rng.integers(1, 30)), 3)
    return moments(rows) | {"batch": correlated_table(rng, int(rng.integers(0, 2)), 3)}


@exercise.hidden("far from zero", count=3)
def a_batch_far_away(rng):
    offset = rng.uniform(1e8, 2e8)
    return moments(offset + rng.normal(size=(20, 2))) | {"batch": offset + rng.normal(size=(5, 2))}


exercise.slip(
    "Your mean gives the batch as much weight as all earlier rows together. Each row counts once: weigh the two means "
    "by their numbers of rows.",
    name="means_weighed_alike",
    right="mean + difference * len(batch) / total",
    wrong="(mean + batch.mean(axis=0)) / 2 if count else batch.mean(axis=0)",
)
exercise.slip(
    "Your variance is too small: it merges the spreads within the two groups and forgets that their means lie apart. "
    "That distance is spread as well.",
    name="distance_of_the_means_forgotten",
    right="(within + between)",
    wrong="within",
)


@exercise.mistake(
    "For numbers of some hundred millions your variance is wrong, or even negative: the mean square and the square of "
    "the mean agree in all digits that a float has, and their difference is what rounding left. Use distances from the "
    "mean, never squares of the values."
)
def mean_square_less_squared_mean(count, mean, variance, batch):
    total = count + len(batch)
    if total == 0:
        return count, mean, variance
    new_mean = (count * mean + batch.sum(axis=0)) / total
    mean_square = (count * (variance + mean**2) + (batch**2).sum(axis=0)) / total
    return total, new_mean, mean_square - new_mean**2


@exercise.mistake(
    "The batch's variance is divided by m - 1, and a batch of one row makes it NaN. In this merger every variance is "
    "divided by its number of rows."
)
def batch_divided_by_one_less(count, mean, variance, batch):
    if len(batch) == 0:
        return count, mean, variance
    total = count + len(batch)
    difference = batch.mean(axis=0) - mean
    within = count * variance + len(batch) * batch.var(axis=0, ddof=1)
    return total, mean + difference * len(batch) / total, (within + difference**2 * count * len(batch) / total) / total


exercise.slip(
    "You divide by the new count less 1 in the end. Here a variance is divided by the number of rows; where there is "
    "only one, it is 0.",
    name="divided_by_one_less",
    right="(within + between) / total",
    wrong="(within + between) / max(total - 1, 1)",
)
exercise.slip(
    "The distance between the means counts too much: you add its square once for each new row, as if the mean stayed "
    "where it was. It moves towards the batch, which is what the factor count / total is for.",
    name="mean_taken_as_fixed",
    right="difference**2 * count * len(batch) / total",
    wrong="difference**2 * len(batch)",
)
exercise.slip(
    "You add the distance between the means, not its square. Variances are mean squares.",
    name="distance_not_squared",
    right="difference**2",
    wrong="np.abs(difference)",
)
exercise.slip(
    "A batch without rows makes everything NaN: it has no mean. Nothing has come in, so hand back what you were given.",
    name="empty_batch_not_expected",
    right="if len(batch) == 0:",
    wrong="if len(batch) == 0 and count == 0:",
)
exercise.slip(
    "These are the moments of the batch alone. The rows before it are part of the stream as well; what is known of "
    "them stands in `count`, `mean` and `variance`.",
    name="batch_alone",
    right="return total, mean + difference * len(batch) / total, (within + between) / total",
    wrong="return total, batch.mean(axis=0), batch.var(axis=0)",
)
exercise.slip(
    "The count grows by the number of rows in the batch, and not by 1 for each batch.",
    name="batches_counted",
    right="    total = count + len(batch)",
    wrong="    total = count + 1",
)


@exercise.mistake(
    "You mix all columns of the batch: its mean and its variance are taken without an axis. Each column has its own."
)
def one_for_all_columns(count, mean, variance, batch):
    if len(batch) == 0:
        return count, mean, variance
    total = count + len(batch)
    difference = batch.mean() - mean
    within = count * variance + len(batch) * batch.var()
    between = difference**2 * count * len(batch) / total
    return total, mean + difference * len(batch) / total, (within + between) / total


@exercise.mistake(
    "Your result is right, and `mean` is changed: `+=` writes into the array that you were given, in which the "
    "caller's stream may go on. Make new arrays."
)
def changed_in_place(count, mean, variance, batch):
    for row in batch:
        count += 1
        distance = row - mean
        mean += distance / count
        variance += (distance * (row - mean) - variance) / count
    return count, mean, variance


@exercise.mistake(
    "Two things are missing in your variance. The means of the old rows and of the batch lie apart, and that is spread "
    "as well. And a batch without rows has no variance: hand back what you were given."
)
def spreads_merged_without_care(count, mean, variance, batch):
    total = count + len(batch)
    new_mean = (count * mean + batch.sum(axis=0)) / total
    return total, new_mean, (count * variance + len(batch) * batch.var(axis=0)) / total


@exercise.mistake(
    "The mean square less the square of the mean is exact on paper only: where values are large and close together, "
    "what is left of their difference is rounding. Use distances from the mean. And where no row has come yet, you "
    "divide by 0."
)
def mean_square_without_care(count, mean, variance, batch):
    total = count + len(batch)
    new_mean = (count * mean + batch.sum(axis=0)) / total
    mean_square = (count * (variance + mean**2) + (batch**2).sum(axis=0)) / total
    return total, new_mean, mean_square - new_mean**2


@exercise.mistake(
    "You add the square of the distance from the old mean. In Welford's update one of the two factors is the distance "
    "from the old mean, and the other that from the new one."
)
def distance_from_the_old_mean_squared(count, mean, variance, batch):
    squares = variance * count
    for row in batch:
        count += 1
        distance = row - mean
        mean = mean + distance / count
        squares = squares + distance * distance
    return count, mean, squares / max(count, 1)


@exercise.mistake(
    "Where rows come in, this is right. A batch without rows has no mean, and NaN spreads from it into everything: "
    "nothing has come in, so hand back what you were given."
)
def rows_taken_for_granted(count, mean, variance, batch):
    total = count + len(batch)
    difference = batch.mean(axis=0) - mean
    within = count * variance + len(batch) * batch.var(axis=0)
    between = difference**2 * count * len(batch) / total
    return total, mean + difference * len(batch) / total, (within + between) / total


@exercise.mistake(
    "Where rows come in, this is right. A batch without rows has no variance, and NaN spreads from it: nothing has "
    "come in, so hand back what you were given."
)
def rows_taken_for_granted_in_the_variance(count, mean, variance, batch):
    total = count + len(batch)
    between = (batch.mean(axis=0) - mean) ** 2 * count * len(batch) / total
    new_mean = (count * mean + batch.sum(axis=0)) / total
    return total, new_mean, (count * variance + len(batch) * batch.var(axis=0) + between) / total


@exercise.alternative
def row_by_row(count, mean, variance, batch):
    squares = variance * count
    for row in batch:
        count += 1
        distance = row - mean
        mean = mean + distance / count
        squares = squares + distance * (row - mean)
    return count, mean, squares / max(count, 1)


@exercise.alternative
def as_weighted_means(count, mean, variance, batch):
    rows = batch.shape[0]
    if rows == 0:
        return count, mean.copy(), variance.copy()
    weights = np.array([count, rows]) / (count + rows)
    means, variances = np.stack([mean, batch.mean(axis=0)]), np.stack([variance, batch.var(axis=0)])
    merged = weights @ means
    return count + rows, merged, weights @ (variances + (means - merged) ** 2)
