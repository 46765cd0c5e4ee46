"""What an author declares: mistakes made from the reference, and bodies that can be moved into a student's cell."""

import inspect
import traceback

import numpy as np
import pytest

from grader.exercise import Chapter, Exercise, body_of
from labutils.checks.sheets import Refusal

# -- slips ----------------------------------------------------------------------------------------------------------


def step_decay_exercise() -> Exercise:
    """A fresh exercise with a reference and nothing else."""
    exercise = Chapter("tiny", folder="01_tiny").exercise(
        "step_decay", points=1, aspects={"any epoch": 1}, hints=("Think.", "Divide.")
    )

    @exercise.reference
    def step_decay(learning_rate, epoch, factor=0.5, every=10):
        drops = epoch // every  # whole drops
        return np.float64(learning_rate) * factor**drops

    exercise.case("any epoch", learning_rate=0.8, epoch=9)
    exercise.case("any epoch", learning_rate=0.8, epoch=25)
    return exercise


def test_what_the_reference_refuses_is_expected_to_be_refused():
    exercise = step_decay_exercise()

    @exercise.reference
    def step_decay(learning_rate, epoch, factor=0.5, every=10):
        if every < 1:
            raise ValueError(f"every is {every}; it must be 1 or more")
        return np.float64(learning_rate) * np.array([factor]).reshape(every)[0] ** epoch

    exercise.public_cases = [("any epoch", {"learning_rate": 0.8, "epoch": 2, "every": every}) for every in (1, 0)]
    assert [case.expected for case in exercise.cases()] == [0.2, Refusal("every is 0; it must be 1 or more")]
    exercise.case("any epoch", learning_rate=0.8, epoch=2, every=2)
    with pytest.raises(RuntimeError, match="cannot reshape"):  # an error that the author did not mean
        exercise.cases()


COUNTS_FROM_ONE = {"name": "counts_from_one", "right": "epoch // every", "wrong": "(epoch + 1) // every"}


def test_a_slip_is_the_mistake_that_an_author_would_have_written_out():
    """In sheets, in bodies and in signatures nothing tells the two apart."""
    slipped, written = step_decay_exercise(), step_decay_exercise()
    slipped.slip("Count from 0.", **COUNTS_FROM_ONE)

    @written.mistake("Count from 0.")
    def counts_from_one(learning_rate, epoch, factor=0.5, every=10):
        drops = (epoch + 1) // every  # whole drops
        return np.float64(learning_rate) * factor**drops

    (one,), (other,) = slipped.mistakes, written.mistakes
    assert (one.name, one.hint) == (other.name, other.hint)
    assert inspect.signature(one.function) == inspect.signature(other.function)
    assert body_of(one.function) == body_of(other.function)
    assert slipped.sheet() == written.sheet()
    assert [outcome.value for outcome in slipped.sheet().mistakes[0].outcomes] == [0.4, 0.2]


def test_a_slip_changes_neither_the_reference_nor_its_module():
    names = set(globals())
    exercise = step_decay_exercise()
    exercise.slip("Count from 0.", **COUNTS_FROM_ONE)
    assert set(globals()) == names
    assert [case.expected for case in exercise.cases()] == [0.8, 0.2]


def test_the_source_of_a_slip_and_the_line_of_its_error_can_be_read():
    exercise = step_decay_exercise()
    exercise.slip("Not a list.", name="joins", right="factor**drops", wrong="[factor, drops][2]")
    (mistake,) = exercise.mistakes
    assert inspect.getsource(mistake.function).startswith("def joins(learning_rate, epoch, factor=0.5, every=10):\n")
    with pytest.raises(IndexError) as raised:
        mistake.function(0.1, 3)
    told = "".join(traceback.format_exception(raised.value))
    assert '"<the mistake joins of step_decay>", line 3, in joins\n' in told
    assert "    return np.float64(learning_rate) * [factor, drops][2]\n" in told


@pytest.mark.parametrize(
    ("right", "wrong", "words"),
    [
        ("epoch / every", "epoch", "changes 'epoch / every', and the reference has that 0 times, not once"),
        ("every", "epoch", "changes 'every', and the reference has that 2 times, not once"),
        ("epoch // every", "(epoch // every", r"is no Python with '\(epoch // every' in place of 'epoch // every': "),
    ],
    ids=["not found", "found twice", "no Python"],
)
def test_a_slip_that_does_not_fit_its_reference_is_refused(right: str, wrong: str, words: str):
    exercise = step_decay_exercise()
    with pytest.raises(ValueError, match=f"the mistake counts_from_one of step_decay {words}"):
        exercise.slip("Count from 0.", name="counts_from_one", right=right, wrong=wrong)
    assert exercise.mistakes == []


def test_a_slip_above_its_reference_is_refused():
    exercise = step_decay_exercise()
    exercise.reference_function = None
    with pytest.raises(ValueError, match="the mistake counts_from_one of step_decay stands above the reference"):
        exercise.slip("Count from 0.", **COUNTS_FROM_ONE)


# -- bodies ---------------------------------------------------------------------------------------------------------


def with_a_comment_beside_the_signature(x):  # not the signature's end: a colon
    # Why it is done so.
    y = x + 1
    for _ in range(3):
        y += x
    return y


# fmt: off
def over_several_lines(
    x,
    factor=2.0,  # twice
) -> float:
    """What it does."""

    return factor * x


def on_the_line_of_the_signature(x): return x
# fmt: on


def with_an_inner_function(x):
    @np.vectorize
    def double(entry):
        return 2 * entry

    return double(x)


def with_text_in_triple_quotes(x):
    return f"""{x}
        indented
    less"""


def with_text_left_of_the_code(x):
    return f"""{x}
  further left"""


@pytest.mark.parametrize(
    ("function", "body"),
    [
        (
            with_a_comment_beside_the_signature,
            "# Why it is done so.\ny = x + 1\nfor _ in range(3):\n    y += x\nreturn y",
        ),
        (over_several_lines, '"""What it does."""\n\nreturn factor * x'),
        (with_an_inner_function, "@np.vectorize\ndef double(entry):\n    return 2 * entry\n\nreturn double(x)"),
        (with_text_in_triple_quotes, 'return f"""{x}\n    indented\nless"""'),
    ],
    ids=lambda case: getattr(case, "__name__", ""),
)
def test_a_body_is_everything_below_the_signature(function, body: str):
    assert body_of(function) == body


@pytest.mark.parametrize("function", [on_the_line_of_the_signature, with_text_left_of_the_code])
def test_a_body_that_cannot_be_moved_is_refused_by_name(function):
    with pytest.raises(ValueError, match=f"the body of {function.__name__} cannot be moved"):
        body_of(function)
