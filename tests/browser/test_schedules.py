"""The schedule designer in a real JupyterLab: moved by keyboard and mouse, its numbers compared with torch's schedulers."""

import numpy as np
import pytest
from playwright.sync_api import expect

from benchmarks._jupyterlab import drawn
from labutils.widgets import ScheduleDesigner
from labutils.widgets.schedules import TITLES

SHOW = "from labutils import widgets\ndesigner = widgets.ScheduleDesigner('step', 0.5)\ndesigner"
SLIDERS = {  # what each trait's slider is called
    "learning_rate": "learning rate η₀",
    "factor": "factor γ",
    "every": "every k epochs",
    "minimum": "last rate",
    "first_cycle": "first cycle, epochs",
    "multiplier": "each cycle longer by",
    "warmup": "warm-up, epochs",
    "patience": "patience, epochs",
}


def expect_torch(numbers, settings):
    """The numbers in the browser are those of torch's scheduler with these settings."""
    designer = ScheduleDesigner()
    for name, value in settings.items():
        setattr(designer, name, value)
    rates, losses = designer.curves()
    np.testing.assert_allclose(numbers["rates"], rates, rtol=1e-9, atol=1e-12)
    np.testing.assert_allclose(numbers["losses"], losses, rtol=1e-9)


def move(widget, name, share):
    """Put a slider at this share of its range, as a drag does, and return the value that it then has."""
    value = widget.get_by_role("slider", name=SLIDERS[name]).evaluate(
        """(input, share) => {
            input.value = +input.min + share * (input.max - input.min);
            input.dispatchEvent(new Event("input"));
            return +input.value;
        }""",
        share,
    )
    return float(f"{10**value:.3g}") if name == "learning_rate" else type(getattr(ScheduleDesigner(), name))(value)


def test_every_schedule_is_what_torch_computes(notebook):
    widget = notebook(SHOW).widget()
    rng = np.random.default_rng(5)
    for schedule in TITLES:
        widget.get_by_role("combobox", name="schedule").select_option(schedule)
        drawn(widget)  # the sliders of this schedule are there
        for _ in range(4):
            visible = [name for name in SLIDERS if widget.get_by_role("slider", name=SLIDERS[name]).is_visible()]
            settings = {name: move(widget, name, rng.uniform()) for name in visible}
            expect_torch(drawn(widget), {"schedule": schedule} | settings)


def test_keyboard_moves_it(notebook):
    widget = notebook(SHOW).widget()
    rate = widget.get_by_role("slider", name="learning rate")
    rate.focus()
    for _ in range(20):
        rate.press("ArrowRight")
    expect(widget).to_contain_text("rate 0.631")
    assert drawn(widget)["rates"][0] == pytest.approx(0.631)
    widget.get_by_role("combobox", name="schedule").select_option("warmup")
    warmup = widget.get_by_role("slider", name="warm-up")
    warmup.press("End")
    expect(widget).to_contain_text("warmup 30")
    expect_torch(drawn(widget), {"schedule": "warmup", "learning_rate": 0.631, "warmup": 30})
    assert not widget.get_by_role("slider", name="patience").is_visible()


def test_mouse_moves_it_and_keeps_one_to_compare(notebook):
    widget = notebook(SHOW).widget()
    widget.get_by_role("button", name="Keep for comparison").click()
    expect(widget.get_by_role("button", name="Clear")).to_be_visible()
    every = widget.get_by_role("slider", name="every")
    box = every.bounding_box()
    every.page.mouse.move(box["x"] + box["width"] * 0.39, box["y"] + box["height"] / 2)
    every.page.mouse.down()
    every.page.mouse.move(box["x"] + 10, box["y"] + box["height"] / 2, steps=5)
    every.page.mouse.up()
    moved = int(every.input_value())
    assert moved < 20
    expect(widget).to_contain_text(f"every {moved}:")
    numbers = drawn(widget)
    expect_torch(numbers, {"schedule": "step", "learning_rate": 0.5, "every": moved})
    expect_torch(numbers["kept"][0], {"schedule": "step", "learning_rate": 0.5, "every": 20})
    assert numbers["losses"][-1] > 5 * numbers["kept"][0]["losses"][-1], "an early drop costs"
    widget.get_by_role("button", name="Clear").click()
    expect(widget.get_by_role("button", name="Clear")).to_be_hidden()
    assert drawn(widget)["kept"] == []


@pytest.mark.parametrize("width", [1100, 390])
def test_it_fits_and_axe_has_nothing_to_say(notebook, page, width):
    page.set_viewport_size({"width": width, "height": 900})
    opened = notebook(SHOW)
    widget = opened.widget()
    widget.get_by_role("button", name="Keep for comparison").click()
    widget.get_by_role("combobox", name="schedule").select_option("restarts")
    expect(widget).to_contain_text("first cycle 4")
    assert widget.evaluate("root => root.scrollWidth <= root.clientWidth + 1")
    assert opened.violations() == ""
