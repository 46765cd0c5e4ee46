"""What the exercises of chapter 2 share."""

import numpy as np

from grader.exercise import SINGLE_PRECISION, Chapter  # noqa: F401  (for the exercises)

chapter = Chapter("preprocessing", folder="02_preprocessing")


def correlated_table(rng, rows, columns):
    """A table whose columns depend on each other, each with its own centre and unit."""
    mixing = np.eye(columns) + rng.uniform(0.3, 0.9, (columns, columns))
    return rng.normal(size=(rows, columns)) @ mixing * rng.uniform(0.5, 3, columns) + rng.uniform(2, 6, columns)
