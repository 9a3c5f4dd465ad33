"""Principal components of points in the plane: the direction of most variance is that of least error."""

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.figure import Figure

from figures import style
from figures.whitening_variants import example


def variance_along(points: np.ndarray, angles: np.ndarray) -> np.ndarray:
    """Variance of centred points (N, 2) along the directions of these angles."""
    directions = np.stack([np.cos(angles), np.sin(angles)])
    return np.asarray(((points @ directions) ** 2).mean(axis=0))


def draw(points: np.ndarray) -> Figure:
    """Left the points with their first component and what it leaves out; right both over all directions."""
    total = float((points**2).sum(axis=1).mean())
    angles = np.linspace(0, np.pi, 361)
    along = variance_along(points, angles)
    best = angles[along.argmax()]
    direction = np.array([np.cos(best), np.sin(best)])
    figure, (left, right) = plt.subplots(1, 2, figsize=(7.2, 3), width_ratios=(1, 1.2))
    left.plot(*points.T, "o", color=style.SKY, ms=3)
    for point in points[:25]:
        left.plot(*np.stack([point, point @ direction * direction]).T, color=style.VERMILION, lw=0.9)
    left.plot(*(np.array([[-6], [6]]) * direction).T, color=style.BLUE)
    left.set(aspect="equal", xlim=(-5, 5), ylim=(-5, 5))
    right.plot(np.rad2deg(angles), along, color=style.BLUE, label="variance along")
    right.plot(np.rad2deg(angles), total - along, color=style.VERMILION, ls="--", label="error left")
    right.axvline(np.rad2deg(best), color=style.GREY, lw=1)
    right.set(xlabel="direction (degrees)", ylim=(0, None), xticks=range(0, 181, 45))
    figure.legend(*right.get_legend_handles_labels(), ncols=2, loc="outside upper right")
    return figure


def draw_sample() -> Figure:
    """The points of the appendix on whitening."""
    return draw(example())


if __name__ == "__main__":
    style.write_from_command_line(draw_sample, "Draw the principal component of points in the plane.")
