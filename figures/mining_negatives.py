"""Queries with the hard negatives that two ways of mining find for them."""

from collections.abc import Mapping, Sequence

import numpy as np
from matplotlib.figure import Figure

from figures import ranked_strip, style
from gem_lite import toytown
from gem_lite.extract import extract
from gem_lite.mining import hard_negatives
from gem_lite.off_the_shelf import pretrained

SIZE = 160  # pixels of a picture


def distinct(landmarks: np.ndarray) -> np.ndarray:
    """How many landmarks each row of (Q, count) names; (Q,)."""
    return np.array([len(np.unique(row)) for row in landmarks])


def strips(
    images: toytown.ImageSet, query: int, found: Mapping[str, tuple[np.ndarray, np.ndarray]]
) -> list[ranked_strip.Strip]:
    """A strip for each way of mining: the query, then its negatives with their cosines.

    Args:
        images: the split.
        query: a row.
        found: rows (count,) and their cosines (count,) under the name of each way.
    """
    picture = images.larger(query, SIZE).image
    return [
        ranked_strip.Strip(
            picture,
            [
                ranked_strip.Answer(images.larger(int(row), SIZE).image, f"{cosine:.2f}", "negative")
                for row, cosine in zip(rows, cosines, strict=True)
            ],
            text=name,
        )
        for name, (rows, cosines) in found.items()
    ]


def draw(drawn: Sequence[ranked_strip.Strip]) -> Figure:
    """A row for each strip."""
    return ranked_strip.draw(drawn)


def draw_sample() -> Figure:
    """The most repetitive of the first hundred queries of ``lite``, with and without one per landmark."""
    images = toytown.load("lite", 0)
    x = extract(pretrained("lite", 0), images.images, size=None, progress=False)
    own, clusters = images.landmarks[:100], images.landmarks
    ways = {
        name: hard_negatives(x[:100], x, own, clusters, one_per_cluster=limited)
        for name, limited in (("any number", False), ("one per landmark", True))
    }
    query = int(distinct(clusters[ways["any number"]]).argmin())
    found = {name: (rows[query], x[rows[query]] @ x[query]) for name, rows in ways.items()}
    return draw(strips(images, query, found))


if __name__ == "__main__":
    style.write_from_command_line(draw_sample, "Draw hard negatives with and without one per landmark.")
