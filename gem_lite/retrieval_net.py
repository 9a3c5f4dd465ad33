"""The retrieval network: body, pooling, L2 normalisation and, where learned, whitening.

One vector per image.
"""

from collections.abc import Mapping, Sequence
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from gem_lite.backbones import compact_backbone, feature_dim, torchvision_body
from gem_lite.pooling import MAC, RMAC, GeM, SPoC

IMAGENET_MEAN, IMAGENET_STD = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)
COMPACT_MEAN, COMPACT_STD = (0.52, 0.52, 0.52), (0.25, 0.25, 0.25)
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
            whitened = self.whiten(descriptors.to(self.mean.dtype))  # that of the weights, perhaps float16
            descriptors = F.normalize(whitened.to(descriptors.dtype), dim=1)
        return descriptors

    @property
    def dim(self) -> int:
        """Length D of a descriptor."""
        if isinstance(self.whiten, nn.Linear):
            return self.whiten.out_features
        return feature_dim(self.backbone)


def blank_network(
    architecture: str, pool: nn.Module, channels: Sequence[int | str], batch_norm: bool
) -> RetrievalNet:
    """A network of known architecture with random weights, from torch's global generator."""
    if architecture != "compact":
        return RetrievalNet(torchvision_body(architecture), pool, meta={"architecture": architecture})
    meta = {"architecture": architecture, "channels": list(channels)}
    # Channels-last is the layout in which convolutions are fastest on a CPU; the outputs keep it.
    body = compact_backbone(channels, batch_norm).to(memory_format=torch.channels_last)
    return RetrievalNet(body, pool, mean=COMPACT_MEAN, std=COMPACT_STD, meta=meta)


def build_pooling(pooling: str | nn.Module, p: float) -> nn.Module:
    """The pooling of that name, or the given module itself; `p` is where GeM starts."""
    if isinstance(pooling, nn.Module):
        return pooling
    if pooling not in POOLINGS:
        raise ValueError(f"unknown pooling {pooling!r}; known: {', '.join(POOLINGS)}, or any module")
    return GeM(p) if pooling == "gem" else POOLINGS[pooling][0]()


def describe_pooling(pool: nn.Module) -> dict[str, Any]:
    """Name and settings of a pooling, as JSON; of one that is not ours, the name of its class."""
    for name, (kind, attributes) in POOLINGS.items():
        if type(pool) is kind:
            return {"name": name, **{attribute: getattr(pool, attribute) for attribute in attributes}}
    return {"name": type(pool).__name__}
