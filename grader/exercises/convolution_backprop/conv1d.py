"""The exercise `conv1d`."""

import numpy as np

from grader.exercises.convolution_backprop.common import SINGLE_PRECISION, chapter

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
    tolerance=SINGLE_PRECISION,
)


@exercise.reference
def conv1d(x, weights, stride=1, padding=0, dilation=1):
    padded = np.pad(x, padding)
    covered = dilation * (len(weights) - 1) + 1
    if covered > len(padded):
        raise ValueError(f"the kernel covers {covered} entries, and the padded input has {len(padded)}: pad more")
    starts = range(0, len(padded) - covered + 1, stride)
    return np.array([weights @ padded[start : start + covered : dilation] for start in starts])
