"""The exercise `choose_threshold`."""

import numpy as np

from grader.exercises.preprocessing.common import chapter

exercise = chapter.exercise(
    "choose_threshold",
    points=3,
    aspects={"highest F1": 2, "rare anomalies, or none": 1, "equally good thresholds": 1},
    hints=(
        "Try every score as the threshold. What would be reported with it, and how good is that?",
        "For one threshold, `reported = scores >= threshold` is a boolean array. `np.sum(reported & is_anomaly)` is "
        "TP; which two sums are FP and FN? Keep the threshold with the best F1 so far.",
        "Go through `np.unique(scores)[::-1]`, from the highest threshold down, and replace the best only by one that "
        "is better, not by an equal one. Ask `is_anomaly.any()` before anything else.",
    ),
)


@exercise.reference
def choose_threshold(scores, is_anomaly):
    if not is_anomaly.any():
        raise ValueError(f"none of the {len(scores)} examples is an anomaly: choose on data that have at least 1")
    best_f1, best = -1.0, None
    for threshold in np.unique(scores)[::-1]:
        reported = scores >= threshold
        f1 = 2 * np.sum(reported & is_anomaly) / (np.sum(reported) + np.sum(is_anomaly))
        if f1 > best_f1:
            best_f1, best = f1, float(threshold)
    return best


def truth(*anomalies):
    return np.array(anomalies, dtype=bool)


rare, equal = "rare anomalies, or none", "equally good thresholds"
exercise.case("highest F1", scores=np.array([0.5, 3.0, 2.0, 1.0]), is_anomaly=truth(0, 1, 1, 0))
# At the best threshold, 6.0, one of four reports is false and one of four anomalies is missed.
exercise.case(
    "highest F1",
    scores=np.array([2.0, 9.0, 4.0, 7.0, 3.0, 8.0, 5.0, 1.0, 6.0]),
    is_anomaly=truth(1, 1, 0, 0, 0, 1, 0, 0, 1),
)
# Several examples have the same score: they are reported together or not at all.
exercise.case("highest F1", scores=np.array([5.0, 4.0, 4.0, 4.0, 4.0, 1.0, 1.0]), is_anomaly=truth(1, 1, 0, 0, 0, 1, 0))
# One anomaly looks healthier than all that is healthy.
exercise.case("highest F1", scores=np.arange(16.0), is_anomaly=truth(1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1, 1, 1))
exercise.case("highest F1", scores=np.array([0.25, 0.75, 0.5]), is_anomaly=truth(1, 1, 1))
# At the best threshold, 5.0, there are three false alarms among six reports. To report only the highest score would be
# more accurate and more precise, and to report all anomalies would cost six false alarms out of fifteen healthy.
exercise.case(
    rare,
    scores=np.array([1.1, 8.0, 4.0, 5.0, 0.7, 7.5, 9.0, 3.5, 1.3, 6.0, 7.0, 3.0, 2.0, 0.2, 1.7, 0.9, 1.5, 0.4, 0.1]),
    is_anomaly=truth(0, 0, 0, 1, 0, 0, 1, 0, 0, 1, 0, 0, 1, 0, 0, 0, 0, 0, 0),
)
exercise.case(
    rare,
    scores=np.array([-4.0, -3.0, -1.0, -2.0, -5.0, -6.0, -7.0, -8.0]),
    is_anomaly=truth(0, 1, 0, 0, 0, 0, 0, 0),
)
exercise.case(rare, scores=np.array([0.2, 0.4, 0.3]), is_anomaly=truth(0, 0, 0))
# At 8.0 one of two is found without a false alarm, at 5.0 both with two: F1 is 2/3 for each.
exercise.case(
    equal,
    scores=np.array([2.0, 8.0, 7.0, 1.0, 6.0, 5.0, 3.0, 0.0, 4.0]),
    is_anomaly=truth(0, 1, 0, 0, 0, 1, 0, 0, 0),
)
exercise.case(
    equal,
    scores=np.array([1.5, 2.5, 3.5, 4.5, 5.5, 6.5, 7.5, 8.5, 9.5]),
    is_anomaly=truth(0, 1, 1, 0, 0, 0, 0, 1, 1),
)
exercise.case(equal, scores=np.array([3.0, 3.0, 1.0]), is_anomaly=truth(1, 0, 1))
# F1 is 0.615 at 7.0, where four of five are found, and 0.625 at 4.0, where all are.
exercise.case(
    "highest F1",
    scores=np.array([8.5, 9.0, 4.0, 7.0, 3.0, 8.0, 5.0, 1.0, 7.4, 2.0, 7.2, 9.5, 6.0, 7.6]),
    is_anomaly=truth(0, 0, 1, 1, 0, 0, 0, 0, 1, 0, 1, 0, 0, 1),
)
# Three of four anomalies look healthier than all that is healthy: to find them costs fourteen false alarms.
exercise.case(
    "highest F1",
    scores=np.arange(18.0),
    is_anomaly=truth(1, 1, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1),
)


def f1_scores(scores, is_anomaly):
    """F1 at each score in turn, from the highest on."""
    reported = scores >= np.sort(scores)[::-1, None]
    return 2 * (reported & is_anomaly).sum(axis=1) / (reported.sum(axis=1) + is_anomaly.sum())


def draw_scores(rng, healthy, anomalies, distance):
    """Scores of healthy examples and of anomalies, which lie higher by `distance`, such that one F1 is clearly best."""
    while True:
        scores = np.append(rng.normal(size=healthy), rng.normal(distance, 1, anomalies)).round(2)
        order = rng.permutation(healthy + anomalies)
        is_anomaly = (np.arange(healthy + anomalies) >= healthy)[order]
        f1 = f1_scores(scores[order], is_anomaly)
        if len(np.unique(np.sort(scores)[::-1][f1 > f1.max() - 1e-6])) == 1:
            return {"scores": scores[order], "is_anomaly": is_anomaly}


@exercise.hidden("highest F1", count=5)
def overlapping_scores(rng):
    return draw_scores(rng, int(rng.integers(10, 30)), int(rng.integers(5, 20)), rng.uniform(0.5, 2.5))


@exercise.hidden(rare, count=4)
def few_anomalies(rng):
    return draw_scores(rng, int(rng.integers(60, 120)), int(rng.integers(2, 5)), rng.uniform(1, 2))


@exercise.hidden(equal, count=3)
def two_equal_thresholds(rng):
    """Of n anomalies a part is found alone, or all of them with so many false alarms that F1 is the same."""
    found = int(rng.integers(1, 4))
    anomalies = 2 * found
    is_anomaly = np.array([True] * found + [False] * anomalies + [True] * found + [False] * int(rng.integers(1, 5)))
    scores = np.sort(rng.permutation(100)[: len(is_anomaly)])[::-1] / 4
    order = rng.permutation(len(scores))
    return {"scores": scores[order], "is_anomaly": is_anomaly[order]}


exercise.slip(
    "You choose by accuracy. Where anomalies are rare, the most accurate is to report next to nothing; F1 leaves the "
    "healthy examples that are not reported out of the count.",
    name="accuracy",
    right="2 * np.sum(reported & is_anomaly) / (np.sum(reported) + np.sum(is_anomaly))",
    wrong="np.mean(reported == is_anomaly)",
)
exercise.slip(
    "You report what lies above the threshold, so your threshold is one score too low. An example at the threshold is "
    "reported as well.",
    name="above_only",
    right="scores >= threshold",
    wrong="scores > threshold",
)
exercise.slip(
    "Of equally good thresholds you return the lowest, the one with the most alarms. The highest is asked for.",
    name="lowest_of_equals",
    right="np.unique(scores)[::-1]",
    wrong="np.unique(scores)",
)
exercise.slip(
    "You choose by precision. It is best where hardly anything is reported, and what is missed does not count; F1 "
    "weighs it against recall.",
    name="precision",
    right="(np.sum(reported) + np.sum(is_anomaly))",
    wrong="(2 * np.sum(reported))",
)
exercise.slip(
    "You choose by recall. It is best as soon as no anomaly is missed, however many false alarms that takes; F1 weighs "
    "it against precision.",
    name="recall",
    right="(np.sum(reported) + np.sum(is_anomaly))",
    wrong="(2 * np.sum(is_anomaly))",
)
exercise.slip(
    "You report the low scores. A high score is what looks less healthy.",
    name="low_scores_reported",
    right="scores >= threshold",
    wrong="scores <= threshold",
)
exercise.slip(
    "You weigh recall against the share of the healthy examples that are reported. Where healthy examples are many, a "
    "small share of them is still more false alarms than anomalies; F1 counts the alarms themselves.",
    name="false_alarm_rate",
    right="2 * np.sum(reported & is_anomaly) / (np.sum(reported) + np.sum(is_anomaly))",
    wrong="np.mean(reported[is_anomaly]) - (np.mean(reported[~is_anomaly]) if (~is_anomaly).any() else 0)",
)
exercise.slip(
    "You return the best F1 itself. The threshold at which it is reached is asked for.",
    name="f1_returned",
    right="return best",
    wrong="return float(best_f1)",
)


@exercise.mistake(
    "Your threshold lies half-way between two scores. It reports the same examples, but asked for is one of the "
    "scores: the lowest that is reported."
)
def between_two_scores(scores, is_anomaly):
    if not is_anomaly.any():
        raise ValueError("there is no anomaly")
    levels = np.unique(scores)
    best_f1, best = -1.0, None
    for threshold in ((levels[1:] + levels[:-1]) / 2)[::-1]:
        reported = scores >= threshold
        f1 = 2 * np.sum(reported & is_anomaly) / (np.sum(reported) + np.sum(is_anomaly))
        if f1 > best_f1:
            best_f1, best = f1, float(threshold)
    return best


@exercise.mistake(
    "You try a hundred evenly spaced numbers. They are no scores, and where scores lie close together none of them may "
    "fall between; the scores themselves are all that is worth trying."
)
def evenly_spaced(scores, is_anomaly):
    if not is_anomaly.any():
        raise ValueError("there is no anomaly")
    best_f1, best = -1.0, None
    for threshold in np.linspace(scores.max(), scores.min(), 100):
        reported = scores >= threshold
        f1 = 2 * np.sum(reported & is_anomaly) / (np.sum(reported) + np.sum(is_anomaly))
        if f1 > best_f1:
            best_f1, best = f1, float(threshold)
    return best


exercise.slip(
    "Where there is no anomaly at all, F1 is 0 at every threshold, and you return one of them as if it had been "
    "chosen. Say that nothing can be chosen: raise ValueError.",
    name="no_anomaly_let_through",
    right="if not is_anomaly.any():",
    wrong="if len(scores) == 0:",
)


@exercise.mistake(
    "Of equally good thresholds the first that you meet is the lowest; go from the highest down. And where no example "
    "is an anomaly, nothing can be chosen: refuse with a ValueError."
)
def upwards_and_nothing_refused(scores, is_anomaly):
    best_f1, best = 0.0, None
    for threshold in np.unique(scores):
        reported = scores >= threshold
        f1 = 2 * np.sum(reported & is_anomaly) / (np.sum(reported) + np.sum(is_anomaly))
        if f1 > best_f1:
            best_f1, best = f1, float(threshold)
    return best


exercise.slip(
    "You choose by the ordinary mean of precision and recall, which is high already when one of the two is. F1 is "
    "their harmonic mean, and needs both.",
    name="ordinary_mean",
    right="2 * np.sum(reported & is_anomaly) / (np.sum(reported) + np.sum(is_anomaly))",
    wrong="(np.sum(reported & is_anomaly) / np.sum(reported) + np.sum(reported & is_anomaly) / np.sum(is_anomaly)) / 2",
)


@exercise.mistake(
    "Where nothing that is reported is an anomaly, precision and recall are both 0 and your F1 is 0 / 0, NaN. "
    "`np.argmax` takes NaN for the largest of all. F1 is 0 there, and 2 TP / (2 TP + FP + FN) says so."
)
def nan_is_the_largest(scores, is_anomaly):
    if not is_anomaly.any():
        raise ValueError("there is no anomaly")
    thresholds = np.unique(scores)[::-1]
    found = np.array([np.sum((scores >= threshold) & is_anomaly) for threshold in thresholds])
    precision = found / np.array([np.sum(scores >= threshold) for threshold in thresholds])
    recall = found / np.sum(is_anomaly)
    return float(thresholds[np.argmax(2 * precision * recall / (precision + recall))])


@exercise.mistake(
    "You choose by the ordinary mean of precision and recall, which is high already when one of the two is; F1 is "
    "their harmonic mean. Of equals take the highest, and refuse data without an anomaly."
)
def ordinary_mean_without_care(scores, is_anomaly):
    best_mean, best = -1.0, None
    for threshold in np.unique(scores):
        found = np.sum((scores >= threshold) & is_anomaly)
        mean = (found / np.sum(scores >= threshold) + found / np.sum(is_anomaly)) / 2
        if mean > best_mean:
            best_mean, best = mean, threshold
    return best


@exercise.mistake(
    "Where nothing that is reported is an anomaly, your F1 is 0 / 0, NaN, and `np.argmax` takes NaN for the largest of "
    "all. F1 is 0 there. Besides, of equals take the highest, and refuse data without an anomaly."
)
def nan_is_the_largest_from_below(scores, is_anomaly):
    thresholds, f1 = np.unique(scores), []
    for threshold in thresholds:
        found = np.sum((scores >= threshold) & is_anomaly)
        precision, recall = found / np.sum(scores >= threshold), found / np.sum(is_anomaly)
        f1.append(2 * precision * recall / (precision + recall))
    return thresholds[np.argmax(f1)]


@exercise.alternative
def precision_and_recall(scores, is_anomaly):
    if sum(is_anomaly) == 0:
        raise ValueError("no anomalies, so no recall")
    best = (-1.0, -np.inf)
    for threshold in scores.tolist():
        true_positives = sum(1 for score, truth in zip(scores, is_anomaly) if truth and score >= threshold)
        precision = true_positives / sum(1 for score in scores if score >= threshold)
        recall = true_positives / sum(is_anomaly)
        f1 = 2 * precision * recall / (precision + recall) if true_positives else 0.0
        best = max(best, (f1, threshold))
    return best[1]


@exercise.alternative
def sorted_once(scores, is_anomaly):
    if is_anomaly.sum() < 1:
        raise ValueError("nothing to find")
    order = np.argsort(-scores, kind="stable")
    hits, reported = np.cumsum(is_anomaly[order]), np.arange(1, len(scores) + 1)
    f1 = 2 * hits / (reported + is_anomaly.sum())
    f1[:-1][np.diff(scores[order]) == 0] = -1
    return scores[order][np.argmax(f1)]
