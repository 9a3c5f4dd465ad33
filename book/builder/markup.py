"""Sphinx extension: mends markup that would mislead those who read the pages, or have them read to them.

- The empty corner of a table is no header of anything: Sphinx writes an empty ``<th>``.
- No line ends between a number and its unit: parted by it, both have to be read twice.
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

UNIT = r"(?:%|ms|s|min|h|kB|KB|MB|GB|KiB|MiB|GiB|px)(?![\w%])"
PASTED = r'<span class="pasted-text">[^<]*</span>'
NUMBER_AND_UNIT = re.compile(rf"({PASTED}|\d)\s(?={UNIT})")
# "p =" as a formula, and the pasted number that it is. Beside a formula, a box, no kind of space is enough.
EQUATION = re.compile(rf'<span class="math[^>]*>[^<]*=\\\)</span>\s{PASTED}')
VERBATIM = re.compile(r"(<(pre|code|script|style|noscript)\b.*?</\2>)", re.DOTALL)


def mended(html: str) -> str:
    """The page.

    >>> mended('<tr><th class="head"><p></p></th><th>a</th></tr>')
    '<tr><td></td><th>a</th></tr>'
    """
    html = EMPTY_HEADER.sub("<td></td>", html)
    for written, right in CITATION_ROLES:
        html = html.replace(written, right)
    return together(html)


def together(html: str) -> str:
    """Numbers and their units with a space between them at which no line ends; code stays as it is.

    >>> together('<p>4 %, <code>4 % 3</code>, 4 sheep</p><pre>4 % 3</pre>').replace("\xa0", "_")
    '<p>4_%, <code>4 % 3</code>, 4 sheep</p><pre>4 % 3</pre>'
    """
    parts = VERBATIM.split(html)  # text, verbatim, its tag, text, ...
    parts[::3] = [NUMBER_AND_UNIT.sub("\\1\xa0", text) for text in parts[::3]]
    parts[::3] = [EQUATION.sub(r'<span class="together">\g<0></span>', text) for text in parts[::3]]
    del parts[2::3]
    return "".join(parts)


def finish(app: Sphinx, error: Exception | None) -> None:
    if error is None and app.builder.format == "html":
        for page in Path(app.outdir).glob("*.html"):
            page.write_text(mended(page.read_text(encoding="utf8")), encoding="utf8")


def setup(app: Sphinx) -> dict[str, Any]:
    app.connect("build-finished", finish, priority=900)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
