"""What the exercises of chapter 1 share."""

import numpy as np

from grader.exercise import SINGLE_PRECISION, Chapter  # noqa: F401  (for the exercises)

chapter = Chapter("learning_rate", folder="01_learning_rate")


def symmetric_matrix(rng, eigenvalues):
    """A symmetric matrix with these eigenvalues, its axes turned at random."""
    axes, _ = np.linalg.qr(rng.normal(size=(len(eigenvalues), len(eigenvalues))))
    matrix = axes @ np.diag(eigenvalues) @ axes.T
    return (matrix + matrix.T) / 2
