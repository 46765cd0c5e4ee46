"""Running a notebook headless: what needs no process of its own to be seen."""

import json

import nbformat
import pytest

from labutils import notebooks
from labutils.__main__ import main


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
    with pytest.raises(notebooks.NotebookError, match="no Jupyter kernel named no-such-kernel.*pip install ipykernel"):
        notebooks.run_notebook(write(path, "1"))


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
