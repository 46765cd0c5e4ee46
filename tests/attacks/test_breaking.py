"""Submissions that want to bring the grader down, or what runs beside them: by signals, bombs and loops."""

import pytest

from tests.attacks.arena import Arena, Attack

ENDED = "Python itself ended while this cell ran"
GONE_ON = "the rest of the notebook was tried"
TOO_LONG = "This cell was still running after"

CELLS = [
    Attack("exits within an import", "import helper", files={"helper.py": b"import os\nos._exit(0)"}, says=ENDED),
    Attack(
        "kills its parent, and everybody",
        """
import os, signal
signal.signal(signal.SIGTERM, signal.SIG_IGN)
for pid in (1, os.getppid(), -1):
    for number in (signal.SIGTERM, signal.SIGKILL, signal.SIGSTOP):
        try:
            os.kill(pid, number)
        except OSError as error:
            print(error)
print("tried", "all")
""",
        ran="tried all",
    ),
    Attack(
        "sends the first process signals without end",
        """
import os, signal
signal.signal(signal.SIGINT, signal.SIG_IGN)
for _ in range(20_000):
    for number in (signal.SIGINT, signal.SIGCHLD, signal.SIGALRM, signal.SIGUSR1, signal.SIGPIPE):
        os.kill(1, number)
print("tried", "all")
""",
        ran="tried all",
    ),
    Attack("crashes in C", "import ctypes\nctypes.string_at(0)", says=ENDED),
    Attack(
        "recurses until the stack is full",
        "import sys\nsys.setrecursionlimit(10**9)\ndef down(): return down()\ndown()",
        says=GONE_ON,
    ),
    Attack(
        "loops, and takes every exception",
        "while True:\n    try:\n        while True:\n            pass\n    except BaseException:\n        pass",
        says=TOO_LONG,
    ),
    Attack(
        "loops, and ignores signals",
        """
import signal
for number in set(signal.Signals) - {signal.SIGKILL, signal.SIGSTOP}:
    signal.signal(number, signal.SIG_IGN)
signal.pthread_sigmask(signal.SIG_BLOCK, range(1, 65))
while True:
    signal.pause()
""",
        says=TOO_LONG,
    ),
    Attack("loops in C", "import itertools\nsum(itertools.repeat(0))", says=TOO_LONG),
    Attack("stops itself", "import os, signal\nos.kill(os.getpid(), signal.SIGSTOP)", says=TOO_LONG),
    Attack(
        "leaves processes that use up the processor",
        "import os\nfor _ in range(8):\n    if os.fork() == 0:\n        while True: pass\nprint('burning')",
        ran="burning",
    ),
    Attack(
        "forks from every child",
        """
import os, time
begun = 0
while begun < 300:
    begun += 1
    try:
        if os.fork() == 0:
            os.setsid()
    except OSError:
        time.sleep(0.05)
""",
    ),
    Attack(
        "starts threads without end",
        """
import threading, time
begun = 0
try:
    for begun in range(300):
        threading.Thread(target=time.sleep, args=(3600,), daemon=begun % 2).start()
except RuntimeError:
    print("refused", "at last")
""",
        ran="refused at last",
    ),
    Attack("fills the memory at once", "held = bytearray(6_000_000_000)", ran="MemoryError"),
    Attack(
        "fills the memory from many processes",
        """
import os, time
for _ in range(12):
    if os.fork() == 0:
        break
held = bytearray(b"x") * 150_000_000
time.sleep(60)
""",
        says="bytes of memory",
    ),
    Attack(
        "fills memory that is shared and has no name",
        "import mmap\nheld = mmap.mmap(-1, 300_000_000)\nheld.write(b'x' * 100_000_000)\nmore = mmap.mmap(-1, 300_000_000)",
        ran="Cannot allocate memory",
    ),
    Attack(
        "takes its own folder away",
        """
import os, shutil
os.chmod(".", 0)
os.chmod("/tmp", 0)
try:
    os.rename("/home/student", "/home/other")
except OSError as error:
    print(error)
shutil.rmtree("/home/student", ignore_errors=True)
shutil.rmtree("/tmp", ignore_errors=True)
print("tried", "all")
""",
        ran="tried all",
    ),
    Attack("closes every descriptor", "import os\nos.closerange(0, 4096)", says="ended"),
    Attack(
        "opens every descriptor",
        "import os\nheld = []\ntry:\n    for _ in range(1000):\n        held.append(os.dup(0))\n"
        "except OSError:\n    print('refused', 'at last')",
        ran="refused at last",
    ),
    Attack(
        "leaves a thread that uses up the processor",
        "import threading\ndef burn():\n    while True: pass\nthreading.Thread(target=burn, daemon=True).start()\nprint('burning')",
        ran="burning",
    ),
    Attack(
        "calls itself something that is no text",
        "import time\nopen('/proc/self/comm', 'wb').write(b'\\xff) R\\n1 \\xfe')\ntime.sleep(1)\nprint('named', 'so')",
        ran="named so",
    ),
]

FUNCTIONS = [
    Attack(
        "a function that exits", answers={"smooth": "import os\nos._exit(0)"}, says="Python itself ended in this call"
    ),
    Attack(
        "a function that loops", answers={"smooth": "while True:\n    pass"}, says="Is there a loop that never ends?"
    ),
    Attack(
        "a function that loops in C",
        answers={"smooth": "import itertools\nsum(itertools.repeat(0))"},
        says="could not be interrupted",
    ),
    Attack(
        "a function that fills the memory",
        answers={"smooth": "return [bytearray(10**8) for _ in range(60)]"},
        says="emory",
    ),
    Attack(
        "a function that stops the clock",
        answers={
            "smooth": """
import signal, time
time.monotonic = lambda: 0.0
signal.setitimer(signal.ITIMER_REAL, 0)
signal.setitimer = lambda *_: None
signal.signal(signal.SIGINT, signal.SIG_IGN)
while True:
    pass"""
        },
        says="still running",
    ),
    Attack(
        "a function that forks, and both of it return",
        answers={"smooth": "import os\nos.fork()\nreturn losses"},
    ),
    Attack(
        "a function that recurses",
        answers={"smooth": "return smooth(losses, beta)"},
        says="called itself until Python gave up",
    ),
]


@pytest.mark.parametrize("attack", CELLS, ids=str)
def test_a_cell_that_wants_to_break_the_grader(arena: Arena, attack: Attack):
    arena.withstands(attack)


@pytest.mark.parametrize("attack", FUNCTIONS, ids=str)
def test_a_function_that_wants_to_break_the_grader(arena: Arena, attack: Attack):
    arena.withstands(attack)
