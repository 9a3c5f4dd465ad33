"""Views: everything from its own stream, within the world's limits."""

import pickle
from dataclasses import replace

import numpy as np
import pytest

from gem_lite.seeds import stream
from gem_lite.toytown.ground import GROUNDS
from gem_lite.toytown.scene import Light, View, World, across, sample_view

VIEWS = [sample_view(landmark, view) for landmark in range(6) for view in range(20)]


def same_camera_and_light(first: View, second: View) -> bool:
    """Whether two views differ in their clutter at most."""
    cameras = [
        (*view.camera.rotation.ravel(), *view.camera.centre, view.camera.focal) for view in (first, second)
    ]
    lights = [np.hstack([np.ravel(value) for value in vars(view.light).values()]) for view in (first, second)]
    return cameras[0] == cameras[1] and np.array_equal(*lights) and first.ground == second.ground


def test_a_view_is_the_same_every_time():
    first, second = sample_view(3, 7), sample_view(3, 7)
    assert same_camera_and_light(first, second)
    assert first.clutter == second.clutter


def test_views_differ():
    assert len({tuple(view.camera.centre) for view in VIEWS}) == len(VIEWS)
    assert {view.ground for view in VIEWS} == set(range(len(GROUNDS)))


def test_every_part_has_a_stream_of_its_own(monkeypatch):
    names = []

    def recorded(*name):
        names.append(name)
        return stream(*name)

    monkeypatch.setattr("gem_lite.toytown.scene.stream", recorded)
    sample_view(3, 7)
    assert len(names) == len(set(names)) == 4
    assert all(name[:3] == ("view", 3, 7) for name in names)


@pytest.mark.parametrize("clutter", [(0, 0), (2, 8)])
def test_clutter_changes_nothing_else(clutter):
    for view in VIEWS[:30]:
        other = sample_view(view.landmark, view.view, replace(World(), clutter=clutter))
        assert same_camera_and_light(view, other)
        assert clutter[0] <= len(other.clutter) <= clutter[1]


def test_cameras_keep_to_the_worlds_limits():
    world = World()
    for view in VIEWS:
        camera, building = view.camera, view.building()
        x, y, z = camera.centre
        assert abs(np.degrees(np.arctan2(x, -y))) <= world.azimuth
        assert 1.5 <= z <= 12.2
        assert 1.0 <= camera.focal <= 1.7
        size = max(building.right - building.left, 1.1 * building.top)
        fill = camera.focal * size / np.hypot(x, y)
        assert world.fill[0] - 1e-9 <= fill <= world.fill[1] + 1e-9


def test_the_numbers_of_objects_are_spread_over_the_worlds_range():
    counts = np.bincount([len(view.clutter) for view in VIEWS], minlength=4)
    assert len(counts) == 4
    assert counts.min() > 15


def test_objects_stand_before_the_camera_and_on_its_side_of_the_building():
    for view in VIEWS:
        for item in view.clutter:
            place = np.array([[item.x, item.y, 0.0]])
            assert view.camera.to_camera(place)[0, 2] > 3
            assert np.linalg.norm(across(view.camera, item)) == pytest.approx(1)


def test_light_is_dusk_or_overcast_or_clear():
    lights: list[Light] = [view.light for view in VIEWS]
    assert 0 < sum(light.dusk for light in lights) < 0.2 * len(lights)
    assert 0.5 * len(lights) < sum(light.clear for light in lights) < 0.9 * len(lights)
    for light in lights:
        assert np.linalg.norm(light.direction) == pytest.approx(1)
        assert light.direction[2] > 0
        assert not (light.dusk and light.clear)
        assert (light.sun.max() == 0) == light.dusk


@pytest.mark.parametrize(
    "wrong", [{"clutter": (3, 1)}, {"clutter": (-1, 2)}, {"fill": (0, 1)}, {"families": 0}]
)
def test_impossible_worlds_are_refused(wrong):
    with pytest.raises(ValueError, match=next(iter(wrong)) if "families" not in wrong else "style family"):
        World(**wrong)


def test_a_view_can_be_sent_to_another_process():
    view = VIEWS[3]
    again = pickle.loads(pickle.dumps(view))
    assert same_camera_and_light(view, again)
    assert again.clutter == view.clutter
