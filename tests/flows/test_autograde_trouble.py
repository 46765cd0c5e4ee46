"""What goes wrong on a machine while a class is graded is said clearly, costs nobody anything, and can be gone on from."""

import contextlib
import os
import shutil
import socket
import sqlite3
import subprocess
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest

from grader.__main__ import COULD_NOT_RUN, main
from grader.assignments import seed
from tests.flows.classroom import WITHOUT_SEEING_ALL, Classroom, copy_of, nothing_left, the_small_class, wait_until
from tests.flows.test_course import ASSIGNMENT, Submission

GOES_ON = "run the same command again, it goes on from there."
ROOM = 200_000
"""Bytes that are free where the class is graded; what is written for all of them is more."""

pytestmark = pytest.mark.filterwarnings("ignore::RuntimeWarning", "ignore::UserWarning")


@pytest.fixture(scope="module")
def students() -> dict[str, Submission]:
    return the_small_class()


@pytest.fixture(scope="module")
def handed_in(classroom_of, students) -> Classroom:
    classroom = classroom_of(students)
    seed(classroom.folder, ASSIGNMENT)  # the copies have the same
    return classroom


@pytest.fixture
def classroom(handed_in, tmp_path) -> Classroom:
    return copy_of(handed_in, tmp_path)


def _deserved(students: dict[str, Submission]) -> dict[str, dict[str, float]]:
    return {name: one.deserves for name, one in students.items()}


def test_a_gradebook_that_another_program_writes(classroom, students):
    """It is waited for, then given up, and the next run has everything to do, and does it."""
    database = sqlite3.connect(classroom.folder / "gradebook.db", isolation_level=None)
    with nothing_left(classroom, files=False):
        database.execute("BEGIN IMMEDIATE")
        said = classroom.autograde(status=COULD_NOT_RUN).stderr
    assert f"{classroom.database} cannot be read or written: " in said and "database is locked" in said
    assert said.strip().endswith(GOES_ON)
    assert classroom.records == {}
    database.execute("ROLLBACK")
    database.close()
    with nothing_left(classroom):
        classroom.autograde()
    assert classroom.scores() == _deserved(students)


@pytest.fixture
def small_disk(tmp_path) -> Iterator[Path]:
    folder = tmp_path / "disk"
    folder.mkdir()
    mounted = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=64m", "tmpfs", folder], capture_output=True, text=True
    )
    if mounted.returncode != 0:
        pytest.skip(f"a small disk cannot be mounted here: {mounted.stderr.strip()}")
    yield folder
    subprocess.run(["umount", folder], check=True)


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can mount a small disk")
def test_a_full_disk(handed_in, students, small_disk):
    classroom = copy_of(handed_in, small_disk)
    filler = small_disk / "filler"
    filler.write_bytes(bytes(shutil.disk_usage(small_disk).free - ROOM))
    with nothing_left(classroom, files=False):
        said = classroom.autograde(status=COULD_NOT_RUN).stderr
    assert "full" in said or "No space left on device" in said, said
    assert said.strip().endswith(GOES_ON)
    assert "Traceback" not in said
    done = classroom.records
    filler.unlink()
    with nothing_left(classroom):
        last = classroom.autograde().stdout
    assert last.startswith(f"{len(students) - len(done)} graded: ")
    assert classroom.scores() == _deserved(students)
    assert done.items() <= classroom.records.items()


def test_killed_workers_and_sandboxes(classroom, students):
    """A worker is killed, then a sandbox in which a notebook may run: bubblewrap, and at last what it has started."""
    with nothing_left(classroom), classroom.started(workers=2) as process:
        _killed(process, "spawn_main")
        _killed(process, "bwrap")
        wait_until(lambda: process.poll() is not None or classroom.records)
        _killed(process, "-m grader.sandbox.zygote")
        said = process.communicate()
    assert process.returncode == 0, said
    assert classroom.scores() == _deserved(students)
    assert not any(record.remarks for record in classroom.records.values())


def _killed(process: subprocess.Popen, words: str) -> None:
    """Kill the first process of a run in whose command these words come first; wait for one, or for the run's end."""
    found = wait_until(lambda: process.poll() is not None or _below(psutil.Process(process.pid), words))
    if found is not True:
        found[0].kill()


def _below(parent: psutil.Process, words: str) -> list[psutil.Process]:
    """The processes below one in whose command these words come first, but for the name of Python; the oldest first."""
    found = []
    for process in parent.children(recursive=True):
        with contextlib.suppress(psutil.NoSuchProcess):  # it has just ended
            program, *others = process.cmdline() or [""]
            if " ".join([Path(program).name, *others]).startswith(words) or " ".join(others).startswith(words):
                found.append(process)
    return sorted(found, key=lambda one: one.pid)


def test_two_graders_at_once(classroom, monkeypatch, capsys):
    monkeypatch.chdir(classroom.folder)
    with nothing_left(classroom, files=False), classroom.started() as holder:
        wait_until(lambda: f'"pid": {holder.pid},' in classroom.lock_text)
        assert main(["autograde", ASSIGNMENT]) == COULD_NOT_RUN
        said = capsys.readouterr().err
        holder.kill()
        holder.communicate()
    assert (
        f"is being graded by `autograde {ASSIGNMENT}` (process {holder.pid} on {socket.gethostname()}, since 2" in said
    )
    assert main(["autograde", ASSIGNMENT, "--students", "nobody"]) == COULD_NOT_RUN
    assert "Nobody named 'nobody'" in capsys.readouterr().err


def test_a_student_whose_work_cannot_be_read_keeps_nobody_else_from_being_graded(classroom, students):
    """Another's folder is a link, and leads to a third one's."""
    within = WITHOUT_SEEING_ALL if os.geteuid() == 0 else ()
    if within and shutil.which("setpriv") is None:
        pytest.skip("setpriv is not installed, and root may read everything")
    closed = classroom.folder / "submitted" / "right" / ASSIGNMENT
    (closed / "learning_rate.ipynb").chmod(0)
    linked = classroom.folder / "submitted" / "one" / ASSIGNMENT
    shutil.rmtree(linked)
    linked.symlink_to(classroom.folder / "submitted" / "two" / ASSIGNMENT)
    with nothing_left(classroom):
        lines = classroom.autograde(status=1, within=within).stdout.splitlines()
    assert lines[0].startswith("failed: one: ") and f"{linked} is a link" in lines[0]
    assert lines[1].startswith("failed: right: ") and "Permission denied" in lines[1]
    assert lines[2].startswith("4 graded: ") and lines[2].endswith("2 could not be graded.")
    others = students.keys() - {"one", "right"}
    assert classroom.scores() == {name: students[name].deserves for name in others}
