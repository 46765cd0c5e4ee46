"""The exercise `numerical_gradient`."""

import numpy as np

from grader.exercises.convolution_backprop.common import SINGLE_PRECISION, chapter

exercise = chapter.exercise(
    "numerical_gradient",
    points=2,
    aspects={"two-sided differences": 2, "any shape": 1, "whole numbers": 1},
    hints=(
        "One entry at a time: move it a little up, then a little down, and ask the function both times. All other "
        "entries stay where they are.",
        "Work on a copy that holds floats: `moved = point.astype(float)`, a new one for each entry and side. "
        "`np.ndindex(point.shape)` gives the index of every entry, whatever the shape.",
        "For each `index`: `up = point.astype(float)` and `up[index] += step`, `down` likewise; then "
        "`(function(up) - function(down)) / (2 * step)` is the entry of the gradient.",
    ),
    tolerance=SINGLE_PRECISION,
)


@exercise.reference
def numerical_gradient(function, point, step=1e-5):
    if step <= 0:
        raise ValueError(f"the step is {step}; it must be larger than 0")
    gradient = np.zeros(point.shape)
    for index in np.ndindex(point.shape):
        up, down = point.astype(float), point.astype(float)
        up[index] += step
        down[index] -= step
        gradient[index] = (function(up) - function(down)) / (2 * step)
    return gradient
