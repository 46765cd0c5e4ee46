"""The exercises of the book: one package per chapter, one module per exercise."""

from importlib import import_module

from grader.exercise import Chapter, Exercise, body_of

CHAPTERS = (
    "learning_rate",
    "preprocessing",
    "generalization",
    "optimizers",
    "regularization",
    "convolution_backprop",
    "transfer_learning",
)


def all_chapters() -> tuple[Chapter, ...]:
    """The chapters of the book, in its order."""
    return tuple(import_module(f"grader.exercises.{name}").chapter for name in CHAPTERS)


def all_exercises() -> dict[str, Exercise]:
    """Every exercise by name. Raises ValueError when two chapters use one name: `check` finds an exercise by it."""
    exercises: dict[str, Exercise] = {}
    for chapter in all_chapters():
        for name, exercise in chapter.exercises.items():
            if name in exercises:
                raise ValueError(f"the exercise {name} stands in {exercises[name].chapter} and in {chapter.name}")
            exercises[name] = exercise
    return exercises


def solution(name: str) -> str:
    """What `solution(f)` shows a student: the body of the exercise's reference."""
    return body_of(all_exercises()[name].reference_function)
