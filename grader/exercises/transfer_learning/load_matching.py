"""The exercise `load_matching`."""

from grader.exercises.transfer_learning.common import chapter

exercise = chapter.exercise(
    "load_matching",
    points=2,
    aspects={"what fits": 1, "other shapes": 1, "other names": 1, "nothing fits": 1},
    hints=("",),
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
