"""Sphinx extension: each figure leads to its own file, which the browser shows as large as the reader likes.

A phone shows a page's figures 350 pixels wide; the file by itself can be pinched and scrolled. A plain link
needs no script, no network and no mouse.
"""

import re
from pathlib import Path
from typing import Any
from urllib.parse import unquote
from xml.etree import ElementTree

from PIL import Image
from sphinx.application import Sphinx

FIGURE = re.compile(r"<figure\b.*?</figure>", re.DOTALL)
# Sphinx makes such a link itself where a picture has been given a width, without a word of what it does.
PICTURE = re.compile(
    r'(?:<a class="reference internal image-reference"[^>]*>)?'
    r'(?P<image><img\b[^>]*?\bsrc="(?P<file>_images/[^"]+)"[^>]*>)(?:\s*</a>)?'
)
NUMBER = re.compile(r'<span class="caption-number">([^<]+)</span>')
WIDE = 1.6  # times as wide as high: on a phone a strip that is hard to read
PAGE = 1300  # pixels across: drawn for a page, many pictures side by side


def enlargeable(html: str, folder: Path) -> str:
    """The page, each picture of a figure in a link to its file.

    Args:
        html: the page; what is not in a ``<figure>``, or not a file of the book, stays as it is.
        folder: where the page lies, and the pictures' addresses start.
    """
    return FIGURE.sub(lambda figure: _linked(figure[0], folder), html)


def _linked(figure: str, folder: Path) -> str:
    found = NUMBER.search(figure)
    name = found[1].strip() if found else "the picture"

    def link(picture: re.Match[str]) -> str:
        kind = "enlarge wide" if is_wide(folder / unquote(picture["file"])) else "enlarge"
        sign = f'<span class="enlarge-sign">Enlarge {name}</span>'
        return f'<a class="{kind}" href="{picture["file"]}">{picture["image"]}{sign}</a>'

    return PICTURE.sub(link, figure, count=1)


def is_wide(file: Path) -> bool:
    """Whether a picture is hard to read where it is as narrow as a phone.

    Raises:
        ValueError: for an SVG file that does not say how large it is.
    """
    if file.suffix != ".svg":
        with Image.open(file) as picture:
            return picture.width / picture.height >= WIDE or picture.width >= PAGE
    box = ElementTree.parse(file).getroot().get("viewBox", "").split()
    if len(box) != 4:
        raise ValueError(f"{file}: an SVG picture needs a viewBox")
    return float(box[2]) / float(box[3]) >= WIDE


def finish(app: Sphinx, error: Exception | None) -> None:
    if error is None and app.builder.format == "html":
        for page in Path(app.outdir).glob("*.html"):
            page.write_text(enlargeable(page.read_text("utf8"), page.parent), encoding="utf8")


def setup(app: Sphinx) -> dict[str, Any]:
    app.connect("build-finished", finish, priority=900)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
