"""The exercise `dropout_backward`."""

import numpy as np

from grader.exercises.regularization.common import SINGLE_PRECISION, chapter, numbers

exercise = chapter.exercise(
    "dropout_backward",
    points=2,
    aspects={"training": 2, "evaluation": 1, "rate 0 and rate 1": 1},
    hints=(
        "Dropout multiplies each activation by a number that does not depend on it. Which two numbers occur, and what "
        "is the derivative of such a product?",
        "Make an array of these factors first: 0 where the draw is below the rate, else 1 / (1 - rate); in evaluation "
        "all 1. Both gradients need it, at different places.",
        "With `factors`, the weights' gradient is that of a dense layer with the inputs `activations * factors`, and "
        "the activations' gradient is that of a dense layer's inputs, times `factors`. For rate 1 they are all 0.",
    ),
    tolerance=SINGLE_PRECISION,
)


@exercise.reference
def dropout_backward(gradient, activations, weights, uniform, rate, training=True):
    if not 0 <= rate <= 1:
        raise ValueError(f"rate is {rate}, and the share that is dropped lies between 0 and 1")
    if not training:
        factors = np.ones_like(activations)
    elif rate == 1:
        factors = np.zeros_like(activations)
    else:
        factors = (uniform >= rate) / (1 - rate)
    return gradient @ weights * factors, gradient.T @ (activations * factors)


exercise.case(
    "training",
    gradient=np.array([[1.0], [2.0]]),
    activations=np.array([[3.0, 5.0], [-1.0, 4.0]]),
    weights=np.array([[2.0, -1.0]]),
    uniform=np.array([[0.7, 0.1], [0.3, 0.6]]),
    rate=0.2,
)
