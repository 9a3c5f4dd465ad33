"""How many positions really count in a pooled vector, as p grows."""

from collections.abc import Mapping, Sequence

import matplotlib.pyplot as plt
import numpy as np
import torch
from matplotlib.figure import Figure
from torch import Tensor

from figures import style
from figures.contributions import contribution_map, effective_positions, pooling_of
from gem_lite.attention import position_shares
from gem_lite.seeds import torch_seed

POWERS = (1.0, 1.5, 2.0, 3.0, 4.0, 5.0, 7.0, 10.0, 20.0, 50.0, 100.0)


def measure(pictures: Sequence[Tensor], powers: Sequence[float] = POWERS) -> tuple[list[float], list[float]]:
    """Effective number of positions, in percent of all, for each p: of one channel and of the whole vector.

    Args:
        pictures: feature maps (K, H, W) of each.
        powers: exponents to pool with.

    Returns:
        for each p the mean over the pictures, and over the channels that respond at all.
    """
    found = np.array([[_percentages(maps, p) for p in powers] for maps in pictures])
    channel, vector = found.mean(axis=0).T
    return channel.tolist(), vector.tolist()


def _percentages(maps: Tensor, p: float) -> tuple[float, float]:
    positions = maps.shape[-2] * maps.shape[-1]
    responding = maps[maps.amax((-2, -1)) > 0]
    channel = effective_positions(position_shares(responding, pooling_of(p))).mean().item()
    vector = effective_positions(contribution_map(maps, p)).item()
    return 100 * channel / positions, 100 * vector / positions


def draw(
    curves: Mapping[str, tuple[Sequence[float], Sequence[float]]], powers: Sequence[float] = POWERS
) -> Figure:
    """Lines over p: solid for the whole vector, dashed for one channel.

    Args:
        curves: name of the network and pictures to what `measure` gave.
        powers: exponents that were measured.
    """
    figure, ax = plt.subplots(figsize=(7.2, 3.8))
    for name, (channel, vector) in curves.items():
        (line,) = ax.plot(powers, vector, "o-", label=f"{name}, whole vector")
        ax.plot(powers, channel, "s--", color=line.get_color(), label=f"{name}, one channel")
    ax.set(xscale="log", yscale="log", xlabel="p", ylabel="effective positions (% of all)")
    ax.set_xticks([1, 3, 10, 30, 100], labels=["1", "3", "10", "30", "100"])
    ax.set_yticks([0.3, 1, 3, 10, 30, 100], labels=["0.3", "1", "3", "10", "30", "100"])
    ax.minorticks_off()
    figure.legend(loc="outside upper left", ncols=2)
    return figure


def draw_sample() -> Figure:
    """Random maps, rectified: what concentration looks like with nothing learned."""
    generator = torch.Generator().manual_seed(torch_seed("concentration sample"))
    noise = torch.randn(8, 32, 12, 12, generator=generator).clamp(min=0)
    return draw({"rectified noise": measure(list(noise))})


if __name__ == "__main__":
    style.write_from_command_line(
        draw_sample, "Draw how many positions count as p grows, on rectified noise."
    )
