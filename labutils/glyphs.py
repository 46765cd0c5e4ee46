"""Letters that the project draws itself, as many as one likes: a source to learn from before the target is seen.

The outlines are those of the fonts that matplotlib brings (DejaVu, STIX and Computer Modern, all under free licences).
Each letter becomes a map of distances to its edge once, and every image is drawn from such a map: turned, slanted,
stretched, shifted and bent (elastic distortion, after Simard, Steinkraus and Platt, 2003), its strokes thinner or
thicker, blurred and noisy. There are no digits among them.
"""

from functools import lru_cache
from pathlib import Path

import numpy as np
import torch
from torch.nn import functional

from labutils.data import Examples

LETTERS = "ABCDEFGHIJKLMNOPQRSTUVWXYZabdefghnqrt"
"""The capitals, and the small letters whose shape is another one, as in EMNIST's balanced set (Cohen et al., 2017)."""
GREEK = "ΓΔΘΛΞΠΣΦΨΩαβγδεζηθλμξπσφψω"
"""Other letters, to be drawn in the same way: a task that is near to recognising `LETTERS`."""

FONTS = (
    *(
        f"DejaVu{family}{style}"
        for family in ("Sans", "SansMono")
        for style in ("", "-Bold", "-Oblique", "-BoldOblique")
    ),
    *(f"DejaVuSerif{style}" for style in ("", "-Bold", "-Italic", "-BoldItalic")),
    *(f"STIXGeneral{style}" for style in ("", "Bol", "Italic", "BolIta")),
    *("cmr10", "cmb10", "cmss10", "cmtt10", "cmmi10"),
)
_LATIN_ONLY = {"cmr10", "cmb10", "cmss10", "cmtt10", "cmmi10"}  # where Unicode has Greek, they have nothing
_GRID = 64  # pixels along a side of a map of distances
_REACH = 1.5  # it shows the square from -1.5 to 1.5; the letter lies between -1 and 1
_FINE = 4  # a pixel is the mean of 4x4 points, as in the handwritten digits
_PIECE = 512  # images drawn at once: bounds the memory


def glyphs(count: int, *, images: bool = False, size: int = 8, letters: str = LETTERS, seed: int = 0) -> Examples:
    """`count` letters as images of `size` x `size` pixels in the form of `data.digits()`, drawn from `seed`.

    Returns `Examples`: `x` is float32 between 0 (paper) and 1 (ink), of shape (count, size²), or (count, 1, size, size)
    with `images=True`; `y` is int64 of shape (count,), the place of the letter in `letters`. Letters and fonts come
    equally often on average. The same `seed` gives the same images on every machine, to 0.001 in a pixel.

    Raises `ValueError` when count or size is not a whole number from 1, or when a letter is in no font.
    """
    for name, number in {"count": count, "size": size}.items():
        if isinstance(number, bool) or not isinstance(number, int) or number < 1:
            raise ValueError(f"{name} is {number!r}; it must be a whole number, 1 or more")
    maps, kinds = _distance_maps(letters)
    generator = torch.Generator().manual_seed(seed)
    y = torch.randint(len(letters), (count,), generator=generator)
    fonts = torch.rand(count, generator=generator)
    fitting = [torch.nonzero(kinds == label).flatten() for label in range(len(letters))]
    chosen = torch.stack([fitting[label][int(len(fitting[label]) * font)] for label, font in zip(y.tolist(), fonts)])
    x = torch.cat([_draw(maps[rows], size, generator) for rows in chosen.split(_PIECE)])
    return Examples(x if images else x.flatten(1), y)


def _draw(maps: torch.Tensor, size: int, generator: torch.Generator) -> torch.Tensor:
    """One distorted image of shape (1, size, size) for each map of distances."""
    count = len(maps)

    def uniform(low: float, high: float, *shape: int) -> torch.Tensor:
        return low + (high - low) * torch.rand(count, *(shape or (1, 1, 1)), generator=generator)

    fine = _FINE * size
    places = functional.affine_grid(_affine(uniform), (count, 1, fine, fine), align_corners=False)
    places = places + _elastic(uniform, fine)
    distance = functional.grid_sample(maps, places / _REACH, padding_mode="border", align_corners=False)
    softness = uniform(0.05, 0.15)  # of an edge, where 2 is the height of the letter
    half_width = maps.amax(dim=(1, 2, 3), keepdim=True)
    thicker = (uniform(0.18, 0.34) - half_width).clamp(-0.06, 0.2)
    ink = (0.5 + (distance + thicker) / softness).clamp(0, 1)
    x = functional.avg_pool2d(ink, _FINE) * uniform(0.9, 1)
    noise = torch.randn(x.shape, generator=generator) * uniform(0, 0.04)
    return (x + noise).clamp(0, 1)


def _affine(uniform) -> torch.Tensor:
    """Where in its map each point of an image lies, as matrices of shape (count, 2, 3): turned, slanted, stretched."""
    angle, slant = uniform(-0.25, 0.25, 1), uniform(-0.35, 0.35, 1)
    width, height = uniform(0.95, 1.5, 1), uniform(0.95, 1.2, 1)
    cos, sin = angle.cos(), angle.sin()
    rows = [
        torch.cat([width * cos, width * (slant * cos - sin), uniform(-0.12, 0.12, 1)], dim=1),
        torch.cat([height * sin, height * (slant * sin + cos), uniform(-0.12, 0.12, 1)], dim=1),
    ]
    return torch.stack(rows, dim=1)


def _elastic(uniform, fine: int) -> torch.Tensor:
    """A smooth displacement of each point: a coarse random field, made fine."""
    coarse = uniform(-1, 1, 2, 4, 4) * uniform(0, 0.35)
    field = functional.interpolate(coarse, (fine, fine), mode="bicubic", align_corners=True)
    return field.movedim(1, -1)


@lru_cache(maxsize=4)
def _distance_maps(letters: str) -> tuple[torch.Tensor, torch.Tensor]:
    """A map for each letter in each font that has it, shape (maps, 1, 64, 64), and its place in `letters`, (maps,)."""
    if not letters or len(set(letters)) < len(letters):
        raise ValueError(f"letters is {letters!r}; it must name at least one letter, and none of them twice")
    maps, kinds = [], []
    for name in FONTS:
        if name in _LATIN_ONLY and not letters.isascii():
            continue
        font = _font(name)
        for label, letter in enumerate(letters):
            if font.get_char_index(ord(letter)):
                maps.append(_distance_map(_outline(font, letter)))
                kinds.append(label)
    if missing := set(range(len(letters))) - set(kinds):
        raise ValueError(f"no font of matplotlib has the letter {letters[min(missing)]!r}")
    return torch.tensor(np.stack(maps), dtype=torch.float32)[:, None], torch.tensor(kinds)


def _font(name: str):
    """matplotlib's own file of a font, whatever fonts the machine has."""
    from matplotlib import get_data_path
    from matplotlib.ft2font import FT2Font

    font = FT2Font(str(Path(get_data_path()) / "fonts" / "ttf" / f"{name}.ttf"))
    font.set_size(2048, 72)  # so large that it does not matter how a release rounds
    return font


def _outline(font, letter: str) -> list[np.ndarray]:
    """The closed lines around a letter, each of shape (points, 2), between -1 and 1, y pointing down."""
    from matplotlib.ft2font import LoadFlags
    from matplotlib.path import Path as Outline

    font.load_char(ord(letter), flags=LoadFlags.NO_HINTING)
    points, codes = font.get_path()
    lines = Outline(points / 8, codes).to_polygons()  # a curve in straight lines, not longer than needed
    points = np.concatenate(lines)
    low, high = points.min(axis=0), points.max(axis=0)
    middle, half = (low + high) / 2, (high - low).max() / 2
    return [(line - middle) / half * (1, -1) for line in lines]


def _distance_map(lines: list[np.ndarray]) -> np.ndarray:
    """Distance of each pixel of the square to the letter's edge, positive inside the letter."""
    from scipy.ndimage import distance_transform_edt

    inside = _fill(lines)
    pixel = 2 * _REACH / _GRID
    return pixel * np.where(inside, distance_transform_edt(inside) - 0.5, 0.5 - distance_transform_edt(~inside))


def _fill(lines: list[np.ndarray]) -> np.ndarray:
    """Which pixels of the square lie inside: those that the lines wind around. Shape (64, 64).

    Each edge that crosses a row of pixels turns all pixels to the right of the crossing by one, up or down.
    """
    edges = np.concatenate([np.stack([line, np.roll(line, -1, axis=0)], axis=1) for line in lines])
    (x0, y0), (x1, y1) = ((edges + _REACH) / (2 * _REACH) * _GRID).transpose(1, 2, 0)
    rows = np.arange(_GRID)[:, None] + 0.5
    crosses = (y0 <= rows) != (y1 <= rows)
    row, edge = np.nonzero(crosses)
    x = x0[edge] + (row + 0.5 - y0[edge]) / (y1 - y0)[edge] * (x1 - x0)[edge]
    turns = np.zeros((_GRID, _GRID + 1))
    np.add.at(turns, (row, np.ceil(x - 0.5).clip(0, _GRID).astype(int)), np.sign(y1 - y0)[edge])
    return turns.cumsum(axis=1)[:, :-1] != 0
