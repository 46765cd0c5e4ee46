"""The exercise `mixup`."""

import numpy as np

from grader.exercises.regularization.common import SINGLE_PRECISION, chapter, derangement, numbers, soft_labels

exercise = chapter.exercise(
    "mixup",
    points=2,
    aspects={"features": 1, "labels": 1, "images": 1, "shares of 0 and 1": 1},
    hints=(
        "`features[order]` are all partners at once. What does each row of them have to be multiplied by?",
        "A share belongs to a row, and numpy lines up the last axes. Give `share` as many axes of length 1 behind the "
        "first as the array has that it multiplies.",
        "`share.reshape(-1, *[1] * (features.ndim - 1))` stands beside features of any shape, `share[:, None]` beside "
        "the labels. Then both mixtures are the same line.",
    ),
    tolerance=SINGLE_PRECISION,
)


@exercise.reference
def mixup(features, labels, order, share):
    if np.any((share < 0) | (share > 1)):
        raise ValueError(f"the shares go from {share.min()} to {share.max()}: give numbers from 0 to 1")
    own = share.reshape(-1, *[1] * (features.ndim - 1))
    mixed_features = own * features + (1 - own) * features[order]
    mixed_labels = share[:, None] * labels + (1 - share[:, None]) * labels[order]
    return mixed_features, mixed_labels


exercise.case(
    "features",
    features=np.array([[8.0, 0.0, 2.0], [0.0, 4.0, -1.0]]),
    labels=np.array([[1.0, 0.0], [0.0, 1.0]]),
    order=np.array([1, 0]),
    share=np.array([0.75, 0.5]),
)
