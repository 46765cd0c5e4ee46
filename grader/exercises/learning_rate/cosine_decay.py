"""The exercise `cosine_decay`."""

import numpy as np
import torch

from grader.exercises.learning_rate.common import SINGLE_PRECISION, chapter

exercise = chapter.exercise(
    "cosine_decay",
    points=2,
    aspects={"down to 0": 1, "down to the minimum": 1, "beyond the end": 1},
    hints=(
        "First turn `epoch` into the share of the decay that is done, from 0 to 1. What should happen to that share "
        "after the last epoch?",
        "The cosine of 0 is 1, the cosine of π is -1. Shift and shrink it so that it goes from 1 to 0 while the share "
        "goes from 0 to 1, then stretch that onto the way from `learning_rate` to `minimum`.",
        "With `progress = min(epoch, epochs) / epochs` and `wave = (1 + np.cos(np.pi * progress)) / 2`, the rate is "
        "`minimum` plus `wave` times what lies between `learning_rate` and `minimum`.",
    ),
    tolerance=SINGLE_PRECISION,
)


@exercise.reference
def cosine_decay(learning_rate, epoch, epochs, minimum=0.0):
    progress = min(epoch, epochs) / epochs
    wave = (1 + np.cos(np.pi * progress)) / 2
    return float(minimum + (learning_rate - minimum) * wave)


exercise.case("down to 0", learning_rate=0.5, epoch=0, epochs=90)
exercise.case("down to 0", learning_rate=0.5, epoch=30, epochs=90)
exercise.case("down to 0", learning_rate=0.5, epoch=90, epochs=90)
exercise.case("down to the minimum", learning_rate=0.5, epoch=30, epochs=90, minimum=0.1)
exercise.case("down to the minimum", learning_rate=0.5, epoch=90, epochs=90, minimum=0.1)
exercise.case("beyond the end", learning_rate=0.5, epoch=60, epochs=90)
exercise.case("beyond the end", learning_rate=0.5, epoch=120, epochs=90)
exercise.case("beyond the end", learning_rate=0.5, epoch=120, epochs=90, minimum=0.1)


@exercise.hidden("down to 0", count=4)
def any_cosine(rng):
    epochs = int(rng.integers(2, 200))
    return {"learning_rate": float(rng.uniform(0.01, 1)), "epoch": int(rng.integers(0, epochs)), "epochs": epochs}


@exercise.hidden("down to the minimum", count=4)
def any_cosine_and_minimum(rng):
    return any_cosine(rng) | {"minimum": float(rng.uniform(0.001, 0.01))}


@exercise.hidden("beyond the end", count=4)
def any_cosine_and_later(rng):
    epochs = int(rng.integers(2, 50))
    return {"learning_rate": float(rng.uniform(0.01, 1)), "epoch": int(rng.integers(0, 2 * epochs)), "epochs": epochs}


exercise.slip(
    "Your rate starts twice as high as it should. 1 + cos goes from 2 to 0; what brings it to the range from 1 to 0?",
    name="half_left_out",
    right=") / 2",
    wrong=")",
)
exercise.slip(
    "Your rate rises, from `minimum` up to `learning_rate`. 1 - cos goes from 0 to 2; which sign makes it begin at 2?",
    name="upside_down",
    right="1 + np.cos",
    wrong="1 - np.cos",
)
exercise.slip(
    "Your rate jumps about: the angle is given in degrees. `np.cos` takes radians, where half a turn is `np.pi`.",
    name="angle_in_degrees",
    right="np.pi",
    wrong="180",
)


@exercise.mistake(
    "This is a quarter of a wave: your rate is still falling fast when it reaches the end. Half a wave is level at "
    "both ends; its cosine goes from 1 to -1 and has to be lifted."
)
def quarter_of_a_wave(learning_rate, epoch, epochs, minimum=0.0):
    return minimum + (learning_rate - minimum) * np.cos(np.pi / 2 * min(epoch, epochs) / epochs)


exercise.slip(
    "Your rate goes down to 0, whatever `minimum` is. The wave should end at `minimum`.",
    name="minimum_ignored",
    right="minimum + (learning_rate - minimum)",
    wrong="learning_rate",
)
exercise.slip(
    "Your rate starts above `learning_rate`: the minimum is added to the whole wave. The wave has only the way between "
    "`learning_rate` and `minimum` to cover.",
    name="minimum_on_top",
    right="(learning_rate - minimum)",
    wrong="learning_rate",
)


@exercise.mistake(
    "Your wave heads for 0 and is cut off at `minimum`, with a kink. It should be stretched so that it arrives at "
    "`minimum` level."
)
def cut_off_at_minimum(learning_rate, epoch, epochs, minimum=0.0):
    return max(minimum, learning_rate * (1 + np.cos(np.pi * min(epoch, epochs) / epochs)) / 2)


exercise.slip(
    "After the last epoch your rate rises again: the cosine goes on. The share that is done never exceeds 1.",
    name="rises_again",
    right="min(epoch, epochs)",
    wrong="epoch",
)


@exercise.mistake(
    "Your rate is a little too low: it arrives one epoch early. The decay takes `epochs` epochs, not `epochs - 1`."
)
def arrives_early(learning_rate, epoch, epochs, minimum=0.0):
    progress = min(epoch / (epochs - 1), 1)
    return minimum + (learning_rate - minimum) * (1 + np.cos(np.pi * progress)) / 2


exercise.slip(
    "Your rate reaches the minimum one epoch early and then rises: with `epochs - 1` below the line the share goes "
    "beyond 1. Divide by `epochs`.",
    name="arrives_early_and_rises",
    right="/ epochs",
    wrong="/ (epochs - 1)",
)


@exercise.alternative
def squared_cosine(learning_rate, epoch, epochs, minimum=0.0):
    if epoch >= epochs:
        return minimum
    high = np.cos(np.pi * epoch / epochs / 2) ** 2
    return learning_rate * high + minimum * (1 - high)


@exercise.alternative
def clipped_in_single_precision(learning_rate, epoch, epochs, minimum=0.0):
    angle = torch.tensor(epoch / epochs, dtype=torch.float32).clamp(max=1) * torch.pi
    return (minimum + 0.5 * (learning_rate - minimum) * (1 + torch.cos(angle))).item()
