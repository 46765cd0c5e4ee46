"""The exercise `two_layer_backward`."""

import numpy as np

from grader.exercises.convolution_backprop.common import SINGLE_PRECISION, chapter

exercise = chapter.exercise(
    "two_layer_backward",
    points=3,
    aspects={"the output layer": 1, "the hidden layer": 2, "many examples": 1},
    hints=(
        "Go forward first and keep what you compute: the hidden values and the probabilities. Then go back, from the "
        "logits to the weights of the output layer, to the hidden values, to the sums inside tanh, to the first layer.",
        "With cross-entropy on a sigmoid the gradient at the logits is `(probabilities - labels) / n`. The gradient "
        "that enters a layer gives three others: for its weights, its bias, and what came in.",
        "For a layer `y = x @ weights + bias` and the gradient g at y: the weights get `x.T @ g`, the bias "
        "`g.sum(axis=0)`, and x gets `g @ weights.T`. On the way through tanh multiply by `1 - hidden**2`.",
    ),
    tolerance=SINGLE_PRECISION,
)


@exercise.reference
def two_layer_backward(features, labels, weights1, bias1, weights2, bias2):
    hidden = np.tanh(features @ weights1 + bias1)
    logits = hidden @ weights2 + bias2
    if labels.shape != logits.shape:
        raise ValueError(f"labels of shape {labels.shape} for logits of shape {logits.shape}: give each logit a label")
    probabilities = 1 / (1 + np.exp(-logits))
    logits_gradient = (probabilities - labels) / len(features)
    hidden_gradient = logits_gradient @ weights2.T
    sums_gradient = hidden_gradient * (1 - hidden**2)
    return (
        features.T @ sums_gradient,
        sums_gradient.sum(axis=0),
        hidden.T @ logits_gradient,
        logits_gradient.sum(axis=0),
    )
