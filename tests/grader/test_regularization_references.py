"""The references of chapter 5 against someone else's: torch and its autograd in float64, scipy, scikit-learn, formulas.

Every random setting comes from hypothesis, which draws the same ones each time and shrinks a failure.
"""

import numpy as np
import pytest
import torch
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from scipy import ndimage
from sklearn.linear_model import Lasso
from torch.nn import functional

from grader.exercises.regularization.batch_norm import batch_norm
from grader.exercises.regularization.batch_norm_backward import batch_norm_backward
from grader.exercises.regularization.cutmix import cutmix
from grader.exercises.regularization.dropout import dropout
from grader.exercises.regularization.dropout_backward import dropout_backward
from grader.exercises.regularization.early_stopping import early_stopping
from grader.exercises.regularization.group_norm import group_norm
from grader.exercises.regularization.max_norm import max_norm
from grader.exercises.regularization.mixup import mixup
from grader.exercises.regularization.penalty_gradient import penalty_gradient
from grader.exercises.regularization.random_shift_flip import random_shift_flip
from grader.exercises.regularization.smooth_labels import smooth_labels
from grader.exercises.regularization.soft_threshold import soft_threshold

draws = settings(max_examples=40, deadline=None)

seeds = st.integers(0, 2**32 - 1)
shapes = st.lists(st.integers(1, 4), max_size=3).map(tuple)
strengths = st.floats(0, 3)
shares = st.floats(0, 1)
small = st.integers(1, 6)
epsilons = st.floats(-8, 0).map(lambda exponent: 10.0**exponent)
places = st.lists(st.integers(1, 4), max_size=3).map(tuple)


def normal(seed, *shape):
    return np.array(np.random.default_rng(seed).normal(size=shape))


def close(got, expected):
    np.testing.assert_allclose(got, expected, rtol=1e-9, atol=1e-9)


def leaf(array):
    """A tensor of float64 whose gradient autograd will find."""
    return torch.tensor(np.asarray(array), dtype=torch.float64, requires_grad=True)


# -- early stopping --------------------------------------------------------------------------------------------------


@given(
    st.lists(st.one_of(st.integers(-20, 20).map(float), st.sampled_from([np.nan, np.inf])), min_size=1, max_size=30),
    st.integers(1, 8),
)
@settings(max_examples=200, deadline=None)
def test_early_stopping_stops_where_torchs_plateau_lowers_its_rate(losses, patience):
    """torch waits until there are *more* than its patience of epochs, and knows no best epoch, only the best loss."""
    optimizer = torch.optim.SGD([torch.zeros(1, requires_grad=True)], lr=1.0)
    plateau = torch.optim.lr_scheduler.ReduceLROnPlateau(
        optimizer, patience=patience - 1, threshold=0, threshold_mode="abs"
    )
    for loss in losses:
        plateau.step(loss)
        if optimizer.param_groups[0]["lr"] < 1:
            break
    if np.isfinite(plateau.best):
        best, stopped = early_stopping(np.array(losses), patience)
        assert (best, stopped) == (losses.index(plateau.best), plateau.last_epoch - 1)
    else:
        with pytest.raises(ValueError, match="no best"):
            early_stopping(np.array(losses), patience)


@given(st.integers(-3, 0))
def test_early_stopping_refuses_to_have_no_patience(patience):
    with pytest.raises(ValueError, match=f"patience is {patience}"):
        early_stopping(np.ones(3), patience)


# -- penalties -------------------------------------------------------------------------------------------------------


@given(seeds, shapes, strengths, strengths)
@draws
def test_penalty_gradient_is_autograds(seed, shape, l1, l2):
    weights = normal(seed, *shape) * (np.random.default_rng(seed).uniform(size=shape) > 0.2)
    tensor = leaf(weights)
    penalty = l1 * tensor.abs().sum() + l2 / 2 * tensor.square().sum()
    penalty.backward()
    close(penalty_gradient(weights, l1, l2)[0], penalty.item())
    close(penalty_gradient(weights, l1, l2)[1], tensor.grad.numpy())


@given(seeds, st.floats(0.01, 1), strengths)
@draws
def test_the_l2_penalty_is_the_weight_decay_of_sgd(seed, learning_rate, l2):
    weights = normal(seed, 5)
    tensor = leaf(weights)
    tensor.grad = torch.zeros_like(tensor)
    torch.optim.SGD([tensor], lr=learning_rate, weight_decay=l2).step()
    close(weights - learning_rate * penalty_gradient(weights, l2=l2)[1], tensor.detach().numpy())


@given(seeds, shapes, strengths)
@draws
def test_soft_threshold_is_torchs_softshrink(seed, shape, threshold):
    weights = normal(seed, *shape)
    result = soft_threshold(weights, threshold)
    close(result, functional.softshrink(torch.tensor(weights), threshold).numpy())
    assert np.all(result[np.abs(weights) <= threshold] == 0)


@given(seeds, st.floats(0.01, 1))
@draws
def test_with_independent_columns_the_lasso_is_one_soft_threshold(seed, alpha):
    rng = np.random.default_rng(seed)
    columns = np.linalg.qr(rng.normal(size=(40, 6)))[0] * np.sqrt(40)
    targets = columns @ rng.normal(size=6) + rng.normal(size=40)
    found = Lasso(alpha=alpha, fit_intercept=False, tol=1e-12).fit(columns, targets).coef_
    np.testing.assert_allclose(soft_threshold(columns.T @ targets / 40, alpha), found, atol=1e-7)


@given(seeds, st.floats(0.01, 2), st.floats(-3, 3))
@draws
def test_soft_threshold_is_the_lowest_point_of_distance_and_penalty(seed, threshold, elsewhere):
    def cost(place):
        return (place - weight) ** 2 / 2 + threshold * abs(place)

    weight = float(normal(seed))
    assert cost(float(soft_threshold(np.array(weight), threshold))) <= cost(elsewhere) + 1e-12


@given(seeds, small, st.lists(small, min_size=1, max_size=3), st.floats(0.05, 5))
@draws
def test_max_norm_is_torchs_renorm(seed, units, inputs, limit):
    weights = normal(seed, units, *inputs) * np.random.default_rng(seed).choice([0, 1, 3], units).reshape(
        -1, *[1] * len(inputs)
    )
    result = max_norm(weights, limit)
    np.testing.assert_allclose(result, torch.renorm(torch.tensor(weights), 2, 0, limit).numpy(), rtol=1e-5, atol=1e-9)
    assert np.all(np.linalg.norm(result.reshape(units, -1), axis=1) <= limit * (1 + 1e-12))


@given(st.sampled_from([0.0, -1.0, -np.inf, np.nan]))
def test_max_norm_refuses_what_is_no_limit(limit):
    with pytest.raises(ValueError, match=f"limit is {limit}"):
        max_norm(np.ones((2, 2)), limit)


# -- dropout ---------------------------------------------------------------------------------------------------------


@given(seeds, shapes, shares, st.booleans())
@draws
def test_dropout_is_torchs_with_the_same_activations_dropped(seed, shape, rate, training):
    activations = np.abs(normal(seed, *shape)) + 0.1
    torch.manual_seed(seed)
    expected = functional.dropout(torch.tensor(activations), rate, training).numpy()
    kept = expected != 0 if training else np.ones(shape, dtype=bool)
    assume(rate < 1 or not training or not kept.any())
    uniform = np.array(np.where(kept, np.maximum(rate, 0.5), 0.0))
    assume(rate > 0 or kept.all())
    close(dropout(activations, uniform, rate, training), expected)


@given(seeds, st.floats(0.05, 0.9))
@settings(max_examples=10, deadline=None)
def test_dropout_keeps_the_expectation(seed, rate):
    activations = normal(seed, 4)
    uniform = np.random.default_rng(seed + 1).uniform(size=(40_000, 4))
    mean = dropout(np.broadcast_to(activations, uniform.shape), uniform, rate).mean(axis=0)
    spread = np.abs(activations) * np.sqrt(rate / (1 - rate) / 40_000)
    assert np.all(np.abs(mean - activations) <= 5 * spread)


@given(seeds, small, small, small, shares, st.booleans())
@draws
def test_dropout_backward_is_autograds(seed, examples, inputs, units, rate, training):
    rng = np.random.default_rng(seed)
    activations, weights = rng.normal(size=(examples, inputs)), rng.normal(size=(units, inputs))
    gradient, uniform = rng.normal(size=(examples, units)), rng.uniform(size=(examples, inputs))
    factors = dropout(np.ones((examples, inputs)), uniform, rate, training)
    first, second = leaf(activations), leaf(weights)
    outputs = (first * torch.tensor(factors)) @ second.T
    outputs.backward(torch.tensor(gradient))
    by_activations, by_weights = dropout_backward(gradient, activations, weights, uniform, rate, training)
    close(by_activations, first.grad.numpy())
    close(by_weights, second.grad.numpy())


@given(st.sampled_from([-0.1, 1.1, np.nan]), st.booleans())
def test_dropout_refuses_what_is_no_share(rate, training):
    ones = np.ones((2, 2))
    with pytest.raises(ValueError, match=f"rate is {rate}"):
        dropout(ones, ones / 2, rate, training)
    with pytest.raises(ValueError, match=f"rate is {rate}"):
        dropout_backward(ones, ones, ones, ones / 2, rate, training)


# -- more data, softer labels ----------------------------------------------------------------------------------------


@given(seeds, st.integers(0, 4), small, small)
@draws
def test_random_shift_flip_is_scipys_shift_of_the_mirrored_image(seed, count, height, width):
    rng = np.random.default_rng(seed)
    images, offsets = rng.normal(size=(count, height, width)), rng.integers(-8, 9, (count, 2))
    flips = rng.uniform(size=count) < 0.5
    expected = [
        ndimage.shift(np.fliplr(image) if flip else image, offset, order=0)
        for image, offset, flip in zip(images, offsets, flips)
    ]
    np.testing.assert_array_equal(random_shift_flip(images, offsets, flips), np.reshape(expected, images.shape))


@given(seeds, st.integers(0, 5), st.integers(1, 6), shares)
@draws
def test_smooth_labels_gives_torchs_smoothed_loss(seed, count, classes, smoothing):
    rng = np.random.default_rng(seed)
    labels, logits = rng.integers(classes, size=count), torch.tensor(rng.normal(size=(count, classes)))
    expected = functional.cross_entropy(logits, torch.tensor(labels), label_smoothing=smoothing, reduction="none")
    smoothed = torch.tensor(smooth_labels(labels, classes, smoothing))
    close(functional.cross_entropy(logits, smoothed, reduction="none").numpy(), expected.numpy())


@given(st.sampled_from([-1, 3, 100]), st.sampled_from([0.0, 0.1]))
def test_smooth_labels_refuses_what_is_no_class(label, smoothing):
    with pytest.raises(ValueError, match="from 0 to 2"):
        smooth_labels(np.array([0, label, 1]), 3, smoothing)


@given(seeds, small, places, small)
@draws
def test_mixup_is_torchs_interpolation(seed, count, shape, classes):
    rng = np.random.default_rng(seed)
    features, labels = rng.normal(size=(count, *shape)), rng.dirichlet(np.ones(classes), count)
    order, share = rng.permutation(count), rng.beta(0.4, 0.4, count)
    weights = torch.tensor(share)
    mixed_features, mixed_labels = mixup(features, labels, order, share)
    for array, mixed in ((features, mixed_features), (labels, mixed_labels)):
        own = torch.tensor(array)
        expected = torch.lerp(own[order], own, weights.reshape(-1, *[1] * (array.ndim - 1)))
        close(mixed, expected.numpy())


@given(seeds, small, small, small, st.tuples(*[st.integers(-8, 8)] * 2, *[st.integers(0, 12)] * 2))
@draws
def test_cutmix_has_labels_in_the_proportion_of_the_pixels(seed, count, height, width, box):
    """Each image is as bright everywhere as its label says, so the mean of a mixed one is its mixed label."""
    rng = np.random.default_rng(seed)
    labels, order = rng.uniform(size=(count, 1)), rng.permutation(count)
    images = np.broadcast_to(labels[:, :, None], (count, height, width)).copy()
    mixed_images, mixed_labels = cutmix(images, labels, order, box)
    close(mixed_images.mean(axis=(1, 2))[:, None], mixed_labels)


@given(seeds, st.integers(2, 9), st.integers(2, 9), shares)
@draws
def test_cutmix_is_the_papers_with_the_box_that_is_drawn_there(seed, height, width, share):
    """Yun et al. (2019), Algorithm A1: a box around a random centre, clipped, and then the share made right."""
    rng = np.random.default_rng(seed)
    images, labels = rng.normal(size=(3, height, width)), rng.dirichlet(np.ones(4), 3)
    order, row, column = rng.permutation(3), int(rng.integers(height)), int(rng.integers(width))
    cut_height, cut_width = int(height * np.sqrt(1 - share)) // 2, int(width * np.sqrt(1 - share)) // 2
    first, last = np.clip([row - cut_height, row + cut_height], 0, height)
    start, end = np.clip([column - cut_width, column + cut_width], 0, width)
    expected = images.copy()
    expected[:, first:last, start:end] = images[order, first:last, start:end]
    own = 1 - (last - first) * (end - start) / (height * width)
    box = (row - cut_height, column - cut_width, 2 * cut_height, 2 * cut_width)
    mixed_images, mixed_labels = cutmix(images, labels, order, box)
    close(mixed_images, expected)
    close(mixed_labels, own * labels + (1 - own) * labels[order])


# -- normalization ---------------------------------------------------------------------------------------------------


@given(seeds, small, small, places, st.booleans(), shares, epsilons)
@settings(max_examples=100, deadline=None)
def test_batch_norm_is_torchs(seed, count, channels, shape, training, momentum, epsilon):
    rng = np.random.default_rng(seed)
    activations = rng.normal(size=(count, channels, *shape)) * rng.uniform(0.1, 5) + rng.uniform(-5, 5)
    gamma, beta, running_mean = rng.normal(size=(3, channels))
    running_variance = rng.uniform(0.1, 5, channels)
    tensors = [torch.tensor(array) for array in (activations, running_mean, running_variance, gamma, beta)]

    def torchs():
        return functional.batch_norm(*tensors, training, momentum, epsilon).numpy()

    def own():
        return batch_norm(activations, gamma, beta, running_mean, running_variance, training, momentum, epsilon)

    if training and count * np.prod(shape, dtype=int) == 1:
        with pytest.raises(ValueError, match="more than 1 value per channel"):
            torchs()
        with pytest.raises(ValueError, match="each channel has 1 values"):
            own()
    else:
        expected = torchs()
        for got, wanted in zip(own(), (expected, tensors[1].numpy(), tensors[2].numpy())):
            close(got, wanted)


@given(seeds, st.integers(2, 8), small, epsilons)
@draws
def test_the_defaults_of_batch_norm_are_torchs(seed, count, channels, epsilon):
    layer = torch.nn.BatchNorm1d(channels, dtype=torch.float64)
    ones, zeros = np.ones(channels), np.zeros(channels)
    running = zeros, ones
    for batch in np.random.default_rng(seed).normal(size=(3, count, channels)):
        output, *running = batch_norm(batch, ones, zeros, *running)
        close(output, layer(torch.tensor(batch)).detach().numpy())
    close(running[0], layer.running_mean.numpy())
    close(running[1], layer.running_var.numpy())
    close(batch_norm(batch, ones, zeros, *running, training=False)[0], layer.eval()(torch.tensor(batch)).detach())


@given(seeds, st.integers(2, 9), small, epsilons)
@settings(max_examples=100, deadline=None)
def test_batch_norm_backward_is_autograds(seed, count, channels, epsilon):
    rng = np.random.default_rng(seed)
    gradient, activations = rng.normal(size=(2, count, channels))
    gamma = rng.normal(size=channels)
    inputs, scale, shift = leaf(activations), leaf(gamma), leaf(np.zeros(channels))
    functional.batch_norm(inputs, None, None, scale, shift, True, eps=epsilon).backward(torch.tensor(gradient))
    for got, wanted in zip(batch_norm_backward(gradient, activations, gamma, epsilon), (inputs, scale, shift)):
        np.testing.assert_allclose(got, wanted.grad.numpy(), rtol=1e-8, atol=1e-8)


@given(seeds, st.integers(2, 6), small)
@draws
def test_what_goes_back_through_batch_norm_has_neither_mean_nor_slope(seed, count, channels):
    """Shifting a channel or stretching it changes nothing, so the gradient has no part in these directions."""
    rng = np.random.default_rng(seed)
    gradient, activations = rng.normal(size=(2, count, channels))
    by_activations = batch_norm_backward(gradient, activations, np.ones(channels), epsilon=0.0)[0]
    sizes = np.abs(by_activations).sum(axis=0) + 1
    assert np.all(np.abs(by_activations.sum(axis=0)) <= 1e-9 * sizes)
    assert np.all(np.abs((by_activations * activations).sum(axis=0)) <= 1e-9 * sizes * np.abs(activations).max())


@given(st.integers(0, 1))
def test_batch_norm_backward_refuses_a_batch_without_variance(count):
    with pytest.raises(ValueError, match=f"a batch of {count}"):
        batch_norm_backward(np.ones((count, 2)), np.ones((count, 2)), np.ones(2))


@given(seeds, small, small, small, places, epsilons)
@settings(max_examples=100, deadline=None)
def test_group_norm_is_torchs(seed, count, groups, size, shape, epsilon):
    rng = np.random.default_rng(seed)
    channels = groups * size
    assume(count * size * np.prod(shape, dtype=int) > 1)  # torch refuses a single value, and here it becomes beta
    activations = rng.normal(size=(count, channels, *shape))
    gamma, beta = rng.normal(size=(2, channels))
    expected = functional.group_norm(*map(torch.tensor, (activations,)), groups, leaf(gamma), leaf(beta), epsilon)
    close(group_norm(activations, groups, gamma, beta, epsilon), expected.detach().numpy())


@given(seeds, small, small, st.integers(2, 5), st.integers(2, 5))
@draws
def test_one_group_is_layer_norm_and_all_groups_are_instance_norm(seed, count, channels, height, width):
    activations = normal(seed, count, channels, height, width)
    tensor, ones, zeros = torch.tensor(activations), np.ones(channels), np.zeros(channels)
    close(group_norm(activations, 1, ones, zeros), functional.layer_norm(tensor, tensor.shape[1:]).numpy())
    close(group_norm(activations, channels, ones, zeros), functional.instance_norm(tensor).numpy())


@given(st.integers(1, 9), st.integers(-3, 12))
@draws
def test_group_norm_refuses_groups_that_do_not_divide(channels, groups):
    activations, ones = normal(0, 2, channels, 6), np.ones(channels)
    if groups >= 1 and channels % groups == 0:
        assert group_norm(activations, groups, ones, ones).shape == activations.shape
    else:
        with pytest.raises(ValueError, match=f"{channels} channels cannot be cut into {groups} groups"):
            group_norm(activations, groups, ones, ones)
