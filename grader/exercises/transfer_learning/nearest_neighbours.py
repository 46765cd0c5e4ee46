"""The exercise `nearest_neighbours`."""

import numpy as np

from grader.exercises.transfer_learning.common import chapter

exercise = chapter.exercise(
    "nearest_neighbours",
    points=2,
    aspects={"the neighbours": 2, "ties": 1, "refusals": 1},
    hints=("",),
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
