"""Reading weights from files and from torchvision, never running anything that a file contains."""

import pickle
import re
import urllib.error
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

CLASSIFIER_PREFIXES = ("classifier.", "fc.")
# torchvision's DenseNet files write `norm.1` where its modules say `norm1`.
DENSENET_OLD_KEY = re.compile(r"(denselayer\d+\.(?:norm|conv))\.([12]\.)")


def read_file(path: str | Path) -> dict[str, Any]:
    """What a file of weights holds: a dictionary of tensors, strings and numbers.

    Raises:
        FileNotFoundError: if there is no such file.
        ValueError: if it is damaged, or contains anything but plain data (such a file could run code).
    """
    path = Path(path)
    if not path.is_file():
        raise FileNotFoundError(f"no file of weights at {path}")
    try:
        content = torch.load(path, map_location="cpu", weights_only=True)
    except (pickle.UnpicklingError, RuntimeError, EOFError, OSError) as error:
        raise ValueError(f"{path} is damaged, or holds more than tensors and is refused: {error}") from error
    if not isinstance(content, dict):
        raise ValueError(f"{path} holds a {type(content).__name__}; expected a dictionary of tensors")
    return content


def imagenet_state(architecture: str) -> dict[str, Tensor]:
    """State of torchvision's classifier trained on ImageNet, from its download cache or the network.

    The first release of each network's weights (``IMAGENET1K_V1``), trained by the plain recipe: the later
    recipes raise classification, not retrieval.

    Raises:
        ConnectionError: if the file is not in torch's cache and cannot be downloaded.
    """
    from torchvision import models  # slow to import, and needed here alone

    weights = models.get_model_weights(architecture)["IMAGENET1K_V1"]
    try:
        state = weights.get_state_dict(progress=True, check_hash=True, weights_only=True)
    except (urllib.error.URLError, TimeoutError) as error:
        name = Path(weights.url).name
        raise ConnectionError(
            f"could not download the ImageNet weights of {architecture} ({error}). Without a network, give "
            f"weights=<path to {name}>, or put that file into {torch.hub.get_dir()}/checkpoints"
        ) from error
    return dict(state)


def load_body(body: nn.Module, state: Mapping[str, Any], architecture: str, source: str) -> None:
    """Loads the state of a torchvision classifier, of any float type, into that classifier's body.

    The classifying layers are left out: they may have any number of classes, or be absent.

    Raises:
        ValueError: if the rest does not fit, with a tensor that is missing, unknown or of another shape.
    """
    found = {_body_key(key): value for key, value in state.items() if not key.startswith(CLASSIFIER_PREFIXES)}
    expected = body.state_dict()
    # Files older than PyTorch 0.4.1 do not count batches; with a fixed momentum nothing depends on it.
    missing = [key for key in expected if key not in found and not key.endswith("num_batches_tracked")]
    unknown = [key for key in found if key not in expected]
    common = [key for key in found if key in expected]
    reshaped = [key for key in common if getattr(found[key], "shape", None) != expected[key].shape]
    problems = {"missing": missing, "unknown": unknown, "of another shape": reshaped}
    told = "; ".join(f"{len(keys)} {kind} (first: {keys[0]})" for kind, keys in problems.items() if keys)
    if told:
        raise ValueError(f"the weights in {source} are not those of {architecture}: tensors {told}")
    body.load_state_dict(found, strict=False)


def _body_key(key: str) -> str:
    return DENSENET_OLD_KEY.sub(r"\1\2", key.removeprefix("features."))
