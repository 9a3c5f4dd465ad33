"""The paper's figure 4 proper: networks trained with p held at a value. The larger p, the more local."""

from collections.abc import Mapping, Sequence

import numpy as np
from matplotlib.figure import Figure

from figures import style
from figures.contributions import contribution_map, effective_positions
from figures.feature_maps import maps_of
from figures.overlay import Cell, draw_rows
from gem_lite.fine_tuned import Variant, fine_tuned
from gem_lite.network import RetrievalNet
from gem_lite.toytown import load_test
from gem_lite.toytown.dataset import ImageSet

EXPONENTS = (1.0, 3.0, 10.0)


def networks(profile: str, seed: int) -> dict[str, RetrievalNet]:
    """The networks trained with p held at each of `EXPONENTS`, from the cache or trained now."""
    return {
        f"trained at p = {p:g}": fine_tuned(profile, seed, Variant("gem", p=p, learn_p=False))[0]
        for p in EXPONENTS
    }


def own_contributions(net: RetrievalNet, picture: np.ndarray) -> tuple[np.ndarray, float]:
    """Contribution map (H', W') of a picture under the network's own p, and its effective positions in %."""
    shares = contribution_map(maps_of(net, picture), float(net.pool.p.detach()))
    return shares.numpy(), 100 * effective_positions(shares).item() / shares.numel()


def measure(net: RetrievalNet, images: ImageSet, rows: Sequence[int]) -> float:
    """Mean effective number of positions over pictures, in percent of all positions."""
    return float(np.mean([own_contributions(net, images.images[row])[1] for row in rows]))


def first_queries(landmarks: np.ndarray, rows: np.ndarray, count: int = 4) -> list[int]:
    """The first query of each of the first landmarks: chosen before any network has looked at them."""
    chosen: dict[int, int] = {}
    for row in rows:
        chosen.setdefault(int(landmarks[row]), int(row))
    return list(chosen.values())[:count]


def draw(nets: Mapping[str, RetrievalNet], images: ImageSet, rows: Sequence[int], size: int = 320) -> Figure:
    """A row for each picture: the picture, then what the vector of each network is made of.

    The pictures are rendered ``size`` pixels wide for the eye; the networks see them in their own size.
    """
    lines = []
    for row in rows:
        picture = images.larger(row, size).image
        line = [Cell(picture)]
        for name, net in nets.items():
            shares = contribution_map(maps_of(net, images.images[row]), float(net.pool.p.detach()))
            line.append(Cell(picture, shares, name if row == rows[0] else ""))
        lines.append(line)
    return draw_rows(lines)


def draw_sample() -> Figure:
    """The networks of ``lite``; trains them where the cache lacks them."""
    test = load_test("lite", 0)
    return draw(networks("lite", 0), test, first_queries(test.landmarks, test.query_rows))


if __name__ == "__main__":
    style.write_from_command_line(draw_sample, "Draw networks trained with p held at 1, 3 and 10.")
