"""A stored network put together from its description (JSON) and its tensors.

The network is first built without memory, on torch's "meta" device; the tensors are then compared with it,
name by name and shape by shape, and put in place. Nothing is computed and no random number is drawn.
"""

from collections import OrderedDict
from collections.abc import Mapping
from typing import Any

import torch
from torch import Tensor, nn

from gem_lite.backbones import COMPACT_CHANNELS, check_architecture, known_architectures
from gem_lite.generalised_mean import gem
from gem_lite.local_whitening import LocalWhitening
from gem_lite.pooling import GeM, RegionalPool
from gem_lite.retrieval_net import POOLINGS, RetrievalNet, blank_network, describe_pooling
from gem_lite.whitening import LearnedWhitening, PCAWhitening

Whitening = LearnedWhitening | PCAWhitening
MOST_CHANNELS = 200  # entries in the list of a compact body


class StoredNet(RetrievalNet):
    """A network from a file, with the whitenings that came in the same file.

    Attributes:
        whitenings: by the set that they were learned on, then by ``"ss"`` (descriptors of a single scale) or
            ``"ms"`` (averaged over several). They are applied to what `extract` returns, *after* the mean
            over scales: ``net.whitenings["retrieval-SfM-120k"]["ms"].transform(descriptors)``.

    Chapter: 12_your_photographs.
    """

    whitenings: dict[str, dict[str, Whitening]]

    @property
    def dim(self) -> int:
        """Length D of a descriptor."""
        if self.whiten is None and isinstance(self.pool, RegionalPool):
            whiten = self.pool.whiten
            if isinstance(whiten, nn.Linear):
                return whiten.out_features
        return super().dim


class FreeGeM(GeM):
    """GeM whose exponents may lie between 0 and 1, where it is below the mean; the reference code's GeM.

    Nothing in the reference code keeps p at or above 1. A network whose p has fallen below is read with this
    one, since `GeM` would take 1 instead and describe every picture a little differently.

    Chapter: d_departures.
    """

    def forward(self, x: Tensor) -> Tensor:
        """Feature maps (B, K, H, W) to (B, K)."""
        return gem(x, self.p, self.eps)

    def keep_p_valid(self) -> None:
        """Leaves the exponents alone."""


def describe(net: RetrievalNet) -> dict[str, Any]:
    """What `blank` needs to build such a network again, as JSON; the numbers are in ``net.state_dict()``.

    Raises:
        ValueError: if a part is none that `blank` knows.
    """
    if net.meta.get("architecture") not in known_architectures():
        raise ValueError("only a network whose meta['architecture'] is known can be built again from a file")
    return {
        "architecture": net.meta["architecture"],
        "channels": net.meta.get("channels"),
        "batch_norm": any(isinstance(layer, nn.BatchNorm2d) for layer in net.backbone.modules()),
        "local_whiten": _describe_linear(dict(net.backbone.named_children()).get("lwhiten")),
        "pooling": _describe_pool(net.pool),
        "whiten": _describe_linear(net.whiten),
    }


def blank(description: Mapping[str, Any]) -> StoredNet:
    """A network as `describe` told of one, without numbers (on the "meta" device).

    Raises:
        ValueError: for an architecture or a pooling that is not known.
    """
    architecture = str(description["architecture"])
    check_architecture(architecture)
    channels = description.get("channels") or COMPACT_CHANNELS
    if len(channels) > MOST_CHANNELS:
        raise ValueError(f"a compact body of {len(channels)} layers: more than {MOST_CHANNELS} are refused")
    with torch.device("meta"):
        pool = _build_pool(description["pooling"])
        net = blank_network(architecture, pool, channels, bool(description.get("batch_norm")))
        body = net.backbone
        if description.get("local_whiten"):
            layers = OrderedDict(body.named_children())
            layers["lwhiten"] = _build_linear(description["local_whiten"], LocalWhitening)
            body = nn.Sequential(layers)
        whiten = _build_linear(description["whiten"]) if description.get("whiten") else None
        stored = StoredNet(body, pool, whiten, meta=net.meta)
    stored.whitenings = {}
    return stored


def fill(net: StoredNet, state: Mapping[str, Any], source: str) -> StoredNet:
    """The network that `blank` built with these tensors in it, in evaluation mode.

    Raises:
        ValueError: if they do not fit, or are not all finite, naming the first that is to blame.
    """
    expected = net.state_dict()
    # Files older than PyTorch 0.4.1 do not count batches; with a fixed momentum nothing depends on it.
    counters = {key: torch.tensor(0) for key in expected if key.endswith("num_batches_tracked")}
    found = {**counters, **state}
    plain = {key for key, value in found.items() if isinstance(value, Tensor) and not value.is_sparse}
    common = plain & expected.keys()
    problems = {
        "missing": [key for key in expected if key not in found],
        "unknown": [key for key in found if key not in expected],
        "that are none": [key for key in found if key in expected and key not in plain],
        "of another shape": [key for key in common if found[key].shape != expected[key].shape],
    }
    told = "; ".join(f"{len(keys)} {kind} (first: {keys[0]})" for kind, keys in problems.items() if keys)
    if told:
        raise ValueError(f"{source} does not hold the network that it describes: tensors {told}")
    broken = [key for key in expected if not found[key].isfinite().all()]
    if broken:
        raise ValueError(f"{source} holds infinite numbers, or none at all, in {broken[0]}: damaged?")
    net.load_state_dict(found, assign=True)
    if net.meta["architecture"] == "compact":
        net.backbone.to(memory_format=torch.channels_last)
    return net.eval()


def _describe_linear(layer: nn.Module | None) -> list[Any] | None:
    if layer is None:
        return None
    if not isinstance(layer, nn.Linear):
        raise ValueError(f"the whitening must be a Linear layer to be saved, not a {type(layer).__name__}")
    return [layer.in_features, layer.out_features, layer.bias is not None]


def _build_linear(description: Any, kind: type[nn.Linear] = nn.Linear) -> nn.Linear:
    inputs, outputs, bias = description
    return kind(int(inputs), int(outputs), bias=bool(bias))


def _describe_pool(pool: nn.Module) -> dict[str, Any]:
    if isinstance(pool, RegionalPool):
        whiten = _describe_linear(pool.whiten)
        return {
            "name": "regional",
            "levels": pool.levels,
            "whiten": whiten,
            "pool": _describe_pool(pool.pool),
        }
    if type(pool) is FreeGeM:
        return {"name": "free_gem", "channels": pool.channels, "eps": pool.eps}
    description = describe_pooling(pool)
    if description["name"] not in POOLINGS:
        known = ", ".join([*POOLINGS, "RegionalPool"])
        raise ValueError(f"a pooling of the class {description['name']} cannot be saved; known: {known}")
    return description


def _build_pool(description: Mapping[str, Any]) -> nn.Module:
    settings = dict(description)
    name = settings.pop("name")
    if name == "regional":
        whiten = _build_linear(settings["whiten"]) if settings["whiten"] else None
        return RegionalPool(_build_pool(settings["pool"]), whiten, int(settings["levels"]))
    if name == "free_gem":
        return FreeGeM(**settings)
    if name not in POOLINGS:
        raise ValueError(f"unknown pooling {name!r}")
    return POOLINGS[name][0](**settings)
