"""The picture of the chapter on scales shows what the package measures."""

from collections.abc import Iterator
from dataclasses import replace

import matplotlib

matplotlib.use("Agg")

import matplotlib.pyplot as plt
import numpy as np
import pytest

from figures import scales_curve
from figures.material import collection_of
from gem_lite.evaluate import bootstrap, evaluate
from gem_lite.extract import extract
from gem_lite.network import build_network
from gem_lite.search import rank
from gem_lite.seeds import stream
from gem_lite.toytown import World
from gem_lite.toytown.held_out import TestSet


@pytest.fixture(autouse=True)
def _close_figures() -> Iterator[None]:
    yield
    plt.close("all")


def noise(side: int = 32, landmarks: int = 4, views: int = 3) -> TestSet:
    rng = stream("test scales figures")
    count = landmarks * views
    queries = np.arange(landmarks) * views
    names = np.repeat(np.arange(landmarks), views)
    box = [4, 4, 28, 24]
    return TestSet(
        images=rng.integers(0, 256, (count, side, side, 3), dtype=np.uint8),
        masks=np.zeros((count, side, side), dtype=np.uint8),
        landmarks=names,
        views=np.tile(np.arange(views), landmarks),
        visible=np.ones((count, 5), dtype=bool),
        scales=np.ones(count, dtype=np.float32),
        world=World(),
        names=[str(row) for row in range(count)],
        ground_truth=[{"bbx": box, "easy": [q + 1], "hard": [q + 2], "junk": [q]} for q in queries.tolist()],
        query_rows=queries,
        query_groups=names[queries],
        n_test=count,
    )


@pytest.mark.parametrize("cropped", [True, False])
def test_aps_are_those_of_extract_rank_and_evaluate(cropped: bool) -> None:
    net, test = build_network("compact", channels=(4, 6, "M", 8), seed=0).eval(), noise()
    scales = (1.0, 0.75)
    database = extract(net, test.images, size=None, scales=scales, progress=False)
    boxes = [truth["bbx"] if cropped else None for truth in test.ground_truth]
    pictures = test.images[test.query_rows]
    queries = extract(net, pictures, size=None, scales=scales, boxes=boxes, progress=False)
    expected = evaluate(rank(queries, database)[0], test.ground_truth, "medium").aps
    np.testing.assert_allclose(scales_curve.aps(net, collection_of(test), scales, cropped), expected)


def test_whole_queries_that_are_not_in_the_database_are_described() -> None:
    net, test = build_network("compact", channels=(4, 6, "M", 8), seed=0).eval(), collection_of(noise())
    apart = replace(test, query_rows=np.full(4, -1), queries=test.queries[::-1].copy())
    rows = extract(net, test.images, size=None, progress=False)
    queries = extract(net, apart.queries, size=None, progress=False)
    expected = evaluate(rank(queries, rows)[0], test.ground_truth, "medium").aps
    np.testing.assert_allclose(scales_curve.aps(net, apart, (1.0,), cropped=False), expected)


def test_sets_cost_the_sum_of_their_areas() -> None:
    cost = {name: scales_curve.pixels(scales) for name, scales in scales_curve.SETS.items()}
    expected = {"1": 1, "√2": 2, "1/√2": 0.5, "1, √2": 3, "1, 1/√2, 1/2": 1.75, "1, √2, 1/√2": 3.5}
    assert cost == pytest.approx(expected)


def test_drawn_points_are_the_measured_ones() -> None:
    rng, groups = stream("test scales curve"), np.repeat(np.arange(6), 2)
    found = {name: rng.random(12) for name in scales_curve.SETS}
    measured = scales_curve.measure(found, groups)
    assert measured["1"].gain.mean == 0
    assert measured["√2"].gain == bootstrap(found["√2"], found["1"], groups)
    figure = scales_curve.draw({"one": measured, "two": measured})
    drawn = figure.axes[0].lines[0].get_ydata()
    np.testing.assert_allclose(drawn, [100 * values.mean() for values in found.values()])
    assert {text.get_text() for text in figure.axes[1].texts} == set(scales_curve.SETS)
