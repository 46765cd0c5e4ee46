"""What the exercises of chapter 6 share."""

import numpy as np

from grader.exercise import SINGLE_PRECISION, Chapter  # noqa: F401  (for the exercises)

chapter = Chapter("convolution_backprop", folder="06_convolution_backprop")


def entries(rng, *shape):
    """Entries of both signs and none near 0, so that each of them shows in a sum."""
    return np.array(rng.choice([-1, 1], shape) * rng.uniform(0.5, 3, shape))
