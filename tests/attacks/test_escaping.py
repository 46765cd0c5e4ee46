"""Submissions that want out: by links and names, by calls of the system, by sockets, and by outliving their cell."""

import os

import pytest

from tests.attacks.arena import Arena, Attack

LAYERS = [
    Attack(
        "makes every call of the system that opens a way out",
        """
import ctypes, errno, pyseccomp
libc = ctypes.CDLL(None, use_errno=True)
calls = {
    "unshare": (0x10000000,), "setns": (0, 0), "mount": (b"/", b"/tmp", b"tmpfs", 0, 0), "umount2": (b"/tmp", 2),
    "pivot_root": (b"/", b"/tmp"), "chroot": (b"/tmp",), "open_by_handle_at": (0, 0, 0), "clone3": (0, 0),
    "open_tree": (-100, b"/", 1), "fsopen": (b"tmpfs", 0), "move_mount": (0, 0, 0, 0, 0),
    "ptrace": (0, 0, 0, 0), "process_vm_readv": (1, 0, 0, 0, 0, 0), "pidfd_getfd": (0, 0, 0), "kcmp": (1, 1, 0, 0, 0),
    "memfd_create": (b"x", 0), "shmget": (0, 4096, 0o1600), "msgget": (0, 0o1600), "mq_open": (b"x", 0o102, 0o600, 0),
    "bpf": (0, 0, 0), "perf_event_open": (0, 0, 0, 0, 0), "userfaultfd": (0,), "io_uring_setup": (1, 0),
    "keyctl": (0, -3, 1), "add_key": (b"user", b"x", b"x", 1, -3), "request_key": (b"user", b"x", 0, -3),
    "init_module": (0, 0, b""), "kexec_load": (0, 0, 0, 0), "sethostname": (b"mine", 4), "syslog": (3, 0, 0),
}
for name, arguments in calls.items():
    number = pyseccomp.resolve_syscall(pyseccomp.Arch.NATIVE, name)
    assert number >= 0, name
    ctypes.set_errno(0)
    result = libc.syscall(number, *arguments)
    if result >= 0 or ctypes.get_errno() not in (errno.EPERM, errno.ENOSYS):
        print("{FOUND}", name, result, ctypes.get_errno())
for flag in (0x00020000, 0x10000000, 0x20000000, 0x40000000, 0x80):
    number = pyseccomp.resolve_syscall(pyseccomp.Arch.NATIVE, "clone")
    if libc.syscall(number, flag | 17, 0, 0, 0, 0) >= 0:
        print("{FOUND}", "clone", flag)
print("tried", "all")
""",
        ran="tried all",
    ),
    Attack(
        "enters the kernel by its old door, which another filter would have to guard",
        """
import ctypes, mmap, platform
if platform.machine() == "x86_64":
    # mov eax, 310 (unshare, of 32 bits); mov ebx, CLONE_NEWUSER; int 0x80; ret
    code = bytes.fromhex("b836010000 bb00000010 cd80 c3")
    memory = mmap.mmap(-1, 4096, prot=mmap.PROT_READ | mmap.PROT_WRITE | mmap.PROT_EXEC)
    memory.write(code)
    address = ctypes.addressof(ctypes.c_char.from_buffer(memory))
    if ctypes.CFUNCTYPE(ctypes.c_int)(address)() == 0:
        print("{FOUND}")
import os
os._exit(0)
""",
        says="Python itself ended",
    ),
    Attack(
        "becomes somebody else, or more than it is",
        """
import os, resource
from pathlib import Path
attempts = {
    "root": lambda: os.setuid(0), "the group of root": lambda: os.setgid(0), "groups": lambda: os.setgroups([0]),
    "all users": lambda: os.setresuid(0, 0, 0), "quick": lambda: os.nice(-20), "owner": lambda: os.chown("/tmp", 0, 0),
    "in real time": lambda: os.sched_setscheduler(0, os.SCHED_FIFO, os.sched_param(50)),
    "without limits": lambda: resource.setrlimit(resource.RLIMIT_NPROC, (10**6, 10**6)),
    "with all memory": lambda: resource.prlimit(1, resource.RLIMIT_AS, (-1, -1)),
    "a device": lambda: os.mknod("device", 0o60600, os.makedev(8, 0)),
    "mapped": lambda: Path("/proc/self/uid_map").write_text("0 0 1"),
    "immortal": lambda: Path("/proc/self/oom_score_adj").write_text("-1000"),
    "the core's program": lambda: Path("/proc/sys/kernel/core_pattern").write_text("|/tmp/x"),
    "a cgroup": lambda: os.mkdir("/sys/fs/cgroup/{MARK}"),
}
for name, attempt in attempts.items():
    try:
        attempt()
        print("{FOUND}", name)
    except (OSError, ValueError):
        pass
for program in ("su -c true", "sudo -n true", "mount -t tmpfs x /tmp", "unshare -r true", "bwrap --bind / / true", "newuidmap 1 0 0 1"):
    if os.system(f"{program} </dev/null >/dev/null 2>&1") == 0:
        print("{FOUND}", program)
os.chmod("/tmp", 0o7777)
print("tried", "all", os.getuid() != 0)
""",
        ran="tried all True",
    ),
    Attack(
        "opens sockets of every kind, and knocks at the doors of the machine",
        """
import os, socket
families = {name: getattr(socket, name) for name in dir(socket) if name.startswith("AF_")}
for name, family in families.items():
    for kind in (socket.SOCK_STREAM, socket.SOCK_DGRAM, socket.SOCK_RAW, socket.SOCK_SEQPACKET):
        try:
            socket.socket(family, kind).close()
            if family != socket.AF_UNIX:
                print("{FOUND}", name)
        except OSError:
            pass
for host in ("127.0.0.1", "localhost", "::1"):
    try:
        socket.create_connection((host, {PORT}), 1)
        print("{FOUND}", host)
    except OSError:
        pass
try:
    print("{FOUND}", socket.getaddrinfo("example.org", 80))
except OSError:
    pass
for address in ("\\0{MARK}", "{DOOR}", "/run/dbus/system_bus_socket", "/var/run/docker.sock", "/run/systemd/journal/socket"):
    for kind in (socket.SOCK_STREAM, socket.SOCK_DGRAM):
        try:
            socket.socket(socket.AF_UNIX, kind).connect(address)
            print("{FOUND}", address)
        except OSError:
            pass
print("tried", len(families) > 5)
""",
        ran="tried True",
    ),
    Attack(
        "writes where it may not, through links of every kind",
        """
import os, sys, numpy, labutils
folders = ["/", "/usr/bin", "/etc", "/lab", "/lab/labutils/checks", sys.prefix, os.path.dirname(numpy.__file__), "/var"]
folders += ["/dev", "/run", "/sys", "/proc/sys/kernel", "/home", "/private/..", "/proc/1/root/lab", "/proc/1/cwd", "{COURSE}"]
os.symlink("/lab/labutils/checks", "linked")
for folder in (*folders, "linked", "linked/../../grader"):
    try:
        open(f"{folder}/{MARK}", "w").close()
        print("{FOUND}", folder)
    except OSError:
        pass
targets = [labutils.__file__, labutils.checks.__file__, numpy.__file__, "/etc/passwd", sys.executable, "/lab/grader/sandbox/wire.py"]
for number, target in enumerate(targets):
    for attempt in (
        lambda: open(target, "r+b").close(),
        lambda: os.link(target, f"hard-{number}"),
        lambda: os.rename(target, f"{target}.old"),
        lambda: os.chmod(target, 0o777),
        lambda: os.utime(target),
    ):
        try:
            attempt()
            print("{FOUND}", target)
        except OSError:
            pass
print("tried", "all")
""",
        ran="tried all",
    ),
]

NAMES = [
    Attack(
        "hands in files with names that lead out, and odd ones",
        "import os\nprint('beside', sorted(os.listdir('.')))\n"
        "print('{FOUND}' if os.path.exists('/etc/left') or os.path.exists('/lab/left') else 'none')",
        files={
            "../left": b"x",
            "../../../../etc/left": b"x",
            "/etc/left": b"x",
            "/lab/left": b"x",
            "folder/../../../lab/left": b"x",
            "a line\nand another": b"x",
            "\udcff\udcfe": b"x",
            "x" * 300: b"x",
            "/".join("x" * 2000): b"x",
            "<script>alert(1)</script>.txt": b"x",
            "-rf *": b"x",
        },
        ran="beside ['",
        says="There was no place beside the notebook",
    ),
    Attack(
        "hands in modules with the names of others",
        "import json, random, secrets, sys\nprint('shadowed', 'shadow' in dir(secrets))",
        files={
            f"{name}.py": b"shadow = True\nopen('/tmp/{MARK}', 'w').close()"
            for name in (
                *("torch", "numpy/__init__", "labutils/__init__", "labutils/checks/__init__", "json", "secrets"),
                *("sitecustomize", "usercustomize", "grader/sandbox/wire", "grader/__init__", "IPython/__init__"),
            )
        },
        ran="shadowed",
    ),
    Attack(
        "hands in more than its folder can hold",
        "import os\nprint('beside', len(os.listdir('.')))",
        files={**{f"{number}.bin": bytes(9_000_000) for number in range(5)}, "whole.bin": bytes(20_000_000)},
        ran="beside",
        says="There was no place beside the notebook",
    ),
]

OUTLIVING = [
    Attack(
        "leaves processes that wait, and then reach for the machine",
        """
import os, signal, time
for number in range(3):
    if os.fork() == 0:
        os.setsid()
        if os.fork() == 0:
            for name in set(signal.Signals) - {signal.SIGKILL, signal.SIGSTOP}:
                signal.signal(name, signal.SIG_IGN)
            while True:
                time.sleep(0.1)
                for place in ("{COURSE}", "/tmp", "/dev/shm", "/home/student", "/lab"):
                    try:
                        open(f"{place}/{MARK}", "w").close()
                    except OSError:
                        pass
        os._exit(0)
    os.wait()
!nohup setsid sleep 3600 >/dev/null 2>&1 &
print("left", "behind")
""",
        ran="left behind",
    ),
    Attack(
        "leaves threads that answer for what comes later",
        """
import threading, time
def later():
    while True:
        time.sleep(0.01)
        globals()["smooth"] = lambda losses, beta: losses
        try:
            check(smooth)
        except RuntimeError as error:
            said.append(str(error))
said = []
threading.Thread(target=later, daemon=True).start()
while not said:
    time.sleep(0.01)
print(said[0])
""",
        ran="not in a thread",
    ),
    Attack(
        "leaves what is to run at the end, or at the next signal, trace or import",
        """
import atexit, os, signal, sys, time
atexit.register(lambda: open("/tmp/{MARK}", "w").close())
signal.signal(signal.SIGALRM, lambda *_: os._exit(3))
signal.setitimer(signal.ITIMER_REAL, 0.001, 0.001)
sys.settrace(lambda *_: None)
class Finder:
    def find_spec(self, *_): raise SystemExit
sys.meta_path.insert(0, Finder())
time.sleep(0.1)
""",
        says="Python itself ended",
    ),
]


@pytest.mark.parametrize("attack", LAYERS, ids=str)
def test_a_cell_that_wants_out(arena: Arena, attack: Attack):
    arena.withstands(attack)


@pytest.mark.parametrize("attack", NAMES, ids=str)
def test_files_beside_a_notebook_stay_there(arena: Arena, attack: Attack):
    arena.withstands(attack)
    assert not os.path.exists("/etc/left")


@pytest.mark.parametrize("attack", OUTLIVING, ids=str)
def test_nothing_outlives_its_notebook(arena: Arena, attack: Attack):
    arena.withstands(attack)
