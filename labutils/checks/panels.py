"""Shows a verdict, a hint or a table as a panel: HTML for notebooks, text for terminals and screen readers."""

import functools
import html
import itertools
import os
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field, replace
from typing import Any, Literal

import numpy as np

from labutils.checks import messages
from labutils.checks.comparing import Difference
from labutils.checks.networks import Built
from labutils.checks.sheets import Refusal
from labutils.checks.values import is_tensor
from labutils.checks.verdicts import Failure, Verdict

MIME_TYPE = "application/vnd.labutils.verdict+json"
GRADING_VARIABLE = "NBGRADER_EXECUTION"  # set by nbgrader while it autogrades or validates
LONGEST_CALL = 800
LONGEST_ARRAY = 60

_COLOURS = {
    "passed": "var(--jp-success-color1, #2e7d32)",
    "failed": "var(--jp-warn-color1, #b25000)",
    "raised": "var(--jp-error-color1, #c62828)",
}
_ERRORS_EXPLAINED = {"RecursionError": messages.RECURSION, "SystemExit": messages.EXITED}
_NEUTRAL = "var(--jp-border-color1, #757575)"
_PREFORMATTED = (
    "font-family:var(--jp-code-font-family, monospace);white-space:pre-wrap;overflow-wrap:anywhere;"
    "margin:.4em 0;padding-left:1em"
)


@dataclass(frozen=True)
class Part:
    """A piece of a panel. `kind` says how it looks; `label` heads a hint, names a folded part or marks a list item.

    An item that `holds` gets a tick.
    """

    kind: Literal["text", "code", "hint", "folded", "item"]
    text: str
    label: str = ""
    holds: bool = False


@dataclass(frozen=True)
class Panel:
    """What `check`, `hint`, `progress` and `solution` return. Jupyter shows it as HTML, a terminal as text.

    While nbgrader grades or validates, its plain text is the number of points, which nbgrader takes as partial credit.
    """

    title: str
    parts: tuple[Part, ...]
    status: str = "neutral"
    verdict: Verdict | None = None
    record: dict[str, Any] = field(default_factory=dict)

    def with_note(self, note: str | None) -> "Panel":
        """The same panel with a sentence added at its end, or unchanged when there is none."""
        return replace(self, parts=(*self.parts, Part("text", note))) if note else self

    def __repr__(self) -> str:
        return "\n".join([self.title, *(_as_text(part) for part in self.parts)])

    def _repr_mimebundle_(self, include: Any = None, exclude: Any = None) -> dict[str, Any]:
        grading = GRADING_VARIABLE in os.environ
        points = self.verdict.points if self.verdict else 0.0
        bundle = {"text/html": self.to_html(), "text/plain": repr(points) if grading else repr(self)}
        return {**bundle, MIME_TYPE: self.record} if self.record else bundle

    def to_html(self) -> str:
        colour = _COLOURS.get(self.status, _NEUTRAL)
        groups = itertools.groupby(self.parts, key=lambda part: part.kind == "item")
        body = "".join(_list(group) if items else "".join(map(_as_html, group)) for items, group in groups)
        return (
            f'<section role="status" aria-label="{html.escape(self.title)}" '
            f'style="border-left:4px solid {colour};padding:.2em 0 .2em 1em;margin:.4em 0;max-width:50em">'
            f'<p style="margin:.2em 0 .5em"><strong>{html.escape(self.title)}</strong></p>{body}</section>'
        )


def verdict_panel(verdict: Verdict, seconds: float, complaint: str | None = None) -> Panel:
    """The panel that a verdict deserves: what does not hold and why, the hint of a recognised mistake, what holds.

    `complaint` is a sentence that explains a failure better than the error that it led to.
    """
    title = messages.TITLE if verdict.status == "not attempted" else messages.TITLE_WITH_POINTS
    return Panel(
        title=title.format(
            exercise=verdict.exercise,
            status=messages.STATUS[verdict.status],
            points=verdict.points,
            max_points=verdict.max_points,
        ),
        parts=tuple(_verdict_parts(verdict, seconds, complaint)),
        status=verdict.status,
        verdict=verdict,
        record={
            "exercise": verdict.exercise,
            "chapter": verdict.chapter,
            "status": verdict.status,
            "points": verdict.points,
            "max_points": verdict.max_points,
            "aspects": verdict.aspects,
            "mistake": verdict.mistake.name if verdict.mistake else None,
        },
    )


def show_call(exercise: str, arguments: dict[str, Any]) -> str:
    """Write a call as a student would: `smooth(losses=np.array([4., 2.]), beta=0.9)`, long arrays cut in the middle."""
    shown = _show_arguments(arguments)
    return f"{exercise}({shown[:LONGEST_CALL] + ' …' if len(shown) > LONGEST_CALL else shown})"


def _verdict_parts(verdict: Verdict, seconds: float, complaint: str | None) -> Iterator[Part]:
    if verdict.status == "not attempted":
        yield Part("text", messages.NOT_ATTEMPTED)
    elif verdict.failure is None:
        yield Part("text", messages.PASSED.format(aspects=", ".join(verdict.aspects)))
    elif complaint is not None:
        yield Part("text", complaint)
    else:
        yield from _failure_parts(verdict, verdict.failure, seconds)
        if verdict.mistake is not None:
            yield Part("hint", verdict.mistake.hint, messages.HINT)
        if verdict.timed_out and verdict.failure.outcome.kind != "timed out":
            yield Part("text", messages.ALSO_TIMED_OUT.format(seconds=seconds))
        if any(verdict.aspects.values()):
            for name, holds in verdict.aspects.items():
                yield Part("item", name, messages.HOLDS if holds else messages.FAILS, holds)
        more_help = messages.MORE_HELP if verdict.mistake is None else messages.STILL_MORE_HELP
        yield Part("text", more_help.format(exercise=verdict.exercise))
    if verdict.printed:
        yield Part("folded", verdict.printed, messages.PRINTED)


def _failure_parts(verdict: Verdict, failure: Failure, seconds: float) -> Iterator[Part]:
    """Which call fails and how. A hidden case shows no numbers: an error's words may quote them, its line does not."""
    if failure.case.hidden:
        yield Part("text", messages.HIDDEN.format(aspect=failure.case.aspect))
    else:
        yield Part("text", messages.IN_CALL)
        yield Part("code", show_call(verdict.exercise, failure.case.arguments))
    outcome = failure.outcome
    if outcome.kind == "timed out":
        slow = messages.SLOW.format(exercise=verdict.exercise)
        advice = messages.ENDLESS if outcome.seconds > seconds / 2 else slow
        yield Part("text", f"{messages.TIMED_OUT.format(seconds=seconds)} {advice}")
    elif outcome.kind == "died":
        yield Part("text", messages.DIED[outcome.error])
    elif outcome.error in _ERRORS_EXPLAINED:
        yield Part("text", _ERRORS_EXPLAINED[outcome.error])
    elif outcome.kind == "raised":
        yield Part("text", messages.RAISED.format(error=outcome.error))
        yield Part("code", outcome.line if failure.case.hidden else outcome.traceback)
        if outcome.error == "NotImplementedError" and outcome.traceback.endswith("\nNotImplementedError"):
            yield Part("text", messages.STUB_RAISED)
        if isinstance(failure.case.expected, Refusal) and not failure.case.hidden:
            yield Part("text", messages.SHOULD_REFUSE.format(reason=failure.case.expected.reason))
    elif failure.difference is not None:
        yield from _difference_parts(failure.difference, failure.case.hidden, printed=bool(outcome.printed))


def _difference_parts(found: Difference, hidden: bool, printed: bool) -> Iterator[Part]:
    """The sentence of the rung; of a hidden case only the rungs that need no numbers."""
    if hidden and found.rung not in ("nothing", "type", "changed"):
        return
    entry = messages.THE_ENTRY.format(place=found.place) if found.place else messages.THE_RESULT
    count = messages.ENTRIES_DIFFER.format(count=found.count) if found.count > 1 else ""
    sentence = messages.RUNGS[found.rung].format(value=entry, expected=found.expected, got=found.got, count=count)
    advice = messages.PRINTED_ONLY if found.rung == "nothing" and printed else ""
    if found.rung == "type":
        advice = messages.ADVICE.get(found.kinds) or messages.ADVICE.get((None, found.kinds[1]), "")
    yield Part("text", f"{sentence} {advice}".rstrip())


def _show_value(value: Any) -> str:
    if isinstance(value, np.ndarray) and not value.size:  # without an entry, nothing else tells shape and kind
        shape = len(value) if value.ndim == 1 else value.shape
        return f"np.zeros({shape})" if value.dtype == float else f"np.zeros({shape}, dtype={value.dtype.name!r})"
    if isinstance(value, np.ndarray):
        return f"np.array({_show_numbers(value)})"
    if is_tensor(value):
        return f"torch.tensor({_show_numbers(value.detach().cpu().numpy())})"
    if isinstance(value, dict):
        return "{" + ", ".join(f"{key!r}: {_show_value(item)}" for key, item in value.items()) + "}"
    if isinstance(value, Built):  # as the call that builds it: networks.dense_network(seed=1)
        builder = value.builder
        called, fixed = (builder.func, builder.keywords) if isinstance(builder, functools.partial) else (builder, {})
        return f"{_show_value(called)}({_show_arguments(fixed)})"
    if isinstance(value, functools.partial):
        return f"partial({_show_value(value.func)}, {_show_arguments(value.keywords)})"
    if callable(value):  # by the module that a chapter imports it from: surfaces.bowl
        return f"{value.__module__.rpartition('.')[2]}.{value.__name__}"
    return repr(value)


def _show_numbers(array: np.ndarray) -> str:
    return np.array2string(
        array, separator=", ", threshold=LONGEST_ARRAY, max_line_width=10_000, formatter={"float_kind": _show_float}
    )


def _show_float(number: float) -> str:
    """Seven digits, or all where there are not many more; with a point, as Python reads it back: 4., 1e-07, -np.inf."""
    whole = f"{number:.12g}"
    exact = float(whole) == float(number) and "e" not in whole
    text = (whole if exact else f"{number:.7g}").replace("nan", "np.nan").replace("inf", "np.inf")
    return text if set(text) & set(".e") else f"{text}."


def _show_arguments(arguments: dict[str, Any]) -> str:
    return ", ".join(f"{name}={_show_value(value)}" for name, value in arguments.items())


def _as_text(part: Part) -> str:
    if part.kind == "item":
        return f"  [{'x' if part.holds else ' '}] {part.text}: {part.label}"
    indented = part.text.replace("\n", "\n    ")
    return {
        "text": part.text,
        "code": f"    {indented}",
        "hint": f"{part.label}: {part.text}",
        "folded": f"{part.label}:\n    {indented}",
    }[part.kind]


def _list(items: Iterable[Part]) -> str:
    entries = "".join(map(_as_html, items))
    return f'<ul style="list-style:none;margin:.5em 0;padding-left:.2em">{entries}</ul>'


def _as_html(part: Part) -> str:
    text, label = html.escape(part.text), html.escape(part.label)
    if part.kind == "item":
        mark = "✓" if part.holds else "–"
        column = "display:inline-block;width:1.3em"
        return f'<li style="margin:0"><span aria-hidden="true" style="{column}">{mark}</span>{text}: {label}</li>'
    return {
        "text": f'<p style="margin:.3em 0;overflow-wrap:anywhere">{_with_code(text)}</p>',
        "code": f'<pre style="{_PREFORMATTED}">{text}</pre>',
        "hint": f'<p style="margin:.6em 0"><strong>{label}:</strong> {_with_code(text)}</p>',
        "folded": f'<details><summary style="display:list-item">{label}</summary>'
        f'<pre style="{_PREFORMATTED}">{text}</pre></details>',
    }[part.kind]


def _with_code(escaped: str) -> str:
    """What stands between backticks, as code."""
    return re.sub(r"`([^`\n]+)`", r"<code>\1</code>", escaped)
