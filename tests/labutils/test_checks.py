"""Bad input in a real kernel: each gets its own plain sentence, and the notebook lives on."""

import re
import subprocess
import sys
import textwrap

import nbformat
import pytest
from nbclient import NotebookClient

from labutils import check
from labutils.checks import TIME_LIMIT
from labutils.checks.panels import MIME_TYPE

HEAD = "def step_decay(learning_rate, epoch, factor=0.5, every=10):\n"

# What a student may write below that line, and words of the sentence that it gets.
BODIES = {
    "pass": "The result is None",
    "print(learning_rate)": "Printing shows a value, `return` hands it on",
    "return [learning_rate]": "and yours is a list.\n",
    "while epoch > 12: pass\nreturn 0.0": "Another call was still running after 2 s in all",
    "return str(learning_rate)": "should be a number, and yours is a string",
    "return np.full(3, learning_rate)": "should be a number, and yours is a numpy array of shape (3,)",
    "return float('nan')": "should be 0.1, and yours is nan",
    "return np.longdouble('inf')": "should be 0.1, and yours is inf",
    "yield learning_rate": "Collect the values and use `return` in place of `yield`",
    "return map(abs, [1, 2])": "yours is an iterator",
    "return torch.tensor(learning_rate)": "convert with `.numpy()`",
    "return torch.zeros(2, dtype=torch.bfloat16)": "yours is a torch tensor of shape (2,)",
    "return learning_rate,": "with no comma behind it",
    "return learning_rate, epoch": "and yours is a tuple.\n",
    "return lambda: 0.1": "yours is a function. Call the function",
    "return print": "yours is a function. Call the function",
    "return partial(print)": "yours is a function. Call the function",
    "return float": "yours is a class",
    "return np.zeros(10 ** 9)": "yours is a numpy array of shape (1000000000,)",
    "return Hostile()": "yours is a value of type Hostile",
    "print('x' * 10 ** 7); return learning_rate": "characters more",
    "raise ValueError('too small')": "ValueError: too small",
    "raise Unspeakable()": "Your function stopped with Unspeakable",
    "raise Untamed()": "Your function stopped with Untamed",
    "raise Leaving()": "Your function stopped with Leaving",
    "raise ValueError('half a pair: \\ud800')": r"ValueError: half a pair: \ud800",
    "print('\\ud800'); return 0": "What your function printed:\n    \\ud800",
    "return input('which epoch? ')": "EOFError: nobody can answer while a function is checked",
    "return getpass.getpass()": "EOFError: nobody can answer while a function is checked",
    "return learning_rat": 'File "your cell", line 2, in step_decay',
    "return step_decay(learning_rate, epoch)": "called itself until Python gave up",
    "while True: pass": "still running after 0.3 s",
    "time.sleep(1e9)": "still running after 0.3 s",
    "while True:\n  try: time.sleep(1)\n  except Exception: pass": "still running after 0.3 s",
    "try: time.sleep(1e9)\nexcept: pass\nreturn 1": "still running after 0.3 s",
    "while True:\n  try: time.sleep(1e9)\n  except: pass": "still running after 0.3 s",
    "while True: print('x' * 1000)": "still running after 0.3 s",
    "exit()": "Leave a function with `return`",
    "quit()": "Leave a function with `return`",
    "sys.exit(3)": "Leave a function with `return`",
    "sys.stdout.close(); return 7": "should be 0.1, and yours is 7",
    "sys.stdout = sys.stderr = None; return 7": "should be 0.1, and yours is 7",
    "return check(step_decay)": "yours is a value of type Panel",
    "raise NotImplementedError": "in place of `raise NotImplementedError`",
    "rate = learning_rate * factor ** (epoch // every)\nraise NotImplementedError": "Your code ran as far as the line `raise NotImplementedError`",
    "return another()": "Your function stopped with NotImplementedError",
}
# Other things given to `check`, and words of what is said.
WHOLE_CELLS = {
    "def step_decay(rate, epoch, factor=0.5, every=10): return rate\ncheck(step_decay)": "Yours takes (rate, epoch, factor=0.5, every=10)",
    "def step_decay(learning_rate, epoch, factor, every, /): return 1\ncheck(step_decay)": "Yours takes (learning_rate, epoch, factor, every, /)",
    "def step_decay(learning_rate, epoch, factor=0.1, every=10): return 0\ncheck(step_decay)": "Yours has other defaults: (learning_rate, epoch, factor=0.1, every=10)",
    "check(step_decay)": "the very function that was checked before",
    "step_decay = lambda learning_rate, epoch, factor=0.5, every=10: learning_rate * factor ** (epoch // every)\n"
    "check(step_decay)": "Every call came out right",
    "def logged(f): return lambda **given: f(**given)\nstep_decay = logged(step_decay)\ncheck(step_decay)": "Every call came out right",
    "def step_decay(learning_rate, epoch, factor=0.5, every=10): raise NotImplementedError\n"
    "step_decay.__wrapped__ = step_decay\ncheck(step_decay)": "Your function stopped with NotImplementedError",
    "def step_decay(learning_rate, epoch, factor=1/2, every=10.0): return 0\ncheck(step_decay)": "should be 0.1, and yours is 0",
    "def step_decay(learning_rate, epoch, factor=Unshown(), every=10): return 0\ncheck(step_decay)": "Yours has other defaults: (learning_rate, epoch, factor=…, every=10)",
    "check(Mute())": "a value of type Mute is no exercise",
    "check(0.1)": "Give the function itself, without parentheses or quotes",
    "check('step_decay')": "as in check(step_decay)",
    "check(Hostile())": "This is a value of type Hostile",
    "def step_deccay(): pass\ncheck(step_deccay)": "Did you mean step_decay? The exercises of its chapter: gradient_descent, ",
    "check(print)": "print is no exercise. Run progress() for a list",
}
SETUP = """
import getpass, sys, time
from functools import partial
import numpy as np, torch
from labutils import check, hint, progress, solution

class Hostile:
    def __eq__(self, other): raise RuntimeError("no comparison")
    def __repr__(self): time.sleep(1e9)
    def __bool__(self): raise RuntimeError("no truth")

class Unspeakable(Exception):
    def __str__(self): raise RuntimeError("no words")

class Untamed(BaseException): pass

class Leaving(Exception):
    def __str__(self): raise SystemExit

class Unshown:
    def __repr__(self): raise RuntimeError("no words")

class Mute:
    def __getattr__(self, name): raise RuntimeError("no attributes")
    def __call__(self): pass

def another(): raise NotImplementedError
"""


@pytest.fixture(scope="module")
def told(tmp_path_factory):
    """What the checks of all these cells said, by cell, run in one kernel; and what a last cell finds of its world."""
    bodies = [HEAD + textwrap.indent(body, "    ") + f"\n{_check(words)}" for body, words in BODIES.items()]
    last = "(sys.stdout.writable(), sys.stderr.writable(), callable(exit))"
    sources = [SETUP, *bodies, *WHOLE_CELLS, last]
    notebook = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(source) for source in sources])
    folder = tmp_path_factory.mktemp("notebook")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("LABUTILS_PROGRESS", str(folder / "progress.json"))
        NotebookClient(notebook, timeout=600, kernel_name="python3", resources={"metadata": {"path": folder}}).execute()
    return dict(zip([None, *BODIES, *WHOLE_CELLS, "last"], notebook.cells))


def _check(words):
    """The check of a function of which these words are said; its time is short only where they say that it is up."""
    limit = re.search(r"after (\S+) s", words)
    return f"check(step_decay, time_limit={limit[1] if limit else TIME_LIMIT})"


@pytest.mark.parametrize(["written", "words"], [*BODIES.items(), *WHOLE_CELLS.items()])
def test_each_trouble_has_its_sentence(told, written, words):
    (output,) = [one for one in told[written].outputs if one.output_type == "execute_result"]
    assert words in output.data["text/plain"]


@pytest.mark.parametrize("written", BODIES)
def test_a_check_leaves_one_record_and_prints_nothing(told, written):
    (output,) = told[written].outputs
    assert output.data[MIME_TYPE]["exercise"] == "step_decay"
    assert output.data[MIME_TYPE]["points"] < 1 or "print(" in written


def test_other_defaults_are_told_by_their_values(told):
    (same,) = [cell for written, cell in told.items() if "every=10.0" in str(written)]
    assert "other defaults" not in same.outputs[0].data["text/plain"]


def test_the_kernel_has_its_streams_back(told):
    assert told["last"].outputs[0].data["text/plain"] == "(True, True, True)"


@pytest.mark.parametrize("limit", [0, -1, float("nan"), float("inf"), "30", None])
def test_a_time_limit_that_is_none_is_named(limit):
    panel = str(check(len, time_limit=limit))
    assert f"time_limit is {limit!r}" in panel and "time_limit=30" in panel


def test_a_plain_shell_lives_on_after_exit_and_an_endless_loop():
    """`exit` of a plain Python closes stdin, and the shell would end with it."""
    source = """
        import time
        from labutils import check
        def step_decay(learning_rate, epoch, factor=0.5, every=10): exit()

        check(step_decay)
        def step_decay(learning_rate, epoch, factor=0.5, every=10): time.sleep(1e9)

        check(step_decay, time_limit=0.2)
        print("still", "here")
    """
    done = subprocess.run(
        [sys.executable, "-i", "-q"], input=textwrap.dedent(source), capture_output=True, text=True, timeout=600
    )
    assert "Leave a function with `return`" in done.stdout
    assert "still running after 0.2 s" in done.stdout
    assert "still here" in done.stdout
