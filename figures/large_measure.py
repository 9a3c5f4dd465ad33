"""One measurement for the chapter on large collections: every way of searching, on one drawn database."""

import importlib.util
import time
from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from gem_lite import index, streaming
from gem_lite.drawn import Drawn

# Neighbours whose recall is measured, and how many are fetched to be put in order by their true descriptors.
K, CANDIDATES = 10, 100


class Timed:
    """Seconds by the clock and of this process's processor time, of a block."""

    def __enter__(self) -> "Timed":
        self.start = time.perf_counter(), time.process_time()
        return self

    def __exit__(self, *_: object) -> None:
        self.wall = time.perf_counter() - self.start[0]
        self.cpu = time.process_time() - self.start[1]

    def told(self, name: str) -> dict[str, float]:
        """Both, under names that begin with `name`."""
        return {f"{name}_s": round(self.wall, 5), f"{name}_cpu_s": round(self.cpu, 5)}


def has_faiss() -> bool:
    """Whether the approximate ways can be measured here."""
    return importlib.util.find_spec("faiss") is not None


def recall(found: NDArray[np.int64], exact: NDArray[np.int64]) -> float:
    """Share of the true nearest (Q, k) that were found, mean over the queries.

    >>> recall(np.array([[1, 2], [3, 4]]), np.array([[2, 1], [3, 5]]))
    0.75
    """
    shares = [len(np.intersect1d(ours, true)) / len(true) for ours, true in zip(found, exact, strict=True)]
    return float(np.mean(shares))


def measure(drawn: Drawn, count: int, kinds: Sequence[str] = index.KINDS) -> Iterator[dict[str, Any]]:
    """One row for each way of searching the first `count` descriptors.

    Args:
        drawn: database and queries.
        count: of the descriptors.
        kinds: of `gem_lite.index`; none where FAISS is not installed.

    Yields:
        way, count, queries, bytes, recall of the `K` nearest, seconds of building and of all searches; for
        exact search also mAP without and with query expansion.
    """
    database, queries, truth = drawn.rows(0, count), drawn.queries(), drawn.ground_truth()
    streaming.rank(queries[:2], database[:1000], K)  # libraries start their threads
    with Timed() as search:
        exact, _ = streaming.rank(queries, database, K)
    expanded = streaming.expand_queries(queries, database, n=10)
    common = {"count": count, "queries": len(queries)}
    yield {
        **common,
        "way": "exact",
        "bytes": database.nbytes,
        "recall": 1.0,
        **search.told("search"),
        "map": streaming.evaluate(queries, database, truth).map,
        "map_expanded": streaming.evaluate(expanded, database, truth).map,
    }
    for kind in kinds:
        with Timed() as build:
            built = index.build(database, kind)
        built.rank(queries[:2], K)
        with Timed() as search:
            found, _ = built.rank(queries, K)
        about = {"bytes": built.nbytes, "recall": recall(found, exact)}
        yield {**common, "way": kind, **about, **build.told("build"), **search.told("search")}
        if kind == "ivfpq":
            with Timed() as search:
                candidates, _ = built.rank(queries, CANDIDATES)
                found, _ = index.rerank(queries, database, candidates, K)
            # The descriptors are needed too, but may stay on disk.
            about = {"bytes": built.nbytes + database.nbytes, "recall": recall(found, exact)}
            yield {**common, "way": "ivfpq reranked", **about, **search.told("search")}
