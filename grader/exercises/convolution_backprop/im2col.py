"""The exercise `im2col`."""

import numpy as np
import torch
from torch.nn import functional

from grader.exercises.convolution_backprop.common import SINGLE_PRECISION, chapter, entries, settings, table

exercise = chapter.exercise(
    "im2col",
    points=3,
    aspects={
        "one channel": 1,
        "channels and batch": 2,
        "stride, padding, dilation": 1,
        "everything at once": 1,
        "what does not fit": 1,
    },
    hints=(
        "One column of the result is what the kernel sees at one place: all channels, rows and columns under it in one "
        "long row of numbers. One row of the result is what one entry of the kernel sees at all places.",
        "Collect the pixels in an array of shape (batch, channels, kernel_height, kernel_width, out_height, "
        "out_width), one kernel entry after the other as in `conv2d`, and reshape at the end.",
        "For each `row` and `column` of the kernel, fill `patches[:, :, row, column]` with the pixels of the padded "
        "images from `row * dilation` and `column * dilation` on in steps of `stride`. Then "
        "`patches.reshape(batch, channels * kernel_height * kernel_width, -1)`.",
    ),
    tolerance=SINGLE_PRECISION,
)


@exercise.reference
def im2col(x, kernel_shape, stride=1, padding=0, dilation=1):
    batch, channels, height, width = x.shape
    kernel_height, kernel_width = kernel_shape
    out_height, out_width = (
        (size + 2 * padding - dilation * (kernel - 1) - 1) // stride + 1
        for size, kernel in zip(x.shape[2:], kernel_shape)
    )
    if out_height < 1 or out_width < 1:
        raise ValueError(
            f"a kernel of {kernel_height} x {kernel_width} with dilation {dilation} is larger than an image of "
            f"{height} x {width} with padding {padding}: pad more, or take a smaller kernel"
        )
    padded = np.pad(x, ((0, 0), (0, 0), (padding, padding), (padding, padding)))
    patches = np.zeros((batch, channels, kernel_height, kernel_width, out_height, out_width))
    for row in range(kernel_height):
        for column in range(kernel_width):
            rows = slice(row * dilation, row * dilation + stride * (out_height - 1) + 1, stride)
            columns = slice(column * dilation, column * dilation + stride * (out_width - 1) + 1, stride)
            patches[:, :, row, column] = padded[:, :, rows, columns]
    return patches.reshape(batch, channels * kernel_height * kernel_width, out_height * out_width)


single, channels, geometry, together, misfits = exercise.aspects
exercise.case(single, x=table(1, 1, 2, 3), kernel_shape=(2, 2))
exercise.case(single, x=table(1, 1, 3, 4), kernel_shape=(2, 3))
exercise.case(single, x=table(1, 1, 4, 3), kernel_shape=(2, 1))
exercise.case(single, x=table(1, 1, 3, 3), kernel_shape=(2, 2))
exercise.case(channels, x=table(1, 2, 3, 3), kernel_shape=(2, 2))
exercise.case(channels, x=table(2, 1, 2, 3), kernel_shape=(1, 2))
exercise.case(channels, x=table(3, 2, 2, 4), kernel_shape=(2, 3))
exercise.case(channels, x=table(2, 2, 3, 3), kernel_shape=(2, 2))
exercise.case(geometry, x=table(1, 1, 4, 6), kernel_shape=(2, 2), stride=2)
# The stride does not divide: the last row and column are not read.
exercise.case(geometry, x=table(1, 1, 4, 6), kernel_shape=(2, 2), stride=3)
exercise.case(geometry, x=table(1, 1, 2, 3), kernel_shape=(2, 2), padding=1)
exercise.case(geometry, x=table(1, 1, 4, 5), kernel_shape=(2, 3), dilation=2)
exercise.case(geometry, x=table(1, 1, 4, 5), kernel_shape=(3, 2), stride=2, padding=2, dilation=3)
exercise.case(together, x=table(2, 2, 4, 3), kernel_shape=(2, 3), stride=2, padding=1, dilation=2)
# It just fits, with the padding of both sides.
exercise.case(misfits, x=table(1, 1, 1, 2), kernel_shape=(3, 4), padding=1)
exercise.case(misfits, x=table(1, 1, 4, 3), kernel_shape=(5, 1), stride=2)
exercise.case(misfits, x=table(1, 1, 3, 4), kernel_shape=(1, 5), stride=2)
# Each of these fits without its gaps.
exercise.case(misfits, x=table(1, 1, 4, 4), kernel_shape=(2, 3), stride=2, dilation=2)
exercise.case(misfits, x=table(1, 1, 4, 4), kernel_shape=(3, 2), stride=2, dilation=2)


def drawn(rng, batch, channels, **settings):
    """Images that are large enough for the largest kernel, and not square."""
    height, width = rng.choice(np.arange(7, 11), 2, replace=False)
    kernel_shape = tuple(int(size) for size in rng.choice([2, 3, 4], 2, replace=False))
    return {"x": entries(rng, batch, channels, height, width), "kernel_shape": kernel_shape} | settings


@exercise.hidden(single, count=3)
def one_image(rng):
    return drawn(rng, 1, 1)


@exercise.hidden(channels, count=4)
def several(rng):
    return drawn(rng, *rng.choice([2, 3, 4, 5], 2, replace=False))


@exercise.hidden(geometry, count=5)
def any_settings(rng):
    return drawn(rng, 1, 1, **settings(rng) | {"dilation": int(rng.integers(1, 3))})


@exercise.hidden(together, count=3)
def everything(rng):
    return drawn(rng, *rng.choice([2, 3, 4], 2, replace=False), **settings(rng) | {"dilation": int(rng.integers(1, 3))})


@exercise.hidden(misfits, count=2)
def too_large(rng):
    arguments = drawn(rng, 1, 1)
    return arguments | {"x": arguments["x"][:, :, : arguments["kernel_shape"][0] - 1]}


RETURNED = "patches.reshape(batch, channels * kernel_height * kernel_width, out_height * out_width)"
exercise.slip(
    "Your columns are right and lie down: one row for each place. Asked for is one column for each place, so that the "
    "weights stand on the left of the product.",
    name="places_in_rows",
    right=RETURNED,
    wrong=f"{RETURNED}.swapaxes(1, 2)",
)
exercise.slip(
    "In your columns the channels alternate: all of them for one pixel, then for the next. Channel by channel it must "
    "be, as in `weights.reshape(out_channels, -1)`, or the weights meet the wrong pixels.",
    name="channels_last",
    right="return patches",
    wrong="return patches.transpose(0, 2, 3, 1, 4, 5)",
)
exercise.slip(
    "In your columns a patch stands column by column. It must be row by row, as the weights are when reshaped.",
    name="patch_column_by_column",
    right="return patches",
    wrong="return patches.swapaxes(2, 3)",
)
exercise.slip(
    "Your places go down the image first. They go along a row first: place i * out_width + j is that of output (i, j).",
    name="places_column_by_column",
    right="return patches",
    wrong="return patches.swapaxes(4, 5)",
)
exercise.slip(
    "Your patches are flipped. The first pixel of a column is the upper left one under the kernel.",
    name="flipped",
    right="patches[:, :, row, column]",
    wrong="patches[:, :, -1 - row, -1 - column]",
)
exercise.slip(
    "All pixels are there, and in disorder: reshape keeps the order in which they lie in memory. Kernel rows and "
    "columns have to come before the places already when you reshape.",
    name="reshaped_without_moving_axes",
    right="return patches",
    wrong="return patches.transpose(0, 1, 4, 5, 2, 3)",
)
exercise.slip(
    "You put the columns of all images side by side. Asked for is one matrix for each image.",
    name="images_side_by_side",
    right=RETURNED,
    wrong=f"np.concatenate(list({RETURNED}), axis=1)",
)
exercise.slip(
    "You return the first image only.",
    name="first_image_only",
    right=RETURNED,
    wrong=f"{RETURNED}[0]",
)
exercise.slip(
    "You take the kernel for a square. Its height and its width may differ.",
    name="square_kernel",
    right="    batch, channels",
    wrong="    kernel_shape = kernel_shape[0], kernel_shape[0]\n    batch, channels",
)
exercise.slip(
    "Your stride is always 1.",
    name="stride_left_out",
    right="    batch, channels",
    wrong="    stride = 1\n    batch, channels",
)
exercise.slip(
    "Your padding is always 0. `padding` zeros come on each of the four sides.",
    name="padding_left_out",
    right="    batch, channels",
    wrong="    padding = 0\n    batch, channels",
)
exercise.slip(
    "Your dilation is always 1. Between the pixels that a kernel reads lie `dilation` places.",
    name="dilation_left_out",
    right="    batch, channels",
    wrong="    dilation = 1\n    batch, channels",
)
exercise.slip(
    "You repeat the pixels at the border. The padding is zeros.",
    name="border_repeated",
    right="(padding, padding)))",
    wrong='(padding, padding)), mode="edge")',
)
exercise.slip(
    "With dilation you have too few places: a kernel of k entries has k - 1 gaps, so it covers `dilation * (k - 1) + "
    "1` pixels and not `dilation * k`.",
    name="one_gap_too_many",
    right="dilation * (kernel - 1) - 1",
    wrong="dilation * kernel",
)


@exercise.mistake(
    "A kernel that is a little larger than the padded image gets a matrix without columns from you. Refuse it with a "
    "ValueError, or nobody notices."
)
def no_columns(x, kernel_shape, stride=1, padding=0, dilation=1):
    padded = np.pad(x, ((0, 0), (0, 0), (padding, padding), (padding, padding)))
    covered = [dilation * (size - 1) + 1 for size in kernel_shape]
    columns = [
        padded[:, :, i : i + covered[0] : dilation, j : j + covered[1] : dilation].reshape(len(x), -1)
        for i in range(0, padded.shape[2] - covered[0] + 1, stride)
        for j in range(0, padded.shape[3] - covered[1] + 1, stride)
    ]
    nothing = np.zeros((len(x), x.shape[1] * kernel_shape[0] * kernel_shape[1], 0))
    return np.stack(columns, axis=2) if columns else nothing


exercise.slip(
    "You refuse a kernel that fits in exactly one place.",
    name="exact_fit_refused",
    right="out_height < 1 or out_width < 1",
    wrong="out_height * out_width < 2",
)
exercise.slip(
    "The size of your output knows the dilation, and the pixels that you read do not: row r of the kernel "
    "reads `r * dilation` rows further down, and columns likewise.",
    name="dilation_in_the_size_only",
    right="    for row in range(kernel_height):",
    wrong="    dilation = 1\n    for row in range(kernel_height):",
)
exercise.slip(
    "Your padding is not what the size of the output asks for: `padding` zeros come on both sides of rows and of "
    "columns, and none around images and channels.",
    name="padded_in_other_places",
    right="((0, 0), (0, 0), (padding, padding), (padding, padding))",
    wrong="((0, 0), (0, 0), (padding, 0), (padding, 0))",
)
exercise.slip(
    "Your zeros come on one axis only. Rows and columns both get them, on both sides.",
    name="padded_on_one_axis",
    right="((0, 0), (0, 0), (padding, padding), (padding, padding))",
    wrong="((0, 0), (0, 0), (padding, padding), (0, 0))",
)


@exercise.alternative
def place_by_place(x, kernel_shape, stride=1, padding=0, dilation=1):
    batch, channels, height, width = x.shape
    padded = np.zeros((batch, channels, height + 2 * padding, width + 2 * padding))
    padded[:, :, padding : padding + height, padding : padding + width] = x
    reach = [dilation * (size - 1) for size in kernel_shape]
    tops = range(0, padded.shape[2] - reach[0], stride)
    lefts = range(0, padded.shape[3] - reach[1], stride)
    if len(tops) * len(lefts) == 0:
        raise ValueError("the kernel is too large")
    columns = []
    for top in tops:
        for left in lefts:
            patch = padded[:, :, top : top + reach[0] + 1 : dilation, left : left + reach[1] + 1 : dilation]
            columns.append(patch.reshape(batch, -1))
    return np.stack(columns, axis=-1)


@exercise.alternative
def with_windows(x, kernel_shape, stride=1, padding=0, dilation=1):
    padded = np.pad(x, [(0, 0), (0, 0), (padding, padding), (padding, padding)])
    covered = tuple(dilation * (size - 1) + 1 for size in kernel_shape)
    windows = np.lib.stride_tricks.sliding_window_view(padded, covered, axis=(2, 3))
    windows = windows[:, :, ::stride, ::stride, ::dilation, ::dilation]
    places = windows.shape[2] * windows.shape[3]
    return windows.transpose(0, 1, 4, 5, 2, 3).reshape(len(x), -1, places)


@exercise.alternative
def unfolded_by_torch(x, kernel_shape, stride=1, padding=0, dilation=1):
    try:
        images = torch.tensor(x, dtype=torch.float32)
        return functional.unfold(images, kernel_shape, dilation, padding, stride).numpy()
    except RuntimeError as error:
        raise ValueError("torch refuses it") from error
