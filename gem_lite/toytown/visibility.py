"""Which of a landmark's 3D points does a view observe? The by-product that structure from motion would give.

A point is observed if it lies in the image, on a face that the camera does not see at too grazing an angle,
and if no other face and no opaque part of an object is in front of it. The answer is exact and does not
depend on the image's size: the same homographies that draw the faces are evaluated at the point's own place.
"""

import numpy as np

from gem_lite.toytown.billboards import SOLID, billboards
from gem_lite.toytown.canvas import SIDE, Array
from gem_lite.toytown.landmark import Landmark
from gem_lite.toytown.rasterizer import Flags, Integers, Projection, project
from gem_lite.toytown.scene import View
from gem_lite.toytown.sprites import painted

GRAZING = 0.17  # cosine between a face's normal and the ray to the camera
TOLERANCE = 1e-3  # relative difference of depth at which two surfaces are the same


def covered_by_faces(projection: Projection, which: Integers, x: Array, y: Array, depth: Array) -> Flags:
    """Whether one of the faces is in front of the places (N,)."""
    left, right, top, bottom = projection.boxes[which].T[..., None]
    face, place = np.nonzero((left <= x) & (x <= right) & (top <= y) & (y <= bottom))
    planes = np.concatenate([projection.homography[:, 2:], projection.sides], axis=1)[which[face]]
    by_x, by_y, constant = np.moveaxis(planes, 2, 0)  # each (pairs of a face and a place, 5)
    near, *sides = (by_x * x[place, None] + by_y * y[place, None] + constant).T
    hides = (near * depth[place] > 1 + TOLERANCE) & (np.stack(sides) >= 0).all(axis=0)
    covered = np.zeros(len(depth), bool)
    covered[place[hides]] = True
    return covered


def covered_by_clutter(view: View, x: Array, y: Array, depth: Array) -> Flags:
    """Whether an opaque part of one of the view's objects is in front of the places (N,)."""
    covered = np.zeros(len(depth), bool)
    if not view.clutter:
        return covered
    homographies = project(billboards(view), view.camera).homography
    for item, homography in zip(view.clutter, homographies, strict=True):
        u, v, near = (by_x * x + by_y * y + constant for by_x, by_y, constant in homography)
        here = np.flatnonzero((near * depth > 1) & (u >= 0) & (u < near) & (v > 0) & (v <= near))
        column = (u[here] / near[here] * SIDE).astype(np.int64)
        row = ((1 - v[here] / near[here]) * SIDE).astype(np.int64)
        covered[here] |= painted(item.name, item.variant)[row, column, 3] >= 255 * SOLID
    return covered


def visible_points(view: View, building: Landmark, projection: Projection) -> tuple[Integers, Array]:
    """Indices (V,) of the observed points, ascending, and their depths in metres (V,).

    ``projection`` is that of the building's faces, which may be followed by others.
    """
    camera, faces = view.camera, building.faces
    x, y, depth = camera.image(building.points)
    in_image = (depth > 0.1) & (x >= 0) & (x < 1) & (y >= 0) & (y < 1)
    to_camera = camera.centre - building.points
    cosine = (faces.normals()[building.point_face] * to_camera).sum(axis=1) / np.linalg.norm(
        to_camera, axis=1
    )
    index = np.flatnonzero(in_image & (cosine > GRAZING))

    drawn = np.flatnonzero(projection.towards[: len(faces)] | faces.two_sided)
    places = (x[index], y[index], depth[index])
    free = ~covered_by_faces(projection, drawn, *places) & ~covered_by_clutter(view, *places)
    return index[free], depth[index[free]]
