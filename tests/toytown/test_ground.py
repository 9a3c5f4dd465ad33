"""Four grounds, each its own; one large face."""

import numpy as np

from gem_lite.toytown.ground import GROUNDS, ground_face, ground_textures


def test_every_ground_is_drawn_and_different():
    textures = ground_textures()
    assert len(textures) == len(GROUNDS) == 4
    means = np.array([texture[..., :3].mean(axis=(0, 1)) for texture in textures])
    distances = np.abs(means[:, None] - means[None]).max(axis=2)
    assert np.all(distances[~np.eye(4, dtype=bool)] > 5)
    assert all(texture[..., 3].max() == 0 for texture in textures)  # nothing glows


def test_the_ground_is_level_and_looks_up():
    face = ground_face()
    np.testing.assert_allclose(face.normals(), [[0, 0, 1]])
    assert np.all(face.corners()[..., 2] == 0)
