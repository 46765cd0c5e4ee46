"""The exercise `nearest_neighbours`."""

import numpy as np

from grader.exercises.transfer_learning.common import chapter

exercise = chapter.exercise(
    "nearest_neighbours",
    points=2,
    aspects={"the neighbours": 3, "the row itself": 1, "ties": 1, "refusals": 1},
    hints=(
        "If all rows had the length 1, their products with one of them would be the cosines. What has to happen to a "
        "row so that it has this length?",
        "Divide each row by its `np.linalg.norm`. The products of all rows with row `query` are one matrix product. "
        "Sort by them, the largest first, so that equal ones keep their order.",
        "`np.argsort(-similarities, kind='stable')` keeps equal ones in their order. Take `query` out of it by its "
        "number, wherever it stands, and cut after `k`. Look for rows of zeros, and for `query` and `k` out of range, "
        "before anything is divided.",
    ),
)


@exercise.reference
def nearest_neighbours(features, query, k):
    others = len(features) - 1
    if not 0 <= query <= others:
        raise ValueError(f"there is no row {query}; the rows are 0 to {others}")
    if not 1 <= k <= others:
        raise ValueError(f"k is {k}, and row {query} has {others} others; ask for 1 to {others}")
    lengths = np.linalg.norm(features, axis=1)
    if not lengths.all():
        raise ValueError(f"row {np.argmin(lengths)} is all zeros and has no direction; leave it out")
    directions = features / lengths[:, np.newaxis]
    similarities = directions @ directions[query]
    order = np.argsort(-similarities, kind="stable")
    return order[order != query][:k]


# Long rows, short rows, and one that points the other way.
exercise.case(
    "the neighbours",
    features=np.array([[1.0, 0.25], [9.0, 1.0], [1.0, 1.0], [-2.0, -0.5], [0.1, 0.05], [0.0, 4.0]]),
    query=0,
    k=3,
)
exercise.case(
    "the neighbours",
    features=np.array([[1.0, 2.0, 0.0], [4.0, 0.5, 1.0], [0.3, 0.1, 0.1], [2.0, 1.0, 5.0], [1.0, 0.0, 1.0]]),
    query=3,
    k=2,
)
exercise.case(
    "the neighbours",
    features=np.array([[3.0, 1.0], [2.0, 2.5], [-1.0, 4.0], [-5.0, 1.0], [0.5, -3.0]]),
    query=1,
    k=4,
)
# Not the first place: a copy of the row stands in front of it, and another behind.
exercise.case(
    "the row itself",
    features=np.array([[0.0, 1.0], [2.0, 0.0], [1.0, 1.0], [2.0, 0.0], [4.0, 0.0], [-1.0, 0.5]]),
    query=3,
    k=3,
)
exercise.case("the row itself", features=np.array([[2.0, 1.0], [1.0, 2.0]]), query=1, k=1)
exercise.case("the row itself", features=np.array([[1.0, 0.0], [2.0, 1.0], [0.0, 1.0], [5.0, 1.0]]), query=0, k=3)
# Entries of 1 and -1 in four dimensions, times powers of 2: all cosines are quarters.
exercise.case(
    "ties",
    features=np.array(
        [
            [1.0, -1.0, 1.0, -1.0],
            [2.0, 2.0, 2.0, -2.0],
            [1.0, 1.0, 1.0, 1.0],
            [1.0, -1.0, 1.0, 1.0],
            [0.5, 0.5, -0.5, 0.5],
            [-1.0, 1.0, 1.0, 1.0],
            [4.0, 4.0, -4.0, -4.0],
        ]
    ),
    query=2,
    k=5,
)
exercise.case(
    "ties",
    features=np.array([[0.0, 2.0], [1.0, 0.0], [0.0, -1.0], [0.0, 1.0], [8.0, 0.0], [-1.0, 0.0], [0.0, 3.0]]),
    query=4,
    k=5,
)
exercise.case("refusals", features=np.array([[1.0, 0.5], [2.0, 0.0], [0.0, 1.0]]), query=0, k=2)
exercise.case("refusals", features=np.array([[1.0, 0.5], [2.0, 0.0], [0.0, 1.0]]), query=0, k=3)
exercise.case("refusals", features=np.array([[1.0, 0.5], [2.0, 0.0], [0.0, 1.0]]), query=0, k=0)
exercise.case("refusals", features=np.array([[1.0, 0.5], [2.0, 0.0], [0.0, 1.0]]), query=3, k=1)
exercise.case("refusals", features=np.array([[1.0, 0.5], [2.0, 0.0], [0.0, 1.0]]), query=-1, k=1)
exercise.case("refusals", features=np.array([[1.0, 0.5], [0.0, 0.0], [0.0, 1.0]]), query=0, k=1)
exercise.case("refusals", features=np.array([[1.0, 0.5], [0.0, 0.0], [0.0, 1.0]]), query=1, k=1)


def cloud(rng, rows, features):
    """Rows of very different lengths, no two of them alike."""
    return rng.normal(size=(rows, features)) * 10.0 ** rng.uniform(-1, 1, (rows, 1))


@exercise.hidden("the neighbours", count=4)
def neighbours_of_any_row(rng):
    rows = int(rng.integers(8, 15))
    features = cloud(rng, rows, int(rng.integers(2, 5)))
    return {"features": features, "query": int(rng.integers(rows)), "k": int(rng.integers(5, rows))}


@exercise.hidden("the row itself", count=2)
def all_others(rng):
    rows = int(rng.integers(3, 6))
    return {"features": cloud(rng, rows, 2), "query": int(rng.integers(rows)), "k": rows - 1}


@exercise.hidden("ties", count=2)
def many_ties(rng):
    features = rng.choice([-1.0, 1.0], (12, 4)) * 2.0 ** rng.integers(-1, 3, (12, 1))
    return {"features": features, "query": int(rng.integers(12)), "k": 9}


@exercise.hidden("refusals", count=2)
def too_many(rng):
    rows = int(rng.integers(3, 6))
    return {"features": cloud(rng, rows, 2), "query": int(rng.integers(rows)), "k": rows + int(rng.integers(0, 3))}


exercise.slip(
    "These are the rows with the largest products: a long row wins, wherever it points. Divide each by its length.",
    name="products_without_lengths",
    right="directions = features / lengths[:, np.newaxis]",
    wrong="directions = features",
)
exercise.slip(
    "The least alike stand first in your answer. `np.argsort` sorts upwards; turn the sign.",
    name="least_alike_first",
    right="np.argsort(-similarities",
    wrong="np.argsort(similarities",
)
exercise.slip(
    "You leave the sign of the cosine out. A row that points the other way is as unlike as can be.",
    name="sign_left_out",
    right="np.argsort(-similarities",
    wrong="np.argsort(-abs(similarities)",
)
exercise.slip(
    "The row itself is in your answer. Whoever asks for its neighbours has it already.",
    name="row_itself_included",
    right="order[order != query][:k]",
    wrong="order[:k]",
)
exercise.slip(
    "You take the first of the list for the row itself. A row that is equally alike, with a smaller number, stands "
    "before it: take the row out by its number.",
    name="first_place_left_out",
    right="order[order != query][:k]",
    wrong="order[1 : k + 1]",
)
exercise.slip(
    "Rows that are equally alike stand in the wrong order in your answer: turned round after sorting, or sorted in no "
    "fixed order. The smaller number comes first.",
    name="ties_turned_round",
    right='np.argsort(-similarities, kind="stable")',
    wrong='np.argsort(similarities, kind="stable")[::-1]',
)
exercise.slip(
    "You return one neighbour too few: first you cut after `k`, and then the row itself goes.",
    name="one_too_few",
    right="order[order != query][:k]",
    wrong="order[:k][order[:k] != query]",
)
exercise.slip(
    "Zeros have no direction, and 0 / 0 is NaN. Refuse it with a ValueError that names it, wherever it stands.",
    name="zeros_accepted",
    right="not lengths.all()",
    wrong="False",
)
exercise.slip(
    "You look for zeros only in the row that is asked about. Any other row without a direction spoils the answer too.",
    name="other_zeros_overlooked",
    right="not lengths.all()",
    wrong="not lengths[query]",
)
exercise.slip(
    "More neighbours than there are others, or fewer than one, cannot be given. Refuse such a `k` with a ValueError "
    "instead of returning fewer.",
    name="any_k_accepted",
    right="not 1 <= k <= others",
    wrong="False",
)
exercise.slip(
    "k may be as large as the number of the other rows; you refuse that one too.",
    name="all_others_refused",
    right="1 <= k <= others",
    wrong="1 <= k < others",
)
exercise.slip(
    "A negative number counts rows from the end, in Python. Here it is a mistake of the caller's, and so is one behind "
    "the last row: refuse both with a ValueError.",
    name="any_row_accepted",
    right="not 0 <= query <= others",
    wrong="False",
)


@exercise.mistake(
    "Yours are the nearest points, by their distance. Two rows may point in the same direction and lie far apart, one "
    "being longer: compare angles."
)
def by_distance(features, query, k):
    others = len(features) - 1
    if not 0 <= query <= others or not 1 <= k <= others or not np.linalg.norm(features, axis=1).all():
        raise ValueError("no neighbours")
    order = np.argsort(np.linalg.norm(features - features[query], axis=1), kind="stable")
    return order[order != query][:k]


@exercise.mistake("You give each column the length 1, not each row. An image is a row.")
def columns_for_rows(features, query, k):
    others = len(features) - 1
    if not 0 <= query <= others or not 1 <= k <= others or not np.linalg.norm(features, axis=1).all():
        raise ValueError("no neighbours")
    directions = features / np.linalg.norm(features, axis=0)
    order = np.argsort(-directions @ directions[query], kind="stable")
    return order[order != query][:k]


@exercise.mistake(
    "You take the row out first, so all rows behind it lose one from their numbers. Return the numbers that they had."
)
def numbers_shifted(features, query, k):
    others = len(features) - 1
    if not 0 <= query <= others or not 1 <= k <= others or not np.linalg.norm(features, axis=1).all():
        raise ValueError("no neighbours")
    directions = features / np.linalg.norm(features, axis=1, keepdims=True)
    return np.argsort(-np.delete(directions, query, axis=0) @ directions[query], kind="stable")[:k]


@exercise.mistake(
    "You subtract the mean of each row, which makes a correlation of the cosine. Take the rows as they are."
)
def correlations(features, query, k):
    others = len(features) - 1
    if not 0 <= query <= others or not 1 <= k <= others or not np.linalg.norm(features, axis=1).all():
        raise ValueError("no neighbours")
    centred = features - features.mean(axis=1, keepdims=True)
    directions = centred / np.maximum(np.linalg.norm(centred, axis=1, keepdims=True), 1e-12)
    order = np.argsort(-directions @ directions[query], kind="stable")
    return order[order != query][:k]


@exercise.alternative
def one_pair_at_a_time(features, query, k):
    count = len(features)
    if query < 0 or query >= count or k < 1 or k > count - 1:
        raise ValueError("out of range")
    for row in features:
        if not row.any():
            raise ValueError("a row of zeros")
    found = []
    wanted = features[query] / np.sqrt((features[query] ** 2).sum())
    for number, row in enumerate(features):
        if number != query:
            found.append((-((row / np.sqrt((row**2).sum())) * wanted).sum(), number))
    return np.array([number for _, number in sorted(found)[:k]])


@exercise.alternative
def by_products_and_lengths(features, query, k):
    if query not in range(len(features)) or k not in range(1, len(features)):
        raise ValueError("out of range")
    squares = np.einsum("ij,ij->i", features, features)
    if (squares == 0).any():
        raise ValueError("zeros")
    cosines = features @ features[query] / np.sqrt(squares) / np.sqrt(squares[query])
    cosines[query] = -np.inf
    return np.lexsort((np.arange(len(features)), -cosines))[:k]


@exercise.alternative
def farthest_last(features, query, k):
    others = [number for number in range(len(features)) if number != query]
    if len(others) == len(features) or k < 1 or k > len(others) or (features == 0).all(axis=1).any():
        raise ValueError("no such neighbours")
    unit = features / np.sqrt(np.sum(np.square(features), axis=1))[:, None]
    others.sort(key=lambda number: -float(unit[number].dot(unit[query])))
    return np.array(others)[:k].astype(np.int32)
