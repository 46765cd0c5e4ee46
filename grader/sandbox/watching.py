"""Watches a running child from the zygote: what its processes use together, which no limit of the kernel's bounds."""

import json
import os
import shutil
import signal
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO

from grader.sandbox import confine
from grader.sandbox.settings import Settings

FIRST_PAUSE, LONGEST_PAUSE = 0.005, 0.05
MEGABYTE = 1_000_000
_TICKS = os.sysconf("SC_CLK_TCK")
_KIBIBYTE = 1024
# A closer look costs some milliseconds. Without need it is taken only when this much more is in use.
_GROWTH = 25 * MEGABYTE


class Watched:
    """A child that runs. `first` is the process that ends all of it, `report` tells its exit status at the end."""

    def __init__(self, settings: Settings, first: int, report: BinaryIO, folder: str) -> None:
        self._settings = settings
        self._first = first
        self._report = report
        self._folder = folder
        self._reason: str | None = None
        self._cpu_seconds = 0.0
        self._peak = 0
        self._seen = 0
        self.pause = FIRST_PAUSE

    def fileno(self) -> int:
        return self._report.fileno()

    def interrupt(self) -> None:
        os.kill(self._first, signal.SIGINT)

    def kill(self, reason: str) -> None:
        self._reason = self._reason or reason
        if self._settings.confined:
            os.kill(self._first, signal.SIGKILL)
        else:
            os.killpg(self._first, signal.SIGKILL)

    def look(self) -> None:
        """Kill the child if it uses too much."""
        self.pause = min(2 * self.pause, LONGEST_PAUSE)
        if not self._settings.confined:
            return
        limits = self._settings.limits
        processes = list(_processes())
        self._cpu_seconds = max(self._cpu_seconds, sum(map(_cpu_seconds, processes)))
        if self._cpu_seconds > limits.cpu_seconds:
            self.kill("cpu")
        at_most = sum(map(_resident, processes)) + limits.folder
        if at_most > min(limits.memory, self._seen + _GROWTH):
            self._seen = at_most
            self._peak = max(self._peak, self._in_use(processes))
        if self._peak > limits.memory:
            self.kill("memory")

    def end(self) -> dict[str, object]:
        """Wait until all of it is gone. Its report has closed, or it was killed."""
        with self._report:
            said = self._report.readline()
        _, first_status, used = os.wait4(self._first, 0)
        if not self._settings.confined:
            shutil.rmtree(self._folder, ignore_errors=True)
        status = json.loads(said)["status"] if said else first_status
        cpu_seconds = max(self._cpu_seconds, used.ru_utime + used.ru_stime)
        by_signal = os.WTERMSIG(status) if os.WIFSIGNALED(status) else None
        too_long = by_signal is not None and cpu_seconds > self._settings.limits.cpu_seconds
        return {
            "reason": self._reason or ("cpu" if too_long else "signal" if by_signal else "exited"),
            "status": os.WEXITSTATUS(status) if by_signal is None else None,
            "signal": by_signal,
            "cpu_seconds": round(cpu_seconds, 3),
            "megabytes": round(self._peak / MEGABYTE, 1),
        }

    def _in_use(self, processes: list[str]) -> int:
        """The bytes that are in use because this child runs, in memory and in its private folder.

        Shared pages count once: pss is the share of each process in them. The first process has as large a share in the
        zygote's pages as the zygote, and may not be looked into.
        """
        zygote = _sizes("/proc/self/smaps_rollup")
        shares, folder = 0, 0
        for process in processes:
            if process == str(self._first):
                shares += zygote["Pss_Anon"]
                continue
            try:
                sizes = _sizes(f"/proc/{process}/smaps_rollup")
                folder = folder or _used(f"/proc/{process}/root{confine.PRIVATE}")
            except PermissionError:  # it runs a program that it may not read; then it shares nothing with the zygote
                shares += _resident(process)
            else:
                shares += sum(sizes.get(name, 0) for name in ("Pss_Anon", "Pss_Shmem", "SwapPss"))
        return max(0, shares + zygote["Pss_Anon"] - zygote["Anonymous"]) + folder


def _processes() -> Iterator[str]:
    """All but the first process in bubblewrap, its parent's, and the zygote itself are the child's."""
    zygotes = {str(os.getpid()), str(os.getppid())}
    return (name for name in os.listdir("/proc") if name.isdigit() and name not in zygotes)


def _cpu_seconds(process: str) -> float:
    """Its own, and that of those of its children that have ended and were waited for."""
    # The name in parentheses may hold blanks and parentheses of its own.
    fields = _text(f"/proc/{process}/stat").rpartition(")")[2].split()
    return sum(map(int, fields[11:15])) / _TICKS


def _resident(process: str) -> int:
    """No less than what it has in use of its own: what it shares with the zygote is in it."""
    sizes = _sizes(f"/proc/{process}/status")
    return sum(sizes.get(name, 0) for name in ("RssAnon", "RssShmem", "VmSwap"))


def _sizes(path: str) -> dict[str, int]:
    """The bytes in the lines of a file of /proc that end in kB. None for a process that has ended."""
    lines = (line.split() for line in _text(path).splitlines())
    return {words[0].rstrip(":"): int(words[1]) * _KIBIBYTE for words in lines if words[-1:] == ["kB"]}


def _text(path: str) -> str:
    try:
        return Path(path).read_text(errors="replace")  # a process may call itself anything
    except (FileNotFoundError, ProcessLookupError):
        return ""


def _used(folder: str) -> int:
    try:
        found = os.statvfs(folder)
    except (FileNotFoundError, ProcessLookupError):
        return 0
    return (found.f_blocks - found.f_bfree) * found.f_frsize
