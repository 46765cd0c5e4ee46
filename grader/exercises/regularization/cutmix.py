"""The exercise `cutmix`."""

import numpy as np

from grader.exercises.regularization.common import SINGLE_PRECISION, chapter, derangement, soft_labels

exercise = chapter.exercise(
    "cutmix",
    points=3,
    aspects={"boxes inside": 2, "boxes at the edge": 2, "no box and the whole image": 1},
    hints=(
        "Clip the box first: which rows and columns of the image does it really cover? Everything else follows from "
        "them, the pixels and the share.",
        "The first row covered is `max(top, 0)`, and the first one no longer covered `min(top + height, rows)`, or "
        "none is covered if that is not larger; columns alike. The share is the number of pixels between them, over "
        "the number in the image.",
        "Copy the images, write `images[order]`'s box into the copy, and mix the labels with "
        "`area = covered rows * covered columns / pixels`: (1 - area) of the own, area of the partner's. "
        "`last = max(last, first)` makes both right where nothing is covered.",
    ),
    tolerance=SINGLE_PRECISION,
)


@exercise.reference
def cutmix(images, labels, order, box):
    top, left, height, width = box
    if height < 0 or width < 0:
        raise ValueError(f"the box is {height} high and {width} wide: neither can be less than 0")
    covered = np.zeros(images.shape[1:], dtype=bool)
    covered[max(top, 0) : max(top + height, 0), max(left, 0) : max(left + width, 0)] = True
    share = covered.mean()
    return np.where(covered, images[order], images), (1 - share) * labels + share * labels[order]


three = {
    "images": np.arange(1.0, 25).reshape(3, 2, 4) * np.array([1, -1, 2]).reshape(3, 1, 1),
    "labels": np.array([[1.0, 0.0], [0.0, 1.0], [0.5, 0.5]]),
    "order": np.array([1, 2, 0]),
}
square = {
    "images": np.arange(1.0, 9).reshape(2, 2, 2),
    "labels": np.array([[1.0, 0.0, 0.0], [0.0, 0.0, 1.0]]),
    "order": np.array([1, 0]),
}
exercise.case("boxes inside", **three, box=(0, 1, 2, 1))
exercise.case("boxes inside", **three, box=(1, 0, 1, 1))
exercise.case("boxes inside", **square, box=(1, 0, 1, 2))
# Pixels that are equal in both images, and an image that is its own partner: they are in the box all the same.
exercise.case(
    "boxes inside",
    images=np.array([[[1.0, 2.0], [3.0, 4.0]], [[1.0, 2.0], [5.0, 6.0]], [[7.0, 2.0], [3.0, 8.0]]]),
    labels=three["labels"],
    order=np.array([0, 2, 1]),
    box=(0, 0, 1, 2),
)
exercise.case("boxes at the edge", **three, box=(1, 2, 4, 5))
exercise.case("boxes at the edge", **three, box=(-1, -2, 2, 5))
exercise.case("boxes at the edge", **square, box=(-2, 1, 4, 1))
exercise.case("boxes at the edge", **square, box=(1, -1, 1, 9))
exercise.case("no box and the whole image", **square, box=(1, 2, 0, 3))
# Boxes of which nothing lies in the image, empty ones and others: what is clipped ends before it begins.
exercise.case("no box and the whole image", **square, box=(-1, 0, 0, 2))
exercise.case("no box and the whole image", **square, box=(5, 5, 0, 0))
exercise.case("no box and the whole image", **square, box=(-4, 1, 2, 2))
exercise.case("no box and the whole image", **three, box=(0, 0, 2, 4))
exercise.case("no box and the whole image", **square, box=(-1, -2, 20, 20))
exercise.case("no box and the whole image", **three, box=(1, 1, -1, 2))
exercise.case("no box and the whole image", **three, box=(1, 1, 2, -1))


def one_batch(rng, box):
    height, width = (int(number) for number in rng.integers(4, 8, 2))
    count = int(rng.integers(3, 6))
    return {
        "images": rng.uniform(0.1, 1, (count, height, width)),
        "labels": soft_labels(rng, count, int(rng.integers(2, 5))),
        "order": derangement(rng, count),
        "box": tuple(int(number) for number in box(height, width)),
    }


@exercise.hidden("boxes inside", count=4)
def inside(rng):
    def box(height, width):
        top, left = rng.integers(0, height - 1), rng.integers(0, width - 1)
        return top, left, rng.integers(1, height - top), rng.integers(1, width - left)

    return one_batch(rng, box)


@exercise.hidden("boxes at the edge", count=5)
def at_the_edge(rng):
    def box(height, width):
        top, left = rng.choice([-2, -1, height - 2, height - 1]), rng.integers(-2, width - 1)
        return top, left, rng.integers(3, 7), rng.integers(3, 7)

    return one_batch(rng, box)


@exercise.hidden("no box and the whole image", count=4)
def nothing_or_everything(rng):
    def box(height, width):
        boxes = ((0, 0, height, width), (1, 1, 0, 2), (2, 0, 3, 0), (-1, -1, 99, 99), (1, width + 1, 2, 1))
        return boxes[rng.integers(len(boxes))]

    return one_batch(rng, box)


BOX = "max(top, 0) : max(top + height, 0), max(left, 0) : max(left + width, 0)"

exercise.slip(
    "Your labels count the whole box, also what lies outside the image. Count the pixels that were exchanged: the part "
    "that is left after clipping.",
    name="share_of_the_whole_box",
    right="share = covered.mean()",
    wrong="share = height * width / covered.size",
)
exercise.slip(
    "A box that begins above the image or left of it lands elsewhere: a negative number in a slice counts from the "
    "other end. Clip the box at 0 first.",
    name="negative_start_counted_from_behind",
    right=f"covered[{BOX}]",
    wrong="covered[top : top + height, left : left + width]",
)
exercise.slip(
    "You clip nothing. A negative start counts from the other end, so the box lands elsewhere or nowhere, and the "
    "labels count pixels that no image has. First find the rows and columns that the box really covers.",
    name="nothing_clipped",
    right=f"covered[{BOX}] = True\n    share = covered.mean()",
    wrong="covered[top : top + height, left : left + width] = True\n    share = height * width / covered.size",
)
exercise.slip(
    "A box that would begin outside is pushed into the image whole. It is cut off at the edge, and what lies outside "
    "is lost.",
    name="box_pushed_inside",
    right=f"covered[{BOX}]",
    wrong="covered[max(top, 0) : max(top, 0) + height, max(left, 0) : max(left, 0) + width]",
)
exercise.slip(
    "Your images are right. In the labels the shares are swapped: the box's share belongs to the partner.",
    name="label_shares_swapped",
    right="(1 - share) * labels + share * labels[order]",
    wrong="share * labels + (1 - share) * labels[order]",
)
exercise.slip(
    "You exchange pixels and keep the labels. The network would be punished for seeing what you pasted.",
    name="labels_not_mixed",
    right="(1 - share) * labels + share * labels[order]",
    wrong="labels",
)
exercise.slip(
    "Your labels are mixed half and half, whatever the box. Its share of the pixels decides.",
    name="labels_half_and_half",
    right="(1 - share) * labels + share * labels[order]",
    wrong="(labels + labels[order]) / 2",
)
exercise.slip(
    "You fill the box with zeros. That is cutout, which keeps the label; cutmix fills it from the partner.",
    name="filled_with_zeros",
    right="np.where(covered, images[order], images)",
    wrong="np.where(covered, 0.0, images)",
)
exercise.slip(
    "Your box is the image's own, and everything else comes from the partner. It is the other way round.",
    name="inside_and_outside_swapped",
    right="np.where(covered, images[order], images)",
    wrong="np.where(covered, images, images[order])",
)
exercise.slip(
    "You took the box's rows for its columns: it is (top, left, height, width), and rows come first.",
    name="rows_and_columns_swapped",
    right="top, left, height, width = box",
    wrong="left, top, width, height = box",
)
exercise.slip(
    "You took the first two numbers of the box in the wrong order: its first row is `top`, its first column `left`.",
    name="top_and_left_swapped",
    right="top, left, height, width = box",
    wrong="left, top, height, width = box",
)
exercise.slip(
    "You took the last two numbers of the box in the wrong order: the height counts rows, and stands before the width.",
    name="height_and_width_swapped",
    right="top, left, height, width = box",
    wrong="top, left, width, height = box",
)
exercise.slip(
    "You took the last two numbers of the box for its last row and column. They are its height and its width.",
    name="size_taken_for_the_end",
    right=f"covered[{BOX}]",
    wrong="covered[max(top, 0) : height, max(left, 0) : width]",
)
exercise.slip(
    "Your box is one row and one column too large. A slice leaves out its end, so `top + height` is right as it is.",
    name="one_too_large",
    right=f"covered[{BOX}]",
    wrong="covered[max(top, 0) : max(top + height + 1, 0), max(left, 0) : max(left + width + 1, 0)]",
)
exercise.slip(
    "You go through `order` backwards: the partner of image i is image order[i], not the one whose entry is i.",
    name="order_backwards",
    right="    share =",
    wrong="    order = np.argsort(order)\n    share =",
)
exercise.slip(
    "Your pixels and your labels come from different partners. Both take them from `order`.",
    name="labels_with_another_partner",
    right="labels[order]",
    wrong="labels[::-1]",
)
exercise.slip(
    "You count the numbers that have changed. A pixel that is equal in both images changes nothing, and an image may "
    "be its own partner, but they are in the box all the same: count the pixels that the box covers.",
    name="changed_pixels_counted",
    right="share = covered.mean()",
    wrong="share = np.mean(np.where(covered, images[order], images) != images)",
)
exercise.slip(
    "Your labels take the covered share of the height. The box covers a part of the width as well: count pixels.",
    name="share_of_the_height",
    right="share = covered.mean()",
    wrong="share = covered.any(axis=1).mean()",
)


@exercise.mistake(
    "You paste into the array that the partners are taken from, so some partners have a foreign box already. Take the "
    "partners from the images as they came."
)
def partners_already_mixed(images, labels, order, box):
    top, left, height, width = box
    if height < 0 or width < 0:
        raise ValueError("no box")
    covered = np.zeros(images.shape[1:], dtype=bool)
    covered[max(top, 0) : max(top + height, 0), max(left, 0) : max(left + width, 0)] = True
    share, mixed = covered.mean(), images.copy()
    for number, partner in enumerate(order):
        mixed[number, covered] = mixed[partner, covered]
    return mixed, (1 - share) * labels + share * labels[order]


@exercise.mistake(
    "Your numbers are right, but you paste into `images` itself, which belong to whoever calls you, and the next epoch "
    "would cut from what is pasted already. Copy them first."
)
def in_place(images, labels, order, box):
    top, left, height, width = box
    if height < 0 or width < 0:
        raise ValueError("no box")
    rows = slice(max(top, 0), max(top + height, 0))
    columns = slice(max(left, 0), max(left + width, 0))
    images[:, rows, columns] = images[order][:, rows, columns]
    share = images[0, rows, columns].size / images[0].size
    return images, (1 - share) * labels + share * labels[order]


@exercise.mistake(
    "Where nothing of the box lies in the image, your last row or column comes before the first, and the difference "
    "is below 0. Then labels get a share that is no share, and a slice with a negative end may even exchange pixels. "
    "Let the end be no less than the beginning."
)
def box_beside_the_image_counted(images, labels, order, box):
    top, left, height, width = box
    if height < 0 or width < 0:
        raise ValueError("no box")
    first, last = max(top, 0), min(top + height, images.shape[1])
    start, end = max(left, 0), min(left + width, images.shape[2])
    mixed = images.copy()
    mixed[:, first:last, start:end] = images[order, first:last, start:end]
    share = (last - first) * (end - start) / images[0].size
    return mixed, (1 - share) * labels + share * labels[order]


@exercise.mistake(
    "You clip the box below and at the right. A box that begins above the image or left of it has a negative number in "
    "its slice, which counts from the other end: clip the beginning at 0 too."
)
def only_the_end_clipped(images, labels, order, box):
    top, left, height, width = box
    if height < 0 or width < 0:
        raise ValueError("no box")
    last, end = min(top + height, images.shape[1]), min(left + width, images.shape[2])
    mixed = images.copy()
    mixed[:, top:last, left:end] = images[order, top:last, left:end]
    share = (last - top) * (end - left) / images[0].size
    return mixed, (1 - share) * labels + share * labels[order]


exercise.slip(
    "A negative height or width goes through as an empty box. It is a fault of whoever drew it: refuse it with a "
    "ValueError.",
    name="negative_size_let_through",
    right="if height < 0 or width < 0:",
    wrong="if height is None:",
)


@exercise.alternative
def pixel_by_pixel(images, labels, order, box):
    top, left, height, width = box
    if min(height, width) < 0:
        raise ValueError("a box of negative size")
    mixed, exchanged = images.astype(np.float32), 0
    rows, columns = images.shape[1:]
    for row in range(rows):
        for column in range(columns):
            if top <= row < top + height and left <= column < left + width:
                exchanged += 1
                for number in range(len(images)):
                    mixed[number, row, column] = images[order[number], row, column]
    area = exchanged / (rows * columns)
    return [mixed, labels + area * (labels[order] - labels)]


@exercise.alternative
def clipped_box(images, labels, order, box):
    rows, columns = images.shape[1:]
    if box[2] < 0 or box[3] < 0:
        raise ValueError(box)
    first, last = np.clip([box[0], box[0] + box[2]], 0, rows)
    start, end = np.clip([box[1], box[1] + box[3]], 0, columns)
    mixed = np.copy(images)
    mixed[:, first:last, start:end] = images[order, first:last, start:end]
    own = 1 - (last - first) * (end - start) / (rows * columns)
    return mixed, own * labels + (1 - own) * labels[order]
