"""The sandbox: what a child cannot see, reach, use up or leave behind. All of it is tried for real."""

import json
import os
import random
import signal
import socket
import subprocess
import sys
import tempfile
import textwrap
import time
from pathlib import Path

import psutil
import pytest

from grader.sandbox.launching import Child, Ending, Sandbox, SandboxUnavailable
from grader.sandbox.limits import DEFAULTS, Limits
from tests.mounted import mounts

PROBES = Path(__file__).parent / "probes"
CHECKOUT = Path(__file__).parents[2]
SECONDS = 120  # for what takes a moment; only a failure waits so long

pytestmark = pytest.mark.usefixtures("sandboxed")


def sandbox_of(limits=DEFAULTS, main="probe:run", **options):
    return Sandbox(limits, main=main, import_from=PROBES, **options)


@pytest.fixture(scope="module")
def sandbox():
    limits = Limits(memory=600_000_000, folder=16_000_000, file=8_000_000, processes=16, cpu_seconds=20)
    with sandbox_of(limits) as made:
        yield made


@pytest.fixture
def child(sandbox):
    started = sandbox.start()
    yield started
    started.kill()


class Gone(Exception):
    """The child has ended instead of answering."""


def tell(child: Child, source: str) -> None:
    child.socket.settimeout(SECONDS)
    child.socket.sendall(json.dumps(textwrap.dedent(source)).encode() + b"\n")


def hear(child: Child):
    said = b""
    while not said.endswith(b"\n"):
        try:
            data = child.socket.recv(1 << 16)
        except ConnectionResetError:
            data = b""
        if not data:
            raise Gone
        said += data
    reply = json.loads(said)
    assert "error" not in reply, reply["error"]
    return reply["answer"]


def ask(child: Child, source: str):
    """What `source` leaves in `answer` when the child executes it."""
    tell(child, source)
    return hear(child)


def refused(child: Child, source: str) -> str | None:
    """The name of the error that `source` raises in the child, None if it goes through."""
    attempt = textwrap.indent(textwrap.dedent(source).strip(), "    ")
    return ask(child, f"answer = None\ntry:\n{attempt}\nexcept Exception as error:\n    answer = type(error).__name__")


def wait_until(condition) -> None:
    end = time.monotonic() + SECONDS
    while not condition():
        assert time.monotonic() < end, "waited in vain"
        time.sleep(0.02)


def processes_of(sandbox: Sandbox) -> list[psutil.Process]:
    return psutil.Process(sandbox._zygote._process.pid).children(recursive=True)


# What it cannot see


def test_only_python_and_the_lab_are_visible(child):
    ours = [CHECKOUT / "grader", CHECKOUT / "chapters", Path.home() / ".cache", __file__]
    paths = [*ours, "/etc/shadow", "/var", "/root/.ssh", "/home/student/.config"]
    assert ask(child, f"import os; answer = [path for path in {list(map(str, paths))} if os.path.exists(path)]") == []
    found = ask(child, "import os; answer = [os.listdir('/lab'), os.listdir('/lab/grader'), os.listdir('.')]")
    assert [sorted(names) for names in found] == [["grader", "labutils", "more"], ["__init__.py", "sandbox"], []]


@pytest.mark.parametrize("module", ["grader.exercises", "grader.judge", "grader.exercises.learning_rate"])
def test_references_cannot_be_imported(child, module):
    assert refused(child, f"import {module}") == "ModuleNotFoundError"


def test_a_hidden_folder_in_pythons_own_is_empty():
    hidden = Path(json.__file__).parent
    with sandbox_of(hidden=[hidden]) as sandbox, pytest.raises(SandboxUnavailable, match="json"):
        sandbox.start()


def test_only_its_own_processes_are_visible(sandbox, child):
    assert ask(child, "import os; answer = sorted(int(name) for name in os.listdir('/proc') if name.isdigit())") == [
        1,
        2,
    ]
    assert ask(child, "answer = [os.getpid(), os.getppid()]") == [2, 1]


def test_no_descriptor_but_its_own(child):
    descriptors = ask(
        child,
        """
        import os
        answer = {}
        for name in os.listdir("/proc/self/fd"):
            try:
                answer[name] = os.readlink(f"/proc/self/fd/{name}")
            except FileNotFoundError:  # the one that lists
                pass
        """,
    )
    assert {descriptors.pop(name) for name in "012"} == {"/dev/null"}
    assert list(descriptors) == ["3"] and descriptors["3"].startswith("socket:")


def test_no_variable_of_the_graders(monkeypatch):
    monkeypatch.setenv("A_SECRET", "of the grader's")
    with sandbox_of() as sandbox:
        assert "A_SECRET" not in ask(sandbox.start(), "import os; answer = dict(os.environ)")


# What it cannot reach


@pytest.mark.parametrize("family", ["AF_INET", "AF_INET6", "AF_NETLINK", "AF_VSOCK", "AF_PACKET", "AF_ALG"])
def test_no_socket_but_unix(child, family):
    kinds = "SOCK_STREAM", "SOCK_DGRAM", "SOCK_RAW", "SOCK_SEQPACKET"
    for kind in kinds:
        source = f"import socket\nsocket.socket(getattr(socket, {family!r}), getattr(socket, {kind!r}))"
        assert refused(child, source) == "PermissionError"


def test_no_service_of_the_machine(child, tmp_path):
    name = f"\0listener {random.random()}"
    with socket.create_server(("127.0.0.1", 0)) as loopback, socket.socket(socket.AF_UNIX) as abstract:
        abstract.bind(name)
        abstract.listen()
        with socket.socket(socket.AF_UNIX) as host:
            host.connect(name)
        port = loopback.getsockname()[1]
        assert refused(child, f"import socket; socket.create_connection(('127.0.0.1', {port}))") == "PermissionError"
        attempt = f"import socket; socket.socket(socket.AF_UNIX).connect({name!r})"
        assert refused(child, attempt) == "ConnectionRefusedError"


@pytest.mark.parametrize("folder", ["/", "/usr", "/lab/labutils", "/etc", "/dev", "/proc", "/home", sys.prefix])
def test_the_system_is_read_only(child, folder):
    assert refused(child, f"open({folder + '/new'!r}, 'w')") in ("OSError", "PermissionError", "FileNotFoundError")


@pytest.mark.parametrize(
    "name, arguments",
    [
        ("mount", "b'tmpfs', b'/tmp', b'tmpfs', 0, None"),
        ("umount2", "b'/tmp', 2"),
        ("unshare", "0x10000000"),
        ("setns", "3, 0"),
        ("chroot", "b'/tmp'"),
        ("ptrace", "16, 1, 0, 0"),
        ("process_vm_readv", "1, None, 0, None, 0, 0"),
        ("memfd_create", "b'x', 0"),
        ("shmget", "0, 4096, 0o1600"),
        ("personality", "0x0040000"),
        ("prctl", "4, 0"),
        ("syscall", "425, 8, None"),
        ("syscall", "321, 0, None, 0"),
    ],
)
def test_calls_that_no_notebook_needs(child, name, arguments):
    source = f"""
        import ctypes
        c = ctypes.CDLL(None, use_errno=True)
        answer = [c.{name}({arguments}), ctypes.get_errno()]
    """
    assert ask(child, source) == [-1, 1]


def test_no_capability_is_left(child):
    status = ask(child, "answer = open('/proc/self/status').read()")
    held = {line.split()[0]: int(line.split()[1], 16) for line in status.splitlines() if line.startswith("Cap")}
    assert len(held) == 5 and set(held.values()) == {0}
    assert "NoNewPrivs:\t1" in status and "Seccomp:\t2" in status


def test_the_first_process_and_the_zygote_are_out_of_reach(sandbox, child):
    for process in (1, psutil.Process(sandbox._zygote._process.pid).pid):
        assert refused(child, f"open('/proc/{process}/mem', 'r+b')") in ("PermissionError", "FileNotFoundError")
    before = [process.pid for process in processes_of(sandbox)][:2]
    ask(
        child,
        """
        import os
        for number in [-1, *range(1, 400)]:
            if number != os.getpid():
                try:
                    os.kill(number, 9)
                except OSError:
                    pass
        """,
    )
    child.kill()
    assert ask(sandbox.start(), "answer = 5") == 5
    assert [process.pid for process in processes_of(sandbox)][:2] == before


# What it cannot use up


def test_the_private_folder_has_a_size(child):
    source = """
        import errno
        try:
            for n in range(100):
                with open(f"{place}/{n}", "wb") as file:
                    file.write(bytes(1_000_000))
        except OSError as error:
            answer = [n, error.errno == errno.ENOSPC]
    """
    first = [
        ask(child, f"place = {place!r}" + textwrap.dedent(source)) for place in ("/tmp", "/home/student", "/dev/shm")
    ]
    assert first == [[16, True], [0, True], [0, True]] or [found[1] for found in first] == [True] * 3
    assert sum(found[0] for found in first) <= 17


def test_a_file_has_a_size(child):
    assert refused(child, "open('x', 'wb').write(bytes(9_000_000))") == "OSError"


def test_memory_of_one_process_ends_politely(child):
    assert refused(child, "bytearray(1_500_000_000)") == "MemoryError"
    assert ask(child, "answer = 5") == 5


def test_memory_of_several_processes_ends_it(child):
    tell(
        child,
        """
        import os, time
        for n in range(8):
            if os.fork() == 0:
                held = b"x" * 150_000_000
                time.sleep(10_000)
        time.sleep(10_000)
        """,
    )
    assert child.wait(SECONDS).reason == "memory"


def test_memory_shared_between_processes_counts_too(child):
    tell(
        child,
        """
        import os, time
        for n in range(3):
            held = b"x" * 300_000_000
            if os.fork() == 0:
                time.sleep(10_000)
            pid = os.fork()
            if pid:
                time.sleep(10_000)
            del held
        time.sleep(10_000)
        """,
    )
    assert child.wait(SECONDS).reason == "memory"


def test_a_fork_bomb_is_bounded_and_over(sandbox, child):
    tell(
        child,
        """
        import os
        while True:
            try:
                os.fork()
            except OSError:
                pass
        """,
    )
    wait_until(lambda: len(processes_of(sandbox)) >= 16)
    assert len(processes_of(sandbox)) <= 16 + 3
    child.kill()
    assert len(processes_of(sandbox)) == 2


def test_cpu_time_ends_it():
    with sandbox_of(Limits(cpu_seconds=2)) as sandbox:
        child = sandbox.start()
        tell(child, "import os\nos.fork()\nwhile True: pass")
        ending = child.wait(SECONDS)
    assert ending.reason == "cpu" and ending.cpu_seconds >= 2


# How it ends


def test_an_interruption_is_a_keyboard_interrupt(child):
    tell(
        child,
        """
        import time
        try:
            conversation.send(b'{"answer": "in"}\\n')
            time.sleep(10_000)
        except KeyboardInterrupt:
            answer = "interrupted"
        """,
    )
    assert hear(child) == "in"
    child.interrupt()
    assert hear(child) == "interrupted"


def test_a_loop_that_ignores_signals_is_killed(child):
    tell(
        child,
        """
        import signal
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGXCPU):
            signal.signal(number, signal.SIG_IGN)
        conversation.send(b'{"answer": "in"}\\n')
        while True:
            pass
        """,
    )
    assert hear(child) == "in"
    child.interrupt()
    ending = child.kill()
    assert ending.reason == "killed" and child.kill() is ending and child.wait(0) is ending


def test_a_daemon_does_not_outlive_it(sandbox, child):
    ask(
        child,
        """
        import os, time
        if os.fork() == 0:
            os.setsid()
            if os.fork() == 0:
                time.sleep(10_000)
            os._exit(0)
        answer = os.wait()
        """,
    )
    assert len(processes_of(sandbox)) == 5
    tell(child, "import os; os._exit(7)")
    ending = child.wait(SECONDS)
    assert (ending.reason, ending.status) == ("exited", 7)
    assert len(processes_of(sandbox)) == 2


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGSEGV, signal.SIGTERM, signal.SIGABRT])
def test_a_signal_is_told(child, number):
    tell(child, f"import os; os.kill(os.getpid(), {int(number)})")
    ending = child.wait(SECONDS)
    assert (ending.reason, ending.signal) == ("signal", number)


@pytest.mark.parametrize("main, status", [("probe:leave", 0), ("probe:fail", 1)])
def test_a_main_that_returns_or_raises(main, status):
    with sandbox_of(main=main) as sandbox:
        ending = sandbox.start().wait(SECONDS)
    assert (ending.reason, ending.status) == ("exited", status)


def test_what_it_used_is_told(child):
    ask(
        child,
        "held = b'x' * 200_000_000\nimport time\nend = time.process_time() + 0.5\nwhile time.process_time() < end: pass",
    )
    ending = child.kill()
    assert 0.5 <= ending.cpu_seconds < 3 and 200 <= ending.megabytes < 400


def test_running_still(child):
    assert child.wait(0) is None


# What the next one does not get


def test_nothing_leaks_from_one_child_to_the_next(sandbox):
    look = """
        import os, random, signal, sys, threading, numpy, torch
        answer = [
            random.random(), numpy.random.rand(), torch.rand(1).item(), threading.active_count(), torch.get_num_threads(),
            os.listdir("/tmp"), os.listdir("/dev/shm"), os.listdir("."), str(signal.getsignal(signal.SIGUSR1)),
            dict(os.environ), os.getcwd(), "xmlrpc" in sys.modules, sys.path, os.umask(0o22), hash("x"), numpy.geterr(),
            str(torch.get_default_dtype()), os.getpid(),
        ]
    """
    spoil = """
        import tempfile, time
        threading.Thread(target=time.sleep, args=(10_000,), daemon=True).start()
        tempfile.mkstemp(); open("/dev/shm/x", "w"); open("x", "w")
        signal.signal(signal.SIGUSR1, signal.SIG_IGN)
        os.environ["X"] = "1"; os.chdir("/"); sys.path.append("/"); os.umask(0); numpy.seterr(all="raise")
        torch.set_default_dtype(torch.float64); torch.set_num_threads(4)
        import xmlrpc
        random.seed(1)
    """
    first = sandbox.start()
    seen = ask(first, look)
    ask(first, spoil)
    assert ask(sandbox.start(), look) == seen


def test_torch_with_several_threads_after_the_fork(sandbox):
    compute = """
        import torch
        torch.set_num_threads(4)
        weights = torch.ones(400, 400, requires_grad=True)
        (torch.ones(400, 400) @ weights).sum().backward()
        answer = weights.grad[0, 0].item()
    """
    for _ in range(3):
        assert ask(sandbox.start(), compute) == 400


def test_subprocesses_threads_callbacks_and_files_work(child):
    source = """
        import asyncio, ctypes, multiprocessing, subprocess, threading
        compare = ctypes.CFUNCTYPE(ctypes.c_int, ctypes.c_int)(lambda n: n + 1)
        told = []
        thread = threading.Thread(target=told.append, args=(1,)); thread.start(); thread.join()
        said = subprocess.run("echo $HOME; whoami", shell=True, capture_output=True, text=True).stdout
        answer = [compare(1), told, said, asyncio.run(asyncio.sleep(0, 3))]
    """
    assert ask(child, source) == [2, [1], "/home/student\nstudent\n", 3]


# What is left


@pytest.fixture
def left_over(tmp_path, monkeypatch):
    """What there is more than before, of mounts and of files in the folder for temporary ones."""
    folder = tmp_path / "temporary"
    folder.mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(folder))
    monkeypatch.setenv("TMPDIR", str(folder))
    before = mounts()
    return lambda: (mounts() - before, list(folder.iterdir()))


def test_close_leaves_nothing(left_over):
    with sandbox_of() as sandbox:
        # The second one stays and is silent: an answer of its own could come with the first one's.
        ask(sandbox.start(), "import os, signal; os.fork() or (os.setsid(), signal.pause()); answer = 1")
        processes = processes_of(sandbox)
        assert len(processes) == 5
    assert not any(process.is_running() for process in processes)
    assert left_over() == ({}, [])
    sandbox.close()


def test_a_killed_grader_leaves_nothing(tmp_path, left_over):
    holder = tmp_path / "holder.py"
    holder.write_text(
        "from grader.sandbox.launching import Sandbox\n"
        "from pathlib import Path\n"
        f"sandbox = Sandbox(main='probe:run', import_from=Path({str(PROBES)!r}))\n"
        "child = sandbox.start()\n"
        "print('started', flush=True)\n"
        "input()\n"
    )
    environment = {**os.environ, "PYTHONPATH": str(CHECKOUT)}
    with subprocess.Popen(
        [sys.executable, holder], stdin=subprocess.PIPE, stdout=subprocess.PIPE, env=environment
    ) as running:
        assert running.stdout.readline() == b"started\n"
        processes = psutil.Process(running.pid).children(recursive=True)
        assert len(processes) == 5
        running.kill()
    wait_until(lambda: not any(process.is_running() for process in processes))
    assert left_over() == ({}, [])


@pytest.mark.parametrize("during", [False, True])
def test_a_zygote_that_died_is_started_again(during):
    with sandbox_of() as sandbox:
        child = sandbox.start()
        if not during:
            child.kill()
        processes_of(sandbox)[-1 if not during else 1].kill()
        if during:
            assert child.wait(SECONDS) == Ending("lost")
        assert ask(sandbox.start(), "answer = 5") == 5


def test_a_zygote_that_cannot_start_says_why():
    with (
        sandbox_of(main="missing:main") as sandbox,
        pytest.raises(SandboxUnavailable, match="No module named 'missing'"),
    ):
        sandbox.start()


def test_without_bubblewrap_it_says_what_to_install(monkeypatch, tmp_path):
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(SandboxUnavailable, match="apt install bubblewrap"):
        Sandbox()


def test_unsafe_runs_the_same_without_protection(monkeypatch):
    monkeypatch.setenv("PATH", os.defpath)
    with sandbox_of(unsafe=True) as sandbox:
        first = sandbox.start()
        folder = ask(first, "import os; answer = os.getcwd()")
        assert os.path.isdir(folder)
        tell(first, "while True: pass")
        assert first.kill().reason == "killed" and not os.path.exists(folder)
        assert ask(sandbox.start(), "answer = 5") == 5


def test_limits_go_through_json():
    limits = Limits(memory=5, cell_seconds=0.5)
    assert Limits.from_json(json.loads(json.dumps(limits.to_json()))) == limits
