"""The exercise `robust_scale`."""

import numpy as np

from grader.exercises.preprocessing.common import SINGLE_PRECISION, chapter, correlated_table

exercise = chapter.exercise(
    "robust_scale",
    points=2,
    aspects={"median and quartiles": 2, "clipping": 1, "no spread": 1},
    hints=(
        "Five quantiles of each column of `train` are all that you need: two to clip by, two for the interquartile "
        "range, and the median. In which order are they used on `other`?",
        "`np.quantile(train, [clip, 0.25, 0.5, 0.75, 1 - clip], axis=0)` gives them at once, one row for each. First "
        "clip `other`, then subtract, then divide.",
        "`np.clip(other, low, high)` takes a limit per column. Divide by `np.where(spread == 0, 1.0, spread)`, and ask "
        "for an empty `train` in the very first line.",
    ),
    tolerance=SINGLE_PRECISION,
)


@exercise.reference
def robust_scale(train, other, clip=0.05):
    if len(train) == 0:
        raise ValueError("train has 0 rows, and a quantile needs 1: fit on a part that is not empty")
    low, high = np.quantile(train, [clip, 1 - clip], axis=0)
    first, median, third = np.quantile(train, [0.25, 0.5, 0.75], axis=0)
    spread = third - first
    return (np.clip(other, low, high) - median) / np.where(spread == 0, 1.0, spread)


# With clip=0 the limits are the smallest and the largest value of the training part, and nothing here lies outside.
exercise.case(
    "median and quartiles",
    train=np.array([[0.0, 10.0], [1.0, 50.0], [2.0, 20.0], [3.0, 30.0], [90.0, -40.0]]),
    other=np.array([[2.5, 10.0], [0.0, 25.0], [60.0, 50.0]]),
    clip=0,
)
# As many rows as columns, and quantiles that lie between two values.
exercise.case(
    "median and quartiles",
    train=np.array([[1.0, 3.0], [1.5, 11.0]]),
    other=np.array([[1.2, 5.0], [1.3, 10.0]]),
    clip=0,
)
# Clipping the training part first would move its quartiles.
exercise.case(
    "clipping", train=np.array([[0.0], [1.0], [3.0], [4.0], [90.0]]), other=np.array([[2.5], [60.0], [-7.0]]), clip=0.4
)
exercise.case(
    "clipping",
    train=np.array([[1.0, 2.0], [2.0, 1.0], [3.0, 7.0], [4.0, 5.0], [5.0, 3.0], [100.0, -80.0]]),
    other=np.array([[100.0, 4.0], [3.5, -500.0], [0.0, 6.0], [2.0, 8.0]]),
)
exercise.case(
    "no spread",
    train=np.array([[5.0, 1.0], [5.0, 2.0], [5.0, 4.0], [5.0, 8.0], [9.0, 3.0]]),
    other=np.array([[5.0, 3.0], [7.0, 2.0], [1.0, 6.0]]),
    clip=0.0,
)
exercise.case("no spread", train=np.array([[4.0, 2.0]]), other=np.array([[4.0, 9.0], [3.0, 2.0]]))
exercise.case("no spread", train=np.zeros((0, 2)), other=np.array([[4.0, 9.0]]))
# Small is not none.
exercise.case(
    "no spread", train=np.array([[1e-9], [2e-9], [3e-9], [4e-9], [5e-9]]), other=np.array([[2e-9], [4.5e-9]]), clip=0.0
)


@exercise.hidden("median and quartiles", count=4)
def inside_the_limits(rng):
    train = correlated_table(rng, int(rng.integers(5, 40)), int(rng.integers(1, 5)))
    train[0] *= 40
    return {"train": train, "other": rng.uniform(train.min(axis=0), train.max(axis=0), (6, train.shape[1])), "clip": 0}


@exercise.hidden("clipping", count=5)
def beyond_the_limits(rng):
    columns = int(rng.integers(1, 5))
    other = correlated_table(rng, 12, columns)
    other[:4] *= rng.choice([-30, 30], (4, 1))
    clip = float(rng.uniform(0.02, 0.45))
    return {"train": correlated_table(rng, int(rng.integers(5, 40)), columns), "other": other, "clip": clip}


@exercise.hidden("clipping", count=2)
def beyond_the_usual_limits(rng):
    return {"train": correlated_table(rng, 15, 3), "other": 3 * correlated_table(rng, 12, 3)}


@exercise.hidden("no spread", count=3)
def mostly_one_value(rng):
    train = correlated_table(rng, 11, 3)
    train[rng.permutation(11)[:9], rng.integers(3)] = np.round(rng.uniform(-5, 5), 1)
    return {"train": train, "other": correlated_table(rng, 5, 3), "clip": 0.0}


exercise.slip(
    "You subtract the mean, and one outlier moves it as far as it likes. The median stays where half of the values lie "
    "on either side.",
    name="mean_in_place_of_the_median",
    right="    spread =",
    wrong="    median = train.mean(axis=0)\n    spread =",
)


@exercise.mistake(
    "You use the mean and the standard deviation. Both follow an outlier; the median and the interquartile range do "
    "not, and that is what makes this scaling robust."
)
def mean_and_deviation(train, other, clip=0.05):
    if len(train) == 0:
        raise ValueError("train has no rows")
    low, high = np.quantile(train, [clip, 1 - clip], axis=0)
    std = train.std(axis=0)
    return (np.clip(other, low, high) - train.mean(axis=0)) / np.where(std == 0, 1.0, std)


exercise.slip(
    "Your median and quartiles are those of `train` after clipping. Clipping moves them as soon as it cuts deep "
    "enough; take all quantiles of `train` as it is given.",
    name="training_part_clipped_first",
    right="    first, median",
    wrong="    train = np.clip(train, low, high)\n    first, median",
)
exercise.slip(
    "Nothing is clipped: a value far outside comes out far outside. Bring `other` between its two limits first.",
    name="not_clipped",
    right="np.clip(other, low, high)",
    wrong="other",
)
exercise.slip(
    "You clip on one side only. What lies below the `clip` quantile is to be raised to it as well.",
    name="clipped_above_only",
    right="np.clip(other, low, high)",
    wrong="np.minimum(other, high)",
)
exercise.slip(
    "Your limits are quantiles of `other`. Then an example is clipped or not depending on which others are scaled "
    "along with it; all statistics come from the training part.",
    name="limits_of_the_other_part",
    right="np.quantile(train, [clip, 1 - clip], axis=0)",
    wrong="np.quantile(other, [clip, 1 - clip], axis=0)",
)
exercise.slip(
    "All your statistics are those of `other`. Fit on the training part, and apply what you found to `other`.",
    name="fitted_on_the_other_part",
    right="    low, high =",
    wrong="    train = other\n    low, high =",
)


@exercise.mistake(
    "You clip after scaling, between the numbers `clip` and `1 - clip` themselves. These are shares of the examples; "
    "the limits are the values of the column that lie at these shares."
)
def clipped_to_the_shares(train, other, clip=0.05):
    if len(train) == 0:
        raise ValueError("train has no rows")
    first, median, third = np.quantile(train, [0.25, 0.5, 0.75], axis=0)
    spread = third - first
    return np.clip((other - median) / np.where(spread == 0, 1.0, spread), clip, 1 - clip)


exercise.slip(
    "You divide by the distance of the two limits. Asked for is the interquartile range, from the 0.25 to the 0.75 "
    "quantile, whatever `clip` is.",
    name="divided_by_the_clipped_range",
    right="third - first",
    wrong="high - low",
)
exercise.slip(
    "Your interquartile range is made comparable with a standard deviation: a factor of about 1.35 is in it. Here it "
    "is taken as it is.",
    name="made_like_a_deviation",
    right="third - first",
    wrong="(third - first) / 1.349",
)
exercise.slip(
    "Where more than half of a column is one value, the interquartile range is 0 and your result NaN or infinite. "
    "Leave out the division there.",
    name="divided_by_zero",
    right="np.where(spread == 0, 1.0, spread)",
    wrong="spread",
)
exercise.slip(
    "Your quantiles are taken over the whole table. Each column has its own: quantiles need `axis=0` here.",
    name="one_for_all_columns",
    right="first, median, third = np.quantile(train, [0.25, 0.5, 0.75], axis=0)",
    wrong="low, high = np.quantile(train, [clip, 1 - clip])\n"
    "    first, median, third = np.quantile(train, [0.25, 0.5, 0.75])",
)


@exercise.mistake(
    "For columns that spread out this is right. What is missing is care: where the interquartile range is 0, nothing "
    "is divided, and a training part without rows is to be refused."
)
def spread_taken_for_granted(train, other, clip=0.05):
    low, first, median, third, high = np.quantile(train, [clip, 0.25, 0.5, 0.75, 1 - clip], axis=0)
    return (np.clip(other, low, high) - median) / (third - first)


exercise.slip(
    "You clip on one side only. What lies above the `1 - clip` quantile is to be lowered to it as well.",
    name="clipped_below_only",
    right="np.clip(other, low, high)",
    wrong="np.maximum(other, low)",
)
exercise.slip(
    "You divide by the standard deviation, which one outlier stretches as far as it likes. Divide by the "
    "interquartile range, from the 0.25 to the 0.75 quantile.",
    name="divided_by_the_deviation",
    right="third - first",
    wrong="train.std(axis=0)",
)


@exercise.mistake(
    "You divide by the standard deviation, which one outlier stretches as far as it likes. Divide by the "
    "interquartile range; where that is 0, by nothing."
)
def deviation_without_care(train, other, clip=0.05):
    low, high = np.quantile(train, [clip, 1 - clip], axis=0)
    return (np.clip(other, low, high) - np.median(train, axis=0)) / train.std(axis=0)


@exercise.alternative
def column_by_column(train, other, clip=0.05):
    def quantile(values, share):
        place = share * (len(values) - 1)
        below = min(int(place), len(values) - 2) if len(values) > 1 else 0
        above = min(below + 1, len(values) - 1)
        return values[below] + (values[above] - values[below]) * (place - below)

    if len(train) == 0:
        raise ValueError("no rows to fit on")
    scaled = np.empty(other.shape)
    for column in range(other.shape[1]):
        values = sorted(train[:, column])
        low, high = quantile(values, clip), quantile(values, 1 - clip)
        spread = quantile(values, 0.75) - quantile(values, 0.25)
        for row, value in enumerate(other[:, column]):
            kept = low if value < low else high if value > high else value
            scaled[row, column] = (kept - quantile(values, 0.5)) / (spread or 1)
    return scaled


@exercise.alternative
def scaled_before_it_is_clipped(train, other, clip=0.05):
    if train.shape[0] < 1:
        raise ValueError("train is empty")
    spread = np.percentile(train, 75, axis=0) - np.percentile(train, 25, axis=0)
    spread[spread == 0] = 1
    limits = (np.percentile(train, [100 * clip, 100 - 100 * clip], axis=0) - np.median(train, axis=0)) / spread
    return np.maximum(np.minimum((other - np.median(train, axis=0)) / spread, limits[1]), limits[0])
