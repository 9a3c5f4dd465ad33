"""This package's own files: tensors as safetensors, and in their header a JSON text that says what they are.

The format can hold no code. A reader of another language finds the description under the key ``gem_lite``
of the header's metadata.
"""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save_file
from torch import Tensor

from gem_lite.cache import written_atomically
from gem_lite.checkpoints.cirtorch import load_cirtorch
from gem_lite.checkpoints.parts import StoredNet, Whitening, blank, describe, fill
from gem_lite.checkpoints.reading import read_torch
from gem_lite.network_files import FORMAT as TORCH_FORMAT
from gem_lite.network_files import load_network
from gem_lite.retrieval_net import RetrievalNet
from gem_lite.whitening import LearnedWhitening, PCAWhitening

KEY, FORMAT, VERSION = "gem_lite", "gem_lite checkpoint", 1
WHITENINGS: dict[str, type[Whitening]] = {"learned": LearnedWhitening, "pca": PCAWhitening}


def save(
    net: RetrievalNet, path: str | Path, whitenings: Mapping[str, Mapping[str, Whitening]] | None = None
) -> None:
    """Writes a network with its pooling, whitenings and `meta` to one file, atomically.

    Args:
        net: of a known architecture, with one of the four poolings or any of them regional; perhaps with
            local whitening at the end of the body, and a Linear whitening.
        path: of the file; ``.safetensors`` is the usual ending.
        whitenings: applied to descriptors after extraction, by training set and then by ``"ss"`` or
            ``"ms"``; by default those of the network, if it is a `StoredNet`.

    Raises:
        ValueError: if the network cannot be built again from its description.
        TypeError: if `net.meta` is not JSON.
        OSError: if the file cannot be written; one that was there before is still there.

    Chapter: 12_your_photographs.
    """
    if whitenings is None:
        whitenings = getattr(net, "whitenings", {})
    state = {key: value.detach().cpu().contiguous() for key, value in net.state_dict().items()}
    network = describe(net)
    # None of its numbers are looked at: whatever cannot be built again is found here, not when it is loaded.
    if {k: v.shape for k, v in blank(network).state_dict().items()} != {k: v.shape for k, v in state.items()}:
        raise ValueError(f"the network is no {network['architecture']} as it is built here: was it changed?")
    listed: list[dict[str, str]] = []
    for dataset, by_scale in whitenings.items():
        for scale, whitening in by_scale.items():
            kind = next(name for name, known in WHITENINGS.items() if isinstance(whitening, known))
            state |= {
                f"whitenings.{len(listed)}.{name}": torch.from_numpy(value).contiguous()
                for name, value in (("mean", whitening.mean_), ("components", whitening.components_))
            }
            listed.append({"learned_on": dataset, "scale": scale, "kind": kind})
    text = json.dumps(
        {
            "format": FORMAT,
            "version": VERSION,
            "network": network,
            "meta": net.meta,
            "whitenings": listed,
        }
    )
    with written_atomically(Path(path)) as temporary:
        try:
            save_file(state, temporary, {KEY: text})
        except SafetensorError as error:
            raise OSError(f"{path} could not be written: {error}") from error


def load(path: str | Path) -> StoredNet:
    """The network that `save` wrote, in evaluation mode.

    Raises:
        FileNotFoundError: if there is no such file.
        ValueError: if it is damaged, was written by something else, or by a later version of this package.

    Chapter: 12_your_photographs.
    """
    path = Path(path)
    if not path.is_file():
        raise FileNotFoundError(f"no file at {path}")
    text, state = _read(path)
    try:
        content = json.loads(text)
        if content["format"] != FORMAT:
            raise ValueError(f"its format is {content['format']!r}")
        if content["version"] > VERSION:
            raise ValueError(f"a later gem_lite wrote it (version {content['version']}): update gem_lite")
        net = blank(content["network"])
        whitenings = [_whitening(state, row, entry) for row, entry in enumerate(content["whitenings"])]
        names = [(str(entry["learned_on"]), str(entry["scale"])) for entry in content["whitenings"]]
        net.meta = dict(content["meta"])
    except (KeyError, TypeError, ValueError, RecursionError, AttributeError) as error:
        raise ValueError(f"{path} cannot be read: {error}") from error
    for (dataset, scale), whitening in zip(names, whitenings, strict=True):
        net.whitenings.setdefault(dataset, {})[scale] = whitening
    return fill(net, state, str(path))


def open_network(path: str | Path) -> RetrievalNet:
    """A network from a file of any of the formats that hold a whole one, in evaluation mode.

    Those are: this package's (`save`), its other one (`gem_lite.network.save_network`), and the reference
    code's (`load_cirtorch`). A state of torchvision's does not say what network it is of, so it is none of
    them: ``build_network(architecture, weights=path)``.

    Raises:
        FileNotFoundError: if there is no such file.
        ValueError: if it is none of these.

    Chapter: 12_your_photographs.
    """
    path = Path(path)
    if not path.is_file():
        raise FileNotFoundError(f"no file at {path}")
    with path.open("rb") as file:
        start = file.read(9)
    if start[8:] == b"{":  # safetensors: the length of its header, then the header, which is JSON
        return load(path)
    if read_torch(path).get("format") == TORCH_FORMAT:
        return load_network(path)
    return load_cirtorch(path)


def _read(path: Path) -> tuple[str, dict[str, Tensor]]:
    """The description in a file's header, and its tensors."""
    try:
        with safe_open(path, "pt") as file:
            text = (file.metadata() or {}).get(KEY)
            if text is None:
                raise ValueError(f"{path} holds tensors, but gem_lite did not write it")
            # Copies: the file may be replaced while the network is in use.
            return text, {key: file.get_tensor(key).clone() for key in file.keys()}  # noqa: SIM118
    except SafetensorError as error:
        raise ValueError(f"{path} is damaged, or is no safetensors file: {error}") from error


def _whitening(state: dict[str, Tensor], row: int, entry: Mapping[str, Any]) -> Whitening:
    """Takes the tensors of a whitening out of the state."""
    whitening = WHITENINGS[entry["kind"]]()
    mean, components = (state.pop(f"whitenings.{row}.{name}") for name in ("mean", "components"))
    if mean.ndim != 1 or components.ndim != 2 or components.shape[1] != len(mean):
        raise ValueError(f"whitening {row} has a mean {tuple(mean.shape)} and P {tuple(components.shape)}")
    whitening.mean_, whitening.components_ = mean.numpy(), components.numpy()
    whitening.n_features_in_ = len(mean)
    return whitening
