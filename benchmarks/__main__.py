"""`python -m benchmarks`: list the benchmarks, or run one of them."""

import argparse
import ast
import json
from collections.abc import Iterable
from dataclasses import asdict
from importlib import import_module
from pathlib import Path

from benchmarks import Figure


def benchmarks(folder: Path = Path(__file__).parent) -> dict[str, str]:
    """Name and summary of every benchmark, read from the files: nothing is imported."""
    files = sorted(file for file in folder.glob("*.py") if not file.stem.startswith("_"))
    return {file.stem: _summary(file) for file in files}


def report(figures: Iterable[Figure], as_json: bool) -> None:
    """Print each figure as it comes: a line of JSON, or a row of a table."""
    if not as_json:
        print(f"{'ratio':>7}  {'target':>7}  case (compared with)", flush=True)
    for figure in figures:
        print(json.dumps(asdict(figure)) if as_json else _row(figure), flush=True)


def main(arguments: list[str] | None = None) -> None:
    summaries = benchmarks()
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument("name", nargs="?", choices=list(summaries), help="the benchmark to run; none lists them")
    parser.add_argument("--json", action="store_true", help="one line of JSON for each figure of a benchmark")
    options = parser.parse_args(arguments)
    if options.name is None:
        for name, summary in summaries.items():
            print(f"{name:<10}{summary}")
        return
    report(import_module(f"benchmarks.{options.name}").run(), options.json)


def _summary(file: Path) -> str:
    docstring = ast.get_docstring(ast.parse(file.read_text(encoding="utf-8"))) or ""
    return docstring.partition("\n")[0]


def _row(figure: Figure) -> str:
    target = "none" if figure.target is None else f"{figure.target:.1f}x"
    return f"{figure.ratio:>6.1f}x  {target:>7}  {figure.case} ({figure.baseline})"


if __name__ == "__main__":
    main()
