"""The margin widget: the browser's arithmetic (run by node) against the loss and its automatic gradients."""

import itertools
import json
from typing import Any

import numpy as np
import pytest
from widget_kit import element_data, run_node

from gem_lite.seeds import stream
from gem_lite.widgets.element import fixed
from gem_lite.widgets.margin import Margin


@pytest.mark.slow
def test_the_browser_computes_what_the_library_computes() -> None:
    """Pairs near and far, on both sides of the margin, at one place, and opposite each other."""
    draws = stream("test_widget_margin").integers(-179, 181, (12, 2)).tolist()
    angles = [*draws, [40, 40], [40, 41], [0, 180], [-179, 179]]
    cases = [[q, x, m, t] for (q, x), m, t in itertools.product(angles, (True, False), (0.05, 0.5, 1.5))]
    got = run_node("margin", f"{json.dumps(cases)}.map((one) => pairAt(...one))")
    widget = Margin()
    widget.update = lambda change=None: None  # the pictures are not looked at here
    seen = set()
    for (query, other, matching, margin), numbers in zip(cases, got, strict=True):
        widget.query.value, widget.other.value = query, other
        widget.matching.value, widget.margin.value = matching, margin
        for name in ("distance", "loss", "gradients", "tangents"):
            np.testing.assert_allclose(numbers[name], getattr(widget, name), rtol=1e-9, atol=1e-12)
        assert numbers["cosine"] == pytest.approx(1 - numbers["distance"] ** 2 / 2, abs=1e-12)
        seen.add(widget.verdict())
    assert len(seen) == 5, "every verdict has been asked for"


def test_numbers_are_written_alike() -> None:
    numbers = [0.0, -0.0, -0.00001, 3.0, -1.0, *stream("test_fixed").normal(0, 2, 100).tolist()]
    written = run_node("margin", f"{json.dumps(numbers)}.map((x) => [0, 1, 4].map((n) => fixed(x, n)))")
    assert written == [[fixed(x, n) for n in (0, 1, 4)] for x in numbers]


def test_degrees_stay_in_their_circle() -> None:
    got = run_node("margin", "[0.4, 179.6, 181, -180, 540, -361].map(wholeDegrees)")
    assert got == [0, 180, -179, 180, 180, -1]


def test_the_live_control_follows() -> None:
    widget = Margin(query=0, other=20, matching=False, margin=0.5)
    assert widget.verdict() == "no match, inside the margin: pushed apart"
    assert 0 < widget.loss == pytest.approx(0.5 * (0.5 - widget.distance) ** 2)
    before = bytes(widget.picture.value)
    widget.margin.value = 0.3
    assert widget.loss == 0
    assert not widget.gradients.any()
    assert "beyond the margin" in widget.readout.value
    assert bytes(widget.picture.value) != before
    widget.matching.value = True
    np.testing.assert_allclose(widget.gradients[0], np.subtract(*widget.points))


def test_tangents_are_what_normalisation_lets_through() -> None:
    widget = Margin(query=0, other=60, matching=True)
    np.testing.assert_allclose((widget.tangents * widget.points).sum(axis=1), 0, atol=1e-12)
    np.testing.assert_allclose(np.linalg.norm(widget.tangents, axis=1), np.sin(np.pi / 3))


def test_page_and_print() -> None:
    widget = Margin(query=10, other=-20, matching=True, margin=0.7)
    page: dict[str, Any] = widget._repr_mimebundle_()
    assert element_data(page["text/html"]) == {"query": 10, "other": -20, "matching": True, "margin": 0.7}
    assert widget.description() in page["text/html"]
    assert page["image/png"]
    assert len(page["text/html"]) < 80 * 1024


def test_a_margin_beyond_the_slider_is_refused() -> None:
    with pytest.raises(ValueError, match=r"0.05 to 1.5, not 2"):
        Margin(margin=2.0)
