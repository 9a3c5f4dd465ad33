"""What ``make ablations`` recorded: several seeds, measured once, shown as recorded."""

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import matplotlib.pyplot as plt
from matplotlib.figure import Figure

from figures import style
from gem_lite.evaluate import Interval

Record = dict[str, Any]
RECORD = Path(__file__).resolve().parents[1] / "tests" / "expected" / "ablations.json"
HEADS = {"mean": "mean (as SPoC)", "gem": "GeM", "max": "max (as MAC)"}
MARKS = {"GeM": (style.BLUE, "o"), "MAC": (style.GREEN, "^"), "SPoC": (style.VERMILION, "s")}


def read(path: str | Path = RECORD) -> Record:
    """The whole record. A chapter names the file in its parameters, so that another record is another run.

    Raises:
        FileNotFoundError: where it is not there, with the command that makes it.
    """
    path = Path(path)
    if not path.is_file():
        raise FileNotFoundError(f"{path} is missing: it is in the repository, and `make ablations` makes it")
    content: Record = json.loads(path.read_text(encoding="utf8"))
    return content


def circumstances(record: Record) -> str:
    """When, on what and with what it was measured, in one line for the prose."""
    told = record["recorded"]
    versions, hardware = told["versions"], told["hardware"]
    return (
        f"profile {told['profile']}, seeds {', '.join(map(str, told['seeds']))}, {told['finished'][:10]}, "
        f"{hardware['processor']} with {hardware['cores']} cores, torch {versions['torch']}, "
        f"commit {told['commit']}"
    )


def mean_and_spread(value: Mapping[str, Any]) -> str:
    """Mean over seeds and sample standard deviation.

    >>> mean_and_spread({"mean": 47.0, "sd": 0.6})
    '47.0 ± 0.6'
    """
    return f"{value['mean']:.1f} ± {value['sd']:.1f}"


def difference(record: Record, name: str) -> Interval:
    """A recorded difference, in 0..1, with its interval over the landmarks of all seeds."""
    return interval(record["differences"][name])


def interval(value: Mapping[str, Any]) -> Interval:
    """A recorded mean with its bounds, in percent there, as an interval in 0..1."""
    return Interval(value["mean"] / 100, value["low"] / 100, value["high"] / 100)


def draw_differences(record: Record, names: Sequence[str]) -> Figure:
    """One line for each recorded difference: its interval, its mean, and a small mark for every seed."""
    figure, ax = plt.subplots(figsize=(7.2, 0.42 * len(names) + 0.8))
    for y, name in enumerate(names):
        found = record["differences"][name]
        settled = found["low"] > 0 or found["high"] < 0
        colour = style.GREEN if settled else style.GREY
        ax.plot([found["low"], found["high"]], [y, y], color=colour, lw=5, alpha=0.4, solid_capstyle="butt")
        ax.plot(found["mean"], y, "o" if settled else "s", color=colour, ms=7)
        ax.plot(found["each"], [y + 0.24] * len(found["each"]), "|", color=style.INK, ms=7)
    ax.axvline(0, color=style.INK, lw=1)
    ax.set(yticks=range(len(names)), yticklabels=names, xlabel="difference of mAP (points)")
    ax.set(ylim=(len(names) - 0.4, -0.6))
    ax.grid(axis="x")
    ax.grid(False, axis="y")
    ax.tick_params(left=False)
    return figure


def draw_heads(record: Record) -> Figure:
    """Off-the-shelf mAP of the three poolings for each head of pre-training, with and without clutter."""
    heads = record["heads"]
    figure, axes = plt.subplots(1, 2, figsize=(7.2, 3.1), sharey=True)
    for ax, (world, title) in zip(axes, (("town", "with clutter"), ("bare", "clutter removed")), strict=True):
        for offset, (name, (colour, marker)) in zip((-0.15, 0, 0.15), MARKS.items(), strict=True):
            for x, head in enumerate(HEADS):
                found = heads[head][f"{world}/{name.lower()}/raw"]
                ax.plot(
                    [x + offset] * 2,
                    [found["low"], found["high"]],
                    color=colour,
                    lw=3,
                    alpha=0.35,
                    solid_capstyle="butt",
                )
                label = name if x == 0 and world == "town" else None
                ax.plot(x + offset, found["mean"], marker, color=colour, ms=6, label=label)
        ax.set(title=title, xticks=range(len(HEADS)), xticklabels=HEADS.values())
        ax.set(xlabel="head of pre-training", xlim=(-0.5, len(HEADS) - 0.5))
    axes[0].set(ylabel="mAP, Medium (%)", ylim=(0, None))
    figure.legend(ncols=3, loc="outside upper left")
    return figure


def draw_sample() -> Figure:
    """The heads of the record in the repository."""
    return draw_heads(read())


if __name__ == "__main__":
    style.write_from_command_line(draw_sample, "Draw off-the-shelf retrieval by head of pre-training.")
