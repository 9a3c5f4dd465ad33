"""Exact nearest-neighbour search, and query expansion on top of it."""

from typing import Any

import numpy as np
import numpy.typing as npt

IntArray = npt.NDArray[np.int64]
FloatArray = npt.NDArray[np.floating[Any]]

# Scores held at a time: 64 MiB in float32.
BLOCK_SCORES = 2**24


def rank(queries: FloatArray, database: FloatArray, k: int | None = None) -> tuple[IntArray, FloatArray]:
    """Database rows in order of their inner product with each query, best first.

    Exact, and in bounded memory: beyond its result it never holds more than `BLOCK_SCORES` scores (or those
    of one query). Equal scores keep the order of the database.

    Args:
        queries: (Q, D) descriptors.
        database: (N, D) descriptors; a memory-mapped file will do.
        k: how many to keep for each query; all of them where k is None or larger than N.

    Returns:
        Indices (Q, k) int64 and their scores (Q, k), float32 or as precise as the descriptors.

    Raises:
        ValueError: for arrays that do not fit, descriptors with NaN or infinity, or k below 1.

    >>> indices, scores = rank(np.eye(2), np.array([[0.6, 0.8], [1, 0], [0.6, 0.8]]))
    >>> indices.tolist(), scores.tolist()
    ([[1, 0, 2], [0, 2, 1]], [[1.0, 0.6, 0.6], [0.8, 0.8, 0.0]])

    Chapter: 01_retrieval.
    """
    queries, database = _checked(queries, "queries"), _checked(database, "database")
    if queries.shape[1] != database.shape[1]:
        raise ValueError(
            f"queries have {queries.shape[1]} dimensions and the database {database.shape[1]}: were both "
            "described by the same network and whitening?"
        )
    if k is not None and k < 1:
        raise ValueError(f"k must be at least 1, or None for all, not {k}")
    kept = len(database) if k is None else min(k, len(database))
    indices = np.empty((len(queries), kept), dtype=np.int64)
    best_scores = np.empty((len(queries), kept), dtype=np.result_type(queries, database, np.float32))
    block = max(1, BLOCK_SCORES // len(database))
    for start in range(0, len(queries), block):
        scores = np.asarray(queries[start : start + block] @ database.T, dtype=best_scores.dtype)
        for row, query_scores in enumerate(scores, start):
            indices[row] = best(query_scores, kept)
            best_scores[row] = query_scores[indices[row]]
    return indices, best_scores


def best(scores: FloatArray, k: int) -> IntArray:
    """Indices of the k highest of (N,) scores, highest first; equal scores in the order they come in.

    >>> best(np.array([1.0, 3.0, 2.0, 3.0, 2.0]), 3).tolist()
    [1, 3, 2]
    """
    if k >= len(scores):
        return np.argsort(-scores, kind="stable")
    # Everything that ties with the k-th score is a candidate; the stable sort then settles which are kept.
    least = np.partition(scores, len(scores) - k)[len(scores) - k]
    candidates = np.flatnonzero(scores >= least)
    order = np.argsort(-scores[candidates], kind="stable")[:k]
    return np.asarray(candidates[order], dtype=np.int64)


def _checked(descriptors: FloatArray, name: str) -> FloatArray:
    if descriptors.ndim != 2 or 0 in descriptors.shape:
        raise ValueError(
            f"{name} must be (rows, dimensions) and not empty; their shape is {descriptors.shape}"
        )
    if descriptors.dtype.kind != "f":
        raise ValueError(f"{name} must be floating point, not {descriptors.dtype}")
    if descriptors.dtype == np.float16:
        descriptors = descriptors.astype(np.float32)
    # A row's sum is finite exactly where all its numbers are, short of an overflow no descriptor comes near.
    bad = np.flatnonzero(~np.isfinite(descriptors.sum(axis=1)))
    if len(bad):
        raise ValueError(
            f"{len(bad)} rows of {name} hold NaN or infinity, the first is row {bad[0]}: images that could "
            "not be read? Leave them out, with descriptors[np.isfinite(descriptors).all(axis=1)]"
        )
    return descriptors


def expand_queries(
    queries: FloatArray,
    database: FloatArray,
    n: int = 50,
    alpha: float = 3.0,
    exclude: npt.ArrayLike | None = None,
) -> FloatArray:
    """α-weighted query expansion: each query moves towards its nearest neighbours, to be searched again.

    The new query is q + Σ (qᵀx)^α x over the n database rows x of highest score, L2-normalised. With
    ``alpha=0`` every weight is 1 (average query expansion, AQE), also where the similarity is not positive;
    with any other α similarities below 0 count as 0, since a negative number has no fractional power.

    Args:
        queries: (Q, D) L2-normalised descriptors.
        database: (N, D) L2-normalised descriptors.
        n: neighbours taken; all of the database where it has fewer.
        alpha: exponent of the similarity, at least 0.
        exclude: (Q,) the database row that is the query itself, so that it is not counted twice;
            -1 where there is none.

    Returns:
        (Q, D) L2-normalised descriptors.

    Raises:
        ValueError: for negative n or alpha, an `exclude` that does not fit, and what `rank` refuses.

    Source: Radenović, Tolias, Chum (α-QE); Chum et al. 2007 (AQE).
    Chapter: 10_expansion.
    """
    if n < 0 or not alpha >= 0:
        raise ValueError(f"n and alpha must be at least 0, not {n} and {alpha}")
    self_rows = _self_rows(exclude, len(queries), len(database))
    expanded = np.empty(queries.shape, dtype=np.result_type(queries, database, np.float32))
    # The neighbours' descriptors are gathered, n for each query: as many queries at a time as fit a block.
    block = max(1, BLOCK_SCORES // ((n + 1) * queries.shape[1]))
    for start in range(0, len(queries), block):
        rows = slice(start, start + block)
        neighbours, weights = _weighted_neighbours(queries[rows], database, n, alpha, self_rows[rows])
        moved = queries[rows] + np.einsum("qn,qnd->qd", weights, database[neighbours])
        lengths = np.linalg.norm(moved, axis=1, keepdims=True)
        expanded[rows] = moved / np.maximum(lengths, np.finfo(expanded.dtype).tiny)
    return expanded


def _self_rows(exclude: npt.ArrayLike | None, n_queries: int, n_database: int) -> IntArray:
    if exclude is None:
        return np.full(n_queries, -1)
    rows = np.asarray(exclude)
    if rows.shape != (n_queries,) or rows.dtype.kind not in "iu":
        raise ValueError(f"exclude must be one database row for each of the {n_queries} queries, -1 for none")
    if rows.min(initial=0) < -1 or rows.max(initial=0) >= n_database:
        raise ValueError(f"exclude names rows beyond the {n_database} of the database")
    return rows.astype(np.int64)


def _weighted_neighbours(
    queries: FloatArray, database: FloatArray, n: int, alpha: float, self_rows: IntArray
) -> tuple[IntArray, FloatArray]:
    """Rows near each query and their weights, (Q, at most n + 1) each; those not taken have weight 0."""
    # One more than asked for, in case the query itself is among them.
    neighbours, similarities = rank(queries, database, n + 1)
    weights = np.maximum(similarities, 0) ** alpha if alpha > 0 else np.ones_like(similarities)
    is_self = neighbours == self_rows[:, None]
    # Where the query itself did not turn up, the last of the n + 1 is one too many.
    position = np.cumsum(~is_self, axis=1)
    return neighbours, np.where(is_self | (position > n), 0, weights)


def augment_database(database: FloatArray, n: int = 10, alpha: float = 3.0) -> FloatArray:
    """α-weighted database augmentation (α-DBA): every database row is expanded as if it were a query.

    A row counts itself once, with weight 1, and then its `n` nearest other rows. Arguments, result and errors
    as in `expand_queries`. Done once, off-line; it takes as many searches as the database has rows.

    Chapter: 10_expansion.
    """
    return expand_queries(database, database, n, alpha, exclude=np.arange(len(database)))
