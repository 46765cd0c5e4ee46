"""The exercise `walk_forward_splits`."""

import numpy as np

from grader.exercises.generalization.common import chapter

exercise = chapter.exercise(
    "walk_forward_splits",
    points=3,
    aspects={"one split after the other": 1, "a gap": 1, "where it ends": 1},
    hints=(
        "Draw the series as a row of 10 boxes. For first = 3, horizon = 2 and gap = 1 mark what is trained on and what "
        "is tested, split by split. At which steps do the test parts begin?",
        "The test parts begin at `first + gap`, and then every `horizon` steps. A loop over these beginnings does it; "
        "the training part follows from the beginning of the test part.",
        "For a test part that begins at `start`, the two parts are `np.arange(start - gap)` and "
        "`np.arange(start, start + horizon)`. The last `start` that still fits is `n - horizon`. Refuse it if not even "
        "the first one fits.",
    ),
)


@exercise.reference
def walk_forward_splits(n, first, horizon, gap=0):
    needed = first + gap + horizon
    if needed > n:
        raise ValueError(f"the first split needs {needed} steps and the series has {n}; shorten one of its parts")
    steps = np.arange(n)
    starts = range(first + gap, n - horizon + 1, horizon)
    return [(steps[: start - gap], steps[start : start + horizon]) for start in starts]


exercise.case("one split after the other", n=8, first=2, horizon=2)
exercise.case("one split after the other", n=6, first=3, horizon=1)
exercise.case("one split after the other", n=12, first=3, horizon=3)
exercise.case("one split after the other", n=11, first=2, horizon=1)
exercise.case("a gap", n=7, first=2, horizon=2, gap=1)
exercise.case("a gap", n=12, first=3, horizon=2, gap=3)
# The gap is longer than the first training part.
exercise.case("a gap", n=9, first=1, horizon=3, gap=2)
# Steps are left over at the end.
exercise.case("where it ends", n=9, first=2, horizon=3)
exercise.case("where it ends", n=11, first=3, horizon=3, gap=1)
# Just one split, which ends with the series or before it.
exercise.case("where it ends", n=6, first=2, horizon=3, gap=1)
exercise.case("where it ends", n=8, first=2, horizon=4)
exercise.case("where it ends", n=5, first=2, horizon=3, gap=1)
exercise.case("where it ends", n=0, first=1, horizon=1)


@exercise.hidden("one split after the other", count=4)
def without_a_gap(rng):
    first, horizon, splits = (int(number) for number in rng.integers([2, 1, 2], [10, 6, 7]))
    return {"n": first + splits * horizon, "first": first, "horizon": horizon}


@exercise.hidden("a gap", count=4)
def with_a_gap(rng):
    first, horizon, gap, splits = (int(number) for number in rng.integers([2, 2, 1, 2], [10, 6, 5, 7]))
    return {"n": first + gap + splits * horizon, "first": first, "horizon": horizon, "gap": gap}


@exercise.hidden("where it ends", count=4)
def with_a_rest(rng):
    first, horizon, gap, splits = (int(number) for number in rng.integers([1, 2, 0, 1], [10, 6, 5, 7]))
    rest = int(rng.integers(1, horizon))
    return {"n": first + gap + splits * horizon + rest, "first": first, "horizon": horizon, "gap": gap}


@exercise.hidden("where it ends", count=2)
def too_short(rng):
    first, horizon, gap = (int(number) for number in rng.integers([1, 1, 0], [10, 6, 5]))
    return {"n": first + gap + horizon - 1, "first": first, "horizon": horizon, "gap": gap}


exercise.slip(
    "You shuffle the series. Then training knows steps on both sides of every test step, and need only interpolate; a "
    "forecast has no such neighbours. Keep the order of time.",
    name="series_shuffled",
    right="np.arange(n)",
    wrong="np.random.default_rng(0).permutation(n)",
)
exercise.slip(
    "You train on what comes after the test part as well. The future is not known when a forecast is made.",
    name="future_used",
    right="steps[: start - gap]",
    wrong="np.concatenate([steps[: start - gap], steps[start + horizon :]])",
)
exercise.slip(
    "You leave no gap: training runs up to the step before the test part. The last `gap` steps before a test part "
    "belong to neither.",
    name="gap_trained_on",
    right="start - gap]",
    wrong="start]",
)


@exercise.mistake(
    "You do without the gap altogether: your test parts begin right after the first `first` steps. Leave out `gap` "
    "steps between training and test."
)
def gap_forgotten(n, first, horizon, gap=0):
    if first + gap + horizon > n:
        raise ValueError("the series is too short")
    starts = range(first, n - horizon + 1, horizon)
    return [(np.arange(start), np.arange(start, start + horizon)) for start in starts]


exercise.slip(
    "Your gap eats into the first training part: that should hold `first` steps, and the gap comes after them.",
    name="gap_inside_the_first_part",
    right="range(first + gap,",
    wrong="range(first,",
)
exercise.slip(
    "Your training part slides along and always has `first` steps. That is a method too; here the training part grows, "
    "and keeps all that is known by then.",
    name="window_slides",
    right="steps[: start - gap]",
    wrong="steps[start - gap - first : start - gap]",
)
exercise.slip(
    "Your training part never grows. By the time of a later split the steps in between have become known: train on "
    "them as well.",
    name="training_never_grows",
    right="steps[: start - gap]",
    wrong="steps[:first]",
)
exercise.slip(
    "Your test parts overlap: they move on by one step, so most steps are tested several times. Move on by `horizon`.",
    name="moved_on_by_one",
    right="n - horizon + 1, horizon)",
    wrong="n - horizon + 1)",
)
exercise.slip(
    "You move on by the gap as well, and the steps in between are never tested. The gap is left out of the training "
    "part only; the test parts follow one another.",
    name="moved_on_by_the_gap_too",
    right="n - horizon + 1, horizon)",
    wrong="n - horizon + 1, horizon + gap)",
)
exercise.slip(
    "Your last test part is shorter than `horizon`. What is left over at the end is not used, so that every split "
    "counts alike.",
    name="incomplete_part_kept",
    right="n - horizon + 1, horizon)",
    wrong="n, horizon)",
)
exercise.slip(
    "A test part that ends exactly with the series is missing. It fits: `range` ends before its second number.",
    name="last_part_missing",
    right="n - horizon + 1, horizon)",
    wrong="n - horizon, horizon)",
)
exercise.slip(
    "You count the test parts from the end of the series, so what is left over lies at the beginning and your first "
    "training part has more than `first` steps.",
    name="counted_from_the_end",
    right="range(first + gap,",
    wrong="range(first + gap + (n - first - gap) % horizon,",
)
exercise.slip(
    "You train on the test part too: the slice should end before it, and before the gap.",
    name="test_part_trained_on",
    right="steps[: start - gap]",
    wrong="steps[: start + horizon]",
)
exercise.slip(
    "Your training part ends one step too early: the step before the gap is known, and the first split trains on "
    "`first` steps.",
    name="training_one_step_short",
    right="steps[: start - gap]",
    wrong="steps[: start - gap - 1]",
)
exercise.slip(
    "Your training part is one step too long: the gap is a step shorter than asked for, and without a gap you train on "
    "the first step of the test part.",
    name="training_one_step_long",
    right="steps[: start - gap]",
    wrong="steps[: start - gap + 1]",
)
exercise.slip(
    "You forget the gap when you look whether the series is long enough: the first split needs first + gap + horizon "
    "steps.",
    name="needed_without_the_gap",
    right="needed = first + gap + horizon",
    wrong="needed = first + horizon",
)
exercise.slip(
    "Your two parts have changed places.",
    name="parts_swapped",
    right="(steps[: start - gap], steps[start : start + horizon])",
    wrong="(steps[start : start + horizon], steps[: start - gap])",
)
exercise.slip(
    "Your test parts grow to the end of the series. Each should have `horizon` steps: a forecast is made for so long, "
    "then the model is trained again.",
    name="tested_to_the_end",
    right="steps[start : start + horizon]",
    wrong="steps[start:]",
)
exercise.slip(
    "Where the series is too short you return an empty list, and the mean of no score is NaN. Say so with `raise "
    "ValueError`.",
    name="empty_list",
    right="needed > n",
    wrong="n < 0",
)
exercise.slip(
    "You refuse a series that is just long enough: first + gap + horizon steps are enough for one split.",
    name="one_split_refused",
    right="needed > n",
    wrong="needed >= n",
)


@exercise.alternative
def while_it_fits(n, first, horizon, gap=0):
    splits, end = [], first
    while end + gap + horizon <= n:
        splits.append((np.array(range(end)), np.array(range(end + gap, end + gap + horizon))))
        end += horizon
    if not splits:
        raise ValueError("not even the first split fits")
    return splits


@exercise.alternative
def masks_over_a_table(n, first, horizon, gap=0):
    count = (n - first - gap) // horizon
    if count < 1:
        raise ValueError("not even the first split fits")
    starts = first + gap + horizon * np.arange(count, dtype=np.int32)
    tables = np.arange(n) < starts[:, None] - gap, (np.arange(n) - starts[:, None]) // horizon == 0
    return [[np.flatnonzero(part) for part in parts] for parts in zip(*tables)]
