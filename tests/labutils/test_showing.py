"""A student's own function at work: shown where it is written, and whatever it does, the chapter goes on."""

from functools import partial

import pytest

from labutils.checks import showing
from labutils.checks.panels import Panel


def smooth(losses, beta=0.9):
    raise NotImplementedError


def shown_by(body, function=None):
    """What `at_work` says of a `smooth` with this body."""
    space = {}
    exec(f"def smooth(losses, beta=0.9):\n    {body}", space)
    return showing.at_work(function or space["smooth"], lambda: space["smooth"]([1, 2]))


def test_what_is_written_is_shown_itself(capsys):
    figure = [object()]
    assert showing.at_work(smooth, lambda: figure) is figure
    assert showing.at_work(smooth, lambda: print("a table")) is None
    assert capsys.readouterr().out == "a table\n"


def test_what_is_not_written_is_waited_for():
    told = repr(shown_by("raise NotImplementedError"))
    assert told.startswith("Your smooth at work") and "Write it above" in told


@pytest.mark.parametrize(
    ["body", "words"],
    [("exit()", "stopped with SystemExit"), ("raise NotImplementedError('words of a library')", "words of a library"),
     ("return losses[7]", "IndexError: list index out of range"), ("return undefined", "NameError"),
     ("while True: pass", "still running after 0.5 s")],
)  # fmt: skip
def test_whatever_it_does_the_chapter_goes_on(body, words, monkeypatch):
    monkeypatch.setattr(showing, "TIME_LIMIT", 0.5 if "while" in body else 60)
    panel = shown_by(body)
    assert isinstance(panel, Panel)
    assert words in repr(panel) and "Write it above" not in repr(panel)


def test_a_function_without_a_name_is_shown_too():
    assert shown_by("return 3", function=partial(smooth, beta=0.5)) == 3
    assert "Write it above" in repr(showing.at_work(partial(smooth, beta=0.5), lambda: smooth([1])))
