"""Which images see the same 3D points, and how large: what structure from motion knows without any label.

Each landmark is one 3D model, a *cluster* of images. An image observes some of its points, and shows them
at some apparent scale; the rules by which the paper chooses matching pairs need nothing else.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

MIN_OVERLAP = 0.2
MAX_SCALE_RATIO = 1.5
MIN_POINTS = 40


def overlap(visible: NDArray[np.bool_], query: int, others: NDArray[np.int64]) -> NDArray[np.float64]:
    """Share of the query's points that each other image observes too, |P(q) ∩ P(i)| / |P(q)|.

    Args:
        visible: (N, P) bool, which of the cluster's P points each image observes.
        query: row of the query.
        others: (M,) rows of images of the same cluster.

    Returns:
        (M,) float64 in 0..1; zeros where the query observes nothing.

    Source: the paper's section on training data, m3. Chapter: 02_toytown.

    >>> sees = np.array([[1, 1, 0, 0], [0, 1, 1, 1]], dtype=bool)
    >>> overlap(sees, 0, np.array([0, 1])), overlap(sees, 1, np.array([0]))
    (array([1. , 0.5]), array([0.33333333]))
    """
    shared = (visible[others] & visible[query]).sum(axis=1)
    return np.asarray(shared / max(1, int(visible[query].sum())), dtype=np.float64)


def scale_ratio(scales: NDArray[np.float32], query: int, others: NDArray[np.int64]) -> NDArray[np.float64]:
    """How many times larger the landmark appears in one of the two images, whichever it is: at least 1.

    Args:
        scales: (N,) median apparent scale of each image's points; 0 where it observes none.
        query: row of the query.
        others: (M,) rows to compare it with.

    Returns:
        (M,) float64, infinite where either image observes no point.

    >>> scale_ratio(np.array([2.0, 3.0, 1.0, 0.0], dtype=np.float32), 0, np.array([0, 1, 2, 3]))
    array([1. , 1.5, 2. , inf])
    """
    own = float(scales[query])
    theirs = scales[others].astype(np.float64)
    smaller, larger = np.minimum(own, theirs), np.maximum(own, theirs)
    ratio: NDArray[np.float64] = np.full(len(theirs), np.inf)
    return np.divide(larger, smaller, out=ratio, where=smaller > 0)


@dataclass(frozen=True)
class Covisibility:
    """Observed points, apparent scales and clusters of N images: everything that mining of positives asks.

    Args:
        visible: (N, P) bool, which of its cluster's P points each image observes.
        scales: (N,) float32, median apparent scale of those points.
        clusters: (N,) int64, the 3D model (landmark) that each image belongs to.

    Raises:
        ValueError: where the three do not speak of the same number of images.

    Chapter: 02_toytown.
    """

    visible: NDArray[np.bool_]
    scales: NDArray[np.float32]
    clusters: NDArray[np.int64]

    def __post_init__(self) -> None:
        lengths = {len(self.visible), len(self.scales), len(self.clusters)}
        if len(lengths) != 1:
            raise ValueError(
                f"visible, scales and clusters must have one row per image, got {sorted(lengths)}"
            )

    def __len__(self) -> int:
        return len(self.clusters)

    def companions(self, query: int) -> NDArray[np.int64]:
        """Rows of the other images of the query's cluster, ascending."""
        same = self.clusters == self.clusters[query]
        same[query] = False
        return np.flatnonzero(same)

    def candidates(
        self,
        query: int,
        min_overlap: float = MIN_OVERLAP,
        max_scale_ratio: float = MAX_SCALE_RATIO,
        min_points: int = MIN_POINTS,
    ) -> NDArray[np.int64]:
        """Rows that rule m3 may draw a positive from: enough points in common, no extreme change of scale.

        A query that observes fewer than ``min_points`` points has no candidates: with so few, an overlap
        says little.

        Source: the rule is the paper's m3; the default limits are this project's.
        """
        others = self.companions(query)
        if self.visible[query].sum() < min_points:
            return others[:0]
        enough = overlap(self.visible, query, others) >= min_overlap
        similar = scale_ratio(self.scales, query, others) < max_scale_ratio
        return others[enough & similar]

    def best_overlap(self, query: int) -> tuple[int, float]:
        """Row that shares most points with the query, and its overlap: what rule m2 takes.

        Raises:
            ValueError: where no other image observes any of the query's points.
        """
        others = self.companions(query)
        shares = overlap(self.visible, query, others)
        if not shares.any():
            raise ValueError(
                f"image {query} shares no point with another image of cluster {self.clusters[query]}"
            )
        best = int(shares.argmax())
        return int(others[best]), float(shares[best])

    def pairs(
        self,
        min_overlap: float = MIN_OVERLAP,
        max_scale_ratio: float = MAX_SCALE_RATIO,
        min_points: int = MIN_POINTS,
    ) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        """Every (query, candidate) pair of m3 as two row-aligned arrays, queries ascending."""
        found = [
            self.candidates(query, min_overlap, max_scale_ratio, min_points) for query in range(len(self))
        ]
        queries = np.repeat(np.arange(len(self)), [len(rows) for rows in found])
        positives = np.concatenate(found) if found else np.empty(0, dtype=np.int64)
        return queries.astype(np.int64), positives.astype(np.int64)
