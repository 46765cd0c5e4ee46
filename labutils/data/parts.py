"""What a data set is given out as: examples in three parts, drawn with a seed."""

import math
from typing import NamedTuple

import numpy as np
import torch


class DataError(RuntimeError):
    """A data set is missing or damaged; the message says which, and how to get it back."""


class Examples(NamedTuple):
    """Inputs `x` and targets `y` with one row per example, on the CPU until somebody moves them."""

    x: torch.Tensor
    y: torch.Tensor


class Texts(NamedTuple):
    """Texts as they were written, and `labels`, int64 of shape (n,), with one entry per text."""

    texts: list[str]
    labels: torch.Tensor


class Split(NamedTuple):
    """One data set in three parts: fit on `train`, choose by `validation`, and look at `test` once, at the end."""

    train: Examples | Texts
    validation: Examples | Texts
    test: Examples | Texts | None = None


def three_parts(y: np.ndarray, *, seed: int, stratified: bool = True) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Row numbers for training, validation and testing: 60 %, 20 % and 20 % of the examples with targets `y`."""
    fifth = math.ceil(len(y) / 5)
    fitted, tested = hold_out(np.arange(len(y)), y, fifth, seed=seed, stratified=stratified)
    trained, validated = hold_out(fitted, y, fifth, seed=seed, stratified=stratified)
    return trained, validated, tested


def hold_out(
    rows: np.ndarray, y: np.ndarray, count: int, *, seed: int, stratified: bool = True
) -> tuple[np.ndarray, np.ndarray]:
    """`rows` in two parts, the second with `count` of them; stratified: both have each class of `y` in proportion."""
    from sklearn.model_selection import train_test_split

    return train_test_split(rows, test_size=count, stratify=y[rows] if stratified else None, random_state=seed)
