"""Gradient descent to be dragged: a start, a learning rate and a surface, computed in the browser."""

import numpy as np
import traitlets
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from labutils.surfaces import SURFACES, Surface
from labutils.widgets.base import LabWidget, one_of, script, within

_LARGEST_STABLE_RATE = {"bowl": 2 / 1, "ravine": 2 / 20}  # 2/λmax of the two quadratics


def drawn(name: str) -> dict:
    """What the browser needs to draw a surface; it has the formulas itself."""
    surface = SURFACES[name]
    return {
        "title": surface.title,
        "x": surface.x_range,
        "y": surface.y_range,
        "start": surface.start,
        "limit": _LARGEST_STABLE_RATE.get(name),
        "lowest": surface.lowest,
    }


def loss_above_minimum(name: str, path: np.ndarray) -> np.ndarray:
    """How far the loss along `path`, of shape (steps + 1, 2), lies above the lowest loss of the surface `name`.

    At least 1e-12: a logarithmic axis has no place for 0, and below that it is mostly rounding.
    """
    return np.maximum(SURFACES[name].loss(path) - SURFACES[name].lowest, 1e-12)


def decades(heights: np.ndarray) -> tuple[int, int]:
    """The exponents of ten between which the loss axis runs, three decades or more, for `loss_above_minimum`."""
    roof = int(np.clip(np.ceil(np.log10(max(heights))), -9, 300))
    return min(int(np.floor(np.log10(min(heights)))), roof - 3), roof


def drawn_surface(surface: Surface) -> tuple[Figure, Axes, Axes]:
    """A figure with the contours of `surface`, for paths over them, and an empty chart beside it."""
    figure = Figure(figsize=(9, 3.6), layout="constrained")
    plane, curve = figure.subplots(1, 2, width_ratios=(3, 2))
    x, y = np.meshgrid(np.linspace(*surface.x_range, 120), np.linspace(*surface.y_range, 80))
    height = surface.loss(np.stack([x, y], axis=-1))
    levels = height.min() + np.ptp(height) * np.linspace(0, 1, 17) ** 2.5
    plane.contourf(x, y, height, levels, cmap="cividis")
    plane.set(xlim=surface.x_range, ylim=surface.y_range, title=surface.title, xlabel="weight 1", ylabel="weight 2")
    return figure, plane, curve


class DescentPlayground(LabWidget):
    """Gradient descent from a start that can be dragged, with contours, path, loss against step and a verdict.

    surface: one of "bowl", "ravine", "saddle", "rosenbrock", "two_minima". learning_rate: 0.001 to 3. start: the two
    weights, each from -3 to 3; without it the surface's own start. steps: 1 to 200. show_limit: mark the largest
    stable rate, 2/λmax, beside the rate's slider where the surface is quadratic.

    What is moved in the browser comes back as `surface`, `learning_rate`, `start` and `steps`.
    """

    _esm = script(
        "charts.js", "controls.js", "surfaces.js", "descent.js", SURFACES={name: drawn(name) for name in SURFACES}
    )
    surface = traitlets.Unicode().tag(sync=True)
    learning_rate = traitlets.Float().tag(sync=True)
    start_x = traitlets.Float().tag(sync=True)
    start_y = traitlets.Float().tag(sync=True)
    steps = traitlets.Int().tag(sync=True)
    show_limit = traitlets.Bool().tag(sync=True)

    def __init__(
        self,
        surface: str = "ravine",
        learning_rate: float = 0.05,
        start: tuple[float, float] | None = None,
        steps: int = 60,
        show_limit: bool = False,
    ):
        chosen = SURFACES[one_of("surface", surface, SURFACES)]
        start_x, start_y = chosen.start if start is None else start
        super().__init__(
            surface=surface,
            learning_rate=within("learning_rate", learning_rate, 1e-3, 3),
            start_x=within("start", start_x, -3, 3),
            start_y=within("start", start_y, -3, 3),
            steps=within("steps", steps, 1, 200),
            show_limit=show_limit,
        )

    @property
    def start(self) -> tuple[float, float]:
        """The two weights from which the descent begins."""
        return self.start_x, self.start_y

    def describe(self) -> str:
        return (
            f"Descent playground: gradient descent on the surface {SURFACES[self.surface].title!r} "
            f"with learning rate {self.learning_rate:g}, {self.steps} steps"
        )

    def still(self) -> Figure:
        surface = SURFACES[self.surface]
        path = [np.array(self.start)]
        for _ in range(self.steps):
            if np.hypot(*path[-1]) > 1e6:
                break
            path.append(path[-1] - self.learning_rate * surface.gradient(path[-1]))
        path = np.array(path)
        heights = loss_above_minimum(self.surface, path)
        low, high = decades(heights)

        figure, plane, curve = drawn_surface(surface)
        plane.plot(*path.T, "o-", color="#bd1f01", markersize=3)
        curve.plot(heights, color="#3f90da")
        label = "loss above the minimum" if surface.lowest else "loss"
        curve.set(yscale="log", ylim=(10.0**low, 10.0**high), title="Loss", xlabel="step", ylabel=label)
        return figure
