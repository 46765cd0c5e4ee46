"""What the update-ratio plot measures, against torch's own updates and the exercise's reference."""

import copy
import json

import numpy as np
import pytest
import torch
from torch import nn

from grader.exercises import all_exercises
from labutils.data import Examples, Split
from labutils.training import train
from labutils.widgets import UpdateRatioPlot

LAYERS = ["0.weight", "2.weight"]


def network(seed=0):
    torch.manual_seed(seed)
    return nn.Sequential(nn.Linear(5, 7), nn.Tanh(), nn.Linear(7, 3))


def noise(examples=64, seed=0):
    generator = torch.Generator().manual_seed(seed)
    drawn = Examples(torch.randn(examples, 5, generator=generator), torch.randint(3, (examples,), generator=generator))
    return Split(drawn, drawn)


def measured(every, epochs, optimizer=torch.optim.SGD, model=None, **settings):
    """A plot after a training of 8 steps per epoch, and the weights before the first step and after each one."""
    model = model or network()
    plot, states = UpdateRatioPlot(every=every), [copy.deepcopy(model.state_dict())]

    def measure(step, model):
        plot.measure(step, model)
        states.append(copy.deepcopy(model.state_dict()))

    optimizer = optimizer(model.parameters(), **settings)
    train(model, noise(), optimizer, epochs=epochs, batch_size=8, on_step=measure, device="cpu")
    return plot, states


@pytest.mark.parametrize("every, epochs", [(1, 2), (3, 4), (10, 5)])
@pytest.mark.parametrize("optimizer, rate", [(torch.optim.SGD, 0.1), (torch.optim.Adam, 0.01)])
def test_ratios_are_those_of_the_saved_weights(every, epochs, optimizer, rate):
    plot, states = measured(every, epochs, optimizer, lr=rate)
    first = every if every > 1 else 2  # nobody has seen the weights before step 1
    assert plot.steps.tolist() == list(range(first, 8 * epochs + 1, every))
    update_ratio = all_exercises()["update_ratio"].reference_function
    for place, step in enumerate(plot.steps):
        before, after = ({name: states[i][name].double().numpy() for name in LAYERS} for i in (step - 1, step))
        for name in LAYERS:
            torch_ratio = torch.linalg.norm(states[step][name] - states[step - 1][name]) / states[step - 1][name].norm()
            assert plot.ratios[name][place] == pytest.approx(torch_ratio.item(), rel=1e-4)
            assert plot.ratios[name][place] == pytest.approx(update_ratio(before, after)[name], rel=1e-4)


def test_a_long_training_stays_bounded_and_evenly_spaced():
    plot, states = measured(1, 100, lr=0.1)
    assert 64 <= len(plot.steps) < 128
    assert len(set(np.diff(plot.steps))) == 1 and plot.steps[-1] > 780
    last = plot.steps[-1]
    before, after = (states[step]["0.weight"] for step in (last - 1, last))
    assert plot.ratios["0.weight"][-1] == pytest.approx(((after - before).norm() / before.norm()).item(), rel=1e-4)
    assert len(json.dumps(plot.get_state(), default=lambda buffer: "x" * (4 * len(buffer) // 3))) < 10_000


def test_what_is_not_trained_is_not_shown_and_what_does_not_move_has_no_ratio():
    model = network()
    model[0].weight.requires_grad_(False)
    plot, _ = measured(2, 1, model=model, lr=0.0)
    assert plot.ratios.keys() == {"2.weight"}
    assert np.isnan(plot.ratios["2.weight"]).all() and len(plot.steps) == 4
    plot.still()


def test_of_a_deep_network_eight_layers_are_shown():
    model = nn.Sequential(*(nn.Linear(5, 5) for _ in range(20)))
    plot, _ = measured(2, 1, model=model, lr=0.1)
    assert len(plot.ratios) == 8
    assert {"0.weight", "19.weight"} <= plot.ratios.keys()


def test_a_new_training_clears_the_plot():
    plot = UpdateRatioPlot(every=2)
    assert plot.steps.size == 0 and plot.ratios == {}
    for model, epochs in ((network(), 3), (nn.Sequential(nn.Linear(5, 3)), 1)):
        optimizer = torch.optim.SGD(model.parameters(), 0.1)
        train(model, noise(), optimizer, epochs=epochs, batch_size=8, on_step=plot.measure)
    assert plot.steps.tolist() == [2, 4, 6, 8] and plot.ratios.keys() == {"0.weight"}


def test_measuring_changes_nothing():
    alone, watched = network(), network()
    for model, on_step in ((alone, None), (watched, UpdateRatioPlot(every=1).measure)):
        train(model, noise(), torch.optim.SGD(model.parameters(), 0.1), epochs=2, on_step=on_step)
    assert all(torch.equal(one, other) for one, other in zip(alone.parameters(), watched.parameters()))


def test_fixed_text_and_clear_errors():
    plot = UpdateRatioPlot(every=5)
    before = plot.describe()
    model = network()
    train(model, noise(), torch.optim.SGD(model.parameters(), 0.1), epochs=2, on_step=plot.measure)
    data, _ = plot._repr_mimebundle_()
    assert data["text/plain"] == before and f'alt="{before}"' in data["text/html"]
    with pytest.raises(ValueError, match="every is 0.*whole number from 1"):
        UpdateRatioPlot(every=0)
    with pytest.raises(ValueError, match="no layer to measure"):
        UpdateRatioPlot(every=1).measure(1, nn.ReLU())
