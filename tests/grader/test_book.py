"""Every exercise of the book is proved, by the command that its authors use."""

import subprocess
import sys

import pytest

from grader.texts import ROOT, pages


@pytest.mark.parametrize("name", [page.name for page in pages() if page.chapter])
def test_the_exercises_of_a_chapter_are_sound(name):
    words = [sys.executable, "-m", "grader", "verify", name]
    done = subprocess.run(words, cwd=ROOT, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr
