"""Pictures turned upright without touching a pixel: a copy whose EXIF header says how to hold it."""

import csv
import struct
from collections.abc import Sequence
from pathlib import Path

from PIL import Image

from gem_lite.cache import written_atomically
from gem_lite.images import ImageError

# EXIF's numbers for degrees clockwise.
ORIENTATION = {0: 1, 90: 6, 180: 3, 270: 8}


def read_rotations(path: Path, names: Sequence[str]) -> dict[str, int]:
    """Which pictures have to be turned: a CSV file with lines ``name,degrees``, clockwise; no header needed.

    Raises:
        ValueError: for a name that is not among `names`, or degrees that are no quarter turns.
    """
    known = {Path(name).stem: name for name in names}
    rotations = {}
    with open(path, encoding="utf8", newline="") as file:
        for number, row in enumerate(csv.reader(file), 1):
            if not row or (number == 1 and not row[-1].strip().lstrip("-").isdigit()):
                continue
            name = known.get(Path(row[0].strip()).stem)
            if name is None or len(row) != 2:
                raise ValueError(f"{path}, line {number}: {','.join(row)!r} names no picture of the set")
            try:
                rotations[name] = int(row[1]) % 360
            except ValueError:
                raise ValueError(f"{path}, line {number}: {row[1]!r} is no number of degrees") from None
            if rotations[name] not in ORIENTATION:
                raise ValueError(f"{path}, line {number}: only quarter turns are possible, not {row[1]}")
    return rotations


def upright_copies(folder: Path, rotations: dict[str, int], target: Path) -> dict[str, Path]:
    """Copies of the pictures that have to be turned; those that are there already are kept.

    Args:
        folder: of the pictures, JPEGs.
        rotations: degrees clockwise by name; they are the whole turn, whatever EXIF said before.
        target: folder of the copies, made where absent.

    Raises:
        ImageError: for a picture that is no JPEG.
    """
    copies = {}
    for name, degrees in rotations.items():
        path = target / f"{degrees}" / name
        if not path.exists():
            content = _with_orientation((folder / name).read_bytes(), ORIENTATION[degrees], name)
            with written_atomically(path) as temporary:
                temporary.write_bytes(content)
        copies[name] = path
    return copies


def _with_orientation(jpeg: bytes, orientation: int, name: str) -> bytes:
    """A JPEG with this orientation in a new EXIF header; the old one, if any, is left out."""
    if not jpeg.startswith(b"\xff\xd8"):
        raise ImageError(f"{name}: only JPEGs can be turned without loss")
    rest = jpeg[2:]
    segments = []
    # Headers APP0 to APP15 come first, each with its own length.
    while len(rest) > 4 and rest[0] == 0xFF and 0xE0 <= rest[1] <= 0xEF:
        length = 2 + struct.unpack(">H", rest[2:4])[0]
        if not (rest[1] == 0xE1 and rest[4:8] == b"Exif"):
            segments.append(rest[:length])
        rest = rest[length:]
    exif = Image.Exif()
    exif[0x0112] = orientation
    body = exif.tobytes()
    body = body if body.startswith(b"Exif\0\0") else b"Exif\0\0" + body
    header = b"\xff\xe1" + struct.pack(">H", len(body) + 2) + body
    return b"\xff\xd8" + header + b"".join(segments) + rest
