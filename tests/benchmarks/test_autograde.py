"""The benchmark of grading compares a class of all kinds, and stops where two ways of grading differ."""

import random

import pytest

from benchmarks.autograde import Graded, _demand_equal_scores, the_class
from grader.texts import pages

NAMES = ("check_one", "check_two")


def graded(scores: dict[str, dict[str, float]]) -> Graded:
    return Graded(scores, seconds=1.0, cpu_seconds=1.0)


def test_the_class_has_all_kinds_of_answers_and_is_the_same_each_time():
    (page,) = pages(("learning_rate",))
    answers = the_class(page, 30)
    assert len(answers) == 30 and answers == the_class(page, 30)
    first, second, *others = answers.values()
    assert first.keys() == page.stubs.keys() and second == {}
    assert all(0 < len(one) for one in others)
    for name in page.stubs:
        assert len({one.get(name) for one in others}) > 3  # the reference, nothing, and known mistakes


def test_equal_scores_are_demanded_of_every_way_and_every_student():
    draw = random.Random(1)
    scores = {f"student{number}": {name: draw.choice([0.0, 1.5, 2.0]) for name in NAMES} for number in range(6)}
    halves = [dict(list(scores.items())[half::2]) for half in (0, 1)]
    done = {"stock": list(map(graded, halves)), "2 workers": [graded(scores), graded(scores)]}
    _demand_equal_scores(done)
    student, name = draw.choice(list(scores)), draw.choice(NAMES)
    wrong = {**scores, student: {**scores[student], name: scores[student][name] + 0.1}}
    with pytest.raises(RuntimeError, match=f"2 workers: {student} got"):
        _demand_equal_scores({**done, "2 workers": [graded(scores), graded(wrong)]})
