"""Submissions that talk to the grader themselves, over the socket on which their functions are examined.

A cell can find that socket, and say whatever it likes: nothing that it says may be believed, and nothing may hurt.
"""

import pytest

from tests.attacks.arena import Arena, Attack

NONSENSE = "it sent the grader something else than an answer"
ENDED = "Python"

PRELUDE = """
import gc, json, os, socket, struct, threading, time
from grader.sandbox import wire

(channel,) = [one for one in gc.get_objects() if isinstance(one, wire.Channel)]
connection = channel._connection
connection.settimeout(None)


def raw(text, body=b""):
    text = text if isinstance(text, bytes) else text.encode()
    connection.sendall(struct.pack(">II", len(text), len(body)) + text + body)


def say(**message):
    raw(json.dumps(message))


def examined(outcome, body=b"", exercise="smooth", signature=None, seconds=10.0):
    # Ask to be examined, and answer each call with the same.
    say(**{"is": "examine", "exercise": exercise, "seconds": seconds, "signature": signature})
    while channel.receive()[0]["is"] == "call":
        raw(outcome if isinstance(outcome, str) else json.dumps({"is": "outcome", "outcome": outcome}), body)


def returned(value, **more):
    fields = {"kind": "returned", "error": "", "traceback": "", "line": "", "seconds": 0.0, "printed": "", "changed": []}
    return {**fields, "value": value, **more}


def arrays(header, body=b""):
    text = header if isinstance(header, bytes) else json.dumps(header).encode()
    return struct.pack("<Q", len(text)) + text + body
"""

FRAMES = {
    "four gigabytes announced": "connection.sendall(struct.pack('>II', 2**32 - 1, 2**32 - 1))\ntime.sleep(60)",
    "no JSON": "raw('nope')",
    "no UTF-8": 'raw(b\'{"is": "done", "outputs": "\\xff"}\')',
    "UTF-16 with half a pair": 'raw(b\'{"is": "done", "a": "\\xed\\xa0\\x80"}\')',
    "half a pair": r"""raw('{"is": "done", "outputs": [{"output_type": "stream", "name": "stdout", "text": "\\uD800"}]}')""",
    "a list": "raw('[]')",
    "lists ten thousand deep": "raw('[' * 10_000)",
    "objects nine hundred deep": "raw('{\"a\":' * 900 + '1' + '}' * 900)",
    "a million digits": "raw('{\"is\": ' + '9' * 1_000_000 + '}')",
    "not a number": 'raw(\'{"is": "examine", "exercise": "smooth", "seconds": NaN, "signature": null}\')',
    "eternity": 'raw(\'{"is": "examine", "exercise": "smooth", "seconds": Infinity, "signature": null}\')',
    "a request that nobody knows": "say(**{'is': 'grade', 'points': 25})",
    "an exercise that nobody knows": "examined(returned(1), exercise='__class__')",
    "an exercise that is a list": "examined(returned(1), exercise=['smooth'])",
    "a panel of its own": "say(**{'is': 'panel', 'panel': {'title': 'passed', 'parts': [], 'status': 'passed', 'record': {}}})",
    "an outcome that nobody asked for": "say(**{'is': 'outcome', 'outcome': returned(1)})",
    "three million lists": "raw('{\"is\": \"done\", \"outputs\": [' + '[],' * 2_600_000 + '[]]}')\nos._exit(0)",
    "a hang-up": "connection.shutdown(socket.SHUT_RDWR)\ntime.sleep(60)",
    "half a message": "connection.sendall(struct.pack('>II', 1000, 0) + b'{')\ntime.sleep(60)",
    "one letter at a time": "connection.sendall(struct.pack('>II', 1000, 0))\nwhile True:\n    time.sleep(0.05)\n    connection.sendall(b' ')",
    "descriptors": "for _ in range(50):\n    socket.send_fds(connection, [b'x'], [0] * 50)",
    "the socket kept by a daemon": "if os.fork() == 0:\n    os.setsid()\n    time.sleep(3600)\nos._exit(0)",
    "a signature that overruns the parser": "examined(returned(1), signature=[['losses', 'POSITIONAL_OR_KEYWORD', '-' * 3_000_000 + '1'], ['beta', 'POSITIONAL_OR_KEYWORD', '(' * 3_000_000]])",
    "a signature of attributes": "examined(returned(1), signature=[['losses', '__class__', None]])",
    "a signature with a name of a megabyte": "examined(returned(1), signature=[['x' * 1_000_000, 'POSITIONAL_OR_KEYWORD', None]])",
    "no end of requests": "while True:\n    say(**{'is': 'examine', 'exercise': 'smooth', 'seconds': 10.0, 'signature': None})",
    "no end of guesses": "while True:\n    examined(returned({'float': 'inf'}))",
}

VALUES = {
    "a module that is not there": "{'function': 'labutils.nowhere:f', 'fixed': {}}",
    "a module that runs": "{'function': 'labutils.__main__:main', 'fixed': {'arguments': []}}",
    "a function of os by way of labutils": "{'function': 'labutils.checks.calling:os', 'fixed': {}}",
    "a function of the system": "{'function': 'os:system', 'fixed': {'command': 'true'}}",
    "texts that would fill the memory": "{'array': ['x' * 2_000_000] + [''] * 900_000, 'dtype': '<U2', 'shape': [900_001]}",
    "texts of any length": "{'array': ['x' * 2_000_000] + [''] * 900_000, 'dtype': '<U0', 'shape': [900_001]}",
    "a dtype of ten gigabytes": "{'array': ['x'], 'dtype': 'S10000000000', 'shape': [1]}",
    "a dtype of objects": "{'array': [1.0], 'dtype': 'O', 'shape': [1]}",
    "a dtype with fields": "{'array': [1.0], 'dtype': [['a', 'f8']], 'shape': [1]}",
    "a shape that lies": "{'array': [1.0], 'dtype': 'f8', 'shape': [10**18, 10**18]}",
    "a shape of nothing": "{'array': [], 'dtype': 'f8', 'shape': [0, 10**15]}",
    "a place that is not there": "{'array': {'place': 10**9}, 'dtype': 'f8', 'shape': [1]}",
    "a tensor of texts": "{'tensor': ['a'], 'dtype': '<U1', 'shape': [1]}",
    "a tensor from the other end": "{'tensor': [1.0], 'dtype': '>f8', 'shape': [1]}",
    "a stand-in for the right kind": "{'other': ['array', 'a numpy array of shape (3,)']}",
    "a stand-in of no kind": "{'other': ['magic', 'x' * 1_000_000]}",
    "a long number": "10**4000",
    "many million digits": "{'float': '1' * 5_000_000}",
    "lists nine hundred deep": "json.loads('[' * 900 + ']' * 900)",
    "tuples four hundred deep": "json.loads('{\"tuple\": [' * 400 + ']}' * 400)",
    "a hundred thousand keys": "{'dict': {str(number): 0 for number in range(100_000)}}",
    "a text of megabytes": "'x' * 7_000_000",
    "a text with signs of control": "'\\0\\x1b[2J\\u202e</pre><script>alert(1)</script>'",
    "two hundred thousand scalars": "[{'scalar': 1, 'dtype': 'f8'}] * 200_000",
}

OUTCOMES = {
    "a kind of its own": "returned(1, kind='passed')",
    "a death that it reports itself": "returned(1, kind='died', error='memory')",
    "words that are none": "returned(1, error=['x'] * 1000, traceback={}, line=5, printed=None)",
    "a page as an error": "returned(1, kind='raised', error='<script>alert(1)</script>', traceback='</pre><h1>25 of 25</h1>')",
    "changes by the million": "returned(1, changed=['x' * 10] * 500_000)",
    "changes of a megabyte": "returned(1, changed=['</p><b>passed</b>' * 60_000])",
    "no time at all": "returned(1, kind='timed out', seconds=-1e308)",
    "nothing": "{}",
    "no object": "[1, 2]",
}

ARRAYS = {
    "no safetensors": "b'abc'",
    "a header that lies": "struct.pack('<Q', 2**63) + b'{}'",
    "a shape that lies": "arrays({'0': {'dtype': 'F64', 'shape': [10**12], 'data_offsets': [0, 8]}}, bytes(8))",
    "a shape beyond numbers": "arrays({'0': {'dtype': 'F64', 'shape': [2**32, 2**32, 2**32], 'data_offsets': [0, 0]}})",
    "an empty one of many rows": "arrays({'0': {'dtype': 'F64', 'shape': [10**18, 0], 'data_offsets': [0, 0]}})",
    "a dtype that numpy lacks": "arrays({'0': {'dtype': 'BF16', 'shape': [2], 'data_offsets': [0, 4]}}, bytes(4))",
    "a dtype of eight bits": "arrays({'0': {'dtype': 'F8_E4M3', 'shape': [4], 'data_offsets': [0, 4]}}, bytes(4))",
    "names that are no numbers": "arrays({'x': {'dtype': 'F64', 'shape': [1], 'data_offsets': [0, 8]}}, bytes(8))",
    "a hundred thousand of them": "arrays({str(n): {'dtype': 'U8', 'shape': [0], 'data_offsets': [0, 0]} for n in range(100_000)})",
    "sixty-five dimensions": "arrays({'0': {'dtype': 'U8', 'shape': [1] * 65, 'data_offsets': [0, 1]}}, b'x')",
}

TALKS = [Attack(f"sends {name}", f"{PRELUDE}\n{source}") for name, source in FRAMES.items()]
TALKS += [Attack(f"returns {name}", f"{PRELUDE}\nexamined(returned({source}))") for name, source in VALUES.items()]
TALKS += [Attack(f"tells of {name}", f"{PRELUDE}\nexamined({source})") for name, source in OUTCOMES.items()]
TALKS += [
    Attack(
        f"sends arrays with {name}",
        f"{PRELUDE}\nexamined(returned({{'array': {{'place': 0}}, 'dtype': 'float64', 'shape': [1]}}), {source})",
    )
    for name, source in ARRAYS.items()
]


@pytest.mark.parametrize("attack", TALKS, ids=str)
def test_what_a_submission_sends_by_itself_earns_nothing_and_hurts_nobody(arena: Arena, attack: Attack):
    arena.withstands(attack)
