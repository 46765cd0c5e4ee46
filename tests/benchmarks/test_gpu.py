"""The benchmark of the graphics card, on tiny sizes: what it compares, and what it says where there is no card."""

import numpy as np
import pytest
import torch

from benchmarks import gpu

TINY = {"networks": 2, "epochs": 1, "images": 2, "letters": 140, "pairs": 1}


def test_without_a_card_that_is_said_and_the_processor_shown(monkeypatch, capsys):
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    figures = list(gpu.run(**TINY))
    assert "There is no graphics card that torch can use here" in capsys.readouterr().err
    assert [figure.ratio for figure in figures] == [1, 1, 1]
    assert [figure.case.split()[0] for figure in figures] == ["sweep", "convolution", "fine-tuning"]
    for figure in figures:
        assert figure.case.endswith(" s on the processor") and "no graphics card" in figure.baseline
        assert float(figure.case.split()[-5]) > 0


@pytest.fixture
def pretended_card(monkeypatch):
    """A card that is the processor: what it computes is right, and in mixed precision as rough as on a real one."""
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    monkeypatch.setattr(torch.cuda, "get_device_name", lambda: "a pretended card")
    monkeypatch.setattr(gpu, "has_mixed_precision", lambda: True)
    for name in ("_sweep", "_convolution", "_fine_tuning"):
        make = getattr(gpu, name)

        def pretended(*sizes_and_device, make=make):
            *sizes, _, mixed = sizes_and_device
            return make(*sizes, "cpu", mixed)

        monkeypatch.setattr(gpu, name, pretended)


@pytest.mark.usefixtures("pretended_card")
def test_a_card_is_compared_with_the_processor_in_both_precisions(capsys):
    figures = list(gpu.run(**TINY))
    assert all(figure.ratio > 0 and figure.baseline.startswith("the processor") for figure in figures)
    assert [figure.case.endswith("mixed precision") for figure in figures] == [False, False, True, False, True]
    said = capsys.readouterr().err
    assert "a pretended card" in said and said.count("the numbers agree to") == 5
    assert {"0.0e+00"} < {line.split()[-1] for line in said.splitlines() if "agree" in line}, "mixed is not the same"


@pytest.mark.usefixtures("pretended_card")
def test_an_old_card_has_no_mixed_precision(monkeypatch, capsys):
    monkeypatch.setattr(gpu, "has_mixed_precision", lambda: False)
    assert len(list(gpu.run(**TINY))) == 3
    assert "no bfloat16" in capsys.readouterr().err


@pytest.mark.parametrize("wrong", [1.02, np.nan, -1])
def test_other_numbers_are_not_timed(wrong):
    right = [np.ones(3), np.linspace(-1, 2, 5)]
    gpu.demand_the_same("case", [right[0], 1.001 * right[1]], right, gpu.SAME)
    with pytest.raises(RuntimeError, match="case: the numbers differ by"):
        gpu.demand_the_same("case", [right[0], wrong * right[1]], right, gpu.SAME)


@pytest.mark.gpu
@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a graphics card that torch can use")
def test_a_real_card_computes_the_same(capsys):
    figures = list(gpu.run(**TINY))
    assert len(figures) >= 3 and all(figure.ratio > 0 for figure in figures)
    assert capsys.readouterr().err.count("the numbers agree to") == len(figures)
