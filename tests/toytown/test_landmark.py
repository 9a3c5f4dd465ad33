"""Landmarks: the same every time, different from each other, their points on their faces."""

import numpy as np
import pytest

from gem_lite.toytown.landmark import POINTS, family_of, landmark


@pytest.mark.parametrize("identity", range(8))
def test_points_lie_on_their_faces(identity):
    building = landmark(identity)
    assert building.points.shape == (POINTS, 3)
    faces, face = building.faces, building.point_face
    from_origin = building.points - faces.origin[face]
    height = (from_origin * faces.normals()[face]).sum(axis=1)
    np.testing.assert_allclose(height, 0, atol=1e-9)
    for number in np.unique(face):
        basis = np.stack([faces.across[number], faces.up[number]], axis=1)
        u, v = np.linalg.lstsq(basis, from_origin[face == number].T, rcond=None)[0]
        assert v.min() >= -1e-9
        assert v.max() <= 1 + 1e-9
        inset = (1 - faces.taper[number]) / 2 * v
        assert np.all(u >= inset - 1e-9)
        assert np.all(u <= 1 - inset + 1e-9)


def test_a_landmark_is_the_same_every_time():
    first, second = (landmark.__wrapped__(3) for _ in range(2))
    assert np.array_equal(first.points, second.points)
    assert all(np.array_equal(a, b) for a, b in zip(first.textures, second.textures, strict=True))


def test_landmarks_differ_in_shape_and_look():
    sizes = {(round(landmark(k).right, 6), round(landmark(k).top, 6)) for k in range(12)}
    assert len(sizes) == 12
    assert len({len(landmark(k).faces) for k in range(12)}) > 4


def test_every_face_has_a_texture():
    for identity in range(12):
        building = landmark(identity)
        assert building.faces.texture.min() >= 0
        assert building.faces.texture.max() < len(building.textures)


def test_families_are_all_used_about_equally():
    families = np.array([family_of(k) for k in range(2400)])
    counts = np.bincount(families, minlength=12)
    assert len(counts) == 12
    assert counts.min() > 140
    assert counts.max() < 260


def test_without_individuality_members_of_a_family_share_their_look():
    """The tiles of the roof, which depend on the style and little else."""
    members = [k for k in range(60) if family_of(k) == 5][:3]
    roofs = [landmark(k, individuality=0.0).textures[0][..., :3].reshape(-1, 3) for k in members]
    assert len(members) == 3
    commonest = [tuple(np.median(roof, axis=0)) for roof in roofs]
    assert len(set(commonest)) == 1
