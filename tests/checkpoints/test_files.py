"""This package's own files of networks."""

import json
import struct
from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors import safe_open
from safetensors.torch import save_file
from torch import Tensor, nn

from gem_lite.checkpoints import StoredNet, load, load_cirtorch, open_network, save
from gem_lite.checkpoints.__main__ import main
from gem_lite.local_whitening import LocalWhitening
from gem_lite.network import RetrievalNet, build_network, save_network
from gem_lite.pooling import MAC, RMAC, GeM, RegionalPool
from gem_lite.whitening import LearnedWhitening, PCAWhitening
from tests.checkpoints import cirtorch_files as cirtorch

CHANNELS = (8, "M", 16)


def images() -> Tensor:
    return torch.rand(2, 3, 32, 48, generator=torch.Generator().manual_seed(0))


def network(pooling: str | nn.Module = "gem", **options: bool) -> RetrievalNet:
    return build_network("compact", pooling, channels=CHANNELS, seed=3, **options)


@pytest.mark.parametrize(
    "pooling",
    [
        "gem",
        "mac",
        "spoc",
        "rmac",
        GeM(2.5, channels=16, eps=1e-4),
        RMAC(levels=2),
        RegionalPool(GeM(2.7), nn.Linear(16, 12)),
        RegionalPool(MAC(), levels=2),
    ],
    ids=repr,
)
def test_a_network_comes_back_whole(tmp_path: Path, pooling: str | nn.Module) -> None:
    net = network(pooling)
    net.meta["trained"] = {"epochs": 3}
    if isinstance(net.pool, GeM):
        with torch.no_grad():
            net.pool.p += 0.3
    save(net, tmp_path / "net.safetensors")
    before = torch.get_rng_state()
    loaded = load(tmp_path / "net.safetensors")
    assert torch.equal(torch.get_rng_state(), before)
    assert not loaded.training
    assert loaded.meta == net.meta
    assert repr(loaded.pool) == repr(net.pool)
    assert loaded.dim == net(images()).shape[1]
    assert loaded.whitenings == {}
    assert torch.equal(loaded(images()), net(images()))
    assert [w.requires_grad for w in loaded.parameters()] == [w.requires_grad for w in net.parameters()]


def test_so_does_one_of_torchvision_with_batch_norm_or_in_half_precision(tmp_path: Path) -> None:
    path = tmp_path / "net.safetensors"
    trained = network(batch_norm=True).train()
    trained(images())
    trained.whiten = nn.Linear(16, 4, bias=False)
    trained.mean.fill_(0.3)
    half = network("mac").bfloat16()
    for net in (trained.eval(), build_network("squeezenet1_1", "mac"), half):
        save(net, path)
        loaded = load(path)
        assert loaded.mean.dtype == net.mean.dtype
        shown = images().to(net.mean.dtype)
        assert torch.equal(loaded(shown), net(shown))


def whitenings() -> dict[str, dict[str, LearnedWhitening | PCAWhitening]]:
    rng = np.random.default_rng(0)
    rows = rng.normal(size=(60, 16))
    learned = LearnedWhitening(n_components=5).fit(rows, np.arange(60) // 3)
    return {
        "town": {"ss": learned, "ms": PCAWhitening().fit(rows)},
        "a/b.c": {"ss": PCAWhitening(2).fit(rows)},
    }


def test_local_whitening_and_stored_whitenings_come_back(tmp_path: Path) -> None:
    net = network()
    body = nn.Sequential()
    for name, layer in net.backbone.named_children():
        body.add_module(name, layer)
    body.add_module("lwhiten", LocalWhitening(16, 10))
    net.backbone, net.whiten = body, nn.Linear(10, 6)
    save(net, tmp_path / "net.safetensors", whitenings())
    loaded = load(tmp_path / "net.safetensors")
    assert torch.equal(loaded(images()), net(images()))
    rows = np.random.default_rng(1).normal(size=(3, 16)).astype(np.float32)
    for dataset, by_scale in whitenings().items():
        for scale, whitening in by_scale.items():
            found = loaded.whitenings[dataset][scale]
            assert type(found) is type(whitening)
            np.testing.assert_array_equal(found.transform(rows), whitening.transform(rows))
    save(loaded, tmp_path / "again.safetensors")  # a stored network keeps its whitenings by itself
    assert (tmp_path / "again.safetensors").read_bytes() == (tmp_path / "net.safetensors").read_bytes()


@pytest.mark.parametrize("pooling", ["gem", "gemmp", "rmac"])
def test_a_released_network_is_the_same_after_conversion(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], pooling: str
) -> None:
    theirs = cirtorch.reference_net("squeezenet1_1", pooling, regional=True, local_whitening=True)
    if pooling == "gemmp":
        with torch.no_grad():
            theirs.pool.rpool.p[0] = 0.5
    stored = {"retrieval-SfM-120k": {scale: cirtorch.random_whitening(512, 1) for scale in ("ss", "ms")}}
    path, out = tmp_path / "net.pth", tmp_path / "net.safetensors"
    cirtorch.write(cirtorch.released(theirs, stored), path, zipped=False)
    main([str(path), str(out)])
    told = capsys.readouterr().out
    assert "stored whitenings:  retrieval-SfM-120k (ss, ms)" in told
    assert "local whitening:    yes" in told
    before, after = load_cirtorch(path), open_network(out)
    assert isinstance(after, StoredNet)
    assert after.meta == before.meta
    shown = torch.rand(1, 3, 64, 96)
    with torch.no_grad():
        assert torch.equal(after(shown), before(shown))
    theirs_ms = before.whitenings["retrieval-SfM-120k"]["ms"]
    ours_ms = after.whitenings["retrieval-SfM-120k"]["ms"]
    np.testing.assert_array_equal(ours_ms.components_, theirs_ms.components_)


def test_the_converter_says_what_went_wrong_and_overwrites_nothing(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path, out = tmp_path / "net.pth", tmp_path / "net.safetensors"
    features = tmp_path / "imagenet-caffe-squeezenet1_1-features.pth"
    net = cirtorch.reference_net("squeezenet1_1", "mac")
    cirtorch.write(net.features.state_dict(), features)
    path.write_text("<html>")
    out.write_text("mine")
    for arguments, code, complaint in (
        ([path], 1, "is a web page"),
        ([path, out], 2, "give --force to replace it"),
        ([tmp_path / "absent.pth"], 1, "no file at"),
        ([features], 1, "use load_cirtorch_features"),
    ):
        with pytest.raises(SystemExit) as stopped:
            main([str(argument) for argument in arguments])
        assert stopped.value.code == code
        assert complaint in capsys.readouterr().err
    assert out.read_text() == "mine"
    main([str(features), str(out), "--features", "spoc", "--force"])
    assert "pooling:            SPoC()" in capsys.readouterr().out
    assert load(out).meta["file"] == features.name


def test_any_format_is_opened(tmp_path: Path) -> None:
    net, path = network(), tmp_path / "net"
    save(net, path)
    assert torch.equal(open_network(path)(images()), net(images()))
    save_network(net, path)
    assert torch.equal(open_network(path)(images()), net(images()))
    cirtorch.write(cirtorch.released(cirtorch.reference_net("squeezenet1_1", "mac")), path)
    assert open_network(path).meta["architecture"] == "squeezenet1_1"
    torch.save(net.backbone.state_dict(), path)
    with pytest.raises(ValueError, match="use load_cirtorch_features"):
        open_network(path)
    with pytest.raises(FileNotFoundError, match="no file at"):
        open_network(tmp_path / "absent")


def test_what_cannot_be_built_again_is_not_saved(tmp_path: Path) -> None:
    path = tmp_path / "net.safetensors"
    with pytest.raises(ValueError, match="whose meta"):
        save(RetrievalNet(nn.Conv2d(3, 4, 3), MAC()), path)
    for part, value, complaint in (
        ("whiten", nn.Sequential(nn.Linear(16, 4)), "must be a Linear layer to be saved, not a Sequential"),
        ("pool", nn.AdaptiveAvgPool2d(1), "class AdaptiveAvgPool2d cannot be saved; known: mac"),
        ("backbone", nn.Sequential(nn.Conv2d(3, 16, 3)), "is no compact as it is built here"),
    ):
        net = network()
        setattr(net, part, value)
        with pytest.raises(ValueError, match=complaint):
            save(net, path)
    net = network()
    net.meta["when"] = object()
    with pytest.raises(TypeError, match="JSON"):
        save(net, path)
    assert not list(tmp_path.iterdir())


def test_a_failed_save_leaves_the_old_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from safetensors import SafetensorError

    path = tmp_path / "net.safetensors"
    save(network(), path)
    before = path.read_bytes()

    def full_disk(_state: object, place: Path, _metadata: object) -> None:
        Path(place).write_bytes(b"half a file")
        raise SafetensorError("no space left on device")

    monkeypatch.setattr("gem_lite.checkpoints.files.save_file", full_disk)
    with pytest.raises(OSError, match="could not be written: no space"):
        save(network("mac"), path)
    assert path.read_bytes() == before
    assert [file.name for file in tmp_path.iterdir()] == ["net.safetensors"]


def test_a_damaged_file_is_never_taken_for_a_whole_one(tmp_path: Path) -> None:
    path = tmp_path / "net.safetensors"
    save(network(), path, whitenings())
    whole = path.read_bytes()
    for length in (0, 3, 8, 9, 100, len(whole) // 2, len(whole) - 1):
        path.write_bytes(whole[:length])
        with pytest.raises(ValueError, match=r"net.safetensors is damaged"):
            load(path)
    for claimed in (0, 1 << 31, (1 << 64) - 1):  # a header longer than the file
        path.write_bytes(struct.pack("<Q", claimed) + whole[8:])
        with pytest.raises(ValueError, match=r"net.safetensors is damaged"):
            load(path)
    with pytest.raises(FileNotFoundError, match="no file at"):
        load(tmp_path / "absent")


def test_foreign_later_and_forged_descriptions_are_refused(tmp_path: Path) -> None:
    path = tmp_path / "net.safetensors"
    save(network(), path, whitenings())
    with safe_open(path, "pt") as file:
        text = file.metadata()["gem_lite"]
        state = {key: file.get_tensor(key) for key in file.keys()}  # noqa: SIM118
    save_file(state, path)
    with pytest.raises(ValueError, match="gem_lite did not write it"):
        load(path)

    def changed(**entries: object) -> str:
        return json.dumps({**json.loads(text), **entries})

    def other_network(**entries: object) -> str:
        return changed(network={**json.loads(text)["network"], **entries})

    for forged, complaint in (
        ("[" * 100_000, "cannot be read"),
        ("{", "cannot be read"),
        ("[]", "cannot be read"),
        (changed(format="another"), "its format is 'another'"),
        (changed(version=2), r"a later gem_lite wrote it \(version 2\): update gem_lite"),
        (changed(version="2"), "cannot be read"),
        (changed(whitenings=[{"learned_on": "a", "scale": "ss", "kind": "magic"}]), "cannot be read"),
        (changed(whitenings=[]), "6 unknown"),
        (other_network(architecture="resnet1000"), "unknown architecture"),
        (other_network(channels=[8] * 201), "a compact body of 201 layers"),
        (other_network(channels=[1 << 40, "M", 16]), "of another shape"),
        (other_network(pooling={"name": "os.system"}), "unknown pooling 'os.system'"),
        (other_network(pooling={"name": "gem", "hack": 1}), "cannot be read"),
        (other_network(pooling={"name": "mac"}), r"1 unknown \(first: pool.p\)"),
        (other_network(whiten=[16, 4, True]), r"2 missing \(first: whiten.weight\)"),
    ):
        save_file(state, path, {"gem_lite": forged})
        with pytest.raises(ValueError, match=complaint):
            load(path)
    save_file(state | {"backbone.0.bias": torch.full((8,), torch.inf)}, path, {"gem_lite": text})
    with pytest.raises(ValueError, match="infinite numbers, or none at all, in backbone"):
        load(path)
