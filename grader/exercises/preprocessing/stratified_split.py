"""The exercise `stratified_split`."""

import numpy as np

from grader.exercises.preprocessing.common import chapter

exercise = chapter.exercise(
    "stratified_split",
    points=3,
    aspects={"every class in proportion": 2, "in the given order": 1, "small classes": 1},
    hints=(
        "Go through the classes one by one. Which rows belong to this class, in the order in which `order` names them, "
        "and how many of them are for testing?",
        "`labels[order]` are the labels in the given order, so `order[labels[order] == label]` are the rows of one "
        "class in that order. Collect the first of them for testing; all rows that are left in the end are for "
        "training.",
        "The number for testing is `min(max(round(share * n), 1), n - 1)`. Once all test rows are collected, "
        "`np.setdiff1d(order, test)` gives all others, in increasing order.",
    ),
)


@exercise.reference
def stratified_split(labels, share, order):
    if len(labels) == 0:
        raise ValueError("there are 0 rows, and a split needs at least 2: load the data first")
    test = []
    for label in np.unique(labels):
        rows = order[labels[order] == label]
        if len(rows) == 1:
            raise ValueError(f"class {label} has a single row, and both parts need one: leave it out, or find a second")
        test.extend(rows[: min(max(round(share * len(rows)), 1), len(rows) - 1)])
    return np.setdiff1d(order, test), np.sort(test)


proportion, given, small = "every class in proportion", "in the given order", "small classes"
exercise.case(given, labels=np.array([0, 0, 0, 0, 1, 1]), share=0.5, order=np.array([5, 3, 0, 2, 4, 1]))
# The rows stand sorted by class, and the order is that of the rows: a split that is not stratified tests one class.
exercise.case(proportion, labels=np.array([0] * 6 + [1] * 4), share=0.5, order=np.arange(10))
# 0.3 · 9 rounds up to 3, and 0.3 · 4 down to 1. The classes are numbered by whoever collected the data.
exercise.case(
    proportion,
    labels=np.array([7, 3, 7, 7, 3, 7, 7, 7, 3, 7, 7, 3, 7]),
    share=0.3,
    order=np.array([12, 9, 0, 6, 8, 3, 1, 11, 2, 5, 10, 7, 4]),
)
exercise.case(
    given,
    labels=np.array([2, 0, 1, 2, 0, 1, 2, 0, 1, 2]),
    share=0.25,
    order=np.array([9, 8, 7, 6, 5, 4, 3, 2, 1, 0]),
)
# Too small a class for its share, in one direction and in the other: each part gets a row.
exercise.case(small, labels=np.array([0, 1, 0, 0, 1, 0, 0]), share=0.2, order=np.array([2, 6, 1, 0, 4, 3, 5]))
exercise.case(small, labels=np.array([0, 1, 0, 0, 1, 0, 0]), share=0.9, order=np.array([6, 1, 2, 0, 4, 3, 5]))
exercise.case(
    small,
    labels=np.array([5, 1, 1, 1, 5, 1, 1, 1, 1]),
    share=0.24,
    order=np.array([3, 8, 0, 5, 1, 7, 2, 4, 6]),
)
exercise.case(small, labels=np.array([0, 0, 4, 0, 0]), share=0.5, order=np.array([2, 4, 1, 0, 3]))
exercise.case(small, labels=np.zeros(0, dtype=int), share=0.5, order=np.zeros(0, dtype=int))
exercise.case(
    small,
    labels=np.array([5, 1, 1, 1, 5, 1, 1, 1, 1]),
    share=0.2,
    order=np.array([8, 3, 5, 0, 7, 1, 6, 2, 4]),
)


def shuffled(rng, labels, shares):
    """The labels in any order of rows, and a share of which no class has exactly so many and a half."""
    sizes = np.unique(labels, return_counts=True)[1]
    good = [share for share in shares if (abs(share * sizes % 1 - 0.5) > 1e-6).all()]
    return {"labels": rng.permutation(labels), "share": float(rng.choice(good)), "order": rng.permutation(len(labels))}


@exercise.hidden(proportion, count=5)
def any_classes(rng):
    classes = rng.permutation(20)[: rng.integers(2, 6)]
    labels = np.repeat(classes, rng.integers(5, 20, len(classes)))
    return shuffled(rng, labels, [0.15, 0.2, 0.23, 0.3, 0.37])


@exercise.hidden(given, count=4)
def equal_classes(rng):
    labels = np.repeat(np.arange(rng.integers(2, 5)), 10)
    return shuffled(rng, labels, [0.1, 0.2, 0.3, 0.4, 0.6])


@exercise.hidden(small, count=4)
def classes_of_two_and_more(rng):
    labels = np.repeat(rng.permutation(9)[:4], [2, 2, 3, rng.integers(6, 30)])
    return shuffled(rng, labels, [0.06, 0.11, 0.87, 0.94])


@exercise.hidden(small, count=2)
def a_class_of_one(rng):
    return shuffled(rng, np.repeat(rng.permutation(9)[:3], [1, 4, 7]), [0.2, 0.3])


@exercise.mistake(
    "Your split is not stratified: the test part takes the first rows of `order`, of whatever class they are. Split "
    "each class by itself."
)
def not_stratified(labels, share, order):
    count = round(share * len(labels))
    return np.sort(order[count:]), np.sort(order[:count])


exercise.slip(
    "You take the rows as they stand in the table. `order` says who comes first; without it the split tests the rows "
    "that were collected first.",
    name="order_ignored",
    right="order[labels[order] == label]",
    wrong="np.flatnonzero(labels == label)",
)
exercise.slip(
    "You ask for the labels of rows 0, 1, 2, …, and pick from `order`, whose first entry is another row. The two must "
    "stand in the same order: `labels[order]`.",
    name="labels_not_reordered",
    right="order[labels[order] == label]",
    wrong="order[labels == label]",
)
exercise.slip(
    "These are places in `order`, not row numbers. Place 0 of the order is row `order[0]`.",
    name="places_in_the_order",
    right="order[labels[order] == label]",
    wrong="np.flatnonzero(labels[order] == label)",
)
exercise.slip(
    "You round down: `int` cuts off what stands behind the point. 2.7 rows are nearer to 3.",
    name="rounded_down",
    right="round(",
    wrong="int(",
)
exercise.slip(
    "A small class is missing from your test part: its share rounds to 0. Each class has at least one row there.",
    name="none_for_testing",
    right="max(round(share * len(rows)), 1)",
    wrong="round(share * len(rows))",
)
exercise.slip(
    "A small class is missing from your training part, because all of its rows are for testing. What is never shown "
    "cannot be learned: at most n - 1 of its rows may go.",
    name="none_for_training",
    right="min(max(round(share * len(rows)), 1), len(rows) - 1)",
    wrong="max(round(share * len(rows)), 1)",
)


@exercise.mistake(
    "Neither end is guarded: a class whose share rounds to 0 is missing from your test part, and one whose share "
    "rounds to n from your training part. Keep the number between 1 and n - 1."
)
def no_guard_at_all(labels, share, order):
    if len(labels) == 0:
        raise ValueError("there are no rows")
    test = []
    for label in np.unique(labels):
        rows = order[labels[order] == label]
        if len(rows) == 1:
            raise ValueError("a class has a single row")
        test.extend(rows[: round(share * len(rows))])
    return np.setdiff1d(order, test), np.sort(test)


exercise.slip(
    "The two parts are the wrong way round: first the rows to train on, then the rows to test on.",
    name="parts_swapped",
    right="np.setdiff1d(order, test), np.sort(test)",
    wrong="np.sort(test), np.setdiff1d(order, test)",
)
exercise.slip(
    "Your test part is as large as the training part should be: `share` is the share that is for testing.",
    name="share_for_training",
    right="round(share * len(rows))",
    wrong="round((1 - share) * len(rows))",
)
exercise.slip(
    "Your test rows stand in the training part too, so the score will tell how well they were memorised. Leave them "
    "out there.",
    name="parts_overlap",
    right="np.setdiff1d(order, test)",
    wrong="np.sort(order)",
)
exercise.slip(
    "Your classes are 0, 1, 2, … up to their number. Labels can be any whole numbers; `np.unique(labels)` tells which "
    "there are.",
    name="classes_counted_from_zero",
    right="np.unique(labels)",
    wrong="range(len(np.unique(labels)))",
)
exercise.slip(
    "The right rows, in the wrong order: both parts are wanted in increasing order of the row numbers.",
    name="not_sorted",
    right="np.setdiff1d(order, test), np.sort(test)",
    wrong="np.array([row for row in order if row not in test]), np.array(test)",
)
exercise.slip(
    "A class with a single row goes into one part only, and the other does not know it. There is no right place for "
    "it: refuse it, and name the class.",
    name="single_row_let_through",
    right="len(rows) == 1",
    wrong="len(rows) == 0",
)


@exercise.mistake(
    "Some rows are lost: with as many rows of each class, what the larger classes have left over is in neither part. "
    "Every row belongs to one of the two."
)
def rest_lost(labels, share, order):
    if len(labels) == 0:
        raise ValueError("there are no rows")
    train, test = [], []
    fewest = np.unique(labels, return_counts=True)[1].min()
    if fewest == 1:
        raise ValueError("a class has a single row")
    for label in np.unique(labels):
        rows = order[labels[order] == label][:fewest]
        count = min(max(round(share * fewest), 1), fewest - 1)
        test.extend(rows[:count])
        train.extend(rows[count:])
    return np.sort(train), np.sort(test)


@exercise.mistake(
    "The proportions are right where classes are large. A small class needs care: at least one row of it in each part, "
    "and a ValueError where that cannot be, or where there are no rows."
)
def large_classes_taken_for_granted(labels, share, order):
    train, test = [], []
    for label in np.unique(labels):
        rows = [row for row in order if labels[row] == label]
        count = round(share * len(rows))
        test += rows[:count]
        train += rows[count:]
    return np.sort(train), np.sort(test)


@exercise.mistake(
    "All that can be split is split well. Two things cannot: a class with a single row, and a table without rows. "
    "Refuse both with a ValueError."
)
def nothing_refused(labels, share, order):
    train, test = [], []
    for label in np.unique(labels):
        rows = [row for row in order if labels[row] == label]
        count = min(max(round(share * len(rows)), 1), len(rows) - 1)
        test += rows[:count]
        train += rows[count:]
    return np.sort(train), np.sort(test)


exercise.slip(
    "You take the rows that come last in `order`. Those that come first are for testing.",
    name="last_for_testing",
    right="rows[: min(max(round(share * len(rows)), 1), len(rows) - 1)]",
    wrong="rows[-min(max(round(share * len(rows)), 1), len(rows) - 1) :]",
)
exercise.slip(
    "You round up. 1.2 rows are nearer to 1; the least is 1 all the same.",
    name="rounded_up",
    right="round(share * len(rows))",
    wrong="int(np.ceil(share * len(rows)))",
)
exercise.slip(
    "You return True or False for each row. Asked for are row numbers, in increasing order; `np.flatnonzero` turns one "
    "into the other.",
    name="masks_returned",
    right="np.setdiff1d(order, test), np.sort(test)",
    wrong="~np.isin(np.arange(len(labels)), test), np.isin(np.arange(len(labels)), test)",
)


@exercise.mistake(
    "The right rows, class by class. Both parts are wanted in increasing order of the row numbers: sort each in the "
    "end."
)
def class_by_class(labels, share, order):
    if len(labels) == 0:
        raise ValueError("there are no rows")
    train, test = [], []
    for label in np.unique(labels):
        rows = order[labels[order] == label]
        if len(rows) == 1:
            raise ValueError("a class has a single row")
        count = min(max(round(share * len(rows)), 1), len(rows) - 1)
        test.extend(rows[:count])
        train.extend(rows[count:])
    return np.array(train), np.array(test)


@exercise.mistake(
    "You round up. 1.2 rows are nearer to 1; the least is 1 all the same, and the most n - 1. Where a class has a "
    "single row, or there are no rows, refuse with a ValueError."
)
def rounded_up_without_care(labels, share, order):
    train, test = [], []
    for label in np.unique(labels):
        rows = [row for row in order if labels[row] == label]
        count = int(np.ceil(share * len(rows)))
        test += rows[:count]
        train += rows[count:]
    return np.sort(train), np.sort(test)


@exercise.mistake(
    "Your row numbers stand class by class: both parts are wanted in increasing order. Then small classes need care: "
    "at least one row in each part, and a ValueError where that cannot be."
)
def class_by_class_without_care(labels, share, order):
    train, test = [], []
    for label in np.unique(labels):
        rows = order[labels[order] == label]
        count = round(share * len(rows))
        test.extend(rows[:count])
        train.extend(rows[count:])
    return np.array(train), np.array(test)


@exercise.alternative
def row_by_row(labels, share, order):
    rows_of = {}
    for row in order.tolist():
        rows_of.setdefault(int(labels[row]), []).append(row)
    if not rows_of or min(map(len, rows_of.values())) < 2:
        raise ValueError("a class needs two rows or more")
    train, test = [], []
    for rows in rows_of.values():
        count = int(share * len(rows) + 0.5)
        count = 1 if count == 0 else len(rows) - 1 if count >= len(rows) else count
        test += rows[:count]
        train += rows[count:]
    return np.array(sorted(train)), np.array(sorted(test))


@exercise.alternative
def by_a_mask(labels, share, order):
    classes, sizes = np.unique(labels, return_counts=True)
    if len(classes) == 0 or (sizes < 2).any():
        raise ValueError(f"classes {classes[sizes < 2]} have fewer than two rows")
    is_test = np.zeros(labels.shape, dtype=bool)
    for label, wanted in zip(classes, np.clip(np.rint(share * sizes), 1, sizes - 1).astype(int)):
        in_order = labels[order] == label
        is_test[order[in_order & (np.cumsum(in_order) <= wanted)]] = True
    return np.flatnonzero(~is_test).astype(np.int32), np.flatnonzero(is_test).astype(np.int32)
