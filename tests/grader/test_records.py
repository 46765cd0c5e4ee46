"""Records: written and read back whatever the names, and a damaged file is set aside and never written over."""

import json
import logging
import string

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from grader.records import ExerciseRecord, Record, Records, Remark, file_name, from_json, to_json

AMOUNTS = st.floats(0, 1e9) | st.integers(0, 10**6)
TEXTS = st.text(max_size=20)
EXERCISES = st.builds(
    ExerciseRecord,
    exercise=TEXTS,
    status=st.sampled_from(["passed", "failed", "raised", "not attempted"]),
    points=AMOUNTS,
    max_points=AMOUNTS,
    aspects=st.dictionaries(TEXTS, st.booleans(), max_size=3),
    mistake=st.none() | TEXTS,
    hint=st.none() | TEXTS,
    seconds=AMOUNTS,
    title=TEXTS,
)
# What a folder may be called on Linux: any bytes, of which Python reads those that are no UTF-8 as lone surrogates.
STUDENTS = st.text(min_size=1, max_size=80) | st.binary(min_size=1, max_size=255).map(
    lambda name: name.decode(errors="surrogateescape")
)
RECORDS = st.builds(
    Record,
    student=st.just("ann"),
    assignment=st.just("01_x"),
    notebook=TEXTS,
    digest=TEXTS,
    key=TEXTS,
    status=st.sampled_from(["graded", "with remarks", "unreadable"]),
    remarks=st.lists(st.builds(Remark, st.none() | TEXTS, TEXTS), max_size=3).map(tuple),
    seconds=AMOUNTS,
    cpu_seconds=AMOUNTS,
    megabytes=AMOUNTS,
    graded=TEXTS,
    exercises=st.dictionaries(TEXTS, EXERCISES, max_size=3),
)


def record_of(student, assignment="01_x", status="graded", points=1.5):
    one = ExerciseRecord("f", "failed", points, 2.0, {"first": True, "second": False}, "slip", "Look.", 0.25, "f: ½")
    two = ExerciseRecord("g", "passed", 1.0, 1.0, {"all": True}, None, None, 0.5, "g: passed")
    remarks = (Remark(None, "Two notebooks were handed in."), Remark("f", "Its cell was found twice."))
    return Record(
        student,
        assignment,
        "x",
        "d" * 64,
        "k" * 64,
        status,
        remarks,
        2.0,
        1.0,
        300.0,
        "2026-11-21",
        {"f": one, "g": two},
    )


@given(RECORDS)
def test_a_record_is_read_back_as_it_was_written_exercises_in_their_order(record):
    back = from_json(to_json(record))
    assert back == record
    assert list(back.exercises) == list(record.exercises)


@given(STUDENTS, STUDENTS)
def test_no_two_students_share_a_file_and_every_system_takes_its_name(one, other):
    assume(one != other)
    names = file_name(one), file_name(other)
    assert names[0] != names[1]
    for name in names:
        assert set(name) <= set(string.ascii_letters + string.digits + "%-_.~ ")
        assert not name.startswith(".") and len(f"{name}.json.damaged") <= 255


@pytest.mark.parametrize(
    "student",
    [
        "ann",
        "Zoë Ångström",
        "a b",
        "..",
        ".",
        ".hidden",
        ".unfinished-x",
        "学" * 85,
        "a/b",
        "..\\b",
        "%41",
        "A",
        "~",
        "\udcff",
    ],
)
def test_every_students_record_is_found_by_name_and_among_all(tmp_path, student):
    records = Records(tmp_path, "01_x")
    assert records.read(student) is None and records.all() == {}
    records.write(record_of(student))
    records.write(record_of("someone else"))
    assert records.read(student) == record_of(student)
    assert records.all() == {name: record_of(name) for name in sorted([student, "someone else"])}
    assert {path.parent for path in tmp_path.rglob("*.json")} == {tmp_path / "grading" / "01_x" / "records"}


def test_points_are_those_of_all_exercises():
    record = record_of("ann")
    assert (record.points, record.max_points) == (2.5, 3.0)


def test_the_later_record_of_a_student_counts_and_nothing_else_is_left(tmp_path):
    records = Records(tmp_path, "01_x")
    records.write(record_of("ann"))
    records.write(record_of("ann", points=0.0))
    assert records.read("ann").points == 1.0
    assert [path.name for path in records.folder.iterdir()] == ["ann.json"]


def test_assignments_do_not_meet(tmp_path):
    Records(tmp_path, "01_x").write(record_of("ann"))
    assert Records(tmp_path, "02_y").all() == {}


def with_field(name, value):
    return lambda content: json.dumps({**json.loads(content), name: value}).encode()


def in_exercise(name, value):
    def damage(content):
        loaded = json.loads(content)
        loaded["exercises"]["f"][name] = value
        return json.dumps(loaded).encode()

    return damage


def without(name):
    return lambda content: json.dumps({k: v for k, v in json.loads(content).items() if k != name}).encode()


DAMAGE = {
    "empty": lambda content: b"",
    "cut short": lambda content: content[: len(content) // 2],
    "no text": lambda content: b"\xff\xfe\x00",
    "no object": lambda content: b"[1, 2]",
    "deep": lambda content: b"[" * 100_000,
    "a newer format": with_field("format", 2),
    "no format": without("format"),
    "no key": without("key"),
    "an unknown field": with_field("password", "x"),
    "a status nobody gives": with_field("status", "fine"),
    "exercises as a list": with_field("exercises", []),
    "remarks of another make": with_field("remarks", [{"text": 1}]),
    "points that are text": in_exercise("points", "2"),
    "points below zero": in_exercise("points", -1),
    "points that are no number": in_exercise("points", float("nan")),
    "an aspect that is not true or false": in_exercise("aspects", {"first": 1}),
    "of another student": with_field("student", "bob"),
    "of another assignment": with_field("assignment", "02_y"),
}


@pytest.mark.parametrize("damage", DAMAGE.values(), ids=DAMAGE)
def test_a_damaged_record_is_set_aside_told_and_counts_as_not_graded(tmp_path, caplog, damage):
    records = Records(tmp_path, "01_x")
    records.write(record_of("ann"))
    records.write(record_of("cleo"))
    (path,) = records.folder.glob("ann*")
    damaged = damage(path.read_bytes())
    path.write_bytes(damaged)
    with caplog.at_level(logging.WARNING):
        assert list(records.all()) == ["cleo"]
    aside = path.with_name("ann.json.damaged")
    assert aside.read_bytes() == damaged and str(aside) in caplog.text and "record of ann in 01_x" in caplog.text
    assert records.read("ann") is None

    records.write(record_of("ann"))  # graded anew, and damaged anew: the first one is kept as well
    path.write_bytes(b"again")
    assert records.read("ann") is None
    assert aside.read_bytes() == damaged and path.with_name("ann.json.damaged1").read_bytes() == b"again"


def test_a_sound_record_is_told_nothing_about(tmp_path, caplog):
    records = Records(tmp_path, "01_x")
    records.write(record_of("ann"))
    records.all()
    assert not caplog.records


def test_where_it_cannot_be_written_the_earlier_one_stays(tmp_path):
    records = Records(tmp_path, "01_x")
    records.write(record_of("ann"))
    with pytest.raises(ValueError):
        records.write(record_of("ann", points=float("nan")))
    assert records.read("ann") == record_of("ann")
