"""The exercise `numerical_gradient`."""

import numpy as np

from grader.exercises.convolution_backprop.common import SINGLE_PRECISION, chapter
from labutils.scalars import neighbour_products, weighted_cubes
from labutils.surfaces import ravine, rosenbrock, saddle, two_minima

exercise = chapter.exercise(
    "numerical_gradient",
    points=2,
    aspects={"two-sided differences": 2, "any shape": 1, "whole numbers": 1, "no step": 1},
    hints=(
        "One entry at a time: move it a little up, then a little down, and ask the function both times. All other "
        "entries stay where they are.",
        "Work on a copy that holds floats: `moved = point.astype(float)`, a new one for each entry and side. "
        "`np.ndindex(point.shape)` gives the index of every entry, whatever the shape.",
        "For each `index`: `up = point.astype(float)` and `up[index] += step`, `down` likewise; then "
        "`(function(up) - function(down)) / (2 * step)` is the entry of the gradient.",
    ),
    tolerance=SINGLE_PRECISION,
)


@exercise.reference
def numerical_gradient(function, point, step=1e-5):
    if step <= 0:
        raise ValueError(f"the step is {step}; it must be larger than 0")
    gradient = np.zeros(point.shape)
    for index in np.ndindex(point.shape):
        up, down = point.astype(float), point.astype(float)
        up[index] += step
        down[index] -= step
        gradient[index] = (function(up) - function(down)) / (2 * step)
    return gradient


two_sided, any_shape, whole, no_step = exercise.aspects
exercise.case(two_sided, function=ravine, point=np.array([3.0, 0.5]), step=0.25)
# Steps so large that two sides, one side and the true gradient are three different things.
exercise.case(two_sided, function=rosenbrock, point=np.array([-1.2, 1.0]), step=0.5)
exercise.case(two_sided, function=two_minima, point=np.array([0.5, -0.4]), step=0.25)
exercise.case(two_sided, function=saddle, point=np.array([1.3, -0.7]))
exercise.case(two_sided, function=weighted_cubes, point=np.array([0.7, -1.3, 0.4]), step=0.1)
exercise.case(any_shape, function=weighted_cubes, point=np.array([[0.7, -1.1, 0.3], [1.9, 0.4, -0.6]]), step=0.3)
exercise.case(any_shape, function=neighbour_products, point=np.array([[[0.7, -1.1]], [[1.9, 0.4]]]))
exercise.case(any_shape, function=weighted_cubes, point=np.array(1.7), step=0.5)
exercise.case(any_shape, function=neighbour_products, point=np.zeros((0, 2)))
exercise.case(whole, function=ravine, point=np.array([2, -1]), step=0.25)
exercise.case(whole, function=weighted_cubes, point=np.array([[1, 2], [-3, 0]]), step=0.5)
exercise.case(whole, function=weighted_cubes, point=np.array([3, -1]))
exercise.case(no_step, function=ravine, point=np.array([3.0, 0.5]), step=0.0)
exercise.case(no_step, function=ravine, point=np.array([3.0, 0.5]), step=-0.25)
exercise.case(no_step, function=weighted_cubes, point=np.array([1.1]), step=1e-3)

SURFACES = ravine, rosenbrock, saddle, two_minima


@exercise.hidden(two_sided, count=4)
def on_a_surface(rng):
    surface = SURFACES[rng.integers(len(SURFACES))]
    return {"function": surface, "point": rng.uniform(-1.5, 1.5, 2), "step": float(rng.uniform(0.1, 0.5))}


@exercise.hidden(two_sided, count=2)
def default_step(rng):
    return {"function": weighted_cubes, "point": rng.uniform(0.5, 1.5, int(rng.integers(2, 6)))}


@exercise.hidden(any_shape, count=4)
def of_any_shape(rng):
    shape = ((), (1, 3), (2, 2), (2, 1, 3), (3, 2, 1, 2))[rng.integers(5)]
    function = (weighted_cubes, neighbour_products)[rng.integers(2)]
    return {"function": function, "point": np.array(rng.uniform(-2, 2, shape)), "step": float(rng.uniform(0.1, 0.5))}


@exercise.hidden(whole, count=3)
def whole_numbers(rng):
    shape = tuple(rng.integers(1, 4, 2))
    return {"function": weighted_cubes, "point": rng.integers(-4, 5, shape), "step": float(rng.uniform(0.1, 0.5))}


@exercise.hidden(no_step, count=2)
def backwards(rng):
    return {"function": saddle, "point": rng.uniform(-1, 1, 2), "step": -float(rng.uniform(0, 1))}


DIFFERENCE = "(function(up) - function(down)) / (2 * step)"
exercise.slip(
    "You look at one side only, upwards. The curvature spoils such a difference: its error falls like the step, that "
    "of the two-sided one like its square. Ask for the function at both sides.",
    name="one_sided",
    right=DIFFERENCE,
    wrong="(function(up) - function(point.astype(float))) / step",
)
exercise.slip(
    "You look at one side only, downwards. The curvature spoils such a difference. Ask for the function at both sides.",
    name="one_sided_downwards",
    right=DIFFERENCE,
    wrong="(function(point.astype(float)) - function(down)) / step",
)
exercise.slip(
    "Your gradient is twice too large. From one side to the other it is two steps.",
    name="one_step_between_the_sides",
    right=DIFFERENCE,
    wrong="(function(up) - function(down)) / step",
)
exercise.slip(
    "`/ 2 * step` divides by 2 and then multiplies by the step. Put brackets round `2 * step`.",
    name="brackets_left_out",
    right=DIFFERENCE,
    wrong="(function(up) - function(down)) / 2 * step",
)
exercise.slip(
    "You divide by the square of the step. That belongs to a second derivative; for a slope divide by the way between "
    "the two sides.",
    name="step_squared",
    right=DIFFERENCE,
    wrong="(function(up) - function(down)) / (2 * step**2)",
)
exercise.slip(
    "You do not divide by the way between the two sides: this is how much the function changes, not its slope.",
    name="not_divided",
    right=DIFFERENCE,
    wrong="function(up) - function(down)",
)
exercise.slip(
    "Every sign is turned round. The gradient points upwards: the value above less the value below.",
    name="sign_turned",
    right=DIFFERENCE,
    wrong="(function(down) - function(up)) / (2 * step)",
)
exercise.slip(
    "This is the second difference, a curvature. For the slope take the value above less the value below.",
    name="second_difference",
    right=DIFFERENCE,
    wrong="(function(up) - 2 * function(point.astype(float)) + function(down)) / step**2",
)
exercise.slip(
    "A point of whole numbers gets a gradient of 0: written into an array of whole numbers, the step is rounded away. "
    "Make the copies with `astype(float)`.",
    name="step_rounded_away",
    right="point.astype(float), point.astype(float)",
    wrong="point.copy(), point.copy()",
)


@exercise.mistake(
    "You move all entries at once. That gives the slope in one slanting direction, the same number for each entry. "
    "Move one entry and leave the others."
)
def all_entries_moved(function, point, step=1e-5):
    if step <= 0:
        raise ValueError("step must be positive")
    return np.full(point.shape, (function(point + step) - function(point - step)) / (2 * step))


@exercise.mistake(
    "An entry that you have moved stays moved while you go on to the next ones: each later slope is taken at another "
    "point. Start from a fresh copy each time, or move the entry back."
)
def never_moved_back(function, point, step=1e-5):
    if step <= 0:
        raise ValueError("step must be positive")
    moved, gradient = point.astype(float), np.zeros(point.shape)
    for index in np.ndindex(point.shape):
        moved[index] += step
        above = function(moved)
        moved[index] -= 2 * step
        gradient[index] = (above - function(moved)) / (2 * step)
    return gradient


@exercise.mistake(
    "You move entries of `point` itself and do not move them back, so each later slope is taken at another point, and "
    "the caller's array is no longer what it was. Work on a fresh copy."
)
def moved_in_place(function, point, step=1e-5):
    if step <= 0:
        raise ValueError("step must be positive")
    gradient = np.zeros(point.shape)
    for index in np.ndindex(point.shape):
        point[index] += step
        above = function(point)
        point[index] -= 2 * step
        gradient[index] = (above - function(point)) / (2 * step)
    return gradient


@exercise.mistake(
    "You move entries of `point` itself and back again. With the step added, taken off twice and added, rounding "
    "leaves some of them in another place, and whole numbers do not move at all. Work on a copy of floats."
)
def moved_in_place_and_back(function, point, step=1e-5):
    if step <= 0:
        raise ValueError("step must be positive")
    gradient = np.zeros(point.shape)
    for index in np.ndindex(point.shape):
        point[index] += step
        above = function(point)
        point[index] -= 2 * step
        gradient[index] = (above - function(point)) / (2 * step)
        point[index] += step
    return gradient


@exercise.mistake(
    "You go along the first axis only, so whole rows move at once. `np.ndindex(point.shape)` visits every entry, "
    "whatever the shape."
)
def rows_moved(function, point, step=1e-5):
    if step <= 0:
        raise ValueError("step must be positive")
    gradient = np.zeros(point.shape)
    for i in range(len(point)):
        up, down = point.astype(float), point.astype(float)
        up[i] += step
        down[i] -= step
        gradient[i] = (function(up) - function(down)) / (2 * step)
    return gradient


@exercise.mistake(
    "Your gradient comes back flat. It has the shape of `point`, so that both can be subtracted: reshape it at the end."
)
def flat(function, point, step=1e-5):
    if step <= 0:
        raise ValueError("step must be positive")
    gradient = np.zeros(point.size)
    for i in range(point.size):
        up, down = point.astype(float), point.astype(float)
        up.flat[i] += step
        down.flat[i] -= step
        gradient[i] = (function(up) - function(down)) / (2 * step)
    return gradient


@exercise.mistake("Your step is fixed at 1e-5. That is only the default; use the parameter.")
def step_fixed(function, point, step=1e-5):
    if step <= 0:
        raise ValueError("step must be positive")
    step = 1e-5
    gradient = np.zeros(point.shape)
    for index in np.ndindex(point.shape):
        up, down = point.astype(float), point.astype(float)
        up[index] += step
        down[index] -= step
        gradient[index] = (function(up) - function(down)) / (2 * step)
    return gradient


exercise.slip(
    "Your step goes half upwards and half downwards. Asked for is a whole step to each side.",
    name="half_a_step_to_each_side",
    right="gradient = np.zeros(point.shape)",
    wrong="gradient, step = np.zeros(point.shape), step / 2",
)
exercise.slip(
    "A step of 0 should be refused, and yours divides by it.",
    name="no_step_accepted",
    right="step <= 0",
    wrong="step < 0",
)
exercise.slip(
    "A step of 0 or less should be refused with a ValueError: dividing by 0 gives no slope.",
    name="any_step_accepted",
    right="step <= 0",
    wrong="step is None",
)
exercise.slip(
    "You make `down` from `up` when that has been moved already: taking one step off brings it back to the "
    "point. Start both from `point`.",
    name="down_from_up",
    right="down[index] -= step",
    wrong="down = up.copy()\n        down[index] -= step",
)
exercise.slip(
    "`up = point` makes no copy: it is another name for the same array, so you move the caller's point, and "
    "it stays moved. Copy it, as floats.",
    name="up_is_the_point",
    right="up, down = point.astype(float), point.astype(float)",
    wrong="up, down = point, point.astype(float)",
)
exercise.slip(
    "You make a step of 0 or less into a usable one. It is a mistake of the caller: refuse it with a "
    "ValueError, or nobody notices.",
    name="step_made_positive",
    right="if step <= 0:",
    wrong="step = abs(step) or 1e-5\n    if step <= 0:",
)


@exercise.alternative
def with_unit_directions(function, point, step=1e-5):
    if not step > 0:
        raise ValueError("the step must be positive")
    directions = step * np.eye(point.size).reshape(point.size, *point.shape)
    slopes = [(function(point + one) - function(point - one)) / 2 / step for one in directions]
    return np.array(slopes, dtype=float).reshape(point.shape)


@exercise.alternative
def one_copy_set_back(function, point, step=1e-5):
    if step <= 0:
        raise ValueError("the step must be positive")
    moved = np.array(point, dtype=np.float64)
    gradient = np.empty_like(moved)
    for index, value in np.ndenumerate(point):
        moved[index] = value - step
        below = function(moved)
        moved[index] = value + step
        gradient[index] = 0.5 * (function(moved) - below) / step
        moved[index] = value
    return gradient
