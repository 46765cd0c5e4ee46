"""Opens a course as nbgrader's own commands do, by the configuration in its folder, and says what is wrong with it."""

import difflib
import json
import os
import socket
import time
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

import sqlalchemy
from nbgrader.api import Gradebook, MissingEntry
from nbgrader.apps import AutogradeApp
from nbgrader.coursedir import CourseDirectory
from traitlets.config import Config

from grader.errors import CourseError
from labutils.files import UNFINISHED, try_to_lock

CONFIGURATION = "nbgrader_config.py"
SECONDS_FOR_A_DATABASE = 10
SECONDS_BETWEEN_TRIES = 0.5

NO_COURSE = (
    "There is no {configuration} in {folder}, so this is no course folder. "
    "Go to the course folder (in this book grader/course) and run the command there."
)
NO_CONFIGURATION = (
    "{configuration} in {folder} cannot be loaded: {reason}. Nothing was done, since it says how to do it safely."
)
NO_ASSIGNMENT = "The gradebook knows no assignment {name!r}.{nearest}"
DID_YOU_MEAN = " Did you mean {names}?"
NOT_GENERATED = " To make it: python -m grader source, then nbgrader generate_assignment {name}"
NO_STUDENT = "Nobody named {name!r} has handed in {assignment}.{nearest}"
NO_NAMES = "--students names nobody. Give the names of students' folders, separated by commas."
NO_DATABASE = "The gradebook {url} does not answer; it was tried for {seconds:.0f} s. The last answer: {reason}"
NO_URL = (
    "{url!r} names no gradebook: {reason}. Give one such as sqlite:////home/me/course/gradebook.db or "
    "postgresql+psycopg2://name:password@host/database"
)
NO_DRIVER = (
    "The gradebook {url} needs the Python package {module}, which is not installed. Install it, or name in the URL the "
    "driver that is, as in postgresql+psycopg2://"
)
NO_GRADEBOOK = (
    "The gradebook {url} cannot be read or written: {reason}. What was graded until now is kept; "
    "put that right and run the same command again, it goes on from there."
)
NO_FILE = (
    "Something in {folder} cannot be read or written: {reason}. What was graded until now is kept; "
    "put that right and run the same command again, it goes on from there."
)
LOCKED = (
    "This course is being graded by {holder}. Wait until that is done, or end it; "
    "nothing is lost, it goes on where it was stopped."
)


@dataclass(frozen=True)
class Course:
    """A course folder with its configuration, as nbgrader has read it."""

    coursedir: CourseDirectory
    config: Config

    @property
    def root(self) -> Path:
        return Path(self.coursedir.root)

    @property
    def shown_url(self) -> str:
        """The gradebook's URL without its password."""
        return sqlalchemy.make_url(self.coursedir.db_url).render_as_string(hide_password=True)

    def gradebook(self) -> Gradebook:
        return Gradebook(self.coursedir.db_url, self.coursedir.course_id)

    def students(self, assignment: str) -> list[str]:
        """Those who have handed something in, by the names of their folders."""
        pattern = self.coursedir.format_path(self.coursedir.submitted_directory, "*", assignment)
        folders = self.root.glob(str(Path(pattern).relative_to(self.root)))
        place = Path(pattern).parts.index("*")
        found = {folder.parts[place] for folder in folders if folder.is_dir() or folder.is_symlink()}
        return sorted(found - self.excluded)

    @property
    def excluded(self) -> set[str]:
        """The students whom the configuration leaves out."""
        return set(self.coursedir.student_id_exclude.split(","))


def open_course(assignment: str, db_url: str | None = None) -> Course:
    """The course in the current folder. Raises CourseError where there is none, or no such assignment in it."""
    if not Path(CONFIGURATION).exists():
        raise CourseError(NO_COURSE.format(configuration=CONFIGURATION, folder=Path.cwd()))
    app = _app([f"--CourseDirectory.db_url={db_url}"] if db_url else [])
    app.log.setLevel("ERROR")
    course = Course(app.coursedir, app.config)
    _wait_for_gradebook(course)
    with course.gradebook() as gradebook:
        try:
            gradebook.find_assignment(assignment)
        except MissingEntry as error:
            known = [one.name for one in gradebook.assignments]
            source = course.root / course.coursedir.source_directory / assignment
            hint = NOT_GENERATED.format(name=assignment) if source.is_dir() or not known else ""
            nearest = nearest_names(assignment, known) or hint or NOT_GENERATED.format(name=assignment)
            raise CourseError(NO_ASSIGNMENT.format(name=assignment, nearest=nearest)) from error
    return course


def _app(arguments: list[str]) -> AutogradeApp:
    """nbgrader's application, which by itself would go on without a configuration that it cannot load."""
    app = AutogradeApp(raise_config_file_errors=True)
    try:
        app.initialize(arguments)
    except Exception as error:  # the configuration is a program
        reason = f"{type(error).__name__}: {error}"
        raise CourseError(
            NO_CONFIGURATION.format(configuration=CONFIGURATION, folder=Path.cwd(), reason=reason)
        ) from error
    return app


def chosen_students(course: Course, assignment: str, wanted: str | None) -> list[str]:
    """All who have handed in, or those named, separated by commas. Raises CourseError for one who has not."""
    students = course.students(assignment)
    if wanted is None:
        return students
    names = [name.strip() for name in wanted.split(",") if name.strip()]
    if not names:
        raise CourseError(NO_NAMES)
    for name in names:
        if name not in students:
            nearest = nearest_names(name, students)
            raise CourseError(NO_STUDENT.format(name=name, assignment=assignment, nearest=nearest))
    return list(dict.fromkeys(names))


def nearest_names(name: str, known: Iterable[str]) -> str:
    """A question that offers what may have been meant; empty where nothing is near."""
    close = difflib.get_close_matches(name, list(known), n=3, cutoff=0.5)
    return DID_YOU_MEAN.format(names=" or ".join(close)) if close else ""


@contextmanager
def graded_by_one(course: Course, what: str) -> Iterator[None]:
    """Keep a second grader of this course out. Raises CourseError, which says who is at work.

    The system lets go of the lock when its holder ends, however that comes about. What keeps the holder from reading or
    writing becomes a CourseError too.
    """
    try:
        with _lock(course, what):
            _remove_unfinished(course)
            yield
    except OSError as error:
        raise CourseError(NO_FILE.format(folder=course.root, reason=error)) from error
    except sqlalchemy.exc.OperationalError as error:
        raise CourseError(NO_GRADEBOOK.format(url=course.shown_url, reason=error.orig)) from error


@contextmanager
def _lock(course: Course, what: str) -> Iterator[None]:
    path = course.root / "grading" / "lock"
    path.parent.mkdir(parents=True, exist_ok=True)
    with open(path, "a+", encoding="utf-8") as file:
        if not try_to_lock(file):
            raise CourseError(LOCKED.format(holder=_holder(path)))
        file.truncate(0)
        json.dump({"pid": os.getpid(), "host": socket.gethostname(), "what": what, "since": _now()}, file)
        file.flush()
        yield
        file.truncate(0)


def _remove_unfinished(course: Course) -> None:
    """Remove what a grader left half-written that was killed."""
    coursedir = course.coursedir
    graded = Path(coursedir.format_path(coursedir.autograded_directory, "*", "*"))
    for place in (course.root / "grading" / "*" / "records", graded):
        for path in course.root.glob(str((place / f"{UNFINISHED}*").relative_to(course.root))):
            path.unlink()


def _holder(path: Path) -> str:
    try:
        found = json.loads(path.read_text(encoding="utf-8"))
        return "`{what}` (process {pid} on {host}, since {since})".format(**found)
    except (ValueError, LookupError, TypeError):  # it has the lock and has not yet written who it is
        return "another command"


def _now() -> str:
    return datetime.now().astimezone().isoformat(sep=" ", timespec="seconds")


def _wait_for_gradebook(course: Course) -> None:
    """Return when the database answers. Raises CourseError where it does not in `SECONDS_FOR_A_DATABASE`."""
    began = time.monotonic()
    while True:
        try:
            engine = sqlalchemy.create_engine(course.coursedir.db_url)
            sqlalchemy.inspect(engine).get_table_names()  # SQLite does not look at its file until it is asked something
            return engine.dispose()
        except sqlalchemy.exc.ArgumentError as error:
            raise CourseError(NO_URL.format(url=course.coursedir.db_url, reason=error)) from error
        except ModuleNotFoundError as error:
            raise CourseError(NO_DRIVER.format(url=course.shown_url, module=error.name)) from error
        except sqlalchemy.exc.DatabaseError as error:
            spent = time.monotonic() - began
            may_pass = isinstance(error, sqlalchemy.exc.OperationalError)
            if not may_pass or spent > SECONDS_FOR_A_DATABASE:
                reason = " ".join(str(error.orig).split())
                raise CourseError(NO_DATABASE.format(url=course.shown_url, seconds=spent, reason=reason)) from error
            time.sleep(SECONDS_BETWEEN_TRIES)
