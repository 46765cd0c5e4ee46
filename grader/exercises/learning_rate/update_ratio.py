"""The exercise `update_ratio`."""

import numpy as np
import torch

from grader.exercises.learning_rate.common import SINGLE_PRECISION, chapter

exercise = chapter.exercise(
    "update_ratio",
    points=2,
    aspects={"one layer": 1, "layers of any shape": 2, "weights that start at 0": 1},
    hints=(
        "Go through the layers one by one. For each of them there are two lengths: that of the step and that of the "
        "weights before it.",
        "The step is after - before. `np.linalg.norm` of an array, without further arguments, is the root of its "
        "summed squares, whatever the shape. Which of the two lengths can be 0?",
        "For each layer: `np.linalg.norm(after[layer] - before[layer]) / np.linalg.norm(before[layer])`, and `np.inf` "
        "where that denominator is 0.",
    ),
    tolerance=SINGLE_PRECISION,
)


@exercise.reference
def update_ratio(before, after):
    ratios = {}
    for layer, weights in before.items():
        length = np.linalg.norm(weights)
        step = np.linalg.norm(after[layer] - weights)
        ratios[layer] = float(step / length) if length > 0 else np.inf
    return ratios


exercise.case("one layer", before={"hidden": np.array([[3.0, 4.0]])}, after={"hidden": np.array([[3.0, 4.5]])})
exercise.case("one layer", before={"output": np.array([2.0, 0.0])}, after={"output": np.array([1.0, 0.0])})
exercise.case(
    "layers of any shape",
    before={"convolution": np.ones((2, 1, 2, 2)), "hidden": np.array([[4.0, 0.0], [0.0, 3.0]])},
    after={"convolution": np.full((2, 1, 2, 2), 1.25), "hidden": np.array([[4.0, 0.3], [0.4, 3.0]])},
)
exercise.case(
    "weights that start at 0",
    before={"weight": np.array([[3.0, -4.0]]), "bias": np.zeros(2)},
    after={"weight": np.array([[3.3, -4.4]]), "bias": np.array([0.01, -0.02])},
)
# Weights that add up to 0, or are very small, are not 0.
exercise.case(
    "weights that start at 0",
    before={"hidden": np.array([3.0, -3.0]), "output": np.array([1e-9, 0.0])},
    after={"hidden": np.array([3.0, -2.7]), "output": np.array([1.5e-9, 0.0])},
)
# The bias stays at 0, where 0 / 0 would be NaN.
exercise.case(
    "weights that start at 0",
    before={"weight": np.array([[3.0, -4.0]]), "bias": np.zeros(2)},
    after={"weight": np.array([[3.3, -4.4]]), "bias": np.zeros(2)},
)


def one_step(rng, shapes):
    """Weights of these shapes, each layer of another size, and the same after a small random step."""
    before = {layer: rng.normal(0, rng.uniform(0.01, 1), shape) for layer, shape in shapes.items()}
    size = 10 ** rng.uniform(-3, -1)
    return before, {layer: weights + size * rng.normal(size=weights.shape) for layer, weights in before.items()}


@exercise.hidden("one layer", count=3)
def step_of_one_layer(rng):
    before, after = one_step(rng, {"layer": (int(rng.integers(2, 8)), int(rng.integers(2, 8)))})
    return {"before": before, "after": after}


@exercise.hidden("layers of any shape", count=4)
def step_of_a_convolutional_network(rng):
    channels, hidden = rng.integers(2, 6, 2).tolist()
    shapes = {"convolution": (channels, 2, 3, 3), "hidden": (hidden, 8), "scale": (hidden,), "output": (10, hidden)}
    before, after = one_step(rng, shapes)
    return {"before": before, "after": after}


@exercise.hidden("weights that start at 0", count=3)
def step_from_zero_biases(rng):
    before, after = one_step(rng, {"weight": (4, 6), "bias": (4,)})
    before["bias"] = np.zeros(4)
    return {"before": before, "after": after}


@exercise.hidden("weights that start at 0", count=3)
def step_of_balanced_and_tiny_weights(rng):
    before, after = one_step(rng, {"balanced": (6,), "tiny": (3, 2)})
    before["balanced"][3:] = -before["balanced"][:3]
    return {
        "before": {"balanced": before["balanced"], "tiny": 1e-9 * before["tiny"]},
        "after": {"balanced": after["balanced"], "tiny": 1e-9 * after["tiny"]},
    }


exercise.slip(
    "Your weights count as 0 when their sum is 0, and 3 and -3 add up to 0 as well. Ask whether their length is 0, or "
    "`.any()` of them is not.",
    name="sum_is_zero",
    right="length > 0",
    wrong="weights.sum() != 0",
)
exercise.slip(
    "You treat very small weights as if they were 0. Theirs is a ratio like any other, however small they are; only "
    "exactly 0 gives `np.inf`.",
    name="nearly_zero",
    right="length > 0",
    wrong="not np.isclose(length, 0)",
)


@exercise.mistake(
    "A layer that was 0 and stays 0 gives 0 / 0 in your function, which is NaN. Ask for weights of length 0 before you "
    "divide, and say `np.inf`."
)
def zero_overlooked(before, after):
    return {layer: np.linalg.norm(after[layer] - before[layer]) / np.linalg.norm(before[layer]) for layer in before}


exercise.slip(
    "You divide by the weights after the step. Small steps hide the difference; the question is what share of the "
    "weights that stood there the step has changed.",
    name="share_of_the_new_weights",
    right="np.linalg.norm(weights)",
    wrong="np.linalg.norm(after[layer])",
)
exercise.slip(
    "Your ratios are upside down: large where the step is small. A tiny step should give a tiny ratio.",
    name="upside_down",
    right="float(step / length) if length > 0 else np.inf",
    wrong="float(length / step)",
)
exercise.slip(
    "You subtract two lengths. A step can turn the weights without making them longer; take the length of the "
    "difference, not the difference of the lengths.",
    name="difference_of_lengths",
    right="np.linalg.norm(after[layer] - weights)",
    wrong="np.linalg.norm(after[layer]) - length",
)


@exercise.mistake(
    "You compare the largest entries. One single weight should not decide for its layer: the length takes all of them, "
    "squared, summed and rooted."
)
def largest_entries(before, after):
    ratios = {}
    for layer, weights in before.items():
        largest = np.abs(weights).max()
        ratios[layer] = np.abs(after[layer] - weights).max() / largest if largest > 0 else np.inf
    return ratios


@exercise.mistake(
    "You add up absolute values. That is a length too, but not the one asked for: here the entries are squared, "
    "summed, and the root is taken."
)
def sums_of_absolute_values(before, after):
    ratios = {}
    for layer, weights in before.items():
        total = np.abs(weights).sum()
        ratios[layer] = np.abs(after[layer] - weights).sum() / total if total > 0 else np.inf
    return ratios


@exercise.mistake(
    "Your ratios are the squares of the right ones: the root is missing. With it, twice the step gives twice the ratio."
)
def root_left_out(before, after):
    ratios = {}
    for layer, weights in before.items():
        squares = np.sum(weights**2)
        ratios[layer] = np.sum((after[layer] - weights) ** 2) / squares if squares > 0 else np.inf
    return ratios


@exercise.mistake(
    "You compare standard deviations, which take the mean away first: a step that shifts all weights alike would count "
    "as no step at all."
)
def standard_deviations(before, after):
    ratios = {}
    for layer, weights in before.items():
        spread = weights.std()
        ratios[layer] = (after[layer] - weights).std() / spread if spread > 0 else np.inf
    return ratios


@exercise.mistake(
    "All your layers have the same ratio, that of the whole network. One layer may be rushing while another stands "
    "still; that is why each has its own."
)
def whole_network(before, after):
    step = np.sqrt(sum(np.sum((after[layer] - before[layer]) ** 2) for layer in before))
    length = np.sqrt(sum(np.sum(weights**2) for weights in before.values()))
    return dict.fromkeys(before, step / length)


exercise.slip(
    "A small number in the denominator avoids the division by 0, but turns such a layer's ratio into an arbitrary "
    "large one. Ask for 0 first, and say `np.inf`.",
    name="small_number_added",
    right="float(step / length) if length > 0 else np.inf",
    wrong="float(step / (length + 1e-8))",
)


@exercise.mistake(
    "`np.linalg.norm` with a 2 is another length for a matrix, its largest singular value, and knows no arrays of four "
    "axes. Without the 2 it takes all entries alike."
)
def largest_singular_value(before, after):
    ratios = {}
    for layer, weights in before.items():
        length = np.linalg.norm(weights, 2)
        ratios[layer] = np.linalg.norm(after[layer] - weights, 2) / length if length > 0 else np.inf
    return ratios


@exercise.alternative
def flat_vectors(before, after):
    ratios = dict.fromkeys(before, float("inf"))
    for layer in after:
        weights, step = before[layer].ravel(), (after[layer] - before[layer]).ravel()
        if weights.any():
            ratios[layer] = np.sqrt(step @ step / (weights @ weights))
    return ratios


@exercise.alternative
def with_torch(before, after):
    def size(array):
        return torch.tensor(array).square().mean().sqrt()

    ratios = {layer: (size(after[layer] - before[layer]) / size(before[layer])).item() for layer in before}
    return {layer: ratio if before[layer].any() else float("inf") for layer, ratio in ratios.items()}
