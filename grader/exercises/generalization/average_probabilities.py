"""The exercise `average_probabilities`."""

import numpy as np
import torch

from grader.exercises.generalization.common import SINGLE_PRECISION, chapter

exercise = chapter.exercise(
    "average_probabilities",
    points=2,
    aspects={"one example": 1, "many examples": 1, "huge logits, or none": 1},
    hints=(
        "Two steps, and their sequence counts: first each member's own probabilities, then their mean.",
        "The classes lie along `axis=2` and the members along `axis=0`. Subtracting the same number from all logits of "
        "an example changes nothing in its softmax; subtract the largest, and nothing overflows.",
        "`exponentials = np.exp(logits - logits.max(axis=2, keepdims=True))`, divided by their sum along the same "
        "axis, are the probabilities of all members; then `.mean(axis=0)`. Look for NaN and for no member first.",
    ),
    tolerance=SINGLE_PRECISION,
)


@exercise.reference
def average_probabilities(logits):
    if len(logits) == 0:
        raise ValueError("there are 0 models and nothing to average; train at least one")
    sick = np.flatnonzero(np.isnan(logits).any(axis=(1, 2)))
    if len(sick) > 0:
        raise ValueError(f"model {sick[0]} has logits that are NaN; train it again, at a lower rate")
    exponentials = np.exp(logits - logits.max(axis=2, keepdims=True))
    probabilities = exponentials / exponentials.sum(axis=2, keepdims=True)
    return probabilities.mean(axis=0)


# One member is very sure, the others are not and say something else.
exercise.case("one example", logits=np.array([[[5.0, 0.0, -1.0]], [[0.0, 1.0, 0.5]], [[-0.5, 0.5, 0.0]]]))
exercise.case("one example", logits=np.array([[[1.0, 2.0]], [[4.0, -2.0]]]))
exercise.case(
    "many examples",
    logits=np.array(
        [
            [[2.0, 0.0, 1.0], [0.0, 3.0, 0.0], [-1.0, 0.5, 2.5], [1.0, 1.5, 0.0]],
            [[0.5, 1.0, 4.0], [2.0, -1.0, 0.0], [0.0, 0.0, 3.0], [1.0, -2.5, 0.5]],
        ]
    ),
)
# As many members as examples as classes.
exercise.case("many examples", logits=np.array([[[2.0, 0.0], [0.0, 3.0]], [[0.5, 1.0], [4.0, -1.0]]]))
exercise.case("huge logits, or none", logits=np.array([[[1000.0, 1001.0], [0.0, 1.0]], [[1.0, 0.0], [999.0, 1000.0]]]))
exercise.case("huge logits, or none", logits=np.array([[[1000.0, 1001.0]], [[1003.0, 1000.0]]]))
exercise.case("huge logits, or none", logits=np.array([[[0.0, 1.0], [1000.0, 1001.0]], [[2.0, 0.0], [1003.0, 1000.0]]]))
# The logits of one example lie far apart.
exercise.case("huge logits, or none", logits=np.array([[[3000.0, 0.0, 1.0]], [[0.0, 1.0, -3000.0]]]))
# Classes that are ruled out.
exercise.case("huge logits, or none", logits=np.array([[[-np.inf, 1.0, 0.5]], [[2.0, -np.inf, -np.inf]]]))
# One example's logits lie far below another's.
exercise.case(
    "huge logits, or none", logits=np.array([[[-1000.0, -1001.0], [1.0, 2.0]], [[-5.0, -3.0], [900.0, 899.0]]])
)
exercise.case("huge logits, or none", logits=np.array([[[0.5, 1.0], [2.0, 0.0]], [[np.nan, 1.0], [0.0, 1.0]]]))
exercise.case("huge logits, or none", logits=np.empty((0, 2, 3)))


@exercise.hidden("one example", count=3)
def members_on_one_example(rng):
    return {"logits": rng.normal(0, 3, (int(rng.integers(2, 7)), 1, int(rng.integers(2, 10))))}


@exercise.hidden("many examples", count=4)
def members_on_many_examples(rng):
    return {"logits": rng.normal(0, 3, rng.integers([2, 3, 2], [7, 20, 10]))}


@exercise.hidden("huge logits, or none", count=4)
def far_from_0(rng):
    models, n, classes = rng.integers([2, 3, 2], [5, 8, 6])
    logits = np.round(8 * rng.normal(0, 3, (models, n, classes))) / 8  # to stay the same in single precision
    return {"logits": logits + rng.choice([-2000, -900, 0, 900, 2000], (models, n, 1))}


@exercise.hidden("huge logits, or none", count=2)
def one_member_diverged(rng):
    logits = rng.normal(0, 3, (4, 5, 3))
    logits[rng.integers(4), rng.integers(5), rng.integers(3)] = np.nan
    return {"logits": logits}


@exercise.mistake(
    "You average the logits and take the softmax afterwards. The most confident member then decides nearly alone; "
    "asked for is the mean of the probabilities, and the softmax comes first."
)
def softmax_of_the_mean_logits(logits):
    if len(logits) == 0 or np.isnan(logits).any():
        raise ValueError("no logits")
    mean = logits.mean(axis=0)
    exponentials = np.exp(mean - mean.max(axis=1, keepdims=True))
    return exponentials / exponentials.sum(axis=1, keepdims=True)


exercise.slip(
    "You return the mean logits, which are no probabilities: they need not be positive nor add up to 1.",
    name="mean_logits",
    right="probabilities.mean(axis=0)",
    wrong="logits.mean(axis=0)",
)
exercise.slip(
    "You add the members' probabilities up. The classes of an example should have the sum 1, whatever the number of "
    "members: take the mean.",
    name="summed_up",
    right="probabilities.mean(axis=0)",
    wrong="probabilities.sum(axis=0)",
)


@exercise.mistake(
    "Your softmax runs over the examples, so the probabilities of one class add up to 1 over the data. They should add "
    "up over the classes, the last axis."
)
def softmax_over_the_examples(logits):
    if len(logits) == 0 or np.isnan(logits).any():
        raise ValueError("no logits")
    exponentials = np.exp(logits - logits.max(axis=1, keepdims=True))
    return (exponentials / exponentials.sum(axis=1, keepdims=True)).mean(axis=0)


@exercise.mistake(
    "Your softmax runs over the members, so they compete with each other. Each member has probabilities of its own, "
    "which add up to 1 over the classes."
)
def softmax_over_the_members(logits):
    if len(logits) == 0 or np.isnan(logits).any():
        raise ValueError("no logits")
    exponentials = np.exp(logits - logits.max(axis=0, keepdims=True))
    return (exponentials / exponentials.sum(axis=0, keepdims=True)).mean(axis=0)


exercise.slip(
    "You average over the examples. The members are the first axis; the examples stay apart.",
    name="averaged_over_the_examples",
    right="probabilities.mean(axis=0)",
    wrong="probabilities.mean(axis=1)",
)
exercise.slip(
    "Your exponentials overflow: `np.exp(1000)` is infinite, and infinite by infinite is NaN. Subtract the largest "
    "logit of each example first; the softmax stays the same.",
    name="overflow",
    right="np.exp(logits - logits.max(axis=2, keepdims=True))",
    wrong="np.exp(logits)",
)
exercise.slip(
    "You subtract the largest logit of all. Where an example's own logits lie far below it, all its exponentials "
    "become 0, and 0 / 0 is NaN. Subtract each example's own largest.",
    name="one_maximum_for_all",
    right="logits.max(axis=2, keepdims=True)",
    wrong="logits.max()",
)
exercise.slip(
    "You cut large logits off. Two of them that differ by 1 become equal, and with them the probabilities; subtract "
    "the largest instead.",
    name="logits_clipped",
    right="np.exp(logits - logits.max(axis=2, keepdims=True))",
    wrong="np.exp(np.clip(logits, -500, 500))",
)


@exercise.mistake(
    "You let the members vote and return the share of votes. A vote forgets how sure a member is; average the "
    "probabilities."
)
def shares_of_votes(logits):
    if len(logits) == 0 or np.isnan(logits).any():
        raise ValueError("no logits")
    return np.eye(logits.shape[2])[logits.argmax(axis=2)].mean(axis=0)


exercise.slip(
    "You multiply the members' probabilities instead of averaging them: a single member that says 0 forbids a class.",
    name="multiplied",
    right="probabilities.mean(axis=0)",
    wrong="probabilities.prod(axis=0)",
)
exercise.slip(
    "You take the median of the members. With their median the classes need not add up to 1; the mean is asked for.",
    name="median_of_the_members",
    right="probabilities.mean(axis=0)",
    wrong="np.sort(probabilities, axis=0)[len(logits) // 2]",
)
exercise.slip(
    "You return the probabilities of the first member only.",
    name="first_member",
    right="probabilities.mean(axis=0)",
    wrong="probabilities[0]",
)
exercise.slip(
    "You pass over members whose logits are NaN. A member that diverged is a fault that somebody has to know of: "
    "refuse it with `raise ValueError`.",
    name="sick_member_left_out",
    right="    if len(sick) > 0:\n"
    '        raise ValueError(f"model {sick[0]} has logits that are NaN; train it again, at a lower rate")',
    wrong="    logits = np.delete(logits, sick, axis=0)",
)
exercise.slip(
    "One NaN among the logits makes probabilities of your ensemble NaN, and `argmax` would call them class 0. Refuse "
    "it with `raise ValueError`.",
    name="nan_accepted",
    right="len(sick) > 0",
    wrong="len(sick) > len(logits)",
)
exercise.slip(
    "You refuse a logit of -inf. It rules its class out and nothing more: its exponential is 0.",
    name="infinity_refused",
    right="np.isnan(logits).any(axis=(1, 2))",
    wrong="~np.isfinite(logits).all(axis=(1, 2))",
)
exercise.slip(
    "Without a single model you return NaN, the mean of nothing. Refuse it with `raise ValueError`.",
    name="no_model_accepted",
    right="len(logits) == 0",
    wrong="len(logits) < 0",
)


@exercise.mistake(
    "The mean of the softmax is right for small logits. Two things are still missing: large ones overflow (subtract "
    "each example's largest first), and NaN or no model at all is to be refused."
)
def the_formula_alone(logits):
    exponentials = np.exp(logits)
    return (exponentials / exponentials.sum(axis=2, keepdims=True)).mean(axis=0)


@exercise.mistake(
    "Two things to mend. Your softmax runs over the examples, and it should run over the classes, the last axis. And "
    "large logits overflow; subtract each example's largest first."
)
def overflow_over_the_examples(logits):
    exponentials = np.exp(logits)
    return (exponentials / exponentials.sum(axis=1, keepdims=True)).mean(axis=0)


@exercise.mistake(
    "Two things to mend. Your softmax runs over the members, and each member has probabilities of its own, which add "
    "up to 1 over the classes. And large logits overflow; subtract each example's largest first."
)
def overflow_over_the_members(logits):
    exponentials = np.exp(logits)
    return (exponentials / exponentials.sum(axis=0, keepdims=True)).mean(axis=0)


@exercise.mistake(
    "Your probabilities are right. What is still missing are the calls without an answer, a logit that is NaN and no "
    "model at all: refuse them with `raise ValueError`."
)
def nothing_refused(logits):
    exponentials = np.exp(logits - logits.max(axis=2, keepdims=True))
    return (exponentials / exponentials.sum(axis=2, keepdims=True)).mean(axis=0)


@exercise.alternative
def member_by_member(logits):
    if not logits.size or (logits != logits).any():
        raise ValueError("no logits")
    total = np.zeros(logits.shape[1:])
    for member in logits:
        for example, row in enumerate(member):
            exponentials = np.exp(row - max(row))
            total[example] += exponentials / sum(exponentials)
    return total / len(logits)


@exercise.alternative
def with_torch(logits):
    if logits.shape[0] == 0 or np.isnan(logits.sum()):
        raise ValueError("no logits")
    return torch.from_numpy(logits.astype(np.float32)).softmax(dim=-1).mean(dim=0).numpy()


@exercise.alternative
def in_logarithms(logits):
    if len(logits) < 1 or np.isnan(logits).any():
        raise ValueError("no logits")
    normalizers = np.logaddexp.reduce(logits, axis=2, keepdims=True)
    return np.exp(np.logaddexp.reduce(logits - normalizers, axis=0) - np.log(len(logits)))
