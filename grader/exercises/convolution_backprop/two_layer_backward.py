"""The exercise `two_layer_backward`."""

import numpy as np
import torch
from torch.nn import functional

from grader.exercises.convolution_backprop.common import SINGLE_PRECISION, chapter, entries

exercise = chapter.exercise(
    "two_layer_backward",
    points=3,
    aspects={"the output layer": 1, "the hidden layer": 2, "many examples": 1, "labels of another shape": 1},
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


def network(features, labels, weights1, bias1, weights2, bias2):
    """The arguments by name, each as a float array."""
    values = locals()
    return {name: np.array(value, dtype=float) for name, value in values.items()}


# No weights lead from the hidden layer to the outputs, so that nothing goes back beyond the output layer.
exercise.case(
    "the output layer",
    **network([[1, 2]], [[1]], [[0.5, -0.25], [0.25, 1]], [0, -0.5], [[0], [0]], [0.5]),
)
exercise.case(
    "the output layer",
    **network([[-1]], [[0, 1, 1]], [[0.5, 0.75]], [0.25, -1], [[0, 0, 0], [0, 0, 0]], [1, -2, 0]),
)
exercise.case("the hidden layer", **network([[1, 2]], [[1]], [[0.5], [-0.75]], [0.25], [[2]], [-0.5]))
exercise.case(
    "the hidden layer",
    **network(
        [[1, -1, 0.5]], [[0, 0.5]], [[0.5, -1], [0.25, 0.5], [1, 0.5]], [0.5, -0.25], [[1, -2], [0.5, 1]], [0, 0.5]
    ),
)
# XOR, with as many examples as it has.
exercise.case(
    "many examples",
    **network(
        [[0, 0], [0, 1], [1, 0], [1, 1]],
        [[0], [1], [1], [0]],
        [[1, -0.5], [-1, 0.75]],
        [0.5, -0.25],
        [[1], [2]],
        [0.25],
    ),
)
# As many examples as features, hidden values and outputs: nothing has a shape that gives a mistake away.
exercise.case(
    "many examples",
    **network(
        [[1, -1], [0.5, 2]], [[0, 1], [1, 1]], [[0.5, -1], [0.25, 0.75]], [0.25, -0.5], [[1, 3], [-0.5, 0.25]], [0, 1]
    ),
)
exercise.case(
    "many examples",
    **network(
        [[1, -1], [0.5, 2], [0, 1]],
        [[0, 1], [1, 1], [1, 0]],
        [[0.5], [0.25]],
        [0.25],
        [[1, 3]],
        [0, 1],
    ),
)
exercise.case("labels of another shape", **network([[0.5]], [[1]], [[1]], [-0.25], [[1.5]], [0.5]))
small = {
    "features": np.array([[1.0], [2.0]]),
    "weights1": np.array([[0.5]]),
    "bias1": np.array([0.0]),
    "weights2": np.array([[1.0, 2.0]]),
    "bias2": np.array([0.0, 0.5]),
}
exercise.case("labels of another shape", **small, labels=np.array([1.0, 0.0]))
exercise.case("labels of another shape", **small, labels=np.array([[1.0], [0.0]]))
one_output = small | {"weights2": np.array([[1.0]]), "bias2": np.array([0.0])}
exercise.case("labels of another shape", **one_output, labels=np.array([1.0, 0.0]))


def drawn_network(rng, examples, inputs, hidden, outputs):
    return {
        "features": entries(rng, examples, inputs),
        "labels": np.array(rng.integers(0, 2, (examples, outputs)), dtype=float),
        "weights1": entries(rng, inputs, hidden) / 4,
        "bias1": entries(rng, hidden) / 4,
        "weights2": entries(rng, hidden, outputs) / 2,
        "bias2": entries(rng, outputs) / 2,
    }


@exercise.hidden("the output layer", count=3)
def output_layer(rng):
    inputs, hidden, outputs = rng.integers(1, 5, 3)
    arguments = drawn_network(rng, 1, inputs, hidden, outputs)
    return arguments | {"weights2": np.zeros((hidden, outputs))}


@exercise.hidden("the hidden layer", count=4)
def hidden_layer(rng):
    return drawn_network(rng, 1, *rng.integers(1, 5, 3))


@exercise.hidden("many examples", count=5)
def examples(rng):
    return drawn_network(rng, *rng.integers(2, 6, 4))


@exercise.hidden("labels of another shape", count=2)
def single_column_of_labels(rng):
    arguments = drawn_network(rng, 3, 2, 4, int(rng.integers(2, 5)))
    return arguments | {"labels": arguments["labels"][:, :1]}


exercise.slip(
    "You do not divide by the number of examples. The loss is a mean over them, so each has its share only; without it "
    "the step grows with the batch.",
    name="not_averaged",
    right=" / len(features)",
    wrong="",
)
exercise.slip(
    "You divide by the number of all labels. The loss is averaged over the examples and summed over the outputs: "
    "divide by the number of examples.",
    name="averaged_over_the_outputs_too",
    right="/ len(features)",
    wrong="/ labels.size",
)
exercise.slip(
    "At the logits you multiply by the slope of the sigmoid, p (1 - p). With the cross-entropy it cancels: what is "
    "left is the difference between probability and label. (With a squared error it would stay.)",
    name="slope_of_the_sigmoid",
    right="(probabilities - labels)",
    wrong="(probabilities - labels) * probabilities * (1 - probabilities)",
)
exercise.slip(
    "All your signs are turned round: these gradients point downhill. The gradient at the logits is probability less "
    "label.",
    name="sign_turned",
    right="(probabilities - labels)",
    wrong="(labels - probabilities)",
)
exercise.slip(
    "Your gradient at the logits does not know the labels as it should: it starts from the logits, not from the "
    "probabilities. Put them through the sigmoid first.",
    name="sigmoid_left_out",
    right="(probabilities - labels)",
    wrong="(logits - labels)",
)
exercise.slip(
    "On the way back you pass tanh without its slope. The output layer is right; the first layer gets too much where "
    "tanh is flat.",
    name="slope_of_tanh_left_out",
    right="hidden_gradient * (1 - hidden**2)",
    wrong="hidden_gradient",
)
exercise.slip(
    "You take the slope of tanh as 1 - z² with z the sum that goes in. It is 1 - tanh(z)²: the hidden values, which "
    "you have, not the sums.",
    name="slope_of_tanh_at_the_sums",
    right="1 - hidden**2",
    wrong="1 - (features @ weights1 + bias1) ** 2",
)
exercise.slip(
    "You apply tanh once more for its slope. The hidden values have been through tanh already: 1 - hidden².",
    name="tanh_twice",
    right="1 - hidden**2",
    wrong="1 - np.tanh(hidden) ** 2",
)
exercise.slip(
    "h (1 - h) is the slope of a sigmoid. The hidden layer has tanh, whose slope is 1 - h².",
    name="slope_of_a_sigmoid_in_the_hidden_layer",
    right="(1 - hidden**2)",
    wrong="hidden * (1 - hidden)",
)
exercise.slip(
    "Your hidden layer goes back as if it were made of ReLUs: the gradient passes whole or not at all. The slope of "
    "tanh is 1 - h².",
    name="slope_of_relu",
    right="(1 - hidden**2)",
    wrong="(hidden > 0)",
)
exercise.slip(
    "Your slope of tanh is 1 - h. It is 1 - h²: the square is missing.",
    name="square_left_out",
    right="(1 - hidden**2)",
    wrong="(1 - hidden)",
)
exercise.slip(
    "You multiply by weights2 as it stands on the way forward. Back, what went from hidden value i to output j goes "
    "from j to i: transpose it. Where both counts are equal nothing but the numbers shows it.",
    name="weights_not_transposed",
    right="weights2.T",
    wrong="weights2",
)
exercise.slip(
    "You divide by the number of examples a second time, in the first layer. The gradient at the logits has the 1/n in "
    "it, and it goes back through everything.",
    name="averaged_twice",
    right="features.T @ sums_gradient,\n        sums_gradient.sum(axis=0)",
    wrong="features.T @ sums_gradient / len(features),\n        sums_gradient.mean(axis=0)",
)


@exercise.mistake(
    "Your bias gradients are averaged over the examples. The 1/n of the loss is in them already; sum them."
)
def biases_averaged(features, labels, weights1, bias1, weights2, bias2):
    hidden = np.tanh(features @ weights1 + bias1)
    logits = hidden @ weights2 + bias2
    if labels.shape != logits.shape:
        raise ValueError("labels do not fit")
    logits_gradient = (1 / (1 + np.exp(-logits)) - labels) / len(features)
    sums_gradient = logits_gradient @ weights2.T * (1 - hidden**2)
    first = features.T @ sums_gradient, sums_gradient.mean(axis=0)
    return *first, hidden.T @ logits_gradient, logits_gradient.mean(axis=0)


@exercise.mistake(
    "Your bias gradients have one row for each example. A bias is added to all examples, so it gets the sum over them: "
    "`.sum(axis=0)`."
)
def biases_not_summed(features, labels, weights1, bias1, weights2, bias2):
    hidden = np.tanh(features @ weights1 + bias1)
    logits = hidden @ weights2 + bias2
    if labels.shape != logits.shape:
        raise ValueError("labels do not fit")
    logits_gradient = (1 / (1 + np.exp(-logits)) - labels) / len(features)
    sums_gradient = logits_gradient @ weights2.T * (1 - hidden**2)
    return features.T @ sums_gradient, sums_gradient, hidden.T @ logits_gradient, logits_gradient


@exercise.mistake(
    "You sum the bias gradients along a row, over the hidden values or outputs. A bias is shared by the examples: sum "
    "over axis 0."
)
def biases_summed_over_the_wrong_axis(features, labels, weights1, bias1, weights2, bias2):
    hidden = np.tanh(features @ weights1 + bias1)
    logits = hidden @ weights2 + bias2
    if labels.shape != logits.shape:
        raise ValueError("labels do not fit")
    logits_gradient = (1 / (1 + np.exp(-logits)) - labels) / len(features)
    sums_gradient = logits_gradient @ weights2.T * (1 - hidden**2)
    first = features.T @ sums_gradient, sums_gradient.sum(axis=1)
    return *first, hidden.T @ logits_gradient, logits_gradient.sum(axis=1)


@exercise.mistake(
    "The four gradients are right and come in another order: asked for are those of weights1, bias1, weights2, bias2."
)
def weights_before_biases(features, labels, weights1, bias1, weights2, bias2):
    hidden = np.tanh(features @ weights1 + bias1)
    logits = hidden @ weights2 + bias2
    if labels.shape != logits.shape:
        raise ValueError("labels do not fit")
    logits_gradient = (1 / (1 + np.exp(-logits)) - labels) / len(features)
    sums_gradient = logits_gradient @ weights2.T * (1 - hidden**2)
    weights = features.T @ sums_gradient, hidden.T @ logits_gradient
    return *weights, sums_gradient.sum(axis=0), logits_gradient.sum(axis=0)


@exercise.mistake(
    "The four gradients are right and come in the order in which you found them, output layer first. Asked for are "
    "those of weights1, bias1, weights2, bias2."
)
def output_layer_first(features, labels, weights1, bias1, weights2, bias2):
    hidden = np.tanh(features @ weights1 + bias1)
    logits = hidden @ weights2 + bias2
    if labels.shape != logits.shape:
        raise ValueError("labels do not fit")
    logits_gradient = (1 / (1 + np.exp(-logits)) - labels) / len(features)
    sums_gradient = logits_gradient @ weights2.T * (1 - hidden**2)
    last = hidden.T @ logits_gradient, logits_gradient.sum(axis=0)
    return *last, features.T @ sums_gradient, sums_gradient.sum(axis=0)


exercise.slip(
    "Labels of another shape than the logits get through: numpy stretches them, so an example is compared with labels "
    "that are not its own. Compare the shapes and refuse with a ValueError.",
    name="labels_stretched",
    right="labels.shape != logits.shape",
    wrong="len(labels) != len(logits)",
)
exercise.slip(
    "You divide by the number of features. The loss is averaged over the examples, and there is one row for "
    "each: `len(features)`.",
    name="features_counted",
    right="/ len(features)",
    wrong="/ features.shape[1]",
)
exercise.slip(
    "Your bias gradients have the shape (1, …). A gradient has the shape of what it belongs to: leave `keepdims` out.",
    name="bias_gradients_in_a_row",
    right="sums_gradient.sum(axis=0),\n        hidden.T @ logits_gradient,\n        logits_gradient.sum(axis=0)",
    wrong="sums_gradient.sum(axis=0, keepdims=True),\n        hidden.T @ logits_gradient,\n        "
    "logits_gradient.sum(axis=0, keepdims=True)",
)
exercise.slip(
    "You turn labels of shape (n,) into a column yourself. They should be refused with a ValueError: whoever "
    "passes them may have mixed something up.",
    name="labels_made_a_column",
    right="    hidden = np",
    wrong="    labels = labels[:, None] if labels.ndim == 1 else labels\n    hidden = np",
)


@exercise.alternative
def example_by_example(features, labels, weights1, bias1, weights2, bias2):
    if labels.shape != (len(features), len(bias2)):
        raise ValueError("one label for each output, please")
    gradients = [np.zeros(part.shape) for part in (weights1, bias1, weights2, bias2)]
    for x, y in zip(features, labels):
        hidden = np.tanh(weights1.T.dot(x) + bias1)
        error = 0.5 * (1 + np.tanh((weights2.T.dot(hidden) + bias2) / 2)) - y
        slope = weights2.dot(error) / np.cosh(weights1.T.dot(x) + bias1) ** 2
        for total, part in zip(gradients, (np.outer(x, slope), slope, np.outer(hidden, error), error)):
            total += part / len(features)
    return gradients


@exercise.alternative
def by_autograd(features, labels, weights1, bias1, weights2, bias2):
    parameters = [torch.tensor(part, requires_grad=True) for part in (weights1, bias1, weights2, bias2)]
    w1, b1, w2, b2 = parameters
    logits = torch.tanh(torch.tensor(features) @ w1 + b1) @ w2 + b2
    loss = functional.binary_cross_entropy_with_logits(logits, torch.tensor(labels), reduction="sum")
    (loss / len(features)).backward()
    return tuple(part.grad.numpy() for part in parameters)


@exercise.alternative
def in_single_precision(features, labels, weights1, bias1, weights2, bias2):
    x, w1, b1, w2, b2 = (part.astype(np.float32) for part in (features, weights1, bias1, weights2, bias2))
    h = np.tanh(np.einsum("ni,ih->nh", x, w1) + b1)
    z = np.einsum("nh,ho->no", h, w2) + b2
    if z.shape != labels.shape:
        raise ValueError("shapes differ")
    dz = (1 / (1 + np.exp(-z)) - labels.astype(np.float32)) / np.float32(len(x))
    ds = np.einsum("no,ho->nh", dz, w2) * (1 - h * h)
    return np.einsum("ni,nh->ih", x, ds), np.einsum("nh->h", ds), np.einsum("nh,no->ho", h, dz), np.einsum("no->o", dz)
