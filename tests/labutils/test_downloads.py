"""The larger data sets, fetched from a server on this machine: whole, resumed, refused, cached, or plainly not there."""

import gzip
import hashlib
import io
import re
import tarfile
import threading
import time
from dataclasses import dataclass, field, replace
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import numpy as np
import pytest
import torch

from labutils import data
from labutils.data import downloads, images, texts
from labutils.files import locked

LABELS = "t10k-labels-idx1-ubyte.gz"
IMAGES = "t10k-images-idx3-ubyte.gz"


@dataclass
class Server:
    """What a web server has, how it behaves, and what it was asked for."""

    files: dict[str, bytes] = field(default_factory=dict)
    can_go_on: bool = True
    cut_after: int | None = None
    silent: bool = False
    status: int | None = None
    says_length: bool = True
    asked: list[tuple[str, str | None]] = field(default_factory=list)
    address: str = ""

    def answer(self, request: BaseHTTPRequestHandler) -> None:
        name, wanted = request.path.lstrip("/"), request.headers["Range"]
        self.asked.append((name, wanted))
        if self.silent:
            time.sleep(1)
            return
        content = self.files.get(name)
        if self.status or content is None:
            return request.send_error(self.status or 404)
        start = int(re.fullmatch(r"bytes=(\d+)-", wanted)[1]) if wanted and self.can_go_on else 0
        if start and start >= len(content):
            return request.send_error(416)
        request.send_response(206 if start else 200)
        if self.says_length:
            request.send_header("Content-Length", str(len(content) - start))
        request.end_headers()
        request.wfile.write(content[start : self.cut_after and start + self.cut_after])


@pytest.fixture
def server():
    served = Server()

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self):
            served.answer(self)

        def log_message(self, *words):
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as http:
        thread = threading.Thread(target=http.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        served.address = f"http://127.0.0.1:{http.server_port}/"
        yield served
        http.shutdown()
        thread.join()


@pytest.fixture
def cache(monkeypatch, tmp_path):
    monkeypatch.setenv("LABUTILS_DATA", str(tmp_path / "cache"))
    monkeypatch.setenv("no_proxy", "127.0.0.1")
    return tmp_path / "cache"


def idx(array):
    header = bytes([0, 0, 8, array.ndim]) + np.array(array.shape, dtype=">i4").tobytes()
    return gzip.compress(header + array.tobytes(), mtime=0)


def pictures(count):
    """Random pictures, and labels with ten classes in equal proportions."""
    rng = np.random.default_rng(count)
    return rng.integers(0, 256, (count, 28, 28), dtype=np.uint8), np.arange(count, dtype=np.uint8) % 10


def archive():
    """Reviews as Stanford packs them, and some files that are none of ours."""
    reviews = {
        f"aclImdb/{part}/{kind}/{number}_{9 if kind == 'pos' else 2}.txt": f"{part} {kind} {number}: très bon<br />"
        for part in ("train", "test")
        for kind in ("pos", "neg")
        for number in range(10)
    }
    others = ["aclImdb/train/unsup/1_0.txt", "aclImdb/README", "../../outside.txt", "aclImdb/train/pos/../../1_9.txt"]
    packed = io.BytesIO()
    with tarfile.open(fileobj=packed, mode="w:gz") as tar:
        for name, text in [*reviews.items(), *((name, "not a review") for name in others)]:
            member = tarfile.TarInfo(name)
            member.size = len(text.encode())
            tar.addfile(member, io.BytesIO(text.encode()))
        link = tarfile.TarInfo("aclImdb/train/pos/77_9.txt")
        link.type, link.linkname = tarfile.SYMTYPE, "/etc/passwd"
        tar.addfile(link)
    return packed.getvalue(), reviews


def serve(server, source, files):
    server.files = files
    md5 = {name: hashlib.md5(content).hexdigest() for name, content in files.items()}
    return replace(source, address=server.address, md5=md5)


@pytest.fixture
def mnist(server, cache, monkeypatch):
    """MNIST and Fashion-MNIST with 60 pictures for training and 20 for testing."""
    files = dict(zip(images.MNIST.md5, map(idx, [*pictures(60), *pictures(20)])))
    for name in ("MNIST", "FASHION_MNIST"):
        monkeypatch.setattr(images, name, serve(server, getattr(images, name), files))
    return images.MNIST


def test_the_parts_are_the_published_ones_and_a_validation_part_drawn_from_training(mnist):
    parts = data.mnist()
    assert [len(part.y) for part in parts] == [50, 10, 20]
    x, y = pictures(60)
    rows = [
        (*picture.round().int().tolist(), label)
        for part in parts[:2]
        for picture, label in zip(part.x * 255, part.y.tolist())
    ]
    assert sorted(rows) == sorted((*picture.ravel().tolist(), label) for picture, label in zip(x, y.tolist()))
    assert sorted(parts.validation.y.tolist()) == list(range(10))
    x, y = pictures(20)
    assert torch.equal(parts.test.x, torch.tensor(x).flatten(1).float() / 255) and parts.test.y.tolist() == y.tolist()
    assert parts.train.x.dtype == torch.float32 and parts.train.y.dtype == torch.int64
    assert parts.train.x.min() >= 0 and parts.train.x.max() <= 1


def test_the_seed_alone_decides_the_validation_part(mnist):
    first, again, other = data.mnist(seed=1), data.mnist(seed=1), data.mnist(seed=2)
    assert torch.equal(first.validation.x, again.validation.x)
    assert not torch.equal(first.validation.x, other.validation.x)


def test_fashion_has_the_form_of_mnist_and_a_folder_of_its_own(mnist, cache):
    for flat, image in zip(data.fashion_mnist(), data.fashion_mnist(images=True)):
        assert image.x.shape == (len(flat.x), 1, 28, 28)
        assert torch.equal(flat.x, image.x.flatten(1)) and torch.equal(flat.y, image.y)
    assert sorted(path.name for path in cache.iterdir()) == ["fashion_mnist"]


def test_reviews_are_read_from_the_archive_and_nothing_is_unpacked(server, cache, monkeypatch, tmp_path):
    packed, reviews = archive()
    monkeypatch.setattr(texts, "IMDB", serve(server, texts.IMDB, {"aclImdb_v1.tar.gz": packed}))
    parts = data.imdb()
    assert [len(part.texts) for part in parts] == [16, 4, 20]
    assert [part.labels.sum().item() for part in parts] == [8, 2, 10]
    for part, named in zip(parts, ("train", "train", "test")):
        for text, label in zip(*part):
            assert text.startswith(f"{named} {('neg', 'pos')[label]}") and text.endswith("très bon<br />")
    assert sorted(parts.train.texts + parts.validation.texts + parts.test.texts) == sorted(reviews.values())
    assert parts.validation.texts == data.imdb().validation.texts != data.imdb(seed=1).validation.texts
    written = {path.name for path in tmp_path.rglob("*") if path.is_file()}
    assert written == {"aclImdb_v1.tar.gz", "aclImdb_v1.tar.gz.lock"}


def test_a_second_call_asks_nobody(mnist, server):
    data.mnist()
    assert [name for name, _ in server.asked] == list(mnist.md5)
    server.status = 500
    data.mnist(seed=1)
    assert len(server.asked) == 4


def test_a_bar_shows_how_far_it_is(mnist, capsys):
    downloads.fetch(mnist, LABELS)
    assert LABELS in capsys.readouterr().err


def test_a_connection_that_was_cut_is_taken_up_where_it_ended(mnist, server, cache):
    server.cut_after = 500
    with pytest.raises(
        data.DataError, match=r"MNIST could not be fetched.*500 of.*what has arrived is kept.*data\.digits\(\)"
    ):
        downloads.fetch(mnist, IMAGES)
    assert [path.name for path in (cache / "mnist").iterdir() if path.suffix != ".lock"] == [f"{IMAGES}.part"]
    server.cut_after = None
    assert downloads.fetch(mnist, IMAGES).read_bytes() == server.files[IMAGES]
    assert server.asked == [(IMAGES, None), (IMAGES, "bytes=500-")]
    assert not (cache / "mnist" / f"{IMAGES}.part").exists()


def test_it_may_be_cut_many_times(mnist, server):
    server.cut_after = len(server.files[IMAGES]) // 4
    for _ in range(4):
        with pytest.raises(data.DataError, match="was cut after"):
            downloads.fetch(mnist, IMAGES)
    assert downloads.fetch(mnist, IMAGES).read_bytes() == server.files[IMAGES]
    assert len(server.asked) == 5


def test_a_server_that_cannot_go_on_sends_everything_again(mnist, server):
    server.can_go_on = False
    server.cut_after = 500
    with pytest.raises(data.DataError, match="was cut after"):
        downloads.fetch(mnist, IMAGES)
    server.cut_after = None
    assert downloads.fetch(mnist, IMAGES).read_bytes() == server.files[IMAGES]


@pytest.mark.parametrize(
    "spoil, requests",
    [
        (lambda content: content[:300], ["bytes=300-"]),
        (lambda content: content[:100] + bytes(200), ["bytes=300-", None]),
        (lambda content: content, ["bytes={}-"]),
        (lambda content: content + b"more", ["bytes={}-", None]),
        (lambda content: bytes(len(content)), ["bytes={}-", None]),
        (lambda content: b"", [None]),
    ],
    ids=["a good part", "altered", "whole but not renamed", "too long", "whole and altered", "empty"],
)
def test_whatever_was_left_of_an_earlier_attempt_ends_in_the_whole_file(spoil, requests, mnist, server, cache):
    left = spoil(server.files[IMAGES])
    (cache / "mnist").mkdir(parents=True)
    (cache / "mnist" / f"{IMAGES}.part").write_bytes(left)
    assert downloads.fetch(mnist, IMAGES).read_bytes() == server.files[IMAGES]
    assert server.asked == [(IMAGES, request and request.format(len(left))) for request in requests]


@pytest.mark.parametrize("says_length", [True, False], ids=["length", "no length"])
def test_a_file_that_is_not_the_published_one_is_refused_and_can_be_fetched_again(says_length, mnist, server, cache):
    published, server.files = server.files, {LABELS: b"<html>Please log in</html>"}
    server.says_length = says_length
    with pytest.raises(data.DataError, match=r"not the file that was published.*data\.digits\(\)"):
        downloads.fetch(mnist, LABELS)
    assert {path.suffix for path in (cache / "mnist").iterdir()} == {".lock"}
    server.files = published
    assert downloads.fetch(mnist, LABELS).read_bytes() == published[LABELS]


@pytest.mark.parametrize(
    "damage",
    [lambda content: content[:-1], lambda content: content[:20] + b"?" + content[21:], lambda content: b""],
    ids=["cut short", "altered", "empty"],
)
def test_a_file_damaged_in_the_cache_is_fetched_again(damage, mnist, server, cache):
    expected = data.mnist()
    path = cache / "mnist" / IMAGES
    path.write_bytes(damage(path.read_bytes()))
    assert torch.equal(data.mnist().test.x, expected.test.x)
    assert server.asked[4:] == [(IMAGES, None)]


def test_a_damaged_file_is_not_used_when_there_is_no_network(mnist, server, cache):
    data.mnist()
    (cache / "mnist" / IMAGES).write_bytes(b"half")
    server.status = 503
    with pytest.raises(data.DataError, match="503"):
        data.mnist()


@pytest.mark.parametrize(
    "load, named, instead",
    [
        (data.mnist, "MNIST", "data.digits()"),
        (data.fashion_mnist, "Fashion-MNIST", "data.digits()"),
        (data.imdb, "The IMDB reviews", "data.reviews()"),
    ],
)
def test_without_a_network_the_message_names_what_comes_with_the_book(load, named, instead, cache, monkeypatch):
    nobody = "http://127.0.0.1:9/"  # the port "discard", where nothing listens
    for module, name in ((images, "MNIST"), (images, "FASHION_MNIST"), (texts, "IMDB")):
        monkeypatch.setattr(module, name, replace(getattr(module, name), address=nobody))
    with pytest.raises(data.DataError, match=rf"^{named} could not be fetched.*{re.escape(instead)}"):
        load()
    assert eval(instead).train is not None


@pytest.mark.parametrize("status", [403, 404, 416, 500])
def test_a_refusal_of_the_server_is_told(status, mnist, server):
    server.status = status
    with pytest.raises(data.DataError, match=f"{status}.*data.digits"):
        downloads.fetch(mnist, LABELS)


def test_a_server_that_falls_silent_is_left(mnist, server, monkeypatch):
    server.silent = True
    monkeypatch.setattr(downloads, "SECONDS_OF_SILENCE", 0.1)
    with pytest.raises(data.DataError, match="timed out.*data.digits"):
        downloads.fetch(mnist, LABELS)


def test_a_folder_that_cannot_be_made_is_told(mnist, monkeypatch, tmp_path):
    (tmp_path / "file").touch()
    monkeypatch.setenv("LABUTILS_DATA", str(tmp_path / "file" / "cache"))
    with pytest.raises(data.DataError, match=r"cannot be kept in .*cache.*LABUTILS_DATA.*data\.digits\(\)"):
        data.mnist()


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs a device that is always full")
def test_a_full_disk_is_told(mnist, cache):
    (cache / "mnist").mkdir(parents=True)
    (cache / "mnist" / f"{LABELS}.part").symlink_to("/dev/full")
    with pytest.raises(data.DataError, match="No space left.*LABUTILS_DATA"):
        downloads.fetch(mnist, LABELS)


def test_a_folder_that_only_others_may_write_to_serves_what_it_has(mnist, monkeypatch):
    data.mnist()
    monkeypatch.setattr(downloads, "locked", lambda *_: pytest.fail("a file that is there needs no lock"))
    data.mnist()


def test_two_programs_do_not_write_to_one_file(mnist, cache, monkeypatch):
    monkeypatch.setattr(downloads, "SECONDS_FOR_OTHERS", 0.05)
    with locked(cache / "mnist" / f"{LABELS}.lock", 1):
        with pytest.raises(data.DataError, match="Another program is fetching MNIST.*again"):
            downloads.fetch(mnist, LABELS)


@pytest.mark.parametrize("named", [None, ""], ids=["unset", "empty"])
def test_by_default_files_lie_in_the_home_folder(named, mnist, monkeypatch, tmp_path):
    monkeypatch.delenv("LABUTILS_DATA") if named is None else monkeypatch.setenv("LABUTILS_DATA", named)
    monkeypatch.setattr(Path, "expanduser", lambda path: tmp_path / "home" / path.relative_to("~"))
    assert downloads.fetch(mnist, LABELS) == tmp_path / "home" / ".labutils" / "data" / "mnist" / LABELS


def test_where_there_is_no_home_folder_the_variable_is_named(mnist, monkeypatch):
    def homeless(path):
        raise RuntimeError("Could not determine home directory.")

    monkeypatch.delenv("LABUTILS_DATA")
    monkeypatch.setattr(Path, "expanduser", homeless)
    with pytest.raises(data.DataError, match="LABUTILS_DATA"):
        data.mnist()


def test_the_official_sources_are_complete():
    for source in (images.MNIST, images.FASHION_MNIST, texts.IMDB):
        assert source.address.startswith("http") and source.address.endswith("/")
        assert all(re.fullmatch("[0-9a-f]{32}", md5) for md5 in source.md5.values())
        assert len(set(source.md5.values())) == len(source.md5)
