"""The references of chapter 7 against someone else's: torch at work, scikit-learn, scipy and closed formulas.

Every random setting comes from hypothesis, which draws the same ones each time and shrinks a failure.
"""

from collections import OrderedDict
from copy import deepcopy

import numpy as np
import pytest
import torch
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from scipy import stats
from scipy.spatial.distance import cdist
from sklearn.linear_model import Ridge
from sklearn.neighbors import NearestNeighbors
from torch import nn
from torch.nn import functional

from grader.exercises.transfer_learning.choose_strategy import choose_strategy
from grader.exercises.transfer_learning.extract_features import extract_features
from grader.exercises.transfer_learning.freeze_backbone import freeze_backbone
from grader.exercises.transfer_learning.linear_probe import linear_probe
from grader.exercises.transfer_learning.load_matching import load_matching
from grader.exercises.transfer_learning.nearest_neighbours import nearest_neighbours
from grader.exercises.transfer_learning.parameter_groups import parameter_groups
from grader.exercises.transfer_learning.replace_head import replace_head
from grader.exercises.transfer_learning.unfreeze_schedule import unfreeze_schedule
from labutils import networks
from labutils.checks.comparing import difference

draws = settings(max_examples=25, deadline=None)

seeds = st.integers(0, 2**32 - 1)
counts = st.integers(1, 6)


def train(network, images, labels, parameters, steps=3):
    """A few steps of descent on all that `parameters` holds, in whatever modes the layers are in."""
    optimizer = torch.optim.SGD(parameters)
    for _ in range(steps):
        optimizer.zero_grad()
        functional.cross_entropy(network(images), labels).backward()
        optimizer.step()


def few_images(seed, count=6):
    generator = torch.Generator().manual_seed(seed)
    return torch.rand(count, 1, 4, 4, generator=generator), torch.arange(count) % 3


# -- networks --------------------------------------------------------------------------------------------------------


@given(seeds, st.sampled_from(["classifier", "classifier.1", "body", "stem"]))
@draws
def test_training_a_frozen_network_changes_its_head_alone(seed, head):
    network = networks.conv_network(channels=3, seed=seed)
    frozen = freeze_backbone(network, head)
    before = deepcopy(frozen.state_dict())
    for name, weights in frozen.named_parameters():
        assert weights.requires_grad == name.startswith(f"{head}.")
    train(frozen, *few_images(seed), [{"params": frozen.parameters(), "lr": 0.1, "weight_decay": 0.5}])
    for name, values in frozen.state_dict().items():
        assert name.startswith(f"{head}.") or torch.equal(values, before[name]), name
    trainable = [name for name in before if name.startswith(f"{head}.") and "running" not in name]
    assert any(not torch.equal(frozen.state_dict()[name], before[name]) for name in trainable)
    assert difference(network, networks.conv_network(channels=3, seed=seed), exact=True) is None


@given(seeds, counts)
@draws
def test_a_new_head_answers_zero_for_every_class_and_leaves_the_features_alone(seed, classes):
    network = networks.conv_network(seed=seed, training=False)
    images, _ = few_images(seed)
    replaced = replace_head(network, "classifier.1", classes)
    assert torch.equal(replaced(images), torch.zeros(len(images), classes))
    assert np.array_equal(extract_features(replaced, images, "flatten"), extract_features(network, images, "flatten"))
    assert network(images).shape == (len(images), 3)


@given(seeds, st.sampled_from(["stem", "body", "flatten", "classifier", "classifier.1"]), st.booleans())
@draws
def test_features_are_what_the_layers_up_to_there_compute(seed, layer, training):
    network = networks.conv_network(seed=seed, training=training)
    images, _ = few_images(seed)
    layers = list(deepcopy(network).eval().named_children())
    names = [name for name, _ in layers]
    upto = [part for _, part in layers[: names.index(layer.split(".")[0]) + 1]]
    with torch.no_grad():
        expected = nn.Sequential(*upto)(images).flatten(1).numpy()
    np.testing.assert_allclose(extract_features(network, images, layer), expected, rtol=1e-6, atol=1e-6)
    one_by_one = [extract_features(network, images[i : i + 1], layer)[0] for i in range(len(images))]
    np.testing.assert_allclose(one_by_one, expected, rtol=1e-5, atol=1e-5)


def test_a_network_of_another_make_goes_the_same_way():
    """Parts that a forward pass of its own puts together, as torchvision's networks do."""

    class Residual(nn.Module):
        def __init__(self):
            super().__init__()
            self.conv1 = nn.Conv2d(1, 4, 3, padding=1)
            self.bn1 = nn.BatchNorm2d(4)
            self.relu = nn.ReLU(inplace=True)
            self.avgpool = nn.AdaptiveAvgPool2d(1)
            self.fc = nn.Linear(4, 1000)

        def forward(self, x):
            x = self.relu(self.bn1(self.conv1(x)))
            return self.fc(torch.flatten(self.avgpool(x), 1))

    torch.manual_seed(0)
    network = Residual()
    images, labels = few_images(0)
    codes = extract_features(network, images, "avgpool")
    target = freeze_backbone(replace_head(network, "fc", 3), "fc")
    assert codes.shape == (6, 4) and target(images).shape == (6, 3)
    groups = parameter_groups(target, "fc", 0.5)
    assert groups == [{"names": ["fc.weight", "fc.bias"], "lr": 0.5, "weight_decay": 0.0}]
    train(target, images, labels, [{"params": target.parameters(), "lr": 0.5}])
    assert np.array_equal(extract_features(target, images, "avgpool"), codes)
    assert not torch.equal(target.fc.weight, torch.zeros(3, 4))


@given(seeds, st.floats(0.01, 1), st.floats(0, 1), st.booleans(), st.sampled_from(["", "stem", "body", "stem.0"]))
@draws
def test_groups_hold_each_trainable_weight_once_and_train_as_they_say(seed, factor, decay, decay_biases, frozen):
    network = networks.conv_network(seed=seed, frozen=frozen).eval()
    weights = dict(network.named_parameters())
    groups = parameter_groups(network, "classifier", 0.25, factor, decay, decay_biases)
    names = [name for group in groups for name in group["names"]]
    assert sorted(names) == sorted(name for name in weights if weights[name].requires_grad)
    assert all(group["names"] for group in groups)
    before = {name: values.detach().clone() for name, values in weights.items()}
    optimizer = torch.optim.SGD([{**group, "params": [weights[name] for name in group["names"]]} for group in groups])
    images, labels = few_images(seed)
    functional.cross_entropy(network(images), labels).backward()
    optimizer.step()
    for name, values in weights.items():
        gradient = torch.zeros_like(values) if values.grad is None else values.grad
        rate = 0.25 if name.startswith("classifier") else 0.25 * factor
        decays = decay if decay_biases or values.ndim > 1 else 0.0
        step = rate * (gradient + decays * before[name]) if values.requires_grad else 0 * gradient
        torch.testing.assert_close(values.detach(), before[name] - step, rtol=1e-5, atol=1e-6)


@given(seeds, st.integers(0, 3), st.integers(0, 3))
@draws
def test_what_is_loaded_is_what_torch_would_load(seed, left_out, added):
    network = networks.conv_network(seed=seed)
    donor = networks.conv_network(classes=5, seed=seed + 1)
    state = {name: values.numpy() for name, values in network.state_dict().items()}
    checkpoint = {name: values.numpy() for name, values in donor.state_dict().items()}
    for name in list(checkpoint)[:left_out]:
        del checkpoint[name]
    checkpoint |= {f"extra{number}": np.ones(2) for number in range(added)}
    new_state, report = load_matching(state, checkpoint)
    assert report["mismatched"] == ["classifier.1.weight", "classifier.1.bias"]
    fitting = {name: torch.tensor(checkpoint[name]) for name in checkpoint if name not in report["mismatched"]}
    told = network.load_state_dict(fitting, strict=False)
    assert told.missing_keys == [name for name in state if name in report["missing"] + report["mismatched"]]
    assert told.unexpected_keys == report["unexpected"]
    for name, values in network.state_dict().items():
        assert np.array_equal(new_state[name], values.numpy()), name


# -- the probe -------------------------------------------------------------------------------------------------------


@given(seeds, st.integers(2, 4), st.integers(4, 30), st.integers(1, 12), st.floats(1e-3, 1e3))
@draws
def test_the_probe_is_scikit_learns_ridge(seed, classes, examples, features, penalty):
    rng = np.random.default_rng(seed)
    x = rng.normal(size=(examples, features)) * rng.uniform(0.5, 5, features) + rng.uniform(-5, 5, features)
    labels = rng.permutation(np.arange(examples) % classes)
    new = rng.normal(size=(7, features))
    ridge = Ridge(alpha=penalty, solver="svd").fit(x, np.eye(classes)[labels])
    scores = linear_probe(x, labels, new, classes, penalty)
    np.testing.assert_allclose(scores, ridge.predict(new), rtol=1e-6, atol=1e-6)
    np.testing.assert_allclose(scores.sum(axis=1), 1)


@given(seeds, st.integers(2, 5))
@draws
def test_an_empty_class_is_named(seed, classes):
    rng = np.random.default_rng(seed)
    empty = int(rng.integers(classes))
    labels = rng.choice([label for label in range(classes) if label != empty], 40)
    assume(len(set(labels)) == classes - 1)
    with pytest.raises(ValueError, match=f"class {empty} has no example"):
        linear_probe(rng.normal(size=(40, 3)), labels, np.zeros((1, 3)), classes)


# -- schedule, choice, neighbours ------------------------------------------------------------------------------------


@given(counts, st.integers(0, 12), st.integers(0, 5), st.integers(1, 4))
@draws
def test_layers_join_from_the_head_down_and_stay(layers, epochs, warm_up, every):
    names = [f"layer{number}" for number in range(layers)]
    schedule = unfreeze_schedule(names, epochs, warm_up, every)
    assert len(schedule) == epochs
    for epoch, learning in enumerate(schedule):
        joins = [0, *(warm_up + every * number for number in range(layers - 1))]  # of the head, the one before it, ...
        assert learning == names[layers - sum(epoch >= one for one in joins) :]


@given(seeds, st.integers(2, 12), st.integers(1, 5))
@draws
def test_the_choice_is_the_cheapest_that_a_paired_test_does_not_part_from_the_best(seed, runs, strategies):
    rng = np.random.default_rng(seed)
    luck = rng.uniform(size=runs)
    names = [f"strategy {number}" for number in range(strategies)]
    accuracies = {name: luck + rng.normal(rng.normal(0, 0.05), 0.1, runs) for name in names}
    trainable = {name: int(count) for name, count in zip(names, rng.permutation(strategies))}
    best = max(names, key=lambda name: accuracies[name].mean())
    as_good = [best]
    for name in names:
        if name != best and stats.ttest_rel(accuracies[best], accuracies[name]).statistic <= 1:
            as_good.append(name)
    assert choose_strategy(accuracies, trainable) == min(as_good, key=trainable.get)


@given(seeds, st.integers(2, 40), st.integers(2, 8), st.data())
@draws
def test_neighbours_are_those_of_scikit_learn_and_scipy(seed, rows, columns, data):
    rng = np.random.default_rng(seed)
    features = rng.normal(size=(rows, columns)) * 10.0 ** rng.uniform(-3, 3, (rows, 1))
    query, k = data.draw(st.integers(0, rows - 1)), data.draw(st.integers(1, rows - 1))
    found = nearest_neighbours(features, query, k)
    distances = cdist(features[[query]], features, "cosine")[0]
    others = np.delete(distances, query)
    assume(np.diff(np.sort(others)).min(initial=1) > 1e-9)
    assert found.tolist() == [row for row in np.argsort(distances, kind="stable") if row != query][:k]
    model = NearestNeighbors(metric="cosine", algorithm="brute").fit(np.delete(features, query, axis=0))
    theirs = model.kneighbors(features[[query]], k, return_distance=False)[0]
    assert found.tolist() == (theirs + (theirs >= query)).tolist()


def test_a_report_keeps_the_order_of_the_network():
    """Lists follow the network, whatever order the checkpoint has."""
    state = OrderedDict(b=np.zeros(1), a=np.zeros(1), c=np.zeros(1))
    checkpoint = OrderedDict(z=np.ones(1), c=np.ones(1), y=np.ones(1), b=np.ones(1))
    _, report = load_matching(state, checkpoint)
    assert report == {"loaded": ["b", "c"], "missing": ["a"], "mismatched": [], "unexpected": ["z", "y"]}
