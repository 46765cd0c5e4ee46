"""The exercise `im2col`."""

import numpy as np

from grader.exercises.convolution_backprop.common import SINGLE_PRECISION, chapter

exercise = chapter.exercise(
    "im2col",
    points=3,
    aspects={"one channel": 1, "channels and batch": 2, "stride, padding, dilation": 1, "what does not fit": 1},
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
    out_height = (height + 2 * padding - dilation * (kernel_height - 1) - 1) // stride + 1
    out_width = (width + 2 * padding - dilation * (kernel_width - 1) - 1) // stride + 1
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
