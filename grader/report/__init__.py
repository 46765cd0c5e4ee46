"""`python -m grader report`: what a class did in one assignment, as a page with plots and as CSV files."""

import sys
from collections.abc import Collection
from difflib import get_close_matches
from pathlib import Path

from grader.exercise import source_of
from grader.exercises import all_exercises
from grader.records import Records
from grader.report.answers import Answer, answers_in, answers_of
from grader.report.counting import exercise_names
from grader.report.page import html_page
from grader.report.similarity import similar_pairs
from grader.report.tables import csv_files
from labutils.files import write_atomically

PAGE = "report.html"

NOTHING_GRADED = "Nothing of {assignment} is graded yet: python -m grader autograde {assignment}"
NO_ASSIGNMENT = "There is no assignment {assignment} in {course}. {way_out}"
DID_YOU_MEAN = "Did you mean {names}?"
THERE_ARE = "There are {names}."
NONE_AT_ALL = "There is none at all yet; `python -m grader source` writes those of the book."
CANNOT_WRITE = "The report cannot be written: {error}."


class NothingToReport(Exception):
    """There is no such assignment, or nothing of it is graded. The message says which, and the way out."""


def report(course: Path, assignment: str) -> int:
    """Write the report, say where it is, and return the exit status."""
    try:
        paths = write_report(course, assignment)
    except NothingToReport as reason:
        print(reason, file=sys.stderr)
        return 1
    except OSError as error:
        print(CANNOT_WRITE.format(error=error), file=sys.stderr)
        return 1
    print("\n".join(map(str, paths)))
    return 0


def write_report(course: Path, assignment: str) -> list[Path]:
    """Write the page and the CSV files into the course's `reports`, and return their paths, the page first.

    Raises NothingToReport, and OSError where the course folder cannot be read or written.
    """
    known = _assignments(course)
    if assignment not in known:
        raise NothingToReport(_no_assignment(course, assignment, known))
    records = Records(course, assignment).all()
    if not records:
        raise NothingToReport(NOTHING_GRADED.format(assignment=assignment))
    handed_in = _handed_in(course, assignment)
    notebook = next(iter(records.values())).notebook
    exercises = exercise_names(records.values())
    answers = {student: answers_in(folder, notebook, exercises) for student, folder in handed_in.items()}
    answers = {student: of_one for student, of_one in answers.items() if of_one}
    pairs = similar_pairs(answers, _known_answers(course, assignment, notebook, exercises))
    ungraded = [student for student in handed_in if student not in records]
    contents = {PAGE: html_page(assignment, records, ungraded, pairs, answers), **csv_files(records)}
    folder = course / "reports" / assignment
    for name, content in contents.items():
        write_atomically(folder / name, content)
    return [folder / name for name in contents]


def _assignments(course: Path) -> list[str]:
    """Every assignment that the course folder knows of, generated, handed in or graded."""
    places = [course / "source", course / "release", course / "grading", *_folders(course / "submitted")]
    return sorted({folder.name for place in places for folder in _folders(place)})


def _handed_in(course: Path, assignment: str) -> dict[str, Path]:
    """The folder of each student who handed in, in the order of their names."""
    folders = {student.name: student / assignment for student in _folders(course / "submitted")}
    return {student: folder for student, folder in sorted(folders.items()) if folder.is_dir()}


def _folders(place: Path) -> list[Path]:
    return [path for path in place.iterdir() if path.is_dir()] if place.is_dir() else []


def _no_assignment(course: Path, assignment: str, known: list[str]) -> str:
    close = get_close_matches(assignment, known, n=3)
    if close:
        way_out = DID_YOU_MEAN.format(names=" or ".join(close))
    else:
        way_out = THERE_ARE.format(names=", ".join(known)) if known else NONE_AT_ALL
    return NO_ASSIGNMENT.format(assignment=assignment, course=course, way_out=way_out)


def _known_answers(course: Path, assignment: str, notebook: str, exercises: Collection[str]) -> dict[str, list[Answer]]:
    """What nobody has to copy: the stubs and solutions of the course, and the answers that the exercises know."""
    given = [answers_in(course / place / assignment, notebook, exercises) for place in ("source", "release")]
    known = {name: [answers[name] for answers in given if name in answers] for name in exercises}
    for name, exercise in all_exercises().items():
        mistakes = (mistake.function for mistake in exercise.mistakes)
        for function in (exercise.reference_function, *exercise.alternatives, *mistakes) if name in known else ():
            known[name] += answers_of(source_of(function), {function.__name__}).values()
    return known
