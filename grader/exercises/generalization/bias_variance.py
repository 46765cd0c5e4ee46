"""The exercise `bias_variance`."""

import numpy as np
import torch

from grader.exercises.generalization.common import SINGLE_PRECISION, chapter

exercise = chapter.exercise(
    "bias_variance",
    points=3,
    aspects={"bias alone": 1, "variance alone": 1, "noise alone": 1, "all together, and failed fits": 1},
    hints=(
        "Look at one point, that is one column of `predictions`. How far is its mean from the truth, and how far do "
        "its entries scatter around that mean? Only then average over the points.",
        "`predictions.mean(axis=0)` is the mean prediction at each point, and `predictions.var(axis=0)` the variance "
        "there. Which of bias, variance and `noise_std` has to be squared before it is averaged?",
        "`bias = predictions.mean(axis=0) - truth`; the three results are the means of `bias**2`, of "
        "`predictions.var(axis=0)` and of `np.square(noise_std)`, which takes a number as well as an array. Refuse "
        "what is empty or not finite first.",
    ),
    tolerance=SINGLE_PRECISION,
)


@exercise.reference
def bias_variance(predictions, truth, noise_std):
    if len(predictions) == 0:
        raise ValueError("there are 0 fits and nothing to average; fit the method at least once")
    failed = np.sum(~np.isfinite(predictions).all(axis=1))
    if failed > 0:
        raise ValueError(f"{failed} of {len(predictions)} fits hold NaN or infinity; repair the fit, do not drop them")
    bias = predictions.mean(axis=0) - truth
    return {
        "bias squared": float(np.mean(bias**2)),
        "variance": float(predictions.var(axis=0).mean()),
        "noise": float(np.mean(np.square(noise_std))),
    }


# All fits agree, and the bias has another sign at each point.
exercise.case(
    "bias alone", predictions=np.array([[1.0, 4.0], [1.0, 4.0], [1.0, 4.0]]), truth=np.array([2.0, 1.0]), noise_std=0.0
)
exercise.case("bias alone", predictions=np.array([[2.0, 2.5, 4.0]]), truth=np.array([1.0, 3.0, 2.0]), noise_std=0.0)
# The mean of all fits is the truth at each point, and the fits scatter more at one point than at the other.
exercise.case(
    "variance alone",
    predictions=np.array([[1.0, 8.0], [3.0, 0.0], [2.0, 1.0]]),
    truth=np.array([2.0, 3.0]),
    noise_std=0.0,
)
exercise.case(
    "variance alone",
    predictions=np.array([[1.0, 1.0, 1.0, 1.0], [4.0, 4.0, 4.0, 4.0]]),
    truth=np.full(4, 2.5),
    noise_std=0.0,
)
# All fits are right.
exercise.case(
    "noise alone", predictions=np.tile([2.0, 5.0, 3.0], (4, 1)), truth=np.array([2.0, 5.0, 3.0]), noise_std=0.4
)
exercise.case(
    "noise alone",
    predictions=np.tile([2.0, 5.0, 3.0], (2, 1)),
    truth=np.array([2.0, 5.0, 3.0]),
    noise_std=np.array([0.1, 0.7, 1.5]),
)
exercise.case(
    "all together, and failed fits",
    predictions=np.array([[1.0, 4.0, 0.5], [3.0, 4.5, 1.5], [2.5, 2.0, 1.0], [4.5, 3.0, -1.0]]),
    truth=np.array([1.0, 3.0, 2.0]),
    noise_std=0.5,
)
# As many fits as points.
exercise.case(
    "all together, and failed fits",
    predictions=np.array([[1.0, 4.0, 0.5], [3.0, 4.5, 1.5], [2.0, 2.0, 4.0]]),
    truth=np.array([1.0, 3.0, 2.5]),
    noise_std=np.array([0.5, 0.25, 1.0]),
)
exercise.case(
    "all together, and failed fits", predictions=np.empty((0, 3)), truth=np.array([1.0, 3.0, 2.0]), noise_std=0.5
)
exercise.case(
    "all together, and failed fits",
    predictions=np.array([[1.0, 4.0], [np.nan, 4.5], [2.0, 2.0]]),
    truth=np.array([1.0, 3.0]),
    noise_std=0.5,
)
exercise.case(
    "all together, and failed fits",
    predictions=np.array([[1.0, 4.0], [1.5, np.inf], [2.0, 2.0]]),
    truth=np.array([1.0, 3.0]),
    noise_std=0.5,
)


def truth_at_points(rng):
    return rng.normal(0, 2, rng.integers(3, 12))


@exercise.hidden("bias alone", count=3)
def fits_that_agree(rng):
    truth = truth_at_points(rng)
    wrong = truth + rng.choice([-1, 1], len(truth)) * rng.uniform(0.5, 2, len(truth))
    return {"predictions": np.tile(wrong, (int(rng.integers(1, 9)), 1)), "truth": truth, "noise_std": 0.0}


@exercise.hidden("variance alone", count=3)
def fits_around_the_truth(rng):
    truth = truth_at_points(rng)
    predictions = truth + rng.uniform(0.5, 2, len(truth)) * rng.normal(size=(int(rng.integers(4, 20)), len(truth)))
    return {"predictions": predictions, "truth": predictions.mean(axis=0), "noise_std": 0.0}


@exercise.hidden("noise alone", count=3)
def right_fits(rng):
    truth = truth_at_points(rng)
    return {
        "predictions": np.tile(truth, (int(rng.integers(2, 9)), 1)),
        "truth": truth,
        "noise_std": rng.uniform(0.1, 2, len(truth)),
    }


@exercise.hidden("all together, and failed fits", count=4)
def anything(rng):
    truth = truth_at_points(rng)
    return {
        "predictions": rng.normal(0, 2, (int(rng.integers(3, 20)), len(truth))),
        "truth": truth,
        "noise_std": float(rng.uniform(0.1, 2)),
    }


@exercise.hidden("all together, and failed fits", count=2)
def one_fit_diverged(rng):
    case = anything(rng)
    case["predictions"][rng.integers(3), rng.integers(3)] = rng.choice([np.nan, np.inf])
    return case


exercise.slip(
    "You average the bias over the points before you square it. Too high here and too low there cancel out, and a bad "
    "model looks unbiased.",
    name="squared_after_averaging",
    right="np.mean(bias**2)",
    wrong="np.mean(bias) ** 2",
)
exercise.slip(
    "You average the absolute bias. Only with squares do the three parts add up to the mean squared error.",
    name="absolute_bias",
    right="np.mean(bias**2)",
    wrong="np.mean(np.abs(bias))",
)
exercise.slip(
    "You do not square the bias, so too high and too low cancel out.",
    name="bias_not_squared",
    right="np.mean(bias**2)",
    wrong="np.mean(bias)",
)
exercise.slip(
    "Your variance divides by the number of fits less one. Here the divisor is the number of fits: only then do the "
    "parts add up exactly to the error that these fits made.",
    name="ddof_1",
    right="predictions.var(axis=0)",
    wrong="predictions.var(axis=0, ddof=1)",
)
exercise.slip(
    "Your variance runs along a row: it tells how one curve goes up and down. Asked for is how the fits disagree at "
    "one point, down a column.",
    name="variance_along_the_curve",
    right="predictions.var(axis=0)",
    wrong="predictions.var(axis=1)",
)
exercise.slip(
    "You take the variance of the whole table. It also counts how the curve itself goes up and down; compare the fits "
    "at each point, then average.",
    name="variance_of_the_whole_table",
    right="predictions.var(axis=0).mean()",
    wrong="predictions.var()",
)
exercise.slip(
    "Your variance is the squared distance from the truth, so it holds the bias once more. Measure from the mean "
    "prediction.",
    name="scatter_around_the_truth",
    right="predictions.var(axis=0).mean()",
    wrong="np.mean((predictions - truth) ** 2)",
)
exercise.slip(
    "Your variance is a standard deviation: the root too many. Variances add up, standard deviations do not.",
    name="standard_deviation",
    right="predictions.var(axis=0)",
    wrong="predictions.std(axis=0)",
)
exercise.slip(
    "Your noise is the standard deviation that was given. What it adds to a squared error is its square.",
    name="noise_not_squared",
    right="np.mean(np.square(noise_std))",
    wrong="np.mean(noise_std)",
)
exercise.slip(
    "You forget that `noise_std` may be an array, one for each point. Take the mean of its squares; for a number that "
    "is its square.",
    name="noise_of_all_points_at_once",
    right="float(np.mean(np.square(noise_std)))",
    wrong="float(noise_std**2)",
)
exercise.slip(
    "You average the noise over the points before you square it. Where it differs from point to point, the mean of the "
    "squares is larger.",
    name="noise_squared_after_averaging",
    right="np.mean(np.square(noise_std))",
    wrong="np.mean(noise_std) ** 2",
)


@exercise.mistake(
    "You average over the wrong axis: a mean along a row mixes the points of one fit. The mean prediction at a point "
    "goes down a column, over the fits."
)
def axes_confused(predictions, truth, noise_std):
    if len(predictions) == 0 or not np.isfinite(predictions).all():
        raise ValueError("no fits")
    bias = predictions.mean(axis=1) - truth.mean()
    return {
        "bias squared": float(np.mean(bias**2)),
        "variance": float(predictions.var(axis=1).mean()),
        "noise": float(np.mean(np.square(noise_std))),
    }


exercise.slip(
    "Your bias is the squared error of every single fit, which holds the variance too. The bias is what is left when "
    "all fits are averaged.",
    name="error_of_single_fits",
    right="predictions.mean(axis=0) - truth",
    wrong="predictions - truth",
)
exercise.slip(
    "Your bias is that of the first fit alone, with all its luck. Average the fits first.",
    name="bias_of_the_first_fit",
    right="predictions.mean(axis=0) - truth",
    wrong="predictions[0] - truth",
)


@exercise.mistake(
    "You add the points up. All three parts are means over the points; otherwise twice as many points would be twice "
    "the error."
)
def points_added_up(predictions, truth, noise_std):
    if len(predictions) == 0 or not np.isfinite(predictions).all():
        raise ValueError("no fits")
    return {
        "bias squared": float(np.sum((predictions.mean(axis=0) - truth) ** 2)),
        "variance": float(predictions.var(axis=0).sum()),
        "noise": float(np.sum(np.square(noise_std + np.zeros_like(truth)))),
    }


@exercise.mistake(
    "You leave out the fits that failed, so a method that often fails looks better than it is. Raise ValueError "
    "instead: whoever fitted them has to know."
)
def failed_fits_left_out(predictions, truth, noise_std):
    predictions = predictions[np.isfinite(predictions).all(axis=1)]
    if len(predictions) == 0:
        raise ValueError("no fits")
    return {
        "bias squared": float(np.mean((predictions.mean(axis=0) - truth) ** 2)),
        "variance": float(predictions.var(axis=0).mean()),
        "noise": float(np.mean(np.square(noise_std))),
    }


@exercise.mistake(
    "Where there is no fit, or a prediction is not finite, you return NaN. It would spread through everything that "
    "comes after; raise ValueError instead."
)
def nan_returned(predictions, truth, noise_std):
    return {
        "bias squared": float(np.mean((predictions.mean(axis=0) - truth) ** 2)),
        "variance": float(predictions.var(axis=0).mean()),
        "noise": float(np.mean(np.square(noise_std))),
    }


exercise.slip(
    "You look for NaN and overlook infinity. A fit that ran away to infinity has failed as well; `np.isfinite` is "
    "False for both.",
    name="infinity_overlooked",
    right="~np.isfinite(predictions).all(axis=1)",
    wrong="np.isnan(predictions).any(axis=1)",
)


@exercise.alternative
def point_by_point(predictions, truth, noise_std):
    fits = len(predictions)
    if fits == 0 or not all(np.isfinite(row).all() for row in predictions):
        raise ValueError("no fits that could be averaged")
    noise_stds = [noise_std] * len(truth) if np.ndim(noise_std) == 0 else list(noise_std)
    bias_squared = variance = noise = 0.0
    for point in range(len(truth)):
        mean = sum(predictions[:, point]) / fits
        bias_squared += (mean - truth[point]) ** 2 / len(truth)
        variance += sum((prediction - mean) ** 2 for prediction in predictions[:, point]) / fits / len(truth)
        noise += noise_stds[point] ** 2 / len(truth)
    return {"noise": noise, "variance": variance, "bias squared": bias_squared}


@exercise.alternative
def by_moments_with_torch(predictions, truth, noise_std):
    table, goal = torch.tensor(predictions), torch.tensor(truth)
    if table.shape[0] == 0 or not table.isfinite().all():
        raise ValueError("no fits that could be averaged")
    mean = table.mean(0)
    error, bias_squared = (table - goal).square().mean(), (mean - goal).square().mean()
    noise = torch.as_tensor(noise_std, dtype=torch.float64).square().mean()
    return {"bias squared": bias_squared.item(), "variance": (error - bias_squared).item(), "noise": noise.item()}
