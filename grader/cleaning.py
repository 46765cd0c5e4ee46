"""Makes what a submission shows harmless: in feedback, and in the view in which an instructor grades by hand.

That view has the origin of formgrader's API, so a script in it could change grades. Texts, tables, pictures and our
panels stay; scripts, event handlers, frames, forms and whatever loads something from elsewhere go. Both pages are made
by nbconvert's HTMLExporter, whose configuration `make_pages_harmless` writes.
"""

import re
from collections.abc import Iterator, Mapping
from typing import Any

import tinycss2
from bleach.css_sanitizer import CSSSanitizer
from bleach.html5lib_shim import Filter
from bleach.sanitizer import Cleaner
from jinja2 import pass_context
from jinja2.runtime import Context
from nbconvert.filters import Highlight2HTML
from nbconvert.filters.markdown_mistune import IPythonRenderer, MarkdownWithMath
from nbconvert.preprocessors import Preprocessor
from nbformat import NotebookNode
from traitlets.config import Config

from labutils.notebooks import CHECK_CELL

MOST_WORK = 300_000
"""What a page shows of a notebook, in characters; see `_work`. The book's chapters need 100,000; what is made to take
long takes some seconds."""
WORK_OF_A_TAG = 60
FORMULAS_READ_AT_ONCE = 200
NOT_SHOWN = "What stood here is not shown: it is a program, or too long, or the rest of the notebook is."

TAGS = frozenset(
    "a abbr b bdi blockquote br caption center cite code col colgroup dd del details dfn div dl dt em figcaption figure"
    " h1 h2 h3 h4 h5 h6 hr i img ins kbd li mark ol p pre q s samp section small span strike strong sub summary sup"
    " table tbody td tfoot th thead tr tt u ul var".split()
)
WITHOUT_CONTENTS = frozenset(("script", "style"))
ATTRIBUTES = frozenset("alt aria-hidden aria-label border colspan dir lang open rowspan scope start title".split())
CHECKED_ATTRIBUTES = {
    "style": ".*",  # by _Styles
    "role": "status|img|note|list|listitem",
    "width": r"\d{1,4}",
    "height": r"\d{1,4}",
    # Those of highlighted code. Others may mean something to a page.
    "class": r"(?:(?:highlight|[a-z]{1,2}\d?)(?: |$))*",
    # An address of another place. A file beside the notebook is served by formgrader as it was handed in; without the
    # slashes a browser would take an address for one.
    "href": r"(?:https?://[^/\\]|mailto:).*",
    "src": r"data:image/(?:png|jpeg|gif|webp|svg\+xml);base64,[A-Za-z0-9+/=\s]*",
}
STYLES = frozenset(
    "background-color border border-bottom border-collapse border-color border-left border-radius border-right"
    " border-spacing border-style border-top border-width color display font-family font-size font-style font-weight"
    " list-style list-style-type margin margin-bottom margin-left margin-right margin-top max-width overflow-wrap"
    " padding padding-bottom padding-left padding-right padding-top text-align text-decoration vertical-align"
    " white-space width word-break".split()
)
STYLE_FUNCTIONS = frozenset(("hsl", "hsla", "rgb", "rgba", "var"))
# In the order in which nbconvert prefers them. What a browser runs (JavaScript, widgets) is not among them.
SHOWN = ("text/html", "text/markdown", "image/svg+xml", "text/latex", "image/png", "image/jpeg", "text/plain")


def make_pages_harmless(config: Config) -> None:
    """Have nbconvert clean what it shows of a submission, in feedback and in formgrader."""
    config.HTMLExporter.sanitize_html = True
    config.HTMLExporter.preprocessors = [HarmlessNotebook]
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
        css_sanitizer=_Styles(allowed_css_properties=STYLES),
    )
    return cleaner.clean(text)


@pass_context
def clean_markdown(context: Context, source: str) -> str:
    """Markdown as cleaned HTML. The templates do not clean it everywhere."""
    renderer = _Renderer(attachments=context.get("cell", {}).get("attachments", {}))
    return clean(MarkdownWithMath(renderer=renderer).render(source))


class HarmlessNotebook(Preprocessor):
    """Leaves in a notebook what pages show of it.

    Settings go, but for nbgrader's, which the grader has written: templates put some of them into a page as they are.
    A sentence stands in place of what would take too long. What the grader itself wrote always stays.
    """

    def preprocess(self, nb: NotebookNode, resources: dict) -> tuple[NotebookNode, dict]:
        nb.metadata = NotebookNode()
        self._room = MOST_WORK
        for cell in nb.cells:
            settings = cell.metadata.get("nbgrader", NotebookNode())
            cell.metadata = NotebookNode(nbgrader=settings) if settings else NotebookNode()
            if not settings.get("locked"):
                cell.source = self._within_room(cell.source)
            if not (settings.get("locked") and CHECK_CELL.search(cell.source)):  # there the grader wrote the outputs
                for output in cell.get("outputs", ()):
                    self._bound(output)
        return nb, resources

    def _bound(self, output: NotebookNode) -> None:
        if output.output_type == "stream":
            output.text = self._within_room(output.text)
        elif output.output_type == "error":
            output.traceback = [self._within_room("\n".join(output.traceback))]
        else:
            output.metadata = NotebookNode()
            output.data = self._shown(output.data)

    def _shown(self, data: Mapping[str, str]) -> NotebookNode:
        """The first of an output's forms for which there is room; one there always is."""
        for kind in SHOWN:
            if kind in data and (kind.startswith("image/") or self._fits(data[kind])):
                return NotebookNode({kind: data[kind]})
        return NotebookNode({"text/plain": NOT_SHOWN})

    def _within_room(self, text: str) -> str:
        return text if self._fits(text) else NOT_SHOWN

    def _fits(self, text: str) -> bool:
        work = _work(text)
        if work > self._room:
            return False
        self._room -= work
        return True


class _Renderer(IPythonRenderer):
    """nbconvert's, without links to headings, and content with pictures that are not there."""

    def __init__(self, attachments: Mapping[str, Mapping[str, str]]) -> None:
        super().__init__(escape=False, exclude_anchor_links=True, attachments=attachments)

    def _embed_image_or_attachment(self, src: str) -> str:
        if src.startswith("attachment:") and not self.attachments.get(src.removeprefix("attachment:")):
            return ""
        return super()._embed_image_or_attachment(src)


class _Styles(CSSSanitizer):
    """Keeps what is allowed where its value loads nothing and moves nothing over its neighbours."""

    def sanitize_css(self, style: str) -> str:
        declarations = tinycss2.parse_declaration_list(super().sanitize_css(style), True, True)
        return tinycss2.serialize([one for one in declarations if all(map(_is_plain, one.value))])


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
    if name in CHECKED_ATTRIBUTES:
        return re.fullmatch(CHECKED_ATTRIBUTES[name], value, re.IGNORECASE | re.DOTALL) is not None
    return name in ATTRIBUTES


def _is_plain(token: Any) -> bool:
    """Tell whether a piece of a style's value is a word, a name, a colour or a length that is not negative."""
    if token.type == "function":
        return token.lower_name in STYLE_FUNCTIONS and all(map(_is_plain, token.arguments))
    if token.type in ("number", "dimension", "percentage"):
        return token.value >= 0
    return token.type in ("ident", "hash", "string", "whitespace", "literal")


def _work(text: str) -> int:
    """About how long it takes to show this. Tags and colours take longer than letters, and pictures no time at all; of
    each formula nbconvert looks for the end, up to the end of the text.
    """
    words = re.sub(CHECKED_ATTRIBUTES["src"], "", text)
    marks = len(re.findall(r"<|\x1b", words))
    formulas = len(re.findall(r"\\\\[\[(]|\\begin", words))
    return len(words) * (1 + formulas // FORMULAS_READ_AT_ONCE) + WORK_OF_A_TAG * marks
