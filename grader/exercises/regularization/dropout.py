"""The exercise `dropout`."""

import numpy as np

from grader.exercises.regularization.common import SINGLE_PRECISION, any_shape, chapter, numbers

exercise = chapter.exercise(
    "dropout",
    points=2,
    aspects={"training": 2, "evaluation and refused rates": 1, "rate 0 and rate 1": 1},
    hints=(
        "Ask of each draw whether it is less than the rate: you get True where the activation is dropped. What share "
        "of the activations is kept then, on average?",
        "The share that is kept is 1 - rate, and the activations that are kept are divided by it, in training only. "
        "With rate 1 nothing is kept: think of that before you divide.",
        "`np.where(uniform < rate, 0.0, ...)` chooses entry by entry. Deal with evaluation and with rate 1 in lines of "
        "their own, and refuse other rates before everything else.",
    ),
    tolerance=SINGLE_PRECISION,
)


@exercise.reference
def dropout(activations, uniform, rate, training=True):
    if not 0 <= rate <= 1:
        raise ValueError(f"rate is {rate}, and the share that is dropped lies between 0 and 1")
    if not training:
        return activations
    if rate == 1:
        return np.zeros_like(activations)
    return np.where(uniform < rate, 0.0, activations / (1 - rate))


four = {"activations": np.array([1.0, 2.0, -3.0, 4.0]), "uniform": np.array([0.9, 0.1, 0.22, 0.3])}
exercise.case("training", **four, rate=0.2)
exercise.case("training", **four, rate=0.25)
exercise.case("training", **four, rate=0.75, training=True)
exercise.case(
    "training",
    activations=np.array([[1.0, -2.0, 0.5], [4.0, 3.0, -6.0]]),
    uniform=np.array([[0.45, 0.93, 0.28], [0.07, 0.61, 0.84]]),
    rate=0.5,
)
exercise.case("training", activations=np.array(3.0), uniform=np.array(0.7), rate=0.4)
# Nearly everything is dropped, but not everything.
exercise.case("training", activations=np.array([1.0, -2.0]), uniform=np.array([0.997, 0.6]), rate=0.995)
exercise.case("evaluation and refused rates", **four, rate=0.25, training=False)
exercise.case("evaluation and refused rates", **four, rate=0.8, training=False)
exercise.case("evaluation and refused rates", **four, rate=1.0, training=False)
exercise.case("evaluation and refused rates", **four, rate=-0.1)
exercise.case("evaluation and refused rates", **four, rate=1.5)
exercise.case("evaluation and refused rates", **four, rate=1.5, training=False)
exercise.case("rate 0 and rate 1", activations=np.array([1.0, 2.0, -3.0]), uniform=np.array([0.9, 0.0, 0.2]), rate=0.0)
exercise.case("rate 0 and rate 1", activations=np.array([1.0, 2.0, -3.0]), uniform=np.array([0.9, 0.0, 0.2]), rate=1.0)


def one_call(rng, shape, rate, training):
    return {
        "activations": numbers(rng, shape),
        "uniform": np.array(rng.uniform(size=shape)),
        "rate": rate,
        "training": training,
    }


@exercise.hidden("training", count=5)
def in_training(rng):
    return one_call(rng, any_shape(rng), float(rng.uniform(0.1, 0.9)), True)


@exercise.hidden("evaluation and refused rates", count=3)
def in_evaluation(rng):
    return one_call(rng, any_shape(rng), float(rng.uniform(0.1, 0.9)), False)


@exercise.hidden("rate 0 and rate 1", count=4)
def at_the_edge(rng):
    return one_call(rng, (3, 4), float(rng.integers(2)), True)


exercise.slip(
    "The right ones are dropped, and the others keep their size. So the next layer gets less on average in training "
    "than in evaluation, where nothing is dropped. Scale up what is kept.",
    name="not_scaled",
    right="activations / (1 - rate)",
    wrong="activations",
)


@exercise.mistake(
    "What is kept keeps its size, so the next layer gets less on average in training than in evaluation: scale it up. "
    "And dropped is what is *less* than the rate, so a draw of 0 stays at rate 0."
)
def not_scaled_and_equal_dropped(activations, uniform, rate, training=True):
    if not 0 <= rate <= 1:
        raise ValueError("rate is no share")
    if not training:
        return activations
    return activations * (uniform > rate)


exercise.slip(
    "You divide what is kept by the rate, that is by the share that is *dropped*. Only at a half the two are one.",
    name="divided_by_the_rate",
    right="activations / (1 - rate)",
    wrong="activations / np.float64(rate)",
)
exercise.slip(
    "You make what is kept smaller, and the mean shrinks twice: by what is dropped and by your factor. Divide by "
    "1 - rate.",
    name="multiplied_by_the_share_kept",
    right="activations / (1 - rate)",
    wrong="activations * (1 - rate)",
)


@exercise.mistake(
    "You keep where the draw is below the rate and drop where it is not. With rate 0.2 you drop four of five; the rate "
    "is the share that is dropped."
)
def kept_and_dropped_swapped(activations, uniform, rate, training=True):
    if not 0 <= rate <= 1:
        raise ValueError("rate is no share")
    if not training:
        return activations
    return activations * (uniform < rate) / (1 - rate)


exercise.slip(
    "You drop where the draw is *not* less than the rate, and keep where it is. With rate 0.2 you drop four of five; "
    "the rate is the share that is dropped.",
    name="mask_inverted",
    right="uniform < rate",
    wrong="uniform >= rate",
)


@exercise.mistake(
    "Between the ends this is right. At rate 0 a draw of 0 is dropped, for it is not *more* than the rate; at rate 1 "
    "you divide by the share kept, 0, and get NaN. Dropped is what is less than the rate, and at rate 1 all are 0."
)
def both_ends_overlooked(activations, uniform, rate, training=True):
    if not 0 <= rate <= 1:
        raise ValueError("rate is no share")
    if not training:
        return activations
    return activations * (uniform > rate) / (1 - rate)


@exercise.mistake(
    "This is the formula for training. Three things are missing: in evaluation the activations stay as they are, at "
    "rate 1 all are 0 and nothing is divided, and a rate that is no share is refused."
)
def formula_only(activations, uniform, rate, training=True):
    return activations * (uniform >= rate) / (1 - rate)


@exercise.mistake(
    "This is nearly the formula for training. Four things are missing: in evaluation the activations stay as they are, "
    "at rate 1 all are 0 and nothing is divided, at rate 0 a draw of 0 is kept, for it is not less, and a rate that is "
    "no share is refused."
)
def formula_only_and_equal_dropped(activations, uniform, rate, training=True):
    return activations * (uniform > rate) / (1 - rate)


@exercise.mistake(
    "You take the rate for the share that is *kept*, and scale by it. Older libraries called that number so. Here it "
    "is the share dropped: with rate 0.2 four of five stay, divided by 0.8."
)
def rate_taken_for_the_share_kept(activations, uniform, rate, training=True):
    if not 0 <= rate <= 1:
        raise ValueError("rate is no share")
    if not training:
        return activations
    return activations * (uniform < rate) / np.float64(rate)


exercise.slip(
    "A draw that equals the rate counts as dropped in your answer. Dropped is what is *less*: at rate 0 a draw of 0 "
    "can occur, and nothing is dropped.",
    name="equal_is_dropped",
    right="uniform < rate",
    wrong="uniform <= rate",
)
exercise.slip(
    "You drop in evaluation too, so the same image gets another answer each time. With `training=False` the "
    "activations stay as they are.",
    name="drops_in_evaluation",
    right="    if not training:\n        return activations\n",
    wrong="",
)
exercise.slip(
    "You scale in training and in evaluation. One of them is enough: inverted dropout divides in training, so that "
    "evaluation has nothing left to do.",
    name="scaled_twice",
    right="return activations\n",
    wrong="return activations * (1 - rate)\n",
)


@exercise.mistake(
    "That is dropout as it was first published: nothing is scaled in training, and everything in evaluation. The means "
    "agree, but inverted dropout does it the other way round: divide in training, leave evaluation alone."
)
def scaled_in_evaluation_only(activations, uniform, rate, training=True):
    if not 0 <= rate <= 1:
        raise ValueError("rate is no share")
    return np.where(uniform < rate, 0.0, activations) if training else activations * (1 - rate)


exercise.slip(
    "At rate 1 your answer is not finite: all are dropped, and you divide by the share kept, 0. Everything is 0 there; "
    "say so before you divide.",
    name="nothing_kept_overlooked",
    right="    if rate == 1:\n        return np.zeros_like(activations)\n"
    "    return np.where(uniform < rate, 0.0, activations / (1 - rate))",
    wrong="    return (uniform >= rate) / np.float64(1 - rate) * np.where(uniform < rate, 0.0, activations)",
)


@exercise.mistake(
    "At rate 1 your function divides by the share kept, 0, and Python stops it. Everything is dropped there, so all "
    "are 0: say so before you divide."
)
def stopped_by_zero(activations, uniform, rate, training=True):
    if not 0 <= rate <= 1:
        raise ValueError("rate is no share")
    if not training:
        return activations
    scale = 1 / (1 - rate)
    return np.where(uniform < rate, 0.0, activations * scale)


exercise.slip(
    "At rate 1 you refuse. It is a rate like any other: everything is dropped.",
    name="rate_one_refused",
    right="0 <= rate <= 1",
    wrong="0 <= rate < 1",
)
exercise.slip(
    "At rate 1 you return the activations as they are. Everything is dropped there, so all are 0.",
    name="rate_one_keeps_all",
    right="np.zeros_like(activations)",
    wrong="activations",
)
exercise.slip(
    "You divide by the share that happened to be kept this time. The factor is fixed, 1 / (1 - rate): only then the "
    "mean of each activation is right, whatever happens to the others.",
    name="divided_by_the_share_that_was_kept",
    right="activations / (1 - rate)",
    wrong="activations / np.mean(uniform >= rate)",
)
exercise.slip(
    "A rate below 0 or above 1 goes through. No share is like that: refuse it with a ValueError, in evaluation too.",
    name="rate_not_looked_at",
    right="if not 0 <= rate <= 1:",
    wrong="if rate != rate:",
)


@exercise.mistake(
    "A rate that is no share is refused in training and goes through in evaluation. It is wrong there as well: look at "
    "it first."
)
def rate_not_looked_at_in_evaluation(activations, uniform, rate, training=True):
    if not training:
        return activations
    if not 0 <= rate <= 1:
        raise ValueError("rate is no share")
    if rate == 1:
        return np.zeros_like(activations)
    return np.where(uniform < rate, 0.0, activations / (1 - rate))


@exercise.mistake(
    "The numbers are right, but you write the zeros into `activations`, which belongs to whoever calls you. Make a new "
    "array."
)
def in_place(activations, uniform, rate, training=True):
    if not 0 <= rate <= 1:
        raise ValueError("rate is no share")
    if not training:
        return activations
    activations[uniform < rate] = 0.0
    return activations / (1 - rate) if rate < 1 else activations


@exercise.alternative
def into_a_copy(activations, uniform, rate, training=True):
    if rate < 0 or rate > 1:
        raise ValueError("the rate is a share")
    result = np.array(activations, dtype=np.float32)
    if training and rate > 0:
        result[uniform < rate] = 0
        if rate < 1:
            result *= 1 / (1 - rate)
    return result


@exercise.alternative
def entry_by_entry(activations, uniform, rate, training=True):
    if not (rate >= 0 and rate <= 1):
        raise ValueError(rate)
    result = np.zeros(activations.shape)
    for place in np.ndindex(activations.shape):
        if not training:
            result[place] = activations[place]
        elif uniform[place] >= rate:
            result[place] = activations[place] / (1 - rate)
    return result
