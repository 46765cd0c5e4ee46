"""The benchmark of the chapters, on a small page with two sweeps: what it measures, and what it refuses to compare."""

import json
import re

import numpy as np
import pytest
import torch
from torch import nn

from benchmarks import _sweeps, chapters
from grader.texts import Page, pages
from labutils import data, grid, regularizing, sweeps

TEXT = """\
---
kernelspec:
  display_name: Python 3
  language: python
  name: python3
lab:
  title: Small
  budget:
    seconds: 100
    megabytes: 4000
---

# Small

```{code-cell} ipython3
from torch import nn

from labutils import data, grid, sweep

digits = data.digits()
steps = []
```

```{code-cell} ipython3
:tags: [demo]

trained = sweep(lambda: nn.Linear(64, 10), digits, grid(learning_rate=[0.01, 0.1, 1.0]), epochs=2, batch_size=64)
```

```{code-cell} ipython3
settings = grid(learning_rate=0.1, momentum=0.9, seed=range(5))
sweep(
    lambda: nn.Linear(64, 10), digits, settings, epochs=1, schedule=lambda epoch: 0.5, on_step=lambda *_: steps.append(1)
)
assert len(steps) == 34, "what a chapter does in each step happens once"
```
"""


def test_a_chapter_is_measured_and_its_sweeps_are_timed(tmp_path, capsys):
    text = tmp_path / "small.md"
    text.write_text(TEXT, encoding="utf-8")
    figures = list(chapters.measure(Page(text), timed=2))
    assert not text.with_suffix(".ipynb").exists()
    taken, memory, swept = figures
    assert re.fullmatch(r"small: [\d.]+ seconds", taken.case) and taken.baseline == "its budget of 100 seconds"
    assert taken.ratio == pytest.approx(100 / float(taken.case.split()[1]), rel=0.05) and taken.target == 1
    assert re.fullmatch(r"small: [\d.]+ megabytes", memory.case) and 1 < memory.ratio < 100
    assert re.fullmatch(r"small: 8 trainings in [\d.]+ s by sweep", swept.case) and swept.ratio > 0
    assert re.fullmatch(r"about \d+ s in a plain torch loop, timed on 4 of them", swept.baseline)
    said = capsys.readouterr().err.splitlines()
    assert [line.split(" in ")[0] for line in said] == [
        "small, sweep 1: 3 trainings of 2 epochs",
        "small, sweep 2: 5 trainings of 1 epochs",
    ]


def test_every_chapter_of_the_book_is_measured(monkeypatch):
    monkeypatch.setattr(chapters, "measure", lambda page, timed: [page.name])
    assert list(chapters.run()) == [page.name for page in pages() if page.chapter]


@pytest.mark.parametrize("training", [{}, {"batch_size": 100, "schedule": lambda epoch: 1 / (epoch + 1)}])
def test_the_loop_trains_what_sweep_trains(training):
    def network():
        return nn.Sequential(nn.Linear(64, 8), nn.Tanh(), nn.Linear(8, 10)).double()

    digits = data.Split(*(data.Examples(part.x.double(), part.y) for part in data.digits()))
    settings = grid(learning_rate=[0.01, 0.3], momentum=[0, 0.9], weight_decay=[0, 0.01], seed=[0, 3])
    swept = sweeps.sweep(network, digits, settings, epochs=2, device="cpu", **training)
    looped = _sweeps.plain_loop(network, digits, settings, epochs=2, **training)
    np.testing.assert_allclose(swept.step_loss, looped, rtol=1e-9)


@pytest.fixture
def watched(tmp_path, monkeypatch):
    """A function that reads what is noted of the calls from now on."""
    monkeypatch.setattr(sweeps, "sweep", sweeps.sweep)
    monkeypatch.setattr(regularizing, "train_regularized", regularizing.train_regularized)
    _sweeps.watch(str(tmp_path / "notes"), 2)
    return lambda: [json.loads(line) for line in (tmp_path / "notes").read_text().splitlines()]


@pytest.mark.usefixtures("watched")
def test_a_loop_that_trains_something_else_is_not_timed():
    seeds = iter(range(100))

    def network():
        torch.manual_seed(next(seeds))
        return nn.Linear(64, 10)

    with pytest.raises(RuntimeError, match="they do not train the same"):
        sweeps.sweep(network, data.digits(), grid(learning_rate=0.1), epochs=1)


def test_what_is_noted_of_a_sweep(watched, monkeypatch):
    times = iter([0.5, 3.0])

    def seconds(action):
        action()
        return next(times)

    monkeypatch.setattr(_sweeps, "seconds", seconds)
    result = sweeps.sweep(lambda: nn.Linear(64, 10), data.digits(), grid(learning_rate=[0.1] * 6), epochs=1)
    assert result.step_loss.shape == (6, 34)
    (note,) = watched()
    assert note == {"by": "sweep", "trainings": 6, "epochs": 1, "seconds": 0.5, "loop_seconds": 9.0, "timed": 2}


def test_what_a_chapter_does_to_the_weights_does_not_hinder_the_comparison(watched):
    def switch_off(step, networks):
        with torch.no_grad():
            networks.parameters["weight"].zero_()

    result = sweeps.sweep(
        lambda: nn.Linear(64, 10), data.digits(), grid(learning_rate=[1.0] * 3), epochs=1, on_step=switch_off
    )
    assert (result.networks.weights()["weight"] == 0).all()
    assert watched()[0]["trainings"] == 3


def test_networks_with_dropout_are_timed_though_they_draw_differently(watched):
    def network():
        return nn.Sequential(nn.Linear(64, 16), nn.ReLU(), nn.Dropout(0.5), nn.Linear(16, 10))

    sweeps.sweep(network, data.digits(), grid(learning_rate=0.1, seed=range(3)), epochs=1)
    assert watched()[0]["loop_seconds"] > 0


def test_what_is_noted_of_regularized_networks(watched):
    settings = [{"dropout": rate, "seed": seed} for rate in (0, 0.5) for seed in range(3)]
    result = regularizing.train_regularized(settings, data.digits(), epochs=2)
    assert len(result.settings) == 6
    (note,) = watched()
    assert (note["by"], note["trainings"], note["epochs"], note["timed"]) == ("train_regularized", 6, 2, 2)
    assert note["seconds"] > 0 and note["loop_seconds"] > 0
