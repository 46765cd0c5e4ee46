"""The exercise `anomaly_score`."""

import numpy as np
import torch

from grader.exercises.preprocessing.common import SINGLE_PRECISION, chapter, correlated_table

exercise = chapter.exercise(
    "anomaly_score",
    points=3,
    aspects={"columns without correlation": 1, "correlated columns": 2, "a constant column": 1},
    hints=(
        "The healthy data give two things: their mean and their covariance matrix. The examples are only measured with "
        "them. For a single example, what are the shapes of x - m and of C?",
        "With `distance = examples - mean`, of shape (m, d), the rows of `distance @ np.linalg.inv(covariance)` are "
        "multiplied by the rows of `distance`, entry by entry, and added up. The root comes last.",
        "The sum for each example is `np.sum(distance @ inverse * distance, axis=1)`. The covariance is the product of "
        "the centred healthy table, transposed, with itself, divided by its rows, plus `epsilon * np.eye(d)`.",
    ),
    tolerance=SINGLE_PRECISION,
)


@exercise.reference
def anomaly_score(healthy, examples, epsilon=1e-6):
    mean = healthy.mean(axis=0)
    centred = healthy - mean
    covariance = centred.T @ centred / len(healthy) + epsilon * np.eye(healthy.shape[1])
    distance = examples - mean
    return np.sqrt(np.sum(distance @ np.linalg.inv(covariance) * distance, axis=1))


apart, correlated, constant = "columns without correlation", "correlated columns", "a constant column"
rectangle = np.array([[2.0, 1.0], [2.0, -1.0], [-2.0, 1.0], [-2.0, -1.0]])
exercise.case(apart, healthy=rectangle, examples=np.array([[4.0, 0.0], [0.0, 4.0]]), epsilon=0.0)
exercise.case(apart, healthy=rectangle + [3, 8], examples=np.array([[3.0, 8.0], [7.0, 5.0], [-1.0, 9.0]]), epsilon=1.25)
# The second example is no farther from the mean than the first, but lies across the cloud.
leaning = np.array([[0.0, 1.0], [1.0, 3.0], [2.0, 4.0], [3.0, 7.0], [4.0, 5.0]])
exercise.case(correlated, healthy=leaning, examples=np.array([[4.0, 6.0], [4.0, 2.0], [2.0, 4.0]]))
exercise.case(correlated, healthy=leaning, examples=np.array([[1.0, 6.0]]), epsilon=0.5)
exercise.case(
    correlated,
    healthy=np.array(
        [[1.0, 2.0, 0.0], [2.0, 1.0, 4.0], [4.0, 3.0, 1.0], [3.0, 6.0, 2.0], [5.0, 5.0, 0.0], [0, 1.0, 2]]
    ),
    examples=np.array([[1.0, 1.0, 1.0], [0.0, 4.0, 9.0]]),
    epsilon=0.1,
)
exercise.case(
    constant, healthy=np.array([[1.0, 5.0], [3.0, 5.0]]), examples=np.array([[4.0, 5.0], [2.0, 5.5]]), epsilon=0.25
)
exercise.case(constant, healthy=np.array([[1.0, 5.0], [3.0, 5.0], [2.0, 5.0]]), examples=np.array([[2.0, 5.5]]))
# The other two columns depend on each other.
exercise.case(
    constant,
    healthy=np.column_stack([leaning[:, 0], np.full(5, 3.0), leaning[:, 1]]),
    examples=np.array([[4.0, 3.5, 2.0]]),
    epsilon=0.5,
)


@exercise.hidden(apart, count=3)
def rectangles(rng):
    return {
        "healthy": rectangle * rng.uniform(0.4, 2, 2) + rng.uniform(-3, 3, 2),
        "examples": rng.normal(0, 3, (4, 2)),
        "epsilon": float(rng.choice([0, 0.1, 1])),
    }


@exercise.hidden(correlated, count=5)
def correlated_tables(rng):
    columns = int(rng.integers(2, 6))
    return {
        "healthy": correlated_table(rng, int(rng.integers(15, 40)), columns),
        "examples": correlated_table(rng, int(rng.integers(1, 8)), columns),
        "epsilon": float(rng.choice([1e-6, 0.1, 1])),
    }


@exercise.hidden(constant, count=3)
def with_a_constant_column(rng):
    healthy, examples = correlated_table(rng, 12, 3), correlated_table(rng, 5, 3)
    healthy[:, rng.integers(3)] = np.round(rng.uniform(2, 6))
    return {"healthy": healthy, "examples": examples, "epsilon": float(rng.choice([0.01, 0.1, 1]))}


exercise.slip(
    "These are the squares of the distances. The root comes last; with it, twice as far away is twice the score.",
    name="root_missing",
    right="np.sqrt(np.sum(distance @ np.linalg.inv(covariance) * distance, axis=1))",
    wrong="np.sum(distance @ np.linalg.inv(covariance) * distance, axis=1)",
)


@exercise.mistake(
    "You return a square table: every example is multiplied by every other. Only each with itself is asked for, and "
    "that is the diagonal."
)
def every_pair(healthy, examples, epsilon=1e-6):
    centred, distance = healthy - healthy.mean(axis=0), examples - healthy.mean(axis=0)
    covariance = centred.T @ centred / len(healthy) + epsilon * np.eye(healthy.shape[1])
    return np.sqrt(np.abs(distance @ np.linalg.inv(covariance) @ distance.T))


@exercise.mistake(
    "You scale each column by itself and forget that columns go together. An example can be ordinary in every column "
    "and still lie across the cloud; the whole covariance matrix sees it."
)
def correlation_forgotten(healthy, examples, epsilon=1e-6):
    scaled = (examples - healthy.mean(axis=0)) / np.sqrt(healthy.var(axis=0) + epsilon)
    return np.sqrt(np.sum(scaled**2, axis=1))


@exercise.mistake(
    "This is the ordinary distance from the mean. Along a direction in which healthy data spread widely, being far "
    "away is nothing special: measure in units of that spread."
)
def ordinary_distance(healthy, examples, epsilon=1e-6):
    return np.linalg.norm(examples - healthy.mean(axis=0), axis=1)


exercise.slip(
    "You measure from the mean of the examples. They are what is to be judged, anomalies included; the centre is that "
    "of the healthy data.",
    name="mean_of_the_examples",
    right="distance = examples - mean",
    wrong="distance = examples - examples.mean(axis=0)",
)


@exercise.mistake(
    "Your covariance is that of the examples. The more anomalies there are among them, the more ordinary they look; "
    "learn what is usual from the healthy data alone."
)
def covariance_of_the_examples(healthy, examples, epsilon=1e-6):
    centred, distance = examples - examples.mean(axis=0), examples - healthy.mean(axis=0)
    covariance = centred.T @ centred / len(examples) + epsilon * np.eye(healthy.shape[1])
    return np.sqrt(np.sum(distance @ np.linalg.inv(covariance) * distance, axis=1))


exercise.slip(
    "Your covariance matrix is not inverted: it makes distances longer where healthy data spread widely. They should "
    "become shorter there.",
    name="not_inverted",
    right="np.linalg.inv(covariance)",
    wrong="covariance",
)
exercise.slip(
    "Epsilon is missing: it is added to each entry on the diagonal of the covariance matrix. Where a healthy column is "
    "constant, the matrix has no inverse without it.",
    name="epsilon_forgotten",
    right=" + epsilon * np.eye(healthy.shape[1])",
    wrong="",
)
exercise.slip(
    "You add epsilon to every entry of the covariance matrix, as if the columns were correlated more than they are. It "
    "belongs on the diagonal only.",
    name="epsilon_everywhere",
    right="epsilon * np.eye(healthy.shape[1])",
    wrong="epsilon",
)
exercise.slip(
    "Your covariance is divided by n - 1, as `np.cov` does it. Here it is divided by n.",
    name="divides_by_one_less",
    right="/ len(healthy)",
    wrong="/ (len(healthy) - 1)",
)
exercise.slip(
    "Your covariance matrix holds mean products: the mean has to be subtracted from the healthy data before they are "
    "multiplied.",
    name="covariance_not_centred",
    right="centred = healthy - mean",
    wrong="centred = healthy",
)
exercise.slip(
    "You measure from the origin. The centre of the healthy data is their mean; subtract it from the examples.",
    name="measured_from_the_origin",
    right="distance = examples - mean",
    wrong="distance = examples",
)


@exercise.mistake(
    "You scale each column by its own deviation, to which you add epsilon. Columns that go together are what the "
    "covariance matrix is for, all of it and not its diagonal alone; epsilon belongs to the variances."
)
def columns_scaled_one_by_one(healthy, examples, epsilon=1e-6):
    scaled = (examples - healthy.mean(axis=0)) / (healthy.std(axis=0) + epsilon)
    return np.sqrt(np.sum(scaled**2, axis=1))


@exercise.alternative
def example_by_example(healthy, examples, epsilon=1e-6):
    mean, columns = healthy.mean(axis=0), healthy.shape[1]
    covariance = np.zeros((columns, columns))
    for row in healthy:
        covariance += np.outer(row - mean, row - mean) / len(healthy)
    covariance[np.diag_indices(columns)] += epsilon
    return np.array([((x - mean) @ np.linalg.solve(covariance, x - mean)) ** 0.5 for x in examples])


@exercise.alternative
def as_a_length_after_whitening(healthy, examples, epsilon=1e-6):
    covariance = np.atleast_2d(np.cov(healthy.T, bias=True)) + np.diag([epsilon] * healthy.shape[1])
    variances, directions = np.linalg.eigh(covariance)
    return np.linalg.norm((examples - healthy.mean(axis=0)) @ directions / np.sqrt(variances), axis=1)


@exercise.alternative
def with_torch(healthy, examples, epsilon=1e-6):
    covariance = torch.cov(torch.tensor(healthy).T, correction=0).reshape(healthy.shape[1], -1)
    factor = torch.linalg.cholesky(covariance + epsilon * torch.eye(len(covariance), dtype=torch.float64))
    distance = torch.tensor(examples) - torch.tensor(healthy).mean(dim=0)
    return torch.linalg.solve_triangular(factor, distance.T, upper=False).norm(dim=0).numpy()
