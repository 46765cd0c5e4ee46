"""Pictures to be recognised: handwritten digits that come with the book."""

import torch

from labutils.data.embedded import read_checked
from labutils.data.parts import Examples, Split, three_parts

_DIGITS_SHA256 = "30aa855cd90427ff3c4996b3f40109597c57049f8a038cc52db1efeac8ad2e26"


def digits(*, images: bool = False, seed: int = 0) -> Split:
    """1797 handwritten digits of 8x8 pixels, 60 % for training, 20 % for validation and 20 % for testing.

    The split is stratified, so each part has the ten digits in the same proportions, and the same `seed` always gives
    the same split: 1077, 360 and 360 examples.

    Returns a `Split`; in each part `x` is float32 between 0 (paper) and 1 (ink), of shape (n, 64), or (n, 1, 8, 8) with
    `images=True`, and `y` is int64 of shape (n,), the digit 0 to 9.

    Source: Alpaydin and Kaynak (1998), the test part of the UCI "Optical Recognition of Handwritten Digits" data, as
    scikit-learn ships it. Raises `DataError` when that copy is missing or damaged.
    """
    from sklearn.datasets import load_digits

    pixels, labels = read_checked("handwritten digits", load_digits, _DIGITS_SHA256)
    x = torch.tensor(pixels / 16, dtype=torch.float32).reshape((-1, 1, 8, 8) if images else (-1, 64))
    y = torch.tensor(labels, dtype=torch.int64)
    return Split(*(Examples(x[rows], y[rows]) for rows in three_parts(labels, seed=seed)))
