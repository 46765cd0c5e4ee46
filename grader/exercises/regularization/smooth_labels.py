"""The exercise `smooth_labels`."""

import numpy as np

from grader.exercises.regularization.common import SINGLE_PRECISION, chapter

exercise = chapter.exercise(
    "smooth_labels",
    points=1,
    aspects={"smoothed": 2, "no smoothing and full smoothing": 1, "labels that are no class": 1},
    hints=(
        "Every entry of a row gets the same small share. How much is it, and what does the label's class get besides?",
        "The small share is `smoothing / classes`. On top of it, the label's class gets 1 - smoothing.",
        "`np.full((n, classes), smoothing / classes)` is the table of small shares, and "
        "`table[np.arange(n), labels] += ...` reaches one entry in each row. A label of -1 would reach the last class: "
        "look at the labels first.",
    ),
    tolerance=SINGLE_PRECISION,
)


@exercise.reference
def smooth_labels(labels, classes, smoothing):
    if not 0 <= smoothing <= 1:
        raise ValueError(f"smoothing is {smoothing}, and it is a share: give a number from 0 to 1")
    if np.any((labels < 0) | (labels >= classes)):
        raise ValueError(f"labels {np.unique(labels)} are not all from 0 to {classes - 1}: look for a missing class")
    smoothed = np.full((len(labels), classes), smoothing / classes)
    smoothed[np.arange(len(labels)), labels] += 1 - smoothing
    return smoothed


exercise.case("smoothed", labels=np.array([2, 0]), classes=4, smoothing=0.5)
exercise.case("smoothed", labels=np.array([1, 1, 0, 2]), classes=3, smoothing=0.1)
exercise.case("smoothed", labels=np.array([4]), classes=10, smoothing=0.2)
exercise.case("no smoothing and full smoothing", labels=np.array([2, 0, 1]), classes=3, smoothing=0.0)
exercise.case("no smoothing and full smoothing", labels=np.array([1, 0]), classes=4, smoothing=1.0)
exercise.case("no smoothing and full smoothing", labels=np.array([1, 0]), classes=4, smoothing=1.25)
exercise.case("no smoothing and full smoothing", labels=np.array([1, 0]), classes=4, smoothing=-0.1)
# The last class is a class, the number behind it is none, and -1 is none either, though numpy knows that place.
exercise.case("labels that are no class", labels=np.array([0, 3]), classes=4, smoothing=0.4)
exercise.case("labels that are no class", labels=np.array([0, 4]), classes=4, smoothing=0.4)
exercise.case("labels that are no class", labels=np.array([2, -1]), classes=4, smoothing=0.4)
exercise.case("labels that are no class", labels=np.array([], dtype=int), classes=3, smoothing=0.4)


@exercise.hidden("smoothed", count=4)
def any_labels(rng):
    classes = int(rng.integers(3, 9))
    labels = rng.integers(classes, size=int(rng.integers(1, 9)))
    return {"labels": labels, "classes": classes, "smoothing": float(rng.uniform(0.05, 0.9))}


@exercise.hidden("no smoothing and full smoothing", count=3)
def at_the_edge(rng):
    return any_labels(rng) | {"smoothing": float(rng.integers(2))}


@exercise.hidden("labels that are no class", count=4)
def one_label_off(rng):
    drawn = any_labels(rng)
    drawn["labels"][rng.integers(len(drawn["labels"]))] = rng.choice([-2, -1, drawn["classes"], drawn["classes"] + 3])
    return drawn


PLACING = "smoothed[np.arange(len(labels)), labels] += 1 - smoothing"

exercise.slip(
    "You spread the smoothing over the other classes only, so that the label's class gets 1 - smoothing and no more. "
    "Here, as in torch, all classes get their share of it, the label's own too: divide by `classes`.",
    name="spread_over_the_others",
    right=f"smoothing / classes)\n    {PLACING}",
    wrong="smoothing / np.float64(classes - 1))\n    smoothed[np.arange(len(labels)), labels] = 1 - smoothing",
)
exercise.slip(
    "Your rows do not add up to 1: the label's class has lost its part of what is spread. Add 1 - smoothing to what it "
    "has.",
    name="own_part_lost",
    right="labels] += 1 - smoothing",
    wrong="labels] = 1 - smoothing",
)
exercise.slip(
    "Your rows add up to more than 1: what is spread has to be taken from the label's class first.",
    name="nothing_taken_away",
    right="+= 1 - smoothing",
    wrong="+= 1",
)
exercise.slip(
    "Your two shares are swapped: the label's class is to keep 1 - smoothing, and smoothing is spread.",
    name="shares_swapped",
    right=f"smoothing / classes)\n    {PLACING}",
    wrong="(1 - smoothing) / classes)\n    smoothed[np.arange(len(labels)), labels] += smoothing",
)
exercise.slip(
    "Every class gets the whole of `smoothing`, and your rows add up to far more than 1. It is shared out among them.",
    name="not_shared_out",
    right="smoothing / classes)",
    wrong="smoothing)",
)
exercise.slip(
    "You return the labels one-hot, and nothing is smoothed.",
    name="one_hot_only",
    right=f"smoothing / classes)\n    {PLACING}",
    wrong="0.0)\n    smoothed[np.arange(len(labels)), labels] += 1",
)
exercise.slip(
    "You divide by the number of labels. What is spread is shared out among the classes.",
    name="shared_out_among_labels",
    right="smoothing / classes)",
    wrong="smoothing / np.float64(len(labels)))",
)
exercise.slip(
    "Your table lies on its side: one row for each label, one column for each class.",
    name="transposed",
    right="return smoothed",
    wrong="return smoothed.T",
)
exercise.slip(
    "You write into all rows at once: `table[:, labels]` means these columns of every row. Name a row beside each "
    "label.",
    name="written_into_all_rows",
    right="smoothed[np.arange(len(labels)), labels]",
    wrong="smoothed[:, labels]",
)
exercise.slip(
    "A label of -1 goes through, and numpy counts it from behind: it becomes the last class. A label that is too large "
    "stops with an IndexError, and that only by luck. Look at the labels first.",
    name="labels_not_looked_at",
    right="np.any((labels < 0) | (labels >= classes))",
    wrong="classes < 1",
)
exercise.slip(
    "A label of -1 goes through, and numpy counts it from behind: it becomes the last class. Negative labels are no "
    "classes either.",
    name="negative_label_let_through",
    right="(labels < 0) | (labels >= classes)",
    wrong="labels >= classes",
)
exercise.slip(
    "You refuse the last class. Labels go from 0 to classes - 1, and classes - 1 is one of them.",
    name="last_class_refused",
    right="labels >= classes)",
    wrong="labels >= classes - 1)",
)


@exercise.mistake(
    "The numbers are right. Two things are to be refused: a label that is no class (numpy counts -1 from behind and "
    "takes it for the last), and a smoothing that is no share. Look at both before you compute, and raise a "
    "ValueError."
)
def nothing_refused(labels, classes, smoothing):
    return (1 - smoothing) * np.eye(classes)[labels] + smoothing / classes


exercise.slip(
    "A smoothing below 0 or above 1 goes through, and makes negative probabilities. Refuse it with a ValueError.",
    name="smoothing_not_looked_at",
    right="if not 0 <= smoothing <= 1:",
    wrong="if smoothing != smoothing:",
)


@exercise.alternative
def row_by_row(labels, classes, smoothing):
    if smoothing < 0 or smoothing > 1:
        raise ValueError("smoothing is no share")
    table = np.zeros((len(labels), classes), dtype=np.float32)
    for row, label in zip(table, labels):
        if label not in range(classes):
            raise ValueError(f"{label} is no class")
        for place in range(classes):
            row[place] = smoothing / classes + (1 - smoothing if place == label else 0)
    return table


@exercise.alternative
def mixed_with_the_even_distribution(labels, classes, smoothing):
    if not 0 <= smoothing <= 1 or not np.isin(labels, np.arange(classes)).all():
        raise ValueError("labels or smoothing out of range")
    one_hot = np.eye(classes)[labels]
    return (1 - smoothing) * one_hot + smoothing * np.ones_like(one_hot) / classes
