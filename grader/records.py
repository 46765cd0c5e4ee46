"""What is kept of each graded submission: one JSON file per student, in the course folder.

A record says what was earned and why, what it took, and what there is to remark on. It names the submission and what it
was graded with by their digests, so that whoever grades again knows whether there is anything to do. A file that cannot
be understood is set aside, not written over, and its student counts as not graded.
"""

import hashlib
import json
import logging
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from functools import cache
from itertools import count
from pathlib import Path
from typing import Any
from urllib.parse import quote, unquote

import fastjsonschema

from labutils.files import write_atomically

FORMAT = 1
GRADED, WITH_REMARKS, UNREADABLE = STATUSES = ("graded", "with remarks", "unreadable")
PASSED, FAILED, RAISED, NOT_ATTEMPTED = EXERCISE_STATUSES = ("passed", "failed", "raised", "not attempted")
LONGEST_REMARK = 600
LEFT_OUT = " … "
NAMES_SHOWN = 8
LONGEST_NAME = 200  # characters; file systems take 255 bytes, and `.json.damaged` has to fit in

SET_ASIDE = "The record of {student} in {assignment} was damaged ({reason}). It was set aside as {path}."

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Remark:
    """A sentence for student and instructor on what was found in a submission; about one exercise, or about all.

    It may quote names that a student chose: it is made one line of letters that can be written, and cut where it is
    too long.
    """

    exercise: str | None
    text: str

    def __post_init__(self) -> None:
        line = " ".join(self.text.split())
        line = "".join(letter if letter.isprintable() else "\ufffd" for letter in line)
        half = (LONGEST_REMARK - len(LEFT_OUT)) // 2
        if len(line) > LONGEST_REMARK:
            line = line[:half] + LEFT_OUT + line[-half:]
        object.__setattr__(self, "text", line)


@dataclass(frozen=True)
class ExerciseRecord:
    """What one exercise earned. `aspects` tells which of them hold; `mistake` and `hint` are a known mistake's."""

    exercise: str
    status: str
    points: float
    max_points: float
    aspects: dict[str, bool]
    mistake: str | None
    hint: str | None
    seconds: float
    title: str


@dataclass(frozen=True)
class Record:
    """What is known of one graded submission.

    `digest` is of what was handed in, `key` of what it was graded with, empty where that is not known. `seconds` are
    wall-clock, `megabytes` the peak of private memory, `graded` is the time in ISO 8601. The exercises stand in the
    chapter's order.
    """

    student: str
    assignment: str
    notebook: str
    digest: str
    key: str
    status: str
    remarks: tuple[Remark, ...]
    seconds: float
    cpu_seconds: float
    megabytes: float
    graded: str
    exercises: dict[str, ExerciseRecord]

    @property
    def points(self) -> float:
        return sum(one.points for one in self.exercises.values())

    @property
    def max_points(self) -> float:
        return sum(one.max_points for one in self.exercises.values())


class Records:
    """The records of one assignment. One process writes at a time; any may read."""

    def __init__(self, course_folder: Path, assignment: str) -> None:
        self.folder = Path(course_folder) / "grading" / assignment / "records"
        self.assignment = assignment

    def read(self, student: str) -> Record | None:
        """The record of a student; None where there is none, or where it was damaged and has been set aside."""
        try:
            return self._read(self._path(student))
        except FileNotFoundError:
            return None

    def all(self) -> dict[str, Record]:
        """Every record by student, in the order of their names."""
        found = [self._read(path) for path in self.folder.glob("[!.]*.json")]
        return {record.student: record for record in sorted(filter(None, found), key=lambda record: record.student)}

    def write(self, record: Record) -> None:
        """Keep a record, in place of an earlier one of this student. Raises OSError, and then the earlier one stays."""
        write_atomically(self._path(record.student), to_json(record))

    def _path(self, student: str) -> Path:
        return self.folder / f"{file_name(student)}.json"

    def _read(self, path: Path) -> Record | None:
        content = path.read_bytes()
        try:
            record = from_json(content)
            if (record.assignment, self._path(record.student).name) != (self.assignment, path.name):
                raise ValueError(f"it is the record of {record.student} in {record.assignment}")
        except (ValueError, RecursionError) as error:
            aside = _free_name(path)
            path.rename(aside)
            student = unquote(path.stem, errors="surrogateescape")
            log.warning(SET_ASIDE.format(student=student, assignment=self.assignment, reason=error, path=aside))
            return None
        return record


def listed(names: Sequence[str]) -> str:
    """The names of files as a remark gives them, the first few of many."""
    more = f" and {len(names) - NAMES_SHOWN} more" if len(names) > NAMES_SHOWN else ""
    return ", ".join(names[:NAMES_SHOWN]) + more


def file_name(student: str) -> str:
    """A name for a student's file that every file system takes, and that no other student has.

    It is percent-encoded, so it can be read back by `unquote`; of a very long one, only the beginning and a digest.
    """
    name = quote(student, safe=" ", errors="surrogateescape")
    if name.startswith("."):  # such a file would be hidden
        name = f"%2E{name[1:]}"
    if len(name) > LONGEST_NAME:
        digest = hashlib.sha256(name.encode()).hexdigest()
        name = f"{name[: LONGEST_NAME - len(digest) - 1]}~{digest}"
    return name


def to_json(record: Record) -> bytes:
    """The content of a record's file."""
    return json.dumps({"format": FORMAT, **asdict(record)}, indent=1, allow_nan=False).encode()


def from_json(content: bytes) -> Record:
    """The record that `to_json` wrote. Raises ValueError, with the first thing that is wrong."""
    loaded = json.loads(content, parse_constant=_refuse)
    try:
        _validate()(loaded)
    except fastjsonschema.JsonSchemaValueException as error:
        raise ValueError(error.message) from error
    del loaded["format"]
    loaded["remarks"] = tuple(Remark(**remark) for remark in loaded["remarks"])
    loaded["exercises"] = {name: ExerciseRecord(**one) for name, one in loaded["exercises"].items()}
    return Record(**loaded)


def _refuse(number: str) -> None:
    raise ValueError(f"{number} is no number of JSON")


@cache
def _validate() -> Callable[[Any], Any]:
    text, amount = {"type": "string"}, {"type": "number", "minimum": 0}
    text_or_none = {"type": ["string", "null"]}
    remark = _object(exercise=text_or_none, text=text)
    exercise = _object(
        exercise=text,
        status={"enum": EXERCISE_STATUSES},
        points=amount,
        max_points=amount,
        aspects={"type": "object", "additionalProperties": {"type": "boolean"}},
        mistake=text_or_none,
        hint=text_or_none,
        seconds=amount,
        title=text,
    )
    record = _object(
        format={"const": FORMAT},
        student=text,
        assignment=text,
        notebook=text,
        digest=text,
        key=text,
        status={"enum": STATUSES},
        remarks={"type": "array", "items": remark},
        seconds=amount,
        cpu_seconds=amount,
        megabytes=amount,
        graded=text,
        exercises={"type": "object", "additionalProperties": exercise},
    )
    return fastjsonschema.compile(record)


def _object(**properties: dict) -> dict:
    """A JSON schema: an object with just these properties, all of them."""
    required = list(properties)
    return {"type": "object", "properties": properties, "required": required, "additionalProperties": False}


def _free_name(path: Path) -> Path:
    """A name for the damaged file that no earlier one has taken."""
    names = (path.with_name(f"{path.name}.damaged{number or ''}") for number in count())
    return next(name for name in names if not name.exists())
