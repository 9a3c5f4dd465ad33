"""Learned whitening in the plane: views of a few landmarks, what pairs of them differ by, and each step."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import matplotlib.pyplot as plt
import numpy as np
import scipy.linalg
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from figures import style
from gem_lite.scatter import nonmatching_scatter, scatter_of_differences
from gem_lite.seeds import stream

LANDMARKS, VIEWS = 7, 9
BETWEEN = (1.1, 1.4)  # standard deviations of the landmarks' places, along the axes
WITHIN = (1.5, 0.22)  # of a landmark's views, along and across the direction in which views differ
DIRECTION = np.deg2rad(35)  # of that difference
NEIGHBOURS = (1, 2)  # a view is paired with the next and the one after it
COLOURS = (style.BLUE, style.ORANGE, style.GREEN, style.VERMILION, style.PURPLE, style.SKY, style.INK)
MARKERS = "osD^vPX"


@dataclass(frozen=True, eq=False)
class Example:
    """Points (N, 2), the landmark (N,) of each, and matching pairs as two arrays of rows."""

    points: np.ndarray
    landmarks: np.ndarray
    pairs: tuple[np.ndarray, np.ndarray]

    @property
    def within(self) -> np.ndarray:
        """C_S: mean of (a - b)(a - b)ᵀ over the matching pairs."""
        return scatter_of_differences(self.points, *self.pairs) / len(self.pairs[0])

    @property
    def between(self) -> np.ndarray:
        """C_D: the same over all pairs of different landmarks."""
        return nonmatching_scatter(self.points, self.landmarks, None)


def example() -> Example:
    """Views of one landmark differ mostly in one direction, and further than many landmarks lie apart."""
    rng = stream("figure", "whitening plane")
    along, across = (
        np.array([np.cos(DIRECTION), np.sin(DIRECTION)]),
        np.array([-np.sin(DIRECTION), np.cos(DIRECTION)]),
    )
    places = rng.normal(size=(LANDMARKS, 1, 2)) * BETWEEN
    views = rng.normal(size=(LANDMARKS, VIEWS, 2)) * WITHIN
    points = places + views[..., :1] * along + views[..., 1:] * across
    first = np.concatenate([np.arange(VIEWS) for _ in NEIGHBOURS])
    second = np.concatenate([(np.arange(VIEWS) + step) % VIEWS for step in NEIGHBOURS])
    starts = VIEWS * np.arange(LANDMARKS)[:, None]
    pairs = ((starts + first).ravel(), (starts + second).ravel())
    return Example(points.reshape(-1, 2), np.repeat(np.arange(LANDMARKS), VIEWS), pairs)


def nearest_is_right(points: np.ndarray, landmarks: np.ndarray) -> float:
    """Share of the points whose nearest other point shows the same landmark."""
    distances = np.linalg.norm(points[:, None] - points[None], axis=2)
    np.fill_diagonal(distances, np.inf)
    return float((landmarks[distances.argmin(axis=1)] == landmarks).mean())


def _ellipse(scatter: np.ndarray) -> np.ndarray:
    """Outline (60, 2) of the points x with xᵀ scatter⁻¹ x = 1: as far out as the mean difference is long."""
    angles = np.linspace(0, 2 * np.pi, 60)
    circle = np.column_stack([np.cos(angles), np.sin(angles)])
    return np.asarray(circle @ scipy.linalg.sqrtm(scatter).real)


def _draw_points(ax: Axes, drawn: Example, moved: np.ndarray) -> None:
    for first, second in zip(*drawn.pairs, strict=True):
        ax.plot(*moved[[first, second]].T, color=style.JUNK, lw=0.6, zorder=1)
    for landmark, (colour, marker) in enumerate(zip(COLOURS, MARKERS, strict=True)):
        own = moved[drawn.landmarks == landmark]
        ax.plot(*own.T, marker, color=colour, ms=4.5, mec="white", mew=0.4, zorder=2)


def _draw_scatters(ax: Axes, drawn: Example, matrix: np.ndarray) -> None:
    """Outlines of C_S and C_D once the plane is mapped by `matrix`, C_D with its principal axes."""
    within = matrix.T @ drawn.within @ matrix
    between = matrix.T @ drawn.between @ matrix
    ax.fill(*_ellipse(within).T, facecolor=style.BLUE, alpha=0.2)
    ax.plot(*_ellipse(within).T, color=style.BLUE, label="matching, $C_S$")
    ax.plot(*_ellipse(between).T, color=style.VERMILION, ls="--", label="non-matching, $C_D$")
    variances, axes = np.linalg.eigh(between)
    for variance, axis in zip(variances, axes.T, strict=True):
        end = np.sqrt(variance) * axis
        ax.plot([-end[0], end[0]], [-end[1], end[1]], color=style.VERMILION, lw=1, ls=":")


def draw(drawn: Example, steps: Mapping[str, np.ndarray]) -> Figure:
    """A column for each state of the plane: the points above, and how far pairs differ below.

    Args:
        drawn: points, landmarks and pairs.
        steps: title of each column to its matrix (2, 2); rows are mapped as (x - mean) @ matrix.
    """
    figure, axes = plt.subplots(2, len(steps), figsize=(6.4, 5.0), height_ratios=(3, 2))
    centred = drawn.points - drawn.points.mean(axis=0)
    for (above, below), (title, matrix) in zip(axes.T, steps.items(), strict=True):
        _draw_points(above, drawn, centred @ matrix)
        _draw_scatters(below, drawn, matrix)
        above.set_title(title)
        for ax in (above, below):
            ax.set_aspect("equal", adjustable="datalim")
            ax.set(xticks=[], yticks=[])
            ax.grid(False)
            ax.axhline(0, color=style.PALE, lw=0.8, zorder=0)
            ax.axvline(0, color=style.PALE, lw=0.8, zorder=0)
    axes[0, 0].set_ylabel("descriptors")
    axes[1, 0].set_ylabel("differences of pairs")
    handles, names = axes[1, 0].get_legend_handles_labels()
    figure.legend(handles, names, loc="outside lower center", ncols=2)
    return figure


def two_steps(drawn: Example) -> tuple[np.ndarray, np.ndarray]:
    """The paper's two steps as matrices: C_S^(-1/2), and that followed by the rotation."""
    whiten = scipy.linalg.inv(scipy.linalg.sqrtm(drawn.within).real)
    _, rotation = scipy.linalg.eigh(whiten @ drawn.between @ whiten)
    return whiten, whiten @ rotation[:, ::-1]


def angles(directions: np.ndarray) -> Sequence[float]:
    """Angle of each row (x, y) to the first axis, in degrees from 0 to 180: a direction has no sign."""
    return [float(np.rad2deg(np.arctan2(y, x)) % 180) for x, y in directions]


def draw_sample() -> Figure:
    """The figure of the chapter: as they are, whitened by C_S, rotated."""
    drawn = example()
    whiten, both = two_steps(drawn)
    return draw(drawn, {"as they are": np.eye(2), "1. whitened by $C_S$": whiten, "2. rotated": both})


if __name__ == "__main__":
    style.write_from_command_line(draw_sample, "Draw the two steps of learned whitening in the plane.")
