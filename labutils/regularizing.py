"""One small network for the digits, trained many times at once, each time with other means against learning by heart.

Each regularizer takes hold of the training loop in its own place: of the batch, of the forward pass, of the loss, of
the weights after the step. Here every network of a stack has its own strength of each, and most strengths are 0.
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from torch import nn
from torch.nn import functional
from tqdm.auto import tqdm

from labutils.data import Examples, Split
from labutils.devices import choose

SIDE, CLASSES = 8, 10
OFF = {
    "l2": 0.0,  # λ of λ/2 · Σ w², in the gradient
    "l1": 0.0,  # λ of λ · Σ |w|, by a soft threshold after the step
    "max_norm": math.inf,  # largest length of the weights that lead into one unit
    "activation": 0.0,  # λ of λ · Σ |h| over the hidden units, mean over the examples
    "dropout": 0.0,  # share of the hidden units left out
    "input_noise": 0.0,  # standard deviation, where ink is 1
    "weight_noise": 0.0,  # standard deviation, drawn anew for each step
    "shift": 0,  # pixels up, down, left and right at most
    "flip": 0,  # 1: half of the digits are mirrored
    "cutout": 0,  # side of the square without ink, pixels
    "smoothing": 0.0,  # share of the label that is spread over all classes
    "mixup": 0.0,  # α of the Beta distribution of the share
    "cutmix": 0.0,  # the same
    "batch_norm": 0,  # 1: the hidden layer is normalized over the batch before its ReLU
    "seed": 0,  # of the first weights and of the order of the examples
}
"""The settings of a network and their values without any regularizer."""
_WEIGHTS = ("hidden.weight", "output.weight")
Weights = dict[str, torch.Tensor]


@dataclass
class Regularized:
    """What happened to each network; the first axis of every array follows `settings`.

    Losses are cross-entropies in nats with hard labels, measured with all noise off, on the whole of the data.
    """

    settings: list[dict[str, float]]
    epochs: np.ndarray
    """After which epochs was measured, shape (checks,)."""
    validation_loss: np.ndarray
    validation_accuracy: np.ndarray
    """Each of shape (networks, checks)."""
    last: Weights
    """The weights at the end, each of shape (networks, ...)."""
    best: Weights
    """Those of the check at which each network's validation loss was lowest."""

    @torch.no_grad()
    def evaluate(self, examples: Examples, *, best: bool = False) -> tuple[np.ndarray, np.ndarray]:
        """Loss and accuracy of each network on `examples`, both of shape (networks,), at the end or at its best."""
        weights = self.best if best else self.last
        losses, accuracies = _scores(weights, examples, _with_batch_norm(self.settings, weights))
        return losses.numpy(force=True), accuracies.numpy(force=True)


def train_regularized(
    settings: Sequence[Mapping[str, float]],
    data: Split,
    *,
    epochs: int,
    batch_size: int = 50,
    learning_rate: float = 0.5,
    hidden: int = 64,
    check_every: int = 2,
    device: torch.device | str | None = None,
) -> Regularized:
    """Train a network 64-`hidden`-10 with a ReLU per setting, by plain stochastic gradient descent, all at once.

    A setting names what differs from `OFF`. Networks of one seed start from the same weights and see the same
    mini-batches; what is drawn besides (masks, noise, partners) comes from one generator with seed 0.
    """
    settings = [{**OFF, **setting} for setting in settings]
    if unknown := {name for setting in settings for name in setting} - OFF.keys():
        raise ValueError(f"there is no regularizer {', '.join(sorted(unknown))}; there are {', '.join(OFF)}")
    if not settings or epochs < check_every:
        raise ValueError(f"here are {len(settings)} settings and {epochs} epochs, looked at every {check_every}")
    device = torch.device(device) if device else choose()[0]
    seeds = [int(setting["seed"]) for setting in settings]
    weights = _first_weights(seeds, hidden, device)
    noise = _Noise(settings, device)
    x, y = data.train.x.to(device), functional.one_hot(data.train.y, CLASSES).float().to(device)
    validation = Examples(*(part.to(device) for part in data.validation))
    with_batch_norm = noise.rows["batch_norm"]
    orders = {seed: torch.Generator().manual_seed(seed) for seed in seeds}
    best, lowest = {name: weight.detach().clone() for name, weight in weights.items()}, torch.inf
    measured = []
    for epoch in tqdm(range(1, epochs + 1), desc="training", unit="epoch", delay=2, leave=False):
        shuffled = {seed: torch.randperm(len(x), generator=generator) for seed, generator in orders.items()}
        order = torch.stack([shuffled[seed] for seed in seeds]).to(device)
        for rows in order.split(batch_size, dim=1):
            inputs, targets = noise.on_batch(x[rows], y[rows])
            _step(weights, inputs, targets, noise, learning_rate, with_batch_norm)
        if epoch % check_every:
            continue
        with torch.no_grad():
            loss, accuracy = _scores(weights, validation, with_batch_norm)
        measured.append((loss, accuracy))
        better = loss < lowest
        lowest = torch.where(better, loss, lowest)
        for name, weight in weights.items():
            best[name][better] = weight.detach()[better]
    curves = [torch.stack(values, dim=1).numpy(force=True) for values in zip(*measured)]
    last = {name: weight.detach() for name, weight in weights.items()}
    return Regularized(settings, np.arange(check_every, epochs + 1, check_every), *curves, last, best)


def _first_weights(seeds: Sequence[int], hidden: int, device: torch.device) -> Weights:
    """As torch draws them for two linear layers after `torch.manual_seed(seed)`; inputs before outputs."""
    drawn = {}
    with torch.random.fork_rng(devices=[]):
        for seed in dict.fromkeys(seeds):
            torch.manual_seed(seed)
            drawn[seed] = nn.Linear(SIDE**2, hidden), nn.Linear(hidden, CLASSES)
    weights = {}
    for place, layer in enumerate(("hidden", "output")):
        weights[f"{layer}.weight"] = torch.stack([drawn[seed][place].weight.detach().T for seed in seeds])
        weights[f"{layer}.bias"] = torch.stack([drawn[seed][place].bias.detach()[None] for seed in seeds])
    ones = torch.ones(len(seeds), 1, hidden)
    weights |= {"scale": ones, "offset": 0 * ones, "running mean": 0 * ones, "running variance": ones.clone()}
    return {name: weight.to(device).clone().requires_grad_("running" not in name) for name, weight in weights.items()}


def _step(
    weights: Weights,
    x: torch.Tensor,
    y: torch.Tensor,
    noise: "_Noise",
    learning_rate: float,
    with_batch_norm: torch.Tensor,
) -> None:
    """One update of all networks, from x of shape (networks, batch, pixels) and y of shape (networks, batch, classes).

    The comments name the place in which each regularizer takes hold.
    """
    noisy = noise.on_weights(weights)
    logits, activations = _forward(noisy, x, with_batch_norm, mask=noise.on_units(x, weights), training=True)
    losses = -(y * logits.log_softmax(-1)).sum(-1).mean(-1)
    if len(noise.rows["activation"]):  # in the loss: penalty on activations
        losses = losses + noise.values["activation"].flatten() * activations.abs().sum(-1).mean(-1)
    trained = {name: weight for name, weight in weights.items() if weight.requires_grad}
    gradients = torch.autograd.grad(losses.sum(), list(trained.values()), allow_unused=True)
    with torch.no_grad():
        for (name, weight), gradient in zip(trained.items(), gradients):
            if gradient is None:
                continue
            if name in _WEIGHTS:  # in the gradient: L2
                gradient = gradient + noise.values["l2"] * weight
            weight -= learning_rate * gradient
            if name in _WEIGHTS:  # after the step: L1 and max-norm
                if len(rows := noise.rows["l1"]):
                    weight[rows] = _soft_thresholded(weight[rows], learning_rate * noise.values["l1"][rows])
                if len(rows := noise.rows["max_norm"]):
                    weight[rows] = _bounded(weight[rows], noise.values["max_norm"][rows])


def _forward(
    weights: Weights,
    x: torch.Tensor,
    with_batch_norm: torch.Tensor,
    mask: torch.Tensor | None = None,
    training: bool = False,
) -> tuple[torch.Tensor, torch.Tensor]:
    """Logits of shape (networks, batch, classes) and hidden activations of shape (networks, batch, hidden)."""
    sums = torch.baddbmm(weights["hidden.bias"], x, weights["hidden.weight"])
    if len(with_batch_norm):
        sums = sums.index_copy(0, with_batch_norm, _normalized(sums, weights, with_batch_norm, training))
    activations = sums.relu()
    kept = activations if mask is None else activations * mask
    return torch.baddbmm(weights["output.bias"], kept, weights["output.weight"]), activations


def _normalized(sums: torch.Tensor, weights: Weights, rows: torch.Tensor, training: bool) -> torch.Tensor:
    """Batch normalization of some networks, as torch.nn.BatchNorm1d does it; training moves the running statistics."""
    own = sums[rows]
    mean, variance = weights["running mean"], weights["running variance"]
    if training:
        own_mean, own_variance = own.mean(1, keepdim=True), own.var(1, keepdim=True, correction=0)
        with torch.no_grad():
            unbiased = own_variance * own.shape[1] / max(own.shape[1] - 1, 1)
            mean[rows] += 0.1 * (own_mean - mean[rows])
            variance[rows] += 0.1 * (unbiased - variance[rows])
    else:
        own_mean, own_variance = mean[rows], variance[rows]
    return weights["scale"][rows] * (own - own_mean) / (own_variance + 1e-5).sqrt() + weights["offset"][rows]


def _soft_thresholded(weight: torch.Tensor, threshold: torch.Tensor) -> torch.Tensor:
    """Moved towards 0, and stopped there: the proximal step of an L1 penalty (Tibshirani, 1996, has the penalty)."""
    return weight.sign() * (weight.abs() - threshold).clamp(min=0)


def _bounded(weight: torch.Tensor, longest: torch.Tensor) -> torch.Tensor:
    """The weights into each unit scaled down where they are longer than `longest` (Hinton et al., 2012)."""
    return weight * (longest / weight.norm(dim=1, keepdim=True).clamp(min=1e-12)).clamp(max=1)


def _scores(weights: Weights, examples: Examples, with_batch_norm: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
    """Cross-entropy and accuracy of each network, with all noise off."""
    x, y = (part.to(weights["scale"].device) for part in examples)
    logits, _ = _forward(weights, x.expand(len(weights["scale"]), -1, -1), with_batch_norm)
    losses = functional.cross_entropy(logits.movedim(-1, 1), y.expand(len(logits), -1), reduction="none").mean(-1)
    return losses, (logits.max(-1).indices == y).float().mean(-1)


def _with_batch_norm(settings: Sequence[Mapping[str, float]], weights: Weights) -> torch.Tensor:
    """The rows of the networks that normalize their hidden layer."""
    rows = [row for row, setting in enumerate(settings) if setting["batch_norm"]]
    return torch.tensor(rows, dtype=torch.long, device=weights["scale"].device)


class _Noise:
    """The strengths of all regularizers, a row for each network, and the generator of whatever is drawn at random."""

    def __init__(self, settings: Sequence[Mapping[str, float]], device: torch.device) -> None:
        self.device = device
        self.generator = torch.Generator(device).manual_seed(0)
        self.shares = np.random.default_rng(0)
        self.values, self.rows = {}, {}
        for name, off in OFF.items():
            values = [setting[name] for setting in settings]
            on = [row for row, value in enumerate(values) if value != off]
            self.values[name] = torch.tensor(values, dtype=torch.float32, device=device).view(-1, 1, 1)
            self.rows[name] = torch.tensor(on, dtype=torch.long, device=device)

    def on_batch(self, x: torch.Tensor, y: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        """The batch as each network gets to see it: augmented, noisy, mixed, with softer labels."""
        for name in ("shift", "flip", "cutout", "input_noise"):
            if len(rows := self.rows[name]):
                x[rows] = getattr(self, f"_{name}")(x[rows], self.values[name][rows])
        if len(rows := self.rows["smoothing"]):
            share = self.values["smoothing"][rows]
            y[rows] = (1 - share) * y[rows] + share / CLASSES
        for name, mix in (("mixup", self._mixed), ("cutmix", self._pasted)):
            if len(rows := self.rows[name]):
                partners = self._uniform(len(rows), x.shape[1]).argsort(dim=1)
                own, other = x[rows], self._take(x[rows], partners)
                alphas = self.values[name][rows].flatten().tolist()
                share = torch.tensor([self.shares.beta(a, a) for a in alphas], device=self.device).float()
                x[rows], share = mix(own, other, share.view(-1, 1, 1))
                y[rows] = share * y[rows] + (1 - share) * self._take(y[rows], partners)
        return x, y

    def on_units(self, x: torch.Tensor, weights: Weights) -> torch.Tensor | None:
        """What the hidden units are multiplied by: inverted dropout (Srivastava et al., 2014)."""
        rows = self.rows["dropout"]
        if not len(rows):
            return None
        mask = torch.ones(len(x), x.shape[1], weights["scale"].shape[-1], device=self.device)
        rate = self.values["dropout"][rows]
        mask[rows] = (self._uniform(*mask[rows].shape) >= rate) / (1 - rate)
        return mask

    def on_weights(self, weights: Weights) -> Weights:
        """The weights with the noise of one step."""
        rows = self.rows["weight_noise"]
        if not len(rows):
            return weights
        noisy = dict(weights)
        for name in _WEIGHTS:
            drawn = torch.zeros_like(weights[name])
            drawn[rows] = self.values["weight_noise"][rows] * self._normal(*weights[name][rows].shape)
            noisy[name] = weights[name] + drawn
        return noisy

    def _shift(self, x: torch.Tensor, most: torch.Tensor) -> torch.Tensor:
        down, right = ((self._uniform(*x.shape[:2], 1) * (2 * most + 1)).long() - most.long() for _ in range(2))
        pixels = torch.arange(SIDE**2, device=self.device)
        row, column = pixels.div(SIDE, rounding_mode="floor"), pixels % SIDE
        source_row, source_column = row - down, column - right
        inside = (source_row >= 0) & (source_row < SIDE) & (source_column >= 0) & (source_column < SIDE)
        source = source_row.clamp(0, SIDE - 1) * SIDE + source_column.clamp(0, SIDE - 1)
        return torch.where(inside, x.gather(-1, source), 0)

    def _flip(self, x: torch.Tensor, on: torch.Tensor) -> torch.Tensor:
        mirrored = x.unflatten(-1, (SIDE, SIDE)).flip(-1).flatten(-2)
        return torch.where(self._uniform(*x.shape[:2], 1) < 0.5, mirrored, x)

    def _cutout(self, x: torch.Tensor, side: torch.Tensor) -> torch.Tensor:
        return torch.where(self._square(x.shape[:2], side), 0, x)

    def _input_noise(self, x: torch.Tensor, deviation: torch.Tensor) -> torch.Tensor:
        return x + deviation * self._normal(*x.shape)

    def _mixed(self, own: torch.Tensor, other: torch.Tensor, share: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        return share * own + (1 - share) * other, share

    def _pasted(self, own: torch.Tensor, other: torch.Tensor, share: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        """One box per batch, cut off at the edges; the share that counts is that of the pixels that stayed."""
        box = self._square((len(own), 1), SIDE * (1 - share).sqrt())
        return torch.where(box, other, own), 1 - box.float().mean(-1, keepdim=True)

    def _square(self, shape: Sequence[int], side: torch.Tensor) -> torch.Tensor:
        """Which pixels lie in a square with a random centre, for each example of `shape`."""
        pixels = torch.arange(SIDE**2, device=self.device)
        centre_row, centre_column = (SIDE * self._uniform(*shape, 1) for _ in range(2))
        row, column = pixels.div(SIDE, rounding_mode="floor") + 0.5, pixels % SIDE + 0.5
        return ((row - centre_row).abs() < side / 2) & ((column - centre_column).abs() < side / 2)

    def _take(self, values: torch.Tensor, partners: torch.Tensor) -> torch.Tensor:
        return values.gather(1, partners[..., None].expand(-1, -1, values.shape[-1]))

    def _uniform(self, *shape: int) -> torch.Tensor:
        return torch.rand(shape, generator=self.generator, device=self.device)

    def _normal(self, *shape: int) -> torch.Tensor:
        return torch.randn(shape, generator=self.generator, device=self.device)
