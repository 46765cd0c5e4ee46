"""Makes what a submission shows harmless: in feedback, and in the view in which an instructor grades by hand.

That view has the origin of formgrader's API, so a script in it could change grades. Texts, tables, pictures and our
panels stay; scripts, event handlers, frames, forms and whatever loads something from elsewhere go. Both pages are made
by nbconvert's HTMLExporter, whose configuration `make_pages_harmless` writes.
"""

import html
import re
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

import tinycss2
from bleach.css_sanitizer import CSSSanitizer
from bleach.html5lib_shim import Filter
from bleach.sanitizer import Cleaner
from jinja2 import pass_context
from jinja2.runtime import Context
from nbconvert.filters import Highlight2HTML
from nbconvert.filters.markdown_mistune import IPythonRenderer, MarkdownWithMath
from nbformat import NotebookNode
from nbgrader.preprocessors import NbGraderPreprocessor
from traitlets.config import Config

# Characters, without those of embedded pictures. Cleaning takes seconds for what is made to take long.
LONGEST_TEXT = 100_000
MOST_HTML = 300_000  # in a notebook's outputs
TAG_COSTS = 60  # characters that a tag counts for
MOST_FORMULAS = 500  # in a cell: nbconvert looks for the end of each of them, up to the end of the cell

TAGS = frozenset(
    "a abbr b bdi blockquote br caption center cite code col colgroup dd del details dfn div dl dt em figcaption figure"
    " h1 h2 h3 h4 h5 h6 hr i img ins kbd li mark ol p pre q s samp section small span strike strong sub summary sup"
    " table tbody td tfoot th thead tr tt u ul var".split()
)
WITHOUT_CONTENTS = frozenset(("script", "style"))
ATTRIBUTES = frozenset(
    "alt aria-hidden aria-label border colspan dir lang open role rowspan scope start style title".split()
)
ROLES = frozenset(("status", "img", "note", "list", "listitem"))
STYLES = frozenset(
    "background-color border border-bottom border-collapse border-color border-left border-radius border-right"
    " border-spacing border-style border-top border-width color display font-family font-size font-style font-weight"
    " list-style list-style-type margin margin-bottom margin-left margin-right margin-top max-width overflow-wrap"
    " padding padding-bottom padding-left padding-right padding-top text-align text-decoration vertical-align"
    " white-space width word-break".split()
)
STYLE_FUNCTIONS = frozenset(("hsl", "hsla", "rgb", "rgba", "var"))
# An address of another place. Without its slashes a browser would take it for a file beside the notebook, which
# formgrader serves as it was handed in.
LINK = re.compile(r"(?:https?://[^/\\]|mailto:)", re.IGNORECASE)
PICTURE = re.compile(r"data:image/(?:png|jpeg|gif|webp|svg\+xml);base64,[A-Za-z0-9+/=\s]*")
FORMULA = re.compile(r"\\\\[\[(]|\\begin")
PIXELS = re.compile(r"\d{1,4}")
PYGMENTS = re.compile(
    r"highlight|[a-z]{1,2}\d?"
)  # the classes of highlighted code; others may mean something to a page

# In the order in which nbconvert prefers them. What a browser runs (JavaScript, widgets) is not among them.
SHOWN = (
    "text/html",
    "text/markdown",
    "image/svg+xml",
    "text/latex",
    "image/png",
    "image/jpeg",
    "text/plain",
)
TOO_MUCH_HTML = "What stood here is not shown: it is too long, or has too many tags."


def make_pages_harmless(config: Config) -> None:
    """Have nbconvert clean what it shows of a submission, in feedback and in formgrader."""
    config.HTMLExporter.sanitize_html = True
    config.HTMLExporter.preprocessors = [HarmlessOutputs]
    config.HTMLExporter.filters = {
        "clean_html": clean,
        "markdown2html": clean_markdown,
        "highlight_code": Highlight2HTML,  # nbconvert's own takes the language from the notebook, whatever stands there
    }


def clean(text: str) -> str:
    """The HTML without anything that runs, loads, or lays itself over the page."""
    cleaner = Cleaner(
        tags=TAGS | WITHOUT_CONTENTS,
        attributes=_is_allowed,
        protocols=("http", "https", "mailto", "data"),
        strip=True,
        filters=[_WithoutContents],
        css_sanitizer=_Styles(),
    )
    return cleaner.clean(text)


@pass_context
def clean_markdown(context: Context, source: str) -> str:
    """Markdown as cleaned HTML; as it is written where that would take too long."""
    if _cost(source) > LONGEST_TEXT or len(FORMULA.findall(source)) > MOST_FORMULAS:
        return _as_written(source)
    renderer = _Renderer(attachments=context.get("cell", {}).get("attachments", {}))
    try:
        return clean(MarkdownWithMath(renderer=renderer).render(source))
    except RecursionError:
        return _as_written(source)


class HarmlessOutputs(NbGraderPreprocessor):
    """Leaves in a notebook what pages show of it, in the form that nbconvert's templates rely on."""

    def preprocess(self, nb: NotebookNode, resources: dict) -> tuple[NotebookNode, dict]:
        nb.metadata.pop("widgets", None)
        room = MOST_HTML
        for cell in nb.cells:
            for setting in ("magics_language", "raw_mimetype", "alt"):
                cell.metadata.pop(setting, None)
            if cell.cell_type == "code":
                cell.outputs = [_harmless(output) for output in cell.outputs]
                room = _within(room, cell.outputs)
        return nb, resources


class _Renderer(IPythonRenderer):
    """nbconvert's, without links to headings, and content with pictures that are not there."""

    def __init__(self, attachments: Mapping[str, Mapping[str, str]]) -> None:
        super().__init__(escape=False, exclude_anchor_links=True, attachments=attachments)

    def _embed_image_or_attachment(self, src: str) -> str:
        if src.startswith("attachment:") and not self.attachments.get(src.removeprefix("attachment:")):
            return ""
        return super()._embed_image_or_attachment(src)


class _Styles(CSSSanitizer):
    """Keeps the properties in `STYLES`, where their values load nothing and move nothing over its neighbours."""

    def __init__(self) -> None:
        super().__init__(allowed_css_properties=STYLES, allowed_svg_properties=())

    def sanitize_css(self, style: str) -> str:
        declarations = tinycss2.parse_declaration_list(style, skip_comments=True, skip_whitespace=True)
        kept = [
            f"{one.lower_name}:{tinycss2.serialize(one.value).strip()}"
            for one in declarations
            if one.type == "declaration" and one.lower_name in STYLES and all(map(_is_plain, one.value))
        ]
        return ";".join(kept)


class _WithoutContents(Filter):
    """Leaves out scripts and style sheets together with what stands in them, which is nothing to read."""

    def __iter__(self) -> Iterator[dict]:
        inside = 0
        for token in super().__iter__():
            if token.get("name") in WITHOUT_CONTENTS:
                inside += {"StartTag": 1, "EndTag": -1}[token["type"]]
            elif not inside:
                yield token


def _is_allowed(tag: str, name: str, value: str) -> bool:
    if name == "href":
        return tag == "a" and LINK.match(value) is not None
    if name == "src":
        return tag == "img" and PICTURE.fullmatch(value) is not None
    if name in ("width", "height"):
        return tag == "img" and PIXELS.fullmatch(value) is not None
    if name == "class":
        return tag in ("div", "span") and all(map(PYGMENTS.fullmatch, value.split()))
    if name == "role":
        return value in ROLES
    return name in ATTRIBUTES


def _is_plain(token: Any) -> bool:
    """Tell whether a piece of a style's value is a word, a name, a colour or a length that is not negative."""
    if token.type == "function":
        return token.lower_name in STYLE_FUNCTIONS and all(map(_is_plain, token.arguments))
    if token.type in ("number", "dimension", "percentage"):
        return token.value >= 0
    return token.type in ("ident", "hash", "string", "whitespace", "literal")


def _harmless(output: NotebookNode) -> NotebookNode:
    """The output with the types of contents that a page shows, and with no settings but a picture's size."""
    if output.output_type not in ("display_data", "execute_result"):
        return output
    shown = NotebookNode({kind: output.data[kind] for kind in SHOWN if kind in output.data})
    sizes = {kind: _size(output.metadata.get(kind)) for kind in shown}
    return NotebookNode(output, data=shown, metadata=NotebookNode(sizes))


def _size(settings: Any) -> NotebookNode:
    """Width and height in pixels, of which nbconvert makes attributes without quotes."""
    found = settings if isinstance(settings, dict) else {}
    return NotebookNode({name: found[name] for name in ("width", "height") if isinstance(found.get(name), int)})


def _within(room: int, outputs: Iterable[NotebookNode]) -> int:
    """Put a sentence in place of the HTML for which there is no room. Returns the room that is left."""
    for output in outputs:
        for kind in ("text/html", "text/markdown"):
            text = output.get("data", {}).get(kind, "")
            cost = _cost(text)
            if cost > min(LONGEST_TEXT, room):
                del output.data[kind]
                output.data.setdefault("text/plain", TOO_MUCH_HTML)
            else:
                room -= cost
    return room


def _cost(text: str) -> int:
    """About how long cleaning takes, in characters."""
    return len(PICTURE.sub("", text)) + TAG_COSTS * text.count("<")


def _as_written(text: str) -> str:
    return f"<pre>{html.escape(text)}</pre>"
