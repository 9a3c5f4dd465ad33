"""Profiles are found by name, and the default is the one that was frozen."""

import pytest

from gem_lite.profiles import PROFILES, get_profile


def test_lite_is_the_world_that_was_fixed_before_the_first_training() -> None:
    lite = get_profile("lite")
    assert (lite.image_size, lite.train, lite.val, lite.test) == (96, (100, 16), (20, 10), (30, 20))
    assert (lite.distractors, lite.backdrop, lite.pretrain_steps) == ((60, 4), (72, 5), 400)
    assert (lite.epochs, lite.tuples, lite.mining_pool) == (6, 300, 160)


def test_an_unknown_profile_is_refused_with_the_known_ones() -> None:
    with pytest.raises(ValueError, match="unknown profile 'huge'; known: tiny, lite, gpu"):
        get_profile("huge")


def test_names_match() -> None:
    assert all(name == profile.name for name, profile in PROFILES.items())
