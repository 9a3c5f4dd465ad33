"""Three matrices that whiten the same points: what they agree on, and by which rotation they differ."""

from collections.abc import Callable

import matplotlib.pyplot as plt
import numpy as np
import scipy.linalg
from matplotlib.figure import Figure

from figures import style
from gem_lite.seeds import stream


def zca(covariance: np.ndarray) -> np.ndarray:
    """C^(-1/2): the symmetric whitening."""
    variances, directions = scipy.linalg.eigh(covariance)
    return (directions / np.sqrt(variances)) @ directions.T


def pca(covariance: np.ndarray) -> np.ndarray:
    """Λ^(-1/2) Uᵀ: onto the principal directions, largest variance first, then to unit variance."""
    variances, directions = scipy.linalg.eigh(covariance)
    return (directions / np.sqrt(variances)).T[::-1]


def cholesky(covariance: np.ndarray) -> np.ndarray:
    """L^(-1) with C = L Lᵀ: a triangular matrix, whose row i reads the first i coordinates only."""
    lower = scipy.linalg.cholesky(covariance, lower=True)
    return scipy.linalg.solve_triangular(lower, np.eye(len(covariance)), lower=True)


VARIANTS: dict[str, Callable[[np.ndarray], np.ndarray]] = {"ZCA": zca, "PCA": pca, "Cholesky": cholesky}


def example(count: int = 300) -> np.ndarray:
    """Points (N, 2), correlated, of mean zero."""
    points = stream("figure", "whitening variants").normal(size=(count, 2)) * (2.0, 0.7)
    turn = np.deg2rad(35)
    points = points @ np.array([[np.cos(turn), np.sin(turn)], [-np.sin(turn), np.cos(turn)]])
    return points - points.mean(axis=0)


def draw(points: np.ndarray) -> Figure:
    """The points and their three whitened forms; a point keeps its colour, that of its angle before."""
    covariance = points.T @ points / len(points)
    angle = np.arctan2(points[:, 1], points[:, 0])
    panels = {"points": np.eye(2)} | {name: whiten(covariance) for name, whiten in VARIANTS.items()}
    figure, axes = plt.subplots(1, len(panels), figsize=(7.2, 2.2), sharex=True, sharey=True)
    for ax, (name, matrix) in zip(axes, panels.items(), strict=True):
        ax.scatter(*(points @ matrix.T).T, c=angle, cmap="twilight", vmin=-np.pi, vmax=np.pi, s=6)
        for column, colour in zip(matrix.T, (style.BLUE, style.VERMILION), strict=True):
            # Where the two old axes have gone.
            ax.annotate("", 2 * column, (0, 0), arrowprops={"arrowstyle": "->", "color": colour, "lw": 2})
        ax.set(title=name, aspect="equal", xlim=(-5, 5), ylim=(-5, 5))
    return figure


def draw_sample() -> Figure:
    """Three hundred points."""
    return draw(example())


if __name__ == "__main__":
    style.write_from_command_line(draw_sample, "Draw three whitenings of the same points.")
