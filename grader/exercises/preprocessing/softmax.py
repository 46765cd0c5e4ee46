"""The exercise `softmax`."""

import numpy as np
import torch

from grader.exercises.preprocessing.common import chapter
from labutils.checks.comparing import Tolerance

exercise = chapter.exercise(
    "softmax",
    points=2,
    aspects={"probabilities": 1, "any size": 2, "any shape": 1},
    hints=(
        "The same number subtracted from all logits of a row changes nothing: numerator and denominator shrink by the "
        "same factor. Which number makes sure that no exp overflows, and that one of them is exactly 1?",
        "Subtract the largest logit along the last axis, `axis=-1`, which exists whatever the shape is. With "
        "`keepdims=True` the maximum keeps its place and can be subtracted from every row.",
        "`logits - logits.max(axis=-1, keepdims=True)` can be handed to `np.exp`. The sum in the denominator needs the "
        "same axis and the same `keepdims`.",
    ),
    tolerance=Tolerance(relative=5e-7, absolute=1e-30),  # small probabilities count, and float32 is precise enough
)


@exercise.reference
def softmax(logits):
    exponentials = np.exp(logits - logits.max(axis=-1, keepdims=True))
    return exponentials / exponentials.sum(axis=-1, keepdims=True)


exercise.case("probabilities", logits=np.array([[0.0, np.log(3.0)], [1.0, 2.0], [-0.5, 0.25]]))
exercise.case("probabilities", logits=np.array([[1.0, 2.0, 0.0], [0.5, -1.0, 2.5], [1.0, 1.0, 1.0]]))
exercise.case("any size", logits=np.array([[0.0, 0.0], [1000.0, 1000.0]]))
# The second row is so much larger that the first would vanish beside it, and the other way round.
exercise.case("any size", logits=np.array([[-3000.0, -3001.0, -3000.0], [2000.0, 2001.0, 1999.0]]))
exercise.case("any size", logits=np.array([[0.0, 1000.0], [0.0, -1000.0]]))
exercise.case("any size", logits=np.array([[0.0, 0.0, 0.0, 3000.0]]))
exercise.case("any size", logits=np.array([[-np.inf, 1.0, 0.0], [800.0, -np.inf, 0.0]]))
exercise.case("any shape", logits=np.array([0.5, -1.0, 2.0, 0.0]))
exercise.case("any shape", logits=np.array([[[0.0, 1.0, -1.0], [2.0, 0.5, 0.0]], [[1.0, 1.0, 3.0], [0.0, -2.0, 1.0]]]))
exercise.case("any shape", logits=np.array([[3.0], [-2.0]]))
exercise.case("any size", logits=np.array([[0.0, -40.0, -60.0], [-np.inf, -np.inf, 5.0]]))


@exercise.hidden("probabilities", count=4)
def rows_of_logits(rng):
    return {"logits": rng.normal(0, 2, rng.integers(2, 7, 2))}


@exercise.hidden("any size", count=5)
def rows_far_apart(rng):
    rows = int(rng.integers(2, 6))
    return {"logits": rng.normal(0, 2, (rows, 4)) + rng.permutation([-2500, 2500, 900, -900, 0])[:rows, None]}


@exercise.hidden("any shape", count=4)
def logits_of_any_shape(rng):
    return {"logits": rng.normal(0, 2, rng.integers(1, 5, rng.integers(1, 5)))}


exercise.slip(
    "exp(1000) overflows, and infinite divided by infinite is NaN. Subtract the largest logit of each row first: it "
    "changes no quotient, and no exponent is above 0 any more.",
    name="overflows",
    right="logits - logits.max(axis=-1, keepdims=True)",
    wrong="logits",
)
exercise.slip(
    "You subtract the largest logit of the whole array. A row that lies far below it becomes all zeros, and 0 / 0 is "
    "NaN; each row needs its own maximum.",
    name="one_maximum_for_all",
    right="logits.max(axis=-1, keepdims=True)",
    wrong="logits.max()",
)
exercise.slip(
    "Your columns add up to 1, your rows do not. One example's logits lie along the last axis.",
    name="along_the_first_axis",
    right="np.exp(logits - logits.max(axis=-1, keepdims=True))\n"
    "    return exponentials / exponentials.sum(axis=-1, keepdims=True)",
    wrong="np.exp(logits - logits.max(axis=0, keepdims=True))\n"
    "    return exponentials / exponentials.sum(axis=0, keepdims=True)",
)
exercise.slip(
    "You sum along axis 1, which is the last one only if there are two. `axis=-1` is the last one of any number.",
    name="along_axis_one",
    right="np.exp(logits - logits.max(axis=-1, keepdims=True))\n"
    "    return exponentials / exponentials.sum(axis=-1, keepdims=True)",
    wrong="np.exp(logits - logits.max(axis=1, keepdims=True))\n"
    "    return exponentials / exponentials.sum(axis=1, keepdims=True)",
)
exercise.slip(
    "All your entries together add up to 1. Each row is an example with probabilities of its own; sum along the last "
    "axis.",
    name="whole_array_sums_to_one",
    right="logits.max(axis=-1, keepdims=True))\n    return exponentials / exponentials.sum(axis=-1, keepdims=True)",
    wrong="logits.max())\n    return exponentials / exponentials.sum()",
)
exercise.slip(
    "Your row sums have lost an axis, so numpy divides each column by the sum of a row, or cannot divide at all. "
    "`keepdims=True` keeps the axis, with length 1.",
    name="axis_lost",
    right="exponentials.sum(axis=-1, keepdims=True)",
    wrong="exponentials.sum(axis=-1)",
)
exercise.slip(
    "These are logarithms of the probabilities, none of them above 0. The probabilities themselves are asked for.",
    name="logarithms",
    right="return exponentials / exponentials.sum(axis=-1, keepdims=True)",
    wrong="return np.log(exponentials / exponentials.sum(axis=-1, keepdims=True))",
)


@exercise.mistake(
    "You cut large logits down to one size. No exp overflows any more, but what was larger than the limit is now "
    "equal; subtract the largest logit, which keeps all differences."
)
def logits_clipped(logits):
    exponentials = np.exp(np.clip(logits, -500, 500))
    return exponentials / exponentials.sum(axis=-1, keepdims=True)


@exercise.mistake(
    "This is the sigmoid of each logit by itself: the entries of a row do not add up to 1. In a softmax the classes "
    "compete, through the sum that they share."
)
def sigmoid_of_each(logits):
    return 1 / (1 + np.exp(-logits))


exercise.slip(
    "You subtract the smallest logit of each row, so that no exponent is below 0. Overflow lies on the other side: no "
    "exponent may be far above 0.",
    name="minimum_subtracted",
    right="logits.max(",
    wrong="logits.min(",
)


@exercise.mistake(
    "Your result is right, and `logits` is changed: `-=` writes into the array that you were given. Make a new one."
)
def changed_in_place(logits):
    logits -= logits.max(axis=-1, keepdims=True)
    return np.exp(logits) / np.exp(logits).sum(axis=-1, keepdims=True)


exercise.slip(
    "Your most probable class always gets 1: nothing is divided, or by the largest exponential. Divided by their sum, "
    "the exponentials become probabilities.",
    name="divided_by_the_largest",
    right="exponentials.sum(",
    wrong="exponentials.max(",
)


@exercise.mistake(
    "Two things: all your entries together add up to 1, where each row should, along the last axis; and exp(1000) "
    "overflows, unless the largest logit of the row is subtracted first."
)
def whole_array_and_overflow(logits):
    return np.exp(logits) / np.exp(logits).sum()


@exercise.mistake(
    "Two things: axis 1 is the last one only if there are two, where `axis=-1` always is; and exp(1000) overflows, "
    "unless the largest logit of the row is subtracted first."
)
def axis_one_and_overflow(logits):
    return np.exp(logits) / np.exp(logits).sum(axis=1, keepdims=True)


exercise.slip(
    "You subtract the mean of each row. A logit far above it still overflows; subtract the largest, and no exponent is "
    "above 0.",
    name="mean_subtracted",
    right="logits.max(",
    wrong="logits.mean(",
)
exercise.slip(
    "Your maxima and sums have lost an axis, so numpy uses those of one row on another, or cannot use them at all. "
    "`keepdims=True` keeps the axis, with length 1, in both.",
    name="both_axes_lost",
    right="np.exp(logits - logits.max(axis=-1, keepdims=True))\n"
    "    return exponentials / exponentials.sum(axis=-1, keepdims=True)",
    wrong="np.exp(logits - logits.max(axis=-1))\n    return exponentials / exponentials.sum(axis=-1)",
)


@exercise.mistake(
    "Two things: your sums have lost an axis, which `keepdims=True` keeps; and exp(1000) overflows, unless the largest "
    "logit of the row is subtracted first."
)
def axis_lost_and_overflow(logits):
    return np.exp(logits) / np.exp(logits).sum(axis=-1)


@exercise.mistake(
    "Two things: your columns add up to 1, where each row should, along the last axis; and exp(1000) overflows, unless "
    "the largest logit of the row is subtracted first."
)
def first_axis_and_overflow(logits):
    return np.exp(logits) / np.exp(logits).sum(axis=0)


@exercise.mistake(
    "Three things: axis 1 is the last one only if there are two, where `axis=-1` always is; your sums have lost an "
    "axis, which `keepdims=True` keeps; and exp(1000) overflows, unless the largest logit is subtracted first."
)
def axis_one_lost_and_overflow(logits):
    return np.exp(logits) / np.exp(logits).sum(axis=1)


@exercise.alternative
def row_by_row(logits):
    rows = []
    for row in logits.reshape(-1, logits.shape[-1]).tolist():
        weights = [np.exp(logit - max(row)) for logit in row]
        rows.append([weight / sum(weights) for weight in weights])
    return np.array(rows).reshape(logits.shape)


@exercise.alternative
def by_logarithms(logits):
    return np.exp(logits - np.logaddexp.reduce(logits, axis=-1, keepdims=True)).astype(np.float32)


@exercise.alternative
def with_torch(logits):
    return torch.tensor(logits).softmax(dim=-1).numpy()
