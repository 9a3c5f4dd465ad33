"""Sphinx extension: mends markup that would mislead those who read the pages, or have them read to them.

- The empty corner of a table is no header of anything: Sphinx writes an empty ``<th>``.
- No line ends between a number and its unit, in an interval, in short code, or between a formula
  and the comma after it: parted, they have to be read twice. Long names in code may end a line after a "_".
- docutils marks a bibliography with roles of DPUB-ARIA 1.0 that its version 1.1 has withdrawn, in a list that
  holds other things than entries; without roles it is read as the text that it is.
"""

import re
from html import unescape
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
# "[-1.2, 3.4]", "1.2 ± 0.3" and "-1.2 to 3.4", which is an interval if its numbers have decimals.
NUMBER = r"[+−-]?\d[\d.]*"
INTERVAL = re.compile(rf"\[{NUMBER},\s{NUMBER}\]|{NUMBER}\s±\s{NUMBER}|{NUMBER}\sto\s[+−-]?\d+\.\d+")
BETWEEN_TAGS = re.compile(r"(?:\A|(?<=>))[^<]+")
# "p =" as a formula, and the pasted number that it is. Beside a formula, a box, no kind of space is enough.
FORMULA = r'<span class="math[^>]*>[^<]*</span>'
EQUATION = re.compile(rf'[(\[]?<span class="math[^>]*>[^<]*=\\\)</span>\s{PASTED}')
# A line may end on either side of a box: also before a comma, after a bracket and in "p-slider".
BEFORE, AFTER = r"[(\[“]", r"(?:[-–][^\W\d_]+|[.,;:!?)\]”’%]+)"
PUNCTUATED = re.compile(rf"{BEFORE}{FORMULA}{AFTER}|{FORMULA}{AFTER}|{BEFORE}{FORMULA}(?!\s{PASTED})")
TOGETHER = r'<span class="together">\g<0></span>'
CODE = re.compile(r'<code class="([^"]*)">(.*?)</code>', re.DOTALL)
SHORT_CODE, LONG_NAME = 24, re.compile(r"\w{17,}")  # letters
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
    """What belongs together on one line; the letters of code stay as they are.

    >>> together('<p>4 %, <code>4 % 3</code>, 4 sheep, 1 [0, 2]</p><pre>4 % 3</pre>').replace("\xa0", "_")
    '<p>4_%, <code>4 % 3</code>, 4 sheep, 1 [0,_2]</p><pre>4 % 3</pre>'
    """
    parts = VERBATIM.split(html)  # text, verbatim, its tag, text, ...
    parts[::3] = [_text(text) for text in parts[::3]]
    parts[1::3] = [CODE.sub(_code, verbatim) for verbatim in parts[1::3]]
    del parts[2::3]
    return "".join(parts)


def _text(html: str) -> str:
    html = NUMBER_AND_UNIT.sub("\\1\xa0", html)
    html = BETWEEN_TAGS.sub(lambda text: INTERVAL.sub(_unparted, text[0]), html)
    return EQUATION.sub(TOGETHER, PUNCTUATED.sub(TOGETHER, html))


def _unparted(interval: re.Match[str]) -> str:
    return re.sub(r"\s", "\xa0", interval[0])


def _code(found: re.Match[str]) -> str:
    """Code inside a sentence: short, it is read in one piece; a long name may end a line after a "_"."""
    classes, text = found.groups()
    letters = unescape(re.sub("<[^>]*>", "", text))
    if len(letters) <= SHORT_CODE and not LONG_NAME.search(letters):
        return f'<code class="{classes} together">{text}</code>'
    text = LONG_NAME.sub(lambda name: name[0].replace("_", "_<wbr>"), text)
    return f'<code class="{classes}">{text}</code>'


def finish(app: Sphinx, error: Exception | None) -> None:
    if error is None and app.builder.format == "html":
        for page in Path(app.outdir).glob("*.html"):
            page.write_text(mended(page.read_text(encoding="utf8")), encoding="utf8")


def setup(app: Sphinx) -> dict[str, Any]:
    app.connect("build-finished", finish, priority=900)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
