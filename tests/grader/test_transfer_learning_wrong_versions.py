"""Wrong answers to the exercises of chapter 7 that are nearly right, or that students really write: each loses points.

Known mistakes, which get a hint of their own, stand with their exercises, and `verify` proves them.
"""

import pytest

from grader.exercises.transfer_learning import chapter
from tests.grader.wrong_versions import listed, verdict

pytestmark = pytest.mark.filterwarnings("ignore::RuntimeWarning")

LOOKS_FOR_THE_HEAD = 'if head == "" or head not in layers or not list(layers[head].parameters()):'
ZEROS = "    nn.init.zeros_(linear.weight)\n    nn.init.zeros_(linear.bias)\n"
PUT_IN_PLACE = "    setattr(layers[parent], name, linear)\n"
NEAR_ENOUGH = "behind.mean() <= behind.std(ddof=1) / np.sqrt(len(behind))"
SCHEDULED = "layers[len(layers) - trainable :]"
COPIED = '(checkpoint if status == "loaded" else state)[name].copy()'

# Of each exercise: a piece of the reference, and what a student may write in its place against the docstring. The
# public cases catch these, and none of them is told the hint of another mistake.
CAUGHT_AT_ONCE = {
    "freeze_backbone": [
        ("frozen.requires_grad_(False)\n", "layers[head].requires_grad_(False)\n"),
        ("    frozen.requires_grad_(False)\n", ""),
        ("    frozen.eval()\n    layers[head].requires_grad_(True)\n    layers[head].train()\n",
         "    layers[head].requires_grad_(True)\n"),
        ("layers[head].train()", "frozen.train()"),
        ("layers[head].requires_grad_(True)", "frozen.requires_grad_(True)"),
        ("return frozen", "return layers[head]"),
        ("return frozen", "return list(frozen.parameters())"),
        ("return frozen", "return network"),
        ("return frozen", "return frozen.state_dict()"),
        ("return frozen", "for weights in frozen.parameters(): nn.init.zeros_(weights)\n    return frozen"),
        ("return frozen", "return nn.Sequential(frozen)"),
        ("raise ValueError(", "return frozen  # ("),
        ("raise ValueError(", "raise KeyError("),
        (LOOKS_FOR_THE_HEAD, "if head not in layers or not list(layers[head].parameters()):"),
        (LOOKS_FOR_THE_HEAD, 'if head == "" or head not in layers or not list(layers[head].children()):'),
        ("frozen.eval()", "frozen.apply(lambda layer: layer.eval() if isinstance(layer, nn.Dropout) else layer)"),
    ],
    "replace_head": [
        (ZEROS, ""),
        ("    nn.init.zeros_(linear.weight)\n", ""),
        ("    nn.init.zeros_(linear.bias)\n", ""),
        ("nn.init.zeros_(linear.bias)", "nn.init.ones_(linear.bias)"),
        (PUT_IN_PLACE, "    setattr(replaced, name, linear)\n"),
        ("nn.Linear(layers[head].in_features, classes)", "nn.Linear(layers[head].in_features, classes + 1)"),
        ("nn.Linear(layers[head].in_features, classes)", "nn.Linear(2, classes)"),
        ("linear = nn.Linear(", "linear = nn.Bilinear(1, "),
        ("return replaced", "return linear"),
        ("return replaced", "return replaced.eval()"),
        ("return replaced", "return replaced.train()"),
        ("return replaced", "return replaced.requires_grad_(False)"),
        ("return replaced", "return nn.Sequential(*replaced.children())"),
        ("classes < 1", "not classes"),
        ("    setattr(layers[parent], name, linear)", "    delattr(layers[parent], name)\n    replaced.new = linear"),
    ],
    "extract_features": [
        ("deepcopy(network).eval()", "deepcopy(network).train()"),
        ("outputs[0].flatten(1).numpy()", "outputs[0].flatten(1)"),
        ("outputs[0].flatten(1).numpy()", "outputs[0].flatten(1).tolist()"),
        ("outputs[0].flatten(1).numpy()", "outputs[0].flatten(1).numpy().astype(int)"),
        ("outputs[0].flatten(1).numpy()", "outputs[0].flatten(1).numpy()[:1]"),
        ("outputs[0].flatten(1).numpy()", "outputs[0].flatten(1).numpy().T"),
        ("outputs[0].flatten(1)", "outputs[0].movedim(1, -1).flatten(1)"),
        ("outputs[0].flatten(1)", "outputs[0].flatten(1).abs()"),
        ("outputs[0].flatten(1)", "torch.relu(outputs[0].flatten(1))"),
        ("outputs[0].flatten(1)", "nn.functional.normalize(outputs[0].flatten(1))"),
        ("outputs[0].flatten(1)", "torch.softmax(outputs[0].flatten(1), 1)"),
        ("probed(images)", "probed(images[:1])"),
        ("probed(images)", "probed(images + 1)"),
        ("raise ValueError(", "layer = 'relu'  # ("),
        ("raise ValueError(", "return images.numpy()  # ("),
        ("    probed = deepcopy(network).eval()", "    images += 1\n    probed = deepcopy(network).eval()"),
    ],
    "linear_probe": [
        ("features.mean(axis=0)\n", "features.mean()\n"),
        ("features.mean(axis=0)\n", "features.mean(axis=1)[0]\n"),
        ("features.mean(axis=0)\n", "np.median(features, axis=0)\n"),
        ("centred = features - mean", "centred = features + mean"),
        ("targets.mean(axis=0)", "1 / classes"),
        ("targets.mean(axis=0)", "targets.sum(axis=0)"),
        ("+ penalty * np.eye", "- penalty * np.eye"),
        ("+ penalty * np.eye", "+ penalty**2 * np.eye"),
        ("+ penalty * np.eye", "+ penalty / 2 * np.eye"),
        ("+ penalty * np.eye", "+ np.sqrt(penalty) * np.eye"),
        ("centred.T @ centred", "centred.T @ centred / len(features)"),
        ("centred.T @ centred", "features.T @ features"),
        ("@ weights + shares", "@ weights - shares"),
        ("return (new_features - mean) @ weights + shares", "return ((new_features - mean) @ weights + shares).T"),
        ("return (new_features - mean) @ weights + shares", "return weights"),
        ("return (new_features - mean) @ weights + shares",
         "return np.clip((new_features - mean) @ weights + shares, 0, 1)"),
        ("return (new_features - mean) @ weights + shares",
         "scores = np.exp((new_features - mean) @ weights + shares)\n    return scores / scores.sum(1, keepdims=True)"),
        ("range(classes)", "range(1, classes)"),
        ("    mean = features.mean(axis=0)\n    centred = features - mean",
         "    mean = features.mean(axis=0)\n    features -= mean\n    centred = features"),
    ],
    "parameter_groups": [
        ("factor * learning_rate", "learning_rate - factor"),
        ("factor * learning_rate", "learning_rate * (1 - factor)"),
        ("factor * learning_rate", "learning_rate * factor**2"),
        ("factor * learning_rate", "0.0"),
        ("weights.ndim > 1", "weights.ndim > 2"),
        ("weights.ndim > 1", "weights.ndim == 2"),
        ("weights.ndim > 1", "weights.numel() > 1"),
        ("weight_decay if decays", "0.01 if decays"),
        ("weight_decay if decays", "weight_decay * rate if decays"),
        ('"names": names', '"names": sorted(names)'),
        ('"names": names', '"names": [name.partition(".")[0] for name in names]'),
        ('"names": names', '"params": names'),
        ('"names": names', '"names": tuple(names[:1])'),
        ('"lr": rate', '"learning_rate": rate'),
        ("return groups", "return {group['lr']: group['names'] for group in groups}"),
        ("return groups", "return groups[-1:]"),
        ("0 < factor <= 1", "0 <= factor <= 1"),
        ("0 < factor <= 1", "0 < factor"),
        ("weights.requires_grad}", "weights.requires_grad or head in name}"),
        ("raise ValueError(f\"no trainable", "return []  # (f\"no trainable"),
    ],
    "unfreeze_schedule": [
        ("range(epochs)", "range(1, epochs + 1)"),
        ("range(epochs)", "range(epochs - 1)"),
        ("range(epochs)", "range(warm_up + epochs)"),
        (SCHEDULED, "layers[-trainable - 1 :]"),
        (SCHEDULED, "layers[: len(layers) - trainable]"),
        (SCHEDULED, "set(layers[len(layers) - trainable :])"),
        (SCHEDULED, "sorted(layers[len(layers) - trainable :])"),
        (SCHEDULED, "trainable"),
        (SCHEDULED, "' '.join(layers[len(layers) - trainable :])"),
        ("schedule.append(", "schedule.extend("),
        ("min(1 + joined, len(layers))", "min(joined, len(layers))"),
        ("min(1 + joined, len(layers))", "min(2 + joined, len(layers))"),
        ("1 + (epoch - warm_up) // every", "every"),
        ("1 + (epoch - warm_up) // every", "round((epoch - warm_up) / every) + 1"),
        ("epoch >= warm_up else 0", "epoch >= warm_up else -1"),
        ("raise ValueError(\"there", "return []  # (\"there"),
        ("raise ValueError(f\"every", "every = 1  # (f\"every"),
    ],
    "choose_strategy": [
        ("-accuracies[name].mean()", "-np.median(accuracies[name])"),
        ("-accuracies[name].mean()", "-accuracies[name].min()"),
        ("-accuracies[name].mean()", "-accuracies[name][0]"),
        (NEAR_ENOUGH, "behind.mean() <= 0.05"),
        (NEAR_ENOUGH, "behind.mean() <= behind.var(ddof=1) / np.sqrt(len(behind))"),
        (NEAR_ENOUGH, "behind.mean() <= behind.std(ddof=1) / np.sqrt(len(behind) - 1)"),
        (NEAR_ENOUGH, "behind.mean() <= behind.std(ddof=1) / 2"),
        (NEAR_ENOUGH, "behind.mean() <= accuracies[name].std(ddof=1) / np.sqrt(len(behind))"),
        (NEAR_ENOUGH, "behind.min() <= 0"),
        ("sorted(accuracies, key", "sorted(sorted(accuracies), key"),
        ("len(runs) != 1 or min(runs) < 2", "False"),
        (NEAR_ENOUGH, "np.median(behind) <= behind.std(ddof=1) / np.sqrt(len(behind))"),
        ("return min(good_enough, key=lambda name: trainable[name])", "return good_enough"),
        ("return min(good_enough, key=lambda name: trainable[name])", "return good_enough[-1]"),
        ("return min(good_enough, key=lambda name: trainable[name])",
         "return trainable[min(good_enough, key=lambda name: trainable[name])]"),
        ("return min(good_enough, key=lambda name: trainable[name])", "return min(good_enough)"),
        ("raise ValueError(", "return list(accuracies)[0]  # ("),
        ("raise ValueError(", "return None  # ("),
    ],
    "nearest_neighbours": [
        ("np.linalg.norm(features, axis=1)", "np.linalg.norm(features, axis=1) ** 2"),
        ("np.linalg.norm(features, axis=1)", "np.sqrt(np.linalg.norm(features, axis=1))"),
        ("np.linalg.norm(features, axis=1)", "np.abs(features).sum(axis=1)"),
        ("np.linalg.norm(features, axis=1)", "features.sum(axis=1)"),
        ("np.linalg.norm(features, axis=1)", "np.linalg.norm(features, axis=1).astype(int)"),
        ("directions @ directions[query]", "directions @ directions[0]"),
        ("directions @ directions[query]", "directions @ directions[query] > 0.5"),
        ("order[order != query][:k]", "order[order != query]"),
        ("order[order != query][:k]", "features[order[order != query][:k]]"),
        ("order[order != query][:k]", "similarities[order[order != query][:k]]"),
        ("order[order != query][:k]", "np.sort(order[order != query][:k])"),
        ("order[order != query][:k]", "order[order != query][:k] + 1"),
        ("order[order != query][:k]", "order[order != query][:k].astype(float)"),
        ("order[order != query][:k]", "order[similarities[order] < 1 - 1e-9][:k]"),
        ("order[order != query][:k]", "order[order != query][:k][::-1]"),
        ("0 <= query <= others", "query <= others"),
        ("1 <= k <= others", "k <= others"),
        ("1 <= k <= others", "1 <= k <= others + 1"),
        ("    lengths =", "    features /= 2\n    lengths ="),
        ("    lengths =", "    features = features.astype(int)\n    lengths ="),
    ],
    "load_matching": [
        ("!= values.shape", "> values.shape"),
        ("checkpoint[name].shape != values.shape", "checkpoint[name].ndim != values.ndim"),
        ("checkpoint[name].shape != values.shape", "len(checkpoint) != len(state)"),
        ("checkpoint[name].shape != values.shape", "set(checkpoint[name].shape) != set(values.shape)"),
        (COPIED, "(state if status == \"loaded\" else checkpoint).get(name, values).copy()"),
        (COPIED, "(checkpoint[name].copy() if status == \"loaded\" else 0 * values)"),
        (COPIED, "(checkpoint[name].copy() if status == \"loaded\" else None)"),
        (COPIED, "(checkpoint if status == \"loaded\" else state)[name].astype(int)"),
        (COPIED, "np.resize(checkpoint.get(name, values), values.shape)"),
        ("return new_state, report", "return report, new_state"),
        ("return new_state, report", "return new_state"),
        ("return new_state, report", "return new_state, {status: set(names) for status, names in report.items()}"),
        ("return new_state, report", "return new_state, {status: len(names) for status, names in report.items()}"),
        ("return new_state, report", "return new_state, {status: names for status, names in report.items() if names}"),
        ("for name in checkpoint if name not in state]", "for name in sorted(checkpoint) if name not in state]"),
        ("for name in checkpoint if name not in state]",
         "for name in checkpoint if name not in state or name in report['missing']][::-1]"),
        ("raise ValueError(", "report['missing'] = []  # ("),
        ('not report["loaded"]', 'not report["loaded"] and not report["mismatched"]'),
        ('not report["loaded"]', 'len(report["loaded"]) < 2'),
        ('not report["loaded"]', 'not report["loaded"] and report["missing"]'),
        ("for name, values in state.items():", "for name, values in sorted(state.items()):"),
    ],
}  # fmt: skip

# And these are told the hint of the known mistake named last, of which each is another spelling.
RECOGNISED = [
    ("freeze_backbone", LOOKS_FOR_THE_HEAD, 'if head == "" or head not in layers or "." in head:',
     "outermost_layers_only"),
    ("replace_head", PUT_IN_PLACE, "", "number_of_outputs_only"),
    ("replace_head", "return replaced", "return network", "number_of_outputs_only"),
    ("replace_head", "classes < 1", "classes != classes", "no_classes_accepted"),
    ("linear_probe", "range(classes)", "range(len(np.unique(labels)))", "last_class_overlooked"),
    ("linear_probe", 'raise ValueError(f"class', 'continue  # (f"class', "empty_class_accepted"),
    ("choose_strategy", NEAR_ENOUGH, "behind.mean() <= 0", "always_the_best"),
    ("choose_strategy", NEAR_ENOUGH, "behind.mean() <= 2 * behind.std(ddof=1) / np.sqrt(len(behind))",
     "two_standard_errors"),
    ("choose_strategy", "trainable[name]))", "-trainable[name]))", "equal_means_by_order"),
    ("nearest_neighbours", "directions @ directions[query]", "features @ directions[query]",
     "products_without_lengths"),
    ("nearest_neighbours", "order[order != query][:k]", "order[order != query][: k - 1]", "one_too_few"),
    ("freeze_backbone", "    frozen.eval()\n    layers[head].requires_grad_(True)\n    layers[head].train()\n",
     "    layers[head].requires_grad_(True)\n    layers[head].train()\n", "statistics_go_on"),
    ("freeze_backbone", "layers[head].train()", "layers[head].eval()", "head_in_evaluation_mode"),
    ("freeze_backbone", "layers[head].requires_grad_(True)", "layers[head].requires_grad_(False)",
     "freezes_the_head_too"),
    ("replace_head", PUT_IN_PLACE, "    setattr(replaced, head, linear)\n", "inner_layers_overlooked"),
    ("replace_head", "return replaced", "network.requires_grad_(False)\n    return replaced", "changes_the_original"),
    ("extract_features", "outputs[0].flatten(1)", "outputs[0].reshape(-1)", "all_images_in_one_row"),
    ("extract_features", "output.clone()", "output.detach()", "overwritten_in_place"),
    ("linear_probe", "@ weights + shares", "@ weights + 0.0", "no_constant"),
    ("linear_probe", "+ penalty * np.eye(features.shape[1])", "+ np.diag(np.ones(features.shape[1]))",
     "penalty_fixed"),
    ("linear_probe", "penalty <= 0", "penalty != penalty", "no_penalty_accepted"),
    ("parameter_groups", "learning_rate if in_head else factor * learning_rate",
     "(factor if in_head else 1) * learning_rate", "rates_exchanged"),
    ("parameter_groups", "weight_decay if decays else 0.0", "weight_decay", "biases_decay"),
    ("unfreeze_schedule", SCHEDULED, "list(reversed(layers))[:trainable]", "in_the_order_of_joining"),
    ("unfreeze_schedule", SCHEDULED, "[layers[-trainable]]", "one_layer_at_a_time"),
    ("choose_strategy", "behind.std(ddof=1)", "np.std(behind)", "divides_by_all_seeds"),
    ("choose_strategy", NEAR_ENOUGH, "behind.mean() <= 1", "always_the_cheapest"),
    ("choose_strategy", "accuracies[ranking[0]] - accuracies[name]", "accuracies[name] - accuracies[ranking[0]]",
     "always_the_cheapest"),
    ("nearest_neighbours", "order[order != query][:k]", "order[1:][:k]", "first_place_left_out"),
    ("nearest_neighbours", 'np.argsort(-similarities, kind="stable")', 'np.argsort(1 + similarities, kind="stable")',
     "least_alike_first"),
    ("load_matching", "checkpoint[name].shape != values.shape", "np.size(checkpoint[name]) != np.size(values)",
     "sizes_for_shapes"),
    ("load_matching", 'raise ValueError(', 'pass  # (', "nothing_loaded_without_a_word"),
]  # fmt: skip


@pytest.mark.parametrize(("name", "right", "wrong"), listed(CAUGHT_AT_ONCE))
def test_a_small_change_loses_points_by_public_cases_and_gets_no_hint_for_another_mistake(name, right, wrong):
    found = verdict(name, right, wrong)
    assert found.points < found.max_points
    assert found.mistake is None


@pytest.mark.parametrize(("name", "right", "wrong", "mistake"), RECOGNISED)
def test_a_known_mistake_in_another_spelling_is_recognised(name, right, wrong, mistake):
    found = verdict(name, right, wrong)
    assert found.points < found.max_points
    assert found.mistake.name == mistake


@pytest.mark.parametrize("exercise", chapter.exercises.values(), ids=chapter.exercises)
def test_every_exercise_has_three_hints_and_its_defaults_are_tried(exercise):
    assert len(exercise.hints) == 3
    defaults = {one.partition("=")[0] for one in exercise.sheet().parameters if "=" in one}
    assert all(any(name not in arguments for _, arguments in exercise.public_cases) for name in defaults)
