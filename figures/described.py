"""Descriptors that several chapters ask for: computed once for a network and its pictures, and kept.

The name of the file is a hash of all that decides its content (`gem_lite.cache`), the network's weights and
the pictures included. So it doesn't matter which chapter asks first.
"""

import hashlib
import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from gem_lite.cache import artefact_path, made_once, written_atomically
from gem_lite.extract import default_scale_power, extract, mean_over_scales
from gem_lite.extraction import extract_to_shards, images_hash
from gem_lite.network import RetrievalNet
from gem_lite.retrieval_net import describe_pooling

Boxes = Sequence[Sequence[float] | None]


def described(
    net: RetrievalNet,
    images: NDArray[np.uint8] | list[Path],
    scales: Sequence[float] = (1.0,),
    boxes: Boxes | None = None,
    power: float | None = None,
    size: float | None = None,
) -> NDArray[np.float32]:
    """Descriptors (N, D) as `gem_lite.extract.extract` gives them.

    Several scales are put together from those of each: every picture passes the network once per scale.

    Args:
        net: of this project, on the CPU or a GPU.
        images: (N, H, W, 3), or N files. Those of files are written as they come, and an interrupted call
            goes on where it was.
        scales, boxes: as in `extract`.
        power: exponent of the mean over scales; by default as in `extract`.
        size: longest side that the network sees; by default the pictures' own.
    """
    each = [torch.from_numpy(_at_one_scale(net, images, scale, boxes, size)) for scale in scales]
    if len(each) == 1:
        return np.asarray(each[0].numpy())
    return np.asarray(mean_over_scales(each, power or default_scale_power(net, scales)).numpy())


def _at_one_scale(
    net: RetrievalNet,
    images: NDArray[np.uint8] | list[Path],
    scale: float,
    boxes: Boxes | None,
    size: float | None,
) -> NDArray[np.float32]:
    settings: dict[str, Any] = {
        "network": network_digest(net),
        "boxes": None if boxes is None else [box and [float(side) for side in box] for box in boxes],
        "scale": scale,
        "size": size,
    }
    if isinstance(images, list):
        folder = artefact_path("descriptors", settings | {"images": images_hash(images)}, (__name__,), "")
        return np.array(extract_to_shards(net, images, folder, size, boxes, scales=(scale,)))
    settings["images"] = [*images.shape, hashlib.sha256(np.ascontiguousarray(images)).hexdigest()]
    path = artefact_path("descriptors", settings, (__name__,), ".npy")

    def make() -> None:
        rows = extract(net, images, size=size, scales=(scale,), boxes=boxes, progress=False)
        with written_atomically(path) as temporary:
            np.save(temporary, rows)

    made_once(path, lambda: _whole(path), make)
    return np.asarray(np.load(path))


def network_digest(net: RetrievalNet) -> str:
    """Hash of a network: weights, pooling, normalisation, whitening."""
    digest = hashlib.sha256(json.dumps(describe_pooling(net.pool), sort_keys=True).encode())
    digest.update(repr((net.backbone, net.whiten)).encode())  # layers that have no weights
    for name, tensor in net.state_dict().items():
        digest.update(name.encode() + np.ascontiguousarray(tensor.detach().cpu().numpy()).tobytes())
    return digest.hexdigest()


def _whole(path: Path) -> bool:
    try:
        np.load(path)
    except (OSError, ValueError, EOFError):
        return False
    return True
