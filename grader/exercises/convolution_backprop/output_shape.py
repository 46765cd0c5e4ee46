"""The exercise `output_shape`."""

import torch
from torch.nn import functional

from grader.exercises.convolution_backprop.common import chapter

exercise = chapter.exercise(
    "output_shape",
    points=2,
    aspects={"stride and padding": 2, "dilation": 1, "what does not fit": 1},
    hints=(
        "Take one axis. How long is it with the padding, which comes on both sides? How long is the kernel with its "
        "gaps? How far can its first entry move?",
        "A kernel of k entries with dilation d covers d * (k - 1) + 1 pixels. Its first entry can move the padded "
        "length less that; in steps of `stride` that is a whole-number division, and one more for the start.",
        "On each axis: `(size + 2 * padding - dilation * (kernel - 1) - 1) // stride + 1`. Before that, refuse shapes "
        "of different length, and a kernel that covers more than there is.",
    ),
)


@exercise.reference
def output_shape(input_shape, kernel_shape, stride=1, padding=0, dilation=1):
    if len(input_shape) != len(kernel_shape):
        raise ValueError(f"a kernel with {len(kernel_shape)} axes does not fit an input with {len(input_shape)}")
    shape = []
    for size, kernel in zip(input_shape, kernel_shape):
        padded, covered = size + 2 * padding, dilation * (kernel - 1) + 1
        if covered > padded:
            raise ValueError(f"the kernel covers {covered} pixels, and the padded input has {padded}: pad more")
        shape.append((padded - covered) // stride + 1)
    return tuple(shape)


plain, dilated, misfits = exercise.aspects
exercise.case(plain, input_shape=(7,), kernel_shape=(3,))
exercise.case(plain, input_shape=(28, 10), kernel_shape=(5, 3), stride=2, padding=1)
exercise.case(plain, input_shape=(8, 8), kernel_shape=(3, 3), stride=2)
exercise.case(plain, input_shape=(6, 11), kernel_shape=(2, 4), stride=4)
exercise.case(plain, input_shape=(5, 6, 9), kernel_shape=(3, 3, 1), padding=2)
exercise.case(plain, input_shape=(32, 32), kernel_shape=(7, 7), stride=3, padding=3)
exercise.case(dilated, input_shape=(10,), kernel_shape=(3,), dilation=2)
exercise.case(dilated, input_shape=(20, 13), kernel_shape=(3, 2), stride=2, padding=1, dilation=3)
exercise.case(dilated, input_shape=(9, 9), kernel_shape=(1, 5), dilation=2)
exercise.case(dilated, input_shape=(17, 17), kernel_shape=(4, 4), stride=3, dilation=2)
# Just fits, with the padding of both sides and without a step to go.
exercise.case(misfits, input_shape=(3, 5), kernel_shape=(5, 5), padding=1)
exercise.case(misfits, input_shape=(3,), kernel_shape=(5,))
exercise.case(misfits, input_shape=(4, 4), kernel_shape=(5, 5), stride=2)
exercise.case(misfits, input_shape=(3,), kernel_shape=(5,), stride=3)
exercise.case(misfits, input_shape=(9, 4), kernel_shape=(5, 5))
exercise.case(misfits, input_shape=(6,), kernel_shape=(3,), dilation=3)
exercise.case(misfits, input_shape=(2,), kernel_shape=(4,), padding=1, dilation=2)
exercise.case(misfits, input_shape=(8, 8), kernel_shape=(3,))
exercise.case(misfits, input_shape=(8,), kernel_shape=(3, 3))


def drawn(rng, **settings):
    axes = int(rng.integers(1, 4))
    return {
        "input_shape": tuple(int(size) for size in rng.integers(16, 40, axes)),
        "kernel_shape": tuple(int(size) for size in rng.integers(2, 6, axes)),
        "stride": int(rng.integers(1, 5)),
        "padding": int(rng.integers(0, 4)),
        **settings,
    }


@exercise.hidden(plain, count=6)
def without_gaps(rng):
    return drawn(rng)


@exercise.hidden(dilated, count=4)
def with_gaps(rng):
    return drawn(rng, dilation=int(rng.integers(2, 4)))


@exercise.hidden(misfits, count=3)
def too_large(rng):
    size, padding = int(rng.integers(2, 9)), int(rng.integers(0, 3))
    kernel = size + 2 * padding + int(rng.integers(1, 4))
    return {
        "input_shape": (size, 20),
        "kernel_shape": (kernel, 3),
        "padding": padding,
        "stride": int(rng.integers(1, 4)),
    }


exercise.slip(
    "You round up. What is left over at the end is not enough for another place of the kernel and is not read: round "
    "down, with `//`.",
    name="rounded_up",
    right="(padded - covered) // stride + 1",
    wrong="-(-(padded - covered) // stride) + 1",
)
exercise.slip(
    "You round to the nearest whole number. What is left over at the end is not read, however much it is: round down, "
    "with `//`.",
    name="rounded",
    right="(padded - covered) // stride + 1",
    wrong="round((padded - covered) / stride) + 1",
)
exercise.slip(
    "Your sizes are no whole numbers where the stride does not divide. The kernel cannot stop halfway: use `//`.",
    name="not_rounded",
    right="(padded - covered) // stride + 1",
    wrong="(padded - covered) / stride + 1",
)
exercise.slip(
    "Your padding is on one side only. It is added before and after the input.",
    name="padded_on_one_side",
    right="size + 2 * padding",
    wrong="size + padding",
)
exercise.slip(
    "You forget the padding: it makes the input longer on both sides.",
    name="padding_left_out",
    right="size + 2 * padding",
    wrong="size",
)
exercise.slip(
    "You forget the dilation. With gaps the same number of entries covers more pixels.",
    name="dilation_left_out",
    right="dilation * (kernel - 1) + 1",
    wrong="kernel",
)
exercise.slip(
    "A kernel of k entries has k - 1 gaps between them, and you count k: `dilation * kernel` is too much.",
    name="one_gap_too_many",
    right="dilation * (kernel - 1) + 1",
    wrong="dilation * kernel",
)
exercise.slip(
    "You forget the pixel under the last entry: k entries with k - 1 distances of `dilation` cover one pixel more than "
    "the distances add up to.",
    name="last_entry_left_out",
    right="dilation * (kernel - 1) + 1",
    wrong="dilation * (kernel - 1)",
)
exercise.slip(
    "You count how often the kernel moves. It has seen something before its first move: one more.",
    name="start_left_out",
    right="// stride + 1",
    wrong="// stride",
)
exercise.slip(
    "The 1 for the start goes into your division, where it counts only if the stride is 1. Add it afterwards.",
    name="start_divided_too",
    right="(padded - covered) // stride + 1",
    wrong="(padded - covered + 1) // stride",
)
exercise.slip(
    "You forget the stride.",
    name="stride_left_out",
    right="(padded - covered) // stride + 1",
    wrong="padded - covered + 1",
)
exercise.slip(
    "You take every axis for as long as the first. Height and width may differ.",
    name="first_axis_for_all",
    right="zip(input_shape, kernel_shape)",
    wrong="[(input_shape[0], kernel_shape[0])] * len(input_shape)",
)
exercise.slip(
    "A kernel that is larger than the padded input gets a size of 0 or less from you. It fits nowhere: refuse it with "
    "a ValueError.",
    name="too_large_accepted",
    right="covered > padded",
    wrong="covered < 1",
)
exercise.slip(
    "You refuse a kernel that is as large as the padded input. It fits, in one place.",
    name="exact_fit_refused",
    right="covered > padded",
    wrong="covered >= padded",
)
exercise.slip(
    "You refuse a kernel that is larger than the input without its padding. With the padding it may fit.",
    name="refused_without_the_padding",
    right="covered > padded",
    wrong="covered > size",
)
exercise.slip(
    "You compare the kernel without its gaps. What has to fit is what it covers, gaps included.",
    name="compared_without_the_gaps",
    right="covered > padded",
    wrong="kernel > padded",
)
exercise.slip(
    "You look at the size after the division, and a size of 0 gets through.",
    name="size_of_0_accepted",
    right="covered > padded",
    wrong="(padded - covered) // stride + 1 < 0",
)
exercise.slip(
    "A kernel with fewer axes than the input gets through: `zip` stops at the shorter one, and an axis is lost. "
    "Compare the two lengths first.",
    name="axes_not_compared",
    right="len(input_shape) != len(kernel_shape)",
    wrong="len(input_shape) < len(kernel_shape)",
)


@exercise.mistake(
    "`int(...)` cuts towards 0, so for a kernel that is a little too large it gives 0, and 1 with the start: an output "
    "that does not exist. Compare before you divide, and divide with `//`."
)
def cut_towards_zero(input_shape, kernel_shape, stride=1, padding=0, dilation=1):
    if len(input_shape) != len(kernel_shape):
        raise ValueError("another number of axes")
    sizes = []
    for size, kernel in zip(input_shape, kernel_shape):
        sizes.append(int((size + 2 * padding - dilation * (kernel - 1) - 1) / stride) + 1)
    if min(sizes) < 1:
        raise ValueError("the kernel is too large")
    return tuple(sizes)


@exercise.alternative
def counting_places(input_shape, kernel_shape, stride=1, padding=0, dilation=1):
    if len(kernel_shape) - len(input_shape):
        raise ValueError("another number of axes")
    sizes = []
    for axis in range(len(input_shape)):
        reach = dilation * kernel_shape[axis] - dilation
        sizes.append(len(range(-padding, input_shape[axis] + padding - reach, stride)))
    if 0 in sizes:
        raise ValueError("the kernel is too large")
    return sizes


@exercise.alternative
def asked_of_torch(input_shape, kernel_shape, stride=1, padding=0, dilation=1):
    convolution = (functional.conv1d, functional.conv2d, functional.conv3d)[len(input_shape) - 1]
    try:
        x, weights = torch.zeros(1, 1, *input_shape), torch.zeros(1, 1, *kernel_shape)
        return tuple(convolution(x, weights, None, stride, padding, dilation).shape[2:])
    except RuntimeError as error:
        raise ValueError("it does not fit") from error
