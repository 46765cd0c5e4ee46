"""How fast the book's own machinery is, each time against what one would write without it.

`python -m benchmarks` lists the benchmarks, `python -m benchmarks NAME` runs one, and with `--json` it prints one line
per figure. Every module of this package whose name does not begin with an underscore is a benchmark: the first line of
its docstring says what it compares, and

    def run() -> Iterator[Figure]

yields its figures one by one, each as soon as it is measured. Whatever takes time to import is imported inside `run` or
by the functions that it calls, and anything that is said along the way goes to stderr.
"""

from collections.abc import Callable
from dataclasses import dataclass
from statistics import median
from time import perf_counter


@dataclass(frozen=True)
class Figure:
    """One comparison: `ratio` is the baseline's time over ours, so above 1 means that we are ahead.

    `target` is the least ratio that we promise, or None where nothing is promised; `baseline` says in words what we are
    compared with.
    """

    case: str
    ratio: float
    target: float | None
    baseline: str


def median_ratio(ours: Callable[[], object], baseline: Callable[[], object], pairs: int = 5) -> float:
    """Median over `pairs` of (seconds of the baseline) / (seconds of ours), in turn so that both see the same machine.

    Both are run once beforehand, so that nothing which happens only the first time is counted.
    """
    ours(), baseline()
    return median(seconds(baseline) / seconds(ours) for _ in range(pairs))


def seconds(action: Callable[[], object]) -> float:
    """Wall-clock seconds that one call of `action` takes."""
    start = perf_counter()
    action()
    return perf_counter() - start
