"""The pipeline's table measures what it says: steps by hand, differences paired, scales for all alike."""

from collections.abc import Iterator

import matplotlib

matplotlib.use("Agg")

import matplotlib.pyplot as plt
import numpy as np
import pytest

from figures import pipeline
from figures.expansion_map import expanded_aps
from figures.material import material
from figures.pipeline import Described, Step, described, step
from gem_lite import toytown
from gem_lite.extract import extract
from gem_lite.network import build_network
from gem_lite.whitening import LearnedWhitening


@pytest.fixture(autouse=True)
def _close_figures() -> Iterator[None]:
    yield
    plt.close("all")


@pytest.fixture(scope="module")
def found() -> Described:
    net = build_network("compact", seed=0)
    town = material("tiny")
    return described(net, town.train(), town.val(), (1.0, 0.5))


def test_everything_is_described_at_the_same_scales(found: Described) -> None:
    net, val = build_network("compact", seed=0), toytown.load("tiny", 0, "val")
    settings = {"size": None, "scales": (1.0, 0.5), "progress": False}
    np.testing.assert_allclose(found.search.database, extract(net, val.images, **settings), atol=1e-5)
    boxes = [truth["bbx"] for truth in found.search.ground_truth]
    queries = extract(net, val.images[found.search.query_rows], boxes=boxes, **settings)
    np.testing.assert_allclose(found.search.queries, queries, atol=1e-5)
    assert len(found.rows) == len(toytown.load("tiny", 0, "train"))


def test_whitening_is_learned_on_the_training_rows(found: Described) -> None:
    pairs = toytown.load("tiny", 0, "train").covisibility.pairs()
    kept = len(found.whitenings["Lw"].components_)
    expected = LearnedWhitening(kept).fit(found.rows, pairs=pairs)
    np.testing.assert_allclose(found.whitenings["Lw"].components_, expected.components_)


def test_expansion_comes_after_whitening_and_leaves_the_query_out(found: Described) -> None:
    whitened = found.search.whitened(found.whitenings["Lw"])
    expected = expanded_aps(whitened, pipeline.NEIGHBOURS, 3.0, exclude_self=True)
    np.testing.assert_array_equal(found.aps("Lw", 3.0), expected)
    assert not np.array_equal(found.aps("Lw", 3.0), found.aps("Lw", 3.0, "hard"), equal_nan=True)


def test_differences_are_paired() -> None:
    groups = np.array([0, 0, 1, 1, 2, 2])
    low = np.array([0.1, 0.9, 0.2, 0.8, 0.3, 0.7])
    first, second = Step("a", {"medium": low}), Step("b", {"medium": low + 0.05})
    gain = second.over(first, groups)
    assert (gain.mean, gain.low, gain.high) == pytest.approx((0.05, 0.05, 0.05))
    alone = first.interval(groups)
    assert alone.low < alone.mean < alone.high or alone.low == alone.high == pytest.approx(0.5)


def test_a_network_that_nobody_released_measures_nothing() -> None:
    assert step("MAC", None, "Lw", 3.0).aps == {}


def test_the_figure_has_a_line_for_every_step(found: Described) -> None:
    steps = [step("raw", found), step("whitened", found, "Lw")]
    figure = pipeline.draw(steps, found.search.groups)
    (ax,) = figure.axes
    assert [label.get_text() for label in ax.get_yticklabels()] == ["raw", "whitened"]
    dots = [line.get_xdata()[0] for line in ax.lines if line.get_marker() == "o"]
    assert dots == pytest.approx([100 * np.nanmean(each.aps["medium"]) for each in steps])
