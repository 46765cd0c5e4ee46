"""Messages between grader and child: what is sent arrives, and what is no message is refused without harm."""

import json
import random
import socket
import struct
import threading

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from grader.sandbox import wire
from labutils import surfaces
from labutils.checks.calling import Outcome
from labutils.checks.comparing import StandIn, describe, difference, kind_of
from labutils.checks.signatures import signature_of

PAIR_SECONDS = 10
NUMBERS = hnp.arrays(
    st.sampled_from(["float64", "float32", "float16", "int64", "int8", "uint32", "bool", "<U3"]),
    hnp.array_shapes(min_dims=0, max_dims=3, min_side=0, max_side=4),
)
VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text() | NUMBERS,
    lambda inner: st.lists(inner, max_size=4) | st.tuples(inner, inner) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=8,
)


@pytest.fixture
def pair():
    ours, theirs = socket.socketpair()
    with ours, theirs:
        yield ours, theirs


def sent(outcome):
    """An outcome as it arrives at the other end."""
    ours, theirs = socket.socketpair()
    with ours, theirs:
        data, arrays = wire.pack_outcome(outcome)
        sending = threading.Thread(target=wire.Channel(ours).send, args=({"outcome": data}, arrays))
        sending.start()
        message, received = wire.Channel(theirs).receive(PAIR_SECONDS)
        sending.join()
    return wire.unpack_outcome(message["outcome"], received)


@given(VALUES)
def test_a_value_arrives_as_it_was(value):
    arrived = sent(Outcome("returned", value=value)).value
    assert difference(value, arrived, exact=True) is None
    assert type(arrived) is type(value)


@given(st.lists(hnp.arrays("float32", hnp.array_shapes(max_side=3)), max_size=3))
def test_tensors_arrive_as_tensors(arrays):
    value = [torch.from_numpy(array) for array in arrays]
    assert difference(value, sent(Outcome("returned", value=value)).value, exact=True) is None


class Odd:
    """What a student may hand back to make trouble."""

    def __repr__(self):
        raise ValueError("no words")

    def __eq__(self, other):
        return True

    __hash__ = None


ODD = Odd()


@pytest.mark.parametrize(
    "value",
    [ODD, (n for n in range(3)), map(abs, []), Odd, len, {1: 2}, 10**5000, np.array([ODD], dtype=object), 1j, b"x"],
    ids=lambda value: type(value).__name__,
)
def test_what_no_sheet_holds_is_described_and_right_for_nothing(value):
    arrived = sent(Outcome("returned", value=[1.0, value])).value[1]
    assert isinstance(arrived, StandIn) and arrived.kind == kind_of(value) and arrived.description == describe(value)
    for expected in (1.0, "x", None, np.zeros(1), [1], {"a": 1}):
        assert difference(expected, arrived) is not None


def test_a_long_double_counts_as_the_float_that_it_is():
    assert difference(np.array([0.5]), sent(Outcome("returned", value=np.array([0.5], np.longdouble))).value) is None
    assert difference(0.5, sent(Outcome("returned", value=np.longdouble(0.5))).value) is None


def test_arguments_arrive_with_their_functions(pair):
    given_ones = {"surface": surfaces.bowl, "start": np.arange(2.0), "steps": 3}
    data, arrays = wire.pack_arguments(given_ones)
    wire.Channel(pair[0]).send({"arguments": data}, arrays)
    message, received = wire.Channel(pair[1]).receive(PAIR_SECONDS)
    arrived = wire.unpack_arguments(message["arguments"], received)
    assert arrived["surface"] is surfaces.bowl
    assert difference(given_ones, arrived, exact=True) is None


def test_a_signature_arrives_as_it_reads():
    def function(a, *, b=0.5, c=ODD):
        return a

    sent_over = json.loads(json.dumps(wire.pack_signature(signature_of(function))))
    assert str(wire.unpack_signature(sent_over)) == "(a, *, b=0.5, c=…)"
    assert wire.unpack_signature(wire.pack_signature(signature_of(dict))) is None


HEADER = struct.Struct(">II")
LYING_SHAPE = b'{"0":{"dtype":"F64","shape":[1000000000000],"data_offsets":[0,8]}}'
NONSENSE = {
    "a length beyond all bounds": HEADER.pack(2**32 - 1, 2**32 - 1),
    "no JSON": HEADER.pack(4, 0) + b"nope",
    "not UTF-8": HEADER.pack(2, 0) + b"\xff\xfe",
    "a list": HEADER.pack(2, 0) + b"[]",
    "deep JSON": HEADER.pack(200_000, 0) + b"[" * 200_000,
    "a number of many digits": HEADER.pack(10_006, 0) + b'{"a":' + b"9" * 10_000 + b"}",
    "no safetensors": HEADER.pack(2, 3) + b"{}abc",
    "a shape that lies": HEADER.pack(2, 8 + len(LYING_SHAPE) + 8)
    + b"{}"
    + struct.pack("<Q", len(LYING_SHAPE))
    + LYING_SHAPE
    + bytes(8),
}


@pytest.mark.parametrize("content", NONSENSE.values(), ids=NONSENSE.keys())
def test_what_is_no_message_is_refused(pair, content):
    pair[0].sendall(content)
    with pytest.raises(wire.WireError):
        wire.Channel(pair[1]).receive(PAIR_SECONDS)


@pytest.mark.parametrize("seed", range(5))
def test_random_bytes_do_no_harm(pair, seed):
    rng = random.Random(seed)
    for _ in range(200):
        text = json.dumps({"outcome": {"kind": "returned"}}).encode()
        damaged = bytearray(text)
        for _ in range(rng.randrange(1, 6)):
            damaged[rng.randrange(len(damaged))] = rng.randrange(256)
        body = rng.randbytes(rng.randrange(40))
        pair[0].sendall(HEADER.pack(len(damaged), len(body)) + damaged + body)
        try:
            message, arrays = wire.Channel(pair[1]).receive(PAIR_SECONDS)
            wire.unpack_outcome(message.get("outcome"), arrays)
        except wire.WireError:
            pass


SOUND = {"kind": "returned", "error": "", "traceback": "", "line": "", "seconds": 0, "printed": "", "changed": []}
BAD_OUTCOMES = [
    None,
    {},
    {**SOUND, "kind": "passed"},
    {**SOUND, "seconds": "long"},
    {**SOUND, "value": {"array": {"place": 7}, "dtype": "float64", "shape": [1]}},
    {**SOUND, "value": {"array": ["a"], "dtype": "<U1000000000", "shape": [1]}},
    {**SOUND, "value": {"scalar": 0, "dtype": "V1000000000"}},
    {**SOUND, "value": {"array": [1], "dtype": "object", "shape": [1]}},
    {**SOUND, "value": {"function": "os:system", "fixed": {}}},
    {**SOUND, "value": {"function": "labutils.checks.records:_read", "fixed": {}}},
    {**SOUND, "value": {"nothing": "known"}},
    {**SOUND, "changed": 5},
]


@pytest.mark.parametrize("data", BAD_OUTCOMES)
def test_an_outcome_that_is_none_is_refused(data):
    with pytest.raises(wire.WireError):
        wire.unpack_outcome(data, [])


def test_words_without_end_are_cut():
    found = wire.unpack_outcome({**SOUND, "value": None, "traceback": "x" * 10**6, "printed": "y" * 10**6}, [])
    assert len(found.traceback) == len(found.printed) == wire.LONGEST_WORDS


def test_who_waits_is_told_of_the_end_and_of_the_time(pair):
    with pytest.raises(wire.WireTimeout):
        wire.Channel(pair[1]).receive(0.05)
    pair[0].sendall(HEADER.pack(10, 0) + b"half")
    with pytest.raises(wire.WireTimeout):
        wire.Channel(pair[1]).receive(0.05)
    pair[0].close()
    with pytest.raises(wire.WireClosed):
        wire.Channel(pair[1]).receive(PAIR_SECONDS)
