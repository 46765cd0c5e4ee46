"""The exercise `soft_threshold`."""

import numpy as np

from grader.exercise import Tolerance
from grader.exercises.regularization.common import any_shape, chapter, numbers

exercise = chapter.exercise(
    "soft_threshold",
    points=1,
    aspects={"large weights": 1, "small weights": 2, "any shape": 1},
    hints=(
        "Draw it: weights along one axis, results along the other. The line has three pieces. Where do they meet?",
        "Above the threshold subtract it, below its negative add it, between the two put 0. Or: what happens to the "
        "size of a weight, and what to its sign?",
        "The new size is `np.abs(weights) - threshold`, but never less than 0: `np.maximum`. Multiply it by the sign.",
    ),
    tolerance=Tolerance(relative=1e-5, absolute=0.0),  # what is to be 0 is 0 exactly
)


@exercise.reference
def soft_threshold(weights, threshold):
    if threshold < 0:
        raise ValueError(f"threshold is {threshold}, and the weights would grow: give 0 or more")
    return np.sign(weights) * np.maximum(np.abs(weights) - threshold, 0)


exercise.case("large weights", weights=np.array([3.0, 1.25, -2.0, -5.0]), threshold=0.5)
exercise.case("large weights", weights=np.array([-40.0, 7.0]), threshold=3.0)
exercise.case("large weights", weights=np.array([0.75, -0.25]), threshold=0.0)
exercise.case("large weights", weights=np.array([0.75, -0.25]), threshold=-0.5)
exercise.case("small weights", weights=np.array([3.0, 0.25, -0.25, 0.0, -2.0, 0.1]), threshold=0.5)
# As large as the threshold: exactly 0.
exercise.case("small weights", weights=np.array([0.5, 0.75, -0.75]), threshold=0.5)
exercise.case("small weights", weights=np.array([1e-4, -3e-4, 2e-4, -1e-4]), threshold=2e-4)
exercise.case("any shape", weights=np.array([[1.5, -0.2], [0.3, -4.0]]), threshold=0.25)
exercise.case("any shape", weights=np.array(-3.0), threshold=0.5)
# One entry is NaN, and says so; the others go on.
exercise.case("any shape", weights=np.array([2.0, np.nan, -3.0]), threshold=0.5)


@exercise.hidden("large weights", count=3)
def all_large(rng):
    return {"weights": numbers(rng, 6), "threshold": float(rng.uniform(0.1, 0.45))}


@exercise.hidden("small weights", count=5)
def some_small(rng):
    weights = numbers(rng, 8)
    weights[:3] = rng.uniform(-0.1, 0.1, 3)
    return {"weights": rng.permutation(weights), "threshold": float(rng.uniform(0.1, 0.45))}


@exercise.hidden("any shape", count=4)
def of_any_shape(rng):
    shape = any_shape(rng)
    weights = np.array(numbers(rng, shape) * rng.choice([0.02, 1], shape))
    return {"weights": weights, "threshold": float(rng.uniform(0.1, 0.45))}


exercise.slip(
    "Small weights change their sign: they jump over 0 instead of stopping there, and the next step throws them back. "
    "That is what the subgradient does; here a weight that would cross 0 becomes 0.",
    name="jumps_over_zero",
    right="np.sign(weights) * np.maximum(np.abs(weights) - threshold, 0)",
    wrong="weights - threshold * np.sign(weights)",
)
exercise.slip(
    "Small weights change their sign: they jump over 0 instead of stopping there. And a weight that is 0 already is "
    "pushed away. Between the threshold and its negative, everything becomes 0.",
    name="zero_pushed_away",
    right="np.sign(weights) * np.maximum(np.abs(weights) - threshold, 0)",
    wrong="np.where(weights > 0, weights - threshold, weights + threshold)",
)
exercise.slip(
    "Your large weights stay as they were. That is a hard threshold. The soft one moves every weight towards 0, so "
    "that there is no jump where it sets in.",
    name="hard_threshold",
    right="np.sign(weights) * np.maximum(np.abs(weights) - threshold, 0)",
    wrong="np.where(np.abs(weights) <= threshold, 0.0, weights)",
)
exercise.slip(
    "All your negative weights become 0. Towards 0 means downwards for positive weights and upwards for negative ones.",
    name="negative_weights_lost",
    right="np.sign(weights) * np.maximum(np.abs(weights) - threshold, 0)",
    wrong="np.maximum(weights - threshold, 0)",
)
exercise.slip(
    "Your sizes are right, the signs are lost: negative weights come back positive.",
    name="signs_lost",
    right="np.sign(weights) * ",
    wrong="",
)
exercise.slip(
    "Your negative weights move away from 0. Subtracting the threshold is right for positive weights; add it to the "
    "negative ones.",
    name="negative_weights_grow",
    right="np.sign(weights) * np.maximum(np.abs(weights) - threshold, 0)",
    wrong="np.where(np.abs(weights) <= threshold, 0.0, weights - threshold)",
)
exercise.slip(
    "All your weights grow: the threshold is added to their sizes. It is to be taken away.",
    name="all_weights_grow",
    right="np.sign(weights) * np.maximum(np.abs(weights) - threshold, 0)",
    wrong="weights + threshold * np.sign(weights)",
)
exercise.slip(
    "You shrink each weight by a share of itself. That is what L2 does, and it makes no zeros. Here every weight loses "
    "the same amount.",
    name="shrinks_by_a_share",
    right="np.sign(weights) * np.maximum(np.abs(weights) - threshold, 0)",
    wrong="weights * (1 - threshold)",
)
exercise.slip(
    "You return what is to be taken away: the weights cut off at the threshold. What remains is the answer.",
    name="what_is_taken_away",
    right="np.sign(weights) * np.maximum(np.abs(weights) - threshold, 0)",
    wrong="np.clip(weights, -threshold, threshold)",
)
exercise.slip(
    "You treat all weights as one vector and shorten that. Then they become 0 together or not at all; here each weight "
    "is on its own.",
    name="shortened_as_a_vector",
    right="np.sign(weights) * np.maximum(np.abs(weights) - threshold, 0)",
    wrong="weights * np.maximum(1 - threshold / np.sqrt(np.sum(weights**2)), 0)",
)
exercise.slip(
    "Your zeros are nearly zeros. A weight that small is still multiplied and stored; the point of this step is that "
    "it is exactly 0.",
    name="nearly_zero",
    right="np.abs(weights) - threshold, 0",
    wrong="np.abs(weights) - threshold, 1e-6",
)
exercise.slip(
    "A weight that is 0 becomes NaN: w / |w| is 0 / 0 there. `np.sign` gives 0 for it.",
    name="sign_by_division",
    right="np.sign(weights)",
    wrong="weights / np.abs(weights)",
)
exercise.slip(
    "A NaN becomes 0, for no comparison holds for it. Then nobody learns that training has failed: let it stay NaN.",
    name="nan_taken_for_small",
    right="np.sign(weights) * np.maximum(np.abs(weights) - threshold, 0)",
    wrong="np.where(weights > threshold, weights - threshold, np.where(weights < -threshold, weights + threshold, 0))",
)
exercise.slip(
    "A negative threshold makes the weights grow with every step. Refuse it with a ValueError.",
    name="negative_threshold_let_through",
    right="if threshold < 0:",
    wrong="if threshold < -1e9:",
)


@exercise.mistake(
    "The numbers are right, but you write into `weights`, which belongs to whoever calls you. Make a new array."
)
def in_place(weights, threshold):
    if threshold < 0:
        raise ValueError("negative threshold")
    signs = np.sign(weights)
    weights[...] = signs * np.maximum(np.abs(weights) - threshold, 0)
    return weights


@exercise.alternative
def in_three_pieces(weights, threshold):
    if not threshold >= 0:
        raise ValueError("threshold must not be negative")
    result = np.array(weights)
    result[weights > threshold] -= threshold
    result[weights < -threshold] += threshold
    result[np.abs(weights) <= threshold] = 0
    return result


@exercise.alternative
def less_what_is_cut_off(weights, threshold):
    if threshold < 0:
        raise ValueError(threshold)
    return weights - np.clip(weights, -threshold, threshold)


@exercise.alternative
def entry_by_entry(weights, threshold):
    if threshold < 0:
        raise ValueError("the threshold is negative")
    result = np.zeros(weights.shape, dtype=np.float32)
    for place in np.ndindex(weights.shape):
        size = abs(weights[place])
        result[place] = 0 if size <= threshold else weights[place] * (1 - threshold / size)
    return result
