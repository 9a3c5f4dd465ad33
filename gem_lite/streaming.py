"""Exact search that reads the database block by block: nothing of it stays in memory.

For databases that do not fit, or whose score matrix would not: the database is an array, a memory-mapped one
or `gem_lite.shards.Shards`. Where a list of all N places is only wanted for its average precision it is never
made: the place of a positive is the number of rows that score higher, and counting needs no sort.
"""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Protocol

import numpy as np
import numpy.typing as npt

from gem_lite import search
from gem_lite.evaluate import Evaluation, average_precision, positives_and_junk, reference_precision_at
from gem_lite.shards import Shards

IntArray = npt.NDArray[np.int64]
FloatArray = npt.NDArray[np.floating[Any]]
Database = FloatArray | Shards

# Numbers of the database held at a time, 64 MiB in float32, and scores, likewise.
BLOCK_NUMBERS = 2**24
BLOCK_SCORES = 2**24


class Search(Protocol):
    """Anything that finds the k rows of highest score: indices (Q, k), best first, and their scores."""

    def __call__(self, queries: FloatArray, k: int) -> tuple[IntArray, FloatArray]: ...


def rank(queries: FloatArray, database: Database, k: int | None = None) -> tuple[IntArray, FloatArray]:
    """`gem_lite.search.rank`: the same arguments, result, order of equal scores, and errors.

    Beyond the result it holds one block of the database and its scores, whatever N is.

    >>> indices, scores = rank(np.eye(2), np.array([[0.6, 0.8], [1, 0], [0.6, 0.8]]), k=2)
    >>> indices.tolist(), scores.tolist()
    ([[1, 0], [0, 2]], [[1.0, 0.6], [0.8, 0.8]])

    Chapter: 13_going_large.
    """
    _check_fit(queries, database)
    if k is not None and k < 1:
        raise ValueError(f"k must be at least 1, or None for all, not {k}")
    kept = len(database) if k is None else min(k, len(database))
    if kept > len(database) // 2:
        return search.rank(queries, np.asarray(database), k)  # the result is as large as what is saved here
    indices = np.empty((len(queries), 0), dtype=np.int64)
    scores = np.empty((len(queries), 0), dtype=_score_type(queries, database))
    for start, block in _scored_blocks(queries, database):
        # What was best so far stands first, so that among equals the earlier row stays ahead.
        both = np.concatenate([scores, block], axis=1)
        places = [search.best(row, kept) for row in both]
        rows = np.broadcast_to(np.arange(start, start + block.shape[1]), block.shape)
        candidates = np.concatenate([indices, rows], axis=1)
        indices = np.stack([row[place] for row, place in zip(candidates, places, strict=True)])
        scores = np.stack([row[place] for row, place in zip(both, places, strict=True)])
    return indices, scores


def expand_queries(
    queries: FloatArray,
    database: Database,
    n: int = 50,
    alpha: float = 3.0,
    exclude: npt.ArrayLike | None = None,
    find: Search | None = None,
) -> FloatArray:
    """`gem_lite.search.expand_queries`, for a database of any size.

    An expanded query depends on nothing but its n + 1 nearest rows. So these are found, and the plain
    function is given them alone.

    Args:
        queries, database, n, alpha, exclude: as there.
        find: what finds the neighbours; by default `rank`, or an approximate index (`gem_lite.index`).

    Chapter: 13_going_large.
    """
    if n < 0 or not alpha >= 0:
        raise ValueError(f"n and alpha must be at least 0, not {n} and {alpha}")
    find = find or (lambda queries, k: rank(queries, database, k))
    neighbours, _ = find(queries, n + 1)
    rows = np.unique(neighbours)  # in the order of the database, which settles ties as there
    rows = rows[rows >= 0]  # an approximate index that found too few fills up with -1
    if exclude is not None:
        own = np.asarray(exclude)
        place = np.minimum(np.searchsorted(rows, own), len(rows) - 1)
        exclude = np.where(rows[place] == own, place, -1)
    return search.expand_queries(queries, database[rows], n, alpha, exclude)


def augment_rows(
    database: Database, start: int, stop: int, n: int = 10, alpha: float = 3.0, find: Search | None = None
) -> FloatArray:
    """The rows from start to stop of `gem_lite.search.augment_database`.

    All of them are as many searches as the database has rows: for a large one `find` had better be an index.
    To write them as they come, and go on after an interruption::

        fill_shards(folder, len(database), partial(augment_rows, database, n=10), made_from={...})

    Args:
        database, n, alpha: as there.
        start, stop: which rows.
        find: as in `expand_queries`.

    Returns:
        (stop - start, D) L2-normalised descriptors.

    Chapter: 13_going_large.
    """
    own = np.arange(start, stop)
    return expand_queries(np.asarray(database[start:stop]), database, n, alpha, own, find)


def ranks_of_positives(
    queries: FloatArray,
    database: Database,
    positives: Sequence[npt.ArrayLike],
    junk: Sequence[npt.ArrayLike] | None = None,
) -> list[IntArray]:
    """Where the positives of each query stand; `gem_lite.evaluate.ranks_of_positives` finds it in a list.

    The place of a positive is the number of rows of higher score, and of equal score and smaller index. The
    database is read twice: for the scores of the positives, and to count. Both take the same products of
    the same blocks, so that a score is not compared with another rounding of itself.

    Args:
        queries: (Q, D).
        database: (N, D).
        positives: for each query the rows that answer it.
        junk: for each query the rows to pass over.

    Returns:
        For each query its positives' places, counted from 0, increasing.

    Chapter: 13_going_large.
    """
    _check_fit(queries, database)
    wanted = [np.unique(np.asarray(rows, dtype=np.int64)) for rows in positives]
    passed = [np.unique(np.asarray(rows, dtype=np.int64)) for rows in junk or [[]] * len(queries)]
    if len(wanted) != len(queries) or len(passed) != len(queries):
        raise ValueError(
            f"positives and junk must be one list for each of the {len(queries)} queries, "
            f"not {len(wanted)} and {len(passed)}"
        )
    for rows in (*wanted, *passed):
        if len(rows) and not 0 <= rows[0] <= rows[-1] < len(database):
            raise ValueError(f"positives or junk name rows beyond the {len(database)} of the database")

    their_scores = [np.empty(len(rows), dtype=_score_type(queries, database)) for rows in wanted]
    holding = np.unique(np.concatenate(wanted)) if wanted else np.empty(0, dtype=np.int64)
    for start, block in _scored_blocks(queries, database, holding):
        for rows, kept, scores in zip(wanted, their_scores, block, strict=True):
            here = slice(*np.searchsorted(rows, [start, start + len(scores)]))
            kept[here] = scores[rows[here] - start]

    # From here on each query's positives are in the order of their places.
    orders = [np.lexsort((rows, -scores)) for rows, scores in zip(wanted, their_scores, strict=True)]
    wanted = [rows[order] for rows, order in zip(wanted, orders, strict=True)]
    their_scores = [scores[order] for scores, order in zip(their_scores, orders, strict=True)]
    before = [np.zeros(len(rows), dtype=np.int64) for rows in wanted]
    for start, block in _scored_blocks(queries, database):
        for rows, kept, over, counts, scores in zip(wanted, their_scores, passed, before, block, strict=True):
            if len(rows):
                counts += _ahead(scores, start, rows, kept, over)
    return before


def _ahead(
    scores: FloatArray, start: int, positives: IntArray, their_scores: FloatArray, junk: IntArray
) -> IntArray:
    """How many rows of a block stand before each positive (which are in the order of their places)."""
    candidate = scores >= their_scores[-1]
    candidate[junk[(junk >= start) & (junk < start + len(scores))] - start] = False
    rows = np.flatnonzero(candidate) + start
    scores = scores[rows - start]
    first = np.searchsorted(-their_scores, -scores, side="left")  # of the positives that score no more
    last = np.searchsorted(-their_scores, -scores, side="right")  # of those that score less
    # Between the two lie positives of the same score: a row is ahead of those with a larger index.
    ahead_of = first.copy()
    for tied in np.unique(first[first < last]):
        here = (first == tied) & (first < last)
        group = positives[tied : last[here][0]]
        ahead_of[here] += np.searchsorted(group, rows[here], side="right")
    return np.cumsum(np.bincount(ahead_of, minlength=len(positives) + 1))[: len(positives)]


def evaluate(
    queries: FloatArray,
    database: Database,
    ground_truth: Sequence[Mapping[str, Any]],
    protocol: str = "medium",
    kappas: Sequence[int] = (1, 5, 10),
) -> Evaluation:
    """`gem_lite.evaluate.evaluate` of the full ranking of these queries, which is never made.

    Args:
        queries: (Q, D) descriptors.
        database: (N, D) descriptors.
        ground_truth, protocol, kappas: as there.

    Chapter: 13_going_large.
    """
    if len(queries) != len(ground_truth):
        raise ValueError(f"{len(queries)} queries, but the ground truth has {len(ground_truth)}")
    lists = [positives_and_junk(truth, protocol) for truth in ground_truth]
    found = ranks_of_positives(queries, database, [good for good, _ in lists], [over for _, over in lists])
    sizes = [len(good) for good, _ in lists]
    pairs = list(zip(found, sizes, strict=True))
    aps = np.array([average_precision(ranks, size) for ranks, size in pairs])
    precisions = np.array([[reference_precision_at(ranks, size, k) for k in kappas] for ranks, size in pairs])
    answered = ~np.isnan(aps)
    mean = float(aps[answered].mean()) if answered.any() else float("nan")
    mean_precisions = precisions[answered].mean(axis=0) if answered.any() else np.full(len(kappas), np.nan)
    return Evaluation(mean, mean_precisions, aps, precisions, tuple(kappas), protocol)


def _scored_blocks(
    queries: FloatArray, database: Database, rows: IntArray | None = None
) -> Iterator[tuple[int, FloatArray]]:
    """First row and scores (Q, rows) of each block of the database; with `rows`, of the blocks that hold any.

    Raises:
        ValueError: naming the first row that is not finite.
    """
    length = max(1, min(BLOCK_NUMBERS // database.shape[1], BLOCK_SCORES // len(queries)))
    if isinstance(database, Shards) and length > database.rows:
        length -= length % database.rows  # whole shards
    queries = np.asarray(queries, dtype=_score_type(queries, database))
    starts = np.arange(0, len(database), length)
    for start in starts if rows is None else starts[np.unique(rows // length)]:
        block = database[start : start + length]
        with np.errstate(invalid="ignore"):  # told below, with the row
            scores = queries @ block.T
        # One number of a row that is not finite spoils all its scores.
        bad = np.flatnonzero(~np.isfinite(scores).all(axis=0))
        if len(bad):
            raise ValueError(
                f"row {start + bad[0]} of the database holds NaN or infinity: an image that was not read?"
            )
        yield int(start), np.asarray(scores, dtype=queries.dtype)


def _score_type(queries: FloatArray, database: Database) -> np.dtype[Any]:
    return np.result_type(queries.dtype, database.dtype, np.float32)


def _check_fit(queries: FloatArray, database: Database) -> None:
    """Refuses what `gem_lite.search.rank` refuses, but for what only reading the database shows."""
    if queries.ndim != 2 or database.ndim != 2 or 0 in queries.shape or 0 in database.shape:
        raise ValueError(
            "queries and database must be (rows, dimensions) and not empty; their shapes are "
            f"{queries.shape} and {database.shape}"
        )
    if queries.shape[1] != database.shape[1]:
        raise ValueError(
            f"queries have {queries.shape[1]} dimensions and the database {database.shape[1]}: were both "
            "described by the same network and whitening?"
        )
    if queries.dtype.kind != "f" or database.dtype.kind != "f":
        raise ValueError(f"descriptors must be floating point, not {queries.dtype} and {database.dtype}")
    if not np.isfinite(queries).all():
        raise ValueError("queries hold NaN or infinity: images that could not be read?")
