"""The exercise `adam_step`."""

import numpy as np

from grader.exercises.optimizers.common import SINGLE_PRECISION, any_shape, chapter, gradients, squared

exercise = chapter.exercise(
    "adam_step",
    points=3,
    aspects={"early steps": 3, "late steps": 1, "epsilon": 1, "any shape": 1},
    hints=(
        "Adam is `ewma` twice, once for the gradient and once for its square, and then a step. Which of the two "
        "results of each goes into the step, and which is returned?",
        "The corrected ones go into the step, the uncorrected ones are returned. Each average has its own beta, in the "
        "average and in its correction.",
        "With `corrected_mean = mean / (1 - beta1**step)` and the squares likewise, the step is `learning_rate * "
        "corrected_mean` divided by the root of the corrected squares plus epsilon, epsilon outside the root.",
    ),
    tolerance=SINGLE_PRECISION,
)


@exercise.reference
def adam_step(weights, gradient, mean, squares, step, learning_rate, beta1=0.9, beta2=0.999, epsilon=1e-8):
    mean = beta1 * mean + (1 - beta1) * gradient
    squares = beta2 * squares + (1 - beta2) * gradient**2
    corrected_mean = mean / (1 - beta1**step)
    corrected_squares = squares / (1 - beta2**step)
    return weights - learning_rate * corrected_mean / (np.sqrt(corrected_squares) + epsilon), mean, squares


first = {
    "weights": np.array([1.0, -2.0]),
    "gradient": np.array([4.0, -3.0]),
    "mean": np.zeros(2),
    "squares": np.zeros(2),
    "step": 1,
}
exercise.case("early steps", **first, learning_rate=0.1)
exercise.case("early steps", **first, learning_rate=0.5, beta1=0.5, beta2=0.75)
later = {
    "weights": np.array([1.0, 1.0, -1.0]),
    "gradient": np.array([2.0, -1.0, 3.0]),
    "mean": np.array([0.5, 1.0, -1.0]),
    "squares": np.array([2.0, 0.5, 3.0]),
}
exercise.case("early steps", **later, step=2, learning_rate=0.1, beta1=0.5, beta2=0.75)
exercise.case("early steps", **later, step=5, learning_rate=0.5, beta1=0.8, beta2=0.9)
exercise.case("early steps", **later, step=3, learning_rate=0.1)
exercise.case("early steps", **later, step=50, learning_rate=0.5)
# So late that nothing is left to correct: this aspect and the shapes hold without the correction too.
exercise.case("late steps", **later, step=10_000, learning_rate=0.5, beta1=0.5, beta2=0.75)
exercise.case("late steps", **later, step=30_000, learning_rate=0.1)
# A weight that never had a slope: without epsilon it would become NaN.
still = first | {"gradient": np.array([0.0, 3.0])}
exercise.case("epsilon", **still, learning_rate=0.5, beta1=0.5, beta2=0.75)
# An epsilon that counts: under the root, or before the correction, it would do something else.
exercise.case("epsilon", **later, step=2, learning_rate=0.5, beta1=0.5, beta2=0.75, epsilon=0.5)
# Next to nothing is not nothing: however small a slope is, the first step has the size of the learning rate.
nearly_still = first | {"gradient": np.array([2e-6, -3.0])}
exercise.case("epsilon", **nearly_still, learning_rate=0.5, beta1=0.5, beta2=0.75)
exercise.case(
    "any shape",
    weights=np.array(2.0),
    gradient=np.array(-3.0),
    mean=np.array(1.0),
    squares=np.array(7.0),
    step=400,
    learning_rate=0.5,
    beta1=0.6,
    beta2=0.8,
)
# One entry is NaN, and says so; the others go on.
exercise.case(
    "any shape",
    weights=np.array([[1.0, 2.0, 3.0], [4.0, 5.0, 6.0]]),
    gradient=np.array([[1.0, -1.0, np.nan], [0.5, 3.0, -2.0]]),
    mean=np.array([[0.5, 1.0, -1.0], [2.0, -2.0, 0.0]]),
    squares=np.array([[3.0, 1.0, 5.0], [2.0, 16.0, 0.5]]),
    step=300,
    learning_rate=0.5,
    beta1=0.6,
    beta2=0.8,
)


def one_step(rng, shape, step, **settings):
    return {
        "weights": np.array(rng.normal(size=shape)),
        "gradient": gradients(rng, shape),
        "mean": np.array(rng.uniform(-2, 2, shape)),
        "squares": squared(rng, shape),
        "step": step,
        "learning_rate": float(rng.uniform(0.1, 0.5)),
        "beta1": float(rng.uniform(0.5, 0.7)),
        "beta2": float(rng.uniform(0.75, 0.9)),
        **settings,
    }


@exercise.hidden("early steps", count=3)
def first_step(rng):
    return one_step(rng, (4,), 1) | {"mean": np.zeros(4), "squares": np.zeros(4)}


@exercise.hidden("early steps", count=5)
def early_step(rng):
    return one_step(rng, (5,), int(rng.integers(2, 8)))


@exercise.hidden("late steps", count=3)
def late_step(rng):
    return one_step(rng, (5,), int(rng.integers(300, 9000)))


@exercise.hidden("epsilon", count=3)
def step_with_a_large_epsilon(rng):
    return one_step(rng, (4,), int(rng.integers(2, 6)), epsilon=float(rng.uniform(0.3, 2)))


@exercise.hidden("any shape", count=4)
def step_of_any_shape(rng):
    return one_step(rng, any_shape(rng), int(rng.integers(300, 9000)))


exercise.slip(
    "You correct nothing. Both averages start at 0 and are too small at first, the mean by one factor, the root by "
    "another, so the first steps have the wrong size.",
    name="no_correction",
    right="corrected_mean / (np.sqrt(corrected_squares) + epsilon)",
    wrong="mean / (np.sqrt(squares) + epsilon)",
)
exercise.slip(
    "You correct the squares and not the mean, so the first steps are too short: the mean starts at 0 as well.",
    name="mean_not_corrected",
    right="learning_rate * corrected_mean",
    wrong="learning_rate * mean",
)
exercise.slip(
    "You correct the mean and not the squares, so the first steps are far too long: what you divide by is still close "
    "to its start, 0.",
    name="squares_not_corrected",
    right="np.sqrt(corrected_squares)",
    wrong="np.sqrt(squares)",
)


@exercise.mistake(
    "Your correction counts one step too few, and divides by 0 at the first. `step` is 1 there, so it is the exponent "
    "as it is."
)
def exponent_one_too_small(weights, gradient, mean, squares, step, learning_rate, beta1=0.9, beta2=0.999, epsilon=1e-8):
    mean = beta1 * mean + (1 - beta1) * gradient
    squares = beta2 * squares + (1 - beta2) * gradient**2
    corrected_mean = mean / np.float64(1 - beta1 ** (step - 1))
    corrected_squares = squares / np.float64(1 - beta2 ** (step - 1))
    return weights - learning_rate * corrected_mean / (np.sqrt(corrected_squares) + epsilon), mean, squares


@exercise.mistake(
    "Your correction counts one step too many. `step` counts from 1 already, so it is the exponent as it is."
)
def exponent_one_too_large(weights, gradient, mean, squares, step, learning_rate, beta1=0.9, beta2=0.999, epsilon=1e-8):
    mean = beta1 * mean + (1 - beta1) * gradient
    squares = beta2 * squares + (1 - beta2) * gradient**2
    corrected_mean = mean / (1 - beta1 ** (step + 1))
    corrected_squares = squares / (1 - beta2 ** (step + 1))
    return weights - learning_rate * corrected_mean / (np.sqrt(corrected_squares) + epsilon), mean, squares


@exercise.mistake(
    "You divide by 1 - beta at every step, as if each were the first. The correction fades out: beta is raised to the "
    "power of `step`."
)
def correction_never_fades(weights, gradient, mean, squares, step, learning_rate, beta1=0.9, beta2=0.999, epsilon=1e-8):
    mean = beta1 * mean + (1 - beta1) * gradient
    squares = beta2 * squares + (1 - beta2) * gradient**2
    corrected_mean = mean / (1 - beta1)
    corrected_squares = squares / (1 - beta2)
    return weights - learning_rate * corrected_mean / (np.sqrt(corrected_squares) + epsilon), mean, squares


exercise.slip(
    "Your weights are right, but the averages that you return are the corrected ones. Corrected again in the next "
    "step, they would grow: return them as they are.",
    name="correction_carried_on",
    right="epsilon), mean, squares",
    wrong="epsilon), corrected_mean, corrected_squares",
)
exercise.slip(
    "Your epsilon stands under the root. Adam adds it to the root, after it is taken. The default is so small that "
    "only a larger one shows the difference.",
    name="epsilon_under_the_root",
    right="np.sqrt(corrected_squares) + epsilon",
    wrong="np.sqrt(corrected_squares + epsilon)",
)
exercise.slip(
    "Your epsilon is added before the squares are corrected, so the correction enlarges it too. (The paper's shorter "
    "form does that, and says that it is another epsilon.) Correct, take the root, then add it.",
    name="epsilon_corrected_too",
    right="(np.sqrt(corrected_squares) + epsilon)",
    wrong="((np.sqrt(squares) + epsilon) / np.sqrt(1 - beta2**step))",
)
exercise.slip(
    "A weight that never had a slope becomes NaN: 0 / 0. That is what epsilon is for; add it to the root.",
    name="epsilon_left_out",
    right="(np.sqrt(corrected_squares) + epsilon)",
    wrong="np.sqrt(corrected_squares)",
)
exercise.slip(
    "Your epsilon is fixed at 1e-8. That is only the default; use the parameter.",
    name="epsilon_fixed",
    right="np.sqrt(corrected_squares) + epsilon",
    wrong="np.sqrt(corrected_squares) + 1e-8",
)
exercise.slip(
    "You divide by the corrected squares themselves. With their root, the first step has the size of the learning "
    "rate, whatever the gradient.",
    name="root_left_out",
    right="np.sqrt(corrected_squares)",
    wrong="corrected_squares",
)
exercise.slip(
    "Your step follows this gradient alone. That is RMSprop, corrected; Adam follows the corrected mean.",
    name="gradient_in_place_of_the_mean",
    right="learning_rate * corrected_mean",
    wrong="learning_rate * gradient",
)


@exercise.mistake(
    "Your two betas are swapped. beta1 belongs to the mean and forgets quickly, beta2 to the squares and forgets "
    "slowly."
)
def betas_swapped(weights, gradient, mean, squares, step, learning_rate, beta1=0.9, beta2=0.999, epsilon=1e-8):
    mean = beta2 * mean + (1 - beta2) * gradient
    squares = beta1 * squares + (1 - beta1) * gradient**2
    corrected_mean = mean / (1 - beta2**step)
    corrected_squares = squares / (1 - beta1**step)
    return weights - learning_rate * corrected_mean / (np.sqrt(corrected_squares) + epsilon), mean, squares


@exercise.mistake("Your two betas are fixed at 0.9 and 0.999. These are only the defaults; use the parameters.")
def betas_fixed(weights, gradient, mean, squares, step, learning_rate, beta1=0.9, beta2=0.999, epsilon=1e-8):
    mean = 0.9 * mean + 0.1 * gradient
    squares = 0.999 * squares + 0.001 * gradient**2
    corrected_mean = mean / (1 - 0.9**step)
    corrected_squares = squares / (1 - 0.999**step)
    return weights - learning_rate * corrected_mean / (np.sqrt(corrected_squares) + epsilon), mean, squares


exercise.slip(
    "Your average of squares is corrected with beta1. It was made with beta2, so its weights add up to "
    "1 - beta2**step.",
    name="one_beta_corrects_both",
    right="squares / (1 - beta2**step)",
    wrong="squares / (1 - beta1**step)",
)
exercise.slip(
    "The gradient goes into your mean whole, so the mean is many times too large. It counts with the weight 1 - beta1.",
    name="whole_gradient_added",
    right="(1 - beta1) * gradient\n",
    wrong="gradient\n",
)
exercise.slip(
    "The square goes into your average whole, so the steps are far too small. It counts with the weight 1 - beta2.",
    name="whole_square_added",
    right="(1 - beta2) * gradient**2",
    wrong="gradient**2",
)
exercise.slip(
    "You average the square of the new mean. The squares are those of the gradient: where it keeps changing its sign "
    "the mean is small and the squares are not, and the step should be short.",
    name="mean_squared",
    right="gradient**2",
    wrong="mean**2",
)
exercise.slip(
    "Your second average takes in the gradient and not its square, so it may be negative, and its root NaN.",
    name="gradient_not_squared",
    right="gradient**2",
    wrong="gradient",
)
exercise.slip(
    "Your weights walk uphill. They go against the corrected mean.",
    name="climbs",
    right="weights - learning_rate",
    wrong="weights + learning_rate",
)
exercise.slip(
    "Your two averages come back in the wrong order: the weights first, then the mean, then the squares.",
    name="averages_swapped",
    right="epsilon), mean, squares",
    wrong="epsilon), squares, mean",
)
exercise.slip(
    "These are the weights only. The next step needs both averages as well: return all three.",
    name="averages_not_returned",
    right="epsilon), mean, squares",
    wrong="epsilon)",
)


@exercise.mistake(
    "The numbers are right, but `*=` and `+=` write into the two averages, which belong to whoever calls you. Make new "
    "arrays."
)
def in_place(weights, gradient, mean, squares, step, learning_rate, beta1=0.9, beta2=0.999, epsilon=1e-8):
    mean *= beta1
    mean += (1 - beta1) * gradient
    squares *= beta2
    squares += (1 - beta2) * gradient**2
    corrected = np.sqrt(squares / (1 - beta2**step)) + epsilon
    return weights - learning_rate * mean / (1 - beta1**step) / corrected, mean, squares


@exercise.alternative
def with_the_correction_in_the_rate(
    weights, gradient, mean, squares, step, learning_rate, beta1=0.9, beta2=0.999, epsilon=1e-8
):
    mean = mean + (1 - beta1) * (gradient - mean)
    squares = squares + (1 - beta2) * (gradient * gradient - squares)
    root_of_weight = np.sqrt(1 - beta2**step)
    rate = learning_rate * root_of_weight / (1 - beta1**step)
    return [weights - rate * mean / (squares**0.5 + epsilon * root_of_weight), mean, squares]


@exercise.alternative
def entry_by_entry(weights, gradient, mean, squares, step, learning_rate, beta1=0.9, beta2=0.999, epsilon=1e-8):
    new_weights, new_mean, new_squares = (np.zeros(weights.shape) for _ in range(3))
    for place in np.ndindex(weights.shape):
        new_mean[place] = beta1 * mean[place] + (1 - beta1) * gradient[place]
        new_squares[place] = beta2 * squares[place] + (1 - beta2) * gradient[place] ** 2
        length = np.sqrt(new_squares[place] / (1 - beta2**step)) + epsilon
        new_weights[place] = weights[place] - learning_rate * new_mean[place] / (1 - beta1**step) / length
    return new_weights, new_mean, new_squares


@exercise.alternative
def in_single_precision(weights, gradient, mean, squares, step, learning_rate, beta1=0.9, beta2=0.999, epsilon=1e-8):
    weights, gradient, mean, squares = (array.astype(np.float32) for array in (weights, gradient, mean, squares))
    mean = beta1 * mean + (1 - beta1) * gradient
    squares = beta2 * squares + (1 - beta2) * gradient**2
    size = np.sqrt(squares / (1 - beta2**step)) + epsilon
    return weights - learning_rate * (mean / (1 - beta1**step)) / size, mean, squares
