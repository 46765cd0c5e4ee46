"""The instructor's judge: references and hidden cases decide, where a student's notebook has only its check sheet."""

from collections.abc import Iterator, Mapping
from functools import cache

from grader.exercises import all_exercises
from labutils.checks.judging import SheetJudge
from labutils.checks.sheets import ExerciseSheet

HIDDEN_SEED = 20_26


class ReferenceJudge(SheetJudge):
    """Judges by public and hidden cases, computed from the references."""

    def __init__(self, hidden_seed: int = HIDDEN_SEED) -> None:
        super().__init__(_Sheets(hidden_seed))


class _Sheets(Mapping[str, ExerciseSheet]):
    """The sheets of all exercises; each is computed when it is first asked for, and takes a moment."""

    def __init__(self, hidden_seed: int) -> None:
        self._hidden_seed = hidden_seed

    def __getitem__(self, name: str) -> ExerciseSheet:
        return _sheet(name, self._hidden_seed)

    def __iter__(self) -> Iterator[str]:
        return iter(all_exercises())

    def __len__(self) -> int:
        return len(all_exercises())


@cache
def _sheet(name: str, hidden_seed: int) -> ExerciseSheet:
    return all_exercises()[name].sheet(hidden_seed)
