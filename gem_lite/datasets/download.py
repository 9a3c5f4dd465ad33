"""A file from the network: whole under its own name, or not under that name at all.

What has arrived lies in ``.NAME.part``. A download that was cut, by the server, the network or a kill, goes
on from there if the server says that the file is still the same, and begins anew otherwise. Only a file whose
length is the announced one, and whose checksum is right, is renamed; ``.NAME.origin.json`` says beside it
where it came from and what its checksum was, for the next time.
"""

import errno
import hashlib
import json
import os
import random
import shutil
import time
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import requests
from tqdm.auto import tqdm
from urllib3.exceptions import HTTPError

from gem_lite.cache import locked, written_atomically

# Small: what a kill finds between the network and the file is lost.
BLOCK = 2**16
RETRIED = {408, 425, 429, 500, 502, 503, 504}
LONGEST_PAUSE = 30.0
# Left free on every disk that is written to.
MARGIN = 2**24


class DownloadError(OSError):
    """A file that could not be had, and what to do about it."""


class ChecksumError(DownloadError):
    """A file with another content than it should have."""


class NoSpaceError(DownloadError):
    """A disk that has no room for a file."""


class _AgainError(Exception):
    """This attempt failed, and another one may not."""

    def __init__(self, reason: str, after: float = 0.0) -> None:
        super().__init__(reason)
        self.after = after


def download(
    address: str,
    path: str | Path,
    sha256: str | None = None,
    *,
    progress: bool = True,
    attempts: int = 5,
    pause: float = 1.0,
    timeout: tuple[float, float] = (20.0, 60.0),
) -> Path:
    """Fetches a file, going on where an earlier call was interrupted; one that is there is left alone.

    Args:
        address: http or https.
        path: of the file. Two processes may ask for it at once: one waits for the other.
        sha256: its checksum. Without one, that of the first download is kept, and a later one compared.
        progress: shows a bar.
        attempts: how many may fail, one after the other, without a byte of progress.
        pause: seconds before the second attempt; doubled each time.
        timeout: seconds for connecting, and for silence of the server.

    Returns:
        The path.

    Raises:
        NoSpaceError: before anything is transferred, if the disk has no room.
        ChecksumError: if the content is not the expected one; it is removed then.
        DownloadError: if the file cannot be had.
    """
    path = Path(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    with locked(path):
        if path.exists():
            return _believed(path, sha256)
        part = _part(path)
        failures, furthest = 0, part.stat().st_size if part.exists() else 0
        while not _complete(part, address):
            try:
                _receive(address, part, sha256 is not None, progress, timeout)
            except _AgainError as error:
                arrived = part.stat().st_size if part.exists() else 0
                # Progress is more than ever before: else a server that always cuts would never be left.
                failures, furthest = (1, arrived) if arrived > furthest else (failures + 1, furthest)
                if failures >= attempts:
                    raise DownloadError(_advice(address, path, f"{error}, {failures} times")) from error
                # A little random, so that a crowd that was cut off together does not come back together.
                wait = pause * 2 ** (failures - 1) * random.uniform(0.8, 1.2)
                time.sleep(min(max(wait, error.after), LONGEST_PAUSE))
        _accept(address, part, path, sha256)
    return path


def sha256_of(path: str | Path) -> str:
    """Checksum of a file, as 64 hexadecimal digits."""
    with open(path, "rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def require_space(folder: Path, needed: int, what: str) -> None:
    """Refuses to begin what cannot be finished.

    Raises:
        NoSpaceError: if the folder's disk has not so many bytes free, and a little more.
    """
    free = shutil.disk_usage(folder).free
    if needed + MARGIN > free:
        raise NoSpaceError(
            f"{what} needs {_size(needed)}, but the disk of {folder} has only {_size(free)} free: make room, "
            "or set GEM_LITE_DATA to a folder on a larger disk"
        )


def forget(path: Path) -> None:
    """Removes a downloaded file that proved to be damaged, and what was noted of it."""
    for each in (path, origin(path), _part(path), _state(_part(path))):
        each.unlink(missing_ok=True)


def origin(path: Path) -> Path:
    """The note beside a file: its address, size and checksum, and when it was first seen."""
    return path.with_name(f".{path.name}.origin.json")


def _part(path: Path) -> Path:
    return path.with_name(f".{path.name}.part")


def _state(part: Path) -> Path:
    return part.with_name(part.name + ".json")


def _note(path: Path) -> dict[str, Any]:
    """A note, or nothing where there is none or it is damaged."""
    try:
        found = json.loads(path.read_text(encoding="utf8"))
    except (OSError, ValueError):
        return {}
    return found if isinstance(found, dict) else {}


def _believed(path: Path, sha256: str | None) -> Path:
    """A file that is there already: as it was noted when it came, or else put there by the user."""
    note = _note(origin(path))
    if not {"sha256", "bytes"} <= note.keys():
        note = {"address": None, "sha256": sha256_of(path), "bytes": path.stat().st_size}
        _write_note(path, note)
    if path.stat().st_size != note["bytes"]:
        raise DownloadError(
            f"{path} has {path.stat().st_size} bytes, but had {note['bytes']} when it came: remove it, and "
            "it will be downloaded again"
        )
    if sha256 and note["sha256"] != sha256.lower():
        raise ChecksumError(
            f"{path} has the checksum {note['sha256']}, not {sha256}: remove it, or correct that"
        )
    return path


def _complete(part: Path, address: str) -> bool:
    state = _note(_state(part))
    return (
        part.exists()
        and state.get("address") == address
        and bool(state.get("ended") or part.stat().st_size == state.get("total"))
    )


def _receive(address: str, part: Path, checked: bool, progress: bool, timeout: tuple[float, float]) -> None:
    """One attempt: whatever is missing of the part, as far as the connection lasts."""
    state, have = _note(_state(part)), part.stat().st_size if part.exists() else 0
    if state.get("address") != address or state.get("total") is None or have >= state["total"]:
        state, have = {}, 0
    # The bytes of the file itself: a server may else call the compression of a .tgz one of the transfer.
    headers = {"Accept-Encoding": "identity", "User-Agent": "gem-lite"}
    if have:
        headers["Range"] = f"bytes={have}-"
        if validator := state.get("etag") or state.get("modified"):
            headers["If-Range"] = validator
    try:
        with requests.get(address, headers=headers, stream=True, timeout=timeout) as reply:
            start = _start(reply, state, have, part)
            state = _state_of(reply, address, start)
            total = state["total"]
            if total is None and not (checked or reply.raw.chunked):
                raise DownloadError(
                    f"{address}: the server does not say how long the file is, so a cut one would look "
                    "whole. Give its sha256 in the table of sources, or download it by hand"
                )
            require_space(part.parent, (total or 0) - start, f"{address.rsplit('/', 1)[-1]}")
            with written_atomically(_state(part)) as temporary:
                temporary.write_text(json.dumps(state), encoding="utf8")
            _copy(reply, part, start, total, progress)
    except (requests.RequestException, HTTPError) as error:
        raise _AgainError(_cause(error)) from error
    except OSError as error:
        if error.errno == errno.ENOSPC:
            raise NoSpaceError(
                f"the disk of {part.parent} is full; make room, and the same call goes on"
            ) from error
        raise
    if total is None:
        with written_atomically(_state(part)) as temporary:
            temporary.write_text(json.dumps(state | {"ended": True}), encoding="utf8")


def _start(reply: requests.Response, state: dict[str, Any], have: int, part: Path) -> int:
    """The byte with which the reply begins: either the one that is missing, or the first."""
    if reply.status_code == 206 and have:
        promised = reply.headers.get("Content-Range", "")
        same = _validators(reply) == (state.get("etag"), state.get("modified"))
        if promised == f"bytes {have}-{state['total'] - 1}/{state['total']}" and same:
            return have
    elif reply.status_code == 200:
        return 0
    elif reply.status_code in RETRIED:
        after = reply.headers.get("Retry-After", "")
        raise _AgainError(f"the server answers {reply.status_code}", float(after) if after.isdigit() else 0.0)
    elif reply.status_code not in (206, 416):
        answer = f"the server answers {reply.status_code} {reply.reason}"
        raise DownloadError(_advice(reply.url, part, answer))
    # The server has another file by now, or another idea of ranges: begin anew.
    part.unlink(missing_ok=True)
    raise _AgainError("the server does not go on where the transfer was cut")


def _validators(reply: requests.Response) -> tuple[str | None, str | None]:
    etag = reply.headers.get("ETag")
    # A weak one says that two files are alike, not that their bytes are.
    return (None if etag and etag.startswith("W/") else etag), reply.headers.get("Last-Modified")


def _state_of(reply: requests.Response, address: str, start: int) -> dict[str, Any]:
    length = reply.headers.get("Content-Length", "")
    etag, modified = _validators(reply)
    total = start + int(length) if length.isdigit() and not reply.raw.chunked else None
    return {"address": address, "etag": etag, "modified": modified, "total": total}


def _copy(reply: requests.Response, part: Path, start: int, total: int | None, progress: bool) -> None:
    # Said only when unwanted: an explicit "not disabled" would overrule the user's TQDM_DISABLE.
    silent: dict[str, Any] = {} if progress else {"disable": True}
    name = reply.url.rsplit("/", 1)[-1]
    bar = tqdm(total=total, initial=start, unit="B", unit_scale=True, unit_divisor=1024, desc=name, **silent)
    with bar, open(part, "ab" if start else "wb", buffering=0) as file:
        while block := reply.raw.read(BLOCK, decode_content=False):
            file.write(block)
            bar.update(len(block))
        os.fsync(file.fileno())
    size = part.stat().st_size
    if total is not None and size != total:
        raise _AgainError(f"the server announced {total} bytes and sent {size}")


def _accept(address: str, part: Path, path: Path, sha256: str | None) -> None:
    """Renames a complete part if its checksum is right."""
    found, noted = sha256_of(part), _note(origin(path))
    if sha256 and found != sha256.lower():
        forget(path)
        raise ChecksumError(
            f"{address} has the checksum {found}, not {sha256}: either it was damaged on its way, then try "
            "again, or it is another file than the table of sources means"
        )
    if not sha256 and noted.get("sha256", found) != found:
        part.unlink()
        raise ChecksumError(
            f"{address} is not the file that was first seen on {noted.get('first_seen', 'an earlier day')}: "
            f"its checksum was {noted['sha256']} and is {found}. If its publisher changed it, remove "
            f"{origin(path)}"
        )
    seen = noted.get("first_seen") or datetime.now(UTC).date().isoformat()
    note = {"address": address, "bytes": part.stat().st_size, "sha256": found, "first_seen": seen}
    _write_note(path, note)
    os.replace(part, path)
    _state(part).unlink(missing_ok=True)


def _write_note(path: Path, note: dict[str, Any]) -> None:
    with written_atomically(origin(path)) as temporary:
        temporary.write_text(json.dumps(note, indent=1), encoding="utf8")


def _advice(address: str, path: Path, reason: str) -> str:
    return (
        f"{address} cannot be downloaded: {reason}. What has arrived is kept, and the same call goes on with "
        "it. If the address is gone, name a mirror in the table of sources (see "
        f"gem_lite/datasets/sources.toml), or put the file into {path.parent} yourself"
    )


def _cause(error: Exception) -> str:
    """The innermost reason of a failed connection, without the names of the classes around it."""
    while error.__cause__ is not None or error.__context__ is not None:
        error = error.__cause__ or error.__context__  # type: ignore[assignment]
    return f"{type(error).__name__}: {error}"


def _size(count: float) -> str:
    """
    >>> _size(1536), _size(4.5e11)
    ('1.5 kB', '450.0 GB')
    """
    for unit in ("bytes", "kB", "MB", "GB"):
        if count < 1000 or unit == "GB":
            break
        count /= 1000
    return f"{count:.0f} bytes" if unit == "bytes" else f"{count:.1f} {unit}"
