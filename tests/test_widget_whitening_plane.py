"""The whitening widget: the browser's arithmetic (by node) against `LearnedWhitening`, and in a kernel."""

import functools
import json
from typing import Any

import numpy as np
import pytest
from widget_kit import element_data, run_node

from figures import whitening_plane
from gem_lite.widgets.whitening_plane import WhiteningPlane

SETTINGS = [(35, 2.0, 0.3), (-90, 0.1, 3.0), (0, 1.0, 1.0), (90, 3.0, 0.1), (-47, 0.55, 0.55)]


@functools.cache
def example() -> whitening_plane.Example:
    return whitening_plane.example()


def plane() -> WhiteningPlane:
    return WhiteningPlane(example().points, example().landmarks, example().pairs)


def moved(widget: WhiteningPlane, setting: tuple[int, float, float]) -> None:
    for control, value in zip((widget.direction, widget.along, widget.across), setting, strict=True):
        control.value = value


@pytest.mark.slow
def test_the_browser_computes_what_the_library_computes() -> None:
    widget = plane()
    data = json.dumps(element_data(widget.static_html()))
    settings = json.dumps([{"direction": d, "along": a, "across": b} for d, a, b in SETTINGS])
    got = run_node("whitening_plane", f"{settings}.map((one) => whitened(worldOf({data}), one))")
    widget.update = lambda change=None: None  # the pictures are not looked at here
    for setting, numbers in zip(SETTINGS, got, strict=True):
        moved(widget, setting)
        np.testing.assert_allclose(numbers["gains"], widget.gains, rtol=1e-9)
        assert numbers["shares"] == pytest.approx(widget.shares, abs=1e-9)
        for state, found in zip(widget.states, numbers["states"], strict=True):
            np.testing.assert_allclose(found["within"], state.within, rtol=1e-9, atol=1e-9)
            np.testing.assert_allclose(found["between"], state.between, rtol=1e-9, atol=1e-8)
            np.testing.assert_allclose(found["matrix"], state.matrix, rtol=1e-9, atol=1e-9)


def test_the_steps_are_what_the_chapter_says() -> None:
    """C_S is what the reader asks for, then the identity; C_D ends on the diagonal, with the gains on it."""
    widget = plane()
    moved(widget, (20, 1.5, 0.4))
    _, whitened, rotated = widget.states
    as_is = widget.states[0].within
    lengths = np.sqrt(np.linalg.eigvalsh(as_is))
    np.testing.assert_allclose(lengths, [0.4, 1.5], rtol=1e-5)
    np.testing.assert_allclose(whitened.within, np.eye(2), atol=1e-9)
    np.testing.assert_allclose(rotated.within, np.eye(2), atol=1e-9)
    np.testing.assert_allclose(rotated.between, np.diag(widget.gains), atol=1e-8)
    assert abs(whitened.between[0, 1]) > 0.1, "before the rotation it is not diagonal"


def test_it_starts_at_the_given_points() -> None:
    """Up to the steps of its controls."""
    widget = plane()
    assert np.abs(widget.points - example().points).max() < 0.12
    assert widget.states[0].points.mean(axis=0) == pytest.approx([0, 0], abs=1e-9)


def test_the_live_control_follows() -> None:
    widget = plane()
    before, words = bytes(widget.picture.value), widget.readout.value
    widget.direction.value = -40
    assert bytes(widget.picture.value) != before
    assert widget.readout.value != words
    assert "at −40°" in widget.readout.value


def test_page_and_print() -> None:
    page: dict[str, Any] = plane()._repr_mimebundle_()
    assert plane().description() in page["text/html"]
    assert page["image/png"]
    assert len(page["text/html"]) < 100 * 1024


@pytest.mark.parametrize(
    ("points", "pairs", "message"),
    [
        (np.zeros((4, 3)), ([0], [1]), r"\(N, 2\)"),
        (np.zeros((4, 2)), ([0], [2]), "does not match"),
    ],
)
def test_errors_say_what_was_wrong(points: np.ndarray, pairs: Any, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        WhiteningPlane(points, [0, 0, 1, 1], pairs)
