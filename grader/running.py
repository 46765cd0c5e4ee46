"""Runs a notebook as a reader would, measures it, and leaves nothing in it that changes from one run to the next."""

import hashlib
import json
import os
import re
import threading
import time
from dataclasses import dataclass
from pathlib import Path

import nbformat
import psutil
from nbclient import NotebookClient
from nbclient.exceptions import CellExecutionError, CellTimeoutError, DeadKernelError
from nbformat import NotebookNode

from labutils.checks.judging import JUDGE_VARIABLE
from labutils.checks.panels import GRADING_VARIABLE
from labutils.checks.records import PATH_VARIABLE
from labutils.notebooks import KERNEL

CELL_TIMEOUT = 300
SECONDS_BETWEEN_LOOKS = 0.05
MEGABYTE = 1e6
WIDGET_STATE = "application/vnd.jupyter.widget-state+json"
WIDGET_VIEW = "application/vnd.jupyter.widget-view+json"
# Networks this small gain nothing from a second thread, and beside other work they lose much: threads wait busily.
ONE_THREAD = {"OMP_NUM_THREADS": "1"}


class CellFailed(Exception):
    """A cell raised, or ran too long. `index` is its place in the notebook."""

    def __init__(self, index: int, reason: str) -> None:
        super().__init__(reason)
        self.index = index


@dataclass(frozen=True)
class Measured:
    """Wall-clock seconds from the start of the kernel to the end of the last cell, and of each cell; peak memory of the
    kernel and its children.
    """

    seconds: float
    megabytes: float
    cells: tuple[float, ...]

    def slowest(self, count: int = 3) -> list[int]:
        """The places of the cells that took longest, the longest first."""
        return sorted(range(len(self.cells)), key=lambda index: -self.cells[index])[:count]


def run(notebook: NotebookNode, folder: Path, import_from: Path) -> tuple[NotebookNode, Measured]:
    """Return an executed copy of `notebook`, and what it took. Raises CellFailed.

    It runs in `folder`, and `import_from` is the first place in which its imports are looked for.
    """
    client = NotebookClient(
        nbformat.from_dict(notebook),
        kernel_name=KERNEL,
        timeout=CELL_TIMEOUT,
        record_timing=False,
        coalesce_streams=True,
        extra_arguments=["--log-level=ERROR"],
        resources={"metadata": {"path": str(folder)}},
    )
    starts: list[float] = []
    ends: list[float] = []  # of the last cell: nobody waits for the kernel to shut down
    memory = _PeakMemory()
    client.on_notebook_start = lambda notebook: memory.watch(client.km.provisioner.pid)
    client.on_cell_start = lambda **_: starts.append(time.perf_counter())
    client.on_notebook_complete = lambda **_: ends.append(time.perf_counter())
    start = time.perf_counter()
    try:
        executed = client.execute(env=_environment(import_from))
    except CellExecutionError as error:
        raise CellFailed(len(starts) - 1, f"{error.ename}: {error.evalue}") from error
    except (CellTimeoutError, DeadKernelError) as error:
        raise CellFailed(len(starts) - 1, str(error)) from error
    finally:
        peak = memory.stop()
    cells = tuple(after - before for before, after in zip(starts, [*starts[1:], *ends]))
    return _settled(executed), Measured(ends[0] - start, peak / MEGABYTE, cells)


class _PeakMemory:
    """Watches the resident memory of a process and its children from a thread; `stop` returns the peak in bytes."""

    def __init__(self) -> None:
        self._stopped = threading.Event()
        self._thread: threading.Thread | None = None
        self._peak = 0

    def watch(self, pid: int) -> None:
        self._thread = threading.Thread(target=self._look, args=(psutil.Process(pid),), daemon=True)
        self._thread.start()

    def stop(self) -> int:
        self._stopped.set()
        if self._thread:
            self._thread.join()
        return self._peak

    def _look(self, kernel: psutil.Process) -> None:
        while not self._stopped.wait(SECONDS_BETWEEN_LOOKS):
            try:
                tree = [kernel, *kernel.children(recursive=True)]
                self._peak = max(self._peak, sum(process.memory_info().rss for process in tree))
            except psutil.NoSuchProcess:  # a child has ended between the two lines, or the kernel has
                continue


def _environment(import_from: Path) -> dict[str, str]:
    """The variables of the kernel: no GPU, no kept progress, no bars on stderr, nothing of a grader's settings."""
    ours = {name: value for name, value in os.environ.items() if name not in (JUDGE_VARIABLE, GRADING_VARIABLE)}
    settings = {"CUDA_VISIBLE_DEVICES": "", "TQDM_DISABLE": "1", PATH_VARIABLE: ""}
    paths = [str(import_from), *filter(None, [os.environ.get("PYTHONPATH")])]
    return {**ours, **settings, **ONE_THREAD, "PYTHONPATH": os.pathsep.join(paths)}


def _settled(notebook: NotebookNode) -> NotebookNode:
    """The notebook without the marks of this one run: Python's patch version, progress bars, random widget ids.

    What a widget has not set is left out as well, as JupyterLab leaves it out when it saves: a layout is 40 nulls.
    """
    notebook.metadata["language_info"] = {"name": "python"}
    widgets = notebook.metadata.get("widgets", {}).get(WIDGET_STATE, {"state": {}})
    shown: list[str] = []
    for cell in notebook.cells:
        if cell.cell_type == "code":
            parts = [_widgets_in(output, widgets["state"]) for output in cell.outputs]
            bars = [_is_progress_bar(model_ids, widgets["state"]) for model_ids in parts]
            cell.outputs = [output for output, is_bar in zip(cell.outputs, bars) if not is_bar]
            shown += [model_id for model_ids, is_bar in zip(parts, bars) if not is_bar for model_id in model_ids]
    widgets["state"] = {model_id: model for model_id, model in widgets["state"].items() if model_id in shown}
    for model in widgets["state"].values():
        model["state"] = {name: value for name, value in model["state"].items() if value is not None}
    text = json.dumps(notebook)
    for number, model_id in enumerate(widgets["state"]):
        text = text.replace(model_id, hashlib.sha256(f"widget {number}".encode()).hexdigest()[: len(model_id)])
    return nbformat.reads(text, as_version=4)


def _widgets_in(output: NotebookNode, state: dict) -> list[str]:
    """The widget that an output shows, if any, and those that it is made of."""
    view = output.get("data", {}).get(WIDGET_VIEW)
    waiting = [view["model_id"]] if view else []
    found: list[str] = []
    while waiting:
        found.append(waiting.pop())
        parts = re.findall(r"IPY_MODEL_(\w+)", json.dumps(state.get(found[-1])))
        waiting += [part for part in parts if part not in found]
    return found


def _is_progress_bar(parts: list[str], state: dict) -> bool:
    """Tell whether a widget is a bar of tqdm's, which says nothing any more when its cell is done."""
    return any(state.get(model_id, {}).get("model_name") == "FloatProgressModel" for model_id in parts)
