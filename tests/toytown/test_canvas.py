"""Painting in one's own units: where a stroke lands, what it leaves in the fourth channel."""

import numpy as np
import pytest

from gem_lite.toytown.canvas import SIDE, Canvas, as_bytes, resized


def test_bytes_are_rounded_and_clipped():
    assert as_bytes([-0.2, 0.0, 0.5, 1.0, 1.7]).tolist() == [0, 0, 128, 255, 255]


def test_a_rectangle_covers_its_share_of_the_texture():
    canvas = Canvas(8, 2)
    canvas.rectangle(2, 0.5, 6, 1.5, (1, 0, 0))
    red = canvas.finished()[..., 0] / 255
    assert red.mean() == pytest.approx(0.25, abs=0.01)
    assert red[SIDE // 2, SIDE // 2] == 1
    assert red[SIDE // 8, SIDE // 2] == red[SIDE // 2, SIDE // 8] == 0


def test_y_points_up():
    canvas = Canvas(1, 1)
    canvas.rectangle(0, 0, 1, 0.25, (0, 1, 0))
    green = canvas.finished()[..., 1]
    assert green[-1].min() == 255
    assert green[0].max() == 0


@pytest.mark.parametrize(
    ("background", "stroke", "expected"), [(0.0, None, 0), (1.0, None, 255), (0.0, 0.8, 204)]
)
def test_the_fourth_channel_is_the_strokes_or_the_canvas_own(background, stroke, expected):
    canvas = Canvas(1, 1, fourth=background)
    canvas.disc(0.5, 0.5, 0.3, (0.5, 0.5, 0.5), stroke)
    finished = canvas.finished()
    assert finished[SIDE // 2, SIDE // 2, 3] == expected
    assert finished[0, 0, 3] == 0


def test_a_disc_has_its_area_and_smooth_edges():
    canvas = Canvas(2, 2)
    canvas.disc(1, 1, 0.8, (1, 1, 1))
    picture = canvas.finished()[..., 0]
    assert picture.mean() / 255 == pytest.approx(np.pi * 0.8**2 / 4, rel=0.02)
    assert np.any((picture > 0) & (picture < 255))


def test_resizing_keeps_the_mean():
    picture = np.random.default_rng(0).integers(0, 256, (64, 64, 4), np.uint8)
    assert resized(picture, 16).mean() == pytest.approx(picture.mean(), abs=0.5)
