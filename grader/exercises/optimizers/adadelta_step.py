"""The exercise `adadelta_step`."""

import numpy as np

from grader.exercises.optimizers.common import SINGLE_PRECISION, any_shape, chapter, gradients, squared

exercise = chapter.exercise(
    "adadelta_step",
    points=3,
    aspects={"the first step": 1, "later steps": 2, "any shape": 1},
    hints=(
        "Four lines, in the order of the four formulas. Two of them are averages of the same kind: of what?",
        "The update needs the new squares, but the old updates, for the new ones are made from it. Give the update a "
        "name; it is used twice.",
        "Write `update = np.sqrt(updates + epsilon) / np.sqrt(new_squares + epsilon) * gradient`. Its square goes "
        "into the second average as that of the gradient goes into the first. The learning rate comes last.",
    ),
    tolerance=SINGLE_PRECISION,
)


@exercise.reference
def adadelta_step(weights, gradient, squares, updates, learning_rate=1.0, beta=0.9, epsilon=1e-6):
    squares = beta * squares + (1 - beta) * gradient**2
    update = np.sqrt(updates + epsilon) / np.sqrt(squares + epsilon) * gradient
    updates = beta * updates + (1 - beta) * update**2
    return weights - learning_rate * update, squares, updates


# From 0, it is epsilon alone that sets things in motion.
first = {
    "weights": np.array([1.0, 2.0]),
    "gradient": np.array([3.0, -0.5]),
    "squares": np.zeros(2),
    "updates": np.zeros(2),
}
exercise.case("the first step", **first)
exercise.case("the first step", **first, beta=0.6, epsilon=0.25)
exercise.case("the first step", **first | {"gradient": np.array([0.0, 2.0])}, beta=0.75, epsilon=0.01)
later = {
    "weights": np.array([5.0, 1.0, -2.0]),
    "gradient": np.array([4.0, 0.0, -2.0]),
    "squares": np.array([14.0, 2.0, 3.0]),
    "updates": np.array([8.0, 3.0, 0.5]),
}
exercise.case("later steps", **later)
exercise.case("later steps", **later, beta=0.6)
exercise.case("later steps", **later, learning_rate=0.2, beta=0.75)
exercise.case(
    "any shape",
    weights=np.array(2.0),
    gradient=np.array(-3.0),
    squares=np.array(7.0),
    updates=np.array(1.5),
    learning_rate=0.5,
    beta=0.8,
)
exercise.case(
    "any shape",
    weights=np.array([[1.0, 2.0, 3.0], [4.0, 5.0, 6.0]]),
    gradient=np.array([[1.0, -1.0, 2.0], [0.5, 3.0, -2.0]]),
    squares=np.array([[3.0, 1.0, 5.0], [2.0, 16.0, 0.5]]),
    updates=np.array([[2.0, 4.0, 0.5], [1.0, 3.0, 6.0]]),
    learning_rate=0.5,
    beta=0.7,
)


def one_step(rng, shape, **settings):
    return {
        "weights": np.array(rng.normal(size=shape)),
        "gradient": gradients(rng, shape),
        "squares": squared(rng, shape),
        "updates": squared(rng, shape),
        "beta": float(rng.uniform(0.6, 0.85)),
        **settings,
    }


@exercise.hidden("the first step", count=3)
def first_step(rng):
    step = one_step(rng, (4,), epsilon=float(rng.uniform(0.05, 0.5)))
    return step | {"squares": np.zeros(4), "updates": np.zeros(4)}


@exercise.hidden("later steps", count=4)
def later_step(rng):
    return one_step(rng, (5,), learning_rate=float(rng.uniform(0.2, 0.7)))


@exercise.hidden("any shape", count=4)
def step_of_any_shape(rng):
    return one_step(rng, any_shape(rng), learning_rate=float(rng.uniform(0.2, 0.7)))


exercise.slip(
    "Your epsilon stands outside the roots. With Adadelta it belongs under both: from 0 it is the only thing that sets "
    "the weights in motion, and its root is much larger than itself.",
    name="epsilon_outside_the_roots",
    right="np.sqrt(updates + epsilon) / np.sqrt(squares + epsilon)",
    wrong="(np.sqrt(updates) + epsilon) / (np.sqrt(squares) + epsilon)",
)
exercise.slip(
    "From rest your weights never move: the root of no updates is 0, so the update is 0, and so on for ever. Epsilon "
    "is needed under the upper root too.",
    name="no_epsilon_above",
    right="np.sqrt(updates + epsilon)",
    wrong="np.sqrt(updates)",
)
exercise.slip(
    "Your roots are upside down: a large slope should give a small factor. The squared gradients belong below.",
    name="upside_down",
    right="np.sqrt(updates + epsilon) / np.sqrt(squares + epsilon)",
    wrong="np.sqrt(squares + epsilon) / np.sqrt(updates + epsilon)",
)
exercise.slip(
    "You divide the averages themselves. The roots of both are needed, or the units do not come out right.",
    name="roots_left_out",
    right="np.sqrt(updates + epsilon) / np.sqrt(squares + epsilon)",
    wrong="(updates + epsilon) / (squares + epsilon)",
)
exercise.slip(
    "The upper root is missing: you divide the average of squared updates, as it is, by a root.",
    name="upper_root_left_out",
    right="np.sqrt(updates + epsilon)",
    wrong="(updates + epsilon)",
)


@exercise.mistake(
    "Your update divides by the root of the old squares. The average takes in this gradient first; only that of the "
    "updates is still the old one, because it waits for this update."
)
def old_squares(weights, gradient, squares, updates, learning_rate=1.0, beta=0.9, epsilon=1e-6):
    update = np.sqrt(updates + epsilon) / np.sqrt(squares + epsilon) * gradient
    squares = beta * squares + (1 - beta) * gradient**2
    updates = beta * updates + (1 - beta) * update**2
    return weights - learning_rate * update, squares, updates


@exercise.mistake(
    "The learning rate has found its way into your average of updates. Zeiler has none, and torch's stands only where "
    "the weights move: the average takes in the update as it is."
)
def rate_in_the_average(weights, gradient, squares, updates, learning_rate=1.0, beta=0.9, epsilon=1e-6):
    squares = beta * squares + (1 - beta) * gradient**2
    update = learning_rate * np.sqrt(updates + epsilon) / np.sqrt(squares + epsilon) * gradient
    updates = beta * updates + (1 - beta) * update**2
    return weights - update, squares, updates


exercise.slip(
    "The learning rate counts twice: once in your update, and with it in the average, once where the weights move. It "
    "belongs only there.",
    name="rate_counted_twice",
    right="* gradient\n",
    wrong="* gradient * learning_rate\n",
)
exercise.slip(
    "Your second average takes in the squared gradients once more. It is there to remember how far the weights went: "
    "square the update.",
    name="gradients_in_both",
    right="update**2",
    wrong="gradient**2",
)
exercise.slip(
    "Your second average takes in the update itself. It may be negative, and then the next root is NaN: square it.",
    name="update_not_squared",
    right="update**2",
    wrong="update",
)
exercise.slip(
    "The new square goes into your first average whole. It counts with the weight 1 - beta, so that the two weights "
    "add up to 1.",
    name="whole_square_added",
    right="(1 - beta) * gradient**2",
    wrong="gradient**2",
)
exercise.slip(
    "The update's square goes into your second average whole. It counts with the weight 1 - beta, so that the two "
    "weights add up to 1.",
    name="whole_update_added",
    right="(1 - beta) * update**2",
    wrong="update**2",
)


@exercise.mistake(
    "You divide the gradient by a root, as RMSprop does, and leave the updates out of it. The root of the old updates "
    "is what takes the place of a learning rate."
)
def rmsprops_update(weights, gradient, squares, updates, learning_rate=1.0, beta=0.9, epsilon=1e-6):
    squares = beta * squares + (1 - beta) * gradient**2
    update = gradient / np.sqrt(squares + epsilon)
    updates = beta * updates + (1 - beta) * update**2
    return weights - learning_rate * update, squares, updates


exercise.slip(
    "Your weights walk uphill. They go against the update, which points the same way as the gradient.",
    name="climbs",
    right="weights - learning_rate",
    wrong="weights + learning_rate",
)
exercise.slip(
    "Your learning rate is never used. Its default is 1.0, where it does not show; elsewhere it scales the update when "
    "the weights move.",
    name="rate_left_out",
    right="learning_rate * update,",
    wrong="update,",
)
exercise.slip(
    "Your two averages come back in the wrong order: the weights first, then the squares, then the updates.",
    name="averages_swapped",
    right="update, squares, updates",
    wrong="update, updates, squares",
)
exercise.slip(
    "These are the weights only. The next step needs both averages as well: return all three.",
    name="averages_not_returned",
    right="update, squares, updates",
    wrong="update",
)


@exercise.mistake(
    "The numbers are right, but `*=` and `+=` write into the two averages, which belong to whoever calls you. Make new "
    "arrays."
)
def in_place(weights, gradient, squares, updates, learning_rate=1.0, beta=0.9, epsilon=1e-6):
    squares *= beta
    squares += (1 - beta) * gradient**2
    update = np.sqrt(updates + epsilon) / np.sqrt(squares + epsilon) * gradient
    updates *= beta
    updates += (1 - beta) * update**2
    return weights - learning_rate * update, squares, updates


@exercise.alternative
def one_root_of_the_quotient(weights, gradient, squares, updates, learning_rate=1.0, beta=0.9, epsilon=1e-6):
    new_squares = squares + (1 - beta) * (np.square(gradient) - squares)
    update = gradient * ((updates + epsilon) / (new_squares + epsilon)) ** 0.5
    new_updates = updates - (1 - beta) * (updates - update * update)
    return [weights - update * learning_rate, new_squares, new_updates]


@exercise.alternative
def entry_by_entry(weights, gradient, squares, updates, learning_rate=1.0, beta=0.9, epsilon=1e-6):
    new_weights, new_squares, new_updates = (np.zeros(weights.shape) for _ in range(3))
    for place in np.ndindex(weights.shape):
        new_squares[place] = beta * squares[place] + (1 - beta) * gradient[place] ** 2
        factor = np.sqrt((updates[place] + epsilon) / (new_squares[place] + epsilon))
        new_updates[place] = beta * updates[place] + (1 - beta) * (factor * gradient[place]) ** 2
        new_weights[place] = weights[place] - learning_rate * factor * gradient[place]
    return new_weights, new_squares, new_updates


@exercise.alternative
def in_single_precision(weights, gradient, squares, updates, learning_rate=1.0, beta=0.9, epsilon=1e-6):
    weights, gradient, squares, updates = (array.astype(np.float32) for array in (weights, gradient, squares, updates))
    squares = beta * squares + (1 - beta) * gradient**2
    update = np.sqrt(updates + epsilon) / np.sqrt(squares + epsilon) * gradient
    return weights - learning_rate * update, squares, beta * updates + (1 - beta) * update**2
