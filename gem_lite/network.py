"""The retrieval network: body, pooling, L2 normalisation and, where learned, whitening. One vector per image.

A saved network is one file of tensors and a JSON text that says how to build it again.
"""

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from gem_lite.backbones import (
    COMPACT_CHANNELS,
    check_architecture,
    compact_backbone,
    feature_dim,
    fold_batch_norm,
    known_architectures,
    torchvision_body,
)
from gem_lite.cache import written_atomically
from gem_lite.pooling import MAC, RMAC, GeM, SPoC
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

IMAGENET_MEAN, IMAGENET_STD = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)
COMPACT_MEAN, COMPACT_STD = (0.52, 0.52, 0.52), (0.25, 0.25, 0.25)
FORMAT = "gem_lite network 1"
# Poolings by name, with the attributes that say how to build them again.
POOLINGS: dict[str, tuple[type[nn.Module], tuple[str, ...]]] = {
    "mac": (MAC, ()),
    "spoc": (SPoC, ()),
    "gem": (GeM, ("channels", "eps")),
    "rmac": (RMAC, ("levels",)),
}


class RetrievalNet(nn.Module):
    """Images (B, 3, H, W) in 0..1 to descriptors (B, D), float32, of unit length.

    Body, pooling, L2 normalisation (figure 1 of the paper); with `whiten`, that layer and L2 once more.
    Descriptors are rows; the paper's code keeps them as columns.

    Args:
        backbone: maps (B, 3, H, W) to non-negative feature maps (B, K, H', W').
        pool: maps (B, K, H', W') to (B, K).
        whiten: maps (B, K) to (B, D), for example ``LearnedWhitening.to_linear()``.
        mean, std: of each colour channel; images are normalised inside.
        meta: anything JSON that is to be kept with the network; ``architecture`` is needed to save it.

    Chapter: 03_pooling.
    """

    mean: Tensor
    std: Tensor

    def __init__(
        self,
        backbone: nn.Module,
        pool: nn.Module,
        whiten: nn.Module | None = None,
        mean: Sequence[float] = IMAGENET_MEAN,
        std: Sequence[float] = IMAGENET_STD,
        meta: Mapping[str, Any] | None = None,
    ) -> None:
        super().__init__()
        self.backbone, self.pool, self.whiten = backbone, pool, whiten
        self.register_buffer("mean", torch.tensor(mean).view(1, 3, 1, 1))
        self.register_buffer("std", torch.tensor(std).view(1, 3, 1, 1))
        self.meta = dict(meta or {})

    def feature_maps(self, images: Tensor) -> Tensor:
        """Feature maps X (B, K, H', W') of images (B, 3, H, W) with values in 0..1."""
        if images.ndim != 4 or images.shape[1] != 3 or not images.is_floating_point():
            found = f"{tuple(images.shape)} of {images.dtype}"
            raise ValueError(f"images must be (B, 3, H, W) floats in 0..1, not {found}; bytes: images / 255")
        maps: Tensor = self.backbone((images - self.mean) / self.std)
        return maps

    def forward(self, images: Tensor) -> Tensor:
        """Descriptors (B, D) of images (B, 3, H, W) with values in 0..1."""
        descriptors = F.normalize(self.pool(self.feature_maps(images)), dim=1)
        if self.whiten is not None:
            descriptors = F.normalize(self.whiten(descriptors), dim=1)
        return descriptors

    @property
    def dim(self) -> int:
        """Length D of a descriptor."""
        if isinstance(self.whiten, nn.Linear):
            return self.whiten.out_features
        return feature_dim(self.backbone)


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
            return _from_saved(content, architecture, pooling, p, channels, source=str(weights))
    if architecture == "compact" and weights is not None:
        raise ValueError(f"the compact network loads what save_network wrote, and {weights} is not that")
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(torch_seed("network", architecture, seed))
        net = _blank(architecture, _build_pooling(pooling, p), channels or COMPACT_CHANNELS, batch_norm)
    if weights == "imagenet":
        content = imagenet_state(architecture)
    if content is not None:
        load_body(net.backbone, content, architecture, source=str(weights))
    return net.eval()


def save_network(net: RetrievalNet, path: str | Path) -> None:
    """Writes a network with its pooling, whitening and `meta` to one file, atomically.

    Raises:
        ValueError: if `net.meta` has no known architecture, or the whitening is not a Linear layer.
        TypeError: if `net.meta` is not JSON.
    """
    if net.meta.get("architecture") not in known_architectures():
        raise ValueError("only a network whose meta['architecture'] is known can be built again from a file")
    whiten = net.whiten
    if whiten is not None and not isinstance(whiten, nn.Linear):
        raise ValueError(f"the whitening must be a Linear layer to be saved, not a {type(whiten).__name__}")
    build = {
        "pooling": _describe_pooling(net.pool),
        "batch_norm": any(isinstance(layer, nn.BatchNorm2d) for layer in net.backbone.modules()),
        "whiten": whiten and [whiten.in_features, whiten.out_features, whiten.bias is not None],
    }
    description = json.dumps({"meta": net.meta, "build": build})
    with written_atomically(Path(path)) as temporary:
        torch.save({"format": FORMAT, "description": description, "state": net.state_dict()}, temporary)


def load_network(path: str | Path, pooling: nn.Module | None = None) -> RetrievalNet:
    """The network that `save_network` wrote, in evaluation mode.

    Args:
        path: of the file.
        pooling: a module like the saved one, needed only where that was none of the four named poolings.

    Raises:
        ValueError: if the file was written by something else, or its pooling is needed and not given.
    """
    content = read_file(path)
    if content.get("format") != FORMAT:
        raise ValueError(
            f"{path} was not written by save_network; build_network(..., weights=path) may read it"
        )
    build = json.loads(content["description"])["build"]
    if pooling is None:
        settings = dict(build["pooling"])
        name = settings.pop("name")
        if name not in POOLINGS:
            raise ValueError(f"{path} was saved with the pooling {name}: give pooling=<such a module>")
        pooling = POOLINGS[name][0](**settings)
    net = _blank_as_saved(content, pooling)
    if build["whiten"]:
        inputs, outputs, bias = build["whiten"]
        net.whiten = nn.Linear(inputs, outputs, bias=bias)
    net.load_state_dict(content["state"])
    return net.eval()


def _blank(
    architecture: str, pool: nn.Module, channels: Sequence[int | str], batch_norm: bool
) -> RetrievalNet:
    """A network with random weights, from torch's global generator."""
    if architecture != "compact":
        return RetrievalNet(torchvision_body(architecture), pool, meta={"architecture": architecture})
    meta = {"architecture": architecture, "channels": list(channels)}
    # Channels-last is the layout in which convolutions are fastest on a CPU; the outputs keep it.
    body = compact_backbone(channels, batch_norm).to(memory_format=torch.channels_last)
    return RetrievalNet(body, pool, mean=COMPACT_MEAN, std=COMPACT_STD, meta=meta)


def _blank_as_saved(content: Mapping[str, Any], pool: nn.Module) -> RetrievalNet:
    description = json.loads(content["description"])
    meta = description["meta"]
    channels = meta.get("channels", COMPACT_CHANNELS)
    net = _blank(meta["architecture"], pool, channels, description["build"]["batch_norm"])
    net.meta = meta
    return net


def _from_saved(
    content: Mapping[str, Any],
    architecture: str,
    pooling: str | nn.Module,
    p: float,
    channels: Sequence[int | str] | None,
    source: str,
) -> RetrievalNet:
    """The whole saved network if it has the pooling that is asked for, else its body under that one."""
    description = json.loads(content["description"])
    meta, saved = description["meta"], description["build"]["pooling"]
    if meta["architecture"] != architecture:
        raise ValueError(f"{source} holds a {meta['architecture']} network, not {architecture}")
    if channels is not None and list(channels) != meta.get("channels"):
        raise ValueError(f"{source} has channels {meta.get('channels')}, not {list(channels)}")
    if pooling == saved["name"]:
        return load_network(source)
    if isinstance(pooling, nn.Module) and _describe_pooling(pooling) == saved:
        return load_network(source, pooling)
    net = _blank_as_saved(content, _build_pooling(pooling, p))
    prefix = "backbone."
    body = {key.removeprefix(prefix): v for key, v in content["state"].items() if key.startswith(prefix)}
    net.backbone.load_state_dict(body)
    return net.eval()


def _build_pooling(pooling: str | nn.Module, p: float) -> nn.Module:
    if isinstance(pooling, nn.Module):
        return pooling
    if pooling not in POOLINGS:
        raise ValueError(f"unknown pooling {pooling!r}; known: {', '.join(POOLINGS)}, or any module")
    return GeM(p) if pooling == "gem" else POOLINGS[pooling][0]()


def _describe_pooling(pool: nn.Module) -> dict[str, Any]:
    for name, (kind, attributes) in POOLINGS.items():
        if type(pool) is kind:
            return {"name": name, **{attribute: getattr(pool, attribute) for attribute in attributes}}
    return {"name": type(pool).__name__}
