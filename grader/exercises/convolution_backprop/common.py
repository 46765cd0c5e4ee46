"""What the exercises of chapter 6 share."""

import numpy as np

from grader.exercise import SINGLE_PRECISION, Chapter  # noqa: F401  (for the exercises)
from labutils.checks.comparing import Tolerance

chapter = Chapter("convolution_backprop", folder="06_convolution_backprop")

LONG_SUMS = Tolerance(relative=1e-5, absolute=1e-4)
"""Wide enough for a sum of many products, some of which cancel, that is computed in float32."""


def entries(rng, *shape):
    """Entries of both signs and none near 0, so that each of them shows in a sum."""
    return np.array(rng.choice([-1, 1], shape) * rng.uniform(0.5, 3, shape))


def settings(rng):
    """A stride, a padding and a dilation, of which mostly more than one does something."""
    return {
        "stride": int(rng.integers(1, 4)),
        "padding": int(rng.integers(0, 4)),
        "dilation": int(rng.integers(1, 4)),
    }


ROW = np.array([1, -2, 3, 0.5, 2, -1, 4, -3, 1.5, -0.5, 2.5])


def table(*shape, start=0):
    """A small array of numbers that are easily read. Rows and channels differ, since 11 is a prime."""
    return np.resize(np.roll(ROW, -start), shape)
