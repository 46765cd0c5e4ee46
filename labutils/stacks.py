"""Many networks of one shape as a single computation: the weights stacked along a first axis.

An `nn.Sequential` of the layers in `_LAYERS` is computed with the examples on the last axis: each operation then reads
long runs of memory, and a convolution is one matrix product per network with nothing to rearrange. Any other module
goes through `torch.func.vmap`, which is slower for small networks but takes whatever torch can trace.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from copy import copy

import numpy as np
import torch
from torch import nn
from torch.func import functional_call, stack_module_state, vmap
from torch.nn import functional

Weights = dict[str, torch.Tensor]
Pair = tuple[int, int]
_PIECE = 128  # examples computed at once: bounds the memory that a wide stack takes


class Stack:
    """Networks of one shape, computed together; in `parameters` and `buffers` the first axis counts networks."""

    def __init__(self, networks: Sequence[nn.Module]) -> None:
        self.parameters, self.buffers = stack_module_state(list(networks))
        self._network = networks[0]
        self._layers = self._bind_layers()

    def train(self, mode: bool) -> None:
        """Switch dropout and the like on for training, or off."""
        self._network.train(mode)

    def __call__(self, x: torch.Tensor, shared: bool = True) -> torch.Tensor:
        """Outputs of shape (networks, batch, ...) for inputs of shape (batch, ...) that all networks share.

        With `shared=False` each network has its own inputs: `x` is of shape (networks, batch, ...).
        """
        if self._layers is None:
            run = vmap(self._run_one, in_dims=(0, 0, None if shared else 0), randomness="different")
            return run(self.parameters, self.buffers, x)
        x = (x.unsqueeze(0) if shared else x).movedim(1, -1)
        for layer, weights in self._layers:
            x = _LAYERS[type(layer)](layer, weights, x)
        return x.movedim(-1, 1)

    @torch.no_grad()
    def evaluate(self, x: torch.Tensor) -> torch.Tensor:
        """Outputs of shape (networks, n, ...) for x of shape (n, ...), with dropout and the like switched off.

        They carry no gradient, and x may lie on another device and be long: it is computed piece by piece.
        """
        was_training = self._network.training
        self.train(False)
        device = next(iter(self.parameters.values())).device
        outputs = torch.cat([self(piece) for piece in x.to(device).split(_PIECE)], dim=1)
        self.train(was_training)
        return outputs

    def weights(self) -> dict[str, np.ndarray]:
        """A copy of all weights, by their name in `named_parameters()`: arrays of shape (networks, ...)."""
        return {name: weight.numpy(force=True).copy() for name, weight in self.parameters.items()}

    def with_weights(self, weights: Mapping[str, np.ndarray]) -> "Stack":
        """Networks of the same shape with other weights, named and shaped as in `weights()`."""
        if wrong := [n for n, own in self.parameters.items() if np.shape(weights.get(n)) != own.shape]:
            expected = tuple(self.parameters[wrong[0]].shape)
            raise ValueError(
                f"the weights {wrong[0]!r} are of shape {expected}, and those given "
                f"{f'of shape {np.shape(weights[wrong[0]])}' if wrong[0] in weights else 'lack them'}"
            )
        other = copy(self)
        other.parameters = {name: own.new_tensor(weights[name]) for name, own in self.parameters.items()}
        other._layers = other._bind_layers()
        return other

    def _bind_layers(self) -> list[tuple[nn.Module, Weights]] | None:
        """The plain layers in order, each with its stacked weights; None where the network is not plain."""
        layers = _plain_layers(self._network)
        return layers and [
            (layer, {short: self.parameters[full] for short, full in names.items()}) for layer, names in layers
        ]

    def _run_one(self, parameters: Weights, buffers: Weights, x: torch.Tensor) -> torch.Tensor:
        return functional_call(self._network, (parameters, buffers), (x,))


def _plain_layers(network: nn.Module) -> list[tuple[nn.Module, dict[str, str]]] | None:
    """The layers of a sequence in order, or None when one of them is not plain.

    With each layer comes a dict from its own name of a weight to the network's name of it.
    """
    every = network.named_modules(remove_duplicate=False)  # one ReLU may stand in several places
    layers = [(name, layer) for name, layer in every if type(layer) is not nn.Sequential]
    has_shared_weights = len(list(network.parameters())) < sum(len(list(layer.parameters())) for _, layer in layers)
    has_hooks = any(module._forward_pre_hooks or module._forward_hooks for module in network.modules())
    is_sequence = type(network) is nn.Sequential and all(_is_plain(layer) for _, layer in layers)
    if not is_sequence or has_shared_weights or has_hooks:
        return None
    return [(layer, {key: f"{name}.{key}" for key, _ in layer.named_parameters()}) for name, layer in layers]


def _is_plain(layer: nn.Module) -> bool:
    """Whether `_LAYERS` computes what the layer would; a subclass may compute something else."""
    if type(layer) is nn.Conv2d:
        return layer.groups == 1 and layer.padding_mode == "zeros" and not isinstance(layer.padding, str)
    if type(layer) is nn.MaxPool2d:
        return not layer.return_indices
    if type(layer) is nn.Flatten:
        return (layer.start_dim, layer.end_dim) == (1, -1)
    return type(layer) in _LAYERS


# Each of these does to x of shape (networks, ..., batch) what its layer does to (batch, ...). Inputs that all networks
# share come with a first axis of 1.


def _linear(layer: nn.Linear, weights: Weights, x: torch.Tensor) -> torch.Tensor:
    if x.ndim == 3:  # the usual case, without the cost of rearranging nothing
        return _affine(weights["weight"], weights.get("bias"), x)
    inputs = x.movedim(-2, 1)  # features may be preceded by other axes, as in a sequence
    outputs = _affine(weights["weight"], weights.get("bias"), inputs.flatten(2))
    return outputs.unflatten(-1, inputs.shape[2:]).movedim(1, -2)


def _convolve(layer: nn.Conv2d, weights: Weights, x: torch.Tensor) -> torch.Tensor:
    """One matrix product with the windows of the image, as in Chellapilla, Puri and Simard (2006)."""
    rows, columns = layer.padding
    x = functional.pad(x, (0, 0, columns, columns, rows, rows)) if rows or columns else x
    windows = _Windows.apply(x, layer.kernel_size, layer.stride, layer.dilation)
    outputs = _affine(weights["weight"].flatten(2), weights.get("bias"), windows.flatten(3).flatten(1, 2))
    return outputs.unflatten(-1, windows.shape[3:])


def _pool(layer: nn.Module, weights: Weights, x: torch.Tensor) -> torch.Tensor:
    """Pooling treats every channel for itself, so the examples can stand as the channels of one image per channel.

    In memory that is an image with its channels last, which torch pools many times faster than one with them first.
    """
    pooled = layer(x.flatten(0, 1).movedim(-1, 1))
    return pooled.movedim(1, -1).unflatten(0, x.shape[:2])


def _flatten(layer: nn.Flatten, weights: Weights, x: torch.Tensor) -> torch.Tensor:
    return x.flatten(1, -2)


def _each_number(layer: nn.Module, weights: Weights, x: torch.Tensor) -> torch.Tensor:
    """A layer that treats every number for itself does not mind how they are arranged."""
    return layer(x)


def _affine(weight: torch.Tensor, bias: torch.Tensor | None, x: torch.Tensor) -> torch.Tensor:
    """weight x + bias: shapes (networks, out, in), (networks, out), (networks or 1, in, n) give (networks, out, n)."""
    if len(x) == 1:  # what all networks share meets all their weights in one matrix product
        rows = weight.flatten(0, 1)
        outputs = rows @ x[0] if bias is None else torch.addmm(bias.reshape(-1, 1), rows, x[0])
        return outputs.unflatten(0, weight.shape[:2])
    return weight @ x if bias is None else torch.baddbmm(bias.unsqueeze(-1), weight, x)


_LAYERS: dict[type, Callable[[nn.Module, Weights, torch.Tensor], torch.Tensor]] = {
    nn.Linear: _linear,
    nn.Conv2d: _convolve,
    nn.MaxPool2d: _pool,
    nn.AvgPool2d: _pool,
    nn.Flatten: _flatten,
    nn.ReLU: _each_number,
    nn.LeakyReLU: _each_number,
    nn.Tanh: _each_number,
    nn.Sigmoid: _each_number,
}


class _Windows(torch.autograd.Function):
    """The windows under a sliding kernel: (networks, channels, height, width, batch) images in, (networks, channels,
    places in the kernel, output height, output width, batch) out. Backward, each pixel collects from all its windows.
    """

    @staticmethod
    def forward(ctx, x, kernel, stride, dilation):
        ctx.shape, ctx.geometry = x.shape, (kernel, stride, dilation)
        return torch.stack(list(_shifted(x, kernel, stride, dilation)), dim=2)

    @staticmethod
    def backward(ctx, gradient):
        total = gradient.new_zeros(ctx.shape)
        for place, part in enumerate(_shifted(total, *ctx.geometry)):
            part += gradient[:, :, place]
        return total, None, None, None


def _shifted(x: torch.Tensor, kernel: Pair, stride: Pair, dilation: Pair) -> Iterator[torch.Tensor]:
    """For each place in the kernel, row by row, the view of the pixels that it meets as it slides."""
    (height, width), reach = x.shape[2:4], [d * (k - 1) for d, k in zip(dilation, kernel)]
    for row in range(0, reach[0] + 1, dilation[0]):
        for column in range(0, reach[1] + 1, dilation[1]):
            yield x[:, :, row : height - reach[0] + row : stride[0], column : width - reach[1] + column : stride[1]]
