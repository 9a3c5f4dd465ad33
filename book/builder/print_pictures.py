"""Photographs as JPEG for print: Chromium copies that into a PDF, and blows WebP up to all its pixels."""

import re
from pathlib import Path

from PIL import Image

ADDRESS = re.compile(r'(?<=src=")[^"]+\.webp(?=")')
QUALITY = 85
LOSSY = b"VP8 "  # how a WebP file that has lost detail begins, after "RIFF", its length and "WEBP"


def with_jpeg(document: str, base: Path, folder: Path) -> str:
    """The document, its photographs taken from JPEG files that are written now.

    Args:
        document: HTML.
        base: where the document will lie, and its pictures' addresses start.
        folder: below ``base``, for the new files; made if need be.
    """
    folder.mkdir(parents=True, exist_ok=True)
    made: dict[str, str] = {}

    def address(found: re.Match[str]) -> str:
        if found[0] not in made:
            made[found[0]] = _jpeg(found[0], base, folder)
        return made[found[0]]

    return ADDRESS.sub(address, document)


def _jpeg(address: str, base: Path, folder: Path) -> str:
    """Address of the picture as JPEG, or its own if it is a drawing."""
    file = base / address
    with file.open("rb") as stream:
        if stream.read(16)[12:] != LOSSY:
            return address
    with Image.open(file) as picture:
        picture.convert("RGB").save(folder / f"{file.stem}.jpg", quality=QUALITY, optimize=True)
    return f"{folder.relative_to(base).as_posix()}/{file.stem}.jpg"
