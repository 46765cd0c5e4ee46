"""The exercise `reduce_on_plateau`."""

import numpy as np

from grader.exercises.learning_rate.common import SINGLE_PRECISION, chapter

exercise = chapter.exercise(
    "reduce_on_plateau",
    points=3,
    aspects={"first cut": 1, "counting again": 1, "any length": 1},
    hints=(
        "Walk through the epochs and carry three things along: the rate, the best loss so far and the number of bad "
        "epochs in a row.",
        "In each epoch note the rate first, because its loss comes only afterwards. Then look at the loss: is it below "
        "the best one? If not, count. Is the count above `patience`? Then cut the rate.",
        "Start with `best = np.inf` and `bad = 0`. A better loss sets both `best` and `bad`; otherwise `bad` grows by "
        "1, and once `bad > patience` the rate is multiplied by `factor` and `bad` is 0 again.",
    ),
    tolerance=SINGLE_PRECISION,
)


@exercise.reference
def reduce_on_plateau(losses, learning_rate, factor=0.1, patience=10):
    rates, best, bad = [], np.inf, 0
    for loss in losses:
        rates.append(learning_rate)
        if loss < best:
            best, bad = loss, 0
        else:
            bad += 1
        if bad > patience:
            learning_rate, bad = learning_rate * factor, 0
    return np.array(rates, dtype=float)


# An equal loss and a higher one are both bad; a rise followed by a fall that does not reach the best is bad twice.
exercise.case("first cut", losses=np.array([1.0, 0.5, 0.5, 0.6, 0.4, 0.3]), learning_rate=0.1, factor=0.5, patience=1)
exercise.case("first cut", losses=np.array([1.0, 1.0, 0.5]), learning_rate=0.4, factor=0.5, patience=0)
exercise.case("first cut", losses=np.array([3.0, 5.0, 4.0, 3.5]), learning_rate=0.4, factor=0.5, patience=1)
# Any better loss counts, however little better it is.
exercise.case("first cut", losses=np.array([1.0, 0.99999, 0.99998]), learning_rate=0.4, factor=0.5, patience=0)
exercise.case("counting again", losses=np.full(8, 3.0), learning_rate=0.8, factor=0.5, patience=1)
# After the cut the best loss is still the first. The rate may be given as a whole number.
exercise.case(
    "counting again", losses=np.array([1.0, 2.0, 2.0, 1.5, 1.5, 1.5]), learning_rate=1, factor=0.5, patience=1
)
exercise.case(
    "counting again", losses=np.array([3.0, 4.0, 4.0, 2.0, 3.0, 3.0, 1.0]), learning_rate=0.8, factor=0.5, patience=2
)
exercise.case("any length", losses=np.full(13, 2.0), learning_rate=0.1)
# A better loss starts the count anew, at 0.
exercise.case("any length", losses=np.array([1.0] + [2.0] * 8 + [0.5] + [0.6] * 5), learning_rate=0.1)
# Losses have no largest value.
exercise.case("any length", losses=np.array([3e12, 2e12, 1e12]), learning_rate=0.1, patience=0)
exercise.case("any length", losses=np.array([2.0]), learning_rate=0.1)
exercise.case("any length", losses=np.array([]), learning_rate=0.1)


@exercise.hidden("first cut", count=4)
def one_plateau(rng):
    patience = int(rng.integers(0, 6))
    falling = np.sort(rng.uniform(1, 3, rng.integers(3, 10)))[::-1]
    plateau = falling[-1] + rng.uniform(0, 0.3, patience + 2) * rng.integers(0, 2, patience + 2)
    return {
        "losses": np.concatenate([falling, plateau]),
        "learning_rate": float(rng.uniform(0.01, 1)),
        "factor": float(rng.uniform(0.1, 0.8)),
        "patience": patience,
    }


@exercise.hidden("counting again", count=5)
def noisy_curve(rng):
    epochs = int(rng.integers(40, 80))
    return {
        "losses": np.exp(-np.linspace(0, 3, epochs)) + rng.uniform(0, 0.3, epochs),
        "learning_rate": float(rng.uniform(0.01, 1)),
        "factor": float(rng.uniform(0.3, 0.8)),
        "patience": int(rng.integers(1, 5)),
    }


@exercise.hidden("any length", count=4)
def defaults_on_any_length(rng):
    losses = np.round(rng.uniform(1, 2, rng.integers(15, 60)), 1)
    return {"losses": losses, "learning_rate": float(rng.uniform(0.01, 1))}


@exercise.hidden("first cut", count=2)
def losses_of_any_size(rng):
    plateau = one_plateau(rng)
    return plateau | {"losses": plateau["losses"] * 10 ** rng.uniform(4, 15)}


@exercise.hidden("counting again", count=3)
def better_just_in_time(rng):
    """As many bad epochs as are tolerated, again and again, each time followed by a better loss."""
    patience = int(rng.integers(1, 5))
    best = np.sort(rng.uniform(1, 3, rng.integers(4, 8)))[::-1]
    return {
        "losses": np.concatenate([[loss] + [loss + 1] * patience for loss in best]),
        "learning_rate": 1,
        "factor": float(rng.uniform(0.3, 0.8)),
        "patience": patience,
    }


@exercise.mistake(
    "Your cuts come one epoch early: you note the rate after it has been cut. The loss of an epoch is known at its "
    "end, when its rate has been used."
)
def cut_in_the_same_epoch(losses, learning_rate, factor=0.1, patience=10):
    rates, best, bad = [], np.inf, 0
    for loss in losses:
        if loss < best:
            best, bad = loss, 0
        else:
            bad += 1
        if bad > patience:
            learning_rate, bad = learning_rate * factor, 0
        rates.append(learning_rate)
    return np.array(rates)


exercise.slip(
    "You lose patience one epoch too soon: `patience` bad epochs are tolerated, and only one more brings the cut.",
    name="impatient",
    right="bad > patience",
    wrong="bad >= patience",
)
exercise.slip(
    "One bad epoch too few is tolerated: with `patience` bad epochs the rate stays, and the next bad one brings the "
    "cut. Which comparison says more than `patience`?",
    name="impatient_after_a_bad_epoch",
    right="bad > patience",
    wrong="bad > 0 and bad >= patience",
)


@exercise.mistake(
    "Your cuts come two epochs early, for two reasons: the count has to be above `patience`, not equal to it, and an "
    "epoch's rate is noted before its loss is looked at."
)
def impatient_in_the_same_epoch(losses, learning_rate, factor=0.1, patience=10):
    rates, best, bad = [], np.inf, 0
    for loss in losses:
        if loss < best:
            best, bad = loss, 0
        else:
            bad += 1
        if bad >= patience:
            learning_rate, bad = learning_rate * factor, 0
        rates.append(learning_rate)
    return np.array(rates)


@exercise.mistake(
    "Two things bring your cuts too early. The rate of an epoch is used before its loss is known, so note it first. "
    "And `patience` bad epochs in a row are still tolerated."
)
def impatient_after_a_bad_epoch_in_the_same_epoch(losses, learning_rate, factor=0.1, patience=10):
    rates, best, bad = [], np.inf, 0
    for loss in losses:
        if loss < best:
            best, bad = loss, 0
        else:
            bad += 1
            if bad >= patience:
                learning_rate, bad = learning_rate * factor, 0
        rates.append(learning_rate)
    return np.array(rates)


@exercise.mistake(
    "Two things to mend: compare each loss with the best so far, not with the one before it, and note the rate of an "
    "epoch before you look at its loss."
)
def compares_with_the_last_in_the_same_epoch(losses, learning_rate, factor=0.1, patience=10):
    rates, last, bad = [], np.inf, 0
    for loss in losses:
        bad = 0 if loss < last else bad + 1
        last = loss
        if bad > patience:
            learning_rate, bad = learning_rate * factor, 0
        rates.append(learning_rate)
    return np.array(rates)


exercise.slip(
    "Your best loss begins with a number of your choice, and a loss may be larger than that. Every number is below "
    "`np.inf`.",
    name="best_begins_with_a_number",
    right="np.inf",
    wrong="100.0",
)
exercise.slip(
    "A better loss takes one off your count. It should set the count to 0: what counts are bad epochs that follow one "
    "another.",
    name="better_loss_counts_down",
    right="best, bad = loss, 0",
    wrong="best, bad = loss, max(bad - 1, 0)",
)


@exercise.mistake(
    "`np.full` makes an array of whole numbers when `learning_rate` is one, such as 1, and half of it does not fit in. "
    "Ask for `dtype=float`."
)
def array_of_whole_numbers(losses, learning_rate, factor=0.1, patience=10):
    rates = np.full(len(losses), learning_rate)
    best, bad = np.inf, 0
    for epoch, loss in enumerate(losses):
        if loss < best:
            best, bad = loss, 0
        else:
            bad += 1
        if bad > patience:
            rates[epoch + 1 :] *= factor
            bad = 0
    return rates


exercise.slip(
    "You compare each loss with the one just before it. A loss that rises and falls again would then look like "
    "progress; compare with the best so far.",
    name="compares_with_the_last",
    right="bad += 1",
    wrong="best, bad = loss, bad + 1",
)
exercise.slip(
    "You take a loss equal to the best for a better one, so a flat curve is never cut. Flat is what a plateau is.",
    name="equal_is_better",
    right="loss < best",
    wrong="loss <= best",
)
exercise.slip(
    "You count the first epoch as bad: its loss is compared with itself. Nothing came before it, so it is better than "
    "the best so far; begin with `np.inf`.",
    name="first_epoch_is_bad",
    right="np.inf",
    wrong="losses[0] if len(losses) > 0 else np.inf",
)
exercise.slip(
    "After the first cut your rate falls in every bad epoch: the count is still above `patience`. The smaller rate "
    "deserves the same patience, so start counting again.",
    name="no_new_patience_after_a_cut",
    right="learning_rate, bad = learning_rate * factor, 0",
    wrong="learning_rate *= factor",
)
exercise.slip(
    "You add up all bad epochs since the last cut. Only bad epochs in a row count: what does a new best loss say about "
    "the rate?",
    name="better_loss_forgives_nothing",
    right="best, bad = loss, 0",
    wrong="best = loss",
)


@exercise.alternative
def best_losses_beforehand(losses, learning_rate, factor=0.1, patience=10):
    best_before = np.minimum.accumulate(np.concatenate([[np.inf], losses]))[:-1]
    rates, bad = np.zeros(len(losses)), 0
    for epoch, is_bad in enumerate(losses >= best_before):
        rates[epoch] = learning_rate
        bad = bad + 1 if is_bad else 0
        if bad == patience + 1:
            learning_rate, bad = learning_rate * factor, 0
    return rates


@exercise.alternative
def patience_left_in_single_precision(losses, learning_rate, factor=0.1, patience=10):
    rates = np.full(len(losses), learning_rate, dtype=np.float32)
    left = patience
    for epoch in range(1, len(losses)):
        if losses[epoch] < min(losses[:epoch]):
            left = patience
        elif left > 0:
            left -= 1
        else:
            rates[epoch + 1 :] *= factor
            left = patience
    return rates
