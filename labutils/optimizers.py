"""Optimizers to be watched on a surface, in the form that torch.optim gives them; in numpy, without torch.

Each rule is a generator: it yields the weights, is sent their gradient, and yields the weights after the step. What it
remembers between steps stands in its local variables, which begin at 0. ε is added where torch adds it: outside the
square root, but inside for Adadelta. It is torch's `eps`; β is torch's `rho` for Adadelta and its `alpha` for RMSprop.
"""

import math
from collections.abc import Callable, Generator
from dataclasses import dataclass
from inspect import signature
from itertools import count

import numpy as np

Rule = Generator[np.ndarray, np.ndarray, None]


def sgd(w: np.ndarray, learning_rate: float) -> Rule:
    """Gradient descent. Every step has the gradient that it is given, of all examples or of a few."""
    while True:
        g = yield w
        w = w - learning_rate * g


def momentum(w: np.ndarray, learning_rate: float, momentum: float = 0.9) -> Rule:
    """Polyak (1964). The learning rate multiplies the whole velocity v, as in torch."""
    v = 0
    while True:
        g = yield w
        v = momentum * v + g
        w = w - learning_rate * v


def nesterov(w: np.ndarray, learning_rate: float, momentum: float = 0.9) -> Rule:
    """Nesterov (1983) in the form of Sutskever et al. (2013), shifted: w is the point looked ahead to, as in torch."""
    v = 0
    while True:
        g = yield w
        v = momentum * v + g
        w = w - learning_rate * (g + momentum * v)


def adagrad(w: np.ndarray, learning_rate: float, epsilon: float = 1e-10) -> Rule:
    """Duchi, Hazan and Singer (2011). The sum s of squared gradients only grows: the rate of each weight dies away."""
    s = 0
    while True:
        g = yield w
        s = s + g * g
        w = w - learning_rate * g / (np.sqrt(s) + epsilon)


def adadelta(w: np.ndarray, learning_rate: float, beta: float = 0.9, epsilon: float = 1e-6) -> Rule:
    """Zeiler (2012), who has no learning rate: his form is learning_rate = 1. The averages are of g² and of steps²."""
    squares = steps = 0
    while True:
        g = yield w
        squares = beta * squares + (1 - beta) * g * g
        step = g * np.sqrt((steps + epsilon) / (squares + epsilon))
        steps = beta * steps + (1 - beta) * step * step
        w = w - learning_rate * step


def rmsprop(w: np.ndarray, learning_rate: float, beta: float = 0.99, epsilon: float = 1e-8) -> Rule:
    """Tieleman and Hinton (2012), lecture 6.5. The average of g² begins at 0 and is not corrected."""
    squares = 0
    while True:
        g = yield w
        squares = beta * squares + (1 - beta) * g * g
        w = w - learning_rate * g / (np.sqrt(squares) + epsilon)


def adam(w: np.ndarray, learning_rate: float, beta1: float = 0.9, beta2: float = 0.999, epsilon: float = 1e-8) -> Rule:
    """Kingma and Ba (2015). Both averages are divided by 1 - βᵗ, their bias after t steps."""
    yield from adamw(w, learning_rate, beta1, beta2, epsilon, weight_decay=0)


def adamw(
    w: np.ndarray,
    learning_rate: float,
    beta1: float = 0.9,
    beta2: float = 0.999,
    epsilon: float = 1e-8,
    weight_decay: float = 0.01,
) -> Rule:
    """Loshchilov and Hutter (2019). Weights decay beside Adam's step, by learning_rate · weight_decay."""
    m = v = 0
    for t in count(1):
        g = yield w
        m = beta1 * m + (1 - beta1) * g
        v = beta2 * v + (1 - beta2) * g * g
        step = m / (1 - beta1**t) / (np.sqrt(v / (1 - beta2**t)) + epsilon)
        w = w - learning_rate * (step + weight_decay * w)


@dataclass(frozen=True)
class Optimizer:
    """A rule with its title, a learning rate to start from, and the range of rates that is worth trying.

    These rates suit two weights of size 1, for which torch's defaults, made for networks, are mostly far too small.
    """

    title: str
    rule: Callable[..., Rule]
    learning_rate: float
    rates: tuple[float, float] = (1e-3, 3.0)

    @property
    def settings(self) -> dict[str, float]:
        """What may be set besides the learning rate, with the defaults, which are torch's."""
        return {name: part.default for name, part in list(signature(self.rule).parameters.items())[2:]}


OPTIMIZERS = {
    "sgd": Optimizer("SGD", sgd, 0.05),
    "momentum": Optimizer("Momentum", momentum, 0.02),
    "nesterov": Optimizer("Nesterov", nesterov, 0.02),
    "adagrad": Optimizer("Adagrad", adagrad, 0.5),
    "adadelta": Optimizer("Adadelta", adadelta, 10.0, rates=(0.1, 300.0)),
    "rmsprop": Optimizer("RMSprop", rmsprop, 0.02),
    "adam": Optimizer("Adam", adam, 0.2),
    "adamw": Optimizer("AdamW", adamw, 0.2),
}


def trajectory(
    optimizer: str,
    gradient: Callable[[np.ndarray], np.ndarray],
    start: np.ndarray,
    steps: int,
    learning_rate: float | None = None,
    **settings: float,
) -> np.ndarray:
    """The weights before and after each of `steps` steps: float64, shape (steps + 1, *start.shape), the start first.

    optimizer: a name of `OPTIMIZERS`. gradient: of an array of the shape of `start`, which may be any. learning_rate:
    without it the one in `OPTIMIZERS`. settings: as the rule above names them, such as `momentum` or `beta1`.
    A path that diverges ends in infinities and NaN. Weight decay through the gradient, as torch.optim.Adam has it, is
    another gradient: `lambda w: gradient(w) + weight_decay * w`.
    """
    if optimizer not in OPTIMIZERS:
        raise ValueError(f"optimizer is {optimizer!r}, which is not known: choose one of {', '.join(OPTIMIZERS)}")
    chosen = OPTIMIZERS[optimizer]
    learning_rate = chosen.learning_rate if learning_rate is None else learning_rate
    if steps != int(steps) or steps < 0:
        raise ValueError(f"steps is {steps}: give a whole number from 0 on")
    if not (learning_rate >= 0 and math.isfinite(learning_rate)):
        raise ValueError(f"learning_rate is {learning_rate}: give a number from 0 on, such as {chosen.learning_rate}")
    for name, value in settings.items():
        _demand_sensible(optimizer, name, value)
    rule = chosen.rule(np.array(start, dtype=float), learning_rate, **settings)
    path = [next(rule)]
    with np.errstate(over="ignore", invalid="ignore"):
        for _ in range(int(steps)):
            path.append(rule.send(np.asarray(gradient(path[-1]), dtype=float)))
    return np.array(path)


def _demand_sensible(optimizer: str, name: str, value: float) -> None:
    known = OPTIMIZERS[optimizer].settings
    if name not in known:
        raise ValueError(f"{optimizer} has no setting {name!r}: it has {', '.join(known) or 'only the learning rate'}")
    if name in ("epsilon", "weight_decay"):
        if not (value >= 0 and math.isfinite(value)):
            raise ValueError(f"{name} is {value}: give a number from 0 on, such as {known[name]}")
    elif not 0 <= value < 1:
        raise ValueError(f"{name} is {value}, and it keeps that share of the past: give 0 or more, but less than 1")
