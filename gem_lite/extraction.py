"""Extraction into a folder of shards (`gem_lite.shards`), which a killed process goes on with."""

import contextlib
import hashlib
import json
import os
import warnings
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import torch
from filelock import FileLock
from torch import nn
from tqdm.auto import tqdm

from gem_lite.batches import ErrorHandler
from gem_lite.cache import written_atomically
from gem_lite.extract import extract
from gem_lite.images import Box, ImageError, ImageLike, UInt8Array
from gem_lite.network import RetrievalNet
from gem_lite.processes import failing_together, rank_and_count
from gem_lite.shards import MANIFEST, Shards, is_whole, shard_files

ROWS = 512  # of a shard: 4 MiB for 2048 numbers, and what an interruption costs at most
WITHOUT_EFFECT = ("device", "workers", "batch_size")  # settings of `extract` that change no descriptor


def extract_to_shards(
    net: RetrievalNet,
    images: Sequence[ImageLike] | UInt8Array,
    folder: str | Path,
    size: float | None = 1024,
    boxes: Sequence[Box | None] | None = None,
    *,
    rows: int = ROWS,
    progress: bool = True,
    on_error: str | ErrorHandler = "raise",
    **settings: Any,
) -> Shards:
    """`gem_lite.extract.extract` into a folder; run again after an interruption, it goes on.

    Under ``torchrun`` every process describes its own shards. The folder remembers the network's weights, the
    settings, and the images by file name and length, and is refused for any others.

    Args:
        net, images, size, boxes, on_error, settings: as `extract` takes them. With "skip", a picture that
            cannot be read leaves a row of NaN in the folder.
        folder: made if there is none.
        rows: of a shard.
        progress: whether a bar is shown.

    Returns:
        (N, D) float32 descriptors, on disk.

    Raises:
        ImageError: naming the first picture that cannot be read; shards before it are kept.
        ValueError: for arguments that do not fit, or a folder of other descriptors.

    Chapter: 13_going_large.
    """
    unreadable: dict[int, ImageError] = {}

    def note(row: int, error: ImageError) -> None:
        unreadable[row] = error
        if callable(on_error):
            on_error(row, error)

    def make(start: int, stop: int) -> npt.NDArray[np.float32]:
        part = slice(start, stop)
        try:
            return extract(
                net,
                images[part],
                size,
                boxes=None if boxes is None else boxes[part],
                progress=False,
                on_error="raise" if on_error == "raise" else lambda row, error: note(start + row, error),
                **settings,
            )
        except ImageError as error:
            if on_error == "raise":
                raise ImageError(f"of images {start} to {stop - 1}: {error}") from error
            return np.full((stop - start, net.dim), np.nan, dtype=np.float32)  # none could be read

    made_from = {
        "network": network_hash(net),
        "images": images_hash(images),
        "boxes": None if boxes is None else _boxes_hash(boxes),
        "size": size,
        **{name: value for name, value in settings.items() if name not in WITHOUT_EFFECT},
    }
    shards = fill_shards(folder, len(images), make, made_from, rows, progress, "extraction")
    if unreadable and on_error == "skip":
        lines = "\n".join(f"  row {row}: {error}" for row, error in unreadable.items())
        warnings.warn(
            f"{len(unreadable)} images could not be read, their rows are NaN:\n{lines}", stacklevel=2
        )
    return shards


def fill_shards(
    folder: str | Path,
    count: int,
    make: Callable[[int, int], npt.NDArray[Any]],
    made_from: Mapping[str, Any],
    rows: int = ROWS,
    progress: bool = True,
    title: str = "descriptors",
) -> Shards:
    """Writes the shards that a folder lacks; those that are there are kept.

    Under ``torchrun`` every process makes its own part of the shards (see `gem_lite.processes`). Two runs
    on one folder take turns: the second finds everything done.

    Args:
        folder: made if there is none.
        count: rows in all, N.
        make: gives the rows (stop - start, D) from start to stop.
        made_from: what decides the rows, as JSON, one entry for each thing a message may name: the network,
            the settings, the images. It is written into the folder; with anything else the folder is refused.
        rows: of a shard.
        progress: whether a bar is shown.
        title: of the bar.

    Returns:
        All of them, ready to be read.

    Raises:
        ValueError: if the folder holds descriptors of something else, or `make` gives the wrong rows.
    """
    folder = Path(folder)
    if count < 1 or rows < 1:
        raise ValueError(f"there must be at least one row, and one in a shard, not {count} and {rows}")
    manifest = {"count": count, "rows_per_shard": rows, "made_from": dict(made_from)}
    manifest = json.loads(json.dumps(manifest))  # as it will be read back: tuples become lists
    folder.mkdir(parents=True, exist_ok=True)
    rank, processes = rank_and_count()
    # Of the processes of one run the first holds the lock for all.
    with FileLock(folder / ".lock") if rank == 0 else contextlib.nullcontext():
        with failing_together(f"claiming {folder}"):
            if rank == 0:
                _claim(folder, manifest)
        with failing_together(f"writing {folder}"):
            missing = [file for file in shard_files(folder, manifest)[rank::processes] if not is_whole(file)]
            _fill(missing, manifest, make, progress and rank == 0, title)
    return Shards(folder)


def network_hash(net: nn.Module) -> str:
    """Hash of a network's layers, settings and weights, wherever it lies."""
    digest = hashlib.sha256(repr(net).encode())
    for name, tensor in net.state_dict().items():
        digest.update(f"{name} {tensor.dtype} {tuple(tensor.shape)}".encode())
        digest.update(tensor.detach().cpu().contiguous().flatten().view(torch.uint8).numpy().tobytes())
    return digest.hexdigest()[:16]


def images_hash(images: Sequence[ImageLike] | UInt8Array) -> str:
    """Hash of which images these are: of files the names and lengths, of others the pixels."""
    digest = hashlib.sha256()
    for image in images:
        if isinstance(image, str | os.PathLike):
            file = Path(image)
            length = file.stat().st_size if file.exists() else None
            digest.update(f"{file.name} {length}\n".encode())
        else:
            pixels = np.asarray(image)
            digest.update(f"{pixels.shape} {pixels.dtype}\n".encode() + pixels.tobytes())
    return digest.hexdigest()[:16]


def _boxes_hash(boxes: Sequence[Box | None]) -> str:
    text = json.dumps([None if box is None else [float(corner) for corner in box] for box in boxes])
    return hashlib.sha256(text.encode()).hexdigest()[:16]


def _claim(folder: Path, manifest: dict[str, Any]) -> None:
    """Writes what the folder is for, or makes sure that it is for the same."""
    file = folder / MANIFEST
    if not file.exists():
        if any(folder.glob("[0-9]*.npy")):
            raise ValueError(f"{folder} holds shards but no {MANIFEST}: of what is unknown, delete them")
        with written_atomically(file) as temporary:
            temporary.write_text(json.dumps(manifest, indent=2), encoding="utf8")
    for left_by_a_killed_run in folder.glob(".*.part*"):
        left_by_a_killed_run.unlink()
    found = json.loads(file.read_text(encoding="utf8"))
    theirs, ours = ({**each, **each.get("made_from", {})} for each in (found, manifest))
    differing = [name for name in {**theirs, **ours} if theirs.get(name) != ours.get(name)]
    differing = [name for name in differing if name != "made_from"]
    if differing:
        name = differing[0]
        raise ValueError(
            f"{folder} holds descriptors of another {', another '.join(differing)}: {name} was "
            f"{_short(theirs.get(name))} and is now {_short(ours.get(name))}. Give another folder, or delete "
            "this one"
        )


def _fill(
    missing: list[Path],
    manifest: Mapping[str, Any],
    make: Callable[[int, int], npt.NDArray[Any]],
    progress: bool,
    title: str,
) -> None:
    count, rows = manifest["count"], manifest["rows_per_shard"]
    silent = {} if progress else {"disable": True}
    with tqdm(total=count, unit="row", desc=title, **silent) as bar:
        bar.update(count - min(count, rows * len(missing)))
        for file in missing:
            start = int(file.stem) * rows
            stop = min(start + rows, count)
            made = make(start, stop)
            if made.ndim != 2 or len(made) != stop - start:
                raise ValueError(f"rows {start} to {stop} were asked for, their shape is {made.shape}")
            with written_atomically(file) as temporary:
                np.save(temporary, np.ascontiguousarray(made, dtype=np.float32))
            bar.update(stop - start)


def _short(value: Any) -> str:
    text = json.dumps(value)
    return text if len(text) <= 60 else text[:57] + "..."
