"""Named steps: what the book computes once and keeps. ``python -m gem_lite.steps render pretrain``.

A chapter asks for an artefact (`pretrained`, ``toytown.load``); where it is missing the same code computes
it, with its progress bar. Running the steps beforehand changes nothing but who waits.
"""

import argparse
import os
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from functools import partial
from pathlib import Path

import torch

from gem_lite import toytown
from gem_lite.cache import cache_dir
from gem_lite.fine_tuned import Variant, fine_tuned
from gem_lite.off_the_shelf import pretrained
from gem_lite.profiles import PROFILES
from gem_lite.toytown.scene import World

TUNING_SPLITS = ("train", "val", "distractors", "backdrop")


def render_step(profile: str, seed: int) -> None:
    """Every split of Toytown that may be trained or tuned on."""
    for split in TUNING_SPLITS:
        toytown.load(profile, seed, split)


def render_test_step(profile: str, seed: int) -> None:
    """The test split, with and without clutter. The only function here that opens its door."""
    toytown.load_test(profile, seed)
    toytown.load_test(profile, seed, replace(World(), clutter=(0, 0)))


def pretrain_step(profile: str, seed: int) -> None:
    """The off-the-shelf network."""
    pretrained(profile, seed)


def train_step(variant: Variant, profile: str, seed: int) -> None:
    """One fine-tuned network."""
    fine_tuned(profile, seed, variant)


TRAININGS = (Variant("gem"), Variant("mac"), Variant("spoc"), Variant("gem", negatives="random"))
STEPS: dict[str, Callable[[str, int], None]] = {
    "render": render_step,
    "render-test": render_test_step,
    "pretrain": pretrain_step,
    **{f"train-{variant.name}": partial(train_step, variant) for variant in TRAININGS},
}


def run_step(name: str, profile: str = "lite", seed: int = 0) -> bool:
    """Runs a step by name; returns whether all it makes was in the cache already.

    Raises:
        ValueError: for an unknown step, with the known ones.
    """
    if name not in STEPS:
        raise ValueError(f"unknown step {name!r}; known: {', '.join(STEPS)}")
    before = _artefacts()
    STEPS[name](profile, seed)
    return _artefacts() == before


def _artefacts() -> dict[Path, int]:
    """What is in the cache and when it was written; tells afterwards whether a step wrote anything."""
    return {path: path.stat().st_mtime_ns for path in cache_dir().glob("[!.]*.*") if path.is_file()}


def main(arguments: Sequence[str] | None = None) -> None:
    """Command line: runs steps in the order given and says for each whether it was cached."""
    parser = argparse.ArgumentParser(prog="python -m gem_lite.steps", description=main.__doc__)
    parser.add_argument("steps", nargs="+", metavar="step", choices=list(STEPS), help=", ".join(STEPS))
    parser.add_argument("--profile", default="lite", choices=list(PROFILES))
    parser.add_argument("--seed", default=0, type=int)
    chosen = parser.parse_args(arguments)
    trainings = [name for name in chosen.steps if name.startswith("train-")]
    side_by_side = len(trainings) > 1 and not torch.cuda.is_available() and (os.cpu_count() or 1) > 1
    for name in chosen.steps:
        if not (side_by_side and name in trainings):
            _run_and_tell(name, chosen.profile, chosen.seed)
    if side_by_side:
        _run_two_at_a_time(trainings, chosen.profile, chosen.seed)


def _run_and_tell(name: str, profile: str, seed: int) -> None:
    start = time.perf_counter()
    was_cached = run_step(name, profile, seed)
    state = "cached" if was_cached else "computed"
    print(f"{name} ({profile}, seed {seed}): {state}, {time.perf_counter() - start:.1f} s", flush=True)


def _run_two_at_a_time(names: Sequence[str], profile: str, seed: int) -> None:
    """Trainings in processes of one thread each: for a small network two threads are far from twice as fast.

    Raises:
        SystemExit: with the exit code of a training that failed.
    """

    def run(place: int, name: str) -> int:
        command = [sys.executable, "-m", "gem_lite.steps", name, "--profile", profile, "--seed", str(seed)]
        # Each bar keeps a line of its own.
        environment = {**os.environ, "OMP_NUM_THREADS": "1", "TQDM_POSITION": str(place % 2)}
        return subprocess.run(command, env=environment).returncode

    with ThreadPoolExecutor(max_workers=2) as pool:
        codes = list(pool.map(run, range(len(names)), names))
    if any(codes):
        raise SystemExit(max(codes, key=abs))


if __name__ == "__main__":
    main()
