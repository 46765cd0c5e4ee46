"""Points, statuses and the failure to talk about, on a sheet made here."""

import os
import subprocess
import sys
import time
from dataclasses import replace

import numpy as np
import pytest

from labutils.checks import messages
from labutils.checks.calling import Outcome
from labutils.checks.comparing import Tolerance
from labutils.checks.judging import JUDGE_VARIABLE, SheetJudge
from labutils.checks.sheets import Case, ExerciseSheet, KnownMistake, Refusal
from labutils.checks.trials import LocalTrial

CASES = (
    Case("small", {"n": 1}, 1.0),
    Case("large", {"n": 3}, 9.0),
    Case("large", {"n": 10}, 100.0, hidden=True),
    Case("array", {"n": np.array([1.0, 2.0])}, np.array([1.0, 4.0])),
)
JUDGE = SheetJudge(
    {
        "square": ExerciseSheet(
            name="square",
            chapter="arithmetic",
            points=3,
            parameters=("n",),
            aspects={"small": 1, "large": 1, "array": 2},
            hints=("Times itself.",),
            tolerance=Tolerance(),
            cases=CASES,
            mistakes=(
                KnownMistake("doubles", "Not 2.", tuple(Outcome("returned", 2 * case.arguments["n"]) for case in CASES)),
                KnownMistake("fails", "No roots.", tuple(Outcome("raised", error="ValueError") for _ in CASES)),
            ),
        )
    }
)  # fmt: skip


def panel(function, seconds=2):
    return JUDGE.examine("square", LocalTrial(function, seconds))


def verdict(function):
    return panel(function).verdict


def fail(n):
    raise ValueError


def wrong_for_ten(n):
    return 0 if isinstance(n, int) and n == 10 else n**2


def stub(n):
    """The square of n."""
    # YOUR CODE HERE
    raise NotImplementedError


def partly(n):
    if isinstance(n, int):
        return n**2
    raise NotImplementedError


def spoil(n):
    result = n**2 * 1.0
    if isinstance(n, np.ndarray):
        n += 1
    return result


def slow_on_arrays(n):
    while isinstance(n, np.ndarray):
        pass
    return n**2


@pytest.mark.parametrize(
    ["function", "status", "points", "mistake"],
    [
        (lambda n: n**2, "passed", 3, None),
        (lambda n: 2 * n, "failed", 0, "doubles"),
        (lambda n: 1.0, "failed", 0.75, None),
        (wrong_for_ten, "failed", 2.25, None),
        (fail, "raised", 0, "fails"),
        (stub, "not attempted", 0, None),
        (partly, "raised", 1.5, None),
        (spoil, "failed", 1.5, None),
        (slow_on_arrays, "failed", 1.5, None),
        (lambda n: None, "failed", 0, None),
    ],
    ids="right doubles ones hidden fails stub partly spoils slow nothing".split(),
)
def test_points_follow_the_aspects_that_hold(function, status, points, mistake):
    found = verdict(function)
    assert (found.status, found.points, found.mistake and found.mistake.name) == (status, points, mistake)
    assert found.max_points == 3 and found.chapter == "arithmetic"


def _outcomes(*values):
    """What a mistake returns in each case; None is a refusal."""
    return tuple(Outcome("raised", error="ValueError") if one is None else Outcome("returned", one) for one in values)


REFUSING = SheetJudge(
    {
        "root": replace(
            JUDGE.exercises()["square"],
            name="root",
            aspects={"real": 1},
            cases=(
                Case("real", {"n": 9.0}, 3.0),
                Case("real", {"n": -4.0}, Refusal("n is -4.0; it must be 0 or more")),
                Case("real", {"n": -5.0}, Refusal("n is -5.0; it must be 0 or more"), hidden=True),
            ),
            mistakes=(
                KnownMistake("halves", "Half is no root.", _outcomes(4.5, None, None)),
                KnownMistake("overlooks", "Negative numbers have none.", _outcomes(3.0, -2.0, -2.5)),
            ),
        )
    }
)


def refuse_negative(n):
    if n < 0:
        raise ValueError("negative")
    return n**0.5


def refuse_shown(n):
    return -1.0 if n == -5 else refuse_negative(n)


@pytest.mark.parametrize(
    ("function", "status", "said"),
    [
        (refuse_negative, "passed", "Every call came out right"),
        (lambda n: abs(n) ** 0.5, "failed", "“n is -4.0; it must be 0 or more”. It returned a number."),
        (lambda n: [][0] if n < 0 else n**0.5, "raised", "Find that out before anything else fails"),
        (fail, "raised", "Your function stopped with ValueError"),
        (refuse_shown, "failed", "One that is not shown fails, in the part “real”"),
    ],
    ids="refuses answers stumbles refuses_all refuses_the_shown".split(),
)
def test_a_call_without_an_answer_is_to_be_refused(function, status, said):
    found = REFUSING.examine("root", LocalTrial(function, 2))
    assert found.verdict.status == status
    assert found.verdict.points == (3 if status == "passed" else 0)
    assert said in str(found) and "-5" not in str(found)


@pytest.mark.parametrize(
    ("function", "mistake"),
    [
        (lambda n: n / 2 if n >= 0 else refuse_negative(n), "halves"),
        (lambda n: n / 2, "halves"),  # and does not refuse: still the same mistake
        (lambda n: 3.0 if n > 0 else n / 2, "overlooks"),
        (lambda n: 3.0 if n > 0 else 0.0, None),  # errs only in what it should refuse, and in a way of its own
        (lambda n: n / 3, None),
    ],
)
def test_a_mistake_is_recognised_also_where_nothing_is_refused(function, mistake):
    found = REFUSING.examine("root", LocalTrial(function, 2)).verdict.mistake
    assert (found and found.name) == mistake


def test_a_public_failure_is_told_before_a_hidden_one():
    assert verdict(lambda n: 0).failure.case == CASES[0]
    assert verdict(wrong_for_ten).failure.case.hidden


def test_a_change_of_the_input_is_told():
    found = verdict(spoil).failure.difference
    assert (found.rung, found.got) == ("changed", "n")


def says_its_input(n):
    """Right for the cases shown, and for the hidden one it prints and raises what it was given."""
    print("seen", n)
    if not isinstance(n, np.ndarray) and n == 10:
        raise ValueError(f"given: {n}")
    return n**2


def test_a_hidden_case_shows_no_number_of_its_own():
    found = panel(says_its_input)
    for shown in (repr(found), found.to_html()):
        assert "10" not in shown and "seen" not in shown
        assert "Your function stopped with ValueError" in shown and "raise ValueError(f" in shown


def test_what_a_right_function_prints_in_hidden_cases_is_not_shown():
    assert "10" not in verdict(lambda n: [print("seen", n) if np.ndim(n) == 0 and n == 10 else 0, n**2][1]).printed


def test_a_loop_is_suspected_only_in_a_call_that_took_most_of_the_time():
    def slow(n):
        time.sleep(0.5)
        return n**2

    def endless(n):
        while np.ndim(n) or n == 3:
            pass
        return n**2

    words = [str(panel(function, 0.7)) for function in (slow, endless)]
    assert all("after 0.7 s for all calls together" in one for one in words)
    assert ["never ends" in one for one in words] == [False, True]
    assert ["took most of that time" in one for one in words] == [True, False]


def test_a_judge_that_is_asked_for_and_not_installed_is_told():
    source = "import labutils.checks.judging as j; j.INSTRUCTOR = 'nobody'; j.find_judge()"
    environment = {**os.environ, JUDGE_VARIABLE: "instructor"}
    done = subprocess.run([sys.executable, "-c", source], env=environment, capture_output=True, text=True)
    assert "JudgeMissing: LABUTILS_JUDGE asks for the instructor's judge, which is not installed" in done.stderr


def test_what_a_panel_decides_it_reads_from_no_translated_word(monkeypatch):
    def partly_a_generator(n):
        return n**2 if np.ndim(n) == 0 else (number for number in n)

    monkeypatch.setattr(messages, "KINDS", {kind: "값" for kind in messages.KINDS})
    monkeypatch.setattr(messages, "HOLDS", "같음")
    monkeypatch.setattr(messages, "FAILS", "같음")
    words = str(panel(partly_a_generator))
    assert "use `return` in place of `yield`" in words
    assert "[x] small: 같음" in words and "[ ] array: 같음" in words
