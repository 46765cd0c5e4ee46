"""A class works through chapter 1: the stock nbgrader commands from the source to the exported grades.

Each submission is made from the release by writing answers into its solution cells. What it deserves is computed by the
functions that `python -m grader verify` uses; nbgrader must come to the same, exercise by exercise.
"""

import contextlib
import csv
import html
import json
import os
import re
import shutil
import subprocess
import sys
import sysconfig
import urllib.request
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from functools import cached_property
from pathlib import Path
from typing import Any

import nbformat
import pytest
from nbformat import NotebookNode
from nbgrader.api import Gradebook

from benchmarks._jupyterlab import free_port, wait_for_server
from grader.build import SOURCE, assemble, write_source
from grader.exercise import body_of
from grader.judge import ReferenceJudge
from grader.texts import PLACE_FOR_THE_BODY, ROOT, Page, pages
from grader.verify import judged, solve
from labutils.notebooks import only_shows

(PAGE,) = pages(("learning_rate",))
EXERCISES = {name: stub.exercise for name, stub in PAGE.stubs.items()}
ASSIGNMENT = PAGE.chapter.folder
UNSOLVED = "# YOUR CODE HERE\nraise NotImplementedError"
NOISE = "import sys, warnings\nwarnings.warn('deprecated')\nprint('trying')\nprint('trouble?', file=sys.stderr)\n"


@dataclass
class Submission:
    """A student's answers, as bodies of functions by exercise; those not named are as they were handed out.

    `lost` names exercises whose function does not exist when the notebook runs. `own_copy` tells that the student did
    not work on the release but on the book's own notebook, which `lab.py` hands out.
    """

    answers: dict[str, str]
    edit: Callable[[NotebookNode], None] = lambda notebook: None
    lost: tuple[str, ...] = ()
    hints: list[str] = field(default_factory=list)
    own_copy: bool = False
    page: Page = PAGE

    @cached_property
    def deserves(self) -> dict[str, float]:
        """The points that this submission deserves in each exercise, by the instructor's judge."""
        judge, namespace = ReferenceJudge(), self.page.setup()
        points = dict.fromkeys(self.page.stubs, 0.0)
        for name in points.keys() - set(self.lost):
            function = solve(self.page.stubs[name], self.answers.get(name, UNSOLVED), namespace)
            points[name] = judged(judge, name, function).points
        return points

    def write(self, release: Path, path: Path) -> None:
        notebook = nbformat.read(release, as_version=4)
        for cell in notebook.cells:
            if cell.id in self.answers:
                cell.source = self.page.stubs[cell.id].with_body(self.answers[cell.id])
        self.edit(notebook)
        nbformat.write(notebook, path)


def references(page: Page = PAGE) -> dict[str, str]:
    return {name: body_of(stub.exercise.reference_function) for name, stub in page.stubs.items()}


def the_class() -> dict[str, Submission]:
    """Sixteen students, by what is to be said of their work."""
    right = references()
    raising = ("return 1 / 0", "import no_such_module", "return no_such_name")
    names = list(EXERCISES)
    first, second, third, *others = names
    students = {
        "right": Submission(right),
        "blank": Submission({}),
        "partly": Submission({name: right[name] for name in names[::2]}),
        "noisy": Submission({name: NOISE + right[name] for name in names}),
        "forgetful": Submission(right | {first: "pass", second: "print(1 + 1)"}),
        "raising": Submission(right | dict(zip(names, raising))),
        "endless": Submission(right | {others[0]: "while True:\n    pass"}),
        "unparsed": Submission(right | {second: "return ("}, lost=(second,)),
        "deleting": Submission(right, edit=_delete(first, f"check_{third}"), lost=(first,)),
        "changing": Submission({}, edit=_claim_full_points),
        "alone": Submission(right, own_copy=True),
    }
    for number in range(2):
        chosen = {name: body_of(exercise.alternatives[-1 - number]) for name, exercise in EXERCISES.items()}
        students[f"otherwise{number}"] = Submission(chosen)
    for number in range(3):
        mistakes = [exercise.mistakes[number] for exercise in EXERCISES.values()]
        answers = dict(zip(names, (body_of(mistake.function) for mistake in mistakes)))
        students[f"mistaken{number}"] = Submission(answers, hints=[mistake.hint for mistake in mistakes])
    return students


def _delete(*ids: str) -> Callable[[NotebookNode], None]:
    def edit(notebook: NotebookNode) -> None:
        notebook.cells = [cell for cell in notebook.cells if cell.id not in ids]

    return edit


def _without_demonstrations(notebook: NotebookNode) -> None:
    """They take most of the time and count for nothing."""
    notebook.cells = [cell for cell in notebook.cells if not only_shows(cell)]


def _claim_full_points(notebook: NotebookNode) -> None:
    """Writes numbers into the locked cells, and tags them as demonstrations, which are not run."""
    for cell in notebook.cells:
        if cell.metadata.get("nbgrader", {}).get("grade"):
            points = cell.metadata.nbgrader.points
            cell.source = str(points)
            cell.metadata.tags = ["demo"]
            cell.outputs = [nbformat.v4.new_output("execute_result", {"text/plain": str(points)}, execution_count=1)]


class Course:
    """A copy of the course folder with an exchange and a home of its own, and one page of the book as its assignment."""

    def __init__(self, folder: Path, page: Page = PAGE) -> None:
        self.folder, self.page = folder, page
        self.assignment = page.chapter.folder
        self.exchange = folder.parent / "exchange"
        folder.mkdir()
        self.exchange.mkdir()
        self.exchange.chmod(0o777)
        shutil.copy(SOURCE.parent / "nbgrader_config.py", folder)

    def nbgrader(self, command: str, *arguments: str, folder: Path | None = None) -> str:
        """Run `nbgrader COMMAND` as an instructor does, in the course folder or another. Returns what it printed."""
        done = subprocess.run(
            [sys.executable, "-m", "nbgrader", command, *arguments, f"--Exchange.root={self.exchange}"],
            cwd=folder or self.folder,
            env=self.environment,
            capture_output=True,
            text=True,
        )
        assert done.returncode == 0, f"nbgrader {command} failed:\n{done.stdout[-2000:]}{done.stderr[-6000:]}"
        return done.stdout + done.stderr

    @property
    def environment(self) -> dict[str, str]:
        """The variables of a shell in which the tests' environment is active: nbgrader calls `alembic` by its name."""
        path = os.pathsep.join([sysconfig.get_path("scripts"), os.environ["PATH"]])
        return {**os.environ, "PATH": path, "PYTHONPATH": str(ROOT), "HOME": str(self.folder.parent)}

    @property
    def release(self) -> Path:
        return self.folder / "release" / self.assignment / self.page.notebook.name


@contextlib.contextmanager
def formgrader(course: Course) -> Iterator[Callable[[str, str], Any]]:
    """Formgrader's server in the course folder; yields `ask(method, path)`, which returns what its API answers."""
    port, log = free_port(), course.folder / "server.log"
    options = ["--no-browser", "--allow-root", "--IdentityProvider.token=formgrader"]
    options += [f"--ServerApp.port={port}", "--ServerApp.port_retries=0"]
    with open(log, "w") as output:
        server = subprocess.Popen(
            [sys.executable, "-m", "jupyter_server", *options],
            cwd=course.folder,
            env=course.environment,
            stdout=output,
            stderr=output,
        )

    def ask(method: str, path: str) -> Any:
        address = f"http://127.0.0.1:{port}/formgrader/api/{path}"
        request = urllib.request.Request(address, method=method, headers={"Authorization": "token formgrader"})
        with urllib.request.urlopen(request, timeout=600) as answer:
            return json.load(answer)

    try:
        wait_for_server(server, f"http://127.0.0.1:{port}", log)
        yield ask
    finally:
        server.terminate()
        server.wait()


@pytest.fixture(scope="module")
def course(tmp_path_factory) -> Course:
    """The course with its assignment generated and released."""
    course = Course(tmp_path_factory.mktemp("class") / "course")
    write_source(PAGE, course.folder / "source")
    course.nbgrader("generate_assignment", ASSIGNMENT)
    course.nbgrader("release_assignment", ASSIGNMENT)
    return course


# Answers that warn are part of the class.
pytestmark = [pytest.mark.filterwarnings(f"ignore::{name}") for name in ("UserWarning", "RuntimeWarning")]


@pytest.fixture(scope="module")
def students() -> dict[str, Submission]:
    return the_class()


@pytest.fixture(scope="module")
def graded(sandboxed: None, course: Course, students: dict[str, Submission]) -> Course:
    """The course after its whole class was collected, graded, given feedback and exported."""
    archive = course.folder / "downloaded" / ASSIGNMENT / "archive"
    archive.mkdir(parents=True)
    (handed_out,) = course.exchange.rglob(course.release.name)
    for name, submission in students.items():
        submission.write(PAGE.notebook if submission.own_copy else handed_out, archive / f"{name}_{PAGE.notebook.name}")
    for command in ("zip_collect", "autograde", "generate_feedback"):
        course.nbgrader(command, ASSIGNMENT)
    course.nbgrader("export")
    return course


def test_the_release_is_the_chapter(course: Course):
    release, chapter = nbformat.read(course.release, as_version=4), assemble(PAGE)
    for cell in release.cells:
        for added in ("checksum", "cell_type"):
            cell.metadata.get("nbgrader", {}).pop(added, None)
    assert release.cells == chapter.cells
    assert release.metadata == chapter.metadata


def test_every_exercise_earns_what_it_deserves(graded: Course, students: dict[str, Submission]):
    earned = {name: {} for name in students}
    with Gradebook(f"sqlite:///{graded.folder / 'gradebook.db'}") as gradebook:
        for name in students:
            submission = gradebook.find_submission_notebook(PAGE.name, ASSIGNMENT, name)
            earned[name] = {grade.name.removeprefix("check_"): grade.score for grade in submission.grades}
    assert earned == {name: submission.deserves for name, submission in students.items()}


def test_the_class_is_told_apart(students: dict[str, Submission]):
    """The scores that the others are compared with are not all the same by some mistake of the test's own."""
    total = {name: sum(submission.deserves.values()) for name, submission in students.items()}
    everything = sum(exercise.points for exercise in EXERCISES.values())
    solved = {name for name in total if total[name] == everything}
    assert solved == {"right", "noisy", "alone", "otherwise0", "otherwise1"}
    assert {name for name in total if total[name] == 0} == {"blank", "changing"}
    assert total["forgetful"] == everything - sum(exercise.points for exercise in list(EXERCISES.values())[:2])


def test_the_exported_scores_are_the_sums(graded: Course, students: dict[str, Submission]):
    with open(graded.folder / "grades.csv", newline="") as file:
        exported = {row["student_id"]: float(row["score"]) for row in csv.DictReader(file)}
    assert exported == pytest.approx({name: sum(one.deserves.values()) for name, one in students.items()})


def test_feedback_tells_each_mistake_its_hint(graded: Course, students: dict[str, Submission]):
    for name, submission in students.items():
        (feedback,) = (graded.folder / "feedback" / name / ASSIGNMENT).glob("*.html")
        words = html.unescape(re.sub(r"<[^>]+>", "", feedback.read_text(encoding="utf-8")))
        for hint in submission.hints:
            assert hint.replace("`", "") in words.replace("`", ""), f"{name} is not told: {hint}"


def test_demonstrations_are_not_run_again(graded: Course):
    """What a student's demonstrations show is left alone; here they were handed in without a picture."""
    notebook = nbformat.read(graded.folder / "autograded" / "right" / ASSIGNMENT / PAGE.notebook.name, as_version=4)
    assert not any(cell.execution_count for cell in notebook.cells if cell.cell_type == "code" and only_shows(cell))


def test_formgrader_grades_as_the_command_does(graded: Course, students: dict[str, Submission]):
    """Its button, pressed for a student whose grade is lost. Its server runs in the course folder."""
    with Gradebook(f"sqlite:///{graded.folder / 'gradebook.db'}") as gradebook:
        gradebook.remove_submission(ASSIGNMENT, "partly")
    with formgrader(graded) as ask:
        answer = ask("POST", f"submission/{ASSIGNMENT}/partly/autograde")
        assert answer["success"], answer
        (submission,) = [one for one in ask("GET", f"submissions/{ASSIGNMENT}") if one["student"] == "partly"]
    assert submission["score"] == pytest.approx(sum(students["partly"].deserves.values()))


@pytest.mark.parametrize("name", ["right", "partly"])
def test_validate_says_what_the_check_sheet_says(
    course: Course, students: dict[str, Submission], tmp_path: Path, name: str
):
    """A student runs `nbgrader validate` in a folder of their own, without our settings."""
    submission = replace(students[name], edit=_without_demonstrations)
    submission.write(course.release, tmp_path / "mine.ipynb")
    words = course.nbgrader("validate", "mine.ipynb", folder=tmp_path)
    assert set(re.findall(r"^ +check\((\w+)\)$", words, re.M)) == EXERCISES.keys() - submission.answers.keys()
    assert ("Success! Your notebook passes all the tests." in words) == (name == "right")


def test_the_student_edition_holds_no_reference():
    """No body of a reference or an alternative stands in what students have, however it is laid out."""
    given = [path for folder in ("labutils", "chapters") for path in (ROOT / folder).rglob("*.*")]
    given = [path for path in given if path.suffix in (".py", ".js", ".md", ".ipynb", ".json")]
    texts = {path: _plain(path.read_text(encoding="utf-8")) for path in given}
    assert {path for path, text in texts.items() if _plain(PLACE_FOR_THE_BODY) in text} >= {PAGE.text, PAGE.notebook}
    for name, exercise in EXERCISES.items():
        answers = [exercise.reference_function, *exercise.alternatives]
        for body in {_plain(body_of(function)) for function in answers}:
            assert [path for path, text in texts.items() if body in text] == [], f"a solution of {name} is given away"


def _plain(text: str) -> str:
    """Code without its layout, and without what JSON makes of line ends and quotes."""
    return re.sub(r'\\n|[\s",\\]', "", text)
