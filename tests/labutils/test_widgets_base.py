"""What every widget promises a notebook: a small state, a picture and a fixed text, and errors that help."""

import base64
import json
import re
import subprocess
import sys
import zlib
from pathlib import Path

import nbformat
import numpy as np
import pytest
from nbclient import NotebookClient

from labutils.surfaces import SURFACES
from labutils.widgets import DescentPlayground, KernelWalk, Neighbours, OptimizerRace, ScheduleDesigner
from labutils.widgets.base import script
from labutils.widgets.descent import decades
from labutils.widgets.schedules import TITLES

CHAPTERS = Path(__file__).parents[2] / "chapters"
SHOWN = [
    *["DescentPlayground()", "ScheduleDesigner()", "CurveClinic()", "UpdateRatioPlot()", "OptimizerRace()"],
    *["KernelWalk()", "Neighbours(x, {'pixels': x, 'features of the network': x}, y)"],
]
STATE = "application/vnd.jupyter.widget-state+json"


@pytest.fixture(scope="module")
def executed(tmp_path_factory):
    """A notebook that shows every widget, run by a real kernel, and where it is saved."""
    digits = "x, y = (part[:60] for part in data.digits(images=True).train)"
    sources = ["from labutils import data, widgets", digits, *(f"widgets.{shown}" for shown in SHOWN)]
    cells = [nbformat.v4.new_code_cell(source) for source in sources]
    notebook = nbformat.v4.new_notebook(cells=cells)
    notebook.metadata.kernelspec = {"name": "python3", "display_name": "Python 3", "language": "python"}
    NotebookClient(notebook, store_widget_state=True).execute()
    path = tmp_path_factory.mktemp("executed") / "playgrounds.ipynb"
    nbformat.write(notebook, path)
    return notebook, path


def saved_sizes(notebook):
    """Bytes that each widget of ours has in a notebook, its layout among them, by its class."""
    models = notebook.metadata.get("widgets", {}).get(STATE, {"state": {}})["state"]
    ours = [model for model in models.values() if model["model_name"] == "AnyModel"]
    layouts = [models[model["state"]["layout"].removeprefix("IPY_MODEL_")] for model in ours]
    names = [model["state"]["_anywidget_id"].rpartition(".")[2] for model in ours]
    return [
        (name, len(json.dumps(model)) + len(json.dumps(layout))) for name, model, layout in zip(names, ours, layouts)
    ]


def test_saved_state_of_a_playground_stays_under_10_kb(executed):
    """Even as nbclient saves it, which knows no way to leave out what is not set."""
    sizes = dict(saved_sizes(executed[0]))
    assert list(sizes) == [shown.partition("(")[0] for shown in SHOWN]
    assert max(sizes.values()) < 10_000, sizes


@pytest.mark.parametrize("path", sorted(CHAPTERS.rglob("*.ipynb")), ids=lambda path: path.stem)
def test_saved_state_of_every_widget_in_the_book_stays_under_10_kb(path):
    """A live figure brings all its frames along, so it may have twice that."""
    sizes = saved_sizes(nbformat.read(path, as_version=4))
    assert all(size < (20_000 if name == "LiveFigure" else 10_000) for name, size in sizes), sizes


def test_nbval_compares_nothing_that_changes(executed):
    run = [sys.executable, "-m", "pytest", "--nbval", "-q", "-p", "no:cacheprovider", "-n", "0", str(executed[1])]
    done = subprocess.run(run, capture_output=True, text=True, cwd=executed[1].parent)
    assert done.returncode == 0, done.stdout


@pytest.mark.parametrize(
    "widget",
    [
        *[DescentPlayground(name) for name in SURFACES],
        DescentPlayground("ravine", learning_rate=3.0, steps=200),
        *[ScheduleDesigner(name) for name in TITLES],
        *[OptimizerRace(name) for name in SURFACES],
        OptimizerRace(learning_rates={"sgd": 3.0}, steps=200),
        OptimizerRace(optimizers=[]),
        KernelWalk(),
        KernelWalk(kernel="blur, 5 × 5", stride=3, padding=0, dilation=3, backward=True),
        Neighbours(np.eye(9).reshape(9, 3, 3), {"pixels": np.eye(9), "squares": np.eye(9) + 1}, "abcabcabc", k=2),
    ],
    ids=lambda widget: widget.describe(),
)
def test_picture_and_text_for_a_viewer_without_a_kernel(widget):
    data, _ = widget._repr_mimebundle_()
    assert data["text/plain"] == widget.describe()
    picture = re.fullmatch(r'<img src="data:image/png;base64,([^"]+)" alt="([^"]+)".*>', data["text/html"])
    assert base64.b64decode(picture[1]).startswith(b"\x89PNG")
    assert picture[2].startswith(data["text/plain"].split(":")[0])
    assert data["application/vnd.jupyter.widget-view+json"]["model_id"] == widget.model_id


def unpacked(module):
    """What the browser unpacks: base 85 in its letters, then zlib."""
    letters, length = re.search(r'"(.{1000,})"\.match', module)[1], int(re.search(r"slice\(0,(\d+)\)", module)[1])
    digits = np.array([(ord(letter) - 1) % 92 for letter in letters]).reshape(-1, 5)
    assert digits.max() < 85 and not set(letters) & set('\\"!'), "nothing that JavaScript or JSON must escape"
    packed = (digits @ 85 ** np.arange(5)[::-1]).astype(">u4").tobytes()
    return zlib.decompress(packed[:length]).decode()


def test_script_is_the_files_without_what_only_people_need():
    text = unpacked(script("controls.js", "surfaces.js", "descent.js", SURFACES={"bowl": "one, two"}))
    assert 'const SURFACES={"bowl":"one, two"};' in text and text.endswith("export default{render};")
    assert (
        "const STYLES" in text and ".lab-handle{" in text and ".lab label{" in text and ".lab :focus-visible{" in text
    )
    assert "function slider(" in text and "`start, weight ${i + 1}`" in text
    assert not re.search(r"^ |//|/\*|^$", text, re.MULTILINE)


def test_a_layout_that_is_set_is_sent_and_saved():
    widget = ScheduleDesigner()
    assert None not in {**widget.get_state(), **widget.layout.get_state()}.values()
    widget.layout.width = "50%"
    assert widget.layout.get_state()["width"] == "50%" and widget.layout.get_state("height") == {"height": None}


@pytest.mark.parametrize(
    ("heights", "expected"),
    [
        ([17.3, 3, 0.25], (-1, 2)),
        ([17.3, 17, 16], (-1, 2)),
        ([17.3, 1e-5, 1e-12], (-12, 2)),
        ([1e-12, 1e-12], (-12, -9)),
        ([17.3, 2e15], (1, 16)),
        ([17.3, np.inf], (1, 300)),
    ],
)
def test_the_loss_axis_holds_every_loss(heights, expected):
    assert decades(np.array(heights)) == expected


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: DescentPlayground("ravin"), "surface is 'ravin'.*bowl, ravine, saddle, rosenbrock, two_minima"),
        (lambda: DescentPlayground(learning_rate=10), "learning_rate is 10, and the widget shows 0.001 to 3"),
        (lambda: DescentPlayground(learning_rate=float("nan")), "learning_rate is nan"),
        (lambda: DescentPlayground(start=(0, 5)), "start is 5, and the widget shows -3 to 3"),
        (lambda: DescentPlayground(steps=0), "steps is 0, and the widget shows 1 to 200"),
        (lambda: ScheduleDesigner("cosin"), "schedule is 'cosin'.*cosine"),
        (lambda: ScheduleDesigner(learning_rate=-1), "learning_rate is -1, and the widget shows"),
    ],
)
def test_bad_arguments_are_named_with_their_limits(make, message):
    with pytest.raises(ValueError, match=message):
        make()


def test_naming_the_widgets_loads_none_of_them():
    code = "import sys; from labutils import widgets; print({'anywidget', 'matplotlib', 'torch'} & set(sys.modules))"
    assert subprocess.check_output([sys.executable, "-c", code], text=True).strip() == "set()"


def test_unknown_widget_is_answered_with_the_known_ones():
    from labutils import widgets

    with pytest.raises(AttributeError, match="DescentPlayground"):
        widgets.Descent
