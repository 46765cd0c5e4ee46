"""The instructor's judge: references and hidden cases decide, where a student's notebook has only its check sheet."""

from functools import cache

from grader.exercises import all_exercises
from labutils.checks.judging import SheetJudge
from labutils.checks.sheets import ExerciseSheet

HIDDEN_SEED = 20_26


class ReferenceJudge(SheetJudge):
    """Judges by public and hidden cases, computed from the references when grading begins."""

    def __init__(self, hidden_seed: int = HIDDEN_SEED) -> None:
        super().__init__(_sheets(hidden_seed))


@cache
def _sheets(hidden_seed: int) -> dict[str, ExerciseSheet]:
    return {name: exercise.sheet(hidden_seed) for name, exercise in all_exercises().items()}
