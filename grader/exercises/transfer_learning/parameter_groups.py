"""The exercise `parameter_groups`."""

from grader.exercises.transfer_learning.common import chapter, conv, dense, some_seed

exercise = chapter.exercise(
    "parameter_groups",
    points=3,
    aspects={"the rates": 2, "what decays": 2, "frozen weights": 1, "refusals": 1},
    hints=(
        "Two questions sort the weights into at most four groups: does it belong to the head, and does it decay?",
        "Go through `network.named_parameters()` once for each of the four groups and collect the names that belong "
        "there. A weight knows whether it is trainable (`requires_grad`) and how many dimensions it has (`ndim`).",
        "A name belongs to the head if it begins with the head's name and a dot, and it decays if `decay_biases` is "
        "set or its weight has more than one dimension. Go through `False, True` for the head, inside it through "
        "`True, False` for the decay, and append a group whenever it has any names.",
    ),
)


@exercise.reference
def parameter_groups(network, head, learning_rate, factor=0.1, weight_decay=0.0, decay_biases=True):
    if not 0 < factor <= 1:
        raise ValueError(f"factor is {factor}; give one above 0 and up to 1, and freeze what is not to move")
    trainable = {name: weights for name, weights in network.named_parameters() if weights.requires_grad}
    if not any(name.startswith(f"{head}.") for name in trainable):
        raise ValueError(f"no trainable weights belong to {head!r}; there are {', '.join(trainable) or 'none'}")
    groups = []
    for in_head in (False, True):
        for decays in (True, False):
            names = [
                name
                for name, weights in trainable.items()
                if name.startswith(f"{head}.") == in_head and (decay_biases or weights.ndim > 1) == decays
            ]
            rate = learning_rate if in_head else factor * learning_rate
            decay = weight_decay if decays else 0.0
            if names:
                groups.append({"names": names, "lr": rate, "weight_decay": decay})
    return groups


exercise.case("the rates", network=conv(seed=1), head="classifier.1", learning_rate=0.5)
exercise.case("the rates", network=conv(seed=1), head="classifier", learning_rate=0.5, factor=0.5, weight_decay=0.25)
# One rate for all is still two groups.
exercise.case("the rates", network=conv(seed=1), head="classifier", learning_rate=0.25, factor=1.0)
# `fc1` is not a part of `fc`.
exercise.case("the rates", network=dense(seed=1), head="fc", learning_rate=0.02, factor=0.25)
exercise.case(
    "what decays",
    network=conv(seed=1),
    head="classifier",
    learning_rate=0.5,
    factor=0.5,
    weight_decay=0.25,
    decay_biases=False,
)
exercise.case("what decays", network=dense(seed=1), head="fc", learning_rate=1.0, weight_decay=0.5, decay_biases=False)
# A head without biases of its own, or with nothing else.
exercise.case(
    "what decays", network=conv(seed=1), head="body.0", learning_rate=1.0, weight_decay=0.5, decay_biases=False
)
exercise.case(
    "what decays", network=conv(seed=1), head="stem.1", learning_rate=1.0, weight_decay=0.5, decay_biases=False
)
exercise.case("frozen weights", network=conv(seed=1, frozen="stem"), head="classifier", learning_rate=0.5)
exercise.case("frozen weights", network=conv(seed=1, frozen="classifier"), head="body", learning_rate=0.5, factor=0.5)
exercise.case("frozen weights", network=dense(seed=1, frozen="fc1"), head="fc", learning_rate=0.5)
exercise.case("refusals", network=conv(seed=1), head="classifier", learning_rate=0.5, factor=0.5)
exercise.case("refusals", network=conv(seed=1), head="classifier", learning_rate=0.5, factor=0.0)
exercise.case("refusals", network=conv(seed=1), head="classifier", learning_rate=0.5, factor=10.0)
exercise.case("refusals", network=conv(seed=1), head="head", learning_rate=0.5)
exercise.case("refusals", network=conv(seed=1, frozen="classifier"), head="classifier", learning_rate=0.5)


def fine_tuning(rng, **settings):
    return {
        "network": conv(seed=some_seed(rng)),
        "head": str(rng.choice(["classifier", "classifier.1", "body"])),
        "learning_rate": float(rng.uniform(0.1, 1)),
        "factor": float(rng.uniform(0.1, 0.8)),
        "weight_decay": float(rng.uniform(0.1, 1)),
        **settings,
    }


@exercise.hidden("the rates", count=2)
def rates(rng):
    return fine_tuning(rng)


@exercise.hidden("what decays", count=2)
def decays(rng):
    return fine_tuning(rng, decay_biases=False)


@exercise.hidden("frozen weights", count=1)
def partly_frozen(rng):
    return fine_tuning(rng, network=conv(seed=some_seed(rng), frozen=str(rng.choice(["stem", "stem.0", "stem.1"]))))


@exercise.hidden("refusals", count=1)
def bad_factor(rng):
    return fine_tuning(rng, factor=float(rng.choice([-0.5, 0.0, 1.5, 3.0])))


exercise.slip(
    "Your head learns slowly and the pretrained weights learn fast. It is the other way round: the head has to begin "
    "from nothing, and the others know something already.",
    name="rates_exchanged",
    right="learning_rate if in_head else factor * learning_rate",
    wrong="factor * learning_rate if in_head else learning_rate",
)
exercise.slip(
    "All your groups have the same rate. What was pretrained should learn at `factor` times the rate of the head.",
    name="one_rate_for_all",
    right="learning_rate if in_head else factor * learning_rate",
    wrong="learning_rate",
)
exercise.slip(
    "Your backbone learns at the rate `factor`. It is a share of the learning rate: multiply the two.",
    name="factor_for_a_rate",
    right="factor * learning_rate",
    wrong="factor",
)
exercise.slip(
    "You divide the learning rate by the factor, so the pretrained weights learn faster than the head. A factor is "
    "multiplied.",
    name="divided_by_the_factor",
    right="factor * learning_rate",
    wrong="learning_rate / factor",
)
exercise.slip(
    "Your factor is fixed at 0.1. That is only the default; use the parameter.",
    name="factor_fixed",
    right="factor * learning_rate",
    wrong="0.1 * learning_rate",
)
exercise.slip(
    "Frozen weights stand in your groups. They get no gradient, but weight decay would still shrink them, in some "
    "optimizers: leave out what is not trainable.",
    name="frozen_weights_included",
    right="network.named_parameters() if weights.requires_grad",
    wrong="network.named_parameters()",
)
exercise.slip(
    "Your biases decay although `decay_biases` is off. They shift the output and make nothing complicated; what has "
    "one dimension gets a weight decay of 0.",
    name="biases_decay",
    right="decay = weight_decay if decays else 0.0",
    wrong="decay = weight_decay",
)
exercise.slip(
    "The weight decay of weights that do not decay is None in your groups. An optimizer calculates with it: write 0.0.",
    name="no_decay_is_none",
    right="decay = weight_decay if decays else 0.0",
    wrong="decay = weight_decay if decays else None",
)
exercise.slip(
    "Weights with one dimension never decay in your groups, even where `decay_biases` says that they do.",
    name="biases_never_decay",
    right="decay_biases or weights.ndim > 1",
    wrong="weights.ndim > 1",
)
exercise.slip(
    "You tell what decays by its name. Scale and shift of batch normalization have one dimension as well, and the "
    "scale is called `weight`: ask for the number of dimensions.",
    name="biases_by_their_names",
    right="decay_biases or weights.ndim > 1",
    wrong='decay_biases or not name.endswith("bias")',
)
exercise.slip(
    "Weights that do not decay stand in your first group of each part, and those that decay in the second. The group "
    "that decays comes first.",
    name="groups_in_another_order",
    right="in (True, False)",
    wrong="in (False, True)",
)
exercise.slip(
    "Your head's groups come first. Begin with the weights outside of the head.",
    name="head_first",
    right="in (False, True)",
    wrong="in (True, False)",
)
exercise.slip(
    "Some of your groups are empty, and an optimizer refuses these. Leave them out.",
    name="empty_groups_kept",
    right="if names:",
    wrong="if True:",
)
exercise.slip(
    "A factor of 0 is no learning rate, and one above 1 makes the pretrained weights move faster than the head. Refuse "
    "both with a ValueError.",
    name="any_factor_accepted",
    right="not 0 < factor <= 1",
    wrong="False",
)
exercise.slip(
    "With a factor of 1 all weights learn at one rate, which is to be compared with, and allowed.",
    name="factor_of_one_refused",
    right="0 < factor <= 1",
    wrong="0 < factor < 1",
)
exercise.slip(
    "Where nothing trainable belongs to the head, its name is wrong or it is frozen. Refuse that with a ValueError: "
    "such a training would run, and never learn the new task.",
    name="no_head_accepted",
    right='not any(name.startswith(f"{head}.") for name in trainable)',
    wrong="False",
)


@exercise.mistake(
    "Your head takes in every weight whose name begins with the same letters: `fc1.weight` is not in `fc`. Behind the "
    "head's name there is a dot."
)
def head_by_its_first_letters(network, head, learning_rate, factor=0.1, weight_decay=0.0, decay_biases=True):
    if not 0 < factor <= 1:
        raise ValueError("no factor")
    trainable = {name: weights for name, weights in network.named_parameters() if weights.requires_grad}
    if not any(name.startswith(head) for name in trainable):
        raise ValueError("no head")
    groups = []
    for in_head in (False, True):
        for decays in (True, False):
            names = [
                name
                for name, weights in trainable.items()
                if name.startswith(head) == in_head and (decay_biases or weights.ndim > 1) == decays
            ]
            rate = learning_rate if in_head else factor * learning_rate
            if names:
                groups.append({"names": names, "lr": rate, "weight_decay": weight_decay if decays else 0.0})
    return groups


@exercise.mistake(
    "You return one group for each weight. An optimizer takes that, but nobody can read it: weights with the same "
    "settings belong into one group."
)
def a_group_for_each_weight(network, head, learning_rate, factor=0.1, weight_decay=0.0, decay_biases=True):
    if not 0 < factor <= 1:
        raise ValueError("no factor")
    groups, found = [], False
    for name, weights in network.named_parameters():
        if weights.requires_grad:
            in_head = name.startswith(f"{head}.")
            found = found or in_head
            rate = learning_rate if in_head else factor * learning_rate
            decay = weight_decay if decay_biases or weights.ndim > 1 else 0.0
            groups.append({"names": [name], "lr": rate, "weight_decay": decay})
    if not found:
        raise ValueError("no head")
    return groups


@exercise.alternative
def filled_one_by_one(network, head, learning_rate, factor=0.1, weight_decay=0.0, decay_biases=True):
    if factor <= 0 or factor > 1:
        raise ValueError("factor must be above 0 and at most 1")
    slow, fast = learning_rate * factor, learning_rate
    groups = {
        (part, decays): {"names": [], "lr": rate, "weight_decay": weight_decay if decays else 0}
        for part, rate in (("backbone", slow), ("head", fast))
        for decays in (True, False)
    }
    for name, weights in network.named_parameters():
        if weights.requires_grad:
            part = "head" if name[: len(head) + 1] == head + "." else "backbone"
            groups[part, decay_biases or len(weights.shape) >= 2]["names"].append(name)
    if not groups["head", True]["names"] + groups["head", False]["names"]:
        raise ValueError("the head has no weights that learn")
    return [group for group in groups.values() if group["names"]]


@exercise.alternative
def by_the_head_itself(network, head, learning_rate, factor=0.1, weight_decay=0.0, decay_biases=True):
    layers = dict(network.named_modules())
    if head not in layers or factor > 1 or not factor > 0:
        raise ValueError("no head, or no factor")
    inside = {id(weights) for weights in layers[head].parameters()}
    sorted_names = [[], [], [], []]
    for name, weights in network.named_parameters():
        if not weights.requires_grad:
            continue
        place = 2 if id(weights) in inside else 0
        if not decay_biases and weights.dim() < 2:
            place += 1
        sorted_names[place].append(name)
    if not sorted_names[2] and not sorted_names[3]:
        raise ValueError("the head is frozen")
    groups = []
    for place, names in enumerate(sorted_names):
        if len(names) > 0:
            rate = learning_rate * (factor if place < 2 else 1)
            groups.append(dict(names=names, lr=rate, weight_decay=weight_decay * (place % 2 == 0)))
    return groups
