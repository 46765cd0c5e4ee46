"""The check sheet: what a notebook knows of its exercises. Data, no code, one JSON file per chapter.

A sheet holds inputs, expected outputs, hints, and what each known mistake would return for those inputs. It is written
by `python -m grader build` and read here. It holds no solution.
"""

import hashlib
import json
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from labutils.checks.calling import Outcome
from labutils.checks.comparing import Tolerance
from labutils.checks.values import decode, encode

FOLDER = Path(__file__).parent / "sheets"
FORMAT = 1


class SheetError(Exception):
    """A check sheet that is missing or damaged. The message names the file and the way out."""


@dataclass(frozen=True)
class Case:
    """One call to make: `arguments` by name, what it should return, and the aspect of the exercise that it tests."""

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


def read_sheets(folder: Path = FOLDER) -> dict[str, ExerciseSheet]:
    """Return all exercises of all chapters by name. Raises SheetError when there is no sheet or one is damaged."""
    paths = sorted(folder.glob("*.json"))
    if not paths:
        raise SheetError(f"no check sheet in {folder}; install labutils again to bring them back")
    return {exercise.name: exercise for path in paths for exercise in read_sheet(path)}


@cache
def read_sheet(path: Path) -> tuple[ExerciseSheet, ...]:
    """Return the exercises in one sheet, in the chapter's order. Raises SheetError when it cannot be trusted."""
    try:
        sheet = json.loads(path.read_text(encoding="utf-8"))
        if sheet["format"] != FORMAT:
            raise ValueError(f"its format is {sheet['format']!r}, and this labutils reads {FORMAT}")
        if sheet["digest"] != _digest(sheet["exercises"]):
            raise ValueError("its contents are not what was written")
        return tuple(_from_json(sheet["chapter"], one) for one in sheet["exercises"])
    except (OSError, ValueError, LookupError, TypeError, AttributeError, RecursionError) as error:
        raise SheetError(
            f"the check sheet {path.name} is damaged ({error}); your notebook is not affected. "
            f"Update the book or install labutils again, then restart the kernel"
        ) from error


def write_sheet(path: Path, chapter: str, exercises: list[ExerciseSheet]) -> None:
    """Write a chapter's sheet. A hidden case is refused: what is written here, students have."""
    if any(case.hidden for exercise in exercises for case in exercise.cases):
        raise ValueError("a hidden case must not be written into a check sheet")
    records = json.loads(json.dumps([_to_json(exercise) for exercise in exercises], allow_nan=False))
    sheet = {"format": FORMAT, "chapter": chapter, "digest": _digest(records), "exercises": records}
    path.write_text(json.dumps(sheet, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")


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
                "expected": encode(case.expected),
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


def _from_json(chapter: str, record: dict) -> ExerciseSheet:
    return ExerciseSheet(
        name=record["name"],
        chapter=chapter,
        points=record["points"],
        parameters=tuple(record["parameters"]),
        aspects=record["aspects"],
        hints=tuple(record["hints"]),
        tolerance=Tolerance(*record["tolerance"]),
        cases=tuple(
            Case(
                aspect=case["aspect"],
                arguments={name: decode(value) for name, value in case["arguments"].items()},
                expected=decode(case["expected"]),
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
