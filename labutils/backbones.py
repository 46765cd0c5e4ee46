"""Pretrained networks without their heads: the book's own, and ImageNet's where torchvision or timm is installed.

    resnet = backbone("resnet18", size=64)
    codes = features_of(images, resnet)  # (n, 512)

Whatever backbone it is, the same two calls turn images into features. Neither torchvision nor timm is needed for the
book, and what they fetch is kept where torch keeps such files (the environment variable TORCH_HOME names the folder).
"""

from collections.abc import Callable
from copy import deepcopy
from dataclasses import dataclass
from importlib import import_module

import torch
from torch import nn
from torch.nn import functional
from tqdm.auto import tqdm

from labutils.data import DataError
from labutils.devices import choose

GLYPHS = "glyphs"
"""The name of the network that comes with the book."""
_INSTEAD = f"Without it, backbone({GLYPHS!r}) comes with the book."


class BackboneError(DataError):
    """A backbone cannot be had; the message says why, and what can be used in its place."""


@dataclass(frozen=True)
class Backbone:
    """A network without its head, and how it wants its images."""

    name: str
    network: nn.Module
    channels: int
    """Of an image: 1 for grey, 3 for red, green and blue."""
    size: int
    """Height and width of an image (pixels)."""
    mean: tuple[float, ...] = (0.0,)
    """Of each channel, to be subtracted from its values between 0 and 1."""
    std: tuple[float, ...] = (1.0,)
    """Of each channel, to divide by after that."""


def backbone(name: str = GLYPHS, *, size: int | None = None) -> Backbone:
    """The pretrained network `name` without its head, in evaluation mode.

    `name` is "glyphs" for the book's own, "timm/…" for a model of timm, such as "timm/resnet18.a1_in1k", else a
    classifier of torchvision, such as "resnet18" or "mobilenet_v3_small". `size` is the height and width that images
    are brought to, by default what the network was trained with; a smaller one is quicker, and not every network
    takes it.

    Raises `BackboneError` when the library is not installed or does not run, when it has no such network, when the
    weights cannot be fetched or are damaged, or when the network has no linear head to cut off.
    """
    if name == GLYPHS:
        found = _own()
    elif name.startswith("timm/"):
        found = _timms(name)
    else:
        found = _torchvisions(name)
    return Backbone(found.name, found.network.eval(), found.channels, size or found.size, found.mean, found.std)


def features_of(
    images: torch.Tensor,
    backbone: Backbone,
    *,
    batch_size: int = 128,
    device: torch.device | str | None = None,
) -> torch.Tensor:
    """What `backbone` makes of `images`: float32 of shape (n, features), on the CPU.

    `images` has shape (n, channels, height, width) and values between 0 and 1. Grey images are repeated for a network
    that wants colours, colours are averaged for one that wants grey, and any size is brought to the backbone's.

    Raises `ValueError` when `images` has another shape, or no image in it.
    """
    if images.ndim != 4 or images.shape[1] not in (1, 3) or not len(images):
        raise ValueError(
            f"images has shape {tuple(images.shape)}; it must be (n, channels, height, width) with n at least 1 "
            "and 1 or 3 channels"
        )
    device = torch.device(device) if device else choose()[0]
    network = backbone.network.to(device).eval()
    pieces = tqdm(images.split(batch_size), desc=backbone.name, unit="batch", delay=2, leave=False)
    with torch.no_grad():
        return torch.cat([network(_prepared(piece.to(device), backbone)).flatten(1).cpu() for piece in pieces])


def _prepared(images: torch.Tensor, backbone: Backbone) -> torch.Tensor:
    """Images with the backbone's channels, size, mean and standard deviation."""
    if images.shape[1] > backbone.channels:
        images = images.mean(dim=1, keepdim=True)
    images = images.expand(-1, backbone.channels, -1, -1)
    if images.shape[2:] != (backbone.size, backbone.size):
        images = functional.interpolate(
            images, (backbone.size, backbone.size), mode="bilinear", align_corners=False, antialias=True
        )
    mean, std = (images.new_tensor(values).view(-1, 1, 1) for values in (backbone.mean, backbone.std))
    return (images - mean) / std


def _own() -> Backbone:
    from labutils.pretrained import load_pretrained

    return Backbone(GLYPHS, without_head(load_pretrained()), channels=1, size=8)


def _torchvisions(name: str) -> Backbone:
    models = _library("torchvision.models", "torchvision")
    try:
        weights = models.get_model_weights(name).DEFAULT
    except (ValueError, AttributeError) as error:
        raise BackboneError(f"torchvision has no pretrained classifier {name!r} ({error}). {_INSTEAD}") from error
    network = _fetched(name, lambda: models.get_model(name, weights=weights))
    wishes = weights.transforms()
    return Backbone(name, without_head(network), 3, wishes.crop_size[0], tuple(wishes.mean), tuple(wishes.std))


def _timms(name: str) -> Backbone:
    timm = _library("timm", "timm")
    model = name.removeprefix("timm/")
    if not timm.is_model(model):
        raise BackboneError(f"timm has no network {model!r}. {_INSTEAD}")
    network = _fetched(name, lambda: timm.create_model(model, pretrained=True, num_classes=0))
    wishes = timm.data.resolve_model_data_config(network)
    channels, size, _ = wishes["input_size"]
    return Backbone(name, network, channels, size, tuple(wishes["mean"]), tuple(wishes["std"]))


def _library(module: str, package: str):
    try:
        return import_module(module)
    except ModuleNotFoundError as error:
        raise BackboneError(
            f"{package} is not installed. To have it: python -m pip install {package}. {_INSTEAD}"
        ) from error
    except Exception as error:  # one that was built for another torch can raise anything
        raise BackboneError(
            f"{package} is installed and does not run beside torch {torch.__version__} "
            f"({type(error).__name__}: {error}). Install the release made for it. {_INSTEAD}"
        ) from error


def _fetched(name: str, make: Callable[[], nn.Module]) -> nn.Module:
    """The network that `make` builds with its weights, fetched or from the folder where they were kept."""
    try:
        return make()
    except OSError as error:  # URLError and ConnectionError are among them
        raise BackboneError(
            f"The weights of {name} could not be fetched ({error}). Run this again with a network. {_INSTEAD}"
        ) from error
    except Exception as error:  # torch and safetensors tell of a damaged file in many ways
        raise BackboneError(
            f"The weights of {name} are not as they should be ({type(error).__name__}: {error}). Delete the file in "
            f"{torch.hub.get_dir()} and run this again. {_INSTEAD}"
        ) from error


def without_head(network: nn.Module) -> nn.Module:
    """A copy of a classifier that ends before its last linear layer: what went into that one comes out.

    Raises `BackboneError` when the last layer with weights is no linear one.
    """
    weighted = [name for name, layer in network.named_modules() if list(layer.parameters(recurse=False))]
    head = weighted[-1] if weighted else ""
    if not head or not isinstance(network.get_submodule(head), nn.Linear):
        raise BackboneError(f"{type(network).__name__} does not end in a linear layer that could be cut off")
    cut = deepcopy(network)
    cut.set_submodule(head, nn.Identity())
    return cut
