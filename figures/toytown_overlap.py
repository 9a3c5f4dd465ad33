"""Which views of a landmark see the same points: all pairs of a set, and one landmark's matrix."""

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.figure import Figure
from matplotlib.offsetbox import AnnotationBbox, OffsetImage

from figures import style
from figures.toytown_matches import view_of
from gem_lite import toytown
from gem_lite.toytown.covisibility import MAX_SCALE_RATIO, MIN_OVERLAP, overlap, scale_ratio

THUMBNAIL = 0.34  # inches


def pair_statistics(images: toytown.ImageSet) -> tuple[np.ndarray, np.ndarray]:
    """Overlap and scale ratio of every ordered pair of different views of one landmark, both (M,)."""
    known = images.covisibility
    overlaps, ratios = [], []
    for query in range(len(images)):
        others = known.companions(query)
        overlaps.append(overlap(known.visible, query, others))
        ratios.append(scale_ratio(known.scales, query, others))
    return np.concatenate(overlaps), np.concatenate(ratios)


def draw_pairs(overlaps: np.ndarray, ratios: np.ndarray) -> Figure:
    """How large the overlaps are, and which pairs pass both tests of rule m3."""
    figure, (above, below) = plt.subplots(2, 1, figsize=(7.2, 5.6), sharex=True, height_ratios=(2, 3))
    admitted = (overlaps >= MIN_OVERLAP) & (ratios < MAX_SCALE_RATIO)
    parts = [100 * overlaps[admitted], 100 * overlaps[~admitted]]
    above.hist(parts, bins=np.linspace(0, 100, 26), stacked=True, color=[style.BLUE, style.JUNK], rwidth=0.92)
    above.axvline(100 * MIN_OVERLAP, color=style.INK, lw=1, ls="--")
    above.set(ylabel="pairs of views")
    for chosen, colour, name in ((admitted, style.BLUE, "m3 may draw"), (~admitted, style.JUNK, "too far")):
        below.plot(100 * overlaps[chosen], ratios[chosen], ".", color=colour, ms=2.5, alpha=0.5, label=name)
    below.axvline(100 * MIN_OVERLAP, color=style.INK, lw=1, ls="--")
    below.axhline(MAX_SCALE_RATIO, color=style.INK, lw=1, ls="--")
    shown = ratios[np.isfinite(ratios)]
    below.set(xlabel="overlap (%)", ylabel="scale ratio", ylim=(0.95, np.quantile(shown, 0.995)))
    figure.legend(markerscale=5, ncols=2, loc="outside upper left")  # the dots leave no room inside
    return figure


def overlap_matrix(images: toytown.ImageSet, landmark: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Rows of a landmark's views from left to right, their azimuths in degrees, and their overlaps.

    Entry (i, j) of the matrix is the share of the points of view i that view j observes, too.
    """
    rows = np.flatnonzero(images.landmarks == landmark)
    centres = np.array([view_of(images, int(row)).camera.centre for row in rows])
    azimuths = np.degrees(np.arctan2(centres[:, 0], -centres[:, 1]))
    order = np.argsort(azimuths)
    rows = rows[order]
    matrix = np.stack([overlap(images.visible, int(row), rows) for row in rows])
    return rows, azimuths[order], matrix


def draw_matrix(matrix: np.ndarray, azimuths: np.ndarray, pictures: np.ndarray) -> Figure:
    """The matrix of `overlap_matrix`, with each view's azimuth at its row and its picture at its column."""
    figure, ax = plt.subplots(figsize=(7.2, 6.4))
    shown = ax.imshow(100 * matrix, cmap="cividis", vmin=0, vmax=100)
    figure.colorbar(shown, ax=ax, label="overlap (%)", shrink=0.75)
    ax.set_yticks(range(len(azimuths)), [f"{angle:+.0f}°" for angle in azimuths])
    ax.set(xticks=[], ylabel="camera's azimuth")
    ax.grid(False)
    ax.spines[:].set_visible(False)
    zoom = THUMBNAIL * 72 / pictures.shape[1]
    for column, picture in enumerate(pictures):
        box = AnnotationBbox(
            OffsetImage(picture, zoom=zoom), (column, -0.6), frameon=False, box_alignment=(0.5, 0), pad=0
        )
        box.set_annotation_clip(False)  # it stands above the axes
        ax.add_artist(box)
    ax.set_title(" ", pad=THUMBNAIL * 72)  # room for the pictures
    return figure


def draw_sample() -> Figure:
    """The matrix of the first landmark of ``lite``."""
    images = toytown.load("lite", 0)
    rows, azimuths, matrix = overlap_matrix(images, int(images.landmarks[0]))
    return draw_matrix(matrix, azimuths, images.images[rows])


if __name__ == "__main__":
    style.write_from_command_line(draw_sample, "Draw which views of a landmark see the same points.")
