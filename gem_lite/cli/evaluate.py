"""Measure a network on a benchmark: mAP and mP@k, with everything that they depend on.

The set is one by name, downloaded where its address is known (oxford5k, paris6k, roxford5k, rparis6k,
roxford5k+1m, …; gem_lite/datasets/sources.toml lists all and says how to use your own copy), or a folder of
yours with --truth. Numbers of different papers can only be compared where the settings printed below agree.

  python -m gem_lite evaluate --dataset roxford5k --network retrievalSfM120k-resnet101-gem \\
      --scales multi --whitening stored --expansion 50:3
  python -m gem_lite evaluate --dataset photos/ --truth photos.csv --network resnet50
"""

import argparse
import importlib.metadata
from pathlib import Path
from typing import Any

import numpy as np

from gem_lite import streaming
from gem_lite.cli import options
from gem_lite.cli.descriptors import (
    described,
    finished,
    unreadable_rows,
    whitening_hash,
    whitening_of,
    work_folder,
    write_json,
)
from gem_lite.datasets import Benchmark, load_benchmark, load_collection
from gem_lite.evaluate import Evaluation, bootstrap
from gem_lite.extract import default_scale_power
from gem_lite.network import RetrievalNet
from gem_lite.train import mean_p

KAPPAS = (1, 5, 10)
JUNK = {
    "easy": "junk and hard pictures are removed from a list before it is scored",
    "medium": "junk is removed from a list before it is scored",
    "hard": "junk and easy pictures are removed from a list before it is scored",
    "classic": "junk is removed from a list before it is scored",
}


def add_arguments(command: argparse.ArgumentParser) -> None:
    """Options of this command."""
    data = command.add_argument_group("data")
    data.add_argument(
        "--dataset", required=True, metavar="NAME|FOLDER", help="a benchmark, or your own folder"
    )
    data.add_argument(
        "--truth",
        metavar="FILE",
        help="of your own folder: a CSV file (query,image,label), a gnd_*.pkl, a JSON list, or the word "
        "classes where each object has its own subfolder",
    )
    data.add_argument("--sources", metavar="FILE", help="your own table of addresses and folders")
    data.add_argument("--no-download", action="store_true", help="fail where something is missing")
    options.add_network(command)
    options.add_extraction(command)
    command.add_argument("--no-crop", action="store_true", help="ask with whole pictures, not with the boxes")
    options.add_whitening(command)
    options.add_expansion(command)
    output = command.add_argument_group("results")
    output.add_argument("--work", type=Path, metavar="FOLDER", help="where descriptors are kept")
    output.add_argument("--json", type=Path, metavar="FILE", help="write results and settings there, too")


def run(chosen: argparse.Namespace) -> None:
    """Describes, searches, scores and prints."""
    net, how = options.network(chosen), options.extraction(chosen)
    benchmark = benchmark_of(chosen)
    if not benchmark.gnd:
        raise ValueError("this folder has no queries: give --truth, or use the commands index and query")
    boxes = None if chosen.no_crop else benchmark.boxes
    # First, for what is wrong with it had better be said before the hours of the database.
    whitening, name = whitening_of(chosen.whitening, net, how, chosen.dimensions, chosen.quiet)
    work = chosen.work or work_folder(benchmark.name, net, how, benchmark.images)
    raw = described(net, benchmark.images, work / "database", how, quiet=chosen.quiet)
    asked = work / ("queries" if chosen.no_crop else "queries-cropped")
    raw_queries = described(net, benchmark.queries, asked, how, boxes, chosen.quiet)
    if len(lost := unreadable_rows(raw_queries)):
        raise ValueError(f"the query {benchmark.queries[lost[0]]} cannot be read, so it cannot be scored")
    # One folder for each whitening that is tried.
    ready = "ready" if whitening is None else f"ready-{whitening_hash(whitening)}"
    database = finished(raw, whitening, work / ready, chosen.quiet)
    queries = np.asarray(raw_queries) if whitening is None else whitening.transform(np.asarray(raw_queries))
    if chosen.expansion:
        n, alpha = chosen.expansion
        queries = streaming.expand_queries(queries, database, n, alpha, exclude=benchmark.query_rows)
    results = {
        protocol: streaming.evaluate(queries, database, benchmark.gnd, protocol, KAPPAS)
        for protocol in benchmark.protocols
    }
    settings = settings_of(net, how, benchmark, chosen, name, len(unreadable_rows(raw)))
    print(report(benchmark, results, settings))
    if chosen.json:
        write_json(chosen.json, as_json(benchmark, results, settings))


def benchmark_of(chosen: argparse.Namespace) -> Benchmark:
    """--dataset: a folder, or a name."""
    folder = Path(chosen.dataset).expanduser()
    if folder.is_dir():
        return load_collection(folder, chosen.truth)
    if chosen.truth:
        raise ValueError(f"--truth goes with a folder of yours, and there is no folder {folder}")
    fetch, quiet = not chosen.no_download, chosen.quiet
    return load_benchmark(chosen.dataset, fetch=fetch, progress=not quiet, table=chosen.sources)


def settings_of(
    net: RetrievalNet,
    how: options.Extraction,
    benchmark: Benchmark,
    chosen: argparse.Namespace,
    whitening: str,
    unreadable: int,
) -> dict[str, str]:
    """What the numbers depend on: the seven things that disputes are about first."""
    power = default_scale_power(net, how.scales)
    factors = ", ".join(f"{scale:.4g}" for scale in how.scales)
    in_database = int((benchmark.query_rows >= 0).sum())
    cropped = sum(box is not None for box in benchmark.boxes)
    n_alpha = chosen.expansion
    return {
        "scales": factors
        if len(how.scales) == 1
        else f"{factors}; generalised mean with exponent {power:.4g}",
        "image size": str(how),
        "query": "whole pictures"
        if chosen.no_crop or not cropped
        else f"{cropped} of {len(benchmark.queries)} cut out by their boxes, at the scale of their pictures",
        "mean, std": " · ".join(
            " ".join(f"{value:.3f}" for value in each.flatten().tolist()) for each in (net.mean, net.std)
        ),
        "whitening": whitening,
        "junk": junk_text(benchmark),
        "query and database": f"{in_database} of {len(benchmark.queries)} queries are in the database"
        + (", where the ground truth makes them junk or a right answer" if in_database else ""),
        "expansion": "none" if not n_alpha else f"α-weighted, first {n_alpha[0]} answers, α = {n_alpha[1]:g}",
        "network": f"{chosen.network}, {net.meta.get('architecture')}, {type(net.pool).__name__}"
        + (f" p = {mean_p(net):.3f}" if not np.isnan(mean_p(net)) else ""),
        "orientation": "EXIF applied",
        "average precision": "trapezoid, as in the benchmarks' own code",
        "pictures": f"{len(benchmark.images)}, of which {unreadable} could not be read and come last",
        "notes": "; ".join(benchmark.notes) or "none",
    }


def junk_text(benchmark: Benchmark) -> str:
    """What is passed over in each protocol."""
    if benchmark.protocols == ("classic",):
        return JUNK["classic"]
    return "; ".join(f"{protocol}: {JUNK[protocol]}" for protocol in benchmark.protocols)


def report(benchmark: Benchmark, results: dict[str, Evaluation], settings: dict[str, str]) -> str:
    """The numbers as a table, their intervals, and the settings."""
    head = ["", "mAP", "95 % interval", *(f"mP@{k}" for k in KAPPAS), "queries"]
    rows = [head]
    for protocol, result in results.items():
        answered = int((~np.isnan(result.aps)).sum())
        numbers = [f"{100 * value:.2f}" for value in (result.map, *result.mp)]
        rows.append([protocol, numbers[0], interval(result.aps), *numbers[1:], str(answered)])
    widths = [max(len(row[column]) for row in rows) for column in range(len(head))]
    lines = [
        "  ".join(
            cell.ljust(w) if i == 0 else cell.rjust(w)
            for i, (cell, w) in enumerate(zip(row, widths, strict=True))
        )
        for row in rows
    ]
    wide = max(map(len, settings))
    told = [f"{name.ljust(wide)}  {value}" for name, value in settings.items()]
    things = len(set(benchmark.groups))
    by_thing = []
    if 1 < things < len(benchmark.queries):
        each = (f"{name} {interval(result.aps, benchmark.groups)}" for name, result in results.items())
        by_thing = [f"drawing the {things} landmarks instead of queries: {'; '.join(each)}"]
    title = f"{benchmark.name}, in percent; intervals are bootstrapped over queries"
    return "\n".join(["", title, *lines, *by_thing, "", *told])


def interval(aps: np.ndarray[Any, Any], groups: list[str] | None = None) -> str:
    """95 % of a bootstrap, or a dash where there are too few queries."""
    try:
        found = bootstrap(aps, groups=groups)
    except ValueError:
        return "–"
    return f"{100 * found.low:.1f} to {100 * found.high:.1f}"


def as_json(benchmark: Benchmark, results: dict[str, Evaluation], settings: dict[str, str]) -> dict[str, Any]:
    """Everything, for another program."""
    return {
        "dataset": benchmark.name,
        "settings": settings,
        "versions": {name: importlib.metadata.version(name) for name in ("torch", "numpy", "pillow")},
        "results": {
            protocol: {
                "map": result.map,
                "mp": dict(zip(map(str, KAPPAS), result.mp.tolist(), strict=True)),
                "aps": [None if np.isnan(ap) else ap for ap in result.aps.tolist()],
            }
            for protocol, result in results.items()
        },
        "queries": benchmark.query_names,
    }
