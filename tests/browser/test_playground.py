"""The playground in a page of its own, opened from file://, without a kernel and without a network."""

import math
import os
from collections.abc import Callable
from itertools import product
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from playground_kit import STOPS, small_collection
from playwright.sync_api import Locator, Page
from widget_kit import write_page

from gem_lite.report import read_reports
from gem_lite.widgets.playground import RetrievalPlayground
from gem_lite.widgets.playground_data import Collection
from gem_lite.widgets.playground_search import Settings, kinds, search

pytestmark = pytest.mark.browser
Visitor = Callable[..., Any]

# Every value of every setting, and expansion beyond the number of images.
GRID = [
    *(
        Settings(state, pooling, p, whitening)
        for state, (pooling, p), whitening in product(
            ("plain", "tuned"),
            (("spoc", 1.0), *(("gem", p) for p in STOPS), ("mac", math.inf)),
            ("none", "PCAw", "Lw"),
        )
    ),
    *(Settings("tuned", whitening=w, dimensions=d) for w, d in product(("PCAw", "Lw"), (2, 4, 8, 16))),
    *(Settings("tuned", "gem", 10.0, "Lw", 8, n, a) for n, a in product((1, 3, 50), (0.0, 1.0, 3.0, 10.0))),
]


@pytest.fixture(scope="module")
def rounded() -> Collection:
    """What the page computes from."""
    return small_collection().rounded()


@pytest.fixture(scope="module")
def address(tmp_path_factory: pytest.TempPathFactory) -> str:
    """A page with two playgrounds."""
    collection = small_collection()
    both = [
        RetrievalPlayground(collection, Settings("plain"), query=1),
        RetrievalPlayground(collection, Settings("tuned", "mac", math.inf, "Lw", 4, 2, 1.0)),
    ]
    path: Path = tmp_path_factory.mktemp("playground") / "page.html"
    return write_page(path, *(playground.static_html() for playground in both))


def javascript(settings: Settings) -> dict[str, Any]:
    """The settings as JSON, with null for ∞."""
    p = None if math.isinf(settings.exponent) else settings.exponent
    return {**vars(settings), "p": p}


def shown(page: Page, index: int = 0) -> str:
    """The numbers, as a reader sees them."""
    text = page.locator("gem-playground").nth(index).locator("output").inner_text()
    return " ".join(text.replace("\u00a0", " ").split())


def choice(element: Locator, name: str) -> Locator:
    """The button of that name; the radio button lies over the whole of it."""
    return element.get_by_role("radio", name=name, exact=True)


def settings_of(page: Page) -> dict[str, Any]:
    settings: dict[str, Any] = page.evaluate("""() => {
        const { p, ...others } = document.querySelector("gem-playground").settings;
        return { ...others, p: p === Infinity ? "∞" : p }; }""")
    return settings


def expected(collection: Collection, settings: Settings, query: int) -> str:
    evaluation = search(collection, settings).evaluation
    asked = f"Query {query + 1} of {len(evaluation.aps)}"
    return f"{asked} AP {100 * evaluation.aps[query]:.1f} % mAP {100 * evaluation.map:.1f} %"


def test_numbers_are_the_librarys(address: str, rounded: Collection, visit: Visitor) -> None:
    page = visit(address).page
    got = page.evaluate(
        """(grid) => { const playground = document.querySelector("gem-playground");
        return grid.map((settings) => {
          playground.settings = { ...settings, p: settings.p ?? Infinity };
          const { aps, map, orders, scores } = playground.found;
          const text = playground.shadowRoot.querySelector("output").textContent;
          return { aps, map, text, orders: orders.map((o) => [...o]), scores: [...scores.numbers] };
        }); }""",
        [javascript(settings) for settings in GRID],
    )
    for settings, numbers in zip(GRID, got, strict=True):
        found = search(rounded, settings)
        assert numbers["orders"] == found.ranks.tolist(), settings
        np.testing.assert_allclose(numbers["aps"], found.evaluation.aps, rtol=1e-12, err_msg=str(settings))
        scores = np.reshape(numbers["scores"], found.scores.shape)
        np.testing.assert_allclose(
            np.take_along_axis(scores, found.ranks, 1), found.scores, atol=1e-12, err_msg=str(settings)
        )
        text = " ".join(numbers["text"].replace("\u00a0", " ").split())
        assert text == expected(rounded, settings, 1)
    assert len({round(numbers["map"], 6) for numbers in got}) > len(GRID) / 2, "settings make a difference"


def test_answers_are_marked_by_sign_and_word(address: str, rounded: Collection, visit: Visitor) -> None:
    page = visit(address).page
    found, kind = search(rounded, Settings("plain")), kinds(rounded, 1)
    signs = {"positive": "✓", "negative": "✕", "junk": "–"}
    order = found.ranks[1]
    tiles = page.locator("gem-playground").first.locator(".strip li")
    page.locator("gem-playground").first.get_by_role("button", name="Show all").click()
    assert tiles.count() == len(order)
    for place, image in enumerate(order):
        text = tiles.nth(place).inner_text().replace("−", "-").split()
        assert text == [signs[kind[image]], f"{found.scores[1, place]:.2f}"]
        alt = tiles.nth(place).locator("img").get_attribute("alt")
        assert alt == ("the query's own picture" if image == rounded.query_rows[1] else kind[image])
    page.locator("gem-playground").first.get_by_role("button", name="Show the first").click()
    assert tiles.count() == 24


def test_the_curve_and_the_strokes_follow(address: str, rounded: Collection, visit: Visitor) -> None:
    page = visit(address).page
    element = page.locator("gem-playground").first
    before = element.locator(".now").get_attribute("d")
    places = 1 + np.flatnonzero(kinds(rounded, 1)[search(rounded, Settings("plain")).ranks[1]] == "positive")
    assert ", ".join(map(str, places)) in (element.locator(".places").get_attribute("aria-label") or "")
    choice(element, "tuned").click()
    assert element.locator(".now").get_attribute("d") != before
    area = page.evaluate("""() => { const e = document.querySelector("gem-playground");
        const c = e.found.curves[1]; let area = 0;
        for (let i = 1; i < c.length; i++) area += (c[i][0] - c[i - 1][0]) * (c[i][1] + c[i - 1][1]) / 2;
        return area; }""")
    assert area == pytest.approx(search(rounded, Settings("tuned")).evaluation.aps[1])


def test_moved_by_keyboard(address: str, rounded: Collection, visit: Visitor) -> None:
    opened = visit(address)
    page = opened.page
    assert shown(page) == expected(rounded, Settings("plain"), 1)
    first = page.locator("gem-playground").first
    first.get_by_role("slider", name="Exponent (p)").focus()
    page.keyboard.press("ArrowRight")
    assert settings_of(page)["p"] == 10
    assert shown(page) == expected(rounded, Settings("plain", p=10.0), 1)
    page.keyboard.press("End")
    assert shown(page) == expected(rounded, Settings("plain", p=math.inf), 1)
    first.get_by_role("radio", name="none").focus()
    page.keyboard.press("ArrowRight")
    page.keyboard.press("ArrowRight")
    assert shown(page) == expected(rounded, Settings("plain", p=math.inf, whitening="Lw"), 1)
    first.get_by_role("slider", name="Dimensions").focus()
    page.keyboard.press("Home")
    assert shown(page) == expected(rounded, Settings("plain", p=math.inf, whitening="Lw", dimensions=2), 1)
    first.get_by_role("radio", name="Query 2").focus()
    page.keyboard.press("ArrowLeft")
    assert settings_of(page)["query"] == 0
    opened.assert_clean()


def test_moved_by_pointer(address: str, rounded: Collection, visit: Visitor) -> None:
    page = visit(address).page
    slider = page.locator("gem-playground").first.get_by_role("slider", name="Expansion by")
    slider.scroll_into_view_if_needed()
    box = slider.bounding_box()
    assert box is not None
    middle = box["y"] + box["height"] / 2
    page.mouse.move(box["x"] + 14, middle)
    page.mouse.down()
    seen = []
    for place in (0.3, 0.6, 0.99):
        page.mouse.move(box["x"] + place * box["width"], middle)
        seen.append(settings_of(page)["n"])
    page.mouse.up()
    assert seen == sorted(set(seen)), "the numbers follow while the pointer moves"
    assert seen[-1] == 50
    assert shown(page) == expected(rounded, Settings("plain", n=50), 1)


def test_touched_on_a_phone(address: str, rounded: Collection, visit: Visitor) -> None:
    page = visit(address, "dark", 390, has_touch=True, is_mobile=True).page
    first = page.locator("gem-playground").first
    first.locator(".queries label").nth(3).tap()
    choice(first, "tuned").tap()
    choice(first, "MAC").tap()
    assert shown(page) == expected(rounded, Settings("tuned", "mac"), 3)


def test_moving_p_goes_back_to_gem(address: str, rounded: Collection, visit: Visitor) -> None:
    page = visit(address).page
    first = page.locator("gem-playground").first
    choice(first, "SPoC").click()
    assert settings_of(page) | {"query": 0} == {
        **javascript(Settings("plain", "spoc")),
        "query": 0,
        "p": 1,
        "dimensions": 16,
    }
    choice(first, "GeM").click()
    assert settings_of(page)["p"] == 3, "where it was before"
    choice(first, "MAC").click()
    assert first.get_by_role("slider", name="Exponent").get_attribute("aria-valuetext") == "p = ∞"
    first.get_by_role("slider", name="Exponent").focus()
    page.keyboard.press("ArrowLeft")
    assert (settings_of(page)["pooling"], settings_of(page)["p"]) == ("gem", 10)
    first.get_by_role("button", name="Start again").click()
    assert shown(page) == expected(rounded, Settings("plain"), 1)


def test_what_is_kept_is_compared_with(address: str, rounded: Collection, visit: Visitor) -> None:
    page = visit(address).page
    first = page.locator("gem-playground").first
    first.get_by_role("button", name="Keep to compare").click()
    assert shown(page).count("(+0.0)") == 2
    choice(first, "tuned").click()
    before, after = (search(rounded, Settings(state)).evaluation for state in ("plain", "tuned"))
    gain = f"{100 * (after.map - before.map):+.1f}".replace("-", "−")
    assert f"mAP {100 * after.map:.1f} % ({gain})" in shown(page)
    assert first.locator(".before").get_attribute("d")
    first.get_by_role("button", name="Forget").click()
    assert shown(page) == expected(rounded, Settings("tuned"), 1)
    assert not first.locator(".before").get_attribute("d")


def test_answers_glide_unless_motion_is_unwanted(address: str, visit: Visitor) -> None:
    page = visit(address).page  # with reduced motion
    count = """() => { const e = document.querySelector("gem-playground");
        e.settings = { state: e.settings.state === "plain" ? "tuned" : "plain" };
        return e.shadowRoot.getAnimations().length; }"""
    assert page.evaluate(count) == 0
    page.emulate_media(reduced_motion="no-preference")
    assert page.evaluate(count) > 0


def test_fits_a_phone_and_a_finger(address: str, visit: Visitor) -> None:
    page = visit(address, "light", 390).page
    assert page.evaluate("document.scrollingElement.scrollWidth") <= 390
    targets = page.locator("gem-playground").first.locator("button, .choice, input[type=range]")
    boxes = [targets.nth(i).bounding_box() for i in range(targets.count())]
    assert len(boxes) == 3 + 4 + 8 + 4
    assert all(box is not None and box["height"] >= 44 for box in boxes)


def test_two_playgrounds_do_not_meet(address: str, rounded: Collection, visit: Visitor) -> None:
    opened = visit(address)
    page = opened.page
    second = Settings("tuned", "mac", math.inf, "Lw", 4, 2, 1.0)
    assert shown(page, 1) == expected(rounded, second, 0)
    choice(page.locator("gem-playground").first, "PCA").click()
    assert shown(page, 1) == expected(rounded, second, 0)
    assert shown(page) == expected(rounded, Settings("plain", whitening="PCAw"), 1)
    opened.assert_clean()


def test_named_for_those_who_do_not_see_it(address: str, visit: Visitor) -> None:
    first = visit(address).page.locator("gem-playground").first
    assert first.get_by_role("group", name="Retrieval playground").count() == 1
    names = ("Exponent (p)", "Dimensions (d)", "Expansion by (n)", "Weighted by sα (α)")
    assert [first.get_by_role("slider", name=name, exact=True).count() for name in names] == [1, 1, 1, 1]
    for group in ("Network", "Pooling", "Whitening"):
        assert first.get_by_role("group", name=group).get_by_role("radio").count() in (2, 3)
    assert first.get_by_role("radio", name="Query 4 of 4").count() == 1
    assert first.get_by_role("img", name="Precision over recall").count() == 1
    assert first.get_by_role("img", name="The positives stand in places").count() == 1
    assert first.locator("output[aria-live=polite]").count() == 1
    assert first.locator(".strip img:not([alt])").count() == 0


def test_a_picture_without_javascript(address: str, visit: Visitor) -> None:
    page = visit(address, java_script_enabled=False).page
    picture = page.locator("gem-playground img").first
    assert picture.is_visible()
    assert "mAP" in (picture.get_attribute("alt") or "")
    box = picture.bounding_box()
    assert box is not None
    assert box["width"] > 600


# The settings behind the mAPs that the page reports in words: see the notebook's list of experiments.
REPORTED = {
    "map_off_1": Settings(p=1.0),
    "map_off_3": Settings(),
    "map_off_inf": Settings(p=math.inf),
    "map_tuned_3": Settings("fine-tuned"),
    "map_tuned_mac": Settings("fine-tuned", "mac", math.inf),
    "map_off_pca": Settings(whitening="PCAw"),
    "map_off_learned": Settings(whitening="Lw"),
    "map_tuned_learned": Settings("fine-tuned", whitening="Lw"),
    "map_tuned_learned_few": Settings("fine-tuned", whitening="Lw", dimensions=8),
    "map_aqe": Settings("fine-tuned", whitening="Lw", n=50, alpha=0.0),
    "map_alpha": Settings("fine-tuned", whitening="Lw", n=50),
}


@pytest.mark.book
def test_the_books_page_gives_the_numbers_of_its_text(built_book: Path, visit: Visitor) -> None:
    """Real descriptors; the text's numbers are the library's."""
    notebook = built_book.parent / "executed" / os.environ.get("PROFILE", "lite") / "playground.ipynb"
    if not notebook.is_file():
        pytest.skip(f"no executed notebook at {notebook}: is the book another profile's?")
    reports = read_reports(notebook)
    opened = visit((built_book / "playground.html").as_uri())
    got = opened.page.evaluate(
        """(list) => { const playground = document.querySelector("gem-playground");
        return list.map((settings) => { playground.settings = { ...settings, p: settings.p ?? Infinity };
          return playground.shadowRoot.querySelector("output .map").textContent; }); }""",
        [javascript(settings) for settings in REPORTED.values()],
    )
    expected = [f"mAP {reports[name].value:.1f} %" for name in REPORTED]
    assert [text.replace("\u00a0", " ") for text in got] == expected
    opened.assert_clean()


@pytest.mark.book
def test_the_books_page_weighs_less_than_four_megabytes(built_book: Path) -> None:
    assert (built_book / "playground.html").stat().st_size < 4e6


@pytest.mark.book
@pytest.mark.parametrize("width", [390, 1200])
def test_in_the_book_the_numbers_stay_in_sight(built_book: Path, visit: Visitor, width: int) -> None:
    """Whichever control is moved, AP and mAP are seen to follow: their line sticks below the theme's bar."""
    page = visit((built_book / "playground.html").as_uri(), width=width).page
    line = page.locator("gem-playground").locator("output")
    before = line.bounding_box()
    assert before is not None
    page.evaluate("(top) => window.scrollTo({ top, behavior: 'instant' })", before["y"] + 300)
    after = line.bounding_box()
    assert after is not None
    bar = page.locator(".bd-header-article").bounding_box()
    assert bar is not None
    assert before["y"] > 200
    below = bar["y"] + bar["height"]
    assert below <= after["y"] + 0.5 < below + 2, "it has scrolled away, or lies below the theme's bar"
