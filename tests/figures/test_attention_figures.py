"""The pictures of the chapter on attention draw what `gem_lite.attention` computes."""

from collections.abc import Iterator
from dataclasses import replace

import matplotlib

matplotlib.use("Agg")

import matplotlib.pyplot as plt
import numpy as np
import pytest
import torch

from figures import attention_pairs, attention_separation, attention_shares
from figures.surface_shares import SURFACES
from gem_lite.attention import contributions, shares
from gem_lite.evaluate import Interval
from gem_lite.network import RetrievalNet, build_network
from gem_lite.seeds import stream
from gem_lite.toytown import World
from gem_lite.toytown.held_out import TestSet
from gem_lite.toytown.renderer import CLUTTER

SIDE, VIEWS, LANDMARKS = 32, 3, 4


@pytest.fixture(autouse=True)
def _close_figures() -> Iterator[None]:
    yield
    plt.close("all")


@pytest.fixture(scope="module")
def net() -> RetrievalNet:
    return build_network("compact", "gem", channels=(4, 6, "M", 8), seed=0).eval()


@pytest.fixture(scope="module")
def test_set() -> TestSet:
    """Noise for pictures and masks; first views are queries with an easy and a hard answer."""
    rng = stream("test attention figures")
    count = VIEWS * LANDMARKS
    firsts = np.arange(LANDMARKS) * VIEWS
    truth = [
        {"bbx": [0, 0, SIDE, SIDE], "easy": [q + 1], "hard": [q + 2], "junk": [q]} for q in firsts.tolist()
    ]
    landmarks = np.repeat(np.arange(40_000, 40_000 + LANDMARKS), VIEWS)
    return TestSet(
        images=rng.integers(0, 256, (count, SIDE, SIDE, 3), dtype=np.uint8),
        masks=rng.integers(0, 4, (count, SIDE, SIDE), dtype=np.uint8),
        landmarks=landmarks,
        views=np.tile(np.arange(VIEWS), LANDMARKS),
        visible=np.ones((count, 5), dtype=bool),
        scales=np.ones(count, dtype=np.float32),
        world=World(),
        names=[str(row) for row in range(count)],
        ground_truth=truth,
        query_rows=firsts,
        query_groups=landmarks[firsts],
        n_test=count,
    )


def test_pairs_are_queries_with_their_answers(test_set: TestSet) -> None:
    every = attention_pairs.matching_pairs(test_set)
    assert every == [(q, q + step) for q in range(0, 12, 3) for step in (1, 2)]
    some = attention_pairs.matching_pairs(test_set, most=3)
    assert len(some) == 3
    assert set(some) <= set(every)


def test_the_less_cluttered_image_decides_and_landmarks_come_once(test_set: TestSet) -> None:
    masks = np.zeros_like(test_set.masks)
    for row, pixels in {0: 100, 1: 5, 2: 50, 3: 60, 4: 40, 6: 200}.items():
        masks[row].flat[:pixels] = CLUTTER
    cluttered = replace(test_set, masks=masks)
    pairs = attention_pairs.matching_pairs(cluttered)
    assert attention_pairs.most_cluttered(cluttered, pairs, count=2) == [(0, 2), (3, 4)]


def test_poolings_of_one_body_are_split_as_if_each_had_been_alone(test_set: TestSet) -> None:
    nets = {
        pooling: build_network("compact", pooling, channels=(4, 6, "M", 8), seed=0).eval()
        for pooling in ("mac", "spoc", "gem")
    }
    pools = {name: net.pool for name, net in nets.items()}
    together = attention_shares.splits(nets["gem"], test_set, pools)
    for name, net in nets.items():
        alone = attention_shares.split(net, test_set)
        np.testing.assert_array_equal(together[name].vectors, alone.vectors)
        np.testing.assert_array_equal(together[name].on_surface, alone.on_surface)
        np.testing.assert_array_equal(together[name].areas, alone.areas)
    assert not np.allclose(together["mac"].vectors, together["spoc"].vectors)


@pytest.mark.parametrize("pooling", ["mac", "spoc", "gem"])
def test_split_agrees_with_the_shares_of_each_pair(test_set: TestSet, pooling: str) -> None:
    net = build_network("compact", pooling, channels=(4, 6, "M", 8), seed=0).eval()
    pairs = attention_pairs.matching_pairs(test_set)
    found = attention_shares.split(net, test_set)
    by_surface = found.by_surface(pairs)
    np.testing.assert_allclose(by_surface.sum(1), 1, rtol=1e-5)
    for pair, row in zip(pairs, by_surface, strict=True):
        a, b = (attention_pairs.pixels(test_set.images[image]) for image in pair)
        masks = {
            name: (
                torch.from_numpy(test_set.masks[pair[0]] == label),
                torch.from_numpy(test_set.masks[pair[1]] == label),
            )
            for name, label in SURFACES.items()
        }
        expected = shares(contributions(net, a, b), masks)
        np.testing.assert_allclose(
            [row[label] for label in SURFACES.values()], list(expected.values()), rtol=1e-4
        )
    np.testing.assert_allclose(found.area(pairs).sum(1), 1, rtol=1e-5)


def test_density_is_share_over_area_and_certain_where_all_groups_agree() -> None:
    groups = np.repeat([1, 2, 3], 2)
    areas = np.array([0.1, 0.3, 0.2, 0.2, 0.05, 0.15])
    interval = attention_shares.density(2 * areas, areas, groups)
    assert (interval.mean, interval.low, interval.high) == pytest.approx((2, 2, 2))
    doubtful = attention_shares.density(np.array([0.1, 0.1, 0.4, 0.4, 0.1, 0.1]), areas, groups)
    assert doubtful.low < doubtful.mean < doubtful.high


def test_density_survives_landmarks_without_that_surface() -> None:
    interval = attention_shares.density(np.array([0.0, 0.3]), np.array([0.0, 0.1]), np.array([1, 2]))
    assert (interval.mean, interval.low, interval.high) == pytest.approx((3, 3, 3))


def test_densities_are_drawn_where_they_are() -> None:
    values = {"off": [Interval(v, v - 0.1, v + 0.1) for v in (1.0, 1.1, 1.2, 1.3)]}
    values["tuned"] = [Interval(v, v - 0.1, v + 0.1) for v in (0.5, 0.6, 0.7, 0.8)]
    figure = attention_shares.draw({"GeM": values})
    for ax, label in zip(figure.axes, SURFACES.values(), strict=True):
        marks = [line.get_xdata()[0] for line in ax.lines if line.get_marker() in "so"]
        assert marks == pytest.approx([values["off"][label].mean, values["tuned"][label].mean])


def test_cases_take_the_best_positive_and_the_best_of_other_landmarks(test_set: TestSet) -> None:
    rng = stream("test cases")
    vectors = rng.random((len(test_set), 6))
    vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
    for case in attention_separation.cases(vectors, test_set):
        similar = vectors @ vectors[case.query]
        assert similar[case.match] == similar[[case.query + 1, case.query + 2]].max()
        own = range(case.query, case.query + VIEWS)
        assert similar[case.other] == max(s for row, s in enumerate(similar) if row not in own)
        gap = similar[case.match] - similar[case.other]
        assert attention_separation.evidence(vectors, case).sum() == pytest.approx(gap)


def test_queries_without_a_positive_make_no_case(test_set: TestSet) -> None:
    empty = {**test_set.ground_truth[0], "easy": [], "hard": []}
    fewer = replace(test_set, ground_truth=[empty, *test_set.ground_truth[1:]])
    vectors = np.eye(len(test_set))
    assert [case.query for case in attention_separation.cases(vectors, fewer)] == [3, 6, 9]


def test_hardest_are_those_with_the_most_similar_non_match(test_set: TestSet) -> None:
    rng = stream("test hardest")
    vectors = rng.random((len(test_set), 6))
    found = attention_separation.cases(vectors, test_set)
    first, second = attention_separation.hardest(vectors, found, test_set)
    value = {case: float(vectors[case.query] @ vectors[case.other]) for case in found}
    assert [value[first], value[second]] == sorted(value.values(), reverse=True)[:2]


@pytest.mark.slow
def test_pictures_are_drawn(net: RetrievalNet, test_set: TestSet) -> None:
    pairs = attention_pairs.matching_pairs(test_set)[:1]
    figure = attention_pairs.draw(test_set, pairs, {"one": net, "two": net})
    # Centred, or at the left where an earlier test has made the book's style the style of all figures.
    titles = [ax.get_title() or ax.get_title(loc="left") for ax in figure.axes]
    assert titles == ["", "", "one", "", "two", ""]
    vectors = attention_shares.split(net, test_set).vectors
    case = attention_separation.cases(vectors, test_set)[0]
    figure = attention_separation.draw(net, test_set, vectors, [case], channels=2)
    strongest = np.argsort(-attention_separation.evidence(vectors, case))[:2]
    labels = [ax.get_ylabel() for ax in figure.axes if ax.get_ylabel()]
    assert labels == [f"channel {k}" for k in strongest]
