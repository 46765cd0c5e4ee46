"""The reviews: balanced, split alike for everybody, with words that training never saw, and refused when damaged."""

import hashlib
import re

import numpy as np
import pytest
import torch

from labutils import data
from labutils.data import texts

SEEDS = range(20)


def words(text):
    return re.findall(r"[a-z']+", text.lower())


def lines():
    return texts.REVIEWS.read_text(encoding="utf-8").splitlines()[1:]


def test_the_file_holds_balanced_different_reviews_of_one_to_three_sentences():
    labels, reviews = zip(*(line.split("\t") for line in lines()))
    assert len(reviews) == 510 and labels.count("positive") == labels.count("negative") == 255
    assert len({" ".join(words(review)) for review in reviews}) == 510
    for review in reviews:
        sentences = re.split(r"[.!?]+ ", review)
        assert 1 <= len(sentences) <= 3 and 4 <= len(words(review)) <= 40, review
        assert review.isascii() and review == review.strip() and review[-1] in ".!?", review


def test_the_checksum_belongs_to_the_file():
    content = texts.REVIEWS.read_text(encoding="utf-8").encode()
    assert texts._REVIEWS_SHA256 == hashlib.sha256(content).hexdigest()


def test_every_review_is_in_one_part_with_its_label_and_each_part_is_balanced():
    parts = data.reviews()
    assert [len(part.texts) for part in parts] == [306, 102, 102]
    assert [part.labels.sum().item() for part in parts] == [153, 51, 51]
    assert all(part.labels.dtype == torch.int64 for part in parts)
    named = [f"{('negative', 'positive')[label]}\t{text}" for part in parts for text, label in zip(*part)]
    assert sorted(named) == sorted(lines())


def test_the_seed_alone_decides_the_split():
    torch.manual_seed(1)
    np.random.seed(1)
    first = data.reviews(seed=1).train.texts
    torch.manual_seed(2)
    np.random.seed(2)
    assert first == data.reviews(seed=1).train.texts
    assert first != data.reviews(seed=2).train.texts


@pytest.mark.parametrize("seed", SEEDS)
def test_words_occur_in_validation_that_training_never_saw(seed):
    """The lesson of the chapter on preprocessing; between a twentieth and a quarter of the words are unknown."""
    parts = data.reviews(seed=seed)
    known = {word for text in parts.train.texts for word in words(text)}
    for part in (parts.validation, parts.test):
        met = [word for text in part.texts for word in words(text)]
        assert 0.05 < sum(word not in known for word in met) / len(met) < 0.25


def test_counting_words_is_better_than_guessing_and_worse_than_reading():
    from sklearn.feature_extraction.text import CountVectorizer
    from sklearn.linear_model import LogisticRegression
    from sklearn.pipeline import make_pipeline

    scores = []
    for seed in SEEDS:
        parts = data.reviews(seed=seed)
        model = make_pipeline(CountVectorizer(binary=True), LogisticRegression())
        model.fit(parts.train.texts, parts.train.labels.numpy())
        scores.append(model.score(parts.validation.texts, parts.validation.labels.numpy()))
    assert 0.7 < np.mean(scores) < 0.9 and min(scores) > 0.6


@pytest.mark.parametrize(
    "damage, how",
    [
        (lambda content: None, "cannot be read"),
        (lambda content: content[: len(content) // 2], "is not the one"),
        (lambda content: content.replace(b"positive", b"negative", 1), "is not the one"),
        (lambda content: content + b"positive\tOne more.\n", "is not the one"),
        (lambda content: b"\xff" + content, "cannot be read"),
        (lambda content: b"", "is not the one"),
    ],
    ids=["missing", "cut short", "one label altered", "one line more", "not text", "empty"],
)
def test_a_missing_or_damaged_file_is_said_plainly(damage, how, monkeypatch, tmp_path):
    copy = tmp_path / "reviews.tsv"
    if (damaged := damage(texts.REVIEWS.read_bytes())) is not None:
        copy.write_bytes(damaged)
    monkeypatch.setattr(texts, "REVIEWS", copy)
    with pytest.raises(data.DataError, match=rf"reviews.*{how}(.|\n)*fresh copy.*reviews\.tsv"):
        data.reviews()


def test_line_ends_of_windows_do_no_damage(monkeypatch, tmp_path):
    copy = tmp_path / "reviews.tsv"
    copy.write_bytes(texts.REVIEWS.read_bytes().replace(b"\n", b"\r\n"))
    expected = data.reviews()
    monkeypatch.setattr(texts, "REVIEWS", copy)
    assert data.reviews().train.texts == expected.train.texts
