"""Reviews that say whether somebody liked a thing: 510 written for this book, and 50 000 from the internet."""

import hashlib
import math
import re
import tarfile
from pathlib import Path

import numpy as np
import torch
from tqdm.auto import tqdm

from labutils.data.downloads import Source, fetch
from labutils.data.parts import DataError, Split, Texts, hold_out, three_parts

REVIEWS = Path(__file__).with_name("reviews.tsv")
_REVIEWS_SHA256 = "93c8da9e983abe8311f0c6a8d96a28b1180aa21b0304a6a7dffd1f8c54c9d811"
_IMDB_REVIEW = re.compile(r"aclImdb/(train|test)/(neg|pos)/\d+_\d+\.txt")
_LABELS = {"negative": 0, "positive": 1, "neg": 0, "pos": 1}

IMDB = Source(
    name="The IMDB reviews",
    folder="imdb",
    address="https://ai.stanford.edu/~amaas/data/sentiment/",
    md5={"aclImdb_v1.tar.gz": "7c2ac02c03563afcf9b574c7e56c153a"},
    instead="data.reviews()",
)


def reviews(*, seed: int = 0) -> Split:
    """510 short English reviews, half of them positive: 306 for training, 102 for validation and 102 for testing.

    Films, books, restaurants, hotels and more, in one to three sentences. The split is stratified, so that each part is
    half positive and half negative, and the same `seed` always gives the same split. In every part there are words
    that occur in no other: a vocabulary built from `train` does not know all words of `validation`.

    Returns a `Split`; in each part `texts` is a list of str, and `labels` int64 of shape (n,), 1 for positive and 0 for
    negative.

    Source: written for this book and in the public domain (CC0); see reviews.md beside the file. Raises `DataError`
    when the file is missing or damaged.
    """
    texts, labels = _read_reviews()
    return Split(*(_choose(texts, labels, rows) for rows in three_parts(labels.numpy(), seed=seed)))


def imdb(*, seed: int = 0) -> Split:
    """50 000 film reviews, half of them positive: 20 000 for training, 5 000 for validation and 25 000 for testing.

    The test part is the published one. The validation part is drawn from the published training part, stratified, and
    the same `seed` always gives the same. The texts are as they were published, with `<br />` where a line ends.

    Returns a `Split` in the form of `reviews`.

    Source: Maas et al. (2011), 84 MB, fetched when it is first asked for. Raises `DataError` where that does not work;
    `reviews` needs no network.
    """
    published = _read_imdb(fetch(IMDB, *IMDB.md5))
    texts, labels = published["train"]
    fifth = math.ceil(len(texts) / 5)
    parts = hold_out(np.arange(len(texts)), labels.numpy(), fifth, seed=seed)
    return Split(*(_choose(texts, labels, rows) for rows in parts), test=published["test"])


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


def _read_imdb(path: Path) -> dict[str, Texts]:
    """Texts and labels of the parts "train" and "test", in the order of their files' names.

    They are read where they lie in the archive: a hundred thousand small files are never unpacked to the disk.
    """
    found = {"train": [], "test": []}
    with tarfile.open(path) as archive, tqdm(archive, desc="reading", unit="file", delay=2, leave=False) as members:
        for member in members:
            if member.isfile() and (name := _IMDB_REVIEW.fullmatch(member.name)):
                text = archive.extractfile(member).read().decode()
                found[name[1]].append((member.name, text, _LABELS[name[2]]))
    return {part: _in_order(reviews) for part, reviews in found.items()}


def _in_order(reviews: list[tuple[str, str, int]]) -> Texts:
    _, texts, labels = zip(*sorted(reviews))
    return Texts(list(texts), torch.tensor(labels))


def _choose(texts: list[str], labels: torch.Tensor, rows: np.ndarray) -> Texts:
    return Texts([texts[row] for row in rows], labels[rows])
