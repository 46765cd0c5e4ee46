"""Times each call of `sweep` in a notebook beside the same trainings in a plain torch loop, for `chapters.py`.

So it does with `train_regularized`, whose regularizers a plain loop does not have: that is compared with itself, one
network after the other.
"""

import json
from collections.abc import Callable
from functools import partial

import numpy as np
import torch
from torch import nn
from torch.nn import functional

from benchmarks import seconds
from labutils import regularizing, sweeps

SAME = 1e-3  # by what share the losses of the first two steps may differ, in single precision


def watch(notes: str, timed: int) -> None:
    """From now on each call of `sweep` or `train_regularized` does what it did, is then timed, and is noted in `notes`.

    Of the trainings of one call the loop repeats at most `timed`.
    """
    _watch_sweep(notes, timed)
    _watch_regularized(notes, timed)


def _watch_sweep(notes: str, timed: int) -> None:
    original = sweeps.sweep

    def watched(make_model, data, settings, *, on_step=None, device=None, **training):
        result = original(make_model, data, settings, on_step=on_step, device=device, **training)
        again = partial(original, make_model, data, settings, device="cpu", **training)
        chosen = _chosen(settings, timed)
        loop = partial(plain_loop, make_model, data, [settings[index] for index in chosen], **training)
        loop(epochs=1)  # what happens only the first time is not counted
        (swept, sweep_seconds), (looped, loop_seconds) = _timed(again), _timed(loop)
        if not _draws(make_model()):
            _demand_the_same(swept.step_loss[chosen], looped)
        _note(notes, "sweep", len(settings), training["epochs"], sweep_seconds, loop_seconds, len(chosen))
        return result

    sweeps.sweep = watched


def _watch_regularized(notes: str, timed: int) -> None:
    original = regularizing.train_regularized

    def watched(settings, data, *, device=None, **training):
        result = original(settings, data, device=device, **training)
        chosen = _chosen(settings, timed)
        together = partial(original, settings, data, device="cpu", **training)
        loop = partial(_one_by_one, original, [settings[index] for index in chosen], data, **training)
        (_, together_seconds), (_, loop_seconds) = _timed(together), _timed(loop)
        _note(
            notes, "train_regularized", len(settings), training["epochs"], together_seconds, loop_seconds, len(chosen)
        )
        return result

    regularizing.train_regularized = watched


def _one_by_one(train: Callable, settings: list, data, **training) -> list:
    return [train([setting], data, device="cpu", **training) for setting in settings]


def _chosen(settings: list, timed: int) -> np.ndarray:
    """The places of at most `timed` settings, from the first to the last."""
    return np.unique(np.linspace(0, len(settings) - 1, min(timed, len(settings))).round().astype(int))


def _timed(action: Callable[[], object]) -> tuple[object, float]:
    """What an action returns, and the seconds that it takes."""
    returned = []
    taken = seconds(lambda: returned.append(action()))
    return returned[0], taken


def _note(notes: str, by: str, trainings: int, epochs: int, by_seconds: float, loop_seconds: float, timed: int) -> None:
    """Add a line to `notes`; the loop is counted as if the trainings that it left out took as long as the others."""
    note = {
        "by": by,
        "trainings": trainings,
        "epochs": epochs,
        "seconds": by_seconds,
        "loop_seconds": loop_seconds * trainings / timed,
        "timed": timed,
    }
    with open(notes, "a", encoding="utf-8") as file:
        file.write(json.dumps(note) + "\n")


def _draws(model: nn.Module) -> bool:
    """Whether the model itself draws random numbers in training, which a sweep draws for all networks at once."""
    return any(isinstance(module, nn.modules.dropout._DropoutNd) for module in model.modules())


def plain_loop(make_model, data, settings, *, epochs, batch_size=32, loss=functional.cross_entropy, schedule=None):
    """What one would write without `sweep`; returns the loss of each step, shape (settings, steps)."""
    (x, y), (x_validation, y_validation) = data.train, data.validation
    all_losses = []
    for setting in settings:
        torch.manual_seed(setting.get("seed", 0))
        model = make_model()
        rate, others = setting["learning_rate"], {name: setting.get(name, 0) for name in ("momentum", "weight_decay")}
        optimizer = torch.optim.SGD(model.parameters(), lr=rate, **others)
        generator = torch.Generator().manual_seed(int(setting.get("seed", 0)))
        losses = []
        for epoch in range(epochs):
            optimizer.param_groups[0]["lr"] = rate * (schedule(epoch) if schedule else 1)
            model.train()
            for rows in torch.randperm(len(x), generator=generator).split(batch_size):
                batch_loss = loss(model(x[rows]), y[rows])
                optimizer.zero_grad()
                batch_loss.backward()
                optimizer.step()
                losses.append(batch_loss.detach())
            model.eval()
            with torch.no_grad():
                logits = model(x_validation)
                loss(logits, y_validation)
                if not y_validation.is_floating_point():
                    (logits.argmax(-1) == y_validation).float().mean()
        all_losses.append(torch.stack(losses))
    return torch.stack(all_losses).numpy()


def _demand_the_same(swept: np.ndarray, looped: np.ndarray) -> None:
    if swept.shape != looped.shape or not np.allclose(swept[:, :2], looped[:, :2], rtol=SAME, equal_nan=True):
        raise RuntimeError(
            f"the first losses of sweep and loop differ, {swept[:, :2].tolist()} and {looped[:, :2].tolist()}: "
            "they do not train the same, and the ratio would mean nothing"
        )
