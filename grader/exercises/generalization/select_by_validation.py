"""The exercise `select_by_validation`."""

import numpy as np
import torch

from grader.exercises.generalization.common import SINGLE_PRECISION, chapter

exercise = chapter.exercise(
    "select_by_validation",
    points=3,
    aspects={"the bar": 1, "the simplest setting": 1, "failed settings": 1},
    hints=(
        "Three steps: which setting has the best mean, how uncertain is that mean, and which is the first setting that "
        "is not worse by more than this?",
        "`scores.mean(axis=1)` gives one mean for each setting, NaN where one failed, and `np.nanargmax` passes over "
        "NaN. For the standard error take only the row of the best setting, and `ddof=1`.",
        "`bar = means[best] - scores[best].std(ddof=1) / np.sqrt(folds)`. `means >= bar` is False for NaN, and "
        "`np.argmax` of it is the first True. Refuse first what has no answer.",
    ),
    tolerance=SINGLE_PRECISION,
)


@exercise.reference
def select_by_validation(scores):
    folds = scores.shape[1]
    if folds < 2:
        raise ValueError(f"{folds} fold has no standard error; score each setting on at least 2")
    means = scores.mean(axis=1)
    if np.isnan(means).all():
        raise ValueError(f"each of the {len(means)} settings has failed in some fold; repair one of them first")
    best = np.nanargmax(means)
    bar = means[best] - scores[best].std(ddof=1) / np.sqrt(folds)
    return int(np.argmax(means >= bar)), float(bar)


# The best setting stands last and far above all others.
exercise.case("the bar", scores=np.array([[0.5, 0.6, 0.55, 0.65], [0.7, 0.75, 0.7, 0.65], [0.9, 0.95, 0.85, 0.95]]))
# Far above, too, and in the middle: the rest is more complex and worse.
exercise.case("the bar", scores=np.array([[0.2, 0.3, 0.1], [0.8, 0.6, 0.9], [0.5, 0.7, 0.6], [0.3, 0.5, 0.4]]))
# As many settings as folds. The setting before the best one has the same mean but for half a standard error.
exercise.case(
    "the simplest setting", scores=np.array([[0.4, 0.5, 0.3], [0.7, 0.75, 0.71], [0.8, 0.6, 0.85], [0.75, 0.8, 0.5]])
)
exercise.case("the simplest setting", scores=np.array([[0.5, 0.5], [0.75, 0.875], [1.0, 0.75]]))
# A setting below the bar has a large standard error of its own, and the best single fold.
exercise.case(
    "the simplest setting",
    scores=np.array([[1.0, 0.2, 0.9, 0.6], [0.8, 0.82, 0.8, 0.81], [0.84, 0.8, 0.86, 0.82], [0.83, 0.8, 0.8, 0.8]]),
)
# Two settings are the best; the first has no spread, so only it and the other reach the bar.
exercise.case(
    "the simplest setting",
    scores=np.array([[0.5, 0.75, 0.625, 0.625], [0.75, 0.75, 0.75, 0.75], [0.5, 1.0, 0.75, 0.75]]),
)
# The same the other way round: the first of them has the spread, and lets a simpler one in.
exercise.case(
    "the simplest setting",
    scores=np.array([[0.25, 0.5, 0.5, 0.5], [0.5, 0.875, 0.5, 0.875], [0.5, 1, 0.75, 0.75], [0.75] * 4]),
)
# A failed setting would be the best by its other folds, and another one fails in all.
exercise.case(
    "failed settings",
    scores=np.array([[0.5, 0.4, 0.6], [np.nan, 0.9, 1.0], [0.7, 0.8, 0.75], [np.nan] * 3, [0.75, 0.8, 0.71]]),
)
# A failed setting that nobody would miss.
exercise.case(
    "failed settings", scores=np.array([[np.nan, 0.2, 0.3], [0.5, 0.6, 0.4], [0.9, 0.8, 0.94], [0.8, 0.9, np.nan]])
)
# Scores may be negative, such as a loss times -1. A failed setting is not the simplest one to choose.
exercise.case(
    "failed settings",
    scores=np.array([[-0.2, np.nan, -0.3], [-0.9, -0.8, -1.0], [-0.3, -0.2, -0.25], [-0.2, -0.3, -0.28]]),
)
exercise.case("failed settings", scores=np.array([[np.nan, 0.5, 0.6], [0.7, np.nan, 0.8]]))
exercise.case("failed settings", scores=np.array([[0.5], [0.75], [0.625]]))


def search(rng, distances, *, folds):
    """Scores of settings whose means lie below the best one by these distances, in its standard errors.

    All settings have the same standard error.
    """
    noise = rng.standard_normal((len(distances), folds))
    noise -= noise.mean(axis=1, keepdims=True)
    noise /= noise.std(axis=1, ddof=1, keepdims=True)
    standard_deviation = rng.uniform(0.03, 0.06)
    means = rng.uniform(0.6, 0.8) - standard_deviation / np.sqrt(folds) * np.array(distances)
    return means[:, None] + standard_deviation * noise


@exercise.hidden("the bar", count=4)
def best_setting_alone(rng):
    distances = [*rng.uniform(9, 12, rng.integers(1, 4)).tolist(), 0, *rng.uniform(9, 12, rng.integers(1, 4)).tolist()]
    return {"scores": search(rng, distances, folds=int(rng.integers(3, 9)))}


@exercise.hidden("the simplest setting", count=5)
def simpler_and_nearly_as_good(rng):
    worse, near = rng.uniform(1.05, 1.2), rng.uniform(0.5, 0.95)
    distances = [rng.uniform(6, 9), worse, near, rng.uniform(0.1, 0.4), 0, rng.uniform(0.1, 0.9)]
    return {"scores": search(rng, distances, folds=int(rng.integers(3, 9)))}


@exercise.hidden("failed settings", count=4)
def some_failed(rng):
    folds = int(rng.integers(3, 9))
    scores = search(rng, [8, 0.2, 1.2, 0.6, 0.1, 0, -3, 0.5], folds=folds) - rng.integers(0, 2)
    scores[[1, 6], rng.integers(folds, size=2)] = np.nan
    return {"scores": scores}


@exercise.hidden("failed settings", count=1)
def all_failed(rng):
    scores = rng.uniform(0, 1, (4, 5))
    scores[range(4), rng.integers(5, size=4)] = np.nan
    return {"scores": scores}


exercise.slip(
    "Your bar is right, and you still take the setting with the best mean. A simpler one above the bar is as good as "
    "can be told from these folds.",
    name="best_mean_taken",
    right="int(np.argmax(means >= bar))",
    wrong="int(best)",
)
exercise.slip(
    "Your bar is the best mean itself. It should be lower by one standard error of that mean: settings within it "
    "cannot be told apart.",
    name="no_standard_error",
    right="means[best] - scores[best].std(ddof=1) / np.sqrt(folds)",
    wrong="means[best]",
)
exercise.slip(
    "Your standard deviation divides by the number of folds. From a few folds it comes out too small; with `ddof=1` it "
    "divides by one less.",
    name="ddof_left_out",
    right="std(ddof=1)",
    wrong="std()",
)
exercise.slip(
    "You subtract the standard deviation of single folds. The mean of several folds is less uncertain than one fold: "
    "divide by the square root of their number.",
    name="standard_deviation",
    right=" / np.sqrt(folds)",
    wrong="",
)
exercise.slip(
    "You divide by the number of folds. The uncertainty of a mean shrinks with the square root of that number, so your "
    "bar is too high.",
    name="divided_by_the_folds",
    right="np.sqrt(folds)",
    wrong="folds",
)
exercise.slip(
    "You divide by the root of the number of settings. The mean runs over the folds, so their number counts.",
    name="root_of_the_settings",
    right="np.sqrt(folds)",
    wrong="np.sqrt(len(scores))",
)
exercise.slip(
    "Your standard error is the standard deviation of the means. It tells how far the settings lie apart, not how "
    "uncertain the best one's mean is.",
    name="spread_of_the_means",
    right="scores[best].std(ddof=1) / np.sqrt(folds)",
    wrong="np.nanstd(means, ddof=1)",
)
exercise.slip(
    "Your standard error is the standard deviation of the means, divided by the root of the folds. It tells how far "
    "the settings lie apart, not how uncertain the best one's mean is.",
    name="spread_of_the_means_divided",
    right="scores[best].std(ddof=1)",
    wrong="np.nanstd(means, ddof=1)",
)
exercise.slip(
    "Both of them are wanted: divide by the root of the number of folds, and take that number whole. You divide by the "
    "root of folds - 1 on top of `ddof=1`.",
    name="one_less_twice",
    right="np.sqrt(folds)",
    wrong="np.sqrt(folds - 1)",
)


@exercise.mistake(
    "You average over the settings: each of your means belongs to a fold. A row holds the scores of one setting, so "
    "average along it, `axis=1`."
)
def means_of_the_folds(scores):
    settings, folds = scores.shape
    if folds < 2 or np.isnan(scores).any(axis=1).all():
        raise ValueError("nothing to choose from")
    means = scores.mean(axis=0)
    best = np.argmax(means)
    bar = means[best] - scores[:, best].std(ddof=1) / np.sqrt(settings)
    return int(np.argmax(means >= bar)), float(bar)


exercise.slip(
    "You give every setting a standard error of its own, so an unsteady one may pass although its mean is low. There "
    "is one bar for all, with the standard error of the best setting.",
    name="own_standard_errors",
    right="means >= bar",
    wrong="means + scores.std(axis=1, ddof=1) / np.sqrt(folds) >= means[best]",
)
exercise.slip(
    "Your standard error is that of all scores together. It then holds how far the settings lie apart, not how "
    "uncertain the best one's mean is.",
    name="spread_of_all_scores",
    right="scores[best].std(ddof=1)",
    wrong="np.nanstd(scores, ddof=1)",
)


@exercise.mistake(
    "You pass over the NaN and judge a failed setting by the folds that it survived. It has failed; it may be neither "
    "the best nor chosen."
)
def failed_folds_left_out(scores):
    folds = scores.shape[1]
    if folds < 2 or np.isnan(scores).all():
        raise ValueError("nothing to choose from")
    means = np.nanmean(scores, axis=1)
    best = np.nanargmax(means)
    bar = means[best] - np.nanstd(scores[best], ddof=1) / np.sqrt(folds)
    return int(np.argmax(means >= bar)), float(bar)


exercise.slip(
    "You average the folds that did not fail, so a failed setting may still become the best one, and then your bar is "
    "NaN. A setting with a NaN in any fold is out.",
    name="mean_of_the_other_folds",
    right="means = scores.mean(axis=1)",
    wrong="means = np.nanmean(scores, axis=1)",
)
exercise.slip(
    "You take the failed settings out before you search, and then count in what is left: your setting is too small by "
    "the number of those taken out before it. Return the number of its row in `scores`.",
    name="counted_in_what_is_left",
    right="    best =",
    wrong="    scores, means = scores[~np.isnan(means)], means[~np.isnan(means)]\n    best =",
)
exercise.slip(
    "`np.argmax` takes a NaN for the largest mean of all, so a failed setting becomes your best one and your bar NaN.",
    name="nan_is_the_best",
    right="np.nanargmax(means)",
    wrong="np.argmax(means)",
)
exercise.slip(
    "You put 0 in the place of NaN. Where scores are negative, such as a loss times -1, the failed setting wins.",
    name="failed_counts_as_0",
    right="best = np.nanargmax(means)",
    wrong="means = np.nan_to_num(means)\n    best = np.argmax(means)",
)
exercise.slip(
    "Among equal means you take the last setting for the best one. The first of them counts, with its own standard "
    "error.",
    name="last_of_the_best",
    right="np.nanargmax(means)",
    wrong="len(means) - 1 - np.nanargmax(means[::-1])",
)
exercise.slip(
    "You choose the most complex setting above the bar. The point of the rule is the simplest, and that is the first.",
    name="most_complex_one",
    right="int(np.argmax(means >= bar))",
    wrong="int(np.flatnonzero(means >= bar)[-1])",
)
exercise.slip(
    "You want a mean above the bar. Where all folds of the best setting agree, the bar is its own mean, and not even "
    "it would pass: at the bar is enough.",
    name="strictly_above_the_bar",
    right="means >= bar",
    wrong="means > bar",
)
exercise.slip(
    "Your bar lies above the best mean, so nobody reaches it. Subtract the standard error.",
    name="bar_above_the_best",
    right="means[best] - scores",
    wrong="means[best] + scores",
)
exercise.slip(
    "You choose as if the scores were losses: the lowest mean is your best. Here higher is better.",
    name="lowest_is_best",
    right="np.nanargmax(means)",
    wrong="np.nanargmin(means)",
)
exercise.slip(
    "Your best setting is the one with the best single fold. One lucky fold says little; compare means.",
    name="best_single_fold",
    right="np.nanargmax(means)",
    wrong="np.nanargmax(np.where(np.isnan(means), np.nan, scores.max(axis=1)))",
)
exercise.slip(
    "From a single fold there is no standard error: with `ddof=1` it is NaN, and your choice is always the first. "
    "Refuse it.",
    name="single_fold_accepted",
    right="folds < 2",
    wrong="folds < 1",
)


@exercise.mistake(
    "The rule itself is right. Two things are still missing: a setting with a NaN has failed and must not become the "
    "best one, and calls without an answer are to be refused with `raise ValueError`."
)
def the_rule_alone(scores):
    means = scores.mean(axis=1)
    best = np.argmax(means)
    bar = means[best] - scores[best].std(ddof=1) / np.sqrt(scores.shape[1])
    return int(np.argmax(means >= bar)), float(bar)


@exercise.mistake(
    "Two things to mend. Your standard deviation divides by the number of folds, and `ddof=1` makes it one less. And a "
    "setting with a NaN has failed; `np.argmax` takes it for the best."
)
def ddof_left_out_and_nan_the_best(scores):
    means = scores.mean(axis=1)
    best = np.argmax(means)
    bar = means[best] - scores[best].std() / np.sqrt(scores.shape[1])
    return int(np.argmax(means >= bar)), float(bar)


@exercise.alternative
def plain_python(scores):
    settings, folds = scores.shape
    healthy = [i for i in range(settings) if all(scores[i] == scores[i])]  # NaN is not
    if folds <= 1 or not healthy:
        raise ValueError("nothing to choose from")
    means = {i: sum(scores[i].tolist()) / folds for i in healthy}
    best = max(healthy, key=lambda i: means[i])
    squares = sum((score - means[best]) ** 2 for score in scores[best].tolist())
    bar = means[best] - (squares / (folds - 1) / folds) ** 0.5
    return next(i for i in healthy if means[i] >= bar), bar


@exercise.alternative
def with_torch(scores):
    table = torch.from_numpy(scores)
    if table.shape[1] < 2:
        raise ValueError("too few folds")
    means = table.mean(dim=1)
    means[means.isnan()] = -np.inf
    if means.max() == -np.inf:
        raise ValueError("all have failed")
    best = means.tolist().index(means.max())
    bar = means[best] - table[best].std() / table.shape[1] ** 0.5
    return (means >= bar).nonzero()[0].item(), bar.item()
