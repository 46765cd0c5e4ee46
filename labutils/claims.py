"""A sentence of the prose tied to a measurement, so that the text cannot lie."""

import math
from typing import SupportsFloat

from labutils.checks import messages


class ClaimError(AssertionError):
    """A sentence of the chapter does not hold for what was measured."""


def claim(
    sentence: str,
    measured: bool | SupportsFloat,
    *,
    about: float | None = None,
    within: float | None = None,
    at_least: float | None = None,
    at_most: float | None = None,
) -> None:
    """Print `sentence` with its limits if they hold for `measured`, else raise `ClaimError`.

    `measured` is one real number (Python's, numpy's, torch's) with limits, in its own unit, or a truth value without:

        claim("A good rate reaches nine digits in ten.", accuracy, at_least=0.9)
        claim("The largest stable rate is 2/20.", measured_limit, about=0.1, within=0.005)
        claim("The highest rate diverges.", not np.isfinite(final_loss))

    What is printed is the same on every machine, for the measured value is not in it. NaN holds for no limits. Raises
    `ValueError` when the limits make no sense.
    """
    limits = _limits(about, within, at_least, at_most)
    value = _single(measured)
    if isinstance(value, bool) == bool(limits):
        raise ValueError(
            f"claim({sentence!r}) measures {value!r} and has {limits or 'no limits'}: a number needs at_least, "
            "at_most, or about and within, and a truth value needs none"
        )
    holds = value if isinstance(value, bool) else _within_limits(value, about, within, at_least, at_most)
    if not holds:
        raise ClaimError(messages.CLAIM_FAILS.format(sentence=sentence, measured=value, limits=limits or True))
    told = messages.CLAIM_HOLDS_WITHIN if limits else messages.CLAIM_HOLDS
    print(told.format(sentence=sentence, limits=limits))


def _limits(about: float | None, within: float | None, at_least: float | None, at_most: float | None) -> str:
    """The limits in words, empty when there are none."""
    if (about is None) != (within is None):
        raise ValueError(f"about={about} and within={within} belong together: give both or neither")
    if within is not None and not within >= 0:
        raise ValueError(f"within is {within}; it must be 0 or more")
    if at_least is not None and at_most is not None and not at_least <= at_most:
        raise ValueError(f"at_least={at_least} is above at_most={at_most}: nothing could hold")
    words = [
        messages.ABOUT.format(about=about, within=within) if about is not None else "",
        messages.AT_LEAST.format(limit=at_least) if at_least is not None else "",
        messages.AT_MOST.format(limit=at_most) if at_most is not None else "",
    ]
    return ", ".join(filter(None, words))


def _single(measured: bool | SupportsFloat) -> bool | float:
    """One Python number or truth value out of a Python, numpy or torch one."""
    if math.prod(shape := tuple(getattr(measured, "shape", ()))) != 1:
        raise ValueError(
            f"a claim measures one number or truth value, not an array of shape {shape}; take its mean, say"
        )
    value = measured.item() if hasattr(measured, "item") else measured
    if isinstance(value, bool | int | float):
        return value
    if isinstance(value, SupportsFloat):  # a Fraction, a Decimal
        return float(value)
    raise ValueError(f"a claim measures one number or truth value, not {value!r} of type {type(value).__name__}")


def _within_limits(
    value: float, about: float | None, within: float | None, at_least: float | None, at_most: float | None
) -> bool:
    return (
        not math.isnan(value)
        and (about is None or abs(value - about) <= within)
        and (at_least is None or value >= at_least)
        and (at_most is None or value <= at_most)
    )
