"""The exercise `conv1d_backward`."""

import numpy as np
import torch
from torch.nn import functional

from grader.exercises.convolution_backprop.common import LONG_SUMS, chapter, entries, settings

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
    tolerance=LONG_SUMS,
)


@exercise.reference
def conv1d_backward(output_gradient, x, weights, stride=1, padding=0, dilation=1):
    padded = np.pad(x, padding)
    outputs = (len(padded) - dilation * (len(weights) - 1) - 1) // stride + 1
    if outputs < 1:
        raise ValueError(f"the kernel is longer than the padded input of {len(padded)} entries: there is no output")
    if len(output_gradient) != outputs:
        raise ValueError(f"output_gradient has {len(output_gradient)} entries, and the convolution {outputs} outputs")
    padded_gradient = np.zeros(len(padded))
    weights_gradient = np.zeros(len(weights))
    for k in range(len(weights)):
        read = slice(k * dilation, k * dilation + stride * (outputs - 1) + 1, stride)
        weights_gradient[k] = output_gradient @ padded[read]
        padded_gradient[read] += output_gradient * weights[k]
    return padded_gradient[padding : padding + len(x)], weights_gradient


sliding, strided, dilated, misfits = exercise.aspects
row = np.array([1.0, -2.0, 4.0, 0.5, 3.0, -1.0, 2.0])
exercise.case(sliding, output_gradient=np.array([1.0, 10.0]), x=np.array([1.0, 2.0, 4.0]), weights=np.array([3.0, 5.0]))
exercise.case(sliding, output_gradient=np.array([2.0, -1.0, 0.5, 3.0, 1.0]), x=row, weights=np.array([2.0, 0.5, -1.0]))
exercise.case(sliding, output_gradient=np.array([2.0]), x=np.array([1.0, 3.0, -1.0]), weights=np.array([1.0, 2.0, 4.0]))
two, three = np.array([2.0, -1.0]), np.array([2.0, 0.5, -1.0])
exercise.case(strided, output_gradient=np.array([2.0, -1.0, 3.0]), x=row, weights=three, stride=2)
# The stride does not divide: the last entries are not read, and get no gradient.
exercise.case(strided, output_gradient=np.array([2.0, -1.0]), x=row, weights=two, stride=3)
exercise.case(strided, output_gradient=np.array([1.0, 10.0, 100.0]), x=np.array([3.0, 5.0]), weights=two, padding=1)
exercise.case(strided, output_gradient=np.array([1.0, 2.0, -1.0, 3.0]), x=row, weights=three, stride=2, padding=1)
exercise.case(dilated, output_gradient=np.array([1.0, 10.0, 3.0, -1.0]), x=row, weights=two, dilation=3)
exercise.case(dilated, output_gradient=np.array([1.0, 10.0, 3.0]), x=row, weights=three, dilation=2)
exercise.case(
    dilated, output_gradient=np.array([1.0, -2.0, 3.0, 0.5]), x=row, weights=three, stride=2, padding=2, dilation=2
)
exercise.case(dilated, output_gradient=np.array([1.0, -2.0]), x=row, weights=three, stride=3, padding=1, dilation=2)
# It just fits: with the padding of both sides, and with its gap.
exercise.case(misfits, output_gradient=np.array([2.0]), x=row[:2], weights=np.array([3.0, 1.0, -2.0, 0.5]), padding=1)
exercise.case(misfits, output_gradient=np.array([2.0]), x=row[:3], weights=two, dilation=2)
exercise.case(misfits, output_gradient=np.array([1.0, 2.0, 4.0]), x=row[:4], weights=two)
exercise.case(misfits, output_gradient=np.array([1.0, 2.0]), x=row[:4], weights=two)
exercise.case(misfits, output_gradient=np.array([1.0]), x=row[:4], weights=two)
exercise.case(misfits, output_gradient=np.array([1.0, 2.0, 4.0, 8.0]), x=row[:4], weights=two)
exercise.case(misfits, output_gradient=np.array([1.0, 2.0]), x=row, weights=two, stride=2)
# No output, and no gradient: a kernel that is too long, and one that would fit without its gap.
exercise.case(misfits, output_gradient=np.array([]), x=row[:2], weights=three)
exercise.case(misfits, output_gradient=np.array([]), x=row[:2], weights=two, dilation=2)


def drawn(rng, length, kernel, stride=1, padding=0, dilation=1):
    outputs = (length + 2 * padding - dilation * (kernel - 1) - 1) // stride + 1
    arrays = {"output_gradient": entries(rng, outputs), "x": entries(rng, length), "weights": entries(rng, kernel)}
    return arrays | {"stride": stride, "padding": padding, "dilation": dilation}


@exercise.hidden(sliding, count=4)
def slide(rng):
    return drawn(rng, int(rng.integers(8, 14)), int(rng.integers(2, 5)))


@exercise.hidden(strided, count=5)
def stride_and_pad(rng):
    return drawn(rng, int(rng.integers(8, 14)), int(rng.integers(2, 5)), **settings(rng) | {"dilation": 1})


@exercise.hidden(dilated, count=4)
def dilate(rng):
    chosen = settings(rng) | {"dilation": int(rng.integers(2, 4))}
    return drawn(rng, int(rng.integers(12, 18)), int(rng.integers(2, 5)), **chosen)


@exercise.hidden(misfits, count=2)
def too_short(rng):
    arguments = drawn(rng, int(rng.integers(8, 14)), int(rng.integers(2, 5)))
    return arguments | {"output_gradient": arguments["output_gradient"][: int(rng.integers(2, 4))]}


ADDED = "padded_gradient[read] += output_gradient * weights[k]"
CUT = "padded_gradient[padding : padding + len(x)]"
exercise.slip(
    "What several outputs send back to the same entry of x overwrites itself: only the last of them counts. Add.",
    name="assigned_instead_of_added",
    right=ADDED,
    wrong="padded_gradient[read] = output_gradient * weights[k]",
)
exercise.slip(
    "For x you have flipped the weights once too often. Entry i of x got weight k from output i - k; written as a "
    "sliding kernel that is a flip, but where you add along the way forward there is none.",
    name="weights_flipped_for_x",
    right=ADDED,
    wrong="padded_gradient[read] += output_gradient * weights[-1 - k]",
)
exercise.slip(
    "Your gradient for the weights is backwards. The first weight met the first entry under the kernel; nothing is "
    "flipped.",
    name="weights_gradient_flipped",
    right="return padded_gradient[padding : padding + len(x)], weights_gradient",
    wrong="return padded_gradient[padding : padding + len(x)], weights_gradient[::-1]",
)
exercise.slip(
    "Both gradients are right, in the wrong order: x first, then the weights, as in the call of `conv1d`.",
    name="swapped",
    right="return padded_gradient[padding : padding + len(x)], weights_gradient",
    wrong="return weights_gradient, padded_gradient[padding : padding + len(x)]",
)
exercise.slip(
    "Your outputs read places next to each other, whatever the stride. Output i has read from `i * stride` on, and "
    "there its gradient goes back.",
    name="stride_not_spread",
    right="slice(k * dilation, k * dilation + stride * (outputs - 1) + 1, stride)",
    wrong="slice(k * dilation, k * dilation + outputs)",
)
exercise.slip(
    "You forget the dilation: weight k has read `k * dilation` places further on.",
    name="dilation_left_out",
    right="slice(k * dilation, k * dilation + stride * (outputs - 1) + 1, stride)",
    wrong="slice(k, k + stride * (outputs - 1) + 1, stride)",
)
exercise.slip(
    "Your gradient for x still has the padding on it. The zeros that were added get a gradient too, but nobody wants "
    "it: cut it off on both sides.",
    name="padding_not_cut_off",
    right=CUT,
    wrong="padded_gradient",
)
exercise.slip(
    "You cut all of the padding off at the end. It stands on both sides: entry 0 of x is at `padding`.",
    name="cut_off_at_the_end",
    right=CUT,
    wrong="padded_gradient[: len(x)]",
)
exercise.slip(
    "You cut all of the padding off at the beginning. It stands on both sides.",
    name="cut_off_at_the_beginning",
    right=CUT,
    wrong="padded_gradient[2 * padding :]",
)
exercise.slip(
    "Without padding, `[padding:-padding]` is `[0:0]`, which is nothing. Count from the front: `[padding : padding + "
    "len(x)]`.",
    name="nothing_left_without_padding",
    right=CUT,
    wrong="padded_gradient[padding:-padding]",
)
exercise.slip(
    "You average the gradient of a weight over the outputs. Each output adds its part: sum.",
    name="averaged",
    right="output_gradient @ padded[read]",
    wrong="output_gradient @ padded[read] / outputs",
)
exercise.slip(
    "The gradient of a weight leaves out what came in: it is the sum of gradient times the entry that the weight met.",
    name="input_left_out",
    right="output_gradient @ padded[read]",
    wrong="output_gradient.sum()",
)


@exercise.mistake(
    "Where the stride does not divide, your gradient for x is too short. The entries at the end were not read, but "
    "they are there: their gradient is 0."
)
def end_forgotten(output_gradient, x, weights, stride=1, padding=0, dilation=1):
    outputs = (len(x) + 2 * padding - dilation * (len(weights) - 1) - 1) // stride + 1
    if len(output_gradient) != outputs:
        raise ValueError("another length")
    spread = np.zeros(stride * (outputs - 1) + 1)
    spread[::stride] = output_gradient
    kernel = np.zeros(dilation * (len(weights) - 1) + 1)
    kernel[::dilation] = weights
    full = np.convolve(spread, kernel)
    padded = np.pad(x, padding)
    places = stride * np.arange(outputs)
    return full[padding : len(full) - padding], np.array(
        [output_gradient @ padded[places + k * dilation] for k in range(len(weights))]
    )


@exercise.mistake(
    "You convolve the gradients with the kernel as if the stride were 1. Between two outputs lie `stride` entries: put "
    "`stride - 1` zeros between their gradients first, and further zeros for what was not read at the end."
)
def convolved_without_zeros_between(output_gradient, x, weights, stride=1, padding=0, dilation=1):
    padded = np.pad(x, padding)
    outputs = (len(padded) - dilation * (len(weights) - 1) - 1) // stride + 1
    if len(output_gradient) != outputs:
        raise ValueError("another length")
    kernel = np.zeros(dilation * (len(weights) - 1) + 1)
    kernel[::dilation] = weights
    places = stride * np.arange(outputs)
    weights_gradient = [output_gradient @ padded[places + k * dilation] for k in range(len(weights))]
    return np.convolve(output_gradient, kernel)[padding : padding + len(x)], np.array(weights_gradient)


@exercise.mistake(
    "You take as many outputs as there are gradients. If that is not how many the convolution has, stride or padding "
    "are not those of the way forward: refuse it with a ValueError."
)
def any_number_of_outputs(output_gradient, x, weights, stride=1, padding=0, dilation=1):
    padded = np.pad(x, padding)
    outputs = (len(padded) - dilation * (len(weights) - 1) - 1) // stride + 1
    if len(output_gradient) > outputs:
        raise ValueError("too many gradients")
    padded_gradient = np.zeros(len(padded))
    weights_gradient = np.zeros(len(weights))
    for i, gradient in enumerate(output_gradient):
        for k in range(len(weights)):
            padded_gradient[i * stride + k * dilation] += gradient * weights[k]
            weights_gradient[k] += gradient * padded[i * stride + k * dilation]
    return padded_gradient[padding : padding + len(x)], weights_gradient


@exercise.mistake(
    "You take as many outputs as there are gradients, and one too many runs over the end of x. Compare their number "
    "with that of the outputs first, and refuse what differs with a ValueError."
)
def runs_over_the_end(output_gradient, x, weights, stride=1, padding=0, dilation=1):
    padded = np.pad(x, padding)
    padded_gradient = np.zeros(len(padded))
    weights_gradient = np.zeros(len(weights))
    for i, gradient in enumerate(output_gradient):
        for k in range(len(weights)):
            padded_gradient[i * stride + k * dilation] += gradient * weights[k]
            weights_gradient[k] += gradient * padded[i * stride + k * dilation]
    return padded_gradient[padding : padding + len(x)], weights_gradient


exercise.slip(
    "A kernel that fits nowhere has no outputs, and with no gradients for them you return zeros. Refuse it, as "
    "`conv1d` does.",
    name="kernel_that_fits_nowhere_accepted",
    right="outputs < 1",
    wrong="outputs < 0",
)
exercise.slip(
    "A single gradient is stretched over all outputs. Compare the lengths, and refuse what differs with a ValueError.",
    name="single_gradient_stretched",
    right="    outputs = (len(padded)",
    wrong="    if len(output_gradient) == 1:\n        output_gradient = np.repeat(output_gradient, (len(padded) - "
    "dilation * (len(weights) - 1) - 1) // stride + 1)\n    outputs = (len(padded)",
)


@exercise.alternative
def output_by_output(output_gradient, x, weights, stride=1, padding=0, dilation=1):
    covered = dilation * (len(weights) - 1) + 1
    outputs = len(range(0, len(x) + 2 * padding - covered + 1, stride))
    if outputs == 0 or len(output_gradient) != outputs:
        raise ValueError("another number of outputs")
    x_gradient, weights_gradient = [0.0] * len(x), [0.0] * len(weights)
    for i, gradient in enumerate(output_gradient.tolist()):
        for k in range(len(weights)):
            place = i * stride + k * dilation - padding
            if place in range(len(x)):
                x_gradient[place] += gradient * weights[k]
                weights_gradient[k] += gradient * x[place]
    return np.array(x_gradient), np.array(weights_gradient)


@exercise.alternative
def as_two_convolutions(output_gradient, x, weights, stride=1, padding=0, dilation=1):
    covered = dilation * (len(weights) - 1) + 1
    padded = np.pad(x, padding)
    positions = len(padded) - covered + 1
    if positions < 1:
        raise ValueError("the kernel does not fit")
    spread = np.zeros(positions)
    if len(spread[::stride]) != len(output_gradient):
        raise ValueError("another number of outputs")
    spread[::stride] = output_gradient
    kernel = np.zeros(covered)
    kernel[::dilation] = weights
    x_gradient = np.convolve(spread, kernel, mode="full")[padding : padding + len(x)]
    return x_gradient, np.correlate(padded, spread, mode="valid")[::dilation]


@exercise.alternative
def by_autograd(output_gradient, x, weights, stride=1, padding=0, dilation=1):
    if dilation * (len(weights) - 1) >= len(x) + 2 * padding:
        raise ValueError("the kernel does not fit")
    row, kernel = (torch.tensor(part, dtype=torch.float32, requires_grad=True) for part in (x, weights))
    output = functional.conv1d(row[None, None], kernel[None, None], None, stride, padding, dilation).flatten()
    if len(output) != len(output_gradient):
        raise ValueError("another number of outputs")
    output.backward(torch.tensor(output_gradient, dtype=torch.float32))
    return [row.grad.numpy(), kernel.grad.numpy()]
