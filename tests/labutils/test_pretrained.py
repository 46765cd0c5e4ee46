"""The network that reads letters: its form, the file of its weights, and that it helps to read digits."""

import json
from dataclasses import asdict

import numpy as np
import pytest
import torch
from safetensors.torch import save_file
from sklearn.linear_model import LogisticRegression

from labutils import data, grid, sweep
from labutils.glyphs import GREEK, LETTERS, glyphs
from labutils.make_glyph_network import RECIPE, SHORT, test_letters, train_network
from labutils.pretrained import WEIGHTS, glyph_network, load_pretrained, read_weights, write_weights
from labutils.stacks import Stack
from labutils.training import evaluate

test_letters.__test__ = False  # pytest, it is no test

PARTS = ["stage1", "stage2", "stage3", "stage4", "head"]


def test_its_parts_have_names_and_the_head_can_be_another():
    network, images = glyph_network(seed=0), torch.rand(5, 1, 8, 8)
    assert [name for name, _ in network.named_children()] == PARTS
    assert network(images).shape == (5, len(LETTERS))
    assert network[:-1](images).shape == (5, 64)
    assert [tuple(network[:depth](images).shape[1:]) for depth in (1, 2, 3)] == [(12, 8, 8), (24, 4, 4), (32, 2, 2)]
    network.head = torch.nn.Linear(64, 10)
    assert network(images).shape == glyph_network(10)(images).shape == (5, 10)


def test_a_seed_draws_the_weights_and_leaves_torch_alone():
    torch.manual_seed(7)
    first, again, other = glyph_network(seed=1), glyph_network(seed=1), glyph_network(seed=2)
    drawn, global_draw = glyph_network(), torch.rand(1)
    torch.manual_seed(7)
    assert torch.equal(glyph_network().head.weight, drawn.head.weight) and torch.rand(1) == global_draw
    assert torch.equal(first.head.weight, again.head.weight)
    assert not torch.equal(first.head.weight, other.head.weight)


@pytest.mark.parametrize("classes", [0, -1, 2.0, True])
def test_classes_that_are_none_are_refused(classes):
    with pytest.raises(ValueError, match="classes is .*whole number, 1 or more"):
        glyph_network(classes)


def test_it_is_stacked_layer_by_layer_and_swept():
    stack = Stack([load_pretrained(), glyph_network(seed=1).eval()])
    images = glyphs(20, images=True).x
    assert stack._layers is not None, "a network that is not plain would go through vmap, which is slow"
    np.testing.assert_allclose(stack.evaluate(images)[0], load_pretrained()(images).detach(), atol=1e-4)
    digits = data.digits(images=True)
    trained = sweep(lambda: glyph_network(10), digits, grid(learning_rate=0.2, seed=[0, 1]), epochs=8, device="cpu")
    assert trained.validation_accuracy[:, -1].min() > 0.8


def test_the_file_is_small_and_says_how_it_was_made():
    weights, notes = read_weights()
    assert WEIGHTS.stat().st_size < 200_000
    assert json.loads(notes["recipe"]) == asdict(RECIPE)
    assert notes["letters"] == LETTERS
    assert weights.keys() == glyph_network().state_dict().keys()


def test_the_shipped_weights_read_letters_as_well_as_their_file_says():
    network, (_, notes) = load_pretrained(), read_weights()
    assert not network.training
    assert evaluate(network, test_letters(RECIPE))[1] == pytest.approx(float(notes["accuracy"]), abs=0.005)
    assert evaluate(network, glyphs(2000, images=True, seed=77))[1] == pytest.approx(float(notes["accuracy"]), abs=0.03)


def test_the_script_trains_as_it_did_when_it_wrote_the_file():
    _, accuracy = train_network(SHORT)
    assert accuracy == pytest.approx(float(read_weights()[1]["short_accuracy"]), abs=0.04)
    assert asdict(SHORT) | {"examples": RECIPE.examples, "epochs": RECIPE.epochs} == asdict(RECIPE)


def few_shot_accuracies(features, examples_per_class, draws=12):
    """Accuracy of logistic regression on `features` of digits, over several draws of the examples."""
    digits = data.digits(images=True)
    (x, y), (x_test, y_test) = digits.train, digits.test
    with torch.no_grad():
        x, x_test = (features(images).flatten(1).numpy() for images in (x, x_test))
    scores = []
    for seed in range(draws):
        order = np.random.default_rng(seed).permutation(len(y))
        rows = np.concatenate([order[y[order] == digit][:examples_per_class] for digit in range(10)])
        scale = x[rows].std(axis=0).mean() * np.sqrt(x.shape[1] / 10)
        model = LogisticRegression(C=1, max_iter=1000).fit(x[rows] / scale, y[rows])
        scores.append(model.score(x_test / scale, y_test))
    return np.array(scores)


@pytest.mark.parametrize("examples_per_class, gain", [(1, 0.04), (5, 0.02), (20, 0.01)])
def test_its_features_serve_digits_better_than_pixels(examples_per_class, gain):
    network = load_pretrained()
    pixels = few_shot_accuracies(lambda images: images, examples_per_class)
    codes = few_shot_accuracies(network[:3], examples_per_class)
    assert (codes - pixels).mean() > gain
    untrained = few_shot_accuracies(glyph_network(seed=0)[:3], examples_per_class)
    assert (codes - untrained).mean() > gain


def test_other_letters_are_near():
    network = load_pretrained()
    train, test = (glyphs(1000, letters=GREEK, images=True, seed=seed) for seed in (1, 2))
    with torch.no_grad():
        codes = (
            LogisticRegression(max_iter=1000).fit(network[:-1](train.x), train.y).score(network[:-1](test.x), test.y)
        )
    pixels = LogisticRegression(max_iter=1000).fit(train.x.flatten(1), train.y).score(test.x.flatten(1), test.y)
    assert codes > pixels + 0.05


REFUSED = "Put a fresh copy of labutils/data/glyph_network.safetensors there.*python -m labutils.make_glyph_network"


def test_a_missing_file_is_named(tmp_path):
    with pytest.raises(data.DataError, match=f"{tmp_path.name}.none cannot be read.*{REFUSED}"):
        load_pretrained(tmp_path / "none")


@pytest.mark.parametrize("share", [0, 0.001, 0.01, 0.5, 0.9999])
def test_a_file_cut_short_is_refused(tmp_path, share):
    whole = WEIGHTS.read_bytes()
    (tmp_path / "cut").write_bytes(whole[: int(share * len(whole))])
    with pytest.raises(data.DataError, match=f"cannot be read.*{REFUSED}"):
        load_pretrained(tmp_path / "cut")


@pytest.mark.parametrize("seed", range(40))
def test_a_file_with_one_other_byte_is_refused(tmp_path, seed):
    """Anywhere: in the length of the header, in the header, in the weights."""
    draw = np.random.default_rng(seed)
    content = bytearray(WEIGHTS.read_bytes())
    header = 8 + int.from_bytes(content[:8], "little")
    end = (8, len(content[:header].rstrip(b" ")), len(content))[seed % 3]  # blanks that fill the header mean nothing
    place = draw.integers(end)
    content[place] ^= 1 << draw.integers(7)
    (tmp_path / "altered").write_bytes(content)
    with pytest.raises(data.DataError, match=f"(cannot be read|was altered).*{REFUSED}"):
        load_pretrained(tmp_path / "altered")


def test_other_files_are_refused(tmp_path):
    weights, notes = read_weights()
    save_file(weights, tmp_path / "unsigned")
    with pytest.raises(data.DataError, match="was altered"):
        load_pretrained(tmp_path / "unsigned")
    write_weights(tmp_path / "other", glyph_network(10).state_dict(), notes)
    with pytest.raises(data.DataError, match=f"other holds the weights of another network.*{REFUSED}"):
        load_pretrained(tmp_path / "other")


def test_what_is_written_is_read(tmp_path):
    network = glyph_network(3, seed=5)
    write_weights(tmp_path / "mine", network.state_dict(), {"by": "me"})
    weights, notes = read_weights(tmp_path / "mine")
    assert notes == {"by": "me"}
    network.load_state_dict(weights)
    (tmp_path / "any").write_text("")
    assert (tmp_path / "mine").stat().st_mode == (tmp_path / "any").stat().st_mode, "others may read it"
