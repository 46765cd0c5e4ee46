"""The exercise `cutmix`."""

import numpy as np

from grader.exercises.regularization.common import SINGLE_PRECISION, chapter, derangement, soft_labels

exercise = chapter.exercise(
    "cutmix",
    points=3,
    aspects={"boxes inside": 2, "boxes at the edge": 2, "no box": 1},
    hints=(
        "Clip the box first: which rows and columns of the image does it really cover? Everything else follows from "
        "them, the pixels and the share.",
        "The first row covered is `max(top, 0)`, and the first one no longer covered `min(top + height, rows)`; columns "
        "alike. If nothing is covered, the share is 0 and not negative.",
        "Copy the images, write `images[order]`'s box into the copy, and mix the labels with "
        "`area = covered rows * covered columns / pixels`: (1 - area) of the own, area of the partner's.",
    ),
    tolerance=SINGLE_PRECISION,
)


@exercise.reference
def cutmix(images, labels, order, box):
    top, left, height, width = box
    if height < 0 or width < 0:
        raise ValueError(f"the box is {height} high and {width} wide: neither can be less than 0")
    rows = slice(max(top, 0), max(top + height, 0))
    columns = slice(max(left, 0), max(left + width, 0))
    mixed = images.copy()
    mixed[:, rows, columns] = images[order][:, rows, columns]
    share = images[0, rows, columns].size / images[0].size
    return mixed, (1 - share) * labels + share * labels[order]


exercise.case(
    "boxes inside",
    images=np.arange(1.0, 25).reshape(2, 3, 4),
    labels=np.array([[1.0, 0.0], [0.0, 1.0]]),
    order=np.array([1, 0]),
    box=(1, 1, 2, 2),
)
