"""What the widgets share: their JavaScript and styles, limits that explain themselves, and a still picture."""

import base64
import json
import zlib
from importlib.resources import files

import anywidget
import matplotlib
import numpy as np
from ipywidgets import Layout
from matplotlib.figure import Figure
from rcssmin import cssmin
from rjsmin import jsmin

from labutils.plots import show, style

EIGHT_LINES = [  # the same as in charts.js: no two share colour and dashes
    (color, "- -- : -.".split()[(index + index // 4) % 4])
    for index, color in enumerate(2 * ["#3f90da", "#e76300", "#717581", "#a96b59"])
]
CIVIDIS = (255 * matplotlib.colormaps["cividis"](np.linspace(0, 1, 10))[:, :3]).round().astype(int).tolist()
"""Ten colours from the lowest to the highest, for scripts."""
# Base 85 in letters that unpack.js reads with little code, and that neither JavaScript nor JSON must escape.
_B85 = b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz!#$%&()*+-;<=>?@^_`{|}~"
_TO_LETTERS = bytes.maketrans(_B85, bytes([*range(93, 127), *range(35, 86)]))
_STATIC = files("labutils.widgets") / "static"


def script(*names: str, **constants) -> str:
    """The JavaScript module of a widget: `constants`, base.js and the files `names`, with their style sheets.

    It becomes part of every notebook that shows the widget. Packed by zlib, without comments and spaces, it keeps the
    saved state of a playground under 10 KB.
    """
    parts = ["base", *(name.removesuffix(".js") for name in names)]
    sheets = [f"{part}.css" for part in parts if (_STATIC / f"{part}.css").is_file()]
    constants |= {"STYLES": "".join(map(_compact, sheets))}
    given = [f"const {constant}={_json(value)};" for constant, value in constants.items()]
    source = "\n".join([*given, *(_compact(f"{part}.js") for part in parts)])
    packed = zlib.compress(source.encode(), 9)
    letters = base64.b85encode(packed, pad=True).translate(_TO_LETTERS).decode()  # a fifteenth shorter than base 64
    return _compact("unpack.js").replace("SOURCE", letters).replace("LENGTH", str(len(packed)))


def _compact(name: str) -> str:
    """A file of `static` without what only people need to read it."""
    minify = cssmin if name.endswith(".css") else jsmin
    return minify((_STATIC / name).read_text(encoding="utf-8"))


def _json(value) -> str:
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))


def within(name: str, value: float, low: float, high: float) -> float:
    """`value` if it lies from `low` to `high`; otherwise a ValueError that says what would."""
    if not low <= value <= high:
        raise ValueError(f"{name} is {value:g}, and the widget shows {low:g} to {high:g}: choose a value in between")
    return value


def one_of(name: str, value: str, choices) -> str:
    """`value` if it is one of `choices`; otherwise a ValueError that lists them."""
    if value not in choices:
        raise ValueError(f"{name} is {value!r}, which is not known: choose one of {', '.join(choices)}")
    return value


class _SetOnly:
    """A widget whose saved state leaves out what is not set, as JupyterLab does: a layout is 40 nulls."""

    def get_state(self, key=None, drop_defaults=False):
        state = super().get_state(key, drop_defaults)
        return state if key else {name: value for name, value in state.items() if value is not None}


class _Layout(_SetOnly, Layout):
    pass


class LabWidget(_SetOnly, anywidget.AnyWidget):
    """An anywidget with a picture and a fixed text beside it, for viewers that cannot run it.

    A subclass sets `_esm = script(…)`, which brings the styles, and overrides `describe` and `still`.
    """

    def __init__(self, **traits):
        super().__init__(layout=_Layout(), **traits)

    def describe(self) -> str:
        """One sentence that stays the same however the widget is moved in the browser."""
        raise NotImplementedError

    def still(self) -> Figure:
        """The widget as it stands, drawn without a browser."""
        raise NotImplementedError

    def _repr_mimebundle_(self, **kwargs) -> tuple[dict, dict]:
        data, metadata = super()._repr_mimebundle_(**kwargs)
        with style():
            picture = show(self.still(), alt=self.describe())
        return data | picture._repr_mimebundle_(), metadata
