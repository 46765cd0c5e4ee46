"""The optimizer race in JupyterLab: moved by keyboard and mouse, its numbers against labutils.optimizers."""

import json
import re

import numpy as np
import pytest
from playwright.sync_api import Locator, expect

from benchmarks._jupyterlab import Notebook, drawn
from labutils.optimizers import OPTIMIZERS, trajectory
from labutils.surfaces import SURFACES
from labutils.widgets import OptimizerRace
from labutils.widgets.descent import loss_above_minimum
from tests.browser.anywhere import shown_anywhere

pytestmark = pytest.mark.browser

SHOW = "from labutils.widgets import OptimizerRace\nrace = OptimizerRace()\nrace"
TITLES = {name: optimizer.title for name, optimizer in OPTIMIZERS.items()}
GOAL = 0.01


def slider(race: Locator, name: str) -> Locator:
    return race.get_by_role("slider", name=name, exact=True)


def set_to(race: Locator, name: str, value: float) -> float:
    """Move a slider to the nearest value that it has; returns that value."""
    handle = slider(race, name)
    low, step = float(handle.get_attribute("min")), float(handle.get_attribute("step"))
    handle.fill(f"{low + round((value - low) / step) * step:.6f}")
    return float(handle.input_value())


def set_rate(race: Locator, name: str, rate: float) -> float:
    """Move the slider of an optimizer's rate, which has decades; returns the rate that it stands for, of three digits."""
    return float(f"{10 ** set_to(race, f'learning rate of {TITLES[name]}', np.log10(rate)):.3g}")


def start_over(race: Locator, surface: str, steps: int = 60, rates: dict | None = None) -> dict[str, float]:
    """A surface from its own start, every optimizer on, with its own rate or the one given; returns all rates."""
    race.get_by_role("combobox", name="surface").select_option(surface)
    set_to(race, "steps", steps)
    set_to(race, "momentum β", 0.9)
    for title in TITLES.values():
        race.get_by_role("checkbox", name=title, exact=True).check()
    wanted = {name: optimizer.learning_rate for name, optimizer in OPTIMIZERS.items()} | (rates or {})
    return {name: set_rate(race, name, rate) for name, rate in wanted.items()}


def numbers(race: Locator) -> dict[str, dict]:
    """What is drawn, by optimizer."""
    return {runner["name"]: runner for runner in drawn(race)}


def cells(race: Locator, name: str) -> list[str]:
    """What the table says of an optimizer: steps to the goal, and its end."""
    row = race.get_by_role("row").filter(has=race.page.get_by_role("checkbox", name=TITLES[name], exact=True))
    return row.locator("td").all_text_contents()


def picture(race: Locator) -> list[str]:
    drawn(race)
    return race.locator(".lab-plot > canvas").evaluate_all("drawn => drawn.map(canvas => canvas.toDataURL())")


def reference(name: str, surface: str, start, rate: float, beta: float, steps: int) -> np.ndarray:
    """The trajectory in numpy, which ends where it is further than a million away."""
    momentum = {"momentum": "momentum", "nesterov": "momentum", "adam": "beta1", "adamw": "beta1"}.get(name)
    settings = {momentum: beta} if momentum else {}
    path = trajectory(name, SURFACES[surface].gradient, start, steps, rate, **settings)
    far = np.flatnonzero(~(np.hypot(*path.T) < 1e6))
    return path[: far[0] + 1] if len(far) else path


def assert_drawn(race: Locator, surface: str, start, rates: dict, beta: float, steps: int) -> int:
    """All paths, losses and goals are numpy's; returns how many points were compared.

    On some paths a rounding grows by itself, step by step: where moving the start by 1e-13 moves a point by 1e-8, no
    two ways of computing agree to 1e-6 for long, and only what comes before is compared.
    """
    shown, compared = numbers(race), 0
    assert list(shown) == list(rates)
    for name, rate in rates.items():
        path = reference(name, surface, start, rate, beta, steps)
        beside = reference(name, surface, np.array(start) + 1e-13, rate, beta, steps)
        common = min(len(path), len(beside))
        scale = 1 + np.abs(path[:common]).max(axis=-1)
        apart = np.abs(path[:common] - beside[:common]).max(axis=-1) / scale > 1e-8
        sure = int(apart.argmax()) if apart.any() else common
        ours = np.array(shown[name]["path"], dtype=float)
        np.testing.assert_allclose(ours[:sure], path[:sure], rtol=1e-6, atol=1e-6, err_msg=f"{name} on {surface}")
        compared += sure
        if sure == len(path):
            assert len(ours) == len(path), name
            heights = loss_above_minimum(surface, path)
            np.testing.assert_allclose(np.array(shown[name]["now"], dtype=float), heights, rtol=1e-5, atol=1e-6)
            under = np.flatnonzero(np.array(shown[name]["now"]) < GOAL)
            first = str(under[0]) if len(under) else "not yet"
            assert cells(race, name)[0] == first
    return compared


@pytest.fixture(scope="module")
def opened(lab, chromium):
    """One notebook for the tests that need no fresh one; each sets what it looks at."""
    with chromium.new_page(viewport={"width": 1100, "height": 1000}) as page:
        yield Notebook(page).open(lab.write("race.ipynb", SHOW)).run_all()


@pytest.fixture
def race(opened):
    yield opened.widget()
    assert not opened.problems


@pytest.mark.parametrize("surface", SURFACES)
def test_every_optimizer_runs_as_in_numpy(race, surface):
    generator = np.random.default_rng(list(SURFACES).index(surface))
    chosen, compared, points = SURFACES[surface], 0, 0
    rates = start_over(race, surface)
    assert assert_drawn(race, surface, chosen.start, rates, 0.9, 60) > 7 * 61
    for _ in range(6):
        for name, optimizer in OPTIMIZERS.items():
            rates[name] = set_rate(race, name, 10 ** generator.uniform(*np.log10(optimizer.rates)))
        steps = int(set_to(race, "steps", generator.integers(1, 201)))
        beta = set_to(race, "momentum β", generator.choice([0, 0.5, 0.9, 0.99]))
        start = [
            set_to(race, "start, weight 1", generator.uniform(*chosen.x_range)),
            set_to(race, "start, weight 2", generator.uniform(*chosen.y_range)),
        ]
        compared += assert_drawn(race, surface, start, rates, beta, steps)
        points += sum(len(runner["path"]) for runner in numbers(race).values())
    assert compared > 0.8 * points, "most paths can be compared to their ends"


def test_the_table_says_how_each_did(race):
    rates = start_over(race, "ravine", rates={"sgd": 0.5, "rmsprop": 0.001})
    shown = numbers(race)
    goal, end = cells(race, "sgd")
    left = next(step for step, (_, y) in enumerate(shown["sgd"]["path"]) if abs(y) > 2)
    assert (goal, end) == ("not yet", f"left the picture after step {left}, diverges")
    for name in ("nesterov", "adagrad", "adam"):
        path = trajectory(name, SURFACES["ravine"].gradient, SURFACES["ravine"].start, 60, rates[name])
        heights = loss_above_minimum("ravine", path)
        goal, end = cells(race, name)
        assert int(goal) == np.flatnonzero(heights < GOAL)[0] and float(end) == pytest.approx(heights[-1], rel=5e-3)
    assert cells(race, "rmsprop")[0] == "not yet" and float(cells(race, "rmsprop")[1]) > GOAL
    said = race.locator("p").first.text_content()
    assert "After 60 steps" in said and "Nesterov 14; Adagrad 22;" in said and "SGD not yet: left the picture" in said
    expect(race.get_by_role("status")).to_have_text(said)


def test_what_comes_back_has_not_left_and_what_has_left_need_not_diverge(race):
    start_over(race, "two_minima", steps=5, rates={"adadelta": 300})
    path = np.array(numbers(race)["adadelta"]["path"])
    outside = (np.abs(path) > [3, 2]).any(axis=1)
    for steps in range(1, 30):
        set_to(race, "steps", steps)
        for name, runner in numbers(race).items():
            outside = (np.abs(np.array(runner["path"])) > [3, 2]).any(axis=1)
            gone = "left the picture" in cells(race, name)[1]
            assert gone == outside[-1], (name, steps)
            assert "diverges" not in cells(race, name)[1]


def test_each_can_be_switched_off_and_on(opened, race):
    start_over(race, "bowl")
    before = picture(race)
    for name in ("momentum", "adamw"):
        race.get_by_role("checkbox", name=TITLES[name], exact=True).uncheck()
    opened.until("race.optimizers == ['sgd', 'nesterov', 'adagrad', 'adadelta', 'rmsprop', 'adam']")
    assert list(numbers(race)) == [name for name in OPTIMIZERS if name not in ("momentum", "adamw")]
    assert cells(race, "momentum") == ["", ""] and not set(before) & set(picture(race))
    race.get_by_role("checkbox", name="Momentum").check()
    opened.until("len(race.optimizers) == 7 and race.optimizers[1] == 'momentum'")
    for title in TITLES.values():
        race.get_by_role("checkbox", name=title, exact=True).uncheck()
    assert numbers(race) == {}
    race.get_by_role("checkbox", name="SGD").check()
    assert list(numbers(race)) == ["sgd"]


# For each point [x, y] of a path, in shares of the box inside the axes, whether its colour is near.
NEAR = """(chart, [points, [red, green, blue], ratio]) => {
  const sharp = chart.width / chart.clientWidth, [left, top] = [52 * sharp, 24 * sharp];
  const w = chart.width - 62 * sharp, h = ratio * w, pen = chart.getContext("2d");
  return points.map(([x, y]) => {
    const { data } = pen.getImageData(Math.round(left + x * w) - 3, Math.round(top + y * h) - 3, 7, 7);
    return [...Array(49).keys()].some(i =>
      Math.hypot(data[4 * i] - red, data[4 * i + 1] - green, data[4 * i + 2] - blue) < 60 && data[4 * i + 3] > 150);
  });
}"""


@pytest.mark.parametrize("name", OPTIMIZERS)
def test_path_and_loss_are_painted_where_numpy_has_them(race, name):
    start_over(race, "bowl", rates={"adadelta": 30, "rmsprop": 0.05})
    for other, title in TITLES.items():
        race.get_by_role("checkbox", name=title, exact=True).set_checked(other == name)
    runner = numbers(race)[name]
    color = [int(runner["stroke"][0][place : place + 2], 16) for place in (1, 3, 5)]
    path, heights = np.array(runner["path"])[1:-1], np.array(runner["now"])
    on_map = np.stack([(path[:, 0] + 3) / 6, (2 - path[:, 1]) / 4], axis=-1)
    low, high = min(np.floor(np.log10(heights.min())), -1), np.ceil(np.log10(heights.max()))
    on_chart = np.stack([np.arange(len(heights)) / 60, (high - np.log10(heights)) / (high - low)], axis=-1)[1:-1]
    field, chart = race.locator(".lab-plot > canvas").first, race.locator(".lab-plot > canvas").last
    assert np.mean(field.evaluate(NEAR, [on_map.tolist(), color, 2 / 3])) > 0.5  # a dashed line has gaps
    assert np.mean(chart.evaluate(NEAR, [on_chart.tolist(), color, 0.79])) > 0.5
    nowhere = on_chart * [1, -1] + [0, 1]
    assert np.mean(chart.evaluate(NEAR, [nowhere.tolist(), color, 0.79])) < 0.4


def test_no_two_lines_look_alike(race):
    start_over(race, "ravine")
    looks = [json.dumps(runner["stroke"]) for runner in numbers(race).values()]
    samples = race.locator("th canvas").evaluate_all("drawn => drawn.map(canvas => canvas.toDataURL())")
    assert len(set(looks)) == len(set(samples)) == 8


def test_keyboard_reaches_and_moves_every_control_and_the_kernel_hears_of_it(opened, race):
    before = start_over(race, "bowl")
    race.get_by_role("combobox", name="surface").focus()
    press = opened.page.keyboard.press
    press("ArrowDown")  # to the ravine
    for key in ["ArrowLeft", "ArrowLeft", "ArrowRight", "ArrowLeft"]:  # steps, momentum, start 1, start 2
        press("Tab")
        press(key)
    press("Tab")
    expect(race.get_by_role("button", name="Play")).to_be_focused()
    for name in OPTIMIZERS:
        press("Tab")
        press("Space")
        expect(race.get_by_role("checkbox", name=TITLES[name], exact=True)).not_to_be_checked()
        if name != "sgd":
            press("Space")
        press("Tab")
        press("ArrowRight")
    x, y = SURFACES["ravine"].start
    start = round(x + 0.05, 2), round(y - 0.05, 2)
    opened.until(f"(race.surface, race.steps, race.beta, race.start) == ('ravine', 59, 0.89, {start})")
    opened.until(f"all(rate > {before}[name] for name, rate in race.learning_rates.items())")
    opened.until("race.optimizers == ['momentum', 'nesterov', 'adagrad', 'adadelta', 'rmsprop', 'adam', 'adamw']")
    rates = opened.value("{name: race.learning_rates[name] for name in race.optimizers}")
    assert_drawn(race, "ravine", start, rates, 0.89, 59)


def test_mouse_drags_the_start_of_all(opened, race):
    rates = start_over(race, "saddle")
    before = picture(race)
    box = race.locator(".lab-handle").bounding_box()
    x, y = box["x"] + box["width"] / 2, box["y"] + box["height"] / 2
    mouse = opened.page.mouse
    mouse.move(x, y)
    mouse.down()
    seen = set()
    for move in range(1, 7):
        mouse.move(x + 10 * move, y + 4 * move)
        seen.add(tuple(numbers(race)["sgd"]["path"][0]))
    mouse.up()
    assert len(seen) == 6, "each move of the mouse is drawn"
    assert not set(before) & set(picture(race))
    start = numbers(race)["sgd"]["path"][0]
    assert start[0] > 0.2 and start[1] < 1.1
    opened.until(f"race.start == {tuple(start)}")
    assert_drawn(race, "saddle", start, rates, 0.9, 60)


def test_play_runs_through_the_steps_and_another_press_ends_it(opened, race):
    start_over(race, "bowl", steps=30)
    play = race.get_by_role("button", name="Play")
    end = numbers(race)["sgd"]["path"]
    play.click()
    opened.page.wait_for_function("() => document.querySelector('.lab').numbers[0].path.length < 25")
    shorter = numbers(race)["sgd"]["path"]
    assert shorter == end[: len(shorter)]
    opened.page.wait_for_function("() => document.querySelector('.lab').numbers[0].path.length === 31")
    opened.until("race.steps == 30")
    set_to(race, "steps", 200)
    play.click()
    opened.page.wait_for_function("() => document.querySelector('.lab').numbers[0].path.length < 100")
    play.click()
    opened.page.wait_for_function("() => document.querySelector('.lab').numbers[0].path.length === 201")
    opened.until("race.steps == 200")


def test_kernel_moves_the_picture(opened, race):
    rates = start_over(race, "bowl")
    opened.start("race.steps = 7; race.adam = 0.5; race.optimizers = ['adam', 'sgd']")
    expect(race.get_by_role("status")).to_have_text(re.compile("^After 7 steps.*: SGD not yet: [0-9.]+; Adam [^;]*$"))
    assert_drawn(race, "bowl", SURFACES["bowl"].start, {"sgd": rates["sgd"], "adam": 0.5}, 0.9, 7)
    assert slider(race, "steps").input_value() == "7"
    assert slider(race, "learning rate of Adam").get_attribute("aria-valuetext") == "0.5"
    expect(race.get_by_role("checkbox", name="Momentum")).not_to_be_checked()


def test_axe_finds_nothing_in_either_theme(opened, race):
    start_over(race, "rosenbrock")
    for theme in ("JupyterLab Dark", "JupyterLab Light"):
        opened.wear(theme)
        assert opened.violations() == ""


@pytest.mark.parametrize(
    "rates", [{}, {"sgd": 3.0, "momentum": 3.0, "nesterov": 3.0}], ids=["all near", "some diverge"]
)
def test_narrow_page_needs_no_scrolling_sideways(opened, race, rates):
    start_over(race, "ravine", steps=200, rates=rates)
    opened.page.set_viewport_size({"width": 390, "height": 1000})
    try:
        opened.page.wait_for_function("() => document.querySelector('.lab').getBoundingClientRect().right <= 390")
        drawn(race)
        edges = "elements => elements.map(element => element.getBoundingClientRect().right)"
        assert max(race.locator("canvas, input, select, p, label, b, td, th").evaluate_all(edges)) <= 390
        assert race.evaluate("root => root.scrollWidth <= root.clientWidth")
        cut = "cells => cells.filter(cell => cell.scrollWidth > cell.clientWidth).map(cell => cell.textContent)"
        assert race.locator("td, th").evaluate_all(cut) == []
        assert race.get_by_role("slider", name="rate of Adam", exact=False).first.bounding_box()["width"] > 60
    finally:
        opened.page.set_viewport_size({"width": 1100, "height": 1000})


def test_it_runs_without_jupyter(page):
    race = shown_anywhere(page, OptimizerRace("two_minima", ["adam", "sgd"], steps=40))
    rate = set_rate(race, "sgd", 0.2)
    assert_drawn(race, "two_minima", SURFACES["two_minima"].start, {"sgd": rate, "adam": 0.2}, 0.9, 40)


def test_nothing_plays_for_those_who_prefer_reduced_motion(page):
    page.emulate_media(reduced_motion="reduce")
    race = shown_anywhere(page, OptimizerRace())
    expect(race.get_by_role("button", name="Play", include_hidden=True)).to_be_hidden()
    expect(slider(race, "steps")).to_be_visible()


def test_saved_notebook_races_without_a_kernel(opened, race):
    rates = start_over(race, "two_minima")
    opened.until("race.surface == 'two_minima'")
    reopened = opened.reopened_without_kernel()
    rates["adam"], steps = set_rate(reopened, "adam", 0.05), int(set_to(reopened, "steps", 40))
    assert_drawn(reopened, "two_minima", SURFACES["two_minima"].start, rates, 0.9, steps)
