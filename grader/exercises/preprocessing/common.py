"""What the exercises of chapter 2 share."""

import numpy as np

from grader.exercise import Chapter
from labutils.checks.comparing import Tolerance

chapter = Chapter("preprocessing", folder="02_preprocessing")

# Wide enough for an answer that is computed in float32.
SINGLE_PRECISION = Tolerance(relative=1e-5, absolute=1e-6)


def correlated_table(rng, rows, columns):
    """A table whose columns depend on each other, each with its own centre and unit."""
    mixing = np.eye(columns) + rng.uniform(0.3, 0.9, (columns, columns))
    return rng.normal(size=(rows, columns)) @ mixing * rng.uniform(0.5, 3, columns) + rng.uniform(2, 6, columns)
