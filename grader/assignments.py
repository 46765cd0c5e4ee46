"""What is needed to grade an assignment: its cells as the gradebook has them, and the seed of its inputs.

Also reads what a student handed in, without being led out of their folder.
"""

import os
import secrets
import stat
from collections.abc import Iterator
from pathlib import Path

import nbformat
from nbformat import NotebookNode
from nbgrader.api import Gradebook
from nbgrader.coursedir import CourseDirectory

from grader.repair import MasterCell
from grader.submissions import Master, Submission
from labutils.notebooks import only_shows

GRADING = "grading"
LARGEST_FILE = 110_000_000
"""Bytes. More is not read; a notebook of this size is refused by name and size in `repair`."""


def masters(gradebook: Gradebook, coursedir: CourseDirectory, assignment: str) -> tuple[Master, ...]:
    """The notebooks of an assignment. Raises nbgrader's MissingEntry where the gradebook does not know it."""
    names = [notebook.name for notebook in gradebook.find_assignment(assignment).notebooks]
    return tuple(master(gradebook, coursedir, assignment, name) for name in sorted(names))


def master(gradebook: Gradebook, coursedir: CourseDirectory, assignment: str, notebook: str) -> Master:
    """One notebook of an assignment."""
    found = gradebook.find_notebook(notebook, assignment)
    points = {cell.name: cell.max_score for cell in [*found.grade_cells, *found.task_cells]}
    solutions = {cell.name for cell in found.solution_cells}
    tasks = {cell.name for cell in found.task_cells}
    cells = [
        MasterCell(
            name=cell.name,
            cell_type=cell.cell_type,
            source=cell.source,
            grade=cell.name in points and cell.name not in tasks,
            solution=cell.name in solutions,
            locked=cell.locked,
            task=cell.name in tasks,
            points=points.get(cell.name),
            checksum=cell.checksum,
        )
        for cell in found.source_cells
    ]
    others = frozenset(f"{other.name}.ipynb" for other in found.assignment.notebooks if other.name != notebook)
    release = _release(coursedir, assignment, notebook)
    if release is None:
        return Master(notebook, tuple(cells), None, others)
    places = {cell.metadata.get("nbgrader", {}).get("grade_id"): place for place, cell in enumerate(release.cells)}
    ordered = sorted(cells, key=lambda cell: places.get(cell.name, len(places)))
    demonstrations = frozenset(cell.source for cell in release.cells if only_shows(cell))
    return Master(notebook, tuple(ordered), demonstrations, others)


def _release(coursedir: CourseDirectory, assignment: str, notebook: str) -> NotebookNode | None:
    """The notebook as it was handed out; None where the course keeps no copy of it."""
    folder = coursedir.format_path(coursedir.release_directory, ".", assignment)
    path = Path(folder) / f"{notebook}.ipynb"
    return nbformat.read(path, as_version=4) if path.exists() else None


def seed(course: Path, assignment: str) -> str:
    """The seed of an assignment's inputs, drawn when it is first asked for and kept in the course folder."""
    path = course / GRADING / assignment / "seed.txt"
    path.parent.mkdir(parents=True, exist_ok=True)
    try:
        with open(path, "x", encoding="ascii", opener=_private) as file:
            file.write(secrets.token_hex(16))
    except FileExistsError:
        pass
    return path.read_text(encoding="ascii").strip()


def read_submission(coursedir: CourseDirectory, assignment: str, student: str) -> Submission:
    """What a student handed in."""
    folder = coursedir.format_path(coursedir.submitted_directory, student, assignment)
    files, left_out = handed_in(Path(folder))
    return Submission(student, assignment, files, tuple(left_out))


def handed_in(folder: Path, ignore: tuple[str, ...] = ()) -> tuple[dict[str, bytes], list[str]]:
    """The files of a submission by their relative names, and the names of what is no plain file and was left out.

    No link is followed, to a file or to a folder: it could lead to another student's work, or to the gradebook.
    """
    files: dict[str, bytes] = {}
    left_out: list[str] = []
    for path in _walk(folder):
        name = str(path.relative_to(folder))
        if path.name in ignore:
            continue
        content = _plain_content(path)
        if content is None:
            left_out.append(name)
        else:
            files[name] = content
    return files, left_out


def _walk(folder: Path) -> Iterator[Path]:
    """Everything below a folder that is no folder itself, in the order of names."""
    for entry in sorted(os.scandir(folder), key=lambda entry: entry.name):
        if entry.is_dir(follow_symlinks=False):
            yield from _walk(Path(entry.path))
        else:
            yield Path(entry.path)


def _plain_content(path: Path) -> bytes | None:
    """The content of a plain file, a byte more than `LARGEST_FILE` at most; None for links, pipes and devices."""
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK | getattr(os, "O_NOFOLLOW", 0))
    except OSError:
        if path.is_symlink():
            return None
        raise
    with open(descriptor, "rb") as file:
        if not stat.S_ISREG(os.fstat(descriptor).st_mode):
            return None
        return file.read(LARGEST_FILE + 1)


def _private(path: str, flags: int) -> int:
    return os.open(path, flags, 0o600)
