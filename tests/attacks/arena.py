"""What all attacks share: the chapter that is attacked, what an attacker hands in, and what has to hold afterwards."""

import copy
import html
import os
import re
import tempfile
import time
import uuid
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from types import MappingProxyType

import nbformat
import psutil
from nbformat import NotebookNode
from nbformat.v4 import new_code_cell

from grader.build import assemble
from grader.exercise import body_of
from grader.grading import exercise_of
from grader.records import from_json, to_json
from grader.sandbox.launching import Sandbox
from grader.sandbox.limits import MEGABYTE, Limits
from grader.submissions import Master, Result, Submission, graded
from grader.texts import ROOT, pages
from labutils.checks.panels import MIME_TYPE
from labutils.notebooks import only_shows
from tests.grader.test_repair import masters_of, released
from tests.mounted import mounts

(PAGE,) = pages(("learning_rate",))
RELEASE = released(assemble(PAGE))
DEMONSTRATIONS = frozenset(cell.source for cell in RELEASE.cells if only_shows(cell))
MASTER = Master(PAGE.notebook.stem, tuple(masters_of(RELEASE)), DEMONSTRATIONS)
EXERCISES = {name: stub.exercise for name, stub in PAGE.stubs.items()}
RIGHT = {name: body_of(exercise.reference_function) for name, exercise in EXERCISES.items()}
ATTACKED = "smooth"
"""The exercise before which an attacker's own cell stands, and which most of them have not solved."""
SOLVED = ("gradient_descent", "step_decay", "suggest_rate")
"""What most attackers have solved: something before the attack, something right after it, and the last exercise."""
SEED = "a seed that no submission knows"

LIMITS = Limits(
    memory=500 * MEGABYTE,
    folder=32 * MEGABYTE,
    file=16 * MEGABYTE,
    processes=40,
    open_files=128,
    cpu_seconds=25,
    cell_seconds=4,
    notebook_seconds=60,
    output_characters=100_000,
    notebook_output_characters=300_000,
)
LONGEST = 180
"""Seconds after which a run counts as one that does not end; some three times what the limits add up to."""

MARK = f"left-by-an-attack-{uuid.uuid4().hex}"
"""In the name of every file that an attack leaves, and written {MARK} in its source."""
FOUND = "FOUND A WAY"
"""What an attacker prints who got hold of what nobody may see, or out of the sandbox; written {FOUND} in its source."""
PLACES = ("/tmp", "/var/tmp", "/dev/shm", "/run", "/home", str(Path.home()), str(ROOT), str(ROOT.parent))


@dataclass(frozen=True)
class Attack:
    """One hostile submission. What it solved honestly it earns, and nothing else.

    `source` stands in a cell of its own before the cell of the exercise ATTACKED; in it stand the names of `targets`,
    in braces, as in `answers`, the bodies of functions that solve nothing. `edit` has its way with the notebook at last,
    `files` lie beside it. `breaks` names solved exercises that the attack itself keeps from working. `ran` is shown by
    a cell when the attack was really carried out; `says` is what a person has to read in the remarks or panels.
    """

    name: str
    source: str = ""
    solved: tuple[str, ...] = SOLVED
    answers: Mapping[str, str] = field(default_factory=dict)
    edit: Callable[[NotebookNode], None] = lambda notebook: None
    files: Mapping[str, bytes] = field(default_factory=dict)
    breaks: tuple[str, ...] = ()
    ran: str = ""
    says: str = ""

    def __str__(self) -> str:
        return self.name.replace(" ", "-")

    def submission(self, targets: Mapping[str, str] = MappingProxyType({})) -> Submission:
        targets = {"MARK": MARK, "FOUND": FOUND, **targets}
        answers = {name: _told(body, targets) for name, body in self.answers.items()}
        notebook = solving({name: RIGHT[name] for name in self.solved} | answers)
        if self.source:
            place = [cell.id for cell in notebook.cells].index(ATTACKED)
            notebook.cells.insert(place, new_code_cell(_told(self.source, targets), id="attack"))
        self.edit(notebook)
        content = nbformat.writes(notebook).encode()
        return Submission("attacker", PAGE.chapter.folder, {MASTER.filename: content, **self.files})

    def assert_earned_what_it_solved(self, result: Result) -> None:
        earned = points(result)
        for name, exercise in EXERCISES.items():
            deserved = exercise.points if name in self.solved else 0
            if name in self.breaks:
                assert 0 <= earned[name] <= deserved, f"{name} earned {earned[name]}"
            else:
                assert earned[name] == deserved, f"{name} earned {earned[name]} of {deserved}:\n{words(result)}"


def _told(source: str, targets: Mapping[str, str]) -> str:
    """A source with the names of targets, in braces, replaced."""
    for name, target in targets.items():
        source = source.replace(f"{{{name}}}", target)
    return source


def solving(answers: Mapping[str, str]) -> NotebookNode:
    """The release with the bodies of some functions written."""
    notebook = copy.deepcopy(RELEASE)
    for cell in notebook.cells:
        if cell.id in answers:
            cell.source = PAGE.stubs[cell.id].with_body(answers[cell.id])
    return notebook


NEIGHBOUR = Attack("a neighbour who attacks nobody", solved=tuple(EXERCISES)[::2])


class Arena:
    """A warm sandbox, in which attackers and their neighbour are graded one after another.

    `targets` are what they are told of the machine: places, numbers and doors that they must not get to. The grader
    writes its temporary files into `folder`.
    """

    def __init__(self, sandbox: Sandbox, folder: Path, targets: Mapping[str, str]) -> None:
        self.sandbox = sandbox
        self.folder = folder
        self.targets = targets

    def grade(self, submission: Submission) -> Result:
        """Grade a submission; the run ends, and nothing is left of it: no process, no mount, no file."""
        before = processes(), mounts()
        began = time.monotonic()
        kept, tempfile.tempdir = tempfile.tempdir, str(self.folder)
        try:
            result = graded(submission, (MASTER,), SEED, self.sandbox, LIMITS)
        finally:
            tempfile.tempdir = kept
        assert time.monotonic() - began < LONGEST
        assert (processes(), mounts()) == before
        assert os.listdir(self.folder) == []
        for place in PLACES:
            assert [name for name in os.listdir(place) if MARK in name] == []
        return result

    def withstands(self, attack: Attack) -> Result:
        """Grade an attacker and, behind it, a neighbour; return what came of the attacker."""
        result = self.grade(attack.submission(self.targets))
        attack.assert_earned_what_it_solved(result)
        assert_sound(result)
        assert attack.ran in shown(result), f"the attack was not carried out:\n{shown(result)[:2000]}"
        assert FOUND not in shown(result), shown(result)[:2000]
        assert attack.says in words(result), words(result)
        self.assert_neighbour_is_unharmed()
        return result

    def assert_neighbour_is_unharmed(self) -> None:
        result = self.grade(NEIGHBOUR.submission())
        NEIGHBOUR.assert_earned_what_it_solved(result)
        assert result.record.status == "graded"


def processes() -> list[str]:
    """The names of all that runs below this process."""
    return sorted(process.name() for process in psutil.Process().children(recursive=True))


def points(result: Result) -> dict[str, float]:
    return {name: one.points for name, one in result.record.exercises.items()}


def assert_sound(result: Result) -> None:
    """What was written down can be read again, by programs and by people, and the grader alone gave verdicts."""
    assert from_json(to_json(result.record)) == result.record
    (found,) = result.notebooks.values()
    nbformat.validate(found.notebook)
    nbformat.reads(nbformat.writes(found.notebook).encode().decode(), as_version=4)
    for cell in found.notebook.cells:
        exercise = exercise_of(cell)
        records = [one.data[MIME_TYPE] for one in cell.get("outputs", ()) if MIME_TYPE in one.get("data", {})]
        if exercise is None or not records:
            assert only_shows(cell) or records == [], "a verdict that the grader did not write"
        else:
            earned = result.record.exercises[exercise].points
            assert [record["points"] for record in records] == [earned]
            assert cell.outputs[0].data["text/plain"] == repr(earned)
            assert not re.search("<(script|h1)", cell.outputs[0].data["text/html"]), "a page of the student's own"
    for remark in result.record.remarks:
        assert re.fullmatch(r"[^\n]{10,600}\.", remark.text), remark.text
        assert "Traceback" not in remark.text
    for name, one in result.record.exercises.items():
        assert one.title.startswith(f"{name}: ")


def words(result: Result) -> str:
    """All that the grader says about a submission: its remarks, and what stands in the check cells."""
    said = [remark.text for remark in result.record.remarks]
    for cell in _cells(result):
        if exercise_of(cell):
            said += [
                re.sub("<[^>]+>", " ", html.unescape(one.data["text/html"])) for one in cell.outputs if "data" in one
            ]
    return "\n".join(said)


def shown(result: Result) -> str:
    """All that a submission's own cells have shown."""
    cells = [cell for cell in _cells(result) if cell.cell_type == "code" and not exercise_of(cell)]
    return "\n".join(str(output) for cell in cells for output in cell.outputs)


def _cells(result: Result) -> list[NotebookNode]:
    return [cell for one in result.notebooks.values() for cell in one.notebook.cells]
