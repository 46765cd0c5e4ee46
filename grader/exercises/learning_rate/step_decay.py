"""The exercise `step_decay`."""

import numpy as np

from grader.exercises.learning_rate.common import SINGLE_PRECISION, chapter

exercise = chapter.exercise(
    "step_decay",
    points=1,
    aspects={"between two drops": 1, "at a drop": 1, "any numbers": 1},
    hints=(
        "How many whole blocks of `every` epochs have passed by `epoch`?",
        "Python's `//` divides and rounds down. Each whole block multiplies the rate by `factor` once more.",
        "Return `learning_rate * factor ** drops`, with `drops` from the first hint.",
    ),
    tolerance=SINGLE_PRECISION,
)


@exercise.reference
def step_decay(learning_rate, epoch, factor=0.5, every=10):
    drops = epoch // every
    return learning_rate * factor**drops


exercise.case("between two drops", learning_rate=0.1, epoch=9)
exercise.case("between two drops", learning_rate=0.1, epoch=17)
exercise.case("at a drop", learning_rate=0.1, epoch=10)
exercise.case("at a drop", learning_rate=0.1, epoch=20)
exercise.case("any numbers", learning_rate=0.37, epoch=43, factor=0.37, every=8)
# In the epoch of a drop, and in the one before it.
exercise.case("any numbers", learning_rate=0.2, epoch=12, factor=0.3, every=4)
exercise.case("any numbers", learning_rate=0.2, epoch=20, factor=0.6, every=7)


@exercise.hidden("between two drops", count=3)
def epoch_between_drops(rng):
    return {"learning_rate": float(rng.uniform(0.01, 1)), "epoch": int(10 * rng.integers(1, 5) + rng.integers(1, 10))}


@exercise.hidden("at a drop", count=3)
def epoch_of_a_drop(rng):
    return {"learning_rate": float(rng.uniform(0.01, 1)), "epoch": int(10 * rng.integers(1, 6))}


@exercise.hidden("any numbers", count=8)
def any_step_decay(rng):
    return {
        "learning_rate": float(rng.uniform(0.01, 1)),
        "epoch": int(rng.integers(0, 60)),
        "factor": float(rng.uniform(0.1, 0.9)),
        "every": int(rng.integers(1, 12)),
    }


@exercise.mistake("Your rate falls a little in every epoch. It should stay level between two drops: use `//`, not `/`.")
def falls_every_epoch(learning_rate, epoch, factor=0.5, every=10):
    return learning_rate * factor ** (epoch / every)


@exercise.mistake("Your rate drops only once. After two blocks of `every` epochs it has dropped twice.")
def drops_once(learning_rate, epoch, factor=0.5, every=10):
    return learning_rate * factor if epoch >= every else learning_rate


@exercise.mistake("Your drops come one epoch late: in epoch `every` itself the rate has already dropped.")
def drops_late(learning_rate, epoch, factor=0.5, every=10):
    return learning_rate * factor ** (max(epoch - 1, 0) // every)


@exercise.mistake(
    "Your drops come one epoch early. Epochs count from 0, so `every` epochs have passed when `epoch` equals `every`, "
    "not one before."
)
def drops_early(learning_rate, epoch, factor=0.5, every=10):
    return learning_rate * factor ** ((epoch + 1) // every)


@exercise.mistake("Your drops are fixed: every 10 epochs, by a half. Use the parameters `factor` and `every` instead.")
def numbers_fixed(learning_rate, epoch, factor=0.5, every=10):
    return learning_rate * 0.5 ** (epoch // 10)


@exercise.mistake(
    "You multiply by the number of drops, so the rate is 0 before the first drop. Two drops are `factor` times "
    "`factor`: a power."
)
def times_the_number_of_drops(learning_rate, epoch, factor=0.5, every=10):
    return learning_rate * factor * (epoch // every)


@exercise.alternative
def one_drop_at_a_time(learning_rate, epoch, factor=0.5, every=10):
    for _ in range(every, epoch + 1, every):
        learning_rate = learning_rate * factor
    return learning_rate


@exercise.alternative
def floor_in_single_precision(learning_rate, epoch, factor=0.5, every=10):
    return np.float32(learning_rate) * np.float32(factor) ** np.floor(epoch / every)
