"""The references of chapter 3 against someone else's: scikit-learn, scipy, torch, closed formulas.

Every random setting comes from hypothesis, which draws the same ones each time and shrinks a failure.
"""

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import special, stats
from sklearn.ensemble import AdaBoostClassifier
from sklearn.metrics import mean_squared_error
from sklearn.model_selection import KFold, TimeSeriesSplit
from sklearn.tree import DecisionTreeClassifier
from torch import nn
from torch.optim.swa_utils import AveragedModel

from grader.exercises.generalization.adaboost_round import adaboost_round
from grader.exercises.generalization.average_probabilities import average_probabilities
from grader.exercises.generalization.bagged_vote import bagged_vote
from grader.exercises.generalization.bias_variance import bias_variance
from grader.exercises.generalization.bootstrap_interval import BY_CHANCE, bootstrap_interval, is_steady, squared_errors
from grader.exercises.generalization.generalization_gap import generalization_gap
from grader.exercises.generalization.kfold_indices import kfold_indices
from grader.exercises.generalization.polyak_average import polyak_average
from grader.exercises.generalization.select_by_validation import select_by_validation
from grader.exercises.generalization.walk_forward_splits import walk_forward_splits

draws = settings(max_examples=40, deadline=None)

seeds = st.integers(0, 2**32 - 1)


def same_splits(splits, expected):
    assert len(splits) == len(expected)
    for parts, expected_parts in zip(splits, expected):
        for part, expected_part in zip(parts, expected_parts, strict=True):
            np.testing.assert_array_equal(part, expected_part)


# -- the gap ---------------------------------------------------------------------------------------------------------

losses = st.integers(0, 8) | st.sampled_from([np.nan, np.inf, -np.inf])


@given(st.lists(st.tuples(losses, losses), max_size=12))
@draws
def test_generalization_gap_is_found_by_a_masked_array_too(pairs):
    train_loss, validation_loss = np.array(pairs, dtype=float).reshape(-1, 2).T
    valid = np.ma.masked_invalid(validation_loss) + 0 * np.ma.masked_invalid(train_loss)
    if valid.count() == 0:
        with pytest.raises(ValueError, match=f"none of the {len(pairs)} epochs"):
            generalization_gap(train_loss, validation_loss)
        return
    epoch, gap = generalization_gap(train_loss, validation_loss)
    assert epoch == valid.argmin()
    assert gap == validation_loss[epoch] - train_loss[epoch]


# -- folds and splits ------------------------------------------------------------------------------------------------


@given(seeds, st.integers(2, 60), st.integers(2, 12))
@draws
def test_kfold_indices_are_scikit_learns_for_any_order(seed, n, folds):
    order = np.random.default_rng(seed).permutation(3 * n)[:n]
    if folds > n:
        for split in (lambda: kfold_indices(order, folds), lambda: list(KFold(folds).split(order))):
            with pytest.raises(ValueError, match=str(folds)):
                split()
        return
    expected = [(order[training], order[validation]) for training, validation in KFold(folds).split(order)]
    same_splits(kfold_indices(order, folds), expected)


@given(seeds, st.integers(2, 60), st.integers(2, 12))
@draws
def test_folds_are_disjoint_and_cover_everything(seed, n, folds):
    order = np.random.default_rng(seed).permutation(n)
    splits = kfold_indices(order, min(folds, n))
    np.testing.assert_array_equal(np.concatenate([validation for _, validation in splits]), order)
    for training, validation in splits:
        np.testing.assert_array_equal(np.sort(np.concatenate([training, validation])), np.arange(n))
        assert abs(len(validation) - n / len(splits)) < 1


@given(st.integers(1, 20), st.integers(1, 8), st.integers(0, 6), st.integers(2, 8), st.integers(0, 7))
@draws
def test_walk_forward_splits_are_scikit_learns_time_series_split(first, horizon, gap, splits, rest):
    n = first + gap + splits * horizon  # without a rest: scikit-learn leaves one at the beginning
    expected = TimeSeriesSplit(splits, test_size=horizon, gap=gap).split(np.zeros(n))
    same_splits(walk_forward_splits(n + min(rest, horizon - 1), first, horizon, gap), list(expected))


@given(st.integers(0, 40), st.integers(1, 20), st.integers(1, 8), st.integers(0, 6))
@draws
def test_walk_forward_splits_never_look_ahead(n, first, horizon, gap):
    if n < first + gap + horizon:
        with pytest.raises(ValueError, match=f"needs {first + gap + horizon} steps and the series has {n}"):
            walk_forward_splits(n, first, horizon, gap)
        return
    splits = walk_forward_splits(n, first, horizon, gap)
    for training, test in splits:
        assert test[0] - training[-1] == gap + 1
    tested = np.concatenate([test for _, test in splits])
    np.testing.assert_array_equal(tested, first + gap + np.arange(len(tested)))
    assert n - horizon < tested[-1] + 1 <= n


# -- choosing --------------------------------------------------------------------------------------------------------


@given(seeds, st.integers(1, 10), st.integers(2, 10), st.floats(0, 0.3))
@draws
def test_select_by_validation_takes_the_first_setting_within_scipys_standard_error(seed, settings, folds, failing):
    rng = np.random.default_rng(seed)
    scores = rng.uniform(0.5, 1, (settings, 1)) + rng.normal(0, 0.1, (settings, folds))
    scores[rng.uniform(size=scores.shape) < failing] = np.nan
    healthy = [row for row in range(settings) if not np.isnan(scores[row]).any()]
    if not healthy:
        with pytest.raises(ValueError, match=f"each of the {settings} settings"):
            select_by_validation(scores)
        return
    best = max(healthy, key=lambda row: scores[row].mean())
    bar = scores[best].mean() - stats.sem(scores[best])
    setting, found_bar = select_by_validation(scores)
    assert found_bar == pytest.approx(bar)
    assert setting == next(row for row in healthy if scores[row].mean() >= bar)


# -- bias, variance, noise -------------------------------------------------------------------------------------------


@given(seeds, st.integers(1, 30), st.integers(1, 12), st.booleans())
@draws
def test_bias_variance_and_noise_add_up_to_scikit_learns_squared_error(seed, fits, points, same_noise):
    """Of measurements that lie one standard deviation above the truth and one below, the error is exactly the sum."""
    rng = np.random.default_rng(seed)
    truth, predictions = rng.normal(0, 2, points), rng.normal(0, 2, (fits, points))
    noise_std = rng.uniform(0, 2, () if same_noise else points)
    parts = bias_variance(predictions, truth, float(noise_std) if same_noise else noise_std)
    errors = [mean_squared_error(np.tile(truth + sign * noise_std, (fits, 1)), predictions) for sign in (-1, 1)]
    assert sum(parts.values()) == pytest.approx(np.mean(errors))
    assert parts["variance"] == pytest.approx(torch.tensor(predictions).var(dim=0, correction=0).mean().item())


@given(seeds, st.integers(2, 8))
@draws
def test_the_variance_of_a_fitted_mean_is_the_closed_formula(seed, count):
    """A method that predicts the mean of n noisy values everywhere, fitted to every sample of -1 and 1 there is."""
    samples = np.array(np.meshgrid(*[[-1, 1]] * count)).reshape(count, -1).T
    truth = np.random.default_rng(seed).normal(size=5)
    parts = bias_variance(np.tile(samples.mean(axis=1)[:, None], (1, 5)), truth, 1.0)
    assert parts == pytest.approx({"bias squared": np.mean(truth**2), "variance": 1 / count, "noise": 1.0})


# -- bootstrap -------------------------------------------------------------------------------------------------------


@given(seeds, st.sampled_from([0.5, 0.8, 0.9, 0.95]), st.integers(95, 120))
@draws
def test_bootstrap_interval_is_scipys_percentile_interval(seed, level, n):
    rng = np.random.default_rng(seed)
    for scores in (rng.uniform(size=n) < 0.8, squared_errors(20, 0.15)):
        interval = stats.bootstrap(
            (scores.astype(float),), np.mean, n_resamples=5000, method="percentile", confidence_level=level, rng=rng
        ).confidence_interval
        np.testing.assert_allclose(bootstrap_interval(scores, seed, level), interval, rtol=0, atol=BY_CHANCE.absolute)


@given(seeds, st.integers(8, 40), st.integers(4, 39), st.sampled_from([0.5, 0.8, 0.9]))
@settings(max_examples=150, deadline=None)
def test_where_an_interval_is_steady_it_is_the_binomial_one(seed, n, right, level):
    if right >= n or not is_steady(n, right, level):
        return
    expected = stats.binom.ppf([(1 - level) / 2, (1 + level) / 2], n, right / n) / n
    np.testing.assert_allclose(bootstrap_interval(np.arange(n) < right, seed, level), expected)


# -- bagging and boosting --------------------------------------------------------------------------------------------


@given(seeds, st.integers(1, 12), st.integers(1, 20), st.integers(1, 6))
@draws
def test_bagged_vote_is_scipys_mode(seed, models, examples, classes):
    votes = np.random.default_rng(seed).integers(-classes, classes, (models, examples))
    np.testing.assert_array_equal(bagged_vote(votes), stats.mode(votes, axis=0).mode)


@given(seeds, st.integers(5, 40))
@draws
def test_adaboost_rounds_are_scikit_learns(seed, n):
    """Boosting of stumps with the reference: the says are half of scikit-learn's, which leaves out the half."""
    rng = np.random.default_rng(seed)
    features = rng.normal(size=(n, 2))
    labels = np.where(features.sum(axis=1) + rng.normal(0, 0.5, n) > 0, 1, -1)
    if len(np.unique(labels)) < 2:
        return
    stump = DecisionTreeClassifier(max_depth=1, random_state=0)
    boosted = AdaBoostClassifier(stump, n_estimators=8, random_state=0).fit(features, labels)
    weights = np.full(n, 1 / n)
    for tree, say, error in zip(boosted.estimators_, boosted.estimator_weights_, boosted.estimator_errors_):
        alpha, new_weights = adaboost_round(weights, tree.predict(features), labels)
        assert alpha == pytest.approx(say / 2 if error > 0 else say)
        weights = new_weights


@given(seeds, st.integers(3, 40))
@draws
def test_after_a_round_the_wrong_examples_weigh_as_much_as_the_right_ones(seed, n):
    rng = np.random.default_rng(seed)
    weights, labels = rng.dirichlet(np.ones(n)), rng.choice([-1, 1], n)
    wrong = rng.permutation(n) < rng.integers(1, n)
    error = weights[wrong].sum()
    alpha, new_weights = adaboost_round(weights, np.where(wrong, -labels, labels), labels)
    if error >= 0.5:
        assert alpha == 0
        np.testing.assert_array_equal(new_weights, weights)
    else:
        assert alpha == pytest.approx(np.arctanh(1 - 2 * error))
        assert new_weights[wrong].sum() == pytest.approx(0.5)
        assert new_weights.sum() == pytest.approx(1)


# -- ensembles -------------------------------------------------------------------------------------------------------


@given(seeds, st.integers(1, 6), st.integers(1, 8), st.integers(1, 8), st.sampled_from([1.0, 100.0, 1e4]))
@draws
def test_average_probabilities_is_the_mean_of_torchs_and_scipys_softmax(seed, models, n, classes, scale):
    logits = scale * np.random.default_rng(seed).normal(size=(models, n, classes))
    probabilities = average_probabilities(logits)
    np.testing.assert_allclose(probabilities, torch.tensor(logits).softmax(dim=2).mean(dim=0).numpy(), atol=1e-12)
    np.testing.assert_allclose(probabilities, special.softmax(logits, axis=2).mean(axis=0), atol=1e-12)
    np.testing.assert_allclose(probabilities.sum(axis=1), 1)


@given(seeds, st.integers(1, 8), st.integers(0, 7))
@draws
def test_polyak_average_is_torchs_averaged_model(seed, epochs, start):
    torch.manual_seed(seed)
    network = nn.Sequential(nn.Linear(3, 4), nn.BatchNorm1d(4), nn.Tanh(), nn.Linear(4, 2)).double()
    optimizer = torch.optim.SGD(network.parameters(), lr=0.1)
    average, snapshots = AveragedModel(network), []
    for epoch in range(epochs):
        nn.functional.mse_loss(network(torch.randn(6, 3).double()), torch.randn(6, 2).double()).backward()
        optimizer.step()
        snapshots.append({name: tensor.numpy().copy() for name, tensor in network.state_dict().items()})
        if epoch >= start:
            average.update_parameters(network)
    if start >= epochs:
        with pytest.raises(ValueError, match=f"of {epochs} snapshots none is left"):
            polyak_average(snapshots, start)
        return
    found = polyak_average(snapshots, start)
    for name, weights in average.module.named_parameters():
        np.testing.assert_allclose(found[name], weights.detach().numpy())
    # The counter of batch normalization is the last; torch takes its running statistics from the last network, too.
    assert found["1.num_batches_tracked"] == average.module[1].num_batches_tracked.item() == epochs
