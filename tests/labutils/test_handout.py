"""Handing out: whatever student and book do in whatever order, no byte that a student wrote is lost."""

import errno
import os
import shutil
import tempfile
from datetime import date, timedelta
from itertools import count
from pathlib import Path
from unittest import mock

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from labutils.handout import MANIFEST, hand_out

TODAY = date(2026, 11, 21)
NAMES = ["start.ipynb", "01_learning_rate/learning_rate.ipynb", "01_learning_rate/curve.png"]
BESIDE = "01_learning_rate/learning_rate (new 2026-11-21).ipynb"


class Term(RuleBasedStateMachine):
    """A student works, the book changes, updates come, also torn ones; `own` is what the student's files must hold.

    Where nobody can tell an untouched file from an edited one, as after damage to the manifest, it is in `doubtful`.
    """

    def __init__(self):
        super().__init__()
        self.place = Path(tempfile.mkdtemp(prefix="handout-"))
        self.book, self.work = self.place / "chapters", self.place / "work"
        self.book.mkdir()
        self.today, self.serial, self.own, self.doubtful = TODAY, count(), {}, set()

    def teardown(self):
        shutil.rmtree(self.place)

    def files(self):
        paths = [path for path in self.work.rglob("*") if path.is_file() and path.name != MANIFEST]
        return {path.relative_to(self.work).as_posix(): path.read_bytes() for path in sorted(paths)}

    def write(self, root, name, content):
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)

    @rule(name=st.sampled_from(NAMES), version=st.integers(1, 3))
    def book_changes(self, name, version):
        self.write(self.book, name, f"{name}, version {version}".encode())

    @rule(name=st.sampled_from(NAMES))
    def book_drops(self, name):
        (self.book / name).unlink(missing_ok=True)

    @rule(name=st.sampled_from([*NAMES, "notes.ipynb", BESIDE]))
    def student_writes(self, name):
        self.own[name] = f"student {next(self.serial)}".encode()
        self.write(self.work, name, self.own[name])

    @precondition(lambda self: self.files())
    @rule(data=st.data())
    def student_deletes(self, data):
        name = data.draw(st.sampled_from(list(self.files())))
        (self.work / name).unlink()
        self.own.pop(name, None)

    @precondition(lambda self: self.files())
    @rule(data=st.data(), new_name=st.sampled_from([*NAMES, "mine.ipynb", BESIDE]))
    def student_renames(self, data, new_name):
        name = data.draw(st.sampled_from(list(self.files())))
        (self.work / new_name).parent.mkdir(parents=True, exist_ok=True)
        content = (self.work / name).read_bytes()
        os.replace(self.work / name, self.work / new_name)
        self.own.pop(name, None)
        self.own.pop(new_name, None)
        if content.startswith(f"{new_name}, version".encode()):  # a version of the book, back in its place
            self.doubtful.add(new_name)
        else:
            self.own[new_name] = content

    @precondition(lambda self: (self.work / MANIFEST).exists())
    @rule(damage=st.sampled_from([b"", b'{"start.ipynb": "ab', b"[1, 2]", b'{"start.ipynb": 7}', b"\xff\xfe", None]))
    def manifest_is_damaged(self, damage):
        self.doubtful |= set(self.files())
        (self.work / MANIFEST).unlink()
        if damage is not None:
            (self.work / MANIFEST).write_bytes(damage)

    @rule()
    def night_falls(self):
        self.today += timedelta(days=1)

    @rule(writes=st.integers(0, 3))
    def update_is_torn(self, writes):
        """The disk fills up after a few writes."""
        left = iter(range(writes))

        def replace(source, target, replace=os.replace):
            if next(left, None) is None:
                raise OSError(errno.ENOSPC, "No space left on device")
            replace(source, target)

        with mock.patch("os.replace", replace):
            try:
                hand_out(self.book, self.work, self.today)
            except OSError as error:
                assert error.errno == errno.ENOSPC
        assert not list(self.work.rglob(".unfinished-*"))

    @rule()
    def update(self):
        placed = hand_out(self.book, self.work, self.today)
        for name, beside in placed:
            assert name in self.own or name in self.doubtful
            assert (self.work / beside).read_bytes() == (self.book / name).read_bytes()
        for path in self.book.rglob("*.*"):
            name = path.relative_to(self.book).as_posix()
            kept = name in self.own or name in self.doubtful
            assert kept or (self.work / name).read_bytes() == path.read_bytes()
        after = self.files()
        assert hand_out(self.book, self.work, self.today + timedelta(days=1)) == [], "said twice"
        assert self.files() == after, "an update with nothing new changed a file"

    @invariant()
    def nothing_is_lost(self):
        present = self.files() if self.work.exists() else {}
        assert {name: present.get(name) for name in self.own} == self.own


TestTerm = Term.TestCase
TestTerm.settings = settings(max_examples=100, stateful_step_count=25)


@pytest.fixture
def book(tmp_path):
    book = tmp_path / "chapters"
    (book / "01_learning_rate").mkdir(parents=True)
    (book / "01_learning_rate" / "learning_rate.ipynb").write_bytes(b"one")
    return book


@pytest.fixture
def notebook(tmp_path):
    return tmp_path / "work" / "01_learning_rate" / "learning_rate.ipynb"


def test_an_untouched_chapter_is_renewed(book, tmp_path, notebook):
    hand_out(book, tmp_path / "work", TODAY)
    (book / "01_learning_rate" / "learning_rate.ipynb").write_bytes(b"two")
    assert hand_out(book, tmp_path / "work", TODAY) == []
    assert notebook.read_bytes() == b"two"
    assert [path.name for path in notebook.parent.iterdir()] == ["learning_rate.ipynb"]


def test_a_changed_chapter_is_placed_beside_an_edited_one_and_said_once(book, tmp_path, notebook):
    hand_out(book, tmp_path / "work", TODAY)
    notebook.write_bytes(b"my solution")
    (book / "01_learning_rate" / "learning_rate.ipynb").write_bytes(b"two")
    assert hand_out(book, tmp_path / "work", TODAY) == [("01_learning_rate/learning_rate.ipynb", BESIDE)]
    assert notebook.read_bytes() == b"my solution"
    assert (tmp_path / "work" / BESIDE).read_bytes() == b"two"
    assert hand_out(book, tmp_path / "work", TODAY) == []


def test_two_changes_on_one_day_get_two_names(book, tmp_path, notebook):
    hand_out(book, tmp_path / "work", TODAY)
    notebook.write_bytes(b"my solution")
    for content in (b"two", b"three"):
        (book / "01_learning_rate" / "learning_rate.ipynb").write_bytes(content)
        hand_out(book, tmp_path / "work", TODAY)
    second = notebook.with_name("learning_rate (new 2026-11-21, 2).ipynb")
    assert [(tmp_path / "work" / BESIDE).read_bytes(), second.read_bytes()] == [b"two", b"three"]


def test_a_deleted_chapter_comes_back_fresh(book, tmp_path, notebook):
    hand_out(book, tmp_path / "work", TODAY)
    notebook.unlink()
    hand_out(book, tmp_path / "work", TODAY)
    assert notebook.read_bytes() == b"one"


def test_texts_and_hidden_files_are_not_handed_out(book, tmp_path):
    (book / "01_learning_rate" / "learning_rate.md").write_text("the author's")
    (book / "01_learning_rate" / ".ipynb_checkpoints").mkdir()
    (book / "01_learning_rate" / ".ipynb_checkpoints" / "learning_rate.ipynb").write_text("stale")
    (book / "01_learning_rate" / "runs.csv").write_text("data of a figure")
    hand_out(book, tmp_path / "work", TODAY)
    handed_out = {path.relative_to(tmp_path / "work").as_posix() for path in (tmp_path / "work").rglob("*.*")}
    assert handed_out == {MANIFEST, "01_learning_rate/learning_rate.ipynb", "01_learning_rate/runs.csv"}


def test_a_folder_or_a_link_in_the_way_is_left_alone(book, tmp_path, notebook):
    elsewhere = tmp_path / "elsewhere.ipynb"
    notebook.mkdir(parents=True)
    (book / "linked.ipynb").write_bytes(b"one")
    (tmp_path / "work" / "linked.ipynb").symlink_to(elsewhere)
    placed = hand_out(book, tmp_path / "work", TODAY)
    assert [name for name, _ in placed] == ["01_learning_rate/learning_rate.ipynb", "linked.ipynb"]
    assert notebook.is_dir() and not elsewhere.exists()
