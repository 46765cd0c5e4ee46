"""What is generated belongs to what it was made from: notebook, check sheet and nbgrader's metadata."""

import nbformat
import pytest
from nbgrader.preprocessors import CheckCellMetadata

from grader.build import out_of_step
from grader.texts import Page, pages
from labutils import progress

# Known mistakes may warn when their outcomes are computed.
pytestmark = pytest.mark.filterwarnings("ignore::RuntimeWarning")

BOOK = pages()
CHAPTERS = [page for page in BOOK if page.chapter]


def named(page: Page) -> str:
    return page.name


@pytest.mark.parametrize("page", BOOK, ids=named)
def test_nothing_is_left_to_build(page: Page):
    assert out_of_step(page) == [], "run `python -m grader build`"


@pytest.mark.parametrize("page", BOOK, ids=named)
def test_the_notebook_is_valid_and_was_run(page: Page):
    notebook = nbformat.read(page.notebook, as_version=4)
    nbformat.validate(notebook)
    ids = [cell.id for cell in notebook.cells]
    assert len(set(ids)) == len(ids)
    counts = [cell.execution_count for cell in notebook.cells if cell.cell_type == "code"]
    assert counts == list(range(1, len(counts) + 1))


@pytest.mark.parametrize("page", CHAPTERS, ids=named)
def test_nbgrader_accepts_the_metadata_and_it_gives_the_points_of_the_exercises(page: Page):
    notebook = nbformat.read(page.notebook, as_version=4)
    CheckCellMetadata().preprocess(notebook, {})
    nbgraders = [cell.metadata.nbgrader for cell in notebook.cells if "nbgrader" in cell.metadata]
    points = {nbgrader.grade_id: nbgrader.points for nbgrader in nbgraders if nbgrader.grade}
    assert points == {f"check_{name}": exercise.points for name, exercise in page.chapter.exercises.items()}


@pytest.mark.parametrize("page", CHAPTERS, ids=named)
def test_time_and_memory_were_measured_and_are_within_the_budget(page: Page):
    measured = nbformat.read(page.notebook, as_version=4).metadata["measured"]
    assert page.settings["budget"].keys() == measured.keys()
    assert all(0 < measured[unit] <= limit for unit, limit in page.settings["budget"].items())


def test_progress_lists_the_chapters_in_the_order_of_the_book():
    listed = [part.text.partition(":")[0] for part in progress().parts if part.kind == "text"]
    assert listed[: len(CHAPTERS)] == [page.chapter.name for page in CHAPTERS]
