"""The tables: whole, unscaled and named; their parts; what happens when scikit-learn's file is gone or damaged."""

import gzip
import importlib.resources

import numpy as np
import pytest
import torch
from sklearn import datasets

from labutils import data

TABLES = {
    "wine": (data.wine, (178, 13), 3, (106, 36, 36)),
    "breast_cancer": (data.breast_cancer, (569, 30), 2, (341, 114, 114)),
    "diabetes": (data.diabetes, (442, 10), 0, (264, 89, 89)),
}
every_table = pytest.mark.parametrize("load, shape, classes, sizes", TABLES.values(), ids=TABLES)


@every_table
def test_a_table_has_its_names_units_and_types(load, shape, classes, sizes):
    table = load()
    assert table.x.shape == shape and table.x.dtype == np.float64 and np.isfinite(table.x).all()
    assert table.y.shape == shape[:1] and table.y.dtype == (np.int64 if classes else np.float64)
    assert len(table.feature_names) == len(set(table.feature_names)) == len(table.units) == shape[1]
    assert len(table.class_names) == classes and all(table.units)
    if classes:
        assert set(table.y) == set(range(classes))


def test_the_numbers_are_scikit_learns_and_stand_under_their_names():
    wine, cancer, patients = data.wine(), data.breast_cancer(), data.diabetes()
    assert np.array_equal(wine.x, datasets.load_wine().data) and np.array_equal(wine.y, datasets.load_wine().target)
    assert np.array_equal(cancer.x, datasets.load_breast_cancer().data)
    assert np.array_equal(patients.x, datasets.load_diabetes(scaled=False).data)
    assert [
        name.replace("standard error of ", "") + " error" * name.startswith("standard") for name in cancer.feature_names
    ] == list(datasets.load_breast_cancer().feature_names)
    assert wine.x[:, wine.feature_names.index("proline")].mean() == pytest.approx(746.9, abs=0.1)
    assert patients.x[:, patients.feature_names.index("body mass index")].mean() == pytest.approx(26.4, abs=0.1)


def test_what_is_looked_for_is_the_positive_class():
    table = data.breast_cancer()
    assert table.class_names == ("benign", "malignant") and table.y.sum() == 212


@every_table
def test_rows_hold_every_example_once(load, shape, classes, sizes):
    table = load()
    rows = table.rows()
    assert tuple(map(len, rows)) == sizes
    assert np.array_equal(np.sort(np.concatenate(rows)), np.arange(shape[0]))
    if classes:
        shares = np.array([np.bincount(table.y[part], minlength=classes) / len(part) for part in rows])
        assert np.ptp(shares, axis=0).max() < 0.03


@every_table
def test_the_split_is_the_same_rows_as_tensors(load, shape, classes, sizes):
    table = load()
    for part, rows in zip(table.split(seed=3), table.rows(seed=3)):
        assert part.x.dtype == torch.float32 and torch.equal(part.x, torch.tensor(table.x[rows]).float())
        if classes:
            assert part.y.dtype == torch.int64 and part.y.tolist() == table.y[rows].tolist()
        else:
            assert part.y.dtype == torch.float32 and part.y.shape == (len(rows), 1)
            assert part.y[:, 0].tolist() == table.y[rows].tolist()


def test_the_seed_alone_decides_the_rows():
    table = data.wine()
    np.random.seed(1)
    first = table.rows(seed=1)
    np.random.seed(2)
    assert all(np.array_equal(a, b) for a, b in zip(first, table.rows(seed=1)))
    assert not np.array_equal(first[0], table.rows(seed=2)[0])


def zipped(change):
    return lambda content: gzip.compress(change(gzip.decompress(content)))


WINE = (data.wine, "wine_data.csv", "load_csv_data", "wines")
CANCER = (data.breast_cancer, "breast_cancer.csv", "load_csv_data", "breast cancer samples")
PATIENTS = (data.diabetes, "diabetes_data_raw.csv.gz", "load_gzip_compressed_csv_data", "diabetes patients")
PROGRESSION = (data.diabetes, "diabetes_target.csv.gz", "load_gzip_compressed_csv_data", "diabetes patients")


@pytest.mark.parametrize(
    "table, damage, how",
    [
        (WINE, lambda content: None, "cannot be read"),
        (WINE, lambda content: b"", "cannot be read"),
        (WINE, lambda content: content[: len(content) // 2], "cannot be read|is not the one"),
        (WINE, lambda content: content.replace(b"14.23", b"14.24", 1), "is not the one"),
        (WINE, lambda content: content.replace(b"14.23", b"", 1), "cannot be read"),
        (WINE, lambda content: content + content.splitlines(keepends=True)[-1], "cannot be read"),
        (CANCER, lambda content: content.replace(b"17.99", b"nan", 1), "is not the one"),
        (CANCER, lambda content: b"\xff" + content, "cannot be read"),
        (PATIENTS, lambda content: content[: len(content) // 2], "cannot be read"),
        (PATIENTS, zipped(lambda text: text.replace(b"32.1", b"32.2", 1)), "is not the one"),
        (PATIENTS, zipped(lambda text: text.split(b"\n", 1)[1]), "cannot be read"),
        (PROGRESSION, lambda content: None, "cannot be read"),
        (PROGRESSION, zipped(lambda text: text.split(b"\n", 1)[1]), "cannot be read"),
    ],
    ids=[
        "missing",
        "empty",
        "cut short",
        "one value altered",
        "one value missing",
        "one row more",
        "not finite",
        "not text",
        "gzip cut short",
        "gzip altered",
        "one row less",
        "targets missing",
        "one target less",
    ],
)
def test_a_missing_or_damaged_file_is_said_plainly(table, damage, how, monkeypatch, tmp_path):
    """scikit-learn reads its files from a package; here that package is a folder with a damaged copy."""
    from sklearn.datasets import _base

    load, name, reader, what = table
    package = tmp_path / f"package_{tmp_path.name}"
    package.mkdir()
    (package / "__init__.py").touch()
    for file in importlib.resources.files("sklearn.datasets.data").iterdir():
        content = file.read_bytes() if file.is_file() else None
        if file.name == name:
            content = damage(content)
        if content is not None and file.name != "__init__.py":
            (package / file.name).write_bytes(content)
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.setitem(getattr(_base, reader).__kwdefaults__, "data_module", package.name)
    with pytest.raises(data.DataError, match=rf"{what}.*({how})(.|\n)*pip install --force-reinstall"):
        load()
