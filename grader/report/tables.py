"""The report as CSV files, for spreadsheets and programs.

A spreadsheet takes a cell that begins with one of = + - @ for a formula, and a student may choose such a name. So text
that begins like this has an apostrophe put before it, as OWASP advises ("CSV Injection").
"""

import csv
import io
from collections.abc import Iterable, Iterator, Mapping

from grader.records import Record, Remark
from grader.report.counting import count_mistakes, exercise_names

FORMULA_BEGINS_WITH = tuple("=+-@\t\r\n＝＋－＠")

Row = list[str | float]


def csv_files(records: Mapping[str, Record]) -> dict[str, bytes]:
    """The content of every file, by its name."""
    everyone = list(records.values())
    tables = {
        "scores.csv": _scores(everyone),
        "aspects.csv": _aspects(everyone),
        "mistakes.csv": _mistakes(everyone),
        "times.csv": _times(everyone),
    }
    return {name: _content(table) for name, table in tables.items()}


def in_words(remark: Remark) -> str:
    """A remark with the exercise that it is about."""
    return f"{remark.exercise}: {remark.text}" if remark.exercise else remark.text


def _scores(records: list[Record]) -> Iterator[Row]:
    names = exercise_names(records)
    yield ["student", "points", "max_points", *names, "status", "remarks"]
    for record in records:
        earned = [record.exercises[name].points if name in record.exercises else "" for name in names]
        remarks = " ".join(map(in_words, record.remarks))
        yield [record.student, record.points, record.max_points, *earned, record.status, remarks]


def _aspects(records: list[Record]) -> Iterator[Row]:
    yield ["student", "exercise", "aspect", "held"]
    for record in records:
        for name, one in record.exercises.items():
            for aspect, holds in one.aspects.items():
                yield [record.student, name, aspect, "true" if holds else "false"]


def _mistakes(records: list[Record]) -> Iterator[Row]:
    yield ["exercise", "mistake", "count", "students", "hint"]
    for made in count_mistakes(records):
        yield [made.exercise, made.mistake, len(made.students), "; ".join(made.students), made.hint]


def _times(records: list[Record]) -> Iterator[Row]:
    yield ["student", "seconds", "cpu_seconds", "megabytes"]
    for record in records:
        yield [record.student, record.seconds, record.cpu_seconds, record.megabytes]


def _content(table: Iterable[Row]) -> bytes:
    text = io.StringIO()
    writer = csv.writer(text, quoting=csv.QUOTE_NONNUMERIC)
    for row in table:
        writer.writerow([_harmless(value) if isinstance(value, str) else round(value, 6) for value in row])
    # Excel takes a file for UTF-8 only where it begins with a byte order mark.
    return text.getvalue().encode("utf-8-sig", errors="backslashreplace")


def _harmless(text: str) -> str:
    return f"'{text}" if text.startswith(FORMULA_BEGINS_WITH) else text
