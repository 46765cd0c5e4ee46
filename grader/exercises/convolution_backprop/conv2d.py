"""The exercise `conv2d`."""

import numpy as np

from grader.exercises.convolution_backprop.common import SINGLE_PRECISION, chapter

exercise = chapter.exercise(
    "conv2d",
    points=3,
    aspects={
        "one image, one channel": 1,
        "channels and batch": 2,
        "stride, padding, dilation": 2,
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
    tolerance=SINGLE_PRECISION,
)


@exercise.reference
def conv2d(x, weights, bias, stride=1, padding=0, dilation=1):
    batch, in_channels, height, width = x.shape
    out_channels, kernel_channels, kernel_height, kernel_width = weights.shape
    if in_channels != kernel_channels:
        raise ValueError(f"x has {in_channels} channels, and the weights are made for {kernel_channels}")
    out_height = (height + 2 * padding - dilation * (kernel_height - 1) - 1) // stride + 1
    out_width = (width + 2 * padding - dilation * (kernel_width - 1) - 1) // stride + 1
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
