"""What is said of a reference with one place changed: for the tests of each chapter's wrong versions."""

from functools import cache

from grader.exercise import run_all
from grader.exercises import all_exercises
from labutils.checks.sheets import ExerciseSheet
from labutils.checks.verdicts import Verdict, conclude


def listed(changes: dict[str, list[tuple[str, str]]]) -> list[tuple[str, str, str]]:
    """Exercise, right and wrong piece of each change, from the changes by exercise."""
    return [(name, right, wrong) for name, pairs in changes.items() for right, wrong in pairs]


@cache
def sheet(name: str, hidden_seed: int | None = None) -> ExerciseSheet:
    """The public cases of an exercise; with a seed, hidden ones too."""
    return all_exercises()[name].sheet(hidden_seed)


def verdict(name: str, right: str, wrong: str, judging: ExerciseSheet | None = None) -> Verdict:
    """By the public cases, what the reference of `name` deserves with `wrong` in the place of `right`."""
    judging = judging or sheet(name)
    changed = all_exercises()[name].changed(name, right, wrong)
    return conclude(judging, list(run_all(changed, judging.cases)))
