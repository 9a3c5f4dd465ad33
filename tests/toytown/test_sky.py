"""The sky: bright at the horizon, deep above, clouds that repeat without a seam."""

import numpy as np

from gem_lite.toytown.scene import sample_view
from gem_lite.toytown.sky import cloud_map, sky_colours, smooth_step


def column(view_number: int) -> np.ndarray:
    """Colours (3, H, 1) from 80 degrees above the horizon down to it."""
    view = sample_view(1, view_number)
    height = np.linspace(1.4, 0.02, 60, dtype=np.float32)[:, None]
    return sky_colours(view, np.zeros_like(height), np.cos(height), np.sin(height))


def test_the_cloud_map_repeats_without_a_seam():
    clouds = cloud_map()
    inside = np.abs(np.diff(clouds, axis=0)).mean()
    seam = np.abs(clouds[0] - clouds[-1]).mean()
    assert seam < 1.5 * inside
    assert abs(clouds.mean()) < 1e-3
    assert abs(clouds.std() - 1) < 1e-3


def test_the_sky_is_a_colour_everywhere():
    for number in range(12):
        colours = column(number)
        assert colours.shape == (3, 60, 1)
        assert colours.min() >= 0
        assert colours.max() <= 1.05


def test_by_day_the_sky_is_bluer_above():
    clear = [n for n in range(30) if sample_view(1, n).light.clear]
    blueness = np.array([(lambda c: c[2] - c[0])(column(n)) for n in clear])
    assert blueness[:, :15].mean() > blueness[:, 35:50].mean()


def test_the_same_view_has_the_same_sky():
    assert np.array_equal(column(4), column(4))


def test_smooth_step_has_its_ends_and_its_middle():
    found = smooth_step(np.array([-1, 0, 1, 2, 5], np.float32), 0, 2)
    np.testing.assert_allclose(found, [0, 0, 0.5, 1, 1])
