"""Pictures with heat maps on them, in rows."""

from collections.abc import Sequence
from dataclasses import dataclass

import matplotlib.pyplot as plt
import numpy as np
import torch
import torch.nn.functional as F
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from torch import Tensor

HEAT = "inferno"
WIDTH = 7.2  # inches, of a row
TITLE = 0.24  # inches, above a picture
SMALL = 200  # pixels; a picture that the network sees is narrower, one for the eye wider


@dataclass(frozen=True, eq=False)
class Cell:
    """A picture (H, W, 3) of bytes, what is laid over it (h, w) if anything, and a title."""

    picture: np.ndarray
    heat: Tensor | None = None
    title: str = ""


def _show_picture(ax: Axes, picture: np.ndarray) -> None:
    small = picture.shape[1] < SMALL  # its pixels are to be seen
    ax.imshow(picture, interpolation="nearest" if small else "antialiased")


def show_heat(ax: Axes, picture: np.ndarray, heat: Tensor) -> None:
    """The picture in grey below the heat map, whose own maximum is the brightest colour and 0 the darkest."""
    size = (picture.shape[0], picture.shape[1])
    smooth = F.interpolate(heat[None, None].float(), size, mode="bilinear", align_corners=False)[0, 0]
    strength = (smooth / heat.max().clamp(min=torch.finfo(torch.float32).tiny)).numpy()
    ax.imshow(picture.mean(axis=2) / 255, cmap="gray", vmin=-0.1, vmax=1.2, interpolation="antialiased")
    # Where there is little to show, the picture stays readable.
    ax.imshow(strength, cmap=HEAT, vmin=0, vmax=1, alpha=0.3 + 0.55 * np.sqrt(strength.clip(0, 1)))


def draw_rows(rows: Sequence[Sequence[Cell]], names: Sequence[str] | None = None) -> Figure:
    """A figure of rows of cells; the pictures of one row have one shape.

    Args:
        rows: as many cells in each.
        names: written at the left of each row.
    """
    columns = len(rows[0])
    shares = [row[0].picture.shape[0] / row[0].picture.shape[1] for row in rows]
    titles = [TITLE * any(cell.title for cell in row) for row in rows]
    height = sum(WIDTH / columns * share for share in shares) + sum(titles)
    figure, axes = plt.subplots(
        len(rows), columns, figsize=(WIDTH, height), squeeze=False, height_ratios=shares, layout="constrained"
    )
    figure.get_layout_engine().set(w_pad=0.02, h_pad=0.03, wspace=0, hspace=0)
    for line, row, name in zip(axes, rows, names or [""] * len(rows), strict=True):
        for ax, cell in zip(line, row, strict=True):
            if cell.heat is None:
                _show_picture(ax, cell.picture)
            else:
                show_heat(ax, cell.picture, cell.heat)
            ax.set_title(cell.title, fontsize=9)
            ax.set(xticks=[], yticks=[])
            ax.spines[:].set_visible(False)
        line[0].set_ylabel(name)
    return figure
