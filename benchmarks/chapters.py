"""What each chapter takes of its budget, and what it trains with `sweep` against a plain torch loop.

Seconds and megabytes are measured as `python -m grader build` measures them: the whole notebook in a kernel of its own,
with its start and its imports. Then the notebook is run once more, and each of its calls of `sweep` is timed beside the
same trainings in a plain torch loop, one after the other, with one thread for both. The loop would take many minutes
for all of them, so it is timed on a few trainings of each sweep, and counted as if the others took as long as these.
Chapter 5's `train_regularized` is timed likewise, beside itself with one network at a time.
"""

import json
import sys
from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory

from benchmarks import Figure

LOOPS = {"sweep": "in a plain torch loop", "train_regularized": "one after the other by train_regularized itself"}
"""With what the trainings of one call are compared, by the function that was called."""


def run(timed: int = 2) -> Iterator[Figure]:
    from grader.texts import pages

    for page in pages():
        if page.chapter:
            yield from measure(page, timed)


def measure(page, timed: int) -> Iterator[Figure]:
    """The figures of one page of the book; of each of its sweeps a loop repeats at most `timed` trainings."""
    from grader import running
    from grader.build import assemble
    from grader.texts import ROOT

    notebook = assemble(page)
    _, taken = running.run(notebook, page.text.parent, import_from=ROOT)
    for unit, amount in (("seconds", taken.seconds), ("megabytes", taken.megabytes)):
        if limit := page.settings.get("budget", {}).get(unit):
            yield Figure(f"{page.name}: {amount:.1f} {unit}", limit / amount, 1, f"its budget of {limit} {unit}")
    notes = _notes(page, notebook, timed)
    for by, loop in LOOPS.items():
        if noted := [note for note in notes if note["by"] == by]:
            taken, looped = (sum(note[name] for note in noted) for name in ("seconds", "loop_seconds"))
            trainings, timed_ones = (sum(note[name] for note in noted) for name in ("trainings", "timed"))
            baseline = f"about {looped:.0f} s {loop}, timed on {timed_ones} of them"
            yield Figure(f"{page.name}: {trainings} trainings in {taken:.1f} s by {by}", looped / taken, None, baseline)


def _notes(page, notebook, timed: int) -> list[dict]:
    """What `benchmarks._sweeps` notes of each call while the notebook runs."""
    from nbformat.v4 import new_code_cell

    from grader import running
    from grader.texts import ROOT

    with TemporaryDirectory() as folder:
        notes = Path(folder) / "sweeps"
        watch = f"from benchmarks import _sweeps; _sweeps.watch({str(notes)!r}, {timed})"
        watched = {**notebook, "cells": [new_code_cell(watch), *notebook.cells]}
        running.run(watched, page.text.parent, import_from=ROOT)
        noted = [json.loads(line) for line in notes.read_text().splitlines()] if notes.exists() else []
    for number, note in enumerate(noted, start=1):
        print(
            f"{page.name}, {note['by']} {number}: {note['trainings']} trainings of {note['epochs']} epochs in "
            f"{note['seconds']:.2f} s, in a loop {note['loop_seconds']:.1f} s (timed on {note['timed']})",
            file=sys.stderr,
        )
    return noted
