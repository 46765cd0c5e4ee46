"""Networks as arguments and results of exercises: built anew for each call, and known by what they have become."""

import json
import subprocess
import sys
from copy import deepcopy
from functools import partial

import numpy as np
import pytest
import torch
from torch import nn

from grader.sandbox import wire
from labutils import networks
from labutils.checks.calling import call
from labutils.checks.comparing import describe, difference, kind_of
from labutils.checks.networks import Built, NetworkState, is_network, state_of
from labutils.checks.panels import show_call
from labutils.checks.values import decode, encode

BUILT = Built(partial(networks.dense_network, seed=1))


def through_json(value):
    return decode(json.loads(json.dumps(encode(value), allow_nan=False)))


def through_the_wire(outcome):
    data, arrays = wire.pack_outcome(outcome)
    return wire.unpack_outcome(json.loads(json.dumps(data)), arrays)


def frozen_copy(network):
    return deepcopy(network).requires_grad_(False)


def counts_a_batch(network):
    network(torch.ones(4, 3))
    return 0


def another_head(network):
    network.fc = nn.Linear(2, 2)
    return 0


CHANGES = {
    "a weight": lambda network: network.fc.weight.data.add_(1),
    "what is trainable": lambda network: network.fc1.requires_grad_(False),
    "the mode": lambda network: network.eval(),
    "the type of its numbers": lambda network: network.fc.double(),
    "a running mean": lambda network: network.norm.running_mean.zero_(),
    "the statistics, by a pass in training mode": counts_a_batch,
    "a layer": another_head,
    "a layer with a dot in its name": lambda network: setattr(network, "fc.weight", nn.Dropout()),
}


@pytest.mark.parametrize("build", [networks.dense_network, networks.conv_network])
@pytest.mark.parametrize("settings", [{}, {"seed": 3}, {"classes": 4, "training": False}])
def test_the_same_call_builds_the_same_network_and_draws_nothing_from_torchs_generator(build, settings):
    torch.manual_seed(0)
    one, other = build(**settings), build(**settings)
    assert one is not other and difference(one, other, exact=True) is None
    assert difference(one, build(**settings | {"seed": 9})) is not None
    eighths = [8 * weights.detach() for weights in one.parameters()]
    assert all(torch.equal(values, values.round()) for values in eighths)


def test_frozen_layers_and_modes_are_as_asked_for():
    network = networks.conv_network(frozen="stem", training=False)
    frozen = [name for name, weights in network.named_parameters() if not weights.requires_grad]
    assert frozen == ["stem.0.weight", "stem.1.weight", "stem.1.bias"]
    assert not any(layer.training for layer in network.modules())
    assert network(torch.ones(2, 1, 4, 4)).shape == (2, 3)


def test_each_call_has_a_network_of_its_own_and_returns_its_state():
    given = []

    def keeps(network):
        given.append(network)
        return frozen_copy(network)

    outcomes = [call(keeps, {"network": BUILT}, 5) for _ in range(2)]
    assert given[0] is not given[1] and all(is_network(network) for network in given)
    for outcome in outcomes:
        assert outcome.kind == "returned" and not outcome.changed
        assert kind_of(outcome.value) == "network" and describe(outcome.value) == "a torch network"
        assert not any(outcome.value.values["trainable"].values())
        assert difference(frozen_copy(BUILT.builder()), outcome.value) is None


@pytest.mark.parametrize("change", CHANGES.values(), ids=CHANGES.keys())
def test_whatever_changes_in_a_network_is_noticed(change):
    def spoils(network):
        change(network)
        return 0

    assert call(spoils, {"network": BUILT}, 5).changed == ("network",)
    network = networks.dense_network(seed=1)
    before = state_of(network)
    change(network)
    assert difference(before, network) is not None


def test_what_matters_to_nobody_is_no_change():
    network = networks.dense_network(seed=1)
    before = state_of(network)
    network.fc1.eval()
    network.relu.eval()
    network.fc(torch.ones(1, 2)).sum().backward()
    assert difference(before, network) is None


@pytest.mark.parametrize(
    ("change", "place"),
    [
        (CHANGES["a running mean"], "['norm.running_mean'][0]"),
        (CHANGES["what is trainable"], "['fc1.weight.requires_grad']"),
        (CHANGES["the mode"], "['norm.training']"),
        (CHANGES["a weight"], "['fc.weight'][0, 0]"),
    ],
)
def test_the_place_of_a_difference_is_named_as_torch_names_it(change, place):
    network = networks.dense_network(seed=1)
    change(network)
    assert difference(BUILT.state, network).place == place


def test_networks_go_to_the_child_as_calls_and_come_back_as_states():
    data, arrays = wire.pack_arguments({"network": BUILT})
    assert not arrays
    arguments = wire.unpack_arguments(json.loads(json.dumps(data)), arrays)
    outcome = call(frozen_copy, arguments, 5)
    back = through_the_wire(outcome).value
    assert isinstance(back, NetworkState) and difference(outcome.value, back, exact=True) is None
    assert difference(outcome.value, through_json(outcome.value), exact=True) is None
    assert isinstance(through_json(BUILT), Built) and through_json(BUILT).builder.keywords == {"seed": 1}


def test_a_call_shows_how_its_network_is_built():
    assert show_call("freeze", {"network": BUILT, "head": "fc"}) == (
        "freeze(network=networks.dense_network(seed=1), head='fc')"
    )
    assert show_call("freeze", {"network": Built(networks.conv_network)}) == "freeze(network=networks.conv_network())"
    assert show_call("f", {"images": torch.tensor([[0.5, 1.0]])}) == "f(images=torch.tensor([[0.5, 1.]]))"


class Hostile(nn.Module):
    def named_parameters(self, *_, **__):
        raise SystemExit


def turns_hostile(network):
    def raises(*_, **__):
        raise SystemExit

    network.named_parameters = raises
    return 0


class Grows(nn.Module):
    def __init__(self):
        super().__init__()
        self.weights = nn.Parameter(torch.zeros(10_000_000))


@pytest.mark.parametrize("make", [Hostile, Grows, lambda: nn.LazyLinear(3)])
def test_a_network_that_cannot_be_read_is_right_for_nothing(make):
    outcome = call(lambda: make(), {}, 5)
    assert outcome.kind == "returned"
    for value in (outcome.value, through_the_wire(outcome).value):
        assert difference(state_of(networks.dense_network()), value) is not None


def test_an_argument_that_is_made_unreadable_counts_as_changed():
    assert call(turns_hostile, {"network": BUILT}, 5).changed == ("network",)


def test_what_a_child_sends_is_never_built():
    """A recipe in place of an answer would let a submission choose what the grader computes, and how large."""
    calls = []
    bomb = Built(lambda: calls.append(1))
    state = state_of(networks.dense_network())
    for value in (bomb, NetworkState({"parameters": bomb}), [bomb]):
        assert difference(state, value) is not None and difference(value, state) is not None
    huge = {"built": {"function": "labutils.networks:dense_network", "fixed": {"width": 10**9}}}
    message = {**wire.pack_outcome(call(lambda: 0, {}, 1))[0], "value": huge}
    assert difference(state, wire.unpack_outcome(message, []).value) is not None
    assert not calls


@pytest.mark.parametrize("data", [{"network": 3}, {"network": [1]}, {"built": {"function": "os:system", "fixed": {}}}])
def test_what_is_no_network_is_refused(data):
    with pytest.raises(ValueError):
        decode(data)


def test_torch_is_not_imported_for_what_is_no_network():
    code = (
        "import sys, numpy as np\nfrom labutils.checks.calling import call\n"
        "from labutils.checks.values import encode\n"
        "call(lambda x: x, {'x': np.ones(2)}, 1), encode({'a': [1.0]})\nprint('torch' in sys.modules)"
    )
    found = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout
    assert found == "False\n"


def test_arrays_of_a_state_are_copies():
    network = networks.dense_network()
    state = state_of(network)
    network.fc.weight.data.zero_()
    assert np.any(state.values["parameters"]["fc.weight"])
