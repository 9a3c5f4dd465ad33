"""The pictures of the Retrieval chapter show what the package computes."""

import matplotlib

matplotlib.use("Agg")

import matplotlib.pyplot as plt
import numpy as np
import pytest
from matplotlib.patches import Polygon

from figures import average_precision, intervals, unit_circle
from figures.tables import table
from gem_lite.evaluate import Interval
from gem_lite.evaluate import average_precision as ap


@pytest.fixture(autouse=True)
def _close_figures():
    yield
    plt.close("all")


def area(shape: Polygon) -> float:
    x, y = shape.get_xy()[:-1].T
    return float(abs(np.dot(x, np.roll(y, 1)) - np.dot(y, np.roll(x, 1))) / 2)


@pytest.mark.parametrize(
    "kinds", [average_precision.EXAMPLE, ("junk", "no", "yes"), ("yes", "yes", "junk", "yes")]
)
def test_left_shapes_have_the_area_that_is_the_average_precision(kinds: tuple[str, ...]) -> None:
    axes = average_precision.draw_areas(kinds, n_positives=5).axes[0]
    drawn = sum(area(patch) for patch in axes.patches)
    assert drawn == pytest.approx(ap(average_precision.positions_of_positives(kinds), 5))


def test_scored_row_numbers_the_places_without_junk() -> None:
    texts = [text.get_text() for text in average_precision.draw_list(("junk", "yes", "no")).axes[0].texts]
    assert [text for text in texts if text.isdigit()] == ["1", "2", "3", "1", "2"]


def test_circle_numbers_the_images_by_their_angle_to_the_query() -> None:
    axes = unit_circle.draw(database=(80, 40, 10), query=30).axes[0]
    angle = {text.get_text(): np.rad2deg(np.arctan2(*text.get_position()[::-1])) for text in axes.texts}
    assert [angle[place] for place in "123"] == pytest.approx([40, 10, 80])


def test_queries_without_positives_do_not_hide_the_mean() -> None:
    axes = intervals.draw_queries({"Easy": [100, np.nan, 50, 0]}).axes[0]
    assert [text.get_text() for text in axes.texts] == ["50.0"]


def test_a_difference_that_is_settled_looks_different_from_one_that_is_not() -> None:
    alone = {"a": Interval(0.5, 0.4, 0.6), "b": Interval(0.48, 0.38, 0.58)}
    colours = []
    for difference in (Interval(0.02, 0.01, 0.03), Interval(0.02, -0.01, 0.05)):
        right = intervals.draw_comparison(alone, difference).axes[1]
        colours.append(right.texts[-1].get_color())
        assert right.texts[-1].get_text() == "2.0"
    assert colours[0] != colours[1]


def test_table_refuses_a_row_of_another_length() -> None:
    with pytest.raises(ValueError, match="2 columns, but 3 values"):
        table(["a", "b"], [[1, 2, 3]])
