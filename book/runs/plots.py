"""The plot of a sweep: a panel for each result, over the parameter that was swept first."""

from collections.abc import Sequence
from typing import Any

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from figures import style

from .places import shown
from .results import Sweep, mean_and_spread, setting_text

MOST_PANELS = 9
COLUMNS = 3
# Lines differ in colour and in marker: they are told apart without colours, too.
MARKERS = ("o", "s", "^", "D", "v", "P", "X")
# From this ratio between the largest and the smallest value on, the axis is logarithmic.
LOGARITHMIC = 20.0


def draw(sweep: Sweep, names: Sequence[str]) -> Figure:
    """Small dots are single runs; lines go through their means over the seeds.

    Args:
        sweep: what was run.
        names: results that are numbers, one or more; the first `MOST_PANELS` are drawn.
    """
    names = names[:MOST_PANELS]
    columns = min(COLUMNS, len(names))
    rows = -(-len(names) // columns)
    figure, axes = plt.subplots(
        rows, columns, figsize=(3.1 * columns + 0.6, 2.6 * rows + 0.5), squeeze=False, sharex=True
    )
    positions = _positions(sweep)
    for ax, name in zip(axes.flat, names, strict=False):
        _panel(ax, sweep, name, positions)
    for ax in axes.flat[len(names) :]:
        ax.remove()
    for lowest in range(max(0, len(names) - columns), len(names)):
        _horizontal_axis(axes.flat[lowest], sweep.axis, positions)
    if sweep.lines:
        handles, labels = axes[0, 0].get_legend_handles_labels()
        figure.legend(handles, labels, loc="outside lower center", ncols=min(len(labels), 4))
    return figure


def _positions(sweep: Sweep) -> dict[str, float]:
    """Where each value of the axis is drawn: numbers at their place, everything else side by side."""
    values = {shown(o.parameters[sweep.axis]): o.parameters[sweep.axis] for o in sweep.outcomes}
    if all(type(value) in (int, float) and np.isfinite(value) for value in values.values()):
        return {text: float(value) for text, value in values.items()}
    return {text: float(place) for place, text in enumerate(values)}


def _panel(ax: Axes, sweep: Sweep, name: str, positions: dict[str, float]) -> None:
    record = sweep.record(name)
    for number, group in enumerate(sweep.by(sweep.lines, sweep.done).values()):
        colour, marker = f"C{number % 7}", MARKERS[number % len(MARKERS)]
        means: list[tuple[float, float]] = []
        for at in sweep.by([sweep.axis], group).values():
            place = positions[shown(at[0].parameters[sweep.axis])]
            values = sweep.values(name, at)
            if not values:
                continue
            means.append((place, mean_and_spread(values)[0]))
            if len(values) > 1:
                ax.plot([place] * len(values), values, ".", color=colour, alpha=0.45, ms=4, zorder=1)
        label = setting_text(sweep.lines, group[0].parameters)
        ax.plot(*zip(*sorted(means), strict=True), f"{marker}-", color=colour, label=label, ms=5, lw=1.6)
    ax.set_title(name, fontsize=9, loc="left")
    ax.set_ylabel(record.unit, fontsize=9)
    ax.tick_params(labelsize=8.5, labelbottom=False)
    ax.ticklabel_format(axis="y", useOffset=False, style="plain")


def _horizontal_axis(ax: Axes, name: str, positions: dict[str, float]) -> None:
    places: Any = np.array(list(positions.values()))
    if (places > 0).all() and places.max() / places.min() >= LOGARITHMIC:
        ax.set_xscale("log")  # shared: all panels follow
        ax.minorticks_off()
    ax.set_xticks(places, labels=list(positions))
    ax.tick_params(labelbottom=True)
    ax.set_xlabel(name, color=style.INK)
