"""Two small networks, the same ones wherever they are built: what exercises about networks are tried on.

Their weights are drawn from a generator of their own and are eighths, so that a table of them is easily read. They
have what a pretrained network has: batch normalization with statistics, dropout, and a head of its own name.
"""

from collections import OrderedDict

import numpy as np
import torch
from torch import nn


def dense_network(
    features: int = 3,
    width: int = 2,
    classes: int = 2,
    seed: int = 0,
    frozen: str = "",
    training: bool = True,
    head_bias: bool = True,
) -> nn.Sequential:
    """Layers `fc1`, `norm`, `relu`, `drop` and the head `fc`. Takes examples of shape (n, features).

    Layers whose names begin with `frozen` are not trainable; `training` tells the mode, and `head_bias` whether the
    head has a bias.
    """
    layers = OrderedDict(
        fc1=nn.Linear(features, width),
        norm=nn.BatchNorm1d(width),
        relu=nn.ReLU(inplace=True),
        drop=nn.Dropout(0.5),
        fc=nn.Linear(width, classes, bias=head_bias),
    )
    return _settled(nn.Sequential(layers), seed, frozen, training)


def conv_network(
    channels: int = 2, classes: int = 3, seed: int = 0, frozen: str = "", training: bool = True
) -> nn.Sequential:
    """Layers `stem`, `body`, `flatten` and `classifier`, three of them with layers of their own; made for 4×4 images.

    The head is `classifier.1`, behind a dropout, as in many networks of torchvision. `frozen` and `training` are as
    in `dense_network`.
    """
    layers = OrderedDict(
        stem=nn.Sequential(
            nn.Conv2d(1, channels, 2, bias=False),
            nn.BatchNorm2d(channels),
            nn.ReLU(inplace=True),
            nn.MaxPool2d(2, stride=1),
        ),
        body=nn.Sequential(
            nn.Conv2d(channels, channels, 2, bias=False), nn.BatchNorm2d(channels), nn.ReLU(inplace=True)
        ),
        flatten=nn.Flatten(),
        classifier=nn.Sequential(nn.Dropout(0.5), nn.Linear(channels, classes)),
    )
    return _settled(nn.Sequential(layers), seed, frozen, training)


@torch.no_grad()
def _settled(network: nn.Sequential, seed: int, frozen: str, training: bool) -> nn.Sequential:
    """The network with weights and statistics drawn from a generator, some layers frozen, in a mode."""
    rng = np.random.default_rng(seed)
    for name, values in network.state_dict().items():
        lowest = 1 if name.endswith(("running_var", "num_batches_tracked")) else -12
        drawn = rng.integers(lowest, 13, tuple(values.shape))
        values.copy_(torch.as_tensor(drawn if name.endswith("tracked") else drawn / 8))
    for name, weights in network.named_parameters():
        weights.requires_grad_(not (frozen and name.startswith(frozen)))
    return network.train(training)
