"""Grades a whole class: submissions side by side in workers, one writer of the gradebook, a record of each one done.

The record is written last. So a run that was stopped, by a signal too, goes on where it was: what has a record of the
same content is not graded again, and what was written in part is written anew, to the same effect.
"""

from concurrent.futures import Future
from contextlib import AbstractContextManager
from dataclasses import dataclass, field, replace
from pathlib import Path

from tqdm import tqdm

from grader import oracle
from grader.assignments import masters, read_submission, seed
from grader.autograding import ExecuteExercises
from grader.courses import Course, chosen_students, graded_by_one, open_course
from grader.crews import Crew, dask_crew, local_crew
from grader.errors import CourseError
from grader.exercises import all_exercises
from grader.records import UNREADABLE, WITH_REMARKS, Record, Records
from grader.sandbox.launching import SandboxUnavailable
from grader.submissions import Job, Master, Submission, grade_job
from grader.writing import GradeWriter

NOBODY = "Nobody has handed in {assignment}: there is nothing in {folder}."
SUMMARY = "{graded} graded: {plain} without remarks, {remarks} with remarks, {unreadable} unreadable."
UNCHANGED = " {count} unchanged since they were graded, and left as they were (--force grades them again)."
FAILED = " {count} could not be graded."
CHANGED_EXERCISE = (
    "{exercise} has changed since {count} of these were graded. To see what would change, and write it: "
    "--regrade {exercise}"
)


@dataclass(frozen=True)
class Settings:
    """What the command line asks for."""

    assignment: str
    students: str | None = None
    workers: int = 1
    dask: str | None = None
    db_url: str | None = None
    force: bool = False
    unsafe: bool = False


@dataclass
class Tally:
    """How a run went: the names of students by what came of their submissions."""

    graded: list[str] = field(default_factory=list)
    remarks: list[str] = field(default_factory=list)
    unreadable: list[str] = field(default_factory=list)
    failed: dict[str, str] = field(default_factory=dict)
    unchanged: list[str] = field(default_factory=list)
    outdated: dict[str, list[str]] = field(default_factory=dict)  # by exercise

    def add(self, record: Record) -> None:
        self.graded.append(record.student)
        if record.status == WITH_REMARKS:
            self.remarks.append(record.student)
        elif record.status == UNREADABLE:
            self.unreadable.append(record.student)

    def words(self) -> str:
        lines = [f"unreadable: {name}" for name in self.unreadable]
        lines += [f"failed: {name}: {reason}" for name, reason in self.failed.items()]
        for exercise, names in sorted(self.outdated.items()):
            lines.append(CHANGED_EXERCISE.format(exercise=exercise, count=len(names)))
        plain = len(self.graded) - len(self.remarks) - len(self.unreadable)
        last = SUMMARY.format(
            graded=len(self.graded), plain=plain, remarks=len(self.remarks), unreadable=len(self.unreadable)
        )
        if self.unchanged:
            last += UNCHANGED.format(count=len(self.unchanged))
        if self.failed:
            last += FAILED.format(count=len(self.failed))
        return "\n".join([*lines, last])

    @property
    def status(self) -> int:
        return 1 if self.unreadable or self.failed else 0


def autograde(settings: Settings) -> Tally:
    """Grade what has been handed in and not been graded yet. Raises CourseError where that is not possible."""
    course = open_course(settings.assignment, settings.db_url)
    students = chosen_students(course, settings.assignment, settings.students)
    if not students:
        folder = course.coursedir.format_path(course.coursedir.submitted_directory, "*", settings.assignment)
        raise CourseError(NOBODY.format(assignment=settings.assignment, folder=folder))
    with graded_by_one(course, f"autograde {settings.assignment}"):
        return _Run(course, settings, students).done()


class _Run:
    """One run of the command, with the lock of the course in hand."""

    def __init__(self, course: Course, settings: Settings, students: list[str]) -> None:
        self._course = course
        self._settings = settings
        self._students = students
        self._records = Records(course.root, settings.assignment)
        self._tally = Tally()
        self._task = Task.read(course, settings.assignment, settings.unsafe)

    def done(self) -> Tally:
        todo = [student for student in self._students if self._is_to_be_graded(student)]
        writer = GradeWriter(self._course, self._settings.assignment)
        bar = tqdm(total=len(todo), desc="grading", unit="submission", disable=None if todo else True)
        with bar, crew(self._settings, len(todo)) as hired:
            for job, future in hired.results(grade_job, map(self._job, todo)):
                self._finish(writer, job.submission, future)
                bar.update()
        return self._tally

    def _is_to_be_graded(self, student: str) -> bool:
        """Tell whether it can be read, and there is no record of this very content, or its grades have gone."""
        try:
            submission = read_submission(self._course.coursedir, self._settings.assignment, student)
        except OSError as error:
            self._tally.failed[student] = str(error)
            return False
        record = self._records.read(student)
        if self._settings.force or record is None or not self._is_in_gradebook(student):
            return True
        if record.digest != submission.digest:
            return True
        self._tally.unchanged.append(student)
        if record.key:  # nbgrader's own command leaves none
            for exercise in oracle.changed(record.key, self._task.key):
                self._tally.outdated.setdefault(exercise, []).append(student)
        return False

    def _is_in_gradebook(self, student: str) -> bool:
        coursedir = self._course.coursedir
        folder = coursedir.format_path(coursedir.autograded_directory, student, self._settings.assignment)
        return Path(folder).is_dir() and student in self._task.in_gradebook

    def _job(self, student: str) -> Job:
        return self._task.job(read_submission(self._course.coursedir, self._settings.assignment, student))

    def _finish(self, writer: GradeWriter, submission: Submission, future: Future) -> None:
        """Write down what a worker found."""
        error = future.exception()
        if isinstance(error, SandboxUnavailable):
            raise CourseError(str(error)) from error
        if error is None:
            result = future.result()
            record = replace(result.record, key=self._task.key)
            error = writer.write(submission, result)
            if error is None:
                self._records.write(record)
                self._tally.add(record)
                return
        self._tally.failed[submission.student] = str(error) or type(error).__name__


@dataclass(frozen=True)
class Task:
    """What all submissions of an assignment are graded with."""

    masters: tuple[Master, ...]
    seed: str
    key: str
    in_gradebook: frozenset[str]
    execute: ExecuteExercises
    root: Path
    unsafe: bool

    @classmethod
    def read(cls, course: Course, assignment: str, unsafe: bool = False) -> "Task":
        """Raises CourseError for limits that there are not."""
        drawn = seed(course.root, assignment)
        with course.gradebook() as gradebook:
            found = masters(gradebook, course.coursedir, assignment)
            graded = frozenset(one.student.id for one in gradebook.assignment_submissions(assignment))
        names = {cell.function for one in found for cell in one.cells if cell.solution} & all_exercises().keys()
        execute = ExecuteExercises(config=course.config)
        try:
            execute.all_limits()
        except ValueError as error:
            raise CourseError(str(error)) from error
        key = oracle.key(names, drawn)
        return cls(found, drawn, key, graded, execute, course.root, unsafe or execute.unsafe)

    def job(self, submission: Submission, only: str | None = None) -> Job:
        return Job(
            submission=submission,
            masters=self.masters,
            seed=self.seed,
            limits=self.execute.all_limits(),
            hidden=self.root,
            unsafe=self.unsafe,
            demonstrations=self.execute.demonstrations,
            only=only,
        )


def crew(settings: Settings, jobs: int) -> AbstractContextManager[Crew]:
    if settings.dask is not None:
        return dask_crew(settings.dask)
    return local_crew(max(1, min(settings.workers, jobs)))
