"""The kernel walk in JupyterLab: moved by keyboard and pointer, its numbers against torch's conv2d and autograd."""

import re
from importlib.resources import files
from itertools import product

import numpy as np
import pytest
import torch
from playwright.sync_api import Locator, expect

from benchmarks._jupyterlab import Notebook, drawn
from labutils.widgets import KernelWalk
from labutils.widgets.kernel_walk import INCOMING, KERNELS, OPERATIONS
from tests.browser.anywhere import shown_anywhere

pytestmark = pytest.mark.browser

SHOW = "from labutils.widgets import KernelWalk\nwalk = KernelWalk()\nwalk"
IMAGE = np.array(KernelWalk()._image)
SLIDERS = {"stride": 1, "padding": 1, "dilation": 1}


def by_torch(kernel, stride, padding, dilation, operation, incoming=None):
    """Output and gradients in float64, `incoming` a function of the output's shape; None where nothing fits."""
    x = torch.tensor(IMAGE, dtype=torch.float64, requires_grad=True)
    w = torch.tensor(KERNELS[kernel], dtype=torch.float64, requires_grad=True)
    if min(np.array(IMAGE.shape) + 2 * padding - dilation * (np.array(w.shape) - 1)) < 1:
        return None
    laid = w.flip(0, 1) if operation == "convolution" else w
    settings = {"stride": stride, "padding": padding, "dilation": dilation}
    output = torch.nn.functional.conv2d(x[None, None], laid[None, None], **settings)[0, 0]
    gradients = torch.autograd.grad(output, (x, w), torch.tensor(incoming(output.shape), dtype=torch.float64))
    return [output.detach().numpy(), *(gradient.numpy() for gradient in gradients)]


def ones(shape):
    return np.ones(shape)


def one_at(place):
    """A function that makes an incoming gradient: 1 at `place`, or at the nearest that there is."""

    def incoming(shape):
        gradient = np.zeros(shape)
        gradient[tuple(np.minimum(place, np.array(shape) - 1))] = 1
        return gradient

    return incoming


def slider(walk: Locator, name: str) -> Locator:
    return walk.get_by_role("slider", name=name, exact=True)


def select(walk: Locator, name: str, option: str) -> None:
    walk.get_by_role("combobox", name=name).select_option(option)


def cell(walk: Locator, name: str) -> Locator:
    """A cell by what it stands for: "x[0, 1]", "∂L/∂w[2, 2]"."""
    return walk.locator(f'[role="gridcell"][aria-label^="{name.replace("-", "−")}"]')


def numbers_in(walk: Locator, grid: int) -> np.ndarray:
    """What is written in one of the three grids: input, kernel, output; NaN in an empty cell."""
    rows = walk.get_by_role("grid").nth(grid).get_by_role("row")
    texts = rows.evaluate_all("rows => rows.map(row => [...row.children].map(cell => cell.textContent))")
    return np.array([[float(text.replace("−", "-") or "nan") for text in row] for row in texts])


def said(walk: Locator) -> str:
    """The lines below the grids, with the minus sign of programs."""
    drawn(walk)
    return walk.locator("p").first.text_content().replace("−", "-")


def start_over(walk: Locator, kernel="vertical edges", operation="correlation", incoming="one", back=False, **sliders):
    """Every setting as it is at first, or as given, and the output in row 2, column 3 chosen."""
    select(walk, "kernel", kernel)
    select(walk, "operation", operation)
    for name, value in (SLIDERS | sliders).items():
        slider(walk, name).fill(str(value))
    walk.get_by_role("checkbox", name="backward").set_checked(True)
    select(walk, "incoming gradient", incoming)
    walk.get_by_role("checkbox", name="backward").set_checked(back)
    if drawn(walk)["shape"] == [8, 8]:
        slider(walk, "position").fill("19")


@pytest.fixture(scope="module")
def opened(lab, chromium):
    """One notebook for the tests that need no fresh one; each sets what it looks at."""
    with chromium.new_page(viewport={"width": 1100, "height": 1000}) as page:
        yield Notebook(page).open(lab.write("walk.ipynb", SHOW)).run_all()


@pytest.fixture
def walk(opened):
    yield opened.widget()
    assert not opened.problems


# The functions behind the widget, over all settings at once; anything else would be one picture after the other.
EVERYWHERE = """async ([code, image, kernels, settings]) => {
  const text = code + "; export { forward, backward };";
  const { forward, backward } = await import(URL.createObjectURL(new Blob([text], { type: "text/javascript" })));
  return settings.map(([kernel, stride, padding, dilation, operation, incoming]) => {
    const walk = forward(image, kernels[kernel], { stride, padding, dilation, operation }), { rows, cols } = walk.output;
    if (!rows) return null;
    const at = Math.min(2, rows - 1) * cols + Math.min(3, cols - 1);
    const { input, weight } = backward(walk, walk.output.values.map((_, i) => +(incoming === "ones" || i === at)));
    const inside = (_, i) => [Math.floor(i / walk.input.cols), i % walk.input.cols].every(place => place >= padding && place < padding + 8);
    return [walk.output.values, input.filter(inside), weight];
  });
}"""


def test_output_and_gradients_are_torchs_for_every_setting(page):
    code = (files("labutils.widgets") / "static" / "kernel_walk.js").read_text(encoding="utf-8")
    every = list(product(KERNELS, [1, 2, 3], [0, 1, 2, 3], [1, 2, 3], OPERATIONS, INCOMING))
    ours = page.evaluate(EVERYWHERE, [code, IMAGE.tolist(), KERNELS, every])
    for (*settings, incoming), numbers in zip(every, ours):
        torchs = by_torch(*settings, ones if incoming == "ones" else one_at((2, 3)))
        assert (numbers is None) == (torchs is None), settings
        for mine, theirs in zip(numbers or [], torchs or []):
            np.testing.assert_allclose(mine, theirs.ravel(), rtol=0, atol=1e-9, err_msg=str(settings))
    assert len(every) == 1440 and ours.count(None) < 100


def test_what_is_shown_is_torchs(walk):
    generator = np.random.default_rng(6)
    start_over(walk)
    for kernel in KERNELS:
        settings = {
            name: int(generator.integers(low, 4)) for name, low in [("stride", 1), ("padding", 0), ("dilation", 1)]
        }
        operation, incoming = generator.choice(OPERATIONS), generator.choice(list(INCOMING))
        if kernel == "blur, 5 × 5":
            settings["dilation"] = 1
        start_over(walk, kernel, operation, incoming, **settings)
        at = drawn(walk)["chosen"][1:]
        output, dx, dw = by_torch(kernel, *settings.values(), operation, ones if incoming == "ones" else one_at(at))
        shown = drawn(walk)
        assert shown["settings"] == [kernel, *settings.values(), operation, False, incoming]
        assert shown["shape"] == list(output.shape)
        for name, theirs in {"output": output, "dx": dx, "dw": dw}.items():
            assert shown[name] == pytest.approx(theirs.ravel(), rel=1e-9, abs=1e-9), (name, kernel)
        turn = (slice(None, None, -1),) * 2 if operation == "convolution" else ...
        padding = settings["padding"]
        assert numbers_in(walk, 0) == pytest.approx(np.pad(IMAGE, padding), abs=0)
        assert numbers_in(walk, 1) == pytest.approx(np.array(KERNELS[kernel])[turn], abs=0.005)
        assert numbers_in(walk, 2) == pytest.approx(output, abs=0.5)

        walk.get_by_role("checkbox", name="backward").check()
        drawn(walk)
        outside = np.pad(dx, padding, constant_values=np.nan)
        assert numbers_in(walk, 0) == pytest.approx(outside, abs=0.5, nan_ok=True)
        assert numbers_in(walk, 1) == pytest.approx(dw[turn], abs=0.5)
        assert numbers_in(walk, 2) == pytest.approx(np.array(shown["incoming"]).reshape(output.shape))


def terms(text: str) -> list[float]:
    """The products of a sum that is written out."""
    factors = [[float(factor.strip("()")) for factor in term.split("·")] for term in text.split(" + ")]
    return [float(np.prod(pair)) for pair in factors]


def test_products_sum_and_shape_are_written_out(walk):
    start_over(walk, "emboss")
    for operation, place in product(OPERATIONS, [0, 19, 63]):
        select(walk, "operation", operation)
        slider(walk, "position").fill(str(place))
        row, column = divmod(place, 8)
        output = by_torch("emboss", 1, 1, 1, operation, ones)[0]
        own, products, total = re.match(
            r"(y\[.*?\]) = (.*?) = (-?\d+)\. Shape of the output: 8 × 8", said(walk)
        ).groups()
        assert own == f"y[{row}, {column}]" and len(terms(products)) == 9
        assert sum(terms(products)) == float(total) == output[row, column]
    assert "8 × 8, as ⌊(8 + 2·1 - 1·(3 - 1) - 1) / 1⌋ + 1 = 8." in said(walk)
    expect(walk.get_by_role("status")).to_have_text(walk.locator("p").first.text_content())
    slider(walk, "stride").fill("3")
    slider(walk, "padding").fill("2")
    slider(walk, "dilation").fill("2")
    assert "3 × 3, as ⌊(8 + 2·2 - 2·(3 - 1) - 1) / 3⌋ + 1 = 3." in said(walk)


def test_sum_of_many_terms_names_how_many_more(walk):
    start_over(walk, "blur, 5 × 5", incoming="ones", back=True)
    cell(walk, "∂L/∂w[2, 2]").click()
    gradient = by_torch("blur, 5 × 5", 1, 1, 1, "correlation", ones)[2]
    assert re.match(rf"∂L/∂w\[2, 2\] = 1·\d.* … \(11 more\) = {gradient[2, 2]:g}\.", said(walk))


def links(stride, padding, dilation, operation, rows, columns, size=3):
    """All (output, weight, input), each as row and column; an input outside the image is padding."""
    for r, c, a, b in product(range(rows), range(columns), range(size), range(size)):
        weight = (size - 1 - a, size - 1 - b) if operation == "convolution" else (a, b)
        yield (r, c), weight, (r * stride + a * dilation - padding, c * stride + b * dilation - padding)


@pytest.mark.parametrize("operation", OPERATIONS)
@pytest.mark.parametrize("stride, padding, dilation", [(1, 1, 1), (2, 2, 1), (1, 3, 2)])
def test_paths_from_any_cell(walk, stride, padding, dilation, operation):
    start_over(walk, "emboss", operation, stride=stride, padding=padding, dilation=dilation)
    shape = drawn(walk)["shape"]
    all_links = list(links(stride, padding, dilation, operation, *shape))
    kinds = {"output": "y", "weight": "w", "input": "x"}
    chosen = {"output": (1, 2), "weight": (0, 2), "input": (3, 4)}
    for place, (kind, symbol) in enumerate(kinds.items()):
        at = chosen[kind]
        cell(walk, f"{symbol}[{at[0]}, {at[1]}]").click()
        shown = drawn(walk)
        assert shown["chosen"] == [kind, *at]
        paths = [link for link in all_links if link[place] == at]
        for number, other in enumerate(kinds):
            expected = {link[number] for link in paths} if other != kind else set()
            assert set(map(tuple, shown["linked"][other])) == expected
        marked = walk.locator('[role="gridcell"][data-mark="linked"]').evaluate_all(
            "all => all.map(cell => cell.ariaLabel)"
        )
        assert len(marked) == sum(len(ends) for ends in shown["linked"].values())
        expect(walk.locator('[aria-selected="true"]')).to_have_count(1)
        if kind != "weight":  # the weight stands beside the cell to which it leads
            end, letter = (2, "x") if kind == "output" else (0, "y")
            for link in paths:
                weight = KERNELS["emboss"][link[1][0]][link[1][1]]
                beside = cell(walk, f"{letter}[{link[end][0]}, {link[end][1]}]").get_attribute("data-by")
                assert beside == f"×{weight}".replace("-", "−")


def test_paths_are_said_in_words(walk):
    start_over(walk, stride=2)
    cell(walk, "x[3, 4]").click()
    assert said(walk).startswith("x[3, 4] = 16 is part of 2 outputs: y[1, 2] by w[2, 1] = 0, y[2, 2] by w[0, 1] = 0.")
    cell(walk, "x[-1, -1]").click()
    assert said(walk).startswith("x[-1, -1] = 0 is part of 1 output: y[0, 0] by w[0, 0] = -1.")
    cell(walk, "w[1, 0]").click()
    assert said(walk).startswith("w[1, 0] = -2 is shared: it is part of 16 outputs")
    walk.get_by_role("checkbox", name="backward").check()
    assert said(walk).startswith("∂L/∂w[1, 0] = 1·")
    cell(walk, "∂L/∂x[-1, -1]").click()
    assert said(walk).startswith("x[-1, -1] is padding, a constant: it has no gradient.")
    cell(walk, "∂L/∂y[1, 2]").click()
    words = "∂L/∂y[1, 2] = 1 goes back to 9 inputs, times the weight, and to 9 weights, times the input. Shape"
    assert said(walk).startswith(words)
    cell(walk, "∂L/∂y[0, 0]").click()
    words = "1 goes back to 4 inputs, times the weight, and to 9 weights, times the input. What falls on padding is dropped."
    assert said(walk).startswith(f"∂L/∂y[0, 0] = {words} Shape")
    cell(walk, "∂L/∂y[1, 2]").click()
    cell(walk, "∂L/∂x[3, 5]").click()
    assert said(walk).startswith("∂L/∂x[3, 5] = 1·1 = 1.")
    cell(walk, "∂L/∂x[7, 0]").click()
    assert said(walk).startswith("∂L/∂x[7, 0] = 0, as no output with a gradient is made of it.")


def test_kernel_that_does_not_fit_is_said_and_comes_back(walk):
    start_over(walk, "blur, 5 × 5", padding=0, dilation=3)
    for back in (False, True):
        walk.get_by_role("checkbox", name="backward").set_checked(back)
        assert said(walk).startswith(
            "The kernel does not fit: it covers 13 × 13 pixels, the image with its padding has 8 × 8."
        )
        assert drawn(walk)["shape"] == [0, 0] and drawn(walk)["dw"] == [0] * 25
        expect(walk.get_by_role("grid")).to_have_count(2)
        expect(slider(walk, "position")).to_be_disabled()
        expect(walk.get_by_role("button", name="Play")).to_be_disabled()
        cell(walk, "∂L/∂x[0, 0]" if back else "x[0, 0]").click()
        cell(walk, "∂L/∂w[4, 4]" if back else "w[4, 4]").click()
    slider(walk, "padding").fill("3")
    assert drawn(walk)["shape"] == [2, 2]
    expect(slider(walk, "position")).to_be_enabled()
    assert slider(walk, "position").get_attribute("max") == "3"


def test_keyboard_reaches_and_moves_everything_and_the_kernel_hears_of_it(opened, walk):
    start_over(walk)
    walk.get_by_role("combobox", name="kernel").focus()
    press = opened.page.keyboard.press
    for key in ["ArrowDown", "ArrowDown", "ArrowRight", "ArrowRight", "ArrowRight", "ArrowRight"]:
        press(key)
        drawn(walk)
        press("Tab")
    expect(walk.get_by_role("button", name="Play")).to_be_focused()
    press("Tab")
    press("Space")
    drawn(walk)
    press("Tab")
    press("ArrowDown")
    opened.until(
        "(walk.kernel, walk.operation, walk.stride, walk.padding, walk.dilation, walk.position, walk.backward, walk.incoming)"
        " == ('horizontal edges', 'convolution', 2, 2, 2, (3, 0), True, 'ones')"
    )
    for grid, symbol in enumerate("xwy"):
        press("Tab")
        focused = walk.locator(":focus")
        expect(focused).to_have_role("gridcell")
        expect(walk.get_by_role("grid").nth(grid).locator(":focus")).to_have_count(1)
        press("Home")
        press("ArrowUp" if grid == 1 else "ArrowDown")
        first = drawn(walk)["chosen"]
        press("ArrowRight")
        second = drawn(walk)["chosen"]
        step = -1 if symbol == "w" else 1  # the kernel lies turned
        assert (second[1] - first[1], second[2] - first[2]) == (0, step)
        expect(focused).to_have_attribute("aria-selected", "true")
        expect(focused).to_have_attribute("aria-label", re.compile(rf"{symbol}\["))
        press("End")
        press("ArrowRight")
        assert drawn(walk)["chosen"][1] == first[1], "the end of a row is an end"
    opened.until("walk.position == (3, walk.output().shape[1] - 1)")
    opened.until("walk._picked == 'output'")


def test_play_goes_through_the_outputs_and_another_press_holds_it(opened, walk):
    start_over(walk, stride=3)
    slider(walk, "position").fill("6")
    button = walk.get_by_role("button", name=re.compile("Play|Pause"))
    button.click()
    expect(button).to_have_text("Pause")
    opened.until("walk.position == (2, 2)")
    expect(button).to_have_text("Play")
    button.click()
    opened.page.wait_for_function("() => document.querySelector('.lab').numbers.chosen.join() === 'output,0,1'")
    button.click()
    held = drawn(walk)["chosen"]
    opened.page.wait_for_timeout(600)
    assert drawn(walk)["chosen"] == held
    opened.until(f"walk.position == {tuple(held[1:])}")
    button.click()
    cell(walk, "x[0, 0]").click()
    expect(button).to_have_text("Play")
    assert drawn(walk)["chosen"] == ["input", 0, 0]


def test_kernel_moves_the_picture(opened, walk):
    start_over(walk)
    opened.start("walk.kernel = 'identity'; walk.padding = 0; walk.backward = True")
    expect(slider(walk, "padding")).to_have_value("0")
    expect(walk.get_by_role("checkbox", name="backward")).to_be_checked()
    expect(walk.get_by_role("combobox", name="kernel")).to_have_value("identity")
    assert drawn(walk)["output"] == IMAGE[1:-1, 1:-1].ravel().tolist()


@pytest.mark.parametrize("back", [False, True], ids=["forward", "backward"])
def test_axe_finds_nothing_in_either_theme(opened, walk, back):
    start_over(walk, "sharpen", incoming="ones", back=back)
    for theme in ("JupyterLab Dark", "JupyterLab Light"):
        opened.wear(theme)
        assert opened.violations() == ""


def test_every_number_can_be_read_on_its_colour(walk):
    contrast = """cells => Math.min(...cells.map(cell => {
      const light = color => {
        const [r, g, b] = color.match(/[\\d.]+/g).map(value => value / 255).map(v => (v <= 0.04 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4));
        return 0.2126 * r + 0.7152 * g + 0.0722 * b + 0.05;
      };
      const { color, backgroundColor } = getComputedStyle(cell), pair = [light(color), light(backgroundColor)];
      return Math.max(...pair) / Math.min(...pair);
    }))"""
    for kernel in ("vertical edges", "blur, 3 × 3", "edges all around"):
        start_over(walk, kernel, padding=0)
        assert walk.get_by_role("gridcell").evaluate_all(contrast) > 4.5


@pytest.mark.parametrize("kernel, padding", [("vertical edges", 1), ("blur, 5 × 5", 3)])
def test_narrow_page_needs_no_scrolling_sideways(opened, walk, kernel, padding):
    start_over(walk, kernel, padding=padding, back=True)
    opened.page.set_viewport_size({"width": 390, "height": 1000})
    try:
        opened.page.wait_for_function("() => document.querySelector('.lab').getBoundingClientRect().right <= 390")
        for back in (True, False):
            walk.get_by_role("checkbox", name="backward").set_checked(back)
            drawn(walk)
            edges = "elements => elements.map(element => element.getBoundingClientRect().right)"
            assert max(walk.locator("input, select, button, p, label, [role=gridcell]").evaluate_all(edges)) <= 390
            assert walk.evaluate("root => root.scrollWidth <= root.clientWidth")
            cut = "cells => cells.filter(cell => cell.scrollWidth > cell.clientWidth + 1).map(cell => cell.textContent)"
            assert walk.get_by_role("gridcell").evaluate_all(cut) == []
    finally:
        opened.page.set_viewport_size({"width": 1100, "height": 1000})


def test_it_runs_without_jupyter_on_an_image_of_ones_own(page):
    walk = shown_anywhere(page, KernelWalk([[1, 2, 4]], {"difference": [[-1, 1]]}, padding=0, position=(0, 1)))
    assert drawn(walk)["output"] == [1, 2] and said(walk).startswith(
        "y[0, 1] = 2·(-1) + 4·1 = 2. Shape of the output: 1 × 2, as"
    )
    assert "1 rows and ⌊(3 + 2·0 - 1·(2 - 1) - 1) / 1⌋ + 1 = 2 columns" in said(walk)


def test_nothing_plays_for_those_who_prefer_reduced_motion(page):
    page.emulate_media(reduced_motion="reduce")
    walk = shown_anywhere(page, KernelWalk())
    expect(walk.get_by_role("button", name="Play", include_hidden=True)).to_be_hidden()
    expect(slider(walk, "position")).to_be_visible()


def test_saved_notebook_walks_without_a_kernel(opened, walk):
    start_over(walk, "sharpen")
    opened.until("walk.kernel == 'sharpen'")
    reopened = opened.reopened_without_kernel()
    slider(reopened, "stride").fill("2")
    assert drawn(reopened)["output"] == by_torch("sharpen", 2, 1, 1, "correlation", ones)[0].ravel().tolist()
