"""GeM, forward and backward with a learned p, side by side with the reference's clamp, power, average, root.

    OMP_NUM_THREADS=1 python tests/benchmarks/bench_pooling.py

The two take turns, so that whatever else the machine does falls on both; the ratio is the median of the
ratios of neighbouring turns.
"""

import argparse
import statistics
import time
from collections.abc import Callable

import torch
from recording import record
from torch import Tensor
from tqdm import tqdm

from gem_lite.pooling import gem, gem_plain
from gem_lite.reference import reference_gem
from gem_lite.seeds import torch_seed

SHAPE = (8, 512, 24, 32)
LAYOUTS = {"channels first": torch.contiguous_format, "channels last": torch.channels_last}


def seconds(form: Callable[[Tensor, Tensor], Tensor], x: Tensor, p: Tensor) -> float:
    """Time of one forward and backward pass."""
    x.grad = p.grad = None
    start = time.perf_counter()
    form(x, p).sum().backward()
    return time.perf_counter() - start


def compare(ours: Callable[[Tensor, Tensor], Tensor], layout: torch.memory_format, turns: int) -> list[float]:
    """Median seconds of the reference and of our form, and the median ratio."""
    generator = torch.Generator().manual_seed(torch_seed("bench", "pooling"))
    x = torch.randn(SHAPE, generator=generator).relu().contiguous(memory_format=layout).requires_grad_()
    p = torch.tensor([2.9], requires_grad=True)
    times = []
    for turn in tqdm(range(turns + 2), leave=False):
        pair = seconds(reference_gem, x, p), seconds(ours, x, p)
        if turn >= 2:  # the first turns fetch memory
            times.append(pair)
    ratios = [theirs / mine for theirs, mine in times]
    return [*(statistics.median(column) for column in zip(*times, strict=True)), statistics.median(ratios)]


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--turns", type=int, default=30)
    turns = parser.parse_args().turns
    print(f"GeM forward + backward on {SHAPE}, float32, learned p, {torch.get_num_threads()} thread(s)")
    print(f"{'form':12s}{'layout':18s}{'reference':>12s}{'ours':>12s}{'ratio':>8s}")
    for name, form in {"gem": gem, "gem_plain": gem_plain}.items():
        for layout, memory_format in LAYOUTS.items():
            theirs, mine, ratio = compare(form, memory_format, turns)
            print(f"{name:12s}{layout:18s}{1e3 * theirs:9.1f} ms{1e3 * mine:9.1f} ms{ratio:7.2f}x")
            what = f"time of the reference's GeM against {name}, {layout}"
            record(what, ratio, "x", reference_s=theirs, ours_s=mine)


if __name__ == "__main__":
    main()
