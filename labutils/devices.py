"""Where to compute: the graphics card where there is one, else the processor."""

import math
import os
from statistics import median
from time import perf_counter

import torch

_VARIABLE = "LABUTILS_DEVICE"


def device() -> torch.device:
    """Pick cuda, else mps, else cpu, and print what was picked and why.

    The environment variable `LABUTILS_DEVICE` overrides the choice, for example `LABUTILS_DEVICE=cpu` or `=cuda:1`.
    Raises `ValueError` when it names something that this machine does not have.
    """
    chosen, reason = choose()
    print(f"Computing on {chosen}: {reason}.")
    return chosen


def choose() -> tuple[torch.device, str]:
    """The device that `device` would pick and the reason for it, without printing."""
    present = available()
    wish = os.environ.get(_VARIABLE, "").strip().lower()
    if wish:
        if wish not in present:
            raise ValueError(
                f"{_VARIABLE} is {wish!r}, and this machine has {', '.join(present)}. "
                f"Set {_VARIABLE} to one of these, or unset it to let the book choose."
            )
        return torch.device(wish), f"{_VARIABLE} asks for it"
    best = present[0]
    return torch.device(best), _reason(best)


def available() -> list[str]:
    """Names of the devices of this machine, best first: cuda, cuda:0, cuda:1 … , mps, cpu."""
    cards = [f"cuda:{index}" for index in range(torch.cuda.device_count())] if torch.cuda.is_available() else []
    apple = ["mps"] if torch.backends.mps.is_available() else []
    return [*(["cuda"] if cards else []), *cards, *apple, "cpu"]


def _reason(name: str) -> str:
    if name == "cuda":
        return f"there is a graphics card, {torch.cuda.get_device_name()}"
    if name == "mps":
        return "there is an Apple graphics processor"
    return "there is no graphics card that torch can use"


class ThreadTrial:
    """Runs the first steps of a loop by turns with one thread and with all of torch's, then keeps what was faster.

    Small operations gain little from a second thread. Where the processor is busy, or a container may use less of it
    than torch sees, threads that wait for each other even cost a hundred times what they bring; so some steps that take
    ten times as long as on one thread are reason enough to stay with one. A single one may be chance.

        with ThreadTrial() as trial:
            for batch in batches:
                trial.next_step()
                ...

    Torch has its number of threads back at the end. The numbers computed differ by no more than their rounding.
    """

    _STEPS = 8  # of the trial, half of them on one thread, after a step that warms up
    _SLOW_STEPS = 5  # that are put up with

    def __enter__(self) -> "ThreadTrial":
        self._all, self._step, self._start, self._patience = torch.get_num_threads(), 0, 0.0, math.inf
        self._slow = 0
        self._seconds = {1: [], self._all: []}
        return self

    def __exit__(self, *reason: object) -> None:
        torch.set_num_threads(self._all)

    def next_step(self) -> None:
        """Say that a step begins, and with it that the one before has ended."""
        now = perf_counter()
        if 2 <= self._step <= self._STEPS + 1:
            self._seconds[torch.get_num_threads()].append(now - self._start)
        if 1 <= self._step <= self._STEPS:
            torch.set_num_threads(1 if self._step % 2 else self._all)
        elif self._step == self._STEPS + 1:
            self._choose()
        elif now - self._start > self._patience:
            self._slow += 1
            if self._slow == self._SLOW_STEPS:
                torch.set_num_threads(1)
        self._start, self._step = now, self._step + 1

    def _choose(self) -> None:
        alone, together = self._seconds[1], self._seconds[self._all]
        self._patience = 10 * median(alone)
        torch.set_num_threads(self._all if median(together) < median(alone) else 1)
