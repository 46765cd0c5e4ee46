"""Messages between a grader and the child that runs a submission: JSON, and arrays as safetensors, over a socket.

A message is a dict of JSON-able values under a length that is known, and refused, before anything of it is read. What
comes from the child is believed in nothing: whoever receives gets a message of the expected size and form, in text that
can be written to a file, or a `WireError`. Neither JSON nor safetensors can do anything while it is parsed but fill the
memory, which their lengths bound: arrays lie in a safetensors file as they lie in memory, and JSON of `LARGEST_TEXT`
fills some hundred megabytes.
"""

import json
import socket
import struct
import time
from typing import Any

import numpy as np
from safetensors.numpy import load, save

from labutils.checks import messages
from labutils.checks.calling import Outcome, guarded
from labutils.checks.comparing import StandIn, describe, kind_of
from labutils.checks.panels import Panel, Part
from labutils.checks.signatures import LONGEST_DEFAULT, Parameter, Signature
from labutils.checks.values import decode, encode

LARGEST_TEXT = 8_000_000
LARGEST_ARRAYS = 24_000_000
"""Bytes. `labutils.checks.keeping` sends a value of more than 20 million as a description."""
LONGEST_WORDS = 4_000
"""Characters of an error, a line or what was printed: more than the child sends of its own accord."""
LONGEST_INTEGER = 10_000
"""Bits. Python writes no longer ones as text."""
MOST_PARAMETERS = 100
LONGEST_NAME = 200
SECONDS_TO_SEND = 20.0
AHEAD, LARGEST_PIECE = 65_536, 1_000_000
"""Bytes that are read at once where there are as many: most messages come whole, by a single call of the system."""
_HEADER = struct.Struct(">II")


class WireError(Exception):
    """What was received is no message, or is larger than any message may be."""


class WireClosed(Exception):
    """The other side has ended."""


class WireTimeout(Exception):
    """Nothing, or no whole message, came in time."""


class Channel:
    """One end of the conversation. `send` and `receive` may raise `WireClosed` and `WireTimeout`."""

    def __init__(self, connection: socket.socket) -> None:
        self._connection = connection
        self._ahead = bytearray()

    def send(self, message: dict[str, Any], arrays: list[np.ndarray] | None = None) -> None:
        """Send a message; `arrays` are what `encode` put aside for it."""
        text = json.dumps(message).encode()
        body = save({str(place): np.asarray(array, order="C") for place, array in enumerate(arrays)}) if arrays else b""
        try:
            self._connection.settimeout(SECONDS_TO_SEND)
            self._connection.sendall(_HEADER.pack(len(text), len(body)) + text + body)
        except TimeoutError as error:
            raise WireTimeout from error
        except OSError as error:
            raise WireClosed from error

    def receive(self, seconds: float | None = None) -> tuple[dict[str, Any], list[np.ndarray]]:
        """Return a message and its arrays; wait for `seconds` at most until it is there as a whole."""
        deadline = None if seconds is None else time.monotonic() + seconds
        text_length, body_length = _HEADER.unpack(self._read(_HEADER.size, deadline))
        if text_length > LARGEST_TEXT or body_length > LARGEST_ARRAYS:
            raise WireError(f"a message of {text_length + body_length} bytes")
        text, body = self._read(text_length, deadline), self._read(body_length, deadline)
        try:
            message = json.loads(text.decode(), parse_constant=_refuse)
            if b"\\ud" in text.lower():  # half of a pair, which nothing can write down, or a whole one
                json.dumps(message, ensure_ascii=False).encode()
            arrays = load(bytes(body)) if body else {}
            if not isinstance(message, dict):
                raise TypeError("a message is a dict")
            return message, [arrays[str(place)].copy() for place in range(len(arrays))]
        except Exception as error:  # whatever parsing raises on bytes that were made to be trouble
            raise WireError("a message that cannot be read") from error

    def _read(self, length: int, deadline: float | None) -> bytearray:
        while len(self._ahead) < length:
            self._ahead += self._receive(min(max(length - len(self._ahead), AHEAD), LARGEST_PIECE), deadline)
        content, self._ahead = self._ahead[:length], self._ahead[length:]
        return content

    def _receive(self, most: int, deadline: float | None) -> bytes:
        """What there is to read; behind the deadline that does not count, or who sends on and on goes on."""
        remaining = None if deadline is None else deadline - time.monotonic()
        if remaining is not None and remaining <= 0:
            raise WireTimeout
        try:
            self._connection.settimeout(remaining)
            part = self._connection.recv(most)
        except TimeoutError as error:
            raise WireTimeout from error
        except OSError as error:
            raise WireClosed from error
        if not part:
            raise WireClosed
        return part


def pack_arguments(arguments: dict[str, Any]) -> tuple[dict[str, Any], list[np.ndarray]]:
    """The arguments of a call as data, and the arrays that go beside it."""
    arrays: list[np.ndarray] = []
    return {name: encode(value, arrays) for name, value in arguments.items()}, arrays


def unpack_arguments(data: dict[str, Any], arrays: list[np.ndarray]) -> dict[str, Any]:
    return {name: decode(value, arrays) for name, value in data.items()}


def pack_outcome(outcome: Outcome) -> tuple[dict[str, Any], list[np.ndarray]]:
    """An outcome as data. A value that no sheet can hold is described: it can be no right answer."""
    arrays: list[np.ndarray] = []
    fields = {name: getattr(outcome, name) for name in ("kind", "error", "traceback", "line", "seconds", "printed")}
    value = guarded(_checked, outcome.value, arrays, otherwise=None)
    if value is None:  # a student's class may raise whatever it likes while it is looked at
        arrays.clear()
        value = (_described(outcome.value),)
    return {**fields, "changed": list(outcome.changed), "value": value[0]}, arrays


def unpack_outcome(data: Any, arrays: list[np.ndarray]) -> Outcome:
    """The outcome that a child tells of. Raises WireError where the data is not one."""
    try:
        if data["kind"] not in ("returned", "raised", "timed out", "not attempted"):
            raise ValueError(f"no kind of outcome: {data['kind']!r}")
        words = {name: str(data[name])[:LONGEST_WORDS] for name in ("error", "traceback", "line", "printed")}
        changed = tuple(str(name)[:LONGEST_WORDS] for name in data["changed"][:MOST_PARAMETERS])
        value = _unpacked_value(data["value"], arrays)
        return Outcome(data["kind"], value=value, seconds=float(data["seconds"]), changed=changed, **words)
    except Exception as error:  # an import or the memory that fails are among it
        raise WireError("an outcome that cannot be read") from error


def pack_signature(signature: Signature | None) -> list[list[str | None]] | None:
    return signature and [[one.name, one.kind, one.default] for one in signature.parameters]


def unpack_signature(data: Any) -> Signature | None:
    """The signature that a child tells of. Raises WireError where the data is not one."""
    if data is None:
        return None
    try:
        signature = Signature(tuple(_parameter(*fields) for fields in data[:MOST_PARAMETERS]))
        str(signature)  # inspect refuses what no function can have
        return signature
    except Exception as error:
        raise WireError("a signature that cannot be read") from error


def _parameter(name: str, kind: str, default: str | None) -> Parameter:
    """Cut to what an honest child sends: a default is parsed later on, and Python's parser can be overrun."""
    return Parameter(name[:LONGEST_NAME], kind, default and default[:LONGEST_DEFAULT])


def _refuse(constant: str) -> None:
    raise ValueError(f"{constant} is no number of JSON")


def _checked(value: Any, arrays: list[np.ndarray]) -> tuple[Any]:
    """The packed value, alone in a tuple, known to be one that JSON and UTF-8 can write."""
    packed = _packed_value(value, arrays)
    json.dumps(packed, ensure_ascii=False).encode()
    return (packed,)


def _packed_value(value: Any, arrays: list[np.ndarray]) -> Any:
    """`value` in the language of the sheets, with stand-ins for what they cannot hold, alone or in a list or dict."""
    if isinstance(value, StandIn) or (isinstance(value, int) and value.bit_length() > LONGEST_INTEGER):
        return _described(value)
    if type(value) in (list, tuple):
        items = [_packed_value(item, arrays) for item in value]
        return items if type(value) is list else {"tuple": items}
    if type(value) is dict and all(isinstance(key, str) for key in value):
        return {"dict": {key: _packed_value(item, arrays) for key, item in value.items()}}
    if isinstance(value, np.ndarray) and value.dtype == np.longdouble:
        value = value.astype(np.float64)
    elif isinstance(value, np.longdouble):
        value = np.float64(value)
    try:
        return encode(value, arrays)
    except (TypeError, ValueError):
        return _described(value)


def _described(value: Any) -> dict[str, list[str]]:
    words = guarded(describe, value, otherwise=messages.KINDS["other"].format(name="unknown"))
    return {"other": [guarded(kind_of, value, otherwise="other"), words]}


def _unpacked_value(data: Any, arrays: list[np.ndarray]) -> Any:
    if isinstance(data, list):
        return [_unpacked_value(item, arrays) for item in data]
    kind = next(iter(data), None) if isinstance(data, dict) else None
    if kind == "other":
        return StandIn(*(str(word)[:LONGEST_WORDS] for word in data["other"]))
    if kind == "tuple":
        return tuple(_unpacked_value(item, arrays) for item in data["tuple"])
    if kind == "dict":
        return {str(key): _unpacked_value(item, arrays) for key, item in data["dict"].items()}
    return decode(data, arrays)


def pack_panel(panel: Panel) -> dict[str, Any]:
    """What a panel shows, as data: the verdict behind it, with a hidden case's numbers, stays with the grader."""
    parts = [[part.kind, part.text, part.label, part.holds] for part in panel.parts]
    return {"title": panel.title, "parts": parts, "status": panel.status, "record": panel.record}


def unpack_panel(data: dict[str, Any]) -> Panel:
    parts = tuple(Part(*part) for part in data["parts"])
    return Panel(data["title"], parts, status=data["status"], record=data["record"])
