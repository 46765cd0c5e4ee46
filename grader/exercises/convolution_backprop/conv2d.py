"""The exercise `conv2d`."""

import numpy as np
import torch
from torch.nn import functional

from grader.exercises.convolution_backprop.common import LONG_SUMS, chapter, entries, settings, table

exercise = chapter.exercise(
    "conv2d",
    points=3,
    aspects={
        "one image, one channel": 1,
        "channels and batch": 2,
        "stride, padding, dilation": 2,
        "everything at once": 1,
        "what does not fit": 1,
    },
    hints=(
        "Do not loop over pixels: a Python loop of that length is slow. Loop over the few positions in the kernel, and "
        "treat all images, channels and pixels at once.",
        "The weight at row r and column c of the kernel meets the pixels of the padded images from row `r * dilation` "
        "and column `c * dilation` on, in steps of `stride`, as many as the output has rows and columns.",
        "With `seen` for these pixels, of shape (batch, in_channels, out_height, out_width), add "
        '`np.einsum("nchw,oc->nohw", seen, weights[:, :, r, c])` to an output that starts from the bias.',
    ),
    tolerance=LONG_SUMS,
)


@exercise.reference
def conv2d(x, weights, bias, stride=1, padding=0, dilation=1):
    batch, in_channels, height, width = x.shape
    out_channels, kernel_channels, kernel_height, kernel_width = weights.shape
    if in_channels != kernel_channels:
        raise ValueError(f"x has {in_channels} channels, and the weights are made for {kernel_channels}")
    out_height, out_width = (
        (size + 2 * padding - dilation * (kernel - 1) - 1) // stride + 1
        for size, kernel in zip(x.shape[2:], weights.shape[2:])
    )
    if out_height < 1 or out_width < 1:
        raise ValueError(
            f"a kernel of {kernel_height} x {kernel_width} with dilation {dilation} is larger than an image of "
            f"{height} x {width} with padding {padding}: pad more, or take a smaller kernel"
        )
    padded = np.pad(x, ((0, 0), (0, 0), (padding, padding), (padding, padding)))
    output = np.zeros((out_channels, batch, out_height, out_width))
    for row in range(kernel_height):
        for column in range(kernel_width):
            rows = slice(row * dilation, row * dilation + stride * (out_height - 1) + 1, stride)
            columns = slice(column * dilation, column * dilation + stride * (out_width - 1) + 1, stride)
            output += np.tensordot(weights[:, :, row, column], padded[:, :, rows, columns], axes=(1, 1))
    return output.swapaxes(0, 1) + bias[:, None, None]


single, channels, geometry, together, misfits = exercise.aspects
flat = {"x": table(1, 1, 3, 4), "bias": np.array([0.5])}
exercise.case(single, **flat, weights=table(1, 1, 1, 2))
exercise.case(single, **flat, weights=table(1, 1, 2, 2, start=2))
exercise.case(single, **flat, weights=table(1, 1, 3, 1, start=5))
exercise.case(single, x=table(1, 1, 4, 4), weights=table(1, 1, 3, 3), bias=np.array([-2.0]))
exercise.case(channels, x=table(1, 2, 3, 3), weights=table(1, 2, 2, 2, start=3), bias=np.array([0.5]))
exercise.case(channels, x=table(1, 1, 3, 4), weights=table(3, 1, 2, 2, start=1), bias=np.array([0.5, -1.0, 2.0]))
exercise.case(channels, x=table(3, 1, 2, 3), weights=table(1, 1, 2, 2, start=1), bias=np.array([1.0]))
exercise.case(channels, x=table(2, 3, 2, 3), weights=table(2, 3, 2, 2, start=4), bias=np.array([1.0, -1.0]))
# As many images as channels, kernels, rows and columns: no shape gives a mistake away.
exercise.case(channels, x=table(2, 2, 3, 3), weights=table(2, 2, 2, 2, start=6), bias=np.array([1.0, -1.0]))
exercise.case(channels, x=table(3, 2, 1, 2), weights=table(4, 2, 1, 1, start=5), bias=table(4))
wide = {"x": table(1, 1, 4, 6), "bias": np.array([0.5])}
exercise.case(geometry, **wide, weights=table(1, 1, 2, 2, start=2), stride=2)
# The stride does not divide: the last row and column are not read.
exercise.case(geometry, **wide, weights=table(1, 1, 2, 2), stride=3)
exercise.case(geometry, x=table(1, 1, 2, 3), weights=table(1, 1, 2, 2), bias=np.array([0.5]), padding=1)
exercise.case(geometry, **wide, weights=table(1, 1, 2, 3, start=2), dilation=2)
exercise.case(geometry, **wide, weights=table(1, 1, 3, 2, start=2), stride=2, padding=2, dilation=3)
exercise.case(
    together, x=table(2, 2, 3, 4), weights=table(3, 2, 2, 2, start=2), bias=table(3), stride=3, padding=1, dilation=2
)
# It just fits, with the padding of both sides.
exercise.case(misfits, x=table(1, 1, 1, 2), weights=table(1, 1, 3, 4), bias=np.array([0.5]), padding=1)
exercise.case(misfits, x=table(1, 1, 4, 3), weights=table(1, 1, 5, 1), bias=np.array([0.5]), stride=2)
exercise.case(misfits, x=table(1, 1, 3, 4), weights=table(1, 1, 1, 5), bias=np.array([0.5]), stride=2)
# Each of these fits without its gaps.
exercise.case(misfits, x=table(1, 1, 4, 4), weights=table(1, 1, 2, 3), bias=np.array([0.5]), stride=2, dilation=2)
exercise.case(misfits, x=table(1, 1, 4, 4), weights=table(1, 1, 3, 2), bias=np.array([0.5]), stride=2, dilation=2)
exercise.case(misfits, x=table(1, 3, 2, 2), weights=table(1, 1, 2, 2), bias=np.array([0.5]))
exercise.case(misfits, x=table(1, 1, 2, 2), weights=table(1, 2, 2, 2), bias=np.array([0.5]))
exercise.case(misfits, x=table(1, 3, 2, 2), weights=table(1, 2, 2, 2), bias=np.array([0.5]))


def drawn(rng, batch, in_channels, out_channels, **settings):
    """Images that are large enough for the largest kernel, and not square."""
    height, width = rng.choice(np.arange(7, 11), 2, replace=False)
    return {
        "x": entries(rng, batch, in_channels, height, width),
        "weights": entries(rng, out_channels, in_channels, *rng.choice([1, 2, 3], 2, replace=False)),
        "bias": entries(rng, out_channels),
        **settings,
    }


@exercise.hidden(single, count=3)
def one_of_each(rng):
    return drawn(rng, 1, 1, 1)


@exercise.hidden(channels, count=5)
def several(rng):
    return drawn(rng, *rng.choice([2, 3, 4, 5], 3, replace=False))


@exercise.hidden(geometry, count=5)
def any_settings(rng):
    return drawn(rng, 1, 1, 1, **settings(rng))


@exercise.hidden(together, count=3)
def everything(rng):
    return drawn(rng, *rng.choice([2, 3, 4], 3, replace=False), **settings(rng))


@exercise.hidden(misfits, count=2)
def too_large(rng):
    arguments = drawn(rng, 1, 1, 1)
    return arguments | {"x": arguments["x"][:, :, : arguments["weights"].shape[2] - 1]}


@exercise.hidden(misfits, count=2)
def other_channels(rng):
    arguments = drawn(rng, 2, 3, 2)
    return arguments | {"x": arguments["x"][:, : int(rng.integers(1, 3))]}


exercise.slip(
    "You flip the kernel, as mathematics does. In deep learning the first weight meets the upper left pixel under the "
    "kernel.",
    name="flipped",
    right="weights[:, :, row, column]",
    wrong="weights[:, :, -1 - row, -1 - column]",
)
exercise.slip(
    "Rows and columns of your kernel have changed places.",
    name="kernel_transposed",
    right="weights[:, :, row, column]",
    wrong="np.resize(weights.swapaxes(2, 3), weights.shape)[:, :, row, column]",
)
exercise.slip(
    "Where is the bias? Each output channel has one, added at every pixel.",
    name="bias_left_out",
    right=" + bias[:, None, None]",
    wrong="",
)
exercise.slip(
    "You add the bias along the last axis, the columns: that is where numpy puts an array of shape (out_channels,). "
    "Give it two more axes: `bias[:, None, None]`.",
    name="bias_along_the_columns",
    right="bias[:, None, None]",
    wrong="bias",
)
exercise.slip(
    "Your bias is there once for every entry of the kernel. It is added once to each output.",
    name="bias_of_every_entry",
    right="bias[:, None, None]",
    wrong="bias[:, None, None] * kernel_height * kernel_width",
)
exercise.slip(
    "You add the same bias to all output channels. Each has its own.",
    name="first_bias_for_all",
    right="bias[:, None, None]",
    wrong="bias[0]",
)
exercise.slip(
    "Your output sees the first input channel only. It adds up what the kernels see in all of them.",
    name="first_channel_only",
    right="np.tensordot(weights[:, :, row, column], padded[:, :, rows, columns], axes=(1, 1))",
    wrong="np.multiply.outer(weights[:, 0, row, column], padded[:, 0, rows, columns])",
)
exercise.slip(
    "You average over the input channels. A convolution adds them up.",
    name="channels_averaged",
    right="axes=(1, 1))",
    wrong="axes=(1, 1)) / in_channels",
)
exercise.slip(
    "All your output channels use the first kernel. Each has its own.",
    name="first_kernel_for_all",
    right="weights[:, :, row, column]",
    wrong="weights[[0] * out_channels, :, row, column]",
)
exercise.slip(
    "All input channels meet the kernel of the first one. Each output channel has a kernel for each input channel.",
    name="one_kernel_for_all_channels",
    right="weights[:, :, row, column]",
    wrong="weights[:, [0] * in_channels, row, column]",
)
exercise.slip(
    "Images and output channels have changed places in your result: the shape is (batch, out_channels, …).",
    name="channels_first",
    right="output.swapaxes(0, 1) + bias[:, None, None]",
    wrong="output + bias[:, None, None, None]",
)
exercise.slip(
    "Your stride is always 1.",
    name="stride_left_out",
    right="    batch, in_channels",
    wrong="    stride = 1\n    batch, in_channels",
)
exercise.slip(
    "Your padding is always 0. `padding` zeros come on each of the four sides.",
    name="padding_left_out",
    right="    batch, in_channels",
    wrong="    padding = 0\n    batch, in_channels",
)
exercise.slip(
    "Your dilation is always 1. Between the pixels that a kernel reads lie `dilation` places.",
    name="dilation_left_out",
    right="    batch, in_channels",
    wrong="    dilation = 1\n    batch, in_channels",
)
exercise.slip(
    "`np.pad(x, padding)` pads all four axes, also the images and the channels. Name what each axis gets: "
    "`((0, 0), (0, 0), (padding, padding), (padding, padding))`.",
    name="all_axes_padded",
    right="np.pad(x, ((0, 0), (0, 0), (padding, padding), (padding, padding)))",
    wrong="np.pad(x, padding)",
)
exercise.slip(
    "You repeat the pixels at the border. The padding is zeros.",
    name="border_repeated",
    right="(padding, padding)))",
    wrong='(padding, padding)), mode="edge")',
)
exercise.slip(
    "With dilation your output is too small: a kernel of k entries has k - 1 gaps, so it covers `dilation * (k - 1) + "
    "1` pixels and not `dilation * k`.",
    name="one_gap_too_many",
    right="dilation * (kernel - 1) - 1",
    wrong="dilation * kernel",
)
exercise.slip(
    "You refuse a kernel that fits in exactly one place.",
    name="exact_fit_refused",
    right="out_height < 1 or out_width < 1",
    wrong="out_height < 2 or out_width < 2",
)


@exercise.mistake(
    "A kernel that is a little larger than the padded image gets an empty result from you. Refuse it with a "
    "ValueError, or nobody notices."
)
def empty_result(x, weights, bias, stride=1, padding=0, dilation=1):
    if x.shape[1] != weights.shape[1]:
        raise ValueError("channels differ")
    out_height, out_width = (
        (size + 2 * padding - dilation * (kernel - 1) - 1) // stride + 1
        for size, kernel in zip(x.shape[2:], weights.shape[2:])
    )
    padded = np.pad(x, ((0, 0), (0, 0), (padding, padding), (padding, padding)))
    output = np.zeros((len(x), len(weights), max(out_height, 0), max(out_width, 0)))
    covered = [dilation * (size - 1) + 1 for size in weights.shape[2:]]
    for i in range(out_height):
        for j in range(out_width):
            rows = slice(i * stride, i * stride + covered[0], dilation)
            columns = slice(j * stride, j * stride + covered[1], dilation)
            output[:, :, i, j] = np.einsum("ncrs,ocrs->no", padded[:, :, rows, columns], weights) + bias
    return output


@exercise.mistake(
    "Where x or the kernels have one channel only, numpy stretches it to fit the other, and your function answers. "
    "Compare the two numbers of channels, and refuse what differs."
)
def one_channel_stretched(x, weights, bias, stride=1, padding=0, dilation=1):
    padded = np.pad(x, ((0, 0), (0, 0), (padding, padding), (padding, padding)))
    kernel_height, kernel_width = weights.shape[2:]
    covered_height, covered_width = dilation * (kernel_height - 1) + 1, dilation * (kernel_width - 1) + 1
    if covered_height > padded.shape[2] or covered_width > padded.shape[3]:
        raise ValueError("the kernel is too large")
    windows = np.lib.stride_tricks.sliding_window_view(padded, (covered_height, covered_width), axis=(2, 3))
    windows = windows[:, :, ::stride, ::stride, ::dilation, ::dilation]
    channels = range(max(x.shape[1], weights.shape[1]))
    windows = windows[:, [min(c, x.shape[1] - 1) for c in channels]]
    kernels = weights[:, [min(c, weights.shape[1] - 1) for c in channels]]
    return np.einsum("nchwrs,ocrs->nohw", windows, kernels) + bias[:, None, None]


@exercise.mistake(
    "Every output channel reads the input channel of its own number only. It reads all input channels and adds up."
)
def channel_by_channel(x, weights, bias, stride=1, padding=0, dilation=1):
    if x.shape[1] != weights.shape[1]:
        raise ValueError("channels differ")
    padded = np.pad(x, ((0, 0), (0, 0), (padding, padding), (padding, padding)))
    covered = [dilation * (size - 1) + 1 for size in weights.shape[2:]]
    if covered[0] > padded.shape[2] or covered[1] > padded.shape[3]:
        raise ValueError("the kernel is too large")
    windows = np.lib.stride_tricks.sliding_window_view(padded, covered, axis=(2, 3))
    windows = windows[:, :, ::stride, ::stride, ::dilation, ::dilation]
    output = [
        np.einsum("nhwrs,rs->nhw", windows[:, o % x.shape[1]], weights[o, o % x.shape[1]]) for o in range(len(bias))
    ]
    return np.stack(output, axis=1) + bias[:, None, None]


exercise.slip(
    "Only the last entry of the kernel is left in your output: `=` overwrites what the others gave. Add with `+=`.",
    name="overwritten",
    right="output += ",
    wrong="output[...] = ",
)
exercise.slip(
    "You flip the rows of the kernel. Nothing is flipped: its first row meets the uppermost pixels under it.",
    name="rows_flipped",
    right="weights[:, :, row, column]",
    wrong="weights[:, :, -1 - row, column]",
)
exercise.slip(
    "You flip the columns of the kernel. Nothing is flipped: its first column meets the leftmost pixels under it.",
    name="columns_flipped",
    right="weights[:, :, row, column]",
    wrong="weights[:, :, row, -1 - column]",
)
exercise.slip(
    "You take the kernel for a square. Its height and its width may differ.",
    name="square_kernel",
    right="range(kernel_width)",
    wrong="range(kernel_height)",
)
exercise.slip(
    "The size of your output knows the dilation, and the pixels that you read do not: row r of the kernel "
    "reads `r * dilation` rows further down, and columns likewise.",
    name="dilation_in_the_size_only",
    right="    for row in range(kernel_height):",
    wrong="    dilation = 1\n    for row in range(kernel_height):",
)
exercise.slip(
    "Your zeros come above and on the left only. They come on all four sides: `(padding, padding)` for each "
    "of the two axes.",
    name="padded_before_only",
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
def with_windows(x, weights, bias, stride=1, padding=0, dilation=1):
    if x.shape[1] != weights.shape[1]:
        raise ValueError("channels differ")
    padded = np.pad(x, [(0, 0)] * 2 + [(padding, padding)] * 2)
    covered = tuple(dilation * (size - 1) + 1 for size in weights.shape[2:])
    windows = np.lib.stride_tricks.sliding_window_view(padded, covered, axis=(2, 3))
    windows = windows[:, :, ::stride, ::stride, ::dilation, ::dilation]
    return np.einsum("nchwrs,ocrs->nohw", windows, weights, optimize=True) + bias[:, None, None]


@exercise.alternative
def pixel_by_pixel(x, weights, bias, stride=1, padding=0, dilation=1):
    batch, in_channels, height, width = x.shape
    if in_channels != weights.shape[1]:
        raise ValueError("channels differ")
    reach = dilation * (np.array(weights.shape[2:]) - 1)
    rows = range(-padding, height + padding - int(reach[0]), stride)
    columns = range(-padding, width + padding - int(reach[1]), stride)
    if not rows or not columns:
        raise ValueError("the kernel is too large")
    output = np.empty((batch, len(weights), len(rows), len(columns)))
    padded = np.zeros((batch, in_channels, height + 2 * padding, width + 2 * padding))
    padded[:, :, padding : padding + height, padding : padding + width] = x
    for i, top in enumerate(rows):
        for j, left in enumerate(columns):
            down = slice(top + padding, top + padding + reach[0] + 1, dilation)
            across = slice(left + padding, left + padding + reach[1] + 1, dilation)
            patch = padded[:, :, down, across].reshape(batch, -1)
            output[:, :, i, j] = patch @ weights.reshape(len(weights), -1).T + bias
    return output


@exercise.alternative
def with_torch(x, weights, bias, stride=1, padding=0, dilation=1):
    arrays = (torch.tensor(array, dtype=torch.float32) for array in (x, weights, bias))
    try:
        return functional.conv2d(*arrays, stride=stride, padding=padding, dilation=dilation).numpy()
    except RuntimeError as error:
        raise ValueError("torch refuses it") from error
