"""Options that several commands share, and what they stand for."""

import argparse
from dataclasses import dataclass
from pathlib import Path

import torch

from gem_lite.checkpoints import open_network
from gem_lite.datasets import released_network
from gem_lite.datasets.sources import networks
from gem_lite.images import RESAMPLING
from gem_lite.network import RetrievalNet, build_network, known_architectures

SCALE_SETS = {"single": (1.0,), "multi": (1.0, 2**-0.5, 0.5)}


@dataclass(frozen=True)
class Extraction:
    """How pictures are described; the settings of `gem_lite.extract.extract`."""

    size: float | None
    scales: tuple[float, ...]
    enlarge: bool
    resample: str

    def __str__(self) -> str:
        side = "each picture's own size" if self.size is None else f"longer side at most {self.size:g} pixels"
        larger = "smaller ones enlarged" if self.enlarge else "smaller ones left as they are"
        return side if self.size is None else f"{side} ({self.resample}), {larger}"


def add_network(command: argparse.ArgumentParser, required: bool = True) -> None:
    """--network and what belongs to it."""
    group = command.add_argument_group("network")
    group.add_argument(
        "--network",
        required=required,
        metavar="FILE|NAME",
        help="a network's file: one that `train` wrote, or one of the paper's authors (.pth); or the name of "
        "one that they released, such as retrievalSfM120k-resnet101-gem, which is downloaded; or of a "
        "torchvision architecture, such as resnet50, vgg16, squeezenet1_0",
    )
    group.add_argument(
        "--weights",
        metavar="FILE",
        default="imagenet",
        help="of an architecture: a file of torchvision's, or imagenet, which downloads them (the default)",
    )
    group.add_argument(
        "--pooling", choices=("gem", "mac", "spoc", "rmac"), default="gem", help="of an architecture"
    )
    group.add_argument("--p", type=float, default=3.0, help="GeM's exponent, of an architecture (3)")
    group.add_argument("--device", help="cpu, cuda or cuda:1; by default a GPU where there is one")


def network(chosen: argparse.Namespace) -> RetrievalNet:
    """The network that --network stands for.

    Raises:
        ValueError: if it is neither a file nor an architecture, or the file is no network.
        DownloadError: if it is a released one that cannot be had.
    """
    released = networks()
    if chosen.network in released:
        net = open_network(released_network(chosen.network))
    elif Path(chosen.network).expanduser().is_file():
        net = open_network(Path(chosen.network).expanduser())
    elif chosen.network in known_architectures() and chosen.network != "compact":
        given = chosen.weights if chosen.weights == "imagenet" else Path(chosen.weights).expanduser()
        net = build_network(chosen.network, chosen.pooling, given, p=chosen.p)
    else:
        raise ValueError(
            f"--network {chosen.network} is neither a file nor an architecture. Released networks are "
            f"{', '.join(released)}; architectures "
            f"{', '.join(name for name in known_architectures() if name != 'compact')}"
        )
    return net.to(device(chosen))


def device(chosen: argparse.Namespace) -> torch.device:
    """--device, or a GPU where there is one."""
    return torch.device(chosen.device or ("cuda" if torch.cuda.is_available() else "cpu"))


def add_extraction(command: argparse.ArgumentParser) -> None:
    """--size, --scales and the like."""
    group = command.add_argument_group("how pictures are described")
    group.add_argument("--size", type=float, default=1024, help="longer side, in pixels (1024); 0: as is")
    group.add_argument(
        "--scales",
        type=scales,
        default=SCALE_SETS["single"],
        metavar="LIST",
        help="factors of that size, as 1,0.7071,0.5; multi stands for these three, single (default) for 1",
    )
    group.add_argument("--enlarge", action="store_true", help="enlarge smaller pictures; the paper does not")
    group.add_argument("--resample", choices=RESAMPLING, default="lanczos", help="filter (lanczos)")
    group.add_argument("--quiet", action="store_true", help="no progress bars")


def extraction(chosen: argparse.Namespace) -> Extraction:
    """The options of `add_extraction`."""
    return Extraction(chosen.size or None, chosen.scales, chosen.enlarge, chosen.resample)


def scales(text: str) -> tuple[float, ...]:
    """
    >>> scales("multi"), scales("1, 1.4142")
    ((1.0, 0.7071067811865476, 0.5), (1.0, 1.4142))
    """
    if text in SCALE_SETS:
        return SCALE_SETS[text]
    try:
        found = tuple(float(part) for part in text.split(","))
    except ValueError:
        found = ()
    if not found or not all(scale > 0 for scale in found):
        raise argparse.ArgumentTypeError(f"{text!r} is no list of positive numbers, nor single, nor multi")
    return found


def add_whitening(command: argparse.ArgumentParser) -> None:
    """--whitening and --dimensions."""
    group = command.add_argument_group("whitening")
    group.add_argument(
        "--whitening",
        default="none",
        metavar="WHAT",
        help="none (the default); stored: the one in the network's file; lw:SET learns one from matching "
        "pairs, of retrieval-SfM-120k, of a file of pairs (.pkl, its pictures in ims/ beside it), or of a "
        "folder with one object in each subfolder; pca:FOLDER learns one from any pictures. Never learn it "
        "from those that are searched",
    )
    group.add_argument("--dimensions", type=int, help="keep so many of the whitened numbers")


def expansion(text: str) -> tuple[int, float] | None:
    """
    >>> expansion("50:3"), expansion("none")
    ((50, 3.0), None)
    """
    if text == "none":
        return None
    try:
        n, alpha = text.split(":")
        found = int(n), float(alpha)
    except ValueError:
        found = (0, -1.0)
    if found[0] < 1 or found[1] < 0:
        raise argparse.ArgumentTypeError(f"{text!r} is not N:ALPHA, such as 50:3, nor none")
    return found


def add_expansion(command: argparse.ArgumentParser) -> None:
    """--expansion."""
    command.add_argument(
        "--expansion",
        type=expansion,
        metavar="N:ALPHA",
        help="α-weighted query expansion by the first N answers, 50:3 in the paper; α = 0: all alike",
    )
