"""What a forked child does to itself before the notebook runs. Each function is one layer."""

import ctypes
import os
import resource
import socket
from collections.abc import Iterable
from pathlib import Path

from grader.sandbox.limits import Limits

HOME = "/home/student"
# The child's private folder. Nothing else can be written to: its parts are mounted over HOME, /tmp and /dev/shm.
PRIVATE = "/private"
PARTS = {"home": HOME, "tmp": "/tmp", "shm": "/dev/shm"}
USER = 1000

_CLONE_NEWNS, _CLONE_NEWUTS, _CLONE_NEWIPC = 0x00020000, 0x04000000, 0x08000000
_CLONE_NEWUSER, _CLONE_NEWPID, _CLONE_NEWNET = 0x10000000, 0x20000000, 0x40000000
_CLONE_NEWCGROUP, _CLONE_NEWTIME = 0x02000000, 0x00000080
_NAMESPACES = _CLONE_NEWUSER | _CLONE_NEWNS | _CLONE_NEWPID | _CLONE_NEWIPC | _CLONE_NEWNET | _CLONE_NEWUTS
_MS_NOSUID, _MS_NODEV, _MS_NOEXEC, _MS_BIND, _MS_REC = 2, 4, 8, 4096, 16384
_PR_SET_DUMPABLE, _PR_CAPBSET_READ, _PR_CAPBSET_DROP, _PR_SET_CHILD_SUBREAPER = 4, 23, 24, 36
_PR_CAP_AMBIENT, _PR_CAP_AMBIENT_CLEAR_ALL, _PR_SET_NO_NEW_PRIVS = 47, 4, 38
_CAPABILITY_VERSION_3 = 0x20080522
_BYTES_OF_AN_INODE = 4096

_libc = ctypes.CDLL(None, use_errno=True)


def adopt_orphans() -> None:
    """Whatever loses its parent below this process becomes its child."""
    _prctl(_PR_SET_CHILD_SUBREAPER, 1)


def become(user: int) -> None:
    """Root becomes an ordinary user for good: a limit on processes does not bind root.

    It takes a fresh /proc along. The one that bubblewrap mounts for root has parts covered, and the kernel lets nobody
    in a user namespace of his own mount another beside a covered one.
    """
    _mount("proc", "/proc", "proc", _MS_NOSUID | _MS_NODEV | _MS_NOEXEC)
    os.setgroups([])
    os.setresgid(user, user, user)
    os.setresuid(user, user, user)
    be_readable(True)


def be_readable(readable: bool) -> None:
    """Whether processes of the same user may look at this one's memory, and change it."""
    _prctl(_PR_SET_DUMPABLE, int(readable))


def leave() -> None:
    """Into namespaces of its own; the next process that is forked is the first in them."""
    user, group = os.getuid(), os.getgid()
    _check(_libc.unshare(_NAMESPACES), "unshare")
    _write("/proc/self/setgroups", "deny")
    _write("/proc/self/gid_map", f"{USER} {group} 1")
    _write("/proc/self/uid_map", f"{USER} {user} 1")


def furnish(limits: Limits, keep: Iterable[str]) -> None:
    """A private folder of limited size, and a /proc that shows only its own processes.

    `keep` names the folders that must stay visible where the private folder covers what they lie in.
    """
    size = f"size={limits.folder},nr_inodes={limits.folder // _BYTES_OF_AN_INODE},mode=0755"
    _mount("tmpfs", PRIVATE, "tmpfs", _MS_NOSUID | _MS_NODEV, size)
    for part, place in PARTS.items():
        source = f"{PRIVATE}/{part}"
        os.mkdir(source)
        for folder in keep:
            if Path(folder).is_relative_to(place):
                inside = os.path.join(source, os.path.relpath(folder, place))
                os.makedirs(inside, exist_ok=True)
                _mount(folder, inside, None, _MS_BIND | _MS_REC)
        _mount(source, place, None, _MS_BIND | _MS_REC)
    _mount("proc", "/proc", "proc", _MS_NOSUID | _MS_NODEV | _MS_NOEXEC)
    socket.sethostname("sandbox")


def limit(limits: Limits) -> None:
    """Limits that the kernel keeps for each process, but for the processes themselves, which it counts together."""
    # Where memory runs out on the whole machine, the kernel is to end the notebook and nobody else.
    _write("/proc/self/oom_score_adj", "1000")
    pages = int(Path("/proc/self/statm").read_text().split()[0])
    # The first in the namespace counts as well, and is none of the notebook's.
    processes = limits.processes + 1
    cpu = max(1, round(limits.cpu_seconds))
    for kind, soft, hard in (
        (resource.RLIMIT_AS, pages * resource.getpagesize() + limits.memory, None),
        (resource.RLIMIT_CPU, cpu, cpu + 5),
        (resource.RLIMIT_FSIZE, limits.file, None),
        (resource.RLIMIT_NPROC, processes, None),
        (resource.RLIMIT_NOFILE, limits.open_files, None),
        (resource.RLIMIT_CORE, 0, None),
        (resource.RLIMIT_MSGQUEUE, 0, None),
        (resource.RLIMIT_MEMLOCK, 0, None),
    ):
        resource.setrlimit(kind, (soft, soft if hard is None else hard))


def drop_capabilities() -> None:
    """No capability, now or ever, not even inside the namespace of its own."""
    capability = 0
    while _libc.prctl(_PR_CAPBSET_READ, *map(ctypes.c_ulong, (capability, 0, 0, 0))) == 1:
        _prctl(_PR_CAPBSET_DROP, capability)
        capability += 1
    _prctl(_PR_CAP_AMBIENT, _PR_CAP_AMBIENT_CLEAR_ALL)
    header = (ctypes.c_uint32 * 2)(_CAPABILITY_VERSION_3, 0)
    _check(_libc.capset(header, (ctypes.c_uint32 * 6)()), "capset")
    _prctl(_PR_SET_NO_NEW_PRIVS, 1)


def _prctl(option: int, argument: int) -> None:
    _check(_libc.prctl(option, *map(ctypes.c_ulong, (argument, 0, 0, 0))), "prctl")


def _mount(source: str, target: str, kind: str | None, flags: int, data: str | None = None) -> None:
    source, target, kind, data = (None if text is None else os.fsencode(text) for text in (source, target, kind, data))
    _check(_libc.mount(source, target, kind, ctypes.c_ulong(flags), data), f"mount {os.fsdecode(target)}")


def _check(result: int, what: str) -> None:
    if result != 0:
        number = ctypes.get_errno()
        raise OSError(number, f"{what}: {os.strerror(number)}")


def _write(path: str, text: str) -> None:
    Path(path).write_text(text)
