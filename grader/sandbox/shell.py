"""Runs the cells of one notebook in an IPython shell in this process, without a kernel, and collects their outputs.

A cell finds what it finds in JupyterLab: magics, top-level await, figures shown at its end, widgets (their messages go
nowhere), `display`, `In` and `Out`. Nobody can be asked, nothing can be installed, no history is kept. What a cell
raises, SystemExit and an interruption (SIGINT) included, becomes an output; what it did to the streams, to signals and
to the folder is put back before the next one. What it does to the rest of Python is its own notebook's trouble.
"""

import asyncio
import atexit
import builtins
import codecs
import getpass
import hashlib
import importlib
import io
import os
import select
import signal
import subprocess
import sys
import tempfile
import time
import types
from collections.abc import Callable, Iterator
from functools import cache
from typing import Any

import comm
from IPython.core import page
from IPython.core.compilerop import CachingCompiler
from IPython.core.displayhook import DisplayHook
from IPython.core.displaypub import DisplayPublisher
from IPython.core.interactiveshell import ExecutionResult, InteractiveShell
from IPython.core.pylabtools import activate_matplotlib
from IPython.core.ultratb import AutoFormattedTB
from IPython.utils.text import LSString, SList
from matplotlib.figure import Figure
from matplotlib_inline import backend_inline
from traitlets import Type
from traitlets.config import Config

from grader.sandbox.outputs import Outputs, Stream
from labutils.checks.calling import guarded

INLINE = "module://matplotlib_inline.backend_inline"
FRAMES_AT_AN_END = 8
ERRORS_IN_A_CHAIN = 3
COMMAND_CHARACTERS = 1_000_000  # of what `names = !command` keeps
CHUNK = 65_536
SECONDS_BETWEEN_LOOKS = 0.05
SECONDS_ON_THE_WAY = 1.0  # for an interruption: it goes through three processes
SECONDS_TO_END = 1.0  # for a cell that was interrupted while it waited
# What IPython imports when it is first asked for it.
LOADED_LATE = (
    "IPython.core.logger",
    "IPython.core.magics.basic",
    "IPython.core.magics.execution",
    "IPython.core.magics.namespace",
    "IPython.core.magics.osm",
    "IPython.core.magics.pylab",
    "IPython.core.oinspect",
)
CONFIGURATION = Config(
    {
        "HistoryManager": {"enabled": False, "hist_file": ":memory:"},  # no database, and no thread that writes it
        "IPKernelApp": {"parent_appname": "training-lab"},  # by this name, tqdm and others know a notebook
    }
)
ENVIRONMENT = {"PAGER": "cat", "GIT_PAGER": "cat", "MPLBACKEND": INLINE}  # as a kernel sets them
NOBODY_TO_ASK = "nobody can answer while a notebook is graded; write the value itself in the cell"
NOTHING_INSTALLED = "Nothing is installed while a notebook is graded; the packages of the book are there."


def warm_up() -> None:
    """Do once, before forking, what every notebook would do else: begin, show a first figure and a first error.

    Nothing of it is seen by a notebook, and it starts no thread.
    """
    _ipython()
    figure = Figure()
    figure.subplots().plot([0, 1], label="0")
    figure.legend()
    figure.savefig(io.BytesIO(), bbox_inches="tight")
    formatter = AutoFormattedTB(mode="Context", theme_name="neutral")
    try:
        raise RuntimeError
    except RuntimeError as error:
        formatter.structured_traceback(RuntimeError, error, error.__traceback__)
    for module in LOADED_LATE:
        importlib.import_module(module)


class Shell:
    """One notebook's Python. Lives in the main thread, one in a process."""

    def __init__(self, output_characters: int, notebook_output_characters: int) -> None:
        self._cell_characters = output_characters
        self._notebook_characters = notebook_output_characters
        self._outputs = Outputs(0)
        self._streams: list[Any] = []  # kept alive: CPython's print only borrows one, in whichever thread it runs
        self._interruptions = 0
        self._process = os.getpid()
        self._folder = os.getcwd()
        self._recursion_limit = sys.getrecursionlimit()
        self._loop = asyncio.new_event_loop()
        self._ipython = _ipython()
        self._ipython.outputs = lambda: self._outputs
        self._publisher = self._ipython.display_pub
        if "" not in sys.path:  # modules are looked for where the notebook is, wherever it goes
            sys.path.insert(0, "")
        comm.create_comm, manager = comm.DummyComm, comm.CommManager()
        comm.get_comm_manager = lambda: manager
        self._put_back()

    @property
    def namespace(self) -> dict[str, Any]:
        return self._ipython.user_ns

    @property
    def execution_count(self) -> int:
        """The number beside the cell that ran last."""
        return self._ipython.execution_count - 1

    def get(self, name: str) -> Any:
        """What the notebook calls `name`. Raises NameError."""
        if name not in self.namespace:
            raise NameError(f"name {name!r} is not defined")
        return self.namespace[name]

    def run(self, source: str, cell: str = "") -> list[dict]:
        """Run a cell, whose id is `cell`, and return its outputs in nbformat's form. Raises nothing of the cell's."""
        outputs = self._outputs = Outputs(min(self._cell_characters, self._notebook_characters))
        self._put_back()
        try:
            error = self._attempt(source, cell)
        except BaseException as raised:  # what gets past IPython: an interruption while it works itself
            error = raised
        if os.getpid() != self._process:  # a fork that the cell made and let run on
            os._exit(0)
        self._put_back()
        if error is not None and not outputs.failed and not _is(error, _Leave):
            outputs.error(type(error).__name__, guarded(str, error, otherwise=""), [])
        self._outputs = Outputs(0)
        shown = outputs.finished()
        self._notebook_characters = max(self._notebook_characters - outputs.characters(), 0)
        return shown

    def settle(self, interruptions: int) -> None:
        """Wait for those of so many interruptions that are still on their way: they were meant for an earlier cell.

        One that a cell took for itself never comes.
        """
        until = time.monotonic() + SECONDS_ON_THE_WAY
        while self._interruptions < interruptions and time.monotonic() < until:
            time.sleep(SECONDS_BETWEEN_LOOKS)
        self._interruptions = interruptions

    def interruptible(self, action: Callable[[], Any]) -> Any:
        """`action()`, which an interruption ends: KeyboardInterrupt comes out of it. Outside of cells too."""
        return action()

    def _attempt(self, source: str, cell: str) -> BaseException | None:
        """All that may run a cell's code. Interruptions that come later, between cells, are for no one.

        Every cell runs within the loop, as in a kernel, so that a task begun in one cell can be awaited in the next.
        """
        task = self._loop.create_task(self._ipython.run_within_loop(source, cell))
        try:
            result = self._loop.run_until_complete(task)
        except BaseException:  # interrupted while it waited, or another task left Python
            self._abandon(task)
            raise
        return result.error_before_exec or result.error_in_exec

    def _abandon(self, task: asyncio.Task) -> None:
        """End a cell that still waits, so that it does not go on beside the next one.

        An interruption may have come when the loop had the cell's next step in hand, which is lost then.
        """
        task.cancel()
        try:
            done, _ = self._loop.run_until_complete(asyncio.wait([task], timeout=SECONDS_TO_END))
        except BaseException:  # an interruption: the loop stopped in its midst, and the next cell needs a sound one
            self._loop = asyncio.new_event_loop()
            raise
        if not done:
            self._loop = asyncio.new_event_loop()

    def _interrupt(self, signum: int, frame: types.FrameType | None) -> None:
        """Interrupt what may be interrupted, and nothing of the grader's own, wherever Python happens to be."""
        self._interruptions += 1
        interruptible = (Shell._attempt.__code__, Shell.interruptible.__code__)
        while frame is not None:
            if frame.f_code in interruptible:
                raise KeyboardInterrupt
            frame = frame.f_back

    def _put_back(self) -> None:
        """What every cell may count on, whatever the one before did."""
        signal.signal(signal.SIGINT, self._interrupt)
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, signal.SIG_DFL)
        sys.settrace(None)
        sys.setprofile(None)
        sys.setrecursionlimit(max(sys.getrecursionlimit(), self._recursion_limit))
        sys.stdin = io.StringIO()
        self._streams += (getattr(sys, "stdout", None), getattr(sys, "stderr", None))
        sys.stdout = Stream("stdout", 1, lambda: self._outputs)
        sys.stderr = Stream("stderr", 2, lambda: self._outputs)
        builtins.input = getpass.getpass = _ask
        self._ipython.display_pub = self._publisher
        try:
            os.getcwd()
        except FileNotFoundError:
            os.makedirs(self._folder, exist_ok=True)
            os.chdir(self._folder)


class _Leave(BaseException):
    """Ends a cell without a word, for `exit` and `quit`."""


class _Compiler(CachingCompiler):
    """Names cells as a kernel does: by these names the rest of the book knows them in tracebacks."""

    def get_code_name(self, raw_code: str, transformed_code: str, number: int) -> str:
        digest = hashlib.sha256(raw_code.encode("utf-8", "backslashreplace")).hexdigest()[:10]
        return os.path.join(tempfile.gettempdir(), f"ipykernel_{os.getpid()}", f"{digest}.py")


class _Publisher(DisplayPublisher):
    """`display` and `clear_output`."""

    def publish(
        self,
        data: dict,
        metadata: dict | None = None,
        *,
        transient: dict | None = None,
        update: bool = False,
        **_: Any,
    ) -> None:
        self._validate_data(data, metadata)
        outputs = self.shell.outputs()
        (outputs.update if update else outputs.display)(data, metadata, (transient or {}).get("display_id"))

    def clear_output(self, wait: bool = False) -> None:
        self.shell.outputs().clear(wait)


class _DisplayHook(DisplayHook):
    """Shows the last expression of a cell."""

    def write_output_prompt(self) -> None:
        pass

    def write_format_data(self, format_dict: dict, md_dict: dict | None = None) -> None:
        self.shell.outputs().result(self.prompt_count, format_dict, md_dict)

    def finish_displayhook(self) -> None:
        self._is_active = False


class _IPython(InteractiveShell):
    """IPython with no terminal, no files of its own and no way to ask."""

    compiler_class = Type(_Compiler)
    display_pub_class = Type(_Publisher)
    displayhook_class = Type(_DisplayHook)

    outputs: Callable[[], Outputs]  # where what a cell shows is collected

    def __init__(self, **traits: Any) -> None:
        super().__init__(**traits)
        atexit.unregister(self.atexit_operations)
        self.db = {}  # where `%cd` and others keep what the next session may want

    def init_ipython_dir(self, ipython_dir: None) -> None:
        """No settings of a user are read, and no folder for them is made."""

    def init_profile_dir(self, profile_dir: None) -> None:
        """As above."""

    def init_virtualenv(self) -> None:
        """The packages are those of this Python."""

    def init_path(self) -> None:
        """The notebook's own process does that."""

    def init_completer(self) -> None:
        """Nobody presses a key."""

    def init_environment(self) -> None:
        os.environ.update(ENVIRONMENT)

    def init_hooks(self) -> None:
        super().init_hooks()
        self.set_hook("show_in_pager", page.as_hook(lambda *_, **__: None), 99)  # help opens a window in JupyterLab

    def init_magics(self) -> None:
        super().init_magics()
        for installer in ("pip", "conda", "mamba", "micromamba", "uv"):
            self.register_magic_function(_refuse_to_install, magic_name=installer)

    def enable_gui(self, gui: str | None = None) -> None:
        """There are no windows, so none has to be kept responding."""

    def ask_exit(self) -> None:
        raise _Leave

    async def run_within_loop(self, source: str, cell: str) -> ExecutionResult:
        """Run a cell while the loop runs already, as ipykernel's `do_execute` does."""
        transformed, trouble = source, None
        try:
            transformed = self.transform_cell(source)
        except Exception:  # IPython shows it as the cell's own error
            trouble = sys.exc_info()
        given = {"transformed_cell": transformed, "preprocessing_exc_tuple": trouble}
        if not self.should_run_async(source, **given):
            return self.run_cell(source, store_history=True, cell_id=cell)
        result = None
        try:
            result = await self.run_cell_async(source, store_history=True, cell_id=cell, **given)
            return result
        finally:
            self.events.trigger("post_execute")
            self.events.trigger("post_run_cell", result)

    def showtraceback(self, exc_tuple: tuple | None = None, **options: Any) -> None:
        error = (exc_tuple or sys.exc_info())[1]
        if _is(error, _Leave):
            return
        if _is(error, KeyboardInterrupt):
            error.__context__ = None  # it says nothing about an error that was being written down
        elif error is not None:
            guarded(str, error, otherwise="")  # it may take for ever; IPython, interrupted, would ask once more
        if error is not None:
            guarded(_shorten, error, otherwise=None)
            exc_tuple = type(error), error, error.__traceback__
        super().showtraceback(exc_tuple, **options)

    def _format_exception_for_storage(self, *_: Any, **__: Any) -> dict:
        """Nothing is stored: IPython would write the whole traceback a second time."""
        return {}

    def _showtraceback(self, etype: type, evalue: BaseException, stb: list[str]) -> None:
        self.outputs().error(etype.__name__, guarded(str, evalue, otherwise=""), stb)

    def system(self, cmd: str) -> None:
        """`!command`: its output is the cell's, and it has nothing to read."""
        self.user_ns["_exit_code"] = _run_command(self.var_expand(cmd, depth=1), sys.stdout.write)

    system_piped = system_raw = system

    def getoutput(self, cmd: str, split: bool = True, depth: int = 0) -> SList | LSString:
        """`names = !command`."""
        kept = io.StringIO()
        expanded = self.var_expand(cmd, depth=depth + 1)
        _run_command(expanded, lambda text: kept.write(text[: COMMAND_CHARACTERS - kept.tell()]))
        text = kept.getvalue()
        return SList(text.splitlines()) if split else LSString(text)


@cache
def _ipython() -> _IPython:
    """The IPython of this process, or of the one that it was forked from."""
    ipython = _IPython.instance(config=CONFIGURATION)
    # What `%matplotlib inline` does, without looking for window systems.
    activate_matplotlib(INLINE)
    backend_inline.configure_inline_support(ipython, INLINE)
    return ipython


def _is(error: BaseException | None, kind: type) -> bool:
    """`isinstance`, which would ask the error itself for its class."""
    return issubclass(type(error), kind)


def _shorten(error: BaseException) -> None:
    """Take out the middle of a long traceback before IPython formats it, which takes milliseconds for each frame.

    Of a chain of errors, the last few are kept.
    """
    for _ in range(ERRORS_IN_A_CHAIN):
        frames = list(_frames(error.__traceback__))
        if len(frames) > 2 * FRAMES_AT_AN_END:
            error.__traceback__ = _linked(frames[:FRAMES_AT_AN_END] + frames[-FRAMES_AT_AN_END:])
        earlier = error.__cause__ or error.__context__
        if earlier is None:
            return
        error = earlier
    error.__cause__ = error.__context__ = None


def _frames(traceback: types.TracebackType | None) -> Iterator[types.TracebackType]:
    while traceback is not None:
        yield traceback
        traceback = traceback.tb_next


def _linked(frames: list[types.TracebackType]) -> types.TracebackType | None:
    linked = None
    for frame in reversed(frames):
        linked = types.TracebackType(linked, frame.tb_frame, frame.tb_lasti, frame.tb_lineno)
    return linked


def _ask(*_: Any, **__: Any) -> str:
    raise EOFError(NOBODY_TO_ASK)


def _refuse_to_install(line: str) -> None:
    print(NOTHING_INSTALLED, file=sys.stderr)


def _run_command(command: str, receive: Callable[[str], Any]) -> int:
    """Run a command of the shell, hand on what it writes, return its exit code.

    It is over when its first process is: one that it leaves in the background may keep the pipe open for ever.
    """
    process = subprocess.Popen(
        command, shell=True, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, process_group=0
    )
    decoder = codecs.getincrementaldecoder("utf-8")("replace")
    try:
        with process.stdout as pipe:
            while True:
                over = process.poll() is not None
                if select.select([pipe], [], [], 0 if over else SECONDS_BETWEEN_LOOKS)[0]:
                    chunk = os.read(pipe.fileno(), CHUNK)
                    receive(decoder.decode(chunk, final=not chunk))
                    over = not chunk
                if over:
                    return process.wait()
    except BaseException:  # whatever ends the cell ends the command that it started
        os.killpg(process.pid, signal.SIGKILL)
        process.wait()
        raise
