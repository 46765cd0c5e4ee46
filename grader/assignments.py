"""What is needed to grade an assignment: its cells as the gradebook has them, and the seed of its inputs.

Also reads what a student handed in, without being led out of their folder.
"""

import os
import re
import secrets
import stat
from collections.abc import Iterator
from pathlib import Path

import nbformat
from nbformat import NotebookNode
from nbgrader.api import Gradebook
from nbgrader.coursedir import CourseDirectory

from grader.errors import CourseError
from grader.repair import MasterCell
from grader.submissions import Master, Submission
from labutils.files import locked, write_atomically
from labutils.notebooks import only_shows

GRADING = "grading"
SEED_BYTES = 16
SECONDS_FOR_A_SEED = 30
DAMAGED_SEED = (
    "The seed of the inputs in {path} is damaged: it should be {digits} hexadecimal digits. Put it back from a copy of "
    "the course. Where there is none, remove the file; another seed is then drawn, and "
    "`python -m grader autograde {assignment} --force` grades all by the same new inputs."
)
LINKED_FOLDER = "{folder} is a link, which could lead anywhere. Put the folder itself there."
MOST_LEVELS = 50
"""Folders in one another. What lies deeper is not looked into."""
LARGEST_FILE = 110_000_000
LARGEST_IN_ALL = 300_000_000
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
    """The seed of an assignment's inputs, drawn when it is first asked for and kept in the course folder.

    Raises CourseError where it is damaged.
    """
    path = course / GRADING / assignment / "seed.txt"
    with locked(path.with_name("seed.lock"), SECONDS_FOR_A_SEED):
        if not path.exists():
            write_atomically(path, secrets.token_hex(SEED_BYTES).encode())
            path.chmod(0o600)
    found = path.read_bytes().strip()
    if not re.fullmatch(rb"[0-9a-f]{%d}" % (2 * SEED_BYTES), found):
        raise CourseError(DAMAGED_SEED.format(path=path, digits=2 * SEED_BYTES, assignment=assignment))
    return found.decode()


def read_submission(coursedir: CourseDirectory, assignment: str, student: str) -> Submission:
    """What a student handed in. Raises OSError where it cannot be read, and where its folder is a link."""
    folder = Path(coursedir.format_path(coursedir.submitted_directory, student, assignment))
    if folder.is_symlink():
        raise OSError(LINKED_FOLDER.format(folder=folder))
    files, left_out = handed_in(folder)
    return Submission(student, assignment, files, tuple(left_out))


def handed_in(folder: Path) -> tuple[dict[str, bytes], list[str]]:
    """The files of a submission by their relative names, and the names of what was left out.

    That is what is no plain file or too large, and folders that lie too deep. No link is followed, to a file or to a
    folder: it could lead to another student's work, or to the gradebook.
    """
    files: dict[str, bytes] = {}
    left_out: list[str] = []
    for path, is_read in _looked_at(folder):
        name = str(path.relative_to(folder))
        if is_read:
            files[name] = _content(path)
        else:
            left_out.append(name)
    return files, left_out


def left_out_of(folder: str) -> list[str]:
    """What `handed_in` leaves out of a submission, by its full name."""
    return [str(path) for path, is_read in _looked_at(Path(folder)) if not is_read]


def _looked_at(folder: Path) -> Iterator[tuple[Path, bool]]:
    """What lies in a submission, notebooks first, and whether it is read: plain files are, while there is room."""
    room = LARGEST_IN_ALL
    for path in sorted(_walk(folder), key=lambda path: not _is_notebook(path)):
        found = path.lstat()
        size = min(found.st_size, LARGEST_FILE + 1)
        fits = size <= room and (size <= LARGEST_FILE or _is_notebook(path))
        is_read = stat.S_ISREG(found.st_mode) and fits
        room -= size if is_read else 0
        yield path, is_read


def _is_notebook(path: Path) -> bool:
    return path.suffix.lower() == ".ipynb"


def _walk(folder: Path, levels: int = MOST_LEVELS) -> Iterator[Path]:
    """Everything below a folder that is no folder itself, or one too deep to look into, in the order of names."""
    for entry in sorted(os.scandir(folder), key=lambda entry: entry.name):
        if entry.is_dir(follow_symlinks=False) and levels:
            yield from _walk(Path(entry.path), levels - 1)
        else:
            yield Path(entry.path)


def _content(path: Path) -> bytes:
    """The content of a plain file, a byte more than `LARGEST_FILE` at most."""
    descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK | getattr(os, "O_NOFOLLOW", 0))
    with open(descriptor, "rb") as file:
        return file.read(LARGEST_FILE + 1)
