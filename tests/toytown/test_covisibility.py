"""Co-visibility on arrays small enough to check by eye."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from gem_lite.toytown.covisibility import Covisibility, overlap, scale_ratio


def points(*ranges: tuple[int, int], total: int = 100) -> np.ndarray:
    """One row per range: the points first..last-1 are observed."""
    rows = np.zeros((len(ranges), total), dtype=bool)
    for row, (first, last) in zip(rows, ranges, strict=True):
        row[first:last] = True
    return rows


@pytest.fixture
def town() -> Covisibility:
    """Images 0-4 are of cluster 7, and 0 is the query; 5 is of cluster 8 with the same point numbers."""
    visible = points((0, 50), (40, 90), (41, 90), (0, 50), (0, 50), (0, 50))
    scales = np.array([1.0, 1.0, 1.0, 1.49, 1.5, 1.0], dtype=np.float32)
    return Covisibility(visible, scales, np.array([7, 7, 7, 7, 7, 8]))


def test_candidates_are_of_the_same_landmark_with_enough_overlap_and_little_change_of_scale(town):
    # 1 shares 10 of 50 (exactly 0.2), 2 shares 9 of 50, 4 appears exactly 1.5 times as large.
    assert town.candidates(0).tolist() == [1, 3]


def test_the_limits_of_the_candidates_can_be_moved(town):
    assert town.candidates(0, min_overlap=0.1).tolist() == [1, 2, 3]
    assert town.candidates(0, max_scale_ratio=2).tolist() == [1, 3, 4]


def test_a_query_with_too_few_points_has_no_candidates():
    town = Covisibility(points((0, 39), (0, 60)), np.ones(2, dtype=np.float32), np.array([3, 3]))
    assert town.candidates(0).tolist() == []
    assert town.candidates(0, min_points=39).tolist() == [1]
    assert town.candidates(1).tolist() == [0]


def test_best_overlap_ignores_scale_and_other_landmarks():
    visible = points((0, 50), (20, 80), (10, 60), (0, 50))
    town = Covisibility(visible, np.array([1, 1, 9, 1], dtype=np.float32), np.array([4, 4, 4, 5]))
    assert town.best_overlap(0) == (2, 0.8)


def test_best_overlap_of_an_image_without_any_is_an_error():
    town = Covisibility(points((0, 5), (5, 9)), np.ones(2, dtype=np.float32), np.array([2, 2]))
    with pytest.raises(ValueError, match="image 0 shares no point"):
        town.best_overlap(0)


def test_pairs_are_all_candidates_of_all_queries(town):
    queries, positives = town.pairs()
    expected = [(q, int(c)) for q in range(len(town)) for c in town.candidates(q)]
    assert list(zip(queries.tolist(), positives.tolist(), strict=True)) == expected
    assert len(expected) > 4


def test_pairs_of_nothing_are_empty():
    empty = Covisibility(points(), np.empty(0, dtype=np.float32), np.empty(0, dtype=np.int64))
    assert [len(part) for part in empty.pairs()] == [0, 0]


def test_overlap_is_not_symmetric():
    visible = points((0, 10), (0, 40))
    assert overlap(visible, 0, np.array([1])) == 1.0
    assert overlap(visible, 1, np.array([0])) == 0.25


def test_overlap_of_a_query_without_points_is_zero():
    assert overlap(points((0, 0), (0, 5)), 0, np.array([1])) == 0.0


@given(st.lists(st.floats(0.125, 128, width=32), min_size=2, max_size=6))
def test_scale_ratio_is_symmetric_and_at_least_one(scales):
    array = np.array(scales, dtype=np.float32)
    rows = np.arange(len(array))
    table = np.stack([scale_ratio(array, row, rows) for row in rows])
    np.testing.assert_array_equal(table, table.T)
    assert (table >= 1).all()
    assert (np.diag(table) == 1).all()


def test_rows_must_agree():
    with pytest.raises(ValueError, match="one row per image"):
        Covisibility(points((0, 5), (0, 5)), np.ones(3, dtype=np.float32), np.array([1, 1]))
