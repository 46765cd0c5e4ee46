"""The training loop that the chapters read together, and the history that it keeps."""

import math
from collections.abc import Callable
from dataclasses import dataclass, field

import torch
from torch import nn
from torch.nn import functional
from torch.optim.lr_scheduler import LRScheduler, ReduceLROnPlateau
from tqdm.auto import tqdm

from labutils.data import Examples, Split
from labutils.devices import choose

Loss = Callable[[torch.Tensor, torch.Tensor], torch.Tensor]
"""A mean loss of outputs and targets, such as `torch.nn.functional.cross_entropy`."""


@dataclass
class History:
    """What happened during a training. Losses have the unit of the loss function: nats for cross-entropy."""

    step_loss: list[float] = field(default_factory=list)
    """Loss of each mini-batch, before its step; one entry per step."""
    train_loss: list[float] = field(default_factory=list)
    """Mean loss over the examples of an epoch, measured while the weights moved; one entry per epoch, as below."""
    validation_loss: list[float] = field(default_factory=list)
    validation_accuracy: list[float] = field(default_factory=list)
    """Share of validation examples whose largest logit is the right one; NaN when the targets are not classes."""
    learning_rate: list[float] = field(default_factory=list)
    """The rate used during the epoch (of the first parameter group)."""
    stopped: str | None = None
    """Why training ended before its last epoch, or None."""


def train(
    model: nn.Module,
    data: Split,
    optimizer: torch.optim.Optimizer,
    *,
    epochs: int,
    batch_size: int = 32,
    loss: Loss = functional.cross_entropy,
    scheduler: LRScheduler | ReduceLROnPlateau | None = None,
    generator: torch.Generator | None = None,
    on_step: Callable[[int, nn.Module], None] | None = None,
    device: torch.device | str | None = None,
) -> History:
    """Train `model` in place on `data.train`, look at `data.validation` after each epoch, and return the `History`.

    Mini-batches are drawn with `generator`, by default one with seed 0. `scheduler` steps once per epoch. `on_step` is
    called as `on_step(step, model)` after each step, counting from 1. The model ends in evaluation mode, on `device`,
    by default the one that `labutils.device()` picks. A loss that is no longer finite ends the training, and
    `History.stopped` says so.
    """
    if epochs < 1 or batch_size < 1:
        raise ValueError(f"epochs is {epochs} and batch_size is {batch_size}; both must be at least 1")
    device = torch.device(device) if device else choose()[0]
    model.to(device)
    x, y = (part.to(device) for part in data.train)
    generator = generator or torch.Generator().manual_seed(0)
    history = History()
    with tqdm(total=epochs, desc="training", unit="epoch", delay=2, leave=False) as bar:
        for epoch in range(1, epochs + 1):
            history.learning_rate.append(optimizer.param_groups[0]["lr"])
            epoch_loss = 0.0
            model.train()
            for rows in minibatches(len(x), batch_size, generator):
                batch_loss = loss(model(x[rows]), y[rows])
                history.step_loss.append(batch_loss.item())
                epoch_loss += history.step_loss[-1] * len(rows) / len(x)
                if not math.isfinite(history.step_loss[-1]):
                    history.stopped = (
                        f"the loss was {batch_loss.item()} in step {len(history.step_loss)}, epoch {epoch}"
                    )
                    break
                optimizer.zero_grad()
                batch_loss.backward()
                optimizer.step()
                if on_step:
                    on_step(len(history.step_loss), model)
            validation_loss, validation_accuracy = evaluate(model, data.validation, loss)
            history.train_loss.append(epoch_loss)
            history.validation_loss.append(validation_loss)
            history.validation_accuracy.append(validation_accuracy)
            bar.update()
            if history.stopped:
                break
            if isinstance(scheduler, ReduceLROnPlateau):
                scheduler.step(validation_loss)
            elif scheduler:
                scheduler.step()
    return history


def minibatches(examples: int, batch_size: int, generator: torch.Generator) -> tuple[torch.Tensor, ...]:
    """Row numbers of one epoch's mini-batches: a new random order, cut in pieces; the last piece may be shorter."""
    return torch.randperm(examples, generator=generator).split(batch_size)


@torch.no_grad()
def evaluate(model: nn.Module, examples: Examples, loss: Loss = functional.cross_entropy) -> tuple[float, float]:
    """Mean loss and accuracy of `model` on `examples`, with dropout and the like switched off.

    Accuracy is the share of examples whose largest logit is the right one, or NaN when the targets are not classes.
    """
    model.eval()
    device = next(model.parameters()).device
    x, y = (part.to(device) for part in examples)
    logits = model(x)
    return loss(logits, y).item(), accuracy(logits, y).item()


def accuracy(logits: torch.Tensor, y: torch.Tensor) -> torch.Tensor:
    """Share of right answers for `logits` of shape (..., n, classes) and `y` of shape (n,): of shape (...)."""
    if y.is_floating_point():
        return torch.full(logits.shape[:-2], torch.nan)
    largest = logits.max(-1).indices  # argmax is eight times slower where classes are not the last axis in memory
    return (largest == y).float().mean(-1)
