"""The weights of query expansion as one picture: over similarity and place, and the list before and after."""

from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import Patch
from numpy.typing import NDArray

COLOURS = {"positive": "#009E73", "junk": "#8a939b", "negative": "#D55E00"}
NAMES = {"positive": "shows the landmark", "junk": "junk", "negative": "shows something else"}
MARKERS = {"positive": "o", "junk": ".", "negative": "s"}
HEIGHTS = {"positive": 1.0, "junk": 0.6, "negative": 0.3}  # of a cell: colour alone must not carry the kind


def _draw_curve(ax: Axes, similarities: NDArray[Any], kinds: NDArray[np.str_], n: int, alpha: float) -> None:
    s = np.linspace(0, 1, 101)
    ax.plot(s, s**alpha, color="#5f6b76", lw=1.2)
    places = np.arange(len(kinds))
    for kind, colour in COLOURS.items():
        for taken, strength in ((places < n, 0.8), (places >= n, 0.15)):
            own = similarities[(kinds == kind) & taken].clip(0)
            ax.plot(own, own**alpha, MARKERS[kind], color=colour, alpha=strength, ms=5, mec="none")
    ax.set(xlabel="similarity s", ylabel="weight", xlim=(0, 1), ylim=(-0.04, 1.05))


def _draw_strip(ax: Axes, kinds: NDArray[np.str_], name: str) -> None:
    for kind, colour in COLOURS.items():
        places = np.flatnonzero(kinds == kind)
        ax.bar(places, HEIGHTS[kind], 0.85, color=colour)
    ax.set(xlim=(-0.6, len(kinds) - 0.4), ylim=(0, 1.05), xticks=[], yticks=[])
    ax.set_ylabel(name, rotation=0, ha="right", va="center")
    ax.spines[:].set_visible(False)


def draw_weights(
    similarities: NDArray[Any],
    weights: NDArray[Any],
    kinds: NDArray[np.str_],
    order: NDArray[np.int64],
    n: int,
    alpha: float,
    title: str = "",
) -> Figure:
    """Left, s^α with the listed images on it; right, weights over the place; below, the list, old and new.

    Args:
        similarities, weights, kinds: (N,) of the listed images, nearest first.
        order: (N,) the same images as the expanded query orders them.
        n: neighbours taken; those beyond are pale.
        alpha: exponent.
        title: above the picture.
    """
    figure = Figure(figsize=(9, 4.4), facecolor="white")
    grid = figure.add_gridspec(
        3, 2, height_ratios=(7, 1, 1), left=0.08, right=0.98, bottom=0.1, top=0.9, hspace=0.55, wspace=0.12
    )
    left, right = (figure.add_subplot(grid[0, column]) for column in (0, 1))
    _draw_curve(left, similarities, kinds, n, alpha)
    for kind, colour in COLOURS.items():
        places = np.flatnonzero(kinds == kind)
        sign = 1 if kind == "positive" else -1
        right.bar(places + 1, sign * weights[places], 0.85, color=colour)
    right.axhline(0, color="#5f6b76", lw=0.8)
    top = float(weights.max(initial=0)) or 1.0
    right.set(xlabel="place in the list: right up, wrong down", ylim=(-1.05 * top, 1.05 * top))
    right.set_yticks([-top, 0, top], [f"{top:.2f}", "0", f"{top:.2f}"])
    for ax in (left, right):
        ax.spines[["top", "right"]].set_visible(False)
    for row, (name, listed) in enumerate((("before", kinds), ("after", kinds[order])), start=1):
        _draw_strip(figure.add_subplot(grid[row, :]), listed, name)
    keys = [Patch(color=colour, label=NAMES[kind]) for kind, colour in COLOURS.items()]
    figure.legend(handles=keys, loc="lower center", ncols=3, frameon=False, fontsize=9)
    if title:
        figure.suptitle(title, fontsize=11)
    return figure
