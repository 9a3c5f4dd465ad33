"""The whitening chapter's figures and measurements: the plane's algebra, the search, and what curves say."""

import matplotlib

matplotlib.use("Agg")

import warnings

import matplotlib.pyplot as plt
import numpy as np
import pytest
import scipy.linalg

from figures import whitening_curves, whitening_plane
from figures.whitening_retrieval import Search, both_whitenings, fit_learned, over_dimensions, verdict
from gem_lite.evaluate import Interval
from gem_lite.scatter import matching_pairs
from gem_lite.seeds import stream
from gem_lite.whitening import LearnedWhitening


@pytest.fixture(autouse=True)
def _close_figures():
    yield
    plt.close("all")


@pytest.fixture
def plane() -> whitening_plane.Example:
    return whitening_plane.example()


def test_pairs_of_the_plane_match_and_are_no_point_with_itself(plane: whitening_plane.Example) -> None:
    first, second = plane.pairs
    assert (plane.landmarks[first] == plane.landmarks[second]).all()
    assert (first != second).all()
    assert set(first) == set(range(len(plane.points)))


def test_scatters_of_the_plane_are_the_definitions(plane: whitening_plane.Example) -> None:
    within = [np.outer(d, d) for d in plane.points[plane.pairs[0]] - plane.points[plane.pairs[1]]]
    between = [
        np.outer(a - b, a - b)
        for i, a in enumerate(plane.points)
        for j, b in enumerate(plane.points[:i])
        if plane.landmarks[i] != plane.landmarks[j]
    ]
    assert plane.within == pytest.approx(np.mean(within, axis=0))
    assert plane.between == pytest.approx(np.mean(between, axis=0))


def test_two_steps_whiten_then_rotate(plane: whitening_plane.Example) -> None:
    whiten, both = whitening_plane.two_steps(plane)
    assert whiten.T @ plane.within @ whiten == pytest.approx(np.eye(2), abs=1e-12)
    assert both.T @ plane.within @ both == pytest.approx(np.eye(2), abs=1e-12)
    gains = both.T @ plane.between @ both
    assert gains == pytest.approx(np.diag(scipy.linalg.eigvalsh(plane.between, plane.within)[::-1]), abs=1e-9)
    rotation = scipy.linalg.solve(whiten, both)
    assert rotation.T @ rotation == pytest.approx(np.eye(2), abs=1e-12)


def test_the_two_forms_are_close_and_not_equal(plane: whitening_plane.Example) -> None:
    paper = LearnedWhitening(form="paper").fit(plane.points, plane.landmarks, pairs=plane.pairs)
    reference = LearnedWhitening(form="reference").fit(plane.points, pairs=plane.pairs)
    turned = np.subtract(*map(whitening_plane.angles, (paper.components_, reference.components_)))
    assert 0 < np.abs(turned).max() < 2


def test_nearest_is_right_by_hand() -> None:
    points = np.array([[0.0, 0], [1, 0], [1.5, 0], [9, 0]])
    # 0 goes to 1 (right), 1 and 2 to each other (wrong), 9 to 1.5 (right).
    assert whitening_plane.nearest_is_right(points, np.array([0, 0, 1, 1])) == 0.5


def test_outline_is_as_far_out_as_the_root_mean_square_difference() -> None:
    outline = whitening_plane._ellipse(np.diag([9.0, 4.0]))
    assert np.abs(outline).max(axis=0) == pytest.approx([3, 2], rel=1e-2)


def test_steps_are_drawn_with_points_above_and_both_outlines_below(plane: whitening_plane.Example) -> None:
    whiten, both = whitening_plane.two_steps(plane)
    figure = whitening_plane.draw(plane, {"a": np.eye(2), "b": whiten, "c": both})
    above, below = figure.axes[:3], figure.axes[3:6]
    assert [ax.get_title(loc="left") or ax.get_title() for ax in above] == ["a", "b", "c"]
    clouds = [line for line in above[1].lines if line.get_marker() not in ("None", None)]
    drawn = np.concatenate([line.get_xydata() for line in clouds])
    expected = (plane.points - plane.points.mean(axis=0)) @ whiten
    assert drawn == pytest.approx(expected)
    matching = next(line for line in below[1].lines if "C_S" in str(line.get_label()))
    assert np.linalg.norm(matching.get_xydata(), axis=1) == pytest.approx(np.ones(60))


def small_search() -> tuple[Search, np.ndarray]:
    """Six landmarks of six views in eight dimensions; the first two views are queries."""
    rng = stream("test", "whitening search")
    places = np.repeat(rng.normal(size=(6, 8)), 6, axis=0)
    rows = places + 0.8 * rng.normal(size=(36, 8)) * np.linspace(0.2, 2, 8)
    rows = (rows / np.linalg.norm(rows, axis=1, keepdims=True)).astype(np.float32)
    landmarks = np.repeat(np.arange(6), 6)
    queries = np.flatnonzero(np.arange(36) % 6 < 2)
    truth = [
        {
            "easy": [i for i in np.flatnonzero(landmarks == landmarks[q]) if i != q],
            "hard": [],
            "junk": [int(q)],
        }
        for q in queries
    ]
    return Search(rows, rows[queries], queries, truth, landmarks[queries]), landmarks


def test_search_whitens_database_and_queries_alike() -> None:
    search, landmarks = small_search()
    whitening = LearnedWhitening().fit(search.database, landmarks)
    whitened = search.whitened(whitening)
    assert whitened.queries == pytest.approx(whitened.database[search.query_rows])
    assert search.whitened(None) is search
    better = search.average_precisions(whitening).mean()
    assert better > search.average_precisions().mean()  # views differ most where landmarks differ least
    assert (
        search.average_precisions(whitening).tolist()
        == search.average_precisions(whitening, queries=whitened.queries).tolist()
    )


def test_few_pairs_are_fitted_without_a_warning_and_with_their_shrinkage() -> None:
    search, _ = small_search()
    pairs = (np.array([0, 6, 12]), np.array([1, 7, 13]))
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert fit_learned(search.database, pairs).shrinkage_ > 0
    # Wrong arguments still say so.
    with pytest.raises(ValueError, match="shrinkage"):
        fit_learned(search.database, pairs, shrinkage=2.0)


@pytest.mark.parametrize(
    ("interval", "words"),
    [
        (Interval(0.1, 0.05, 0.2), "a gain"),
        (Interval(-0.1, -0.2, -0.05), "a loss"),
        (Interval(0.1, -0.05, 0.2), "undecided"),
    ],
)
def test_verdict(interval: Interval, words: str) -> None:
    assert verdict(interval) == words


def curves() -> tuple[list[int], dict[str, np.ndarray], np.ndarray]:
    """Lw gains 0.1 on every query at 8 and 32 components, and loses 0.1 at 16."""
    pca = np.array([[0.2, 0.4, 0.3, 0.5], [0.4, 0.6, 0.5, 0.7], [0.1, 0.3, 0.2, 0.4]])
    lw = pca + np.array([[0.1], [-0.1], [0.1]])
    return [8, 16, 32], {"Lw": lw, "PCAw": pca, "raw": pca[0]}, np.array([0, 0, 1, 1])


def test_facts_of_dimensions() -> None:
    dimensions, aps, groups = curves()
    facts = whitening_curves.facts_of_dimensions(dimensions, aps, groups)
    assert (facts["tried"], facts["most"], facts["ahead"], facts["settled"]) == (3, 32, 2, 2)
    assert facts["best_pca"] == 16
    assert facts["best_pca_map"] == pytest.approx(55)
    assert facts["all_lw_map"] == facts["lw_32_map"] == pytest.approx(35)


def test_dimension_curves_show_means_and_paired_differences() -> None:
    dimensions, aps, groups = curves()
    figure = whitening_curves.draw_dimensions(dimensions, {"net": aps}, groups)
    above, below = figure.axes
    lines = {line.get_label(): line for line in above.lines}
    assert lines["Lw"].get_ydata() == pytest.approx([45, 45, 35])
    assert lines["raw, all dimensions"].get_ydata()[0] == pytest.approx(35)
    differences = below.lines[-1].get_ydata()
    assert differences == pytest.approx([10, -10, 10])


def test_every_number_of_dimensions_has_a_label_and_near_ones_stand_apart() -> None:
    _, aps, groups = curves()
    figure = whitening_curves.draw_dimensions((64, 96, 128), {"net": aps}, groups)
    assert [label.get_text() for label in figure.axes[1].get_xticklabels()] == ["64", "\n96", "128"]


def test_facts_and_curve_of_pairs() -> None:
    values = np.array([[49.0, 51.0], [20.0, 24.0], [49.0, 50.0], [50.0, 50.0]])
    facts = whitening_curves.facts_of_pairs([16, 32, 64, 70], values)
    assert facts == {"fewest_map": 50, "all_map": 50, "enough": 64, "worst": 32, "worst_map": 22}
    assert whitening_curves.facts_of_pairs([64, 70], values[2:])["enough"] == 64, "all of them"
    assert whitening_curves.facts_of_pairs([16, 32, 64, 70], values[[1, 0, 1, 3]])["enough"] == 70, "for good"
    ax = whitening_curves.draw_pairs([16, 32, 64, 70], {"none": values}, 32).axes[0]
    assert ax.lines[0].get_ydata() == pytest.approx([50, 22, 49.5, 50])
    # 64 is too near to 70 to be written.
    assert [label.get_text() for label in ax.get_xticklabels()] == ["16", "32", "70"]


def test_facts_and_curves_of_gains_and_shrinkage() -> None:
    gains = np.linspace(20, 1, 20)
    assert whitening_curves.facts_of_gains(gains) == {"first": 19.5, "last": 1.5}
    figure = whitening_curves.draw_gains({"Lw": gains})
    line = figure.axes[0].lines[0]
    assert (line.get_xdata()[0], line.get_ydata()[-1]) == (1, 1)
    figure.canvas.draw()
    shown = [label.get_text() for label in figure.axes[0].get_yticklabels()]
    assert {"1", "2", "5", "10"} <= set(shown), "plain numbers, no powers of ten"
    ax = whitening_curves.draw_shrinkage((0.0, 0.5, 1.0), {"all": np.array([3.0, 2.0, 1.0])}).axes[0]
    assert [label.get_text() for label in ax.get_xticklabels()] == ["0", "0.5", "1"]


def test_whitenings_over_dimensions_keep_what_was_asked_for() -> None:
    search, landmarks = small_search()
    pairs = matching_pairs(None, landmarks, len(landmarks))
    fitted = both_whitenings(search.database, pairs)
    assert {len(whitening.components_) for whitening in fitted.values()} == {8}
    aps = over_dimensions(search, search.database, pairs, [2, 8])
    for name, whitening in fitted.items():
        assert aps[name][1].tolist() == search.average_precisions(whitening).tolist()
        short = type(whitening)(2).fit(search.database, landmarks)
        assert aps[name][0] == pytest.approx(search.average_precisions(short))
    assert aps["raw"].tolist() == search.average_precisions().tolist()
