"""Building a retrieval network by name, with random, ImageNet, own or saved weights."""

from collections.abc import Sequence
from pathlib import Path

import torch
from torch import nn

from gem_lite.backbones import (
    COMPACT_CHANNELS,
    check_architecture,
    compact_backbone,
    fold_batch_norm,
    known_architectures,
)
from gem_lite.network_files import FORMAT, adapt_saved, load_network, save_network
from gem_lite.retrieval_net import RetrievalNet, blank_network, build_pooling
from gem_lite.seeds import torch_seed
from gem_lite.weights import imagenet_state, load_body, read_file

__all__ = [
    "RetrievalNet",
    "build_network",
    "compact_backbone",
    "fold_batch_norm",
    "known_architectures",
    "load_network",
    "save_network",
]


def build_network(
    architecture: str,
    pooling: str | nn.Module = "gem",
    weights: str | Path | None = None,
    p: float = 3.0,
    channels: Sequence[int | str] | None = None,
    batch_norm: bool = False,
    seed: int = 0,
) -> RetrievalNet:
    """A retrieval network in evaluation mode.

    Args:
        architecture: ``"compact"`` or a torchvision name as `known_architectures` lists them.
        pooling: ``"gem"``, ``"mac"``, ``"spoc"``, ``"rmac"``, or a module (B, K, H, W) -> (B, K).
        weights: ``None`` (random, from `seed`), ``"imagenet"``, or the path of a torchvision classifier's
            state or of a network saved by `save_network`. A saved network of the same pooling comes back
            whole, its p and whitening included; for another pooling only its body is taken.
        p: exponent that GeM starts from.
        channels: of the compact body, see `compact_backbone`.
        batch_norm: whether the compact body has batch normalisation (for training from scratch).
        seed: names the stream of the random weights.

    Raises:
        ValueError: unknown architecture or pooling, or weights that do not fit.

    >>> build_network("compact", pooling="mac")(torch.zeros(2, 3, 64, 64)).shape
    torch.Size([2, 128])
    """
    check_architecture(architecture)
    content = None
    if weights is not None and weights != "imagenet":
        content = read_file(weights)
        if content.get("format") == FORMAT:
            return adapt_saved(content, architecture, pooling, p, channels, source=str(weights))
    if architecture == "compact" and weights is not None:
        raise ValueError(f"the compact network loads what save_network wrote, and {weights} is not that")
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(torch_seed("network", architecture, seed))
        net = blank_network(architecture, build_pooling(pooling, p), channels or COMPACT_CHANNELS, batch_norm)
    if weights == "imagenet":
        content = imagenet_state(architecture)
    if content is not None:
        load_body(net.backbone, content, architecture, source=str(weights))
    return net.eval()
