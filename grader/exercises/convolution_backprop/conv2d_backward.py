"""The exercise `conv2d_backward`."""

import numpy as np
import torch
from torch.nn import functional

from grader.exercises.convolution_backprop.common import LONG_SUMS, chapter, entries, settings, table

exercise = chapter.exercise(
    "conv2d_backward",
    points=4,
    aspects={
        "one image, one channel": 1,
        "channels and batch": 2,
        "stride, padding, dilation": 2,
        "everything at once": 1,
        "what does not fit": 1,
    },
    hints=(
        "It is the loop of `conv2d` once more, over the positions in the kernel. At each of them the forward pass "
        "multiplies certain pixels by a matrix of weights; backward, that is two products.",
        "With `seen` the pixels under one position and `w = weights[:, :, row, column]`: the gradient of w is the "
        "product of output_gradient and `seen`, summed over images and places; the gradient of `seen` is the product "
        "of output_gradient and w, summed over the output channels. Which einsum is which?",
        'The gradient of w is `np.einsum("nohw,nchw->oc", output_gradient, seen)`. Add '
        '`np.einsum("nohw,oc->nchw", output_gradient, w)` to the padded gradient at the place where `seen` was '
        "read. The bias gets the sum of output_gradient over the axes 0, 2 and 3.",
    ),
    tolerance=LONG_SUMS,
)


@exercise.reference
def conv2d_backward(output_gradient, x, weights, stride=1, padding=0, dilation=1):
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
    shape = (batch, out_channels, out_height, out_width)
    if output_gradient.shape != shape:
        raise ValueError(f"output_gradient has the shape {output_gradient.shape}, and the output has {shape}")
    padded = np.pad(x, ((0, 0), (0, 0), (padding, padding), (padding, padding)))
    padded_gradient = np.zeros(padded.shape)
    weights_gradient = np.zeros(weights.shape)
    for row in range(kernel_height):
        for column in range(kernel_width):
            rows = slice(row * dilation, row * dilation + stride * (out_height - 1) + 1, stride)
            columns = slice(column * dilation, column * dilation + stride * (out_width - 1) + 1, stride)
            seen = padded[:, :, rows, columns]
            weights_gradient[:, :, row, column] = np.tensordot(output_gradient, seen, axes=((0, 2, 3), (0, 2, 3)))
            sent_back = np.tensordot(weights[:, :, row, column], output_gradient, axes=(0, 1))
            padded_gradient[:, :, rows, columns] += sent_back.swapaxes(0, 1)
    x_gradient = padded_gradient[:, :, padding : padding + height, padding : padding + width]
    return x_gradient, weights_gradient, output_gradient.sum(axis=(0, 2, 3))


single, channels, geometry, together, misfits = exercise.aspects


def case(aspect, x, weights, out, start=0, **settings):
    """A public case; `out` is the shape of the output, and `start` turns the tables so that they differ."""
    arrays = {"output_gradient": table(*out, start=start + 5), "x": table(*x), "weights": table(*weights, start=start)}
    exercise.case(aspect, **arrays, **settings)


case(single, (1, 1, 3, 4), (1, 1, 1, 2), out=(1, 1, 3, 3))
case(single, (1, 1, 3, 4), (1, 1, 2, 2), out=(1, 1, 2, 3), start=2)
case(channels, (1, 2, 3, 3), (1, 2, 2, 2), out=(1, 1, 2, 2), start=3)
case(channels, (1, 1, 3, 4), (3, 1, 2, 2), out=(1, 3, 2, 3), start=1)
case(channels, (3, 1, 2, 3), (1, 1, 2, 2), out=(3, 1, 1, 2), start=1)
# As many images as channels, kernels, rows and columns: no shape gives a mistake away.
case(channels, (2, 2, 3, 3), (2, 2, 2, 2), out=(2, 2, 2, 2), start=6)
case(channels, (3, 2, 1, 2), (4, 2, 1, 1), out=(3, 4, 1, 2), start=7)
case(geometry, (1, 1, 4, 4), (1, 1, 2, 2), out=(1, 1, 2, 2), stride=2)
# The stride does not divide: the last row and column are not read, and get no gradient.
case(geometry, (1, 1, 4, 6), (1, 1, 2, 2), out=(1, 1, 1, 2), stride=3)
case(geometry, (1, 1, 2, 3), (1, 1, 2, 2), out=(1, 1, 3, 4), padding=1)
# It just fits, with the padding of both sides.
case(geometry, (1, 1, 1, 2), (1, 1, 3, 4), out=(1, 1, 1, 1), padding=1)
case(geometry, (1, 1, 4, 5), (1, 1, 2, 3), out=(1, 1, 2, 1), dilation=2)
case(geometry, (1, 1, 3, 4), (1, 1, 3, 2), out=(1, 1, 1, 3), stride=2, padding=2, dilation=3)
case(together, (2, 2, 2, 3), (3, 2, 2, 2), out=(2, 3, 1, 2), start=2, stride=2, padding=1, dilation=2)
case(misfits, (1, 1, 3, 3), (1, 1, 2, 2), out=(1, 1, 2, 2))
case(misfits, (1, 1, 3, 3), (1, 1, 2, 2), out=(1, 1, 2, 1))
case(misfits, (1, 1, 3, 3), (1, 1, 2, 2), out=(1, 1, 1, 1))
case(misfits, (1, 1, 3, 3), (1, 1, 2, 2), out=(1, 1, 3, 3))
# No output, and no gradient: too few rows, too few columns, and a kernel that would fit without its gaps.
case(misfits, (1, 1, 2, 3), (1, 1, 3, 2), out=(1, 1, 0, 2))
case(misfits, (1, 1, 3, 2), (1, 1, 2, 3), out=(1, 1, 2, 0))
case(misfits, (1, 1, 3, 2), (1, 1, 3, 1), out=(1, 1, 0, 1), stride=2, dilation=2)
case(misfits, (1, 1, 2, 3), (1, 1, 1, 3), out=(1, 1, 1, 0), stride=2, dilation=2)
case(misfits, (2, 1, 3, 3), (2, 1, 2, 2), out=(2, 1, 2, 2))
case(misfits, (2, 1, 3, 3), (2, 1, 2, 2), out=(1, 2, 2, 2))
case(misfits, (1, 3, 3, 3), (2, 1, 2, 2), out=(1, 2, 2, 2))
case(misfits, (1, 3, 3, 3), (2, 2, 2, 2), out=(1, 2, 2, 2))


def drawn(rng, batch, in_channels, out_channels, stride=1, padding=0, dilation=1):
    """Images that are large enough for the largest kernel, and not square."""
    sizes = rng.choice(np.arange(7, 11), 2, replace=False)
    kernel = rng.choice([1, 2, 3], 2, replace=False)
    out = (sizes + 2 * padding - dilation * (kernel - 1) - 1) // stride + 1
    return {
        "output_gradient": entries(rng, batch, out_channels, *out),
        "x": entries(rng, batch, in_channels, *sizes),
        "weights": entries(rng, out_channels, in_channels, *kernel),
        "stride": stride,
        "padding": padding,
        "dilation": dilation,
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
    chosen = settings(rng) | {"padding": int(rng.integers(1, 4))}
    return drawn(rng, *rng.choice([2, 3, 4], 3, replace=False), **chosen)


@exercise.hidden(misfits, count=2)
def too_few_rows(rng):
    arguments = drawn(rng, 2, 2, 2)
    return arguments | {"output_gradient": arguments["output_gradient"][:, :, :-1]}


@exercise.hidden(misfits, count=2)
def other_channels(rng):
    arguments = drawn(rng, 2, 3, 2)
    return arguments | {"weights": arguments["weights"][:, : int(rng.integers(1, 3))]}


ADDED = "padded_gradient[:, :, rows, columns] += sent_back.swapaxes(0, 1)"
CUT = "padded_gradient[:, :, padding : padding + height, padding : padding + width]"
FOR_THE_WEIGHTS = "np.tensordot(output_gradient, seen, axes=((0, 2, 3), (0, 2, 3)))"
RETURNED = "return x_gradient, weights_gradient, output_gradient.sum(axis=(0, 2, 3))"
exercise.slip(
    "What several outputs send back to the same pixel overwrites itself: only the last of them counts. Add.",
    name="assigned_instead_of_added",
    right=ADDED,
    wrong="padded_gradient[:, :, rows, columns] = sent_back.swapaxes(0, 1)",
)
exercise.slip(
    "For x you have flipped the kernel once too often. Written as a sliding kernel the way back needs a flip; where "
    "you add along the way forward there is none.",
    name="weights_flipped_for_x",
    right="weights[:, :, row, column], output_gradient",
    wrong="weights[:, :, -1 - row, -1 - column], output_gradient",
)
exercise.slip(
    "Your gradient for the weights is upside down and backwards. The first weight met the upper left pixel under the "
    "kernel; nothing is flipped.",
    name="weights_gradient_flipped",
    right="weights_gradient[:, :, row, column]",
    wrong="weights_gradient[:, :, -1 - row, -1 - column]",
)
exercise.slip(
    "The three gradients are right, in another order: x first, then weights, then bias, as in the call of `conv2d`.",
    name="weights_first",
    right=RETURNED,
    wrong="return weights_gradient, output_gradient.sum(axis=(0, 2, 3)), x_gradient",
)
exercise.slip(
    "Two gradients are right, and that of the bias is missing: output_gradient, summed over images, rows and columns.",
    name="bias_gradient_left_out",
    right=RETURNED,
    wrong="return x_gradient, weights_gradient",
)
exercise.slip(
    "Your gradient for the bias has one entry for each image and channel. The images share the bias too: sum over axis "
    "0 as well.",
    name="bias_not_summed_over_the_batch",
    right="sum(axis=(0, 2, 3))",
    wrong="sum(axis=(2, 3))",
)
exercise.slip(
    "You sum the gradient for the bias over the channels and keep the images. Each output channel has a bias: keep "
    "axis 1.",
    name="bias_summed_over_the_channels",
    right="sum(axis=(0, 2, 3))",
    wrong="sum(axis=(1, 2, 3))",
)
exercise.slip(
    "Your gradient for the bias is one number. Each output channel has a bias: sum over all axes but that one.",
    name="one_bias_for_all",
    right="sum(axis=(0, 2, 3))",
    wrong="sum()",
)
exercise.slip(
    "You average the gradient for the bias. The bias is added at every pixel of every image, and each adds its part: "
    "sum.",
    name="bias_averaged",
    right="sum(axis=(0, 2, 3))",
    wrong="mean(axis=(0, 2, 3))",
)
exercise.slip(
    "You average the gradients of weights and bias over the images. If the loss is a mean over the batch, "
    "output_gradient has the 1/n in it already: sum.",
    name="averaged_over_the_batch",
    right=RETURNED,
    wrong="return x_gradient, weights_gradient / batch, output_gradient.sum(axis=(2, 3)).mean(axis=0)",
)
exercise.slip(
    "Your gradient for the weights knows the first image only. All images share the weights, so each adds its part.",
    name="first_image_only",
    right=FOR_THE_WEIGHTS,
    wrong="np.tensordot(output_gradient[:1], seen[:1], axes=((0, 2, 3), (0, 2, 3)))",
)
exercise.slip(
    "On the way back you sum over the wrong axis of the weights. Input channel c gets from output channel o what went "
    "from c to o: sum over the output channels.",
    name="channels_not_transposed",
    right="output_gradient, axes=(0, 1))",
    wrong="output_gradient, axes=(1, 1))",
)
exercise.slip(
    "Your outputs read pixels next to each other, whatever the stride. Output (i, j) has read from `(i * stride, j * "
    "stride)` on, and there its gradient goes back.",
    name="stride_not_spread",
    right="            seen = ",
    wrong="            rows = slice(rows.start, rows.start + out_height)\n"
    "            columns = slice(columns.start, columns.start + out_width)\n            seen = ",
)
exercise.slip(
    "You forget the dilation: row r of the kernel has read `r * dilation` pixels further down, and columns likewise.",
    name="dilation_left_out",
    right="            seen = ",
    wrong="            rows = slice(row, row + stride * (out_height - 1) + 1, stride)\n"
    "            columns = slice(column, column + stride * (out_width - 1) + 1, stride)\n            seen = ",
)
exercise.slip(
    "Your gradient for x still has the padding on it. Cut it off on all four sides.",
    name="padding_not_cut_off",
    right=CUT,
    wrong="padded_gradient",
)
exercise.slip(
    "You cut all of the padding off below and on the right. It stands on all four sides: pixel (0, 0) of x is at "
    "`(padding, padding)`.",
    name="cut_off_at_the_end",
    right=CUT,
    wrong="padded_gradient[:, :, :height, :width]",
)
exercise.slip(
    "Without padding, `[padding:-padding]` is `[0:0]`, which is nothing. Count from the front: `[padding : padding + "
    "height]`.",
    name="nothing_left_without_padding",
    right=CUT,
    wrong="padded_gradient[:, :, padding:-padding, padding:-padding]",
)


@exercise.mistake(
    "Where the stride does not divide, your gradient for x is too small. The last rows or columns were not read, but "
    "they are there: their gradient is 0."
)
def end_forgotten(output_gradient, x, weights, stride=1, padding=0, dilation=1):
    if x.shape[1] != weights.shape[1]:
        raise ValueError("channels differ")
    images, kernels = torch.tensor(x, requires_grad=True), torch.tensor(weights, requires_grad=True)
    output = functional.conv2d(images, kernels, None, stride, padding, dilation)
    if output.shape != output_gradient.shape:
        raise ValueError("shapes differ")
    output.backward(torch.tensor(output_gradient))
    x_gradient = functional.conv_transpose2d(
        torch.tensor(output_gradient), kernels.detach(), None, stride, padding, dilation=dilation
    )
    return x_gradient.numpy(), kernels.grad.numpy(), output_gradient.sum(axis=(0, 2, 3))


@exercise.mistake(
    "A kernel that fits nowhere has no outputs, and with no gradients for them you return zeros. Refuse it, as "
    "`conv2d` does."
)
def kernel_that_fits_nowhere_accepted(output_gradient, x, weights, stride=1, padding=0, dilation=1):
    if x.shape[1] != weights.shape[1]:
        raise ValueError("channels differ")
    padded = np.pad(x, ((0, 0), (0, 0), (padding, padding), (padding, padding)))
    covered = [dilation * (size - 1) + 1 for size in weights.shape[2:]]
    sizes = [(size - one) // stride + 1 for size, one in zip(padded.shape[2:], covered)]
    if output_gradient.shape != (len(x), len(weights), *sizes):
        raise ValueError("shapes differ")
    padded_gradient, weights_gradient = np.zeros(padded.shape), np.zeros(weights.shape)
    for i, j in np.ndindex(output_gradient.shape[2:]):
        rows = slice(i * stride, i * stride + covered[0], dilation)
        columns = slice(j * stride, j * stride + covered[1], dilation)
        gradient = output_gradient[:, :, i, j]
        padded_gradient[:, :, rows, columns] += np.einsum("no,ocrs->ncrs", gradient, weights)
        weights_gradient += np.einsum("no,ncrs->ocrs", gradient, padded[:, :, rows, columns])
    x_gradient = padded_gradient[:, :, padding : padding + x.shape[2], padding : padding + x.shape[3]]
    return x_gradient, weights_gradient, output_gradient.sum(axis=(0, 2, 3))


@exercise.mistake(
    "You take as many outputs as there are gradients. If that is not how many the convolution has, stride or padding "
    "are not those of the way forward: compare the shapes and refuse with a ValueError."
)
def any_number_of_outputs(output_gradient, x, weights, stride=1, padding=0, dilation=1):
    if x.shape[1] != weights.shape[1] or len(output_gradient) != len(x) or output_gradient.shape[1] != len(weights):
        raise ValueError("channels differ")
    padded = np.pad(x, ((0, 0), (0, 0), (padding, padding), (padding, padding)))
    padded_gradient, weights_gradient = np.zeros(padded.shape), np.zeros(weights.shape)
    covered = [dilation * (size - 1) + 1 for size in weights.shape[2:]]
    for i, j in np.ndindex(output_gradient.shape[2:]):
        rows = slice(i * stride, i * stride + covered[0], dilation)
        columns = slice(j * stride, j * stride + covered[1], dilation)
        gradient = output_gradient[:, :, i, j]
        padded_gradient[:, :, rows, columns] += np.einsum("no,ocrs->ncrs", gradient, weights)
        weights_gradient += np.einsum("no,ncrs->ocrs", gradient, padded[:, :, rows, columns])
    x_gradient = padded_gradient[:, :, padding : padding + x.shape[2], padding : padding + x.shape[3]]
    return x_gradient, weights_gradient, output_gradient.sum(axis=(0, 2, 3))


@exercise.mistake(
    "Where x or the kernels have one channel only, numpy stretches it to fit the other, and your function answers. "
    "Compare the two numbers of channels, and refuse what differs."
)
def one_channel_stretched(output_gradient, x, weights, stride=1, padding=0, dilation=1):
    if x.shape[1] != weights.shape[1] and 1 not in (x.shape[1], weights.shape[1]):
        raise ValueError("channels differ")
    sizes = [
        (size + 2 * padding - dilation * (kernel - 1) - 1) // stride + 1
        for size, kernel in zip(x.shape[2:], weights.shape[2:])
    ]
    if output_gradient.shape != (len(x), len(weights), *sizes):
        raise ValueError("shapes differ")
    padded = np.pad(x, ((0, 0), (0, 0), (padding, padding), (padding, padding)))
    padded_gradient, weights_gradient = np.zeros(padded.shape), np.zeros(weights.shape)
    covered = [dilation * (size - 1) + 1 for size in weights.shape[2:]]
    for i, j in np.ndindex(output_gradient.shape[2:]):
        rows = slice(i * stride, i * stride + covered[0], dilation)
        columns = slice(j * stride, j * stride + covered[1], dilation)
        gradient = output_gradient[:, :, i, j]
        sent_back = np.einsum("no,ocrs->ncrs", gradient, weights)
        for_weights = np.einsum("no,ncrs->ocrs", gradient, padded[:, :, rows, columns])
        padded_gradient[:, :, rows, columns] += sent_back
        weights_gradient += for_weights if weights.shape[1] > 1 else for_weights.sum(axis=1, keepdims=True)
    x_gradient = padded_gradient[:, :, padding : padding + x.shape[2], padding : padding + x.shape[3]]
    return x_gradient, weights_gradient, output_gradient.sum(axis=(0, 2, 3))


exercise.slip(
    "You average the gradient of the weights over the images. If the loss is a mean over the batch, "
    "output_gradient has the 1/n in it already: sum.",
    name="weights_averaged",
    right="return x_gradient, weights_gradient, ",
    wrong="return x_gradient, weights_gradient / batch, ",
)


@exercise.alternative
def pixel_by_pixel(output_gradient, x, weights, stride=1, padding=0, dilation=1):
    (batch, channels, height, width), (kernels, kernel_channels, *sizes) = x.shape, weights.shape
    covered = [dilation * (size - 1) + 1 for size in sizes]
    out_height = len(range(0, height + 2 * padding - covered[0] + 1, stride))
    out_width = len(range(0, width + 2 * padding - covered[1] + 1, stride))
    shape = batch, kernels, out_height, out_width
    if channels != kernel_channels or 0 in shape or output_gradient.shape != shape:
        raise ValueError("it does not fit")
    padded = np.pad(x, ((0, 0), (0, 0), (padding, padding), (padding, padding)))
    padded_gradient, weights_gradient = np.zeros(padded.shape), np.zeros(weights.shape)
    for i in range(out_height):
        for j in range(out_width):
            rows = slice(i * stride, i * stride + covered[0], dilation)
            columns = slice(j * stride, j * stride + covered[1], dilation)
            gradient = output_gradient[:, :, i, j]
            padded_gradient[:, :, rows, columns] += np.einsum("no,ocrs->ncrs", gradient, weights)
            weights_gradient += np.einsum("no,ncrs->ocrs", gradient, padded[:, :, rows, columns])
    inner = slice(padding, padding + height), slice(padding, padding + width)
    return padded_gradient[:, :, *inner], weights_gradient, np.einsum("nohw->o", output_gradient)


@exercise.alternative
def as_two_convolutions(output_gradient, x, weights, stride=1, padding=0, dilation=1):
    if x.shape[1] != weights.shape[1]:
        raise ValueError("channels differ")
    padded = np.pad(x, ((0, 0), (0, 0), (padding, padding), (padding, padding)))
    reach = [dilation * (size - 1) for size in weights.shape[2:]]
    positions = [size - one for size, one in zip(padded.shape[2:], reach)]
    if min(positions) < 1:
        raise ValueError("the kernel does not fit")
    spread = np.zeros((len(x), len(weights), *positions))
    if spread[:, :, ::stride, ::stride].shape != output_gradient.shape:
        raise ValueError("shapes differ")
    spread[:, :, ::stride, ::stride] = output_gradient
    around = np.pad(spread, [(0, 0), (0, 0), *((one, one) for one in reach)])
    windows = np.lib.stride_tricks.sliding_window_view(around, [one + 1 for one in reach], axis=(2, 3))
    back = np.einsum("nohwrs,ocrs->nchw", windows[..., ::dilation, ::dilation], weights[:, :, ::-1, ::-1])
    windows = np.lib.stride_tricks.sliding_window_view(padded, positions, axis=(2, 3))[:, :, ::dilation, ::dilation]
    weights_gradient = np.einsum("ncrshw,nohw->ocrs", windows, spread)
    ends = padding + x.shape[2], padding + x.shape[3]
    return back[:, :, padding : ends[0], padding : ends[1]], weights_gradient, output_gradient.sum((0, 2, 3))


@exercise.alternative
def by_autograd(output_gradient, x, weights, stride=1, padding=0, dilation=1):
    arrays = (x, weights, np.zeros(len(weights)))
    tensors = [torch.tensor(array, dtype=torch.float32, requires_grad=True) for array in arrays]
    try:
        output = functional.conv2d(*tensors, stride=stride, padding=padding, dilation=dilation)
        output.backward(torch.tensor(output_gradient, dtype=torch.float32))
    except RuntimeError as error:
        raise ValueError("torch refuses it") from error
    return [tensor.grad.numpy() for tensor in tensors]
