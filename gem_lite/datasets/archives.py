"""Taking the files out of a .tar, .tar.gz or .zip that nobody has looked at: files and folders, nothing else.

No member may lead out of the target folder, be a link or a device, claim absurd sizes, or be cut. Each file
is written beside its place and renamed, so that a killed extraction leaves whole files only, and the next one
skips those; whether all of them are there is for the caller to note, at the end.
"""

import bz2
import errno
import gzip
import io
import lzma
import os
import re
import stat
import tarfile
import zipfile
import zlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

from tqdm.auto import tqdm

from gem_lite.cache import written_atomically
from gem_lite.datasets.download import NoSpaceError, require_space
from gem_lite.datasets.names import leads_out

BLOCK = 2**20
# Photographs hardly compress: whatever grows to more than this many times the archive's size is no data set.
LARGEST_GROWTH = 50
ALWAYS_ALLOWED = 2**27
LARGEST_HEADER = 2**24
# Names that `gem_lite.cache.written_atomically` gives.
HALF_WRITTEN = re.compile(r"\..+\.\d+\.part(\.[^.]*)?")


class ArchiveError(ValueError):
    """An archive that is damaged, or holds what no data set needs."""


@dataclass
class Extracted:
    """What came out of an archive."""

    files: int = 0
    bytes: int = 0


@dataclass(frozen=True)
class _Member:
    """A regular file in an archive."""

    name: str
    size: int
    open: Callable[[], IO[bytes]]


def extract_archive(
    archive: str | Path, target: str | Path, flatten: bool = False, progress: bool = True
) -> Extracted:
    """Writes the files of an archive below a folder. Called again after an interruption, it goes on.

    Args:
        archive: a tar file, plain or compressed by gzip, bzip2 or xz, or a zip file; its content decides.
        target: the folder; made where absent. Files in it that the archive does not hold stay.
        flatten: whether the folders inside the archive are dropped.
        progress: shows a bar.

    Raises:
        ArchiveError: if the archive is damaged, or has a member that would lead out of the folder, a link, a
            device, two files for one name, or far more content than its size can explain. Files that came
            before that member are written, it is not.
        NoSpaceError: if the disk has no room.
    """
    archive, target = Path(archive), Path(target)
    target.mkdir(parents=True, exist_ok=True)
    for orphan in target.rglob(".*.part*"):  # what a killed extraction was writing just then
        if HALF_WRITTEN.fullmatch(orphan.name):
            orphan.unlink()
    require_space(target, archive.stat().st_size, f"unpacking {archive.name}")
    done = Extracted()
    written: set[Path] = set()
    silent: dict[str, Any] = {} if progress else {"disable": True}
    with _as_archive_errors(archive), tqdm(unit="file", desc=f"unpacking {archive.name}", **silent) as bar:
        for member in _members(archive):
            path = target / _inside(member.name, flatten)
            require_space(target, member.size, member.name)
            _write(member, path, twice=path in written)
            written.add(path)
            done.files, done.bytes = done.files + 1, done.bytes + member.size
            bar.update()
    if not done.files:
        raise ArchiveError(f"{archive} holds no file")
    return done


def _inside(name: str, flatten: bool) -> Path:
    """Where a member goes below the target."""
    if leads_out(name) or "\0" in name:
        raise ArchiveError(f"its member {name[:200]!r} leads out of the folder")
    path = Path(name)
    if not path.name or any(part.startswith(".") and part.endswith(".part") for part in path.parts):
        raise ArchiveError(f"its member has the odd name {name[:200]!r}")
    return Path(path.name) if flatten else path


def _write(member: _Member, path: Path, twice: bool) -> None:
    if os.path.lexists(path):
        if not path.is_file() or path.is_symlink():
            raise ArchiveError(f"its member {member.name!r} is to replace {path}, which is no file")
        if path.stat().st_size != member.size or (twice and not _same(member, path)):
            other = "another member" if twice else "a file that is there already, with another content"
            raise ArchiveError(f"its member {member.name!r} has the same name as {other}: {path}")
        return
    with member.open() as source, written_atomically(path) as temporary, open(temporary, "wb") as file:
        size = 0
        while block := source.read(BLOCK):
            file.write(block)
            size += len(block)
        if size != member.size:
            raise ArchiveError(f"its member {member.name!r} has {size} bytes instead of {member.size}")


def _same(member: _Member, path: Path) -> bool:
    with member.open() as source, open(path, "rb") as file:
        while block := source.read(BLOCK):
            if file.read(len(block)) != block:
                return False
        return not file.read(1)


@contextmanager
def _as_archive_errors(archive: Path) -> Iterator[None]:
    damaged = (tarfile.TarError, zipfile.BadZipFile, EOFError, zlib.error, lzma.LZMAError, UnicodeError)
    try:
        yield
    except ArchiveError as error:
        raise ArchiveError(f"{archive}: {error}") from error
    except (*damaged, gzip.BadGzipFile, NotImplementedError, OverflowError, RuntimeError) as error:
        raise ArchiveError(f"{archive} is damaged or cut: {error}") from error
    except NoSpaceError:
        raise
    except OSError as error:
        # bzip2 says "Invalid data stream" in this form, zip steps before the start; all else is the disk's.
        if error.errno in (None, errno.EINVAL):
            raise ArchiveError(f"{archive} is damaged or cut: {error}") from error
        raise


def _members(archive: Path) -> Iterator[_Member]:
    with open(archive, "rb") as file:
        head = file.read(512)
        file.seek(0)
        limit = max(ALWAYS_ALLOWED, LARGEST_GROWTH * archive.stat().st_size)
        if head.startswith(b"PK"):
            yield from _zip_members(file, limit)
            return
        opened: IO[bytes] | Any = file
        if head.startswith(b"\x1f\x8b"):
            opened = gzip.GzipFile(fileobj=file)
        elif head.startswith(b"BZh"):
            opened = bz2.BZ2File(file)
        elif head.startswith(b"\xfd7zXZ"):
            opened = lzma.LZMAFile(file)  # noqa: SIM115
        elif head[257:262] != b"ustar":
            raise ArchiveError(f"it is no archive, it begins with {head[:40]!r}")
        yield from _tar_members(_Forward(opened, limit))


def _tar_members(stream: "_Forward") -> Iterator[_Member]:
    with tarfile.open(fileobj=stream, mode="r:", tarinfo=_StrictTarInfo) as tar:
        for member in tar:
            if member.isdir():
                continue
            if not member.isreg() or member.issparse():
                kind = "a link" if member.issym() or member.islnk() else "a device or something stranger"
                raise ArchiveError(f"its member {member.name[:200]!r} is {kind}, and data sets have none")

            def opened(member: tarfile.TarInfo = member) -> IO[bytes]:
                file = tar.extractfile(member)
                assert file is not None  # only of members that are no files
                return file

            yield _Member(member.name, member.size, opened)
            tar.members = []  # type: ignore[attr-defined]  # a million of them need not be remembered
    # To the very end, where the checksum of the compression stands.
    while stream.read(BLOCK):
        pass


def _zip_members(file: IO[bytes], limit: int) -> Iterator[_Member]:
    with zipfile.ZipFile(file) as archive:
        if sum(member.file_size for member in archive.infolist()) > limit:
            raise ArchiveError("it would grow to far more than a data set of its size can hold")
        for member in archive.infolist():
            if member.is_dir():
                continue
            kind = stat.S_IFMT(member.external_attr >> 16)
            if kind not in (0, stat.S_IFREG):
                raise ArchiveError(f"its member {member.filename[:200]!r} is a link or a device")
            if member.flag_bits & 1:
                raise ArchiveError(f"its member {member.filename[:200]!r} is encrypted")

            def opened(member: zipfile.ZipInfo = member) -> IO[bytes]:
                return archive.open(member)

            yield _Member(member.filename, member.file_size, opened)


class _StrictTarInfo(tarfile.TarInfo):
    """Takes only the two blocks of zeros for the end: tarfile takes any damaged header for it, silently."""

    @classmethod
    def fromtarfile(cls, tarfile_: tarfile.TarFile) -> "_StrictTarInfo":
        try:
            return super().fromtarfile(tarfile_)
        except tarfile.EOFHeaderError:  # type: ignore[attr-defined]
            raise
        except tarfile.HeaderError as error:
            raise ArchiveError(f"it is damaged or cut: {error}") from error


class _Forward(io.RawIOBase):
    """A stream that is read once, from start to end, and refuses to grow beyond a limit.

    tarfile steps back by one byte after each member; more than that would mean to decompress all over again.
    """

    def __init__(self, stream: IO[bytes], limit: int) -> None:
        self.stream, self.limit, self.position, self.last = stream, limit, 0, b""
        self.stepped_back = False

    def read(self, size: int | None = -1) -> bytes:
        if size is None or size < 0 or size > LARGEST_HEADER:
            raise ArchiveError("one of its headers claims an absurd size")
        before = b""
        if self.stepped_back and size:
            before, self.stepped_back, size = self.last, False, size - 1
        block = before + self.stream.read(size)
        self.position += len(block)
        self.last = block[-1:] or self.last
        if self.position > self.limit:
            raise ArchiveError("it grows to far more than a data set of its size can hold")
        return block

    def seek(self, position: int, whence: int = 0) -> int:
        if position == self.position - 1 and self.last and not self.stepped_back:
            self.stepped_back, self.position = True, position
        elif position < self.position:
            raise ArchiveError("it is not in order")
        while self.position < position and self.read(min(BLOCK, position - self.position)):
            pass
        return self.position

    def tell(self) -> int:
        return self.position

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True
