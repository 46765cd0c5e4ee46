"""The optimizer race without a browser: its arguments, and the paths of its still picture."""

import numpy as np
import pytest

from labutils.optimizers import OPTIMIZERS, trajectory
from labutils.surfaces import SURFACES
from labutils.widgets import OptimizerRace


def test_arguments_become_what_is_shown():
    race = OptimizerRace("saddle", ("adam", "sgd"), (0.5, -1.0), 17, {"sgd": 0.3}, 0.5)
    assert (race.surface, race.start, race.steps, race.beta) == ("saddle", (0.5, -1.0), 17, 0.5)
    assert race.optimizers == ["adam", "sgd"] and list(race.paths()) == ["sgd", "adam"]
    assert race.learning_rates["sgd"] == 0.3 and race.learning_rates["adam"] == OPTIMIZERS["adam"].learning_rate
    assert "17 steps on the surface 'Saddle' by SGD, Adam" in race.describe()
    assert OptimizerRace(optimizers="adam").optimizers == ["adam"]
    assert list(OptimizerRace().paths()) == list(OPTIMIZERS) and OptimizerRace().start == SURFACES["ravine"].start


def test_paths_are_the_trajectories_and_beta_is_everyones_momentum():
    race = OptimizerRace("two_minima", steps=30, beta=0.7)
    gradient, start = SURFACES["two_minima"].gradient, SURFACES["two_minima"].start
    settings = {"momentum": {"momentum": 0.7}, "nesterov": {"momentum": 0.7}, "adam": {"beta1": 0.7}}
    settings["adamw"] = settings["adam"]
    for name, path in race.paths().items():
        assert path.shape == (31, 2)
        np.testing.assert_array_equal(path, trajectory(name, gradient, start, 30, **settings.get(name, {})))


def test_a_path_that_diverges_ends_at_its_first_point_that_is_far():
    path = OptimizerRace("ravine", ["sgd"], learning_rates={"sgd": 0.5}, steps=200).paths()["sgd"]
    distances = np.hypot(*path.T)
    assert len(path) < 201 and distances[-1] >= 1e6 and (distances[:-1] < 1e6).all()


def test_each_has_a_look_of_its_own_in_the_still_picture():
    figure = OptimizerRace().still()
    plane, curve = figure.axes
    looks = {line.get_label(): (line.get_color(), line.get_linestyle()) for line in curve.lines}
    assert len(set(looks.values())) == len(OPTIMIZERS) + 1 == 9  # and the goal's
    assert looks.keys() == {optimizer.title for optimizer in OPTIMIZERS.values()} | {"goal"}
    drawn = {(line.get_color(), line.get_linestyle()) for line in plane.lines}
    assert drawn - {("white", "-")} == set(looks.values()) - {looks["goal"]}


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: OptimizerRace("ravin"), "surface is 'ravin'.*bowl, ravine, saddle, rosenbrock, two_minima"),
        (lambda: OptimizerRace(optimizers=("sgd", "adma")), "optimizer is 'adma'.*adadelta, rmsprop, adam, adamw"),
        (lambda: OptimizerRace(optimizers="Adam"), "optimizer is 'Adam', which is not known"),
        (lambda: OptimizerRace(start=(0, 5)), "start is 5, and the widget shows -3 to 3"),
        (lambda: OptimizerRace(start=(1, 2, 3)), r"start is \(1, 2, 3\): give the two weights.*such as \(-2.4, 1.2\)"),
        (lambda: OptimizerRace(start=1.0), "start is 1.0: give the two weights"),
        (lambda: OptimizerRace(steps=0), "steps is 0, and the widget shows 1 to 200"),
        (lambda: OptimizerRace(steps=1000), "steps is 1000, and the widget shows 1 to 200"),
        (
            lambda: OptimizerRace(learning_rates={"sgd": 10}),
            "learning rate of sgd is 10, and the widget shows 0.001 to 3",
        ),
        (lambda: OptimizerRace(learning_rates={"adadelta": 0.01}), "learning rate of adadelta is 0.01.*0.1 to 300"),
        (lambda: OptimizerRace(learning_rates={"sgd": float("nan")}), "learning rate of sgd is nan"),
        (lambda: OptimizerRace(learning_rates={"SGD": 0.1}), "optimizer is 'SGD', which is not known.*sgd, momentum"),
        (lambda: OptimizerRace(beta=1), "beta is 1, and the widget shows 0 to 0.99"),
    ],
)
def test_bad_arguments_are_named_with_their_limits(make, message):
    with pytest.raises(ValueError, match=message):
        make()
