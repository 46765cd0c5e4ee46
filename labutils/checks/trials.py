"""A function on trial in the process in which it is written: what `check` hands to a judge."""

import time
from collections.abc import Callable
from typing import Any

from labutils.checks.calling import Outcome, call
from labutils.checks.signatures import Signature, signature_of

SHORTEST = 0.01


class LocalTrial:
    """Calls `function` on each set of arguments, for `seconds` in all its calls together."""

    def __init__(self, function: Callable, seconds: float) -> None:
        self.seconds = seconds
        self._function = function
        self._deadline = time.monotonic() + seconds

    @property
    def signature(self) -> Signature | None:
        return signature_of(self._function)

    def __call__(self, arguments: dict[str, Any]) -> Outcome:
        return call(self._function, arguments, max(self._deadline - time.monotonic(), SHORTEST))
