"""The exercise `warmup_cosine`."""

import numpy as np

from grader.exercises.learning_rate.common import SINGLE_PRECISION, chapter

exercise = chapter.exercise(
    "warmup_cosine",
    points=2,
    aspects={"warm-up": 1, "decay": 1, "no warm-up": 1},
    hints=(
        "There are two formulas, one for the epochs before `warmup` and one for those from it on. Which is the last "
        "epoch of the first kind?",
        "Epoch 0 is the first of `warmup` equal steps, so the number of steps climbed is epoch + 1. The decay is "
        "`cosine_decay` with its own clock: how many of its epochs have passed, and how many are there in all?",
        "Before `warmup` the rate is learning_rate · (epoch + 1) / warmup. After that the share of the decay that is "
        "done is (epoch - warmup) / (epochs - warmup).",
    ),
    tolerance=SINGLE_PRECISION,
)


@exercise.reference
def warmup_cosine(learning_rate, epoch, warmup, epochs):
    if epoch < warmup:
        return learning_rate * (epoch + 1) / warmup
    progress = (epoch - warmup) / (epochs - warmup)
    return float(learning_rate * (1 + np.cos(np.pi * progress)) / 2)


exercise.case("warm-up", learning_rate=0.1, epoch=0, warmup=5, epochs=100)
exercise.case("warm-up", learning_rate=0.1, epoch=4, warmup=5, epochs=100)
exercise.case("decay", learning_rate=0.4, epoch=5, warmup=5, epochs=35)
exercise.case("decay", learning_rate=0.4, epoch=15, warmup=5, epochs=35)
exercise.case("decay", learning_rate=0.4, epoch=35, warmup=5, epochs=35)
exercise.case("no warm-up", learning_rate=0.4, epoch=0, warmup=0, epochs=30)
exercise.case("no warm-up", learning_rate=0.4, epoch=10, warmup=0, epochs=30)


@exercise.hidden("warm-up", count=4)
def epoch_of_warmup(rng):
    warmup = int(rng.integers(2, 20))
    epoch = int(rng.integers(0, warmup))
    epochs = warmup + int(rng.integers(1, 100))
    return {"learning_rate": float(rng.uniform(0.01, 1)), "epoch": epoch, "warmup": warmup, "epochs": epochs}


@exercise.hidden("decay", count=5)
def epoch_of_decay(rng):
    warmup = int(rng.integers(1, 20))
    epochs = warmup + int(rng.integers(2, 100))
    epoch = int(rng.integers(warmup, epochs))
    return {"learning_rate": float(rng.uniform(0.01, 1)), "epoch": epoch, "warmup": warmup, "epochs": epochs}


@exercise.hidden("no warm-up", count=3)
def decay_alone(rng):
    epochs = int(rng.integers(3, 100))
    epoch = int(rng.integers(1, epochs))
    return {"learning_rate": float(rng.uniform(0.01, 1)), "epoch": epoch, "warmup": 0, "epochs": epochs}


exercise.slip(
    "In epoch 0 your rate is 0, so a whole epoch is spent without learning anything. Warm-up starts at the first step "
    "of the stairs, not below it.",
    name="first_epoch_wasted",
    right="(epoch + 1) / warmup",
    wrong="epoch / warmup",
)
exercise.slip(
    "Your stairs have one step too many: the last epoch of warm-up should have the full rate already. How many steps "
    "are there in `warmup` epochs?",
    name="one_stair_too_many",
    right="(epoch + 1) / warmup",
    wrong="(epoch + 1) / (warmup + 1)",
)
exercise.slip(
    "In epoch `warmup` your rate is above `learning_rate`: warm-up goes on for one epoch too long. It holds for epochs "
    "below `warmup`, `<` and not `<=`.",
    name="overshoots",
    right="epoch < warmup",
    wrong="epoch <= warmup",
)
exercise.slip(
    "Your rate jumps down when the decay begins: the decay counts from epoch 0, so a part of it is gone already. Its "
    "clock should start in epoch `warmup`.",
    name="decay_begins_in_epoch_0",
    right="(epoch - warmup) / (epochs - warmup)",
    wrong="epoch / epochs",
)
exercise.slip(
    "In epoch `epochs` your rate is not yet 0: warm-up has used some epochs, so the decay has fewer than `epochs`.",
    name="decay_too_slow",
    right="(epoch - warmup) / (epochs - warmup)",
    wrong="(epoch - warmup) / epochs",
)


@exercise.mistake(
    "Your warm-up is bent: it is multiplied by a decay that runs from epoch 0. The two follow one another; in each "
    "epoch only one of them holds."
)
def both_at_once(learning_rate, epoch, warmup, epochs):
    climbed = min(1, (epoch + 1) / warmup) if warmup else 1
    return learning_rate * climbed * (1 + np.cos(np.pi * epoch / epochs)) / 2


exercise.slip(
    "Your decay is a straight line. Half a cosine wave is level at first, steep in the middle and level at the end.",
    name="decays_in_a_line",
    right="(1 + np.cos(np.pi * progress)) / 2",
    wrong="(1 - progress)",
)


@exercise.alternative
def whole_schedule_as_an_array(learning_rate, epoch, warmup, epochs):
    climb = np.linspace(0, learning_rate, warmup + 1)[1:]
    decay = learning_rate * np.cos(np.linspace(0, np.pi / 2, epochs - warmup + 1)) ** 2
    return np.concatenate([climb, decay])[epoch]


@exercise.alternative
def decay_first_in_single_precision(learning_rate, epoch, warmup, epochs):
    learning_rate = np.float32(learning_rate)
    if epoch >= warmup:
        angle = np.float32(np.pi) * np.float32((epoch - warmup) / (epochs - warmup))
        return learning_rate / 2 + learning_rate / 2 * np.cos(angle)
    return learning_rate * np.float32((epoch + 1) / warmup)
