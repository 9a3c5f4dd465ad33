"""Extraction into shards: killed in the middle of a file, it goes on, and never with other pictures."""

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from gem_lite import extraction
from gem_lite.extract import extract
from gem_lite.extraction import extract_to_shards, images_hash, network_hash
from gem_lite.images import ImageError
from gem_lite.network import RetrievalNet, build_network
from gem_lite.seeds import stream
from gem_lite.shards import Shards

COUNT = 22


def net(seed: int = 0) -> RetrievalNet:
    return build_network("compact", channels=(4, "M", 6), seed=seed).eval()


def pictures() -> np.ndarray:
    return stream("test-extraction").integers(0, 256, (COUNT, 24, 24, 3)).astype(np.uint8)


KILLED = """
import os, signal, sys
import numpy as np
sys.path.insert(0, sys.argv[2])
from test_extraction import net, pictures
from gem_lite.extraction import extract_to_shards
save = np.save
def half(file, array):
    save(file, array)
    if "000002" in str(file):  # the third shard: written, but not yet under its name
        os.truncate(file, 150)
        os.kill(os.getpid(), signal.SIGKILL)
np.save = half
extract_to_shards(net(), pictures(), sys.argv[1], rows=4, progress=False)
"""


@pytest.mark.slow
def test_a_killed_extraction_goes_on_where_it_was(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = tmp_path / "descriptors"
    command = [sys.executable, "-c", KILLED, str(folder), str(Path(__file__).parent)]
    assert subprocess.run(command).returncode == -9
    assert sorted(file.name for file in folder.glob("[0-9]*.npy")) == ["000000.npy", "000001.npy"]
    assert len(list(folder.glob(".*.part*"))) == 1
    with pytest.raises(ValueError, match=r"4 of 6 shards .* the first is 000002.npy: .* goes on"):
        Shards(folder)

    described = []

    def counted(net: RetrievalNet, images: np.ndarray, *args: object, **settings: object) -> np.ndarray:
        described.append(len(images))
        return extract(net, images, *args, **settings)  # type: ignore[arg-type]

    monkeypatch.setattr(extraction, "extract", counted)
    found = extract_to_shards(net(), pictures(), folder, rows=4, progress=False)
    assert described == [4, 4, 4, 2]
    np.testing.assert_allclose(np.asarray(found), extract(net(), pictures(), progress=False), atol=1e-6)
    assert not list(folder.glob(".*.part*"))
    extract_to_shards(net(), pictures(), folder, rows=4, progress=False)
    assert len(described) == 4


def test_another_network_setting_or_picture_is_refused(tmp_path: Path) -> None:
    images = pictures()
    folder = tmp_path / "descriptors"
    extract_to_shards(net(), images, folder, progress=False)
    changed = images.copy()
    changed[7, 0, 0, 0] ^= 1
    boxes = [None, (0, 0, 9, 9)] * (COUNT // 2)
    for arguments, settings, said in (
        ((net(1), images), {}, "another network"),
        ((build_network("compact", "mac", channels=(4, "M", 6), seed=0), images), {}, "another network"),
        ((net(), changed), {}, "another images"),
        ((net(), images), {"size": 512}, "another size: size was 1024 and is now 512"),
        ((net(), images), {"scales": (1, 0.5)}, "another scales"),
        ((net(), images), {"boxes": boxes}, "another boxes"),
    ):
        with pytest.raises(ValueError, match=said):
            extract_to_shards(*arguments, folder, progress=False, **settings)
    extract_to_shards(net(), images, folder, progress=False, workers=2, batch_size=3, device="cpu")


def test_boxes_and_scales_go_to_their_pictures(tmp_path: Path) -> None:
    boxes = [None, (0, 0, 12, 12)] * (COUNT // 2)
    settings = {"boxes": boxes, "scales": (1.0, 0.5)}
    found = extract_to_shards(net(), pictures(), tmp_path / "d", rows=5, progress=False, **settings)
    expected = extract(net(), pictures(), progress=False, **settings)
    np.testing.assert_allclose(np.asarray(found), expected, atol=1e-6)


def test_unreadable_pictures_are_named_or_left_as_nan(tmp_path: Path) -> None:
    paths = []
    for row, pixels in enumerate(pictures()[:6]):
        paths.append(tmp_path / f"{row}.png")
        Image.fromarray(pixels).save(paths[-1])
    for row in (3, 4, 5):
        paths[row].write_bytes(b"no picture")
    with pytest.raises(ImageError, match=r"of images 3 to 5: .*3\.png"):
        extract_to_shards(net(), paths, tmp_path / "d", rows=3, progress=False)
    assert [file.name for file in (tmp_path / "d").glob("*.npy")] == ["000000.npy"]
    seen = []
    with pytest.warns(UserWarning, match=r"3 images could not be read(.|\n)*row 4: "):
        found = extract_to_shards(net(), paths, tmp_path / "d", rows=3, progress=False, on_error="skip")
    assert np.isnan(found[3:]).all()
    assert np.isfinite(found[:3]).all()
    extract_to_shards(
        net(), paths, tmp_path / "e", rows=4, progress=False, on_error=lambda row, error: seen.append(row)
    )
    assert seen == [3, 4, 5]


def test_a_file_is_known_by_name_and_length_not_by_where_it_lies(tmp_path: Path) -> None:
    for folder in ("a", "b"):
        (tmp_path / folder).mkdir()
        (tmp_path / folder / "x.jpg").write_bytes(b"1234")
    assert images_hash([tmp_path / "a" / "x.jpg"]) == images_hash([str(tmp_path / "b" / "x.jpg")])
    (tmp_path / "b" / "x.jpg").write_bytes(b"12345")
    assert images_hash([tmp_path / "a" / "x.jpg"]) != images_hash([tmp_path / "b" / "x.jpg"])
    assert images_hash(["x", "y"]) != images_hash(["y", "x"])


def test_a_network_is_known_by_its_weights() -> None:
    assert network_hash(net()) == network_hash(net())
    changed = net()
    with torch.no_grad():
        next(changed.parameters()).mul_(1.001)
    assert network_hash(changed) != network_hash(net())
