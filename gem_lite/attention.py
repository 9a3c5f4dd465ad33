"""Where a similarity comes from: the exact split of a scalar product over channels and positions.

Two unit vectors have the similarity s = Σ_k a_k b_k. Each pooled value a_k is itself made by the positions of
feature map k: their powers x^p add up to it, so a position's share of channel k is x^p / Σ x^p. Nothing is
approximated and no gradient is taken; the parts add up to s again.
"""

from collections.abc import Mapping
from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from gem_lite.network import RetrievalNet
from gem_lite.pooling import MAC, GeM, SPoC


@dataclass(frozen=True, eq=False)
class Contributions:
    """One pair's similarity, split three ways; each part adds up to `similarity`.

    ``channels`` (K,) float32; ``a`` (H, W) and ``b`` (H', W') float32, over the positions of either image's
    feature maps.
    """

    similarity: float
    channels: Tensor
    a: Tensor
    b: Tensor


def position_shares(maps: Tensor, pool: nn.Module) -> Tensor:
    """Share that each position has in its channel's pooled value; sums to 1 over the positions.

    SPoC: x / Σ x. GeM: x^p / Σ x^p (its clamp at 1e-6 is left out). MAC: all at the maximum, evenly
    split between equal ones.

    Args:
        maps: (K, H, W) non-negative feature maps.
        pool: a `MAC`, `SPoC` or `GeM` module.

    Returns:
        (K, H, W) float32. A channel that is zero everywhere is shared evenly.

    Raises:
        TypeError: for another pooling, whose value is no sum over positions.

    >>> position_shares(torch.tensor([[[1.0, 3.0]]]), GeM(p=1.0))
    tensor([[[0.2500, 0.7500]]])
    """
    maps = maps.detach().float()
    peak = maps.amax((-2, -1), keepdim=True)
    # Divided by the maximum, no power overflows, and a dead channel becomes an even one.
    scaled = torch.where(peak > 0, maps / peak.clamp(min=torch.finfo(maps.dtype).tiny), 1.0)
    if isinstance(pool, MAC):
        powers = (scaled == 1).float()
    elif isinstance(pool, GeM):
        powers = scaled ** pool.p.detach().float().view(-1, 1, 1)
    elif isinstance(pool, SPoC):
        powers = scaled
    else:
        raise TypeError(f"the split is exact for MAC, SPoC and GeM only, not for {type(pool).__name__}")
    return powers / powers.sum((-2, -1), keepdim=True)


@torch.no_grad()
def contributions(net: RetrievalNet, image_a: Tensor, image_b: Tensor) -> Contributions:
    """Splits the similarity of two images over channels, and over the positions of each image.

    Args:
        net: without whitening: after a rotation of the axes a channel's part belongs to no feature map.
        image_a: (3, H, W) float in 0..1.
        image_b: (3, H', W') float in 0..1; its size may differ.

    Raises:
        ValueError: if the network whitens.
        TypeError: if its pooling is not MAC, SPoC or GeM.

    Source: figures 2 and 3 of the paper show such patches. Chapter: 07_attention.
    """
    if net.whiten is not None:
        raise ValueError("contributions need a network without whitening: set net.whiten = None")
    maps = [net.feature_maps(image.unsqueeze(0))[0] for image in (image_a, image_b)]
    vectors = [F.normalize(net.pool(m.unsqueeze(0)), dim=1)[0].float() for m in maps]
    channels = vectors[0] * vectors[1]
    a, b = (torch.einsum("k,khw->hw", channels, position_shares(m, net.pool)) for m in maps)
    return Contributions(float(channels.sum()), channels, a, b)


def shares(parts: Contributions, masks: Mapping[str, tuple[Tensor, Tensor]]) -> dict[str, float]:
    """Share of a similarity that falls on each kind of region, the mean over both images.

    Args:
        parts: of one pair.
        masks: for each region's name its masks in image a and image b, (H, W) bool or float in 0..1 at any
            size that the feature maps' cells divide; a cell counts by the fraction of it that is covered.

    Returns:
        A number per region; they sum to 1 where the masks cover each picture exactly once.

    >>> half = torch.tensor([[True, False]])
    >>> cells = Contributions(1.0, torch.ones(1), torch.tensor([[0.25, 0.75]]), torch.tensor([[0.75, 0.25]]))
    >>> shares(cells, {"left": (half, half)})
    {'left': 0.5}
    """
    found = {}
    for name, pair in masks.items():
        on_region = 0.0
        for cells, mask in zip((parts.a, parts.b), pair, strict=True):
            height, width = cells.shape
            covered = F.adaptive_avg_pool2d(mask.float()[None, None], (height, width))[0, 0]
            on_region += float((cells * covered.to(cells)).sum())
        found[name] = on_region / (2 * parts.similarity)
    return found
