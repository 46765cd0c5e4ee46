"""Times each call of `sweep` in a notebook beside the same trainings in a plain torch loop, for `chapters.py`."""

import json
from functools import partial

import numpy as np
import torch
from torch.nn import functional

from benchmarks import seconds
from labutils import sweeps

SAME = 1e-3  # by what share the losses of the first two steps may differ, in single precision


def watch(notes: str, timed: int) -> None:
    """From now on each call of `labutils.sweep` does what it did, is then timed, and adds a line to `notes`."""
    original = sweeps.sweep

    def watched(make_model, data, settings, *, on_step=None, device=None, **training):
        result = original(make_model, data, settings, on_step=on_step, device=device, **training)
        again = partial(original, make_model, data, settings, device="cpu", **training)
        sweep_seconds = seconds(again)
        chosen = np.unique(np.linspace(0, len(settings) - 1, min(timed, len(settings))).round().astype(int))
        loop = partial(plain_loop, make_model, data, [settings[index] for index in chosen], **training)
        loop(epochs=1)  # what happens only the first time is not counted
        looped = []
        loop_seconds = seconds(lambda: looped.append(loop()))
        _demand_the_same(result.step_loss[chosen], looped[0])
        note = {
            "trainings": len(settings),
            "epochs": training["epochs"],
            "sweep_seconds": sweep_seconds,
            "loop_seconds": loop_seconds * len(settings) / len(chosen),
            "timed": len(chosen),
        }
        with open(notes, "a", encoding="utf-8") as file:
            file.write(json.dumps(note) + "\n")
        return result

    sweeps.sweep = watched


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
