"""Reviews that say whether somebody liked a thing: 510 written for this book, and 50 000 from the internet."""

import hashlib
from pathlib import Path

import torch

from labutils.data.parts import DataError, Split, Texts, three_parts

REVIEWS = Path(__file__).with_name("reviews.tsv")
_REVIEWS_SHA256 = "93c8da9e983abe8311f0c6a8d96a28b1180aa21b0304a6a7dffd1f8c54c9d811"
_LABELS = {"negative": 0, "positive": 1}


def reviews(*, seed: int = 0) -> Split:
    """510 short English reviews, half of them positive: 306 for training, 102 for validation and 102 for testing.

    Films, books, restaurants, hotels and more, in one to four sentences. The split is stratified, so that each part is
    half positive and half negative, and the same `seed` always gives the same split. In every part there are words
    that occur in no other: a vocabulary built from `train` does not know all words of `validation`.

    Returns a `Split`; in each part `texts` is a list of str, and `labels` int64 of shape (n,), 1 for positive and 0 for
    negative.

    Source: written for this book and in the public domain (CC0); see reviews.md beside the file. Raises `DataError`
    when the file is missing or damaged.
    """
    texts, labels = _read_reviews()
    return _parts(texts, labels, three_parts(labels.numpy(), seed=seed))


def _read_reviews() -> tuple[list[str], torch.Tensor]:
    """Texts and labels of the book's file, in its order, checked letter by letter."""
    try:
        content = REVIEWS.read_text(encoding="utf-8")  # whatever line ends a checkout on Windows has given it
    except (OSError, UnicodeDecodeError) as error:
        raise DataError(_damaged(f"cannot be read ({type(error).__name__}: {error})")) from error
    if hashlib.sha256(content.encode()).hexdigest() != _REVIEWS_SHA256:
        raise DataError(_damaged("is not the one that this book was written with"))
    rows = [line.split("\t") for line in content.splitlines()[1:]]
    return [text for _, text in rows], torch.tensor([_LABELS[label] for label, _ in rows])


def _damaged(how: str) -> str:
    return (
        f"The file of reviews that comes with the book {how}. Put a fresh copy from the book's repository at {REVIEWS}"
    )


def _parts(texts: list[str], labels: torch.Tensor, parts) -> Split:
    return Split(*(Texts([texts[row] for row in rows], labels[rows]) for rows in parts))
