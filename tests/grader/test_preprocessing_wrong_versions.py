"""Wrong answers to the exercises of chapter 2 that are nearly right, or that students really wrote: each loses points.

Known mistakes, which get a hint of their own, stand with their exercises, and `verify` proves them.
"""

from functools import cache

import pytest

from grader.exercise import run_all
from grader.exercises.preprocessing.common import chapter
from labutils.checks.verdicts import conclude

pytestmark = pytest.mark.filterwarnings("ignore::RuntimeWarning")

# Of each exercise: a piece of the reference, and what a student may write in its place against the docstring. The
# public cases catch these, and none of them is told the hint of another mistake.
CAUGHT_AT_ONCE = {
    "fit_standardizer": [
        ("np.isnan(train).all(axis=0)", "np.isnan(train).any(axis=0)"),
        (
            "np.nanmean(train, axis=0), np.nanstd(train, axis=0)",
            "np.nanmedian(train, axis=0), np.nanstd(train, axis=0)",
        ),
        ("np.nanstd(train, axis=0)", "np.sqrt(np.nanmean(train**2, axis=0))"),
        ("np.nanstd(train, axis=0)", "np.nanmean(np.abs(train - np.nanmean(train, axis=0)), axis=0)"),
        ("np.nanmax(train, axis=0) == np.nanmin(train, axis=0)", "np.nanstd(train, axis=0) < 1e-12"),
        ("np.nanmax(train, axis=0) == np.nanmin(train, axis=0)", "(train == train[0]).all(axis=0)"),
        ("np.nanmax(train, axis=0) == np.nanmin(train, axis=0)", "np.max(train, axis=0) == np.min(train, axis=0)"),
        ("np.where(constant, 1.0, std)", "np.maximum(std, 1.0)"),
        ("np.where(constant, 1.0, std)", "np.where(constant.all(), 1.0, std)"),
        ("return mean, np", "return np.where(constant, 0.0, mean), np"),
        ("np.nanmean(train, axis=0), np", "np.nansum(train, axis=0) / len(train), np"),
        ("    if empty.any():", "    if len(train) < 2 or empty.any():"),
        ("    empty =", "    train[np.isnan(train)] = 0\n    empty ="),
        ("    mean, std", "    train = np.where(np.isnan(train), np.nanmean(train, axis=0), train)\n    mean, std"),
        ("return mean, np.where(constant, 1.0, std)", "return np.array([mean, np.where(constant, 1.0, std)])"),
        (
            "return mean, np.where(constant, 1.0, std)",
            "return mean.reshape(1, -1), np.where(constant, 1.0, std).reshape(1, -1)",
        ),
    ],
    "min_max": [
        ("np.where(constant, 0.0, scaled)", "np.where(constant, 1.0, scaled)"),
        ("np.where(constant, 0.0, scaled)", "np.where(constant, 0.5, scaled)"),
        ("np.where(constant, 0.0, scaled)", "2 * np.where(constant, 0.0, scaled) - 1"),
        ("np.where(constant, 0.0, scaled)", "np.where(constant, other, scaled)"),
        ("np.where(constant, 0.0, scaled)", "scaled[:, ~constant]"),
        ("constant = high == low", "constant = high - low < 1e-8"),
        ("constant = high == low", "constant = np.isclose(high, low)"),
        ("train.min(axis=0), train.max(axis=0)", "train[0], train[-1]"),
        (
            "train.min(axis=0), train.max(axis=0)",
            "np.minimum(train.min(axis=0), other.min(axis=0, initial=np.inf)), train.max(axis=0)",
        ),
        ("(other - low)", "(other - train.mean(axis=0))"),
        ("(other - low)", "(high - other)"),
        ("(other - low)", "np.abs(other - low)"),
        ("np.where(constant, 1.0, high - low)", "np.where(constant, 1.0, train.std(axis=0))"),
        ("if len(train) == 0", "if len(train) < 2"),
        ("if len(train) == 0", "if len(train) == 0 or len(other) == 0"),
        ("if len(train) == 0:\n        raise", "if len(train) == 0:\n        return other\n        raise"),
        ("return np.where(constant, 0.0, scaled)", "return np.round(np.where(constant, 0.0, scaled), 1)"),
        ("return np.where(constant, 0.0, scaled)", "return np.where(constant.any(), 0.0, scaled)"),
        ("return np.where(constant, 0.0, scaled)", "return np.maximum(np.where(constant, 0.0, scaled), 0)"),
        ("return np.where(constant, 0.0, scaled)", "return np.minimum(np.where(constant, 0.0, scaled), 1)"),
    ],
    "robust_scale": [
        ("np.where(spread == 0, 1.0, spread)", "(spread + 1e-8)"),
        ("np.where(spread == 0, 1.0, spread)", "np.where(spread == 0, np.inf, spread)"),
        ("np.where(spread == 0, 1.0, spread)", "np.maximum(spread, 1.0)"),
        ("third - first", "third - median"),
        ("third - first", "(third - first) / 2"),
        ("third - first", "train.std(axis=0)"),
        ("third - first", "np.median(np.abs(train - median), axis=0)"),
        ("third - first", "train.max(axis=0) - train.min(axis=0)"),
        ("[clip, 1 - clip]", "[clip / 2, 1 - clip / 2]"),
        ("[clip, 1 - clip]", "[0.05, 0.95]"),
        ("[0.25, 0.5, 0.75]", "[0.2, 0.5, 0.8]"),
        ("np.clip(other, low, high)", "np.maximum(other, low)"),
        ("np.clip(other, low, high)", "np.where((other < low) | (other > high), median, other)"),
        ("np.clip(other, low, high)", "np.where((other < low) | (other > high), np.nan, other)"),
        ("np.clip(other, low, high)", "other[((other >= low) & (other <= high)).all(axis=1)]"),
        (
            "np.quantile(train, [0.25, 0.5, 0.75], axis=0)",
            "np.quantile(train, [0.25, 0.5, 0.75], axis=0, method='nearest')",
        ),
        (
            "np.quantile(train, [clip, 1 - clip], axis=0)",
            "np.quantile(train, [clip, 1 - clip], axis=0, method='lower')",
        ),
        (
            "    low, high =",
            "    train = np.sort(train, axis=0)[int(clip * len(train)) : len(train) - int(clip * len(train))]\n    low, high =",
        ),
        (
            "    low, high =",
            "    np.clip(other, *np.quantile(train, [clip, 1 - clip], axis=0), out=other)\n    low, high =",
        ),
        ("if len(train) == 0:", "if len(train) < 2:"),
        ("if len(train) == 0:\n        raise", "if len(train) == 0:\n        return other\n        raise"),
        ("return (np.clip(other, low, high) - median)", "return (np.clip(other - median, low, high))"),
    ],
    "whiten": [
        ("/ len(train)", ""),
        ("/ len(train)", "/ len(other)"),
        ("/ len(train)", "/ train.shape[1]"),
        ("centred.T @ centred", "centred @ centred.T"),
        ("return (other - mean) @ whitening", "return (other - mean) @ whitening + mean"),
        ("return (other - mean) @ whitening", "return (train - mean) @ whitening"),
        ("return (other - mean) @ whitening", "return (whitening @ (other - mean).T)"),
        ("np.sqrt(eigenvalues + epsilon)", "np.sqrt(np.maximum(eigenvalues, epsilon))"),
        ("eigenvectors / np.sqrt(eigenvalues + epsilon)", "eigenvectors * np.sqrt(eigenvalues + epsilon)"),
        ("eigenvalues + epsilon", "eigenvalues + epsilon**2"),
        ("eigenvalues + epsilon", "eigenvalues + 1e-5"),
        ("train.mean(axis=0)", "train.mean(axis=1, keepdims=True)"),
        ("train.mean(axis=0)", "train.mean()"),
        ("train.mean(axis=0)", "np.append(train, other, axis=0).mean(axis=0)"),
        (
            "(eigenvectors / np.sqrt(eigenvalues + epsilon)) @ eigenvectors.T",
            "eigenvectors @ eigenvectors.T / np.sqrt(eigenvalues + epsilon)",
        ),
        ("centred.T @ centred / len(train)", "np.corrcoef(train, rowvar=False)"),
        ("    centred =", "    train -= mean\n    centred ="),
    ],
    "stratified_split": [
        ("round(share * len(rows))", "int(np.ceil(share * len(rows)))"),
        ("rows[: min(", "rows[-min("),
        ("np.unique(labels)", "set(labels[:2])"),
        ("len(rows) - 1)", "len(rows) - 2)"),
        ("round(share * len(rows))", "round(share * len(labels) / len(np.unique(labels)))"),
        ("round(share * len(rows)), 1)", "round(share * len(rows)), 2)"),
        ("if len(labels) == 0:", "if False:"),
        ("len(rows) == 1", "len(rows) < 3"),
        ("np.setdiff1d(order, test), np.sort(test)", "np.setdiff1d(order, test).tolist(), np.sort(test).tolist()"),
        ("np.setdiff1d(order, test), np.sort(test)", "labels[np.setdiff1d(order, test)], labels[np.sort(test)]"),
        (
            "np.setdiff1d(order, test), np.sort(test)",
            "~np.isin(np.arange(len(labels)), test), np.isin(np.arange(len(labels)), test)",
        ),
        ("np.setdiff1d(order, test), np.sort(test)", "np.setdiff1d(order[:-1], test), np.sort(test)"),
        ("rows = order[labels[order] == label]", "rows = np.argsort(order)[labels[order] == label]"),
        (
            "rows = order[labels[order] == label]",
            "rows = np.random.default_rng(0).permutation(order[labels[order] == label])",
        ),
    ],
    "find_leak": [
        ("same.all(axis=1).any()", "same.all(axis=0).any()"),
        ("same.all(axis=1).any()", "same.mean(axis=1).max() > 0.5 if len(same) else False"),
        ("same.all(axis=1).any()", "not same.all(axis=1).any()"),
        ("same.all(axis=1).any()", "same[:, 0].any()"),
        ("leaked.append(number)", "leaked.append(number + 1)"),
        ("leaked.append(number)", "leaked.append(row)"),
        ("return np.array(leaked, dtype=int)", "return leaked"),
        ("return np.array(leaked, dtype=int)", "return np.array(leaked, dtype=int) if leaked else None"),
        ("return np.array(leaked, dtype=int)", "return len(leaked)"),
        ("return np.array(leaked, dtype=int)", "return np.array(leaked[::-1], dtype=int)"),
        ("return np.array(leaked, dtype=int)", "return np.array(leaked, dtype=int)[:, None]"),
        ("np.abs(train - row) <= tolerance", "train - row <= tolerance"),
        ("np.abs(train - row) <= tolerance", "np.abs(np.sort(train, axis=1) - np.sort(row)) <= tolerance"),
        ("np.abs(train - row) <= tolerance", "np.abs(train - row) <= 1e-6"),
        ("np.abs(train - row) <= tolerance", "np.abs(train - row) <= tolerance * np.abs(row)"),
        ("np.abs(train - row) <= tolerance", "np.linalg.norm(train - row, axis=1, keepdims=True) <= tolerance"),
        ("np.abs(train - row) <= tolerance", "np.abs(train.sum(axis=1, keepdims=True) - row.sum()) <= tolerance"),
        ("np.abs(train - row) <= tolerance", "train.round(6) == row.round(6)"),
        ("    leaked = []", "    train, test = np.nan_to_num(train), np.nan_to_num(test)\n    leaked = []"),
        ("            leaked.append(number)", "            leaked.append(number)\n            break"),
    ],
    "running_moments": [
        ("(within + between) / total", "np.sqrt((within + between) / total)"),
        ("within + between", "within - between"),
        ("difference**2 * count * len(batch) / total", "difference**2 * count"),
        ("difference**2 * count * len(batch) / total", "difference**2 * count * len(batch)"),
        ("difference**2 * count * len(batch) / total", "difference**2 * total"),
        ("count * variance +", "(count - 1) * variance +"),
        ("count * variance +", "variance +"),
        ("count * variance + len(batch) * batch.var(axis=0)", "count * variance + batch.var(axis=0)"),
        ("count * variance + len(batch) * batch.var(axis=0)", "count * variance + len(batch) * batch.std(axis=0)"),
        ("difference * len(batch) / total", "difference * count / total"),
        ("difference * len(batch) / total", "difference / total"),
        ("mean + difference", "mean - difference"),
        ("batch.mean(axis=0) - mean", "batch.mean(axis=1) - mean"),
        ("return count, mean, variance", "return 0, mean, variance"),
        ("return count, mean, variance", "return None"),
        ("return total, mean", "return total, mean if count == 0 else mean"),
        (
            "return total, mean + difference * len(batch) / total, ",
            "return total, batch.mean(axis=0) if count == 0 else 0.9 * mean + 0.1 * batch.mean(axis=0), ",
        ),
        ("    total = count", "    count = max(count, 1)\n    total = count"),
        (
            "    total = count",
            "    if len(batch) == 1: return count + 1, mean + (batch[0] - mean) / (count + 1), variance\n    total = count",
        ),
    ],
    "one_hot": [
        ("= 1", "= classes.index(label)"),
        ("= 1", "= 1 / len(classes)"),
        ("np.zeros(", "np.empty("),
        ("np.zeros(", "-np.ones("),
        ("if label in classes:", "if label.lower() in classes:\n            label = label.lower()"),
        ("row[classes.index(label)]", "row[len(classes) - 1 - classes.index(label)]"),
        ("row[classes.index(label)]", "row[classes.index(label) - 1]"),
        ("    return rows", "    return rows.astype(bool)"),
        ("    return rows", "    return rows.tolist()"),
        ("    return rows", "    return rows[:, 1:]"),
        ("    return rows", "        return rows"),
        ("    rows =", "    classes.sort()\n    rows ="),
        ("    rows =", "    classes = list(set(classes) | set(labels))\n    rows ="),
        ("    rows =", "    labels = sorted(set(labels), key=labels.index)\n    rows ="),
        ("(len(labels), len(classes))", "(len(labels), len(classes) + 1)"),
    ],
    "encode_reviews": [
        ("vocabulary.get(word, 1)", "vocabulary.get(word, len(vocabulary) + 2)"),
        ("vocabulary.get(word, 1)", "vocabulary.get(word.lower(), 1)"),
        ("vocabulary.get(word, 1)", "vocabulary.get(word, -1)"),
        ("vocabulary.get(word, 1)", "vocabulary.get(word, 2)"),
        ("vocabulary.get(word, 1)", "(list(vocabulary).index(word) + 2 if word in vocabulary else 1)"),
        ("vocabulary.get(word, 1)", "len(word)"),
        ("review[:length]", "review[: length - 1]"),
        ("review[:length]", "review[1 : length + 1]"),
        ("review[:length]", "sorted(review)[:length]"),
        ("review[:length]", "list(dict.fromkeys(review))[:length]"),
        ("review[:length]", "review[:length][::-1]"),
        ("np.zeros(", "np.ones("),
        ("    rows =", "    reviews = [review for review in reviews if review]\n    rows ="),
        ("    rows =", "    reviews = [review for review in reviews if len(review) <= length]\n    rows ="),
        ("    rows =", "    length = min(length, max(map(len, reviews), default=0))\n    rows ="),
        ("    rows =", "    length = max(length, max(map(len, reviews), default=0))\n    rows ="),
        ("    return rows", "    return rows.tolist()"),
        ("    return rows", "    return rows.T"),
        ("    return rows", "        return rows"),
        ("    return rows", "    return (rows > 0).astype(int)"),
    ],
    "anomaly_score": [
        ("/ len(healthy)", ""),
        ("/ len(healthy)", "/ len(examples)"),
        ("axis=1))", "axis=0))"),
        ("axis=1))", "axis=1) / healthy.shape[1])"),
        ("np.linalg.inv(covariance)", "np.linalg.pinv(covariance - epsilon * np.eye(healthy.shape[1]))"),
        ("np.linalg.inv(covariance)", "np.linalg.inv(np.sqrt(covariance))"),
        ("np.linalg.inv(covariance)", "(1 / covariance)"),
        ("epsilon * np.eye", "epsilon**2 * np.eye"),
        ("epsilon * np.eye", "1e-6 * np.eye"),
        ("healthy.mean(axis=0)", "np.median(healthy, axis=0)"),
        ("healthy.mean(axis=0)", "healthy.mean()"),
        ("healthy.mean(axis=0)", "np.append(healthy, examples, axis=0).mean(axis=0)"),
        ("centred.T @ centred / len(healthy)", "np.cov(healthy)"),
        ("centred.T @ centred / len(healthy)", "np.corrcoef(healthy, rowvar=False)"),
        (
            "np.sqrt(np.sum(distance @ np.linalg.inv(covariance) * distance, axis=1))",
            "np.abs(distance @ np.linalg.inv(covariance)).sum(axis=1)",
        ),
        (
            "np.sqrt(np.sum(distance @ np.linalg.inv(covariance) * distance, axis=1))",
            "np.sqrt(np.sum(distance @ np.linalg.inv(covariance) * distance))",
        ),
        (
            "np.sqrt(np.sum(distance @ np.linalg.inv(covariance) * distance, axis=1))",
            "np.abs((distance / np.sqrt(np.diag(covariance)))).max(axis=1)",
        ),
        ("return np.sqrt", "return -np.sqrt"),
        ("return np.sqrt", "return 1 - np.sqrt"),
    ],
    "choose_threshold": [
        ("np.unique(scores)[::-1]", "scores"),
        ("np.unique(scores)[::-1]", "np.unique(scores)[:-1][::-1]"),
        ("np.unique(scores)[::-1]", "np.unique(scores)[1:][::-1]"),
        ("np.unique(scores)[::-1]", "np.unique(scores[~is_anomaly])[::-1]"),
        ("np.unique(scores)[::-1]", "np.linspace(0, 1, 101)[::-1]"),
        ("np.unique(scores)[::-1]", "range(len(scores))"),
        (
            "2 * np.sum(reported & is_anomaly) / (np.sum(reported) + np.sum(is_anomaly))",
            "np.sum(reported & is_anomaly) / np.sqrt(np.sum(reported) * np.sum(is_anomaly))",
        ),
        (
            "2 * np.sum(reported & is_anomaly) / (np.sum(reported) + np.sum(is_anomaly))",
            "np.sum(reported & is_anomaly) / np.sum(reported) + np.sum(reported & is_anomaly) / np.sum(is_anomaly)",
        ),
        (
            "2 * np.sum(reported & is_anomaly) / (np.sum(reported) + np.sum(is_anomaly))",
            "np.sum(reported & is_anomaly) - np.sum(reported & ~is_anomaly)",
        ),
        (
            "2 * np.sum(reported & is_anomaly) / (np.sum(reported) + np.sum(is_anomaly))",
            "5 * np.sum(reported & is_anomaly) / (np.sum(reported) + 4 * np.sum(is_anomaly))",
        ),
        ("2 * np.sum(reported & is_anomaly)", "2 * np.sum(~reported & ~is_anomaly)"),
        ("return best", "return float(np.flatnonzero(scores == best)[0])"),
        ("return best", "return best, best_f1"),
        ("return best", "return float(scores[~is_anomaly].max(initial=-9))"),
        ("return best", "return float((scores[~is_anomaly].mean() + scores[is_anomaly].mean()) / 2)"),
        ("return best", "return float(np.quantile(scores, 1 - is_anomaly.mean()))"),
        ("return best", "return float(np.sort(scores)[-np.sum(is_anomaly)])"),
        ("best_f1, best = -1.0, None", "best_f1, best = 0.5, 0.0"),
        ("best_f1, best = -1.0, None", "best_f1, best = 0.0, None\n    scores.sort()"),
    ],
    "initial_std": [
        ("float(np.sqrt(2 / fan_in))", "float(np.sqrt(2) / fan_in)"),
        ("float(np.sqrt(2 / fan_in))", "float(np.sqrt(2 / (fan_in + 1)))"),
        ("float(np.sqrt(2 / fan_in))", "float(np.sqrt(6 / fan_in))"),
        ("float(np.sqrt(2 / fan_in))", "0.01"),
        ("float(np.sqrt(2 / fan_in))", "float(np.sqrt(2 / max(fan_in, fan_out)))"),
        ("2 / (fan_in + fan_out)", "2 / (fan_in * fan_out)"),
        ("2 / (fan_in + fan_out)", "2 / fan_out"),
        ("2 / (fan_in + fan_out)", "1 / fan_in"),
        ("2 / (fan_in + fan_out)", "2 // (fan_in + fan_out)"),
        ("(1 + slope**2) * fan_in", "(1 + slope**2 * fan_in)"),
        ("(1 + slope**2) * fan_in", "(1 - slope**2) * fan_in"),
        ("(1 + slope**2) * fan_in", "(1 + slope) ** 2 * fan_in"),
        ("(1 + slope**2) * fan_in", "(1 + 0.01**2) * fan_in"),
        ("(1 + slope**2) * fan_in", "(1 + slope**2) * (fan_in + fan_out) / 2"),
        ("2 / ((1 + slope**2) * fan_in)", "(1 + slope**2) * 2 / fan_in"),
        ("    raise ValueError(", "    return 1.0\n    raise ValueError("),
        ("    raise ValueError(", "    return None\n    raise ValueError("),
        ("    raise ValueError(", "    raise KeyError("),
        ("    raise ValueError(", "    print("),
        ('if activation == "tanh":', 'if activation == "Tanh":'),
    ],
    "softmax": [
        ("exponentials.sum(", "1e-3 + exponentials.sum("),
        ("np.exp(", "2 ** ("),
        ("np.exp(", "np.abs("),
        ("np.exp(", "np.expm1("),
        ("logits - logits.max(axis=-1, keepdims=True)", "logits - logits.mean(axis=-1, keepdims=True)"),
        ("logits - logits.max(axis=-1, keepdims=True)", "logits - 1000"),
        ("logits - logits.max(axis=-1, keepdims=True)", "logits / logits.max(axis=-1, keepdims=True)"),
        ("logits - logits.max(axis=-1, keepdims=True)", "logits - np.abs(logits).max(axis=-1, keepdims=True)"),
        ("logits - logits.max(axis=-1, keepdims=True)", "np.minimum(logits, 700)"),
        (
            "return exponentials / exponentials.sum(axis=-1, keepdims=True)",
            "return np.round(exponentials / exponentials.sum(axis=-1, keepdims=True), 3)",
        ),
        (
            "return exponentials / exponentials.sum(axis=-1, keepdims=True)",
            "return (exponentials == exponentials.max(axis=-1, keepdims=True)) * 1.0",
        ),
        (
            "return exponentials / exponentials.sum(axis=-1, keepdims=True)",
            "return (exponentials / exponentials.sum(axis=-1, keepdims=True)).reshape(len(logits), -1)",
        ),
        ("return exponentials / exponentials.sum(axis=-1, keepdims=True)", "return np.argmax(exponentials, axis=-1)"),
        ("exponentials.sum(axis=-1, keepdims=True)", "np.linalg.norm(exponentials, axis=-1, keepdims=True)"),
        ("exponentials.sum(axis=-1, keepdims=True)", "exponentials.sum(axis=-1)[:, None]"),
    ],
}

# And these are told the hint of the known mistake named last, of which each is another spelling.
RECOGNISED = [
    (
        "fit_standardizer",
        "np.nanmax(train, axis=0) == np.nanmin(train, axis=0)",
        "np.isclose(std, 0)",
        "small_taken_for_constant",
    ),
    (
        "fit_standardizer",
        "np.nanmax(train, axis=0) == np.nanmin(train, axis=0)",
        "np.isclose(np.nanmax(train, axis=0), np.nanmin(train, axis=0))",
        "small_taken_for_constant",
    ),
    ("fit_standardizer", "np.where(constant, 1.0, std)", "np.where(constant, 0.0, std)", "constant_column_left_alone"),
    (
        "find_leak",
        "    leaked = []",
        "    train, test = train[~np.isnan(train).any(axis=1)], test\n    leaked = []",
        "missing_never_equal",
    ),
    ("one_hot", "    rows =", "    if not labels: return np.array([])\n    rows =", "columns_lost_without_labels"),
    (
        "encode_reviews",
        "    rows =",
        "    if not reviews: return np.array([])\n    rows =",
        "width_lost_without_reviews",
    ),
    ("anomaly_score", "np.linalg.inv(covariance)", "np.diag(1 / np.diag(covariance))", "correlation_forgotten"),
    ("choose_threshold", "f1 > best_f1", "f1 >= best_f1", "lowest_of_equals"),
    ("choose_threshold", "np.unique(scores)[::-1]", "np.unique(scores[is_anomaly])", "lowest_of_equals"),
    (
        "choose_threshold",
        "2 * np.sum(reported & is_anomaly) / (np.sum(reported) + np.sum(is_anomaly))",
        "np.sum(reported & is_anomaly) / len(scores)",
        "recall",
    ),
    ("choose_threshold", "return best", "return float(scores[is_anomaly].min())", "recall"),
    (
        "softmax",
        "return exponentials / exponentials.sum(axis=-1, keepdims=True)",
        "return exponentials",
        "divided_by_the_largest",
    ),
    ("fit_standardizer", "np.where(constant, 1.0, std)", "std + 1e-8", "constant_column_left_alone"),
]


@cache
def sheet(name):
    return chapter.exercises[name].sheet()


def verdict(name, right, wrong):
    changed = chapter.exercises[name].changed(name, right, wrong)
    return conclude(sheet(name), list(run_all(changed, sheet(name).cases)))


@pytest.mark.parametrize(
    ("name", "right", "wrong"), [(name, *change) for name, changes in CAUGHT_AT_ONCE.items() for change in changes]
)
def test_a_small_change_loses_points_by_public_cases_and_gets_no_hint_for_another_mistake(name, right, wrong):
    found = verdict(name, right, wrong)
    assert found.points < found.max_points
    assert found.mistake is None


@pytest.mark.parametrize(("name", "right", "wrong", "mistake"), RECOGNISED)
def test_a_known_mistake_in_another_spelling_is_recognised(name, right, wrong, mistake):
    found = verdict(name, right, wrong)
    assert found.points < found.max_points
    assert found.mistake.name == mistake


def test_every_exercise_has_wrong_versions_here():
    assert CAUGHT_AT_ONCE.keys() == chapter.exercises.keys()
