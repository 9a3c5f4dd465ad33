"""The paper's training sets, retrieval-SfM-120k and -30k, and whatever else has their form.

A set is a file of pairs and a folder of pictures. The file has, for train and for val: `cids` (a name for
each image), `cluster` (the 3D model it belongs to) and, row by row, `qidxs` and `pidxs` (a query and its
match). The picture of a name lies at ``ims/`` and the last three pairs of its digits. A second, flat file has
pairs for whitening.
"""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from gem_lite import safe_pickle
from gem_lite.datasets.fetch import existing, fetched, image_folder
from gem_lite.datasets.names import leads_out
from gem_lite.datasets.pairs import GivenPairs, IntArray, given_pairs
from gem_lite.datasets.sources import UnknownSourceError, source


@dataclass(frozen=True)
class PairedImages:
    """Images and which of them match.

    Args:
        images: N paths.
        clusters: (N,) the 3D model of each; None in sets for whitening, which do not say.
        queries, positives: (M,) rows of matching images.
    """

    images: list[Path]
    clusters: IntArray | None
    queries: IntArray
    positives: IntArray

    @property
    def covisibility(self) -> GivenPairs:
        """What `gem_lite.train.TrainingData` takes."""
        if self.clusters is None:
            raise ValueError("a set for whitening does not name clusters, so it cannot be trained on")
        return given_pairs(self.clusters, self.queries, self.positives)


def load_sfm(
    name: str = "retrieval-SfM-120k",
    split: str = "train",
    *,
    fetch: bool = True,
    progress: bool = True,
    table: str | Path | None = None,
) -> PairedImages:
    """A training set by name, downloaded if need be.

    Args:
        name: of a table in ``sources.toml`` or in your own, with pairs.
        split: "train", "val", or "whiten" for the images and pairs that whitening is learned from.
        fetch, progress, table: as in `gem_lite.datasets.load_benchmark`.

    Raises:
        UnknownSourceError: for an unknown set or split.
        MissingDataError: if pictures are missing.
        DownloadError, ArchiveError: if the files cannot be had.
        ValueError: for a damaged file of pairs, or a hostile one, of which nothing has run then.

    Source: the paper's section on training data. Chapter: 05_mining.
    """
    chosen = source(name, table)
    if split not in ("train", "val", "whiten"):
        raise UnknownSourceError(f"unknown split {split!r} of {name}; known: train, val, whiten")
    address, place = (
        (chosen.whiten, chosen.whiten_file) if split == "whiten" else (chosen.pairs, chosen.pairs_file)
    )
    if not address:
        known = [split for split, has in (("train, val", chosen.pairs), ("whiten", chosen.whiten)) if has]
        raise UnknownSourceError(f"{name} has no split {split!r}, only {', '.join(known) or 'pictures'}")
    pairs = fetched(address, place, chosen, fetch, progress)
    of_images = source(chosen.images_of, table) if chosen.images_of else chosen
    return paired_images(pairs, image_folder(of_images, fetch, progress), split, name)


def paired_images(pairs: Path, folder: Path, split: str = "train", name: str = "") -> PairedImages:
    """The same from a file of pairs and a folder of pictures, as Toytown's export writes them, or you.

    Args:
        pairs: a pickle in the form described above.
        folder: that has the pictures in folders named by the end of their names.
        split: as in `load_sfm`.
        name: for the messages.
    """
    content = safe_pickle.loads(pairs.read_bytes(), str(pairs))
    if split != "whiten":
        content = content.get(split) if isinstance(content, dict) else None
    try:
        found = _checked(content, clusters=split != "whiten")
    except ValueError as error:
        raise ValueError(f"{pairs}, {split}: {error}") from error
    images = existing((cid_path(folder, each) for each in found["cids"]), name or str(folder))
    clusters = None if split == "whiten" else np.array(found["cluster"], dtype=np.int64)
    q, p = (np.array(found[each], dtype=np.int64) for each in ("qidxs", "pidxs"))
    return PairedImages(images, clusters, q, p)


def cid_path(folder: Path, cid: str) -> Path:
    """Where the picture of a name lies.

    >>> cid_path(Path("ims"), "00112233445566778899aabbccddeeff").as_posix()
    'ims/ff/ee/dd/00112233445566778899aabbccddeeff'
    """
    return folder / cid[-2:] / cid[-4:-2] / cid[-6:-4] / cid


def _checked(content: Any, clusters: bool) -> dict[str, list[Any]]:
    names = ("cids", "qidxs", "pidxs", *(("cluster",) if clusters else ()))
    if not isinstance(content, dict) or not all(isinstance(content.get(each), list) for each in names):
        raise ValueError(f"a set of pairs must be a mapping with the lists {', '.join(names)}")
    for cid in content["cids"]:
        if not isinstance(cid, str) or len(cid) < 6 or leads_out(cid) or "/" in cid or "\\" in cid:
            raise ValueError(f"{cid!r} is no name of a picture, such as 32 hexadecimal digits")
    count = len(content["cids"])
    if clusters and len(content["cluster"]) != count:
        raise ValueError(f"there are {count} pictures, and {len(content['cluster'])} clusters of pictures")
    if len(content["qidxs"]) != len(content["pidxs"]):
        raise ValueError(f"there are {len(content['qidxs'])} queries and {len(content['pidxs'])} positives")
    for each in ("qidxs", "pidxs"):
        if not all(type(row) is int and 0 <= row < count for row in content[each]):
            raise ValueError(f"{each} holds something that is no index into the {count} pictures")
    if clusters and not all(type(number) is int for number in content["cluster"]):
        raise ValueError("cluster holds something that is no number")
    return content
