"""Learned whitening as one generalised eigenproblem, beside the reference's way: Cholesky, inverse, `eig`.

2048-D descriptors, 6,000 of them, 10,000 matching pairs. Run it on a quiet machine:

    python tests/benchmarks/bench_whitening.py
"""

import time

import numpy as np
from recording import record

from gem_lite.seeds import stream
from gem_lite.whitening import LearnedWhitening

ROWS, DIMENSIONS, PAIRS = 6_000, 2_048, 10_000


def cholesky_and_eig(x, first, second):
    """The reference's computation, in rows."""
    x = x.astype(np.float64)
    mean = x[first].mean(axis=0)
    difference = x[first] - x[second]
    whiten = np.linalg.inv(np.linalg.cholesky(difference.T @ difference / len(first)))
    turned = (x - mean) @ whiten.T
    values, vectors = np.linalg.eig(turned.T @ turned)
    return vectors[:, np.argsort(-values)].T @ whiten


def timed(function):
    """Its result, seconds by the clock and seconds of CPU (of all threads)."""
    start, cpu = time.perf_counter(), time.process_time()
    result = function()
    return result, time.perf_counter() - start, time.process_time() - cpu


def main():
    rng = stream("bench whitening")
    clusters = rng.integers(600, size=ROWS)
    x = rng.normal(size=(600, DIMENSIONS))[clusters] + rng.normal(size=(ROWS, DIMENSIONS))
    x = (x / np.linalg.norm(x, axis=1, keepdims=True)).astype(np.float32)
    order = np.argsort(clusters, kind="stable")
    neighbours = np.flatnonzero(clusters[order[:-1]] == clusters[order[1:]])
    chosen = rng.choice(neighbours, PAIRS)
    first, second = order[chosen], order[chosen + 1]

    ours, our_seconds, our_cpu = timed(lambda: LearnedWhitening().fit(x, pairs=(first, second)))
    theirs, their_seconds, their_cpu = timed(lambda: np.real(cholesky_and_eig(x, first, second)))
    what = f"time of Cholesky and eig against learned whitening, {DIMENSIONS}-D"
    record(
        what,
        their_seconds / our_seconds,
        "x",
        "at least 1",
        ours_s=our_seconds,
        cpu_ratio=their_cpu / our_cpu,
    )
    signs = np.sign((ours.components_ * theirs).sum(axis=1))[:, None]
    difference = np.abs(ours.components_ * signs - theirs).max() / np.abs(theirs).max()
    print(f"{DIMENSIONS}-D")
    print(f"  gem_lite       {our_seconds:6.1f} s ({our_cpu:.1f} s of CPU)")
    print(f"  Cholesky + eig {their_seconds:6.1f} s ({their_cpu:.1f} s of CPU)   ", end="")
    print(f"{their_seconds / our_seconds:.1f}x the time, {their_cpu / our_cpu:.1f}x the CPU time;", end=" ")
    print(f"largest relative difference of the components {difference:.1e}")


if __name__ == "__main__":
    main()
