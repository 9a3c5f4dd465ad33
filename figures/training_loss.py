"""The contrastive loss of one pair, and its slope, over the distance and over the cosine."""

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from figures import style


def cosine_at(distance: float | np.ndarray) -> float | np.ndarray:
    """Cosine of two unit vectors at this distance: 1 - d²/2.

    >>> cosine_at(0.0), cosine_at(2.0)
    (1.0, -1.0)
    """
    return 1 - distance**2 / 2


def loss(distance: np.ndarray, matching: bool, margin: float) -> np.ndarray:
    """Equation 6 for one pair."""
    return 0.5 * (distance if matching else np.maximum(0, margin - distance)) ** 2


def slope(distance: np.ndarray, matching: bool, margin: float) -> np.ndarray:
    """Its derivative with respect to the distance; negative where the pair is pushed apart."""
    return distance if matching else -np.maximum(0, margin - distance)


def _mark_margin(ax: Axes, place: float, text: str) -> None:
    ax.axvline(place, color=style.INK, lw=1, ls=":")
    ax.text(place, ax.get_ylim()[1], text, ha="center", va="bottom")


def draw(margin: float = 0.5) -> Figure:
    """Loss over distance, slope over distance, loss over cosine, for a matching and a non-matching pair."""
    distance = np.linspace(0, 1.2, 241)
    figure, axes = plt.subplots(1, 3, figsize=(7.2, 3.2))
    looks = ((True, style.POSITIVE, "-", "match"), (False, style.NEGATIVE, "--", "no match"))
    for matching, colour, dashes, name in looks:
        values = loss(distance, matching, margin)
        axes[0].plot(distance, values, dashes, color=colour, label=name)
        axes[1].plot(distance, slope(distance, matching, margin), dashes, color=colour)
        axes[2].plot(cosine_at(distance), values, dashes, color=colour)
    top = 1.6 * loss(np.zeros(1), False, margin)[0]
    axes[0].set(xlabel="distance d", ylabel="loss", ylim=(0, top))
    axes[1].set(xlabel="distance d", ylabel="slope of the loss", ylim=(-1.3 * margin, 1.3 * margin))
    axes[2].set(xlabel="cosine", ylabel="loss", ylim=(0, top), xlim=(cosine_at(1.2), 1))
    axes[1].axhline(0, color=style.INK, lw=0.8)
    for ax, place in zip(axes, (margin, margin, cosine_at(margin)), strict=True):
        text = "τ" if place == margin else "1 − τ²/2"
        _mark_margin(ax, float(place), text)
    figure.legend(*axes[0].get_legend_handles_labels(), loc="outside lower center", ncols=2)
    return figure


if __name__ == "__main__":
    style.write_from_command_line(draw, "Draw the contrastive loss and its slope.")
