"""Two views of a landmark and the 3D points that both observe: all that structure from motion knows."""

from dataclasses import dataclass

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.collections import LineCollection
from matplotlib.figure import Figure

from figures import style
from gem_lite import toytown
from gem_lite.seeds import stream
from gem_lite.toytown.scene import View, sample_view

GAP = 0.06  # between the pictures, in picture sides
LINES = 60


@dataclass(frozen=True, eq=False)
class Observed:
    """A picture (S, S, 3) of bytes, and where it shows the landmark's points: places (P, 2) in 0..1."""

    picture: np.ndarray
    places: np.ndarray
    visible: np.ndarray  # (P,) bool


def observed(images: toytown.ImageSet, row: int, size: int = 320) -> Observed:
    """A view of the set at figure size, with the places of all points and which of them it observes."""
    view = view_of(images, row)
    x, y, _ = view.camera.image(view.building().points)
    picture = images.larger(row, size).image
    return Observed(picture, np.stack([x, y], axis=1), images.visible[row])


def view_of(images: toytown.ImageSet, row: int) -> View:
    """Camera, light and clutter of an image of the set."""
    return sample_view(int(images.landmarks[row]), int(images.views[row]), images.world)


def draw(left: Observed, right: Observed, lines: int = LINES) -> Figure:
    """The pictures side by side; a line joins the two places of a point that both observe.

    Args:
        left: one view.
        right: another view of the same landmark.
        lines: how many of the shared points get a line; the others are dots.
    """
    figure, ax = plt.subplots(figsize=(10, 5))
    shift = np.array([1 + GAP, 0.0])
    for view, start in ((left, 0.0), (right, shift[0])):
        ax.imshow(view.picture, extent=(start, start + 1, 1, 0), interpolation="antialiased")
    shared = left.visible & right.visible
    for view, offset in ((left, 0), (right, shift)):
        alone = view.places[view.visible & ~shared] + offset
        both = view.places[shared] + offset
        ax.plot(*alone.T, "o", color=style.INK, mec="white", mew=0.5, ms=3, alpha=0.55)
        ax.plot(*both.T, "o", color=style.ORANGE, mec="white", mew=0.5, ms=4)
    rng = stream("figure", "toytown matches")
    joined = rng.permutation(np.flatnonzero(shared))[:lines]
    segments = np.stack([left.places[joined], right.places[joined] + shift], axis=1)
    height = plt.get_cmap("plasma")(1 - left.places[joined, 1])
    ax.add_collection(LineCollection(segments, colors=height, linewidths=0.9, alpha=0.85))
    ax.set(xlim=(0, 2 + GAP), ylim=(1, 0), aspect="equal")
    ax.set_axis_off()
    return figure


def draw_sample() -> Figure:
    """The first two views of ``lite`` that rule m3 pairs."""
    images = toytown.load("lite", 0)
    queries, positives = images.covisibility.pairs()
    return draw(observed(images, int(queries[0])), observed(images, int(positives[0])))


if __name__ == "__main__":
    style.write_from_command_line(draw_sample, "Draw two views with the 3D points that both observe.")
