"""A run that is killed at any moment goes on where it was: the same gradebook, and nobody graded twice."""

import contextlib
import os
import random
import signal
import subprocess
import time
from pathlib import Path

import pytest

from tests.flows.classroom import Classroom, copy_of, nothing_left, the_small_class, wait_until

SEED = 20261121
KILLS = 10


@pytest.fixture(scope="module")
def handed_in(classroom_of) -> Classroom:
    return classroom_of(the_small_class())


@pytest.fixture(scope="module")
def undisturbed(handed_in, tmp_path_factory) -> Classroom:
    """The class graded in one go, with the seconds until its first record, and from each to the next."""
    classroom = copy_of(handed_in, tmp_path_factory.mktemp("undisturbed"))
    with nothing_left(classroom), classroom.started() as process:
        began, first, last = [_moment(classroom, process, count) for count in (0, 1, len(the_small_class()))]
        process.communicate()
    assert process.returncode == 0
    classroom.seconds = first - began, (last - first) / (len(classroom.records) - 1)
    return classroom


def test_ten_times_killed_is_as_if_undisturbed(undisturbed, handed_in, tmp_path):
    """Where a class is done before the last of the ten, the next begins anew with the same one."""
    print(f"seed {SEED}")
    draw = random.Random(SEED)
    classroom, classes = copy_of(handed_in, tmp_path / "0"), 1
    for _ in range(KILLS):
        if len(classroom.records) == len(undisturbed.records):
            _demand_same(classroom, undisturbed)
            classroom, classes = copy_of(handed_in, tmp_path / str(classes)), classes + 1
        done = _records_written(classroom)
        with nothing_left(classroom, files=False):
            _kill_at_some_moment(classroom, undisturbed, draw)
        print(f"{len(done)} were graded, then {len(_records_written(classroom))}")
        assert done.items() <= _records_written(classroom).items()
    done = _records_written(classroom)
    with nothing_left(classroom):
        last = classroom.autograde().stdout.splitlines()[-1]
    assert last.startswith(f"{len(undisturbed.records) - len(done)} graded: ")
    assert done.items() <= _records_written(classroom).items()
    _demand_same(classroom, undisturbed)


def _kill_at_some_moment(classroom: Classroom, undisturbed: Classroom, draw: random.Random) -> None:
    """Kill a run, all its processes or only the one that was called, some time after some record."""
    done = len(classroom.records)
    count = draw.randint(done, len(undisturbed.records))
    kill, share, workers = draw.choice([os.kill, os.killpg]), draw.random(), draw.choice([1, 1, 2])
    with classroom.started(workers=workers) as process:
        _moment(classroom, process, count)
        time.sleep(share * undisturbed.seconds[count > done])
        semaphores = _semaphores(process)
        with contextlib.suppress(ProcessLookupError):  # it is done
            kill(process.pid, signal.SIGKILL)
        process.communicate()
    if kill is os.killpg:  # the process that Python has for removing them was killed as well
        for path in semaphores:
            path.unlink(missing_ok=True)
    wait_until(lambda: not any(path.exists() for path in semaphores))


def _moment(classroom: Classroom, process: subprocess.Popen, count: int) -> float:
    """Wait until a run has the lock and there are so many records, or it has already ended."""
    wait_until(lambda: process.poll() is not None or f'"pid": {process.pid},' in classroom.lock_text)
    wait_until(lambda: process.poll() is not None or len(classroom.record_files()) >= count)
    return time.monotonic()


def _semaphores(process: subprocess.Popen) -> list[Path]:
    """The files of those that a run shares with its workers."""
    with contextlib.suppress(OSError):  # it is done
        mapped = [line.split() for line in Path(f"/proc/{process.pid}/maps").read_text().splitlines()]
        return [Path(words[-1]) for words in mapped if words[-1].startswith("/dev/shm/")]
    return []


def _records_written(classroom: Classroom) -> dict[str, tuple]:
    """Each record with the moment at which it was written: who is graded twice has another one."""
    return {path.name: (path.stat().st_mtime_ns, path.read_bytes()) for path in classroom.record_files()}


def _demand_same(classroom: Classroom, undisturbed: Classroom) -> None:
    assert classroom.gradebook() == undisturbed.gradebook()
    assert classroom.earned() == undisturbed.earned()
    for student in undisturbed.records:
        assert classroom.shown(student) == undisturbed.shown(student)
