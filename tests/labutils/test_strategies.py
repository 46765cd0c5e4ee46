"""Which strategies chapter 7 advises."""

import numpy as np
import pytest

from labutils.strategies import as_good_as_the_best

TRAINABLE = {"head": 650, "half": 2000, "all": 9000}
BEST = np.array([0.7, 0.8, 0.9, 0.8])


@pytest.mark.parametrize(
    ("half", "head", "advised"),
    [
        (BEST - 0.1, BEST - 0.1, ["all"]),  # behind by the same in every run
        (BEST, BEST - 0.1, ["half", "all"]),
        (BEST - [0.1, 0, 0.1, -0.1], BEST - [0.3, -0.3, 0.1, 0], ["head", "half", "all"]),
        (BEST - [0.1, 0, 0.1, 0.1], BEST - [0.3, -0.3, 0.1, 0], ["head", "all"]),  # three standard errors behind
    ],
)
def test_what_is_behind_by_no_more_than_chance_is_as_good_and_the_cheapest_comes_first(half, head, advised):
    assert as_good_as_the_best({"all": BEST, "half": half, "head": head}, TRAINABLE) == advised


def test_of_two_with_as_many_weights_the_better_comes_first():
    accuracies = {"first": BEST - [0.1, 0, 0.1, -0.1], "second": BEST}
    assert as_good_as_the_best(accuracies, {"first": 9000, "second": 9000}) == ["second", "first"]
