"""`python -m labutils check` as a student or a script runs it: table, exit status, and the notebook left alone."""

import os
import subprocess
import sys

import nbformat
import pytest

SETUP = "from labutils import check"
RIGHT = """def step_decay(learning_rate, epoch, factor=0.5, every=10):
    return learning_rate * factor ** (epoch // every)"""
WRONG = RIGHT.replace("//", "/")
STUB = RIGHT.split("\n")[0] + "\n    raise NotImplementedError"
CHECK = "check(step_decay)"


@pytest.fixture
def run(tmp_path):
    """Write a notebook of these cells and run the command on it; whatever happens, the file stays as it is."""

    def run(*cells):
        path = tmp_path / "my notes.ipynb"
        made = [nbformat.v4.new_code_cell(cell) if isinstance(cell, str) else cell for cell in cells]
        nbformat.write(nbformat.v4.new_notebook(cells=made), path)
        before = path.read_bytes()
        done = subprocess.run(
            [sys.executable, "-m", "labutils", "check", str(path)],
            env={**os.environ, "LABUTILS_PROGRESS": str(tmp_path / "progress.json")},
            capture_output=True,
            text=True,
            timeout=600,
        )
        assert path.read_bytes() == before
        assert not (tmp_path / "progress.json").exists()
        assert "Traceback" not in done.stderr
        return done

    return run


def line(done, exercise="step_decay"):
    """A line of the table, its columns parted by one blank."""
    (found,) = [one for one in done.stdout.splitlines() if one.startswith(exercise)]
    return " ".join(found.split())


@pytest.mark.parametrize(
    ["solution", "status", "points", "code"],
    [
        (RIGHT, "passed", 1, 0),
        (WRONG, "not yet", 0.33, 1),
        (STUB, "not attempted yet", 0, 0),
        (RIGHT.replace("learning_rate *", "learning_rat *"), "stopped with an error", 0, 1),
    ],
    ids="right wrong stub raises".split(),
)
def test_status_points_and_exit_code(run, solution, status, points, code):
    done = run(SETUP, solution, CHECK)
    assert done.returncode == code
    assert line(done) == f"step_decay {status} {points:g} of 1"
    assert line(done, "cosine_decay").startswith("cosine_decay its check cell is missing 0 of")
    assert line(done, "total").startswith(f"total {points:g} of")


def test_a_cell_that_does_not_parse_is_told_at_its_check(run):
    done = run(SETUP, RIGHT.replace("):", ")"), CHECK)
    assert done.returncode == 1
    assert line(done) == "step_decay stopped with an error: NameError: name 'step_decay' is not defined 0 of 1"


def test_demonstrations_are_left_out_and_errors_elsewhere_do_not_matter(run):
    demo = nbformat.v4.new_code_cell("def step_decay(): pass", metadata={"tags": ["demo"]})
    assert run(SETUP, RIGHT, demo, "1 / 0", CHECK).returncode == 0


def test_it_runs_in_the_folder_of_the_notebook(run, tmp_path):
    (tmp_path / "mine.py").write_text(RIGHT)
    assert run(SETUP, "from mine import step_decay", CHECK).returncode == 0


def test_a_kernel_that_ends_is_told_and_the_rest_counts_as_not_run(run):
    done = run(SETUP, RIGHT, CHECK, "import os; os._exit(1)", "check(cosine_decay)")
    assert done.returncode == 1
    assert line(done) == "step_decay passed 1 of 1"
    assert "its check cell was not run" in line(done, "cosine_decay")
    assert "Python itself ended" in done.stderr


def test_a_notebook_without_checks_says_so(run):
    done = run("1 + 1")
    assert done.returncode == 0 and "no check cell" in done.stdout
