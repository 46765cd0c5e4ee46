"""The exercise `max_pool_backward`."""

import numpy as np
import torch
from torch.nn import functional

from grader.exercises.convolution_backprop.common import SINGLE_PRECISION, chapter, entries, table

exercise = chapter.exercise(
    "max_pool_backward",
    points=3,
    aspects={"windows side by side": 2, "ties": 1, "overlapping windows": 1, "what does not fit": 1},
    hints=(
        "Only the largest pixel of a window had a say in the output. To which pixel does the gradient of an output go, "
        "and what do the others get?",
        "Go through all windows of all images and channels. `np.argmax` finds the first of the largest pixels in the "
        "flattened window, `np.unravel_index` says in which row and column of the window it stands.",
        "In the window that begins at row `i * stride` and column `j * stride`: `row, column = "
        "np.unravel_index(np.argmax(window), window.shape)`, and there you *add* `output_gradient[n, c, i, j]`.",
    ),
    tolerance=SINGLE_PRECISION,
)


@exercise.reference
def max_pool_backward(output_gradient, x, kernel_size, stride):
    batch, channels, height, width = x.shape
    if kernel_size > min(height, width):
        raise ValueError(f"a window of {kernel_size} x {kernel_size} is larger than an image of {height} x {width}")
    out_height = (height - kernel_size) // stride + 1
    out_width = (width - kernel_size) // stride + 1
    shape = (batch, channels, out_height, out_width)
    if output_gradient.shape != shape:
        raise ValueError(f"output_gradient has the shape {output_gradient.shape}, and the output has {shape}")
    x_gradient = np.zeros(x.shape)
    for n, c, i, j in np.ndindex(shape):
        top, left = i * stride, j * stride
        window = x[n, c, top : top + kernel_size, left : left + kernel_size]
        row, column = np.unravel_index(np.argmax(window), window.shape)
        x_gradient[n, c, top + row, left + column] += output_gradient[n, c, i, j]
    return x_gradient


apart, ties, overlapping, misfits = exercise.aspects


def case(aspect, rows, kernel_size, stride, output_rows):
    """A public case of one image with one channel."""
    x, output_gradient = np.array([[rows]], dtype=float), np.array([[output_rows]], dtype=float)
    exercise.case(aspect, output_gradient=output_gradient, x=x, kernel_size=kernel_size, stride=stride)


square = [[1, 5, 2, 0], [3, 4, 7, 6], [9, 2, 1, 3], [8, 0, 2, 4]]
case(apart, square, 2, 2, [[10, 20], [30, 40]])
# Every pixel is negative, and so are some gradients.
case(apart, [[-3, -1, -4, -2, -9, -5], [-7, -2, -1, -8, -6, -4]], 2, 2, [[3, -1, 2]])
# What is left over at the right and below, or between the windows, is not read.
case(apart, [[1, 2, 9], [4, 3, 8], [7, 6, 5]], 2, 2, [[5]])
case(apart, [[1, 9, 2, 5, 4], [3, 8, 6, 7, 0], [4, 2, 1, 3, 5]], 1, 2, [[1, 2, 3], [4, 5, 6]])
exercise.case(
    apart,
    output_gradient=table(2, 2, 1, 2),
    x=np.array(
        [
            [[[1, 4, 2, 0], [3, 2, 1, 5]], [[9, 6, 7, 8], [5, 4, 2, 1]]],
            [[[2, 1, 0, 3], [5, 3, 4, 1]], [[1, 0, 9, 2], [2, 3, 7, 6]]],
        ],
        dtype=float,
    ),
    kernel_size=2,
    stride=2,
)
case(ties, [[1, 3, 2, 2], [0, 2, 2, 1]], 2, 2, [[5, 7]])
case(ties, [[0, 0, 1, 2], [0, 0, 2, 2]], 2, 2, [[3, 4]])
case(ties, [[1, 4, 2], [4, 0, 3], [2, 4, 1]], 3, 1, [[6]])
case(overlapping, [[1, 5, 2], [3, 9, 4], [6, 2, 7]], 2, 1, [[1, 10], [100, 1000]])
case(overlapping, [[-4, -7, -1, -2, -6], [-3, -8, -5, -9, -10], [-2, -6, -11, -3, -5]], 3, 2, [[2, 3]])
case(overlapping, [[1, 8, 3, 6, 2], [4, 2, 9, 5, 7], [6, 3, 1, 4, 0]], 2, 1, [[1, 2, 3, 4], [5, 6, 7, 8]])
case(misfits, square, 2, 2, [[1, 2], [3, 4]])
case(misfits, square, 2, 2, [[1, 2]])
case(misfits, square, 2, 2, [[1]])
case(misfits, square, 3, 2, [[1, 2], [3, 4]])
case(misfits, square, 2, 1, [[1, 2], [3, 4]])
case(misfits, [[1, 5, 2], [3, 4, 7], [9, 2, 1], [8, 0, 6]], 2, 1, [[1, 2, 3], [4, 5, 6]])
case(misfits, [[1, 5, 2], [3, 4, 7], [9, 2, 1], [8, 0, 6]], 2, 1, [[1], [2], [3]])
exercise.case(misfits, output_gradient=np.ones((1, 1, 0, 2)), x=table(1, 1, 2, 4), kernel_size=3, stride=1)
exercise.case(misfits, output_gradient=np.ones((1, 1, 2, 0)), x=table(1, 1, 4, 2), kernel_size=3, stride=1)
exercise.case(misfits, output_gradient=np.ones((1, 2, 1, 1)), x=np.ones((1, 1, 2, 2)), kernel_size=2, stride=2)


def drawn(rng, kernel_size, stride, pixels=None):
    """Images in which no two pixels are equal, unless the `pixels` to choose from say so."""
    batch, channels = rng.integers(2, 4, 2)
    height, width = rng.choice(np.arange(7, 11), 2, replace=False)
    shape = batch, channels, height, width
    count = batch * channels * height * width
    x = rng.permutation(count) - count // 2 if pixels is None else rng.choice(pixels, count)
    out = [(size - kernel_size) // stride + 1 for size in (height, width)]
    return {
        "output_gradient": entries(rng, batch, channels, *out),
        "x": x.reshape(shape).astype(float),
        "kernel_size": kernel_size,
        "stride": stride,
    }


@exercise.hidden(apart, count=4)
def windows_apart(rng):
    size = int(rng.integers(1, 4))
    return drawn(rng, size, size + int(rng.integers(0, 2)))


@exercise.hidden(ties, count=3)
def equal_pixels(rng):
    size = int(rng.integers(2, 4))
    return drawn(rng, size, size, pixels=[0, 1, 2])


@exercise.hidden(overlapping, count=4)
def windows_that_overlap(rng):
    size = int(rng.integers(2, 5))
    return drawn(rng, size, int(rng.integers(1, size)))


@exercise.hidden(misfits, count=2)
def rows_missing(rng):
    arguments = drawn(rng, 2, 2)
    return arguments | {"output_gradient": arguments["output_gradient"][:, :, :-1]}


PLACE = "x_gradient[n, c, top + row, left + column] += output_gradient[n, c, i, j]"
exercise.slip(
    "A pixel that is the largest of several windows gets the gradient of the last one only. Add what comes from each.",
    name="overwritten",
    right=PLACE,
    wrong="x_gradient[n, c, top + row, left + column] = output_gradient[n, c, i, j]",
)
exercise.slip(
    "Where several pixels are the largest, each of them gets the whole gradient from you. Only the first gets it, or "
    "the gradient would multiply.",
    name="all_of_the_tied",
    right=PLACE,
    wrong="x_gradient[n, c, top : top + kernel_size, left : left + kernel_size] += "
    "(window == window.max()) * output_gradient[n, c, i, j]",
)
exercise.slip(
    "Where several pixels are the largest, they share the gradient in your function. That is a possible rule; asked "
    "for, and torch's, is that the first gets all.",
    name="shared_by_the_tied",
    right=PLACE,
    wrong="x_gradient[n, c, top : top + kernel_size, left : left + kernel_size] += "
    "(window == window.max()) / (window == window.max()).sum() * output_gradient[n, c, i, j]",
)
exercise.slip(
    "Where several pixels are the largest, the last of them gets the gradient from you. The first gets it.",
    name="last_of_the_tied",
    right="np.unravel_index(np.argmax(window), window.shape)",
    wrong="np.unravel_index(window.size - 1 - np.argmax(window.ravel()[::-1]), window.shape)",
)
exercise.slip(
    "Where several pixels are the largest, you take the first going down the columns. Read row by row.",
    name="first_going_down",
    right="np.unravel_index(np.argmax(window), window.shape)",
    wrong="np.unravel_index(np.argmax(window.T), window.shape)[::-1]",
)
exercise.slip(
    "You spread the gradient over the whole window. That is average pooling; here the largest pixel alone had a say.",
    name="spread_over_the_window",
    right=PLACE,
    wrong="x_gradient[n, c, top : top + kernel_size, left : left + kernel_size] += "
    "output_gradient[n, c, i, j] / window.size",
)
exercise.slip(
    "Row and column come from the window, and you use them as if they came from the image: all gradients end up in its "
    "upper left corner. Add where the window begins.",
    name="place_in_the_window",
    right="[n, c, top + row, left + column]",
    wrong="[n, c, row, column]",
)
exercise.slip(
    "Row and column have changed places.",
    name="row_and_column_swapped",
    right="row, column = np.unravel_index",
    wrong="column, row = np.unravel_index",
)
exercise.slip(
    "The largest pixel gets a 1 from you. It gets the gradient of the output.",
    name="marked_only",
    right=PLACE,
    wrong="x_gradient[n, c, top + row, left + column] += 1",
)
exercise.slip(
    "You multiply the gradient by the pixel. The slope of the maximum is 1 for the largest pixel: the gradient passes "
    "as it is.",
    name="times_the_pixel",
    right="+= output_gradient[n, c, i, j]",
    wrong="+= output_gradient[n, c, i, j] * window.max()",
)
exercise.slip(
    "The smallest pixel of each window gets the gradient from you.",
    name="smallest",
    right="np.argmax(window)",
    wrong="np.argmin(window)",
)
exercise.slip(
    "You look for the pixel that is farthest from 0. The largest is meant, with its sign: 1 is larger than -3.",
    name="largest_without_sign",
    right="np.argmax(window)",
    wrong="np.argmax(np.abs(window))",
)
exercise.slip(
    "Your windows always lie side by side. They begin `stride` pixels apart, whatever their size.",
    name="stride_left_out",
    right="top, left = i * stride, j * stride",
    wrong="top, left = i * kernel_size, j * kernel_size",
)
exercise.slip(
    "You look for the maximum over the first image and channel only. Every channel of every image is pooled by itself.",
    name="first_image_decides",
    right="window = x[n, c,",
    wrong="window = x[0, 0,",
)


exercise.slip(
    "A window that is larger than the image fits nowhere, and with no gradients you return zeros. Refuse it with a "
    "ValueError.",
    name="large_window_accepted",
    right="kernel_size > min(height, width)",
    wrong="kernel_size < 1",
)


@exercise.mistake(
    "You take as many windows as there are gradients. If that is not how many the pooling has, size or stride are not "
    "those of the way forward: compare the shapes and refuse with a ValueError."
)
def any_number_of_windows(output_gradient, x, kernel_size, stride):
    x_gradient = np.zeros(x.shape)
    for n, c, i, j in np.ndindex(*output_gradient.shape[:1], x.shape[1], *output_gradient.shape[2:]):
        window = x[n, c, i * stride : i * stride + kernel_size, j * stride : j * stride + kernel_size]
        if window.shape == (kernel_size, kernel_size):
            row, column = np.unravel_index(np.argmax(window), window.shape)
            x_gradient[n, c, i * stride + row, j * stride + column] += output_gradient[n, c, i, j]
    return x_gradient


@exercise.mistake(
    "You never ask whether the shape of output_gradient is that of the pooled images. Work it out from x, kernel_size "
    "and stride, and refuse another one with a ValueError."
)
def pooled_shape_not_asked(output_gradient, x, kernel_size, stride):
    x_gradient = np.zeros(x.shape)
    for n, c, i, j in np.ndindex(output_gradient.shape):
        window = x[n, c, i * stride : i * stride + kernel_size, j * stride : j * stride + kernel_size]
        row, column = np.unravel_index(np.argmax(window), window.shape)
        x_gradient[n, c, i * stride + row, j * stride + column] += output_gradient[n, c, i, j]
    return x_gradient


@exercise.mistake(
    "You cut the image into blocks by `reshape`. That works only where the windows lie side by side and fill the image "
    "without a rest. Here they may overlap, leave pixels between them, or leave some over at the end."
)
def cut_into_blocks(output_gradient, x, kernel_size, stride):
    batch, channels, height, width = x.shape
    rows, columns = height // kernel_size, width // kernel_size
    blocks = x.reshape(batch, channels, rows, kernel_size, columns, kernel_size).swapaxes(3, 4)
    if output_gradient.shape != (batch, channels, rows, columns):
        raise ValueError("shapes differ")
    flat = blocks.reshape(batch, channels, rows, columns, -1)
    first = np.arange(kernel_size**2) == flat.argmax(axis=-1)[..., None]
    gradients = (first * output_gradient[..., None]).reshape(blocks.shape)
    return gradients.swapaxes(3, 4).reshape(x.shape)


@exercise.alternative
def with_windows(output_gradient, x, kernel_size, stride):
    windows = np.lib.stride_tricks.sliding_window_view(x, (kernel_size, kernel_size), axis=(2, 3))
    windows = windows[:, :, ::stride, ::stride]
    if windows.shape[:4] != output_gradient.shape:
        raise ValueError("shapes differ")
    first = windows.reshape(*windows.shape[:4], -1).argmax(axis=-1)
    n, c, i, j = np.indices(first.shape)
    x_gradient = np.zeros(x.shape, dtype=np.float32)
    np.add.at(x_gradient, (n, c, i * stride + first // kernel_size, j * stride + first % kernel_size), output_gradient)
    return x_gradient


@exercise.alternative
def pixel_after_pixel(output_gradient, x, kernel_size, stride):
    batch, channels, height, width = x.shape
    tops = [top for top in range(0, height, stride) if top + kernel_size <= height]
    lefts = [left for left in range(0, width, stride) if left + kernel_size <= width]
    if not tops or not lefts or output_gradient.shape != (batch, channels, len(tops), len(lefts)):
        raise ValueError("shapes differ")
    x_gradient = np.zeros_like(x)
    for n in range(batch):
        for c in range(channels):
            for i, top in enumerate(tops):
                for j, left in enumerate(lefts):
                    largest = top, left
                    for row in range(top, top + kernel_size):
                        for column in range(left, left + kernel_size):
                            if x[n, c, row, column] > x[n, c, largest[0], largest[1]]:
                                largest = row, column
                    x_gradient[n, c, largest[0], largest[1]] += output_gradient[n, c, i, j]
    return x_gradient


@exercise.alternative
def by_autograd(output_gradient, x, kernel_size, stride):
    if kernel_size > min(x.shape[2:]):
        raise ValueError("the window does not fit")
    images = torch.tensor(x, requires_grad=True)
    pooled = functional.max_pool2d(images, kernel_size, stride)
    if pooled.shape != output_gradient.shape:
        raise ValueError("shapes differ")
    pooled.backward(torch.tensor(output_gradient))
    return images.grad.numpy()
