"""Each surface's gradient against differences of its loss, and what is promised about its shape."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from labutils.surfaces import SURFACES, quadratic_gradient

surfaces = pytest.mark.parametrize("surface", SURFACES.values(), ids=SURFACES)
points = st.tuples(st.floats(-3, 3), st.floats(-2, 2)).map(np.array)


@surfaces
@given(point=points)
def test_gradients_are_the_slopes_of_the_loss(surface, point):
    step = 1e-5
    slopes = [(surface.loss(point + e) - surface.loss(point - e)) / (2 * step) for e in step * np.eye(2)]
    np.testing.assert_allclose(surface.gradient(point), slopes, rtol=1e-5, atol=1e-5)


@surfaces
def test_many_points_are_many_single_ones(surface):
    grid = np.random.default_rng(0).uniform(-2, 2, size=(3, 4, 2))
    assert surface.loss(grid).shape == (3, 4) and surface.gradient(grid).shape == (3, 4, 2)
    np.testing.assert_array_equal(surface.loss(grid)[1, 2], surface.loss(grid[1, 2]))
    np.testing.assert_array_equal(surface.gradient(grid)[1, 2], surface.gradient(grid[1, 2]))


@surfaces
def test_the_start_is_in_the_picture(surface):
    x, y = surface.start
    assert surface.x_range[0] < x < surface.x_range[1] and surface.y_range[0] < y < surface.y_range[1]


@pytest.mark.parametrize(
    "name, minimum", [("bowl", (0, 0)), ("ravine", (0, 0)), ("saddle", (1, 0)), ("rosenbrock", (1, 1))]
)
def test_minima_are_where_the_docstrings_say(name, minimum):
    surface = SURFACES[name]
    np.testing.assert_allclose(surface.gradient(np.array(minimum)), 0, atol=1e-12)
    around = np.array(minimum) + 0.01 * np.random.default_rng(0).normal(size=(50, 2))
    assert (surface.loss(around) > surface.loss(np.array(minimum))).all()


@surfaces
def test_the_lowest_loss_is_where_the_best_of_many_descents_ends(surface):
    x, y = np.meshgrid(np.linspace(-3, 3, 13), np.linspace(-3, 3, 13))
    points = np.stack([x, y], axis=-1).reshape(-1, 2)
    for _ in range(3_000):
        points = points - 0.01 * surface.gradient(points).clip(-50, 50)
    assert surface.loss(points).min() == pytest.approx(surface.lowest, abs=1e-12)


@pytest.mark.parametrize("name, limit", [("bowl", 2.0), ("ravine", 0.1)])
def test_descent_is_stable_up_to_two_over_the_largest_curvature(name, limit):
    for rate, stable in ((0.99 * limit, True), (1.01 * limit, False)):
        point = np.array(SURFACES[name].start)
        for _ in range(1000):
            point = point - rate * SURFACES[name].gradient(point)
        assert (np.linalg.norm(point) < 1) == stable


@given(st.integers(1, 5), st.integers(0, 1000))
def test_the_quadratic_gradient_is_that_of_its_loss(dimension, seed):
    random = np.random.default_rng(seed)
    hessian, point = random.normal(size=(dimension, dimension)), random.normal(size=dimension)
    hessian = hessian + hessian.T
    slopes = [
        ((point + e) @ hessian @ (point + e) - (point - e) @ hessian @ (point - e)) / 4e-4
        for e in 1e-4 * np.eye(dimension)
    ]
    np.testing.assert_allclose(quadratic_gradient(point, hessian), slopes, atol=1e-6)


@pytest.mark.parametrize("shape", [(), (3,), (2, 3)])
def test_a_point_of_another_shape_is_refused(shape):
    with pytest.raises(ValueError, match=r"shape \(\.\.\., 2\)"):
        SURFACES["bowl"].loss(np.zeros(shape))
