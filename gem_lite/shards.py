"""Descriptors on disk in many small files, written as they come and read back as one array.

A million descriptors of 2048 numbers are 8 GB and days of work. Here they are kept as shards of a few
hundred rows: a shard is written whole or not at all, so that a killed extraction goes on where it was, and
is memory-mapped when it is read, so that nothing larger than what is asked for is ever in memory.
"""

import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, TypeGuard

import numpy as np
import numpy.typing as npt

MANIFEST = "manifest.json"


class Shards:
    """The rows (N, D) of a folder of shards; sliced and indexed by row as an array is.

    A slice within one shard is a view of the file, everything else a copy of the rows asked for:
    ``np.asarray(shards)`` reads all. A file is open only while its rows are in use.

    Args:
        folder: as `gem_lite.extraction` wrote it.

    Raises:
        FileNotFoundError: if it is no such folder.
        ValueError: if shards are missing or damaged, which it names.

    Chapter: 13_going_large.
    """

    def __init__(self, folder: str | Path) -> None:
        self.folder = Path(folder)
        if not (self.folder / MANIFEST).is_file():
            raise FileNotFoundError(f"{self.folder} holds no descriptors: there is no {MANIFEST} in it")
        self.manifest: dict[str, Any] = json.loads((self.folder / MANIFEST).read_text(encoding="utf8"))
        self.rows: int = self.manifest["rows_per_shard"]
        files = shard_files(self.folder, self.manifest)
        missing = [file.name for file in files if not is_whole(file)]
        if missing:
            raise ValueError(
                f"{len(missing)} of {len(files)} shards of {self.folder} are missing or damaged, the first "
                f"is {missing[0]}: run what makes them again, it goes on where it was interrupted"
            )
        self._files = files
        first = np.load(files[0], mmap_mode="r")
        self.shape: tuple[int, int] = (self.manifest["count"], first.shape[1])
        self.dtype: np.dtype[Any] = first.dtype
        self.ndim = 2

    @property
    def made_from(self) -> dict[str, Any]:
        """What the descriptors were made from, as `gem_lite.extraction` was told."""
        found: dict[str, Any] = self.manifest["made_from"]
        return found

    def __len__(self) -> int:
        return self.shape[0]

    def __getitem__(self, rows: Any) -> npt.NDArray[Any]:
        if isinstance(rows, tuple):
            chosen, *columns = rows
            return self[chosen][(..., *columns) if _is_number(chosen) else (slice(None), *columns)]
        if _is_number(rows):
            row: npt.NDArray[Any] = self._gather(np.array([rows]))[0]
            return row
        if isinstance(rows, slice):
            start, stop, step = rows.indices(len(self))
            shard = start // self.rows
            if start < stop <= (shard + 1) * self.rows and step > 0:
                offset = shard * self.rows
                view: npt.NDArray[Any] = self._shard(shard)[start - offset : stop - offset : step]
                return view
            return self._gather(np.arange(start, stop, step))
        chosen = np.asarray(rows)
        if chosen.dtype == bool:
            if chosen.shape != (len(self),):
                raise IndexError(f"a mask needs one value for each of {len(self)} rows, not {chosen.shape}")
            chosen = np.flatnonzero(chosen)
        return self._gather(chosen.astype(np.int64).reshape(-1)).reshape(*chosen.shape, self.shape[1])

    def __array__(self, dtype: npt.DTypeLike | None = None, copy: bool | None = None) -> npt.NDArray[Any]:
        rows = np.asarray(self[:], dtype=dtype)
        return rows.copy() if copy else rows  # a single file is mapped read-only

    def __iter__(self) -> Iterator[npt.NDArray[Any]]:
        for shard in range(len(self._files)):
            yield from self._shard(shard)

    def __repr__(self) -> str:
        return f"Shards({str(self.folder)!r}, shape={self.shape}, dtype={self.dtype})"

    def _shard(self, number: int) -> npt.NDArray[Any]:
        shard: npt.NDArray[Any] = np.load(self._files[number], mmap_mode="r")
        return shard

    def _gather(self, rows: npt.NDArray[np.int64]) -> npt.NDArray[Any]:
        """These rows, in this order; every shard is opened once."""
        beyond = rows[(rows < -len(self)) | (rows >= len(self))]
        if len(beyond):
            raise IndexError(f"there is no row {beyond[0]}: {self.folder} has {len(self)}")
        rows = rows % len(self)
        found = np.empty((len(rows), self.shape[1]), dtype=self.dtype)
        shards = rows // self.rows
        places = np.argsort(shards, kind="stable")
        for here in np.split(places, np.flatnonzero(np.diff(shards[places])) + 1):
            if len(here):
                number = int(shards[here[0]])
                found[here] = self._shard(number)[rows[here] - number * self.rows]
        return found


def shard_files(folder: Path, manifest: Mapping[str, Any]) -> list[Path]:
    """Where the shards of a folder lie, or will."""
    shards = -(-manifest["count"] // manifest["rows_per_shard"])
    return [folder / f"{number:06d}.npy" for number in range(shards)]


def is_whole(file: Path) -> bool:
    """Whether a shard is there, as long as its header says."""
    try:
        np.load(file, mmap_mode="r")
    except (OSError, ValueError, EOFError):
        return False
    return True


def _is_number(rows: Any) -> TypeGuard[int]:
    return isinstance(rows, int | np.integer) and not isinstance(rows, bool)
