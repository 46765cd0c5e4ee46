"""The exercise `encode_reviews`."""

import numpy as np

from grader.exercises.preprocessing.common import chapter

exercise = chapter.exercise(
    "encode_reviews",
    points=2,
    aspects={"known words": 1, "unknown words": 1, "cut and filled up": 1, "empty reviews": 1},
    hints=(
        "Begin with a table of zeros: then only the words that are there have to be written.",
        "`review[:length]` cuts a long review and leaves a short one as it is. For each of its words, look up a "
        "number; `vocabulary[word]` stops at a word that it does not have, and a dict can be asked more politely.",
        "`vocabulary.get(word, 1)` is the number of a word, or 1. With the list of these numbers, "
        "`row[:len(numbers)] = numbers` fills the beginning of a row.",
    ),
)


@exercise.reference
def encode_reviews(reviews, vocabulary, length):
    rows = np.zeros((len(reviews), length), dtype=int)
    for row, review in zip(rows, reviews):
        numbers = [vocabulary.get(word, 1) for word in review[:length]]
        row[: len(numbers)] = numbers
    return rows


some_words = {"a": 2, "film": 3, "good": 4, "bad": 5, "not": 6, "very": 9}
exercise.case("known words", reviews=[["a", "good", "film"], ["not", "very", "good"]], vocabulary=some_words, length=3)
exercise.case("known words", reviews=[["bad", "film", "bad", "bad"]], vocabulary=some_words, length=4)
exercise.case(
    "unknown words",
    reviews=[["a", "dreadful", "film"], ["dreadful", "dull", "not"], ["Good", "good", "", "not", "bad"]],
    vocabulary=some_words,
    length=3,
)
exercise.case("unknown words", reviews=[["no", "plot"], ["a", "plot"]], vocabulary={"a": 7}, length=2)
# Some are too long, some too short, and the longest is shorter than `length`.
exercise.case(
    "cut and filled up",
    reviews=[["not", "a", "very", "good", "film"], ["bad"], ["a", "film", "good"]],
    vocabulary=some_words,
    length=3,
)
exercise.case("cut and filled up", reviews=[["good", "film"], ["bad"]], vocabulary=some_words, length=4)
exercise.case("cut and filled up", reviews=[["bad", "good"], ["good"]], vocabulary=some_words, length=1)
exercise.case("empty reviews", reviews=[[], ["good"], []], vocabulary=some_words, length=2)
exercise.case("empty reviews", reviews=[["film"]], vocabulary={}, length=2)
exercise.case("empty reviews", reviews=[], vocabulary=some_words, length=2)
# As many words as a large vocabulary has.
exercise.case("known words", reviews=[["rare", "good"]], vocabulary={"good": 4, "often": 434, "rare": 70_000}, length=2)

WORDS = ("plot", "cast", "score", "scene", "dull", "bright", "slow", "warm", "flat", "sharp", "the", "was")


def draw_reviews(rng, lengths, length, *, known=8):
    """Reviews of these lengths, with a vocabulary of `known` of the twelve words."""
    numbers = (rng.permutation(30)[:known] + 2).tolist()
    return {
        "reviews": [rng.choice(WORDS, count).tolist() for count in lengths],
        "vocabulary": dict(zip(rng.permutation(WORDS).tolist(), numbers)),
        "length": length,
    }


@exercise.hidden("known words", count=3)
def reviews_of_known_words(rng):
    length = int(rng.integers(3, 7))
    return draw_reviews(rng, [length] * 6, length, known=12)


@exercise.hidden("unknown words", count=4)
def reviews_with_new_words(rng):
    length = int(rng.integers(4, 7))
    return draw_reviews(rng, [length] * 8, length, known=5)


@exercise.hidden("cut and filled up", count=4)
def reviews_of_any_length(rng):
    return draw_reviews(rng, rng.integers(1, 10, 6), int(rng.integers(3, 7)), known=12)


@exercise.hidden("empty reviews", count=3)
def reviews_without_words(rng):
    return draw_reviews(rng, [0, 3, 0, 2], int(rng.integers(3, 6)), known=12)


exercise.slip(
    "A word that the vocabulary does not have stops your function with a KeyError. New reviews bring new words; each "
    "of them becomes 1.",
    name="new_word_is_a_key_error",
    right="vocabulary.get(word, 1)",
    wrong="vocabulary[word]",
)
exercise.slip(
    "You leave unknown words out. Then “not a dreadful film” and “not a film” look the same, and what the classifier "
    "did not know it does not even notice; write 1 in their place.",
    name="new_word_dropped",
    right="for word in review[:length]",
    wrong="for word in review[:length] if word in vocabulary",
)


@exercise.mistake(
    "You leave unknown words out, and later words move up into their places. An unknown word is a word: it becomes 1 "
    "and takes its place."
)
def new_word_dropped_first(reviews, vocabulary, length):
    rows = np.zeros((len(reviews), length), dtype=int)
    for row, review in zip(rows, reviews):
        numbers = [vocabulary[word] for word in review if word in vocabulary][:length]
        row[: len(numbers)] = numbers
    return rows


exercise.slip(
    "An unknown word gets 0, which means “no word here”. That a word stands there, though nobody knows it, is 1.",
    name="new_word_is_no_word",
    right="vocabulary.get(word, 1)",
    wrong="vocabulary.get(word, 0)",
)
exercise.slip(
    "Your vocabulary grows: a new word gets a new number, for which the trained network has no row in its table. The "
    "vocabulary is fixed when training begins; after that a new word is 1.",
    name="vocabulary_grows",
    right="vocabulary.get(word, 1)",
    wrong="vocabulary.setdefault(word, len(vocabulary) + 2)",
)
exercise.slip(
    "You fill up a short review in front. Other programs do so too; here the words come first and the zeros last.",
    name="filled_up_in_front",
    right="row[: len(numbers)] = numbers",
    wrong="row[length - len(numbers) :] = numbers",
)
exercise.slip(
    "You keep the last words of a long review. Asked for are the first ones.",
    name="first_words_cut",
    right="review[:length]",
    wrong="review[-length:]",
)
exercise.slip(
    "Your table is as wide as the longest review. Then each batch has another width; it is always `length`.",
    name="width_of_the_longest",
    right="    rows =",
    wrong="    length = max(map(len, reviews), default=0)\n    rows =",
)
exercise.slip(
    "A review that is longer than `length` does not fit into its row. Cut it first.",
    name="not_cut",
    right="review[:length]",
    wrong="review",
)
exercise.slip(
    "Your table holds floats. These are numbers of words, with which a network looks up rows of a table: make it "
    "`dtype=int`.",
    name="floats",
    right=", dtype=int",
    wrong="",
)


@exercise.mistake(
    "Your result is right, and the reviews are changed: you fill up the lists that you were given. Whoever reads them "
    "next finds zeros among the words."
)
def filled_up_in_place(reviews, vocabulary, length):
    for review in reviews:
        while len(review) < length:
            review.append(0)
    numbers = [[0 if word == 0 else vocabulary.get(word, 1) for word in review[:length]] for review in reviews]
    return np.array(numbers, dtype=int).reshape(len(reviews), length)


@exercise.mistake(
    "Without any review your table has lost its width: `np.array([])` has shape (0,), and holds floats. Begin with "
    "`np.zeros` of the right shape, or reshape in the end."
)
def width_lost_without_reviews(reviews, vocabulary, length):
    numbers = [[vocabulary.get(word, 1) for word in review[:length]] for review in reviews]
    return np.array([row + [0] * (length - len(row)) for row in numbers])


@exercise.mistake(
    "A word that the vocabulary does not have stops your function with a KeyError; it becomes 1. And without any "
    "review your table has lost its width, because `np.array([])` has shape (0,)."
)
def known_words_taken_for_granted(reviews, vocabulary, length):
    numbers = [[vocabulary[word] for word in review[:length]] for review in reviews]
    return np.array([row + [0] * (length - len(row)) for row in numbers])


@exercise.alternative
def list_by_list(reviews, vocabulary, length):
    table = []
    for review in reviews:
        numbers = []
        for place in range(length):
            if place >= len(review):
                numbers.append(0)
            elif review[place] in vocabulary:
                numbers.append(vocabulary[review[place]])
            else:
                numbers.append(1)
        table.append(numbers)
    return np.array(table, dtype=np.int32).reshape(-1, length)


@exercise.alternative
def filled_up_first(reviews, vocabulary, length):
    numbers = {"": 0} | {" " + word: number for word, number in vocabulary.items()}
    words = [([" " + word for word in review] + [""] * length)[:length] for review in reviews]
    return np.array([[numbers.get(word, 1) for word in row] for row in words], dtype=np.int64).reshape(-1, length)
