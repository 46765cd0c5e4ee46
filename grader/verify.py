"""Proves every exercise by the path that a student's answer takes.

References, known mistakes and alternatives are written into the chapter's solution cell, run after its `setup` cell,
and judged: by the check sheet, as it is read back from its file, and by the instructor's judge with several draws of
hidden cases. So a check that accepts nonsense, refuses a right answer or takes one mistake for another is found here.
"""

import copy
import inspect
import tempfile
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from grader.build import sheet_is_current
from grader.exercise import Exercise, Mistake, body_of
from grader.judge import HIDDEN_SEED
from grader.texts import Page, Stub
from labutils.checks import TIME_LIMIT
from labutils.checks.comparing import kind_of
from labutils.checks.judging import Judge, SheetJudge
from labutils.checks.networks import NetworkState, state_of
from labutils.checks.panels import verdict_panel
from labutils.checks.sheets import read_sheets, write_sheet
from labutils.checks.trials import LocalTrial
from labutils.checks.verdicts import Verdict

HIDDEN_SEEDS = tuple(range(HIDDEN_SEED, HIDDEN_SEED + 5))
FEWEST_MISTAKES, FEWEST_HINTS = 3, 2

Expectation = Callable[[Verdict], str | None]
"""Returns what is wrong with a verdict, or None when it is what it should be."""


@dataclass(frozen=True)
class Proof:
    """What was proved of one exercise. Each fault is a sentence that names what falls short, and why."""

    exercise: Exercise
    caught: int
    accepted: int
    faults: tuple[str, ...]

    def __str__(self) -> str:
        hidden = sum(cases.count for cases in self.exercise.hidden_cases)
        line = (
            f"{'short' if self.faults else 'ok':<6}{self.exercise.name:<20}"
            f"{len(self.exercise.public_cases):>3} public + {hidden:>3} hidden cases"
            f"{len(self.exercise.aspects):>3} aspects"
            f"{self.caught:>5}/{len(self.exercise.mistakes)} mistakes caught with their own hint"
            f"{self.accepted:>4}/{len(self.exercise.alternatives)} alternatives accepted"
        )
        return "\n".join([line, *(f"      {fault}" for fault in self.faults)])


def report(pages: Iterable[Page]) -> bool:
    """Print a line for each exercise, with its faults underneath. Tells whether there were none."""
    sound = True
    for page in pages:
        namespace = page.setup()
        for stub in page.sound_stubs.values():
            proof = prove(stub, namespace)
            print(proof, flush=True)
            sound = sound and not proof.faults
        complaints = page.complaints
        if not complaints and not sheet_is_current(page):
            sentence = "its check sheet is not what the exercises give; run `python -m grader build`"
            complaints = [f"{page.name}: {sentence}"]
        for complaint in complaints:
            print(f"short {complaint}", flush=True)
            sound = False
    return sound


def prove(stub: Stub, namespace: dict[str, Any]) -> Proof:
    """Prove one exercise; `namespace` is what its chapter's `setup` cell leaves."""
    exercise = stub.exercise
    incomplete = list(_what_is_missing(exercise))
    try:
        judges = judges_of(exercise)
    except Exception as error:  # whatever an author's code does, the other exercises are still to be proved
        trouble = f"its cases cannot be made: {type(error).__name__}: {error}"
        return Proof(exercise, 0, 0, (*incomplete, trouble))

    def verdicts(function: Callable) -> dict[str, Verdict]:
        """What each judge says of a function."""
        return {place: judged(judge, exercise.name, function) for place, judge in judges.items()}

    def fault(function: Callable, expectation: Expectation) -> str | None:
        return _first_fault(verdicts(function), expectation)

    def write(function: Callable) -> Callable:
        return solve(stub, body_of(function), namespace)

    alternatives = [
        fault(write(function), _earns_everything(f"the alternative {function.__name__}"))
        for function in exercise.alternatives
    ]
    of_mistakes = [(mistake, verdicts(write(mistake.function))) for mistake in exercise.mistakes]
    mistakes = [_first_fault(said, _is_told(mistake)) for mistake, said in of_mistakes]
    earnings = [_by_luck(mistake, said) for mistake, said in of_mistakes]
    others = [
        fault(write(exercise.reference_function), _earns_everything("the reference")),
        fault(solve(stub, "raise NotImplementedError", namespace), _is_not_attempted),
        *(fault(solve(stub, body, namespace), _earns_nothing(f"`{body}`")) for body in _trivial_bodies(exercise)),
        *(fault(function, _earns_nothing(what)) for what, function in _empty_answers(exercise).items()),
        *(fault(_spoiling(exercise, *place), _is_noticed(*place)) for place in _mutable_places(exercise)),
    ]
    faults = [*incomplete, *others, *mistakes, *earnings, *alternatives]
    return Proof(exercise, mistakes.count(None), alternatives.count(None), tuple(filter(None, faults)))


def judges_of(exercise: Exercise) -> dict[str, Judge]:
    """The judge of a student's notebook, and the instructor's with several seeds, named by what they judge by."""
    public = exercise.sheet()
    with tempfile.TemporaryDirectory() as folder:
        write_sheet(Path(folder) / "sheet.json", exercise.chapter, [public])
        judges = {"by the check sheet": SheetJudge(read_sheets(Path(folder)))}
    for seed in HIDDEN_SEEDS:
        judges[_by_seed(seed)] = SheetJudge({exercise.name: exercise.with_hidden_cases(public, seed)})
    return judges


def _by_seed(seed: int) -> str:
    return f"by the hidden cases of seed {seed}"


def solve(stub: Stub, body: str, namespace: dict[str, Any]) -> Callable:
    """The function of a student who wrote `body` into the solution cell, in a copy of `namespace`."""
    own = dict(namespace)
    exec(compile(stub.with_body(body), f"<solution cell of {stub.exercise.name}>", "exec"), own)
    return own[stub.exercise.name]


def judged(judge: Judge, exercise: str, function: Callable) -> Verdict:
    """What a judge says of a function, asked as `check` asks."""
    return judge.examine(exercise, LocalTrial(function, TIME_LIMIT)).verdict


# -- what is expected of a verdict ----------------------------------------------------------------------------------


def _first_fault(verdicts: Mapping[str, Verdict], expectation: Expectation) -> str | None:
    """The first thing that any judge says against the expectation, and which judge that is."""
    said = ((place, expectation(verdict)) for place, verdict in verdicts.items())
    return next((f"{wrong} ({place})" for place, wrong in said if wrong), None)


def _earns_everything(answer: str) -> Expectation:
    def expectation(verdict: Verdict) -> str | None:
        if verdict.status == "passed" and verdict.points == verdict.max_points:
            return None
        return f"{answer} earns {verdict.points:g} of {verdict.max_points:g} points: {_words(verdict)}"

    return expectation


def _earns_nothing(answer: str) -> Expectation:
    def expectation(verdict: Verdict) -> str | None:
        held = [aspect for aspect, holds in verdict.aspects.items() if holds]
        return f"{answer} earns {verdict.points:g} points, in {', '.join(map(repr, held))}" if held else None

    return expectation


def _is_not_attempted(verdict: Verdict) -> str | None:
    if verdict.status == "not attempted" and verdict.points == 0:
        return None
    return f"the unsolved cell is {verdict.status!r} with {verdict.points:g} points"


def _is_told(mistake: Mistake) -> Expectation:
    """A known mistake loses points, and its own hint stands in the panel."""

    def expectation(verdict: Verdict) -> str | None:
        if verdict.points >= verdict.max_points:
            return f"the mistake {mistake.name} earns everything"
        if verdict.mistake is None:
            return f"the mistake {mistake.name} is not recognised"
        if verdict.mistake.name != mistake.name:
            return f"the mistake {mistake.name} is taken for {verdict.mistake.name}"
        return None if mistake.hint in _words(verdict) else f"the mistake {mistake.name} is not told its hint"

    return expectation


def _by_luck(mistake: Mistake, verdicts: Mapping[str, Verdict]) -> str | None:
    """Two students with the same mistake are to earn the same, whatever is drawn for their assignment."""
    points = {verdicts[_by_seed(seed)].points for seed in HIDDEN_SEEDS}
    earned = " or ".join(f"{one:g}" for one in sorted(points))
    return f"the mistake {mistake.name} earns {earned} points, by luck of the draw" if len(points) > 1 else None


def _is_noticed(argument: str, inside: bool) -> Expectation:
    def expectation(verdict: Verdict) -> str | None:
        found = verdict.failure and verdict.failure.difference
        if found and found.rung == "changed":
            return None
        return f"a change {'inside' if inside else 'of'} its input {argument} is not noticed"

    return expectation


def _words(verdict: Verdict) -> str:
    return str(verdict_panel(verdict, TIME_LIMIT))


# -- answers that deserve nothing -----------------------------------------------------------------------------------


def _trivial_bodies(exercise: Exercise) -> Iterator[str]:
    """What is written without a thought: nothing, a constant, a refusal of everything, an argument handed back."""
    yield from ("pass", "return 0", "return 0.0", "raise ValueError")
    yield from (f"return {parameter}" for parameter in inspect.signature(exercise.reference_function).parameters)
    answers = {case.expected for case in exercise.cases() if isinstance(case.expected, str)}
    yield from (f"return {answer!r}" for answer in sorted(answers))


def _empty_answers(exercise: Exercise) -> dict[str, Callable]:
    """Answers of the right kind and shape without a right value in them."""
    rng = np.random.default_rng(HIDDEN_SEED)
    fillings = {"zeros": np.zeros, "ones": np.ones, "random numbers": rng.standard_normal}

    def filled(filling: Callable) -> Callable:
        return lambda **arguments: _like(exercise.reference_function(**arguments), filling)

    return {f"an answer of {name} in the right shape": filled(filling) for name, filling in fillings.items()}


def _like(value: Any, filling: Callable) -> Any:
    """A value of the same kind and shape, filled with other numbers."""
    kind = kind_of(value)
    if kind == "array":
        return filling(value.shape).astype(value.dtype)
    if kind == "tensor":
        return value.new_tensor(filling(tuple(value.shape)))
    if kind == "number":
        return float(filling(()))
    if kind == "dict":
        return {key: _like(item, filling) for key, item in value.items()}
    if kind == "list":
        return [_like(item, filling) for item in value]
    if kind == "network":
        values = state_of(value).values
        return NetworkState({**values, "parameters": _like(values["parameters"], filling)})
    return None


def _mutable_places(exercise: Exercise) -> list[tuple[str, bool]]:
    """The arguments that can be changed in place, and once more with True those that hold what can be changed."""
    given = [(name, value) for _, arguments in exercise.public_cases for name, value in arguments.items()]
    whole = [(name, False) for name, value in given if _is_mutable(value)]
    inside = [(name, True) for name, value in given if any(map(_is_mutable, _items(value)))]
    return list(dict.fromkeys(whole + inside))


def _is_mutable(value: Any) -> bool:
    return kind_of(value) in ("array", "tensor", "list", "dict", "network") and not isinstance(value, tuple)


def _items(value: Any) -> list[Any]:
    """What a list, a tuple or a dict holds."""
    if kind_of(value) == "dict":
        return list(value.values())
    return list(value) if kind_of(value) == "list" else []


def _spoiling(exercise: Exercise, argument: str, inside: bool) -> Callable:
    """The reference, which then changes one of its arguments in place, or what that argument holds."""

    def spoiling(**arguments: Any) -> Any:
        result = copy.deepcopy(exercise.reference_function(**arguments))
        given = arguments.get(argument)
        for value in _items(given) if inside else [given]:
            _spoil(value)
        return result

    return spoiling


def _spoil(value: Any) -> None:
    """Change a value in place; one that is empty, or cannot be changed, stays as it is."""
    kind = kind_of(value) if _is_mutable(value) else None
    if kind == "dict" and value:
        value.popitem()
    elif kind == "list" and value:
        value.append(value[0])
    elif kind == "array":
        value[...] = np.where(np.isfinite(value), value + 1, 0)
    elif kind == "tensor":
        value.data.add_(1)
    elif kind == "network":
        next(value.parameters()).data.add_(1)


def _what_is_missing(exercise: Exercise) -> Iterator[str]:
    """What an exercise must have before it can be proved at all."""
    for aspect, weight in exercise.aspects.items():
        if aspect not in (name for name, _ in exercise.public_cases):
            yield f"the aspect {aspect!r} has no public case"
        if aspect not in (cases.aspect for cases in exercise.hidden_cases if cases.count > 0):
            yield f"the aspect {aspect!r} has no hidden case"
        if not weight > 0:
            yield f"the aspect {aspect!r} weighs {weight}; every aspect counts"
    if len(exercise.mistakes) < FEWEST_MISTAKES:
        yield f"it has {len(exercise.mistakes)} known mistakes; at least {FEWEST_MISTAKES} are needed"
    if len(exercise.hints) < FEWEST_HINTS:
        yield f"it has {len(exercise.hints)} hints; at least {FEWEST_HINTS} are needed"
    if not exercise.alternatives:
        yield "it has no alternative, so nothing shows that other right answers are accepted"
    for name, count in Counter(mistake.name for mistake in exercise.mistakes).items():
        if count > 1:
            yield f"{count} of its mistakes are named {name}"
    hints = Counter([*exercise.hints, *(mistake.hint for mistake in exercise.mistakes)])
    for hint, count in hints.items():
        if not hint.strip():
            yield "one of its hints is empty"
        elif count > 1:
            yield f"the same hint stands {count} times: {hint!r}"
