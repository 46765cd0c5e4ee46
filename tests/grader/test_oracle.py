"""What the oracle draws and keeps: other inputs for each assignment and attempt, the best of a few attempts."""

import numpy as np
import pytest

from grader.exercises import all_exercises
from grader.oracle import MOST_ATTEMPTS, Sitting, TooManyAttempts, key, sheet
from labutils.checks.trials import LocalTrial
from labutils.checks.values import encode

NAMES = list(all_exercises())


def hidden(name, seed, attempt=1):
    return [case.arguments for case in sheet(name, seed, attempt).cases if case.hidden]


def same(one, other):
    """Compared as the sheets write them: partial functions made anew equal nothing."""
    return encode(one) == encode(other)


# Some known mistakes divide by zero.
pytestmark = pytest.mark.filterwarnings("ignore::RuntimeWarning")


@pytest.mark.parametrize("name", NAMES)
def test_inputs_are_drawn_anew_for_each_assignment_and_attempt_and_are_the_same_again(name):
    drawn = hidden(name, "a")
    assert same(drawn, [case.arguments for case in all_exercises()[name].cases("a, attempt 1") if case.hidden])
    for other in (hidden(name, "b"), hidden(name, "a", 2)):
        assert not same(drawn, other)


def test_a_case_more_leaves_the_others_as_they_are(monkeypatch):
    exercise = all_exercises()["smooth"]
    before = exercise.cases("seed")
    group = exercise.hidden_cases[0]
    monkeypatch.setattr(exercise, "hidden_cases", [*exercise.hidden_cases, group])
    after = exercise.cases("seed")
    assert len(after) == len(before) + group.count
    assert all(same(one.arguments, other.arguments) for one, other in zip(before, after))


def test_the_best_attempt_counts_and_there_are_few():
    sitting = Sitting("seed")
    reference = all_exercises()["smooth"].reference_function
    rng = np.random.default_rng(1)
    answers = [lambda losses, beta=0.9: rng.random(), reference, lambda losses, beta=0.9: None]
    for function in answers:
        sitting.examine("smooth", LocalTrial(function, 5))
    assert sitting.findings["smooth"].record.points == all_exercises()["smooth"].points
    for _ in range(MOST_ATTEMPTS - len(answers)):
        sitting.examine("smooth", LocalTrial(reference, 5))
    with pytest.raises(TooManyAttempts):
        sitting.examine("smooth", LocalTrial(reference, 5))


def test_the_key_changes_with_what_is_judged_by(monkeypatch):
    before = key(NAMES, "seed")
    assert before == key(reversed(NAMES), "seed") != key(NAMES, "other") != key(NAMES[1:], "seed")
    monkeypatch.setitem(all_exercises()["smooth"].aspects, next(iter(all_exercises()["smooth"].aspects)), 17)
    sheet.cache_clear()
    assert key(NAMES, "seed") != before
    sheet.cache_clear()


def test_a_record_says_what_the_panel_says():
    sitting = Sitting("seed")
    mistake = all_exercises()["step_decay"].mistakes[0]
    panel = sitting.examine("step_decay", LocalTrial(mistake.function, 5))
    record = sitting.findings["step_decay"].record
    assert (record.mistake, record.hint, record.title) == (mistake.name, mistake.hint, panel.title)
    assert record.points == panel.record["points"] and record.aspects == panel.record["aspects"]
