"""Data sets, split the same way for everybody.

`digits`, `wine`, `breast_cancer`, `diabetes` and `reviews` come with the book and need no network. `mnist`,
`fashion_mnist` and `imdb` are fetched when they are first asked for; where that fails, the message names a stand-in.
"""

from labutils.data.images import digits, fashion_mnist, mnist
from labutils.data.parts import DataError, Examples, Split, Texts
from labutils.data.tables import Table, breast_cancer, diabetes, wine
from labutils.data.texts import imdb, reviews

__all__ = [
    "DataError",
    "Examples",
    "Split",
    "Table",
    "Texts",
    "breast_cancer",
    "diabetes",
    "digits",
    "fashion_mnist",
    "imdb",
    "mnist",
    "reviews",
    "wine",
]
