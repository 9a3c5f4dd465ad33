"""Every class of object draws something, the same every time, within its square."""

import numpy as np
import pytest

from gem_lite.toytown.canvas import SIDE
from gem_lite.toytown.sprites import CLASSES, DRAWINGS, NAMES, painted, sprite


def test_sixteen_classes_have_a_size_and_a_drawing():
    assert len(NAMES) == 16
    assert set(DRAWINGS) == set(CLASSES)
    assert all(0.5 < side < 10 for size in CLASSES.values() for side in size)


@pytest.mark.parametrize("name", NAMES)
def test_every_class_draws_something(name):
    for variant in range(3):
        drawing = sprite(name, variant)
        assert drawing.shape == (SIDE, SIDE, 4)
        assert drawing.dtype == np.uint8
        opacity = drawing[..., 3]
        assert 0.04 < (opacity > 127).mean() < 0.97
        assert opacity[-SIDE // 10 :].max() > 200, "it stands on the ground"
        assert opacity[: SIDE // 3].max() > 200, "it is about as high as its class"
        assert drawing[..., :3][opacity > 200].std() > 5, "it is more than a silhouette"


def test_edges_are_soft():
    opacity = sprite("balloons", 0)[..., 3]
    assert np.any((opacity > 20) & (opacity < 235))


@pytest.mark.parametrize("name", NAMES)
def test_the_same_name_is_the_same_drawing_and_others_are_not(name):
    drawing = painted.__wrapped__(name, 1)
    assert np.array_equal(drawing, painted.__wrapped__(name, 1))
    assert not np.array_equal(drawing, painted(name, 2))
    assert not np.array_equal(drawing, painted(name, 1, series="elsewhere"))


def test_painted_colours_are_multiplied_by_their_opacity():
    drawing, straight = painted("tree", 4).astype(float), sprite("tree", 4).astype(float)
    assert np.all(drawing[..., :3] <= drawing[..., 3:])
    np.testing.assert_allclose(straight[..., :3] * straight[..., 3:] / 255, drawing[..., :3], atol=0.51)


def test_an_unknown_class_is_named():
    with pytest.raises(ValueError, match=r"unknown object class 'zebra'; known: car, "):
        sprite("zebra", 0)
