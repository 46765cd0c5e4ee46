"""What the widgets share: their JavaScript and styles, limits that explain themselves, and a still picture."""

import base64
import json
import zlib
from importlib.resources import files

import anywidget
from matplotlib.figure import Figure

from labutils.plots import show, style

_STATIC = files("labutils.widgets") / "static"


def script(*names: str, **constants) -> str:
    """The JavaScript module of a widget: `constants`, base.js and the files `names`, with their style sheets.

    It becomes part of every notebook that shows the widget. Packed by zlib, without comments and indentation, it keeps
    the saved state of a playground under 10 KB.
    """
    parts = ["base", *(name.removesuffix(".js") for name in names)]
    sheets = [f"{part}.css" for part in parts if (_STATIC / f"{part}.css").is_file()]
    constants |= {"STYLES": "".join(map(_compact, sheets))}
    given = [f"const {constant} = {_json(value)};\n" for constant, value in constants.items()]
    source = "".join([*given, *(_compact(f"{part}.js") for part in parts)])
    packed = zlib.compress(source.encode(), 9)
    letters = base64.b85encode(packed, pad=True).decode()  # a fifteenth shorter than base 64
    return _compact("unpack.js").replace("SOURCE", letters).replace("LENGTH", str(len(packed)))


def _compact(name: str) -> str:
    """A file of `static` without indentation, empty lines and the lines that are comments."""
    lines = (line.strip() for line in (_STATIC / name).read_text(encoding="utf-8").splitlines())
    return "".join(f"{line}\n" for line in lines if line and not line.startswith(("//", "/*")))


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


class LabWidget(anywidget.AnyWidget):
    """An anywidget with a picture and a fixed text beside it, for viewers that cannot run it.

    A subclass sets `_esm = script(…)`, which brings the styles, and overrides `describe` and `still`.
    """

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
