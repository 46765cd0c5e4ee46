"""One submission, from what was handed in to what goes into the gradebook. Knows nothing of nbgrader's converters.

`graded` is a function of its arguments alone, so it can run in a worker process on this machine or on another one.
"""

import atexit
import hashlib
import json
import re
import threading
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path

from nbformat import NotebookNode
from nbformat.v4 import new_markdown_cell

from grader.grading import Graded, grade
from grader.records import GRADED, UNREADABLE, WITH_REMARKS, Record, Remark, listed
from grader.repair import MasterCell, best_notebook, repaired
from grader.sandbox import bubble
from grader.sandbox.launching import Sandbox, SandboxLost
from grader.sandbox.limits import DEFAULTS, Limits

REMARKS_ID = "remarks-of-the-grader"
REMARKS_TITLE = "**Remarks of the grader on this notebook**"
_one_at_a_time = threading.Lock()
_warm: dict[tuple[Limits, bool, tuple[Path, ...]], Sandbox] = {}  # one at most
MOST_TRIES = 3
"""A notebook's sandbox may be ended from outside, say where the machine's memory runs out; not again and again."""
LEFT_OUT = (
    "These were left out, as links, as no plain files, as too large or as too deep in folders: {names}. "
    "Hand in the files themselves, and only those that the notebook needs."
)


@dataclass(frozen=True)
class Master:
    """One notebook of an assignment: nbgrader's cells in order, and the sources of the release's demonstrations.

    `others` are the names of the files that are the assignment's other notebooks.
    """

    notebook: str
    cells: tuple[MasterCell, ...]
    demonstrations: frozenset[str] | None
    others: frozenset[str] = frozenset()

    @property
    def filename(self) -> str:
        return f"{self.notebook}.ipynb"


@dataclass(frozen=True)
class Submission:
    """What a student handed in: the files by their relative names, and the names of what was left out."""

    student: str
    assignment: str
    files: Mapping[str, bytes]
    left_out: tuple[str, ...] = ()

    @property
    def digest(self) -> str:
        found = hashlib.sha256()
        for name, content in sorted(self.files.items()):
            found.update(json.dumps([name, len(content)]).encode() + content)
        return found.hexdigest()


@dataclass(frozen=True)
class Mended:
    """A notebook that can be run, what was found on the way, and the files that lie beside it."""

    notebook: NotebookNode
    remarks: tuple[Remark, ...]
    readable: bool
    beside: Mapping[str, bytes]


def mend(submission: Submission, master: Master) -> Mended:
    """Find the notebook among what was handed in, and put it in order; what there is to say of it stands at its top."""
    files = {name: content for name, content in submission.files.items() if name not in master.others}
    name, remarks = best_notebook(files, master.filename, master.cells)
    links = (Remark(None, LEFT_OUT.format(names=listed(submission.left_out))),) if submission.left_out else ()
    found = repaired(submission.files[name] if name else b"", master.cells, master.demonstrations)
    said = (*links, *remarks, *(found.remarks if name else ()))
    if said:
        found.notebook.cells.insert(0, _remarks_cell(said))
    beside = {other: content for other, content in submission.files.items() if not other.lower().endswith(".ipynb")}
    return Mended(found.notebook, said, found.readable and name is not None, beside)


@dataclass(frozen=True)
class Job:
    """All that a worker needs to grade a submission. With `only`, no other exercise is examined."""

    submission: Submission
    masters: tuple[Master, ...]
    seed: str
    limits: Limits
    hidden: Path
    unsafe: bool = False
    demonstrations: bool = False
    only: str | None = None


@dataclass(frozen=True)
class Result:
    """What came of a submission: each of its notebooks, and the record that is kept."""

    notebooks: dict[str, Graded]
    record: Record


def grade_job(job: Job) -> Result:
    """Grade a submission in the sandbox of this process, one at a time: a Dask worker may have several threads."""
    with _one_at_a_time:
        for _ in range(MOST_TRIES - 1):
            with suppress(SandboxLost):
                return _graded_warm(job)
        return _graded_warm(job)


def _graded_warm(job: Job) -> Result:
    warm = sandbox(job.limits, job.unsafe, job.hidden)
    return graded(
        job.submission, job.masters, job.seed, warm, job.limits, demonstrations=job.demonstrations, only=job.only
    )


def sandbox(limits: Limits, unsafe: bool, hidden: Path) -> Sandbox:
    """The sandbox of this process, warm from its first notebook on; another in its place where it has to be another.

    Nothing of a course can be seen in it anyway, unless the course lies among the folders of the system or of Python.
    """
    lies_in_sight = any(hidden.absolute().is_relative_to(shown) for shown in ("/usr", *bubble.kept()))
    clock = {"cell_seconds": DEFAULTS.cell_seconds, "notebook_seconds": DEFAULTS.notebook_seconds}
    key = replace(limits, **clock), unsafe, (hidden,) if lies_in_sight else ()  # the clock is looked at outside
    if key not in _warm:
        _close_sandbox()
        _warm[key] = Sandbox(key[0], unsafe=unsafe, hidden=key[2])
    return _warm[key]


@atexit.register
def _close_sandbox() -> None:
    while _warm:
        _warm.popitem()[1].close()


def graded(
    submission: Submission,
    masters: tuple[Master, ...],
    seed: str,
    warm: Sandbox,
    limits: Limits,
    *,
    demonstrations: bool = False,
    only: str | None = None,
) -> Result:
    """Grade a submission's notebooks; with `only`, one exercise of them."""
    found: dict[str, Graded] = {}
    readable = True
    for master in masters:
        mended = mend(submission, master)
        readable = readable and mended.readable
        one = grade(mended.notebook, seed, warm, limits, files=mended.beside, demonstrations=demonstrations, only=only)
        found[master.notebook] = with_remarks(one, mended.remarks)
    return Result(found, record(submission, found, readable))


def with_remarks(found: Graded, remarks: tuple[Remark, ...]) -> Graded:
    """The same with what was remarked on while the notebook was put in order, which comes first."""
    return replace(found, remarks=(*remarks, *found.remarks))


def record(submission: Submission, found: Mapping[str, Graded], readable: bool) -> Record:
    """What is kept of a graded submission, all its notebooks together."""
    notebooks = list(found.values())
    remarks = tuple(remark for one in notebooks for remark in one.remarks)
    return Record(
        student=submission.student,
        assignment=submission.assignment,
        notebook=next(iter(found)),
        digest=submission.digest,
        key="",
        status=UNREADABLE if not readable else WITH_REMARKS if remarks else GRADED,
        remarks=remarks,
        seconds=round(sum(one.seconds for one in notebooks), 3),
        cpu_seconds=round(sum(one.cpu_seconds for one in notebooks), 3),
        megabytes=max(one.megabytes for one in notebooks),
        graded=datetime.now(UTC).isoformat(timespec="seconds"),
        exercises={name: one for graded in notebooks for name, one in graded.exercises.items()},
    )


def _remarks_cell(remarks: tuple[Remark, ...]) -> NotebookNode:
    """The remarks as a cell, so that student and instructor find them in every page that is made of the notebook."""
    lines = [REMARKS_TITLE, "", *(f"- {_plain(remark.text)}" for remark in remarks)]
    return new_markdown_cell("\n".join(lines), id=REMARKS_ID)


def _plain(text: str) -> str:
    """A sentence as Markdown that shows it as it is: names in it may come from a student. In backticks it is code."""
    words, *rest = re.split("(`[^`]+`)", " ".join(text.split()))
    codes, texts = rest[::2], rest[1::2]
    return _escaped(words) + "".join(code + _escaped(text) for code, text in zip(codes, texts))


def _escaped(text: str) -> str:
    return re.sub(r"[\\*_\[\]<>#|!$]", r"\\\g<0>", text)
