"""`python3 lab.py` in a clean clone with an empty home folder: installing, interrupted, failing, opening, updating."""

import json
import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from contextlib import contextmanager, suppress
from pathlib import Path

import pytest

import lab
from benchmarks._jupyterlab import answers, free_port

fcntl = pytest.importorskip("fcntl", reason="these journeys send signals and locks of POSIX systems")
resource = pytest.importorskip("resource", reason="a limit on the size of files, which POSIX systems have")

ROOT = Path(__file__).parents[2]
PYTHON = getattr(sys, "_base_executable", sys.executable)
PATIENCE = 1800  # seconds that an installation may take on a loaded machine with a slow network
pytestmark = pytest.mark.timeout(3 * PATIENCE)
NOWHERE = {"PIP_CONFIG_FILE": os.devnull, "PIP_FIND_LINKS": "", "PIP_RETRIES": "1"}
REFUSED = {**NOWHERE, "PIP_INDEX_URL": "http://127.0.0.1:9/simple"}  # nothing listens on the discard port
NO_INDEX = {**NOWHERE, "PIP_NO_INDEX": "1"}


class Lab:
    """A clone and a home folder, the machine of somebody who has just arrived."""

    def __init__(self, place: Path):
        self.folder = place / "training lab"
        self.stamp = self.folder / ".venv" / "training_lab.json"
        self.log = self.folder / "install.log"
        self.output = place / "output.txt"
        (place / "home").mkdir()
        (place / "strangers").mkdir()
        (place / "strangers" / "jupyterlab.py").write_text("raise SystemExit('PYTHONPATH reached into .venv')")
        subprocess.run(["git", "clone", "--quiet", ROOT, self.folder], check=True)
        pip = {name: value for name, value in os.environ.items() if name.startswith("PIP_")}
        pip["PIP_NO_COMPILE"] = "1"  # which takes a third of an installation's time; Python does it when it imports
        own = {"PATH": os.defpath, "HOME": str(place / "home"), "PYTHONPATH": str(place / "strangers")}
        self.variables = {**own, **pip}

    @contextmanager
    def start(self, *arguments, **variables):
        """A process of lab.py; it ends with the block, and so does whatever it has started."""
        with open(self.output, "wb") as output:
            process = subprocess.Popen(
                [PYTHON, "lab.py", *arguments],
                cwd=self.folder,
                env={**self.variables, **variables},
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=output,
                start_new_session=True,
            )
        try:
            yield process
        finally:
            with suppress(ProcessLookupError):  # it has ended by itself
                os.killpg(process.pid, signal.SIGTERM)
            process.wait(timeout=PATIENCE)

    def run(self, *arguments, **variables):
        """Run lab.py to its end; returns the exit status and what it printed."""
        with self.start(*arguments, **variables) as process:
            status = process.wait(timeout=PATIENCE)
        return status, self.output.read_text()

    def wait_for(self, found, process):
        """Wait until `found()` gives something while the process lives, and return it."""
        end = time.monotonic() + PATIENCE
        while not (value := found()):
            assert process.poll() is None, self.output.read_text()
            assert time.monotonic() < end, f"still waiting; so far: {self.output.read_text()}"
            time.sleep(0.1)
        return value

    @contextmanager
    def open(self, *arguments):
        """The book, open; gives a function that asks its server."""
        with self.start("--no-browser", "--port", str(free_port()), *arguments) as process:
            address = re.compile(r"(http://127\.0\.0\.1:\d+)/lab/tree/start\.ipynb\?token=(\w+)\n")
            base, token = self.wait_for(lambda: address.search(self.output.read_text()), process).groups()
            self.wait_for(lambda: answers(base), process)

            def ask(path, content=None):
                body = json.dumps(content).encode() if content else None
                headers = {"Authorization": f"token {token}", "Content-Type": "application/json"}
                request = urllib.request.Request(base + path, body, headers, method="PUT" if content else "GET")
                with urllib.request.urlopen(request, timeout=PATIENCE) as response:
                    return response.read()

            yield ask


@pytest.fixture
def fresh(tmp_path):
    return Lab(tmp_path)


@pytest.fixture(scope="module")
def installed(tmp_path_factory):
    """A lab whose first installation was killed in the middle, and whose second was let finish."""
    lab = Lab(tmp_path_factory.mktemp("machine"))
    with lab.start("--no-browser") as process:
        under_way = "Installing collected packages"
        lab.wait_for(lambda: lab.log.exists() and under_way in lab.log.read_text(), process)
        lab.wait_for(lambda: list(lab.folder.glob(".venv/lib/*/site-packages/numpy*")), process)
        os.killpg(process.pid, signal.SIGKILL)
    assert not json.loads(lab.stamp.read_text())["finished"]
    with lab.open():
        assert json.loads(lab.stamp.read_text())["finished"]
    return lab


def test_after_a_killed_installation_every_package_is_whole(installed):
    python = installed.folder / ".venv" / "bin" / "python"
    code = "import torch, matplotlib, ipywidgets, anywidget, sklearn, jupyterlab, jupytext, labutils"
    subprocess.run([python, "-c", code], check=True, cwd=installed.folder.parent)
    subprocess.run([python, "-m", "pip", "check"], check=True, cwd=installed.folder.parent)


def test_a_second_start_installs_nothing_and_serves_the_start_page(installed):
    installed.log.write_text("untouched")
    before = installed.stamp.stat().st_mtime_ns
    with installed.open() as ask:
        start = json.loads(ask("/api/contents/start.ipynb"))["content"]
        assert "Training Lab" in start["cells"][0]["source"]
        assert b"JupyterLab" in ask("/lab/tree/start.ipynb")
        names = {entry["name"] for entry in json.loads(ask("/api/contents"))["content"]}
        assert "01_learning_rate" in names
    assert (installed.log.read_text(), installed.stamp.stat().st_mtime_ns) == ("untouched", before)


def test_saving_in_the_students_folder_writes_no_text(installed):
    with installed.open() as ask:
        start = json.loads(ask("/api/contents/start.ipynb"))
        ask("/api/contents/start.ipynb", {"type": "notebook", "format": "json", "content": start["content"]})
    assert not list((installed.folder / "work").rglob("*.md"))


def test_chapters_are_paired_and_the_students_copies_are_not(installed):
    jupytext = [installed.folder / ".venv" / "bin" / "python", "-m", "jupytext", "--paired-paths"]

    def paired(notebook):
        answer = subprocess.run([*jupytext, notebook], cwd=installed.folder, capture_output=True, text=True)
        return answer.stdout.split()

    assert paired("chapters/start.ipynb") == ["chapters/start.md"]
    assert paired("work/start.ipynb") == []


def test_jupyterlab_asks_nobody_for_news(installed):
    with installed.open() as ask:
        settings = json.loads(ask("/lab/api/settings/@jupyterlab/apputils-extension:notification"))
    properties = settings["schema"]["properties"]
    assert properties["fetchNews"]["default"] == "false"
    assert properties["checkForUpdates"]["default"] is False


def test_another_folder_may_be_named(installed, tmp_path):
    with installed.open("--work", str(tmp_path / "my work")) as ask:
        assert json.loads(ask("/api/contents/start.ipynb"))["name"] == "start.ipynb"
    assert (tmp_path / "my work" / "01_learning_rate").is_dir()


def test_an_update_keeps_the_students_notebook_and_says_where_the_new_one_is(installed):
    yours = installed.folder / "work" / "start.ipynb"
    book = installed.folder / "chapters" / "start.ipynb"
    untouched = book.read_bytes()
    yours.write_bytes(mine := yours.read_bytes().replace(b"Training Lab", b"Training Lab of mine"))
    book.write_bytes(untouched.replace(b"Training Lab", b"Training Lab, second edition"))
    with installed.open():
        said = installed.output.read_text()
    beside = next((installed.folder / "work").glob("start (new *).ipynb"))
    assert f"beside yours, which you have changed: {beside}" in said
    assert (yours.read_bytes(), beside.read_bytes()) == (mine, book.read_bytes())
    book.write_bytes(untouched)
    yours.write_bytes(untouched)


def test_a_failed_update_leaves_what_worked(installed):
    project = installed.folder / "pyproject.toml"
    before, stamp = project.read_text(), installed.stamp.read_text()
    project.write_text(before.replace('"tqdm"', '"tqdm", "safetensors>=99999"'))
    status, said = installed.run("--no-browser", **NO_INDEX)
    assert_one_sentence(status, said)
    assert installed.stamp.read_text() == stamp
    project.write_text(before + '\n[tool.something]\nof = "no consequence to installing"\n')
    installed.log.write_text("untouched")
    with installed.open():
        assert installed.log.read_text() == "untouched"
    project.write_text(before)


def test_the_tests_run_in_the_clone_and_their_status_is_handed_on(installed):
    """One quick file of tests: running all of them in here would run this test again."""
    status, said = installed.run("test", "-n", "0", "tests/labutils/test_handout.py", "-k", "renewed")
    assert status == 0, said
    assert "1 passed" in said.splitlines()[-1]
    assert re.search(r"tests/labutils +1 +0 +0", said)
    assert json.loads(installed.stamp.read_text())["extras"] == ["", "test"]
    status, _ = installed.run("test", "-n", "0", "tests/labutils/test_handout.py", "-k", "no_such_test")
    assert status == 5


def assert_one_sentence(status, said):
    """The last line is one sentence that names the log where there is one; the lines before say what was being done."""
    *progress, sentence = said.strip().splitlines()
    assert status == 1
    assert all(re.match(r"(Making|Installing) .*: \d+ s", line) for line in progress), said
    assert sentence.endswith(".") and "Traceback" not in said


@pytest.mark.parametrize(
    ("variables", "reason"),
    [(REFUSED, "the package index cannot be reached"), (NO_INDEX, "pip finds no setuptools>=77")],
)
def test_without_packages_one_sentence_says_why(fresh, variables, reason):
    status, said = fresh.run("--no-browser", **variables)
    assert_one_sentence(status, said)
    assert reason in said and str(fresh.log) in said
    assert fresh.log.read_text()


def test_an_environment_of_somebody_else_is_left_alone(fresh):
    theirs = fresh.folder / ".venv" / "pyvenv.cfg"
    theirs.parent.mkdir()
    theirs.write_text("made by another tool")
    status, said = fresh.run("--no-browser")
    assert_one_sentence(status, said)
    assert theirs.read_text() == "made by another tool"


def test_a_stamp_that_says_too_little_is_no_finished_installation(fresh):
    fresh.stamp.parent.mkdir()
    fresh.stamp.write_text('{"finished": true}')
    status, said = fresh.run("--no-browser", **NO_INDEX)
    assert_one_sentence(status, said)
    assert json.loads(fresh.stamp.read_text()) == {"finished": False}


def test_a_full_disk_leaves_the_stamp_as_it_was(tmp_path, monkeypatch):
    monkeypatch.setattr(lab, "STAMP", tmp_path / "stamp.json")
    lab.write_stamp({"finished": False})
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (10, limits[1]))
    try:
        with pytest.raises(OSError, match="too large"):
            lab.write_stamp({"finished": True})
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)
    assert json.loads(lab.STAMP.read_text()) == {"finished": False}


def test_a_port_that_is_taken_is_said_before_anything_is_installed(fresh):
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        status, said = fresh.run("--port", str(port))
    assert_one_sentence(status, said)
    assert f"Port {port} cannot be used" in said
    assert not fresh.stamp.exists()


def test_two_at_once_take_turns(fresh):
    with open(fresh.folder / ".lab.lock", "a") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        with fresh.start("--no-browser", **NO_INDEX) as process:
            fresh.wait_for(lambda: "Another lab.py is at work" in fresh.output.read_text(), process)
            assert not fresh.stamp.parent.exists()
            fcntl.flock(lock, fcntl.LOCK_UN)
            assert process.wait(timeout=PATIENCE) == 1
    assert fresh.stamp.exists()


def test_a_damaged_pyproject_is_named(fresh):
    (fresh.folder / "pyproject.toml").write_text("<<<<<<< HEAD\n")
    status, said = fresh.run("--no-browser")
    assert_one_sentence(status, said)
    assert "`git checkout pyproject.toml`" in said


@pytest.mark.parametrize("work", ["chapters", "chapters/01_learning_rate", "lab.py"])
def test_a_folder_that_cannot_be_the_students_is_refused(installed, work):
    before = (installed.folder / "lab.py").read_bytes()
    status, said = installed.run("--no-browser", "--work", work)
    assert_one_sentence(status, said)
    assert (installed.folder / "lab.py").read_bytes() == before


def test_a_full_disk_is_named(installed, tmp_path):
    """The student's folder on a file system of one page."""
    if os.geteuid() != 0 or shutil.which("mount") is None:
        pytest.skip("mounting a small file system needs root")
    mount = ["mount", "-t", "tmpfs", "-o", "size=4k", "tmpfs", tmp_path]
    if subprocess.run(mount, capture_output=True).returncode != 0:
        pytest.skip("this machine does not allow mounting")
    try:
        status, said = installed.run("--no-browser", "--work", str(tmp_path))
    finally:
        subprocess.run(["umount", tmp_path], check=True)
    assert_one_sentence(status, said)
    assert "disk is full" in said


@pytest.mark.parametrize(
    ("log", "reason"),
    [
        ("ERROR: Could not install packages due to an OSError: [Errno 28] No space left on device", "the disk is full"),
        ("The virtual environment was not created successfully because ensurepip is not\navailable.", "no venv module"),
        ("/usr/bin/python3.12: No module named venv", "no venv module"),
        ("WARNING: Retrying (...) after connection broken by 'NewConnectionError(...)'", "cannot be reached"),
        ("ERROR: No matching distribution found for torch<2.14,>=2.9", "pip finds no torch<2.14,>=2.9"),
        ("ERROR: Could not install packages due to an OSError: [WinError 5] Access is denied", "may not be written"),
        ("something that nobody has thought of", "ended with status 7: look at the end of the log"),
    ],
)
def test_the_words_of_pip_and_venv_become_one_sentence(log, reason):
    """Words as those programs write them, of troubles that cannot be had at will on one machine."""
    code = "import sys, lab; print(lab.explain_log(sys.stdin.read(), 7))"
    said = subprocess.run([PYTHON, "-c", code], cwd=ROOT, input=log, capture_output=True, text=True, check=True).stdout
    assert reason in said
    assert said.count("\n") == 1
