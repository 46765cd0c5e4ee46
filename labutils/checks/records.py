"""Remembers which exercises were solved, in one small JSON file that belongs to the student.

`LABUTILS_PROGRESS` names the file; set but empty, nothing is kept. Trouble with the file is told and never raised: a
verdict must reach the student whatever the disk does. A file that cannot be understood is set aside, not written over.
"""

import json
import os
from itertools import count
from pathlib import Path

from labutils.checks import messages
from labutils.checks.judging import Verdict
from labutils.checks.panels import GRADING_VARIABLE
from labutils.files import write_atomically

PATH_VARIABLE = "LABUTILS_PROGRESS"

Records = dict[str, dict]
"""By exercise: `status`, `points`, and `of`, the points that there are."""


def progress_path() -> Path | None:
    """Where progress is kept, or None where it is not: while grading, or when `LABUTILS_PROGRESS` is set but empty."""
    named = os.environ.get(PATH_VARIABLE)
    if named == "" or GRADING_VARIABLE in os.environ:
        return None
    return Path(named) if named else Path.home() / ".labutils" / "progress.json"


def remember(verdict: Verdict) -> str | None:
    """Write a verdict down. An exercise once passed stays passed. Returns a sentence if there was trouble, or None."""
    path = progress_path()
    if path is None or verdict.status == "not attempted":
        return None
    try:
        records, trouble = _read(path)
        if records.get(verdict.exercise, {}).get("status") != "passed":
            records[verdict.exercise] = {"status": verdict.status, "points": verdict.points, "of": verdict.max_points}
            write_atomically(path, json.dumps(records, indent=1).encode())
    except OSError as error:
        return messages.PROGRESS_NOT_SAVED.format(path=path, reason=error.strerror or error)
    return trouble


def recall() -> tuple[Records, str | None]:
    """Return what was remembered, and a sentence if the file was damaged or could not be read."""
    path = progress_path()
    if path is None:
        return {}, None
    try:
        return _read(path)
    except OSError as error:
        return {}, messages.PROGRESS_UNREADABLE.format(path=path, reason=error.strerror or error)


def _read(path: Path) -> tuple[Records, str | None]:
    """Return the records and None; if they are damaged, set the file aside, and return none and a sentence about it."""
    try:
        content = path.read_bytes()
    except FileNotFoundError:
        return {}, None
    try:
        records = json.loads(content)
        if not all(record["status"] in tuple(messages.STATUS) for record in records.values()):
            raise ValueError("a status that no check gives")
    except (ValueError, TypeError, LookupError, AttributeError, RecursionError):
        aside = _free_name(path)
        path.rename(aside)
        return {}, messages.PROGRESS_DAMAGED.format(path=aside)
    return records, None


def _free_name(path: Path) -> Path:
    """A name for the damaged file that no earlier one has taken."""
    names = (path.with_name(f"{path.name}.damaged{number or ''}") for number in count())
    return next(name for name in names if not name.exists())
