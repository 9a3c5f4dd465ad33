"""One small map, pooled by hand: its mean, its generalised means, its maximum, and who contributes what."""

from collections.abc import Sequence

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from figures import style

EXAMPLE = np.array([[1.0, 0.0, 2.0], [0.0, 6.0, 1.0], [0.0, 2.0, 0.0]])
POWERS = (1.0, 3.0, 10.0)  # whose contributions are drawn
LARGEST = 100.0  # end of the curve


def contributions(values: np.ndarray, p: float) -> np.ndarray:
    """Share x^p / sum x^p of each position in the generalised mean; the shares add up to one.

    Args:
        values: non-negative, any shape, not all zero.

    >>> contributions(np.array([1.0, 3.0]), p=1.0)
    array([0.25, 0.75])
    """
    powers = (values / values.max()) ** p
    return powers / powers.sum()


def power_means(values: np.ndarray, powers: np.ndarray) -> np.ndarray:
    """Generalised mean of `values` for each of `powers`, in the paper's form (equation 3)."""
    return np.mean(values.ravel() ** powers[:, None], axis=1) ** (1 / powers)


def _grid(ax: Axes, values: np.ndarray, title: str, limit: float, pattern: str) -> None:
    ax.imshow(values, cmap="cividis", vmin=0, vmax=limit)
    for (row, column), value in np.ndenumerate(values):
        dark = value < 0.55 * limit
        ax.text(
            column, row, pattern.format(value), ha="center", va="center", color="white" if dark else "black"
        )
    ax.set_title(title)
    ax.set(xticks=[], yticks=[])
    ax.grid(False)
    for spine in ax.spines.values():
        spine.set_visible(False)


def _curve(ax: Axes, values: np.ndarray, marked: Sequence[float]) -> None:
    powers = np.geomspace(1, LARGEST, 200)
    ax.plot(powers, power_means(values, powers), color=style.BLUE)
    for p, height in zip(marked, power_means(values, np.array(marked)), strict=True):
        ax.plot(p, height, "o", color=style.BLUE)
        ax.annotate(f"{height:.2f}", (p, height), (6, -13), textcoords="offset points")
    for height, name in ((values.max(), "maximum (MAC)"), (values.mean(), "mean (SPoC)")):
        ax.axhline(height, color=style.GREY, ls="--", lw=1)
        ax.text(LARGEST, height, name, ha="right", va="bottom", color=style.GREY)
    ax.set(xscale="log", xlabel="p", ylabel="generalised mean", ylim=(0, 1.13 * values.max()))
    ax.set_xticks([1, 3, 10, 30, 100], labels=["1", "3", "10", "30", "100"])
    ax.minorticks_off()


def draw(values: np.ndarray = EXAMPLE, powers: Sequence[float] = POWERS) -> Figure:
    """The map, the shares of its positions for a few exponents, and the mean as a curve over p.

    Args:
        values: non-negative map (H, W), small enough for its numbers to be read.
        powers: exponents whose shares are drawn.
    """
    figure = plt.figure(figsize=(7.2, 4.4))
    above, below = figure.subfigures(2, 1, height_ratios=(1, 1.25))
    grids = above.subplots(1, 1 + len(powers))
    _grid(grids[0], values, "the map", values.max(), "{:g}")
    for ax, p in zip(grids[1:], powers, strict=True):
        _grid(ax, contributions(values, p), f"shares, p = {p:g}", 1.0, "{:.2f}")
    _curve(below.subplots(), values, powers)
    return figure


if __name__ == "__main__":
    style.write_from_command_line(draw, "Draw the generalised mean of one small map.")
