"""Many trainings at once: a grid of settings as one batched model.

What costs in a small network is Python and the launch of each operation, not the arithmetic. So the weights of all
configurations are stacked along a first axis, and each operation of forward pass, backward pass and update serves all.
"""

import math
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import product

import numpy as np
import torch
from torch import nn
from torch.func import vmap
from torch.nn import functional
from tqdm.auto import tqdm

from labutils.data import Examples, Split
from labutils.devices import ThreadTrial, choose
from labutils.stacks import Stack
from labutils.training import Loss, accuracy, minibatches

Setting = Mapping[str, float]
_DEFAULTS = {"learning_rate": None, "momentum": 0.0, "weight_decay": 0.0, "seed": 0}


@dataclass
class Sweep:
    """What happened to each configuration; the first axis of every array follows `settings`.

    Losses have the unit of the loss function, nats for cross-entropy. A configuration that diverged shows infinite and
    then NaN losses from there on.
    """

    settings: list[Setting]
    step_loss: np.ndarray
    """Loss of each mini-batch before its step, shape (configurations, steps)."""
    train_loss: np.ndarray
    """Mean loss over the examples of an epoch, measured while the weights moved, shape (configurations, epochs)."""
    validation_loss: np.ndarray
    """After each epoch, shape (configurations, epochs)."""
    validation_accuracy: np.ndarray
    """Share of right answers after each epoch, NaN when the targets are not classes, shape (configurations, epochs)."""
    networks: Stack
    """The trained networks: `networks.evaluate(x)` gives the logits of all, `networks.weights()` what they learnt."""

    def values(self, name: str) -> np.ndarray:
        """The setting `name` of each configuration, shape (configurations,)."""
        return np.array([setting[name] for setting in self.settings])


def grid(**values: float | Iterable[float]) -> list[dict[str, float]]:
    """Every combination of the values, the last name varying fastest: `grid(learning_rate=[0.1, 1], seed=range(3))`.

    A single number counts as one value.
    """
    columns = [np.atleast_1d(column if np.isscalar(column) else list(column)).tolist() for column in values.values()]
    return [dict(zip(values, combination, strict=True)) for combination in product(*columns)]


def sweep(
    make_model: Callable[[], nn.Module],
    data: Split,
    settings: Sequence[Setting],
    *,
    epochs: int,
    batch_size: int = 32,
    loss: Loss = functional.cross_entropy,
    schedule: Callable[[int], float] | None = None,
    on_step: Callable[[int, Stack], None] | None = None,
    device: torch.device | str | None = None,
) -> Sweep:
    """Train one network per setting on `data.train` by stochastic gradient descent, all at once; return the `Sweep`.

    A setting names its `learning_rate` and may name `momentum`, `weight_decay` (both 0 unless told) and `seed` (0); see
    `grid`. The numbers are, to rounding, those of one run after the other, each as

        torch.manual_seed(seed)
        model = make_model()
        optimizer = torch.optim.SGD(model.parameters(), learning_rate, momentum, weight_decay=weight_decay)
        train(model, data, optimizer, epochs=epochs, generator=torch.Generator().manual_seed(seed))

    so configurations with one seed start from the same weights and see the same mini-batches in the same order. Only
    dropout draws differently: it draws for all configurations at once.

    `schedule(epoch)`, for epochs counted from 0, is a factor for all rates in that epoch, as with
    `torch.optim.lr_scheduler.LambdaLR(optimizer, schedule)`. `on_step(step, networks)` is called after each step,
    counted from 1, with the networks as they then are: `networks.weights()` copies their weights.
    """
    settings = [_complete(setting) for setting in settings]
    if not settings or epochs < 1 or batch_size < 1:
        raise ValueError(
            f"a sweep needs at least one setting, one epoch and one example in a batch; here are {len(settings)} "
            f"settings, epochs={epochs}, batch_size={batch_size}"
        )
    device = torch.device(device) if device else choose()[0]
    x, y = (part.to(device) for part in data.train)
    seeds = [setting["seed"] for setting in settings]
    stack = _stack(make_model, seeds, device)
    descent = _Descent(stack.parameters, settings)
    generators = {seed: torch.Generator().manual_seed(seed) for seed in seeds}
    step_loss, step_size, validation = [], [], []
    with ThreadTrial() as trial:
        for epoch in tqdm(range(epochs), desc="sweep", unit="epoch", delay=2, leave=False):
            factor = schedule(epoch) if schedule else 1.0
            stack.train(True)
            for rows in _minibatches(len(x), batch_size, seeds, generators):
                trial.next_step()
                shared = rows.ndim == 1
                losses = _losses(loss, stack(x[rows], shared), y[rows], shared)
                descent.step(losses, factor)
                step_loss.append(losses.detach())
                step_size.append(rows.shape[-1])
                if on_step:
                    on_step(len(step_loss), stack)
            validation.append(_evaluate(stack, data.validation, loss))
    share_of_epoch = np.array(step_size).reshape(epochs, -1) / len(x)
    step_loss = torch.stack(step_loss, dim=1).numpy(force=True)
    train_loss = (step_loss.reshape(len(settings), epochs, -1) * share_of_epoch).sum(axis=-1)
    validation_loss, validation_accuracy = (torch.stack(values, dim=1).numpy(force=True) for values in zip(*validation))
    return Sweep(settings, step_loss, train_loss, validation_loss, validation_accuracy, stack)


class _Descent:
    """Stochastic gradient descent as `torch.optim.SGD` does it, with a rate, momentum and decay for each network.

    Frozen parameters, and those that the loss does not depend on, stay as they are.
    """

    def __init__(self, parameters: dict[str, torch.Tensor], settings: Sequence[Setting]) -> None:
        self.parameters = [parameter for parameter in parameters.values() if parameter.requires_grad]
        if not self.parameters:
            raise ValueError("the model has no weight to train: none has requires_grad=True")
        rates, momenta, decays = (
            [setting[name] for setting in settings] for name in ("learning_rate", "momentum", "weight_decay")
        )
        self.rates = self.parameters[0].new_tensor(rates)
        self.momentum = self._column(momenta)
        self.shrinkage = self._column([rate * decay for rate, decay in zip(rates, decays)])
        self.has_momentum, self.has_weight_decay = any(momenta), any(decays)
        self.velocities = [torch.zeros_like(parameter) for parameter in self.parameters]

    def step(self, losses: torch.Tensor, factor: float) -> None:
        """One update of all networks from their losses of shape (networks,), which have nothing in common.

        The backward pass begins with each network's rate, so its gradients come out as steps, rate included. What a
        schedule does to the rate comes last, because momentum must not remember it.
        """
        steps = torch.autograd.grad(losses, self.parameters, self.rates, allow_unused=True)
        with torch.no_grad():
            for index, (parameter, step) in enumerate(zip(self.parameters, steps)):
                if step is None:
                    continue
                if self.has_weight_decay:
                    step = step + self.shrinkage[index] * parameter
                if self.has_momentum:
                    step = self.velocities[index].mul_(self.momentum[index]).add_(step)
                parameter.sub_(step, alpha=factor)

    def _column(self, values: Sequence[float]) -> list[torch.Tensor]:
        """One value per network, shaped to multiply each stacked parameter."""
        return [
            torch.tensor(values, dtype=p.dtype, device=p.device).view(-1, *[1] * (p.ndim - 1)) for p in self.parameters
        ]


def _stack(make_model: Callable[[], nn.Module], seeds: Sequence[int], device: torch.device) -> Stack:
    """One network per seed in `seeds`; equal seeds give equal weights. Leaves torch's own generator as it was."""
    networks = {}
    with torch.random.fork_rng(devices=[]):
        for seed in dict.fromkeys(seeds):
            torch.manual_seed(seed)
            networks[seed] = make_model().to(device)
    return Stack([networks[seed] for seed in seeds])


def _minibatches(
    examples: int, batch_size: int, seeds: Sequence[int], generators: Mapping[int, torch.Generator]
) -> Iterator[torch.Tensor]:
    """Row numbers of one epoch's mini-batches: (batch,) for all, or (configurations, batch) when seeds differ."""
    drawn = {seed: minibatches(examples, batch_size, generator) for seed, generator in generators.items()}
    if len(drawn) == 1:
        yield from drawn[seeds[0]]
    else:
        yield from map(torch.stack, zip(*(drawn[seed] for seed in seeds)))


def _losses(loss: Loss, logits: torch.Tensor, y: torch.Tensor, shared: bool = True) -> torch.Tensor:
    """Loss of each network, shape (networks,), for logits (networks, batch, ...).

    The targets `y` are of shape (batch, ...), or (networks, batch, ...) with `shared=False`.
    """
    if loss is functional.cross_entropy and logits.ndim == 3 and not y.is_floating_point():
        classes_second = logits.movedim(-1, 1)
        return loss(classes_second, y.expand(len(logits), -1), reduction="none").mean(-1)
    return vmap(loss, in_dims=(0, None if shared else 0))(logits, y)


@torch.no_grad()
def _evaluate(stack: Stack, examples: Examples, loss: Loss) -> tuple[torch.Tensor, torch.Tensor]:
    """Loss and accuracy of each network, both of shape (networks,), with dropout and the like switched off."""
    logits = stack.evaluate(examples.x)
    y = examples.y.to(logits.device)
    return _losses(loss, logits, y), accuracy(logits, y)


def _complete(setting: Setting) -> dict[str, float]:
    """The setting with its defaults filled in, or an error that says what is wrong with it."""
    if unknown := setting.keys() - _DEFAULTS.keys():
        raise ValueError(f"a sweep has no setting {sorted(unknown)[0]!r}; it has {', '.join(_DEFAULTS)}")
    if "learning_rate" not in setting:
        raise ValueError(f"the setting {dict(setting)} names no learning_rate")
    for name, value in setting.items():
        if not 0 <= value < math.inf:
            raise ValueError(f"{name} is {value} in a setting; it must be a finite number, 0 or more")
    complete = {**_DEFAULTS, **setting}
    if complete["seed"] != int(complete["seed"]):
        raise ValueError(f"seed is {complete['seed']} in a setting; it must be a whole number, such as 0 or 1")
    return {**complete, "seed": int(complete["seed"])}
