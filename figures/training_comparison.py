"""Networks on the test landmarks: each with its interval, and their differences query by query."""

from collections.abc import Callable, Mapping

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from figures import style
from figures.material import collection_of
from figures.power_sweep import signed
from figures.whitening_retrieval import describe
from gem_lite.evaluate import Interval, bootstrap
from gem_lite.fine_tuned import fine_tuned
from gem_lite.network import RetrievalNet
from gem_lite.off_the_shelf import pretrained
from gem_lite.toytown import load_test
from gem_lite.toytown.held_out import TestSet

PROTOCOLS = ("easy", "medium", "hard")
WHITE = {"facecolor": "white", "edgecolor": "none", "pad": 1.5}


def average_precisions(net: RetrievalNet, test: TestSet) -> dict[str, np.ndarray]:
    """Average precision (Q,) of every test query under each protocol; nothing is whitened."""
    search = describe(net, collection_of(test))
    return {protocol: search.average_precisions(protocol=protocol) for protocol in PROTOCOLS}


def _bars(
    ax: Axes, intervals: Mapping[str, Interval], colours: Mapping[str, str], write: Callable[[float], str]
) -> None:
    for y, (name, interval) in enumerate(intervals.items()):
        low, mean, high = 100 * interval.low, 100 * interval.mean, 100 * interval.high
        ax.plot([low, high], [y, y], color=colours[name], lw=5, alpha=0.4, solid_capstyle="butt")
        ax.plot(mean, y, "o", color=colours[name], ms=7)
        # Beside its interval, and on white: a line at zero may stand there.
        ax.annotate(
            write(mean),
            (high, y),
            (8, 0),
            textcoords="offset points",
            va="center",
            color=colours[name],
            bbox=WHITE,
        )
    ax.set(yticks=range(len(intervals)), yticklabels=list(intervals), ylim=(len(intervals) - 0.5, -0.5))
    ax.margins(x=0.1)
    ax.grid(axis="x")
    ax.grid(False, axis="y")
    ax.spines["left"].set_visible(False)
    ax.tick_params(left=False)


def draw(each: Mapping[str, Interval], differences: Mapping[str, Interval]) -> Figure:
    """Above the mAP of each network, below the differences; grey where the interval holds zero.

    Args:
        each: mAP in 0..1 with its interval, by the network's name.
        differences: paired, in 0..1, by what is compared.
    """
    rows = len(each), len(differences)
    figure, (above, below) = plt.subplots(2, 1, figsize=(7.2, 0.38 * sum(rows) + 1.7), height_ratios=rows)
    _bars(above, each, dict.fromkeys(each, style.BLUE), "{:.1f}".format)
    settled = {name: style.GREEN if d.excludes_zero else style.GREY for name, d in differences.items()}
    _bars(below, differences, settled, signed)
    below.axvline(0, color=style.INK, lw=1, zorder=1)
    above.set(xlabel="mAP (%)", title="each network")
    below.set(xlabel="difference (points)", title="query by query")
    return figure


def draw_sample() -> Figure:
    """GeM of ``lite`` before and after fine-tuning."""
    test = load_test("lite", 0)
    nets = {"off the shelf": pretrained("lite", 0), "fine-tuned": fine_tuned("lite", 0)[0]}
    aps = {name: average_precisions(net, test)["medium"] for name, net in nets.items()}
    each = {name: bootstrap(values, groups=test.query_groups) for name, values in aps.items()}
    gain = bootstrap(aps["fine-tuned"], aps["off the shelf"], test.query_groups)
    return draw(each, {"fine-tuned − off the shelf": gain})


if __name__ == "__main__":
    style.write_from_command_line(draw_sample, "Draw networks on the test landmarks with intervals.")
