"""The exercise `conv2d_backward`."""

import numpy as np

from grader.exercises.convolution_backprop.common import SINGLE_PRECISION, chapter

exercise = chapter.exercise(
    "conv2d_backward",
    points=4,
    aspects={
        "one image, one channel": 1,
        "channels and batch": 2,
        "stride, padding, dilation": 2,
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
    tolerance=SINGLE_PRECISION,
)


@exercise.reference
def conv2d_backward(output_gradient, x, weights, stride=1, padding=0, dilation=1):
    batch, in_channels, height, width = x.shape
    out_channels, kernel_channels, kernel_height, kernel_width = weights.shape
    if in_channels != kernel_channels:
        raise ValueError(f"x has {in_channels} channels, and the weights are made for {kernel_channels}")
    out_height = (height + 2 * padding - dilation * (kernel_height - 1) - 1) // stride + 1
    out_width = (width + 2 * padding - dilation * (kernel_width - 1) - 1) // stride + 1
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
