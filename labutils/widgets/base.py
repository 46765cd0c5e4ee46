"""What the widgets share: their JavaScript and styles, limits that explain themselves, and a still picture."""

import json
import re
import zlib
from importlib.resources import files

import anywidget
import numpy as np
import traitlets
from ipywidgets import Layout
from matplotlib.figure import Figure

from labutils.plots import show, style

_STATIC = files("labutils.widgets") / "static"
_AROUND_SIGNS = re.compile(r"""(?P<text>"(?:[^"\\]|\\.)*"|`[^`]*`)|\s*(?P<sign>[{}()\[\];,<>=?:*&|])\s*""")
_AROUND_BRACES = re.compile(r"""(?P<text>"[^"]*")|\s*(?P<sign>[{};,]|:(?=\s))\s*""")


def script(*names: str, **constants) -> str:
    """The JavaScript module of a widget: `constants`, base.js and the files `names`, with their style sheets.

    It becomes part of every notebook that shows the widget. Packed by zlib, without comments and needless space, it
    keeps the saved state of a playground under 10 KB.
    """
    parts = ["base", *(name.removesuffix(".js") for name in names)]
    sheets = [f"{part}.css" for part in parts if (_STATIC / f"{part}.css").is_file()]
    constants |= {"STYLES": "".join(map(_compact, sheets))}
    given = [f"const {constant}={_compact_json(value)};" for constant, value in constants.items()]
    packed = zlib.compress("".join([*given, *(_compact(f"{part}.js") for part in parts)]).encode(), 9)
    return _compact("unpack.js").replace("LENGTH", str(len(packed))).replace("SOURCE", _in_base_85(packed))


def _compact(name: str) -> str:
    """A file of `static` without the lines that are comments, and without space that means nothing.

    That is indentation, and what stands around signs outside of texts. So a script ends each statement with ";".
    """
    lines = (line.strip() for line in (_STATIC / name).read_text(encoding="utf-8").splitlines())
    text = "\n".join(line for line in lines if line and not line.startswith(("//", "/*")))
    around = _AROUND_SIGNS if name.endswith(".js") else _AROUND_BRACES
    return around.sub(lambda found: found["text"] or found["sign"], text)


def _compact_json(value) -> str:
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))


def _in_base_85(data: bytes) -> str:
    """`data`, filled up with zeros, as five letters for four bytes; base 64 would be longer by a fifteenth.

    The digits of each group, the first the most significant, are the letters from # on but \\, which JSON would double.
    """
    words = np.frombuffer(data + bytes(-len(data) % 4), dtype="<u4").astype(np.int64)
    digits = words[:, None] // 85 ** np.arange(4, -1, -1) % 85
    return "".join(chr(digit + ord("#") + (digit >= ord("\\") - ord("#"))) for digit in digits.flat)


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


class _Sparse:
    """A widget whose saved state leaves out what is not set: forty nulls, a kilobyte, in a layout alone."""

    def get_state(self, key=None, drop_defaults=False) -> dict:
        state = super().get_state(key, drop_defaults)
        return {name: value for name, value in state.items() if value is not None or key is not None}


class _SparseLayout(_Sparse, Layout):
    pass


class LabWidget(_Sparse, anywidget.AnyWidget):
    """An anywidget with a picture and a fixed text beside it, for viewers that cannot run it.

    A subclass sets `_esm = script(…)`, which brings the styles, and overrides `describe` and `still`.
    """

    @traitlets.default("layout")
    def _sparse_layout(self) -> Layout:
        return _SparseLayout()

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
