"""The exercise `max_pool_backward`."""

import numpy as np

from grader.exercises.convolution_backprop.common import SINGLE_PRECISION, chapter

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
