"""The machinery of the benchmarks, on tiny sizes: what it prints, and that it measures what it says. Never how fast."""

import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

import benchmarks
from benchmarks import Figure, sweep
from benchmarks import __main__ as command

ROOT = Path(benchmarks.__file__).parents[1]


def test_the_list_has_a_line_for_each_benchmark():
    shown = subprocess.run([sys.executable, "-m", "benchmarks"], cwd=ROOT, capture_output=True, text=True, check=True)
    listed = {line.split()[0]: line.split(maxsplit=1)[1] for line in shown.stdout.splitlines()}
    modules = {file.stem for file in (ROOT / "benchmarks").glob("[!_]*.py")}
    assert set(listed) == modules and "sweep" in modules
    assert all(len(summary) > 20 for summary in listed.values())


def test_listing_imports_nothing_heavy():
    code = "import sys; from benchmarks.__main__ import main; main([]); sys.exit('torch' in sys.modules)"
    subprocess.run([sys.executable, "-c", code], cwd=ROOT, check=True, capture_output=True)


def test_an_unknown_benchmark_is_named_with_the_known_ones(capsys):
    with pytest.raises(SystemExit) as stopped:
        command.main(["swep"])
    assert stopped.value.code == 2 and "sweep" in capsys.readouterr().err


def test_json_is_one_line_for_each_figure(capsys, monkeypatch):
    figures = [Figure("a", 2.5, 20, "a loop"), Figure("b", 0.5, None, "nothing")]
    monkeypatch.setattr(sweep, "run", lambda: iter(figures))
    monkeypatch.setitem(sys.modules, "benchmarks.sweep", sweep)
    command.main(["sweep", "--json"])
    lines = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert lines[0] == {"case": "a", "ratio": 2.5, "target": 20, "baseline": "a loop"}
    assert lines[1]["target"] is None
    command.main(["sweep"])
    table = capsys.readouterr().out
    assert "2.5x" in table and "20.0x" in table and "a loop" in table


def test_the_ratio_is_the_median_of_interleaved_pairs(monkeypatch):
    now, calls = [0.0], []
    monkeypatch.setattr(benchmarks, "perf_counter", lambda: now[0])
    slow = iter([99, 2, 4, 6])

    def ours():
        calls.append("ours")
        now[0] += 1

    def baseline():
        calls.append("baseline")
        now[0] += next(slow)

    assert benchmarks.median_ratio(ours, baseline, pairs=3) == 4
    assert sorted(calls[2:4]) == sorted(calls[4:6]) == sorted(calls[6:8]) == ["baseline", "ours"]


def test_the_sweep_benchmark_runs_and_its_losses_agree(capsys):
    figures = list(sweep.run(rates=2, dense_epochs=1, convolutional_epochs=1))
    assert [figure.target for figure in figures] == [20, 4]
    assert all(figure.ratio > 0 for figure in figures)
    assert capsys.readouterr().err.count("the losses agree to") == 2


def test_a_sweep_with_other_losses_is_not_timed(monkeypatch):
    monkeypatch.setattr(sweep, "_loop", lambda *arguments: np.zeros((1, 34)))
    with pytest.raises(RuntimeError, match="a loss differs by"):
        next(sweep.run(rates=1, dense_epochs=1))
