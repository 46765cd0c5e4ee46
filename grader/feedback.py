"""Makes the feedback pages of a class side by side: nbgrader's own pages, each written whole or not at all.

What a student's pages were made from is kept as a digest in the course folder, and pages are made again only when that
has changed. The digest is written last, so a run that was stopped goes on where it was.
"""

import argparse
import hashlib
import json
import logging
import sys
from concurrent.futures import Future
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any

import nbconvert
import nbgrader
from nbgrader.converters import GenerateFeedback
from nbgrader.utils import find_all_files
from tqdm import tqdm

from grader import cleaning
from grader.assignments import GRADING
from grader.courses import CONFIGURATION, Course, graded_by_one, nearest_names, open_course
from grader.crews import local_crew
from grader.errors import CourseError
from grader.records import file_name
from labutils.files import UNFINISHED, write_atomically

NOTHING_GRADED = "Nothing of {assignment} is graded yet. To do that: python -m grader autograde {assignment}"
NOT_GRADED = (
    "Nothing that {name} handed in of {assignment} is graded yet.{nearest} "
    "To grade it: python -m grader autograde {assignment} --students {name}"
)
FAILED = "failed: {student}: {reason}. An earlier page, if there is one, is as it was."
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

    def words(self) -> str:
        lines = [FAILED.format(student=student, reason=reason) for student, reason in sorted(self.failed.items())]
        numbers = {"made": len(self.made), "unchanged": len(self.unchanged), "failed": len(self.failed)}
        return "\n".join([*lines, SUMMARY.format(**numbers)])


def main_for(options: argparse.Namespace) -> int:
    """Make the pages that `python -m grader feedback` asks for. Returns the exit status."""
    try:
        tally = make_pages(options.assignment, options.students, options.workers, options.force, options.db_url)
    except CourseError as error:
        print(error, file=sys.stderr)
        return COULD_NOT_RUN
    print(tally.words())
    return FAILED_STATUS if tally.failed else 0


def make_pages(
    assignment: str, students: str | None = None, workers: int = 1, force: bool = False, db_url: str | None = None
) -> Tally:
    """Make the pages of those who are graded. Raises CourseError where that is not possible."""
    course = _open(assignment, db_url)
    jobs = [Job(student, assignment, db_url) for student in _graded_students(course, assignment, students)]
    with graded_by_one(course, f"feedback {assignment}"):
        _remove_unfinished(course, jobs)
        tally = Tally(unchanged=[] if force else [job.student for job in jobs if _is_unchanged(course, job)])
        todo = [job for job in jobs if job.student not in tally.unchanged]
        bar = tqdm(total=len(todo), desc="feedback", unit="student", disable=None if todo else True)
        with bar, local_crew(max(1, min(workers, len(todo)))) as crew:
            for job, future in crew.results(make_page, todo):
                _note(tally, job.student, future)
                bar.update()
    return tally


def make_page(job: Job) -> None:
    """Make the pages of one student, in a worker."""
    course = _opened(job.assignment, job.db_url)
    made_from = _made_from(course, job)
    course.coursedir.assignment_id, course.coursedir.student_id = job.assignment, job.student
    converter = WholePages(coursedir=course.coursedir, config=course.config)
    converter.log = _silent()
    converter.start()
    write_atomically(_kept(course, job), _digest(made_from))


class WholePages(GenerateFeedback):
    """nbgrader's steps for one student, in which a page stays until a whole one takes its place.

    nbgrader itself removes a student's pages before it makes new ones, and when it fails to.
    """

    def init_notebooks(self) -> None:
        folder = self._format_source(self.coursedir.assignment_id, self.coursedir.student_id)
        self.notebooks = sorted(map(str, Path(folder).glob("*.ipynb")))

    def convert_notebooks(self) -> None:
        names = self.coursedir.assignment_id, self.coursedir.student_id
        self.run_pre_convert_hook()
        self.init_assignment(*names)
        for notebook in self.notebooks:
            self.convert_single_notebook(notebook)
        self.set_permissions(*names)
        self.run_post_convert_hook()

    def write_single_notebook(self, output: str, resources: dict[str, Any]) -> None:
        names = resources["nbgrader"]
        folder = Path(self._format_dest(names["assignment"], names["student"]))
        write_atomically(folder / f"{names['notebook']}.html", output.encode("utf-8"))


def _graded_students(course: Course, assignment: str, wanted: str | None) -> list[str]:
    """All who are graded, or those named, separated by commas. Raises CourseError for one who is not."""
    with course.gradebook() as gradebook:
        known = {one.student.id for one in gradebook.assignment_submissions(assignment)} - course.excluded
    graded = sorted(student for student in known if _graded(course, student, assignment))
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


def _open(assignment: str, db_url: str | None) -> Course:
    course = open_course(assignment, db_url)
    # nbgrader copies what lies beside a notebook. A page of the student's own is not to take the place of ours.
    course.coursedir.ignore = [*course.coursedir.ignore, "*.html"]
    return course


_opened = cache(_open)
"""The course, opened once in each worker."""


@cache
def _silent() -> logging.Logger:
    """In place of nbgrader's log, which would tear the progress bar; what went wrong is told at the end."""
    log = logging.getLogger(f"{__name__}.silent")
    log.addHandler(logging.NullHandler())
    log.propagate = False
    return log


def _is_unchanged(course: Course, job: Job) -> bool:
    """Tell whether all pages are there, and are from what they would be made from now."""
    kept, folder = _kept(course, job), _folder(course, job)
    pages = [folder / f"{notebook.stem}.html" for notebook in _graded(course, job.student, job.assignment)]
    return (
        kept.exists() and all(page.exists() for page in pages) and kept.read_bytes() == _digest(_made_from(course, job))
    )


def _remove_unfinished(course: Course, jobs: list[Job]) -> None:
    """Remove what a run that was killed had begun to write."""
    for folder in {place for job in jobs for place in (_folder(course, job), _kept(course, job).parent)}:
        for path in folder.glob(f"{UNFINISHED}*"):
            path.unlink()


def _kept(course: Course, job: Job) -> Path:
    return course.root / GRADING / job.assignment / "feedback" / f"{file_name(job.student)}.json"


def _folder(course: Course, job: Job) -> Path:
    return Path(course.coursedir.format_path(course.coursedir.feedback_directory, job.student, job.assignment))


def _graded(course: Course, student: str, assignment: str) -> list[Path]:
    """A student's graded notebooks."""
    folder = course.coursedir.format_path(course.coursedir.autograded_directory, student, assignment)
    return sorted(Path(folder).glob("*.ipynb"))


def _digest(made_from: str) -> bytes:
    return json.dumps({"format": 1, "made_from": made_from}).encode()


def _made_from(course: Course, job: Job) -> str:
    """A digest of all that a student's pages depend on: graded notebooks, scores, comments, settings and programs."""
    folder = Path(course.coursedir.format_path(course.coursedir.autograded_directory, job.student, job.assignment))
    paths = sorted(map(Path, find_all_files(str(folder), course.coursedir.ignore)))
    found = hashlib.sha256()
    for content in (
        *(part for path in paths for part in (str(path.relative_to(folder)).encode(), path.read_bytes())),
        json.dumps(_in_gradebook(course, job)).encode(),
        (course.root / CONFIGURATION).read_bytes(),
        Path(cleaning.__file__).read_bytes(),
        f"nbgrader {nbgrader.__version__}, nbconvert {nbconvert.__version__}".encode(),
    ):
        found.update(hashlib.sha256(content).digest())
    return found.hexdigest()


def _in_gradebook(course: Course, job: Job) -> list:
    """What a page shows of the gradebook."""
    with course.gradebook() as gradebook:
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
