"""Pictures to be recognised: digits that come with the book, and two larger sets from their official sources."""

import gzip
import math
from pathlib import Path

import numpy as np
import torch

from labutils.data.downloads import Source, fetch
from labutils.data.embedded import read_checked
from labutils.data.parts import Examples, Split, hold_out, three_parts

_DIGITS_SHA256 = "30aa855cd90427ff3c4996b3f40109597c57049f8a038cc52db1efeac8ad2e26"

MNIST = Source(
    name="MNIST",
    folder="mnist",
    address="https://ossci-datasets.s3.amazonaws.com/mnist/",
    md5={
        "train-images-idx3-ubyte.gz": "f68b3c2dcbeaaa9fbdd348bbdeb94873",
        "train-labels-idx1-ubyte.gz": "d53e105ee54ea40749a09fcbcd1e9432",
        "t10k-images-idx3-ubyte.gz": "9fb629c4189551a2d022fa330f9573f3",
        "t10k-labels-idx1-ubyte.gz": "ec29112dd5afa0611ce80d1b7f02629c",
    },
    instead="data.digits()",
)
FASHION_MNIST = Source(
    name="Fashion-MNIST",
    folder="fashion_mnist",
    address="http://fashion-mnist.s3-website.eu-central-1.amazonaws.com/",
    md5={
        "train-images-idx3-ubyte.gz": "8d4fb7e6c68d591d4c3dfef9ec88bf0d",
        "train-labels-idx1-ubyte.gz": "25c81989df183df01b3e8a0aad5dffbe",
        "t10k-images-idx3-ubyte.gz": "bef4ecab320f06d8554ea6380940ec79",
        "t10k-labels-idx1-ubyte.gz": "bb300cfdad3c16e7a12a480ee83cd310",
    },
    instead="data.digits()",
)


def digits(*, images: bool = False, seed: int = 0) -> Split:
    """1797 handwritten digits of 8x8 pixels, 60 % for training, 20 % for validation and 20 % for testing.

    The split is stratified, so each part has the ten digits in the same proportions, and the same `seed` always gives
    the same split: 1077, 360 and 360 examples.

    Returns a `Split`; in each part `x` is float32 between 0 (paper) and 1 (ink), of shape (n, 64), or (n, 1, 8, 8) with
    `images=True`, and `y` is int64 of shape (n,), the digit 0 to 9.

    Source: Alpaydin and Kaynak (1998), the test part of the UCI "Optical Recognition of Handwritten Digits" data, as
    scikit-learn ships it. Raises `DataError` when that copy is missing or damaged.
    """
    from sklearn.datasets import load_digits

    pixels, labels = read_checked("handwritten digits", load_digits, _DIGITS_SHA256)
    x = torch.tensor(pixels / 16, dtype=torch.float32).reshape((-1, 1, 8, 8) if images else (-1, 64))
    y = torch.tensor(labels, dtype=torch.int64)
    return Split(*(Examples(x[rows], y[rows]) for rows in three_parts(labels, seed=seed)))


def mnist(*, images: bool = False, seed: int = 0) -> Split:
    """70 000 handwritten digits of 28x28 pixels: 50 000 for training, 10 000 for validation and 10 000 for testing.

    The test part is the published one. The validation part is drawn from the published training part, stratified, and
    the same `seed` always gives the same.

    Returns a `Split`; in each part `x` is float32 between 0 (paper) and 1 (ink), of shape (n, 784), or (n, 1, 28, 28)
    with `images=True`, and `y` is int64 of shape (n,), the digit 0 to 9.

    Source: LeCun, Cortes and Burges (1998), 12 MB, fetched when it is first asked for. Raises `DataError` where that
    does not work; `digits` needs no network.
    """
    return _read(MNIST, images, seed)


def fashion_mnist(*, images: bool = False, seed: int = 0) -> Split:
    """70 000 pictures of clothes of 28x28 pixels, in the form of `mnist` and harder to tell apart.

    `y` is 0 T-shirt or top, 1 trousers, 2 pullover, 3 dress, 4 coat, 5 sandal, 6 shirt, 7 sneaker, 8 bag, 9 ankle boot.
    In `x`, 0 is background and 1 the brightest cloth; shapes, sizes and split are those of `mnist`.

    Source: Xiao, Rasul and Vollgraf (2017), 31 MB, fetched when it is first asked for. Raises `DataError` where that
    does not work; `digits` needs no network.
    """
    return _read(FASHION_MNIST, images, seed)


def _read(source: Source, images: bool, seed: int) -> Split:
    trained_x, trained_y, tested_x, tested_y = (_read_idx(fetch(source, file)) for file in source.md5)  # in its order
    sixth = math.ceil(len(trained_y) / 6)
    train, validation = hold_out(np.arange(len(trained_y)), trained_y, sixth, seed=seed)
    parts = [(trained_x[train], trained_y[train]), (trained_x[validation], trained_y[validation]), (tested_x, tested_y)]
    return Split(*(_examples(x, y, images) for x, y in parts))


def _read_idx(path: Path) -> np.ndarray:
    """An array of bytes in the IDX format: three bytes of kind, the number of axes, their lengths, the numbers."""
    content = gzip.decompress(path.read_bytes())
    axes = content[3]
    shape = np.frombuffer(content, dtype=">i4", count=axes, offset=4)
    return np.frombuffer(content, dtype=np.uint8, offset=4 + 4 * axes).reshape(shape)


def _examples(pixels: np.ndarray, labels: np.ndarray, images: bool) -> Examples:
    x = torch.from_numpy(pixels.astype(np.float32)).div_(255)
    return Examples(x[:, None] if images else x.flatten(1), torch.from_numpy(labels.astype(np.int64)))
