"""The optimizers to be watched, against torch.optim in double precision, and their errors."""

import numpy as np
import pytest
import torch
from hypothesis import assume, given
from hypothesis import strategies as st

from labutils.optimizers import OPTIMIZERS, trajectory
from labutils.surfaces import SURFACES

SHARES = st.floats(0, 0.99)
EPSILONS = st.sampled_from([1e-10, 1e-8, 1e-4, 0.1])
IN_TORCH = {  # each optimizer in torch, with the settings that hypothesis draws for it
    "sgd": (torch.optim.SGD, {}),
    "momentum": (torch.optim.SGD, {"momentum": SHARES}),
    "nesterov": (torch.optim.SGD, {"momentum": st.floats(0.01, 0.99)}),  # torch refuses Nesterov without momentum
    "adagrad": (torch.optim.Adagrad, {"epsilon": EPSILONS}),
    "adadelta": (torch.optim.Adadelta, {"beta": SHARES, "epsilon": EPSILONS}),
    "rmsprop": (torch.optim.RMSprop, {"beta": SHARES, "epsilon": EPSILONS}),
    "adam": (torch.optim.Adam, {"beta1": SHARES, "beta2": SHARES, "epsilon": EPSILONS}),
    "adamw": (
        torch.optim.AdamW,
        {"beta1": SHARES, "beta2": SHARES, "epsilon": EPSILONS, "weight_decay": st.floats(0, 0.5)},
    ),
}


def torch_settings(name, settings):
    """Our settings as torch names them."""
    settings = dict(settings)
    for ours, torchs in {"epsilon": "eps", "beta": {"adadelta": "rho", "rmsprop": "alpha"}.get(name)}.items():
        if ours in settings:
            settings[torchs] = settings.pop(ours)
    if "beta1" in settings:
        settings["betas"] = (settings.pop("beta1"), settings.pop("beta2"))
    return settings | ({"nesterov": True} if name == "nesterov" else {})


def torch_trajectory(name, gradient, start, steps, learning_rate, settings):
    weights = torch.nn.Parameter(torch.tensor(start, dtype=torch.float64))
    optimizer = IN_TORCH[name][0]([weights], lr=learning_rate, **torch_settings(name, settings))
    path = [weights.detach().numpy().copy()]
    for _ in range(steps):
        weights.grad = torch.from_numpy(np.asarray(gradient(path[-1])))
        optimizer.step()
        path.append(weights.detach().numpy().copy())
    return np.array(path)


# Sums of waves along random directions: everywhere smooth, with steep and flat places and no scale of their own.
waves = st.tuples(st.integers(0, 2**32 - 1), st.sampled_from([0.01, 1.0, 100.0]))


def gradient_of(seed, size):
    directions, phases = np.random.default_rng(seed).normal(size=(5, 2)), np.arange(5)
    return lambda w: size * np.cos(w @ directions.T + phases) @ directions


def the_same(path, expected):
    """Along a chaotic path roundings grow by themselves: a rule is told from another by its steps, one by one."""
    scale = np.abs(expected).max()
    np.testing.assert_allclose(path, expected, rtol=1e-9, atol=1e-9 * scale)


@pytest.mark.parametrize("name", OPTIMIZERS)
@given(data=st.data())
def test_each_is_torchs_over_random_gradients(name, data):
    """The gradients do not depend on the weights, so that roundings stay roundings over any number of steps."""
    settings = {setting: data.draw(values, setting) for setting, values in IN_TORCH[name][1].items()}
    steps = data.draw(st.integers(1, 60), "steps")
    rate = 10 ** data.draw(st.floats(-4, 1), "log10 rate")
    generator = np.random.default_rng(data.draw(st.integers(0, 2**32 - 1), "seed"))
    shape = data.draw(st.sampled_from([(2,), (3, 2), (1,), (2, 1, 4)]), "shape")
    start = generator.normal(size=shape)
    gradients = generator.normal(size=(steps, *shape)) * 10 ** generator.uniform(-4, 2, size=(steps, *shape))
    for_ours, for_torch = iter(gradients), iter(gradients)
    the_same(
        trajectory(name, lambda _: next(for_ours), start, steps, rate, **settings),
        torch_trajectory(name, lambda _: next(for_torch), start, steps, rate, settings),
    )


@pytest.mark.parametrize("name", OPTIMIZERS)
@given(wave=waves, x=st.floats(-3, 3), y=st.floats(-3, 3), log_rate=st.floats(-4, -1), data=st.data())
def test_each_is_torchs_over_random_surfaces(name, wave, x, y, log_rate, data):
    settings = {setting: data.draw(values, setting) for setting, values in IN_TORCH[name][1].items()}
    gradient, rate = gradient_of(*wave), 10**log_rate
    assume(name not in ("sgd", "momentum", "nesterov") or rate * wave[1] < 0.1)  # else chaos, in torch as here
    the_same(
        trajectory(name, gradient, (x, y), 12, rate, **settings),
        torch_trajectory(name, gradient, (x, y), 12, rate, settings),
    )


@pytest.mark.parametrize("surface", SURFACES)
@pytest.mark.parametrize("name", OPTIMIZERS)
def test_each_is_torchs_with_torchs_defaults_on_the_books_surfaces(name, surface):
    chosen, rate = SURFACES[surface], OPTIMIZERS[name].learning_rate
    settings = {"momentum": 0.9} if name in ("momentum", "nesterov") else {}
    expected = torch_trajectory(name, chosen.gradient, chosen.start, 40, rate, settings)
    path = trajectory(name, chosen.gradient, chosen.start, 40)
    near = np.isfinite(expected).all(axis=-1) & (np.abs(expected).max(axis=-1) < 1e6)
    the_same(path[near], expected[near])


@pytest.mark.parametrize("name", OPTIMIZERS)
def test_the_gradient_is_asked_once_a_step_and_nothing_of_it_is_kept(name):
    """Each path is its own: a second one, run between the steps of the first, changes nothing."""
    asked = []

    def gradient(w):
        asked.append(w.copy())
        if len(asked) == 3:
            trajectory(name, np.sin, (5.0, 5.0), 7)
        return np.sin(w)

    start = np.array([1.0, -2.0])
    path = trajectory(name, gradient, start, 6)
    np.testing.assert_array_equal(asked, path[:-1])
    np.testing.assert_array_equal(path, trajectory(name, np.sin, start, 6))
    np.testing.assert_array_equal(start, [1.0, -2.0])
    assert path.shape == (7, 2) and path.dtype == np.float64


@pytest.mark.parametrize("name", OPTIMIZERS)
def test_no_step_is_the_start_alone_and_whole_numbers_are_taken_as_such(name):
    assert trajectory(name, np.sin, [1, 2], 0).tolist() == [[1.0, 2.0]]
    assert trajectory(name, lambda w: [1, 1], [1, 2], 1).shape == (2, 2)


@pytest.mark.filterwarnings("error")
@pytest.mark.parametrize("name", ["sgd", "momentum", "nesterov"])
def test_divergence_ends_in_infinities_without_a_warning(name):
    path = trajectory(name, SURFACES["rosenbrock"].gradient, (-1.2, 1.0), 100, 3.0)
    assert not np.isfinite(path[-1]).any() and np.isfinite(path[1]).all()


@pytest.mark.filterwarnings("error")
@pytest.mark.parametrize("name", OPTIMIZERS)
def test_a_gradient_of_zero_moves_nothing_but_what_decays(name):
    path = trajectory(name, np.zeros_like, (1.0, -2.0), 5, 0.1)
    decay = 1 - 0.1 * OPTIMIZERS[name].settings.get("weight_decay", 0)
    assert path == pytest.approx(np.outer(decay ** np.arange(6), (1, -2)))


@pytest.mark.parametrize("name", OPTIMIZERS)
def test_settings_are_torchs_defaults(name):
    if name in ("momentum", "nesterov"):
        assert OPTIMIZERS[name].settings == {"momentum": 0.9}  # torch's SGD has none unless told
    else:
        torchs = IN_TORCH[name][0]([torch.nn.Parameter(torch.zeros(1))]).defaults
        ours = torch_settings(name, OPTIMIZERS[name].settings)
        assert ours == {setting: torchs[setting] for setting in ours}


@pytest.mark.parametrize("optimizer", OPTIMIZERS.values(), ids=OPTIMIZERS)
def test_the_rate_to_start_from_is_in_the_range_to_try(optimizer):
    low, high = optimizer.rates
    assert low < optimizer.learning_rate < high


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"optimizer": "adma"}, "optimizer is 'adma', which is not known.*adadelta, rmsprop, adam, adamw"),
        ({"steps": -1}, "steps is -1: give a whole number from 0 on"),
        ({"steps": 1.5}, "steps is 1.5: give a whole number"),
        ({"learning_rate": -0.1}, "learning_rate is -0.1: give a number from 0 on, such as 0.2"),
        ({"learning_rate": float("nan")}, "learning_rate is nan"),
        ({"learning_rate": float("inf")}, "learning_rate is inf"),
        ({"beta1": 1.0}, "beta1 is 1.0, and it keeps that share of the past: give 0 or more, but less than 1"),
        ({"beta2": -0.1}, "beta2 is -0.1"),
        ({"epsilon": -1e-8}, "epsilon is -1e-08: give a number from 0 on, such as 1e-08"),
        ({"momentum": 0.9}, "adam has no setting 'momentum': it has beta1, beta2, epsilon"),
        ({"optimizer": "sgd", "momentum": 0.9}, "sgd has no setting 'momentum': it has only the learning rate"),
    ],
)
def test_bad_arguments_are_named_with_their_limits(changes, message):
    given = {"optimizer": "adam", "gradient": np.sin, "start": (1.0, 2.0), "steps": 3, "learning_rate": 0.1}
    with pytest.raises(ValueError, match=message):
        trajectory(**(given | changes))
