"""What search costs from a thousand to a million descriptors: the table that the chapter "Going large" reads.

Exact search, FAISS flat, IVF-PQ and HNSW, by recall, time and memory; then 70 queries on a million
descriptors of 2048 numbers, searched, expanded and evaluated exactly from shards on disk, beside FAISS flat.
One thread; processor time is measured beside the clock's, which other programs disturb. The large part needs
9 GB of disk, and for FAISS flat 9 GB of memory. Some ten minutes of processor time::

    OMP_NUM_THREADS=1 python tests/benchmarks/bench_large.py
"""

import argparse
import datetime
import hashlib
import importlib.metadata
import json
import os
import platform
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

import numpy as np
from recording import record

from figures.large_measure import CANDIDATES, K, Timed, measure
from gem_lite import index, streaming, toytown
from gem_lite.cache import written_atomically
from gem_lite.drawn import Drawn, Moments, moments
from gem_lite.extract import extract
from gem_lite.extraction import fill_shards
from gem_lite.fine_tuned import fine_tuned
from gem_lite.network import load_network
from gem_lite.shards import Shards

ROOT = Path(__file__).resolve().parent.parent.parent
TABLE = ROOT / "tests" / "expected" / "large.json"
SIZES = (1_000, 10_000, 100_000, 1_000_000)
MILLION, DIMENSIONS = 1_000_000, 2048


def real_moments(network, file):
    """Moments of the real set: Toytown's training images, described by the book's fine-tuned network."""
    net = load_network(network) if network else fine_tuned("lite", 0)[0]
    train = toytown.load("lite", 0, "train")
    described = extract(net, train.images, size=None, progress=False)
    clusters = train.covisibility.clusters
    found = moments(described, clusters)
    np.savez(file, mean=found.mean, between=found.between, within=found.within)
    return {
        "set": f"the {len(described)} training images of Toytown, by the fine-tuned GeM network",
        "profile": "lite",
        "landmarks": len(np.unique(clusters)),
        "dimensions": described.shape[1],
    }


def stored_moments(file):
    with np.load(file) as stored:
        return Moments(stored["mean"], stored["between"], stored["within"])


def of_size(file, count):
    return measure(Drawn(stored_moments(file)), int(count))


def peak_gib():
    """The most this process ever had in memory, files it mapped included."""
    for line in Path("/proc/self/status").read_text().splitlines():
        if line.startswith("VmHWM"):
            return int(line.split()[1]) / 2**20
    raise ValueError("no VmHWM in /proc/self/status")


def million(file, folder, way):
    """Search, expand, search again and evaluate 70 queries on a million descriptors in shards."""
    drawn = Drawn(stored_moments(file), dimensions=DIMENSIONS)
    queries, truth, database = drawn.queries(), drawn.ground_truth(), Shards(folder)
    before = peak_gib()
    if way == "exact":
        with Timed() as search:
            streaming.rank(queries, database, CANDIDATES)
        with Timed() as expand:
            expanded = streaming.expand_queries(queries, database, n=50)
        with Timed() as evaluation:
            plain, better = (streaming.evaluate(q, database, truth).map for q in (queries, expanded))
        told = {"map": plain, "map_expanded": better, **expand.told("expand"), **evaluation.told("evaluate")}
    else:
        with Timed() as build:
            built = index.build(database, "flat")
        with Timed() as search:
            built.rank(queries, CANDIDATES)
        told = build.told("build")
    return {
        "way": way,
        "before_gib": round(before, 3),
        "peak_gib": round(peak_gib(), 3),
        **search.told("search"),
        **told,
    }


def machine():
    model = next(
        (
            line.split(":")[1].strip()
            for line in Path("/proc/cpuinfo").read_text().splitlines()
            if "model name" in line
        ),
        platform.processor(),
    )
    return {
        "date": datetime.datetime.now(datetime.UTC).strftime("%Y-%m-%d %H:%M UTC"),
        "device": model,
        "threads": int(os.environ["OMP_NUM_THREADS"]),
        "cores": os.cpu_count(),
        "load": [round(value, 1) for value in os.getloadavg()],
        "versions": {name: importlib.metadata.version(name) for name in ("numpy", "faiss-cpu", "torch")},
        "python": platform.python_version(),
    }


def apart(*arguments):
    """A measurement in a process of its own, so that its memory can be told."""
    done = subprocess.run(
        [sys.executable, __file__, "--measure", *map(str, arguments)], capture_output=True, text=True
    )
    if done.returncode:
        raise SystemExit(f"{arguments} ended with {done.returncode}\n{done.stderr}")
    return [json.loads(line) for line in done.stdout.splitlines()]


def main():
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--network", help="a saved network instead of the book's")
    parser.add_argument("--output", default=TABLE, type=Path)
    parser.add_argument("--folder", type=Path, help="for the shards; by default a temporary one")
    parser.add_argument("--only", choices=("sizes", "million"), help="keeps the other part of the table")
    parser.add_argument("--measure", nargs="+", help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.measure:
        what, *rest = arguments.measure
        rows = [million(*rest)] if what == "million" else of_size(*rest)
        for row in rows:
            print(json.dumps(row), flush=True)
        return
    os.environ.setdefault("OMP_NUM_THREADS", "1")
    table = json.loads(arguments.output.read_text()) if arguments.output.exists() else {}
    folder = arguments.folder or Path(tempfile.mkdtemp(prefix="gem_lite-large-"))
    folder.mkdir(parents=True, exist_ok=True)
    try:
        table["drawn_from"] = real_moments(arguments.network, folder / "moments.npz")
        if arguments.only != "million":
            table["sizes"] = {"machine": machine(), "k": K, "candidates": CANDIDATES, "rows": []}
            for count in SIZES:
                table["sizes"]["rows"] += apart("size", folder / "moments.npz", count)
                for row in table["sizes"]["rows"][-5:]:
                    print(json.dumps(row), flush=True)
                    record(f"recall of {K}, {row['way']}, {count:,}", row["recall"], **row)
                write(table, arguments.output)
        if arguments.only != "sizes":
            drawn = Drawn(stored_moments(folder / "moments.npz"), dimensions=DIMENSIONS)
            # A kept folder may hold what another network's moments gave.
            source = hashlib.sha256(drawn.rows(0, 1).tobytes() + drawn.queries().tobytes())
            made_from = {"moments": source.hexdigest()[:16], "dimensions": DIMENSIONS}
            fill_shards(folder / "shards", MILLION, drawn.rows, made_from, rows=4096)
            table["million"] = {"machine": machine(), "count": MILLION, "dimensions": DIMENSIONS, "rows": []}
            for way in ("exact", "flat"):
                table["million"]["rows"] += apart("million", folder / "moments.npz", folder / "shards", way)
                row = table["million"]["rows"][-1]
                print(json.dumps(row), flush=True)
                record(f"memory for a million of 2048, {way}", row["peak_gib"], "GiB", "at most 16", **row)
                write(table, arguments.output)
    finally:
        if not arguments.folder:
            shutil.rmtree(folder)


def write(table, path):
    with written_atomically(path) as temporary:
        temporary.write_text(json.dumps(table, indent=1) + "\n", encoding="utf8")


if __name__ == "__main__":
    main()
