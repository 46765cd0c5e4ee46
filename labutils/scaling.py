"""One demonstration in two sizes: small on a processor, large on a graphics card."""

from collections.abc import Callable
from time import perf_counter
from typing import TypeVar

import torch

from labutils.devices import choose

Result = TypeVar("Result")


def at_scale(
    run: Callable[[int], Result], *, cpu: int, gpu: int, unit: str, device: torch.device | str | None = None
) -> Result:
    """Return `run(size)`, with `gpu` as size where there is a graphics card and `cpu` where there is none.

    Before, it is said on what it runs, how large it is, in `unit`, and how long it takes at most: a trial `run(1)` is
    timed, and many at once take no longer than one after the other. On a graphics card another `run(1)` goes first,
    because the first of all is slow there. So `run` is called two or three times, and must draw from generators of its
    own to give the same each time.

        accuracy = at_scale(lambda seeds: compare(range(seeds)), cpu=8, gpu=256, unit="seeds")

    `device` says where `run` computes, if that is not the device which `labutils.device()` picks. Raises `ValueError`
    when a size is not a whole number from 1.
    """
    for name, size in {"cpu": cpu, "gpu": gpu}.items():
        if isinstance(size, bool) or not isinstance(size, int) or size < 1:
            raise ValueError(f"{name} is {size!r}; a size is a whole number of {unit}, 1 or more, such as {name}=8")
    if device is None:
        device, reason = choose()
    else:
        device, reason = torch.device(device), "the call asks for it"
    has_card = device.type != "cpu"
    size = gpu if has_card else cpu
    if has_card:
        _seconds(run, device)
    seconds = size * _seconds(run, device)
    print(f"Computing on {device} ({reason}): size {size} ({unit}), {_in_words(seconds)} at most.")
    return run(size)


def _seconds(run: Callable[[int], object], device: torch.device) -> float:
    """How long `run(1)` takes until its last operation is done; a graphics card works on while Python goes ahead."""
    start = perf_counter()
    run(1)
    if device.type == "cuda":
        torch.cuda.synchronize(device)
    elif device.type == "mps":
        torch.mps.synchronize()
    return perf_counter() - start


def _in_words(seconds: float) -> str:
    if seconds < 1:
        return "less than a second"
    if seconds < 100:
        return f"about {seconds:.0f} s"
    return f"about {seconds / 60:.0f} minutes"
