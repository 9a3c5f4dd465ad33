"""A small collection for the playground's tests: landmarks are clusters, networks are noise around them."""

import math

import numpy as np

from gem_lite.seeds import stream
from gem_lite.whitening import LearnedWhitening, PCAWhitening
from gem_lite.widgets.playground_data import Collection, Described, unit

STOPS = (1.0, 3.0, 10.0, math.inf)


def small_collection(dimensions: int = 16, landmarks: int = 4, views: int = 8, stops: int = 4) -> Collection:
    """One query for each landmark; the second network tells landmarks apart better, a third is MAC's."""
    draw = stream("playground_kit", dimensions, landmarks, views)
    count = landmarks * views
    exponents = (*STOPS[:-1], *range(20, 20 + stops - len(STOPS)), math.inf)
    centres = np.repeat(draw.normal(size=(landmarks, dimensions)), views, axis=0)

    def described(state: str, pooling: str, noise: float, at: tuple[float, ...]) -> Described:
        def layer(rows: np.ndarray) -> np.ndarray:
            # Not negative, and of very different sizes in different channels, as pooled maps are.
            spread = rows + noise * draw.normal(size=rows.shape)
            return unit(np.abs(spread) * 10.0 ** -np.linspace(0, 3, dimensions)).astype(np.float32)

        database = np.stack([layer(centres) for _ in at])
        queries = np.stack([layer(centres[::views]) for _ in at])
        pairs = (np.arange(count - 1), np.arange(1, count))
        whitenings = {
            p: {
                "PCAw": PCAWhitening().fit(rows),
                "Lw": LearnedWhitening(shrinkage=0.1).fit(rows, pairs=pairs),
            }
            for p, rows in zip(
                at, np.stack([layer(np.tile(centres, (2, 1)))[:count] for _ in at]), strict=True
            )
            if p in (1.0, 3.0, math.inf)
        }
        return Described(state, pooling, at, database, queries, whitenings)

    networks = (
        described("plain", "gem", 1.5, exponents),
        described("tuned", "gem", 0.9, exponents),
        described("tuned", "mac", 1.1, (math.inf,)),
    )
    truth = []
    for first in range(0, count, views):
        half = first + views // 2
        lists = {"easy": list(range(first + 2, half)), "hard": list(range(half, first + views))}
        truth.append({"bbx": [4, 2, 20, 22], **lists, "junk": [first, first + 1]})
    images = draw.integers(0, 256, (count, 24, 24, 3), dtype=np.uint8)
    return Collection(images, np.arange(0, count, views), truth, networks)
