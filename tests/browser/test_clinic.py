"""The curve clinic in JupyterLab: what is drawn, what is said to right and wrong picks, and that it needs no kernel."""

import re

import numpy as np
from playwright.sync_api import expect

from benchmarks._jupyterlab import drawn
from labutils.widgets import CurveClinic
from labutils.widgets.clinic import DIAGNOSES, runs

SHOW = "from labutils.widgets import CurveClinic\nclinic = CurveClinic(seed=3)\nclinic"
ORDER = [runs()[index] for index in CurveClinic(seed=3)._order]


def test_diagnosing_by_mouse_and_by_keyboard(notebook):
    opened = notebook(SHOW)
    clinic = opened.widget()
    answer = lambda name: clinic.get_by_role("button", name=re.compile(rf"^[✓✗ ]*{name}$"))  # noqa: E731
    feedback = clinic.locator("[aria-live=polite]")
    first, second = ORDER[:2]
    wrong = next(name for name in DIAGNOSES if name != first.diagnosis)

    numbers = drawn(clinic)
    np.testing.assert_allclose(numbers["train"], first.train_loss)
    np.testing.assert_allclose(numbers["validation"], first.validation_loss)

    answer(wrong).click()
    expect(feedback).to_contain_text(f"Not {wrong}.")
    expect(clinic).to_contain_text("solved: 0, at first try: 0")
    answer(first.diagnosis).click()
    expect(feedback).to_contain_text(f"Right: {first.diagnosis}.")
    expect(answer(first.diagnosis)).to_have_attribute("aria-pressed", "true")
    expect(clinic).to_contain_text("solved: 1, at first try: 0")
    assert opened.violations() == ""

    clinic.get_by_role("button", name="next case").focus()
    opened.page.keyboard.press("Enter")
    expect(clinic).to_contain_text(f"Case 2 of {len(ORDER)}")
    np.testing.assert_allclose(drawn(clinic)["train"], second.train_loss)
    for _ in range(1 + DIAGNOSES.index(second.diagnosis)):
        opened.page.keyboard.press("Tab")
    opened.page.keyboard.press("Space")
    expect(feedback).to_contain_text(f"Right: {second.diagnosis}.")
    expect(clinic).to_contain_text("solved: 2, at first try: 1")

    clinic.get_by_role("button", name="previous case").click()
    expect(feedback).to_contain_text(f"Right: {first.diagnosis}.")
    clinic.get_by_role("button", name="previous case").click()
    expect(clinic).to_contain_text(f"Case {len(ORDER)} of {len(ORDER)}")


# Presses every button of a case in the given order and returns what is said to each.
PRESS = """async (clinic, names) => {
  const said = [];
  for (const name of names) {
    const buttons = [...clinic.querySelectorAll("fieldset button")];
    buttons.find(button => button.textContent.replace(/^[✓✗] /, "") === name).click();
    await new Promise(requestAnimationFrame);
    await new Promise(requestAnimationFrame);
    said.push(clinic.querySelector("[aria-live]").textContent);
  }
  return said;
}"""


def test_every_case_without_a_kernel_and_on_a_narrow_screen(notebook):
    opened = notebook(SHOW)
    clinic = opened.widget()
    opened.page.evaluate("window.jupyterapp.commands.execute('kernelmenu:shutdown')")
    expect(opened.page.locator(".jp-Notebook-ExecutionIndicator")).not_to_have_attribute("data-status", "idle")
    opened.page.set_viewport_size({"width": 390, "height": 844})
    opened.page.wait_for_function("() => document.querySelector('.lab').getBoundingClientRect().right <= 390")

    for run in ORDER:
        wrong = [name for name in DIAGNOSES if name != run.diagnosis]
        *rejected, accepted = clinic.evaluate(PRESS, [*wrong, run.diagnosis])
        assert [text.startswith(f"Not {name}.") for name, text in zip(wrong, rejected)] == [True] * len(wrong)
        assert accepted.startswith(f"Right: {run.diagnosis}.") and "What helps:" in accepted
        assert clinic.evaluate("element => element.scrollWidth <= element.clientWidth")
        clinic.get_by_role("button", name="next case").click()
    expect(clinic).to_contain_text(f"solved: {len(ORDER)}, at first try: 0")
    assert opened.violations() == ""
    # What the widgets' manager says to each change that no kernel is there to hear.
    opened.problems[:] = [problem for problem in opened.problems if "Could not send widget sync message" not in problem]
