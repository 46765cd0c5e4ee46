"""Data sets that come with the book: embedded, read without a network, split the same way for everybody."""

import hashlib
import zlib
from typing import NamedTuple

import numpy as np
import torch

_DIGITS_SHA256 = "68aea062d35a127749050fa0e52dca09d6569ac08092c925610e0954e172dde2"


class DataError(RuntimeError):
    """A data set is missing or damaged; the message says which, and how to get it back."""


class Examples(NamedTuple):
    """Inputs `x` and targets `y` with one row per example, on the CPU until somebody moves them."""

    x: torch.Tensor
    y: torch.Tensor


class Split(NamedTuple):
    """One data set in three parts: fit on `train`, choose by `validation`, and look at `test` once, at the end."""

    train: Examples
    validation: Examples
    test: Examples | None = None


def digits(*, images: bool = False, seed: int = 0) -> Split:
    """1797 handwritten digits of 8x8 pixels, 60 % for training, 20 % for validation and 20 % for testing.

    The split is stratified, so each part has the ten digits in the same proportions, and the same `seed` always gives
    the same split: 1077, 360 and 360 examples.

    Returns a `Split`; in each part `x` is float32 between 0 (paper) and 1 (ink), of shape (n, 64), or (n, 1, 8, 8) with
    `images=True`, and `y` is int64 of shape (n,), the digit 0 to 9.

    Source: Alpaydin and Kaynak (1998), the test part of the UCI "Optical Recognition of Handwritten Digits" data, as
    scikit-learn ships it. Raises `DataError` when that copy is missing or damaged.
    """
    from sklearn.model_selection import train_test_split

    pixels, labels = _read_digits()
    x = torch.tensor(pixels / 16, dtype=torch.float32).reshape((-1, 1, 8, 8) if images else (-1, 64))
    y = torch.tensor(labels, dtype=torch.int64)
    fitted, tested = train_test_split(np.arange(len(y)), test_size=360, stratify=labels, random_state=seed)
    trained, validated = train_test_split(fitted, test_size=360, stratify=labels[fitted], random_state=seed)
    return Split(*(Examples(x[rows], y[rows]) for rows in (trained, validated, tested)))


def _read_digits() -> tuple[np.ndarray, np.ndarray]:
    """Pixels of shape (1797, 64), whole numbers from 0 to 16, and labels of shape (1797,), checked byte by byte."""
    from sklearn.datasets import load_digits

    try:
        pixels, labels = load_digits(return_X_y=True)
    except (OSError, EOFError, ValueError, zlib.error) as error:
        raise DataError(_damaged(f"cannot be read ({type(error).__name__}: {error})")) from error
    content = np.column_stack([pixels, labels]).astype(np.uint8).tobytes()
    if hashlib.sha256(content).hexdigest() != _DIGITS_SHA256:
        raise DataError(_damaged("is not the one that this book was written with"))
    return pixels, labels


def _damaged(what: str) -> str:
    return (
        f"The file of handwritten digits that comes with scikit-learn {what}. "
        "Put it back with: python -m pip install --force-reinstall --no-deps scikit-learn"
    )
