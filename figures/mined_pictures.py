"""A training query with its positive and the hard negatives that each of several networks finds."""

from collections.abc import Mapping

import numpy as np
from matplotlib.figure import Figure

from figures import ranked_strip, style
from figures.collection import Pictures
from figures.material import Town
from gem_lite.extract import extract
from gem_lite.images import read_image, resize_image
from gem_lite.mining import hard_negatives, positives

SIZE = 160  # pixels of a picture, at most


def strips(
    pictures: Pictures, query: int, match: int, found: Mapping[str, tuple[np.ndarray, np.ndarray]]
) -> list[ranked_strip.Strip]:
    """A strip for each network: the query, its positive, its hard negatives, with their cosines.

    Args:
        pictures: what rows count in.
        query, match: rows.
        found: name of each network to the rows (count,) of its negatives and the cosines (1 + count,) of
            positive and negatives.
    """

    def answer(row: int, cosine: float, kind: str) -> ranked_strip.Answer:
        return ranked_strip.Answer(_picture(pictures, row), f"{cosine:.2f}", kind)

    return [
        ranked_strip.Strip(
            _picture(pictures, query),
            [
                answer(match, cosines[0], "positive"),
                *(answer(row, value, "negative") for row, value in zip(rows, cosines[1:], strict=True)),
            ],
            text=name,
        )
        for name, (rows, cosines) in found.items()
    ]


def _picture(pictures: Pictures, row: int) -> np.ndarray:
    return np.asarray(resize_image(read_image(pictures.images[row]), SIZE))


def draw(
    pictures: Pictures,
    query: int,
    match: int,
    negatives: Mapping[str, np.ndarray],
    described: Mapping[str, np.ndarray],
) -> Figure:
    """What each network takes for hard, one below the other.

    Args:
        pictures, query, match: as in `strips`.
        negatives: name of each network to the rows (count,) that it finds.
        described: the same names to the descriptors (N, D).
    """
    found = {}
    for name, rows in negatives.items():
        x = described[name]
        found[name] = (rows, x[[match, *rows]] @ x[query])
    return ranked_strip.draw(strips(pictures, query, match, found))


def draw_sample() -> Figure:
    """The first training query of ``lite``."""
    given = Town()
    train = given.train()
    known = train.covisibility
    query = int(known.pairs()[0][0])
    match = int(positives([query], known, "m3")[0])
    nets = {"off the shelf": given.off_the_shelf(), "fine-tuned": given.fine_tuned()}
    x = {name: extract(net, train.images, size=train.size, progress=False) for name, net in nets.items()}
    own, clusters = known.clusters[[query]], known.clusters
    negatives = {name: hard_negatives(y[[query]], y, own, clusters)[0] for name, y in x.items()}
    return draw(train, query, match, negatives, x)


if __name__ == "__main__":
    style.write_from_command_line(draw_sample, "Draw a query's hard negatives before and after training.")
