"""The exercise `generalization_gap`."""

import numpy as np

from grader.exercises.generalization.common import SINGLE_PRECISION, chapter

exercise = chapter.exercise(
    "generalization_gap",
    points=1,
    aspects={"an overfitting run": 1, "any other run": 1, "a run that fails": 2},
    hints=(
        "There are two questions, one after the other: in which epoch is the validation loss lowest, and how far apart "
        "are the two losses in that epoch?",
        "`np.argmin` finds the first smallest entry. Before that, put `np.inf` in the place of every validation loss "
        "that does not count: then it can never be the smallest.",
        "`counts = np.isfinite(train_loss) & np.isfinite(validation_loss)` tells which epochs count, and "
        "`np.where(counts, validation_loss, np.inf)` is what to search. If `counts.any()` is False, raise ValueError.",
    ),
    tolerance=SINGLE_PRECISION,
)


@exercise.reference
def generalization_gap(train_loss, validation_loss):
    counts = np.isfinite(train_loss) & np.isfinite(validation_loss)
    if not counts.any():
        raise ValueError(f"none of the {len(counts)} epochs has two finite losses; train again, at a lower rate")
    epoch = np.argmin(np.where(counts, validation_loss, np.inf))
    return int(epoch), float(validation_loss[epoch] - train_loss[epoch])


exercise.case(
    "an overfitting run",
    train_loss=np.array([2.0, 1.0, 0.5, 0.25]),
    validation_loss=np.array([2.25, 1.5, 1.25, 1.75]),
)
# The best epoch comes early, and after a bump there is a second, higher minimum.
exercise.case(
    "an overfitting run",
    train_loss=np.array([1.8, 0.9, 0.6, 0.5, 0.3, 0.2, 0.1]),
    validation_loss=np.array([1.9, 1.1, 1.3, 1.6, 1.2, 1.4, 1.7]),
)
# A bump first: the first rise is not the end.
exercise.case(
    "an overfitting run",
    train_loss=np.array([1.8, 0.9, 0.7, 0.5, 0.3, 0.2]),
    validation_loss=np.array([1.9, 1.2, 1.5, 1.0, 0.8, 1.1]),
)
# Losses as they are printed.
exercise.case(
    "an overfitting run",
    train_loss=np.array([2.253, 1.218, 0.579, 0.402]),
    validation_loss=np.array([2.241, 1.306, 0.814, 0.977]),
)
# The lowest validation loss comes twice.
exercise.case(
    "any other run",
    train_loss=np.array([2.0, 1.0, 0.75, 0.5, 0.25]),
    validation_loss=np.array([2.0, 1.5, 1.25, 1.25, 1.5]),
)
# The validation loss is the lower one, as with dropout: the gap is negative. The training loss has another best epoch.
exercise.case(
    "any other run",
    train_loss=np.array([2.0, 1.5, 1.0, 1.25]),
    validation_loss=np.array([1.75, 1.0, 0.875, 0.75]),
)
exercise.case("any other run", train_loss=np.array([1.5]), validation_loss=np.array([1.75]))
# The best of the losses after a failed epoch: its number is still counted from the start of the run.
exercise.case(
    "a run that fails",
    train_loss=np.array([2.0, np.nan, 0.75, 0.5]),
    validation_loss=np.array([2.25, np.nan, 1.0, 1.5]),
)
# The lowest validation loss stands beside a training loss that is NaN, the next beside an infinite one.
exercise.case(
    "a run that fails",
    train_loss=np.array([2.0, 1.5, np.nan, np.inf, 1.0]),
    validation_loss=np.array([2.25, 1.5, 0.5, 0.75, 1.25]),
)
# Minus infinity is the smallest number of all.
exercise.case(
    "a run that fails",
    train_loss=np.array([2.0, 1.5, 1.0, 0.5]),
    validation_loss=np.array([2.25, 1.75, -np.inf, np.inf]),
)
# A run may be very bad and still be finite.
exercise.case(
    "a run that fails",
    train_loss=np.array([np.nan, 2e12, 1e12]),
    validation_loss=np.array([1.5, 5e12, 4e12]),
)
# Each epoch has one loss that is not finite.
exercise.case(
    "a run that fails", train_loss=np.array([np.nan, np.inf, 1.0]), validation_loss=np.array([1.0, 2.0, np.nan])
)
exercise.case("a run that fails", train_loss=np.array([]), validation_loss=np.array([]))


def run(rng, *, best, epochs):
    """Losses of a run of which the validation loss is lowest in epoch `best`, with noise that keeps it the lowest."""
    train_loss = 2.3 * np.exp(-np.arange(epochs) / rng.uniform(4, 8)) + rng.uniform(0, 0.02, epochs)
    distance = np.abs(np.arange(epochs) - best)
    validation_loss = 2.5 + 0.1 * distance + rng.uniform(0, 0.09, epochs)
    return {"train_loss": train_loss, "validation_loss": validation_loss}


@exercise.hidden("an overfitting run", count=4)
def overfitting_run(rng):
    epochs = int(rng.integers(8, 30))
    return run(rng, best=int(rng.integers(2, epochs - 3)), epochs=epochs)


@exercise.hidden("any other run", count=3)
def lower_validation_loss(rng):
    losses = run(rng, best=5, epochs=int(rng.integers(8, 20)))
    return losses | {"train_loss": losses["train_loss"] + 4}


@exercise.hidden("any other run", count=3)
def several_lowest(rng):
    epochs = int(rng.integers(12, 30))
    return {
        "train_loss": np.sort(rng.uniform(0.1, 2, epochs))[::-1].copy(),
        "validation_loss": rng.integers(8, 11, epochs) / 4,
    }


@exercise.hidden("a run that fails", count=5)
def failed_epochs(rng):
    epochs = int(rng.integers(10, 30))
    losses = run(rng, best=int(rng.integers(4, epochs - 3)), epochs=epochs)
    best = np.argmin(losses["validation_loss"])
    losses["train_loss"][best] = rng.choice([np.nan, np.inf, -np.inf])
    losses["validation_loss"][rng.integers(0, best)] = rng.choice([np.nan, -np.inf])
    return losses


@exercise.hidden("a run that fails", count=1)
def nothing_finite(rng):
    epochs = int(rng.integers(3, 10))
    return {"train_loss": rng.uniform(0, 1, epochs), "validation_loss": np.full(epochs, rng.choice([np.nan, np.inf]))}


@exercise.mistake(
    "Your gap is that of the last epoch. By then an overfitting network is past its best; ask first in which epoch you "
    "would have kept it."
)
def last_epoch(train_loss, validation_loss):
    counts = np.flatnonzero(np.isfinite(train_loss) & np.isfinite(validation_loss))
    if len(counts) == 0:
        raise ValueError("no epoch counts")
    return int(counts[-1]), float(validation_loss[counts[-1]] - train_loss[counts[-1]])


exercise.slip(
    "You look for the lowest training loss. It nearly always falls to the end, so it cannot tell when a network begins "
    "to overfit; the validation loss can.",
    name="best_training_loss",
    right="np.where(counts, validation_loss, np.inf)",
    wrong="np.where(counts, train_loss, np.inf)",
)
exercise.slip(
    "Your sign is the wrong way round: where the validation loss is higher, the gap should be positive.",
    name="sign_swapped",
    right="validation_loss[epoch] - train_loss[epoch]",
    wrong="train_loss[epoch] - validation_loss[epoch]",
)
exercise.slip(
    "You take the gap without its sign. Dropout makes the training loss the higher one, and then the gap is negative; "
    "that is worth knowing.",
    name="absolute_gap",
    right="float(validation_loss[epoch] - train_loss[epoch])",
    wrong="float(abs(validation_loss[epoch] - train_loss[epoch]))",
)
exercise.slip(
    "Your gap takes the lowest training loss of the whole run, which belongs to another epoch. Both losses have to "
    "come from the same network, that of the best epoch.",
    name="two_different_epochs",
    right="validation_loss[epoch] - train_loss[epoch]",
    wrong="validation_loss[epoch] - train_loss[counts].min()",
)
exercise.slip(
    "Among equally low validation losses you take the last. The first one is asked for: the network was as good "
    "earlier.",
    name="last_of_equals",
    right="np.argmin(np.where(counts, validation_loss, np.inf))",
    wrong="len(counts) - 1 - np.argmin(np.where(counts, validation_loss, np.inf)[::-1])",
)


@exercise.mistake(
    "`np.argmin` takes a NaN for the smallest entry of all, and minus infinity anyway. So your best epoch is one that "
    "failed; first find out which epochs count."
)
def failed_epochs_overlooked(train_loss, validation_loss):
    epoch = np.argmin(validation_loss)
    return int(epoch), float(validation_loss[epoch] - train_loss[epoch])


@exercise.mistake(
    "A NaN in the validation loss never wins in your function, and that is right. But minus infinity does, and so does "
    "an epoch whose training loss is not finite."
)
def only_nan_of_the_validation_loss(train_loss, validation_loss):
    epoch = np.nanargmin(validation_loss)
    return int(epoch), float(validation_loss[epoch] - train_loss[epoch])


exercise.slip(
    "You put a large number in the place of a loss that does not count. There is always a loss that is larger still, "
    "and then the failed epoch wins; `np.inf` is larger than all.",
    name="large_number_for_infinity",
    right="validation_loss, np.inf)",
    wrong="validation_loss, 1e6)",
)
exercise.slip(
    "You round the gap. Return it as it is; whoever prints it can round it.",
    name="gap_rounded",
    right="float(validation_loss[epoch] - train_loss[epoch])",
    wrong="round(float(validation_loss[epoch] - train_loss[epoch]), 2)",
)
exercise.slip(
    "You ask for NaN only. An infinite loss is as useless; `np.isfinite` is False for both.",
    name="infinity_counts",
    right="np.isfinite(train_loss) & np.isfinite(validation_loss)",
    wrong="~np.isnan(train_loss) & ~np.isnan(validation_loss)",
)
exercise.slip(
    "You look at the validation loss alone to see whether an epoch counts. Where the training loss is NaN or infinite, "
    "there is no gap to speak of.",
    name="training_loss_not_asked",
    right="np.isfinite(train_loss) & np.isfinite(validation_loss)",
    wrong="np.isfinite(validation_loss)",
)
exercise.slip(
    "You take the failed epochs out before you search, and then count in what is left: your epoch is too small by the "
    "number of those taken out before it. Keep the array's length.",
    name="counted_in_what_is_left",
    right="    epoch =",
    wrong="    train_loss, validation_loss, counts = train_loss[counts], validation_loss[counts], counts[counts]\n"
    "    epoch =",
)
exercise.slip(
    "Your epoch is one too high. Epochs are counted from 0, as the entries of the array are.",
    name="counted_from_1",
    right="int(epoch)",
    wrong="int(epoch) + 1",
)
exercise.slip(
    "You stop at the first rise of the validation loss. Real curves have bumps; the lowest loss may come later.",
    name="first_rise",
    right="np.argmin(np.where(counts, validation_loss, np.inf))",
    wrong="np.argmax(np.append(np.diff(np.where(counts, validation_loss, np.inf)) > 0, True))",
)


@exercise.mistake(
    "You find the epoch with the largest gap. There the network overfits most; asked for is the gap where its "
    "validation loss is lowest."
)
def widest_gap(train_loss, validation_loss):
    counts = np.isfinite(train_loss) & np.isfinite(validation_loss)
    if not counts.any():
        raise ValueError("no epoch counts")
    gaps = np.where(counts, validation_loss - train_loss, -np.inf)
    return int(np.argmax(gaps)), float(gaps.max())


exercise.slip(
    "You divide the gap by the training loss. A share is useful too, but the gap is the plain difference.",
    name="relative_gap",
    right="float(validation_loss[epoch] - train_loss[epoch])",
    wrong="float((validation_loss[epoch] - train_loss[epoch]) / train_loss[epoch])",
)
exercise.slip(
    "A run without a single epoch that counts has no best epoch, and you name one. Refuse it with `raise ValueError`: "
    "whoever goes on with NaN finds the trouble much later.",
    name="not_refused",
    right="not counts.any()",
    wrong="len(counts) == 0",
)


@exercise.alternative
def epoch_by_epoch(train_loss, validation_loss):
    best = None
    for epoch in range(len(train_loss)):
        if np.isfinite(train_loss[epoch] + validation_loss[epoch]):
            if best is None or validation_loss[epoch] < validation_loss[best]:
                best = epoch
    if best is None:
        raise ValueError("every epoch failed")
    return best, validation_loss[best] - train_loss[best]


@exercise.alternative
def smallest_triple_in_single_precision(train_loss, validation_loss):
    pairs = np.stack([validation_loss, train_loss], axis=1).astype(np.float32)
    triples = [(pair[0], epoch, pair[0] - pair[1]) for epoch, pair in enumerate(pairs) if np.isfinite(pair).all()]
    _, epoch, gap = min(triples)
    return [epoch, gap]
