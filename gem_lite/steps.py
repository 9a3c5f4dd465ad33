"""Named steps: what the book computes once and keeps. ``python -m gem_lite.steps render pretrain``.

A chapter asks for an artefact (`pretrained`, ``toytown.load``); where it is missing the same code computes
it, with its progress bar. Running the steps beforehand changes nothing but who waits.
"""

import argparse
import time
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path

import torch

from gem_lite import toytown
from gem_lite.cache import artefact_path, cache_dir, locked
from gem_lite.network import RetrievalNet, build_network, load_network, save_network
from gem_lite.pretrain import HEADS, pretrain
from gem_lite.profiles import PROFILES, get_profile
from gem_lite.toytown.scene import World

PRETRAIN_MODULES = ("gem_lite.pretrain",)
TUNING_SPLITS = ("train", "val", "distractors", "backdrop")


def pretrained(
    profile: str = "lite", seed: int = 0, pooling: str = "gem", p: float = 3.0, head: str = "mean"
) -> RetrievalNet:
    """The book's off-the-shelf network under this pooling, from the cache or pre-trained now.

    Args:
        profile: name in `gem_lite.profiles`.
        seed: of the run.
        pooling: ``gem``, ``mac``, ``spoc`` or ``rmac``; all share the same body.
        p: exponent of GeM.
        head: pooling under the classifier in pre-training, see `gem_lite.pretrain.pretrain`.

    Raises:
        ValueError: for an unknown profile, pooling or head.

    Chapter: 03_pooling.
    """
    if head not in HEADS:
        raise ValueError(f"unknown head {head!r}; known: {', '.join(HEADS)}")
    net = build_network("compact", pooling, p=p, channels=get_profile(profile).network)
    path = _pretrained_path(profile, seed, head)
    if not _readable(path):
        with locked(path):
            if not _readable(path):
                _pretrain_to(path, profile, seed, head)
    saved = load_network(path)
    net.backbone.load_state_dict(saved.backbone.state_dict())
    net.meta.update(saved.meta)
    return net


def _pretrained_path(profile: str, seed: int, head: str) -> Path:
    sizes = get_profile(profile)
    settings = {
        "image_size": sizes.image_size,
        "backdrop": sizes.backdrop,
        "steps": sizes.pretrain_steps,
        "batch": sizes.pretrain_batch,
        "network": sizes.network,
        "seed": seed,
        "head": head,
        "device": _device(),
    }
    return artefact_path(f"pretrained-{profile}-{seed}-{head}", settings, PRETRAIN_MODULES, ".pt")


def _device() -> str:
    return "cuda" if torch.cuda.is_available() else "cpu"


def _readable(path: Path) -> bool:
    """Whether a saved network is there and whole; a damaged one is made again, not believed."""
    try:
        load_network(path)
    except (OSError, ValueError):  # torch says "invalid argument" of a file that was cut short
        return False
    return True


def _pretrain_to(path: Path, profile: str, seed: int, head: str) -> None:
    backdrop = toytown.load(profile, seed, "backdrop")
    result = pretrain(backdrop, get_profile(profile), seed, head, _device())
    save_network(result.network, path)


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


STEPS: dict[str, Callable[[str, int], None]] = {
    "render": render_step,
    "render-test": render_test_step,
    "pretrain": pretrain_step,
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
    for name in chosen.steps:
        start = time.perf_counter()
        was_cached = run_step(name, chosen.profile, chosen.seed)
        state = "cached" if was_cached else "computed"
        print(f"{name} ({chosen.profile}, seed {chosen.seed}): {state}, {time.perf_counter() - start:.1f} s")


if __name__ == "__main__":
    main()
