"""Queries and their labels, made from what the renderer knows: easy, hard and junk by shared 3D points.

The structure is that of the revisited Oxford and Paris benchmarks. The validation landmarks are measured
with it while a network is tuned, the test landmarks (``gem_lite.toytown.held_out``) once, at the end.
"""

import numpy as np
from numpy.typing import NDArray

from gem_lite.toytown.covisibility import overlap
from gem_lite.toytown.dataset import ImageSet
from gem_lite.toytown.renderer import LANDMARK

QUERIES_PER_LANDMARK = 3
EASY_OVERLAP = 0.5
HARD_OVERLAP = 0.2
# A view makes a good query when enough of the landmark is there to be recognised.
MIN_QUERY_POINTS = 120 / 900
MIN_QUERY_SHARE = 0.12
BOX_MARGIN = 2


def query_views(test: ImageSet) -> NDArray[np.int64]:
    """Rows of the first views of each landmark that show enough of it, at most three per landmark.

    Raises:
        ValueError: where no view of any landmark is good enough.
    """
    points = test.visible.mean(axis=1)
    share = (test.masks == LANDMARK).mean(axis=(1, 2))
    good = (points >= MIN_QUERY_POINTS) & (share > MIN_QUERY_SHARE)
    chosen = [
        np.flatnonzero(good & (test.landmarks == landmark))[:QUERIES_PER_LANDMARK]
        for landmark in np.unique(test.landmarks)
    ]
    rows = np.concatenate(chosen).astype(np.int64)
    if not len(rows):
        raise ValueError("no view shows enough of its landmark to be a query: is there too much clutter?")
    return rows


def labels(test: ImageSet, query: int) -> dict[str, list[int]]:
    """One query's entry in the ground truth: its box and the rows that are easy, hard and junk.

    Easy images observe at least half of the query's points, hard ones at least a fifth; other views of the
    landmark, and the query itself, count neither for nor against a method.
    """
    views = np.flatnonzero(test.landmarks == test.landmarks[query])
    others = views[views != query]
    shares = overlap(test.visible, query, others)
    return {
        "bbx": landmark_box(test.masks[query]),
        "easy": others[shares >= EASY_OVERLAP].tolist(),
        "hard": others[(shares >= HARD_OVERLAP) & (shares < EASY_OVERLAP)].tolist(),
        "junk": sorted([query, *others[shares < HARD_OVERLAP].tolist()]),
    }


def landmark_box(mask: NDArray[np.uint8], margin: int = BOX_MARGIN) -> list[int]:
    """Box [x1, y1, x2, y2] around the landmark's pixels, grown by ``margin`` pixels; x2 and y2 are excluded.

    >>> mask = np.zeros((8, 8), dtype=np.uint8)
    >>> mask[3:5, 4:7] = LANDMARK
    >>> landmark_box(mask)
    [2, 1, 8, 7]
    """
    rows, columns = np.nonzero(mask == LANDMARK)
    height, width = mask.shape
    return [
        max(0, int(columns.min()) - margin),
        max(0, int(rows.min()) - margin),
        min(width, int(columns.max()) + 1 + margin),
        min(height, int(rows.max()) + 1 + margin),
    ]
