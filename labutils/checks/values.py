"""Puts the values that exercises take and return into JSON and back: the language of the check sheets and of the pipe
on which a grader sends inputs and gets outputs.

Known values: None, booleans, numbers, strings, lists, tuples, dicts with string keys, numpy arrays and scalars, torch
tensors, functions of `labutils` (also with some arguments fixed by `functools.partial`), networks that such a function
builds, as arguments, and the states of networks, as results. Anything else is refused.
Arrays stand in the JSON, or where a list is given for them, in that list, and their place in it in the JSON.
"""

import functools
import math
from collections.abc import Callable, Sequence
from importlib import import_module
from typing import Any

import numpy as np

from labutils.checks.networks import Built, NetworkState, is_network, state_of

LARGEST_ARRAY = 50_000_000
"""Bytes. What is read may come from someone who wants to fill the memory."""


def encode(value: Any, arrays: list[np.ndarray] | None = None) -> Any:
    """Return `value` as JSON-able data. Raises TypeError for a kind of value that no sheet can hold."""
    if value is None or isinstance(value, (bool, int, str)):
        return value
    if isinstance(value, np.generic) and value.dtype.kind in "biuf" and not isinstance(value, np.longdouble):
        return {"scalar": encode(value.item()), "dtype": str(value.dtype)}
    if isinstance(value, float) and not isinstance(value, np.generic):
        return value if math.isfinite(value) else {"float": str(value)}
    if isinstance(value, list):
        return [encode(item, arrays) for item in value]
    if isinstance(value, tuple):
        return {"tuple": [encode(item, arrays) for item in value]}
    if isinstance(value, dict) and all(isinstance(key, str) for key in value):
        return {"dict": {key: encode(item, arrays) for key, item in value.items()}}
    if isinstance(value, np.ndarray) and value.dtype.kind in "biufU":
        return {"array": _numbers(value, arrays), "dtype": str(value.dtype), "shape": list(value.shape)}
    if is_tensor(value):
        array = value.detach().cpu().numpy()
        return {"tensor": _numbers(array, arrays), "dtype": str(array.dtype), "shape": list(array.shape)}
    if isinstance(value, Built):
        return {"built": _encode_function(value.builder, arrays)}
    if isinstance(value, NetworkState) or is_network(value):
        return {"network": encode(state_of(value).values, arrays)}
    if callable(value):
        return _encode_function(value, arrays)
    raise TypeError(f"a check sheet cannot hold a {type(value).__name__}: {value!r:.80}")


def decode(data: Any, arrays: Sequence[np.ndarray] | None = None) -> Any:
    """Return the value that `encode` turned into `data`. Raises ValueError for data that `encode` never makes."""
    if isinstance(data, list):
        return [decode(item, arrays) for item in data]
    if not isinstance(data, dict):
        return data
    kind = next(iter(data), None)
    if kind not in _DECODERS:
        raise ValueError(f"unknown kind of value {kind!r}; known are {', '.join(_DECODERS)}")
    return _DECODERS[kind](data, arrays)


def is_tensor(value: Any) -> bool:
    """Tell whether `value` is a torch tensor, without importing torch."""
    return type(value).__module__.partition(".")[0] == "torch" and hasattr(value, "detach")


def _numbers(array: np.ndarray, arrays: list[np.ndarray] | None) -> Any:
    """The entries as lists, or the place of the array in `arrays`, where it is put. Text always stands in lists."""
    if arrays is None or array.dtype.kind == "U":
        return encode(array.tolist())
    arrays.append(array)
    return {"place": len(arrays) - 1}


def _decode_array(data: dict, arrays: Sequence[np.ndarray] | None, kind: str = "array") -> np.ndarray:
    if arrays is not None and isinstance(data[kind], dict) and "place" in data[kind]:
        return arrays[data[kind]["place"]]
    # As objects at first: among texts, numpy gives each entry the room of the longest.
    entries, dtype = np.array(decode(data[kind]), dtype=object), np.dtype(data["dtype"])
    if dtype.kind not in "biufU" or not dtype.itemsize or entries.size * dtype.itemsize > LARGEST_ARRAY:
        raise ValueError(f"{entries.size} entries of type {dtype} are not what a sheet holds")
    return entries.astype(dtype).reshape(data["shape"])


def _decode_tensor(data: dict, arrays: Sequence[np.ndarray] | None) -> Any:
    import torch

    return torch.from_numpy(_decode_array(data, arrays, "tensor"))


def _encode_function(function: Callable, arrays: list[np.ndarray] | None) -> dict:
    fixed = {}
    if isinstance(function, functools.partial):
        if function.args:
            raise TypeError("fix the arguments of a partial function by name, so that a reader sees which is which")
        function, fixed = function.func, function.keywords
    path = f"{function.__module__}:{function.__qualname__}"
    _find_function(path)
    return {"function": path, "fixed": {name: encode(value, arrays) for name, value in fixed.items()}}


def _decode_function(data: dict, arrays: Sequence[np.ndarray] | None) -> Callable:
    function = _find_function(data["function"])
    fixed = {name: decode(value, arrays) for name, value in data["fixed"].items()}
    return functools.partial(function, **fixed) if fixed else function


def _decode_network(data: dict, arrays: Sequence[np.ndarray] | None) -> NetworkState:
    values = decode(data["network"], arrays)
    if not isinstance(values, dict):
        raise ValueError("the state of a network is a dict")
    return NetworkState(values)


def _find_function(path: str) -> Callable:
    """Look up `package.module:name`; only public functions of labutils, since a sheet is data and not code."""
    module, _, name = path.partition(":")
    if not module.startswith("labutils.") or name.startswith("_") or not name.isidentifier():
        raise ValueError(f"only public functions of labutils can stand in a check sheet, not {path!r}")
    return getattr(import_module(module), name)


_DECODERS: dict[str, Callable[[dict, Sequence[np.ndarray] | None], Any]] = {
    "float": lambda data, arrays: float(data["float"]),
    "scalar": lambda data, arrays: _decode_array({**data, "array": data["scalar"], "shape": ()}, None)[()],
    "tuple": lambda data, arrays: tuple(decode(item, arrays) for item in data["tuple"]),
    "dict": lambda data, arrays: {key: decode(item, arrays) for key, item in data["dict"].items()},
    "array": _decode_array,
    "tensor": _decode_tensor,
    "function": _decode_function,
    "built": lambda data, arrays: Built(_decode_function(data["built"], arrays)),
    "network": _decode_network,
}
