"""Queries with the positives that the three rules give them."""

from collections.abc import Mapping, Sequence

import numpy as np
from matplotlib.figure import Figure

from figures import ranked_strip, style
from gem_lite import toytown
from gem_lite.mining import positives
from gem_lite.off_the_shelf import pretrained
from gem_lite.toytown.covisibility import overlap
from gem_lite.train import TrainConfig, TrainingData, mac_descriptors

SIZE = 160  # pixels of a picture


def first_queries(images: toytown.ImageSet, count: int, candidates: int = 4) -> np.ndarray:
    """Rows of the first image of each of the first landmarks with so many candidates: chosen by nobody.

    Fewer than `count` where there are not so many.
    """
    queries, _ = images.covisibility.pairs()
    rows, found = np.unique(queries, return_counts=True)
    rows = rows[found >= candidates]
    _, first = np.unique(images.landmarks[rows], return_index=True)
    return np.asarray(rows[first][:count])


def strips(
    images: toytown.ImageSet, queries: np.ndarray, partners: Mapping[str, np.ndarray]
) -> list[ranked_strip.Strip]:
    """A strip for each query: its partner under each name, with the overlap below.

    Args:
        images: the split.
        queries: (Q,) rows.
        partners: (Q,) rows under each name.
    """
    found = []
    for place, query in enumerate(queries):
        answers = []
        for name, rows in partners.items():
            row = int(rows[place])
            share = overlap(images.visible, int(query), np.array([row]))[0]
            picture = images.larger(row, SIZE).image
            answers.append(ranked_strip.Answer(picture, f"{name}, {100 * share:.0f} %", "positive"))
        found.append(ranked_strip.Strip(images.larger(int(query), SIZE).image, answers))
    return found


def draw(drawn: Sequence[ranked_strip.Strip]) -> Figure:
    """A row for each query."""
    return ranked_strip.draw(drawn)


def draw_sample() -> Figure:
    """Four queries of ``lite`` with m1, m2 and three draws of m3."""
    images, net = toytown.load("lite", 0), pretrained("lite", 0, "mac")
    known, queries = images.covisibility, first_queries(images, 4)
    mac = mac_descriptors(net, TrainingData(images.images, known), TrainConfig())
    partners = {"m1": positives(queries, known, "m1", mac), "m2": positives(queries, known, "m2")}
    partners |= {f"m3 ({draw_})": positives(queries, known, "m3", seed=draw_) for draw_ in (1, 2, 3)}
    return draw(strips(images, queries, partners))


if __name__ == "__main__":
    style.write_from_command_line(draw_sample, "Draw queries with their positives under m1, m2 and m3.")
