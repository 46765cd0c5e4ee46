"""The first line of a function as data: which parameters it has, in which order, with which defaults."""

import ast
import inspect
from collections.abc import Callable, Iterable
from dataclasses import dataclass

from labutils.checks.calling import guarded

LONGEST_DEFAULT = 200


@dataclass(frozen=True)
class Parameter:
    """One parameter. `kind` is the name that `inspect` gives it; `default` is as Python writes it, None without one."""

    name: str
    kind: str = "POSITIONAL_OR_KEYWORD"
    default: str | None = None


@dataclass(frozen=True)
class Signature:
    """The parameters of a function, without annotations."""

    parameters: tuple[Parameter, ...]

    def takes(self, names: Iterable[str]) -> bool:
        """Tell whether the function can be called with these arguments, given by name."""
        try:
            self._inspected().bind(**dict.fromkeys(names))
        except TypeError:
            return False
        return True

    def has_defaults(self, written: tuple[str, ...]) -> bool:
        """Tell whether the parameters have the defaults of `written`, such as "every=10": 0 is as good as 0.0."""
        return all(_same_default(one.partition("=")[2], given) for one, given in zip(written, self.parameters))

    def __str__(self) -> str:
        return str(self._inspected())

    def _inspected(self) -> inspect.Signature:
        return inspect.Signature(
            [
                inspect.Parameter(
                    one.name,
                    getattr(inspect.Parameter, one.kind),
                    default=inspect.Parameter.empty if one.default is None else _Written(one.default),
                )
                for one in self.parameters
            ]
        )


def signature_of(function: Callable) -> Signature | None:
    """The signature of a function; None for a callable that tells none. Raises nothing, whatever its defaults do."""
    signature = guarded(inspect.signature, function, otherwise=None)
    if signature is None:
        return None
    return Signature(
        tuple(
            Parameter(one.name, one.kind.name, None if one.default is one.empty else _written(one.default))
            for one in signature.parameters.values()
        )
    )


class _Written:
    """A default that is shown as it was written; its value is not needed."""

    def __init__(self, text: str) -> None:
        self._text = text

    def __repr__(self) -> str:
        return self._text


def _written(default: object) -> str:
    return guarded(repr, default, otherwise="…")[:LONGEST_DEFAULT]  # a default may have no words


def _same_default(wanted: str, given: Parameter) -> bool:
    if not wanted or given.default is None:
        return not wanted and given.default is None
    try:
        return bool(ast.literal_eval(wanted) == ast.literal_eval(given.default))
    except (ValueError, SyntaxError, TypeError, MemoryError, RecursionError):  # no literal: the words have to do
        return wanted == given.default
