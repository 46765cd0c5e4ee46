"""The references of chapter 4 against someone else's: torch's optimizers over many steps, numpy, closed formulas.

Every random setting comes from hypothesis, which draws the same ones each time and shrinks a failure.
"""

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch.utils.data import BatchSampler

from grader.exercises.optimizers.adadelta_step import adadelta_step
from grader.exercises.optimizers.adagrad_step import adagrad_step
from grader.exercises.optimizers.adam_step import adam_step
from grader.exercises.optimizers.adamw_step import adamw_step
from grader.exercises.optimizers.ewma import ewma
from grader.exercises.optimizers.minibatches import minibatches
from grader.exercises.optimizers.momentum_step import momentum_step
from grader.exercises.optimizers.nesterov_step import nesterov_step
from grader.exercises.optimizers.rmsprop_step import rmsprop_step
from grader.exercises.optimizers.sharpness import sharpness
from labutils.optimizers import trajectory
from labutils.surfaces import SURFACES

draws = settings(max_examples=40, deadline=None)

seeds = st.integers(0, 2**32 - 1)
shapes = st.lists(st.integers(1, 4), max_size=3).map(tuple)
counts = st.integers(1, 40)
learning_rates = st.floats(1e-4, 1)
shares = st.floats(0, 0.999)
epsilons = st.floats(-12, 0).map(lambda exponent: 10.0**exponent)


def torch_weights(make_optimizer, start, gradients):
    """The weights before and after each step of a torch optimizer that is handed these gradients."""
    weights = torch.tensor(start, requires_grad=True)
    optimizer = make_optimizer([weights])
    path = [np.array(start)]
    for gradient in gradients:
        weights.grad = torch.tensor(gradient)
        optimizer.step()
        path.append(weights.detach().numpy().copy())
    return path


def own_weights(step, start, gradients, states):
    """The same by an exercise: `step(number, weights, gradient, *state)`; its `states` begin at 0."""
    weights, state = np.array(start), [np.zeros_like(start)] * states
    path = [weights]
    for number, gradient in enumerate(gradients, start=1):
        weights, *state = step(number, weights, gradient, *state)
        path.append(weights)
    return path


def drawn(seed, shape, steps):
    """A start and a gradient for each step, of very different sizes from entry to entry, some of them always 0."""
    rng = np.random.default_rng(seed)
    sizes = 10.0 ** rng.uniform(-3, 2, shape) * (rng.uniform(size=shape) > 0.1)
    return np.array(rng.normal(size=shape)), [np.array(sizes * rng.normal(size=shape)) for _ in range(steps)]


def assert_same_steps(step, make_optimizer, seed, shape, steps, states=1):
    start, gradients = drawn(seed, shape, steps)
    expected = torch_weights(make_optimizer, start, gradients)
    np.testing.assert_allclose(own_weights(step, start, gradients, states), expected, rtol=1e-9, atol=1e-9)


# -- mini-batches ----------------------------------------------------------------------------------------------------


@given(seeds, st.integers(0, 60), st.integers(1, 70))
@draws
def test_minibatches_are_those_of_torchs_sampler(seed, rows, batch_size):
    order = np.random.default_rng(seed).permutation(rows)
    expected = list(BatchSampler(order.tolist(), batch_size, drop_last=False))
    assert [batch.tolist() for batch in minibatches(order, batch_size)] == expected


@given(seeds, st.integers(1, 60), st.integers(1, 70))
@draws
def test_minibatches_put_together_are_the_order(seed, rows, batch_size):
    order = np.random.default_rng(seed).permutation(rows)
    np.testing.assert_array_equal(np.concatenate(minibatches(order, batch_size)), order)


@given(st.integers(-5, 0))
@draws
def test_minibatches_refuses_batches_without_rows(batch_size):
    with pytest.raises(ValueError, match=f"batch_size is {batch_size}"):
        minibatches(np.arange(5), batch_size)


# -- momentum --------------------------------------------------------------------------------------------------------


@given(seeds, shapes, counts, learning_rates, shares)
@draws
def test_momentum_step_is_sgd(seed, shape, steps, learning_rate, momentum):
    def step(number, weights, gradient, velocity):
        return momentum_step(weights, gradient, velocity, learning_rate, momentum)

    def make_optimizer(parameters):
        return torch.optim.SGD(parameters, lr=learning_rate, momentum=momentum)

    assert_same_steps(step, make_optimizer, seed, shape, steps)


@given(shares, st.floats(0.1, 10))
@draws
def test_on_a_steady_slope_the_velocity_grows_to_a_geometric_sum(momentum, slope):
    weights, velocity = np.array(0.0), np.array(0.0)
    for _ in range(30):
        weights, velocity = momentum_step(weights, np.array(slope), velocity, 0.1, momentum)
    assert velocity == pytest.approx(slope * (1 - momentum**30) / (1 - momentum))


def ahead(weights, velocity, learning_rate, momentum):
    return weights - learning_rate * momentum * velocity


@pytest.mark.parametrize("name", SURFACES)
@given(seeds, st.floats(1e-4, 5e-3), shares, counts)
@draws
def test_nesterov_step_is_sgd_which_stores_the_point_ahead(name, seed, learning_rate, momentum, steps):
    surface = SURFACES[name]
    weights = np.array(surface.start) + np.random.default_rng(seed).uniform(-0.1, 0.1, 2)
    velocity = np.zeros(2)
    stored = torch.tensor(weights, requires_grad=True)  # at rest the point ahead is where the weights are
    optimizer = torch.optim.SGD([stored], lr=learning_rate, momentum=momentum, nesterov=momentum > 0)
    for _ in range(steps):
        weights, velocity = nesterov_step(weights, surface.gradient, velocity, learning_rate, momentum)
        stored.grad = torch.from_numpy(surface.gradient(stored.detach().numpy()))
        optimizer.step()
        np.testing.assert_allclose(
            ahead(weights, velocity, learning_rate, momentum), stored.detach().numpy(), rtol=1e-7, atol=1e-9
        )


@given(seeds, st.integers(1, 6), st.floats(1e-3, 0.15), shares, counts)
@draws
def test_nesterov_step_is_the_papers_with_another_unit_of_velocity(seed, dimension, learning_rate, momentum, steps):
    """Sutskever et al. (2013), equations 3 and 4: v = μv - ε∇f(θ + μv), θ = θ + v."""
    rng = np.random.default_rng(seed)
    curvatures = rng.uniform(0.1, 10, dimension)
    weights, velocity = rng.normal(size=dimension), np.zeros(dimension)
    theta, v = weights, np.zeros(dimension)
    for _ in range(steps):
        weights, velocity = nesterov_step(weights, lambda point: curvatures * point, velocity, learning_rate, momentum)
        v = momentum * v - learning_rate * curvatures * (theta + momentum * v)
        theta = theta + v
        np.testing.assert_allclose(weights, theta, rtol=1e-7, atol=1e-10)
        np.testing.assert_allclose(-learning_rate * velocity, v, rtol=1e-7, atol=1e-10)


@given(seeds, shapes, learning_rates)
@draws
def test_without_momentum_both_are_plain_descent(seed, shape, learning_rate):
    weights, (gradient, velocity) = drawn(seed, shape, 2)
    expected = weights - learning_rate * gradient
    np.testing.assert_allclose(momentum_step(weights, gradient, velocity, learning_rate, 0.0)[0], expected)
    np.testing.assert_allclose(nesterov_step(weights, lambda _: gradient, velocity, learning_rate, 0.0)[0], expected)


# -- the average that forgets ----------------------------------------------------------------------------------------


@given(seeds, shapes, counts, shares)
@draws
def test_ewma_corrected_is_a_weighted_mean(seed, shape, count, beta):
    rng = np.random.default_rng(seed)
    values, average = rng.normal(size=(count, *shape)), np.zeros(shape)
    for step, value in enumerate(values, start=1):
        average, corrected = ewma(average, value, step, beta)
    weights = np.float64(beta) ** np.arange(count)[::-1]
    expected = np.average(values, axis=0, weights=weights)
    np.testing.assert_allclose(corrected, expected, rtol=1e-6, atol=1e-9)
    np.testing.assert_allclose(average, (1 - beta) * np.tensordot(weights, values, 1), rtol=1e-6, atol=1e-9)


@given(st.integers(-3, 0), shares)
@draws
def test_ewma_refuses_what_is_counted_from_0(step, beta):
    with pytest.raises(ValueError, match=f"step is {step}.*count from 1"):
        ewma(np.zeros(2), np.ones(2), step, beta)


# -- one rate per parameter ------------------------------------------------------------------------------------------


@given(seeds, shapes, counts, learning_rates, epsilons)
@draws
def test_adagrad_step_is_torchs(seed, shape, steps, learning_rate, epsilon):
    def step(number, weights, gradient, squares):
        return adagrad_step(weights, gradient, squares, learning_rate, epsilon)

    def make_optimizer(parameters):
        return torch.optim.Adagrad(parameters, lr=learning_rate, eps=epsilon)

    assert_same_steps(step, make_optimizer, seed, shape, steps)


@given(seeds, shapes, counts, learning_rates, shares, epsilons)
@draws
def test_rmsprop_step_is_torchs(seed, shape, steps, learning_rate, beta, epsilon):
    def step(number, weights, gradient, squares):
        return rmsprop_step(weights, gradient, squares, learning_rate, beta, epsilon)

    def make_optimizer(parameters):
        return torch.optim.RMSprop(parameters, lr=learning_rate, alpha=beta, eps=epsilon)

    assert_same_steps(step, make_optimizer, seed, shape, steps)


@given(seeds, shapes, counts, learning_rates, shares, epsilons)
@draws
def test_adadelta_step_is_torchs(seed, shape, steps, learning_rate, beta, epsilon):
    def step(number, weights, gradient, squares, updates):
        return adadelta_step(weights, gradient, squares, updates, learning_rate, beta, epsilon)

    def make_optimizer(parameters):
        return torch.optim.Adadelta(parameters, lr=learning_rate, rho=beta, eps=epsilon)

    assert_same_steps(step, make_optimizer, seed, shape, steps, states=2)


@given(seeds, shapes, counts, learning_rates, shares, shares, epsilons)
@draws
def test_adam_step_is_torchs(seed, shape, steps, learning_rate, beta1, beta2, epsilon):
    def step(number, weights, gradient, mean, squares):
        return adam_step(weights, gradient, mean, squares, number, learning_rate, beta1, beta2, epsilon)

    def make_optimizer(parameters):
        return torch.optim.Adam(parameters, lr=learning_rate, betas=(beta1, beta2), eps=epsilon)

    assert_same_steps(step, make_optimizer, seed, shape, steps, states=2)


@given(seeds, shapes, counts, learning_rates, shares, shares, epsilons, st.floats(0, 1))
@draws
def test_adamw_step_is_torchs(seed, shape, steps, learning_rate, beta1, beta2, epsilon, weight_decay):
    def step(number, weights, gradient, mean, squares):
        return adamw_step(weights, gradient, mean, squares, number, learning_rate, beta1, beta2, epsilon, weight_decay)

    def make_optimizer(parameters):
        return torch.optim.AdamW(
            parameters, lr=learning_rate, betas=(beta1, beta2), eps=epsilon, weight_decay=weight_decay
        )

    assert_same_steps(step, make_optimizer, seed, shape, steps, states=2)


TORCHS_DEFAULTS = {
    "Adagrad": (lambda number, *state: adagrad_step(*state, 0.01), 1),
    "RMSprop": (lambda number, *state: rmsprop_step(*state, 0.01), 1),
    "Adadelta": (lambda number, *state: adadelta_step(*state), 2),
    "Adam": (lambda number, *state: adam_step(*state, number, 0.001), 2),
    "AdamW": (lambda number, *state: adamw_step(*state, number, 0.001), 2),
}


@pytest.mark.parametrize("name", TORCHS_DEFAULTS)
@given(seeds, shapes)
@settings(max_examples=10, deadline=None)
def test_the_defaults_are_torchs(name, seed, shape):
    step, states = TORCHS_DEFAULTS[name]
    assert_same_steps(step, getattr(torch.optim, name), seed, shape, 200, states)


@given(seeds, shapes, learning_rates)
@draws
def test_the_first_step_of_adam_is_the_learning_rate_whatever_the_slope(seed, shape, learning_rate):
    weights, (gradient,) = drawn(seed, shape, 1)
    zeros = np.zeros(shape)
    stepped = adam_step(weights, gradient, zeros, zeros, 1, learning_rate, epsilon=1e-12)[0]
    np.testing.assert_allclose(weights - stepped, learning_rate * np.sign(gradient), atol=1e-6)


@given(seeds, shapes, counts, learning_rates)
@draws
def test_adam_is_two_averages_and_a_step(seed, shape, steps, learning_rate):
    weights, gradients = drawn(seed, shape, steps)
    mean = squares = own_mean = own_squares = np.zeros(shape)
    for number, gradient in enumerate(gradients, start=1):
        mean, corrected_mean = ewma(mean, gradient, number, 0.9)
        squares, corrected_squares = ewma(squares, gradient**2, number, 0.999)
        expected = weights - learning_rate * corrected_mean / (np.sqrt(corrected_squares) + 1e-8)
        weights, own_mean, own_squares = adam_step(weights, gradient, own_mean, own_squares, number, learning_rate)
        np.testing.assert_allclose(weights, expected)


@given(seeds, st.floats(1e-3, 0.1), st.floats(0.01, 0.5))
@draws
def test_decoupled_decay_is_not_a_penalty_under_adam(seed, learning_rate, weight_decay):
    """torch's Adam couples its weight decay. Without a slope, its weights all lose the same; AdamW's the same share."""
    weights = np.random.default_rng(seed).uniform(1, 10, 5)
    zeros = np.zeros(5)
    decoupled = adamw_step(weights, zeros, zeros, zeros, 1, learning_rate, weight_decay=weight_decay)[0]
    np.testing.assert_allclose(decoupled, (1 - learning_rate * weight_decay) * weights)

    def make_optimizer(parameters):
        return torch.optim.Adam(parameters, lr=learning_rate, weight_decay=weight_decay)

    coupled = torch_weights(make_optimizer, weights, [zeros])[-1]
    np.testing.assert_allclose(coupled, weights - learning_rate, rtol=1e-5)


# The rules that the chapter's race runs are written once more, in labutils. Both must walk the same way.
RACE = {
    "momentum": (lambda number, *state: momentum_step(*state, 0.01), 1, 0.01),
    "adagrad": (lambda number, *state: adagrad_step(*state, 0.5), 1, 0.5),
    "rmsprop": (lambda number, *state: rmsprop_step(*state, 0.02), 1, 0.02),
    "adadelta": (lambda number, *state: adadelta_step(*state, 10.0), 2, 10.0),
    "adam": (lambda number, *state: adam_step(*state, number, 0.1), 2, 0.1),
    "adamw": (lambda number, *state: adamw_step(*state, number, 0.1), 2, 0.1),
}


@pytest.mark.parametrize("surface", SURFACES.values(), ids=SURFACES)
@pytest.mark.parametrize("name", RACE)
def test_the_race_runs_the_same_optimizers(name, surface):
    step, states, learning_rate = RACE[name]
    path = trajectory(name, surface.gradient, np.array(surface.start), 60, learning_rate)
    gradients = [surface.gradient(point) for point in path[:-1]]
    np.testing.assert_allclose(own_weights(step, path[0], gradients, states), path, rtol=1e-9, atol=1e-12)


@pytest.mark.parametrize("surface", SURFACES.values(), ids=SURFACES)
def test_the_race_runs_nesterov_from_the_point_ahead(surface):
    path = trajectory("nesterov", surface.gradient, np.array(surface.start), 60, 0.002)
    weights, velocity = np.array(surface.start), np.zeros(2)
    for point in path[1:]:
        weights, velocity = nesterov_step(weights, surface.gradient, velocity, 0.002)
        np.testing.assert_allclose(ahead(weights, velocity, 0.002, 0.9), point, rtol=1e-9, atol=1e-12)


# -- sharpness -------------------------------------------------------------------------------------------------------


def matrix_with(rng, curvatures):
    axes, _ = np.linalg.qr(rng.normal(size=(len(curvatures), len(curvatures))))
    matrix = axes @ np.diag(curvatures) @ axes.T
    return (matrix + matrix.T) / 2


@given(seeds, st.integers(1, 8), st.sampled_from([-1, 1]), st.floats(-6, 6))
@draws
def test_sharpness_is_the_eigenvalue_of_largest_size(seed, dimension, sign, exponent):
    rng = np.random.default_rng(seed)
    curvatures = sign * 10.0**exponent * np.append(1, rng.uniform(-0.6, 0.8, dimension - 1))
    hessian = matrix_with(rng, curvatures)
    eigenvalues = np.linalg.eigvalsh(hessian)
    expected = eigenvalues[np.argmax(abs(eigenvalues))]
    assert sharpness(lambda vector: hessian @ vector, rng.normal(size=dimension), 300) == pytest.approx(expected)


@given(seeds, st.integers(1, 6), st.integers(0, 8), st.floats(1e-3, 1e3))
@draws
def test_sharpness_is_a_rayleigh_quotient_after_that_many_products(seed, dimension, iterations, scale):
    rng = np.random.default_rng(seed)
    hessian, start = matrix_with(rng, rng.uniform(0.5, 5, dimension)), rng.normal(size=dimension)
    vector = np.linalg.matrix_power(hessian, iterations) @ start
    found = sharpness(lambda vector: hessian @ vector, scale * start, iterations)
    assert found == pytest.approx(vector @ hessian @ vector / (vector @ vector))


def small_network_loss(flat):
    """The cross-entropy of a network with one hidden layer, as a function of its 22 weights in one vector."""
    examples = torch.linspace(-1, 1, 24, dtype=torch.float64).reshape(12, 2)
    labels = (examples.prod(dim=1) > 0.3).long()
    hidden = torch.tanh(examples @ flat[:8].reshape(2, 4) + flat[8:12])
    return torch.nn.functional.cross_entropy(hidden @ flat[12:20].reshape(4, 2) + flat[20:], labels)


@given(seeds)
@settings(max_examples=10, deadline=None)
def test_sharpness_of_a_network_is_that_of_torchs_hessian(seed):
    weights = torch.from_numpy(np.random.default_rng(seed).normal(size=22))

    def hessian_times(vector):
        product = torch.autograd.functional.hvp(small_network_loss, weights, torch.from_numpy(vector))[1]
        return product.numpy()

    eigenvalues = np.linalg.eigvalsh(torch.autograd.functional.hessian(small_network_loss, weights).numpy())
    largest = eigenvalues[np.argmax(abs(eigenvalues))]
    assert sharpness(hessian_times, np.random.default_rng(1).normal(size=22), 500) == pytest.approx(largest, rel=1e-3)


def test_sharpness_of_a_flat_loss_is_0_and_of_no_direction_is_refused():
    assert sharpness(lambda vector: 0 * vector, np.ones(3), 5) == 0.0
    with pytest.raises(ValueError, match="points nowhere"):
        sharpness(lambda vector: vector, np.zeros(3), 5)
