"""The exercise `one_hot`."""

import numpy as np

from grader.exercises.preprocessing.common import chapter

exercise = chapter.exercise(
    "one_hot",
    points=1,
    aspects={"known labels": 2, "unknown labels": 1, "any number": 1},
    hints=(
        "Begin with a table of zeros of the right shape. Which entry of each row becomes 1?",
        "`classes.index(label)` is the column of a label, if it is one of the classes. Ask that first, with `in`.",
        "`for row, label in zip(rows, labels):` goes through both at once, and `row[classes.index(label)] = 1` writes "
        "into the table.",
    ),
)


@exercise.reference
def one_hot(labels, classes):
    rows = np.zeros((len(labels), len(classes)))
    for row, label in zip(rows, labels):
        if label in classes:
            row[classes.index(label)] = 1
    return rows


exercise.case("known labels", labels=["red", "blue", "red"], classes=["red", "green", "blue"])
# Neither the alphabet's order nor that of the labels, and as many labels as classes.
exercise.case("known labels", labels=["tea", "milk", "water"], classes=["water", "milk", "tea"])
exercise.case("unknown labels", labels=["pink", "red", "Red", ""], classes=["red", "green", "blue"])
exercise.case("unknown labels", labels=["gold", "blue"], classes=["green", "blue"])
exercise.case("any number", labels=["a"], classes=["d", "b", "a", "c"])
exercise.case("any number", labels=[], classes=["a", "b"])
exercise.case("any number", labels=["a", "a", "a"], classes=["a"])
# A part of a word is not the word.
exercise.case("unknown labels", labels=["infrared", "reddish", " red", "re", "blue "], classes=["red", "green", "blue"])

WORDS = ("amber", "birch", "cedar", "dune", "ember", "fjord", "grove", "heath", "isle", "jetty")


def draw_labels(rng, count, *, unknown):
    """So many labels, some of them unknown if that is asked for, and the classes in any order."""
    words = rng.permutation(WORDS).tolist()
    classes = words[: rng.integers(2, 7)]
    labels = rng.choice(words if unknown else classes, count).tolist()
    return {"labels": labels, "classes": classes}


@exercise.hidden("known labels", count=4)
def known(rng):
    return draw_labels(rng, int(rng.integers(5, 12)), unknown=False)


@exercise.hidden("unknown labels", count=4)
def partly_unknown(rng):
    return draw_labels(rng, 20, unknown=True)


@exercise.hidden("any number", count=3)
def few_or_many(rng):
    return draw_labels(rng, int(rng.choice([1, 2, 40])), unknown=False)


exercise.slip(
    "A label that is no class stops your function. Data that come later bring labels nobody has seen: their row stays "
    "all zeros.",
    name="unknown_label_raises",
    right="if label in classes:",
    wrong="if label is not None:",
)
exercise.slip(
    "An unknown label is counted as the last class. That is what column -1 means in Python; leave its row at zero.",
    name="unknown_is_the_last_class",
    right="if label in classes:\n            row[classes.index(label)] = 1",
    wrong="row[classes.index(label) if label in classes else -1] = 1",
)
exercise.slip(
    "An unknown label has no row in your table, so that the rows below it no longer belong to their labels. Keep its "
    "row, with zeros.",
    name="unknown_label_dropped",
    right="    rows =",
    wrong="    labels = [label for label in labels if label in classes]\n    rows =",
)
exercise.slip(
    "Your columns are in the order of the alphabet. Column j belongs to classes[j], in the order that you were given.",
    name="columns_sorted",
    right="    rows =",
    wrong="    classes = sorted(classes)\n    rows =",
)
exercise.slip(
    "You make the columns from the labels at hand. Another batch then has other columns; `classes` fixes them once and "
    "for all.",
    name="columns_from_the_labels",
    right="    rows =",
    wrong="    classes = sorted(set(labels))\n    rows =",
)
exercise.slip(
    "Your table lies on its side: one row for each label, one column for each class.",
    name="transposed",
    right="return rows",
    wrong="return rows.T",
)
exercise.slip(
    "You return the number of each class. As numbers, the third class would be three times the first, and the mean of "
    "the first and the third would be the second; a column of its own for each says nothing of the kind.",
    name="class_numbers",
    right="return rows",
    wrong="return np.array([classes.index(label) if label in classes else -1 for label in labels])",
)
exercise.slip(
    "Your table holds whole numbers. A network computes with floats, so make them floats from the beginning.",
    name="whole_numbers",
    right="(len(labels), len(classes))",
    wrong="(len(labels), len(classes)), dtype=int",
)


@exercise.mistake(
    "Without any label your table has lost its columns: `np.array([])` has shape (0,). Begin with `np.zeros` of the "
    "right shape, or reshape in the end."
)
def columns_lost_without_labels(labels, classes):
    return np.array([[float(label == name) for name in classes] for label in labels])


@exercise.alternative
def entry_by_entry(labels, classes):
    table = [[float(label == name) for name in classes] for label in labels]
    return np.array(table).reshape(len(labels), len(classes))


@exercise.alternative
def rows_of_the_identity(labels, classes):
    column = {name: number for number, name in enumerate(classes)}
    rows = np.vstack([np.eye(len(classes), dtype=np.float32), np.zeros(len(classes), dtype=np.float32)])
    return rows[[column.get(label, len(classes)) for label in labels]]
