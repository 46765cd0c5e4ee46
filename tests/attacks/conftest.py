"""The sandbox that hostile submissions are graded in: one for all of them, so that each also finds what others left."""

import tempfile

import pytest

from tests.attacks.arena import Arena, mounts, open_arena, processes


@pytest.fixture(scope="session")
def arena(tmp_path_factory) -> Arena:
    """One sandbox for each process that runs tests. When all are done, nothing of it is left."""
    before, at_first, tempdir = processes(), mounts(), tempfile.tempdir
    arena = open_arena(tmp_path_factory.mktemp("temporary"))
    yield arena
    arena.sandbox.close()
    assert (processes(), mounts()) == (before, at_first)
    tempfile.tempdir = tempdir
