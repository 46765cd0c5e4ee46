"""Hands the chapters out: copies the book into the student's folder and brings updates, and keeps the student's work.

What was handed out is remembered as one SHA-256 per file in `.handed_out.json` inside the student's folder. With it, a
file is known to be as the book left it (then an update replaces it) or to be the student's (then the new one is placed
beside it). A file that the student deleted or renamed comes back: deleting a notebook is how one starts it afresh.

Standard library only: `lab.py` needs this before anything is installed.
"""

import hashlib
import json
import os
from collections.abc import Iterator
from datetime import date
from pathlib import Path

from labutils.files import write_atomically

MANIFEST = ".handed_out.json"


def hand_out(book: Path, work: Path, today: date | None = None) -> list[tuple[str, str]]:
    """Bring the student's folder `work` up to date with the chapters in `book`.

    Returns the pairs (the student's file, the new one placed beside it), both relative to `work`, for the files that
    student and book have both changed. Such a pair is returned once, in the run that placed the file.
    Raises OSError where `work` cannot be written; every file is then either as it was or complete.
    """
    work.mkdir(parents=True, exist_ok=True)
    handed_out = _read_manifest(work)
    placed_beside = []
    for name in _names(book):
        new = (book / name).read_bytes()
        kept = _hand_out_file(work / name, new, handed_out.get(name), today or date.today())
        if kept:
            placed_beside.append((name, kept.relative_to(work).as_posix()))
        handed_out[name] = _digest(new)
    write_atomically(work / MANIFEST, json.dumps(handed_out, indent=1).encode())
    return placed_beside


def _hand_out_file(target: Path, new: bytes, handed_out: str | None, today: date) -> Path | None:
    """Write `new` to `target` where that loses nothing, else beside it; returns the file placed beside, if any."""
    if not os.path.lexists(target):
        write_atomically(target, new)
        return None
    present = _digest(target.read_bytes()) if target.is_file() else None
    if _digest(new) in (present, handed_out):  # up to date, or edited by the student since it was handed out
        return None
    if present is not None and present == handed_out:
        write_atomically(target, new)
        return None
    return _place_beside(target, new, today)


def _place_beside(target: Path, new: bytes, today: date) -> Path:
    """Write `new` under the first free name of the form `learning_rate (new 2026-11-21).ipynb`."""
    number = 1
    beside = target.with_name(f"{target.stem} (new {today}){target.suffix}")
    while os.path.lexists(beside):
        if beside.is_file() and beside.read_bytes() == new:  # an interrupted run has placed it already
            return beside
        number += 1
        beside = target.with_name(f"{target.stem} (new {today}, {number}){target.suffix}")
    write_atomically(beside, new)
    return beside


def _names(book: Path) -> Iterator[str]:
    """The files to hand out, relative to `book`: notebooks and what lies beside them, but not the authors' texts."""
    for path in sorted(book.rglob("*")):
        relative = path.relative_to(book)
        hidden = any(part.startswith((".", "__")) for part in relative.parts)
        if path.is_file() and path.suffix != ".md" and not hidden:
            yield relative.as_posix()


def _read_manifest(work: Path) -> dict[str, str]:
    """What was handed out; nothing where the manifest is missing or damaged, so that every file counts as edited."""
    try:
        manifest = json.loads((work / MANIFEST).read_bytes())
    except (FileNotFoundError, ValueError):
        return {}
    return manifest if isinstance(manifest, dict) else {}


def _digest(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()
