"""The exercise `ewma`."""

import numpy as np

from grader.exercises.optimizers.common import SINGLE_PRECISION, any_shape, chapter, gradients

exercise = chapter.exercise(
    "ewma",
    points=2,
    aspects={"the first value": 1, "later values": 2, "any shape": 1},
    hints=(
        "Two formulas, two results. The second divides the result of the first; nothing goes back.",
        "The exponent of the correction is `step`, as it is given. It is 1 for the first value, where the correction "
        "divides by 1 - beta.",
        "Name the new average first: `beta * average + (1 - beta) * value`. Return it and, beside it, the same divided "
        "by `1 - beta**step`. Before all that, refuse a `step` below 1.",
    ),
    tolerance=SINGLE_PRECISION,
)


@exercise.reference
def ewma(average, value, step, beta):
    if step < 1:
        raise ValueError(f"step is {step}, and the first value has step 1: count from 1")
    average = beta * average + (1 - beta) * value
    return average, average / (1 - beta**step)


exercise.case("the first value", average=np.zeros(2), value=np.array([3.0, -2.0]), step=1, beta=0.9)
exercise.case("the first value", average=np.zeros(2), value=np.array([300.0, -200.0]), step=1, beta=0.99)
exercise.case("the first value", average=np.array(0.0), value=np.array(5.0), step=1, beta=0.25)
# Counted from 0: there is nothing yet that an average could be corrected for.
exercise.case("the first value", average=np.zeros(2), value=np.array([3.0, -2.0]), step=0, beta=0.9)
exercise.case("later values", average=np.array([1.0, -2.0]), value=np.array([5.0, 2.0]), step=2, beta=0.5)
exercise.case("later values", average=np.array([0.6, -1.0]), value=np.array([3.0, 4.0]), step=5, beta=0.9)
# A long memory: there is much to correct for a long time.
exercise.case("later values", average=np.array([2.0, -1.0]), value=np.array([4.0, 3.0]), step=40, beta=0.98)
exercise.case("later values", average=np.array([2.0, -1.0]), value=np.array([4.0, 3.0]), step=400, beta=0.99)
exercise.case("later values", average=np.array([2.0, -1.0]), value=np.array([4.0, 3.0]), step=7, beta=0.0)
exercise.case("later values", average=np.array([2.0, -1.0]), value=np.array([4.0, 3.0]), step=1000, beta=0.75)
# So late that nothing is left to correct: this aspect holds without the correction too.
exercise.case("any shape", average=np.array(2.0), value=np.array(-3.0), step=800, beta=0.8)
exercise.case(
    "any shape",
    average=np.array([[1.0, 0.5, -1.0], [2.0, 0.0, 3.0]]),
    value=np.array([[4.0, -1.0, 2.0], [1.0, 5.0, -2.0]]),
    step=400,
    beta=0.7,
)


def one_value(rng, shape, step):
    return {
        "average": gradients(rng, shape),
        "value": gradients(rng, shape),
        "step": step,
        "beta": float(rng.uniform(0.6, 0.9)),
    }


@exercise.hidden("the first value", count=3)
def first_value(rng):
    return one_value(rng, (4,), 1) | {"average": np.zeros(4)}


@exercise.hidden("later values", count=5)
def later_value(rng):
    return one_value(rng, (5,), int(rng.integers(2, 12)))


@exercise.hidden("any shape", count=4)
def value_of_any_shape(rng):
    return one_value(rng, any_shape(rng), int(rng.integers(300, 900)))


exercise.slip(
    "Your second result is not corrected: at the first value it is only the share 1 - beta of it. The average still "
    "remembers the 0 that it started from.",
    name="no_correction",
    right="average / (1 - beta**step)",
    wrong="average",
)
exercise.slip(
    "Your correction counts one value too few, and divides by 0 at the first. `step` counts from 1 already, so it is "
    "the exponent as it is.",
    name="exponent_one_too_small",
    right="beta**step",
    wrong="beta ** (step - 1)",
)
exercise.slip(
    "Your correction counts one value too many: at the first value the corrected average is too small. `step` counts "
    "from 1 already, so it is the exponent as it is.",
    name="exponent_one_too_large",
    right="beta**step",
    wrong="beta ** (step + 1)",
)
exercise.slip(
    "Your brackets are missing: the average is divided by 1, and then the power of beta is taken off. Divide by the "
    "whole difference.",
    name="brackets_missing",
    right="average / (1 - beta**step)",
    wrong="average / 1 - beta**step",
)
exercise.slip(
    "Your correction never fades: it divides by 1 - beta at every step, as if each were the first. beta is raised to "
    "the power of `step`.",
    name="correction_never_fades",
    right="beta**step",
    wrong="beta",
)
exercise.slip(
    "You multiply beta by the step, where a power is asked for. After some steps the correction even turns negative.",
    name="times_in_place_of_a_power",
    right="beta**step",
    wrong="beta * step",
)


@exercise.mistake(
    "You carry on the corrected average: both results are the same. The next call needs the uncorrected one; corrected "
    "again and again, it would grow far too large."
)
def correction_carried_on(average, value, step, beta):
    if step < 1:
        raise ValueError(f"step is {step}")
    average = (beta * average + (1 - beta) * value) / (1 - beta**step)
    return average, average


exercise.slip(
    "Your two weights are the wrong way round: the larger beta, the more should stay of the old average and the less "
    "should come from the new value.",
    name="weights_swapped",
    right="beta * average + (1 - beta) * value",
    wrong="(1 - beta) * average + beta * value",
)
exercise.slip(
    "Your averages are too large: the value goes in whole. It counts with the weight 1 - beta, so that the two weights "
    "add up to 1.",
    name="whole_value_added",
    right="(1 - beta) * value",
    wrong="value",
)
exercise.slip(
    "You multiply by 1 - beta**step, and what is too small gets smaller still. The weights so far add up to that "
    "number: divide by it.",
    name="multiplied_by_the_correction",
    right="average / (1",
    wrong="average * (1",
)
exercise.slip(
    "You return the corrected average only. The next call needs the uncorrected one: return both, that one first.",
    name="average_not_returned",
    right="return average, average / (1 - beta**step)",
    wrong="return average / (1 - beta**step)",
)
exercise.slip(
    "Your two results are the wrong way round: first the average that is carried on, then the corrected one.",
    name="results_swapped",
    right="return average, average / (1 - beta**step)",
    wrong="return average / (1 - beta**step), average",
)
exercise.slip(
    "You correct the old average, without the new value in it. The formula divides the new one.",
    name="old_average_corrected",
    right="    average = beta * average + (1 - beta) * value\n    return average, average / (1 - beta**step)",
    wrong="    return beta * average + (1 - beta) * value, average / (1 - beta**step)",
)


@exercise.mistake(
    "The numbers are right, but `*=` and `+=` write into `average`, which belongs to whoever calls you. Make a new "
    "array."
)
def in_place(average, value, step, beta):
    if step < 1:
        raise ValueError(f"step is {step}")
    average *= beta
    average += (1 - beta) * value
    return average, average / (1 - beta**step)


@exercise.mistake(
    "At step 0 your correction divides by 0, and the average is NaN or infinite from then on. Whoever counts from 0 by "
    "mistake should be told: raise a ValueError for everything below 1."
)
def no_step_refused(average, value, step, beta):
    average = beta * average + (1 - beta) * value
    return average, average / (1 - beta**step)


@exercise.mistake(
    "Your average is right, and two things are missing. The second result is the average divided by 1 - beta**step, "
    "which is all the weight that the values have had so far. And a step below 1 is to be refused with a ValueError."
)
def no_correction_and_no_step_refused(average, value, step, beta):
    average = beta * average + (1 - beta) * value
    return average, average


@exercise.mistake(
    "Both your results are corrected, but the next call needs the average as it was before the correction. And a step "
    "below 1 is to be refused with a ValueError: at 0 you divide by 0."
)
def correction_carried_on_and_no_step_refused(average, value, step, beta):
    average = (beta * average + (1 - beta) * value) / (1 - beta**step)
    return average, average


@exercise.mistake(
    "Both your results come out too large: the value counts with the weight 1 - beta, not whole. And a step below 1 is "
    "to be refused with a ValueError: at 0 you divide by 0."
)
def whole_value_added_and_no_step_refused(average, value, step, beta):
    average = beta * average + value
    return average, average / (1 - beta**step)


@exercise.alternative
def a_step_towards_the_value(average, value, step, beta):
    if not step >= 1:
        raise ValueError("count from 1")
    new = average + (1 - beta) * (value - average)
    total_weight = sum((1 - beta) * beta**age for age in range(step))
    return [new, new / total_weight]


@exercise.alternative
def in_single_precision(average, value, step, beta):
    if step <= 0:
        raise ValueError(step)
    beta = np.float32(beta)
    new = beta * np.float32(average) + (1 - beta) * np.float32(value)
    return new, new / (1 - beta ** np.float32(step))
