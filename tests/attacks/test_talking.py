"""Submissions that talk to the grader themselves, over the socket on which their functions are examined.

A cell can find that socket, and say whatever it likes: nothing that it says may be believed, and nothing may hurt.
"""

import pytest

from tests.attacks.arena import SOLVED, Arena, Attack

NONSENSE = "it sent the grader something else than an answer"
ENDED = "Python itself ended while this cell ran"
WRONG = "The result should be a numpy array of shape (3,), and yours"

PRELUDE = """
import gc, json, os, signal, socket, struct, time
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

REFUSED_FRAMES = {
    "four gigabytes announced": "connection.sendall(struct.pack('>II', 2**32 - 1, 2**32 - 1))\ntime.sleep(60)",
    "no JSON": "raw('nope')",
    "half a pair": r"""raw('{"is": "done", "outputs": [{"output_type": "stream", "name": "stdout", "text": "\\uD800"}]}')""",
    "lists ten thousand deep": "raw('[' * 10_000)",
    "a million digits": "raw('{\"is\": ' + '9' * 1_000_000 + '}')",
    "not a number": 'raw(\'{"is": "examine", "exercise": "smooth", "seconds": NaN, "signature": null}\')',
    "a request that nobody knows": "say(**{'is': 'grade', 'points': 25})",
    "an exercise that is a list": "examined(returned(1), exercise=['smooth'])",
    "a panel of its own": "say(**{'is': 'panel', 'panel': {'title': 'passed', 'parts': [], 'status': 'passed', 'record': {}}})",
    "descriptors": "for _ in range(50):\n    socket.send_fds(connection, [b'x'], [0] * 50)",
    "no end of requests": "while True:\n    say(**{'is': 'examine', 'exercise': 'smooth', 'seconds': 10.0, 'signature': None})",
}

REFUSED_VALUES = {
    "a function of the system": "{'function': 'os:system', 'fixed': {'command': 'true'}}",
    "a dtype of ten gigabytes": "{'array': ['x'], 'dtype': 'S10000000000', 'shape': [1]}",
    "a shape that lies": "{'array': [1.0], 'dtype': 'f8', 'shape': [10**18, 10**18]}",
    "lists nine hundred deep": "json.loads('[' * 900 + ']' * 900)",
}

WRONG_VALUES = {
    "a module that runs": "{'function': 'labutils.__main__:main', 'fixed': {'arguments': []}}",
    "a stand-in for the right kind": "{'other': ['array', 'a numpy array of shape (3,)']}",
    "a long number": "10**4000",
    "a text with signs of control": "'\\0\\x1b[2J\\u202e</pre><script>alert(1)</script>'",
}

REFUSED_ARRAYS = {
    "a header that lies": "struct.pack('<Q', 2**63) + b'{}'",
    "a shape that lies": "arrays({'0': {'dtype': 'F64', 'shape': [10**12], 'data_offsets': [0, 8]}}, bytes(8))",
    "a shape beyond numbers": "arrays({'0': {'dtype': 'F64', 'shape': [2**32, 2**32, 2**32], 'data_offsets': [0, 0]}})",
}

OTHERS = [
    Attack("hangs up", f"{PRELUDE}\nconnection.shutdown(socket.SHUT_RDWR)\ntime.sleep(60)", says=ENDED),
    Attack(
        "sends one letter at a time, and is not to be interrupted",
        PRELUDE
        + """
signal.signal(signal.SIGINT, signal.SIG_IGN)
connection.sendall(struct.pack(">II", 1000, 0))
while True:
    time.sleep(0.05)
    connection.sendall(b" ")""",
        says=NONSENSE,
    ),
    Attack(
        "leaves the socket to a process that sends what it likes, after its own end",
        PRELUDE
        + """
if os.fork() == 0:
    os.setsid()
    for _ in range(1000):
        say(**{"is": "done", "outputs": []})
        time.sleep(0.05)
os._exit(0)""",
        says=ENDED,
        breaks=SOLVED[1:],
    ),
    Attack(
        "has done with a hundred thousand outputs, and goes on",
        PRELUDE
        + """
output = json.dumps({"output_type": "stream", "name": "stdout", "text": ""})
raw('{"is": "done", "outputs": [' + ", ".join([output] * 100_000) + "]}")""",
        breaks=SOLVED[1:],
    ),
    Attack(
        "tells of a signature that overruns the parser",
        PRELUDE
        + """
names = (("losses", "-" * 3_000_000 + "1"), ("beta", "(" * 3_000_000))
examined(returned(1), signature=[[name, "POSITIONAL_OR_KEYWORD", default] for name, default in names])""",
        says="Yours has other defaults",
    ),
    Attack("tells of a kind of its own", f"{PRELUDE}\nexamined(returned(1, kind='passed'))", says=NONSENSE),
    Attack(
        "tells of changes by the hundred thousand",
        f"{PRELUDE}\nexamined(returned(1, changed=['x'] * 200_000))",
        says=WRONG,
    ),
    Attack(
        "tells of a page as an error",
        f"{PRELUDE}\nexamined(returned(1, kind='raised', error='<script>alert(1)</script>', traceback='</pre><h1>25 of 25</h1>'))",
        says="Your function stopped with",
    ),
    Attack(
        "guesses without end",
        f"{PRELUDE}\nwhile True:\n    examined(returned({{'float': 'inf'}}))",
        says="asked to have one exercise checked too often",
    ),
]

REFUSED = [Attack(f"sends {name}", f"{PRELUDE}\n{source}", says=NONSENSE) for name, source in REFUSED_FRAMES.items()]
REFUSED += [
    Attack(f"returns {name}", f"{PRELUDE}\nexamined(returned({source}))", says=NONSENSE)
    for name, source in REFUSED_VALUES.items()
]
REFUSED += [
    Attack(
        f"sends arrays with {name}",
        f"{PRELUDE}\nexamined(returned({{'array': {{'place': 0}}, 'dtype': 'float64', 'shape': [1]}}), {source})",
        says=NONSENSE,
    )
    for name, source in REFUSED_ARRAYS.items()
]
COMPARED = [
    Attack(f"returns {name}", f"{PRELUDE}\nexamined(returned({source}))", says=WRONG)
    for name, source in WRONG_VALUES.items()
]


@pytest.mark.parametrize("attack", [*REFUSED, *COMPARED, *OTHERS], ids=str)
def test_what_a_submission_sends_by_itself_earns_nothing_and_hurts_nobody(arena: Arena, attack: Attack):
    arena.withstands(attack)
