"""The exercise `conv_cost`."""

import numpy as np
import torch
from torch import nn

from grader.exercises.convolution_backprop.common import chapter

exercise = chapter.exercise(
    "conv_cost",
    points=2,
    aspects={"one group": 2, "groups": 1, "what does not fit": 1},
    hints=(
        "First the weights: how many does one output channel have? Then: how often is each weight used in one image?",
        "An output channel reads the `in_channels // groups` channels of its own group. Every weight is multiplied "
        "once at every place of the output.",
        "With `weights = out_channels * (in_channels // groups) * kernel_size**2`, the multiply-adds are `weights * "
        "out_height * out_width`, and the parameters are the weights and one bias for each output channel.",
    ),
)


@exercise.reference
def conv_cost(input_shape, out_channels, kernel_size, stride=1, padding=0, groups=1):
    in_channels, height, width = input_shape
    if in_channels % groups or out_channels % groups:
        raise ValueError(f"{groups} groups do not divide {in_channels} input and {out_channels} output channels")
    out_height = (height + 2 * padding - kernel_size) // stride + 1
    out_width = (width + 2 * padding - kernel_size) // stride + 1
    if out_height < 1 or out_width < 1:
        raise ValueError(
            f"a kernel of {kernel_size} x {kernel_size} is larger than an image of {height} x {width} with padding "
            f"{padding}: pad more, or take a smaller kernel"
        )
    weights = out_channels * (in_channels // groups) * kernel_size**2
    return weights * out_height * out_width, weights + out_channels


single, grouped, misfits = exercise.aspects
exercise.case(single, input_shape=(1, 4, 5), out_channels=1, kernel_size=1)
exercise.case(single, input_shape=(1, 5, 7), out_channels=1, kernel_size=3)
exercise.case(single, input_shape=(16, 8, 8), out_channels=32, kernel_size=3, padding=1)
exercise.case(single, input_shape=(3, 10, 9), out_channels=4, kernel_size=3, stride=2)
exercise.case(single, input_shape=(2, 9, 12), out_channels=3, kernel_size=2, stride=3, padding=2)
exercise.case(single, input_shape=(256, 14, 14), out_channels=64, kernel_size=1)
exercise.case(grouped, input_shape=(4, 6, 6), out_channels=8, kernel_size=3, groups=2)
exercise.case(grouped, input_shape=(6, 7, 5), out_channels=6, kernel_size=3, padding=1, groups=6)
exercise.case(grouped, input_shape=(12, 6, 8), out_channels=6, kernel_size=1, groups=3)
exercise.case(grouped, input_shape=(4, 8, 7), out_channels=8, kernel_size=3, stride=2, groups=2)
exercise.case(misfits, input_shape=(2, 3, 3), out_channels=2, kernel_size=5, padding=1)
exercise.case(misfits, input_shape=(2, 3, 8), out_channels=2, kernel_size=4)
exercise.case(misfits, input_shape=(2, 8, 3), out_channels=2, kernel_size=4, stride=2)
exercise.case(misfits, input_shape=(2, 2, 2), out_channels=2, kernel_size=5, padding=1)
exercise.case(misfits, input_shape=(6, 4, 4), out_channels=8, kernel_size=3, groups=4)
exercise.case(misfits, input_shape=(8, 4, 4), out_channels=6, kernel_size=3, groups=4)
exercise.case(misfits, input_shape=(3, 4, 4), out_channels=3, kernel_size=3, groups=6)


def drawn(rng, groups=1):
    height, width = (int(size) for size in rng.choice(np.arange(9, 20), 2, replace=False))
    return {
        "input_shape": (groups * int(rng.integers(2, 6)), height, width),
        "out_channels": groups * int(rng.integers(2, 6)),
        "kernel_size": int(rng.integers(2, 6)),
        "stride": int(rng.integers(1, 4)),
        "padding": int(rng.integers(0, 3)),
        "groups": groups,
    }


@exercise.hidden(single, count=5)
def one_group(rng):
    return drawn(rng)


@exercise.hidden(grouped, count=4)
def several_groups(rng):
    return drawn(rng, groups=int(rng.integers(2, 5)))


@exercise.hidden(misfits, count=2)
def uneven_groups(rng):
    arguments = drawn(rng, groups=int(rng.integers(2, 5)))
    return arguments | {"out_channels": arguments["out_channels"] + 1}


@exercise.hidden(misfits, count=2)
def large_kernels(rng):
    arguments = drawn(rng)
    return arguments | {"kernel_size": arguments["input_shape"][1] + 2 * arguments["padding"] + 1}


WEIGHTS = "out_channels * (in_channels // groups) * kernel_size**2"
RETURNED = "return weights * out_height * out_width, weights + out_channels"
exercise.slip(
    "You leave the groups out. An output channel reads the input channels of its own group only.",
    name="groups_left_out",
    right=WEIGHTS,
    wrong="out_channels * in_channels * kernel_size**2",
)
exercise.slip(
    "You divide both numbers of channels by the groups: that is the cost of one group. All groups together have all "
    "output channels.",
    name="one_group_counted",
    right=WEIGHTS,
    wrong="(out_channels // groups) * (in_channels // groups) * kernel_size**2",
)
exercise.slip(
    "Your output channels read one input channel each. Each reads all channels of its group.",
    name="input_channels_left_out",
    right=WEIGHTS,
    wrong="out_channels * kernel_size**2",
)
exercise.slip(
    "A kernel has height and width: its size counts twice.",
    name="kernel_not_squared",
    right=WEIGHTS,
    wrong="out_channels * (in_channels // groups) * kernel_size",
)
exercise.slip(
    "Your weights are used at every pixel of the input. They are used at every place of the output, and stride and "
    "padding decide how many these are.",
    name="places_of_the_input",
    right=RETURNED,
    wrong="return weights * height * width, weights + out_channels",
)
exercise.slip(
    "Where are the biases? Each output channel has one more parameter.",
    name="biases_left_out",
    right=RETURNED,
    wrong="return weights * out_height * out_width, weights",
)
exercise.slip(
    "You count the biases among the multiply-adds. A multiply-add is a product of a weight and a pixel.",
    name="biases_multiplied",
    right=RETURNED,
    wrong="return (weights + out_channels) * out_height * out_width, weights + out_channels",
)
exercise.slip(
    "You count multiplications and additions apart. A multiply-add is both in one.",
    name="counted_twice",
    right=RETURNED,
    wrong="return 2 * weights * out_height * out_width, weights + out_channels",
)
exercise.slip(
    "Both numbers are right, in the wrong order: the multiply-adds first.",
    name="swapped",
    right=RETURNED,
    wrong="return weights + out_channels, weights * out_height * out_width",
)
exercise.slip(
    "Your parameters grow with the image. All places share the weights.",
    name="weights_not_shared",
    right=RETURNED,
    wrong="return weights * out_height * out_width, weights * out_height * out_width + out_channels",
)
exercise.slip(
    "Your convolution has a bias at every pixel. It has one for each output channel.",
    name="bias_at_every_pixel",
    right=RETURNED,
    wrong="return weights * out_height * out_width, weights + out_channels * out_height * out_width",
)
exercise.slip(
    "You ask whether the groups divide the input channels, but not whether they divide the output channels.",
    name="output_channels_not_asked",
    right="in_channels % groups or out_channels % groups",
    wrong="in_channels % groups",
)
exercise.slip(
    "You ask whether the groups divide the output channels, but not whether they divide the input channels.",
    name="input_channels_not_asked",
    right="in_channels % groups or out_channels % groups",
    wrong="out_channels % groups",
)
exercise.slip(
    "Groups that do not divide the channels get through: `//` drops the channels that are left over. Refuse them with "
    "a ValueError.",
    name="uneven_groups_accepted",
    right="in_channels % groups or out_channels % groups",
    wrong="groups < 1",
)
exercise.slip(
    "A kernel that is larger than the padded image gets through, with a cost of 0 or even less. Refuse it with a "
    "ValueError.",
    name="large_kernel_accepted",
    right="out_height < 1 or out_width < 1",
    wrong="kernel_size < 1",
)
exercise.slip(
    "You look at the height only. A kernel that is too wide gets through.",
    name="only_the_height_compared",
    right="out_height < 1 or out_width < 1",
    wrong="out_height < 1",
)
exercise.slip(
    "You refuse a kernel that is larger than the image without its padding. With the padding it may fit.",
    name="refused_without_the_padding",
    right="out_height < 1 or out_width < 1",
    wrong="kernel_size > min(height, width)",
)


@exercise.mistake(
    "Neither groups that do not divide the channels nor a kernel that does not fit are refused. Both have no cost, for "
    "they do not exist: raise a ValueError."
)
def nothing_refused(input_shape, out_channels, kernel_size, stride=1, padding=0, groups=1):
    in_channels, height, width = input_shape
    out_height = (height + 2 * padding - kernel_size) // stride + 1
    out_width = (width + 2 * padding - kernel_size) // stride + 1
    weights = out_channels * (in_channels // groups) * kernel_size**2
    return weights * out_height * out_width, weights + out_channels


@exercise.mistake("You forget the padding: it makes the image larger on all four sides, and with it the output.")
def padding_left_out(input_shape, out_channels, kernel_size, stride=1, padding=0, groups=1):
    in_channels, height, width = input_shape
    out_height, out_width = (height - kernel_size) // stride + 1, (width - kernel_size) // stride + 1
    if in_channels % groups or out_channels % groups or out_height < 1 or out_width < 1:
        raise ValueError("it does not fit")
    weights = out_channels * (in_channels // groups) * kernel_size**2
    return weights * out_height * out_width, weights + out_channels


@exercise.mistake("You forget the stride: with a stride of 2 each side of the output has about half as many pixels.")
def stride_left_out(input_shape, out_channels, kernel_size, stride=1, padding=0, groups=1):
    in_channels, height, width = input_shape
    out_height, out_width = height + 2 * padding - kernel_size + 1, width + 2 * padding - kernel_size + 1
    if in_channels % groups or out_channels % groups or out_height < 1 or out_width < 1:
        raise ValueError("it does not fit")
    weights = out_channels * (in_channels // groups) * kernel_size**2
    return weights * out_height * out_width, weights + out_channels


@exercise.mistake(
    "You round the size of the output up. What is left over at the end is not read: round down, with `//`."
)
def rounded_up(input_shape, out_channels, kernel_size, stride=1, padding=0, groups=1):
    in_channels, height, width = input_shape
    out_height = -(-(height + 2 * padding - kernel_size) // stride) + 1
    out_width = -(-(width + 2 * padding - kernel_size) // stride) + 1
    if in_channels % groups or out_channels % groups or kernel_size > min(height, width) + 2 * padding:
        raise ValueError("it does not fit")
    weights = out_channels * (in_channels // groups) * kernel_size**2
    return weights * out_height * out_width, weights + out_channels


@exercise.alternative
def group_by_group(input_shape, out_channels, kernel_size, stride=1, padding=0, groups=1):
    channels, *sizes = input_shape
    places = 1
    for size in sizes:
        places *= len(range(0, size + 2 * padding - kernel_size + 1, stride))
    if places == 0 or channels // groups * groups != channels or out_channels // groups * groups != out_channels:
        raise ValueError("it does not fit")
    multiply_adds = parameters = 0
    for _ in range(groups):
        weights = (channels // groups) * (out_channels // groups) * kernel_size * kernel_size
        multiply_adds += weights * places
        parameters += weights + out_channels // groups
    return [multiply_adds, parameters]


@exercise.alternative
def counted_by_torch(input_shape, out_channels, kernel_size, stride=1, padding=0, groups=1):
    layer = nn.Conv2d(input_shape[0], out_channels, kernel_size, stride, padding, groups=groups, device="meta")
    try:
        output = layer(torch.empty(input_shape, device="meta"))
    except RuntimeError as error:
        raise ValueError("it does not fit") from error
    if output.numel() == 0:
        raise ValueError("it does not fit")
    places = output.numel() // out_channels
    return layer.weight.numel() * places, sum(weights.numel() for weights in layer.parameters())
