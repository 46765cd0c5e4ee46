"""Puts the values that exercises take and return into JSON and back: the language of the check sheets.

Known values: None, booleans, numbers, strings, lists, tuples, dicts with string keys, numpy arrays and scalars, torch
tensors, and functions of `labutils` (also with some arguments fixed by `functools.partial`). Anything else is refused.
"""

import functools
import math
from collections.abc import Callable
from importlib import import_module
from typing import Any

import numpy as np


def encode(value: Any) -> Any:
    """Return `value` as JSON-able data. Raises TypeError for a kind of value that no sheet can hold."""
    if value is None or isinstance(value, (bool, int, str)):
        return value
    if isinstance(value, np.generic) and value.dtype.kind in "biuf" and not isinstance(value, np.longdouble):
        return {"scalar": encode(value.item()), "dtype": str(value.dtype)}
    if isinstance(value, float) and not isinstance(value, np.generic):
        return value if math.isfinite(value) else {"float": str(value)}
    if isinstance(value, list):
        return [encode(item) for item in value]
    if isinstance(value, tuple):
        return {"tuple": [encode(item) for item in value]}
    if isinstance(value, dict) and all(isinstance(key, str) for key in value):
        return {"dict": {key: encode(item) for key, item in value.items()}}
    if isinstance(value, np.ndarray) and value.dtype.kind in "biufU":
        return {"array": encode(value.tolist()), "dtype": str(value.dtype), "shape": list(value.shape)}
    if is_tensor(value):
        array = value.detach().cpu().numpy()
        return {"tensor": encode(array.tolist()), "dtype": str(array.dtype), "shape": list(array.shape)}
    if callable(value):
        return _encode_function(value)
    raise TypeError(f"a check sheet cannot hold a {type(value).__name__}: {value!r:.80}")


def decode(data: Any) -> Any:
    """Return the value that `encode` turned into `data`. Raises ValueError for data that `encode` never makes."""
    if isinstance(data, list):
        return [decode(item) for item in data]
    if not isinstance(data, dict):
        return data
    kind = next(iter(data), None)
    if kind not in _DECODERS:
        raise ValueError(f"unknown kind of value {kind!r}; known are {', '.join(_DECODERS)}")
    return _DECODERS[kind](data)


def is_tensor(value: Any) -> bool:
    """Tell whether `value` is a torch tensor, without importing torch."""
    return type(value).__module__.partition(".")[0] == "torch" and hasattr(value, "detach")


def _decode_array(data: dict, kind: str = "array") -> np.ndarray:
    return np.array(decode(data[kind]), dtype=data["dtype"]).reshape(data["shape"])


def _decode_tensor(data: dict) -> Any:
    import torch

    return torch.from_numpy(_decode_array(data, "tensor"))


def _encode_function(function: Callable) -> dict:
    fixed = {}
    if isinstance(function, functools.partial):
        if function.args:
            raise TypeError("fix the arguments of a partial function by name, so that a reader sees which is which")
        function, fixed = function.func, function.keywords
    path = f"{function.__module__}:{function.__qualname__}"
    _find_function(path)
    return {"function": path, "fixed": {name: encode(value) for name, value in fixed.items()}}


def _decode_function(data: dict) -> Callable:
    function = _find_function(data["function"])
    fixed = {name: decode(value) for name, value in data["fixed"].items()}
    return functools.partial(function, **fixed) if fixed else function


def _find_function(path: str) -> Callable:
    """Look up `package.module:name`; only public functions of labutils, since a sheet is data and not code."""
    module, _, name = path.partition(":")
    if not module.startswith("labutils.") or name.startswith("_") or not name.isidentifier():
        raise ValueError(f"only public functions of labutils can stand in a check sheet, not {path!r}")
    return getattr(import_module(module), name)


_DECODERS: dict[str, Callable[[dict], Any]] = {
    "float": lambda data: float(data["float"]),
    "scalar": lambda data: np.dtype(data["dtype"]).type(decode(data["scalar"])),
    "tuple": lambda data: tuple(decode(item) for item in data["tuple"]),
    "dict": lambda data: {key: decode(item) for key, item in data["dict"].items()},
    "array": _decode_array,
    "tensor": _decode_tensor,
    "function": _decode_function,
}
