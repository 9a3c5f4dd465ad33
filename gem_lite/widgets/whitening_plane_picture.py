"""The whitening widget as one picture: three states of the plane, with the outlines of C_S and C_D."""

from collections.abc import Sequence
from typing import Any, Protocol

import numpy as np
import scipy.linalg
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from numpy.typing import NDArray

from gem_lite.widgets.element import blank_figure

FloatArray = NDArray[np.float64]
# As whitening_plane.css has them on a light ground: dark enough to be seen on white.
COLOURS = ("#0072b2", "#a87400", "#00875f", "#c85200", "#b0588b", "#3a87b5", "#22303c")
MARKERS = "osDv^PX"
BLUE, RED, PALE = "#0072B2", "#D55E00", "#c6cdd3"
TITLES = ("as they are", "1. whitened by $C_S$", "2. rotated to $C_D$'s axes")


class Plane(Protocol):
    """What is drawn of a state."""

    @property
    def points(self) -> FloatArray: ...
    @property
    def within(self) -> FloatArray: ...
    @property
    def between(self) -> FloatArray: ...


def outline(scatter: FloatArray) -> FloatArray:
    """Outline (73, 2) of the points x with xᵀ C⁻¹ x = 1: as far out as pairs differ in that direction."""
    angles = np.linspace(0, 2 * np.pi, 73)
    circle = np.column_stack([np.cos(angles), np.sin(angles)])
    return np.asarray(circle @ scipy.linalg.sqrtm(scatter).real)


def square_around(points: FloatArray) -> tuple[FloatArray, float]:
    """The square that holds all points (N, 2): its middle, and half a side with some room."""
    low, high = points.min(axis=0), points.max(axis=0)
    return (low + high) / 2, 0.54 * float((high - low).max())


def _draw_plane(ax: Axes, plane: Plane, landmarks: NDArray[Any], pairs: tuple[Any, Any]) -> None:
    first, second = pairs
    ax.plot(*np.stack([plane.points[first], plane.points[second]]).transpose(2, 0, 1), color=PALE, lw=0.5)
    for number, landmark in enumerate(np.unique(landmarks)):
        own, kind = plane.points[landmarks == landmark], number % len(COLOURS)
        ax.plot(*own.T, MARKERS[kind], color=COLOURS[kind], ms=4.5, mec="white", mew=0.4)
    ax.fill(*outline(plane.within).T, facecolor=BLUE, alpha=0.18)
    ax.plot(*outline(plane.within).T, color=BLUE, lw=2, label="$C_S$: matching pairs")
    ax.plot(*outline(plane.between).T, "--", color=RED, lw=2, label="$C_D$: other pairs")
    variances, axes = np.linalg.eigh(plane.between)
    for variance, axis in zip(variances, axes.T, strict=True):
        end = np.sqrt(variance) * axis
        ax.plot([-end[0], end[0]], [-end[1], end[1]], ":", color=RED, lw=1.2)


def draw_steps(
    states: Sequence[Plane], landmarks: NDArray[Any], pairs: tuple[Any, Any], title: str = ""
) -> Figure:
    """The plane as it is, whitened and rotated, side by side; the whitened two in one scale.

    Args:
        states: points (N, 2), C_S and C_D of each.
        landmarks: (N,); pairs: rows of the matching pairs.
        title: above the picture.
    """
    figure = blank_figure(7.5, 3.3)
    grid = figure.add_gridspec(
        1, len(states), left=0.01, right=0.99, bottom=0.1, top=0.8 if title else 0.92, wspace=0.04
    )
    squares = [
        square_around(np.concatenate([state.points, outline(state.within), outline(state.between)]))
        for state in states
    ]
    halves = [squares[0][1], *[max(half for _, half in squares[1:])] * (len(states) - 1)]
    for place, (state, name, (middle, _), half) in enumerate(
        zip(states, TITLES, squares, halves, strict=True)
    ):
        ax = figure.add_subplot(grid[place])
        _draw_plane(ax, state, landmarks, pairs)
        ax.set_title(name, fontsize=10)
        (left, low), (right, high) = middle - half, middle + half
        ax.set(xlim=(left, right), ylim=(low, high), aspect="equal", xticks=[], yticks=[])
        ax.axhline(0, color=PALE, lw=0.6, zorder=0)
        ax.axvline(0, color=PALE, lw=0.6, zorder=0)
    figure.legend(
        *figure.axes[0].get_legend_handles_labels(), loc="lower center", ncols=2, frameon=False, fontsize=9
    )
    if title:
        figure.suptitle(title, fontsize=11)
    return figure
