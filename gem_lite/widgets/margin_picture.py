"""The margin widget as one picture: the circle with its arrows, and the loss over the distance."""

import numpy as np
from matplotlib.axes import Axes
from matplotlib.colors import to_rgba
from matplotlib.figure import Figure
from matplotlib.patches import Circle, FancyArrow
from numpy.typing import NDArray

from gem_lite.widgets.element import blank_figure

RIGHT, WRONG, INK, GREY = "#009E73", "#D55E00", "#22303c", "#5f6b76"
ARROW = 0.5  # of a gradient's length: two matching points' arrows then meet half-way
SHORTEST = 0.22  # of an arrow: the point covers less than a third of it
FAR, APART = 1.26, 12  # of the letters: from the middle, and degrees between them at least


def letter_places(points: NDArray[np.float64]) -> NDArray[np.float64]:
    """Where the letters of two unit vectors (2, 2) stand, never so near that they would touch."""
    angles = np.rad2deg(np.arctan2(points[:, 1], points[:, 0]))
    apart = (angles[1] - angles[0] + 180) % 360 - 180
    push = max(0.0, APART - abs(apart)) / 2 * (-1 if apart < 0 else 1)
    moved = np.deg2rad(angles + np.array([-push, push]))
    return FAR * np.column_stack([np.cos(moved), np.sin(moved)])


def _draw_arrow(
    ax: Axes, place: NDArray[np.float64], vector: NDArray[np.float64], shortest: float, broad: str | None
) -> None:
    """Minus the vector, half as long but never shorter than is seen; thin unless a colour makes it broad."""
    length = float(np.linalg.norm(vector))
    if length < 1e-9:
        return
    shown = max(ARROW * length, shortest)
    width, head = (0.07, 0.15) if broad else (0.012, 0.08)
    arrow = FancyArrow(
        *place,
        *(-shown / length * vector),
        width=width,
        head_width=head,
        head_length=min(head, 0.75 * shown),
        length_includes_head=True,
        facecolor=to_rgba(broad, 0.35) if broad else INK,
        edgecolor=broad or INK,
        zorder=3 if broad else 5,
    )
    ax.add_patch(arrow)


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
    # Two that match pull at each other: their arrows meet half-way and are not made longer than that.
    half = float(np.linalg.norm(np.subtract(*points))) / 2
    shortest = min(SHORTEST, half) if colour == RIGHT else SHORTEST
    for vectors, broad in ((gradients, colour), (tangents, None)):
        for place, vector in zip(points, vectors, strict=True):
            _draw_arrow(ax, place, vector, shortest, broad)
    for place, letter, marker, name in zip(points, letter_places(points), "os", "qx", strict=True):
        ax.plot(*place, marker, color="white", ms=7, mec=INK, mew=1.6, zorder=4)
        ax.text(letter[0], letter[1], name, ha="center", va="center", style="italic")
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
        ax.plot(d, values, dashes, color=colour, lw=2.8 if bold else 1.2, label=name)
    ax.axvline(margin, color=GREY, lw=1, ls=":")
    ax.plot(distance, own, "o", color=INK, ms=8, mec="white", zorder=4)
    ax.set(xlabel="distance d", ylabel="loss", xlim=(0, 2), ylim=(0, max(0.8 * margin**2, 1.1 * own)))
    ax.set_xticks([0, 0.5, 1, 1.5, 2])
    ax.locator_params(axis="y", nbins=5)
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
    figure = blank_figure(7.5, 3.7)
    circle, loss = figure.add_axes((0, 0, 0.47, 0.9)), figure.add_axes((0.57, 0.15, 0.41, 0.74))
    _draw_circle(circle, points, gradients, tangents, RIGHT if matching else WRONG, margin)
    _draw_loss(loss, float(np.linalg.norm(np.subtract(*points))), matching, margin)
    if title:
        figure.suptitle(title, fontsize=11)
    return figure
