"""What the exercises of chapter 1 share."""

import numpy as np

from grader.exercise import Chapter
from labutils.checks.comparing import Tolerance

chapter = Chapter("learning_rate", folder="01_learning_rate")

# Wide enough for an answer that is computed in float32.
SINGLE_PRECISION = Tolerance(relative=1e-5, absolute=1e-6)


def symmetric_matrix(rng, eigenvalues):
    """A symmetric matrix with these eigenvalues, its axes turned at random."""
    axes, _ = np.linalg.qr(rng.normal(size=(len(eigenvalues), len(eigenvalues))))
    matrix = axes @ np.diag(eigenvalues) @ axes.T
    return (matrix + matrix.T) / 2
