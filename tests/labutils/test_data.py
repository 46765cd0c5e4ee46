"""The digits and their split; what happens when their file is gone or damaged."""

import gzip

import pytest
import torch

from labutils import data


def test_digits_split_every_example_once_in_equal_proportions():
    from sklearn.datasets import load_digits

    parts = data.digits()
    assert [len(part.x) for part in parts] == [1077, 360, 360]
    pixels, labels = load_digits(return_X_y=True)
    rows = torch.cat([torch.cat([part.x * 16, part.y[:, None]], dim=1) for part in parts])
    original = torch.cat([torch.tensor(pixels), torch.tensor(labels)[:, None]], dim=1).float()
    assert sorted(map(tuple, rows.tolist())) == sorted(map(tuple, original.tolist()))
    shares = torch.stack([torch.bincount(part.y, minlength=10) / len(part.y) for part in parts])
    assert (shares - shares.mean(dim=0)).abs().max() < 0.003


def test_digits_are_scaled_and_typed():
    train = data.digits().train
    assert train.x.dtype == torch.float32 and train.y.dtype == torch.int64
    assert (train.x.min(), train.x.max()) == (0, 1)


def test_images_are_the_same_digits():
    flat, images = data.digits(seed=3), data.digits(images=True, seed=3)
    for a, b in zip(flat, images):
        assert b.x.shape == (len(a.x), 1, 8, 8)
        assert torch.equal(a.x, b.x.flatten(1)) and torch.equal(a.y, b.y)


def test_the_seed_alone_decides_the_split():
    torch.manual_seed(1)
    first = data.digits(seed=1).train.x
    torch.manual_seed(2)
    assert torch.equal(first, data.digits(seed=1).train.x)
    assert not torch.equal(first, data.digits(seed=2).train.x)


@pytest.mark.parametrize(
    "damage, words",
    [
        (lambda content: None, "cannot be read"),
        (lambda content: content[: len(content) // 2], "cannot be read"),
        (lambda content: b"no gzip at all", "cannot be read"),
        (lambda content: gzip.compress(gzip.decompress(content).replace(b"13", b"12", 1)), "is not the one"),
        (lambda content: gzip.compress(gzip.decompress(content).replace(b"13", b"ink", 1)), "cannot be read"),
    ],
    ids=["missing", "cut short", "not gzip", "one pixel altered", "not a number"],
)
def test_a_missing_or_damaged_file_is_said_plainly(damage, words, monkeypatch, tmp_path):
    """scikit-learn reads its file from a package; here that package is a folder with a damaged copy."""
    import importlib.resources

    from sklearn.datasets import _base

    content = (importlib.resources.files("sklearn.datasets.data") / "digits.csv.gz").read_bytes()
    package = tmp_path / f"package_{tmp_path.name}"
    package.mkdir()
    (package / "__init__.py").touch()
    if (damaged := damage(content)) is not None:
        (package / "digits.csv.gz").write_bytes(damaged)
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.setitem(_base.load_gzip_compressed_csv_data.__kwdefaults__, "data_module", package.name)
    with pytest.raises(data.DataError, match=rf"handwritten digits.*{words}(.|\n)*pip install --force-reinstall"):
        data.digits()
