"""Learned whitening in the plane: the reader says how matching pairs differ, and sees what both steps do."""

from dataclasses import dataclass
from typing import Any

import ipywidgets
import numpy as np
import numpy.typing as npt
import scipy.linalg
from matplotlib.figure import Figure
from numpy.typing import NDArray

from gem_lite.scatter import nonmatching_scatter, scatter_of_differences
from gem_lite.whitening import LearnedWhitening, PCAWhitening
from gem_lite.widgets.element import encode_numbers, fixed, three_digits
from gem_lite.widgets.live import LiveElement
from gem_lite.widgets.whitening_plane_picture import draw_steps

FloatArray = NDArray[np.float64]
STEP, SHORTEST, LONGEST = 0.05, 0.1, 3.0  # of the lengths


@dataclass(frozen=True, eq=False)
class State:
    """The plane after one step: the matrix (2, 2) that maps centred rows, and what it makes of them."""

    matrix: FloatArray
    points: FloatArray  # (N, 2)
    within: FloatArray  # C_S
    between: FloatArray  # C_D


def nearest_right(points: FloatArray, landmarks: npt.NDArray[Any]) -> float:
    """Percent of the points (N, d) whose nearest other point shows the same landmark."""
    distances = ((points[:, None] - points[None]) ** 2).sum(axis=2)
    np.fill_diagonal(distances, np.inf)
    return float(100 * (landmarks[distances.argmin(axis=1)] == landmarks).mean())


def symmetric_root(direction: float, along: float, across: float) -> FloatArray:
    """Matrix (2, 2) that stretches by `along` in a direction (degrees), and by `across` across it."""
    angle = np.deg2rad(direction)
    rotation = np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
    return np.asarray(rotation @ np.diag([along, across]) @ rotation.T)


class WhiteningPlane(LiveElement):
    """Views of a few landmarks in the plane, before and after the two steps of learned whitening.

    The outline of the matching differences is dragged by its axes, or moved by three sliders: its direction
    in whole degrees, its root mean square lengths in steps of 0.05. Every view keeps its place within that
    outline. The points travel as float32 and are computed with as such by both sides, so that the browser's
    numbers equal Python's to 1e-9; two decimals are shown. A page grows by about 90 KB.

    Args:
        points: (N, 2) descriptors at the start (up to the steps above), not of unit length: that would leave
            only an angle.
        landmarks: (N,) whole numbers.
        pairs: rows of the matching pairs, (M,) each, of one landmark each.

    Raises:
        ValueError: for points of another form, or pairs of different landmarks.

    Chapter: 08_whitening.
    """

    tag, script = "gem-whitening-plane", "whitening_plane"

    def __init__(
        self, points: npt.ArrayLike, landmarks: npt.ArrayLike, pairs: tuple[npt.ArrayLike, npt.ArrayLike]
    ) -> None:
        rows, labels = np.asarray(points, dtype=np.float64), np.asarray(landmarks)
        first, second = (np.asarray(rows_of) for rows_of in pairs)
        if rows.ndim != 2 or rows.shape[1] != 2 or labels.shape != rows.shape[:1]:
            raise ValueError(f"points must be (N, 2) with a landmark each, not {rows.shape}, {labels.shape}")
        if (labels[first] != labels[second]).any():
            raise ValueError("a pair of different landmarks does not match")
        self.landmarks, self.pairs = labels, (first, second)
        self._take_apart(rows)
        super().__init__()
        self.begin([self.direction, self.along, self.across])

    def _take_apart(self, rows: FloatArray) -> None:
        """Centres of the landmarks, views within the outline, and the outline itself as the start."""
        means = {label: rows[self.landmarks == label].mean(axis=0) for label in np.unique(self.landmarks)}
        centres = np.array([means[label] for label in self.landmarks])
        within = scatter_of_differences(rows, *self.pairs) / len(self.pairs[0])
        variances, axes = scipy.linalg.eigh(within)
        views = (rows - centres) @ scipy.linalg.inv(scipy.linalg.sqrtm(within).real)
        # What the page gets, and therefore what both compute with.
        self._centres, self._views = (x.astype(np.float32).astype(np.float64) for x in (centres, views))
        direction = round((np.rad2deg(np.arctan2(axes[1, 1], axes[0, 1])) + 90) % 180 - 90)
        across, along = (STEP * round(np.clip(length, SHORTEST, LONGEST) / STEP) for length in variances**0.5)
        self.direction = ipywidgets.IntSlider(value=direction, min=-90, max=90, description="direction (°)")
        steps: dict[str, Any] = {"min": SHORTEST, "max": LONGEST, "step": STEP}
        self.along = ipywidgets.FloatSlider(value=round(along, 2), description="along", **steps)
        self.across = ipywidgets.FloatSlider(value=round(across, 2), description="across", **steps)

    @property
    def points(self) -> FloatArray:
        """The points (N, 2) as the controls stand."""
        root = symmetric_root(self.direction.value, self.along.value, self.across.value)
        return self._centres + self._views @ root

    @property
    def whitening(self) -> LearnedWhitening:
        """`gem_lite.whitening.LearnedWhitening`, the paper's form, fitted to those points."""
        return LearnedWhitening(form="paper").fit(self.points, self.landmarks, pairs=self.pairs)

    @property
    def states(self) -> list[State]:
        """The plane as it is, whitened by C_S, and rotated."""
        points, whitening = self.points, self.whitening
        within = scatter_of_differences(points, *self.pairs) / len(self.pairs[0])
        between = nonmatching_scatter(points, self.landmarks, None)
        whiten = scipy.linalg.inv(scipy.linalg.sqrtm(within).real)
        components = np.asarray(whitening.components_.T, dtype=np.float64)
        # A component has no sign of its own: both are turned by less than a right angle, as in the page.
        turned = np.diag(scipy.linalg.solve(whiten, components))
        rotated = components * np.where(turned < 0, -1.0, 1.0)
        return [
            State(
                matrix,
                (points - whitening.mean_) @ matrix,
                matrix.T @ within @ matrix,
                matrix.T @ between @ matrix,
            )
            for matrix in (np.eye(2), whiten, rotated)
        ]

    @property
    def gains(self) -> FloatArray:
        """λ (2,): how much more other pairs differ along each component than matching ones."""
        return np.asarray(self.whitening.gains_)

    @property
    def shares(self) -> dict[str, float]:
        """Percent of points whose nearest neighbour is right: raw and whitened, and by one number alone."""
        points, (_, whitened, rotated) = self.points, self.states
        pca = (points - points.mean(axis=0)) @ PCAWhitening().fit(points).components_.T
        return {
            "raw": nearest_right(points, self.landmarks),
            "whitened": nearest_right(whitened.points, self.landmarks),
            "first": nearest_right(rotated.points[:, :1], self.landmarks),
            "pca": nearest_right(pca[:, :1], self.landmarks),
        }

    def draw(self, title: str = "") -> Figure:
        """The picture as the controls stand."""
        return draw_steps(self.states, self.landmarks, self.pairs, title)

    def title(self) -> str:
        """The outline that the reader has chosen."""
        return (
            f"Matching pairs differ by {fixed(self.along.value, 2)} at {fixed(self.direction.value, 0)}°, "
            f"by {fixed(self.across.value, 2)} across"
        )

    def description(self) -> str:
        """What the picture shows, in words."""
        shares = {name: fixed(share, 0) for name, share in self.shares.items()}
        return (
            f"{self.title()}. The gains are {' and '.join(map(three_digits, self.gains))}. The nearest "
            f"neighbour is right for {shares['raw']} % of the points as they are and for "
            f"{shares['whitened']} % whitened; by the first number alone for {shares['first']} % after both "
            f"steps, and for {shares['pca']} % after PCA whitening."
        )

    def alternative(self) -> str:
        """What the picture shows, for those who do not see it."""
        return (
            "The points as they are, whitened by C_S and rotated, each with the outlines of matching and of "
            f"other differences. {self.description()}"
        )

    def element_data(self) -> dict[str, Any]:
        """What the page's element needs, as JSON."""
        return {
            "centres": encode_numbers(self._centres),
            "views": encode_numbers(self._views),
            "landmarks": np.unique(self.landmarks, return_inverse=True)[1].tolist(),
            "pairs": np.column_stack(self.pairs).tolist(),
            "start": {
                "direction": self.direction.value,
                "along": self.along.value,
                "across": self.across.value,
            },
        }
