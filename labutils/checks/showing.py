"""Shows a student's own function at work where it is written, and waits politely where it is not."""

from collections.abc import Callable
from typing import Any

from labutils.checks import messages
from labutils.checks.calling import own_traceback
from labutils.checks.panels import Panel, Part


def at_work(function: Callable, show: Callable[[], Any]) -> Any:
    """Return `show()`, which uses the student's `function`; a panel in its place while the function is not ready."""
    title = messages.AT_WORK_TITLE.format(exercise=function.__name__)
    try:
        return show()
    except NotImplementedError:
        return Panel(title, (Part("text", messages.AT_WORK_WAITS.format(exercise=function.__name__)),))
    except Exception as error:  # whatever a student's function does, the chapter goes on
        sentence = messages.AT_WORK_FAILED.format(exercise=function.__name__, error=type(error).__name__)
        return Panel(title, (Part("text", sentence), Part("code", own_traceback(error))), status="raised")
