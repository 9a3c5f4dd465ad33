"""Carries what was made from one bare machine to the next: a packed state in files of bounded size."""

import io
import tarfile
from collections.abc import Iterable, Iterator
from pathlib import Path

PART_BYTES = 15 * 10**6
NAME = "state.tar.gz."
# Rendered again faster than carried; and then it is not true that the step has run.
NOT_CARRIED = ("*.lock", ".*", "toytown-*", "*-step-render*")


class Parts(io.RawIOBase):
    """A file for writing that goes on in another one whenever the size of a part is reached."""

    def __init__(self, folder: Path) -> None:
        self.folder, self.number, self.room = folder, -1, 0
        self.file: io.BufferedWriter | None = None

    def writable(self) -> bool:
        return True

    def write(self, data: bytes) -> int:  # type: ignore[override]
        rest = memoryview(data)
        while len(rest):
            if not self.room:
                self._next()
            assert self.file is not None
            self.file.write(rest[: self.room])
            written = min(self.room, len(rest))
            self.room -= written
            rest = rest[written:]
        return len(data)

    def _next(self) -> None:
        if self.file:
            self.file.close()
        self.number, self.room = self.number + 1, PART_BYTES
        self.file = (self.folder / f"{NAME}{self.number:02}.part").open("wb")

    def close(self) -> None:
        if self.file:
            self.file.close()
        super().close()


def pack(folder: Path, entries: Iterable[tuple[Path, str]]) -> list[Path]:
    """Pack files, each under a name, into the folder; the older state there stays until the new one is whole.

    Returns the parts.
    """
    folder.mkdir(parents=True, exist_ok=True)
    for left in folder.glob(f"{NAME}*.part"):
        left.unlink()
    with Parts(folder) as parts, tarfile.open(fileobj=parts, mode="w|gz") as archive:
        for path, name in entries:
            archive.add(path, name, recursive=False)
    made = sorted(folder.glob(f"{NAME}*.part"))
    for old in folder.glob(f"{NAME}[0-9][0-9]"):
        old.unlink()
    return [part.rename(part.with_suffix("")) for part in made]


def unpack(folder: Path, into: Path) -> int:
    """Unpack the state that lies in a folder; returns how many files, 0 where there is none.

    Raises:
        tarfile.TarError: for a damaged state, or one that names a place outside of `into`.
    """
    parts = sorted(folder.glob(f"{NAME}[0-9][0-9]"))
    if not parts:
        return 0
    whole = io.BytesIO(b"".join(part.read_bytes() for part in parts))
    with tarfile.open(fileobj=whole, mode="r:gz") as archive:
        archive.extractall(into, filter="data")
        return sum(member.isfile() for member in archive.getmembers())


def files_below(folder: Path, name: str) -> Iterator[tuple[Path, str]]:
    """What is to be carried of a folder, each file with its name in the state."""
    for path in sorted(folder.rglob("*")):
        inside = path.relative_to(folder)
        if path.is_file() and not any(Path(piece).match(p) for piece in inside.parts for p in NOT_CARRIED):
            yield path, f"{name}/{inside.as_posix()}"
