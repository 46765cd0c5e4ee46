"""Functions of an array of any shape that return one number: something to take a numerical gradient of."""

import numpy as np


def weighted_cubes(point: np.ndarray) -> float:
    """The cubes of all entries, each times its place, counted from 1: x₁³ + 2 x₂³ + 3 x₃³ + …"""
    flat = np.ravel(point)
    return float(np.arange(1, len(flat) + 1) @ flat**3)


def weighted_cubes_gradient(point: np.ndarray) -> np.ndarray:
    """Its gradient, of the shape of `point`."""
    return 3 * np.arange(1, np.size(point) + 1).reshape(np.shape(point)) * np.square(point)


def neighbour_products(point: np.ndarray) -> float:
    """The products of neighbours in the order of reading: x₁x₂ + x₂x₃ + … Its slope at one entry depends on others."""
    flat = np.ravel(point)
    return float(flat[:-1] @ flat[1:])
