"""Makes of whatever was handed in a notebook that can be run and that nbgrader accepts.

What belongs to the assignment is found again by what it is: a solution by the function that it defines, any other cell
by nbgrader's id or by its text. Each such cell then stands exactly once, with the metadata that nbgrader wants, and
each check behind the solution that it checks; whatever else the student wrote stays, as plain cells in the student's
order. Nothing is executed. A notebook in order comes out as it went in, and so does one that was repaired before.
"""

import ast
import re
import warnings
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import PurePosixPath
from typing import Any

from nbformat import NotebookNode
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook, new_raw_cell

from grader.reading import Unreadable, free_id, read
from grader.records import Remark

SEVERAL = "The cell of `{name}` was found {count} times; {which} counts."
THE_LAST = "the last one"
THE_FIRST = "the first one"
NUMBER = "number {number}"
ELSEWHERE = "`{name}` was found in a cell that is not the one handed out for it. That cell counts."
TOGETHER = "`{name}` was found in one cell with `{other}`. It was checked there."
RETYPED = "The cell `{name}` had become {found} and was made {wanted} again."
MISSING = "The cell of `{name}` is missing, and no other cell defines `{name}`."
PUT_BACK = "The cell `{name}` was missing and was put back."
CHANGED = "The cell `{name}` is locked and was changed; it is graded as it was handed out."
MOVED = "The cell `{name}` was moved behind the cell that it checks."
ROLES = "What nbgrader keeps in cells was missing or changed, and was put back in {names}."
UNKNOWN = "Cells that nbgrader took for part of the assignment, and that are none of it: {count}."
NAMES_SHOWN = 8

MISSING_SOLUTION = "# The cell of {name} was missing."
SOLVED_ELSEWHERE = "# {name} is defined in the cell of {other}."
MISSING_BY_HAND = "The cell {name} was missing from what was handed in. It was put back as it was handed out.\n\n"

NOT_HANDED_IN = "There is no notebook {expected} among the files handed in ({names})."
NO_FILES = "Nothing was handed in; the notebook {expected} was expected."
RENAMED = "{expected} was not handed in under that name. What counts is {name}."
UNREADABLE_BESIDE = "{expected} cannot be read. What counts is {name}."
UNANSWERED_BESIDE = "{expected} answers no exercise. What counts is {name}, which does."
NOT_COUNTED = "The notebook {name} was handed in as well and does not count; {best} does."

NEW_CELL = {"code": new_code_cell, "markdown": new_markdown_cell, "raw": new_raw_cell}
KINDS = {"code": "code", "markdown": "text", "raw": "raw text"}
ROLE = ("grade", "solution", "locked", "task", "grade_id", "schema_version")
MAX_NOTEBOOKS = 20  # that are looked into, of those handed in
CHECKPOINTS = ".ipynb_checkpoints"
COPY = re.compile(r"\(\d+\)|\b(?:copy of|copy|kopie)\d*|(?<=_)(?:copy|kopie)\d*")
MAX_PARSED = 100_000  # characters; Python's parser takes some 10 ms for as many
MAGIC = re.compile(r"^(\s*)[%!].*$", re.MULTILINE)
# Of the magics that take a whole cell, those that run it in the notebook, so that what it defines is there afterwards.
TRANSPARENT = ("%%time", "%%capture")


@dataclass(frozen=True)
class MasterCell:
    """What nbgrader's gradebook knows of a cell of the assignment, in the student's version."""

    name: str
    cell_type: str
    source: str
    grade: bool
    solution: bool
    locked: bool
    task: bool
    points: float | None
    checksum: str | None

    @cached_property
    def function(self) -> str | None:
        """The name that a solution's source defines with a `def` at its top level, if any."""
        if not self.solution or self.cell_type != "code":
            return None
        return next(iter(_definitions(self.source)), None)

    @property
    def by_hand(self) -> bool:
        """Whether an instructor reads and grades what stands there."""
        return self.solution and self.grade

    @property
    def is_check(self) -> bool:
        return self.grade and not self.solution

    @cached_property
    def metadata(self) -> NotebookNode:
        """What nbgrader keeps in the cell, by its schema 3."""
        found = {
            "schema_version": 3,
            "grade_id": self.name,
            "cell_type": self.cell_type,
            **{role: getattr(self, role) for role in ("grade", "solution", "locked", "task")},
        }
        if self.checksum:
            found["checksum"] = self.checksum
        if self.points is not None and (self.grade or self.task):
            found["points"] = self.points
        return NotebookNode(found)


@dataclass(frozen=True)
class Repaired:
    """`readable` is false where nothing of a notebook was found: then `notebook` has the assignment's cells alone."""

    notebook: NotebookNode
    remarks: tuple[Remark, ...]
    readable: bool


def repaired(content: bytes, masters: Sequence[MasterCell], demonstrations: Collection[str] | None = None) -> Repaired:
    """Return the notebook in `content` with each of the assignment's cells exactly once. Raises nothing.

    `demonstrations` are the sources of the cells that only show something, as the release has them: these are tagged
    `demo`, and no others. With None, tags are left as they are.
    """
    try:
        notebook, troubles = read(content)
    except Unreadable as reason:
        notebook = new_notebook()
        _Assignment(notebook, masters).put_in_order()
        return Repaired(notebook, (Remark(None, str(reason)),), readable=False)
    assignment = _Assignment(notebook, masters)
    assignment.put_in_order()
    if demonstrations is not None:
        _tag_demonstrations(notebook, demonstrations)
    return Repaired(notebook, (*(Remark(None, text) for text in troubles), *assignment.remarks), readable=True)


def _tag_demonstrations(notebook: NotebookNode, demonstrations: Collection[str]) -> None:
    """Tag the cells that only show something, and no others, so that nobody hides code from the grader."""
    for cell in notebook.cells:
        tags = cell.metadata.get("tags", [])
        if ("demo" in tags) != (cell.source in demonstrations):
            cell.metadata.tags = [tag for tag in tags if tag != "demo"] if "demo" in tags else [*tags, "demo"]


def _definitions(source: str) -> dict[str, list[ast.stmt] | None]:
    """The functions that a cell defines at its top level, with their bodies; None for a body that does not parse."""
    if source.startswith("%%") and not source.startswith(TRANSPARENT):
        return {}
    tree = _parsed(source)
    if tree is None:
        return dict.fromkeys(re.findall(r"^(?:async +)?def +(\w+) *\(", source, re.MULTILINE))
    functions = [node for node in tree.body if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef))]
    return {function.name: function.body for function in functions}


def _parsed(source: str) -> ast.Module | None:
    """The syntax tree of a cell, its magics left out; None where Python does not understand it."""
    if len(source) > MAX_PARSED:
        return None
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of the student's code, such as an unknown escape sequence
        try:
            return ast.parse(MAGIC.sub(r"\1pass", source))
        except (SyntaxError, ValueError, MemoryError, RecursionError):  # the last three are the parser's own limits
            return None


def _same_body(one: list[ast.stmt] | None, other: list[ast.stmt] | None) -> bool:
    """Whether two functions do the same by the letter; comments and docstrings do not count."""
    if one is None or other is None:
        return False
    try:
        return [ast.dump(part) for part in _undocumented(one)] == [ast.dump(part) for part in _undocumented(other)]
    except RecursionError:  # nested too deeply to be a stub
        return False


def _undocumented(body: list[ast.stmt]) -> list[ast.stmt]:
    first = body[0]
    documented = isinstance(first, ast.Expr) and isinstance(first.value, ast.Constant)
    return body[1:] if documented and isinstance(first.value.value, str) else body


@dataclass(frozen=True)
class _Likeness:
    """How much a file is the notebook of an assignment: the exercises answered, and all that it has of its cells."""

    readable: bool
    answered: int
    known: int


@dataclass(eq=False)
class _Cell:
    """A cell of the notebook. `answers` has the exercises' functions that it defines, and whether beyond the stub."""

    node: NotebookNode
    grade_id: str | None = None
    answers: dict[str, bool] = field(default_factory=dict)
    master: MasterCell | None = None
    is_new: bool = False

    @property
    def is_check(self) -> bool:
        return self.master is not None and self.master.is_check


class _Assignment:
    """The cells of a notebook, among which those of the assignment are found, put back and put in order."""

    def __init__(self, notebook: NotebookNode, masters: Sequence[MasterCell]) -> None:
        self.notebook = notebook
        self.masters = masters
        self.exercises: dict[str, MasterCell] = {}  # by the function
        for master in masters:
            if master.function:
                self.exercises.setdefault(master.function, master)
        self.checked = {master.name: self._checked_in(master) for master in masters if master.is_check}
        self.stubs = {name: _definitions(master.source)[name] for name, master in self.exercises.items()}
        self.mention = re.compile(rf"\bdef\s+(?:{'|'.join(self.exercises)})\b")
        self.cells = [self._looked_at(node) for node in notebook.cells]
        self.grade_ids = {cell.grade_id for cell in self.cells}
        self.found: dict[str, _Cell] = {}  # by the master's name
        self.definers: dict[str, _Cell] = {}  # by the function
        self.stand_ins: list[_Cell] = []  # for solutions that are defined in the cell of another
        self.remarks: list[Remark] = []

    def put_in_order(self) -> None:
        self._find_what_is_no_exercise()
        self._find_definers()
        self._find_solutions()
        self._put_back_what_is_missing()
        self._put_checks_behind_solutions()
        self._write()

    def _looked_at(self, node: NotebookNode) -> _Cell:
        nbgrader = node.metadata.get("nbgrader")
        grade_id = nbgrader.get("grade_id") if isinstance(nbgrader, dict) else None
        cell = _Cell(node, grade_id if isinstance(grade_id, str) else None)
        if self.exercises and self.mention.search(node.source):
            for name, body in _definitions(node.source).items():
                is_prose = node.cell_type != "code" and body is None
                if name in self.exercises and (not is_prose or cell.grade_id == self.exercises[name].name):
                    cell.answers[name] = not _same_body(body, self.stubs[name])
        return cell

    def _is_exercise(self, master: MasterCell) -> bool:
        return self.exercises.get(master.function) is master

    def _checked_in(self, master: MasterCell) -> list[MasterCell]:
        """The solutions that a check is about: those whose functions it names, or else the last one before it."""
        words = set(re.findall(r"\w+", master.source))
        named = [exercise for name, exercise in self.exercises.items() if name in words]
        before = self.masters[: self.masters.index(master)]
        return named or [other for other in before if other.solution][-1:]

    def _remark(self, sentence: str, master: MasterCell, **values: Any) -> None:
        """Say something of a master's cell; it concerns an exercise if that is its solution or its only check."""
        solutions = self.checked.get(master.name, [master])
        exercise = solutions[0].function if len(solutions) == 1 else None
        name = master.function or master.name
        self.remarks.append(Remark(exercise, sentence.format(name=name, **values)))

    def _with_id(self, master: MasterCell) -> list[_Cell]:
        """The cells that carry a master's id and are not found to be another's."""
        return [cell for cell in self.cells if cell.grade_id == master.name and cell.master is None]

    def _take(self, cell: _Cell, master: MasterCell) -> None:
        cell.master = master
        self.found[master.name] = cell
        if master.locked:  # its text will be the master's again
            cell.answers = {}

    def _find_what_is_no_exercise(self) -> None:
        others = [master for master in self.masters if not self._is_exercise(master)]
        for master in others:
            found = [cell for cell in self._with_id(master) if not (master.locked and any(cell.answers.values()))]
            if found:
                changed = [cell for cell in found if cell.node.source != master.source]
                chosen = (changed or found)[-1] if master.solution else found[-1]
                self._say_if_several(master, chosen)
                self._take(chosen, master)
        for master in others:
            alike = [cell for cell in self.cells if cell.master is None and self._has_same_text(cell, master)]
            if alike and master.name not in self.found:
                self._take(alike[-1], master)

    def _has_same_text(self, cell: _Cell, master: MasterCell) -> bool:
        return cell.node.source.strip() == master.source.strip() != ""

    def _say_if_several(self, master: MasterCell, chosen: _Cell) -> None:
        """Remark on a master's id that stands in several cells, or in another than the one that was chosen."""
        carriers = [cell for cell in self.cells if cell.grade_id == master.name]
        if chosen not in carriers:
            if carriers:
                self._remark(ELSEWHERE, master)
        elif len(carriers) > 1:
            place = carriers.index(chosen) + 1
            which = {1: THE_FIRST, len(carriers): THE_LAST}.get(place, NUMBER.format(number=place))
            self._remark(SEVERAL, master, count=len(carriers), which=which)

    def _find_definers(self) -> None:
        for name, master in self.exercises.items():
            definer = self._definer(name, master)
            if definer:
                self.definers[name] = definer

    def _definer(self, name: str, master: MasterCell) -> _Cell | None:
        """The cell that counts, of all that define an exercise's function.

        It is the one that its check saw, the last before it; stubs do not count where there is anything else.
        """
        checks = [cell for cell in self.found.values() if cell.is_check and master in self.checked[cell.master.name]]
        end = max(map(self.cells.index, checks), default=0)

        def rank(place: int) -> tuple:
            cell = self.cells[place]
            answered = cell.answers[name]
            is_usual = cell.node.cell_type == "code" and cell.grade_id not in self.checked
            seen = answered and place < end
            return answered, is_usual, seen, not seen and cell.grade_id == master.name, place

        places = [place for place, cell in enumerate(self.cells) if name in cell.answers]
        return self.cells[max(places, key=rank)] if places else None

    def _find_solutions(self) -> None:
        """Find the cell that is to stand as the solution of each exercise: the one that defines it, if it may."""
        exercises = self.exercises.items()
        for is_own in (True, False):  # where one cell defines several, it stays with the exercise whose id it carries
            for name, master in exercises:
                cell = self.definers.get(name)
                if cell and cell.master is None and (cell.grade_id == master.name or not is_own):
                    self._say_if_several(master, cell)
                    self._take(cell, master)
        for name, master in exercises:
            if master.name in self.found:
                continue
            own = [cell for cell in self._with_id(master) if not any(cell.answers.values())][-1:]
            if name in self.definers:
                self._solved_elsewhere(name, master, *own)
            elif own:
                self._say_if_several(master, *own)
                self._take(*own, master)

    def _solved_elsewhere(self, name: str, master: MasterCell, own: _Cell | None = None) -> None:
        """Let an empty cell stand for a solution whose function is defined in the cell of another."""
        definer = self.definers[name]
        other = definer.master.function or definer.master.name
        if own is None or own.answers:  # a stub, which would undo the definition
            self._remark(TOGETHER, master, other=other)
        source = SOLVED_ELSEWHERE.format(name=name, other=other)
        if own is None:
            own = self._new(master, source)
            self.cells.insert(self._place_behind(definer, master), own)
        elif own.answers:
            own.node.source, own.answers = source, {}
        self.stand_ins.append(own)
        self._take(own, master)

    def _place_behind(self, definer: _Cell, master: MasterCell) -> int:
        """Where a cell for a further solution in `definer` belongs: before its check, if that comes after `definer`."""
        check = self._next_check(master)
        place = self.cells.index(check) if check else 0
        return place if place > self.cells.index(definer) else self._behind_definer(definer)

    def _next_check(self, master: MasterCell) -> _Cell | None:
        """The check that comes right behind a solution in the assignment, and checks it alone, if it was found."""
        following = self.masters[self.masters.index(master) + 1 :][:1]
        if following and self.checked.get(following[0].name) == [master]:
            return self.found.get(following[0].name)
        return None

    def _new(self, master: MasterCell, source: str) -> _Cell:
        taken = {cell.node.id for cell in self.cells}
        node = NEW_CELL[master.cell_type](source, id=free_id(master.name, taken), metadata={"deletable": False})
        if master.locked:
            node.metadata.editable = False
        return _Cell(node, master.name, is_new=True)

    def _put_back_what_is_missing(self) -> None:
        for master in self.masters:
            if master.name in self.found:
                continue
            source, sentence = self._what_to_put_back(master)
            cell = self._new(master, source)
            self.cells.insert(self._place_of(master), cell)
            self._take(cell, master)
            if not (master.is_check and any(self.found[other.name].is_new for other in self.checked[master.name])):
                self._remark(sentence, master)

    def _what_to_put_back(self, master: MasterCell) -> tuple[str, str]:
        """The text of a missing cell, and the sentence to say about it."""
        if not master.solution:
            return master.source, PUT_BACK
        if not master.by_hand:
            return MISSING_SOLUTION.format(name=master.function or master.name), MISSING
        comment = "# " if master.cell_type == "code" else ""
        return comment + MISSING_BY_HAND.format(name=master.name) + master.source, PUT_BACK

    def _place_of(self, master: MasterCell) -> int:
        """Where a missing cell belongs: a solution before its check, and what else there is in the masters' order."""
        check = self._next_check(master)
        if check:
            return self.cells.index(check)
        here = self.masters.index(master)
        if here:
            return self.cells.index(self.found[self.masters[here - 1].name]) + 1
        after = [self.found[other.name] for other in self.masters if other.name in self.found]
        return self.cells.index(after[0]) if after else len(self.cells)

    def _put_checks_behind_solutions(self) -> None:
        for name, definer in self.definers.items():
            holder = self.found[self.exercises[name].name]
            if holder is not definer and not self._follows(holder, definer, {name}):
                self.cells.remove(holder)
                self.cells.insert(self._behind_definer(definer), holder)
        for master in self.masters:
            solutions = self.checked.get(master.name)
            if solutions:
                self._put_behind(self.found[master.name], solutions)

    def _put_behind(self, check: _Cell, solutions: list[MasterCell]) -> None:
        functions = {solution.function for solution in solutions}
        cells = [self.found[solution.name] for solution in solutions]
        cells += [self.definers[name] for name in functions & self.definers.keys()]
        last = max(cells, key=self.cells.index)
        between = self.cells[self.cells.index(last) + 1 : self.cells.index(check)]
        if self._follows(check, last, functions) and not any(self._is_stray(cell, last, check) for cell in between):
            return
        self.cells.remove(check)
        self.cells.insert(self._behind_earlier_checks(last, check), check)
        if not check.is_new:
            self._remark(MOVED, check.master)

    def _follows(self, cell: _Cell, other: _Cell, functions: set[str | None]) -> bool:
        """Tell whether `cell` stands behind `other`, with nothing in between that defines one of the functions."""
        first, last = self.cells.index(other), self.cells.index(cell)
        return first < last and not any(rival.answers.keys() & functions for rival in self.cells[first + 1 : last])

    def _is_stray(self, cell: _Cell, solution: _Cell, check: _Cell) -> bool:
        """Tell whether a cell is a solution that does not stand between these two in the assignment."""
        if cell.master is None or not cell.master.solution:
            return False
        return not self._order(solution) < self._order(cell) < self._order(check)

    def _order(self, cell: _Cell) -> int:
        return self.masters.index(cell.master)

    def _behind_definer(self, cell: _Cell) -> int:
        """The place for a cell that stands for a further solution in `cell`: behind its checks and others such."""
        place = self.cells.index(cell) + 1
        while place < len(self.cells) and (self.cells[place].is_check or self.cells[place] in self.stand_ins):
            place += 1
        return place

    def _behind_earlier_checks(self, solution: _Cell, check: _Cell) -> int:
        """The place for a check behind its solution, and behind the checks that come earlier in the assignment."""
        place = self.cells.index(solution) + 1
        while (
            place < len(self.cells)
            and self.cells[place].is_check
            and self._order(self.cells[place]) < self._order(check)
        ):
            place += 1
        return place

    def _write(self) -> None:
        """Write the masters' metadata and texts into their cells, and no other nbgrader metadata anywhere."""
        names = {master.name for master in self.masters}
        changed_roles, unknown = [], 0
        for cell in self.cells:
            if cell.master is None:
                unknown += cell.grade_id is not None and cell.grade_id not in names
                cell.node.metadata.pop("nbgrader", None)
                continue
            if self._has_other_role(cell):
                changed_roles.append(f"`{cell.master.name}`")
            self._make_master(cell.node, cell.master)
        if changed_roles:
            more = f" and {len(changed_roles) - NAMES_SHOWN} more" if len(changed_roles) > NAMES_SHOWN else ""
            self.remarks.append(Remark(None, ROLES.format(names=", ".join(changed_roles[:NAMES_SHOWN]) + more)))
        if unknown:
            self.remarks.append(Remark(None, UNKNOWN.format(count=unknown)))
        self.notebook.cells = [cell.node for cell in self.cells]

    def _has_other_role(self, cell: _Cell) -> bool:
        """Tell whether nbgrader's metadata said something else of a cell that was not taken for another one's."""
        if cell.is_new or (cell.grade_id != cell.master.name and cell.master.name in self.grade_ids):
            return False
        found = cell.node.metadata.get("nbgrader")
        found = {"task": False, **found} if isinstance(found, dict) else {}
        if found.get("grade") is True and found.get("solution") is False:
            found["locked"] = True  # as nbgrader takes it, whatever stands there
        return any(found.get(role) != cell.master.metadata[role] for role in ROLE)

    def _make_master(self, node: NotebookNode, master: MasterCell) -> None:
        if node.cell_type != master.cell_type:
            self._remark(RETYPED, master, found=KINDS[node.cell_type], wanted=KINDS[master.cell_type])
            made = NEW_CELL[master.cell_type](node.source, id=node.id, metadata=node.metadata)
            node.clear()
            node.update(made)
        if master.locked and node.source != master.source:
            self._remark(CHANGED, master)
            node.source = master.source
        node.metadata.nbgrader = NotebookNode(master.metadata)


def best_notebook(
    files: Mapping[str, bytes], expected: str, masters: Sequence[MasterCell]
) -> tuple[str | None, tuple[Remark, ...]]:
    """Return which of the files handed in is the notebook `expected`, if any, and what to say about that.

    It is the one of that name, unless it cannot be read or answers nothing and another one does.
    """
    notebooks = sorted(filter(_is_notebook, files), key=lambda name: (name != expected, not _is_copy(name, expected)))
    if notebooks == [expected]:
        return expected, ()
    likeness = {name: _likeness(files[name], masters) for name in notebooks[:MAX_NOTEBOOKS]}
    alike = [name for name in likeness if likeness[name].known or _is_copy(name, expected)]
    if not alike:
        shown = ", ".join(sorted(files)[:NAMES_SHOWN])
        sentence = NOT_HANDED_IN.format(expected=expected, names=shown) if files else NO_FILES.format(expected=expected)
        return None, (Remark(None, sentence),)
    best = max(
        alike,
        key=lambda name: (
            likeness[name].answered > 0,
            likeness[name].readable,
            name == expected,
            _is_copy(name, expected),
            likeness[name].answered,
            likeness[name].known,
        ),
    )
    remarks = [NOT_COUNTED.format(name=name, best=best) for name in alike if name != best and likeness[name].answered]
    if best != expected:
        remarks.insert(0, _why(likeness.get(expected)).format(name=best, expected=expected))
    return best, tuple(Remark(None, text) for text in remarks)


def _why(likeness: _Likeness | None) -> str:
    """The sentence on what was wrong with the notebook of the right name, where another one counts."""
    if likeness is None:
        return RENAMED
    return UNANSWERED_BESIDE if likeness.readable else UNREADABLE_BESIDE


def _is_notebook(name: str) -> bool:
    path = PurePosixPath(name.replace("\\", "/"))
    return ".ipynb" in path.name.lower() and CHECKPOINTS not in path.parts


def _is_copy(name: str, expected: str) -> bool:
    """Tell whether two file names differ by what browsers and people put into the name of a copy, and no more."""
    return _bare_name(name) == _bare_name(expected)


def _bare_name(name: str) -> str:
    stem = PurePosixPath(name.replace("\\", "/")).name.lower().partition(".ipynb")[0]
    return re.sub(r"[\s_-]+", "_", COPY.sub("", stem)).strip("_")


def _likeness(content: bytes, masters: Sequence[MasterCell]) -> _Likeness:
    try:
        notebook, _ = read(content)
    except Unreadable:
        return _Likeness(readable=False, answered=0, known=0)
    assignment = _Assignment(notebook, masters)
    answered = {name for cell in assignment.cells for name, is_answered in cell.answers.items() if is_answered}
    known = {cell.grade_id for cell in assignment.cells} & {master.name for master in masters}
    known |= {name for cell in assignment.cells for name in cell.answers}
    return _Likeness(readable=True, answered=len(answered), known=len(known))
