"""Descriptors of pictures in folders of shards, and whitening: what several commands do first."""

import contextlib
import hashlib
import json
import warnings
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from gem_lite.cache import written_atomically
from gem_lite.checkpoints import StoredNet
from gem_lite.cli.options import SCALE_SETS, Extraction
from gem_lite.datasets import load_sfm, sources
from gem_lite.datasets.collection import class_names
from gem_lite.datasets.names import folder_images
from gem_lite.datasets.pairs import pairs_of_classes
from gem_lite.datasets.sfm import paired_images
from gem_lite.datasets.sources import data_dir
from gem_lite.extraction import extract_to_shards, fill_shards, images_hash, network_hash
from gem_lite.images import Box
from gem_lite.network import RetrievalNet
from gem_lite.shards import Shards
from gem_lite.whitening import LearnedWhitening, PCAWhitening

Whitening = LearnedWhitening | PCAWhitening


@contextlib.contextmanager
def plain_warnings() -> Iterator[None]:
    """Warnings as one paragraph each: whoever sits at a terminal wants no line of source."""
    before = warnings.formatwarning
    warnings.formatwarning = lambda message, *_, **__: f"note: {message}\n"
    try:
        yield
    finally:
        warnings.formatwarning = before


def described(
    net: RetrievalNet,
    images: Sequence[Path],
    folder: Path,
    how: Extraction,
    boxes: Sequence[Box | None] | None = None,
    quiet: bool = False,
) -> Shards:
    """Descriptors in a folder where an interrupted run goes on; unreadable pictures are rows of NaN."""
    settings: dict[str, Any] = {"scales": how.scales, "enlarge": how.enlarge, "resample": how.resample}
    with plain_warnings():
        return extract_to_shards(
            net, images, folder, how.size, boxes, on_error="skip", progress=not quiet, **settings
        )


def unreadable_rows(descriptors: Shards) -> npt.NDArray[np.int64]:
    """Rows of the pictures that could not be read."""
    blocks = range(0, len(descriptors), descriptors.rows)
    bad = [np.isnan(descriptors[start : start + descriptors.rows, 0]) for start in blocks]
    return np.flatnonzero(np.concatenate(bad))


def finished(raw: Shards, whitening: Whitening | None, folder: Path, quiet: bool = False) -> Shards:
    """Descriptors ready to be searched: whitened, and zero, which is similar to nothing, where unreadable."""
    if whitening is None and not len(unreadable_rows(raw)):
        return raw

    def make(start: int, stop: int) -> npt.NDArray[np.float32]:
        rows = np.asarray(raw[start:stop])
        lost = np.isnan(rows[:, 0])
        rows = np.nan_to_num(rows)
        whitened = rows if whitening is None else whitening.transform(rows)
        return np.where(lost[:, None], np.float32(0), whitened.astype(np.float32))

    made_from = {**raw.made_from, "whitening": whitening and whitening_hash(whitening)}
    return fill_shards(folder, len(raw), make, made_from, progress=not quiet, title="whitening")


def whitening_hash(whitening: Whitening) -> str:
    """Of its numbers."""
    parts = (
        np.ascontiguousarray(each, dtype=np.float64) for each in (whitening.mean_, whitening.components_)
    )
    return hashlib.sha256(b"".join(part.tobytes() for part in parts)).hexdigest()[:16]


def work_folder(name: str, net: RetrievalNet, how: Extraction, images: Sequence[Path]) -> Path:
    """Where the descriptors of these pictures by a network, in these settings, are kept."""
    key = json.dumps([network_hash(net), str(how), how.scales, images_hash(images)]).encode()
    safe = "".join(letter if letter.isalnum() or letter in "+-_." else "_" for letter in name)
    return data_dir() / "descriptors" / f"{safe}-{hashlib.sha256(key).hexdigest()[:12]}"


def whitening_of(
    wanted: str, net: RetrievalNet, how: Extraction, dimensions: int | None, quiet: bool = False
) -> tuple[Whitening | None, str]:
    """The whitening that --whitening stands for, and what to call it.

    Raises:
        ValueError: for an unknown kind, or one that the network or the set does not have.
    """
    kind, _, where = wanted.partition(":")
    if kind == "none":
        if dimensions is not None:
            raise ValueError("--dimensions needs a --whitening: without one no direction matters more")
        return None, "none"
    if kind == "stored":
        return _stored(net, where, how, dimensions)
    if kind not in ("lw", "pca") or not where:
        raise ValueError(f"unknown --whitening {wanted!r}: none, stored, lw:SET or pca:FOLDER")
    images, pairs = _to_learn_from(where, quiet) if kind == "lw" else (_pictures(Path(where)), None)
    folder = work_folder(f"whitening-{Path(where).name}", net, how, images)
    raw = described(net, images, folder, how, quiet=quiet)
    rows, readable = np.asarray(raw), np.ones(len(raw), dtype=bool)
    readable[unreadable_rows(raw)] = False
    if pairs is None:
        fitted: Whitening = PCAWhitening(dimensions).fit(rows[readable])
        return fitted, f"PCA, learned on {int(readable.sum())} pictures of {where}, {_kept(fitted)}"
    q, p = (side[readable[pairs[0]] & readable[pairs[1]]] for side in pairs)
    place = np.cumsum(readable) - 1
    with plain_warnings():
        fitted = LearnedWhitening(dimensions).fit(rows[readable], pairs=(place[q], place[p]))
    return fitted, f"learned on {len(q)} pairs of {int(readable.sum())} pictures of {where}, {_kept(fitted)}"


def _kept(whitening: Whitening) -> str:
    return f"{len(whitening.components_)} of {whitening.components_.shape[1]} dimensions"


def _stored(net: RetrievalNet, name: str, how: Extraction, dimensions: int | None) -> tuple[Whitening, str]:
    known: dict[str, dict[str, Any]] = net.whitenings if isinstance(net, StoredNet) else {}
    if not known:
        raise ValueError("the network's file has no stored whitening: --whitening none, lw:SET or pca:FOLDER")
    name = name or ("retrieval-SfM-120k" if "retrieval-SfM-120k" in known else next(iter(known)))
    form = "ss" if len(how.scales) == 1 else "ms"
    if form not in known.get(name, {}):
        has = ", ".join(f"{each} ({', '.join(forms)})" for each, forms in known.items())
        raise ValueError(f"the network's file has no whitening {name} ({form}); it has {has}")
    if form == "ms" and how.scales != SCALE_SETS["multi"]:
        warnings.warn(
            "the stored whitening for several scales was learned for 1, 0.7071 and 0.5", stacklevel=2
        )
    whitening = known[name][form]
    if dimensions is not None:
        if not 1 <= dimensions <= len(whitening.components_):
            raise ValueError(f"--dimensions must be between 1 and {len(whitening.components_)}")
        whitening.components_ = whitening.components_[:dimensions]
    return whitening, f"stored in the network's file, learned on {name} ({form}), {_kept(whitening)}"


def _pictures(folder: Path) -> list[Path]:
    return [folder / name for name in folder_images(folder)]


def _to_learn_from(
    where: str, quiet: bool
) -> tuple[list[Path], tuple[npt.NDArray[np.int64], npt.NDArray[np.int64]]]:
    path = Path(where).expanduser()
    if path.is_dir():
        names = folder_images(path)
        known = pairs_of_classes(np.unique(class_names(names), return_inverse=True)[1], most=20)
        return [path / name for name in names], known.pairs()
    if path.is_file():
        split = "whiten" if path.stem.endswith("-whiten") else "train"
        found = paired_images(path, path.parent / "ims", split)
    elif where in sources():
        found = load_sfm(where, "whiten", progress=not quiet)
    else:
        raise ValueError(
            f"{where} is neither a folder, nor a file of pairs, nor a set such as retrieval-SfM-120k"
        )
    return found.images, (found.queries, found.positives)


def write_json(path: Path, content: Any) -> None:
    """Whole or not at all."""
    with written_atomically(path) as temporary:
        temporary.write_text(json.dumps(content, indent=1), encoding="utf8")
