"""On which kinds of surface a pooled vector is made, as p grows: the share of each over its area."""

from collections.abc import Iterable, Sequence

import matplotlib.pyplot as plt
import numpy as np
import torch
from matplotlib.figure import Figure

from figures import style
from figures.contributions import contribution_map, label_shares
from figures.feature_maps import maps_of
from gem_lite.network import RetrievalNet
from gem_lite.off_the_shelf import pretrained
from gem_lite.toytown import load_test
from gem_lite.toytown.dataset import ImageSet
from gem_lite.toytown.renderer import CLUTTER, GROUND, LANDMARK, SKY

POWERS = (1.0, 1.5, 2.0, 3.0, 5.0, 10.0, 30.0, 100.0)
SURFACES = {"landmark": LANDMARK, "clutter": CLUTTER, "ground": GROUND, "sky": SKY}
COLOURS = {"landmark": style.BLUE, "clutter": style.VERMILION, "ground": style.GREEN, "sky": style.SKY}


def measure(
    net: RetrievalNet, images: ImageSet, rows: Iterable[int], powers: Sequence[float] = POWERS
) -> np.ndarray:
    """Density (P, labels): mean share of the pooled vector on a kind of surface over its mean area.

    Above 1 a kind of surface gives more than its area; a network that took every position alike would give 1.
    """
    shares, areas = [], []
    for row in rows:
        maps, mask = maps_of(net, images.images[row]), torch.from_numpy(images.masks[row])
        found = [label_shares(contribution_map(maps, p), mask) for p in powers]
        shares.append(torch.stack([share for share, _ in found]))
        areas.append(found[0][1])
    return (torch.stack(shares).mean(0) / torch.stack(areas).mean(0)).numpy()


def draw(density: np.ndarray, powers: Sequence[float] = POWERS) -> Figure:
    """One line for each kind of surface over p, what `measure` gave."""
    figure, ax = plt.subplots(figsize=(7.2, 3.4))
    for name, label in SURFACES.items():
        ax.plot(powers, density[:, label], "o-", color=COLOURS[name], label=name)
    ax.axhline(1, color=style.GREY, lw=1, ls="--")
    ax.set(xscale="log", xlabel="p", ylabel="share of the vector\n÷ share of the area", ylim=(0, None))
    ax.set_xticks([1, 3, 10, 30, 100], labels=["1", "3", "10", "30", "100"])
    ax.minorticks_off()
    figure.legend(ncols=len(SURFACES), loc="outside upper left")
    return figure


def draw_sample() -> Figure:
    """The book's network on the queries of ``lite``."""
    test = load_test("lite", 0)
    return draw(measure(pretrained("lite", 0), test, test.query_rows))


if __name__ == "__main__":
    style.write_from_command_line(draw_sample, "Draw what kinds of surface a pooled vector is made of.")
