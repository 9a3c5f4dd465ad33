"""The paper's figure 1, drawn by us: from two photographs to two vectors, and the loss that compares them.

The photographs and the feature maps are made up, but everything after them is computed: each bar of a
vector is the generalised mean of the map drawn in front of it, and the unit vectors are of unit length.
"""

from collections.abc import Sequence

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import FancyArrowPatch, FancyBboxPatch, Polygon, Rectangle

from figures import style
from gem_lite.seeds import stream

MAPS, SIDE, POWER = 6, 7, 3.0  # maps drawn, cells along a map's side, exponent of the generalised mean
HEIGHT = 2.2  # of a photograph
BODY = [(1.75, 0.16), (1.35, 0.3), (1.0, 0.5), (0.72, 0.75)]  # (side, thickness) of the blocks of layers
X_PHOTO, X_BODY, X_MAPS, X_GEM, X_UNIT, X_LOSS = 0.0, 2.7, 6.5, 10.45, 12.65, 13.5
BRIGHTEST = 0.65  # the value of a vector that is drawn in the map's brightest colour
SIZE = 15  # points, of the captions in the drawing

# A town hall in the unit square: (colour, corners), painted in this order.
HALL: list[tuple[str, list[tuple[float, float]]]] = [
    ("#c9dff0", [(0, 0), (1, 0), (1, 1), (0, 1)]),
    ("#b9c9a5", [(0, 0), (1, 0), (1, 0.16), (0, 0.16)]),
    ("#d9b48f", [(0.14, 0.12), (0.86, 0.12), (0.86, 0.5), (0.14, 0.5)]),
    ("#a3543c", [(0.10, 0.5), (0.90, 0.5), (0.78, 0.64), (0.22, 0.64)]),
    ("#e6c9a4", [(0.40, 0.12), (0.60, 0.12), (0.60, 0.76), (0.40, 0.76)]),
    ("#8a4030", [(0.37, 0.76), (0.63, 0.76), (0.50, 0.95)]),
    ("#f7f3e8", [(0.45, 0.63), (0.55, 0.63), (0.55, 0.72), (0.45, 0.72)]),
    ("#4a3b36", [(0.46, 0.12), (0.54, 0.12), (0.54, 0.27), (0.46, 0.27)]),
    *[
        ("#5d7387", [(x, y), (x + 0.07, y), (x + 0.07, y + 0.11), (x, y + 0.11)])
        for y in (0.18, 0.34)
        for x in (0.19, 0.295, 0.635, 0.74)
    ],
    ("#5d7387", [(0.465, 0.42), (0.535, 0.42), (0.535, 0.54), (0.465, 0.54)]),
]
# The same hall from a second place: a homography, as between two photographs of one façade.
VIEWS = {"i": np.eye(3), "j": np.array([[1.24, 0, 0.06], [0.14, 1.1, -0.06], [0.48, 0, 1]])}


def _photograph(ax: Axes, x: float, y: float, view: np.ndarray) -> None:
    frame = Rectangle((x, y), HEIGHT, HEIGHT, facecolor="none", edgecolor=style.INK, lw=1, zorder=3)
    ax.add_patch(frame)
    for layer, (colour, corners) in enumerate(HALL):
        points = np.column_stack([np.array(corners), np.ones(len(corners))])
        background = layer < 2  # sky and grass fill the frame from everywhere
        points = points @ (np.eye(3) if background else view).T
        patch = Polygon(points[:, :2] / points[:, 2:] * HEIGHT + (x, y), facecolor=colour, lw=0)
        ax.add_patch(patch)
        patch.set_clip_path(frame)


def _block(ax: Axes, x: float, middle: float, side: float, thickness: float) -> None:
    """A block of layers: a box seen from the front right, its front square towards the left."""
    depth = 0.32 * side
    low, high = middle - side / 2 - depth / 2, middle + side / 2 - depth / 2
    front = [(x, low), (x + thickness, low), (x + thickness, high), (x, high)]
    top = [(x, high), (x + thickness, high), (x + thickness + depth, high + depth), (x + depth, high + depth)]
    right = [(x + thickness, low), (x + thickness + depth, low + depth), top[2], top[1]]
    for corners, colour in ((top, "#9cc9e6"), (right, "#3d8cc0"), (front, "#67aed9")):
        ax.add_patch(Polygon(corners, facecolor=colour, edgecolor="white", lw=0.8, joinstyle="round"))


def _feature_maps(view: str) -> np.ndarray:
    """Made-up maps (MAPS, SIDE, SIDE): a blob of a strength of its own in each, elsewhere in each view."""
    strengths = stream("figure", "architecture", "strengths").uniform(0.25, 1.0, MAPS)
    rng = stream("figure", "architecture", view)
    rows, columns = np.mgrid[:SIDE, :SIDE]
    centres = rng.uniform(1.2, SIDE - 2.2, (MAPS, 2, 1, 1))
    distance = (rows - centres[:, 0]) ** 2 + (columns - centres[:, 1]) ** 2
    return strengths[:, None, None] * np.exp(-distance / 2.2) + rng.uniform(0.0, 0.12, (MAPS, SIDE, SIDE))


def _draw_maps(ax: Axes, x: float, middle: float, maps: np.ndarray) -> None:
    """The maps one behind the other, the first in front."""
    side, shift = 1.5, 0.17
    low = middle - side / 2 - shift * (MAPS - 1) / 2
    for k in reversed(range(MAPS)):
        left, bottom = x + k * shift * 1.35, low + k * shift
        box = (left, left + side, bottom, bottom + side)
        ax.imshow(maps[k], extent=box, vmin=0, vmax=1, cmap="inferno", zorder=2 + (MAPS - k) / 10)
        edge = Rectangle((left, bottom), side, side, facecolor="none", edgecolor="white", lw=0.8)
        ax.add_patch(edge)
        edge.set_zorder(2.05 + (MAPS - k) / 10)


def _draw_vector(ax: Axes, x: float, middle: float, values: np.ndarray) -> None:
    cell = 0.36
    for k, value in enumerate(values):
        bottom = middle + cell * (MAPS / 2 - 1 - k)
        colour = plt.get_cmap("inferno")(value / BRIGHTEST)
        ax.add_patch(Rectangle((x, bottom), cell, cell, facecolor=colour, edgecolor="white", lw=0.8))
    outline = (x, middle - cell * MAPS / 2)
    ax.add_patch(Rectangle(outline, cell, cell * MAPS, facecolor="none", edgecolor=style.INK, lw=1))


def _arrow(ax: Axes, start: tuple[float, float], end: tuple[float, float], text: str = "") -> None:
    ax.add_patch(FancyArrowPatch(start, end, arrowstyle="-|>", mutation_scale=13, color=style.INK, lw=1.4))
    middle = (start[0] + end[0]) / 2
    ax.text(middle, start[1] + 0.16, text, ha="center", va="bottom", fontsize=SIZE)


def _branch(ax: Axes, middle: float, view: str) -> None:
    """One photograph's way to its vector, from left to right, around the height ``middle``."""
    _photograph(ax, X_PHOTO, middle - HEIGHT / 2, VIEWS[view])
    _arrow(ax, (X_PHOTO + HEIGHT + 0.08, middle), (X_BODY - 0.06, middle))
    x = X_BODY
    for side, thickness in BODY:
        _block(ax, x, middle, side, thickness)
        x += thickness + 0.32 * side + 0.03
    _arrow(ax, (x + 0.02, middle), (X_MAPS - 0.08, middle))
    maps = _feature_maps(view)
    pooled = np.mean(maps**POWER, axis=(1, 2)) ** (1 / POWER)
    _draw_maps(ax, X_MAPS, middle, maps)
    _arrow(ax, (X_MAPS + 2.72, middle), (X_GEM - 0.08, middle), "GeM")
    _draw_vector(ax, X_GEM, middle, pooled)
    _arrow(ax, (X_GEM + 0.45, middle), (X_UNIT - 0.08, middle), r"$\ell_2$")
    _draw_vector(ax, X_UNIT, middle, pooled / np.linalg.norm(pooled))
    ax.text(
        X_UNIT + 0.18,
        middle + 1.18,
        rf"$\bar{{\mathbf{{f}}}}({view})$",
        ha="center",
        va="bottom",
        fontsize=SIZE + 1,
    )


def _loss(ax: Axes, middles: Sequence[float]) -> None:
    """The contrastive loss to the right of the two branches, with an arrow from each descriptor."""
    centre, width, height = float(np.mean(middles)), 3.7, 3.3
    box = FancyBboxPatch(
        (X_LOSS, centre - height / 2), width, height, boxstyle="round,rounding_size=0.15,pad=0"
    )
    box.set(facecolor="#fdf1e3", edgecolor=style.VERMILION, linewidth=1.4)
    ax.add_patch(box)
    lines = [
        "contrastive loss",
        r"$d = \|\bar{\mathbf{f}}(i) - \bar{\mathbf{f}}(j)\|$",
        r"match:  $\frac{1}{2}\,d^2$",
        "no match:",
        r"$\frac{1}{2}\,\max(0,\,\tau - d)^2$",
    ]
    middle_of_box = X_LOSS + width / 2
    for row, line in enumerate(lines):
        y = centre + 0.63 * (2 - row)
        text = ax.text(middle_of_box, y, line, ha="center", va="center", fontsize=SIZE)
        text.set_weight("bold" if row == 0 else "normal")
    for middle in middles:
        edge = centre + np.sign(middle - centre) * (height / 2 + 0.04)
        path = FancyArrowPatch(
            (X_UNIT + 0.42, middle), (middle_of_box, edge), arrowstyle="-|>", mutation_scale=13
        )
        path.set(color=style.INK, linewidth=1.4)
        path.set_connectionstyle("angle", angleA=0, angleB=90, rad=8)
        ax.add_patch(path)


def _shared_weights(ax: Axes, middles: Sequence[float]) -> None:
    x, centre = X_BODY + 1.85, float(np.mean(middles))
    arrow = FancyArrowPatch((x, centre + 1.0), (x, centre - 1.0), arrowstyle="<|-|>", mutation_scale=11)
    arrow.set(color=style.GREY, linestyle=(0, (4, 3)))
    ax.add_patch(arrow)
    ax.text(x + 0.15, centre, "the same weights", va="center", fontsize=SIZE, color=style.GREY)


def _captions(ax: Axes, y: float) -> None:
    captions = [
        (X_PHOTO + HEIGHT / 2, "photograph"),
        (X_BODY + 1.75, "convolutions,\nending in ReLU"),
        (X_MAPS + 1.3, "feature maps $\\mathcal{X}$\n$W\\times H\\times K$"),
        (X_GEM + 0.18, "$\\mathbf{f}$\n$K$ numbers"),
        (X_UNIT + 0.18, "descriptor\nof length 1"),
    ]
    for x, text in captions:
        ax.text(x, y, text, ha="center", va="top", fontsize=SIZE, linespacing=1.25)


def draw(training: bool = True) -> Figure:
    """The architecture as a vector drawing.

    Args:
        training: both branches and the contrastive loss, as in the paper's figure 1; without it the one
            branch that describes an image once the network is trained.
    """
    middles = (5.3, 1.35) if training else (1.35,)
    right, top = (X_LOSS + 3.85, 7.05) if training else (X_UNIT + 1.45, 3.05)
    bottom = -1.05
    figure, ax = plt.subplots(figsize=(0.6 * (right + 0.1), 0.6 * (top - bottom)))
    for middle, view in zip(middles, "ij", strict=False):
        _branch(ax, middle, view)
    if training:
        _shared_weights(ax, middles)
        _loss(ax, middles)
    _captions(ax, -0.02)
    ax.set(xlim=(-0.1, right), ylim=(bottom, top), aspect="equal")
    ax.axis("off")
    return figure


if __name__ == "__main__":
    style.write_from_command_line(
        draw, "Draw the architecture with the contrastive loss (the paper's figure 1)."
    )
