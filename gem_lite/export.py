"""A network for use elsewhere: as a program of ``torch.export``, or as an ONNX file.

Both take pictures (B, 3, H, W) in 0..1 and give descriptors (B, D) of unit length: colours are normalised
inside, pooling and whitening are part of the graph. Number and size of the pictures are free.
"""

import copy
import importlib.util
import json
import os
import warnings
from pathlib import Path

import torch
from torch import Tensor, nn

from gem_lite.cache import written_atomically
from gem_lite.checkpoints.parts import FreeGeM
from gem_lite.generalised_mean import gem_plain
from gem_lite.pooling import RMAC, GeM, RegionalPool
from gem_lite.retrieval_net import RetrievalNet

EXAMPLE = (2, 192, 160)  # pictures, height, width: what the graph is recorded with


class _PlainGeM(nn.Module):
    """GeM with its exponents fixed, in operations that every runtime has; see `gem_plain`."""

    p: Tensor

    def __init__(self, pool: GeM) -> None:
        super().__init__()
        p = pool.p.detach().clone()
        self.register_buffer("p", p if isinstance(pool, FreeGeM) else p.clamp(min=1.0))
        self.eps = pool.eps

    def forward(self, x: Tensor) -> Tensor:
        return gem_plain(x, self.p, self.eps)


def export_program(net: RetrievalNet, size: tuple[int, int] | None = None) -> torch.export.ExportedProgram:
    """The network as a graph that runs without this package; ``torch.export.save`` writes it to a file.

    Args:
        net: stays as it is; exported in evaluation mode, on the CPU.
        size: height and width in pixels, for a graph of pictures of that size only; by default any size
            that the network can take. Regional pooling lays its grid out for one size and needs it.

    Raises:
        ValueError: for regional pooling without a size, or a size that is too small for the network.

    >>> from gem_lite.network import build_network
    >>> program = export_program(build_network("compact", channels=(8, "M", 16)))
    >>> program.module()(torch.rand(3, 3, 64, 80)).shape
    torch.Size([3, 16])

    Chapter: 12_your_photographs.
    """
    plain, example, free = _prepared(net, size)
    dynamic = dict.fromkeys(free, torch.export.Dim.DYNAMIC)
    return torch.export.export(plain, (example,), dynamic_shapes=(dynamic,), strict=False)


def export_onnx(net: RetrievalNet, path: str | Path, size: tuple[int, int] | None = None) -> None:
    """Writes the network as one ONNX file, atomically; its input is ``images``, its output ``descriptors``.

    The file's metadata has ``net.meta`` as JSON under ``gem_lite``.

    Args:
        net, size: as for `export_program`.
        path: of the file.

    Raises:
        ImportError: without the packages of the extra ``onnx``.
        ValueError: as `export_program`.

    Chapter: 12_your_photographs.
    """
    absent = [name for name in ("onnx", "onnxscript") if importlib.util.find_spec(name) is None]
    if absent:
        raise ImportError(
            f"writing ONNX needs {' and '.join(absent)}: install this package with its extra, "
            "pip install 'gem-lite[onnx]'"
        )
    plain, example, free = _prepared(net, size)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of the exporter, about itself
        exported = torch.onnx.export(
            plain,
            (example,),
            input_names=["images"],
            output_names=["descriptors"],
            dynamic_shapes=(free,),
            dynamo=True,
            verbose=False,
        )
    if exported is None:
        raise RuntimeError("torch.onnx.export gave nothing")
    exported.model.metadata_props["gem_lite"] = json.dumps(net.meta)
    with written_atomically(Path(path)) as temporary:
        exported.save(os.fspath(temporary), external_data=False)


def _prepared(net: RetrievalNet, size: tuple[int, int] | None) -> tuple[RetrievalNet, Tensor, dict[int, str]]:
    """What is exported, pictures to record it with, and the names of the axes that stay free."""
    if size is None and any(isinstance(layer, RMAC | RegionalPool) for layer in net.modules()):
        raise ValueError("regional pooling lays its grid out for one size: give size=(height, width)")
    plain = _for_export(net)
    count, *usual = EXAMPLE
    height, width = size or usual
    example = torch.zeros(count, 3, height, width, dtype=net.mean.dtype)
    try:
        with torch.no_grad():
            plain(example)
    except RuntimeError as error:
        raise ValueError(
            f"the network cannot take pictures of {width} by {height} pixels: {error}"
        ) from error
    return plain, example, {0: "batch"} if size else {0: "batch", 2: "height", 3: "width"}


def _for_export(net: RetrievalNet) -> RetrievalNet:
    """A copy in evaluation mode, with every GeM in its plain form."""
    plain = copy.deepcopy(net).cpu().eval().requires_grad_(False)
    for parent in list(plain.modules()):
        for name, layer in list(parent.named_children()):
            if isinstance(layer, GeM):
                setattr(parent, name, _PlainGeM(layer))
    return plain
