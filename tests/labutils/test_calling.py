"""Calling a function: time limits in and outside the main thread, what is kept of errors, prints and changes."""

import builtins
import getpass
import signal
import sys
import threading
import time

import numpy as np
import pytest
import torch

from labutils.checks.calling import ERROR_CHARACTERS, PRINTED_CHARACTERS, call
from labutils.checks.comparing import describe, difference
from labutils.checks.trials import LocalTrial


def forever():
    while True:
        pass


def stubborn():
    """A student's loop that swallows what it can; the time limit has to end it all the same."""
    while True:
        try:
            while True:
                pass
        except Exception:  # the student's, who must not get away with it
            pass


def swallows_one():
    try:
        forever()
    except:  # noqa: E722
        pass
    return 1


def swallows_all():
    while True:
        try:
            time.sleep(1e9)
        except:  # noqa: E722
            pass


def in_a_thread(action):
    found = []
    thread = threading.Thread(target=lambda: found.append(action()))
    thread.start()
    thread.join(timeout=300)
    assert not thread.is_alive()
    return found[0]


@pytest.mark.parametrize("function", [forever, stubborn, swallows_one, swallows_all])
def test_the_alarm_ends_it(function):
    before = signal.getsignal(signal.SIGALRM)
    assert call(function, {}, 0.1).kind == "timed out"
    assert signal.getsignal(signal.SIGALRM) == before
    assert signal.getitimer(signal.ITIMER_REAL) == (0.0, 0.0)


@pytest.mark.parametrize("function", [forever, stubborn, swallows_one])
def test_outside_the_main_thread_as_on_windows_the_watchdog_ends_it(function):
    threads = threading.active_count()
    assert in_a_thread(lambda: call(function, {}, 0.1)).kind == "timed out"
    assert threading.active_count() == threads


def test_the_watchdog_leaves_a_quick_function_and_what_follows_alone():
    def many():
        values = [call(lambda n: n + 1, {"n": n}, 2).value for n in range(200)]
        time.sleep(2)  # a watchdog that still watched would bark now
        return values, sum(range(1_000_000))

    assert in_a_thread(many) == ([n + 1 for n in range(200)], 499_999_500_000)


def test_the_watchdog_leaves_what_follows_alone_when_the_time_is_just_up():
    def many():
        return {call(lambda: time.sleep(0.02), {}, 0.02).kind for _ in range(50)}, sum(range(1_000_000))

    kinds, following = in_a_thread(many)
    assert kinds <= {"returned", "timed out"} and following == 499_999_500_000


def test_calls_share_one_limit():
    trial = LocalTrial(lambda n: forever() if n == 1 else n, 1)
    assert [trial({"n": n}).kind for n in range(3)] == ["returned", "timed out", "returned"]
    began = time.monotonic()
    assert trial({"n": 1}).kind == "timed out" and time.monotonic() - began < 0.9


@pytest.mark.parametrize("change", ["array[0] = 5", "listed.append(1)", "table['x'] = 2", "array.shape = (3, 1)"])
def test_a_changed_argument_is_named_and_the_case_unharmed(change):
    arguments = {"array": np.arange(3.0), "listed": [1.0], "table": {"x": 1}, "number": 4}
    space = {}
    exec(f"def function(array, listed, table, number):\n    {change}", space)
    outcome = call(space["function"], arguments, 5)
    assert outcome.changed == (change.partition(".")[0].partition("[")[0],)
    assert arguments["array"].tolist() == [0, 1, 2] and arguments["listed"] == [1.0] and arguments["table"] == {"x": 1}


def test_prints_and_warnings_are_kept_to_a_length():
    def noisy():
        print("careful", file=sys.stderr)
        for _ in range(1000):
            print("x" * 10_000)

    printed = call(noisy, {}, 20).printed
    assert "careful" in printed and "characters more" in printed
    assert len(printed) < PRINTED_CHARACTERS + 100


def test_a_traceback_starts_at_the_students_line_and_stays_short():
    def fails(depth):
        if depth:
            fails(depth - 1)
        raise ValueError("y" * 100_000)

    outcome = call(fails, {"depth": 50}, 5)
    assert outcome.error == "ValueError"
    assert "checks/calling.py" not in outcome.traceback.replace("\\", "/")
    assert len(outcome.traceback) < ERROR_CHARACTERS + 10 and len(outcome.line) < ERROR_CHARACTERS + 10
    assert outcome.line.endswith('raise ValueError("y" * 100_000)') and "yyy" not in outcome.line


def test_words_that_take_for_ever_are_cut_off_too():
    class Slow(Exception):
        def __str__(self):
            forever()

    def fails():
        raise Slow

    assert call(fails, {}, 0.1).kind == "timed out"


def test_only_the_stub_counts_as_not_attempted():
    def stub():
        raise NotImplementedError

    def uses_a_stub():
        return stub()

    def of_a_library():
        raise NotImplementedError("forward is missing")

    def with_the_last_line_left():
        result = 1.0
        raise NotImplementedError
        return result

    functions = (stub, uses_a_stub, of_a_library, with_the_last_line_left)
    assert [call(f, {}, 5).kind for f in functions] == ["not attempted", "raised", "raised", "raised"]


def test_a_stub_with_a_docstring_over_several_lines_is_a_stub():
    def stub(
        value,
        factor=2.0,
    ):
        """Return the product.

        >>> stub(1.0)
        2.0
        """
        # YOUR CODE HERE
        raise NotImplementedError

    assert call(stub, {"value": 1.0}, 5).kind == "not attempted"


def test_an_interruption_by_the_student_gets_through():
    def interrupted():
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        call(interrupted, {}, 5)


def test_a_result_that_later_calls_change_is_kept_as_it_was():
    reused = {"array": np.zeros(2), "nested": [torch.zeros(1, requires_grad=True) * 2]}

    def reuses(n):
        reused["array"] += n
        reused["nested"][0] = reused["nested"][0] + n
        return reused

    first, second = (call(reuses, {"n": n}, 5).value for n in (1, 2))
    assert first["array"].tolist() == [1, 1] and first["nested"][0].tolist() == [1]
    assert second["array"].tolist() == [3, 3] and second["nested"][0].tolist() == [3]


def test_what_cannot_be_copied_is_kept_itself():
    class Uncopied:
        def __deepcopy__(self, memo):
            sys.exit()

    for value in (Uncopied(), (number for number in range(3)), np.sin, [Uncopied()]):
        assert call(lambda given=value: given, {}, 5).value is value


@pytest.mark.parametrize("large", ["np.zeros(10**8)", "torch.zeros(10**8)", "[np.zeros(10**6)] * 10**3", "'x' * 10**8"])
def test_what_would_fill_the_memory_is_not_kept(large):
    outcomes = [call(lambda: eval(large), {}, 20) for _ in range(2)]
    assert {describe(outcome.value).partition(", too large")[1] for outcome in outcomes} == {", too large"}
    assert difference(outcomes[0].value, outcomes[1].value) is not None


def test_nobody_is_asked_and_the_reader_can_be_afterwards():
    before = builtins.input, getpass.getpass
    outcome = call(lambda: input("which epoch? "), {}, 5)
    assert (outcome.kind, outcome.error, outcome.printed) == ("raised", "EOFError", "")
    assert (builtins.input, getpass.getpass) == before


def test_the_line_of_an_error_holds_nothing_that_the_error_says():
    def fails(secret):
        raise ValueError(secret)

    outcome = call(fails, {"secret": 0.130189}, 5)
    assert "0.130189" in outcome.traceback and "0.130189" not in outcome.line
    assert outcome.line.splitlines()[1].strip() == "raise ValueError(secret)"
