"""Pooling: from feature maps X (B, K, H, W) to one number per map, (B, K); equations 1–3 of the paper.

Everything is computed in float32 whatever the type of the maps (float64 stays float64), and stays in that
type: the result is small, and the L2 norm that follows would overflow in float16.
"""

import torch
from torch import Tensor, nn

from gem_lite.generalised_mean import EPS, at_least_float32, gem, gem_plain
from gem_lite.regions import RegionalPool, pool_regions, region_grid

__all__ = [
    "MAC",
    "RMAC",
    "GeM",
    "RegionalPool",
    "SPoC",
    "gem",
    "gem_plain",
    "mac",
    "pool_regions",
    "region_grid",
    "rmac",
    "spoc",
]


def mac(x: Tensor) -> Tensor:
    """Maximum of each map, equation 1: (B, K, H, W) -> (B, K).

    >>> mac(torch.tensor([[[[1.0, 2.0], [3.0, 6.0]]]]))
    tensor([[6.]])

    Chapter: 03_pooling.
    """
    return at_least_float32(x).amax((-2, -1))


def spoc(x: Tensor) -> Tensor:
    """Mean of each map, equation 2: (B, K, H, W) -> (B, K).

    >>> spoc(torch.tensor([[[[1.0, 2.0], [3.0, 6.0]]]]))
    tensor([[3.]])

    Chapter: 03_pooling.
    """
    return at_least_float32(x).mean((-2, -1))


def rmac(x: Tensor, levels: int = 3, whole: bool = True) -> Tensor:
    """R-MAC: the sum of the L2-normalised maxima of a grid of regions, (B, K, H, W) -> (B, K).

    The sum is not normalised; the network's last layer does that.

    Args:
        x: feature maps.
        levels: of the grid, see `gem_lite.regions.region_grid`.
        whole: adds the whole map as one more region, as the reference code does; on a square map, whose grid
            begins with the whole map, it then counts twice. False: the squares alone, as R-MAC was published.

    >>> rmac(torch.ones(1, 4, 7, 7)), rmac(torch.ones(1, 4, 7, 7), whole=False)
    (tensor([[7.5000, 7.5000, 7.5000, 7.5000]]), tensor([[7., 7., 7., 7.]]))
    """
    return pool_regions(at_least_float32(x), mac, levels, whole).sum(1)


class MAC(nn.Module):
    """`mac` as a module."""

    def forward(self, x: Tensor) -> Tensor:
        """Feature maps (B, K, H, W) to (B, K)."""
        return mac(x)


class SPoC(nn.Module):
    """`spoc` as a module."""

    def forward(self, x: Tensor) -> Tensor:
        """Feature maps (B, K, H, W) to (B, K)."""
        return spoc(x)


class GeM(nn.Module):
    """`gem` with a learned exponent, one for all maps or one for each.

    Nothing in the loss keeps p at or above 1, the mean. `forward` takes a smaller p for 1, but gives it the
    gradient at 1, so that it can come back; a training loop calls `keep_p_valid` after each step.

    Args:
        p: start value.
        channels: 1 for a shared exponent, K for one per map.
        eps: see `gem`.

    Raises:
        ValueError: if p < 1 or there are no channels.

    >>> GeM()
    GeM(p=3.000, channels=1, eps=1e-06)
    """

    def __init__(self, p: float = 3.0, channels: int = 1, eps: float = EPS) -> None:
        super().__init__()
        if not p >= 1 or channels < 1:
            raise ValueError(f"GeM needs p >= 1 and channels >= 1, not p={p}, channels={channels}")
        self.p = nn.Parameter(torch.full((channels,), float(p)))
        self.channels, self.eps = channels, eps

    def forward(self, x: Tensor) -> Tensor:
        """Feature maps (B, K, H, W) to (B, K)."""
        p = self.p + (self.p.clamp(min=1.0) - self.p).detach()  # the value is clamped, the gradient is not
        return gem(x, p, self.eps)

    @torch.no_grad()
    def keep_p_valid(self) -> None:
        """Puts every exponent that has fallen below 1 back to 1."""
        self.p.clamp_(min=1.0)

    def extra_repr(self) -> str:
        p = self.p.detach()
        spread = "" if self.channels == 1 else f" ({p.min().item():.3f} to {p.max().item():.3f})"
        return f"p={p.mean().item():.3f}{spread}, channels={self.channels}, eps={self.eps:g}"


class RMAC(nn.Module):
    """`rmac` as a module."""

    def __init__(self, levels: int = 3) -> None:
        super().__init__()
        self.levels = levels

    def forward(self, x: Tensor) -> Tensor:
        """Feature maps (B, K, H, W) to (B, K)."""
        return rmac(x, self.levels)

    def extra_repr(self) -> str:
        return f"levels={self.levels}"
