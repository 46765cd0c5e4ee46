"""The references of chapter 1 against someone else's: torch, scipy, closed formulas, or descent itself.

Every random setting comes from hypothesis, which draws the same ones each time and shrinks a failure.
"""

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.signal import lfilter
from torch import nn
from torch.optim import lr_scheduler

from grader.exercises.learning_rate.common import symmetric_matrix
from grader.exercises.learning_rate.cosine_decay import cosine_decay
from grader.exercises.learning_rate.cosine_restarts import cosine_restarts
from grader.exercises.learning_rate.diagnose import curves, diagnose
from grader.exercises.learning_rate.gradient_descent import gradient_descent
from grader.exercises.learning_rate.largest_stable_rate import largest_stable_rate
from grader.exercises.learning_rate.reduce_on_plateau import reduce_on_plateau
from grader.exercises.learning_rate.smooth import smooth
from grader.exercises.learning_rate.step_decay import step_decay
from grader.exercises.learning_rate.suggest_rate import suggest_rate
from grader.exercises.learning_rate.update_ratio import update_ratio
from grader.exercises.learning_rate.warmup_cosine import warmup_cosine
from labutils.surfaces import SURFACES
from labutils.widgets.clinic import DIAGNOSES

draws = settings(max_examples=40)

seeds = st.integers(0, 2**32 - 1)
learning_rates = st.floats(1e-4, 10)
shares = st.floats(0.01, 0.99)


def scheduled_rates(make_scheduler, learning_rate, epochs, losses=None):
    """The rate that a torch scheduler uses in each epoch; `losses` are what a plateau scheduler is told afterwards."""
    optimizer = torch.optim.SGD([torch.zeros(1, requires_grad=True)], lr=learning_rate)
    scheduler = make_scheduler(optimizer)
    rates = []
    for epoch in range(epochs):
        rates.append(optimizer.param_groups[0]["lr"])
        optimizer.step()
        scheduler.step(*([] if losses is None else [losses[epoch]]))
    return rates


def quadratic(hessian):
    return lambda point: hessian @ point


def random_start(rng, dimension):
    """A point with every weight away from 0."""
    return rng.choice([-0.5, 1.5], dimension)


# -- descent ---------------------------------------------------------------------------------------------------------


def torch_descent(gradient, start, learning_rate, steps):
    weights = torch.tensor(start, requires_grad=True)
    optimizer = torch.optim.SGD([weights], lr=learning_rate)
    points = [start]
    for _ in range(steps):
        weights.grad = torch.from_numpy(gradient(weights.detach().numpy()))
        optimizer.step()
        points.append(weights.detach().numpy().copy())
    return points


@pytest.mark.parametrize("name", SURFACES)
@given(st.floats(1e-4, 5e-3), st.integers(0, 30))
@draws
def test_gradient_descent_is_sgd_on_the_surfaces(name, learning_rate, steps):
    surface, start = SURFACES[name], np.array(SURFACES[name].start)
    trajectory = gradient_descent(surface.gradient, start, learning_rate, steps)
    np.testing.assert_allclose(trajectory, torch_descent(surface.gradient, start, learning_rate, steps), rtol=1e-9)
    np.testing.assert_array_equal(start, surface.start)


@given(seeds, st.integers(1, 8), st.floats(0.001, 0.19), st.integers(0, 30))
@draws
def test_gradient_descent_follows_the_closed_form_of_a_quadratic(seed, dimension, learning_rate, steps):
    rng = np.random.default_rng(seed)
    hessian, start = symmetric_matrix(rng, rng.uniform(0.1, 10, dimension)), random_start(rng, dimension)
    trajectory = gradient_descent(quadratic(hessian), start, learning_rate, steps)
    one_step = np.eye(dimension) - learning_rate * hessian
    closed_form = [np.linalg.matrix_power(one_step, step) @ start for step in range(steps + 1)]
    np.testing.assert_allclose(trajectory, closed_form, rtol=1e-7, atol=1e-10)


@given(seeds, st.integers(1, 6))
@draws
def test_descent_converges_just_below_the_largest_stable_rate_and_runs_away_just_above(seed, dimension):
    rng = np.random.default_rng(seed)
    hessian, start = symmetric_matrix(rng, rng.uniform(0.2, 20, dimension)), random_start(rng, dimension)
    limit = largest_stable_rate(hessian)
    below = gradient_descent(quadratic(hessian), start, 0.99 * limit, 1500)
    above = gradient_descent(quadratic(hessian), start, 1.01 * limit, 1500)
    assert np.linalg.norm(below[-1]) < 0.01 * np.linalg.norm(start)
    assert np.linalg.norm(above[-1]) > 100 * np.linalg.norm(start)
    assert limit == pytest.approx(2 / torch.linalg.matrix_norm(torch.tensor(hessian), ord=2).item())


@given(seeds, st.integers(2, 6), st.floats(1e-3, 1))
@draws
def test_no_rate_is_stable_on_a_saddle_or_a_hill(seed, dimension, learning_rate):
    rng = np.random.default_rng(seed)
    curvatures = rng.uniform(0.2, 1, dimension) * rng.choice([-1, 1], dimension)
    curvatures[0] = -1
    hessian = symmetric_matrix(rng, curvatures)
    assert largest_stable_rate(hessian) == 0.0
    steps = int(20 / np.log1p(learning_rate))
    trajectory = gradient_descent(quadratic(hessian), random_start(rng, dimension), learning_rate, steps)
    assert np.linalg.norm(trajectory[-1]) > 100


# -- moving average --------------------------------------------------------------------------------------------------


@given(seeds, st.integers(0, 100), st.floats(0, 0.999))
@draws
def test_smooth_is_a_filter_divided_by_the_weight_so_far(seed, count, beta):
    losses = np.random.default_rng(seed).uniform(0, 4, count)
    expected = lfilter([1 - beta], [1, -beta], losses) / (1 - beta ** np.arange(1, count + 1)) if count else losses
    np.testing.assert_allclose(smooth(losses, beta), expected, rtol=1e-9)


@given(seeds, st.integers(1, 100), st.floats(0.01, 0.999))
@draws
def test_smooth_is_a_weighted_mean(seed, count, beta):
    losses = np.random.default_rng(seed).uniform(0, 4, count)
    weights = beta ** np.arange(count)[::-1]
    assert smooth(losses, beta)[-1] == pytest.approx(weights @ losses / weights.sum())


# -- schedules -------------------------------------------------------------------------------------------------------


@given(learning_rates, shares, st.integers(1, 20))
@draws
def test_step_decay_is_step_lr(learning_rate, factor, every):
    expected = scheduled_rates(lambda optimizer: lr_scheduler.StepLR(optimizer, every, factor), learning_rate, 60)
    rates = [step_decay(learning_rate, epoch, factor, every) for epoch in range(60)]
    np.testing.assert_allclose(rates, expected, rtol=1e-9)


@given(learning_rates, shares, st.integers(1, 60))
@draws
def test_cosine_decay_is_cosine_annealing_lr_and_then_stays(learning_rate, share, epochs):
    minimum = share * learning_rate
    expected = scheduled_rates(
        lambda optimizer: lr_scheduler.CosineAnnealingLR(optimizer, epochs, minimum), learning_rate, epochs + 1
    )
    rates = [cosine_decay(learning_rate, epoch, epochs, minimum) for epoch in range(epochs + 20)]
    np.testing.assert_allclose(rates[: epochs + 1], expected, rtol=1e-7)
    np.testing.assert_allclose(rates[epochs:], minimum)


@given(learning_rates, shares, st.integers(1, 15), st.integers(1, 4))
@draws
def test_cosine_restarts_is_cosine_annealing_warm_restarts(learning_rate, share, first_cycle, multiplier):
    minimum = share * learning_rate
    expected = scheduled_rates(
        lambda optimizer: lr_scheduler.CosineAnnealingWarmRestarts(optimizer, first_cycle, multiplier, minimum),
        learning_rate,
        100,
    )
    rates = [cosine_restarts(learning_rate, epoch, first_cycle, multiplier, minimum) for epoch in range(100)]
    np.testing.assert_allclose(rates, expected, rtol=1e-7)


@given(learning_rates, st.integers(2, 20), st.integers(1, 60))
@draws
def test_warmup_cosine_is_linear_lr_then_cosine_annealing_lr(learning_rate, warmup, decay):
    def make_scheduler(optimizer):
        climb = lr_scheduler.LinearLR(optimizer, start_factor=1 / warmup, total_iters=warmup - 1)
        fall = lr_scheduler.CosineAnnealingLR(optimizer, decay)
        return lr_scheduler.SequentialLR(optimizer, [climb, fall], milestones=[warmup])

    epochs = warmup + decay
    expected = scheduled_rates(make_scheduler, learning_rate, epochs + 1)
    rates = [warmup_cosine(learning_rate, epoch, warmup, epochs) for epoch in range(epochs + 1)]
    np.testing.assert_allclose(rates, expected, rtol=1e-7, atol=1e-12)


@given(learning_rates, st.integers(1, 60))
@draws
def test_warmup_cosine_without_warmup_is_cosine_decay(learning_rate, epochs):
    rates = [warmup_cosine(learning_rate, epoch, 0, epochs) for epoch in range(epochs + 1)]
    expected = [cosine_decay(learning_rate, epoch, epochs) for epoch in range(epochs + 1)]
    np.testing.assert_allclose(rates, expected, atol=1e-12)


@given(seeds, st.integers(0, 100), learning_rates, shares, st.integers(0, 6))
@draws
def test_reduce_on_plateau_is_torchs_without_a_threshold(seed, epochs, learning_rate, factor, patience):
    noise = np.random.default_rng(seed).normal(0, 0.3, epochs)
    losses = np.round(np.exp(-np.linspace(0, 3, epochs)) + noise, 1)  # rounded, so that some are equal
    expected = scheduled_rates(
        lambda optimizer: lr_scheduler.ReduceLROnPlateau(
            optimizer, factor=factor, patience=patience, threshold=0, eps=0
        ),
        learning_rate,
        epochs,
        losses,
    )
    rates = reduce_on_plateau(losses, learning_rate, factor, patience)
    np.testing.assert_allclose(rates, expected, rtol=1e-9)


# -- reading a run ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("diagnosis", DIAGNOSES)
@given(seeds, st.integers(-8, 8))
@draws
def test_diagnose_names_what_the_curves_were_drawn_for_in_any_unit(diagnosis, seed, exponent):
    drawn = curves(np.random.default_rng(seed), diagnosis)
    assert diagnose(**drawn) == diagnosis
    assert diagnose(**{name: 2.0**exponent * curve for name, curve in drawn.items()}) == diagnosis


@given(st.lists(st.floats(0, 10) | st.sampled_from([np.nan, np.inf]), min_size=8, max_size=30), seeds)
@draws
def test_diagnose_has_an_answer_to_any_curves(train_loss, seed):
    validation_loss = np.random.default_rng(seed).uniform(0, 5, len(train_loss))
    with np.errstate(all="ignore"):
        assert diagnose(np.array(train_loss), validation_loss) in DIAGNOSES


@given(seeds, st.floats(1e-4, 1), st.integers(2, 20))
@draws
def test_update_ratio_of_a_real_step_of_sgd(seed, learning_rate, hidden):
    torch.manual_seed(seed)
    convolution, hidden_layer, output_layer = nn.Conv1d(1, 3, 3), nn.Linear(18, hidden), nn.Linear(hidden, 2)
    nn.init.zeros_(output_layer.bias)
    network = nn.Sequential(convolution, nn.Flatten(), hidden_layer, nn.Tanh(), output_layer).double()
    optimizer = torch.optim.SGD(network.parameters(), lr=learning_rate)
    nn.functional.mse_loss(network(torch.randn(5, 1, 8).double()), torch.randn(5, 2).double()).backward()

    layers = dict(network.named_parameters())
    before = {name: weights.detach().numpy().copy() for name, weights in layers.items()}
    expected = {name: (learning_rate * weights.grad.norm() / weights.norm()).item() for name, weights in layers.items()}
    optimizer.step()
    after = {name: weights.detach().numpy() for name, weights in layers.items()}

    ratios = update_ratio(before, after)
    assert ratios == pytest.approx(expected, rel=1e-6)
    assert ratios["4.bias"] == np.inf


# -- range test ------------------------------------------------------------------------------------------------------


@given(st.floats(-4, -1), st.floats(0.2, 0.5), st.integers(20, 200))
@draws
def test_suggest_rate_finds_the_steepest_point_of_a_smooth_curve(steepest, width, count):
    """On a logistic curve in log10(rate) the steepest point is known; the answer is at most one pair away from it."""
    log_rates = np.linspace(-6, 1, count)
    losses = 2.3 - 1.5 / (1 + np.exp(-(log_rates - steepest) / width))
    suggested = np.log10(suggest_rate(10**log_rates, losses))
    assert abs(suggested - steepest) <= log_rates[1] - log_rates[0]


@given(seeds, st.integers(2, 40))
@draws
def test_suggest_rate_finds_the_steepest_stretch_of_a_broken_line(seed, count):
    rng = np.random.default_rng(seed)
    log_rates, slopes = np.cumsum(rng.uniform(0.1, 2, count)), rng.uniform(-1, 3, count - 1)
    steepest = rng.integers(count - 1)
    slopes[steepest] = -1.1
    losses = 1000 + np.append(0, np.cumsum(slopes * np.diff(log_rates)))
    suggested = suggest_rate(np.exp(log_rates), losses)
    assert np.log(suggested) == pytest.approx((log_rates[steepest] + log_rates[steepest + 1]) / 2)


@given(seeds, st.floats(1e-3, 1e3), st.sampled_from([np.nan, np.inf, 10.0]))
@draws
def test_suggest_rate_scales_with_the_rates_and_sees_nothing_after_an_explosion(seed, scale, explosion):
    rng = np.random.default_rng(seed)
    rates, losses = 1e-3 * np.cumprod(rng.uniform(1.1, 2, 20)), rng.uniform(0.5, 1, 20)
    suggested = suggest_rate(rates, losses)
    later = np.append(rates, rates[-1] * np.array([2, 4, 8])), np.append(losses, [explosion, 0.6, 0.0])
    assert suggest_rate(scale * rates, losses) == pytest.approx(scale * suggested)
    assert suggest_rate(*later) == suggested
