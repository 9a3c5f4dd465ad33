"""Search an index for pictures like the given ones.

Prints the most similar pictures and their cosines, and draws them side by side with --picture. A cosine is no
probability: what is a high one depends on the network and the pictures.

  python -m gem_lite query photos.index church.jpg --top 5
  python -m gem_lite query photos.index church.jpg --box 40 30 400 380 --picture answers.jpg
"""

import argparse
import json
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from gem_lite import streaming
from gem_lite.cli import options
from gem_lite.cli.answers import draw
from gem_lite.cli.extract import NAMES
from gem_lite.cli.index import APPROXIMATE, SETTINGS, WHITENING
from gem_lite.extract import extract
from gem_lite.extraction import network_hash
from gem_lite.shards import Shards
from gem_lite.whitening import LearnedWhitening


def add_arguments(command: argparse.ArgumentParser) -> None:
    """Options of this command."""
    command.add_argument("index", type=Path, help="what `index` made")
    command.add_argument("pictures", type=Path, nargs="+", help="to ask with")
    command.add_argument("--top", type=int, default=10, metavar="K", help="answers to each (10)")
    command.add_argument(
        "--box",
        type=float,
        nargs=4,
        metavar=("X1", "Y1", "X2", "Y2"),
        help="the part of the picture to ask with, in its pixels; of a single picture",
    )
    options.add_expansion(command)
    command.add_argument("--picture", type=Path, metavar="FILE", help="draw queries and answers there")
    command.add_argument("--json", action="store_true", help="print JSON")
    command.add_argument(
        "--exact", action="store_true", help="search exactly, also where the index is FAISS's"
    )
    command.add_argument(
        "--network", metavar="FILE", help="where the network's file lies now, if it was moved"
    )
    command.add_argument("--device", help="cpu, cuda or cuda:1; by default a GPU where there is one")
    command.add_argument("--quiet", action="store_true", help=argparse.SUPPRESS)


def run(chosen: argparse.Namespace) -> None:
    """Describes the queries as the index was described, searches, and shows."""
    if not (chosen.index / SETTINGS).is_file():
        raise ValueError(f"{chosen.index} is no index, or one that was not finished: run `index` (again)")
    if chosen.top < 1:
        raise ValueError(f"--top must be at least 1, not {chosen.top}")
    if chosen.box and len(chosen.pictures) > 1:
        raise ValueError("--box goes with one picture: it is in the pixels of that one")
    settings = json.loads((chosen.index / SETTINGS).read_text(encoding="utf8"))
    names = json.loads((chosen.index / NAMES).read_text(encoding="utf8"))
    queries = describe(chosen, settings)
    database = Shards(chosen.index / settings["ready"])
    if chosen.expansion:
        n, alpha = chosen.expansion
        queries = streaming.expand_queries(queries, database, n, alpha)
    rows, scores = search(chosen, settings, queries, database)
    found = [
        {
            "query": str(picture),
            "answers": [
                [names[row], round(float(score), 4)] for row, score in zip(r, s, strict=True) if row >= 0
            ],
        }
        for picture, r, s in zip(chosen.pictures, rows, scores, strict=True)
    ]
    if chosen.json:
        print(json.dumps(found, indent=1))
    else:
        for each in found:
            print(each["query"])
            print("\n".join(f"  {score:6.3f}  {name}" for name, score in each["answers"]))
    if chosen.picture:
        folder = Path(settings["folder"])
        folder = folder if folder.is_dir() else folder.parent
        draw(chosen.picture, found, folder, chosen.box)


def describe(chosen: argparse.Namespace, settings: dict[str, Any]) -> npt.NDArray[np.float32]:
    """The queries' descriptors, made as the index was.

    Raises:
        ValueError: if the network is another one by now.
        ImageError: if a picture cannot be read.
    """
    how = argparse.Namespace(
        network=chosen.network or settings["network"],
        weights=settings["weights"],
        pooling=settings["pooling"],
        p=settings["p"],
        device=chosen.device,
    )
    net = options.network(how)
    if network_hash(net) != settings["network_hash"]:
        raise ValueError(
            f"{how.network} is not the network that made {chosen.index}: descriptors of two networks cannot "
            "be compared. Give that one by --network, or index the pictures again"
        )
    queries = extract(
        net,
        chosen.pictures,
        settings["size"],
        tuple(settings["scales"]),
        boxes=[chosen.box] if chosen.box else None,
        enlarge=settings["enlarge"],
        resample=settings["resample"],
        progress=False,
    )
    if not settings["whitened"]:
        return queries
    with np.load(chosen.index / WHITENING, allow_pickle=False) as file:
        whitening = LearnedWhitening()
        whitening.mean_, whitening.components_ = file["mean"], file["components"]
        whitening.n_features_in_ = len(whitening.mean_)
    return whitening.transform(queries)


def search(
    chosen: argparse.Namespace,
    settings: dict[str, Any],
    queries: npt.NDArray[np.float32],
    database: Shards,
) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.floating[Any]]]:
    """Rows and cosines of the best answers; those of an approximate index are scored exactly."""
    k = min(chosen.top, len(database))
    if settings["kind"] == "exact" or chosen.exact:
        return streaming.rank(queries, database, k)
    from gem_lite import index

    candidates, _ = index.load(chosen.index / APPROXIMATE).rank(queries, min(10 * k, len(database)))
    return index.rerank(queries, database, candidates, k)
