"""The pictures of the Toytown chapter show what the town knows."""

import matplotlib

matplotlib.use("Agg")

import matplotlib.pyplot as plt
import numpy as np
import pytest
from matplotlib.collections import LineCollection

from figures import toytown_homography, toytown_masks, toytown_matches, toytown_overlap
from gem_lite import toytown
from gem_lite.toytown.covisibility import MAX_SCALE_RATIO, MIN_OVERLAP
from gem_lite.toytown.dataset import ImageSet
from gem_lite.toytown.landmark import POINTS
from gem_lite.toytown.renderer import CLUTTER, SKY, Rendering, render
from gem_lite.toytown.scene import World, sample_view

SIZE, VIEWS = 48, 5
LANDMARKS = (20_000, 20_001)


@pytest.fixture(scope="module")
def town() -> ImageSet:
    """A set of two landmarks, rendered here: nothing is read from a cache."""
    ids = [(landmark, view) for landmark in LANDMARKS for view in range(VIEWS)]
    pictures = [render(sample_view(*id), SIZE) for id in ids]
    visible = np.zeros((len(ids), POINTS), dtype=bool)
    for row, picture in zip(visible, pictures, strict=True):
        row[picture.visible] = True
    return toytown.ImageSet(
        images=np.stack([picture.image for picture in pictures]),
        masks=np.stack([picture.mask for picture in pictures]),
        landmarks=np.array([landmark for landmark, _ in ids]),
        views=np.array([view for _, view in ids]),
        visible=visible,
        scales=np.array([picture.scale for picture in pictures], dtype=np.float32),
        world=World(),
    )


@pytest.fixture(autouse=True)
def _close_figures():
    yield
    plt.close("all")


def test_maps_of_the_homography_are_linear_and_their_quotient_is_not() -> None:
    view = toytown_homography.oblique_view(LANDMARKS[0], VIEWS)
    u_near, v_near, near = toytown_homography.maps(view, 40)
    for values in (u_near, v_near, near):
        assert np.abs(np.diff(values, n=2, axis=0)).max() < 1e-12
        assert np.abs(np.diff(values, n=2, axis=1)).max() < 1e-12
    assert np.abs(np.diff(u_near / near, n=2, axis=1)).max() > 1e-6


def test_outline_is_where_the_maps_say_that_the_face_ends() -> None:
    view = toytown_homography.oblique_view(LANDMARKS[0], VIEWS)
    matrix = toytown_homography.homographies(view.building().faces, view.camera)[0][toytown_homography.FRONT]
    x, y = toytown_homography.outline(view).T
    u_near, v_near, near = matrix @ np.stack([x, y, np.ones(4)])
    np.testing.assert_allclose(u_near / near, [0, 1, 1, 0], atol=1e-9)
    np.testing.assert_allclose(v_near / near, [0, 0, 1, 1], atol=1e-9)


def test_oblique_view_stands_farthest_aside() -> None:
    def aside(view) -> float:
        x, y, _ = view.camera.centre
        return abs(np.arctan2(x, -y))

    chosen = toytown_homography.oblique_view(LANDMARKS[0], VIEWS)
    assert aside(chosen) == max(aside(sample_view(LANDMARKS[0], view)) for view in range(VIEWS))


def test_homography_drawing_has_a_panel_for_each_function_and_the_quotient() -> None:
    view = toytown_homography.oblique_view(LANDMARKS[0], VIEWS)
    titles = [ax.get_title(loc="left") or ax.get_title() for ax in toytown_homography.draw(view, 40).axes]
    assert titles == ["1/t", "u/t", "v/t", "u = u/t ÷ 1/t"]


def test_mask_is_painted_as_it_is(town: ImageSet) -> None:
    rendering = Rendering(
        town.images[0], town.masks[0], np.flatnonzero(town.visible[0]), np.float32(town.scales[0])
    )
    below = toytown_masks.draw([rendering]).axes[1]
    np.testing.assert_array_equal(below.images[-1].get_array(), town.masks[0])
    painted = below.images[-1].cmap
    for name, label in toytown_masks.SURFACES.items():
        assert matplotlib.colors.same_color(painted.colors[label], toytown_masks.COLOURS[name])


def test_cluttered_views_are_of_different_landmarks_and_cluttered(town: ImageSet) -> None:
    masks = np.full_like(town.masks, SKY)
    masks[[1, 3, 7], :20] = CLUTTER
    images = toytown.ImageSet(**{**vars(town), "masks": masks})
    assert toytown_masks.cluttered(images, 4).tolist() == [1, 7]


def test_lines_join_the_places_of_shared_points(town: ImageSet) -> None:
    left, right = (toytown_matches.observed(town, row, SIZE) for row in (0, 1))
    shared = left.visible & right.visible
    axes = toytown_matches.draw(left, right, lines=10_000).axes[0]
    (lines,) = [item for item in axes.collections if isinstance(item, LineCollection)]
    segments = np.array(lines.get_segments())
    assert len(segments) == shared.sum() > 0
    starts = segments[:, 0][np.lexsort(segments[:, 0].T)]
    np.testing.assert_allclose(starts, left.places[shared][np.lexsort(left.places[shared].T)])
    assert (segments[:, 1, 0] > 1).all()


def test_observed_points_lie_in_the_picture(town: ImageSet) -> None:
    for row in (0, VIEWS):
        view = toytown_matches.observed(town, row, SIZE)
        places = view.places[view.visible]
        assert ((places >= 0) & (places < 1)).all()


def test_pair_statistics_admit_what_the_rule_admits(town: ImageSet) -> None:
    overlaps, ratios = toytown_overlap.pair_statistics(town)
    assert len(overlaps) == len(LANDMARKS) * VIEWS * (VIEWS - 1)
    # Every view of these landmarks shows enough points to be a query.
    assert (town.visible.sum(axis=1) >= 40).all()
    admitted = (overlaps >= MIN_OVERLAP) & (ratios < MAX_SCALE_RATIO)
    assert admitted.sum() == len(town.covisibility.pairs()[0])


def test_histogram_counts_every_pair(town: ImageSet) -> None:
    overlaps, ratios = toytown_overlap.pair_statistics(town)
    left, right = toytown_overlap.draw_pairs(overlaps, ratios).axes
    assert sum(patch.get_height() for patch in left.patches) == len(overlaps)
    assert sum(len(line.get_xdata()) for line in right.lines[:2]) == len(overlaps)


def test_matrix_is_ordered_by_azimuth_and_whole_on_its_diagonal(town: ImageSet) -> None:
    rows, azimuths, matrix = toytown_overlap.overlap_matrix(town, LANDMARKS[1])
    assert sorted(rows) == list(range(VIEWS, 2 * VIEWS))
    assert (np.diff(azimuths) > 0).all()
    np.testing.assert_array_equal(np.diag(matrix), 1)
    i, j = 0, 3
    shared = (town.visible[rows[i]] & town.visible[rows[j]]).sum()
    assert matrix[i, j] == pytest.approx(shared / town.visible[rows[i]].sum())
    figure = toytown_overlap.draw_matrix(matrix, azimuths, town.images[rows])
    np.testing.assert_allclose(figure.axes[0].images[0].get_array(), 100 * matrix)
