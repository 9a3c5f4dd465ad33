"""What the rules for positives choose: how much the chosen pair shares, and how alike it looks already."""

from collections.abc import Mapping
from dataclasses import dataclass

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.figure import Figure

from figures import style
from gem_lite import toytown
from gem_lite.mining import positives
from gem_lite.off_the_shelf import pretrained
from gem_lite.toytown.covisibility import MIN_OVERLAP, Covisibility, overlap, scale_ratio
from gem_lite.train import TrainConfig, TrainingData, mac_descriptors


@dataclass(frozen=True, eq=False)
class Pairs:
    """Overlap, scale ratio and cosine of M (query, partner) pairs, each (M,)."""

    overlaps: np.ndarray
    ratios: np.ndarray
    cosines: np.ndarray


def measure(known: Covisibility, descriptors: np.ndarray, queries: np.ndarray, partners: np.ndarray) -> Pairs:
    """What geometry and a network say of row-aligned pairs.

    Args:
        known: of all N images.
        descriptors: (N, D) by the network that is asked.
        queries, partners: (M,) rows.
    """
    pairs = [(int(q), np.array([p])) for q, p in zip(queries, partners, strict=True)]
    return Pairs(
        overlaps=np.array([overlap(known.visible, q, p)[0] for q, p in pairs]),
        ratios=np.array([scale_ratio(known.scales, q, p)[0] for q, p in pairs]),
        cosines=(descriptors[queries] * descriptors[partners]).sum(axis=1),
    )


def all_pairs(known: Covisibility) -> tuple[np.ndarray, np.ndarray]:
    """Every ordered pair of different images of one cluster, as two row-aligned arrays."""
    others = [known.companions(row) for row in range(len(known))]
    return np.repeat(np.arange(len(known)), [len(rows) for rows in others]), np.concatenate(others)


def draw(chosen: Mapping[str, Pairs], everything: Pairs) -> Figure:
    """A panel for each rule: the pairs that it chooses on those that it could have chosen, with the means.

    Args:
        chosen: what each rule chooses, by its name.
        everything: all pairs of one cluster.
    """
    figure, axes = plt.subplots(1, len(chosen), figsize=(8.6, 3.4), sharex=True, sharey=True)
    for ax, (name, pairs) in zip(np.atleast_1d(axes), chosen.items(), strict=True):
        ax.plot(
            100 * everything.overlaps,
            everything.cosines,
            ".",
            color=style.JUNK,
            ms=1.5,
            alpha=0.6,
            rasterized=True,
        )
        ax.plot(100 * pairs.overlaps, pairs.cosines, ".", color=style.BLUE, ms=3.5, alpha=0.4)
        ax.plot(
            100 * pairs.overlaps.mean(), pairs.cosines.mean(), "P", color=style.VERMILION, ms=11, mec="white"
        )
        ax.axvline(100 * MIN_OVERLAP, color=style.INK, lw=1, ls="--")
        ax.set(title=name, xlabel="overlap (%)", xlim=(-3, 103))
    # A few pairs that nobody chooses are far below all the others.
    axes[0].set_ylim(np.quantile(everything.cosines, 0.001) - 0.02, 1.01)
    axes[0].set_ylabel("cosine, off the shelf")
    return figure


def draw_sample() -> Figure:
    """All three rules on the training images of ``lite``."""
    images, net = toytown.load("lite", 0), pretrained("lite", 0, "mac")
    known = images.covisibility
    mac = mac_descriptors(net, TrainingData(images.images, known), TrainConfig())
    queries = np.unique(known.pairs()[0])
    chosen = {
        rule: measure(known, mac, queries, positives(queries, known, rule, mac))
        for rule in ("m1", "m2", "m3")
    }
    return draw(chosen, measure(known, mac, *all_pairs(known)))


if __name__ == "__main__":
    style.write_from_command_line(draw_sample, "Draw which pairs the rules m1, m2 and m3 choose.")
