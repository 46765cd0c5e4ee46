"""Grades one exercise of all submissions again, after its cases or weights changed, and shows first what changes."""

import sys
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import nbformat
from nbgrader.api import Gradebook
from tqdm import tqdm

from grader import classwide, oracle
from grader.assignments import read_submission
from grader.classwide import Settings, Task
from grader.courses import Course, chosen_students, graded_by_one, nearest_names, open_course
from grader.errors import CourseError
from grader.grading import exercise_of
from grader.records import ExerciseRecord, Record, Records
from grader.submissions import Job, Result, grade_job
from labutils.files import write_atomically

NO_EXERCISE = "{assignment} has no exercise {name!r}.{nearest} It has {names}."
NOTHING_GRADED = "Nothing of {assignment} is graded yet. To grade it: python -m grader autograde {assignment}"
CHANGED_SINCE = (
    "{student} has handed in anew since being graded; left out. To grade it: python -m grader autograde {assignment}"
)
SAME = "The scores of {exercise} stay as they are for all {count} submissions."
HEADER = ("student", "before", "after")
QUESTION = "Write {count} new scores of {exercise} into the gradebook? [y/N] "
NOT_WRITTEN = "Nothing was written. To write without being asked: --yes"
WRITTEN = "{count} new scores of {exercise} written; {same} stay as they were."


@dataclass(frozen=True)
class Change:
    """What grading an exercise again found for one student."""

    record: Record
    result: Result
    before: float
    after: float


def regrade(settings: Settings, exercise: str, agreed: bool) -> int:
    """Grade `exercise` again, show what changes, and write it if the instructor agrees. Returns the exit status."""
    course = open_course(settings.assignment, settings.db_url)
    with graded_by_one(course, f"autograde {settings.assignment} --regrade {exercise}"):
        task = Task.read(course, settings.assignment, settings.unsafe)
        _demand_exercise(task, settings.assignment, exercise)
        found, failed = _found(course, settings, task, exercise)
        changes = [one for one in found if one.before != one.after]
        for student, reason in failed.items():
            print(f"failed: {student}: {reason}", file=sys.stderr)
        if not changes:
            print(SAME.format(exercise=exercise, count=len(found)))
        else:
            print(_table(changes))
        if changes and not agreed and not _agrees(QUESTION.format(count=len(changes), exercise=exercise)):
            print(NOT_WRITTEN)
            return 1
        for one in found:  # also where points stay: the hint or an aspect may have changed
            _write(course, settings.assignment, exercise, one, task.key)
        if changes:
            print(WRITTEN.format(count=len(changes), exercise=exercise, same=len(found) - len(changes)))
        return 1 if failed else 0


def _demand_exercise(task: Task, assignment: str, exercise: str) -> None:
    names = [name for one in task.masters for cell in one.cells if (name := cell.function) and cell.solution]
    if exercise not in names:
        nearest = nearest_names(exercise, names)
        raise CourseError(
            NO_EXERCISE.format(assignment=assignment, name=exercise, nearest=nearest, names=", ".join(names))
        )


def _found(course: Course, settings: Settings, task: Task, exercise: str) -> tuple[list[Change], dict[str, str]]:
    """What each graded submission earns now, and which could not be graded, and why."""
    records = Records(course.root, settings.assignment).all()
    graded = [name for name in chosen_students(course, settings.assignment, settings.students) if name in records]
    if not graded:
        raise CourseError(NOTHING_GRADED.format(assignment=settings.assignment))
    changes, failed = [], {}
    jobs = list(_jobs(course, settings.assignment, task, exercise, [records[name] for name in graded], failed))
    with tqdm(total=len(jobs), desc=f"grading {exercise}", unit="submission", disable=None) as bar:
        with classwide.crew(settings, len(jobs)) as crew:
            for job, future in crew.results(grade_job, jobs):
                bar.update()
                student = job.submission.student
                if future.exception() is not None:
                    failed[student] = str(future.exception())
                    continue
                result, record = future.result(), records[student]
                before = record.exercises.get(exercise)
                after = result.record.exercises[exercise]
                changes.append(Change(record, result, before.points if before else 0.0, after.points))
    return sorted(changes, key=lambda one: one.record.student), failed


def _jobs(
    course: Course, assignment: str, task: Task, exercise: str, records: list[Record], failed: dict[str, str]
) -> Iterator[Job]:
    """What is to be graded again; what cannot be read is added to `failed`."""
    for record in records:
        try:
            submission = read_submission(course.coursedir, assignment, record.student)
        except OSError as error:
            failed[record.student] = str(error)
            continue
        if submission.digest != record.digest:
            print(CHANGED_SINCE.format(student=record.student, assignment=assignment), file=sys.stderr)
        else:
            yield task.job(submission, only=exercise)


def _table(changes: list[Change]) -> str:
    rows = [HEADER, *((one.record.student, f"{one.before:g}", f"{one.after:g}") for one in changes)]
    widths = [max(len(row[column]) for row in rows) for column in range(3)]
    return "\n".join(f"{row[0]:<{widths[0]}}  {row[1]:>{widths[1]}}  {row[2]:>{widths[2]}}" for row in rows)


def _agrees(question: str) -> bool:
    """Ask; nobody there to answer is a no."""
    try:
        return input(question).strip().lower() in ("y", "yes")
    except EOFError:
        print()
        return False


def _write(course: Course, assignment: str, exercise: str, change: Change, key: str) -> None:
    """Write an exercise's new score, and its panel in the graded notebook; a manual score and all comments stay."""
    record, after = change.record, change.result.record.exercises[exercise]
    for name, graded in change.result.notebooks.items():
        cells = [cell for cell in graded.notebook.cells if exercise_of(cell) == exercise]
        for cell in cells:
            with course.gradebook() as gradebook:
                _write_score(gradebook, cell.metadata.nbgrader.grade_id, name, assignment, record.student, after)
            _write_panel(course, assignment, record.student, name, cell)
    exercises = {**record.exercises, exercise: after}
    known = record.key and oracle.renewed(record.key, key, exercise)
    Records(course.root, assignment).write(replace(record, exercises=exercises, key=known))


def _write_score(
    gradebook: Gradebook, cell: str, notebook: str, assignment: str, student: str, after: ExerciseRecord
) -> None:
    grade = gradebook.find_grade(cell, notebook, assignment, student)
    score = grade.max_score * after.points / after.max_points
    if score != grade.auto_score:
        grade.needs_manual_grade = grade.manual_score is not None
    grade.auto_score = score
    gradebook.db.commit()


def _write_panel(course: Course, assignment: str, student: str, notebook: str, new: nbformat.NotebookNode) -> None:
    folder = course.coursedir.format_path(course.coursedir.autograded_directory, student, assignment)
    path = Path(folder) / f"{notebook}.ipynb"
    graded = nbformat.read(path, as_version=4)
    for cell in graded.cells:
        if cell.metadata.get("nbgrader", {}).get("grade_id") == new.metadata.nbgrader.grade_id:
            cell.outputs = new.outputs
    write_atomically(path, nbformat.writes(graded).encode())
