"""The p-slider in a page of its own, opened from file://, without a kernel and without a network."""

import math
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from playwright.sync_api import Page
from widget_kit import write_page

from gem_lite.seeds import stream
from gem_lite.widgets.element import three_digits
from gem_lite.widgets.p_slider import PSlider
from gem_lite.widgets.p_slider_picture import contribution_shares, half_count, pooled

pytestmark = pytest.mark.browser
CHANNELS = [3, 0, 2]
Visitor = Callable[..., Any]


@pytest.fixture(scope="module")
def maps() -> np.ndarray:
    draws = stream("test_p_slider", "maps").exponential(2.0, (5, 9, 12)).astype(np.float32)
    return np.where(draws > 2, draws, 0).astype(np.float32)


@pytest.fixture(scope="module")
def page_address(maps: np.ndarray, tmp_path_factory: pytest.TempPathFactory) -> str:
    """A page with two sliders: the first at p = 3, the second at the maximum."""
    photo = stream("test_p_slider", "photo").integers(0, 256, (90, 120, 3), dtype=np.uint8)
    sliders = [PSlider(maps, photo, p, CHANNELS, photo_alt="Coloured noise") for p in (3.0, math.inf)]
    path = tmp_path_factory.mktemp("page") / "page.html"
    return write_page(path, *(slider.static_html() for slider in sliders))


@pytest.fixture(scope="module")
def both_address(maps: np.ndarray, tmp_path_factory: pytest.TempPathFactory) -> str:
    """A page with one slider over two networks."""
    photo = stream("test_p_slider", "photo").integers(0, 256, (90, 120, 3), dtype=np.uint8)
    slider = PSlider({"before": maps, "after": 2 * maps[::-1]}, photo, 3.0, CHANNELS)
    return write_page(tmp_path_factory.mktemp("page") / "page.html", slider.static_html())


def output_text(page: Page) -> str:
    """Words and numbers below the pictures, a space between cells."""
    return " ".join(page.locator("gem-p-slider").first.locator("output").inner_text().split())


def canvas_picture(page: Page, name: str = "contributions") -> str:
    canvas = page.locator(f"gem-p-slider .{name} canvas").first
    picture: str = canvas.evaluate("(c) => c.toDataURL()")
    return picture


def all_contributions(page: Page) -> list[str]:
    canvases = page.locator("gem-p-slider .contributions canvas")
    pictures: list[str] = canvases.evaluate_all("(all) => all.map((c) => c.toDataURL())")
    return pictures


def assert_shows(page: Page, channel: np.ndarray, p: float) -> None:
    """The words under the pictures are those that Python would write."""
    half = half_count(contribution_shares(channel, p))
    text = output_text(page)
    assert f"p = {three_digits(p)}" in text
    assert f"pooled value {three_digits(pooled(channel, p))}" in text
    assert f"positions for half {half} of {channel.size}" in text


@pytest.mark.parametrize("index", CHANNELS)
def test_numbers_are_pythons(page_address: str, maps: np.ndarray, index: int, visit: Visitor) -> None:
    page = visit(page_address).page
    for p in (1.0, 1.3, 2.0, 3.0, 4.7, 12.0, 55.0, 100.0, math.inf):
        got = page.evaluate(
            """([index, p]) => { const slider = document.querySelector("gem-p-slider");
            slider.channel = index; slider.p = p ?? Infinity;
            return [slider.pooled[0], Array.from(slider.shares[0])]; }""",
            [index, None if math.isinf(p) else p],
        )
        assert got[0] == pytest.approx(pooled(maps[index], p), rel=1e-5)
        np.testing.assert_allclose(got[1], contribution_shares(maps[index], p).ravel(), rtol=1e-9, atol=1e-15)
        assert_shows(page, maps[index], p)


def test_moved_by_keyboard(page_address: str, maps: np.ndarray, visit: Visitor) -> None:
    opened = visit(page_address)
    page = opened.page
    channel = maps[CHANNELS[0]]
    assert_shows(page, channel, 3.0)
    before = canvas_picture(page)
    page.locator("gem-p-slider input[type=range]").first.focus()
    for _ in range(20):
        page.keyboard.press("ArrowRight")
    p = page.evaluate("document.querySelector('gem-p-slider').p")
    assert p > 4
    assert_shows(page, channel, p)
    assert canvas_picture(page) != before
    page.keyboard.press("End")
    assert_shows(page, channel, math.inf)
    page.keyboard.press("Home")
    assert_shows(page, channel, 1.0)
    opened.assert_clean()


def test_both_networks_follow(both_address: str, maps: np.ndarray, visit: Visitor) -> None:
    opened = visit(both_address)
    page = opened.page
    before = all_contributions(page)
    page.locator("gem-p-slider input[type=range]").focus()
    page.keyboard.press("PageUp")
    p = page.evaluate("document.querySelector('gem-p-slider').p")
    channels = [maps[CHANNELS[0]], 2 * maps[::-1][CHANNELS[0]]]
    values = " ".join(three_digits(pooled(channel, p)) for channel in channels)
    text = output_text(page)
    assert p > 3
    assert f"p = {three_digits(p)} network before after pooled value {values} mean" in text
    halves = " ".join(f"{half_count(contribution_shares(x, p))} of {x.size}" for x in channels)
    assert text.endswith(f"positions for half {halves}")
    after = all_contributions(page)
    assert len(after) == 2
    assert all(old != new for old, new in zip(before, after, strict=True))
    assert page.get_by_role("img", name=f"Feature map of channel {CHANNELS[0]}, after").count() == 1
    opened.assert_clean()


def test_the_exponent_is_continuous(page_address: str, visit: Visitor) -> None:
    """Not tied to the steps of a key: a pointer reaches exponents between them."""
    p = visit(page_address).page.evaluate(
        """() => { const slider = document.querySelector("gem-p-slider");
        const range = slider.shadowRoot.querySelector("input[type=range]");
        return [100, 100.4].map((place) => {
          range.value = place; range.dispatchEvent(new Event("input")); return slider.p; }); }"""
    )
    assert p == [4.0, 4.03]


def test_focus_leaves_the_ticks_free(page_address: str, visit: Visitor) -> None:
    """The ring is drawn around the thumb, inside the slider's own box, which ends above the ticks."""
    page = visit(page_address).page
    page.locator("gem-p-slider input[type=range]").first.focus()
    page.keyboard.press("ArrowRight")
    outline, gap = page.evaluate(
        """() => { const root = document.querySelector("gem-p-slider").shadowRoot;
        const range = root.querySelector("input[type=range]"), tick = root.querySelector(".tick");
        const middle = range.getBoundingClientRect().top + range.offsetHeight / 2;
        return [getComputedStyle(range).outlineStyle, tick.getBoundingClientRect().top - middle]; }"""
    )
    assert outline == "none"
    assert gap >= 14 + 3, "half a thumb and its ring"


def test_channel_chosen_by_keyboard(page_address: str, maps: np.ndarray, visit: Visitor) -> None:
    page = visit(page_address).page
    before = canvas_picture(page, "map")
    page.locator("gem-p-slider input[type=radio]").first.focus()
    page.keyboard.press("ArrowRight")
    assert page.evaluate("document.querySelector('gem-p-slider').channel") == CHANNELS[1]
    assert_shows(page, maps[CHANNELS[1]], 3.0)
    assert canvas_picture(page, "map") != before


def test_moved_by_pointer(page_address: str, maps: np.ndarray, visit: Visitor) -> None:
    page = visit(page_address).page
    box = page.locator("gem-p-slider input[type=range]").first.bounding_box()
    assert box is not None
    middle = box["y"] + box["height"] / 2
    page.mouse.move(box["x"] + 0.42 * box["width"], middle)
    page.mouse.down()
    seen = set()
    for place in (0.5, 0.6, 0.7):
        page.mouse.move(box["x"] + place * box["width"], middle)
        seen.add(page.evaluate("document.querySelector('gem-p-slider').p"))
    page.mouse.up()
    assert len(seen) == 3, "the numbers follow while the pointer moves"
    assert_shows(page, maps[CHANNELS[0]], max(seen))
    page.get_by_role("button", name="max").first.click()
    assert_shows(page, maps[CHANNELS[0]], math.inf)


def test_touched_on_a_phone(page_address: str, maps: np.ndarray, visit: Visitor) -> None:
    page = visit(page_address, "dark", 390, has_touch=True, is_mobile=True).page
    page.locator("gem-p-slider .choice").nth(2).tap()
    page.get_by_role("button", name="mean").first.tap()
    assert_shows(page, maps[CHANNELS[2]], 1.0)
    box = page.locator("gem-p-slider input[type=range]").first.bounding_box()
    assert box is not None
    page.touchscreen.tap(box["x"] + 0.75 * box["width"], box["y"] + box["height"] / 2)
    assert page.evaluate("document.querySelector('gem-p-slider').p") > 8


def test_fits_a_phone_and_a_finger(page_address: str, visit: Visitor) -> None:
    page = visit(page_address, "light", 390).page
    assert page.evaluate("document.scrollingElement.scrollWidth") <= 390
    targets = page.locator("gem-p-slider").first.locator("button, .choice, input[type=range]")
    heights = [targets.nth(i).bounding_box() for i in range(targets.count())]
    assert len(heights) == 3 + len(CHANNELS) + 1
    assert all(box is not None and box["height"] >= 44 for box in heights)


def test_the_dot_stands_above_the_thumb(page_address: str, visit: Visitor) -> None:
    """The slider is the axis of the curve: both are pushed in by half a thumb."""
    page = visit(page_address).page
    for p in (1, 3, 10, 1000):
        places = page.evaluate(
            """(p) => { const slider = document.querySelector("gem-p-slider"); slider.p = p;
            const box = (selector) => slider.shadowRoot.querySelector(selector).getBoundingClientRect();
            const range = slider.shadowRoot.querySelector("input[type=range]"), thumb = 28;
            const track = box("input[type=range]");
            return [box(".dot").x + box(".dot").width / 2,
                    track.x + thumb / 2 + (range.value / range.max) * (track.width - thumb)]; }""",
            p,
        )
        assert places[0] == pytest.approx(places[1], abs=1)


def test_two_sliders_do_not_meet(page_address: str, maps: np.ndarray, visit: Visitor) -> None:
    opened = visit(page_address)
    page = opened.page
    sliders = page.locator("gem-p-slider")
    assert sliders.count() == 2
    sliders.nth(1).locator(".choice").nth(1).click()
    assert "p = ∞" in sliders.nth(1).locator("output").inner_text().replace("\u00a0", " ")
    assert_shows(page, maps[CHANNELS[0]], 3.0)
    ids = page.evaluate("""() => [...document.querySelectorAll("gem-p-slider")]
        .flatMap((s) => [...s.shadowRoot.querySelectorAll("[id]")])
        .concat(...document.querySelectorAll("[id]")).map((e) => e.id)""")
    assert len(ids) == len(set(ids))
    opened.assert_clean()


def test_named_for_those_who_do_not_see_it(page_address: str, visit: Visitor) -> None:
    page = visit(page_address).page
    slider = page.get_by_role("slider", name="Exponent p").first
    assert slider.get_attribute("aria-valuetext") == "p = 3.00"
    assert page.get_by_role("radio", name=str(CHANNELS[1])).count() == 2
    assert page.get_by_role("img", name="Coloured noise").count() == 2
    assert page.get_by_role("img", name=f"Feature map of channel {CHANNELS[0]}").count() == 2
    assert page.locator("gem-p-slider output[aria-live=polite]").count() == 2


def test_a_picture_without_javascript(page_address: str, visit: Visitor) -> None:
    page = visit(page_address, java_script_enabled=False).page
    picture = page.locator("gem-p-slider img").first
    assert picture.is_visible()
    assert "pooled value" in (picture.get_attribute("alt") or "")
    box = picture.bounding_box()
    assert box is not None
    assert box["width"] > 600


def test_a_step_is_quick(page_address: str, visit: Visitor) -> None:
    """Far below the 32 ms of a step that still feels like one's own hand, with room for a busy machine."""
    milliseconds = visit(page_address).page.evaluate(
        """() => { const slider = document.querySelector("gem-p-slider"), each = [];
        for (let i = 0; i < 50; i++) {
          const start = performance.now(); slider.p = 1 + i / 5; each.push(performance.now() - start); }
        return Math.min(...each); }"""
    )
    assert milliseconds < 32
