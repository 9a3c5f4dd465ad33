"""Learned whitening as one generalised eigenproblem, beside the reference's way: Cholesky, inverse, `eig`.

2048-D descriptors, 6,000 of them, 10,000 matching pairs. Run it on a quiet machine:

    python tests/benchmarks/bench_whitening.py
"""

import time

import numpy as np

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


def main():
    rng = stream("bench whitening")
    clusters = rng.integers(600, size=ROWS)
    x = rng.normal(size=(600, DIMENSIONS))[clusters] + rng.normal(size=(ROWS, DIMENSIONS))
    x = (x / np.linalg.norm(x, axis=1, keepdims=True)).astype(np.float32)
    order = np.argsort(clusters, kind="stable")
    neighbours = np.flatnonzero(clusters[order[:-1]] == clusters[order[1:]])
    chosen = rng.choice(neighbours, PAIRS)
    first, second = order[chosen], order[chosen + 1]

    start = time.perf_counter()
    ours = LearnedWhitening().fit(x, pairs=(first, second))
    middle = time.perf_counter()
    theirs = np.real(cholesky_and_eig(x, first, second))
    end = time.perf_counter()
    signs = np.sign((ours.components_ * theirs).sum(axis=1))[:, None]
    difference = np.abs(ours.components_ * signs - theirs).max() / np.abs(theirs).max()
    print(f"{DIMENSIONS}-D: gem_lite {middle - start:.1f} s, Cholesky + eig {end - middle:.1f} s,", end=" ")
    print(f"{(end - middle) / (middle - start):.1f}x the time; largest relative difference {difference:.1e}")


if __name__ == "__main__":
    main()
