"""The report: its numbers are those of the records, its page is whole and safe, and its messages name the way out."""

import csv
import io
import json
import random
import re
import statistics
from collections import Counter
from pathlib import Path

import numpy as np
import pytest
from axe_playwright_python.sync_playwright import Axe
from bs4 import BeautifulSoup

from grader.records import ExerciseRecord, Record, Records, Remark
from grader.report import NothingToReport, report, write_report
from tests.grader.test_similarity import Writer, notebook

ASSIGNMENT = "01_first_steps"
HOSTILE = "<script>alert(1)<∕script>"  # a folder's name has no plain slash
EXERCISES = {
    "smooth": {"at the start": 1, "later": 2},
    "decay": {"level": 1, "at a drop": 1, "below $x$ & above $y$": 1},
    "ratio": {"any": 1},
}
HINTS = {"no_correction": "The first entry is too small. <b>Divide</b>.", "one_late": "One epoch late.", "=slip": "@x"}


def exercise_record(name, chance):
    status = chance.choice(["passed", "passed", "failed", "failed", "raised", "not attempted"])
    held = {
        aspect: status == "passed" or (status != "not attempted" and chance.random() < 0.4)
        for aspect in EXERCISES[name]
    }
    mistake = chance.choice([None, *HINTS]) if status == "failed" else None
    share = sum(weight for aspect, weight in EXERCISES[name].items() if held[aspect]) / sum(EXERCISES[name].values())
    return ExerciseRecord(
        name, status, 2 * share, 2.0, held, mistake, HINTS.get(mistake), chance.uniform(0, 0.1), f"{name}: {status}"
    )


def record(student, chance, status="graded", remarks=()):
    exercises = {name: exercise_record(name, chance) for name in EXERCISES}
    if status == "unreadable":
        exercises = {}
    return Record(
        *(student, ASSIGNMENT, "first_steps", "d" * 64, "k" * 64, status, remarks),
        *(
            chance.uniform(0.5, 4),
            chance.uniform(0.1, 2),
            chance.uniform(100, 900),
            "2026-11-21T15:00:00+00:00",
            exercises,
        ),
    )


def a_course(folder, seed, count=25):
    """A course with records drawn at random, two submissions that are copies, and all kinds of odd students."""
    chance = random.Random(seed)
    names = [f"student {number}" for number in range(count)] + [HOSTILE, "=1+2", "@home", "Zoë Ångström", "-x", "\tt"]
    records = {name: record(name, chance) for name in names}
    remarks = (Remark(None, "Two notebooks were handed in."), Remark("smooth", "<i>Twice</i>, the last one counts."))
    records["student 3"] = record("student 3", chance, "with remarks", remarks)
    records["student 4"] = record("student 4", chance, "unreadable", (Remark(None, "The file <b> is empty."),))
    for one in records.values():
        Records(folder, ASSIGNMENT).write(one)
    writer = Writer(seed)
    for name in [*records, "not graded yet"]:
        answers = [writer.function(exercise, chance.randint(8, 14)) for exercise in EXERCISES]
        hand_in(folder, name, answers)
    hand_in(folder, "student 6", copied := [writer.function(exercise, 14) for exercise in EXERCISES])
    hand_in(folder, HOSTILE, [source + "    mark = '</td><script>alert(2)</script>'\n" for source in copied])
    return dict(sorted(records.items()))


def hand_in(folder, student, sources):
    path = folder / "submitted" / student / ASSIGNMENT / "first_steps.ipynb"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(notebook(*sources))


@pytest.fixture(scope="module", params=[0, 1])
def made(request, tmp_path_factory):
    """The records of a course, and the paths of its report by name."""
    folder = tmp_path_factory.mktemp("course with spaces é")
    records = a_course(folder, request.param)
    return records, {path.name: path for path in write_report(folder, ASSIGNMENT)}


@pytest.fixture(scope="module")
def page(made):
    return BeautifulSoup(made[1]["report.html"].read_text(encoding="utf-8"), "html.parser")


def rows(path):
    return list(csv.DictReader(io.StringIO(path.read_bytes().decode("utf-8-sig"), newline="")))


def table(page, identifier):
    return [
        [" ".join(cell.get_text(" ").split()) for cell in row.find_all(["th", "td"])]
        for row in page.select(f"#{identifier} tbody tr")
    ]


def safe(text):
    return f"'{text}" if text[:1] in ("=", "+", "-", "@", "\t") else text


def readable(records):
    return [one for one in records.values() if one.status != "unreadable"]


def outcome(one):
    """The report's five outcomes, computed another way."""
    if one.status in ("passed", "not attempted"):
        return one.status
    return one.status if one.points == 0 else "partly"


def test_it_is_written_into_the_course(made):
    _, paths = made
    assert list(paths) == ["report.html", "scores.csv", "aspects.csv", "mistakes.csv", "times.csv"]
    assert {path.parent.parts[-2:] for path in paths.values()} == {("reports", ASSIGNMENT)}
    assert len(list(paths["report.html"].parent.iterdir())) == 5


def test_scores(made, page):
    records, paths = made
    written = rows(paths["scores.csv"])
    assert [row["student"] for row in written] == [safe(name) for name in records]
    for row, one in zip(written, records.values()):
        assert float(row["points"]) == pytest.approx(sum(e.points for e in one.exercises.values()), abs=1e-6)
        assert float(row["max_points"]) == 2 * len(one.exercises)
        for name in EXERCISES:
            if one.exercises:
                assert float(row[name]) == pytest.approx(one.exercises[name].points, abs=1e-6)
            else:
                assert row[name] == ""
        assert row["status"] == one.status
        assert all(remark.text in row["remarks"] for remark in one.remarks)
    for cells, one in zip(table(page, "scores"), records.values(), strict=True):
        assert cells[0] == " ".join(one.student.split()) and cells[-1] == one.status
        assert float(cells[1]) == pytest.approx(sum(e.points for e in one.exercises.values()), rel=1e-3)
        assert [float(cell.split()[-1]) for cell in cells[3:-1] if cell] == pytest.approx(
            [e.points for e in one.exercises.values()], rel=1e-3
        )


def test_exercises_and_aspects(made, page):
    records, paths = made
    attempts = {name: [one.exercises[name] for one in readable(records)] for name in EXERCISES}
    for cells, (name, results) in zip(table(page, "by-exercise"), attempts.items(), strict=True):
        counted = Counter(map(outcome, results))
        expected = [str(counted[part]) for part in ("passed", "partly", "failed", "raised", "not attempted")]
        assert cells[:-1] == [name, *expected]
        mean, _, most = cells[-1].split()
        assert float(mean) == pytest.approx(statistics.fmean(one.points for one in results), rel=1e-3) and most == "2"
    expected = {}
    for name, results in attempts.items():
        for aspect in EXERCISES[name]:
            held = sum(one.aspects[aspect] for one in results)
            idle = sum(one.status == "not attempted" for one in results)
            expected[f"{name}: {aspect}"] = [str(held), str(len(results) - held - idle), str(idle)]
    assert {cells[0]: cells[1:] for cells in table(page, "by-aspect")} == expected

    written = {(row["student"], row["exercise"], row["aspect"]): row["held"] for row in rows(paths["aspects.csv"])}
    assert written == {
        (safe(one.student), name, aspect): str(holds).lower()
        for one in records.values()
        for name, e in one.exercises.items()
        for aspect, holds in e.aspects.items()
    }


def test_mistakes_the_most_frequent_first(made, page):
    records, paths = made
    made_by = {}
    for one in records.values():
        for e in one.exercises.values():
            if e.mistake:
                made_by.setdefault((e.exercise, e.mistake), []).append(one.student)
    written = rows(paths["mistakes.csv"])
    assert {(row["exercise"], row["mistake"].removeprefix("'")) for row in written} == set(made_by)
    assert [int(row["count"]) for row in written] == sorted(map(len, made_by.values()), reverse=True)
    for row in written:
        mistake = row["mistake"].removeprefix("'")
        students = made_by[row["exercise"], mistake]
        assert int(row["count"]) == len(students) and row["students"] == safe("; ".join(students))
        assert row["hint"] == safe(HINTS[mistake])
    for cells, row in zip(table(page, "by-mistake"), written, strict=True):
        assert cells[0] == row["count"] and cells[2] == row["mistake"].removeprefix("'")
        assert cells[3] == HINTS[cells[2]]


def test_times_and_the_slowest_by_name(made, page):
    records, paths = made
    for row, one in zip(rows(paths["times.csv"]), records.values(), strict=True):
        given = [float(row[name]) for name in ("seconds", "cpu_seconds", "megabytes")]
        assert given == pytest.approx([one.seconds, one.cpu_seconds, one.megabytes], abs=1e-6)
    slowest = sorted(records.values(), key=lambda one: one.seconds)[::-1][:5]
    assert [cells[0] for cells in table(page, "slowest")] == [" ".join(one.student.split()) for one in slowest]


def test_what_needs_eyes_comes_first(made, page):
    records, _ = made
    first = page.find("main").find("section")
    text = " ".join(first.get_text(" ").split())
    assert text.startswith("What needs your eyes Unreadable student 4 The file <b> is empty.")
    assert "not graded yet" in text and f"python -m grader autograde {ASSIGNMENT}" in text
    assert "student 3 Two notebooks were handed in. smooth: <i>Twice</i>, the last one counts." in text
    facts = {
        fact.get_text(" ").partition(" ")[2].strip(): float(fact.b.get_text()) for fact in page.select(".facts li")
    }
    points = [one.points for one in readable(records)]
    assert facts == {
        "graded": len(records),
        "of them with remarks": 1,
        "unreadable": 1,
        "not graded yet": 1,
        "points on average": pytest.approx(np.mean(points), rel=1e-3),
        "points in the middle (median)": pytest.approx(np.median(points), rel=1e-3),
    }


def test_each_plot_has_a_title_axes_with_units_and_a_text(page):
    figures = page.find_all("svg")
    assert [figure["role"] for figure in figures] == ["img"] * 5
    alternatives = [figure["aria-label"] for figure in figures]
    assert all(len(text) > 60 and text.endswith(".") for text in alternatives) and len(set(alternatives)) == 5
    for figure, title, label in zip(
        figures,
        ["Points", "Exercises", "Aspects", "Known mistakes", "Time to grade"],
        ["points (of 6)", "submissions (%)", "submissions (%)", "submissions", "time (s)"],
    ):
        texts = [text.get_text() for text in figure.find_all("text")]
        assert title in texts and label in texts


def test_a_plots_shares_are_the_tables(made, page):
    records, _ = made
    labels = [text.get_text() for text in page.find_all("svg")[1].find_all("text")]
    for name in EXERCISES:
        passed = [one.exercises[name].status == "passed" for one in readable(records)]
        assert f"{name} ({100 * np.mean(passed):.0f} %)" in labels


def test_copies_stand_side_by_side_for_a_look(page):
    section = page.select("section")[-1]
    assert section.h2.get_text() == "Similar submissions, for a look"
    heads = [head.get_text() for head in section.find_all("h3")]
    assert [re.sub(r": \d+ %", "", head) for head in heads] == [f"{HOSTILE} and student 6 over all exercises"]
    codes = section.select("table.code")
    assert len(codes) == len(EXERCISES)
    for code in codes:
        marked = [[cell.get_text() for cell in row.find_all("td")] for row in code.select("tr.same")]
        assert len(marked) > 8 and all(left == right and sign == "=" for left, sign, right in marked)
    assert "</td><script>alert(2)</script>" in section.get_text()


def test_no_students_text_becomes_markup(made, page):
    assert len(page.find_all("script")) == 1 and "alert" not in page.script.get_text()
    assert not page.main.find_all(["b", "i"], string=re.compile("it|Twice|Divide"))
    assert not page.find_all(["link", "img", "iframe", "object"])
    assert not re.search(r"""(src|href)="(?!#)""", str(page))


def test_a_formula_in_a_name_is_text_in_every_table(made):
    _, paths = made
    for name, path in paths.items():
        if name.endswith(".csv"):
            for row in csv.reader(io.StringIO(path.read_bytes().decode("utf-8-sig"), newline="")):
                for cell in row:
                    assert not cell.startswith(("=", "+", "-", "@", "\t", "\r"))


def test_it_is_the_same_page_when_written_again_but_for_the_time(tmp_path):
    a_course(tmp_path, 5)
    first, second = ([path.read_bytes() for path in write_report(tmp_path, ASSIGNMENT)] for _ in range(2))
    without_time = [re.sub(rb"Written [^<]*UTC", b"", content) for content in (first[0], second[0])]
    assert without_time[0] == without_time[1] and first[1:] == second[1:]


@pytest.mark.parametrize(
    "kind",
    ["one who passed nothing", "unreadable alone", "no exercises", "one who handed in a broken file", "all alike"],
)
def test_a_small_class_has_a_report_too(tmp_path, kind):
    chance = random.Random(1)
    one = record("ann", chance)
    if kind == "unreadable alone":
        one = record("ann", chance, "unreadable")
    if kind == "no exercises":
        one = Record(**{**vars(one), "exercises": {}})
    if kind == "one who passed nothing":
        nothing = ExerciseRecord("smooth", "not attempted", 0, 2, {}, None, None, 0, "smooth")
        one = Record(**{**vars(one), "exercises": {"smooth": nothing}})
    Records(tmp_path, ASSIGNMENT).write(one)
    if kind == "one who handed in a broken file":
        hand_in(tmp_path, "ann", [])
        (path,) = tmp_path.glob("submitted/ann/*/*.ipynb")
        path.write_bytes(b"\xff{")
    if kind == "all alike":
        for name in ("bob", "cleo"):
            Records(tmp_path, ASSIGNMENT).write(Record(**{**vars(one), "student": name}))
    page = BeautifulSoup(write_report(tmp_path, ASSIGNMENT)[0].read_text(encoding="utf-8"), "html.parser")
    assert page.h1.get_text() == f"Report on {ASSIGNMENT}"
    assert "No two submissions share enough to be named." in page.get_text()


def test_nothing_graded_yet(tmp_path, capsys):
    (tmp_path / "source" / "02_x").mkdir(parents=True)
    with pytest.raises(NothingToReport, match="^Nothing of 02_x is graded yet: python -m grader autograde 02_x$"):
        write_report(tmp_path, "02_x")
    assert report(tmp_path, "02_x") == 1
    assert "Nothing of 02_x is graded yet" in capsys.readouterr().err
    assert not (tmp_path / "reports").exists()


@pytest.mark.parametrize("place", ["source/{}", "release/{}", "grading/{}", "submitted/ann/{}"])
def test_an_unknown_assignment_and_the_nearest(tmp_path, place):
    for name in ("01_learning_rate", "02_momentum"):
        (tmp_path / place.format(name)).mkdir(parents=True)
    with pytest.raises(NothingToReport, match=r"no assignment 01_learning_rat in .*Did you mean 01_learning_rate\?"):
        write_report(tmp_path, "01_learning_rat")
    with pytest.raises(NothingToReport, match="There are 01_learning_rate, 02_momentum."):
        write_report(tmp_path, "zzz")
    with pytest.raises(NothingToReport, match="no assignment"):
        write_report(tmp_path, "../source")


def test_a_course_without_any_assignment(tmp_path):
    with pytest.raises(NothingToReport, match="none at all yet; `python -m grader source` writes"):
        write_report(tmp_path / "nowhere", "01_x")


def test_a_damaged_record_counts_as_not_graded_and_is_told(tmp_path, caplog):
    a_course(tmp_path, 2)
    (path,) = (tmp_path / "grading" / ASSIGNMENT / "records").glob("student 5.json")
    path.write_bytes(json.dumps({"format": 1}).encode())
    page = BeautifulSoup(write_report(tmp_path, ASSIGNMENT)[0].read_text(encoding="utf-8"), "html.parser")
    assert "student 5" in page.find("main").find("section").get_text() and "student 5" in caplog.text
    assert not any(cells[0] == "student 5" for cells in table(page, "scores"))


def test_the_command_says_where_it_is(tmp_path, capsys):
    a_course(tmp_path, 3)
    assert report(tmp_path, ASSIGNMENT) == 0
    told = capsys.readouterr().out.splitlines()
    assert [Path(line).is_file() for line in told] == [True] * 5 and told[0].endswith("report.html")


def test_where_it_cannot_be_written_the_reason_is_told(tmp_path, capsys):
    a_course(tmp_path, 4)
    (tmp_path / "reports").write_bytes(b"in the way")
    assert report(tmp_path, ASSIGNMENT) == 1
    assert "The report cannot be written" in capsys.readouterr().err


# In a browser


@pytest.mark.browser
@pytest.mark.parametrize("width", [1200, 390])
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_in_a_browser_nothing_is_wrong_and_nothing_is_fetched(made, chromium, width, scheme):
    records, paths = made
    with chromium.new_page(viewport={"width": width, "height": 900}, color_scheme=scheme) as page:
        problems, requests, dialogs = [], [], []
        page.on("console", lambda message: problems.append(message.text))
        page.on("pageerror", lambda error: problems.append(str(error)))
        page.on("request", lambda request: requests.append(request.url))
        page.on("dialog", lambda dialog: (dialogs.append(dialog.message), dialog.dismiss()))
        page.goto(paths["report.html"].as_uri())
        for details in page.locator("details").all():
            details.locator("summary").click()
        assert page.evaluate("document.documentElement.scrollWidth") <= width
        violations = Axe().run(page).response["violations"]
        assert [violation["id"] for violation in violations] == []
        assert (problems, dialogs) == ([], []) and requests == [paths["report.html"].as_uri()]


@pytest.mark.browser
def test_on_paper_no_table_is_cut_off(made, chromium):
    with chromium.new_page(viewport={"width": 720, "height": 1000}) as page:
        page.emulate_media(media="print")
        page.goto(made[1]["report.html"].as_uri())
        assert page.evaluate("document.documentElement.scrollWidth") <= 720


@pytest.mark.browser
def test_a_column_sorts_the_table_both_ways_by_keyboard(made, chromium):
    records, paths = made
    points = [round(one.points, 3) for one in records.values()]
    with chromium.new_page() as page:
        page.goto(paths["report.html"].as_uri())
        read = "[...document.querySelectorAll('#scores tbody tr')].map(row => Number(row.cells[1].dataset.value))"
        head = page.locator("#scores th button", has_text="points")
        for order, expected in (("ascending", sorted(points)), ("descending", sorted(points, reverse=True))):
            head.focus()
            page.keyboard.press("Enter")
            assert page.evaluate(read) == pytest.approx(expected, abs=1e-3)
            assert page.locator("#scores th[aria-sort]").get_attribute("aria-sort") == order
        page.locator("#scores th button", has_text="student").click()
        names = page.evaluate("[...document.querySelectorAll('#scores tbody tr')].map(row => row.cells[0].innerText)")
        assert names.index("student 2") < names.index("student 10")
