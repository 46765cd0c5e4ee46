"""What each chapter takes of its budget, and what it trains with `sweep` against a plain torch loop.

Seconds and megabytes are measured as `python -m grader build` measures them: the whole notebook in a kernel of its own,
with its start and its imports. Then the notebook is run once more, and each of its calls of `sweep` is timed beside the
same trainings in a plain torch loop, one after the other, with one thread for both. The loop would take many minutes
for all of them, so it is timed on a few trainings of each sweep, and counted as if the others took as long as these.
"""

import json
import sys
from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory

from benchmarks import Figure


def run(timed: int = 2) -> Iterator[Figure]:
    from grader.texts import pages

    for page in pages():
        if page.chapter:
            yield from measure(page, timed)


def measure(page, timed: int) -> Iterator[Figure]:
    """The figures of one page of the book; of each of its sweeps the loop repeats at most `timed` trainings."""
    from grader import running
    from grader.build import assemble
    from grader.texts import ROOT

    notebook = assemble(page)
    _, taken = running.run(notebook, page.text.parent, import_from=ROOT)
    for unit, amount in (("seconds", taken.seconds), ("megabytes", taken.megabytes)):
        if limit := page.settings.get("budget", {}).get(unit):
            yield Figure(f"{page.name}: {amount:.1f} {unit}", limit / amount, 1, f"its budget of {limit} {unit}")
    sweeps = _sweeps(page, notebook, timed)
    if sweeps:
        swept, looped = (sum(sweep[name] for sweep in sweeps) for name in ("sweep_seconds", "loop_seconds"))
        trainings = sum(sweep["trainings"] for sweep in sweeps)
        loop = f"about {looped:.0f} s in a plain torch loop, timed on {sum(sweep['timed'] for sweep in sweeps)} of them"
        yield Figure(f"{page.name}: {trainings} trainings in {swept:.1f} s by sweep", looped / swept, None, loop)


def _sweeps(page, notebook, timed: int) -> list[dict]:
    """What `benchmarks._sweeps` notes of each call of `sweep` while the notebook runs."""
    from nbformat.v4 import new_code_cell

    from grader import running
    from grader.texts import ROOT

    with TemporaryDirectory() as folder:
        notes = Path(folder) / "sweeps"
        watch = f"from benchmarks import _sweeps; _sweeps.watch({str(notes)!r}, {timed})"
        watched = {**notebook, "cells": [new_code_cell(watch), *notebook.cells]}
        running.run(watched, page.text.parent, import_from=ROOT)
        sweeps = [json.loads(line) for line in notes.read_text().splitlines()] if notes.exists() else []
    for number, sweep in enumerate(sweeps, start=1):
        print(
            f"{page.name}, sweep {number}: {sweep['trainings']} trainings of {sweep['epochs']} epochs in "
            f"{sweep['sweep_seconds']:.2f} s, in a loop {sweep['loop_seconds']:.1f} s (timed on {sweep['timed']})",
            file=sys.stderr,
        )
    return sweeps
