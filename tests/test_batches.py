"""Batches hold one shape each, lose nothing, and never let too much wait."""

import threading
import time

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from gem_lite import batches
from gem_lite.batches import batches_of_one_shape, read_ahead


def picture(row, height, width):
    return np.full((height, width, 3), row, dtype=np.uint8)


@given(
    sides=st.lists(st.tuples(st.integers(1, 3), st.integers(1, 3)), max_size=40),
    batch_size=st.none() | st.integers(1, 5),
    waiting=st.integers(1, 60),
)
def test_every_picture_goes_through_once_with_its_own_kind(sides, batch_size, waiting):
    pictures = [(row, picture(row, *shape)) for row, shape in enumerate(sides)]
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(batches, "WAITING_PIXELS", waiting)
        made = list(batches_of_one_shape(iter(pictures), batch_size))
    seen = []
    for rows, pixels in made:
        assert batch_size is None or len(rows) <= batch_size
        assert len(rows) == len(pixels)
        for row, one in zip(rows, pixels, strict=True):
            np.testing.assert_array_equal(one, pictures[row][1])
            seen.append(row)
    assert sorted(seen) == list(range(len(sides)))


def test_waiting_is_bounded(monkeypatch):
    monkeypatch.setattr(batches, "WAITING_PIXELS", 100)
    read = given_away = 0  # pixels

    def source():
        nonlocal read
        for row in range(1000):
            read += 1 + row % 9
            yield row, picture(row % 256, 1 + row % 9, 1)  # nine shapes in turn

    most = 0
    for _, pixels in batches_of_one_shape(source(), batch_size=1000):
        most = max(most, read - given_away)
        given_away += pixels[..., 0].size
    assert given_away == read
    assert most <= 100 + 9


def test_automatic_batches_are_smaller_for_larger_pictures():
    small = [(row, picture(row, 10, 10)) for row in range(100)]
    assert [len(rows) for rows, _ in batches_of_one_shape(small, None)] == [64, 36]
    large = [(row, np.zeros((1500, 1500, 3), np.uint8)) for row in range(2)]
    assert [len(rows) for rows, _ in batches_of_one_shape(large, None)] == [1, 1]


@pytest.mark.parametrize("workers", [0, 1, 3])
def test_rows_come_in_order_whoever_reads_them(workers):
    def prepare(row):
        time.sleep(0.001 * (row % 3))
        return picture(row, 1, 1)

    read = [(row, pixels().ravel()[0]) for row, pixels in read_ahead(prepare, 20, workers)]
    assert read == [(row, row) for row in range(20)]


def test_reading_ahead_does_not_read_everything():
    asked = []

    def prepare(row):
        asked.append(row)
        return picture(0, 1, 1)

    first = next(read_ahead(prepare, 1000, workers=2))
    assert first[0] == 0
    time.sleep(0.05)
    assert len(asked) <= 8


def test_pictures_are_read_by_several_threads_at_once():
    both = threading.Barrier(2, timeout=10)

    def prepare(row):
        both.wait()  # passes only if two are here at the same time
        return picture(row, 1, 1)

    assert len([pixels() for _, pixels in read_ahead(prepare, 4, workers=2)]) == 4
