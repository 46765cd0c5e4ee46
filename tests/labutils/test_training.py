"""The loop gives the numbers of a plain one over torch, keeps an honest history and stops when the loss is lost."""

import math

import numpy as np
import pytest
import torch
from torch import nn
from torch.nn.functional import cross_entropy, mse_loss

from labutils import train
from labutils.data import Examples, Split


def random_split(seed: int, examples: int = 50) -> Split:
    generator = torch.Generator().manual_seed(seed)
    return Split(
        *(
            Examples(torch.rand(n, 6, generator=generator), torch.randint(3, (n,), generator=generator))
            for n in (examples, 20)
        )
    )


def network(seed: int = 0) -> nn.Module:
    torch.manual_seed(seed)
    return nn.Sequential(nn.Linear(6, 5), nn.Tanh(), nn.Linear(5, 3))


@pytest.mark.parametrize("seed", range(3))
def test_the_numbers_are_those_of_a_plain_loop(seed):
    data, model, twin = random_split(seed), network(seed), network(seed)
    optimizer = torch.optim.Adam(model.parameters(), lr=0.01)
    history = train(
        model, data, optimizer, epochs=3, batch_size=16, generator=torch.Generator().manual_seed(seed), device="cpu"
    )

    optimizer, generator = torch.optim.Adam(twin.parameters(), lr=0.01), torch.Generator().manual_seed(seed)
    step_loss, train_loss, validation_loss, validation_accuracy = [], [], [], []
    for _ in range(3):
        order, total = torch.randperm(50, generator=generator), 0.0
        for start in range(0, 50, 16):
            rows = order[start : start + 16]
            loss = cross_entropy(twin(data.train.x[rows]), data.train.y[rows])
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            step_loss.append(loss.item())
            total += loss.item() * len(rows)
        train_loss.append(total / 50)
        logits = twin(data.validation.x)
        validation_loss.append(cross_entropy(logits, data.validation.y).item())
        validation_accuracy.append((logits.argmax(1) == data.validation.y).double().mean().item())
    np.testing.assert_allclose(history.step_loss, step_loss, rtol=1e-5)
    np.testing.assert_allclose(history.train_loss, train_loss, rtol=1e-5)
    np.testing.assert_allclose(history.validation_loss, validation_loss, rtol=1e-5)
    np.testing.assert_allclose(history.validation_accuracy, validation_accuracy, rtol=1e-6)
    assert history.learning_rate == [0.01] * 3 and history.stopped is None


def test_a_scheduler_steps_once_per_epoch():
    model = network()
    optimizer = torch.optim.SGD(model.parameters(), lr=0.4)
    scheduler = torch.optim.lr_scheduler.StepLR(optimizer, step_size=2, gamma=0.5)
    history = train(model, random_split(0), optimizer, epochs=5, scheduler=scheduler, device="cpu")
    np.testing.assert_allclose(history.learning_rate, [0.4, 0.4, 0.2, 0.2, 0.1])


def test_a_plateau_is_judged_by_the_validation_loss():
    model = network()
    optimizer = torch.optim.SGD(model.parameters(), lr=0.4)
    scheduler = torch.optim.lr_scheduler.ReduceLROnPlateau(optimizer, patience=0, threshold=10, threshold_mode="abs")
    history = train(model, random_split(0), optimizer, epochs=4, scheduler=scheduler, device="cpu")
    np.testing.assert_allclose(history.learning_rate, [0.4, 0.4, 0.04, 0.004])


def test_on_step_sees_every_step_after_it_was_made():
    model, seen = network(), []
    before = model[0].weight.detach().clone()

    def note(step, stepped):
        assert stepped is model
        seen.append((step, (model[0].weight - before).norm().item()))

    train(
        model,
        random_split(0),
        torch.optim.SGD(model.parameters(), lr=0.1),
        epochs=2,
        batch_size=16,
        on_step=note,
        device="cpu",
    )
    assert [step for step, _ in seen] == list(range(1, 9))
    assert all(distance > 0 for _, distance in seen)


@pytest.mark.parametrize("learning_rate", [1e35, 1e38])
def test_a_loss_that_is_not_finite_ends_the_training_and_is_said(learning_rate):
    torch.manual_seed(0)  # of other weights, each ReLU may die at the first step, and the loss stays large and finite
    model = nn.Sequential(nn.Linear(6, 5), nn.ReLU(), nn.Linear(5, 3))
    optimizer = torch.optim.SGD(model.parameters(), lr=learning_rate, momentum=0.9)
    history = train(model, random_split(0), optimizer, epochs=9, device="cpu")
    assert not math.isfinite(history.step_loss[-1]) and all(map(math.isfinite, history.step_loss[:-1]))
    assert f"step {len(history.step_loss)}, epoch {len(history.train_loss)}" in history.stopped
    lengths = {len(history.train_loss), len(history.validation_loss), len(history.learning_rate)}
    assert len(lengths) == 1 and lengths.pop() < 9
    assert not math.isfinite(history.train_loss[-1])


def test_targets_that_are_no_classes_have_no_accuracy():
    data = random_split(0)
    data = Split(*(Examples(part.x, part.x[:, :3]) for part in data[:2]))
    model = network()
    history = train(model, data, torch.optim.SGD(model.parameters(), lr=0.1), epochs=2, loss=mse_loss, device="cpu")
    assert np.isnan(history.validation_accuracy).all() and history.validation_loss[1] < history.validation_loss[0]


def test_dropout_is_on_in_training_and_off_in_validation():
    modes = []

    class Spy(nn.Linear):
        def forward(self, x):
            modes.append((self.training, len(x)))
            return super().forward(x)

    model = Spy(6, 3)
    train(model, random_split(0), torch.optim.SGD(model.parameters(), lr=0.1), epochs=2, batch_size=50, device="cpu")
    assert modes == [(True, 50), (False, 20)] * 2


@pytest.mark.parametrize("options", [{"epochs": 0}, {"epochs": 1, "batch_size": 0}])
def test_nothing_to_do_is_an_error(options):
    model = network()
    with pytest.raises(ValueError, match="at least 1"):
        train(model, random_split(0), torch.optim.SGD(model.parameters(), lr=0.1), **options)


@pytest.mark.gpu
@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a graphics card that torch can use")
def test_the_model_and_its_optimizer_move_to_the_graphics_card():
    here, there = network(), network()
    options = {"epochs": 3, "batch_size": 16}
    expected = train(
        here, random_split(0), torch.optim.SGD(here.parameters(), lr=0.1, momentum=0.9), device="cpu", **options
    )
    got = train(
        there, random_split(0), torch.optim.SGD(there.parameters(), lr=0.1, momentum=0.9), device="cuda", **options
    )
    assert there[0].weight.is_cuda
    np.testing.assert_allclose(got.step_loss, expected.step_loss, rtol=1e-3)
