"""Which face does a pixel see, and where on the face? Answered by homographies, without shooting a ray.

Let a face have the corner o and the edges a, b, all in the camera's frame, and let K be the matrix of the
camera. The pixel p = (x, y, 1) sees the face's point o + u a + v b at depth t where

    u a + v b + o = t K^-1 p        that is        M (u, v, 1)^T = t K^-1 p,   M = [a b o].

So one 3 x 3 matrix per face, its homography H = M^-1 K^-1, maps a pixel straight to

    H p = (u, v, 1) / t.

All three are linear in the pixel. The third is the inverse depth: whichever face has the largest one is in
front, and comparing it is exact, not an interpolation. What lies behind the camera has a negative one and
needs no clipping. Dividing the first two by the third gives the texture coordinates. And the four sides of
the face, v >= 0, v <= 1 and u between k v and 1 - k v with k = (1 - taper) / 2, become four linear functions
too when they are multiplied by 1 / t: a pixel is inside where all of them are positive.
"""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from gem_lite.toytown.camera import Camera
from gem_lite.toytown.canvas import Array
from gem_lite.toytown.geometry import Faces

Floats = npt.NDArray[np.float32]
Integers = npt.NDArray[np.int64]
Flags = npt.NDArray[np.bool_]

NEAREST = 0.05  # metres; what is closer to the camera is not drawn
NOTHING = -1  # number of the face in a pixel that sees none


@dataclass(frozen=True, eq=False)
class Projection:
    """F faces as a camera sees them, in image coordinates: whatever the number of pixels."""

    homography: Array  # (F, 3, 3): (x, y, 1) -> (u, v, 1) / depth
    sides: Array  # (F, 4, 3): (x, y, 1) -> four numbers, all positive inside the face
    boxes: Array  # (F, 4): least and greatest x, least and greatest y; empty for what lies behind the camera
    towards: Flags  # (F,): the camera sees the face's outer side
    distance: Array  # (F,): from the camera to the face's middle


def homographies(faces: Faces, camera: Camera) -> tuple[Array, Flags]:
    """H = M^-1 K^-1 of every face (F, 3, 3), and whether the camera sees its outer side (F,)."""
    a, b = camera.turned(faces.across), camera.turned(faces.up)
    o = camera.to_camera(faces.origin)
    # The rows of M^-1 are the cross products of M's columns, over the determinant.
    normal = np.cross(a, b)
    determinant = (normal * o).sum(axis=1)
    edge_on = np.abs(determinant) < 1e-9
    scale = np.where(edge_on, 0.0, 1 / np.where(edge_on, 1.0, determinant))
    inverse = np.stack([np.cross(b, o), np.cross(o, a), normal], axis=1) * scale[:, None, None]
    # K^-1 p = ((x - 1/2) / focal, (y - 1/2) / focal, 1)
    by_x, by_y = inverse[..., 0] / camera.focal, inverse[..., 1] / camera.focal
    constant = inverse[..., 2] - (by_x + by_y) / 2
    return np.stack([by_x, by_y, constant], axis=2), determinant < 0


def project(faces: Faces, camera: Camera) -> Projection:
    """Everything that drawing the faces needs."""
    homography, towards = homographies(faces, camera)
    u, v, near = np.moveaxis(homography, 1, 0)
    inset = ((1 - faces.taper) / 2)[:, None] * v
    sides = np.stack([v, near - v, u - inset, near - u - inset], axis=1)
    corners = faces.corners()
    x, y, depth = camera.image(corners)
    behind = depth < NEAREST
    cut = behind.any(axis=1)  # partly behind the camera: it may reach anywhere
    least = np.where(cut, 0.0, [x.min(axis=1), y.min(axis=1)])
    greatest = np.where(cut, 1.0, [x.max(axis=1), y.max(axis=1)])
    greatest = np.where(behind.all(axis=1), -1.0, greatest)
    boxes = np.stack([least[0], greatest[0], least[1], greatest[1]], axis=1)
    distance = np.linalg.norm(corners.mean(axis=1) - camera.centre, axis=1)
    return Projection(homography, sides, boxes, towards, distance)


def pixel_boxes(projection: Projection, size: int) -> Integers:
    """First and last + 1 column, first and last + 1 row (F, 4) of the faces in an image of this size."""
    first, last = np.floor(projection.boxes[:, ::2] * size), np.ceil(projection.boxes[:, 1::2] * size)
    boxes: Array = np.stack([first[:, 0], last[:, 0], first[:, 1], last[:, 1]], axis=1)
    return boxes.clip(0, size).astype(np.int64)


def pixel_centres(size: int) -> Floats:
    """Image coordinates (size,) of the pixels' middles."""
    return ((np.arange(size) + 0.5) / size).astype(np.float32)


def spans(sides: Array, y: Floats) -> tuple[Floats, Floats]:
    """Where every row (at y) enters and leaves every face: x from ... to ..., both (F, rows)."""
    by_x, by_y, constant = (sides[..., axis, None].astype(np.float32) for axis in range(3))
    rest = by_y * y + constant
    # A side is crossed where by_x * x + rest = 0; one parallel to the rows has all of a row on one side.
    parallel = by_x == 0
    crossing = np.where(parallel, np.copysign(np.float32(np.inf), -rest), -rest / np.where(parallel, 1, by_x))
    enter = np.where((by_x > 0) | parallel, crossing, np.float32(-np.inf)).max(axis=1)
    leave = np.where(by_x < 0, crossing, np.float32(np.inf)).min(axis=1)
    return enter, leave


def draw(projection: Projection, which: Integers, size: int) -> tuple[Floats, Integers]:
    """Draws some of the faces with a z-buffer.

    Returns:
        The inverse depth (size, size), 0 where nothing is seen, and the number of the face seen, or NOTHING.
    """
    nearness = np.zeros((size, size), np.float32)
    seen = np.full((size, size), NOTHING, np.int64)
    centres = pixel_centres(size)
    boxes, inverse_depth = pixel_boxes(projection, size), projection.homography[:, 2].astype(np.float32)
    front_to_back = which[np.argsort(projection.distance[which], kind="stable")]
    for face, enter, leave in zip(
        front_to_back, *spans(projection.sides[front_to_back], centres), strict=True
    ):
        left, right, top, bottom = boxes[face]
        if left >= right or top >= bottom:
            continue
        x, y = centres[left:right], centres[top:bottom, None]
        by_x, by_y, constant = inverse_depth[face]
        near = by_x * x + (by_y * y + constant)
        window = nearness[top:bottom, left:right]
        inside = near > window
        inside &= x >= enter[top:bottom, None]
        inside &= x <= leave[top:bottom, None]
        np.copyto(window, near, where=inside)
        np.copyto(seen[top:bottom, left:right], face, where=inside)
    return nearness, seen
