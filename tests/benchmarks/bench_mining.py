"""Hard negatives without a full sort, beside the two full sorts one would write: NumPy's and PyTorch's.

2,000 queries in a pool of 22,000, as in the paper's training; each method in a process of its own, so that
its memory can be told (on Linux). Run it on a quiet machine:

    python tests/benchmarks/bench_mining.py
"""

import argparse
import json
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np
import torch
from recording import record

from gem_lite.mining import hard_negatives
from gem_lite.seeds import stream

QUERIES, POOL, CLUSTERS, COUNT = 2_000, 22_000, 550, 5
GOALS = {128: "at least 5", 2048: "at least 2"}


def descriptors(dimensions):
    """Clusters of unit vectors: queries, pool, and the clusters of both."""
    rng = stream("bench mining", dimensions)
    centres = rng.normal(size=(CLUSTERS, dimensions)).astype(np.float32)
    clusters = rng.integers(CLUSTERS, size=QUERIES + POOL)
    x = centres[clusters] + rng.normal(size=(len(clusters), dimensions)).astype(np.float32)
    x /= np.linalg.norm(x, axis=1, keepdims=True)
    return x[:QUERIES].copy(), x[QUERIES:].copy(), clusters[:QUERIES], clusters[QUERIES:]


def walk_down(order, query_clusters, pool_clusters):
    """First images of the sorted pool from COUNT clusters, none of them the query's."""
    negatives = []
    for ranking, own in zip(order, query_clusters, strict=True):
        seen, chosen = {own}, []
        for image in ranking:
            if pool_clusters[image] not in seen:
                seen.add(pool_clusters[image])
                chosen.append(image)
                if len(chosen) == COUNT:
                    break
        negatives.append(chosen)
    return np.array(negatives)


def numpy_sort(queries, pool, query_clusters, pool_clusters):
    order = np.argsort(-(queries @ pool.T), axis=1)
    return walk_down(order, query_clusters, pool_clusters)


def torch_sort(queries, pool, query_clusters, pool_clusters):
    order = torch.sort(torch.from_numpy(queries) @ torch.from_numpy(pool).T, dim=1, descending=True).indices
    return walk_down(order.numpy(), query_clusters, pool_clusters)


METHODS = {"gem_lite": hard_negatives, "numpy sort": numpy_sort, "torch sort": torch_sort}


def memory_kib(name):
    """A figure of this process's memory, as Linux keeps it: VmRSS is now, VmHWM the peak."""
    for line in Path("/proc/self/status").read_text().splitlines():
        if line.startswith(name):
            return int(line.split()[1])
    raise ValueError(f"no {name} in /proc/self/status")


def measure(method, file):
    """Seconds by the clock and of CPU (best of three), MiB beyond the descriptors, and the negatives."""
    with np.load(file) as stored:  # making them here would itself need memory
        data = [stored[name] for name in ("queries", "pool", "query_clusters", "pool_clusters")]
    METHODS[method](data[0][:8], data[1][:2000], data[2][:8], data[3][:2000])  # libraries start their threads
    Path("/proc/self/clear_refs").write_text("5")  # the peak starts again from here
    before = memory_kib("VmRSS")
    seconds, cpu_seconds = [], []
    for _ in range(3):
        start, cpu = time.perf_counter(), time.process_time()
        negatives = METHODS[method](*data)
        seconds.append(time.perf_counter() - start)
        cpu_seconds.append(time.process_time() - cpu)
    return {
        "seconds": min(seconds),
        "cpu": min(cpu_seconds),
        "mib": (memory_kib("VmHWM") - before) / 1024,
        "negatives": negatives.tolist(),
    }


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--measure", nargs=2, help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.measure:
        print(json.dumps(measure(*arguments.measure)))
        return
    for dimensions in (128, 2048):
        found = {}
        with tempfile.TemporaryDirectory() as folder:
            file = f"{folder}/descriptors.npz"
            names = ("queries", "pool", "query_clusters", "pool_clusters")
            np.savez(file, **dict(zip(names, descriptors(dimensions), strict=True)))
            for method in METHODS:
                command = [sys.executable, __file__, "--measure", method, file]
                found[method] = json.loads(subprocess.run(command, capture_output=True, check=True).stdout)
        ours = found.pop("gem_lite")
        for key, what, goal in (
            ("seconds", "time of the faster of two full sorts, against ours", GOALS[dimensions]),
            ("mib", "memory of the smaller of two full sorts, against ours", "at least 5"),
        ):
            best = min(other[key] for other in found.values())
            record(
                f"{what}, {dimensions}-D", best / max(ours[key], 0.01), "x", goal, ours=ours[key], best=best
            )
        print(f"{dimensions}-D, {torch.get_num_threads()} threads")
        print(
            f"  {'gem_lite':10} {ours['seconds']:6.2f} s ({ours['cpu']:.2f} s of CPU) {ours['mib']:5.0f} MiB"
        )
        for method, other in found.items():
            same = np.mean(np.array(other["negatives"]) == np.array(ours["negatives"]))
            ratio = {key: other[key] / max(ours[key], 0.01) for key in ("seconds", "cpu", "mib")}
            speed = f"{other['seconds']:6.2f} s ({other['cpu']:.2f} s of CPU)"
            print(f"  {method:10} {speed} {other['mib']:5.0f} MiB:")
            print(
                f"  {'':10} {ratio['seconds']:.1f}x the time, {ratio['cpu']:.1f}x the CPU time, "
                f"{ratio['mib']:.1f}x the memory; {same:.2%} of the negatives are the same"
            )


if __name__ == "__main__":
    main()
