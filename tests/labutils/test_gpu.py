"""What is trained on a graphics card is what is trained on the processor, to the rounding of single precision."""

from functools import partial

import numpy as np
import pytest
import torch
from torch import nn
from torch.nn import functional

from labutils import at_scale, data, grid, sweep, train
from labutils.pretrained import glyph_network, load_pretrained

pytestmark = [
    pytest.mark.gpu,
    pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a graphics card that torch can use"),
]
DEVICES = ("cpu", "cuda")


@pytest.fixture(autouse=True)
def single_precision():
    """A card may else round the numbers that it multiplies to 10 bits (TF32)."""
    before = torch.backends.cudnn.allow_tf32, torch.backends.cuda.matmul.allow_tf32
    torch.backends.cudnn.allow_tf32 = torch.backends.cuda.matmul.allow_tf32 = False
    yield
    torch.backends.cudnn.allow_tf32, torch.backends.cuda.matmul.allow_tf32 = before


def in_double_precision(split):
    return data.Split(*(data.Examples(part.x.double(), part.y) for part in split))


@pytest.mark.parametrize(
    "make_model, images",
    [
        (lambda: nn.Sequential(nn.Linear(64, 16), nn.Tanh(), nn.Linear(16, 10)), False),
        (partial(glyph_network, 10), True),
    ],
    ids=["dense", "convolutional"],
)
def test_a_sweep_gives_the_same(make_model, images):
    digits = in_double_precision(data.digits(images=images))
    settings = grid(learning_rate=[0.05, 0.2], momentum=[0, 0.9], seed=[0, 1])
    on_cpu, on_card = (
        sweep(lambda: make_model().double(), digits, settings, epochs=2, device=device) for device in DEVICES
    )
    np.testing.assert_allclose(on_card.step_loss, on_cpu.step_loss, rtol=1e-6, atol=1e-9)
    np.testing.assert_allclose(on_card.validation_accuracy, on_cpu.validation_accuracy, atol=0.005)


def test_a_training_gives_the_same():
    def trained(device):
        network = glyph_network(10, seed=0).double().to(device)
        optimizer = torch.optim.SGD(network.parameters(), lr=0.1, momentum=0.5)
        return train(network, in_double_precision(data.digits(images=True)), optimizer, epochs=2, device=device)

    on_cpu, on_card = map(trained, DEVICES)
    np.testing.assert_allclose(on_card.step_loss, on_cpu.step_loss, rtol=1e-6, atol=1e-9)
    np.testing.assert_allclose(on_card.validation_loss, on_cpu.validation_loss, rtol=1e-6)


@pytest.mark.parametrize("stride, padding, dilation, groups", [(1, 1, 1, 1), (2, 0, 1, 2), (2, 3, 2, 1)])
def test_a_convolution_gives_the_same_forward_and_backward(stride, padding, dilation, groups):
    draw = torch.Generator().manual_seed(0)
    x, kernels = torch.randn(4, 6, 11, 9, generator=draw), torch.randn(8, 6 // groups, 3, 3, generator=draw)

    def computed(device):
        leaves = [tensor.to(device).requires_grad_() for tensor in (x, kernels)]
        y = functional.conv2d(*leaves, stride=stride, padding=padding, dilation=dilation, groups=groups)
        return [part.numpy(force=True) for part in (y, *torch.autograd.grad(y.square().sum(), leaves))]

    for on_cpu, on_card in zip(*map(computed, DEVICES)):
        np.testing.assert_allclose(on_card, on_cpu, rtol=1e-4, atol=1e-3)


def test_fine_tuning_gives_the_same():
    def tuned(device):
        network = load_pretrained()
        network.head = nn.Linear(64, 10)
        nn.init.zeros_(network.head.weight), nn.init.zeros_(network.head.bias)
        groups = [
            {"params": network[:-1].parameters(), "lr": 0.01},
            {"params": network.head.parameters(), "lr": 0.1},
        ]
        optimizer = torch.optim.SGD(groups, momentum=0.9)
        return train(network, data.digits(images=True), optimizer, epochs=3, device=device)

    on_cpu, on_card = map(tuned, DEVICES)
    np.testing.assert_allclose(on_card.step_loss[:10], on_cpu.step_loss[:10], rtol=1e-3)
    np.testing.assert_allclose(on_card.validation_accuracy, on_cpu.validation_accuracy, atol=0.02)
    assert on_card.validation_accuracy[-1] > 0.9


def test_a_demonstration_grows_and_says_the_same(monkeypatch, capsys):
    def accuracy(device, seeds):
        settings = grid(learning_rate=0.3, seed=range(seeds))
        return sweep(lambda: nn.Linear(64, 10), data.digits(), settings, epochs=5, device=device).validation_accuracy

    monkeypatch.delenv("LABUTILS_DEVICE", raising=False)
    small, large = (
        at_scale(partial(accuracy, device), cpu=4, gpu=64, unit="networks", device=device) for device in DEVICES
    )
    assert small.shape == (4, 5) and large.shape == (64, 5)
    np.testing.assert_allclose(large[:4], small, atol=0.02)
    assert large[:, -1].mean() == pytest.approx(small[:, -1].mean(), abs=0.02)
    assert "Computing on cuda" in capsys.readouterr().out
