"""From a view to a photograph, with the labels and the observed 3D points that come with it.

1. draw the faces with a z-buffer (`rasterizer`): which face does every pixel see, how far away?
2. shade each pixel once, by what it sees (`shading`, `shadows`), and fill the rest with `sky`;
3. paint the clutter over it, far objects first (`billboards`);
4. average the fine pixels down, and develop: exposure, contrast, noise.
"""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass

import cv2
import numpy as np

from gem_lite.seeds import stream
from gem_lite.toytown.billboards import paint_clutter
from gem_lite.toytown.camera import Camera
from gem_lite.toytown.canvas import Bytes, as_bytes
from gem_lite.toytown.geometry import Faces
from gem_lite.toytown.ground import ground_face
from gem_lite.toytown.landmark import Landmark
from gem_lite.toytown.rasterizer import (
    NOTHING,
    Floats,
    Integers,
    Projection,
    draw,
    pixel_centres,
    project,
)
from gem_lite.toytown.scene import View, World, sample_view
from gem_lite.toytown.shading import Sight, surface_colours
from gem_lite.toytown.sky import sky_colours
from gem_lite.toytown.visibility import visible_points

GROUND, LANDMARK, CLUTTER, SKY = 0, 1, 2, 3


@dataclass(frozen=True, eq=False)
class Rendering:
    """A photograph and what structure from motion would know of it."""

    image: Bytes  # (S, S, 3), RGB
    mask: Bytes  # (S, S), GROUND, LANDMARK, CLUTTER or SKY: what the middle of the pixel sees
    visible: Integers  # (V,): the landmark's 3D points that are observed
    scale: np.float32  # median size of a metre at these points, in image sides; 0 if there are none


def rays(camera: Camera, size: int) -> list[Floats]:
    """Directions x, y, z, each (size, size), of the pixels' rays in the world, one metre deep."""
    steps = (pixel_centres(size) - np.float32(0.5)) / np.float32(camera.focal)
    axes = camera.rotation.astype(np.float32).T
    return [steps * right + (steps * down + forward)[:, None] for right, down, forward in axes]


def look(
    camera: Camera, projection: Projection, face: Integers, nearness: Floats, directions: list[Floats]
) -> Sight:
    """Where on their faces, and where in the world, the pixels look."""
    size = len(face)
    depth = np.reciprocal(np.maximum(nearness, np.float32(1e-3)))  # at most a kilometre, which is the sky
    column, row = pixel_centres(size), pixel_centres(size)[:, None]
    by_column, by_row, constant = projection.homography.astype(np.float32).transpose(2, 1, 0)
    u, v = (
        (by_column[axis][face] * column + by_row[axis][face] * row + constant[axis][face]) * depth
        for axis in (0, 1)
    )
    x, y, z = (
        direction * depth + np.float32(start)
        for direction, start in zip(directions, camera.centre, strict=True)
    )
    is_ground = face == len(projection.towards) - 1
    return Sight(face, u, v, depth, x, y, z, is_ground, camera.focal * size)


def photograph(
    view: View, building: Landmark, faces: Faces, projection: Projection, size: int
) -> tuple[Floats, Bytes]:
    """Light (3, size, size) that reaches the camera, and labels (size, size).

    ``faces`` and their projection are those of the building, then the ground.
    """
    directions = rays(view.camera, size)
    nearness, face = draw(projection, np.flatnonzero(projection.towards | faces.two_sided), size)
    sight = look(view.camera, projection, face, nearness, directions)
    label = np.full((size, size), LANDMARK, np.uint8)
    label[sight.is_ground] = GROUND
    sky = face == NOTHING
    label[sky] = SKY

    outwards = np.where(projection.towards, 1, -1)
    image = surface_colours(view, building, sight, outwards)
    if sky.any():
        above = slice(0, np.flatnonzero(sky.any(axis=1)).max() + 1)  # no sky below these rows
        colours = sky_colours(view, *(direction[above] for direction in directions))
        np.copyto(image[:, above], colours, where=sky[above])
    label[paint_clutter(view, image, nearness)] = CLUTTER
    return image, label


def develop(view: View, light: Floats) -> Bytes:
    """Exposure, a soft shoulder, contrast and noise: light (S, S, 3) becomes an image."""
    exposed = np.clip(light * view.light.gain.astype(np.float32), 0, np.float32(1.4))
    exposed = np.clip(exposed / (1 + np.float32(0.12) * exposed**2), 0, 1) ** np.float32(view.light.gamma)
    noise = stream("view", view.landmark, view.view, "sensor").standard_normal(light.shape, np.float32)
    return as_bytes(exposed + np.float32(view.light.noise) * noise)


def render(view: View, size: int, supersampling: int = 2) -> Rendering:
    """Takes the photograph: ``size`` x ``size`` pixels, each the mean of supersampling^2 finer ones.

    What is seen does not depend on the size: the same view can be rendered small for a network and large
    for a figure. Chapter: 02_toytown.

    Raises:
        ValueError: for a size or a supersampling below 1.
    """
    if size < 1 or supersampling < 1:
        raise ValueError(f"size and supersampling must be at least 1, got {size} and {supersampling}")
    building = view.building()
    faces = building.faces.joined(ground_face())
    projection = project(faces, view.camera)
    fine, label = photograph(view, building, faces, projection, size * supersampling)
    light = cv2.resize(cv2.merge(list(fine)), (size, size), interpolation=cv2.INTER_AREA)
    middle = slice(supersampling // 2, None, supersampling)
    visible, depth = visible_points(view, building, projection)
    scale = np.float32(np.median(view.camera.focal / depth)) if len(depth) else np.float32(0)
    return Rendering(develop(view, light), label[middle, middle], visible, scale)


@contextmanager
def one_opencv_thread() -> Iterator[None]:
    """Keeps OpenCV from dividing small pictures among threads: the processes share the cores already."""
    threads = cv2.getNumThreads()
    cv2.setNumThreads(1)
    try:
        yield
    finally:
        cv2.setNumThreads(threads)


def render_landmark(landmark: int, views: Sequence[int], world: World, size: int) -> list[Rendering]:
    """Several views of one landmark; a unit of work for one process."""
    with one_opencv_thread():
        return [render(sample_view(landmark, view, world), size) for view in views]
