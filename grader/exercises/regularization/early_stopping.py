"""The exercise `early_stopping`."""

import numpy as np

from grader.exercises.regularization.common import chapter

exercise = chapter.exercise(
    "early_stopping",
    points=2,
    aspects={"stops in time": 2, "runs to the end": 1, "ties": 1, "losses that are no numbers": 1},
    hints=(
        "Walk through the losses one by one, as training does. What must you remember from one epoch to the next?",
        "The lowest loss so far and its epoch are enough: how long there was no new best is the difference of two "
        "epochs. Begin with an infinite lowest loss: then `<` lets neither NaN nor infinity in, but minus infinity it "
        "does.",
        "In the loop, `if -np.inf < loss < lowest` there is a new best, else if `epoch - best >= patience` training "
        "stops. Before any best, count as if epoch -1 had been one; if that is still so in the end, refuse.",
    ),
)


@exercise.reference
def early_stopping(validation_loss, patience):
    if patience < 1:
        raise ValueError(f"patience is {patience}, and training would stop before it begins: give 1 or more")
    best, lowest, stopped = -1, np.inf, len(validation_loss) - 1
    for epoch, loss in enumerate(validation_loss):
        if -np.inf < loss < lowest:
            best, lowest = epoch, loss
        elif epoch - best >= patience:
            stopped = epoch
            break
    if best < 0:
        raise ValueError(f"none of the {stopped + 1} epochs has a finite loss, so there is no best: lower the rate")
    return best, stopped


exercise.case("stops in time", validation_loss=np.array([2.0, 1.5, 1.75, 1.25, 1.5, 1.375, 1.0]), patience=2)
exercise.case("stops in time", validation_loss=np.array([3.0, 2.0, 2.5, 1.0]), patience=1)
exercise.case("stops in time", validation_loss=np.array([1.0, 2.0, 1.9, 1.8, 0.5]), patience=3)
exercise.case("stops in time", validation_loss=np.array([-1.0, -3.0, -2.0, 0.5, 2.0, -4.0]), patience=2)
exercise.case("stops in time", validation_loss=np.array([2.0, 1.5, 1.75]), patience=0)
exercise.case("stops in time", validation_loss=np.array([2.0, 1.5, 1.75]), patience=-1)
exercise.case("runs to the end", validation_loss=np.array([3.0, 2.0, 2.5, 2.25, 1.0, 1.5, 1.25]), patience=3)
exercise.case("runs to the end", validation_loss=np.array([3.0, 2.0, 1.0]), patience=2)
exercise.case("runs to the end", validation_loss=np.array([0.5]), patience=3)
# Patience runs out with the last epoch, and one before it.
exercise.case("runs to the end", validation_loss=np.array([2.0, 1.0, 1.5, 1.25]), patience=2)
exercise.case("ties", validation_loss=np.array([2.0, 1.5, 1.5, 1.5, 1.0]), patience=2)
exercise.case("ties", validation_loss=np.array([1.5, 1.0, 2.0, 1.0, 1.0]), patience=4)
exercise.case("ties", validation_loss=np.array([2.0, 2.5, 1.0, 1.5, 1.0, 0.5]), patience=2)
# Next to a tie is no tie: a small step down is a step down.
exercise.case("ties", validation_loss=np.array([2.0, 1.0, 0.99999, 1.5, 1.25, 0.5]), patience=2)
exercise.case(
    "losses that are no numbers", validation_loss=np.array([2.0, np.nan, 1.5, np.nan, np.inf, 1.0]), patience=2
)
exercise.case("losses that are no numbers", validation_loss=np.array([np.nan, 2.0, 3.0, 1.0, 4.0]), patience=3)
exercise.case("losses that are no numbers", validation_loss=np.array([1.0, np.nan, 2.0, 3.0, 4.0, 0.5]), patience=3)
exercise.case("losses that are no numbers", validation_loss=np.array([np.nan, np.nan, np.nan]), patience=5)
# Minus infinity is lower than everything, and no loss to be kept.
exercise.case("losses that are no numbers", validation_loss=np.array([2.0, -np.inf, 1.0, 3.0]), patience=2)
# Nothing is lower than a number that comes too late.
exercise.case("losses that are no numbers", validation_loss=np.array([np.nan, np.inf, 1.0]), patience=2)
exercise.case("losses that are no numbers", validation_loss=np.array([]), patience=2)


def overfitting_curve(rng, epochs):
    """Losses that fall and rise again, with noise on them; no two are equal, or nearly so."""
    noisy = np.abs(np.arange(epochs) - rng.integers(3, epochs - 2)) / epochs + rng.uniform(0, 0.3, epochs)
    return 0.5 + 0.02 * noisy.argsort().argsort()


@exercise.hidden("stops in time", count=5)
def stopped_curve(rng):
    patience = int(rng.integers(1, 6))
    curve = overfitting_curve(rng, int(rng.integers(12, 30)))
    return {"validation_loss": np.append(curve, np.linspace(2, 3, patience)), "patience": patience}


@exercise.hidden("runs to the end", count=4)
def falling_curve(rng):
    epochs = int(rng.integers(6, 20))
    patience = int(rng.integers(2, 5))
    losses = np.linspace(2, 1, epochs) + 0.01 * rng.uniform(size=epochs)
    losses[-int(rng.integers(1, patience)) :] += 0.5
    return {"validation_loss": losses, "patience": patience}


@exercise.hidden("ties", count=4)
def coarse_curve(rng):
    losses = np.round(4 * overfitting_curve(rng, int(rng.integers(10, 25)))) / 4
    return {"validation_loss": losses, "patience": int(rng.integers(1, 5))}


@exercise.hidden("losses that are no numbers", count=4)
def broken_curve(rng):
    losses = overfitting_curve(rng, int(rng.integers(12, 30)))
    losses[rng.permutation(len(losses))[: len(losses) // 3]] = rng.choice([np.nan, np.inf])
    return {"validation_loss": losses, "patience": int(rng.integers(2, 5))}


exercise.slip(
    "You keep the weights of the epoch in which training stopped. They have been getting worse for as long as your "
    "patience lasted; keep those of the best epoch.",
    name="last_epoch_kept",
    right="return best, stopped",
    wrong="return stopped, stopped",
)
exercise.slip(
    "Your best epoch lies after the stop in some cases: you looked through the whole curve. Training that has stopped "
    "never sees those losses.",
    name="looks_beyond_the_stop",
    right="return best, stopped",
    wrong="return int(np.nanargmin(validation_loss)), stopped",
)
exercise.slip(
    "You ask the whole curve for its lowest loss. So your best epoch may lie after the stop, where training never "
    "came; and for `np.argmin` NaN is the lowest of all. Remember the best on the way.",
    name="looks_beyond_the_stop_and_finds_nan",
    right="return best, stopped",
    wrong="return int(np.argmin(validation_loss)), stopped",
)
exercise.slip(
    "Your best epoch is always `patience` epochs before the last. That holds where patience ran out, and not where the "
    "curve ended first.",
    name="patience_epochs_back",
    right="return best, stopped",
    wrong="return stopped - patience, stopped",
)
exercise.slip(
    "You stop one epoch too late. Training stops after the epoch that is the `patience`-th without a new best, not "
    "after one more.",
    name="one_epoch_too_late",
    right="epoch - best >= patience",
    wrong="epoch - best > patience",
)
exercise.slip(
    "You stop one epoch too early: with patience 2, two epochs in a row have to pass without a new best.",
    name="one_epoch_too_early",
    right="epoch - best >= patience",
    wrong="epoch - best >= patience - 1",
)


@exercise.mistake(
    "Where the first epoch is the best you stop one epoch too early: its loss is not lower than itself, so you count "
    "it as an epoch without a new best. Start from an infinite lowest loss; then the first is a new best too, unless "
    "it is no number."
)
def first_epoch_counted_as_waiting(validation_loss, patience):
    if patience < 1:
        raise ValueError("no patience")
    if not np.isfinite(validation_loss).any():
        raise ValueError("no best epoch")
    best, waited = 0, 0
    for epoch, loss in enumerate(validation_loss):
        if -np.inf < loss < validation_loss[best]:
            best, waited = epoch, 0
        else:
            waited += 1
            if waited >= patience:
                return best, epoch
    return best, len(validation_loss) - 1


@exercise.mistake(
    "You count all epochs without a new best, from the beginning. Patience is new with every new best: the count "
    "starts again at 0."
)
def count_not_begun_again(validation_loss, patience):
    if patience < 1:
        raise ValueError("no patience")
    best, lowest, stopped, waited = -1, np.inf, len(validation_loss) - 1, 0
    for epoch, loss in enumerate(validation_loss):
        if -np.inf < loss < lowest:
            best, lowest = epoch, loss
        else:
            waited += 1
            if waited >= patience:
                stopped = epoch
                break
    if best < 0:
        raise ValueError("no best epoch")
    return best, stopped


@exercise.mistake(
    "You compare each loss with the one before it. A loss that falls a little after it has risen is no progress: what "
    "counts is whether it is lower than the lowest so far."
)
def compared_with_the_one_before(validation_loss, patience):
    if patience < 1:
        raise ValueError("no patience")
    best, lowest, before, waited, stopped = -1, np.inf, np.inf, 0, len(validation_loss) - 1
    for epoch, loss in enumerate(validation_loss):
        waited = 0 if -np.inf < loss < before else waited + 1
        if -np.inf < loss < lowest:
            best, lowest = epoch, loss
        before = loss
        if waited >= patience:
            stopped = epoch
            break
    if best < 0:
        raise ValueError("no best epoch")
    return best, stopped


exercise.slip(
    "You take a tie for a new best, so a loss that has stopped falling never uses up your patience. Lower means lower.",
    name="tie_is_a_new_best",
    right="loss < lowest:",
    wrong="loss <= lowest:",
)
exercise.slip(
    "You do not count a step down because it is small. (torch asks for a least improvement, and so may you.) Here "
    "lower is lower.",
    name="small_step_not_counted",
    right="loss < lowest:",
    wrong="loss < lowest - 1e-4:",
)
exercise.slip(
    "A NaN becomes your new best: `not loss >= lowest` is True for it, and then nothing is lower any more. Ask whether "
    "the loss is lower.",
    name="nan_is_a_new_best",
    right="-np.inf < loss < lowest",
    wrong="not loss >= lowest",
)


exercise.slip(
    "Minus infinity becomes your new best, for it is lower than everything. It is no finite loss, and a training that "
    "reports it has failed: ask for that as well.",
    name="minus_infinity_is_a_new_best",
    right="-np.inf < loss < lowest",
    wrong="loss < lowest",
)


@exercise.mistake(
    "You leave out epochs whose loss is no number, as if they had not been. They took their time without a new best, "
    "so they use up patience, and the epochs after them keep their numbers."
)
def broken_epochs_left_out(validation_loss, patience):
    if patience < 1:
        raise ValueError("no patience")
    best, lowest, waited = -1, np.inf, 0
    for epoch, loss in enumerate(validation_loss):
        if not np.isfinite(loss):
            continue
        if loss < lowest:
            best, lowest, waited = epoch, loss, 0
        else:
            waited += 1
            if waited >= patience:
                return best, epoch
    if best < 0:
        raise ValueError("no best epoch")
    return best, len(validation_loss) - 1


@exercise.mistake(
    "Your first lowest loss is that of epoch 0. If that one is NaN, no later loss is lower: start from infinity, and "
    "from no best epoch."
)
def begins_with_the_first_loss(validation_loss, patience):
    if patience < 1 or len(validation_loss) == 0:
        raise ValueError("nothing to choose from")
    best, lowest, stopped = 0, validation_loss[0], len(validation_loss) - 1
    for epoch, loss in enumerate(validation_loss):
        if -np.inf < loss < lowest:
            best, lowest = epoch, loss
        elif epoch - best >= patience:
            stopped = epoch
            break
    if not np.isfinite(lowest):
        raise ValueError("no best epoch")
    return best, stopped


@exercise.mistake(
    "You leave at the first NaN or infinity, as a training that has failed. Here it is an epoch without a new best, "
    "and training goes on while patience lasts."
)
def leaves_at_the_first_broken_loss(validation_loss, patience):
    if patience < 1:
        raise ValueError("no patience")
    best, lowest, stopped = -1, np.inf, len(validation_loss) - 1
    for epoch, loss in enumerate(validation_loss):
        if -np.inf < loss < lowest:
            best, lowest = epoch, loss
        elif epoch - best >= patience or not np.isfinite(loss):
            stopped = epoch
            break
    if best < 0:
        raise ValueError("no best epoch")
    return best, stopped


exercise.slip(
    "Your two numbers come in the wrong order: first the best epoch, then the one after which training stops.",
    name="the_two_swapped",
    right="return best, stopped",
    wrong="return stopped, best",
)
exercise.slip(
    "You count epochs from 1. The first has the number 0, as everywhere in Python.",
    name="counted_from_one",
    right="return best, stopped",
    wrong="return best + 1, stopped + 1",
)
exercise.slip(
    "Your stop is always `patience` epochs after the best. Where the curve ends before that, training stopped with its "
    "last epoch.",
    name="stops_beyond_the_curve",
    right="return best, stopped",
    wrong="return best, best + patience",
)
exercise.slip(
    "You never stop: the second number is always the last epoch of the curve, and the best may be one that training "
    "would not have reached.",
    name="never_stops",
    right="            break\n",
    wrong="            stopped = len(validation_loss) - 1\n",
)


@exercise.mistake(
    "Every curve with an answer gets it. Two have none and are to be refused with a ValueError: a patience below 1, "
    "and a curve in which no epoch is a best one, for there are no weights to keep."
)
def nothing_refused(validation_loss, patience):
    best, lowest, waited = 0, np.inf, 0
    for epoch, loss in enumerate(validation_loss):
        if -np.inf < loss < lowest:
            best, lowest, waited = epoch, loss, 0
        else:
            waited += 1
        if waited >= patience:
            return best, epoch
    return best, len(validation_loss) - 1


exercise.slip(
    "With a patience of 0 or less you stop somewhere. Nobody can mean that: refuse it with a ValueError.",
    name="no_patience_let_through",
    right="if patience < 1:",
    wrong="if patience < -1000:",
)
exercise.slip(
    "Where no epoch is a best one, you return a number that names none, and later somebody loads weights that do not "
    "exist. Refuse with a ValueError.",
    name="no_best_let_through",
    right="if best < 0:",
    wrong="if best < -1:",
)


@exercise.alternative
def with_a_count(validation_loss, patience):
    if patience <= 0:
        raise ValueError("patience must be positive")
    best, waited = None, 0
    for epoch in range(len(validation_loss)):
        loss = validation_loss[epoch]
        if np.isfinite(loss) and (best is None or loss < validation_loss[best]):
            best, waited = epoch, 0
        else:
            waited = waited + 1
        if waited == patience:
            break
    if best is None:
        raise ValueError("nothing to keep")
    return [best, epoch]


@exercise.alternative
def without_a_loop(validation_loss, patience):
    if patience < 1:
        raise ValueError("no patience")
    epochs = np.arange(len(validation_loss))
    losses = np.where(np.isfinite(validation_loss), validation_loss, np.inf)
    lowest_before = np.minimum.accumulate(np.append(np.inf, losses))[:-1]
    best = np.maximum.accumulate(np.where(losses < lowest_before, epochs, -1))
    stops = np.append(epochs[epochs - best >= patience], epochs[-1:])
    if not len(stops) or best[stops[0]] < 0:
        raise ValueError("no epoch is a best one")
    return best[stops[0]], stops[0]
