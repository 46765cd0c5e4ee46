"""A class in which some are hostile, graded by `nbgrader autograde` and by our own command, several side by side.

Those that attack nobody earn what they deserve, wherever they stand among the others, and so does everybody else; what
the gradebook and the course folder hold is what the grader wrote.
"""

import os
from pathlib import Path

import pytest
from nbformat import NotebookNode

from grader.assignments import LARGEST_FILE
from tests.attacks.arena import EXERCISES, SOLVED, Attack
from tests.attacks.test_forging import NOTEBOOKS
from tests.flows.classroom import Classroom, copy_of, generated_classroom, nothing_left
from tests.flows.test_course import ASSIGNMENT

NOTEBOOK = "learning_rate.ipynb"
FORGERIES = {attack.name: attack for attack in NOTEBOOKS}


def _ask_for_r(notebook: NotebookNode) -> None:
    notebook.metadata.kernelspec = {"name": "ir", "display_name": "R", "language": "R"}


ATTACKERS = {
    "writer": Attack(
        "writes the gradebook, the records and others' work",
        """
import os, pathlib, shutil, sqlite3
course = pathlib.Path("{COURSE}")
for folder in (course, pathlib.Path(".."), pathlib.Path("../../../.."), pathlib.Path("/proc/1/root") / course.relative_to("/")):
    for path in (folder / "gradebook.db", folder / "grading/learning_rate/seed.txt", folder / "submitted/zoe"):
        for attempt in (
            lambda: sqlite3.connect(path).execute("update grade set auto_score = 1000"),
            lambda: path.write_text("1000"),
            lambda: shutil.rmtree(path),
            lambda: path.rename(f"{path}.old"),
        ):
            try:
                attempt()
                print("{FOUND}", path)
            except (OSError, sqlite3.Error):
                pass
print("tried", "all")
""",
    ),
    "killer": Attack(
        "kills whom it sees, and itself",
        """
import os, signal
for pid in (1, os.getppid(), -1, {GRADER}):
    for number in (signal.SIGTERM, signal.SIGKILL, signal.SIGSTOP):
        signal.signal(signal.SIGTERM, signal.SIG_IGN)
        try:
            os.kill(pid, number)
        except OSError:
            pass
for _ in range(8):
    if os.fork() == 0:
        while True: pass
os._exit(0)
""",
    ),
    "forger": FORGERIES["takes away what makes a check"],
    "claimer": FORGERIES["adds cells that give points"],
    "foreigner": Attack("asks for another kernel", edit=_ask_for_r),
    "linker": Attack("hands in links", solved=()),
    "digger": Attack("hands in folders that lie deep, and names of all letters", files={"\udcff\n[x]<b>.py": b"x"}),
    "hoarder": Attack("hands in files that have no end"),
    "garbler": Attack("hands in no notebook", solved=()),
}
HONEST = {
    "aaron": Attack("comes first", solved=tuple(EXERCISES)[::2]),
    "mary": Attack("stands among them", solved=SOLVED),
    "zoe": Attack("comes last", solved=tuple(EXERCISES)[1:3]),
}
CLASS = {**HONEST, **ATTACKERS}


def hand_in(classroom: Classroom) -> None:
    targets = {"COURSE": str(classroom.folder), "GRADER": str(os.getpid())}
    for student, attack in CLASS.items():
        for name, content in attack.submission(targets).files.items():
            path = classroom.folder / "submitted" / student / ASSIGNMENT / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(content)
    _link(classroom.folder)
    (classroom.folder / "submitted" / "digger" / ASSIGNMENT / "/".join("d" * 300)).mkdir(parents=True)
    _hoard(classroom.folder / "submitted" / "hoarder" / ASSIGNMENT)
    (classroom.folder / "submitted" / "garbler" / ASSIGNMENT / NOTEBOOK).write_bytes(b"PK\x03\x04" + bytes(range(256)))


def _link(course: Path) -> None:
    """Links in the place of the notebook and beside it: to another's work, to the gradebook, to folders, to nothing."""
    folder = course / "submitted" / "linker" / ASSIGNMENT
    (folder / NOTEBOOK).unlink()
    (folder / NOTEBOOK).symlink_to(f"../../aaron/{ASSIGNMENT}/{NOTEBOOK}")
    for name in ("helper.py", "[x].dat", "*.py", "a\nb"):
        (folder / name).symlink_to(course / "gradebook.db")
    (folder / "everybody").symlink_to("../..")
    (folder / "nothing").symlink_to("nowhere")
    (folder / "itself").symlink_to("itself")
    os.mkfifo(folder / "pipe")


def _hoard(folder: Path) -> None:
    """Files that take no room on the disk, until somebody copies them."""
    for number, size in enumerate((10**12, 200_000_000)):
        with open(folder / f"data-{number}.bin", "wb") as file:
            file.truncate(size)


@pytest.fixture(scope="module")
def handed_in(sandboxed, tmp_path_factory) -> Classroom:
    return generated_classroom(tmp_path_factory.mktemp("generated"))


@pytest.fixture(params=["nbgrader", "our own command"])
def graded(request, handed_in, tmp_path) -> Classroom:
    classroom = copy_of(handed_in, tmp_path)
    hand_in(classroom)
    with nothing_left(classroom):
        if request.param == "nbgrader":
            classroom.nbgrader("autograde", ASSIGNMENT)
        else:
            classroom.autograde(status=1, workers=2)  # two have handed in nothing that can be read
    return classroom


def test_everybody_earns_what_they_deserve_and_nothing_else_has_changed(graded: Classroom):
    assert graded.scores() == {
        student: {name: one.points if name in attack.solved else 0 for name, one in EXERCISES.items()}
        for student, attack in CLASS.items()
    }
    for student, found in graded.gradebook().items():
        assert found["penalty"] is None
        for auto_score, manual_score, needs_manual_grade, score in found["grades"].values():
            assert (manual_score, needs_manual_grade, score) == (None, False, auto_score), student
    assert_links_led_nowhere(graded)
    assert_a_person_understands(graded)


def assert_links_led_nowhere(graded: Classroom) -> None:
    found = [path for path in (graded.folder / "autograded").rglob("*") if path.is_file() or path.is_symlink()]
    assert [path.name for path in found if path.parts[-3] == "linker"] == [NOTEBOOK]
    assert all(not path.is_symlink() and path.stat().st_size <= LARGEST_FILE for path in found)
    assert not any(path.read_bytes().startswith(b"SQLite format 3") for path in found)


def assert_a_person_understands(graded: Classroom) -> None:
    said = {student: " ".join(remark.text for remark in record.remarks) for student, record in graded.records.items()}
    assert said.keys() == CLASS.keys()
    assert [said[student] for student in HONEST] == ["", "", ""]
    for student, words in {
        "killer": "Python itself ended while this cell ran",
        "forger": "was put back in",
        "claimer": "none of it",
        "linker": "These were left out",
        "digger": "These were left out",
        "hoarder": "These were left out",
        "garbler": "not a notebook",
    }.items():
        assert words in said[student], f"{student}: {said[student]}"
