"""Networks of the paper's authors: files of ``filipradenovic/cnnimageretrieval-pytorch`` ("cirtorch").

A released file holds ``meta`` (architecture, pooling, mean, std, …) and ``state_dict``; a self-trained one
also epoch and optimiser, which are left out. Some carry whitenings, learned on retrieval-SfM-30k or -120k, in
``meta["Lw"]``.

What is computed is the same, with one exception: the reference divides by the norm plus 1e-6 where this
package divides by the norm. For real pictures descriptors then differ by about 1e-6; a picture without any
activation has a GeM descriptor of length 1 here and of less there. See `gem_lite.reference`.
"""

import hashlib
import re
import warnings
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor, nn

from gem_lite.backbones import check_architecture
from gem_lite.checkpoints.parts import StoredNet, blank, fill
from gem_lite.checkpoints.reading import StoredArray, read_torch
from gem_lite.retrieval_net import IMAGENET_MEAN, IMAGENET_STD, RetrievalNet
from gem_lite.weights import DENSENET_OLD_KEY
from gem_lite.whitening import LearnedWhitening

POOLINGS = ("mac", "spoc", "gem", "gemmp", "rmac")
EPS, LEVELS = 1e-6, 3  # constants of the reference code: GeM's clamp, R-MAC's grid
HASH_IN_NAME = re.compile(r"-([0-9a-f]{7,64})\.pth(?:\.tar)?$")


def load_cirtorch(path: str | Path) -> StoredNet:
    """A network of the reference code, in evaluation mode.

    Args:
        path: of a released ``.pth``, or of a ``model_best.pth.tar`` that its training wrote. The last part of
            a released name, as in ``…-gem-b4dcdc6.pth``, seems to be the beginning of the file's SHA-256.

    Returns:
        The network with pooling (``mac``, ``spoc``, ``gem``, ``gemmp``, ``rmac``, each also regional), local
        and final whitening as in the file. `StoredNet.whitenings` has the whitenings of ``meta["Lw"]``,
        ``meta["cirtorch"]`` the rest of the file's ``meta``, ``meta["sha256"]`` its checksum.

    Raises:
        FileNotFoundError: if there is no such file.
        ValueError: if it is damaged, or no network of the reference code; nothing of it has run then.

    Warns:
        UserWarning: if the file's SHA-256 does not begin as its name says.

    Chapter: 12_your_photographs.
    """
    path = Path(path)
    content = read_torch(path)
    sha256 = _checked_hash(path)
    meta, state = content.get("meta"), content.get("state_dict")
    if not isinstance(meta, dict) or not isinstance(state, dict):
        raise ValueError(f"{path} is no network of cirtorch: {_hint(content)}")
    absent = [key for key in ("architecture", "pooling", "mean", "std") if key not in meta]
    if absent:
        raise ValueError(f"{path} is no network of cirtorch: its meta lacks {', '.join(absent)}")
    architecture = str(meta["architecture"])
    _check_body(architecture, path)
    description = {
        "architecture": architecture,
        "pooling": _pooling(meta, state, path),
        "local_whiten": _layer(state, "lwhiten", bool(meta.get("local_whitening")), path),
        "whiten": _layer(state, "whiten", bool(meta.get("whitening")), path),
    }
    net = blank(description)
    colours = {key: _colours(meta[key], key, path) for key in ("mean", "std")}
    fill(net, _our_names(state, net) | colours, str(path))
    net.whitenings = _whitenings(meta.get("Lw") or {}, path)
    rest = {str(key): _plain(value) for key, value in meta.items() if key != "Lw"}
    net.meta |= {"cirtorch": rest, "sha256": sha256, "file": path.name}
    return net


def load_cirtorch_features(
    path: str | Path, architecture: str | None = None, pooling: str = "gem"
) -> StoredNet:
    """An off-the-shelf network from one of the reference code's files of convolutions alone.

    Those are the Caffe weights of VGG16 and ResNet50, 101 and 152, from which the paper's networks were
    fine-tuned: they retrieve better than torchvision's. In the reference code they lie in torchvision's
    layers, and so they do here.

    Args:
        path: for example ``imagenet-caffe-vgg16-features-d369c8e.pth``.
        architecture: by default what the name says.
        pooling: ``"mac"``, ``"spoc"``, ``"gem"`` (p = 3) or ``"rmac"``.

    Raises, Warns:
        as `load_cirtorch`.
    """
    path = Path(path)
    state = read_torch(path)
    sha256 = _checked_hash(path)
    if architecture is None:
        named = re.search(r"-([a-z]+\d+(?:_\d+)?)-features", path.name)
        if not named:
            raise ValueError(f"{path.name} does not say which architecture it is of: give architecture=")
        architecture = named.group(1)
    if pooling not in ("mac", "spoc", "gem", "rmac"):
        raise ValueError(f"unknown pooling {pooling!r}; known: mac, spoc, gem, rmac")
    _check_body(architecture, path)
    if not any(key in state for key in ("0.weight", "0.bias")):
        raise ValueError(f"{path} is no file of convolutions: {_hint(state)}")
    features = {f"features.{key}": value for key, value in state.items()}
    features |= {"pool.p": torch.full((1,), 3.0)} if pooling == "gem" else {}
    net = blank({"architecture": architecture, "pooling": _pooling({"pooling": pooling}, features, path)})
    colours = {"mean": _colours(IMAGENET_MEAN, "mean", path), "std": _colours(IMAGENET_STD, "std", path)}
    fill(net, _our_names(features, net) | colours, str(path))
    net.meta |= {"sha256": sha256, "file": path.name}
    return net


def load_cirtorch_whitening(path: str | Path) -> LearnedWhitening:
    """A whitening of the reference code: ``m`` and ``P``, or weight and bias of a layer.

    Its evaluation writes the first beside a network (``…_whiten.pth``, ``…_whiten_ms.pth``); the second is
    what it downloads to begin with (``…-whiten-….pth``, ``…-rwhiten-….pth``, ``…-lwhiten-….pth``).

    Raises, Warns:
        as `load_cirtorch`.
    """
    path = Path(path)
    content = read_torch(path)
    _checked_hash(path)
    if {"m", "P"} <= content.keys():
        return _whitening(content, str(path))
    weight, bias = content.get("weight"), content.get("bias")
    if not isinstance(weight, Tensor) or not isinstance(bias, Tensor):
        raise ValueError(f"{path} is no whitening of cirtorch: {_hint(content)}")
    layer = nn.Linear(weight.shape[1], weight.shape[0])
    layer.load_state_dict({"weight": weight, "bias": bias})
    return LearnedWhitening.from_linear(layer)


def _checked_hash(path: Path) -> str:
    with path.open("rb") as file:
        sha256 = hashlib.file_digest(file, "sha256").hexdigest()
    named = HASH_IN_NAME.search(path.name)
    if named and not sha256.startswith(named.group(1)):
        warnings.warn(
            f"{path.name} should have a SHA-256 that begins with {named.group(1)}, by its name, but it is "
            f"{sha256[:12]}…: damaged, changed, or named otherwise. It is loaded all the same.",
            stacklevel=3,
        )
    return sha256


def _hint(content: Mapping[Any, Any]) -> str:
    """What a file of torch's may be that is not what was expected."""
    if "format" in content:
        return "this package wrote it, use gem_lite.network.load_network"
    if {"m", "P"} <= content.keys() or {"weight", "bias"} == content.keys():
        return "it is a whitening, use load_cirtorch_whitening"
    if "0.weight" in content and "features.0.weight" not in content:
        return "it holds convolutions alone, use load_cirtorch_features"
    if content and all(isinstance(value, Tensor) for value in content.values()):
        return "it is a plain state, perhaps torchvision's: use build_network(architecture, weights=path)"
    return f"it has no meta and state_dict, only {', '.join(map(str, list(content)[:5])) or 'nothing'}"


def _check_body(architecture: str, path: Path) -> None:
    try:
        check_architecture(architecture)
        if architecture == "compact":
            raise ValueError("'compact' is this package's own, none of cirtorch's")
    except ValueError as error:
        raise ValueError(f"{path}: {error}") from None


def _pooling(meta: Mapping[str, Any], state: Mapping[str, Any], path: Path) -> dict[str, Any]:
    name, regional = meta["pooling"], bool(meta.get("regional"))
    if name not in POOLINGS:
        raise ValueError(f"{path} has the pooling {name!r}; known: {', '.join(POOLINGS)}")
    description: dict[str, Any] = {"name": name}
    if name == "rmac":
        description["levels"] = LEVELS
    if name.startswith("gem"):
        p = state.get("pool.rpool.p" if regional else "pool.p")
        if not isinstance(p, Tensor) or not p.numel() or not (p > 0).all():
            raise ValueError(f"{path} has no exponent p above 0 for its pooling {name}: it has {p}")
        kind = "gem" if (p >= 1).all() else "free_gem"
        description = {"name": kind, "channels": p.numel(), "eps": EPS}
    if regional:
        whiten = _layer(state, "pool.whiten", True, path)
        return {"name": "regional", "levels": LEVELS, "whiten": whiten, "pool": description}
    return description


def _layer(state: Mapping[str, Any], name: str, wanted: bool, path: Path) -> list[Any] | None:
    """Sizes of a linear layer, from its weights; `fill` complains of one that nobody has announced."""
    if not wanted:
        return None
    weight = state.get(f"{name}.weight")
    if not isinstance(weight, Tensor) or weight.ndim != 2:
        raise ValueError(f"{path} should have a whitening {name}, by its meta, and has no {name}.weight")
    return [weight.shape[1], weight.shape[0], f"{name}.bias" in state]


def _our_names(state: Mapping[Any, Any], net: RetrievalNet) -> dict[str, Any]:
    """The reference numbers the layers of a body (``features.4.0.conv1``), torchvision names them."""
    layers = [name for name, _ in net.backbone.named_children()]
    named = {}
    for key, value in state.items():
        part, _, rest = str(key).partition(".")
        number, _, tail = rest.partition(".")
        if part == "features" and number.isdigit() and int(number) < len(layers):
            tail = DENSENET_OLD_KEY.sub(r"\1\2", tail)
            key = f"backbone.{layers[int(number)]}.{tail}"
        elif part == "lwhiten":
            key = f"backbone.{key}"
        key = str(key).replace("pool.rpool.", "pool.pool.", 1)
        whole = isinstance(value, Tensor) and value.is_floating_point()
        named[key] = value.float() if whole else value
    return named


def _colours(values: Any, name: str, path: Path) -> Tensor:
    numbers = values.values if isinstance(values, StoredArray) else values
    colours = torch.as_tensor(np.asarray(numbers, dtype=np.float32)).flatten()
    if len(colours) != 3:
        raise ValueError(f"{path}: the {name} must be three numbers, not {values}")
    return colours.view(1, 3, 1, 1)


def _whitenings(stored: Any, path: Path) -> dict[str, dict[str, Any]]:
    """``meta["Lw"]``: by training set, then "ss" or "ms"."""
    found: dict[str, dict[str, Any]] = {}
    if not isinstance(stored, dict) or not all(isinstance(entry, dict) for entry in stored.values()):
        raise ValueError(f"{path}: the whitenings in its meta are not sorted by training set and scale")
    for dataset, by_scale in stored.items():
        for scale, content in by_scale.items():
            found.setdefault(str(dataset), {})[str(scale)] = _whitening(content, f"{path}, {dataset} {scale}")
    return found


def _whitening(content: Any, source: str) -> LearnedWhitening:
    """From the mean, a column (D, 1), and the projection P (d, D), which acts on columns from the left."""
    if not isinstance(content, dict) or not {"m", "P"} <= content.keys():
        raise ValueError(f"{source}: a whitening has a mean m and a projection P, and this one has not")
    mean, projection = _array(content["m"]).reshape(-1), _array(content["P"])
    if projection.ndim != 2 or projection.shape[1] != len(mean):
        raise ValueError(f"{source}: P {projection.shape} does not fit m, which has {len(mean)} numbers")
    whitening = LearnedWhitening()
    whitening.mean_, whitening.components_ = mean, projection
    whitening.n_features_in_ = len(mean)
    return whitening


def _array(value: Any) -> npt.NDArray[np.float64]:
    found = value.values if isinstance(value, StoredArray) else value
    return np.array(found, dtype=np.float64, order="C")


def _plain(value: Any) -> Any:
    """Of a file's ``meta``, what JSON can say."""
    if value is None or isinstance(value, bool | int | float | str):
        return value
    if isinstance(value, StoredArray):
        return None if value.values is None else value.values.tolist()
    if isinstance(value, dict):
        return {str(key): _plain(entry) for key, entry in value.items()}
    if isinstance(value, list | tuple | set):
        return [_plain(entry) for entry in value]
    return value.tolist() if isinstance(value, Tensor) else str(value)
