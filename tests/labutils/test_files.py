"""A file is written whole or not at all, and one at a time changes it."""

import errno
import resource
import subprocess
import sys
from pathlib import Path

import pytest

from labutils.files import locked, write_atomically


def test_a_file_is_written_with_the_folders_it_lies_in(tmp_path):
    path = tmp_path / "new" / "folder" / "file.json"
    write_atomically(path, b"one")
    write_atomically(path, b"two")
    assert path.read_bytes() == b"two"
    assert [file.name for file in path.parent.iterdir()] == ["file.json"]
    assert path.stat().st_mode & 0o777 == 0o644


def test_a_disk_that_is_full_leaves_the_old_file_and_nothing_half_written(tmp_path):
    path = tmp_path / "file.json"
    write_atomically(path, b"old")
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (1_000, limits[1]))
    try:
        with pytest.raises(OSError, match="too large"):
            write_atomically(path, bytes(2_000))
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)
    assert path.read_bytes() == b"old"
    assert [file.name for file in tmp_path.iterdir()] == ["file.json"]


def test_a_folder_in_the_place_of_the_file_is_refused_and_left(tmp_path):
    (tmp_path / "file.json").mkdir()
    with pytest.raises(OSError):
        write_atomically(tmp_path / "file.json", b"new")
    assert [file.name for file in tmp_path.iterdir()] == ["file.json"]


def test_it_needs_the_standard_library_alone():
    command = [sys.executable, "-S", "-c", "import labutils.files"]
    assert subprocess.run(command, cwd=Path(__file__).parents[2]).returncode == 0


def test_a_lock_keeps_others_out_until_it_is_let_go(tmp_path):
    path = tmp_path / "folder" / "file.lock"
    with locked(path, 1):
        with pytest.raises(TimeoutError, match="file.lock"):
            with locked(path, 0.1):
                pass
    with locked(path, 0):
        pass


def test_where_the_file_system_knows_no_locks_work_goes_on(tmp_path, monkeypatch):
    def refuse(file, operation):
        raise OSError(errno.ENOLCK, "No locks available")

    monkeypatch.setattr("fcntl.flock", refuse)
    with locked(tmp_path / "file.lock", 1):
        pass
