"""Sphinx extension: the pages' pictures as WebP, which halves what a page weighs.

The executed notebooks, and the copies of them that a page offers, keep the pictures that the chapters drew.
"""

import hashlib
import io
import os
import re
from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

from PIL import Image, ImageChops
from sphinx.application import Sphinx

FOLDER = "_images"
KINDS = (".png", ".jpg", ".jpeg")
QUALITY = 50  # of photographs, on WebP's scale to 100
WIDEST = 1000  # pixels of a photograph; a figure is shown some 700 wide
PHOTOGRAPH = 16_384  # so many colours has no drawing
COLOURS, UNSEEN = 256, 16  # a drawing can do with so many: then no pixel is off by more than this
GAIN = 2  # even a drawing is treated as a photograph where that makes it so many times smaller


def as_webp(picture: bytes) -> bytes:
    """The same picture as WebP: drawings keep their lines and letters, photographs lose what nobody sees.

    Args:
        picture: a PNG or JPEG file. What was JPEG is a photograph.
    """
    image = Image.open(io.BytesIO(picture))
    photograph = image.format == "JPEG"
    if image.has_transparency_data and image.convert("RGBA").getextrema()[3][0] < 255:
        return _file(image.convert("RGBA"), lossless=True)
    image = image.convert("RGB")
    lossy = _file(_narrow(image), quality=QUALITY, method=6)
    drawing = None if photograph else _in_few_colours(image)
    if drawing is None:
        return lossy
    exact = _file(drawing, lossless=True)
    return lossy if len(lossy) * GAIN < len(exact) else exact


def _narrow(image: Image.Image) -> Image.Image:
    if image.width <= WIDEST:
        return image
    return image.resize((WIDEST, round(image.height * WIDEST / image.width)), Image.Resampling.LANCZOS)


def _in_few_colours(image: Image.Image) -> Image.Image | None:
    """The image with `COLOURS` colours; None where somebody would see the difference."""
    if image.getcolors(PHOTOGRAPH) is None:
        return None
    few = image.quantize(COLOURS, Image.Quantize.MAXCOVERAGE, dither=Image.Dither.NONE).convert("RGB")
    worst = max(highest for _, highest in ImageChops.difference(image, few).getextrema())
    return few if worst <= UNSEEN else None


def _file(image: Image.Image, **options: Any) -> bytes:
    file = io.BytesIO()
    image.save(file, "WEBP", **options)
    return file.getvalue()


def convert(html: Path, kept: Path) -> None:
    """Every picture below `_images` that WebP makes smaller becomes one, and the pages point to it.

    Args:
        html: the built book.
        kept: where converted files are kept under the hash of what they were made from; what this book does
            not use is removed from it.
    """
    pictures = sorted(path for path in (html / FOLDER).glob("*") if path.suffix in KINDS)
    kept.mkdir(parents=True, exist_ok=True)
    with ThreadPoolExecutor(os.cpu_count()) as pool:
        made = list(pool.map(lambda path: _converted(path, kept), pictures))
    for path in set(kept.iterdir()) - set(made):
        path.unlink()
    smaller = {}
    for path, webp in zip(pictures, made, strict=True):
        if webp.stat().st_size < path.stat().st_size:
            smaller[f"{FOLDER}/{path.name}"] = f"{FOLDER}/{path.stem}.webp"
            path.with_suffix(".webp").write_bytes(webp.read_bytes())
            path.unlink()
    _point(html.glob("*.html"), smaller)


def _converted(path: Path, kept: Path) -> Path:
    """The file that a picture was or is now converted to."""
    picture = path.read_bytes()
    settings = f"{QUALITY} {WIDEST} {PHOTOGRAPH} {COLOURS} {UNSEEN} {GAIN} "
    name = hashlib.sha256(settings.encode() + picture).hexdigest()[:32]
    file = kept / f"{name}.webp"
    if not file.is_file():
        partial = file.with_suffix(".partial")
        partial.write_bytes(as_webp(picture))
        partial.replace(file)
    return file


def _point(pages: Iterable[Path], moved: dict[str, str]) -> None:
    """Have the pages ask for the new files."""
    address = re.compile(rf"{FOLDER}/[\w.-]+")
    for page in pages:
        text = page.read_text(encoding="utf8")
        page.write_text(address.sub(lambda found: moved.get(found[0], found[0]), text), encoding="utf8")


def finish(app: Sphinx, error: Exception | None) -> None:
    if error is None and app.builder.format == "html":
        convert(Path(app.outdir), Path(app.srcdir).parent / "webp")


def setup(app: Sphinx) -> dict[str, Any]:
    # After the extensions that look at the pictures' files under the names that Sphinx gave them.
    app.connect("build-finished", finish, priority=950)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
