"""The query expansion chapter's figures: neighbours and weights by hand, the map of settings, the strips."""

from dataclasses import replace
from types import SimpleNamespace

import matplotlib

matplotlib.use("Agg")

import matplotlib.pyplot as plt
import numpy as np
import pytest

from figures import expansion_drift, expansion_map, expansion_neighbours, ranked_strip
from figures.collection import Collection
from figures.expansion_neighbours import Neighbours
from figures.whitening_retrieval import Search
from gem_lite.evaluate import evaluate
from gem_lite.search import rank


@pytest.fixture(autouse=True)
def _close_figures():
    yield
    plt.close("all")


def unit(degrees: float) -> list[float]:
    return [np.cos(np.deg2rad(degrees)), np.sin(np.deg2rad(degrees))]


@pytest.fixture
def search() -> Search:
    """One query at 0 degrees, row 0 of the database; rows 1 and 2 answer it, 3 is junk, 4 and 5 are wrong."""
    database = np.array([unit(d) for d in (0, 10, 60, 20, 30, 100)], dtype=np.float32)
    truth = [{"easy": [1], "hard": [2], "junk": [0, 3], "bbx": [8, 8, 56, 56]}]
    return Search(database, database[:1], np.array([0]), truth, np.array([7]))


def test_neighbours_leave_the_query_out_and_know_what_is_wrong(search: Search) -> None:
    found = expansion_neighbours.neighbours(search)
    assert found.similarities[0] == pytest.approx(np.cos(np.deg2rad([10, 20, 30, 60, 100])), abs=1e-6)
    assert found.wrong.tolist() == [[False, False, True, False, True]]


def test_a_query_that_is_not_in_the_database_keeps_all_neighbours(search: Search) -> None:
    found = expansion_neighbours.neighbours(replace(search, query_rows=np.array([-1])))
    assert found.similarities.shape == (1, 6)
    assert found.similarities[0, 0] == pytest.approx(1)
    two = replace(search, queries=search.database[[0, 4]], query_rows=np.array([-1, 4]))
    two = replace(two, ground_truth=[*search.ground_truth, *search.ground_truth])
    found = expansion_neighbours.neighbours(two)
    assert found.similarities[:, 0] == pytest.approx([1, np.cos(np.deg2rad(10))], abs=1e-6)
    assert found.similarities.shape == (2, 5)


def test_weights_are_powers_and_never_negative(search: Search) -> None:
    found = expansion_neighbours.neighbours(search)
    assert (found.weights(0) == 1).all()
    assert found.weights(2.5)[0, 3] == pytest.approx(0.5**2.5, abs=1e-6)
    assert found.weights(2.5)[0, 4] == 0


def test_wrong_share_by_hand() -> None:
    found = Neighbours(np.array([[0.5, 0.25], [0.5, 0.5]]), np.array([[False, True], [True, True]]))
    # First query: 1 of 2, then 1/16 of 1/4 + 1/16; second query: everything.
    assert found.wrong_share(0, [1, 2]) == pytest.approx([0.5, 0.75])
    assert found.wrong_share(2, [2]) == pytest.approx([(0.2 + 1) / 2])


def test_expanded_search_by_hand(search: Search) -> None:
    # With n = 3 AQE takes 10, 20 and 30 degrees; the new query is at 15 degrees and finds 10 and 20 first.
    aps = expansion_map.expanded_aps(search, n=3, alpha=0.0)
    expected = np.array([unit(15)], dtype=np.float32)
    ranks, _ = rank(expected, search.database)
    assert aps.tolist() == evaluate(ranks, search.ground_truth, "medium").aps.tolist()


def test_own_picture_counts_unless_excluded(search: Search) -> None:
    asked = Search(
        search.database,
        np.array([unit(35)], dtype=np.float32),
        np.array([4]),
        [{"easy": [2], "hard": [], "junk": [4]}],
        np.array([1]),
    )
    # Its own picture at 30 degrees moves it to 32.5, where the answer at 60 comes third.
    assert expansion_map.expanded_aps(asked, 1, 0.0, exclude_self=False) == pytest.approx([1 / 6])
    # Without it the one at 20 moves it to 27.5, and the answer comes fourth.
    assert expansion_map.expanded_aps(asked, 1, 0.0) == pytest.approx([1 / 8])


def test_measure_and_best(search: Search) -> None:
    aps = expansion_map.measure(search, alphas=(0.0, 3.0), counts=(1, 3, 5))
    assert aps.shape == (2, 3, 1)
    assert aps[0, 1] == expansion_map.expanded_aps(search, 3, 0.0)
    table = np.array([[[0.1, 0.3], [0.5, 0.1]], [[0.2, 0.2], [0.4, np.nan]]])
    assert expansion_map.best(table, (0.0, 3.0), (5, 50)) == (3.0, 50)
    assert expansion_map.best(table[:1], (0.0,), (5, 50)) == (0.0, 50)


def test_map_writes_the_gain_into_every_cell() -> None:
    aps = np.full((2, 2, 3), 0.5)
    aps[1, 0], aps[0, 1] = 0.56, 0.4
    figure = expansion_map.draw({"Lw": aps}, {"Lw": 0.5}, (0.0, 3.0), (5, 50))
    ax = figure.axes[0]
    assert [text.get_text() for text in ax.texts] == ["0", "−10", "+6", "0"]
    assert np.asarray(ax.images[0].get_array()) == pytest.approx(np.array([[0, -10], [6, 0]]))
    assert [label.get_text() for label in ax.get_yticklabels()] == ["0, AQE", "3"]


def test_curves_over_n_show_both_methods_and_their_difference() -> None:
    aqe = np.array([[0.5, 0.3], [0.2, 0.0]])
    figure = expansion_map.draw_over_n(
        np.stack([aqe, aqe + 0.2]), np.array([0.4, 0.4]), np.array([0, 1]), counts=(5, 50)
    )
    above, below = figure.axes
    lines = {line.get_label(): line.get_ydata() for line in above.lines}
    assert lines["AQE"] == pytest.approx([40, 10])
    assert lines["α-QE, α = 3"] == pytest.approx([60, 30])
    assert below.lines[-1].get_ydata() == pytest.approx([20, 20])


def test_weight_figures_show_what_was_computed(search: Search) -> None:
    found = expansion_neighbours.neighbours(search)
    left, right = expansion_neighbours.draw_weights(found, (0, 3), places=5).axes
    assert left.lines[1].get_ydata()[50] == pytest.approx(0.125)
    assert right.lines[1].get_ydata() == pytest.approx(found.weights(3)[0])
    ax = expansion_neighbours.draw_wrong_shares((1, 2), {"Lw": np.array([0.1, 0.4])}).axes[0]
    assert ax.lines[0].get_ydata() == pytest.approx([10, 40])


def test_strips_are_ranked_judged_and_without_the_query_itself(
    search: Search, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked_for: list[int] = []

    def larger(row: int, size: int) -> SimpleNamespace:
        asked_for.append(row)
        return SimpleNamespace(image=np.zeros((size, size, 3), dtype=np.uint8))

    pictures = np.zeros((6, 64, 64, 3), dtype=np.uint8)
    town = SimpleNamespace(images=pictures, larger=larger)
    asked = Collection(
        pictures, None, pictures[:1], search.ground_truth, search.query_rows, search.groups, town=town
    )
    drawn: list[ranked_strip.Strip] = []
    monkeypatch.setattr(ranked_strip, "draw", drawn.extend)
    expansion_drift.draw(asked, search, query=0, n=3, answers=3)
    assert [strip.text for strip in drawn] == ["no expansion", "AQE, n = 3", "α = 3, n = 3"]
    assert [answer.kind for answer in drawn[0].answers] == ["positive", "junk", "negative"]
    assert drawn[0].answers[0].text == f"{np.cos(np.deg2rad(10)):.2f}"
    assert drawn[0].box == [24, 24, 168, 168]
    assert asked_for.count(0) == 1  # the query's picture, never an answer
