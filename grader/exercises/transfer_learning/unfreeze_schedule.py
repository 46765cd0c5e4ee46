"""The exercise `unfreeze_schedule`."""

from grader.exercises.transfer_learning.common import chapter

exercise = chapter.exercise(
    "unfreeze_schedule",
    points=2,
    aspects={"one layer after the other": 2, "warm-up": 1, "all layers": 1, "refusals": 1},
    hints=(
        "For each epoch ask one question: how many layers learn by now? Their names are the last ones of the list.",
        "During the warm-up it is 1, the head. After it, 1 more at once, and 1 more whenever another `every` epochs "
        "have passed: whole-number division counts them. There are never more than all.",
        "With `joined = 1 + (epoch - warm_up) // every` from the epoch `warm_up` on, and 0 before it, "
        "`min(1 + joined, len(layers))` layers learn. A slice takes them off the end of `layers`, as a new list.",
    ),
)


@exercise.reference
def unfreeze_schedule(layers, epochs, warm_up=1, every=1):
    if not layers:
        raise ValueError("there are no layers to unfreeze; give their names, from the input to the head")
    if every < 1:
        raise ValueError(f"every is {every}; the next layer can follow after 1 epoch at the earliest")
    schedule = []
    for epoch in range(epochs):
        joined = 1 + (epoch - warm_up) // every if epoch >= warm_up else 0
        trainable = min(1 + joined, len(layers))
        schedule.append(layers[len(layers) - trainable :])
    return schedule


FOUR = ["stem", "stage1", "stage2", "head"]

exercise.case("one layer after the other", layers=FOUR, epochs=4)
exercise.case("one layer after the other", layers=FOUR, epochs=6, every=2)
exercise.case("one layer after the other", layers=["z", "a", "m", "b", "head"], epochs=3)
exercise.case("warm-up", layers=FOUR, epochs=5, warm_up=3)
exercise.case("warm-up", layers=FOUR, epochs=3, warm_up=0)
exercise.case("warm-up", layers=FOUR, epochs=8, warm_up=2, every=3)
exercise.case("warm-up", layers=FOUR, epochs=5, warm_up=0, every=2)
exercise.case("warm-up", layers=FOUR, epochs=2, warm_up=5)
exercise.case("all layers", layers=["body", "head"], epochs=5)
exercise.case("all layers", layers=FOUR, epochs=7)
exercise.case("all layers", layers=["head"], epochs=3)
exercise.case("refusals", layers=FOUR, epochs=3)
exercise.case("refusals", layers=["body", "head"], epochs=0)
exercise.case("refusals", layers=[], epochs=3)
exercise.case("refusals", layers=FOUR, epochs=3, every=0)


def names(rng, least, most):
    """Names of some layers, in an order that no sorting would give, and a head."""
    return [f"layer{number}" for number in rng.permutation(int(rng.integers(least, most)))] + ["head"]


@exercise.hidden("one layer after the other", count=3)
def layer_after_layer(rng):
    return {"layers": names(rng, 4, 7), "epochs": int(rng.integers(3, 6)), "every": int(rng.integers(1, 3))}


@exercise.hidden("warm-up", count=3)
def with_warm_up(rng):
    settings = {"warm_up": int(rng.integers(0, 4)), "every": int(rng.integers(1, 4))}
    return {"layers": names(rng, 7, 9), "epochs": int(rng.integers(4, 7)), **settings}


@exercise.hidden("all layers", count=2)
def until_all_learn(rng):
    return {"layers": names(rng, 1, 3), "epochs": int(rng.integers(5, 9))}


@exercise.hidden("refusals", count=1)
def no_pace(rng):
    return {"layers": names(rng, 2, 5), "epochs": 3, "every": -int(rng.integers(0, 3))}


exercise.slip(
    "Your schedule begins with the first layers. These are the most general ones; the head, which stands last, learns "
    "first.",
    name="from_the_input_up",
    right="layers[len(layers) - trainable :]",
    wrong="layers[:trainable]",
)
exercise.slip(
    "Each of your epochs trains one layer alone. A layer that has joined goes on learning.",
    name="one_layer_at_a_time",
    right="layers[len(layers) - trainable :]",
    wrong="layers[len(layers) - trainable : len(layers) - trainable + 1]",
)
exercise.slip(
    "Your layers stand in the order in which they join. Keep the order of the network.",
    name="in_the_order_of_joining",
    right="layers[len(layers) - trainable :]",
    wrong="layers[len(layers) - trainable :][::-1]",
)
exercise.slip(
    "The layer before the head joins `every` epochs too late. It joins as soon as the warm-up is over; only after that "
    "does `every` count.",
    name="joins_too_late",
    right="1 + (epoch - warm_up) // every",
    wrong="(epoch - warm_up) // every",
)
exercise.slip(
    "Your warm-up is always 1 epoch long. That is only the default; use the parameter.",
    name="warm_up_fixed",
    right="1 + (epoch - warm_up) // every if epoch >= warm_up else 0",
    wrong="1 + (epoch - 1) // every if epoch >= 1 else 0",
)
exercise.slip(
    "Your head warms up for one epoch more than asked for. Epochs count from 0, so the first `warm_up` of them end "
    "before the epoch `warm_up`.",
    name="warm_up_too_long",
    right="1 + (epoch - warm_up) // every if epoch >= warm_up else 0",
    wrong="1 + (epoch - warm_up - 1) // every if epoch > warm_up else 0",
)
exercise.slip(
    "Your warm-up is one epoch too long, and when it ends the next layers are already behind it. Epochs count from 0, "
    "so the first `warm_up` of them end before the epoch `warm_up`.",
    name="jumps_after_the_warm_up",
    right="if epoch >= warm_up else 0",
    wrong="if epoch > warm_up else 0",
)
exercise.slip(
    "Your `every` counts from the first epoch of all. It counts from the end of the warm-up.",
    name="counts_from_the_beginning",
    right="1 + (epoch - warm_up) // every",
    wrong="1 + epoch // every",
)
exercise.slip(
    "In your schedule a layer joins in every epoch, whatever `every` says.",
    name="pace_overlooked",
    right="(epoch - warm_up) // every",
    wrong="(epoch - warm_up)",
)
exercise.slip(
    "When all layers learn, your schedule does not stop counting: a slice that begins before the list begins comes out "
    "too short. There are never more than all.",
    name="counts_beyond_all",
    right="min(1 + joined, len(layers))",
    wrong="1 + joined",
)
exercise.slip(
    "Your first layer never learns: the schedule stops one layer too early.",
    name="first_layer_never_learns",
    right="min(1 + joined, len(layers))",
    wrong="min(1 + joined, max(len(layers) - 1, 1))",
)
exercise.slip(
    "Without any layers there is nothing to train, the head neither. Refuse an empty list with a ValueError.",
    name="no_layers_accepted",
    right="not layers",
    wrong="False",
)
exercise.slip(
    "A pace of 0 epochs or less should be refused with a ValueError, before anything is divided by it.",
    name="no_pace_accepted",
    right="every < 1",
    wrong="False",
)
exercise.slip(
    "Your function refuses 0 epochs. That is a training that ends before it begins, with an empty schedule.",
    name="no_epochs_refused",
    right="every < 1",
    wrong="every < 1 or epochs < 1",
)


@exercise.mistake(
    "The schedule is right, but you take the names off `layers` itself, and whoever calls you finds the list empty."
)
def takes_from_the_list(layers, epochs, warm_up=1, every=1):
    if not layers or every < 1:
        raise ValueError("no layers or no pace")
    learning, schedule = [layers.pop()], []
    for epoch in range(epochs):
        if epoch >= warm_up and (epoch - warm_up) % every == 0 and layers:
            learning.insert(0, layers.pop())
        schedule.append(list(learning))
    return schedule


@exercise.mistake(
    "All your epochs show the same, the last state: you append one list again and again and change it later. Append a "
    "copy."
)
def one_list_for_all_epochs(layers, epochs, warm_up=1, every=1):
    if not layers or every < 1:
        raise ValueError("no layers or no pace")
    learning, schedule = layers[-1:], []
    for epoch in range(epochs):
        if epoch >= warm_up and (epoch - warm_up) % every == 0 and len(learning) < len(layers):
            learning.insert(0, layers[-len(learning) - 1])
        schedule.append(learning)
    return schedule


@exercise.alternative
def joining_one_by_one(layers, epochs, warm_up=1, every=1):
    if len(layers) == 0 or every <= 0:
        raise ValueError("no layers, or no pace")
    waiting, learning, schedule = list(layers), [], []
    learning.append(waiting.pop())
    next_joins = warm_up
    for epoch in range(epochs):
        if epoch == next_joins:
            if waiting:
                learning.append(waiting.pop())
            next_joins += every
        schedule.append(learning[::-1])
    return schedule


@exercise.alternative
def asking_each_layer(layers, epochs, warm_up=1, every=1):
    if layers == [] or every < 1:
        raise ValueError("nothing to do")
    last = len(layers) - 1
    begins = {place: warm_up + (last - place - 1) * every for place in range(last)} | {last: 0}
    return [[layers[place] for place in range(len(layers)) if epoch >= begins[place]] for epoch in range(epochs)]
