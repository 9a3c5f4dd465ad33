"""A canvas on which walls and objects are painted in their own units, metres or shares of the whole.

Everything is drawn with OpenCV at twice the final size and averaged down, which makes every edge smooth.
"""

from collections.abc import Sequence

import cv2
import numpy as np
import numpy.typing as npt

SIDE = 256  # pixels of a finished texture, whatever its shape in metres
OVERSAMPLING = 2
SUBPIXEL_BITS = 4  # OpenCV takes fixed-point coordinates

Array = npt.NDArray[np.float64]
Bytes = npt.NDArray[np.uint8]
Colour = Array | Sequence[float]
Points = Array | Sequence[tuple[float, float]]

_ANGLES = np.linspace(0, 2 * np.pi, 32, endpoint=False)
UNIT_CIRCLE: Array = np.stack([np.cos(_ANGLES), np.sin(_ANGLES)], axis=1)


def as_bytes(values: npt.ArrayLike) -> Bytes:
    """Numbers in 0..1 as bytes in 0..255; what lies outside is clipped."""
    return np.round(np.clip(values, 0.0, 1.0) * 255).astype(np.uint8)


def resized(picture: Bytes, side: int, interpolation: int = cv2.INTER_AREA) -> Bytes:
    """A picture (h, w, channels) made square, ``side`` pixels wide; by default by averaging."""
    return np.asarray(cv2.resize(picture, (side, side), interpolation=interpolation), np.uint8)


class Canvas:
    """Picture of ``width`` x ``height`` units, x to the right, y up, with four channels.

    Three channels are the colour; the fourth is how much the paint glows at dusk (walls) or how opaque it is
    (objects). ``fourth`` is its value where a stroke names none.
    """

    def __init__(self, width: float, height: float, fourth: float = 0.0) -> None:
        self.width, self.height, self.fourth = width, height, fourth
        self.pixels: Bytes = np.zeros((SIDE * OVERSAMPLING, SIDE * OVERSAMPLING, 4), np.uint8)

    def _fixed_point(self, points: Points) -> npt.NDArray[np.int32]:
        x, y = np.asarray(points, np.float64).T
        scale = SIDE * OVERSAMPLING * 2**SUBPIXEL_BITS
        columns, rows = x / self.width * scale, (1 - y / self.height) * scale
        middle_of_pixel = 2 ** (SUBPIXEL_BITS - 1)  # OpenCV's origin is the middle of the first pixel
        fixed: Array = np.rint(np.stack([columns, rows], axis=1) - middle_of_pixel)
        return fixed.astype(np.int32)

    def _paint(self, colour: Colour, fourth: float | None) -> tuple[float, ...]:
        value = self.fourth if fourth is None else fourth
        return tuple(255 * min(max(float(channel), 0.0), 1.0) for channel in (*colour, value))

    def fill(self, colours: Array) -> None:
        """Covers everything with a coarse picture (h, w, 3), smoothly enlarged."""
        fourth = np.full((*colours.shape[:2], 1), self.fourth)
        coarse = as_bytes(np.concatenate([colours, fourth], axis=2))
        self.pixels = resized(coarse, SIDE * OVERSAMPLING, cv2.INTER_CUBIC)

    def polygon(self, points: Points, colour: Colour, fourth: float | None = None) -> None:
        """Fills a polygon."""
        corners = self._fixed_point(points)
        cv2.fillPoly(self.pixels, [corners], self._paint(colour, fourth), shift=SUBPIXEL_BITS)

    def rectangle(
        self, x0: float, y0: float, x1: float, y1: float, colour: Colour, fourth: float | None = None
    ) -> None:
        """Fills an upright rectangle."""
        self.polygon([(x0, y0), (x1, y0), (x1, y1), (x0, y1)], colour, fourth)

    def disc(
        self,
        x: float,
        y: float,
        radius: float,
        colour: Colour,
        fourth: float | None = None,
        radius_y: float | None = None,
    ) -> None:
        """Fills a disc, or an ellipse where ``radius_y`` is given."""
        radii = (radius, radius if radius_y is None else radius_y)
        self.polygon((x, y) + UNIT_CIRCLE * radii, colour, fourth)

    def line(self, points: Points, width: float, colour: Colour, closed: bool = False) -> None:
        """Draws a line through the points; ``width`` is a share of the canvas."""
        thickness = max(1, round(width * SIDE * OVERSAMPLING))
        path = [self._fixed_point(points)]
        cv2.polylines(self.pixels, path, closed, self._paint(colour, None), thickness, shift=SUBPIXEL_BITS)

    def ring(self, x: float, y: float, radius: float, width: float, colour: Colour) -> None:
        """Draws a circle."""
        self.line((x, y) + UNIT_CIRCLE * radius, width, colour, closed=True)

    def finished(self) -> Bytes:
        """The texture (SIDE, SIDE, 4), its top row first."""
        return resized(self.pixels, SIDE)
