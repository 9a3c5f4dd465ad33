"""Sphinx extension: takes out of the built pages what the theme brings and no page of this book uses.

Two thirds of the theme's files are of no use to a reader: source maps of its scripts, its translations, fonts
in a second format. Its icons come twice, as a font and as a script of 1.5 MB on every page; the font will do.
In code each name, comma and space has an element of its own, in the colour that the code has anyway.
"""

import re
import shutil
from pathlib import Path
from typing import Any

from sphinx.application import Sphinx

UNUSED_FOLDERS = ("locales",)
UNUSED_FILES = ("*.map", "*.ttf", "scripts/fontawesome.js", "sphinx-thebe.*", "*webpack-macros.html")
ICON_SCRIPT = re.compile(r'\s*<script[^>]*src="[^"]*/fontawesome\.js[^"]*"[^>]*></script>')
# Pygments' classes for names, punctuation and white space; no style of this book gives them a colour.
PLAIN_CODE = re.compile(r'<span class="(?:n|p|w)">([^<]*)</span>')


def lighten(html: Path) -> None:
    """Remove these files below `_static`, and what would ask for them."""
    static = html / "_static"
    for name in UNUSED_FOLDERS:
        shutil.rmtree(static / name, ignore_errors=True)
    for pattern in UNUSED_FILES:
        for path in static.rglob(pattern):
            path.unlink()
    for page in html.glob("*.html"):
        text = ICON_SCRIPT.sub("", page.read_text(encoding="utf8"))
        page.write_text(PLAIN_CODE.sub(r"\1", text), encoding="utf8")
    for script in static.rglob("*.js"):
        _forget_source_map(script)


def _forget_source_map(script: Path) -> None:
    """A browser's developer tools would report the map as missing."""
    text = script.read_text(encoding="utf8")
    if "//# sourceMappingURL=" in text:
        script.write_text(re.sub(r"//# sourceMappingURL=\S+\s*$", "", text), encoding="utf8")


def finish(app: Sphinx, error: Exception | None) -> None:
    if error is None and app.builder.format == "html":
        lighten(Path(app.outdir))


def setup(app: Sphinx) -> dict[str, Any]:
    app.connect("build-finished", finish, priority=900)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
