"""Cells without a kernel: the same outputs as with one, within bounds, and nothing that a cell does stops the next.

Every notebook runs in a process forked for it, as in the grader: a shell takes over its process's streams and signals.
"""

import base64
import contextlib
import json
import os
import select
import signal
import subprocess
import sys
import time

import nbformat
import psutil
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from nbclient import NotebookClient

from grader.sandbox.outputs import LEFT_OUT, OUTPUT_COSTS, Outputs

SECONDS = 60
SAID = LEFT_OUT.rpartition("}")[2]
AMPLE = (100_000, 1_000_000)
FORKING = """
import json, os, sys
from grader.sandbox import shell as module
module.warm_up()
answers = os.fdopen(os.dup(1), "w")
print("ready", file=answers, flush=True)
for line in sys.stdin:
    request = json.loads(line)
    if (child := os.fork()) == 0:
        os.chdir(request["folder"])
        shell = module.Shell(*request["bounds"])
        shown = []
        for cell in request["cells"]:
            outputs = shell.run(cell)
            json.dumps(outputs, ensure_ascii=False, allow_nan=False).encode()
            shown.append([shell.execution_count, outputs])
        answers.write(json.dumps(shown) + "\\n")  # the cells may have taken `print` away
        answers.flush()
        os._exit(0)
    print(child, file=answers, flush=True)
    os.waitpid(child, 0)
    print("over", file=answers, flush=True)
"""


class Forking:
    """A process that forks another for every notebook."""

    def __init__(self, folder):
        self.folder = folder
        environment = {**os.environ, "HOME": str(folder), "OMP_NUM_THREADS": "1", "PYTHONPATH": os.getcwd()}
        self.process = subprocess.Popen(
            [sys.executable, "-c", FORKING],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            env=environment,
            start_new_session=True,
        )
        assert self._line() == "ready"

    def _line(self):
        line = b""
        while not line.endswith(b"\n"):
            assert select.select([self.process.stdout], [], [], SECONDS)[0], f"nothing came within {SECONDS} s"
            line += os.read(self.process.stdout.fileno(), 1) or pytest.fail("the process ended")
        return line.decode().rstrip("\n")

    def run(self, *cells, bounds=AMPLE, interrupt_at=None):
        """The outputs of each cell; None where the process ended. Interrupts when the file `interrupt_at` is there."""
        request = {"cells": cells, "bounds": bounds, "folder": str(self.folder)}
        self.process.stdin.write(json.dumps(request).encode() + b"\n")
        self.process.stdin.flush()
        lines = [self._line()]
        if not lines[0].isdigit():  # the child was quicker
            lines.append(self._line())
        if interrupt_at is not None:
            deadline = time.monotonic() + SECONDS
            while not (self.folder / interrupt_at).exists():
                assert time.monotonic() < deadline, "the cell never said that it runs"
                time.sleep(0.01)
            os.kill(int(lines[0]), signal.SIGINT)
        while lines[-1] != "over":
            lines.append(self._line())
        answers = [json.loads(line) for line in lines if line.startswith("[")]
        return [outputs for _, outputs in answers[0]] if answers else None


@pytest.fixture(scope="module")
def forking(tmp_path_factory):
    forking = Forking(tmp_path_factory.mktemp("notebook"))
    yield forking
    forking.process.stdin.close()
    for process in psutil.process_iter():  # commands of cells are left; in the grader they end with the sandbox
        with contextlib.suppress(psutil.NoSuchProcess, ProcessLookupError):
            if os.getsid(process.pid) == forking.process.pid:
                process.kill()
    forking.process.wait(SECONDS)


@pytest.fixture
def run(forking, tmp_path):
    """Runs cells in a new notebook, in the test's own folder."""
    forking.folder = tmp_path
    return forking.run


def text(outputs, name="stdout"):
    return "".join(output["text"] for output in outputs if output.get("name") == name)


def error(outputs):
    return next((output["ename"] for output in outputs if output["output_type"] == "error"), None)


HARMLESS = [
    "1 + 1",
    "import sys\nprint('a', flush=True)\nprint('b', file=sys.stderr, flush=True)\nprint('c')\n'd'",
    "x = 3;\nx;",
    "_ + _1, len(Out), In[1]",
    "'Ein schöner Tag — 日本語 🙂'",
    "display('first', 'second')\n{'nested': [1, 2.5, None]}",
    "handle = display('old', display_id='one')\nhandle.update('new')",
    "from IPython.display import clear_output\nprint('gone')\nclear_output()\nprint('stays')",
    "print('gone'); clear_output(wait=True); print('later')",
    "print('stays when nothing follows'); clear_output(wait=True)",
    "from IPython.display import HTML, JSON, Markdown\ndisplay(Markdown('*a*'), JSON({'a': 1}))\nHTML('<b>b</b>')",
    "import matplotlib.pyplot as plt\nplt.plot([1, 2]); plt.show(); print('between'); plt.plot([2, 1]);",
    "fig, axes = plt.subplots(1, 2)",
    "fig",
    "import asyncio\nawait asyncio.sleep(0.001)\n'awaited'",
    "async def later():\n    return 5\ntask = asyncio.create_task(later())",
    "await task",
    "%%capture kept\nprint('hidden'); display('hidden too')",
    "kept.stdout, len(kept.outputs)",
    "%matplotlib inline\nfor i in range(3):\n    print('\\r', i, end='')",
    "!echo out; echo err >&2",
    "names = !printf 'a\\nb'\nnames",
    "%%bash\necho from bash",
    "%%writefile helper.py\nvalue = 7",
    "from helper import value\nvalue",
    "%load_ext autoreload\n%autoreload 2\n%pwd\nNone",
    "print?",
    "class Rich:\n    def __repr__(self): return 'rich'\n    def _repr_html_(self): return '<i>rich</i>'\n    def _repr_latex_(self): return '$x$'\nRich()",
    "class Broken:\n    def _repr_html_(self): raise ValueError('no')\n    def __repr__(self): return 'broken'\nBroken()",
    "1 / 0",
    "def f(:",
    "  x = 1\n y = 2",
    "sys.exit('enough')",
    "print('one'); raise KeyError('ü')",
    "await asyncio.sleep(0); [][1]",
    "import numpy as np, torch\nnp.arange(3.0), torch.ones(2)",
]


def comparable(output):
    """What has to be the same; the other warning that goes with `sys.exit` names a line of IPython's."""
    kept = {key: output[key] for key in ("output_type", "name", "ename", "evalue", "execution_count") if key in output}
    if "data" in output:
        kept["kinds"] = sorted(output["data"])
        kept["plain"] = output["data"].get("text/plain")
    if output.get("ename") not in ("SyntaxError", "IndentationError"):  # they quote the name of a temporary file
        return {**kept, "text": output.get("text", "").replace("\r\n", "\n")}
    return {**kept, "evalue": output["evalue"].partition(" (")[0]}


def test_harmless_cells_show_what_they_show_with_a_kernel(run, tmp_path):
    folder = tmp_path / "kernel"
    folder.mkdir()
    cells = [nbformat.v4.new_code_cell(cell) for cell in HARMLESS]
    client = NotebookClient(
        nbformat.v4.new_notebook(cells=cells),
        kernel_name="python3",
        timeout=SECONDS,
        allow_errors=True,
        resources={"metadata": {"path": str(folder)}},
    )
    client.execute()
    for cell, outputs in zip(cells, run(*HARMLESS), strict=True):
        expected = [comparable(output) for output in _joined(cell["outputs"])]
        assert [comparable(output) for output in outputs] == expected, cell["source"]


def _joined(outputs):
    """A kernel sends a stream in as many pieces as it likes."""
    joined = []
    for output in outputs:
        if joined and output["output_type"] == "stream" and joined[-1].get("name") == output["name"]:
            joined[-1]["text"] += output["text"]
        else:
            joined.append(dict(output))
    return joined


def test_outputs_are_a_valid_notebook(run):
    cells = [nbformat.v4.new_code_cell(cell) for cell in HARMLESS]
    for cell, outputs in zip(cells, run(*HARMLESS), strict=True):
        cell["outputs"] = [nbformat.from_dict(output) for output in outputs]
    nbformat.validate(nbformat.v4.new_notebook(cells=cells))


def test_a_figure_is_a_picture_and_is_closed(run):
    first, second = run("import matplotlib.pyplot as plt\nplt.plot([1, 2]);", "plt.get_fignums()")
    picture = base64.b64decode(first[0]["data"]["image/png"])
    assert picture.startswith(b"\x89PNG") and second[0]["data"]["text/plain"] == "[]"


@pytest.mark.parametrize(
    "cell, expected",
    [
        ("input('which? ')", "EOFError"),
        ("import getpass\ngetpass.getpass()", "EOFError"),
        ("breakpoint()\nx = 1", "BdbQuit"),
        ("import pdb\npdb.set_trace()\nx = 1", "BdbQuit"),
        ("exit", None),
        ("quit()\nprint('not here')", None),
        ("raise SystemExit(3)", "SystemExit"),
        ("import sys\nsys.exit()", "SystemExit"),
        ("raise KeyboardInterrupt", "KeyboardInterrupt"),
        ("class Own(BaseException): pass\nraise Own('value')", "Own"),
        ("raise ExceptionGroup('two', [ValueError(), TypeError()])", "ExceptionGroup"),
        ("class Mute(Exception):\n    def __str__(self): raise ValueError\nraise Mute", "Mute"),
        ("class Leaving(Exception):\n    def __str__(self): raise SystemExit\nraise Leaving", "SystemExit"),
        ("def f(): return f()\nf()", "RecursionError"),
        ("class A:\n    def __repr__(self): raise ValueError\nA()", "ValueError"),
        ("class A:\n    def __repr__(self): raise SystemExit\nA()", "SystemExit"),
        ("display({'a': object()}, raw=True); 1", None),
        ("display({'application/json': [float('nan'), '\\ud800']}, raw=True)", None),
        ("cycle = []; cycle.append(cycle); display({'application/json': cycle}, raw=True)", "ValueError"),
        ("%no_such_magic", "UsageError"),
        ("%debug", None),
        ("%pip install x", None),
        ("%cd ..\n%cd -", None),
        ("import asyncio\nasyncio.get_running_loop().stop()\nawait asyncio.sleep(1e9)", "CancelledError"),
        (
            "async def leave(): raise SystemExit\nt = asyncio.create_task(leave())\nawait asyncio.sleep(1e9)",
            "NameError",
        ),
        ("import sys\nsys.stdout = None", None),
        ("import sys\nsys.stdout.close(); sys.stderr.close()", None),
        ("import sys\ndel sys.stdout, sys.stderr", "AttributeError"),
        ("import sys\nsys.stdin = sys.displayhook = sys.excepthook = None", None),
        ("import builtins\nbuiltins.print = None", None),
        ("import sys\nsys.setrecursionlimit(60)", None),
        ("import sys\nsys.settrace(lambda *_: 1 / 0)", ...),
        ("import os, tempfile\nos.chdir(tempfile.mkdtemp()); os.rmdir(os.getcwd())", None),
        (
            "import signal\nsignal.signal(signal.SIGALRM, lambda *_: 1 / 0); signal.setitimer(signal.ITIMER_REAL, 1e-3)",
            ...,
        ),
        ("import os\nif not os.fork(): raise ValueError('in the child')", None),
        ("get_ipython().display_pub = get_ipython().events = None", ...),
        ("print('\\ud800', {'\\udfff'})\n'\\udabc'", None),
        ("'\ud800'", "UnicodeEncodeError"),
        ("x = '\x00'", "SyntaxError" if sys.version_info >= (3, 11, 4) else "ValueError"),
        ("print(b'bytes'); import sys; sys.stdout.write(b'bytes')", "TypeError"),
        ("%%bash\ncat", None),
        ("!cat", None),
        ("!exit 3", None),
        ("!(sleep 1000 &)", None),
    ],
)
def test_what_a_cell_does_ends_with_it(run, cell, expected):
    outputs, after = run(cell, "import sys\nsys.stdout.write('next'); sys.stderr.write('one'); 1 + 1")
    assert expected is ... or error(outputs) == expected
    assert "not here" not in text(outputs)
    if "events = None" not in cell:  # a shell taken to pieces says so in every later cell
        assert (text(after), text(after, "stderr"), error(after)) == ("next", "one", None)


def test_no_question_is_asked_of_a_terminal(run):
    (outputs,) = run("input()")
    assert "nobody can answer" in outputs[0]["evalue"]


def test_counts_and_names_are_those_of_a_notebook(run):
    shown = run("41", "", "_ + 1", "__name__, get_ipython() is not None")
    assert [output["execution_count"] for outputs in shown for output in outputs] == [1, 2, 3]
    assert shown[2][0]["data"]["text/plain"] == "42" and shown[3][0]["data"]["text/plain"] == "('__main__', True)"


WAITING = {
    "a loop": "while True: pass",
    "sleep": "import time\ntime.sleep(1e9)",
    "await": "import asyncio\nawait asyncio.sleep(1e9)",
    "a command": "!sleep 1000",
    "names of a command": "x = !sleep 1000",
    "bash": "%%bash\nsleep 1000",
    "repr": "class A:\n    def __repr__(self):\n        while True: pass\nA()",
    "exception": "class A(Exception):\n    def __str__(self):\n        while True: pass\nraise A",
    "lock": "import threading\nlock = threading.Lock(); lock.acquire(); lock.acquire()",
}


@pytest.mark.parametrize("cell", WAITING.values(), ids=WAITING)
def test_an_interruption_ends_the_cell_alone(run, cell):
    begun = "open('begun', 'w').close()\n"
    cell = cell if cell.startswith("%%") else begun + cell
    cell = cell.replace("%%bash\n", "%%bash\ntouch begun\n")
    outputs, after = run(cell, "'next'", interrupt_at="begun")
    assert error(outputs) in ("KeyboardInterrupt", "CancelledError") or cell.startswith("%%bash")
    assert after[0]["data"]["text/plain"] == "'next'"


def test_interruptions_between_cells_are_for_nobody(run):
    """Another process sends a thousand while cells come and go; those within a cell may end it, and no more."""
    count = 1000
    code = f"import os, time\nfor _ in range({count}):\n    os.kill({{}}, 2)\n    time.sleep(1e-4)\nopen('sent', 'w')"
    sender = (
        "import os, subprocess, sys\n"
        f"subprocess.Popen([sys.executable, '-c', {code!r}.format(os.getpid())], start_new_session=True)"
    )
    wait = "import os, time\nwhile not os.path.exists('sent'):\n    time.sleep(0.01)"
    shown = run(sender, *["x = 1"] * 300, *[wait] * (count + 1), "'alive'")  # one of them is not interrupted
    assert shown is not None and shown[-1][0]["data"]["text/plain"] == "'alive'"


def test_an_interruption_reaches_what_is_called_outside_of_cells(tmp_path):
    program = (
        "import os, signal\nfrom grader.sandbox.shell import Shell\nshell = Shell(1000, 1000)\n"
        "os.kill(os.getpid(), signal.SIGINT)\n"
        "try:\n    shell.interruptible(lambda: [os.kill(os.getpid(), signal.SIGINT) for _ in range(10)])\n"
        "except KeyboardInterrupt:\n    os._exit(7)"
    )
    environment = {**os.environ, "PYTHONPATH": os.getcwd()}
    assert subprocess.run([sys.executable, "-c", program], cwd=tmp_path, env=environment).returncode == 7


def test_an_interruption_on_its_way_is_not_the_next_cells(tmp_path):
    script = (
        "import os, signal, time\nfrom grader.sandbox import shell as module\nmodule.SECONDS_ON_THE_WAY = 60\n"
        "shell = module.Shell(1000, 1000)\n"
        "if os.fork() == 0:\n    time.sleep(0.3)\n    os.kill(os.getppid(), signal.SIGINT)\n    os._exit(0)\n"
        "shell.settle(1)\nshown = shell.run('import time\\ntime.sleep(0.5)')\nos._exit(7 if shown == [] else 8)"
    )
    environment = {**os.environ, "PYTHONPATH": os.getcwd(), "HOME": str(tmp_path)}
    assert subprocess.run([sys.executable, "-c", script], env=environment).returncode == 7


def test_a_task_that_was_interrupted_does_not_go_on_beside_the_next_cell(run):
    stubborn = (
        "import asyncio\nasyncio.get_running_loop().call_soon(lambda: open('begun', 'w').close())\n"
        "try:\n    await asyncio.sleep(1e9)\nexcept asyncio.CancelledError:\n    print('caught')"
    )
    outputs, after = run(stubborn, "await asyncio.sleep(0.01)\n'next'", interrupt_at="begun")
    assert text(outputs) == "caught\n" and [output["output_type"] for output in after] == ["execute_result"]


@pytest.mark.parametrize(
    "cell",
    [
        "print('x' * 10**7)",
        "for i in range(10**5): print(i)",
        "import sys\nfor i in range(10**4): print(i); print(i, file=sys.stderr)",
        "for i in range(10**4): display(i)",
        "'x' * 10**7",
        "from IPython.display import HTML\nHTML('x' * 10**7)",
        "import numpy as np, matplotlib.pyplot as plt\nplt.imshow(np.random.rand(800, 800)); plt.axis('off');",
        "h = display(0, display_id=True)\nfor i in range(22): h.update('x' * 2**i)",
        "!seq 100000",
        "%%bash\nseq 100000",
        "print('\\ud800' * 10**6)",
        "for i in range(200): get_ipython().run_cell('1/0')",
        "print('x' * 10**6)\nraise ValueError('y' * 10**6)",
    ],
)
def test_outputs_are_bounded_and_what_is_missing_is_said(run, cell):
    (outputs,) = run(cell, bounds=(20_000, 10**6))
    assert len(json.dumps(outputs)) < 20_000 * 7  # JSON writes some characters as six
    assert "characters, of which" in text(outputs, "stderr")
    assert error(outputs) is not None or "1/0" not in cell and "raise" not in cell


def test_a_notebook_has_a_bound_too(run):
    shown = run(*["print('x' * 900)"] * 50, bounds=(1_000, 5_000))
    lengths = [len(text(outputs)) for outputs in shown]
    assert lengths[:4] == [900] * 4 and sum(lengths) <= 5_000 and lengths[-1] == 0
    assert all(error is not None for error in map(error, run(*["1/0"] * 3, bounds=(10, 10))))


def test_long_tracebacks_keep_their_ends(run):
    deep = "def f(n):\n    if n > 0: return g(n - 1)\n    raise ValueError('at the end')\ndef g(n): return f(n)\nf(400)"
    chain = "def again(n):\n    try: again(n - 1) if n else 1/0\n    except Exception as e: raise KeyError(n) from e\nagain(300)"
    for outputs, ename in zip(run(deep, chain), ("ValueError", "KeyError"), strict=True):
        assert error(outputs) == ename and len(json.dumps(outputs)) < 60_000
        assert ename in outputs[0]["traceback"][-1]


def test_threads_print_into_the_cell_that_runs_or_nowhere(run):
    thread = (
        "import threading, time\nstop = threading.Event()\n"
        "def chatter():\n    while not stop.is_set():\n        print('chatter')\n"
        "threads = [threading.Thread(target=chatter) for _ in range(3)]\n[t.start() for t in threads]\n1"
    )
    cells = [thread, *["x = 1"] * 20, "stop.set()\n[t.join() for t in threads]\nNone", "print('silence')"]
    shown = run(*cells, bounds=(100_000, 100_000 * len(cells)))  # room for the last, however much was said before
    assert shown[-1] == [{"output_type": "stream", "name": "stdout", "text": "silence\n"}]
    assert all(set(text(outputs)) <= set("chatter\n") for outputs in shown[1:-1])
    assert not any(map(error, shown))


def test_widgets_say_what_they_are(run):
    (outputs, after) = run(
        "import ipywidgets\nslider = ipywidgets.IntSlider(3)\nslider.value = 5\nslider", "from labutils import widgets"
    )
    assert outputs[0]["data"]["text/plain"] == "IntSlider(value=5)"
    assert "application/vnd.jupyter.widget-view+json" in outputs[0]["data"] and not after


def test_nothing_is_left_in_the_folder_and_no_thread_is_started(run, tmp_path):
    shown = run(
        "import matplotlib.pyplot as plt; plt.plot([1]); print(1)",
        "import threading, os, sys\n[thread.name for thread in threading.enumerate()], len(os.listdir('/proc/self/task'))",
        "[name for name in ('jedi', 'sqlite3', 'ipykernel', 'zmq', 'IPython.core.completer') if name in sys.modules]",
    )
    assert shown[1][0]["data"]["text/plain"] == "(['MainThread'], 1)"
    assert shown[2][0]["data"]["text/plain"] == "[]"
    assert not list(tmp_path.iterdir())


PIECES = st.one_of(
    st.tuples(st.sampled_from(["stdout", "stderr"]), st.text(max_size=60)),
    st.tuples(st.just("display"), st.text(max_size=60)),
    st.tuples(st.just("clear"), st.booleans()),
)


@settings(max_examples=300, deadline=None)
@given(st.lists(PIECES, max_size=40), st.integers(0, 1500))
def test_what_is_kept_is_a_beginning_of_what_was_shown(pieces, characters):
    outputs, ample = Outputs(characters), Outputs(10**9)
    for kind, value in pieces:
        for shown in (outputs, ample):
            if kind == "clear":
                shown.clear(wait=value)
            elif kind == "display":
                shown.display({"text/plain": value}, None, None)
            else:
                shown.stream(kind, value)
    kept, everything = outputs.finished(), ample.finished()
    assert all(a.get("name") is None or a.get("name") != b.get("name") for a, b in zip(kept, kept[1:]))
    assert outputs.characters() + OUTPUT_COSTS * (len(kept) - 2) <= characters + OUTPUT_COSTS or not kept
    if any(output.get("text", "").endswith(SAID) for output in kept):
        assert ample.characters() > outputs.characters() or len(everything) > len(kept) - 1
    else:
        assert kept == everything
