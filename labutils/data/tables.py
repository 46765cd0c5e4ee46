"""Tables of measurements: features of very different scale, a few of them with the units they were measured in."""

from typing import NamedTuple

import numpy as np
import torch

from labutils.data.embedded import read_checked
from labutils.data.parts import Examples, Split, three_parts

_WINE_SHA256 = "b6ff7c6847be41ee158bdf2267e98a97e1d240566564154aba1c0cc61f551fc3"
_BREAST_CANCER_SHA256 = "54cbf95e148c6eed11e8b2ac1637b5f44a8053293412279de71c47b345e9eb50"
_DIABETES_SHA256 = "839c546b0b4ac02c2e6cbe5e5c92313cefa993446c9733e9b49477cc3f96e104"


class Table(NamedTuple):
    """A whole table, one row per example and one column per feature, in numpy and as it was measured: nothing scaled.

    `x` is float64 of shape (n, d). `y` has shape (n,): int64 for classes, which `class_names` names, or float64 for a
    quantity, and then `class_names` is empty. `feature_names` and `units` have one entry per column; a unit reads well
    in brackets behind its name, as in "magnesium (mg/l)", "hue (no unit)" or, where the source is silent, "ash (unit
    not recorded)".
    """

    x: np.ndarray
    y: np.ndarray
    feature_names: tuple[str, ...]
    units: tuple[str, ...]
    class_names: tuple[str, ...] = ()

    def rows(self, *, seed: int = 0) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Row numbers for training, validation and testing: 60 %, 20 % and 20 %, always the same for one `seed`.

        The draw is stratified where `y` holds classes, so that each part has them in the same proportions.
        """
        return three_parts(self.y, seed=seed, stratified=bool(self.class_names))

    def split(self, *, seed: int = 0) -> Split:
        """The same three parts as tensors, ready for training: `x` float32; `y` int64, or float32 of shape (n, 1).

        A quantity has a column of its own, as the output of a network has, so that a loss compares like with like.
        """
        x = torch.tensor(self.x, dtype=torch.float32)
        y = torch.tensor(self.y) if self.class_names else torch.tensor(self.y, dtype=torch.float32)[:, None]
        return Split(*(Examples(x[rows], y[rows]) for rows in self.rows(seed=seed)))


def wine() -> Table:
    """178 wines from three cultivars of one region of Italy, by 13 measurements from hue (about 1) to proline (746).

    Source: Forina et al., PARVUS (1988), the UCI data "Wine", as scikit-learn ships it. The file names no units; those
    given here follow from the quantity or its usual range. Raises `DataError` when that copy is missing or damaged.
    """
    from sklearn.datasets import load_wine

    x, y = read_checked("wines", load_wine, _WINE_SHA256)
    return Table(x, y, *zip(*_WINE_FEATURES), ("cultivar 1", "cultivar 2", "cultivar 3"))


def breast_cancer() -> Table:
    """569 tissue samples, 212 of them malignant, by 30 measurements of the cell nuclei in a microscope picture.

    Ten properties of the nuclei, each with its mean over the picture, its standard error and the mean of its three
    largest values ("worst"). `y` is 1 for malignant and 0 for benign: what is looked for is the positive class.
    (scikit-learn's own copy has it the other way round.)

    Source: Street, Wolberg and Mangasarian (1993), the UCI data "Breast Cancer Wisconsin (Diagnostic)", as scikit-learn
    ships it. Lengths have a unit of the picture that is not recorded. Raises `DataError` when that copy is missing or
    damaged.
    """
    from sklearn.datasets import load_breast_cancer

    x, benign = read_checked("breast cancer samples", load_breast_cancer, _BREAST_CANCER_SHA256)
    names = [f"{kind} {name}" for kind in ("mean", "standard error of", "worst") for name in _NUCLEUS]
    return Table(x, 1 - benign, tuple(names), 3 * tuple(_NUCLEUS.values()), ("benign", "malignant"))


def diabetes() -> Table:
    """442 patients with diabetes by 10 measurements; `y` tells how far the disease went in the year after, 25 to 346.

    The target is a quantity and has no recorded unit. Sex is 1 or 2, and the source does not say which is which.

    Source: Efron, Hastie, Johnstone and Tibshirani (2004), as scikit-learn ships it, here unscaled. The source names no
    units; those given here follow from the quantity and its usual range. Raises `DataError` when that copy is missing
    or damaged.
    """
    from sklearn.datasets import load_diabetes

    x, y = read_checked("diabetes patients", load_diabetes, _DIABETES_SHA256, scaled=False)
    return Table(x, y, *zip(*_DIABETES_FEATURES))


_WINE_FEATURES = (
    ("alcohol", "% by volume"),
    ("malic acid", "unit not recorded"),
    ("ash", "unit not recorded"),
    ("alkalinity of ash", "unit not recorded"),
    ("magnesium", "mg/l"),
    ("total phenols", "unit not recorded"),
    ("flavanoids", "unit not recorded"),
    ("nonflavanoid phenols", "unit not recorded"),
    ("proanthocyanins", "unit not recorded"),
    ("colour intensity", "unit not recorded"),
    ("hue", "no unit"),
    ("OD280/OD315 of diluted wine", "no unit"),
    ("proline", "mg/l"),
)
_NUCLEUS = {
    "radius": "picture unit",
    "texture": "grey levels",
    "perimeter": "picture unit",
    "area": "picture unit squared",
    "smoothness": "no unit",
    "compactness": "no unit",
    "concavity": "no unit",
    "concave points": "no unit",
    "symmetry": "no unit",
    "fractal dimension": "no unit",
}
_DIABETES_FEATURES = (
    ("age", "years"),
    ("sex", "1 or 2"),
    ("body mass index", "kg/m²"),
    ("blood pressure", "mmHg"),
    ("total cholesterol", "mg/dl"),
    ("LDL cholesterol", "mg/dl"),
    ("HDL cholesterol", "mg/dl"),
    ("total cholesterol / HDL", "no unit"),
    ("log of triglycerides", "no unit"),
    ("blood sugar", "mg/dl"),
)
