"""The retrieval playground: its descriptors, its choice of images, its searches and its live control."""

import base64
import itertools
import math
import re
from dataclasses import replace
from io import BytesIO
from typing import Any

import numpy as np
import pytest
from PIL import Image
from playground_kit import STOPS, small_collection
from sklearn.datasets import load_sample_image
from widget_kit import element_data, run_node

from gem_lite.extract import extract
from gem_lite.network import RetrievalNet, build_network
from gem_lite.search import expand_queries, rank
from gem_lite.seeds import stream, torch_seed
from gem_lite.whitening import LearnedWhitening
from gem_lite.widgets.playground import RetrievalPlayground
from gem_lite.widgets.playground_data import (
    Collection,
    choose,
    descriptors_at,
    rounded,
    subset,
    to_integers,
    unit,
)
from gem_lite.widgets.playground_search import (
    Settings,
    find,
    kinds,
    precision_recall,
    search,
)


@pytest.fixture(scope="module")
def collection() -> Collection:
    return small_collection()


@pytest.mark.parametrize("pooling", ["spoc", "gem", "mac"])
@pytest.mark.parametrize("boxes", [None, [(3, 4, 30, 20)] * 3], ids=["whole", "cropped"])
def test_every_layer_is_what_the_library_extracts(pooling: str, boxes: Any) -> None:
    import torch

    torch.manual_seed(torch_seed("test_playground"))
    network = build_network("compact", pooling, p=3.0, channels=(8, "M", 12))
    images = stream("test_playground", "images").integers(0, 256, (3, 32, 40, 3), dtype=np.uint8)
    assert isinstance(network, RetrievalNet)
    expected = extract(network, images, size=None, boxes=boxes, progress=False)
    exponent = {"spoc": 1.0, "gem": 3.0, "mac": math.inf}[pooling]
    layers = descriptors_at(network, images, STOPS, boxes)
    assert layers.shape == (len(STOPS), 3, 12)
    np.testing.assert_allclose(layers[STOPS.index(exponent)], expected, atol=2e-7)


def test_numbers_keep_sixteen_bits_in_every_channel() -> None:
    rows = stream("test_playground", "rows").normal(size=(40, 9)) * 10.0 ** np.arange(-6, 3)
    rows[:, 4], rows[7] = 0, 0
    error = np.abs(rounded(rows) - rows)
    assert (error <= np.abs(rows).max(axis=0) / 2**15).all(), "a small channel is as exact as a large one"
    assert to_integers(rows).values.dtype == np.int16
    assert not rounded(np.zeros((2, 3))).any()


def town() -> tuple[np.ndarray, np.ndarray, list[np.ndarray], np.ndarray]:
    """Five landmarks of four views with a query each, then eight distractors; two networks' rankings."""
    landmarks = np.concatenate([np.repeat(np.arange(5), 4), 100 + np.arange(8)])
    query_rows = 4 * np.arange(5)
    draw = stream("test_playground", "town")
    rankings = [np.array([draw.permutation(28) for _ in range(5)]) for _ in range(2)]
    return landmarks, query_rows, rankings, np.array([0.9, 0.1, 0.5, 0.7, 0.3])


def test_landmarks_are_spread_over_the_difficulty_and_shown_whole() -> None:
    landmarks, query_rows, rankings, difficulty = town()
    rows, queries = choose(landmarks, query_rows, rankings, difficulty, views=12, confusing=6)
    assert queries.tolist() == [0, 1, 2], "the easiest, the hardest, and the one in the middle"
    assert set(range(12)) <= set(rows.tolist())
    assert rows.tolist() == sorted(set(rows.tolist()))
    assert len(rows) == 12 + 6


def test_a_landmark_without_positives_is_not_chosen() -> None:
    landmarks, query_rows, rankings, difficulty = town()
    difficulty[1] = np.nan
    _, queries = choose(landmarks, query_rows, rankings, difficulty, views=99)
    assert queries.tolist() == [0, 2, 3, 4]


def test_the_others_are_those_that_any_network_ranks_first() -> None:
    landmarks, query_rows, rankings, difficulty = town()
    rows, queries = choose(landmarks, query_rows, rankings, difficulty, views=12, confusing=6)
    places = np.min([np.argsort(ranking)[q] for ranking in rankings for q in queries], axis=0)
    left_out = np.setdiff1d(np.arange(12, 28), rows)
    assert places[rows[12:]].max() <= places[left_out].min(), "no other stands higher in any list"
    everything, _ = choose(landmarks, query_rows, rankings, difficulty, views=12, confusing=99)
    assert everything.tolist() == list(range(28)), "as many as there are"
    few, _ = choose(landmarks, query_rows, rankings, difficulty, views=1, confusing=0)
    assert len(few) == 4, "one landmark at least, and all of it"


def test_the_ground_truth_counts_in_the_new_rows() -> None:
    images = np.arange(28, dtype=np.uint8)[:, None, None, None] * np.ones((28, 2, 2, 3), np.uint8)
    truth = [
        {"bbx": [0, 0, 1, 1], "easy": [4 * q + 1], "hard": [4 * q + 2], "junk": [4 * q]} for q in range(5)
    ]
    rows, queries = np.array([0, 1, 2, 3, 12, 13, 14, 15, 27]), np.array([0, 3])
    few = subset(images, 4 * np.arange(5), truth, rows, queries)
    assert few.images[:, 0, 0, 0].tolist() == rows.tolist()
    assert few.query_rows.tolist() == [0, 4]
    assert few.ground_truth[1] == {"bbx": [0, 0, 1, 1], "easy": [5], "hard": [6], "junk": [4]}
    with pytest.raises(KeyError):
        subset(images, 4 * np.arange(5), truth, rows, np.array([1]))


def test_a_search_is_the_librarys(collection: Collection) -> None:
    """Written out once for the longest way: whitened to few dimensions, expanded."""
    settings = Settings("tuned", "gem", 1.0, "Lw", 5, 4, 2.0)
    network = collection.described[1]
    whitening = network.whitenings[1.0]["Lw"]
    assert isinstance(whitening, LearnedWhitening)
    database, queries = (
        unit(np.float64(x[0] - whitening.mean_) @ whitening.components_[:5].T)
        for x in (network.database, network.queries)
    )
    expanded = expand_queries(queries, database, 4, 2.0, exclude=collection.query_rows)
    expected, _ = rank(expanded, database)
    assert np.array_equal(search(collection, settings).ranks, expected)


def test_first_components_are_a_smaller_whitening(collection: Collection) -> None:
    """Cutting the fitted one and fitting with fewer components is the same."""
    rows, pairs = stream("test_playground", "fit").normal(size=(60, 8)), (np.arange(30), np.arange(30, 60))
    cut = LearnedWhitening().fit(rows, pairs=pairs)
    small = LearnedWhitening(n_components=3).fit(rows, pairs=pairs)
    np.testing.assert_allclose(unit(cut.transform(rows)[:, :3]), small.transform(rows), atol=1e-10)


def test_the_network_trained_with_the_pooling_comes_first(collection: Collection) -> None:
    chosen = [
        find(collection.described, Settings(state, pooling))
        for state in ("plain", "tuned")
        for pooling in ("spoc", "gem", "mac")
    ]
    assert [(d.state, d.pooling) for d in chosen] == [
        ("plain", "gem"),
        ("plain", "gem"),
        ("plain", "gem"),
        ("tuned", "gem"),
        ("tuned", "gem"),
        ("tuned", "mac"),
    ]
    at_infinity = find(collection.described, Settings("tuned", "gem", math.inf))
    assert at_infinity.pooling == "gem", "p at ∞ is not the network trained with MAC"


def test_the_area_under_the_curve_is_the_average_precision(collection: Collection) -> None:
    found = search(collection, Settings("plain"))
    for query, ap in enumerate(found.evaluation.aps):
        recall, precision = precision_recall(collection, found, query).T
        assert np.trapezoid(precision, recall) == pytest.approx(ap)
    assert 0.2 < found.evaluation.map < 0.95, "neither hopeless nor perfect: there is something to see"


def test_every_image_is_something_to_the_query(collection: Collection) -> None:
    kind = kinds(collection, 1)
    truth = collection.ground_truth[1]
    assert set(np.flatnonzero(kind == "positive")) == {*truth["easy"], *truth["hard"]}
    assert set(np.flatnonzero(kind == "junk")) == set(truth["junk"])
    assert kind[collection.query_rows[1]] == "junk"


def test_rounding_hardly_moves_a_number(collection: Collection) -> None:
    coarse = collection.rounded()
    for p, whitening in itertools.product(STOPS, ("none", "PCAw", "Lw")):
        settings = Settings("tuned", "gem", p, whitening)
        before, after = (search(each, settings) for each in (collection, coarse))
        np.testing.assert_allclose(before.scores, after.scores, atol=2e-4)
        assert abs(before.evaluation.map - after.evaluation.map) < 0.002


def test_the_live_control_follows_every_control(collection: Collection) -> None:
    playground = RetrievalPlayground(collection)
    changes: list[tuple[str, Any]] = [
        ("query", 3),
        ("state", "tuned"),
        ("p", math.inf),
        ("pooling", "mac"),
        ("whitening", "PCAw"),
        ("dimensions", 4),
        ("n", 5),
        ("alpha", 0.0),
    ]
    assert playground.dimensions.disabled
    assert playground.alpha.disabled
    for name, value in changes:
        before = bytes(playground.picture.value)
        getattr(playground, name).value = value
        evaluation = search(collection.rounded(), playground.settings).evaluation
        query = playground.query.value - 1
        words = (
            f"Query {query + 1}: AP {100 * evaluation.aps[query]:.1f} % (mAP {100 * evaluation.map:.1f} %)"
        )
        assert words in playground.readout.value
        assert bytes(playground.picture.value).startswith(b"\x89PNG")
        # Which exponent is shown does not matter once a network of one exponent is chosen, and so on.
        assert (bytes(playground.picture.value) != before) or name in ("p", "pooling")
    assert playground.settings == Settings("tuned", "mac", math.inf, "PCAw", 4, 5, 0.0)
    assert playground.p.disabled
    assert "fitted at p = ∞, first 4 numbers, queries expanded, n = 5, α = 0" in playground.readout.value


def test_one_output_serves_kernel_page_and_print(collection: Collection) -> None:
    playground = RetrievalPlayground(collection, Settings("tuned", "gem", math.inf, "Lw", 8), query=2)
    bundle = playground._repr_mimebundle_()
    assert bundle["application/vnd.jupyter.widget-view+json"]["model_id"] == playground.model_id
    assert Image.open(BytesIO(base64.b64decode(bundle["image/png"]))).size[0] > 600
    data = element_data(bundle["text/html"])
    assert data["settings"] == {
        "state": "tuned",
        "pooling": "gem",
        "p": None,
        "whitening": "Lw",
        "dimensions": 8,
        "n": 0,
        "alpha": 3.0,
        "query": 2,
    }
    assert len(data["photos"]) == len(collection.images)
    assert data["queries"][2]["row"] == collection.query_rows[2]
    assert playground.description().split(". ")[0] in bundle["text/html"], "the alt text has the numbers"
    assert "fetch(" not in bundle["text/html"]
    # With the colon: base64 has none, and the four letters alone may turn up in a photograph.
    assert not re.search("https?:", bundle["text/html"])


def test_numbers_are_read_back_as_python_reads_them(collection: Collection) -> None:
    data = element_data(RetrievalPlayground(collection).static_html())
    coded = data["bodies"][1]["layers"][0]["database"]
    got = run_node("playground", f"Array.from(decodeRows({coded}).numbers)".replace("'", '"'))
    assert got == rounded(collection.described[1].database[0]).ravel().tolist()


def test_a_page_of_the_books_size_stays_below_four_megabytes() -> None:
    """As many images, exponents and dimensions as the profile lite has, and real pictures."""
    draw = stream("test_playground", "size")
    few = small_collection(dimensions=128, landmarks=6, views=30, stops=8)
    china = np.array(Image.fromarray(load_sample_image("china.jpg")).resize((320, 213)))
    corners = zip(draw.integers(0, 213 - 96, 180), draw.integers(0, 320 - 96, 180), strict=True)
    images = np.stack([china[y : y + 96, x : x + 96] for y, x in corners])
    assert len(few.images) == 180
    html = RetrievalPlayground(replace(few, images=images)).static_html()
    assert len(html) < 3.5e6


def test_errors_say_what_was_wrong(collection: Collection) -> None:
    with pytest.raises(ValueError, match="describe its images first"):
        RetrievalPlayground(replace(collection, described=()))
    with pytest.raises(ValueError, match="no network plain at p = 4"):
        RetrievalPlayground(collection, Settings("plain", p=4.0))
