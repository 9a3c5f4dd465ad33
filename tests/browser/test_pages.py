"""Every page of the built book, light and dark, wide and on a phone, as a file and without a network.

A page is loaded once, from ``file://``, the strictest place to be opened from. Then the window and the
colours change around it, as they do under a reader's hands. A few pages are opened from a web server too,
below a path.
"""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import accessibility
import nbformat
import pytest
from playwright.sync_api import Browser, Page
from visits import PATIENCE, Visit, listening, served

pytestmark = [pytest.mark.browser, pytest.mark.book, pytest.mark.slow]
CHECKS = Path(__file__).with_name("page_checks.js")
# Bytes of a page and of all that no other page uses; the playground carries its collection.
BUDGET, OF_THE_PLAYGROUND = 400_000, 4_000_000
WIDTHS, COLOURS = (1200, 390), ("light", "dark")


@pytest.fixture(scope="module")
def window(browser: Browser) -> Iterator[Page]:
    """One window for all pages: what they share is read from disk once."""
    context = browser.new_context(color_scheme="light", reduced_motion="reduce")
    context.set_default_timeout(PATIENCE)
    yield context.new_page()
    context.close()


@pytest.fixture
def opened(built_book: Path, book_page: str, window: Page) -> Iterator[Visit]:
    """The page of this test, in the window."""
    window.emulate_media(color_scheme="light")
    window.set_viewport_size({"width": WIDTHS[0], "height": 900})
    with listening(window, "file://") as visit:
        window.goto((built_book / book_page).as_uri(), wait_until="load")
        window.add_script_tag(path=CHECKS)
        yield visit


def findings(page: Page) -> Iterator[str]:
    """All that is wrong with an open page, in every width and in both colours."""
    for check in ("formulasNotTypeset", "imagesNotSeen"):
        yield from page.evaluate(f"{check}()")
    yield from accessibility.structure(page)
    for colours in COLOURS:
        page.emulate_media(color_scheme=colours)
        page.wait_for_function("(name) => document.documentElement.dataset.theme === name", arg=colours)
        for width in WIDTHS:
            page.set_viewport_size({"width": width, "height": 900})
            page.wait_for_timeout(50)
            found = page.evaluate("widerThanTheWindow()")
            yield from (f"{width} px: {line}" for line in found)
        yield from (f"{colours}: {line}" for line in accessibility.colours(page))


def test_page(opened: Visit, built_book: Path, record_property: Callable[[str, Any], None]) -> None:
    wrong = list(findings(opened.page))
    assert not wrong, "\n".join(wrong)
    opened.assert_clean()
    everything, own = opened.weight(built_book)
    record_property("page_weight", (everything, own))
    assert own <= (OF_THE_PLAYGROUND if opened.page.url.endswith("/playground.html") else BUDGET)


def test_the_front_door_leads_in(built_book: Path, visit: Callable[..., Any]) -> None:
    page = visit((built_book / "index.html").as_uri(), "dark").page
    page.wait_for_url("**/intro.html")
    assert page.locator("article h1").is_visible()
    assert page.evaluate("document.documentElement.dataset.theme") == "dark"


@pytest.fixture(scope="module")
def below_a_path(built_book: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """Address of the book on a web server, where it is not the root: as on a project's pages."""
    root = tmp_path_factory.mktemp("server")
    (root / "some").mkdir()
    (root / "some" / "path").symlink_to(built_book)
    with served(root) as address:
        yield f"{address}/some/path"


@pytest.mark.parametrize("name", ["intro", "03_pooling", "genindex"])
def test_below_a_path_of_a_web_server(below_a_path: str, name: str, visit: Callable[..., Any]) -> None:
    opened = visit(f"{below_a_path}/{name}.html")
    opened.page.add_script_tag(path=CHECKS)
    assert opened.page.evaluate("formulasNotTypeset()") == []
    assert opened.page.evaluate("imagesNotSeen()") == []
    outside = [url for url in opened.asked if not url.startswith((below_a_path, "data:"))]
    assert not outside
    opened.assert_clean()


def test_search_finds_a_chapter(below_a_path: str, visit: Callable[..., Any]) -> None:
    opened = visit(f"{below_a_path}/search.html?q=whitening")
    hits = opened.page.locator("#search-results li a")
    hits.first.wait_for()
    assert any("08_whitening.html" in (hit.get_attribute("href") or "") for hit in hits.all())
    opened.assert_clean()


def test_previous_and_next_lead_through_the_book(built_book: Path, visit: Callable[..., Any]) -> None:
    page = visit((built_book / "03_pooling.html").as_uri()).page
    page.locator("a.right-next").click()
    page.wait_for_url("**/04_feature_maps.html")
    page.locator("a.left-prev").click()
    page.wait_for_url("**/03_pooling.html")


def test_a_figure_is_enlarged_on_a_phone(built_book: Path, visit: Callable[..., Any]) -> None:
    opened = visit((built_book / "06_training.html").as_uri(), "dark", 390, has_touch=True, is_mobile=True)
    link = opened.page.locator("a.enlarge.wide").first
    link.scroll_into_view_if_needed()
    assert link.locator(".enlarge-sign").bounding_box()["x"] >= 0, "what the link does can be read"
    box, picture = link.bounding_box(), link.locator("img").bounding_box()
    assert picture["width"] >= 600 > 390 >= box["width"], "the panels scroll in their own box"
    file = picture and link.get_attribute("href")
    link.tap()
    opened.page.wait_for_url(f"**/{file}")
    assert opened.page.evaluate("document.images[0].naturalWidth") > 600
    opened.assert_clean()


def test_the_keyboard_reaches_a_figure(built_book: Path, visit: Callable[..., Any]) -> None:
    page = visit((built_book / "03_pooling.html").as_uri()).page
    link = page.locator("a.enlarge").first
    link.focus()
    page.wait_for_function(
        "(sign) => getComputedStyle(sign).opacity === '1'", arg=link.locator("span").element_handle()
    )
    page.keyboard.press("Enter")
    page.wait_for_url("**/_images/*")


def test_code_is_copied(built_book: Path, visit: Callable[..., Any]) -> None:
    page = visit((built_book / "03_pooling.html").as_uri()).page
    page.evaluate('document.addEventListener("copy", (event) => { window.copied = event.target.value; })')
    cell = page.locator("div.cell_input div.highlight").first
    cell.hover()
    cell.locator("button.copybtn").click()
    page.wait_for_function("window.copied")
    assert page.evaluate("window.copied").strip() == cell.locator("pre").inner_text().strip() != ""


def test_the_executed_notebook_is_downloaded(built_book: Path, visit: Callable[..., Any]) -> None:
    page = visit((built_book / "03_pooling.html").as_uri()).page
    link = page.locator("a.btn-download-source-button").first
    address = page.evaluate("(link) => link.href", link.element_handle())
    notebook = nbformat.read(Path(address.removeprefix("file://")), as_version=4)
    assert any(cell.get("outputs") for cell in notebook.cells), "it holds its results"
