"""Light on surfaces: haze grows with distance, objects darken the ground below them."""

from dataclasses import replace

import numpy as np

from gem_lite.toytown.scene import Clutter, World, sample_view
from gem_lite.toytown.shading import ground_shade, haze


def test_haze_grows_with_depth_and_swallows_the_far_ground():
    view = sample_view(1, 0)
    depth = np.array([[1, 10, 60, 200, 500]], np.float32)
    landmark = haze(view, depth, False)
    ground = haze(view, depth, True)
    assert np.all(np.diff(landmark) > 0)
    assert np.all(ground >= landmark)
    assert landmark.min() >= 0
    assert ground.max() <= 1
    assert ground[0, -1] > 0.75


def test_the_ground_is_darker_at_the_wall_and_under_objects():
    view = sample_view(1, 0, replace(World(), clutter=(0, 0)))
    building = view.building()
    far = building.right + 20
    x = np.array([building.right + 0.1, far, far + 10], np.float32)
    y = np.zeros(3, np.float32)
    bare = ground_shade(view, building, x, y)
    assert bare[0] < 0.7
    assert bare[1] > 0.99
    car = Clutter("car", 0, x=float(far), y=0.0, yaw=0.0, scale=1.0)
    shaded = ground_shade(replace(view, clutter=(car,)), building, x, y)
    assert shaded[1] < 0.6
    assert shaded[2] > 0.95
    assert shaded[0] == bare[0]
