"""Writes a file whole or not at all. Standard library only: `lab.py` needs this before anything is installed."""

import os
import tempfile
from pathlib import Path

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
