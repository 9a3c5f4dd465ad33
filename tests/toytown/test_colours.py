"""Paint is never neon, and pictures mix as paint does."""

import colorsys

import numpy as np
import pytest

from gem_lite.toytown.colours import bright_paint, channels, mixed, paint, rgb


@pytest.mark.parametrize("draw", [paint, bright_paint])
def test_paint_is_within_range_and_not_neon(draw):
    """Neon is what is at once fully saturated and fully bright, and green, cyan or magenta."""
    rng = np.random.default_rng(0)
    colours = np.array([draw(rng) for _ in range(500)])
    assert colours.min() >= 0
    assert colours.max() < 1
    hue, saturation, value = np.array([colorsys.rgb_to_hsv(*colour) for colour in colours]).T
    artificial = ((hue > 0.2) & (hue < 0.55)) | ((hue > 0.72) & (hue < 0.92))
    assert not np.any(artificial & (saturation > 0.75) & (value > 0.8))


def test_mixing_has_its_ends_and_its_middle():
    first, second = channels(rgb(0, 0.2, 1)), channels(rgb(1, 0.4, 0))
    share = np.array([[0.0, 0.5, 1.0]], np.float32)
    picture = mixed(first, second, share)
    assert picture.shape == (3, 1, 3)
    np.testing.assert_allclose(picture[:, 0].T, [[0, 0.2, 1], [0.5, 0.3, 0.5], [1, 0.4, 0]], atol=1e-6)
