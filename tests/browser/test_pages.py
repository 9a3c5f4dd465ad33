"""Every page of the built book, in light and dark, wide and on a phone, without a network.

Each page is loaded twice: over http in light at 1200 px, and from file:// in dark at 390 px. Each time it is
looked at in both widths, so that all four combinations of colours and widths are seen with half the loading.
"""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Page

pytestmark = [pytest.mark.browser, pytest.mark.book, pytest.mark.slow]
WIDTHS = (1200, 390)

CHECKS = ("formulasNotTypeset", "imagesNotSeen", "widerThanTheWindow", "hardToRead")


def assert_readable(page: Page, width: int) -> None:
    """At this width nothing sticks out, and all that can be read or seen is there."""
    page.set_viewport_size({"width": width, "height": 900})
    page.wait_for_timeout(50)
    findings = {check: page.evaluate(f"{check}()") for check in CHECKS}
    wrong = {check: found for check, found in findings.items() if found}
    assert not wrong, f"at {width} px: {wrong}"


def assert_page_is_good(visited: Any, scheme: str) -> None:
    visited.page.add_script_tag(path=Path(__file__).with_name("page_checks.js"))
    for width in WIDTHS:
        assert_readable(visited.page, width)
    assert visited.page.evaluate("document.documentElement.dataset.theme") == scheme
    visited.assert_clean()


def test_over_http_in_light(book_address: str, book_page: str, visit: Callable[..., Any]) -> None:
    assert_page_is_good(visit(f"{book_address}/{book_page}", "light", 1200), "light")


def test_from_a_file_in_the_dark(built_book: Path, book_page: str, visit: Callable[..., Any]) -> None:
    assert_page_is_good(visit((built_book / book_page).as_uri(), "dark", 390), "dark")


def test_the_front_door_leads_in(built_book: Path, visit: Callable[..., Any]) -> None:
    page = visit((built_book / "index.html").as_uri()).page
    page.wait_for_url("**/intro.html")
    assert page.locator("article h1").is_visible()
