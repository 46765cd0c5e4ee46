"""Progress: kept in one file; whatever is wrong with the file is told, and no verdict and no earlier file is lost."""

import json
import os
import subprocess
import sys
import textwrap
from pathlib import Path

import pytest

from labutils.checks import check, progress, records
from labutils.checks.records import PATH_VARIABLE, progress_place, recall
from labutils.files import locked


def step_decay(learning_rate, epoch, factor=0.5, every=10):
    return learning_rate * factor ** (epoch // every)


right = step_decay


def wrong():
    def step_decay(learning_rate, epoch, factor=0.5, every=10):
        return learning_rate

    return step_decay


@pytest.fixture
def path(tmp_path, monkeypatch):
    monkeypatch.delenv("NBGRADER_EXECUTION", raising=False)
    monkeypatch.setenv(PATH_VARIABLE, str(tmp_path / "deep" / "progress.json"))
    return tmp_path / "deep" / "progress.json"


def test_what_passed_stays_passed(path):
    check(wrong())
    assert json.loads(path.read_text())["step_decay"]["status"] == "failed"
    assert "step_decay: not yet" in repr(progress())
    check(right)
    check(wrong())
    assert recall()[0]["step_decay"] == {"status": "passed", "points": 1, "of": 1}
    assert "[x] step_decay: passed" in repr(progress())
    assert sorted(one.name for one in path.parent.iterdir()) == ["progress.json", "progress.json.lock"]


@pytest.mark.parametrize(
    "content",
    [b"", b"{", b"[]", b"7", b"null", b'"text"', b"\xff", b'{"step_decay": 3}', b'{"a": {"status": "solved"}}',
     b'{"a": {"status": []}}', b'{"a": {}}', b"[" * 100_000],
    ids=lambda content: str(content[:20]),
)  # fmt: skip
@pytest.mark.parametrize("first", [lambda: check(right), progress], ids=["check", "progress"])
def test_a_damaged_file_is_set_aside_and_told(path, content, first):
    path.parent.mkdir()
    (path.parent / "progress.json.damaged").write_bytes(b"an earlier one")
    path.write_bytes(content)
    assert "was damaged. It was set aside as" in repr(first())
    assert (path.parent / "progress.json.damaged1").read_bytes() == content
    assert (path.parent / "progress.json.damaged").read_bytes() == b"an earlier one"
    assert "points: 1 of 1" in repr(check(right))
    assert recall()[0]["step_decay"]["status"] == "passed"


@pytest.mark.parametrize("hindrance", ["a directory", "a file for a folder"])
def test_a_place_that_cannot_be_written_is_told_and_the_verdict_stands(path, hindrance):
    if hindrance == "a directory":
        path.mkdir(parents=True)
    else:
        path.parent.write_text("in the way")
    told = repr(check(right))
    assert told.startswith("step_decay: passed (points: 1 of 1)")
    assert "could not be saved" in told and str(path) in told
    assert "cannot be read" in repr(progress())
    assert path.is_dir() or path.parent.read_text() == "in the way"


def test_nothing_is_kept_while_grading_or_when_told_so(path, monkeypatch):
    monkeypatch.setenv("NBGRADER_EXECUTION", "autograde")
    check(right)
    monkeypatch.delenv("NBGRADER_EXECUTION")
    monkeypatch.setenv(PATH_VARIABLE, "")
    check(right)
    assert "Progress is not kept here" in repr(progress())
    assert progress_place() is None and not path.exists() and not path.parent.exists()


def test_home_is_the_place_when_none_is_named(tmp_path, monkeypatch):
    monkeypatch.delenv(PATH_VARIABLE, raising=False)
    monkeypatch.delenv("NBGRADER_EXECUTION", raising=False)
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("USERPROFILE", str(tmp_path))
    check(right)
    assert (tmp_path / ".labutils" / "progress.json").is_file()


def test_without_a_home_folder_the_verdict_stands():
    """As in a container that runs under a user who is in no list."""
    source = """
        import pwd
        import labutils.checks
        pwd.getpwuid = lambda uid: {}[uid]
        from tests.labutils.test_records import right
        print(labutils.checks.check(right), labutils.checks.progress())
    """
    environment = {name: value for name, value in os.environ.items() if name not in ("HOME", PATH_VARIABLE)}
    done = subprocess.run(
        [sys.executable, "-c", textwrap.dedent(source)],
        env=environment,
        cwd=Path(__file__).parents[2],
        capture_output=True,
        text=True,
    )
    assert "step_decay: passed (points: 1 of 1)" in done.stdout, done.stderr
    assert "could not be saved in ~/.labutils/progress.json" in done.stdout
    assert "cannot be read" in done.stdout


def test_notebooks_that_save_at_the_same_time_lose_nothing(path):
    source = """
        import sys
        from labutils.checks.panels import verdict_panel
        from labutils.checks.records import remember
        from labutils.checks.verdicts import Verdict
        for number in range(30):
            verdict = Verdict(f"{sys.argv[1]}{number}", "c", "passed", 1, 1, {})
            assert remember(verdict_panel(verdict, 10)) is None
    """
    command = [sys.executable, "-c", textwrap.dedent(source)]
    processes = [subprocess.Popen([*command, name]) for name in "abc"]
    assert [process.wait(timeout=300) for process in processes] == [0, 0, 0]
    assert len(json.loads(path.read_text())) == 90


def test_a_lock_that_another_holds_for_long_is_told_and_the_verdict_stands(path, monkeypatch):
    monkeypatch.setattr(records, "SECONDS_FOR_OTHERS", 0.1)
    with locked(path.with_name("progress.json.lock"), 1):
        told = repr(check(right))
    assert "points: 1 of 1" in told and "another notebook is writing it" in told
    assert "could not be saved" not in repr(check(right)) and path.exists()
