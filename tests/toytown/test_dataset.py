"""The splits: disjoint, the same pixels however they are made, and never a bad file believed."""

import os
import signal
import subprocess
import sys
import textwrap
import time
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from gem_lite.profiles import PROFILES, get_profile
from gem_lite.toytown import World, load
from gem_lite.toytown.dataset import FIELDS, FIRST_LANDMARK, ImageSet, landmark_ids
from gem_lite.toytown.held_out import FIRST_TEST_LANDMARK
from gem_lite.toytown.landmark import POINTS
from gem_lite.toytown.renderer import CLUTTER, LANDMARK

STARTS = {**FIRST_LANDMARK, "test": FIRST_TEST_LANDMARK}


def run_python(code: str, cache: Path, **options) -> subprocess.Popen:
    """A fresh interpreter that runs this code with that cache."""
    environment = {**os.environ, "GEM_LITE_CACHE": str(cache)}
    return subprocess.Popen([sys.executable, "-c", textwrap.dedent(code)], env=environment, **options)


def assert_same(one: ImageSet, other: ImageSet) -> None:
    for field in (*FIELDS, "landmarks", "views"):
        np.testing.assert_array_equal(getattr(one, field), getattr(other, field), err_msg=field)


# ---- which landmarks


def ids(profile: str, split: str, seed: int) -> set[int]:
    return set(landmark_ids(STARTS[split], getattr(get_profile(profile), split)[0], seed))


@pytest.mark.parametrize("profile", PROFILES)
def test_no_landmark_is_in_two_splits_or_two_seeds(profile):
    everything = [ids(profile, split, seed) for split in STARTS for seed in range(4)]
    assert sum(len(part) for part in everything) == len(set().union(*everything))


def test_a_test_landmark_of_one_profile_is_never_tuned_on_in_another():
    tested = set().union(*(ids(profile, "test", seed) for profile in PROFILES for seed in range(4)))
    for split in FIRST_LANDMARK:
        tuned = set().union(*(ids(profile, split, seed) for profile in PROFILES for seed in range(4)))
        assert not tested & tuned


@pytest.mark.parametrize("profile", PROFILES)
def test_no_landmark_is_one_of_the_prototypes(profile):
    """Settings were chosen on the prototype, whose landmarks were 1000.., 3000.. to 5000.. and 7000.. ."""
    spent = {
        100_000 * world + start + index
        for world in range(8)
        for start in (1000, 3000, 4000, 5000, 7000)
        for index in range(1000)
    }
    for split in STARTS:
        for seed in range(8):
            assert not spent & ids(profile, split, seed)


def test_a_negative_seed_is_refused():
    with pytest.raises(ValueError, match="seed must not be negative, got -1"):
        load("tiny", -1, "val")


# ---- a split


def test_a_split_has_the_promised_shapes(val):
    landmarks, views = get_profile("tiny").val
    n = landmarks * views
    assert len(val) == n
    assert (val.images.shape, val.images.dtype) == ((n, 64, 64, 3), np.uint8)
    assert (val.masks.shape, val.masks.dtype) == ((n, 64, 64), np.uint8)
    assert (val.visible.shape, val.visible.dtype) == ((n, POINTS), np.bool_)
    assert (val.scales.shape, val.scales.dtype) == ((n,), np.float32)
    assert len(np.unique(val.landmarks)) == landmarks
    assert set(zip(val.landmarks.tolist(), val.views.tolist(), strict=True)) == {
        (landmark, view) for landmark in val.landmarks for view in range(views)
    }


def test_every_image_shows_its_landmark_and_some_of_its_points(val):
    assert (val.masks == LANDMARK).any(axis=(1, 2)).all()
    assert val.visible.any(axis=1).all()
    assert (val.scales > 0).all()


def test_views_of_a_landmark_overlap_more_than_nothing(val):
    queries, _ = val.covisibility.pairs()
    assert len(np.unique(queries)) > len(val) / 2


def test_the_backdrop_has_no_clutter_and_the_other_splits_do(backdrop, val):
    assert not (backdrop.masks == CLUTTER).any()
    assert (val.masks == CLUTTER).any()


def test_another_seed_gives_other_landmarks_and_pixels(val):
    other = load("tiny", 1, "val", workers=1)
    assert not set(other.landmarks) & set(val.landmarks)
    assert (other.images != val.images).mean() > 0.5


def test_another_world_is_another_artefact_with_the_same_cameras(val):
    bare = load("tiny", 0, "val", World(clutter=(0, 0)), workers=1)
    assert bare.world == replace(val.world, clutter=(0, 0))
    assert not (bare.masks == CLUTTER).any()
    uncluttered = ~(val.masks == CLUTTER).any(axis=(1, 2))
    assert uncluttered.any()
    np.testing.assert_array_equal(bare.images[uncluttered], val.images[uncluttered])


def test_larger_renders_the_same_view(val):
    large = val.larger(5, size=128)
    assert large.image.shape == (128, 128, 3)
    shrunk = large.image.reshape(64, 2, 64, 2, 3).mean(axis=(1, 3))
    views = get_profile("tiny").val[1]
    other = val.images[5 + views].astype(float)  # the same view of another landmark
    difference = np.abs(shrunk - val.images[5]).mean()
    assert difference < 12
    assert difference < np.abs(shrunk - other).mean() / 2


def test_the_test_split_has_another_door():
    with pytest.raises(ValueError, match=r"gem_lite\.toytown\.load_test"):
        load("tiny", 0, "test")


def test_unknown_split_and_profile_are_named_with_the_known_ones():
    with pytest.raises(ValueError, match="unknown split 'valid'; known: train, val"):
        load("tiny", 0, "valid")
    with pytest.raises(ValueError, match="unknown profile 'small'; known: tiny"):
        load("small")


def test_a_worker_is_needed(empty_cache):
    with pytest.raises(ValueError, match="workers must be at least 1, got 0"):
        load("tiny", 0, "val", workers=0)


# ---- the same for everybody


@pytest.mark.slow
@pytest.mark.parametrize("workers", [2, 4])
def test_the_number_of_workers_changes_no_bit(workers, val, empty_cache):
    assert_same(load("tiny", 0, "val", workers=workers), val)


@pytest.mark.slow
def test_another_process_renders_the_same_bits(val, tmp_path, monkeypatch):
    """The script has no ``if __name__ == "__main__"``: workers must not run it again."""
    script = tmp_path / "reader.py"
    script.write_text(
        "from gem_lite.toytown import load\nprint('rendered', len(load('tiny', 0, 'val', workers=2)))\n"
    )
    environment = {**os.environ, "GEM_LITE_CACHE": str(tmp_path / "cache")}
    result = subprocess.run([sys.executable, script], env=environment, capture_output=True, text=True)
    assert result.returncode == 0, result.stderr
    assert result.stdout == f"rendered {len(val)}\n"
    monkeypatch.setenv("GEM_LITE_CACHE", str(tmp_path / "cache"))
    assert_same(load("tiny", 0, "val", workers=1), val)


@pytest.mark.slow
def test_rendering_works_in_a_process_that_has_used_torch(tmp_path):
    code = """
        import torch
        torch.nn.functional.conv2d(torch.rand(8, 3, 64, 64), torch.rand(16, 3, 3, 3)).sum()
        from gem_lite.toytown import load
        print(len(load("tiny", 0, "val", workers=2)))
    """
    process = run_python(code, tmp_path, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
    output, _ = process.communicate(timeout=120)
    assert process.returncode == 0
    assert int(output) == 30


# ---- the cache


def artefact(cache: Path) -> Path:
    (path,) = cache.glob("toytown-tiny-0-val-*.npz")
    return path


def test_the_second_call_renders_nothing(val, monkeypatch):
    def fail(*_args, **_options):
        raise AssertionError("rendered again")

    monkeypatch.setattr("gem_lite.toytown.dataset.run_jobs", fail)
    assert_same(load("tiny", 0, "val"), val)


@pytest.mark.parametrize("damage", ["truncated", "empty", "altered", "replaced"])
def test_a_damaged_file_is_rendered_again(damage, val, empty_cache):
    load("tiny", 0, "val", workers=1)
    path = artefact(empty_cache)
    content = bytearray(path.read_bytes())
    if damage == "truncated":
        del content[len(content) * 2 // 3 :]
    elif damage == "empty":
        content.clear()
    elif damage == "altered":
        content[len(content) // 2] ^= 1
    else:
        content[:] = b"not an archive of arrays"
    path.write_bytes(content)
    assert_same(load("tiny", 0, "val", workers=1), val)


def test_an_interrupted_render_leaves_no_artefact_and_is_continued(val, empty_cache, monkeypatch):
    from gem_lite.toytown import dataset

    rendered = []
    original = dataset.render_landmark

    def stops_at_the_third(landmark, *others):
        if len(rendered) == 2:
            raise KeyboardInterrupt
        rendered.append(landmark)
        return original(landmark, *others)

    monkeypatch.setattr(dataset, "render_landmark", stops_at_the_third)
    with pytest.raises(KeyboardInterrupt):
        load("tiny", 0, "val", workers=1)
    assert not list(empty_cache.glob("toytown-*.npz"))
    first_two = list(rendered)

    def notes(landmark, *others):
        rendered.append(landmark)
        return original(landmark, *others)

    monkeypatch.setattr(dataset, "render_landmark", notes)
    assert_same(load("tiny", 0, "val", workers=1), val)
    assert len(rendered) == get_profile("tiny").val[0]
    assert rendered[:2] == first_two
    assert not list(empty_cache.glob("*.parts"))


RENDER_TRAIN = """
    from gem_lite.toytown import load
    load("tiny", 0, "train", workers={workers})
"""


@pytest.mark.slow
@pytest.mark.parametrize("workers", [1, 2])
def test_a_killed_render_never_leaves_a_bad_cache(workers, train, empty_cache):
    process = run_python(RENDER_TRAIN.format(workers=workers), empty_cache, stderr=subprocess.DEVNULL)
    wait_for(lambda: list(empty_cache.glob("*.parts/*.npz")), process)
    process.send_signal(signal.SIGKILL)
    assert process.wait() == -signal.SIGKILL
    assert not list(empty_cache.glob("toytown-*.npz")), "it was to be killed in the middle"
    assert_same(load("tiny", 0, "train", workers=1), train)


def wait_for(condition, process: subprocess.Popen, seconds: float = 120) -> None:
    end = time.monotonic() + seconds
    while not condition():
        assert process.poll() is None, "the render ended before it could be killed"
        assert time.monotonic() < end
        time.sleep(0.005)


@pytest.mark.slow
def test_two_processes_that_want_the_same_split_make_it_once(val, empty_cache):
    code = """
        from gem_lite.toytown import load
        load("tiny", 0, "val", workers=1)
    """
    both = [run_python(code, empty_cache, stderr=subprocess.PIPE, text=True) for _ in range(2)]
    errors = [process.communicate(timeout=120)[1] for process in both]
    assert [process.returncode for process in both] == [0, 0]
    assert sum("rendering tiny-0-val" in text for text in errors) == 1
    assert_same(load("tiny", 0, "val"), val)
