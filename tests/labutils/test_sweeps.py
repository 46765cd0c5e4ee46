"""A sweep must give the numbers of one run after the other."""

import numpy as np
import pytest
import torch
from torch import nn

from labutils import grid, sweep, train
from labutils.data import Examples, Split
from labutils.stacks import Stack

CPU = "cpu"


@pytest.fixture
def double_precision():
    """So that a difference is a mistake and not rounding, which a high rate would magnify."""
    before = torch.get_default_dtype()
    torch.set_default_dtype(torch.float64)
    yield
    torch.set_default_dtype(before)


def random_split(seed: int, shape: tuple[int, ...], examples: int = 50, classes: int = 4) -> Split:
    generator = torch.Generator().manual_seed(seed)
    parts = [
        Examples(torch.rand(n, *shape, generator=generator), torch.randint(classes, (n,), generator=generator))
        for n in (examples, 20)
    ]
    return Split(*parts)


def one_after_the_other(make_model, data, settings, epochs, batch_size, device=CPU, schedule=None, **options):
    """The histories of plain trainings, as the docstring of `sweep` promises them."""
    histories = []
    for setting in settings:
        torch.manual_seed(setting["seed"])
        model = make_model()
        optimizer = torch.optim.SGD(
            model.parameters(), setting["learning_rate"], setting["momentum"], weight_decay=setting["weight_decay"]
        )
        generator = torch.Generator().manual_seed(setting["seed"])
        scheduler = torch.optim.lr_scheduler.LambdaLR(optimizer, schedule) if schedule else None
        histories.append(
            train(
                model,
                data,
                optimizer,
                epochs=epochs,
                batch_size=batch_size,
                generator=generator,
                scheduler=scheduler,
                device=device,
                **options,
            )
        )
    return histories


def assert_same_numbers(swept, histories, tolerance=1e-7):
    for name in ("step_loss", "train_loss", "validation_loss", "validation_accuracy"):
        expected = np.array([getattr(history, name) for history in histories])
        np.testing.assert_allclose(getattr(swept, name), expected, rtol=tolerance, atol=tolerance, err_msg=name)


def random_dense(random: np.random.Generator):
    widths = [6, *random.integers(1, 9, size=random.integers(0, 3)), 4]
    activations = [nn.ReLU, nn.Tanh, nn.Sigmoid, nn.LeakyReLU]
    chosen = random.integers(len(activations), size=len(widths))
    bias = bool(random.integers(2))

    def make():
        layers = []
        for fan_in, fan_out, activation in zip(widths, widths[1:], chosen):
            layers += [nn.Linear(int(fan_in), int(fan_out), bias=bias), activations[activation]()]
        return nn.Sequential(*layers[:-1])

    return make, (6,)


def random_convolutional(random: np.random.Generator):
    channels, hidden = int(random.integers(1, 4)), int(random.integers(1, 5))
    kernel = tuple(int(size) for size in random.integers(1, 4, size=2))
    stride, padding, dilation = (int(random.integers(low, 3)) for low in (1, 0, 1))
    pool = [nn.MaxPool2d(2), nn.AvgPool2d(2), nn.MaxPool2d(3, stride=1, padding=1), nn.MaxPool2d(2, ceil_mode=True)]
    pool = pool[random.integers(len(pool))]
    bias = bool(random.integers(2))

    def make():
        first = nn.Conv2d(channels, hidden, kernel, stride=stride, padding=padding, dilation=dilation, bias=bias)
        features = nn.Sequential(first, nn.ReLU(), pool, nn.Conv2d(hidden, 3, 1), nn.Tanh())
        fan_in = features(torch.zeros(1, channels, 10, 9)).numel()
        return nn.Sequential(features, nn.Flatten(), nn.Linear(fan_in, 4))

    return make, (channels, 10, 9)


class Residual(nn.Module):
    """Something that is no sequence of plain layers."""

    def __init__(self):
        super().__init__()
        self.first, self.last = nn.Linear(6, 6), nn.Linear(6, 4)

    def forward(self, x):
        return self.last(x + torch.relu(self.first(x)))


def batch_normalized():
    return nn.Sequential(nn.Linear(6, 5), nn.BatchNorm1d(5), nn.GELU(), nn.Linear(5, 4))


def same_activation_everywhere():
    activation = nn.ReLU()
    return nn.Sequential(nn.Linear(6, 5), activation, nn.Linear(5, 5), activation, nn.Linear(5, 4), activation)


def same_weights_twice():
    layer = nn.Linear(6, 6)
    return nn.Sequential(layer, nn.Tanh(), layer, nn.Tanh(), nn.Linear(6, 4))


def frozen_first_layer():
    network = nn.Sequential(nn.Linear(6, 5), nn.Tanh(), nn.Linear(5, 4))
    network[0].requires_grad_(False)
    return network


class WithUnusedWeight(nn.Module):
    def __init__(self):
        super().__init__()
        self.used, self.unused = nn.Linear(6, 4), nn.Linear(3, 3)

    def forward(self, x):
        return self.used(x)


class DoublingLinear(nn.Linear):
    def forward(self, x):
        return 2 * super().forward(x)


def with_a_subclass():
    return nn.Sequential(DoublingLinear(6, 5), nn.Tanh(), nn.Linear(5, 4))


def with_a_hook():
    network = nn.Sequential(nn.Linear(6, 5), nn.Tanh(), nn.Linear(5, 4))
    network[0].register_forward_hook(lambda layer, inputs, output: 3 * output)
    return network


class Backwards(nn.Sequential):
    def forward(self, x):
        return self[0](self[1](x))


SETTINGS = grid(learning_rate=[0.01, 0.3], momentum=0.9, weight_decay=[0, 0.1], seed=[0, 3])


@pytest.mark.usefixtures("double_precision")
@pytest.mark.parametrize("seed", range(5))
@pytest.mark.parametrize("draw", [random_dense, random_convolutional])
def test_random_networks_train_as_one_by_one(draw, seed):
    make_model, shape = draw(np.random.default_rng(seed))
    data = random_split(seed, shape)
    assert Stack([make_model()])._layers is not None, "a plain network takes the fast way"
    swept = sweep(make_model, data, SETTINGS, epochs=2, batch_size=16, device=CPU)
    assert_same_numbers(swept, one_after_the_other(make_model, data, SETTINGS, epochs=2, batch_size=16))


@pytest.mark.usefixtures("double_precision")
@pytest.mark.parametrize(
    "make_model",
    [Residual, batch_normalized, frozen_first_layer, WithUnusedWeight, with_a_subclass, with_a_hook],
)
def test_any_module_trains_as_one_by_one(make_model):
    data = random_split(1, (6,))
    swept = sweep(make_model, data, SETTINGS, epochs=2, batch_size=16, device=CPU)
    assert_same_numbers(swept, one_after_the_other(make_model, data, SETTINGS, epochs=2, batch_size=16))


@pytest.mark.usefixtures("double_precision")
@pytest.mark.parametrize(
    "make_model, shape",
    [
        (lambda: nn.Sequential(nn.Conv2d(2, 4, 3, groups=2), nn.Flatten(), nn.Linear(4 * 36, 4)), (2, 8, 8)),
        (lambda: nn.Sequential(nn.Conv2d(2, 3, 3, padding="same"), nn.Flatten(), nn.Linear(3 * 64, 4)), (2, 8, 8)),
        (
            lambda: nn.Sequential(nn.Conv2d(2, 3, 3, padding_mode="circular"), nn.Flatten(), nn.Linear(108, 4)),
            (2, 8, 8),
        ),
        (lambda: nn.Sequential(nn.Linear(5, 3), nn.ReLU(), nn.Flatten(), nn.Linear(6, 4)), (2, 5)),
        (lambda: nn.Linear(6, 4), (6,)),
        (same_activation_everywhere, (6,)),
        (same_weights_twice, (6,)),
        (lambda: Backwards(nn.Linear(6, 4), nn.Linear(6, 6)), (6,)),
    ],
    ids=[
        "groups",
        "padding same",
        "padding circular",
        "linear on sequences",
        "a layer alone",
        "one ReLU",
        "weights twice",
        "own forward",
    ],
)
def test_unusual_layers_train_as_one_by_one(make_model, shape):
    data, settings = random_split(2, shape), grid(learning_rate=[0.1, 0.2], momentum=0, weight_decay=0, seed=[0, 1])
    swept = sweep(make_model, data, settings, epochs=1, batch_size=16, device=CPU)
    assert_same_numbers(swept, one_after_the_other(make_model, data, settings, epochs=1, batch_size=16))


@pytest.mark.usefixtures("double_precision")
def test_sixty_four_rates_on_the_digits():
    from labutils import data

    def make_model():
        return nn.Sequential(nn.Linear(64, 32), nn.ReLU(), nn.Linear(32, 10))

    digits = Split(*(Examples(part.x.double(), part.y) for part in data.digits()))
    settings = grid(learning_rate=np.logspace(-3, -0.5, 64), momentum=0, weight_decay=0, seed=0)
    swept = sweep(make_model, digits, settings, epochs=3, device=CPU)
    assert swept.step_loss.shape == (64, 3 * 34)
    np.testing.assert_array_equal(swept.values("learning_rate"), np.logspace(-3, -0.5, 64))
    expected = one_after_the_other(make_model, digits, settings[::9], epochs=3, batch_size=32)
    np.testing.assert_allclose(swept.step_loss[::9], [history.step_loss for history in expected], rtol=0, atol=1e-9)
    assert swept.validation_accuracy[:, -1].max() > 0.9


@pytest.mark.usefixtures("double_precision")
@pytest.mark.parametrize("make_model", [lambda: random_dense(np.random.default_rng(1))[0](), Residual])
def test_a_diverging_run_leaves_the_others_alone(make_model):
    data = random_split(4, (6,))
    calm = grid(learning_rate=[0.01, 0.1], momentum=0.9, weight_decay=0.01)
    wild = grid(learning_rate=[1e200, 1e300], momentum=0.9, weight_decay=0.01)
    together = sweep(make_model, data, [calm[0], *wild, calm[1]], epochs=3, batch_size=10, device=CPU)
    alone = sweep(make_model, data, calm, epochs=3, batch_size=10, device=CPU)
    assert not np.isfinite(together.train_loss[1:3, -1]).any()
    np.testing.assert_allclose(together.step_loss[[0, 3]], alone.step_loss, rtol=1e-6)
    np.testing.assert_allclose(together.validation_loss[[0, 3]], alone.validation_loss, rtol=1e-6)


@pytest.mark.usefixtures("double_precision")
def test_another_loss_than_cross_entropy():
    generator = torch.Generator().manual_seed(0)
    parts = [Examples(torch.rand(n, 6, generator=generator), torch.rand(n, 4, generator=generator)) for n in (40, 10)]
    settings = grid(learning_rate=[0.1, 0.5], momentum=0, weight_decay=0, seed=[0, 1])
    make_model, loss = random_dense(np.random.default_rng(2))[0], nn.functional.mse_loss
    swept = sweep(make_model, Split(*parts), settings, epochs=2, batch_size=16, loss=loss, device=CPU)
    assert_same_numbers(swept, one_after_the_other(make_model, Split(*parts), settings, 2, 16, loss=loss))
    assert np.isnan(swept.validation_accuracy).all()


def test_a_subclass_of_a_convolution_may_compute_something_else():
    class Doubling(nn.Conv2d):
        def forward(self, x):
            return 2 * super().forward(x)

    network, images = nn.Sequential(Doubling(1, 2, 3)), torch.rand(5, 1, 6, 6)
    torch.testing.assert_close(Stack([network])(images)[0], network(images))


@pytest.mark.usefixtures("double_precision")
def test_a_schedule_is_a_factor_for_each_epoch():
    make_model, shape = random_dense(np.random.default_rng(3))
    data, factors = random_split(3, shape), [1.0, 0.3, 2.0, 0.0, 1.0]  # LambdaLR asks for one epoch more
    swept = sweep(make_model, data, SETTINGS, epochs=4, batch_size=16, schedule=factors.__getitem__, device=CPU)
    expected = one_after_the_other(make_model, data, SETTINGS, 4, 16, schedule=factors.__getitem__)
    assert_same_numbers(swept, expected)


@pytest.mark.usefixtures("double_precision")
def test_targets_may_be_probabilities():
    """As mixup makes them."""
    generator = torch.Generator().manual_seed(0)
    parts = [
        Examples(torch.rand(n, 6, generator=generator), torch.rand(n, 4, generator=generator).softmax(-1))
        for n in (40, 10)
    ]
    settings = grid(learning_rate=[0.1, 0.5], momentum=0, weight_decay=0, seed=[0, 1])
    make_model = random_dense(np.random.default_rng(2))[0]
    swept = sweep(make_model, Split(*parts), settings, epochs=2, batch_size=16, device=CPU)
    assert_same_numbers(swept, one_after_the_other(make_model, Split(*parts), settings, 2, 16))


def test_a_seed_may_be_any_kind_of_whole_number():
    make_model, shape = random_dense(np.random.default_rng(0))
    plain, numpy_kind, real = (
        sweep(make_model, random_split(0, shape), [{"learning_rate": 0.1, "seed": seed}], epochs=1, device=CPU)
        for seed in (3, np.int64(3), 3.0)
    )
    np.testing.assert_array_equal(plain.step_loss, numpy_kind.step_loss)
    np.testing.assert_array_equal(plain.step_loss, real.step_loss)


def test_a_model_that_is_frozen_whole_is_refused():
    with pytest.raises(ValueError, match="no weight to train"):
        sweep(lambda: nn.Linear(6, 4).requires_grad_(False), random_split(0, (6,)), grid(learning_rate=0.1), epochs=1)


def test_the_torch_generator_and_threads_are_left_alone():
    torch.manual_seed(5)
    before, threads = torch.get_rng_state(), torch.get_num_threads()
    make_model, shape = random_dense(np.random.default_rng(0))
    sweep(make_model, random_split(0, shape), grid(learning_rate=[0.1]), epochs=12, batch_size=10, device=CPU)
    assert torch.equal(torch.get_rng_state(), before)
    assert torch.get_num_threads() == threads


def test_grid_takes_every_combination_in_order():
    assert grid(learning_rate=np.array([0.1, 1.0]), seed=range(2), momentum=0.9) == [
        {"learning_rate": 0.1, "seed": 0, "momentum": 0.9},
        {"learning_rate": 0.1, "seed": 1, "momentum": 0.9},
        {"learning_rate": 1.0, "seed": 0, "momentum": 0.9},
        {"learning_rate": 1.0, "seed": 1, "momentum": 0.9},
    ]


@pytest.mark.parametrize(
    "settings, options, words",
    [
        ([], {}, "0 settings"),
        ([{"learning_rate": 0.1}], {"epochs": 0}, "epochs=0"),
        ([{"learning_rate": 0.1}], {"batch_size": 0}, "batch_size=0"),
        ([{"learning_rate": 0.1, "dropout": 0.5}], {}, "'dropout'.*learning_rate, momentum, weight_decay, seed"),
        ([{"momentum": 0.1}], {}, "names no learning_rate"),
        ([{"learning_rate": -1.0}], {}, "learning_rate is -1.0"),
        ([{"learning_rate": float("nan")}], {}, "learning_rate is nan"),
        ([{"learning_rate": 0.1, "seed": 0.5}], {}, "seed is 0.5"),
    ],
)
def test_bad_settings_are_named(settings, options, words):
    make_model, shape = random_dense(np.random.default_rng(0))
    with pytest.raises(ValueError, match=words):
        sweep(make_model, random_split(0, shape), settings, **{"epochs": 1, **options})


@pytest.mark.usefixtures("double_precision")
@pytest.mark.gpu
@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a graphics card that torch can use")
@pytest.mark.parametrize("draw", [random_dense, random_convolutional])
def test_on_a_graphics_card_the_numbers_are_the_same(draw):
    make_model, shape = draw(np.random.default_rng(0))
    data = random_split(0, shape)
    swept = sweep(make_model, data, SETTINGS, epochs=2, batch_size=16, device="cuda")
    assert_same_numbers(swept, one_after_the_other(make_model, data, SETTINGS, epochs=2, batch_size=16))


@pytest.mark.usefixtures("double_precision")
@pytest.mark.parametrize("make_model, shape", [random_dense(np.random.default_rng(5)), (Residual, (6,))])
def test_the_trained_networks_are_those_of_one_run_after_the_other(make_model, shape):
    data = random_split(6, shape, examples=40)
    trained = sweep(make_model, data, SETTINGS, epochs=2, batch_size=16, device=CPU)
    logits, weights = trained.networks.evaluate(data.train.x), trained.networks.weights()
    assert logits.shape == (len(SETTINGS), 40, 4) and not logits.requires_grad
    for number, setting in enumerate(SETTINGS):
        torch.manual_seed(setting["seed"])
        model = make_model()
        optimizer = torch.optim.SGD(
            model.parameters(), setting["learning_rate"], setting["momentum"], weight_decay=setting["weight_decay"]
        )
        generator = torch.Generator().manual_seed(setting["seed"])
        train(model, data, optimizer, epochs=2, batch_size=16, generator=generator, device=CPU)
        torch.testing.assert_close(logits[number], model(data.train.x).detach(), rtol=1e-7, atol=1e-9)
        for name, weight in model.named_parameters():
            np.testing.assert_allclose(weights[name][number], weight.detach().numpy(), rtol=1e-7, atol=1e-9)


def test_each_step_is_shown_and_its_weights_may_be_kept():
    seen = []
    trained = sweep(
        lambda: nn.Linear(6, 4),
        random_split(7, (6,), examples=40),
        grid(learning_rate=0.1, seed=range(3)),
        epochs=2,
        batch_size=16,
        on_step=lambda step, networks: seen.append((step, networks.weights())),
        device=CPU,
    )
    assert [step for step, _ in seen] == [1, 2, 3, 4, 5, 6]
    assert seen[0][1]["weight"].shape == (3, 4, 6)
    assert (seen[0][1]["weight"] != seen[-1][1]["weight"]).all(), "what was kept does not change with the next step"
    np.testing.assert_array_equal(seen[-1][1]["weight"], trained.networks.weights()["weight"])


@pytest.mark.parametrize("make_model", [lambda: nn.Sequential(nn.Linear(6, 5), nn.Tanh(), nn.Linear(5, 4)), Residual])
def test_networks_with_other_weights_leave_the_first_as_they_were(make_model):
    stack, x = Stack([make_model() for _ in range(3)]), torch.rand(7, 6)
    before = stack.evaluate(x)
    turned = stack.with_weights({name: weight[::-1].copy() for name, weight in stack.weights().items()})
    torch.testing.assert_close(turned.evaluate(x), before.flip(0))
    torch.testing.assert_close(stack.evaluate(x), before)
    name, weight = next(iter(stack.weights().items()))
    with pytest.raises(ValueError, match=f"{name!r}.*lack them"):
        stack.with_weights({})
    with pytest.raises(ValueError, match=rf"{name!r} are of shape .*of shape \(2, "):
        stack.with_weights(stack.weights() | {name: weight[:2]})


def test_networks_are_evaluated_with_dropout_off_and_trained_with_it_on():
    stack, x = Stack([nn.Sequential(nn.Linear(6, 5), nn.Dropout(0.5), nn.Linear(5, 4))]), torch.rand(300, 6)
    stack.train(True)
    torch.testing.assert_close(stack.evaluate(x), stack.evaluate(x))
    assert not torch.equal(stack(x), stack(x))
