"""The weights of query expansion as one picture: over similarity and place, and the list before and after."""

from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import Patch
from numpy.typing import NDArray

from gem_lite.widgets.element import blank_figure

COLOURS = {"positive": "#009E73", "junk": "#8a939b", "negative": "#D55E00"}
NAMES = {"positive": "shows the landmark", "junk": "junk", "negative": "shows something else"}
MARKERS = {"positive": "o", "junk": ".", "negative": "s"}
SIZES = {"positive": 6.0, "junk": 8.0, "negative": 4.5}
HEIGHTS = {"positive": 1.0, "junk": 0.6, "negative": 0.3}  # of a cell: colour alone must not carry the kind


def similarity_range(similarities: NDArray[Any]) -> tuple[float, float]:
    """The part of the axis of similarities that a list needs, in whole tenths; as the page's element has it.

    >>> similarity_range(np.array([0.61, 0.2, -0.3]))
    (0.0, 0.7)
    """
    clipped = similarities.clip(0)
    low, high = np.floor(10 * clipped.min() + 1e-6), np.ceil(10 * clipped.max() - 1e-6)
    return float(low / 10), float(max(high, low + 1) / 10)


def _draw_curve(ax: Axes, similarities: NDArray[Any], kinds: NDArray[np.str_], n: int, alpha: float) -> None:
    low, high = similarity_range(similarities)
    s = np.linspace(low, high, 101)
    ax.plot(s, s**alpha, color="#5f6b76", lw=1.2)
    places = np.arange(len(kinds))
    for kind, colour in COLOURS.items():
        for taken, size in ((places < n, SIZES[kind]), (places >= n, 2.5)):
            own = similarities[(kinds == kind) & taken].clip(0)
            ax.plot(own, own**alpha, MARKERS[kind], color=colour, ms=size, mec="none")
    top = high**alpha
    ax.set(xlabel="similarity s (axis cut to this list)", ylabel="weight", xlim=(low, high))
    ax.set(ylim=(-0.04 * top, 1.05 * top))
    ax.locator_params(axis="y", nbins=4)


def _draw_strip(ax: Axes, kinds: NDArray[np.str_], name: str) -> None:
    for kind, colour in COLOURS.items():
        places = np.flatnonzero(kinds == kind)
        ax.bar(places, HEIGHTS[kind], 0.85, color=colour)
    ax.set(xlim=(-0.6, len(kinds) - 0.4), ylim=(0, 1.05), xticks=[], yticks=[])
    ax.set_ylabel(name, rotation=0, ha="right", va="center")
    ax.spines[:].set_visible(False)
    ax.grid(visible=False)


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
        n: neighbours taken; those beyond are small.
        alpha: exponent.
        title: above the picture.
    """
    figure = blank_figure(7.5, 4)
    left, right = (figure.add_axes((x, 0.43, 0.38, 0.47)) for x in (0.1, 0.59))
    _draw_curve(left, similarities, kinds, n, alpha)
    for kind, colour in COLOURS.items():
        places = np.flatnonzero(kinds == kind)
        sign = 1 if kind == "positive" else -1
        right.bar(places + 1, sign * weights[places], 0.85, color=colour)
    right.axhline(0, color="#5f6b76", lw=0.8)
    top = float(weights.max(initial=0)) or 1.0
    right.set(xlabel="place: landmark up, others down", ylim=(-1.05 * top, 1.05 * top))
    right.set(xlim=(0.4, len(kinds) + 0.6))
    right.set_yticks([-top, 0, top], [f"{top:.2f}", "0", f"{top:.2f}"])
    for ax in (left, right):
        ax.spines[["top", "right"]].set_visible(False)
    for bottom, name, listed in ((0.19, "before", kinds), (0.1, "after", kinds[order])):
        _draw_strip(figure.add_axes((0.1, bottom, 0.87, 0.07)), listed, name)
    keys = [Patch(color=colour, label=NAMES[kind]) for kind, colour in COLOURS.items()]
    figure.legend(handles=keys, loc="lower center", ncols=3, frameon=False, fontsize=9)
    if title:
        figure.suptitle(title, fontsize=11)
    return figure
