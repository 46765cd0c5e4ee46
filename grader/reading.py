"""Reads whatever was handed in as a notebook: bytes in, a valid notebook of nbformat 4.5 and what was amiss out.

Nothing is executed, and what it costs is bounded by the limits below. Only the format is looked after here: which cells
the assignment has, and which of them are missing, is the business of `grader.repair`.
"""

import json
import math
import re
from typing import Any

from nbformat import NotebookNode, ValidationError
from nbformat.v4.rwbase import rejoin_lines
from nbformat.validator import get_validator

MEGABYTE = 1e6
MAX_BYTES = 100_000_000
MAX_BYTES_WITH_OUTPUTS = 20_000_000
MAX_BRACKETS = 2_000_000  # each one read costs some 80 bytes of memory, whatever stands between them
MAX_CELLS = 5_000
MAX_CHARACTERS = 1_000_000  # of one cell
MAX_CHARACTERS_IN_ALL = 10_000_000
MAX_LEVELS = 50  # of lists and tables in one another, within a cell

EMPTY = "The file is empty. Hand in the file that JupyterLab saves."
TOO_LARGE = "The file has {size:.0f} MB, and the limit is {limit:.0f} MB. Clear the outputs, save and hand it in again."
TOO_MANY_BRACKETS = (
    "The file has {count:,} opening brackets, and the limit is {limit:,}. Clear the outputs, save and hand it in again."
)
NOT_JSON = "The file is not a notebook ({reason}). Hand in the file that JupyterLab saves; its name ends in .ipynb."
NO_CELLS = "The file is not a notebook: it has no list of cells. Hand in the file that JupyterLab saves."
BAD_BYTES = "The file is not all {encoding} text. What could not be read is shown as \ufffd."
CONFLICT = "The file has the marks of a merge conflict. What stands first at each of them was kept."
DAMAGED = "The file is cut off or damaged ({reason}). The {count} cells before that place were read."
OTHER_FORMAT = "The notebook is in {version}. It was brought to format 4.5; outputs may have been left out."
OUTPUTS_DROPPED = (
    "The file has {size:.0f} MB. Above {limit:.0f} MB all outputs and embedded pictures are left out, as was done here."
)
CELLS_DROPPED = "The notebook has {count:,} cells. Those after the first {limit:,} were left out."
NO_CELL = "Entries of the notebook that are no cells were left out: {count}."
CELL_SIMPLIFIED = "Cells that had outputs or settings which the format does not allow, and lost them: {count}."
CELL_TOO_LONG = (
    "Cells that were too long and were left out: {count}. The limit is {limit:,} characters for one cell, "
    "and {all:,} for all."
)
LEFT_OUT = "# What stood here was too long and was left out."

# Where the text of a cell stands, in nbformat 4, 3 and 2, and 1; the kinds of cells that later formats do not know.
SOURCES = ("source", "input", "code", "text")
TODAYS_KINDS = {"heading": "markdown", "html": "markdown", "text": "markdown"}
CONFLICT_START = re.compile("^<<<<<<<", re.MULTILINE)
CONFLICT_MARKS = {"<<<<<<<": "ours", "|||||||": "base", "=======": "theirs", ">>>>>>>": "both"}
CELL_ID = re.compile(r"[a-zA-Z0-9_-]{1,64}")


class Unreadable(Exception):
    """Nothing of a notebook could be read. The message is a sentence for student and instructor."""


def read(content: bytes) -> tuple[NotebookNode, list[str]]:
    """Return the notebook in `content`, valid in format 4.5, and a sentence on each thing that was amiss.

    Raises Unreadable, and nothing else.
    """
    remarks: list[str] = []
    _check_size(content)
    found = _parsed(_text(content, remarks), remarks)
    version = found.get("nbformat")
    if version != 4:
        known = f"format {version}" if version in (1, 2, 3) else "an unknown format"
        remarks.append(OTHER_FORMAT.format(version=known))
    notebook = _notebook(found, remarks)
    if len(content) > MAX_BYTES_WITH_OUTPUTS:
        size, limit = len(content) / MEGABYTE, MAX_BYTES_WITH_OUTPUTS / MEGABYTE
        remarks.append(OUTPUTS_DROPPED.format(size=size, limit=limit))
        notebook.metadata = NotebookNode()
        notebook.cells = [_bare(cell) for cell in notebook.cells]
    _shorten(notebook, remarks)
    _give_ids(notebook)
    _make_valid(notebook, remarks)
    return rejoin_lines(notebook), remarks


def free_id(wanted: str, taken: set[str]) -> str:
    """An id for a cell that is not taken yet: `wanted` where it may be one, or a numbered one."""
    if CELL_ID.fullmatch(wanted) and wanted not in taken:
        return wanted
    return next(name for number in range(1, len(taken) + 2) if (name := f"cell-{number}") not in taken)


def _check_size(content: bytes) -> None:
    if not content.strip():
        raise Unreadable(EMPTY)
    if len(content) > MAX_BYTES:
        raise Unreadable(TOO_LARGE.format(size=len(content) / MEGABYTE, limit=MAX_BYTES / MEGABYTE))
    brackets = content.count(b"[") + content.count(b"{")
    if brackets > MAX_BRACKETS:
        raise Unreadable(TOO_MANY_BRACKETS.format(count=brackets, limit=MAX_BRACKETS))


def _text(content: bytes, remarks: list[str]) -> str:
    encoding = json.detect_encoding(content)
    try:
        return content.decode(encoding)
    except UnicodeDecodeError:
        remarks.append(BAD_BYTES.format(encoding=encoding.upper()))
        return content.decode(encoding, errors="replace")


def _finite(number: str) -> float | None:
    value = float(number)
    return value if math.isfinite(value) else None


# JSON has no NaN, and line breaks within its strings are a slip that does no harm.
DECODER = json.JSONDecoder(strict=False, parse_float=_finite, parse_constant=lambda name: None)
UNPARSABLE = (ValueError, RecursionError)  # the latter where lists are nested by the thousand


def _parsed(text: str, remarks: list[str]) -> dict[str, Any]:
    """The table that a notebook is; of a damaged one, what stands before the damage."""
    found, error = _decoded(text)
    if error and CONFLICT_START.search(text):
        remarks.append(CONFLICT)
        text = _without_conflicts(text)
        found, error = _decoded(text)
    if error:
        cells = _cells_before_damage(text)
        if not cells:
            raise Unreadable(NOT_JSON.format(reason=_reason(error))) from error
        remarks.append(DAMAGED.format(reason=_reason(error), count=len(cells)))
        return {"cells": cells, "nbformat": 4}
    if not isinstance(found, dict):
        raise Unreadable(NO_CELLS)
    return found


def _decoded(text: str) -> tuple[Any, Exception | None]:
    try:
        return DECODER.decode(text), None
    except UNPARSABLE as error:
        return None, error


def _reason(error: Exception) -> str:
    if isinstance(error, json.JSONDecodeError):
        return f"line {error.lineno}: {error.msg}"
    return "nested too deeply" if isinstance(error, RecursionError) else "a number with too many digits"


def _without_conflicts(text: str) -> str:
    """The text with the first side of each conflict that git left in it, and without the marks."""
    kept, part = [], "both"
    for line in text.splitlines(keepends=True):
        mark = CONFLICT_MARKS.get(line[:7])
        if mark:
            part = mark
        elif part in ("both", "ours"):
            kept.append(line)
    return "".join(kept)


def _cells_before_damage(text: str) -> list[Any]:
    start = re.search(r'"cells"\s*:\s*\[', text)
    cells: list[Any] = []
    place = start.end() if start else len(text)
    while True:
        place = re.compile(r"[\s,]*").match(text, place).end()
        try:
            cell, place = DECODER.raw_decode(text, place)
        except UNPARSABLE:
            return cells
        cells.append(cell)


def _notebook(found: dict[str, Any], remarks: list[str]) -> NotebookNode:
    """A notebook of the cells found, in today's form as far as that goes without looking into them."""
    entries = _entries(found)
    tables = [entry for entry in entries if isinstance(entry, dict)]
    if len(tables) < len(entries):
        remarks.append(NO_CELL.format(count=len(entries) - len(tables)))
    if len(tables) > MAX_CELLS:
        remarks.append(CELLS_DROPPED.format(count=len(tables), limit=MAX_CELLS))
    cells = [_cell(entry) for entry in tables[:MAX_CELLS]]
    metadata = clean(found.get("metadata"))
    return NotebookNode(cells=cells, metadata=metadata, nbformat=4, nbformat_minor=5)


def _entries(found: dict[str, Any]) -> list[Any]:
    """The list of cells, which formats 2 and 3 divide into worksheets. Raises Unreadable where there is none."""
    sheets = found.get("worksheets")
    inside = [sheet.get("cells") for sheet in sheets if isinstance(sheet, dict)] if isinstance(sheets, list) else []
    lists = [cells for cells in (found.get("cells"), *inside) if isinstance(cells, list)]
    if not lists:
        raise Unreadable(NO_CELLS)
    return [entry for cells in lists for entry in cells]


def _cell(entry: dict[str, Any]) -> NotebookNode:
    kind = _kind(entry)
    source = _joined(next((entry[name] for name in SOURCES if name in entry), ""))
    level = entry.get("level")
    if entry.get("cell_type") == "heading" and isinstance(level, int) and 1 <= level <= 6:
        source = "#" * level + " " + source
    metadata = clean(entry.get("metadata", {}))
    cell = NotebookNode(id=entry.get("id"), cell_type=kind, metadata=metadata, source=source)
    if kind == "code":
        cell.execution_count = entry.get("execution_count")
        cell.outputs = clean(entry.get("outputs", []))
    elif "attachments" in entry:
        cell.attachments = clean(entry["attachments"])
    return cell


def _kind(entry: dict[str, Any]) -> str:
    """The type of a cell; one that nobody knows is code if it has outputs, and otherwise shown as it is."""
    found = entry.get("cell_type")
    if not isinstance(found, str) or found not in ("code", "markdown", "raw", *TODAYS_KINDS):
        return "code" if "outputs" in entry else "raw"
    return TODAYS_KINDS.get(found, found)


def _joined(source: Any) -> str:
    lines = source if isinstance(source, list) else [source]
    return _utf8("".join(line for line in lines if isinstance(line, str)))


def _utf8(text: str) -> str:
    return text if text.isascii() else text.encode(errors="replace").decode()  # halves of a pair cannot be written


def clean(value: Any, levels: int = MAX_LEVELS) -> Any:
    """`value` as nbformat has it, in texts that can be written, with None for what is nested too deeply."""
    if isinstance(value, str):
        return _utf8(value)
    if isinstance(value, (dict, list)) and not levels:
        return None
    if isinstance(value, dict):
        return NotebookNode({_utf8(name): clean(part, levels - 1) for name, part in value.items()})
    if isinstance(value, list):
        return [clean(part, levels - 1) for part in value]
    return value


def _shorten(notebook: NotebookNode, remarks: list[str]) -> None:
    count, room = 0, MAX_CHARACTERS_IN_ALL
    for cell in notebook.cells:
        if len(cell.source) > min(MAX_CHARACTERS, room):
            cell.source = LEFT_OUT
            count += 1
        room -= len(cell.source)
    if count:
        remarks.append(CELL_TOO_LONG.format(count=count, limit=MAX_CHARACTERS, all=MAX_CHARACTERS_IN_ALL))


def _give_ids(notebook: NotebookNode) -> None:
    """Let each cell have an id of its own: the one that it has, if that is valid and not another's."""
    taken: set[str] = set()
    without = []
    for cell in notebook.cells:
        if isinstance(cell.id, str) and CELL_ID.fullmatch(cell.id) and cell.id not in taken:
            taken.add(cell.id)
        else:
            without.append(cell)
    for cell in without:
        cell.id = free_id("", taken)
        taken.add(cell.id)


def _make_valid(notebook: NotebookNode, remarks: list[str]) -> None:
    """Take from the notebook what its format does not allow. Looks into single cells only if something is wrong."""
    if is_valid(notebook):
        return
    if not is_valid(NotebookNode(notebook, cells=[])):
        notebook.metadata = NotebookNode()
    cells = [cell if is_valid(NotebookNode(notebook, cells=[cell])) else _bare(cell) for cell in notebook.cells]
    changed = sum(after is not before for before, after in zip(notebook.cells, cells))
    if changed:
        remarks.append(CELL_SIMPLIFIED.format(count=changed))
    notebook.cells = cells


def is_valid_output(output: NotebookNode) -> bool:
    """Tell whether the format allows an output."""
    cell = NotebookNode(cell_type="code", id="cell", metadata={}, source="", outputs=[output], execution_count=None)
    return is_valid(NotebookNode(cells=[cell], metadata={}, nbformat=4, nbformat_minor=5))


def is_valid(notebook: NotebookNode) -> bool:
    try:
        get_validator(4, 5).validate(notebook)
    except ValidationError:
        return False
    return True


def _bare(cell: NotebookNode) -> NotebookNode:
    """The cell without outputs, attachments and settings, but for its tags and what nbgrader wrote into it."""
    settings = cell.metadata if isinstance(cell.metadata, dict) else {}
    metadata = NotebookNode()
    if isinstance(settings.get("tags"), list):
        usable = [tag for tag in settings["tags"] if isinstance(tag, str) and re.fullmatch("[^,]+", tag)]
        metadata.tags = list(dict.fromkeys(usable))
    if isinstance(settings.get("nbgrader"), dict):
        metadata.nbgrader = settings["nbgrader"]
    bare = NotebookNode(id=cell.id, cell_type=cell.cell_type, metadata=metadata, source=cell.source)
    if cell.cell_type == "code":
        bare.update(outputs=[], execution_count=None)
    return bare
