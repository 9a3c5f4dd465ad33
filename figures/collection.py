"""Pictures to learn from and pictures to search, rendered ones or files of photographs, in one form."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from gem_lite.images import read_image, resize_image
from gem_lite.toytown.covisibility import Covisibility
from gem_lite.toytown.dataset import ImageSet

Images = NDArray[np.uint8] | list[Path]


@dataclass(frozen=True, eq=False)
class Pictures:
    """N pictures and which of them match.

    ``images`` (N, S, S, 3) uint8, or N paths; ``size`` the longest side that a network sees, None for each
    picture's own; ``landmarks`` (N,) what each shows; ``pairs`` rows of queries and their matches;
    ``covisibility`` what mining asks.
    """

    images: Images
    size: float | None
    landmarks: NDArray[np.int64]
    pairs: tuple[NDArray[np.int64], NDArray[np.int64]]
    covisibility: Covisibility

    def __len__(self) -> int:
        return len(self.images)


@dataclass(frozen=True, eq=False)
class Collection:
    """A database, queries, and who is a right answer.

    ``queries`` are the whole pictures of the Q queries, whose boxes are in the ``ground_truth``. Of each,
    ``query_rows`` (Q,) says where it lies in the database, -1 where it does not, and ``query_groups`` (Q,)
    which landmark it shows: a bootstrap draws a landmark's queries as one. ``pairs`` are matching images of a
    validation set; ``town`` is the rendered set, None for photographs.
    """

    images: Images
    size: float | None
    queries: Images
    ground_truth: Sequence[Mapping[str, Any]]
    query_rows: NDArray[np.int64]
    query_groups: NDArray[Any]
    pairs: tuple[NDArray[np.int64], NDArray[np.int64]] | None = None
    town: ImageSet | None = None

    def __len__(self) -> int:
        return len(self.images)

    @property
    def boxes(self) -> list[Any]:
        """For each query (x1, y1, x2, y2) in its pixels, or None for all of it."""
        return [truth.get("bbx") for truth in self.ground_truth]

    def pixels(self, row: int) -> NDArray[np.uint8]:
        """(H, W, 3): a picture of the database as a network sees it."""
        return _resized(self.images[row], self.size)

    def query_pixels(self, query: int) -> NDArray[np.uint8]:
        """(H, W, 3): the whole picture of a query at the size at which a network sees it."""
        return _resized(self.queries[query], self.size)

    def shown(self, row: int, size: int) -> NDArray[np.uint8]:
        """(H, W, 3): a picture of the database for a figure; Toytown's is rendered at that size."""
        if self.town is not None:
            return self.town.larger(int(row), size).image
        return _resized(self.images[row], size)

    def shown_query(self, query: int, size: int) -> tuple[NDArray[np.uint8], list[float]]:
        """A query's picture for a figure, and its box in that."""
        if self.town is not None:
            picture = self.town.larger(int(self.query_rows[query]), size).image
        else:
            picture = _resized(self.queries[query], size)
        width, height = read_image(self.queries[query]).size
        box = self.boxes[query] or (0, 0, width, height)
        return picture, [side * max(picture.shape[:2]) / max(width, height) for side in box]

    def query_areas(self) -> NDArray[np.float64]:
        """(Q,) share of each query's picture that its box covers, 0..1."""
        shares = []
        for image, box in zip(self.queries, self.boxes, strict=True):
            width, height = read_image(image).size
            x1, y1, x2, y2 = box or (0, 0, width, height)
            shares.append((x2 - x1) * (y2 - y1) / (width * height))
        return np.array(shares)


def _resized(image: Path | NDArray[np.uint8], size: float | None) -> NDArray[np.uint8]:
    return np.array(resize_image(read_image(image), size))  # a copy: torch wants to be able to write
