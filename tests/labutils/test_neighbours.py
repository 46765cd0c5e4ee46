"""The neighbours without a browser: who is nearest, against scikit-learn, and what a notebook keeps of the images."""

import numpy as np
import pytest
from sklearn.neighbors import NearestNeighbors

from labutils import data
from labutils.widgets import Neighbours
from labutils.widgets.neighbours import nearest

X, Y = (part[:60].numpy() for part in data.digits(images=True).train)


def digits(**settings):
    flat = X.reshape(60, -1)
    return Neighbours(X, {"pixels": X, "squares": flat**2}, Y, **settings)


def test_neighbours_are_those_of_scikit_learn():
    features = np.random.default_rng(1).normal(size=(40, 7))
    order, similarities = nearest(features, 6)
    distances, theirs = NearestNeighbors(n_neighbors=7, metric="cosine").fit(features).kneighbors(features)
    np.testing.assert_array_equal(order, theirs[:, 1:])
    np.testing.assert_allclose(similarities, 1 - distances[:, 1:], atol=1e-9)


def test_lengths_do_not_matter_and_of_equals_the_earlier_comes_first():
    features = np.array([[1.0, 0.0], [0.0, 3.0], [2.0, 1.0], [5.0, 0.5], [7.0, 0.0], [0.1, 0.0]])
    order, similarities = nearest(features, 5)
    assert order[0].tolist() == [4, 5, 3, 2, 1] and similarities[0, :2].tolist() == [1, 1]
    assert order[5].tolist() == [0, 4, 3, 2, 1]


def test_each_space_has_its_own_neighbours_of_the_chosen_image():
    shown = digits(k=3, chosen=7)
    for name, features in {"pixels": X, "squares": X**2}.items():
        np.testing.assert_array_equal(shown.neighbours(name), nearest(features, 3)[0][7])
    shown.chosen = 12
    np.testing.assert_array_equal(shown.neighbours("pixels"), nearest(X, 3)[0][12])
    agree = Y[nearest(X, 3)[0]] == Y[:, None]
    assert shown.agreement()["pixels"] == pytest.approx(agree.mean())


def test_what_a_notebook_keeps_is_small_and_near_to_what_was_given():
    shown = digits(k=5)
    assert shown._shape == [60, 8, 8, 5] and len(shown._shades) == 60 * 64 // 2
    low, high = np.frombuffer(shown._shades, np.uint8) & 15, np.frombuffer(shown._shades, np.uint8) >> 4
    shades = np.stack([low, high], axis=-1).reshape(X[:, 0].shape)
    np.testing.assert_allclose(shades / 15, X[:, 0], atol=0.5 / 15 + 1e-6)
    indices = np.frombuffer(shown._indices, np.uint8).reshape(2, 60, 5)
    np.testing.assert_array_equal(indices[0], nearest(X, 5)[0])
    hundredths = np.frombuffer(shown._similarities, np.int8).reshape(2, 60, 5)
    np.testing.assert_allclose(hundredths[1] / 100, nearest(X**2, 5)[1], atol=0.0051)
    assert shown._labels[:3] == ["7", "8", "9"] and shown._spaces == ["pixels", "squares"]


def test_images_of_one_colour_and_of_an_odd_number_of_pixels():
    shown = Neighbours(np.ones((3, 1, 3)), {"place": np.eye(3)}, ["a", "b", "b"], k=2)
    assert shown._shades == bytes(5) and shown.agreement() == {"place": pytest.approx(1 / 3)}


def test_still_picture_has_a_row_for_each_space_and_marks_what_agrees():
    shown = digits(k=4, chosen=3)
    axes = shown.still().axes
    assert len(axes) == 2 * 5 and [axes[place].get_ylabel() for place in (0, 5)] == ["pixels", "squares"]
    expected = [f"{'✓' if Y[place] == Y[3] else '✗'} {Y[place]}" for place in shown.neighbours("pixels")]
    assert [each.get_title() for each in axes[:5]] == ["chosen: 6", *expected]
    assert shown.describe() == (
        "Neighbours: 60 images to choose from, and the 4 nearest neighbours of the chosen one by cosine similarity "
        "in each space: pixels, squares"
    )


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: Neighbours(X.reshape(60, 64), {"pixels": X}, Y), r"images has shape \(60, 64\): give two or more"),
        (
            lambda: Neighbours(np.zeros((3, 3, 8, 8)), {"a": np.ones((3, 2))}, [0, 1, 2]),
            r"images has shape \(3, 3, 8, 8\)",
        ),
        (
            lambda: Neighbours(np.ones((65, 2, 2)), {"a": np.ones((65, 2))}, range(65)),
            "65 images of 2 × 2 .* at most 64",
        ),
        (
            lambda: Neighbours(np.ones((60, 9, 9)), {"a": np.ones((60, 2))}, range(60)),
            "at most 64 images and 4096 pixels",
        ),
        (lambda: Neighbours(np.full((3, 2, 2), np.inf), {"a": np.eye(3)}, range(3)), "images holds inf: give finite"),
        (lambda: Neighbours(X, {}, Y), "60 images and 60 labels, .* for: none; give one label"),
        (lambda: Neighbours(X, {"pixels": X[:59]}, Y), "features for: 'pixels' 59; give one label for each"),
        (lambda: Neighbours(X, {"pixels": X}, Y[:10]), "60 images and 10 labels"),
        (lambda: Neighbours(X, {"dead": np.zeros((60, 4))}, Y), "image 0 has features without a direction .*'dead'"),
        (lambda: digits(k=0), "k is 0, and the widget shows 1 to 8"),
        (lambda: Neighbours(np.ones((3, 2, 2)), {"a": np.eye(3)}, range(3)), "k is 5, and the widget shows 1 to 2"),
        (lambda: digits(chosen=60), "chosen is 60, and the widget shows 0 to 59"),
    ],
)
def test_bad_arguments_are_named_with_their_limits(make, message):
    with pytest.raises(ValueError, match=message):
        make()
