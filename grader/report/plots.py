"""The report's plots, as SVG that stands in the page itself and takes the colour of its text.

Nothing is told by colour alone: areas differ in hatching, points in shape, and tables have the numbers. No text of a
student's stands in a plot.
"""

import io
import re
from collections.abc import Collection, Iterator, Sequence
from contextlib import contextmanager

import numpy as np
from markupsafe import Markup, escape
from matplotlib import rc_context
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from grader.records import FAILED, NOT_ATTEMPTED, PASSED, RAISED, Record
from grader.report.counting import ASPECT_OUTCOMES, FAILS, HOLDS, OUTCOMES, PARTLY, ExerciseCount, MistakeCount
from labutils.plots import style

INK = "#010203"  # stands for the colour of the page's text while matplotlib draws, and for no other
EDGE = "#212121"  # of areas and their hatching: dark on every colour below, whatever the page's own colours
WIDTH = 5.2  # inches; the page scales it to its columns
HEIGHT = 3.4
ROW_HEIGHT = 0.36  # of a bar with its label above it
MOST_MISTAKES = 15

BLUE, ORANGE, RED, GREY, PALE = "#3f90da", "#ffa90e", "#bd1f01", "#94a4a2", "#92dadd"  # of petroff10
LOOKS = {
    PASSED: (BLUE, ""),
    PARTLY: (PALE, "///"),
    FAILED: (ORANGE, "\\\\\\"),
    RAISED: (RED, "xxx"),
    NOT_ATTEMPTED: (GREY, "---"),
    HOLDS: (BLUE, ""),
    FAILS: (ORANGE, "\\\\\\"),
}
_SETTINGS = {
    "svg.fonttype": "none",  # text stays text: it can be searched and copied, and is small
    "font.size": 10,
    "text.parse_math": False,  # a dollar sign in an aspect's name is a dollar sign
    "hatch.linewidth": 0.6,
    "savefig.transparent": True,
    **dict.fromkeys(("text.color", "axes.labelcolor", "axes.edgecolor", "xtick.color", "ytick.color"), INK),
    "legend.facecolor": "none",
    "legend.edgecolor": "none",
}


def scores(records: Collection[Record]) -> Markup:
    """How many submissions earned how many points."""
    points = np.array([record.points for record in records])
    most = max(record.max_points for record in records)
    width = max(1, round(most / 25))
    edges = np.arange(0, most + 2 * width, width) - width / 2  # so that whole points stand in the middle of a bar
    with _drawing():
        figure, axes = _new(HEIGHT)
        axes.hist(points, bins=edges, color=BLUE, edgecolor=EDGE, linewidth=0.6)
        median = float(np.median(points))
        axes.axvline(median, color=INK, linestyle="--", label=f"median: {median:.4g}")
        axes.set(title="Points", xlabel=f"points (of {most:g})", ylabel="submissions")
        axes.yaxis.set_major_locator(MaxNLocator(integer=True))
        axes.legend()
        alt = (
            f"Histogram of the points of {len(points)} submissions: from {points.min():.4g} to {points.max():.4g} of "
            f"{most:g}, half of them at {median:.4g} or below."
        )
        return _svg(figure, alt)


def exercises(counts: Sequence[ExerciseCount]) -> Markup:
    """How each exercise came out, as stacked bars."""
    rows = {count.exercise: count.outcomes for count in counts}
    hardest = min(counts, key=lambda count: _percent(count.outcomes, PASSED))
    alt = (
        f"Stacked bars, one for each of {len(counts)} exercises: the shares of submissions that passed, passed partly, "
        f"failed, stopped with an error or were not attempted. Fewest passed {hardest.exercise}, "
        f"{_percent(hardest.outcomes, PASSED):.0f} %."
    )
    return _stacked(rows, OUTCOMES, "Exercises", alt)


def aspects(counts: Sequence[ExerciseCount]) -> Markup:
    """In how many submissions each aspect holds, as stacked bars."""
    rows = {f"{count.exercise}: {aspect}": held for count in counts for aspect, held in count.aspects.items()}
    hardest = min(rows, key=lambda label: _percent(rows[label], HOLDS))
    alt = (
        f"Stacked bars, one for each of {len(rows)} aspects: the shares of submissions in which it holds, does not "
        f"hold or was not attempted. It holds least often in {hardest}, {_percent(rows[hardest], HOLDS):.0f} %."
    )
    return _stacked(rows, ASPECT_OUTCOMES, "Aspects", alt)


def mistakes(counts: Sequence[MistakeCount]) -> Markup:
    """How often each known mistake was made, the most frequent ones."""
    shown = counts[:MOST_MISTAKES]
    with _drawing():
        figure, axes = _new(_height(len(shown)))
        numbers = [len(count.students) for count in shown]
        bars = axes.barh(range(len(shown)), numbers, height=0.45, color=ORANGE, edgecolor=EDGE, linewidth=0.6)
        axes.bar_label(bars, padding=4)
        _label_rows(axes, [f"{count.exercise}: {count.mistake}" for count in shown])
        axes.set(title="Known mistakes", xlabel="submissions")
        axes.xaxis.set_major_locator(MaxNLocator(integer=True))
        axes.margins(x=0.1)
        first = shown[0]
        alt = (
            f"Bars for the {len(shown)} most frequent known mistakes. The first is {first.mistake} in "
            f"{first.exercise}, {numbers[0]} times."
        )
        return _svg(figure, alt)


def times(records: Collection[Record]) -> Markup:
    """What grading each submission took, from the quickest to the slowest."""
    wall = np.sort([record.seconds for record in records])
    cpu = np.sort([record.cpu_seconds for record in records])
    rank = np.arange(1, len(wall) + 1)
    with _drawing():
        figure, axes = _new(HEIGHT)
        axes.plot(rank, wall, linestyle="none", marker="o", markersize=4, color=BLUE, label="wall clock")
        axes.plot(rank, cpu, linestyle="none", marker="x", markersize=4, color=INK, label="CPU")
        axes.set(title="Time to grade", xlabel="submissions, each curve from the quickest on", ylabel="time (s)")
        axes.set_ylim(bottom=0)
        axes.xaxis.set_major_locator(MaxNLocator(integer=True))
        axes.legend()
        alt = (
            f"Points for the time that each of {len(wall)} submissions took, sorted: by the clock from {wall[0]:.2g} "
            f"to {wall[-1]:.2g} s, half of them at {np.median(wall):.2g} s or below; of CPU from {cpu[0]:.2g} to "
            f"{cpu[-1]:.2g} s."
        )
        return _svg(figure, alt)


def _stacked(rows: dict[str, dict[str, int]], parts: Sequence[str], title: str, alt: str) -> Markup:
    """Horizontal bars that add up to 100 %, each below its label."""
    with _drawing():
        figure, axes = _new(_height(len(rows)) + 0.4)  # the legend takes a line or two
        left = np.zeros(len(rows))
        for part in parts:
            widths = np.array([_percent(row, part) for row in rows.values()])
            colour, hatch = LOOKS[part]
            look = {"color": colour, "hatch": hatch, "edgecolor": EDGE, "linewidth": 0.6, "label": part}
            axes.barh(range(len(rows)), widths, height=0.45, left=left, **look)
            left += widths
        _label_rows(axes, [f"{label} ({_percent(row, parts[0]):.0f} %)" for label, row in rows.items()])
        axes.set(xlabel="submissions (%)", xlim=(0, 100))
        figure.legend(loc="outside upper center", ncols=3, title=title)
        return _svg(figure, alt)


def _label_rows(axes: Axes, labels: Sequence[str]) -> None:
    """Write each bar's label above it, where a long one has the whole width; the first row stands at the top."""
    axes.set_yticks([])
    axes.set_ylim(len(labels) - 0.5, -0.8)
    axes.grid(axis="y", visible=False)
    for row, label in enumerate(labels):
        axes.text(0, row - 0.29, label, transform=axes.get_yaxis_transform(), verticalalignment="bottom", fontsize=8.5)


def _percent(counts: dict[str, int], part: str) -> float:
    return 100 * counts.get(part, 0) / sum(counts.values())


def _height(rows: int) -> float:
    return 1.0 + ROW_HEIGHT * rows


@contextmanager
def _drawing() -> Iterator[None]:
    with style(), rc_context(_SETTINGS):
        yield


def _new(height: float) -> tuple[Figure, Axes]:
    figure = Figure(figsize=(WIDTH, height), layout="constrained")
    return figure, figure.subplots()


def _svg(figure: Figure, alt: str) -> Markup:
    """The figure as an element of the page, with its alternative text and in the page's own ink."""
    drawn = io.StringIO()
    # What refers to one another within a figure is named after this salt; two figures on a page must not share names.
    with rc_context({"svg.hashsalt": alt}):
        figure.savefig(drawn, format="svg", metadata=dict.fromkeys(("Creator", "Date", "Format", "Type")))
    element = drawn.getvalue().partition("<svg")[2]
    element = re.sub(r' (width|height)="[\d.]+pt"', "", element, count=2)  # the page says how wide
    element = re.sub(r'<g id="[^"]*">', "<g>", element)
    return Markup(f'<svg role="img" aria-label="{escape(alt)}"{element.replace(INK, "currentColor")}')
