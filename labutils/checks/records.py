"""Remembers which exercises were solved, in one small JSON file that belongs to the student.

`LABUTILS_PROGRESS` names the file; set but empty, nothing is kept. Trouble with the file is told and never raised: a
verdict must reach the student whatever the disk does. A file that cannot be understood is set aside, not written over.
"""

import json
import os
from itertools import count
from pathlib import Path
from typing import Any

from labutils.checks import messages
from labutils.checks.panels import GRADING_VARIABLE, Panel
from labutils.files import locked, write_atomically

PATH_VARIABLE = "LABUTILS_PROGRESS"
DEFAULT_PLACE = "~/.labutils/progress.json"
SECONDS_FOR_OTHERS = 5.0

Records = dict[str, dict]
"""By exercise: `status`, `points`, and `of`, the points that there are."""


def progress_place() -> str | None:
    """Where progress is kept, or None where it is not: while grading, or when `LABUTILS_PROGRESS` is set but empty."""
    named = os.environ.get(PATH_VARIABLE, DEFAULT_PLACE)
    return None if GRADING_VARIABLE in os.environ else named or None


def remember(panel: Panel) -> str | None:
    """Write down what a panel says. An exercise once passed stays passed. Returns a sentence if there was trouble."""
    place = progress_place()
    if place is None or panel.status == "not attempted":
        return None
    try:
        return _remember(Path(place).expanduser(), panel.record)
    except TimeoutError:
        return messages.PROGRESS_NOT_SAVED.format(path=place, reason=messages.PROGRESS_BUSY)
    except (OSError, RuntimeError) as error:  # RuntimeError: this machine knows of no home folder
        return messages.PROGRESS_NOT_SAVED.format(path=place, reason=_reason(error))


def recall() -> tuple[Records, str | None]:
    """Return what was remembered, and a sentence if it is not kept here, was damaged or could not be read."""
    place = progress_place()
    if place is None:
        return {}, messages.PROGRESS_NOT_KEPT
    try:
        return _read(Path(place).expanduser())
    except (OSError, RuntimeError) as error:
        return {}, messages.PROGRESS_UNREADABLE.format(path=place, reason=_reason(error))


def _remember(path: Path, verdict: dict[str, Any]) -> str | None:
    """Add a verdict to the file, one process at a time, so that no notebook writes over what another has just added."""
    with locked(path.with_name(f"{path.name}.lock"), SECONDS_FOR_OTHERS):
        records, trouble = _read(path)
        if records.get(verdict["exercise"], {}).get("status") != "passed":
            entry = {"status": verdict["status"], "points": verdict["points"], "of": verdict["max_points"]}
            records[verdict["exercise"]] = entry
            write_atomically(path, json.dumps(records, indent=1).encode())
    return trouble


def _reason(error: Exception) -> str:
    return getattr(error, "strerror", None) or str(error)


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
