"""Cast shadows: what the sun does not see lies in shadow.

The sun is a camera, two kilometres away. What it sees of a landmark, drawn by the same rasterizer, is the
landmark's lit part; a place that is farther from the sun than what the sun sees there is in shadow.
"""

import numpy as np

from gem_lite.toytown.camera import Camera, look_at
from gem_lite.toytown.canvas import Array
from gem_lite.toytown.landmark import Landmark
from gem_lite.toytown.rasterizer import Flags, Floats, draw, project

SUN_DISTANCE = 2000.0  # metres
MAP_SIZE = 224  # pixels
MARGIN = 0.3  # metres; what is only this much nearer to the sun casts no shadow


def sun_camera(building: Landmark, direction: Array) -> Camera:
    """A camera in the direction of the sun whose image the building fills."""
    corners = building.faces.corners().reshape(-1, 3)
    lowest, highest = corners.min(axis=0), corners.max(axis=0)
    middle = (lowest + highest) / 2
    centre = middle + SUN_DISTANCE * direction
    diameter = float(np.linalg.norm(highest - lowest))
    return Camera(look_at(centre, middle), centre, focal=SUN_DISTANCE / diameter)


def in_shadow(building: Landmark, direction: Array, x: Floats, y: Floats, z: Floats, slope: Floats) -> Flags:
    """Whether a place (x, y, z) is in the building's shadow; all arrays are (H, W).

    ``slope`` is the tangent of the angle between the surface's normal and the sun. Because a pixel of the
    sun's image has a size, a surface that the sun grazes would otherwise cast shadows on itself.
    """
    sun = sun_camera(building, direction)
    projection = project(building.faces, sun)
    nearness, _ = draw(projection, np.flatnonzero(projection.towards), MAP_SIZE)
    lit_depth = np.where(nearness > 0, 1 / np.maximum(nearness, 1e-9), np.inf).astype(np.float32)

    dx, dy, dz = (place - np.float32(start) for place, start in zip((x, y, z), sun.centre, strict=True))
    right, down, forward = (
        dx * axis[0] + dy * axis[1] + dz * axis[2] for axis in sun.rotation.astype(np.float32)
    )
    scale = np.float32(sun.focal * MAP_SIZE) / forward
    column = (right * scale + np.float32(MAP_SIZE / 2)).astype(np.int32)
    row = (down * scale + np.float32(MAP_SIZE / 2)).astype(np.int32)
    outside = (column < 0) | (row < 0) | (column >= MAP_SIZE) | (row >= MAP_SIZE)
    nearest = lit_depth[np.clip(row, 0, MAP_SIZE - 1), np.clip(column, 0, MAP_SIZE - 1)]
    pixel = np.float32(SUN_DISTANCE / (sun.focal * MAP_SIZE))
    hidden: Flags = (nearest + np.float32(MARGIN) + pixel * slope < forward) & ~outside
    return hidden
