"""The exercise `momentum_step`."""

import numpy as np
import torch

from grader.exercises.optimizers.common import SINGLE_PRECISION, any_shape, chapter, gradients

exercise = chapter.exercise(
    "momentum_step",
    points=2,
    aspects={"from rest": 1, "in motion": 2, "any shape": 1},
    hints=(
        "Two lines of arithmetic: first the velocity, then the weights. Which velocity do the weights follow, the old "
        "one or the new one?",
        "They follow the new one. Give it a name of its own, so that neither `velocity` nor `weights` changes for "
        "whoever calls you.",
        "With the new velocity `momentum * velocity + gradient`, return a tuple: the weights less `learning_rate` "
        "times it, and the velocity itself.",
    ),
    tolerance=SINGLE_PRECISION,
)


@exercise.reference
def momentum_step(weights, gradient, velocity, learning_rate, momentum=0.9):
    velocity = momentum * velocity + gradient
    return weights - learning_rate * velocity, velocity


rest = {"weights": np.array([1.0, 2.0]), "gradient": np.array([4.0, -3.0]), "velocity": np.zeros(2)}
exercise.case("from rest", **rest, learning_rate=0.25)
exercise.case("from rest", **rest, learning_rate=0.1, momentum=0.5)
motion = {"weights": np.array([1.0, 2.0]), "gradient": np.array([4.0, 0.0]), "velocity": np.array([2.0, -4.0])}
exercise.case("in motion", **motion, learning_rate=0.25, momentum=0.5)
exercise.case("in motion", **motion, learning_rate=0.1)
exercise.case("in motion", **motion, learning_rate=0.25, momentum=0.0)
# On a steep slope a velocity grows large, and nothing holds it back.
exercise.case(
    "in motion",
    weights=np.array([1.0, 2.0]),
    gradient=np.array([400.0, 0.0]),
    velocity=np.array([200.0, -4000.0]),
    learning_rate=0.25,
    momentum=0.5,
)
# No slope at all: it rolls on.
exercise.case(
    "in motion",
    weights=np.array([1.0, 2.0]),
    gradient=np.zeros(2),
    velocity=np.array([2.0, -4.0]),
    learning_rate=0.25,
    momentum=0.75,
)
exercise.case(
    "any shape",
    weights=np.array(3.0),
    gradient=np.array(2.0),
    velocity=np.array(-1.0),
    learning_rate=0.5,
    momentum=0.8,
)
exercise.case(
    "any shape",
    weights=np.array([[1.0, 2.0, 3.0], [4.0, 5.0, 6.0]]),
    gradient=np.array([[1.0, -1.0, 2.0], [0.5, 0.0, -2.0]]),
    velocity=np.array([[2.0, 1.0, -1.0], [0.0, 4.0, 1.0]]),
    learning_rate=0.2,
    momentum=0.6,
)


def one_step(rng, shape, momentum):
    return {
        "weights": np.array(rng.normal(size=shape)),
        "gradient": gradients(rng, shape),
        "velocity": gradients(rng, shape),
        "learning_rate": float(rng.uniform(0.05, 0.5)),
        "momentum": momentum,
    }


@exercise.hidden("from rest", count=2)
def step_from_rest(rng):
    return one_step(rng, (4,), float(rng.uniform(0.3, 0.8))) | {"velocity": np.zeros(4)}


@exercise.hidden("in motion", count=4)
def step_in_motion(rng):
    return one_step(rng, (5,), float(rng.uniform(0.3, 0.8)))


@exercise.hidden("any shape", count=4)
def step_of_any_shape(rng):
    return one_step(rng, any_shape(rng), float(rng.uniform(0.3, 0.8)))


exercise.slip(
    "Your weights walk uphill. The velocity adds up gradients, which point to where the loss grows; which way should "
    "the weights go?",
    name="climbs",
    right="weights - learning_rate",
    wrong="weights + learning_rate",
)
exercise.slip(
    "The gradient enters your velocity with a minus sign and the velocity enters the weights with another: together "
    "they climb. Only the second minus belongs here.",
    name="gradient_subtracted",
    right="velocity + gradient",
    wrong="velocity - gradient",
)


@exercise.mistake(
    "Your velocity points downhill: it takes in the gradient with a minus sign, and the weights add it. Some books "
    "write it so. Here, as in torch, the velocity is made of gradients, and the minus stands at the weights."
)
def velocity_points_downhill(weights, gradient, velocity, learning_rate, momentum=0.9):
    velocity = momentum * velocity - gradient
    return weights + learning_rate * velocity, velocity


@exercise.mistake(
    "The learning rate is inside your velocity. Then a rate that is lowered later would not slow down what is "
    "already rolling. The velocity takes in the gradient as it is; the rate multiplies all of it when the weights move."
)
def rate_inside_the_velocity(weights, gradient, velocity, learning_rate, momentum=0.9):
    velocity = momentum * velocity + learning_rate * gradient
    return weights - velocity, velocity


@exercise.mistake(
    "You write it as Sutskever et al. (2013) do, with the learning rate and the minus sign inside the velocity. In "
    "torch's form, which is asked for, the velocity holds gradients only, and both stand at the weights."
)
def form_of_the_paper(weights, gradient, velocity, learning_rate, momentum=0.9):
    velocity = momentum * velocity - learning_rate * gradient
    return weights + velocity, velocity


exercise.slip(
    "The learning rate is counted twice: once in your velocity, once where the weights move. Take it out of the "
    "velocity.",
    name="rate_counted_twice",
    right="velocity + gradient",
    wrong="velocity + learning_rate * gradient",
)
exercise.slip(
    "Your velocity is an average: the gradient comes in with the weight 1 - momentum. Here it comes in whole, so that "
    "on a steady slope the velocity grows to 1 / (1 - momentum) gradients.",
    name="gradient_averaged_in",
    right="velocity + gradient",
    wrong="velocity + (1 - momentum) * gradient",
)
exercise.slip(
    "Your momentum shrinks the new gradient too. It is the share that is kept of the old velocity; the gradient comes "
    "in whole.",
    name="momentum_on_both",
    right="momentum * velocity + gradient",
    wrong="momentum * (velocity + gradient)",
)


@exercise.mistake(
    "Your weights follow the old velocity, so this gradient moves them one step late. Update the velocity first, then "
    "let the weights follow the new one."
)
def follows_the_old_velocity(weights, gradient, velocity, learning_rate, momentum=0.9):
    return weights - learning_rate * velocity, momentum * velocity + gradient


exercise.slip(
    "Your velocity is right, but your weights ignore it: they follow the gradient alone, which is plain gradient "
    "descent.",
    name="follows_the_gradient",
    right="learning_rate * velocity",
    wrong="learning_rate * gradient",
)
exercise.slip(
    "Your weights go one step of momentum too far: the gradient plus momentum times the new velocity is Nesterov's "
    "step, as torch writes it. Here they follow the new velocity itself.",
    name="nesterovs_step",
    right="learning_rate * velocity",
    wrong="learning_rate * (gradient + momentum * velocity)",
)
exercise.slip(
    "You keep a fixed share of the velocity, 0.9. That is only the default; use the parameter `momentum`.",
    name="momentum_fixed",
    right="momentum * velocity",
    wrong="0.9 * velocity",
)
exercise.slip(
    "Your steps add up all gradients and forget none: the old velocity comes in whole. Of it only the share `momentum` "
    "is kept, or nothing would ever slow down.",
    name="nothing_forgotten",
    right="momentum * velocity",
    wrong="velocity",
)
exercise.slip(
    "These are the weights only. The next step needs the new velocity as well: return both.",
    name="velocity_not_returned",
    right="learning_rate * velocity, velocity",
    wrong="learning_rate * velocity",
)
exercise.slip(
    "Your two results are the wrong way round: first the weights, then the velocity.",
    name="results_swapped",
    right="return weights - learning_rate * velocity, velocity",
    wrong="return velocity, weights - learning_rate * velocity",
)


@exercise.mistake(
    "The numbers are right, but `*=`, `+=` and `-=` write into the arrays that were given to you. Whoever keeps the "
    "weights of each step would find the last ones everywhere. Make new arrays."
)
def in_place(weights, gradient, velocity, learning_rate, momentum=0.9):
    velocity *= momentum
    velocity += gradient
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
    right="    velocity = momentum * velocity + gradient",
    wrong="    velocity *= momentum\n    velocity += gradient",
)


@exercise.alternative
def entry_by_entry(weights, gradient, velocity, learning_rate, momentum=0.9):
    new_weights, new_velocity = np.empty_like(weights), np.empty_like(velocity)
    for place in np.ndindex(weights.shape):
        new_velocity[place] = gradient[place] + momentum * velocity[place]
        new_weights[place] = weights[place] - learning_rate * new_velocity[place]
    return [new_weights, new_velocity]


@exercise.alternative
def in_single_precision(weights, gradient, velocity, learning_rate, momentum=0.9):
    velocity = np.float32(momentum) * velocity.astype(np.float32) + gradient.astype(np.float32)
    return weights.astype(np.float32) - np.float32(learning_rate) * velocity, velocity


@exercise.alternative
def with_torchs_optimizer(weights, gradient, velocity, learning_rate, momentum=0.9):
    parameter = torch.tensor(weights)
    parameter.grad = torch.tensor(gradient)
    optimizer = torch.optim.SGD([parameter], lr=learning_rate, momentum=momentum)
    optimizer.state[parameter]["momentum_buffer"] = torch.tensor(velocity)
    optimizer.step()
    return parameter.numpy(), (momentum * velocity + gradient)
