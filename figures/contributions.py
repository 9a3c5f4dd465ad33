"""What a pooled vector is made of: which positions, on which kinds of surface, how many really count."""

import math

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from gem_lite.attention import position_shares
from gem_lite.pooling import MAC, GeM


def pooling_of(p: float) -> nn.Module:
    """The pooling with that exponent; p = inf is MAC."""
    return MAC() if math.isinf(p) else GeM(p)


def contribution_map(maps: Tensor, p: float) -> Tensor:
    """Share of each position in the pooled vector's squared length: (K, H, W) to (H, W), of sum 1.

    A channel's f_k^2 is split over the positions as f_k itself is, by their x^p / sum x^p.
    """
    pool = pooling_of(p)
    with torch.inference_mode():
        squares = F.normalize(pool(maps[None])[0].float(), dim=0).square()
        return torch.einsum("k,khw->hw", squares, position_shares(maps, pool))


def effective_positions(shares: Tensor) -> Tensor:
    """How many positions really count: exp of the entropy of shares (..., H, W); from 1 to H W.

    >>> effective_positions(torch.full((2, 2), 0.25)).item()
    4.0
    """
    return torch.special.entr(shares).sum((-2, -1)).exp()


def label_shares(shares: Tensor, mask: Tensor, labels: int = 4) -> tuple[Tensor, Tensor]:
    """How much of a contribution map, and how much of the picture, falls on each kind of surface.

    Args:
        shares: (..., H, W), of sum 1 over the positions.
        mask: (S, S) label of every pixel of the picture, S at least H.
        labels: how many labels there are.

    Returns:
        share of the contributions (..., labels) and share of the area (labels,), both of sum 1.
    """
    pixels = F.one_hot(mask.long(), labels).movedim(-1, 0).float()
    cells = F.adaptive_avg_pool2d(pixels, shares.shape[-2:])
    return torch.einsum("...hw,lhw->...l", shares, cells), cells.mean((-2, -1))
