"""Runs a notebook headless and reads from its panels what its checks said. The notebook's file is left as it is."""

import os
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from queue import Empty
from typing import Any

import nbformat
from jupyter_client.utils import ensure_async
from nbclient import NotebookClient
from nbclient.exceptions import DeadKernelError
from nbformat import NotebookNode
from tqdm import tqdm

from labutils.checks import messages
from labutils.checks.panels import MIME_TYPE
from labutils.checks.records import PATH_VARIABLE
from labutils.checks.sheets import ExerciseSheet

KERNEL = "python3"
CELL_SECONDS = 120
SECONDS_AFTER_INTERRUPT = 10
SECONDS_BEFORE_PROGRESS = 2
CHECK_CELL = re.compile(r"^check\(\s*(\w+)", re.MULTILINE)


class NotebookError(Exception):
    """A notebook that cannot be read or run. The message names the file, the problem and the way out."""


class KernelStuck(DeadKernelError):
    """A cell could not be interrupted, so the kernel was ended."""


@dataclass(frozen=True)
class Row:
    """What a notebook shows of one exercise. `failed` when it was attempted and did not pass."""

    exercise: str
    status: str
    points: float
    max_points: float
    failed: bool


def read_notebook(path: Path) -> NotebookNode:
    """Return the notebook in a file. Raises NotebookError when it is missing, unreadable, damaged or something else."""
    try:
        notebook = nbformat.reads(path.read_text(encoding="utf-8"), as_version=4)
        nbformat.validate(notebook)
    except FileNotFoundError as error:
        raise NotebookError(messages.NO_FILE.format(path=path)) from error
    except OSError as error:
        raise NotebookError(messages.NOT_READABLE.format(path=path, reason=error.strerror)) from error
    except (nbformat.ValidationError, ValueError, LookupError, TypeError, AttributeError) as error:
        reason = (str(error).splitlines() or [type(error).__name__])[0][:120]
        raise NotebookError(messages.NO_NOTEBOOK.format(path=path, reason=reason)) from error
    return notebook


def run_notebook(path: Path, cell_seconds: float = CELL_SECONDS) -> tuple[NotebookNode, list[str]]:
    """Return an executed copy of a notebook, and what kept it from running through, a sentence each.

    It runs in its own folder. Cells that raise do not stop it, cells that only show something are left out, a cell
    that takes longer than `cell_seconds` is interrupted, and progress is not remembered. Raises NotebookError.
    """
    notebook = read_notebook(path)
    for cell in _code(notebook):
        cell.outputs = []  # what the file holds is of another run, and says nothing of a cell that is not reached
    client = _started(_Client(notebook, timeout=cell_seconds, resources={"metadata": {"path": str(path.parent)}}), path)
    troubles = []
    with tqdm(
        total=len(notebook.cells),
        desc=messages.RUNNING.format(name=path.name),
        unit="cell",
        delay=SECONDS_BEFORE_PROGRESS,
        leave=False,
    ) as bar:
        client.on_cell_start = lambda cell, cell_index: bar.update(cell_index - bar.n)
        try:
            client.execute()
        except KernelStuck:
            troubles.append(messages.KERNEL_STUCK.format(path=path, seconds=cell_seconds))
        except DeadKernelError:
            troubles.append(messages.KERNEL_DIED.format(path=path))
    return notebook, troubles


def only_shows(cell: NotebookNode) -> bool:
    """Tell whether a cell is a demonstration. A cell of nbgrader's never is, whatever tags a student gave it."""
    return "demo" in cell.metadata.get("tags", ()) and "nbgrader" not in cell.metadata


class _Client(NotebookClient):
    """Runs every cell but those that only show something, and ends the kernel where an interrupt does not help."""

    def __init__(self, notebook: NotebookNode, **settings: Any) -> None:
        super().__init__(
            notebook,
            kernel_name=KERNEL,
            interrupt_on_timeout=True,
            allow_errors=True,
            shutdown_kernel="immediate",  # one that ends by itself may complain, and has nothing left to do
            extra_arguments=["--log-level=ERROR"],
            **settings,
        )
        self.log.setLevel("CRITICAL")  # what goes wrong becomes a sentence of ours

    async def async_execute_cell(self, cell: NotebookNode, *given: Any, **named: Any) -> NotebookNode:
        return cell if only_shows(cell) else await super().async_execute_cell(cell, *given, **named)

    async def _async_handle_timeout(self, timeout: float, cell: NotebookNode | None = None) -> dict:
        """Interrupt the cell and return its reply. nbclient alone would wait for ever if none comes."""
        await super()._async_handle_timeout(timeout, cell)
        try:
            return await ensure_async(self.kc.shell_channel.get_msg(timeout=SECONDS_AFTER_INTERRUPT))
        except Empty:
            await ensure_async(self.km.shutdown_kernel(now=True))
            raise KernelStuck from None


def _started(client: _Client, path: Path) -> _Client:
    """The client with its kernel running. Raises NotebookError, whatever keeps the kernel from starting."""
    try:
        client.create_kernel_manager()
        client.start_new_kernel(env={**os.environ, PATH_VARIABLE: ""})
        client.start_new_kernel_client()
    except Exception as error:  # no such kernel, no interpreter, one that ends at once: each library has its own
        reason = (str(error).splitlines() or [type(error).__name__])[0]
        raise NotebookError(messages.NO_KERNEL.format(path=path, kernel=KERNEL, reason=reason)) from error
    return client


def rows(notebook: NotebookNode, exercises: Mapping[str, ExerciseSheet]) -> list[Row]:
    """What an executed notebook shows of each exercise of its chapters, in their order; nothing if it has no checks."""
    records = {record["exercise"]: record for cell in notebook.cells for record in _records(cell)}
    cells = {name: cell for cell in _code(notebook) for name in CHECK_CELL.findall(cell.source) if name in exercises}
    chapters = {exercises[name].chapter for name in {*records, *cells} if name in exercises}
    sheets = [sheet for sheet in exercises.values() if sheet.chapter in chapters]
    return [_row(sheet, records.get(sheet.name), cells.get(sheet.name)) for sheet in sheets]


def table(rows: list[Row]) -> str:
    """The rows as text, with a line for their sum."""
    lines = [messages.TABLE_HEADER, *((row.exercise, row.status, _points(row.points, row.max_points)) for row in rows)]
    total = _points(sum(row.points for row in rows), sum(row.max_points for row in rows))
    lines.append((messages.TABLE_TOTAL, "", total))
    widths = [max(len(line[column]) for line in lines) for column in range(2)]
    return "\n".join(f"{name:<{widths[0]}}  {status:<{widths[1]}}  {points}" for name, status, points in lines)


def _points(points: float, max_points: float) -> str:
    return messages.POINTS.format(points=round(points, 2), max_points=max_points)


def _row(sheet: ExerciseSheet, record: dict | None, cell: NotebookNode | None) -> Row:
    if record is not None:
        failed = record["status"] in ("failed", "raised")
        return Row(sheet.name, messages.STATUS[record["status"]], record["points"], record["max_points"], failed)
    if cell is None:
        return Row(sheet.name, messages.CHECK_CELL_MISSING, 0, sheet.points, failed=False)
    error = next((output for output in cell.outputs if output.output_type == "error"), None)
    if error is not None:
        first_line = f"{error.ename}: {error.evalue}".splitlines()[0]
        return Row(sheet.name, messages.CHECK_CELL_RAISED.format(error=first_line), 0, sheet.points, failed=True)
    status = messages.CHECK_CELL_TROUBLE if cell.outputs else messages.CHECK_CELL_NOT_RUN
    return Row(sheet.name, status, 0, sheet.points, failed=True)


def _records(cell: NotebookNode) -> list[dict]:
    return [output.data[MIME_TYPE] for output in cell.get("outputs", ()) if MIME_TYPE in output.get("data", {})]


def _code(notebook: NotebookNode) -> list[NotebookNode]:
    return [cell for cell in notebook.cells if cell.cell_type == "code"]
