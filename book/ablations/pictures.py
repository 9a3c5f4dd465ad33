"""What of the ablations is a picture: kept in the repository, because the book's build cannot redraw it."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import matplotlib

matplotlib.use("Agg")

from figures import fixed_exponents, style
from gem_lite.toytown import load_test

from .record import over_seeds


def locality(profile: str, seeds: Sequence[int]) -> dict[str, Any]:
    """Effective positions of the queries' vectors, in percent, by networks trained with p held at a value."""
    found: dict[str, list[float]] = {}
    for seed in seeds:
        test = load_test(profile, seed)
        rows = test.query_rows.tolist()
        for name, net in fixed_exponents.networks(profile, seed).items():
            found.setdefault(name, []).append(fixed_exponents.measure(net, test, rows))
    return {name: over_seeds(values) for name, values in found.items()}


def draw_pictures(profile: str, seed: int, folder: Path) -> None:
    """The recorded pictures of one seed, as JPEG."""
    style.use()
    test = load_test(profile, seed)
    rows = fixed_exponents.first_queries(test.landmarks, test.query_rows)
    figure = fixed_exponents.draw(fixed_exponents.networks(profile, seed), test, rows)
    style.save(figure, folder / "fixed_exponents.jpg")
