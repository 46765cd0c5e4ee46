"""Each chapter, solved by its references, runs through in the student's way, and shows every function at work."""

import re
from collections.abc import Callable
from functools import cache
from pathlib import Path

import nbformat
import pytest
from nbformat import NotebookNode

from grader.build import write_source
from grader.running import run
from grader.texts import ROOT, pages
from labutils.checks.messages import AT_WORK_TITLE
from labutils.checks.panels import MIME_TYPE

CHAPTERS = {page.name: page for page in pages() if page.chapter}


@pytest.fixture(scope="module")
def solved(tmp_path_factory) -> Callable[[str], NotebookNode]:
    """Gives a chapter's instructor's edition after all of it was run, demonstrations included, with the check sheet."""

    @cache
    def run_once(name: str) -> NotebookNode:
        source: Path = write_source(CHAPTERS[name], tmp_path_factory.mktemp(name))
        return run(nbformat.read(source, as_version=4), source.parent, import_from=ROOT)[0]

    return run_once


def printed(cell: NotebookNode) -> str:
    """What a cell shows as text."""
    outputs = cell.get("outputs", ())
    return "".join(output.get("text") or output.get("data", {}).get("text/plain", "") for output in outputs)


@pytest.mark.parametrize("name", CHAPTERS)
def test_it_earns_everything_and_nothing_stops_at_work(solved, name: str):
    outputs = [output for cell in solved(name).cells for output in cell.get("outputs", ())]
    records = [output["data"][MIME_TYPE] for output in outputs if MIME_TYPE in output.get("data", {})]
    assert {record["exercise"]: record["points"] for record in records} == {
        exercise: stub.exercise.points for exercise, stub in CHAPTERS[name].stubs.items()
    }
    texts = [printed(cell) for cell in solved(name).cells if "at_work(" in cell.source]
    complaints = [AT_WORK_TITLE.format(exercise=exercise) for exercise in CHAPTERS[name].stubs]
    assert [text for text in texts if any(complaint in text for complaint in complaints)] == []


def test_the_convolution_that_is_the_students_own_reads_digits_as_the_chapter_claims(solved):
    (cell,) = [cell for cell in solved("convolution_backprop").cells if "at_work(conv2d, read_" in cell.source]
    said = printed(cell)
    assert "Backward: your conv2d_backward." in said
    own, with_torchs = map(
        float, re.search(r"Validation accuracy (\S+), with torch's convolution (\S+)\.\n", said).groups()
    )
    assert own == with_torchs >= 0.93
    assert float(re.search(r"Largest difference of the loss in \d+ steps: (\S+)", said)[1]) < 1e-6
