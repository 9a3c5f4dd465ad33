"""The whole photograph: reproducible to the bit, labelled completely, the same view at every size."""

import subprocess
import sys
from dataclasses import replace

import cv2
import numpy as np
import pytest

from gem_lite.toytown.camera import Camera
from gem_lite.toytown.renderer import CLUTTER, GROUND, LANDMARK, SKY, Rendering, render, render_landmark
from gem_lite.toytown.scene import World, sample_view

BARE = replace(World(), clutter=(0, 0))
IN_ANOTHER_PROCESS = """
import sys
import numpy as np
from gem_lite.toytown.renderer import render_landmark
from gem_lite.toytown.scene import World
renderings = render_landmark(5, range(4), World(), 48)
fields = ("image", "mask", "visible", "scale")
parts = [np.ascontiguousarray(getattr(one, field)).tobytes() for one in renderings for field in fields]
sys.stdout.buffer.write(b"".join(parts))
"""


def bits(renderings: list[Rendering]) -> bytes:
    """Everything of some renderings as bytes."""
    fields = ("image", "mask", "visible", "scale")
    return b"".join(
        np.ascontiguousarray(getattr(one, field)).tobytes() for one in renderings for field in fields
    )


def test_a_rendering_has_its_shapes_types_and_labels():
    rendering = render(sample_view(1, 0), 40)
    assert rendering.image.shape == (40, 40, 3)
    assert rendering.image.dtype == rendering.mask.dtype == np.uint8
    assert rendering.mask.shape == (40, 40)
    assert rendering.scale.dtype == np.float32


def test_masks_are_complete_and_all_labels_occur():
    masks = [render(sample_view(landmark, view), 32).mask for landmark in range(6) for view in range(4)]
    assert set(np.unique(masks)) == {GROUND, LANDMARK, CLUTTER, SKY}
    shares = [np.mean(np.array(masks) == label) for label in (GROUND, LANDMARK, CLUTTER, SKY)]
    assert sum(shares) == pytest.approx(1)
    assert shares[LANDMARK] > 0.2


def test_images_are_neither_dark_nor_flat():
    for view in range(8):
        image = render(sample_view(2, view), 32).image
        assert 15 < image.mean() < 235
        assert image.std() > 12


@pytest.mark.parametrize("threads", ["1", "4"])
def test_another_process_renders_the_same_bits(threads, root):
    environment = {"OMP_NUM_THREADS": threads, "OPENBLAS_NUM_THREADS": threads, "PYTHONPATH": str(root)}
    command = [sys.executable, "-c", IN_ANOTHER_PROCESS]
    other = subprocess.run(command, check=True, capture_output=True, env=environment, cwd=root).stdout
    assert other == bits(render_landmark(5, range(4), World(), 48))


def test_opencvs_threads_make_no_difference():
    threads = cv2.getNumThreads()
    try:
        found = []
        for count in (1, 3):
            cv2.setNumThreads(count)
            found.append(bits([render(sample_view(4, view), 64) for view in range(3)]))
    finally:
        cv2.setNumThreads(threads)
    assert found[0] == found[1]


def test_a_landmarks_views_are_rendered_alike_alone_or_together():
    together = render_landmark(8, range(3), World(), 32)
    for view, rendering in enumerate(together):
        assert bits([rendering]) == bits([render(sample_view(8, view), 32)])


def test_without_clutter_the_rest_of_the_mask_stays():
    for view in range(6):
        cluttered = render(sample_view(3, view), 64).mask
        bare = render(sample_view(3, view, BARE), 64).mask
        assert not np.any(bare == CLUTTER)
        free = cluttered != CLUTTER
        assert np.array_equal(cluttered[free], bare[free])


def test_without_clutter_the_rest_of_the_image_nearly_stays():
    """Only soft edges and shadows on the ground may differ from what clutter leaves uncovered."""
    for view in range(6):
        cluttered, bare = render(sample_view(3, view), 64), render(sample_view(3, view, BARE), 64)
        clutter = (cluttered.mask == CLUTTER).astype(np.uint8)
        away = (cv2.dilate(clutter, np.ones((5, 5), np.uint8)) == 0) & (cluttered.mask != GROUND)
        difference = np.abs(cluttered.image.astype(int) - bare.image).max(axis=2)[away]
        assert np.mean(difference > 0) < 0.02


def test_the_same_view_at_another_size_shows_the_same():
    """The large image, averaged down, is close to the small one; noise and fine texture differ."""
    for view in range(4):
        small, large = render(sample_view(7, view), 48), render(sample_view(7, view), 192)
        reduced = cv2.resize(large.image, (48, 48), interpolation=cv2.INTER_AREA)
        difference = np.abs(reduced.astype(int) - small.image)
        assert np.median(difference) <= 4
        labels = large.mask.reshape(48, 4, 48, 4).swapaxes(1, 2).reshape(48, 48, 16)
        common = np.all(labels == labels[..., :1], axis=2)
        assert np.mean(labels[..., 0][common] == small.mask[common]) > 0.995


def test_scale_falls_with_distance():
    view = sample_view(9, 0, BARE)
    scales = []
    for factor in (1.0, 1.5, 2.25):
        centre = view.camera.centre * (factor, factor, 1)
        farther = replace(view, camera=Camera(view.camera.rotation, centre, view.camera.focal))
        scales.append(render(farther, 32).scale)
    assert scales[0] > scales[1] > scales[2] > 0
    assert scales[0] / scales[2] == pytest.approx(2.25, rel=0.25)


def test_a_camera_that_looks_away_sees_no_points():
    view = sample_view(9, 0, BARE)
    away = view.camera.rotation * np.array([[-1], [1], [-1]])
    rendering = render(replace(view, camera=Camera(away, view.camera.centre, view.camera.focal)), 32)
    assert len(rendering.visible) == 0
    assert rendering.scale == 0
    assert LANDMARK not in rendering.mask


@pytest.mark.parametrize(("size", "supersampling"), [(0, 2), (32, 0)])
def test_impossible_sizes_are_refused(size, supersampling):
    with pytest.raises(ValueError, match="must be at least 1"):
        render(sample_view(1, 0), size, supersampling)


def test_the_mask_is_what_the_middles_of_the_pixels_see():
    """With 3 x 3 finer pixels the middle one is in the middle; alone, a pixel looks there too."""
    for view in range(4):
        single, nine = (render(sample_view(6, view), 64, supersampling).mask for supersampling in (1, 3))
        assert np.mean(single == nine) > 0.998


@pytest.mark.parametrize("supersampling", [1, 3])
def test_other_supersampling(supersampling):
    rendering = render(sample_view(1, 0), 24, supersampling)
    assert rendering.image.shape == (24, 24, 3)
    assert rendering.mask.shape == (24, 24)
