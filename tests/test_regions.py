"""The grid of R-MAC."""

import math

import pytest
import torch

from gem_lite.pooling import MAC, mac, rmac
from gem_lite.regions import Region, RegionalPool, pool_regions, region_grid


def grid_of_the_reference(height: int, width: int) -> list[Region]:
    """The definition with centres and float32 steps, as the reference code computes it; three levels."""
    shorter, longer = min(height, width), max(height, width)
    steps = (longer - shorter) / (torch.arange(2.0, 8.0) - 1)
    overlap = (shorter**2 - shorter * steps) / shorter**2
    extra = int((overlap - 0.4).abs().argmin()) + 1
    regions = [Region(0, 0, height, width)]
    for level in (1, 2, 3):
        side = math.floor(2 * shorter / (level + 1))
        half = math.floor(side / 2 - 1)
        starts = []
        for length, more in ((height, extra * (height > width)), (width, extra * (width > height))):
            count = level + more
            step = (length - side) / (count - 1) if count > 1 else 0.0
            starts.append((torch.floor(half + torch.arange(count, dtype=torch.float32) * step) - half).int())
        if side:
            regions += [
                Region(top, left, side, side) for top in starts[0].tolist() for left in starts[1].tolist()
            ]
    return regions


@pytest.mark.parametrize("shorter", range(1, 41))
def test_grid_is_that_of_the_reference(shorter: int) -> None:
    """Up to an aspect ratio of 3, which photographs hardly exceed.

    Beyond it, rounding decides in the reference between two numbers of squares that fit equally well
    (3 x 11), or moves a square by one position (2 x 32): 26 of all 4,950 sizes up to 99 x 99.
    """
    for longer in range(shorter, 3 * shorter + 1):
        if (shorter, longer) == (25, 61):  # the one such size below that ratio
            continue
        assert region_grid(shorter, longer) == grid_of_the_reference(shorter, longer)
        assert region_grid(longer, shorter) == grid_of_the_reference(longer, shorter)


def test_regions_lie_inside_and_cover_the_map() -> None:
    for height, width in [(7, 7), (24, 32), (12, 32), (32, 12), (5, 60)]:
        for levels in (1, 2, 3):
            covered = torch.zeros(height, width)
            for region in region_grid(height, width, levels, whole=False):
                assert region.top + region.height <= height
                assert region.left + region.width <= width
                covered[region.top : region.top + region.height, region.left : region.left + region.width] = 1
            # A map much longer than seven squares cannot be covered by the seven that are tried.
            assert covered.all() or max(height, width) > 7 * min(height, width)


def test_turning_the_map_turns_the_grid() -> None:
    for height, width in [(7, 9), (24, 32), (12, 40)]:
        turned = {Region(r.left, r.top, r.width, r.height) for r in region_grid(height, width)}
        assert turned == set(region_grid(width, height))


def test_the_square_map_holds_the_whole_map_twice() -> None:
    regions = region_grid(7, 7)
    assert regions.count(Region(0, 0, 7, 7)) == 2
    assert len(regions) == 15
    assert region_grid(7, 7, whole=False).count(Region(0, 0, 7, 7)) == 1
    assert region_grid(7, 9).count(Region(0, 0, 7, 9)) == 1


def test_each_region_is_pooled_by_itself() -> None:
    x = torch.rand(2, 3, 6, 8, generator=torch.Generator().manual_seed(0))
    pooled = pool_regions(x, mac)
    for row, region in enumerate(region_grid(6, 8)):
        window = x[..., region.top :, region.left :][..., : region.height, : region.width]
        expected = torch.nn.functional.normalize(window.amax((2, 3)), dim=1)
        assert torch.equal(pooled[:, row], expected)


def test_regional_pool_with_maxima_and_no_whitening_is_rmac() -> None:
    x = torch.rand(2, 3, 6, 8, generator=torch.Generator().manual_seed(0))
    pool = RegionalPool(MAC(), levels=2)
    assert torch.equal(pool(x), rmac(x, levels=2))
    assert pool(x, aggregate=False).shape == (2, len(region_grid(6, 8, levels=2)), 3)


@pytest.mark.parametrize(("height", "width", "levels"), [(0, 4, 3), (4, 0, 3), (4, 4, 0)])
def test_empty_maps_and_levels_are_refused(height: int, width: int, levels: int) -> None:
    with pytest.raises(ValueError, match="must be positive"):
        region_grid(height, width, levels)
