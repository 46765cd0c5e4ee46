"""The exercise `conv1d_backward`."""

import numpy as np

from grader.exercises.convolution_backprop.common import SINGLE_PRECISION, chapter

exercise = chapter.exercise(
    "conv1d_backward",
    points=3,
    aspects={"sliding": 2, "stride and padding": 2, "dilation": 1, "what does not fit": 1},
    hints=(
        "Look at a single output i. Which entries of the padded x did it read, and with which weights? Its gradient "
        "flows back to exactly these, and to exactly these weights.",
        "Start from two arrays of zeros, one for the weights and one for the *padded* x, and add to both what each "
        "output sends back. Different outputs read the same entries: add, do not assign.",
        "For output i and weight k the place in the padded x is `i * stride + k * dilation`. The weight gets "
        "`output_gradient[i] * padded[place]`, the place `output_gradient[i] * weights[k]`. Cut the padding off at "
        "the end.",
    ),
    tolerance=SINGLE_PRECISION,
)


@exercise.reference
def conv1d_backward(output_gradient, x, weights, stride=1, padding=0, dilation=1):
    padded = np.pad(x, padding)
    outputs = (len(padded) - dilation * (len(weights) - 1) - 1) // stride + 1
    if len(output_gradient) != outputs:
        raise ValueError(f"output_gradient has {len(output_gradient)} entries, and the convolution {outputs} outputs")
    padded_gradient = np.zeros(len(padded))
    weights_gradient = np.zeros(len(weights))
    for k in range(len(weights)):
        read = slice(k * dilation, k * dilation + stride * (outputs - 1) + 1, stride)
        weights_gradient[k] = output_gradient @ padded[read]
        padded_gradient[read] += output_gradient * weights[k]
    return padded_gradient[padding : padding + len(x)], weights_gradient
