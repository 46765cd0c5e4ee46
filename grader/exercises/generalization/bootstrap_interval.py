"""The exercise `bootstrap_interval`."""

from math import comb

import numpy as np

from grader.exercises.generalization.common import chapter
from labutils.checks.comparing import Tolerance

# Two right answers draw other resamples. With 5,000 of them and the scores below, they differ by less than this; see
# `is_steady` for the accuracies of few examples, of which a quantile moves in larger steps or not at all.
BY_CHANCE = Tolerance(relative=0, absolute=0.012)

exercise = chapter.exercise(
    "bootstrap_interval",
    points=3,
    aspects={"an accuracy": 1, "few scores, or bad ones": 1, "a mean loss": 1},
    hints=(
        "Imagine that you could test the model again and again, on n examples each time. You cannot; but you can draw "
        "n of your own examples, with replacement, as often as you like. What do you note of each draw?",
        "`rng.choice(scores, size=(resamples, n))` draws with replacement, one draw per row, and a mean along each row "
        "gives `resamples` means. The interval leaves out (1 - level) / 2 of them on each side.",
        "`np.quantile(means, [(1 - level) / 2, (1 + level) / 2])` gives both ends. Before you draw, refuse what is "
        "empty, holds a NaN (`np.isnan`), or a level that is not between 0 and 1.",
    ),
    tolerance=BY_CHANCE,
)


@exercise.reference
def bootstrap_interval(scores, seed, level=0.95, resamples=5000):
    n = len(scores)
    if n == 0 or np.isnan(scores).any():
        raise ValueError(f"{n} scores, {np.isnan(scores).sum()} of them NaN: give at least one, and none that is NaN")
    if not 0 < level < 1:
        raise ValueError(f"a level of {level} is not above 0 and below 1; write 0.95 for 95 %")
    rng = np.random.default_rng(seed)
    means = rng.choice(scores, size=(resamples, n)).mean(axis=1)
    low, high = np.quantile(means, [(1 - level) / 2, (1 + level) / 2])
    return float(low), float(high)


def answers(n, right):
    """Booleans: `right` of n answers are right, spread evenly."""
    return np.arange(n) * right % n < right


def squared_errors(n, mean):
    """The losses of n examples as they often are: most of them small, a few large."""
    losses = -np.log(1 - (np.arange(n) + 0.5) / n)
    return mean * losses / losses.mean()


# In each aspect stands a model that is wrong once in some twenty examples. There no normal curve fits: an interval that
# is built on one reaches above 1 or, for a loss, below the smallest.
exercise.case("an accuracy", scores=answers(100, 80), seed=0)
exercise.case("an accuracy", scores=answers(110, 77), seed=1, level=0.8)
exercise.case("an accuracy", scores=answers(100, 75), seed=2, level=0.5)
exercise.case("an accuracy", scores=answers(18, 17), seed=3, level=0.9)
exercise.case("few scores, or bad ones", scores=answers(20, 19), seed=4, level=0.9)
exercise.case("few scores, or bad ones", scores=answers(9, 3), seed=5, level=0.8)
exercise.case("few scores, or bad ones", scores=answers(10, 8), seed=6, level=0.5, resamples=8000)
exercise.case("few scores, or bad ones", scores=np.array([], dtype=bool), seed=0)
exercise.case("few scores, or bad ones", scores=answers(20, 19), seed=0, level=90)
exercise.case("few scores, or bad ones", scores=answers(20, 19), seed=0, level=0.0)
exercise.case("few scores, or bad ones", scores=answers(20, 19), seed=0, level=1)
exercise.case("a mean loss", scores=squared_errors(15, 0.15), seed=7)
exercise.case("a mean loss", scores=squared_errors(25, 0.2), seed=8, level=0.5)
exercise.case("a mean loss", scores=np.where(answers(16, 15), 0.1, 0.85), seed=9, level=0.9)
exercise.case("few scores, or bad ones", scores=np.array([0.25, np.nan, 0.5, 0.125]), seed=0)


def is_steady(n, right, level, resamples=5000):
    """Tell whether both quantiles of an accuracy lie so far inside a step that chance does not move them.

    With few examples a mean takes few values. How often each is drawn is binomial, so it is known how many resamples
    lie below each step: seven standard deviations have to be between that and the quantile.
    """
    share = right / n
    up_to = np.cumsum([comb(n, k) * share**k * (1 - share) ** (n - k) for k in range(n + 1)])
    tails = np.array([(1 - level) / 2, (1 + level) / 2])
    deviations = np.sqrt(tails * (1 - tails) / resamples)
    return bool(np.all(np.abs(up_to[:, None] - tails).min(axis=0) > 7 * deviations))


@exercise.hidden("an accuracy", count=3)
def test_set(rng):
    n = int(rng.integers(95, 120))
    return {
        "scores": rng.permutation(np.arange(n) < rng.uniform(0.7, 0.85) * n),
        "seed": int(rng.integers(1000)),
        "level": float(rng.choice([0.95, 0.9, 0.8, 0.5])),
    }


@exercise.hidden("few scores, or bad ones", count=3)
def few_answers(rng):
    n, right, level = 0, 0, 0.9
    while n == 0 or not is_steady(n, right, level):
        n, level = int(rng.integers(8, 40)), float(rng.choice([0.9, 0.8, 0.5]))
        right = int(rng.integers(n // 2, n))
    return {"scores": rng.permutation(np.arange(n) < right), "seed": int(rng.integers(1000)), "level": level}


@exercise.hidden("a mean loss", count=3)
def losses(rng):
    n = int(rng.integers(15, 30))
    scores = rng.permutation(squared_errors(n, 0.035 * np.sqrt(n)))
    return {"scores": scores, "seed": int(rng.integers(1000)), "level": float(rng.choice([0.9, 0.8, 0.5]))}


@exercise.mistake(
    "Your interval has no width: all your means are that of the scores. Without replacement n of n examples are always "
    "all of them; with it, some come twice and others not at all, and each draw has a mean of its own."
)
def without_replacement(scores, seed, level=0.95, resamples=5000):
    if len(scores) == 0 or np.isnan(scores).any() or not 0 < level < 1:
        raise ValueError("no interval")
    rng = np.random.default_rng(seed)
    means = rng.permuted(np.tile(scores, (resamples, 1)), axis=1).mean(axis=1)
    low, high = np.quantile(means, [(1 - level) / 2, (1 + level) / 2])
    return float(low), float(high)


@exercise.mistake(
    "Your interval has no width: the generator is made anew in each round, with the same seed, so every resample is "
    "the same. Make it once, before the loop."
)
def same_resample_every_time(scores, seed, level=0.95, resamples=5000):
    if len(scores) == 0 or np.isnan(scores).any() or not 0 < level < 1:
        raise ValueError("no interval")
    mean = float(np.random.default_rng(seed).choice(scores, size=len(scores)).mean())
    return mean, mean


exercise.slip(
    "You leave out the whole 1 - level on each side, so both together leave out twice as much. Half of it belongs to "
    "each side.",
    name="one_sided",
    right="[(1 - level) / 2, (1 + level) / 2]",
    wrong="[1 - level, level]",
)
exercise.slip(
    "You leave out as much as if the level were always 0.95. It is an argument.",
    name="level_ignored",
    right="[(1 - level) / 2, (1 + level) / 2]",
    wrong="[0.025, 0.975]",
)
exercise.slip(
    "`np.percentile` counts in percent, and you give it shares: both ends of your interval lie among the lowest means. "
    "`np.quantile` takes shares.",
    name="shares_for_percent",
    right="np.quantile(",
    wrong="np.percentile(",
)


@exercise.mistake(
    "You take the mean plus and minus two (1.96) standard errors. That is another interval: it is always symmetrical, "
    "always for 95 %, and may reach above an accuracy of 1. Read the ends off the means that you drew."
)
def two_standard_errors(scores, seed, level=0.95, resamples=5000):
    if len(scores) == 0 or np.isnan(scores).any() or not 0 < level < 1:
        raise ValueError("no interval")
    half_width = 1.96 * scores.std() / np.sqrt(len(scores))
    return float(scores.mean() - half_width), float(scores.mean() + half_width)


@exercise.mistake(
    "Your interval is built on the normal curve: mean plus and minus a multiple of the standard error. With few "
    "examples it reaches above an accuracy of 1. Read the ends off the means that you drew."
)
def normal_curve(scores, seed, level=0.95, resamples=5000):
    from statistics import NormalDist

    if len(scores) == 0 or np.isnan(scores).any() or not 0 < level < 1:
        raise ValueError("no interval")
    half_width = NormalDist().inv_cdf((1 + level) / 2) * scores.std() / np.sqrt(len(scores))
    return float(scores.mean() - half_width), float(scores.mean() + half_width)


exercise.slip(
    "These are quantiles of the scores themselves. They tell how single examples scatter, and for right or wrong they "
    "are just 0 and 1; what scatters here is the mean.",
    name="quantiles_of_the_scores",
    right="np.quantile(means,",
    wrong="np.quantile(scores.astype(float),",
)
exercise.slip(
    "You average along the wrong axis: each of your means takes one example from every resample, so your interval is "
    "far too narrow. A resample is a row.",
    name="averaged_over_the_resamples",
    right=".mean(axis=1)",
    wrong=".mean(axis=0)",
)
exercise.slip(
    "Your resamples are too small, and a mean over fewer examples scatters more. Draw as many examples as there are, "
    "since the accuracy in question is one over n examples.",
    name="half_of_the_examples",
    right="size=(resamples, n)",
    wrong="size=(resamples, (n + 1) // 2)",
)
exercise.slip(
    "You return the lowest and the highest mean of all. These two depend on how often you draw; leave out the share "
    "that is beyond the level.",
    name="lowest_and_highest",
    right="np.quantile(means, [(1 - level) / 2, (1 + level) / 2])",
    wrong="means.min(), means.max()",
)
exercise.slip(
    "You reflect the quantiles at the mean. That is another interval, the basic bootstrap; here the quantiles "
    "themselves are the ends.",
    name="reflected_at_the_mean",
    right="return float(low), float(high)",
    wrong="return float(2 * scores.mean() - high), float(2 * scores.mean() - low)",
)
exercise.slip(
    "Your two ends have changed places: the lower one comes first.",
    name="ends_swapped",
    right="return float(low), float(high)",
    wrong="return float(high), float(low)",
)
exercise.slip(
    "You return the mean and half the width. Asked for are the two ends of the interval.",
    name="mean_and_half_width",
    right="return float(low), float(high)",
    wrong="return float(scores.mean()), float(high - low) / 2",
)
exercise.slip(
    "Your means are medians. The accuracy is a mean; the median of right and wrong answers is 0 or 1.",
    name="medians",
    right="rng.choice(scores, size=(resamples, n)).mean(axis=1)",
    wrong="np.median(rng.choice(scores, size=(resamples, n)), axis=1)",
)
exercise.slip(
    "A level of 0 or of 1 gets through. With 0 your interval has no width, with 1 it holds every mean that you drew; "
    "refuse both, and all beyond.",
    name="level_unchecked",
    right="not 0 < level < 1",
    wrong="False",
)
exercise.slip(
    "With a NaN among the scores both of your ends are NaN. Refuse it with `raise ValueError`: a score is missing, and "
    "whoever calls has to know.",
    name="nan_accepted",
    right=" or np.isnan(scores).any()",
    wrong="",
)
exercise.slip(
    "You pass over the NaN and judge by the other scores. The examples without a score are perhaps the hardest ones; "
    "refuse it.",
    name="nan_left_out",
    right="    n = len(scores)",
    wrong="    scores = scores[~np.isnan(scores)]\n    n = len(scores)",
)


@exercise.mistake(
    "Your interval is right. What is still missing are the calls without an answer: no score at all, a score that is "
    "NaN, a level that is not between 0 and 1. Refuse them with `raise ValueError`."
)
def nothing_refused(scores, seed, level=0.95, resamples=5000):
    rng = np.random.default_rng(seed)
    means = rng.choice(scores, size=(resamples, len(scores))).mean(axis=1)
    low, high = np.quantile(means, [(1 - level) / 2, (1 + level) / 2])
    return float(low), float(high)


@exercise.alternative
def resample_by_resample(scores, seed, level=0.95, resamples=5000):
    if not len(scores) or any(score != score for score in scores):
        raise ValueError("give numbers")
    if level <= 0 or level >= 1:
        raise ValueError("the level is a share")
    rng = np.random.default_rng(seed)
    n = len(scores)
    means = sorted(scores[rng.integers(n, size=n)].sum() / n for _ in range(resamples))
    left_out = round((1 - level) / 2 * resamples)
    return means[left_out], means[-1 - left_out]


@exercise.alternative
def how_often_each_is_drawn(scores, seed, level=0.95, resamples=5000):
    n = len(scores)
    if n < 1 or np.isnan(np.sum(scores)) or not 0 < level < 1:
        raise ValueError("no interval")
    counts = np.random.default_rng([seed, 1]).multinomial(n, np.full(n, 1 / n), size=resamples)
    means = (counts @ scores / n).astype(np.float32)
    return list(np.percentile(means, [50 - 50 * level, 50 + 50 * level]))
