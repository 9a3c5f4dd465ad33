"""The homographies against ray casting, which they replace; the z-buffer; what is behind the camera."""

import numpy as np
import pytest

from gem_lite.toytown.camera import Camera, look_at
from gem_lite.toytown.geometry import Faces, Mesh
from gem_lite.toytown.landmark import landmark
from gem_lite.toytown.rasterizer import NOTHING, draw, pixel_centres, project
from gem_lite.toytown.scene import sample_view

SIZE = 48


def camera_at(x: float, y: float, z: float, roll: float = 0.1) -> Camera:
    centre = np.array([x, y, z])
    return Camera(look_at(centre, np.array([0.0, 0.0, 4.0]), roll), centre, 1.2)


def rays(camera: Camera, size: int) -> np.ndarray:
    """Directions (size, size, 3) of the pixels, one metre deep, in the world."""
    steps = (np.arange(size) + 0.5) / size - 0.5
    x, y = np.meshgrid(steps / camera.focal, steps / camera.focal)
    return np.stack([x, y, np.ones_like(x)], axis=-1) @ camera.rotation


def cast(faces: Faces, camera: Camera, size: int) -> tuple[np.ndarray, np.ndarray]:
    """Depth and face of the first intersection of every pixel's ray with the planes of the faces."""
    directions = rays(camera, size)
    nearest = np.full((size, size), np.inf)
    seen = np.full((size, size), NOTHING)
    for number in range(len(faces)):
        normal = np.cross(faces.across[number], faces.up[number])
        with np.errstate(divide="ignore", invalid="ignore"):
            depth = (normal @ (faces.origin[number] - camera.centre)) / (directions @ normal)
        place = camera.centre + depth[..., None] * directions - faces.origin[number]
        basis = np.stack([faces.across[number], faces.up[number]], axis=1)
        u, v = np.moveaxis(place @ np.linalg.pinv(basis).T, -1, 0)
        inset = (1 - faces.taper[number]) / 2 * v
        hit = (depth > 0) & (v >= 0) & (v <= 1) & (u >= inset) & (u <= 1 - inset) & (depth < nearest)
        nearest[hit], seen[hit] = depth[hit], number
    return nearest, seen


def test_a_homography_gives_coordinates_and_inverse_depth():
    """H (x, y, 1) = (u, v, 1) / depth at the image of a point whose u, v and depth are known."""
    faces, camera = landmark(7).faces, camera_at(4, -30, 2)
    homography = project(faces, camera).homography
    rng = np.random.default_rng(0)
    u, v = rng.random(len(faces)), rng.random(len(faces))
    x, y, depth = camera.image(faces.at(np.arange(len(faces)), u, v))
    found = np.einsum("fij,fj->fi", homography, np.stack([x, y, np.ones_like(x)], axis=1))
    np.testing.assert_allclose(found, np.stack([u, v, np.ones_like(u)], axis=1) / depth[:, None], rtol=1e-6)


@pytest.mark.parametrize("number", [1, 5, 8])
def test_depth_and_face_are_those_of_ray_casting(number):
    view = sample_view(number, 0)
    faces = landmark(number).faces
    nearness, seen = draw(project(faces, view.camera), np.arange(len(faces)), SIZE)
    depth, face = cast(faces, view.camera, SIZE)
    both = (face != NOTHING) & (seen != NOTHING)
    # A ray through an edge may go either way in single precision.
    assert np.mean((face != NOTHING) == (seen != NOTHING)) > 0.995
    assert both.mean() > 0.1
    close = np.abs(nearness * np.where(both, depth, 0) - 1) < 1e-4
    assert close[both].mean() > 0.995
    # Of faces in the same place, such as a roof on its gable, either may be drawn.
    assert np.mean((face == seen)[both & close]) > 0.95


def square(distance: float, half: float = 1.0) -> tuple:
    return (-half, distance, 4 - half), (2 * half, 0, 0), (0, 0, 2 * half)


@pytest.mark.parametrize("order", [(0, 1), (1, 0)])
def test_the_nearer_face_hides_the_farther_whatever_their_order(order):
    mesh = Mesh()
    distances = (0.0, 5.0)
    for index in order:
        mesh.face(*square(distances[index]), texture=index)
    faces, camera = mesh.faces(), camera_at(0, -10, 4, roll=0)
    nearness, seen = draw(project(faces, camera), np.arange(2), SIZE)
    middle = SIZE // 2
    assert faces.texture[seen[middle, middle]] == 0
    assert 1 / nearness[middle, middle] == pytest.approx(10, rel=1e-4)


def test_faces_that_pass_through_each_other_are_cut_where_they_meet():
    mesh = Mesh()
    mesh.face((-2, -1, 3), (4, 2, 0), (0, 0, 2), texture=0)
    mesh.face((-2, 1, 3), (4, -2, 0), (0, 0, 2), texture=1)
    _, seen = draw(project(mesh.faces(), camera_at(0, -10, 4, roll=0)), np.arange(2), SIZE)
    row = seen[SIZE // 2]
    assert row[SIZE // 2 - 4] == 0
    assert row[SIZE // 2 + 4] == 1


def test_what_is_behind_the_camera_is_not_drawn():
    mesh = Mesh()
    mesh.face(*square(-20.0), texture=0)
    _, seen = draw(project(mesh.faces(), camera_at(0, -10, 4)), np.arange(1), SIZE)
    assert np.all(seen == NOTHING)


def test_a_face_that_reaches_behind_the_camera_is_cut_at_the_horizon():
    """The ground: its inverse depth is (height of the camera) / (drop of the ray per metre of depth)."""
    mesh = Mesh()
    mesh.face((-1e4, -1e4, 0), (2e4, 0, 0), (0, 2e4, 0), texture=0)
    camera = camera_at(0, -10, 2)
    nearness, seen = draw(project(mesh.faces(), camera), np.arange(1), SIZE)
    drop = -rays(camera, SIZE)[..., 2] / camera.centre[2]
    below = drop > 1e-3
    assert np.all(seen[below] == 0)
    np.testing.assert_allclose(nearness[below], drop[below], rtol=1e-3, atol=1e-6)
    assert np.all(seen[drop < 0] == NOTHING)


def test_only_faces_that_are_asked_for_are_drawn():
    faces, camera = landmark(7).faces, camera_at(4, -30, 2)
    _, seen = draw(project(faces, camera), np.array([0]), SIZE)
    assert set(np.unique(seen)) <= {0, NOTHING}


def test_pixel_centres():
    np.testing.assert_allclose(pixel_centres(4), [0.125, 0.375, 0.625, 0.875])
