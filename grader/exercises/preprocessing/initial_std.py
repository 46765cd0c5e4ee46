"""The exercise `initial_std`."""

import numpy as np
import torch
from torch import nn

from grader.exercises.preprocessing.common import SINGLE_PRECISION, chapter

exercise = chapter.exercise(
    "initial_std",
    points=2,
    aspects={"tanh": 1, "relu": 1, "leaky_relu": 1, "which activation": 1},
    hints=(
        "One `if … return …` for each activation is enough. Which of the two fans does each of the three formulas use?",
        "`np.sqrt(2 / fan_in)` is He's. Glorot's has the sum of both fans in its place, and for leaky ReLU the fan_in "
        "is multiplied by 1 + slope².",
        "Behind the three `if` stands what is left: an activation that is none of them. End with "
        "`raise ValueError(...)`, and name it there.",
    ),
    tolerance=SINGLE_PRECISION,
)


@exercise.reference
def initial_std(fan_in, fan_out, activation, slope=0.01):
    if activation == "tanh":
        return float(np.sqrt(2 / (fan_in + fan_out)))
    if activation == "relu":
        return float(np.sqrt(2 / fan_in))
    if activation == "leaky_relu":
        return float(np.sqrt(2 / ((1 + slope**2) * fan_in)))
    raise ValueError(f"no formula for the activation {activation!r}: choose 'tanh', 'relu' or 'leaky_relu'")


exercise.case("tanh", fan_in=3, fan_out=5, activation="tanh")
exercise.case("tanh", fan_in=300, fan_out=20, activation="tanh")
exercise.case("relu", fan_in=50, fan_out=100, activation="relu")
exercise.case("relu", fan_in=128, fan_out=10, activation="relu")
exercise.case("leaky_relu", fan_in=20, fan_out=40, activation="leaky_relu", slope=0.5)
exercise.case("leaky_relu", fan_in=64, fan_out=32, activation="leaky_relu", slope=0.2)
# Slope 1 is no bend at all, slope 0 is ReLU, and the usual slope of 0.01 is nearly that.
exercise.case("leaky_relu", fan_in=100, fan_out=7, activation="leaky_relu", slope=1.0)
exercise.case("leaky_relu", fan_in=50, fan_out=7, activation="leaky_relu")
exercise.case("which activation", fan_in=50, fan_out=14, activation="relu", slope=0.5)
exercise.case("which activation", fan_in=50, fan_out=14, activation="tanh", slope=0.5)
exercise.case("which activation", fan_in=50, fan_out=14, activation="leaky_relu", slope=0.5)
exercise.case("which activation", fan_in=50, fan_out=14, activation="sine")
exercise.case("which activation", fan_in=50, fan_out=14, activation="sigmoid")
exercise.case("which activation", fan_in=50, fan_out=14, activation="linear")
# One spelling each: what is nearly a known name is not known.
exercise.case("which activation", fan_in=50, fan_out=14, activation="prelu")
exercise.case("which activation", fan_in=50, fan_out=14, activation="Tanh")
exercise.case("which activation", fan_in=50, fan_out=14, activation="ReLU")


def draw_layer(rng, activation):
    fan_in, fan_out = (int(fan) for fan in rng.integers(2, 1000, 2))
    return {"fan_in": fan_in, "fan_out": fan_out, "activation": activation, "slope": float(rng.uniform(0.1, 0.9))}


@exercise.hidden("tanh", count=3)
def before_tanh(rng):
    return draw_layer(rng, "tanh")


@exercise.hidden("relu", count=3)
def before_relu(rng):
    return draw_layer(rng, "relu")


@exercise.hidden("leaky_relu", count=4)
def before_leaky_relu(rng):
    return draw_layer(rng, "leaky_relu")


@exercise.hidden("which activation", count=3)
def before_any(rng):
    return draw_layer(rng, str(rng.choice(["tanh", "relu", "leaky_relu", "step"])))


@exercise.mistake(
    "You return variances. The standard deviation is their square root, and it is what a random generator takes as its "
    "scale."
)
def variance_returned(fan_in, fan_out, activation, slope=0.01):
    if activation == "tanh":
        return 2 / (fan_in + fan_out)
    if activation == "relu":
        return 2 / fan_in
    if activation == "leaky_relu":
        return 2 / ((1 + slope**2) * fan_in)
    raise ValueError(f"no formula for {activation!r}")


@exercise.mistake(
    "For ReLU and leaky ReLU you divide by the number of units. What adds up in one unit are its inputs: fan_in."
)
def fan_out_in_place_of_fan_in(fan_in, fan_out, activation, slope=0.01):
    if activation == "tanh":
        return float(np.sqrt(2 / (fan_in + fan_out)))
    if activation == "relu":
        return float(np.sqrt(2 / fan_out))
    if activation == "leaky_relu":
        return float(np.sqrt(2 / ((1 + slope**2) * fan_out)))
    raise ValueError(f"no formula for {activation!r}")


exercise.slip(
    "You use He's formula for tanh too. The factor 2 makes up for the half that a ReLU sets to 0; tanh sets nothing "
    "to 0, and Glorot's formula looks at both fans.",
    name="he_for_tanh",
    right="2 / (fan_in + fan_out)",
    wrong="2 / fan_in",
)


@exercise.mistake(
    "You use Glorot's formula for every activation. ReLU sets half of the signal to 0, so that it fades from layer to "
    "layer; He's formula makes up for that."
)
def glorot_for_all(fan_in, fan_out, activation, slope=0.01):
    if activation not in ("tanh", "relu", "leaky_relu"):
        raise ValueError(f"no formula for {activation!r}")
    return float(np.sqrt(2 / (fan_in + fan_out)))


exercise.slip(
    "For tanh you have the limits of a uniform distribution, ± the root of 6 / (fan_in + fan_out). Its standard "
    "deviation is smaller by the root of 3; that is asked for.",
    name="limit_of_the_uniform",
    right="np.sqrt(2 / (fan_in + fan_out))",
    wrong="np.sqrt(6 / (fan_in + fan_out))",
)
exercise.slip(
    "For tanh the 2 is missing: the variance is 1 divided by the mean of the two fans, which is half of their sum.",
    name="sum_taken_for_mean",
    right="2 / (fan_in + fan_out)",
    wrong="1 / (fan_in + fan_out)",
)
exercise.slip(
    "For ReLU the 2 is missing. Only half of the signal passes a ReLU, and the 2 makes up for it.",
    name="half_not_made_up_for",
    right="np.sqrt(2 / fan_in)",
    wrong="np.sqrt(1 / fan_in)",
)
exercise.slip(
    "For tanh you multiply by 5/3, as torch's `calculate_gain` suggests. Glorot's own formula, which is asked for, has "
    "no such factor.",
    name="with_torchs_gain",
    right="float(np.sqrt(2 / (fan_in + fan_out)))",
    wrong="float(5 / 3 * np.sqrt(2 / (fan_in + fan_out)))",
)
exercise.slip(
    "Your slope is not squared. A slope multiplies the signal, and the variance by its square.",
    name="slope_not_squared",
    right="slope**2",
    wrong="slope",
)
exercise.slip(
    "You treat leaky ReLU as ReLU. With a slope of 0.01 hardly anyone notices; with 0.5 more of the signal passes, so "
    "the weights have to be smaller.",
    name="leak_forgotten",
    right="(1 + slope**2) * fan_in",
    wrong="fan_in",
)
exercise.slip(
    "For an activation that you do not know you return a number all the same, and nobody will learn why the network "
    "does not train. Refuse it, and name it.",
    name="any_activation_is_relu",
    right='if activation == "relu":',
    wrong='if activation != "leaky_relu":',
)


exercise.slip(
    "What is neither tanh nor ReLU is leaky ReLU for you. Ask for its name as well, so that an activation that you do "
    "not know is refused.",
    name="any_activation_is_leaky",
    right='if activation == "leaky_relu":',
    wrong="if activation:",
)


exercise.slip(
    "For tanh you use LeCun's 1 / fan_in, which looks at the way up alone. Glorot's takes the middle of both ways.",
    name="lecun_for_tanh",
    right="2 / (fan_in + fan_out)",
    wrong="1 / fan_in",
)
exercise.slip(
    "For ReLU you divide by the number of units. What adds up in one unit are its inputs: fan_in.",
    name="fan_out_for_relu",
    right="np.sqrt(2 / fan_in)",
    wrong="np.sqrt(2 / fan_out)",
)


@exercise.mistake(
    "For an activation that is not in your dict you raise a KeyError. Asked for is a ValueError: it tells the caller "
    "that the value is wrong, and which ones are right."
)
def key_error(fan_in, fan_out, activation, slope=0.01):
    return {
        "tanh": float(np.sqrt(2 / (fan_in + fan_out))),
        "relu": float(np.sqrt(2 / fan_in)),
        "leaky_relu": float(np.sqrt(2 / ((1 + slope**2) * fan_in))),
    }[activation]


@exercise.alternative
def from_a_table(fan_in, fan_out, activation, slope=0.01):
    fans = {"tanh": (fan_in + fan_out) / 2, "relu": fan_in / 2, "leaky_relu": fan_in * (1 + slope * slope) / 2}
    if activation not in fans:
        raise ValueError(f"{activation} is not one of {list(fans)}")
    return fans[activation] ** -0.5


@exercise.alternative
def with_torchs_gains(fan_in, fan_out, activation, slope=0.01):
    if activation == "tanh":
        return torch.tensor((fan_in + fan_out) / 2).rsqrt().item()
    if activation not in ("relu", "leaky_relu"):
        raise ValueError(f"torch may know {activation}, the text does not")
    gain = nn.init.calculate_gain(activation, slope)
    return np.float32(gain / fan_in**0.5)
