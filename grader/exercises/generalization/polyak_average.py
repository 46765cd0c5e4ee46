"""The exercise `polyak_average`."""

import numpy as np
import torch

from grader.exercises.generalization.common import SINGLE_PRECISION, chapter

exercise = chapter.exercise(
    "polyak_average",
    points=2,
    aspects={"all snapshots": 1, "the later part": 1, "counters, and no snapshot": 1},
    hints=(
        "Take one layer. Which of its arrays count, and what is their mean, entry by entry?",
        "`snapshots[start:]` holds what counts; look whether it is empty. For each layer, collect its arrays in a "
        "list: `np.mean(arrays, axis=0)` averages entry by entry.",
        "Go through `snapshots[-1].items()`. Where `np.issubdtype(array.dtype, np.integer)` is True, the array "
        "itself is the answer; else the mean of `snapshot[layer]` over the snapshots that count.",
    ),
    tolerance=SINGLE_PRECISION,
)


@exercise.reference
def polyak_average(snapshots, start=0):
    counted = snapshots[start:]
    if len(counted) == 0:
        raise ValueError(f"of {len(snapshots)} snapshots none is left from number {start} on; begin earlier")
    average = {}
    for layer, last in counted[-1].items():
        if np.issubdtype(last.dtype, np.integer):
            average[layer] = last.copy()
        else:
            average[layer] = np.mean([snapshot[layer] for snapshot in counted], axis=0)
    return average


exercise.case("all snapshots", snapshots=[{"w": np.array([1.0, 2.0])}, {"w": np.array([3.0, 6.0])}])
exercise.case(
    "all snapshots",
    snapshots=[
        {"hidden": np.array([[1.0, 2.0], [3.0, 4.0]]), "output": np.array([0.5])},
        {"hidden": np.array([[2.0, 0.0], [3.5, 1.0]]), "output": np.array([-1.0])},
        {"hidden": np.array([[6.0, 1.0], [2.5, -3.0]]), "output": np.array([2.5])},
        {"hidden": np.array([[9.0, 4.0], [0.5, 1.0]]), "output": np.array([4.5])},
    ],
)
# In single precision, as the networks of this book are.
exercise.case(
    "all snapshots",
    snapshots=[
        {"w": np.array([1.0, -2.0], dtype=np.float32)},
        {"w": np.array([3.0, 5.0], dtype=np.float32)},
        {"w": np.array([2.0, 4.5], dtype=np.float32)},
    ],
)
exercise.case(
    "the later part",
    snapshots=[{"w": np.array([9.0, 9.0])}, {"w": np.array([1.0, 2.0])}, {"w": np.array([3.0, 6.0])}],
    start=1,
)
exercise.case(
    "the later part",
    snapshots=[
        {"hidden": np.array([[50.0, -40.0]]), "output": np.array([8.0])},
        {"hidden": np.array([[7.0, 5.0]]), "output": np.array([5.0])},
        {"hidden": np.array([[1.0, 2.0]]), "output": np.array([0.5])},
        {"hidden": np.array([[2.5, 0.0]]), "output": np.array([-1.0])},
        {"hidden": np.array([[4.0, 7.0]]), "output": np.array([3.0])},
    ],
    start=2,
)
# Only the last one counts.
exercise.case(
    "the later part", snapshots=[{"w": np.array([9.0])}, {"w": np.array([1.0])}, {"w": np.array([3.0])}], start=2
)
exercise.case(
    "counters, and no snapshot",
    snapshots=[
        {"scale": np.array([8.0, 6.0]), "batches": np.array([34, 30])},
        {"scale": np.array([1.0, 2.0]), "batches": np.array([68, 60])},
        {"scale": np.array([2.0, 1.0]), "batches": np.array([102, 90])},
        {"scale": np.array([4.5, 3.0]), "batches": np.array([136, 120])},
    ],
    start=1,
)
# Weights that happen to be whole are weights: their array holds floats.
exercise.case(
    "counters, and no snapshot",
    snapshots=[
        {"batches": np.array([[5]]), "mask": np.array([1.0, 0.0])},
        {"batches": np.array([[10]]), "mask": np.array([0.0, 3.0])},
    ],
)
# A short kind of whole number, and a counter that begins anew.
exercise.case(
    "counters, and no snapshot",
    snapshots=[
        {"w": np.array([2.0]), "since restart": np.array([40, 10], dtype=np.int32)},
        {"w": np.array([6.0]), "since restart": np.array([70, 20], dtype=np.int32)},
        {"w": np.array([5.5]), "since restart": np.array([12, 30], dtype=np.int32)},
    ],
)
exercise.case("counters, and no snapshot", snapshots=[{"w": np.array([9.0])}, {"w": np.array([1.0])}], start=2)
exercise.case("counters, and no snapshot", snapshots=[])


def training(rng, *, with_counter=False):
    """Snapshots of a small network that first moves far and then scatters around a point."""
    epochs, hidden = int(rng.integers(4, 9)), int(rng.integers(2, 5))
    snapshots = []
    for epoch in range(epochs):
        scatter = 1 + 20 * np.exp(-2 * epoch)
        snapshot = {"hidden": scatter * rng.normal(size=(hidden, 3)), "output": scatter * rng.normal(size=hidden)}
        snapshots.append(snapshot | ({"batches": np.array([34 * (epoch + 1)])} if with_counter else {}))
    return snapshots


@exercise.hidden("all snapshots", count=3)
def from_the_first(rng):
    return {"snapshots": training(rng)}


@exercise.hidden("the later part", count=4)
def from_a_later_one(rng):
    snapshots = training(rng)
    return {"snapshots": snapshots, "start": int(rng.integers(1, len(snapshots)))}


@exercise.hidden("counters, and no snapshot", count=1)
def beyond_the_last(rng):
    snapshots = training(rng)
    return {"snapshots": snapshots, "start": len(snapshots) + int(rng.integers(0, 3))}


@exercise.hidden("counters, and no snapshot", count=3)
def with_batch_normalization(rng):
    return {"snapshots": training(rng, with_counter=True), "start": int(rng.integers(0, 3))}


exercise.slip(
    "You average all snapshots, whatever `start` is. Those before number `start` do not count.",
    name="start_ignored",
    right="for snapshot in counted]",
    wrong="for snapshot in snapshots]",
)
exercise.slip(
    "You begin one snapshot too late: number `start` counts too, and numbers begin at 0.",
    name="one_too_late",
    right="[snapshot[layer] for snapshot in counted]",
    wrong="[snapshot[layer] for snapshot in snapshots[start + 1 :] or counted]",
)
exercise.slip(
    "You begin one snapshot too late: number `start` counts too, and numbers begin at 0. So you refuse where a single "
    "one is left.",
    name="begun_at_the_next",
    right="snapshots[start:]",
    wrong="snapshots[start + 1 :]",
)
exercise.slip(
    "You begin one snapshot too early: numbers begin at 0, so number `start` is the first that counts.",
    name="one_too_early",
    right="[snapshot[layer] for snapshot in counted]",
    wrong="[snapshot[layer] for snapshot in snapshots[max(start - 1, 0) :]]",
)
exercise.slip(
    "You take the last `start` snapshots. `start` is the number of the first that counts, not how many there are.",
    name="last_ones_counted",
    right="[snapshot[layer] for snapshot in counted]",
    wrong="[snapshot[layer] for snapshot in snapshots[-start:]]",
)
exercise.slip(
    "You average what comes before `start`. Asked for is the later part: `snapshots[start:]`.",
    name="earlier_part",
    right="[snapshot[layer] for snapshot in counted]",
    wrong="[snapshot[layer] for snapshot in snapshots[:start] or snapshots[:1]]",
)
exercise.slip(
    "You average what comes before `start`, and from `start=0` on that is nothing. Asked for is the later part.",
    name="cut_before_start",
    right="snapshots[start:]",
    wrong="snapshots[:start]",
)
exercise.slip(
    "You divide by the number of all snapshots, also of those that you left out: your mean is too close to 0.",
    name="divided_by_all",
    right="np.mean([snapshot[layer] for snapshot in counted], axis=0)",
    wrong="np.sum([snapshot[layer] for snapshot in counted], axis=0) / len(snapshots)",
)
exercise.slip(
    "You add the snapshots up and do not divide: the weights of the network are several times too large.",
    name="not_divided",
    right="np.mean(",
    wrong="np.sum(",
)


@exercise.mistake(
    "You average the mean so far with each new snapshot, half and half. So the last one counts half, the one before "
    "it a quarter and so on; all should count alike."
)
def half_and_half(snapshots, start=0):
    counted = snapshots[start:]
    if len(counted) == 0:
        raise ValueError("no snapshot counts")
    average = {}
    for layer, last in counted[-1].items():
        mean = counted[0][layer]
        for snapshot in counted[1:]:
            mean = (mean + snapshot[layer]) / 2
        average[layer] = last.copy() if np.issubdtype(last.dtype, np.integer) else mean
    return average


@exercise.mistake(
    "You take nine tenths of the mean so far and one tenth of each new snapshot, an exponential average. It forgets "
    "slowly; here every snapshot that counts has the same share."
)
def exponential_average(snapshots, start=0):
    counted = snapshots[start:]
    if len(counted) == 0:
        raise ValueError("no snapshot counts")
    average = {}
    for layer, last in counted[-1].items():
        mean = counted[0][layer]
        for snapshot in counted[1:]:
            mean = 0.9 * mean + 0.1 * snapshot[layer]
        average[layer] = last.copy() if np.issubdtype(last.dtype, np.integer) else mean
    return average


@exercise.mistake(
    "You change one of the snapshots that you were given, so the network of that epoch is lost. Begin with a new dict, "
    "and add into copies or zeros."
)
def added_into_a_snapshot(snapshots, start=0):
    counted = snapshots[start:]
    if len(counted) == 0:
        raise ValueError("no snapshot counts")
    average = counted[0]
    for layer, last in counted[-1].items():
        if np.issubdtype(last.dtype, np.integer):
            average[layer] = last.copy()
        else:
            for snapshot in counted[1:]:
                average[layer] += snapshot[layer]
            average[layer] /= len(counted)
    return average


exercise.slip(
    "Your layers have become single numbers: without `axis=0` the mean runs over all entries of a layer as well.",
    name="one_number_for_a_layer",
    right=", axis=0)",
    wrong=")",
)
exercise.slip(
    "You take the median of the snapshots. The average is their mean, entry by entry.",
    name="median_of_the_snapshots",
    right="np.mean(",
    wrong="np.median(",
)
exercise.slip(
    "You average the counter too, and a network that has seen 102 batches claims to have seen 85 of them. An array of "
    "whole numbers comes from the last snapshot.",
    name="counter_averaged",
    right="np.issubdtype(last.dtype, np.integer)",
    wrong="False",
)
exercise.slip(
    "You average the counter and round it. It is no weight: take it from the last snapshot.",
    name="counter_averaged_and_rounded",
    right="last.copy()",
    wrong="np.mean([snapshot[layer] for snapshot in counted], axis=0).astype(int)",
)
exercise.slip(
    "Your counter is that of the first snapshot that counts. By the end the network has seen more: take the last one.",
    name="first_counter",
    right="last.copy()",
    wrong="counted[0][layer].copy()",
)
exercise.slip(
    "You leave the counter out. The result should have every layer that the snapshots have, or no network can load it.",
    name="counter_left_out",
    right="average[layer] = last.copy()",
    wrong="continue",
)
exercise.slip(
    "You take every layer that is not float64 for a counter. torch trains in float32; ask whether its `dtype` is one "
    "of whole numbers.",
    name="single_precision_taken_for_a_counter",
    right="np.issubdtype(last.dtype, np.integer)",
    wrong="last.dtype != np.float64",
)
exercise.slip(
    "You look for int64 only. There are other kinds of whole numbers, such as int32; `np.integer` stands for all.",
    name="int64_only",
    right="np.issubdtype(last.dtype, np.integer)",
    wrong="last.dtype == np.int64",
)
exercise.slip(
    "You ask whether the entries are whole. Weights may be whole by chance, such as 0.0 and 1.0; what makes a counter "
    "is the `dtype` of its array.",
    name="whole_entries_taken_for_a_counter",
    right="np.issubdtype(last.dtype, np.integer)",
    wrong="(last % 1 == 0).all()",
)
exercise.slip(
    "Where no snapshot counts you return the last one. Then nothing was averaged and nobody notices; refuse it with "
    "`raise ValueError`.",
    name="last_one_for_none",
    right="    if len(counted) == 0:",
    wrong="    if len(counted) == 0 and snapshots:\n        return dict(snapshots[-1])\n    if len(counted) == 0:",
)


@exercise.mistake(
    "The mean is right for weights. Two things are still missing: a counter is taken from the last snapshot, and "
    "where no snapshot counts you have to refuse with `raise ValueError`."
)
def the_mean_alone(snapshots, start=0):
    layers = snapshots[0] if snapshots else {}
    return {layer: np.mean([snapshot[layer] for snapshot in snapshots[start:]], axis=0) for layer in layers}


@exercise.alternative
def running_mean(snapshots, start=0):
    average = None
    for count, snapshot in enumerate(snapshots[start:], start=1):
        if average is None:
            average = {layer: array.copy() for layer, array in snapshot.items()}
        for layer, array in snapshot.items():
            if array.dtype.kind == "i":
                average[layer] = array
            else:
                average[layer] = average[layer] + (array - average[layer]) / count
    if average is None:
        raise ValueError("no snapshot counts")
    return average


@exercise.alternative
def sums_in_single_precision(snapshots, start=0):
    if start >= len(snapshots):
        raise ValueError("no snapshot counts")
    total = {layer: np.zeros(array.shape, dtype=np.float32) for layer, array in snapshots[0].items()}
    for epoch in range(start, len(snapshots)):
        for layer in total:
            total[layer] += snapshots[epoch][layer]
    average = {layer: array / (len(snapshots) - start) for layer, array in total.items()}
    counters = {layer: array for layer, array in snapshots[-1].items() if isinstance(array.flat[0], np.integer)}
    return average | counters


@exercise.alternative
def stacked_with_torch(snapshots, start=0):
    counted = snapshots[start:]
    if not counted:
        raise ValueError("no snapshot counts")
    average = {}
    for layer in counted[0]:
        stack = torch.stack([torch.from_numpy(snapshot[layer]) for snapshot in counted])
        average[layer] = (stack.mean(dim=0) if stack.is_floating_point() else stack[-1]).numpy()
    return average
