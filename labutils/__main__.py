"""`python -m labutils check NOTEBOOK`: run notebooks and tell which of their exercises are solved."""

import argparse
import sys
from pathlib import Path

from labutils import notebooks
from labutils.checks import messages
from labutils.checks.judging import JudgeMissing, find_judge
from labutils.checks.sheets import SheetError


def main(arguments: list[str] | None = None) -> int:
    """Return 0 when all that was attempted passed, 1 when something did not, 2 when a notebook could not be checked."""
    parser = argparse.ArgumentParser(prog="python -m labutils", description="The Training Lab without a browser.")
    commands = parser.add_subparsers(dest="command", required=True)
    checking = commands.add_parser("check", help="run notebooks and tell which of their exercises are solved")
    checking.add_argument("notebooks", nargs="+", metavar="NOTEBOOK", type=Path)
    options = parser.parse_args(arguments)
    return max(_check(path) for path in options.notebooks)


def _check(path: Path) -> int:
    """Run one notebook and print its table."""
    print(path, flush=True)
    try:
        exercises = find_judge().exercises()
        notebook, troubles = notebooks.run_notebook(path)
        rows = notebooks.rows(notebook, exercises)
    except (notebooks.NotebookError, SheetError, JudgeMissing) as error:
        print(error, file=sys.stderr)
        return 2
    print(notebooks.table(rows) if rows else messages.NO_CHECKS.format(path=path))
    for trouble in troubles:
        print(trouble, file=sys.stderr)
    return 1 if troubles or any(row.failed for row in rows) else 0


if __name__ == "__main__":
    sys.exit(main())
