"""Sphinx extension: mends markup that would mislead those who have the pages read to them.

- The empty corner of a table is no header of anything: Sphinx writes an empty ``<th>``.
- docutils marks a bibliography with roles of DPUB-ARIA 1.0 that its version 1.1 has withdrawn, in a list that
  holds other things than entries; without roles it is read as the text that it is.
"""

import re
from pathlib import Path
from typing import Any

from sphinx.application import Sphinx

EMPTY_HEADER = re.compile(r"<th(?: class=\"[^\"]*\")?>(?:<p></p>)?</th>")
CITATION_ROLES = (
    ('<div role="list" class="citation-list">', '<div class="citation-list">'),
    (' role="doc-biblioentry"', ""),
)


def mended(html: str) -> str:
    """The page.

    >>> mended('<tr><th class="head"><p></p></th><th>a</th></tr>')
    '<tr><td></td><th>a</th></tr>'
    """
    html = EMPTY_HEADER.sub("<td></td>", html)
    for written, right in CITATION_ROLES:
        html = html.replace(written, right)
    return html


def finish(app: Sphinx, error: Exception | None) -> None:
    if error is None and app.builder.format == "html":
        for page in Path(app.outdir).glob("*.html"):
            page.write_text(mended(page.read_text(encoding="utf8")), encoding="utf8")


def setup(app: Sphinx) -> dict[str, Any]:
    app.connect("build-finished", finish, priority=900)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
