"""The sandbox that hostile submissions are graded in: one for all of them, so that each also finds what others left."""

import contextlib
import os
import socket
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest

from grader.sandbox.launching import Sandbox
from grader.texts import ROOT
from tests.attacks.arena import LIMITS, MARK, Arena

SECRETS = ("gradebook.db", "grading/learning_rate/seed.txt", "submitted/neighbour/learning_rate/learning_rate.ipynb")


@pytest.fixture(scope="session")
def arena(sandboxed, tmp_path_factory) -> Iterator[Arena]:
    """One sandbox for each process that runs tests. When all are done, nothing of it is left."""
    course = tmp_path_factory.mktemp("course")
    for name in SECRETS:
        (course / name).parent.mkdir(parents=True, exist_ok=True)
        (course / name).write_text("what no submission may see")
    targets = {"COURSE": str(course), "CHECKOUT": str(ROOT), "HOME": str(Path.home()), "GRADER": str(os.getpid())}
    others = set(psutil.Process().children(recursive=True))
    with _doors(course) as doors, Sandbox(LIMITS) as sandbox:
        sandbox.warm_up()
        inside = set(psutil.Process().children(recursive=True)) - others
        yield Arena(sandbox, tmp_path_factory.mktemp("temporary"), {**targets, **doors})
    assert not any(process.is_running() for process in inside)


@contextlib.contextmanager
def _doors(course: Path) -> Iterator[dict[str, str]]:
    """Services of this machine, one of each kind, at which nobody may have knocked at the end."""
    with contextlib.ExitStack() as stack:
        tcp = stack.enter_context(socket.create_server(("127.0.0.1", 0)))
        doors = [tcp]
        with contextlib.chdir(course):  # the name of a socket may not be long
            for address in (f"\0{MARK}", "door"):
                door = stack.enter_context(socket.socket(socket.AF_UNIX))
                door.bind(address)
                door.listen()
                doors.append(door)
        yield {"PORT": str(tcp.getsockname()[1]), "DOOR": str(course / "door")}
        for door in doors:
            door.setblocking(False)
            with pytest.raises(BlockingIOError):
                door.accept()
