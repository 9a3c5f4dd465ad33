"""Curves of the whitening chapter: mAP over dimensions, pairs and shrinkage, and gains over components."""

from collections.abc import Mapping, Sequence

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import LogLocator, NullFormatter

from figures import style
from figures.described import described
from figures.material import material
from figures.whitening_retrieval import describe, over_dimensions
from gem_lite.evaluate import bootstrap

DIMENSIONS = (8, 16, 32, 64, 96, 128, 256, 512, 1024, 2048)  # as far as a network has them

# Learned whitening, PCA whitening, none: one colour, marker and line each in the whole chapter.
LOOKS = {
    "Lw": (style.BLUE, "o", "-"),
    "PCAw": (style.VERMILION, "s", "--"),
    "raw": (style.GREY, "", ":"),
}


def draw_differences(
    ax: Axes, places: Sequence[int], first: np.ndarray, second: np.ndarray, groups: np.ndarray
) -> None:
    """Differences of two methods' (D, Q) average precisions, with 95 % paired intervals over landmarks."""
    found = [bootstrap(a, b, groups) for a, b in zip(first, second, strict=True)]
    middle = 100 * np.array([interval.mean for interval in found])
    low = 100 * np.array([interval.low for interval in found])
    high = 100 * np.array([interval.high for interval in found])
    ax.axhline(0, color=style.GREY, lw=1)
    ax.errorbar(places, middle, (middle - low, high - middle), fmt="o", color=style.INK, elinewidth=1.4, ms=4)


def draw_dimensions(
    dimensions: Sequence[int], networks: Mapping[str, Mapping[str, np.ndarray]], groups: np.ndarray
) -> Figure:
    """mAP over the number of components, a column for each network; below, Lw - PCAw with intervals.

    Args:
        dimensions: numbers of components, ascending.
        networks: title to average precisions in 0..1, "Lw" and "PCAw" (dimensions, Q) and "raw" (Q,).
        groups: (Q,) landmark of each query.
    """
    figure, axes = plt.subplots(
        2, len(networks), figsize=(6.4, 4.8), sharex=True, sharey="row", squeeze=False
    )
    for (above, below), (title, aps) in zip(axes.T, networks.items(), strict=True):
        for name, (colour, marker, line) in LOOKS.items():
            means = 100 * np.nanmean(aps[name], axis=-1)
            if name == "raw":
                above.axhline(means, color=colour, ls=line, label="raw, all dimensions")
            else:
                above.plot(dimensions, means, marker + line, color=colour, label=name)
        above.set_title(title)
        draw_differences(below, dimensions, aps["Lw"], aps["PCAw"], groups)
        below.set(xscale="log", xlabel="dimensions kept")
        following = [*dimensions[1:], np.inf]  # of two that would touch the first is written a line lower
        labels = ["\n" * (b < 1.45 * d) + str(d) for d, b in zip(dimensions, following, strict=True)]
        below.set_xticks(list(dimensions), labels=labels)
        below.minorticks_off()
    axes[0, 0].set_ylabel("mAP, Medium (%)")
    axes[1, 0].set_ylabel("Lw − PCAw\n(points)")
    axes[0, 0].legend()
    return figure


def draw_pairs(counts: Sequence[int], methods: Mapping[str, np.ndarray], dimension: int) -> Figure:
    """mAP over the number of matching pairs: mean and range of several draws.

    Args:
        counts: numbers of pairs, ascending.
        methods: name to mAP in percent, (counts, draws).
        dimension: of the descriptors, marked on the axis: with fewer pairs C_S has no inverse.
    """
    figure, ax = plt.subplots(figsize=(7.2, 3.2))
    looks = zip(methods.items(), style_cycle(), strict=False)
    for (name, values), (colour, marker) in looks:
        ax.plot(counts, values.mean(axis=1), marker + "-", color=colour, label=name)
        ax.fill_between(counts, values.min(axis=1), values.max(axis=1), color=colour, alpha=0.2, lw=0)
    ax.axvline(dimension, color=style.GREY, lw=1, ls=":")
    # Above the frame, where no fan is.
    ax.annotate(
        f"{dimension} pairs: one per dimension",
        (dimension, 1.01),
        xycoords=("data", "axes fraction"),
        ha="center",
        va="bottom",
        color=style.GREY,
        fontsize=10,
    )
    ax.set(xscale="log", xlabel="matching pairs", ylabel="mAP on validation (%)")
    # The last count, all pairs, may stand too close to the one before it to be written.
    ticks = [count for count in counts if count <= counts[-1] / 1.5] + [counts[-1]]
    ax.set_xticks(ticks, labels=[str(count) for count in ticks])
    ax.minorticks_off()
    ax.legend()
    return figure


def style_cycle() -> list[tuple[str, str]]:
    """Colours with a marker each: no line is told by its colour alone."""
    return [(style.BLUE, "o"), (style.VERMILION, "s"), (style.GREEN, "D"), (style.PURPLE, "^")]


def draw_shrinkage(shrinkages: Sequence[float], methods: Mapping[str, np.ndarray]) -> Figure:
    """mAP in percent (shrinkages,) of each method; 0, which a logarithmic axis lacks, stands at its left."""
    figure, ax = plt.subplots(figsize=(7.2, 3))
    for (name, values), (colour, marker) in zip(methods.items(), style_cycle(), strict=False):
        ax.plot(range(len(shrinkages)), values, marker + "-", color=colour, label=name)
    ax.set(xlabel="shrinkage", ylabel="mAP on validation (%)")
    ax.set_xticks(range(len(shrinkages)), labels=[f"{s:g}" for s in shrinkages])
    ax.legend()
    return figure


def draw_gains(curves: Mapping[str, np.ndarray]) -> Figure:
    """How much more descriptors vary along each component than matching pairs do, for each whitening."""
    figure, ax = plt.subplots(figsize=(7.2, 3.2))
    for (name, gains), (colour, marker) in zip(curves.items(), style_cycle(), strict=False):
        ax.plot(1 + np.arange(len(gains)), gains, marker + "-", color=colour, ms=3, lw=1.2, label=name)
    ax.set(
        yscale="log", xlabel="component", ylabel="variance of descriptors /\nmean squared difference of pairs"
    )
    ax.yaxis.set_major_locator(LogLocator(subs=(1, 2, 5)))
    ax.yaxis.set_major_formatter("{x:g}")
    ax.yaxis.set_minor_formatter(NullFormatter())
    ax.legend()
    return figure


def facts_of_dimensions(
    dimensions: Sequence[int], aps: Mapping[str, np.ndarray], groups: np.ndarray
) -> dict[str, float]:
    """What the prose says of one column of `draw_dimensions`: counts, dimensions, and mAP in percent."""
    lw, pca = (100 * np.nanmean(aps[name], axis=1) for name in ("Lw", "PCAw"))
    gaps = [bootstrap(a, b, groups) for a, b in zip(aps["Lw"], aps["PCAw"], strict=True)]
    at_32 = list(dimensions).index(32)
    return {
        "tried": len(dimensions),
        "most": dimensions[-1],
        "ahead": int((lw > pca).sum()),
        "settled": sum(gap.low > 0 for gap in gaps),
        "best_pca": dimensions[int(pca.argmax())],
        "best_pca_map": pca.max(),
        "all_pca_map": pca[-1],
        "lw_32_map": lw[at_32],
        "all_lw_map": lw[-1],
    }


def facts_of_pairs(counts: Sequence[int], values: np.ndarray) -> dict[str, float]:
    """What the prose says of one line (counts, draws) of `draw_pairs`.

    From "enough" pairs on all means are within a point of the last.
    """
    means = values.mean(axis=1)
    far = np.flatnonzero(means < means[-1] - 1)
    return {
        "fewest_map": means[0],
        "all_map": means[-1],
        "enough": counts[int(far[-1]) + 1] if len(far) else counts[0],
        "worst": counts[int(means.argmin())],
        "worst_map": means.min(),
    }


def facts_of_gains(gains: np.ndarray) -> dict[str, float]:
    """Mean gain of the first and of the last tenth of the components."""
    tenth = max(1, len(gains) // 10)
    return {"first": gains[:tenth].mean(), "last": gains[-tenth:].mean()}


def draw_sample() -> Figure:
    """mAP over dimensions for GeM of ``lite``, off the shelf and fine-tuned."""
    given = material()
    train, test = given.train(), given.test()
    networks = {"GeM off the shelf": given.off_the_shelf(), "GeM fine-tuned": given.fine_tuned()}
    curves = {}
    dimensions = [dimension for dimension in DIMENSIONS if dimension <= 128]
    for name, net in networks.items():
        rows = described(net, train.images)
        curves[name] = over_dimensions(describe(net, test), rows, train.pairs, dimensions)
    return draw_dimensions(dimensions, curves, test.query_groups)


if __name__ == "__main__":
    style.write_from_command_line(draw_sample, "Draw mAP over dimensions for PCA and learned whitening.")
