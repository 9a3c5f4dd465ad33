"""axe-core over an open page; what remains to be excused is named here, with whose it is and why."""

from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import axe_playwright_python
from playwright.sync_api import Page

COLOUR_RULES = ("color-contrast", "link-in-text-block")
# A page of code has thousands of coloured words, a page of formulas as many glyphs, and a rule of axe takes
# milliseconds for each. Code is looked at by `hardToRead`, once for each kind of word; formulas take the
# colour of the text around them.
NOT_BY_AXE = ("div.highlight", "mjx-container")


@dataclass(frozen=True)
class Excuse:
    """A rule that some elements which are not ours, and no others, may break."""

    rule: str
    within: str  # a selector: only elements that match are excused
    reason: str


EXCUSES = (
    Excuse(
        "region",
        ".sidebar-primary-item:has(.navbar-brand)",
        "sphinx-book-theme 1.x puts the book's title into its sidebar beside <nav>, not into it",
    ),
    Excuse(
        "empty-table-header",
        "th:has(mjx-assistive-mml)",
        "MathJax 3 hides its glyphs and lays MathML over them; screen readers read it, axe-core 4 does not",
    ),
)


@cache
def _script() -> str:
    return (Path(axe_playwright_python.__file__).parent / "axe.min.js").read_text(encoding="utf8")


def structure(page: Page) -> list[str]:
    """What axe-core finds on a page with `page_checks.js`, but for its colours."""
    off = {rule: {"enabled": False} for rule in COLOUR_RULES}
    return _violations(page, [], {"rules": off})


def colours(page: Page) -> list[str]:
    """What is hard to read in the colours that the page has now."""
    only = {"runOnly": {"type": "rule", "values": list(COLOUR_RULES)}}
    found: list[str] = page.evaluate("hardToRead()")
    return found + _violations(page, list(NOT_BY_AXE), only)


def _violations(page: Page, without: list[str], options: dict[str, Any]) -> list[str]:
    if not page.evaluate("'axe' in window"):
        page.evaluate(_script())
    excused = [(excuse.rule, excuse.within) for excuse in EXCUSES]
    found: list[str] = page.evaluate("(given) => violations(...given)", [without, options, excused])
    return found
