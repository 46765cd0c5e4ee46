"""The update-ratio plot in JupyterLab: it follows a training that still runs, and draws what the kernel measured."""

import re

import numpy as np
from playwright.sync_api import expect

from benchmarks._jupyterlab import drawn

# The training waits in the middle of its cell: what the plot shows then, it has drawn live.
LIVE = """
import threading
import numpy as np
import torch
from IPython.display import display
from labutils import data, train
from labutils.widgets import UpdateRatioPlot

torch.manual_seed(0)
model = torch.nn.Sequential(torch.nn.Linear(64, 32), torch.nn.ReLU(), torch.nn.Linear(32, 10))
plot = UpdateRatioPlot(every=4)
display(plot)

def measure(step, model):
    plot.measure(step, model)
    if step == 150:
        input("go on?")

history = train(model, data.digits(), torch.optim.SGD(model.parameters(), 0.1), epochs=6, on_step=measure, device="cpu")
"""
REPORT = "print('MEASURED', plot.steps.tolist(), [np.log10(r).round(4).tolist() for r in plot.ratios.values()])"


def test_live_then_smoothed_by_keyboard_and_mouse(notebook):
    opened = notebook(LIVE, REPORT)
    plot, page = opened.widget(), opened.page
    waiting = page.locator(".jp-Stdin-input")
    expect(waiting).to_be_visible()
    expect(plot).to_contain_text("0.weight -")  # while the cell has not ended
    assert 0 < drawn(plot)["steps"][-1] <= 150

    waiting.press("Enter")
    report = page.locator(".jp-OutputArea-output", has_text=re.compile(r"MEASURED \["))
    expect(report).to_contain_text(re.compile(r"MEASURED .*\]\]"))  # a long line comes in pieces
    steps, ratios = (eval(part) for part in re.match(r"MEASURED (\[.*?\]) (\[\[.*\]\])", report.inner_text()).groups())
    expect(plot).to_contain_text(f"Step {steps[-1]},")
    numbers = drawn(plot)
    assert numbers["layers"] == ["0.weight", "2.weight"]
    assert numbers["steps"] == steps == list(range(4, 205, 4))
    np.testing.assert_allclose(numbers["ratios"], ratios, atol=1e-4)

    slider = plot.get_by_role("slider", name="smoothing β")
    slider.focus()
    for _ in range(3):
        page.keyboard.press("ArrowRight")
    expect(slider).to_have_attribute("aria-valuetext", "0.65")
    np.testing.assert_allclose(drawn(plot)["smoothed"], smooth(ratios, 0.65), atol=1e-4)

    slider.scroll_into_view_if_needed()
    box = slider.bounding_box()
    page.mouse.click(box["x"] + 1, box["y"] + box["height"] / 2)
    expect(slider).to_have_attribute("aria-valuetext", "0")
    np.testing.assert_allclose(drawn(plot)["smoothed"], ratios, atol=1e-4)

    assert opened.violations() == ""
    page.set_viewport_size({"width": 390, "height": 844})
    page.wait_for_function("() => document.querySelector('.lab').getBoundingClientRect().right <= 390")
    drawn(plot)
    assert plot.evaluate("element => element.scrollWidth <= element.clientWidth")


def smooth(ratios, beta):
    """Bias-corrected moving average along the last axis, in one formula: a weighted mean of all values so far."""
    ratios, count = np.array(ratios), len(ratios[0])
    weights = np.tril(beta ** (np.arange(count)[:, None] - np.arange(count)).clip(0).astype(float))
    return ratios @ (weights / weights.sum(1, keepdims=True)).T
