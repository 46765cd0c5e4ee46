"""The exercise `diagnose`."""

from functools import partial
from itertools import product

import numpy as np

from grader.exercises.learning_rate.common import chapter

exercise = chapter.exercise(
    "diagnose",
    points=3,
    aspects={"stable or not": 1, "start and gap": 1, "finished or not": 1, "how it came to rest": 1},
    hints=(
        "Name the four words first (`start`, `end`, `fall`, `quarter`), then write one `if … return …` per rule, in "
        "the order of the rules. After a `return` no `else` is needed.",
        "`np.isfinite` answers the first half of rule 1. For the second half, `np.diff(train_loss)` holds the change "
        "in each epoch: keep the positive ones and add them up.",
        "For rule 5, `train_loss - end <= fall / 20` is True from the epoch on in which the curve settles, and "
        "`np.argmax` of a boolean array gives the index of its first True. Compare the entry there with the one before "
        "it.",
    ),
)


@exercise.reference
def diagnose(train_loss, validation_loss):
    if not np.isfinite([train_loss, validation_loss]).all():
        return "rate too high"
    start, end = train_loss[0], train_loss[-1]
    fall, quarter = start - end, len(train_loss) // 4
    if np.diff(train_loss).clip(min=0).sum() > fall / 2:
        return "rate too high"
    if start - train_loss[quarter] <= fall / 10:
        return "bad initialization"
    if validation_loss[-1] - end > start / 10:
        return "overfitting"
    if train_loss[-1 - quarter] - end > fall / 10:
        return "rate too low" if end > start / 2 else "train longer"
    if end > start / 4:
        settled = np.argmax(train_loss - end <= fall / 20)
        return "decayed too early" if train_loss[settled - 1] - train_loss[settled] > fall / 10 else "underfitting"
    return "healthy"


# became NaN: rate too high
exercise.case(
    "stable or not",
    train_loss=np.array([2.30, 1.90, 1.60, 2.80, 9.50, np.nan, np.nan, np.nan]),
    validation_loss=np.array([2.32, 1.95, 1.70, 3.10, 9.90, np.nan, np.nan, np.nan]),
)
# one infinite value, of the validation loss only: rate too high
exercise.case(
    "stable or not",
    train_loss=np.array([2.30, 1.40, 0.80, 0.50, 0.30, 0.20, 0.15, 0.13]),
    validation_loss=np.array([2.31, 1.42, 0.83, np.inf, 0.34, 0.25, 0.21, 0.20]),
)
# one NaN, of the validation loss only: rate too high
exercise.case(
    "stable or not",
    train_loss=np.array([2.30, 1.40, 0.80, 0.50, 0.30, 0.20, 0.15, 0.13]),
    validation_loss=np.array([2.31, 1.42, 0.83, 0.54, np.nan, 0.25, 0.21, 0.20]),
)
# bounces, in entry `quarter` back to the start: rate too high
exercise.case(
    "stable or not",
    train_loss=np.array([2.30, 1.20, 2.25, 0.90, 1.70, 1.00, 1.80, 0.80, 1.60, 0.90]),
    validation_loss=np.array([2.31, 1.25, 2.27, 0.97, 1.76, 1.02, 1.85, 0.88, 1.66, 0.95]),
)
# small rises that add up, of the training loss only, and a gap: rate too high
exercise.case(
    "stable or not",
    train_loss=np.array([2.30, 1.80, 2.10, 1.60, 1.90, 1.40, 1.70, 1.20, 1.10, 1.00]),
    validation_loss=np.array([2.32, 2.10, 2.00, 1.90, 1.80, 1.70, 1.60, 1.50, 1.40, 1.35]),
)
# learns well, and a little to the end: healthy
exercise.case(
    "stable or not",
    train_loss=np.array([2.30, 1.40, 0.80, 0.60, 0.48, 0.40, 0.34, 0.30, 0.27, 0.22, 0.17, 0.12]),
    validation_loss=np.array([2.31, 1.42, 0.83, 0.64, 0.52, 0.45, 0.40, 0.36, 0.33, 0.29, 0.24, 0.19]),
)
# rises by less than half of the fall; the validation loss bounces more, which does not count: healthy
exercise.case(
    "stable or not",
    train_loss=np.array([2.30, 1.50, 1.00, 1.45, 0.80, 1.20, 0.50, 0.41, 0.40, 0.40]),
    validation_loss=np.array([2.31, 1.60, 1.10, 1.90, 0.95, 1.70, 0.60, 0.50, 0.50, 0.50]),
)
# drops just after a quarter of 15 epochs, and ends with a gap: bad initialization
exercise.case(
    "start and gap",
    train_loss=np.array([2.30, 2.27, 2.21, 2.13, 1.90, 1.40, 1.0, 0.7, 0.5, 0.35, 0.25, 0.21, 0.18, 0.17, 0.16]),
    validation_loss=np.array([2.31, 2.29, 2.24, 2.16, 2.0, 1.5, 1.2, 0.9, 0.75, 0.65, 0.6, 0.57, 0.55, 0.55, 0.56]),
)
# one low loss, then back to the start; drops late and is still falling: bad initialization
exercise.case(
    "start and gap",
    train_loss=np.array([2.30, 2.30, 2.05, 2.30, 2.29, 2.29, 2.27, 2.20, 2.00, 1.60, 1.20, 0.80]),
    validation_loss=np.array([2.31, 2.30, 2.07, 2.30, 2.30, 2.29, 2.28, 2.22, 2.03, 1.64, 1.25, 0.86]),
)
# never moves: bad initialization
exercise.case("start and gap", train_loss=np.full(8, 2.30), validation_loss=np.full(8, 2.31))
# overfits: overfitting
exercise.case(
    "start and gap",
    train_loss=np.array([2.30, 2.15, 1.20, 0.60, 0.38, 0.24, 0.15, 0.09, 0.06, 0.04, 0.03, 0.02]),
    validation_loss=np.array([2.32, 2.18, 1.35, 0.90, 0.80, 0.76, 0.75, 0.77, 0.81, 0.85, 0.89, 0.93]),
)
# small unit, overfits while the training loss is still falling: overfitting
exercise.case(
    "start and gap",
    train_loss=np.array([0.0230, 0.0200, 0.0175, 0.0150, 0.0125, 0.0100, 0.0075, 0.0050]),
    validation_loss=np.array([0.0231, 0.0201, 0.0177, 0.0154, 0.0132, 0.0112, 0.0093, 0.0078]),
)
# starts with a rise, but moves within a quarter, and closes a gap on the way: healthy
exercise.case(
    "start and gap",
    train_loss=np.array([2.30, 2.60, 2.40, 2.06, 1.10, 0.70, 0.48, 0.35, 0.27, 0.22, 0.19, 0.17]),
    validation_loss=np.array([2.31, 2.65, 2.45, 2.14, 1.55, 1.10, 0.75, 0.50, 0.36, 0.30, 0.27, 0.26]),
)
# a gap of just a tenth of the start, and just a tenth of the fall at the end, neither of them more: healthy
exercise.case(
    "start and gap",
    train_loss=np.array([10.0, 7.0, 5.0, 3.0, 2.0, 1.0, 0.5, 0.0]),
    validation_loss=np.array([10.0, 7.0, 5.0, 4.0, 3.0, 2.0, 1.5, 1.0]),
)
# keeps falling, with the validation loss below the training loss: train longer
exercise.case(
    "finished or not",
    train_loss=np.array([2.30, 2.15, 2.00, 1.86, 1.73, 1.61, 1.49, 1.38, 1.27, 1.16, 1.06, 0.96]),
    validation_loss=np.array([2.30, 2.05, 1.82, 1.63, 1.47, 1.34, 1.22, 1.11, 1.00, 0.89, 0.79, 0.69]),
)
# large unit, falls once more just inside the last quarter, to just half of the start: train longer
exercise.case(
    "finished or not",
    train_loss=np.array([400.0, 360, 330, 310, 295, 285, 275, 265, 255, 202, 201, 200]),
    validation_loss=np.array([401.0, 362, 333, 314, 300, 290, 281, 272, 263, 212, 211, 211]),
)
# barely moves, and a gap that is small for the loss: rate too low
exercise.case(
    "finished or not",
    train_loss=np.array([2.30, 2.20, 2.10, 2.00, 1.90, 1.80, 1.70, 1.60, 1.50, 1.40]),
    validation_loss=np.array([2.40, 2.31, 2.22, 2.13, 2.04, 1.95, 1.86, 1.77, 1.68, 1.60]),
)
# small unit, barely moves: rate too low
exercise.case(
    "finished or not",
    train_loss=np.array([0.0230, 0.0227, 0.0224, 0.0221, 0.0218, 0.0215, 0.0212, 0.0209, 0.0206, 0.0203]),
    validation_loss=np.array([0.0231, 0.0228, 0.0225, 0.0222, 0.0219, 0.0217, 0.0215, 0.0213, 0.0210, 0.0208]),
)
# stops in full descent: decayed too early
exercise.case(
    "how it came to rest",
    train_loss=np.array([2.30, 2.00, 1.65, 1.42, 1.29, 1.29, 1.28, 1.28, 1.28, 1.28, 1.27, 1.27]),
    validation_loss=np.array([2.32, 2.02, 1.69, 1.47, 1.34, 1.33, 1.33, 1.33, 1.33, 1.33, 1.32, 1.32]),
)
# stops in full descent, with a small bump after it: decayed too early
exercise.case(
    "how it came to rest",
    train_loss=np.array([2.30, 2.00, 1.75, 1.55, 1.30, 1.40, 1.36, 1.33, 1.31, 1.30, 1.30, 1.30]),
    validation_loss=np.array([2.32, 2.02, 1.79, 1.59, 1.35, 1.44, 1.40, 1.37, 1.35, 1.35, 1.35, 1.35]),
)
# small unit, comes to rest by itself a little above a quarter of the start: underfitting
exercise.case(
    "how it came to rest",
    train_loss=np.array([0.0230, 0.0180, 0.0145, 0.0118, 0.0098, 0.0084, 0.0074, 0.0067, 0.0065, 0.0065, 0.0065]),
    validation_loss=np.array([0.0231, 0.0182, 0.0148, 0.0122, 0.0102, 0.0089, 0.0080, 0.0074, 0.0072, 0.0072, 0.0073]),
)
# comes to rest after a small fall, a twentieth of which is far less than a twentieth of the loss: underfitting
exercise.case(
    "how it came to rest",
    train_loss=np.array([2.30, 2.18, 2.08, 1.985, 1.935, 1.925, 1.918, 1.91, 1.905, 1.90, 1.90, 1.90]),
    validation_loss=np.array([2.31, 2.19, 2.09, 2.01, 1.96, 1.95, 1.95, 1.94, 1.93, 1.93, 1.92, 1.92]),
)
# the epoch that ends the fall brings just a tenth of it, not more: underfitting
exercise.case(
    "how it came to rest",
    train_loss=np.array([16.0, 12.0, 9.0, 8.0, 7.0, 7.0, 6.0, 6.0]),
    validation_loss=np.array([16.0, 12.0, 9.0, 8.0, 7.0, 7.0, 6.0, 6.0]),
)
# small unit, flat for exactly a quarter of the epochs, ends at just a quarter of the start: healthy
exercise.case(
    "how it came to rest",
    train_loss=np.array([0.080, 0.056, 0.044, 0.038, 0.034, 0.030, 0.028, 0.0265, 0.0208, 0.0204, 0.0202, 0.0200]),
    validation_loss=np.array([0.081, 0.058, 0.046, 0.040, 0.036, 0.033, 0.031, 0.0295, 0.0255, 0.0253, 0.0252, 0.0255]),
)


def curves(rng, diagnosis):
    """Two curves well inside the rule of `diagnosis`, over any number of epochs and in any unit of loss."""
    epochs = int(rng.integers(12, 40))
    time = np.linspace(0, 1, epochs + 1)
    settling = 1 - np.exp(-rng.uniform(8, 12) * time)  # from 0 to 1, flat long before the end
    low, high = rng.uniform(0.02, 0.15), rng.uniform(0.4, 0.7)  # where a curve ends, as a share of its start
    gap = rng.uniform(0, 0.06) * settling
    if diagnosis == "rate too high":
        bounces = rng.uniform(0.5, 1, epochs + 1) * (np.arange(epochs + 1) % 2)
        train = 1 - (1 - high) * settling + 0.3 * bounces
        if rng.random() < 0.5:
            train[rng.integers(3, epochs) :] = rng.choice([np.nan, np.inf])
    elif diagnosis == "bad initialization":
        train = 1 - (1 - low) / (1 + np.exp(-rng.uniform(12, 25) * (time - rng.uniform(0.55, 0.8))))
    elif diagnosis == "overfitting":
        train, gap = 1 - (1 - low) * settling, rng.uniform(0.2, 0.5) * time
    elif diagnosis == "rate too low":
        train = 1 - rng.uniform(0.02, 0.4) * time
    elif diagnosis == "train longer":
        train = 1 - rng.uniform(0.6, 0.9) * time ** rng.uniform(0.8, 1.2)
    elif diagnosis == "decayed too early":
        until_decay = np.minimum(time * epochs / rng.integers(2, 7), 1)
        train = 1 - (1 - high) * until_decay - 0.01 * (1 - high) * time
    elif diagnosis == "underfitting":
        train = 1 - (1 - high) * (1 - np.exp(-8 * time))
    else:  # healthy
        train = 1 - (1 - low) * settling
    unit = rng.uniform(1.5, 4) * 10 ** rng.uniform(-1, 1)
    return {"train_loss": unit * train, "validation_loss": unit * (train + gap)}


@exercise.hidden("stable or not", count=6)
def stable_or_unstable(rng):
    return curves(rng, rng.choice(["rate too high", "rate too high", "healthy"]))


@exercise.hidden("stable or not", count=1)
def only_validation_fails(rng):
    curve = np.exp(-np.linspace(0, 4, 20))
    return {"train_loss": curve, "validation_loss": np.append(curve[:-1], np.nan)}


@exercise.hidden("start and gap", count=6)
def stuck_or_overfitted(rng):
    return curves(rng, rng.choice(["bad initialization", "overfitting"]))


@exercise.hidden("start and gap", count=1)
def constant_curves(rng):
    loss = np.full(int(rng.integers(8, 20)), rng.uniform(0.5, 3))
    return {"train_loss": loss, "validation_loss": loss}


@exercise.hidden("finished or not", count=6)
def still_falling(rng):
    return curves(rng, rng.choice(["rate too low", "train longer"]))


@exercise.hidden("how it came to rest", count=9)
def at_rest(rng):
    return curves(rng, rng.choice(["decayed too early", "underfitting", "healthy"]))


def curves_near(rng, scale, *, rises=0.2, done=0.6, gap=0.03, last=0.03, end=0.15, landing=0.01):
    """Two curves of which each rule sees just what is asked for.

    `rises` is what the training loss climbs in all, `done` how far it has come after a quarter of the epochs, `last`
    what the last quarter brings and `landing` the epoch before it, all as shares of the fall. `end` and `gap` are
    shares of the start. The validation loss bounces, and the training loss begins with a rise: neither shall matter.
    """
    epochs = int(rng.integers(16, 40))
    quarter, first_rise = epochs // 4, 0.15
    landed = epochs - 1 - quarter
    knots = {0: 0, quarter: done, landed - 1: 1 - last - landing, landed: 1 - last, epochs - 1: 1}
    share = np.interp(np.arange(epochs), list(knots), list(knots.values()))
    share[1] = -first_rise
    for epoch in (quarter + 2, quarter + 4):
        share[epoch] = share[epoch - 1] - (rises - first_rise) / 2
    train = 1 - (1 - end) * share
    bounces = 0.5 * (np.arange(epochs) % 2)
    bounces[-1] = 0
    unit = scale * rng.uniform(1.5, 4)
    return {"train_loss": unit * train, "validation_loss": unit * (train + bounces + np.linspace(0, gap, epochs))}


# Each number in the rules: the aspect that it belongs to, the share that is compared with it, and what else it takes
# for this rule to decide.
THRESHOLDS = (
    ("stable or not", "rises", 1 / 2, {}),
    ("start and gap", "done", 1 / 10, {}),
    ("start and gap", "gap", 1 / 10, {}),
    ("finished or not", "last", 1 / 10, {"end": 0.4}),
    ("finished or not", "end", 1 / 2, {"last": 0.3}),
    ("how it came to rest", "end", 1 / 4, {}),
    ("how it came to rest", "last", 1 / 20, {"end": 0.4, "landing": 0.2}),
    ("how it came to rest", "landing", 1 / 10, {"end": 0.4}),
)


def near_a_threshold(share, threshold, others, side, scale, rng):
    """Curves that differ from a threshold by 2 to 10 % of it, above (side 1) or below (side -1)."""
    return curves_near(rng, scale, **{share: threshold * (1 + side * rng.uniform(0.02, 0.1))}, **others)


for aspect, *threshold in THRESHOLDS:
    for side, scale in product((-1, 1), (0.01, 1, 100)):
        exercise.hidden(aspect, count=1)(partial(near_a_threshold, *threshold, side, scale))


exercise.slip(
    "NaN slips through your rules: every comparison with it is false, `== np.nan` too. Look for it, and for infinity, "
    "before all else; `np.isfinite` tells both from numbers.",
    name="nan_compared",
    right="not np.isfinite([train_loss, validation_loss]).all()",
    wrong="(train_loss == np.nan).any() or (validation_loss == np.nan).any()",
)
exercise.slip(
    "NaN is found, infinity is not. A loss may run away to infinity without ever being NaN; `np.isfinite` is False for "
    "both.",
    name="infinity_overlooked",
    right="not np.isfinite([train_loss, validation_loss]).all()",
    wrong="np.isnan([train_loss, validation_loss]).any()",
)
exercise.slip(
    "A loss that jumps up and down can still end lower than it began. Add up every rise between neighbouring epochs "
    "and compare that sum with the fall.",
    name="ends_compared",
    right="np.diff(train_loss).clip(min=0).sum() > fall / 2",
    wrong="end > start",
)
exercise.slip(
    "You call nearly everything a rate too high. A falling curve has large steps too, downwards; with `np.abs` they "
    "count as rises. Only steps upward speak of a rate that is too high.",
    name="falls_counted_as_rises",
    right="np.diff(train_loss).clip(min=0).sum()",
    wrong="np.abs(np.diff(train_loss)).sum()",
)
exercise.slip(
    "Many healthy runs are slow in the very first epoch. Wait for a quarter of the epochs before calling the start "
    "flat.",
    name="first_epoch_only",
    right="start - train_loss[quarter]",
    wrong="start - train_loss[1]",
)


@exercise.mistake(
    "A run that was stuck at the start is often still falling at the end, but more epochs only hide the cause. The "
    "rules have an order: look at the start first."
)
def end_before_start(train_loss, validation_loss):
    if not np.isfinite([train_loss, validation_loss]).all():
        return "rate too high"
    start, end = train_loss[0], train_loss[-1]
    fall, quarter = start - end, len(train_loss) // 4
    if np.diff(train_loss).clip(min=0).sum() > fall / 2:
        return "rate too high"
    if train_loss[-1 - quarter] - end > fall / 10:
        return "rate too low" if end > start / 2 else "train longer"
    if start - train_loss[quarter] <= fall / 10:
        return "bad initialization"
    if validation_loss[-1] - end > start / 10:
        return "overfitting"
    if end > start / 4:
        settled = np.argmax(train_loss - end <= fall / 20)
        return "decayed too early" if train_loss[settled - 1] - train_loss[settled] > fall / 10 else "underfitting"
    return "healthy"


exercise.slip(
    "The gap is validation loss minus training loss. An overfitted network is better on what it has learnt by heart, "
    "so its training loss is the smaller one.",
    name="gap_reversed",
    right="validation_loss[-1] - end",
    wrong="end - validation_loss[-1]",
)


@exercise.mistake(
    "A tenth means a tenth of `fall` (or of `start`), not a loss of 0.1: the rules must give the same answer when "
    "every loss is divided by 100."
)
def tenths_of_one(train_loss, validation_loss):
    if not np.isfinite([train_loss, validation_loss]).all():
        return "rate too high"
    start, end = train_loss[0], train_loss[-1]
    fall, quarter = start - end, len(train_loss) // 4
    if np.diff(train_loss).clip(min=0).sum() > fall / 2:
        return "rate too high"
    if start - train_loss[quarter] <= 0.1:
        return "bad initialization"
    if validation_loss[-1] - end > 0.1:
        return "overfitting"
    if train_loss[-1 - quarter] - end > 0.1:
        return "rate too low" if end > start / 2 else "train longer"
    if end > start / 4:
        settled = np.argmax(train_loss - end <= fall / 20)
        return "decayed too early" if train_loss[settled - 1] - train_loss[settled] > 0.1 else "underfitting"
    return "healthy"


exercise.slip(
    "Still falling has two causes. If more than half of the first loss is left after all these epochs, more of them "
    "won't do: the steps are too small.",
    name="always_train_longer",
    right='"rate too low" if end > start / 2 else "train longer"',
    wrong='"train longer"',
)
exercise.slip(
    "Both runs end flat and high; what differs is how they came to rest. Look at the epoch in which the curve settled: "
    "was it still falling steeply just before?",
    name="always_underfitting",
    right='"decayed too early" if train_loss[settled - 1] - train_loss[settled] > fall / 10 else "underfitting"',
    wrong='"underfitting"',
)
exercise.slip(
    "Every curve is steep somewhere, mostly at the start. The question is how steep it was in the one epoch in which "
    "it settled.",
    name="steep_anywhere",
    right="train_loss[settled - 1] - train_loss[settled]",
    wrong="-np.diff(train_loss).min()",
)


@exercise.alternative
def loops_over_lists(train_loss, validation_loss):
    train, validation = [float(loss) for loss in train_loss], [float(loss) for loss in validation_loss]
    if any(loss != loss or abs(loss) == float("inf") for loss in train + validation):
        return "rate too high"
    start, end, epochs = train[0], train[-1], len(train)
    fall = start - end
    rises = 0.0
    for before, after in zip(train, train[1:]):
        rises += max(after - before, 0.0)
    if rises > 0.5 * fall:
        return "rate too high"
    if train[epochs // 4] >= start - 0.1 * fall:
        return "bad initialization"
    if validation[-1] > end + 0.1 * start:
        return "overfitting"
    if train[epochs - 1 - epochs // 4] > end + 0.1 * fall:
        if end <= start / 2:
            return "train longer"
        return "rate too low"
    if end <= start / 4:
        return "healthy"
    for epoch in range(1, epochs):
        if train[epoch] <= end + 0.05 * fall:
            return "decayed too early" if train[epoch - 1] - train[epoch] > 0.1 * fall else "underfitting"


@exercise.alternative
def shares_in_single_precision(train_loss, validation_loss):
    train = train_loss.astype(np.float32) / np.float32(train_loss[0])
    validation = validation_loss.astype(np.float32) / np.float32(train_loss[0])
    steps, end, quarter = np.diff(train), train[-1], train.size // 4
    fall = 1 - end
    settled = np.argmax(train <= end + fall / 20)
    rules = {
        "rate too high": not np.isfinite(train + validation).all() or steps[steps > 0].sum() > fall / 2,
        "bad initialization": 1 - train[quarter] <= fall / 10,
        "overfitting": validation[-1] - end > 0.1,
        "rate too low": train[-quarter - 1] - end > fall / 10 and end > 0.5,
        "train longer": train[-quarter - 1] - end > fall / 10,
        "decayed too early": end > 0.25 and steps[settled - 1] < -fall / 10,
        "underfitting": end > 0.25,
        "healthy": True,
    }
    return next(diagnosis for diagnosis, holds in rules.items() if holds)
