"""Descriptors by the million, drawn with the mean and covariance of a small real set.

Time and memory of a search depend on how many descriptors there are, its quality on how they lie. So the
drawn ones are Gaussian with the moments of real ones, and scaled to unit length: landmarks scatter as the
means of real landmarks do, views of one around it as real views do.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from gem_lite.seeds import stream

FloatArray = npt.NDArray[np.floating[Any]]
Float32Array = npt.NDArray[np.float32]

# Rows drawn from one stream, so that row 123,456 is the same however the rows are asked for.
BLOCK = 4096


@dataclass(frozen=True)
class Moments:
    """Mean and covariances of a set of descriptors; the total covariance is the sum of the two."""

    mean: FloatArray  # (D,)
    between: FloatArray  # (D, D), of the landmarks' means
    within: FloatArray  # (D, D), of the views around their landmark's mean


def moments(descriptors: FloatArray, clusters: npt.ArrayLike) -> Moments:
    """Moments of (N, D) descriptors whose landmarks are named by (N,) clusters.

    >>> found = moments(np.array([[1.0, 0], [3, 0], [2, 2], [2, 4]]), [0, 0, 1, 1])
    >>> found.mean.tolist(), np.diag(found.between).tolist(), np.diag(found.within).tolist()
    ([2.0, 1.5], [0.0, 2.25], [0.5, 0.5])
    """
    x = np.asarray(descriptors, dtype=np.float64)
    _, cluster = np.unique(clusters, return_inverse=True)
    sizes = np.bincount(cluster)
    means = np.stack([np.bincount(cluster, weights=column) for column in x.T], axis=1) / sizes[:, None]
    mean = x.mean(axis=0)
    views, centres = x - means[cluster], means[cluster] - mean
    return Moments(mean, centres.T @ centres / len(x), views.T @ views / len(x))


class Drawn:
    """A database of any size and its queries, drawn from moments: nothing is kept but the moments.

    The first rows are the positives, `positives` of each query in turn; all others are of landmarks of their
    own. A smaller database is the beginning of a larger one.

    Args:
        source: moments of a real set.
        queries: how many queries there are, Q.
        positives: of each query.
        dimensions: of the descriptors; more than the real set's are filled by a random rotation, which
            changes no inner product.
        seed: of all draws.

    Chapter: 13_going_large.
    """

    def __init__(
        self,
        source: Moments,
        queries: int = 70,
        positives: int = 10,
        dimensions: int | None = None,
        seed: int = 0,
    ) -> None:
        self.source, self.positives, self.seed = source, positives, seed
        own = len(source.mean)
        self.dimensions = own if dimensions is None else dimensions
        if self.dimensions < own:
            raise ValueError(f"{own} dimensions cannot be rotated into {dimensions}")
        self._between, self._within = (_root(each) for each in (source.between, source.within))
        self._total = _root(source.between + source.within)
        square = stream("drawn", "rotation", seed).normal(size=(self.dimensions, own))
        self._rotation = None if self.dimensions == own else np.linalg.qr(square)[0].T.astype(np.float32)
        rng = stream("drawn", "landmarks", seed)
        self._landmarks = source.mean + rng.normal(size=(queries, own)) @ self._between

    def queries(self) -> Float32Array:
        """(Q, D) one view of each query's landmark."""
        noise = stream("drawn", "queries", self.seed).normal(size=self._landmarks.shape)
        return self._finished(self._landmarks + noise @ self._within)

    def rows(self, start: int, stop: int) -> Float32Array:
        """(stop - start, D) rows of the database."""
        first, last = start // BLOCK, (stop - 1) // BLOCK
        blocks = np.concatenate([self._block(number) for number in range(first, last + 1)])
        return blocks[start - first * BLOCK : stop - first * BLOCK]

    def ground_truth(self) -> list[dict[str, list[int]]]:
        """For each query its positives, in the form of `gem_lite.evaluate`."""
        starts = np.arange(len(self._landmarks)) * self.positives
        return [
            {"easy": list(range(start, start + self.positives)), "hard": [], "junk": []} for start in starts
        ]

    def _block(self, number: int) -> Float32Array:
        noise = stream("drawn", "rows", self.seed, number).standard_normal(
            (BLOCK, len(self.source.mean)), dtype=np.float32
        )
        rows = self.source.mean + noise @ self._total
        landmark = np.arange(number * BLOCK, (number + 1) * BLOCK) // self.positives
        near = landmark < len(self._landmarks)
        rows[near] = self._landmarks[landmark[near]] + noise[near] @ self._within
        return self._finished(rows)

    def _finished(self, rows: FloatArray) -> Float32Array:
        unit = (rows / np.linalg.norm(rows, axis=1, keepdims=True)).astype(np.float32)
        return unit if self._rotation is None else np.asarray(unit @ self._rotation)


def _root(covariance: FloatArray) -> FloatArray:
    """A symmetric matrix whose square is the covariance, which may be singular."""
    values, vectors = np.linalg.eigh(covariance)
    root: FloatArray = (vectors * np.sqrt(np.maximum(values, 0))) @ vectors.T
    return root
