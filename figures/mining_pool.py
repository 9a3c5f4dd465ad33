"""How hard the hardest negatives are, over the size of the pool in which they are searched."""

from collections.abc import Sequence
from dataclasses import dataclass

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.figure import Figure

from figures import style
from gem_lite import toytown
from gem_lite.extract import extract
from gem_lite.mining import hard_negatives
from gem_lite.off_the_shelf import pretrained
from gem_lite.seeds import stream
from gem_lite.toytown.landmark import family_of

COUNT = 5  # negatives of each query


@dataclass(frozen=True, eq=False)
class Hardness:
    """For each size of pool: mean cosine of query and negative, and share of twins (0..1)."""

    sizes: tuple[int, ...]
    cosines: np.ndarray
    twins: np.ndarray


def pool_sizes(total: int, smallest: int, steps: int = 5) -> tuple[int, ...]:
    """Sizes from the smallest to all images, evenly on a logarithmic scale."""
    return tuple(int(size) for size in np.geomspace(smallest, total, steps).round())


def measure(
    descriptors: np.ndarray,
    queries: np.ndarray,
    clusters: np.ndarray,
    families: np.ndarray,
    sizes: Sequence[int],
    seed: int = 0,
) -> Hardness:
    """Mines the same queries from nested random pools.

    Args:
        descriptors: (N, D).
        queries: (Q,) rows.
        clusters: (N,) landmark of each image.
        families: (N,) style family of each image; a negative of the query's own family is a twin.
        sizes: of the pools, each at most N.
        seed: of the order in which images enter the pool.
    """
    order = stream("figure", "mining pool", seed).permutation(len(clusters))
    cosines, twins = [], []
    for size in sizes:
        pool = order[:size]
        found = hard_negatives(
            descriptors[queries], descriptors[pool], clusters[queries], clusters[pool], COUNT
        )
        rows = pool[found]
        cosines.append(np.einsum("qd,qnd->qn", descriptors[queries], descriptors[rows]).mean())
        twins.append((families[rows] == families[queries][:, None]).mean())
    return Hardness(tuple(sizes), np.array(cosines), np.array(twins))


def draw(hardness: Hardness, matching: float, chance: float, used: int) -> Figure:
    """Left the cosines, right the share of twins; a thin line at the pool that training uses.

    Args:
        hardness: what `measure` gave.
        matching: mean cosine of matching pairs.
        chance: share of twins among all images of other landmarks.
        used: size of the pool in training.
    """
    figure, (left, right) = plt.subplots(1, 2, figsize=(8.6, 3.2))
    left.plot(hardness.sizes, hardness.cosines, "o-", color=style.NEGATIVE, label="hard negatives")
    left.axhline(matching, color=style.POSITIVE, ls="--", label="positives")
    left.set(ylabel="mean cosine to the query")
    right.plot(hardness.sizes, 100 * hardness.twins, "s-", color=style.PURPLE, label="hard negatives")
    right.axhline(100 * chance, color=style.GREY, ls="--", label="all images of others")
    right.set(ylabel="same style family (%)", ylim=(0, None))
    for ax in (left, right):
        ax.axvline(used, color=style.INK, lw=1, ls=":")
        ax.set(xscale="log", xlabel="images in the pool")
        ax.set_xticks(hardness.sizes, labels=[str(size) for size in hardness.sizes])
        ax.minorticks_off()
        ax.legend()
    return figure


def draw_sample() -> Figure:
    """The off-the-shelf network on the training images of ``lite``."""
    images = toytown.load("lite", 0)
    x = extract(pretrained("lite", 0), images.images, size=None, progress=False)
    families = np.array([family_of(int(landmark)) for landmark in images.landmarks])
    queries, partners = images.covisibility.pairs()
    foreign = images.landmarks[:, None] != images.landmarks
    chance = (families[:, None] == families)[foreign].mean()
    hardness = measure(x, np.unique(queries)[::5], images.landmarks, families, pool_sizes(len(images), 100))
    return draw(hardness, float((x[queries] * x[partners]).sum(axis=1).mean()), float(chance), 160)


if __name__ == "__main__":
    style.write_from_command_line(draw_sample, "Draw how hard negatives are over the size of the pool.")
