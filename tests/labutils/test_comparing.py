"""Comparing: lenient where a right answer is written differently, strict elsewhere, and never raising."""

import copy

import numpy as np
import pytest
import torch
from hypothesis import assume, given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from labutils.checks.comparing import Tolerance, describe, difference

FINITE = st.floats(-1e3, 1e3)
FLOATS = arrays.arrays(np.float64, arrays.array_shapes(min_side=1, max_side=4), elements=FINITE)
NUMBERS = st.one_of(
    arrays.boolean_dtypes(), arrays.integer_dtypes(), arrays.floating_dtypes(), arrays.complex_number_dtypes()
)
ANYTHING = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=3) | st.binary(max_size=3)
    | st.complex_numbers() | arrays.arrays(NUMBERS, arrays.array_shapes(min_dims=0, min_side=0, max_side=3)),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=2) | st.integers(), inner, max_size=3),
    max_leaves=5,
)  # fmt: skip


class Broken:
    def __eq__(self, other):
        raise RuntimeError

    __hash__ = object.__hash__
    __repr__ = __float__ = __len__ = __bool__ = lambda self: 1 / 0


def broken_array():
    array = np.empty(2, object)
    array.fill(Broken())
    return array


@given(ANYTHING, ANYTHING)
def test_any_two_values_can_be_compared_and_described(one, other):
    found = difference(one, other)
    assert found is None or (found.rung and describe(one) and describe(other))


@given(ANYTHING)
def test_a_value_equals_its_copy(value):
    assert difference(value, copy.deepcopy(value)) is None
    assert difference(value, copy.deepcopy(value), exact=True) is None


EXPECTED = [None, True, 1.0, "a", [1], {"a": 1}, np.zeros(2), np.zeros(2, object)]


@pytest.mark.parametrize("expected", EXPECTED, ids=lambda value: type(value).__name__)
def test_a_hostile_value_differs_and_raises_nothing(expected):
    hostile = [
        *(Broken(), [Broken()], {Broken(): 1}, {"a": Broken()}, broken_array()),
        *(np.array("x"), np.zeros(2, "i4,f4"), type, 10**400, 1j, Broken),
        *(torch.zeros(2, dtype=torch.bfloat16), torch.zeros(2, device="meta")),
    ]
    for got in hostile:
        assert difference(expected, got).rung


@given(FLOATS, st.data())
def test_the_place_names_the_wrong_entry(expected, data):
    index = data.draw(st.tuples(*(st.integers(0, side - 1) for side in expected.shape)))
    got = expected.copy()
    got[index] += 1
    found = difference({"layer": [expected]}, {"layer": [got]})
    assert found.rung == "values" and found.count == 1
    assert found.place == f"['layer'][0][{', '.join(map(str, index))}]"


@given(arrays.arrays(st.sampled_from([np.int64, np.float64, np.float32, bool]), (2, 3)), st.integers(0, 5))
def test_exact_finds_the_smallest_change(array, entry):
    changed = array.copy()
    before = changed.flat[entry]
    changed.flat[entry] = ~before if array.dtype.kind in "bi" else np.nextafter(before, array.dtype.type(0))
    assume(changed.flat[entry] != before and not np.isnan(before))
    assert difference(array, changed, exact=True).rung == "values"


def test_exact_tells_neighbouring_whole_numbers_apart():
    assert difference(np.array([2**53]), np.array([2**53 + 1]), exact=True) is not None
    assert difference([2**60], [2**60 + 1], exact=True) is not None


@pytest.mark.parametrize(["shift", "agrees"], [(0.9, True), (1.1, False)])
@given(expected=st.floats(-1e6, 1e6), relative=st.floats(1e-6, 0.1), absolute=st.floats(1e-6, 1.0))
def test_the_tolerance_is_absolute_plus_relative_of_the_expected(shift, agrees, expected, relative, absolute):
    got = expected + shift * (absolute + relative * abs(expected))
    assert (difference(expected, got, Tolerance(relative, absolute)) is None) == agrees


@pytest.mark.parametrize(
    ["expected", "got"],
    [(1.0, 1), (1, np.float32(1)), (0.5, np.array(0.5)), ([1, 2], (1, 2)), (np.ones(2), np.ones(2, np.float32)),
     ("a", np.str_("a")), (True, np.True_), (float("nan"), np.nan), (torch.ones(2), torch.ones(2, requires_grad=True)),
     ({"a": 1, "b": 2}, {"b": 2, "a": 1.0})],
    ids=lambda value: type(value).__name__,
)  # fmt: skip
def test_a_right_answer_written_differently_is_right(expected, got):
    assert difference(expected, got) is None


@pytest.mark.parametrize(
    ["expected", "got", "rung"],
    [(1.0, None, "nothing"), (1.0, True, "type"), (1.0, "1", "type"), (np.ones(2), [1, 1], "type"),
     (np.ones(2), np.ones((2, 1)), "shape"), ([1], [1, 2], "length"), ({"a": 1}, {"b": 1}, "keys"),
     (np.ones(2), np.ones(2, int), "dtype"), (np.ones(2), np.array([1, np.nan]), "not finite"),
     (1.0, np.inf, "not finite"), (np.inf, 1.0, "values"), (np.ones(2), torch.ones(2), "type"),
     ("too high", "Too High", "spelling"), ("too high", "toohigh ", "spelling"), (["a"], ["A"], "spelling"),
     ("too high", "too low", "values")],
    ids=lambda value: type(value).__name__,
)  # fmt: skip
def test_the_first_rung_on_which_they_differ(expected, got, rung):
    assert difference(expected, got).rung == rung


def test_two_numbers_that_differ_are_shown_to_differ():
    found = difference(np.array([1e8 + 1]), np.array([1e8 + 2]), Tolerance(0, 0.1))
    assert (found.expected, found.got) == ("100000001", "100000002")
    found = difference(1 / 3, 0.5)
    assert (found.expected, found.got) == ("0.3333333", "0.5")


def test_long_values_are_quoted_short():
    assert len(difference("a", "b" * 10**7).got) < 200
    assert len(difference({"a": 1}, {"k" * 1000 + str(n): 1 for n in range(10_000)}).got) < 2_000


@pytest.mark.parametrize("count", [int, np.int64, float, lambda n: np.array([n])], ids="int int64 float array".split())
def test_whole_numbers_are_counts_and_one_too_many_is_wrong(count):
    expected = count(12_345_678) if isinstance(count(1), np.ndarray) else 12_345_678
    assert difference(expected, count(12_345_678)) is None
    found = difference(expected, count(12_345_679))
    assert (found.rung, found.expected) == ("values", "12345678")


def test_numbers_that_are_not_whole_keep_their_tolerance():
    assert difference(12_345_678.0, 12_345_679) is None


def test_a_whole_number_may_come_from_a_division():
    assert difference(3, 0.3 / 0.1) is None
    assert difference(10**12, 10**12 * (1 + 1e-13)) is None
