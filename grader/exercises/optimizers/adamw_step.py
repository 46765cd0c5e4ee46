"""The exercise `adamw_step`."""

import numpy as np
import torch

from grader.exercises.optimizers.common import SINGLE_PRECISION, any_shape, chapter, gradients, squared

exercise = chapter.exercise(
    "adamw_step",
    points=2,
    aspects={"Adam's step": 1, "the decay alone": 1, "both": 2},
    hints=(
        "It is `adam_step` with one line more. Where does it stand, and what does it leave alone?",
        "The decay is a share of the weights themselves. It touches neither the gradient nor the averages, and it is "
        "not divided by any root.",
        "Begin with `weights = weights - learning_rate * weight_decay * weights`, a new array. All that follows is "
        "Adam's, with these weights and the gradient as it was.",
    ),
    tolerance=SINGLE_PRECISION,
)


@exercise.reference
def adamw_step(
    weights,
    gradient,
    mean,
    squares,
    step,
    learning_rate,
    beta1=0.9,
    beta2=0.999,
    epsilon=1e-8,
    weight_decay=0.01,
):
    weights = weights - learning_rate * weight_decay * weights
    mean = beta1 * mean + (1 - beta1) * gradient
    squares = beta2 * squares + (1 - beta2) * gradient**2
    corrected_mean = mean / (1 - beta1**step)
    corrected_squares = squares / (1 - beta2**step)
    return weights - learning_rate * corrected_mean / (np.sqrt(corrected_squares) + epsilon), mean, squares


# No slope, and never was: the weights shrink, and nothing else happens.
still = {"gradient": np.zeros(3), "mean": np.zeros(3), "squares": np.zeros(3)}
exercise.case(
    "the decay alone", weights=np.array([1.0, 2.0, -3.0]), **still, step=1, learning_rate=0.5, weight_decay=0.2
)
exercise.case("the decay alone", weights=np.array([10.0, 20.0, -30.0]), **still, step=4, learning_rate=0.5)
later = {
    "weights": np.array([1.0, 2.0, -3.0]),
    "gradient": np.array([2.0, -1.0, 3.0]),
    "mean": np.array([0.5, 1.0, -1.0]),
    "squares": np.array([2.0, 0.5, 3.0]),
}
exercise.case("Adam's step", **later, step=2, learning_rate=0.1, beta1=0.5, beta2=0.75, weight_decay=0.0)
exercise.case("Adam's step", **later, step=3, learning_rate=0.5, beta1=0.8, beta2=0.9, epsilon=0.5, weight_decay=0.0)
exercise.case(
    "Adam's step",
    weights=np.array([1.0, -2.0]),
    gradient=np.array([4.0, -3.0]),
    mean=np.zeros(2),
    squares=np.zeros(2),
    step=1,
    learning_rate=0.5,
    weight_decay=0.0,
)
# Later there is still something to correct. And one entry is NaN, and says so; the others go on.
exercise.case(
    "Adam's step",
    weights=np.array([[1.0, 2.0], [4.0, -5.0]]),
    gradient=np.array([[1.0, np.nan], [0.5, 3.0]]),
    mean=np.array([[0.5, 1.0], [2.0, -2.0]]),
    squares=np.array([[3.0, 1.0], [2.0, 16.0]]),
    step=200,
    learning_rate=0.5,
    beta1=0.97,
    weight_decay=0.0,
)
exercise.case("both", **later, step=2, learning_rate=0.5, beta1=0.5, beta2=0.75, weight_decay=0.4)
exercise.case("both", **later, step=4, learning_rate=0.5)
exercise.case(
    "both",
    weights=np.array([1.0, -2.0]),
    gradient=np.array([4.0, -3.0]),
    mean=np.zeros(2),
    squares=np.zeros(2),
    step=1,
    learning_rate=0.5,
    beta1=0.5,
    beta2=0.75,
    weight_decay=0.4,
)
exercise.case(
    "both",
    weights=np.array(2.0),
    gradient=np.array(-3.0),
    mean=np.array(1.0),
    squares=np.array(7.0),
    step=4,
    learning_rate=0.5,
    beta1=0.6,
    beta2=0.8,
    weight_decay=0.3,
)
exercise.case(
    "both",
    weights=np.array([[1.0, 2.0], [4.0, -5.0], [-2.0, 3.0]]),
    gradient=np.array([[1.0, -1.0], [0.5, 3.0], [-2.0, 2.0]]),
    mean=np.array([[0.5, 1.0], [2.0, -2.0], [0.0, -1.0]]),
    squares=np.array([[3.0, 1.0], [2.0, 16.0], [0.5, 5.0]]),
    step=3,
    learning_rate=0.5,
    beta1=0.6,
    beta2=0.8,
    weight_decay=0.2,
)


def one_step(rng, shape, **settings):
    return {
        "weights": gradients(rng, shape),
        "gradient": gradients(rng, shape),
        "mean": np.array(rng.uniform(-2, 2, shape)),
        "squares": squared(rng, shape),
        "step": int(rng.integers(2, 8)),
        "learning_rate": float(rng.uniform(0.3, 0.6)),
        "beta1": float(rng.uniform(0.5, 0.7)),
        "beta2": float(rng.uniform(0.75, 0.9)),
        "weight_decay": float(rng.uniform(0.2, 0.5)),
        **settings,
    }


@exercise.hidden("Adam's step", count=3)
def step_without_decay(rng):
    return one_step(rng, (4,), weight_decay=0.0)


@exercise.hidden("the decay alone", count=3)
def decay_without_a_slope(rng):
    return one_step(rng, (4,)) | {"gradient": np.zeros(4), "mean": np.zeros(4), "squares": np.zeros(4)}


@exercise.hidden("both", count=5)
def step_of_any_shape(rng):
    return one_step(rng, any_shape(rng))


@exercise.mistake(
    "Your decay goes into the gradient, and with it into both averages. That is Adam with an L2 penalty: the decay is "
    "then divided by the root, so weights with large slopes hardly decay at all. Decoupled, it shrinks the weights "
    "directly."
)
def decay_in_the_gradient(
    weights,
    gradient,
    mean,
    squares,
    step,
    learning_rate,
    beta1=0.9,
    beta2=0.999,
    epsilon=1e-8,
    weight_decay=0.01,
):
    gradient = gradient + weight_decay * weights
    mean = beta1 * mean + (1 - beta1) * gradient
    squares = beta2 * squares + (1 - beta2) * gradient**2
    corrected_mean = mean / (1 - beta1**step)
    corrected_squares = squares / (1 - beta2**step)
    return weights - learning_rate * corrected_mean / (np.sqrt(corrected_squares) + epsilon), mean, squares


@exercise.mistake(
    "Your averages are clean, but the decay is still divided by the root, together with the corrected mean. Decoupled "
    "means that every weight loses the same share of itself, whatever its slopes were."
)
def decay_divided_by_the_root(
    weights,
    gradient,
    mean,
    squares,
    step,
    learning_rate,
    beta1=0.9,
    beta2=0.999,
    epsilon=1e-8,
    weight_decay=0.01,
):
    mean = beta1 * mean + (1 - beta1) * gradient
    squares = beta2 * squares + (1 - beta2) * gradient**2
    direction = mean / (1 - beta1**step) + weight_decay * weights
    return weights - learning_rate * direction / (np.sqrt(squares / (1 - beta2**step)) + epsilon), mean, squares


@exercise.mistake(
    "You decay twice: beside the step, as it should be, and also in the gradient, through which it comes into both "
    "averages and gets divided by the root. Leave the gradient as it is."
)
def decays_twice(
    weights,
    gradient,
    mean,
    squares,
    step,
    learning_rate,
    beta1=0.9,
    beta2=0.999,
    epsilon=1e-8,
    weight_decay=0.01,
):
    gradient = gradient + weight_decay * weights
    weights = weights - learning_rate * weight_decay * weights
    mean = beta1 * mean + (1 - beta1) * gradient
    squares = beta2 * squares + (1 - beta2) * gradient**2
    corrected_mean = mean / (1 - beta1**step)
    corrected_squares = squares / (1 - beta2**step)
    return weights - learning_rate * corrected_mean / (np.sqrt(corrected_squares) + epsilon), mean, squares


exercise.slip(
    "Your decay is fixed at 0.01. That is only the default; use the parameter.",
    name="decay_fixed",
    right="learning_rate * weight_decay * weights",
    wrong="learning_rate * 0.01 * weights",
)
exercise.slip(
    "Your decay does not know the learning rate: the share that goes is weight_decay itself. With a schedule, the "
    "decay should fall with the rate, so it is multiplied by it.",
    name="rate_left_out_of_the_decay",
    right="learning_rate * weight_decay * weights",
    wrong="weight_decay * weights",
)


@exercise.mistake(
    "You shrink the weights after Adam's step, and so shrink the step as well. Let the weights decay first, as they "
    "were given, then make the step."
)
def decays_after_the_step(
    weights,
    gradient,
    mean,
    squares,
    step,
    learning_rate,
    beta1=0.9,
    beta2=0.999,
    epsilon=1e-8,
    weight_decay=0.01,
):
    mean = beta1 * mean + (1 - beta1) * gradient
    squares = beta2 * squares + (1 - beta2) * gradient**2
    length = np.sqrt(squares / (1 - beta2**step)) + epsilon
    weights = weights - learning_rate * mean / (1 - beta1**step) / length
    return weights - learning_rate * weight_decay * weights, mean, squares


exercise.slip(
    "Nothing decays: this is Adam. The weights should also lose the share learning_rate * weight_decay of themselves.",
    name="no_decay",
    right="weights - learning_rate * weight_decay * weights",
    wrong="weights",
)
exercise.slip(
    "Your weights grow: the decay is added. It is taken off, so that every weight comes nearer to 0.",
    name="grows",
    right="weights - learning_rate * weight_decay",
    wrong="weights + learning_rate * weight_decay",
)
exercise.slip(
    "Your decay takes the same amount off every weight, whatever its size: the factor `weights` is missing.",
    name="same_amount_off_each",
    right="learning_rate * weight_decay * weights",
    wrong="learning_rate * weight_decay",
)
exercise.slip(
    "Your decay pulls by the sign of each weight, which is an L1 penalty. Here it is a share of the weight.",
    name="decay_of_the_sign",
    right="learning_rate * weight_decay * weights",
    wrong="learning_rate * weight_decay * np.sign(weights)",
)
exercise.slip(
    "Only the decay arrives in your result: Adam's step is missing.",
    name="decay_only",
    right="return weights - learning_rate * corrected_mean / (np.sqrt(corrected_squares) + epsilon)",
    wrong="return weights",
)
exercise.slip(
    "Your decay is right, but nothing is corrected: both averages start at 0 and are too small at first.",
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
def exponent_one_too_small(
    weights,
    gradient,
    mean,
    squares,
    step,
    learning_rate,
    beta1=0.9,
    beta2=0.999,
    epsilon=1e-8,
    weight_decay=0.01,
):
    weights = weights - learning_rate * weight_decay * weights
    mean = beta1 * mean + (1 - beta1) * gradient
    squares = beta2 * squares + (1 - beta2) * gradient**2
    corrected_mean = mean / np.float64(1 - beta1 ** (step - 1))
    corrected_squares = squares / np.float64(1 - beta2 ** (step - 1))
    return weights - learning_rate * corrected_mean / (np.sqrt(corrected_squares) + epsilon), mean, squares


@exercise.mistake("Your two betas are fixed at 0.9 and 0.999. These are only the defaults; use the parameters.")
def betas_fixed(
    weights,
    gradient,
    mean,
    squares,
    step,
    learning_rate,
    beta1=0.9,
    beta2=0.999,
    epsilon=1e-8,
    weight_decay=0.01,
):
    weights = weights - learning_rate * weight_decay * weights
    mean = 0.9 * mean + 0.1 * gradient
    squares = 0.999 * squares + 0.001 * gradient**2
    corrected_mean = mean / (1 - 0.9**step)
    corrected_squares = squares / (1 - 0.999**step)
    return weights - learning_rate * corrected_mean / (np.sqrt(corrected_squares) + epsilon), mean, squares


exercise.slip(
    "Your epsilon is fixed at 1e-8. That is only the default; use the parameter.",
    name="epsilon_fixed",
    right="np.sqrt(corrected_squares) + epsilon",
    wrong="np.sqrt(corrected_squares) + 1e-8",
)
exercise.slip(
    "Your epsilon stands under the root. It is added to the root, after it is taken.",
    name="epsilon_under_the_root",
    right="np.sqrt(corrected_squares) + epsilon",
    wrong="np.sqrt(corrected_squares + epsilon)",
)
exercise.slip(
    "Where no weight ever had a slope, 0 / 0 makes it NaN, and the decay with it. Epsilon stands against that.",
    name="epsilon_left_out",
    right="(np.sqrt(corrected_squares) + epsilon)",
    wrong="np.sqrt(corrected_squares)",
)
exercise.slip(
    "Your weights are right, but the averages that you return are the corrected ones. Return them as they are.",
    name="correction_carried_on",
    right="epsilon), mean, squares",
    wrong="epsilon), corrected_mean, corrected_squares",
)
exercise.slip(
    "These are the weights only. The next step needs both averages as well: return all three.",
    name="averages_not_returned",
    right="epsilon), mean, squares",
    wrong="epsilon)",
)


@exercise.mistake(
    "The numbers are right, but your decay writes into `weights` itself: `*=` and `-=` change the array that was given "
    "to you. Make a new one."
)
def decays_in_place(
    weights,
    gradient,
    mean,
    squares,
    step,
    learning_rate,
    beta1=0.9,
    beta2=0.999,
    epsilon=1e-8,
    weight_decay=0.01,
):
    weights *= 1 - learning_rate * weight_decay
    mean = beta1 * mean + (1 - beta1) * gradient
    squares = beta2 * squares + (1 - beta2) * gradient**2
    length = np.sqrt(squares / (1 - beta2**step)) + epsilon
    return weights - learning_rate * mean / (1 - beta1**step) / length, mean, squares


@exercise.alternative
def everything_in_one_step(
    weights,
    gradient,
    mean,
    squares,
    step,
    learning_rate,
    beta1=0.9,
    beta2=0.999,
    epsilon=1e-8,
    weight_decay=0.01,
):
    mean = mean - (1 - beta1) * (mean - gradient)
    squares = squares - (1 - beta2) * (squares - np.square(gradient))
    adam = (mean / (1 - beta1**step)) / ((squares / (1 - beta2**step)) ** 0.5 + epsilon)
    return [weights - learning_rate * (weight_decay * weights + adam), mean, squares]


@exercise.alternative
def entry_by_entry(
    weights,
    gradient,
    mean,
    squares,
    step,
    learning_rate,
    beta1=0.9,
    beta2=0.999,
    epsilon=1e-8,
    weight_decay=0.01,
):
    new_weights, new_mean, new_squares = (np.zeros(weights.shape) for _ in range(3))
    for place in np.ndindex(weights.shape):
        new_mean[place] = beta1 * mean[place] + (1 - beta1) * gradient[place]
        new_squares[place] = beta2 * squares[place] + (1 - beta2) * gradient[place] ** 2
        length = np.sqrt(new_squares[place] / (1 - beta2**step)) + epsilon
        kept = (1 - learning_rate * weight_decay) * weights[place]
        new_weights[place] = kept - learning_rate * new_mean[place] / (1 - beta1**step) / length
    return new_weights, new_mean, new_squares


@exercise.alternative
def with_torch_in_single_precision(
    weights,
    gradient,
    mean,
    squares,
    step,
    learning_rate,
    beta1=0.9,
    beta2=0.999,
    epsilon=1e-8,
    weight_decay=0.01,
):
    weights, gradient, mean, squares = (
        torch.tensor(array, dtype=torch.float32) for array in (weights, gradient, mean, squares)
    )
    mean = beta1 * mean + (1 - beta1) * gradient
    squares = beta2 * squares + (1 - beta2) * gradient.square()
    adam = mean / (1 - beta1**step) / ((squares / (1 - beta2**step)).sqrt() + epsilon)
    weights = weights * (1 - learning_rate * weight_decay) - learning_rate * adam
    return weights.numpy(), mean.numpy(), squares.numpy()
