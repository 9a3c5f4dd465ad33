"""Faces: points, corners, areas; and bodies that are closed and look outwards."""

import numpy as np
import pytest

from gem_lite.toytown.geometry import Faces, Mesh, Plan


def one_face(taper: float) -> Faces:
    mesh = Mesh()
    mesh.face((1, 2, 3), (4, 0, 0), (0, 0, 2), texture=0, taper=taper)
    return mesh.faces()


@pytest.mark.parametrize("taper", [0.0, 0.4, 1.0])
def test_corners_and_area_of_a_trapezoid(taper):
    face = one_face(taper)
    inset = 4 * (1 - taper) / 2
    expected = [(1, 2, 3), (5, 2, 3), (1 + inset, 2, 5), (5 - inset, 2, 5)]
    np.testing.assert_allclose(face.corners()[0], expected)
    assert face.areas()[0] == pytest.approx((4 + 4 * taper) / 2 * 2)


def test_points_of_a_face():
    points = one_face(1.0).at(np.array([0, 0]), np.array([0.0, 0.5]), np.array([0.0, 1.0]))
    np.testing.assert_allclose(points, [(1, 2, 3), (3, 2, 5)])


def outwards(faces: Faces) -> np.ndarray:
    """Whether every normal points away from the body's middle."""
    middles = faces.corners().mean(axis=1)
    return ((middles - middles.mean(axis=0)) * faces.normals()).sum(axis=1) > 0


def test_all_bodies_look_outwards():
    plan = Plan(-3, 3, -2, 2)
    for build in (
        lambda mesh: mesh.box(plan, 0, 5, 0, 0, 0),
        lambda mesh: mesh.gabled_roof(plan, 5, 2, 0, 0),
        lambda mesh: mesh.hipped_roof(plan, 5, 2, 0, 0.4),
        lambda mesh: mesh.turned(0, 0, [(2, 0), (1.5, 3), (0.1, 4)], 0, sides=8),
    ):
        mesh = Mesh()
        build(mesh)
        assert outwards(mesh.faces()).all()


def test_a_box_has_the_area_of_its_walls_and_its_top():
    mesh = Mesh()
    mesh.box(Plan(0, 6, 0, 4), 0, 5, 0, 0, 0)
    assert mesh.faces().areas().sum() == pytest.approx(2 * 6 * 5 + 2 * 4 * 5 + 6 * 4)


def test_a_gabled_roof_lies_on_its_gables():
    """The slopes' planes contain the gables' edges; a gap there would show the sky."""
    mesh = Mesh()
    mesh.gabled_roof(Plan(-3, 3, -2, 2), 5, 2, 0, 1)
    faces = mesh.faces()
    slopes = np.flatnonzero(faces.texture == 1)
    gable_corners = [(3, -2, 5), (0, -2, 7), (3, 2, 5), (0, 2, 7)], [(-3, -2, 5), (0, -2, 7)]
    for slope, corners in zip(slopes, gable_corners, strict=True):
        heights = (np.array(corners) - faces.origin[slope]) @ faces.normals()[slope]
        np.testing.assert_allclose(heights, 0, atol=1e-12)


def test_a_turned_ring_closes():
    mesh = Mesh()
    mesh.turned(1, 2, [(2, 0), (1, 3)], 0, sides=7)
    corners = mesh.faces().corners()
    np.testing.assert_allclose(corners[:, 1], np.roll(corners[:, 0], -1, axis=0), atol=1e-12)
    np.testing.assert_allclose(corners[:, 3], np.roll(corners[:, 2], -1, axis=0), atol=1e-12)
    np.testing.assert_allclose(np.hypot(*(corners[:, 2, :2] - (1, 2)).T), 1)


def test_joined_faces_keep_their_order():
    first, second = one_face(0.0), one_face(1.0)
    both = first.joined(second)
    assert len(both) == 2
    assert both.taper.tolist() == [0, 1]
