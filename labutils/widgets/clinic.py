"""The curve clinic: real training runs, to be diagnosed from their loss curves."""

import json
import tomllib
from importlib.resources import files
from typing import NamedTuple

import numpy as np
import traitlets
from matplotlib.figure import Figure

from labutils.widgets.base import LabWidget, script

_DATA = files("labutils.widgets") / "data"

DIAGNOSES = (
    "rate too high",
    "bad initialization",
    "overfitting",
    "rate too low",
    "train longer",
    "decayed too early",
    "underfitting",
    "healthy",
)
"""Everything that the clinic and the exercise `diagnose` know."""


class Run(NamedTuple):
    """One training of a small network on the handwritten digits; `make_clinic.py` explains its settings."""

    name: str
    diagnosis: str
    settings: dict
    train_loss: np.ndarray
    """Mean cross-entropy in nats, one entry per epoch, as in `History`."""
    validation_loss: np.ndarray


def runs() -> list[Run]:
    """The clinic's runs, two for each diagnosis, their losses rounded to 0.01."""
    records = json.loads(_read("clinic.json"))
    return [
        Run(**record | {curve: np.array(record[curve]) for curve in ("train_loss", "validation_loss")})
        for record in records
    ]


def _words() -> dict:
    """What the browser is told once, in rows: the curves of every run, its explanation, and every diagnosis."""
    words = tomllib.loads(_read("clinic.toml"))
    explained = [(run, words["runs"][run.name]) for run in runs()]
    diagnoses = [(name, words["diagnoses"][name]) for name in DIAGNOSES]
    return {
        "CURVES": [[_folded(run.train_loss), _folded(run.validation_loss)] for run in runs()],
        "RUNS": [[run.diagnosis, _settings(**run.settings), told["seen"], told["done"]] for run, told in explained],
        "DIAGNOSES": [[name, told["sign"], told["cure"]] for name, told in diagnoses],
    }


def _folded(losses: np.ndarray) -> str:
    """A curve as a letter per epoch, a third as long as its numbers when packed; `unfold` in clinic.js reverses it.

    A letter is a step of the loss in hundredths, from 0 or from the epoch before: from # on 0, -1, 1, -2, 2, …
    """
    steps = np.diff(np.round(100 * losses).astype(int), prepend=0)
    return "".join(chr(ord("#") + place) for place in np.where(steps < 0, -2 * steps - 1, 2 * steps))


def _settings(hidden: list[int], learning_rate: float, batch_size: int, **special) -> str:
    """The settings of a run on one line, but for what the chart shows; `special` are those that only some runs have."""
    network = "-".join(map(str, [64, *hidden, 10]))
    usual = [f"network {network}", f"rate {learning_rate:g}", f"batches of {batch_size}"]
    shown = [f"{name.replace('_', ' ')} {_value(value)}" for name, value in special.items() if name != "epochs"]
    return ", ".join(usual + shown)


def _value(value: float | list) -> str:
    return " and ".join(map(str, value)) if isinstance(value, list) else f"{value:g}"


def _read(name: str) -> str:
    return (_DATA / name).read_text(encoding="utf-8")


class CurveClinic(LabWidget):
    """One real run at a time: look at its two loss curves, pick a diagnosis, read why it fits or does not.

    seed: the order of the runs, a whole number from 0 on. Works without a kernel. `picks` holds what was picked so far,
    in order, by the number of the run in `runs()`.
    """

    _esm = script("charts.js", "clinic.js", **_words())
    seed = traitlets.Int().tag(sync=True)
    _order = traitlets.List(traitlets.Int()).tag(sync=True)
    case = traitlets.Int(0).tag(sync=True)
    """Position in the order of the run that is shown, from 0."""
    picks = traitlets.Dict().tag(sync=True)

    def __init__(self, seed: int = 0):
        if not isinstance(seed, int) or seed < 0:
            raise ValueError(f"seed is {seed!r}: it orders the runs and must be a whole number from 0 on")
        order = np.random.default_rng(seed).permutation(len(runs()))
        super().__init__(seed=seed, _order=order.tolist())

    def describe(self) -> str:
        return (
            f"Curve clinic: {len(self._order)} real training runs to be diagnosed from their loss curves "
            f"(in the order of seed {self.seed})"
        )

    def still(self) -> Figure:
        run = runs()[self._order[self.case]]
        epochs = np.arange(1, len(run.train_loss) + 1)
        figure = Figure(figsize=(6, 3.6), layout="constrained")
        axes = figure.subplots()
        axes.plot(epochs, run.train_loss, "-", color="#3f90da", label="training")
        axes.plot(epochs, run.validation_loss, "--", color="#e76300", label="validation")
        title = f"Case {self.case + 1} of {len(self._order)}: what happened here?"
        axes.set(ylim=0, title=title, xlabel="epoch", ylabel="loss (nats)")
        axes.legend()
        return figure
