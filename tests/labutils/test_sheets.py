"""A check sheet comes back as it was written; a damaged one is refused in one sentence, and nothing is lost."""

import hashlib
import json
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from labutils.checks import check, progress
from labutils.checks.calling import Outcome
from labutils.checks.comparing import Tolerance, difference
from labutils.checks.sheets import (
    Case,
    ExerciseSheet,
    KnownMistake,
    Refusal,
    SheetError,
    read_sheet,
    read_sheets,
    write_sheet,
)

DOUBLE = ExerciseSheet(
    name="double",
    chapter="arithmetic",
    points=2,
    parameters=("numbers",),
    aspects={"whole": 1, "any": 2.5},
    hints=("Add it to itself.", "`return 2 * numbers`"),
    tolerance=Tolerance(1e-6, 1e-8),
    cases=(
        Case("whole", {"numbers": np.array([1, 2])}, np.array([2, 4])),
        Case("any", {"numbers": np.array([0.5, np.nan, np.inf])}, np.array([1.0, np.nan, np.inf])),
        Case("any", {"numbers": "1"}, Refusal("numbers is '1', which is no array")),
    ),
    mistakes=(
        KnownMistake(
            "squares",
            "Twice, not squared.",
            (
                Outcome("returned", np.array([1, 4])),
                Outcome("raised", error="ValueError"),
                Outcome("raised", error="TypeError"),
            ),
        ),
    ),
)
TROUBLE = "is damaged .*; your notebook is not affected"


@pytest.fixture
def path(tmp_path):
    write_sheet(tmp_path / "arithmetic.json", "arithmetic", [DOUBLE])
    return tmp_path / "arithmetic.json"


def fresh(path, content):
    """Sheets are read once per path, so every damage gets its own."""
    path = path.with_name(f"{len(list(path.parent.iterdir()))}.json")
    path.write_bytes(content)
    return path


def test_a_sheet_comes_back_as_it_was_written(path):
    (back,) = read_sheet(path)
    for name in ("name", "chapter", "points", "parameters", "aspects", "hints", "tolerance"):
        assert getattr(back, name) == getattr(DOUBLE, name)
    for one, other in zip(back.cases, DOUBLE.cases, strict=True):
        assert difference(one.arguments, other.arguments, exact=True) is None
        assert difference(one.expected, other.expected, exact=True) is None
    assert [outcome.kind for outcome in back.mistakes[0].outcomes] == ["returned", "raised", "raised"]
    json.loads(path.read_text(), parse_constant=pytest.fail)  # no NaN, which is no JSON


def test_a_sheet_cut_short_anywhere_is_refused(path):
    content = path.read_bytes()
    for length in range(0, len(content) - 1, 7):
        with pytest.raises(SheetError, match=TROUBLE):
            read_sheet(fresh(path, content[:length]))


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=200)
@given(data=st.data())
def test_any_altered_byte_is_refused_or_harmless(path, data):
    content = bytearray(path.read_bytes())
    at = data.draw(st.integers(content.index(b'"digest"'), len(content) - 1))
    content[at] = data.draw(st.integers(0, 255))
    try:
        (back,) = read_sheet(fresh(path, bytes(content)))
    except SheetError:
        return
    (whole,) = read_sheet(path)
    assert back.hints == whole.hints and back.points == whole.points and back.aspects == whole.aspects
    assert difference(whole.cases[0].expected, back.cases[0].expected, exact=True) is None


@pytest.mark.parametrize(
    "change",
    [{"format": 2}, {"digest": "0"}, {"exercises": []}, {"exercises": None}, {"chapter": ...}],
    ids=str,
)
def test_another_format_or_a_missing_part_is_refused(path, change):
    sheet = json.loads(path.read_text()) | change
    sheet = {name: part for name, part in sheet.items() if part is not ...}
    with pytest.raises(SheetError, match=TROUBLE):
        read_sheet(fresh(path, json.dumps(sheet).encode()))


@pytest.mark.parametrize("content", [b"", b"[]", b"null", b"7", b"\xff\xfe", b"[" * 100_000], ids=lambda c: str(c[:5]))
def test_something_else_is_refused(path, content):
    with pytest.raises(SheetError, match=TROUBLE):
        read_sheet(fresh(path, content))


def test_no_sheet_at_all_is_told(tmp_path):
    with pytest.raises(SheetError, match="no check sheet in .*; install labutils again"):
        read_sheets(tmp_path)


def test_check_tells_of_a_damaged_sheet_in_a_panel(path, monkeypatch):
    path.write_bytes(path.read_bytes()[:-20])
    monkeypatch.setattr("labutils.checks.judging.read_sheets", lambda: read_sheets(path.parent))
    panel = check(test_check_tells_of_a_damaged_sheet_in_a_panel)
    assert "the check sheet arithmetic.json is damaged" in repr(panel) and not panel.record


def test_a_damaged_sheet_stops_no_exercise_of_another_chapter(path, monkeypatch):
    write_sheet(path.with_name("before.json"), "before", [replace(DOUBLE, name="triple")])
    path.write_bytes(path.read_bytes()[:-20])
    monkeypatch.setattr("labutils.checks.judging.read_sheets", lambda: read_sheets(path.parent))

    def triple(numbers):
        if isinstance(numbers, str):
            raise ValueError(numbers)
        return 2 * numbers

    def double(numbers):
        return 2 * numbers

    assert "triple: passed" in repr(check(triple))
    for panel in (check(double), progress()):
        assert "the check sheet arithmetic.json is damaged" in repr(panel)


def test_an_exercise_is_decoded_when_it_is_asked_for(path):
    sound, other = DOUBLE, replace(DOUBLE, name="other")
    write_sheet(path, "arithmetic", [sound, other])
    sheet = json.loads(path.read_text())
    sheet["exercises"][1]["cases"][0]["expected"] = {"unheard": "of"}
    canonical = json.dumps(sheet["exercises"], sort_keys=True).encode()
    sheet["digest"] = hashlib.sha256(canonical).hexdigest()
    path.write_text(json.dumps(sheet))
    sheets = read_sheets(path.parent)
    assert list(sheets) == ["double", "other"] and len(sheets) == 2
    assert sheets["double"].name == "double"
    with pytest.raises(SheetError, match="unheard"):
        sheets["other"]


def test_hidden_cases_and_nan_among_the_numbers_are_not_written(tmp_path):
    hidden = replace(DOUBLE, cases=(replace(DOUBLE.cases[0], hidden=True),))
    for bad in (hidden, replace(DOUBLE, points=float("nan"))):
        with pytest.raises(ValueError):
            write_sheet(tmp_path / "bad.json", "arithmetic", [bad])
    assert not (tmp_path / "bad.json").exists()
