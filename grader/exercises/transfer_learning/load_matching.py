"""The exercise `load_matching`."""

import numpy as np

from grader.exercises.transfer_learning.common import chapter

exercise = chapter.exercise(
    "load_matching",
    points=2,
    aspects={"what fits": 1, "other shapes": 2, "other names": 1, "nothing fits": 1},
    hints=(
        "Each name of the network has one of three fates: the checkpoint does not have it, has it with another shape, "
        "or has it as it should be. Only then look at the names that the checkpoint has and the network does not.",
        "Go through `state.items()`. Compare `.shape` with `!=`, which tells (2, 3) from (3, 2) and (3,) from (3, 1); "
        "numpy would otherwise stretch one into the other without a word.",
        "Put each name into one of the lists, and into the new state a `.copy()` of the array from the checkpoint or "
        "from `state`. `[name for name in checkpoint if name not in state]` are the unexpected ones. When all is done "
        "and `loaded` is empty, raise.",
    ),
)


@exercise.reference
def load_matching(state, checkpoint):
    new_state = {}
    report = {"loaded": [], "missing": [], "mismatched": [], "unexpected": []}
    for name, values in state.items():
        if name not in checkpoint:
            status = "missing"
        elif checkpoint[name].shape != values.shape:
            status = "mismatched"
        else:
            status = "loaded"
        report[status].append(name)
        new_state[name] = (checkpoint if status == "loaded" else state)[name].copy()
    report["unexpected"] = [name for name in checkpoint if name not in state]
    if not report["loaded"]:
        raise ValueError("no name and shape of the checkpoint fits: it belongs to another network")
    return new_state, report


SMALL = {
    "body.weight": np.array([[1.0, 2.0], [3.0, 4.0], [5.0, 6.0]]),
    "body.bias": np.array([1.0, 2.0, 3.0]),
    "head.weight": np.array([[0.5, 0.0, 1.0], [2.0, 0.0, 0.0]]),
}
OTHER = {name: -10 * values for name, values in SMALL.items()}

exercise.case("what fits", state=SMALL, checkpoint=OTHER)
# Another order of the same names, zeros, and the number of batches that a normalization has seen.
exercise.case(
    "what fits",
    state={"norm.mean": np.ones(2), "norm.batches": np.array(3), "a": np.array([[4.0]])},
    checkpoint={"a": np.array([[0.0]]), "norm.mean": np.zeros(2), "norm.batches": np.array(50)},
)
# A head for other classes.
exercise.case("other shapes", state=SMALL, checkpoint={**OTHER, "head.weight": np.ones((4, 3))})
# As many numbers in another shape; one row that would be stretched; one dimension too few, and too many.
exercise.case(
    "other shapes",
    state=SMALL,
    checkpoint={
        **OTHER,
        "body.weight": np.array([[7.0, 8.0, 9.0], [10.0, 11.0, 12.0]]),
        "head.weight": np.ones((1, 3)),
    },
)
exercise.case(
    "other shapes",
    state=SMALL,
    checkpoint={"body.weight": -np.ones((3, 2)), "body.bias": np.array(5.0), "head.weight": np.array([1.0, 1.0, 1.0])},
)
exercise.case(
    "other shapes",
    state={"bias": np.array([1.0, 2.0]), "scale": np.array([2.0]), "weight": np.array([3.0])},
    checkpoint={"bias": np.array([[5.0], [6.0]]), "scale": np.array(4.0), "weight": np.array([7.0])},
)
exercise.case(
    "other names",
    state=SMALL,
    checkpoint={"tail": np.ones(2), "body.bias": np.array([7.0, 8.0, 9.0]), "Body.weight": np.ones((3, 2))},
)
exercise.case(
    "other names", state=SMALL, checkpoint={**OTHER, "body": np.ones(1), "a": np.ones(1), "head.w": np.ones(1)}
)
exercise.case("other names", state={"z": np.ones(1), "a": np.ones(2), "m": np.ones(1)}, checkpoint={"m": np.zeros(1)})
exercise.case("nothing fits", state=SMALL, checkpoint={**OTHER, "tail": np.ones(2)})
exercise.case("nothing fits", state=SMALL, checkpoint={f"module.{name}": values for name, values in OTHER.items()})
exercise.case("nothing fits", state=SMALL, checkpoint={"body.bias": np.ones(4), "head.weight": np.ones((3, 2))})
# All names are there, and no shape is.
exercise.case(
    "nothing fits", state=SMALL, checkpoint={name: np.ones((*values.shape, 1)) for name, values in SMALL.items()}
)
exercise.case("nothing fits", state=SMALL, checkpoint={})


def arrays(rng, names):
    """A small array for each name, with one to three rows and columns."""
    return {name: rng.integers(-9, 10, tuple(rng.integers(1, 4, 2))).astype(float) for name in names}


def named(rng):
    """Names of layers, in an order that no sorting would give."""
    return [f"layer{number}.weight" for number in rng.permutation(5)]


@exercise.hidden("what fits", count=2)
def all_fits(rng):
    state = arrays(rng, named(rng))
    return {"state": state, "checkpoint": {name: rng.normal(size=state[name].shape) for name in sorted(state)}}


@exercise.hidden("other shapes", count=3)
def some_shapes(rng):
    names = named(rng)
    state = arrays(rng, names)
    checkpoint = {name: values + 100 for name, values in state.items()}
    checkpoint[names[1]] = rng.normal(size=(state[names[1]].shape[0] + 1, 2))
    checkpoint[names[3]] = rng.normal(size=state[names[3]].size)
    return {"state": state, "checkpoint": checkpoint}


@exercise.hidden("other names", count=2)
def some_names(rng):
    names = named(rng)
    state = arrays(rng, names)
    checkpoint = {name: values - 100 for name, values in state.items() if name not in names[2:4]}
    return {"state": state, "checkpoint": {**checkpoint, **arrays(rng, ["tail.weight", "norm.weight"])}}


@exercise.hidden("nothing fits", count=1)
def other_network(rng):
    return {"state": arrays(rng, named(rng)), "checkpoint": arrays(rng, ["stem.weight", "head.weight"])}


exercise.slip(
    "You load whatever has the right name. Arrays of another shape do not fit the network's layers: compare the shapes "
    "too.",
    name="shapes_not_compared",
    right="checkpoint[name].shape != values.shape",
    wrong="False",
)
exercise.slip(
    "You compare how many numbers there are. A layer from 2 to 3 has as many weights as one from 3 to 2, and they mean "
    "something else: compare `.shape`.",
    name="sizes_for_shapes",
    right="checkpoint[name].shape != values.shape",
    wrong="checkpoint[name].size != values.size",
)
exercise.slip(
    "You compare lengths, which are the first axis only. Compare `.shape`.",
    name="first_axis_only",
    right="checkpoint[name].shape != values.shape",
    wrong="np.shape(checkpoint[name])[:1] != np.shape(values)[:1]",
)
exercise.slip(
    "Names that only the checkpoint has are missing in your report, under `unexpected`. They often show that a name "
    "was misspelt.",
    name="unexpected_not_reported",
    right="[name for name in checkpoint if name not in state]",
    wrong="[]",
)
exercise.slip(
    "Your report has missing and unexpected exchanged: missing is what the network wants and the checkpoint lacks.",
    name="missing_and_unexpected_exchanged",
    right="    return new_state, report",
    wrong="""    report["missing"], report["unexpected"] = report["unexpected"], report["missing"]
    return new_state, report""",
)
exercise.slip(
    "If nothing fits, the network begins from nothing and nobody is told. Refuse such a checkpoint with a ValueError.",
    name="nothing_loaded_without_a_word",
    right='not report["loaded"]',
    wrong="False",
)
exercise.slip(
    "You refuse every checkpoint that does not fit in full. What fits is to be loaded; only if nothing does is it "
    "refused.",
    name="all_or_nothing",
    right='not report["loaded"]',
    wrong='not report["loaded"] or report["missing"] or report["mismatched"] or report["unexpected"]',
)
exercise.slip(
    "Where an array does not fit, your new state has nothing, and the network could not be filled from it. It keeps "
    "what it has in `state`.",
    name="only_what_was_loaded",
    right='new_state[name] = (checkpoint if status == "loaded" else state)[name].copy()',
    wrong='if status == "loaded":\n            new_state[name] = checkpoint[name].copy()',
)
exercise.slip(
    "Your report is right and your new state is the old one: what was loaded has to come from the checkpoint.",
    name="nothing_taken_over",
    right='(checkpoint if status == "loaded" else state)[name]',
    wrong="state[name]",
)
exercise.slip(
    "Names with another shape stand among the missing in your report. They are there, they only do not fit; whoever "
    "looks for the fault needs to know which it is.",
    name="mismatched_counted_as_missing",
    right='status = "mismatched"',
    wrong='status = "missing"',
)
exercise.slip(
    "Names with another shape stand also among the unexpected in your report. The network has these names; only those "
    "that it does not have are unexpected.",
    name="mismatched_unexpected_too",
    right="if name not in state]",
    wrong='if name not in report["loaded"]]',
)


@exercise.mistake(
    "You write into the arrays of `state`. The network that they belong to changes behind its owner's back; make new "
    "ones. And an assignment into an array stretches what does not fit, where it can."
)
def written_in_place(state, checkpoint):
    report = {"loaded": [], "missing": [], "mismatched": [], "unexpected": []}
    for name, values in state.items():
        if name not in checkpoint:
            report["missing"].append(name)
        elif checkpoint[name].shape != values.shape:
            report["mismatched"].append(name)
        else:
            report["loaded"].append(name)
            values[...] = checkpoint[name]
    report["unexpected"] = [name for name in checkpoint if name not in state]
    if not report["loaded"]:
        raise ValueError("nothing fits")
    return state, report


@exercise.mistake(
    "Your new state also takes in what only the checkpoint has. The network has no place for it: report it, and leave "
    "it out."
)
def unexpected_taken_over(state, checkpoint):
    report = {"loaded": [], "missing": [], "mismatched": [], "unexpected": []}
    new_state = {name: values.copy() for name, values in state.items()}
    for name in state:
        if name not in checkpoint:
            report["missing"].append(name)
        elif checkpoint[name].shape != state[name].shape:
            report["mismatched"].append(name)
        else:
            report["loaded"].append(name)
            new_state[name] = checkpoint[name].copy()
    for name in checkpoint:
        if name not in state:
            report["unexpected"].append(name)
            new_state[name] = checkpoint[name].copy()
    if not report["loaded"]:
        raise ValueError("nothing fits")
    return new_state, report


@exercise.mistake(
    "Your lists are sorted by the alphabet. Keep the order of the network, which is the order of its layers, and for "
    "the unexpected that of the checkpoint."
)
def by_the_alphabet(state, checkpoint):
    new_state, loaded, mismatched = {}, [], []
    for name in state:
        fits = name in checkpoint and checkpoint[name].shape == state[name].shape
        new_state[name] = (checkpoint if fits else state)[name].copy()
        if fits:
            loaded.append(name)
        elif name in checkpoint:
            mismatched.append(name)
    if not loaded:
        raise ValueError("nothing fits")
    missing, unexpected = sorted(set(state) - set(checkpoint)), sorted(set(checkpoint) - set(state))
    return new_state, {
        "loaded": sorted(loaded),
        "missing": missing,
        "mismatched": sorted(mismatched),
        "unexpected": unexpected,
    }


@exercise.alternative
def by_sets_and_lists(state, checkpoint):
    common = [name for name in state if name in checkpoint]
    loaded = [name for name in common if np.shape(state[name]) == np.shape(checkpoint[name])]
    if len(loaded) == 0:
        raise ValueError("nothing to load")
    report = {
        "unexpected": [name for name in checkpoint if name not in state],
        "mismatched": [name for name in common if name not in loaded],
        "missing": [name for name in state if name not in common],
        "loaded": loaded,
    }
    return {name: np.array(checkpoint[name] if name in loaded else values) for name, values in state.items()}, report


@exercise.alternative
def copied_first(state, checkpoint):
    new_state = {}
    for name in state:
        new_state[name] = np.array(state[name], copy=True)
    report = dict(loaded=[], missing=[], mismatched=[], unexpected=[])
    for name, values in checkpoint.items():
        if name not in state:
            report["unexpected"].append(name)
        elif values.shape == state[name].shape:
            new_state[name][...] = values
    for name in state:
        if checkpoint.get(name) is None:
            report["missing"].append(name)
        elif checkpoint[name].shape == state[name].shape:
            report["loaded"].append(name)
        else:
            report["mismatched"].append(name)
    if report["loaded"] == []:
        raise ValueError("nothing fits")
    return [new_state, report]
