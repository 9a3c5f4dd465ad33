"""Regional pooling: a grid of overlapping squares over the feature maps, each pooled by itself (R-MAC)."""

from collections.abc import Callable
from typing import NamedTuple

import torch
import torch.nn.functional as F
from torch import Tensor, nn

SQUARES_TRIED = range(2, 8)  # how many squares of the first level may lie along the longer side


class Region(NamedTuple):
    """A rectangle of positions of a feature map."""

    top: int
    left: int
    height: int
    width: int


def region_grid(height: int, width: int, levels: int = 3, whole: bool = True) -> list[Region]:
    """Regions of a map of this size: squares on a grid, coarse level first.

    At level l the squares have side 2 min(height, width) / (l + 1). Along the shorter side there are l of
    them, along the longer one more, as many more at each level as bring the overlap of the first level's
    squares closest to 40 %.

    Args:
        height, width: of the map, in positions.
        levels: of the grid, from 1; levels whose squares would be empty are left out.
        whole: puts the whole map first, as the reference code does. On a square map the first level is the
            whole map as well, and stays in the list a second time, as in the reference code.

    >>> region_grid(4, 4, levels=1)
    [Region(top=0, left=0, height=4, width=4), Region(top=0, left=0, height=4, width=4)]
    >>> [len(region_grid(height, 32)) for height in (32, 24, 12)]
    [15, 21, 33]
    """
    if min(height, width, levels) < 1:
        raise ValueError(f"height, width and levels must be positive, not {height}, {width}, {levels}")
    regions = [Region(0, 0, height, width)] if whole else []
    shorter = min(height, width)
    extra = _extra_squares(shorter, max(height, width))
    for level in range(1, levels + 1):
        side = 2 * shorter // (level + 1)
        if side == 0:
            break
        tops = _starts(height, side, level + (extra if height > width else 0))
        lefts = _starts(width, side, level + (extra if width > height else 0))
        regions += [Region(top, left, side, side) for top in tops for left in lefts]
    return regions


def _extra_squares(shorter: int, longer: int) -> int:
    """How many more squares along the longer side bring the first level's overlap closest to 2/5."""
    if longer == shorter:
        return 0

    def miss(count: int) -> float:
        # |overlap - target|, where overlap = 1 - (longer - shorter) / (gaps * shorter), as one division of
        # whole numbers: two counts that miss equally then compare equal, and the smaller is taken.
        gaps = count - 1
        return abs(3 * shorter * gaps - 5 * (longer - shorter)) / (5 * shorter * gaps)

    return min(SQUARES_TRIED, key=miss) - 1


def _starts(length: int, side: int, count: int) -> list[int]:
    """First positions of `count` squares spread evenly over a length, rounded down."""
    return [index * (length - side) // max(count - 1, 1) for index in range(count)]


def pool_regions(x: Tensor, pool: Callable[[Tensor], Tensor], levels: int = 3, whole: bool = True) -> Tensor:
    """Pools each region of `region_grid` and L2-normalises the result: (B, K, H, W) -> (B, regions, K).

    Args:
        x: feature maps.
        pool: maps (B, K, h, w) to (B, K).
        levels, whole: see `region_grid`.
    """
    regions = region_grid(x.shape[-2], x.shape[-1], levels, whole)
    pooled = [pool(x[..., r.top : r.top + r.height, r.left : r.left + r.width]) for r in regions]
    return F.normalize(torch.stack(pooled, dim=1), dim=2)


class RegionalPool(nn.Module):
    """Any pooling over R-MAC's regions: pool, L2, whitening and L2 again of each region, then the sum.

    Args:
        pool: maps (B, K, h, w) to (B, K), for example ``GeM()``.
        whiten: of each region's vector, maps (..., K) to (..., D); without it, R-MAC with another pooling.
        levels: see `region_grid`.
    """

    def __init__(self, pool: nn.Module, whiten: nn.Module | None = None, levels: int = 3) -> None:
        super().__init__()
        self.pool, self.whiten, self.levels = pool, whiten, levels

    def forward(self, x: Tensor, aggregate: bool = True) -> Tensor:
        """Feature maps (B, K, H, W) to (B, D), or to (B, regions, D) without the sum."""
        regions = pool_regions(x, self.pool, self.levels)
        if self.whiten is not None:
            regions = F.normalize(self.whiten(regions), dim=2)
        return regions.sum(1) if aggregate else regions

    def extra_repr(self) -> str:
        return f"levels={self.levels}"
