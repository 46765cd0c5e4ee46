"""The exercise `rmsprop_step`."""

import numpy as np
import torch

from grader.exercises.optimizers.common import SINGLE_PRECISION, any_shape, chapter, gradients, squared

exercise = chapter.exercise(
    "rmsprop_step",
    points=2,
    aspects={"a step": 2, "epsilon": 1, "any shape": 1},
    hints=(
        "It is Adagrad's step with one thing changed: how the squares are kept.",
        "The squares are an exponentially weighted average, as in `ewma`, of `gradient**2`, and without a correction. "
        "The root is that of the new average.",
        "The new squares are `beta * squares + (1 - beta) * gradient**2`; the second line is Adagrad's, with epsilon "
        "outside the root.",
    ),
    tolerance=SINGLE_PRECISION,
)


@exercise.reference
def rmsprop_step(weights, gradient, squares, learning_rate, beta=0.99, epsilon=1e-8):
    squares = beta * squares + (1 - beta) * gradient**2
    return weights - learning_rate * gradient / (np.sqrt(squares) + epsilon), squares


first = {"weights": np.array([1.0, 1.0]), "gradient": np.array([3.0, -0.5]), "squares": np.zeros(2)}
later = {"weights": np.array([1.0, 1.0]), "gradient": np.array([2.0, -1.0]), "squares": np.array([8.0, 0.5])}
exercise.case("a step", **first, learning_rate=0.1, beta=0.75)
exercise.case("a step", **later, learning_rate=0.1, beta=0.75)
exercise.case("a step", **later, learning_rate=0.5, beta=0.6)
exercise.case("a step", **later, learning_rate=0.1)
# A weight that never had a slope: without epsilon it would become NaN.
exercise.case(
    "epsilon",
    weights=np.array([1.0, 2.0, 3.0]),
    gradient=np.array([0.0, 0.0, 2.0]),
    squares=np.array([0.0, 4.0, 1.0]),
    learning_rate=0.1,
    beta=0.75,
)
# An epsilon that counts: under the root it would do something else.
exercise.case("epsilon", **later, learning_rate=0.1, beta=0.75, epsilon=0.5)
# Next to nothing is not nothing: however small a slope is, its first step is as long as any.
exercise.case(
    "epsilon",
    weights=np.array([1.0, 1.0]),
    gradient=np.array([2e-6, -3.0]),
    squares=np.zeros(2),
    learning_rate=0.5,
    beta=0.75,
)
exercise.case(
    "any shape", weights=np.array(2.0), gradient=np.array(-3.0), squares=np.array(7.0), learning_rate=0.4, beta=0.8
)
exercise.case(
    "any shape",
    weights=np.array([[1.0, 2.0, 3.0], [4.0, 5.0, 6.0]]),
    gradient=np.array([[1.0, -1.0, 2.0], [0.5, 3.0, -2.0]]),
    squares=np.array([[3.0, 1.0, 5.0], [2.0, 16.0, 0.5]]),
    learning_rate=0.2,
    beta=0.7,
)


def one_step(rng, shape, **settings):
    return {
        "weights": np.array(rng.normal(size=shape)),
        "gradient": gradients(rng, shape),
        "squares": squared(rng, shape),
        "learning_rate": float(rng.uniform(0.1, 0.5)),
        "beta": float(rng.uniform(0.6, 0.85)),
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
    "Your epsilon stands under the root. Here it is added to the root, after it is taken. Papers and libraries do not "
    "agree on that; torch's RMSprop has it outside.",
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
    "Your epsilon is fixed at 1e-8. That is only the default; use the parameter.",
    name="epsilon_fixed",
    right="np.sqrt(squares) + epsilon",
    wrong="np.sqrt(squares) + 1e-8",
)
exercise.slip(
    "The new square goes into your average whole, so the squares come out many times too large and the steps too "
    "small. It counts with the weight 1 - beta.",
    name="whole_square_added",
    right="(1 - beta) * gradient**2",
    wrong="gradient**2",
)
exercise.slip(
    "Your two weights are the wrong way round: beta is the share that is kept of the old average, 1 - beta that of the "
    "new square.",
    name="weights_swapped",
    right="beta * squares + (1 - beta) * gradient**2",
    wrong="(1 - beta) * squares + beta * gradient**2",
)
exercise.slip(
    "Your squares only grow: this is Adagrad's sum. RMSprop forgets the old ones, so that its rate need not die.",
    name="adagrads_sum",
    right="beta * squares + (1 - beta) * gradient**2",
    wrong="squares + gradient**2",
)


@exercise.mistake(
    "You divide by the root of the old squares. In the first step they are 0, and the weights are thrown off to "
    "nowhere. Let the average take in this gradient first."
)
def old_squares(weights, gradient, squares, learning_rate, beta=0.99, epsilon=1e-8):
    new_squares = beta * squares + (1 - beta) * gradient**2
    return weights - learning_rate * gradient / (np.sqrt(squares) + epsilon), new_squares


exercise.slip(
    "You divide by the average of squares itself. RMS means root mean square: take the root.",
    name="root_left_out",
    right="np.sqrt(squares)",
    wrong="squares",
)
exercise.slip(
    "Your average is one of gradients, and not of their squares. Slopes of both signs would cancel, and the root of a "
    "negative number is NaN.",
    name="gradients_averaged",
    right="gradient**2",
    wrong="gradient",
)
exercise.slip(
    "You square the whole new part, and 1 - beta with it. Only the gradient is squared: brackets decide.",
    name="weight_squared_too",
    right="(1 - beta) * gradient**2",
    wrong="((1 - beta) * gradient) ** 2",
)
exercise.slip(
    "You correct the average as if this were always the first step. RMSprop does not correct; that came with Adam.",
    name="corrected",
    right="np.sqrt(squares)",
    wrong="np.sqrt(squares / (1 - beta))",
)
exercise.slip(
    "Your beta is fixed at 0.99. That is only the default; use the parameter.",
    name="beta_fixed",
    right="beta * squares + (1 - beta) * gradient**2",
    wrong="0.99 * squares + 0.01 * gradient**2",
)
exercise.slip(
    "All weights share one average, so they share one rate. Each should have its own: take no mean over the entries.",
    name="one_average_for_all",
    right="gradient**2",
    wrong="np.mean(gradient**2)",
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
    "The numbers are right, but `*=` and `+=` write into `squares`, which belongs to whoever calls you. Make a new "
    "array."
)
def in_place(weights, gradient, squares, learning_rate, beta=0.99, epsilon=1e-8):
    squares *= beta
    squares += (1 - beta) * gradient**2
    return weights - learning_rate * gradient / (np.sqrt(squares) + epsilon), squares


@exercise.alternative
def a_step_towards_the_square(weights, gradient, squares, learning_rate, beta=0.99, epsilon=1e-8):
    average = squares + (1 - beta) * (np.square(gradient) - squares)
    rates = learning_rate / (average**0.5 + epsilon)
    return [weights - rates * gradient, average]


@exercise.alternative
def entry_by_entry(weights, gradient, squares, learning_rate, beta=0.99, epsilon=1e-8):
    new_weights, new_squares = np.zeros(weights.shape), np.zeros(weights.shape)
    for place in np.ndindex(weights.shape):
        new_squares[place] = beta * squares[place] + (1 - beta) * gradient[place] * gradient[place]
        new_weights[place] = weights[place] - learning_rate * gradient[place] / (new_squares[place] ** 0.5 + epsilon)
    return new_weights, new_squares


@exercise.alternative
def with_torch_in_single_precision(weights, gradient, squares, learning_rate, beta=0.99, epsilon=1e-8):
    weights, gradient, squares = (torch.tensor(array, dtype=torch.float32) for array in (weights, gradient, squares))
    squares = beta * squares + (1 - beta) * gradient.square()
    return (weights - learning_rate * gradient / (squares.sqrt() + epsilon)).numpy(), squares.numpy()
