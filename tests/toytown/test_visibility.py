"""Observed points: against the rendered masks, against clutter, and independent of the image's size."""

from dataclasses import replace

import cv2
import numpy as np
import pytest

from gem_lite.toytown.camera import Camera, look_at
from gem_lite.toytown.geometry import Mesh
from gem_lite.toytown.ground import ground_face
from gem_lite.toytown.rasterizer import project
from gem_lite.toytown.renderer import CLUTTER, LANDMARK, render
from gem_lite.toytown.scene import Clutter, View, World, flat, sample_view
from gem_lite.toytown.visibility import GRAZING, covered_by_faces, visible_points

SIZE = 192


def observed(view: View) -> tuple[np.ndarray, np.ndarray]:
    building = view.building()
    return visible_points(view, building, project(building.faces.joined(ground_face()), view.camera))


def pixels(view: View, points: np.ndarray, size: int = SIZE) -> tuple[np.ndarray, np.ndarray]:
    """Rows and columns of 3D points in an image of this size."""
    x, y, _ = view.camera.image(points)
    return (y * size).astype(int), (x * size).astype(int)


@pytest.mark.parametrize("number", range(6))
def test_a_visible_point_is_labelled_landmark(number):
    """In the point's own pixel; where that pixel's middle just misses the landmark, in one beside it."""
    view = sample_view(number, number, replace(World(), clutter=(3, 3)))
    index, _ = observed(view)
    mask = render(view, SIZE).mask
    where = pixels(view, view.building().points[index])
    assert len(index) > 20
    assert np.mean(mask[where] == LANDMARK) > 0.97
    beside = cv2.dilate((mask == LANDMARK).astype(np.uint8), np.ones((3, 3), np.uint8))
    assert np.all(beside[where] == 1)


@pytest.mark.parametrize("number", range(4))
def test_a_point_that_is_not_visible_has_a_reason(number):
    """It is outside the image, turned away, or something is drawn in front of it."""
    view = sample_view(number, 2, replace(World(), clutter=(0, 0)))
    building = view.building()
    index, _ = observed(view)
    x, y, depth = view.camera.image(building.points)
    inside = (x >= 0) & (x < 1) & (y >= 0) & (y < 1) & (depth > 0)
    ray = view.camera.centre - building.points
    cosine = (building.faces.normals()[building.point_face] * ray).sum(axis=1) / np.linalg.norm(ray, axis=1)
    hidden = np.setdiff1d(np.flatnonzero(inside & (cosine > GRAZING)), index)
    # Cast a ray from each hidden point to the camera: it must meet another face on its way.
    faces, met = building.faces, np.zeros(len(hidden), bool)
    start, way = building.points[hidden], ray[hidden]
    for number_of_face in range(len(faces)):
        normal = np.cross(faces.across[number_of_face], faces.up[number_of_face])
        with np.errstate(divide="ignore", invalid="ignore"):
            share = ((faces.origin[number_of_face] - start) @ normal) / (way @ normal)
        place = start + share[:, None] * way - faces.origin[number_of_face]
        basis = np.stack([faces.across[number_of_face], faces.up[number_of_face]], axis=1)
        u, v = np.nan_to_num(place @ np.linalg.pinv(basis).T, nan=-1).T
        inset = (1 - faces.taper[number_of_face]) / 2 * v
        met |= (share > 1e-4) & (share < 1) & (v >= 0) & (v <= 1) & (u >= inset) & (u <= 1 - inset)
    assert len(index) > 20
    assert met.all()


@pytest.mark.parametrize(("behind", "covered"), [(-0.2, False), (0.0, False), (0.2, True)])
def test_a_column_hides_the_wall_just_behind_it(behind, covered):
    """20 cm at 25 m are enough, and a face does not hide itself."""
    camera = Camera(look_at(np.array([0.0, -25, 2]), np.array([0.0, 0, 2])), np.array([0.0, -25, 2]), 1.2)
    mesh = Mesh()
    mesh.face((-1, 0, 0), (2, 0, 0), (0, 0, 4), texture=0)
    place = camera.image(np.array([[0.2, behind, 1.5]]))
    assert covered_by_faces(project(mesh.faces(), camera), np.array([0]), *place) == [covered]


def test_an_object_hides_the_points_behind_it_and_no_others():
    view = sample_view(3, 5, replace(World(), clutter=(0, 0)))
    x, y, _ = view.camera.centre + 12.0 * flat(view.camera.rotation[2])
    bus = replace(view, clutter=(Clutter("bus", 0, float(x), float(y), 0.0, 1.0),))
    free, _ = observed(view)
    left, _ = observed(bus)
    gone = np.setdiff1d(free, left)
    assert np.all(np.isin(left, free))
    assert len(gone) > 5
    mask = render(bus, SIZE).mask
    assert np.mean(mask[pixels(view, view.building().points[gone])] == CLUTTER) > 0.95
    assert np.mean(mask[pixels(view, view.building().points[left])] == CLUTTER) < 0.05


def test_the_image_size_makes_no_difference():
    view = sample_view(6, 1)
    renderings = [render(view, size) for size in (32, 64, 96)]
    for other in renderings[1:]:
        assert np.array_equal(renderings[0].visible, other.visible)
        assert renderings[0].scale == other.scale


def test_depths_are_those_of_the_points():
    view = sample_view(6, 1)
    index, depth = observed(view)
    forward = view.camera.rotation[2] @ (view.building().points[index] - view.camera.centre).T
    np.testing.assert_allclose(depth, forward)
    assert np.all(np.diff(index) > 0)
