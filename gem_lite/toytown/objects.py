"""Pictures for pre-training: the book's stand-in for ImageNet.

Sixteen kinds of object in front of buildings, and bare buildings labelled with their style family: as in
ImageNet, which knows cars and dogs but also churches and palaces, the network learns both what clutters a
landmark and what landmarks are made of. The buildings are used nowhere else in Toytown.
"""

from dataclasses import dataclass
from functools import lru_cache

import cv2
import numpy as np
from numpy.typing import NDArray

from gem_lite.seeds import stream
from gem_lite.toytown.dataset import ImageSet
from gem_lite.toytown.landmark import family_of
from gem_lite.toytown.sprites import CLASSES, NAMES, sprite

VARIANTS, UNSEEN_VARIANTS = 24, 6  # drawings of each object to learn from, and to be tested on
UNSEEN_BUILDINGS = 6  # every sixth building is kept for the test
BARE_SHARE = 0.35  # of the pictures show a building and no object
WASHED_SHARE = 0.25  # of the objects stand before a washed-out backdrop
OBJECT_SIDE = (22 / 64, 60 / 64)  # longer side of an object, as a share of the picture


@dataclass(frozen=True)
class Light:
    """How strongly the light of a picture varies: standard deviations of logarithms."""

    gain: float = 0.22
    tint: float = 0.08
    gamma: float = 0.2

    def table(self, rng: np.random.Generator) -> NDArray[np.uint8]:
        """(1, 256, 3) uint8: what one random light makes of every value of every channel."""
        gain = np.exp(rng.normal(0, self.gain)) * np.exp(rng.normal(0, self.tint, 3))
        gamma = np.exp(rng.normal(0, self.gamma))
        values = np.arange(256)[:, None] / 255
        lit = np.clip(values * gain, 0, 1) ** gamma
        table: NDArray[np.uint8] = np.round(255 * lit).astype(np.uint8)
        return table.reshape(1, 256, 3)


class ObjectPictures:
    """Endless labelled pictures, each batch a function of its number alone.

    Args:
        backdrop: the backdrop split of Toytown, buildings without clutter.
        size: side of the square pictures in pixels.
        seed: names the streams of everything random.
        light: strength of the photometric variation.

    ``classes`` names the labels: the objects, then the style families.

    Chapter: 02_toytown.
    """

    def __init__(self, backdrop: ImageSet, size: int = 64, seed: int = 0, light: Light | None = None) -> None:
        self.size, self.seed, self.light = size, seed, light or Light()
        self.backdrop = backdrop.images
        families = backdrop.world.families
        self.families = np.array([family_of(int(landmark), families) for landmark in backdrop.landmarks])
        self.classes = [*NAMES, *(f"family {family}" for family in range(families))]
        building = np.unique(backdrop.landmarks, return_inverse=True)[1]
        unseen = building % UNSEEN_BUILDINGS == UNSEEN_BUILDINGS - 1
        self.rows = {False: np.flatnonzero(~unseen), True: np.flatnonzero(unseen)}

    def batch(
        self, number: int, count: int, unseen: bool = False
    ) -> tuple[NDArray[np.uint8], NDArray[np.int64]]:
        """``count`` pictures (count, S, S, 3) uint8 and their labels (count,) int64.

        Unseen pictures show drawings and buildings that no other picture shows.
        """
        rng = stream("object pictures", self.seed, number, int(unseen))
        images = np.empty((count, self.size, self.size, 3), dtype=np.uint8)
        labels = np.empty(count, dtype=np.int64)
        for index in range(count):
            row = int(rng.choice(self.rows[unseen]))
            picture = self._building(row, rng)
            if rng.random() < BARE_SHARE:
                labels[index] = len(NAMES) + self.families[row]
            else:
                labels[index] = rng.integers(len(NAMES))
                picture = self._with_object(picture, int(labels[index]), rng, unseen)
            images[index] = cv2.LUT(picture, self.light.table(rng))
        return images, labels

    def _building(self, row: int, rng: np.random.Generator) -> NDArray[np.uint8]:
        """A random square of a backdrop, half to all of its side, mirrored half of the time."""
        source = self.backdrop[row]
        side = len(source)
        part = int(rng.integers(side // 2, side + 1))
        top, left = rng.integers(0, side - part + 1, 2)
        square = source[top : top + part, left : left + part]
        shrinks = part > self.size
        picture = cv2.resize(
            square, (self.size, self.size), interpolation=cv2.INTER_AREA if shrinks else cv2.INTER_LINEAR
        )
        return _mirrored(np.asarray(picture, dtype=np.uint8), rng)

    def _with_object(
        self, picture: NDArray[np.uint8], label: int, rng: np.random.Generator, unseen: bool
    ) -> NDArray[np.uint8]:
        """The picture with an object of this class in front, somewhere, possibly cut by the frame."""
        canvas = picture.astype(np.float32)
        if rng.random() < WASHED_SHARE:
            mean = canvas.mean(axis=(0, 1), dtype=np.float32)
            canvas = np.float32(0.7) * mean + np.float32(0.3) * canvas[::-1]
        variant = rng.integers(VARIANTS, VARIANTS + UNSEEN_VARIANTS) if unseen else rng.integers(VARIANTS)
        drawing = _mirrored(_drawing(label, int(variant), self.seed, self.size), rng)
        true_width, true_height = CLASSES[NAMES[label]]
        scale = self.size * rng.uniform(*OBJECT_SIDE) / max(true_width, true_height)
        shape = (max(6, int(true_width * scale)), max(6, int(true_height * scale)))
        resized = cv2.resize(drawing, shape, interpolation=cv2.INTER_AREA).astype(np.float32)
        colour = resized[..., :3] * rng.uniform(0.6, 1.15) * np.exp(rng.normal(0, 0.05, 3))
        return _pasted(canvas, colour.astype(np.float32), resized[..., 3:] / np.float32(255), rng)


@lru_cache(maxsize=2 * len(NAMES) * (VARIANTS + UNSEEN_VARIANTS))
def _drawing(label: int, variant: int, seed: int, size: int) -> NDArray[np.uint8]:
    """A drawing as large as a picture, its colours multiplied by its opacity: so it can be resized.

    Kept by the process, not by the pictures: those travel to a painting process with every batch.
    """
    drawing = sprite(NAMES[label], variant, f"pictures {seed}").astype(np.float32)
    drawing[..., :3] *= drawing[..., 3:] / 255
    small = cv2.resize(drawing, (size, size), interpolation=cv2.INTER_AREA)
    return np.asarray(np.round(small), dtype=np.uint8)


def _mirrored(picture: NDArray[np.uint8], rng: np.random.Generator) -> NDArray[np.uint8]:
    return np.ascontiguousarray(picture[:, ::-1]) if rng.random() < 0.5 else picture


def _pasted(
    canvas: NDArray[np.float32],
    colour: NDArray[np.float32],
    alpha: NDArray[np.float32],
    rng: np.random.Generator,
) -> NDArray[np.uint8]:
    """Lays a drawing over the canvas, somewhere; the frame hides at most a sixth of it on either side."""
    side = len(canvas)
    height, width = colour.shape[:2]
    left = int(rng.integers(-(width // 6), side - width + width // 6 + 1))
    top = int(rng.integers(-(height // 8), side - height + height // 6 + 1))
    rows = slice(max(top, 0), min(top + height, side))
    columns = slice(max(left, 0), min(left + width, side))
    inside = (
        slice(rows.start - top, rows.stop - top),
        slice(columns.start - left, columns.stop - left),
    )
    canvas[rows, columns] = canvas[rows, columns] * (1 - alpha[inside]) + colour[inside]
    return np.round(np.clip(canvas, 0, 255)).astype(np.uint8)
