"""The descent playground in JupyterLab: moved by keyboard and mouse, its numbers against gradient descent in numpy."""

import re

import numpy as np
import pytest
from playwright.sync_api import Locator, expect

from benchmarks._jupyterlab import KERNEL, Notebook
from benchmarks._jupyterlab import drawn as numbers
from labutils.surfaces import SURFACES
from labutils.widgets.descent import decades, loss_above_minimum

pytestmark = pytest.mark.browser

SHOW = "from labutils.widgets import DescentPlayground\nplayground = DescentPlayground(show_limit=True)\nplayground"
TRAITS = "(playground.surface, playground.learning_rate, *playground.start, playground.steps)"


def choose(playground: Locator, surface: str) -> None:
    """Another surface, which begins at its own start."""
    playground.get_by_role("combobox", name="surface").select_option(surface)


def slider(playground: Locator, name: str) -> Locator:
    return playground.get_by_role("slider", name=name)


def set_to(playground: Locator, name: str, value: float) -> float:
    """Move a slider to the nearest value that it has; returns that value."""
    handle = slider(playground, name)
    low, step = float(handle.get_attribute("min")), float(handle.get_attribute("step"))
    handle.fill(f"{low + round((value - low) / step) * step:.6f}")
    return float(handle.input_value())


def set_rate(playground: Locator, rate: float) -> float:
    """Move the rate's slider, which has decades; returns the rate that it stands for, of three digits."""
    return float(f"{10 ** set_to(playground, 'learning rate', np.log10(rate)):.3g}")


def summary(playground: Locator) -> str:
    """The line below the picture."""
    return playground.locator("p").first.text_content()


def picture(playground: Locator) -> list[str]:
    """Both charts as they are painted now."""
    numbers(playground)
    return playground.locator("canvas").evaluate_all("drawn => drawn.map(canvas => canvas.toDataURL())")


def descend(surface: str, rate: float, start: tuple[float, float], steps: int) -> np.ndarray:
    """The path in numpy, of shape (steps + 1, 2); it ends where it is further than a million away."""
    path = [np.array(start)]
    while len(path) <= steps and np.linalg.norm(path[-1]) < 1e6:
        path.append(path[-1] - rate * SURFACES[surface].gradient(path[-1]))
    return np.array(path)


def assert_drawn(drawn: dict, surface: str, rate: float, start: tuple[float, float], steps: int) -> None:
    path = descend(surface, rate, start, steps)
    assert np.array(drawn["path"]) == pytest.approx(path, rel=1e-9, abs=1e-12)
    assert np.array(drawn["losses"]) == pytest.approx(SURFACES[surface].loss(path), rel=1e-9, abs=1e-12)


@pytest.fixture(scope="module")
def opened(lab, chromium):
    """One notebook for the tests that need no fresh one; each sets what it looks at."""
    with chromium.new_page(viewport={"width": 1100, "height": 900}) as page:
        yield Notebook(page).open(lab.write("descent.ipynb", SHOW)).run_all()


@pytest.fixture
def playground(opened):
    yield opened.widget()
    assert not opened.problems


def test_every_surface_descends_as_numpy_does(playground):
    generator = np.random.default_rng(20)
    for name, surface in SURFACES.items():
        choose(playground, name)
        assert numbers(playground)["path"][0] == list(surface.start)
        for _ in range(5):
            rate = set_rate(playground, 10 ** generator.uniform(-3, np.log10(3)))
            steps = int(set_to(playground, "steps", generator.integers(1, 201)))
            start = [
                set_to(playground, "start, weight 1", generator.uniform(*surface.x_range)),
                set_to(playground, "start, weight 2", generator.uniform(*surface.y_range)),
            ]
            assert_drawn(numbers(playground), name, rate, start, steps)


@pytest.mark.parametrize(
    "surface, rate, steps, verdict",
    [
        ("bowl", 0.5, 60, "converges"),
        ("bowl", 1.95, 60, "oscillates"),
        ("bowl", 2.05, 60, "diverges"),
        ("ravine", 0.09, 60, "converges"),
        ("ravine", 0.1, 60, "oscillates"),
        ("ravine", 0.103, 60, "diverges"),
        ("ravine", 0.001, 60, "converges slowly"),
        ("saddle", 0.1, 200, "converges"),
        ("rosenbrock", 0.002, 60, "converges slowly"),
        ("rosenbrock", 0.3, 60, "diverges"),
        ("two_minima", 0.05, 100, "converges"),
    ],
)
def test_verdicts(playground, surface, rate, steps, verdict):
    choose(playground, surface)
    rate = set_rate(playground, rate)
    set_to(playground, "steps", steps)
    drawn = numbers(playground)
    assert_drawn(drawn, surface, rate, SURFACES[surface].start, steps)
    assert drawn["verdict"] == verdict
    loss, said = re.match(rf"{len(drawn['path']) - 1} steps, loss (\S+): ([a-z ]+)", summary(playground)).groups()
    assert len(loss) <= 9, "rounded for people"
    assert (float(loss), said) == (pytest.approx(drawn["losses"][-1], rel=5e-3), verdict)


# How far below the top of the chart's box the blue of the line is nearest to where it should be, in shares of the box's
# height, at each given share of its width.
LINE_AT = """(chart, places) => {
  const sharp = chart.width / chart.clientWidth, [left, top] = [52 * sharp, 24 * sharp];
  const w = chart.width - 62 * sharp, h = 0.79 * w, pen = chart.getContext("2d");
  return places.map(([across, down]) => {
    const { data } = pen.getImageData(Math.round(left + across * w) - 1, 0, 2, chart.height);
    const rows = [...Array(chart.height).keys()].filter(row => [0, 1].some(column => {
      const [red, , blue, alpha] = data.slice(8 * row + 4 * column);
      return alpha > 100 && blue - red > 100;
    }));
    const found = rows.map(row => (row + 0.5 - top) / h);
    return found.length ? found.reduce((a, b) => Math.abs(a - down) < Math.abs(b - down) ? a : b) : null;
  });
}"""


@pytest.mark.parametrize(
    "surface, rate, steps, direction",
    [
        ("ravine", 0.02, 60, "falls"),
        ("bowl", 0.5, 60, "falls"),
        ("bowl", 1.0, 20, "falls"),
        ("rosenbrock", 0.002, 60, "falls"),
        ("two_minima", 0.05, 100, "falls"),
        ("ravine", 0.105, 60, "rises"),
        ("bowl", 2.5, 60, "rises"),
        ("ravine", 3.0, 60, "rises"),
        ("saddle", 2.5, 60, "rises"),
    ],
)
def test_the_loss_is_painted_where_numpy_has_it(playground, surface, rate, steps, direction):
    choose(playground, surface)
    rate = set_rate(playground, rate)
    set_to(playground, "steps", steps)
    numbers(playground)
    heights = loss_above_minimum(surface, descend(surface, rate, SURFACES[surface].start, steps))
    low, high = decades(heights)
    across = np.arange(len(heights)) / max(len(heights) - 1, 4)
    down = (high - np.log10(heights)) / (high - low)
    assert (0 <= down).all() and (down <= 1).all()
    places = np.stack([across, down], axis=-1)[1:-1]  # at its ends the line is cut
    painted = np.array(playground.locator("canvas").last.evaluate(LINE_AT, places.tolist()), dtype=float)
    assert painted == pytest.approx(places[:, 1], abs=0.02)
    assert (down[0] < painted[-1]) == (direction == "falls")


def test_keyboard_moves_every_control_and_the_kernel_hears_of_it(opened, playground):
    choose(playground, "bowl")
    set_rate(playground, 0.5)
    steps = int(set_to(playground, "steps", 60))
    playground.get_by_role("combobox", name="surface").focus()
    press = opened.page.keyboard.press
    press("ArrowDown")
    for key in ["ArrowRight", "ArrowLeft", "ArrowLeft", "ArrowRight"]:  # rate, steps, start 1, start 2
        press("Tab")
        press(key)
    x, y = SURFACES["ravine"].start
    expected = ("ravine", 0.507, round(x - 0.05, 2), round(y + 0.05, 2), steps - 1)
    opened.until(f"{TRAITS} == {expected}")
    assert_drawn(numbers(playground), "ravine", 0.507, expected[2:4], steps - 1)
    assert slider(playground, "learning rate").get_attribute("aria-valuetext") == "0.507"


def test_mouse_drags_the_start(opened, playground):
    choose(playground, "saddle")
    rate, steps = set_rate(playground, 0.1), int(set_to(playground, "steps", 60))
    before = picture(playground)
    box = playground.locator(".lab-handle").bounding_box()
    x, y = box["x"] + box["width"] / 2, box["y"] + box["height"] / 2
    mouse = opened.page.mouse
    mouse.move(x, y)
    mouse.down()
    seen = set()
    for move in range(1, 9):
        mouse.move(x + 10 * move, y - 2 * move)
        seen.add(tuple(numbers(playground)["path"][0]))
    mouse.up()
    assert len(seen) == 8, "each move of the mouse is drawn"
    assert not set(before) & set(picture(playground))
    drawn = numbers(playground)
    x_start, y_start = start = drawn["path"][0]
    assert x_start > SURFACES["saddle"].start[0] + 0.1 and y_start > SURFACES["saddle"].start[1]
    assert_drawn(drawn, "saddle", rate, start, steps)
    opened.until(f"playground.start == {tuple(start)}")
    box = playground.locator(".lab-handle").bounding_box()
    assert box["x"] + box["width"] / 2 == pytest.approx(x + 80, abs=1.5)
    assert box["y"] + box["height"] / 2 == pytest.approx(y - 16, abs=1.5)


def test_limit_mark_stands_where_the_slider_has_the_limit(opened, playground):
    for surface, limit in [("bowl", 2.0), ("ravine", 0.1)]:
        choose(playground, surface)
        expect(playground.get_by_role("status")).to_contain_text(f"2/λmax = {limit:g}")
        mark = playground.locator(".lab-mark").bounding_box()
        track = slider(playground, "learning rate").bounding_box()
        opened.page.mouse.click(mark["x"] + mark["width"] / 2, track["y"] + track["height"] / 2)
        opened.until(f"abs(playground.learning_rate / {limit} - 1) < 0.05")
    choose(playground, "saddle")
    expect(playground.locator(".lab-mark")).to_be_hidden()
    choose(playground, "ravine")
    opened.start("playground.show_limit = False")
    expect(playground.locator(".lab-mark")).to_be_hidden()
    opened.start("playground.show_limit = True")
    expect(playground.locator(".lab-mark")).to_be_visible()


def test_kernel_moves_the_picture(opened, playground):
    choose(playground, "bowl")
    opened.start("playground.set_trait('steps', 7); playground.set_trait('learning_rate', 0.3)")
    expect(playground.get_by_role("status")).to_have_text(re.compile("^7 steps"))
    expect(playground.get_by_role("status")).to_have_text(summary(playground))
    assert_drawn(numbers(playground), "bowl", 0.3, SURFACES["bowl"].start, 7)
    assert slider(playground, "steps").input_value() == "7"


def test_moves_while_the_kernel_is_busy(opened, playground):
    choose(playground, "bowl")
    set_rate(playground, 0.5)
    steps = int(set_to(playground, "steps", 60))
    opened.start("import time; slept = False; time.sleep(60); slept = True")
    before = picture(playground)
    set_rate(playground, 1.5)
    assert_drawn(numbers(playground), "bowl", 1.5, SURFACES["bowl"].start, steps)
    assert not set(before) & set(picture(playground))
    opened.page.evaluate(f"{KERNEL}.interrupt()")
    opened.until("not slept and playground.learning_rate == 1.5")


def test_axe_finds_nothing_in_either_theme(opened, playground):
    for theme in ("JupyterLab Dark", "JupyterLab Light"):
        opened.wear(theme)
        assert opened.violations() == ""


def test_narrow_page_needs_no_scrolling_sideways(opened, playground):
    opened.page.set_viewport_size({"width": 390, "height": 900})
    try:
        opened.page.wait_for_function("() => document.querySelector('.lab').getBoundingClientRect().right <= 390")
        numbers(playground)
        edges = "elements => elements.map(element => element.getBoundingClientRect().right)"
        assert max(playground.locator("canvas, input, select, p").evaluate_all(edges)) <= 390
        assert playground.evaluate("root => root.scrollWidth <= root.clientWidth")
    finally:
        opened.page.set_viewport_size({"width": 1100, "height": 900})


def test_saved_notebook_moves_without_a_kernel(opened, playground):
    choose(playground, "two_minima")
    opened.until("playground.surface == 'two_minima'")
    reopened = opened.reopened_without_kernel()
    rate, steps = set_rate(reopened, 0.05), int(set_to(reopened, "steps", 40))
    assert_drawn(numbers(reopened), "two_minima", rate, SURFACES["two_minima"].start, steps)
