"""Grades one submission: runs its cells in the sandbox, has its exercises examined, and writes down what came of it.

Whatever a cell does, the rest of the notebook is still tried. A cell that runs too long is interrupted; where that does
not help, or Python itself ends, a fresh child runs the earlier cells again without the one that was to blame, and goes
on behind it. What was earned before stays earned.
"""

import json
import os
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from nbformat import NotebookNode
from nbformat.v4 import new_output

from grader.exercises import all_exercises
from grader.oracle import Sitting, TooManyAttempts
from grader.reading import clean, is_valid_output
from grader.records import ExerciseRecord, Remark, listed
from grader.sandbox import wire
from grader.sandbox.launching import Child, Sandbox, SandboxLost
from grader.sandbox.limits import Limits
from grader.sandbox.outputs import OUTPUT_COSTS
from labutils.checks import TIME_LIMIT, messages
from labutils.checks.calling import Outcome
from labutils.checks.panels import MIME_TYPE, Panel, Part
from labutils.checks.signatures import Signature
from labutils.notebooks import CHECK_CELL, only_shows

GRACE = 3.0
"""Seconds beyond a limit in which a child may still answer, before it is interrupted or ended from outside."""
MOST_DEATHS = 4
"""A notebook that ends Python more often is not gone on with."""
MOST_CELLS_RUN = 10**6
OUTPUT_FIELDS = {
    "stream": ("name", "text"),
    "error": ("ename", "evalue", "traceback"),
    "display_data": ("data", "metadata"),
    "execute_result": ("data", "metadata"),
}
PIECE = 16_000_000
"""Bytes of a file that are sent to the child at once."""
ALWAYS_SHOWN = 2
"""Outputs for which there is room in any case: an error, and the words on what was left out."""
MOST_SHOWN = 3
"""Times what a notebook may show, as JSON, is taken from a child: an honest one keeps within it by itself."""

# What a student and an instructor read of a cell that could not be finished.
TROUBLE = {
    "time": "This cell was still running after {limits.cell_seconds:g} s and was ended.",
    "check time": "A function was still running after the time limit of its check and could not be interrupted, so "
    "Python was ended.",
    "memory": "Python was ended here because it used more than {limits.memory:,} bytes of memory.",
    "cpu": "Python was ended here because the notebook had used {limits.cpu_seconds:g} s of processor time.",
    "ended": "Python itself ended while this cell ran (os._exit, a crash in C, or a signal).",
    "nonsense": "Python was ended here because it sent the grader something else than an answer.",
    "attempts": "Python was ended here because the notebook asked to have one exercise checked too often.",
}
GONE_ON = " The cells before it were run again without it, and the rest of the notebook was tried."
INTERRUPTED = (
    "This cell was interrupted because it ran too long. A cell may take {limits.cell_seconds:g} s, and a notebook "
    "{limits.notebook_seconds:g} s in all."
)
TIMED_OUT = "CellTimeoutError"  # nbgrader's name for it
NOT_RUN = "This cell was not run: {reason}"
NOTEBOOK_TIME = "the notebook had used up its {limits.notebook_seconds:g} s."
TOO_MANY_DEATHS = "Python had ended {count} times before."
NO_FUNCTION = (
    "There was no function named {exercise} when this cell ran. Does its cell stop with an error, or is it missing?"
)
NOT_EXAMINED = (
    "{exercise} was not examined. Either the notebook was ended before, or something in it kept the grader from "
    "calling the function."
)
NOT_BESIDE = (
    "There was no place beside the notebook, when it ran, for {names}. Files there may have {limits.file:,} bytes "
    "each, and {limits.folder:,} in all."
)
TOO_MUCH_SHOWN = (
    "What this cell showed is left out: the notebook had shown more than {limits.notebook_output_characters:,} "
    "characters in all."
)
PASSED_LATER = "{exercise} could be used only after the last cell had run: something that it needs stands below it."


@dataclass(frozen=True)
class Graded:
    """What came of a notebook. `notebook` holds its outputs; `exercises` are those that its check cells name."""

    notebook: NotebookNode
    exercises: dict[str, ExerciseRecord]
    remarks: tuple[Remark, ...]
    seconds: float
    cpu_seconds: float
    megabytes: float


class Ended(Exception):
    """The child has ended, or was ended. `cause` is a key of TROUBLE."""

    def __init__(self, cause: str) -> None:
        super().__init__(cause)
        self.cause = cause


@dataclass
class _Usage:
    """What all children of a notebook used together."""

    cpu_seconds: float = 0.0
    megabytes: float = 0.0


def exercise_of(cell: NotebookNode) -> str | None:
    """The exercise that a locked check cell of nbgrader's checks; None for any other cell."""
    if cell.cell_type != "code" or not cell.metadata.get("nbgrader", {}).get("grade"):
        return None
    (name, *others) = CHECK_CELL.findall(cell.source) or [None]
    return name if name in all_exercises() and not others else None


def grade(
    notebook: NotebookNode,
    seed: str,
    sandbox: Sandbox,
    limits: Limits,
    *,
    files: Mapping[str, bytes] | None = None,
    demonstrations: bool = False,
    only: str | None = None,
) -> Graded:
    """Run `notebook`, a repaired one, and return what came of it; its outputs are written into it.

    `files` lie beside it when it runs, by their relative names. Cells that only show something are left as they are
    unless `demonstrations` are asked for. With `only`, no exercise but this one is examined. Raises SandboxLost, after
    which it can be done again.
    """
    return _Grading(notebook, seed, sandbox, limits, files or {}, demonstrations, only).graded()


@dataclass
class _Step:
    """A cell that is to be run or, where it checks an exercise, to be answered by examining it."""

    cell: NotebookNode
    exercise: str | None
    deadly: bool = False


@dataclass
class _Grading:
    notebook: NotebookNode
    seed: str
    sandbox: Sandbox
    limits: Limits
    files: Mapping[str, bytes]
    demonstrations: bool
    only: str | None
    usage: _Usage = field(default_factory=_Usage)
    deaths: int = 0
    conversation: "_Conversation | None" = None

    def __post_init__(self) -> None:
        self.sitting = Sitting(self.seed)
        self.room = MOST_SHOWN * self.limits.notebook_output_characters
        self.remarks: list[Remark] = []
        self.missing: dict[str, bool] = {}
        code = [cell for cell in self.notebook.cells if cell.cell_type == "code"]
        shown = [cell for cell in code if self.demonstrations or not only_shows(cell)]
        steps = [_Step(cell, exercise_of(cell)) for cell in shown]
        self.steps = [step for step in steps if self.only is None or step.exercise in (None, self.only)]
        for step in self.steps:
            step.cell.outputs, step.cell.execution_count = [], None

    def graded(self) -> Graded:
        began = time.perf_counter()
        self.deadline = time.monotonic() + self.limits.notebook_seconds
        try:
            for position, step in enumerate(self.steps):
                self._take(position, step)
            self._check_again()
        finally:
            self._hang_up()
        for step in self.steps:
            if step.exercise is not None:
                self._show(step)
        return Graded(
            notebook=self.notebook,
            exercises=self._records(),
            remarks=tuple(self.remarks),
            seconds=round(time.perf_counter() - began, 3),
            cpu_seconds=round(self.usage.cpu_seconds, 3),
            megabytes=round(self.usage.megabytes, 1),
        )

    def _take(self, position: int, step: _Step) -> None:
        """Run a step, whatever comes of it."""
        reason = self._reason_to_stop()
        while reason is None:
            try:
                conversation = self._conversation_behind(position)
            except _EndedAt as end:  # an earlier cell that had gone well brought it down this time
                self._bury(end.step, end.cause)
                reason = self._reason_to_stop()
                continue
            try:
                self._talk(conversation, step)
            except Ended as end:
                self._bury(step, end.cause)
            return
        step.cell.outputs = [_error("NotRun", NOT_RUN.format(reason=reason))]
        step.cell.execution_count = None

    def _talk(self, conversation: "_Conversation", step: _Step) -> None:
        if step.exercise is None:
            outputs, step.cell.execution_count = conversation.run(step.cell.source)
            step.cell.outputs = self._within_room(outputs)
            if conversation.interrupted:
                self.remarks.append(Remark(None, INTERRUPTED.format(limits=self.limits)))
        else:
            self.missing[step.exercise] = not conversation.check(step.exercise)

    def _within_room(self, outputs: list[NotebookNode]) -> list[NotebookNode]:
        self.room -= len(json.dumps(outputs))
        return outputs if self.room >= 0 else [_error("TooMuchShown", TOO_MUCH_SHOWN.format(limits=self.limits))]

    def _reason_to_stop(self) -> str | None:
        if time.monotonic() > self.deadline:
            return NOTEBOOK_TIME.format(limits=self.limits)
        return TOO_MANY_DEATHS.format(count=self.deaths) if self.deaths > MOST_DEATHS else None

    def _bury(self, step: _Step, cause: str) -> None:
        """Note at its cell what ended the child, and leave the cell out from now on."""
        self._hang_up()
        self.deaths += 1
        step.deadly = True
        words = TROUBLE[cause].format(limits=self.limits) + GONE_ON
        step.cell.outputs = [_error("Ended", words)]
        step.cell.execution_count = None
        self.remarks.append(Remark(step.exercise, words))

    def _conversation_behind(self, position: int) -> "_Conversation":
        """The child that has run all cells before `position`, a fresh one where the last has ended."""
        if self.conversation is None:
            self.conversation = _Conversation(self.sandbox.start(), self.sitting, self.limits, self.deadline)
            self._ending_as(None, self._put_files_beside)
            for step in self.steps[:position]:
                if step.exercise is None and not step.deadly:
                    self._ending_as(step, lambda source=step.cell.source: self.conversation.run(source))
        return self.conversation

    def _put_files_beside(self) -> None:
        missing = self.conversation.write(self.files)
        remark = Remark(None, NOT_BESIDE.format(names=listed(missing), limits=self.limits))
        if missing and remark not in self.remarks:
            self.remarks.append(remark)

    def _ending_as(self, step: _Step | None, action: Any) -> None:
        try:
            action()
        except Ended as end:
            raise _EndedAt(step or self.steps[0], end.cause) from end

    def _check_again(self) -> None:
        """Examine once more, after the last cell, what could not be called in its place.

        Students run cells in any order; what a function needs may stand below it.
        """
        if self.conversation is None:
            return
        for step in self.steps:
            finding = self.sitting.findings.get(step.exercise)
            if step.exercise is None or step.deadly or not (self.missing.get(step.exercise) or _raised(finding)):
                continue
            try:
                self.missing[step.exercise] = not self.conversation.check(step.exercise)
            except Ended as end:
                self._bury(step, end.cause)
                return
            better = self.sitting.findings.get(step.exercise)
            if better is not None and better.record.points > (finding.record.points if finding else 0):
                self.remarks.append(Remark(step.exercise, PASSED_LATER.format(exercise=step.exercise)))

    def _hang_up(self) -> None:
        if self.conversation is not None:
            ending = self.conversation.close()
            self.usage.cpu_seconds += ending.cpu_seconds
            self.usage.megabytes = max(self.usage.megabytes, ending.megabytes)
            self.conversation = None

    def _records(self) -> dict[str, ExerciseRecord]:
        return {step.exercise: self._record(step) for step in self.steps if step.exercise is not None}

    def _record(self, step: _Step) -> ExerciseRecord:
        finding = self.sitting.findings.get(step.exercise)
        if finding is not None:
            return finding.record
        exercise = all_exercises()[step.exercise]
        status = "raised" if step.deadly or self._failed_to_define(step.exercise) else "not attempted"
        title = messages.TITLE.format(exercise=step.exercise, status=messages.STATUS[status])
        aspects = dict.fromkeys(exercise.aspects, False)
        return ExerciseRecord(step.exercise, status, 0.0, exercise.points, aspects, None, None, 0.0, title)

    def _failed_to_define(self, exercise: str) -> bool:
        """Tell whether the solution cell of an exercise stopped with an error."""
        solutions = [
            cell for cell in self.notebook.cells if cell.metadata.get("nbgrader", {}).get("grade_id") == exercise
        ]
        return any(output.output_type == "error" for cell in solutions for output in cell.get("outputs", ()))

    def _show(self, step: _Step) -> None:
        """Write the official panel into a check cell, above what stands there of an end of Python."""
        finding = self.sitting.findings.get(step.exercise)
        record = self._record(step)
        if finding is not None:
            panel = finding.panel
        else:
            sentence = NO_FUNCTION if self.missing.get(step.exercise) else NOT_EXAMINED
            sentence = sentence.format(exercise=step.exercise)
            panel = Panel(record.title, (Part("text", sentence),), status=record.status)
        step.cell.outputs = [_official(panel, record.points), *step.cell.outputs]


class _EndedAt(Exception):
    """A child ended while earlier cells were run again, at this step."""

    def __init__(self, step: _Step, cause: str) -> None:
        super().__init__(cause)
        self.step, self.cause = step, cause


class _Conversation:
    """Talks to one child, and believes nothing that it says. Its methods raise Ended where the child has ended.

    `interrupted` tells whether the child had to be interrupted before it answered the last request.
    """

    def __init__(self, child: Child, sitting: Sitting, limits: Limits, deadline: float) -> None:
        self._child = child
        self._channel = wire.Channel(child.socket)
        self._sitting = sitting
        self._limits = limits
        self._deadline = deadline
        self.interrupted = False
        self._interruptions = 0

    def write(self, files: Mapping[str, bytes]) -> list[str]:
        """Put files beside the notebook; return the names of those for which there is no place."""
        return [name for name, content in files.items() if not self._write(name, content)]

    def _write(self, name: str, content: bytes) -> bool:
        pieces = np.array_split(np.frombuffer(content, np.uint8), len(content) // PIECE + 1)
        request = {"is": "write", "path": os.fsencode(name).decode("latin-1")}
        return all(self._ask(request, [piece]).get("written") is True for piece in pieces)

    def run(self, source: str) -> tuple[list[NotebookNode], int | None]:
        """Run a cell; return its outputs and its number. One that was interrupted has an error, whatever it caught."""
        answer = self._ask({"is": "run", "source": source})
        most = self._limits.output_characters // OUTPUT_COSTS + ALWAYS_SHOWN
        outputs = [output for found in _listed(answer.get("outputs"))[:most] for output in _believable(found)]
        if self.interrupted:
            outputs.append(_error(TIMED_OUT, INTERRUPTED.format(limits=self._limits)))
        return outputs, _count(answer.get("execution_count"))

    def check(self, exercise: str) -> bool:
        """Have a function examined; tell whether there is one."""
        seconds = min(TIME_LIMIT, self._limits.cell_seconds)
        return not self._ask({"is": "check", "exercise": exercise, "seconds": seconds}).get("missing")

    def close(self) -> Any:
        """End the child and return what it used."""
        return self._child.kill()

    def _ask(self, request: dict[str, Any], arrays: list[np.ndarray] | None = None) -> dict[str, Any]:
        """Send a request and return the answer, examining on the way what the child asks to have examined."""
        try:
            self._channel.send({**request, "interruptions": self._interruptions}, arrays)
            deadline = min(time.monotonic() + self._limits.cell_seconds, self._deadline)
            self.interrupted = False
            while True:
                try:
                    message, _ = self._channel.receive(max(deadline - time.monotonic(), 0))
                except wire.WireTimeout:
                    if self.interrupted:
                        raise Ended("time") from None
                    self._child.interrupt()
                    self._interruptions += 1
                    self.interrupted, deadline = True, time.monotonic() + GRACE
                    continue
                if message.get("is") == "done":
                    return message
                self._examine(message)
                deadline = max(deadline, time.monotonic() + GRACE)  # an examination has a clock of its own
        except wire.WireTimeout as error:
            raise Ended("time") from error
        except wire.WireClosed as error:
            raise Ended(self._cause_of_death()) from error
        except wire.WireError as error:
            raise Ended("nonsense") from error
        except TooManyAttempts as error:
            raise Ended("attempts") from error

    def _examine(self, message: dict[str, Any]) -> None:
        exercise, seconds = message.get("exercise"), message.get("seconds")
        if message.get("is") != "examine" or exercise not in list(all_exercises()) or not isinstance(seconds, float):
            raise wire.WireError("no request")
        seconds = min(max(seconds, 0.0), TIME_LIMIT, self._limits.cell_seconds)
        trial = _PipeTrial(
            self._channel, wire.unpack_signature(message.get("signature")), seconds, self._cause_of_death
        )
        panel = self._sitting.examine(exercise, trial)
        if trial.ended is not None:
            raise Ended(trial.ended)
        self._channel.send({"is": "panel", "panel": wire.pack_panel(panel)})

    def _cause_of_death(self) -> str:
        ending = self._child.wait(GRACE)
        if ending is not None and ending.reason == "lost":
            raise SandboxLost("The sandbox was ended from outside while a notebook ran in it.")
        return ending.reason if ending is not None and ending.reason in TROUBLE else "ended"


class _PipeTrial:
    """A function in a child, called over the channel. `ended` tells, as a key of TROUBLE, why it can be called no more.

    The time limit is kept by the child's own clock and, with some grace, by this one.
    """

    def __init__(self, channel: wire.Channel, signature: Signature | None, seconds: float, cause_of_death: Any) -> None:
        self.seconds = seconds
        self.signature = signature
        self.ended: str | None = None
        self._channel = channel
        self._cause_of_death = cause_of_death
        self._deadline = time.monotonic() + seconds + GRACE

    def __call__(self, arguments: dict[str, Any]) -> Outcome:
        try:
            data, arrays = wire.pack_arguments(arguments)
            self._channel.send({"is": "call", "arguments": data}, arrays)
            message, arrays = self._channel.receive(max(self._deadline - time.monotonic(), 0))
            if message.get("is") != "outcome":
                raise wire.WireError("no outcome")
            return wire.unpack_outcome(message.get("outcome"), arrays)
        except wire.WireTimeout:
            self.ended = "check time"
            return Outcome("timed out", seconds=self.seconds)
        except wire.WireClosed:
            self.ended = self._cause_of_death()
        except wire.WireError:
            self.ended = "nonsense"
        return Outcome("died", error="memory" if self.ended == "memory" else "ended")


def _raised(finding: Any) -> bool:
    return finding is not None and finding.panel.verdict.status == "raised"


def _listed(value: Any) -> Sequence[Any]:
    return value if isinstance(value, list) else []


def _count(value: Any) -> int | None:
    """The number beside a cell, if it can be one."""
    return value if type(value) is int and 0 <= value <= MOST_CELLS_RUN else None


def _believable(output: Any) -> Iterator[NotebookNode]:
    """An output as nbformat has it, made anew from what a child sent; nothing where it cannot be one.

    A verdict's record is taken out: only the grader writes verdicts.
    """
    if not isinstance(output, dict):
        return
    kind = output.get("output_type")
    names = OUTPUT_FIELDS.get(kind, ()) if isinstance(kind, str) else ()
    found = clean({name: output[name] for name in names if name in output})
    if isinstance(found.get("data"), dict):
        found.data.pop(MIME_TYPE, None)
    if kind == "execute_result":
        found.execution_count = _count(output.get("execution_count"))
    made = NotebookNode(output_type=kind, **found)
    if names and is_valid_output(made):
        yield made


def _official(panel: Panel, points: float) -> NotebookNode:
    """A panel as the output of its check cell. Its plain text is the number of points, as nbgrader reads it."""
    data = {"text/html": panel.to_html(), "text/plain": repr(points)}
    if panel.record:
        data[MIME_TYPE] = panel.record
    return new_output("execute_result", data=data, execution_count=None)


def _error(name: str, words: str) -> NotebookNode:
    return new_output("error", ename=name, evalue=words, traceback=[f"{name}: {words}"])
