"""Positives obey their rules; hard negatives are those of a full sort and of the reference."""

import tracemalloc

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from gem_lite import mining
from gem_lite.mining import hard_negatives, positives, random_negatives
from gem_lite.toytown.covisibility import Covisibility


def sorted_and_walked(queries, pool, query_clusters, pool_clusters, count, one_per_cluster=True):
    """Hard negatives as the definition reads: sort the whole pool, walk down, skip what is not wanted."""
    order = np.argsort(-(pool @ queries.T).T, axis=1, kind="stable")
    negatives = []
    for ranking, own in zip(order, query_clusters, strict=True):
        chosen, used = [], set()
        for image in ranking:
            cluster = pool_clusters[image]
            if cluster != own and not (one_per_cluster and cluster in used) and len(chosen) < count:
                chosen.append(image)
                used.add(cluster)
        negatives.append(chosen)
    return np.array(negatives, dtype=np.int64).reshape(len(queries), count)


@given(
    seed=st.integers(0, 2**32 - 1),
    count=st.integers(0, 4),
    block=st.integers(1, 300),
    pool_rows=st.integers(1, 100),
    one_per_cluster=st.booleans(),
)
def test_hard_negatives_are_those_of_a_full_sort(seed, count, block, pool_rows, one_per_cluster):
    rng = np.random.default_rng(seed)
    # Small whole numbers: similarities are exact, and many are equal.
    queries = rng.integers(-2, 3, size=(7, 3)).astype(np.float32)
    pool = rng.integers(-2, 3, size=(60, 3)).astype(np.float32)
    query_clusters, pool_clusters = rng.integers(8, size=7), rng.integers(8, size=60)
    arguments = (queries, pool, query_clusters, pool_clusters, count, one_per_cluster)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(mining, "BLOCK_SCORES", block)
        patch.setattr(mining, "POOL_ROWS", pool_rows)
        found = hard_negatives(*arguments)
    np.testing.assert_array_equal(found, sorted_and_walked(*arguments))


def near_twins(seed, dimensions=512):
    """Unit vectors around one centre: similarities that bfloat16, with its 8 digits, cannot tell apart."""
    rng = np.random.default_rng(seed)
    x = rng.normal(size=dimensions) + 0.3 * rng.normal(size=(160, dimensions))
    x = (x / np.linalg.norm(x, axis=1, keepdims=True)).astype(np.float32)
    return x[:20].copy(), x[20:].copy(), rng.integers(9, size=20), rng.integers(9, size=140)


@pytest.mark.parametrize("seed", range(5))
def test_long_descriptors_are_compared_roughly_first_with_the_same_result(seed, monkeypatch):
    asked = []
    original = mining._roughly_highest
    monkeypatch.setattr(torch.cpu, "get_capabilities", lambda: {"amx_bf16": True})
    monkeypatch.setattr(mining, "_roughly_highest", lambda *given: asked.append(1) or original(*given))
    monkeypatch.setattr(mining, "POOL_ROWS", 50)
    data = near_twins(seed)
    np.testing.assert_array_equal(hard_negatives(*data, count=4), sorted_and_walked(*data, 4))
    assert asked, "descriptors of this length are compared roughly first"


def test_rough_similarities_are_off_by_no_more_than_they_say():
    queries, pool, _, clusters = near_twins(0)
    queries[0], pool[0] = 1 / np.sqrt(512), -1 / np.sqrt(512)  # all of one sign: errors that add up
    members = [np.flatnonzero(clusters == cluster) for cluster in range(9)]
    rough, error = mining._roughly_highest(queries, pool, members)
    scores = queries.astype(np.float64) @ pool.astype(np.float64).T
    exact = np.column_stack([scores[:, group].max(1) for group in members])
    assert (np.abs(rough - exact) <= error).all()
    assert np.abs(rough - exact).max() > 0
    assert np.max(error) < 0.012


def test_short_descriptors_and_other_lengths_are_compared_in_full(monkeypatch):
    monkeypatch.setattr(torch.cpu, "get_capabilities", lambda: {"amx_bf16": True})
    queries, pool, _, _ = near_twins(0)
    assert mining._rough_pays(queries, pool)
    assert not mining._rough_pays(queries[:, :256], pool[:, :256])
    assert not mining._rough_pays(2 * queries, pool)
    assert not mining._rough_pays(queries.astype(np.float64), pool)
    monkeypatch.setattr(torch.cpu, "get_capabilities", dict)
    assert not mining._rough_pays(queries, pool)


def test_hard_negatives_are_those_of_the_reference(golden):
    numbers = np.load(golden / "reference.npz")
    descriptors, clusters = numbers["mine_descriptors"], numbers["mine_clusters"]
    queries, pool = numbers["mine_queries"], numbers["mine_pool"]
    found = hard_negatives(
        descriptors[queries], descriptors[pool], clusters[queries], clusters[pool], count=5
    )
    np.testing.assert_array_equal(pool[found], numbers["mine_negatives"])
    distances = np.linalg.norm(descriptors[queries][:, None] - descriptors[pool[found]], axis=2)
    # The reference adds 1e-6 to each coordinate before it takes the norm.
    assert distances.mean() == pytest.approx(float(numbers["mine_mean_distance"]), rel=1e-5)


def test_clusters_may_have_any_names():
    queries, pool = np.eye(2), np.array([[1.0, 0.0], [0.9, 0.0], [0.0, 1.0]])
    found = hard_negatives(queries, pool, ["a", "b"], ["a", "b", "c"], count=1)
    assert found.tolist() == [[1], [2]]


def test_the_whole_score_matrix_is_never_held(monkeypatch):
    rng = np.random.default_rng(0)
    queries, pool = rng.normal(size=(400, 4)), rng.normal(size=(5000, 4))
    clusters = rng.integers(50, size=5000)
    monkeypatch.setattr(mining, "BLOCK_SCORES", 50 * 40)
    monkeypatch.setattr(mining, "POOL_ROWS", 200)
    tracemalloc.start()
    hard_negatives(queries, pool, clusters[:400], clusters)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 400 * 5000 * 8 / 5


def test_too_few_clusters_are_said_and_never_loop():
    clusters = [1, 1, 2, 2, 3, 3]
    message = r"cluster 1 needs negatives from 3 other clusters, but .* only 2: draw a larger pool"
    with pytest.raises(ValueError, match=message):
        hard_negatives(np.ones((2, 2)), np.ones((6, 2)), [0, 1], clusters, count=3)
    with pytest.raises(ValueError, match=message):
        random_negatives([0, 1], clusters, count=3)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"pool": np.ones((4, 3))}, "rows of one length"),
        ({"query_clusters": [1]}, "one cluster is needed for each of the 2 queries"),
        ({"pool_clusters": [1, 2]}, "the 4 images of the pool"),
        ({"queries": np.array([[1.0, np.nan], [0, 1]])}, "NaN"),
        ({"count": -1}, "at least 0"),
    ],
)
def test_what_does_not_fit_is_said(changes, message):
    arguments = {
        "queries": np.ones((2, 2)),
        "pool": np.ones((4, 2)),
        "query_clusters": [0, 1],
        "pool_clusters": [0, 1, 2, 3],
        "count": 1,
    }
    with pytest.raises(ValueError, match=message):
        hard_negatives(**{**arguments, **changes})


def test_random_negatives_come_from_distinct_other_clusters_and_from_all_of_them():
    rng = np.random.default_rng(1)
    own, clusters = np.repeat(np.arange(10), 30), rng.integers(10, size=200)
    found = random_negatives(own, clusters, count=4, seed=(0, 3))
    chosen = clusters[found]
    assert (chosen != own[:, None]).all()
    assert all(len(set(row)) == 4 for row in chosen)
    assert len(np.unique(found)) > 190  # 1,200 draws from 200 images
    np.testing.assert_array_equal(found, random_negatives(own, clusters, count=4, seed=(0, 3)))
    assert (found != random_negatives(own, clusters, count=4, seed=(0, 4))).any()


@pytest.fixture
def covisibility():
    """Two clusters; image 0 sees points 0-59, the others parts of them, image 3 five times as large."""
    visible = np.zeros((6, 100), dtype=bool)
    visible[0, :60] = True
    visible[1, 10:60] = True  # most points in common with image 0
    visible[2, 30:80] = True
    visible[3, :60] = True  # all of them, but seen from much nearer
    visible[4, 55:100] = True  # 5 of 60: too few
    visible[5, :60] = True  # another landmark
    scales = np.array([1, 1.1, 1.2, 5, 1, 1], dtype=np.float32)
    return Covisibility(visible, scales, np.array([0, 0, 0, 0, 0, 1]))


def test_m1_is_the_nearest_descriptor_of_the_cluster(covisibility):
    descriptors = np.array([[1, 0], [0, 1], [0.6, 0.8], [0.8, 0.6], [0, -1], [1, 0]], dtype=np.float32)
    assert positives([0, 1], covisibility, rule="m1", descriptors=descriptors).tolist() == [3, 2]


def test_m2_shares_most_points(covisibility):
    assert positives([0, 2], covisibility, rule="m2").tolist() == [3, 0]


def test_m3_draws_among_those_that_share_enough_at_a_similar_scale(covisibility):
    drawn = {int(positives([0], covisibility, seed=seed)[0]) for seed in range(40)}
    assert drawn == {1, 2}


def test_the_draw_of_a_query_does_not_depend_on_the_others(covisibility):
    alone = [int(positives([row], covisibility, seed=(1, 2))[0]) for row in (0, 1, 2)]
    assert positives([0, 1, 2], covisibility, seed=(1, 2)).tolist() == alone
    assert positives([2, 0, 1], covisibility, seed=(1, 2)).tolist() == [alone[2], alone[0], alone[1]]


def test_m3_limits_can_be_moved(covisibility):
    drawn = {
        int(positives([0], covisibility, seed=seed, min_overlap=0.9, max_scale_ratio=9)[0])
        for seed in range(9)
    }
    assert drawn == {3}


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"queries": [5]}, "image 5 has no match under m3"),
        ({"queries": [0], "rule": "m4"}, "known: m1, m2, m3"),
        ({"queries": [0], "rule": "m1"}, "m1 needs the descriptors"),
        ({"queries": [5], "rule": "m1", "descriptors": np.ones((6, 2))}, "only one of its cluster"),
        ({"queries": [5], "rule": "m2"}, "shares no point"),
    ],
)
def test_positives_that_cannot_be_had_say_why(covisibility, arguments, message):
    with pytest.raises(ValueError, match=message):
        positives(covisibility=covisibility, **arguments)
