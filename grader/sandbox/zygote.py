"""The process that imports once what notebooks import, and forks a child for each notebook.

It runs inside bubblewrap and holds no secret: whatever a child finds in its memory is public. `launching.py` starts it
and talks to it over a socket, one JSON object a line. `start` comes with the child's end of its conversation;
`interrupt` and `kill` mean the child that runs, of which there is one at most. It answers with `ready` once, with
`started` or `failed`, and with `ended`.
"""

import gc
import importlib
import json
import os
import select
import shutil
import signal
import socket
import sys
import tempfile

from grader.sandbox import confine, forking, packing
from grader.sandbox.calls import call_filter
from grader.sandbox.settings import Settings
from grader.sandbox.watching import Watched

_LONGEST_REQUEST = 4096


class Control:
    """The zygote's end of the socket to the grader."""

    def __init__(self, connection: socket.socket) -> None:
        self._connection = connection
        self._unread = b""
        self._descriptors: list[int] = []

    def fileno(self) -> int:
        return self._connection.fileno()

    def tell(self, event: str, **fields: object) -> None:
        self._connection.sendall(json.dumps({"event": event, **fields}).encode() + b"\n")

    def requests(self) -> list[str] | None:
        """What has been asked since the last call, None when the grader is gone. Waits for something."""
        data, descriptors, _, _ = socket.recv_fds(self._connection, _LONGEST_REQUEST, 1)
        if not data:
            return None
        self._descriptors += descriptors
        *lines, self._unread = (self._unread + data).split(b"\n")
        return [json.loads(line)["request"] for line in lines]

    def conversation(self) -> int:
        """The descriptor that came with `start`."""
        return self._descriptors.pop(0)


class Zygote:
    def __init__(self, settings: Settings, control: Control) -> None:
        self._settings = settings
        self._control = control
        self._child: Watched | None = None
        self._answers = {"start": self._start, "interrupt": self._interrupt, "kill": self._kill}

    def serve(self) -> None:
        """Until the grader closes its end."""
        while (requests := self._next()) is not None:
            for request in requests:
                self._answers[request]()
        self._kill()

    def _next(self) -> list[str] | None:
        """Wait for requests, and look after the child meanwhile."""
        watched, pause = ([self._child], self._child.pause) if self._child else ([], None)
        ready, _, _ = select.select([self._control, *watched], [], [], pause)
        if self._control in ready:
            return self._control.requests()
        if ready:
            self._end()
        elif self._child:
            self._child.look()
        return []

    def _start(self) -> None:
        self._kill()
        conversation = self._control.conversation()
        folder = confine.HOME if self._settings.confined else tempfile.mkdtemp()
        try:
            first, report = forking.fork(self._settings, conversation, folder)
        except forking.ForkFailed as error:
            if not self._settings.confined:
                shutil.rmtree(folder)
            self._control.tell("failed", why=str(error))
        else:
            self._child = Watched(self._settings, first, report, folder)
            self._control.tell("started")
        finally:
            os.close(conversation)

    def _interrupt(self) -> None:
        if self._child:
            self._child.interrupt()

    def _kill(self) -> None:
        if self._child:
            self._child.kill("killed")
            self._end()

    def _end(self) -> None:
        ending = self._child.end()
        self._child = None
        self._control.tell("ended", ending=ending)


def main() -> None:
    settings = Settings.from_json(sys.argv[1])
    control = Control(_connection())
    # An interruption is for the notebook; a key pressed at the grader's terminal is none.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    if settings.confined:
        confine.adopt_orphans()
        if settings.user is not None:
            confine.become(settings.user)
    _warm_up(settings)
    control.tell("ready")
    Zygote(settings, control).serve()


def _connection() -> socket.socket:
    """The socket that came as standard input, where nobody will read it by mistake."""
    connection = socket.socket(fileno=os.dup(0))
    nothing = os.open(os.devnull, os.O_RDONLY)
    os.dup2(nothing, 0)
    os.close(nothing)
    return connection


def _warm_up(settings: Settings) -> None:
    """Import, and compute nothing: a thread that this had started would be missing in the children, which hang then.

    What a main does once for all its children stands in its module as `warm_up`.
    """
    for module in settings.modules:
        importlib.import_module(module)
    main_module = importlib.import_module(settings.main.partition(":")[0])
    if hasattr(main_module, "warm_up"):
        main_module.warm_up()
    if settings.confined:
        call_filter()
    threads = len(os.listdir("/proc/self/task")) if os.path.isdir("/proc/self/task") else 1
    if threads > 1:
        raise RuntimeError(f"importing started {threads - 1} threads, and a forked child would hang without them")
    tempfile.tempdir = None  # importing may have settled it, and a child's is elsewhere
    gc.collect()
    gc.freeze()
    if settings.confined:
        packing.pack()


if __name__ == "__main__":
    main()
