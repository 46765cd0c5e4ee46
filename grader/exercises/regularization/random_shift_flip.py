"""The exercise `random_shift_flip`."""

import numpy as np

from grader.exercises.regularization.common import chapter

exercise = chapter.exercise(
    "random_shift_flip",
    points=2,
    aspects={"shifts": 2, "flips": 1, "both": 1, "large shifts": 1},
    hints=(
        "Begin with images of zeros and copy into each the rectangle that stays in sight. Where does it stand before "
        "the shift, and where after it?",
        "Shifted by `down` rows, row r comes from row r - down. The rows that have such a place to come from are "
        "`max(0, down)` to `min(height, height + down)`; columns alike. Mirror before you copy.",
        "`image[:, ::-1]` is the mirror image. With `top = max(0, down)` and `bottom = min(height, height + down)`, "
        "rows top to bottom of the result are rows top - down to bottom - down of the image, if top < bottom.",
    ),
)


@exercise.reference
def random_shift_flip(images, offsets, flips):
    height, width = images.shape[1:]
    shifted = np.zeros_like(images)
    for image, result, (down, right), flip in zip(images, shifted, offsets, flips):
        if flip:
            image = image[:, ::-1]
        top, bottom = max(0, down), min(height, height + down)
        left, edge = max(0, right), min(width, width + right)
        if top < bottom and left < edge:
            result[top:bottom, left:edge] = image[top - down : bottom - down, left - right : edge - right]
    return shifted


exercise.case(
    "shifts", images=np.arange(1.0, 13).reshape(1, 3, 4), offsets=np.array([[1, -1]]), flips=np.array([False])
)
