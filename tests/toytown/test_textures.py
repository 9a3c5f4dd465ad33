"""Lookups: the right texture, the right place, and smaller copies when seen from afar."""

import numpy as np
import pytest

from gem_lite.toytown.canvas import SIDE
from gem_lite.toytown.textures import atlas, look_up


def flat_texture(value: int) -> np.ndarray:
    return np.full((SIDE, SIDE, 4), value, np.uint8)


def constant(value: float) -> np.ndarray:
    return np.full((1, 1), value, np.float32)


@pytest.mark.parametrize("texels", [0.2, 1, 4, 30, 1000])
def test_a_texture_never_leaks_into_its_neighbours(texels):
    picture = atlas([flat_texture(10), flat_texture(100), flat_texture(200)])
    u, v = (grid.astype(np.float32) for grid in np.meshgrid(np.linspace(0, 1, 40), np.linspace(0, 1, 40)))
    found = look_up(picture, 1, u, v, np.full_like(u, texels))
    assert found.shape == (4, 40, 40)
    np.testing.assert_allclose(found, 100 / 255, atol=1e-6)


def test_the_texture_of_each_pixel():
    picture = atlas([flat_texture(10), flat_texture(100)])
    half = np.full((1, 2), 0.5, np.float32)
    found = look_up(picture, np.array([[0, 1]]), half, half, half)
    np.testing.assert_allclose(found[0], [[10 / 255, 100 / 255]], atol=1e-6)


def test_u_points_right_and_v_up():
    texture = flat_texture(0)
    texture[: SIDE // 2, SIDE // 2 :] = 255  # upper right
    found = look_up(atlas([texture]), 0, constant(0.75), constant(0.75), constant(1))
    assert found[0, 0, 0] == 1
    assert look_up(atlas([texture]), 0, constant(0.75), constant(0.25), constant(1))[0, 0, 0] == 0


def test_from_afar_a_pattern_becomes_its_mean():
    texture = flat_texture(0)
    texture[::2] = 200
    near = look_up(atlas([texture]), 0, constant(0.5), constant(0.5 + 0.5 / SIDE), constant(1))
    far = look_up(atlas([texture]), 0, constant(0.5), constant(0.5), constant(8))
    assert near[0, 0, 0] in (pytest.approx(0), pytest.approx(200 / 255))
    assert far[0, 0, 0] == pytest.approx(100 / 255, abs=0.01)
