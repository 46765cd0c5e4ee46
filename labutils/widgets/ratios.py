"""The size of each update beside the size of the weights that it changes, per layer, drawn while a network trains."""

import time

import numpy as np
import torch
import traitlets
from IPython import get_ipython
from matplotlib.figure import Figure
from torch import nn

from labutils.widgets.base import EIGHT_LINES, LabWidget, script

_MOST_LAYERS = 8
_MOST_POINTS = 128
_SECONDS_BETWEEN_REDRAWS = 0.1


class UpdateRatioPlot(LabWidget):
    """‖update‖ / ‖weights‖ of every layer on a logarithmic axis, live; the band marks about 1e-3, a sensible step.

    Show it, then train with its `measure`:

        ratios = UpdateRatioPlot()
        display(ratios)
        train(model, data, optimizer, epochs=10, on_step=ratios.measure)

    every: measure each `every`-th step, from 1. The weights are copied before a measured step only, so 10 costs a tenth
    of 1. The plot keeps at most 128 points: when they are full it drops every second one and measures half as often.
    A layer is a weight array of two or more axes that is being trained, by its name in `model.named_parameters()`; of
    more than eight, eight are taken evenly from the first to the last. A new training clears the plot.

    Source of the rule of 1e-3, a rough one: Karpathy, notes of the course CS231n (2015).
    """

    _esm = script("charts.js", "controls.js", "ratios.js")
    _layers = traitlets.List(traitlets.Unicode()).tag(sync=True)
    _points = traitlets.Bytes().tag(sync=True)
    """float32 of shape (points, 1 + layers): the step, then log10 of each layer's ratio, NaN where there is none."""
    smoothing = traitlets.Float(0.5).tag(sync=True)

    def __init__(self, every: int = 10):
        if not isinstance(every, int) or every < 1:
            raise ValueError(f"every is {every!r}: it counts steps and must be a whole number from 1 on")
        super().__init__()
        self._every_at_first = every
        self._clear()

    @property
    def steps(self) -> np.ndarray:
        """The measured steps, counted from 1: shape (points,)."""
        return np.array([step for step, *_ in self._measured], dtype=int)

    @property
    def ratios(self) -> dict[str, np.ndarray]:
        """‖update‖ / ‖weights before it‖ at each of `steps`, by layer: float64, shape (points,)."""
        shape = len(self._measured), len(self._names)
        logs = np.array([logs for _, *logs in self._measured], dtype=float).reshape(shape)
        return dict(zip(self._names, 10**logs.T))

    def measure(self, step: int, model: nn.Module) -> None:
        """Look at `model` after its `step`-th step; made to be the `on_step` of `train`."""
        if step <= self._last_step:
            self._clear()
        self._last_step = step
        if self._before and step % self._every == 0:
            self._measured.append([step, *_log_ratios(self._before, _weights(model, self._names))])
            if len(self._measured) == _MOST_POINTS:
                self._every *= 2
                self._measured = [row for row in self._measured if row[0] % self._every == 0]
            self._show()
        self._before = None
        if (step + 1) % self._every == 0:
            self._names = self._names or _layer_names(model)
            self._before = [weight.clone() for weight in _weights(model, self._names)]

    def describe(self) -> str:
        every = self._every_at_first
        return f"Update-ratio plot: log10 of ‖update‖ / ‖weights‖ of each layer, measured every {every} steps"

    def still(self) -> Figure:
        figure = Figure(figsize=(7, 3.8), layout="constrained")
        axes = figure.subplots()
        axes.axhspan(-3.5, -2.5, color="#94a4a2", alpha=0.3, label="about 1e-3")
        for (name, ratios), (color, dashes) in zip(self.ratios.items(), EIGHT_LINES):
            axes.plot(self.steps, np.log10(ratios), color=color, linestyle=dashes, label=name)
        axes.set(title="Size of the updates", xlabel="step", ylabel="log₁₀(‖update‖ / ‖weights‖)")
        axes.legend()
        return figure

    def _clear(self) -> None:
        self._every = self._every_at_first
        self._last_step = 0
        self._names: list[str] = []
        self._before: list[torch.Tensor] | None = None
        self._measured: list[list[float]] = []
        self._shown_at = 0.0
        self._waiting = False

    def _show(self) -> None:
        """Redraw at most ten times a second, and once more when the cell has ended."""
        if time.monotonic() - self._shown_at >= _SECONDS_BETWEEN_REDRAWS:
            self._redraw()
        elif not self._waiting and (shell := get_ipython()):
            self._waiting = True
            shell.events.register("post_run_cell", self._redraw_after_cell)

    def _redraw_after_cell(self, result) -> None:
        get_ipython().events.unregister("post_run_cell", self._redraw_after_cell)
        self._waiting = False
        self._redraw()

    def _redraw(self) -> None:
        self._shown_at = time.monotonic()
        with self.hold_sync():
            self._layers = self._names
            self._points = np.array(self._measured, dtype=np.float32).tobytes()


def _layer_names(model: nn.Module) -> list[str]:
    names = [name for name, weight in model.named_parameters() if weight.requires_grad and weight.ndim > 1]
    if not names:
        raise ValueError("this model has no layer to measure: no weight array of two or more axes is trained")
    chosen = np.linspace(0, len(names) - 1, min(len(names), _MOST_LAYERS)).round().astype(int)
    return [names[index] for index in chosen]


def _weights(model: nn.Module, names: list[str]) -> list[torch.Tensor]:
    parameters = dict(model.named_parameters())
    return [parameters[name].detach() for name in names]


def _log_ratios(before: list[torch.Tensor], after: list[torch.Tensor]) -> list[float]:
    """log10 of ‖after - before‖ / ‖before‖ per layer, NaN where an update or the weights are all zero."""
    ratios = torch.stack([(new - old).norm() / old.norm() for old, new in zip(before, after)])
    logs = ratios.log10()
    return torch.where(logs.isfinite(), logs, torch.nan).tolist()
