"""Pictures for pre-training: repeatable batch by batch, and the unseen ones are really unseen."""

import numpy as np
import pytest

from gem_lite.toytown import objects
from gem_lite.toytown.landmark import family_of
from gem_lite.toytown.objects import (
    BARE_SHARE,
    UNSEEN_BUILDINGS,
    UNSEEN_VARIANTS,
    VARIANTS,
    Light,
    ObjectPictures,
)
from gem_lite.toytown.sprites import NAMES


@pytest.fixture(scope="module")
def pictures(backdrop) -> ObjectPictures:
    return ObjectPictures(backdrop, size=40, seed=0)


def test_a_batch_has_the_promised_shapes(pictures):
    images, labels = pictures.batch(0, 50)
    assert (images.shape, images.dtype) == ((50, 40, 40, 3), np.uint8)
    assert (labels.shape, labels.dtype) == ((50,), np.int64)
    assert len(pictures.classes) == 28
    assert labels.min() >= 0
    assert labels.max() < 28


def test_a_batch_depends_on_its_number_alone(backdrop, pictures):
    images, labels = pictures.batch(3, 20)
    again, same = ObjectPictures(backdrop, size=40, seed=0).batch(3, 20)
    np.testing.assert_array_equal(images, again)
    np.testing.assert_array_equal(labels, same)
    assert (pictures.batch(4, 20)[0] != images).any()
    assert (ObjectPictures(backdrop, size=40, seed=1).batch(3, 20)[0] != images).any()


def test_about_a_third_of_the_pictures_show_a_bare_building_labelled_with_its_family(pictures):
    _, labels = pictures.batch(0, 2000)
    bare = (labels >= len(NAMES)).mean()
    assert abs(bare - BARE_SHARE) < 4 * np.sqrt(BARE_SHARE * (1 - BARE_SHARE) / 2000)
    assert set(labels[labels < len(NAMES)]) == set(range(len(NAMES)))


def test_families_are_those_of_the_buildings(backdrop, pictures):
    assert pictures.families.tolist() == [family_of(int(landmark), 12) for landmark in backdrop.landmarks]


def test_unseen_pictures_share_no_building_and_no_drawing_with_the_others(backdrop, pictures, monkeypatch):
    seen, unseen = (set(backdrop.landmarks[pictures.rows[kind]]) for kind in (False, True))
    assert not seen & unseen
    assert seen | unseen == set(backdrop.landmarks)
    assert len(unseen) == len(set(backdrop.landmarks)) // UNSEEN_BUILDINGS

    original, drawn = objects._drawing, {}
    for kind in (False, True):
        asked = drawn[kind] = set()

        def noted(label, variant, *rest, asked=asked):
            asked.add(variant)
            return original(label, variant, *rest)

        monkeypatch.setattr(objects, "_drawing", noted)
        ObjectPictures(backdrop, size=40, seed=0).batch(0, 600, unseen=kind)
    assert drawn[False] == set(range(VARIANTS))
    assert drawn[True] == set(range(VARIANTS, VARIANTS + UNSEEN_VARIANTS))


def test_an_object_changes_the_picture_where_it_stands(pictures):
    """One wide dark object on a white canvas: the drawing shows, and not everywhere."""
    white = np.full((40, 40, 3), 255, dtype=np.uint8)
    rng = np.random.default_rng(0)
    shown = [pictures._with_object(white, NAMES.index("bus"), rng, unseen=False) for _ in range(20)]
    changed = [(picture != picture[0, 0]).any(axis=2).mean() for picture in shown]
    assert min(changed) > 0.02
    assert max(changed) < 0.9


def test_steady_light_changes_nothing():
    rng = np.random.default_rng(0)
    table = Light(gain=0, tint=0, gamma=0).table(rng)
    np.testing.assert_array_equal(table[0, :, 0], np.arange(256))
    brighter = [Light().table(rng)[0, 128].mean() for _ in range(200)]
    assert min(brighter) < 100
    assert max(brighter) > 160
