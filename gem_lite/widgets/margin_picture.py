"""The margin widget as one picture: the circle with its arrows, and the loss over the distance."""

from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import Circle
from numpy.typing import NDArray

RIGHT, WRONG, INK, GREY = "#009E73", "#D55E00", "#22303c", "#5f6b76"
ARROW = 0.5  # of a gradient's length: two matching points' arrows then meet half-way


def _draw_circle(
    ax: Axes,
    points: NDArray[np.float64],
    gradients: NDArray[np.float64],
    tangents: NDArray[np.float64],
    colour: str,
    margin: float,
) -> None:
    ax.add_patch(Circle((0, 0), 1, fill=False, color=GREY, lw=1))
    ax.add_patch(Circle((points[0, 0], points[0, 1]), margin, fill=False, color=WRONG, ls="--", lw=1.3))
    ax.plot(*points.T, ":", color=GREY, lw=1)
    for vectors, width in ((tangents, 0.004), (gradients, 0.01)):
        look: dict[str, Any] = {"angles": "xy", "scale_units": "xy", "scale": 1, "width": width}
        ax.quiver(*points.T, *(-ARROW * vectors).T, color=colour, zorder=3, **look)
    for place, marker, name in zip(points, "os", "qx", strict=True):
        ax.plot(*place, marker, color=INK, ms=8, mec="white", zorder=4)
        ax.text(1.2 * place[0], 1.2 * place[1], name, ha="center", va="center", style="italic")
    ax.set(xlim=(-1.42, 1.42), ylim=(-1.42, 1.42), aspect="equal")
    ax.set_axis_off()


def _draw_loss(ax: Axes, distance: float, matching: bool, margin: float) -> None:
    d = np.linspace(0, 2, 201)
    inside = np.maximum(0, margin - d)
    own = 0.5 * (distance if matching else max(0, margin - distance)) ** 2
    for name, values, colour, dashes, bold in (
        ("match", 0.5 * d**2, RIGHT, "-", matching),
        ("no match", 0.5 * inside**2, WRONG, "--", not matching),
    ):
        ax.plot(
            d, values, dashes, color=colour, lw=2.4 if bold else 1.2, alpha=1 if bold else 0.5, label=name
        )
    ax.axvline(margin, color=GREY, lw=1, ls=":")
    ax.plot(distance, own, "o", color=INK, ms=8, mec="white", zorder=4)
    ax.set(xlabel="distance d", ylabel="loss", xlim=(0, 2), ylim=(0, max(0.8 * margin**2, 1.1 * own)))
    ax.spines[["top", "right"]].set_visible(False)
    ax.legend(frameon=False, loc="upper right")


def draw_margin(
    points: NDArray[np.float64],
    gradients: NDArray[np.float64],
    tangents: NDArray[np.float64],
    matching: bool,
    margin: float,
    title: str = "",
) -> Figure:
    """Left, the pair on the unit circle with minus its gradients, half as long; right, both losses.

    Args:
        points: (2, 2) unit vectors, the query first.
        gradients: (2, 2) of the loss; tangents: their parts along the circle, drawn thin.
        matching: whether the pair is a match.
        margin: τ, a dashed circle around the query and a dotted line over the distance.
        title: above the picture.
    """
    figure = Figure(figsize=(9, 4.2), facecolor="white")
    grid = figure.add_gridspec(1, 2, left=0.01, right=0.98, bottom=0.13, top=0.9, width_ratios=(1, 1.1))
    _draw_circle(
        figure.add_subplot(grid[0]), points, gradients, tangents, RIGHT if matching else WRONG, margin
    )
    _draw_loss(figure.add_subplot(grid[1]), float(np.linalg.norm(np.subtract(*points))), matching, margin)
    if title:
        figure.suptitle(title, fontsize=11)
    return figure
