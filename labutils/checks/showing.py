"""Shows a student's own function at work where it is written, and waits politely where it is not."""

import functools
from collections.abc import Callable
from typing import Any

from labutils.checks import messages, panel_instead_of_trouble
from labutils.checks.calling import call
from labutils.checks.judging import find_judge
from labutils.checks.naming import name_of
from labutils.checks.panels import Panel, Part

TIME_LIMIT = 120.0


@panel_instead_of_trouble
def at_work(function: Callable, show: Callable[[], Any]) -> Any:
    """Return `show()`, which uses the student's `function`; a panel in its place while the function is not ready.

    Whatever the function does, the chapter goes on. `show` has `TIME_LIMIT` seconds; what it prints comes at its end.
    """
    shown = []

    @functools.wraps(function)  # so that it is the function's own stub that counts as not attempted
    def show_once() -> None:
        shown.append(show())

    outcome = call(show_once, {}, TIME_LIMIT)
    if outcome.printed:
        print(outcome.printed, end="")
    if outcome.kind == "returned":
        return shown[0]
    name = name_of(function, find_judge().exercises())
    title = messages.AT_WORK_TITLE.format(exercise=name)
    if outcome.kind == "not attempted":
        return Panel(title, (Part("text", messages.AT_WORK_WAITS.format(exercise=name)),))
    if outcome.kind == "timed out":
        sentence = messages.AT_WORK_TIMED_OUT.format(exercise=name, seconds=TIME_LIMIT)
        return Panel(title, (Part("text", sentence),), status="failed")
    sentence = messages.AT_WORK_FAILED.format(exercise=name, error=outcome.error)
    return Panel(title, (Part("text", sentence), Part("code", outcome.traceback)), status="raised")
