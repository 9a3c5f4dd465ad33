"""A training step, five tuples of seven pictures in one batch, beside the reference's one picture at a time.

    python tests/benchmarks/bench_training.py [--threads 2]

Both descend the same loss with the same network: `gem_lite.train`'s own step, and a loop as in the reference
code, which describes the seven pictures of a tuple one by one, goes backward, and makes the optimiser's step
after the fifth tuple. Its pictures lie as torchvision's ToTensor leaves them, channel by channel; ours lie
channels last, and so does, for comparison, a second turn of the reference's loop ("ref. NHWC"). They take
turns, so that whatever else the machine does falls on all; the ratio is the median of the ratios of
neighbouring turns. bfloat16 (autocast) is beside them. Run it as ``make bench ARGS=training``, which
sets up memory and threads as all of the book's trainings have them.
"""

import argparse
import copy
import os
import statistics
import time
from collections.abc import Callable

import numpy as np
import torch
from recording import record
from tqdm import tqdm

from gem_lite.losses import contrastive_loss
from gem_lite.network import RetrievalNet, build_network
from gem_lite.seeds import stream
from gem_lite.threads import fixed_threads
from gem_lite.train import TrainConfig, TrainingData, _Run, for_training, parameter_groups

TUPLES, SIZE = 5, 96
GOAL = 2.5


def ours(net: RetrievalNet, images: np.ndarray, amp: bool) -> Callable[[], float]:
    """The package's step."""
    config = TrainConfig(amp=amp, batch=TUPLES)
    for_training(net)
    run = _Run(net, TrainingData(images, covisibility=None), config)
    tuples = np.arange(len(images)).reshape(TUPLES, -1)
    return lambda: run.step(tuples)


def one_by_one(net: RetrievalNet, images: np.ndarray, layout: torch.memory_format) -> Callable[[], float]:
    """The reference's loop, on pictures and weights that lie in memory in this way."""
    config = TrainConfig(batch=TUPLES)
    net = net.to(memory_format=layout)
    for_training(net)
    optimiser = torch.optim.Adam(parameter_groups(net, config), lr=config.learning_rate)
    labels = torch.tensor([-1, 1] + [0] * config.negatives)

    def step() -> float:
        optimiser.zero_grad(set_to_none=True)
        total = 0.0
        for tuple_ in np.split(images, TUPLES):
            batches = [
                torch.from_numpy(picture)[None].permute(0, 3, 1, 2).float() / 255 for picture in tuple_
            ]
            pictures = [batch.contiguous(memory_format=layout) for batch in batches]
            described = torch.cat([net(picture) for picture in pictures])
            loss = contrastive_loss(described, labels, margin=config.margin) / TUPLES
            loss.backward()
            total += float(loss.detach())
        optimiser.step()
        net.pool.keep_p_valid()
        return total

    return step


def seconds(step: Callable[[], float]) -> tuple[float, float]:
    """Of one step, by the clock and of the processors."""
    start, cpu = time.perf_counter(), time.process_time()
    step()
    return time.perf_counter() - start, time.process_time() - cpu


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--turns", type=int, default=30)
    parser.add_argument("--threads", type=int, default=min(2, os.cpu_count() or 1))
    options = parser.parse_args()
    net = build_network("compact")
    count = TUPLES * (2 + TrainConfig().negatives)
    images = stream("bench", "training").integers(0, 256, (count, SIZE, SIZE, 3), dtype=np.uint8)
    steps = {
        "reference": one_by_one(copy.deepcopy(net), images, torch.contiguous_format),
        "ref. NHWC": one_by_one(copy.deepcopy(net), images, torch.channels_last),
        "ours": ours(copy.deepcopy(net), images, amp=False),
        "bfloat16": ours(copy.deepcopy(net), images, amp=True),
    }
    with fixed_threads(options.threads):
        losses = {name: step() for name, step in steps.items()}  # the first turn fetches memory, too
        if abs(losses["ours"] - losses["reference"]) > 1e-5 * losses["reference"]:
            raise SystemExit(f"the two steps are not of one loss: {losses}")
        turns = [
            {name: seconds(step) for name, step in steps.items()}
            for _ in tqdm(range(options.turns), leave=False)
        ]
    print(f"{count} images of {SIZE} px, compact network with GeM, {options.threads} thread(s)")
    print(f"{'':12}{'images/s':>10}{'ratio':>8}{'of CPU time':>14}")
    for name in steps:
        clock = statistics.median(turn[name][0] for turn in turns)
        ratio, cpu = (
            statistics.median(turn["reference"][kind] / turn[name][kind] for turn in turns) for kind in (0, 1)
        )
        print(f"{name:12}{count / clock:10.0f}{ratio:7.2f}x{cpu:13.2f}x")
        if name != "reference":
            details = {"images_per_s": count / clock, "cpu_ratio": cpu, "threads": options.threads}
            goal = f"at least {GOAL}" if name == "ours" else ""
            what = "images per second of a training step, against one by one"
            record(what if name == "ours" else f"{what}, {name}", ratio, "x", goal, **details)


if __name__ == "__main__":
    main()
