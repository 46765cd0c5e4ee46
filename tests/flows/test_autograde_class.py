"""`python -m grader autograde` grades a class as `nbgrader autograde` does, and only what is new."""

import os
import pty
import shutil
import termios
import threading
from dataclasses import replace
from datetime import datetime

import nbformat
import pytest
from nbgrader.api import Gradebook

from grader.records import Records
from tests.flows.classroom import Classroom, copy_of, nothing_left, the_small_class
from tests.flows.test_course import ASSIGNMENT, EXERCISES, Submission, references

FIRST, SECOND, *_ = EXERCISES
LATE_WORK_EARNS_NOTHING = '\nc.LateSubmissionPlugin.penalty_method = "zero"\n'
NOT_A_NOTEBOOK = b"my answer is 42"
NAMES = ("Zoë van der Müller", "ana.maria", "-dash", "=1+1", "李 雷")

# The mistakes of a chapter warn while it is computed what the class deserves.
pytestmark = pytest.mark.filterwarnings("ignore::RuntimeWarning", "ignore::UserWarning")


@pytest.fixture(scope="module")
def students() -> dict[str, Submission]:
    """Those who earn what their functions deserve."""
    students = the_small_class()
    students["twice"] = replace(students["two"], edit=_second_exercise_twice)
    return students | dict.fromkeys(NAMES, students["blank"])


def _second_exercise_twice(notebook: nbformat.NotebookNode) -> None:
    (cell,) = [cell for cell in notebook.cells if cell.id == SECOND]
    notebook.cells.append(nbformat.from_dict({**cell, "id": "again"}))


@pytest.fixture(scope="module")
def handed_in(classroom_of, students) -> Classroom:
    """These, one who was late, and one whose file is no notebook."""
    classroom = classroom_of(students | {"late": students["one"]})
    classroom.hand_in("scribbler", NOT_A_NOTEBOOK)
    with open(classroom.folder / "nbgrader_config.py", "a", encoding="utf-8") as configuration:
        configuration.write(LATE_WORK_EARNS_NOTHING)
    with Gradebook(classroom.database) as gradebook:
        gradebook.update_or_create_assignment(ASSIGNMENT, duedate=datetime(2026, 11, 1))
    for folder in (classroom.folder / "submitted").glob(f"*/{ASSIGNMENT}"):
        day = "2026-11-02" if folder.parent.name == "late" else "2026-10-31"
        (folder / "timestamp.txt").write_text(f"{day} 12:00:00 UTC")
    return classroom


@pytest.fixture(scope="module")
def graded(handed_in, tmp_path_factory) -> Classroom:
    """The class graded by our command, with what it said in `said`."""
    classroom = copy_of(handed_in, tmp_path_factory.mktemp("ours"))
    with nothing_left(classroom):
        classroom.said = classroom.autograde(status=1, workers=2)
    return classroom


def test_everyone_earns_what_they_deserve(graded, students):
    assert {name: graded.scores()[name] for name in students} == {name: one.deserves for name, one in students.items()}
    assert set(graded.scores()["scribbler"].values()) == {0.0}


def test_work_that_came_late_is_punished_by_nbgraders_plugin(graded, students):
    gradebook = graded.gradebook()
    assert gradebook["late"]["penalty"] == sum(students["one"].deserves.values())
    assert {name: found["penalty"] for name, found in gradebook.items() if found["penalty"]}.keys() == {"late"}


def test_the_last_line_counts(graded, students):
    unreadable, last = graded.said.stdout.splitlines()
    assert unreadable == "unreadable: scribbler"
    assert last == f"{len(students) + 2} graded: {len(students)} without remarks, 1 with remarks, 1 unreadable."
    assert graded.said.stderr == ""  # no progress bar where there is no terminal


def test_nbgraders_own_command_writes_the_same_gradebook(graded, handed_in, tmp_path):
    by_nbgrader = copy_of(handed_in, tmp_path)
    by_nbgrader.nbgrader("autograde", ASSIGNMENT)
    assert by_nbgrader.gradebook() == graded.gradebook()
    assert by_nbgrader.earned() == graded.earned()
    for student in graded.records:
        assert by_nbgrader.shown(student) == graded.shown(student)


def test_what_has_not_changed_is_left_alone(graded, students, tmp_path):
    """One hands in anew, another's graded notebook is lost, a third one's grades, and a fourth one's record is damaged."""
    classroom = copy_of(graded, tmp_path)
    kept = _state(classroom)
    answers = {SECOND: references()[SECOND]}
    classroom.hand_in("blank", Submission(answers))
    shutil.rmtree(classroom.folder / "autograded" / "two")
    with Gradebook(classroom.database) as gradebook:
        gradebook.remove_submission(ASSIGNMENT, "one")
    damaged = Records(classroom.folder, ASSIGNMENT).folder / "mistaken.json"
    damaged.write_bytes(damaged.read_bytes()[:-20])

    output, words = _run_in_a_terminal(classroom)
    new = {"blank", "one", "two", "mistaken"}
    left = len(kept) - len(new)
    assert words.splitlines()[-1] == (
        f"4 graded: 4 without remarks, 0 with remarks, 0 unreadable. {left} unchanged since they were graded, "
        "and left as they were (--force grades them again)."
    )
    assert "grading: 100%" in output and "4/4" in output and "<" in output  # time left
    assert "The record of mistaken in" in output and (damaged.parent / "mistaken.json.damaged").exists()
    assert {name for name, state in _state(classroom).items() if state != kept[name]} == new
    deserved = {name: one.deserves for name, one in (students | {"blank": Submission(answers)}).items()}
    assert {name: classroom.scores()[name] for name in deserved} == deserved

    said = classroom.autograde("--force", "--students=right, -dash,right").stdout
    assert said.startswith("2 graded: ")
    assert {name for name, state in _state(classroom).items() if state != kept[name]} == new | {"right", "-dash"}
    assert {name: classroom.scores()[name] for name in deserved} == deserved


def _state(classroom: Classroom) -> dict[str, tuple]:
    """What changes when a student is graded, whatever comes of it."""
    return {
        name: (record.graded, classroom.autograded(name).exists() and classroom.autograded(name).stat().st_mtime_ns)
        for name, record in classroom.records.items()
    }


def _run_in_a_terminal(classroom: Classroom) -> tuple[str, str]:
    """What the command shows on a terminal, and what it prints."""
    ours, theirs = pty.openpty()
    termios.tcsetwinsize(theirs, (24, 80))
    shown = []

    def read() -> None:
        try:
            while part := os.read(ours, 4096):
                shown.append(part)
        except OSError:  # how Linux says that the other end is closed
            pass

    reader = threading.Thread(target=read)
    with classroom.started(stderr=theirs) as process:
        os.close(theirs)
        reader.start()
        words, _ = process.communicate()
    reader.join()
    os.close(ours)
    assert process.returncode == 0, b"".join(shown).decode()
    return b"".join(shown).decode(), words
