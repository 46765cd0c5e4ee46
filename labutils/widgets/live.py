"""A figure with sliders and choices: the kernel computes every frame beforehand, the browser shows the chosen one.

def frame(degree):
    fit = np.polynomial.Polynomial.fit(x, y, degree)
    return {"curve": {"measured": Points(x, y), "fit": Line(grid, fit(grid))}}, f"a polynomial of degree {degree}"

LiveFigure(
    frame,
    controls={"degree": range(1, 10)},
    panels={"curve": Panel("Ten points", x_label="x (no unit)", y_label="y (no unit)", x=(0, 1), y=(-2, 2))},
    describe="Polynomials of degree 1 to 9 through ten points",
)
"""

import json
import zlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from itertools import product
from typing import Any

import numpy as np
import traitlets
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from tqdm.auto import tqdm

from labutils.widgets.base import LabWidget, script

LARGEST_DATA = 10_000
"""Bytes of all frames, compressed: they are saved in every notebook that shows the figure."""
_LEVELS = 65_534  # over three times the width of an axis: finer than a pixel, and a line may leave the picture
_NOTHING = 65_535  # in place of NaN
_STYLES = [  # the same as in live.js: colour, dashes and marker
    *[("#3f90da", "-", "o"), ("#e76300", "--", "s"), ("#717581", ":", "^"), ("#a96b59", "-.", "D")],
    *[("#3f90da", ":", "v"), ("#e76300", "-.", "x"), ("#717581", "-", "P"), ("#a96b59", "--", "*")],
]


@dataclass(frozen=True)
class Panel:
    """One chart: its title, the labels of its axes with their units, and what part of the plane it shows.

    With `log_y` the y axis is logarithmic, and `y` holds the exponents of ten at its ends, whole numbers.
    """

    title: str
    x_label: str
    y_label: str
    x: tuple[float, float]
    y: tuple[float, float]
    log_y: bool = False


@dataclass(frozen=True)
class Line:
    """A line through the points (x[i], y[i]). NaN leaves a gap."""

    x: Any
    y: Any


@dataclass(frozen=True)
class Points:
    """A marker at each (x[i], y[i])."""

    x: Any
    y: Any


@dataclass(frozen=True)
class Bars:
    """A histogram: one bar from edges[i] to edges[i + 1], of height heights[i]; so there is one edge more."""

    edges: Any
    heights: Any


@dataclass(frozen=True)
class Rule:
    """A vertical line at x."""

    x: float


Mark = Line | Points | Bars | Rule
Marks = Mapping[str, Mapping[str, Mark]]
"""What one frame shows: by panel, by what the legend calls it."""


class LiveFigure(LabWidget):
    """Charts that follow sliders and choices without waiting for the kernel.

    frame: called once for every combination of the controls' values, by their names; returns its `Marks` and one
        sentence that says what is to be seen, in numbers.
    controls: for each name, its values: numbers in order make a slider, strings a choice.
    start: the values to begin with; for those not named, the first.
    panels: what the frames are drawn on, by name.
    describe: one sentence on what can be moved and seen, for readers who have only words.

    What is moved in the browser comes back as `chosen`. Raises ValueError where controls, panels and frames do not fit
    together, and where all frames together are larger than a notebook should hold.
    """

    _esm = script("charts.js", "controls.js", "live.js")
    _controls = traitlets.List().tag(sync=True)
    """For each control its name as people read it, its values as text, and whether they make a slider."""
    _panels = traitlets.List().tag(sync=True)
    _frames = traitlets.Bytes().tag(sync=True)
    _places = traitlets.List(traitlets.Int()).tag(sync=True)
    """Which of its values each control has."""

    def __init__(
        self,
        frame: Callable[..., tuple[Marks, str]],
        *,
        controls: Mapping[str, Sequence[float] | Sequence[str]],
        panels: Mapping[str, Panel],
        describe: str,
        start: Mapping[str, float | str] | None = None,
    ):
        self._values = {name: list(values) for name, values in controls.items()}
        if not self._values or not all(self._values.values()) or not panels:
            raise ValueError(f"a live figure needs panels and controls with values; here are {controls} and {panels}")
        places = [_place(name, values, (start or {}).get(name, values[0])) for name, values in self._values.items()]
        if unknown := (start or {}).keys() - self._values.keys():
            raise ValueError(f"start names {', '.join(unknown)}; the controls are {', '.join(self._values)}")
        self._shown_on, self._description = dict(panels), describe
        combinations = list(product(*self._values.values()))
        bar = tqdm(combinations, desc="frames", unit="frame", delay=2, leave=False)
        self._computed = [frame(**dict(zip(self._values, values))) for values in bar]
        self._legends = _legends(self._shown_on, [marks for marks, _ in self._computed])
        super().__init__(
            _controls=[[name.replace("_", " "), *_options(values)] for name, values in self._values.items()],
            _panels=[_panel(panel, self._legends[name]) for name, panel in self._shown_on.items()],
            _frames=_packed(self._shown_on, self._legends, self._computed),
            _places=places,
        )

    @property
    def chosen(self) -> dict[str, float | str]:
        """The value of each control."""
        return {name: values[place] for (name, values), place in zip(self._values.items(), self._places)}

    def describe(self) -> str:
        return self._description

    def still(self) -> Figure:
        marks, sentence = self._computed[np.ravel_multi_index(self._places, [*map(len, self._values.values())])]
        rows, columns = -(-len(self._shown_on) // 2), min(len(self._shown_on), 2)
        figure = Figure(figsize=(4.5 * columns, 3.4 * rows), layout="constrained")
        figure.suptitle(sentence, fontsize="medium", wrap=True)
        for (name, panel), axes in zip(self._shown_on.items(), figure.subplots(rows, columns, squeeze=False).flat):
            for label, mark in marks.get(name, {}).items():
                _draw(axes, mark, label, _STYLES[self._legends[name].index(label) % len(_STYLES)])
            y_range = [10.0**exponent for exponent in panel.y] if panel.log_y else panel.y
            axes.set(title=panel.title, xlabel=panel.x_label, ylabel=panel.y_label, xlim=panel.x)
            axes.set(yscale="log" if panel.log_y else "linear", ylim=y_range)
            axes.legend()
        return figure


def _place(name: str, values: list, value: float | str) -> int:
    if value not in values:
        raise ValueError(f"start has {name}={value!r}, which is none of its values: {', '.join(map(str, values))}")
    return values.index(value)


def _options(values: list) -> tuple[list[str], bool]:
    """The values as people read them, and whether they make a slider."""
    are_words = all(isinstance(value, str) for value in values)
    return [value if are_words else f"{value:.4g}" for value in values], not are_words


def _panel(panel: Panel, legend: list[str]) -> dict:
    return {
        "title": panel.title,
        "xLabel": panel.x_label,
        "yLabel": panel.y_label,
        "x": panel.x,
        "y": panel.y,
        "logY": panel.log_y,
        "legend": legend,
    }


def _legends(panels: Mapping[str, Panel], frames: list[Marks]) -> dict[str, list[str]]:
    """The labels of each panel in the order in which frames name them: a label keeps its colour in every frame."""
    if unknown := {name for marks in frames for name in marks} - panels.keys():
        raise ValueError(f"a frame draws on {', '.join(unknown)}; the panels are {', '.join(panels)}")
    return {name: list(dict.fromkeys(label for marks in frames for label in marks.get(name, ()))) for name in panels}


def _packed(panels: Mapping[str, Panel], legends: dict[str, list[str]], computed: list[tuple[Marks, str]]) -> bytes:
    """All frames for live.js, compressed: a line of JSON, then the numbers, each different array once.

    A frame is its sentence and, for each panel, its marks: kind, place in the legend, numbers of its two arrays.
    """
    arrays: dict[bytes, int] = {}

    def number_of(values: Any, limits: tuple[float, float]) -> int:
        return arrays.setdefault(_quantized(values, limits), len(arrays))

    frames = []
    for marks, sentence in computed:
        drawn = [
            [
                [kind, legends[name].index(label), number_of(x, panel.x), number_of(y, panel.y)]
                for label, mark in marks.get(name, {}).items()
                for kind, x, y in [_coordinates(label, mark, panel)]
            ]
            for name, panel in panels.items()
        ]
        frames.append([sentence, drawn])
    numbers = np.frombuffer(b"".join(arrays), dtype="<u2")
    lengths = [len(array) // 2 for array in arrays]
    header = json.dumps([lengths, frames], ensure_ascii=False, separators=(",", ":"))
    # Differences are small for smooth curves, and their high bytes alike: both compress well.
    differences = np.diff(numbers, prepend=np.uint16(0)).view(np.uint8).reshape(-1, 2)
    data = zlib.compress(header.encode() + b"\n" + differences.T.tobytes(), 9)
    if len(data) > LARGEST_DATA:
        raise ValueError(
            f"the {len(frames)} frames of this figure fill {len(data)} bytes of the notebook, of at most "
            f"{LARGEST_DATA}: take fewer values of a control, or fewer numbers for a mark"
        )
    return data


def _coordinates(label: str, mark: Mark, panel: Panel) -> tuple[str, np.ndarray, np.ndarray]:
    """The kind of a mark and its two arrays, in the units of the axes: decades where an axis is logarithmic."""
    x, y = {
        Line: lambda: (mark.x, mark.y),
        Points: lambda: (mark.x, mark.y),
        Bars: lambda: (mark.edges, mark.heights),
        Rule: lambda: (mark.x, ()),
    }[type(mark)]()
    x, y = (np.atleast_1d(np.asarray(values, dtype=float)) for values in (x, y))
    wanted = {Bars: len(x) - 1, Rule: 0}.get(type(mark), len(x))
    if x.ndim != 1 or y.shape != (wanted,):
        kind = type(mark).__name__
        raise ValueError(f"{kind} {label!r} has arrays of shape {x.shape} and {y.shape}, which do not fit")
    if panel.log_y:
        y = np.log10(y, where=y > 0, out=np.full_like(y, np.nan if type(mark) is not Bars else -np.inf))
    return type(mark).__name__.lower(), x, y


def _quantized(values: np.ndarray, limits: tuple[float, float]) -> bytes:
    """Whole numbers from 0 to 65534 over three widths of the axis, the axis itself in the middle."""
    low, high = limits
    shares = np.clip((values - low) / (high - low), -1, 2)
    levels = np.where(np.isnan(shares), _NOTHING, np.round((np.nan_to_num(shares) + 1) / 3 * _LEVELS))
    return levels.astype("<u2").tobytes()


def _draw(axes: Axes, mark: Mark, label: str, look: tuple[str, str, str]) -> None:
    color, dashes, marker = look
    if isinstance(mark, Line):
        axes.plot(mark.x, mark.y, color=color, linestyle=dashes, label=label)
    elif isinstance(mark, Points):
        axes.plot(mark.x, mark.y, color=color, linestyle="none", marker=marker, markersize=4, label=label)
    elif isinstance(mark, Bars):
        axes.stairs(mark.heights, mark.edges, fill=True, color=color, alpha=0.35)
        axes.stairs(mark.heights, mark.edges, color=color, linestyle=dashes, label=label)
    else:
        axes.axvline(mark.x, color=color, linestyle=dashes, label=label)
