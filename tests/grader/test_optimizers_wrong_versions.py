"""Wrong answers to the exercises of chapter 4 that are nearly right, or that students really write: each loses points.

Known mistakes, which get a hint of their own, stand with their exercises, and `verify` proves them.
"""

import pytest

from grader.exercises.optimizers import chapter
from tests.grader.wrong_versions import listed, verdict

pytestmark = pytest.mark.filterwarnings("ignore::RuntimeWarning")

CUTTING = "[order[start : start + batch_size] for start in range(0, len(order), batch_size)]"
ADAGRADS_STEP = "weights - learning_rate * gradient / (np.sqrt(squares) + epsilon)"
ADAMS_STEP = "weights - learning_rate * corrected_mean / (np.sqrt(corrected_squares) + epsilon)"
ADAMS_MEAN = "beta1 * mean + (1 - beta1) * gradient\n"
ADAMS_SQUARES = "beta2 * squares + (1 - beta2) * gradient**2"

# What may go wrong in the line that scales a step by a root, whose epsilon stands outside.
AROUND_THE_ROOT = [
    ("np.sqrt(squares) + epsilon", "np.sqrt(squares + epsilon**2)"),
    ("np.sqrt(squares) + epsilon", "np.sqrt(squares + epsilon) + epsilon"),
    ("(np.sqrt(squares) + epsilon)", "np.maximum(np.sqrt(squares), epsilon)"),
    ("np.sqrt(squares)", "np.cbrt(squares)"),
    ("np.sqrt(squares)", "np.sqrt(squares.mean())"),
    ("+ epsilon)", "+ 1e-7)"),
    ("learning_rate * gradient /", "learning_rate /"),
    ("learning_rate * gradient /", "gradient /"),
    ("learning_rate * gradient /", "learning_rate * np.sign(gradient) /"),
    ("learning_rate * gradient /", "learning_rate * np.abs(gradient) /"),
    ("    return", "    gradient = np.where(np.isclose(gradient, 0, atol=1e-5), 0, gradient)\n    return"),
    ("epsilon), squares", "epsilon), np.sqrt(squares)"),
    ("epsilon), squares", "epsilon), gradient**2"),
    (f"return {ADAGRADS_STEP}, squares", f"return squares, {ADAGRADS_STEP}"),
    (f"return {ADAGRADS_STEP}, squares", f"return np.array([{ADAGRADS_STEP}, squares])"),
    (f"    return {ADAGRADS_STEP}", f"    weights -= weights - ({ADAGRADS_STEP})\n    return weights"),
]

# Of each exercise: a piece of the reference, and what a student may write in its place against the docstring. The
# public cases catch these, and none of them is told the hint of another mistake.
CAUGHT_AT_ONCE = {
    "minibatches": [
        ("range(0, len(order), batch_size)", "range(0, len(order) - 1, batch_size)"),
        ("range(0, len(order), batch_size)", "range(0, len(order), batch_size - 1)"),
        ("range(0, len(order), batch_size)", "range(1, len(order), batch_size)"),
        ("start + batch_size]", "start + batch_size + 1]"),
        ("[order[start : start + batch_size]", "[order[start : start + batch_size].tolist()"),
        ("[order[start : start + batch_size]", "[order[start : start + batch_size].astype(float)"),
        ("[order[start : start + batch_size]", "[order[start : start + batch_size][::-1]"),
        ("[order[start : start + batch_size]", "[np.sort(order[start : start + batch_size])"),
        (CUTTING, f"{CUTTING}[::-1]"),
        (CUTTING, f"np.array({CUTTING})"),
        (CUTTING, f"[batch for batch in {CUTTING} if len(batch) == batch_size or len(order) < batch_size]"),
        ("    return", "    order.sort()\n    return"),
        ("batch_size < 1", "batch_size < 2"),
        ("batch_size < 1", "batch_size < 1 or batch_size > len(order)"),
        ("batch_size < 1", "batch_size < 1 or len(order) == 0"),
        ("raise ValueError(", "return []  # ("),
        ("raise ValueError(", "return [order]  # ("),
    ],
    "momentum_step": [
        ("momentum * velocity", "(1 - momentum) * velocity"),
        ("momentum * velocity + gradient", "(1 - momentum) * velocity + momentum * gradient"),
        ("momentum * velocity + gradient", "momentum * gradient + velocity"),
        ("velocity + gradient", "velocity + np.abs(gradient)"),
        ("velocity + gradient", "velocity + np.clip(gradient, -1, 1)"),
        ("momentum * velocity + gradient", "np.clip(momentum * velocity + gradient, -10, 10)"),
        ("momentum * velocity + gradient", "np.clip(momentum * velocity + gradient, -1000, 1000)"),
        ("velocity + gradient", "velocity + gradient / np.linalg.norm(gradient)"),
        ("velocity + gradient", "velocity + np.sign(gradient)"),
        ("learning_rate * velocity", "velocity"),
        ("learning_rate * velocity", "learning_rate * momentum * velocity"),
        ("learning_rate * velocity, velocity", "learning_rate * velocity, learning_rate * velocity"),
        ("learning_rate * velocity, velocity", "learning_rate * velocity, gradient"),
        ("weights - learning_rate * velocity, velocity", "np.array([weights - learning_rate * velocity, velocity])"),
        ("velocity = momentum * velocity + gradient", "gradient += momentum * velocity\n    velocity = gradient"),
        ("momentum * velocity + gradient", "np.array([momentum * v + g for v, g in zip(velocity, gradient)])"),
        ("    velocity =", "    if not gradient.any(): return weights, velocity\n    velocity ="),
        ("    velocity =", "    if not velocity.any(): return weights - learning_rate * gradient, velocity\n    velocity ="),
    ],
    "nesterov_step": [
        ("weights - learning_rate * momentum * velocity", "weights - learning_rate * (1 - momentum) * velocity"),
        ("weights - learning_rate * momentum * velocity", "weights - learning_rate * 0.9 * velocity"),
        ("weights - learning_rate * momentum * velocity", "momentum * velocity"),
        ("weights - learning_rate * momentum * velocity", "weights + momentum * velocity"),
        ("velocity = momentum * velocity", "velocity = velocity"),
        ("velocity = momentum * velocity", "velocity = 0.9 * velocity"),
        ("+ gradient_at(ahead)", "- gradient_at(ahead)"),
        ("+ gradient_at(ahead)", "+ learning_rate * gradient_at(ahead)"),
        ("+ gradient_at(ahead)", "+ (gradient_at(ahead) + gradient_at(weights)) / 2"),
        ("+ gradient_at(ahead)", "+ gradient_at(ahead - weights)"),
        ("momentum * velocity + gradient_at(ahead)", "momentum * (velocity + gradient_at(ahead))"),
        ("return weights - learning_rate * velocity", "return ahead"),
        ("return weights - learning_rate * velocity", "return weights - velocity"),
        ("ahead = weights -", "ahead = weights\n    ahead -="),
    ],
    "ewma": [
        ("beta * average + (1 - beta) * value", "beta * (average + value)"),
        ("beta * average + (1 - beta) * value", "(average + value) / 2"),
        ("beta * average + (1 - beta) * value", "average + (value - average) / step"),
        ("beta * average + (1 - beta) * value", "beta * average + (1 - beta) * value if step > 1 else value"),
        ("(1 - beta**step)", "(1 - beta) ** step"),
        ("(1 - beta**step)", "(1 + beta**step)"),
        ("(1 - beta**step)", "(beta**step - 1)"),
        ("(1 - beta**step)", "np.sqrt(1 - beta**step)"),
        ("(1 - beta**step)", "max(1 - beta**step, 0.1)"),
        ("average / (1 - beta**step)", "(average / (1 - beta**step) if step < 10 else average)"),
        ("average / (1 - beta**step)", "(average / (1 - beta**step) if step < 100 else average)"),
        ("average / (1 - beta**step)", "(average / (1 - beta**step) if step < 300 else average)"),
        ("average / (1 - beta**step)", "value / (1 - beta**step)"),
        ("step < 1", "step <= 1"),
        ("raise ValueError(", "return average, value  # ("),
        ("raise ValueError(", "raise ZeroDivisionError("),
        ("    average =", "    value *= 1 - beta\n    value /= 1 - beta\n    value += 1e-9\n    average ="),
    ],
    "adagrad_step": [
        *AROUND_THE_ROOT,
        ("squares + gradient**2", "squares + gradient**2 + epsilon"),
        ("squares + gradient**2", "squares + gradient * 2"),
        ("squares + gradient**2", "squares + np.mean(gradient**2)"),
        ("squares + gradient**2", "squares + gradient @ gradient"),
        ("squares + gradient**2", "np.maximum(squares, gradient**2)"),
        ("squares + gradient**2", "(squares + gradient**2) / 2"),
        ("squares + gradient**2", "squares**2 + gradient**2"),
        ("squares + gradient**2", "squares - gradient**2"),
        ("squares = squares + gradient**2", "squares = squares + gradient**2 if squares.any() else gradient**2 / 2"),
    ],
    "rmsprop_step": [
        *AROUND_THE_ROOT,
        ("(1 - beta) * gradient**2", "beta * gradient**2"),
        ("(1 - beta) * gradient**2", "(1 - beta) * gradient * 2"),
        ("(1 - beta) * gradient**2", "(1 - beta**2) * gradient**2"),
        ("(1 - beta) * gradient**2", "(1 - beta) * np.abs(gradient)"),
        ("(1 - beta) * gradient**2", "0.01 * gradient**2"),
        ("beta * squares", "0.99 * squares"),
        ("beta * squares", "squares"),
        ("beta * squares", "beta * np.sqrt(squares)"),
        ("beta * squares + (1 - beta) * gradient**2", "np.maximum(beta * squares, gradient**2)"),
        ("beta * squares + (1 - beta) * gradient**2", "np.maximum(squares, (1 - beta) * gradient**2)"),
        ("    return", "    if not gradient.all(): return weights, squares\n    return"),
    ],
    "adadelta_step": [
        ("np.sqrt(squares + epsilon)", "np.sqrt(squares)"),
        ("np.sqrt(squares + epsilon)", "(np.sqrt(squares) + epsilon)"),
        ("np.sqrt(squares + epsilon)", "(squares + epsilon)"),
        ("np.sqrt(updates + epsilon)", "(np.sqrt(updates) + epsilon)"),
        ("np.sqrt(updates + epsilon)", "np.sqrt(updates + epsilon**2)"),
        ("np.sqrt(updates + epsilon)", "np.sqrt(updates + 1e-6)"),
        ("np.sqrt(squares + epsilon)", "np.sqrt(squares + 1e-6)"),
        ("* gradient\n", "* np.sign(gradient)\n"),
        ("* gradient\n", "* gradient / (1 - beta)\n"),
        ("beta * squares + (1 - beta) * gradient**2", "squares + gradient**2"),
        ("beta * squares + (1 - beta) * gradient**2", "0.9 * squares + 0.1 * gradient**2"),
        ("beta * squares + (1 - beta) * gradient**2", "(1 - beta) * squares + beta * gradient**2"),
        ("beta * updates + (1 - beta) * update**2", "0.9 * updates + 0.1 * update**2"),
        ("beta * updates + (1 - beta) * update**2", "(1 - beta) * updates + beta * update**2"),
        ("beta * updates + (1 - beta) * update**2", "updates + update**2"),
        ("weights - learning_rate * update,", "weights - learning_rate * update * gradient,"),
        ("squares, updates\n", "squares, update\n"),
        ("return weights - learning_rate * update", "return update"),
        (
            "    update = np.sqrt(updates + epsilon) / np.sqrt(squares + epsilon) * gradient\n",
            "    updates = beta * updates + (1 - beta) * gradient**2\n"
            "    update = np.sqrt(updates + epsilon) / np.sqrt(squares + epsilon) * gradient\n",
        ),
        ("    updates = beta * updates", "    updates *= beta\n    updates = updates"),
        ("    squares = beta * squares", "    squares *= beta\n    squares = squares"),
    ],
    "adam_step": [
        ("beta1**step", "beta1 * step"),
        ("beta2**step", "beta2 * step"),
        ("(1 - beta1**step)", "(1 - beta1) ** step"),
        ("(1 - beta2**step)", "(1 - beta2) ** step"),
        ("(1 - beta2**step)", "np.sqrt(1 - beta2**step)"),
        ("(1 - beta1**step)", "(1 - beta1 ** (step - 1))"),
        ("(1 - beta2**step)", "(1 - beta2 ** (step - 1))"),
        ("(1 - beta1**step)", "(1 - beta1 ** (step + 1))"),
        ("(1 - beta2**step)", "(1 - beta2 ** (step + 1))"),
        ("mean / (1 - beta1**step)", "mean / (1 - beta1**step) if step < 10 else mean"),
        ("squares / (1 - beta2**step)", "squares / (1 - beta2**step) if step < 10 else squares"),
        ("mean / (1 - beta1**step)", "mean * (1 - beta1**step)"),
        (ADAMS_MEAN, "(1 - beta1) * mean + beta1 * gradient\n"),
        (ADAMS_SQUARES, "(1 - beta2) * squares + beta2 * gradient**2"),
        (ADAMS_SQUARES, "np.maximum(squares, beta2 * squares + (1 - beta2) * gradient**2)"),
        (ADAMS_SQUARES, "beta2 * squares + (1 - beta2) * (gradient - mean) ** 2"),
        (ADAMS_SQUARES, "beta2 * squares + ((1 - beta2) * gradient) ** 2"),
        (ADAMS_SQUARES, "beta2 * squares + (1 - beta2) * np.mean(gradient**2)"),
        (ADAMS_SQUARES, "0.999 * squares + 0.001 * gradient**2"),
        (ADAMS_MEAN, "0.9 * mean + 0.1 * gradient\n"),
        ("* corrected_mean", "* (beta1 * corrected_mean + (1 - beta1) * gradient / (1 - beta1**step))"),
        ("np.sqrt(corrected_squares) + epsilon", "np.sqrt(corrected_squares + epsilon**2)"),
        ("np.sqrt(corrected_squares) + epsilon", "np.sqrt(corrected_squares + epsilon) + epsilon"),
        (ADAMS_STEP, "weights - corrected_mean / (np.sqrt(corrected_squares) + epsilon)"),
        (ADAMS_STEP, "weights - learning_rate * corrected_mean / np.sqrt(corrected_squares) + epsilon"),
        ("    mean =", "    gradient = np.nan_to_num(gradient)\n    mean ="),
        ("    mean =", "    gradient = np.where(np.abs(gradient) < 1e-5, 0, gradient)\n    mean ="),
        ("    mean =", "    if np.isnan(gradient).any(): return weights, mean, squares\n    mean ="),
        ("    mean = beta1 * mean", "    mean *= beta1\n    mean = mean"),
        ("    squares = beta2 * squares", "    squares *= beta2\n    squares = squares"),
        ("epsilon), mean, squares", "epsilon), mean, squares, step + 1"),
    ],
    "adamw_step": [
        ("learning_rate * weight_decay * weights", "learning_rate * 0.1 * weights"),
        ("learning_rate * weight_decay * weights", "learning_rate**2 * weight_decay * weights"),
        ("learning_rate * weight_decay * weights", "learning_rate * weight_decay * weights / 2"),
        ("learning_rate * weight_decay * weights", "learning_rate * weight_decay * weights**2"),
        ("learning_rate * weight_decay * weights", "learning_rate * weight_decay * np.linalg.norm(weights)"),
        ("learning_rate * weight_decay * weights", "weight_decay * weights / step"),
        ("weights - learning_rate * weight_decay * weights", "(1 - learning_rate) * weight_decay * weights"),
        ("weights - learning_rate * weight_decay * weights", "weight_decay * weights"),
        ("    weights =", "    if weights.ndim == 2: weights ="),
        ("    weights =", "    if gradient.any(): weights ="),
        ("    mean =", "    mean = mean + weight_decay * weights\n    mean ="),
        ("+ (1 - beta1) * gradient\n", "+ (1 - beta1) * (gradient + weight_decay * weights)\n"),
        ("(1 - beta1**step)", "(1 - beta1 ** (step + 1))"),
        ("(1 - beta2**step)", "(1 - beta2 ** (step + 1))"),
        ("mean / (1 - beta1**step)", "mean / (1 - beta1**step) if step < 10 else mean"),
        ("squares / (1 - beta2**step)", "squares / (1 - beta2**step) if step < 10 else squares"),
        ("squares / (1 - beta2**step)", "squares / (1 - beta2**step) if step < 100 else squares"),
        ("    mean =", "    gradient = np.nan_to_num(gradient)\n    mean ="),
        ("    mean =", "    if np.isnan(gradient).any(): return weights, mean, squares\n    mean ="),
        ("    mean =", "    gradient = gradient + 0 * gradient.sum()\n    mean ="),
        (ADAMS_STEP, "weights + learning_rate * corrected_mean / (np.sqrt(corrected_squares) + epsilon)"),
        (ADAMS_STEP, "weights - learning_rate * corrected_mean / (corrected_squares + epsilon)"),
        ("epsilon), mean, squares", "epsilon), squares, mean"),
        ("    mean = beta1 * mean", "    mean *= beta1\n    mean = mean"),
    ],
    "sharpness": [
        ("vector @ hessian_times(vector)", "np.mean(hessian_times(vector))"),
        ("vector @ hessian_times(vector)", "np.max(hessian_times(vector))"),
        ("vector @ hessian_times(vector)", "np.max(hessian_times(vector) / vector)"),
        ("vector @ hessian_times(vector)", "vector @ hessian_times(vector) / 2"),
        ("vector @ hessian_times(vector)", "np.sum(vector * hessian_times(vector)) ** 0.5"),
        ("float(vector @ hessian_times(vector))", "vector"),
        ("float(vector @ hessian_times(vector))", "round(vector @ hessian_times(vector), 4)"),
        ("length == 0", "length < 1e-8"),
        ("            return 0.0\n", "            return 0.0\n        if np.allclose(product / length, vector): break\n"),
        ("length = np.linalg.norm(product)", "length = np.linalg.norm(product) ** 2"),
        ("length = np.linalg.norm(product)", "length = product.sum()"),
        ("return 0.0", "return np.inf"),
        ("        if length == 0:", "        if np.allclose(product / length, vector, atol=0.1): break\n        if length == 0:"),
        ("range(iterations)", "range(100)"),
        ("range(iterations)", "range(min(iterations, 20))"),
        ("hessian_times(vector)\n        length", "hessian_times(start)\n        length"),
        ("not np.any(start)", "np.sum(start) == 0"),
        ("not np.any(start)", "np.allclose(start, 0)"),
        ("not np.any(start)", "not np.all(start)"),
        ("not np.any(start)", "np.linalg.norm(start) < 0.1"),
        ("raise ValueError(", "return 1.0  # ("),
        ("vector = start / np.linalg.norm(start)", "vector = start\n    vector /= np.linalg.norm(start)\n    vector += 0.1"),
    ],
}  # fmt: skip

# And these are told the hint of the known mistake named last, of which each is another spelling.
RECOGNISED = [
    ("minibatches", CUTTING, "np.array_split(order, int(np.ceil(len(order) / batch_size)))",
     "shared_out_evenly_and_no_rows_overlooked"),
    ("minibatches", CUTTING, "np.array_split(order, range(batch_size, len(order), batch_size))", "one_batch_of_nothing"),
    ("momentum_step", "weights - learning_rate * velocity, velocity",
     "weights + -learning_rate * momentum * velocity - learning_rate * gradient, velocity", "nesterovs_step"),
    ("nesterov_step", "learning_rate * momentum * velocity\n",
     "learning_rate * (momentum * velocity + gradient_at(weights))\n", "looks_ahead_along_the_new_velocity"),
    ("nesterov_step", "return weights - learning_rate * velocity",
     "return weights - learning_rate * (1 + momentum) * velocity", "returns_the_next_point_ahead"),
    ("momentum_step", "    return weights - learning_rate * velocity",
     "    weights[...] = weights - learning_rate * velocity\n    return weights", "weights_in_place"),
    ("ewma", "return average,", "return average / (1 - beta**step),", "correction_carried_on"),
    ("ewma", "if step < 1:", "if step < 0:", "no_step_refused"),
    ("adagrad_step", "np.sqrt(squares) + epsilon", "(squares + epsilon) ** 0.5", "epsilon_under_the_root"),
    ("adagrad_step", "np.sqrt(squares)", "squares", "root_left_out"),
    ("rmsprop_step", "(1 - beta) * gradient**2", "gradient**2", "whole_square_added"),
    ("adadelta_step", "np.sqrt(updates + epsilon) /", "1 /", "rmsprops_update"),
    ("adadelta_step", "learning_rate * update,", "update,", "rate_left_out"),
    ("adadelta_step", "update**2", "(learning_rate * update) ** 2", "rate_in_the_average"),
    ("adam_step", "np.sqrt(corrected_squares) + epsilon", "(corrected_squares + epsilon) ** 0.5", "epsilon_under_the_root"),
    ("adam_step", ADAMS_STEP,
     "weights - learning_rate * np.sqrt(1 - beta2**step) / (1 - beta1**step) * mean / (np.sqrt(squares) + epsilon)",
     "epsilon_corrected_too"),
    ("adamw_step", "weights - learning_rate * weight_decay * weights", "(1 - weight_decay) * weights",
     "rate_left_out_of_the_decay"),
    ("adamw_step", "mean / (1 - beta1**step)", "mean", "mean_not_corrected"),
    ("adamw_step", "squares / (1 - beta2**step)", "squares", "squares_not_corrected"),
    ("adamw_step", "    weights = weights - learning_rate * weight_decay * weights\n",
     "    gradient = gradient + weight_decay * weights\n", "decay_in_the_gradient"),
    ("sharpness", "float(vector @ hessian_times(vector))", "np.sqrt(np.sum(hessian_times(vector) ** 2))",
     "length_of_the_product"),
    ("sharpness", "length = np.linalg.norm(product)", "length = product.max()", "scaled_by_the_largest"),
    ("sharpness", "return 0.0", "return float('nan')", "flat_overlooked"),
    ("sharpness", "raise ValueError(", "return 0.0  # (", "zeros_not_refused"),
]  # fmt: skip


@pytest.mark.parametrize(("name", "right", "wrong"), listed(CAUGHT_AT_ONCE))
def test_a_small_change_loses_points_by_public_cases_and_gets_no_hint_for_another_mistake(name, right, wrong):
    found = verdict(name, right, wrong)
    assert found.points < found.max_points
    assert found.mistake is None


@pytest.mark.parametrize(("name", "right", "wrong", "mistake"), RECOGNISED)
def test_a_known_mistake_in_another_spelling_is_recognised(name, right, wrong, mistake):
    found = verdict(name, right, wrong)
    assert found.points < found.max_points
    assert found.mistake.name == mistake


@pytest.mark.parametrize("exercise", chapter.exercises.values(), ids=chapter.exercises)
def test_every_exercise_has_three_hints_and_its_defaults_are_tried(exercise):
    assert len(exercise.hints) == 3
    defaults = {one.partition("=")[0] for one in exercise.sheet().parameters if "=" in one}
    assert all(any(name not in arguments for _, arguments in exercise.public_cases) for name in defaults)
