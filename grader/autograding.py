"""The steps of nbgrader that we put in by configuration; nothing else of nbgrader is changed.

`configure` sets them: an exporter that reads whatever was handed in and puts it in order, a step that runs a notebook
in the sandbox in place of a kernel, one that writes the oracle's points in place of what a notebook prints, and one
that keeps a record for the report. So `nbgrader autograde` and formgrader's button are as safe as our own command.
"""

import glob
from contextlib import suppress
from dataclasses import fields
from pathlib import Path
from typing import Any

from nbconvert.exporters import NotebookExporter
from nbformat import NotebookNode
from nbgrader.api import Gradebook
from nbgrader.converters import Autograde
from nbgrader.coursedir import CourseDirectory
from nbgrader.preprocessors import ClearOutput, Execute, NbGraderPreprocessor, SaveAutoGrades
from traitlets import Bool, Dict
from traitlets.config import Config

from grader.assignments import handed_in, left_out_of, master, read_submission, seed
from grader.cleaning import make_pages_harmless
from grader.grading import exercise_of, grade
from grader.records import Records
from grader.sandbox.limits import Limits
from grader.submissions import Master, Mended, Submission, mend, record, sandbox, with_remarks
from labutils.notebooks import KERNEL, only_shows

RESULT = "training_lab"
RECORD = "training_lab_record"
"""Where in nbconvert's resources one step leaves for the next what came of a notebook, and what is kept of it."""
NO_LIMIT = "c.ExecuteExercises.limits has {names}; the limits that there are: {known}."
OTHER_KERNEL = "{notebook} asks for the kernel {kernel!r}, and the sandbox runs Python (kernel {python!r})."


def configure(config: Config) -> None:
    """Put our steps in the place of nbgrader's own, wherever they stand in its lists."""
    ours = {ClearOutput: ClearExerciseOutput, Execute: ExecuteExercises, SaveAutoGrades: SaveExerciseGrades}
    sanitizing, grading = Autograde.sanitize_preprocessors.default(), Autograde.autograde_preprocessors.default()
    config.Autograde.sanitize_preprocessors = [ours.get(step, step) for step in sanitizing]
    config.Autograde.autograde_preprocessors = [*(ours.get(step, step) for step in grading), KeepRecord]
    config.Autograde.exporter_class = SubmissionExporter
    config.Autograde.pre_convert_hook = expect_renamed
    make_pages_harmless(config)


def expect_renamed(*, assignment: str, student: str, notebooks: list[str]) -> None:
    """Have nbgrader ask for notebooks that were handed in under other names; the exporter finds them.

    nbgrader calls this in the course folder, with the paths that it is about to convert.
    """
    expected = {path.name for kind in ("release", "source") for path in Path(kind, assignment).glob("*.ipynb")}
    found = {Path(path).name for path in notebooks}
    if expected and not found <= expected:
        folder = Path(notebooks[0]).parent
        notebooks[:] = [str(folder / name) for name in sorted(expected)]


class SubmissionExporter(NotebookExporter):
    """Reads a submission whatever its state, and has nbgrader copy no links: they could lead anywhere."""

    def __init__(self, config: Config | None = None, **settings: Any) -> None:
        super().__init__(config=config, **settings)
        coursedir = self.parent.coursedir
        for folder in self.parent.assignments:
            with suppress(OSError):  # nbgrader says so when it comes to this folder
                coursedir.ignore = [*coursedir.ignore, *map(glob.escape, left_out_of(folder))]

    def from_filename(
        self, filename: str, resources: dict[str, Any] | None = None, **options: Any
    ) -> tuple[str, dict[str, Any]]:
        path = Path(filename)
        coursedir, names = self.parent.coursedir, resources["nbgrader"]
        graded_folder = Path(
            coursedir.format_path(coursedir.autograded_directory, names["student"], names["assignment"])
        )
        if path.parent == graded_folder:  # nbgrader reads again what it has just written: it is in order
            return super().from_filename(filename, resources, **options)
        resources["metadata"] = {"name": path.stem, "path": str(path.parent)}
        return self.from_notebook_node(_mended(coursedir, resources, path.parent), resources, **options)


class ClearExerciseOutput(ClearOutput):
    """Clears what a student handed in as output, but for the cells that are not run again."""

    def preprocess_cell(self, cell: NotebookNode, resources: dict, index: int) -> tuple[NotebookNode, dict]:
        if only_shows(cell):
            return cell, resources
        return super().preprocess_cell(cell, resources, index)


class ExecuteExercises(Execute):
    """Runs a notebook in the sandbox, and leaves out the cells that only show something.

    Of nbgrader's settings `timeout` and `enabled` count. The others are about a kernel, and there is none.
    """

    unsafe = Bool(
        False, help="Run submissions without a sandbox, where the system offers none. They can then do anything."
    ).tag(config=True)
    demonstrations = Bool(False, help="Run the cells too that only show something.").tag(config=True)
    limits = Dict(
        {}, help="What a submission may use, where it is to be more or less than usual; see grader.sandbox.limits."
    ).tag(config=True)

    def all_limits(self) -> Limits:
        """The limits as configured. Raises ValueError for one that there is not."""
        seconds = {} if self.timeout is None or self.timeout <= 0 else {"cell_seconds": float(self.timeout)}
        try:
            return Limits(**seconds | self.limits)
        except TypeError as error:
            known = ", ".join(field.name for field in fields(Limits))
            raise ValueError(NO_LIMIT.format(names=", ".join(self.limits), known=known)) from error

    def preprocess(self, nb: NotebookNode, resources: dict, km: Any = None) -> tuple[NotebookNode, dict]:
        kernel = nb.metadata.get("kernelspec", {}).get("name", KERNEL)
        if not kernel.startswith("python"):
            notebook = resources["nbgrader"]["notebook"]
            raise ValueError(OTHER_KERNEL.format(notebook=notebook, kernel=kernel, python=KERNEL))
        limits = self.all_limits()
        coursedir, names = self.parent.parent.coursedir, resources["nbgrader"]
        found = grade(
            nb,
            _seed(coursedir, resources, nb),
            sandbox(limits, self.unsafe, Path(coursedir.root)),
            limits,
            files=_beside(Path(resources["metadata"]["path"])),
            demonstrations=self.demonstrations,
        )
        submission = read_submission(coursedir, names["assignment"], names["student"])
        mended, the_master = _mended_submission(coursedir, names, submission)  # for the remarks; `nb` is mended already
        found = with_remarks(found, mended.remarks)
        resources[RESULT] = found
        resources[RECORD] = record(submission, {the_master.notebook: found}, mended.readable)
        return found.notebook, resources


class SaveExerciseGrades(SaveAutoGrades):
    """Writes the oracle's points into the gradebook, and what there is to say of an exercise into its comment.

    A manual score and a comment that a person gave are other columns, and stay.
    """

    def _add_score(self, cell: NotebookNode, resources: dict) -> None:
        super()._add_score(cell, resources)
        found = resources.get(RESULT)
        exercise = found and found.exercises.get(exercise_of(cell))
        if exercise:
            grade = self._grade(cell)
            grade.auto_score = grade.max_score * exercise.points / exercise.max_points
            grade.needs_manual_grade = grade.manual_score is not None
            self.gradebook.db.commit()

    def _add_comment(self, cell: NotebookNode, resources: dict) -> None:
        super()._add_comment(cell, resources)
        grade_id = cell.metadata.nbgrader["grade_id"]
        words = (
            [remark.text for remark in resources[RESULT].remarks if remark.exercise == grade_id]
            if RESULT in resources
            else []
        )
        if words:
            comment = self.gradebook.find_comment(grade_id, self.notebook_id, self.assignment_id, self.student_id)
            comment.auto_comment = " ".join(words)
            self.gradebook.db.commit()

    def _grade(self, cell: NotebookNode) -> Any:
        grade_id = cell.metadata.nbgrader["grade_id"]
        return self.gradebook.find_grade(grade_id, self.notebook_id, self.assignment_id, self.student_id)


class KeepRecord(NbGraderPreprocessor):
    """Keeps a record of a graded submission in the course folder, for the report."""

    def preprocess(self, nb: NotebookNode, resources: dict) -> tuple[NotebookNode, dict]:
        kept = resources.get(RECORD)
        if kept is not None and kept.exercises:
            Records(Path(self.parent.parent.coursedir.root), kept.assignment).write(kept)
        return nb, resources


def _mended(coursedir: CourseDirectory, resources: dict, folder: Path) -> NotebookNode:
    names = resources["nbgrader"]
    files, left_out = handed_in(folder)
    submission = Submission(names["student"], names["assignment"], files, tuple(left_out))
    return _mended_submission(coursedir, names, submission)[0].notebook


def _mended_submission(coursedir: CourseDirectory, names: dict, submission: Submission) -> tuple[Mended, Master]:
    with Gradebook(coursedir.db_url, coursedir.course_id) as gradebook:
        the_master = master(gradebook, coursedir, names["assignment"], names["notebook"])
    return mend(submission, the_master), the_master


def _beside(folder: Path) -> dict[str, bytes]:
    files, _ = handed_in(folder)
    return {name: content for name, content in files.items() if not name.lower().endswith(".ipynb")}


def _seed(coursedir: CourseDirectory, resources: dict, notebook: NotebookNode) -> str:
    """The assignment's seed; none is drawn for a notebook that has no exercise of ours."""
    if not any(map(exercise_of, notebook.cells)):
        return ""
    return seed(Path(coursedir.root), resources["nbgrader"]["assignment"])
