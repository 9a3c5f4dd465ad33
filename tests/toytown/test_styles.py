"""Families are themselves; landmarks vary them as much as they are told to."""

from dataclasses import fields

import numpy as np
import pytest

from gem_lite.seeds import stream
from gem_lite.toytown.styles import MASONRY, WINDOWS, family_style, own_style


@pytest.mark.parametrize("family", range(12))
def test_a_family_is_the_same_every_time_and_complete(family):
    style, again = family_style(family), family_style(family)
    for field in fields(style):
        assert np.array_equal(getattr(style, field.name), getattr(again, field.name))
    assert style.window in WINDOWS
    assert style.masonry in MASONRY


def test_the_twelve_families_differ():
    looks = {(*family_style(k).wall, *family_style(k).trim, family_style(k).window) for k in range(12)}
    assert len(looks) == 12


def test_without_individuality_the_familys_style_stays():
    style = family_style(3)
    own = own_style(style, stream("test"), individuality=0)
    for field in fields(style):
        assert np.array_equal(getattr(style, field.name), getattr(own, field.name)), field.name


def test_with_individuality_colours_change_but_stay_colours():
    style = family_style(3)
    own = own_style(style, stream("test"), individuality=1)
    assert not np.array_equal(style.wall, own.wall)
    for colour in (own.wall, own.trim, own.roof, own.glass):
        assert colour.min() >= 0.05
        assert colour.max() <= 0.97
