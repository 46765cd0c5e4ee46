"""Values go into JSON and back unchanged, whatever their dtype and shape."""

import json
from functools import partial

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from labutils.checks.comparing import difference
from labutils.checks.values import decode, encode
from labutils.surfaces import quadratic_gradient

DTYPES = st.one_of(
    arrays.boolean_dtypes(),
    arrays.integer_dtypes(endianness="="),
    arrays.unsigned_integer_dtypes(endianness="="),
    arrays.floating_dtypes(endianness="=", sizes=(16, 32, 64)),
    arrays.unicode_string_dtypes(endianness="=", max_len=5),
)
ARRAYS = arrays.arrays(DTYPES, arrays.array_shapes(min_dims=0, max_dims=3, min_side=0, max_side=4))
PLAIN = st.none() | st.booleans() | st.integers() | st.floats() | st.text()
NESTED = st.recursive(
    PLAIN | ARRAYS,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3) | st.tuples(inner, inner),
    max_leaves=6,
)


def through_json(value):
    return decode(json.loads(json.dumps(encode(value), allow_nan=False)))


def same(one, other):
    if isinstance(one, np.ndarray):
        return one.dtype == other.dtype and one.shape == other.shape and one.tobytes() == other.tobytes()
    if isinstance(one, (list, tuple)):
        return type(one) is type(other) and len(one) == len(other) and all(map(same, one, other))
    if isinstance(one, dict):
        return list(one) == list(other) and all(same(one[key], other[key]) for key in one)
    return type(one) is type(other) and (one == other or (one != one and other != other))


@given(NESTED)
def test_values_come_back_as_they_were(value):
    back = through_json(value)
    assert same(value, back) or difference(value, back, exact=True) is None and _has_nan(value)


def _has_nan(value):
    """A NaN keeps its being none, not its bits."""
    if isinstance(value, np.ndarray):
        return value.dtype.kind == "f" and bool(np.isnan(value).any())
    return (
        any(map(_has_nan, value.values() if isinstance(value, dict) else value))
        if isinstance(value, (dict, list, tuple))
        else value != value
    )


@given(arrays.arrays(st.sampled_from(["f4", "f8", "i8", "?"]), arrays.array_shapes(min_dims=0, min_side=0)))
def test_tensors_and_scalars_come_back(array):
    tensor = torch.from_numpy(array.copy())
    back = through_json(tensor)
    assert back.dtype == tensor.dtype and back.shape == tensor.shape
    assert torch.equal(back.nan_to_num(), tensor.nan_to_num())
    for scalar in array.ravel()[:3]:
        assert type(through_json(scalar)) is type(scalar)


def test_functions_of_labutils_come_back_with_their_fixed_arguments():
    bowl = partial(quadratic_gradient, hessian=np.eye(2))
    back = through_json(bowl)
    assert back.func is quadratic_gradient and np.array_equal(back.keywords["hessian"], np.eye(2))


@pytest.mark.parametrize(
    "value",
    [object(), 1j, {1, 2}, {1: 2}, b"bytes", np.longdouble(1), np.complex128(1), np.datetime64("2026-01-01"), print,
     np.array([None]), np.zeros(2, "datetime64[s]"), len, lambda: 0, partial(quadratic_gradient, np.eye(2))],
    ids=lambda value: type(value).__name__,
)  # fmt: skip
def test_what_no_sheet_can_hold_is_refused(value):
    with pytest.raises((TypeError, ValueError), match="sheet|partial"):
        encode(value)


@pytest.mark.parametrize(
    "path", ["os:system", "labutils.checks.values:_find_function", "labutils.checks.values:np.save"]
)
def test_a_sheet_calls_no_function_from_elsewhere(path):
    with pytest.raises(ValueError, match="only public functions of labutils"):
        decode({"function": path, "fixed": {}})
