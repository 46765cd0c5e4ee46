"""The exercise `cosine_restarts`."""

import numpy as np

from grader.exercises.learning_rate.common import SINGLE_PRECISION, chapter

exercise = chapter.exercise(
    "cosine_restarts",
    points=3,
    aspects={"first cycle": 1, "later cycles": 2, "any multiplier and minimum": 1},
    hints=(
        "Two questions: how long is the cycle that `epoch` falls into, and how many epochs of it have passed? The rest "
        "is cosine decay within one cycle.",
        "Start with a cycle of `first_cycle` epochs. As long as `epoch` lies beyond the cycle, take the cycle's length "
        "off `epoch` and make the next cycle longer.",
        "`while epoch >= length:` subtract `length` from `epoch`, then multiply `length` by `multiplier`. After the "
        "loop `epoch / length` is the share of the cycle that is done.",
    ),
    tolerance=SINGLE_PRECISION,
)


@exercise.reference
def cosine_restarts(learning_rate, epoch, first_cycle, multiplier=2, minimum=0.0):
    length = first_cycle
    while epoch >= length:
        epoch -= length
        length *= multiplier
    wave = (1 + np.cos(np.pi * epoch / length)) / 2
    return float(minimum + (learning_rate - minimum) * wave)


exercise.case("first cycle", learning_rate=0.1, epoch=0, first_cycle=10)
exercise.case("first cycle", learning_rate=0.1, epoch=5, first_cycle=10)
exercise.case("later cycles", learning_rate=0.1, epoch=10, first_cycle=10)
exercise.case("later cycles", learning_rate=0.1, epoch=20, first_cycle=10)
exercise.case("later cycles", learning_rate=0.1, epoch=60, first_cycle=10)
exercise.case("any multiplier and minimum", learning_rate=0.4, epoch=8, first_cycle=4, multiplier=3, minimum=0.1)
exercise.case("any multiplier and minimum", learning_rate=0.4, epoch=7, first_cycle=3, multiplier=1)
# The fifth cycle of 3 ** 4 epochs has just ended: a logarithm, rounded down, may find one cycle too few.
exercise.case("any multiplier and minimum", learning_rate=0.4, epoch=121, first_cycle=1, multiplier=3)
# After many short cycles, of which an odd and an even number have passed.
exercise.case("any multiplier and minimum", learning_rate=0.4, epoch=50, first_cycle=1, multiplier=1)
exercise.case("any multiplier and minimum", learning_rate=0.4, epoch=51, first_cycle=1, multiplier=1)


@exercise.hidden("first cycle", count=3)
def in_the_first_cycle(rng):
    first_cycle = int(rng.integers(3, 40))
    epoch = int(rng.integers(1, first_cycle))
    return {"learning_rate": float(rng.uniform(0.01, 1)), "epoch": epoch, "first_cycle": first_cycle}


@exercise.hidden("later cycles", count=5)
def in_a_later_cycle(rng):
    first_cycle = int(rng.integers(1, 12))
    epoch = int(rng.integers(first_cycle, 16 * first_cycle))
    return {"learning_rate": float(rng.uniform(0.01, 1)), "epoch": epoch, "first_cycle": first_cycle}


@exercise.hidden("any multiplier and minimum", count=6)
def any_restarts(rng):
    return in_a_later_cycle(rng) | {
        "multiplier": int(rng.integers(1, 5)),
        "minimum": float(rng.uniform(0.001, 0.01)),
    }


@exercise.hidden("any multiplier and minimum", count=6)
def start_of_a_cycle(rng):
    first_cycle, multiplier = int(rng.integers(1, 8)), int(rng.integers(2, 5))
    lengths = first_cycle * multiplier ** np.arange(rng.integers(1, 8))
    return {
        "learning_rate": float(rng.uniform(0.01, 1)),
        "epoch": int(lengths.sum()),
        "first_cycle": first_cycle,
        "multiplier": multiplier,
    }


@exercise.hidden("any multiplier and minimum", count=3)
def many_equal_cycles(rng):
    first_cycle = int(rng.integers(2, 6))
    epoch = int(rng.integers(30, 90)) * first_cycle + int(rng.integers(0, first_cycle))
    return {
        "learning_rate": float(rng.uniform(0.01, 1)),
        "epoch": epoch,
        "first_cycle": first_cycle,
        "multiplier": 1,
    }


@exercise.mistake(
    "Your rate never comes back up: after the first cycle it stays at the minimum. What should happen in epoch "
    "`first_cycle`?"
)
def never_restarts(learning_rate, epoch, first_cycle, multiplier=2, minimum=0.0):
    progress = min(epoch / first_cycle, 1)
    return minimum + (learning_rate - minimum) * (1 + np.cos(np.pi * progress)) / 2


@exercise.mistake(
    "All your cycles are as long as the first: `epoch % first_cycle` cannot know that they grow. Go from cycle to "
    "cycle and let the length grow by `multiplier`."
)
def cycles_never_grow(learning_rate, epoch, first_cycle, multiplier=2, minimum=0.0):
    progress = epoch % first_cycle / first_cycle
    return minimum + (learning_rate - minimum) * (1 + np.cos(np.pi * progress)) / 2


exercise.slip(
    "Your second cycle is right, the third is too short: each cycle is longer by `first_cycle`. `multiplier` is a "
    "factor on the length before, so lengths grow like 10, 20, 40.",
    name="cycles_grow_by_adding",
    right="length *= multiplier",
    wrong="length += (multiplier - 1) * first_cycle",
)


@exercise.mistake(
    "Your cycles are found, but the wave is not at its top when one starts. Count the epochs from the start of the "
    "cycle, not from the start of training."
)
def counts_from_the_beginning(learning_rate, epoch, first_cycle, multiplier=2, minimum=0.0):
    end = length = first_cycle
    while epoch >= end:
        length *= multiplier
        end += length
    return minimum + (learning_rate - minimum) * (1 + np.cos(np.pi * epoch / length)) / 2


exercise.slip(
    "Your restarts come one epoch late. In epoch `first_cycle` itself the second cycle has begun: `>=`, not `>`.",
    name="restarts_late",
    right="epoch >= length",
    wrong="epoch > length",
)
exercise.slip(
    "The length grows before the old cycle is taken off: you subtract the next cycle's length. Swap the two lines.",
    name="grows_before_subtracting",
    right="epoch -= length\n        length *= multiplier",
    wrong="length *= multiplier\n        epoch -= length",
)
exercise.slip(
    "Your first two cycles are right. With `if` only one cycle is taken off; by now there may have been many, so go on "
    "as long as `epoch` lies beyond the cycle.",
    name="only_one_restart",
    right="while epoch",
    wrong="if epoch",
)
exercise.slip(
    "You find the place in the cycle, and divide it by the length of the first one. Each cycle has its own length, and "
    "its wave is as long.",
    name="wave_of_the_first_cycle",
    right="epoch / length)",
    wrong="epoch / first_cycle)",
)
exercise.slip(
    "Your cycles are right, but each of them heads for 0. The wave should end at `minimum`.",
    name="restarts_to_zero",
    right="minimum + (learning_rate - minimum)",
    wrong="learning_rate",
)
exercise.slip(
    "Your rate swings down and up again within a cycle: a whole wave. A restart is a jump; the way down is half a "
    "wave.",
    name="swings_back_up",
    right="np.pi * epoch",
    wrong="2 * np.pi * epoch",
)
exercise.slip(
    "Your rate rises within each cycle, and drops when the next one starts. The wave is 1 + cos, which begins at 2 and "
    "ends at 0.",
    name="upside_down",
    right="1 + np.cos",
    wrong="1 - np.cos",
)
exercise.slip(
    "Your rate reaches the minimum in the last epoch of a cycle. It would reach it only one epoch later, where the "
    "next cycle starts: divide by the cycle's length, without the - 1.",
    name="arrives_early",
    right="epoch / length)",
    wrong="epoch / (length - 1))",
)
exercise.slip(
    "Your cycles always double. By which factor a cycle is longer than the one before is `multiplier`.",
    name="always_doubles",
    right="length *= multiplier",
    wrong="length *= 2",
)


@exercise.alternative
def cycle_by_cycle_as_a_list(learning_rate, epoch, first_cycle, multiplier=2, minimum=0.0):
    rates, length = [], first_cycle
    while len(rates) <= epoch:
        angles = np.pi * np.arange(length) / length
        rates.extend(minimum + 0.5 * (learning_rate - minimum) * (1 + np.cos(angles)))
        length *= multiplier
    return rates[epoch]


@exercise.alternative
def recursion_in_single_precision(learning_rate, epoch, first_cycle, multiplier=2, minimum=0.0):
    def rate(epoch, length):
        if epoch < length:
            share = np.float32(np.cos(np.pi * epoch / length / 2)) ** 2
            return np.float32(learning_rate) * share + np.float32(minimum) * (1 - share)
        return rate(epoch - length, length * multiplier)

    return rate(epoch, first_cycle)
