"""Checks a student's function at once and says what is wrong: `check`, `hint`, `progress`, `solution`."""

import difflib
import functools
import sys
from collections.abc import Callable
from importlib.metadata import entry_points
from numbers import Real
from typing import Any

from labutils.checks import messages, records
from labutils.checks.calling import is_attempting
from labutils.checks.judging import INSTRUCTOR, Judge, find_judge
from labutils.checks.naming import name_of
from labutils.checks.panels import Panel, Part
from labutils.checks.sheets import ExerciseSheet, SheetError
from labutils.checks.trials import LocalTrial

TIME_LIMIT = 10.0
"""Seconds for all calls of one check together; a slow machine may be given more."""
LONGEST_TIME_LIMIT = 86_400

_hints_given: dict[str, int] = {}
_checked_last: dict[str, Callable] = {}


class UnknownExercise(Exception):
    """What was given to `check` is no exercise. The message names the nearest one."""


def panel_instead_of_trouble(show: Callable[..., Panel]) -> Callable[..., Panel]:
    """A notebook runs on when a sheet is damaged or its reader names no exercise: a panel says so."""

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


@panel_instead_of_trouble
def check(function: Callable, time_limit: float = TIME_LIMIT) -> Panel:
    """Try `function` on its exercise's cases, for `time_limit` seconds in all, and return a panel.

    Whatever `function` does, it raises nothing, but for a KeyboardInterrupt: it goes on its way, so that a reader can
    stop a check. The time limit waits for a call into C that never returns to Python (`sum(itertools.count())`): only a
    restart of the kernel ends it. Raises JudgeMissing where grading is asked for and not installed.
    """
    if is_attempting(sys._getframe()):
        return Panel(messages.NOT_A_CHECK, (Part("text", messages.CHECK_INSIDE),))
    if not isinstance(time_limit, Real) or not 0 < time_limit <= LONGEST_TIME_LIMIT:
        sentence = messages.BAD_TIME_LIMIT.format(got=time_limit, longest=LONGEST_TIME_LIMIT)
        return Panel(messages.NOT_A_CHECK, (Part("text", sentence),))
    judge, sheet = _find(function)
    panel = judge.examine(sheet.name, LocalTrial(function, time_limit))
    return panel.with_note(_seen_before(function, sheet.name, panel)).with_note(records.remember(panel))


@panel_instead_of_trouble
def hint(function: Callable) -> Panel:
    """Return one more hint at each call, from a nudge to nearly the answer; after the last, again from the first."""
    _, sheet = _find(function)
    number = _hints_given.get(sheet.name, 0) % len(sheet.hints) + 1
    _hints_given[sheet.name] = number
    title = messages.HINT_TITLE.format(exercise=sheet.name, number=number, count=len(sheet.hints))
    last = messages.NO_MORE_HINTS.format(exercise=sheet.name) if number == len(sheet.hints) else None
    return Panel(title, (Part("text", sheet.hints[number - 1]),)).with_note(last)


@panel_instead_of_trouble
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
        parts += [Part("item", name, messages.STATUS[status[name]], status[name] == "passed") for name in names]
    return Panel(messages.PROGRESS_TITLE, tuple(parts)).with_note(trouble)


@panel_instead_of_trouble
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
    name = name_of(function, sheets)
    if callable(function) and name in sheets:
        return judge, sheets[name]
    close = difflib.get_close_matches(name, sheets, n=1)
    if not callable(function):
        raise UnknownExercise(messages.NO_FUNCTION.format(nearest=next(iter([*close, *sheets])), got=name))
    if not close:
        raise UnknownExercise(messages.NO_EXERCISE.format(name=name))
    nearest = sheets[close[0]]
    names = ", ".join(sheet.name for sheet in sheets.values() if sheet.chapter == nearest.chapter)
    raise UnknownExercise(messages.DID_YOU_MEAN.format(name=name, nearest=nearest.name, names=names))


def _seen_before(function: Callable, exercise: str, panel: Panel) -> str | None:
    """A cell that was changed and not run again is the usual reason for a verdict that does not change."""
    seen = _checked_last.get(exercise) is function
    _checked_last[exercise] = function
    return messages.SAME_AS_BEFORE if seen and panel.status != "passed" else None
