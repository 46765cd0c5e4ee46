"""Grading one notebook in the sandbox: what is earned in which order of cells, and what a cell that ends badly costs."""

import numpy as np
import pytest
from nbformat.v4 import new_code_cell, new_notebook

from grader.exercise import body_of
from grader.exercises import all_exercises
from grader.grading import INTERRUPTED, TROUBLE, grade
from grader.sandbox.launching import Sandbox
from grader.sandbox.limits import Limits
from labutils.checks.panels import MIME_TYPE

LIMITS = Limits(cell_seconds=4, notebook_seconds=60, memory=400_000_000)
NAMES = ("step_decay", "smooth")
RIGHT = {
    name: f"def {name}({', '.join(all_exercises()[name].sheet().parameters)}):\n"
    + "\n".join(f"    {line}" for line in body_of(all_exercises()[name].reference_function).splitlines())
    for name in NAMES
}
SETUP = "import numpy as np\nfrom labutils.checks import check"
FULL = {name: all_exercises()[name].points for name in NAMES}


@pytest.fixture(scope="module")
def sandbox(sandboxed):
    with Sandbox(LIMITS) as warm:
        yield warm


def solution(name, source=None):
    metadata = {"nbgrader": {"grade": False, "solution": True, "locked": False, "grade_id": name, "schema_version": 3}}
    return new_code_cell(RIGHT[name] if source is None else source, metadata=metadata)


def checking(name):
    metadata = {
        "grade": True,
        "solution": False,
        "locked": True,
        "grade_id": f"check_{name}",
        "points": FULL[name],
        "schema_version": 3,
    }
    return new_code_cell(f"check({name})", metadata={"nbgrader": metadata})


def graded(sandbox, *cells, **options):
    cells = [cell if hasattr(cell, "source") else new_code_cell(cell) for cell in cells]
    return grade(new_notebook(cells=cells), "a seed", sandbox, LIMITS, **options)


def points(found):
    return {name: one.points for name, one in found.exercises.items()}


def words_of(cell):
    return " ".join(output.get("evalue", "") + output.get("text", "") for output in cell.outputs)


def test_right_answers_earn_everything_and_the_panels_say_so(sandbox):
    found = graded(sandbox, SETUP, *(cell for name in NAMES for cell in (solution(name), checking(name))))
    assert points(found) == FULL and found.remarks == ()
    for cell in found.notebook.cells:
        if cell.source.startswith("check("):
            (output,) = cell.outputs
            assert output.data[MIME_TYPE]["status"] == "passed"
            assert float(output.data["text/plain"]) == output.data[MIME_TYPE]["max_points"]


@pytest.mark.parametrize("name", NAMES)
def test_every_known_mistake_gets_its_points_and_its_hint(sandbox, name):
    exercise = all_exercises()[name]
    for mistake in exercise.mistakes:
        parameters = ", ".join(exercise.sheet().parameters)
        body = "\n".join(f"    {line}" for line in body_of(mistake.function).splitlines())
        found = graded(sandbox, SETUP, solution(name, f"def {name}({parameters}):\n{body}"), checking(name))
        record = found.exercises[name]
        assert (record.mistake, record.hint) == (mistake.name, mistake.hint)
        assert record.points < record.max_points


def test_a_helper_may_stand_below_what_uses_it(sandbox):
    needs_help = RIGHT["step_decay"].replace("    return ", "    return helper * ", 1)
    found = graded(sandbox, SETUP, solution("step_decay", needs_help), checking("step_decay"), "helper = 1")
    assert points(found) == {"step_decay": FULL["step_decay"]}
    (remark,) = found.remarks
    assert remark.exercise == "step_decay" and "after the last cell" in remark.text


def test_a_function_that_is_not_there_is_told(sandbox):
    found = graded(sandbox, SETUP, solution("step_decay", "def step_decay(:"), checking("step_decay"))
    record = found.exercises["step_decay"]
    assert (record.points, record.status) == (0, "raised")
    assert "no function named step_decay" in found.notebook.cells[2].outputs[0].data["text/html"]
    unwritten = graded(sandbox, SETUP, solution("step_decay", ""), checking("step_decay"))
    assert unwritten.exercises["step_decay"].status == "not attempted"


DEADLY = {
    "ended": "import os\nos._exit(3)",
    "a crash": "import ctypes\nctypes.string_at(0)",
    "time": "import signal\nsignal.signal(signal.SIGINT, signal.SIG_IGN)\nwhile True:\n    pass",
    "memory": "import os, time\nfor _ in range(4):\n    if os.fork() == 0:\n"
    "        block = b'x' * 200_000_000\n        time.sleep(30)\ntime.sleep(30)",
}


@pytest.mark.parametrize("cause", DEADLY)
def test_what_was_earned_stays_and_the_rest_is_tried(sandbox, cause):
    cells = [SETUP, "state = 1", solution("step_decay"), checking("step_decay"), DEADLY[cause]]
    cells += ["print('state is', state)", solution("smooth"), checking("smooth")]
    found = graded(sandbox, *cells)
    assert points(found) == FULL
    told = TROUBLE["ended" if cause == "a crash" else cause].format(limits=LIMITS)
    assert told in words_of(found.notebook.cells[4])
    assert words_of(found.notebook.cells[5]) == "state is 1\n"
    assert [told in remark.text for remark in found.remarks] == [True]


@pytest.mark.parametrize(
    "loop", ["while True:\n    pass", "try:\n    while True: pass\nexcept KeyboardInterrupt:\n    pass"]
)
def test_a_loop_is_interrupted_and_python_lives_on(sandbox, loop):
    found = graded(sandbox, SETUP, f"began = 7\n{loop}", "print(began)", solution("smooth"), checking("smooth"))
    told = INTERRUPTED.format(limits=LIMITS)
    error = found.notebook.cells[1].outputs[-1]
    assert (error.ename, error.evalue) == ("CellTimeoutError", told) and [one.text for one in found.remarks] == [told]
    assert words_of(found.notebook.cells[2]) == "7\n" and points(found) == {"smooth": FULL["smooth"]}


def test_a_function_that_ends_python_keeps_what_its_calls_had_earned(sandbox):
    exercise = all_exercises()["step_decay"]
    cases = exercise.cases()
    deadly = (
        f"import os\ndef step_decay(learning_rate, epoch, factor=0.5, every=10):\n    os._exit(0)\n{RIGHT['smooth']}"
    )
    found = graded(sandbox, SETUP, solution("step_decay", deadly), checking("step_decay"), checking("smooth"))
    assert points(found) == {"step_decay": 0, "smooth": FULL["smooth"]}
    assert found.exercises["step_decay"].status == "raised" and len(cases) > 1
    assert "Python itself ended in this call" in found.notebook.cells[2].outputs[0].data["text/html"]


def test_a_call_into_c_that_never_returns_is_ended_from_outside(sandbox):
    endless = "import itertools\ndef smooth(losses, beta=0.9):\n    return sum(itertools.count())"
    found = graded(
        sandbox, SETUP, solution("smooth", endless), checking("smooth"), solution("step_decay"), checking("step_decay")
    )
    assert points(found) == {"smooth": 0, "step_decay": FULL["step_decay"]}
    assert "still running" in found.notebook.cells[2].outputs[0].data["text/html"]


def test_a_notebook_that_only_dies_comes_to_an_end(sandbox):
    found = graded(sandbox, SETUP, *["import os; os._exit(1)"] * 8, solution("smooth"), checking("smooth"))
    assert points(found) == {"smooth": 0}
    assert "was not run" in words_of(found.notebook.cells[-2])


def test_with_only_one_exercise_no_other_is_examined(sandbox):
    cells = [SETUP, solution("step_decay"), checking("step_decay"), solution("smooth"), checking("smooth")]
    assert points(graded(sandbox, *cells, only="smooth")) == {"smooth": FULL["smooth"]}


def test_demonstrations_are_run_when_they_are_asked_for(sandbox):
    def notebook():
        return [SETUP, new_code_cell("print('shown')", metadata={"tags": ["demo"]})]

    assert words_of(graded(sandbox, *notebook()).notebook.cells[1]) == ""
    assert words_of(graded(sandbox, *notebook(), demonstrations=True).notebook.cells[1]) == "shown\n"


def test_files_lie_beside_the_notebook(sandbox):
    files = {"helper.py": RIGHT["smooth"].encode(), "data/größe.txt": "π".encode()}
    cells = ["import numpy as np\nfrom helper import smooth\nprint(open('data/größe.txt').read())", checking("smooth")]
    helped = graded(sandbox, *cells, files={**files, "helper.py": b"import numpy as np\n" + files["helper.py"]})
    assert points(helped) == {"smooth": FULL["smooth"]} and words_of(helped.notebook.cells[0]) == "π\n"


def test_two_gradings_give_the_same(sandbox):
    rng = np.random.default_rng(3)
    noisy = f"import numpy as np\nprint(np.random.rand(), {rng.random()})\nimport torch\nprint(torch.rand(2))"
    first, second = (graded(sandbox, noisy).notebook.cells[0].outputs for _ in range(2))
    assert first == second


def test_another_seed_draws_other_inputs_and_the_same_points(sandbox):
    seen = []
    for seed in ("one", "two"):
        spying = RIGHT["smooth"].replace(
            "):\n", "):\n    import hashlib; seen.append(hashlib.sha1(repr(losses).encode()).hexdigest())\n", 1
        )
        cells = [SETUP + "\nseen = []", solution("smooth", spying), checking("smooth"), "print(*seen)"]
        found = grade(
            new_notebook(cells=[c if hasattr(c, "source") else new_code_cell(c) for c in cells]), seed, sandbox, LIMITS
        )
        assert points(found) == {"smooth": FULL["smooth"]}
        seen.append(set(words_of(found.notebook.cells[3]).split()))
    public = len(all_exercises()["smooth"].public_cases)
    assert 0 < len(seen[0] & seen[1]) <= public and len(seen[0]) > public
