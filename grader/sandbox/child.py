"""The child's side of the conversation with the grader, in the sandbox.

The grader says `write` with a piece of a file, `run` with a cell's source, or `check` with the name of an exercise, and
with each how often it has interrupted the child until then; the answer is `done`, with the cell's outputs if there are
any. In between, whenever `check(f)` is called, the child asks to be examined: it gets the arguments of one call after
another, sends each outcome, and at last gets the panel that it is to show. It holds no expected value.
"""

import contextlib
import importlib
import os
import socket
import threading
from collections.abc import Mapping
from typing import Any

import numpy as np

from grader.sandbox import wire
from grader.sandbox.limits import Limits
from grader.sandbox.shell import Shell, warm_up  # noqa: F401, the zygote looks for `warm_up` here
from labutils.checks.judging import Trial, appoint
from labutils.checks.panels import Panel
from labutils.checks.sheets import ExerciseSheet, read_sheets
from labutils.checks.trials import LocalTrial


class PipeJudge:
    """Lets the grader judge: makes the calls that it asks for, and shows the panel that it sends."""

    def __init__(self, channel: wire.Channel) -> None:
        self._channel = channel
        self._process = os.getpid()

    def exercises(self) -> Mapping[str, ExerciseSheet]:
        return read_sheets()

    def examine(self, exercise: str, trial: Trial) -> Panel:
        """Raises RuntimeError outside the main thread: two conversations at once would mix."""
        if threading.current_thread() is not threading.main_thread():
            raise RuntimeError("call check in a cell of the notebook, not in a thread")
        signature = wire.pack_signature(trial.signature)
        self._channel.send(
            {"is": "examine", "exercise": exercise, "seconds": float(trial.seconds), "signature": signature}
        )
        while True:
            message, arrays = self._channel.receive()
            if message["is"] == "panel":
                return wire.unpack_panel(message["panel"])
            outcome, found = wire.pack_outcome(trial(wire.unpack_arguments(message["arguments"], arrays)))
            if os.getpid() != self._process:  # a fork that the function made and let run on
                os._exit(0)
            self._channel.send({"is": "outcome", "outcome": outcome}, found)


def main(connection: socket.socket, limits: Limits) -> None:
    """Do what the grader says until it hangs up."""
    channel = wire.Channel(connection)
    judge = PipeJudge(channel)
    appoint(judge)
    shell = Shell(limits.output_characters, limits.notebook_output_characters)
    while True:
        try:
            message, arrays = channel.receive()
        except wire.WireClosed:
            return
        shell.settle(message["interruptions"])
        if message["is"] == "write":
            answer = _write(message["path"], *arrays)
        else:
            answer = _ACTIONS[message["is"]](message, shell, judge)
        channel.send({"is": "done", **answer})


def _write(path: str, content: np.ndarray) -> dict[str, Any]:
    """Put a piece of a file that was handed in beside the notebook; its name need not be UTF-8.

    Of a file for which there is no room nothing is left: it would take the room of what the notebook writes.
    """
    path = os.fsdecode(path.encode("latin-1"))
    try:
        os.makedirs(os.path.dirname(path) or ".", exist_ok=True)
        with open(path, "ab") as file:
            file.write(content.data)
        importlib.invalidate_caches()  # a folder that was looked into in the same tick of the clock seems unchanged
    except (OSError, RecursionError):  # the latter where folders lie in one another by the thousand
        with contextlib.suppress(OSError):
            os.remove(path)
        return {"written": False}
    return {"written": True}


def _run(message: dict[str, Any], shell: Shell, judge: PipeJudge) -> dict[str, Any]:
    return {"outputs": shell.run(message["source"]), "execution_count": shell.execution_count}


def _check(message: dict[str, Any], shell: Shell, judge: PipeJudge) -> dict[str, Any]:
    """Have an exercise's function examined, whatever the notebook has made of the name `check`."""
    try:
        function = shell.get(message["exercise"])
    except NameError:
        return {"missing": True}
    judge.examine(message["exercise"], LocalTrial(function, message["seconds"]))
    return {}


_ACTIONS = {"run": _run, "check": _check}
