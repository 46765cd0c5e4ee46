"""Compares what a function returned with what it should have: the first rung of a ladder on which the two differ.

The rungs, in order: nothing returned, wrong type, wrong keys, wrong length or shape, wrong dtype, NaN or infinite,
another spelling, wrong values. Each later rung makes sense only once the earlier ones hold, so a student is told one
thing at a time.
"""

import functools
import itertools
import types
from dataclasses import dataclass
from typing import Any

import numpy as np

from labutils.checks import messages
from labutils.checks.networks import NAMED_AS, Built, NetworkState, is_network, state_of
from labutils.checks.values import is_tensor

LONGEST_QUOTE = 100
MOST_KEYS = 12


@dataclass(frozen=True)
class Tolerance:
    """Numbers are equal when |got - expected| <= absolute + relative · |expected|."""

    relative: float = 1e-6
    absolute: float = 1e-9


@dataclass(frozen=True, eq=False)
class StandIn:
    """Stands in place of a returned value that was not kept: too large, or of a kind that no sheet holds.

    `kind` is the value's, a key of `messages.KINDS`; `description` says it in words. It equals nothing, another one
    neither.
    """

    kind: str
    description: str


@dataclass(frozen=True)
class Difference:
    """Where and how two values differ. `place` is empty for the value as a whole, else as Python would index it.

    Where they differ in kind, `kinds` are those of the expected and the returned value, keys of `messages.KINDS`, or
    "single" for a tuple with one entry.
    """

    rung: str
    expected: str
    got: str
    place: str = ""
    count: int = 1
    kinds: tuple[str, str] = ("", "")


def difference(
    expected: Any, got: Any, tolerance: Tolerance = Tolerance(), *, exact: bool = False, place: str = ""
) -> Difference | None:
    """Return the first difference between two values, or None when they agree. Raises nothing, whatever `got` is.

    Python and numpy numbers are one type, and so are lists and tuples, and floats of any width: a right answer written
    differently is right. With `exact`, numbers must be identical (used to see whether an argument was changed).
    """
    try:
        return _difference(expected, got, tolerance, exact, place)
    except Exception as error:  # an entry whose `==` raises, a tensor that numpy cannot hold
        return Difference("unreadable", describe(expected), type(error).__name__, place)


def kind_of(value: Any) -> str:
    """The type as a student would name it, numbers and lists taken together."""
    if value is None:
        return "nothing"
    if isinstance(value, StandIn):
        return value.kind
    if isinstance(value, np.ndarray):
        return _kind_of_array(value)
    for kind, types_of_kind in _KINDS.items():
        if isinstance(value, types_of_kind):
            return kind
    if is_tensor(value):
        return "tensor"
    return "network" if isinstance(value, (Built, NetworkState)) or is_network(value) else "other"


def describe(value: Any) -> str:
    """A value's type in words: "a numpy array of shape (3, 2)", "a generator"."""
    if isinstance(value, StandIn):
        return value.description
    kind = _finer_kind_of(value)
    shape = tuple(value.shape) if kind in ("array", "tensor") else ()
    return messages.KINDS[kind].format(shape=shape, name=type(value).__name__)


def _finer_kind_of(value: Any) -> str:
    """The kind, with lists and tuples told apart, which are compared as one."""
    return "tuple" if type(value) is tuple else kind_of(value)


_KINDS: dict[str, Any] = {
    "boolean": (bool, np.bool_),
    "number": (int, float, np.number),
    "string": str,
    "list": (list, tuple),
    "dict": dict,
    "generator": types.GeneratorType,
    "iterator": (map, filter, zip, range, enumerate, reversed),
    "class": type,
    "function": (types.FunctionType, types.BuiltinFunctionType, types.MethodType, np.ufunc, functools.partial),
}
_PLAIN = (float, int, str, bool)
"""Most numbers of a right answer are equal, which is seen at once."""


def _kind_of_array(array: np.ndarray) -> str:
    """An array without dimensions is the number in it."""
    return {"b": "boolean", "i": "number", "u": "number", "f": "number", "c": "number"}.get(
        "" if array.shape else array.dtype.kind, "array"
    )


def _difference(expected: Any, got: Any, tolerance: Tolerance, exact: bool, place: str) -> Difference | None:
    if type(expected) is type(got) in _PLAIN and expected == got:
        return None
    wanted, given = kind_of(expected), kind_of(got)
    if wanted != given:
        rung = "nothing" if got is None else "type"
        kinds = _finer_kind_of(expected), "single" if type(got) is tuple and len(got) == 1 else _finer_kind_of(got)
        return Difference(rung, describe(expected), describe(got), place, kinds=kinds)
    if isinstance(got, StandIn):
        return Difference("unreadable", describe(expected), got.description, place)
    if wanted in ("array", "tensor", "number"):
        return _arrays_differ(expected, got, tolerance, exact, place)
    if wanted == "network":
        return _networks_differ(state_of(expected).values, state_of(got).values, tolerance, exact, place)
    if wanted == "dict":
        return _dicts_differ(expected, got, tolerance, exact, place)
    if wanted == "list":
        return _lists_differ(expected, got, tolerance, exact, place)
    if wanted == "string" and expected != got and _letters(expected) == _letters(got):
        return Difference("spelling", _quoted(expected), _quoted(got), place)
    if wanted in ("string", "boolean", "nothing"):
        return None if expected == got else Difference("values", _quoted(expected), _quoted(got), place)
    return (
        None if expected is got or expected == got else Difference("values", describe(expected), describe(got), place)
    )


def _arrays_differ(expected: Any, got: Any, tolerance: Tolerance, exact: bool, place: str) -> Difference | None:
    expected, got = _as_numpy(expected), _as_numpy(got)
    if expected.shape != got.shape:
        return Difference("shape", str(expected.shape), str(got.shape), place)
    if expected.shape and _dtype_family(expected) != _dtype_family(got):
        return Difference("dtype", str(expected.dtype), str(got.dtype), place)
    if np.array_equal(expected, got):
        return None
    if expected.dtype.kind not in "iufcb" or got.dtype.kind not in "iufcb":
        equal = np.asarray(expected == got)
    elif exact or _are_whole(expected, got):
        equal = (expected == got) | (np.isnan(expected) & np.isnan(got))
    else:
        lost = np.isfinite(expected) & ~np.isfinite(got)
        if lost.any():
            return _entry("not finite", expected, got, lost, place)
        equal = np.isclose(got, expected, tolerance.relative, tolerance.absolute, equal_nan=True)
        if _are_whole(expected):  # a count that was made by a division: rounded, but not off by one
            equal &= np.abs(got - expected) < 0.5
    return None if equal.all() else _entry("values", expected, got, ~equal, place)


def _as_numpy(value: Any) -> np.ndarray:
    return value.detach().cpu().numpy() if is_tensor(value) else np.asarray(value)


def _are_whole(*arrays: np.ndarray) -> bool:
    return all(array.dtype.kind in "iub" for array in arrays)


def _dtype_family(array: np.ndarray) -> str:
    return {"u": "i"}.get(array.dtype.kind, array.dtype.kind)


def _entry(rung: str, expected: np.ndarray, got: np.ndarray, wrong: np.ndarray, place: str) -> Difference:
    index = tuple(int(i) for i in np.argwhere(wrong)[0])
    where = f"{place}[{', '.join(map(str, index))}]" if index else place
    for digits in (7, 17):  # as many as are needed to see the two apart
        wanted, given = _number(expected[index], digits), _number(got[index], digits)
        if wanted != given:
            break
    return Difference(rung, wanted, given, where, int(wrong.sum()))


def _number(value: Any, digits: int) -> str:
    if isinstance(value, (int, np.integer)):
        return _quoted(int(value))
    return f"{value:.{digits}g}" if isinstance(value, (float, np.number)) else _quoted(value)


def _quoted(value: Any) -> str:
    """As Python writes it, cut when it is long."""
    text = repr(value[:LONGEST_QUOTE] if isinstance(value, str) else value)
    return text if len(text) <= LONGEST_QUOTE else f"{text[:LONGEST_QUOTE]}…"


def _letters(text: str) -> str:
    """A string without what is easily mistyped: spaces, and whether a letter is a capital."""
    return "".join(text.split()).casefold()


def _keys(mapping: dict) -> str:
    """The keys of a dict in words, the first few of many."""
    shown = [_quoted(key) for key in itertools.islice(mapping, MOST_KEYS)]
    return ", ".join(shown) + (" …" if len(mapping) > MOST_KEYS else "") or messages.NO_KEYS


def _dicts_differ(expected: dict, got: dict, tolerance: Tolerance, exact: bool, place: str) -> Difference | None:
    if expected.keys() != got.keys():
        return Difference("keys", _keys(expected), _keys(got), place)
    pairs = ((expected[key], got[key], f"{place}[{key!r}]") for key in expected)
    return _first_difference(pairs, tolerance, exact)


def _networks_differ(expected: dict, got: dict, tolerance: Tolerance, exact: bool, place: str) -> Difference | None:
    """The first difference between two states of networks, its place named as torch names it: "norm.training"."""
    for kind, suffix in NAMED_AS.items():
        wanted, given = ({f"{name}{suffix}": value for name, value in one[kind].items()} for one in (expected, got))
        found = _dicts_differ(wanted, given, tolerance, exact, place)
        if found:
            return found
        for name in wanted if kind == "parameters" else ():  # torch does not multiply float32 by float64
            types = wanted[name].dtype, given[name].dtype
            if types[0] != types[1]:
                return Difference("dtype", str(types[0]), str(types[1]), f"{place}[{name!r}]")
    return None


def _lists_differ(expected: list, got: list, tolerance: Tolerance, exact: bool, place: str) -> Difference | None:
    if len(expected) != len(got):
        return Difference("length", str(len(expected)), str(len(got)), place)
    pairs = ((wanted, given, f"{place}[{i}]") for i, (wanted, given) in enumerate(zip(expected, got)))
    return _first_difference(pairs, tolerance, exact)


def _first_difference(pairs: Any, tolerance: Tolerance, exact: bool) -> Difference | None:
    found = (difference(wanted, given, tolerance, exact=exact, place=place) for wanted, given, place in pairs)
    return next((one for one in found if one), None)
