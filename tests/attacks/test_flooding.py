"""Submissions that want to fill whatever can be filled: outputs, pages, folders, and what the grader reads of them."""

import pytest

from grader import assignments
from tests.attacks.arena import Arena, Attack

FLOODS = [
    Attack(
        "fills its folder, the shared memory and the temporary one",
        """
for place in (".", "/tmp", "/dev/shm"):
    try:
        for number in range(300):
            with open(f"{place}/{MARK}{number}", "wb") as file:
                file.write(bytes(1_000_000))
    except OSError as error:
        print("refused", place)
print("tried", "all")
""",
        ran="refused /dev/shm\\ntried all",
    ),
    Attack(
        "makes files until there are no inodes left",
        """
try:
    for number in range(300_000):
        open(f"{MARK}{number}", "w").close()
except OSError as error:
    print("refused", "at last")
""",
        ran="refused at last",
    ),
    Attack(
        "digs a hole, a hundred folders deep",
        """
import os
for _ in range(100):
    os.mkdir("x" * 255)
    os.chdir("x" * 255)
print("tried", "all")
""",
        ran="tried all",
    ),
    Attack(
        "writes a file larger than allowed, and a sparse one",
        """
for size in (20_000_000, 10**15):
    try:
        with open("{MARK}", "wb") as file:
            file.truncate(size)
            file.write(bytes(20_000_000))
    except OSError as error:
        print("refused", size)
""",
        ran="refused 1000000000000000",
    ),
    Attack("prints a hundred million characters", "for _ in range(1000):\n    print('x' * 100_000)", ran="are kept"),
    Attack(
        "prints from C and from programs",
        "import os\nos.write(1, b'x' * 1_000_000)\n!yes | head -c 30000000",
        ran="are kept",
    ),
    Attack("shows twenty thousand outputs", "for number in range(20_000):\n    display(number)", ran="are kept"),
    Attack(
        "shows a picture of fifty megabytes",
        "from IPython.display import Image\ndisplay(Image(data=bytes(50_000_000), format='png'))",
        ran="are kept",
    ),
    Attack(
        "shows data that are nested a hundred thousand deep",
        """
nested = []
for _ in range(100_000):
    nested = [nested]
display({"application/json": nested}, raw=True)
""",
        ran="RecursionError",
    ),
    Attack("returns a text of fifty megabytes", "'x' * 50_000_000", ran="are kept"),
    Attack(
        "raises with a name and a message of fifty megabytes, at a thousand places",
        """
def fall(depth):
    if depth:
        fall(depth - 1)
    raise type("x" * 50_000_000, (Exception,), {})("y" * 50_000_000)
fall(900)
""",
        ran="yyyy",
    ),
    Attack(
        "raises an error that cannot be shown",
        """
class Evil(Exception):
    def __str__(self): raise Evil
    __repr__ = __str__
    @property
    def __class__(self): raise Evil
    @property
    def __traceback__(self): raise Evil
raise Evil
""",
        ran="'ename': 'Evil'",
    ),
    Attack(
        "shows an object whose words never end",
        "import time\nclass Evil:\n    def __repr__(self):\n        while True: time.sleep(1)\nEvil()",
        ran="KeyboardInterrupt",
    ),
    Attack(
        "starts a thousand widgets",
        "import ipywidgets\nheld = [ipywidgets.IntSlider() for _ in range(1000)]\nfor one in held[:300]:\n    display(one)",
        ran="IntSlider",
    ),
]


def test_what_is_read_of_a_submission_is_bounded_and_notebooks_come_first(tmp_path, monkeypatch):
    monkeypatch.setattr(assignments, "LARGEST_FILE", 100)
    monkeypatch.setattr(assignments, "LARGEST_IN_ALL", 250)
    sizes = {"a.bin": 60, "b.bin": 90, "c.bin": 101, "d.bin": 40, "one.ipynb": 80, "two.ipynb": 1000}
    for name, size in sizes.items():
        (tmp_path / name).write_bytes(bytes(size))
    (tmp_path / "link.ipynb").symlink_to("one.ipynb")
    files, left_out = assignments.handed_in(tmp_path)
    assert {name: len(content) for name, content in files.items()} == {"one.ipynb": 80, "two.ipynb": 101, "a.bin": 60}
    assert left_out == ["link.ipynb", "b.bin", "c.bin", "d.bin"]
    assert sorted(assignments.left_out_of(str(tmp_path))) == sorted(str(tmp_path / name) for name in left_out)


@pytest.mark.parametrize("attack", FLOODS, ids=str)
def test_a_cell_that_floods(arena: Arena, attack: Attack):
    arena.withstands(attack)
