"""Search that reads the database block by block: the same as the plain one, to the last tie."""

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gem_lite import evaluate, search, streaming
from gem_lite.extraction import fill_shards
from gem_lite.seeds import stream
from gem_lite.shards import Shards


@pytest.fixture(autouse=True)
def small_blocks(monkeypatch: pytest.MonkeyPatch) -> None:
    """Blocks of 7 rows of 4 numbers, so that little data has many of them."""
    monkeypatch.setattr(streaming, "BLOCK_NUMBERS", 28)


def few_values(rows: int, name: str, values: int = 2) -> np.ndarray:
    """Descriptors of few small whole numbers: their scores are exact, and most are equal to others."""
    return stream("test-streaming", name).integers(-values, values + 1, (rows, 4)).astype(np.float32)


def unit(rows: int, dimensions: int, name: str) -> np.ndarray:
    x = stream("test-streaming", name).normal(size=(rows, dimensions)).astype(np.float32)
    return x / np.linalg.norm(x, axis=1, keepdims=True)


def sharded(folder: Path, database: np.ndarray, rows: int = 5) -> Shards:
    return fill_shards(folder, len(database), lambda a, b: database[a:b], {}, rows, progress=False)


@pytest.mark.parametrize("k", [1, 3, 20, 60, None])
def test_rank_is_the_plain_rank_with_its_ties(k: int | None, tmp_path: Path) -> None:
    queries, database = few_values(9, "q"), few_values(100, "d")
    expected = search.rank(queries, database, k)
    for given_as in (database, sharded(tmp_path, database)):
        found = streaming.rank(queries, given_as, k)
        for ours, theirs in zip(found, expected, strict=True):
            assert np.array_equal(ours, theirs)
            assert ours.dtype == theirs.dtype


@given(st.integers(1, 60), st.integers(1, 3), st.integers(1, 12), st.integers(0, 10**6))
@settings(max_examples=60)
def test_places_of_positives_are_those_of_the_full_list(rows: int, values: int, few: int, seed: int) -> None:
    rng = stream("test-places", seed)
    queries, database = few_values(3, f"q{seed}", values), few_values(rows, f"d{seed}", values)
    positives = [rng.choice(rows, min(few, rows), replace=False) for _ in queries]
    junk = [np.setdiff1d(rng.choice(rows, min(few, rows), replace=False), good) for good in positives]
    full, _ = search.rank(queries, database)
    expected = [evaluate.ranks_of_positives(*each) for each in zip(full, positives, junk, strict=True)]
    found = streaming.ranks_of_positives(queries, database, positives, junk)
    for ours, theirs in zip(found, expected, strict=True):
        assert ours.tolist() == theirs.tolist()


def test_a_database_of_equal_rows_keeps_its_order() -> None:
    database = np.ones((50, 4), dtype=np.float32)
    (found,) = streaming.ranks_of_positives(database[:1], database, [[40, 3, 20]], [[0, 30]])
    assert found.tolist() == [2, 19, 38]


def test_random_descriptors_too_and_in_float64(monkeypatch: pytest.MonkeyPatch) -> None:
    for dtype in (np.float32, np.float64):
        queries, database = unit(6, 4, "q").astype(dtype), unit(300, 4, "d").astype(dtype)
        ranks, scores = search.rank(queries, database, 20)
        ours, our_scores = streaming.rank(queries, database, 20)
        assert our_scores.dtype == dtype
        np.testing.assert_allclose(our_scores, scores, atol=1e-6)
        assert np.array_equal(ours, ranks)


@pytest.mark.parametrize(("n", "alpha"), [(0, 3.0), (5, 3.0), (10, 0.0), (400, 2.0)])
def test_expansion_is_the_plain_one(n: int, alpha: float, tmp_path: Path) -> None:
    queries, database = unit(8, 4, "q"), unit(120, 4, "d")
    queries[2:5] = database[[7, 0, 119]]  # queries that are in the database
    exclude = np.array([-1, -1, 7, 0, 119, 3, -1, 5])
    expected = search.expand_queries(queries, database, n, alpha, exclude)
    found = streaming.expand_queries(queries, sharded(tmp_path, database), n, alpha, exclude)
    np.testing.assert_allclose(found, expected, atol=2e-6)
    without = streaming.expand_queries(queries, database, n, alpha)
    np.testing.assert_allclose(without, search.expand_queries(queries, database, n, alpha), atol=2e-6)
    if n == 5:
        assert np.abs(found - without).max() > 1e-3  # the query itself counts where nothing excludes it


def test_augmented_rows_can_be_kept_in_shards(tmp_path: Path) -> None:
    database = unit(60, 4, "d")
    shards = fill_shards(
        tmp_path,
        60,
        lambda start, stop: streaming.augment_rows(database, start, stop, n=4),
        {},
        rows=16,
        progress=False,
    )
    np.testing.assert_allclose(np.asarray(shards), search.augment_database(database, n=4), atol=2e-6)


@pytest.mark.parametrize("protocol", ["easy", "medium", "hard"])
def test_evaluation_is_that_of_the_full_ranking(protocol: str) -> None:
    rng = stream("test-evaluate")
    queries, database = unit(12, 4, "q"), unit(200, 4, "d")
    truth = []
    for query in range(12):
        rows = rng.permutation(200)
        sizes = (0, 0) if query == 3 else (4, 5)  # a query without positives has no average precision
        truth.append({"easy": rows[: sizes[0]], "hard": rows[10 : 10 + sizes[1]], "junk": rows[20:30]})
    ranks, _ = search.rank(queries, database)
    expected = evaluate.evaluate(ranks, truth, protocol)
    found = streaming.evaluate(queries, database, truth, protocol)
    assert found.map == expected.map
    np.testing.assert_array_equal(found.aps, expected.aps)
    np.testing.assert_array_equal(found.precisions, expected.precisions)
    np.testing.assert_array_equal(found.mp, expected.mp)


def test_what_does_not_fit_is_refused() -> None:
    x = unit(20, 4, "d")
    for wrong, said in (
        (lambda: streaming.rank(x[:, :3], x), "3 dimensions and the database 4"),
        (lambda: streaming.rank(x, x, 0), "at least 1"),
        (lambda: streaming.rank(x[:0], x), "not empty"),
        (lambda: streaming.rank(x.astype(int), x), "floating point"),
        (lambda: streaming.rank(np.full_like(x, np.nan), x), "queries hold NaN"),
        (lambda: streaming.expand_queries(x, x, n=-1), "at least 0"),
        (lambda: streaming.ranks_of_positives(x, x, [[0]]), "one list for each"),
        (lambda: streaming.ranks_of_positives(x[:1], x, [[20]]), "beyond the 20"),
        (lambda: streaming.evaluate(x, x, []), "ground truth has 0"),
    ):
        with pytest.raises(ValueError, match=said):
            wrong()
    x[13, 2] = np.inf
    for search_it in (
        lambda: streaming.rank(x[:2], x, 3),
        lambda: streaming.ranks_of_positives(x[:1], x, [[0]]),
    ):
        with pytest.raises(ValueError, match="row 13 of the database"):
            search_it()


BOUNDED = """
import resource, sys
import numpy as np
from gem_lite import streaming
from gem_lite.shards import Shards
database = Shards(sys.argv[1])
truth = [{"easy": [row], "hard": [], "junk": []} for row in range(40)]
queries = np.asarray(database[:40])
streaming.rank(queries[:1, :], queries, 1)
streaming.BLOCK_NUMBERS = 2**19
before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
expanded = streaming.expand_queries(queries, database, n=10)
print(streaming.evaluate(expanded, database, truth).map)
print((resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) / 1024)
"""


@pytest.mark.slow
def test_neither_the_database_nor_its_scores_are_ever_in_memory(tmp_path: Path) -> None:
    def make(start: int, stop: int) -> np.ndarray:
        return unit(stop - start, 256, f"block {start}")

    fill_shards(tmp_path, 150_000, make, {}, rows=2048, progress=False)  # 146 MiB; 23 MiB of scores
    done = subprocess.run(
        [sys.executable, "-c", BOUNDED, str(tmp_path)], capture_output=True, text=True, check=True
    )
    mean, mebibytes = map(float, done.stdout.split())
    assert mean == 1.0
    assert mebibytes < 20, f"{mebibytes} MiB beyond what was there before"
