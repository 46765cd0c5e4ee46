"""Exercises on networks are graded like all others: the child builds, calls and tells; the grader only compares."""

import pytest
from nbformat.v4 import new_code_cell, new_notebook

from grader.exercise import body_of, source_of
from grader.exercises import all_exercises
from grader.grading import grade
from grader.sandbox.launching import Sandbox
from grader.sandbox.limits import Limits

LIMITS = Limits(cell_seconds=20, notebook_seconds=120)
NAMES = ("freeze_backbone", "replace_head", "extract_features", "parameter_groups")
SETUP = (
    "from copy import deepcopy\nimport numpy as np\nimport torch\nfrom torch import nn\n"
    "from labutils import networks\nfrom labutils.checks import check"
)
FORGED = """
class Forged(nn.Module):
    def named_parameters(self, *_, **__):
        raise SystemExit

def freeze_backbone(network, head):
    return Forged()

def replace_head(network, head, classes):
    from functools import partial
    from labutils.checks.networks import Built
    return Built(partial(networks.dense_network, width=10**9))

def extract_features(network, images, layer):
    network.named_parameters = None
    return network

def parameter_groups(network, head, learning_rate, factor=0.1, weight_decay=0.0, decay_biases=True):
    return network
"""


@pytest.fixture(scope="module")
def sandbox(sandboxed):
    with Sandbox(LIMITS) as warm:
        yield warm


def solved(name):
    exercise = all_exercises()[name]
    lines = [
        f"def {name}({', '.join(exercise.sheet().parameters)}):",
        *body_of(exercise.reference_function).splitlines(),
    ]
    return "\n    ".join(lines)


def checking(name):
    metadata = {
        "grade": True,
        "solution": False,
        "locked": True,
        "grade_id": f"check_{name}",
        "points": all_exercises()[name].points,
        "schema_version": 3,
    }
    return new_code_cell(f"check({name})", metadata={"nbgrader": metadata})


def graded(sandbox, *sources):
    cells = [new_code_cell(source) for source in (SETUP, *sources)]
    return grade(new_notebook(cells=[*cells, *map(checking, NAMES)]), "a seed", sandbox, LIMITS)


def points(found):
    return {name: one.points for name, one in found.exercises.items()}


def test_right_answers_earn_everything(sandbox):
    found = graded(sandbox, *map(solved, NAMES))
    assert points(found) == {name: all_exercises()[name].points for name in NAMES}, found.notebook.cells


def test_a_known_mistake_earns_what_it_earns_anywhere_and_gets_its_hint(sandbox):
    exercise = all_exercises()["freeze_backbone"]
    mistake = next(one for one in exercise.mistakes if one.name == "statistics_go_on")
    source = source_of(mistake.function).replace("statistics_go_on", "freeze_backbone", 1)
    record = graded(sandbox, source).exercises["freeze_backbone"]
    assert record.mistake == "statistics_go_on" and record.hint == mistake.hint
    assert record.aspects["the weights"] and not record.aspects["the statistics"]


def test_answers_made_to_be_trouble_earn_nothing_and_end_nothing(sandbox):
    found = graded(sandbox, FORGED)
    assert set(points(found)) == set(NAMES) and not any(points(found).values())
    assert found.remarks == ()
