"""Panels: what a student reads, in HTML that is valid, safe and accessible in both themes, and in text."""

from functools import partial
from html.parser import HTMLParser

import nbformat
import numpy as np
import pytest
from axe_playwright_python.sync_playwright import Axe
from hypothesis import given
from hypothesis import strategies as st
from nbclient import NotebookClient
from nbconvert import HTMLExporter

from labutils.checks.panels import Panel, Part, show_call
from labutils.surfaces import quadratic_gradient

KINDS = st.sampled_from(["text", "code", "hint", "folded", "item"])
PARTS = st.lists(st.builds(Part, KINDS, st.text(), st.text()), max_size=4)


class Balanced(HTMLParser):
    """Reads HTML, and fails on a tag that is not closed in order or that no panel writes."""

    ours = {"section", "p", "strong", "pre", "ul", "li", "span", "details", "summary", "code"}

    def __init__(self, text):
        super().__init__()
        self.open, self.words = [], ""
        self.feed(text)
        self.close()
        assert not self.open

    def handle_starttag(self, tag, attrs):
        assert tag in self.ours and not any(name.startswith("on") for name, _ in attrs)
        assert tag != "li" or self.open[-1] == "ul"
        self.open.append(tag)

    def handle_endtag(self, tag):
        assert self.open.pop() == tag

    def handle_data(self, data):
        self.words += data


@given(st.text(), PARTS)
def test_whatever_is_in_a_panel_stays_text(title, parts):
    page = Balanced(Panel(title, tuple(parts)).to_html())
    words = _bare(page.words)
    assert all(_bare(text) in words for text in [title, *(part.text for part in parts)])


def _bare(text):
    """Without the backticks, which mark code, and without what HTML reads as the end of a line."""
    return text.replace("`", "").replace("\r", "")


def test_a_script_of_the_student_is_shown_and_not_run():
    panel = Panel("x", (Part("code", "<script>alert(1)</script>"), Part("hint", "&lt;", '"><img onerror=x>')))
    assert "<script" not in panel.to_html() and "<img" not in panel.to_html()
    assert "<script>alert(1)</script>" in Balanced(panel.to_html()).words


@given(st.text(alphabet="ab\n"), PARTS)
def test_the_text_form_holds_every_word(title, parts):
    shown = repr(Panel(title, tuple(parts)))
    assert all(word in shown for part in parts for word in part.text.split())


def test_calls_are_shown_as_a_student_would_write_them():
    arguments = {
        "gradient": partial(quadratic_gradient, hessian=np.eye(1)),
        "layers": {"first": np.array([1.0, 2.0])},
        "beta": 0.9,
    }
    assert show_call("f", arguments) == (
        "f(gradient=partial(surfaces.quadratic_gradient, hessian=np.array([[1.]])), "
        "layers={'first': np.array([1., 2.])}, beta=0.9)"
    )
    shown = show_call("f", {"losses": np.array([4.0, 1e-7, -0.25, np.nan, -np.inf])})
    assert shown == "f(losses=np.array([4., 1e-07, -0.25, np.nan, -np.inf]))"
    shown = show_call("f", {"x": np.array([1e8 + 2, 1 / 3]), "y": np.array([0.1, 0.1 + 2**-30], dtype=np.float32)})
    assert shown == "f(x=np.array([100000002., 0.3333333]), y=np.array([0.1, 0.1]))"
    shown = show_call("f", {"order": np.array([], dtype=np.int64), "table": np.zeros((0, 2)), "x": np.array([])})
    assert shown == "f(order=np.zeros(0, dtype='int64'), table=np.zeros((0, 2)), x=np.zeros(0))"
    assert len(show_call("f", {"losses": list(range(10_000))})) < 820


def test_while_grading_the_text_is_the_points(monkeypatch):
    panel = Panel("x", ())
    assert panel._repr_mimebundle_()["text/plain"] == "x"
    monkeypatch.setenv("NBGRADER_EXECUTION", "autograde")
    assert float(panel._repr_mimebundle_()["text/plain"]) == 0


@pytest.fixture(scope="module")
def notebook():
    """A notebook with a panel of each kind."""
    head = "def step_decay(learning_rate, epoch, factor=0.5, every=10):\n    "
    bodies = [
        "return learning_rate * factor ** (epoch // every)",
        "print('<b>bold</b>'); return learning_rate * factor ** (epoch / every)",
        "raise NotImplementedError",
        "raise ValueError('<script>document.title = 1</script>')",
        "return None",
    ]
    sources = [f"from labutils import check, hint, progress\n{head}{body}\ncheck(step_decay)" for body in bodies]
    sources += ["hint(step_decay)", "progress()", "check(print)"]
    made = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(source) for source in sources])
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("LABUTILS_PROGRESS", "")
        return NotebookClient(made, kernel_name="python3", timeout=600).execute()


@pytest.mark.browser
@pytest.mark.parametrize("theme", ["light", "dark"])
def test_axe_finds_nothing_against_the_panels(notebook, chromium, theme, tmp_path):
    page_file = tmp_path / "panels.html"
    page_file.write_text(HTMLExporter(theme=theme).from_notebook_node(notebook)[0], encoding="utf-8")
    with chromium.new_page(viewport={"width": 1000, "height": 1600}) as page:
        page.route("http*://**", lambda route: route.abort())
        page.goto(page_file.as_uri())
        assert page.title() != "1"
        assert page.locator("section[role=status]").count() == len(notebook.cells)
        results = Axe().run(page, context="section[role=status]")
    assert not results.violations_count, results.generate_report()
