"""Reads the book's texts, and makes sure that the exercise cells in them and the exercises' definitions agree."""

import ast
import doctest
import inspect
import textwrap
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import jupytext

from grader.exercise import Chapter, Exercise, body_of, source_of
from grader.exercises import all_chapters

ROOT = Path(__file__).resolve().parents[1]
CHAPTERS = ROOT / "chapters"
BUDGET_UNITS = ("seconds", "megabytes")
PLACE_FOR_THE_BODY = "    # YOUR CODE HERE\n    raise NotImplementedError"


class TextError(Exception):
    """What is wrong in a text or a definition, with file and line, and the way out."""


@dataclass(frozen=True)
class Cell:
    """A cell of a text; `line` is the line of the file in which its source begins."""

    kind: str
    source: str
    tags: tuple[str, ...]
    line: int


@dataclass(frozen=True)
class Stub:
    """An exercise as its chapter poses it: a solution cell that still lacks its body."""

    exercise: Exercise
    cell: Cell

    def with_body(self, body: str) -> str:
        """The solution cell as it is once a student has written `body`, given without indentation."""
        return self.cell.source.replace(PLACE_FOR_THE_BODY, textwrap.indent(body, "    "))

    def answered_by(self, function: Callable) -> str:
        """The solution cell of a student who has written what stands in `function`."""
        return self.with_body(body_of(function))


@dataclass(frozen=True)
class Page:
    """A text of the book, with the exercises of its chapter; the start page has none."""

    text: Path
    chapter: Chapter | None = None

    @property
    def name(self) -> str:
        return self.text.stem

    @property
    def notebook(self) -> Path:
        return self.text.with_suffix(".ipynb")

    @cached_property
    def _parsed(self) -> tuple[dict[str, Any], tuple[Cell, ...]]:
        text = self.text.read_text(encoding="utf-8")
        notebook = jupytext.reads(text, fmt="md:myst")
        cells, end = [], 0
        for cell in notebook.cells:
            start = text.find(cell.source, end)
            end = start + len(cell.source)
            tags = tuple(cell.metadata.get("tags", ()))
            cells.append(Cell(cell.cell_type, cell.source, tags, text.count("\n", 0, start) + 1))
        budget = notebook.metadata.get("lab", {}).get("budget", {})
        if not _is_budget(budget):
            line = text.count("\n", 0, text.find("budget:")) + 1
            units = " and ".join(BUDGET_UNITS)
            raise self.error(line, f"a budget gives {units}, each as a number, and this one is {budget!r}")
        return notebook.metadata, tuple(cells)

    @property
    def settings(self) -> dict[str, Any]:
        """What the front matter says under `lab`: title, number, budget."""
        return self._parsed[0].get("lab", {})

    @property
    def cells(self) -> tuple[Cell, ...]:
        return self._parsed[1]

    @property
    def stubs(self) -> dict[str, Stub]:
        """The exercises of the text by name, in its order. Raises TextError where text and definitions disagree."""
        if self.complaints:
            raise TextError("\n".join(self.complaints))
        return self.sound_stubs

    @property
    def sound_stubs(self) -> dict[str, Stub]:
        """Those exercises of the text that agree with their definitions."""
        return self._examined[0]

    @property
    def complaints(self) -> list[str]:
        """Where text and definitions disagree, each with file and line."""
        return self._examined[1]

    @cached_property
    def _examined(self) -> tuple[dict[str, Stub], list[str]]:
        stubs: dict[str, Stub] = {}
        complaints: list[str] = []
        exercises = self.chapter.exercises if self.chapter else {}
        posed: dict[str, Cell] = {}
        checked: set[str] = set()
        for cell in self.cells:
            at = f"{self.text}:{cell.line}: "
            if "exercise" in cell.tags:
                name, faults = _examine(cell, exercises)
                faults += [f"{name} has a second exercise cell; keep one of them"] if name in posed else []
                complaints += [at + fault for fault in faults]
                if name is not None:
                    posed[name] = cell
                if not faults:
                    stubs[name] = Stub(exercises[name], cell)
            elif "check" in cell.tags:
                name = checked_in(cell)
                if name is None:
                    complaints.append(f"{at}a check cell holds one line, `check(name)`, and this one {cell.source!r}")
                elif name not in posed:
                    complaints.append(f"{at}{name} is checked and has no exercise cell above")
                elif name in checked:
                    complaints.append(f"{at}{name} has a second check cell; keep one of them")
                checked.add(name)
        for name, cell in posed.items():
            if name not in checked:
                complaints.append(f"{self.text}:{cell.line}: {name} has no check cell; add one with `check({name})`")
        for name, exercise in exercises.items():
            if name not in posed:
                complaints.append(f"{_place_of(exercise)}: {name}, defined here, has no exercise cell in {self.text}")
        return stubs, complaints

    def error(self, line: int, sentence: str) -> TextError:
        return TextError(f"{self.text}:{line}: {sentence}")

    def setup(self) -> dict[str, Any]:
        """A fresh namespace in which the chapter's `setup` cell has run: what its solution cells find in place."""
        namespace: dict[str, Any] = {"__name__": "__main__"}
        for cell in self.cells:
            if "setup" in cell.tags:
                exec(compile(cell.source, f"{self.text}:{cell.line}", "exec"), namespace)
        return namespace

    def check_examples(self) -> None:
        """Run each `>>>` example on its reference. Raises TextError for the first that prints something else."""
        namespace = self.setup()
        for name, stub in self.stubs.items():
            solved = dict(namespace)
            exec(stub.answered_by(stub.exercise.reference_function), solved)
            example = doctest.DocTestFinder().find(solved[name], name, module=False, globs=solved)[0]
            report: list[str] = []
            doctest.DocTestRunner(verbose=False).run(example, out=report.append)
            if report:
                sentence = f"the example of {name} is not what its reference returns:"
                raise self.error(stub.cell.line, "\n".join([sentence, *report]))


def pages(names: tuple[str, ...] = ()) -> tuple[Page, ...]:
    """The pages of the book in its order, or those named (`start`, `learning_rate`). Raises TextError for no page."""
    book = [Page(CHAPTERS / "start.md")]
    book += [Page(CHAPTERS / chapter.folder / f"{chapter.name}.md", chapter) for chapter in all_chapters()]
    known = {page.name: page for page in book}
    for name in names:
        if name not in known:
            raise TextError(f"there is no page {name!r} in the book; there are {', '.join(known)}")
    return tuple(known[name] for name in names or known)


def checked_in(cell: Cell) -> str | None:
    """The name of the exercise that a check cell checks; None when the cell is not exactly `check(name)`."""
    name = cell.source.removeprefix("check(").removesuffix(")")
    return name if cell.source == f"check({name})" and name.isidentifier() else None


def _is_budget(budget: Any) -> bool:
    """Tell whether what the front matter says of its budget is a number for each of some known units."""
    return isinstance(budget, dict) and all(
        unit in BUDGET_UNITS and isinstance(limit, int | float) for unit, limit in budget.items()
    )


def _examine(cell: Cell, exercises: dict[str, Exercise]) -> tuple[str | None, list[str]]:
    """The name of the exercise that `cell` poses, if any, and what its text and its definition lack to agree."""
    try:
        statements = ast.parse(cell.source).body
    except (SyntaxError, ValueError):
        statements = []
    if [type(statement) for statement in statements] != [ast.FunctionDef]:
        return None, ["an exercise cell holds one function and nothing else"]
    function = statements[0]
    name = function.name
    if name not in exercises:
        return name, [f"{name} is no exercise of this chapter; define it in grader/exercises"]
    faults = [*_faults_of_text(cell.source, function), *_disagreements(function, exercises[name])]
    return name, [f"{name} {fault}" for fault in faults]


def _faults_of_text(source: str, function: ast.FunctionDef) -> Iterator[str]:
    docstring = ast.get_docstring(function)
    if not docstring:
        yield "has no docstring; say what goes in and what comes out"
    elif ">>> " not in docstring:
        yield "has no worked value in its docstring; add an example with >>>"
    if source.count(PLACE_FOR_THE_BODY) != 1 or not source.endswith(PLACE_FOR_THE_BODY):
        yield "must end with the two lines `# YOUR CODE HERE` and `raise NotImplementedError`"


def _disagreements(function: ast.FunctionDef, exercise: Exercise) -> Iterator[str]:
    if exercise.reference_function is None:
        yield "has no reference; give it one with @exercise.reference"
        return
    if not exercise.points > 0:
        yield f"is worth {exercise.points} points in {_place_of(exercise)}; an exercise is worth more than 0"
    mistakes = [mistake.function for mistake in exercise.mistakes]
    for answer in [exercise.reference_function, *exercise.alternatives, *mistakes]:
        asked, written = ast.unparse(function.args), ast.unparse(ast.parse(source_of(answer)).body[0].args)
        if asked != written:
            yield f"asks for ({asked}), and {answer.__name__} in {_place_of(exercise)} takes ({written})"
        try:
            body_of(answer)
        except ValueError as error:
            yield f"cannot be built from {_place_of(exercise)}: {error}"


def _place_of(exercise: Exercise) -> str:
    """File and line of an exercise's definition, as far as it can be told."""
    reference = exercise.reference_function
    if reference is None:
        return f"grader/exercises/{exercise.chapter}/{exercise.name}.py"
    return f"{inspect.getsourcefile(reference)}:{inspect.getsourcelines(reference)[1]}"
