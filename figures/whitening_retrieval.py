"""Retrieval with and without whitening: pictures are described once, and whitened many times."""

import warnings
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from figures.collection import Collection
from figures.described import described
from gem_lite.evaluate import Interval, evaluate
from gem_lite.network import RetrievalNet
from gem_lite.scatter import Pairs
from gem_lite.search import rank
from gem_lite.whitening import LearnedWhitening, PCAWhitening

Whitening = LearnedWhitening | PCAWhitening


@dataclass(frozen=True, eq=False)
class Search:
    """Descriptors of a database (N, D) and of queries (Q, D), and what is needed to judge a ranking.

    ``query_rows`` (Q,) says where each query lies in the database, -1 where it does not, and ``groups`` (Q,)
    which landmark it shows.
    """

    database: np.ndarray
    queries: np.ndarray
    query_rows: np.ndarray
    ground_truth: Sequence[Mapping[str, Any]]
    groups: np.ndarray

    def whitened(self, whitening: Whitening | None) -> "Search":
        """The same search in whitened descriptors; itself where there is no whitening."""
        if whitening is None:
            return self
        database, queries = whitening.transform(self.database), whitening.transform(self.queries)
        return Search(database, queries, self.query_rows, self.ground_truth, self.groups)

    def average_precisions(
        self, whitening: Whitening | None = None, protocol: str = "medium", queries: np.ndarray | None = None
    ) -> np.ndarray:
        """(Q,) average precisions, 0..1; `queries` (Q, D) replace its own, once these are whitened."""
        search = self.whitened(whitening)
        ranks, _ = rank(search.queries if queries is None else queries, search.database)
        return evaluate(ranks, self.ground_truth, protocol).aps


def describe(net: RetrievalNet, asked: Collection, scales: Sequence[float] = (1.0,)) -> Search:
    """Descriptors of a database, and of its queries, cropped to their boxes, at the same scales."""
    database = described(net, asked.images, scales, size=asked.size)
    queries = described(net, asked.queries, scales, asked.boxes, size=asked.size)
    return Search(database, queries, asked.query_rows, asked.ground_truth, asked.query_groups)


def distinct(pairs: Pairs) -> Pairs:
    """The same pairs, each two images once, in their order: rule m3 mostly names both of them as queries.

    >>> [row.tolist() for row in distinct((np.array([3, 1, 3]), np.array([1, 3, 2])))]
    [[3, 3], [1, 2]]
    """
    _, first = np.unique(np.sort(np.stack(pairs), axis=0), axis=1, return_index=True)
    first.sort()
    return pairs[0][first], pairs[1][first]


def fit_learned(
    rows: np.ndarray, pairs: Pairs | None, labels: npt.ArrayLike | None = None, **settings: Any
) -> LearnedWhitening:
    """`LearnedWhitening` without its warning: who calls this reports `shrinkage_`, which says the same."""
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", message=".*matching pairs do not differ.*")
        return LearnedWhitening(**settings).fit(rows, labels, pairs=pairs)


def both_whitenings(rows: np.ndarray, pairs: Pairs, dimension: int | None = None) -> dict[str, Whitening]:
    """PCA whitening and learned whitening of the same descriptors, with equally many components.

    By default as many as there are directions in which the rows (N, D) vary.
    """
    kept = len(PCAWhitening().fit(rows).components_) if dimension is None else dimension
    return {"PCAw": PCAWhitening(kept).fit(rows), "Lw": fit_learned(rows, pairs, n_components=kept)}


def over_dimensions(
    search: Search, rows: np.ndarray, pairs: Pairs, dimensions: Sequence[int]
) -> dict[str, np.ndarray]:
    """Average precisions "PCAw" and "Lw" (dimensions, Q), and "raw" (Q,), of whitenings learned from rows."""
    found: dict[str, list[np.ndarray]] = {"PCAw": [], "Lw": []}
    for dimension in dimensions:
        for name, whitening in both_whitenings(rows, pairs, dimension).items():
            found[name].append(search.average_precisions(whitening))
    return {"raw": search.average_precisions(), **{name: np.array(aps) for name, aps in found.items()}}


def verdict(difference: Interval) -> str:
    """What an interval of a difference settles, in words for the prose.

    >>> verdict(Interval(mean=0.02, low=-0.01, high=0.05))
    'undecided'
    """
    if not difference.excludes_zero:
        return "undecided"
    return "a gain" if difference.mean > 0 else "a loss"
