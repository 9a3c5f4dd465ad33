"""On which kinds of surface the similarity of matching pairs rests, before and after fine-tuning."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import matplotlib.pyplot as plt
import numpy as np
import torch
import torch.nn.functional as F
from matplotlib.figure import Figure
from numpy.typing import NDArray
from torch import Tensor, nn

from figures import style
from figures.attention_pairs import Pair, matching_pairs, pixels
from figures.contributions import label_shares
from figures.surface_shares import SURFACES
from gem_lite.attention import position_shares
from gem_lite.evaluate import Interval
from gem_lite.fine_tuned import Variant, fine_tuned
from gem_lite.network import RetrievalNet
from gem_lite.off_the_shelf import pretrained
from gem_lite.seeds import stream
from gem_lite.toytown import load_test
from gem_lite.toytown.dataset import ImageSet

Array = NDArray[np.float64]
COLOURS = (style.GREY, style.BLUE)
OFFSETS = (-0.16, 0.16)


@dataclass(frozen=True, eq=False)
class Split:
    """What the split of any pair's similarity needs of each image, so that an image is described once.

    ``vectors`` (N, K), of unit length; ``on_surface`` (N, K, labels), for each channel its share on each kind
    of surface; ``areas`` (N, labels), the surfaces' shares of the picture.
    """

    vectors: Array
    on_surface: Array
    areas: Array

    def by_surface(self, pairs: Sequence[Pair]) -> Array:
        """Share of each pair's similarity on each kind of surface, mean over both images: (M, labels)."""
        a, b = np.array(pairs).T
        channels = self.vectors[a] * self.vectors[b]
        both = self.on_surface[a] + self.on_surface[b]
        return np.einsum("mk,mkl->ml", channels, both) / (2 * channels.sum(1, keepdims=True))

    def area(self, pairs: Sequence[Pair]) -> Array:
        """Share of each kind of surface of a pair's two pictures: (M, labels)."""
        a, b = np.array(pairs).T
        return (self.areas[a] + self.areas[b]) / 2


def split(net: RetrievalNet, images: ImageSet) -> Split:
    """Describes every image once, with its channels' shares on each kind of surface."""
    return splits(net, images, {"": net.pool})[""]


@torch.inference_mode()
def splits(net: RetrievalNet, images: ImageSet, pools: Mapping[str, nn.Module]) -> dict[str, Split]:
    """The split of each pooling of the same feature maps: the body, which costs most, runs once."""
    found: dict[str, list[tuple[Tensor, ...]]] = {name: [] for name in pools}
    for image, mask in zip(images.images, images.masks, strict=True):
        maps = net.feature_maps(pixels(image)[None])
        for name, pool in pools.items():
            vector = F.normalize(pool(maps), dim=1)[0]
            shares = label_shares(position_shares(maps[0], pool), torch.from_numpy(mask))
            found[name].append((vector, *shares))
    return {
        name: Split(*(torch.stack(parts).double().numpy() for parts in zip(*rows, strict=True)))
        for name, rows in found.items()
    }


def density(shares: Array, areas: Array, groups: NDArray[np.int64], seed: int = 0) -> Interval:
    """Mean share over mean area, with a 95 % bootstrap interval that draws whole groups.

    Args:
        shares: (M,) of one kind of surface in each pair's similarity.
        areas: (M,) of that surface in the pair's pictures.
        groups: (M,) landmark of each pair.
        seed: of the draws.
    """
    names, group = np.unique(groups, return_inverse=True)
    on_surface = np.bincount(group, weights=shares)
    of_area = np.bincount(group, weights=areas)
    even = np.full(len(names), 1 / len(names))
    draws = stream("density", seed).multinomial(len(names), even, size=10_000)
    area = draws @ of_area  # may be 0 where a rare surface was not drawn at all
    ratios = (draws @ on_surface)[area > 0] / area[area > 0]
    low, high = np.quantile(ratios, [0.025, 0.975])
    return Interval(float(shares.sum() / areas.sum()), float(low), float(high))


def draw(measured: Mapping[str, Mapping[str, Sequence[Interval]]]) -> Figure:
    """A panel per kind of surface; in it for each pooling its density before and after fine-tuning.

    Args:
        measured: pooling to {name of a network: density of each label}; two networks per pooling.
    """
    figure, axes = plt.subplots(1, len(SURFACES), figsize=(7.2, 2.6), sharey=True, layout="constrained")
    for ax, (surface, label) in zip(axes, SURFACES.items(), strict=True):
        ax.axvline(1, color=style.INK, lw=1, ls="--")
        for y, networks in enumerate(measured.values()):
            for (name, found), colour, offset in zip(networks.items(), COLOURS, OFFSETS, strict=True):
                interval, legend = found[label], name if y == 0 else None
                ends = [interval.low, interval.high]
                ax.plot(ends, [y + offset] * 2, color=colour, lw=4, alpha=0.4, solid_capstyle="round")
                marker = "o" if colour == style.BLUE else "s"
                ax.plot(interval.mean, y + offset, marker, color=colour, ms=6, label=legend)
        ax.margins(x=0.1)
        ax.xaxis.set_major_formatter("{x:g}")  # short: the panels stand close
        ax.set(title=surface, xlim=(0, None), ylim=(len(measured) - 0.5, -0.5))
        ax.set_yticks(range(len(measured)), labels=list(measured))
        ax.grid(False, axis="y")
    figure.get_layout_engine().set(wspace=0.08)
    figure.supxlabel("share of the similarity ÷ share of the area", fontsize=11.5)
    figure.legend(*axes[0].get_legend_handles_labels(), ncols=2, loc="outside upper left")
    return figure


def draw_sample() -> Figure:
    """MAC, SPoC and GeM of ``lite``, off the shelf and fine-tuned."""
    test = load_test("lite", 0)
    pairs = matching_pairs(test)
    groups = test.landmarks[[a for a, _ in pairs]]
    poolings = {"MAC": "mac", "SPoC": "spoc", "GeM": "gem"}
    pools = {name: pretrained("lite", 0, pooling).pool for name, pooling in poolings.items()}
    off = splits(pretrained("lite", 0), test, pools)
    measured: dict[str, dict[str, list[Interval]]] = {}
    for name, pooling in poolings.items():
        tuned = split(fine_tuned("lite", 0, Variant(pooling))[0], test)
        measured[name] = {}
        for which, found in {"off the shelf": off[name], "fine-tuned": tuned}.items():
            columns = zip(found.by_surface(pairs).T, found.area(pairs).T, strict=True)
            measured[name][which] = [density(share, area, groups) for share, area in columns]
    return draw(measured)


if __name__ == "__main__":
    style.write_from_command_line(draw_sample, "Draw what kinds of surface similarities rest on.")
