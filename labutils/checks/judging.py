"""Who judges an exercise, and how a function is examined: its calls made one by one, then a verdict and its panel.

A `Judge` makes its calls through a `Trial` and never sees the function, so it can stand in another process. The judge
of a student's notebook knows the check sheet; the one that `grader` provides also knows hidden cases.
"""

import os
from collections.abc import Mapping
from importlib.metadata import entry_points
from typing import Any, Protocol

from labutils.checks import messages
from labutils.checks.calling import Outcome
from labutils.checks.panels import Panel, verdict_panel
from labutils.checks.sheets import ExerciseSheet, read_sheets
from labutils.checks.signatures import Signature
from labutils.checks.verdicts import Verdict, conclude

INSTRUCTOR = "labutils.instructor"
JUDGE_VARIABLE = "LABUTILS_JUDGE"


class JudgeMissing(Exception):
    """The environment asks for a judge that is not installed. The message says so, and the way out."""


class Trial(Protocol):
    """A function that is to be examined, wherever it runs. Its calls share a time limit of `seconds`."""

    @property
    def seconds(self) -> float: ...

    @property
    def signature(self) -> Signature | None: ...

    def __call__(self, arguments: dict[str, Any]) -> Outcome: ...


class Judge(Protocol):
    """Whoever decides: names its exercises, and examines a function."""

    def exercises(self) -> Mapping[str, ExerciseSheet]: ...

    def examine(self, exercise: str, trial: Trial) -> Panel: ...


class SheetJudge:
    """Judges by check sheets: public cases when read from the package, hidden ones too when `grader` passes them in."""

    def __init__(self, sheets: Mapping[str, ExerciseSheet] | None = None) -> None:
        self._sheets = read_sheets() if sheets is None else sheets

    def exercises(self) -> Mapping[str, ExerciseSheet]:
        return self._sheets

    def examine(self, exercise: str, trial: Trial) -> Panel:
        return examine(self._sheets[exercise], trial)


_appointed: Judge | None = None


def appoint(judge: Judge) -> None:
    """Let `judge` decide in this process, whatever the environment says: the one who grades it from outside."""
    global _appointed
    _appointed = judge


def find_judge() -> Judge:
    """The judge that was appointed, or that the environment asks for: the instructor's, else the check sheets.

    Raises JudgeMissing where the instructor's is asked for and not installed: no one's work is to be judged by half.
    """
    if _appointed is not None:
        return _appointed
    if os.environ.get(JUDGE_VARIABLE) != "instructor":
        return SheetJudge()
    for entry in entry_points(group=INSTRUCTOR, name="judge"):
        return entry.load()()
    raise JudgeMissing(messages.NO_JUDGE.format(variable=JUDGE_VARIABLE))


def examine(sheet: ExerciseSheet, trial: Trial) -> Panel:
    """Try the cases of a sheet in turn and return the panel, its verdict in it.

    No call follows one that ran too long, was not attempted or ended Python itself.
    """
    outcomes: list[Outcome] = []
    for case in sheet.cases:
        outcomes.append(trial(case.arguments))
        if outcomes[-1].kind in ("timed out", "not attempted", "died"):
            break
    verdict = conclude(sheet, outcomes)
    complaint = _signature_complaint(trial.signature, sheet, verdict)
    panel = verdict_panel(verdict, trial.seconds, complaint)
    if verdict.failure is None or complaint is not None:
        return panel
    return panel.with_note(_defaults_complaint(trial.signature, sheet))


def _signature_complaint(given: Signature | None, sheet: ExerciseSheet, verdict: Verdict) -> str | None:
    """Cases are called by name, so a renamed parameter would only give a puzzling TypeError."""
    if given is None or verdict.failure is None or verdict.failure.outcome.error != "TypeError":
        return None  # for a callable that tells no signature, the traceback has to do
    if given.takes(verdict.failure.case.arguments):
        return None
    return _with_signatures(messages.SIGNATURE, sheet, given)


def _defaults_complaint(given: Signature | None, sheet: ExerciseSheet) -> str | None:
    """A default that was changed is easily overlooked: the call that fails does not show it."""
    names = [one.name for one in given.parameters] if given else []
    if names != [written.partition("=")[0] for written in sheet.parameters] or given.has_defaults(sheet.parameters):
        return None
    return _with_signatures(messages.DEFAULTS, sheet, given)


def _with_signatures(sentence: str, sheet: ExerciseSheet, given: Signature) -> str:
    return sentence.format(exercise=sheet.name, expected=", ".join(sheet.parameters), got=given)
