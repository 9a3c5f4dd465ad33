"""Networks on disk: one file of tensors, with a JSON text that says how to build the network again.

Nothing in such a file is ever run: it is read with ``weights_only=True``, and the text is only JSON.
"""

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import torch
from torch import nn

from gem_lite.backbones import COMPACT_CHANNELS, check_architecture, known_architectures
from gem_lite.cache import written_atomically
from gem_lite.retrieval_net import POOLINGS, RetrievalNet, blank_network, build_pooling, describe_pooling
from gem_lite.weights import read_file

FORMAT = "gem_lite network 1"


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
        "pooling": describe_pooling(net.pool),
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
        ValueError: if the file was written by something else, or the given pooling is not like the saved one.
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
    elif describe_pooling(pooling) != build["pooling"]:
        raise ValueError(f"{path} was saved with the pooling {build['pooling']}, not {pooling}")
    net = _blank_as_saved(content, pooling)
    if build["whiten"]:
        inputs, outputs, bias = build["whiten"]
        net.whiten = nn.Linear(inputs, outputs, bias=bias)
    net.load_state_dict(content["state"])
    return net.eval()


def _blank_as_saved(content: Mapping[str, Any], pool: nn.Module) -> RetrievalNet:
    description = json.loads(content["description"])
    meta = description["meta"]
    check_architecture(meta["architecture"])
    channels = meta.get("channels", COMPACT_CHANNELS)
    net = blank_network(meta["architecture"], pool, channels, description["build"]["batch_norm"])
    net.meta = meta
    return net


def adapt_saved(
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
    if isinstance(pooling, nn.Module) and describe_pooling(pooling) == saved:
        return load_network(source, pooling)
    net = _blank_as_saved(content, build_pooling(pooling, p))
    kept = {k: v for k, v in content["state"].items() if not k.startswith(("pool.", "whiten."))}
    net.load_state_dict(net.state_dict() | kept)
    return net.eval()
