"""Strips of answers and histograms of similarities say what they were given."""

import matplotlib

matplotlib.use("Agg")

import matplotlib.pyplot as plt
import numpy as np
import pytest
from matplotlib.colors import same_color

from figures import ranked_strip, similarities, style
from figures.ranked_strip import Answer, Strip

WIDE = np.zeros((30, 60, 3), dtype=np.uint8)
HIGH = np.zeros((80, 40, 3), dtype=np.uint8)


@pytest.fixture(autouse=True)
def _close_figures():
    yield
    plt.close("all")


def test_frame_and_sign_tell_what_an_answer_is() -> None:
    answers = [Answer(WIDE, "0.9", "positive"), Answer(HIGH, "0.8", "negative"), Answer(WIDE, "0.7", "junk")]
    query, *found = ranked_strip.draw([Strip(HIGH, answers)]).axes
    assert same_color(query.spines["left"].get_edgecolor(), style.QUERY)
    assert [ax.get_xlabel() for ax in found] == ["✓ 0.9", "✕ 0.8", "– 0.7"]
    for ax, colour in zip(found, (style.POSITIVE, style.NEGATIVE, style.JUNK), strict=True):
        assert same_color(ax.spines["top"].get_edgecolor(), colour)


def test_an_answer_that_nobody_judged_has_no_sign() -> None:
    _, answer = ranked_strip.draw([Strip(WIDE, [Answer(HIGH, "0.9")])]).axes
    assert answer.get_xlabel() == "0.9"


def test_pictures_keep_their_shape_in_the_middle_of_a_square() -> None:
    square = ranked_strip.squared(WIDE)
    assert square.shape == (60, 60, 3)
    assert (square[15:45] == 0).all()
    assert (square[:15] == 255).all()
    assert (square[45:] == 255).all()


def test_box_moves_with_its_picture_into_the_square() -> None:
    axes = ranked_strip.draw([Strip(WIDE, [Answer(WIDE)], box=[10, 5, 40, 25])]).axes[0]
    (box,) = axes.patches
    assert (box.get_x(), box.get_y(), box.get_width(), box.get_height()) == (10, 20, 30, 20)


def test_a_shorter_strip_leaves_places_empty() -> None:
    figure = ranked_strip.draw([Strip(WIDE, [Answer(WIDE)] * 3), Strip(WIDE, [Answer(WIDE)])])
    assert [ax.axison for ax in figure.axes] == [True] * 4 + [True, True, False, False]


def test_nothing_and_unknown_kinds_are_refused() -> None:
    with pytest.raises(ValueError, match="no strip"):
        ranked_strip.draw([])
    with pytest.raises(ValueError, match=r"'right'.*positive"):
        ranked_strip.draw([Strip(WIDE, [Answer(WIDE, kind="right")])])


def test_both_histograms_have_an_area_of_one() -> None:
    matching, other = np.linspace(0.6, 0.99, 50), np.linspace(0.1, 0.9, 900)
    axes = similarities.draw(matching, other).axes[0]
    areas = sum(patch.get_width() * patch.get_height() for patch in axes.patches[:40])
    assert areas == pytest.approx(1)
    assert [text.get_text() for text in axes.get_legend().get_texts()] == ["other pairs", "matching pairs"]


def test_histogram_of_nothing_is_refused() -> None:
    with pytest.raises(ValueError, match="0 and 3"):
        similarities.draw(np.array([]), np.ones(3))
