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


def _planes(matrix: Array, column: Array, row: Array) -> Array:
    """Linear functions (F, K, 3) of the pixel, at N places: (F, K, N)."""
    return matrix[..., 0:1] * column + matrix[..., 1:2] * row + matrix[..., 2:3]


def covered_by_faces(
    projection: Projection, which: Integers, column: Array, row: Array, depth: Array
) -> Flags:
    """Whether one of the faces is in front of the places (N,)."""
    nearness = _planes(projection.homography[which, 2:], column, row)[:, 0]
    inside = (_planes(projection.sides[which], column, row) >= 0).all(axis=1)
    in_front: Flags = inside & (nearness * depth > 1 + TOLERANCE)
    return np.asarray(in_front.any(axis=0))


def covered_by_clutter(view: View, column: Array, row: Array, depth: Array) -> Flags:
    """Whether an opaque part of one of the view's objects is in front of the places (N,)."""
    covered = np.zeros(len(depth), bool)
    if not view.clutter:
        return covered
    homography = project(billboards(view), view.camera).homography
    for item, (u, v, nearness) in zip(view.clutter, _planes(homography, column, row), strict=True):
        here = np.flatnonzero((nearness * depth > 1) & (u >= 0) & (u < nearness) & (v > 0) & (v <= nearness))
        texel_column = (u[here] / nearness[here] * SIDE).astype(np.int64)
        texel_row = ((1 - v[here] / nearness[here]) * SIDE).astype(np.int64)
        opacity = painted(item.name, item.variant)[texel_row, texel_column, 3]
        covered[here] |= opacity >= 255 * SOLID
    return covered


def visible_points(view: View, building: Landmark, projection: Projection) -> tuple[Integers, Array]:
    """Indices (V,) of the observed points, ascending, and their depths in metres (V,).

    ``projection`` is that of the building's faces, which may be followed by others.
    """
    camera, faces = view.camera, building.faces
    column, row, depth = camera.image(building.points)
    in_image = (depth > 0.1) & (column >= 0) & (column < 1) & (row >= 0) & (row < 1)
    to_camera = camera.centre - building.points
    cosine = (faces.normals()[building.point_face] * to_camera).sum(axis=1) / np.linalg.norm(
        to_camera, axis=1
    )
    index = np.flatnonzero(in_image & (cosine > GRAZING))

    drawn = np.flatnonzero(projection.towards[: len(faces)] | faces.two_sided)
    places = (column[index], row[index], depth[index])
    free = ~covered_by_faces(projection, drawn, *places) & ~covered_by_clutter(view, *places)
    return index[free], depth[index[free]]
