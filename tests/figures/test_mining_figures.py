"""The pictures of the Mining chapter show what the package mines."""

import matplotlib

matplotlib.use("Agg")

import matplotlib.pyplot as plt
import numpy as np
import pytest

from figures import mining_negatives, mining_pool, mining_rules, style
from gem_lite.toytown.covisibility import Covisibility


@pytest.fixture(autouse=True)
def _book_style():
    style.use()
    yield
    plt.close("all")


def town(landmarks: int = 8, views: int = 4) -> Covisibility:
    rng = np.random.default_rng(0)
    count = landmarks * views
    visible = rng.random((count, 60)) < 0.8
    scales = rng.uniform(1, 1.4, count).astype(np.float32)
    return Covisibility(visible, scales, np.repeat(np.arange(landmarks), views))


def unit_rows(count: int, dimensions: int = 6) -> np.ndarray:
    rows = np.random.default_rng(1).normal(size=(count, dimensions))
    return rows / np.linalg.norm(rows, axis=1, keepdims=True)


def test_all_pairs_are_those_of_one_cluster_both_ways() -> None:
    known = town(landmarks=3, views=4)
    queries, partners = mining_rules.all_pairs(known)
    pairs = set(zip(queries.tolist(), partners.tolist(), strict=True))
    assert len(pairs) == len(queries) == 3 * 4 * 3
    assert all(known.clusters[q] == known.clusters[p] and (p, q) in pairs for q, p in pairs)


def test_a_measured_pair_is_overlap_ratio_and_cosine() -> None:
    visible = np.array([[1, 1, 1, 0], [0, 1, 1, 1]], dtype=bool)
    known = Covisibility(visible, np.array([2.0, 3.0], dtype=np.float32), np.array([5, 5]))
    descriptors = np.array([[1.0, 0.0], [0.6, 0.8]])
    pairs = mining_rules.measure(known, descriptors, np.array([0]), np.array([1]))
    assert pairs.overlaps == pytest.approx([2 / 3])
    assert pairs.ratios == pytest.approx([1.5])
    assert pairs.cosines == pytest.approx([0.6])


def test_each_rule_has_its_panel_with_the_mean_of_its_pairs() -> None:
    known, x = town(), unit_rows(32)
    everything = mining_rules.measure(known, x, *mining_rules.all_pairs(known))
    first = mining_rules.measure(known, x, np.array([0, 4]), np.array([1, 5]))
    figure = mining_rules.draw({"m1": first, "m2": everything}, everything)
    assert [ax.get_title(loc="left") for ax in figure.axes] == ["m1", "m2"]
    cross = next(line for line in figure.axes[0].lines if line.get_marker() == "P")
    assert cross.get_xdata()[0] == pytest.approx(100 * first.overlaps.mean())
    assert cross.get_ydata()[0] == pytest.approx(first.cosines.mean())


def test_distinct_counts_landmarks_of_each_row() -> None:
    assert mining_negatives.distinct(np.array([[1, 1, 2], [3, 4, 5], [6, 6, 6]])).tolist() == [2, 3, 1]


def test_a_larger_pool_never_has_easier_negatives() -> None:
    known, x = town(), unit_rows(32)
    sizes = mining_pool.pool_sizes(32, 24, steps=3)
    families = known.clusters % 3
    hardness = mining_pool.measure(x, np.arange(0, 32, 5), known.clusters, families, sizes)
    assert sizes[0] == 24
    assert sizes[-1] == 32
    assert (np.diff(hardness.cosines) >= 0).all()
    assert ((hardness.twins >= 0) & (hardness.twins <= 1)).all()


def test_twins_are_negatives_of_the_query_s_own_family() -> None:
    known, x = town(), unit_rows(32)
    measured = [
        mining_pool.measure(x, np.arange(4), known.clusters, families, (32,)).twins[0]
        for families in (np.zeros(32, dtype=int), known.clusters)
    ]
    assert measured == [1.0, 0.0]


def test_pool_figure_marks_the_pool_in_use_and_the_positives() -> None:
    hardness = mining_pool.Hardness((10, 20), np.array([0.5, 0.6]), np.array([0.1, 0.3]))
    left, right = mining_pool.draw(hardness, matching=0.7, chance=0.08, used=16).axes
    assert {16} <= {line.get_xdata()[0] for line in left.lines} & {
        line.get_xdata()[0] for line in right.lines
    }
    assert any(line.get_ydata()[0] == 0.7 for line in left.lines)
    assert right.lines[0].get_ydata() == pytest.approx([10, 30])
