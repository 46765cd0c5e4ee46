"""What a cell shows, in nbformat's form, up to a number of characters; the rest is counted.

Everything is made plain (JSON, UTF-8) when it arrives, while the cell runs: what cannot be is the cell's own error, and
nothing of the student's is called afterwards. Threads of the cell may write at any time: every step on what they
share is a single one for the interpreter, so that none of them can be stopped while it holds a lock.
"""

import binascii
import io
import json
from typing import Any

TEXT = "text/plain"
OUTPUT_COSTS = 100  # characters that an output takes beside its contents: a thousand empty ones are not free
NAME_CHARACTERS = 200
VALUE_CHARACTERS = 2_000
TRACEBACK_FRAMES = 12
FRAME_CHARACTERS = 4_000
LEFT_OUT = "This cell showed {shown:,} characters, of which {kept:,} are kept. Print less, or show smaller figures.\n"
FRAMES_LEFT_OUT = "… {count:,} more frames …"


class Outputs:
    """The outputs of one cell, in `characters` in all. `failed` tells whether an error is among them."""

    def __init__(self, characters: int) -> None:
        self._characters = characters
        self.clear(wait=False)

    def stream(self, name: str, text: str) -> None:
        """Add text to a stream. Neighbouring pieces become one output."""
        self._clear_if_asked()
        room = max(self._room, 0)
        escaped = utf8(text[:room])
        fits = escaped[:room]
        self._left_out += len(text[room:]) + len(escaped) - len(fits)
        if not fits:
            return
        if not self._ends_with_stream(name):
            self._room -= OUTPUT_COSTS
            self._kept.append({"output_type": "stream", "name": name, "text": []})
        self._room -= len(fits)
        self._kept[-1]["text"].append(fits)

    def display(self, data: dict, metadata: dict | None, display_id: str | None) -> None:
        """Add an output that may be updated later, where it has a `display_id`."""
        shown = self._add_bundle({"output_type": "display_data", **_bundle(data, metadata)})
        if shown is not None and display_id is not None:
            self._displayed.setdefault(display_id, []).append(shown)

    def update(self, data: dict, metadata: dict | None, display_id: str | None) -> None:
        """Change what this cell displayed as `display_id`. What earlier cells displayed stays as it was."""
        bundle = _bundle(data, metadata)
        for shown in self._displayed.get(display_id, []):
            if self._takes(_size(bundle), in_place_of=_size(shown)):
                shown.update(bundle)

    def result(self, execution_count: int, data: dict, metadata: dict | None) -> None:
        bundle = _bundle(data, metadata)
        self._add_bundle({"output_type": "execute_result", "execution_count": execution_count, **bundle})

    def error(self, name: str, value: str, traceback: list[str]) -> None:
        """Add an error. There is always room for the first; a long traceback loses its middle."""
        output = {
            "output_type": "error",
            "ename": shortened(name, NAME_CHARACTERS),
            "evalue": shortened(value, VALUE_CHARACTERS),
            "traceback": [shortened(part, FRAME_CHARACTERS) for part in _ends(traceback)],
        }
        self._clear_if_asked()
        if not self.failed:
            self._room = max(self._room, _size(output) + OUTPUT_COSTS)
        self.failed = True
        self._add(output)

    def clear(self, wait: bool) -> None:
        """Forget everything, at once or when the next output comes."""
        self._clear_first = wait
        if wait:
            return
        self.failed = False
        self._room = self._characters
        self._left_out = 0
        self._kept: list[dict] = []
        self._displayed: dict[str, list[dict]] = {}

    def characters(self) -> int:
        """How many are kept."""
        return sum(_size(output) for output in self._kept)

    def finished(self) -> list[dict]:
        """The outputs as a notebook holds them, and at their end how much was left out."""
        kept = [dict(output) for output in self._kept]
        for output in kept:
            if output["output_type"] == "stream":
                output["text"] = "".join(output["text"])
        if self._left_out:
            count = self.characters()
            sentence = LEFT_OUT.format(shown=count + self._left_out, kept=count)
            if self._ends_with_stream("stderr"):
                kept[-1]["text"] += "\n" + sentence
            else:
                kept.append({"output_type": "stream", "name": "stderr", "text": sentence})
        return kept

    def _add_bundle(self, output: dict) -> dict | None:
        """Add data to be displayed. Of what is too large, the beginning of its plain text is kept."""
        self._clear_if_asked()
        too_large = _size(output) + OUTPUT_COSTS > self._room
        if too_large and (room := self._room - OUTPUT_COSTS) > 0 and TEXT in output["data"]:
            text = output["data"][TEXT][:room]
            self._left_out += _size(output) - len(text)
            output |= {"data": {TEXT: text}, "metadata": {}}
        return self._add(output)

    def _add(self, output: dict) -> dict | None:
        self._clear_if_asked()
        if not self._takes(_size(output)):
            return None
        self._kept.append(output)
        return output

    def _takes(self, characters: int, in_place_of: int = -OUTPUT_COSTS) -> bool:
        """Take the room for so many characters, if there is; they count as left out where there is not."""
        if characters - in_place_of > self._room:
            self._left_out += max(characters, 1)
            return False
        self._room -= characters - in_place_of
        return True

    def _clear_if_asked(self) -> None:
        if self._clear_first:
            self.clear(wait=False)

    def _ends_with_stream(self, name: str) -> bool:
        return bool(self._kept) and self._kept[-1].get("name") == name


class Stream(io.TextIOBase):
    """sys.stdout or sys.stderr of a notebook. It stays open: later cells have to print too."""

    encoding = "UTF-8"
    errors = "backslashreplace"

    def __init__(self, name: str, descriptor: int, outputs) -> None:
        self.name = name
        self._descriptor = descriptor
        self._outputs = outputs

    def writable(self) -> bool:
        return True

    def fileno(self) -> int:
        """For subprocesses. What they write there is not shown."""
        return self._descriptor

    def close(self) -> None:
        pass

    def write(self, text: str) -> int:
        if not isinstance(text, str):
            raise TypeError(f"write() argument must be str, not {type(text).__name__}")
        self._outputs().stream(self.name, text)
        return len(text)


def utf8(text: str) -> str:
    """The text with what no file or browser takes (half a surrogate pair) written as an escape."""
    return str.encode(text, "utf-8", "backslashreplace").decode("utf-8")


def shortened(text: str, characters: int) -> str:
    """Leave out the middle of a long text: an error may quote a whole array."""
    half = characters // 2
    return utf8(text if len(text) <= characters else f"{text[:half]}\n…\n{text[-half:]}")


def _ends(traceback: list[str]) -> list[str]:
    """The first and last parts of a traceback; the student's own line stands in the first, the cause in the last."""
    half = TRACEBACK_FRAMES // 2
    if len(traceback) <= TRACEBACK_FRAMES:
        return traceback
    between = FRAMES_LEFT_OUT.format(count=len(traceback) - 2 * half)
    return [*traceback[:half], between, *traceback[-half:]]


def _bundle(data: dict, metadata: dict | None) -> dict:
    """Data and metadata by type of contents, as nbformat has them: text, but for what is JSON by its name."""
    contents = {utf8(str(kind)): _plain(value) for kind, value in data.items()}
    for kind, value in contents.items():
        if not kind.endswith("json") and not isinstance(value, str):
            contents[kind] = json.dumps(value)
    return {"data": contents, "metadata": _plain(dict(metadata or {}))}


def _plain(value: Any) -> Any:
    """The value in Python's own types, as it comes out of a file of JSON."""
    if isinstance(value, str):
        return utf8(value)
    text = json.dumps(value, default=_encoded, ensure_ascii=False)
    return json.loads(str.encode(text, "utf-8", "replace"), parse_constant=str)


def _encoded(value: Any) -> str:
    if isinstance(value, (bytes, bytearray, memoryview)):
        return binascii.b2a_base64(value, newline=False).decode("ascii")
    return utf8(repr(value))


def _size(output: dict) -> int:
    """Roughly the characters that an output takes in a notebook."""
    if output.get("output_type") == "stream":
        return sum(map(len, output["text"]))
    if output.get("output_type") == "error":
        return len(output["evalue"]) + sum(map(len, output["traceback"]))
    return sum(len(value) if isinstance(value, str) else len(json.dumps(value)) for value in _contents(output))


def _contents(bundle: dict) -> list:
    return [*bundle["data"].values(), *bundle["metadata"].values()]
