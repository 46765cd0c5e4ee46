"""Figures in one style, shown with a text that a screen reader can say.

    show(lines({"training": losses}, title="…", y_label="training loss (nats)"), alt="The loss falls from 2.3 to 0.2.")

Each function below returns a `Figure` for `show`. A figure of your own takes the style with `with style(): ...`.
"""

import base64
import html
import io
from collections.abc import Mapping, Sequence
from contextlib import AbstractContextManager
from itertools import cycle

import matplotlib.pyplot as plt
import numpy as np
from cycler import cycler
from matplotlib.figure import Figure
from PIL import Image

from labutils.surfaces import Surface

_PIXELS_PER_INCH = 100  # on the page; the picture itself has more, for fine screens
_PALETTE = 128  # colours of a picture: a notebook with many stays small
_LINE_STYLES = ["-", "--", "-.", ":", (0, (6, 2, 1, 2, 1, 2))]
_COLOURS = plt.style.library["petroff10"]["axes.prop_cycle"]  # Petroff (2021): told apart by all kinds of colour vision

STYLE = {
    "axes.prop_cycle": _COLOURS + cycler(linestyle=2 * _LINE_STYLES),
    "image.cmap": "cividis",
    "figure.figsize": (6.4, 3.8),
    "figure.constrained_layout.use": True,
    "savefig.dpi": 1.5 * _PIXELS_PER_INCH,
    "font.size": 11,
    "axes.titlesize": 12,
    "axes.grid": True,
    "grid.alpha": 0.3,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "lines.linewidth": 1.8,
    "legend.framealpha": 0.8,
}


def style() -> AbstractContextManager:
    """The book's style for the figures that are made within: `with style(): figure, axes = plt.subplots()`."""
    return plt.style.context(STYLE)


class Picture:
    """A finished figure as HTML with its alternative text; the text alone where there is no HTML."""

    def __init__(self, png: bytes, alt: str, width: int) -> None:
        self.png, self.alt, self.width = png, alt, width

    def _repr_mimebundle_(self, include: object = None, exclude: object = None) -> dict[str, str]:
        data = base64.b64encode(self.png).decode("ascii")
        image = (
            f'<img src="data:image/png;base64,{data}" alt="{html.escape(self.alt)}" '
            f'width="{self.width}" style="max-width: 100%; height: auto">'
        )
        return {"text/html": image, "text/plain": self.alt}

    def __repr__(self) -> str:
        return self.alt


def show(figure: Figure, alt: str) -> Picture:
    """Close `figure` and return it as a `Picture`; `alt` says in words what there is to see.

    JupyterLab drops the text of `IPython.display.Image`, so the picture is an HTML `<img>`. Raises `ValueError` when
    `alt` is empty.
    """
    if not alt.strip():
        raise ValueError("alt is empty; say in a sentence what the figure shows, for readers who cannot see it")
    drawn, small = io.BytesIO(), io.BytesIO()
    with style():
        figure.savefig(drawn, format="png")
    plt.close(figure)
    Image.open(drawn).convert("RGB").quantize(_PALETTE).save(small, format="png", optimize=True)
    return Picture(small.getvalue(), " ".join(alt.split()), width=round(figure.get_figwidth() * _PIXELS_PER_INCH))


def lines(
    curves: Mapping[str, Sequence[float]],
    *,
    title: str,
    y_label: str,
    x: Sequence[float] | None = None,
    x_label: str = "epoch",
    x_scale: str = "linear",
    y_scale: str = "linear",
) -> Figure:
    """Labelled curves over one axis: losses, schedules, ratios. `x` is 1, 2, 3 … unless given, and shared by all."""
    with style():
        figure, axes = plt.subplots()
        for label, values in curves.items():
            axes.plot(np.arange(1, len(values) + 1) if x is None else x, values, label=label)
        axes.set(title=title, xlabel=x_label, ylabel=y_label, xscale=x_scale, yscale=y_scale)
        axes.legend()
    return figure


def loss_against_rate(
    rates: Sequence[float],
    losses: Sequence[float],
    *,
    title: str,
    y_label: str = "final training loss (nats)",
    ceiling: float | None = None,
) -> Figure:
    """One loss per learning rate, on a logarithmic axis.

    A loss that is no longer finite, or is above `ceiling`, is drawn as a cross at the top.
    """
    rates, losses = np.asarray(rates, dtype=float), np.asarray(losses, dtype=float)
    if ceiling is None:
        kept, crossed = np.isfinite(losses), "not finite"
        top = losses[kept].max() if kept.any() else 1
    else:
        kept = np.isfinite(losses) & (losses <= ceiling)
        crossed, top = f"above {ceiling:g}, or not finite", ceiling
    with style():
        figure, axes = plt.subplots()
        axes.plot(rates[kept], losses[kept], linestyle="none", marker="o", markersize=4, label="trained")
        if not kept.all():
            axes.plot(rates[~kept], np.full((~kept).sum(), top), linestyle="none", marker="x", label=crossed)
            axes.legend()
        axes.set(title=title, xlabel="learning rate", ylabel=y_label, xscale="log")
    return figure


def descent(surface: Surface, paths: Mapping[str, np.ndarray], *, title: str | None = None) -> Figure:
    """Trajectories on the contours of `surface`; each path is an array of shape (steps + 1, 2) with its label.

    A path may leave the picture, and may end in infinities: what is outside is cut off.
    """
    x, y = (np.linspace(*limits, 201) for limits in (surface.x_range, surface.y_range))
    losses = surface.loss(np.stack(np.meshgrid(x, y), axis=-1))
    # Even steps of the loss's square root, so that the contours of a quadratic are evenly spaced.
    levels = losses.min() + np.linspace(0, np.sqrt(np.ptp(losses)), 20) ** 2
    with style():
        figure, axes = plt.subplots()
        contours = axes.contour(x, y, losses, levels=levels, linewidths=1, cmap="cividis")
        figure.colorbar(contours, ax=axes, label="loss", ticks=levels[::4], format="%.3g")
        for marker, (label, path) in zip(cycle("o^sDv"), paths.items()):
            points = np.clip(np.asarray(path)[np.isfinite(path).all(axis=-1)], -1e6, 1e6)
            axes.plot(*points.T, linestyle="-", linewidth=1.2, marker=marker, markersize=4, label=label)
        axes.set(title=title or surface.title, xlabel="weight $w_1$", ylabel="weight $w_2$")
        axes.set(xlim=surface.x_range, ylim=surface.y_range)
        axes.grid(False)
        axes.legend()
    return figure
