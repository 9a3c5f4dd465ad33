"""Saved networks."""

from pathlib import Path

import pytest
import torch
from torch import Tensor, nn

from gem_lite.network import RetrievalNet, build_network, load_network, save_network
from gem_lite.pooling import MAC, RMAC, GeM, RegionalPool

CHANNELS = (8, "M", 16)


class Median(nn.Module):
    """A pooling of somebody else's."""

    def forward(self, x: Tensor) -> Tensor:
        return x.flatten(2).median(dim=2).values


def images() -> Tensor:
    return torch.rand(2, 3, 32, 48, generator=torch.Generator().manual_seed(0))


def network(pooling: str | nn.Module = "gem", **options: bool) -> RetrievalNet:
    return build_network("compact", pooling, channels=CHANNELS, seed=3, **options)


@pytest.mark.parametrize(
    "pooling", ["gem", "mac", "spoc", "rmac", GeM(2.5, channels=16, eps=1e-4), RMAC(levels=2)], ids=repr
)
def test_a_network_comes_back_whole(tmp_path: Path, pooling: str | nn.Module) -> None:
    net = network(pooling)
    net.whiten = nn.Linear(16, 4, bias=False)
    net.meta["trained"] = {"epochs": 3}
    if isinstance(net.pool, GeM):
        with torch.no_grad():
            net.pool.p += 0.3
    save_network(net, tmp_path / "net.pth")
    loaded = load_network(tmp_path / "net.pth")
    assert not loaded.training
    assert loaded.meta == net.meta
    assert repr(loaded) == repr(net)
    assert torch.equal(loaded(images()), net(images()))


def test_so_does_one_with_batch_norm_or_own_colours_or_of_torchvision(tmp_path: Path) -> None:
    path = tmp_path / "net.pth"
    trained = network(batch_norm=True).train()
    trained(images())
    trained.mean.fill_(0.3)
    for net in (trained.eval(), build_network("squeezenet1_1", "mac")):
        save_network(net, path)
        assert torch.equal(load_network(path)(images()), net(images()))


def test_weights_of_the_same_pooling_give_the_whole_network(tmp_path: Path) -> None:
    net = network(GeM(2.2, channels=16))
    net.whiten = nn.Linear(16, 4)
    save_network(net, tmp_path / "net.pth")
    for pooling in ("gem", GeM(3.0, channels=16)):
        again = build_network("compact", pooling, tmp_path / "net.pth", channels=CHANNELS)
        assert torch.equal(again(images()), net(images()))


def test_weights_of_another_pooling_give_the_body(tmp_path: Path) -> None:
    net = network("gem")
    net.whiten = nn.Linear(16, 4)
    net.std.fill_(0.5)
    save_network(net, tmp_path / "net.pth")
    other = build_network("compact", "mac", tmp_path / "net.pth")
    assert isinstance(other.pool, MAC)
    assert other.whiten is None
    assert torch.equal(other.feature_maps(images()), net.feature_maps(images()))
    per_channel = build_network("compact", GeM(4.0, channels=16), tmp_path / "net.pth")
    assert isinstance(per_channel.pool, GeM)
    assert per_channel.pool.p.tolist() == [4.0] * 16


def test_somebody_elses_pooling_has_to_be_given(tmp_path: Path) -> None:
    path = tmp_path / "net.pth"
    net = network(RegionalPool(GeM(2.7), nn.Linear(16, 16)))
    save_network(net, path)
    with pytest.raises(ValueError, match="saved with the pooling RegionalPool: give pooling="):
        load_network(path)
    with pytest.raises(ValueError, match=r"RegionalPool.*, not Median"):
        load_network(path, Median())
    again = load_network(path, RegionalPool(GeM(), nn.Linear(16, 16)))
    assert torch.equal(again(images()), net(images()))
    median = build_network("compact", Median(), path)
    assert torch.equal(median.feature_maps(images()), net.feature_maps(images()))


def test_what_cannot_be_built_again_is_not_saved(tmp_path: Path) -> None:
    path = tmp_path / "net.pth"
    with pytest.raises(ValueError, match="whose meta"):
        save_network(RetrievalNet(nn.Conv2d(3, 4, 3), MAC()), path)
    net = network()
    net.whiten = nn.Sequential(nn.Linear(16, 4))
    with pytest.raises(ValueError, match="must be a Linear layer to be saved, not a Sequential"):
        save_network(net, path)
    net = network()
    net.meta["when"] = object()
    with pytest.raises(TypeError, match="JSON"):
        save_network(net, path)
    assert not list(tmp_path.iterdir())


def test_a_failed_save_leaves_the_old_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "net.pth"
    save_network(network(), path)
    before = path.read_bytes()

    def full_disk(content: object, place: Path) -> None:
        Path(place).write_bytes(b"half a file")
        raise OSError("no space left on device")

    monkeypatch.setattr(torch, "save", full_disk)
    with pytest.raises(OSError, match="no space"):
        save_network(network("mac"), path)
    assert path.read_bytes() == before
    assert [file.name for file in tmp_path.iterdir()] == ["net.pth"]


def test_other_architectures_sizes_and_files_are_refused(tmp_path: Path) -> None:
    path = tmp_path / "net.pth"
    save_network(network(), path)
    with pytest.raises(ValueError, match="holds a compact network, not alexnet"):
        build_network("alexnet", weights=path)
    with pytest.raises(ValueError, match=r"has channels \[8, 'M', 16\], not \[8, 16\]"):
        build_network("compact", weights=path, channels=(8, 16))
    torch.save({"0.weight": torch.zeros(1)}, path)
    with pytest.raises(ValueError, match="was not written by save_network"):
        load_network(path)
