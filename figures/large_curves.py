"""What search costs over the size of the database: recall, time and memory of each way of searching."""

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import matplotlib.pyplot as plt
from matplotlib.figure import Figure

from figures import style

# Written by `make bench ARGS=large`; see tests/benchmarks/bench_large.py for what its entries mean.
TABLE = Path(__file__).resolve().parents[1] / "tests" / "expected" / "large.json"
WAYS = {
    "exact": ("exact, in blocks", style.INK, "o"),
    "flat": ("FAISS flat", style.SKY, "s"),
    "hnsw": ("HNSW", style.GREEN, "^"),
    "ivfpq": ("IVF-PQ", style.VERMILION, "v"),
    "ivfpq reranked": ("IVF-PQ, reranked", style.ORANGE, "D"),
}
Row = Mapping[str, Any]


def recorded(file: str | Path | None = None) -> dict[str, Any]:
    """The table of the last benchmark; by default the one that the repository keeps.

    Raises:
        FileNotFoundError: if there is none; it says how to make it.
    """
    table_file = Path(file or TABLE)
    if not table_file.exists():
        raise FileNotFoundError(f"{table_file} is missing: make bench ARGS=large writes it")
    table: dict[str, Any] = json.loads(table_file.read_text(encoding="utf8"))
    return table


def of_way(rows: Sequence[Row], way: str) -> list[Row]:
    """Rows of one way of searching, from the smallest database to the largest."""
    return sorted((row for row in rows if row["way"] == way), key=lambda row: row["count"])


def milliseconds(row: Row) -> float:
    """Processor time of one query."""
    return float(1000 * row["search_cpu_s"] / row["queries"])


def draw(rows: Sequence[Row]) -> Figure:
    """Recall, processor time of a query and bytes per descriptor, over the number of descriptors."""
    figure, axes = plt.subplots(1, 3, figsize=(8.4, 3.4))
    for way, (label, colour, marker) in WAYS.items():
        found = of_way(rows, way)
        counts = [row["count"] for row in found]
        look = {"color": colour, "marker": marker, "label": label, "ms": 5}
        axes[0].plot(counts, [100 * row["recall"] for row in found], **look)
        axes[1].plot(counts, [milliseconds(row) for row in found], **look)
        axes[2].plot(counts, [row["bytes"] / row["count"] for row in found], **look)
    for ax, name in zip(axes, ("recall (%)", "ms per query", "bytes per descriptor"), strict=True):
        ax.set(xscale="log", xlabel="descriptors", title=name)
    axes[0].set_ylim(0, 103)
    axes[1].set_yscale("log")
    axes[2].set_ylim(0, None)
    figure.legend(*axes[0].get_legend_handles_labels(), ncols=3, loc="outside upper left")
    return figure


def draw_accuracy(rows: Sequence[Row]) -> Figure:
    """mAP of exact search, without and with query expansion, over the number of descriptors."""
    figure, ax = plt.subplots(figsize=(5.4, 3.2))
    found = of_way(rows, "exact")
    for name, label, colour, marker in (
        ("map_expanded", "α-QE, n = 10", style.BLUE, "o"),
        ("map", "no expansion", style.GREY, "s"),
    ):
        counts = [row["count"] for row in found]
        ax.plot(counts, [100 * row[name] for row in found], color=colour, marker=marker, label=label)
    ax.set(xscale="log", xlabel="descriptors", ylabel="mAP (%)", ylim=(0, 103))
    ax.legend()
    return figure


if __name__ == "__main__":
    style.write_from_command_line(lambda: draw(recorded()["sizes"]["rows"]), "Draw what search costs.")
