"""The exercise `count_parameters`."""

import math

import numpy as np
from torch import nn

from grader.exercises.convolution_backprop.common import chapter

exercise = chapter.exercise(
    "count_parameters",
    points=1,
    aspects={"one channel": 1, "many channels": 2, "with and without bias": 1},
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


one_channel, channels, without_bias = exercise.aspects
exercise.case(one_channel, input_shape=(1, 8, 8), out_channels=1, kernel_shape=(3, 3))
exercise.case(one_channel, input_shape=(1, 5, 7), out_channels=1, kernel_shape=(2, 5))
exercise.case(one_channel, input_shape=(1, 28, 28), out_channels=1, kernel_shape=(1, 1))
exercise.case(channels, input_shape=(1, 8, 8), out_channels=4, kernel_shape=(3, 3))
exercise.case(channels, input_shape=(3, 32, 32), out_channels=16, kernel_shape=(5, 5))
exercise.case(channels, input_shape=(6, 4, 9), out_channels=2, kernel_shape=(3, 1))
exercise.case(channels, input_shape=(64, 56, 56), out_channels=64, kernel_shape=(3, 3))
exercise.case(without_bias, input_shape=(3, 6, 5), out_channels=4, kernel_shape=(3, 2), bias=False)
exercise.case(without_bias, input_shape=(1, 4, 4), out_channels=1, kernel_shape=(3, 3), bias=False)
exercise.case(without_bias, input_shape=(3, 6, 5), out_channels=4, kernel_shape=(3, 2), bias=True)


def drawn(rng, in_channels, out_channels, **settings):
    height, width, kernel_height, kernel_width = (int(size) for size in rng.integers((8, 8, 1, 1), (30, 30, 8, 8)))
    shapes = {"input_shape": (in_channels, height, width), "kernel_shape": (kernel_height, kernel_width)}
    return shapes | {"out_channels": out_channels} | settings


@exercise.hidden(one_channel, count=3)
def single_channels(rng):
    return drawn(rng, 1, 1)


@exercise.hidden(channels, count=4)
def several_channels(rng):
    return drawn(rng, int(rng.integers(2, 40)), int(rng.integers(2, 40)))


@exercise.hidden(without_bias, count=3)
def biases_or_none(rng):
    return drawn(rng, int(rng.integers(2, 9)), int(rng.integers(2, 9)), bias=bool(rng.integers(2)))


exercise.slip(
    "Your kernels read one input channel only. Each output channel has a kernel for every input channel and adds up "
    "what they see.",
    name="input_channels_left_out",
    right="out_channels * in_channels *",
    wrong="out_channels *",
)
exercise.slip(
    "You count the kernels of one output channel. Each output channel has its own.",
    name="output_channels_left_out",
    right="out_channels * in_channels *",
    wrong="in_channels *",
)
exercise.slip(
    "You count the kernel anew at every place. That is what a convolution saves: all places share one kernel.",
    name="kernels_not_shared",
    right="math.prod(kernel_shape)\n",
    wrong="math.prod(kernel_shape) * height * width\n",
)
exercise.slip(
    "Your convolution has a bias at every pixel. It has one for each output channel, shared by all places.",
    name="bias_at_every_pixel",
    right="convolution += out_channels",
    wrong="convolution += outputs",
)
exercise.slip(
    "Your convolution has a bias for each kernel. It has one for each output channel: what the kernels of an output "
    "channel see is added up first.",
    name="bias_of_each_kernel",
    right="convolution += out_channels",
    wrong="convolution += out_channels * in_channels",
)
exercise.slip(
    "Your dense layer has one bias for each input. A bias belongs to an output.",
    name="bias_of_each_input",
    right="dense += outputs",
    wrong="dense += math.prod(input_shape)",
)
exercise.slip(
    "Your dense layer has one bias for each channel. It knows no channels and shares nothing: one for each output.",
    name="dense_bias_of_each_channel",
    right="dense += outputs",
    wrong="dense += out_channels",
)
exercise.slip(
    "Your dense layer has as many outputs as there are channels. It has to make an output of the same size as the "
    "convolution: channels times height times width.",
    name="one_output_for_each_channel",
    right="outputs = out_channels * height * width",
    wrong="outputs = out_channels",
)
exercise.slip(
    "Your dense layer reads one channel only. It is connected with all of them: channels times height times width.",
    name="dense_reads_one_channel",
    right="math.prod(input_shape) * outputs",
    wrong="height * width * outputs",
)
exercise.slip(
    "Your biases are always there. With `bias=False` the layers have none.",
    name="bias_always",
    right="if bias:",
    wrong="if True:",
)
exercise.slip(
    "Where are the biases? With `bias=True`, the default, the dense layer has one for each output and the convolution "
    "one for each output channel.",
    name="bias_never",
    right="if bias:",
    wrong="if False:",
)
exercise.slip(
    "You take the kernel for a square. Its height and its width may differ.",
    name="square_kernel",
    right="math.prod(kernel_shape)",
    wrong="kernel_shape[0] ** 2",
)
exercise.slip(
    "Both counts are right, in the wrong order: the dense layer first.",
    name="swapped",
    right="return dense, convolution",
    wrong="return convolution, dense",
)


@exercise.mistake(
    "Your dense layer makes a smaller output, without the pixels at the border. The convolution pads its input, so "
    "both outputs are as high and as wide as the input."
)
def without_padding(input_shape, out_channels, kernel_shape, bias=True):
    in_channels, height, width = input_shape
    kernel_height, kernel_width = kernel_shape
    outputs = out_channels * (height - kernel_height + 1) * (width - kernel_width + 1)
    dense = in_channels * height * width * outputs
    convolution = out_channels * in_channels * kernel_height * kernel_width
    return (dense + outputs, convolution + out_channels) if bias else (dense, convolution)


exercise.slip(
    "Each of your layers has a single bias. The dense layer has one for each output, the convolution one for "
    "each output channel.",
    name="single_bias",
    right="dense += outputs\n        convolution += out_channels",
    wrong="dense += 1\n        convolution += 1",
)


@exercise.alternative
def counted_by_torch(input_shape, out_channels, kernel_shape, bias=True):
    channels, height, width = input_shape
    outputs = out_channels * height * width
    dense = nn.Linear(channels * height * width, outputs, bias=bias, device="meta")
    convolution = nn.Conv2d(channels, out_channels, kernel_shape, bias=bias, device="meta")
    return [sum(weights.numel() for weights in layer.parameters()) for layer in (dense, convolution)]


@exercise.alternative
def output_by_output(input_shape, out_channels, kernel_shape, bias=True):
    places = input_shape[1] * input_shape[2]
    of_each_output = input_shape[0] * places + int(bias)
    of_each_channel = input_shape[0] * kernel_shape[0] * kernel_shape[1] + int(bias)
    return np.int64(places * out_channels) * of_each_output, np.int64(out_channels) * of_each_channel
