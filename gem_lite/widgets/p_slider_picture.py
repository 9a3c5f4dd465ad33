"""The p-slider as one picture: for a live notebook, and where there is no JavaScript.

Photograph, feature map, contributions x^p / Σ x^p, and the pooled value between its limits p = 1 and p = ∞.
"""

import math
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import torch
from matplotlib import colormaps
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from numpy.typing import NDArray

from gem_lite.pooling import gem, mac
from gem_lite.widgets.element import blank_figure, three_digits

EPS = 1e-6  # pooling clamps activations here
# The axis of the curve runs evenly in 1/√p: p = ∞ has a place on it, and 1 to 10, where most happens, room.
TICKS = (1.0, 1.5, 2.0, 3.0, 5.0, 10.0, 30.0, 100.0, math.inf)
CURVE_EXPONENTS = [*(1 / (1 - place) ** 2 for place in np.linspace(0, 0.99, 50)), math.inf]


def pooled(channel: NDArray[np.floating[Any]], p: float) -> float:
    """`gem_lite.pooling.gem` of one feature map (H, W); its maximum for p = ∞."""
    x = torch.as_tensor(channel, dtype=torch.float32)[None, None]
    return float(mac(x.clamp(min=EPS)) if math.isinf(p) else gem(x, p, EPS))


def contribution_shares(channel: NDArray[np.floating[Any]], p: float) -> NDArray[np.float64]:
    """Share of every position (H, W) in the sum of x^p: between 0 and 1, adding up to 1.

    >>> contribution_shares(np.array([[1.0, 3.0]]), 1.0)
    array([[0.25, 0.75]])
    >>> contribution_shares(np.array([[1.0, 3.0]]), math.inf)
    array([[0., 1.]])
    """
    x = np.maximum(np.asarray(channel, dtype=np.float64), EPS)
    # Divided by the maximum first: x^100 would overflow.
    powers = (x == x.max()).astype(np.float64) if math.isinf(p) else (x / x.max()) ** p
    return np.asarray(powers / powers.sum())


def half_count(shares: NDArray[np.float64]) -> int:
    """How many positions, the largest first, make half of the sum.

    >>> half_count(np.array([[0.1, 0.3], [0.25, 0.35]]))
    2
    """
    return int(np.argmax(np.cumsum(np.sort(shares.ravel())[::-1]) >= 0.5 - 1e-9)) + 1


def axis_place(p: float) -> float:
    """Where the exponent lies on the axis: 0 for p = 1, 1 for p = ∞."""
    return 1 - 1 / math.sqrt(p)


def lit(image: NDArray[np.uint8], strength: NDArray[np.float64]) -> NDArray[np.float64]:
    """The photograph (H, W, 3) in 0..1, grey and darkened, lit where ``strength`` (h, w), 0 to 1, says."""
    height, width = image.shape[:2]
    rows = np.arange(height) * strength.shape[0] // height
    columns = np.arange(width) * strength.shape[1] // width
    light = colormaps["inferno"](strength)[rows][:, columns, :3]
    dark = 0.5 * image.mean(axis=2, keepdims=True) / 255
    return np.asarray(1 - (1 - dark) * (1 - light))  # "screen": black light adds nothing


def _draw_network(
    axes: Sequence[Axes], image: NDArray[np.uint8], channel: NDArray[np.floating[Any]], p: float, name: str
) -> None:
    """Feature map and contributions of one network."""
    height, width = image.shape[:2]
    extent = (0, width, height, 0)  # a feature map covers the whole photograph
    shares = contribution_shares(channel, p)
    axes[0].imshow(channel, extent=extent, cmap="inferno", vmin=0, interpolation="nearest")
    axes[1].imshow(lit(image, shares / shares.max()), extent=extent)
    axes[0].set_title(f"{name or 'feature map'}, 0 to {three_digits(float(channel.max()))}", fontsize=10)
    axes[1].set_title(
        rf"share of $\Sigma x^p$, 0 to {three_digits(100 * float(shares.max()))} %", fontsize=10
    )


def _draw_curves(ax: Axes, maps: Mapping[str, NDArray[np.floating[Any]]], p: float) -> None:
    """Pooled value over p, a line for each network, from its mean to its maximum."""
    looks: tuple[dict[str, Any], ...] = ({"color": "C0"},)
    if len(maps) > 1:
        looks = ({"color": "dimgrey", "ls": "--"}, {"color": "C0"})
    for (name, channel), look in zip(maps.items(), looks, strict=True):
        values = [pooled(channel, q) for q in CURVE_EXPONENTS]
        ax.plot([axis_place(q) for q in CURVE_EXPONENTS], values, lw=2, label=name, **look)
        ax.plot(axis_place(p), pooled(channel, p), "o", ms=9, color=look["color"])
    if len(maps) > 1:
        ax.legend(frameon=False, loc="upper left", fontsize=9)
    labels = ["∞\nmax" if math.isinf(q) else "1\nmean" if q == 1 else f"{q:g}" for q in TICKS]
    ax.set_xticks([axis_place(q) for q in TICKS], labels)
    ax.set(xlabel="p", ylabel="pooled value", xlim=(-0.01, 1.01))
    ax.spines[["top", "right"]].set_visible(False)


def draw_p_slider(
    image: NDArray[np.uint8], maps: Mapping[str, NDArray[np.floating[Any]]], p: float, title: str = ""
) -> Figure:
    """The p-slider at one exponent.

    Args:
        image: photograph (H, W, 3).
        maps: a channel's feature map (h, w), not negative, under the name of its network; one or two.
        p: exponent, 1 or more; ``math.inf`` for the maximum.
        title: above the picture.
    """
    rows = len(maps)
    height, width = image.shape[:2]
    picture, plot, gap = 2.2 * height / width, 1.3, 0.35  # inches
    above, below = 0.65 if title else 0.4, 0.75
    total = above + rows * (picture + gap) + plot + below
    figure = blank_figure(7.5, total)

    def place(row: int, column: int) -> Axes:
        bottom = total - above - row * (picture + gap) - picture
        return figure.add_axes((0.08 + column * 0.31, bottom / total, 2.2 / 7.5, picture / total))

    photo = place(0, 0)
    photo.imshow(image)
    photo.set_title("photograph", fontsize=10)
    for row, (name, channel) in enumerate(maps.items()):
        _draw_network([place(row, 1), place(row, 2)], image, channel, p, name)
    for ax in figure.axes:
        ax.set_axis_off()
    _draw_curves(figure.add_axes((0.08, below / total, 0.9, plot / total)), maps, p)
    if title:
        figure.suptitle(title, fontsize=11)
    return figure
