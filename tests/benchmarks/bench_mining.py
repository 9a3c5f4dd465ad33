"""Hard negatives without a full sort, beside the two full sorts one would write: NumPy's and PyTorch's.

2,000 queries in a pool of 22,000, as in the paper's training; each method in a process of its own, so that
its memory can be told. Run it on a quiet machine:

    python tests/benchmarks/bench_mining.py
"""

import argparse
import json
import resource
import subprocess
import sys
import tempfile
import time

import numpy as np
import torch

from gem_lite.mining import hard_negatives
from gem_lite.seeds import stream

QUERIES, POOL, CLUSTERS, COUNT = 2_000, 22_000, 550, 5


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


def measure(method, file):
    """Seconds (best of three), MiB beyond the descriptors, and the negatives."""
    with np.load(file) as stored:  # making them here would itself need memory
        data = [stored[name] for name in ("queries", "pool", "query_clusters", "pool_clusters")]
    METHODS[method](data[0][:8], data[1][:2000], data[2][:8], data[3][:2000])  # libraries start their threads
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    seconds = []
    for _ in range(3):
        start = time.perf_counter()
        negatives = METHODS[method](*data)
        seconds.append(time.perf_counter() - start)
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return {"seconds": min(seconds), "mib": (peak - before) / 1024, "negatives": negatives.tolist()}


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
        print(f"{dimensions}-D, {torch.get_num_threads()} threads")
        print(f"  {'gem_lite':12} {ours['seconds']:7.2f} s {ours['mib']:8.0f} MiB")
        for method, other in found.items():
            same = np.mean(np.array(other["negatives"]) == np.array(ours["negatives"]))
            memory = other["mib"] / max(ours["mib"], 1)
            print(
                f"  {method:12} {other['seconds']:7.2f} s {other['mib']:8.0f} MiB   "
                f"{other['seconds'] / ours['seconds']:5.1f}x the time, {memory:5.1f}x the "
                f"memory, {same:.2%} of the negatives the same"
            )


if __name__ == "__main__":
    main()
