"""Clutter is blended softly into the image, and labelled exactly where it is solid."""

from dataclasses import replace

import numpy as np
import pytest

from gem_lite.toytown.billboards import billboards, paint_clutter
from gem_lite.toytown.scene import Clutter, View, World, flat, sample_view

SIZE = 96


def view_with(*items: tuple[str, float]) -> View:
    """An otherwise empty view with these objects at these distances, in the middle of the image."""
    view = sample_view(2, 1, replace(World(), clutter=(0, 0)))
    ahead = flat(view.camera.rotation[2])
    clutter = []
    for name, distance in items:
        x, y, _ = view.camera.centre + distance * ahead
        clutter.append(Clutter(name, 0, float(x), float(y), 0.0, 1.0))
    return replace(view, clutter=tuple(clutter))


def painted(view: View, wall: float = 0.0) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Image, inverse depth and clutter, painted on black before a wall of this inverse depth."""
    image = np.zeros((3, SIZE, SIZE), np.float32)
    nearness = np.full((SIZE, SIZE), wall, np.float32)
    return image, nearness, paint_clutter(view, image, nearness)


def test_without_clutter_nothing_changes():
    image, nearness, clutter = painted(view_with())
    assert not image.any()
    assert not nearness.any()
    assert not clutter.any()


def test_labels_and_depth_agree():
    image, nearness, clutter = painted(view_with(("stall", 15.0)))
    assert clutter.mean() > 0.01
    assert np.array_equal(clutter, nearness > 0)
    assert image[:, clutter].max() > 0.1


def test_edges_are_blended():
    """Beside what is labelled lie pixels that are painted, but less."""
    image, _, clutter = painted(view_with(("tree", 20.0)))
    faint = (image.max(axis=0) > 0) & (~clutter)
    assert faint.any()
    assert image[:, faint].mean() < image[:, clutter].mean()


def test_a_wall_hides_what_is_behind_it():
    _, _, clutter = painted(view_with(("car", 20.0)), wall=1 / 10)
    assert not clutter.any()
    _, _, clutter = painted(view_with(("car", 20.0)), wall=1 / 40)
    assert clutter.any()


@pytest.mark.parametrize("order", [("bus", "sign"), ("sign", "bus")])
def test_the_nearer_object_is_on_top_whatever_the_order(order):
    distance = {"bus": 25.0, "sign": 8.0}
    view = view_with(*((name, distance[name]) for name in order))
    both = painted(view)
    sign = painted(view_with(("sign", 8.0)))
    solid = sign[1] > 0
    np.testing.assert_allclose(both[1][solid], sign[1][solid])
    core = solid & (sign[0].max(axis=0) > 0.2)
    assert np.abs(both[0][:, core] - sign[0][:, core]).mean() < 0.02


def test_objects_stand_upright_on_the_ground_with_their_size():
    view = sample_view(5, 3, replace(World(), clutter=(6, 6)))
    faces = billboards(view)
    assert len(faces) == 6
    assert np.all(faces.corners()[:, :2, 2] == 0)
    assert np.all(faces.across[:, 2] == 0)
    assert np.all(faces.up[:, :2] == 0)
