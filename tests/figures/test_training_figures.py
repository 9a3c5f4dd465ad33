"""The pictures of the Training chapter show the loss and the runs of the package."""

import copy

import matplotlib

matplotlib.use("Agg")

import matplotlib.pyplot as plt
import numpy as np
import pytest
import torch
from matplotlib.colors import to_hex

from figures import (
    style,
    training_comparison,
    training_curves,
    training_distances,
    training_exponents,
    training_loss,
)
from gem_lite import toytown
from gem_lite.evaluate import Interval
from gem_lite.extract import extract
from gem_lite.losses import contrastive_loss
from gem_lite.network import RetrievalNet, build_network
from gem_lite.pooling import GeM
from gem_lite.toytown.dataset import ImageSet
from gem_lite.toytown.scene import World
from gem_lite.train import History
from gem_lite.validation import validation_map


@pytest.fixture(autouse=True)
def _book_style():
    style.use()
    yield
    plt.close("all")


@pytest.fixture
def net() -> RetrievalNet:
    torch.manual_seed(0)
    return build_network("compact", "gem", channels=(8, "M", 16)).eval()


def history(validation: list[float], p: float = 3.0) -> History:
    names = ("epoch", "loss", "p", "validation")
    return History(
        [dict(zip(names, (n, 1 / n, p, v), strict=True)) for n, v in enumerate(validation, start=1)]
    )


@pytest.mark.parametrize("matching", [True, False])
@pytest.mark.parametrize("distance", [0.1, 0.49, 0.5, 0.9])
def test_drawn_loss_is_the_package_s(matching: bool, distance: float) -> None:
    angle = 2 * np.arcsin(distance / 2)
    x = torch.tensor([[1.0, 0.0], [np.cos(angle), np.sin(angle)]], dtype=torch.float64)
    expected = contrastive_loss(x, torch.tensor([-1, int(matching)]), margin=0.5, eps=0.0)
    assert training_loss.loss(np.array(distance), matching, 0.5) == pytest.approx(expected.item())
    assert training_loss.cosine_at(distance) == pytest.approx(float(x[0] @ x[1]))


@pytest.mark.parametrize("matching", [True, False])
def test_drawn_slope_is_the_derivative_of_the_drawn_loss(matching: bool) -> None:
    d, h = np.array([0.2, 0.4, 0.7]), 1e-6
    above, below = (training_loss.loss(d + step, matching, 0.5) for step in (h, -h))
    assert training_loss.slope(d, matching, 0.5) == pytest.approx((above - below) / (2 * h), abs=1e-6)


def test_a_known_start_is_epoch_0() -> None:
    epochs, values = training_curves.with_start(np.array([0.5, 0.6]), 0.2)
    assert epochs.tolist() == [0, 1, 2]
    assert values.tolist() == [0.2, 0.5, 0.6]
    assert training_curves.with_start(np.array([0.5]), None)[0].tolist() == [1]


def test_the_ring_is_at_the_epoch_that_was_kept() -> None:
    axes = training_curves.draw({"run": history([0.3, 0.7, 0.6])}).axes
    ring = next(line for line in axes[1].lines if line.get_markersize() > 10)
    assert (ring.get_xdata()[0], ring.get_ydata()[0]) == (2, pytest.approx(70))


def test_a_pooling_without_exponent_has_no_trajectory() -> None:
    runs = {"GeM": history([0.3, 0.4]), "SPoC": history([0.3, 0.4], p=float("nan"))}
    exponent = training_curves.draw(runs).axes[2]
    assert "SPoC" not in [line.get_label() for line in exponent.lines]
    assert "GeM" in [line.get_label() for line in exponent.lines]


def test_runs_that_cannot_be_told_apart_are_refused() -> None:
    with pytest.raises(ValueError, match="5 runs; at most 4"):
        training_curves.draw({str(n): history([0.5]) for n in range(5)})


def test_each_exponent_is_worth_what_validation_gives_with_it(net: RetrievalNet) -> None:
    val = toytown.load("tiny", 0, "val")
    found = training_exponents.measure(net, val, powers=(1.0, 4.0))
    assert net.pool.p.item() == 3.0
    changed = copy.deepcopy(net)
    for p, value in zip((1.0, 4.0), found, strict=True):
        changed.pool = GeM(p)
        assert value == pytest.approx(validation_map(val)(changed), abs=1e-9)
    assert found[0] != found[1]


def test_hard_negatives_are_the_closest_images_of_other_landmarks(net: RetrievalNet) -> None:
    rng = np.random.default_rng(0)
    landmarks = np.repeat(np.arange(4), 3)
    images = ImageSet(
        images=rng.integers(0, 256, (12, 32, 32, 3), dtype=np.uint8),
        masks=np.zeros((12, 32, 32), dtype=np.uint8),
        landmarks=landmarks,
        views=np.tile(np.arange(3), 4),
        visible=np.ones((12, 60), dtype=bool),
        scales=np.ones(12, dtype=np.float32),
        world=World(),
    )
    measured = training_distances.measure(net, images, count=2)
    x = extract(net, images.images, size=None, progress=False)
    apart = np.linalg.norm(x[:, None] - x, axis=2)
    foreign = np.where(landmarks[:, None] == landmarks, np.inf, apart)
    assert measured.negative[:, 0] == pytest.approx(foreign.min(axis=1), abs=1e-5)
    own = np.where(foreign == np.inf, apart, np.nan)
    nearest = np.abs(own - measured.positive[:, None])
    assert np.nanmin(nearest, axis=1) == pytest.approx(0, abs=1e-5)


def test_distances_between_described_images_are_those_of_their_tuples() -> None:
    x = np.array([[0.0, 0.0], [3.0, 4.0], [0.0, 1.0], [6.0, 8.0]])
    pair = training_distances.between(x, np.array([0, 1]), np.array([1, 3]), np.array([[2, 3], [0, 0]]))
    assert pair.positive.tolist() == [5.0, 5.0]
    assert pair.negative.tolist() == [[1.0, 10.0], [5.0, 5.0]]


def test_distances_share_an_axis_with_the_margin() -> None:
    some = training_distances.Distances(np.array([0.2, 0.3]), np.array([[0.5, 0.9], [0.6, 0.8]]))
    axes = training_distances.draw({"before": some, "after": some}, margin=0.5).axes
    assert [ax.lines[0].get_xdata()[0] for ax in axes] == [0.5, 0.5]


def test_a_difference_whose_interval_holds_zero_is_grey() -> None:
    differences = {"settled": Interval(0.02, 0.01, 0.03), "open": Interval(-0.02, -0.05, 0.01)}
    right = training_comparison.draw({"a": Interval(0.5, 0.4, 0.6)}, differences).axes[1]
    drawn = {text.get_text(): to_hex(text.get_color()).upper() for text in right.texts}
    assert drawn == {"+2.0": style.GREEN.upper(), "−2.0": style.GREY.upper()}
