"""mAP over sets of scales, and what they cost: how the book looks at the price of several scales."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.figure import Figure
from numpy.typing import NDArray

from figures import style
from figures.collection import Collection
from figures.described import described
from figures.material import material
from gem_lite.evaluate import Interval, bootstrap, evaluate
from gem_lite.network import RetrievalNet
from gem_lite.search import rank

ROOT = 2**0.5
# The first three are one scale each; the last two the sets of the paper's code.
SETS: dict[str, tuple[float, ...]] = {
    "1": (1.0,),
    "√2": (ROOT,),
    "1/√2": (1 / ROOT,),
    "1, √2": (1.0, ROOT),
    "1, 1/√2, 1/2": (1.0, 1 / ROOT, 0.5),
    "1, √2, 1/√2": (1.0, ROOT, 1 / ROOT),
}
REFERENCE_SETS = ("1, 1/√2, 1/2", "1, √2, 1/√2")


def aps(
    net: RetrievalNet,
    test: Collection,
    scales: Sequence[float],
    cropped: bool = True,
    power: float | None = None,
    protocol: str = "medium",
) -> NDArray[np.float64]:
    """AP of every query, 0..1: database and queries described at the same scales.

    Args:
        net: describes both.
        test: database, queries and their boxes.
        scales: as in `gem_lite.extract.extract`.
        cropped: whether a query is the box of its landmark or the whole picture.
        power: exponent of the mean over scales; by default as in `extract`.
        protocol: as in `gem_lite.evaluate.evaluate`.
    """
    database = described(net, test.images, scales, power=power, size=test.size)
    if cropped or test.query_rows.min() < 0:
        boxes = test.boxes if cropped else None
        queries = described(net, test.queries, scales, boxes, power, test.size)
    else:
        queries = database[test.query_rows]
    ranking, _ = rank(queries, database)
    return np.asarray(evaluate(ranking, test.ground_truth, protocol).aps)


def pixels(scales: Sequence[float]) -> float:
    """Pixels that pass the network, in units of those of one scale of 1.

    >>> pixels((1.0, 0.5))
    1.25
    """
    return sum(scale**2 for scale in scales)


@dataclass(frozen=True)
class Point:
    """mAP of a set of scales with its interval, and its difference to scale 1 on the same queries."""

    alone: Interval
    gain: Interval


def measure(
    found: Mapping[str, NDArray[np.float64]], groups: NDArray[np.int64], single: str = "1"
) -> dict[str, Point]:
    """Intervals over landmarks of the APs of each set of scales."""
    return {
        name: Point(bootstrap(values, groups=groups), bootstrap(values, found[single], groups))
        for name, values in found.items()
    }


def draw(measured: Mapping[str, Mapping[str, Point]], sets: Mapping[str, Sequence[float]] = SETS) -> Figure:
    """Left mAP, right its difference to scale 1, both over the pixels that pass the network.

    Args:
        measured: network to {set of scales: point}.
        sets: scales of each set.
    """
    figure, axes = plt.subplots(1, 2, figsize=(7.2, 4.2), width_ratios=(1, 1.4))
    marks = zip(measured.items(), (style.GREY, style.BLUE), ("s", "o"), strict=True)
    for number, ((name, points), colour, marker) in enumerate(marks):
        for ax, which in zip(axes, ("alone", "gain"), strict=True):
            x = np.array([pixels(sets[key]) for key in points]) + 0.08 * (number - 0.5)
            intervals = [getattr(point, which) for point in points.values()]
            mean = 100 * np.array([interval.mean for interval in intervals])
            ends = 100 * np.array([[interval.low, interval.high] for interval in intervals]).T
            error = np.abs(ends - mean)
            ax.errorbar(x, mean, error, fmt=marker, color=colour, label=name, elinewidth=3, alpha=0.8)
    for key, scales in sets.items():
        # Above the frame, upright: no name meets a point or its neighbour.
        place, along = (pixels(scales), 1.02), axes[1].get_xaxis_transform()
        axes[1].text(*place, key, transform=along, rotation=90, ha="center", va="bottom")
    axes[1].axhline(0, color=style.INK, lw=1, ls="--")
    axes[1].margins(x=0.08, y=0.1)
    axes[0].set(ylabel="mAP (%)", ylim=(0, None))
    axes[1].set(ylabel="difference to\nscale 1 (points)")
    for ax in axes:
        ax.set_xlabel("pixels, in units of scale 1")
    figure.legend(*axes[0].get_legend_handles_labels(), ncols=2, loc="outside lower center")
    return figure


def draw_sample() -> Figure:
    """Fine-tuned GeM of ``lite``, at all sets of scales."""
    net, test = material().fine_tuned(), material().test()
    found = {name: aps(net, test, scales) for name, scales in SETS.items()}
    whole = {name: aps(net, test, scales, cropped=False) for name, scales in SETS.items()}
    groups = test.query_groups
    return draw({"whole picture": measure(whole, groups), "cropped": measure(found, groups)})


if __name__ == "__main__":
    style.write_from_command_line(draw_sample, "Draw mAP over sets of scales.")
