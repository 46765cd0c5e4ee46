"""The exercise `whiten`."""

import numpy as np
import torch

from grader.exercises.preprocessing.common import SINGLE_PRECISION, chapter, correlated_table

exercise = chapter.exercise(
    "whiten",
    points=3,
    aspects={"columns without correlation": 1, "correlated columns": 2, "directions without spread": 1},
    hints=(
        "Four steps: the mean of `train`, its covariance matrix, the whitening matrix from that, and then `other`, "
        "less the mean, times the matrix.",
        "For a symmetric matrix `np.linalg.eigh` gives the eigenvalues and, as columns, the eigenvectors. Add epsilon "
        "to the eigenvalues, take the root, and let each column of U be divided by its own.",
        "Dividing U by an array of shape (d,) divides its columns: `U / np.sqrt(eigenvalues + epsilon)`. What is still "
        "missing on its right is `@ U.T`.",
    ),
    tolerance=SINGLE_PRECISION,
)


@exercise.reference
def whiten(train, other, epsilon):
    mean = train.mean(axis=0)
    centred = train - mean
    covariance = centred.T @ centred / len(train)
    eigenvalues, eigenvectors = np.linalg.eigh(covariance)
    whitening = (eigenvectors / np.sqrt(eigenvalues + epsilon)) @ eigenvectors.T
    return (other - mean) @ whitening


apart, correlated, flat = "columns without correlation", "correlated columns", "directions without spread"
rectangle = np.array([[2.0, 1.0], [2.0, -1.0], [-2.0, 1.0], [-2.0, -1.0]])
exercise.case(apart, train=rectangle, other=np.array([[4.0, 3.0]]), epsilon=0.0)
exercise.case(apart, train=rectangle + [3, 8], other=np.array([[7.0, 5.0], [-1.0, 9.0]]), epsilon=1.25)
leaning = np.array([[0.0, 1.0], [1.0, 3.0], [2.0, 4.0], [3.0, 7.0], [4.0, 5.0]])
exercise.case(correlated, train=leaning, other=np.array([[1.0, 2.0], [5.0, 3.0], [2.0, 4.0]]), epsilon=0.0)
exercise.case(correlated, train=leaning, other=leaning, epsilon=0.25)
exercise.case(
    correlated,
    train=np.array(
        [[1.0, 2.0, 0.0], [2.0, 1.0, 4.0], [4.0, 3.0, 1.0], [3.0, 6.0, 2.0], [5.0, 5.0, 0.0], [0, 1.0, 2.0]]
    ),
    other=np.array([[1.0, 1.0, 1.0], [0.0, 4.0, 9.0]]),
    epsilon=0.1,
)
# A constant column has a variance of 0 to the last digit, which a direction across two columns would not have.
exercise.case(flat, train=np.array([[1.0, 5.0], [3.0, 5.0]]), other=np.array([[2.5, 5.0], [1.0, 5.25]]), epsilon=0.25)
exercise.case(
    flat,
    train=np.array([[1.0, 4.0, 2.0], [3.0, 4.0, 1.0], [2.0, 4.0, 6.0]]),
    other=np.array([[1.0, 4.5, 3.0]]),
    epsilon=0.01,
)
# Two rows span one direction of three; `other` lies across it as well.
exercise.case(
    flat,
    train=np.array([[1.0, 0.0, 2.0], [3.0, 2.0, 3.0]]),
    other=np.array([[2.0, 1.0, 4.5], [0.0, 3.0, 1.0]]),
    epsilon=0.25,
)


@exercise.hidden(apart, count=3)
def rectangles(rng):
    return {
        "train": rectangle * rng.uniform(0.4, 2, 2) + rng.uniform(-3, 3, 2),
        "other": rng.normal(size=(3, 2)),
        "epsilon": float(rng.choice([0, 0.1, 1])),
    }


@exercise.hidden(correlated, count=5)
def correlated_tables(rng):
    columns = int(rng.integers(2, 7))
    return {
        "train": correlated_table(rng, int(rng.integers(10, 40)), columns),
        "other": correlated_table(rng, int(rng.integers(1, 6)), columns),
        "epsilon": float(rng.choice([0.001, 0.1, 1])),
    }


@exercise.hidden(flat, count=4)
def more_columns_than_rows(rng):
    return {
        "train": correlated_table(rng, int(rng.integers(2, 5)), 5),
        "other": correlated_table(rng, 3, 5),
        "epsilon": float(rng.uniform(0.01, 0.5)),
    }


exercise.slip(
    "This is PCA whitening: the columns have no correlation any more, but they are the eigenvectors' and not the "
    "features'. Turn back, with Uᵀ on the right.",
    name="not_turned_back",
    right="(eigenvectors / np.sqrt(eigenvalues + epsilon)) @ eigenvectors.T",
    wrong="eigenvectors / np.sqrt(eigenvalues + epsilon)",
)
exercise.slip(
    "You multiply `other` as it is. The whitening matrix stretches distances from the mean, so the mean of `train` has "
    "to be subtracted first.",
    name="other_not_centred",
    right="(other - mean)",
    wrong="other",
)
exercise.slip(
    "Your covariance matrix holds mean products, not covariances: subtract the mean of each column from `train` before "
    "you multiply.",
    name="covariance_not_centred",
    right="centred = train - mean",
    wrong="centred = train",
)
exercise.slip(
    "Where is epsilon? Without it a direction that has no spread is divided by 0.",
    name="epsilon_forgotten",
    right="eigenvalues + epsilon",
    wrong="eigenvalues",
)
exercise.slip(
    "You divide by the eigenvalues themselves. They are variances; what has to become 1 is the standard deviation "
    "along each eigenvector, so take the root.",
    name="root_missing",
    right="np.sqrt(eigenvalues + epsilon)",
    wrong="(eigenvalues + epsilon)",
)
exercise.slip(
    "Your epsilon is added after the root. It belongs to the variance, under the root, as in (D + epsilon I)^(-1/2).",
    name="epsilon_outside_the_root",
    right="np.sqrt(eigenvalues + epsilon)",
    wrong="(np.sqrt(eigenvalues) + epsilon)",
)
exercise.slip(
    "You take the rows of U for the eigenvectors. `np.linalg.eigh` returns them as columns: C = U D Uᵀ, and not Uᵀ D "
    "U.",
    name="rows_taken_for_eigenvectors",
    right="    whitening =",
    wrong="    eigenvectors = eigenvectors.T\n    whitening =",
)
exercise.slip(
    "Your covariance is divided by n - 1, as `np.cov` does it. Here it is divided by n.",
    name="divides_by_one_less",
    right="/ len(train)",
    wrong="/ (len(train) - 1)",
)
exercise.slip(
    "You subtract the mean of `other` from `other`. Then its own mean always comes out as 0, however far it lies from "
    "the training part; subtract the mean of `train`.",
    name="mean_of_the_other_part",
    right="(other - mean)",
    wrong="(other - other.mean(axis=0))",
)


@exercise.mistake(
    "You fit on `other`: mean and covariance come from the part that is to be whitened. They belong to the training "
    "part, or the two parts are turned by different matrices."
)
def fitted_on_the_other_part(train, other, epsilon):
    centred = other - other.mean(axis=0)
    eigenvalues, eigenvectors = np.linalg.eigh(centred.T @ centred / len(other))
    return centred @ (eigenvectors / np.sqrt(np.abs(eigenvalues) + epsilon)) @ eigenvectors.T


@exercise.mistake(
    "You divide each column by its own deviation. That is standardization: it makes the columns alike, but leaves them "
    "as correlated as they were. The eigenvectors of the covariance matrix are missing."
)
def only_standardized(train, other, epsilon):
    return (other - train.mean(axis=0)) / np.sqrt(train.var(axis=0) + epsilon)


@exercise.mistake(
    "A whitening matrix from Cholesky's factors takes the correlation away too, but it turns the features on the way: "
    "the first stays what it is, and the last is changed most. Asked for is the symmetric matrix, from the "
    "eigenvectors."
)
def by_cholesky(train, other, epsilon):
    centred = train - train.mean(axis=0)
    covariance = centred.T @ centred / len(train) + epsilon * np.eye(train.shape[1])
    return (other - train.mean(axis=0)) @ np.linalg.inv(np.linalg.cholesky(covariance)).T


exercise.slip(
    "You multiply by the roots of the eigenvalues: wide directions become wider still. Divide, so that the variance is "
    "1 in every direction.",
    name="eigenvalues_multiplied",
    right="eigenvectors / np.sqrt(eigenvalues + epsilon)",
    wrong="eigenvectors * np.sqrt(eigenvalues + epsilon)",
)
exercise.slip(
    "`np.cov` takes rows for features unless it is told `rowvar=False`: your matrix has one row and one column for "
    "each example. It also divides by n - 1, unless `bias=True`.",
    name="covariance_of_the_rows",
    right="centred.T @ centred / len(train)",
    wrong="np.cov(train)",
)


@exercise.mistake(
    "With `full_matrices=False` the decomposition gives as many directions as there are rows. Where columns are more, "
    "what `other` has in the directions that are left out disappears. It is to be divided by the root of epsilon, not "
    "dropped."
)
def economy_decomposition(train, other, epsilon):
    mean = train.mean(axis=0)
    _, singular_values, directions = np.linalg.svd(train - mean, full_matrices=False)
    return (other - mean) @ directions.T / np.sqrt(singular_values**2 / len(train) + epsilon) @ directions


exercise.slip(
    "`np.cov` takes rows for features unless it is told `rowvar=False`: your matrix has one row and one column for "
    "each example.",
    name="covariance_of_the_rows_by_n",
    right="centred.T @ centred / len(train)",
    wrong="np.cov(train, bias=True)",
)


@exercise.alternative
def by_singular_values(train, other, epsilon):
    mean = np.sum(train, axis=0) / train.shape[0]
    _, singular_values, directions = np.linalg.svd(train - mean)
    variances = np.zeros(train.shape[1])
    variances[: len(singular_values)] = singular_values**2 / train.shape[0]
    along = (other - mean) @ directions.T
    return along / (variances + epsilon) ** 0.5 @ directions


@exercise.alternative
def one_eigenvector_at_a_time(train, other, epsilon):
    features = train.shape[1]
    mean, whitening = train.mean(axis=0), np.zeros((features, features))
    covariance = np.cov(train, rowvar=False, ddof=0).reshape(features, features) + epsilon * np.eye(features)
    variances, directions = np.linalg.eigh(covariance)
    for variance, direction in zip(variances, directions.T):
        whitening += np.outer(direction, direction) / np.sqrt(variance)
    return np.array([whitening @ (row - mean) for row in other])


@exercise.alternative
def with_torch(train, other, epsilon):
    examples = torch.tensor(train)
    covariance = torch.cov(examples.T, correction=0) + epsilon * torch.eye(examples.shape[1], dtype=torch.float64)
    left, variances, right = torch.linalg.svd(covariance)
    whitening = left @ torch.diag(variances.rsqrt()) @ right
    return ((torch.tensor(other) - examples.mean(dim=0)) @ whitening).numpy()
