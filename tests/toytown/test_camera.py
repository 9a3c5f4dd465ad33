"""A camera sees what it looks at in the middle of its image, upright."""

import numpy as np
import pytest

from gem_lite.toytown.camera import Camera, look_at

CENTRE, TARGET = np.array([3.0, -20.0, 2.0]), np.array([0.0, 0.0, 6.0])


@pytest.mark.parametrize("roll", [0.0, 0.3, -1.0])
def test_a_rotation_is_a_rotation(roll):
    rotation = look_at(CENTRE, TARGET, roll)
    np.testing.assert_allclose(rotation @ rotation.T, np.eye(3), atol=1e-12)
    assert np.linalg.det(rotation) == pytest.approx(1)


@pytest.mark.parametrize("roll", [0.0, 0.3])
def test_the_target_is_in_the_middle(roll):
    camera = Camera(look_at(CENTRE, TARGET, roll), CENTRE, 1.3)
    x, y, depth = camera.image(TARGET[None])
    assert (x[0], y[0]) == pytest.approx((0.5, 0.5))
    assert depth[0] == pytest.approx(np.linalg.norm(TARGET - CENTRE))


def test_up_is_up_and_right_is_right():
    camera = Camera(look_at(CENTRE, TARGET), CENTRE, 1.3)
    x, y, _ = camera.image(TARGET + np.array([(0, 0, 1), (1, 0, 0)]))
    assert y[0] < 0.5
    assert x[1] > 0.5


def test_the_pinhole_formula():
    rotation = look_at(CENTRE, TARGET, 0.2)
    camera = Camera(rotation, CENTRE, 1.3)
    points = np.random.default_rng(0).normal(0, 3, (20, 3))
    right, down, forward = rotation @ (points - CENTRE).T
    x, y, depth = camera.image(points)
    np.testing.assert_allclose(x, 0.5 + 1.3 * right / forward)
    np.testing.assert_allclose(y, 0.5 + 1.3 * down / forward)
    np.testing.assert_allclose(depth, forward)
