"""The exercise `early_stopping`."""

import numpy as np

from grader.exercises.regularization.common import chapter

exercise = chapter.exercise(
    "early_stopping",
    points=2,
    aspects={"stops in time": 2, "runs to the end": 1, "ties": 1, "losses that are no numbers": 1},
    hints=(
        "Walk through the losses one by one, as training does. What must you remember from one epoch to the next?",
        "The lowest loss so far and its epoch are enough: how long there was no new best is the difference of two "
        "epochs. Begin with an infinite lowest loss, and no comparison lets NaN or infinity in.",
        "In the loop, `if -np.inf < loss < lowest` there is a new best, else if `epoch - best >= patience` training "
        "stops. Before any best, count as if epoch -1 had been one; if that is still so in the end, refuse.",
    ),
)


@exercise.reference
def early_stopping(validation_loss, patience):
    if patience < 1:
        raise ValueError(f"patience is {patience}, and training would stop before it begins: give 1 or more")
    best, lowest, stopped = -1, np.inf, len(validation_loss) - 1
    for epoch, loss in enumerate(validation_loss):
        if -np.inf < loss < lowest:
            best, lowest = epoch, loss
        elif epoch - best >= patience:
            stopped = epoch
            break
    if best < 0:
        raise ValueError(f"none of the {stopped + 1} epochs has a finite loss, so there is no best: lower the rate")
    return best, stopped


exercise.case("stops in time", validation_loss=np.array([2.0, 1.5, 1.75, 1.25, 1.5, 1.375, 1.0]), patience=2)
