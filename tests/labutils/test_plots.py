"""Figures carry their text into the notebook, stay small and leave nothing open."""

import io
from html.parser import HTMLParser

import matplotlib.pyplot as plt
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from labutils import plots
from labutils.surfaces import SURFACES


class Images(HTMLParser):
    def __init__(self):
        super().__init__()
        self.found = []

    def handle_starttag(self, tag, attributes):
        self.found.append((tag, dict(attributes)))


def images(html: str) -> list:
    parser = Images()
    parser.feed(html)
    return parser.found


@given(st.text(min_size=1).filter(str.strip))
def test_any_alternative_text_arrives_whole(alt):
    picture = plots.Picture(b"png", alt, width=640)
    bundle = picture._repr_mimebundle_()
    [(tag, attributes)] = images(bundle["text/html"])
    assert tag == "img" and attributes["alt"].split() == alt.split()
    assert bundle["text/plain"] == alt == repr(picture)


def test_a_shown_figure_is_a_small_picture_and_closed():
    curves = {name: np.random.default_rng(0).normal(size=200).cumsum() for name in ("training", "validation")}
    figure = plots.lines(curves, title="Two walks", y_label="loss (nats)")
    picture = plots.show(figure, alt="  Two walks\n   that part. ")
    assert not plt.fignum_exists(figure.number)
    assert picture.alt == "Two walks that part."
    image = Image.open(io.BytesIO(picture.png))
    assert image.width == 1.5 * picture.width and len(picture.png) < 60_000
    [(_, attributes)] = images(picture._repr_mimebundle_()["text/html"])
    assert attributes["src"].startswith("data:image/png;base64,") and "max-width: 100%" in attributes["style"]


@pytest.mark.parametrize("alt", ["", " \n"])
def test_a_picture_without_words_is_refused(alt):
    figure = plots.lines({"a": [1, 2]}, title="t", y_label="y")
    with pytest.raises(ValueError, match="alt is empty"):
        plots.show(figure, alt)
    plt.close(figure)


def test_ten_lines_differ_in_more_than_colour():
    figure = plots.lines({str(i): [i, i] for i in range(10)}, title="t", y_label="y")
    drawn = figure.axes[0].get_lines()
    assert len({line.get_color() for line in drawn}) == 10
    assert all(a.get_linestyle() != b.get_linestyle() for a, b in zip(drawn, drawn[1:]))
    plt.close(figure)


def test_lines_count_epochs_from_one_unless_told():
    figure = plots.lines({"a": [5, 6, 7]}, title="t", y_label="y")
    assert figure.axes[0].get_lines()[0].get_xdata().tolist() == [1, 2, 3]
    plt.close(figure)
    figure = plots.lines({"a": [5, 6, 7]}, x=[0, 10, 20], title="t", y_label="y", x_label="step")
    assert figure.axes[0].get_lines()[0].get_xdata().tolist() == [0, 10, 20]
    assert figure.axes[0].get_xlabel() == "step"
    plt.close(figure)


def test_rates_that_diverged_are_crosses_at_the_top():
    losses = [2.0, 0.5, 9.0, np.nan, np.inf, -np.inf]
    figure = plots.loss_against_rate(np.logspace(-3, 1, 6), losses, title="t", ceiling=4)
    trained, diverged = figure.axes[0].get_lines()
    assert trained.get_ydata().tolist() == [2.0, 0.5] and diverged.get_ydata().tolist() == [4, 4, 4, 4]
    assert trained.get_marker() != diverged.get_marker() and figure.axes[0].get_xscale() == "log"
    assert diverged.get_label() == "above 4, or not finite"
    plt.close(figure)


def test_rates_that_all_diverged_are_crosses_in_the_picture():
    figure = plots.loss_against_rate([1.0, 2.0], [np.nan, np.inf], title="t")
    _, diverged = figure.axes[0].get_lines()
    bottom, top = figure.axes[0].get_ylim()
    assert all(bottom < height < top for height in diverged.get_ydata())
    plt.close(figure)


@pytest.mark.parametrize("name", SURFACES)
def test_a_descent_that_leaves_the_picture_can_be_drawn(name):
    surface = SURFACES[name]
    path = np.array([surface.start, (1e200, -1e300), (np.inf, np.nan)])
    picture = plots.show(plots.descent(surface, {"away": path, "still": path[:1]}), alt="One path leaves at once.")
    assert len(picture.png) < 100_000


def test_the_style_is_left_at_the_door():
    before = dict(plt.rcParams)
    with plots.style():
        assert plt.rcParams["image.cmap"] == "cividis"
    plots.show(plots.lines({"a": [1, 2]}, title="t", y_label="y"), alt="a")
    assert dict(plt.rcParams) == before
