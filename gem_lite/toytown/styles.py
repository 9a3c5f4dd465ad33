"""Style families: landmarks of one family look alike, which is what makes some negatives hard."""

from dataclasses import dataclass

import numpy as np

from gem_lite.seeds import stream
from gem_lite.toytown.canvas import Array

WALLS = [
    (0.87, 0.80, 0.66),
    (0.68, 0.36, 0.26),
    (0.92, 0.90, 0.86),
    (0.76, 0.62, 0.44),
    (0.60, 0.63, 0.67),
    (0.94, 0.80, 0.48),
    (0.86, 0.60, 0.50),
    (0.55, 0.48, 0.42),
    (0.70, 0.76, 0.66),
    (0.62, 0.70, 0.82),
    (0.80, 0.46, 0.36),
    (0.93, 0.86, 0.76),
]
ROOFS = [
    (0.62, 0.30, 0.22),
    (0.33, 0.37, 0.43),
    (0.36, 0.54, 0.47),
    (0.45, 0.36, 0.30),
    (0.52, 0.50, 0.48),
    (0.70, 0.44, 0.28),
]
WINDOWS = ["rectangle", "round arch", "pointed arch", "tall"]
MASONRY = ["brick", "plaster", "ashlar", "bands"]


@dataclass(frozen=True, eq=False)
class Style:
    """How a landmark looks: colours are RGB in 0..1, lengths are metres."""

    wall: Array
    trim: Array
    roof: Array
    glass: Array
    window: str  # one of WINDOWS
    masonry: str  # one of MASONRY
    storey: float  # height of a storey
    bay: float  # from one window to the next
    columns: bool
    dome: bool
    spire: bool
    arcade: bool


def family_style(family: int) -> Style:
    """The common style of a family."""
    rng = stream("family", family)
    return Style(
        wall=np.array(WALLS[family % len(WALLS)]),
        trim=np.array(WALLS[(2 * family + 3) % len(WALLS)]) * rng.uniform(0.9, 1.08),
        roof=np.array(ROOFS[family % len(ROOFS)]),
        glass=np.array([0.16, 0.22, 0.30]) * rng.uniform(0.7, 1.5),
        window=WINDOWS[family % 4],
        masonry=MASONRY[(family // 2 + family) % 4],
        storey=rng.uniform(3.2, 5.0),
        bay=rng.uniform(2.4, 4.2),
        columns=family % 3 == 1,
        dome=family % 3 == 2,
        spire=family % 2 == 1,
        arcade=bool(rng.random() < 0.5),
    )


def own_style(style: Style, rng: np.random.Generator, individuality: float) -> Style:
    """A landmark's own variant of its family's style; individuality 0 leaves it as it is."""

    def tinted(colour: Array, strength: float) -> Array:
        brightness = 1 + individuality * rng.uniform(-strength, strength)
        tint = individuality * rng.uniform(-strength, strength, 3) / 2
        return np.clip(colour * brightness + tint, 0.05, 0.97)

    def swapped(name: str, others: list[str], chance: float) -> str:
        return others[rng.integers(len(others))] if rng.random() < chance * individuality else name

    def flipped(value: bool, chance: float) -> bool:
        return value != bool(rng.random() < chance * individuality)

    def stretched(length: float, strength: float) -> float:
        return length * rng.uniform(1 - strength * individuality, 1 + strength * individuality)

    return Style(
        wall=tinted(style.wall, 0.16),
        trim=tinted(style.trim, 0.16),
        roof=tinted(style.roof, 0.2),
        glass=tinted(style.glass, 0.2),
        window=swapped(style.window, WINDOWS, 0.25),
        masonry=swapped(style.masonry, MASONRY, 0.3),
        storey=stretched(style.storey, 0.2),
        bay=stretched(style.bay, 0.25),
        columns=flipped(style.columns, 0.2),
        dome=flipped(style.dome, 0.2),
        spire=flipped(style.spire, 0.2),
        arcade=flipped(style.arcade, 0.25),
    )
