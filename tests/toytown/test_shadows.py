"""Shadows fall where the building stands between a place and the sun."""

import numpy as np

from gem_lite.toytown.landmark import landmark
from gem_lite.toytown.shadows import in_shadow


def shadow_at(number: int, direction: np.ndarray, places: np.ndarray) -> np.ndarray:
    x, y, z = places.astype(np.float32).T[:, None]
    return in_shadow(landmark(number), direction, x, y, z, np.zeros_like(x))[0]


def test_the_shadow_lies_behind_the_building_as_seen_from_the_sun():
    direction = np.array([0.0, -1.0, 1.0]) / np.sqrt(2)  # the sun stands before the front, 45 degrees high
    building = landmark(4)
    behind = float(building.points[:, 1].max()) + 1.0
    places = np.array(
        [[0.0, behind, 0.0], [0.0, -building.front - 5, 0.0], [0.0, behind + 5 * building.top, 0.0]]
    )
    assert shadow_at(4, direction, places).tolist() == [True, False, False]


def test_what_the_sun_sees_is_lit():
    """Points of the faces turned to the sun that no other face hides, checked by casting rays."""
    building, direction = landmark(2), np.array([0.3, -0.8, 0.52])
    direction = direction / np.linalg.norm(direction)
    faces = building.faces
    facing = (faces.normals()[building.point_face] * direction).sum(axis=1) > 0.5
    points = building.points[facing][:150]
    hidden = np.zeros(len(points), bool)
    for number in range(len(faces)):
        normal = np.cross(faces.across[number], faces.up[number])
        towards = normal @ direction
        if abs(towards) < 1e-9:
            continue
        distance = (faces.origin[number] - points) @ normal / towards
        place = points + distance[:, None] * direction - faces.origin[number]
        basis = np.stack([faces.across[number], faces.up[number]], axis=1)
        u, v = (place @ np.linalg.pinv(basis).T).T
        inset = (1 - faces.taper[number]) / 2 * v
        hidden |= (distance > 0.5) & (v >= 0) & (v <= 1) & (u >= inset) & (u <= 1 - inset)
    found = shadow_at(2, direction, points)
    assert 0.02 < hidden.mean() < 0.9
    assert np.mean(found == hidden) > 0.95


def test_far_away_nothing_is_in_shadow():
    direction = np.array([0.0, -1.0, 1.0]) / np.sqrt(2)
    assert not shadow_at(4, direction, np.array([[300.0, 0.0, 0.0], [-300.0, 50.0, 2.0]])).any()
