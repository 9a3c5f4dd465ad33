"""Retrieval for every exponent, in two worlds side by side, with what is settled and what is not."""

import math
from collections.abc import Mapping, Sequence

import matplotlib.pyplot as plt
import numpy as np
import torch
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from torch import Tensor, nn

from figures import style
from figures.collection import Collection
from gem_lite.evaluate import Interval, bootstrap, evaluate
from gem_lite.extract import extract
from gem_lite.network import RetrievalNet
from gem_lite.off_the_shelf import pretrained
from gem_lite.pooling import gem, mac
from gem_lite.search import rank
from gem_lite.toytown import World, load_test
from gem_lite.toytown.held_out import TestSet

POWERS = (1.0, 1.25, 1.5, 2.0, 2.5, 3.0, 4.0, 5.0, 7.0, 10.0, 20.0, 50.0, 100.0, math.inf)
TICKS = {1: "1\nSPoC", 2: "2", 3: "3", 5: "5", 10: "10", 30: "30", 100: "100"}
INFINITY_AT = 250.0  # where p = inf, which has no place on a logarithmic axis, is drawn


class PoolWithEvery(nn.Module):
    """Pools the same maps with each of P exponents: (B, K, H, W) to (B, P K), block after block."""

    def __init__(self, powers: Sequence[float]) -> None:
        super().__init__()
        self.powers = tuple(powers)

    def forward(self, x: Tensor) -> Tensor:
        return torch.cat([mac(x) if math.isinf(p) else gem(x, p) for p in self.powers], dim=1)


def describe(
    net: RetrievalNet, test: TestSet | Collection, powers: Sequence[float] = POWERS
) -> tuple[np.ndarray, np.ndarray]:
    """Descriptors of the database (P, N, K) and the queries (P, Q, K); every image passes the network once.

    The network gives an image's P vectors in one row, which has unit length as a whole. Each block is brought
    to unit length again, as if it had been pooled alone.
    """
    pooled = RetrievalNet(
        net.backbone, PoolWithEvery(powers), mean=net.mean.flatten().tolist(), std=net.std.flatten().tolist()
    ).to(net.mean.device)
    boxes = [truth.get("bbx") for truth in test.ground_truth]
    asked, size = (
        (test.queries, test.size)
        if isinstance(test, Collection)
        else (test.images[test.query_rows], None)  # rendered queries are in the database
    )
    database = extract(pooled, test.images, size=size, progress=False)
    queries = extract(pooled, asked, size=size, boxes=boxes, progress=False)
    return _unit_blocks(database, len(powers)), _unit_blocks(queries, len(powers))


def _unit_blocks(rows: np.ndarray, count: int) -> np.ndarray:
    """Rows (N, P K) as P blocks (P, N, K) of rows of unit length."""
    blocks = rows.reshape(len(rows), count, -1).swapaxes(0, 1)
    return blocks / np.linalg.norm(blocks, axis=2, keepdims=True)


def average_precisions(
    database: np.ndarray, queries: np.ndarray, test: TestSet | Collection, protocol: str = "medium"
) -> np.ndarray:
    """Average precisions (P, Q) of what `describe` gave, one row for each exponent."""
    rankings = (rank(q, x)[0] for q, x in zip(queries, database, strict=True))
    return np.array([evaluate(ranking, test.ground_truth, protocol).aps for ranking in rankings])


def signed(number: float, decimals: int = 1) -> str:
    """A number with its sign as it is printed: a real minus, and no sign before a zero.

    >>> signed(0.25), signed(-0.31), signed(-0.04)
    ('+0.2', '−0.3', '0.0')
    """
    text = f"{number:+.{decimals}f}"
    return text[1:] if float(text) == 0 else text.replace("-", "−")


def in_points(interval: Interval) -> str:
    """A difference of mAP with its interval, in points.

    >>> in_points(Interval(mean=0.025, low=-0.001, high=0.051))
    '+2.5 (−0.1 to +5.1)'
    """
    mean, low, high = (signed(100 * value) for value in (interval.mean, interval.low, interval.high))
    return f"{mean} ({low} to {high})"


def _place(powers: Sequence[float]) -> np.ndarray:
    return np.array([INFINITY_AT if math.isinf(p) else p for p in powers])


def _draw_curve(ax: Axes, powers: Sequence[float], values: np.ndarray, colour: str) -> None:
    """A line over the finite exponents, and MAC as a point of its own."""
    places = _place(powers)
    finite = np.isfinite(powers)
    ax.plot(places[finite], values[finite], "o-", color=colour)
    ax.plot(places[~finite], values[~finite], "s", color=colour)


def _draw_differences(ax: Axes, powers: Sequence[float], aps: np.ndarray, groups: np.ndarray) -> None:
    """Difference of every exponent to p = 1 on the same queries, with its 95 % interval over landmarks."""
    first = list(powers).index(1.0)
    others = [step for step in range(len(powers)) if step != first]
    found = [bootstrap(aps[step], aps[first], groups) for step in others]
    middle = 100 * np.array([interval.mean for interval in found])
    low = 100 * np.array([interval.low for interval in found])
    high = 100 * np.array([interval.high for interval in found])
    places = _place([powers[step] for step in others])
    ax.axhline(0, color=style.GREY, lw=1)
    ax.errorbar(places, middle, (middle - low, high - middle), fmt="o", color=style.INK, elinewidth=1.4, ms=4)


def draw(worlds: Mapping[str, np.ndarray], groups: np.ndarray, powers: Sequence[float] = POWERS) -> Figure:
    """mAP over p, one column for each world; below, the difference to p = 1 with its interval.

    Args:
        worlds: title of each world to its average precisions (P, Q), 0..1.
        groups: (Q,) landmark of each query; the bootstrap draws landmarks.
        powers: (P,) exponents; must contain 1, and may contain inf.
    """
    figure, axes = plt.subplots(2, len(worlds), figsize=(7.4, 5.2), sharex=True, sharey="row")
    for (above, below), (title, aps) in zip(axes.T, worlds.items(), strict=True):
        _draw_curve(above, powers, 100 * np.nanmean(aps, axis=1), style.BLUE)
        above.set_title(title)
        _draw_differences(below, powers, aps, groups)
        below.set(xscale="log", xlabel="p")
        below.set_xticks([*TICKS, INFINITY_AT], labels=[*TICKS.values(), "∞\nMAC"])
        below.minorticks_off()
    axes[0, 0].set_ylabel("mAP, Medium (%)")
    axes[1, 0].set_ylabel("difference to p = 1\n(points)")
    return figure


def draw_sample() -> Figure:
    """The book's network on the test set of ``lite``, as rendered and with the clutter removed."""
    net = pretrained("lite", 0)
    with_clutter, without = load_test("lite", 0), load_test("lite", 0, World(clutter=(0, 0)))
    tests = {"with clutter": with_clutter, "clutter removed": without}
    worlds = {name: average_precisions(*describe(net, test), test) for name, test in tests.items()}
    return draw(worlds, with_clutter.query_groups)


if __name__ == "__main__":
    style.write_from_command_line(draw_sample, "Draw retrieval over p with and without clutter.")
