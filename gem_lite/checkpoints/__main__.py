"""``python -m gem_lite.checkpoints``: says what a file holds, and converts it to this package's format."""

import argparse
from collections.abc import Sequence
from pathlib import Path

from torch import nn

from gem_lite.checkpoints.cirtorch import load_cirtorch_features
from gem_lite.checkpoints.files import open_network, save
from gem_lite.retrieval_net import RetrievalNet


def told(net: RetrievalNet) -> str:
    """What a network is, in a few lines."""
    whitenings = [
        f"{dataset} ({', '.join(by_scale)})" for dataset, by_scale in getattr(net, "whitenings", {}).items()
    ]
    lines = {
        "architecture": net.meta.get("architecture"),
        "local whitening": "yes" if hasattr(net.backbone, "lwhiten") else "no",
        "pooling": " ".join(str(net.pool).split()),
        "whitening": f"Linear, {net.whiten.in_features} to {net.whiten.out_features}"
        if isinstance(net.whiten, nn.Linear)
        else "no",
        "descriptor": f"{net.dim} numbers",
        "mean, std": "; ".join(
            ", ".join(f"{value:.3f}" for value in tensor.flatten()) for tensor in (net.mean, net.std)
        ),
        "stored whitenings": ", ".join(whitenings) or "none",
        "SHA-256": net.meta.get("sha256", "not known"),
    }
    return "\n".join(f"{name + ':':20}{value}" for name, value in lines.items())


def main(arguments: Sequence[str] | None = None) -> None:
    """Command line."""
    parser = argparse.ArgumentParser(
        prog="python -m gem_lite.checkpoints",
        description="Says what network a file holds; with OUT, also writes it as a safetensors file of "
        "gem_lite's, which loads without any unpickling. Nothing in the file is run.",
    )
    parser.add_argument(
        "file",
        type=Path,
        help="a network of cnnimageretrieval-pytorch (.pth, .pth.tar), or one of gem_lite's",
    )
    parser.add_argument("out", type=Path, nargs="?", help="file to write, for example resnet101.safetensors")
    parser.add_argument(
        "--features",
        metavar="POOLING",
        choices=("mac", "spoc", "gem", "rmac"),
        help="the file holds convolutions alone (imagenet-caffe-…-features-….pth): put this pooling on them",
    )
    parser.add_argument("--force", action="store_true", help="replace OUT if it exists")
    chosen = parser.parse_args(arguments)
    if chosen.out is not None and chosen.out.exists() and not chosen.force:
        parser.error(f"{chosen.out} exists already: give --force to replace it")
    try:
        if chosen.features:
            net: RetrievalNet = load_cirtorch_features(chosen.file, pooling=chosen.features)
        else:
            net = open_network(chosen.file)
        print(told(net))
        if chosen.out is not None:
            save(net, chosen.out)
            print(f"written:            {chosen.out} ({chosen.out.stat().st_size / 1e6:.1f} MB)")
    except (ValueError, OSError) as error:
        parser.exit(1, f"{error}\n")


if __name__ == "__main__":
    main()
