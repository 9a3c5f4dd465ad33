"""Descriptors on disk: read back as an array, whole or refused."""

import json
from pathlib import Path

import numpy as np
import pytest

from gem_lite.extraction import fill_shards
from gem_lite.seeds import stream
from gem_lite.shards import Shards

ROWS = stream("test-shards").normal(size=(23, 3)).astype(np.float32)


@pytest.fixture
def shards(tmp_path: Path) -> Shards:
    return fill_shards(tmp_path / "d", 23, lambda a, b: ROWS[a:b], {"of": "noise"}, 5, progress=False)


def test_they_are_read_like_an_array(shards: Shards) -> None:
    assert (shards.shape, shards.dtype, shards.ndim, len(shards)) == ((23, 3), np.float32, 2, 23)
    assert [file.name for file in sorted(shards.folder.glob("*.npy"))][-1] == "000004.npy"
    mask = ROWS[:, 0] > 0
    for key in (
        *(0, 22, -1, np.int64(7)),
        *(
            slice(None),
            slice(6, 9),
            slice(3, 18),
            slice(4, 20, 3),
            slice(20, 99),
            slice(9, 6),
            slice(None, None, -1),
        ),
        *(
            [3, 22, 3, -2],
            np.array([[0, 9], [14, 14]]),
            [],
            mask,
            (slice(2, 12), 1),
            (4, slice(0, 2)),
            (mask, 0),
        ),
    ):
        expected = (
            ROWS[np.array(key, dtype=int) if key == [] else key] if isinstance(key, list) else ROWS[key]
        )
        assert np.array_equal(shards[key], expected), key
        assert shards[key].shape == expected.shape, key
    assert np.array_equal(np.asarray(shards), ROWS)
    assert np.array_equal(np.stack(list(shards)), ROWS)
    assert np.asarray(shards, dtype=np.float64).dtype == np.float64
    assert "shape=(23, 3)" in repr(shards)
    assert shards.made_from == {"of": "noise"}


def test_a_slice_of_one_shard_is_a_view_of_the_file(shards: Shards) -> None:
    assert isinstance(shards[5:8], np.memmap)
    assert not shards[5:8].flags.writeable


def test_a_copy_of_a_single_shard_can_be_written(tmp_path: Path) -> None:
    one = fill_shards(tmp_path / "one", 4, lambda a, b: ROWS[a:b], {"of": "noise"}, 5, progress=False)
    assert np.array(one).flags.writeable
    assert not np.asarray(one).flags.writeable, "without a copy it is the file"


def test_rows_that_are_not_there_are_refused(shards: Shards) -> None:
    for key in (23, -24, [0, 23], np.ones(5, dtype=bool)):
        with pytest.raises(IndexError, match="23"):
            shards[key]


def test_a_missing_or_damaged_shard_is_named_and_made_again(shards: Shards) -> None:
    files = sorted(shards.folder.glob("*.npy"))
    files[1].unlink()
    files[3].write_bytes(files[3].read_bytes()[:-4])
    with pytest.raises(ValueError, match=r"2 of 5 shards of .* the first is 000001.npy"):
        Shards(shards.folder)
    asked = []

    def make(start: int, stop: int) -> np.ndarray:
        asked.append(start)
        return ROWS[start:stop]

    again = fill_shards(shards.folder, 23, make, {"of": "noise"}, 5, progress=False)
    assert asked == [5, 15]
    assert np.array_equal(np.asarray(again), ROWS)


def test_a_folder_without_descriptors_is_refused(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError, match=r"no manifest\.json"):
        Shards(tmp_path)
    (tmp_path / "000000.npy").write_bytes(b"")
    with pytest.raises(ValueError, match="of what is unknown"):
        fill_shards(tmp_path, 23, lambda a, b: ROWS[a:b], {}, progress=False)


def test_other_descriptors_are_refused_and_nothing_changes(shards: Shards) -> None:
    before = {file.name: file.read_bytes() for file in shards.folder.glob("*.*") if file.is_file()}
    for count, made_from, rows, said in (
        (23, {"of": "music"}, 5, 'another of: of was "noise" and is now "music"'),
        (23, {"of": "noise", "size": 3}, 5, "another size: size was null and is now 3"),
        (22, {"of": "noise"}, 5, "another count: count was 23 and is now 22"),
        (23, {"of": "noise"}, 6, "another rows_per_shard"),
    ):
        with pytest.raises(ValueError, match=said):
            fill_shards(shards.folder, count, lambda a, b: ROWS[a:b], made_from, rows, progress=False)
    assert before == {file.name: file.read_bytes() for file in shards.folder.glob("*.*") if file.is_file()}
    assert json.loads((shards.folder / "manifest.json").read_text())["count"] == 23


def test_wrong_rows_are_refused(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="rows 5 to 10 were asked for"):
        fill_shards(tmp_path, 23, lambda a, b: ROWS[:5] if a == 0 else ROWS, {}, 5, progress=False)
    with pytest.raises(ValueError, match="at least one row"):
        fill_shards(tmp_path, 0, lambda a, b: ROWS, {}, progress=False)
