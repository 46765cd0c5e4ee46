"""Which size is run where, what is said before, and what is refused."""

import pytest
import torch
from torch import nn

from labutils import at_scale, data, grid, scaling, sweep


@pytest.fixture
def clock(monkeypatch):
    """A `run` that takes as long as `clock.seconds(size, calls)` says, without waiting; `clock.sizes` are its calls."""

    class Clock:
        now, sizes = 0.0, []

        def seconds(self, size, calls):
            return size

        def run(self, size):
            self.sizes.append(size)
            self.now += self.seconds(size, len(self.sizes))
            return f"ran {size}"

    clock = Clock()
    clock.sizes = []
    monkeypatch.setattr(scaling, "perf_counter", lambda: clock.now)
    monkeypatch.setattr(torch.cuda, "synchronize", lambda device: None)
    monkeypatch.setattr(torch.mps, "synchronize", lambda: None)
    return clock


def test_a_processor_runs_the_small_size_after_one_trial(clock, capsys):
    assert at_scale(clock.run, cpu=8, gpu=256, unit="networks", device="cpu") == "ran 8"
    assert clock.sizes == [1, 8]
    said = capsys.readouterr().out
    assert said == "Computing on cpu (the call asks for it): size 8 (networks), about 8 s at most.\n"


@pytest.mark.parametrize("card", ["cuda", "cuda:1", "mps"])
def test_a_card_runs_the_large_size_and_its_slow_first_call_is_not_counted(clock, card, monkeypatch, capsys):
    clock.seconds = lambda size, calls: 1000 if calls == 1 else 0.5
    monkeypatch.setattr(scaling, "choose", lambda: (torch.device(card), "there is a card"))
    assert at_scale(clock.run, cpu=8, gpu=64, unit="images") == "ran 64"
    assert clock.sizes == [1, 1, 64]
    assert capsys.readouterr().out == f"Computing on {card} (there is a card): size 64 (images), about 32 s at most.\n"


def test_the_wish_for_a_device_is_heard(clock, monkeypatch, capsys):
    monkeypatch.setenv("LABUTILS_DEVICE", "cpu")
    at_scale(clock.run, cpu=3, gpu=4, unit="seeds")
    assert clock.sizes == [1, 3] and "LABUTILS_DEVICE asks for it" in capsys.readouterr().out


@pytest.mark.parametrize(
    "seconds, words", [(0.1, "less than a second"), (1.2, "about 12 s"), (9.9, "about 99 s"), (60, "about 10 minutes")]
)
def test_the_time_is_said_in_a_fitting_unit(clock, seconds, words, capsys):
    clock.seconds = lambda size, calls: seconds if size == 1 else 0
    at_scale(clock.run, cpu=10 if seconds > 1 else 5, gpu=1, unit="seeds", device="cpu")
    assert f", {words} at most." in capsys.readouterr().out


def test_it_is_said_before_the_run(clock, capsys):
    seen = []
    at_scale(lambda size: seen.append(capsys.readouterr().out), cpu=2, gpu=2, unit="seeds", device="cpu")
    assert seen[0] == "" and "size 2" in seen[1]


@pytest.mark.parametrize("name", ["cpu", "gpu"])
@pytest.mark.parametrize("size", [0, -3, 2.0, True, "8", None])
def test_a_size_that_is_none_is_refused_before_anything_runs(clock, name, size):
    sizes = {"cpu": 8, "gpu": 8, name: size}
    with pytest.raises(ValueError, match=rf"{name} is .*whole number of networks, 1 or more"):
        at_scale(clock.run, **sizes, unit="networks", device="cpu")
    assert clock.sizes == []


def test_a_real_sweep_grows_with_its_size(capsys):
    def accuracy(seeds):
        settings = grid(learning_rate=0.1, seed=range(seeds))
        return sweep(lambda: nn.Linear(64, 10), data.digits(), settings, epochs=1, device="cpu").validation_accuracy

    assert at_scale(accuracy, cpu=3, gpu=30, unit="networks", device="cpu").shape == (3, 1)
    assert "size 3 (networks)" in capsys.readouterr().out


@pytest.mark.gpu
@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a graphics card that torch can use")
def test_a_graphics_card_trains_the_larger_sweep(monkeypatch, capsys):
    monkeypatch.delenv("LABUTILS_DEVICE", raising=False)

    def run(seeds):
        return sweep(lambda: nn.Linear(64, 10), data.digits(), grid(learning_rate=0.5, seed=range(seeds)), epochs=5)

    trained = at_scale(run, cpu=4, gpu=64, unit="networks")
    assert next(iter(trained.networks.parameters.values())).device.type == "cuda"
    assert trained.validation_accuracy.shape == (64, 5) and trained.validation_accuracy[:, -1].min() > 0.85
    assert capsys.readouterr().out.startswith("Computing on cuda (there is a graphics card, ")
