"""Files exactly as the reference code writes them, in miniature, and its network, written down a second time.

Nothing here is taken from the package: layers are numbered as there, formulas are those of `method.md`
sections 1.1 to 1.3, and NumPy arrays are pickled under the names that NumPy 1 gave them.
"""

import copy
import math
import pickle
from functools import cache
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn
from torchvision import models

MEAN, STD = [0.485, 0.456, 0.406], [0.229, 0.224, 0.225]


def l2n(x: Tensor) -> Tensor:
    """Over dimension 1; the small number is added."""
    return x / (x.pow(2).sum(1, keepdim=True).sqrt() + 1e-6)


class Pool(nn.Module):
    """(B, K, H, W) to (B, K, 1, 1)."""

    def __init__(self, name: str, channels: int) -> None:
        super().__init__()
        self.name = name
        if name.startswith("gem"):
            self.p = nn.Parameter(torch.full((channels if name == "gemmp" else 1,), 3.0))

    def forward(self, x: Tensor) -> Tensor:
        if self.name == "mac":
            return x.flatten(2).max(2).values[..., None, None]
        if self.name == "spoc":
            return x.flatten(2).mean(2)[..., None, None]
        if self.name == "rmac":
            return sum(l2n(part.flatten(2).max(2).values) for part in regions(x))[..., None, None]
        p = self.p[:, None, None]
        return x.clamp(min=1e-6).pow(p).flatten(2).mean(2)[..., None, None].pow(1 / p)


def regions(x: Tensor) -> list[Tensor]:
    """The whole map, then the squares of three levels."""
    height, width = x.shape[2:]
    short, long = min(height, width), max(height, width)
    overlap = [1 - (long - short) / (count - 1) / short for count in range(2, 8)]
    extra = int(np.argmin(np.abs(np.array(overlap) - 0.4))) + 1
    found = [x]
    for level in range(1, 4):
        side = 2 * short // (level + 1)
        half = side // 2 - 1
        lefts, tops = (
            [
                math.floor(half + index * ((length - side) / (count - 1) if count > 1 else 0)) - half
                for index in range(count)
            ]
            for length, count in (
                (width, level + extra * (width > height)),
                (height, level + extra * (height > width)),
            )
        )
        found += [x[:, :, top : top + side, left : left + side] for top in tops for left in lefts if side]
    return found


class RegionalPool(nn.Module):
    def __init__(self, rpool: Pool, channels: int) -> None:
        super().__init__()
        self.rpool, self.whiten = rpool, nn.Linear(channels, channels)

    def forward(self, x: Tensor) -> Tensor:
        described = [l2n(self.whiten(l2n(self.rpool(part)).flatten(1))) for part in regions(x)]
        return l2n(sum(described))[..., None, None]


class ReferenceNet(nn.Module):
    """Normalised pictures (B, 3, H, W) to descriptors in columns (D, B)."""

    def __init__(
        self,
        architecture: str,
        pooling: str,
        regional: bool = False,
        local_whitening: bool = False,
        whitening: bool = False,
    ) -> None:
        super().__init__()
        made = models.get_model(architecture, weights=None)
        if architecture.startswith("resnet"):
            layers = list(made.children())[:-2]
        else:
            layers = list(made.features.children())
            if architecture.startswith(("alexnet", "vgg")):
                layers.pop()
            if architecture.startswith("densenet"):
                layers.append(nn.ReLU())
        self.features = nn.Sequential(*layers)
        dim = self.features.eval()(torch.zeros(1, 3, 64, 64)).shape[1]
        self.lwhiten = nn.Linear(dim, dim) if local_whitening else None
        pool = Pool(pooling, dim)
        self.pool = RegionalPool(pool, dim) if regional else pool
        self.whiten = nn.Linear(dim, dim) if whitening else None
        self.meta: dict[str, Any] = {
            "architecture": architecture,
            "local_whitening": local_whitening,
            "pooling": pooling,
            "regional": regional,
            "whitening": whitening,
            "mean": MEAN,
            "std": STD,
            "outputdim": dim,
        }

    def forward(self, x: Tensor) -> Tensor:
        maps = self.features(x)
        if self.lwhiten is not None:
            batch, _, height, width = maps.shape
            flat = self.lwhiten(maps.permute(0, 2, 3, 1).reshape(-1, maps.shape[1]))
            maps = flat.reshape(batch, height, width, -1).permute(0, 3, 1, 2)
        described = l2n(self.pool(maps)).flatten(1)
        if self.whiten is not None:
            described = l2n(self.whiten(described))
        return described.T


def reference_net(architecture: str, pooling: str, **parts: bool) -> ReferenceNet:
    """With random weights, p's that differ and batch statistics that are not those of a new network."""
    return copy.deepcopy(_made(architecture, pooling, **parts))


@cache
def _made(architecture: str, pooling: str, **parts: bool) -> ReferenceNet:
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        net = ReferenceNet(architecture, pooling, **parts)
        with torch.no_grad():
            for name, value in net.named_parameters():
                if name.endswith(".p"):
                    value += torch.rand_like(value) - 0.3
            for name, value in net.named_buffers():
                if name.endswith("running_mean"):
                    value += 0.1 * torch.randn_like(value)
                elif name.endswith("running_var"):
                    value *= 0.5 + torch.rand_like(value)
    return net.eval()


def random_whitening(dim: int, seed: int) -> dict[str, np.ndarray]:
    """m as a column and P, which lies in memory column by column, as a product of two matrices may."""
    rng = np.random.default_rng(seed)
    mean = 0.1 * rng.normal(size=(dim, 1))
    return {"m": mean, "P": np.asfortranarray(rng.normal(size=(dim, dim)))}


def whitened(columns: np.ndarray, whitening: dict[str, np.ndarray]) -> np.ndarray:
    """Columns (D, N) to whitened columns."""
    turned = whitening["P"] @ (columns - whitening["m"])
    return turned / (np.linalg.norm(turned, axis=0, keepdims=True) + 1e-6)


class _OldNumpyPickler(pickle._Pickler):  # type: ignore[name-defined,misc]
    """Writes the names that NumPy 1 had for the makers of arrays."""

    def save_global(self, obj: Any, name: str | None = None) -> None:
        if getattr(obj, "__module__", "") == "numpy._core.multiarray":
            self.write(b"cnumpy.core.multiarray\n" + obj.__name__.encode() + b"\n")
            self.memoize(obj)
        else:
            super().save_global(obj, name)


OLD_NUMPY = SimpleNamespace(Pickler=_OldNumpyPickler, dump=pickle.dump, __name__="pickle")


def write(content: object, path: Path, zipped: bool = True, old_numpy: bool = True) -> Path:
    """As torch saved since 1.6 (a zip archive) or before (a row of pickles and bytes)."""
    module = OLD_NUMPY if old_numpy else pickle
    torch.save(content, path, pickle_module=module, _use_new_zipfile_serialization=zipped)
    return path


def released(net: ReferenceNet, whitenings: dict[str, Any] | None = None) -> dict[str, Any]:
    """What a released file holds."""
    meta = dict(net.meta) if whitenings is None else {**net.meta, "Lw": whitenings}
    return {"meta": meta, "state_dict": net.state_dict()}


def trained(net: ReferenceNet) -> dict[str, Any]:
    """What its training writes after each epoch."""
    optimizer = torch.optim.Adam(net.parameters(), lr=1e-6)
    for value in net.parameters():
        value.grad = torch.zeros_like(value)
    optimizer.step()
    return {
        "epoch": 7,
        "meta": net.meta,
        "state_dict": net.state_dict(),
        "min_loss": np.float64(0.25),
        "optimizer": optimizer.state_dict(),
    }
