"""Decides what a submission's functions are worth, in a process that the submission cannot reach.

Inputs are drawn afresh for each assignment from its seed, and for each attempt of a notebook at an exercise; each case
has a generator of its own, seeded by a hash, so that no input tells of another one. What counts is what is returned
for them: the record is kept here, and nothing that a notebook shows, prints or holds changes it.
"""

import time
from collections.abc import Iterable
from dataclasses import dataclass, replace
from functools import cache

from grader.exercises import all_exercises
from grader.records import ExerciseRecord
from labutils.checks.judging import Trial, examine
from labutils.checks.panels import Panel
from labutils.checks.sheets import ExerciseSheet, digest

DIGITS_OF_A_KEY = 16
MOST_ATTEMPTS = 4
"""How often a notebook may have one exercise examined: by its check cell, by checks of its own, again at its end."""


class TooManyAttempts(Exception):
    """A notebook asks for one exercise again and again, as one that guesses would."""


@cache
def sheet(exercise: str, seed: str, attempt: int) -> ExerciseSheet:
    """All cases of an exercise, public and hidden, for one attempt in an assignment with this seed."""
    return all_exercises()[exercise].sheet(f"{seed}, attempt {attempt}")


def key(exercises: Iterable[str], seed: str) -> str:
    """What these exercises are judged by in an assignment: a digest of each, with all its cases, weights and hints."""
    return _joined({name: digest(sheet(name, seed, 1))[:DIGITS_OF_A_KEY] for name in exercises})


def changed(before: str, now: str) -> set[str]:
    """The exercises that are not judged by the same, by two keys."""
    old, new = _parted(before), _parted(now)
    return {name for name in old.keys() | new.keys() if old.get(name) != new.get(name)}


def renewed(before: str, now: str, exercise: str) -> str:
    """The key of what has had one exercise graded again."""
    return _joined(_parted(before) | {exercise: _parted(now)[exercise]})


def _joined(digests: dict[str, str]) -> str:
    return " ".join(f"{name}:{digests[name]}" for name in sorted(digests))


def _parted(key: str) -> dict[str, str]:
    return dict(part.split(":") for part in key.split())


@dataclass(frozen=True)
class Finding:
    """The best that came of a notebook's attempts at an exercise; `seconds` is the time of all of them."""

    panel: Panel
    seconds: float

    @property
    def record(self) -> ExerciseRecord:
        verdict = self.panel.verdict
        return ExerciseRecord(
            exercise=verdict.exercise,
            status=verdict.status,
            points=verdict.points,
            max_points=verdict.max_points,
            aspects=verdict.aspects,
            mistake=verdict.mistake.name if verdict.mistake else None,
            hint=verdict.mistake.hint if verdict.mistake else None,
            seconds=round(self.seconds, 3),
            title=self.panel.title,
        )


class Sitting:
    """One notebook before the oracle: what it was examined in, and what came of it."""

    def __init__(self, seed: str) -> None:
        self._seed = seed
        self._attempts: dict[str, int] = {}
        self.findings: dict[str, Finding] = {}

    def examine(self, exercise: str, trial: Trial) -> Panel:
        """Examine a function and keep the better of this and earlier attempts. Raises TooManyAttempts."""
        attempt = self._attempts.get(exercise, 0) + 1
        if attempt > MOST_ATTEMPTS:
            raise TooManyAttempts(exercise)
        self._attempts[exercise] = attempt
        cases = sheet(exercise, self._seed, attempt)
        began = time.perf_counter()
        panel = examine(cases, trial)
        before = self.findings.get(exercise)
        spent = time.perf_counter() - began + (before.seconds if before else 0)
        better = before is None or panel.verdict.points > before.panel.verdict.points
        self.findings[exercise] = Finding(panel, spent) if better else replace(before, seconds=spent)
        return panel
