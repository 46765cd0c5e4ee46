"""Data sets that come with the book: embedded, read without a network, split the same way for everybody."""

from labutils.data.images import digits
from labutils.data.parts import DataError, Examples, Split, Texts
from labutils.data.tables import Table, breast_cancer, diabetes, wine
from labutils.data.texts import reviews

__all__ = [
    "DataError",
    "Examples",
    "Split",
    "Table",
    "Texts",
    "breast_cancer",
    "diabetes",
    "digits",
    "reviews",
    "wine",
]
