"""Loss surfaces over two weights: small enough to see whole, each with its gradient written beside it.

A point is an array of shape (..., 2); a loss has shape (...), a gradient the shape of its point. Losses and weights
have no units.
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np


def bowl(point: np.ndarray) -> np.ndarray:
    """Equally steep in every direction: (x² + y²) / 2. Largest curvature 1."""
    x, y = _coordinates(point)
    return (x**2 + y**2) / 2


def bowl_gradient(point: np.ndarray) -> np.ndarray:
    x, y = _coordinates(point)
    return np.stack([x, y], axis=-1)


def ravine(point: np.ndarray) -> np.ndarray:
    """Twenty times steeper across than along: (x² + 20 y²) / 2. Largest curvature 20."""
    x, y = _coordinates(point)
    return (x**2 + 20 * y**2) / 2


def ravine_gradient(point: np.ndarray) -> np.ndarray:
    x, y = _coordinates(point)
    return np.stack([x, 20 * y], axis=-1)


def saddle(point: np.ndarray) -> np.ndarray:
    """A pass between two valleys: x⁴/4 - x²/2 + y²/2. Flat at the origin, minima at (±1, 0)."""
    x, y = _coordinates(point)
    return x**4 / 4 - x**2 / 2 + y**2 / 2


def saddle_gradient(point: np.ndarray) -> np.ndarray:
    x, y = _coordinates(point)
    return np.stack([x**3 - x, y], axis=-1)


def rosenbrock(point: np.ndarray) -> np.ndarray:
    """The banana valley of Rosenbrock (1960), scaled by 1/10: ((1 - x)² + 100 (y - x²)²) / 10. Minimum at (1, 1)."""
    x, y = _coordinates(point)
    return ((1 - x) ** 2 + 100 * (y - x**2) ** 2) / 10


def rosenbrock_gradient(point: np.ndarray) -> np.ndarray:
    x, y = _coordinates(point)
    valley = y - x**2
    return np.stack([(-2 * (1 - x) - 400 * x * valley) / 10, 200 * valley / 10], axis=-1)


def two_minima(point: np.ndarray) -> np.ndarray:
    """A deep, narrow minimum on the left and a shallow, wide one on the right: two Gaussian pits in a wide bowl."""
    x, y = _coordinates(point)
    return (x**2 + y**2) / 10 - 2 * _pit(x, y, -1.0, 0.35) - 1.2 * _pit(x, y, 1.2, 0.8)


def two_minima_gradient(point: np.ndarray) -> np.ndarray:
    x, y = _coordinates(point)
    narrow = 2 * _pit(x, y, -1.0, 0.35) / 0.35**2
    wide = 1.2 * _pit(x, y, 1.2, 0.8) / 0.8**2
    return np.stack([x / 5 + narrow * (x + 1.0) + wide * (x - 1.2), y / 5 + (narrow + wide) * y], axis=-1)


def quadratic_gradient(point: np.ndarray, hessian: np.ndarray) -> np.ndarray:
    """Gradient of wᵀHw / 2 at `point` of shape (d,), for a symmetric `hessian` of shape (d, d)."""
    return np.asarray(hessian) @ np.asarray(point)


@dataclass(frozen=True)
class Surface:
    """A named surface and the part of it worth drawing: `x_range` and `y_range` as (low, high), `start` as (x, y).

    `lowest` is the smallest loss there is.
    """

    title: str
    loss: Callable[[np.ndarray], np.ndarray]
    gradient: Callable[[np.ndarray], np.ndarray]
    x_range: tuple[float, float]
    y_range: tuple[float, float]
    start: tuple[float, float]
    lowest: float = 0.0


SURFACES = {
    "bowl": Surface("Bowl", bowl, bowl_gradient, (-3, 3), (-2, 2), (-2.4, 1.4)),
    "ravine": Surface("Ravine", ravine, ravine_gradient, (-3, 3), (-2, 2), (-2.4, 1.2)),
    "saddle": Surface("Saddle", saddle, saddle_gradient, (-2.1, 2.1), (-1.4, 1.4), (-0.02, 1.2), lowest=-1 / 4),
    "rosenbrock": Surface("Rosenbrock", rosenbrock, rosenbrock_gradient, (-2.1, 2.1), (-0.8, 2), (-1.2, 1.0)),
    "two_minima": Surface(
        "Two minima", two_minima, two_minima_gradient, (-3, 3), (-2, 2), (-2.4, 1.2), lowest=-1.9300161636914246
    ),
}


def _coordinates(point: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    point = np.asarray(point, dtype=float)
    if point.ndim == 0 or point.shape[-1] != 2:
        raise ValueError(f"a point has shape (..., 2), an x and a y; this one has shape {point.shape}")
    return point[..., 0], point[..., 1]


def _pit(x: np.ndarray, y: np.ndarray, centre: float, width: float) -> np.ndarray:
    return np.exp(-((x - centre) ** 2 + y**2) / (2 * width**2))
