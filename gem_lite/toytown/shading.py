"""The colour of every pixel that sees the landmark or the ground, from what it sees and how it is lit."""

from dataclasses import dataclass
from functools import cache, lru_cache

import numpy as np

from gem_lite.toytown.canvas import SIDE, Array, Bytes
from gem_lite.toytown.colours import channels, mixed, rgb
from gem_lite.toytown.ground import TILE, ground_textures
from gem_lite.toytown.landmark import Landmark, landmark
from gem_lite.toytown.rasterizer import Flags, Floats, Integers
from gem_lite.toytown.scene import View, across
from gem_lite.toytown.shadows import in_shadow
from gem_lite.toytown.sprites import CLASSES
from gem_lite.toytown.textures import atlas, look_up

LAMPLIGHT = rgb(1.0, 0.80, 0.42)
IN_SHADOW = 0.88  # share of the sun's light that a shadow takes away


@dataclass(frozen=True, eq=False)
class Sight:
    """What the pixels see; every array is (H, W). Pixels that see the sky have arbitrary values here."""

    face: Integers
    u: Floats
    v: Floats
    depth: Floats
    x: Floats
    y: Floats
    z: Floats
    is_ground: Flags
    pixels_per_radian: float  # the focal length in pixels


@lru_cache(maxsize=4)
def landmark_atlas(identity: int, families: int, individuality: float) -> Bytes:
    """The textures of a landmark, ready for looking up."""
    return atlas(landmark(identity, families, individuality).textures)


@cache
def ground_atlas() -> Bytes:
    """The textures of the four grounds."""
    return atlas(ground_textures())


def per_face(values: Array, sight: Sight) -> Floats:
    """Values (F,) of the faces, at the pixels that see them; F counts the ground, the last one."""
    return values.astype(np.float32)[sight.face]


def materials(view: View, building: Landmark, sight: Sight) -> Floats:
    """Colour and glow (4, H, W) of what is seen."""
    world, faces = view.world, building.faces
    footprint = sight.depth / np.float32(sight.pixels_per_radian)  # metres that a pixel covers
    lengths = np.linalg.norm(faces.across, axis=1) * np.linalg.norm(faces.up, axis=1)
    density = per_face(np.append(SIDE / np.sqrt(lengths), 0), sight)
    texture = per_face(np.append(faces.texture, 0), sight)
    walls = landmark_atlas(view.landmark, world.families, world.individuality)
    seen = look_up(walls, texture, sight.u, sight.v, footprint * density)

    rows = np.flatnonzero(sight.is_ground.any(axis=1))
    if len(rows):
        below = slice(rows[0], None)  # the ground is seen in the lower part only
        slant = np.sqrt(sight.depth[below] / np.float32(max(view.camera.centre[2], 1.0)))
        density_below = footprint[below] * slant * np.float32(SIDE / TILE)
        u, v = sight.x[below] / np.float32(TILE) % 1, sight.y[below] / np.float32(TILE) % 1
        ground = look_up(ground_atlas(), view.ground, u, v, density_below)
        np.copyto(seen[:, below], ground, where=sight.is_ground[below])
    return seen


def ground_shade(view: View, building: Landmark, x: Floats, y: Floats) -> Floats:
    """How much light reaches the ground (N,): less beside the building and under the objects."""
    beside = np.maximum(np.maximum(building.left - x, x - building.right), 0)
    before = np.maximum(np.abs(y) - building.front, 0)
    shade = 1 - np.float32(0.38) * np.exp(-np.hypot(beside, before) / np.float32(1.6))
    for item in view.clutter:
        width = CLASSES[item.name][0] * item.scale
        ex, ey, _ = across(view.camera, item).astype(np.float32)
        dx, dy = x - np.float32(item.x), y - np.float32(item.y)
        beside_it = (dx * ex + dy * ey) / np.float32(0.45 * width)
        before_it = (dy * ex - dx * ey) / np.float32(0.16 * width + 0.2)
        shade *= 1 - np.float32(0.5) * np.exp(-(beside_it**2) - before_it**2)
    return np.asarray(shade, np.float32)


def illumination(view: View, building: Landmark, sight: Sight, outwards: Array) -> tuple[Floats, Floats]:
    """Shares (H, W) of the sun's and of the sky's light.

    ``outwards`` (F,) is 1, or -1 for faces that are seen from inside.
    """
    light = view.light
    normals = np.concatenate([building.faces.normals(), [[0, 0, 1]]]) * outwards[:, None]
    cosine = np.clip((normals * light.direction).sum(axis=1), 0, 1)
    sun = per_face(cosine, sight)
    sky = per_face(0.81 + 0.19 * normals[:, 2], sight)
    if light.clear:
        slope = np.sqrt(1 - cosine**2) / np.maximum(cosine, 0.05)
        shadow = in_shadow(building, light.direction, sight.x, sight.y, sight.z, per_face(slope, sight))
        sun *= 1 - np.float32(IN_SHADOW) * shadow
    near_the_ground = np.float32(0.72) + np.float32(0.28) * np.clip(sight.z / 3, 0, 1)
    sky *= np.where(sight.is_ground, 1, near_the_ground)
    shade = ground_shade(view, building, sight.x[sight.is_ground], sight.y[sight.is_ground])
    sun[sight.is_ground] *= shade
    sky[sight.is_ground] *= shade
    return sun, sky


def haze(view: View, depth: Floats, is_ground: Flags | bool) -> Floats:
    """Share of the horizon's colour that the air adds; the far ground fades away completely."""
    air = np.float32(view.light.haze) * (1 - np.exp(depth / np.float32(-90)))
    far = 1 - np.exp(np.minimum(60 - depth, 0) / np.float32(120))
    return np.asarray(np.clip(air + np.where(is_ground, np.float32(0.8) * far, 0), 0, 1), np.float32)


def surface_colours(view: View, building: Landmark, sight: Sight, outwards: Array) -> Floats:
    """Colours (3, H, W) of the landmark and the ground, before exposure."""
    light = view.light
    material = materials(view, building, sight)
    sun, sky = illumination(view, building, sight, outwards)
    colour = material[:3] * (sun * channels(light.sun) + sky * channels(light.sky))
    if light.dusk:
        colour = mixed(colour, channels(LAMPLIGHT), np.where(sight.is_ground, 0, material[3]))
    return mixed(colour, channels(light.horizon), haze(view, sight.depth, sight.is_ground))
