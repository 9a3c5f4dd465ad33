"""What every small widget promises, each in a page of its own, opened from file:// without a network."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from playwright.sync_api import Page
from widget_kit import write_page

from figures import whitening_plane
from gem_lite.seeds import stream
from gem_lite.widgets.element import fixed, three_digits
from gem_lite.widgets.expansion_weights import ExpansionWeights, RankedList
from gem_lite.widgets.live import LiveElement
from gem_lite.widgets.margin import Margin
from gem_lite.widgets.whitening_plane import WhiteningPlane

pytestmark = pytest.mark.browser
Visitor = Callable[..., Any]
STEPS = {
    "gem-margin": "it.margin = 0.1 + i / 100",
    "gem-whitening-plane": "it.set({ direction: i })",
    "gem-expansion-weights": "it.alpha = i / 10",
}


def ranked_list() -> RankedList:
    rows = stream("test_widgets_in_pages").normal(size=(130, 16)) + np.r_[np.ones((40, 1)), np.zeros((90, 1))]
    rows /= np.linalg.norm(rows, axis=1, keepdims=True)
    kinds = np.array(["positive"] * 36 + ["junk"] * 6 + ["negative"] * 88)
    return RankedList(rows[0], rows, kinds, own=0)


@pytest.fixture(scope="module")
def widgets() -> dict[str, LiveElement]:
    points = whitening_plane.example()
    each = (
        Margin(),
        WhiteningPlane(points.points, points.landmarks, points.pairs),
        ExpansionWeights({"first": ranked_list(), "again": ranked_list()}),
    )
    return {widget.tag: widget for widget in each}


@pytest.fixture(scope="module")
def addresses(widgets: dict[str, LiveElement], tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """A page with each widget twice."""
    folder = tmp_path_factory.mktemp("pages")
    return {
        tag: write_page(folder / f"{tag}.html", widget.static_html(), widget.static_html())
        for tag, widget in widgets.items()
    }


def output_text(page: Page, tag: str) -> str:
    return " ".join(page.locator(tag).first.locator("output").inner_text().split())


@pytest.mark.parametrize("tag", STEPS)
def test_what_every_widget_promises(tag: str, addresses: dict[str, str], visit: Visitor) -> None:
    """On a phone in the dark: it fits, a finger can use it, two do not meet, a step is quick, no error."""
    opened = visit(addresses[tag], "dark", 390)
    page = opened.page
    assert page.evaluate("document.scrollingElement.scrollWidth") <= 390
    for target in page.locator(tag).first.locator("button, .choice, input[type=range], .handle .hit").all():
        box = target.bounding_box()
        assert box is not None
        assert min(box["width"], box["height"]) >= 40, target
    ids = page.evaluate(
        "(tag) => document.querySelector(tag).shadowRoot.querySelectorAll('[id]').length", tag
    )
    assert ids == 0, "an id would meet that of the next copy"
    before = output_text(page, tag)
    second = page.locator(tag).nth(1).locator("output").inner_text()
    milliseconds = page.evaluate(
        f"""() => {{ const it = document.querySelector("{tag}"), each = [];
        for (let i = 0; i < 30; i++) {{
          const start = performance.now(); {STEPS[tag]}; each.push(performance.now() - start); }}
        return Math.min(...each); }}"""
    )
    assert milliseconds < 32, "the quickest step: the others may have waited for a busy machine"
    assert output_text(page, tag) != before
    assert page.locator(tag).nth(1).locator("output").inner_text() == second
    opened.assert_clean()


@pytest.mark.parametrize("tag", STEPS)
def test_a_picture_without_javascript(
    tag: str, addresses: dict[str, str], widgets: dict[str, LiveElement], visit: Visitor
) -> None:
    picture = visit(addresses[tag], java_script_enabled=False).page.locator(f"{tag} img").first
    assert picture.is_visible()
    assert widgets[tag].description() in (picture.get_attribute("alt") or "")


def assert_plane_shows(page: Page, widget: WhiteningPlane, setting: tuple[int, float, float]) -> None:
    """The element stands where it should, and its numbers are those of the library there."""
    got = page.evaluate("Object.values(document.querySelector('gem-whitening-plane').setting)")
    assert got == pytest.approx(setting)
    for control, value in zip((widget.direction, widget.along, widget.across), setting, strict=True):
        control.value = value
    shares = [f"{fixed(share, 0)} %" for share in widget.shares.values()]
    text = output_text(page, "gem-whitening-plane")
    for part in (*shares, *map(three_digits, widget.gains)):
        assert part in text, text
        text = text.partition(part)[2]
    matrices = " ".join(
        page.locator("gem-whitening-plane").first.locator(".equation").nth(1).inner_text().split()
    )
    assert matrices == " ".join(["CD =", *(fixed(z, 2) for z in widget.states[0].between.ravel())])


def test_whitening_by_keyboard_and_pointer(
    addresses: dict[str, str], widgets: dict[str, LiveElement], visit: Visitor
) -> None:
    opened = visit(addresses["gem-whitening-plane"])
    page, widget = opened.page, widgets["gem-whitening-plane"]
    assert isinstance(widget, WhiteningPlane)
    start = (widget.direction.value, widget.along.value, widget.across.value)
    assert_plane_shows(page, widget, start)
    page.get_by_role("slider", name="Direction of matching differences").first.focus()
    page.keyboard.press("ArrowRight")
    page.get_by_role("slider", name="Size across it").first.focus()
    page.keyboard.press("ArrowRight")
    page.keyboard.press("ArrowRight")
    assert_plane_shows(page, widget, (start[0] + 1, start[1], start[2] + 0.1))
    svg = page.locator("gem-whitening-plane svg").first.bounding_box()
    handle = page.locator("gem-whitening-plane .handle .dot").first.bounding_box()
    assert svg is not None
    assert handle is not None
    (right, up), half = first_square(page)
    scale = svg["width"] / 2 / half
    centre = (svg["x"] + svg["width"] / 2 - right * scale, svg["y"] + svg["height"] / 2 + up * scale)
    page.mouse.move(handle["x"] + handle["width"] / 2, handle["y"] + handle["height"] / 2)
    page.mouse.down()
    page.mouse.move(centre[0], centre[1] - 1.0 * scale, steps=4)
    page.mouse.up()
    assert_plane_shows(page, widget, (90, 1.0, start[2] + 0.1))
    opened.assert_clean()


def first_square(page: Page) -> tuple[list[float], float]:
    """What the first picture shows of the plane: its middle, and half a side."""
    square = page.evaluate("document.querySelector('gem-whitening-plane').squares[0]")
    return square["middle"], square["half"]


def test_no_point_leaves_its_picture(addresses: dict[str, str], visit: Visitor) -> None:
    page = visit(addresses["gem-whitening-plane"]).page
    for setting in ("{}", "{ along: 3, across: 3 }", "{ direction: 90, along: 3, across: 0.1 }"):
        places = page.evaluate(
            f"""() => {{ const it = document.querySelector("gem-whitening-plane"); it.set({setting});
            return it.panels.flatMap((svg) => [".marks", ".within", ".between"].map((part) => {{
              const box = svg.querySelector(part).getBBox();
              return [box.x, box.y, box.x + box.width, box.y + box.height]; }})); }}"""
        )
        assert np.abs(places).max() < 1
        by_panel = np.reshape(places, (3, 3, 4))
        low, high = by_panel[..., :2].min(axis=1), by_panel[..., 2:].max(axis=1)
        assert np.abs(low + high)[1:].max() < 0.1, "and they lie in the middle of it"


def assert_weights_show(page: Page, widget: ExpansionWeights) -> None:
    shares = (f"{fixed(share, 1)} %" for share in widget.shares.values())
    parts = [*shares, fixed(float(widget.weights.sum()), 2), f"{fixed(widget.turn, 1)}°"]
    text = output_text(page, "gem-expansion-weights")
    for part in parts:
        assert part in text, (part, text)
        text = text.partition(part)[2]


def test_weights_by_keyboard_and_pointer(
    addresses: dict[str, str], widgets: dict[str, LiveElement], visit: Visitor
) -> None:
    opened = visit(addresses["gem-expansion-weights"])
    page, widget = opened.page, widgets["gem-expansion-weights"]
    assert isinstance(widget, ExpansionWeights)
    assert_weights_show(page, widget)
    strip = "document.querySelector('gem-expansion-weights').shadowRoot.querySelector('.after').innerHTML"
    before = page.evaluate(strip)
    page.get_by_role("button", name="AQE").first.click()
    page.get_by_role("slider", name="Neighbours n").first.focus()
    page.keyboard.press("End")
    widget.n.value, widget.alpha.value = 100, 0.0
    assert_weights_show(page, widget)
    assert page.evaluate(strip) != before, "the expanded query has put the list into another order"
    page.get_by_role("slider", name="Exponent alpha").first.focus()
    page.keyboard.press("ArrowRight")
    widget.alpha.value = 0.1
    assert_weights_show(page, widget)
    box = page.get_by_role("slider", name="Exponent alpha").first.bounding_box()
    assert box is not None
    page.mouse.click(box["x"] + box["width"] / 2, box["y"] + box["height"] / 2)
    widget.alpha.value = round(page.evaluate("document.querySelector('gem-expansion-weights').alpha"), 1)
    assert widget.alpha.value == pytest.approx(5, abs=0.2)
    assert_weights_show(page, widget)
    opened.assert_clean()
