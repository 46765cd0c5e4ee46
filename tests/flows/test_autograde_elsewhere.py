"""A class graded by the workers of a Dask cluster, and into a gradebook in PostgreSQL: the same scores."""

import contextlib
import os
import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.flows.classroom import Classroom, copy_of, nothing_left, the_small_class, wait_until
from tests.flows.test_course import ASSIGNMENT, Submission

pytestmark = pytest.mark.filterwarnings("ignore::RuntimeWarning", "ignore::UserWarning")


@pytest.fixture(scope="module")
def students() -> dict[str, Submission]:
    return the_small_class()


def _deserved(students: dict[str, Submission]) -> dict[str, dict[str, float]]:
    return {name: one.deserves for name, one in students.items()}


@contextlib.contextmanager
def _running(*words: str, log: Path, **options) -> Iterator[subprocess.Popen]:
    """A program that runs meanwhile, with what it says in a file."""
    with open(log, "w") as output, subprocess.Popen(words, stdout=output, stderr=output, **options) as process:
        try:
            yield process
        finally:
            process.terminate()


@contextlib.contextmanager
def _dask(classroom: Classroom) -> Iterator[tuple[str, list[subprocess.Popen]]]:
    """A scheduler and two workers, each a process of its own that is not started again; yields the address."""
    folder = classroom.folder.parent
    no_dashboard = "--dashboard-address=127.0.0.1:0"  # at any port
    one = (no_dashboard, "--nthreads=1", "--no-nanny", "--memory-limit=0", f"--local-directory={folder}")

    def started(name: str, *words: str) -> subprocess.Popen:
        words = (sys.executable, "-m", "dask", *words)
        return stack.enter_context(_running(*words, log=folder / name, cwd=folder, env=classroom.environment))

    def said(pattern: str) -> list[str]:
        return re.findall(pattern, (folder / "scheduler").read_text())

    with contextlib.ExitStack() as stack:
        started("scheduler", "scheduler", "--host=127.0.0.1", "--port=0", no_dashboard)
        (address,) = wait_until(lambda: said(r"Scheduler at:\s+(tcp://\S+)\n"))
        workers = [started(f"worker {number}", "worker", address, *one) for number in range(2)]
        wait_until(lambda: len(said("Register worker")) == 2)
        yield address, workers


def test_a_dask_cluster_of_two_workers_one_of_which_is_killed(classroom_of, students):
    pytest.importorskip("distributed", reason="distributed is not installed: install dask[distributed] to test Dask")
    classroom = classroom_of(students)
    with nothing_left(classroom, files=False):
        with _dask(classroom) as (address, workers):
            with classroom.started(f"--dask={address}") as process:
                wait_until(lambda: process.poll() is not None or classroom.records)
                workers[0].kill()
                said = process.communicate()
        for worker in workers:
            worker.wait()
    assert process.returncode == 0, said
    assert classroom.scores() == _deserved(students)


@contextlib.contextmanager
def _postgresql() -> Iterator[str]:
    """A server of its own, reached by a socket in its folder; yields the URL of an empty database."""
    programs = max(Path("/usr/lib/postgresql").glob("*/bin"), key=lambda path: int(path.parent.name), default=None)
    if programs is None:
        pytest.skip("PostgreSQL is not installed: install postgresql to test a gradebook in it")
    user = "postgres"
    as_user = ("setpriv", f"--reuid={user}", f"--regid={user}", "--clear-groups") if os.geteuid() == 0 else ()
    with tempfile.TemporaryDirectory(dir="/tmp") as folder:  # the user may enter it, and a socket's path is short
        if as_user:  # root may not run a server
            shutil.chown(folder, user, user)
        data, log = f"{folder}/data", Path(folder, "log")
        setting_up = (programs / "initdb", "--auth=trust", f"--username={user}", "--no-sync", f"--pgdata={data}")
        subprocess.run([*as_user, *setting_up], check=True, capture_output=True, cwd=folder)
        server = (programs / "postgres", "-D", data, "-k", folder, "-c", "listen_addresses=", "-c", "fsync=off")
        with _running(*as_user, *server, log=log, cwd=folder):
            wait_until(lambda: "ready to accept connections" in log.read_text())
            yield f"postgresql+psycopg2://{user}@/postgres?host={folder}"


def test_a_gradebook_in_postgresql(generated, students, tmp_path):
    pytest.importorskip("psycopg2", reason="psycopg2 is not installed: install psycopg2-binary to test PostgreSQL")
    classroom = copy_of(generated, tmp_path, students)
    (classroom.folder / "gradebook.db").unlink()
    with _postgresql() as url:
        with nothing_left(classroom):
            classroom.nbgrader("generate_assignment", ASSIGNMENT, "--force", f"--db={url}")
            classroom.autograde(f"--db-url={url}")
            again = classroom.autograde(f"--db-url={url}").stdout
        assert again.startswith("0 graded: ") and f"{len(students)} unchanged" in again
        assert classroom.scores(url) == _deserved(students)
    assert not (classroom.folder / "gradebook.db").exists()
