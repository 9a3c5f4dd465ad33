"""Looking up textures: every texture with its reduced copies, all in one picture, read in one call."""

from collections.abc import Sequence

import cv2
import numpy as np
import numpy.typing as npt

from gem_lite.toytown.canvas import SIDE, Bytes, resized

Floats = npt.NDArray[np.float32]

LEVELS = 6  # SIDE, SIDE / 2, ... SIDE / 32
LEVEL_SIDES = SIDE // 2 ** np.arange(LEVELS)
LEVEL_OFFSETS = np.concatenate([[0], np.cumsum(LEVEL_SIDES)[:-1]])


def atlas(textures: Sequence[Bytes]) -> Bytes:
    """Textures (SIDE, SIDE, 4) below each other, each with its halved, quartered, ... copies to the right."""
    picture = np.zeros((SIDE * len(textures), int(LEVEL_SIDES.sum()), 4), np.uint8)
    for number, texture in enumerate(textures):
        top = number * SIDE
        for side, left in zip(LEVEL_SIDES, LEVEL_OFFSETS, strict=True):
            if side < SIDE:
                texture = resized(texture, int(side))
            picture[top : top + side, left : left + side] = texture
    return picture


def look_up(picture: Bytes, texture: npt.ArrayLike, u: Floats, v: Floats, texels_per_pixel: Floats) -> Floats:
    """Channels (4, H, W) in 0..1 at the coordinates u, v (H, W) of the given textures of an atlas.

    The copy is chosen whose texels are about as large as a pixel; inside it the lookup is bilinear.
    """
    level = np.rint(np.log2(np.clip(texels_per_pixel, 1, SIDE))).astype(np.int32)
    level = np.minimum(level, LEVELS - 1)
    side = LEVEL_SIDES.astype(np.float32)[level]
    x = np.clip(u * side - np.float32(0.5), 0, side - 1) + LEVEL_OFFSETS.astype(np.float32)[level]
    y = np.clip((1 - v) * side - np.float32(0.5), 0, side - 1) + np.asarray(texture, np.float32) * SIDE
    found = cv2.remap(picture, x, y, cv2.INTER_LINEAR)
    return np.multiply(np.stack(cv2.split(found)), np.float32(1 / 255), dtype=np.float32)
