"""Kept descriptors are those of `extract`, and belong to one network and one set of pictures."""

import numpy as np
import pytest
from PIL import Image
from torch import nn

from figures import described as module
from figures.described import described, network_digest
from gem_lite.extract import extract
from gem_lite.network import build_network
from gem_lite.pooling import GeM
from gem_lite.seeds import stream

IMAGES = stream("test described").integers(0, 256, (3, 40, 40, 3), dtype=np.uint8)
BOXES = [[4, 4, 36, 30], [0, 0, 40, 40], [8, 0, 40, 36]]


@pytest.fixture(autouse=True)
def cache(tmp_path, monkeypatch):
    monkeypatch.setenv("GEM_LITE_CACHE", str(tmp_path))
    return tmp_path


def network(**settings):
    return build_network("compact", channels=(4, 6, "M", 8), **settings)


@pytest.mark.parametrize("scales", [(1.0,), (0.75,), (1.0, 0.75)])
@pytest.mark.parametrize("boxes", [None, BOXES])
@pytest.mark.parametrize("power", [None, 2.0])
def test_they_are_those_of_extract(scales, boxes, power):
    settings = {"size": None, "scales": scales, "boxes": boxes, "scale_power": power, "progress": False}
    expected = extract(network(), IMAGES, **settings)
    for _ in ("computed", "read"):
        np.testing.assert_allclose(described(network(), IMAGES, scales, boxes, power), expected, atol=1e-6)


def test_each_scale_is_computed_once(monkeypatch):
    asked = []
    monkeypatch.setattr(
        module, "extract", lambda *given, **how: asked.append(how["scales"]) or extract(*given, **how)
    )
    for scales in ((1.0,), (1.0, 0.75), (0.75,)):
        described(network(), IMAGES, scales)
    assert asked == [(1.0,), (0.75,)]


def test_files_are_described_at_a_size_and_in_shards(tmp_path, cache):
    files = [tmp_path / f"{number}.png" for number in range(3)]
    for file, pixels in zip(files, IMAGES, strict=True):
        Image.fromarray(pixels).save(file)
    boxes = [BOXES[0], None, BOXES[2]]
    how = {"size": 36, "boxes": boxes, "scales": (1.0, 0.9), "progress": False}
    for _ in ("computed", "read"):
        found = described(network(), files, (1.0, 0.9), boxes, size=36)
        np.testing.assert_allclose(found, extract(network(), files, **how), atol=1e-6)
    assert len([folder for folder in cache.glob("descriptors-*") if folder.is_dir()]) == 2


def test_another_network_and_other_pictures_have_their_own(cache):
    described(network(), IMAGES)
    described(network(), IMAGES[::-1])
    described(network(seed=1), IMAGES)
    described(network(), IMAGES, boxes=BOXES)
    assert len(list(cache.glob("descriptors-*.npy"))) == 4


def test_the_digest_sees_weights_exponent_pooling_and_whitening():
    nets = [
        network(),
        network(seed=1),
        network(p=4.0),
        network(pooling="mac"),
        network(pooling=GeM(channels=8)),
    ]
    whitened = network()
    whitened.whiten = nn.Linear(8, 4)
    digests = [network_digest(net) for net in (*nets, whitened)]
    assert len(set(digests)) == len(digests)
    assert network_digest(network()) == digests[0]


def test_a_damaged_file_is_made_again(cache):
    first = described(network(), IMAGES)
    file = next(cache.glob("descriptors-*.npy"))
    file.write_bytes(file.read_bytes()[:-7])
    np.testing.assert_array_equal(described(network(), IMAGES), first)
