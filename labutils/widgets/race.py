"""Eight optimizers racing on one surface from one start that is dragged, computed in the browser."""

from collections.abc import Iterable, Mapping

import numpy as np
import traitlets
from matplotlib.figure import Figure

from labutils.optimizers import OPTIMIZERS, trajectory
from labutils.surfaces import SURFACES
from labutils.widgets.base import EIGHT_LINES, LabWidget, one_of, script, within
from labutils.widgets.descent import decades, drawn, drawn_surface, loss_above_minimum

GOAL = 0.01
"""The race is to this loss above the lowest of the surface."""
FAR = 1e6
"""A path that has gone further than this ends there: it diverges."""
_BETA_OF = {"momentum": "momentum", "nesterov": "momentum", "adam": "beta1", "adamw": "beta1"}


class OptimizerRace(LabWidget):
    """Eight optimizers on one surface, from one start that can be dragged, each with a learning rate of its own.

    It shows their paths, their losses against the step, and in a table after how many steps each is less than 0.01
    above the lowest loss, and whether it left the picture or diverges. The rules are those of `labutils.optimizers`.

    surface: one of "bowl", "ravine", "saddle", "rosenbrock", "two_minima". optimizers: the names of those that run at
    first; any can be switched on and off. start: the two weights, each from -3 to 3; without it the surface's own
    start. steps: 1 to 200. learning_rates: {name: rate} for those that shall not have the rate of
    `labutils.optimizers.OPTIMIZERS`, which has the range of each too. beta: 0 to 0.99, the momentum of Momentum and
    Nesterov, and β₁ of Adam and AdamW. The other settings are torch's defaults.

    What is moved in the browser comes back as `surface`, `optimizers`, `start`, `steps`, `learning_rates` and `beta`.
    """

    _esm = script(
        "charts.js",
        "controls.js",
        "surfaces.js",
        "race.js",
        SURFACES={name: drawn(name) for name in SURFACES},
        OPTIMIZERS={name: {"title": rule.title, "rates": rule.rates} for name, rule in OPTIMIZERS.items()},
        GOAL=GOAL,
    )
    surface = traitlets.Unicode().tag(sync=True)
    optimizers = traitlets.List(traitlets.Unicode()).tag(sync=True)
    start_x = traitlets.Float().tag(sync=True)
    start_y = traitlets.Float().tag(sync=True)
    steps = traitlets.Int().tag(sync=True)
    beta = traitlets.Float().tag(sync=True)
    sgd = traitlets.Float().tag(sync=True)  # and so on: the learning rate of each optimizer
    momentum = traitlets.Float().tag(sync=True)
    nesterov = traitlets.Float().tag(sync=True)
    adagrad = traitlets.Float().tag(sync=True)
    adadelta = traitlets.Float().tag(sync=True)
    rmsprop = traitlets.Float().tag(sync=True)
    adam = traitlets.Float().tag(sync=True)
    adamw = traitlets.Float().tag(sync=True)

    def __init__(
        self,
        surface: str = "ravine",
        optimizers: Iterable[str] = tuple(OPTIMIZERS),
        start: tuple[float, float] | None = None,
        steps: int = 60,
        learning_rates: Mapping[str, float] | None = None,
        beta: float = 0.9,
    ):
        chosen = SURFACES[one_of("surface", surface, SURFACES)]
        if start is not None and np.shape(start) != (2,):
            raise ValueError(f"start is {start!r}: give the two weights from which all begin, such as {chosen.start}")
        start_x, start_y = chosen.start if start is None else start
        running = [optimizers] if isinstance(optimizers, str) else list(optimizers)
        rates = {name: optimizer.learning_rate for name, optimizer in OPTIMIZERS.items()}
        for name, rate in (learning_rates or {}).items():
            low, high = OPTIMIZERS[one_of("a learning rate's optimizer", name, OPTIMIZERS)].rates
            rates[name] = within(f"the learning rate of {name}", rate, low, high)
        super().__init__(
            surface=surface,
            optimizers=[one_of("optimizer", name, OPTIMIZERS) for name in running],
            start_x=within("start", start_x, -3, 3),
            start_y=within("start", start_y, -3, 3),
            steps=within("steps", steps, 1, 200),
            beta=within("beta", beta, 0, 0.99),
            **rates,
        )

    @property
    def learning_rates(self) -> dict[str, float]:
        """The learning rate of each optimizer, whether or not it runs."""
        return {name: getattr(self, name) for name in OPTIMIZERS}

    @property
    def start(self) -> tuple[float, float]:
        """The two weights from which all begin."""
        return self.start_x, self.start_y

    def paths(self) -> dict[str, np.ndarray]:
        """The path of each optimizer that runs, of shape (steps + 1, 2). One that diverges ends where it is far."""
        return {name: self._path(name) for name in OPTIMIZERS if name in self.optimizers}

    def describe(self) -> str:
        titles = ", ".join(OPTIMIZERS[name].title for name in OPTIMIZERS if name in self.optimizers)
        return (
            f"Optimizer race: {self.steps} steps on the surface {SURFACES[self.surface].title!r} "
            f"by {titles or 'no optimizer'}"
        )

    def still(self) -> Figure:
        figure, plane, curve = drawn_surface(SURFACES[self.surface])
        top = loss_above_minimum(self.surface, np.array(self.start))
        axis = [top, GOAL]
        paths = self.paths()
        for path in paths.values():
            plane.plot(*path.T, color="white", linestyle="-", linewidth=4)
        for (color, dashes), name in reversed(list(zip(EIGHT_LINES, OPTIMIZERS))):
            if name in paths:
                heights = loss_above_minimum(self.surface, paths[name])
                plane.plot(*paths[name].T, color=color, linestyle=dashes)
                curve.plot(heights, color=color, linestyle=dashes, label=OPTIMIZERS[name].title)
                axis += np.minimum(heights, 1e3 * top).tolist()
        low, high = decades(np.array(axis))
        curve.axhline(GOAL, color="black", linestyle=":", linewidth=1, label="goal")
        curve.set(
            yscale="log", ylim=(10.0**low, 10.0**high), title="Loss", xlabel="step", ylabel="loss above the minimum"
        )
        handles, labels = curve.get_legend_handles_labels()
        figure.legend(handles, labels, loc="outside lower center", ncols=5)
        return figure

    def _path(self, name: str) -> np.ndarray:
        setting = {_BETA_OF[name]: self.beta} if name in _BETA_OF else {}
        surface, rate = SURFACES[self.surface], self.learning_rates[name]
        path = trajectory(name, surface.gradient, self.start, self.steps, rate, **setting)
        far = np.flatnonzero(~(np.hypot(*path.T) < FAR))
        return path[: far[0] + 1] if len(far) else path
