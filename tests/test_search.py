"""Search against a full sort, and query expansion against its definition."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from gem_lite import search
from gem_lite.search import augment_database, expand_queries, rank


def unit_rows(rng, rows, dimensions, dtype=np.float32):
    x = rng.normal(size=(rows, dimensions)).astype(dtype)
    return x / np.linalg.norm(x, axis=1, keepdims=True)


@given(seed=st.integers(0, 2**32 - 1), k=st.integers(1, 40), block=st.integers(1, 200))
def test_rank_is_the_stable_full_sort_whatever_is_asked_for(seed, k, block):
    rng = np.random.default_rng(seed)
    # Small whole numbers: products are exact and ties are many.
    queries = rng.integers(-2, 3, size=(5, 3)).astype(np.float32)
    database = rng.integers(-2, 3, size=(30, 3)).astype(np.float32)
    scores = queries @ database.T
    expected = np.argsort(-scores, axis=1, kind="stable")[:, :k]
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(search, "BLOCK_SCORES", block)
        indices, best_scores = rank(queries, database, k)
    np.testing.assert_array_equal(indices, expected)
    np.testing.assert_array_equal(best_scores, np.take_along_axis(scores, expected, axis=1))


def test_all_are_returned_where_k_is_not_given():
    rng = np.random.default_rng(0)
    queries, database = unit_rows(rng, 7, 8), unit_rows(rng, 100, 8)
    indices, scores = rank(queries, database)
    assert indices.shape == scores.shape == (7, 100)
    assert (np.sort(indices, axis=1) == np.arange(100)).all()
    assert (np.diff(scores, axis=1) <= 0).all()
    assert (indices.dtype, scores.dtype) == (np.int64, np.float32)


def test_identical_images_keep_the_order_of_the_database():
    database = np.tile(np.array([[0.6, 0.8]], dtype=np.float32), (50, 1))
    indices, _ = rank(np.array([[1.0, 0.0]], dtype=np.float32), database, k=10)
    assert indices[0].tolist() == list(range(10))


def test_half_precision_descriptors_are_searched_in_single():
    rng = np.random.default_rng(1)
    queries, database = unit_rows(rng, 3, 64), unit_rows(rng, 50, 64)
    half = rank(queries.astype(np.float16), database.astype(np.float16))
    assert half[1].dtype == np.float32
    np.testing.assert_allclose(half[1], rank(queries, database)[1], atol=2e-3)


def test_a_memory_mapped_database_gives_the_same(tmp_path):
    rng = np.random.default_rng(2)
    queries, database = unit_rows(rng, 3, 16), unit_rows(rng, 200, 16)
    np.save(tmp_path / "database.npy", database)
    mapped = np.load(tmp_path / "database.npy", mmap_mode="r")
    np.testing.assert_array_equal(rank(queries, mapped, 5)[0], rank(queries, database, 5)[0])


@pytest.mark.parametrize(
    ("queries", "database", "k", "message"),
    [
        (np.ones((2, 3)), np.ones((2, 4)), None, "same network and whitening"),
        (np.ones(3), np.ones((2, 3)), None, r"queries must be \(rows, dimensions\)"),
        (np.ones((2, 3)), np.ones((0, 3)), None, "database must be .* not empty"),
        (np.ones((2, 3)), np.ones((2, 3), dtype=int), None, "floating point"),
        (
            np.ones((2, 3)),
            np.array([[0, 1, 2], [0, np.nan, 1]]),
            None,
            "1 rows of database .* first is row 1",
        ),
        (np.ones((2, 3)), np.ones((2, 3)), 0, "k must be at least 1"),
    ],
)
def test_what_does_not_fit_is_said(queries, database, k, message):
    with pytest.raises(ValueError, match=message):
        rank(queries, database, k)


def expansion_by_definition(query, database, n, alpha, self_row=-1):
    similarities = database @ query
    order = [row for row in np.argsort(-similarities, kind="stable") if row != self_row][:n]
    new = query.astype(np.float64)
    for row in order:
        weight = 1.0 if alpha == 0 else max(similarities[row], 0.0) ** alpha
        new = new + weight * database[row]
    return new / np.linalg.norm(new)


@given(
    seed=st.integers(0, 2**32 - 1),
    n=st.integers(0, 30),
    alpha=st.sampled_from([0.0, 0.5, 1.0, 3.0]),
    excluding=st.booleans(),
)
def test_expansion_is_its_definition(seed, n, alpha, excluding):
    rng = np.random.default_rng(seed)
    database = unit_rows(rng, 20, 6, np.float64)  # about half of the similarities are negative
    queries = database[:4]
    exclude = np.array([0, 1, -1, 3]) if excluding else None
    expanded = expand_queries(queries, database, n, alpha, exclude)
    for row, query in enumerate(queries):
        expected = expansion_by_definition(query, database, n, alpha, -1 if exclude is None else exclude[row])
        np.testing.assert_allclose(expanded[row], expected, atol=1e-12)


def test_expansion_by_hand():
    queries = np.array([[1.0, 0.0]])
    database = np.array([[0.6, 0.8], [0.0, 1.0]])
    # α = 1: q + 0.6 x0 + 0 x1 = (1.36, 0.48); α = 0: q + x0 + x1 = (1.6, 1.8).
    np.testing.assert_allclose(
        expand_queries(queries, database, 2, 1.0), [[1.36, 0.48]] / np.hypot(1.36, 0.48)
    )
    np.testing.assert_allclose(expand_queries(queries, database, 2, 0.0), [[1.6, 1.8]] / np.hypot(1.6, 1.8))


def test_nothing_taken_leaves_the_query():
    rng = np.random.default_rng(3)
    queries = unit_rows(rng, 4, 8)
    np.testing.assert_allclose(expand_queries(queries, unit_rows(rng, 9, 8), n=0), queries, atol=1e-6)


def test_negative_similarities_and_fractional_alpha_give_no_nan():
    queries = np.array([[1.0, 0.0]])
    database = np.array([[-1.0, 0.0], [-0.6, -0.8]])
    np.testing.assert_allclose(expand_queries(queries, database, n=2, alpha=0.5), queries)


def test_a_query_that_cancels_out_is_zero_and_not_nan():
    assert expand_queries(np.array([[1.0, 0.0]]), np.array([[-1.0, 0.0]]), n=1, alpha=0).tolist() == [[0, 0]]


def test_expansion_in_blocks_is_the_same(monkeypatch):
    rng = np.random.default_rng(4)
    database = unit_rows(rng, 60, 8)
    whole = augment_database(database, n=5)
    monkeypatch.setattr(search, "BLOCK_SCORES", 200)
    np.testing.assert_allclose(augment_database(database, n=5), whole, atol=1e-6)


def test_augmentation_is_expansion_of_every_row_by_the_others():
    rng = np.random.default_rng(5)
    database = unit_rows(rng, 20, 6, np.float64)
    augmented = augment_database(database, n=4, alpha=3.0)
    for row in range(20):
        np.testing.assert_allclose(
            augmented[row], expansion_by_definition(database[row], database, 4, 3.0, row)
        )


def test_twins_are_not_taken_for_the_query_itself():
    database = np.array([[1.0, 0.0], [1.0, 0.0], [0.0, 1.0]])
    # Row 1 equals row 0, but only row 1 is the query: its twin still counts as a neighbour.
    expanded = expand_queries(database[1:2], database, n=2, alpha=0, exclude=[1])
    np.testing.assert_allclose(expanded, [[2, 1]] / np.sqrt(5))


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"n": -1}, "at least 0"),
        ({"alpha": -1.0}, "at least 0"),
        ({"alpha": float("nan")}, "at least 0"),
        ({"exclude": [0]}, "one database row for each of the 2 queries"),
        ({"exclude": [0.0, 1.0]}, "one database row for each"),
        ({"exclude": [0, 3]}, "beyond the 3"),
        ({"exclude": [0, -2]}, "beyond the 3"),
    ],
)
def test_expansion_errors_say_what_is_wrong(arguments, message):
    with pytest.raises(ValueError, match=message):
        expand_queries(np.eye(2, 3), np.eye(3), **arguments)
