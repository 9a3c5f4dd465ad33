"""How good a ranking is: average precision, the protocols of Oxford and Paris, and how sure we can be.

Everything is in 0..1 (the book prints percent). A query without positives has no average precision: it is
NaN and stays out of every mean.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from gem_lite.seeds import stream

IntArray = npt.NDArray[np.integer[Any]]
FloatArray = npt.NDArray[np.float64]

# Which lists of a ground truth are positives and which are junk (neither right nor wrong).
PROTOCOLS: dict[str, tuple[tuple[str, ...], tuple[str, ...]]] = {
    "easy": (("easy",), ("junk", "hard")),
    "medium": (("easy", "hard"), ("junk",)),
    "hard": (("hard",), ("junk", "easy")),
    "classic": (("ok",), ("junk",)),
}


def _precisions(positive_ranks: npt.ArrayLike, n_positives: int) -> tuple[FloatArray, FloatArray]:
    """Precision just before and just after each positive is met on the way down the list."""
    ranks = np.asarray(positive_ranks, dtype=np.int64)
    if ranks.ndim != 1 or (np.diff(ranks) <= 0).any() or (ranks < 0).any():
        raise ValueError("positive_ranks must be increasing positions that count from 0, without repeats")
    if len(ranks) > n_positives:
        raise ValueError(f"{len(ranks)} positives were found, but n_positives says there are {n_positives}")
    found = np.arange(len(ranks))
    before = np.where(ranks == 0, 1.0, found / np.maximum(ranks, 1))
    return before, (found + 1) / (ranks + 1)


def average_precision(positive_ranks: npt.ArrayLike, n_positives: int) -> float:
    """Area under the precision-recall curve by trapezoids: the AP of Oxford, Paris and all their papers.

    Args:
        positive_ranks: (found,) increasing positions of the positives, counted from 0, junk already removed.
        n_positives: how many positives there are; those that were not found count as never found.

    Returns:
        AP in 0..1; NaN where there are no positives.

    Raises:
        ValueError: for positions that are not increasing, or more of them than positives.

    It is not the AP of scikit-learn, which is `finite_average_precision`. One positive in second place:

    >>> average_precision([1], 1), finite_average_precision([1], 1)
    (0.25, 0.5)

    Chapter: 01_retrieval.
    """
    before, after = _precisions(positive_ranks, n_positives)
    return float((before + after).sum() / (2 * n_positives)) if n_positives else float("nan")


def finite_average_precision(positive_ranks: npt.ArrayLike, n_positives: int) -> float:
    """Mean precision at the positives, the textbook sum; shown beside `average_precision`, never reported.

    Arguments, result and errors as there.
    """
    _, after = _precisions(positive_ranks, n_positives)
    return float(after.sum() / n_positives) if n_positives else float("nan")


def precision_at(positive_ranks: npt.ArrayLike, n_positives: int, k: int) -> float:
    """Share of positives among the first k: the plain definition.

    With two positives in all, both on top, P@5 is 2 of 5, although the ranking could not be better:

    >>> precision_at([0, 1], 2, k=5), reference_precision_at([0, 1], 2, k=5)
    (0.4, 1.0)
    """
    return _share_found(positive_ranks, n_positives, k)


def reference_precision_at(positive_ranks: npt.ArrayLike, n_positives: int, k: int) -> float:
    """P@k as the benchmarks' code counts it: over the places down to the last positive, if that is above k.

    In a list cut short, a positive that was not found lies below the cut; the result is that of the whole
    list if at least k places are left in the list after the junk is removed.
    """
    ranks = np.asarray(positive_ranks, dtype=np.int64)
    all_found = len(ranks) == n_positives and n_positives > 0
    return _share_found(ranks, n_positives, min(int(ranks[-1]) + 1, k) if all_found else k)


def _share_found(positive_ranks: npt.ArrayLike, n_positives: int, places: int) -> float:
    if places < 1:
        raise ValueError(f"precision is taken over at least one place, not {places}")
    if n_positives == 0:
        return float("nan")
    return float((np.asarray(positive_ranks) < places).sum() / places)


def ranks_of_positives(ranking: IntArray, positives: npt.ArrayLike, junk: npt.ArrayLike) -> IntArray:
    """Where the positives stand in one ranking, once the junk has been taken out of it.

    Args:
        ranking: (N,) database indices, best first; may be cut short.
        positives: database indices that answer the query.
        junk: database indices to pass over, as if they were not in the database.

    Returns:
        (found,) int64 positions, counted from 0, increasing.

    >>> ranks_of_positives(np.array([7, 3, 5, 4]), positives=[5, 4], junk=[7])
    array([1, 2])

    Chapter: 01_retrieval.
    """
    is_junk = np.isin(ranking, np.asarray(junk, dtype=np.int64))
    found = np.flatnonzero(np.isin(ranking, np.asarray(positives, dtype=np.int64)))
    junk_above: IntArray = np.cumsum(is_junk) - is_junk
    return found - junk_above[found]


@dataclass(frozen=True)
class Evaluation:
    """What `evaluate` found, all in 0..1."""

    map: float  # mean of aps over the queries that have positives
    mp: FloatArray  # (kappas,) mean precision at each kappa, over the same queries
    aps: FloatArray  # (Q,) average precision; NaN for a query without positives
    precisions: FloatArray  # (Q, kappas); NaN likewise
    kappas: tuple[int, ...]
    protocol: str


def evaluate(
    ranks: IntArray,
    ground_truth: Sequence[Mapping[str, Any]],
    protocol: str = "medium",
    kappas: Sequence[int] = (1, 5, 10),
) -> Evaluation:
    """Average precision and precision at k of every query, and their means.

    Args:
        ranks: (Q, N) database indices, best first; every query may be cut to its first N.
        ground_truth: for each query a mapping of index lists, as in a gnd file: easy, hard and junk
            (revisited Oxford and Paris, Toytown) or ok and junk (the classic sets).
        protocol: "easy", "medium" (easy and hard images are positives), "hard" or "classic". What is not
            positive but shows the landmark is junk.
        kappas: the k of mP@k, as the benchmarks count it (`reference_precision_at`).

    Raises:
        ValueError: for an unknown protocol, lists that the protocol needs and the ground truth lacks, or
            another number of rankings than queries.

    Source: the evaluation code of Radenović et al., "Revisiting Oxford and Paris" (CVPR 2018).
    Chapter: 01_retrieval.
    """
    if protocol not in PROTOCOLS:
        raise ValueError(f"unknown protocol {protocol!r}; known: {', '.join(PROTOCOLS)}")
    ranks = np.asarray(ranks)
    if ranks.ndim != 2 or len(ranks) != len(ground_truth):
        raise ValueError(
            f"ranks must be (queries, database), one row for each of the {len(ground_truth)} queries of the "
            f"ground truth; their shape is {ranks.shape}"
        )
    aps = np.full(len(ranks), np.nan)
    precisions = np.full((len(ranks), len(kappas)), np.nan)
    for query, ranking in enumerate(ranks):
        positives, junk = positives_and_junk(ground_truth[query], protocol)
        found = ranks_of_positives(ranking, positives, junk)
        aps[query] = average_precision(found, len(positives))
        precisions[query] = [reference_precision_at(found, len(positives), k) for k in kappas]
    answered = ~np.isnan(aps)
    if not answered.any():
        return Evaluation(
            float("nan"), np.full(len(kappas), np.nan), aps, precisions, tuple(kappas), protocol
        )
    mean_precisions = precisions[answered].mean(axis=0)
    return Evaluation(float(aps[answered].mean()), mean_precisions, aps, precisions, tuple(kappas), protocol)


def positives_and_junk(truth: Mapping[str, Any], protocol: str) -> tuple[list[int], list[int]]:
    """The positives and the junk of one query under a protocol.

    Raises:
        ValueError: where the ground truth lacks a list that the protocol needs.
    """
    positive_lists, junk_lists = PROTOCOLS[protocol]
    # The classic files leave `junk` out where there is none.
    missing = [name for name in (*positive_lists, *junk_lists) if name not in truth and name != "junk"]
    if missing:
        raise ValueError(
            f"protocol {protocol!r} needs {', '.join(missing)}, but this ground truth has only "
            f"{', '.join(truth)}: revisited ground truths take easy, medium or hard, older ones classic"
        )
    positives = [int(index) for name in positive_lists for index in truth[name]]
    junk = [int(index) for name in junk_lists for index in truth.get(name, ())]
    return positives, junk


@dataclass(frozen=True)
class Interval:
    """A mean and the interval that a bootstrap gives it."""

    mean: float
    low: float
    high: float

    @property
    def excludes_zero(self) -> bool:
        """Whether the interval lies on one side of zero: for a difference, whether its sign is settled."""
        return self.low > 0 or self.high < 0


def bootstrap(
    aps_a: npt.ArrayLike,
    aps_b: npt.ArrayLike | None = None,
    groups: npt.ArrayLike | None = None,
    *,
    level: float = 0.95,
    resamples: int = 10_000,
    seed: int = 0,
) -> Interval:
    """Mean average precision with its percentile bootstrap interval; of a minus b, paired, if b is given.

    Queries of one landmark are not independent of each other: where `groups` names the landmark of each
    query, whole landmarks are drawn, not queries.

    Args:
        aps_a: (Q,) average precisions; NaN (no positives) is left out.
        aps_b: (Q,) those of another method on the same queries: the result is the mean of aps_a - aps_b.
        groups: (Q,) any labels; without them every query is its own group.
        level: of the interval.
        resamples: how often the groups are drawn.
        seed: of the draws.

    Raises:
        ValueError: for unequal lengths, or fewer than two groups with positives.

    >>> bootstrap([0.5, 0.75], [0.25, 0.5])  # the same gain for every query: no doubt about it
    Interval(mean=0.25, low=0.25, high=0.25)

    Chapter: 01_retrieval.
    """
    values = np.asarray(aps_a, dtype=np.float64)
    if aps_b is not None:
        if np.shape(aps_b) != values.shape:
            raise ValueError(
                f"aps_a has shape {values.shape}, aps_b {np.shape(aps_b)}: pairs need equal ones"
            )
        values = values - np.asarray(aps_b, dtype=np.float64)
    labels = np.arange(len(values)) if groups is None else np.asarray(groups)
    if labels.shape != values.shape:
        raise ValueError(f"groups must name one group per query: shape {labels.shape} for {values.shape}")
    answered = ~np.isnan(values)
    values = values[answered]
    names, group = np.unique(labels[answered], return_inverse=True)
    if len(names) < 2:
        raise ValueError(f"a bootstrap needs at least two groups with positives, found {len(names)}")

    sums = np.bincount(group, weights=values)
    sizes = np.bincount(group)
    draws = stream("bootstrap", seed).multinomial(
        len(names), np.full(len(names), 1 / len(names)), size=resamples
    )
    means = (draws @ sums) / (draws @ sizes)
    low, high = np.quantile(means, [(1 - level) / 2, (1 + level) / 2])
    return Interval(float(values.mean()), float(low), float(high))
