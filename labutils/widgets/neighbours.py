"""A grid of images to choose from, and the nearest neighbours of the chosen one in several spaces side by side."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import traitlets
from matplotlib.figure import Figure

from labutils.widgets.base import CIVIDIS, LabWidget, script, within

LARGEST_COUNT, LARGEST_PICTURES = 64, 4096
"""Images, and pixels of all images together: they are saved in every notebook that shows the widget."""
_SHADES = 15  # from paper to ink: half a byte for each pixel


def nearest(features: Any, k: int, space: str = "features") -> tuple[np.ndarray, np.ndarray]:
    """The `k` nearest neighbours of each row by cosine similarity, the nearest first, and their similarities.

    Both are of shape (rows, k). A row is not its own neighbour; of equally similar rows the earlier comes first. Raises
    ValueError, with the name of the `space`, for a row that has no direction.
    """
    rows = np.asarray(features, dtype=float).reshape(len(features), -1)
    lengths = np.linalg.norm(rows, axis=1, keepdims=True)
    if not (np.isfinite(lengths) & (lengths > 0)).all():
        bad = int(np.argmin(np.isfinite(lengths) & (lengths > 0)))
        raise ValueError(
            f"image {bad} has features without a direction in the space {space!r}: all are 0, or one is not finite; "
            "leave it out"
        )
    directions = rows / lengths
    similarities = (directions @ directions.T).round(12)  # what differs by rounding alone is equal
    np.fill_diagonal(similarities, -np.inf)
    order = np.argsort(-similarities, axis=1, kind="stable")[:, :k]
    return order, np.take_along_axis(similarities, order, axis=1)


class Neighbours(LabWidget):
    """Images to choose from; for the chosen one its nearest neighbours in each space, with their labels.

    Nearest is what has the largest cosine similarity among the images shown.

    images: numbers of shape (n, rows, columns) or (n, 1, rows, columns), at most 64 images and 4096 pixels in all;
    the lowest number is drawn as paper, the largest as ink. spaces: {name: numbers of shape (n, …)}, the features of
    every image in each space. labels: n numbers or words. k: how many neighbours, 1 to 8. chosen: the number of the
    image that is chosen first.

    What is chosen in the browser comes back as `chosen`.
    """

    _esm = script("neighbours.js", CIVIDIS=CIVIDIS)
    chosen = traitlets.Int().tag(sync=True)
    _shape = traitlets.List(traitlets.Int()).tag(sync=True)
    """Number of images, rows and columns of each, and number of neighbours."""
    _shades = traitlets.Bytes().tag(sync=True)
    """The pixels from 0 to 15, two in a byte, the first in the lower half."""
    _labels = traitlets.List(traitlets.Unicode()).tag(sync=True)
    _spaces = traitlets.List(traitlets.Unicode()).tag(sync=True)
    _indices = traitlets.Bytes().tag(sync=True)
    """For each space, for each image, the numbers of its neighbours."""
    _similarities = traitlets.Bytes().tag(sync=True)
    """In the same order their similarities in hundredths, from -100 to 100."""

    def __init__(self, images: Any, spaces: Mapping[str, Any], labels: Sequence, k: int = 5, *, chosen: int = 0):
        self._pictures = _pictures(images)
        count = len(self._pictures)
        if not spaces or any(len(features) != count for features in spaces.values()) or len(labels) != count:
            sizes = ", ".join(f"{name!r} {len(features)}" for name, features in spaces.items()) or "none"
            raise ValueError(
                f"there are {count} images and {len(labels)} labels, and the spaces have features for: {sizes}; "
                "give one label for each image, and at least one space with features for each"
            )
        k = int(within("k", k, 1, min(8, count - 1)))
        self._found = {name: nearest(features, k, name) for name, features in spaces.items()}
        indices, similarities = (np.stack(found) for found in zip(*self._found.values()))
        super().__init__(
            chosen=int(within("chosen", chosen, 0, count - 1)),
            _shape=[*self._pictures.shape, k],
            _shades=_shades(self._pictures),
            _labels=[str(label) for label in np.asarray(labels).tolist()],
            _spaces=list(spaces),
            _indices=indices.astype(np.uint8).tobytes(),
            _similarities=(100 * similarities).round().astype(np.int8).tobytes(),
        )

    def neighbours(self, space: str) -> np.ndarray:
        """The numbers of the chosen image's neighbours in a space, the nearest first."""
        return self._found[space][0][self.chosen]

    def agreement(self) -> dict[str, float]:
        """For each space the share of neighbours, over all images, that have the label of their image."""
        labels = np.array(self._labels)
        return {name: float((labels[order] == labels[:, None]).mean()) for name, (order, _) in self._found.items()}

    def describe(self) -> str:
        return (
            f"Neighbours: {len(self._labels)} images to choose from, and the {self._shape[-1]} nearest neighbours "
            f"of the chosen one by cosine similarity in each space: {', '.join(self._spaces)}"
        )

    def still(self) -> Figure:
        figure = Figure(figsize=(1.5 * (self._shape[-1] + 1), 1.9 * len(self._spaces)), layout="constrained")
        own = self._labels[self.chosen]
        for row, name in zip(figure.subplots(len(self._spaces), self._shape[-1] + 1, squeeze=False), self._spaces):
            row[0].set_ylabel(name, fontsize="small", wrap=True)
            for axes, place in zip(row, [self.chosen, *self.neighbours(name)]):
                axes.imshow(self._pictures[place], cmap="cividis", vmin=self._pictures.min(), vmax=self._pictures.max())
                label = self._labels[place]
                sign = "chosen:" if axes is row[0] else "✓" if label == own else "✗"
                axes.set(title=f"{sign} {label}", xticks=[], yticks=[])
                axes.grid(False)
        return figure


def _pictures(images: Any) -> np.ndarray:
    """The images as an array of shape (n, rows, columns), or a ValueError that says what would be one."""
    pictures = np.asarray(images, dtype=float)
    if pictures.ndim == 4 and pictures.shape[1] == 1:
        pictures = pictures[:, 0]
    if pictures.ndim != 3 or len(pictures) < 2 or not pictures.size:
        raise ValueError(f"images has shape {pictures.shape}: give two or more, of shape (n, rows, columns)")
    if len(pictures) > LARGEST_COUNT or pictures.size > LARGEST_PICTURES:
        raise ValueError(
            f"{len(pictures)} images of {pictures.shape[1]} × {pictures.shape[2]} pixels are too many for one "
            f"notebook: take at most {LARGEST_COUNT} images and {LARGEST_PICTURES} pixels in all"
        )
    if not np.isfinite(pictures).all():
        raise ValueError(f"images holds {pictures[~np.isfinite(pictures)][0]}: give finite numbers")
    return pictures


def _shades(pictures: np.ndarray) -> bytes:
    low, high = pictures.min(), pictures.max()
    shades = (_SHADES * (pictures - low) / ((high - low) or 1)).round().astype(np.uint8).ravel()
    pairs = np.append(shades, np.zeros(len(shades) % 2, np.uint8)).reshape(-1, 2)
    return (pairs[:, 0] + 16 * pairs[:, 1]).tobytes()
