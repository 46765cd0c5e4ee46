"""What a child runs in the tests of the sandbox: whatever it is told."""

import json
import socket
import traceback

from grader.sandbox.limits import Limits


def run(conversation: socket.socket, limits: Limits) -> None:
    """Execute the source in each line that comes, in one space of names; send back what it left in `answer`."""
    space = {"conversation": conversation}
    with conversation.makefile("rwb") as lines:
        for line in lines:
            space["answer"] = None
            try:
                exec(json.loads(line), space)
                reply = {"answer": space["answer"]}
            except BaseException:  # the test that sent the line reads it, and fails where it expected none
                reply = {"error": traceback.format_exc()}
            lines.write(json.dumps(reply, default=repr).encode() + b"\n")
            lines.flush()


def leave(conversation: socket.socket, limits: Limits) -> None:
    """End at once."""


def fail(conversation: socket.socket, limits: Limits) -> None:
    """End with an error."""
    raise RuntimeError
