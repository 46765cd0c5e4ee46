"""`import labutils` is light; its names come when they are used."""

import subprocess
import sys

import pytest

import labutils


def run(code: str) -> str:
    return subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout


def test_the_import_is_light():
    loaded = run("import sys, labutils; print(*sys.modules)").split()
    assert "labutils" in loaded
    assert not {"torch", "matplotlib", "numpy", "sklearn", "ipywidgets"} & set(loaded)


@pytest.mark.parametrize("name", labutils.__all__)
def test_every_public_name_is_there(name):
    assert getattr(labutils, name) is not None


def test_an_unknown_name_lists_the_known_ones():
    with pytest.raises(AttributeError, match="'swep'.*sweep"):
        labutils.swep
