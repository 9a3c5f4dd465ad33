"""Where matching pairs and hard negatives lie, before and after training, beside the margin."""

from collections.abc import Mapping
from dataclasses import dataclass

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.figure import Figure

from figures import style
from gem_lite import toytown
from gem_lite.extract import extract
from gem_lite.fine_tuned import fine_tuned
from gem_lite.mining import hard_negatives, positives
from gem_lite.network import RetrievalNet
from gem_lite.off_the_shelf import pretrained
from gem_lite.toytown.dataset import ImageSet


@dataclass(frozen=True, eq=False)
class Distances:
    """Of each query to its positive (Q,) and to its hard negatives (Q, count)."""

    positive: np.ndarray
    negative: np.ndarray


def measure(net: RetrievalNet, images: ImageSet, seed: int = 0, count: int = 5) -> Distances:
    """Tuples from a whole split: every possible query, a positive by m3, negatives by this network."""
    known = images.covisibility
    queries = np.unique(known.pairs()[0])
    x = extract(net, images.images, size=None, progress=False)
    matches = positives(queries, known, "m3", seed=seed)
    found = hard_negatives(x[queries], x, known.clusters[queries], known.clusters, count)
    return between(x, queries, matches, found)


def between(x: np.ndarray, queries: np.ndarray, matches: np.ndarray, found: np.ndarray) -> Distances:
    """Distances within tuples of described images.

    Args:
        x: (N, D) descriptors.
        queries, matches: (Q,) rows; a query and its positive.
        found: (Q, count) rows, its negatives.
    """
    return Distances(
        positive=np.linalg.norm(x[queries] - x[matches], axis=1),
        negative=np.linalg.norm(x[queries][:, None] - x[found], axis=2),
    )


def draw(measured: Mapping[str, Distances], margin: float) -> Figure:
    """A panel for each network, with one axis for all; dotted line at the margin."""
    figure, axes = plt.subplots(
        len(measured), 1, figsize=(7.2, 1.9 * len(measured)), sharex=True, squeeze=False
    )
    everything = [d for pair in measured.values() for d in (pair.positive, pair.negative.ravel())]
    bins = np.linspace(0, max(values.max() for values in everything), 31)
    for ax, (name, pair) in zip(axes[:, 0], measured.items(), strict=True):
        ax.hist(
            pair.negative.ravel(),
            bins,
            density=True,
            color=style.NEGATIVE,
            alpha=0.45,
            label="hard negatives",
        )
        ax.hist(
            pair.positive,
            bins,
            density=True,
            histtype="step",
            color=style.POSITIVE,
            lw=2.2,
            label="positives",
        )
        ax.axvline(margin, color=style.INK, lw=1.2, ls=":")
        ax.set(title=name, yticks=[])
        ax.grid(False)
        ax.spines["left"].set_visible(False)
    axes[0, 0].legend(loc="upper right")
    axes[-1, 0].set_xlabel("distance to the query")
    return figure


def draw_sample() -> Figure:
    """The validation images of ``lite``."""
    images = toytown.load("lite", 0, "val")
    nets = {"off the shelf": pretrained("lite", 0), "fine-tuned": fine_tuned("lite", 0)[0]}
    return draw({name: measure(net, images) for name, net in nets.items()}, margin=0.5)


if __name__ == "__main__":
    style.write_from_command_line(draw_sample, "Draw distances of pairs before and after fine-tuning.")
