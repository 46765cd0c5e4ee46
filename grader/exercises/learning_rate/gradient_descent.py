"""The exercise `gradient_descent`."""

from functools import partial

import numpy as np

from grader.exercises.learning_rate.common import SINGLE_PRECISION, chapter, symmetric_matrix
from labutils.surfaces import SURFACES, quadratic_gradient, ravine_gradient

exercise = chapter.exercise(
    "gradient_descent",
    points=2,
    aspects={"one step": 1, "every step": 2, "any dimension": 1},
    hints=(
        "Keep the points in a list. What is in it before the first step, and where does the next point start from?",
        "In each of the `steps` rounds take the last point of the list, ask `gradient` for the slope there, and append "
        "a new point. In the end `np.array(points)` makes rows of them.",
        "Begin with `points = [start]`; each round appends `points[-1] - learning_rate * gradient(points[-1])`.",
    ),
    tolerance=SINGLE_PRECISION,
)


@exercise.reference
def gradient_descent(gradient, start, learning_rate, steps):
    points = [start]
    for _ in range(steps):
        points.append(points[-1] - learning_rate * gradient(points[-1]))
    return np.array(points)


# Two steps of two weights come first: after one step, rows and columns that are swapped have the right shape.
exercise.case("every step", gradient=ravine_gradient, start=np.array([2.0, 1.0]), learning_rate=0.1, steps=2)
exercise.case("one step", gradient=ravine_gradient, start=np.array([2.0, 1.0]), learning_rate=0.04, steps=1)
exercise.case("every step", gradient=ravine_gradient, start=np.array([2.0, 1.0]), learning_rate=0.1, steps=0)
# Arrives, and runs away: neither is a reason to stop early or to clip.
bowl = {"gradient": partial(quadratic_gradient, hessian=np.diag([2.0, 2.0])), "start": np.array([8.0, 4.0])}
exercise.case("every step", **bowl, learning_rate=0.45, steps=6)
exercise.case("every step", **bowl, learning_rate=1.5, steps=6)
exercise.case(
    "any dimension",
    gradient=partial(quadratic_gradient, hessian=np.diag([1.0, 2.0, 3.0])),
    start=np.array([8.0, 4.0, 2.0]),
    learning_rate=0.5,
    steps=2,
)
exercise.case(
    "any dimension",
    gradient=partial(quadratic_gradient, hessian=np.array([[2.0]])),
    start=np.array([8.0]),
    learning_rate=0.25,
    steps=2,
)


def near_a_start(rng, steps):
    """Small steps on one of the surfaces, from near the point at which the chapter's playground starts."""
    surface = SURFACES[rng.choice(list(SURFACES))]
    return {
        "gradient": surface.gradient,
        "start": np.array(surface.start) + rng.uniform(-0.1, 0.1, 2),
        "learning_rate": float(rng.uniform(0.002, 0.005)),
        "steps": steps,
    }


@exercise.hidden("one step", count=3)
def one_step_on_a_surface(rng):
    return near_a_start(rng, steps=1)


@exercise.hidden("every step", count=5)
def steps_on_a_surface(rng):
    return near_a_start(rng, steps=int(rng.integers(2, 30)))


@exercise.hidden("any dimension", count=4)
def steps_on_a_quadratic(rng):
    curvatures = rng.uniform(0.5, 10, rng.integers(1, 7))
    return {
        "gradient": partial(quadratic_gradient, hessian=symmetric_matrix(rng, curvatures)),
        "start": rng.normal(size=len(curvatures)),
        "learning_rate": float(rng.uniform(0.02, 0.15)),
        "steps": int(rng.integers(2, 12)),
    }


exercise.slip(
    "Your points walk uphill. The gradient points to where the loss grows; which way should a step go?",
    name="climbs",
    right="points[-1] - learning_rate",
    wrong="points[-1] + learning_rate",
)
exercise.slip(
    "All your steps are equal: the slope is taken at the start only. It changes along the way, so ask `gradient` again "
    "at every new point.",
    name="slope_of_the_start",
    right="gradient(points[-1])",
    wrong="gradient(start)",
)


@exercise.mistake("One row is missing, the first: the trajectory begins with `start`, before any step is made.")
def start_left_out(gradient, start, learning_rate, steps):
    points = []
    point = start
    for _ in range(steps):
        point = point - learning_rate * gradient(point)
        points.append(point)
    return np.array(points)


exercise.slip(
    "One row is missing, the last. `steps` counts the steps, not the points: between n points there are n - 1 steps.",
    name="last_step_left_out",
    right="range(steps)",
    wrong="range(steps - 1)",
)
exercise.slip(
    "One row too many: `steps` steps and the start make steps + 1 rows. Your loop goes round once more.",
    name="one_step_too_many",
    right="range(steps)",
    wrong="range(steps + 1)",
)


@exercise.mistake("This is the last point only. The whole way is asked for: collect every point, then return them all.")
def end_only(gradient, start, learning_rate, steps):
    for _ in range(steps):
        start = start - learning_rate * gradient(start)
    return start


@exercise.mistake(
    "All your rows are equal, and `start` has changed: `-=` writes into the array itself, and the list holds that one "
    "array many times. Make a new array in each step."
)
def walks_in_place(gradient, start, learning_rate, steps):
    points = [start]
    for _ in range(steps):
        start -= learning_rate * gradient(start)
        points.append(start)
    return np.array(points)


@exercise.mistake(
    "All your rows show the last point: the list holds one and the same array again and again, and `-=` changes it for "
    "all of them. A copy at the beginning protects `start`, but not the rows."
)
def walks_in_one_copy(gradient, start, learning_rate, steps):
    point = start.copy()
    points = [point]
    for _ in range(steps):
        point -= learning_rate * gradient(point)
        points.append(point)
    return np.array(points)


exercise.slip(
    "Your steps are the whole gradient. Where does `learning_rate` come in?",
    name="rate_left_out",
    right="learning_rate * gradient",
    wrong="gradient",
)
exercise.slip(
    "All your steps are equally long: you divide the gradient by its length. The step is `learning_rate` times the "
    "gradient as it is, long where it is steep and short where it is flat.",
    name="slope_normalised",
    right="gradient(points[-1])",
    wrong="gradient(points[-1]) / np.linalg.norm(gradient(points[-1]))",
)
exercise.slip(
    "Your function ends after the first step: its `return` stands inside the loop. Move it to the left, below the "
    "whole loop.",
    name="returns_in_the_loop",
    right="    return",
    wrong="        return",
)


@exercise.mistake("Your function works for two weights only; here there are more, or fewer. `start` tells how many.")
def two_weights_only(gradient, start, learning_rate, steps):
    points = np.zeros((steps + 1, 2))
    points[0] = start
    for step in range(steps):
        points[step + 1] = points[step] - learning_rate * gradient(points[step])
    return points


@exercise.alternative
def row_by_row(gradient, start, learning_rate, steps):
    points = np.zeros((steps + 1, len(start)))
    points[0] = start
    for step in range(steps):
        points[step + 1] = points[step] - learning_rate * gradient(points[step])
    return points


@exercise.alternative
def in_single_precision(gradient, start, learning_rate, steps):
    points = np.empty((steps + 1, start.size), dtype=np.float32)
    points[0] = start
    for step in range(1, steps + 1):
        points[step] = points[step - 1] - np.float32(learning_rate) * gradient(points[step - 1]).astype(np.float32)
    return points
