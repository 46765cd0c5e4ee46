"""A small network that has learnt to read letters, to be used for something else: the source of transfer learning.

It was trained by `python -m labutils.make_glyph_network` on letters that the project draws itself (`labutils.glyphs`),
and its weights come with the book. It has never seen a digit.
"""

import hashlib
import json
from collections import OrderedDict
from os import PathLike
from pathlib import Path

import torch
from torch import nn

from labutils.data import DataError
from labutils.glyphs import LETTERS

WEIGHTS = Path(__file__).with_name("data") / "glyph_network.safetensors"
"""The file of weights that comes with the book."""


def glyph_network(classes: int = len(LETTERS), *, seed: int | None = None) -> nn.Sequential:
    """A convolutional network for images of shape (n, 1, 8, 8) with new weights, in five named parts.

        stage1  12 channels of 8x8
        stage2  24 channels of 4x4
        stage3  32 channels of 2x2
        stage4  64 numbers, the codes
        head    one `nn.Linear` from the codes to the logits of `classes` classes

    `network[:-1](x)` gives the codes, of shape (n, 64), and `network.head = nn.Linear(64, 10)` gives it a head for ten
    classes. The weights are torch's own draw: from `seed` if there is one, else from torch's generator, as `sweep`
    needs it. Its layers are those that a sweep computes fastest.
    """
    if isinstance(classes, bool) or not isinstance(classes, int) or classes < 1:
        raise ValueError(f"classes is {classes!r}; it must be a whole number, 1 or more")
    if seed is None:
        return _build(classes)
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        return _build(classes)


def load_pretrained(path: str | PathLike | None = None) -> nn.Sequential:
    """`glyph_network()` with the weights that come with the book, or those in the file at `path`; in evaluation mode.

    Raises `DataError` when the file is missing, cut short or altered.
    """
    network = glyph_network(seed=0)
    weights, _ = read_weights(path)
    try:
        network.load_state_dict(weights)
    except RuntimeError as error:
        raise DataError(_damaged(Path(path or WEIGHTS), "holds the weights of another network")) from error
    return network.eval()


def read_weights(path: str | PathLike | None = None) -> tuple[dict[str, torch.Tensor], dict[str, str]]:
    """The weights in a file by `write_weights`, and its notes on how they were made; the book's own file by default.

    Raises `DataError` when the file is missing, cut short or altered.
    """
    from safetensors import SafetensorError, safe_open

    path = Path(path or WEIGHTS)
    try:
        with safe_open(path, framework="pt") as file:
            notes = dict(file.metadata() or {})
            weights = {name: file.get_tensor(name) for name in file.keys()}
    except (OSError, SafetensorError) as error:
        raise DataError(_damaged(path, f"cannot be read ({error})")) from error
    if notes.pop("sha256", None) != _checksum(weights, notes):
        raise DataError(_damaged(path, "was altered: its checksum is another one"))
    return weights, notes


def write_weights(path: str | PathLike, weights: dict[str, torch.Tensor], notes: dict[str, str]) -> None:
    """Write weights and notes to a safetensors file with a checksum of both, which `read_weights` demands."""
    from safetensors.torch import save  # save_file would keep the file from all others on the machine

    weights = {name: weight.detach().cpu().contiguous() for name, weight in weights.items()}
    Path(path).write_bytes(save(weights, {**notes, "sha256": _checksum(weights, notes)}))


def _build(classes: int) -> nn.Sequential:
    return nn.Sequential(
        OrderedDict(
            stage1=nn.Sequential(nn.Conv2d(1, 12, 3, padding=1), nn.ReLU()),
            stage2=nn.Sequential(nn.MaxPool2d(2), nn.Conv2d(12, 24, 3, padding=1), nn.ReLU()),
            stage3=nn.Sequential(nn.Conv2d(24, 32, 3, padding=1), nn.ReLU(), nn.MaxPool2d(2)),
            stage4=nn.Sequential(nn.Flatten(), nn.Linear(128, 64), nn.ReLU()),
            head=nn.Linear(64, classes),
        )
    )


def _checksum(weights: dict[str, torch.Tensor], notes: dict[str, str]) -> str:
    """SHA-256 of all that a file says, in an order that does not depend on how it lies there."""
    parts = [json.dumps(notes, sort_keys=True).encode()]
    for name, weight in sorted(weights.items()):
        parts += [f"{name} {weight.dtype} {tuple(weight.shape)}".encode(), weight.numpy().tobytes()]
    return hashlib.sha256(b"\n".join(parts)).hexdigest()


def _damaged(path: Path, how: str) -> str:
    return (
        f"The file of weights {path} {how}. Put a fresh copy of labutils/data/{WEIGHTS.name} there, from the book's "
        "repository; or make the book's file again with: python -m labutils.make_glyph_network"
    )
