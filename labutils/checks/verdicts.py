"""Turns what a student's function did into a verdict: which aspects hold, how many points, what to talk about."""

from dataclasses import dataclass

from labutils.checks.calling import Outcome
from labutils.checks.comparing import Difference, describe, difference
from labutils.checks.sheets import Case, ExerciseSheet, KnownMistake, Refusal


@dataclass(frozen=True)
class Failure:
    """The first case that did not hold: the case, what happened, and the first difference if it returned a value."""

    case: Case
    outcome: Outcome
    difference: Difference | None = None


@dataclass(frozen=True)
class Verdict:
    """What is said of one exercise. `aspects` tells which of them hold; `points` follow from their weights."""

    exercise: str
    chapter: str
    status: str
    points: float
    max_points: float
    aspects: dict[str, bool]
    failure: Failure | None = None
    mistake: KnownMistake | None = None
    printed: str = ""
    timed_out: bool = False


def conclude(sheet: ExerciseSheet, outcomes: list[Outcome]) -> Verdict:
    """Judge the outcomes of a sheet's cases, in the cases' order. Cases that were not run any more count as failed."""
    failures = [_failure(sheet, case, outcome) for case, outcome in zip(sheet.cases, outcomes)]
    not_run = sheet.cases[len(outcomes) :]
    lost = {failure.case.aspect for failure in failures if failure} | {case.aspect for case in not_run}
    aspects = {name: name not in lost for name in sheet.aspects}
    first = _most_telling([failure for failure in failures if failure])
    if any(outcome.kind == "not attempted" for outcome in outcomes):
        aspects = dict.fromkeys(sheet.aspects, False)
    return Verdict(
        exercise=sheet.name,
        chapter=sheet.chapter,
        status=_status(first),
        points=_points(sheet, aspects),
        max_points=sheet.points,
        aspects=aspects,
        failure=first,
        mistake=_recognise(sheet, outcomes) if first else None,
        printed=_printed(sheet, outcomes, first),
        timed_out=any(outcome.kind == "timed out" for outcome in outcomes),
    )


def _printed(sheet: ExerciseSheet, outcomes: list[Outcome], failure: Failure | None) -> str:
    """What the call to talk about printed, or the first that printed. In a hidden case it may be the case's numbers."""
    if failure is not None:
        return "" if failure.case.hidden else failure.outcome.printed
    public = (outcome.printed for case, outcome in zip(sheet.cases, outcomes) if not case.hidden)
    return next(filter(None, public), "")


def _failure(sheet: ExerciseSheet, case: Case, outcome: Outcome) -> Failure | None:
    refuses = isinstance(case.expected, Refusal)
    if outcome.kind != "returned":
        return None if refuses and outcome.error == "ValueError" else Failure(case, outcome)
    if refuses:
        return Failure(case, outcome, Difference("not refused", case.expected.reason, describe(outcome.value)))
    found = difference(case.expected, outcome.value, sheet.tolerance)
    if outcome.changed and (found is None or found.rung in ("spelling", "values")):
        return Failure(case, outcome, Difference("changed", "unchanged", ", ".join(outcome.changed)))
    return Failure(case, outcome, found) if found else None


def _most_telling(failures: list[Failure]) -> Failure | None:
    """The failure to talk about: an unwritten function before all else, then a public case, which can be shown."""
    unwritten = [failure for failure in failures if failure.outcome.kind == "not attempted"]
    public = [failure for failure in failures if not failure.case.hidden]
    return next(iter(unwritten + public + failures), None)


def _status(failure: Failure | None) -> str:
    if failure is None:
        return "passed"
    return {"not attempted": "not attempted", "raised": "raised", "died": "raised"}.get(failure.outcome.kind, "failed")


def _points(sheet: ExerciseSheet, aspects: dict[str, bool]) -> float:
    held = sum(sheet.aspects[name] for name, holds in aspects.items() if holds)
    return round(sheet.points * held / sum(sheet.aspects.values()), 2)


def _recognise(sheet: ExerciseSheet, outcomes: list[Outcome]) -> KnownMistake | None:
    """The known mistake whose outcomes are these, in every case.

    If there is none, who errs in what has an answer may also have forgotten to refuse what has none: then the cases
    with an answer decide.
    """
    if len(outcomes) < len(sheet.cases):
        return None
    answered = [place for place, case in enumerate(sheet.cases) if not isinstance(case.expected, Refusal)]
    errs = any(_failure(sheet, sheet.cases[place], outcomes[place]) for place in answered)
    for places in (range(len(outcomes)), answered if errs else ()):
        for mistake in sheet.mistakes:
            if places and all(_same(sheet, mistake.outcomes[place], outcomes[place]) for place in places):
                return mistake
    return None


def _same(sheet: ExerciseSheet, one: Outcome, other: Outcome) -> bool:
    return (
        one.kind == other.kind
        and one.error == other.error
        and one.changed == other.changed
        and difference(one.value, other.value, sheet.tolerance) is None
    )
