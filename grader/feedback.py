"""Makes the feedback pages of a class side by side: nbgrader's own pages, each written whole or not at all.

A page that would come out as it is already is not made again: what it was made from and what was written are kept as
digests in the course folder. They are written last, so a run that was stopped goes on where it was.
"""

import argparse
import hashlib
import json
import logging
import sys
from collections.abc import Callable
from concurrent.futures import Future
from dataclasses import dataclass, field
from functools import cache
from glob import escape
from pathlib import Path
from typing import Any

import nbconvert
import nbgrader
from nbgrader.api import Gradebook
from nbgrader.converters import GenerateFeedback
from nbgrader.converters.base import NbGraderException
from nbgrader.utils import find_all_files
from tqdm import tqdm

from grader import cleaning
from grader.assignments import GRADING
from grader.courses import CONFIGURATION, Course, CourseError, nearest_names, open_course
from grader.crews import local_crew
from grader.records import file_name
from labutils.files import write_atomically

NOTHING_GRADED = "Nothing of {assignment} is graded yet. To do that: python -m grader autograde {assignment}"
NOT_GRADED = (
    "Nothing that {name} handed in of {assignment} is graded yet.{nearest} "
    "To grade it: python -m grader autograde {assignment} --students {name}"
)
FAILED = (
    "failed: {student}: {reason}. To see all of it: nbgrader generate_feedback {assignment} --student {student} --force"
)
SUMMARY = "{made} made, {unchanged} unchanged, {failed} failed."
FAILED_STATUS, COULD_NOT_RUN = 1, 2


@dataclass(frozen=True)
class Job:
    """A student's pages, which a worker is to make."""

    student: str
    assignment: str
    db_url: str | None


@dataclass
class Tally:
    """How a run went: the names of students by what came of their pages."""

    made: list[str] = field(default_factory=list)
    unchanged: list[str] = field(default_factory=list)
    failed: dict[str, str] = field(default_factory=dict)

    def words(self, assignment: str) -> str:
        lines = [
            FAILED.format(student=student, reason=reason, assignment=assignment)
            for student, reason in sorted(self.failed.items())
        ]
        numbers = {"made": len(self.made), "unchanged": len(self.unchanged), "failed": len(self.failed)}
        return "\n".join([*lines, SUMMARY.format(**numbers)])


def main_for(options: argparse.Namespace) -> int:
    """Make the pages that `python -m grader feedback` asks for. Returns the exit status."""
    try:
        tally = make_pages(options.assignment, options.students, options.workers, options.force, options.db_url)
    except CourseError as error:
        print(error, file=sys.stderr)
        return COULD_NOT_RUN
    print(tally.words(options.assignment))
    return FAILED_STATUS if tally.failed else 0


def make_pages(
    assignment: str, students: str | None = None, workers: int = 1, force: bool = False, db_url: str | None = None
) -> Tally:
    """Make the pages of those who are graded. Raises CourseError where that is not possible."""
    course = open_course(assignment, db_url)
    tally = Tally()
    jobs = []
    for student in _graded_students(course, assignment, students):
        if not force and _is_unchanged(course, Job(student, assignment, db_url)):
            tally.unchanged.append(student)
        else:
            jobs.append(Job(student, assignment, db_url))
    bar = tqdm(total=len(jobs), desc="feedback", unit="student", disable=None if jobs else True)
    with bar, local_crew(max(1, min(workers, len(jobs)))) as crew:
        for job, future in crew.results(make_page, jobs):
            _note(tally, job.student, future)
            bar.update()
    return tally


def make_page(job: Job) -> None:
    """Make the pages of one student, in a worker."""
    course = _course(job.assignment, job.db_url)
    made_from = _made_from(course, job)
    converter = WholePages(coursedir=course.coursedir, config=course.config)
    converter.log = _silent()
    course.coursedir.assignment_id, course.coursedir.student_id = job.assignment, escape(job.student)
    try:
        converter.start()
    except NbGraderException as error:
        raise converter.trouble or error from error
    write_atomically(_kept(course, job), _digests(made_from, _folder(course, job)))


class WholePages(GenerateFeedback):
    """nbgrader's, which replaces a page by a whole one. `trouble` is what kept it from that: nbgrader only logs it."""

    trouble: Exception | None = None

    def init_destination(self, assignment_id: str, student_id: str) -> bool:
        """Whether there is anything to do is known before; what lies there stays until a page takes its place."""
        return True

    def convert_single_notebook(self, notebook_filename: str) -> None:
        try:
            super().convert_single_notebook(notebook_filename)
        except Exception as error:
            self.trouble = error
            raise

    def write_single_notebook(self, output: str, resources: dict[str, Any]) -> None:
        names = resources["nbgrader"]
        folder = Path(self._format_dest(names["assignment"], names["student"]))
        for name, content in resources.get("outputs", {}).items():  # pictures, where nbconvert is told to extract them
            write_atomically(folder / name, content)
        write_atomically(folder / f"{names['notebook']}{resources['output_extension']}", output.encode("utf-8"))


def _graded_students(course: Course, assignment: str, wanted: str | None) -> list[str]:
    """All who are graded, or those named, separated by commas. Raises CourseError for one who is not."""
    coursedir = course.coursedir
    with course.gradebook() as gradebook:
        known = [one.student.id for one in gradebook.assignment_submissions(assignment)]
    folders = {
        student: Path(coursedir.format_path(coursedir.autograded_directory, student, assignment)) for student in known
    }
    graded = sorted(student for student, folder in folders.items() if any(folder.glob("*.ipynb")))
    if not graded:
        raise CourseError(NOTHING_GRADED.format(assignment=assignment))
    if wanted is None:
        return graded
    names = [name.strip() for name in wanted.split(",") if name.strip()]
    for name in names:
        if name not in graded:
            nearest = nearest_names(name, graded)
            raise CourseError(NOT_GRADED.format(name=name, assignment=assignment, nearest=nearest))
    return list(dict.fromkeys(names))


def _note(tally: Tally, student: str, future: Future) -> None:
    error = future.exception()
    if isinstance(error, CourseError):
        raise error
    if error is not None:
        words = " ".join(str(error).split()) or "no reason was given"
        tally.failed[student] = f"{type(error).__name__}: {words}"
    else:
        tally.made.append(student)


@cache
def _course(assignment: str, db_url: str | None) -> Course:
    """The course, opened once in each worker."""
    return open_course(assignment, db_url)


@cache
def _silent() -> logging.Logger:
    """In place of nbgrader's log, which would tear the progress bar; what went wrong is told at the end."""
    log = logging.getLogger(f"{__name__}.silent")
    log.addHandler(logging.NullHandler())
    log.propagate = False
    return log


def _is_unchanged(course: Course, job: Job) -> bool:
    kept = _kept(course, job)
    return kept.exists() and kept.read_bytes() == _digests(_made_from(course, job), _folder(course, job))


def _kept(course: Course, job: Job) -> Path:
    return course.root / GRADING / job.assignment / "feedback" / f"{file_name(job.student)}.json"


def _folder(course: Course, job: Job) -> Path:
    return Path(course.coursedir.format_path(course.coursedir.feedback_directory, job.student, job.assignment))


def _digests(made_from: str, folder: Path) -> bytes:
    """What is kept of a student's pages: digests of what they were made from, and of all that lies in their folder."""
    files = {path.relative_to(folder).as_posix(): path for path in folder.rglob("*") if path.is_file()}
    written = {name: hashlib.sha256(path.read_bytes()).hexdigest() for name, path in sorted(files.items())}
    return json.dumps({"format": 1, "made_from": made_from, "written": written}, indent=1).encode()


def _made_from(course: Course, job: Job) -> str:
    """A digest of all that a student's pages depend on: graded notebooks, scores, comments, settings and programs."""
    folder = Path(course.coursedir.format_path(course.coursedir.autograded_directory, job.student, job.assignment))
    paths = sorted(map(Path, find_all_files(str(folder), course.coursedir.ignore)))
    found = hashlib.sha256()
    for content in (
        *(part for path in paths for part in (str(path.relative_to(folder)).encode(), path.read_bytes())),
        json.dumps(_in_gradebook(course.gradebook, job)).encode(),
        (course.root / CONFIGURATION).read_bytes(),
        Path(cleaning.__file__).read_bytes(),
        f"nbgrader {nbgrader.__version__}, nbconvert {nbconvert.__version__}".encode(),
    ):
        found.update(hashlib.sha256(content).digest())
    return found.hexdigest()


def _in_gradebook(open_gradebook: Callable[[], Gradebook], job: Job) -> list:
    """What a page shows of the gradebook."""
    with open_gradebook() as gradebook:
        submission = gradebook.find_submission(job.assignment, job.student)
        return [
            [
                notebook.name,
                notebook.late_submission_penalty,
                sorted([grade.name, grade.score, grade.max_score] for grade in notebook.grades),
                sorted([comment.name, comment.comment or ""] for comment in notebook.comments),
            ]
            for notebook in sorted(submission.notebooks, key=lambda notebook: notebook.name)
        ]
