"""The exercise `kfold_indices`."""

import numpy as np

from grader.exercises.generalization.common import chapter

exercise = chapter.exercise(
    "kfold_indices",
    points=2,
    aspects={"folds of one size": 1, "a remainder": 2, "as many folds as may be": 1},
    hints=(
        "Write down the 7 examples a b c d e f g, cut into 3 folds: abc, de, fg. Which fold is validated in which "
        "round, and what is left to train on?",
        "`np.array_split(order, folds)` cuts into blocks whose sizes differ by one at most, the larger ones first. The "
        "training part joins all blocks but one: `np.concatenate` of the blocks before it and of those after it.",
        "With the list `blocks`, fold i is `(np.concatenate(blocks[:i] + blocks[i + 1 :]), blocks[i])`. Before you "
        "cut, refuse `folds` below 2 or above `len(order)`.",
    ),
)


@exercise.reference
def kfold_indices(order, folds):
    if not 2 <= folds <= len(order):
        raise ValueError(f"{folds} folds of {len(order)} examples: take at least 2, and at most one for each example")
    blocks = np.array_split(order, folds)
    return [(np.concatenate(blocks[:i] + blocks[i + 1 :]), blocks[i]) for i in range(folds)]


exercise.case("folds of one size", order=np.array([3, 0, 5, 1, 4, 2]), folds=3)
exercise.case("folds of one size", order=np.array([3, 0, 2, 1]), folds=2)
# Not the numbers from 0 on: a part of the data that was set aside before.
exercise.case("folds of one size", order=np.array([40, 12, 33, 7, 28, 19, 5, 51]), folds=4)
exercise.case("a remainder", order=np.array([8, 3, 5, 1, 9]), folds=2)
exercise.case("a remainder", order=np.array([6, 2, 0, 3, 1, 5, 4]), folds=3)
exercise.case("a remainder", order=np.array([4, 9, 0, 7, 2, 6, 3, 8, 1, 5, 10]), folds=4)
# One example for each fold.
exercise.case("as many folds as may be", order=np.array([2, 0, 3, 1]), folds=4)
exercise.case("as many folds as may be", order=np.array([5, 9, 6]), folds=3)
exercise.case("as many folds as may be", order=np.array([2, 0, 3, 1]), folds=5)
exercise.case("as many folds as may be", order=np.array([2, 0, 3, 1]), folds=1)
exercise.case("as many folds as may be", order=np.array([2, 0, 3, 1]), folds=0)


def shuffled(rng, n):
    """Numbers of n examples, out of more, in random order: neither the first n nor in sequence."""
    return 1 + rng.permutation(2 * n)[:n]


@exercise.hidden("folds of one size", count=4)
def even_cut(rng):
    folds = int(rng.integers(2, 7))
    return {"order": shuffled(rng, folds * int(rng.integers(2, 6))), "folds": folds}


@exercise.hidden("a remainder", count=6)
def uneven_cut(rng):
    folds = int(rng.integers(3, 8))
    return {"order": shuffled(rng, folds * int(rng.integers(2, 5)) + int(rng.integers(1, folds))), "folds": folds}


@exercise.hidden("as many folds as may be", count=2)
def leave_one_out(rng):
    n = int(rng.integers(3, 12))
    return {"order": shuffled(rng, n), "folds": n}


@exercise.hidden("as many folds as may be", count=2)
def more_folds_than_examples(rng):
    n = int(rng.integers(3, 12))
    return {"order": shuffled(rng, n), "folds": n + int(rng.integers(1, 9))}


@exercise.mistake(
    "The last examples are in no validation part: `len(order) // folds` forgets the remainder. Every example has to be "
    "validated exactly once."
)
def remainder_missed(order, folds):
    if not 2 <= folds <= len(order):
        raise ValueError("no such folds")
    size = len(order) // folds
    starts = [i * size for i in range(folds)]
    return [(np.append(order[:start], order[start + size :]), order[start : start + size]) for start in starts]


@exercise.mistake(
    "The last examples are in no fold at all, neither to train on nor to validate: `len(order) // folds` forgets the "
    "remainder. Give one more example to as many folds as there are examples left over."
)
def remainder_thrown_away(order, folds):
    if not 2 <= folds <= len(order):
        raise ValueError("no such folds")
    size = len(order) // folds
    blocks = [order[i * size : (i + 1) * size] for i in range(folds)]
    return [(np.concatenate(blocks[:i] + blocks[i + 1 :]), blocks[i]) for i in range(folds)]


@exercise.mistake(
    "Your last fold takes the whole remainder and may be nearly twice as large as the others. Hand the examples that "
    "are left over to the first folds, one to each."
)
def remainder_in_the_last_fold(order, folds):
    if not 2 <= folds <= len(order):
        raise ValueError("no such folds")
    size = len(order) // folds
    blocks = [order[i * size : (i + 1) * size] for i in range(folds - 1)] + [order[(folds - 1) * size :]]
    return [(np.concatenate(blocks[:i] + blocks[i + 1 :]), blocks[i]) for i in range(folds)]


@exercise.mistake(
    "You round the size of a fold up, and the last fold has to do with what is left, which may be next to nothing. "
    "Sizes may differ by one at most."
)
def size_rounded_up(order, folds):
    if not 2 <= folds <= len(order):
        raise ValueError("no such folds")
    size = -(-len(order) // folds)
    blocks = [order[i * size : (i + 1) * size] for i in range(folds)]
    return [(np.concatenate(blocks[:i] + blocks[i + 1 :]), blocks[i]) for i in range(folds)]


@exercise.mistake(
    "Your folds have the right sizes in another sequence: the bounds i * n // folds scatter the larger folds. The "
    "larger ones should come first."
)
def larger_folds_elsewhere(order, folds):
    if not 2 <= folds <= len(order):
        raise ValueError("no such folds")
    bounds = [i * len(order) // folds for i in range(folds + 1)]
    blocks = [order[start:end] for start, end in zip(bounds, bounds[1:])]
    return [(np.concatenate(blocks[:i] + blocks[i + 1 :]), blocks[i]) for i in range(folds)]


@exercise.mistake(
    "Your folds overlap: each reaches one example into the next, so some examples are validated twice. A slice ends "
    "before its second number."
)
def folds_overlap(order, folds):
    if not 2 <= folds <= len(order):
        raise ValueError("no such folds")
    bounds = np.cumsum([0] + [len(block) for block in np.array_split(order, folds)])
    return [
        (np.append(order[:start], order[end + 1 :]), order[start : end + 1]) for start, end in zip(bounds, bounds[1:])
    ]


exercise.slip(
    "You train on everything, the validation part included. Then each fold measures how well the model remembers, not "
    "how well it generalizes.",
    name="training_includes_the_fold",
    right="np.concatenate(blocks[:i] + blocks[i + 1 :])",
    wrong="order.copy()",
)
exercise.slip(
    "Your two parts have changed places: you would train on one fold and validate on all others.",
    name="parts_swapped",
    right="(np.concatenate(blocks[:i] + blocks[i + 1 :]), blocks[i])",
    wrong="(blocks[i], np.concatenate(blocks[:i] + blocks[i + 1 :]))",
)
exercise.slip(
    "You cut the places 0 to n - 1 and never look at what stands in `order`. So the shuffling is lost, and the numbers "
    "may belong to other examples.",
    name="places_not_numbers",
    right="np.array_split(order, folds)",
    wrong="np.array_split(np.arange(len(order)), folds)",
)
exercise.slip(
    "Your training parts come out sorted, as `np.setdiff1d` returns them. They should keep the sequence of `order`; it "
    "was shuffled for a reason.",
    name="training_sorted",
    right="np.concatenate(blocks[:i] + blocks[i + 1 :])",
    wrong="np.setdiff1d(order, blocks[i])",
)
exercise.slip(
    "You deal the examples out like cards, every `folds`-th to the same fold. The folds are blocks of examples that "
    "follow one another in `order`.",
    name="dealt_like_cards",
    right="np.array_split(order, folds)",
    wrong="[order[i::folds] for i in range(folds)]",
)
exercise.slip(
    "You sort `order` before you cut it. Data often lie sorted by class, and then each fold would hold other classes "
    "than its training part: that is why they were shuffled.",
    name="sorted_again",
    right="np.array_split(order, folds)",
    wrong="np.array_split(np.sort(order), folds)",
)
exercise.slip(
    "You shuffle once more. `order` is shuffled already, and whoever compares two models needs the same folds for "
    "both.",
    name="shuffled_again",
    right="np.array_split(order, folds)",
    wrong="np.array_split(np.random.default_rng(0).permutation(order), folds)",
)
exercise.slip(
    "You train only on the blocks before the fold. That is right for a series in time; here the blocks after it belong "
    "to the training part too.",
    name="only_what_comes_before",
    right="np.concatenate(blocks[:i] + blocks[i + 1 :])",
    wrong="np.concatenate(blocks[:i] + [order[:0]])",
)
exercise.slip(
    "With more folds than examples some of your folds are empty, and a score over no example is NaN. Refuse that with "
    "`raise ValueError` before you cut.",
    name="more_folds_than_examples_accepted",
    right="not 2 <= folds <= len(order)",
    wrong="folds < 2",
)
exercise.slip(
    "You refuse as many folds as there are examples. That is allowed, and has a name: leave-one-out.",
    name="leave_one_out_refused",
    right="not 2 <= folds <= len(order)",
    wrong="not 2 <= folds < len(order)",
)


@exercise.mistake(
    "With a single fold nothing is left to train on, and you return it all the same. Refuse fewer than 2 folds."
)
def one_fold_accepted(order, folds):
    if not 1 <= folds <= len(order):
        raise ValueError("no such folds")
    parts = []
    for block in np.array_split(order, folds):
        parts.append((order[~np.isin(order, block)], block))
    return parts


@exercise.alternative
def masks(order, folds):
    n = len(order)
    if folds < 2 or folds > n:
        raise ValueError("the number of folds is out of range")
    fold_of = np.repeat(np.arange(folds), [n // folds + (i < n % folds) for i in range(folds)])
    return [(order[fold_of != i], order[fold_of == i]) for i in range(folds)]


@exercise.alternative
def lists_example_by_example(order, folds):
    if folds > len(order) or folds <= 1:
        raise ValueError("the number of folds is out of range")
    rest, splits = list(order), []
    for i in range(folds):
        size = -(-len(rest) // (folds - i))
        validation, rest = rest[:size], rest[size:]
        training = [example for example in order if example not in validation]
        splits.append([np.array(training, dtype=np.int32), np.array(validation, dtype=np.int32)])
    return splits
