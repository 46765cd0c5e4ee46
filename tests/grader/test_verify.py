"""`verify` finds what is wrong with an exercise, and says which one it is and why."""

import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from grader.exercise import Exercise, HiddenCases, Mistake
from grader.texts import ROOT
from grader.verify import Proof, prove

from . import tiny


def proof_of(exercise: Exercise, folder: Path) -> Proof:
    page = tiny.page(folder, tiny.TEXT, exercise)
    return prove(page.stubs["running_sum"], page.setup())


def test_a_sound_exercise_has_no_fault(tmp_path: Path):
    proof = proof_of(tiny.exercise(), tmp_path)
    assert proof.faults == ()
    assert (
        str(proof).split()
        == (
            "ok running_sum 2 public + 5 hidden cases 2 aspects "
            "3/3 mistakes caught with their own hint 1/1 alternatives accepted"
        ).split()
    )


def broken_reference(exercise: Exercise) -> None:
    @exercise.reference
    def running_sum(values):
        return np.cumsum(values) + 1


def reference_that_is_the_mistake(exercise: Exercise) -> None:
    exercise.reference(exercise.mistakes[2].function)


def reference_that_raises_for_a_hidden_case(exercise: Exercise) -> None:
    @exercise.hidden("any length", count=1)
    def not_numbers(rng):
        return {"values": np.array(["one"])}


def alternative_that_fails_on_long_input(exercise: Exercise) -> None:
    @exercise.alternative
    def ten_at_most(values):
        return np.cumsum(values[:20])


def no_alternative(exercise: Exercise) -> None:
    exercise.alternatives.clear()


def mistake_that_is_none(exercise: Exercise) -> None:
    @exercise.mistake("You took another function.")
    def adds(values):
        return np.add.accumulate(values)


def mistake_like_another(exercise: Exercise) -> None:
    @exercise.mistake("You doubled each entry.")
    def adds_itself(values):
        return values + values


def mistake_that_is_never_the_same(exercise: Exercise) -> None:
    @exercise.mistake("You added noise.")
    def noisy(values):
        return np.cumsum(values) + np.random.default_rng().normal(size=len(values))


def mistake_that_is_wrong_at_times(exercise: Exercise) -> None:
    @exercise.hidden("any length", count=1)
    def one(rng):
        return {"values": np.full(4, rng.integers(2) + 1.0)}

    @exercise.mistake("You add nothing to a 5, and nothing to ones.")
    def spares_some(values):
        return values + 1 if 5 in values or np.all(values == 1) else np.cumsum(values)


def hint_given_twice(exercise: Exercise) -> None:
    exercise.mistakes[0] = Mistake(exercise.mistakes[0].function, exercise.mistakes[1].hint)


def empty_hint(exercise: Exercise) -> None:
    exercise.hints = ("Add them up.", " ")


def one_hint(exercise: Exercise) -> None:
    exercise.hints = exercise.hints[:1]


def two_mistakes(exercise: Exercise) -> None:
    exercise.mistakes.pop()


def two_mistakes_of_one_name(exercise: Exercise) -> None:
    exercise.slip("You take the differences.", name="multiplies", right="cumsum", wrong="diff")


def aspect_without_public_case(exercise: Exercise) -> None:
    exercise.public_cases.pop()


def aspect_without_hidden_case(exercise: Exercise) -> None:
    exercise.hidden_cases.pop()


def aspect_with_no_hidden_case_drawn(exercise: Exercise) -> None:
    last = exercise.hidden_cases.pop()
    exercise.hidden_cases.append(HiddenCases(last.aspect, 0, last.draw))


def case_that_zeros_pass(exercise: Exercise) -> None:
    exercise.public_cases[1] = ("any length", {"values": np.zeros(4)})


def case_that_the_argument_passes(exercise: Exercise) -> None:
    exercise.public_cases[0] = ("some values", {"values": np.array([0.0, 0.0, 2.0])})


def inputs_that_cannot_be_changed(exercise: Exercise) -> None:
    exercise.public_cases = [(aspect, {"values": np.array([])}) for aspect in exercise.aspects]


def tolerance_that_lets_everything_pass(exercise: Exercise) -> None:
    exercise.tolerance = type(exercise.tolerance)(relative=0.0, absolute=1e3)


def aspect_of_refusals_alone(exercise: Exercise) -> None:
    @exercise.reference
    def running_sum(values):
        if len(values) == 0:
            raise ValueError("there is nothing to add")
        return np.cumsum(values)

    exercise.aspects["nothing to add"] = 1
    exercise.case("nothing to add", values=np.array([]))


BREAKS = {
    aspect_of_refusals_alone: "`raise ValueError` earns 0.67 points, in 'nothing to add'",
    reference_that_is_the_mistake: "the mistake multiplies earns everything",
    broken_reference: "the alternative in_a_loop earns 0 of 2 points",
    reference_that_raises_for_a_hidden_case: "its cases cannot be made",
    alternative_that_fails_on_long_input: "the alternative ten_at_most earns 1 of 2 points",
    no_alternative: "it has no alternative",
    mistake_that_is_none: "the mistake adds earns everything",
    mistake_like_another: "the mistake adds_itself is taken for doubles",
    mistake_that_is_never_the_same: "the mistake noisy is not recognised",
    mistake_that_is_wrong_at_times: "the mistake spares_some earns 0 or 1 points, by luck of the draw",
    hint_given_twice: "the same hint stands 2 times: 'Your result is one number",
    empty_hint: "one of its hints is empty",
    one_hint: "it has 1 hints; at least 2 are needed",
    two_mistakes_of_one_name: "2 of its mistakes are named multiplies",
    two_mistakes: "it has 2 known mistakes; at least 3 are needed",
    aspect_without_public_case: "the aspect 'any length' has no public case",
    aspect_without_hidden_case: "the aspect 'any length' has no hidden case",
    aspect_with_no_hidden_case_drawn: "the aspect 'any length' has no hidden case",
    case_that_zeros_pass: "an answer of zeros in the right shape earns 1 points, in 'any length'",
    case_that_the_argument_passes: "`return values` earns",
    inputs_that_cannot_be_changed: "a change of its input values is not noticed",
    tolerance_that_lets_everything_pass: "an answer of random numbers in the right shape earns 2 points",
}


@pytest.mark.parametrize(("break_it", "fault"), BREAKS.items(), ids=lambda case: getattr(case, "__name__", ""))
def test_a_broken_exercise_is_found_out(break_it: Callable[[Exercise], None], fault: str, tmp_path: Path):
    exercise = tiny.exercise()
    break_it(exercise)
    proof = proof_of(exercise, tmp_path)
    assert any(fault in found for found in proof.faults), proof
    assert str(proof).startswith("short running_sum")


def test_a_constant_answer_to_a_question_of_words_earns_nothing(tmp_path: Path):
    """A function that always says the same word must not pass an aspect in which only that word is asked for."""
    text = tiny.TEXT.replace("array([1, 3, 6])", "'up'")
    exercise = tiny.exercise()
    exercise.mistakes.clear()

    @exercise.reference
    def running_sum(values):
        return "up" if np.sum(values) > 0 else "down"

    page = tiny.page(tmp_path, text, exercise)
    faults = prove(page.stubs["running_sum"], page.setup()).faults
    assert any("`return 'up'` earns 2 points" in fault for fault in faults), faults


@pytest.mark.parametrize(
    ("values", "unnoticed"),
    [
        ([[], [1.0, 2.0]], None),
        ([{}, {"weight": np.ones(2)}], None),
        ([[]], "a change of its input values"),
        ([{"weight": np.array([])}], "a change inside its input values"),
    ],
    ids=["a list", "a dict of arrays", "an empty list", "a dict of an empty array"],
)
def test_changes_of_an_argument_and_inside_it_must_be_noticed(values: list, unnoticed: str | None, tmp_path: Path):
    """Empty values can hardly be changed: they pass where another case can, and are a fault where there is no other."""
    exercise = tiny.exercise()

    @exercise.reference
    def running_sum(values):
        return len(values)

    exercise.public_cases = [("some values", {"values": value}) for value in values]
    exercise.hidden_cases.clear()
    exercise.mistakes.clear()
    faults = proof_of(exercise, tmp_path).faults
    changes = {fault for fault in faults if fault.startswith(("a change", "its cases cannot be made"))}
    assert changes == ({f"{unnoticed} is not noticed (by the check sheet)"} if unnoticed else set())


IN_THE_BOOK = {
    "reference": "exercise.reference(exercise.mistakes[0].function)",
    "hint": "exercise.mistakes[0] = type(exercise.mistakes[0])(exercise.mistakes[0].function, exercise.hints[0])",
    "case": "exercise.public_cases.clear()",
}


@pytest.mark.parametrize("line", IN_THE_BOOK.values(), ids=IN_THE_BOOK)
def test_the_command_fails_on_a_broken_book_and_names_the_exercise(line: str, tmp_path: Path):
    """The real command in a scratch copy of the book, whose authors have spoilt one exercise."""
    for package in ("chapters", "grader", "labutils"):
        ignored = shutil.ignore_patterns("__pycache__", "source", "*.ipynb")
        shutil.copytree(ROOT / package, tmp_path / package, ignore=ignored)
    package = tmp_path / "grader" / "exercises" / "learning_rate"
    with open(package / "__init__.py", "a", encoding="utf-8") as definitions:
        definitions.write(f"\n\nexercise = chapter.exercises['step_decay']\n{line}\n")
    done = subprocess.run(
        [sys.executable, "-m", "grader", "verify", "learning_rate"],
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": str(tmp_path)},
        capture_output=True,
        text=True,
    )
    assert done.returncode == 1, done.stdout + done.stderr
    short = [line.split()[1] for line in done.stdout.splitlines() if line.startswith("short")]
    assert short[0] == "step_decay" and short[1:] in ([], ["learning_rate:"]), done.stdout + done.stderr
