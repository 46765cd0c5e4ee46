"""The exercise `dropout_backward`."""

import numpy as np

from grader.exercises.regularization.common import SINGLE_PRECISION, chapter, numbers

exercise = chapter.exercise(
    "dropout_backward",
    points=2,
    aspects={"training": 2, "evaluation and refused rates": 1, "rate 0 and rate 1": 1},
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


layer = {
    "gradient": np.array([[1.0, -3.0], [2.0, 0.5]]),
    "activations": np.array([[3.0, 5.0, 0.0], [-1.0, 4.0, 2.0]]),
    "weights": np.array([[2.0, -1.0, 0.5], [1.0, 3.0, -2.0]]),
    "uniform": np.array([[0.7, 0.1, 0.8], [0.15, 0.6, 0.9]]),
}
exercise.case("training", **layer, rate=0.2)
exercise.case("training", **layer, rate=0.75, training=True)
exercise.case("training", **layer, rate=0.5)
exercise.case(
    "training",
    gradient=np.array([[1.0], [2.0]]),
    activations=np.array([[3.0, 5.0], [0.0, 4.0]]),
    weights=np.array([[2.0, -1.0]]),
    uniform=np.array([[0.1, 0.45], [0.3, 0.2]]),
    rate=0.25,
)
exercise.case("evaluation and refused rates", **layer, rate=0.25, training=False)
exercise.case("evaluation and refused rates", **layer, rate=1.0, training=False)
exercise.case("evaluation and refused rates", **layer, rate=-0.1)
exercise.case("evaluation and refused rates", **layer, rate=1.5)
exercise.case("evaluation and refused rates", **layer, rate=1.5, training=False)
edge = layer | {"uniform": np.array([[0.7, 0.0, 0.8], [0.2, 0.6, 0.9]])}
exercise.case("rate 0 and rate 1", **edge, rate=0.0)
exercise.case("rate 0 and rate 1", **edge, rate=1.0)


def one_call(rng, rate, training):
    examples, inputs, units = (int(number) for number in rng.integers(1, 6, 3))
    return {
        "gradient": numbers(rng, (examples, units)),
        "activations": np.maximum(numbers(rng, (examples, inputs)), 0),
        "weights": numbers(rng, (units, inputs)),
        "uniform": rng.uniform(size=(examples, inputs)),
        "rate": rate,
        "training": training,
    }


@exercise.hidden("training", count=5)
def in_training(rng):
    return one_call(rng, float(rng.uniform(0.1, 0.9)), True)


@exercise.hidden("evaluation and refused rates", count=3)
def in_evaluation(rng):
    return one_call(rng, float(rng.uniform(0.1, 0.9)), False)


@exercise.hidden("rate 0 and rate 1", count=4)
def at_the_edge(rng):
    return one_call(rng, float(rng.integers(2)), True)


@exercise.mistake(
    "Your gradient of the activations goes through what was dropped, as if it had been there. What had no say in the "
    "loss gets no gradient."
)
def nothing_dropped_on_the_way_back(gradient, activations, weights, uniform, rate, training=True):
    if not 0 <= rate <= 1:
        raise ValueError("rate is no share")
    factors = (uniform >= rate) / (1 - rate) if training else np.ones_like(activations)
    return gradient @ weights, gradient.T @ (activations * factors)


@exercise.mistake(
    "Your gradient of the weights uses the activations as they were before dropout. The layer never saw those: it was "
    "multiplied by the dropped ones."
)
def weights_see_all_activations(gradient, activations, weights, uniform, rate, training=True):
    if not 0 <= rate <= 1:
        raise ValueError("rate is no share")
    factors = (uniform >= rate) / (1 - rate) if training else np.ones_like(activations)
    return gradient @ weights * factors, gradient.T @ activations


@exercise.mistake(
    "You drop in evaluation too. With `training=False` nothing was dropped, and the gradients are those of the dense "
    "layer."
)
def drops_in_evaluation(gradient, activations, weights, uniform, rate, training=True):
    if not 0 <= rate <= 1:
        raise ValueError("rate is no share")
    factors = (uniform >= rate) / (1 - rate)
    return gradient @ weights * factors, gradient.T @ (activations * factors)


exercise.slip(
    "Your gradient of the activations goes through what was dropped, and is not scaled where it was kept. Forward, "
    "each activation met a factor, 0 or 1 / (1 - rate); it meets the same one on the way back.",
    name="mask_forgotten_for_the_activations",
    right="gradient @ weights * factors",
    wrong="gradient @ weights",
)
exercise.slip(
    "Your gradient of the weights uses the activations as they were before dropout. The layer never saw those: it was "
    "multiplied by the dropped and scaled ones.",
    name="mask_forgotten_for_the_weights",
    right="(activations * factors)",
    wrong="activations",
)
exercise.slip(
    "You drop in evaluation too. With `training=False` nothing was dropped or scaled, and the gradients are those of "
    "the dense layer.",
    name="training_ignored",
    right="if not training:",
    wrong="if training is None:",
)
exercise.slip(
    "Your gradient of the activations has its zeros in the right places and is too small elsewhere. What was scaled on "
    "the way forward is scaled by the same factor on the way back.",
    name="not_scaled_on_the_way_back",
    right="gradient @ weights * factors",
    wrong="gradient @ weights * (factors > 0)",
)
exercise.slip(
    "In your gradient of the weights the dropped activations are 0, and the others are not scaled. The layer saw them "
    "scaled.",
    name="weights_see_unscaled_activations",
    right="(activations * factors)",
    wrong="(activations * (factors > 0))",
)
exercise.slip(
    "You drop and never scale. In the forward pass what is kept was divided by 1 - rate; both gradients need the same "
    "factor.",
    name="never_scaled",
    right="(uniform >= rate) / (1 - rate)",
    wrong="(uniform >= rate) * 1.0",
)
exercise.slip(
    "You divide by the rate. What is kept is divided by the share that is kept, 1 - rate, on the way back too.",
    name="divided_by_the_rate",
    right="(uniform >= rate) / (1 - rate)",
    wrong="(uniform >= rate) / np.float64(rate)",
)
exercise.slip(
    "You multiply by 1 - rate on the way back, perhaps to undo the division. A derivative undoes nothing: a factor "
    "forward is the same factor backward.",
    name="factor_undone",
    right="(uniform >= rate) / (1 - rate)",
    wrong="(uniform >= rate) * (1 - rate)",
)
exercise.slip(
    "You let the gradient through where the activation was dropped, and stop it where it was kept.",
    name="kept_and_dropped_swapped",
    right="uniform >= rate",
    wrong="uniform < rate",
)
exercise.slip(
    "A draw that equals the rate counts as dropped in your answer. Dropped is what is *less* than the rate.",
    name="equal_is_dropped",
    right="uniform >= rate",
    wrong="uniform > rate",
)
exercise.slip(
    "Your gradient of the activations stops where the dropped activation is 0. It may have been 0 before and kept; "
    "then a small change of it changes the loss. Ask the draws, not the activations.",
    name="zero_taken_for_dropped",
    right="gradient @ weights * factors",
    wrong="gradient @ weights * factors * (activations != 0)",
)
exercise.slip(
    "You scale in evaluation. Inverted dropout scales in training only.",
    name="scaled_in_evaluation",
    right="factors = np.ones_like(activations)",
    wrong="factors = np.ones_like(activations) * (1 - rate)",
)
exercise.slip(
    "At rate 1 your gradients are not finite: you divide by the share kept, 0. Everything was dropped, so all are 0.",
    name="nothing_kept_overlooked",
    right="(uniform >= rate) / (1 - rate)",
    wrong="(uniform >= rate) / (1 - rate)\n    if training and rate == 1:\n        factors = factors / np.float64(0)",
)


@exercise.mistake(
    "At rate 1 your function divides by the share kept, 0, and Python stops it. Everything was dropped there, so all "
    "gradients are 0: say so before you divide."
)
def stopped_by_zero(gradient, activations, weights, uniform, rate, training=True):
    if not 0 <= rate <= 1:
        raise ValueError("rate is no share")
    factors = np.ones_like(activations)
    if training:
        factors = (uniform >= rate) * (1 / (1 - rate))
    return gradient @ weights * factors, gradient.T @ (activations * factors)


exercise.slip(
    "At rate 1 you refuse. It is a rate like any other: everything is dropped, and all gradients are 0.",
    name="rate_one_refused",
    right="0 <= rate <= 1",
    wrong="0 <= rate < 1",
)
exercise.slip(
    "You divide the weights' gradient by the number of examples. The mean over the batch is in the loss already, and "
    "so in `gradient`: add up.",
    name="mean_over_the_batch",
    right="gradient.T @ (activations * factors)",
    wrong="gradient.T @ (activations * factors) / len(gradient)",
)
exercise.slip(
    "Your two gradients come in the wrong order: that of the activations first.",
    name="the_two_swapped",
    right="gradient @ weights * factors, gradient.T @ (activations * factors)",
    wrong="gradient.T @ (activations * factors), gradient @ weights * factors",
)
exercise.slip(
    "Your gradient of the weights lies on its side: it has the shape of the weights, (units, inputs).",
    name="transposed",
    right="gradient.T @ (activations * factors)",
    wrong="(activations * factors).T @ gradient",
)
exercise.slip(
    "A rate below 0 or above 1 goes through. No share is like that: refuse it with a ValueError, in evaluation too.",
    name="rate_not_looked_at",
    right="if not 0 <= rate <= 1:",
    wrong="if rate != rate:",
)


@exercise.mistake(
    "The numbers are right, but `*=` writes the dropped activations over the ones that you were given. Make a new "
    "array."
)
def in_place(gradient, activations, weights, uniform, rate, training=True):
    if not 0 <= rate <= 1:
        raise ValueError("rate is no share")
    factors = np.ones_like(activations)
    if training:
        factors = np.where(uniform < rate, 0.0, 1 / max(1 - rate, 1e-9))
    activations *= factors
    return gradient @ weights * factors, gradient.T @ activations


@exercise.alternative
def entry_by_entry(gradient, activations, weights, uniform, rate, training=True):
    if rate < 0 or rate > 1:
        raise ValueError("the rate is a share")
    by_activations, by_weights = np.zeros(activations.shape), np.zeros(weights.shape)
    for example, place in np.ndindex(activations.shape):
        if training and uniform[example, place] < rate:
            continue
        factor = 1 / (1 - rate) if training else 1
        for unit, slope in enumerate(gradient[example]):
            by_activations[example, place] += slope * weights[unit, place] * factor
            by_weights[unit, place] += slope * activations[example, place] * factor
    return [by_activations, by_weights]


@exercise.alternative
def in_single_precision(gradient, activations, weights, uniform, rate, training=True):
    if not 0 <= rate <= 1:
        raise ValueError(rate)
    gradient, inputs, weights = (array.astype(np.float32) for array in (gradient, activations, weights))
    by_inputs = np.einsum("nu,ui->ni", gradient, weights)
    if training:
        by_inputs[uniform < rate] = inputs[uniform < rate] = 0
        if rate < 1:
            by_inputs, inputs = by_inputs / (1 - rate), inputs / (1 - rate)
    return by_inputs, np.einsum("nu,ni->ui", gradient, inputs)
