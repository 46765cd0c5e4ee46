"""The letters that the project draws: their form, that a seed gives them again, and that they can be told apart."""

import numpy as np
import pytest
import torch
from sklearn.linear_model import LogisticRegression

from labutils import data
from labutils import glyphs as drawing
from labutils.glyphs import FONTS, GREEK, LETTERS, glyphs


def test_the_form_is_that_of_the_digits():
    digits, letters = data.digits().train, glyphs(300)
    assert isinstance(letters, data.Examples)
    for part in ("x", "y"):
        ours, theirs = getattr(letters, part), getattr(digits, part)
        assert (ours.dtype, ours.ndim, ours.shape[1:]) == (theirs.dtype, theirs.ndim, theirs.shape[1:])
    assert 0 == letters.x.min() and letters.x.max() == 1
    assert letters.x.mean().item() == pytest.approx(digits.x.mean().item(), abs=0.1)
    images = glyphs(300, images=True)
    assert images.x.shape == (300, 1, 8, 8) and images.x.is_contiguous()
    torch.testing.assert_close(images.x.flatten(1), letters.x)


def test_no_letter_is_a_digit_and_none_is_there_twice():
    for letters in (LETTERS, GREEK):
        assert letters.isalpha() and len(set(letters)) == len(letters)
    assert not set(LETTERS) & set(GREEK)


def test_all_letters_come_about_equally_often():
    counts = np.bincount(glyphs(3700, size=1).y, minlength=len(LETTERS))
    assert counts.shape == (37,) and counts.min() > 60 and counts.max() < 150


def test_a_seed_gives_the_same_and_another_one_others():
    first, again, other = (glyphs(20, seed=seed) for seed in (3, 3, 4))
    assert torch.equal(first.x, again.x) and torch.equal(first.y, again.y)
    assert not torch.equal(first.y, other.y)


def test_every_machine_draws_the_same():
    """Recorded with matplotlib 3.11.2; matplotlib 3.10.0, with a FreeType ten years older, drew these very numbers."""
    letters = glyphs(6, images=True)
    assert "".join(LETTERS[label] for label in letters.y) == "VtTCnb"
    means = letters.x.mean(dim=(1, 2, 3))
    np.testing.assert_allclose(means, [0.4947, 0.1705, 0.1724, 0.2070, 0.3279, 0.5454], atol=0.001)
    row, column = letters.x[0, 0, 3], letters.x[5, 0, :, 4]
    np.testing.assert_allclose(row, [0.0032, 0.4580, 0.9277, 0.6582, 0.8187, 0.9266, 0.7994, 0.1773], atol=0.001)
    np.testing.assert_allclose(column, [0.2186, 0.7587, 0.9928, 0.4039, 0.0092, 0.1019, 0.7516, 0.9931], atol=0.001)


def test_the_state_of_torch_is_left_alone():
    torch.manual_seed(0)
    expected = torch.rand(1)
    torch.manual_seed(0)
    glyphs(3)
    assert torch.rand(1) == expected


@pytest.mark.parametrize("size", [1, 8, 12, 28])
def test_an_image_of_any_size_shows_the_same(size):
    small, large = glyphs(50, images=True), glyphs(50, images=True, size=size)
    assert large.x.shape == (50, 1, size, size)
    assert torch.equal(small.y, large.y)


def test_a_few_thousand_do_not_need_the_memory_of_all(monkeypatch):
    drawn = []
    draw = drawing._draw
    monkeypatch.setattr(drawing, "_draw", lambda maps, *rest: drawn.append(len(maps)) or draw(maps, *rest))
    assert len(glyphs(1030).x) == 1030
    assert drawn == [512, 512, 6]


def test_every_font_draws_every_letter_inside_its_square():
    maps, labels = drawing._distance_maps(LETTERS)
    assert len(maps) == len(FONTS) * len(LETTERS) and np.unique(np.bincount(labels)) == len(FONTS)
    border = torch.cat([maps[..., :8, :].flatten(1), maps[..., :, :8].flatten(1)], dim=1)
    assert border.max() < 0 < maps.amax(dim=(1, 2, 3)).min()


def test_the_distance_map_of_a_ring_knows_its_hole():
    turn = np.linspace(0, 2 * np.pi, 100, endpoint=False)
    circle = np.stack([np.cos(turn), np.sin(turn)], axis=1)
    distance = drawing._distance_map([circle, 0.5 * circle[::-1]])
    y, x = (np.indices(distance.shape) + 0.5) / distance.shape[0] * 3 - 1.5
    radius = np.hypot(x, y)
    near = (radius > 0.1) & (radius < 1.4)
    expected = np.minimum(1 - radius, radius - 0.5)
    np.testing.assert_allclose(distance[near], expected[near], atol=0.04)


def test_other_letters_can_be_drawn_and_not_what_no_font_has():
    greek = glyphs(400, letters=GREEK)
    assert set(greek.y.tolist()) == set(range(len(GREEK)))
    with pytest.raises(ValueError, match="no font of matplotlib has the letter '字'"):
        glyphs(1, letters="A字")


@pytest.mark.parametrize("letters", ["", "ABA"])
def test_letters_are_some_and_different(letters):
    with pytest.raises(ValueError, match=f"letters is '{letters}'; it must name at least one"):
        glyphs(1, letters=letters)


@pytest.mark.parametrize("name", ["count", "size"])
@pytest.mark.parametrize("number", [0, -1, 2.5, True, "8"])
def test_a_number_that_is_none_is_refused(name, number):
    with pytest.raises(ValueError, match=f"{name} is .*whole number, 1 or more"):
        glyphs(**{"count": 1, name: number})


def test_letters_can_be_told_apart_by_their_pixels():
    train, test = glyphs(3000, size=8, seed=1), glyphs(1000, seed=2)
    model = LogisticRegression(max_iter=100).fit(train.x, train.y)
    assert model.score(test.x, test.y) > 0.45  # chance is 1 in 37
