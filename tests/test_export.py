"""Exported networks: the same descriptors as the network's, at sizes that it was not recorded with."""

import importlib.util
import json
from pathlib import Path
from types import SimpleNamespace

import pytest
import torch
from torch import Tensor, nn

from gem_lite.checkpoints.parts import FreeGeM
from gem_lite.export import EXAMPLE, export_onnx, export_program
from gem_lite.network import RetrievalNet, build_network
from gem_lite.pooling import GeM, RegionalPool

onnxruntime = pytest.importorskip("onnxruntime", reason="needs the extra onnx")
CHANNELS = (8, "M", 16)


def network(architecture: str = "compact", pooling: str | nn.Module = "gem") -> RetrievalNet:
    """With whitening, and a p that is not the usual one."""
    torch.manual_seed(0)
    channels = CHANNELS if architecture == "compact" else None
    net = build_network(architecture, pooling, p=2.2, channels=channels)
    net.whiten = nn.Linear(net.dim, 12)
    return net


def images(count: int, height: int, width: int) -> Tensor:
    generator = torch.Generator().manual_seed(count)
    return torch.rand(count, 3, height, width, generator=generator)


def described(net: nn.Module, pictures: Tensor) -> Tensor:
    with torch.no_grad():
        found: Tensor = net(pictures)
    return found


def by_onnx(path: Path, pictures: Tensor) -> Tensor:
    session = onnxruntime.InferenceSession(path, providers=["CPUExecutionProvider"])
    [found] = session.run(["descriptors"], {"images": pictures.numpy()})
    return torch.from_numpy(found)


@pytest.mark.slow
@pytest.mark.parametrize("architecture", ["compact", "squeezenet1_1"])
def test_an_exported_network_describes_alike_at_any_size(tmp_path: Path, architecture: str) -> None:
    net = network(architecture)
    net.meta["note"] = "kept"
    path = tmp_path / "net.onnx"
    program = export_program(net).module()
    export_onnx(net, path)
    assert isinstance(net.pool, GeM)  # the network itself stays as it was
    assert net.pool.p.requires_grad
    shown = [images(1, 64, 96), images(3, 130, 75)]
    assert not any(x.shape[2:] == EXAMPLE[1:] for x in shown)
    for pictures in shown:
        expected = described(net, pictures)
        torch.testing.assert_close(described(program, pictures), expected, atol=1e-6, rtol=1e-5)
        torch.testing.assert_close(by_onnx(path, pictures), expected, atol=2e-6, rtol=1e-5)
    session = onnxruntime.InferenceSession(path)
    assert session.get_inputs()[0].shape == ["batch", 3, "height", "width"]
    assert json.loads(session.get_modelmeta().custom_metadata_map["gem_lite"]) == net.meta
    assert [file.name for file in tmp_path.iterdir()] == ["net.onnx"]


@pytest.mark.slow
def test_a_program_outlives_the_package(tmp_path: Path) -> None:
    """As a file, and for pooling below the mean, per-channel exponents and exponents that are too small."""
    exponents = torch.linspace(0.5, 4, 16)
    for pool in (GeM(channels=16), FreeGeM(channels=16)):
        with torch.no_grad():
            pool.p.copy_(exponents)
        net = network(pooling=pool)
        torch.export.save(export_program(net), tmp_path / "net.pt2")
        loaded = torch.export.load(tmp_path / "net.pt2")
        pictures = images(2, 50, 41)
        torch.testing.assert_close(described(loaded.module(), pictures), described(net, pictures))
        operations = {str(node.target) for node in loaded.graph.nodes}
        assert not any("gem_lite" in name for name in operations)


@pytest.mark.slow
@pytest.mark.parametrize("pooling", ["rmac", RegionalPool(GeM(2.5), nn.Linear(16, 16))], ids=["rmac", "gem"])
def test_regional_pooling_is_exported_for_one_size(tmp_path: Path, pooling: str | nn.Module) -> None:
    net = network(pooling=pooling)
    with pytest.raises(ValueError, match=r"for one size: give size=\(height, width\)"):
        export_program(net)
    program = export_program(net, size=(40, 56)).module()
    pictures = images(5, 40, 56)
    torch.testing.assert_close(described(program, pictures), described(net, pictures))
    with pytest.raises((AssertionError, RuntimeError), match="56"):
        described(program, images(5, 40, 64))


def test_what_cannot_be_exported_is_said(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(ValueError, match="cannot take pictures of 9 by 8 pixels"):
        export_program(build_network("alexnet"), size=(8, 9))
    found = importlib.util.find_spec
    monkeypatch.setattr(
        importlib.util, "find_spec", lambda name: None if name == "onnxscript" else found(name)
    )
    with pytest.raises(ImportError, match=r"needs onnxscript: .* pip install 'gem-lite\[onnx\]'"):
        export_onnx(network(), tmp_path / "net.onnx")
    assert not list(tmp_path.iterdir())


def test_a_failed_export_leaves_the_old_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "net.onnx"
    path.write_bytes(b"old")

    class FullDisk:
        model = SimpleNamespace(metadata_props={})

        def save(self, place: str, external_data: bool) -> None:
            Path(place).write_bytes(b"half")
            raise OSError("no space left on device")

    monkeypatch.setattr(torch.onnx, "export", lambda *_args, **_options: FullDisk())
    with pytest.raises(OSError, match="no space"):
        export_onnx(network(), path)
    assert path.read_bytes() == b"old"
    assert len(list(tmp_path.iterdir())) == 1


def test_equality_would_be_seen_to_fail() -> None:
    """The tolerance of these tests is far below what another p makes."""
    net = network()
    before = described(net, images(1, 64, 96))
    assert isinstance(net.pool, GeM)
    with torch.no_grad():
        net.pool.p += 0.01
    assert (described(net, images(1, 64, 96)) - before).abs().max() > 1e-5
