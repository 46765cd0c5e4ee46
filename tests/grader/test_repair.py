"""What students hand in, damaged in every way that we know of, comes out as a notebook that nbgrader accepts.

Most tests damage the chapter's own release, in which each exercise is answered by a function that returns its own name. So
what a check would see is found by running the few cells that define functions, in order.
"""

import copy
import json
import os
import random
import subprocess
import sys
import sysconfig
from collections.abc import Callable
from pathlib import Path

import nbformat
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from nbformat import NotebookNode
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook, new_output
from nbgrader.api import Gradebook
from nbgrader.preprocessors import ComputeChecksums, LockCells
from nbgrader.utils import compute_checksum

from grader import reading
from grader.build import assemble, write_source
from grader.records import Remark
from grader.repair import MasterCell, Repaired, best_notebook, repaired
from grader.texts import ROOT, pages
from labutils.notebooks import only_shows

(PAGE,) = pages(("learning_rate",))
NAME, ASSIGNMENT = PAGE.notebook.name, PAGE.chapter.folder


def released(notebook: NotebookNode) -> NotebookNode:
    """What nbgrader makes of an instructor's notebook without solutions, for its students."""
    for step in (LockCells(), ComputeChecksums()):
        notebook, _ = step.preprocess(copy.deepcopy(notebook), {})
    return notebook


def masters_of(release: NotebookNode) -> list[MasterCell]:
    """What the gradebook knows of the cells of a release."""
    masters = []
    for cell in release.cells:
        if "nbgrader" in cell.metadata:
            kept = cell.metadata.nbgrader
            roles = {role: kept.get(role, False) for role in ("grade", "solution", "locked", "task")}
            points = float(kept.points) if "points" in kept else None
            masters.append(
                MasterCell(kept.grade_id, cell.cell_type, cell.source, points=points, checksum=kept.checksum, **roles)
            )
    return masters


def with_outputs(notebook: NotebookNode) -> NotebookNode:
    for number, cell in enumerate(cell for cell in notebook.cells if cell.cell_type == "code"):
        cell.execution_count = number
        cell.outputs = [
            new_output("stream", name="stdout", text=f"zwölf\n{number}\n"),
            new_output(
                "execute_result", {"text/plain": "1.0", "application/json": {"a": [1, None]}}, execution_count=number
            ),
            new_output("error", ename="E", evalue="e", traceback=["one", "two"]),
        ]
    return notebook


RELEASE = with_outputs(released(assemble(PAGE)))
MASTERS = masters_of(RELEASE)
EXERCISES = [master.function for master in MASTERS if master.function]
CHECKS = {master.name: master for master in MASTERS if master.is_check}
DEMONSTRATIONS = {cell.source for cell in RELEASE.cells if only_shows(cell)}
FIRST, SECOND, THIRD, FOURTH = EXERCISES[:4]


def answer(name: str, text: str | None = None) -> str:
    return f"def {name}(*given, **named):\n    return {text or name!r}"


def solved() -> NotebookNode:
    notebook = copy.deepcopy(RELEASE)
    for cell in notebook.cells:
        if cell.metadata.get("nbgrader", {}).get("solution"):
            cell.source = answer(cell.metadata.nbgrader.grade_id)
    return notebook


def written(notebook: NotebookNode) -> bytes:
    """The notebook as a file, whatever has become of it."""
    return json.dumps(notebook).encode()


def repair(notebook: NotebookNode, masters: list[MasterCell] = MASTERS) -> Repaired:
    """Repair it, see that what comes out is sound, and that repairing this again changes nothing."""
    result = repaired(written(notebook), masters)
    assert_sound(result, masters)
    return result


def assert_sound(result: Repaired, masters: list[MasterCell] = MASTERS) -> None:
    nbformat.validate(result.notebook)
    found = [cell for cell in result.notebook.cells if "nbgrader" in cell.metadata]
    assert sorted(cell.metadata.nbgrader.grade_id for cell in found) == sorted(master.name for master in masters)
    by_name = {master.name: master for master in masters}
    for cell in found:
        master = by_name[cell.metadata.nbgrader.grade_id]
        assert cell.metadata.nbgrader == master.metadata and cell.cell_type == master.cell_type
        if master.locked:
            assert cell.source == master.source and compute_checksum(cell) == master.checksum
    again = repaired(nbformat.writes(result.notebook).encode(), masters)
    assert again == Repaired(result.notebook, (), True)


def seen_by_checks(notebook: NotebookNode) -> dict[str, object]:
    """What each check of a repaired notebook gets from the function that it checks; None where there is none."""
    space: dict[str, object] = {}
    seen = {}
    for cell in notebook.cells:
        checked = cell.metadata.get("nbgrader", {}).get("grade_id")
        if checked in CHECKS:
            name = checked.removeprefix("check_")
            seen[name] = call(space.get(name))
        elif cell.cell_type == "code" and any(f"def {name}" in cell.source for name in EXERCISES):
            run(cell.source, space)
    return seen


def run(source: str, space: dict[str, object]) -> None:
    try:
        exec(source, space)
    except Exception:  # a student's cell; what it has defined so far stays
        pass


def call(function: Callable | None) -> object:
    try:
        return function and function()
    except Exception:  # a student's function that does not work answers nothing, which is what is compared
        return None


def place(notebook: NotebookNode, name: str) -> int:
    """Where the cell stands that nbgrader takes for `name`."""
    (found,) = [
        number
        for number, cell in enumerate(notebook.cells)
        if cell.metadata.get("nbgrader", {}).get("grade_id") == name
    ]
    return found


def cell_of(notebook: NotebookNode, name: str) -> NotebookNode:
    return notebook.cells[place(notebook, name)]


def texts(result: Repaired) -> str:
    return "\n".join(remark.text for remark in result.remarks)


STUBS = tuple(master.source for master in MASTERS if master.solution)
ALL = {name: name for name in EXERCISES}


# A notebook in order


@pytest.mark.parametrize("notebook", [RELEASE, solved(), nbformat.read(PAGE.notebook, as_version=4)])
def test_a_notebook_in_order_stays_as_it_is(notebook: NotebookNode):
    result = repair(notebook)
    assert result.remarks == () and result.readable
    for cell in notebook.cells:
        if "nbgrader" in cell.metadata:  # the book's own notebook has no checksums
            cell.metadata.nbgrader = cell_of(result.notebook, cell.metadata.nbgrader.grade_id).metadata.nbgrader
    assert result.notebook == notebook


def test_answers_extra_cells_and_notes_are_no_damage():
    notebook = solved()
    for number in range(0, 120, 7):
        notebook.cells.insert(number, new_code_cell(f"x = {number}\n%time x\n!ls"))
        notebook.cells.insert(number, new_markdown_cell("def a note():"))
    result = repair(notebook)
    assert result.notebook == notebook and result.remarks == ()


def test_the_checks_see_the_answers():
    """What the other tests rely on."""
    assert seen_by_checks(solved()) == ALL
    assert set(seen_by_checks(RELEASE).values()) == {None}


def test_a_cell_that_does_not_parse_is_still_the_solution():
    notebook = solved()
    cell_of(notebook, FIRST).source = f"def {FIRST}(a):\n    return ("
    assert repair(notebook).remarks == ()


@pytest.mark.parametrize("line", ["%time 1", "!ls | wc", "%%time", "%matplotlib inline", "x = !ls", "import os?"])
def test_magics_do_not_hinder(line: str):
    notebook = solved()
    cell_of(notebook, FIRST).source = f"{line}\n{answer(FIRST)}"
    for cell in notebook.cells:
        cell.metadata.pop("nbgrader", None)
    assert FIRST in cell_of(repair(notebook).notebook, FIRST).source


def test_a_cell_that_goes_to_a_file_or_another_language_defines_nothing():
    notebook = solved()
    for magic in ("%%writefile helper.py", "%%bash", "%%javascript"):
        notebook.cells.insert(place(notebook, f"check_{FIRST}"), new_code_cell(f"{magic}\n{answer(FIRST, 'else')}"))
    assert repair(notebook).notebook == notebook


# One kind of damage at a time


def test_a_deleted_solution_becomes_an_empty_cell_before_its_check():
    notebook = solved()
    del notebook.cells[place(notebook, SECOND)]
    result = repair(notebook)
    assert seen_by_checks(result.notebook) == ALL | {SECOND: None}
    assert place(result.notebook, SECOND) == place(result.notebook, f"check_{SECOND}") - 1
    assert cell_of(result.notebook, SECOND).source.startswith("# ")
    assert result.remarks == (
        Remark(SECOND, f"The cell of `{SECOND}` is missing, and no other cell defines `{SECOND}`."),
    )


def test_a_deleted_check_is_put_back_behind_its_solution():
    notebook = solved()
    del notebook.cells[place(notebook, f"check_{SECOND}")]
    result = repair(notebook)
    assert seen_by_checks(result.notebook) == ALL
    assert place(result.notebook, f"check_{SECOND}") == place(result.notebook, SECOND) + 1
    assert result.remarks == (Remark(SECOND, f"The cell `check_{SECOND}` was missing and was put back."),)


def test_exercises_deleted_whole_are_put_back_in_the_masters_order():
    notebook = solved()
    for name in EXERCISES[1:4]:
        for gone in (name, f"check_{name}"):
            del notebook.cells[place(notebook, gone)]
    result = repair(notebook)
    names = [cell.metadata.nbgrader.grade_id for cell in result.notebook.cells if "nbgrader" in cell.metadata]
    assert names == [master.name for master in MASTERS]
    assert [remark.exercise for remark in result.remarks] == EXERCISES[1:4]


@pytest.mark.parametrize("keeps_id", [True, False])
def test_a_doubled_solution_counts_as_its_check_saw_it(keeps_id: bool):
    notebook = solved()
    newer = copy.deepcopy(cell_of(notebook, FIRST))
    newer.source = answer(FIRST, "newer")
    if not keeps_id:
        del newer.metadata["nbgrader"]
    notebook.cells.insert(place(notebook, FIRST) + 1, newer)
    result = repair(notebook)
    assert seen_by_checks(result.notebook) == ALL | {FIRST: "newer"}
    assert [cell.source for cell in result.notebook.cells] == [cell.source for cell in notebook.cells]
    expected = (
        f"The cell of `{FIRST}` was found 2 times; the last one counts."
        if keeps_id
        else f"`{FIRST}` was found in a cell that is not the one handed out for it. That cell counts."
    )
    assert result.remarks == (Remark(FIRST, expected),)


def test_an_attempt_behind_the_check_does_not_count():
    notebook = solved()
    notebook.cells.insert(place(notebook, f"check_{FIRST}") + 1, new_code_cell(answer(FIRST, "attempt")))
    result = repair(notebook)
    assert result.notebook == notebook and result.remarks == ()


def test_an_answer_counts_wherever_it_is_when_the_cell_handed_out_has_only_the_stub():
    notebook = solved()
    cell_of(notebook, FIRST).source = cell_of(RELEASE, FIRST).source + "\n# I do not know.\n"
    notebook.cells.append(new_code_cell(answer(FIRST)))
    result = repair(notebook)
    assert seen_by_checks(result.notebook) == ALL
    assert place(result.notebook, FIRST) == len(result.notebook.cells) - 2
    assert [remark.exercise for remark in result.remarks] == [FIRST, FIRST]


def test_a_cell_that_became_another_answer_is_no_longer_the_solution():
    notebook = solved()
    cell_of(notebook, FIRST).source = "x = 1"
    notebook.cells.insert(3, new_code_cell(answer(FIRST)))
    result = repair(notebook)
    assert seen_by_checks(result.notebook) == ALL and result.notebook.cells[3].source == answer(FIRST)
    assert "x = 1" in [cell.source for cell in result.notebook.cells if "nbgrader" not in cell.metadata]


def test_an_answer_written_into_the_check_cell_counts():
    notebook = solved()
    del notebook.cells[place(notebook, FIRST)]
    cell_of(notebook, f"check_{FIRST}").source = f"{answer(FIRST)}\n\ncheck({FIRST})"
    assert seen_by_checks(repair(notebook).notebook) == ALL


def test_exchanged_answers_are_told_apart_by_what_they_define():
    notebook = solved()
    first, second = cell_of(notebook, FIRST), cell_of(notebook, SECOND)
    first.source, second.source = second.source, first.source
    assert seen_by_checks(repair(notebook).notebook) == ALL


@pytest.mark.parametrize("stubs_stay", [True, False])
def test_one_cell_with_several_answers_stays_whole(stubs_stay: bool):
    notebook = solved()
    together = "\n\n".join(map(answer, (FIRST, SECOND, THIRD)))
    cell_of(notebook, FIRST).source = together
    for name in (SECOND, THIRD):
        if stubs_stay:
            cell_of(notebook, name).source = cell_of(RELEASE, name).source
        else:
            del notebook.cells[place(notebook, name)]
    result = repair(notebook)
    assert seen_by_checks(result.notebook) == ALL
    assert cell_of(result.notebook, FIRST).source == together
    assert result.remarks == tuple(
        Remark(name, f"`{name}` was found in one cell with `{FIRST}`. It was checked there.")
        for name in (SECOND, THIRD)
    )


@pytest.mark.parametrize("kind", ["markdown", "raw", "heading", "sql", None, 7])
def test_cells_of_another_type_are_made_what_they_were(kind: object):
    notebook = solved()
    for name in (FIRST, f"check_{SECOND}"):
        cell_of(notebook, name).cell_type = kind
    result = repair(notebook)
    assert seen_by_checks(result.notebook) == ALL
    if kind in ("markdown", "raw"):
        assert [remark.exercise for remark in result.remarks] == [FIRST, SECOND]


def test_all_metadata_stripped():
    notebook = solved()
    for cell in notebook.cells:
        cell.metadata.clear()
        del cell["id"]
    notebook.metadata.clear()
    result = repair(notebook)
    assert seen_by_checks(result.notebook) == ALL
    (remark,) = result.remarks
    assert remark.text.startswith(
        f"What nbgrader keeps in cells was missing or changed, and was put back in `{FIRST}`, "
    )
    assert remark.text.endswith(f"and {len(MASTERS) - 8} more.")


@pytest.mark.parametrize(
    "change",
    [
        {"grade": True}, {"solution": False}, {"locked": 1.5}, {"locked": False}, {"task": True},
        {"schema_version": 99}, {"schema_version": None}, {"points": "a"}, {"points": -1}, {"extra": "key"},
        {"checksum": 3}, {"cell_type": "no"}, {"grade_id": ["a"]}, {"grade_id": None}, {"grade_id": "unknown"}, {"grade_id": ""}, {"grade_id": SECOND},
    ],
)  # fmt: skip
@pytest.mark.parametrize("name", [FIRST, f"check_{FIRST}"])
def test_changed_metadata_is_put_right(name: str, change: dict):
    notebook = solved()
    before = {**cell_of(notebook, name).metadata.nbgrader}
    cell_of(notebook, name).metadata.nbgrader.update(change)
    result = repair(notebook)
    assert result.notebook == solved()
    silent = {"points", "extra", "checksum", "cell_type"}  # what an instructor may have changed, or nobody reads
    if name in CHECKS:
        silent |= {"locked"}  # nbgrader locks a check, whatever stands there
    assert bool(result.remarks) == any(before.get(key) != change[key] for key in change.keys() - silent)


def test_changed_points_and_a_tag_give_no_points():
    notebook = solved()
    check = cell_of(notebook, f"check_{FIRST}")
    check.source, check.metadata.tags, check.metadata.nbgrader.points = "100", ["demo"], 100
    result = repair(notebook)
    fixed = cell_of(result.notebook, f"check_{FIRST}")
    assert not only_shows(fixed) and fixed.metadata.nbgrader.points == CHECKS[f"check_{FIRST}"].points
    assert result.remarks == (
        Remark(FIRST, f"The cell `check_{FIRST}` is locked and was changed; it is graded as it was handed out."),
    )


def test_checks_in_another_order_are_put_behind_what_they_check():
    notebook = solved()
    checks = [cell for cell in notebook.cells if cell.metadata.get("nbgrader", {}).get("grade")]
    rest = [cell for cell in notebook.cells if cell not in checks]
    for cells in (checks + rest, rest + checks[::-1]):
        notebook.cells = copy.deepcopy(cells)
        result = repair(notebook)
        assert seen_by_checks(result.notebook) == ALL
        for name in EXERCISES[:-1]:  # behind the last solution, no other stands in the way of its check
            assert place(result.notebook, f"check_{name}") == place(result.notebook, name) + 1
        assert {remark.exercise for remark in result.remarks} >= set(EXERCISES[:-1])


def test_exercises_in_another_order_stay_in_it():
    notebook = solved()
    random.Random(0).shuffle(notebook.cells)
    result = repair(notebook)
    assert seen_by_checks(result.notebook) == ALL

    def without_checks(cells: list[NotebookNode]) -> list[str]:
        return [cell.source for cell in cells if not cell.source.startswith("check(")]

    assert without_checks(result.notebook.cells) == without_checks(notebook.cells)


def test_hidden_code_loses_the_tag_that_hides_it_and_a_demonstration_gets_its_own():
    notebook = solved()
    hidden = new_code_cell("cheat()", metadata={"tags": ["demo", "mine"]})
    notebook.cells.insert(0, hidden)
    stripped = next(cell for cell in notebook.cells if cell.source in DEMONSTRATIONS)
    del stripped.metadata["tags"]
    left = repaired(written(notebook), MASTERS).notebook
    assert left.cells[0].metadata.tags == ["demo", "mine"]
    result = repaired(written(notebook), MASTERS, DEMONSTRATIONS)
    assert result.notebook.cells[0].metadata.tags == ["mine"] and result.remarks == ()
    assert {cell.source for cell in result.notebook.cells if only_shows(cell)} == DEMONSTRATIONS
    assert repaired(written(RELEASE), MASTERS, DEMONSTRATIONS).notebook == RELEASE


def test_ids_are_made_valid_and_unique():
    notebook = solved()
    for cell, made in zip(notebook.cells, ["", "a b", "x" * 65, 3, None, ["a"], "twice", "twice", "ü", "cell-1"]):
        cell.id = made
    result = repair(notebook)
    assert [cell.source for cell in result.notebook.cells] == [cell.source for cell in notebook.cells]
    assert [cell.id for cell in result.notebook.cells][6:7] == ["twice"] and result.remarks == ()


# An instructor's own notebook, with all that nbgrader knows


def instructors() -> NotebookNode:
    def cell(make: Callable, name: str, source: str, **roles: object) -> NotebookNode:
        nbgrader = {
            "schema_version": 3,
            "grade_id": name,
            "grade": False,
            "solution": False,
            "locked": False,
            "task": False,
        }
        return make(source, id=name, metadata={"nbgrader": nbgrader | roles})

    graded = {"grade": True, "points": 2}
    return released(
        new_notebook(
            cells=[
                new_markdown_cell("# Homework", id="title"),
                cell(new_code_cell, "setup", "import math", locked=True),
                cell(new_code_cell, "f", "def f(x):\n    raise NotImplementedError", solution=True),
                new_markdown_cell("Some text between.", id="between"),
                cell(new_markdown_cell, "why", "Why?", solution=True, **graded),
                cell(new_code_cell, "test_f", "assert f(1) == 1", locked=True, **graded),
                cell(new_code_cell, "g", "def g(x):\n    raise NotImplementedError", solution=True),
                cell(new_code_cell, "test_g", "assert g(1) == 1", locked=True, **graded),
                cell(new_code_cell, "test_both", "assert f(g(1)) == 1", locked=True, **graded),
                cell(new_code_cell, "number", "n = ...", solution=True),
                cell(new_code_cell, "test_number", "assert n == 3", locked=True, **graded),
                cell(new_code_cell, "plot", "# Draw it.", solution=True, **graded),
                cell(new_markdown_cell, "project", "Do something.", task=True, locked=True, points=5),
                cell(new_markdown_cell, "note", "Read this.", locked=True),
            ]
        )
    )


def test_a_notebook_of_the_instructors_own_stays_as_it_is():
    notebook = instructors()
    result = repair(notebook, masters_of(notebook))
    assert result.notebook == notebook and result.remarks == ()


def test_every_cell_of_it_is_put_back_where_it_was():
    notebook = instructors()
    masters = masters_of(notebook)
    for master in masters:
        damaged = copy.deepcopy(notebook)
        del damaged.cells[place(damaged, master.name)]
        result = repair(damaged, masters)
        names = [cell.metadata.nbgrader.grade_id for cell in result.notebook.cells if "nbgrader" in cell.metadata]
        assert names == [master.name for master in masters]
        put_back = cell_of(result.notebook, master.name).source
        if master.by_hand:
            assert put_back.endswith(master.source) and put_back != master.source
        else:
            assert master.solution or put_back == master.source
        assert len(result.remarks) == 1
    assert [cell.id for cell in repair(new_notebook(), masters).notebook.cells] == [master.name for master in masters]


def test_its_cells_are_found_by_their_text_when_metadata_is_gone():
    notebook = instructors()
    masters = masters_of(notebook)
    cell_of(notebook, "f").source = answer("f")
    expected = copy.deepcopy(notebook)
    for cell in notebook.cells:
        cell.metadata.clear()
    assert [cell.source for cell in repair(notebook, masters).notebook.cells] == [
        cell.source for cell in expected.cells
    ]


def test_of_a_doubled_answer_in_words_the_one_that_was_written_counts():
    notebook = instructors()
    written_answer = copy.deepcopy(cell_of(notebook, "why"))
    written_answer.source = "Because."
    notebook.cells.insert(2, written_answer)
    assert cell_of(repair(notebook, masters_of(instructors())).notebook, "why").source == "Because."


def test_a_check_of_two_functions_stays_behind_both():
    notebook = instructors()
    masters = masters_of(notebook)
    order = ["title", "setup", "g", "test_g", "between", "why", "f", "test_f", "test_both"]
    head = [next(cell for cell in notebook.cells if cell.id == name) for name in order]
    notebook.cells = head + [cell for cell in notebook.cells if cell.id not in order]
    result = repair(notebook, masters)
    assert [cell.id for cell in result.notebook.cells][: len(order)] == order and result.remarks == ()


# Files


def as_format_3(notebook: NotebookNode) -> dict:
    return nbformat.convert(copy.deepcopy(notebook), 3)


def as_format_2(notebook: NotebookNode) -> dict:
    return nbformat.convert(copy.deepcopy(notebook), 2)


def as_format_1(notebook: NotebookNode) -> dict:
    cells = [
        {"cell_type": "code", "code": cell.source, "prompt_number": 1}
        if cell.cell_type == "code"
        else {"cell_type": "text", "text": cell.source}
        for cell in notebook.cells
    ]
    return {"cells": cells}


@pytest.mark.parametrize("convert", [as_format_1, as_format_2, as_format_3])
def test_older_formats(convert: Callable):
    result = repair(convert(solved()))
    assert seen_by_checks(result.notebook) == ALL
    assert [cell.source for cell in result.notebook.cells] == [cell.source for cell in solved().cells]
    assert "format" in result.remarks[0].text


@pytest.mark.parametrize("minor", [0, 1, 2, 3, 4, 6, None, "x"])
def test_other_minor_formats_are_no_damage(minor: object):
    notebook = solved()
    notebook.nbformat_minor = minor
    for cell in notebook.cells:
        del cell["id"]
    result = repair(notebook)
    assert seen_by_checks(result.notebook) == ALL and result.remarks == ()


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-32"])
def test_encodings(encoding: str):
    text = json.dumps(solved(), ensure_ascii=False)
    result = repaired(text.encode(encoding), MASTERS)
    assert result == Repaired(solved(), (), True)


def test_bytes_that_are_no_text_cost_only_themselves():
    content = json.dumps(solved(), ensure_ascii=False).encode("latin-1", errors="replace")
    result = repaired(content, MASTERS)
    assert_sound(result)
    assert seen_by_checks(result.notebook) == ALL and "UTF-8" in texts(result)


def test_not_a_number_and_halves_of_characters_can_be_written():
    notebook = solved()
    notebook.cells[1].metadata.value = [float("nan"), float("inf"), "\ud800"]
    notebook.cells[1].source += "# \udfff"
    content = written(notebook).replace(b"Infinity", b"1e999")
    result = repaired(content, MASTERS)
    assert_sound(result)
    assert result.notebook.cells[1].metadata.value == [None, None, "?"]


@pytest.mark.parametrize("source", [["a = 1\n", "b"], [], None, 3, {"a": 1}, ["a", 3, None]])
def test_sources_in_every_shape(source: object):
    notebook = solved()
    notebook.cells[1].source = source
    result = repair(notebook)
    expected = "".join(line for line in source if isinstance(line, str)) if isinstance(source, list) else ""
    assert result.notebook.cells[1].source == expected


def test_a_file_that_was_cut_off_keeps_what_stands_before_the_cut():
    content = nbformat.writes(solved()).encode()
    cut = content.index(f"def {FOURTH}".encode())
    result = repaired(content[:cut], MASTERS)
    assert_sound(result)
    assert seen_by_checks(result.notebook) == dict.fromkeys(EXERCISES) | {name: name for name in EXERCISES[:3]}
    assert result.readable and "cut off" in result.remarks[0].text


def test_a_merge_conflict_is_resolved_for_what_stands_first():
    lines = nbformat.writes(solved()).splitlines(keepends=True)
    place = next(number for number, line in enumerate(lines) if f"return '{FIRST}'" in line)
    theirs = lines[place].replace(FIRST, "theirs")
    lines[place : place + 1] = ["<<<<<<< HEAD\n", lines[place], "=======\n", theirs, ">>>>>>> other\n"]
    result = repaired("".join(lines).encode(), MASTERS)
    assert_sound(result)
    assert seen_by_checks(result.notebook) == ALL and "merge conflict" in texts(result)


NO_NOTEBOOKS = {
    "empty": b"",
    "white": b" \n\t ",
    "text": "zwölf Sätze".encode(),
    "list": b"[]",
    "number": b"3",
    "null": b"null",
    "table": b"{}",
    "cells": b'{"cells": 3}',
    "sheets": b'{"worksheets": [{"cells": null}, 3]}',
    "deep": b"[" * 100_000,
    "deep table": b'{"cells": ' + b'{"a":' * 100_000,
    "digits": b"1" * 10_000,
    "zip": b"PK\x03\x04" + bytes(range(256)) * 10,
    "zeros": bytes(1000),
    "many": b'{"cells": [' + b"[]," * 2_000_001,
    "large": b" " * 100_000_000 + b"{}",
}


@pytest.mark.parametrize("name", NO_NOTEBOOKS)
def test_what_is_no_notebook_gives_the_assignments_cells_and_a_reason(name: str):
    result = repaired(NO_NOTEBOOKS[name], MASTERS)
    assert not result.readable and len(result.remarks) == 1 and len(result.remarks[0].text) < 200
    assert_sound(result)
    assert [cell.metadata.nbgrader.grade_id for cell in result.notebook.cells] == [master.name for master in MASTERS]


def test_the_reason_names_size_and_limit():
    text = texts(repaired(NO_NOTEBOOKS["large"], MASTERS))
    assert "The file has 100 MB, and the limit is 100 MB." in text


def test_large_outputs_are_left_out():
    notebook = solved()
    notebook.cells[1].outputs = [new_output("stream", text="x" * 1_000_000) for _ in range(50)]
    result = repair(notebook)
    assert seen_by_checks(result.notebook) == ALL
    assert not any(cell.get("outputs") for cell in result.notebook.cells)
    assert "50 MB" in texts(result) and "20 MB" in texts(result)


def test_a_huge_cell_is_left_out_and_the_others_stay():
    notebook = solved()
    cell_of(notebook, FIRST).source += "#" * 50_000_000
    result = repair(notebook)
    assert seen_by_checks(result.notebook) == ALL | {FIRST: None}
    assert "1,000,000 characters" in texts(result)


def test_too_many_cells_and_too_much_text_in_all():
    notebook = solved()
    notebook.cells += [new_markdown_cell("x" * 900_000) for _ in range(15)]
    notebook.cells += [new_markdown_cell("y") for _ in range(6_000)]
    result = repair(notebook)
    assert seen_by_checks(result.notebook) == ALL
    assert len(result.notebook.cells) == reading.MAX_CELLS
    assert sum(len(cell.source) for cell in result.notebook.cells) < 10_100_000


def test_deep_metadata_and_outputs_cost_only_themselves():
    deep: list = []
    for _ in range(200):
        deep = [deep]
    notebook = solved()
    notebook.cells[0].metadata.deep = deep
    notebook.cells[1].outputs = deep
    notebook.metadata.deep = deep
    cell_of(notebook, FIRST).metadata.tags = deep
    result = repair(notebook)
    assert seen_by_checks(result.notebook) == ALL and "lost them" in texts(result)


@pytest.mark.parametrize("text", ["(" * 50_000, "-" * 50_000 + "1", "a" + "[0]" * 30_000, "a" + "+a" * 30_000, "\0"])
def test_code_that_breaks_pythons_parser_breaks_nothing_else(text: str):
    notebook = solved()
    cell_of(notebook, FIRST).source = f"def {FIRST}(x):\n    return {text}\n"
    assert seen_by_checks(repair(notebook).notebook).keys() == ALL.keys()


# Any damage, and several kinds at once


def damages() -> st.SearchStrategy[list[Callable[[NotebookNode], None]]]:
    """Lists of things to do to a notebook. Its cells are named by whole numbers, whatever their count may be."""
    cell = st.integers(0, 200)
    kinds = [
        st.builds(deleted, cell),
        st.builds(doubled, cell, cell, st.booleans()),
        st.builds(moved, cell, cell),
        st.builds(merged, cell, cell),
        st.builds(with_type, cell, st.sampled_from(["markdown", "raw", "code", "heading", "new", None, 3])),
        st.builds(with_source, cell, st.sampled_from(["", "x = 1", "def f(:", None, "check(3)", "# " + FIRST])),
        st.builds(with_stub, cell),
        st.builds(without, cell, st.sampled_from(["metadata", "nbgrader", "id", "source", "outputs", "cell_type"])),
        st.builds(
            with_nbgrader,
            cell,
            st.sampled_from(["grade", "solution", "locked", "task", "points", "schema_version", "grade_id", "other"]),
            st.sampled_from([True, False, None, "", "x", -1, 3, 99, [], {}, FIRST, f"check_{SECOND}"]),
        ),
        st.builds(with_tags, cell, st.sampled_from([["demo"], ["a", "a"], "demo", [1], None, ["a,b"]])),
        st.builds(with_id, cell, st.sampled_from(["", "ü", "a" * 70, None, FIRST, "cell-1"])),
        st.builds(inserted, cell, st.sampled_from([None, 3, "x", [], {}, {"cell_type": "code"}])),
    ]
    return st.lists(st.one_of(kinds), max_size=12)


def at(notebook: NotebookNode, place: int) -> dict:
    cells = notebook.cells
    found = cells[place % len(cells)] if cells else {}
    return found if isinstance(found, dict) else {}


def deleted(place: int) -> Callable:
    return lambda notebook: notebook.cells and notebook.cells.pop(place % len(notebook.cells))


def doubled(place: int, there: int, with_metadata: bool) -> Callable:
    def damage(notebook: NotebookNode) -> None:
        cell = copy.deepcopy(at(notebook, place))
        if not with_metadata:
            cell.pop("metadata", None)
        notebook.cells.insert(there, cell)

    return damage


def moved(place: int, there: int) -> Callable:
    return lambda notebook: notebook.cells and notebook.cells.insert(there, deleted(place)(notebook))


def merged(place: int, other: int) -> Callable:
    """Appends a cell to another one; not to a check, which may raise, so that nothing behind it would be defined."""

    def damage(notebook: NotebookNode) -> None:
        cells = at(notebook, place), at(notebook, other)
        if all(isinstance(cell.get("source"), str) and cell.get("cell_type") == "code" for cell in cells):
            if "check(" not in cells[0]["source"]:
                cells[0]["source"] += "\n" + cells[1]["source"]
                notebook.cells.remove(cells[1])

    return damage


def with_type(place: int, kind: object) -> Callable:
    return lambda notebook: at(notebook, place).update(cell_type=kind)


def with_source(place: int, source: object) -> Callable:
    return lambda notebook: at(notebook, place).update(source=source)


def with_stub(place: int) -> Callable:
    name = EXERCISES[place % len(EXERCISES)]
    return with_source(place, cell_of(RELEASE, name).source)


def without(place: int, key: str) -> Callable:
    def damage(notebook: NotebookNode) -> None:
        cell = at(notebook, place)
        cell.pop(key, None)
        if isinstance(cell.get("metadata"), dict):
            cell["metadata"].pop(key, None)

    return damage


def with_nbgrader(place: int, key: str, value: object) -> Callable:
    def damage(notebook: NotebookNode) -> None:
        metadata = at(notebook, place).get("metadata")
        if isinstance(metadata, dict):
            metadata["nbgrader"] = {**metadata.get("nbgrader", {}), key: value}

    return damage


def with_tags(place: int, tags: object) -> Callable:
    return lambda notebook: at(notebook, place).get("metadata", {}).update(tags=tags)


def with_id(place: int, made: object) -> Callable:
    return lambda notebook: at(notebook, place).update(id=made)


def inserted(place: int, thing: object) -> Callable:
    return lambda notebook: notebook.cells.insert(place, thing)


def what_survived(cells: list) -> set[str]:
    """The exercises whose answer still stands in some cell that holds code from end to end."""
    found = set()
    for cell in cells:
        source = cell.get("source") if isinstance(cell, dict) else None
        if isinstance(source, str):
            space: dict[str, object] = {}
            if "def " in source and any(answer(name) in source for name in EXERCISES):
                run(source, space)
            found |= {name for name in EXERCISES if call(space.get(name)) == name}
    return found


@given(damages())
def test_whatever_was_done_to_it_a_notebook_earns_what_it_still_answers(damages: list[Callable]):
    notebook = solved()
    for damage in damages:
        damage(notebook)
    before = [cell["source"] for cell in notebook.cells if is_the_students(cell)]
    survived = what_survived(notebook.cells)
    result = repair(notebook)
    seen = seen_by_checks(result.notebook)
    assert {name for name in EXERCISES if seen[name] == name} == survived
    after = [cell.source for cell in result.notebook.cells]
    assert [source for source in before if source not in after] == []


def is_the_students(cell: object) -> bool:
    """Tell whether a cell has text of the student's own: not what is locked, and not what was handed out."""
    if not isinstance(cell, dict) or not isinstance(cell.get("source"), str):
        return False
    metadata = cell.get("metadata") or {}
    return "check" not in json.dumps(metadata.get("nbgrader")) and not cell["source"].startswith(STUBS)


@settings(max_examples=100)
@given(st.binary(max_size=300))
def test_no_bytes_raise(content: bytes):
    assert_sound(repaired(content, MASTERS))


@settings(max_examples=100)
@given(st.lists(st.tuples(st.integers(0, 10**6), st.binary(min_size=1, max_size=4)), min_size=1, max_size=20))
def test_no_flipped_bytes_raise(flips: list[tuple[int, bytes]]):
    content = bytearray(CONTENT)
    for place, new in flips:
        content[place % len(content) : place % len(content) + len(new)] = new
    assert_sound(repaired(bytes(content), MASTERS))


CONTENT = nbformat.writes(solved()).encode()
VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5) | st.sampled_from(["code", FIRST]),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=6,
)
KEYS = ["cell_type", "source", "metadata", "outputs", "id", "execution_count", "attachments", "input", "level", "tags"]
CELLS = st.dictionaries(st.sampled_from([*KEYS, "nbgrader", "grade_id"]), VALUES, max_size=6) | VALUES


@settings(max_examples=100)
@given(st.lists(CELLS, max_size=4), VALUES, VALUES, VALUES)
def test_no_json_raises(cells: list, metadata: object, version: object, worksheets: object):
    found = {"cells": cells, "metadata": metadata, "nbformat": version, "worksheets": worksheets}
    assert_sound(repaired(json.dumps(found).encode(), MASTERS))


# Which of the files it is


def files(**made: NotebookNode | bytes) -> dict[str, bytes]:
    return {name: found if isinstance(found, bytes) else written(found) for name, found in made.items()}


OTHER = new_notebook(cells=[new_code_cell("x = 1")])


@pytest.mark.parametrize(
    "handed_in, best, remarks",
    [
        ({NAME: solved()}, NAME, 0),
        ({NAME: b""}, NAME, 0),
        ({NAME: solved(), "helper.py": b"x = 1", "other.ipynb": OTHER}, NAME, 0),
        ({NAME: solved(), "learning_rate (1).ipynb": solved()}, NAME, 1),
        ({NAME: RELEASE, "learning_rate (1).ipynb": solved()}, "learning_rate (1).ipynb", 1),
        ({NAME: b"{", "learning_rate-Copy1.ipynb": RELEASE}, "learning_rate-Copy1.ipynb", 1),
        ({"Learning_Rate.IPYNB": solved()}, "Learning_Rate.IPYNB", 1),
        ({"learning_rate.ipynb.txt": solved()}, "learning_rate.ipynb.txt", 1),
        ({"Copy of learning_rate.ipynb": b"{"}, "Copy of learning_rate.ipynb", 1),
        ({"my solution.ipynb": solved(), "other.ipynb": OTHER}, "my solution.ipynb", 1),
        ({"sub/learning_rate.ipynb": solved(), "other.ipynb": OTHER}, "sub/learning_rate.ipynb", 1),
        ({"a.ipynb": RELEASE, "b.ipynb": solved()}, "b.ipynb", 1),
        ({".ipynb_checkpoints/learning_rate-checkpoint.ipynb": solved(), NAME: RELEASE}, NAME, 0),
        ({"other.ipynb": OTHER}, None, 1),
        ({"notes.txt": b"x"}, None, 1),
        ({}, None, 1),
    ],
)
def test_the_notebook_is_found_among_the_files(handed_in: dict, best: str | None, remarks: int):
    found, said = best_notebook(files(**handed_in), NAME, MASTERS)
    assert found == best and len(said) == remarks
    assert all(remark.exercise is None and NAME in remark.text for remark in said)


# By nbgrader itself


class Course:
    """A course of nbgrader's with the chapter's assignment. Apart from the stub, its settings are nbgrader's own."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        settings = {
            "CourseDirectory": {"root": str(folder), "course_id": "course"},
            "ClearSolutions": {"code_stub": {"python": "# YOUR CODE HERE\nraise NotImplementedError"}},
        }
        (folder / "nbgrader_config.json").write_text(json.dumps(settings))
        write_source(PAGE, folder / "source")

    def write(self, place: str, notebook: NotebookNode) -> None:
        path = self.folder / place / NAME
        path.parent.mkdir(parents=True)
        nbformat.write(notebook, path)

    def nbgrader(self, *arguments: str) -> str:
        path = os.pathsep.join([sysconfig.get_path("scripts"), os.environ["PATH"]])  # it calls `alembic` by its name
        done = subprocess.run(
            [sys.executable, "-m", "nbgrader", *arguments],
            cwd=self.folder,
            env={**os.environ, "PATH": path, "PYTHONPATH": str(ROOT), "HOME": str(self.folder)},
            capture_output=True,
            text=True,
        )
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout + done.stderr


def gradebooks_masters(course: Path) -> list[MasterCell]:
    with Gradebook(f"sqlite:///{course / 'gradebook.db'}") as gradebook:
        notebook = gradebook.find_notebook(PAGE.name, ASSIGNMENT)
        points = {cell.name: cell.max_score for cell in [*notebook.grade_cells, *notebook.task_cells]}
        grades = {cell.name for cell in notebook.grade_cells}
        solutions = {cell.name for cell in notebook.solution_cells}
        return [
            MasterCell(
                cell.name,
                cell.cell_type,
                cell.source,
                grade=cell.name in grades,
                solution=cell.name in solutions,
                locked=cell.locked,
                task=cell.name in points.keys() - grades,
                points=points.get(cell.name),
                checksum=cell.checksum,
            )
            for cell in notebook.source_cells
        ]


def test_nbgrader_accepts_what_was_repaired(tmp_path: Path):
    """Each student's notebook is damaged in ten ways, drawn at random."""
    course = Course(tmp_path)
    course.nbgrader("generate_assignment", ASSIGNMENT)
    masters = gradebooks_masters(tmp_path)
    assert masters == MASTERS
    students = {f"s{number}": notebook for number, notebook in enumerate(drawn(10))}
    students["nothing"] = {}
    for student, notebook in students.items():
        course.write(f"submitted/{student}/{ASSIGNMENT}", repaired(written(notebook), masters).notebook)
    course.nbgrader("autograde", ASSIGNMENT, "--no-execute")
    for student in students:
        graded = nbformat.read(tmp_path / "autograded" / student / ASSIGNMENT / NAME, as_version=4)
        names = [cell.metadata.nbgrader.grade_id for cell in graded.cells if "nbgrader" in cell.metadata]
        assert sorted(names) == sorted(master.name for master in masters)
    with Gradebook(f"sqlite:///{tmp_path / 'gradebook.db'}") as gradebook:
        assert {student.id for student in gradebook.students} == students.keys()


def drawn(count: int) -> list[NotebookNode]:
    generator = random.Random(1)

    def damage(notebook: NotebookNode) -> NotebookNode:
        for _ in range(10):
            place, other = generator.randrange(200), generator.randrange(200)
            choice = [
                deleted(place),
                doubled(place, other, with_metadata=True),
                moved(place, other),
                merged(place, other),
                with_type(place, "markdown"),
                without(place, "metadata"),
                with_nbgrader(place, "schema_version", 99),
                with_nbgrader(place, "grade_id", f"check_{SECOND}"),
                with_id(place, None),
            ]
            generator.choice(choice)(notebook)
        return notebook

    return [damage(solved()) for _ in range(count)]
