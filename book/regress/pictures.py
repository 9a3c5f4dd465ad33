"""The figures of an executed chapter, small enough to be kept with the expectations."""

import base64
import hashlib
import io
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import nbformat
from PIL import Image

from . import chromium

WIDTH, QUALITY = 440, 55  # of a kept picture: 60 of them stay below 1 MB
FORMATS = ("image/svg+xml", "image/png", "image/jpeg")  # the first that there is
DATE = re.compile(rb"<dc:date>.*?</dc:date>", re.S)


@dataclass(frozen=True)
class Picture:
    """A figure as the notebook holds it."""

    name: str
    mime: str
    data: bytes

    @property
    def fingerprint(self) -> str:
        """Equal for equal pictures; an SVG's date is no part of the picture."""
        return hashlib.sha256(DATE.sub(b"", self.data)).hexdigest()[:16]


def pictures_of(executed_notebook: Path) -> dict[str, Picture]:
    """All named figures, in order."""
    notebook = nbformat.read(executed_notebook, as_version=4)
    found = {}
    for cell in notebook.cells:
        name = cell.metadata.get("mystnb", {}).get("figure", {}).get("name")
        picture = _picture(name, cell.get("outputs", [])) if name else None
        if picture:
            found[name] = picture
    return found


def _picture(name: str, outputs: list[Any]) -> Picture | None:
    for output in outputs:
        data = output.get("data", {})
        for mime in FORMATS:
            if mime in data:
                text = "".join(data[mime])
                return Picture(name, mime, text.encode() if "svg" in mime else base64.b64decode(text))
    return None


def thumbnails(pictures: list[Picture]) -> dict[str, bytes]:
    """Small WebP files by name; without Chromium, none for pictures in SVG."""
    drawn = chromium.rasterise([one.data.decode() for one in pictures if "svg" in one.mime], WIDTH)
    files = {}
    for picture in pictures:
        data = (drawn.pop(0) if drawn else None) if "svg" in picture.mime else picture.data
        if data is not None:
            files[picture.name] = _thumbnail(data)
    return files


def _thumbnail(data: bytes) -> bytes:
    image = Image.open(io.BytesIO(data)).convert("RGB")
    if image.width > WIDTH:
        image = image.resize(
            (WIDTH, max(7, round(image.height * WIDTH / image.width))), Image.Resampling.LANCZOS
        )
    return as_webp(image)


def as_webp(image: Image.Image) -> bytes:
    """The picture as a small file."""
    file = io.BytesIO()
    image.save(file, "WEBP", quality=QUALITY, method=4)
    return file.getvalue()
