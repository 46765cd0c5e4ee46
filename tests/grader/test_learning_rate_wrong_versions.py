"""Wrong answers to the exercises of chapter 1 that are nearly right, or that students really wrote: each loses points.

Known mistakes, which get a hint of their own, stand with their exercises, and `verify` proves them.
"""

import inspect
from dataclasses import replace

import pytest

from grader.exercises.learning_rate.diagnose import diagnose
from grader.verify import HIDDEN_SEEDS
from tests.grader.wrong_versions import listed, sheet, verdict

pytestmark = pytest.mark.filterwarnings("ignore::RuntimeWarning")

# What a student may write in place of the numbers in the rules of `diagnose`.
WRONG_NUMBERS = {
    "sum() > fall / 2": ("sum() > start / 2", "sum() > fall / 3", "sum() > fall / 4", "sum() > fall / 10"),
    "train_loss[quarter] <= fall / 10": (
        "train_loss[quarter] <= start / 10",
        "train_loss[quarter] <= fall / 5",
        "train_loss[quarter] <= fall / 20",
        "train_loss[quarter] <= fall / 100",
        "train_loss[quarter] <= 0.1",
    ),
    "validation_loss[-1] - end > start / 10": (
        "validation_loss[-1] - end > fall / 10",
        "validation_loss[-1] - end > start / 5",
        "validation_loss[-1] - end > start / 4",
        "validation_loss[-1] - end > 0.2",
    ),
    "- end > fall / 10": ("- end > start / 10", "- end > fall / 20", "- end > 0.1"),
    "end > start / 2": ("end > fall / 2", "end > 0.7 * start", "end > 1"),
    "end > start / 4": ("end > fall / 4", "end > start / 3", "end > 0.4 * start", "end > 0.55 * start", "end > 0.5"),
    "end <= fall / 20": ("end <= end / 20", "end <= fall / 10", "end <= 0.05"),
    "train_loss[settled] > fall / 10": (
        "train_loss[settled] > start / 10",
        "train_loss[settled] > fall / 7",
        "train_loss[settled] > fall / 20",
        "train_loss[settled] > start / 20",
        "train_loss[settled] > 0.1",
    ),
}

# Of each exercise: a piece of the reference, and what a student may write in its place against the docstring. The
# public cases catch these, and none of them is told the hint of another mistake.
CAUGHT_AT_ONCE = {
    "gradient_descent": [
        ("    return", "        if np.abs(points[-1] - points[-2]).max() < 1e-3: break\n    return"),
        ("learning_rate * gradient(points[-1])", "learning_rate * np.clip(gradient(points[-1]), -100, 100)"),
        ("np.array(points)", "np.array(points).T"),
    ],
    "largest_stable_rate": [("eigenvalues[0] < 0", "np.linalg.det(hessian) < 0 or np.trace(hessian) < 0")],
    "step_decay": [
        ("learning_rate * factor**drops", "round(learning_rate * factor**drops, 4)"),
        ("learning_rate * factor**drops", "round(learning_rate * factor**drops, 5)"),
    ],
    "cosine_decay": [("    progress", "    if epoch > epochs: return 0.0\n    progress")],
    "cosine_restarts": [
        ("while epoch >= length:", "for _ in range(5):\n      if epoch >= length:"),
        ("while epoch >= length:", "for _ in range(12):\n      if epoch >= length:"),
        (
            "while epoch >= length:",
            "for _ in range(int(np.log(epoch / first_cycle * (multiplier - 1) + 1) / np.log(multiplier)) "
            "if multiplier > 1 else epoch // first_cycle):",
        ),
    ],
    "reduce_on_plateau": [
        ("bad = learning_rate * factor, 0", "bad, best = learning_rate * factor, 0, loss"),
        ("loss < best", "loss < best * (1 - 1e-4)"),
        ("np.array(rates, dtype=float)", "np.array(rates).astype(np.array(rates[:1]).dtype)"),
    ],
    "diagnose": [
        ("np.isfinite([train_loss, validation_loss]).all()", "np.isfinite(train_loss).all()"),
        ("not np.isfinite([train_loss, validation_loss]).all()", "np.isinf([train_loss, validation_loss]).any()"),
        ("np.isfinite([train_loss, validation_loss])", "np.isfinite([train_loss[-1], validation_loss[-1]])"),
        ("np.diff(train_loss).clip(min=0).sum()", "np.diff(train_loss).max()"),
        ("np.diff(train_loss)", "np.diff(validation_loss)"),
        (
            "sum() > fall / 2:",
            "sum() > fall / 2 or np.diff(validation_loss).clip(0).sum() > (validation_loss[0] - validation_loss[-1]) / 2:",
        ),
        ("start - train_loss[quarter]", "start - train_loss[quarter - 1]"),
        ("start - train_loss[quarter]", "start - train_loss[quarter + 1]"),
        ("start - train_loss[quarter]", "start - train_loss[: quarter + 1].min()"),
        ("start - train_loss[quarter] <= fall", "start - train_loss[quarter] < fall"),
        ("start - end,", "train_loss.max() - train_loss.min(),"),
        ("len(train_loss) // 4", "round(len(train_loss) / 4)"),
        ("len(train_loss) // 4", "-(-len(train_loss) // 4)"),
        ("validation_loss[-1] - end > start", "np.max(validation_loss - train_loss) > start"),
        ("validation_loss[-1] - end > start", "abs(validation_loss[-1] - end) > start"),
        ("validation_loss[-1] - end > start", "validation_loss[-1] - validation_loss.min() > start"),
        ("validation_loss[-1] - end > start", "validation_loss[-1] - end >= start"),
        ("train_loss[-1 - quarter]", "train_loss[-quarter]"),
        ("train_loss[-1 - quarter]", "train_loss[-2 - quarter]"),
        ("- end > fall / 10", "- end >= fall / 10"),
        ("end > start / 2", "end >= start / 2"),
        ("end > start / 4", "end >= start / 4"),
        ("np.argmax(train_loss - end <= fall / 20)", "np.flatnonzero(train_loss - end > fall / 20)[-1] + 1"),
        ("train_loss[settled] > fall", "train_loss[settled] >= fall"),
        *((right, wrong) for right, changes in WRONG_NUMBERS.items() for wrong in changes),
    ],
    "suggest_rate": [
        ("np.argmin(slopes)", "len(slopes) - 1 - np.argmin(slopes[::-1])"),
        ("~np.isfinite(losses) | (losses > ", "~np.isfinite(losses) | (losses >= "),
        ("~np.isfinite(losses) | (losses > 2 * losses[0])", "~(losses <= 2 * losses[0])"),
        ("2 * losses[0]", "4 * losses[0]"),
        ("2 * losses[0]", "3 * losses[0]"),
        ("np.diff(losses[:end])", "np.diff(np.log(losses[:end]))"),
        ("np.argmax(exploded) if exploded.any() else len(losses)", "np.argmin(losses) + 1"),
        ("np.argmax(exploded) if exploded.any() else len(losses)", "np.argmax(exploded) - 1"),
    ],
}

# And these are told the hint of the known mistake named last, of which each is another spelling.
RECOGNISED = [
    ("reduce_on_plateau", "best, bad = [], np.inf, 0", "best, bad = [], 10.0, 0", "best_begins_with_a_number"),
    ("reduce_on_plateau", "best, bad = [], np.inf, 0", "best, bad = [], 1e9, 0", "best_begins_with_a_number"),
    ("update_ratio", "length > 0", "length >= 1e-3", "nearly_zero"),
    ("update_ratio", "length > 0", "length > 1e-8", "nearly_zero"),
    ("update_ratio", "if length > 0", "if weights.sum() != 0", "sum_is_zero"),
    ("diagnose", "not np.isfinite([train_loss, validation_loss]).all()",
     "np.isnan(train_loss).any() or np.isnan(validation_loss).any()", "infinity_overlooked"),
]  # fmt: skip


def loses_points_at_once_and_has_no_hint(name, right, wrong):
    found = verdict(name, right, wrong)
    assert found.points < found.max_points
    assert found.mistake is None


@pytest.mark.parametrize(("name", "right", "wrong"), listed(CAUGHT_AT_ONCE))
def test_a_small_change_loses_points_by_public_cases_and_gets_no_hint_for_another_mistake(name, right, wrong):
    loses_points_at_once_and_has_no_hint(name, right, wrong)


@pytest.mark.parametrize(("name", "right", "wrong", "mistake"), RECOGNISED)
def test_a_known_mistake_in_another_spelling_is_recognised(name, right, wrong, mistake):
    found = verdict(name, right, wrong)
    assert found.points < found.max_points
    assert found.mistake.name == mistake


@pytest.mark.parametrize("seed", HIDDEN_SEEDS)
@pytest.mark.parametrize(
    ("right", "wrong"), [(right, wrong) for right in WRONG_NUMBERS for wrong in WRONG_NUMBERS[right]]
)
def test_the_hidden_cases_alone_pin_every_number_of_diagnose(seed, right, wrong):
    judging = sheet("diagnose", seed)
    judging = replace(judging, cases=tuple(case for case in judging.cases if case.hidden), mistakes=())
    found = verdict("diagnose", right, wrong, judging)
    assert found.points < found.max_points


def two_rules(first, second):
    """The source of two neighbouring rules of `diagnose`, each found by how it begins."""
    lines = inspect.getsource(diagnose).splitlines(keepends=True)
    start, middle = (next(i for i, line in enumerate(lines) if text in line) for text in (first, second))
    return "".join(lines[start:middle]), "".join(lines[middle : middle + 2])


RULES = ("if np.diff(", "if start - train_loss[quarter]", "if validation_loss[-1]", "if train_loss[-1 - quarter]")


@pytest.mark.parametrize(("first", "second"), list(zip(RULES, RULES[1:])))
def test_the_order_of_the_rules_counts(first, second):
    one, other = two_rules(first, second)
    loses_points_at_once_and_has_no_hint("diagnose", one + other, other + one)
