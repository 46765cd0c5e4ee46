"""Progress: kept in one file; whatever is wrong with the file is told, and no verdict and no earlier file is lost."""

import json

import pytest

from labutils.checks import check, progress
from labutils.checks.records import PATH_VARIABLE, progress_path, recall


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
    assert [one.name for one in path.parent.iterdir()] == ["progress.json"]


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
    assert progress_path() is None and not path.exists() and not path.parent.exists()


def test_home_is_the_place_when_none_is_named(tmp_path, monkeypatch):
    monkeypatch.delenv(PATH_VARIABLE, raising=False)
    monkeypatch.delenv("NBGRADER_EXECUTION", raising=False)
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("USERPROFILE", str(tmp_path))
    check(right)
    assert (tmp_path / ".labutils" / "progress.json").is_file()
