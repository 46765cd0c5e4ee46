"""Which of several ways to train is to be advised, when each was run on the same seeds (chapter 7)."""

from collections.abc import Mapping

import numpy as np


def as_good_as_the_best(accuracies: Mapping[str, np.ndarray], trainable: Mapping[str, int]) -> list[str]:
    """The names of the strategies that are as good as the best one within chance, that with the fewest weights first.

    `accuracies` has an array of shape (seeds,) for each strategy, and entry i of each belongs to the same seed;
    `trainable` tells how many weights each trains. A strategy is as good as the best if the mean of what it is behind,
    seed by seed, is no larger than its standard error.
    """
    best = accuracies[max(accuracies, key=lambda name: accuracies[name].mean())]
    good = [name for name, own in accuracies.items() if (best - own).mean() <= _standard_error(best - own)]
    return sorted(good, key=lambda name: (trainable[name], -accuracies[name].mean()))


def _standard_error(differences: np.ndarray) -> float:
    return differences.std(ddof=1) / np.sqrt(len(differences))
