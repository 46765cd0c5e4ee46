"""Running a notebook headless: what needs no process of its own to be seen."""

import json
import os
import subprocess
import sys

import nbformat
import pytest

from labutils import notebooks
from labutils.__main__ import main
from labutils.checks.judging import find_judge
from labutils.checks.panels import MIME_TYPE


@pytest.fixture
def path(tmp_path):
    return tmp_path / "notes.ipynb"


def write(path, *cells):
    nbformat.write(nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(cell) for cell in cells]), path)
    return path


def test_a_cell_without_end_is_interrupted_and_the_rest_runs(path):
    notebook, troubles = notebooks.run_notebook(write(path, "while True: pass", "'after'"), cell_seconds=5)
    assert notebook.cells[1].outputs[0].data["text/plain"] == "'after'"
    assert troubles == []


def test_without_a_kernel_the_way_out_is_told(path, monkeypatch):
    monkeypatch.setattr(notebooks, "KERNEL", "no-such-kernel")
    with pytest.raises(notebooks.NotebookError, match="kernel no-such-kernel does not start.*pip install ipykernel"):
        notebooks.run_notebook(write(path, "1"))


def test_a_cell_that_no_interrupt_reaches_ends_the_kernel_and_is_told(path, monkeypatch):
    monkeypatch.setattr(notebooks, "SECONDS_AFTER_INTERRUPT", 2)
    cells = write(path, "import itertools\nsum(itertools.count())", "'after'")
    notebook, (trouble,) = notebooks.run_notebook(cells, cell_seconds=3)
    assert "could not be interrupted" in trouble and "longer than 3 s" in trouble
    assert notebook.cells[1].outputs == []


@pytest.mark.parametrize("command", ["/bin/false", "/no/such/python"])
def test_a_kernel_that_does_not_start_is_told_in_one_sentence(path, command, tmp_path):
    folder = tmp_path / "share" / "kernels" / "python3"
    folder.mkdir(parents=True)
    kernel = {"argv": [command, "{connection_file}"], "display_name": "Python", "language": "python"}
    (folder / "kernel.json").write_text(json.dumps(kernel))
    done = subprocess.run(
        [sys.executable, "-m", "labutils", "check", str(write(path, "1"))],
        env={**os.environ, "JUPYTER_PATH": str(tmp_path / "share"), "JUPYTER_PREFER_ENV_PATH": "0"},
        capture_output=True,
        text=True,
        timeout=300,
    )
    assert done.returncode == 2 and len(done.stderr.splitlines()) == 1
    assert "the Jupyter kernel python3 does not start here" in done.stderr


def test_results_that_the_file_holds_count_for_nothing(path):
    record = {"exercise": "step_decay", "status": "passed", "points": 1, "max_points": 1}
    saved = nbformat.v4.new_output("display_data", {MIME_TYPE: record})
    ends = nbformat.v4.new_code_cell("import os; os._exit(1)")
    cells = [nbformat.v4.new_code_cell("check(step_decay)", outputs=[saved]) for _ in range(2)]
    cells[0].metadata["tags"] = ["demo"]
    nbformat.write(nbformat.v4.new_notebook(cells=[cells[0], ends, cells[1]]), path)
    notebook, _ = notebooks.run_notebook(path)
    assert [cell.outputs for cell in notebook.cells] == [[], [], []]
    (row, *_) = [row for row in notebooks.rows(notebook, find_judge().exercises()) if row.exercise == "step_decay"]
    assert (row.points, row.failed, row.status) == (0, True, "its check cell was not run")


def test_a_check_that_a_student_tags_as_a_demonstration_is_run(path):
    graded = nbformat.v4.new_code_cell("1 + 1", metadata={"tags": ["demo"], "nbgrader": {"grade": True}})
    shown = nbformat.v4.new_code_cell("1 + 1", metadata={"tags": ["demo"]})
    nbformat.write(nbformat.v4.new_notebook(cells=[graded, shown]), path)
    assert [len(cell.outputs) for cell in notebooks.run_notebook(path)[0].cells] == [1, 0]


@pytest.mark.parametrize(
    "content",
    [b"", b"{", b"[]", b"{}", b"7", b"\xff\xfe", b"print('a script')", b'{"cells": [], "nbformat": 4}',
     json.dumps({"cells": [{"cell_type": "code"}], "metadata": {}, "nbformat": 4, "nbformat_minor": 5}).encode()],
    ids=str,
)  # fmt: skip
def test_what_is_no_notebook_is_refused_in_one_sentence(path, content, capsys):
    path.write_bytes(content)
    assert main(["check", str(path)]) == 2
    told = capsys.readouterr().err
    assert "notes.ipynb is not a notebook" in told and len(told.splitlines()) == 1
    assert path.read_bytes() == content


def test_a_missing_file_and_a_folder_are_told(path, capsys):
    assert main(["check", str(path)]) == 2
    assert "notes.ipynb is not there" in capsys.readouterr().err
    path.mkdir()
    assert main(["check", str(path)]) == 2
    assert "notes.ipynb cannot be read" in capsys.readouterr().err
