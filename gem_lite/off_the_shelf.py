"""The book's off-the-shelf network: pre-trained once per profile and seed, and kept.

It plays the part that a network trained on ImageNet plays in the paper.
"""

from pathlib import Path

import torch

from gem_lite import toytown
from gem_lite.cache import artefact_path, made_once
from gem_lite.network import RetrievalNet, build_network, load_network, save_network
from gem_lite.pretrain import HEADS, pretrain
from gem_lite.profiles import get_profile
from gem_lite.threads import fixed_threads

PRETRAIN_MODULES = ("gem_lite.off_the_shelf",)
THREADS = 2  # on every machine: see `fixed_threads`


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
    made_once(path, lambda: readable(path), lambda: _pretrain_to(path, profile, seed, head))
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
        "device": device(),
    }
    return artefact_path(f"pretrained-{profile}-{seed}-{head}", settings, PRETRAIN_MODULES, ".pt")


def device() -> str:
    """Where the book's networks are trained: the GPU where there is one."""
    return "cuda" if torch.cuda.is_available() else "cpu"


def readable(path: Path) -> bool:
    """Whether a saved network is there and whole; a damaged one is made again, not believed."""
    try:
        load_network(path)
    except (OSError, ValueError):  # torch says "invalid argument" of a file that was cut short
        return False
    return True


def _pretrain_to(path: Path, profile: str, seed: int, head: str) -> None:
    backdrop = toytown.load(profile, seed, "backdrop")
    checkpoint = path.with_suffix(".checkpoint")
    with fixed_threads(THREADS):
        result = pretrain(backdrop, get_profile(profile), seed, head, device(), checkpoint)
    save_network(result.network, path)
    checkpoint.unlink(missing_ok=True)  # a short run wrote none
