"""Networks of the reference code, read from files like its own and compared with it written down again."""

import hashlib
import re
import warnings
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from gem_lite.checkpoints import load_cirtorch, load_cirtorch_features, load_cirtorch_whitening
from gem_lite.extract import default_scale_power, describe_at_scales, extract
from gem_lite.local_whitening import LocalWhitening
from gem_lite.pooling import GeM, RegionalPool
from tests.checkpoints import cirtorch_files as cirtorch

KINDS: dict[str, dict[str, bool]] = {
    "plain": {},
    "reg": {"regional": True},
    "whiten": {"whitening": True},
    "lwhiten": {"local_whitening": True},
    "lwhiten-reg-whiten": {"local_whitening": True, "regional": True, "whitening": True},
}
CASES = [
    *(("squeezenet1_1", pooling, "plain") for pooling in ("mac", "spoc", "gem", "gemmp", "rmac")),
    *(("squeezenet1_1", "gem", kind) for kind in KINDS if kind != "plain"),
    ("squeezenet1_1", "mac", "reg"),
    ("squeezenet1_1", "gemmp", "reg"),
    ("squeezenet1_1", "rmac", "reg"),
    ("alexnet", "gem", "plain"),
    ("resnet18", "gem", "whiten"),
    ("resnet18", "gem", "reg"),
]


def images(height: int = 96, width: int = 128) -> Tensor:
    return torch.rand(2, 3, height, width, generator=torch.Generator().manual_seed(5))


def normalised(pictures: Tensor) -> Tensor:
    mean, std = (torch.tensor(values)[:, None, None] for values in (cirtorch.MEAN, cirtorch.STD))
    return (pictures - mean) / std


def described_by_the_reference(net: nn.Module, pictures: Tensor) -> Tensor:
    with torch.no_grad():
        rows: Tensor = net(normalised(pictures)).T
    return rows


@pytest.mark.parametrize(("architecture", "pooling", "kind"), CASES)
def test_descriptors_are_those_of_the_reference(
    tmp_path: Path, architecture: str, pooling: str, kind: str
) -> None:
    theirs = cirtorch.reference_net(architecture, pooling, **KINDS[kind])
    path = cirtorch.write(cirtorch.released(theirs), tmp_path / "net.pth", zipped=False)
    ours = load_cirtorch(path)
    assert not ours.training
    assert ours.meta["cirtorch"]["outputdim"] == ours.dim
    for pictures in (images(), images(128, 64)):
        expected = described_by_the_reference(theirs, pictures)
        with torch.no_grad():
            found = ours(pictures)
        torch.testing.assert_close(found, expected, atol=2e-6, rtol=2e-5)
        assert (expected[0] - expected[1]).abs().max() > 1e-4  # else the comparison would say little


@pytest.mark.parametrize("zipped", [True, False], ids=["zip", "legacy"])
@pytest.mark.parametrize("old_numpy", [True, False], ids=["numpy 1", "numpy 2"])
def test_stored_whitenings_act_on_rows_as_theirs_on_columns(
    tmp_path: Path, zipped: bool, old_numpy: bool
) -> None:
    theirs = cirtorch.reference_net("squeezenet1_1", "gem")
    sets = ("retrieval-SfM-30k", "retrieval-SfM-120k")
    stored = {
        name: {scale: cirtorch.random_whitening(512, seed + 7 * len(scale)) for scale in ("ss", "ms ")}
        for seed, name in enumerate(sets)
    }
    stored = {name: {scale.strip(): entry for scale, entry in by.items()} for name, by in stored.items()}
    path = cirtorch.write(cirtorch.released(theirs, stored), tmp_path / "net.pth", zipped, old_numpy)
    ours = load_cirtorch(path)
    assert {name: sorted(by) for name, by in ours.whitenings.items()} == {n: ["ms", "ss"] for n in sets}
    assert "Lw" not in ours.meta["cirtorch"]
    rows = np.random.default_rng(0).normal(size=(5, 512))
    for name, by_scale in stored.items():
        for scale, whitening in by_scale.items():
            found = ours.whitenings[name][scale].transform(rows)
            np.testing.assert_allclose(found.T, cirtorch.whitened(rows.T, whitening), atol=1e-7)
    layer = ours.whitenings[sets[0]]["ms"].to_linear().double()
    folded = nn.functional.normalize(layer(torch.from_numpy(rows)), dim=1).detach().numpy()
    np.testing.assert_allclose(folded.T, cirtorch.whitened(rows.T, stored[sets[0]]["ms"]), atol=1e-5)


def test_a_self_trained_checkpoint_is_read_without_its_optimiser(tmp_path: Path) -> None:
    theirs = cirtorch.reference_net("squeezenet1_1", "gem")
    ours = load_cirtorch(cirtorch.write(cirtorch.trained(theirs), tmp_path / "model_best.pth.tar"))
    with torch.no_grad():
        torch.testing.assert_close(ours(images()), described_by_the_reference(theirs, images()))


def test_old_files_lack_the_optional_keys(tmp_path: Path) -> None:
    """Only architecture, pooling, mean and std are required there; old torch counted no batches."""
    theirs = cirtorch.reference_net("resnet18", "mac")
    content = cirtorch.released(theirs)
    content["meta"] = {key: content["meta"][key] for key in ("architecture", "pooling", "mean", "std")}
    content["state_dict"] = {k: v for k, v in content["state_dict"].items() if "num_batches" not in k}
    ours = load_cirtorch(cirtorch.write(content, tmp_path / "net.pth"))
    with torch.no_grad():
        torch.testing.assert_close(ours(images()), described_by_the_reference(theirs, images()))


@pytest.mark.parametrize("architecture", ["vgg16", "resnet50", "resnet101", "densenet121"])
def test_every_tensor_of_a_large_architecture_finds_its_place(architecture: str) -> None:
    """By names and shapes alone, on torch's memoryless device; DenseNet also under its old names."""
    from gem_lite.checkpoints.cirtorch import _our_names
    from gem_lite.checkpoints.parts import blank

    with torch.device("meta"):
        made = cirtorch.ReferenceNet(architecture, "gem", whitening=True)
    expected = blank(
        {
            "architecture": architecture,
            "pooling": {"name": "gem"},
            "whiten": [made.meta["outputdim"], made.meta["outputdim"], True],
        }
    )
    states = [made.state_dict()]
    if architecture.startswith("densenet"):
        old = {".norm1.": ".norm.1.", ".conv2.": ".conv.2."}
        pairs = made.state_dict().items()
        states.append({re.sub("|".join(old), lambda found: old[found.group()], k): v for k, v in pairs})
        assert states[0].keys() != states[1].keys()
    for state in states:
        found = {key: value.shape for key, value in _our_names(state, expected).items()}
        assert found == {
            key: value.shape for key, value in expected.state_dict().items() if key not in ("mean", "std")
        }


def test_regional_pooling_from_a_file_has_the_golden_values(tmp_path: Path, golden: Path) -> None:
    """The reference code's own numbers: GeM 2.7 of each region, whitened, of maps that it was given."""
    from gem_lite.checkpoints.parts import blank, fill

    with np.load(golden / "reference.npz") as file:
        stored = dict(file)
    weight, bias = (torch.from_numpy(stored[f"regional_whiten_{name}"]) for name in ("weight", "bias"))
    description = {
        "architecture": "alexnet",
        "pooling": {
            "name": "regional",
            "levels": 3,
            "whiten": [*weight.shape[::-1], True],
            "pool": {"name": "gem", "channels": 1, "eps": 1e-6},
        },
    }
    net = blank(description)
    state = {key: torch.zeros_like(value, device="cpu") for key, value in net.state_dict().items()}
    state |= {"pool.pool.p": torch.tensor([2.7]), "pool.whiten.weight": weight, "pool.whiten.bias": bias}
    pool = fill(net, state, "the golden values").pool
    for size in ("7x7", "16x16", "24x32", "12x32"):
        maps = torch.from_numpy(stored[f"pool_{size}_x"])
        with torch.no_grad():
            found = nn.functional.normalize(pool(maps), dim=1)
            each = pool(maps, aggregate=False)
        torch.testing.assert_close(found, torch.from_numpy(stored[f"pool_{size}_regional_gem_p2.7"]))
        torch.testing.assert_close(each, torch.from_numpy(stored[f"pool_{size}_regions"]))


def test_photographs_have_the_golden_descriptors(tmp_path: Path, test_data: Path, golden: Path) -> None:
    """From a file of the reference's structure to the reference's own descriptors, boxes and scales."""
    with np.load(golden / "reference.npz") as file:
        stored = {key: value for key, value in file.items() if key.startswith("photo_")}
    [weights] = (test_data / "weights").glob("squeezenet1_0*.pt")
    classifier = torch.load(weights, weights_only=True)
    state = {key: value.float() for key, value in classifier.items() if key.startswith("features.")}
    net = cirtorch.reference_net("squeezenet1_0", "gem")
    content = cirtorch.released(net)
    content["state_dict"] = state | {"pool.p": torch.tensor([2.7])}
    ours = load_cirtorch(cirtorch.write(content, tmp_path / "net.pth", zipped=False))
    files = [test_data / "photos" / str(name) for name in stored["photo_names"]]
    found = {
        "photo_ss_362": extract(ours, files, 362, progress=False),
        "photo_ms_362_msp2.7": extract(ours, files, 362, (1, 2**-0.5, 0.5), progress=False),
        "photo_ss_362_boxes": extract(
            ours, files, 362, boxes=[tuple(box) for box in stored["photo_boxes"].tolist()], progress=False
        ),
    }
    for name, descriptors in found.items():
        np.testing.assert_allclose(descriptors, stored[name], atol=2e-4, err_msg=name)


def test_scales_are_averaged_as_the_reference_does(tmp_path: Path) -> None:
    """With exponent p for a single p, also behind local whitening; else with 1."""
    for pooling, kind, with_p in (
        ("gem", "plain", True),
        ("gem", "lwhiten", True),
        ("gem", "reg", False),
        ("gem", "whiten", False),
        ("gemmp", "plain", False),
    ):
        theirs = cirtorch.reference_net("squeezenet1_1", pooling, **KINDS[kind])
        ours = load_cirtorch(cirtorch.write(cirtorch.released(theirs), tmp_path / "net.pth"))
        power = default_scale_power(ours, (1, 0.5))
        assert power == (pytest.approx(theirs.pool.p.item()) if with_p else 1.0), (pooling, kind)
    half = nn.functional.interpolate(normalised(images()), scale_factor=0.5, mode="bilinear")
    with torch.no_grad():
        mean = (theirs(normalised(images())) + theirs(half)) / 2
        found = describe_at_scales(ours, images(), (1, 0.5), power)
    torch.testing.assert_close(found, (mean / mean.norm(dim=0)).T, atol=2e-6, rtol=2e-5)


def test_a_p_below_one_is_kept_where_gem_would_take_one(tmp_path: Path) -> None:
    theirs = cirtorch.reference_net("squeezenet1_1", "gemmp")
    with torch.no_grad():
        theirs.pool.p[::2] = 0.6
    path = cirtorch.write(cirtorch.released(theirs), tmp_path / "net.pth")
    ours = load_cirtorch(path)
    clamped = GeM(channels=512)
    clamped.load_state_dict(ours.pool.state_dict())
    with torch.no_grad():
        expected = described_by_the_reference(theirs, images())
        torch.testing.assert_close(ours(images()), expected, atol=2e-6, rtol=2e-5)
        ours.pool = clamped
        assert (ours(images()) - expected).abs().max() > 1e-3
        theirs.pool.p[3] = -1.0
    with pytest.raises(ValueError, match="no exponent p above 0 for its pooling gemmp"):
        load_cirtorch(cirtorch.write(cirtorch.released(theirs), path))


def test_normalisation_differs_from_the_reference_only_without_any_activation(tmp_path: Path) -> None:
    """There 1e-6 is added to the norm. Of GeM's eps in every channel that leaves a length of 0.96."""
    theirs = cirtorch.reference_net("squeezenet1_1", "gem")
    path = cirtorch.write(cirtorch.released(theirs), tmp_path / "net.pth")
    alive = load_cirtorch(path)
    with torch.no_grad():
        lengths = described_by_the_reference(theirs, images()).norm(dim=1)
        assert (lengths - 1).abs().max() < 1e-5
        torch.testing.assert_close(alive(images()).norm(dim=1), torch.ones(2))
        for name, value in theirs.features.named_parameters():
            value.zero_() if name.endswith("weight") else value.fill_(-1.0)
    dead = load_cirtorch(cirtorch.write(cirtorch.released(theirs), path))
    with torch.no_grad():
        norm = 1e-6 * 512**0.5
        their_length = described_by_the_reference(theirs, images()).norm(dim=1)
        torch.testing.assert_close(their_length, torch.full((2,), norm / (norm + 1e-6)))
        torch.testing.assert_close(dead(images()).norm(dim=1), torch.ones(2))


def test_the_name_is_believed_to_begin_the_checksum(tmp_path: Path) -> None:
    content = cirtorch.released(cirtorch.reference_net("squeezenet1_1", "mac"))
    plain = cirtorch.write(content, tmp_path / "net.pth")
    sha256 = hashlib.sha256(plain.read_bytes()).hexdigest()
    right = plain.rename(tmp_path / f"retrievalSfM120k-squeezenet1_1-mac-{sha256[:7]}.pth")
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert load_cirtorch(right).meta["sha256"] == sha256
    wrong = right.rename(tmp_path / "retrievalSfM120k-squeezenet1_1-mac-b80fb85.pth")
    with pytest.warns(UserWarning, match=r"begins with b80fb85, by its name, but it is") as caught:
        net = load_cirtorch(wrong)
    assert caught[0].filename == __file__
    assert net.dim == 512


class Touch:
    """Unpickling one of these makes a file."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def __reduce__(self) -> tuple[object, tuple[Path]]:
        return Path.touch, (self.path,)


@pytest.mark.parametrize("zipped", [True, False], ids=["zip", "legacy"])
def test_a_hostile_file_is_refused_and_not_run(tmp_path: Path, zipped: bool) -> None:
    net = cirtorch.reference_net("squeezenet1_1", "mac")
    content = cirtorch.released(net, {"x": Touch(tmp_path / "ran")})
    path = cirtorch.write(content, tmp_path / "net.pth", zipped)
    with pytest.raises(ValueError, match=r"is refused: it asks for [\w.]*(Path|getattr)"):
        load_cirtorch(path)
    assert not (tmp_path / "ran").exists()


class CallsTheClassItself:
    def __reduce__(self) -> tuple[object, tuple[Any, ...]]:
        return np.ndarray, ((1 << 40,),)


class CallsReconstruct:
    """An array of objects, whose content would be addresses."""

    def __reduce__(self) -> tuple[Any, ...]:
        state = (1, (4,), np.dtype("O"), False, b"A" * 32)
        return np.zeros(0).__reduce__()[0], (np.ndarray, (0,), b"b"), state


@pytest.mark.parametrize(
    ("payload", "complaint"),
    [
        (CallsTheClassItself(), "calls the class ndarray itself"),
        (CallsReconstruct(), "array of 'O8': only plain numbers"),
        (np.array(["text"]), "only plain numbers"),
        (np.zeros(3, [("a", "f4"), ("b", "i4")]), "only plain numbers"),
    ],
    ids=["class", "objects", "strings", "records"],
)
def test_arrays_of_anything_but_numbers_are_refused(tmp_path: Path, payload: object, complaint: str) -> None:
    path = cirtorch.write({"m": payload, "P": np.eye(3)}, tmp_path / "whiten.pth")
    with pytest.raises(ValueError, match=complaint):
        load_cirtorch_whitening(path)


@pytest.mark.parametrize("zipped", [True, False], ids=["zip", "legacy"])
def test_a_truncated_file_is_told_from_a_whole_one(tmp_path: Path, zipped: bool) -> None:
    content = cirtorch.released(cirtorch.reference_net("squeezenet1_1", "gem"))
    path = cirtorch.write(content, tmp_path / "net.pth", zipped)
    whole = path.read_bytes()
    for length in (1, 7, 300, 5_000, len(whole) // 2, len(whole) - 20_000, len(whole) - 1):
        path.write_bytes(whole[:length])
        with pytest.raises(ValueError, match=r"net.pth is (damaged|no file of torch)"):
            load_cirtorch(path)
    path.write_bytes(b"")
    with pytest.raises(ValueError, match=r"net.pth is empty"):
        load_cirtorch(path)


def test_foreign_files_are_named_with_what_to_do(tmp_path: Path) -> None:
    path = tmp_path / "net.pth"
    with pytest.raises(FileNotFoundError, match=r"no file at .*net.pth"):
        load_cirtorch(path)
    for content, complaint in (
        (b"\n<!DOCTYPE html><html>404", "is a web page"),
        (b"version https://git-lfs.github.com/spec/v1\n", "run `git lfs pull`"),
        (b"\x93NUMPY\x01\x00", "is no file of torch's"),
    ):
        path.write_bytes(content)
        with pytest.raises(ValueError, match=complaint):
            load_cirtorch(path)
    net = cirtorch.reference_net("squeezenet1_1", "gem")
    whole = cirtorch.released(net)
    for content, complaint in (
        ([1, 2], "holds a list"),
        ({"features.0.weight": torch.zeros(2)}, "perhaps torchvision's: use build_network"),
        ({"0.weight": torch.zeros(2)}, "use load_cirtorch_features"),
        ({"m": np.zeros((3, 1)), "P": np.eye(3)}, "use load_cirtorch_whitening"),
        ({"format": "gem_lite network 1"}, "use gem_lite.network.load_network"),
        ({"state_dict": {}}, "no meta and state_dict, only state_dict"),
        ({**whole, "meta": {"architecture": "alexnet"}}, "its meta lacks pooling, mean, std"),
        ({**whole, "meta": {**net.meta, "architecture": "squeezenet1_2"}}, "did you mean squeezenet1_"),
        ({**whole, "meta": {**net.meta, "architecture": "compact"}}, "none of cirtorch's"),
        ({**whole, "meta": {**net.meta, "pooling": "crow"}}, "pooling 'crow'; known: mac"),
        ({**whole, "meta": {**net.meta, "whitening": True}}, "has no whiten.weight"),
        ({**whole, "meta": {**net.meta, "mean": [0.5]}}, "mean must be three numbers"),
        ({**whole, "meta": {**net.meta, "architecture": "alexnet"}}, "does not hold the network that it"),
        ({**whole, "meta": {**net.meta, "Lw": {"x": {"ss": {"m": np.zeros((2, 1))}}}}}, "x ss: a whitening"),
        (
            {**whole, "meta": {**net.meta, "Lw": {"x": {"ss": {"m": np.zeros((2, 1)), "P": np.eye(3)}}}}},
            r"P \(3, 3\) does not fit m, which has 2",
        ),
        (
            {**whole, "state_dict": {**whole["state_dict"], "lwhiten.weight": torch.eye(512)}},
            r"1 unknown \(first: backbone.lwhiten.weight\)",
        ),
        (
            {**whole, "state_dict": whole["state_dict"] | {"features.0.bias": torch.full((64,), torch.nan)}},
            "infinite numbers, or none at all, in backbone.0.bias",
        ),
    ):
        cirtorch.write(content, path)
        with pytest.raises(ValueError, match=complaint):
            load_cirtorch(path)


def test_convolutions_alone_give_an_off_the_shelf_network(tmp_path: Path) -> None:
    theirs = cirtorch.reference_net("resnet18", "gem")
    with torch.no_grad():
        theirs.pool.p.fill_(3.0)
    path = tmp_path / "imagenet-caffe-resnet18-features-d369c8e.pth"
    cirtorch.write(theirs.features.state_dict(), path, zipped=False)
    with pytest.warns(UserWarning, match="begins with d369c8e"):
        ours = load_cirtorch_features(path)
    with torch.no_grad():
        torch.testing.assert_close(ours(images()), described_by_the_reference(theirs, images()))
    with pytest.raises(ValueError, match="is no file of convolutions: it is a whitening"):
        load_cirtorch_features(
            cirtorch.write({"m": np.zeros(2), "P": np.eye(2)}, tmp_path / "alexnet.pth"), "alexnet"
        )
    with pytest.raises(ValueError, match="does not say which architecture"):
        load_cirtorch_features(tmp_path / "alexnet.pth")


def test_whitening_files_of_both_kinds(tmp_path: Path) -> None:
    rows = np.random.default_rng(1).normal(size=(4, 16))
    stored = cirtorch.random_whitening(16, seed=3)
    found = load_cirtorch_whitening(cirtorch.write(stored, tmp_path / "net_whiten_ms.pth", zipped=False))
    np.testing.assert_allclose(found.transform(rows).T, cirtorch.whitened(rows.T, stored), atol=1e-7)
    layer = {
        "weight": torch.from_numpy(stored["P"]).float().contiguous(),
        "bias": torch.from_numpy(-stored["P"] @ stored["m"])[:, 0].float(),
    }
    found = load_cirtorch_whitening(cirtorch.write(layer, tmp_path / "whiten.pth"))
    np.testing.assert_allclose(found.transform(rows).T, cirtorch.whitened(rows.T, stored), atol=1e-5)
    with pytest.raises(ValueError, match="no whitening of cirtorch: it has no meta"):
        load_cirtorch_whitening(cirtorch.write({"v": 1}, tmp_path / "whiten.pth"))


def test_local_whitening_is_a_linear_layer_at_every_position() -> None:
    layer = LocalWhitening(4, 3)
    maps = torch.rand(2, 4, 5, 6)
    found = layer(maps)
    assert found.shape == (2, 3, 5, 6)
    expected = nn.functional.linear(maps[1, :, 2, 3], layer.weight, layer.bias)
    torch.testing.assert_close(found[1, :, 2, 3], expected)
    with torch.no_grad():  # its output is signed, and what is negative counts as eps in GeM: no gradient
        signed = layer(maps) - layer(maps).mean()
    signed.requires_grad_()
    GeM()(signed).sum().backward()
    assert signed.grad is not None
    assert torch.equal(signed.grad == 0, signed <= 1e-6)


def test_the_regional_whitening_decides_the_length(tmp_path: Path) -> None:
    theirs = cirtorch.reference_net("squeezenet1_1", "gem", regional=True)
    content = cirtorch.released(theirs)
    smaller = {"pool.whiten.weight": torch.rand(32, 512), "pool.whiten.bias": torch.rand(32)}
    content["state_dict"] = content["state_dict"] | smaller
    ours = load_cirtorch(cirtorch.write(content, tmp_path / "net.pth"))
    assert isinstance(ours.pool, RegionalPool)
    assert ours.dim == 32
    with torch.no_grad():
        assert ours(images()).shape == (2, 32)
