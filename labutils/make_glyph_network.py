"""Train the network that reads letters and write its weights to data/glyph_network.safetensors.

Run it as `python -m labutils.make_glyph_network`; it takes a minute or two. All that decides what comes out
stands in `RECIPE`, and is kept in the file beside the weights.
"""

import json
from dataclasses import asdict, dataclass, replace
from functools import partial

import torch
from torch import nn
from torch.nn import functional
from torch.optim.lr_scheduler import CosineAnnealingLR

from labutils.data import Examples, Split
from labutils.glyphs import LETTERS, glyphs
from labutils.pretrained import WEIGHTS, glyph_network, write_weights
from labutils.training import evaluate, train


@dataclass(frozen=True)
class Recipe:
    """How the network is trained: AdamW (Loshchilov and Hutter, 2019), its rate falling to 0 along a cosine."""

    examples: int = 40_000
    epochs: int = 12
    batch_size: int = 64
    learning_rate: float = 3e-3
    weight_decay: float = 0.1
    label_smoothing: float = 0.1
    seed: int = 1
    """Of the letters to learn from, the weights and the mini-batches."""
    test_examples: int = 4_000
    test_seed: int = 2
    """Of the letters that are only read at the end."""


RECIPE = Recipe()
SHORT = replace(RECIPE, examples=6_000, epochs=5)
"""The same in a few seconds, for a test that this script still does what it did."""


def train_network(recipe: Recipe) -> tuple[nn.Sequential, float]:
    """The trained network, and its accuracy on letters that it has not seen; on the CPU."""
    letters = glyphs(recipe.examples, images=True, seed=recipe.seed)
    tested = test_letters(recipe)
    network = glyph_network(seed=recipe.seed)
    optimizer = torch.optim.AdamW(network.parameters(), recipe.learning_rate, weight_decay=recipe.weight_decay)
    train(
        network,
        Split(letters, Examples(tested.x[:100], tested.y[:100])),  # nothing is chosen by it
        optimizer,
        epochs=recipe.epochs,
        batch_size=recipe.batch_size,
        loss=partial(functional.cross_entropy, label_smoothing=recipe.label_smoothing),
        scheduler=CosineAnnealingLR(optimizer, recipe.epochs),
        generator=torch.Generator().manual_seed(recipe.seed),
        device="cpu",
    )
    return network, evaluate(network, tested)[1]


def test_letters(recipe: Recipe) -> Examples:
    return glyphs(recipe.test_examples, images=True, seed=recipe.test_seed)


def main() -> None:
    network, accuracy = train_network(RECIPE)
    short_accuracy = train_network(SHORT)[1]
    notes = {
        "recipe": json.dumps(asdict(RECIPE)),
        "letters": LETTERS,
        "accuracy": f"{accuracy:.3f}",
        "short_accuracy": f"{short_accuracy:.3f}",
    }
    write_weights(WEIGHTS, network.state_dict(), notes)
    print(f"{accuracy:.1%} of {RECIPE.test_examples} new letters are read right ({short_accuracy:.1%} after SHORT).")
    print(f"{WEIGHTS}: {WEIGHTS.stat().st_size / 1000:.0f} kB")


if __name__ == "__main__":
    main()
