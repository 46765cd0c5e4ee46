"""Reads the small data sets that scikit-learn brings with it, and checks them number by number."""

import hashlib
from collections.abc import Callable

import numpy as np

from labutils.data.parts import DataError


def read_checked(what: str, load: Callable[..., tuple], sha256: str, **options) -> tuple[np.ndarray, np.ndarray]:
    """Inputs of shape (n, d) and targets of shape (n,), as `load` of `sklearn.datasets` reads them.

    Raises `DataError` when scikit-learn's file of `what` is missing, or does not hold the numbers with this `sha256`
    (of the rows, `y` last, as little-endian float64).
    """
    try:
        x, y = load(return_X_y=True, **options)
        numbers = np.column_stack([x, y]).round(9)  # releases of scikit-learn differ in the last bit of a few
    except Exception as error:  # a damaged file can make its reader raise anything
        raise DataError(_damaged(what, f"cannot be read ({type(error).__name__}: {error})")) from error
    if hashlib.sha256(numbers.astype("<f8").tobytes()).hexdigest() != sha256:
        raise DataError(_damaged(what, "is not the one that this book was written with"))
    return x, y


def _damaged(what: str, how: str) -> str:
    return (
        f"The file of {what} that comes with scikit-learn {how}. "
        "Put it back with: python -m pip install --force-reinstall --no-deps scikit-learn"
    )
