"""From a view to a photograph, with the labels and the observed 3D points that come with it.

1. draw the faces with a z-buffer (`rasterizer`): which face does every pixel see, how far away?
2. shade each pixel once, by what it sees (`shading`, `shadows`), and fill the rest with `sky`;
3. paint the clutter over it, far objects first (`billboards`);
4. average the fine pixels down, and develop: exposure, contrast, noise.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import cv2
import numpy as np

from gem_lite.seeds import stream
from gem_lite.toytown.billboards import paint_clutter
from gem_lite.toytown.canvas import Bytes, as_bytes
from gem_lite.toytown.ground import ground_face
from gem_lite.toytown.landmark import Landmark
from gem_lite.toytown.rasterizer import NOTHING, Floats, Integers, Projection, draw, project
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
    scale: np.float32  # median apparent size of a metre at these points, in image sides; 0 where there are none


def rays(view: View, size: int) -> tuple[Floats, Floats, Floats]:
    """Directions (x, y, z), each (size, size), of the pixels' rays in the world, one metre deep."""
    steps = (np.arange(size, dtype=np.float32) + np.float32(0.5) - size / 2) / (view.camera.focal * size)
    right, down, forward = view.camera.rotation
    x, y, z = (
        (steps * right[axis] + (steps * down[axis] + forward[axis])[:, None]).astype(np.float32)
        for axis in range(3)
    )
    return x, y, z


def look(view: View, projection: Projection, face: Integers, nearness: Floats) -> Sight:
    """Where on their faces, and where in the world, the pixels look."""
    size = len(face)
    depth = 1 / np.maximum(nearness, np.float32(1e-3))  # at most a kilometre, which is the sky
    centres = np.arange(size, dtype=np.float32) + np.float32(0.5)
    tables = projection.homography.astype(np.float32)
    u, v = (
        (tables[:, axis, 0][face] * centres + tables[:, axis, 1][face] * centres[:, None] + tables[:, axis, 2][face])
        * depth
        for axis in (0, 1)
    )
    x, y, z = (
        ray * depth + np.float32(start)
        for ray, start in zip(rays(view, size), view.camera.centre, strict=True)
    )
    is_ground = face == len(tables) - 1
    return Sight(face, u, v, depth, x, y, z, is_ground, view.camera.focal * size)


def photograph(view: View, building: Landmark, size: int) -> tuple[Floats, Bytes]:
    """Light (size, size, 3) that reaches the camera, and labels (size, size)."""
    faces = building.faces.joined(ground_face())
    projection = project(faces, view.camera, size)
    nearness, face = draw(projection, np.flatnonzero(projection.towards | faces.two_sided), size)
    sight = look(view, projection, face, nearness)
    label = np.full((size, size), LANDMARK, np.uint8)
    label[sight.is_ground] = GROUND
    sky = face == NOTHING
    label[sky] = SKY

    outwards = np.where(projection.towards, 1, -1)
    image = surface_colours(view, building, sight, outwards)
    if sky.any():
        above = slice(0, np.flatnonzero(sky.any(axis=1)).max() + 1)  # no sky below these rows
        colours = sky_colours(view, *(ray[above] for ray in rays(view, size)))
        np.copyto(image[above], colours, where=sky[above, :, None])
    paint_clutter(view, image, nearness, label, CLUTTER)
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
    fine, label = photograph(view, building, size * supersampling)
    light = cv2.resize(fine, (size, size), interpolation=cv2.INTER_AREA)
    middle = slice(supersampling // 2, None, supersampling)
    visible, depth = visible_points(view, building)
    scale = np.float32(np.median(view.camera.focal / depth)) if len(depth) else np.float32(0)
    return Rendering(develop(view, light), label[middle, middle], visible, scale)


def render_landmark(landmark: int, views: Sequence[int], world: World, size: int) -> list[Rendering]:
    """Several views of one landmark; a unit of work for one process."""
    return [render(sample_view(landmark, view, world), size) for view in views]
