"""The exercise `smooth`."""

import numpy as np

from grader.exercises.learning_rate.common import SINGLE_PRECISION, chapter

exercise = chapter.exercise(
    "smooth",
    points=2,
    aspects={"bias correction": 2, "the average": 1, "any length": 1},
    hints=(
        "Walk through the losses with two names: the average that is carried on, and the list of entries to return.",
        "In each round update the average by the first formula, then append the average divided by 1 - beta**n. What "
        "is n for the very first loss?",
        "`for n, loss in enumerate(losses, start=1):` counts from 1. Append `average / (1 - beta**n)`, and leave "
        "`average` itself as it is.",
    ),
    tolerance=SINGLE_PRECISION,
)


@exercise.reference
def smooth(losses, beta):
    average, smoothed = 0.0, []
    for n, loss in enumerate(losses, start=1):
        average = beta * average + (1 - beta) * loss
        smoothed.append(average / (1 - beta**n))
    return np.array(smoothed)


exercise.case("bias correction", losses=np.array([4.0, 1.0, 5.5]), beta=0.5)
exercise.case("bias correction", losses=np.array([3.0, 3.0, 3.0, 3.0]), beta=0.9)
# After eight zeros 1 - beta**n is 1 to eight digits, so this aspect holds without the correction too.
exercise.case("the average", losses=np.array([0, 0, 0, 0, 0, 0, 0, 0, 10.0, 20.0, 0]), beta=0.1)
exercise.case("any length", losses=np.array([2.0, 4.0]), beta=0.75)
exercise.case("any length", losses=np.array([2.5]), beta=0.9)
exercise.case("any length", losses=np.array([]), beta=0.9)


@exercise.hidden("bias correction", count=4)
def noisy_losses(rng):
    losses = np.exp(-np.linspace(0, 3, 40)) + rng.uniform(0, 0.3, 40)
    return {"losses": losses, "beta": float(rng.uniform(0.5, 0.98))}


@exercise.hidden("the average", count=3)
def losses_after_zeros(rng):
    losses = rng.uniform(0.1, 4, rng.integers(12, 30))
    losses[:8] = 0
    return {"losses": losses, "beta": float(rng.uniform(0.05, 0.15))}


@exercise.hidden("any length", count=4)
def losses_of_any_length(rng):
    return {"losses": rng.uniform(0.1, 4, rng.integers(2, 200)), "beta": float(rng.uniform(0, 0.95))}


exercise.slip(
    "Your curve starts far too low and climbs up to the losses: it still remembers the 0 that it started from. Divide "
    "by the weight that the losses have had so far, 1 - beta**n.",
    name="no_correction",
    right="average / (1 - beta**n)",
    wrong="average",
)
exercise.slip(
    "Your first entry is a division by 0: the exponent is the index, which starts at 0. It should be the number of "
    "losses taken in, which is 1 at the first.",
    name="exponent_is_the_index",
    right="start=1",
    wrong="start=0",
)


@exercise.mistake(
    "Your first entry is right, what follows is too high: the corrected value goes back into the average. Keep two "
    "variables, one that is carried on and one that is returned."
)
def correction_carried_on(losses, beta):
    average, smoothed = 0.0, []
    for n, loss in enumerate(losses, start=1):
        average = (beta * average + (1 - beta) * loss) / (1 - beta**n)
        smoothed.append(average)
    return np.array(smoothed)


@exercise.mistake(
    "Your two weights are the wrong way round: the larger beta, the more should stay of the average and the less "
    "should come from the new loss."
)
def weights_swapped(losses, beta):
    average, smoothed = 0.0, []
    for n, loss in enumerate(losses, start=1):
        average = (1 - beta) * average + beta * loss
        smoothed.append(average / (1 - beta**n))
    return np.array(smoothed)


exercise.slip(
    "Your values are too high: each loss goes into the average whole. It counts with the weight 1 - beta, so that the "
    "two weights add up to 1.",
    name="whole_loss_added",
    right="(1 - beta) * loss",
    wrong="loss",
)


@exercise.mistake(
    "Your average starts at the first loss. That looks fine at once, but gives this one loss far too much weight; "
    "start at 0 and correct, so that all losses are weighed alike."
)
def starts_at_the_first_loss(losses, beta):
    average, smoothed = losses[0], []
    for loss in losses:
        average = beta * average + (1 - beta) * loss
        smoothed.append(average)
    return np.array(smoothed)


exercise.slip(
    "You divide by 1 - beta in every round, as if each were the first. The correction fades out: its exponent grows "
    "with the number of losses.",
    name="correction_never_fades",
    right="1 - beta**n",
    wrong="1 - beta",
)


@exercise.alternative
def explicit_weighted_means(losses, beta):
    entries = range(1, len(losses) + 1)
    return np.array([np.average(losses[:n], weights=np.float64(beta) ** np.arange(n)[::-1]) for n in entries])


@exercise.alternative
def with_an_array_in_single_precision(losses, beta):
    smoothed = np.zeros_like(losses, dtype=np.float32)
    average, weight = 0.0, 0.0
    for index in range(len(losses)):
        average += (1 - beta) * (losses[index] - average)
        weight += (1 - beta) * (1 - weight)
        smoothed[index] = average / weight
    return smoothed
