"""Finds submissions that share more than chance explains, for a person to look at. It proves nothing.

Each answer is cut into overlapping runs of words, of which winnowing (Schleimer, Wilkerson and Aiken, "Winnowing: local
algorithms for document fingerprinting", 2003) keeps every third or so, the same ones wherever the same text stands. Two
submissions are compared by the fingerprints that they share. What everybody has is taken out first: what the course
gives, the reference and other known answers, and whatever a good part of the class wrote. What is left of a short
formula is too little to say anything, and nothing is said about it.

An index from fingerprint to students finds the pairs, so that submissions with nothing in common cost nothing.
"""

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from difflib import SequenceMatcher
from hashlib import blake2b
from itertools import combinations, zip_longest

from grader.report.answers import Answer, Line

# Of every WINDOW runs of RUN words in a row at least one is kept: RUN + WINDOW - 1 shared words are always seen.
RUN, WINDOW = 10, 5
COMMON_SHARE, COMMON_COUNT = 0.1, 5  # a fingerprint of more of the class, and of more students, than this is common

# How much of the smaller answer the other has, and in how many fingerprints (each stands for some three words), to be
# worth a look.
ONE_EXERCISE = (0.8, 20)
ALL_EXERCISES = (0.5, 30)
SHOWN_WITH_THEM = (0.4, 5)  # an exercise of such a pair that is laid side by side
LONGEST_SHOWN = 300  # lines of an answer; laying two side by side takes time with the square of their lengths

Row = tuple[str, bool, str]
"""A line of the one, whether the two lines say the same, and the line of the other. A line may be missing: empty."""


Students = tuple[str, str]


@dataclass(frozen=True)
class Pair:
    """Two submissions for a look: the fingerprints that they share, and the part of the smaller that is, 0 to 1.

    `exercises` are those worth laying side by side, with the share in each, those with the highest first.
    """

    students: Students
    share: float
    fingerprints: int
    exercises: dict[str, float]


def similar_pairs(
    answers: Mapping[str, Mapping[str, Answer]], known: Mapping[str, Iterable[Answer]]
) -> tuple[Pair, ...]:
    """The pairs that are worth a look, those with most in common first.

    `answers` are by student, then by exercise; `known` are the answers, by exercise, that nobody has to copy.
    """
    compared = _Compared(answers, known)
    found = filter(None, map(compared.pair, compared.shared))
    return tuple(sorted(found, key=lambda pair: (-pair.fingerprints, pair.students)))


def aligned(one: Sequence[Line], other: Sequence[Line]) -> tuple[Row, ...]:
    """Two answers side by side, lines that say the same in one row; of very long ones the beginning."""
    one, other = one[:LONGEST_SHOWN], other[:LONGEST_SHOWN]
    matcher = SequenceMatcher(None, [line.words for line in one], [line.words for line in other], autojunk=False)
    rows: list[Row] = []
    for kind, start, end, other_start, other_end in matcher.get_opcodes():
        left = [line.text for line in one[start:end]]
        right = [line.text for line in other[other_start:other_end]]
        rows += [(a, kind == "equal", b) for a, b in zip_longest(left, right, fillvalue="")]
    return tuple(rows)


def fingerprints(words: Sequence[str]) -> set[int]:
    """The winnowed fingerprints of a text: of every window the smallest, so that the same text keeps the same ones."""
    runs = _runs(words)
    return {min(runs[start : start + WINDOW]) for start in range(max(1, len(runs) - WINDOW + 1))} if runs else set()


def _runs(words: Sequence[str]) -> list[int]:
    """A number for each run of words, the same in every process."""
    texts = (" ".join(words[start : start + RUN]).encode() for start in range(len(words) - RUN + 1))
    return [int.from_bytes(blake2b(text, digest_size=8).digest()) for text in texts]


class _Compared:
    """The fingerprints of a class: what each answer has left of them, and what each pair of students shares of that."""

    def __init__(self, answers: Mapping[str, Mapping[str, Answer]], known: Mapping[str, Iterable[Answer]]) -> None:
        self.kept: dict[str, dict[str, set[int]]] = {}
        self.shared: dict[Students, dict[str, int]] = defaultdict(dict)
        self.sizes: Counter[str] = Counter()
        for exercise in sorted({exercise for of_one in answers.values() for exercise in of_one}):
            written = {student: of_one[exercise] for student, of_one in answers.items() if exercise in of_one}
            self.kept[exercise] = kept = _uncommon(written, known.get(exercise, ()))
            self.sizes.update({student: len(of_one) for student, of_one in kept.items()})
            for students, count in _counted(kept).items():
                self.shared[students][exercise] = count

    def pair(self, students: Students) -> Pair | None:
        """What there is to say of two students; None when it is not worth a look."""
        one, other = students
        counts = self.shared[students]
        shares = {
            exercise: count / min(len(self.kept[exercise][one]), len(self.kept[exercise][other]))
            for exercise, count in counts.items()
        }
        total = sum(counts.values())
        share = total / min(self.sizes[one], self.sizes[other])
        in_one = any(_reaches(ONE_EXERCISE, shares[exercise], counts[exercise]) for exercise in counts)
        if not in_one and not _reaches(ALL_EXERCISES, share, total):
            return None
        shown = [exercise for exercise in counts if _reaches(SHOWN_WITH_THEM, shares[exercise], counts[exercise])]
        shown.sort(key=lambda exercise: -shares[exercise])
        return Pair(students, share, total, {exercise: shares[exercise] for exercise in shown})


def _reaches(limits: tuple[float, int], share: float, count: int) -> bool:
    return share >= limits[0] and count >= limits[1]


def _uncommon(written: Mapping[str, Answer], known: Iterable[Answer]) -> dict[str, set[int]]:
    """Each student's fingerprints, without what is known and what much of the class has."""
    kept = {student: fingerprints(answer.words) for student, answer in written.items()}
    held_by = Counter(fingerprint for of_one in kept.values() for fingerprint in of_one)
    limit = max(COMMON_COUNT, COMMON_SHARE * len(kept))
    common = {fingerprint for fingerprint, count in held_by.items() if count > limit}
    common.update(run for answer in known for run in _runs(answer.words))
    return {student: of_one - common for student, of_one in kept.items()}


def _counted(kept: Mapping[str, set[int]]) -> Counter[tuple[str, str]]:
    """How many fingerprints each pair of students shares, of those that share any."""
    index = defaultdict(list)
    for student in sorted(kept):
        for fingerprint in kept[student]:
            index[fingerprint].append(student)
    return Counter(pair for students in index.values() for pair in combinations(students, 2))
