"""The student edition, the repository without grader/ and tests/: it installs, checks, and has no solutions to show."""

import json
import os
import subprocess
import sys
import sysconfig
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
CHAPTER = "chapters/01_learning_rate/learning_rate.ipynb"
SOLVE_ONE = """
from labutils import check, hint, progress, solution

def step_decay(learning_rate, epoch, factor=0.5, every=10):
    return learning_rate * factor ** {exponent}

for shown in (check(step_decay), hint(step_decay), progress(), solution(step_decay)):
    print(repr(shown), end="\\n\\n")
"""


@pytest.fixture(scope="module")
def edition(tmp_path_factory):
    """The edition's folder, and the Python of an environment in which it is installed and `grader` is not."""
    place = tmp_path_factory.mktemp("student")
    folder = place / "training-lab"
    listing = ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"]
    names = subprocess.run(listing, cwd=ROOT, capture_output=True, text=True, check=True).stdout
    for name in filter(None, names.split("\0")):
        if not name.startswith(("grader/", "tests/")) and (ROOT / name).exists():
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            (folder / name).write_bytes((ROOT / name).read_bytes())
    environment = place / "environment"
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", environment], check=True)
    python = environment / "bin" / "python"
    query = [python, "-c", "import sysconfig; print(sysconfig.get_path('purelib'))"]
    packages = Path(subprocess.run(query, capture_output=True, text=True, check=True).stdout.strip())
    (packages / "dependencies.pth").write_text(sysconfig.get_path("purelib"))  # not the editable links in there
    pip = [sys.executable, "-m", "pip", "--python", python, "install", "--quiet", "--no-deps", folder]
    subprocess.run(pip, check=True)
    return folder, python


def run(edition, *arguments):
    folder, python = edition
    clean = {name: value for name, value in os.environ.items() if not name.startswith("PYTHON")}
    clean["LABUTILS_PROGRESS"] = str(folder.parent / "progress.json")
    return subprocess.run([python, *arguments], cwd=folder, env=clean, capture_output=True, text=True)


def test_the_instructors_part_is_not_there(edition):
    ended = run(edition, "-c", "import grader")
    assert "No module named 'grader'" in ended.stderr


def test_a_right_answer_passes_and_there_is_no_solution_to_show(edition):
    ended = run(edition, "-c", SOLVE_ONE.format(exponent="(epoch // every)"))
    assert ended.returncode == 0, ended.stderr
    checked, hinted, progressed, solved = ended.stdout.strip().split("\n\n")
    assert checked.startswith("step_decay: passed")
    assert hinted.startswith("step_decay: hint 1")
    assert "step_decay" in progressed
    assert "def step_decay" not in solved and "Traceback" not in solved


def test_a_known_mistake_is_recognised_without_the_instructors_part(edition):
    ended = run(edition, "-c", SOLVE_ONE.format(exponent="(epoch / every)"))
    assert ended.returncode == 0, ended.stderr
    assert ended.stdout.startswith("step_decay: not yet")
    assert "Hint" in ended.stdout.split("\n\n")[0]


def test_the_data_that_comes_with_the_book_is_there(edition):
    count = "from labutils import data; print(len(data.reviews().train.texts), len(data.wine().x), len(data.digits().test.y))"
    ended = run(edition, "-c", count)
    assert ended.stdout.split() == ["306", "178", "360"], ended.stderr


def test_the_unsolved_chapter_runs_from_top_to_bottom(edition):
    ended = run(edition, "-m", "labutils", "check", CHAPTER)
    assert ended.returncode == 0, ended.stdout + ended.stderr
    exercises = [cell for cell in cells(edition) if "exercise" in cell["metadata"].get("tags", [])]
    assert exercises
    assert ended.stdout.count("not attempted") >= len(exercises)


def cells(edition):
    return json.loads((edition[0] / CHAPTER).read_text())["cells"]
