"""Torch networks as arguments and results of an exercise, in plain data: nothing is unpickled, and no torch imported
before a network is there.

As an argument stands a `Built`, the public function of `labutils` that builds the network; each call gets a network of
its own. What comes back is known by what it has become, its `NetworkState`.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np

NAMED_AS = {"parameters": "", "trainable": ".requires_grad", "buffers": "", "in training": ".training"}
"""What a state holds of each name, and what torch puts behind the name for it."""


@dataclass(frozen=True)
class Built:
    """An argument that is made anew for each call: a network. `builder` may be a `functools.partial`."""

    builder: Callable[[], Any]

    @cached_property
    def state(self) -> "NetworkState":
        """The state of what is built, which is the same each time."""
        return state_of(self.builder())


@dataclass(frozen=True, eq=False)
class NetworkState:
    """What a network is at a moment. `values` holds, by name, its "parameters", whether each is "trainable", its
    "buffers", and the mode of each layer for which it matters: whether it is "in training".
    """

    values: dict[str, dict[str, Any]]


def is_network(value: Any) -> bool:
    """Tell whether `value` is a torch module, without importing torch."""
    return any(
        base.__name__ == "Module" and base.__module__ == "torch.nn.modules.module" for base in type(value).__mro__
    )


def state_of(network: Any) -> NetworkState:
    """The state of a network, with copies of its arrays. A `Built` has none: it may come from someone who wants the
    process that compares to build it.
    """
    if isinstance(network, NetworkState):
        return network
    parameters = _by_name(network.named_parameters(remove_duplicate=False))
    buffers = _by_name(network.named_buffers(remove_duplicate=False))
    layers = _by_name(network.named_modules(remove_duplicate=False))
    return NetworkState(
        {
            "parameters": {name: _array(weights) for name, weights in parameters.items()},
            "trainable": {name: bool(weights.requires_grad) for name, weights in parameters.items()},
            "buffers": {name: _array(buffer) for name, buffer in buffers.items()},
            "in training": {name: bool(layer.training) for name, layer in layers.items() if _has_modes(layer)},
        }
    )


def _by_name(named: Iterable[tuple[str, Any]]) -> dict[str, Any]:
    """By name, and with a mark where another one has it: torch lets a layer be called like one inside another."""
    found: dict[str, Any] = {}
    for name, value in named:
        while name in found:
            name += " (again)"
        found[name] = value
    return found


def _has_modes(layer: Any) -> bool:
    """Tell whether a layer computes something else in training: dropout and batch normalization do."""
    from torch.nn.modules.batchnorm import _NormBase
    from torch.nn.modules.dropout import _DropoutNd

    return isinstance(layer, (_NormBase, _DropoutNd))


def _array(tensor: Any) -> np.ndarray:
    return tensor.detach().cpu().numpy().copy()
