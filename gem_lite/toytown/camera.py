"""The pinhole camera: where it stands, where it looks, and how it maps space to pixels."""

from dataclasses import dataclass

import numpy as np

from gem_lite.toytown.canvas import Array


@dataclass(frozen=True, eq=False)
class Camera:
    """``rotation`` (3, 3) has the camera's axes as rows: right, down, forward; ``centre`` (3,) is in metres.

    ``focal`` is the focal length in units of the image's side, so that it holds at every image size. For the
    same reason image coordinates are shares of the side, from 0 to 1; pixels appear only where one is drawn.
    """

    rotation: Array
    centre: Array
    focal: float

    def to_camera(self, points: Array) -> Array:
        """World points (..., 3) in the camera's frame."""
        return self.turned(points - self.centre)

    def turned(self, directions: Array) -> Array:
        """World directions (..., 3) in the camera's frame.

        Written out, because a matrix product may round differently with another number of threads.
        """
        x, y, z = directions[..., 0:1], directions[..., 1:2], directions[..., 2:3]
        return x * self.rotation[:, 0] + y * self.rotation[:, 1] + z * self.rotation[:, 2]

    def image(self, points: Array) -> tuple[Array, Array, Array]:
        """Image coordinates x to the right and y downwards, 0..1 inside the image, and depth in metres."""
        right, down, depth = np.moveaxis(self.to_camera(points), -1, 0)
        scale = self.focal / np.maximum(depth, 1e-3)
        return right * scale + 0.5, down * scale + 0.5, depth


def look_at(centre: Array, target: Array, roll: float = 0.0) -> Array:
    """Rotation (3, 3) of a camera at ``centre`` that looks at ``target``; ``roll`` in radians."""
    forward = (target - centre) / np.linalg.norm(target - centre)
    right = np.cross(forward, [0.0, 0.0, 1.0])
    right /= np.linalg.norm(right)
    down = np.cross(forward, right)
    cosine, sine = np.cos(roll), np.sin(roll)
    return np.stack([cosine * right + sine * down, cosine * down - sine * right, forward])
