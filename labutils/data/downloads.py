"""Fetches the files of larger data sets, once, and refuses any that is not exactly as its publisher made it.

They are kept in the folder that `LABUTILS_DATA` names, else in `~/.labutils/data`. While a file arrives it is called
`….part`, which stays when the connection breaks, so that the next attempt goes on from there; only a whole file, by its
MD5, gets its own name. Whoever asks gets a file that was checked just now.
"""

import hashlib
import os
import ssl
from dataclasses import dataclass
from http import HTTPStatus
from http.client import HTTPException
from pathlib import Path
from urllib.error import HTTPError, URLError
from urllib.request import Request, urlopen

from tqdm.auto import tqdm

from labutils.data.parts import DataError
from labutils.files import locked

FOLDER_VARIABLE = "LABUTILS_DATA"
DEFAULT_FOLDER = "~/.labutils/data"
SECONDS_OF_SILENCE = 30.0
SECONDS_FOR_OTHERS = 1.0
_BLOCK = 2**17
_NETWORK_TROUBLE = (URLError, HTTPException, ConnectionError, TimeoutError, ssl.SSLError)


@dataclass(frozen=True)
class Source:
    """The official home of a data set: its address, and its files with their MD5."""

    name: str
    folder: str
    address: str
    md5: dict[str, str]
    instead: str
    """What comes with the book and can be used in its place."""


def fetch(source: Source, file: str) -> Path:
    """The path of a file of `source`, whole; it is fetched if it is not there, or not as it should be.

    Raises `DataError` when there is no network, when what came is not the file, when it can't be kept, or when another
    process is fetching it; each message says what to do.
    """
    path = _folder() / source.folder / file
    try:
        if not _is_whole(path, source.md5[file]):
            with locked(path.with_name(f"{file}.lock"), SECONDS_FOR_OTHERS):
                _download(source, file, path)
    except TimeoutError as error:
        raise DataError(f"Another program is fetching {source.name} now. Run this again when it is done.") from error
    except OSError as error:
        raise DataError(
            f"{source.name} cannot be kept in {path.parent} ({error}). Name another folder in the environment variable "
            f"{FOLDER_VARIABLE}; or use {source.instead}, which comes with the book."
        ) from error
    return path


def _folder() -> Path:
    named = os.environ.get(FOLDER_VARIABLE) or DEFAULT_FOLDER
    try:
        return Path(named).expanduser()
    except RuntimeError as error:  # this machine knows of no home folder
        raise DataError(
            f"There is no folder {named}: name one in the environment variable {FOLDER_VARIABLE}."
        ) from error


def _is_whole(path: Path, md5: str) -> bool:
    if not path.is_file():
        return False
    with open(path, "rb") as file:
        return hashlib.file_digest(file, lambda: hashlib.md5(usedforsecurity=False)).hexdigest() == md5


def _download(source: Source, file: str, path: Path) -> None:
    if _is_whole(path, source.md5[file]):
        return  # another process has fetched it while this one waited
    partial = path.with_name(f"{file}.part")
    went_on = partial.exists()
    try:
        _receive(source.address + file, partial)
    except _NETWORK_TROUBLE as error:
        raise DataError(
            f"{source.name} could not be fetched: {source.address + file} says {error}. Run this again with a network: "
            f"what has arrived is kept. Without one, use {source.instead}, which comes with the book."
        ) from error
    if _is_whole(partial, source.md5[file]):
        os.replace(partial, path)
        return
    partial.unlink()
    if not went_on:
        raise DataError(
            f"What came from {source.address + file} is not the file that was published, and was thrown away. Perhaps "
            f"your network put a login page in its place; else use {source.instead}, which comes with the book."
        )
    _download(source, file, path)  # the part that was kept may be the damaged one: once more, from the start


def _receive(url: str, partial: Path) -> None:
    """Add to `partial` what is still missing of it, with a progress bar."""
    have = partial.stat().st_size if partial.exists() else 0
    request = Request(url, headers={"User-Agent": "training-lab"} | ({"Range": f"bytes={have}-"} if have else {}))
    try:
        answer = urlopen(request, timeout=SECONDS_OF_SILENCE)
    except HTTPError as error:
        if error.code == HTTPStatus.REQUESTED_RANGE_NOT_SATISFIABLE and have:
            return  # there is no more to send: the checksum decides
        raise
    with answer:
        if answer.status != HTTPStatus.PARTIAL_CONTENT:
            have = 0  # the server can't go on, and sends everything again
        total = have + (answer.length or 0)
        bar = tqdm(desc=partial.stem, initial=have, total=total or None, unit="B", unit_scale=True, leave=False)
        with bar, open(partial, "ab" if have else "wb") as file:
            while block := answer.read(_BLOCK):
                file.write(block)
                bar.update(len(block))
    if partial.stat().st_size < total:  # http.client ends quietly when a connection is cut
        raise ConnectionError(f"the connection was cut after {partial.stat().st_size} of {total} bytes")
