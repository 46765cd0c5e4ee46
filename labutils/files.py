"""Writes a file whole or not at all, and lets one at a time change it.

Standard library only: `lab.py` needs this before anything is installed.
"""

import contextlib
import errno
import os
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import IO

UNFINISHED = ".unfinished-"


def write_atomically(path: Path, content: bytes) -> None:
    """Write a file, and the folders it lies in, so that whoever looks sees the old or the new content, never a part.

    A new file is readable for all (0o644), for a replaced one this is set anew. Raises OSError where it cannot be
    written (folder, disk, permission); `path` is then as it was, and nothing half-written lies beside it.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    descriptor, unfinished = tempfile.mkstemp(dir=path.parent, prefix=UNFINISHED)
    try:
        with os.fdopen(descriptor, "wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())  # else a crash of the machine could keep the new name and lose the content
        os.chmod(unfinished, 0o644)  # mkstemp makes it private
        os.replace(unfinished, path)
    except BaseException:  # a Ctrl-C too: it goes on its way, and no half-written file is left behind
        os.unlink(unfinished)
        raise


@contextlib.contextmanager
def locked(path: Path, seconds: float) -> Iterator[None]:
    """Keep other processes that ask for the same lock out. `path` is an empty file of its own, made and left there.

    Raises TimeoutError (an OSError) when another holds the lock for `seconds`, OSError where `path` cannot be made.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    deadline = time.monotonic() + seconds
    with open(path, "ab") as file:  # the system lets go of the lock when the file is closed
        while not try_to_lock(file):
            if time.monotonic() > deadline:
                raise TimeoutError(f"another process holds {path}")
            time.sleep(0.02)
        yield


def try_to_lock(file: IO) -> bool:
    """Lock an open file, if no other process has; it stays locked until it is closed. Tells whether it worked.

    A file system without locks (some network folders) locks nothing and says yes: work goes on there as it can.
    """
    try:
        if os.name == "nt":
            import msvcrt

            file.seek(0)
            msvcrt.locking(file.fileno(), msvcrt.LK_NBLCK, 1)
        else:
            import fcntl

            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except (BlockingIOError, PermissionError):
        return False
    except OSError as error:
        if error.errno not in (errno.ENOLCK, errno.EOPNOTSUPP):
            raise
    return True
