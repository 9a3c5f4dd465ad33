"""The margin widget in a page of its own, opened from file://, without a kernel and without a network."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from playwright.sync_api import Page
from widget_kit import write_page

from gem_lite.widgets.element import fixed
from gem_lite.widgets.margin import Margin

pytestmark = pytest.mark.browser
Visitor = Callable[..., Any]


@pytest.fixture(scope="module")
def page_address(tmp_path_factory: pytest.TempPathFactory) -> str:
    path = tmp_path_factory.mktemp("page") / "page.html"
    return write_page(path, Margin(query=40, other=28, margin=0.5).static_html())


def state(page: Page) -> dict[str, Any]:
    found: dict[str, Any] = page.evaluate(
        """() => { const it = document.querySelector("gem-margin");
        return { query: it.angles[0], other: it.angles[1], matching: it.matching, margin: it.margin }; }"""
    )
    return found


def assert_shows(page: Page, **expected: Any) -> None:
    """The element stands where it should, and its numbers are those of the library there."""
    assert state(page) == expected
    widget = Margin(**expected)
    text = " ".join(page.locator("gem-margin output").inner_text().split())
    lengths = (np.linalg.norm(both[1]) for both in (widget.gradients, widget.tangents))
    numbers = [widget.distance, np.prod(widget.points, axis=0).sum(), widget.loss, *lengths]
    names = ("distance d", "cosine", "loss", "gradient, length", "along the circle")
    written = (f"{name} {fixed(value, 4)}" for name, value in zip(names, numbers, strict=True))
    assert text == " ".join([widget.verdict(), *written])


def test_moved_by_keyboard(page_address: str, visit: Visitor) -> None:
    opened = visit(page_address)
    page = opened.page
    assert_shows(page, query=40, other=28, matching=False, margin=0.5)
    handle = page.get_by_role("slider", name="Other image, angle")
    arrow = page.locator("gem-margin .force").nth(1)
    before = arrow.get_attribute("d")
    handle.focus()
    for key in ("ArrowLeft", "PageDown", "PageDown", "ArrowRight", "ArrowRight"):
        page.keyboard.press(key)
    assert_shows(page, query=40, other=9, matching=False, margin=0.5)
    assert handle.get_attribute("aria-valuetext") == "9 degrees"
    assert arrow.get_attribute("d") == "" != before, "beyond the margin nothing moves"
    page.get_by_role("radio", name="no match").focus()
    page.keyboard.press("ArrowLeft")
    assert_shows(page, query=40, other=9, matching=True, margin=0.5)
    assert arrow.get_attribute("d")
    page.get_by_role("slider", name="Margin").focus()
    page.keyboard.press("ArrowRight")
    assert_shows(page, query=40, other=9, matching=True, margin=0.51)
    opened.assert_clean()


def middle(page: Page, selector: str) -> tuple[float, float]:
    box = page.locator(f"gem-margin {selector}").bounding_box()
    assert box is not None
    return box["x"] + box["width"] / 2, box["y"] + box["height"] / 2


def test_dragged_along_the_circle(page_address: str, visit: Visitor) -> None:
    page = visit(page_address).page
    centre = middle(page, ".circle")
    page.mouse.move(*middle(page, ".other .dot"))
    page.mouse.down()
    seen = []
    for angle in (0, -45, -90):
        x, y = np.cos(np.deg2rad(angle)), np.sin(np.deg2rad(angle))
        page.mouse.move(centre[0] + 150 * x, centre[1] - 150 * y, steps=3)
        seen.append(state(page)["other"])
    page.mouse.up()
    assert seen == pytest.approx([0, -45, -90], abs=1)
    page.mouse.move(*centre)
    assert_shows(page, query=40, other=seen[-1], matching=False, margin=0.5)
    assert (
        page.evaluate("document.querySelector('gem-margin').shadowRoot.activeElement.classList[1]") == "other"
    )
    place = middle(page, ".other .dot")
    assert place[0] == pytest.approx(centre[0], abs=4)
    assert place[1] > centre[1] + 100, "the point has followed, to the lowest place of the circle"


def test_dragged_by_a_finger(page_address: str, visit: Visitor) -> None:
    page = visit(page_address, "dark", 390, has_touch=True, is_mobile=True).page
    page.locator("gem-margin .choice").first.tap()
    session = page.context.new_cdp_session(page)
    centre, start = middle(page, ".circle"), middle(page, ".query .dot")

    def touch(kind: str, *places: tuple[float, float]) -> None:
        points = [{"x": x, "y": y} for x, y in places]
        session.send("Input.dispatchTouchEvent", {"type": kind, "touchPoints": points})

    touch("touchStart", start)
    touch("touchMove", (centre[0] + 20, centre[1] - 100))
    touch("touchMove", (centre[0], centre[1] - 100))
    touch("touchEnd")
    # Chromium hands touches on with its next frame.
    page.wait_for_function("Math.abs(document.querySelector('gem-margin').angles[0] - 90) <= 1")
    assert page.evaluate("document.scrollingElement.scrollTop") == 0, "the page has not scrolled instead"
    assert_shows(page, query=state(page)["query"], other=28, matching=True, margin=0.5)


def test_letters_do_not_meet(page_address: str, visit: Visitor) -> None:
    page = visit(page_address, "dark", 390).page
    for other in (40, 41, 36, -140):
        first, second = page.evaluate(
            """(other) => { const it = document.querySelector("gem-margin");
            Object.assign(it, { query: 40, other });
            return [...it.shadowRoot.querySelectorAll(".handle text")].map((text) => {
              const { left, right, top, bottom } = text.getBoundingClientRect();
              return [left, right, top, bottom]; }); }""",
            other,
        )
        gaps = (first[0] - second[1], second[0] - first[1], first[2] - second[3], second[2] - first[3])
        assert max(gaps) > 0, other


def test_a_small_gradient_is_seen(page_address: str, visit: Visitor) -> None:
    """Just inside the margin, where half a gradient is shorter than the point is broad."""
    page = visit(page_address, "light", 1200).page
    page.evaluate("document.querySelector('gem-margin').margin = 0.22")
    assert 0 < np.linalg.norm(Margin(query=40, other=28, margin=0.22).gradients[0]) < 0.02
    for kind in (".force", ".tangent"):
        lengths = page.evaluate(
            """(kind) => { const it = document.querySelector("gem-margin").shadowRoot;
            return [...it.querySelectorAll(kind)].map((arrow) => {
              const box = arrow.getBoundingClientRect(); return Math.hypot(box.width, box.height); }); }""",
            kind,
        )
        assert min(lengths) > 18, kind
    above = page.evaluate(
        """() => { const it = document.querySelector("gem-margin").shadowRoot;
        const [arrow, point] = [it.querySelector(".tangent"), it.querySelector(".other")];
        return Boolean(point.compareDocumentPosition(arrow) & Node.DOCUMENT_POSITION_FOLLOWING); }"""
    )
    assert above, "the thin arrow is drawn on top of the points"
