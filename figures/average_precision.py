"""Average precision of one short list, drawn: the list itself, and the area that the number is."""

from collections.abc import Sequence

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import FancyBboxPatch, Polygon

from figures import style
from gem_lite.evaluate import average_precision, finite_average_precision

# What an image of a ranked list is, the example of the Retrieval chapter, best first.
EXAMPLE = ("yes", "junk", "no", "yes", "no", "junk", "yes", "no", "no", "yes")
EXAMPLE_POSITIVES = 5  # one of them is not in the list

# Colour of the box, sign, colour of the sign: no image is told by its colour alone.
LOOKS = {
    "yes": (style.POSITIVE, "✓", "white"),
    "no": (style.NEGATIVE, "✕", "white"),
    "junk": (style.JUNK, "–", style.INK),
}
CENTRED = {"ha": "center", "va": "center"}


def positions_of_positives(kinds: Sequence[str]) -> list[int]:
    """Positions of the positives once the junk is out of the list, counted from 0.

    >>> positions_of_positives(["junk", "yes", "no", "junk", "yes"])
    [0, 2]
    """
    kept = [kind for kind in kinds if kind != "junk"]
    return [position for position, kind in enumerate(kept) if kind == "yes"]


def _draw_row(ax: Axes, kinds: Sequence[str | None], y: float, title: str) -> None:
    """One list; None leaves a gap. Places are numbered from 1, as people count."""
    ax.text(-0.25, y, title, ha="right", va="center")
    place = 0
    for x, kind in enumerate(kinds):
        if kind is None:
            continue
        place += 1
        colour, sign, ink = LOOKS[kind]
        box = FancyBboxPatch((x + 0.06, y - 0.38), 0.76, 0.76, boxstyle="round,pad=0,rounding_size=0.1")
        box.set(facecolor=colour, linewidth=0)
        if kind == "junk":
            box.set(hatch="////", edgecolor="#dfe4e8")
        ax.add_patch(box)
        ax.text(x + 0.44, y, sign, color=ink, fontsize=15, **CENTRED)
        ax.text(x + 0.44, y - 0.6, str(place), color=style.GREY, fontsize=9.5, **CENTRED)


def draw_list(kinds: Sequence[str] = EXAMPLE) -> Figure:
    """The list as it was returned and the list that is scored, from which the junk is gone.

    Args:
        kinds: what each image is, best first: "yes" (a positive), "no" or "junk".
    """
    figure, ax = plt.subplots(figsize=(7.2, 2.3))
    _draw_row(ax, kinds, 1.3, "returned")
    _draw_row(ax, [None if kind == "junk" else kind for kind in kinds], 0.0, "scored")
    ax.set(xlim=(-1.6, len(kinds)), ylim=(-0.75, 1.85), aspect="equal")
    ax.axis("off")
    return figure


def _draw_areas(ax: Axes, ranks: Sequence[int], n_positives: int, trapezoids: bool) -> None:
    """One shape for each positive: as wide as its share of the recall, as high as the precision there."""
    for found, rank in enumerate(ranks):
        after = (found + 1) / (rank + 1)
        before = (found / rank if rank else 1.0) if trapezoids else after
        left, right = found / n_positives, (found + 1) / n_positives
        corners = [(left, 0), (left, before), (right, after), (right, 0)]
        ax.add_patch(Polygon(corners, facecolor=style.SKY, edgecolor="white", lw=1.5, alpha=0.75))
        ax.plot([left, right], [before, after], color=style.BLUE, lw=2.2)
        ax.plot(right, after, "o", color=style.BLUE)
        area = (right - left) * (before + after) / 2
        ax.text((left + right) / 2, 0.06, f"{area:.3f}", ha="center", fontsize=9.5)
    ax.set(xlim=(0, 1.02), ylim=(0, 1.06), xlabel="recall", xticks=np.arange(n_positives + 1) / n_positives)


def draw_areas(kinds: Sequence[str] = EXAMPLE, n_positives: int = EXAMPLE_POSITIVES) -> Figure:
    """Precision over recall, the area taken by trapezoids (what the papers report) and by rectangles."""
    ranks = positions_of_positives(kinds)
    figure, axes = plt.subplots(1, 2, figsize=(7.2, 3.1), sharey=True)
    _draw_areas(axes[0], ranks, n_positives, trapezoids=True)
    _draw_areas(axes[1], ranks, n_positives, trapezoids=False)
    axes[0].set(ylabel="precision")
    axes[0].set_title(f"trapezoids: AP = {average_precision(ranks, n_positives):.3f}")
    axes[1].set_title(f"finite sum: AP = {finite_average_precision(ranks, n_positives):.3f}")
    return figure


if __name__ == "__main__":
    style.write_from_command_line(draw_areas, "Draw the two areas that are called average precision.")
