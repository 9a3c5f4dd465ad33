"""The playground as one picture: for a live notebook, and where there is no JavaScript."""

from collections.abc import Sequence
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle
from numpy.typing import NDArray

from gem_lite.widgets.element import blank_figure
from gem_lite.widgets.playground_data import Collection
from gem_lite.widgets.playground_search import Found, kinds, precision_recall

# Frame and sign: no answer is told by its colour alone. The book's colours, as in playground.css.
LOOKS = {"positive": ("#009e73", "✓"), "negative": ("#d55e00", "✕"), "junk": ("#737c85", "–")}
QUERY, BOX, PLAIN = "#0072b2", "#e69f00", "#5f6b76"
ROWS, COLUMNS = 3, 8
GAP, LINE = 0.08, 0.3  # between pictures and for the text below each, in widths of a picture


def _show(
    ax: Axes, pictures: NDArray[np.uint8], texts: Sequence[str], colours: Sequence[str], columns: int
) -> None:
    """Pictures (N, H, W, 3) in lines, each with a frame and a text; one set of axes, as many are slow."""
    _, height, width = pictures.shape[:3]
    step, drop = width * (1 + GAP), height * (1 + LINE)
    for place, (picture, text, colour) in enumerate(zip(pictures, texts, colours, strict=True)):
        line, column = divmod(place, columns)
        x, y = column * step, line * drop
        ax.imshow(picture, extent=(x, x + width, y + height, y), interpolation="nearest")
        ax.add_patch(Rectangle((x, y), width, height, fill=False, edgecolor=colour, lw=3))
        ax.text(x + width / 2, y + height * (1 + LINE / 2), text, ha="center", va="center", fontsize=9)
    lines = -(-len(pictures) // columns)
    ax.set(xlim=(-2, min(columns, len(pictures)) * step), ylim=(lines * drop, -2), aspect="equal")
    ax.set_axis_off()


def _show_box(ax: Axes, box: Any, x: float = 0, y: float = 0) -> None:
    left, top, right, bottom = box
    outline = Rectangle((x + left, y + top), right - left, bottom - top, fill=False, edgecolor=BOX, lw=2)
    ax.add_patch(outline)


def _draw_curve(ax: Axes, corners: NDArray[np.float64]) -> None:
    ax.plot(corners[:, 0], corners[:, 1], lw=2, color=QUERY)
    ax.set(xlim=(0, 1.02), ylim=(0, 1.03), xlabel="recall", ylabel="precision")
    ax.set(xticks=(0, 0.5, 1), yticks=(0, 0.5, 1))
    ax.spines[["top", "right"]].set_visible(False)


def draw_playground(collection: Collection, found: Found, query: int, title: str = "") -> Figure:
    """A query, its precision–recall curve, and its first answers with marks and similarities.

    Args:
        collection: the images and what is right.
        found: rankings of all queries.
        query: the one to show, from 0.
        title: above the picture.
    """
    figure = blank_figure(7.5, 3.1)
    top = 0.9 if title else 0.98
    asked = figure.add_axes((0.03, 0.54, 0.2, top - 0.54))
    row = int(collection.query_rows[query])
    name = f"query {query + 1} of {len(collection.query_rows)}"
    _show(asked, collection.images[[row]], [name], [QUERY], 1)
    _show_box(asked, collection.boxes[query])
    _draw_curve(figure.add_axes((0.085, 0.16, 0.145, 0.32)), precision_recall(collection, found, query))
    best = found.ranks[query, : ROWS * COLUMNS]
    looks = [LOOKS[str(kind)] for kind in kinds(collection, query)[best]]
    texts = [f"{sign} {score:.2f}" for (_, sign), score in zip(looks, found.scores[query], strict=False)]
    strip = figure.add_axes((0.26, 0.02, 0.73, top - 0.02))
    _show(strip, collection.images[best], texts, [colour for colour, _ in looks], COLUMNS)
    if title:
        figure.suptitle(title, fontsize=11)
    return figure


def contact_sheet(collection: Collection) -> Figure:
    """All queries with their numbers and boxes: what to choose from in a live notebook."""
    rows, columns = collection.query_rows, min(9, len(collection.query_rows))
    height, width = collection.images.shape[1:3]
    lines = -(-len(rows) // columns)
    inches = 9 / columns * height / width * (1 + LINE) * lines
    figure = blank_figure(9, inches)
    ax = figure.add_axes((0.01, 0.0, 0.98, 1.0))
    names = [str(number) for number in range(1, len(rows) + 1)]
    _show(ax, collection.images[rows], names, [PLAIN] * len(rows), columns)
    for place, box in enumerate(collection.boxes):
        line, column = divmod(place, columns)
        _show_box(ax, box, column * width * (1 + GAP), line * height * (1 + LINE))
    return figure
