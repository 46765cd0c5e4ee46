"""The exercise `minibatches`."""

import numpy as np

from grader.exercises.optimizers.common import chapter

exercise = chapter.exercise(
    "minibatches",
    points=2,
    aspects={"whole batches": 1, "a smaller last batch": 1, "any size": 1},
    hints=(
        "Where does each batch begin? Write down the starting places for 10 rows and batches of 4.",
        "They are 0, 4 and 8: `range` counts like that, given three numbers. A slice that reaches beyond the end of an "
        "array just stops there.",
        "Cut `order[start : start + batch_size]` for each start in `range(0, len(order), batch_size)`, and refuse a "
        "`batch_size` below 1 first.",
    ),
)


@exercise.reference
def minibatches(order, batch_size):
    if batch_size < 1:
        raise ValueError(f"batch_size is {batch_size}, and a batch holds at least one row: give 1 or more")
    return [order[start : start + batch_size] for start in range(0, len(order), batch_size)]


exercise.case("whole batches", order=np.array([2, 5, 0, 3, 1, 4]), batch_size=2)
# Rows that were picked beforehand: their numbers are no longer 0, 1, 2 and so on.
exercise.case("whole batches", order=np.array([31, 8, 20, 5, 17, 12]), batch_size=3)
exercise.case("whole batches", order=np.array([7, 2, 5, 0, 3, 6, 1, 4, 8, 11, 10, 9]), batch_size=4)
exercise.case("a smaller last batch", order=np.array([3, 0, 4, 1, 2]), batch_size=2)
exercise.case("a smaller last batch", order=np.array([8, 2, 9, 5, 0, 3, 6, 1, 4, 7]), batch_size=4)
exercise.case("any size", order=np.array([2, 0, 1]), batch_size=1)
exercise.case("any size", order=np.array([2, 0, 1]), batch_size=3)
exercise.case("any size", order=np.array([2, 0, 1]), batch_size=5)
exercise.case("any size", order=np.array([4, 7, 2, 0, 1, 6, 3, 5]), batch_size=7)
exercise.case("any size", order=np.array([], dtype=int), batch_size=2)
exercise.case("any size", order=np.array([2, 0, 1]), batch_size=0)
exercise.case("any size", order=np.array([2, 0, 1]), batch_size=-2)


@exercise.hidden("whole batches", count=3)
def order_that_divides(rng):
    batch_size, count = rng.integers(2, 8), rng.integers(3, 8)
    return {"order": rng.permutation(batch_size * count), "batch_size": int(batch_size)}


@exercise.hidden("a smaller last batch", count=4)
def order_with_a_rest(rng):
    batch_size, count = rng.integers(3, 9), rng.integers(2, 8)
    rest = rng.integers(1, batch_size)
    return {"order": rng.permutation(batch_size * count + rest), "batch_size": int(batch_size)}


@exercise.hidden("any size", count=4)
def any_order(rng):
    return {"order": rng.permutation(rng.integers(1, 12)), "batch_size": int(rng.integers(1, 15))}


exercise.slip(
    "Rows are missing at the end: what did not fill a batch was thrown away. It makes a last, smaller batch.",
    name="rest_dropped",
    right="range(0, len(order), batch_size)",
    wrong="range(0, len(order) - batch_size + 1, batch_size)",
)
exercise.slip(
    "Your batches overlap: each begins one row after the one before, so a row is in several of them. The next batch "
    "begins where the last one ends.",
    name="overlapping",
    right="range(0, len(order), batch_size)",
    wrong="range(len(order))",
)
exercise.slip(
    "You make `batch_size` batches. It is the number of rows in a batch, not the number of batches.",
    name="number_of_batches",
    right="[order[start : start + batch_size] for start in range(0, len(order), batch_size)]",
    wrong="np.array_split(order, batch_size)",
)
exercise.slip(
    "You share the rows out evenly, so batches that could be full are not. Every batch but the last has `batch_size` "
    "rows, and the last has what remains.",
    name="shared_out_evenly",
    right="[order[start : start + batch_size] for start in range(0, len(order), batch_size)]",
    wrong="np.array_split(order, -(-len(order) // batch_size)) if len(order) else []",
)
exercise.slip(
    "You share the rows out evenly, so batches that could be full are not: every batch but the last has `batch_size` "
    "rows. And without any rows `np.array_split` refuses to make no pieces, where there should be no batch.",
    name="shared_out_evenly_and_no_rows_overlooked",
    right="[order[start : start + batch_size] for start in range(0, len(order), batch_size)]",
    wrong="np.array_split(order, -(-len(order) // batch_size))",
)
exercise.slip(
    "Your batches hold places, 0, 1, 2 and so on, and not the rows that stand there. `order` was shuffled for a "
    "reason: take its entries.",
    name="places_for_rows",
    right="[order[start",
    wrong="[np.arange(len(order))[start",
)
exercise.slip(
    "You sort the rows, and every epoch would bring the same batches in the same order. They come in the order that "
    "`order` gives.",
    name="sorted_first",
    right="[order[start",
    wrong="[np.sort(order)[start",
)
exercise.slip(
    "There is an empty batch at the end: where the rows divide evenly, or where there are none, nothing remains for "
    "it. The mean loss of no rows is NaN.",
    name="empty_batch_at_the_end",
    right="range(0, len(order), batch_size)",
    wrong="range(0, len(order) + 1, batch_size)",
)
exercise.slip(
    "Each batch is one row short: a slice leaves out its end. From `start` on, `batch_size` rows end before "
    "`start + batch_size`.",
    name="one_row_short",
    right="start + batch_size]",
    wrong="start + batch_size - 1]",
)
exercise.slip(
    "You fill the last batch with rows from the beginning. They would count twice in this epoch; leave it smaller.",
    name="filled_up",
    right="order[start : start + batch_size]",
    wrong="np.take(order, range(start, start + batch_size), mode='wrap')",
)
exercise.slip(
    "Your batches take every k-th row: each has the right size, but the rows come from all over `order`. A batch is a "
    "piece of it, cut from `start` on.",
    name="every_kth_row",
    right="[order[start : start + batch_size] for start in range(0, len(order), batch_size)]",
    wrong="[order[start :: -(-len(order) // batch_size)] for start in range(-(-len(order) // batch_size))]",
)
exercise.slip(
    "Without any rows you return one empty batch, on which an update would compute NaN. There should be no batch.",
    name="one_batch_of_nothing",
    right="[order[start : start + batch_size] for start in range(0, len(order), batch_size)]",
    wrong="np.split(order, range(batch_size, len(order), batch_size))",
)
exercise.slip(
    "`reshape` makes rows of one length only, so it stops where the batches do not come out even. Cut the pieces one "
    "by one.",
    name="reshaped",
    right="[order[start : start + batch_size] for start in range(0, len(order), batch_size)]",
    wrong="list(order.reshape(-1, batch_size))",
)


@exercise.mistake(
    "A negative `batch_size` gives no batches, and nobody would notice that nothing is learnt. Refuse what is less "
    "than 1 with a ValueError. (`range` itself refuses only 0.)"
)
def negative_overlooked(order, batch_size):
    return [order[start : start + batch_size] for start in range(0, len(order), batch_size)]


@exercise.mistake(
    "Two things are missing: the rows that did not fill a batch, which make a last, smaller one, and a ValueError for "
    "a `batch_size` below 1."
)
def whole_batches_only(order, batch_size):
    return [order[number * batch_size : (number + 1) * batch_size] for number in range(len(order) // batch_size)]


@exercise.alternative
def cut_off_the_front(order, batch_size):
    if not batch_size > 0:
        raise ValueError("no rows in a batch")
    batches, remaining = [], order
    while len(remaining):
        batches.append(remaining[:batch_size].copy())
        remaining = remaining[batch_size:]
    return batches


@exercise.alternative
def row_by_row(order, batch_size):
    if batch_size <= 0:
        raise ValueError(batch_size)
    batches = []
    for place, row in enumerate(order):
        if place % batch_size == 0:
            batches.append([])
        batches[-1].append(row)
    return [np.array(batch, dtype=np.int32) for batch in batches]


@exercise.alternative
def split_where_each_begins(order, batch_size):
    if batch_size < 1:
        raise ValueError("batch_size must be at least 1")
    return tuple(np.split(order, np.arange(batch_size, order.size, batch_size))) if order.size else []
