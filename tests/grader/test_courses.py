"""What keeps a class from being graded is said by name, with the way out, before anything is graded."""

import json
import os
import shutil
import socket
import sqlite3
from pathlib import Path

import pytest
from nbgrader.api import Gradebook

from grader.__main__ import COULD_NOT_RUN, main
from grader.assignments import seed
from grader.build import SOURCE
from grader.courses import graded_by_one, open_course
from grader.errors import CourseError

ASSIGNMENT = "01_learning_rate"
CONFIGURATION = SOURCE.parent / "nbgrader_config.py"


@pytest.fixture
def course(tmp_path, monkeypatch) -> Path:
    """The current folder is a course in which nothing has been done."""
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setattr("grader.courses.SECONDS_FOR_A_DATABASE", 0.5)
    folder = tmp_path / "course"
    folder.mkdir()
    shutil.copy(CONFIGURATION, folder)
    monkeypatch.chdir(folder)
    return folder


@pytest.fixture(scope="module")
def gradebook(tmp_path_factory) -> Path:
    """One that knows an assignment. nbgrader takes a while to make it, so it is copied."""
    path = tmp_path_factory.mktemp("gradebook") / "gradebook.db"
    with Gradebook(f"sqlite:///{path}") as gradebook:
        gradebook.add_assignment(ASSIGNMENT)
        gradebook.add_notebook("learning_rate", ASSIGNMENT)
    return path


@pytest.fixture
def known(course, gradebook) -> Path:
    """A course with such a gradebook, in which ana and bo have handed in something."""
    shutil.copy(gradebook, course)
    for student in ("ana", "bo"):
        (course / "submitted" / student / ASSIGNMENT).mkdir(parents=True)
    return course


@pytest.fixture
def refused(capsys):
    """Runs the command, demands that it ends without having graded anything, and returns what it said."""

    def run(*words: str) -> str:
        assert main(["autograde", *words]) == COULD_NOT_RUN
        said = capsys.readouterr()
        assert said.out == ""
        return said.err

    return run


def test_a_folder_that_is_no_course(tmp_path, monkeypatch, refused):
    monkeypatch.chdir(tmp_path)
    said = refused(ASSIGNMENT)
    assert f"no nbgrader_config.py in {tmp_path}" in said and "grader/course" in said


def test_a_course_without_its_assignment_names_the_commands_that_make_it(course, refused):
    said = refused(ASSIGNMENT)
    assert f"python -m grader source, then nbgrader generate_assignment {ASSIGNMENT}" in said


@pytest.mark.parametrize("name", ["01_learning_rates", "learning_rate", "1_learning_rate"])
def test_an_assignment_misspelt(known, refused, name):
    assert f"no assignment '{name}'. Did you mean {ASSIGNMENT}?" in refused(name)


def test_an_assignment_like_no_other(known, refused):
    assert "nbgrader generate_assignment zebra" in refused("zebra")


@pytest.mark.parametrize("students, wrong", [("anna", "anna"), ("bo, anna", "anna"), ("an", "an")])
def test_a_student_misspelt(known, refused, students, wrong):
    said = refused(ASSIGNMENT, "--students", students)
    assert f"Nobody named {wrong!r} has handed in {ASSIGNMENT}. Did you mean ana?" in said


def test_no_student_at_all_between_commas(known, refused):
    assert "names nobody" in refused(ASSIGNMENT, "--students", " ,")


def test_nobody_has_handed_in(known, refused):
    shutil.rmtree(known / "submitted")
    said = refused(ASSIGNMENT)
    assert f"Nobody has handed in {ASSIGNMENT}" in said and str(known / "submitted") in said


def test_a_database_that_does_not_answer(known, refused):
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))  # nobody listens
        said = refused(ASSIGNMENT, f"--db-url=postgresql+psycopg2://me:word@127.0.0.1:{free.getsockname()[1]}/grades")
    assert "postgresql+psycopg2://me:***@127.0.0.1" in said and "it was tried for 1 s" in said
    assert "refused" in said and "word" not in said.replace("password", "")


def test_a_gradebook_that_is_held_by_another_program(known, refused, monkeypatch):
    other = sqlite3.connect(known / "gradebook.db", isolation_level=None)
    other.execute("BEGIN EXCLUSIVE")
    said = refused(ASSIGNMENT)
    other.close()
    assert "gradebook.db does not answer" in said and "database is locked" in said


def test_a_gradebook_that_is_none(known, refused):
    (known / "gradebook.db").write_text("some notes on the class, " * 100)
    assert "file is not a database" in refused(ASSIGNMENT)


@pytest.mark.parametrize("url", ["nonsense", "oracel://somewhere", "postgresql+nodriver://somewhere"])
def test_a_gradebook_with_a_url_of_no_database(known, refused, url):
    assert url in refused(ASSIGNMENT, f"--db-url={url}")


@pytest.mark.parametrize("content", ["", "17", "z" * 32, "0" * 31, "0" * 33])
def test_a_damaged_seed(known, refused, content):
    path = known / "grading" / ASSIGNMENT / "seed.txt"
    path.parent.mkdir(parents=True)
    path.write_text(content)
    said = refused(ASSIGNMENT)
    assert str(path) in said and "32 hexadecimal digits" in said and "--force" in said


def test_a_seed_is_drawn_once_and_is_not_for_everybody(tmp_path):
    seeds = {seed(tmp_path, name) for name in ("one", "one", "two")}
    assert len(seeds) == 2 and seed(tmp_path, "one") in seeds
    assert (tmp_path / "grading" / "one" / "seed.txt").stat().st_mode & 0o077 == 0


def test_a_limit_that_there_is_not(known, refused):
    with open(known / "nbgrader_config.py", "a") as configuration:
        configuration.write('\nc.ExecuteExercises.limits = {"memmory": 1}\n')
    said = refused(ASSIGNMENT)
    assert "memmory" in said and "notebook_seconds" in said


def test_a_configuration_without_our_steps(known, refused):
    configuration = known / CONFIGURATION.name
    configuration.write_text(configuration.read_text().replace("\nconfigure(c)\n", "\n"))
    assert f"into {configuration}, before any line on Autograde: from grader.autograding" in refused(ASSIGNMENT)


def test_students_whom_the_configuration_leaves_out(known, refused):
    with open(known / CONFIGURATION.name, "a") as configuration:
        configuration.write('\nc.CourseDirectory.student_id_exclude = "ana,teacher"\n')
    assert open_course(ASSIGNMENT).students(ASSIGNMENT) == ["bo"]
    assert "Nobody named 'ana' has handed in" in refused(ASSIGNMENT, "--students", "ana")


def test_a_course_in_which_nothing_can_be_written(known, refused):
    (known / "grading").write_text("a file, where a folder should be")
    said = refused(ASSIGNMENT)
    assert f"Something in {known} cannot be read or written" in said and str(known / "grading") in said


@pytest.mark.parametrize("workers", ["0", "-1", "two"])
def test_workers_that_are_none(known, capsys, workers):
    with pytest.raises(SystemExit) as ended:
        main(["autograde", ASSIGNMENT, f"--workers={workers}"])
    assert ended.value.code == COULD_NOT_RUN
    assert workers in capsys.readouterr().err


@pytest.mark.parametrize("exercise", ["step_decy", "zebra"])
def test_regrading_before_anything_is_graded_or_an_exercise_that_there_is_not(known, refused, exercise):
    assert f"{ASSIGNMENT} has no exercise {exercise!r}." in refused(ASSIGNMENT, "--regrade", exercise)


def test_the_lock_is_free_after_an_error(known):
    course = open_course(ASSIGNMENT)
    with pytest.raises(CourseError, match="No space left"), graded_by_one(course, "fails"):
        raise OSError(28, os.strerror(28))
    with graded_by_one(course, "goes on"):
        holder = json.loads((known / "grading" / "lock").read_text())
        assert (holder["what"], holder["pid"], holder["host"]) == ("goes on", os.getpid(), socket.gethostname())
        with pytest.raises(CourseError, match=rf"`goes on` \(process {os.getpid()} on "), graded_by_one(course, "late"):
            pass
