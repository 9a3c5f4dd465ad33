"""Every style draws its walls, and what glows is a window."""

import numpy as np
import pytest

from gem_lite.seeds import stream
from gem_lite.toytown.canvas import SIDE
from gem_lite.toytown.facades import belfry, facade, gable, plain, ribbed, tiles
from gem_lite.toytown.styles import WINDOWS, family_style


@pytest.mark.parametrize("family", range(12))
def test_every_family_draws_every_wall(family):
    style, rng = family_style(family), stream("test", family)
    walls = [
        facade(18, 11, style, rng, main=True),
        facade(12, 11, style, rng),
        gable(18, 6, style, rng),
        belfry(5, 20, style, rng, with_clock=bool(family % 2)),
        tiles(18, 5, style, dormers=2),
        ribbed(style),
    ]
    for wall in walls:
        assert wall.shape == (SIDE, SIDE, 4)
        assert wall.dtype == np.uint8
        assert wall[..., :3].std() > 2  # something is drawn on it


@pytest.mark.parametrize("window", WINDOWS)
def test_every_window_shows_its_glass(window):
    from dataclasses import replace

    style = replace(family_style(0), window=window, glass=np.array([0.0, 1.0, 0.0]))
    wall = facade(12, 9, style, stream("a dark house"))
    green = (wall[..., 1] > 200) & (wall[..., 0] < 60)
    lit = wall[..., 3] > 0
    assert (green | lit).mean() > 0.02


def test_only_windows_glow():
    style = family_style(2)
    assert plain(style.wall, stream("test"))[..., 3].max() == 0
    assert facade(16, 9, style, stream("test"))[..., 3].mean() < 255 * 0.5


def test_the_same_stream_draws_the_same_wall():
    style = family_style(4)
    first, second = (facade(16, 9, style, stream("wall"), main=True) for _ in range(2))
    assert np.array_equal(first, second)
