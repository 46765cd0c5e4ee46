"""Starts sandboxes and hands out children: the grader's side."""

import json
import os
import platform
import re
import select
import shutil
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Literal, Self

import psutil

from grader.sandbox import bubble, warm
from grader.sandbox.limits import DEFAULTS, Limits
from grader.sandbox.settings import Settings

MAIN = "grader.sandbox.child:main"
_OLDEST_KERNEL = (5, 14)  # from here on a limit on processes counts those in its namespace alone
_HIGHEST_USER = 2_000_000_000
_SECONDS_TO_CLOSE = 10
_WARM_UP_SECONDS = 300
_END_OF_STDERR = 2_000


WITHOUT = "Or grade in a container that allows it, or without any protection by --unsafe."
NOT_LINUX = f"A sandbox needs Linux, and this is {{system}}. {WITHOUT}"
OLD_KERNEL = f"The sandbox needs Linux {{needed}} or newer, and this is {{found}}. {WITHOUT}"
NO_BUBBLEWRAP = (
    "The program bwrap is missing, which gives submissions a file system of their own. Install bubblewrap, by "
    f"`apt install bubblewrap` or `dnf install bubblewrap`. {WITHOUT}"
)
NO_SECCOMP = (
    "The filter of system calls is missing. Install the library libseccomp, by `apt install libseccomp2` or "
    f"`dnf install libseccomp`, and the package pyseccomp, by `python -m pip install pyseccomp`. {WITHOUT}"
)
NO_NAMESPACES = (
    "This system does not let you make user namespaces, which separate submissions from the machine. Whoever "
    "administers it allows them by `sysctl -w user.max_user_namespaces=10000`, on Debian also by `sysctl -w "
    "kernel.unprivileged_userns_clone=1`, on Ubuntu also by `sysctl -w "
    f"kernel.apparmor_restrict_unprivileged_userns=0`. {WITHOUT} It stopped with:\n{{words}}"
)
NO_START = f"The sandbox does not start. {WITHOUT} It stopped with:\n{{words}}"
_SIGNS_OF_NO_NAMESPACES = ("namespace", "uid map", "unshare", "Operation not permitted")


class SandboxUnavailable(Exception):
    """This machine cannot provide a sandbox. The text names the layer that is missing, and the way out."""


class SandboxLost(Exception):
    """The sandbox was ended from outside, by the system or by somebody, while something ran in it."""


class _Lost(Exception):
    """The zygote has ended, or does not answer."""


@dataclass(frozen=True)
class Ending:
    """How a child ended. `status` is there when it exited by itself, `signal` when one ended it.

    "memory" and "cpu": it exceeded that limit. "lost": the sandbox itself was ended, by the system or by somebody.
    `megabytes` is the peak of what its processes had in use together, as far as it was seen.
    """

    reason: Literal["exited", "signal", "killed", "memory", "cpu", "lost"]
    status: int | None = None
    signal: int | None = None
    cpu_seconds: float = 0.0
    megabytes: float = 0.0


class _Zygote:
    """The process in the sandbox, and the socket on which it takes orders. Its messages are lines of JSON."""

    def __init__(self, words: list[str], files: list[int], environment: dict[str, str]) -> None:
        self._unread = b""
        self._inside: list[psutil.Process] = []
        self._stderr = tempfile.TemporaryFile()
        self._socket, theirs = socket.socketpair()
        with theirs:
            self._process = subprocess.Popen(
                words,
                stdin=theirs,
                stdout=subprocess.DEVNULL,
                stderr=self._stderr,
                env=environment,
                pass_fds=files,
                cwd="/",
            )

    def is_alive(self) -> bool:
        return self._process.poll() is None

    def wait_until_ready(self) -> bool:
        """Whether it became ready in time."""
        ready = self.hear(_WARM_UP_SECONDS) is not None
        with suppress(psutil.NoSuchProcess):  # killed at this moment; the next request tells
            self._inside = psutil.Process(self._process.pid).children(recursive=True)
        return ready

    def ask(self, request: str, *descriptors: int) -> None:
        line = json.dumps({"request": request}).encode() + b"\n"
        try:
            socket.send_fds(self._socket, [line], descriptors)
        except OSError as error:
            raise _Lost from error

    def hear(self, timeout: float | None) -> dict | None:
        """The next message; None if none comes within so many seconds."""
        end = None if timeout is None else time.monotonic() + timeout
        while b"\n" not in self._unread:
            left = None if end is None else max(0.0, end - time.monotonic())
            if not select.select([self._socket], [], [], left)[0]:
                return None
            try:
                data = self._socket.recv(65536)
            except OSError as error:
                raise _Lost from error
            if not data:
                raise _Lost
            self._unread += data
        line, _, self._unread = self._unread.partition(b"\n")
        return json.loads(line)

    def last_words(self) -> str:
        """The end of what it wrote on its standard error."""
        size = self._stderr.seek(0, os.SEEK_END)
        self._stderr.seek(max(0, size - _END_OF_STDERR))
        return self._stderr.read().decode(errors="replace").strip()

    def close(self) -> None:
        """It ends with its socket, and with it all that runs in the sandbox."""
        self._socket.close()
        try:
            self._process.wait(_SECONDS_TO_CLOSE)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        # Bubblewrap's outer process does not wait for the last of its inner ones.
        psutil.wait_procs(self._inside, _SECONDS_TO_CLOSE)
        self._stderr.close()


class Child:
    """One that runs. `socket` is the grader's end of the conversation with it."""

    def __init__(self, conversation: socket.socket, zygote: "_Zygote") -> None:
        self.socket = conversation
        self._zygote = zygote
        self._ending: Ending | None = None

    def interrupt(self) -> None:
        """A KeyboardInterrupt in whatever the notebook runs now."""
        if self._ending is None:
            with suppress(_Lost):  # `wait` and `kill` say so
                self._zygote.ask("interrupt")

    def kill(self) -> Ending:
        """End all that it started, and wait until it is gone. Does nothing more when it has ended."""
        if self._ending is None:
            with suppress(_Lost):
                self._zygote.ask("kill")
        return self.wait(None)

    def wait(self, timeout: float | None) -> Ending | None:
        """How it ended; None when it still runs after `timeout` seconds. None of its processes is left then."""
        if self._ending is None:
            try:
                ended = self._zygote.hear(timeout)
            except _Lost:
                self._ending = Ending("lost")
            else:
                self._ending = Ending(**ended["ending"]) if ended else None
        return self._ending


class Sandbox:
    """A warm zygote that forks children, one at a time. Not for several threads at once.

    The sandbox ends with the thread that started it. `hidden` are folders that no child may see, wherever they lie.
    `unsafe` is the same without any protection, for machines that offer none; it is never chosen but by its name.
    A child runs `main`, given as "module:function", with its end of the conversation and the limits; `import_from` is a
    folder in which that module is looked for after the lab's own.
    """

    def __init__(
        self,
        limits: Limits = DEFAULTS,
        *,
        unsafe: bool = False,
        hidden: Iterable[Path] = (),
        main: str = MAIN,
        import_from: Path | None = None,
    ) -> None:
        self._limits = limits
        self._unsafe = unsafe
        self._hidden = tuple(hidden)
        self._main = main
        self._import_from = import_from
        self._zygote: _Zygote | None = None
        self._child: Child | None = None
        if not unsafe:
            _demand_layers()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self.close()

    def warm_up(self) -> None:
        """Start the zygote now; `start` does it otherwise."""
        if self._zygote and self._zygote.is_alive():
            return
        for _ in (1, 2):
            self._retire()
            self._zygote = self._launched()
            try:
                if self._zygote.wait_until_ready():
                    return
                raise SandboxUnavailable(f"The sandbox was not ready after {_WARM_UP_SECONDS} s.")
            except _Lost:
                words = self._zygote.last_words()
        raise SandboxUnavailable(_explained(words))

    def start(self) -> Child:
        """A new child; the one before is killed. Raises SandboxUnavailable."""
        if self._child:
            self._child.kill()
            self._child.socket.close()
            self._child = None
        for _ in (1, 2):
            self.warm_up()
            with suppress(_Lost):
                self._child = self._forked()
                return self._child
        raise SandboxUnavailable(_explained(self._zygote.last_words()))

    def close(self) -> None:
        """Nothing is left of it: no process, no mount, no file."""
        if self._child:
            self._child.kill()
            self._child.socket.close()
            self._child = None
        self._retire()

    def _retire(self) -> None:
        if self._zygote:
            self._zygote.close()
            self._zygote = None

    def _forked(self) -> Child:
        ours, theirs = socket.socketpair()
        with theirs:
            try:
                self._zygote.ask("start", theirs.fileno())
                answer = self._zygote.hear(None)
            except _Lost:
                ours.close()
                raise
        if answer["event"] == "failed":
            ours.close()
            raise SandboxUnavailable(_explained(answer["why"]))
        return Child(ours, self._zygote)

    def _launched(self) -> _Zygote:
        user = None if self._unsafe else _ordinary_user()
        settings = Settings(
            limits=self._limits,
            main=self._main,
            modules=warm.modules(),
            keep=() if self._unsafe else bubble.kept(),
            user=user,
            confined=not self._unsafe,
        )
        zygote = [sys.executable, "-m", "grader.sandbox.zygote", settings.to_json()]
        if self._unsafe:
            return _Zygote(zygote, [], bubble.bare_environment(self._import_from))
        words, files = bubble.command(shutil.which("bwrap"), user is not None, self._hidden, self._import_from)
        try:
            return _Zygote([*words, *zygote], files, bubble.environment(self._import_from))
        finally:
            for file in files:
                os.close(file)


def _demand_layers() -> None:
    """Raise SandboxUnavailable for what is missing and can be known before a sandbox is started."""
    if platform.system() != "Linux":
        raise SandboxUnavailable(NOT_LINUX.format(system=platform.system()))
    version = tuple(map(int, re.findall(r"\d+", platform.release())[:2]))
    if version < _OLDEST_KERNEL:
        raise SandboxUnavailable(OLD_KERNEL.format(found=platform.release(), needed=".".join(map(str, _OLDEST_KERNEL))))
    if shutil.which("bwrap") is None:
        raise SandboxUnavailable(NO_BUBBLEWRAP)
    try:
        import pyseccomp  # noqa: F401
    except (ImportError, RuntimeError):
        raise SandboxUnavailable(NO_SECCOMP) from None


def _explained(words: str) -> str:
    """What the sandbox said at its end, with the way out where it is known."""
    if any(sign in words for sign in _SIGNS_OF_NO_NAMESPACES):
        return NO_NAMESPACES.format(words=words)
    return NO_START.format(words=words or "it said nothing")


def _ordinary_user() -> int | None:
    """Whom root becomes: a number that nobody has here. None for who is not root."""
    if os.geteuid() != 0:
        return None
    mapped = [tuple(map(int, line.split())) for line in Path("/proc/self/uid_map").read_text().splitlines()]
    highest = max(first + count - 1 for first, _, count in mapped)
    return min(highest, _HIGHEST_USER) or None
