"""The check sheet: what a notebook knows of its exercises. Data, no code, one JSON file per chapter.

A sheet holds inputs, expected outputs, hints, and what each known mistake would return for those inputs. It is written
by `python -m grader build` and read here. It holds no solution.
"""

import contextlib
import hashlib
import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from labutils.checks import messages
from labutils.checks.calling import Outcome
from labutils.checks.comparing import Tolerance
from labutils.checks.values import decode, encode

FOLDER = Path(__file__).parent / "sheets"
FORMAT = 1


class SheetError(Exception):
    """A check sheet that is missing or damaged. The message names the file and the way out."""


@dataclass(frozen=True)
class Refusal:
    """What is expected of a call that cannot be answered: a ValueError. `reason` is what the reference's says."""

    reason: str


@dataclass(frozen=True)
class Case:
    """One call to make: `arguments` by name, what it should return, and the aspect of the exercise that it tests.

    `expected` is a `Refusal` where the call should raise ValueError.
    """

    aspect: str
    arguments: dict[str, Any]
    expected: Any
    hidden: bool = False


@dataclass(frozen=True)
class KnownMistake:
    """A wrong implementation, known by what its calls do, case by case, and the hint that helps whoever made it."""

    name: str
    hint: str
    outcomes: tuple[Outcome, ...]


@dataclass(frozen=True)
class ExerciseSheet:
    """All that is needed to judge one exercise.

    `parameters` are written as in the function's first line, with their defaults: "every=10". `aspects` maps each
    aspect's name to its weight.
    """

    name: str
    chapter: str
    points: float
    parameters: tuple[str, ...]
    aspects: dict[str, float]
    hints: tuple[str, ...]
    tolerance: Tolerance
    cases: tuple[Case, ...]
    mistakes: tuple[KnownMistake, ...]


class Sheets(Mapping):
    """All exercises of all chapters by name, each decoded when it is first asked for.

    A damaged sheet raises SheetError only where it is needed: when all exercises are gone through, not when one of
    another chapter is looked up.
    """

    def __init__(self, paths: list[Path]) -> None:
        self._path_of: dict[str, Path] = {}
        self._damage: SheetError | None = None
        for path in paths:
            try:
                self._path_of.update(dict.fromkeys(_records(path), path))
            except SheetError as error:
                self._damage = error

    def __getitem__(self, name: str) -> ExerciseSheet:
        return _decoded(self._path_of[name], name)

    def __iter__(self) -> Iterator[str]:
        if self._damage:
            raise self._damage
        return iter(self._path_of)

    def __len__(self) -> int:
        return len(self._path_of)


def read_sheets(folder: Path = FOLDER) -> Sheets:
    """Return all exercises of all chapters by name. Raises SheetError when there is no sheet."""
    paths = sorted(folder.glob("*.json"))
    if not paths:
        raise SheetError(messages.NO_SHEET.format(folder=folder))
    return Sheets(paths)


def read_sheet(path: Path) -> tuple[ExerciseSheet, ...]:
    """Return the exercises in one sheet, in the chapter's order. Raises SheetError when it cannot be trusted."""
    return tuple(_decoded(path, name) for name in _records(path))


@cache
def _records(path: Path) -> dict[str, dict]:
    """What a sheet holds of each exercise, by name, not yet decoded but known to be what was written."""
    with _damage_told(path):
        sheet = json.loads(path.read_text(encoding="utf-8"))
        if sheet["format"] != FORMAT:
            raise ValueError(messages.SHEET_FORMAT.format(found=sheet["format"], known=FORMAT))
        if sheet["digest"] != _digest(sheet["exercises"]):
            raise ValueError(messages.SHEET_ALTERED)
        return {record["name"]: {**record, "chapter": sheet["chapter"]} for record in sheet["exercises"]}


@cache
def _decoded(path: Path, name: str) -> ExerciseSheet:
    with _damage_told(path):
        return _from_json(_records(path)[name])


@contextlib.contextmanager
def _damage_told(path: Path) -> Iterator[None]:
    """Turn whatever a damaged sheet raises into a SheetError."""
    try:
        yield
    except (OSError, ValueError, LookupError, TypeError, AttributeError, RecursionError) as error:
        raise SheetError(messages.SHEET_DAMAGED.format(name=path.name, reason=error)) from error


def write_sheet(path: Path, chapter: str, exercises: list[ExerciseSheet]) -> None:
    """Write a chapter's sheet, an exercise a line. A hidden case is refused: what is written here, students have."""
    if any(case.hidden for exercise in exercises for case in exercise.cases):
        raise ValueError("a hidden case must not be written into a check sheet")
    records = json.loads(json.dumps([_to_json(exercise) for exercise in exercises], allow_nan=False))
    head = json.dumps({"format": FORMAT, "chapter": chapter, "digest": _digest(records)}, ensure_ascii=False)
    lines = ",\n".join(json.dumps(record, ensure_ascii=False, separators=(",", ":")) for record in records)
    path.write_text(f'{head[:-1]}, "exercises": [\n{lines}\n]}}\n', encoding="utf-8")


def digest(exercise: ExerciseSheet) -> str:
    """A digest of all that an exercise is judged by."""
    return _digest([_to_json(exercise)])


def _digest(records: list[dict]) -> str:
    return hashlib.sha256(json.dumps(records, sort_keys=True).encode()).hexdigest()


def _to_json(exercise: ExerciseSheet) -> dict:
    return {
        "name": exercise.name,
        "points": exercise.points,
        "parameters": list(exercise.parameters),
        "aspects": exercise.aspects,
        "hints": list(exercise.hints),
        "tolerance": [exercise.tolerance.relative, exercise.tolerance.absolute],
        "cases": [
            {
                "aspect": case.aspect,
                "arguments": {name: encode(value) for name, value in case.arguments.items()},
                **_expected_to_json(case.expected),
            }
            for case in exercise.cases
        ],
        "mistakes": [
            {
                "name": mistake.name,
                "hint": mistake.hint,
                "outcomes": [_outcome_to_json(outcome) for outcome in mistake.outcomes],
            }
            for mistake in exercise.mistakes
        ],
    }


def _from_json(record: dict) -> ExerciseSheet:
    return ExerciseSheet(
        name=record["name"],
        chapter=record["chapter"],
        points=record["points"],
        parameters=tuple(record["parameters"]),
        aspects=record["aspects"],
        hints=tuple(record["hints"]),
        tolerance=Tolerance(*record["tolerance"]),
        cases=tuple(
            Case(
                aspect=case["aspect"],
                arguments={name: decode(value) for name, value in case["arguments"].items()},
                expected=_expected_from_json(case),
            )
            for case in record["cases"]
        ),
        mistakes=tuple(
            KnownMistake(
                name=mistake["name"],
                hint=mistake["hint"],
                outcomes=tuple(_outcome_from_json(outcome) for outcome in mistake["outcomes"]),
            )
            for mistake in record["mistakes"]
        ),
    )


def _expected_to_json(expected: Any) -> dict:
    return {"refused": expected.reason} if isinstance(expected, Refusal) else {"expected": encode(expected)}


def _expected_from_json(case: dict) -> Any:
    return Refusal(case["refused"]) if "refused" in case else decode(case["expected"])


def _outcome_to_json(outcome: Outcome) -> dict:
    """Only what tells one mistake from another: what was returned, or which error, and which arguments changed."""
    if outcome.kind == "raised":
        return {"raised": outcome.error}
    if outcome.kind != "returned":
        raise ValueError(f"a known mistake must return or raise, this one was {outcome.kind!r}")
    return {"returned": encode(outcome.value), "changed": list(outcome.changed)}


def _outcome_from_json(record: dict) -> Outcome:
    if "raised" in record:
        return Outcome("raised", error=record["raised"])
    return Outcome("returned", value=decode(record["returned"]), changed=tuple(record["changed"]))
