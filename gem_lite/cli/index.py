"""Make a folder of pictures searchable.

The index is a folder: descriptors, names, and how they were made, so that a query is described the same way.
What was interrupted goes on. Search is exact; for millions of pictures --kind builds an approximate FAISS
index, too.

  python -m gem_lite index photos/ --out photos.index --network resnet50
  python -m gem_lite query photos.index somewhere/else.jpg
"""

import argparse
from pathlib import Path

import numpy as np

from gem_lite.cache import written_atomically
from gem_lite.cli import options
from gem_lite.cli.descriptors import described, finished, unreadable_rows, whitening_of, write_json
from gem_lite.cli.extract import NAMES, pictures
from gem_lite.extraction import network_hash

SETTINGS, WHITENING, APPROXIMATE = "index.json", "whitening.npz", "approximate.faiss"
KINDS = ("exact", "flat", "ivfpq", "hnsw")


def add_arguments(command: argparse.ArgumentParser) -> None:
    """Options of this command."""
    command.add_argument("pictures", type=Path, help="a folder, or a text file with one path a line")
    command.add_argument("--out", type=Path, required=True, metavar="FOLDER", help="for the index")
    command.add_argument(
        "--kind",
        choices=KINDS,
        default="exact",
        help="exact search (the default), or a FAISS index beside it",
    )
    options.add_network(command)
    options.add_extraction(command)
    options.add_whitening(command)


def run(chosen: argparse.Namespace) -> None:
    """Describes, whitens, and notes how."""
    names, images = pictures(chosen.pictures)
    net, how = options.network(chosen), options.extraction(chosen)
    whitening, told = whitening_of(chosen.whitening, net, how, chosen.dimensions, chosen.quiet)
    raw = described(net, images, chosen.out / "described", how, quiet=chosen.quiet)
    ready = finished(raw, whitening, chosen.out / "ready", chosen.quiet)
    if whitening is not None:
        with written_atomically(chosen.out / WHITENING) as temporary, open(temporary, "wb") as file:
            np.savez(file, mean=whitening.mean_, components=whitening.components_)
    if chosen.kind != "exact":
        from gem_lite.index import build

        build(ready, chosen.kind).save(chosen.out / APPROXIMATE)
    write_json(chosen.out / NAMES, names)
    settings = {
        "folder": str(chosen.pictures.expanduser().resolve()),
        "network": str(chosen.network),
        "weights": str(chosen.weights),
        "pooling": chosen.pooling,
        "p": chosen.p,
        "network_hash": network_hash(net),
        "size": how.size,
        "scales": how.scales,
        "enlarge": how.enlarge,
        "resample": how.resample,
        "whitening": told,
        "whitened": whitening is not None,
        "ready": ready.folder.name,
        "kind": chosen.kind,
    }
    # Written last: an index without it was not finished.
    write_json(chosen.out / SETTINGS, settings)
    lost = len(unreadable_rows(raw))
    print(f"{len(ready)} pictures in {chosen.out}, {ready.shape[1]} numbers each; {lost} could not be read")
