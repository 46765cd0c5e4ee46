"""A small class that has handed in chapter 1, graded by `python -m grader autograde` as an instructor would call it."""

import contextlib
import ctypes
import os
import shutil
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import matplotlib
import nbformat
import psutil
from nbgrader.api import Gradebook

from grader.build import write_source
from grader.exercise import body_of
from grader.records import Record, Records
from grader.texts import Page
from tests.flows.test_course import EXERCISES, PAGE, Course, Submission, references
from tests.mounted import mounts

SECONDS = 240  # for what takes a moment; only a failure waits so long
PR_SET_CHILD_SUBREAPER = 36
WITHOUT_SEEING_ALL = ("setpriv", "--bounding-set", "-dac_override,-dac_read_search", "--inh-caps", "-all")
"""Before a command of root's: files that nobody may read or write are then closed to it as well."""


def the_small_class() -> dict[str, Submission]:
    """Six students who are told apart by what they earn; few exercises are solved, so that grading is short."""
    right = references()
    first, second, third, *_ = EXERCISES
    wrong = EXERCISES[first].mistakes[0]
    return {
        "right": Submission(right),
        "blank": Submission({}),
        "one": Submission({first: right[first]}),
        "two": Submission({first: right[first], third: right[third]}),
        "mistaken": Submission({first: body_of(wrong.function)}, hints=[wrong.hint]),
        "raising": Submission({first: "return 1 / 0", second: right[second]}),
    }


class Classroom(Course):
    """A course with a generated assignment, and what was handed in."""

    @property
    def temporary(self) -> Path:
        """Where commands put their temporary files."""
        return self.folder.parent / "temporary"

    @property
    def environment(self) -> dict[str, str]:
        self.temporary.mkdir(exist_ok=True)
        fonts = {"MPLCONFIGDIR": matplotlib.get_configdir()}  # else each new home has its fonts listed again
        return {**super().environment, **fonts, "TMPDIR": str(self.temporary), "OMP_NUM_THREADS": "1"}

    @property
    def database(self) -> str:
        return f"sqlite:///{self.folder / 'gradebook.db'}"

    @property
    def lock_text(self) -> str:
        """What a run that has begun writes of itself."""
        lock = self.folder / "grading" / "lock"
        return lock.read_text(encoding="utf-8") if lock.exists() else ""

    def record_files(self) -> list[Path]:
        return list(Records(self.folder, self.assignment).folder.glob("[!.]*.json"))

    @property
    def records(self) -> dict[str, Record]:
        return Records(self.folder, self.assignment).all()

    def hand_in(self, student: str, submission: Submission | bytes) -> Path:
        """Put a notebook, or these bytes in place of one, where nbgrader collects what a student handed in."""
        path = self.folder / "submitted" / student / self.assignment / self.page.notebook.name
        path.parent.mkdir(parents=True, exist_ok=True)
        if isinstance(submission, bytes):
            path.write_bytes(submission)
        else:
            submission.write(self.release, path)
        return path

    def autograded(self, student: str) -> Path:
        return self.folder / "autograded" / student / self.assignment / self.page.notebook.name

    def words(self, *arguments: str, workers: int = 1) -> list[str]:
        """The command that grades the class."""
        return [sys.executable, "-m", "grader", "autograde", self.assignment, f"--workers={workers}", *arguments]

    def autograde(
        self, *arguments: str, status: int = 0, workers: int = 1, within: tuple[str, ...] = (), **options: Any
    ) -> subprocess.CompletedProcess[str]:
        """Grade the class, and demand this exit status. `within` are words before the command."""
        words = [*within, *self.words(*arguments, workers=workers)]
        options = {"cwd": self.folder, "env": self.environment, "stdin": subprocess.DEVNULL} | options
        done = subprocess.run(words, capture_output=True, text=True, **options)
        assert done.returncode == status, f"{done.returncode}, not {status}:\n{done.stdout}{done.stderr[-6000:]}"
        return done

    def started(self, *arguments: str, workers: int = 1, **options: Any) -> subprocess.Popen[str]:
        """The same command, running, in a process group of its own."""
        return subprocess.Popen(
            self.words(*arguments, workers=workers),
            **{"cwd": self.folder, "env": self.environment, "stdin": subprocess.DEVNULL, "start_new_session": True}
            | {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "text": True}
            | options,
        )

    def gradebook(self, database: str | None = None) -> dict[str, dict]:
        """All that the gradebook knows of the class: by student, by cell, scores and comments, and the penalty."""
        with Gradebook(database or self.database) as gradebook:
            return {
                submission.student.id: {
                    "penalty": submission.notebooks[0].late_submission_penalty,
                    "grades": {
                        grade.name: (grade.auto_score, grade.manual_score, grade.needs_manual_grade, grade.score)
                        for grade in submission.notebooks[0].grades
                    },
                    "comments": {
                        comment.name: (comment.auto_comment, comment.manual_comment)
                        for comment in submission.notebooks[0].comments
                    },
                }
                for submission in gradebook.assignment_submissions(self.assignment)
            }

    def scores(self, database: str | None = None) -> dict[str, dict[str, float]]:
        """What each student earned in each exercise."""
        return {
            student: {cell.removeprefix("check_"): scores[0] for cell, scores in found["grades"].items()}
            for student, found in self.gradebook(database).items()
        }

    def earned(self) -> dict[str, dict]:
        """What the records say of each student and exercise, without times."""
        return {
            student: {
                one.exercise: (one.status, one.points, one.aspects, one.mistake) for one in found.exercises.values()
            }
            for student, found in self.records.items()
        }

    def shown(self, student: str) -> list[tuple]:
        """The graded notebook: sources, metadata, and as much of the outputs as is the same in each run."""
        notebook = nbformat.read(self.autograded(student), as_version=4)
        return [
            (cell.source, cell.metadata, [output.output_type for output in cell.get("outputs", ())])
            for cell in notebook.cells
        ]

    def unfinished(self) -> list[Path]:
        """Files that a run left half-written, in the course and among the temporary ones."""
        found = [path for path in self.folder.rglob("*") if ".unfinished-" in path.name or "-journal" in path.name]
        return [*found, *self.temporary.iterdir()]


def generated_classroom(folder: Path, page: Page = PAGE) -> Classroom:
    """A classroom whose assignment is generated, and in which nobody has handed in anything."""
    classroom = Classroom(folder / "course", page)
    write_source(page, classroom.folder / "source")
    classroom.nbgrader("generate_assignment", classroom.assignment)
    return classroom


def copy_of(classroom: Classroom, folder: Path, students: dict[str, Submission] | None = None) -> Classroom:
    """A copy of a classroom in which these have handed in, too."""
    folder.mkdir(exist_ok=True)
    copy = Classroom(folder / "course", classroom.page)
    shutil.copytree(classroom.folder, copy.folder, dirs_exist_ok=True)
    for student, submission in (students or {}).items():
        copy.hand_in(student, submission)
    return copy


def wait_until(condition: Callable[[], Any]) -> Any:
    """Wait until there is something true, and return it."""
    deadline = time.monotonic() + SECONDS
    while not (found := condition()):
        assert time.monotonic() < deadline, "waited in vain"
        time.sleep(0.02)
    return found


@contextlib.contextmanager
def nothing_left(classroom: Classroom, files: bool = True) -> Iterator[None]:
    """Have all that a run starts end with it: processes, mounts, and (with `files`) half-written or temporary files.

    Processes whose parent has ended come to this one, wherever else they would have gone.
    """
    libc = ctypes.CDLL(None)
    libc.prctl(PR_SET_CHILD_SUBREAPER, 1)
    mounted, before = mounts(), set(_descendants())
    try:
        yield
        wait_until(lambda: set(_descendants()) <= before)
    finally:
        libc.prctl(PR_SET_CHILD_SUBREAPER, 0)
    assert mounts() == mounted
    assert not files or classroom.unfinished() == []


def _descendants() -> list[psutil.Process]:
    """All processes below this one that have not ended."""
    for child in psutil.Process().children():
        if child.status() == psutil.STATUS_ZOMBIE:
            with contextlib.suppress(ChildProcessError):
                os.waitpid(child.pid, os.WNOHANG)
    return psutil.Process().children(recursive=True)
