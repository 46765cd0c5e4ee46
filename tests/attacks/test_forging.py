"""Submissions that claim what they have not earned: by their metadata and outputs, by what they patch, and by guessing."""

from collections.abc import Callable

import pytest
from nbformat import NotebookNode
from nbformat.v4 import new_code_cell, new_output

from labutils.checks.panels import MIME_TYPE
from tests.attacks.arena import ATTACKED, EXERCISES, Arena, Attack, points

CHECK = f"check_{ATTACKED}"
CLAIM = {
    "text/plain": "2.0",
    "text/html": "<b>smooth: passed (points: 2 of 2)</b>",
    MIME_TYPE: {"exercise": ATTACKED, "status": "passed", "points": 2, "max_points": 2},
}


def _each(*ids: str) -> Callable[[Callable[[NotebookNode], None]], Callable[[NotebookNode], None]]:
    """An edit of a notebook that changes these of its cells; all check cells if none is named."""

    def edit_of(change: Callable[[NotebookNode], None]) -> Callable[[NotebookNode], None]:
        def edit(notebook: NotebookNode) -> None:
            for cell in notebook.cells:
                if cell.id in ids if ids else _is_check(cell):
                    change(cell)

        return edit

    return edit_of


def _is_check(cell: NotebookNode) -> bool:
    return cell.get("metadata", {}).get("nbgrader", {}).get("grade", False)


def _strip(notebook: NotebookNode) -> None:
    notebook.cells = [cell for cell in notebook.cells if not _is_check(cell)]


@_each()
def _print_points(cell: NotebookNode) -> None:
    cell.source = str(cell.metadata.nbgrader.points)


@_each()
def _retag(cell: NotebookNode) -> None:
    cell.metadata.nbgrader.update(
        grade=False, solution=True, locked=False, points=1000, checksum="0" * 32, schema_version=1
    )
    cell.metadata.tags = ["demo"]


@_each()
def _make_text(cell: NotebookNode) -> None:
    cell.cell_type = "markdown"
    del cell["outputs"], cell["execution_count"]


@_each()
def _raise_weights(cell: NotebookNode) -> None:
    cell.metadata.nbgrader.points = 1e308


@_each()
def _claim_outputs(cell: NotebookNode) -> None:
    cell.outputs = [new_output("execute_result", CLAIM, execution_count=1)]


def _swap(notebook: NotebookNode) -> None:
    """Gives the cell that solves one exercise the name of another, and checks it twice."""
    cells = {cell.id: cell for cell in notebook.cells}
    solved, check = cells["step_decay"], cells["check_step_decay"]
    cells[ATTACKED].metadata.nbgrader, solved.metadata.nbgrader = (
        solved.metadata.nbgrader,
        cells[ATTACKED].metadata.nbgrader,
    )
    cells[CHECK].source = check.source


def _add_grades(notebook: NotebookNode) -> None:
    """More cells with points, under names of their own and under those of others."""
    for number, name in enumerate(("bonus", CHECK, "check_step_decay", ATTACKED)):
        cell = new_code_cell(
            "100", id=f"more-{number}", outputs=[new_output("execute_result", CLAIM, execution_count=1)]
        )
        cell.metadata.nbgrader = {
            "grade": True, "solution": False, "locked": True, "task": False, "points": 100, "grade_id": name,
            "cell_type": "code", "checksum": "0" * 32, "schema_version": 3,
        }  # fmt: skip
        notebook.cells.insert(number * 3, cell)


NOTEBOOKS = [
    Attack("strips the checks", edit=_strip, says="was missing and was put back"),
    Attack("writes points in place of checks", edit=_print_points, says="is locked and was changed"),
    Attack("takes away what makes a check", edit=_retag, says="was put back in"),
    Attack("makes the checks text", edit=_make_text, says="was made code again"),
    Attack("raises its weights", edit=_raise_weights),
    Attack("hands in outputs of checks", edit=_claim_outputs),
    Attack("gives a solved cell the name of another", edit=_swap, says="is locked and was changed"),
    Attack("adds cells that give points", edit=_add_grades, says="that are none of it"),
    Attack("calls itself an R notebook", edit=lambda notebook: notebook.metadata.update(kernelspec={"name": "ir"})),
    Attack(
        "hands in grades of its own",
        files={
            "grading/learning_rate/records/attacker.json": b'{"points": 25}',
            "gradebook.db": b"SQLite format 3",
            "nbgrader_config.py": b"raise SystemExit",
            "grader/oracle.py": b"def examine(*_): return 2",
        },
    ),
]

PATCHED = [
    Attack(
        "shows panels of its own",
        f"display({CLAIM!r}, raw=True)\ncheck(smooth) if 'smooth' in globals() else print('25')",
        ran="points: 2 of 2",
    ),
    Attack(
        "puts another function in the place of check",
        """
import builtins, sys, types
def check(function, *_):
    return 2
builtins.check = check
sys.modules["labutils.checks"] = types.SimpleNamespace(check=check)
import labutils.checks.judging
labutils.checks.judging.find_judge = lambda: None
labutils.checks.judging.SheetJudge.examine = lambda *_: 2
labutils.checks.judging.examine = lambda *_: 2
print("patched", check(None))
""",
        ran="patched 2",
    ),
    Attack(
        "answers in the place of the judge",
        """
from grader.sandbox.child import PipeJudge
from labutils.checks.panels import Panel
ask = PipeJudge.examine
def examine(self, exercise, trial):
    if exercise == "smooth":
        return Panel("smooth: passed (points: 2 of 2)", (), status="passed", record={"points": 2})
    return ask(self, exercise, trial)
PipeJudge.examine = examine
print("patched", 2)
""",
        ran="patched 2",
        says="smooth was not examined",
    ),
    Attack(
        "answers in the place of its functions",
        """
from labutils.checks.trials import LocalTrial
from labutils.checks.calling import Outcome
call = LocalTrial.__call__
def answer(self, arguments):
    if set(arguments) == {"losses", "beta"}:
        return Outcome("returned", value=arguments["losses"])
    return call(self, arguments)
LocalTrial.__call__ = answer
print("patched", 2)
""",
        ran="patched 2",
    ),
    Attack(
        "makes everything equal",
        """
import math, numpy, torch
import labutils.checks.comparing as comparing, labutils.checks.verdicts as verdicts
for module in (numpy, math, torch):
    for name in ("isclose", "allclose", "array_equal", "equal", "all"):
        if hasattr(module, name) and name != "all":
            setattr(module, name, lambda *_, **__: True)
numpy.testing.assert_allclose = lambda *_, **__: None
comparing.difference = verdicts.difference = lambda *_, **__: None
comparing.Tolerance = lambda *_, **__: comparing.StandIn
print("patched", numpy.allclose(1, 2))
""",
        ran="patched True",
    ),
    Attack(
        "stops the time, and turns it back",
        """
import datetime, time
for name in ("time", "monotonic", "perf_counter", "process_time", "time_ns"):
    setattr(time, name, lambda: -1e9)
print("patched", time.monotonic())
""",
        ran="patched -1000000000.0",
    ),
    Attack(
        "asks again and again, with another answer each time",
        "for number in range(50):\n    def smooth(losses, beta):\n        return losses * number\n    check(smooth)",
        says="asked to have one exercise checked too often",
    ),
    Attack(
        "waits for hidden cases to come again",
        """
from labutils.checks import check
from labutils.checks.sheets import read_sheets
public = {repr(case.arguments): case.expected for case in read_sheets()["smooth"].cases}
attempts = []
def smooth(losses, beta):
    arguments = repr({"losses": losses, "beta": beta})
    if arguments not in public:
        attempts[-1].add(arguments)
    return public.get(arguments, losses)
for _ in range(3):
    attempts.append(set())
    check(smooth)
print("saw", [len(attempt) > 0 for attempt in attempts])
if attempts[0] & attempts[1] or attempts[1] & attempts[2]:
    print("{FOUND}")
""",
        ran="saw [True, True, True]",
    ),
]

LIES = {
    "is equal to everything": """
class Equal(type(losses)):
    def __eq__(self, other): return numpy.ones(len(self), bool)
    __ne__ = __lt__ = __gt__ = lambda self, other: numpy.zeros(len(self), bool)
    def __array_function__(self, *_): return True
    def __array_ufunc__(self, *_, **__): return True
import numpy
return losses.view(Equal)""",
    "lies about its class": """
import numpy
class Liar:
    __class__ = numpy.ndarray
    shape, dtype, ndim, size, nbytes = losses.shape, losses.dtype, 1, len(losses), 8 * len(losses)
    def __eq__(self, other): return True
    def __array__(self, *_, **__): return losses
    def __deepcopy__(self, memo): return self
    def __getattr__(self, name): return lambda *_, **__: True
return Liar()""",
    "runs a program when it is unpickled": """
import os
class Program:
    def __reduce__(self): return os.system, ("touch /tmp/{MARK}",)
return Program()""",
    "computes only when it is asked": "return (loss for loss in losses)",
    "is what it was given": "return losses",
    "is not a number": "return losses * float('nan')",
}

VALUES = [Attack(f"returns what {name}", answers={ATTACKED: body}) for name, body in LIES.items()]


@pytest.mark.parametrize("attack", NOTEBOOKS, ids=str)
def test_a_notebook_that_claims_what_it_has_not_earned(arena: Arena, attack: Attack):
    arena.withstands(attack)


@pytest.mark.parametrize("attack", PATCHED, ids=str)
def test_a_notebook_that_patches_what_it_can_reach(arena: Arena, attack: Attack):
    arena.withstands(attack)


@pytest.mark.parametrize("attack", VALUES, ids=str)
def test_a_value_that_lies(arena: Arena, attack: Attack):
    arena.withstands(attack)


def test_answers_from_a_table_of_the_public_cases_earn_no_aspect_that_has_hidden_ones(arena: Arena):
    body = """
from labutils.checks.comparing import difference
from labutils.checks.sheets import read_sheets
given = locals()
for case in read_sheets()[{name!r}].cases:
    if all(difference(value, given[name]) is None for name, value in case.arguments.items()):
        return case.expected
return None"""
    table = Attack("answers from a table", solved=(), answers={name: body.format(name=name) for name in EXERCISES})
    result = arena.grade(table.submission())
    assert points(result) == dict.fromkeys(EXERCISES, 0)
