"""FAISS behind `rank`: exact where it says so, near where not, and a clear word where it is missing."""

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from gem_lite import search, streaming
from gem_lite.seeds import stream


def unit(rows: int, name: str, dimensions: int = 16) -> np.ndarray:
    x = stream("test-index", name).normal(size=(rows, dimensions)).astype(np.float32)
    return x / np.linalg.norm(x, axis=1, keepdims=True)


def test_without_faiss_it_says_how_to_get_it() -> None:
    code = (
        "import sys; sys.modules['faiss'] = None\n"
        "import numpy as np\n"
        "from gem_lite import index, streaming\n"  # importing costs nothing
        "x = np.eye(3, dtype=np.float32)\n"
        "assert streaming.rank(x, x, 1)[0].ravel().tolist() == [0, 1, 2]\n"
        "index.rank(x, x)\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert "ModuleNotFoundError: this needs FAISS" in done.stderr
    assert "pip install 'gem-lite[faiss]'" in done.stderr


@pytest.fixture(autouse=True)
def _needs_faiss(request: pytest.FixtureRequest) -> None:
    if "without_faiss" not in request.node.name:
        pytest.importorskip("faiss")


def test_flat_is_rank() -> None:
    from gem_lite import index

    queries, database = unit(7, "q"), unit(300, "d")
    for k in (1, 10, None):
        expected, scores = search.rank(queries, database, k)
        found, ours = index.rank(queries, database, k)
        assert np.array_equal(found, expected)
        assert (found.dtype, ours.dtype) == (np.int64, np.float32)
        np.testing.assert_allclose(ours, scores, atol=1e-6)
    twice = np.concatenate([database[:5], database[:5]])
    assert index.rank(database[:5], twice, 2)[0].tolist() == [[row, row + 5] for row in range(5)]


@pytest.mark.parametrize(("kind", "least"), [("hnsw", 0.95), ("ivfpq", 0.3)])
def test_approximate_kinds_find_most_of_the_nearest(kind: str, least: float, tmp_path: Path) -> None:
    from gem_lite import index

    queries, database = unit(30, "q"), unit(3000, "d")
    exact, _ = search.rank(queries, database, 10)
    built = index.build(database, kind)
    assert built.shape == database.shape
    assert (built.nbytes < database.nbytes / 2) == (kind == "ivfpq")

    def recall(found: np.ndarray) -> float:
        return float(np.mean([len(set(a) & set(b)) / 10 for a, b in zip(found, exact, strict=True)]))

    found, scores = index.rank(queries, built, 10)
    assert least < recall(found) <= 1
    assert (np.diff(scores, axis=1) <= 0).all()
    candidates, _ = built.rank(queries, 200)
    better, exact_scores = index.rerank(queries, database, candidates, 10)
    assert recall(better) >= recall(found)
    np.testing.assert_allclose(exact_scores, np.einsum("qd,qkd->qk", queries, database[better]), atol=1e-6)
    built.save(tmp_path / "kept.index")
    again = index.load(tmp_path / "kept.index")
    assert again.settings == built.settings
    for ours, theirs in zip(again.rank(queries, 10), (found, scores), strict=True):
        assert np.array_equal(ours, theirs)


def test_more_probes_find_more() -> None:
    from gem_lite import index

    queries, database = unit(30, "q"), unit(3000, "d")
    exact, _ = search.rank(queries, database, 10)
    shares = []
    for probes in (1, 60):
        found, _ = index.build(database, "ivfpq", probes=probes, lists=60, parts=16).rank(queries, 10)
        shares.append(np.mean([len(set(a) & set(b)) / 10 for a, b in zip(found, exact, strict=True)]))
    assert shares[0] + 0.1 < shares[1]


def test_expansion_through_an_index_is_the_plain_one() -> None:
    from gem_lite import index

    queries, database = unit(7, "q"), unit(300, "d")
    found = streaming.expand_queries(queries, database, n=5, find=index.build(database).rank)
    np.testing.assert_allclose(found, search.expand_queries(queries, database, n=5), atol=2e-6)


def test_what_was_not_found_is_minus_one() -> None:
    from gem_lite import index

    queries, database = unit(3, "q"), unit(100, "d")
    found, scores = index.build(database, "ivfpq", lists=50, probes=1).rank(queries)
    assert (found[:, -1] == -1).all()
    assert np.isneginf(scores[:, -1]).all()
    better, exact = index.rerank(queries, database, found)
    assert np.array_equal(better < 0, found < 0)
    assert np.array_equal(np.isneginf(exact), found < 0)


def test_what_does_not_fit_is_refused() -> None:
    from gem_lite import index

    x = unit(50, "d")
    built = index.build(x)
    for wrong, said in (
        (lambda: index.build(x, "tree"), "unknown kind of index 'tree'; known: flat, ivfpq, hnsw"),
        (lambda: index.build(x, "ivfpq", parts=5), "5 parts do not divide a descriptor of 16"),
        (lambda: index.rank(x[:, :3], built), r"must be \(rows, 16\)"),
        (lambda: index.rank(np.full_like(x, np.nan), built), "queries hold NaN"),
        (lambda: index.rank(x, built, 0), "at least 1"),
    ):
        with pytest.raises(ValueError, match=said):
            wrong()
    x[30, 1] = np.nan
    with pytest.raises(ValueError, match="row 30 of the database"):
        index.build(x)
