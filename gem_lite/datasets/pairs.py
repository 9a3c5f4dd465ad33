"""Matching pairs that somebody gives: of a training set, of a list, or all within a class.

Toytown knows 3D points, and rules choose the pairs. Here the pairs are what is known. Training asks only
which images match a query and which cluster each image belongs to, and gets its answers from either.
"""

from dataclasses import dataclass
from typing import Self

import numpy as np
import numpy.typing as npt
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components

from gem_lite.seeds import stream
from gem_lite.toytown.covisibility import MAX_SCALE_RATIO, MIN_OVERLAP, MIN_POINTS, Covisibility

IntArray = npt.NDArray[np.int64]


@dataclass(frozen=True, eq=False)
class GivenPairs(Covisibility):
    """Co-visibility of N images of which only clusters and matching pairs are known; see `given_pairs`.

    Its pairs are those of rule m3, whatever limits of overlap and scale are asked for; rule m1 looks among
    all images of a cluster, and m2, which counts common points, is not possible.
    """

    starts: IntArray  # (N + 1,): the matches of image i are matches[starts[i] : starts[i + 1]]
    matches: IntArray

    def candidates(
        self,
        query: int,
        min_overlap: float = MIN_OVERLAP,
        max_scale_ratio: float = MAX_SCALE_RATIO,
        min_points: int = MIN_POINTS,
    ) -> IntArray:
        """Rows of the images that are known to match a query, ascending; the limits are not looked at."""
        return self.matches[self.starts[query] : self.starts[query + 1]]

    def best_overlap(self, query: int) -> tuple[int, float]:
        """Rule m2.

        Raises:
            ValueError: always.
        """
        raise ValueError("rule m2 counts common 3D points, and of these images only pairs are known: use m3")

    def pairs(
        self,
        min_overlap: float = MIN_OVERLAP,
        max_scale_ratio: float = MAX_SCALE_RATIO,
        min_points: int = MIN_POINTS,
    ) -> tuple[IntArray, IntArray]:
        """Every (query, match) as two row-aligned arrays, queries ascending."""
        return np.repeat(np.arange(len(self)), np.diff(self.starts)), self.matches

    @classmethod
    def of(cls, clusters: npt.ArrayLike, queries: npt.ArrayLike, positives: npt.ArrayLike) -> Self:
        """As `given_pairs`."""
        cluster = np.asarray(clusters, dtype=np.int64)
        q, p = np.asarray(queries, dtype=np.int64), np.asarray(positives, dtype=np.int64)
        if q.shape != p.shape or q.ndim != 1:
            raise ValueError(f"each query needs its positive: there are {q.shape} and {p.shape}")
        both = np.concatenate([q, p])
        if len(both) and not (both.min() >= 0 and both.max() < len(cluster)):
            raise ValueError(f"a pair names an image beyond the {len(cluster)} that there are")
        if (bad := np.flatnonzero((q == p) | (cluster[q] != cluster[p]))).size:
            row = int(bad[0])
            raise ValueError(
                f"pair {row}, of images {q[row]} and {p[row]}, is of one image, or of two clusters: the "
                "mining of negatives takes images of other clusters for non-matching"
            )
        pair = np.unique(np.stack([q, p]), axis=1)
        starts = np.searchsorted(pair[0], np.arange(len(cluster) + 1))
        unseen = np.zeros((len(cluster), 0), dtype=bool)
        return cls(unseen, np.ones(len(cluster), dtype=np.float32), cluster, starts, pair[1])


def given_pairs(clusters: npt.ArrayLike, queries: npt.ArrayLike, positives: npt.ArrayLike) -> GivenPairs:
    """What training needs to know, from pairs.

    Args:
        clusters: (N,) number of the object, place or 3D model that each image shows.
        queries, positives: (M,) rows of matching images; an image may be a query several times.

    Raises:
        ValueError: for pairs beyond the images, of one image with itself, or across clusters.

    >>> known = given_pairs([7, 7, 7, 8], [0, 0], [2, 1])
    >>> known.candidates(0).tolist(), known.candidates(1).tolist()
    ([1, 2], [])

    Chapter: 12_your_photographs.
    """
    return GivenPairs.of(clusters, queries, positives)


def pairs_of_classes(classes: npt.ArrayLike, most: int = 50, seed: int = 0) -> GivenPairs:
    """All pairs within classes: what folders with one object each give, without any reconstruction.

    Args:
        classes: (N,) number of the class of each image.
        most: matches kept of each image, drawn at random where its class is larger: a class of ten thousand
            images has a hundred million pairs.
        seed: of those draws.

    >>> pairs_of_classes([0, 0, 1, 0]).candidates(3).tolist()
    [0, 1]
    """
    cluster = np.asarray(classes, dtype=np.int64)
    order = np.argsort(cluster, kind="stable")
    members = np.split(order, np.flatnonzero(np.diff(cluster[order])) + 1)
    rng = stream("pairs of classes", seed)
    queries: list[int] = []
    positives: list[int] = []
    for rows in members if len(cluster) else ():
        for row in rows:
            others = rows[rows != row]
            chosen = others if len(others) <= most else rng.choice(others, most, replace=False)
            queries += [int(row)] * len(chosen)
            positives += chosen.tolist()
    return given_pairs(cluster, queries, positives)


def clusters_of_pairs(count: int, first: npt.ArrayLike, second: npt.ArrayLike) -> IntArray:
    """Clusters of images that are linked by matching pairs, directly or over others: (count,) numbers.

    >>> clusters_of_pairs(5, [0, 3], [1, 1]).tolist()
    [0, 0, 1, 0, 2]
    """
    a, b = np.asarray(first, dtype=np.int64), np.asarray(second, dtype=np.int64)
    links = coo_array((np.ones(len(a), dtype=bool), (a, b)), shape=(count, count))
    return np.asarray(connected_components(links, directed=False)[1], dtype=np.int64)
