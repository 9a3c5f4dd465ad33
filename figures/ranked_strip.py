"""Ranked answers as strips of pictures: the query on the left, then what was found, best first."""

from collections.abc import Sequence
from dataclasses import dataclass

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle

from figures import style

# Colour of the frame and sign: no answer is told by its colour alone. "" is an answer nobody has judged.
LOOKS = {
    "positive": (style.POSITIVE, "✓ "),
    "negative": (style.NEGATIVE, "✕ "),
    "junk": (style.JUNK, "– "),
    "": (style.PALE, ""),
}
WIDTH, FRAME = 10.0, 4


@dataclass(frozen=True, eq=False)
class Answer:
    """A picture (H, W, 3) of bytes, what is written under it, and what it is to the query."""

    picture: np.ndarray
    text: str = ""
    kind: str = ""


@dataclass(frozen=True, eq=False)
class Strip:
    """A query with its answers; ``box`` (x1, y1, x2, y2), in pixels, is the part that was asked with."""

    query: np.ndarray
    answers: Sequence[Answer]
    box: Sequence[float] | None = None
    text: str = "query"


def squared(picture: np.ndarray) -> np.ndarray:
    """The picture in the middle of a white square: strips of pictures of all shapes stay in line."""
    height, width = picture.shape[:2]
    side = max(height, width)
    square = np.full((side, side, 3), 255, dtype=np.uint8)
    top, left = (side - height) // 2, (side - width) // 2
    square[top : top + height, left : left + width] = picture
    return square


def _show(ax: Axes, picture: np.ndarray, text: str, colour: str) -> None:
    ax.imshow(squared(picture), interpolation="antialiased")
    ax.set(xticks=[], yticks=[])
    ax.grid(False)
    ax.spines[:].set(visible=True, color=colour, linewidth=FRAME)
    ax.set_xlabel(text, fontsize=11, labelpad=4)


def _show_box(ax: Axes, picture: np.ndarray, box: Sequence[float]) -> None:
    height, width = picture.shape[:2]
    side = max(height, width)
    x, y = box[0] + (side - width) // 2, box[1] + (side - height) // 2
    size = (box[2] - box[0], box[3] - box[1])
    # Over the frame: a box as large as the picture is seen too.
    ax.add_patch(Rectangle((x, y), *size, fill=False, edgecolor=style.ORANGE, lw=2, zorder=3, clip_on=False))


def draw(strips: Sequence[Strip]) -> Figure:
    """A row for each query; a strip with fewer answers than the longest ends earlier.

    Raises:
        ValueError: if there is nothing to draw, or an answer is of no known kind.
    """
    if not strips:
        raise ValueError("there is no strip to draw")
    if unknown := {answer.kind for strip in strips for answer in strip.answers} - LOOKS.keys():
        raise ValueError(f"unknown kinds of answer {sorted(unknown)}; known: {', '.join(LOOKS)}")
    columns = 1 + max(len(strip.answers) for strip in strips)
    height = len(strips) * (WIDTH / columns + 0.33)
    figure, axes = plt.subplots(
        len(strips), columns, figsize=(WIDTH, height), squeeze=False, layout="constrained"
    )
    figure.get_layout_engine().set(w_pad=0.04, h_pad=0.03, wspace=0, hspace=0)
    for line, strip in zip(axes, strips, strict=True):
        _show(line[0], strip.query, strip.text, style.QUERY)
        if strip.box is not None:
            _show_box(line[0], strip.query, strip.box)
        for ax, answer in zip(line[1:], strip.answers, strict=False):
            colour, sign = LOOKS[answer.kind]
            _show(ax, answer.picture, sign + answer.text, colour)
        for ax in line[1 + len(strip.answers) :]:
            ax.set_axis_off()
    return figure
