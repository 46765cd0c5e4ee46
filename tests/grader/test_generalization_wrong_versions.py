"""Wrong answers to the exercises of chapter 3 that are nearly right: each loses points.

Known mistakes, which get a hint of their own, stand with their exercises, and `verify` proves them.
"""

import pytest

from tests.grader.wrong_versions import listed, verdict

pytestmark = pytest.mark.filterwarnings("ignore::RuntimeWarning")

# Of each exercise: a piece of the reference, and what a student may write in its place against the docstring. The
# public cases catch these, and none of them is told the hint of another mistake.
CAUGHT_AT_ONCE = {
    "generalization_gap": [
        ("np.isfinite(validation_loss)", "~np.isnan(validation_loss)"),
        ("np.isfinite(train_loss) &", "~np.isnan(train_loss) &"),
        ("np.argmin(", "np.argmax("),
        ("validation_loss, np.inf)", "validation_loss + train_loss, np.inf)"),
        ("    epoch =", "    validation_loss[~counts] = np.inf\n    epoch ="),
        ("float(validation_loss[epoch] - train_loss[epoch])", "float(validation_loss[epoch])"),
        (
            "float(validation_loss[epoch] - train_loss[epoch])",
            "float(max(validation_loss[epoch] - train_loss[epoch], 0))",
        ),
        ("float(validation_loss[epoch] - train_loss[epoch])", "float(np.mean((validation_loss - train_loss)[counts]))"),
        ("float(validation_loss[epoch] - train_loss[epoch])", "float(validation_loss[epoch] - train_loss[counts][-1])"),
        ("not counts.any()", "not counts.all()"),
        ("not counts.any()", "counts.sum() < 2"),
        ("validation_loss[epoch] - train_loss[epoch])", "np.float16(validation_loss[epoch] - train_loss[epoch]))"),
    ],
    "kfold_indices": [
        ("np.array_split(order, folds)", "[np.sort(block) for block in np.array_split(order, folds)]"),
        ("np.array_split(order, folds)", "np.array_split(order, folds)[::-1]"),
        ("np.array_split(order, folds)", "np.array_split(order[::-1], folds)"),
        ("np.array_split(order, folds)", "np.array_split(order, folds + 1)"),
        ("blocks[:i] + blocks[i + 1 :]", "blocks[i + 1 :] + blocks[:i]"),
        ("blocks[:i] + blocks[i + 1 :]", "blocks[:i] + blocks[i + 2 :] + [order[:0]]"),
        ("for i in range(folds)]", "for i in range(folds - 1)]"),
        ("blocks[i])", "blocks[i].astype(float))"),
        ("blocks[i])", "order[:len(blocks[0])])"),
        ("not 2 <= folds <= len(order)", "not 3 <= folds <= len(order)"),
        ("not 2 <= folds <= len(order)", "len(order) % folds"),
        ("    blocks =", "    order.sort()\n    blocks ="),
    ],
    "select_by_validation": [
        ("std(ddof=1)", "var(ddof=1)"),
        ("std(ddof=1) / np.sqrt(folds)", "std(ddof=1) * np.sqrt(folds)"),
        ("means[best] - scores[best].std(ddof=1)", "means[best] - 2 * scores[best].std(ddof=1)"),
        ("means[best] - scores[best].std(ddof=1)", "means[best] - scores[0].std(ddof=1)"),
        ("scores[best].std(ddof=1) / np.sqrt(folds)", "0.01"),
        ("scores.mean(axis=1)", "np.median(scores, axis=1)"),
        ("scores.mean(axis=1)", "scores.sum(axis=1)"),
        ("int(np.argmax(means >= bar))", "int(np.argmin(abs(means - bar)))"),
        ("int(np.argmax(means >= bar))", "int(np.argmax(means >= bar)) + 1"),
        ("int(np.argmax(means >= bar))", "int(np.nanargmin(np.where(means >= bar, means, np.nan)))"),
        ("int(np.argmax(means >= bar))", "int(np.argmax(~(means < bar)))"),
        ("float(bar)", "float(means[best])"),
        ("float(bar)", "float(means[np.argmax(means >= bar)])"),
        ("np.isnan(means).all()", "np.isnan(means).any()"),
    ],
    "walk_forward_splits": [
        ("np.arange(n)", "np.arange(1, n + 1)"),
        ("np.arange(n)", "np.arange(n)[::-1]"),
        ("np.arange(n)", "np.arange(n, dtype=float)"),
        ("steps[: start - gap]", "steps[gap:start]"),
        ("steps[: start - gap]", "steps[max(start - gap - horizon, 0) : start - gap]"),
        ("start : start + horizon]", "start : start + horizon + 1]"),
        ("start : start + horizon]", "start : start + 1]"),
        ("start : start + horizon]", "start + gap : start + gap + horizon]"),
        ("n - horizon + 1, horizon)", "n - horizon + 1, first)"),
        ("n - horizon + 1, horizon)", "n - horizon + 1 - gap, horizon)"),
        ("for start in starts]", "for start in starts[1:]]"),
        ("for start in starts]", "for start in starts[:1]]"),
        ("for start in starts]", "for start in starts[:5]]"),
    ],
    "bias_variance": [
        ("predictions.mean(axis=0) - truth", "truth.mean() - predictions.mean(axis=0)"),
        ("predictions.mean(axis=0) - truth", "predictions.mean() - truth"),
        ("predictions.mean(axis=0) - truth", "np.median(predictions, axis=0) - truth"),
        ("np.mean(bias**2)", "np.sum(bias**2)"),
        ("np.mean(bias**2)", "np.sqrt(np.mean(bias**2))"),
        ("np.mean(bias**2)", "np.var(bias)"),
        ("np.mean(bias**2)", "np.max(bias**2)"),
        ("predictions.var(axis=0).mean()", "predictions.mean(axis=0).var()"),
        ("predictions.var(axis=0).mean()", "predictions.var(axis=0).sum()"),
        ("predictions.var(axis=0).mean()", "np.median(predictions.var(axis=0))"),
        ("predictions.var(axis=0).mean()", "(predictions - truth).var()"),
        ("predictions.var(axis=0).mean()", "predictions.mean(axis=1).var()"),
        ("np.mean(np.square(noise_std))", "np.var(noise_std)"),
        ("np.mean(np.square(noise_std))", "np.mean(np.square(noise_std)) + predictions.var(axis=0).mean()"),
        ("np.mean(np.square(noise_std))", "noise_std**2 if np.ndim(noise_std) == 0 else noise_std[0] ** 2"),
        ("np.mean(np.square(noise_std))", "np.sqrt(np.mean(np.square(noise_std)))"),
        ("len(predictions) == 0", "len(predictions) < 2"),
    ],
    "bootstrap_interval": [
        ("[(1 - level) / 2, (1 + level) / 2]", "[(1 - level) / 2, level]"),
        ("[(1 - level) / 2, (1 + level) / 2]", "[0.5 - level, 0.5 + level]"),
        ("[(1 - level) / 2, (1 + level) / 2]", "[level / 2, 1 - level / 2]"),
        ("size=(resamples, n)", "size=(resamples, resamples // 10)"),
        ("size=(resamples, n)", "size=(10, n)"),
        ("size=(resamples, n)", "size=(resamples, n - 1)).mean(axis=1, keepdims=True) * np.ones((1, 2)"),
        ("rng.choice(scores,", "rng.choice(np.unique(scores),"),
        (".mean(axis=1)", ".std(axis=1)"),
        (".mean(axis=1)", ".sum(axis=1)"),
        ("n == 0 or", ""),
    ],
    "bagged_vote": [
        ("np.argmax(counts)", "np.argmin(counts)"),
        ("labels[np.argmax(counts)]", "labels[-1]"),
        ("labels[np.argmax(counts)]", "labels[0]"),
        ("labels[np.argmax(counts)]", "abs(labels[np.argmax(counts)])"),
        ("labels[np.argmax(counts)]", "labels[np.argmax(counts)] if counts.max() > 1 else column[0]"),
        ("labels[np.argmax(counts)]", "labels[np.argmax(counts * labels)]"),
        ("labels[np.argmax(counts)]", "labels[len(labels) // 2]"),
        ("np.array(winners)", "np.array(winners, dtype=np.int8).astype(int)"),
        ("np.array(winners)", "np.array(winners)[:, None]"),
        ("np.array(winners)", "winners"),
        ("np.array(winners)", "np.array(winners, dtype=float)"),
        ("np.array(winners)", "np.bincount(winners).argmax()"),
        ("    winners =", "    votes.sort(axis=0)\n    winners ="),
    ],
    "adaboost_round": [
        ("predictions != labels", "predictions == labels"),
        ("weights[wrong].sum()", "weights[wrong].sum() / weights[~wrong].sum()"),
        ("weights[wrong].sum()", "weights[wrong].max(initial=0)"),
        ("weights[wrong].sum()", "wrong.sum() / 2"),
        ("np.log((1 - error) / error) / 2", "np.log(1 - error) / error / 2"),
        ("np.log((1 - error) / error) / 2", "np.log1p((1 - error) / error) / 2"),
        ("np.log((1 - error) / error) / 2", "1 - error"),
        ("np.exp(alpha), np.exp(-alpha)", "np.exp(alpha), 0"),
        ("np.exp(alpha), np.exp(-alpha)", "alpha, -alpha"),
        ("np.exp(alpha), np.exp(-alpha)", "1 + alpha, 1 - alpha"),
        ("new_weights / new_weights.sum()", "np.exp(new_weights) / np.exp(new_weights).sum()"),
        ("new_weights / new_weights.sum()", "new_weights / len(new_weights)"),
        ("    new_weights = weights * ", "    new_weights = weights\n    new_weights *= "),
        ("float(alpha), new_weights / new_weights.sum()", "new_weights / new_weights.sum(), float(alpha)"),
        ("error >= 0.5", "error > 0.6"),
        ("error >= 0.5", "error >= 0.45"),
        ("error == 0", "error < 0.01"),
    ],
    "average_probabilities": [
        ("exponentials.sum(axis=2, keepdims=True)", "exponentials.sum(axis=(0, 2), keepdims=True)"),
        ("exponentials.sum(axis=2, keepdims=True)", "exponentials.max(axis=2, keepdims=True)"),
        ("exponentials.sum(axis=2, keepdims=True)", "np.abs(logits).sum(axis=2, keepdims=True)"),
        ("probabilities.mean(axis=0)", "probabilities.mean(axis=2)"),
        ("probabilities.mean(axis=0)", "probabilities.mean()"),
        ("probabilities.mean(axis=0)", "probabilities"),
        ("probabilities.mean(axis=0)", "probabilities.max(axis=0)"),
        ("probabilities.mean(axis=0)", "np.median(probabilities, axis=0)"),
        ("probabilities.mean(axis=0)", "np.log(probabilities).mean(axis=0)"),
        ("probabilities.mean(axis=0)", "probabilities.mean(axis=0).argmax(axis=1)"),
        ("probabilities.mean(axis=0)", "probabilities.mean(axis=0).round(2)"),
        ("logits - logits.max(axis=2, keepdims=True)", "logits - logits.mean(axis=2, keepdims=True)"),
        ("logits - logits.max(axis=2, keepdims=True)", "logits - logits.max(axis=(1, 2), keepdims=True)"),
        ("logits - logits.max(axis=2, keepdims=True)", "logits - logits.max(axis=(0, 2), keepdims=True)"),
        ("logits - logits.max(axis=2, keepdims=True)", "logits - logits.min(axis=2, keepdims=True)"),
        ("logits - logits.max(axis=2, keepdims=True)", "logits / logits.max(axis=2, keepdims=True)"),
        ("    exponentials =", "    logits -= logits.max(axis=2, keepdims=True)\n    exponentials ="),
    ],
    "polyak_average": [
        ("snapshots[start:]", "snapshots[start:-1] or snapshots[start:]"),
        ("snapshots[start:]", "snapshots[start : start + 2]"),
        ("snapshots[start:]", "snapshots[:: start + 1]"),
        ("np.mean([snapshot[layer] for snapshot in counted], axis=0)", "last.copy()"),
        ("np.mean([snapshot[layer] for snapshot in counted], axis=0)", "(counted[0][layer] + last) / 2"),
        ("np.mean([snapshot[layer] for snapshot in counted], axis=0)", "np.mean([s[layer] for s in counted], axis=1)"),
        (
            "np.mean([snapshot[layer] for snapshot in counted], axis=0)",
            "np.average([s[layer] for s in counted], axis=0, weights=range(1, len(counted) + 1))",
        ),
        (
            "np.mean([snapshot[layer] for snapshot in counted], axis=0)",
            "np.mean([s[layer] for s in counted], axis=0, keepdims=True)",
        ),
        ("np.mean([snapshot[layer] for snapshot in counted], axis=0)", "[s[layer] for s in counted]"),
        (
            "np.mean([snapshot[layer] for snapshot in counted], axis=0)",
            "np.sum([s[layer] for s in counted], axis=0) / max(len(counted) - 1, 1)",
        ),
        ("last.copy()", "last.astype(float)"),
        ("last.copy()", "np.max([snapshot[layer] for snapshot in counted])"),
        ("last.copy()", "np.max([snapshot[layer] for snapshot in counted], axis=0)"),
        ("last.copy()", "np.zeros_like(last)"),
        ("np.issubdtype(last.dtype, np.integer)", 'layer != "w" and last.size == 1'),
        ("return average", 'return average["w"] if "w" in average else average'),
    ],
}

# And these are told the hint of the known mistake named last, of which each is another spelling.
RECOGNISED = [
    (
        "kfold_indices",
        "blocks[:i] + blocks[i + 1 :]",
        "blocks[: i + 1] + blocks[i + 1 :]",
        "training_includes_the_fold",
    ),
    (
        "walk_forward_splits",
        "steps[: start - gap]",
        "steps[max(start - gap - first, 0) : start - gap]",
        "window_slides",
    ),
    ("bootstrap_interval", "size=(resamples, n)", "size=(n, resamples)", "averaged_over_the_resamples"),
    ("bootstrap_interval", "rng.choice(scores,", "rng.normal(scores.mean(), scores.std(),", "normal_curve"),
    ("bootstrap_interval", ".mean(axis=1)", ".mean()", "without_replacement"),
    ("bootstrap_interval", "not 0 < level < 1", "not 0 <= level <= 1", "level_unchecked"),
    ("bootstrap_interval", "not 0 < level < 1", "level > 1", "level_unchecked"),
    ("select_by_validation", "scores.mean(axis=1)", "np.nan_to_num(scores).mean(axis=1)", "failed_counts_as_0"),
    ("bagged_vote", "np.argmax(counts)", "len(counts) - 1 - np.argmax(counts[::-1])", "largest_of_the_tied"),
    ("adaboost_round", "np.log((1 - error) / error) / 2", "np.log(1 / error - 1)", "half_left_out"),
    (
        "average_probabilities",
        "np.isnan(logits).any(axis=(1, 2))",
        "(abs(logits) > 1e6).any(axis=(1, 2))",
        "infinity_refused",
    ),
    ("polyak_average", "np.issubdtype(last.dtype, np.integer)", "last.dtype in (np.int64, np.uint64)", "int64_only"),
    ("polyak_average", "    average = {}", "    average = counted[-1]", "added_into_a_snapshot"),
]


@pytest.mark.parametrize(("name", "right", "wrong"), listed(CAUGHT_AT_ONCE))
def test_a_small_change_loses_points_by_public_cases_and_gets_no_hint_for_another_mistake(name, right, wrong):
    found = verdict(name, right, wrong)
    assert found.points < found.max_points
    assert found.mistake is None


@pytest.mark.parametrize(("name", "right", "wrong", "mistake"), RECOGNISED)
def test_a_known_mistake_in_another_spelling_is_recognised(name, right, wrong, mistake):
    found = verdict(name, right, wrong)
    assert found.points < found.max_points
    assert found.mistake.name == mistake


# Another way of drawing is no mistake.
OTHER_DRAWS = [
    ("default_rng(seed)", "default_rng([seed, 1])"),
    ("np.random.default_rng(seed)", "np.random.RandomState(seed)"),
    ("rng.choice(scores, size=(resamples, n))", "scores[rng.integers(n, size=(resamples, n))]"),
    ("rng.choice(scores, size=(resamples, n))", "rng.choice(scores, size=(n, resamples)).T"),
    ("rng.choice(scores, size=(resamples, n))", "rng.choice(scores, size=(5 * resamples, n))"),
    ("np.quantile(means, [(1 - level) / 2, (1 + level) / 2])",
     "np.quantile(means, [(1 - level) / 2, (1 + level) / 2], method=\"nearest\")"),
]  # fmt: skip


@pytest.mark.parametrize(("right", "other"), OTHER_DRAWS)
def test_any_way_of_drawing_resamples_earns_everything(right, other):
    found = verdict("bootstrap_interval", right, other)
    assert found.points == found.max_points
