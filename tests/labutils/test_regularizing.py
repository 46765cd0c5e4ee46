"""Many small networks at once, each with its own regularizer, against the same done one by one with torch."""

import numpy as np
import pytest
import torch
from torch import nn
from torch.nn import functional

from labutils import data
from labutils.data import Examples, Split
from labutils.regularizing import CLASSES, OFF, SIDE, _Noise, train_regularized


@pytest.fixture(scope="module")
def digits():
    whole = data.digits()
    return Split(*(Examples(part.x[:60], part.y[:60]) for part in whole))


def one_by_one(split, epochs, *, seed=0, weight_decay=0.0, batch_norm=False, batch_size=25, smoothing=0.0):
    """The same training with torch's own layers and optimizer."""
    torch.manual_seed(seed)
    first, second = nn.Linear(64, 16), nn.Linear(16, 10)
    model = nn.Sequential(first, *([nn.BatchNorm1d(16)] if batch_norm else []), nn.ReLU(), second)
    matrices = [first.weight, second.weight]
    others = [part for part in model.parameters() if part.ndim == 1]
    groups = [{"params": matrices, "weight_decay": weight_decay}, {"params": others}]
    optimizer, generator = torch.optim.SGD(groups, lr=0.5), torch.Generator().manual_seed(seed)
    for _ in range(epochs):
        for rows in torch.randperm(len(split.train.x), generator=generator).split(batch_size):
            loss = functional.cross_entropy(model(split.train.x[rows]), split.train.y[rows], label_smoothing=smoothing)
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
    model.eval()
    return model(split.test.x).detach()


@pytest.mark.parametrize(
    ("setting", "options"),
    [
        ({}, {}),
        ({"seed": 3}, {"seed": 3}),
        ({"l2": 0.02}, {"weight_decay": 0.02}),
        ({"smoothing": 0.3}, {"smoothing": 0.3}),
        ({"batch_norm": 1}, {"batch_norm": True}),
    ],
)
def test_each_network_trains_as_torch_trains_it(digits, setting, options):
    others = [{}, {"dropout": 0.5}, {"mixup": 1.0}, {"weight_noise": 0.2}]
    trained = train_regularized([*others, setting], digits, epochs=6, batch_size=25, hidden=16)
    logits = one_by_one(digits, 6, **options)
    loss, right = trained.evaluate(digits.test)
    assert loss[-1] == pytest.approx(functional.cross_entropy(logits, digits.test.y).item(), rel=1e-3)
    assert right[-1] == pytest.approx((logits.argmax(-1) == digits.test.y).float().mean().item(), abs=0.02)


def test_penalties_and_fences_do_what_they_say(digits):
    settings = [{"l1": 0.01}, {"max_norm": 0.5}, {"activation": 0.1}, {}]
    trained = train_regularized(settings, digits, epochs=20, hidden=16)
    hidden = trained.last["hidden.weight"]
    assert (hidden == 0).float().mean(dim=(1, 2)).tolist() == [pytest.approx(0.8, abs=0.2), 0, 0, 0]
    assert hidden.norm(dim=1)[1].max() <= 0.5 + 1e-6 < hidden.norm(dim=1)[3].max()
    active = (torch.relu(digits.test.x @ hidden + trained.last["hidden.bias"]) > 0).float().mean(dim=(1, 2))
    assert active[2] < active[3] / 2


def test_the_best_weights_are_those_of_the_lowest_validation_loss(digits):
    trained = train_regularized([{"seed": 0}, {"seed": 1}], digits, epochs=40, hidden=16)
    at_best, _ = trained.evaluate(digits.validation, best=True)
    at_end, _ = trained.evaluate(digits.validation)
    np.testing.assert_allclose(at_best, trained.validation_loss.min(axis=1), rtol=1e-5)
    np.testing.assert_allclose(at_end, trained.validation_loss[:, -1], rtol=1e-5)
    assert trained.epochs.tolist() == list(range(2, 41, 2))


def noisy_batch(setting, x, y):
    return _Noise([{**OFF, **setting}], torch.device("cpu")).on_batch(x.clone(), y.clone())


@pytest.fixture
def batch(digits):
    y = functional.one_hot(digits.train.y, CLASSES).float()
    return digits.train.x[None], y[None]


@pytest.mark.parametrize("setting", [{"shift": 1}, {"flip": 1}, {"cutout": 3}, {"input_noise": 0.2}])
def test_augmentation_leaves_labels_alone(batch, setting):
    x, y = noisy_batch(setting, *batch)
    assert torch.equal(y, batch[1])
    assert not torch.equal(x, batch[0])


def test_a_shift_is_one_of_nine(batch):
    images = functional.pad(batch[0].reshape(-1, 8, 8), (1, 1, 1, 1))
    nine = torch.stack([images[:, r : r + 8, c : c + 8] for r in range(3) for c in range(3)])
    shifted = noisy_batch({"shift": 1}, *batch)[0].reshape(-1, 8, 8)
    assert (nine == shifted).all(dim=(-1, -2)).any(dim=0).all()


def test_mirrored_digits_are_mirrored_left_to_right(batch):
    image, mirrored = batch[0].reshape(-1, 8, 8), noisy_batch({"flip": 1}, *batch)[0].reshape(-1, 8, 8)
    stayed, turned = (image == mirrored).all(dim=(1, 2)), (image.flip(-1) == mirrored).all(dim=(1, 2))
    assert (stayed | turned).all()
    assert 0 < turned.float().mean() < 1


def test_cutout_takes_a_square_that_may_stick_out(batch):
    x, _ = noisy_batch({"cutout": 3}, torch.ones_like(batch[0]), batch[1])
    taken = (x == 0).sum(dim=-1)
    assert taken.max() == 9
    assert taken.min() >= 1


def test_mixup_mixes_labels_as_it_mixes_images(batch):
    one_hot_images = batch[1].repeat_interleave(SIDE**2 // CLASSES + 1, dim=-1)[..., : SIDE**2]
    x, y = noisy_batch({"mixup": 1.0}, one_hot_images, batch[1])
    torch.testing.assert_close(x, y.repeat_interleave(SIDE**2 // CLASSES + 1, dim=-1)[..., : SIDE**2])
    torch.testing.assert_close(y.sum(-1), torch.ones_like(y.sum(-1)))


def test_cutmix_mixes_labels_in_proportion_to_the_pixels(batch):
    shade = torch.arange(1.0, batch[0].shape[1] + 1)[None, :, None].expand(-1, -1, SIDE**2)
    for _ in range(5):
        x, y = noisy_batch({"cutmix": 1.0}, shade, torch.eye(batch[0].shape[1])[None])
        own = (x == shade).float().mean(-1)
        torch.testing.assert_close(y.diagonal(dim1=1, dim2=2), own)


def test_dropout_keeps_the_mean_and_its_rate():
    noise = _Noise([{**OFF, "dropout": 0.7}, OFF], torch.device("cpu"))
    mask = noise.on_units(torch.zeros(2, 500, 64), {"scale": torch.ones(2, 1, 64)})
    assert (mask[0] == 0).float().mean() == pytest.approx(0.7, abs=0.01)
    assert mask[0].mean() == pytest.approx(1, abs=0.03)
    assert (mask[1] == 1).all()


@pytest.mark.parametrize(
    ("settings", "epochs", "words"),
    [([{"drop": 1}], 4, "drop"), ([], 4, "0 settings"), ([{}], 1, "1 epochs")],
)
def test_what_makes_no_sense_is_named(digits, settings, epochs, words):
    with pytest.raises(ValueError, match=words):
        train_regularized(settings, digits, epochs=epochs)


def test_torchs_generator_is_left_alone(digits):
    torch.manual_seed(5)
    expected = torch.rand(1)
    torch.manual_seed(5)
    train_regularized([{"dropout": 0.5}], digits, epochs=2, hidden=8)
    assert torch.equal(torch.rand(1), expected)


@pytest.mark.gpu
@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a graphics card that torch can use")
def test_on_a_graphics_card_the_conclusion_is_the_same(digits):
    settings = [{"l2": strength, "seed": seed} for strength in (0.0, 0.1) for seed in range(8)]
    losses = [
        train_regularized(settings, digits, epochs=60, device=device).evaluate(digits.train)[0].reshape(2, 8).mean(1)
        for device in ("cpu", "cuda")
    ]
    np.testing.assert_allclose(losses[1], losses[0], rtol=0.05)
