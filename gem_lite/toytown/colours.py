"""Colours of Toytown: stone, roofs, and paint that somebody would put on a car or a door."""

import numpy as np
import numpy.typing as npt

from gem_lite.toytown.canvas import Array

Floats = npt.NDArray[np.float32]

# Hues of real paint; a random hue would give neon greens and magentas.
PAINTS = [
    (0.74, 0.20, 0.17),  # signal red
    (0.55, 0.13, 0.17),  # burgundy
    (0.84, 0.45, 0.20),  # orange
    (0.88, 0.70, 0.26),  # mustard
    (0.90, 0.85, 0.70),  # cream
    (0.44, 0.52, 0.26),  # olive
    (0.24, 0.44, 0.32),  # bottle green
    (0.50, 0.68, 0.58),  # mint
    (0.20, 0.48, 0.52),  # teal
    (0.45, 0.63, 0.78),  # sky blue
    (0.22, 0.36, 0.62),  # blue
    (0.18, 0.22, 0.38),  # navy
    (0.48, 0.34, 0.52),  # plum
    (0.78, 0.52, 0.56),  # old rose
    (0.56, 0.57, 0.58),  # silver
    (0.42, 0.30, 0.22),  # brown
]


def rgb(red: float, green: float, blue: float) -> Array:
    """A colour as an array, so that it can be made lighter or darker by a factor."""
    return np.array([red, green, blue])


def paint(rng: np.random.Generator, darkest: float = 0.8, brightest: float = 1.15) -> Array:
    """A random paint, its brightness and its channels a little varied."""
    colour = np.array(PAINTS[rng.integers(len(PAINTS))])
    return np.clip(colour * rng.uniform(darkest, brightest) * rng.uniform(0.93, 1.07, 3), 0.04, 0.97)


def bright_paint(rng: np.random.Generator) -> Array:
    """A paint of signs, awnings and balloons: the livelier half of the palette."""
    lively = [0, 2, 3, 6, 8, 9, 10, 12, 13]
    return np.clip(np.array(PAINTS[lively[rng.integers(len(lively))]]) * rng.uniform(0.95, 1.25), 0.04, 0.95)


def channels(colour: Array) -> Floats:
    """A colour as three one-pixel channels (3, 1, 1): pictures being computed are (3, H, W)."""
    return colour.astype(np.float32)[:, None, None]


def mixed(first: Floats, second: Floats, share: Floats) -> Floats:
    """Two pictures (3, H, W) mixed; ``share`` (H, W) belongs to the second."""
    return first + share * (second - first)
