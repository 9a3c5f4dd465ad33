"""What the retrieval playground works on: few images, described by several networks at several exponents.

Everything is rounded to 16 bits here, once, so that Python and the browser compute with the same numbers.
"""

import copy
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, TypeVar

import numpy as np
import torch
import torch.nn.functional as F
from numpy.typing import NDArray
from torch import Tensor, nn

from gem_lite.extract import extract
from gem_lite.network import RetrievalNet
from gem_lite.pooling import gem, mac, spoc
from gem_lite.whitening import LearnedWhitening, PCAWhitening

STOPS = (1.0, 1.5, 2.0, 3.0, 5.0, 10.0, 30.0, math.inf)
FITTED = (1.0, 3.0, math.inf)  # exponents at which whitening is learned
LARGEST = 2**15 - 1  # of 16 bits

Whitening = PCAWhitening | LearnedWhitening
W = TypeVar("W", PCAWhitening, LearnedWhitening)
Float64Array = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class Described:
    """One network's descriptors at each of its exponents, and what whitens them.

    ``state`` ("off the shelf", "fine-tuned") and ``pooling``, with which it was trained, name the network;
    ``database`` (S, N, D) and ``queries`` (S, Q, D) are of unit length, one layer for each of ``stops``;
    ``whitenings`` gives "PCAw" and "Lw" for each exponent at which they were learned.
    """

    state: str
    pooling: str
    stops: tuple[float, ...]
    database: NDArray[np.floating[Any]]
    queries: NDArray[np.floating[Any]]
    whitenings: Mapping[float, Mapping[str, Whitening]]


@dataclass(frozen=True, eq=False)
class Collection:
    """Images (N, S, S, 3) that are searched, and for each query what is right.

    ``query_rows`` (Q,) says where each query lies among the images; ``ground_truth`` has, as in a gnd file,
    its box ``bbx`` and the rows that are ``easy``, ``hard`` and ``junk``.
    """

    images: NDArray[np.uint8]
    query_rows: NDArray[np.int64]
    ground_truth: Sequence[Mapping[str, Any]]
    described: tuple[Described, ...] = ()

    @property
    def boxes(self) -> list[Any]:
        """The part of its image that each query asks with, in pixels."""
        return [truth["bbx"] for truth in self.ground_truth]

    @property
    def dimensions(self) -> int:
        """The most components that any whitening has."""
        every = [w for d in self.described for both in d.whitenings.values() for w in both.values()]
        return max(len(whitening.components_) for whitening in every)

    def rounded(self) -> "Collection":
        """The same with all numbers as they travel to the page, see `to_integers`."""
        return replace(self, described=tuple(_rounded(described) for described in self.described))


class _AtExponents(nn.Module):
    """Unit descriptors at several exponents side by side: the network's body, which costs most, runs once."""

    def __init__(self, stops: Sequence[float]) -> None:
        super().__init__()
        self.stops = tuple(stops)

    def forward(self, x: Tensor) -> Tensor:
        return torch.cat([F.normalize(_pooled(x, p), dim=1) for p in self.stops], dim=1)


def _pooled(x: Tensor, p: float) -> Tensor:
    """GeM, which is SPoC and MAC at its limits: they are what is meant there, to the last digit."""
    if p == 1:
        return spoc(x)
    return mac(x) if math.isinf(p) else gem(x, p)


def descriptors_at(
    net: RetrievalNet,
    images: NDArray[np.uint8],
    stops: Sequence[float] = STOPS,
    boxes: Sequence[Any] | None = None,
) -> NDArray[np.float32]:
    """Descriptors (S, N, D) of images (N, H, W, 3) under GeM with each exponent; 1 is SPoC, ``math.inf`` MAC.

    Each layer is what `gem_lite.extract.extract` gives for that pooling, at the images' own size.
    """
    mean, std = (values.flatten().tolist() for values in (net.mean, net.std))
    many = RetrievalNet(net.backbone, _AtExponents(stops), mean=mean, std=std)
    rows = extract(many, images, size=None, boxes=boxes, progress=False)
    layers = rows.reshape(len(images), len(stops), -1).transpose(1, 0, 2)
    return np.asarray(layers / np.linalg.norm(layers, axis=2, keepdims=True))


def choose(
    landmarks: NDArray[np.int64],
    query_rows: NDArray[np.int64],
    rankings: Sequence[NDArray[np.int64]],
    difficulty: NDArray[np.float64],
    views: int = 120,
    confusing: int = 60,
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """A few landmarks of a database with all their views, and the images most easily taken for them.

    Args:
        landmarks: (N,) what each image of the database shows.
        query_rows: (Q,) where the queries lie in it.
        rankings: one (Q, N) for each network that is to be confused; all have an equal say.
        difficulty: (Q,) any measure, NaN for a query without positives; the landmarks are spread evenly over
            it.
        views: of the chosen landmarks together, at most (but those of one landmark at least).
        confusing: how many images of other landmarks.

    Returns:
        The images' rows, increasing, and the numbers of the queries of the chosen landmarks.
    """
    groups = landmarks[query_rows]
    answered = groups[~np.isnan(difficulty)]  # a landmark whose queries have no positives shows nothing
    named, sizes = np.unique(landmarks[np.isin(landmarks, answered)], return_counts=True)
    count = int(np.clip(views // sizes.max(), 1, len(named)))
    mean = [np.nanmean(difficulty[groups == name]) for name in named]
    places = np.linspace(0, len(named) - 1, count).round().astype(int)
    chosen = named[np.argsort(mean, kind="stable")[places]]
    shown = np.isin(landmarks, chosen)
    queries = np.flatnonzero(np.isin(groups, chosen))
    # The first answer of every query in every ranking, then every second answer, and so on.
    answers = np.concatenate([ranking[queries] for ranking in rankings]).T.ravel()
    others = list(dict.fromkeys(answers[~shown[answers]].tolist()))[:confusing]
    return np.sort(np.concatenate([np.flatnonzero(shown), np.array(others, dtype=np.int64)])), queries


def subset(
    images: NDArray[np.uint8],
    query_rows: NDArray[np.int64],
    ground_truth: Sequence[Mapping[str, Any]],
    rows: NDArray[np.int64],
    queries: NDArray[np.int64],
) -> Collection:
    """Some rows of a database and some of its queries, with a ground truth that counts in the new rows.

    Raises:
        KeyError: for a query, or an image that is easy, hard or junk for one, that is not among the rows.
    """
    new = {int(row): place for place, row in enumerate(rows)}
    kept = []
    for truth in (ground_truth[query] for query in queries.tolist()):
        lists = {kind: [new[row] for row in truth[kind]] for kind in ("easy", "hard", "junk")}
        kept.append({"bbx": list(truth["bbx"]), **lists})
    moved = np.array([new[int(row)] for row in query_rows[queries]], dtype=np.int64)
    return Collection(images[rows], moved, kept)


@dataclass(frozen=True, eq=False)
class Integers:
    """Rows (N, D) as 16-bit integers: a number is ``values[i, j] * by_row[i] * by_column[j]``.

    Every channel has its own scale, since whitening makes hardly used channels as large as all others.
    """

    values: NDArray[np.int16]
    by_row: NDArray[np.float32]
    by_column: NDArray[np.float32]

    def numbers(self) -> Float64Array:
        """The rows as they are read back, in the page as in Python."""
        scaled = self.values * self.by_row[:, None].astype(np.float64)
        return np.asarray(scaled * self.by_column.astype(np.float64))


def to_integers(rows: NDArray[np.floating[Any]]) -> Integers:
    """Rows (N, D) with 16 bits for each number.

    >>> to_integers(np.array([[1.0, -0.5], [0.0, 0.0]])).numbers().round(4).tolist()
    [[1.0, -0.5], [0.0, 0.0]]
    """
    exact = rows.astype(np.float64)
    by_column = _scales(exact, 0)
    exact = exact / by_column
    by_row = _scales(exact / LARGEST, 1)
    return Integers(np.rint(exact / by_row[:, None]).astype(np.int16), by_row, by_column)


def _scales(rows: Float64Array, axis: int) -> NDArray[np.float32]:
    """The largest number along an axis as float32, rounded up: nothing may become larger than 1."""
    tops = np.abs(rows).max(axis=axis, initial=0.0).astype(np.float32)
    return np.nextafter(np.where(tops > 0, tops, np.float32(1)), np.float32(np.inf))


def rounded(rows: NDArray[np.floating[Any]]) -> Float64Array:
    """Rows (N, D) after their way to the page."""
    return to_integers(rows).numbers()


def unit(rows: Float64Array) -> Float64Array:
    """Rows (..., D) brought to length one; a zero row stays zero."""
    return np.asarray(rows / np.maximum(np.linalg.norm(rows, axis=-1, keepdims=True), np.finfo(float).tiny))


def _rounded(described: Described) -> Described:
    return replace(
        described,
        database=np.stack([unit(rounded(layer)) for layer in described.database]),
        queries=np.stack([unit(rounded(layer)) for layer in described.queries]),
        whitenings={
            p: {name: _rounded_whitening(whitening) for name, whitening in both.items()}
            for p, both in described.whitenings.items()
        },
    )


def _rounded_whitening(whitening: W) -> W:
    new = copy.copy(whitening)
    new.mean_ = rounded(whitening.mean_[None])[0]
    new.components_ = rounded(whitening.components_)
    return new
