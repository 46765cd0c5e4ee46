"""What the exercises of chapter 4 share."""

import numpy as np

from grader.exercise import SINGLE_PRECISION, Chapter  # noqa: F401  (for the exercises)

chapter = Chapter("optimizers", folder="04_optimizers")

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
