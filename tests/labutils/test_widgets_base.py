"""What every widget promises a notebook: a small state, a picture and a fixed text, and errors that help."""

import base64
import json
import re
import subprocess
import sys
import zlib

import nbformat
import pytest
from nbclient import NotebookClient

from labutils.surfaces import SURFACES
from labutils.widgets import DescentPlayground, ScheduleDesigner
from labutils.widgets.base import script
from labutils.widgets.schedules import TITLES

SHOWN = ["widgets.DescentPlayground()", "widgets.ScheduleDesigner()"]
STATE = "application/vnd.jupyter.widget-state+json"


@pytest.fixture(scope="module")
def executed(tmp_path_factory):
    """A notebook that shows both playgrounds, run by a real kernel, and where it is saved."""
    cells = [nbformat.v4.new_code_cell(source) for source in ["from labutils import widgets", *SHOWN]]
    notebook = nbformat.v4.new_notebook(cells=cells)
    notebook.metadata.kernelspec = {"name": "python3", "display_name": "Python 3", "language": "python"}
    NotebookClient(notebook, store_widget_state=True).execute()
    path = tmp_path_factory.mktemp("executed") / "playgrounds.ipynb"
    nbformat.write(notebook, path)
    return notebook, path


def test_saved_state_of_a_playground_stays_under_10_kb(executed):
    models = executed[0].metadata.widgets[STATE]["state"]
    playgrounds = [model for model in models.values() if model["model_name"] == "AnyModel"]
    assert len(playgrounds) == len(SHOWN)
    for playground in playgrounds:
        layout = models[playground["state"]["layout"].removeprefix("IPY_MODEL_")]
        assert len(json.dumps(playground)) + len(json.dumps(layout)) < 10_000


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


def test_script_is_the_files_without_comments_and_indentation():
    packed = re.search(r'atob\("([^"]+)"\)', script("descent.js", SURFACES={"bowl": 1}))[1]
    text = zlib.decompress(base64.b64decode(packed)).decode()
    assert 'const SURFACES = {"bowl": 1};' in text and "export default { render };" in text
    assert "const STYLES" in text and ".lab-handle" in text
    assert not re.search(r"^(\s|//|/\*)", text, flags=re.MULTILINE)


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
