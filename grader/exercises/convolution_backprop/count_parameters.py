"""The exercise `count_parameters`."""

import math

from grader.exercises.convolution_backprop.common import chapter

exercise = chapter.exercise(
    "count_parameters",
    points=1,
    aspects={"dense": 1, "convolution": 1, "with or without bias": 1},
    hints=(
        "Take one output of the dense layer: how many inputs does it read? And one output channel of the convolution: "
        "how many weights does it carry from place to place, in how many input channels?",
        "The dense layer has one weight for each pair of an input and an output and one bias for each output. The "
        "convolution has one kernel for each pair of channels and one bias for each output channel.",
        "The input has `math.prod(input_shape)` entries, the output `out_channels * height * width`. The kernels have "
        "`out_channels * in_channels * kernel_height * kernel_width` weights.",
    ),
)


@exercise.reference
def count_parameters(input_shape, out_channels, kernel_shape, bias=True):
    in_channels, height, width = input_shape
    outputs = out_channels * height * width
    dense = math.prod(input_shape) * outputs
    convolution = out_channels * in_channels * math.prod(kernel_shape)
    if bias:
        dense += outputs
        convolution += out_channels
    return dense, convolution
