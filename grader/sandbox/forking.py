"""Forks a child and takes it into confinement. Three processes follow each other:

the one that enters namespaces of its own and ends; the first process inside them, which confines itself, waits for the
notebook's and passes interruptions on, and with which everything else in there ends; and the notebook's own.
"""

import contextlib
import fcntl
import importlib
import json
import os
import random
import signal
import socket
import sys
import traceback
from collections.abc import Callable
from typing import BinaryIO, NoReturn

from grader.sandbox import confine
from grader.sandbox.calls import call_filter
from grader.sandbox.settings import Settings

# Every child begins with this state of the random numbers, so that grading a notebook again gives the same numbers.
SEED = 20_080_601

_CONVERSATION, _REPORT = 3, 4
_MOST_DESCRIPTORS = 1 << 20
_REPORT_BYTES = 10_000


class ForkFailed(Exception):
    """The child could not be confined, or not be started; the text says where it stopped."""


def fork(settings: Settings, conversation: int, folder: str) -> tuple[int, BinaryIO]:
    """A child that runs `settings.main` in `folder` on the socket `conversation`.

    Returns the process to kill for all of it to end, and the pipe on which the notebook's exit status will come.
    """
    reading, writing = os.pipe()
    forked = os.fork()
    if forked == 0:
        _reporting_failures(writing, lambda: _descend(settings, conversation, writing, folder))
    os.close(writing)
    report = os.fdopen(reading, "rb")
    said = [_said(report), _said(report)]
    first = said[0].get("first")
    if first != forked:
        os.waitpid(forked, 0)
    failure = next((answer["failed"] for answer in said if "failed" in answer), None)
    if failure is not None:
        report.close()
        if first is not None:
            os.waitpid(first, 0)
        raise ForkFailed(failure)
    return first, report


def _said(report: BinaryIO) -> dict:
    line = report.readline(_REPORT_BYTES)
    return json.loads(line) if line else {"failed": "it ended without a word"}


def _say(report: int, **fields: object) -> None:
    os.write(report, json.dumps(fields).encode() + b"\n")


def _reporting_failures(report: int, action: Callable[[], NoReturn]) -> NoReturn:
    try:
        action()
    except BaseException:  # an exit too: this process has no other way to tell why no child came of it
        _say(report, failed=traceback.format_exc()[-_REPORT_BYTES // 3 :])
    finally:
        os._exit(1)


def _descend(settings: Settings, conversation: int, report: int, folder: str) -> NoReturn:
    _keep_only(conversation, report)
    _reporting_failures(_REPORT, lambda: _enter(settings, folder))


def _keep_only(conversation: int, report: int) -> None:
    """No descriptor of the zygote's stays open: above all not the one on which it talks to the grader."""
    # Copies first, out of the way: one of the two may have the number that the other is to get.
    copies = [fcntl.fcntl(descriptor, fcntl.F_DUPFD, 2 * _REPORT) for descriptor in (conversation, report)]
    os.dup2(copies[0], _CONVERSATION, inheritable=False)
    os.dup2(copies[1], _REPORT, inheritable=False)
    os.closerange(_REPORT + 1, _MOST_DESCRIPTORS)
    nothing = os.open(os.devnull, os.O_RDWR)
    for descriptor in (0, 1, 2):
        os.dup2(nothing, descriptor)
    os.close(nothing)


def _enter(settings: Settings, folder: str) -> NoReturn:
    if settings.confined:
        confine.leave()
        first = os.fork()
        if first:
            _say(_REPORT, first=first)
            os._exit(0)
        confine.furnish(settings.limits, settings.keep)
        os.setsid()
        confine.limit(settings.limits)
        confine.drop_capabilities()
        confine.be_readable(False)
    else:
        _say(_REPORT, first=os.getpid())
        os.setsid()
    _be_first(settings, folder)


def _be_first(settings: Settings, folder: str) -> NoReturn:
    """Fork the notebook's process, pass interruptions on to it, reap whatever was left behind, and end with it."""
    signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    notebook = os.fork()
    if notebook == 0:
        _be_notebook(settings, folder)
    signal.signal(signal.SIGINT, lambda *_: _interrupt(notebook))
    signal.pthread_sigmask(signal.SIG_UNBLOCK, {signal.SIGINT})
    os.close(_CONVERSATION)
    if settings.confined:
        call_filter().load()
    while True:
        pid, status = os.wait()
        if pid == notebook:
            _say(_REPORT, status=status)
            os._exit(0)


def _interrupt(notebook: int) -> None:
    with contextlib.suppress(ProcessLookupError):
        os.kill(notebook, signal.SIGINT)


def _be_notebook(settings: Settings, folder: str) -> NoReturn:
    if settings.confined:
        confine.be_readable(True)
        call_filter().load()
    signal.signal(signal.SIGINT, signal.default_int_handler)
    os.chdir(folder)
    sys.path[0] = folder
    os.environ["HOME"] = folder
    importlib.invalidate_caches()
    _seed()
    module, _, function = settings.main.partition(":")
    main = getattr(importlib.import_module(module), function)
    conversation = socket.socket(fileno=_CONVERSATION)
    _say(_REPORT, ready=True)
    os.close(_REPORT)
    signal.pthread_sigmask(signal.SIG_UNBLOCK, {signal.SIGINT})
    status = 1
    try:
        main(conversation, settings.limits)
        status = 0
    finally:
        os._exit(status)


def _seed() -> None:
    random.seed(SEED)
    for module, seed in (("numpy.random", "seed"), ("torch", "manual_seed")):
        if module in sys.modules:
            getattr(sys.modules[module], seed)(SEED)
