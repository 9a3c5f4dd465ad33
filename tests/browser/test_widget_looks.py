"""How the widgets look in the book, in its colours: nothing drawn is faint, nothing written is tiny."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

pytestmark = [pytest.mark.browser, pytest.mark.book]
CHECKS = Path(__file__).with_name("look_checks.js")
PAGES = {
    "gem-p-slider": "04_feature_maps",
    "gem-margin": "06_training",
    "gem-whitening-plane": "08_whitening",
    "gem-expansion-weights": "10_expansion",
    "gem-playground": "playground",
}
# Grids, zero lines, the thin threads between pairs and what only catches a finger may be pale.
HELPS = ".grid, .zero, .pairs, .hit, .ring"


@pytest.mark.parametrize("tag", PAGES)
def test_seen_and_read_in_both_colours(tag: str, built_book: Path, visit: Callable[..., Any]) -> None:
    opened = visit((built_book / f"{PAGES[tag]}.html").as_uri())
    page = opened.page
    page.add_script_tag(path=CHECKS)
    widget = page.locator(tag).first.element_handle()
    for scheme in ("light", "dark"):
        page.emulate_media(color_scheme=scheme)
        page.wait_for_function("(name) => document.documentElement.dataset.theme === name", arg=scheme)
        found = page.evaluate("([widget, helps]) => faint(widget, helps)", [widget, HELPS])
        assert found["shapes"] > 1
        assert not found["faint"], scheme
    assert not page.evaluate("brokenRows", widget), "a number beside its name, on one line"
    page.set_viewport_size({"width": 390, "height": 900})
    assert not page.evaluate("brokenRows", widget)
    assert not page.evaluate("tiny", widget)
    assert not page.evaluate("ringedTicks", widget)
    opened.assert_clean()
