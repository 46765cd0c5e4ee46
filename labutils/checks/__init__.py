"""Checks a student's function at once and says what is wrong: `check`, `hint`, `progress`, `solution`."""

import difflib
import functools
import inspect
import sys
from collections.abc import Callable, Iterable
from importlib.metadata import entry_points
from typing import Any

from labutils.checks import messages, records
from labutils.checks.calling import call_all, is_attempting
from labutils.checks.comparing import describe
from labutils.checks.judging import INSTRUCTOR, Judge, Verdict, find_judge
from labutils.checks.panels import Panel, Part, verdict_panel
from labutils.checks.sheets import ExerciseSheet, SheetError

TIME_LIMIT = 10.0

_hints_given: dict[str, int] = {}
_checked_last: dict[str, Callable] = {}


class UnknownExercise(Exception):
    """What was given to `check` is no exercise. The message names the nearest one."""


def _panel_instead_of_trouble(show: Callable[..., Panel]) -> Callable[..., Panel]:
    """A notebook runs on whatever happens to a check: trouble becomes a panel that says so."""

    @functools.wraps(show)
    def shown(*args: Any, **kwargs: Any) -> Panel:
        try:
            return show(*args, **kwargs)
        except SheetError as error:
            sentence = messages.SHEET_TROUBLE.format(error=error)
        except UnknownExercise as error:
            sentence = str(error)
        return Panel(messages.NOT_A_CHECK, (Part("text", sentence),))

    return shown


@_panel_instead_of_trouble
def check(function: Callable, time_limit: float = TIME_LIMIT) -> Panel:
    """Try `function` on its exercise's cases, for `time_limit` seconds at most, and return a panel. Raises nothing."""
    if is_attempting(sys._getframe()):
        return Panel(messages.NOT_A_CHECK, (Part("text", messages.CHECK_INSIDE),))
    judge, sheet = _find(function)
    outcomes = call_all(function, judge.calls(sheet.name), time_limit)
    verdict = judge.verdict(sheet.name, outcomes)
    complaint = _signature_complaint(function, sheet, verdict)
    panel = verdict_panel(verdict, time_limit, complaint)
    if verdict.failure is not None and complaint is None:
        panel = panel.with_note(_defaults_complaint(function, sheet))
    return panel.with_note(_seen_before(function, verdict)).with_note(records.remember(verdict))


@_panel_instead_of_trouble
def hint(function: Callable) -> Panel:
    """Return one more hint at each call, from a nudge to nearly the answer; after the last, again from the first."""
    _, sheet = _find(function)
    number = _hints_given.get(sheet.name, 0) % len(sheet.hints) + 1
    _hints_given[sheet.name] = number
    title = messages.HINT_TITLE.format(exercise=sheet.name, number=number, count=len(sheet.hints))
    last = messages.NO_MORE_HINTS.format(exercise=sheet.name) if number == len(sheet.hints) else None
    return Panel(title, (Part("text", sheet.hints[number - 1]),)).with_note(last)


@_panel_instead_of_trouble
def progress() -> Panel:
    """Return a list of the exercises, chapter by chapter: solved, tried, or not attempted."""
    sheets = find_judge().exercises().values()
    remembered, trouble = records.recall()
    parts = []
    for chapter in dict.fromkeys(sheet.chapter for sheet in sheets):
        names = [sheet.name for sheet in sheets if sheet.chapter == chapter]
        status = {name: remembered.get(name, {}).get("status", "not attempted") for name in names}
        solved = list(status.values()).count("passed")
        parts.append(Part("text", messages.PROGRESS_CHAPTER.format(chapter=chapter, solved=solved, count=len(names))))
        parts += [Part("item", name, messages.STATUS[status[name]]) for name in names]
    return Panel(messages.PROGRESS_TITLE, tuple(parts)).with_note(trouble)


@_panel_instead_of_trouble
def solution(function: Callable) -> Panel:
    """Return the reference solution where the instructor's part of the book is installed; else say that it is not."""
    _, sheet = _find(function)
    title = messages.SOLUTION_TITLE.format(exercise=sheet.name)
    try:
        show = next(iter(entry_points(group=INSTRUCTOR, name="solution"))).load()
    except (StopIteration, ModuleNotFoundError):
        return Panel(title, (Part("text", messages.NO_SOLUTION.format(exercise=sheet.name)),))
    return Panel(title, (Part("code", show(sheet.name)),))


def _find(function: Any) -> tuple[Judge, ExerciseSheet]:
    """The judge, and the exercise that `function` is meant to solve. Raises UnknownExercise when there is none."""
    judge = find_judge()
    sheets = judge.exercises()
    name = _name_of(function, sheets)
    if callable(function) and name in sheets:
        return judge, sheets[name]
    nearest = difflib.get_close_matches(name, sheets, n=1, cutoff=0.0)[0]
    if not callable(function):
        raise UnknownExercise(messages.NO_FUNCTION.format(nearest=nearest, got=name))
    siblings = [sheet.name for sheet in sheets.values() if sheet.chapter == sheets[nearest].chapter]
    siblings.sort(key=lambda sibling: sibling != nearest)
    close = difflib.get_close_matches(name, [nearest])
    question = messages.DID_YOU_MEAN.format(nearest=nearest) if close else ""
    raise UnknownExercise(messages.NO_EXERCISE.format(name=name, question=question, names=", ".join(siblings)))


def _name_of(function: Any, exercises: Iterable[str]) -> str:
    """The name of a function; for a lambda, a partial or a decorated one, the exercise that the notebook calls so."""
    name = getattr(function, "__name__", "")
    notebook = vars(sys.modules["__main__"])
    bound = [exercise for exercise in exercises if callable(function) and notebook.get(exercise) is function]
    if name in exercises or bound:
        return name if name in exercises else bound[0]
    return name or (repr(function) if isinstance(function, (str, int, float)) else describe(function))[:80]


def _seen_before(function: Callable, verdict: Verdict) -> str | None:
    """A cell that was changed and not run again is the usual reason for a verdict that does not change."""
    seen = _checked_last.get(verdict.exercise) is function
    _checked_last[verdict.exercise] = function
    return messages.SAME_AS_BEFORE if seen and verdict.status != "passed" else None


def _signature_complaint(function: Callable, sheet: ExerciseSheet, verdict: Verdict) -> str | None:
    """Cases are called by name, so a renamed parameter would only give a puzzling TypeError."""
    if verdict.failure is None or verdict.failure.outcome.error != "TypeError":
        return None
    signature = _signature(function)
    if signature is None:  # the traceback has to do
        return None
    try:
        signature.bind(**verdict.failure.case.arguments)
    except TypeError:
        return messages.SIGNATURE.format(exercise=sheet.name, expected=", ".join(sheet.parameters), got=signature)
    return None


def _defaults_complaint(function: Callable, sheet: ExerciseSheet) -> str | None:
    """A default that was changed is easily overlooked: the call that fails does not show it."""
    signature = _signature(function)
    given = tuple(map(str, signature.parameters.values())) if signature else ()
    if given == sheet.parameters or _names(given) != _names(sheet.parameters):
        return None
    return messages.DEFAULTS.format(exercise=sheet.name, expected=", ".join(sheet.parameters), got=signature)


def _signature(function: Callable) -> inspect.Signature | None:
    """The parameters of a function with their defaults, without annotations; None for a callable that tells none."""
    try:
        signature = inspect.signature(function)
    except (TypeError, ValueError):
        return None
    parameters = [one.replace(annotation=one.empty) for one in signature.parameters.values()]
    return signature.replace(parameters=parameters, return_annotation=signature.empty)


def _names(parameters: Iterable[str]) -> list[str]:
    return [parameter.partition("=")[0] for parameter in parameters]
