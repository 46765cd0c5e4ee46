"""Finds what a student wrote for each exercise, and brings it into a form in which rewording no longer shows.

Comments, docstrings, layout, literals and the names that a student chose are taken out; what is left are the words of
Python, of numpy and torch, and the exercise's own parameters. Nothing here is run, and a notebook that cannot be read
has no answers: what is wrong with it, its record tells.
"""

import builtins
import io
import json
import keyword
import tokenize
from collections import defaultdict
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from tokenize import COMMENT, DEDENT, ENCODING, ENDMARKER, INDENT, NAME, NEWLINE, NL, NUMBER, OP, STRING, TokenInfo

LARGEST_NOTEBOOK = 100_000_000  # bytes
MOST_CODE = 200_000  # characters of one student's that are looked at, many times what a chapter asks for

_LAYOUT = {COMMENT, NL, NEWLINE, INDENT, DEDENT, ENCODING, ENDMARKER}
_BEFORE_A_STATEMENT = {NEWLINE, INDENT, DEDENT, ENCODING}
_BUILTIN = frozenset(dir(builtins))


@dataclass(frozen=True)
class Line:
    """A line as the student wrote it, and its words once all that rewording changes is taken out."""

    text: str
    words: tuple[str, ...]


@dataclass(frozen=True)
class Answer:
    """What a student wrote for one exercise, without docstrings and empty lines."""

    lines: tuple[Line, ...]
    words: tuple[str, ...]


def answers_in(folder: Path, notebook: str, exercises: Collection[str]) -> dict[str, Answer]:
    """The answers in the notebook of this name in `folder`; if it has none, those in the first other that has some."""
    expected = folder / f"{notebook}.ipynb"
    for path in [expected, *sorted(set(folder.glob("*.ipynb")) - {expected})]:
        found: dict[str, list[Answer]] = defaultdict(list)
        left = MOST_CODE
        for source in _sources(path):
            if "def " not in source or len(source) > left:
                continue
            left -= len(source)
            for exercise, answer in answers_of(source, exercises).items():
                found[exercise].append(answer)
        if found:
            return {exercise: _joined(parts) for exercise, parts in found.items()}
    return {}


def answers_of(source: str, exercises: Collection[str]) -> dict[str, Answer]:
    """The answers in one cell, by exercise. What defines no exercise belongs to the first that the cell defines."""
    lines = source.split("\n")
    tokens = _tokens(lines)
    starts = [place for place, token in enumerate(tokens) if _begins_at_the_margin(tokens, place)]
    defines = {start: _defined(tokens[start : start + 3]) for start in starts}
    owners = {start: name for start, name in defines.items() if name in exercises}
    if not owners:
        return {}
    first = next(iter(owners.values()))
    found: dict[str, list[Answer]] = defaultdict(list)
    for start, end in pairwise([*starts, len(tokens)]):
        found[owners.get(start, first)].append(_answer(tokens[start:end], lines))
    return {exercise: _joined(parts) for exercise, parts in found.items()}


def _joined(parts: Sequence[Answer]) -> Answer:
    return Answer(
        tuple(line for part in parts for line in part.lines), tuple(word for part in parts for word in part.words)
    )


def _sources(path: Path) -> Iterator[str]:
    """The sources of a notebook's cells, whatever their type and its format; none of one that cannot be read."""
    if path.is_symlink() or not path.is_file() or path.stat().st_size > LARGEST_NOTEBOOK:
        return  # a link may lead anywhere, and what is no plain file may never end
    try:
        loaded = json.loads(path.read_bytes())
    except (ValueError, RecursionError):
        return
    sheets = [loaded, *_dicts_in(loaded, "worksheets")]  # formats before 4 have cells in worksheets
    for cell in (cell for sheet in sheets for cell in _dicts_in(sheet, "cells")):
        source = cell.get("source", cell.get("input"))
        if isinstance(source, list):
            source = "".join(part for part in source if isinstance(part, str))
        if isinstance(source, str):
            yield source.replace("\0", " ").encode(errors="replace").decode()  # no lone surrogates


def _dicts_in(value: object, name: str) -> list[dict]:
    items = value.get(name) if isinstance(value, dict) else None
    return [item for item in items if isinstance(item, dict)] if isinstance(items, list) else []


def _tokens(lines: Sequence[str]) -> list[TokenInfo]:
    """Python's tokens, up to the first place that is no Python. Lines that only IPython understands count as empty."""
    readable = "\n".join("" if line[:1] in ("%", "!", "?") else line for line in lines)
    tokens = []
    try:
        for token in tokenize.generate_tokens(io.StringIO(readable).readline):
            tokens.append(token)
    except (tokenize.TokenError, SyntaxError):
        pass  # what stands before that place is an answer all the same
    return [token for token in tokens if token.type != NL]


def _begins_at_the_margin(tokens: Sequence[TokenInfo], place: int) -> bool:
    token = tokens[place]
    after_a_statement = place == 0 or tokens[place - 1].type in {NEWLINE, DEDENT, COMMENT}
    return token.start[1] == 0 and after_a_statement and token.type not in _LAYOUT - {COMMENT}


def _defined(tokens: Sequence[TokenInfo]) -> str | None:
    """The name that a statement with these first tokens defines as a function."""
    words = [token.string for token in tokens]
    if words[:2] == ["async", "def"]:
        words = words[1:]
    return words[1] if words[0] == "def" and len(words) > 1 else None


def _answer(tokens: Sequence[TokenInfo], lines: Sequence[str]) -> Answer:
    """The answer in the tokens of one statement at the margin; `lines` are those of the whole cell."""
    code = [token for token in tokens if token.type != COMMENT]
    parameters = _parameters(code)
    by_row: dict[int, list[str]] = {}
    shown = {token.start[0]: [token.string] for token in tokens if token.type == COMMENT}
    for before, token, after in zip([None, *code], code, [*code[1:], None]):
        if token.type in _LAYOUT or _is_docstring(before, token, after):
            continue
        by_row.setdefault(token.start[0], []).append(_word(before, token, parameters))
        for row in range(token.start[0], token.end[0] + 1):
            shown.setdefault(row, [])
    words = tuple(word for row in sorted(by_row) for word in by_row[row])
    return Answer(
        tuple(Line(lines[row - 1], tuple(by_row.get(row, shown[row]))) for row in sorted(shown) if row <= len(lines)),
        words,
    )


def _parameters(code: Sequence[TokenInfo]) -> set[str]:
    """The parameters of the function that a statement defines. An exercise's are given, so no choice."""
    if "def" not in [token.string for token in code[:2]]:
        return set()
    names, depth = set(), 0
    for before, token in pairwise(code):
        if token.type == OP:
            depth += (token.string in "([{") - (token.string in ")]}")
            if depth == 0 and token.string == ")":
                break
        elif token.type == NAME and depth == 1 and before.string in ("(", ",", "*", "**"):
            names.add(token.string)
    return names


def _is_docstring(before: TokenInfo | None, token: TokenInfo, after: TokenInfo | None) -> bool:
    begins = before is None or before.type in _BEFORE_A_STATEMENT
    return token.type == STRING and begins and after is not None and after.type == NEWLINE


def _word(before: TokenInfo | None, token: TokenInfo, parameters: Collection[str]) -> str:
    """What is left of a token: a literal's kind, a name that the student did not choose, an operator as it is."""
    if token.type == NUMBER:
        return "number"
    if token.type == STRING or tokenize.tok_name[token.type].startswith("FSTRING"):
        return "text"
    if token.type == NAME:
        given = keyword.iskeyword(token.string) or token.string in _BUILTIN or token.string in parameters
        of_another = before is not None and before.string == "."
        return token.string if given or of_another else "name"
    return token.string
