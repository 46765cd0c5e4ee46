"""Each chapter goes through an instructor's hands: generated, handed in, graded, answered with feedback, reported on.

Chapter 1 has its own journey in test_course.py, by stock nbgrader commands, with a larger class.
"""

import csv
import html
import re
import subprocess
import sys

import pytest

from grader.exercise import body_of
from grader.texts import Page, pages
from tests.flows.classroom import Classroom, copy_of, generated_classroom
from tests.flows.test_course import Submission, references

PAGES = [page for page in pages() if page.chapter][1:]

# The mistakes of a chapter warn while it is computed what the class deserves.
pytestmark = [pytest.mark.filterwarnings(f"ignore::{name}") for name in ("UserWarning", "RuntimeWarning")]


def the_class(page: Page) -> dict[str, Submission]:
    """Right, right in other words, partly right, blank, and two students with a known mistake in every exercise."""
    right, names = references(page), list(page.stubs)
    exercises = [stub.exercise for stub in page.stubs.values()]
    otherwise = {one.name: body_of(one.alternatives[-1]) for one in exercises}
    students = {
        "right": Submission(right, page=page),
        "otherwise": Submission(otherwise, page=page),
        "partly": Submission({name: right[name] for name in names[::2]}, page=page),
        "blank": Submission({}, page=page),
    }
    for place in (0, -1):
        mistakes = [one.mistakes[place] for one in exercises]
        answers = {one.name: body_of(mistake.function) for one, mistake in zip(exercises, mistakes)}
        hints = [mistake.hint for mistake in mistakes]
        students["mistaken" if place else "wrong"] = Submission(answers, hints=hints, page=page)
    return students


@pytest.fixture(scope="module", params=PAGES, ids=lambda page: page.name)
def journey(request, sandboxed, tmp_path_factory) -> tuple[Classroom, dict[str, Submission]]:
    """A class that has been graded, with its feedback and its report, by the three commands."""
    students = the_class(request.param)
    generated = generated_classroom(tmp_path_factory.mktemp("generated"), request.param)
    classroom = copy_of(generated, tmp_path_factory.mktemp("class"), students)
    classroom.autograde()
    for command in ("feedback", "report"):
        words = [sys.executable, "-m", "grader", command, classroom.assignment]
        done = subprocess.run(words, cwd=classroom.folder, env=classroom.environment, capture_output=True, text=True)
        assert done.returncode == 0, done.stdout + done.stderr
    return classroom, students


def test_every_exercise_earns_what_it_deserves(journey):
    classroom, students = journey
    deserved = {name: submission.deserves for name, submission in students.items()}
    assert classroom.scores() == deserved
    everything = {name: stub.exercise.points for name, stub in classroom.page.stubs.items()}
    assert deserved["right"] == deserved["otherwise"] == everything
    assert set(deserved["blank"].values()) == {0}
    assert all(deserved[name][one] < everything[one] for name in ("wrong", "mistaken") for one in everything)


def test_feedback_tells_each_mistake_its_hint(journey):
    classroom, students = journey
    for name, submission in students.items():
        (feedback,) = (classroom.folder / "feedback" / name / classroom.assignment).glob("*.html")
        words = html.unescape(re.sub(r"<[^>]+>", "", feedback.read_text(encoding="utf-8")))
        for hint in submission.hints:
            assert hint.replace("`", "") in words.replace("`", ""), f"{name} is not told: {hint}"


def test_the_report_counts_the_class_and_its_mistakes(journey):
    classroom, students = journey
    reports = classroom.folder / "reports"
    assert len(list(reports.rglob("report.html"))) == 1

    def rows(name: str) -> list[dict[str, str]]:
        (path,) = reports.rglob(name)
        with open(path, newline="", encoding="utf-8-sig") as file:
            return list(csv.DictReader(file))

    points = {row["student"]: float(row["points"]) for row in rows("scores.csv")}
    assert points == pytest.approx({name: sum(one.deserves.values()) for name, one in students.items()})
    told = {(row["exercise"], row["mistake"]) for row in rows("mistakes.csv")}
    for stub in classroom.page.stubs.values():
        assert {(stub.exercise.name, stub.exercise.mistakes[place].name) for place in (0, -1)} <= told
