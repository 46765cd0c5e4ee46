"""Every chapter as it is handed out, opened and trusted: all that can be moved is alive before any cell is run."""

import pytest
from playwright.sync_api import expect

from benchmarks._jupyterlab import Notebook, drawn
from grader.texts import pages

CHAPTERS = [page for page in pages() if page.chapter]
CONTROLS = "input:visible, select:visible, button:visible"


@pytest.mark.parametrize("page_of_the_book", CHAPTERS, ids=lambda page: page.name)
def test_every_widget_is_alive_reached_by_keyboard_and_fits_a_phone(lab, page, page_of_the_book):
    opened = _with_its_widgets(Notebook(page), lab.copy_trusted(page_of_the_book.notebook))
    widgets, shown = page.locator(".lab"), page_of_the_book.notebook.read_text(encoding="utf-8")
    expect(widgets).to_have_count(shown.count('"_anywidget_id"'))
    for place in range(widgets.count()):
        _moves_by_keyboard(widgets.nth(place))
    assert opened.violations() == ""

    page.set_viewport_size({"width": 390, "height": 844})
    page.wait_for_function("() => [...document.querySelectorAll('.lab')].every(one => one.clientWidth <= 390)")
    for place in range(widgets.count()):
        drawn(widgets.nth(place))
        assert widgets.nth(place).evaluate("root => root.scrollWidth <= root.clientWidth + 1")
    assert opened.violations() == ""
    assert not opened.problems


def _with_its_widgets(notebook, address):
    """The chapter with its widgets restored.

    Where a kernel is slow to connect, the manager of ipywidgets may say that all is restored before it has read the
    notebook; then each widget says that its model is not found. It is well when the page is loaded again.
    """
    notebook.open(address)
    lost = notebook.page.get_by_text("Error displaying widget: model not found")
    expect(notebook.page.locator(".lab").or_(lost).first).to_be_visible()
    if lost.count():
        notebook.problems[:] = [problem for problem in notebook.problems if "widget model not found" not in problem]
        notebook.open(address)
    return notebook


def _moves_by_keyboard(widget):
    """Tab goes through the controls in their order, and an arrow key changes what is drawn."""
    controls = widget.locator(CONTROLS)
    controls.first.focus()
    for place in range(controls.count()):
        expect(controls.nth(place)).to_be_focused()
        widget.page.keyboard.press("Tab")
    for switch in widget.get_by_role("checkbox").all():  # what is switched off does not change with its slider
        switch.check()
    for slider in widget.get_by_role("slider").all():
        before = drawn(widget)
        slider.press("ArrowLeft" if slider.input_value() == slider.get_attribute("max") else "ArrowRight")
        assert drawn(widget) != before, slider.get_attribute("aria-label")
