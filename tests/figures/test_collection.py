"""What chapters work with: Toytown's sets as they are, and photographs as a network and a figure see them."""

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from figures.collection import Collection
from figures.material import Photographs, Town, judged, material
from gem_lite import toytown
from gem_lite.toytown.ground_truth import labels, query_views

NAMES = ("all_souls_000001", "all_souls_000013", "christ_church_000179")


@pytest.fixture
def photographs(tmp_path: Path) -> Collection:
    """Three pictures of 80 x 60 pixels, the first red on its left half; the first two are queries."""
    for name in NAMES:
        Image.new("RGB", (80, 60), "blue").save(tmp_path / f"{name}.png")
    half = Image.new("RGB", (80, 60), "blue")
    half.paste("red", (0, 0, 40, 60))
    half.save(tmp_path / f"{NAMES[0]}.png")
    images = [tmp_path / f"{name}.png" for name in NAMES]
    truth = [
        {"bbx": [0, 0, 40, 60], "easy": [1], "hard": [], "junk": []},
        {"easy": [], "hard": [0], "junk": []},
    ]
    return Collection(images, 40, images[:2], truth, np.array([-1, -1]), np.array(["a", "a"]))


def test_photographs_as_the_network_sees_them(photographs: Collection) -> None:
    assert len(photographs) == 3
    assert photographs.pixels(2).shape == photographs.query_pixels(0).shape == (30, 40, 3)
    assert photographs.query_pixels(0)[0, 0].tolist() == [255, 0, 0]
    assert photographs.boxes == [[0, 0, 40, 60], None]
    assert photographs.query_areas().tolist() == [0.5, 1.0]


def test_photographs_in_a_figure_with_their_boxes(photographs: Collection) -> None:
    assert photographs.shown(1, 20).shape == (15, 20, 3)
    picture, box = photographs.shown_query(0, 20)
    assert picture.shape == (15, 20, 3)
    assert box == [0, 0, 10, 15]
    assert photographs.shown_query(1, 40)[1] == [0, 0, 40, 30]


def test_toytown_is_what_it_was() -> None:
    town, test = material("tiny"), toytown.load_test("tiny")
    assert isinstance(town, Town)
    found, rows = town.test(), test.query_rows
    assert found.query_groups.tolist() == test.landmarks[rows].tolist()
    np.testing.assert_array_equal(found.queries, test.images[rows])
    assert found.ground_truth == test.ground_truth
    picture, box = found.shown_query(3, 128)
    np.testing.assert_array_equal(picture, test.larger(int(rows[3]), 128).image)
    assert box == [2 * side for side in test.ground_truth[3]["bbx"]]
    train = toytown.load("tiny", 0, "train")
    for ours, theirs in zip(town.train().pairs, train.covisibility.pairs(), strict=True):
        np.testing.assert_array_equal(ours, theirs)


def test_a_validation_set_is_judged_by_its_geometry() -> None:
    images = toytown.load("tiny", 0, "val")
    found = judged(images)
    assert found.query_rows.tolist() == query_views(images).tolist()
    assert found.ground_truth[1] == labels(images, int(found.query_rows[1]))


def test_the_profile_paper_is_photographs() -> None:
    given = material("paper", 3, "rparis6k", "some.pth", 512)
    assert isinstance(given, Photographs)
    assert (given.dataset, given.network, given.size, given.seed) == ("rparis6k", "some.pth", 512, 3)
