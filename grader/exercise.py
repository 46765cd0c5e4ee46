"""One exercise in one place: what solves it, what is tried, what it is worth, and what usually goes wrong.

An author declares an `Exercise` and adds to it by decorators:

    exercise = chapter.exercise("step_decay", points=1, aspects={"at the start": 1, "any numbers": 2}, hints=(...))

    @exercise.reference
    def step_decay(learning_rate, epoch, factor=0.5, every=10):
        return learning_rate * factor ** (epoch // every)

    exercise.case("at the start", learning_rate=0.1, epoch=0)

    @exercise.hidden("any numbers", count=8)
    def numbers(rng):
        return {"learning_rate": rng.uniform(0.01, 1), "epoch": int(rng.integers(100))}

    exercise.slip(
        "The rate falls a little every epoch. It should stay level between two drops: use `//`.",
        name="decays_smoothly",
        right="epoch // every",
        wrong="epoch / every",
    )

    @exercise.mistake("Your rate falls by the same amount each time. A factor takes a share of what is left.")
    def falls_in_a_line(learning_rate, epoch, factor=0.5, every=10):
        return learning_rate - learning_rate * factor * (epoch // every)

A slip is the reference with one place changed; a mistake of another make is written out. A case for which the
reference says `raise ValueError("why")` is passed by any ValueError; its aspect needs other cases too, for a function
that refuses everything has solved nothing. Reference, mistakes and alternatives are what a student would write: they
use the names that the chapter imports, and nothing else from around them.
"""

import ast
import hashlib
import inspect
import json
import linecache
import textwrap
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np

from labutils.checks.calling import Outcome, call
from labutils.checks.comparing import Tolerance
from labutils.checks.sheets import Case, ExerciseSheet, KnownMistake, Refusal

SECONDS_PER_CALL = 10.0
SINGLE_PRECISION = Tolerance(relative=1e-5, absolute=1e-6)
"""Wide enough for an answer that is computed in float32."""


@dataclass(frozen=True)
class Mistake:
    """A wrong implementation that students really write, and what a good tutor would say to it."""

    function: Callable
    hint: str

    @property
    def name(self) -> str:
        return self.function.__name__


@dataclass(frozen=True)
class HiddenCases:
    """`count` cases of one aspect; `draw(rng)` returns the arguments of one, by name."""

    aspect: str
    count: int
    draw: Callable[[np.random.Generator], dict[str, Any]]


@dataclass
class Exercise:
    """One exercise. `aspects` maps each named part to its weight; `hints` go from a nudge to nearly the answer."""

    name: str
    chapter: str
    points: float
    aspects: dict[str, float]
    hints: tuple[str, ...]
    tolerance: Tolerance = Tolerance()
    reference_function: Callable | None = None
    public_cases: list[tuple[str, dict[str, Any]]] = field(default_factory=list)
    hidden_cases: list[HiddenCases] = field(default_factory=list)
    mistakes: list[Mistake] = field(default_factory=list)
    alternatives: list[Callable] = field(default_factory=list)

    def reference(self, function: Callable) -> Callable:
        """Decorator: the model solution."""
        self.reference_function = function
        return function

    def alternative(self, function: Callable) -> Callable:
        """Decorator: a right answer written differently, which must earn everything."""
        self.alternatives.append(function)
        return function

    def mistake(self, hint: str) -> Callable[[Callable], Callable]:
        """Decorator: a known mistake, with its own hint."""

        def add(function: Callable) -> Callable:
            self.mistakes.append(Mistake(function, hint))
            return function

        return add

    def slip(self, hint: str, *, name: str, right: str, wrong: str) -> None:
        """Add a known mistake that is the reference with one place changed, and its own hint. Raises as `changed`."""
        self.mistakes.append(Mistake(self.changed(name, right, wrong), hint))

    def changed(self, name: str, right: str, wrong: str) -> Callable:
        """The reference under another name, with `wrong` in the place of `right`.

        Raises ValueError where the reference does not have `right` exactly once, or is no Python any more with `wrong`.
        """
        mistake = f"the mistake {name} of {self.name}"
        if self.reference_function is None:
            raise ValueError(f"{mistake} stands above the reference: it must stand below, for it is made from it")
        source = source_of(self.reference_function)
        if source.count(right) != 1:
            raise ValueError(
                f"{mistake} changes {right!r}, and the reference has that {source.count(right)} times, not once"
            )
        changed = source.replace(right, wrong).replace(f"def {self.reference_function.__name__}", f"def {name}", 1)
        try:
            return _define(name, changed, f"<{mistake}>", self.reference_function.__globals__)
        except SyntaxError as error:
            raise ValueError(f"{mistake} is no Python with {wrong!r} in place of {right!r}: {error.msg}") from error

    def case(self, aspect: str, **arguments: Any) -> None:
        """Add a public case, written out. Students see its numbers."""
        self.public_cases.append((self._known(aspect), arguments))

    def hidden(self, aspect: str, count: int) -> Callable[[Callable], Callable]:
        """Decorator: draws the arguments of a hidden case from a generator. Students never see its numbers."""

        def add(draw: Callable[[np.random.Generator], dict[str, Any]]) -> Callable:
            self.hidden_cases.append(HiddenCases(self._known(aspect), count, draw))
            return draw

        return add

    def cases(self, hidden_seed: int | str | None = None) -> tuple[Case, ...]:
        """The public cases and, given a seed, the hidden ones too, each with what the reference returns for it."""
        public = tuple(Case(aspect, given, self._expected(given), False) for aspect, given in self.public_cases)
        return public if hidden_seed is None else public + self._hidden(hidden_seed)

    def sheet(self, hidden_seed: int | str | None = None) -> ExerciseSheet:
        """All that a judge needs. Without a seed it holds public cases only, and may be given to students."""
        cases = self.cases()
        public = ExerciseSheet(
            name=self.name,
            chapter=self.chapter,
            points=self.points,
            parameters=tuple(map(str, inspect.signature(self.reference_function).parameters.values())),
            aspects=self.aspects,
            hints=self.hints,
            tolerance=self.tolerance,
            cases=cases,
            mistakes=tuple(
                KnownMistake(mistake.name, mistake.hint, run_all(mistake.function, cases)) for mistake in self.mistakes
            ),
        )
        return public if hidden_seed is None else self.with_hidden_cases(public, hidden_seed)

    def with_hidden_cases(self, public: ExerciseSheet, hidden_seed: int | str) -> ExerciseSheet:
        """The sheet with hidden cases too. Whoever needs several draws computes the public part once."""
        hidden = self._hidden(hidden_seed)
        mistakes = tuple(
            replace(known, outcomes=known.outcomes + run_all(mistake.function, hidden))
            for known, mistake in zip(public.mistakes, self.mistakes)
        )
        return replace(public, cases=public.cases + hidden, mistakes=mistakes)

    def _hidden(self, seed: int | str) -> tuple[Case, ...]:
        drawn = [
            (one.aspect, one.draw(_generator(seed, self.name, group, number)))
            for group, one in enumerate(self.hidden_cases)
            for number in range(one.count)
        ]
        return tuple(Case(aspect, given, self._expected(given), True) for aspect, given in drawn)

    def _known(self, aspect: str) -> str:
        if aspect not in self.aspects:
            raise ValueError(f"{self.name} has no aspect {aspect!r}; it has {', '.join(map(repr, self.aspects))}")
        return aspect

    def _expected(self, arguments: dict[str, Any]) -> Any:
        """What the reference returns, or that it refuses. An error that it did not mean is a fault of the author's."""
        outcome = call(self.reference_function, arguments, SECONDS_PER_CALL)
        reason = outcome.traceback.rpartition("\nValueError: ")[2]
        if "raise ValueError(" in outcome.line and reason != outcome.traceback:
            return Refusal(reason)
        if outcome.kind != "returned":
            raise RuntimeError(f"the reference of {self.name} {outcome.kind} for {arguments}: {outcome.traceback}")
        return outcome.value


@dataclass
class Chapter:
    """The exercises of one chapter, in the order of its text. `name` is its notebook's, `folder` where it stands."""

    name: str
    folder: str
    exercises: dict[str, Exercise] = field(default_factory=dict)

    def exercise(
        self,
        name: str,
        *,
        points: float,
        aspects: dict[str, float],
        hints: tuple[str, ...],
        tolerance: Tolerance = Tolerance(),
    ) -> Exercise:
        """Declare an exercise of this chapter."""
        self.exercises[name] = Exercise(name, self.name, points, aspects, hints, tolerance)
        return self.exercises[name]


def run_all(function: Callable, cases: tuple[Case, ...]) -> tuple[Outcome, ...]:
    """What `function` does in each case."""
    return tuple(call(function, case.arguments, SECONDS_PER_CALL) for case in cases)


def _generator(seed: int | str, exercise: str, group: int, number: int) -> np.random.Generator:
    """One hidden case's own generator. What is drawn from it tells nothing of any other case: a hash stands between."""
    name = json.dumps([seed, exercise, group, number])
    return np.random.default_rng(int.from_bytes(hashlib.sha256(name.encode()).digest()))


def source_of(function: Callable) -> str:
    """The definition of a function from its `def` on, without decorators and without indentation."""
    source = textwrap.dedent(inspect.getsource(function))
    first_line = ast.parse(source).body[0].lineno
    return "\n".join(source.split("\n")[first_line - 1 :])


def body_of(function: Callable) -> str:
    """The lines of a function below its signature, without indentation: what a student writes in place of the stub.

    Raises ValueError where these lines, indented again, would not be the function's body.
    """
    source = source_of(function)
    lines, statements = source.split("\n"), ast.parse(source).body[0].body
    start = statements[0].lineno - 1
    while start > 1 and lines[start - 1].lstrip()[:1] in ("", "#", "@"):  # a comment, an inner function's decorator
        start -= 1
    body = textwrap.dedent("\n".join(lines[start:])).strip("\n")
    if not _are_the_statements(body, statements):
        raise ValueError(
            f"the body of {function.__name__} cannot be moved into a student's cell: begin it on a line of its own, "
            "and let no text in triple quotes stand further left than the code"
        )
    return body


def _are_the_statements(body: str, statements: list[ast.stmt]) -> bool:
    """Tell whether lines of code, put below a signature, mean what these statements mean."""
    try:
        (function,) = ast.parse(f"def function():\n{textwrap.indent(body, '    ')}").body
    except (SyntaxError, ValueError):
        return False
    return list(map(ast.dump, function.body)) == list(map(ast.dump, statements))


def _define(name: str, source: str, filename: str, namespace: dict[str, Any]) -> Callable:
    """The function `name` that `source` defines, which sees `namespace`. `inspect` and tracebacks find its lines."""
    defined: dict[str, Callable] = {}
    exec(compile(source, filename, "exec"), namespace, defined)
    linecache.cache[filename] = (len(source), None, source.splitlines(keepends=True), filename)
    return defined[name]
