"""Query expansion over its two settings: the n × α map, and α-QE beside AQE with intervals."""

from collections.abc import Mapping, Sequence

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.figure import Figure
from tqdm.auto import tqdm

from figures import style
from figures.described import described
from figures.material import material
from figures.whitening_curves import draw_differences
from figures.whitening_retrieval import Search, describe, fit_learned
from gem_lite.search import expand_queries

ALPHAS = (0.0, 1.0, 2.0, 3.0, 5.0, 10.0)
COUNTS = (1, 2, 5, 10, 20, 50, 100)


def expanded_aps(
    search: Search, n: int, alpha: float, exclude_self: bool = True, protocol: str = "medium"
) -> np.ndarray:
    """(Q,) average precisions after one expansion of the queries of a search.

    Args:
        search: descriptors as they are to be searched, whitened or not.
        n: neighbours taken.
        alpha: exponent of their similarity.
        exclude_self: without it the query's own picture is among its neighbours.
        protocol: as in `gem_lite.evaluate.evaluate`.
    """
    exclude = search.query_rows if exclude_self else None
    expanded = expand_queries(search.queries, search.database, n, alpha, exclude)
    return search.average_precisions(queries=expanded, protocol=protocol)


def measure(search: Search, alphas: Sequence[float] = ALPHAS, counts: Sequence[int] = COUNTS) -> np.ndarray:
    """Average precisions (alphas, counts, Q) for every pair of settings."""
    rows = [
        [expanded_aps(search, n, alpha) for n in counts]
        for alpha in tqdm(alphas, desc="expanding", unit="alpha")
    ]
    return np.array(rows)


def best(
    aps: np.ndarray, alphas: Sequence[float] = ALPHAS, counts: Sequence[int] = COUNTS
) -> tuple[float, int]:
    """α and n of the highest mean among those measured; the first of equal ones."""
    alpha, n = np.unravel_index(np.nanmean(aps, axis=2).argmax(), aps.shape[:2])
    return alphas[alpha], counts[n]


def draw(
    maps: Mapping[str, np.ndarray],
    without: Mapping[str, float],
    alphas: Sequence[float] = ALPHAS,
    counts: Sequence[int] = COUNTS,
) -> Figure:
    """A heat map for each kind of descriptor: gain in points over no expansion, its value in each cell.

    Args:
        maps: title to average precisions (alphas, counts, Q) in 0..1.
        without: the same titles to mAP without expansion, 0..1.
        alphas: rows of the map.
        counts: columns of the map.
    """
    gains = {name: 100 * (np.nanmean(aps, axis=2) - without[name]) for name, aps in maps.items()}
    limit = max(np.abs(gain).max() for gain in gains.values())
    figure, axes = plt.subplots(1, len(maps), figsize=(7.6, 3.3), sharey=True, squeeze=False)
    for ax, (name, gain) in zip(axes[0], gains.items(), strict=True):
        picture = ax.imshow(gain, cmap="PuOr", vmin=-limit, vmax=limit, aspect="auto", origin="lower")
        for (row, column), value in np.ndenumerate(gain):
            colour = "white" if abs(value) > 0.6 * limit else style.INK
            text = f"{value:+.0f}".replace("-", "−") if round(value) else "0"
            ax.text(column, row, text, ha="center", va="center", fontsize=8.5, color=colour)
        ax.set_title(f"{name}: {100 * without[name]:.1f} without")
        ax.set_xticks(range(len(counts)), labels=[str(n) for n in counts])
        ax.set(xlabel="neighbours taken, n")
        ax.grid(False)
        ax.tick_params(length=0)
    labels = ["0, AQE" if alpha == 0 else f"{alpha:g}" for alpha in alphas]
    axes[0, 0].set_yticks(range(len(alphas)), labels=labels)
    axes[0, 0].set_ylabel("α")
    figure.colorbar(picture, ax=axes[0], label="gain (points)", shrink=0.9)
    return figure


def draw_over_n(
    aps: np.ndarray, without: np.ndarray, groups: np.ndarray, counts: Sequence[int] = COUNTS
) -> Figure:
    """AQE and α-QE over n; below, their difference on the same queries with 95 % intervals.

    Args:
        aps: (2, counts, Q) average precisions in 0..1, AQE first.
        without: (Q,) those without expansion.
        groups: (Q,) landmark of each query.
        counts: numbers of neighbours.
    """
    figure, (above, below) = plt.subplots(2, 1, figsize=(7.2, 4.6), sharex=True, height_ratios=(3, 2))
    looks = (("AQE", style.VERMILION, "s--"), ("α-QE, α = 3", style.BLUE, "o-"))
    for values, (name, colour, line) in zip(aps, looks, strict=True):
        above.plot(counts, 100 * np.nanmean(values, axis=1), line, color=colour, label=name)
    above.axhline(100 * np.nanmean(without), color=style.GREY, ls=":", label="no expansion")
    above.set_ylabel("mAP, Medium (%)")
    above.legend()
    draw_differences(below, counts, aps[1], aps[0], groups)
    below.set(xscale="log", xlabel="neighbours taken, n", ylabel="α-QE − AQE\n(points)")
    below.set_xticks(list(counts), labels=[str(n) for n in counts])
    below.minorticks_off()
    return figure


def draw_sample() -> Figure:
    """The map of ``lite``, fine-tuned GeM with and without learned whitening."""
    given = material()
    net, train = given.fine_tuned(), given.train()
    raw = describe(net, given.test())
    kinds = {"Lw": raw.whitened(fit_learned(described(net, train.images), train.pairs)), "raw": raw}
    without = {name: float(np.nanmean(kind.average_precisions())) for name, kind in kinds.items()}
    return draw({name: measure(kind) for name, kind in kinds.items()}, without)


if __name__ == "__main__":
    style.write_from_command_line(draw_sample, "Draw query expansion over n and alpha.")
