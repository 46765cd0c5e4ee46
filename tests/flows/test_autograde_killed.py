"""A run that is killed at any moment goes on where it was: the same gradebook, and nobody graded twice."""

import contextlib
import os
import random
import signal
import subprocess
import time

import pytest

from tests.flows.classroom import Classroom, copy_of, nothing_left, the_small_class, wait_until

SEED = 20261121
KILLS = 10
BEGUN, GRADING = range(2)


@pytest.fixture(scope="module")
def handed_in(classroom_of) -> Classroom:
    return classroom_of(the_small_class())


@pytest.fixture(scope="module")
def undisturbed(handed_in, tmp_path_factory) -> Classroom:
    """The class graded in one go, and in `seconds` how long it took from each of these moments on."""
    classroom = copy_of(handed_in, tmp_path_factory.mktemp("undisturbed"))
    with nothing_left(classroom), classroom.started() as process:
        moments = [_moment(classroom, process, moment) for moment in (BEGUN, GRADING)]
        process.communicate()
        classroom.seconds = [time.monotonic() - moment for moment in moments]
    assert process.returncode == 0
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
            _kill_at_some_moment(classroom, undisturbed.seconds, draw)
        print(f"{len(done)} were graded, then {len(_records_written(classroom))}")
        assert done.items() <= _records_written(classroom).items()
    done = _records_written(classroom)
    with nothing_left(classroom):
        last = classroom.autograde().stdout.splitlines()[-1]
    assert last.startswith(f"{len(undisturbed.records) - len(done)} graded: ")
    assert done.items() <= _records_written(classroom).items()
    _demand_same(classroom, undisturbed)


def _kill_at_some_moment(classroom: Classroom, seconds: list[float], draw: random.Random) -> None:
    """Kill a run, all its processes or only the one that was called; half of the times it is not long in grading."""
    kill, share, moment = draw.choice([os.kill, os.killpg]), draw.random(), draw.choice([BEGUN, GRADING])
    with classroom.started(workers=draw.choice([1, 1, 2])) as process:
        _moment(classroom, process, moment)
        time.sleep(share * seconds[moment])
        with contextlib.suppress(ProcessLookupError):  # it is done
            kill(process.pid, signal.SIGKILL)
        process.communicate()


def _moment(classroom: Classroom, process: subprocess.Popen, moment: int) -> float:
    """Wait until a run has the lock, or has written a record; or has already ended."""
    done = _records_written(classroom)
    reached = {
        BEGUN: lambda: f'"pid": {process.pid},' in classroom.lock_text,
        GRADING: lambda: _records_written(classroom) != done,
    }
    wait_until(lambda: process.poll() is not None or reached[moment]())
    return time.monotonic()


def _records_written(classroom: Classroom) -> dict[str, tuple]:
    """Each record with the moment at which it was written: who is graded twice has another one."""
    return {path.name: (path.stat().st_mtime_ns, path.read_bytes()) for path in classroom.record_files()}


def _demand_same(classroom: Classroom, undisturbed: Classroom) -> None:
    assert classroom.gradebook() == undisturbed.gradebook()
    assert classroom.earned() == undisturbed.earned()
    for student in undisturbed.records:
        assert classroom.shown(student) == undisturbed.shown(student)
