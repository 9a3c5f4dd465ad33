"""Descriptors of two numbers each: arrows in a corner of the unit circle, ranked by angle to the query."""

from collections.abc import Sequence

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from figures import style
from gem_lite.search import rank


def _unit_vectors(degrees: Sequence[float]) -> np.ndarray:
    radians = np.deg2rad(degrees)
    return np.column_stack([np.cos(radians), np.sin(radians)]).astype(np.float32)


def _arrow(ax: Axes, end: np.ndarray, colour: str, text: str) -> None:
    arrow = {
        "arrowstyle": "-|>",
        "color": colour,
        "lw": 1.8,
        "shrinkA": 0,
        "shrinkB": 0,
        "mutation_scale": 14,
    }
    ax.annotate("", end, (0, 0), arrowprops=arrow)
    ax.text(*(1.09 * end), text, color=colour, ha="center", va="center", weight="bold")


def draw(database: Sequence[float] = (8, 34, 54, 66, 84), query: float = 45) -> Figure:
    """A query and a database of two-dimensional descriptors, each image numbered by its rank.

    Args:
        database: directions of the images' descriptors, in degrees from 0 to 90.
        query: direction of the query's.
    """
    images, asked = _unit_vectors(database), _unit_vectors([query])
    order = rank(asked, images)[0][0]
    figure, ax = plt.subplots(figsize=(4.2, 4.0))
    circle = _unit_vectors(np.linspace(0, 90, 91).tolist())
    ax.plot(*circle.T, color=style.PALE, lw=3, zorder=0)
    for place, index in enumerate(order):
        _arrow(ax, images[index], style.GREY, str(place + 1))
    _arrow(ax, asked[0], style.QUERY, "query")
    ax.set(xlim=(0, 1.16), ylim=(0, 1.16), aspect="equal", xlabel="first number", ylabel="second number")
    ax.set(xticks=(0, 0.5, 1), yticks=(0, 0.5, 1))
    ax.grid(False)
    return figure


if __name__ == "__main__":
    style.write_from_command_line(draw, "Draw the ranking of two-dimensional descriptors.")
