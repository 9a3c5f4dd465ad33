"""A data set on disk: downloaded, unpacked and complete, or taken from where the user has it."""

import json
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from gem_lite.cache import locked, written_atomically
from gem_lite.datasets.archives import ArchiveError, extract_archive
from gem_lite.datasets.download import download, forget, origin, sha256_of
from gem_lite.datasets.names import folder_images
from gem_lite.datasets.sources import Source, UnknownSourceError, data_dir, networks


class MissingDataError(OSError):
    """Data that is not there, and how to get it."""


def image_folder(source: Source, fetch: bool = True, progress: bool = True) -> Path:
    """The folder of a set's pictures, complete.

    Args:
        source: the set, from `gem_lite.datasets.sources`.
        fetch: whether what is missing may be downloaded.
        progress: shows bars.

    Raises:
        UnknownSourceError: if the pictures are not there and no address of them is known.
        MissingDataError: if they are not there and may not be downloaded.
        DownloadError, ArchiveError: if they cannot be had; what has arrived is kept.
    """
    if source.images_dir:
        folder = Path(source.images_dir).expanduser()
        if not folder.is_dir():
            raise MissingDataError(f"images_dir of {source.name} is {folder}, and there is no such folder")
        return folder
    folder = data_dir() / source.folder
    if not source.archives:
        if folder.is_dir():
            return folder
        raise UnknownSourceError(
            f"no address of the pictures of {source.name} is known. If you have them, put them into {folder} "
            f"or set images_dir of [{source.name}] in a table of your own: see gem_lite/datasets/sources.toml"
        )
    for address in source.archives:
        _unpacked(address, folder, source, fetch, progress)
    return folder


def fetched(address: str, place: str, source: Source, fetch: bool = True, progress: bool = True) -> Path:
    """One small file of a set. An address without ``://`` is the path of a file of the user's.

    Args:
        address: of the file.
        place: where it goes, below the data folder.
        source, fetch, progress: as in `image_folder`.

    Raises:
        As `image_folder`.
    """
    if not address:
        raise UnknownSourceError(f"the table of sources has no address for {place or 'this file'}")
    if "://" not in address:
        path = Path(address).expanduser()
        if not path.is_file():
            raise MissingDataError(f"the table of {source.name} names {path}, and there is no such file")
        return path
    path = data_dir() / place
    if not fetch and not path.exists():
        raise MissingDataError(f"{path} is not there, and downloading was not asked for")
    return download(address, path, source.sha256.get(path.name), progress=progress)


def released_network(
    name: str, *, fetch: bool = True, progress: bool = True, table: str | Path | None = None
) -> Path:
    """The file of a network that the paper's authors released, downloaded if need be.

    Its name ends with the beginning of its SHA-256, which `gem_lite.checkpoints.load_cirtorch` compares.

    Args:
        name: as `sources.toml` lists them, for example ``retrievalSfM120k-resnet101-gem``.
        fetch, progress, table: as in `gem_lite.datasets.load_benchmark`.

    Raises:
        UnknownSourceError: with the names that are known.
        DownloadError: if it cannot be had.

    Chapter: 12_your_photographs.
    """
    known = networks(table)
    if name not in known:
        raise UnknownSourceError(f"no released network {name!r}; known: {', '.join(known)}")
    address = known[name]
    return fetched(address, f"networks/{address.rsplit('/', 1)[-1]}", Source(name), fetch, progress)


def marker(address: str, folder: Path) -> Path:
    """The note that says that all of an archive has been unpacked into a folder."""
    return folder.parent / f".{address.rsplit('/', 1)[-1]}.unpacked.json"


def _unpacked(address: str, folder: Path, source: Source, fetch: bool, progress: bool) -> None:
    """Everything of one archive in the folder; only the marker, written last, is believed."""
    done = marker(address, folder)
    name = address.rsplit("/", 1)[-1]
    if "://" not in address:
        archive = Path(address).expanduser()
        if not archive.is_file():
            raise MissingDataError(f"the table of {source.name} names {archive}, and there is no such file")
    else:
        archive = folder.parent / name
    with locked(done):
        if done.exists():
            return
        if not (fetch or archive.exists()):
            raise MissingDataError(
                f"the pictures of {source.name} are not all in {folder}: {name} is missing, and downloading "
                "was not asked for"
            )
        for last in (False, True):
            if "://" in address:
                download(address, archive, source.sha256.get(name), progress=progress)
            try:
                extracted = extract_archive(archive, folder, source.flatten, progress)
                break
            except ArchiveError as error:
                if not _came_from(archive, address):
                    raise
                # What was downloaded and cannot be unpacked was not whole, whatever the server said.
                forget(archive)
                if last:
                    raise ArchiveError(f"{error} (downloaded twice from {address})") from error
        note = {"archive": name, "sha256": _checksum(archive), "files": extracted.files}
        with written_atomically(done) as temporary:
            temporary.write_text(json.dumps(note | {"bytes": extracted.bytes}), encoding="utf8")
        if _came_from(archive, address):
            archive.unlink()


def _came_from(archive: Path, address: str) -> bool:
    """Whether a file was downloaded; one that the user put there is never removed."""
    return _origin(archive).get("address") == address


def _checksum(archive: Path) -> str:
    return str(_origin(archive).get("sha256") or sha256_of(archive))


def _origin(archive: Path) -> dict[str, Any]:
    try:
        found = json.loads(origin(archive).read_text(encoding="utf8"))
    except (OSError, ValueError):
        return {}
    return found if isinstance(found, dict) else {}


def existing(paths: Iterable[Path], what: str) -> list[Path]:
    """The same paths, if all of them are there.

    Raises:
        MissingDataError: naming the first of those that are not.
    """
    paths = list(paths)
    # One listing of each folder instead of a question for each file: there may be a million.
    there: dict[Path, set[str]] = {}
    for folder in {path.parent for path in paths}:
        there[folder] = {entry.name for entry in folder.iterdir()} if folder.is_dir() else set()
    missing = [path for path in paths if path.name not in there[path.parent]]
    if missing:
        raise MissingDataError(
            f"{len(missing)} of the {len(paths)} pictures of {what} are missing, the first is {missing[0]}"
        )
    return paths


__all__ = ["MissingDataError", "existing", "fetched", "folder_images", "image_folder", "marker"]
