"""Similar submissions: copies are found whatever was reworded, and what everybody has accuses nobody."""

import json
import random
import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from grader.exercise import source_of
from grader.exercises import all_exercises
from grader.report.answers import MOST_CODE, answers_in, answers_of
from grader.report.similarity import COMMON_COUNT, RUN, WINDOW, aligned, fingerprints, similar_pairs

EXERCISES = ("smooth", "decay", "ratio")


class Writer:
    """Writes functions at random: what students who have not met might write in an exercise with much freedom."""

    def __init__(self, seed):
        self.random = random.Random(seed)

    def value(self, names, depth=0):
        kind = self.random.random()
        if depth > 2 or kind < 0.35:
            return self.random.choice(names)
        if kind < 0.5:
            return self.random.choice(["0", "1", "0.5"])
        if kind < 0.8:
            return f"{self.value(names, depth + 1)} {self.random.choice('+-*/')} {self.value(names, depth + 1)}"
        called = self.random.choice(["np.sqrt", "np.abs", "len", "max", "np.array", "float", "np.cumsum"])
        return f"{called}({self.value(names, depth + 1)})"

    def lines(self, names, count, indent="    "):
        for number in range(count):
            new = f"step{number}"
            kind = self.random.random()
            if kind < 0.6:
                yield f"{indent}{new} = {self.value(names)}"
            elif kind < 0.8:
                yield f"{indent}for {new} in range({self.value(names, 2)}):"
                yield f"{indent}    total += {self.value([*names, new])}"
            else:
                yield f"{indent}if {self.value(names, 1)} < {self.value(names, 1)}:"
                yield f"{indent}    total = {self.value(names)}"
            names = [*names, new]

    def function(self, name, count):
        body = "\n".join(self.lines(["losses", "rate", "total"], count))
        return f'def {name}(losses, rate):\n    """What it does,\n    in words."""\n    total = 0\n{body}\n    return total\n'


def reworded(source):
    """The same program with other names, numbers, layout and comments."""
    renamed = re.sub(r"\bstep(\d+)\b", r"my_\1", source).replace("total", "summe")
    other_numbers = re.sub(r"\b0\.5\b", "0.25", renamed)
    spaced = other_numbers.replace(" = ", "  =  ").replace("    ", "  ").replace("\n", "  # mine\n\n")
    return spaced.replace("What it does,  # mine\n\n  in words.", "My own words.")


def answer(source, name="smooth"):
    return answers_of(source, EXERCISES)[name]


def a_class(count, seed, lines=(2, 12)):
    writer = Writer(seed)
    return {
        f"student {number}": {name: writer.function(name, writer.random.randint(*lines)) for name in EXERCISES}
        for number in range(count)
    }


def compared(sources, known=None):
    answers = {
        student: {name: answer(source, name) for name, source in of_one.items()} for student, of_one in sources.items()
    }
    return similar_pairs(answers, known or {})


@pytest.mark.parametrize("seed", range(10))
def test_a_reworded_function_has_the_same_words(seed):
    source = Writer(seed).function("smooth", 10)
    assert reworded(source) != source
    assert answer(reworded(source)).words == answer(source).words
    assert "".join(answer(source).words).count("What") == 0


def test_a_parameter_is_given_and_a_chosen_name_is_not():
    words = answer("def smooth(losses, *, beta=0.9):\n    x = losses.mean() + np.sum(beta)\n    return f'{x}'").words
    assert "losses" in words and "beta" in words and "mean" in words and "sum" in words
    assert not {"x", "np", "smooth", "0.9"} & set(words)


@pytest.mark.parametrize("seed", range(5))
def test_copies_are_found_among_many_and_nobody_else(seed):
    sources = a_class(60, seed)
    sources["student 7"] = {name: reworded(source) for name, source in sources["student 3"].items()}
    (pair,) = compared(sources)
    assert pair.students == ("student 3", "student 7") and pair.share == 1
    assert set(pair.exercises) <= set(EXERCISES) and set(pair.exercises.values()) == {1.0}


def test_one_long_exercise_that_was_copied_is_found():
    sources = a_class(30, seed=1)
    sources["student 2"]["decay"] = Writer(99).function("decay", 20)
    sources["student 9"]["decay"] = reworded(sources["student 2"]["decay"])
    (pair,) = compared(sources)
    assert pair.students == ("student 2", "student 9") and pair.exercises["decay"] == 1.0
    assert pair.share < 1


def test_a_copy_with_lines_moved_and_added_is_found():
    sources = a_class(30, seed=2, lines=(10, 14))
    for name, source in sources["student 4"].items():
        start, *rest = source.split("total = 0\n")
        sources["student 5"][name] = start + "total = 0\n    losses = losses.copy()\n    print(rate)\n" + "".join(rest)
    assert [pair.students for pair in compared(sources)] == [("student 4", "student 5")]


def test_those_with_more_in_common_come_first():
    sources = a_class(20, seed=3, lines=(8, 12))
    sources["student 1"] = dict(sources["student 0"])
    sources["student 3"] = {**sources["student 3"], "decay": Writer(5).function("decay", 20)}
    sources["student 2"] = {**sources["student 2"], "decay": sources["student 3"]["decay"]}
    pairs = compared(sources)
    assert [pair.students for pair in pairs] == [("student 0", "student 1"), ("student 2", "student 3")]
    assert pairs[0].fingerprints > pairs[1].fingerprints


@pytest.mark.parametrize("count", [2, 30])
def test_a_short_formula_accuses_nobody(count):
    one_line = "def smooth(losses, rate):\n    return float(np.sum(losses[1:] - losses[:-1]) / max(rate, 1))\n"
    assert compared({f"student {number}": {"smooth": one_line} for number in range(count)}) == ()


def test_what_is_known_accuses_nobody():
    source = Writer(3).function("smooth", 25)
    sources = {"ann": {"smooth": source}, "bob": {"smooth": reworded(source)}}
    assert len(compared(sources)) == 1
    assert compared(sources, {"smooth": [answer(source)]}) == ()


def test_what_much_of_the_class_wrote_accuses_nobody():
    source = Writer(4).function("smooth", 25)
    few = {f"student {number}": {"smooth": source} for number in range(COMMON_COUNT)}
    assert len(compared(few)) == COMMON_COUNT * (COMMON_COUNT - 1) / 2
    many = {f"student {number}": {"smooth": source} for number in range(COMMON_COUNT + 1)}
    assert compared(many) == ()


def test_students_who_all_wrote_what_the_exercises_know_are_not_named():
    """Each picks a reference, another right answer or a known mistake: two who picked the same have not copied."""
    exercises = all_exercises()
    functions = {
        name: [one.reference_function, *one.alternatives, *(mistake.function for mistake in one.mistakes)]
        for name, one in exercises.items()
    }
    known = {
        name: [answers_of(source_of(one), {one.__name__})[one.__name__] for one in choices]
        for name, choices in functions.items()
    }
    chance = random.Random(6)
    answers = {
        f"student {number}": {name: chance.choice(choices) for name, choices in known.items()} for number in range(40)
    }
    assert similar_pairs(answers, known) == ()
    assert similar_pairs(answers, {}) != ()


@given(st.lists(st.sampled_from("abcdefg"), min_size=1, max_size=60), st.data())
def test_a_long_enough_run_that_two_texts_share_is_always_seen(words, data):
    run = data.draw(st.lists(st.sampled_from("uvwxyz"), min_size=RUN + WINDOW - 1, max_size=40))
    place = data.draw(st.integers(0, len(words)))
    assert fingerprints(run) & fingerprints([*words[:place], *run, *words[place:]])


@given(st.lists(st.sampled_from("abc"), max_size=RUN - 1))
def test_less_than_a_run_says_nothing(words):
    assert fingerprints(words) == set()


@given(st.lists(st.sampled_from(["a = 1", "b = a.x", "c(a)", "# why"]), max_size=12), st.data())
def test_side_by_side_every_line_stands_once_and_in_order(lines, data):
    others = data.draw(st.lists(st.sampled_from(["z = 2", "b = a.x", "# why", "d[a]"]), max_size=12))
    one, other = (answer("def smooth(x):\n    x\n    " + "\n    ".join(some)).lines for some in (lines, others))
    rows = aligned(one, other)
    assert [row[0] for row in rows if row[0]] == [line.text for line in one]
    assert [row[2] for row in rows if row[2]] == [line.text for line in other]
    assert all(left and right for left, same, right in rows if same)


# Reading


def notebook(*sources, **changes):
    cells = [{"cell_type": "code", "metadata": {}, "source": source, "outputs": []} for source in sources]
    return json.dumps({"nbformat": 4, "nbformat_minor": 5, "metadata": {}, "cells": cells, **changes}).encode()


def texts(folder, name="chapter"):
    return {key: [line.text for line in one.lines] for key, one in answers_in(folder, name, EXERCISES).items()}


F = "def smooth(x):\n    return x"
READABLE = {
    "plain": notebook("import numpy", F, "smooth(1)"),
    "source as a list": notebook(F.splitlines(keepends=True)),
    "retyped as text": notebook(F).replace(b'"code"', b'"markdown"'),
    "format 3": json.dumps({"nbformat": 3, "worksheets": [{"cells": [{"cell_type": "code", "input": F}]}]}).encode(),
    "beside other things": notebook(None, 5, ["a", 7], {"x": 1}, F),
    "with a byte order mark": b"\xef\xbb\xbf" + notebook(F),
    "after a magic": notebook("%matplotlib inline\n!ls def (\n" + F),
    "after a cell that is no Python": notebook("def decay(:\n  'x\n  (", F),
}


@pytest.mark.parametrize("content", READABLE.values(), ids=READABLE)
def test_the_answer_is_found(tmp_path, content):
    (tmp_path / "chapter.ipynb").write_bytes(content)
    found = texts(tmp_path)
    assert [line for line in found["smooth"] if "def" in line or "return" in line] == F.split("\n")


UNREADABLE = {
    "empty": b"",
    "cut short": notebook(F)[:-5],
    "no notebook": b"[1, 2]",
    "cells that are none": notebook(cells={"a": 1}),
    "a null": b"null",
    "deep": b"[" * 100_000,
    "no text": b"\xff\x00\xfe",
    "too much code": notebook(F + "\n" + "a\n" * MOST_CODE),
}


@pytest.mark.parametrize("content", UNREADABLE.values(), ids=UNREADABLE)
def test_what_cannot_be_read_has_no_answers(tmp_path, content):
    (tmp_path / "chapter.ipynb").write_bytes(content)
    assert texts(tmp_path) == {}


def test_a_link_and_what_is_no_file_are_left_alone(tmp_path):
    (tmp_path / "elsewhere").write_bytes(notebook(F))
    handed_in = tmp_path / "handed in"
    (handed_in / "folder.ipynb").mkdir(parents=True)
    (handed_in / "chapter.ipynb").symlink_to(tmp_path / "elsewhere")
    assert texts(handed_in) == {} == texts(tmp_path / "nothing")


def test_a_renamed_notebook_is_read_where_the_right_one_has_no_answers(tmp_path):
    (tmp_path / "chapter (1).ipynb").write_bytes(notebook(F))
    (tmp_path / "chapter.ipynb").write_bytes(notebook("1 + 1"))
    assert texts(tmp_path) == {"smooth": F.split("\n")}
    (tmp_path / "chapter.ipynb").write_bytes(notebook("def smooth(y): return 2"))
    assert texts(tmp_path) == {"smooth": ["def smooth(y): return 2"]}


def test_a_cell_with_several_exercises_is_divided_and_helpers_go_with_the_first():
    source = "def helper():\n    return 1\n\ndef smooth(x):\n    # why\n    return x\n\n\nasync def decay(y):\n    return y\nz = 3"
    found = {name: [line.text.strip() for line in one.lines] for name, one in answers_of(source, EXERCISES).items()}
    assert found == {
        "smooth": ["def helper():", "return 1", "def smooth(x):", "# why", "return x", "z = 3"],
        "decay": ["async def decay(y):", "return y"],
    }


@given(st.text(alphabet="def smoth():\n \t'\"\\#=\0\ud800é%!?{}[]1", max_size=80))
def test_no_text_is_too_odd(text):
    """As the notebook is read: what is no Unicode is replaced before it is looked at."""
    source = f"{F}\n{text}".replace("\0", " ").encode(errors="replace").decode()
    for one in answers_of(source, EXERCISES).values():
        fingerprints(one.words)


def test_letters_that_are_no_unicode_do_not_stop_it(tmp_path):
    (tmp_path / "chapter.ipynb").write_bytes(notebook(F + " + '\ud800'\n\0"))
    assert "?" in texts(tmp_path)["smooth"][1]
