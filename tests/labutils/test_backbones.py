"""Backbones: cut off before the head, fed with what they want, and plainly refused where they cannot be had.

torchvision and timm are made on the spot, small, with the calls that `backbone` makes of them; their weights come from
a server on this machine, through torch's own download.
"""

import functools
import hashlib
import importlib
import io
import sys
import threading
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from textwrap import dedent

import pytest
import torch
from torch import nn

from labutils import data
from labutils.backbones import Backbone, BackboneError, backbone, features_of, without_head

TORCHVISION_MODELS = """
    import torch
    from torch import nn

    class Weights:
        DEFAULT = None
        url = "{url}"

        def transforms(self):
            class Preset:
                crop_size, mean, std = [12], [0.5, 0.25, 0.0], [0.5, 0.5, 2.0]
            return Preset()

    Weights.DEFAULT = Weights()

    def get_model_weights(name):
        if name != "tiny":
            raise ValueError(f"Unknown model {{name}}")
        return Weights

    def get_model(name, weights=None):
        torch.manual_seed(0)
        model = nn.Sequential()
        model.body = nn.Sequential(nn.Conv2d(3, 4, 3), nn.BatchNorm2d(4), nn.ReLU(), nn.AdaptiveAvgPool2d(1), nn.Flatten())
        model.classifier = nn.Sequential(nn.Dropout(0.5), nn.Linear(4, 5))
        if weights is not None:
            model.load_state_dict(torch.hub.load_state_dict_from_url(weights.url, check_hash=True, progress=False))
        return model
"""
TIMM = """
    from torch import nn
    from timm import data

    def is_model(name):
        return name == "tiny.in1k"

    def create_model(name, pretrained, num_classes):
        assert pretrained and num_classes == 0
        return nn.Sequential(nn.AdaptiveAvgPool2d(2), nn.Flatten())
"""
TIMM_DATA = """
    def resolve_model_data_config(model):
        return {"input_size": (3, 6, 6), "mean": (0.0, 0.0, 0.0), "std": (1.0, 1.0, 0.5)}
"""


def remove(package):
    for name in [name for name in sys.modules if name == package or name.startswith(f"{package}.")]:
        del sys.modules[name]


@pytest.fixture
def install(tmp_path, monkeypatch):
    """Makes packages on the spot: `install(torchvision={"__init__": "…"})`."""
    made, kept = [], dict(sys.modules)
    monkeypatch.syspath_prepend(str(tmp_path / "site"))

    def make(**packages):
        for package, files in packages.items():
            (tmp_path / "site" / package).mkdir(parents=True)
            for name, text in files.items():
                (tmp_path / "site" / package / f"{name}.py").write_text(dedent(text))
            remove(package)
            made.append(package)
        importlib.invalidate_caches()  # a folder made within the clock's resolution could be overlooked

    yield make
    for package in made:
        remove(package)
        sys.modules.update({name: module for name, module in kept.items() if name.split(".")[0] == package})


@pytest.fixture
def server(tmp_path):
    """A web server for the files in `tmp_path / "served"`: its address and that folder."""
    (tmp_path / "served").mkdir()

    class Handler(SimpleHTTPRequestHandler):
        def log_message(self, *words):
            pass

    handler = functools.partial(Handler, directory=str(tmp_path / "served"))
    with ThreadingHTTPServer(("127.0.0.1", 0), handler) as http:
        thread = threading.Thread(target=http.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        yield f"http://127.0.0.1:{http.server_port}", tmp_path / "served"
        http.shutdown()
        thread.join()


@pytest.fixture
def torchvision(install, server, tmp_path, monkeypatch):
    """A torchvision with one classifier, "tiny"; returns where its weights are served, as a file."""
    monkeypatch.setenv("TORCH_HOME", str(tmp_path / "torch"))
    address, folder = server
    namespace = {}
    exec(dedent(TORCHVISION_MODELS).format(url=""), namespace)
    torch.manual_seed(1)
    state = {
        name: torch.rand_like(value.float()).to(value.dtype)
        for name, value in namespace["get_model"]("tiny").state_dict().items()
    }
    buffer = io.BytesIO()
    torch.save(state, buffer)
    file = folder / f"tiny-{hashlib.sha256(buffer.getvalue()).hexdigest()[:8]}.pth"
    file.write_bytes(buffer.getvalue())
    install(torchvision={"__init__": "", "models": TORCHVISION_MODELS.format(url=f"{address}/{file.name}")})
    return file


@pytest.fixture
def small():
    """A classifier with dropout and batch normalization, and a head within a head."""
    torch.manual_seed(0)
    return nn.Sequential(
        nn.Flatten(),
        nn.Linear(16, 8),
        nn.BatchNorm1d(8),
        nn.Sequential(nn.Dropout(0.5), nn.Linear(8, 3), nn.Softmax(-1)),
    )


def images(n=6, channels=1, size=8, seed=0):
    return torch.rand(n, channels, size, size, generator=torch.Generator().manual_seed(seed))


class TestWithoutHead:
    def test_what_went_into_the_last_linear_layer_comes_out(self, small):
        cut = without_head(nn.Sequential(*list(small)[:3], nn.Linear(8, 3))).eval()
        small.eval()
        x = torch.rand(5, 16)
        torch.testing.assert_close(cut(x), small[2](small[1](small[0](x))))

    def test_the_network_keeps_its_head(self, small):
        without_head(small)
        assert isinstance(small[3][1], nn.Linear)

    @pytest.mark.parametrize(
        "network",
        [nn.Flatten(), nn.Sequential(nn.Linear(2, 2), nn.LayerNorm(2)), nn.Sequential(nn.Conv2d(1, 3, 1))],
        ids=["no weights", "a normalization last", "a convolution last"],
    )
    def test_a_network_without_a_linear_head_is_refused(self, network):
        with pytest.raises(BackboneError, match="does not end in a linear layer"):
            without_head(network)


class TestFeaturesOf:
    def test_neither_the_batch_nor_chance_matters(self, small):
        body = Backbone("small", without_head(small).train(), channels=1, size=4)
        x = images(7, size=4)
        together, one_by_one = features_of(x, body), features_of(x, body, batch_size=1)
        torch.testing.assert_close(together, one_by_one)
        assert together.dtype == torch.float32 and not together.requires_grad

    def test_grey_images_are_repeated_and_normalized(self):
        body = Backbone("pixels", nn.Flatten(), 3, 2, mean=(0.5, 0.0, 0.25), std=(0.5, 1.0, 0.25))
        x = images(2, size=2)
        expected = torch.cat([(x - 0.5) / 0.5, x, (x - 0.25) / 0.25], dim=1).flatten(1)
        torch.testing.assert_close(features_of(x, body), expected)

    def test_colours_are_averaged_for_a_grey_network(self):
        body = Backbone("pixels", nn.Flatten(), 1, 2)
        x = images(2, channels=3, size=2)
        torch.testing.assert_close(features_of(x, body), x.mean(dim=1).flatten(1))

    @pytest.mark.parametrize("size", [3, 8, 28], ids=str)
    def test_any_size_is_brought_to_the_backbones(self, size):
        body = Backbone("pixels", nn.Flatten(), 1, 8)
        torch.testing.assert_close(features_of(torch.full((2, 1, size, size), 0.5), body), torch.full((2, 64), 0.5))
        assert features_of(images(2, size=size), body).shape == (2, 64)

    @pytest.mark.parametrize("shape", [(8, 8), (3, 8, 8), (0, 1, 8, 8), (2, 2, 8, 8)], ids=str)
    def test_other_shapes_are_refused(self, shape):
        with pytest.raises(ValueError, match="images has shape"):
            features_of(torch.zeros(shape), Backbone("pixels", nn.Flatten(), 1, 8))


class TestTheBooksOwn:
    def test_codes_of_digits(self):
        from labutils.pretrained import load_pretrained

        network, x = load_pretrained(), data.digits(images=True).test.x[:20]
        with torch.no_grad():
            expected = network(x)
            codes = features_of(x, backbone())
        torch.testing.assert_close(network.head(codes), expected)


class TestTorchvision:
    def test_the_same_two_calls(self, torchvision):
        tiny = backbone("tiny")
        assert (tiny.channels, tiny.size, tiny.mean, tiny.std) == (3, 12, (0.5, 0.25, 0.0), (0.5, 0.5, 2.0))
        assert features_of(images(), tiny).shape == (6, 4)

    def test_the_weights_are_those_of_the_file(self, torchvision):
        state = torch.load(torchvision, weights_only=True)
        torch.testing.assert_close(backbone("tiny").network.body[0].weight, state["body.0.weight"])

    def test_another_size(self, torchvision):
        assert backbone("tiny", size=5).size == 5

    def test_kept_weights_need_no_network(self, torchvision):
        backbone("tiny")
        torchvision.unlink()
        backbone("tiny")

    def test_no_network(self, torchvision):
        torchvision.unlink()
        with pytest.raises(BackboneError, match="could not be fetched.*backbone\\('glyphs'\\)"):
            backbone("tiny")

    @pytest.mark.parametrize(
        "damage", [lambda b: b[: len(b) // 2], lambda b: b[:900] + b"\x00\x01" + b[902:]], ids=["cut", "altered"]
    )
    def test_damaged_weights_are_not_taken(self, torchvision, damage):
        torchvision.write_bytes(damage(torchvision.read_bytes()))
        with pytest.raises(BackboneError, match="not as they should be"):
            backbone("tiny")

    def test_a_kept_file_cut_short_is_refused(self, torchvision, tmp_path):
        backbone("tiny")
        (kept,) = (tmp_path / "torch").rglob("*.pth")
        kept.write_bytes(kept.read_bytes()[:-200])
        with pytest.raises(BackboneError, match="Delete the file in"):
            backbone("tiny")

    def test_an_unknown_network(self, torchvision):
        with pytest.raises(BackboneError, match="no pretrained classifier 'huge'"):
            backbone("huge")

    def test_not_installed(self, monkeypatch):
        monkeypatch.setitem(sys.modules, "torchvision.models", None)
        with pytest.raises(BackboneError, match="torchvision is not installed.*pip install torchvision"):
            backbone("resnet18")

    def test_built_for_another_torch(self, install):
        install(torchvision={"__init__": 'raise RuntimeError("operator torchvision::nms does not exist")'})
        with pytest.raises(BackboneError, match="does not run beside torch.*nms"):
            backbone("resnet18")


class TestTimm:
    def test_the_same_two_calls(self, install):
        install(timm={"__init__": TIMM, "data": TIMM_DATA})
        tiny = backbone("timm/tiny.in1k")
        assert (tiny.channels, tiny.size, tiny.std) == (3, 6, (1.0, 1.0, 0.5))
        assert features_of(images(), tiny).shape == (6, 12)

    def test_an_unknown_network(self, install):
        install(timm={"__init__": TIMM, "data": TIMM_DATA})
        with pytest.raises(BackboneError, match="timm has no network 'huge'"):
            backbone("timm/huge")

    def test_not_installed(self, monkeypatch):
        monkeypatch.setitem(sys.modules, "timm", None)
        with pytest.raises(BackboneError, match="timm is not installed"):
            backbone("timm/resnet18")
