"""A claim prints the same line on every machine, or stops the notebook."""

from decimal import Decimal
from fractions import Fraction

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from labutils import claim
from labutils.claims import ClaimError

finite = st.floats(-1e6, 1e6)


@given(finite, finite, st.floats(0, 1e6))
def test_about_means_no_further_than_within(measured, about, within):
    if abs(measured - about) <= within:
        claim("s", measured, about=about, within=within)
    else:
        with pytest.raises(ClaimError):
            claim("s", measured, about=about, within=within)


@given(finite, finite, finite)
def test_at_least_and_at_most_are_both_kept(measured, a, b):
    low, high = min(a, b), max(a, b)
    if low <= measured <= high:
        claim("s", measured, at_least=low, at_most=high)
    else:
        with pytest.raises(ClaimError):
            claim("s", measured, at_least=low, at_most=high)


def test_the_line_holds_the_limits_and_never_the_measurement(capsys):
    for measured in (0.912345, np.float32(0.93), torch.tensor(0.95), np.array([0.92])):
        claim("Nine in ten.", measured, at_least=0.9)
        assert capsys.readouterr().out == "Holds: Nine in ten. (at least 0.9)\n"
    for measured in (Fraction(9, 10), Decimal("0.95")):
        claim("Nine in ten.", measured, at_least=0.9)
        assert capsys.readouterr().out == "Holds: Nine in ten. (at least 0.9)\n"
    claim("About one tenth.", 0.1003, about=0.1, within=0.005)
    assert capsys.readouterr().out == "Holds: About one tenth. (about 0.1, within 0.005)\n"
    for truth in (True, np.bool_(True), torch.tensor(True)):
        claim("It diverges.", truth)
        assert capsys.readouterr().out == "Holds: It diverges.\n"


def test_a_claim_that_fails_names_sentence_measurement_and_limits():
    with pytest.raises(ClaimError, match=r"'Nine in ten\.'.*0\.75.*at least 0\.9, at most 1"):
        claim("Nine in ten.", 0.75, at_least=0.9, at_most=1)
    with pytest.raises(ClaimError, match="'It diverges.'.*False"):
        claim("It diverges.", np.bool_(False))
    assert issubclass(ClaimError, AssertionError)


@pytest.mark.parametrize("limits", [{"at_least": -1e300}, {"at_most": 1e300}, {"about": 0, "within": float("inf")}])
def test_nan_never_holds(limits):
    with pytest.raises(ClaimError, match="nan"):
        claim("s", float("nan"), **limits)


@pytest.mark.parametrize(
    "measured, limits, words",
    [
        (1.0, {}, "no limits"),
        (True, {"at_least": 0}, "truth value needs none"),
        (1.0, {"about": 1}, "belong together"),
        (1.0, {"within": 1}, "belong together"),
        (1.0, {"about": 1, "within": -0.1}, "within is -0.1"),
        (1.0, {"at_least": 2, "at_most": 1}, "nothing could hold"),
        (np.ones(3), {"at_least": 0}, "one number.*shape"),
        (torch.ones(2, 2), {"at_least": 0}, "one number.*shape"),
        ("0.9", {"at_least": 0}, "'0.9' of type str"),
        (1j, {"at_least": 0}, "1j of type complex"),
        (None, {}, "None of type NoneType"),
    ],
)
def test_bad_use_is_said_plainly(measured, limits, words):
    with pytest.raises(ValueError, match=words):
        claim("s", measured, **limits)
