"""Single feature maps: the strongest of a picture, and what kind of surface a channel responds to."""

from collections.abc import Iterable, Mapping, Sequence

import numpy as np
import torch
import torch.nn.functional as F
from matplotlib.figure import Figure
from torch import Tensor

from figures import style
from figures.contributions import label_shares
from figures.feature_maps import maps_of
from figures.overlay import Cell, draw_rows
from gem_lite.attention import position_shares
from gem_lite.network import RetrievalNet
from gem_lite.off_the_shelf import pretrained
from gem_lite.pooling import GeM, gem
from gem_lite.toytown import load
from gem_lite.toytown.dataset import ImageSet


def unit_vector(maps: Tensor, p: float = 3.0) -> Tensor:
    """Descriptor (K,) of feature maps (K, H, W)."""
    return F.normalize(gem(maps[None], p)[0], dim=0)


def strongest_channels(maps: Tensor, count: int, p: float = 3.0) -> list[int]:
    """Channels with the largest entries in the descriptor, largest first."""
    return unit_vector(maps, p).topk(count).indices.tolist()


def surface_density(net: RetrievalNet, images: ImageSet, rows: Iterable[int], p: float = 3.0) -> Tensor:
    """For each channel its share on each kind of surface, over that surface's share of the area: (K, labels).

    A picture counts for a channel as the channel counts in the picture's descriptor, by its squared entry.
    """
    shares, areas, squares = [], [], []
    for row in rows:
        maps, mask = maps_of(net, images.images[row]), torch.from_numpy(images.masks[row])
        share, area = label_shares(position_shares(maps, GeM(p)), mask)
        shares.append(share)
        areas.append(area)
        squares.append(unit_vector(maps, p).square())
    weights = torch.stack(squares)
    weights = weights / weights.sum(0).clamp(min=torch.finfo(torch.float32).tiny)
    on_surface = (weights[:, :, None] * torch.stack(shares)).sum(0)
    return on_surface / torch.stack(areas).mean(0)


def draw(
    pictures: Sequence[np.ndarray], inputs: Sequence[np.ndarray], maps: Sequence[Tensor], count: int = 3
) -> Figure:
    """One row for each view: for the eye, as the network sees it, and its strongest feature maps.

    Args:
        pictures: (H, W, 3) bytes of each view, large.
        inputs: (S, S, 3) bytes of each view, as large as the network sees it.
        maps: feature maps (K, H', W') of each.
        count: how many of them are drawn.
    """
    rows = [
        [Cell(picture, title="for the eye"), Cell(small, title="for the network")]
        + [Cell(picture, x[k], f"channel {k}") for k in strongest_channels(x, count)]
        for picture, small, x in zip(pictures, inputs, maps, strict=True)
    ]
    return draw_rows(rows)


def draw_where_strongest(
    channels: Mapping[str, int], images: ImageSet, maps: Sequence[Tensor], count: int = 5
) -> Figure:
    """One row for each channel: its map in the views where it is strongest, one view of each landmark.

    Args:
        channels: name of a row, written at its left, to its channel.
        images: the views; they are drawn larger.
        maps: feature maps (K, H', W') of each view.
        count: how many views.
    """
    vectors = torch.stack([unit_vector(x) for x in maps])
    rows = []
    for k in channels.values():
        one_each: dict[int, int] = {}
        for row in vectors[:, k].argsort(descending=True).tolist():
            one_each.setdefault(int(images.landmarks[row]), row)
        shown = list(one_each.values())[:count]
        rows.append([Cell(images.larger(row).image, maps[row][k]) for row in shown])
    return draw_rows(rows, list(channels))


def draw_sample() -> Figure:
    """The strongest feature maps of three validation views of ``lite``."""
    net, images = pretrained("lite", 0), load("lite", 0, "val")
    rows = [0, 10, 20]
    inputs = [images.images[row] for row in rows]
    return draw([images.larger(row).image for row in rows], inputs, [maps_of(net, image) for image in inputs])


if __name__ == "__main__":
    style.write_from_command_line(draw_sample, "Draw the strongest feature maps of three views.")
