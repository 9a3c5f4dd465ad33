"""Weights from files and from torchvision."""

import urllib.error
from pathlib import Path

import pytest
import torch
from torch import Tensor
from torchvision import models

from gem_lite.backbones import torchvision_body
from gem_lite.network import build_network
from gem_lite.weights import load_body, read_file


@pytest.fixture(scope="module")
def squeezenet() -> dict[str, Tensor]:
    torch.manual_seed(1)
    state: dict[str, Tensor] = models.squeezenet1_1(weights=None).state_dict()
    return state


class Touch:
    """Unpickling one of these makes a file."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def __reduce__(self) -> tuple[object, tuple[Path]]:
        return Path.touch, (self.path,)


def test_a_hostile_file_is_refused_and_not_run(tmp_path: Path) -> None:
    torch.save({"state": Touch(tmp_path / "touched")}, tmp_path / "hostile.pth")
    with pytest.raises(ValueError, match=r"hostile.pth is damaged, or holds more than tensors"):
        read_file(tmp_path / "hostile.pth")
    assert not (tmp_path / "touched").exists()


def test_damaged_absent_and_other_files_are_named(tmp_path: Path, squeezenet: dict[str, Tensor]) -> None:
    path = tmp_path / "weights.pth"
    with pytest.raises(FileNotFoundError, match=r"no file of weights at .*weights.pth"):
        read_file(path)
    torch.save(squeezenet, path)
    path.write_bytes(path.read_bytes()[:5000])
    with pytest.raises(ValueError, match="is damaged"):
        read_file(path)
    path.write_bytes(b"")
    with pytest.raises(ValueError, match="is damaged"):
        read_file(path)
    path.write_text("not weights at all")
    with pytest.raises(ValueError, match="is damaged"):
        read_file(path)
    torch.save([1, 2], path)
    with pytest.raises(ValueError, match="holds a list; expected a dictionary"):
        read_file(path)


@pytest.mark.parametrize("dtype", [torch.float32, torch.float16])
def test_a_classifier_of_any_size_and_float_type_gives_its_body(
    tmp_path: Path, squeezenet: dict[str, Tensor], dtype: torch.dtype
) -> None:
    state = {key: value.to(dtype) for key, value in squeezenet.items()}
    state["classifier.1.weight"] = torch.zeros(7, 512, 1, 1)
    torch.save(state, tmp_path / "weights.pth")
    net = build_network("squeezenet1_1", "mac", tmp_path / "weights.pth")
    loaded = net.backbone.state_dict()
    for key, value in squeezenet.items():
        if key.startswith("features."):
            torch.testing.assert_close(loaded[key.removeprefix("features.")], value.to(dtype).float())


def test_what_does_not_fit_is_told(tmp_path: Path, squeezenet: dict[str, Tensor]) -> None:
    torch.save(squeezenet, tmp_path / "weights.pth")
    with pytest.raises(
        ValueError, match=r"weights.pth are not those of alexnet: tensors .* missing .* unknown"
    ):
        build_network("alexnet", weights=tmp_path / "weights.pth")
    with pytest.raises(ValueError, match="of another shape"):
        build_network("squeezenet1_0", weights=tmp_path / "weights.pth")
    short = {key: value for key, value in squeezenet.items() if key != "features.0.bias"}
    with pytest.raises(ValueError, match=r"1 missing \(first: 0.bias\)"):
        load_body(torchvision_body("squeezenet1_1"), short, "squeezenet1_1", "the test")
    with pytest.raises(ValueError, match="compact network loads what save_network wrote"):
        build_network("compact", weights=tmp_path / "weights.pth")


@pytest.mark.slow
def test_densenet_files_of_torchvision_have_other_names() -> None:
    """As in its released file: ``norm.1.weight`` for ``norm1.weight``, and no counters of batches."""
    body = torchvision_body("densenet121")
    state = {
        "features." + key.replace(".norm1.", ".norm.1.").replace(".conv2.", ".conv.2."): value + 1
        for key, value in body.state_dict().items()
        if not key.endswith("num_batches_tracked")
    }
    assert any(".norm.1." in key for key in state)
    expected = body.state_dict()["denseblock1.denselayer1.norm1.weight"] + 1
    load_body(body, state, "densenet121", "the test")
    assert torch.equal(body.state_dict()["denseblock1.denselayer1.norm1.weight"], expected)


def test_imagenet_weights_come_from_torchvision_checked_and_as_tensors_only(
    monkeypatch: pytest.MonkeyPatch, squeezenet: dict[str, Tensor]
) -> None:
    asked: list[tuple[str, dict[str, object]]] = []

    def download(url: str, **options: object) -> dict[str, Tensor]:
        asked.append((url, options))
        return squeezenet

    monkeypatch.setattr("torchvision.models._api.load_state_dict_from_url", download)
    net = build_network("squeezenet1_1", weights="imagenet")
    assert torch.equal(net.backbone.state_dict()["0.weight"], squeezenet["features.0.weight"])
    [(url, options)] = asked
    assert "squeezenet1_1" in url
    assert options["check_hash"] is True
    assert options["weights_only"] is True


def test_without_a_network_the_message_says_what_to_do(monkeypatch: pytest.MonkeyPatch) -> None:
    def download(url: str, **options: object) -> dict[str, Tensor]:
        raise urllib.error.URLError("no route to host")

    monkeypatch.setattr("torchvision.models._api.load_state_dict_from_url", download)
    with pytest.raises(
        ConnectionError, match=r"ImageNet weights of squeezenet1_1 .*no route.* give weights=<path"
    ):
        build_network("squeezenet1_1", weights="imagenet")


def test_compact_has_no_imagenet_weights() -> None:
    with pytest.raises(
        ValueError, match="compact network loads what save_network wrote, and imagenet is not"
    ):
        build_network("compact", weights="imagenet")


def test_real_weights_load_and_tell_pictures_apart(test_data: Path) -> None:
    [path] = (test_data / "weights").glob("squeezenet1_0*.pt")
    net = build_network("squeezenet1_0", weights=path)
    assert net.dim == 512
    state = torch.load(path, weights_only=True)
    torch.testing.assert_close(net.backbone.state_dict()["0.weight"], state["features.0.weight"].float())
    flat, noise = torch.full((1, 3, 96, 96), 0.5), torch.rand(1, 3, 96, 96, generator=torch.manual_seed(0))
    with torch.no_grad():
        descriptors = net(torch.cat([flat, flat.flip(3), noise]))
    assert descriptors[0] @ descriptors[1] > 0.999
    assert descriptors[0] @ descriptors[2] < 0.9
