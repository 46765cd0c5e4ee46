"""The graphics card against the processor: a sweep, a convolution and fine-tuning, also in mixed precision.

Both do the same in one run, and before anything is timed their losses, outputs and gradients must agree. The processor
computes with all of torch's threads. Where there is no graphics card, that is said, and the processor's own seconds are
shown as figures of ratio 1.
"""

import sys
from collections.abc import Callable, Iterator
from contextlib import nullcontext
from functools import partial

from benchmarks import Figure, median_ratio, seconds

SAME = 1e-2  # by what share the first losses may differ in single precision, where a card rounds otherwise
SAME_MIXED = 0.1  # and in mixed precision, with 8 bits for a number instead of 24


def run(
    networks: int = 64, epochs: int = 1, images: int = 256, letters: int = 1024, pairs: int = 3
) -> Iterator[Figure]:
    import torch

    if torch.cuda.is_available():
        print(f"graphics card: {torch.cuda.get_device_name()}", file=sys.stderr)
    else:
        print("There is no graphics card that torch can use here: the processor is shown alone.", file=sys.stderr)
    print(f"processor: {torch.get_num_threads()} threads of torch", file=sys.stderr)
    cases = {
        f"sweep of {networks} convolutional networks, {epochs} epoch{'s' if epochs > 1 else ''}": partial(
            _sweep, networks, epochs
        ),
        f"convolution of {images} images, forward and backward": partial(_convolution, images),
        f"fine-tuning the glyph network, {letters} images": partial(_fine_tuning, letters),
    }
    for case, make in cases.items():
        yield from _compare(case, make, pairs)


def _compare(case: str, make: Callable, pairs: int) -> Iterator[Figure]:
    """`make(device, mixed)` prepares an action, which returns arrays that must be the same on every device."""
    import torch

    processor = make("cpu", False)
    expected = processor()
    if not torch.cuda.is_available():
        taken = min(seconds(processor) for _ in range(pairs))
        yield Figure(f"{case}: {taken:.3f} s on the processor", 1.0, None, "itself: there is no graphics card")
        return
    for mixed in (False, True):
        if mixed and not has_mixed_precision():
            print(f"{case}: this graphics card has no bfloat16", file=sys.stderr)
            continue
        card = make("cuda", mixed)
        if card is None:  # what this case cannot do in mixed precision
            continue
        demand_the_same(case, card(), expected, SAME_MIXED if mixed else SAME)
        name = f"{case}, mixed precision" if mixed else case
        yield Figure(name, median_ratio(card, processor, pairs), None, "the processor, single precision")


def has_mixed_precision() -> bool:
    """Whether the graphics card computes with bfloat16 itself, as those since Ampere (2020) do."""
    import torch

    return torch.cuda.get_device_capability() >= (8, 0)


def demand_the_same(case: str, ours: list, expected: list, share: float) -> None:
    """RuntimeError unless each array agrees with its counterpart to this share of the largest number in it."""
    import numpy as np

    pairs = zip(ours, expected, strict=True)
    difference = np.max(
        [np.abs(own - other).max() / np.abs(other).max() for own, other in pairs]
    )  # NaN if there is one
    print(f"{case}: the numbers agree to {difference:.1e}", file=sys.stderr)
    if not difference <= share:
        raise RuntimeError(f"{case}: the numbers differ by {difference:.1e} of the largest: the ratio means nothing")


def _sweep(networks: int, epochs: int, device: str, mixed: bool) -> Callable | None:
    """Losses of the first steps; a sweep computes in the precision of its weights, so there is no mixed one."""
    import numpy as np

    from labutils import data, grid, sweep
    from labutils.pretrained import glyph_network

    if mixed:
        return None
    digits = data.digits(images=True)
    settings = grid(learning_rate=np.logspace(-2, -0.5, networks).tolist())

    def action():
        trained = sweep(lambda: glyph_network(10), digits, settings, epochs=epochs, batch_size=64, device=device)
        return [trained.step_loss[:, :3]]  # from there on, roundings grow

    return action


def _convolution(images: int, device: str, mixed: bool) -> Callable:
    """One convolution, 32 to 64 channels of 32x32: output and gradient of the first image, gradient of the kernels."""
    import torch
    from torch.nn import functional

    generator = torch.Generator().manual_seed(0)
    x = torch.randn(images, 32, 32, 32, generator=generator).to(device).requires_grad_()
    kernels = (torch.randn(64, 32, 3, 3, generator=generator) / 17).to(device).requires_grad_()

    def action():
        with _precision(device, mixed):
            y = functional.conv2d(x, kernels, padding=1)
        x_gradient, kernel_gradient = torch.autograd.grad(y.float().square().mean(), [x, kernels])
        return [part.float().numpy(force=True) for part in (y[0], x_gradient[0], kernel_gradient)]

    return action


def _fine_tuning(count: int, device: str, mixed: bool, epochs: int = 3) -> Callable:
    """Losses of the first steps of the pretrained network on digits, repeated until there are `count` of them."""
    import torch
    from torch import nn
    from torch.nn import functional

    from labutils import data
    from labutils.pretrained import load_pretrained

    x, y = data.digits(images=True).train
    rows = torch.arange(count) % len(x)
    x, y = x[rows].to(device), y[rows].to(device)

    def action():
        network = load_pretrained().train()
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(0)
            network.head = nn.Linear(network.head.in_features, 10)
        optimizer = torch.optim.SGD(network.to(device).parameters(), lr=0.02, momentum=0.9)
        losses, generator = [], torch.Generator().manual_seed(0)
        for _ in range(epochs):
            for batch in torch.randperm(count, generator=generator).split(128):
                with _precision(device, mixed):
                    loss = functional.cross_entropy(network(x[batch]), y[batch])
                optimizer.zero_grad()
                loss.backward()
                optimizer.step()
                losses.append(loss.detach())
        return [torch.stack(losses[:3]).float().numpy(force=True)]

    return action


def _precision(device: str, mixed: bool):
    """Products in bfloat16 and sums in float32 (Micikevicius et al., 2018), or everything in float32."""
    import torch

    return torch.autocast(device, dtype=torch.bfloat16) if mixed else nullcontext()
