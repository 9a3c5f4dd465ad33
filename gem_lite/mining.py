"""Training tuples without labels: matching pairs from co-visibility, hard negatives from other clusters."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
import torch

from gem_lite.seeds import stream
from gem_lite.toytown.covisibility import MAX_SCALE_RATIO, MIN_OVERLAP, Covisibility

IntArray = npt.NDArray[np.int64]
FloatArray = npt.NDArray[np.floating[Any]]
Seed = int | Sequence[int]

# Scores of a block of queries with the best of every cluster: 16 MiB in float32.
BLOCK_SCORES = 2**22
# Images of the pool that meet a block of queries in one product, about.
POOL_ROWS = 1024
# Length of descriptors from which the product takes so long that a rough one first saves time.
ROUGH_FROM = 512
UNIT = 1.01  # length up to which a vector counts as one of unit length


def positives(
    queries: npt.ArrayLike,
    covisibility: Covisibility,
    rule: str = "m3",
    descriptors: FloatArray | None = None,
    seed: Seed = 0,
    min_overlap: float = MIN_OVERLAP,
    max_scale_ratio: float = MAX_SCALE_RATIO,
) -> IntArray:
    """A matching image for each query, from its own cluster, by one of the paper's three rules.

    - "m1": the nearest by descriptor. It is right most often, and so similar that little is learned from it.
    - "m2": the one that observes most of the query's 3D points.
    - "m3": a random one of those that observe enough of them at a similar scale: the paper's choice, for it
      is sure to match and still looks different.

    Args:
        queries: (Q,) rows of the images that `covisibility` describes.
        covisibility: who observes what, of all N images.
        rule: "m1", "m2" or "m3".
        descriptors: (N, D), for m1 only; the paper takes MAC.
        seed: of m3's draws. Each query has its own stream: the draw depends on nothing but query and seed.
        min_overlap, max_scale_ratio: limits of m3, see `Covisibility.candidates`.

    Returns:
        (Q,) int64 rows.

    Raises:
        ValueError: for an unknown rule, m1 without descriptors, or a query that has no match under the rule.

    Source: the paper's section on training data. Chapter: 05_mining.
    """
    rows = np.asarray(queries, dtype=np.int64)
    if rule == "m1":
        return np.array([_nearest(row, covisibility, descriptors) for row in rows], dtype=np.int64)
    if rule == "m2":
        return np.array([covisibility.best_overlap(row)[0] for row in rows], dtype=np.int64)
    if rule != "m3":
        raise ValueError(f"unknown rule {rule!r} for positives; known: m1, m2, m3")
    drawn = np.empty(len(rows), dtype=np.int64)
    for position, row in enumerate(rows):
        candidates = covisibility.candidates(row, min_overlap, max_scale_ratio)
        if not len(candidates):
            raise ValueError(
                f"image {row} has no match under m3: draw queries from covisibility.pairs()[0], which have"
            )
        drawn[position] = _stream("positives", seed, int(row)).choice(candidates)
    return drawn


def _nearest(row: int, covisibility: Covisibility, descriptors: FloatArray | None) -> int:
    if descriptors is None or len(descriptors) != len(covisibility):
        raise ValueError(f"rule m1 needs the descriptors (N, D) of all {len(covisibility)} images")
    others = covisibility.companions(row)
    if not len(others):
        raise ValueError(f"image {row} is the only one of its cluster: it has no match")
    return int(others[np.argmax(descriptors[others] @ descriptors[row])])


def _stream(purpose: str, seed: Seed, number: int) -> np.random.Generator:
    numbers = [seed] if isinstance(seed, int) else seed
    return stream(purpose, *(int(value) for value in numbers), number)


def hard_negatives(
    queries: FloatArray,
    pool: FloatArray,
    query_clusters: npt.ArrayLike,
    pool_clusters: npt.ArrayLike,
    count: int = 5,
    one_per_cluster: bool = True,
) -> IntArray:
    """For each query the most similar images of the pool that do not match it, at most one from a cluster.

    The same as sorting the pool by similarity and walking down, past images of the query's own cluster and of
    clusters already met; equal similarities in the order of the pool. But nothing is sorted: the highest
    similarity within every cluster is found first, then the best of those, then the images they belong to.
    Long descriptors are compared in bfloat16 first, where the processor is fast at that, and in full only
    where rounding could decide.

    Args:
        queries: (Q, D) descriptors by the current network.
        pool: (M, D) descriptors.
        query_clusters: (Q,) cluster of each query.
        pool_clusters: (M,) cluster of each image of the pool.
        count: negatives of each query.
        one_per_cluster: without it several views of one landmark may be taken; the paper shows why not.

    Returns:
        (Q, count) int64 indices into the pool, most similar first.

    Raises:
        ValueError: for arrays that do not fit, or where the pool has too few other clusters (or images).

    >>> pool = np.array([[1.0, 0.0], [0.9, 0.1], [0.8, 0.2], [0.0, 1.0]])
    >>> hard_negatives(np.array([[1.0, 0.0]]), pool, [7], [7, 8, 8, 9], count=2)
    array([[1, 3]])

    Source: the paper's section on training data, N2 (N1 where one_per_cluster is False). Chapter: 05_mining.
    """
    own, clusters = np.asarray(query_clusters), np.asarray(pool_clusters)
    _check(queries, pool, own, clusters)
    # Without the limit every image counts as a cluster of its own, but still belongs to its true one.
    groups = clusters if one_per_cluster else np.arange(len(pool))
    order = np.argsort(groups, kind="stable")
    _, starts = np.unique(groups[order], return_index=True)
    members = np.split(order, starts[1:])
    group_clusters = clusters[order[starts]]
    _check_enough(own, group_clusters, count)

    found = np.empty((len(queries), count), dtype=np.int64)
    highest_of = _roughly_highest if _rough_pays(queries, pool) else _highest
    block = max(1, BLOCK_SCORES // len(members))
    for start in range(0, len(queries) if count else 0, block):
        rows = slice(start, start + block)
        highest, error = highest_of(queries[rows], pool, members)
        highest[own[rows, None] == group_clusters] = -np.inf
        found[rows] = _winners(queries[rows], pool, members, highest, count, error)
    return found


def _highest(
    queries: FloatArray, pool: FloatArray, members: list[IntArray]
) -> tuple[FloatArray, FloatArray | float]:
    """Highest similarity of each query to each group of the pool, (Q, groups), and by how much it is off."""
    parts = _parts(members)
    most = max(sum(len(members[group]) for group in part) for part in parts)
    highest = np.empty((len(members), len(queries)), dtype=np.result_type(queries, pool))
    # The same memory for every part: fetching it anew costs a fifth of the time.
    near = np.empty((most, pool.shape[1]), dtype=pool.dtype)
    scores = np.empty((most, len(queries)), dtype=highest.dtype)
    for part in parts:
        rows = np.concatenate([members[group] for group in part])
        pool.take(rows, axis=0, out=near[: len(rows)], mode="clip")  # "raise" would copy once more
        np.matmul(near[: len(rows)], queries.T, out=scores[: len(rows)])
        start = 0
        for group in part:
            end = start + len(members[group])
            scores[start:end].max(axis=0, out=highest[group])
            start = end
    return np.ascontiguousarray(highest.T), 0.0


def _roughly_highest(
    queries: FloatArray, pool: FloatArray, members: list[IntArray]
) -> tuple[FloatArray, FloatArray | float]:
    """`_highest` in bfloat16, several times as fast where the processor has matrix units.

    A query's similarities are off by at most the returned error (Q, 1). With q and x rounded to q' and x',
    qx - q'x' = q(x - x') + (q - q')x', which Cauchy and Schwarz bound by lengths; the sum is taken in float32
    and then rounded to 8 binary digits.
    """
    highest = torch.empty((len(members), len(queries)))
    exact = torch.from_numpy(queries)
    rounded = exact.to(torch.bfloat16)
    lost = 0.0
    parts = _parts(members)
    # Products of one shape, the rest of the last one left over: each new shape costs time and memory.
    near = torch.zeros(max(sum(len(members[group]) for group in part) for part in parts), queries.shape[1])
    for part in parts:
        rows = np.concatenate([members[group] for group in part])
        pool.take(rows, axis=0, out=near.numpy()[: len(rows)], mode="clip")
        near_rounded = near.to(torch.bfloat16)
        lost = max(lost, float((near - near_rounded.float()).norm(dim=1).max()))
        scores = near_rounded @ rounded.T
        start = 0
        for group in part:
            end = start + len(members[group])
            highest[group] = scores[start:end].amax(0)
            start = end
    found = np.ascontiguousarray(highest.numpy().T)
    sum_error = queries.shape[1] * 2.0**-23  # of adding up so many terms in float32, at most
    vectors_error = UNIT * (lost + (exact - rounded.float()).norm(dim=1).numpy()) + UNIT**2 * sum_error
    return found, vectors_error[:, None] + 1.01 * 2.0**-8 * np.abs(found).max(axis=1, keepdims=True)


def _rough_pays(queries: FloatArray, pool: FloatArray) -> bool:
    """Whether bfloat16 first is right and fast: long float32 vectors of unit length, and matrix units."""
    long_float32 = queries.dtype == pool.dtype == np.float32 and queries.shape[1] >= ROUGH_FROM
    if not long_float32 or not torch.cpu.get_capabilities().get("amx_bf16", False):
        return False
    lengths = np.sqrt(np.concatenate([np.einsum("nd,nd->n", x, x) for x in (queries, pool)]))
    return bool(np.abs(lengths - 1).max() < UNIT - 1)


def _parts(members: list[IntArray]) -> list[IntArray]:
    """A few groups at a time: enough for a fast product, few enough for its result to stay in the cache."""
    images = sum(len(group) for group in members)
    return np.array_split(np.arange(len(members)), min(len(members), 1 + images // POOL_ROWS))


def _winners(
    queries: FloatArray,
    pool: FloatArray,
    members: list[IntArray],
    highest: FloatArray,
    count: int,
    error: FloatArray | float,
) -> IntArray:
    """The best image of each query's `count` best groups, best first; ties in the order of the pool.

    `highest` may be off by `error`, so groups up to twice that below the last place are looked at, too.
    """
    place = highest.shape[1] - count
    least = np.partition(highest, place, axis=1)[:, place, None] - 2 * error
    # At least `count` groups of each query; more where some tie with the last place, or may.
    rows, groups = np.nonzero(highest >= least)
    images = np.empty(len(rows), dtype=np.int64)
    values = highest[rows, groups]
    rough = bool(np.any(error))
    by_group = np.argsort(groups, kind="stable")
    for chosen in np.split(by_group, np.flatnonzero(np.diff(groups[by_group])) + 1):
        group = members[groups[chosen[0]]]
        scores = pool[group] @ queries[rows[chosen]].T
        images[chosen] = group[scores.argmax(axis=0)]
        if rough:
            values[chosen] = scores.max(axis=0)
    # By query, then from high to low, then as in the pool.
    ranking = np.lexsort((images, -values, rows))
    first = np.searchsorted(rows, np.arange(len(queries)))
    return np.asarray(images[ranking[first[:, None] + np.arange(count)]])


def random_negatives(
    query_clusters: npt.ArrayLike, pool_clusters: npt.ArrayLike, count: int = 5, seed: Seed = 0
) -> IntArray:
    """For each query random images of the pool from other clusters, at most one from a cluster.

    Args and errors as `hard_negatives`; what hard negatives are compared with.

    Returns:
        (Q, count) int64 indices into the pool.

    Chapter: 05_mining.
    """
    own, clusters = np.asarray(query_clusters), np.asarray(pool_clusters)
    names = np.unique(clusters)
    _check_enough(own, names, count)
    found = np.empty((len(own), count), dtype=np.int64)
    for row, cluster in enumerate(own):
        rng = _stream("negatives", seed, row)
        chosen = rng.choice(names[names != cluster], count, replace=False)
        found[row] = [rng.choice(np.flatnonzero(clusters == name)) for name in chosen]
    return found


def _check(queries: FloatArray, pool: FloatArray, own: IntArray, clusters: IntArray) -> None:
    if queries.ndim != 2 or pool.ndim != 2 or queries.shape[1] != pool.shape[1]:
        raise ValueError(
            f"queries and pool must be rows of one length, not of shape {queries.shape} and {pool.shape}"
        )
    if own.shape != (len(queries),) or clusters.shape != (len(pool),):
        raise ValueError(
            f"one cluster is needed for each of the {len(queries)} queries and the {len(pool)} images of the "
            f"pool, not {own.shape} and {clusters.shape}"
        )
    if not (np.isfinite(queries.sum()) and np.isfinite(pool.sum())):
        raise ValueError("descriptors hold NaN or infinity")


def _check_enough(own: IntArray, group_clusters: IntArray, count: int) -> None:
    """Each query needs `count` groups of the pool that are not of its own cluster."""
    if count < 0:
        raise ValueError(f"count must be at least 0, not {count}")
    for cluster in np.unique(own):
        others = int((group_clusters != cluster).sum())
        if others < count:
            raise ValueError(
                f"a query of cluster {cluster} needs negatives from {count} other clusters, but the pool has "
                f"only {others}: draw a larger pool, or ask for fewer negatives"
            )
