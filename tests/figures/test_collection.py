"""What chapters work with: Toytown's sets as they are, and photographs as a network and a figure see them."""

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from figures import mined_pictures, power_sweep
from figures.collection import Collection, Pictures
from figures.material import Photographs, Town, judged, material
from gem_lite import toytown
from gem_lite.datasets.pairs import given_pairs
from gem_lite.extract import extract
from gem_lite.network import build_network
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


def test_every_power_is_that_of_its_own_network_on_photographs_of_that_size(photographs: Collection) -> None:
    net = build_network("compact", seed=3)
    database, queries = power_sweep.describe(net, photographs, (1.0, 3.0, np.inf))
    for row, pooling in enumerate(("spoc", "gem", "mac")):
        alone = build_network("compact", pooling, p=3.0, seed=3)
        how = {"size": photographs.size, "progress": False}
        np.testing.assert_allclose(database[row], extract(alone, photographs.images, **how), atol=2e-5)
        cropped = extract(alone, photographs.queries, boxes=photographs.boxes, **how)
        np.testing.assert_allclose(queries[row], cropped, atol=2e-5)


def test_mined_pictures_are_those_of_the_rows_with_their_cosines(photographs: Collection) -> None:
    known = given_pairs([0, 0, 1], [0], [1])
    pictures = Pictures(photographs.images, 40, known.clusters, known.pairs(), known)
    x = np.array([[1.0, 0.0], [0.8, 0.6], [0.6, -0.8]])
    found = {"one": (np.array([2]), x[[1, 2]] @ x[0]), "two": (np.array([1]), x[[1, 1]] @ x[0])}
    first, second = mined_pictures.strips(pictures, 0, 1, found)
    assert [(each.kind, each.text) for each in first.answers] == [("positive", "0.80"), ("negative", "0.60")]
    assert (first.text, second.text) == ("one", "two")
    assert first.query.shape == (60, 80, 3), "never enlarged"
    assert first.query[0, 0].tolist() == [255, 0, 0]
    figure = mined_pictures.draw(pictures, 0, 1, {"one": np.array([2])}, {"one": x})
    assert [ax.get_xlabel() for ax in figure.axes] == ["one", "✓ 0.80", "✕ 0.60"]
