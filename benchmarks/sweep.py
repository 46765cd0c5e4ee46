"""64 learning rates in one `sweep` against a loop over torch.nn and torch.optim, at its best number of threads.

Before anything is timed, the losses of all runs must agree. They are compared in double precision: in single precision
a rounding now and then decides whether a ReLU is on, and from there a run goes its own way. What is timed is single
precision, in which everybody trains.
"""

import sys
from collections.abc import Callable, Iterator
from functools import partial

from benchmarks import Figure, median_ratio, seconds

TOLERANCE = 1e-9  # nats: by how much a loss of the sweep may differ from the loop's, in double precision


def run(rates: int = 64, dense_epochs: int = 20, convolutional_epochs: int = 2) -> Iterator[Figure]:
    from labutils import data

    yield _compare("dense network 64-32-10", 20, _dense, data.digits(), rates, dense_epochs)
    yield _compare("two convolutional layers", 4, _convolutional, data.digits(images=True), rates, convolutional_epochs)


def _compare(name: str, target: float, make_model: Callable, digits, rates: int, epochs: int) -> Figure:
    import numpy as np
    import torch

    from labutils import grid, sweep

    learning_rates = np.logspace(-3, -0.5, rates).tolist()

    def ours(make_model: Callable, digits):
        return sweep(make_model, digits, grid(learning_rate=learning_rates), epochs=epochs, device="cpu").step_loss

    def loop(make_model: Callable, digits):
        return _loop(make_model, digits, learning_rates, epochs)

    exact = _in_double_precision(make_model, digits)
    difference = np.abs(ours(*exact) - loop(*exact)).max()
    print(f"{name}: the losses agree to {difference:.1e}", file=sys.stderr)
    if not difference <= TOLERANCE:
        raise RuntimeError(
            f"{name}: a loss differs by {difference}, which is more than {TOLERANCE}: the ratio means nothing"
        )
    ours, loop = partial(ours, make_model, digits), partial(loop, make_model, digits)
    threads = torch.get_num_threads()
    best = min((1, threads), key=lambda count: seconds(partial(_with_threads, count, loop)))
    ratio = median_ratio(ours, partial(_with_threads, best, loop))
    return Figure(
        f"{rates} learning rates, {name}", ratio, target, f"loop over torch.nn and torch.optim, threads: {best}"
    )


def _in_double_precision(make_model: Callable, digits) -> tuple[Callable, tuple]:
    """The same model and data in float64."""
    from labutils.data import Examples, Split

    parts = (Examples(part.x.double(), part.y) for part in digits)
    return lambda: make_model().double(), Split(*parts)


def _loop(make_model: Callable, digits, learning_rates: list[float], epochs: int):
    """What one would write without `sweep`; returns the losses, of shape (rates, steps), as a numpy array."""
    import torch
    from torch.nn.functional import cross_entropy

    (x, y), (x_validation, y_validation) = digits.train, digits.validation
    all_losses = []
    for learning_rate in learning_rates:
        torch.manual_seed(0)
        model = make_model()
        optimizer = torch.optim.SGD(model.parameters(), lr=learning_rate)
        generator = torch.Generator().manual_seed(0)
        losses = []
        for _ in range(epochs):
            for rows in torch.randperm(len(x), generator=generator).split(32):
                loss = cross_entropy(model(x[rows]), y[rows])
                optimizer.zero_grad()
                loss.backward()
                optimizer.step()
                losses.append(loss.detach())
            with torch.no_grad():
                logits = model(x_validation)
                cross_entropy(logits, y_validation), (logits.argmax(-1) == y_validation).float().mean()
        all_losses.append(torch.stack(losses))
    return torch.stack(all_losses).numpy()


def _with_threads(count: int, action: Callable[[], object]) -> None:
    import torch

    before = torch.get_num_threads()
    torch.set_num_threads(count)
    action()
    torch.set_num_threads(before)


def _dense():
    from torch import nn

    return nn.Sequential(nn.Linear(64, 32), nn.ReLU(), nn.Linear(32, 10))


def _convolutional():
    from torch import nn

    return nn.Sequential(
        nn.Conv2d(1, 8, 3, padding=1), nn.ReLU(), nn.MaxPool2d(2),
        nn.Conv2d(8, 16, 3, padding=1), nn.ReLU(), nn.MaxPool2d(2),
        nn.Flatten(), nn.Linear(64, 10),
    )  # fmt: skip
