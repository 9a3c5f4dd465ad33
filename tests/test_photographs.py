"""Real photographs through a real network: the descriptors and the mAP of the reference."""

import json

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from torch import nn

from gem_lite.evaluate import evaluate
from gem_lite.extract import extract
from gem_lite.network import build_network
from gem_lite.pooling import MAC, GeM, SPoC
from gem_lite.search import rank

WEIGHTS = "weights/squeezenet1_0_deepcompression_tvnorm.pt"
SCALES = (1, 2**-0.5, 0.5)


def squeezenet(test_data, **options):
    return build_network("squeezenet1_0", weights=test_data / WEIGHTS, **options)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("key", "options"),
    [
        ("photo_ss_362", {}),
        ("photo_ms_362_msp1", {"scales": SCALES, "scale_power": 1.0}),
        ("photo_ms_362_msp2.7", {"scales": SCALES}),  # the power is the network's p
        ("photo_ss_362_boxes", {"boxes": "photo_boxes"}),
    ],
)
def test_descriptors_are_those_of_the_reference(test_data, golden, key, options):
    numbers = np.load(golden / "reference.npz")
    if "boxes" in options:
        options = {"boxes": numbers[options["boxes"]]}
    paths = [test_data / "photos" / name for name in numbers["photo_names"]]
    found = extract(squeezenet(test_data, pooling="gem", p=2.7), paths, size=362, progress=False, **options)
    np.testing.assert_allclose(found, numbers[key], atol=1e-4)


def photo_ground_truth(test_data):
    """The photographs' names, the row of each query among them, and the ground truth in indices."""
    listing = json.loads((test_data / "photos" / "gnd.json").read_text())
    row = {name: index for index, name in enumerate(listing["images"])}
    truth = [
        {"ok": [row[name] for name in query["positives"]], "junk": [row[name] for name in query["junk"]]}
        for query in listing["queries"]
    ]
    return listing["images"], [row[query["image"]] for query in listing["queries"]], truth


class Together(nn.Module):
    """Descriptors of several poolings over the same feature maps, side by side: the body runs once."""

    def __init__(self, net, pools):
        super().__init__()
        self.net, self.pools = net, nn.ModuleList(pools)

    def forward(self, images):
        maps = self.net.feature_maps(images)
        return torch.cat([F.normalize(pool(maps), dim=1) for pool in self.pools], dim=1)


@pytest.mark.slow
def test_map_on_photographs_is_that_of_the_reference(test_data):
    names, query_rows, truth = photo_ground_truth(test_data)
    paths = [test_data / "photos" / name for name in names]
    net = Together(squeezenet(test_data), [MAC(), SPoC(), GeM(3.0)])
    described = extract(net, paths, size=512, enlarge=True, resample="bilinear", progress=False)
    percent = {"map": [], "first": []}
    for descriptors in np.split(described, 3, axis=1):
        ranks, _ = rank(descriptors[query_rows], descriptors)
        found = evaluate(ranks, truth, "classic", kappas=(1,))
        percent["map"].append(100 * found.map)
        percent["first"].append(100 * found.mp[0])
    np.testing.assert_allclose(percent["map"], [75.1, 80.5, 77.4], atol=0.3)
    np.testing.assert_allclose(percent["first"], [77.5, 83.7, 79.1], atol=0.8)  # one of the 129 queries
