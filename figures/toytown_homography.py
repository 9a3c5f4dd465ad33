"""A face drawn without a ray: u over depth, v over depth and inverse depth are linear in the pixel."""

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import Polygon

from figures import style
from gem_lite.toytown.rasterizer import homographies
from gem_lite.toytown.renderer import render
from gem_lite.toytown.scene import View, sample_view

FRONT = 0  # a landmark's first face is the front of its body
LEVELS = 11


def maps(view: View, size: int, face: int = FRONT) -> np.ndarray:
    """The three numbers (3, size, size) that the homography of a face gives every pixel."""
    matrix = homographies(view.building().faces, view.camera)[0][face]
    middles = (np.arange(size) + 0.5) / size
    x, y = np.meshgrid(middles, middles)
    return np.tensordot(matrix, np.stack([x, y, np.ones_like(x)]), axes=1)


def outline(view: View, face: int = FRONT) -> np.ndarray:
    """The corners (4, 2) of a face in the image, in 0..1, once around."""
    lower_left, lower_right, upper_left, upper_right = view.building().faces.corners()[face]
    corners = np.stack([lower_left, lower_right, upper_right, upper_left])
    x, y, _ = view.camera.image(corners)
    return np.stack([x, y], axis=1)


def _panel(ax: Axes, picture: np.ndarray, corners: np.ndarray, title: str) -> None:
    grey = picture.mean(axis=2) / 255
    ax.imshow(grey, cmap="gray", vmin=-1.2, vmax=1.1, extent=(0, 1, 1, 0), interpolation="antialiased")
    ax.add_patch(Polygon(corners, fill=False, edgecolor=style.VERMILION, lw=1.8))
    ax.set(title=title, xlim=(0, 1), ylim=(1, 0))
    ax.set_axis_off()


def draw(view: View, size: int = 320) -> Figure:
    """Contour lines over the picture: of the three linear functions, and of the quotient u.

    Args:
        view: seen from the side the front recedes, which is when there is something to see.
        size: of the rendered picture.
    """
    u_near, v_near, near = maps(view, size)
    picture, corners = render(view, size).image, outline(view)
    u = u_near / near
    panels = {"1/t": near, "u/t": u_near, "v/t": v_near, "u = u/t ÷ 1/t": u}
    figure, axes = plt.subplots(1, len(panels), figsize=(10, 2.9), layout="constrained")
    figure.get_layout_engine().set(w_pad=0.02, wspace=0.02)
    middles = (np.arange(size) + 0.5) / size
    for ax, (title, values) in zip(axes, panels.items(), strict=True):
        _panel(ax, picture, corners, title)
        ends = (0, 1) if values is u else (values.min(), values.max())
        levels = np.linspace(*ends, LEVELS)
        ax.contour(middles, middles, values, levels=levels, cmap="cividis", linewidths=1.3)
    return figure


def oblique_view(landmark: int, views: int) -> View:
    """Of a landmark's first views, the one taken from farthest aside."""
    all_views = [sample_view(landmark, number) for number in range(views)]
    return max(all_views, key=lambda view: abs(np.arctan2(view.camera.centre[0], -view.camera.centre[1])))


def draw_sample() -> Figure:
    """A landmark of ``lite``, from the side."""
    return draw(oblique_view(20_000, 16))


if __name__ == "__main__":
    style.write_from_command_line(draw_sample, "Draw what a face's homography gives every pixel.")
