"""Grading again: what an instructor gave stays, and of an exercise that changed only its own scores change."""

import shutil
from datetime import datetime
from pathlib import Path

import pytest
from nbgrader.api import Gradebook

from grader.exercise import body_of
from grader.texts import ROOT
from tests.flows.classroom import Classroom, copy_of, nothing_left
from tests.flows.test_course import ASSIGNMENT, EXERCISES, PAGE, Submission, references

CHANGED, OTHER = "step_decay", "gradient_descent"
WEIGHT, NEW_WEIGHT = '"at a drop": 1', '"at a drop": 6'

pytestmark = pytest.mark.filterwarnings("ignore::RuntimeWarning", "ignore::UserWarning")


class OtherLab(Classroom):
    """A classroom that works with a copy of the lab, in which exercises may be changed."""

    @property
    def lab(self) -> Path:
        return self.folder.parent / "lab"

    @property
    def environment(self) -> dict[str, str]:
        return {**super().environment, "PYTHONPATH": str(self.lab)}

    def change_a_weight(self) -> None:
        path = self.lab / "grader" / "exercises" / "learning_rate" / f"{CHANGED}.py"
        text = path.read_text(encoding="utf-8")
        assert WEIGHT in text
        path.write_text(text.replace(WEIGHT, NEW_WEIGHT), encoding="utf-8")


@pytest.fixture(scope="module")
def students() -> dict[str, Submission]:
    right = references()
    mistakes = {mistake.function.__name__: body_of(mistake.function) for mistake in EXERCISES[CHANGED].mistakes}
    return {
        "right": Submission({CHANGED: right[CHANGED], OTHER: right[OTHER]}),
        "blank": Submission({}),
        "wrong": Submission({CHANGED: mistakes["drops_late"], OTHER: right[OTHER]}),
        "other": Submission({CHANGED: mistakes["drops_late"]}),
    }


@pytest.fixture(scope="module")
def graded(generated, students, tmp_path_factory) -> OtherLab:
    """A class that is graded; then an instructor has looked through it. `wrong` was late."""
    folder = tmp_path_factory.mktemp("again")
    classroom = OtherLab(folder / "course")
    shutil.copytree(copy_of(generated, folder / "generated", students).folder, classroom.folder, dirs_exist_ok=True)
    for part in ("grader", "labutils", "chapters"):
        shutil.copytree(ROOT / part, classroom.lab / part, ignore=shutil.ignore_patterns("__pycache__", "course"))
    with open(classroom.folder / "nbgrader_config.py", "a", encoding="utf-8") as configuration:
        configuration.write('\nc.LateSubmissionPlugin.penalty_method = "zero"\n')
    late = classroom.folder / "submitted" / "wrong" / ASSIGNMENT / "timestamp.txt"
    late.write_text("2026-11-02 12:00:00 UTC")
    with Gradebook(classroom.database) as gradebook:
        gradebook.update_or_create_assignment(ASSIGNMENT, duedate=datetime(2026, 11, 1))
    classroom.autograde()
    for student in students:
        _review(classroom, student)
    return classroom


def _review(classroom: Classroom, student: str) -> None:
    """Give a score and a comment by hand, as formgrader does."""
    with Gradebook(classroom.database) as gradebook:
        grade = gradebook.find_grade(f"check_{CHANGED}", PAGE.name, ASSIGNMENT, student)
        grade.manual_score, grade.extra_credit, grade.needs_manual_grade = 0.75, 0.25, False
        comment = gradebook.find_comment(CHANGED, PAGE.name, ASSIGNMENT, student)
        comment.manual_comment = f"Well tried, {student}."
        gradebook.db.commit()


def _by_hand(classroom: Classroom) -> dict[str, tuple]:
    with Gradebook(classroom.database) as gradebook:
        grades = {
            name: gradebook.find_grade(f"check_{CHANGED}", PAGE.name, ASSIGNMENT, name) for name in classroom.records
        }
        comments = {name: gradebook.find_comment(CHANGED, PAGE.name, ASSIGNMENT, name) for name in classroom.records}
        return {
            name: (
                grade.manual_score,
                grade.extra_credit,
                comments[name].manual_comment,
                grade.notebook.late_submission_penalty,
            )
            for name, grade in grades.items()
        }


def test_grading_anew_leaves_what_an_instructor_gave(graded, tmp_path):
    classroom = OtherLab(tmp_path / "course")
    shutil.copytree(graded.folder, classroom.folder, dirs_exist_ok=True)
    (tmp_path / "lab").symlink_to(graded.lab)
    before, given = classroom.scores(), _by_hand(classroom)
    classroom.autograde("--force")
    assert classroom.scores() == before
    assert {name: one[:3] for name, one in _by_hand(classroom).items()} == {
        name: one[:3] for name, one in given.items()
    }
    penalties = {name: one["penalty"] for name, one in classroom.gradebook().items()}
    assert penalties["wrong"] > 0 and {name for name, penalty in penalties.items() if penalty} == {"wrong"}


def test_an_exercise_that_has_changed_is_graded_again(graded, students):
    """The one who has all of it right, and the one who has nothing, keep their scores; and so do other exercises."""
    for name, submission in students.items():
        assert graded.scores()[name] == submission.deserves
    graded.change_a_weight()
    before, given, kept = graded.gradebook(), _by_hand(graded), graded.records

    said = graded.autograde().stdout
    assert f"{CHANGED} has changed since {len(students)} of these were graded." in said
    assert f"--regrade {CHANGED}" in said

    with nothing_left(graded):
        said = graded.autograde("--regrade", CHANGED, status=1).stdout
    header, *rows, question, last = said.splitlines()
    assert header.split() == ["student", "before", "after"]
    assert [row.split()[0] for row in rows] == ["other", "wrong"]
    assert question.startswith(f"Write 2 new scores of {CHANGED} into the gradebook?")
    assert last == "Nothing was written. To write without being asked: --yes"
    assert graded.gradebook() == before and graded.records == kept

    with nothing_left(graded):
        said = graded.autograde("--regrade", CHANGED, "--yes").stdout
    assert said.splitlines()[-1] == f"2 new scores of {CHANGED} written; 2 stay as they were."
    after, new = graded.gradebook(), graded.records
    cell = f"check_{CHANGED}"
    for row in rows:
        name, was, became = row.split()
        assert float(was) == pytest.approx(before[name]["grades"][cell][0], rel=1e-4)
        assert float(became) == pytest.approx(after[name]["grades"][cell][0], rel=1e-4)
        assert float(was) != float(became)
    assert _by_hand(graded) == given
    for name in students:
        changed = {key for key in before[name]["grades"] if before[name]["grades"][key] != after[name]["grades"][key]}
        assert changed == ({cell} if name in ("other", "wrong") else set())
        assert after[name]["grades"][cell][2] == (name in ("other", "wrong"))  # to be looked through again
        assert after[name]["comments"] == before[name]["comments"]
        assert new[name].graded == kept[name].graded
        assert {**new[name].exercises, CHANGED: None} == {**kept[name].exercises, CHANGED: None}
        assert new[name].exercises[CHANGED].points == after[name]["grades"][cell][0]

    assert "has changed" not in graded.autograde().stdout
