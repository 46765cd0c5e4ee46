"""Submissions that look for what nobody may see: references, hidden cases, grades, others' work, the grader itself."""

import pytest

from tests.attacks.arena import Arena, Attack

SPIES = [
    Attack(
        "reads the course, the checkout and the home by their names",
        """
import os
course = ("gradebook.db", "grading/learning_rate/seed.txt", "submitted/neighbour/learning_rate/learning_rate.ipynb")
places = [f"{COURSE}/{name}" for name in course]
places += ["{CHECKOUT}/grader/oracle.py", "{CHECKOUT}/grader/exercises/__init__.py", "{CHECKOUT}/tests/conftest.py"]
places += ["{HOME}/.bashrc", "{HOME}/.bash_history", "{HOME}/.ssh/id_rsa", "/etc/shadow", "/proc/kcore", "/dev/mem", "/dev/sda"]
for root in ("", "/proc/1/root", "/proc/self/root", "/proc/self/cwd/../..", "/lab/../..", "/private/../.."):
    for place in places:
        try:
            with open(root + place, "rb") as file:
                print("{FOUND}", place, file.read(10))
        except OSError:
            pass
for folder in ("{COURSE}", "{CHECKOUT}/grader", "{CHECKOUT}/tests", "{HOME}/.ssh", "/proc/1/cwd", "/proc/1/fd"):
    try:
        print("{FOUND}" if os.listdir(folder) else "empty", folder)
    except OSError:
        pass
print("tried", "all")
""",
        ran="tried all",
    ),
    Attack(
        "searches all folders for the names of secrets",
        """
import os, sys
wanted = {"gradebook.db", "seed.txt", "oracle.py", "exercises", "repair.py", "nbgrader_config.py", "submitted"}
for folder, folders, files in os.walk("/"):
    if folder in ("/proc", "/sys", "/usr", "/lib") or folder.endswith("site-packages"):
        folders.clear()
        continue
    for name in wanted & {*folders, *files}:
        print("{FOUND}", folder, name)
print("tried", "all")
""",
        ran="tried all",
    ),
    Attack(
        "imports the references",
        """
import importlib, importlib.metadata, pkgutil, sys
sys.path += ["{CHECKOUT}", "{COURSE}", "/lab/..", "/proc/1/cwd"]
importlib.invalidate_caches()
import grader
names = ["exercises", "exercises.learning_rate", "oracle", "judge", "grading", "submissions", "repair", "records", "build"]
for name in names:
    try:
        importlib.import_module(f"grader.{name}")
        print("{FOUND}", name)
    except ImportError:
        pass
for entry in importlib.metadata.entry_points(group="labutils.instructor"):
    try:
        print("{FOUND}", entry.load())
    except ImportError:
        pass
found = {module.name for module in pkgutil.iter_modules(grader.__path__)} - {"sandbox"}
known = {name for name in sys.modules if name.startswith("grader.") and not name.startswith("grader.sandbox")}
if found or known:
    print("{FOUND}", found, known)
from labutils.checks import solution
print("asked:", solution(gradient_descent))
""",
        ran="asked:",
    ),
    Attack(
        "searches its own memory for the seed",
        """
import re
needle = re.compile(rb"a seed that no [s]ubmission [k]nows")
seen = 0
with open("/proc/self/mem", "rb", 0) as memory:
    for line in open("/proc/self/maps"):
        addresses, access, *_, name = line.split()
        if not access.startswith("rw") or name.startswith("[v"):
            continue
        start, end = (int(address, 16) for address in addresses.split("-"))
        while start < end:
            memory.seek(start)
            piece = memory.read(min(end - start, 4_000_000))
            seen += len(piece)
            if needle.search(piece):
                print("{FOUND}", line)
            start += len(piece) or end
print("searched", seen > 1_000_000)
""",
        ran="searched True",
    ),
    Attack(
        "looks for a case's expected value in all objects, and in the frames below",
        """
import gc, sys
from labutils.checks.sheets import ExerciseSheet, read_sheets
public = {sheet.name: len(sheet.cases) for sheet in read_sheets().values()}
def smooth(losses, beta):
    for one in gc.get_objects():
        if type(one) is ExerciseSheet and len(one.cases) > public[one.name]:
            print("{FOUND}")
    frame = sys._getframe()
    while frame is not None:
        if "expected" in frame.f_locals or "sheet" in frame.f_locals:
            print("{FOUND}")
        frame = frame.f_back
    return losses
outcome = check(smooth)
print("looked", outcome.status)
""",
        ran="looked failed",
    ),
    Attack(
        "looks at the first process, the zygote and the grader",
        """
import ctypes, os
libc = ctypes.CDLL(None, use_errno=True)
secret = ["environ", "mem", "maps", "exe", "fd/3", "fd/0", "stack", "auxv", "root/etc/passwd", "cwd/x", "map_files"]
for pid in (1, os.getppid(), {GRADER}):
    for name in secret if pid != os.getpid() else []:
        try:
            with open(f"/proc/{pid}/{name}", "rb") as file:
                if file.read(1):
                    print("{FOUND}", pid, name)
        except OSError:
            pass
    if libc.ptrace(16, pid, 0, 0) == 0:
        print("{FOUND}", "ptrace", pid)
pids = sorted(int(name) for name in os.listdir("/proc") if name.isdigit())
try:
    os.kill({GRADER}, 0)
    print("{FOUND}", "the grader")
except ProcessLookupError:
    print("saw", pids)
""",
        ran="saw [1, 2]",
    ),
    Attack(
        "looks for variables and descriptors of the grader's",
        """
import os, stat
for name, value in os.environ.items():
    if "PYTEST" in name or "{COURSE}" in value or "{CHECKOUT}/" in value.replace("{CHECKOUT}/.venv/bin", ""):
        print("{FOUND}", name, value)
for number in range(4096):
    try:
        kind = os.fstat(number).st_mode
        path = os.readlink(f"/proc/self/fd/{number}")
    except OSError:
        continue
    if stat.S_ISREG(kind) or stat.S_ISDIR(kind) or stat.S_ISFIFO(kind) or "memfd" in path:
        print("{FOUND}", number, path)
    print("saw", number, path)
""",
        ran="saw 3 socket",
    ),
    Attack(
        "looks for memory that it shares with others",
        """
shared = [line for line in open("/proc/self/maps") if line.split()[1][1] == "w" and line.split()[1][3] == "s"]
print("{FOUND}" if shared else "none", shared)
""",
        ran="none []",
    ),
]

WITNESS = Attack(
    "leaves what it saw wherever something may last",
    """
import os, socket, sys, builtins, threading, time
def smooth(losses, beta):
    seen.append((losses, beta))
    return losses
seen = []
check(smooth)
for place in ("/tmp", "/dev/shm", "/home/student", "/var/tmp", "/run", "/private", "/lab", "/home/student/.config/matplotlib"):
    try:
        with open(f"{place}/{MARK}", "w") as file:
            file.write(repr(seen))
    except OSError:
        pass
os.environ["LEFT"] = builtins.left = sys.left = repr(seen)
import numpy, labutils.checks
numpy.left = labutils.checks.left = repr(seen)
numpy.random.seed(99)
if os.fork() == 0:
    os.setsid()
    with socket.socket(socket.AF_UNIX) as server:
        server.bind("\\0{MARK}")
        server.listen()
        time.sleep(3600)
print("left", len(seen) > 0)
""",
    ran="left True",
)
ACCOMPLICE = Attack(
    "looks for what the one before it has left",
    """
import builtins, os, socket, sys, numpy, labutils.checks
for place in ("/tmp", "/dev/shm", "/home/student", "/var/tmp", "/run", "/private", "/lab", "/home/student/.config/matplotlib"):
    if os.path.exists(f"{place}/{MARK}"):
        print("{FOUND}", place)
for one in (builtins, sys, numpy, labutils.checks):
    if hasattr(one, "left"):
        print("{FOUND}", one)
if "LEFT" in os.environ:
    print("{FOUND}")
with socket.socket(socket.AF_UNIX) as client:
    try:
        client.connect("\\0{MARK}")
        print("{FOUND}", "somebody listens")
    except OSError as error:
        print("refused", error.errno)
print("a number", numpy.random.random())
""",
    ran="refused 111",
)


@pytest.mark.parametrize("attack", SPIES, ids=str)
def test_a_cell_that_looks_for_secrets(arena: Arena, attack: Attack):
    arena.withstands(attack)


def test_nothing_goes_from_one_submission_to_the_next(arena: Arena):
    alone = arena.withstands(ACCOMPLICE)
    arena.withstands(WITNESS)
    behind = arena.withstands(ACCOMPLICE)
    assert _numbers(behind) == _numbers(alone)


def _numbers(result) -> list[str]:
    (found,) = result.notebooks.values()
    texts = [output.text for cell in found.notebook.cells for output in cell.get("outputs", ()) if "text" in output]
    return [line for text in texts for line in text.splitlines() if line.startswith("a number")]
