"""The exercise `nesterov_step`."""

from functools import partial

import numpy as np

from grader.exercises.optimizers.common import SINGLE_PRECISION, chapter, gradients
from labutils.surfaces import SURFACES, quadratic_gradient, ravine_gradient

exercise = chapter.exercise(
    "nesterov_step",
    points=3,
    aspects={"from rest": 1, "looking ahead": 2, "any shape": 1},
    hints=(
        "Three lines: where the velocity alone would lead, the new velocity, the new weights. Only one of them calls "
        "`gradient_at`.",
        "The velocity alone moves the weights by `-learning_rate * momentum * velocity`. That point serves to ask for "
        "the gradient, and for nothing else: the step itself starts at `weights`.",
        "With `ahead` computed, the other two lines are those of `momentum_step`, with `gradient_at(ahead)` in the "
        "place of `gradient`.",
    ),
    tolerance=SINGLE_PRECISION,
)


@exercise.reference
def nesterov_step(weights, gradient_at, velocity, learning_rate, momentum=0.9):
    ahead = weights - learning_rate * momentum * velocity
    velocity = momentum * velocity + gradient_at(ahead)
    return weights - learning_rate * velocity, velocity


valley = partial(quadratic_gradient, hessian=np.array([[2.0, 0.0], [0.0, 1.0]]))
exercise.case("from rest", weights=np.array([1.0, -2.0]), gradient_at=valley, velocity=np.zeros(2), learning_rate=0.25)
exercise.case(
    "from rest",
    weights=np.array([-1.0, 0.5]),
    gradient_at=ravine_gradient,
    velocity=np.zeros(2),
    learning_rate=0.04,
    momentum=0.5,
)
motion = {"weights": np.array([1.0, -2.0]), "gradient_at": valley, "velocity": np.array([2.0, -4.0])}
exercise.case("looking ahead", **motion, learning_rate=0.25, momentum=0.5)
exercise.case("looking ahead", **motion, learning_rate=0.1)
exercise.case("looking ahead", **motion, learning_rate=0.25, momentum=0.0)
exercise.case(
    "looking ahead",
    weights=np.array([-2.4, 1.2]),
    gradient_at=ravine_gradient,
    velocity=np.array([3.0, -8.0]),
    learning_rate=0.05,
    momentum=0.8,
)
exercise.case(
    "any shape",
    weights=np.array([3.0]),
    gradient_at=partial(quadratic_gradient, hessian=np.array([[4.0]])),
    velocity=np.array([-2.0]),
    learning_rate=0.2,
    momentum=0.75,
)
exercise.case(
    "any shape",
    weights=np.array([[1.0, 2.0], [-2.0, 0.5], [0.0, 1.0]]),
    gradient_at=ravine_gradient,
    velocity=np.array([[2.0, 5.0], [1.0, -8.0], [-1.0, 4.0]]),
    learning_rate=0.05,
    momentum=0.6,
)


def one_step(rng, gradient_at, weights, learning_rate):
    return {
        "weights": weights,
        "gradient_at": gradient_at,
        "velocity": gradients(rng, weights.shape),
        "learning_rate": learning_rate,
        "momentum": float(rng.uniform(0.4, 0.8)),
    }


def on_a_quadratic(rng, shape):
    """Slopes that change a lot from here to ahead, since no curvature is small."""
    hessian = np.diag(rng.uniform(2, 5, shape[0]))
    return one_step(rng, partial(quadratic_gradient, hessian=hessian), gradients(rng, shape), rng.uniform(0.1, 0.3))


@exercise.hidden("from rest", count=2)
def step_from_rest(rng):
    return on_a_quadratic(rng, (3,)) | {"velocity": np.zeros(3)}


@exercise.hidden("looking ahead", count=3)
def step_on_a_quadratic(rng):
    return on_a_quadratic(rng, (3,))


@exercise.hidden("looking ahead", count=3)
def step_on_a_surface(rng):
    surface = SURFACES[rng.choice(["bowl", "ravine", "saddle", "two_minima"])]
    return one_step(rng, surface.gradient, np.array(surface.start) + rng.uniform(-0.1, 0.1, 2), rng.uniform(0.02, 0.1))


@exercise.hidden("any shape", count=3)
def step_of_any_shape(rng):
    return on_a_quadratic(rng, (int(rng.integers(1, 6)),) + ((), (2,), (4,))[rng.integers(3)])


exercise.slip(
    "You take the gradient where the weights stand. That is momentum without looking ahead; ask for it at the point to "
    "which the velocity alone would carry them.",
    name="gradient_at_the_weights",
    right="gradient_at(ahead)",
    wrong="gradient_at(weights)",
)
exercise.slip(
    "You look back: where the weights come from, not where they go. The weights move against the velocity.",
    name="looks_back",
    right="weights - learning_rate * momentum",
    wrong="weights + learning_rate * momentum",
)
exercise.slip(
    "You look too far ahead, a whole old step. Only the share `momentum` of the old velocity is kept, so only that "
    "share moves the weights.",
    name="a_whole_step_ahead",
    right="weights - learning_rate * momentum * velocity",
    wrong="weights - learning_rate * velocity",
)
exercise.slip(
    "You look far too far ahead: the velocity moves the weights by `learning_rate` times itself, and your look ahead "
    "leaves the rate out.",
    name="rate_left_out_ahead",
    right="weights - learning_rate * momentum * velocity",
    wrong="weights - momentum * velocity",
)
exercise.slip(
    "You start the step from the point ahead, so the old velocity moves the weights twice. Ahead is only where the "
    "gradient is taken; the step begins at `weights`.",
    name="starts_ahead",
    right="return weights - learning_rate",
    wrong="return ahead - learning_rate",
)


@exercise.mistake(
    "You look ahead along the new velocity, for which you took a gradient at the weights. There is one gradient per "
    "step, and it is taken at the point to which the old velocity carries them."
)
def looks_ahead_along_the_new_velocity(weights, gradient_at, velocity, learning_rate, momentum=0.9):
    ahead = weights - learning_rate * (momentum * velocity + gradient_at(weights))
    velocity = momentum * velocity + gradient_at(ahead)
    return weights - learning_rate * velocity, velocity


@exercise.mistake(
    "This is torch's form. It takes the gradient at the weights that it is given, since it stores the point ahead in "
    "their place. Your `weights` are the weights themselves: find the point ahead first."
)
def torchs_stored_point(weights, gradient_at, velocity, learning_rate, momentum=0.9):
    gradient = gradient_at(weights)
    velocity = momentum * velocity + gradient
    return weights - learning_rate * (gradient + momentum * velocity), velocity


@exercise.mistake(
    "Your gradient is taken at the right point, but the step is one of momentum too long. Gradient plus momentum times "
    "the new velocity belongs to torch's form, which stores another point."
)
def looks_ahead_twice(weights, gradient_at, velocity, learning_rate, momentum=0.9):
    gradient = gradient_at(weights - learning_rate * momentum * velocity)
    velocity = momentum * velocity + gradient
    return weights - learning_rate * (gradient + momentum * velocity), velocity


@exercise.mistake(
    "The learning rate (with its minus sign) is inside your velocity, as in the paper. Here the velocity holds "
    "gradients only, and the rate stands where the weights move."
)
def form_of_the_paper(weights, gradient_at, velocity, learning_rate, momentum=0.9):
    velocity = momentum * velocity - learning_rate * gradient_at(weights + momentum * velocity)
    return weights + velocity, velocity


exercise.slip(
    "Your weights walk uphill. The velocity is made of gradients, so they go against it.",
    name="climbs",
    right="return weights - learning_rate",
    wrong="return weights + learning_rate",
)
exercise.slip(
    "Your velocity is an average: the gradient comes in with the weight 1 - momentum. Here it comes in whole.",
    name="gradient_averaged_in",
    right="+ gradient_at(ahead)",
    wrong="+ (1 - momentum) * gradient_at(ahead)",
)
exercise.slip(
    "You follow the gradient ahead and forget the velocity, so nothing rolls. The weights go against the whole new "
    "velocity.",
    name="follows_the_gradient",
    right="return weights - learning_rate * velocity",
    wrong="return weights - learning_rate * gradient_at(ahead)",
)
exercise.slip(
    "Your momentum is fixed at 0.9. That is only the default; use the parameter, ahead and in the velocity.",
    name="momentum_fixed",
    right="    ahead =",
    wrong="    momentum = 0.9\n    ahead =",
)


@exercise.mistake(
    "Your weights follow the old velocity, so the gradient moves them one step late. Update the velocity first, then "
    "let the weights follow the new one."
)
def follows_the_old_velocity(weights, gradient_at, velocity, learning_rate, momentum=0.9):
    ahead = weights - learning_rate * momentum * velocity
    return weights - learning_rate * velocity, momentum * velocity + gradient_at(ahead)


exercise.slip(
    "Your first result is the point ahead of the new weights. It is where the next gradient will be taken, and not "
    "where the weights are.",
    name="returns_the_next_point_ahead",
    right="return weights - learning_rate * velocity",
    wrong="return weights - learning_rate * velocity - learning_rate * momentum * velocity",
)
exercise.slip(
    "Your two results are the wrong way round: first the weights, then the velocity.",
    name="results_swapped",
    right="return weights - learning_rate * velocity, velocity",
    wrong="return velocity, weights - learning_rate * velocity",
)
exercise.slip(
    "These are the weights only. The next step needs the new velocity as well: return both.",
    name="velocity_not_returned",
    right="learning_rate * velocity, velocity",
    wrong="learning_rate * velocity",
)


@exercise.mistake(
    "The numbers are right, but `*=`, `+=` and `-=` write into the arrays that were given to you. Make new ones: "
    "whoever calls you may still need the old."
)
def in_place(weights, gradient_at, velocity, learning_rate, momentum=0.9):
    ahead = weights - learning_rate * momentum * velocity
    velocity *= momentum
    velocity += gradient_at(ahead)
    weights -= learning_rate * velocity
    return weights, velocity


exercise.slip(
    "The numbers are right, but `-=` writes into `weights`, which belong to whoever calls you. Make a new array.",
    name="weights_in_place",
    right="    return weights - learning_rate * velocity",
    wrong="    weights -= learning_rate * velocity\n    return weights",
)
exercise.slip(
    "The numbers are right, but `*=` and `+=` write into `velocity`, which belongs to whoever calls you. Make a new "
    "array.",
    name="velocity_in_place",
    right="    velocity = momentum * velocity + gradient_at(ahead)",
    wrong="    velocity *= momentum\n    velocity += gradient_at(ahead)",
)


@exercise.alternative
def from_the_point_ahead(weights, gradient_at, velocity, learning_rate, momentum=0.9):
    coasting = momentum * velocity
    ahead = weights - learning_rate * coasting
    gradient = gradient_at(ahead)
    return ahead - learning_rate * gradient, coasting + gradient


@exercise.alternative
def with_the_papers_velocity(weights, gradient_at, velocity, learning_rate, momentum=0.9):
    displacement = -learning_rate * velocity
    displacement = momentum * displacement - learning_rate * gradient_at(weights + momentum * displacement)
    return weights + displacement, displacement / -learning_rate


@exercise.alternative
def in_single_precision(weights, gradient_at, velocity, learning_rate, momentum=0.9):
    rate, momentum = np.float32(learning_rate), np.float32(momentum)
    weights, velocity = weights.astype(np.float32), velocity.astype(np.float32)
    velocity = momentum * velocity + gradient_at(weights - rate * momentum * velocity).astype(np.float32)
    return weights - rate * velocity, velocity
