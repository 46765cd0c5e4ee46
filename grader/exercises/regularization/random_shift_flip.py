"""The exercise `random_shift_flip`."""

import numpy as np

from grader.exercises.regularization.common import SINGLE_PRECISION, chapter

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
    tolerance=SINGLE_PRECISION,
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


IMAGE = np.array([[1.0, 2.0, 3.0, 4.0], [5.0, 6.0, 7.0, 8.0], [9.0, 8.5, 7.5, 6.5]])
PAIR = np.array([IMAGE, IMAGE**2 / 8])
SQUARE = np.array([[[1.0, 2.0, 3.0], [4.0, 5.0, 6.0], [7.0, 8.0, 9.0]]])


def public(aspect, images, offsets, flips):
    exercise.case(aspect, images=images, offsets=np.array(offsets), flips=np.array(flips))


public("shifts", PAIR, [[1, 2], [-1, -1]], [False, False])
public("shifts", PAIR, [[0, 1], [-2, 0]], [False, False])
public("shifts", SQUARE, [[1, -1]], [False])
public("shifts", PAIR, [[0, 0], [2, -3]], [False, False])
public("flips", PAIR, [[0, 0], [0, 0]], [True, False])
public("flips", PAIR, [[0, 0], [0, 0]], [True, True])
public("flips", SQUARE, [[0, 0]], [True])
public("both", PAIR, [[1, 2], [-1, 0]], [True, False])
public("both", PAIR, [[0, -1], [2, 1]], [False, True])
public("both", SQUARE, [[-1, 1]], [True])
public("large shifts", PAIR, [[2, 3], [3, 0]], [False, True])
public("large shifts", PAIR, [[0, -4], [-2, 3]], [False, True])
public("large shifts", PAIR, [[0, -3], [-2, 0]], [False, True])
public("large shifts", PAIR, [[1, 7], [-5, -5]], [False, False])
public("large shifts", PAIR, [[-4, 1], [1, 1]], [False, True])
exercise.case(
    "large shifts", images=np.zeros((0, 3, 4)), offsets=np.zeros((0, 2), dtype=int), flips=np.zeros(0, dtype=bool)
)


def some_images(rng, furthest, flipped):
    count, height, width = (int(number) for number in rng.integers(3, 7, 3))
    return {
        "images": rng.uniform(0.1, 1, (count, height, width)),
        "offsets": rng.integers(-furthest, furthest + 1, (count, 2)),
        "flips": rng.uniform(size=count) < flipped,
    }


@exercise.hidden("shifts", count=4)
def shifted(rng):
    return some_images(rng, 2, 0)


@exercise.hidden("flips", count=3)
def flipped(rng):
    return some_images(rng, 0, 0.6)


@exercise.hidden("both", count=4)
def shifted_and_flipped(rng):
    return some_images(rng, 2, 0.5)


@exercise.hidden("large shifts", count=3)
def far_away(rng):
    return some_images(rng, 8, 0.5)


CLIPPING = (
    "        top, bottom = max(0, down), min(height, height + down)\n"
    "        left, edge = max(0, right), min(width, width + right)\n"
)
COPY = "result[top:bottom, left:edge] = image[top - down : bottom - down, left - right : edge - right]"

exercise.slip(
    "What you push out on one side comes back in on the other. A digit whose foot hangs from the ceiling is no digit: "
    "fill up with 0.",
    name="wrapped_around",
    right=f"        if top < bottom and left < edge:\n            {COPY}",
    wrong="        result[...] = np.roll(image, (down, right), axis=(0, 1))",
)
exercise.slip(
    "What you push out on one side comes back in on the other, where zeros belong. And you mirror after the shift, so "
    "that right becomes left: mirror first.",
    name="wrapped_around_and_mirrored_then",
    right=f"        if flip:\n            image = image[:, ::-1]\n{CLIPPING}"
    f"        if top < bottom and left < edge:\n            {COPY}",
    wrong="        result[...] = np.roll(image, (down, right), axis=(0, 1))[:, :: -1 if flip else 1]",
)
exercise.slip(
    "You ask whether a place lies beyond the far edge, and not whether it lies before the near one. Row -1 is the last "
    "row for Python, so pixels come back in from the other side, or nothing is found there.",
    name="negative_places_wrap",
    right=f"        if top < bottom and left < edge:\n            {COPY}",
    wrong="        for row, column in np.ndindex(height, width):\n"
    "            if row - down < height and column - right < width:\n"
    "                result[row, column] = image[row - down, column - right]",
)
exercise.slip(
    "You repeat the pixels at the edge. The places that become free are 0.",
    name="edge_repeated",
    right=f"        if top < bottom and left < edge:\n            {COPY}",
    wrong="        result[...] = image.take(range(-down, height - down), 0, mode='clip')"
    ".take(range(-right, width - right), 1, mode='clip')",
)
exercise.slip(
    "What was there before still stands in the places that became free. They are 0: begin with an image of zeros.",
    name="free_places_not_cleared",
    right="shifted = np.zeros_like(images)",
    wrong="shifted = images.copy()",
)
exercise.slip(
    "Your images move the wrong way: a positive number moves them down and to the right.",
    name="wrong_direction",
    right="    for image, result",
    wrong="    offsets = -offsets\n    for image, result",
)
exercise.slip(
    "You took `down` for `right`: the first number of each offset is down, the second right.",
    name="down_and_right_swapped",
    right="(down, right), flip in",
    wrong="(right, down), flip in",
)
exercise.slip(
    "You shift first and mirror then, and so a shift to the right becomes one to the left. Mirror first.",
    name="mirrored_after_the_shift",
    right="        if flip:\n            image = image[:, ::-1]\n",
    wrong="        right = -right if flip else right\n        if flip:\n            image = image[:, ::-1]\n",
)
exercise.slip(
    "You turn the images upside down. Mirrored left to right, the columns are in the reverse order and the rows stay.",
    name="upside_down",
    right="image[:, ::-1]",
    wrong="image[::-1]",
)
exercise.slip(
    "You turn the images by 180 degrees: rows and columns are reversed. Only the columns are to be.",
    name="turned_around",
    right="image[:, ::-1]",
    wrong="image[::-1, ::-1]",
)
exercise.slip(
    "You mirror all images as soon as one is to be mirrored. `flips` decides for each.",
    name="all_or_none_mirrored",
    right="if flip:",
    wrong="if flips.any():",
)
exercise.slip(
    "You mirror where `flips` is False.",
    name="mirrors_the_others",
    right="if flip:",
    wrong="if not flip:",
)
exercise.slip(
    "Your images are shifted and never mirrored. Look at `flips`.",
    name="never_mirrored",
    right="if flip:",
    wrong="if flip is None:",
)
exercise.slip(
    "You shift all images alike, by the first offset. Each has its own: offsets[i].",
    name="first_offset_for_all",
    right="    for image, result",
    wrong="    offsets = np.repeat(offsets[:1], len(images), axis=0)\n    for image, result",
)
exercise.slip(
    "A shift by the height or more stops your function, or lets something through: start and end of your slices have "
    "overtaken each other. Nothing but zeros is left of such an image.",
    name="pushed_out_altogether",
    right="if top < bottom and left < edge:",
    wrong="if True:",
)


@exercise.mistake("Where an offset is 0 your image is lost: `image[:-0]` is `image[:0]`, and that is empty.")
def minus_zero(images, offsets, flips):
    shifted = np.zeros_like(images)
    for number, image in enumerate(images):
        down, right = offsets[number]
        image = image[:, ::-1] if flips[number] else image
        rows, columns = np.zeros_like(image), np.zeros_like(image)
        if down >= 0:
            rows[down:] = image[:-down] if down else 0
        else:
            rows[:down] = image[-down:]
        if right >= 0:
            columns[:, right:] = rows[:, :-right] if right else 0
        else:
            columns[:, :right] = rows[:, -right:]
        shifted[number] = columns
    return shifted


@exercise.mistake(
    "The numbers are right, but you write into `images`, which belong to whoever calls you, and the next epoch would "
    "shift what is shifted already. Make a new array."
)
def in_place(images, offsets, flips):
    height, width = images.shape[1:]
    for number, ((down, right), flip) in enumerate(zip(offsets, flips)):
        image = images[number, :, ::-1].copy() if flip else images[number].copy()
        images[number] = 0
        top, bottom = max(0, down), min(height, height + down)
        left, edge = max(0, right), min(width, width + right)
        if top < bottom and left < edge:
            images[number, top:bottom, left:edge] = image[top - down : bottom - down, left - right : edge - right]
    return images


@exercise.alternative
def pixel_by_pixel(images, offsets, flips):
    count, height, width = images.shape
    result = np.zeros((count, height, width))
    for number, row, column in np.ndindex(count, height, width):
        there = width - 1 - column if flips[number] else column
        down, right = row + offsets[number, 0], there + offsets[number, 1]
        if 0 <= down < height and 0 <= right < width:
            result[number, down, right] = images[number, row, column]
    return result


@exercise.alternative
def cut_from_a_frame(images, offsets, flips):
    count, height, width = images.shape
    result = np.empty(images.shape, dtype=np.float32)
    for number in range(count):
        image = np.fliplr(images[number]) if flips[number] else images[number]
        framed = np.pad(image, ((height, height), (width, width)))
        down, right = np.clip(offsets[number], (-height, -width), (height, width))
        result[number] = framed[height - down : 2 * height - down, width - right : 2 * width - right]
    return result
