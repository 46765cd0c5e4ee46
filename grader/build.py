"""Makes what is generated from a chapter's text and exercises: check sheet, notebook, nbgrader's source.

The text is what authors edit. The check sheet is what `check` knows in a student's notebook; the notebook is the text,
executed, with nbgrader's metadata; the source is the notebook with the references written in, for instructors only.
"""

import hashlib
import json
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import nbformat
from nbformat import NotebookNode
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook

from grader.exercise import body_of
from grader.running import CellFailed, Measured, run
from grader.texts import ROOT, Cell, Page, checked_in
from labutils.checks.comparing import Tolerance, difference
from labutils.checks.sheets import FOLDER as SHEETS
from labutils.checks.sheets import write_sheet
from labutils.files import write_atomically
from labutils.notebooks import KERNEL

SOURCE = ROOT / "grader" / "course" / "source"
KERNELSPEC = {"display_name": "Python 3", "language": "python", "name": KERNEL}
ROUNDING = Tolerance(relative=1e-9, absolute=1e-12)  # the last digits, in which machines differ


def build(page: Page, execute: bool = True) -> tuple[Measured | None, str | None]:
    """Bring a page's sheet, notebook and source up to date.

    Returns what running it took, and a complaint when that is over the page's budget. With `execute` false, cells that
    have not changed keep their outputs and nothing is measured. Raises TextError, sheet and notebook as they were.
    """
    page.check_examples()
    notebook, before = assemble(page), _read(page.notebook)
    measured = complaint = None
    with _new_sheet(page):
        if execute:
            notebook, measured = _run(page, notebook)
            complaint = _complaint(page, notebook, measured)
        else:
            _keep_outputs(before, notebook)
        if not _is_as_good_as(before, notebook, page):
            _write(page.notebook, notebook)
    write_source(page)
    return measured, complaint


def assemble(page: Page) -> NotebookNode:
    """The page's notebook, not executed: the cells of its text with their ids and nbgrader's metadata."""
    stubs = page.stubs
    names = {stub.cell: name for name, stub in stubs.items()}
    seen: dict[str, int] = {}
    cells = []
    for cell in page.cells:
        if cell in names:
            nbgrader = _solution_metadata(names[cell])
        elif "check" in cell.tags:
            name = checked_in(cell)
            nbgrader = _grade_metadata(name, stubs[name].exercise.points)
        else:
            nbgrader = {}
        cells.append(_notebook_cell(page, cell, nbgrader, seen))
    metadata = {"kernelspec": KERNELSPEC, "language_info": {"name": "python"}, "lab": page.settings}
    return new_notebook(cells=cells, metadata=metadata)


def out_of_step(page: Page) -> list[str]:
    """What a build would change, in words; nothing when notebook, sheet, text and exercises belong together."""
    found = []
    page.check_examples()
    wanted, present = assemble(page), _read(page.notebook)
    for cell, new, old in zip(page.cells, wanted.cells, present.cells):
        if (new.cell_type, new.id, new.source, new.metadata) != (old.cell_type, old.id, old.source, old.metadata):
            found.append(f"{page.text}:{cell.line}: this cell differs from cell {old.id} of the notebook")
            break  # those after it may only be shifted
    if len(wanted.cells) != len(present.cells):
        found.append(f"{page.notebook}: has {len(present.cells)} cells, and the text has {len(wanted.cells)}")
    for key in wanted.metadata:
        if present.metadata.get(key) != wanted.metadata[key]:
            found.append(f"{page.notebook}: its {key} is not the text's")
    if page.chapter and not sheet_is_current(page):
        found.append(f"{_sheet(page)}: is not what the exercises give")
    if "budget" in page.settings:
        complaint = over_budget(page, present) if "measured" in present.metadata else "was never measured"
        found += [f"{page.notebook}: {complaint}"] if complaint else []
    return found


def sheet_is_current(page: Page) -> bool:
    """Tell whether the chapter's sheet in `labutils` is what its exercises give, but for another machine's rounding."""
    wanted = json.loads(_sheet_content(page))["exercises"]
    try:
        present = json.loads(_sheet(page).read_bytes())["exercises"]
    except (FileNotFoundError, ValueError, KeyError):
        return False
    return difference(wanted, present, ROUNDING) is None


def write_source(page: Page, folder: Path = SOURCE) -> Path | None:
    """Write the instructor's notebook and the files that lie beside the chapter's; the start page has none."""
    if page.chapter is None:
        return None
    assignment = folder / page.chapter.folder
    notebook = assemble(page)
    for cell in notebook.cells:
        if cell.metadata.get("nbgrader", {}).get("solution"):
            stub = page.stubs[cell.metadata["nbgrader"]["grade_id"]]
            body = body_of(stub.exercise.reference_function)
            cell.source = stub.with_body(f"### BEGIN SOLUTION\n{body}\n### END SOLUTION")
    _write(assignment / page.notebook.name, notebook)
    for path in page.text.parent.iterdir():
        if path.is_file() and path.suffix not in (".md", ".ipynb") and not path.name.startswith("."):
            shutil.copy(path, assignment)
    return assignment / page.notebook.name


def over_budget(page: Page, notebook: NotebookNode) -> str | None:
    """A complaint when what was measured is more than the front matter allows."""
    measured = notebook.metadata["measured"]
    excess = [
        f"{measured[unit]} {unit} are over the budget of {limit}"
        for unit, limit in page.settings.get("budget", {}).items()
        if measured[unit] > limit
    ]
    return ", and ".join(excess) or None


def _run(page: Page, notebook: NotebookNode) -> tuple[NotebookNode, Measured]:
    """Return the page's notebook, executed, with what it took in its metadata, and the same in detail."""
    try:
        executed, measured = run(notebook, page.text.parent, import_from=ROOT)
    except CellFailed as failed:
        raise page.error(page.cells[failed.index].line, f"this cell stopped with {failed}") from failed
    executed.metadata["measured"] = {"seconds": round(measured.seconds, 1), "megabytes": round(measured.megabytes)}
    return executed, measured


def _complaint(page: Page, notebook: NotebookNode, measured: Measured) -> str | None:
    """What is over the page's budget, if anything, and the lines of the cells that take longest."""
    complaint = over_budget(page, notebook)
    slowest = [f"line {page.cells[i].line} with {measured.cells[i]:.1f} s" for i in measured.slowest()]
    return complaint and f"{complaint}; the slowest cells are {', '.join(slowest)}"


def _solution_metadata(name: str) -> dict:
    nbgrader = {"grade": False, "grade_id": name, "locked": False, "schema_version": 3, "solution": True, "task": False}
    return {"nbgrader": nbgrader, "deletable": False}


def _grade_metadata(name: str, points: float) -> dict:
    nbgrader = {"grade": True, "locked": True, "points": points, "schema_version": 3, "solution": False, "task": False}
    return {"nbgrader": {"grade_id": f"check_{name}", **nbgrader}, "deletable": False, "editable": False}


def _notebook_cell(page: Page, cell: Cell, metadata: dict, seen: dict[str, int]) -> NotebookNode:
    """A cell whose id is its grade_id, or a digest of its source, so that it stays what it is from build to build."""
    if cell.tags:
        metadata = {**metadata, "tags": list(cell.tags)}
    digest = hashlib.sha256(f"{page.name} {cell.source}".encode()).hexdigest()[:8]
    seen[digest] = seen.get(digest, 0) + 1
    repeated = f"-{seen[digest]}" if seen[digest] > 1 else ""
    cell_id = metadata["nbgrader"]["grade_id"] if "nbgrader" in metadata else digest + repeated
    new_cell = new_code_cell if cell.kind == "code" else new_markdown_cell
    return new_cell(cell.source, id=cell_id, metadata=metadata)


def _keep_outputs(before: NotebookNode, notebook: NotebookNode) -> None:
    outputs = {(cell.id, cell.source): cell for cell in before.cells if cell.cell_type == "code"}
    for cell in notebook.cells:
        if (cell.id, cell.source) in outputs:
            cell.outputs = outputs[cell.id, cell.source].outputs
            cell.execution_count = outputs[cell.id, cell.source].execution_count
    for key in ("measured", "widgets"):
        if key in before.metadata:
            notebook.metadata[key] = before.metadata[key]


def _is_as_good_as(before: NotebookNode, notebook: NotebookNode, page: Page) -> bool:
    """Tell whether a build may leave the notebook that is there, because only how long it took is different."""

    def apart_from_measures(notebook: NotebookNode) -> dict:
        return {**notebook, "metadata": {key: value for key, value in notebook.metadata.items() if key != "measured"}}

    within = "measured" in before.metadata and over_budget(page, before) is None
    return within and apart_from_measures(notebook) == apart_from_measures(before)


def _read(path: Path) -> NotebookNode:
    """The notebook in `path`; one that is empty where there is none yet."""
    return nbformat.read(path, as_version=4) if path.is_file() else new_notebook()


def _write(path: Path, notebook: NotebookNode) -> None:
    """Write a notebook in one step, so that an interrupted build leaves the one that was there."""
    nbformat.validate(notebook)
    write_atomically(path, f"{nbformat.writes(notebook)}\n".encode())


def _sheet(page: Page) -> Path:
    """Named as the chapter's folder is, so that sheets are read in the order of the book."""
    return SHEETS / f"{page.chapter.folder}.json"


def _sheet_content(page: Page) -> bytes:
    """The chapter's check sheet, as its exercises give it."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / _sheet(page).name
        write_sheet(path, page.chapter.name, [stub.exercise.sheet() for stub in page.stubs.values()])
        return path.read_bytes()


@contextmanager
def _new_sheet(page: Page) -> Iterator[None]:
    """Put the chapter's new check sheet in place, for the notebook to run with; on failure the old one comes back."""
    if page.chapter is None:
        yield
        return
    sheet = _sheet(page)
    before = sheet.read_bytes() if sheet.is_file() else None
    write_atomically(sheet, _sheet_content(page))
    try:
        yield
    except BaseException:  # a Ctrl-C too: a new sheet beside an old notebook would fit nothing
        if before is None:
            sheet.unlink()
        else:
            write_atomically(sheet, before)
        raise
