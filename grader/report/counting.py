"""Counts what the records of a class say: per exercise and aspect, per known mistake, per submission."""

from collections import Counter, defaultdict
from collections.abc import Collection, Sequence
from dataclasses import dataclass

from grader.records import FAILED, NOT_ATTEMPTED, PASSED, RAISED, ExerciseRecord, Record

PARTLY = "partly"
HOLDS, FAILS = "holds", "does not hold"
OUTCOMES = (PASSED, PARTLY, FAILED, RAISED, NOT_ATTEMPTED)
ASPECT_OUTCOMES = (HOLDS, FAILS, NOT_ATTEMPTED)


@dataclass(frozen=True)
class ExerciseCount:
    """How a class fared in one exercise: submissions by outcome, in all and for each aspect, and the mean points."""

    exercise: str
    outcomes: Counter[str]
    aspects: dict[str, Counter[str]]
    mean_points: float
    max_points: float


@dataclass(frozen=True)
class MistakeCount:
    """A known mistake, the hint that goes with it, and who made it."""

    exercise: str
    mistake: str
    hint: str
    students: tuple[str, ...]


def outcome(one: ExerciseRecord) -> str:
    """How an exercise came out. One that failed or stopped with an error, but earned points, is partly solved."""
    return PARTLY if one.status in (FAILED, RAISED) and one.points > 0 else one.status


def exercise_names(records: Collection[Record]) -> tuple[str, ...]:
    """Every exercise that a record names, in the chapter's order."""
    return tuple(dict.fromkeys(name for record in records for name in record.exercises))


def count_exercises(records: Collection[Record]) -> list[ExerciseCount]:
    """One count for each exercise, in the chapter's order."""
    return [
        _count_exercise(name, [record.exercises[name] for record in records if name in record.exercises])
        for name in exercise_names(records)
    ]


def count_mistakes(records: Collection[Record]) -> list[MistakeCount]:
    """The known mistakes that were made, the most frequent first."""
    made: dict[tuple[str, str], list[str]] = defaultdict(list)
    hints: dict[tuple[str, str], str] = {}
    for record in records:
        for one in record.exercises.values():
            if one.mistake is not None:
                made[one.exercise, one.mistake].append(record.student)
                hints[one.exercise, one.mistake] = one.hint or ""
    counts = [MistakeCount(*key, hints[key], tuple(students)) for key, students in made.items()]
    return sorted(counts, key=lambda count: (-len(count.students), count.exercise, count.mistake))


def _count_exercise(name: str, results: Sequence[ExerciseRecord]) -> ExerciseCount:
    aspects: dict[str, Counter[str]] = defaultdict(Counter)
    for one in results:
        for aspect, holds in one.aspects.items():
            fate = HOLDS if holds else NOT_ATTEMPTED if one.status == NOT_ATTEMPTED else FAILS
            aspects[aspect][fate] += 1
    return ExerciseCount(
        exercise=name,
        outcomes=Counter(map(outcome, results)),
        aspects=dict(aspects),
        mean_points=sum(one.points for one in results) / len(results),
        max_points=max(one.max_points for one in results),
    )
