"""Calls a student's function once and records what happened. Nothing that the function does gets past this module,
but for a KeyboardInterrupt: whoever interrupts the kernel means it.

It returns a value, raises, runs too long or has not been written; it may print, warn, or change its arguments. Each of
these is a fact in the `Outcome`, which the comparison reads. The comparison may run in another process.
"""

import builtins
import contextlib
import copy
import ctypes
import functools
import getpass
import inspect
import io
import os
import signal
import sys
import threading
import traceback
import types
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from typing import Any, Literal

from labutils.checks import messages
from labutils.checks.comparing import StandIn, difference
from labutils.checks.keeping import keep
from labutils.checks.networks import Built, is_network

PRINTED_CHARACTERS = 2_000
ERROR_CHARACTERS = 1_200
TRACEBACK_FRAMES = 6
SECONDS_BETWEEN_INTERRUPTIONS = 0.5
POLITE_INTERRUPTIONS = 3
INSISTENCE = 5e-5


@dataclass(frozen=True)
class Outcome:
    """What one call did. `value` counts when `kind` is "returned"; when it is "raised", `error` names the type.

    A call that ended Python itself "died", of what `error` says; only who calls from outside can tell. `traceback` may
    quote the arguments; `line`, the student's line that raised and where it stands, does not. `seconds` tells how long
    a call ran that was "timed out".
    """

    kind: Literal["returned", "raised", "timed out", "not attempted", "died"]
    value: Any = None
    error: str = ""
    traceback: str = ""
    line: str = ""
    seconds: float = 0.0
    changed: tuple[str, ...] = ()
    printed: str = ""


class TimeUp(BaseException):
    """Raised inside a function that runs too long. Not an Exception, so that `except Exception` does not stop it."""


def call(function: Callable, arguments: dict[str, Any], seconds: float) -> Outcome:
    """Call `function(**arguments)` on copies of the arguments, for `seconds` at most, and record what happened.

    A call into C (`sum(itertools.count())`) cannot be stopped from inside: the time limit waits until it returns.
    """
    printed = _Printed()
    with _contained(printed):
        clock = _Clock()
        try:
            with clock.limit(seconds):
                outcome = _attempt(function, arguments)
        except TimeUp:
            outcome = Outcome("timed out", seconds=seconds)
    if clock.rang:  # also when the function swallowed the interruption and came to an end late
        outcome = Outcome("timed out", seconds=seconds)
    return replace(outcome, printed=printed.text())


def is_attempting(frame: types.FrameType | None) -> bool:
    """Tell whether `frame` belongs to a function that is being called here."""
    while frame is not None and frame.f_code is not _attempt.__code__:
        frame = frame.f_back
    return frame is not None


def _attempt(function: Callable, arguments: dict[str, Any]) -> Outcome:
    """All that may run a student's code, printing the error it raised included, and so may take for ever."""
    given = {name: _copy(value) for name, value in arguments.items()}
    try:
        value = function(**given)
    except (TimeUp, KeyboardInterrupt):
        raise
    except BaseException as error:  # SystemExit and a student's own classes included
        if guarded(_is_stub, error, function, otherwise=False):
            return Outcome("not attempted")
        name = _utf8(type(error).__name__)
        return Outcome(
            "raised",
            error=name,
            traceback=guarded(own_traceback, error, otherwise=name),
            line=guarded(own_line, error, otherwise=""),
        )
    changed = tuple(name for name in arguments if guarded(_differ, arguments[name], given[name], otherwise=True))
    return Outcome("returned", value=guarded(keep, value, otherwise=_unread(value)), changed=changed)


def guarded(action: Callable, *given: Any, otherwise: Any) -> Any:
    """`action(*given)`, or `otherwise` where it raises: a student's class may do so when it is printed or copied."""
    try:
        return action(*given)
    except (TimeUp, KeyboardInterrupt):
        raise
    except BaseException:  # SystemExit included: what a student's class does when it is looked at ends no check
        return otherwise


def _is_stub(error: BaseException, function: Callable) -> bool:
    """Tell a stub's bare `raise NotImplementedError` from torch's, which has words, and from that of another stub.

    A function with more lines than that one is no stub: a student wrote it and forgot to delete the line.
    """
    if not isinstance(error, NotImplementedError) or error.args:
        return False
    frame, line = list(traceback.walk_tb(error.__traceback__))[-1]
    code = frame.f_code
    written = {number for _, _, number in code.co_lines()} - {None, code.co_firstlineno, line}
    return not written and code.co_name == getattr(inspect.unwrap(function), "__name__", code.co_name)


def own_traceback(error: BaseException) -> str:
    """The traceback of `error` from the student's own first line on: without this package and with few frames."""
    summary = traceback.TracebackException(type(error), error, error.__traceback__, compact=True)
    summary.stack = _own_frames(summary.stack)
    return _utf8(_shortened("".join(summary.format()).rstrip()))


def own_line(error: BaseException) -> str:
    """The line of the student's that raised `error`, and where it stands; nothing that the error says."""
    frames = _own_frames(traceback.extract_tb(error.__traceback__))
    return _utf8(_shortened("".join(traceback.StackSummary.from_list(frames[-1:]).format()).rstrip()))


def _own_frames(stack: traceback.StackSummary) -> traceback.StackSummary:
    """The last few frames, without those of this package."""
    own = [frame for frame in stack if os.path.dirname(frame.filename) != os.path.dirname(__file__)]
    for frame in own[-TRACEBACK_FRAMES:]:
        if "ipykernel" in frame.filename:  # the name of a temporary file that no reader ever sees
            frame.filename = messages.CELL
    return traceback.StackSummary.from_list(own[-TRACEBACK_FRAMES:])


class _Clock:
    """Interrupts `_attempt`, and nothing else, when its time is up; `rang` tells whether it did."""

    def __init__(self) -> None:
        self.interruptions = 0

    @property
    def rang(self) -> bool:
        return self.interruptions > 0

    def limit(self, seconds: float) -> contextlib.AbstractContextManager:
        """Raise `TimeUp` in the enclosed `_attempt` after `seconds`, and again in case it was swallowed.

        On Unix in the main thread by an alarm signal, which also ends `time.sleep`. Elsewhere (Windows, other threads)
        by an exception that Python raises at the next line of the function; a call into C has to return first.
        """
        on_alarm = hasattr(signal, "setitimer") and threading.current_thread() is threading.main_thread()
        return self._alarm(seconds) if on_alarm else self._watchdog(seconds)

    @contextlib.contextmanager
    def _alarm(self, seconds: float) -> Iterator[None]:
        def on_signal(signum: int, frame: types.FrameType | None) -> None:
            if not is_attempting(frame):
                return
            self.interruptions += 1
            if self.interruptions == POLITE_INTERRUPTIONS:  # in a loop, a bare `except:` takes them all: meet it there
                signal.setitimer(signal.ITIMER_REAL, INSISTENCE, INSISTENCE)
            raise TimeUp

        previous = signal.signal(signal.SIGALRM, on_signal)
        signal.setitimer(signal.ITIMER_REAL, seconds, SECONDS_BETWEEN_INTERRUPTIONS)
        try:
            yield
        finally:
            signal.setitimer(signal.ITIMER_REAL, 0)
            signal.signal(signal.SIGALRM, previous)

    @contextlib.contextmanager
    def _watchdog(self, seconds: float) -> Iterator[None]:
        finished = threading.Event()
        thread_id = threading.get_ident()

        def watch() -> None:
            wait = seconds
            while not finished.wait(wait) and is_attempting(sys._current_frames().get(thread_id)):
                self.interruptions += 1
                ctypes.pythonapi.PyThreadState_SetAsyncExc(ctypes.c_ulong(thread_id), ctypes.py_object(TimeUp))
                wait = SECONDS_BETWEEN_INTERRUPTIONS

        watcher = threading.Thread(target=watch, daemon=True)
        watcher.start()
        try:
            yield
        finally:
            finished.set()
            watcher.join()
            ctypes.pythonapi.PyThreadState_SetAsyncExc(ctypes.c_ulong(thread_id), None)  # one that came too late


@contextlib.contextmanager
def _contained(printed: "_Printed") -> Iterator[None]:
    """Keep what the function prints, give it nothing to read, and let `exit()` end it alone."""

    def leave() -> None:
        raise SystemExit

    def ask(*_: Any, **__: Any) -> None:
        raise EOFError(messages.NOBODY_TO_ASK)

    stdin, sys.stdin = sys.stdin, io.StringIO()  # Python's `exit` closes it
    asking = builtins.input, getpass.getpass  # a notebook's own ask the reader, whatever stdin is
    builtins.input = getpass.getpass = ask
    shell = sys.modules["IPython"].get_ipython() if "IPython" in sys.modules else None
    if shell is not None:
        shell.ask_exit = leave  # what `exit` calls in a notebook; the kernel would stop
    try:
        with contextlib.redirect_stdout(printed), contextlib.redirect_stderr(printed):
            yield
    finally:
        sys.stdin = stdin
        builtins.input, getpass.getpass = asking
        if shell is not None:
            del shell.ask_exit


class _Printed(io.TextIOBase):
    """Keeps the beginning of what is printed, and counts the rest, so that printing without end fills no memory."""

    def __init__(self) -> None:
        self._kept = ""
        self._left_out = 0

    def writable(self) -> bool:
        return True

    def write(self, text: str) -> int:
        room = max(PRINTED_CHARACTERS - len(self._kept), 0)
        self._kept += _utf8(text[:room])
        self._left_out += max(len(text) - room, 0)
        return len(text)

    def text(self) -> str:
        return self._kept + (messages.MORE_PRINTED.format(count=self._left_out) if self._left_out else "")


def _copy(value: Any) -> Any:
    """A copy that a function may spoil. Functions are passed as they are: a copy of a partial equals nothing else."""
    if isinstance(value, Built):
        return value.builder()
    return value if isinstance(value, (types.FunctionType, functools.partial)) else copy.deepcopy(value)


def _differ(argument: Any, after: Any) -> bool:
    """Tell whether an argument is not any more what the function got."""
    return difference(argument.state if isinstance(argument, Built) else argument, after, exact=True) is not None


def _unread(value: Any) -> Any:
    """What stands for a value that was not kept: itself, but for a network, whose parts would raise again."""
    return StandIn("network", messages.UNREAD_NETWORK) if is_network(value) else value


def _shortened(text: str) -> str:
    """Leave out the middle of a long text: an error may quote a whole array."""
    half = ERROR_CHARACTERS // 2
    return text if len(text) <= ERROR_CHARACTERS else f"{text[:half]}\n…\n{text[-half:]}"


def _utf8(text: str) -> str:
    """The text with what no file or browser takes (half a surrogate pair) written as an escape."""
    return text.encode("utf-8", "backslashreplace").decode("utf-8")
