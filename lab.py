"""The door to the Training Lab, for a machine that has Python and nothing else.

    python3 lab.py          install what is missing, bring the chapters into your folder, open the book in JupyterLab
    python3 lab.py test     install what the tests need as well, and run all of them

What is installed goes into `.venv` beside this file. A stamp in there records what it was made for, so that a second
start installs nothing. Standard library only.
"""

import sys

if sys.version_info < (3, 11):  # before the imports below, which an older Python does not have
    sys.exit("The Training Lab needs Python 3.11 or newer, and this is %d.%d: use a newer one." % sys.version_info[:2])

import argparse
import contextlib
import errno
import hashlib
import json
import os
import re
import shutil
import signal
import socket
import subprocess
import time
import tomllib
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import NoReturn

from labutils.files import try_to_lock, write_atomically
from labutils.handout import hand_out

HERE = Path(__file__).resolve().parent
VENV = HERE / ".venv"
VENV_BIN = VENV / ("Scripts" if os.name == "nt" else "bin")
VENV_PYTHON = VENV_BIN / ("python.exe" if os.name == "nt" else "python")
STAMP = VENV / "training_lab.json"
LOG = HERE / "install.log"
LOCK = HERE / ".lab.lock"

NO_SPACE = r"No space left|not enough space|Errno 28"
NO_VENV = r"ensurepip is not\s+available|No module named '?(?:venv|ensurepip)"
NO_NETWORK = r"NewConnection|NameResolution|\w+Timeout|ProxyError|SSLError|Connection ?(?:Reset|refused)"
NO_RELEASE = r"No matching distribution found for (\S+)"
NO_PERMISSION = r"Permission denied|Errno 13\b|WinError 5\b"
REASONS = {  # words in the log of venv or pip: what they mean and the way out
    NO_SPACE: "the disk is full: free about 8 GB",
    NO_VENV: "this Python has no venv module: install it (Debian and Ubuntu call the package python3-venv)",
    NO_NETWORK: "the package index cannot be reached: check the network connection",
    NO_RELEASE: "pip finds no {} for this Python: check the network connection, or take another Python from 3.11 on",
    NO_PERMISSION: "a file may not be written: check that this folder is yours, and close JupyterLab",
}


class Trouble(Exception):
    """What went wrong and the way out, in one sentence for the person at the keyboard."""


def main(arguments: list[str]) -> int:
    try:
        signal.signal(signal.SIGTERM, lambda *_: sys.exit(128 + signal.SIGTERM))  # so that pip is stopped as well
        if arguments[:1] == ["test"]:
            run_tests(arguments[1:])
        else:
            open_book(parse(arguments))
    except Trouble as trouble:
        print(trouble, file=sys.stderr)
        return 1
    except OSError as error:
        print(explain(error), file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("\nStopped; start lab.py again and it goes on from here.", file=sys.stderr)
        return 130


def parse(arguments: list[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="lab.py",
        description="Opens the Training Lab in JupyterLab.",
        epilog="`lab.py test` runs the tests; words after `test` go to pytest.",
    )
    parser.add_argument("--work", type=Path, default=HERE / "work", metavar="FOLDER", help="your folder (work)")
    parser.add_argument("--port", type=int, metavar="N", help="JupyterLab's port (the first free one from 8888)")
    parser.add_argument("--no-browser", action="store_true", help="print the address instead of opening a browser")
    options = parser.parse_args(arguments)
    options.work = options.work.expanduser().resolve()
    return options


# -- the two commands -----------------------------------------------------------------------------------------------


def open_book(options: argparse.Namespace) -> NoReturn:
    """Open JupyterLab on the start page in the student's folder, which is up to date by then."""
    if options.port is not None:
        require_free(options.port)
    if options.work.is_relative_to(HERE / "chapters"):
        raise Trouble(f"{options.work} is part of the book itself: choose a folder outside chapters/ for --work.")
    with one_at_a_time():
        prepare_environment()
        for yours, new in hand_out(HERE / "chapters", options.work):
            print(f"The book's new version of {yours} is beside yours, which you have changed: {options.work / new}")
    command = [VENV_PYTHON, "-m", "jupyterlab", "--ServerApp.root_dir", options.work]
    command += ["--LabApp.default_url", "/lab/tree/start.ipynb"]
    if options.port is not None:
        command += ["--port", options.port, "--ServerApp.port_retries=0"]
    if options.no_browser:
        command += ["--no-browser"]
    if os.name == "posix" and os.geteuid() == 0:
        command += ["--allow-root"]  # a container has no other user
    become(command, {**environment(), "LABUTILS_PROGRESS": str(options.work / "progress.json")})


def run_tests(pytest_arguments: list[str]) -> NoReturn:
    """Run the tests and the notebooks; a notebook's cells need one another, so they stay on one worker.

    Tests often wait, for a browser or a process that they started: four workers keep two processors busy. They take
    the files in their order; by the number of tests in them, the longest would come last.
    """
    with one_at_a_time():
        prepare_environment(extra="test")
    workers = min(os.cpu_count() or 1, 4) * 2
    command = [VENV_PYTHON, "-m", "pytest", "--nbval", "-n", workers, "--dist", "loadfile", "--no-loadscope-reorder"]
    os.chdir(HERE)
    variables = environment()
    variables["LABUTILS_PROGRESS"] = ""  # the tests solve exercises, which the person at the keyboard has not
    variables["OMP_NUM_THREADS"] = "1"  # the workers need the processors
    become([*command, *pytest_arguments], variables)


def require_free(port: int) -> None:
    with socket.socket() as probe:
        if os.name == "posix":  # as the server does; on Windows the option would let two servers share a port
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except (OSError, OverflowError) as error:
            reason = getattr(error, "strerror", None) or error
            raise Trouble(f"Port {port} cannot be used ({reason}): choose another, or leave --port out.") from error


def become(command: list, variables: Mapping[str, str]) -> NoReturn:
    """Give this process over to `command`, so that signals and the exit status are the command's own."""
    command = [str(word) for word in command]
    sys.stdout.flush()
    if os.name == "posix":
        os.execve(command[0], command, variables)
    process = subprocess.Popen(command, env=variables)
    while process.poll() is None:
        with contextlib.suppress(KeyboardInterrupt):  # the command has heard Ctrl-C too and ends as it sees fit
            process.wait()
    sys.exit(process.returncode)


def environment() -> dict[str, str]:
    """The variables of a shell in which `.venv` is active, without those that would reach into it from outside."""
    foreign = ("PYTHONPATH", "PYTHONHOME", "PIP_USER", "PIP_TARGET", "PIP_PREFIX", "__PYVENV_LAUNCHER__")
    variables = {name: value for name, value in os.environ.items() if name not in foreign}
    variables["PATH"] = os.pathsep.join([str(VENV_BIN), variables.get("PATH", os.defpath)])
    variables["VIRTUAL_ENV"] = str(VENV)
    variables["PYTHONNOUSERSITE"] = "1"
    variables["JUPYTER_PREFER_ENV_PATH"] = "1"  # or a kernel in the home folder takes the place of ours
    return variables


# -- the environment ------------------------------------------------------------------------------------------------


def prepare_environment(extra: str = "") -> None:
    """Make `.venv` hold the project with the extra's dependencies; nothing is done where the stamp says that it does.

    A failed pip leaves packages as they were, so an environment that worked is kept. A killed pip leaves them in part:
    the stamp then still says that the work is not finished, and `.venv` is made anew, with what pip's cache has.
    """
    stamp = read_stamp()
    extras = sorted({"", extra, *stamp.get("extras", [])})
    wanted = {"finished": True, "folder": str(HERE), "project": project_digest(), "extras": extras}
    python = venv_python_version()
    if stamp == {**wanted, "python": python}:
        return
    works = stamp.get("finished") and stamp.get("folder") == str(HERE) and stamp.get("python") == python
    if not works:
        make_environment()
    write_stamp({"finished": False})
    try:
        install(extras)
    except Trouble:
        if works:
            write_stamp(stamp)
        raise
    write_stamp({**wanted, "python": venv_python_version()})


def make_environment() -> None:
    """Make a fresh `.venv` with pip in it; before anything else, it is marked as ours and not finished."""
    if VENV.exists() and any(VENV.iterdir()) and not STAMP.exists():
        raise Trouble(f"{VENV} was not made by lab.py: move it away and start lab.py again.")
    if VENV.exists():
        shutil.rmtree(VENV)
    VENV.mkdir()
    write_stamp({"finished": False})
    python = getattr(sys, "_base_executable", sys.executable)  # lab.py may run in the very .venv that is made anew
    run_logged([python, "-m", "venv", VENV], "Making .venv")


def install(extras: list[str]) -> None:
    """Install the project, editable, with its dependencies and those of the extras."""
    named = ",".join(filter(None, extras))
    project = f".[{named}]" if named else "."
    pip = [VENV_PYTHON, "-m", "pip", "install", "--disable-pip-version-check", "--no-input"]
    run_logged([*pip, "--editable", project], "Installing the Training Lab, which takes some minutes")
    settings = VENV / "share" / "jupyter" / "lab" / "settings"
    settings.mkdir(parents=True, exist_ok=True)
    no_news = {"@jupyterlab/apputils-extension:notification": {"fetchNews": "false", "checkForUpdates": False}}
    (settings / "overrides.json").write_text(json.dumps(no_news))


def project_digest() -> str:
    """A digest of what pyproject.toml says about installing; settings of tools may change without an installation."""
    with open(HERE / "pyproject.toml", "rb") as file:
        try:
            pyproject = tomllib.load(file)
        except tomllib.TOMLDecodeError as error:
            raise Trouble(f"pyproject.toml is damaged ({error}): `git checkout pyproject.toml` restores it.") from error
    parts = [pyproject["build-system"], pyproject["project"], pyproject["tool"]["setuptools"]]
    return hashlib.sha256(json.dumps(parts, sort_keys=True).encode()).hexdigest()


def venv_python_version() -> str | None:
    """The version of the Python in `.venv`, such as "3.11"; None where it does not run, or has no pip."""
    code = "import pip, sys; print('%d.%d' % sys.version_info[:2])"
    try:
        answer = subprocess.run([VENV_PYTHON, "-c", code], env=environment(), capture_output=True, text=True)
    except OSError:
        return None
    return answer.stdout.strip() or None


def read_stamp() -> dict:
    """What `.venv` was made for; a stamp that is missing or damaged describes nothing that is finished."""
    try:
        stamp = json.loads(STAMP.read_bytes())
    except (FileNotFoundError, NotADirectoryError, ValueError):
        return {"finished": False}
    return stamp if isinstance(stamp, dict) and stamp.get("finished") else {"finished": False}


def write_stamp(stamp: dict) -> None:
    write_atomically(STAMP, json.dumps(stamp).encode())


# -- running, waiting, explaining -----------------------------------------------------------------------------------


@contextlib.contextmanager
def one_at_a_time() -> Iterator[None]:
    """Hold this checkout's lock; a second lab.py waits. The operating system frees the lock when its holder dies."""
    with open(LOCK, "a") as lock:
        waits = False
        while not try_to_lock(lock):
            if not waits:
                print("Another lab.py is at work in this folder; waiting for it to finish.", flush=True)
            waits = True
            time.sleep(0.2)
        yield


def run_logged(command: list, what: str) -> None:
    """Run `command` with its output in the log; from the second second on, show what it is doing."""
    with open(LOG, "wb") as log:
        streams = {"stdin": subprocess.DEVNULL, "stdout": log, "stderr": log}
        process = subprocess.Popen(command, cwd=HERE, env=environment(), **streams)
        try:
            show_until_done(process, what)
        finally:
            process.kill()
            process.wait()
    if process.returncode != 0:
        raise Trouble(explain_log(LOG.read_text(errors="replace"), process.returncode))


def show_until_done(process: subprocess.Popen, what: str) -> None:
    """Wait for a process; after two seconds say what it does: one line, renewed in place on a terminal."""
    start = time.monotonic()
    on_terminal = sys.stdout.isatty()
    next_line = 2
    while process.poll() is None:
        time.sleep(0.1)
        seconds = time.monotonic() - start
        if seconds < next_line:
            continue
        next_line += 1 if on_terminal else 20
        line = f"{what}: {int(seconds)} s {last_step(LOG)}"
        if on_terminal:
            print(f"\r{line[: shutil.get_terminal_size().columns - 1]}\x1b[K", end="", flush=True)
        else:
            print(line, flush=True)
    if on_terminal and next_line > 2:
        print()


def last_step(log: Path) -> str:
    """What pip was last heard to begin, such as "Downloading torch-2.13.0"; the start of it where it is long."""
    step = re.compile(r"^ *((?:Collecting|Downloading|Using cached|Installing) .{,60})", re.MULTILINE)
    return next(reversed(step.findall(log.read_text(errors="replace"))), "")


def explain_log(log: str, status: int) -> str:
    """What stopped venv or pip and the way out, by the words that it left in the log."""
    reason = f"venv or pip ended with status {status}: look at the end of the log"
    for words, meaning in REASONS.items():
        found = re.search(words, log)
        if found:
            reason = meaning.format(*found.groups())
            break
    return f"Installation failed because {reason}, then start lab.py again; the full log is {LOG}."


def explain(error: OSError) -> str:
    """One sentence for what the operating system refused."""
    where = f" at {error.filename}" if error.filename else ""
    if error.errno == errno.ENOSPC:
        return f"The disk is full{where}: free some space and start lab.py again."
    if isinstance(error, (FileExistsError, NotADirectoryError)):
        return f"A file is{where}, where a folder is needed: move it away, or choose another folder with --work."
    if isinstance(error, PermissionError):
        return f"No permission to write{where}: use a folder of your own, for your work with --work FOLDER."
    return f"{error.strerror or error}{where}: put that right and start lab.py again."


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
