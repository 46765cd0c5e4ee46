"""Writes down what came of submissions: scores and comments in the gradebook, notebooks in `autograded`.

It is nbgrader's autograding without the running, which workers have done. A submission is one transaction of the
gradebook: it stands there as a whole, or not at all.
"""

import errno
import logging
import os
import shutil
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

from nbformat import NotebookNode
from nbformat.v4 import new_notebook
from nbgrader.converters import Autograde
from nbgrader.converters.base import NbGraderException
from nbgrader.preprocessors import AssignLatePenalties, CheckCellMetadata, SaveAutoGrades
from nbgrader.utils import find_all_files
from sqlalchemy.exc import OperationalError
from tornado.log import app_log
from traitlets.log import get_logger

from grader.autograding import RESULT, ExecuteExercises, KeepRecord, SaveExerciseGrades
from grader.courses import CONFIGURATION, NO_GRADEBOOK, Course
from grader.errors import CourseError
from grader.gradebooks import OpenGradebook
from grader.grading import Graded
from grader.submissions import Result, Submission

DISK_FULL = (
    "The disk is full at {path}. What was graded until now is kept; "
    "free some space and run the same command again, it goes on from there."
)


NOT_CONFIGURED = (
    "The configuration of this course has no step that writes an exercise's points. Put these two lines into {path}, "
    "before any line on Autograde: from grader.autograding import configure; configure(c)"
)


class GradeWriter:
    """The one writer of the gradebook. Raises CourseError in a course without our configuration."""

    def __init__(self, course: Course, assignment: str) -> None:
        steps = Autograde(coursedir=course.coursedir, config=course.config).autograde_preprocessors
        if SaveExerciseGrades not in steps:
            raise CourseError(NOT_CONFIGURED.format(path=course.root / CONFIGURATION))
        self._course = course
        self._assignment = assignment
        self._gradebook = OpenGradebook(course.coursedir.db_url, course.coursedir.course_id)

    def write(self, submission: Submission, result: Result) -> Exception | None:
        """Write a submission's scores, comments and notebooks. Returns what kept it from that; a later try may do it.

        Raises CourseError where nothing can be written any more.
        """
        coursedir = self._course.coursedir
        coursedir.assignment_id, coursedir.student_id, kept = self._assignment, submission.student, coursedir.ignore
        writer = WriteGrades(coursedir=coursedir, config=self._course.config, force=True)
        writer.results, writer.gradebook = result.notebooks, self._gradebook
        try:
            with _errors_of_nbgrader() as errors:
                with self._gradebook.transaction():
                    writer.start()
                writer.assign_late_penalties()
        except (NbGraderException, OperationalError) as error:
            reasons = list(_chain(*errors, error))
            self._stop_if_hopeless(reasons)
            return NbGraderException(f"{type(reasons[0]).__name__}: {reasons[0]}")
        finally:
            coursedir.ignore = kept
        return None

    def _stop_if_hopeless(self, reasons: list[BaseException]) -> None:
        for reason in reasons:
            if isinstance(reason, OperationalError):
                raise CourseError(NO_GRADEBOOK.format(url=self._course.shown_url, reason=reason.orig)) from reason
            if isinstance(reason, OSError) and reason.errno == errno.ENOSPC:
                raise CourseError(DISK_FULL.format(path=self._course.root)) from reason


class SaveInOpenGradebook(SaveExerciseGrades):
    """The same in the gradebook that its converter has open."""

    def preprocess(self, nb: NotebookNode, resources: dict) -> tuple[NotebookNode, dict]:
        names = resources["nbgrader"]
        self.notebook_id, self.assignment_id, self.student_id = names["notebook"], names["assignment"], names["student"]
        self.gradebook = self.parent.parent.gradebook
        return super(SaveAutoGrades, self).preprocess(nb, resources)


class WriteGrades(Autograde):
    """nbgrader's autograding of one submission, of which only the writing down is left."""

    # What a worker has done, and what waits for the end of the transaction; one step is done in another way.
    steps: dict[type, type | None] = {
        **dict.fromkeys((ExecuteExercises, KeepRecord, CheckCellMetadata, AssignLatePenalties)),
        SaveExerciseGrades: SaveInOpenGradebook,
    }
    results: dict[str, Graded]
    gradebook: OpenGradebook
    is_late = False  # now, or when it was graded before

    def init_notebooks(self) -> None:
        """Expect the assignment's notebooks, under whatever names and in whatever state they were handed in."""
        folder = self._format_source(self.coursedir.assignment_id, self.coursedir.student_id)
        self.assignments = {folder: [os.path.join(folder, f"{name}.ipynb") for name in sorted(self.results)]}

    def init_assignment(self, assignment_id: str, student_id: str) -> None:
        """As nbgrader's, which would open the gradebook five times."""
        super(Autograde, self).init_assignment(assignment_id, student_id)
        if self.create_student:
            self.gradebook.update_or_create_student(student_id)
        else:
            self.gradebook.find_student(student_id)
        timestamp = self.coursedir.get_existing_timestamp(self._format_source(assignment_id, student_id))
        known = {"timestamp": timestamp} if timestamp else {}
        submission = self.gradebook.update_or_create_submission(assignment_id, student_id, **known)
        penalties = [notebook.late_submission_penalty for notebook in submission.notebooks]
        self.is_late = submission.total_seconds_late > 0 or any(penalty is not None for penalty in penalties)
        self._copy_master_files(assignment_id, student_id)

    def _copy_master_files(self, assignment_id: str, student_id: str) -> None:
        """Put the files that lie beside the assignment in place of what was handed in under their names."""
        source = self.coursedir.format_path(self.coursedir.source_directory, ".", assignment_id)
        students_own = {os.path.join(source, name) for name in self.exclude_overwriting.get(assignment_id, [])}
        for path in set(find_all_files(source, [*self.coursedir.ignore, "*.ipynb"])) - students_own:
            copy = Path(self._format_dest(assignment_id, student_id), os.path.relpath(path, source))
            copy.parent.mkdir(parents=True, exist_ok=True)
            copy.unlink(missing_ok=True)
            shutil.copy(path, copy)

    def convert_single_notebook(self, notebook_filename: str) -> None:
        resources = self.init_single_notebook_resources(notebook_filename)
        found = self.results[resources["nbgrader"]["notebook"]]
        resources[RESULT] = replace(found, notebook=new_notebook())  # the notebook comes beside it
        self.exporter.optimistic_validation = True
        self._sanitizing = False
        try:
            self.exporter._preprocessors = []
            for step in self.autograde_preprocessors:
                done_by = self.steps.get(step, step)
                if done_by is not None:
                    self.exporter.register_preprocessor(done_by)
            output, resources = self.exporter.from_notebook_node(found.notebook, resources)
            self.write_single_notebook(output, resources)
        finally:
            self._sanitizing = True

    def assign_late_penalties(self) -> None:
        """Have nbgrader do it where it changes anything. It opens the gradebook itself, so ours has to be written."""
        if not self.is_late or AssignLatePenalties not in self.autograde_preprocessors:
            return
        step = AssignLatePenalties(parent=self.exporter)
        names = {"assignment": self.coursedir.assignment_id, "student": self.coursedir.student_id}
        for notebook in self.results:
            step(new_notebook(), {"nbgrader": {**names, "notebook": notebook, "db_url": self.coursedir.db_url}})


@contextmanager
def _errors_of_nbgrader() -> Iterator[list[BaseException]]:
    """Collect the errors that nbgrader logs, in their order; it raises others in their place, without a cause."""
    errors: list[BaseException] = []
    collector = logging.Handler(logging.ERROR)
    collector.emit = lambda record: errors.extend(filter(None, sys.exc_info()[1:2]))
    logs = get_logger(), app_log  # of its converters, of its gradebook
    for log in logs:
        log.addHandler(collector)
    try:
        yield errors
    finally:
        for log in logs:
            log.removeHandler(collector)


def _chain(*errors: BaseException) -> Iterator[BaseException]:
    """Each error, and then those during which it was raised."""
    for error in errors:
        while error is not None:
            yield error
            error = error.__cause__ or error.__context__
