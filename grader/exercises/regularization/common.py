"""What the exercises of chapter 5 share."""

import numpy as np

from grader.exercise import SINGLE_PRECISION, Chapter  # noqa: F401  (for the exercises)

chapter = Chapter("regularization", folder="05_regularization")

SHAPES = ((), (1,), (6,), (3, 4), (2, 1, 3))


def any_shape(rng):
    """A shape that weights may have: that of a single number, a bias, a layer, a convolution."""
    return SHAPES[rng.integers(len(SHAPES))]


def numbers(rng, shape):
    """Entries of both signs, none of them near 0."""
    return np.array(rng.choice([-1, 1], shape) * rng.uniform(0.5, 4, shape))


def soft_labels(rng, examples, classes):
    """A row of probabilities for each example, all of them different."""
    shares = rng.uniform(0.1, 1, (examples, classes))
    return shares / shares.sum(axis=1, keepdims=True)


def derangement(rng, count):
    """An order in which no example is its own partner."""
    around = rng.permutation(count)
    order = np.empty(count, dtype=int)
    order[around] = np.roll(around, 1)
    return order
