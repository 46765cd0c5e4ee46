"""The exercise `conv1d`."""

import numpy as np
import torch
from torch.nn import functional

from grader.exercises.convolution_backprop.common import LONG_SUMS, chapter, entries, settings

exercise = chapter.exercise(
    "conv1d",
    points=2,
    aspects={"sliding": 1, "stride and padding": 1, "dilation": 1, "what does not fit": 1},
    hints=(
        "Put the zeros around x first. Then write down for one output which entries of the padded x it reads.",
        "Output i reads the padded x at `i * stride`, and from there on every `dilation`-th entry, as many as there "
        "are weights. How many outputs there are, you know from `output_shape`.",
        "With `covered = dilation * (len(weights) - 1) + 1` pixels under the kernel, output i is "
        "`weights @ padded[i * stride : i * stride + covered : dilation]`. There are "
        "`(len(padded) - covered) // stride + 1` of them.",
    ),
    tolerance=LONG_SUMS,
)


@exercise.reference
def conv1d(x, weights, stride=1, padding=0, dilation=1):
    padded = np.pad(x, padding)
    covered = dilation * (len(weights) - 1) + 1
    if covered > len(padded):
        raise ValueError(f"the kernel covers {covered} entries, and the padded input has {len(padded)}: pad more")
    starts = range(0, len(padded) - covered + 1, stride)
    return np.array([weights @ padded[start : start + covered : dilation] for start in starts])


sliding, strided, dilated, misfits = exercise.aspects
row = np.array([1.0, -2.0, 4.0, 0.5, 3.0, -1.0, 2.0])
exercise.case(sliding, x=np.array([1.0, 2.0, 4.0, 8.0]), weights=np.array([1.0, -1.0]))
exercise.case(sliding, x=row, weights=np.array([2.0, 0.5, -1.0]))
exercise.case(sliding, x=row, weights=np.array([3.0]))
exercise.case(strided, x=row, weights=np.array([2.0, 0.5, -1.0]), stride=2)
# The stride does not divide: the last entries are not read.
exercise.case(strided, x=row, weights=np.array([2.0, -1.0]), stride=3)
exercise.case(strided, x=row, weights=np.array([1.0, 2.0, 4.0]), padding=2)
exercise.case(strided, x=row, weights=np.array([1.0, 2.0, -1.0, 0.5]), stride=2, padding=1)
exercise.case(dilated, x=row, weights=np.array([1.0, 10.0]), dilation=3)
exercise.case(dilated, x=row, weights=np.array([2.0, 0.5, -1.0]), dilation=2)
exercise.case(dilated, x=row, weights=np.array([2.0, 0.5, -1.0]), stride=2, padding=2, dilation=2)
exercise.case(dilated, x=row, weights=np.array([2.0, 0.5, -1.0]), stride=3, padding=1, dilation=2)
# It just fits, with the padding of both sides.
exercise.case(misfits, x=np.array([2.0, 3.0]), weights=np.array([1.0, 2.0, 4.0, 8.0]), padding=1)
exercise.case(misfits, x=np.array([2.0, 3.0]), weights=np.array([1.0, 2.0, 4.0]), padding=1)
exercise.case(misfits, x=np.array([2.0, 3.0, 5.0]), weights=np.array([1.0, 2.0]), dilation=2)
exercise.case(misfits, x=np.array([2.0, 3.0]), weights=np.array([1.0, 2.0, 4.0]))
exercise.case(misfits, x=row, weights=np.array([1.0, 2.0, 4.0]), stride=2, dilation=4)


@exercise.hidden(sliding, count=4)
def slide(rng):
    return {"x": entries(rng, rng.integers(6, 12)), "weights": entries(rng, rng.integers(1, 6))}


@exercise.hidden(strided, count=4)
def stride_and_pad(rng):
    return {"x": entries(rng, rng.integers(6, 12)), "weights": entries(rng, rng.integers(2, 6))} | {
        "stride": int(rng.integers(1, 5)),
        "padding": int(rng.integers(0, 4)),
    }


@exercise.hidden(dilated, count=4)
def dilate(rng):
    x, weights = entries(rng, rng.integers(12, 20)), entries(rng, rng.integers(2, 5))
    return {"x": x, "weights": weights} | settings(rng) | {"dilation": int(rng.integers(2, 4))}


@exercise.hidden(misfits, count=2)
def too_long(rng):
    length, padding = int(rng.integers(2, 6)), int(rng.integers(0, 3))
    kernel = length + 2 * padding + int(rng.integers(1, 4))
    return {"x": entries(rng, length), "weights": entries(rng, kernel), "padding": padding}


OUTPUT = "weights @ padded[start : start + covered : dilation]"
exercise.slip(
    "You flip the kernel, as `np.convolve` and mathematics do. In deep learning the first weight meets the first entry "
    "under the kernel.",
    name="flipped",
    right=OUTPUT,
    wrong="weights[::-1] @ padded[start : start + covered : dilation]",
)
exercise.slip(
    "You move by one entry each time. `stride` says by how many.",
    name="stride_left_out",
    right="+ 1, stride)",
    wrong="+ 1)",
)
exercise.slip(
    "You forget the padding: zeros come before and after x.",
    name="padding_left_out",
    right="np.pad(x, padding)",
    wrong="x",
)
exercise.slip(
    "Your zeros come before x only. They come on both sides.",
    name="padded_before_only",
    right="np.pad(x, padding)",
    wrong="np.pad(x, (padding, 0))",
)
exercise.slip(
    "Your zeros come after x only. They come on both sides.",
    name="padded_after_only",
    right="np.pad(x, padding)",
    wrong="np.pad(x, (0, padding))",
)
exercise.slip(
    "You repeat the entries at the border. The padding is zeros.",
    name="border_repeated",
    right="np.pad(x, padding)",
    wrong='np.pad(x, padding, mode="edge")',
)
exercise.slip(
    "You forget the dilation: between the entries that a kernel reads lie `dilation` places.",
    name="dilation_left_out",
    right="np.pad(x, padding)\n",
    wrong="np.pad(x, padding)\n    dilation = 1\n",
)
exercise.slip(
    "With dilation you have too few outputs: k weights have k - 1 gaps, so they cover `dilation * (k - 1) + 1` entries "
    "and not `dilation * k`.",
    name="one_gap_too_many",
    right="dilation * (len(weights) - 1) + 1",
    wrong="dilation * len(weights)",
)
exercise.slip(
    "Your last output is missing. The kernel's last place is where it ends with the padded x: `range` needs one more.",
    name="last_output_left_out",
    right="len(padded) - covered + 1",
    wrong="len(padded) - covered",
)
exercise.slip(
    "Your kernel moves by stride times dilation. The dilation spreads the entries under the kernel; it has no part in "
    "how far the kernel moves.",
    name="moves_by_the_dilation_too",
    right="+ 1, stride)",
    wrong="+ 1, stride * dilation)",
)
exercise.slip(
    "A kernel that is longer than the padded x gets an empty result from you. Refuse it with a ValueError, or nobody "
    "notices.",
    name="nothing_returned_for_a_long_kernel",
    right="covered > len(padded)",
    wrong="covered > len(padded) + covered",
)
exercise.slip(
    "You refuse a kernel that is as long as the padded x. It fits, in one place.",
    name="exact_fit_refused",
    right="covered > len(padded)",
    wrong="covered >= len(padded)",
)
exercise.slip(
    "You compare the kernel with x without its padding. With the padding it may fit.",
    name="refused_without_the_padding",
    right="covered > len(padded)",
    wrong="covered > len(x)",
)


@exercise.mistake(
    "Where the stride does not divide you have one output too many, from a kernel that hangs over the end. What is "
    "left over is not read."
)
def hangs_over_the_end(x, weights, stride=1, padding=0, dilation=1):
    covered = dilation * (len(weights) - 1) + 1
    if covered > len(x) + 2 * padding:
        raise ValueError("the kernel is too long")
    outputs = -(-(len(x) + 2 * padding - covered) // stride) + 1
    padded = np.pad(x, (padding, padding + stride))
    return np.array([weights @ padded[i * stride : i * stride + covered : dilation] for i in range(outputs)])


@exercise.mistake(
    'Your result is as long as x: that is numpy\'s mode "same". Only `padding` says how many zeros there are.'
)
def as_long_as_before(x, weights, stride=1, padding=0, dilation=1):
    spread = np.zeros(dilation * (len(weights) - 1) + 1)
    spread[::dilation] = weights
    if len(spread) > len(x) + 2 * padding:
        raise ValueError("the kernel is too long")
    return np.correlate(np.pad(x, padding), spread, "same")[::stride]


@exercise.mistake(
    "`np.correlate` takes the longer of its two arguments for the input. So a kernel that is too long gets an answer, "
    "and no sense: refuse it before, with a ValueError."
)
def numpys_correlate_asked_at_once(x, weights, stride=1, padding=0, dilation=1):
    spread = np.zeros(dilation * (len(weights) - 1) + 1)
    spread[::dilation] = weights
    return np.correlate(np.pad(x, padding), spread)[::stride]


@exercise.mistake(
    "You flip the kernel, as `np.convolve` and mathematics do, and a kernel that is too long gets an answer: "
    "`np.convolve` takes the longer one for the input. Use `np.correlate`, and compare the lengths before."
)
def numpys_convolve(x, weights, stride=1, padding=0, dilation=1):
    spread = np.zeros(dilation * (len(weights) - 1) + 1)
    spread[::dilation] = weights
    return np.convolve(np.pad(x, padding), spread, "valid")[::stride]


@exercise.alternative
def entry_by_entry(x, weights, stride=1, padding=0, dilation=1):
    outputs = (len(x) + 2 * padding - dilation * (len(weights) - 1) - 1) // stride + 1
    if outputs <= 0:
        raise ValueError("the kernel does not fit")
    result = [0.0] * outputs
    for i in range(outputs):
        for k, weight in enumerate(weights):
            place = i * stride + k * dilation - padding
            if 0 <= place < len(x):
                result[i] += weight * x[place]
    return np.array(result)


@exercise.alternative
def correlated_by_numpy(x, weights, stride=1, padding=0, dilation=1):
    spread = np.zeros((len(weights) - 1) * dilation + 1)
    spread[::dilation] = weights
    padded = np.concatenate([np.zeros(padding), x, np.zeros(padding)])
    if spread.size > padded.size:
        raise ValueError("the kernel does not fit")
    return np.correlate(padded, spread, mode="valid")[::stride]


@exercise.alternative
def with_torch(x, weights, stride=1, padding=0, dilation=1):
    try:
        rows = torch.tensor(x)[None, None], torch.tensor(weights)[None, None]
        return functional.conv1d(*rows, None, stride, padding, dilation).flatten().numpy().astype(np.float32)
    except RuntimeError as error:
        raise ValueError("torch refuses it") from error
