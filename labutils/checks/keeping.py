"""Keeps what a function returned as it was then: a later call may change it, and a large one would fill the memory."""

import copy
import functools
import sys
import types
from typing import Any

import numpy as np

from labutils.checks import messages
from labutils.checks.comparing import StandIn, describe
from labutils.checks.networks import is_network, state_of
from labutils.checks.values import is_tensor

LARGEST_VALUE = 20_000_000
"""Bytes. No check sheet holds a value of this size, so a larger one cannot be right."""


def keep(value: Any) -> Any:
    """Return a copy of `value`, or a `StandIn` in its place. Raises whatever its parts raise while they are copied.

    A tensor is copied without its gradient function, a list or dict of a class of its own as a plain one; of a network
    its state is kept.
    """
    if _size(value) > LARGEST_VALUE:
        return StandIn("too large", messages.TOO_LARGE.format(description=describe(value)))
    return _copied(value)


def _copied(value: Any) -> Any:
    if is_tensor(value):
        return value.detach().clone()
    if is_network(value):
        return state_of(value)
    if isinstance(value, (list, tuple)):
        return (list if isinstance(value, list) else tuple)(_copied(item) for item in value)
    if isinstance(value, dict):
        return {key: _copied(item) for key, item in value.items()}
    if isinstance(value, (types.FunctionType, functools.partial)):  # a copy of a partial equals nothing else
        return value
    return copy.deepcopy(value)


def _size(value: Any) -> int:
    """About how many bytes a copy would fill."""
    if isinstance(value, np.ndarray):
        return value.nbytes
    if is_tensor(value):
        return value.numel() * value.element_size()
    if is_network(value):
        return sum(map(_size, value.state_dict(keep_vars=True).values()))
    if isinstance(value, (list, tuple, dict)):
        items = value.values() if isinstance(value, dict) else value
        return sys.getsizeof(value) + sum(map(_size, items))
    return sys.getsizeof(value)
