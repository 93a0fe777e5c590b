"""Where ImageNet weights come from: a file, an installed package, a hub, and never a hub for drawn tiles."""

import os
import urllib.error
from pathlib import Path

import numpy as np
import pytest
import timm
import torch
import torch.nn.functional as F
import torchvision
from safetensors.torch import save_file
from sklearn.datasets import load_sample_image

from recaptcha import backbone as module
from recaptcha import learner
from recaptcha.backbone import HALVES, NoWeights, Renormalise, backbone, has_local_weights, read_weights
from recaptcha.batches import tile_dls
from recaptcha.tiles import DataError, load_tiles, training_tiles

pytestmark = pytest.mark.usefixtures("a_machine_of_its_own")

LITE = ["tf_efficientnet_lite0", "tf_efficientnet_lite2", "efficientnet_lite0", "efficientnet_lite2"]


def package_file(arch):
    return Path(module._package_file(arch))


@pytest.mark.parametrize("arch", LITE)
def test_weights_of_the_packages_fit(arch):
    "Shapes, names and order; and the statistics that batch norm learnt are those of a trained network"
    assert has_local_weights(arch)
    body = backbone(arch, hub=False)()
    assert isinstance(body[0], Renormalise) and torch.equal(body[0].scale, Renormalise(HALVES).scale)
    state, kept = body[1].state_dict(), read_weights(package_file(arch))
    assert [tuple(v.shape) for v in state.values()] == [tuple(v.shape) for v in kept.values()][
        :-2
    ]  # without the classifier
    assert all(torch.equal(a, b) for a, b in zip(state.values(), kept.values()))
    variances = [v for k, v in state.items() if k.endswith("running_var")]
    assert all((v >= 0).all() and (v - 1).abs().max() > 0.1 for v in variances)  # untrained ones are 1
    with torch.no_grad():
        out = body.eval()(torch.randn(2, 3, 64, 64))
    assert out.shape[-2:] == (2, 2) and torch.isfinite(out).all()


def test_a_photograph_is_recognised():
    """With its own mean and standard deviation, the network takes a flower for class 985, daisy; with ImageNet's it
    does not
    """
    photo = torch.tensor(load_sample_image("flower.jpg")).permute(2, 0, 1)[None] / 255
    photo = F.interpolate(photo, (224, 224), mode="bilinear", antialias=True)
    mean, sd = (torch.tensor(s)[:, None, None] for s in module.imagenet_stats)
    tile = (photo - mean) / sd  # as our loaders normalise
    net = timm.create_model("tf_efficientnet_lite0").eval()
    net.load_state_dict(dict(zip(net.state_dict(), read_weights(package_file("tf_efficientnet_lite0")).values())))
    body = backbone("tf_efficientnet_lite0", hub=False)().eval()
    with torch.no_grad():
        assert net(Renormalise(HALVES)(tile)).argmax() == 985 != net(tile).argmax()
        assert torch.equal(body(tile), net.forward_features(Renormalise(HALVES)(tile)))


def test_the_network_that_is_trained_starts_from_them():
    dls = tile_dls(training_tiles(load_tiles("toy")), 32, 16)
    learn = learner.tile_learner(dls, "tf_efficientnet_lite0", hub=False)
    assert learn.pretrained and torch.equal(
        next(learn.model[0][1].parameters()), next(iter(read_weights(package_file("tf_efficientnet_lite0")).values()))
    )
    again = learner.tile_learner(dls, "tf_efficientnet_lite0", pretrained=False)
    again.model.load_state_dict(learn.model.state_dict())
    assert torch.equal(again.model[0][0].scale, learn.model[0][0].scale)  # the statistics are saved with the weights


def test_no_hub_is_asked_in_toy_mode(monkeypatch):
    "`train_kit` fails a test that opens a connection; here nothing may even be asked of a hub's client"

    def asked(*args, **kwargs):
        raise AssertionError("a hub was asked")

    monkeypatch.setenv("RECAPTCHA_RUN", "toy")
    for kind in (module.Torchvision, module.Timm):
        monkeypatch.setattr(kind, "from_hub", asked)
    for arch in ("mobilenet_v2", "resnet50", "resnetv2_50"):
        with pytest.raises(NoWeights, match=f"{arch}.*no ImageNet weights"):
            backbone(arch)()
    assert backbone("tf_efficientnet_lite0")()
    monkeypatch.setenv("RECAPTCHA_RUN", "full")
    with pytest.raises(NoWeights):
        backbone("mobilenet_v2", hub=False)()
    with pytest.raises(NoWeights, match="AssertionError when the hub was asked"):
        backbone("mobilenet_v2")()


@pytest.mark.parametrize(
    "error", [urllib.error.URLError("no network"), RuntimeError("invalid hash value"), ValueError("no such weights")]
)
def test_a_hub_that_fails_leaves_random_weights(monkeypatch, error, capsys):
    def fails(*args, **kwargs):
        raise error

    monkeypatch.setattr(torchvision.models, "get_model", fails)
    kind = module._kind("mobilenet_v2")
    with pytest.raises(NoWeights, match=f"mobilenet_v2: no ImageNet weights \\({type(error).__name__}"):
        module._from_hub(kind)


@pytest.fixture
def small(tmp_path):
    "A file with weights of a small network of timm's"
    state = {
        k: v.half() if v.is_floating_point() else v
        for k, v in timm.create_model("test_efficientnet").state_dict().items()
    }
    path = tmp_path / "any_name.safetensors"
    save_file(state, path)
    return path


def test_the_named_file_comes_first_if_it_is_of_this_architecture(small, monkeypatch):
    monkeypatch.setenv("RECAPTCHA_WEIGHTS", str(small))
    assert has_local_weights("test_efficientnet") and not has_local_weights("mobilenet_v2")
    body = backbone("test_efficientnet", hub=False)()
    assert (
        torch.equal(body[1].conv_stem.weight, read_weights(small)["conv_stem.weight"])
        and body[1].conv_stem.weight.dtype == torch.float
    )
    assert torch.equal(
        backbone("tf_efficientnet_lite0", hub=False)()[1].conv_stem.weight,
        next(iter(read_weights(package_file("tf_efficientnet_lite0")).values())),
    )  # the file is of another: the package's


def test_weights_of_torchvision_may_be_a_pickle_of_tensors(tmp_path, monkeypatch):
    state = torchvision.models.mobilenet_v2(weights=None).state_dict()
    torch.save(state, tmp_path / "any.pth")
    monkeypatch.setenv("RECAPTCHA_WEIGHTS", str(tmp_path / "any.pth"))
    net = backbone("mobilenet_v2", hub=False)()
    assert all(torch.equal(v, state[k]) for k, v in net.state_dict().items())


def test_reading_weights_leaves_the_random_numbers_alone(small, monkeypatch):
    "What a run draws must not depend on where its weights were found"
    monkeypatch.setenv("RECAPTCHA_WEIGHTS", str(small))
    module._kind.cache_clear()
    before = torch.get_rng_state()
    has_local_weights("mobilenet_v2")
    backbone("mobilenet_v2", hub=False)
    assert torch.equal(before, torch.get_rng_state())


class Trap:
    def __reduce__(self):
        return os.mkdir, ("trapped",)


@pytest.mark.parametrize(
    "name, content, word",
    [
        ("w.safetensors", b"", "not a file of weights"),
        ("w.safetensors", b"\xff" * 100, "not a file of weights"),
        ("w.pth", b"not a pickle", "not a file of weights"),
        ("w-00000000.pth", b"x", "damaged"),
        ("w.pth", Trap(), "not a file of weights"),
        ("w.pth", [1, 2], "something other than tensors"),
        ("w.pth", {"a": 1}, "something other than tensors"),
    ],
)
def test_files_that_hold_no_weights(tmp_path, monkeypatch, name, content, word):
    path = tmp_path / name
    path.write_bytes(content) if isinstance(content, bytes) else torch.save(content, path)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("RECAPTCHA_WEIGHTS", str(path))
    with pytest.raises(DataError, match=f"{name}.*{word}"):
        backbone("mobilenet_v2")()
    assert not (tmp_path / "trapped").exists()


def test_a_variable_that_names_nothing_is_an_error(tmp_path, monkeypatch):
    monkeypatch.setenv("RECAPTCHA_WEIGHTS", str(tmp_path / "gone.safetensors"))
    with pytest.raises(DataError, match="gone.safetensors: no such file"):
        has_local_weights("mobilenet_v2")
    os.mkfifo(tmp_path / "pipe.pth")
    monkeypatch.setenv("RECAPTCHA_WEIGHTS", str(tmp_path / "pipe.pth"))
    with pytest.raises(DataError, match="pipe"):
        has_local_weights("mobilenet_v2")


@pytest.mark.parametrize("arch", ["resnet99", "", "get_model", "vit_b_16", "vit_tiny_patch16_224", "swin_t"])
def test_architectures_that_cannot_be_trained_are_refused(arch):
    with pytest.raises(DataError, match="try mobilenet_v2"):
        backbone(arch)


def test_renormalise():
    picture = torch.rand(2, 3, 5, 5)
    mean, sd = (torch.tensor(s)[:, None, None] for s in module.imagenet_stats)
    np.testing.assert_allclose(Renormalise(HALVES)((picture - mean) / sd), (picture - 0.5) / 0.5, atol=1e-6)
    assert torch.equal(Renormalise()(picture), picture)
