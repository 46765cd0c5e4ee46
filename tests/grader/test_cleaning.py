"""What a submission shows is made harmless, and what is there to be read stays as it is."""

import base64
import re

import nbformat
import pytest
from bs4 import BeautifulSoup
from hypothesis import given
from hypothesis import strategies as st
from nbconvert import HTMLExporter
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook, new_output
from nbgrader.server_extensions.formgrader import handlers
from traitlets.config import Config

from grader.cleaning import ATTRIBUTES, CHECKED_ATTRIBUTES, MOST_WORK, NOT_SHOWN, TAGS, clean, make_pages_harmless
from labutils.checks.panels import MIME_TYPE, Panel, Part

ELSEWHERE = "http://elsewhere.test"
# Every piece of a page that runs, loads or leads somewhere. RUN notes in the page that it has come so far.
RUN = "top.ran=[{number}].concat(top.ran||[])"
HOSTILE = [
    # Elements that run.
    "<script>RUN</script>",
    "<script type=module>RUN</script>",
    "<svg><script>RUN</script></svg>",
    '<iframe srcdoc="<script>RUN</script>"></iframe>',
    '<iframe src="javascript:RUN"></iframe>',
    '<object data="javascript:RUN"></object>',
    '<embed src="javascript:RUN">',
    # Events, which come by themselves.
    '<img src=x onerror="RUN">',
    '<svg onload="RUN"></svg>',
    '<svg><animate onbegin="RUN" attributeName=x dur=1s></svg>',
    '<body onload="RUN">',
    '<details open ontoggle="RUN">open</details>',
    '<input autofocus onfocus="RUN">',
    '<video><source onerror="RUN"></video>',
    '<audio src=x onerror="RUN"></audio>',
    '<marquee onstart="RUN">along</marquee>',
    '<p style="animation:x 1s" onanimationstart="RUN">moving</p><style>@keyframes x {}</style>',
    '<img width=20 height="1 onload=RUN" src="data:image/png;base64,AAAA">',
    # What a second reading of the page could take for something else.
    '<noscript><p title="</noscript><img src=x onerror=RUN>"></noscript>',
    '<svg></p><style><a id="</style><img src=x onerror=RUN>"></style></svg>',
    '<math><mtext><table><mglyph><style><!--</style><img title="--&gt;&lt;img src=x onerror=RUN&gt;">',
    "<textarea></p></textarea><img src=x onerror=RUN>",
    '<!--<img src="--><img src=x onerror=RUN>">',
    "<template><img src=x onerror=RUN></template>",
    "<title></title><img src=x onerror=RUN>",
    "<<script>script>RUN<</script>/script>",
    # Links and forms, which wait for a click.
    '<a href="javascript:RUN">a link</a>',
    '<a href="java&#10;script:RUN">a link</a>',
    '<a href=" &#1;javascript:RUN">a link</a>',
    '<a href="data:text/html,<script>RUN</script>">a link</a>',
    '<svg><a xlink:href="javascript:RUN"><text y=20>a link</text></a></svg>',
    '<form action="javascript:RUN"><button>Go on</button></form>',
    '<button formaction="javascript:RUN">Go on</button>',
    '<area href="javascript:RUN">',
    # What loads something, or leads away.
    '<img src="ELSEWHERE/picture">',
    '<img srcset="ELSEWHERE/picture 1x">',
    '<picture><source srcset="ELSEWHERE/picture"><img></picture>',
    '<video poster="ELSEWHERE/poster" src="ELSEWHERE/video"></video>',
    '<link rel=stylesheet href="ELSEWHERE/style">',
    "<style>@import url(ELSEWHERE/style); main, .container {display: none}</style>",
    '<p style="background-image:url(ELSEWHERE/picture)">a picture</p>',
    '<p style="background-color:red;list-style:url(ELSEWHERE/picture);display:list-item">a picture</p>',
    """<p style="border:1px solid;list-style:image-set('ELSEWHERE/picture' 1x);display:list-item">a picture</p>""",
    '<table background="ELSEWHERE/picture"><td>a picture</td></table>',
    '<iframe src="ELSEWHERE/page"></iframe>',
    '<base href="ELSEWHERE/">',
    '<meta http-equiv=refresh content="0;url=ELSEWHERE/page">',
    # What changes the page around it, or takes a name that its scripts use.
    '<div style="position:fixed;top:0;left:0;width:100%;height:100%;z-index:9999">a cover</div>',
    '<div style="margin-top:-2000px;background-color:white">a cover</div>',
    '<div class="nbgrader_cell"><input class="score" id="check_step_decay" value="99"></div>',
    '<a id="submission_id" name="base_url">a name</a>',
]
HOSTILE = [
    text.replace("RUN", RUN.format(number=number)).replace("ELSEWHERE", ELSEWHERE)
    for number, text in enumerate(HOSTILE)
]
PNG = "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg=="


def exporter() -> HTMLExporter:
    """Formgrader's, as configured: its templates clean less than those of feedback."""
    config = Config()
    make_pages_harmless(config)
    config.Exporter.default_preprocessors = []
    config.HTMLExporter.template_name = "formgrade"
    config.HTMLExporter.extra_template_basedirs = [handlers.template_path]
    return HTMLExporter(config=config)


def page(*cells, **metadata) -> BeautifulSoup:
    """What formgrader shows of a notebook, from the title of its panel on."""
    notebook = new_notebook(cells=list(cells), metadata=metadata)
    names = dict.fromkeys(("notebook_id", "submission_id", "assignment_id", "base_url", "notebook_path", "student"), "")
    resources = {**names, "index": 0, "total": 1}
    html, _ = exporter().from_notebook_node(notebook, resources=resources)
    return BeautifulSoup(html, "html.parser").find(id="notebook")


def showing(data, **metadata):
    return new_code_cell("1", outputs=[new_output("display_data", data, metadata=metadata)])


def assert_harmless(found: BeautifulSoup) -> None:
    for tag in found.find_all(True):
        assert tag.name in TAGS, tag
        for name, value in tag.attrs.items():
            assert name in ATTRIBUTES | CHECKED_ATTRIBUTES.keys(), tag
            assert not (name in ("href", "src") and "script:" in value), tag
        for word in ("url(", "image-set", "position", "-2000"):
            assert word not in tag.get("style", ""), tag
        assert tag.get("src", "data:").startswith("data:"), tag


@pytest.mark.parametrize("text", HOSTILE)
def test_hostile_html_is_made_harmless(text):
    assert_harmless(BeautifulSoup(clean(text), "html.parser"))
    assert_harmless(BeautifulSoup(clean(f"<table><tr><td>{text}<p>"), "html.parser"))


@given(st.lists(st.sampled_from([*HOSTILE, *"<>\"'/= ", "<b>", "</b>", "</p>", "<svg>", "<!--", "-->", "&lt;"])))
def test_mixed_hostile_html_is_made_harmless_too(texts):
    cleaned = clean("".join(texts))
    assert_harmless(BeautifulSoup(cleaned, "html.parser"))
    assert clean(cleaned) == cleaned


def test_scripts_and_styles_go_with_what_stands_in_them():
    assert clean("a<script>b</script>c<style>d</style>e") == "ace"
    assert clean("<b>a</b><script>never closed <b>b</b>") == "<b>a</b>"


def test_what_is_there_to_be_read_stays():
    table = (
        '<table border="1"><thead><tr><th>x</th><th scope="col">y</th></tr></thead>'
        '<tbody><tr><td colspan="2">1 &lt; 2 &amp; 3</td></tr></tbody></table>'
    )
    link = '<a href="https://docs.python.org/3/?a=1&amp;b=2" title="Python">its manual</a>'
    picture = f'<img src="data:image/png;base64,{PNG}" alt="one pixel" width="20">'
    details = "<details open><summary>more</summary><em>a</em> <code>b</code></details>"
    code = '<div class="highlight"><pre><span class="k">def</span> <span class="n">f</span></pre></div>'
    for text in (table, link, picture, details, code, "<p>π ≈ 3.14, 李 雷, $a &lt; b$</p>"):
        assert clean(text) == text


@pytest.mark.parametrize("status", ["passed", "failed", "raised", "neutral"])
def test_our_panels_stay_as_they_are(status):
    parts = [Part(kind, "`x` < y & z", "Hint") for kind in ("text", "code", "hint", "folded")]
    panel = Panel("step_decay: not yet", (*parts, Part("item", "at a drop", "right", holds=True)), status).to_html()
    before, after = (BeautifulSoup(text, "html.parser") for text in (panel, clean(panel)))
    for found in (before, after):
        for tag in found.find_all(style=True):
            tag["style"] = sorted(filter(None, tag["style"].split(";")))
    assert after == before


def test_markdown_is_cleaned_wherever_it_stands():
    attachments = {"a.png": {"image/png": PNG}, "b.png": {'image/png;base64,AA" onerror="': "x"}, "c.png": {}}
    text = (
        "# A heading\n\n$a_1 < b_1$ and $\\href{javascript:alert(1)}{x}$\n\n[a](javascript:alert(1))"
        f" [b]({ELSEWHERE}) <javascript:alert(1)>\n\n![a](attachment:a.png) ![b](attachment:b.png) ![c](attachment:c.png)"
        f" ![d](attachment:d.png) ![e]({ELSEWHERE}/e.png) ![f](f.png)\n\n"
        "```python\ndef f(): pass\n```\n\n```mermaid\nclick A href javascript:alert(1)\n```\n\n" + "\n\n".join(HOSTILE)
    )
    cell = new_markdown_cell(text, attachments=attachments)
    for found in (page(cell).find(class_="rendered_html"), page(showing({"text/markdown": text}))):
        shown = found.find(class_="rendered_html") or found
        shown.attrs.clear()
        assert_harmless(shown)
        assert shown.find("h1").get_text() == "A heading"
        assert "a_1 < b_1" in shown.get_text()
        assert [link["href"] for link in shown.find_all("a", href=True)] == [ELSEWHERE]
        assert shown.find("span", class_="k").get_text() == "def"
    pictures = page(cell).find_all("img", src=True)
    assert [picture["src"] for picture in pictures if picture["src"].endswith(PNG)] == [f"data:image/png;base64,{PNG}"]


@pytest.mark.parametrize(
    ("data", "metadata"),
    [
        ({"image/png": PNG}, {"image/png": {"width": "1 onload=alert(1)", "height": "1"}}),
        ({"image/png": PNG}, {"width": "1 onload=alert(1)", "filenames": {"image/png": f"{ELSEWHERE}/a"}}),
        ({"image/jpeg": 'AA" onerror="alert(1)'}, {"image/jpeg": {"height": "1/onload=alert(1)", "alt": "a b"}}),
        ({"image/svg+xml": f"<svg onload='alert(1)'><image href='{ELSEWHERE}/a'/></svg>"}, {}),
        ({"text/html": "a<script>alert(1)</script>"}, {"text/html": {"isolated": True}}),
        ({"application/javascript": "alert(1)", "text/plain": "<script>alert(1)</script>"}, {}),
        ({"application/vnd.jupyter.widget-view+json": {"model_id": "a"}, "text/plain": "Widget()"}, {}),
        ({"text/vnd.mermaid": "click A href javascript:alert(1)"}, {}),
        ({"application/javascript": "alert(1)"}, {}),
        ({"text/latex": "$a$<script>alert(1)</script>"}, {}),
    ],
    ids=["size", "name", "jpeg", "svg", "isolated", "javascript", "widget", "mermaid", "program alone", "latex"],
)
def test_whatever_an_output_says_of_itself_it_is_harmless(data, metadata):
    state = {"application/vnd.jupyter.widget-state+json": {"state": {"a": {"x": "</script><script>alert(1)"}}}}
    shown = page(showing(data, **metadata), widgets=state).find(class_="output")
    assert shown.get_text(strip=True) or shown.find("img")
    for tag in shown.find_all(True):
        assert tag.name in {"div", "pre", "span", "img"}
        assert tag.attrs.keys() <= {"class", "src", "alt"}
        assert tag.get("src", "data:image/").startswith("data:image/")


def test_a_picture_in_svg_is_shown_as_a_picture():
    drawing = '<svg xmlns="http://www.w3.org/2000/svg"><circle r="5"/></svg>'
    (picture,) = page(showing({"image/svg+xml": drawing, "text/plain": "a circle"})).find_all("img")
    assert base64.b64decode(picture["src"].removeprefix("data:image/svg+xml;base64,")).decode() == drawing


def test_settings_of_a_cell_or_notebook_change_nothing():
    """Among them the classes of a cell, whether it is shown, and in which language it is highlighted."""
    settings = {
        "tags": ["hidden", "a navbar-fixed-top"],
        "transient": {"remove_source": True},
        "magics_language": 'x"><script>alert(1)</script>',
        "raw_mimetype": "text/x-none",
        "alt": "a",
    }
    cell = new_code_cell("print('<b>')", id="a")
    hostile = nbformat.from_dict({**cell, "metadata": settings})
    language = {"name": '"><script>alert(1)</script>', "pygments_lexer": "no name"}
    assert page(hostile, language_info=language, title="</title><script>", widgets={}) == page(cell)


def test_a_pages_length_is_bounded_and_panels_stay():
    """A cell that shows too much is told so; what stands before and behind it is shown, and so are all panels."""
    panel = Panel("step_decay: passed", (Part("text", "Every call came out right."),)).to_html()
    settings = {"grade": True, "locked": True, "solution": False, "grade_id": "check_step_decay", "points": 1}
    result = new_output("execute_result", {"text/html": panel, "text/plain": "1.0", MIME_TYPE: {}}, execution_count=1)
    check = new_code_cell("check(step_decay)", outputs=[result], metadata={"nbgrader": settings})
    long = "x" * MOST_WORK
    tables = [showing({"text/html": "<i>x</i>" * 1000, "text/plain": f"table {number}"}) for number in range(9)]
    stream = new_code_cell("1", outputs=[new_output("stream", text=long)])
    error = new_code_cell("1", outputs=[new_output("error", ename="E", evalue="", traceback=["E: no", long])])
    cells = [showing({"text/html": "<b>first</b>"}), new_code_cell(long), stream, error, new_markdown_cell(long)]
    found = page(*cells, *tables, check, new_markdown_cell("behind"))
    assert "first" in found.get_text() and "behind" in found.get_text()
    assert len(found.get_text()) < MOST_WORK
    assert found.get_text().count(NOT_SHOWN) == 4
    assert 0 < len(re.findall(r"table \d", found.get_text())) < len(tables)  # those for which there was no room
    assert found.find("section", attrs={"aria-label": "step_decay: passed"})


@pytest.mark.parametrize(
    "text",
    ["<div>" * 4000, "<p><b>" * 2000, "<table><tr><td>" * 1000, ">" * 5000, "- " * 3000, "\\\\[" * 900, "[" * 5000],
    ids=["div", "b", "table", "quotes", "lists", "formulas", "brackets"],
)
def test_deep_and_endless_structures_do_not_stop_a_page(text):
    found = page(new_markdown_cell(text), showing({"text/html": text}), new_markdown_cell("behind"))
    assert "behind" in found.get_text()
