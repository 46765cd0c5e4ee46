"""The exercise `adagrad_step`."""

import numpy as np

from grader.exercises.optimizers.common import SINGLE_PRECISION, any_shape, chapter, gradients, squared

exercise = chapter.exercise(
    "adagrad_step",
    points=2,
    aspects={"a step": 2, "epsilon": 1, "any shape": 1},
    hints=(
        "Two lines: the new squares first, then the weights. Both are done entry by entry, which numpy does by itself.",
        "The new squares are the old ones plus `gradient**2`, in a new array. The root that divides the gradient is "
        "that of the new ones.",
        "The step is `learning_rate * gradient`, divided by `np.sqrt(...) + epsilon`. Mind the brackets: epsilon is "
        "added after the root is taken and before the division.",
    ),
    tolerance=SINGLE_PRECISION,
)


@exercise.reference
def adagrad_step(weights, gradient, squares, learning_rate, epsilon=1e-10):
    squares = squares + gradient**2
    return weights - learning_rate * gradient / (np.sqrt(squares) + epsilon), squares


first = {"weights": np.array([1.0, 1.0]), "gradient": np.array([3.0, -0.5]), "squares": np.zeros(2)}
later = {"weights": np.array([1.0, 1.0]), "gradient": np.array([3.0, -0.5]), "squares": np.array([16.0, 2.0])}
exercise.case("a step", **first, learning_rate=0.5)
exercise.case("a step", **later, learning_rate=0.5)
exercise.case("a step", **later, learning_rate=0.1)
# A weight that never had a slope: without epsilon it would become NaN.
exercise.case(
    "epsilon",
    weights=np.array([1.0, 2.0, 3.0]),
    gradient=np.array([0.0, 0.0, 2.0]),
    squares=np.array([0.0, 4.0, 0.0]),
    learning_rate=0.5,
)
# An epsilon that counts: under the root it would do something else.
exercise.case("epsilon", **later, learning_rate=0.5, epsilon=0.5)
# Next to nothing is not nothing: however small a slope is, its first step is as long as any.
exercise.case(
    "epsilon", weights=np.array([1.0, 1.0]), gradient=np.array([2e-6, -3.0]), squares=np.zeros(2), learning_rate=0.5
)
exercise.case("any shape", weights=np.array(2.0), gradient=np.array(-3.0), squares=np.array(7.0), learning_rate=0.4)
exercise.case(
    "any shape",
    weights=np.array([[1.0, 2.0, 3.0], [4.0, 5.0, 6.0]]),
    gradient=np.array([[1.0, -1.0, 2.0], [0.5, 3.0, -2.0]]),
    squares=np.array([[3.0, 0.0, 5.0], [2.0, 16.0, 0.0]]),
    learning_rate=0.2,
)


def one_step(rng, shape, **settings):
    return {
        "weights": np.array(rng.normal(size=shape)),
        "gradient": gradients(rng, shape),
        "squares": squared(rng, shape),
        "learning_rate": float(rng.uniform(0.1, 0.5)),
        **settings,
    }


@exercise.hidden("a step", count=2)
def first_step(rng):
    return one_step(rng, (4,)) | {"squares": np.zeros(4)}


@exercise.hidden("a step", count=3)
def later_step(rng):
    return one_step(rng, (5,))


@exercise.hidden("epsilon", count=3)
def step_with_a_large_epsilon(rng):
    return one_step(rng, (4,), epsilon=float(rng.uniform(0.3, 2)))


@exercise.hidden("any shape", count=4)
def step_of_any_shape(rng):
    return one_step(rng, any_shape(rng))


exercise.slip(
    "Your epsilon stands under the root. Here it is added to the root, after it is taken, as torch does it. The "
    "default is so small that only a larger one shows the difference.",
    name="epsilon_under_the_root",
    right="np.sqrt(squares) + epsilon",
    wrong="np.sqrt(squares + epsilon)",
)
exercise.slip(
    "A weight that never had a slope becomes NaN: 0 / 0. That is what epsilon is for; add it to the root.",
    name="epsilon_left_out",
    right="(np.sqrt(squares) + epsilon)",
    wrong="np.sqrt(squares)",
)
exercise.slip(
    "Your epsilon is fixed at 1e-10. That is only the default; use the parameter.",
    name="epsilon_fixed",
    right="np.sqrt(squares) + epsilon",
    wrong="np.sqrt(squares) + 1e-10",
)
exercise.slip(
    "Your brackets are missing: the division comes before the sum, so epsilon is added to the quotient and not to the "
    "root.",
    name="brackets_missing",
    right="gradient / (np.sqrt(squares) + epsilon)",
    wrong="(gradient / np.sqrt(squares) + epsilon)",
)


@exercise.mistake(
    "You divide by the root of the old squares. In the first step they are 0, and the weights are thrown off to "
    "nowhere. This gradient belongs to the sum before the root is taken."
)
def old_squares(weights, gradient, squares, learning_rate, epsilon=1e-10):
    return weights - learning_rate * gradient / (np.sqrt(squares) + epsilon), squares + gradient**2


exercise.slip(
    "You divide by the sum of squares itself. Its root has the unit of a gradient; without it, weights with large "
    "slopes hardly move at all.",
    name="root_left_out",
    right="np.sqrt(squares)",
    wrong="squares",
)
exercise.slip(
    "You add up the gradients, and not their squares. Slopes of both signs would cancel, and the root of a negative "
    "sum is NaN.",
    name="gradients_added_up",
    right="gradient**2",
    wrong="gradient",
)
exercise.slip(
    "You add up absolute values. Here the gradients are squared, added up, and then the root is taken.",
    name="absolute_values_added_up",
    right="gradient**2",
    wrong="np.abs(gradient)",
)
exercise.slip(
    "Your squares forget: this is the running average of RMSprop. Adagrad adds up all squares and keeps every one.",
    name="forgets",
    right="squares + gradient**2",
    wrong="0.9 * squares + 0.1 * gradient**2",
)
exercise.slip(
    "You take this gradient's square alone. Then every weight moves by the learning rate, up or down, and the past "
    "counts for nothing. Add the square to `squares`.",
    name="past_left_out",
    right="squares = squares + gradient**2",
    wrong="squares = gradient**2",
)
exercise.slip(
    "All weights share one sum, so they share one rate. The point of Adagrad is that each weight has its own: do not "
    "sum over the entries.",
    name="one_sum_for_all",
    right="gradient**2",
    wrong="np.sum(gradient**2)",
)
exercise.slip(
    "Your weights walk uphill. They go against the gradient, however it is scaled.",
    name="climbs",
    right="weights - learning_rate",
    wrong="weights + learning_rate",
)
exercise.slip(
    "These are the weights only. The next step needs the new squares as well: return both.",
    name="squares_not_returned",
    right="(np.sqrt(squares) + epsilon), squares",
    wrong="(np.sqrt(squares) + epsilon)",
)


@exercise.mistake(
    "Your weights are right, but you return the old squares. Handed to the next step, they would make it forget this "
    "one."
)
def old_squares_returned(weights, gradient, squares, learning_rate, epsilon=1e-10):
    return weights - learning_rate * gradient / (np.sqrt(squares + gradient**2) + epsilon), squares


@exercise.mistake(
    "The numbers are right, but `+=` writes into `squares`, which belongs to whoever calls you. Make a new array: "
    "`squares = squares + ...`."
)
def in_place(weights, gradient, squares, learning_rate, epsilon=1e-10):
    squares += gradient**2
    return weights - learning_rate * gradient / (np.sqrt(squares) + epsilon), squares


@exercise.alternative
def a_rate_for_each_entry(weights, gradient, squares, learning_rate, epsilon=1e-10):
    total = np.square(gradient) + squares
    rates = learning_rate / (total**0.5 + epsilon)
    return [weights - rates * gradient, total]


@exercise.alternative
def entry_by_entry(weights, gradient, squares, learning_rate, epsilon=1e-10):
    new_weights, new_squares = np.zeros(weights.shape), np.zeros(weights.shape)
    for place in np.ndindex(weights.shape):
        new_squares[place] = squares[place] + gradient[place] * gradient[place]
        new_weights[place] = weights[place] - learning_rate * gradient[place] / (new_squares[place] ** 0.5 + epsilon)
    return new_weights, new_squares


@exercise.alternative
def in_single_precision(weights, gradient, squares, learning_rate, epsilon=1e-10):
    gradient = gradient.astype(np.float32)
    squares = squares.astype(np.float32) + gradient**2
    return weights.astype(np.float32) - np.float32(learning_rate) * gradient / (np.sqrt(squares) + epsilon), squares
