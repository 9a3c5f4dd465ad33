"""Average precision with its uncertainty: every query, the mean, and what a bootstrap says of both."""

from collections.abc import Mapping

import matplotlib.pyplot as plt
import numpy as np
import numpy.typing as npt
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle

from figures import style
from gem_lite.evaluate import Interval, bootstrap
from gem_lite.seeds import stream


def draw_queries(aps: Mapping[str, npt.ArrayLike], groups: npt.ArrayLike | None = None) -> Figure:
    """A column of dots per name, with mean and 95 % interval.

    Args:
        aps: (Q,) average precisions in percent under each name; NaN for a query without positives.
        groups: (Q,) the landmark of each query, for the bootstrap.
    """
    figure, ax = plt.subplots(figsize=(7.2, 3.4))
    rng = stream("figure", "intervals")
    for x, values in enumerate(aps.values()):
        values = np.asarray(values, dtype=float)
        spread = rng.uniform(-0.16, 0.16, len(values))
        ax.plot(x + spread, values, "o", color=style.SKY, ms=4.5, alpha=0.75, mec="white", mew=0.4)
        interval = bootstrap(values, groups=groups)
        height = interval.high - interval.low
        ax.add_patch(Rectangle((x - 0.26, interval.low), 0.52, height, facecolor=style.BLUE, alpha=0.22))
        ax.plot([x - 0.26, x + 0.26], [interval.mean] * 2, color=style.BLUE, lw=2.5)
        ax.text(x + 0.3, interval.mean, f"{interval.mean:.1f}", va="center", color=style.BLUE, weight="bold")
    ax.set(xticks=range(len(aps)), xticklabels=list(aps), ylabel="AP of a query (%)", ylim=(-3, 103))
    ax.set_xlim(-0.6, len(aps) - 0.3)
    return figure


def draw_comparison(each: Mapping[str, Interval], difference: Interval) -> Figure:
    """Intervals of several methods, and of the difference of two of them on the same queries.

    Args:
        each: mAP in 0..1 under each method's name.
        difference: of mAP in 0..1, paired.
    """
    figure, (left, right) = plt.subplots(1, 2, figsize=(7.2, 2.1), width_ratios=(3, 2))
    for y, interval in enumerate(each.values()):
        _bar(left, interval, y, style.BLUE)
    left.set(yticks=range(len(each)), yticklabels=list(each), ylim=(len(each) - 0.4, -0.7))
    left.set_xlabel("mAP (%)")
    right.axvline(0, color=style.INK, lw=1)
    _bar(right, difference, 0, style.GREEN if difference.excludes_zero else style.GREY)
    right.set(yticks=[], ylim=(0.6, -0.7), xlabel="difference (points)")
    for ax, title in ((left, "each method alone"), (right, "query by query")):
        ax.grid(axis="x")
        ax.grid(False, axis="y")
        ax.set_title(title)
        ax.spines["left"].set_visible(False)
        ax.tick_params(left=False)
    return figure


def _bar(ax: plt.Axes, interval: Interval, y: float, colour: str) -> None:
    ax.plot(
        [100 * interval.low, 100 * interval.high],
        [y, y],
        color=colour,
        lw=5,
        solid_capstyle="butt",
        alpha=0.4,
    )
    ax.plot(100 * interval.mean, y, "o", color=colour, ms=8)
    ax.text(
        100 * interval.mean, y - 0.2, f"{100 * interval.mean:.1f}", ha="center", va="bottom", color=colour
    )
