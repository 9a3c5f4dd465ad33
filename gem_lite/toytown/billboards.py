"""Clutter: drawings that stand on the ground like cardboard figures, painted over the finished town."""

from functools import lru_cache

import numpy as np

from gem_lite.toytown.canvas import SIDE, Array, Bytes
from gem_lite.toytown.colours import channels, mixed
from gem_lite.toytown.geometry import Faces, Mesh
from gem_lite.toytown.rasterizer import Flags, Floats, pixel_boxes, pixel_centres, project
from gem_lite.toytown.scene import Clutter, View, across, flat
from gem_lite.toytown.shading import haze
from gem_lite.toytown.sprites import CLASSES, painted
from gem_lite.toytown.textures import atlas, look_up

SOLID = 0.5  # opacity from which a pixel counts as clutter


@lru_cache(maxsize=256)
def sprite_atlas(name: str, variant: int) -> Bytes:
    """A drawing, its colours multiplied by its opacity, with its reduced copies."""
    return atlas([painted(name, variant)])


def billboards(view: View) -> Faces:
    """One upright face per object of the view."""
    mesh = Mesh()
    for number, item in enumerate(view.clutter):
        width, height = np.array(CLASSES[item.name]) * item.scale
        side = width * across(view.camera, item)
        foot = np.array([item.x, item.y, 0.0]) - side / 2
        mesh.face(foot, side, (0, 0, height), texture=number)
    return mesh.faces()


def lighting(view: View) -> Array:
    """Colour factors (3,) of all objects: lit from the front and above, outside all shadows."""
    toward_camera = -flat(view.camera.rotation[2])
    normal = 0.75 * toward_camera + np.array([0, 0, 0.5])
    cosine = np.clip((normal * view.light.direction).sum(), 0, 1)
    share = float(0.35 + 0.65 * cosine)
    return share * view.light.sun + 0.905 * view.light.sky


def drawing(
    view: View, item: Clutter, u: Floats, v: Floats, depth: Floats, size: int
) -> tuple[Floats, Floats]:
    """Colours (3, H, W) and opacity (H, W) of an object at the coordinates u, v, in an image of this size."""
    metres = np.float32(item.scale * np.sqrt(np.prod(CLASSES[item.name])))
    texels_per_pixel = depth * np.float32(SIDE / (view.camera.focal * size)) / metres
    paint = look_up(sprite_atlas(item.name, item.variant), 0, u, v, texels_per_pixel)
    colour = paint[:3] / np.maximum(paint[3], np.float32(1 / 255)) * channels(lighting(view))
    colour = mixed(colour, channels(view.light.horizon), haze(view, depth, False))
    # Where the drawing is enlarged its edges are wide and blurred; make them one pixel wide.
    opacity = (paint[3] - np.float32(0.5)) / np.minimum(texels_per_pixel, 1) + np.float32(0.5)
    return colour, np.clip(opacity, 0, 1)


def paint_clutter(view: View, image: Floats, nearness: Floats) -> Flags:
    """Paints the view's objects, far ones first, into image (3, H, W) and inverse depth (H, W).

    Colours are blended by the drawing's opacity, which gives soft edges. Returns where an object is seen that
    is more opaque than transparent (H, W); only there does the depth change.
    """
    clutter = np.zeros(nearness.shape, bool)
    if not view.clutter:
        return clutter
    size = len(nearness)
    projection = project(billboards(view), view.camera)
    boxes, centres = pixel_boxes(projection, size), pixel_centres(size)
    for number in np.argsort(-projection.distance, kind="stable"):
        left, right, top, bottom = boxes[number]
        window = (slice(top, bottom), slice(left, right))
        x, y = centres[left:right], centres[top:bottom, None]
        planes = projection.homography[number].astype(np.float32)
        u, v, near = (by_x * x + (by_y * y + constant) for by_x, by_y, constant in planes)
        inside = (near > nearness[window]) & (u >= 0) & (u <= near) & (v >= 0) & (v <= near)
        if not inside.any():
            continue
        depth = np.reciprocal(np.where(inside, near, np.float32(1)))
        colour, opacity = drawing(view, view.clutter[number], u * depth, v * depth, depth, size)
        opacity = np.where(inside, opacity, 0)
        image[:, *window] = mixed(image[:, *window], colour, opacity)
        solid = opacity >= SOLID
        np.copyto(nearness[window], near, where=solid)
        clutter[window] |= solid
    return clutter
