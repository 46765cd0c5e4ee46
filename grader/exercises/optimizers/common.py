"""What the exercises of chapter 4 share."""

import numpy as np

from grader.exercise import Chapter
from labutils.checks.comparing import Tolerance

chapter = Chapter("optimizers", folder="04_optimizers")

# Wide enough for an answer that is computed in float32.
SINGLE_PRECISION = Tolerance(relative=1e-5, absolute=1e-6)

SHAPES = ((), (1,), (6,), (3, 4), (2, 1, 3))


def any_shape(rng):
    """A shape that weights may have: that of a single number, a bias, a layer, a convolution."""
    return SHAPES[rng.integers(len(SHAPES))]


def gradients(rng, shape):
    """Entries that are neither small nor all of one size, of both signs: what a step does to each of them shows."""
    return np.array(rng.choice([-1, 1], shape) * rng.uniform(0.5, 4, shape))


def squared(rng, shape):
    """What an average of squares may hold: positive entries, none of them small."""
    return np.array(rng.uniform(0.5, 9, shape))
