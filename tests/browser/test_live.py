"""The live figure in a real JupyterLab: what it draws in each frame is what the kernel computed."""

import numpy as np
import pytest
from playwright.sync_api import expect

from benchmarks._jupyterlab import drawn

SHOW = """
import numpy as np
from labutils.widgets import Bars, Line, LiveFigure, Panel, Points, Rule

x = np.linspace(0, 1, 21)
sample = np.random.default_rng(0).normal(0.5, 0.2, 400)

def frame(power, spread):
    wide = {"narrow": 1, "wide": 2}[spread]
    y = x**power
    y[3] = np.nan
    heights, edges = np.histogram(0.5 + (sample - 0.5) * wide, bins=10, range=(0, 1))
    return {
        "curve": {"power": Line(x, y), "powers of a half": Points([0.5], [0.5**power]), "one half": Rule(0.5)},
        "counts": {"sample": Bars(edges, heights)},
    }, f"power {power}, {spread}: {heights.max()} in the highest bar"

figure = LiveFigure(
    frame,
    controls={"power": [1, 2, 4], "spread": ["narrow", "wide"]},
    start={"power": 2},
    panels={
        "curve": Panel("A power of x", x_label="x (m)", y_label="power (m)", x=(0, 1), y=(0, 1)),
        "counts": Panel("A sample", x_label="x (m)", y_label="count", x=(0, 1), y=(0, 3), log_y=True),
    },
    describe="Powers of x from 1 to 4, and a sample, narrow or wide",
)
figure
"""


def expect_frame(widget, power, spread):
    """The browser draws the numbers of this frame, and says its sentence."""
    expect(widget.locator("[role=status]")).to_contain_text(f"power {power}, {spread}:")
    numbers = drawn(widget)
    assert numbers["values"] == [str(power), spread]
    line, points, rule = numbers["panels"][0]
    x = np.linspace(0, 1, 21)
    y = np.where(np.arange(21) == 3, np.nan, x**power)
    np.testing.assert_allclose([line["x"], np.array(line["y"], dtype=float)], [x, y], atol=1e-4)
    np.testing.assert_allclose([*points["x"], *points["y"], *rule["x"]], [0.5, 0.5**power, 0.5], atol=1e-4)
    (bars,) = numbers["panels"][1]
    sample = 0.5 + np.random.default_rng(0).normal(0, 0.2, 400) * (1 + (spread == "wide"))
    heights, edges = np.histogram(sample, bins=10, range=(0, 1))
    np.testing.assert_allclose(bars["x"], edges, atol=1e-4)
    np.testing.assert_allclose(10 ** np.array(bars["y"])[heights > 0], heights[heights > 0], rtol=1e-3)
    assert [(mark["kind"], mark["label"]) for mark in (line, points, rule, bars)] == [
        ("line", "power"),
        ("points", "powers of a half"),
        ("rule", "one half"),
        ("bars", "sample"),
    ]


def test_every_frame_by_keyboard_and_choice_and_back_to_the_kernel(notebook):
    opened = notebook(SHOW)
    widget = opened.widget()
    expect_frame(widget, 2, "narrow")
    slider = widget.get_by_role("slider", name="power")
    slider.press("End")
    expect(slider).to_have_attribute("aria-valuetext", "4")
    expect_frame(widget, 4, "narrow")
    widget.get_by_role("combobox", name="spread").select_option("wide")
    expect_frame(widget, 4, "wide")
    slider.press("Home")
    expect_frame(widget, 1, "wide")
    opened.until("figure.chosen == {'power': 1, 'spread': 'wide'}")


@pytest.mark.parametrize("width", [1100, 390])
@pytest.mark.parametrize("theme", ["JupyterLab Light", "JupyterLab Dark"])
def test_it_fits_and_axe_has_nothing_to_say(notebook, page, width, theme):
    page.set_viewport_size({"width": width, "height": 900})
    opened = notebook(SHOW)
    opened.wear(theme)
    widget = opened.widget()
    assert widget.evaluate("root => root.scrollWidth <= root.clientWidth + 1")
    assert widget.bounding_box()["width"] <= width
    assert opened.violations() == ""
