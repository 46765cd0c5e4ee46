"""A class graded by the workers of a Dask cluster, and into a gradebook in PostgreSQL: the same scores."""

import contextlib
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from nbgrader.api import Gradebook

from benchmarks._jupyterlab import free_port
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
    folder, address = classroom.folder.parent, f"tcp://127.0.0.1:{free_port()}"
    options = {"cwd": folder, "env": classroom.environment}
    no_dashboard = "--dashboard-address=127.0.0.1:0"  # any port
    dask = (sys.executable, "-m", "dask")
    one = (no_dashboard, "--nthreads=1", "--no-nanny", "--memory-limit=0", f"--local-directory={folder}")
    with contextlib.ExitStack() as stack:
        start = lambda log, *words: stack.enter_context(_running(*dask, *words, log=folder / log, **options))  # noqa: E731
        start(
            "scheduler.log", "scheduler", "--host=127.0.0.1", f"--port={address.rpartition(':')[2]}", no_dashboard
        )
        wait_until(lambda: "Scheduler at" in (folder / "scheduler.log").read_text())
        yield address, [start(f"{number}.log", "worker", address, *one) for number in range(2)]


def test_a_dask_cluster_of_two_workers_one_of_which_is_killed(classroom_of, students):
    pytest.importorskip("distributed", reason="distributed is not installed: install dask[distributed] to test Dask")
    classroom = classroom_of(students)
    with nothing_left(classroom, files=False):
        with _dask(classroom) as (address, workers):
            wait_until(lambda: (classroom.folder.parent / "scheduler.log").read_text().count("Register worker") == 2)
            with classroom.started(f"--dask={address}") as process:
                wait_until(lambda: process.poll() is not None or classroom.records)
                workers[0].kill()
                said = process.communicate()
        for worker in workers:
            worker.wait()
    assert process.returncode == 0, said
    assert classroom.scores() == _deserved(students)


@contextlib.contextmanager
def _postgresql(folder: Path) -> Iterator[str]:
    """A server of its own; yields the URL of an empty database. Its programs refuse to be run by root."""
    programs = sorted(Path("/usr/lib/postgresql").glob("*/bin"), key=lambda path: int(path.parent.name))
    where = str(programs[-1]) if programs else os.path.dirname(shutil.which("initdb") or "")
    if not where:
        pytest.skip("PostgreSQL is not installed: install postgresql to test a gradebook in it")
    user, port = "postgres", free_port()
    as_user = ("setpriv", f"--reuid={user}", f"--regid={user}", "--clear-groups") if os.geteuid() == 0 else ()
    data, password = folder / "data", folder / "password"
    password.write_text("secret")
    data.mkdir()
    if as_user:
        for path in (folder, data, password):
            shutil.chown(path, user, user)
        for parent in folder.parents:
            if parent.stat().st_mode & 0o5 != 0o5:
                parent.chmod(parent.stat().st_mode | 0o1)
    words = ("--auth=scram-sha-256", f"--username={user}", f"--pwfile={password}", "--no-sync", f"--pgdata={data}")
    subprocess.run([*as_user, f"{where}/initdb", *words], check=True, capture_output=True, cwd=folder)
    server = (f"{where}/postgres", "-D", str(data), "-p", str(port), "-k", str(data), "-h", "127.0.0.1")
    with _running(*as_user, *server, "-c", "fsync=off", log=folder / "log", cwd=folder):
        wait_until(lambda: "ready to accept connections" in (folder / "log").read_text())
        yield f"postgresql+psycopg2://{user}:secret@127.0.0.1:{port}/postgres"


def test_a_gradebook_in_postgresql(generated, students, tmp_path):
    pytest.importorskip("psycopg2", reason="psycopg2 is not installed: install psycopg2-binary to test PostgreSQL")
    classroom = copy_of(generated, tmp_path, students)
    (classroom.folder / "gradebook.db").unlink()
    (tmp_path / "server").mkdir()
    with _postgresql(tmp_path / "server") as url:
        with nothing_left(classroom):
            classroom.nbgrader("generate_assignment", ASSIGNMENT, "--force", f"--db={url}")
            classroom.autograde(f"--db-url={url}", workers=2)
            again = classroom.autograde(f"--db-url={url}").stdout
        assert again.startswith("0 graded: ") and f"{len(students)} unchanged" in again
        assert classroom.scores(url) == _deserved(students)
        with Gradebook(url) as gradebook:
            gradebook.db.get_bind().dispose()
    assert not (classroom.folder / "gradebook.db").exists()
    said = classroom.autograde(f"--db-url={url}", status=2).stderr
    assert "postgresql+psycopg2://postgres:***@127.0.0.1" in said and "does not answer; it was tried for" in said
    assert "Traceback" not in said and "secret" not in said
