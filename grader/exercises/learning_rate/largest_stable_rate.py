"""The exercise `largest_stable_rate`."""

import numpy as np
import torch

from grader.exercises.learning_rate.common import SINGLE_PRECISION, chapter, symmetric_matrix

exercise = chapter.exercise(
    "largest_stable_rate",
    points=2,
    aspects={"bowl along the axes": 1, "tilted bowl": 1, "bowl or saddle": 1},
    hints=(
        "Along an eigenvector of H with eigenvalue λ, one step multiplies the weight by 1 - learning_rate · λ. For "
        "which rates does that factor stay between -1 and 1?",
        "For 0 < learning_rate < 2 / λ. This must hold for every eigenvalue at once, so which one decides? And what if "
        "λ is negative? `np.linalg.eigvalsh` gives the eigenvalues of a symmetric matrix, the smallest first.",
        "Return `2 / eigenvalues[-1]`, and 0.0 if `eigenvalues[0]` is negative.",
    ),
    tolerance=SINGLE_PRECISION,
)


@exercise.reference
def largest_stable_rate(hessian):
    eigenvalues = np.linalg.eigvalsh(hessian)
    if eigenvalues[0] < 0:
        return 0.0
    return float(2 / eigenvalues[-1])


exercise.case("bowl along the axes", hessian=np.array([[1.0, 0.0], [0.0, 20.0]]))
exercise.case("bowl along the axes", hessian=np.array([[8.0, 0.0], [0.0, 2.0]]))
exercise.case("tilted bowl", hessian=np.array([[3.0, 1.0], [1.0, 3.0]]))
exercise.case("tilted bowl", hessian=np.array([[2.0, -1.0, 0.0], [-1.0, 2.0, -1.0], [0.0, -1.0, 2.0]]))
exercise.case("bowl or saddle", hessian=np.array([[5.0, 2.0], [2.0, 2.0]]))
exercise.case("bowl or saddle", hessian=np.array([[1.0, 2.0], [2.0, 1.0]]))
exercise.case("bowl or saddle", hessian=np.array([[-2.0, 0.0], [0.0, -5.0]]))
# Two negative curvatures, yet a positive determinant and a positive trace.
exercise.case("bowl or saddle", hessian=np.diag([9.0, -1.0, -2.0]))


@exercise.hidden("bowl along the axes", count=3)
def diagonal_hessian(rng):
    return {"hessian": np.diag(rng.uniform(0.5, 50, rng.integers(1, 6)))}


@exercise.hidden("tilted bowl", count=4)
def positive_hessian(rng):
    return {"hessian": symmetric_matrix(rng, rng.uniform(0.5, 50, rng.integers(2, 7)))}


@exercise.hidden("bowl or saddle", count=6)
def any_hessian(rng):
    curvatures = rng.uniform(0.5, 50, rng.integers(2, 7))
    curvatures[0] *= rng.choice([-1, 1])
    return {"hessian": symmetric_matrix(rng, curvatures)}


exercise.slip(
    "Your limit is half as large as it could be. At 1/λ one step lands at the bottom of the steepest direction; beyond "
    "it, descent jumps across and still comes closer, up to which multiple of 1/λ?",
    name="lands_in_the_minimum",
    right="2 / eigenvalues[-1]",
    wrong="1 / eigenvalues[-1]",
)
exercise.slip(
    "You return the best rate for a quadratic, at which the flattest and the steepest direction shrink equally fast. "
    "The largest stable rate lies above it: only the steepest direction sets that limit.",
    name="best_rate",
    right="2 / eigenvalues[-1]",
    wrong="2 / (eigenvalues[0] + eigenvalues[-1])",
)
exercise.slip(
    "You use the smallest eigenvalue, the flattest direction. At your rate the steepest direction has long run away; "
    "all directions must be stable at once.",
    name="flattest_direction",
    right="2 / eigenvalues[-1]",
    wrong="2 / eigenvalues[0]",
)
exercise.slip(
    "Your limit is too small: the trace adds up the curvature of all directions. They do not help one another to run "
    "away; the steepest alone decides.",
    name="sum_of_curvatures",
    right="2 / eigenvalues[-1]",
    wrong="2 / np.trace(hessian)",
)
exercise.slip(
    "Your limit is a little too small: `np.linalg.norm` of a matrix is by default the root of its summed squares, "
    "which is larger than the largest eigenvalue.",
    name="frobenius_norm",
    right="2 / eigenvalues[-1]",
    wrong="2 / np.linalg.norm(hessian)",
)
exercise.slip(
    "Right for bowls along the axes, too large for tilted ones: the diagonal holds the curvature along the axes, and "
    "the steepest direction may lie between them. Look for eigenvalues.",
    name="diagonal_only",
    right="2 / eigenvalues[-1]",
    wrong="2 / np.max(np.diag(hessian))",
)


@exercise.mistake(
    "The diagonal holds the eigenvalues only where all else in the matrix is 0. In a tilted bowl the steepest "
    "direction lies between the axes, and a saddle may have a diagonal without a negative number."
)
def diagonal_for_eigenvalues(hessian):
    return float(2 / np.diag(hessian).max())


@exercise.mistake(
    "You read curvatures off the diagonal. It shows neither how steep a tilted surface is nor whether it is a saddle; "
    "`np.linalg.eigvalsh` gives the curvatures."
)
def diagonal_for_eigenvalues_and_saddles(hessian):
    diagonal = np.diag(hessian)
    return 0.0 if diagonal.min() < 0 else float(2 / diagonal.max())


@exercise.mistake(
    "The largest number in the matrix is no curvature of the surface, except along the axes. The curvatures are the "
    "eigenvalues."
)
def largest_number(hessian):
    return float(2 / hessian.max())


@exercise.mistake(
    "Hills are right, saddles not yet: the largest eigenvalue of a saddle is positive. One negative eigenvalue is "
    "enough to run away, so ask the smallest."
)
def hills_only(hessian):
    return max(0.0, float(2 / np.linalg.eigvalsh(hessian)[-1]))


@exercise.mistake(
    "Your bowls are right. On a saddle, follow one weight along the direction with the negative eigenvalue: 1 - "
    "learning_rate · λ is above 1 there for every rate."
)
def saddle_overlooked(hessian):
    return float(2 / np.linalg.eigvalsh(hessian)[-1])


@exercise.mistake(
    "Your bowls are right, but you take the size of the eigenvalues without their sign. A negative one is no steep "
    "valley; it is a slope down which descent runs away at any rate."
)
def sign_dropped(hessian):
    return float(2 / np.abs(np.linalg.eigvalsh(hessian)).max())


@exercise.mistake(
    "You trust the order of the eigenvalues. `np.linalg.eig` and `eigvals` give them in no order; `eigvalsh` sorts "
    "them, the smallest first."
)
def unsorted_eigenvalues(hessian):
    eigenvalues = np.linalg.eigvals(hessian)
    return 0.0 if np.any(eigenvalues < 0) else float(2 / eigenvalues[-1])


@exercise.alternative
def one_eigenvalue_at_a_time(hessian):
    limit = np.inf
    for eigenvalue in np.linalg.eigvals(hessian).real:
        limit = min(limit, 2 / eigenvalue)
    return max(limit, 0.0)


@exercise.alternative
def with_torch_in_single_precision(hessian):
    eigenvalues = torch.linalg.eigvalsh(torch.tensor(hessian, dtype=torch.float32))
    return 2 / eigenvalues.max().item() if (eigenvalues > 0).all() else 0.0
