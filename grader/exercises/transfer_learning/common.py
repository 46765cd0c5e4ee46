"""What the exercises of chapter 7 share."""

from functools import partial

from grader.exercise import SINGLE_PRECISION, Chapter  # noqa: F401  (for the exercises)
from labutils import networks
from labutils.checks.networks import Built

chapter = Chapter("transfer_learning", folder="07_transfer_learning")


def dense(**settings):
    """A `networks.dense_network`, built anew for each call."""
    return Built(partial(networks.dense_network, **settings))


def conv(**settings):
    """A `networks.conv_network`, built anew for each call."""
    return Built(partial(networks.conv_network, **settings))


def some_seed(rng):
    """The seed of a network."""
    return int(rng.integers(1, 10_000))
