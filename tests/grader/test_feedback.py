"""`python -m grader feedback` makes nbgrader's pages of a class, whole and harmless, and only those that would change."""

import html
import inspect
import io
import os
import re
import shutil
import signal
import subprocess
import sys
from pathlib import Path

import nbformat
import numpy as np
import pytest
from axe_playwright_python.sync_playwright import Axe
from bs4 import BeautifulSoup
from nbformat import NotebookNode
from nbformat.v4 import new_code_cell, new_markdown_cell, new_output
from nbgrader.api import Gradebook

from benchmarks._jupyterlab import PATIENCE
from grader import __main__ as command_line
from grader import oracle
from grader.assignments import seed
from grader.cleaning import NOT_SHOWN
from grader.courses import graded_by_one, open_course
from grader.exercise import body_of
from grader.submissions import REMARKS_TITLE
from grader.verify import solve
from labutils.checks import check, messages
from labutils.files import UNFINISHED
from labutils.notebooks import only_shows
from tests.flows.classroom import Classroom, copy_of, generated_classroom, wait_until
from tests.flows.test_course import ASSIGNMENT, EXERCISES, PAGE, Submission, formgrader, references
from tests.grader.test_cleaning import ELSEWHERE, HOSTILE, PNG

FIRST, SECOND, *_ = EXERCISES
NAMED = "Zoë van der Müller"
MISTAKEN = "step_decay"
MISTAKE = EXERCISES[MISTAKEN].mistakes[0]
# What a function does in calls that its author has not seen.
MISDEEDS = {
    "step_decay": "raise ValueError(f'not {given}')",
    "cosine_decay": "return 1e6 + given['learning_rate']",
    "warmup_cosine": "return np.array(list(given.values()))",
}
# Answers that warn, and mistakes, are part of the class.
pytestmark = [pytest.mark.filterwarnings(f"ignore::{name}") for name in ("UserWarning", "RuntimeWarning")]


def the_class() -> dict[str, Submission]:
    right = references()
    return {
        "right": Submission(right),
        "mistaken": Submission({FIRST: "return 1 / 0", SECOND: "return 'a word'", MISTAKEN: body_of(MISTAKE.function)}),
        "unseen": Submission({name: _right_where_seen(name) for name in MISDEEDS}),
        "hostile": Submission({FIRST: f"print({HOSTILE[0]!r})\nraise ValueError({HOSTILE[7]!r})"}, edit=_be_hostile),
        NAMED: Submission({}, edit=_delete_a_check),
    }


def _right_where_seen(name: str) -> str:
    """The body of a function that does its exercise in the calls that students are shown, and tells of all others."""
    signature = inspect.signature(EXERCISES[name].reference_function)
    seen = []
    for case in EXERCISES[name].cases():
        bound = signature.bind(**case.arguments)
        bound.apply_defaults()
        seen.append(repr(bound.arguments))
    return (
        f"given = dict(locals())\nif repr(given) not in {seen!r}:\n    print(given)\n    {MISDEEDS[name]}\n"
        + references()[name]
    )


def _be_hostile(notebook: NotebookNode) -> None:
    """Put hostile content wherever a notebook can hold any; some of it runs, so that it becomes output."""
    image = {'image/png;base64,AA" onerror="top.ran=[1]': PNG}
    sized = {"image/png": {"width": "1 onload=top.ran=[2]", "height": 1}}
    state = {"application/vnd.jupyter.widget-state+json": {"state": {"a": "</script><script>top.ran=[3]</script>"}}}
    source = (
        "from IPython.display import HTML, Javascript, Markdown, SVG, display, publish_display_data\n"
        f"for text in {HOSTILE!r}:\n    display(HTML(text), Markdown(text))\n"
        f"display(HTML({''.join(HOSTILE)!r}), Javascript('top.ran=[4]'))\n"
        f"publish_display_data({{'image/png': {PNG!r}}}, {sized!r})\n"
        f"publish_display_data({{'image/svg+xml': '<svg onload=\"top.ran=[5]\"/>'}})\n"
        f"print({HOSTILE[0]!r})\nraise ValueError({HOSTILE[7]!r})"
    )
    for cell in notebook.cells:
        cell.metadata.tags = [*cell.metadata.get("tags", []), 'a" onclick="top.ran=[6]', "hidden navbar"]
    shown = next(filter(only_shows, notebook.cells))
    shown.outputs = [new_output("display_data", {"text/html": text}) for text in HOSTILE]
    shown.outputs.append(new_output("display_data", {"image/png": PNG}, metadata=sized))
    notebook.cells += [
        *map(new_markdown_cell, HOSTILE),
        new_markdown_cell("![a](attachment:a.png) [b](javascript:top.ran=[7])", attachments={"a.png": image}),
        nbformat.v4.new_raw_cell(HOSTILE[0], metadata={"raw_mimetype": "text/html"}),
        new_code_cell(source, metadata={"magics_language": '"><script>top.ran=[8]</script>'}),
    ]
    notebook.metadata.widgets = state
    notebook.metadata.title = "</title><script>top.ran=[9]</script>"


def _delete_a_check(notebook: NotebookNode) -> None:
    notebook.cells = [cell for cell in notebook.cells if cell.id != f"check_{SECOND}"]


@pytest.fixture(scope="module")
def graded(sandboxed, tmp_path_factory) -> Classroom:
    """The class, graded, and no page made yet. One student's folder holds a page of their own. To be copied."""
    classroom = generated_classroom(tmp_path_factory.mktemp("generated"))
    for student, submission in the_class().items():
        classroom.hand_in(student, submission)
    (classroom.folder / "submitted" / "hostile" / ASSIGNMENT / "learning_rate.html").write_text("my own page")
    classroom.autograde(workers=1)
    return classroom


@pytest.fixture(scope="module")
def made(graded, tmp_path_factory) -> Classroom:
    """The class with its pages made by our command, with what it said in `said`."""
    classroom = copy_of(graded, tmp_path_factory.mktemp("made"))
    classroom.said = _feedback(classroom, workers=2)
    return classroom


def _feedback(classroom: Classroom, workers: int) -> subprocess.CompletedProcess[str]:
    words = [sys.executable, "-m", "grader", "feedback", ASSIGNMENT, f"--workers={workers}"]
    done = subprocess.run(words, cwd=classroom.folder, env=classroom.environment, capture_output=True, text=True)
    assert done.returncode == 0, f"{done.returncode}:\n{done.stdout}{done.stderr[-6000:]}"
    return done


def _page(classroom: Classroom, student: str) -> Path:
    return classroom.folder / "feedback" / student / ASSIGNMENT / "learning_rate.html"


def _pages(classroom: Classroom) -> dict[str, bytes]:
    """All that lies in the feedback folder."""
    folder = classroom.folder / "feedback"
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def _read(classroom: Classroom, student: str) -> BeautifulSoup:
    return BeautifulSoup(_page(classroom, student).read_text(encoding="utf-8"), "html.parser")


def _words(text: str) -> str:
    """Words without layout, and without the marks that become tags."""
    return " ".join(text.replace("`", "").split())


def test_the_pages_are_those_of_nbgraders_own_command(made, graded, tmp_path):
    """Byte for byte, and without the page that a student handed in under the name of theirs."""
    by_nbgrader = copy_of(graded, tmp_path)
    by_nbgrader.nbgrader("generate_feedback", ASSIGNMENT, "--student=hostile")
    assert list(_pages(by_nbgrader)) == [name for name in _pages(made) if name.startswith("hostile")]
    assert _page(made, "hostile").read_bytes() == _page(by_nbgrader, "hostile").read_bytes()
    assert b"my own page" not in _page(made, "hostile").read_bytes()
    assert {_page(made, student).exists() for student in the_class()} == {True}


def test_the_last_line_counts(made):
    assert made.said.stdout == "5 made, 0 unchanged, 0 failed.\n"
    assert made.said.stderr == ""  # no progress bar where there is no terminal


def test_a_page_shows_points_aspects_and_the_hint(made):
    shown = _words(_read(made, "mistaken").get_text())
    record = made.records["mistaken"].exercises[MISTAKEN]
    assert record.title in shown and 0 < record.points < record.max_points
    for aspect, holds in record.aspects.items():
        assert f"{aspect}: {messages.HOLDS if holds else messages.FAILS}" in shown
    assert _words(MISTAKE.hint) in shown
    panels = _read(made, "right").find_all("section", role="status")
    assert [panel["aria-label"] for panel in panels] == [one.title for one in made.records["right"].exercises.values()]


@pytest.mark.parametrize("student", ["right", "mistaken"])
def test_a_page_says_what_the_student_was_told_before(made, student):
    """The same calls fail in the same way, and what was right is not called wrong, but for the points of hidden cases."""
    page = _words(_read(made, student).get_text())
    namespace = PAGE.setup()
    for name, answer in the_class()[student].answers.items():
        told = check(solve(PAGE.stubs[name], answer, namespace))
        record = made.records[student].exercises[name]
        assert (told.status == "passed") == (record.status == "passed")
        for part in told.parts:
            if part.kind != "item":
                *_, words = part.text.splitlines()  # of a traceback what Python says; there the file has another name
                assert _words(words) in page, f"{name}: {part}"


def test_no_number_of_a_hidden_case_is_told(made):
    """Three functions are right in all calls that students see, and tell in every way of the calls that they do not."""
    records = made.records["unseen"].exercises
    assert {name: records[name].status for name in MISDEEDS} == dict(zip(MISDEEDS, ("raised", "failed", "failed")))
    page = _page(made, "unseen").read_text(encoding="utf-8")
    numbers = set()
    for name in MISDEEDS:
        for attempt in range(1, oracle.MOST_ATTEMPTS + 1):
            cases = oracle.sheet(name, seed(made.folder, ASSIGNMENT), attempt).cases
            values = [[*case.arguments.values(), case.expected] for case in cases if case.hidden]
            numbers |= {float(value) for value in np.hstack([np.ravel(value) for case in values for value in case])}
    long = {f"{number:.5g}" for number in numbers if len(f"{number:.5g}".strip("-0.").replace(".", "")) == 5}
    assert len(long) > 50
    assert [number for number in long if number in page] == []
    assert page.count("One that is not shown fails") == len(MISDEEDS)


def test_remarks_stand_on_top(made):
    first = _read(made, NAMED).find(class_="rendered_html").get_text()
    assert REMARKS_TITLE.strip("*") in first
    for remark in made.records[NAMED].remarks:
        assert _words(remark.text) in _words(first)


def test_only_what_would_change_is_made_again(made, tmp_path, monkeypatch, capsys):
    """A score and a comment by hand, a page that is lost, and one that the instructor has written into."""
    classroom = copy_of(made, tmp_path)
    with Gradebook(classroom.database) as gradebook:
        gradebook.find_grade(f"check_{MISTAKEN}", PAGE.name, ASSIGNMENT, "mistaken").manual_score = 0.75
        gradebook.find_comment(FIRST, PAGE.name, ASSIGNMENT, "right").manual_comment = "Well **done**."
        gradebook.db.commit()
    _page(classroom, NAMED).unlink()
    _page(classroom, "unseen").write_text("written by hand")
    (_page(classroom, "right").parent / "note.pdf").write_bytes(b"a file of the instructor's")
    before = _pages(classroom)
    monkeypatch.chdir(classroom.folder)

    assert _main("--workers=1") == 0
    assert capsys.readouterr().out == "3 made, 2 unchanged, 0 failed.\n"
    after = _pages(classroom)
    made_again = {str(Path(student, ASSIGNMENT, "learning_rate.html")) for student in ("mistaken", NAMED, "right")}
    assert {name for name in after if after[name] != before.get(name)} == made_again
    assert before.keys() <= after.keys()
    assert _page(classroom, NAMED).read_bytes() == _page(made, NAMED).read_bytes()
    assert _read(classroom, "right").find("strong", string="done")
    assert f"(Score: 0.75 / {EXERCISES[MISTAKEN].points}.0)" in _words(_read(classroom, "mistaken").get_text())

    monkeypatch.setattr(sys, "stderr", terminal := Terminal())
    assert _main("--force", "--students=unseen") == 0
    assert re.search(r"feedback: 100%.*1/1 \[\d\d:\d\d<\d\d:\d\d", terminal.getvalue())  # time spent, time left
    assert capsys.readouterr().out == "1 made, 0 unchanged, 0 failed.\n"
    assert _page(classroom, "unseen").read_bytes() == _page(made, "unseen").read_bytes()


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def _main(*arguments: str, assignment: str = ASSIGNMENT) -> int:
    return command_line.main(["feedback", assignment, *arguments])


def test_a_page_that_cannot_be_made_leaves_the_earlier_one(made, tmp_path, monkeypatch, capsys):
    classroom = copy_of(made, tmp_path)
    before = _pages(classroom)
    graded = classroom.autograded(NAMED)
    graded.chmod(0o644)
    graded.write_text(graded.read_text(encoding="utf-8")[:-100])
    shutil.rmtree(classroom.folder / "feedback" / "right")
    monkeypatch.chdir(classroom.folder)
    assert _main("--workers=1") == 1
    failed, last = capsys.readouterr().out.splitlines()
    assert failed.startswith(f"failed: {NAMED}: NotJSONError: ")
    assert last == "1 made, 3 unchanged, 1 failed."
    assert _pages(classroom) == before


def test_a_run_that_was_killed_goes_on_where_it_was(made, graded, tmp_path):
    """Killed when some pages are made; whichever these are, they are not made again."""
    classroom = copy_of(graded, tmp_path)
    digests = classroom.folder / "grading" / ASSIGNMENT / "feedback"
    words = [sys.executable, "-m", "grader", "feedback", ASSIGNMENT, "--workers=1"]
    with subprocess.Popen(words, cwd=classroom.folder, env=classroom.environment, stdout=subprocess.DEVNULL) as run:
        wait_until(lambda: run.poll() is not None or any(digests.glob("*.json")))
        run.send_signal(signal.SIGKILL)
    pages = classroom.folder / "feedback"
    (pages / "right" / ASSIGNMENT).mkdir(parents=True, exist_ok=True)
    (pages / "right" / ASSIGNMENT / f"{UNFINISHED}x").write_text("<html>")  # what a page is written to at first
    done = len(list(digests.glob("*.json")))
    last = _feedback(classroom, workers=1).stdout
    made_before = int(re.search(r"(\d+) unchanged", last)[1])
    assert done <= made_before <= len(the_class())  # a worker may have finished one when its parent was killed
    assert last == f"{len(the_class()) - made_before} made, {made_before} unchanged, 0 failed.\n"
    assert _pages(classroom) == _pages(made)
    assert classroom.unfinished() == []


def test_what_cannot_be_done_is_told_with_the_way_out(made, graded, tmp_path, monkeypatch, capsys):
    def said(*arguments: str, assignment: str = ASSIGNMENT) -> str:
        assert _main(*arguments, assignment=assignment) == 2
        found = capsys.readouterr()
        assert found.out == ""
        return found.err

    monkeypatch.chdir(made.folder)
    before = _pages(made)
    words = said("--students=right,mistakn")
    assert "mistakn" in words and "Did you mean mistaken?" in words and "python -m grader autograde" in words
    assert "Did you mean 01_learning_rate?" in said(assignment="01_learning_rat")
    with graded_by_one(open_course(ASSIGNMENT), "autograde of another"):
        assert f"`autograde of another` (process {os.getpid()}" in said()
    monkeypatch.chdir(tmp_path)
    assert f"There is no nbgrader_config.py in {tmp_path}" in said()
    ungraded = copy_of(graded, tmp_path)
    shutil.rmtree(ungraded.folder / "autograded")
    monkeypatch.chdir(ungraded.folder)
    assert said() == f"Nothing of {ASSIGNMENT} is graded yet. To do that: python -m grader autograde {ASSIGNMENT}\n"
    with open("nbgrader_config.py", "a") as configuration:
        configuration.write("\nc.Exporter.no_such_thing = 1 / 0\n")
    assert "cannot be loaded: ZeroDivisionError: division by zero" in said()
    assert not (ungraded.folder / "feedback").exists()
    assert _pages(made) == before


FETCHED_BY_NBGRADER = re.compile(
    r"https://cdnjs\.cloudflare\.com/ajax/libs/mathjax/|http://[^/]+/(favicon|formgrader/(static|api/(grades|comments)\b))"
)


class Visit:
    """A page open in a browser, in which nothing of a submission's may run, ask or load anything."""

    def __init__(self, page, address: str, own: str) -> None:
        self.page = page
        self.address = address
        self.requests = []
        self.dialogs = []
        page.set_default_timeout(1000 * PATIENCE)
        page.on("request", lambda request: self.requests.append((request.method, request.url)))
        page.on("dialog", lambda dialog: (self.dialogs.append(dialog.message), dialog.dismiss()))
        # What the templates fetch from elsewhere is not part of what is asked.
        page.route(lambda url: not url.startswith(own), lambda route: route.abort())
        page.goto(address)
        page.wait_for_load_state("networkidle")

    def assert_harmless(self) -> None:
        assert self.page.evaluate("window.ran ?? null") is None
        assert self.dialogs == []
        assert {method for method, _ in self.requests} == {"GET"}
        assert [url for _, url in self.requests if url != self.address and not FETCHED_BY_NBGRADER.match(url)] == []
        addresses = self.page.evaluate("[...document.querySelectorAll('#notebook [href]')].map(tag => tag.href)")
        assert [address for address in addresses if "script:" in address] == []
        covering = "tag => getComputedStyle(tag).position === 'fixed' || getComputedStyle(tag).zIndex === '9999'"
        assert self.page.evaluate(f"[...document.querySelectorAll('#notebook *')].filter({covering}).length") == 0


@pytest.mark.browser
def test_the_hostile_content_is_live(chromium):
    """Put into a page as it is, most of it does what it is made for: else the next two tests would show nothing."""
    frames = "".join(f'<iframe srcdoc="{html.escape(text)}"></iframe>' for text in HOSTILE)
    with chromium.new_page() as page:
        asked = []
        page.on("request", lambda request: asked.append(request.url.startswith(ELSEWHERE)))
        page.route(f"{ELSEWHERE}/**", lambda route: route.abort())
        page.set_default_timeout(1000 * PATIENCE)
        page.set_content(frames, wait_until="commit")
        page.wait_for_function("new Set(top.ran).size >= 12")
        wait_until(lambda: page.wait_for_timeout(20) or sum(asked) >= 8)


@pytest.mark.browser
def test_a_hostile_page_does_nothing(made, chromium):
    with chromium.new_page() as page:
        visit = Visit(page, _page(made, "hostile").as_uri(), own="file:")
        assert NOT_SHOWN not in page.content()
        assert page.locator("section[role=status]").count() == len(EXERCISES)
        assert page.locator("#notebook img[src^='data:image/png']").count() > 0
        visit.assert_harmless()


@pytest.mark.browser
def test_a_hostile_submission_does_nothing_in_formgrader(made, tmp_path, chromium):
    """In the view of manual grading, from which a script could change grades."""
    classroom = copy_of(made, tmp_path)
    before = classroom.gradebook()
    with Gradebook(classroom.database) as gradebook:
        submission = gradebook.find_submission_notebook(PAGE.name, ASSIGNMENT, "hostile").id
    header = {"Authorization": "token formgrader"}
    with formgrader(classroom), chromium.new_page(extra_http_headers=header) as page:
        log = (classroom.folder / "server.log").read_text()
        server = re.search(r"http://(?:127\.0\.0\.1|localhost):\d+", log)[0]
        visit = Visit(page, f"{server}/formgrader/submissions/{submission}/", own=server)
        scores = page.locator("input.score")
        assert scores.count() == len(EXERCISES)
        page.wait_for_function("document.querySelector('input.score').placeholder !== ''")  # its own scripts have run
        assert page.locator("section[role=status]").count() == len(EXERCISES)
        visit.assert_harmless()
    assert classroom.gradebook() == before


@pytest.mark.browser
@pytest.mark.parametrize(("student", "width"), [("mistaken", 390), ("unseen", 1100)])
def test_panels_are_readable_on_white_at_any_width(made, chromium, student, width):
    with chromium.new_page(viewport={"width": width, "height": 900}) as page:
        Visit(page, _page(made, student).as_uri(), own="file:")
        found = Axe().run(page, context="section[role=status]")
        assert found.violations_count == 0, found.generate_report()
        for panel in page.locator("section[role=status]").all():
            box = panel.bounding_box()
            assert box["x"] >= 0 and box["x"] + box["width"] <= width
            assert panel.evaluate("panel => panel.scrollWidth <= panel.clientWidth")
