"""Approximate search: FAISS behind the signature of `gem_lite.search.rank`.

An index is built once and searched often. It is the optional dependency of the extra ``faiss``; exact search
in bounded memory, without it, is `gem_lite.streaming`.
"""

import json
import os
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from gem_lite import search
from gem_lite.cache import written_atomically
from gem_lite.seeds import stream
from gem_lite.streaming import Database, FloatArray, IntArray

# Rows read from the database at a time while an index is built.
BLOCK_ROWS = 2**15
KINDS = ("flat", "ivfpq", "hnsw")


@dataclass(frozen=True)
class IndexSettings:
    """How an index is built and searched.

    - "flat" compares with every descriptor: exact, and as large as they are.
    - "ivfpq" (inverted file with product quantisation) puts each descriptor into the nearest of `lists`
      cells, and keeps `parts` bytes of it; a query visits its `probes` nearest cells.
    - "hnsw" (hierarchical navigable small world) keeps every descriptor and a graph of its neighbours.

    Source: Jégou et al. 2011 (IVF-PQ); Malkov and Yashunin 2020 (HNSW).
    """

    kind: str = "flat"
    lists: int | None = None  # ivfpq; by default 4 √N, at most one for each 39 descriptors, FAISS's minimum
    probes: int = 16
    parts: int | None = None  # ivfpq: bytes of a descriptor; by default D / 8, or the next divisor of D below
    training: int = 100_000  # ivfpq: rows from which cells and codes are learned, drawn at random
    links: int = 32  # hnsw: of a descriptor to its neighbours; twice as many on the ground level
    effort_built: int = 40  # hnsw: candidates kept while building
    effort: int = 64  # hnsw: candidates kept while searching
    seed: int = 0


class Index:
    """A built index; what `build` returns.

    Args:
        core: of FAISS.
        settings: with which it was built.

    Chapter: 13_going_large.
    """

    def __init__(self, core: Any, settings: IndexSettings) -> None:
        self.core, self.settings = core, settings

    @property
    def shape(self) -> tuple[int, int]:
        """(N, D) of the descriptors in it."""
        return self.core.ntotal, self.core.d

    def __len__(self) -> int:
        return int(self.core.ntotal)

    def rank(self, queries: FloatArray, k: int | None = None) -> tuple[IntArray, FloatArray]:
        """Rows of highest inner product with each query, as far as the index finds them, best first.

        Args:
            queries: (Q, D).
            k: how many; all where k is None or larger than N.

        Returns:
            Indices (Q, k) int64 and their scores (Q, k) float32, by "ivfpq" approximate too; where fewer were
            found than asked for, -1 and minus infinity. Equal scores stand in the order of the database.

        Raises:
            ValueError: for queries that do not fit, or k below 1.
        """
        queries = np.ascontiguousarray(queries, dtype=np.float32)
        if queries.ndim != 2 or queries.shape[1] != self.core.d:
            raise ValueError(f"queries must be (rows, {self.core.d}), like the database, not {queries.shape}")
        if not np.isfinite(queries).all():
            raise ValueError("queries hold NaN or infinity: images that could not be read?")
        if k is not None and k < 1:
            raise ValueError(f"k must be at least 1, or None for all, not {k}")
        kept = len(self) if k is None else min(k, len(self))
        scores, indices = self.core.search(queries, kept)
        scores = np.where(indices < 0, -np.inf, scores)
        order = np.lexsort((indices, -scores), axis=1)
        taken: tuple[IntArray, FloatArray] = (
            np.take_along_axis(indices, order, axis=1),
            np.take_along_axis(scores, order, axis=1).astype(np.float32),
        )
        return taken

    @property
    def nbytes(self) -> int:
        """Size of the index as it is written to disk, about that in memory."""
        return int(_faiss().serialize_index(self.core).nbytes)

    def save(self, path: str | Path) -> None:
        """Writes the index and, beside it, its settings (``.json``); both atomically."""
        path = Path(path)
        with written_atomically(path) as temporary:
            _faiss().write_index(self.core, os.fspath(temporary))
        with written_atomically(path.with_suffix(".json")) as temporary:
            temporary.write_text(json.dumps(asdict(self.settings)), encoding="utf8")


def load(path: str | Path) -> Index:
    """An index that `Index.save` wrote. Only open files you trust: FAISS checks little of what it reads."""
    path = Path(path)
    settings = IndexSettings(**json.loads(path.with_suffix(".json").read_text(encoding="utf8")))
    return Index(_set_effort(_faiss().read_index(os.fspath(path)), settings), settings)


def build(
    database: Database,
    kind: str = "flat",
    progress: Callable[[int], None] | None = None,
    **settings: Any,
) -> Index:
    """An index of a database, which is read block by block.

    Args:
        database: (N, D) descriptors: an array, a memory-mapped one, or `gem_lite.shards.Shards`.
        kind: "flat", "ivfpq" or "hnsw", see `IndexSettings`.
        progress: told how many rows were added, after each block.
        settings: others of `IndexSettings`.

    Raises:
        ModuleNotFoundError: without FAISS; it says how to install it.
        ValueError: for an unknown kind, parts that do not divide D, or rows with NaN or infinity.

    Chapter: 13_going_large.
    """
    if kind not in KINDS:
        raise ValueError(f"unknown kind of index {kind!r}; known: {', '.join(KINDS)}")
    chosen = IndexSettings(kind, **settings)
    core = _set_effort(_empty(database, chosen), chosen)
    for start in range(0, len(database), BLOCK_ROWS):
        block = np.ascontiguousarray(database[start : start + BLOCK_ROWS], dtype=np.float32)
        bad = np.flatnonzero(~np.isfinite(block.sum(axis=1)))
        if len(bad):
            raise ValueError(
                f"row {start + bad[0]} of the database holds NaN or infinity: an image that was not read?"
            )
        core.add(block)
        if progress is not None:
            progress(len(block))
    return Index(core, chosen)


def rank(
    queries: FloatArray, database: Database | Index, k: int | None = None, kind: str = "flat", **settings: Any
) -> tuple[IntArray, FloatArray]:
    """`gem_lite.search.rank` by FAISS: of a built index, or of a database from which one is built first.

    See `Index.rank` for the result and `build` for `kind` and `settings`, which a built index has already.

    Chapter: 13_going_large.
    """
    index = database if isinstance(database, Index) else build(database, kind, **settings)
    return index.rank(queries, k)


def rerank(
    queries: FloatArray, database: Database, candidates: IntArray, k: int | None = None
) -> tuple[IntArray, FloatArray]:
    """Candidates in the order of their exact scores: what compressed descriptors found, by the true ones.

    Args:
        queries: (Q, D).
        database: (N, D); only the candidates' rows are read.
        candidates: (Q, C) of `Index.rank`; -1 is none.
        k: how many to keep of them; all where it is None.

    Returns:
        Indices (Q, k) and exact scores (Q, k), as of `Index.rank`.

    Chapter: 13_going_large.
    """
    kept = candidates.shape[1] if k is None else min(k, candidates.shape[1])
    indices = np.full((len(queries), kept), -1, dtype=np.int64)
    scores = np.full((len(queries), kept), -np.inf, dtype=np.float32)
    for row, found in enumerate(candidates):
        rows = np.unique(found[found >= 0])  # in the order of the database, which settles ties
        if len(rows):
            order, exact = search.rank(queries[row : row + 1], np.asarray(database[rows]), kept)
            indices[row, : order.shape[1]] = rows[order[0]]
            scores[row, : order.shape[1]] = exact[0]
    return indices, scores


def _faiss() -> Any:
    try:
        import faiss
    except ImportError as error:
        raise ModuleNotFoundError(
            "this needs FAISS, which is not installed: pip install 'gem-lite[faiss]'. Exact search in "
            "bounded memory needs nothing: gem_lite.streaming.rank"
        ) from error
    return faiss


def _empty(database: Database, settings: IndexSettings) -> Any:
    """A trained index without rows."""
    faiss = _faiss()
    count, dimensions = database.shape
    if settings.kind == "flat":
        return faiss.IndexFlatIP(dimensions)
    if settings.kind == "hnsw":
        core = faiss.IndexHNSWFlat(dimensions, settings.links, faiss.METRIC_INNER_PRODUCT)
        core.hnsw.efConstruction = settings.effort_built
        return core
    parts = settings.parts or next(p for p in range(max(1, dimensions // 8), 0, -1) if dimensions % p == 0)
    if dimensions % parts:
        raise ValueError(f"{parts} parts do not divide a descriptor of {dimensions} numbers")
    sample = _sample(database, settings)
    lists = settings.lists or max(1, min(round(4 * np.sqrt(count)), len(sample) // 39))
    # A code has as many bits as there are descriptors to learn its values from: 8 but for tiny databases.
    bits = min(8, max(1, int(np.log2(max(2, len(sample) // 39)))))
    metric = faiss.METRIC_INNER_PRODUCT
    core = faiss.IndexIVFPQ(faiss.IndexFlatIP(dimensions), dimensions, lists, parts, bits, metric)
    core.cp.seed = core.pq.cp.seed = settings.seed
    core.train(sample)
    return core


def _sample(database: Database, settings: IndexSettings) -> npt.NDArray[np.float32]:
    count = len(database)
    rows = np.arange(count)
    if count > settings.training:
        rows = np.sort(
            stream("index", settings.seed).choice(count, settings.training, replace=False, shuffle=False)
        )
    return np.ascontiguousarray(database[rows], dtype=np.float32)


def _set_effort(core: Any, settings: IndexSettings) -> Any:
    if settings.kind == "ivfpq":
        core.nprobe = settings.probes
    if settings.kind == "hnsw":
        core.hnsw.efSearch = settings.effort
    return core
