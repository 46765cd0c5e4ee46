"""The exercise `sharpness`."""

from functools import partial

import numpy as np

from grader.exercises.optimizers.common import chapter
from labutils.checks.comparing import Tolerance
from labutils.surfaces import quadratic_gradient

exercise = chapter.exercise(
    "sharpness",
    points=3,
    aspects={"before it settles": 2, "once it has settled": 1, "negative or flat": 1},
    hints=(
        "All that matters is a direction, so bring every vector to length 1: divide it by `np.linalg.norm` of it. "
        "Which length would make trouble?",
        "A loop of `iterations` rounds with two lines: the product `hessian_times(vector)`, and that product divided "
        "by its length. After the loop one more product is needed.",
        "After the loop return `float(vector @ hessian_times(vector))`. In the loop, return 0.0 where the length of "
        "the product is 0; before it, refuse a `start` without a single entry other than 0.",
    ),
    tolerance=Tolerance(relative=1e-5, absolute=1e-14),  # a small curvature is a curvature
)


@exercise.reference
def sharpness(hessian_times, start, iterations):
    if not np.any(start):
        raise ValueError("start is all zeros, which points nowhere: give at least one entry another value")
    vector = start / np.linalg.norm(start)
    for _ in range(iterations):
        product = hessian_times(vector)
        length = np.linalg.norm(product)
        if length == 0:
            return 0.0
        vector = product / length
    return float(vector @ hessian_times(vector))


def quadratic(*curvatures):
    """The Hessian, as a function, of a quadratic with these curvatures along its axes."""
    return partial(quadratic_gradient, hessian=np.diag(curvatures))


tilted = partial(quadratic_gradient, hessian=np.array([[3.0, 1.0], [1.0, 2.0]]))
exercise.case("before it settles", hessian_times=quadratic(1.0, 20.0), start=np.array([1.0, 1.0]), iterations=1)
exercise.case("before it settles", hessian_times=tilted, start=np.array([3.0, 4.0]), iterations=0)
exercise.case("before it settles", hessian_times=tilted, start=np.array([-0.5, 2.0]), iterations=2)
exercise.case(
    "before it settles", hessian_times=quadratic(5.0, 4.0, 1.0), start=np.array([0.5, 1.0, 2.0]), iterations=3
)
exercise.case("before it settles", hessian_times=tilted, start=np.array([1.0, -1.0]), iterations=1)
exercise.case("before it settles", hessian_times=quadratic(7.0), start=np.array([-0.01]), iterations=1)
exercise.case("before it settles", hessian_times=tilted, start=np.array([3e-9, -1e-9]), iterations=2)
# Curvatures that are close: the vector turns slowly, and has not arrived even now.
exercise.case("before it settles", hessian_times=quadratic(5.0, 4.8), start=np.array([1.0, 3.0]), iterations=40)
exercise.case("once it has settled", hessian_times=tilted, start=np.array([1.0, 0.5]), iterations=60)
# Without scaling in every round these would leave what a number can hold, upwards and downwards.
exercise.case("once it has settled", hessian_times=quadratic(6e4, 2e4), start=np.array([1.0, 1.0]), iterations=100)
exercise.case(
    "once it has settled", hessian_times=quadratic(2e-4, 1e-4, 8e-4), start=np.array([1.0, 1.0, 1.0]), iterations=120
)
exercise.case("once it has settled", hessian_times=quadratic(4e-9, 1e-9), start=np.array([1.0, 1.0]), iterations=20)
# Hardly anything points the steepest way: for a long time the vector looks settled, and is not.
exercise.case("once it has settled", hessian_times=quadratic(2.0, 1.0), start=np.array([1e-10, 1.0]), iterations=60)
exercise.case("negative or flat", hessian_times=quadratic(1.0, -3.0), start=np.array([1.0, 1.0]), iterations=2)
exercise.case("negative or flat", hessian_times=quadratic(1.0, -3.0), start=np.array([1.0, 1.0]), iterations=40)
exercise.case("negative or flat", hessian_times=quadratic(0.0, 2.0), start=np.array([3.0, 0.0]), iterations=4)
exercise.case("negative or flat", hessian_times=quadratic(0.0, 2.0), start=np.array([0.0, 0.0]), iterations=4)


def turned(rng, curvatures):
    """The Hessian, as a function, with these curvatures along axes that are turned at random, and a start."""
    axes, _ = np.linalg.qr(rng.normal(size=(len(curvatures), len(curvatures))))
    matrix = axes @ np.diag(curvatures) @ axes.T
    start = axes @ (rng.choice([-1, 1], len(curvatures)) * rng.uniform(0.5, 2, len(curvatures)))
    return {"hessian_times": partial(quadratic_gradient, hessian=(matrix + matrix.T) / 2), "start": start}


@exercise.hidden("before it settles", count=5)
def few_iterations(rng):
    curvatures = np.append(rng.uniform(4, 6), rng.uniform(1, 3.5, rng.integers(2, 6)))
    return turned(rng, curvatures) | {"iterations": int(rng.integers(1, 4))}


@exercise.hidden("once it has settled", count=3)
def many_iterations(rng):
    curvatures = 10 ** rng.uniform(3, 4) * np.append(1, rng.uniform(0.1, 0.6, rng.integers(1, 5)))
    return turned(rng, curvatures) | {"iterations": int(rng.integers(150, 250))}


@exercise.hidden("negative or flat", count=3)
def falling_away(rng):
    curvatures = np.append(rng.uniform(-6, -4), rng.uniform(0, 2.5, rng.integers(1, 5)))
    return turned(rng, curvatures) | {"iterations": int(rng.integers(3, 40))}


exercise.slip(
    "Your first vector is `start` as it came, not scaled to length 1. Without a single iteration the answer would "
    "change with its length.",
    name="start_not_scaled",
    right="start / np.linalg.norm(start)",
    wrong="start",
)


@exercise.mistake(
    "You never scale inside the loop. Each product is longer than the last, or shorter, and after a hundred of them no "
    "number can hold the entries. Scale in every round."
)
def scaled_at_the_end_only(hessian_times, start, iterations):
    if not np.any(start):
        raise ValueError("start is all zeros")
    vector = start
    for _ in range(iterations):
        vector = hessian_times(vector)
    length = np.linalg.norm(vector)
    return float(vector @ hessian_times(vector) / length**2) if length > 0 else 0.0


@exercise.mistake(
    "You never scale a vector to length 1, so your answer grows with every iteration. A curvature is measured along a "
    "vector of length 1."
)
def never_scaled(hessian_times, start, iterations):
    if not np.any(start):
        raise ValueError("start is all zeros")
    vector = start
    for _ in range(iterations):
        vector = hessian_times(vector)
    return float(vector @ hessian_times(vector))


exercise.slip(
    "In the loop you do not scale: only `start` has length 1, and your answer grows with every iteration. Divide each "
    "product by its length.",
    name="not_scaled_in_the_loop",
    right="vector = product / length",
    wrong="vector = product",
)
exercise.slip(
    "You return the length of the last product. A length has no sign, so a hilltop looks like a valley; and before the "
    "vector has settled, the length is more than the curvature along it.",
    name="length_of_the_product",
    right="vector @ hessian_times(vector)",
    wrong="np.linalg.norm(hessian_times(vector))",
)
exercise.slip(
    "You go round once more than `iterations` says.",
    name="one_iteration_too_many",
    right="range(iterations)",
    wrong="range(iterations + 1)",
)
exercise.slip(
    "You go round once less than `iterations` says.",
    name="one_iteration_too_few",
    right="range(iterations)",
    wrong="range(1, iterations)",
)
exercise.slip(
    "You divide by the sum of the entries, or of their absolute values. Length is the root of the sum of squares: "
    "`np.linalg.norm`.",
    name="scaled_by_a_sum",
    right="length = np.linalg.norm(product)",
    wrong="length = np.sum(np.abs(product))",
)
exercise.slip(
    "You divide by the largest entry. The direction is right, but the vector does not have length 1, so the product "
    "with itself is no curvature.",
    name="scaled_by_the_largest",
    right="length = np.linalg.norm(product)",
    wrong="length = np.max(np.abs(product))",
)
exercise.slip(
    "You take the quotient of the first entries. That is right only once the vector has settled, and it divides by 0 "
    "where that entry is 0. Use all entries: the product of v and the Hessian times v.",
    name="quotient_of_first_entries",
    right="float(vector @ hessian_times(vector))",
    wrong="float(hessian_times(vector)[0] / vector[0])",
)
exercise.slip(
    "You return the product of the vector with itself, which is 1. Between the two stands the Hessian: multiply the "
    "vector by the Hessian times the vector.",
    name="hessian_left_out",
    right="vector @ hessian_times(vector)",
    wrong="vector @ vector",
)
exercise.slip(
    "Your `return` stands inside the loop, so the function ends in the first round.",
    name="returns_in_the_loop",
    right="\n    return float",
    wrong="\n        return float",
)


@exercise.mistake(
    "You build the whole Hessian, one column per weight, and ask for its eigenvalues. That answer is exact, and a "
    "network with a million weights would need a million products and a matrix that no memory holds. Multiply one "
    "vector again and again instead."
)
def whole_hessian(hessian_times, start, iterations):
    if not np.any(start):
        raise ValueError("start is all zeros")
    hessian = np.array([hessian_times(column) for column in np.eye(len(start))])
    eigenvalues = np.linalg.eigvalsh(hessian)
    return float(eigenvalues[np.argmax(np.abs(eigenvalues))])


exercise.slip(
    "You begin from a vector of ones, wherever `start` points. Another start gives another answer until the vector has "
    "settled, and some starts never see the steepest direction.",
    name="start_ignored",
    right="start / np.linalg.norm(start)",
    wrong="np.ones(len(start)) / np.sqrt(len(start))",
)
exercise.slip(
    "Your bowls are right. A curvature can be negative, and you drop its sign: a hilltop is not a valley.",
    name="sign_dropped",
    right="float(vector @ hessian_times(vector))",
    wrong="abs(float(vector @ hessian_times(vector)))",
)


@exercise.mistake(
    "Where the loss is flat along the vector, your product is 0, and 0 / 0 makes everything NaN. Ask for length 0 "
    "before you divide, and return 0.0."
)
def flat_overlooked(hessian_times, start, iterations):
    if not np.any(start):
        raise ValueError("start is all zeros")
    vector = start / np.linalg.norm(start)
    for _ in range(iterations):
        vector = hessian_times(vector)
        vector = vector / np.linalg.norm(vector)
    return float(vector @ hessian_times(vector))


@exercise.mistake(
    "A `start` of zeros gives an answer here, or NaN. It points nowhere, so there is no curvature along it: refuse it "
    "with a ValueError."
)
def zeros_not_refused(hessian_times, start, iterations):
    length = np.linalg.norm(start)
    vector = start / length if length > 0 else start
    for _ in range(iterations):
        product = hessian_times(vector)
        length = np.linalg.norm(product)
        if length == 0:
            return 0.0
        vector = product / length
    return float(vector @ hessian_times(vector))


@exercise.mistake(
    "Zeros bring your function down in two places: a product of 0 makes NaN, where the answer is 0.0, and so does a "
    "`start` of zeros, which should be refused with a ValueError. Look at each length before you divide by it."
)
def zeros_overlooked(hessian_times, start, iterations):
    vector = start / np.linalg.norm(start)
    for _ in range(iterations):
        vector = hessian_times(vector)
        vector = vector / np.linalg.norm(vector)
    return float(vector @ hessian_times(vector))


@exercise.mistake(
    "You return the length of the last product, which has no sign and is too large before the vector has settled: "
    "multiply the vector by the product. And look at each length before you divide by it: a product of 0 means 0.0, a "
    "`start` of zeros is to be refused."
)
def length_of_the_product_and_zeros_overlooked(hessian_times, start, iterations):
    vector = start / np.linalg.norm(start)
    for _ in range(iterations):
        vector = hessian_times(vector)
        vector = vector / np.linalg.norm(vector)
    return float(np.linalg.norm(hessian_times(vector)))


@exercise.mistake(
    "The numbers are right, but `/=` scales `start` itself, which belongs to whoever calls you. Make a new array."
)
def in_place(hessian_times, start, iterations):
    if not np.any(start):
        raise ValueError("start is all zeros")
    start /= np.linalg.norm(start)
    vector = start
    for _ in range(iterations):
        product = hessian_times(vector)
        length = np.linalg.norm(product)
        if length == 0:
            return 0.0
        vector = product / length
    return float(vector @ hessian_times(vector))


@exercise.alternative
def one_product_ahead(hessian_times, start, iterations):
    if np.all(start == 0):
        raise ValueError("no direction")
    vector = start / np.sqrt(np.sum(start**2))
    product = hessian_times(vector)
    for _ in range(iterations):
        size = np.sqrt(np.sum(product**2))
        if not size > 0:
            break
        vector = product / size
        product = hessian_times(vector)
    return np.sum(vector * product)


@exercise.alternative
def by_rayleighs_quotient(hessian_times, start, iterations):
    largest = np.abs(start).max()
    if largest == 0:
        raise ValueError("start must not be zero")
    vector = start / largest
    while iterations > 0:
        vector = hessian_times(vector)
        largest = np.abs(vector).max()
        if largest == 0.0:
            return np.float64(0)
        vector, iterations = vector / largest, iterations - 1
    return vector.dot(hessian_times(vector)) / vector.dot(vector)


@exercise.alternative
def in_single_precision(hessian_times, start, iterations):
    if not start.any():
        raise ValueError("start is zero")
    vector = (start / np.linalg.norm(start)).astype(np.float32)
    for _ in range(iterations):
        product = hessian_times(vector).astype(np.float32)
        if not product.any():
            return 0.0
        vector = product / np.linalg.norm(product)
    return np.float32(vector @ hessian_times(vector))
