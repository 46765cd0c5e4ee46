"""Learning-rate schedules to be shaped by hand, each with what it does to a noisy descent; computed in the browser."""

import numpy as np
import traitlets
from matplotlib.figure import Figure

from labutils.widgets.base import LabWidget, one_of, script, within

EPOCHS = 60
STEPS_PER_EPOCH = 10
CURVATURES = (1.0, 0.1, 0.01)
NOISE = 0.1
IMPROVEMENT = 0.02
"""On plateau, a loss counts as better when it is lower by this share; expected losses always fall a little."""
TITLES = {
    "constant": "constant",
    "step": "step",
    "exponential": "exponential",
    "cosine": "cosine",
    "restarts": "cosine with warm restarts",
    "warmup": "warm-up, then cosine",
    "plateau": "on plateau",
}


class ScheduleDesigner(LabWidget):
    """The learning rate against the epoch under a schedule, and the loss that a noisy descent has under it.

    The descent is the noisy quadratic model of Zhang et al. (2019): directions with curvatures 1, 0.1 and 0.01 that
    hold a third of the first loss each, and gradients with noise in proportion to the curvature. What is drawn is its
    expected loss, the mean over all draws of the noise, after each of 60 epochs of 10 steps. It has no unit.

    schedule: "constant", "step", "exponential", "cosine", "restarts", "warmup" or "plateau". learning_rate: 0.01 to
    1.5, the highest rate. What is moved in the browser comes back as the traits; epochs are counted from 0.
    """

    _esm = script(
        "charts.js",
        "controls.js",
        "schedules.js",
        EPOCHS=EPOCHS,
        STEPS_PER_EPOCH=STEPS_PER_EPOCH,
        CURVATURES=CURVATURES,
        NOISE=NOISE,
        IMPROVEMENT=IMPROVEMENT,
        TITLES=TITLES,
    )
    schedule = traitlets.Unicode().tag(sync=True)
    learning_rate = traitlets.Float().tag(sync=True)
    factor = traitlets.Float(0.1).tag(sync=True)
    every = traitlets.Int(20).tag(sync=True)
    minimum = traitlets.Float(0.0).tag(sync=True)
    first_cycle = traitlets.Int(4).tag(sync=True)
    multiplier = traitlets.Int(2).tag(sync=True)
    warmup = traitlets.Int(6).tag(sync=True)
    patience = traitlets.Int(3).tag(sync=True)
    kept = traitlets.List().tag(sync=True)
    """Schedules kept for comparison, at most two, each a dict of the traits above."""

    def __init__(self, schedule: str = "step", learning_rate: float = 1.0):
        super().__init__(
            schedule=one_of("schedule", schedule, TITLES),
            learning_rate=within("learning_rate", learning_rate, 0.01, 1.5),
        )

    def curves(self) -> tuple[np.ndarray, np.ndarray]:
        """The rate used in each epoch and the expected loss after it, both of shape (60,); the rates are torch's."""
        import torch

        optimizer = torch.optim.SGD([torch.zeros(1)], lr=self.learning_rate)
        scheduler = self._torch_scheduler(optimizer)
        squares = 2 / (len(CURVATURES) * np.array(CURVATURES))  # of the distances to the minimum, as expected
        rates, losses = [], []
        for _ in range(EPOCHS):
            rates.append(optimizer.param_groups[0]["lr"])
            for _ in range(STEPS_PER_EPOCH):
                squares = noisy_step(squares, rates[-1])
            losses.append(float(squares @ CURVATURES) / 2)
            optimizer.step()
            scheduler.step(*[losses[-1]] * (self.schedule == "plateau"))
        return np.array(rates), np.array(losses)

    def describe(self) -> str:
        return f"Schedule designer: the schedule {TITLES[self.schedule]!r} from the rate {self.learning_rate:g}"

    def still(self) -> Figure:
        rates, losses = self.curves()
        figure = Figure(figsize=(9, 3.2), layout="constrained")
        left, right = figure.subplots(1, 2)
        left.step(range(EPOCHS), rates, where="post", color="#3f90da")
        left.set(title=f"Schedule: {TITLES[self.schedule]}", xlabel="epoch", ylabel="learning rate", ylim=0)
        right.plot(range(1, EPOCHS + 1), losses, color="#3f90da")
        right.set(title="What it does to a noisy descent", xlabel="epoch", ylabel="expected loss", yscale="log")
        return figure

    def _torch_scheduler(self, optimizer):
        from torch.optim import lr_scheduler as schedulers

        def warmed_up():
            climb = schedulers.LinearLR(optimizer, start_factor=1 / self.warmup, total_iters=self.warmup - 1)
            decay = schedulers.CosineAnnealingLR(optimizer, EPOCHS - self.warmup)
            return schedulers.SequentialLR(optimizer, [climb, decay], milestones=[self.warmup])

        return {
            "constant": lambda: schedulers.ConstantLR(optimizer, factor=1),
            "step": lambda: schedulers.StepLR(optimizer, self.every, self.factor),
            "exponential": lambda: schedulers.ExponentialLR(optimizer, self.factor ** (1 / self.every)),
            "cosine": lambda: schedulers.CosineAnnealingLR(optimizer, EPOCHS, self.minimum),
            "restarts": lambda: schedulers.CosineAnnealingWarmRestarts(
                optimizer, self.first_cycle, self.multiplier, self.minimum
            ),
            "warmup": warmed_up,
            "plateau": lambda: schedulers.ReduceLROnPlateau(
                optimizer, factor=self.factor, patience=self.patience, threshold=IMPROVEMENT, eps=0
            ),
        }[self.schedule]()


def noisy_step(squares: np.ndarray, learning_rate: float) -> np.ndarray:
    """Expected squares of the distances after one step whose gradient has noise of variance NOISE * curvature."""
    curvatures = np.array(CURVATURES)
    return (1 - learning_rate * curvatures) ** 2 * squares + learning_rate**2 * NOISE * curvatures
