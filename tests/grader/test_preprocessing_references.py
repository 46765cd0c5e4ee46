"""The references of chapter 2 against someone else's: scikit-learn, scipy, torch, or what defines the answer.

Every random setting comes from hypothesis, which draws the same ones each time and shrinks a failure.
"""

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import linalg, spatial, special
from sklearn.covariance import EmpiricalCovariance
from sklearn.metrics import f1_score
from sklearn.model_selection import train_test_split
from sklearn.preprocessing import MinMaxScaler, OneHotEncoder, RobustScaler, StandardScaler
from torch import nn

from grader.exercises.preprocessing.anomaly_score import anomaly_score
from grader.exercises.preprocessing.choose_threshold import choose_threshold
from grader.exercises.preprocessing.common import correlated_table
from grader.exercises.preprocessing.encode_reviews import encode_reviews
from grader.exercises.preprocessing.find_leak import find_leak
from grader.exercises.preprocessing.fit_standardizer import fit_standardizer
from grader.exercises.preprocessing.initial_std import initial_std
from grader.exercises.preprocessing.min_max import min_max
from grader.exercises.preprocessing.one_hot import one_hot
from grader.exercises.preprocessing.robust_scale import robust_scale
from grader.exercises.preprocessing.running_moments import running_moments
from grader.exercises.preprocessing.softmax import softmax
from grader.exercises.preprocessing.stratified_split import stratified_split
from grader.exercises.preprocessing.whiten import whiten

draws = settings(max_examples=40)

seeds = st.integers(0, 2**32 - 1)
row_counts = st.integers(1, 30)
column_counts = st.integers(1, 5)
fans = st.integers(1, 300)


def tables(seed, *rows, columns):
    """Tables of so many rows over the same columns, one of which is constant in all of them now and then."""
    rng = np.random.default_rng(seed)
    drawn = [correlated_table(rng, count, columns) for count in rows]
    if rng.random() < 0.3:
        for table in drawn:
            table[:, 0] = 0.1
    return drawn


# -- scaling ---------------------------------------------------------------------------------------------------------


@given(seeds, row_counts, column_counts, st.floats(0, 0.8))
@draws
def test_fit_standardizer_is_scikit_learns_with_missing_values_left_out(seed, rows, columns, missing):
    (train,) = tables(seed, rows, columns=columns)
    gaps = np.random.default_rng(seed).random(train.shape) < missing
    gaps[0] = False
    train[gaps] = np.nan
    mean, std = fit_standardizer(train)
    fitted = StandardScaler().fit(train)
    np.testing.assert_allclose(mean, fitted.mean_)
    np.testing.assert_allclose(std, fitted.scale_)


@given(seeds, row_counts, column_counts)
@draws
def test_what_is_standardized_has_mean_0_and_deviation_1_or_is_constant(seed, rows, columns):
    (train,) = tables(seed, rows, columns=columns)
    mean, std = fit_standardizer(train)
    standardized = (train - mean) / std
    np.testing.assert_allclose(standardized.mean(axis=0), 0, atol=1e-9)
    constant = np.ptp(train, axis=0) == 0
    np.testing.assert_allclose(standardized.std(axis=0), np.where(constant, 0, 1), atol=1e-9)


@given(seeds, st.integers(2, 30), st.integers(0, 20), column_counts)
@draws
def test_min_max_is_scikit_learns_where_a_column_varies(seed, rows, others, columns):
    rng = np.random.default_rng(seed)
    train, other = correlated_table(rng, rows, columns), correlated_table(rng, others, columns)
    expected = MinMaxScaler().fit(train).transform(other) if others else other
    np.testing.assert_allclose(min_max(train, other), expected, rtol=1e-9, atol=1e-9)
    train[:, -1] = 3.0
    assert (min_max(train, other)[:, -1] == 0).all()


@given(seeds, row_counts, column_counts)
@draws
def test_robust_scale_without_clipping_is_scikit_learns(seed, rows, columns):
    train, other = tables(seed, rows, 10, columns=columns)
    inside = np.clip(other, train.min(axis=0), train.max(axis=0))
    expected = RobustScaler().fit(train).transform(inside)
    np.testing.assert_allclose(robust_scale(train, other, clip=0), expected, rtol=1e-9, atol=1e-9)


@given(seeds, st.integers(5, 30), st.floats(0, 0.49))
@draws
def test_robust_scale_keeps_the_order_and_clips_at_quantiles(seed, rows, clip):
    train, _ = tables(seed, rows, 1, columns=2)
    scaled = robust_scale(train, np.sort(np.append(train, [[-1e9] * 2, [1e9] * 2], axis=0), axis=0), clip)
    assert (np.diff(scaled, axis=0) >= 0).all()
    limits = RobustScaler().fit(train).transform(np.quantile(train, [clip, 1 - clip], axis=0))
    np.testing.assert_allclose(scaled[[0, -1]], limits, rtol=1e-9, atol=1e-9)


# -- whitening and distances -----------------------------------------------------------------------------------------


@given(seeds, st.integers(2, 40), column_counts, st.sampled_from([0.01, 0.1, 1.0]))
@draws
def test_whiten_multiplies_by_the_inverse_root_of_the_covariance(seed, rows, columns, epsilon):
    train, other = tables(seed, rows, 5, columns=columns)
    covariance = np.cov(train, rowvar=False, ddof=0).reshape(columns, columns)
    root = linalg.sqrtm(covariance + epsilon * np.eye(columns)).real
    expected = linalg.solve(root, (other - train.mean(axis=0)).T).T
    np.testing.assert_allclose(whiten(train, other, epsilon), expected, rtol=1e-6, atol=1e-8)


@given(seeds, st.integers(20, 60), column_counts)
@draws
def test_what_is_whitened_has_the_unit_matrix_for_covariance(seed, rows, columns):
    train = correlated_table(np.random.default_rng(seed), rows, columns)
    covariance = np.cov(whiten(train, train, 0.0), rowvar=False, ddof=0).reshape(columns, columns)
    np.testing.assert_allclose(covariance, np.eye(columns), atol=1e-6)


@given(seeds, st.integers(20, 60), column_counts)
@draws
def test_anomaly_score_is_scikit_learns_mahalanobis_distance(seed, rows, columns):
    rng = np.random.default_rng(seed)
    healthy, examples = correlated_table(rng, rows, columns), correlated_table(rng, 8, columns)
    squares = EmpiricalCovariance().fit(healthy).mahalanobis(examples)
    np.testing.assert_allclose(anomaly_score(healthy, examples, epsilon=0.0), np.sqrt(squares), rtol=1e-6)


@given(seeds, st.integers(1, 20), column_counts, st.sampled_from([1e-3, 0.1, 1.0]))
@draws
def test_anomaly_score_is_scipys_mahalanobis_distance_with_epsilon_on_the_diagonal(seed, rows, columns, epsilon):
    healthy, examples = tables(seed, rows, 4, columns=columns)
    covariance = np.cov(healthy, rowvar=False, ddof=0).reshape(columns, columns) + epsilon * np.eye(columns)
    mean, inverse = healthy.mean(axis=0), linalg.pinvh(covariance)
    expected = [spatial.distance.mahalanobis(example, mean, inverse) for example in examples]
    np.testing.assert_allclose(anomaly_score(healthy, examples, epsilon), expected, rtol=1e-6)


@given(seeds, st.integers(20, 60), column_counts)
@draws
def test_the_anomaly_score_is_the_length_after_whitening(seed, rows, columns):
    rng = np.random.default_rng(seed)
    healthy, examples = correlated_table(rng, rows, columns), correlated_table(rng, 8, columns)
    lengths = np.linalg.norm(whiten(healthy, examples, 0.1), axis=1)
    np.testing.assert_allclose(anomaly_score(healthy, examples, 0.1), lengths, rtol=1e-7)


@given(seeds, st.integers(1, 40), st.integers(0, 40))
@draws
def test_choose_threshold_has_the_highest_f1_score_of_scikit_learn(seed, anomalies, healthy):
    rng = np.random.default_rng(seed)
    scores = np.append(rng.normal(1, 1, anomalies), rng.normal(size=healthy)).round(1)
    is_anomaly = np.arange(len(scores)) < anomalies
    f1 = {level: f1_score(is_anomaly, scores >= level) for level in np.unique(scores)}
    chosen = choose_threshold(scores, is_anomaly)
    assert f1[chosen] == pytest.approx(max(f1.values()))
    assert all(f1[level] < f1[chosen] - 1e-12 for level in f1 if level > chosen)


# -- splits and leaks ------------------------------------------------------------------------------------------------


@given(seeds, st.lists(st.integers(2, 30), min_size=1, max_size=6), st.floats(0.05, 0.95))
@draws
def test_a_stratified_split_takes_every_row_once_and_every_class_in_proportion(seed, sizes, share):
    rng = np.random.default_rng(seed)
    labels = rng.permutation(np.repeat(rng.permutation(50)[: len(sizes)], sizes))
    order = rng.permutation(len(labels))
    train, test = stratified_split(labels, share, order)
    np.testing.assert_array_equal(np.sort(np.append(train, test)), np.arange(len(labels)))
    for label, size in zip(*np.unique(labels, return_counts=True)):
        count = np.sum(labels[test] == label)
        assert 1 <= count <= size - 1
        assert abs(count - share * size) <= max(0.5, share, 1 - share) + 1e-9
        in_order = [row for row in order if labels[row] == label]
        assert set(in_order[:count]) <= set(test)


@given(seeds, st.lists(st.integers(10, 30), min_size=2, max_size=5), st.sampled_from([0.2, 0.25, 0.3, 0.5]))
@draws
def test_a_stratified_split_has_scikit_learns_numbers_of_each_class_but_for_rounding(seed, sizes, share):
    rng = np.random.default_rng(seed)
    labels = rng.permutation(np.repeat(np.arange(len(sizes)), sizes))
    _, test = stratified_split(labels, share, rng.permutation(len(labels)))
    _, theirs = train_test_split(labels, test_size=share, stratify=labels, random_state=0)
    assert np.abs(np.bincount(labels[test]) - np.bincount(theirs)).max() <= 1


@given(seeds, st.integers(0, 30), st.integers(0, 30), column_counts, st.sampled_from([0.25, 0.6, 1.2]))
@draws
def test_find_leak_finds_what_has_a_neighbour_in_a_tree(seed, rows, tested, columns, tolerance):
    rng = np.random.default_rng(seed)
    train, test = (rng.integers(0, 4, (count, columns)) / 2 for count in (rows, tested))
    distance = spatial.cKDTree(train).query(test, p=np.inf)[0] if rows and tested else np.full(tested, np.inf)
    np.testing.assert_array_equal(find_leak(train, test, tolerance), np.flatnonzero(distance <= tolerance))


@given(seeds, st.integers(1, 30), st.integers(1, 30))
@draws
def test_find_leak_takes_missing_values_for_one_more_value(seed, rows, tested):
    rng = np.random.default_rng(seed)
    train, test = (rng.integers(0, 3, (count, 3)).astype(float) for count in (rows, tested))
    expected = find_leak(train, test)
    train[train == 2], test[test == 2] = np.nan, np.nan
    np.testing.assert_array_equal(find_leak(train, test), expected)


# -- streams ---------------------------------------------------------------------------------------------------------


@given(seeds, st.lists(st.integers(0, 12), min_size=1, max_size=8), column_counts, st.sampled_from([0, 1e3, 1e8]))
@draws
def test_running_moments_are_those_of_all_rows_and_scikit_learns(seed, sizes, columns, offset):
    rng = np.random.default_rng(seed)
    batches = [correlated_table(rng, size, columns) + offset for size in [3, *sizes]]
    count, mean, variance = 0, np.zeros(columns), np.zeros(columns)
    theirs = StandardScaler()
    for batch in batches:
        count, mean, variance = running_moments(count, mean, variance, batch)
        if len(batch):
            theirs.partial_fit(batch)
    rows = np.concatenate(batches)
    assert count == len(rows)
    np.testing.assert_allclose(mean, rows.mean(axis=0))
    np.testing.assert_allclose(variance, rows.var(axis=0), rtol=1e-6)
    np.testing.assert_allclose(variance, theirs.var_, rtol=1e-6)


# -- categories and words --------------------------------------------------------------------------------------------

letters = st.sampled_from("abcdefgh")


@given(st.lists(letters, min_size=1, max_size=20), st.lists(letters, min_size=1, max_size=6, unique=True))
@draws
def test_one_hot_is_scikit_learns(labels, classes):
    encoder = OneHotEncoder(categories=[classes], handle_unknown="ignore", sparse_output=False)
    encoder.fit(np.array(classes)[:, None])
    np.testing.assert_array_equal(one_hot(labels, classes), encoder.transform(np.array(labels)[:, None]))


@given(
    st.lists(st.lists(letters, max_size=9), min_size=1, max_size=6),
    st.lists(letters, max_size=6, unique=True),
    st.integers(1, 12),
)
@draws
def test_encode_reviews_pads_like_torch(reviews, known, length):
    vocabulary = {word: number for number, word in enumerate(known, start=2)}
    sequences = [torch.tensor([vocabulary.get(word, 1) for word in review], dtype=torch.long) for review in reviews]
    longest = [*sequences, torch.zeros(length, dtype=torch.long)]
    expected = nn.utils.rnn.pad_sequence(longest, batch_first=True)[:-1, :length]
    np.testing.assert_array_equal(encode_reviews(reviews, vocabulary, length), expected.numpy())


# -- weights and probabilities ---------------------------------------------------------------------------------------


def torchs_scale(initialize, fan_in, fan_out):
    """By which factor one of torch's initializations stretches standard normal numbers."""
    weights, numbers = torch.empty(2, fan_out, fan_in, dtype=torch.float64)
    initialize(weights, generator=torch.Generator().manual_seed(0))
    nn.init.normal_(numbers, generator=torch.Generator().manual_seed(0))
    return (weights / numbers).median().item()


@given(fans, fans)
@draws
def test_initial_std_for_tanh_is_torchs_xavier_normal(fan_in, fan_out):
    expected = torchs_scale(nn.init.xavier_normal_, fan_in, fan_out)
    assert initial_std(fan_in, fan_out, "tanh") == pytest.approx(expected)


@given(fans, fans, st.floats(0, 1), st.sampled_from(["relu", "leaky_relu"]))
@draws
def test_initial_std_for_relus_is_torchs_kaiming_normal(fan_in, fan_out, slope, activation):
    def initialize(weights, generator):
        nn.init.kaiming_normal_(weights, a=slope, nonlinearity=activation, generator=generator)

    expected = torchs_scale(initialize, fan_in, fan_out)
    assert initial_std(fan_in, fan_out, activation, slope) == pytest.approx(expected)


@given(seeds, st.lists(st.integers(1, 5), min_size=1, max_size=4), st.sampled_from([1, 30, 3000]))
@draws
def test_softmax_is_torchs_and_scipys(seed, shape, scale):
    rng = np.random.default_rng(seed)
    logits = rng.normal(0, scale, shape)
    logits[..., 1:][rng.random(logits[..., 1:].shape) < 0.1] = -np.inf
    probabilities = softmax(logits)
    np.testing.assert_allclose(probabilities, torch.tensor(logits).softmax(dim=-1), rtol=1e-9, atol=1e-300)
    np.testing.assert_allclose(probabilities, special.softmax(logits, axis=-1), rtol=1e-9, atol=1e-300)


# -- what cannot be answered -----------------------------------------------------------------------------------------

nothing, something = np.zeros((0, 2)), np.ones((3, 2))


@pytest.mark.parametrize(
    ("call", "words"),
    [
        (lambda: fit_standardizer(nothing), "column 0 .* 0 rows"),
        (lambda: fit_standardizer(np.array([[1.0, np.nan], [2.0, np.nan]])), "column 1 .* 2 rows"),
        (lambda: min_max(nothing, something), "0 rows"),
        (lambda: robust_scale(nothing, something), "0 rows"),
        (lambda: stratified_split(np.zeros(0, dtype=int), 0.5, np.zeros(0, dtype=int)), "0 rows"),
        (lambda: stratified_split(np.array([4, 4, 9]), 0.5, np.arange(3)), "class 9 has a single row"),
        (lambda: choose_threshold(np.ones(3), np.zeros(3, dtype=bool)), "none of the 3 examples"),
        (lambda: initial_std(3, 4, "sine"), "'sine'.*'tanh', 'relu' or 'leaky_relu'"),
    ],
)
def test_a_call_without_a_right_answer_is_refused_with_what_is_wrong(call, words):
    with pytest.raises(ValueError, match=words):
        call()
