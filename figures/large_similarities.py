"""Whether drawn descriptors lie as the real ones do: their similarities, side by side."""

from dataclasses import dataclass
from typing import Any

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.figure import Figure
from numpy.typing import ArrayLike, NDArray

from figures import style
from figures.described import described
from gem_lite import toytown
from gem_lite.drawn import Drawn, moments
from gem_lite.fine_tuned import fine_tuned

FloatArray = NDArray[np.floating[Any]]


@dataclass(frozen=True)
class Similarities:
    """Inner products of pairs of one landmark, and of pairs of two."""

    same: FloatArray
    other: FloatArray


def of_real(descriptors: FloatArray, clusters: ArrayLike) -> Similarities:
    """Of all pairs of (N, D) descriptors with (N,) landmarks."""
    first, second = np.triu_indices(len(descriptors), 1)
    names = np.asarray(clusters)
    same = names[first] == names[second]
    scores = (descriptors @ descriptors.T)[first, second]
    return Similarities(scores[same], scores[~same])


def of_drawn(drawn: Drawn, others: int = 4000) -> Similarities:
    """Of each query with its positives, and with `others` rows that are none."""
    queries, truth = drawn.queries(), drawn.ground_truth()
    first = len(queries) * drawn.positives
    database = drawn.rows(0, first + others)
    scores = queries @ database.T
    same = np.concatenate([row[each["easy"]] for row, each in zip(scores, truth, strict=True)])
    return Similarities(same, scores[:, first:].ravel())


def draw(real: Similarities, drawn: Similarities) -> Figure:
    """Densities of both kinds of pairs; areas are real, lines are drawn."""
    figure, ax = plt.subplots(figsize=(6.4, 3.2))
    low = min(float(np.quantile(each.other, 0.001)) for each in (real, drawn))
    bins = np.linspace(low, 1, 60)
    for kind, label, colour in (
        ("other", "two landmarks", style.NEGATIVE),
        ("same", "one landmark", style.POSITIVE),
    ):
        ax.hist(getattr(real, kind), bins, density=True, color=colour, alpha=0.35, label=f"{label}, real")
        ax.hist(
            getattr(drawn, kind),
            bins,
            density=True,
            histtype="step",
            color=colour,
            lw=2,
            label=f"{label}, drawn",
        )
    ax.set(xlabel="similarity", ylabel="density")
    ax.legend()
    return figure


def draw_sample() -> Figure:
    """The training images of ``lite`` by the fine-tuned network."""
    train = toytown.load("lite", 0, "train")
    vectors = described(fine_tuned("lite", 0)[0], train.images)
    clusters = train.covisibility.clusters
    return draw(of_real(vectors, clusters), of_drawn(Drawn(moments(vectors, clusters))))


if __name__ == "__main__":
    style.write_from_command_line(draw_sample, "Draw the similarities of real and of drawn descriptors.")
