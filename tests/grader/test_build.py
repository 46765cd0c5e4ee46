"""`build` makes the notebook from the text, says where text and definitions disagree, and measures what it runs."""

import shutil
from collections.abc import Callable
from pathlib import Path

import nbformat
import numpy as np
import pytest

from grader.__main__ import main
from grader.build import assemble, build, out_of_step, write_source
from grader.texts import CHAPTERS, ROOT, Page, TextError, pages

from . import tiny

# Known mistakes may warn when their outcomes are computed.
pytestmark = pytest.mark.filterwarnings("ignore::RuntimeWarning")

FRONT = """---
kernelspec:
  display_name: Python 3
  language: python
  name: python3
lab:
  title: A page
{}---

# A page

"""


def page_of(folder: Path, *cells: str, budget: str = "") -> Page:
    """A page without exercises, whose text has these code cells."""
    code = "\n\n".join(f"```{{code-cell}} ipython3\n{cell}\n```" for cell in cells)
    path = folder / "page.md"
    path.write_text(FRONT.format(budget) + code + "\n", encoding="utf-8")
    return Page(path)


# -- text and definitions -------------------------------------------------------------------------------------------

EXERCISE_LINE = tiny.TEXT[: tiny.TEXT.index("def running_sum")].count("\n") + 1
CHECK_LINE = tiny.TEXT[: tiny.TEXT.index("check(running_sum)")].count("\n") + 1
SECOND_CHECK = "\n```{code-cell} ipython3\n:tags: [check]\n\ncheck(running_sum)\n```\n"

DOCSTRING = tiny.TEXT[tiny.TEXT.index('    """') : tiny.TEXT.index("    # YOUR CODE HERE")]

DISAGREEMENTS = {
    "renamed": (("def running_sum", "def sums"), EXERCISE_LINE, "sums is no exercise of this chapter"),
    "signature": (("running_sum(values):", "running_sum(values, axis=0):"), EXERCISE_LINE, "asks for (values, axis=0)"),
    "more than a function": (("NotImplementedError", "NotImplementedError\n\nx = 1"), EXERCISE_LINE, "one function"),
    "a class": (("def running_sum(values):", "class running_sum:"), EXERCISE_LINE, "one function and nothing else"),
    "no place for the body": (("    # YOUR CODE HERE\n", ""), EXERCISE_LINE, "# YOUR CODE HERE"),
    "no docstring": ((DOCSTRING, ""), EXERCISE_LINE, "running_sum has no docstring"),
    "no example": ((">>> running_sum(np.array([1, 2, 3]))", "Such as"), EXERCISE_LINE, "no worked value"),
    "wrong example": (("array([1, 3, 6])", "array([1, 3, 5])"), EXERCISE_LINE, "not what its reference returns"),
    "check and more": (("check(running_sum)", "check(running_sum, 5)"), CHECK_LINE, "one line, `check(name)`"),
    "check of another": (("check(running_sum)", "check(print)"), CHECK_LINE, "print is checked and has no"),
    "no check": ((":tags: [check]", ":tags: [demo]"), EXERCISE_LINE, "running_sum has no check cell"),
    "two checks": ((SECOND_CHECK, SECOND_CHECK + SECOND_CHECK), CHECK_LINE + 6, "second check cell"),
}


@pytest.mark.parametrize(("change", "line", "words"), DISAGREEMENTS.values(), ids=DISAGREEMENTS)
def test_a_disagreement_is_told_with_its_line(change: tuple[str, str], line: int, words: str, tmp_path: Path):
    page = tiny.page(tmp_path, tiny.TEXT.replace(*change))
    with pytest.raises(TextError) as told:
        build(page)
    assert f"{page.text}:{line}: " in str(told.value)
    assert words in str(told.value)
    assert not page.notebook.exists()


def test_a_definition_without_a_cell_is_told_with_its_place(tmp_path: Path):
    page = tiny.page(tmp_path, tiny.TEXT[: tiny.TEXT.index("```{code-cell} ipython3\n:tags: [exercise]")])
    with pytest.raises(TextError, match=r"tiny\.py:\d+: running_sum, defined here, has no exercise cell in .*tiny\.md"):
        page.stubs


def test_an_exercise_without_points_or_reference_is_refused(tmp_path: Path):
    worthless, unsolved = tiny.exercise(), tiny.exercise()
    worthless.points = 0
    unsolved.reference_function = None
    with pytest.raises(TextError, match="running_sum is worth 0 points"):
        tiny.page(tmp_path, tiny.TEXT, worthless).stubs
    with pytest.raises(TextError, match="running_sum has no reference"):
        tiny.page(tmp_path, tiny.TEXT, unsolved).stubs


def test_an_answer_that_cannot_be_moved_into_a_cell_is_named(tmp_path: Path):
    exercise = tiny.exercise()

    # fmt: off
    @exercise.alternative
    def on_one_line(values): return np.cumsum(values)
    # fmt: on

    with pytest.raises(TextError, match=r"running_sum cannot be built from .*tiny\.py:\d+: the body of on_one_line"):
        tiny.page(tmp_path, tiny.TEXT, exercise).stubs


BUDGETS = {
    "unit": "  budget:\n    second: 30\n",
    "no number": "  budget:\n    seconds: half a minute\n",
    "no unit": "  budget: 30\n",
}


@pytest.mark.parametrize("budget", BUDGETS.values(), ids=BUDGETS)
@pytest.mark.parametrize("command", [build, out_of_step])
def test_a_budget_in_other_units_is_told_with_its_line(command: Callable, budget: str, tmp_path: Path):
    page = page_of(tmp_path, "print('fine')", budget=budget)
    with pytest.raises(TextError, match=r"page\.md:8: a budget gives seconds and megabytes, each as a number"):
        command(page)


@pytest.mark.parametrize("command", ["verify", "source"])
def test_a_page_without_exercises_is_named(command: str, capsys: pytest.CaptureFixture):
    assert main([command, "start"]) == 0
    assert capsys.readouterr().out == "start has no exercises\n"


def test_a_page_that_does_not_exist_is_named(capsys: pytest.CaptureFixture):
    assert main(["build", "--check", "learning_rat"]) == 1
    assert "no page 'learning_rat'" in capsys.readouterr().err


# -- the notebook ---------------------------------------------------------------------------------------------------


def test_cell_ids_stay_when_other_cells_change(tmp_path: Path):
    before = [cell.id for cell in assemble(page_of(tmp_path, "1", "2", "1")).cells]
    after = [cell.id for cell in assemble(page_of(tmp_path, "1", "3", "1", "1")).cells]
    assert len(set(before)) == 4 and len(set(after)) == 5
    assert (before[0], before[1], before[3]) == (after[0], after[1], after[3])
    assert before[2] != after[2]


def test_the_notebook_holds_nbgraders_metadata_and_the_exercises_points(tmp_path: Path):
    cells = {cell.id: cell.metadata.get("nbgrader") for cell in assemble(tiny.page(tmp_path)).cells}
    common = {"schema_version": 3, "task": False}
    assert cells["running_sum"] == {
        **common,
        "grade_id": "running_sum",
        "grade": False,
        "locked": False,
        "solution": True,
    }
    assert cells["check_running_sum"] == {
        **common,
        "grade_id": "check_running_sum",
        "grade": True,
        "locked": True,
        "solution": False,
        "points": 2,
    }
    assert list(cells.values()).count(None) == 2


def test_the_source_is_solved_between_nbgraders_marks_and_has_the_files_beside_it(tmp_path: Path):
    page = tiny.page(tmp_path)
    (tmp_path / "picture.png").write_bytes(b"a picture")
    (tmp_path / "notes.md").write_text("not for students")
    source = write_source(page, tmp_path / "source")
    assert sorted(path.name for path in source.parent.iterdir()) == ["picture.png", "tiny.ipynb"]
    (solution,) = [cell.source for cell in nbformat.read(source, as_version=4).cells if cell.id == "running_sum"]
    assert solution.endswith('    """\n    ### BEGIN SOLUTION\n    return np.cumsum(values)\n    ### END SOLUTION')


def test_a_second_build_changes_nothing(tmp_path: Path):
    widget = "from ipywidgets import IntSlider\nIntSlider(description='epochs')"
    bars = "from tqdm import tqdm\nfrom tqdm.notebook import tqdm as tqdm_notebook\n"
    bars += "for _ in tqdm(range(3)): pass\nfor _ in tqdm_notebook(range(3)): pass"
    page = page_of(tmp_path, "print('one')", widget, bars)
    build(page)
    first = page.notebook.read_bytes()
    build(page)
    assert page.notebook.read_bytes() == first
    notebook = nbformat.reads(first.decode(), as_version=4)
    assert [len(cell.outputs) for cell in notebook.cells[1:]] == [1, 1, 0]
    (view,) = notebook.cells[2].outputs
    shown = view.data["application/vnd.jupyter.widget-view+json"]["model_id"]
    state = notebook.metadata.widgets["application/vnd.jupyter.widget-state+json"]["state"]
    assert {state[model_id].model_name for model_id in state} == {"IntSliderModel", "SliderStyleModel", "LayoutModel"}
    assert state[shown].state.description == "epochs"


def test_a_cell_that_raises_is_named_and_the_notebook_is_left_alone(tmp_path: Path):
    page = page_of(tmp_path, "print('fine')")
    build(page)
    before = page.notebook.read_bytes()
    page = page_of(tmp_path, "print('fine')", "1 / 0")
    line = page.text.read_text().splitlines().index("1 / 0") + 1
    with pytest.raises(TextError, match=rf"page\.md:{line}: this cell stopped with ZeroDivisionError"):
        build(page)
    assert page.notebook.read_bytes() == before


@pytest.mark.parametrize("old", [None, b"an old sheet"], ids=["first sheet", "old sheet"])
def test_a_failed_build_leaves_the_check_sheet_alone(old: bytes | None, tmp_path: Path, monkeypatch):
    sheets = tmp_path / "sheets"
    monkeypatch.setattr("grader.build.SHEETS", sheets)
    sheet = sheets / "01_tiny.json"
    if old is not None:
        sheets.mkdir()
        sheet.write_bytes(old)
    page = tiny.page(tmp_path, tiny.TEXT + "\n```{code-cell} ipython3\n1 / 0\n```\n")
    with pytest.raises(TextError, match="this cell stopped with ZeroDivisionError"):
        build(page)
    assert (sheet.read_bytes() if sheet.exists() else None) == old


def test_a_full_disk_leaves_the_notebook_and_nothing_half_written(tmp_path: Path):
    resource = pytest.importorskip("resource", reason="only POSIX systems limit the size of a file")
    page = page_of(tmp_path, "print('fine')")
    build(page, execute=False)
    before = page.notebook.read_bytes()
    page = page_of(tmp_path, f"text = {'much ' * 1_000!r}")
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (2_000, limits[1]))
    try:
        with pytest.raises(OSError, match="too large"):
            build(page, execute=False)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)
    assert page.notebook.read_bytes() == before
    assert {path.name for path in tmp_path.iterdir()} == {"page.md", "page.ipynb"}


def test_more_time_or_memory_than_the_budget_is_a_complaint(tmp_path: Path):
    hungry = "import time\nblock = bytearray(400_000_000)\ntime.sleep(3)"
    page = page_of(tmp_path, hungry, budget="  budget:\n    seconds: 1\n    megabytes: 400\n")
    measured, complaint = build(page)
    assert measured.seconds > 1 and 400 < measured.megabytes < 800
    assert "seconds are over the budget of 1" in complaint and "megabytes are over the budget of 400" in complaint
    assert f"the slowest cells are line {page.cells[1].line} with " in complaint
    assert any("over the budget" in found for found in out_of_step(page))
    page = page_of(tmp_path, hungry, budget="  budget:\n    seconds: 100\n    megabytes: 4000\n")
    assert build(page)[1] is None


def test_no_run_keeps_what_is_unchanged(tmp_path: Path):
    build(page_of(tmp_path, "print('one')", "print('two')"))
    page = page_of(tmp_path, "print('one')", "print('three')")
    assert build(page, execute=False) == (None, None)
    outputs = [cell.outputs for cell in nbformat.read(page.notebook, as_version=4).cells[1:]]
    assert outputs[0][0].text == "one\n" and outputs[1] == []


# -- in step --------------------------------------------------------------------------------------------------------


def edited(page: Page, folder: Path, change: tuple[str, str]) -> Page:
    """The page in another folder, with its notebook and another text."""
    shutil.copy(page.notebook, folder)
    text = page.text.read_text(encoding="utf-8")
    assert change[0] in text
    (folder / page.text.name).write_text(text.replace(*change, 1), encoding="utf-8")
    return Page(folder / page.text.name, page.chapter)


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (("check(step_decay)", "# now\n\ncheck(step_decay)"), "check cell"),
        ((":tags: [setup]", ":tags: [setup, demo]"), "this cell differs"),
        (("import numpy as np", "import numpy as np  # numbers"), "this cell differs"),
        (("title: Learning rate", "title: Rates"), "its lab is not the text's"),
    ],
    ids=["source of a check", "tags", "source", "front matter"],
)
def test_every_difference_between_text_and_notebook_is_found(change: tuple[str, str], words: str, tmp_path: Path):
    (page,) = pages(("learning_rate",))
    changed = edited(page, tmp_path, change)
    try:
        found = out_of_step(changed)
    except TextError as told:
        found = [str(told)]
    assert any(words in one and str(changed.text.parent) in one for one in found), found


def test_a_sheet_that_is_not_what_the_exercises_give_is_found(tmp_path: Path):
    (page,) = pages(("learning_rate",))
    exercise = page.chapter.exercises["step_decay"]
    hints, exercise.hints = exercise.hints, (*exercise.hints, "One more.")
    try:
        assert any("01_learning_rate.json: is not what the exercises give" in found for found in out_of_step(page))
    finally:
        exercise.hints = hints


def test_the_paths_are_the_books():
    assert [page.text.relative_to(ROOT).as_posix() for page in pages()][:2] == [
        "chapters/start.md",
        "chapters/01_learning_rate/learning_rate.md",
    ]
    assert CHAPTERS.is_dir()
