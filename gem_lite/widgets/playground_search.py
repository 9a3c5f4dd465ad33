"""One setting of the retrieval playground, searched and judged with the library."""

import copy
import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from gem_lite.evaluate import Evaluation, evaluate, positives_and_junk, ranks_of_positives
from gem_lite.search import expand_queries, rank
from gem_lite.widgets.playground_data import Collection, Described, Float64Array, Whitening

FloatArray = NDArray[np.floating[Any]]

PROTOCOL = "medium"
POOLINGS = {"spoc": 1.0, "gem": None, "mac": math.inf}  # the exponent that a pooling stands for


@dataclass(frozen=True)
class Settings:
    """What a reader chooses; the names are those of the page's element, too.

    ``whitening`` is "none", "PCAw" or "Lw"; ``dimensions`` are those kept of it; ``n = 0`` is no expansion;
    ``p`` counts for GeM only.
    """

    state: str = "off the shelf"
    pooling: str = "gem"
    p: float = 3.0
    whitening: str = "none"
    dimensions: int = 2**10
    n: int = 0
    alpha: float = 3.0

    @property
    def exponent(self) -> float:
        """At which the maps are pooled."""
        fixed = POOLINGS[self.pooling]
        return self.p if fixed is None else fixed


@dataclass(frozen=True, eq=False)
class Found:
    """Rankings (Q, N) with their scores, and what they are worth."""

    ranks: NDArray[np.int64]
    scores: FloatArray
    evaluation: Evaluation


def find(described: Sequence[Described], settings: Settings) -> Described:
    """The network that was trained with the chosen pooling, or else the one that has the exponent.

    Raises:
        ValueError: where there is none; with the states and exponents that there are.
    """
    candidates = [d for d in described if d.state == settings.state and settings.exponent in d.stops]
    if not candidates:
        known = ", ".join(f"{d.state} at p = {d.stops}" for d in described)
        raise ValueError(f"no network {settings.state} at p = {settings.exponent:g}; there are: {known}")
    return next((d for d in candidates if d.pooling == settings.pooling), candidates[0])


def serving(p: float, fitted: Sequence[float]) -> float:
    """The exponent whose whitening serves p: the nearest in 1/√p, so that ∞ has a place.

    >>> [serving(p, (1.0, 3.0, math.inf)) for p in (1.5, 2.0, 10.0, 30.0)]
    [1.0, 3.0, 3.0, inf]
    """
    return min(fitted, key=lambda q: abs(p**-0.5 - q**-0.5))


def shortened(whitening: Whitening, dimensions: int) -> Whitening:
    """The whitening with its first components only; what it gives is brought to length one afterwards."""
    short = copy.copy(whitening)
    short.components_ = whitening.components_[:dimensions]
    return short


def descriptors(collection: Collection, settings: Settings) -> tuple[FloatArray, FloatArray]:
    """Database and queries of the chosen network, pooling and whitening, in float64."""
    described = find(collection.described, settings)
    layer = described.stops.index(settings.exponent)
    database: FloatArray = described.database[layer].astype(np.float64)
    queries: FloatArray = described.queries[layer].astype(np.float64)
    if settings.whitening != "none":
        at = serving(settings.exponent, tuple(described.whitenings))
        whitening = shortened(described.whitenings[at][settings.whitening], settings.dimensions)
        database, queries = whitening.transform(database), whitening.transform(queries)
    return database, queries


def search(collection: Collection, settings: Settings) -> Found:
    """All queries of the collection under one setting, under the Medium protocol."""
    database, queries = descriptors(collection, settings)
    if settings.n:
        own = collection.query_rows
        queries = expand_queries(queries, database, settings.n, settings.alpha, exclude=own)
    ranks, scores = rank(queries, database)
    return Found(ranks, scores, evaluate(ranks, collection.ground_truth, PROTOCOL))


def kinds(collection: Collection, query: int) -> NDArray[np.str_]:
    """(N,) what every image is to the query: positive, junk or negative."""
    positives, junk = positives_and_junk(collection.ground_truth[query], PROTOCOL)
    kind = np.full(len(collection.images), "negative")
    kind[positives], kind[junk] = "positive", "junk"
    return kind


def precision_recall(collection: Collection, found: Found, query: int) -> Float64Array:
    """Corners (recall, precision) of the curve whose area is the average precision: two for each positive."""
    positives, junk = positives_and_junk(collection.ground_truth[query], PROTOCOL)
    ranks = ranks_of_positives(found.ranks[query], positives, junk)
    corners = []
    for count, place in enumerate(ranks.tolist()):
        corners.append((count / len(positives), count / place if place else 1.0))
        corners.append(((count + 1) / len(positives), (count + 1) / (place + 1)))
    return np.array(corners, dtype=np.float64).reshape(-1, 2)
